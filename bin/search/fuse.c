#include "search.h"

#include <stdlib.h>
#include <string.h>

static int compare_rows(const void *a, const void *b)
{
	const struct search_fused *x = a, *y = b;

	return (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

/* Both legs side by side, each document once. */
static int join(const struct search_top *dense,
		const struct search_top *sparse, struct search_list *out,
		struct ai_err *err)
{
	size_t i, n = 0;

	out->n = dense->n + sparse->n;
	out->v = calloc(out->n > 0 ? out->n : 1, sizeof(*out->v));
	if (out->v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < dense->n; i++) {
		out->v[n].key.n = dense->v[i].key.n;
		out->v[n++].dense = &dense->v[i];
	}
	for (i = 0; i < sparse->n; i++) {
		out->v[n].key.n = sparse->v[i].key.n;
		out->v[n++].sparse = &sparse->v[i];
	}
	if (dense->n == 0 || sparse->n == 0)
		return 0; /* in order, and each once */
	qsort(out->v, n, sizeof(*out->v), compare_rows);
	for (i = out->n = 0; i < n; i++) {
		struct search_fused *last = &out->v[out->n - 1];

		if (out->n == 0 || last->key.n != out->v[i].key.n) {
			out->v[out->n++] = out->v[i];
			continue;
		}
		if (out->v[i].dense != NULL)
			last->dense = out->v[i].dense;
		else
			last->sparse = out->v[i].sparse;
	}
	return 0;
}

/* Cormack, Clarke, Buettcher, SIGIR 2009, with 60. */
static double rrf(const struct search_hit *h)
{
	return h == NULL ? 0 : 1.0 / (search.rrf_k + h->rank);
}

/*
 * Min-max with each scale's own bounds: BM25 from 0 to the best of the
 * query, cosines from 0 to 1.  The worst of a list as its zero, which is
 * more usual, moves with the list's length (Bruch, Gai, Ingber, TOIS 2023);
 * a cosine measured against 1 lets a weak vector weigh little.  That of the
 * index's own model is measured against the best one, as BM25 is.
 */
static double of_sparse(const struct search_hit *h,
			const struct search_top *sparse)
{
	return h == NULL ? 0 : h->key.score / sparse->v[0].key.score;
}

static double of_dense(const struct search_hit *h, double best)
{
	return h == NULL || h->key.score <= 0 ? 0 : h->key.score / best;
}

int search_fuse(const struct search_top *dense, const struct search_top *sparse,
		enum search_mode mode, enum search_rule rule,
		const struct search_info *info, struct search_list *out,
		struct ai_err *err)
{
	double ws = info->sparse_weight, wd = info->dense_weight;
	double best = search_is_own(info) && dense->n > 0
		? dense->v[0].key.score : 1;
	size_t i;

	if (join(dense, sparse, out, err) < 0)
		return -1;
	for (i = 0; i < out->n; i++) {
		struct search_fused *f = &out->v[i];

		f->faded = 1;
		f->confidence = search_confidence(mode,
			f->sparse == NULL ? 0 : f->sparse->weight,
			f->dense == NULL ? 0 : f->dense->weight);
		if (mode == SEARCH_DENSE) {
			f->from_dense = f->dense->key.score;
		} else if (mode == SEARCH_SPARSE) {
			f->from_sparse = f->sparse->key.score;
		} else if (rule == SEARCH_RRF) {
			f->from_sparse = ws * rrf(f->sparse);
			f->from_dense = wd * rrf(f->dense);
		} else {
			f->from_sparse = ws * of_sparse(f->sparse, sparse);
			f->from_dense = wd * of_dense(f->dense, best);
		}
		f->key.score = f->from_sparse + f->from_dense;
	}
	return 0;
}

void search_list_release(struct search_list *l)
{
	free(l->v);
	*l = (struct search_list){ NULL, 0 };
}
