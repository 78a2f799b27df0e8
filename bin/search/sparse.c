/*
 * sparse.c: BM25 over FTS5's postings.
 *
 * fts5vocab gives a term's occurrences in the order of documents.  They are
 * read once, a pair a document; then they are added up in windows of as many
 * documents as one block of lengths covers, all terms of a window before the
 * next.  Memory grows with the query's own postings, not with the index.
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

struct posting {
	int64_t doc, tf;
};

/* One term of the query: the documents it is in, in their order. */
struct postings {
	struct posting *v; /* owned */
	size_t n, cap, at; /* at: the first one not yet added up */
	double idf, weight; /* weight: idf times its count in the query */
};

struct sparse {
	struct search_index *ix;
	struct postings *terms;
	size_t n;
	double average, all_idf;
	const struct search_filter *filter;
	struct search_top *top;
	uint32_t lengths[WINDOW];
	double score[WINDOW], covered[WINDOW];
};

static int add_occurrence(struct search_index *ix, struct postings *p,
			  int64_t doc, struct ai_err *err)
{
	int64_t last = p->n == 0 ? 0 : p->v[p->n - 1].doc;
	size_t cap = p->cap == 0 ? 256 : p->cap * 2;
	struct posting *v;

	if (doc < last)
		return ai_db_damaged(&ix->db, err,
				     "the postings are out of order");
	if (p->n > 0 && doc == last) {
		p->v[p->n - 1].tf++;
		return 0;
	}
	if (p->n == p->cap) {
		v = reallocarray(p->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = (struct posting){ doc, 1 };
	return 0;
}

static int read_postings(struct search_index *ix, struct ai_span term,
			 struct postings *p, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_OCCURRENCES, err, "t", term) < 0)
		return -1;
	st = ix->st[SQL_OCCURRENCES];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0)
		if (add_occurrence(ix, p, sqlite3_column_int64(st, 0),
				   err) < 0) {
			sqlite3_reset(st);
			return -1;
		}
	return rc;
}

static int read_term(struct sparse *s, struct postings *p,
		     const struct search_term *t, struct ai_err *err)
{
	struct ai_span term = { t->text, t->n };

	if (read_postings(s->ix, term, p, err) < 0)
		return -1;
	p->idf = search_idf(s->ix->info.documents, (int64_t)p->n);
	p->weight = p->idf * t->count;
	s->all_idf += p->idf;
	return 0;
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

/* One term's postings within the window. */
static void add_term(struct sparse *s, struct postings *p, int64_t block)
{
	for (; p->at < p->n && p->v[p->at].doc / WINDOW == block; p->at++) {
		size_t i = (size_t)(p->v[p->at].doc % WINDOW);

		s->score[i] += p->weight * search_bm25((double)p->v[p->at].tf,
						       s->lengths[i],
						       s->average);
		s->covered[i] += p->idf;
	}
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

/* The lowest block that has postings not yet added up, or -1. */
static int64_t next_block(const struct sparse *s)
{
	int64_t block = -1;
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct postings *p = &s->terms[i];

		if (p->at < p->n &&
		    (block < 0 || p->v[p->at].doc / WINDOW < block))
			block = p->v[p->at].doc / WINDOW;
	}
	return block;
}

static int add_windows(struct sparse *s, struct ai_err *err)
{
	int64_t block;
	size_t i;

	while ((block = next_block(s)) >= 0) {
		if (load_lengths(s, block, err) < 0)
			return -1;
		memset(s->score, 0, sizeof(s->score));
		memset(s->covered, 0, sizeof(s->covered));
		for (i = 0; i < s->n; i++)
			add_term(s, &s->terms[i], block);
		take_window(s, block);
	}
	return 0;
}

static int run(struct sparse *s, const struct search_terms *terms,
	       struct ai_err *err)
{
	for (s->n = 0; s->n < terms->n; s->n++)
		if (read_term(s, &s->terms[s->n], &terms->v[s->n], err) < 0)
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
	s->terms = calloc(terms.n, sizeof(*s->terms));
	rc = s->terms == NULL ? ai_err_nomem(err) : run(s, &terms, err);
	for (i = 0; s->terms != NULL && i < terms.n; i++)
		free(s->terms[i].v);
out:
	search_terms_release(&terms);
	free(s->terms);
	free(s);
	return rc;
}
