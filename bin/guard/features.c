#include "features.h"

#include "text/words.h"

#include <math.h>

#define K0 UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio */
#define K1 UINT64_C(0xD1B54A32D192ED03)
#define LENGTH_RATE .3
#define LENGTH_UNIT 300
#define LENGTH_MAX ((size_t)16 << 10)
#define SIGNS 3 /* in a row that are read as letters */

void feature_words_init(struct feature_words *w, const char *text, size_t n)
{
	w->text = text;
	w->n = n;
	w->at = 0;
	w->before = 0;
	w->first = true;
}

/* What bytes that are in no word are to the next one. */
static bool ends_sentence(unsigned char c)
{
	return c == '.' || c == '!' || c == '?' || c == ':' || c == '\n' ||
	       c == ';';
}

/* ASCII: 0 for what is in no word, else the lower case. */
static unsigned char lower(unsigned char c)
{
	if (c - '0' + 0u < 10u)
		return c;
	return (c | 32) - 'a' + 0u < 26u ? c | 32 : 0;
}

/* What a sign between two letters, or a digit beside one, is read as: m0re,
 * m@de.  0: as it is. */
static unsigned char as_letter(unsigned char c)
{
	static const unsigned char letters[128] = {
		['0'] = 'o', ['1'] = 'i', ['3'] = 'e', ['4'] = 'a',
		['5'] = 's', ['7'] = 't', ['8'] = 'b', ['9'] = 'g',
		['@'] = 'a', ['$'] = 's', ['!'] = 'i',
	};

	return letters[c & 127];
}

static bool is_letter(unsigned char c)
{
	return (c | 32) - 'a' + 0u < 26u;
}

/* The signs between two words, one for a run of the same. */
static void note_sign(struct feature_words *w, unsigned char c)
{
	if (ends_sentence(c))
		w->first = true;
	if (c == ' ' || c == '\t' || c == '\r' || (w->before & 0xFF) == c)
		return;
	w->before = (w->before >> 8) * 0x9E3779u << 8 | c;
}

/* A word while it is read. */
struct taking {
	uint64_t hash, last; /* four letters, 16 bits each */
	size_t n;
};

/* 1 is written for l as well as for i, so these are one letter. */
static inline void take(struct feature_word *x, struct taking *t, uint32_t cp)
{
	if (cp == 'l')
		cp = 'i';
	t->hash = (t->hash ^ cp) * K0;
	t->hash ^= t->hash >> 29;
	t->last = t->last << 16 | (cp & 0xFFFF);
	if (++t->n == FEATURES_STEM)
		x->stem = t->hash;
	else if (t->n > FEATURES_STEM && x->n_grams < FEATURES_GRAMS)
		x->grams[x->n_grams++] = t->last;
}

/* The end counts like a letter. */
static void taken(struct feature_word *x, const struct taking *t)
{
	uint64_t c = t->last & 0xFFFF;

	x->mute = t->n == 1 ? c < 128 && c != 'a' && c != 'i' :
		  t->n == 2 && (c <= '9' || (t->last >> 16) <= '9');
	x->hash = t->hash;
	if (t->n >= FEATURES_STEM && x->n_grams < FEATURES_GRAMS)
		x->grams[x->n_grams++] = t->last << 16;
}

/* The word at x->from as words.h has it. */
static bool any_word(struct feature_words *w, struct feature_word *x)
{
	struct ai_words words;
	struct taking t = { 0, 0, 0 };

	ai_words_init(&words, w->text + w->at, w->n - w->at);
	if (!ai_words_next(&words)) {
		w->at = w->n;
		return false;
	}
	x->stem = 0;
	x->n_grams = 0;
	for (size_t i = 0; i < words.n; i++)
		take(x, &t, words.cp[i]);
	taken(x, &t);
	w->at = (size_t)(words.p - w->text);
	x->to = w->at;
	/* words.h has passed what ended the word. */
	if (x->to > x->from && (unsigned char)w->text[x->to - 1] < 0x80 &&
	    lower((unsigned char)w->text[x->to - 1]) == 0) {
		x->to--;
		note_sign(w, (unsigned char)w->text[x->to]);
	}
	return true;
}

/* Whether a letter stands behind s[at], or behind signs that are read as
 * letters: the 0 of 07her. */
static bool before_letter(const unsigned char *s, size_t n, size_t at)
{
	for (size_t k = 1; k <= SIGNS && at + k < n; k++) {
		if (is_letter(s[at + k]))
			return true;
		if (as_letter(s[at + k]) == 0 || s[at + k] >= 0x80)
			return false;
	}
	return false;
}

bool feature_words_next(struct feature_words *w, struct feature_word *x)
{
	const unsigned char *s = (const unsigned char *)w->text;
	struct taking t = { 0, 0, 0 };
	size_t at = w->at;
	bool after; /* what was taken last is a letter */
	unsigned char c;

	for (; at < w->n && s[at] < 0x80 && lower(s[at]) == 0; at++)
		note_sign(w, s[at]);
	x->first = w->first;
	x->before = w->before;
	w->first = false;
	w->before = 0;
	w->at = x->from = at;
	if (at == w->n)
		return false;
	x->stem = 0;
	x->n_grams = 0;
	after = false;
	for (; at < w->n && t.n < AI_WORD_MAX; at++) {
		if (s[at] >= 0x80)
			return any_word(w, x);
		c = lower(s[at]);
		if (c < 'a') {
			bool before = before_letter(s, w->n, at);
			unsigned char as = as_letter(s[at]);

			if (c == 0 && !(after && before && as != 0))
				break;
			after = (after || before) && as != 0;
			if (after)
				c = as;
		} else {
			after = true;
		}
		take(x, &t, c);
	}
	taken(x, &t);
	w->at = x->to = at;
	return true;
}

static uint32_t place(uint64_t a, uint64_t b, unsigned bits)
{
	uint64_t h = (a ^ (b << 31 | b >> 33)) * K1;

	return (uint32_t)((h ^ h >> 32) * K0 >> (64 - bits));
}

size_t features_of(const struct feature_word *x, const struct feature_word *b,
		   const struct feature_word *a, unsigned bits,
		   uint32_t out[FEATURES_MAX])
{
	size_t n = 0;
	uint64_t stem = x->stem != 0 ? x->stem : x->hash;

	if (x->mute)
		return 0;
	out[n++] = place(x->hash, 1, bits);
	out[n++] = place(stem, 2, bits);
	out[n++] = place(x->hash, x->first ? 13 : 17, bits);
	for (size_t i = 0; i < x->n_grams; i++)
		out[n++] = place(x->grams[i], 19, bits);
	if (x->before != 0) {
		out[n++] = place(x->before, 23, bits);
		out[n++] = place(x->hash, x->before * UINT64_C(29), bits);
	}
	if (b == NULL)
		return n;
	out[n++] = place(x->hash, b->hash * 3, bits);
	out[n++] = place(stem, (b->stem != 0 ? b->stem : b->hash) * 5, bits);
	if (a == NULL)
		return n;
	out[n++] = place(x->hash, a->hash * 7, bits);
	out[n++] = place(x->hash, b->hash * 9 + a->hash * 11, bits);
	return n;
}

double features_scale(size_t words)
{
	return 1 / sqrt((double)(words < 4 ? 4 : words) * FEATURES_WORDS);
}

/* Past LENGTH_MAX it does not grow: nobody is to hide in a long text. */
double features_length(size_t bytes)
{
	size_t n = bytes < LENGTH_MAX ? bytes : LENGTH_MAX;

	return LENGTH_RATE * log1p((double)n / LENGTH_UNIT);
}
