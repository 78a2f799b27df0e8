#include "measure.h"

#include "base/utf8.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

#define TOKEN_BYTES 6 /* of most texts an upper bound a token */
#define BACK_TRIES 5

/* ---- code points --------------------------------------------------------- */

static bool is_inside(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Eight ASCII bytes at once; in most text nearly all are. */
static size_t reach_chars(const char *p, size_t n, size_t budget)
{
	size_t i = 0;
	uint64_t w;

	while (i < n && budget > 0) {
		if (budget >= sizeof w && n - i >= sizeof w) {
			memcpy(&w, p + i, sizeof w);
			if ((w & HIGH_BITS) == 0) {
				i += sizeof w;
				budget -= sizeof w;
				continue;
			}
		}
		for (i++; i < n && is_inside(p[i]); i++)
			;
		budget--;
	}
	return i;
}

static int chars_reach(const struct chunk_measure *m, const char *p, size_t n,
		       size_t budget, size_t *bytes, struct ai_err *err)
{
	(void)m;
	(void)err;
	*bytes = reach_chars(p, n, budget);
	return 0;
}

static int chars_back(const struct chunk_measure *m, const char *p, size_t n,
		      size_t budget, size_t *bytes, struct ai_err *err)
{
	size_t at = n;

	(void)m;
	(void)err;
	for (; at > 0 && budget > 0; budget--)
		for (at--; at > 0 && is_inside(p[at]); at--)
			;
	*bytes = n - at;
	return 0;
}

static int chars_cost(const struct chunk_measure *m, const char *p, size_t n,
		      size_t *units, struct ai_err *err)
{
	(void)m;
	(void)err;
	*units = ai_utf8_count(p, n);
	return 0;
}

const struct chunk_measure chunk_measure_chars = {
	chars_reach, chars_back, chars_cost, true, NULL
};

/* ---- tokens -------------------------------------------------------------- */

/* Looks at as much text as the budget may reach, and at more if that was too
 * little. */
static int tokens_reach(const struct chunk_measure *m, const char *p, size_t n,
			size_t budget, size_t *bytes, struct ai_err *err)
{
	struct ai_bpe_cut cut;
	size_t window = budget * TOKEN_BYTES + 64;

	for (;;) {
		window = ai_utf8_floor(p, n, window);
		if (ai_bpe_truncate(m->arg, p, window, 0, budget, &cut,
				    err) < 0)
			return -1;
		if (cut.keep < window || window >= n)
			break;
		window *= 2;
	}
	*bytes = cut.keep;
	return 0;
}

/* The first character at or behind at. */
static size_t char_from(const char *p, size_t n, size_t at)
{
	while (at < n && is_inside(p[at]))
		at++;
	return at;
}

/* How long an end of the text has that many tokens is found by trying; a
 * fifth less is near enough. */
static int tokens_back(const struct chunk_measure *m, const char *p, size_t n,
		       size_t budget, size_t *bytes, struct ai_err *err)
{
	size_t len = budget * TOKEN_BYTES * 2 / 3, from, units;

	*bytes = 0;
	for (int i = 0; i < BACK_TRIES && len > 0; i++) {
		from = len < n ? char_from(p, n, n - len) : 0;
		if (ai_bpe_count(m->arg, p + from, n - from, 0, &units,
				 err) < 0)
			return -1;
		if (units <= budget && n - from > *bytes)
			*bytes = n - from;
		if (units <= budget &&
		    (from == 0 || units >= budget - budget / 5))
			break;
		len = units > 0 ? (n - from) * budget / units : len * 2;
	}
	return 0;
}

static int tokens_cost(const struct chunk_measure *m, const char *p, size_t n,
		       size_t *units, struct ai_err *err)
{
	return ai_bpe_count(m->arg, p, n, 0, units, err);
}

const struct chunk_measure chunk_measure_tokens = {
	tokens_reach, tokens_back, tokens_cost, false, NULL
};
