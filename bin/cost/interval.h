/*
 * interval.h: between what bounds a figure lies that was measured on some.
 *
 * level is how sure one is, 0.95 for instance; both bounds are NAN where the
 * sample is too small to say.
 */
#ifndef COST_INTERVAL_H
#define COST_INTERVAL_H

#include <stdint.h>

struct cost_interval {
	double low, high;
};

/* Numbers as they come, without keeping them (Welford 1962). */
struct cost_sample {
	int64_t n;
	double mean, squares; /* of what differs from the mean, summed */
};
void cost_sample_add(struct cost_sample *s, double x);

/* Wilson 1927, without a correction for continuity: k of n. */
struct cost_interval cost_wilson(int64_t k, int64_t n, double level);
/* a/m - b/n, from both Wilson intervals: Newcombe 1998, method 10. */
struct cost_interval cost_newcombe(int64_t a, int64_t m, int64_t b, int64_t n,
				   double level);
/* Of a mean: Student 1908. */
struct cost_interval cost_student(const struct cost_sample *s, double level);
/* Of a's mean less b's, whose spreads may differ: Welch 1947. */
struct cost_interval cost_welch(const struct cost_sample *a,
				const struct cost_sample *b, double level);

/* The t that a variable of Student's distribution with this many degrees of
 * freedom exceeds with the probability tail, 0 to 0.5; df may be INFINITY. */
double cost_student_t(double tail, double df);

#endif
