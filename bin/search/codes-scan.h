/* codes-scan.h: candidates by their codes. */
#ifndef SEARCH_CODES_SCAN_H
#define SEARCH_CODES_SCAN_H

#include "codes-kernel.h"
#include "codes-pick.h"
#include "codes.h"
#include "rotation.h"

/* A query on its way through segments: made anew only where the mean or the
 * rotation is another. */
struct codes_scan {
	const struct codes_kernel *kernel;
	const float *query;
	size_t dim;
	struct rotation rotation;
	uint64_t seed;
	const struct search_codes *made; /* the segment that q is made for */
	float *turned;                   /* room: bits */
	unsigned char *lut, *wide;       /* wide NULL: not wanted */
	struct codes_query q;
	float spread;  /* standard deviation of the estimates, about */
};

/* kernel NULL: the fastest.  query is borrowed. */
void codes_scan_init(struct codes_scan *s, const float *query, size_t dim,
		     const struct codes_kernel *kernel);
void codes_scan_release(struct codes_scan *s);
/* Makes the query for a segment, which must have its dimension and stay open as
 * long as the scan.  -1: AI_E_MEMORY. */
int codes_scan_make(struct codes_scan *s, const struct search_codes *c,
		    struct ai_err *err);
/* Adds to pick the rows of a segment that may be among the best, by estimate;
 * segments come in ascending order.  Returns how many codes it looked at, or
 * -1: AI_E_MEMORY; AI_E_DATA: a block is not as it was written. */
int64_t codes_scan(struct codes_scan *s, const struct search_codes *c,
		   const struct search_filter *filter, struct codes_pick *pick,
		   struct ai_err *err);

/* ---- a filter, 64 rows at a time -------------------------------------------- */

/* Bit i: whether row n + i is let through; n >= 0. */
uint64_t codes_filter_word(const struct search_filter *f, int64_t n);
/* The first row from n on, below end, that is let through; end if none is. */
int64_t codes_filter_next(const struct search_filter *f, int64_t n,
			  int64_t end);
/* How many of the rows [from, to) are let through. */
int64_t codes_filter_count(const struct search_filter *f, int64_t from,
			   int64_t to);

#endif
