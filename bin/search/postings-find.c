/*
 * postings-find.c: the best rows for a query, without a look at most of them.
 *
 * A file is gone through in windows of slots.  In each, a clause is bound by
 * the best impact of its blocks there.  The clauses with the lowest bounds,
 * as many as together cannot lift a row above the k-th best so far, are left
 * out at first (MaxScore: Turtle and Flood, 1995; with bounds by block:
 * Chakrabarti, Chaudhuri and Ganti, 2011).  The others' blocks are decoded and
 * added up slot by slot; rows that may still win with the bounds of those left
 * out are looked up there, the highest bound first.  A window whose bounds
 * cannot win all together is not looked at.
 *
 * Parts of a score are multiples of 2^-30 (postings.h), so whatever was added
 * first, sums are the same, and those of other files and of a scan of it all.
 */
#include "postings-int.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW 4096
#define WORDS64 (WINDOW / 64)
#define CLAUSES_MAX 1000

/* A score, and the idf of the clauses that gave it. */
typedef double sum __attribute__((vector_size(16)));

/* A clause in the file that is searched. */
struct cursor {
	const struct words_term *term;
	struct words_list list;      /* not made */
	const uint32_t *slots, *tf;  /* of the block that was loaded */
	size_t n;                    /* postings in it */
	size_t blocks, have;
	size_t block;                /* first one that may have window's slots */
	uint32_t next;               /* no slot of the window is before it */
	size_t at;                   /* in candidates' lookups: block's posting */
	uint16_t *impacts;           /* of a made list's blocks; owned */
	double weight, idf, scale;   /* scale: a bound for each impact */
	double bound;                /* in the window */
};

struct find {
	const struct search_words_query *q;
	struct words_found found;
	struct words_norm norm;
	double stretch;              /* of impacts: avdl is not as it was */
	double idfs;                 /* of all clauses */
	struct search_words_hit *best; /* see keep_best() */
	size_t best_n, best_cap, k;  /* k: no more than there are rows */
	double worst;
	double least;                /* a row below is none; grows */

	const struct search_part *part;
	const struct search_words *w;
	struct cursor *cursors, **order;
	size_t cursors_n;
	uint32_t from, to;           /* the window */
	sum sums[WINDOW];            /* zeros between windows, like marks */
	uint64_t marks[WORDS64];     /* which of them are there */
	uint16_t rows[WINDOW];       /* candidates, rising */
	size_t rows_n;
};

/* ---- the k best ------------------------------------------------------------------- */

static bool is_better(const struct search_words_hit *a,
		      const struct search_words_hit *b)
{
	return a->score != b->score ? a->score > b->score : a->n < b->n;
}

static int best_first(const void *a, const void *b)
{
	return is_better(a, b) ? -1 : 1;
}

/* Puts those better than the pivot first; how many.  Without a branch that
 * depends on scores: nobody can guess it. */
static size_t divide(struct search_words_hit *v, size_t n,
		     struct search_words_hit pivot)
{
	struct search_words_hit h;
	size_t i, to = 0;

	for (i = 0; i < n; i++) {
		h = v[i];
		v[i] = v[to];
		v[to] = h;
		to += (h.score > pivot.score) |
		      ((h.score == pivot.score) & (h.n < pivot.n));
	}
	return to;
}

static struct search_words_hit middle_of(const struct search_words_hit *v,
					 size_t n)
{
	const struct search_words_hit *a = &v[0], *b = &v[n / 2];
	const struct search_words_hit *c = &v[n - 1];

	if (is_better(a, b) != is_better(a, c))
		return *a;
	return is_better(b, a) != is_better(b, c) ? *b : *c;
}

/* Puts the k best of n first, in any order: Hoare's selection. */
static void select_best(struct search_words_hit *v, size_t n, size_t k)
{
	struct search_words_hit pivot;
	size_t better, rounds;

	for (rounds = 0; n > 16 && rounds < 100; rounds++) {
		pivot = middle_of(v, n);
		better = divide(v, n, pivot);
		if (better >= k) {
			n = better;
			continue;
		}
		v += better;
		n -= better;
		k -= better;
		/* The pivot itself is the best of the others. */
		if (better == 0) {
			for (better = 0; v[better].n != pivot.n;)
				better++;
			v[better] = v[0];
			v[0] = pivot;
			if (--k == 0)
				return;
			v++;
			n--;
		}
	}
	qsort(v, n, sizeof(*v), best_first);
}

/*
 * All that may be among the k best are kept, until there is no room; then the
 * worst of the k best is the least that counts.  That takes a third of what a
 * heap takes.
 */
static void keep_best(struct find *f)
{
	size_t i;

	select_best(f->best, f->best_n, f->k);
	f->best_n = f->k;
	for (i = 0; i < f->k; i++)
		f->worst = i == 0 || f->best[i].score < f->worst
				   ? f->best[i].score
				   : f->worst;
	if (f->worst > f->least)
		f->least = f->worst;
}

static int add_hit(struct find *f, const struct search_words_hit *h,
		   struct ai_err *err)
{
	size_t cap = f->best_cap == 0 ? 256 : f->best_cap * 2;
	size_t most = f->k + f->k / 2 + 8;
	struct search_words_hit *v;

	if (f->best_n == most)
		keep_best(f);
	if (f->best_n == f->best_cap) {
		v = reallocarray(f->best, cap < most ? cap : most, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		f->best = v;
		f->best_cap = cap < most ? cap : most;
	}
	f->best[f->best_n++] = *h;
	return 0;
}

static void sort_best(struct find *f)
{
	if (f->best_n > f->k)
		keep_best(f);
	if (f->best_n > 1)
		qsort(f->best, f->best_n, sizeof(*f->best), best_first);
}

/* ---- cursors ------------------------------------------------------------------------ */

static uint32_t last_of(const struct cursor *c, size_t block)
{
	size_t end;

	if (!c->term->made && c->blocks > 1)
		return words_skip_at(&c->list, block).last;
	if (!c->term->made)
		return c->slots[c->n - 1];
	end = (block + 1) * WORDS_BLOCK;
	return c->term->slots[(end < c->term->n ? end : c->term->n) - 1];
}

static uint16_t impact_of(const struct cursor *c, size_t block)
{
	if (c->term->made)
		return c->impacts[block];
	return c->blocks > 1 ? words_skip_at(&c->list, block).impact
			     : c->term->entry.impact;
}

static int load(struct cursor *c, size_t block, struct ai_err *err)
{
	size_t from = block * WORDS_BLOCK;

	if (c->have == block)
		return 0;
	c->at = 0;
	c->have = c->blocks;
	if (c->term->made) {
		c->slots = c->term->slots + from;
		c->tf = c->term->tf + from;
		c->n = c->term->n - from;
		c->n = c->n < WORDS_BLOCK ? c->n : WORDS_BLOCK;
	} else {
		if (words_list_load(&c->list, block, err) < 0)
			return -1;
		c->slots = c->list.slots;
		c->tf = c->list.tf;
		c->n = c->list.n;
	}
	c->have = block;
	return 0;
}

/* The impacts of a list that was made for this query. */
static int make_impacts(struct find *f, struct cursor *c, struct ai_err *err)
{
	const struct words_term *t = c->term;
	struct words_norm norm = words_norm(f->w->h->average);
	uint16_t impact;
	size_t i;

	c->impacts = calloc(c->blocks, sizeof(*c->impacts));
	if (c->impacts == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < t->n; i++) {
		if (words_lengths_check(f->w, t->slots[i], t->slots[i] + 1,
					err) < 0)
			return -1;
		impact = words_impact(t->tf[i],
				      words_length(f->w, t->slots[i]), norm);
		if (impact > c->impacts[i / WORDS_BLOCK])
			c->impacts[i / WORDS_BLOCK] = impact;
	}
	return 0;
}

/* What a clause counts for `covered`.  In a few documents a word that none has
 * would count for nearly all. */
static double share_of(const struct find *f, size_t clause)
{
	int64_t rows = f->found.rows;

	if (f->q->clauses[clause].extra)
		return 0;
	return words_idf(rows > SEARCH_COVERED_ROWS ? rows
			 : SEARCH_COVERED_ROWS, f->found.df[clause]);
}

static int open_cursor(struct find *f, size_t clause, struct words_term *t,
		       struct ai_err *err)
{
	struct cursor *c = &f->cursors[f->cursors_n];
	double idf = words_idf(f->found.rows, f->found.df[clause]);

	c->term = t;
	c->idf = share_of(f, clause);
	c->weight = words_weight(idf, &f->q->clauses[clause]);
	c->scale = c->weight / WORDS_IMPACT * f->stretch;
	c->block = c->at = 0;
	c->impacts = NULL;
	if (t->made) {
		c->blocks = c->have = (t->n + WORDS_BLOCK - 1) / WORDS_BLOCK;
		f->cursors_n++;
		return make_impacts(f, c, err);
	}
	if (words_list_open(&c->list, f->w, &t->entry, err) < 0)
		return -1;
	c->blocks = c->have = c->list.blocks;
	f->cursors_n++;
	return c->blocks == 1 ? load(c, 0, err) : 0;
}

static void close_cursors(struct find *f)
{
	size_t i;

	for (i = 0; i < f->cursors_n; i++)
		free(f->cursors[i].impacts);
	f->cursors_n = 0;
}

/* ---- a window ------------------------------------------------------------------------- */

/* The first posting of the loaded block at or behind slot. */
static size_t place_of(const struct cursor *c, size_t from, uint32_t slot)
{
	const uint32_t *v = c->slots + from;
	size_t n = c->n - from, half;

	while (n > 1) {
		half = n / 2;
		v += v[half - 1] < slot ? half : 0;
		n -= half;
	}
	return (size_t)(v - c->slots) + (n == 1 && *v < slot);
}

/* A slot before which the cursor has none, from the window's begin on. */
static uint32_t next_slot(struct find *f, struct cursor *c)
{
	size_t at;

	while (c->block < c->blocks && last_of(c, c->block) < f->from)
		c->block++;
	if (c->block == c->blocks)
		return UINT32_MAX;
	if (c->have == c->block) {
		at = place_of(c, 0, f->from);
		return at < c->n ? c->slots[at] : f->from;
	}
	if (c->block == 0)
		return f->from;
	at = (size_t)last_of(c, c->block - 1) + 1;
	return at > f->from ? (uint32_t)at : f->from;
}

/* What the clause can give in the window at most. */
static double bound_of(const struct find *f, const struct cursor *c)
{
	uint16_t most = 0, impact;
	uint32_t last;
	size_t b;

	for (b = c->block; c->next < f->to && b < c->blocks; b++) {
		impact = impact_of(c, b);
		most = impact > most ? impact : most;
		last = last_of(c, b);
		if (last + 1 >= f->to)
			break;
	}
	/* Rounding, here and of the part itself. */
	return most == 0 ? 0 : most * c->scale * (1 + 1e-9) + 1e-9;
}

/* Adds up a clause's postings of the window. */
static inline __attribute__((always_inline)) int
add_up(struct find *f, struct cursor *c, uint32_t width, struct ai_err *err)
{
	const unsigned char *lengths = f->w->at[WORDS_LENGTHS];
	struct words_norm norm = f->norm;
	double weight = c->weight;
	size_t b, i, n;

	for (b = c->block; b < c->blocks; b++) {
		if (b > c->block && last_of(c, b - 1) + 1 >= f->to)
			break;
		if (load(c, b, err) < 0)
			return -1;
		i = c->slots[0] < f->from ? place_of(c, 0, f->from) : 0;
		n = c->slots[c->n - 1] >= f->to ? place_of(c, i, f->to) : c->n;
		for (; i < n; i++) {
			uint32_t slot = c->slots[i], at = slot - f->from;
			uint32_t length;
			uint16_t two;

			if (width == 2) {
				memcpy(&two, lengths + (size_t)slot * 2, 2);
				length = two;
			} else {
				memcpy(&length, lengths + (size_t)slot * 4, 4);
			}
			f->sums[at] += (sum){
				words_part(weight, c->tf[i], length, norm),
				c->idf,
			};
			f->marks[at / 64] |= (uint64_t)1 << at % 64;
		}
	}
	return 0;
}

static bool may_be_found(const struct find *f, uint32_t slot)
{
	const struct search_words_query *q = f->q;
	int64_t n;

	if (q->bits == NULL)
		return true;
	n = words_row(f->w, slot);
	return n < q->bits_n && (q->bits[n / 8] >> n % 8 & 1);
}

/* The rows that may win if the clauses left out give them as much as rest. */
static void choose(struct find *f, double rest)
{
	uint64_t bits;
	uint32_t at;
	size_t i;

	f->rows_n = 0;
	for (i = 0; i < WORDS64; i++) {
		for (bits = f->marks[i]; bits != 0; bits &= bits - 1) {
			at = (uint32_t)(i * 64) +
			     (uint32_t)__builtin_ctzll(bits);
			if (f->sums[at][0] + rest >= f->least &&
			    may_be_found(f, f->from + at))
				f->rows[f->rows_n++] = (uint16_t)at;
			else
				f->sums[at] = (sum){ 0, 0 };
		}
		f->marks[i] = 0;
	}
}

/*
 * Looks the candidates up in a clause that was left out; others left out give
 * as much as rest.  Candidates that cannot win any more are dropped.
 */
static int look_up(struct find *f, struct cursor *c, double rest,
		   struct ai_err *err)
{
	size_t i, kept = 0, b = c->block;
	uint32_t at, slot;
	double bound;

	for (i = 0; i < f->rows_n; i++) {
		at = f->rows[i];
		slot = f->from + at;
		while (b < c->blocks && last_of(c, b) < slot)
			b++;
		bound = b == c->blocks
				? 0
				: impact_of(c, b) * c->scale * (1 + 1e-9) +
					  1e-9;
		if (f->sums[at][0] + bound + rest < f->least) {
			f->sums[at] = (sum){ 0, 0 };
			continue;
		}
		f->rows[kept++] = (uint16_t)at;
		if (b == c->blocks)
			continue;
		if (load(c, b, err) < 0)
			return -1;
		/* Most of them are near each other. */
		for (at = 0; at < 3 && c->at < c->n && c->slots[c->at] < slot;
		     at++)
			c->at++;
		if (c->at < c->n && c->slots[c->at] < slot)
			c->at = place_of(c, c->at, slot);
		at = f->rows[i];
		if (c->at == c->n || c->slots[c->at] != slot)
			continue;
		f->sums[at] += (sum){
			words_part(c->weight, c->tf[c->at],
				   words_length(f->w, slot), f->norm),
			c->idf,
		};
	}
	f->rows_n = kept;
	return 0;
}

static int take_rows(struct find *f, struct ai_err *err)
{
	struct search_words_hit h;
	uint32_t at;
	size_t i;

	for (i = 0; i < f->rows_n; i++) {
		at = f->rows[i];
		h.score = f->sums[at][0];
		h.covered = f->sums[at][1];
		f->sums[at] = (sum){ 0, 0 };
		if (h.score < f->least)
			continue;
		h.n = words_row(f->w, f->from + at);
		if (add_hit(f, &h, err) < 0)
			return -1;
	}
	return 0;
}

/* Cursors by their bounds in the window, the lowest first. */
static void sort_cursors(struct find *f)
{
	size_t i, k;

	for (i = 1; i < f->cursors_n; i++) {
		struct cursor *c = f->order[i];

		for (k = i; k > 0 && f->order[k - 1]->bound > c->bound; k--)
			f->order[k] = f->order[k - 1];
		f->order[k] = c;
	}
}

static int search_window(struct find *f, struct ai_err *err)
{
	double rest = 0, all = 0;
	size_t i, out;

	for (i = 0; i < f->cursors_n; i++) {
		f->cursors[i].bound = bound_of(f, &f->cursors[i]);
		all += f->cursors[i].bound;
	}
	if (all == 0 || all < f->least)
		return 0;
	sort_cursors(f);
	for (out = 0; out < f->cursors_n &&
		      rest + f->order[out]->bound < f->least; out++)
		rest += f->order[out]->bound;
	if (words_lengths_check(f->w, f->from, f->to, err) < 0)
		return -1;
	for (i = out; i < f->cursors_n; i++) {
		if (f->order[i]->bound == 0)
			continue;
		if ((f->w->h->width == 2 ? add_up(f, f->order[i], 2, err)
					 : add_up(f, f->order[i], 4, err)) < 0)
			return -1;
	}
	choose(f, rest);
	while (out-- > 0 && f->rows_n > 0) {
		rest -= f->order[out]->bound;
		if (f->order[out]->bound > 0 &&
		    look_up(f, f->order[out], rest, err) < 0)
			return -1;
	}
	return take_rows(f, err);
}

/* ---- a file ---------------------------------------------------------------------------- */

static int search_file(struct find *f, struct ai_err *err)
{
	uint32_t count = (uint32_t)f->w->info.count, next, slot;
	size_t i;

	for (f->from = 0; f->from < count; f->from = f->to) {
		next = UINT32_MAX;
		for (i = 0; i < f->cursors_n; i++) {
			slot = next_slot(f, &f->cursors[i]);
			f->cursors[i].next = slot;
			next = slot < next ? slot : next;
		}
		if (next >= count)
			break;
		f->from = next;
		f->to = count - next < WINDOW ? count : next + WINDOW;
		if (search_window(f, err) < 0)
			return -1;
	}
	return 0;
}

static int search_part(struct find *f, size_t part, struct ai_err *err)
{
	const struct search_words_query *q = f->q;
	struct words_term *terms = f->found.terms + part * q->clauses_n;
	size_t c;
	int rc = 0;

	f->part = &q->parts[part];
	f->w = f->part->words;
	f->stretch = f->w->h->average > 0 ? f->found.average / f->w->h->average
					  : 1;
	f->stretch = f->stretch > 1 ? f->stretch : 1;
	for (c = 0; rc == 0 && c < q->clauses_n; c++)
		if (!q->clauses[c].not && terms[c].there)
			rc = open_cursor(f, c, &terms[c], err);
	for (c = 0; c < f->cursors_n; c++)
		f->order[c] = &f->cursors[c];
	if (rc == 0)
		rc = search_file(f, err);
	close_cursors(f);
	return rc;
}

static int search_parts(struct find *f, struct ai_err *err)
{
	const struct search_words_query *q = f->q;
	bool *only = malloc(q->clauses_n + 1);
	size_t i;
	int rc;

	f->cursors = malloc((q->clauses_n + 1) * sizeof(*f->cursors));
	f->order = malloc((q->clauses_n + 1) * sizeof(*f->order));
	if (only == NULL || f->cursors == NULL || f->order == NULL) {
		free(only);
		return ai_err_nomem(err);
	}
	for (i = 0; i < q->clauses_n; i++)
		only[i] = !q->clauses[i].not;
	rc = words_found_init(&f->found, q, only, err);
	free(only);
	if (rc < 0)
		return -1;
	f->norm = words_norm(f->found.average);
	for (i = 0; i < q->parts_n; i++)
		f->k += (size_t)q->parts[i].words->info.count;
	f->k = f->k < q->k ? f->k : q->k;
	for (i = 0; i < q->clauses_n; i++)
		if (!q->clauses[i].not)
			f->idfs += share_of(f, i);
	for (i = 0; i < q->parts_n; i++)
		if (search_part(f, i, err) < 0)
			return -1;
	return 0;
}

int search_words_find(const struct search_words_query *q,
		      struct search_words_hit **hits, size_t *hits_n,
		      struct ai_err *err)
{
	struct find *f;
	size_t i;
	int rc = 0;

	*hits = NULL;
	*hits_n = 0;
	if (q->clauses_n > CLAUSES_MAX)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "a query of %zu parts (at most %d)",
				  q->clauses_n, CLAUSES_MAX);
	if (q->k == 0 || q->clauses_n == 0 || q->parts_n == 0)
		return 0;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return ai_err_nomem(err);
	f->q = q;
	f->least = q->min_score > 0 ? q->min_score : 0;
	rc = search_parts(f, err);
	if (rc == 0) {
		sort_best(f);
		for (i = 0; i < f->best_n; i++)
			f->best[i].covered /= f->idfs > 0 ? f->idfs : 1;
		*hits = f->best;
		*hits_n = f->best_n;
	} else {
		free(f->best);
	}
	words_found_release(&f->found, q);
	free(f->cursors);
	free(f->order);
	free(f);
	return rc;
}
