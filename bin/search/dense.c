/* dense.c: every vector, exactly, in the order they lie in. */
#include "search.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

struct scan {
	const float *query;
	size_t dim;
	int64_t per;
	const struct search_filter *filter;
	struct search_top *top;
	double sum;     /* of the cosines of all vectors */
	int64_t count;
};

/* Documents without a vector have zeros in its place. */
static bool is_zero(const float *v, size_t dim)
{
	size_t i;

	for (i = 0; i < dim; i++)
		if (v[i] != 0)
			return false;
	return true;
}

/* Nothing in common is no hit, unless one asks for less than that. */
static bool is_hit(double cosine)
{
	return search.min_dense < 0 ? cosine >= search.min_dense
				    : cosine > 0 && cosine >= search.min_dense;
}

static void scan_block(struct scan *s, int64_t block, const float *v)
{
	struct search_hit h = { .rank = 0 };
	int64_t i;

	for (i = 0; i < s->per; i++, v += s->dim) {
		if (v[0] == 0 && is_zero(v, s->dim))
			continue;
		h.key.score = ai_vector_dot(s->query, v, s->dim);
		h.key.n = block * s->per + i;
		s->sum += h.key.score;
		s->count++;
		if (is_hit(h.key.score) &&
		    search_filter_has(s->filter, h.key.n))
			search_top_push(s->top, h);
	}
}

/*
 * How far a cosine is on the way from that of an average document (0) to
 * that of an equal one (1).  Bare cosines mean different things from model
 * to model: with some, no two texts are below .7.
 */
static void weigh(struct scan *s)
{
	double mean = s->count > 1 ? s->sum / (double)s->count : 0, w;
	size_t i;

	for (i = 0; i < s->top->n; i++) {
		w = mean < 1 ? (s->top->v[i].key.score - mean) / (1 - mean)
			     : 1;
		s->top->v[i].weight = w < 0 ? 0 : w > 1 ? 1 : w;
	}
}

/* The blob as floats; a copy in *spare if it lies askew. */
static const float *floats_of(struct ai_span data, float **spare)
{
	if ((uintptr_t)data.p % sizeof(float) == 0)
		return (const float *)(const void *)data.p;
	if (*spare == NULL)
		*spare = malloc(data.n);
	return *spare == NULL ? NULL : memcpy(*spare, data.p, data.n);
}

static int scan_all(struct scan *s, struct search_index *ix, float **spare,
		    struct ai_err *err)
{
	size_t bytes = (size_t)s->per * s->dim * sizeof(float);
	struct ai_span data;
	sqlite3_stmt *st;
	const float *v;
	int rc;

	if (SEARCH_BIND(ix, SQL_VECTORS, err, "") < 0)
		return -1;
	st = ix->st[SQL_VECTORS];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0) {
		data = ai_db_span(st, 1);
		if (data.n != bytes) {
			sqlite3_reset(st);
			return ai_db_damaged(&ix->db, err, "a block of vectors "
					     "has %zu bytes, not %zu", data.n,
					     bytes);
		}
		v = floats_of(data, spare);
		if (v == NULL) {
			sqlite3_reset(st);
			return ai_err_nomem(err);
		}
		scan_block(s, sqlite3_column_int64(st, 0), v);
	}
	return rc;
}

int search_dense(struct search_index *ix, const float *query,
		 const struct search_filter *f, struct search_top *top,
		 struct ai_err *err)
{
	struct scan s = { .query = query, .dim = (size_t)ix->info.dim,
			  .filter = f, .top = top };
	float *spare = NULL;
	int rc;

	if (ix->info.dim == 0 || is_zero(query, s.dim))
		return 0;
	s.per = search_vectors(ix->info.dim).per;
	rc = scan_all(&s, ix, &spare, err);
	free(spare);
	if (rc < 0)
		return -1;
	weigh(&s);
	return search_top_finish(top, ix, err);
}
