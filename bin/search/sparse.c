/*
 * sparse.c: BM25 over FTS5's postings.
 *
 * fts5vocab gives a term's occurrences in the order of documents.  They are
 * added up in windows of as many documents as one block of lengths covers,
 * all terms of a window before the next: memory does not grow with the
 * index, and only the query's own postings are read.
 */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define K1 1.2
#define B 0.75
#define WINDOW 1024 /* as search_lengths() has it */

/* Lucene's form (BM25Similarity): never negative. */
double search_idf(int64_t documents, int64_t with_term)
{
	double n = (double)documents, df = (double)with_term;

	if (df > n)
		df = n;
	return log(1 + (n - df + 0.5) / (df + 0.5));
}

double search_bm25(double tf, double length, double average)
{
	return tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / average));
}

struct cursor {
	sqlite3_stmt *st;
	int64_t doc; /* of the occurrence at hand; -1 behind the last */
	double idf, weight; /* weight: idf times its count in the query */
};

struct sparse {
	struct search_index *ix;
	struct cursor *cursors;
	size_t n;
	double average, all_idf;
	const struct search_filter *filter;
	struct search_top *top;
	uint32_t lengths[WINDOW];
	double score[WINDOW], covered[WINDOW];
};

static int next(struct sparse *s, struct cursor *c, struct ai_err *err)
{
	int rc = ai_db_step(&s->ix->db, c->st, err);

	if (rc > 0 && sqlite3_column_int64(c->st, 0) < (c->doc < 0 ? 0 : c->doc))
		return ai_db_damaged(&s->ix->db, err,
				     "the postings are out of order");
	c->doc = rc > 0 ? sqlite3_column_int64(c->st, 0) : -1;
	return rc < 0 ? -1 : 0;
}

/* In how many documents a term occurs. */
static int frequency(struct search_index *ix, struct ai_span term, int64_t *df,
		     struct ai_err *err)
{
	*df = 0;
	if (SEARCH_BIND(ix, SQL_TERM_COUNT, err, "t", term) < 0 ||
	    ai_db_step(&ix->db, ix->st[SQL_TERM_COUNT], err) < 0)
		return -1;
	*df = sqlite3_column_int64(ix->st[SQL_TERM_COUNT], 0);
	sqlite3_reset(ix->st[SQL_TERM_COUNT]);
	return 0;
}

static int open_cursor(struct sparse *s, const struct search_term *t,
		       struct ai_err *err)
{
	struct cursor *c = &s->cursors[s->n];
	struct ai_span term = { t->text, t->n };
	int64_t df;

	if (frequency(s->ix, term, &df, err) < 0)
		return -1;
	c->idf = search_idf(s->ix->info.documents, df);
	c->weight = c->idf * t->count;
	s->all_idf += c->idf;
	if (df == 0)
		return 0;
	s->n++;
	c->doc = -1;
	if (ai_db_bind(&s->ix->db, &c->st, "SELECT doc FROM occurrences "
		       "WHERE term=?", err, "t", term) < 0)
		return -1;
	return next(s, c, err);
}

static int load_lengths(struct sparse *s, int64_t block, struct ai_err *err)
{
	struct search_index *ix = s->ix;
	struct ai_span data;
	int rc;

	memset(s->lengths, 0, sizeof(s->lengths));
	if (SEARCH_BIND(ix, SQL_LENGTHS, err, "i", block) < 0)
		return -1;
	rc = ai_db_step(&ix->db, ix->st[SQL_LENGTHS], err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		data = ai_db_span(ix->st[SQL_LENGTHS], 1);
	if (rc == 0 || data.n != sizeof(s->lengths))
		return ai_db_damaged(&ix->db, err, "the lengths from document "
				     "%lld on are not there",
				     (long long)block * WINDOW);
	memcpy(s->lengths, data.p, data.n);
	sqlite3_reset(ix->st[SQL_LENGTHS]);
	return 0;
}

/* One term's occurrences within the window. */
static int add_term(struct sparse *s, struct cursor *c, int64_t block,
		    struct ai_err *err)
{
	int64_t doc, tf;
	size_t i;

	while (c->doc >= 0 && c->doc / WINDOW == block) {
		doc = c->doc;
		for (tf = 0; c->doc == doc; tf++)
			if (next(s, c, err) < 0)
				return -1;
		i = (size_t)(doc % WINDOW);
		s->score[i] += c->weight * search_bm25((double)tf,
						       s->lengths[i],
						       s->average);
		s->covered[i] += c->idf;
	}
	return 0;
}

static void take_window(struct sparse *s, int64_t block)
{
	struct search_hit h = { .rank = 0 };
	size_t i;

	for (i = 0; i < WINDOW; i++) {
		if (s->score[i] <= 0 || s->score[i] < search.min_sparse)
			continue;
		h.key.n = block * WINDOW + (int64_t)i;
		h.key.score = s->score[i];
		h.weight = s->covered[i] / s->all_idf;
		if (search_filter_has(s->filter, h.key.n))
			search_top_push(s->top, h);
	}
}

static int add_windows(struct sparse *s, struct ai_err *err)
{
	int64_t block;
	size_t i;

	for (;;) {
		block = -1;
		for (i = 0; i < s->n; i++)
			if (s->cursors[i].doc >= 0 &&
			    (block < 0 || s->cursors[i].doc / WINDOW < block))
				block = s->cursors[i].doc / WINDOW;
		if (block < 0)
			return 0;
		if (load_lengths(s, block, err) < 0)
			return -1;
		memset(s->score, 0, sizeof(s->score));
		memset(s->covered, 0, sizeof(s->covered));
		for (i = 0; i < s->n; i++)
			if (add_term(s, &s->cursors[i], block, err) < 0)
				return -1;
		take_window(s, block);
	}
}

static int run(struct sparse *s, const struct search_terms *terms,
	       struct ai_err *err)
{
	size_t i;

	for (i = 0; i < terms->n; i++)
		if (open_cursor(s, &terms->v[i], err) < 0)
			return -1;
	if (add_windows(s, err) < 0)
		return -1;
	return search_top_finish(s->top, s->ix, err);
}

int search_sparse(struct search_index *ix, struct ai_span query,
		  const struct search_filter *f, struct search_top *top,
		  struct ai_err *err)
{
	struct search_terms terms;
	struct sparse *s = calloc(1, sizeof(*s));
	int rc = -1;
	size_t i;

	if (s == NULL)
		return ai_err_nomem(err);
	s->ix = ix;
	s->filter = f;
	s->top = top;
	if (search_terms_of(ix, query, &terms, err) < 0)
		goto out;
	rc = 0;
	if (terms.n == 0 || ix->info.documents == 0 || ix->info.tokens == 0)
		goto out;
	s->average = (double)ix->info.tokens / (double)ix->info.documents;
	s->cursors = calloc(terms.n, sizeof(*s->cursors));
	rc = s->cursors == NULL ? ai_err_nomem(err) : run(s, &terms, err);
	for (i = 0; s->cursors != NULL && i < s->n; i++)
		ai_db_finish(&s->cursors[i].st);
out:
	search_terms_release(&terms);
	free(s->cursors);
	free(s);
	return rc;
}
