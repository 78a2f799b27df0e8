/* marks.c: where the words of a query stand in a text. */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

/* ---- marks -------------------------------------------------------------------------- */

struct marking {
	const struct ai_terms *text;
	struct search_mark *v;
	size_t n, cap;
};

static int add_mark(struct marking *m, size_t from, size_t to,
		    struct ai_err *err)
{
	size_t cap = m->cap == 0 ? 16 : 2 * m->cap;
	struct search_mark *v;

	if (m->n == m->cap) {
		v = reallocarray(m->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		m->v = v;
		m->cap = cap;
	}
	m->v[m->n++] = (struct search_mark){ from, to };
	return 0;
}

/* Whether a clause that is a word or a prefix is this term. */
static bool is_it(const struct search_clause *c, struct ai_span term)
{
	size_t i;

	if (c->n > 0 && c->kind == SEARCH_CLAUSE_PREFIX && term.n >= c->terms[0].n &&
	    memcmp(term.p, c->terms[0].p, c->terms[0].n) == 0)
		return true;
	for (i = 0; i < c->n; i++)
		if (ai_span_eq(term, c->terms[i]))
			return true;
	return false;
}

/* The last term of a phrase that begins with term i; 0: none does. */
static size_t phrase_end(const struct marking *m, const struct search_clause *c,
			 size_t i)
{
	const struct ai_terms *t = m->text;
	uint32_t want;
	size_t k, at = i;

	for (k = 0; k < c->n; k++) {
		want = t->v[i].position + c->positions[k] - c->positions[0];
		while (at < t->n && (t->v[at].position < want ||
				     (t->v[at].position == want &&
				      !ai_span_eq(ai_term_span(t, at),
						  c->terms[k]))))
			at++;
		if (at == t->n || t->v[at].position != want)
			return 0;
	}
	return at + 1;
}

static int mark_clause(struct marking *m, const struct search_clause *c,
		       struct ai_err *err)
{
	const struct ai_terms *t = m->text;
	size_t i, end;

	if (c->not || c->n == 0)
		return 0;
	for (i = 0; i < t->n; i++) {
		if (c->kind != SEARCH_CLAUSE_PHRASE)
			end = is_it(c, ai_term_span(t, i)) ? i + 1 : 0;
		else
			end = ai_span_eq(ai_term_span(t, i), c->terms[0])
				? phrase_end(m, c, i) : 0;
		if (end > 0 && add_mark(m, t->v[i].from, t->v[end - 1].to,
					err) < 0)
			return -1;
	}
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct search_mark *a = x, *b = y;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

/* Those that overlap as one. */
static void merge(struct marking *m)
{
	size_t i, to = 0;

	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), compare);
	for (i = 0; i < m->n; i++) {
		if (to > 0 && m->v[i].from < m->v[to - 1].to) {
			if (m->v[i].to > m->v[to - 1].to)
				m->v[to - 1].to = m->v[i].to;
		} else {
			m->v[to++] = m->v[i];
		}
	}
	m->n = to;
}

int search_marks(const struct ai_analyzer *a, const struct search_clause *c,
		 size_t n, struct ai_span text, struct search_mark **v,
		 size_t *count, struct ai_err *err)
{
	struct ai_terms terms = { NULL };
	struct marking m = { .text = &terms };
	size_t i;
	int rc = ai_analyze(a, text, false, &terms, err);

	for (i = 0; i < n && rc == 0; i++)
		rc = mark_clause(&m, &c[i], err);
	ai_terms_release(&terms);
	if (rc < 0) {
		free(m.v);
		m = (struct marking){ .n = 0 };
	}
	merge(&m);
	*v = m.v;
	*count = m.n;
	return rc;
}
