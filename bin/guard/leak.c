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

/* A passage that the instructions have too. */
struct run {
	size_t from, to;   /* bytes of the view; to is 0: there is none */
	size_t last;       /* its last word, by number */
	size_t weight;     /* half words */
};

struct leak {
	struct guard_findings *f;
	const struct ai_view *v;
	struct guard_told *told;
	struct ai_err *err;
	struct run run;
	size_t all; /* half words of the instructions */
	size_t first, end; /* of all runs; end is 0: there is none */
	bool found;
};

static double score_of(const struct leak *l, size_t weight)
{
	double words = (double)weight / 2, all = (double)l->all / 2;
	double least = (double)guard_told_settings.words, score = 0;

	if (words >= least)
		score = fmin(.95, .4 + .55 * (words - least) / (4 * least));
	if (words >= SHORT && words >= LEAST_SHARE * all)
		score = fmax(score, fmin(.95, .5 + .02 * words));
	return score;
}

static int tell(struct leak *l, size_t from, size_t to, size_t weight)
{
	double score = score_of(l, weight);
	char reason[GUARD_REASON];

	if (score <= 0)
		return 0;
	l->found = true;
	snprintf(reason, sizeof reason,
		 "%zu words of the instructions, which have %zu",
		 (weight + 1) / 2, (l->all + 1) / 2);
	return guard_find(l->f, l->v, GUARD_LEAK, "system-prompt", score, from,
			  to, reason, l->err);
}

static int end_run(struct leak *l)
{
	struct run *r = &l->run;
	int rc;

	if (r->to == 0)
		return 0;
	if (l->end == 0)
		l->first = r->from;
	l->end = r->to;
	rc = tell(l, r->from, r->to, r->weight);
	r->to = 0;
	return rc;
}

/* The last words, which begin at from, are those of the instructions from
 * index on. */
static void add_run(struct leak *l, size_t index, size_t from, size_t to,
		    size_t number)
{
	struct run *r = &l->run;
	const char *weights = l->told->weights.p;
	size_t fresh = GUARD_TOLD_RUN;

	if (r->to == 0)
		*r = (struct run){ .from = from };
	else if (number - r->last < fresh)
		fresh = number - r->last;
	for (size_t i = 0; i < GUARD_TOLD_RUN; i++) {
		if (i + fresh >= GUARD_TOLD_RUN)
			r->weight += (size_t)weights[index + i];
		l->told->seen.p[index + i] = 1;
	}
	r->to = to;
	r->last = number;
}

static size_t seen_weight(const struct leak *l)
{
	size_t weight = 0;

	for (size_t i = 0; i < l->told->n; i++)
		if (l->told->seen.p[i])
			weight += (size_t)l->told->weights.p[i];
	return weight;
}

static int look(struct leak *l)
{
	struct guard_told_last last = { .n = 0 };
	size_t from[GUARD_TOLD_RUN] = { 0 }, number = 0, index;
	struct ai_words w;

	ai_words_init(&w, l->v->text.p, l->v->text.n);
	for (; ai_words_next(&w); number++) {
		from[number % GUARD_TOLD_RUN] =
			(size_t)(w.from - l->v->text.p);
		index = guard_told_find(l->told, &last,
					guard_told_hash(l->told, &w));
		if (index != SIZE_MAX)
			add_run(l, index, from[(number + 1) % GUARD_TOLD_RUN],
				(size_t)(w.p - l->v->text.p), number);
		else if (number - l->run.last > GAP + GUARD_TOLD_RUN &&
			 end_run(l) < 0)
			return -1;
	}
	return end_run(l);
}

static int look_for_words(const struct ai_view *v, struct guard_findings *f,
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
		l.all += (size_t)told->weights.p[i];
	if (look(&l) < 0)
		return -1;
	/* In pieces that are too short, but most of it. */
	if (l.end > 0 && !l.found &&
	    (double)seen_weight(&l) >= LEAST_SHARE * (double)l.all)
		return tell(&l, l.first, l.end, seen_weight(&l));
	return 0;
}

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
	return look_for_words(v, f, told, err);
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
