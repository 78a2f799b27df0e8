/*
 * smooth.c: what is like good hits gains, what stands alone loses.
 *
 * Scores of neighbours are a hint of a hit's own, for texts that are alike
 * answer the same questions (van Rijsbergen's cluster hypothesis; Diaz,
 * "Regularizing ad hoc retrieval scores", CIKM 2005).  The hits of the pool
 * get, of their own score and the mean of their nearest's, weighed by cosine,
 * .6 and .4.
 */
#include "search.h"

#include "text/vector.h"

#include <stdlib.h>

#define NEAREST 10
#define SHARE .4 /* of the neighbours */

struct neighbour {
	double cosine;
	size_t at;
};

/* The nearest ones with a cosine above 0, in order; how many.  Of equal ones
 * the better hit. */
static size_t find_nearest(const float *v, size_t dim, size_t n, size_t of,
			   struct neighbour *near)
{
	size_t i, k, found = 0;
	double cosine;

	for (i = 0; i < n; i++) {
		if (i == of)
			continue;
		cosine = ai_vector_dot(v + of * dim, v + i * dim, dim);
		if (!(cosine > 0))
			continue;
		if (found == NEAREST && cosine <= near[found - 1].cosine)
			continue;
		k = found < NEAREST ? found++ : found - 1;
		for (; k > 0 && near[k - 1].cosine < cosine; k--)
			near[k] = near[k - 1];
		near[k] = (struct neighbour){ cosine, i };
	}
	return found;
}

/* What the neighbours say; the hit's own where it has none. */
static double mean_of(const struct neighbour *near, size_t n, const double *z,
		      double own)
{
	double sum = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		sum += near[i].cosine * z[near[i].at];
		all += near[i].cosine;
	}
	return all > 0 ? sum / all : own;
}

/* In the range of scores that there was, so the rest of the list stays
 * behind. */
static void smooth(struct search_list *l, const float *v, size_t dim, size_t n,
		   double *z)
{
	double low = l->v[n - 1].key.score;
	double range = l->v[0].key.score - low, score;
	struct neighbour near[NEAREST];
	size_t i, found;

	for (i = 0; i < n; i++)
		z[i] = range > 0 ? (l->v[i].key.score - low) / range : 1;
	for (i = 0; i < n; i++) {
		found = find_nearest(v, dim, n, i, near);
		score = low + range * ((1 - SHARE) * z[i] +
				       SHARE * mean_of(near, found, z, z[i]));
		l->v[i].smoothed = score - l->v[i].key.score;
		l->v[i].key.score = score;
	}
}

int search_smooth(struct search_list *l, struct search_index *ix,
		  struct ai_err *err)
{
	size_t n = l->n < SEARCH_POOL ? l->n : SEARCH_POOL, dim;
	double *z;
	float *v;

	if (n < 2)
		return 0;
	z = calloc(n, sizeof(*z));
	if (z == NULL)
		return ai_err_nomem(err);
	v = search_pool_vectors(ix, l, n, &dim, err);
	if (v != NULL)
		smooth(l, v, dim, n, z);
	free(v);
	free(z);
	return v == NULL ? -1 : 0;
}
