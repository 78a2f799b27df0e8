#include "text/entity.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/entity-table.h"

#define NAME_MAX_LEN 31
#define N_ENTITIES (sizeof entities / sizeof *entities)

/* 0x80 to 0x9F, as browsers take them: those of Windows. */
static const uint16_t windows[32] = {
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static size_t by_number(const char *p, size_t n, char *out, size_t *len)
{
	bool in_hex = n > 2 && (p[2] | 0x20) == 'x';
	size_t i = in_hex ? 3 : 2, first = i;
	int base = in_hex ? 16 : 10;
	uint32_t cp = 0;

	for (; i < n && digit_of(p[i]) < base; i++)
		if (cp <= 0x10FFFF)
			cp = cp * (uint32_t)base + (uint32_t)digit_of(p[i]);
	if (i == first)
		return 0;
	if (cp >= 0x80 && cp < 0xA0)
		cp = windows[cp - 0x80];
	if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		cp = 0xFFFD;
	*len = ai_utf8_encode(cp, out);
	return i + (i < n && p[i] == ';');
}

/* The row of this name, or N_ENTITIES. */
static size_t row_of(const char *name, size_t n)
{
	size_t lo = 0, hi = N_ENTITIES;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strncmp(entities[mid].name, name, n);

		if (order == 0 && entities[mid].name[n] == '\0')
			return mid;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return N_ENTITIES;
}

static void put(size_t row, char *out, size_t *len)
{
	*len = ai_utf8_encode(entities[row].a, out);
	if (entities[row].b != 0)
		*len += ai_utf8_encode(entities[row].b, out + *len);
}

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
					 (c | 0x20) <= 'z');
}

size_t ai_entity(const char *p, size_t n, char out[AI_ENTITY_BYTES],
		 size_t *len)
{
	size_t i = 1, row;

	if (n > 1 && p[1] == '#')
		return by_number(p, n, out, len);
	while (i < n && i <= NAME_MAX_LEN && is_name(p[i]))
		i++;
	if (i < n && i > 1 && p[i] == ';' &&
	    (row = row_of(p + 1, i - 1)) < N_ENTITIES) {
		put(row, out, len);
		return i + 1;
	}
	/* The longest beginning that needs no semicolon. */
	for (; i > 1; i--) {
		row = row_of(p + 1, i - 1);
		if (row < N_ENTITIES && entities[row].bare) {
			put(row, out, len);
			return i;
		}
	}
	return 0;
}
