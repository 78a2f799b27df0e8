/* Confidence intervals against published ones, and against chance. */
#include "../../bin/cost/interval.h"
#include "tap.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static bool near(double got, double wanted, double by)
{
	if (fabs(got - wanted) <= by)
		return true;
	printf("# got %.12g, wanted %.12g\n", got, wanted);
	return false;
}

/* Tables of Student's t. */
static void test_quantiles(void)
{
	static const struct { double tail, df, t; } rows[] = {
		{ 0.025, 1, 12.7062047362 }, { 0.025, 2, 4.30265272975 },
		{ 0.025, 5, 2.57058183661 }, { 0.025, 10, 2.22813885196 },
		{ 0.025, 30, 2.04227245630 }, { 0.005, 3, 5.84090930973 },
		{ 0.05, 7, 1.89457860506 }, { 0.025, 1000, 1.96233908082 },
		{ 0.025, INFINITY, 1.95996398454 },
		{ 0.005, INFINITY, 2.57582930355 },
		{ 0.025, 2e9, 1.95996398454 },
	};

	for (size_t i = 0; i < N(rows); i++)
		ok(near(cost_student_t(rows[i].tail, rows[i].df), rows[i].t,
			2e-9), "t of %g with %g degrees", rows[i].tail,
		   rows[i].df);
	/* With one degree it is Cauchy's, with two a root. */
	for (double tail = 0.01; tail < 0.5; tail += 0.07) {
		double u = 1 - 2 * tail;

		ok(near(cost_student_t(tail, 1), tan(M_PI * u / 2), 1e-9) &&
		   near(cost_student_t(tail, 2), u * sqrt(2 / (1 - u * u)),
			1e-9), "closed forms at %g", tail);
	}
}

/* Newcombe, Statistics in Medicine 17 (1998): table I of the first paper, and
 * table II of the second, method 10. */
static void test_proportions(void)
{
	static const struct { int k, n; double low, high; } one[] = {
		{ 81, 263, 0.2553, 0.3662 }, { 15, 148, 0.0624, 0.1605 },
		{ 0, 20, 0, 0.1611 }, { 1, 29, 0.0061, 0.1718 },
	};
	static const struct { int a, m, b, n; double low, high; } two[] = {
		{ 56, 70, 48, 80, 0.0524, 0.3339 },
		{ 9, 10, 3, 10, 0.1705, 0.8090 },
		{ 6, 7, 2, 7, 0.0582, 0.8062 },
		{ 5, 56, 0, 29, -0.0381, 0.1926 },
		{ 0, 10, 0, 20, -0.1611, 0.2775 },
		{ 10, 10, 0, 20, 0.6791, 1 },
		{ 10, 10, 0, 10, 0.6075, 1 },
	};
	struct cost_interval i;

	for (size_t k = 0; k < N(one); k++) {
		i = cost_wilson(one[k].k, one[k].n, 0.95);
		ok(near(i.low, one[k].low, 6e-5) &&
		   near(i.high, one[k].high, 6e-5), "%d of %d", one[k].k,
		   one[k].n);
	}
	for (size_t k = 0; k < N(two); k++) {
		i = cost_newcombe(two[k].a, two[k].m, two[k].b, two[k].n, 0.95);
		ok(near(i.low, two[k].low, 6e-5) &&
		   near(i.high, two[k].high, 6e-5), "%d/%d - %d/%d", two[k].a,
		   two[k].m, two[k].b, two[k].n);
	}
	i = cost_wilson(0, 0, 0.95);
	ok(isnan(i.low) && isnan(i.high), "nothing of nothing");
}

static struct cost_sample sample(const double *v, size_t n)
{
	struct cost_sample s = { 0 };

	for (size_t i = 0; i < n; i++)
		cost_sample_add(&s, v[i]);
	return s;
}

static void test_means(void)
{
	static const double a[] = { 2, 4, 4, 4, 5, 5, 7, 9 }, b[] = { 1, 1 },
		far[] = { 1e9 + 1, 1e9 + 2, 1e9 + 3 };
	struct cost_sample s = sample(a, N(a)), t = sample(b, N(b)), none = { 0 };
	struct cost_interval i = cost_student(&s, 0.95);

	/* Mean 5, sum of squares 32: s = sqrt(32/7), t(7) = 2.364624252. */
	ok(s.n == 8 && near(s.mean, 5, 1e-12) && near(s.squares, 32, 1e-10),
	   "mean and squares");
	ok(near(i.high - 5, 2.36462425101 * sqrt(32. / 7 / 8), 1e-8) &&
	   near(5 - i.low, i.high - 5, 1e-12), "Student's interval");
	i = cost_welch(&s, &t, 0.95);
	/* The other has no spread: 7 degrees again. */
	ok(near(i.high - 4, 2.36462425101 * sqrt(32. / 7 / 8), 1e-8),
	   "Welch's with one that has no spread");
	i = cost_welch(&t, &t, 0.95);
	ok(i.low == 0 && i.high == 0, "no spread, no width");
	i = cost_student(&none, 0.95);
	ok(isnan(i.low), "no numbers, no interval");
	t = sample(far, N(far));
	ok(near(t.squares, 2, 1e-6), "small spreads of large numbers");
}

/* Between 0 and 1, both left out; xorshift64, the same each time. */
static double uniform(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return ((double)(x >> 12) + 0.5) / 0x1p52;
}

/* Of intervals of 95 %, that many hold what they are to hold. */
static void test_coverage(void)
{
	enum { RUNS = 4000 };
	int mean = 0, welch = 0, share = 0;
	struct cost_interval i;

	for (int run = 0; run < RUNS; run++) {
		struct cost_sample s = { 0 }, t = { 0 };
		int k = 0;

		for (int n = 0; n < 12; n++) {
			double u = uniform(), v = uniform(),
				r = sqrt(-2 * log(u));

			cost_sample_add(&s, 3 + r * cos(2 * M_PI * v));
			if (n % 2 == 0)
				cost_sample_add(&t, 1 + 4 * r *
						sin(2 * M_PI * v));
			k += u < 0.4;
		}
		i = cost_student(&s, 0.95);
		mean += i.low <= 3 && 3 <= i.high;
		i = cost_welch(&s, &t, 0.95);
		welch += i.low <= 2 && 2 <= i.high;
		i = cost_wilson(k, 12, 0.95);
		share += i.low <= 0.4 && 0.4 <= i.high;
	}
	/* Four standard errors; a proportion of twelve jumps. */
	ok(fabs(mean / (double)RUNS - 0.95) < 0.015, "Student: %d of %d", mean,
	   RUNS);
	ok(fabs(welch / (double)RUNS - 0.95) < 0.02, "Welch: %d of %d", welch,
	   RUNS);
	ok(fabs(share / (double)RUNS - 0.95) < 0.03, "Wilson: %d of %d", share,
	   RUNS);
}

int main(void)
{
	test_quantiles();
	test_proportions();
	test_means();
	test_coverage();
	return done();
}
