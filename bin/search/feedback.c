/*
 * feedback.c: words of the best hits join the query.
 *
 * What the best 5 have much more often than other documents is likely about
 * what was asked.  Terms are weighed by how much their frequency there differs
 * from that of chance, by the Bose-Einstein statistics of Amati ("Bo1": thesis,
 * Glasgow 2003): with tf occurrences in the hits and a share f of documents
 * that have the term,
 *
 *	w = tf * log2((1 + f) / f) + log2(1 + f)
 *
 * f is Amati's with documents in place of occurrences, which the index need
 * not count.  The query weighs .7, and the 20 best terms .3.
 */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TERMS 20
#define LOOKED_UP 1000    /* terms whose documents are counted */
#define COMMON .1         /* a term in a larger share of documents tells
			   * little */
#define SHARE .3          /* of the new terms */

struct candidate {
	struct ai_span s;
	double tf, w;
};

/* ---- the terms of the best ------------------------------------------------------ */

/* The terms of a document; counts gets how often each counts. */
static int add_document(struct search_index *ix, int64_t n, struct ai_terms *t,
			struct ai_buf *counts, struct ai_err *err)
{
	struct search_fields f;
	sqlite3_stmt *st;
	size_t i, from;
	int rc;

	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc <= 0) {
		sqlite3_reset(st);
		return rc;
	}
	rc = search_fields_of(&f, ix->info.boost, ai_db_span(st, COL_TEXT),
			      ai_db_span(st, COL_SOURCE),
			      ai_db_span(st, COL_META), err);
	for (i = 0; rc == 0 && i < f.n; i++) {
		from = t->n;
		rc = ai_analyze(ix->analyzer, f.v[i].text, false, t, err);
		for (; from < t->n; from++)
			ai_buf_chr(counts, (char)f.v[i].weight);
	}
	search_fields_release(&f);
	sqlite3_reset(st);
	return rc < 0 ? -1 : ai_buf_check(counts, "the best hits", err);
}

static int by_bytes(const void *a, const void *b)
{
	const struct ai_span *x = &((const struct candidate *)a)->s;
	const struct ai_span *y = &((const struct candidate *)b)->s;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static int by_weight(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->w != y->w)
		return x->w < y->w ? 1 : -1;
	return by_bytes(a, b);
}

/* Numbers, of which texts have many by chance, are no hint. */
static bool may_join(const struct ai_terms *t, size_t i)
{
	struct ai_span s = ai_term_span(t, i);

	for (size_t k = 0; k < s.n && !t->v[i].stop; k++)
		if (s.p[k] < '0' || s.p[k] > '9')
			return true;
	return false;
}

/* Each term once, those that occur most first; how many. */
static size_t gather(const struct ai_terms *t, const struct ai_buf *counts,
		     struct candidate *v)
{
	size_t i, n = 0, kept = 0;

	for (i = 0; i < t->n; i++)
		if (may_join(t, i))
			v[n++] = (struct candidate){ ai_term_span(t, i),
				(unsigned char)counts->p[i], 0 };
	qsort(v, n, sizeof(*v), by_bytes);
	for (i = 0; i < n; i++) {
		if (kept > 0 && by_bytes(&v[kept - 1], &v[i]) == 0)
			v[kept - 1].tf += v[i].tf;
		else
			v[kept++] = v[i];
	}
	for (i = 0; i < kept; i++)
		v[i].w = v[i].tf;
	qsort(v, kept, sizeof(*v), by_weight);
	return kept < LOOKED_UP ? kept : LOOKED_UP;
}

/* ---- their weights --------------------------------------------------------------- */

/* Rounded, so that no machine's logarithm makes another order. */
static double bo1(double tf, double f)
{
	return ldexp(nearbyint(ldexp(tf * log2((1 + f) / f) + log2(1 + f),
				     20)), -20);
}

/* Counts the documents of each; n: any row. */
static int weigh(const struct search_asked *a, int64_t n, double documents,
		 struct candidate *v, size_t count, struct ai_err *err)
{
	struct search_words_query q = a->words;
	struct search_clause *c = calloc(count + 1, sizeof(*c));
	struct search_words_share *s = calloc(count + 1, sizeof(*s));
	int64_t length;
	double average;
	int rc = c == NULL || s == NULL ? ai_err_nomem(err) : 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		c[i] = (struct search_clause){
			.kind = SEARCH_CLAUSE_WORD, .count = 1, .n = 1,
			.terms = &v[i].s,
		};
	q.clauses = c;
	q.clauses_n = count;
	if (rc == 0)
		rc = search_words_explain(&q, n, s, &length, &average, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		double f = (double)s[i].df / documents;

		v[i].w = f > 0 && f <= COMMON ? bo1(v[i].tf, f) : 0;
	}
	free(c);
	free(s);
	return rc;
}

/* ---- the query of both ------------------------------------------------------------ */

static double count_of(const struct search_clause *c)
{
	if (c->weight > 0)
		return (double)c->weight / SEARCH_WEIGHT_ONE;
	return c->count < SEARCH_COUNT_MAX ? c->count : SEARCH_COUNT_MAX;
}

static uint32_t steps_of(double weight)
{
	double x = nearbyint(weight * SEARCH_WEIGHT_ONE);

	return x < 1 ? 1 : (uint32_t)x;
}

/* The clause that asks for just this word, or NULL. */
static struct search_clause *clause_of(const struct search_more *m,
				       struct ai_span s)
{
	for (size_t i = 0; i < m->n; i++) {
		struct search_clause *c = &m->clauses[i];

		if (c->kind == SEARCH_CLAUSE_WORD && !c->not &&
		    c->terms[0].n == s.n &&
		    memcmp(c->terms[0].p, s.p, s.n) == 0)
			return c;
	}
	return NULL;
}

/* As long as the query was, so that scores stay of its size. */
static int join(struct search_asked *a, const struct candidate *v, size_t n,
		struct ai_err *err)
{
	struct search_more *m = &a->feedback;
	double length = 0, all = 0;
	size_t i;

	if (search_more_init(m, &a->words, n, 1, err) < 0)
		return -1;
	for (i = 0; i < m->n; i++) {
		struct search_clause *c = &m->clauses[i];

		if (!c->not && !c->extra)
			length += count_of(c);
		c->weight = steps_of((1 - SHARE) * count_of(c));
	}
	for (i = 0; i < n; i++)
		all += v[i].w;
	for (i = 0; i < n; i++) {
		double weight = SHARE * length * v[i].w / all;
		struct search_clause *c = clause_of(m, v[i].s);

		if (c != NULL) {
			c->weight += steps_of(weight);
			continue;
		}
		m->spans[i] = v[i].s;
		m->clauses[m->n++] = (struct search_clause){
			.kind = SEARCH_CLAUSE_WORD, .extra = true, .count = 1,
			.weight = steps_of(weight), .n = 1,
			.terms = &m->spans[i], .positions = &m->positions[i],
		};
	}
	a->words.clauses = m->clauses;
	a->words.clauses_n = m->n;
	return 0;
}

static int choose(struct search_asked *a, struct search_index *ix, int64_t row,
		  const struct ai_buf *counts, struct ai_err *err)
{
	const struct ai_terms *t = &a->feedback.terms;
	struct candidate *v = calloc(t->n + 1, sizeof(*v));
	size_t n, i;
	int rc;

	if (v == NULL)
		return ai_err_nomem(err);
	n = gather(t, counts, v);
	rc = weigh(a, row, (double)ix->info.documents, v, n, err);
	if (rc == 0) {
		qsort(v, n, sizeof(*v), by_weight);
		for (i = 0; i < n && i < TERMS && v[i].w > 0;)
			i++;
		rc = i == 0 ? 0 : join(a, v, i, err);
	}
	free(v);
	return rc;
}

int search_feedback(struct search_asked *a, struct search_index *ix,
		    const struct search_list *l, struct ai_err *err)
{
	struct ai_buf counts = AI_BUF_INIT(SEARCH_TEXT_MAX);
	size_t i, n = l->n < SEARCH_FEEDBACK ? l->n : SEARCH_FEEDBACK;
	int rc = 0;

	if (n == 0 || a->words.clauses_n == 0)
		return 0;
	for (i = 0; i < n && rc == 0; i++)
		rc = add_document(ix, l->v[i].key.n, &a->feedback.terms,
				  &counts, err);
	if (rc == 0)
		rc = choose(a, ix, l->v[0].key.n, &counts, err);
	ai_buf_release(&counts);
	return rc;
}
