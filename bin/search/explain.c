/* explain.c: the parts of a score. */
#include "explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int search_put_highlights(const struct search_index *ix,
			  const struct search_result *r, struct ai_span text,
			  struct ai_buf *b, struct ai_err *err)
{
	struct search_mark *v = NULL;
	size_t n = 0, i;

	if (search_marks(ix->analyzer, r->asked->language.clauses,
			 r->asked->language.clauses_n, text, &v, &n, err) < 0)
		return -1;
	ai_put_key(b, "highlights");
	ai_put_open(b, '[');
	for (i = 0; i < n; i++) {
		ai_put_open(b, '[');
		ai_put_i64(b, (int64_t)v[i].from);
		ai_put_i64(b, (int64_t)v[i].to);
		ai_put_close(b, ']');
	}
	ai_put_close(b, ']');
	free(v);
	return 0;
}

/* ---- shares ------------------------------------------------------------------------- */

struct shares {
	struct search_words_share *v; /* one a clause, owned */
	int64_t length;
	double average;
};

static int shares_of(struct shares *s, const struct search_result *r,
		     int64_t n, struct ai_err *err)
{
	s->v = calloc(r->asked->words.clauses_n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return ai_err_nomem(err);
	return search_words_explain(&r->asked->words, n, s->v, &s->length,
				    &s->average, err);
}

/* ---- as a member -------------------------------------------------------------------- */

static void put_real(struct ai_buf *b, const char *key, double v)
{
	ai_put_key(b, key);
	ai_put_f64(b, round(v * 1e6) / 1e6);
}

static void put_int(struct ai_buf *b, const char *key, int64_t v)
{
	ai_put_key(b, key);
	ai_put_i64(b, v);
}

/* As it was typed, or one that joined: its terms. */
static void put_name(struct ai_buf *b, const struct search_asked *a,
		     size_t clause)
{
	const struct search_clause *c = &a->words.clauses[clause];

	if (clause < a->language.clauses_n) {
		search_language_clause(&a->language, clause, b);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		ai_buf_str(b, c->n == 1 ? "" : i == 0 ? "\"" : " ");
		ai_buf_add(b, c->terms[i].p, c->terms[i].n);
	}
	if (c->n > 1)
		ai_buf_chr(b, '"');
}

static void put_share(struct ai_buf *b, const struct search_asked *a,
		      size_t clause, const struct search_words_share *s)
{
	const struct search_clause *c = &a->words.clauses[clause];
	struct ai_buf name = AI_BUF_INIT(1 << 16);

	put_name(&name, a, clause);
	ai_put_open(b, '{');
	ai_put_key(b, "clause");
	ai_put_str(b, ai_buf_cstr(&name), name.len);
	put_int(b, "count", c->count);
	if (c->weight > 0)
		put_real(b, "weight", (double)c->weight / SEARCH_WEIGHT_ONE);
	put_int(b, "df", s->df);
	put_real(b, "idf", s->idf);
	put_real(b, "tf", s->tf);
	put_real(b, "score", s->score);
	ai_put_close(b, '}');
	ai_buf_release(&name);
}

static int put_sparse(struct search_index *ix, const struct search_result *r,
		      const struct search_fused *f, struct ai_buf *b,
		      struct ai_err *err)
{
	const struct search_words_query *q = &r->asked->words;
	struct shares s = { NULL };
	int rc = shares_of(&s, r, f->key.n, err);

	if (rc == 0) {
		ai_put_open(b, '{');
		put_real(b, "score", f->sparse->key.score);
		put_real(b, "covered", f->sparse->weight);
		put_int(b, "length", s.length);
		put_real(b, "average", s.average);
		put_int(b, "documents", ix->info.documents);
		ai_put_key(b, "clauses");
		ai_put_open(b, '[');
		for (size_t i = 0; i < q->clauses_n; i++)
			if (!q->clauses[i].not)
				put_share(b, r->asked, i, &s.v[i]);
		ai_put_close(b, ']');
		ai_put_close(b, '}');
	}
	free(s.v);
	return rc;
}

static const char *rule_of(const struct search_result *r)
{
	return r->mode == SEARCH_DENSE ? "dense" :
		r->mode == SEARCH_SPARSE ? "sparse" :
		r->rule == SEARCH_RRF ? "rrf" : "minmax";
}

int search_put_explain(struct search_index *ix, const struct search_result *r,
		       const struct search_fused *f, struct ai_buf *b,
		       struct ai_err *err)
{
	ai_put_key(b, "explain");
	ai_put_open(b, '{');
	ai_put_key(b, "sparse");
	if (f->sparse == NULL)
		ai_put_null(b);
	else if (put_sparse(ix, r, f, b, err) < 0)
		return -1;
	ai_put_key(b, "dense");
	if (f->dense == NULL) {
		ai_put_null(b);
	} else {
		ai_put_open(b, '{');
		put_real(b, "cosine", f->dense->key.score);
		put_real(b, "nearness", f->dense->weight);
		ai_put_close(b, '}');
	}
	ai_put_key(b, "fusion");
	ai_put_open(b, '{');
	ai_put_key(b, "rule");
	ai_put_cstr(b, rule_of(r));
	put_real(b, "sparse", f->from_sparse);
	put_real(b, "dense", f->from_dense);
	if (search.smooth)
		put_real(b, "smoothed", f->smoothed);
	put_real(b, "faded", f->faded);
	put_real(b, "score", f->key.score);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	return 0;
}

/* ---- for people ----------------------------------------------------------------------- */

static int write_sparse(struct search_index *ix, const struct search_result *r,
			const struct search_fused *f, struct ai_buf *b,
			struct ai_err *err)
{
	size_t clauses_n = r->asked->words.clauses_n;
	struct shares s = { NULL };
	size_t n = 0;
	int rc = shares_of(&s, r, f->key.n, err);

	if (rc == 0)
		ai_buf_fmt(b, "   sparse %.4f =", f->sparse->key.score);
	for (size_t i = 0; i < clauses_n && rc == 0; i++) {
		if (s.v[i].tf == 0)
			continue;
		ai_buf_str(b, n++ > 0 ? " + " : " ");
		put_name(b, r->asked, i);
		ai_buf_fmt(b, " %.4f (%g here, in %lld of %lld, idf %.3f)",
			   s.v[i].score, s.v[i].tf, (long long)s.v[i].df,
			   (long long)ix->info.documents, s.v[i].idf);
	}
	if (rc == 0)
		ai_buf_fmt(b, "; %lld words, %.1f on average\n",
			   (long long)s.length, s.average);
	free(s.v);
	return rc;
}

int search_write_explain(struct search_index *ix, const struct search_result *r,
			 const struct search_fused *f, struct ai_buf *b,
			 struct ai_err *err)
{
	if (f->sparse != NULL && write_sparse(ix, r, f, b, err) < 0)
		return -1;
	if (f->dense != NULL)
		ai_buf_fmt(b, "   dense %.4f, the cosine\n",
			   f->dense->key.score);
	ai_buf_fmt(b, "   %s %.4f = %.4f sparse + %.4f dense", rule_of(r),
		   f->key.score, f->from_sparse, f->from_dense);
	if (search.smooth)
		ai_buf_fmt(b, " %+.4f of its neighbours", f->smoothed);
	if (f->faded < 1)
		ai_buf_fmt(b, ", times %.4f for its age", f->faded);
	ai_buf_chr(b, '\n');
	return 0;
}
