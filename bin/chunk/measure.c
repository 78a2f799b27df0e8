#include "measure.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

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
