/*
 * confidence.c: how likely a hit means that the index knows of what was asked.
 *
 * A logistic function of how much of the query stands in the hit (the share of
 * its words, each weighed by its idf) and of how near its vector is (on the way
 * from the average document's cosine to 1).  Its numbers were fitted by
 * tests/bench/calibrate to the best hit of each judged query of Cranfield and
 * Vaswani, with vectors of the index's own model, against queries of the other
 * collection, both weighing the same;
 * `make eval` prints how true they come out and how to fit them anew.
 */
#include "search.h"

#include <math.h>

static const struct {
	double base, covered, near;
} fits[] = {
	[SEARCH_HYBRID] = { -8.43, 8.74, 7.46 },
	[SEARCH_DENSE] = { -7.43, 0, 12.25 },
	[SEARCH_SPARSE] = { -5.50, 11.14, 0 },
};

double search_confidence(enum search_mode mode, double covered, double near)
{
	return 1 / (1 + exp(-(fits[mode].base + fits[mode].covered * covered +
			      fits[mode].near * near)));
}
