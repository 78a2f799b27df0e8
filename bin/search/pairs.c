/*
 * pairs.c: --phrase-bonus, what words of a query that stand side by side add
 * where they do so in a text, too: the BM25 of that pair as a phrase, times
 * the bonus.
 */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void search_more_release(struct search_more *m)
{
	ai_terms_release(&m->terms);
	free(m->clauses);
	free(m->spans);
	free(m->positions);
	memset(m, 0, sizeof(*m));
}

/* Room for the clauses that there are and as many more, of so many terms
 * each. */
int search_more_init(struct search_more *m, const struct search_words_query *q,
		     size_t more, size_t each, struct ai_err *err)
{
	m->clauses = calloc(q->clauses_n + more + 1, sizeof(*m->clauses));
	m->spans = calloc(more * each + 1, sizeof(*m->spans));
	m->positions = calloc(more * each + 1, sizeof(*m->positions));
	if (m->clauses == NULL || m->spans == NULL || m->positions == NULL)
		return ai_err_nomem(err);
	if (q->clauses_n > 0)
		memcpy(m->clauses, q->clauses,
		       q->clauses_n * sizeof(*m->clauses));
	m->n = q->clauses_n;
	return 0;
}

static bool is_pair(const struct ai_terms *t, size_t i)
{
	const struct ai_term *a = &t->v[i], *b = &t->v[i + 1];

	return b->position == a->position + 1 && !a->stop && !b->stop &&
	       !a->prefix && !b->prefix;
}

int search_pairs(struct search_asked *a, const struct ai_analyzer *analyzer,
		 double bonus, struct ai_err *err)
{
	struct search_more *m = &a->pairs;
	struct ai_span text = { ai_buf_cstr(&a->text), a->text.len };
	uint32_t weight = (uint32_t)lrint(bonus * SEARCH_WEIGHT_ONE);
	size_t i, most, pairs = 0;

	if (weight == 0 || a->words.clauses_n == 0)
		return 0;
	if (ai_analyze(analyzer, text, true, &m->terms, err) < 0)
		return -1;
	most = m->terms.n < SEARCH_CLAUSES_MAX ? m->terms.n
					       : SEARCH_CLAUSES_MAX;
	if (search_more_init(m, &a->words, most, 2, err) < 0)
		return -1;
	for (i = 0; i + 1 < m->terms.n && pairs < most; i++) {
		size_t at = 2 * pairs;

		if (!is_pair(&m->terms, i))
			continue;
		m->spans[at] = ai_term_span(&m->terms, i);
		m->spans[at + 1] = ai_term_span(&m->terms, i + 1);
		m->positions[at + 1] = 1;
		m->clauses[m->n++] = (struct search_clause){
			.kind = SEARCH_CLAUSE_PHRASE, .extra = true,
			.count = 1, .weight = weight, .n = 2,
			.terms = m->spans + at,
			.positions = m->positions + at,
		};
		pairs++;
	}
	a->words.clauses = m->clauses;
	a->words.clauses_n = m->n;
	return 0;
}
