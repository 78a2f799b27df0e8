/*
 * leak.c: what a model should have kept to itself: canaries, and the words of
 * its instructions, in a row and whatever stands between them.
 */
#include "guard.h"

#include "told.h"

#include "text/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GAP 3          /* words between two runs that are one */
#define LEAST_SHARE .6 /* of short instructions */
#define SHORT 5        /* words: fewer are no secret */
#define LOOSE 2        /* thirds of a word, where others stand between */
#define WORD 5         /* letters, where there are no words */
#define LETTERS_GAP 64 /* letters between two runs that are one */

/* A passage that the instructions have too. */
struct run {
	size_t from, to;   /* bytes of the view; to is 0: there is none */
	size_t last;       /* its last word or letter, by number */
	size_t place;      /* of that, in the instructions: for letters */
	size_t weight;     /* sixths of a word: of half a word three */
};

struct leak {
	struct guard_findings *f;
	const struct ai_view *v;
	struct guard_told *told;
	struct ai_err *err;
	struct guard_told_reader reader;
	struct run runs[GUARD_TOLD_WAYS];
	struct run found;  /* not told yet; to is 0: there is none */
	size_t all; /* of the instructions, likewise */
	size_t first, end; /* of all runs; end is 0: there is none */
	bool any;          /* was found */
};

static double score_of(const struct leak *l, const struct run *r)
{
	double words = (double)r->weight / 6, all = (double)l->all / 6;
	double least = (double)guard_told_settings.words, score = 0;

	if (words >= least)
		score = fmin(.95, .4 + .55 * (words - least) / (4 * least));
	if (words >= SHORT && words >= LEAST_SHARE * all)
		score = fmax(score, fmin(.95, .5 + .02 * words));
	return score;
}

static int tell(struct leak *l)
{
	struct run *r = &l->found;
	size_t words = (r->weight + 5) / 6, all = (l->all + 5) / 6;
	char reason[GUARD_REASON];

	if (r->to == 0)
		return 0;
	snprintf(reason, sizeof reason,
		 "%zu words of the instructions, which have %zu",
		 words < all ? words : all, all);
	if (guard_find(l->f, l->v, GUARD_LEAK, "system-prompt", score_of(l, r),
		       r->from, r->to, reason, l->err) < 0)
		return -1;
	r->to = 0;
	return 0;
}

/* The same words are seen in several ways: what overlaps is one. */
static int note(struct leak *l, const struct run *r)
{
	struct run *x = &l->found;

	if (score_of(l, r) <= 0)
		return 0;
	l->any = true;
	if (x->to > r->from && r->to > x->from) {
		size_t from = r->from < x->from ? r->from : x->from;
		size_t to = r->to > x->to ? r->to : x->to;

		if (score_of(l, r) > score_of(l, x))
			*x = *r;
		x->from = from;
		x->to = to;
		return 0;
	}
	if (tell(l) < 0)
		return -1;
	*x = *r;
	return 0;
}

/* ---- words ------------------------------------------------------------------------- */

static int end_run(struct leak *l, enum guard_told_way way)
{
	struct run *r = &l->runs[way];
	int rc;

	if (r->to == 0)
		return 0;
	if (way == GUARD_TOLD_WORDS) {
		if (l->end == 0)
			l->first = r->from;
		l->end = r->to;
	}
	rc = note(l, r);
	r->to = 0;
	return rc;
}

/* The last words of a way to read are those of the instructions from index
 * on; the view's byte to is behind them. */
static void add_run(struct leak *l, enum guard_told_way way, size_t index,
		    size_t to)
{
	const struct guard_told_last *last = &l->reader.last[
		way == GUARD_TOLD_BACK ? GUARD_TOLD_WORDS : way];
	const char *weights = l->told->weights.p;
	struct run *r = &l->runs[way];
	size_t fresh = GUARD_TOLD_RUN, part = 3;

	if (way != GUARD_TOLD_WORDS ||
	    (last->gaps & ((1u << (GUARD_TOLD_RUN - 1)) - 1)) != 0)
		part = LOOSE;
	if (r->to == 0)
		*r = (struct run){ .from = last->from[0] };
	else if (last->n - r->last < fresh)
		fresh = last->n - r->last;
	for (size_t i = 0; i < GUARD_TOLD_RUN; i++) {
		size_t new = way == GUARD_TOLD_BACK ? GUARD_TOLD_RUN - 1 - i : i;

		if (new + fresh >= GUARD_TOLD_RUN)
			r->weight += part * (size_t)weights[index + i];
		if (way == GUARD_TOLD_WORDS)
			l->told->seen.p[index + i] = 1;
	}
	r->to = to;
	r->last = last->n;
}

/* What each way to read makes of the word that ends at byte to of the view. */
static int add_word(struct leak *l, size_t to)
{
	for (int k = 0; k < GUARD_TOLD_WAYS; k++) {
		enum guard_told_way way = (enum guard_told_way)k;
		const struct guard_told_last *last = &l->reader.last[
			way == GUARD_TOLD_BACK ? GUARD_TOLD_WORDS : way];
		struct run *r = &l->runs[way];
		size_t index = guard_told_find(l->told, &l->reader, way);

		if (index != SIZE_MAX)
			add_run(l, way, index, to);
		else if (r->to != 0 &&
			 last->n - r->last > GAP + GUARD_TOLD_RUN &&
			 end_run(l, way) < 0)
			return -1;
	}
	return 0;
}

static int end_runs(struct leak *l)
{
	for (int k = 0; k < GUARD_TOLD_WAYS; k++)
		if (end_run(l, (enum guard_told_way)k) < 0)
			return -1;
	return 0;
}

static size_t seen_weight(const struct leak *l)
{
	size_t weight = 0;

	for (size_t i = 0; i < l->told->n; i++)
		if (l->told->seen.p[i])
			weight += 3 * (size_t)l->told->weights.p[i];
	return weight;
}

static int look_for_words(struct leak *l)
{
	const char *text = l->v->text.p;
	struct run whole;
	struct ai_words w;

	ai_words_init(&w, text, l->v->text.n);
	while (ai_words_next(&w)) {
		if (guard_told_read_word(l->told, &l->reader,
					 guard_told_hash(l->told, &w),
					 (size_t)(w.from - text))) {
			if (add_word(l, (size_t)(w.p - text)) < 0)
				return -1;
		} else if (l->reader.skipped > GUARD_TOLD_SKIP &&
			   end_runs(l) < 0) {
			return -1;
		}
	}
	if (end_runs(l) < 0)
		return -1;
	/* In pieces that are too short, but most of it. */
	whole = (struct run){ .from = l->first, .to = l->end,
			      .weight = seen_weight(l) };
	return l->end > 0 && !l->any && (double)whole.weight >=
			LEAST_SHARE * (double)l->all
		       ? note(l, &whole) : 0;
}

/* ---- letters ------------------------------------------------------------------------ */

/* In letters until it is noted, then in words. */
static int end_letters(struct leak *l, struct run *r)
{
	struct run words = *r;

	r->to = 0;
	if (words.to == 0)
		return 0;
	words.weight /= WORD;
	return note(l, &words);
}

/* The instructions have the last letters, from..to, at a place. */
static int add_place(struct leak *l, struct run *r, size_t place,
		     size_t number, size_t from, size_t to)
{
	size_t more = place - r->place;

	if (r->to == 0 || place <= r->place ||
	    more > LETTERS_GAP / GUARD_TOLD_STEP) {
		if (end_letters(l, r) < 0)
			return -1;
		*r = (struct run){ .from = from,
				   .weight = 6 * GUARD_TOLD_LETTERS };
	} else {
		r->weight += 6 * (more == 1 ? GUARD_TOLD_STEP
					    : GUARD_TOLD_LETTERS);
	}
	r->place = place;
	r->last = number;
	r->to = to;
	return 0;
}

/* One letter of the word, which ends at byte to; from: of the last letters. */
static int add_letter(struct leak *l, struct run *r, size_t place, size_t number,
		      size_t from, size_t to)
{
	if (place != SIZE_MAX)
		return add_place(l, r, place, number, from, to);
	return r->to != 0 && number - r->last > LETTERS_GAP
		       ? end_letters(l, r) : 0;
}

static int look_for_letters(struct leak *l)
{
	struct guard_told_spelled s = { .n = 0 };
	size_t from[GUARD_TOLD_LETTERS] = { 0 };
	struct run r = { .to = 0 };
	struct ai_words w;

	ai_words_init(&w, l->v->text.p, l->v->text.n);
	while (ai_words_next(&w)) {
		size_t at = (size_t)(w.from - l->v->text.p);
		size_t end = (size_t)(w.p - l->v->text.p);
		bool ascii = end - at == w.n; /* a byte a letter */

		for (size_t i = 0; i < w.n; i++) {
			size_t before = s.n, place;

			place = guard_told_spell(l->told, &s, w.cp[i], false);
			if (s.n == before)
				continue;
			from[s.n % GUARD_TOLD_LETTERS] = ascii ? at + i : at;
			if (add_letter(l, &r, place, s.n,
				       from[(s.n + 1) % GUARD_TOLD_LETTERS],
				       ascii ? at + i + 1 : end) < 0)
				return -1;
		}
	}
	return end_letters(l, &r);
}

static int look_for_prompt(const struct ai_view *v, struct guard_findings *f,
			   struct guard_told *told, struct ai_err *err)
{
	struct leak l = { .v = v, .f = f, .told = told, .err = err };

	if (told->n < GUARD_TOLD_RUN)
		return 0;
	ai_buf_clear(&told->seen);
	if (ai_buf_reserve(&told->seen, told->n) < 0)
		return ai_err_nomem(err);
	memset(told->seen.p, 0, told->n);
	for (size_t i = 0; i < told->n; i++)
		l.all += 3 * (size_t)told->weights.p[i];
	if (look_for_words(&l) < 0 ||
	    (!l.any && look_for_letters(&l) < 0))
		return -1;
	return tell(&l);
}

/* ---- canaries ------------------------------------------------------------------------ */

/* What a canary is looked for in, and what is done about it. */
struct canary_search {
	const struct ai_view *v;
	struct guard_findings *f;
	struct guard_told *told;
	struct ai_err *err;
};

static int on_leak(void *arg, const struct guard_canary_hit *hit)
{
	const struct canary_search *s = arg;

	return guard_find(s->f, s->v, GUARD_LEAK, "canary",
			  .4 + .6 * (double)hit->letters / GUARD_CANARY_LETTERS,
			  hit->from, hit->to,
			  hit->letters == GUARD_CANARY_LETTERS
				  ? "the canary of the instructions"
				  : "a part of the canary",
			  s->err);
}

static int on_repeated(void *arg, const struct guard_canary_hit *hit)
{
	struct canary_search *s = arg;

	s->told->repeated |= hit->letters == GUARD_CANARY_LETTERS;
	return 0;
}

int guard_leak(const struct ai_view *v, enum guard_context context,
	       struct guard_findings *f, struct ai_err *err)
{
	struct guard_told *told = f->told;
	struct canary_search search = { v, f, told, err };

	if (context != GUARD_ANSWER || told == NULL)
		return 0;
	if (v->of == NULL) /* the text itself, before its views */
		told->repeated = false;
	if (told->leak.known &&
	    guard_canary_find(&told->leak, v->text, on_leak, &search) < 0)
		return -1;
	if (guard_canary_settings.repeat && told->repeat.known &&
	    !told->repeated)
		guard_canary_find(&told->repeat, v->text, on_repeated, &search);
	return look_for_prompt(v, f, told, err);
}

int guard_leak_end(struct ai_span text, enum guard_context context,
		   struct guard_findings *f, struct ai_err *err)
{
	const struct ai_view whole = { .name = "text", .text = text };

	if (context != GUARD_ANSWER || f->told == NULL ||
	    !guard_canary_settings.repeat || f->told->repeated)
		return 0;
	return guard_find(f, &whole, GUARD_INJECTION, "canary", .8, 0, text.n,
			  "what was to be repeated is not there", err);
}
