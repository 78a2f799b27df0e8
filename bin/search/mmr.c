#include "search.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

static int text_vector(struct search_index *ix, int64_t n, float *v,
		       struct ai_err *err)
{
	struct ai_span text = { NULL, 0 };
	int rc;

	if (SEARCH_BIND(ix, SQL_TEXT_OF, err, "i", n) < 0)
		return -1;
	rc = ai_db_step(&ix->db, ix->st[SQL_TEXT_OF], err);
	if (rc > 0)
		text = ai_db_span(ix->st[SQL_TEXT_OF], 0);
	if (rc >= 0)
		rc = ai_vector_hash(text.p, text.n, AI_VECTOR_HASH_DIM, v, err);
	sqlite3_reset(ix->st[SQL_TEXT_OF]);
	return rc;
}

float *search_pool_vectors(struct search_index *ix,
			   const struct search_list *l, size_t n, size_t *dim,
			   struct ai_err *err)
{
	bool own = ix->info.vectors > 0;
	float *v;
	size_t i;
	int rc = 0;

	*dim = own ? (size_t)ix->info.dim : AI_VECTOR_HASH_DIM;
	v = calloc(n > 0 ? n : 1, *dim * sizeof(*v));
	if (v == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	for (i = 0; i < n && rc == 0; i++)
		rc = own ? search_vector_of(ix, l->v[i].key.n, v + i * *dim, err)
			 : text_vector(ix, l->v[i].key.n, v + i * *dim, err);
	if (rc == 0)
		return v;
	free(v);
	return NULL;
}

/* The pool's member that adds most: place at to n-1 are still free. */
static size_t choose(const struct search_list *l, const double *nearest,
		     const size_t *order, size_t at, size_t n, double lambda)
{
	double high = l->v[0].key.score, low = l->v[n - 1].key.score;
	double range = high > low ? high - low : 1, best = 0, value;
	size_t i, found = at;

	for (i = at; i < n; i++) {
		value = lambda * (l->v[order[i]].key.score - low) / range -
			(1 - lambda) * nearest[order[i]];
		if (i == at || value > best) {
			best = value;
			found = i;
		}
	}
	return found;
}

static void select_all(const struct search_list *l, const float *v, size_t dim,
		       size_t n, size_t k, double lambda, size_t *order,
		       double *nearest)
{
	size_t at, i, c, found;
	double near;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (at = 0; at < k && at < n; at++) {
		found = choose(l, nearest, order, at, n, lambda);
		c = order[found];
		/* The rest stays in the order of relevance. */
		memmove(order + at + 1, order + at,
			(found - at) * sizeof(*order));
		order[at] = c;
		for (i = at + 1; i < n; i++) {
			near = ai_vector_dot(v + c * dim, v + order[i] * dim,
					     dim);
			if (near > nearest[order[i]])
				nearest[order[i]] = near;
		}
	}
}

static void permute(struct search_list *l, struct search_fused *copy,
		    const size_t *order, size_t n)
{
	size_t i;

	memcpy(copy, l->v, n * sizeof(*copy));
	for (i = 0; i < n; i++)
		l->v[i] = copy[order[i]];
}

int search_mmr(struct search_list *l, struct search_index *ix, size_t k,
	       double lambda, struct ai_err *err)
{
	size_t n = l->n < SEARCH_POOL ? l->n : SEARCH_POOL, dim;
	size_t *order = calloc(n + 1, sizeof(*order));
	double *nearest = calloc(n + 1, sizeof(*nearest));
	struct search_fused *copy = calloc(n + 1, sizeof(*copy));
	float *v = search_pool_vectors(ix, l, n, &dim, err);
	int rc = -1;

	if (order == NULL || nearest == NULL || copy == NULL) {
		ai_err_nomem(err);
	} else if (v != NULL) {
		select_all(l, v, dim, n, k, lambda, order, nearest);
		permute(l, copy, order, n);
		rc = 0;
	}
	free(order);
	free(nearest);
	free(copy);
	free(v);
	return rc;
}
