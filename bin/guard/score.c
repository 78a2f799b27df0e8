/* score.c: a text's windows, by running sums over blocks of words. */
#include "features.h"
#include "weights.h"

#include <stdio.h>
#include <string.h>

struct block {
	int64_t sum;
	size_t words, from, to;
};

struct scan {
	const struct weights *w;
	enum weights_table t;
	int (*each)(void *arg, const struct weights_window *x);
	void *arg;
	double less; /* features_length() */
};

static double score_of(const struct scan *s, int64_t sum, size_t words)
{
	return (double)s->w->head.table[s->t].bias - s->less +
	       (double)s->w->head.table[s->t].step * (double)sum *
	       features_scale(words);
}

/* Of the windows of one, two, four blocks that end with the last, that which
 * says most: a short attack would drown in a long one.  A last block that is
 * not full counts with those before it. */
static int give(const struct scan *s, const struct block *ring, size_t n)
{
	struct weights_window x = { .score = -1e30 };
	struct block sum = { 0, 0, 0, 0 };

	for (size_t k = 0; k < FEATURES_BLOCKS && k < n; k++) {
		const struct block *b = &ring[(n - 1 - k) % FEATURES_BLOCKS];
		double score;

		sum.sum += b->sum;
		sum.words += b->words;
		if ((k & (k + 1)) != 0 && k + 1 < n)
			continue;
		score = score_of(s, sum.sum, sum.words);
		if (score > x.score) {
			x.score = score;
			x.from = b->from;
		}
	}
	x.to = ring[(n - 1) % FEATURES_BLOCKS].to;
	return s->each(s->arg, &x);
}

static int64_t sum_of(const struct scan *s, const struct feature_word *x,
		      const struct feature_word *b,
		      const struct feature_word *a)
{
	const signed char *table = s->w->table[s->t];
	uint32_t at[FEATURES_MAX];
	size_t n = features_of(x, b, a, s->w->head.bits, at);
	int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += table[at[i]];
	return sum;
}

int weights_windows(const struct weights *w, enum weights_table t,
		    const char *text, size_t n,
		    int (*each)(void *arg, const struct weights_window *x),
		    void *arg)
{
	const struct scan s = { w, t, each, arg, features_length(n) };
	struct feature_words words;
	struct feature_word x[3];
	struct block ring[FEATURES_BLOCKS] = { { 0, 0, 0, 0 } };
	struct block *now = ring;
	size_t k = 0, n_blocks = 1;
	int rc;

	feature_words_init(&words, text, n);
	for (; feature_words_next(&words, &x[k % 3]); k++) {
		if (now->words == FEATURES_BLOCK) {
			rc = give(&s, ring, n_blocks);
			if (rc != 0)
				return rc;
			now = &ring[n_blocks++ % FEATURES_BLOCKS];
			memset(now, 0, sizeof *now);
		}
		if (now->words++ == 0)
			now->from = x[k % 3].from;
		now->to = x[k % 3].to;
		now->sum += sum_of(&s, &x[k % 3],
				   k > 0 ? &x[(k + 2) % 3] : NULL,
				   k > 1 ? &x[(k + 1) % 3] : NULL);
	}
	return k == 0 ? 0 : give(&s, ring, n_blocks);
}

/* ---- the place ------------------------------------------------------------------ */

#define NARROW_REACH 240 /* bytes, to where a sentence begins or ends */

static bool ends(unsigned char c)
{
	return c == '\n' || c == '.' || c == '!' || c == '?';
}

/* To the sentence's beginning and end, if they are near. */
static void widen(const char *text, size_t n, struct weights_window *x)
{
	size_t k = x->from;

	while (k > 0 && x->from - k < NARROW_REACH &&
	       !ends((unsigned char)text[k - 1]))
		k--;
	if (k == 0 || ends((unsigned char)text[k - 1]))
		x->from = k;
	k = x->to;
	while (k < n && k - x->to < NARROW_REACH &&
	       !ends((unsigned char)text[k]))
		k++;
	if (k < n && ends((unsigned char)text[k]))
		x->to = k;
}

/* Sentences in a row, and what they say together. */
struct rows {
	struct block now, best; /* this row; of it, or of an earlier one */
	struct block all;       /* from the first to the last that is found */
};

static void add_sentence(const struct scan *s, struct rows *r,
			 const struct block *b)
{
	struct block *now = &r->now;

	if (b->words == 0)
		return;
	if (now->sum <= 0) {
		memset(now, 0, sizeof *now);
		now->from = b->from;
	}
	now->to = b->to;
	now->sum += b->sum;
	now->words += b->words;
	if (now->sum > r->best.sum)
		r->best = *now;
	if (score_of(s, now->sum, now->words) <
	    (double)s->w->head.table[s->t].points[WEIGHTS_POINTS - 1])
		return;
	if (r->all.to == 0 || now->from < r->all.from)
		r->all.from = now->from;
	if (b->sum > 0)
		r->all.to = now->to;
}

void weights_narrow(const struct weights *w, enum weights_table t,
		    const char *text, size_t n, struct weights_window *x)
{
	const struct scan s = { w, t, NULL, NULL, features_length(n) };
	struct rows r;
	struct block b = { 0, 0, 0, 0 };
	struct feature_words words;
	struct feature_word v[3];

	memset(&r, 0, sizeof r);
	widen(text, n, x);
	feature_words_init(&words, text + x->from, x->to - x->from);
	for (size_t k = 0; feature_words_next(&words, &v[k % 3]); k++) {
		if (v[k % 3].first) {
			add_sentence(&s, &r, &b);
			memset(&b, 0, sizeof b);
			b.from = v[k % 3].from;
		}
		b.to = v[k % 3].to;
		b.words++;
		b.sum += sum_of(&s, &v[k % 3], k > 0 ? &v[(k + 2) % 3] : NULL,
				k > 1 ? &v[(k + 1) % 3] : NULL);
	}
	add_sentence(&s, &r, &b);
	if (r.all.to == 0)
		r.all = r.best;
	if (r.all.to > r.all.from) {
		x->to = x->from + r.all.to;
		x->from += r.all.from;
	}
}

/* ---- reasons ------------------------------------------------------------------- */

#define REASONS 3

struct reason {
	int weight;
	size_t from, to;
};

/* Keeps the heaviest; of two that overlap, the heavier. */
static void note(struct reason best[REASONS], struct reason r)
{
	size_t i, worst = 0;

	for (i = 0; i < REASONS; i++) {
		if (best[i].weight > 0 && r.from < best[i].to &&
		    best[i].from < r.to) {
			if (r.weight > best[i].weight)
				best[i] = r;
			return;
		}
		if (best[i].weight < best[worst].weight)
			worst = i;
	}
	if (r.weight > best[worst].weight)
		best[worst] = r;
}

static void note_word(const struct weights *w, enum weights_table t,
		      const struct feature_word *x, size_t k,
		      struct reason best[REASONS])
{
	const struct feature_word *b = k > 0 ? &x[(k + 2) % 3] : NULL;
	const struct feature_word *a = k > 1 ? &x[(k + 1) % 3] : NULL;
	uint32_t at[FEATURES_MAX];
	size_t one = features_of(&x[k % 3], NULL, NULL, w->head.bits, at);
	size_t two = features_of(&x[k % 3], b, NULL, w->head.bits, at);
	size_t n = features_of(&x[k % 3], b, a, w->head.bits, at);

	for (size_t i = 0; i < n; i++)
		note(best, (struct reason){ w->table[t][at[i]],
			i < one ? x[k % 3].from : i < two ? b->from : a->from,
			x[k % 3].to });
}

/* As long as fits, without half a character. */
static void put(char *out, size_t size, const char *p, size_t n)
{
	size_t len = strlen(out), room = size - len;

	if (room < 8)
		return;
	if (n > room - 6)
		for (n = room - 6; n > 0; n--)
			if (((unsigned char)p[n] & 0xC0) != 0x80)
				break;
	snprintf(out + len, room, "%s\"%.*s\"", len > 0 ? ", " : "", (int)n,
		 p);
}

void weights_reason(const struct weights *w, enum weights_table t,
		    const char *text, size_t n, char *out, size_t size)
{
	struct feature_words words;
	struct feature_word x[3];
	struct reason best[REASONS] = { { 0, 0, 0 } };

	out[0] = '\0';
	feature_words_init(&words, text, n);
	for (size_t k = 0; feature_words_next(&words, &x[k % 3]); k++)
		note_word(w, t, x, k, best);
	for (int i = 0; i < REASONS; i++) {
		size_t top = 0;

		for (size_t j = 1; j < REASONS; j++)
			if (best[j].weight > best[top].weight)
				top = j;
		if (best[top].weight <= 0)
			break;
		put(out, size, text + best[top].from,
		    best[top].to - best[top].from);
		best[top].weight = 0;
	}
}
