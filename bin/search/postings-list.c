/* postings-list.c: where the clauses of a query are, file by file. */
#include "postings-int.h"

#include <stdlib.h>

/* ---- lists that are made ------------------------------------------------------ */

struct pair {
	uint32_t slot, tf;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static int pairs_add(struct pairs *p, uint32_t slot, uint32_t tf,
		     struct ai_err *err)
{
	size_t cap = p->cap == 0 ? 256 : p->cap * 2;
	struct pair *v;

	if (p->n == p->cap) {
		v = reallocarray(p->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = (struct pair){ slot, tf };
	return 0;
}

static int by_slot(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return (x->slot > y->slot) - (x->slot < y->slot);
}

static uint32_t add_tf(uint32_t a, uint32_t b)
{
	return a > WORDS_TF_MAX - b ? WORDS_TF_MAX : a + b;
}

/* Sorted, those of one slot added up. */
static int pairs_to_term(struct pairs *p, struct words_term *t,
			 struct ai_err *err)
{
	size_t i;

	t->made = true;
	t->there = p->n > 0;
	t->slots = malloc((p->n + 1) * sizeof(*t->slots));
	t->tf = malloc((p->n + 1) * sizeof(*t->tf));
	if (t->slots == NULL || t->tf == NULL)
		return ai_err_nomem(err);
	if (p->n > 0)
		qsort(p->v, p->n, sizeof(*p->v), by_slot);
	for (i = 0; i < p->n; i++) {
		if (t->n > 0 && t->slots[t->n - 1] == p->v[i].slot) {
			t->tf[t->n - 1] = add_tf(t->tf[t->n - 1], p->v[i].tf);
			continue;
		}
		t->slots[t->n] = p->v[i].slot;
		t->tf[t->n++] = p->v[i].tf;
	}
	return 0;
}

/* ---- prefixes -------------------------------------------------------------------- */

static bool begins(const struct words_walk *walk, struct ai_span prefix)
{
	return walk->n >= prefix.n &&
	       memcmp(walk->term, prefix.p, prefix.n) == 0;
}

/* Sums for all slots of a file: for prefixes of many terms. */
struct sums {
	uint32_t *tf;
	size_t count;
};

static int add_list(struct sums *s, struct pairs *p, struct words_list *l,
		    struct ai_err *err)
{
	size_t b, i;

	for (b = 0; b < l->blocks; b++) {
		if (words_list_load(l, b, err) < 0)
			return -1;
		for (i = 0; i < l->n; i++) {
			uint32_t slot = l->slots[i];

			if (s->tf != NULL)
				s->tf[slot] = add_tf(s->tf[slot], l->tf[i]);
			else if (pairs_add(p, slot, l->tf[i], err) < 0)
				return -1;
		}
	}
	return 0;
}

/* From pairs to sums when there are many. */
static int pairs_to_sums(struct sums *s, struct pairs *p, struct ai_err *err)
{
	size_t i;

	s->tf = calloc(s->count + 1, sizeof(*s->tf));
	if (s->tf == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < p->n; i++)
		s->tf[p->v[i].slot] = add_tf(s->tf[p->v[i].slot], p->v[i].tf);
	p->n = 0;
	return 0;
}

static int sums_to_term(const struct sums *s, struct pairs *p,
			struct words_term *t, struct ai_err *err)
{
	size_t i;

	for (i = 0; s->tf != NULL && i < s->count; i++)
		if (s->tf[i] > 0 &&
		    pairs_add(p, (uint32_t)i, s->tf[i], err) < 0)
			return -1;
	return pairs_to_term(p, t, err);
}

/* What a clause for a prefix has found so far. */
struct prefix {
	const struct search_words *w;
	struct words_list *l;
	struct sums sums;
	struct pairs pairs;
	struct words_entry entry; /* of the last term */
	size_t terms;
};

static int prefix_add(struct prefix *x, const struct words_entry *e,
		      struct ai_err *err)
{
	x->entry = *e;
	x->terms++;
	if (words_list_open(x->l, x->w, e, err) < 0 ||
	    add_list(&x->sums, &x->pairs, x->l, err) < 0)
		return -1;
	if (x->sums.tf == NULL && x->pairs.n > x->sums.count / 16)
		return pairs_to_sums(&x->sums, &x->pairs, err);
	return 0;
}

static int prefix_terms(struct prefix *x, const struct search_clause *c,
			struct ai_err *err)
{
	struct words_walk walk;
	size_t i;
	bool end;
	int rc = words_seek(&walk, x->w, c->terms[0], &end, err);

	if (rc >= 0)
		rc = !end;
	for (; rc > 0 && begins(&walk, c->terms[0]);
	     rc = words_walk_next(&walk, err))
		if (prefix_add(x, &walk.entry, err) < 0)
			return -1;
	for (i = 1; rc >= 0 && i < c->n; i++) {
		rc = words_seek(&walk, x->w, c->terms[i], &end, err);
		if (rc > 0 && !begins(&walk, c->terms[0]) &&
		    prefix_add(x, &walk.entry, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static int find_prefix(const struct search_words *w,
		       const struct search_clause *c, struct words_term *t,
		       struct ai_err *err)
{
	struct prefix x = { .w = w, .l = malloc(sizeof(*x.l)),
			    .sums.count = (size_t)w->info.count };
	int rc;

	if (x.l == NULL)
		return ai_err_nomem(err);
	rc = prefix_terms(&x, c, err);
	if (rc == 0 && x.terms == 1) {
		t->there = true;
		t->entry = x.entry;
	} else if (rc == 0) {
		rc = sums_to_term(&x.sums, &x.pairs, t, err);
	}
	free(x.sums.tf);
	free(x.pairs.v);
	free(x.l);
	return rc;
}

/* ---- phrases ----------------------------------------------------------------------- */

/* A word of a phrase: where it is, walked in step with the others. */
struct step {
	struct words_list l;
	struct words_spots spots;
	size_t block, i;      /* the posting it stands at */
	uint32_t offset;      /* in the phrase */
	uint32_t *at;         /* positions of this row less offset; owned */
	size_t n, cap;
};

/* To the first posting at or behind slot: 1; 0: there is none. */
static int step_to(struct step *s, uint32_t slot, struct ai_err *err)
{
	if (s->block < s->l.blocks && s->l.blocks > 1)
		while (words_skip_at(&s->l, s->block).last < slot) {
			s->i = 0;
			if (++s->block == s->l.blocks)
				return 0;
		}
	if (s->block >= s->l.blocks)
		return 0;
	if (words_list_load(&s->l, s->block, err) < 0)
		return -1;
	while (s->i < s->l.n && s->l.slots[s->i] < slot)
		s->i++;
	if (s->i < s->l.n)
		return 1;
	s->i = 0;
	s->block++;
	return step_to(s, slot, err);
}

/* Its positions in the row it stands at. */
static int read_spots(struct step *s, struct ai_err *err)
{
	const unsigned char *p, *end;
	uint32_t count, i;
	uint64_t gap, at = 0;

	if (words_spots_seek(&s->spots, s->block, s->i, &p, &end, &count,
			     err) < 0)
		return -1;
	if (count > s->cap) {
		uint32_t *v = reallocarray(s->at, count, sizeof(*v));

		if (v == NULL)
			return ai_err_nomem(err);
		s->at = v;
		s->cap = count;
	}
	for (i = 0, s->n = 0; i < count; i++) {
		p = words_get(p, end, &gap);
		at += gap;
		if (p == NULL || gap > WORDS_TF_MAX || at > WORDS_TF_MAX)
			return words_damaged(s->l.w, "positions", err);
		if (at >= s->offset)
			s->at[s->n++] = (uint32_t)at - s->offset;
	}
	return 0;
}

/* How many places the steps have in common. */
static uint32_t count_common(const struct step *v, size_t n)
{
	size_t i, k, at[64] = { 0 };
	uint32_t count = 0;

	for (i = 0; i < v[0].n; i++) {
		for (k = 1; k < n; k++) {
			while (at[k] < v[k].n && v[k].at[at[k]] < v[0].at[i])
				at[k]++;
			if (at[k] == v[k].n)
				return count;
			if (v[k].at[at[k]] != v[0].at[i])
				break;
		}
		count += k == n;
	}
	return count;
}

/* One row that has all words. */
static int take_row(struct step *v, size_t n, struct pairs *out,
		    struct ai_err *err)
{
	uint32_t count;
	size_t k;

	for (k = 0; k < n; k++)
		if (read_spots(&v[k], err) < 0)
			return -1;
	count = count_common(v, n);
	return count == 0
		       ? 0
		       : pairs_add(out, v[0].l.slots[v[0].i], count, err);
}

static int walk_together(struct step *v, size_t n, struct pairs *out,
			 struct ai_err *err)
{
	uint32_t slot = 0;
	size_t k;
	int rc;

	for (;;) {
		for (k = 0; k < n; k++) {
			rc = step_to(&v[k], slot, err);
			if (rc <= 0)
				return rc;
			if (v[k].l.slots[v[k].i] > slot) {
				slot = v[k].l.slots[v[k].i];
				if (k > 0)
					break;
			}
		}
		if (k < n)
			continue;
		if (take_row(v, n, out, err) < 0)
			return -1;
		slot++;
	}
}

#define PHRASE_MAX 64 /* words; what is longer is cut */

static int open_step(struct step *s, const struct search_words *w,
		     struct ai_span term, uint32_t offset, struct ai_err *err)
{
	struct words_walk walk;
	bool end;
	int rc = words_seek(&walk, w, term, &end, err);

	if (rc <= 0)
		return rc;
	s->offset = offset;
	if (words_list_open(&s->l, w, &walk.entry, err) < 0 ||
	    words_spots_open(&s->spots, &s->l, err) < 0)
		return -1;
	return 1;
}

static int by_df(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->l.entry.df < y->l.entry.df   ? -1
	       : x->l.entry.df > y->l.entry.df ? 1
	       : x->offset < y->offset	       ? -1
					       : x->offset > y->offset;
}

static int find_phrase(const struct search_words *w,
		       const struct search_clause *c, struct words_term *t,
		       struct ai_err *err)
{
	size_t k, n = c->n < PHRASE_MAX ? c->n : PHRASE_MAX;
	struct pairs p = { NULL, 0, 0 };
	struct step *v = calloc(n, sizeof(*v));
	int rc = 1;

	if (v == NULL)
		return ai_err_nomem(err);
	for (k = 0; rc > 0 && k < n; k++)
		rc = open_step(&v[k], w, c->terms[k], c->positions[k], err);
	if (rc > 0) {
		qsort(v, n, sizeof(*v), by_df);
		for (k = 0; k < n; k++)
			v[k].spots.l = &v[k].l;
		rc = walk_together(v, n, &p, err);
	}
	if (rc == 0)
		rc = pairs_to_term(&p, t, err);
	for (k = 0; k < n; k++)
		free(v[k].at);
	free(v);
	free(p.v);
	return rc;
}

/* ---- all clauses, all files ------------------------------------------------------------ */

static int find_word(const struct search_words *w, struct ai_span term,
		     struct words_term *t, struct ai_err *err)
{
	struct words_walk walk;
	bool end;
	int rc = words_seek(&walk, w, term, &end, err);

	t->there = rc > 0;
	if (t->there)
		t->entry = walk.entry;
	return rc < 0 ? -1 : 0;
}

static int find_clause(const struct search_words *w,
		       const struct search_clause *c, struct words_term *t,
		       struct ai_err *err)
{
	if (c->n == 0)
		return 0;
	if (c->kind == SEARCH_CLAUSE_PREFIX)
		return find_prefix(w, c, t, err);
	if (c->kind == SEARCH_CLAUSE_PHRASE && c->n > 1)
		return find_phrase(w, c, t, err);
	return find_word(w, c->terms[0], t, err);
}

static int64_t live_rows(const struct words_term *t,
			 const struct search_dead *d)
{
	int64_t n = 0;
	size_t i;

	if (!t->there)
		return 0;
	if (!t->made)
		return (int64_t)t->entry.df -
		       (d == NULL ? 0 : words_dead_rows(d, t->entry.place));
	if (d == NULL || d->slots_n == 0)
		return (int64_t)t->n;
	for (i = 0; i < t->n; i++)
		n += !words_is_dead(d, t->slots[i]);
	return n;
}

int words_found_init(struct words_found *f, const struct search_words_query *q,
		     const bool *only, struct ai_err *err)
{
	int64_t tokens = 0;
	size_t p, c;

	*f = (struct words_found){
		calloc(q->parts_n * q->clauses_n + 1, sizeof(*f->terms)),
		calloc(q->clauses_n + 1, sizeof(*f->df)), 0, 0,
	};
	if (f->terms == NULL || f->df == NULL)
		return ai_err_nomem(err);
	for (p = 0; p < q->parts_n; p++) {
		const struct search_part *part = &q->parts[p];
		const struct search_dead *d = part->dead;

		f->rows += part->words->info.count - (d == NULL ? 0 : d->rows);
		tokens += part->words->info.tokens -
			  (d == NULL ? 0 : d->tokens);
		for (c = 0; c < q->clauses_n; c++) {
			struct words_term *t = &f->terms[p * q->clauses_n + c];

			if (only != NULL && !only[c])
				continue;
			if (find_clause(part->words, &q->clauses[c], t, err) <
			    0)
				return -1;
			f->df[c] += live_rows(t, d);
		}
	}
	f->average = f->rows > 0 ? (double)tokens / (double)f->rows : 0;
	return 0;
}

void words_found_release(struct words_found *f,
			 const struct search_words_query *q)
{
	size_t i;

	for (i = 0; f->terms != NULL && i < q->parts_n * q->clauses_n; i++) {
		free(f->terms[i].slots);
		free(f->terms[i].tf);
	}
	free(f->terms);
	free(f->df);
	*f = (struct words_found){ NULL, NULL, 0, 0 };
}
