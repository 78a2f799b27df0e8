/* dense.c: the vectors nearest to that of a query. */
#include "search.h"

#include "text/vector.h"

#include <stdlib.h>

/* Nothing in common is no hit, unless one asks for less than that. */
static bool is_hit(double cosine)
{
	return search.min_dense < 0 ? cosine >= search.min_dense
				    : cosine > 0 && cosine >= search.min_dense;
}

/*
 * How far a cosine is on the way from that of an average document (0) to
 * that of an equal one (1).  Bare cosines mean different things from model
 * to model: with some, no two texts are below .7.
 */
static double weight_of(double cosine, double mean)
{
	double w = mean < 1 ? (cosine - mean) / (1 - mean) : 1;

	return w < 0 ? 0 : w > 1 ? 1 : w;
}

static int near(struct search_index *ix, const float *query,
		const struct search_filter *f,
		const struct search_codes *const *codes, size_t k,
		struct search_nears *out, struct ai_err *err)
{
	struct search_filter scope;
	const struct search_nearest q = {
		.query = query, .dim = (size_t)ix->info.dim,
		.rows = &ix->files.rows, .end = ix->info.next,
		.codes = codes, .codes_n = ix->files.codes.n,
		.filter = search_scope(ix, f, &scope), .k = k,
		.exact = search.exact, .rescore = k * SEARCH_CODES_RESCORE,
	};

	return search_nearest(&q, out, err);
}

int search_dense(struct search_index *ix, const float *query,
		 const struct search_filter *f, struct search_top *top,
		 struct ai_err *err)
{
	const struct search_segments *all = &ix->files.codes;
	const struct search_codes **codes;
	struct search_nears found = { .v = NULL };
	double mean = 0;
	int rc;

	if (ix->info.dim == 0 || ai_vector_is_zero(query, (size_t)ix->info.dim))
		return 0;
	codes = calloc(all->n + 1, sizeof(*codes));
	if (codes == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < all->n; i++)
		codes[i] = &all->v[i]->codes;
	rc = search_mean_cosine(ix, query, &mean, err);
	if (rc == 0)
		rc = near(ix, query, f, codes, top->cap, &found, err);
	for (size_t i = 0; rc == 0 && i < found.n; i++)
		if (is_hit(found.v[i].score))
			search_top_push(top, (struct search_hit){
				.key = { found.v[i].score, found.v[i].n },
				.weight = weight_of(found.v[i].score, mean),
			});
	ix->recall = found.recall;
	search_nears_release(&found);
	free(codes);
	if (rc == 0)
		search_top_finish(top);
	return rc;
}
