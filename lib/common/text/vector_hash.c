/*
 * local/hash: see vector.h.  The constants below are the model: changing any
 * of them makes other vectors, which then need another name.  The weights
 * were chosen on the cranfield and vaswani collections (make eval) so that
 * the vectors, fused into BM25 at .2, take nothing from it.
 */
#include "text/stop.h"
#include "text/vector.h"
#include "text/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SEED UINT64_C(0x61697574696c7331)
#define GRAM_MIN 3
#define GRAM_MAX 5
#define EDGE 0x20 /* stands before and behind a word in its n-grams */

/* Features are counted in a table before they are weighted, so that the
 * logarithm sees their frequency.  A text with more distinct features than
 * this is counted in sections; memory stays bounded. */
#define TABLE_MIN 256
#define TABLE_MAX 65536

enum feature { WORD, PAIR, GRAM, STOP_WORD };
static const float weights[] = {
	[WORD] = 1.0f, [PAIR] = 0.5f, [GRAM] = 0.3f, [STOP_WORD] = 0.1f,
};

struct entry {
	uint64_t hash; /* never 0 in an entry that is used */
	uint32_t count;
	uint32_t feature;
};

struct counter {
	struct entry *table;
	size_t cap, used; /* cap is a power of two */
	float *out;
	size_t dim;
};

/* The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static uint64_t hash_run(enum feature feature, const uint32_t *cp, size_t n)
{
	uint64_t h = HASH_SEED + feature;
	size_t i;

	for (i = 0; i < n; i++)
		h = mix(h + cp[i] + UINT64_C(0x9e3779b97f4a7c15));
	return h;
}

/* ln(n) by the series of 2 atanh((m-1)/(m+1)): the C library's logf() may
 * differ in the last bit from one machine to the next. */
static double ln_of(uint32_t n)
{
	int shift = 31 - __builtin_clz(n), k;
	double m = (double)n / (double)(UINT32_C(1) << shift);
	double t = (m - 1) / (m + 1), sum = 0;

	for (k = 27; k > 0; k -= 2)
		sum = sum * t * t + 1.0 / k;
	return 2 * t * sum + shift * 0.69314718055994530942;
}

static void flush(struct counter *c)
{
	const struct entry *e;
	float w;

	for (e = c->table; e < c->table + c->cap; e++) {
		if (e->count == 0)
			continue;
		w = (float)(weights[e->feature] * (1 + ln_of(e->count)));
		c->out[e->hash % c->dim] += e->hash >> 63 ? -w : w;
	}
	memset(c->table, 0, c->cap * sizeof(*c->table));
	c->used = 0;
}

static void count(struct counter *c, enum feature feature, uint64_t hash)
{
	size_t i;

	if (c->used >= c->cap / 4 * 3)
		flush(c);
	for (i = hash & (c->cap - 1); c->table[i].count > 0;
	     i = (i + 1) & (c->cap - 1)) {
		if (c->table[i].hash == hash) {
			c->table[i].count++;
			return;
		}
	}
	c->table[i] = (struct entry){ hash, 1, feature };
	c->used++;
}

static void count_grams(struct counter *c, const struct ai_words *w)
{
	uint32_t run[AI_WORD_MAX + 2];
	size_t n = w->n + 2, len, i;

	run[0] = run[n - 1] = EDGE;
	memcpy(run + 1, w->cp, w->n * sizeof(run[0]));
	for (len = GRAM_MIN; len <= GRAM_MAX && len <= n; len++)
		for (i = 0; i + len <= n; i++)
			count(c, GRAM, hash_run(GRAM, run + i, len));
}

static bool is_stop(const struct ai_words *w)
{
	char ascii[AI_WORD_MAX];
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (w->cp[i] >= 0x80)
			return false;
		ascii[i] = (char)w->cp[i];
	}
	return ai_stop_word(ascii, w->n);
}

static void count_text(struct counter *c, const char *text, size_t n)
{
	struct ai_words w;
	uint64_t last = 0, hash;

	ai_words_init(&w, text, n);
	while (ai_words_next(&w)) {
		hash = hash_run(WORD, w.cp, w.n);
		if (is_stop(&w)) {
			count(c, STOP_WORD, hash);
			continue;
		}
		count(c, WORD, hash);
		count_grams(c, &w);
		if (last != 0)
			count(c, PAIR, mix(last * 3 + hash));
		last = hash;
	}
	flush(c);
}

int ai_vector_hash(const char *text, size_t n, size_t dim, float *out,
		   struct ai_err *err)
{
	struct counter c = { .cap = TABLE_MIN, .out = out, .dim = dim };

	if (dim < AI_VECTOR_HASH_DIM_MIN || dim > AI_VECTOR_HASH_DIM_MAX)
		return ai_err_set(err, AI_E_USAGE, "local/hash has %d to %d "
				  "dimensions, not %zu", AI_VECTOR_HASH_DIM_MIN,
				  AI_VECTOR_HASH_DIM_MAX, dim);
	while (c.cap < TABLE_MAX && c.cap < n * 4)
		c.cap *= 2;
	c.table = calloc(c.cap, sizeof(*c.table));
	if (c.table == NULL)
		return ai_err_nomem(err);
	memset(out, 0, dim * sizeof(*out));
	count_text(&c, text, n);
	free(c.table);
	ai_vector_normalise(out, dim);
	return 0;
}
