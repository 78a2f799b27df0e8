/*
 * mean.c: the sum of all vectors, exact, so that the same documents give the
 * same average however they came.
 */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP 0x1p36 /* 2^27 vectors of length 1 fit into 64 bits */

static int load(struct search_index *ix, struct ai_err *err)
{
	size_t bytes = (size_t)ix->info.dim * sizeof(*ix->sum);
	struct ai_span s;
	sqlite3_stmt *st;
	int rc;

	if (ix->sum != NULL)
		return 0;
	if (SEARCH_BIND(ix, SQL_MEAN, err, "") < 0)
		return -1;
	st = ix->st[SQL_MEAN];
	rc = ai_db_step(&ix->db, st, err);
	if (rc < 0)
		return -1;
	ix->sum = calloc(1, bytes);
	if (ix->sum == NULL) {
		sqlite3_reset(st);
		return ai_err_nomem(err);
	}
	if (rc == 0) /* the first vector */
		return 0;
	s = ai_db_span(st, 0);
	if (s.n == bytes)
		memcpy(ix->sum, s.p, bytes);
	sqlite3_reset(st);
	if (s.n == bytes)
		return 0;
	free(ix->sum);
	ix->sum = NULL;
	return ai_db_damaged(&ix->db, err, "the average of its vectors has "
			     "%zu bytes, not %zu", s.n, bytes);
}

bool search_mean_sum(int64_t *sum, const float *v, size_t dim, int sign)
{
	bool any = false;

	for (size_t i = 0; i < dim; i++) {
		/* What the file has of the sum may be damaged: no overflow. */
		sum[i] = (int64_t)((uint64_t)sum[i] +
				   (uint64_t)(sign * (int64_t)(v[i] * STEP)));
		any |= v[i] != 0;
	}
	return any;
}

int search_mean_add(struct search_index *ix, const float *v, int sign,
		    struct ai_err *err)
{
	if (load(ix, err) < 0)
		return -1;
	search_mean_sum(ix->sum, v, (size_t)ix->info.dim, sign);
	return 0;
}

int search_mean_check(struct search_index *ix, const int64_t *sum,
		      struct ai_err *err)
{
	size_t bytes = (size_t)ix->info.dim * sizeof(*sum);

	if (bytes == 0)
		return 0;
	if (load(ix, err) < 0)
		return -1;
	return memcmp(sum, ix->sum, bytes) == 0 ? 0 :
		ai_db_damaged(&ix->db, err, "the average of its vectors is "
			      "wrong");
}

void search_mean_forget(struct search_index *ix)
{
	free(ix->sum);
	ix->sum = NULL;
}

int search_mean_clear(struct search_index *ix, struct ai_err *err)
{
	free(ix->sum);
	ix->sum = calloc((size_t)ix->info.dim + 1, sizeof(*ix->sum));
	return ix->sum == NULL ? ai_err_nomem(err) : 0;
}

int search_mean_cosine(struct search_index *ix, const float *query, double *out,
		       struct ai_err *err)
{
	size_t dim = (size_t)ix->info.dim;
	double sum = 0;

	*out = 0;
	if (ix->info.vectors < 2)
		return 0;
	if (load(ix, err) < 0)
		return -1;
	for (size_t i = 0; i < dim; i++)
		sum += query[i] * ((double)ix->sum[i] / STEP);
	*out = sum / (double)ix->info.vectors;
	return 0;
}

int search_mean_save(struct search_index *ix, struct ai_err *err)
{
	struct ai_span s = { (const char *)ix->sum,
			     (size_t)ix->info.dim * sizeof(*ix->sum) };

	if (ix->sum == NULL)
		return 0;
	if (SEARCH_BIND(ix, SQL_MEAN_PUT, err, "b", s) < 0)
		return -1;
	return ai_db_run(&ix->db, ix->st[SQL_MEAN_PUT], err);
}
