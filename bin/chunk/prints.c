/* prints.c: the shingles of passages. */
#include "dedup.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 3 /* a shingle */

/* ---- words --------------------------------------------------------------- */

/* Scripts without blanks between words: each character is one. */
static bool stands_alone(uint32_t cp)
{
	return (cp >= 0x0E00 && cp < 0x0F00) || /* Thai, Lao */
		(cp >= 0x1000 && cp < 0x10A0) || /* Myanmar */
		(cp >= 0x1780 && cp < 0x1800) || /* Khmer */
		(cp >= 0x2E80 && cp < 0xA000) || /* Chinese, Japanese */
		(cp >= 0xF900 && cp < 0xFB00) || cp >= 0x20000;
}

static bool is_blank(uint32_t cp)
{
	return cp == 0xA0 || (cp >= 0x2000 && cp < 0x2070) ||
		(cp >= 0x3000 && cp < 0x3004) || cp == 0xFEFF;
}

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool in_word(unsigned char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= MULTIPLIER;
	return h ^ h >> 29;
}

static uint64_t step(uint64_t h, unsigned char c)
{
	return (h ^ c) * UINT64_C(0x100000001B3);
}

/* ---- shingles ------------------------------------------------------------ */

struct shingling {
	uint64_t seed, word;
	uint64_t last[WORDS]; /* the words before, the newest first */
	size_t words;
	uint32_t *out;
	size_t n;
};

static void put(struct shingling *s)
{
	uint64_t h = s->seed;

	for (size_t i = 0; i < WORDS; i++)
		h = mix(h ^ s->last[i]) + MULTIPLIER;
	s->out[s->n++] = (uint32_t)(mix(h) >> 32);
}

static void end_word(struct shingling *s)
{
	if (s->word == s->seed)
		return;
	memmove(s->last + 1, s->last, sizeof s->last - sizeof *s->last);
	s->last[0] = mix(s->word);
	s->word = s->seed;
	if (++s->words >= WORDS)
		put(s);
}

static void read_words(struct shingling *s, const char *p, size_t n)
{
	uint32_t cp;
	size_t k;

	for (size_t i = 0; i < n; i += k) {
		unsigned char c = (unsigned char)p[i];

		k = 1;
		if (c < 0x80 && in_word(c)) {
			s->word = step(s->word, lower(c));
			continue;
		}
		if (c >= 0x80)
			k = ai_utf8_decode(p + i, n - i, &cp);
		if (k == 0)
			k = 1;
		if (c < 0x80 || is_blank(cp)) {
			end_word(s);
			continue;
		}
		if (stands_alone(cp))
			end_word(s);
		for (size_t j = 0; j < k; j++)
			s->word = step(s->word, (unsigned char)p[i + j]);
		if (stands_alone(cp))
			end_word(s);
	}
	end_word(s);
}

/* ---- sets ---------------------------------------------------------------- */

/* By the four bytes, from the last: most sets are short. */
static void sort(uint32_t *v, uint32_t *room, size_t n)
{
	size_t count[4][256];
	uint32_t *from = v, *to = room, *swap;

	memset(count, 0, sizeof count);
	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < 4; b++)
			count[b][v[i] >> 8 * b & 0xFF]++;
	for (size_t b = 0; b < 4; b++) {
		size_t at = 0, here;

		for (size_t i = 0; i < 256; i++) {
			here = count[b][i];
			count[b][i] = at;
			at += here;
		}
		for (size_t i = 0; i < n; i++)
			to[count[b][from[i] >> 8 * b & 0xFF]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
}

static size_t unique(uint32_t *v, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (i == 0 || v[i] != v[i - 1])
			v[k++] = v[i];
	return k;
}

void chunk_prints_clear(struct chunk_prints *ps)
{
	ps->n = ps->n_hashes = 0;
}

void chunk_prints_release(struct chunk_prints *ps)
{
	free(ps->hashes);
	free(ps->v);
	memset(ps, 0, sizeof *ps);
}

static int make_room(struct chunk_prints *ps, size_t hashes,
		     struct ai_err *err)
{
	size_t cap = ps->cap_hashes + ps->cap_hashes / 2 + hashes;
	void *more;

	if (ps->n_hashes + hashes > ps->cap_hashes) {
		more = reallocarray(ps->hashes, cap, sizeof *ps->hashes);
		if (more == NULL)
			return ai_err_nomem(err);
		ps->hashes = more;
		ps->cap_hashes = cap;
	}
	if (ps->n < ps->cap)
		return 0;
	cap = ps->cap * 2 + 16;
	more = reallocarray(ps->v, cap, sizeof *ps->v);
	if (more == NULL)
		return ai_err_nomem(err);
	ps->v = more;
	ps->cap = cap;
	return 0;
}

int chunk_prints_add(struct chunk_prints *ps, const char *p, size_t n,
		     struct chunk_key key, struct ai_err *err)
{
	struct shingling s = { .seed = ps->seed, .word = ps->seed };
	struct chunk_print *print;

	/* Each byte may end a word, and sorting needs as much again. */
	if (make_room(ps, 2 * (n + 2), err) < 0)
		return -1;
	s.out = ps->hashes + ps->n_hashes;
	read_words(&s, p, n);
	if (s.n == 0) {
		/* Too short: what words there are, or else all of its bytes. */
		for (size_t i = 0; s.words == 0 && i < n; i++)
			s.last[0] = step(s.last[0], (unsigned char)p[i]);
		put(&s);
	}
	sort(s.out, s.out + s.n, s.n);
	print = &ps->v[ps->n++];
	*print = (struct chunk_print){ key, ps->n_hashes, unique(s.out, s.n) };
	ps->n_hashes += print->n;
	return 0;
}
