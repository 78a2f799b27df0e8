/* postings-explain.c: clauses that must hold, and what each gave a row. */
#include "postings-int.h"

#include <stdlib.h>

/* ---- clauses that must, or must not, hold ------------------------------------------ */

/* Sets or clears the bits of the rows of a clause in a file. */
static int mark_term(const struct search_words *w, const struct words_term *t,
		     unsigned char *bits, int64_t bits_n, bool set,
		     struct ai_err *err)
{
	struct words_list *l = NULL;
	size_t b, i, n = 0, blocks = 1;
	const uint32_t *slots = t->slots;
	int64_t row;
	int rc = 0;

	if (!t->there)
		return 0;
	if (!t->made) {
		l = malloc(sizeof(*l));
		rc = l == NULL ? ai_err_nomem(err)
			       : words_list_open(l, w, &t->entry, err);
		blocks = rc == 0 ? l->blocks : 0;
	}
	for (b = 0; rc == 0 && b < blocks; b++) {
		n = t->n;
		if (l != NULL) {
			rc = words_list_load(l, b, err);
			n = rc == 0 ? l->n : 0;
			slots = l->slots;
		}
		for (i = 0; rc == 0 && i < n; i++) {
			rc = words_lengths_check(w, slots[i], slots[i] + 1,
						 err);
			row = words_row(w, slots[i]);
			if (rc < 0 || row >= bits_n)
				continue;
			if (set)
				bits[row / 8] |= (unsigned char)(1 << row % 8);
			else
				bits[row / 8] &= (unsigned char)~(1 << row % 8);
		}
	}
	free(l);
	return rc;
}

static int restrict_to(const struct search_words_query *q,
		       const struct words_found *f, size_t clause,
		       unsigned char *bits, int64_t bits_n, struct ai_err *err)
{
	bool not = q->clauses[clause].not;
	size_t p, i, bytes = (size_t)(bits_n + 7) / 8;
	unsigned char *to = not ? bits : calloc(bytes + 1, 1);
	int rc = 0;

	if (to == NULL)
		return ai_err_nomem(err);
	for (p = 0; rc == 0 && p < q->parts_n; p++)
		rc = mark_term(q->parts[p].words,
			       &f->terms[p * q->clauses_n + clause], to,
			       bits_n, !not, err);
	if (!not) {
		for (i = 0; rc == 0 && i < bytes; i++)
			bits[i] &= to[i];
		free(to);
	}
	return rc;
}

int search_words_restrict(const struct search_words_query *q,
			  unsigned char *bits, int64_t bits_n, bool *any,
			  struct ai_err *err)
{
	bool *only = calloc(q->clauses_n + 1, sizeof(*only));
	struct words_found f;
	size_t i;
	int rc;

	*any = false;
	if (only == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < q->clauses_n; i++) {
		only[i] = q->clauses[i].not || q->clauses[i].must;
		*any = *any || only[i];
	}
	if (!*any) {
		free(only);
		return 0;
	}
	rc = words_found_init(&f, q, only, err);
	for (i = 0; rc == 0 && i < q->clauses_n; i++)
		if (only[i])
			rc = restrict_to(q, &f, i, bits, bits_n, err);
	words_found_release(&f, q);
	free(only);
	return rc;
}

/* ---- what a score is made of ---------------------------------------------------------- */

/* tf of a slot; 0: it is not there. */
static int tf_of(const struct search_words *w, const struct words_term *t,
		 uint32_t slot, uint32_t *tf, struct ai_err *err)
{
	const uint32_t *slots = t->slots, *all = t->tf;
	size_t i, n = t->n, b = 0;
	struct words_list *l;
	int rc = 0;

	*tf = 0;
	if (!t->there)
		return 0;
	l = malloc(sizeof(*l));
	if (l == NULL)
		return ai_err_nomem(err);
	if (!t->made) {
		rc = words_list_open(l, w, &t->entry, err);
		while (rc == 0 && l->blocks > 1 && b + 1 < l->blocks &&
		       words_skip_at(l, b).last < slot)
			b++;
		if (rc == 0)
			rc = words_list_load(l, b, err);
		n = rc == 0 ? l->n : 0;
		slots = l->slots;
		all = l->tf;
	}
	for (i = 0; i < n; i++)
		if (slots[i] == slot)
			*tf = all[i];
	free(l);
	return rc;
}

int search_words_explain(const struct search_words_query *q, int64_t n,
			 struct search_words_share *shares, int64_t *length,
			 double *average, struct ai_err *err)
{
	struct words_found f;
	struct words_norm norm;
	int64_t slot = -1;
	uint32_t tf = 0;
	size_t p, c;
	int rc = words_found_init(&f, q, NULL, err);

	for (p = 0; rc == 0 && p < q->parts_n; p++)
		if ((slot = words_slot(q->parts[p].words, n)) >= 0)
			break;
	if (rc == 0 && slot < 0)
		rc = ai_err_set(err, AI_E_BUG, "row %lld is in no file",
				(long long)n);
	if (rc == 0)
		rc = words_lengths_check(q->parts[p].words, (uint32_t)slot,
					 (uint32_t)slot + 1, err);
	if (rc < 0)
		goto out;
	*average = f.average;
	*length = words_length(q->parts[p].words, (uint32_t)slot);
	norm = words_norm(f.average);
	for (c = 0; c < q->clauses_n; c++) {
		rc = tf_of(q->parts[p].words, &f.terms[p * q->clauses_n + c],
			   (uint32_t)slot, &tf, err);
		if (rc < 0)
			goto out;
		shares[c].df = f.df[c];
		shares[c].idf = words_idf(f.rows, f.df[c]);
		shares[c].tf = tf;
		shares[c].score =
			q->clauses[c].not
				? 0
				: words_part(words_weight(shares[c].idf,
							  &q->clauses[c]),
					     tf, (double)*length, norm);
	}
out:
	words_found_release(&f, q);
	return rc;
}
