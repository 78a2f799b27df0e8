/*
 * view-escape.c: characters that are written as escapes: %41, &#65;, \u0041.
 *
 * What is shown is the passage round the escapes, as one of them may stand in
 * the middle of a word.
 */
#include "text/view-build.h"

#include "base/utf8.h"

#include <string.h>

#define AROUND 96 /* bytes shown before and behind an escape */
#define ENTITY_MAX 32

/* What the escape at p stands for, in out[4] and *n: its length, or 0. */
typedef size_t unescape(const char *p, size_t left, char *out, size_t *n);

/* ---- percent ------------------------------------------------------------------- */

static size_t unescape_percent(const char *p, size_t left, char *out,
			       size_t *n)
{
	int high, low;

	if (left < 3 || (high = ai_view_nibble(p[1])) < 0 ||
	    (low = ai_view_nibble(p[2])) < 0)
		return 0;
	*out = (char)(high << 4 | low);
	*n = 1;
	return 3;
}

/* ---- code points --------------------------------------------------------------- */

/* Up to max hexadecimal (or decimal) digits: how many there are. */
static size_t number(const char *p, size_t left, size_t max, unsigned base,
		     uint32_t *x)
{
	size_t i;

	*x = 0;
	for (i = 0; i < left && i < max; i++) {
		int digit = ai_view_nibble(p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			break;
		if (*x < 0x1000000)
			*x = *x * base + (unsigned)digit;
	}
	return i;
}

static bool put_code(uint32_t cp, char *out, size_t *n)
{
	if (cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		return false;
	*n = ai_utf8_encode(cp, out);
	return true;
}

/* ---- entities ------------------------------------------------------------------- */

/* Those that hide or make ASCII; of the others, letters with accents are of no
 * use to an attack. */
static const struct {
	char name[17];
	uint32_t cp;
} entities[] = {
	{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
	{ "apos", '\'' }, { "nbsp", ' ' }, { "Tab", '\t' },
	{ "NewLine", '\n' }, { "excl", '!' }, { "num", '#' },
	{ "dollar", '$' }, { "percnt", '%' }, { "lpar", '(' },
	{ "rpar", ')' }, { "ast", '*' }, { "plus", '+' }, { "comma", ',' },
	{ "period", '.' }, { "sol", '/' }, { "colon", ':' },
	{ "semi", ';' }, { "equals", '=' }, { "quest", '?' },
	{ "commat", '@' }, { "lbrack", '[' }, { "lsqb", '[' },
	{ "bsol", '\\' }, { "rbrack", ']' }, { "rsqb", ']' },
	{ "Hat", '^' }, { "lowbar", '_' }, { "grave", '`' },
	{ "lbrace", '{' }, { "lcub", '{' }, { "vert", '|' },
	{ "verbar", '|' }, { "rbrace", '}' }, { "rcub", '}' },
	{ "hyphen", '-' }, { "dash", '-' }, { "shy", 0xAD },
	{ "zwj", 0x200D }, { "zwnj", 0x200C }, { "ZeroWidthSpace", 0x200B },
	{ "NoBreak", 0x2060 }, { "ensp", ' ' }, { "emsp", ' ' },
	{ "thinsp", ' ' },
};

static size_t unescape_entity(const char *p, size_t left, char *out, size_t *n)
{
	size_t at = 1, digits;
	uint32_t cp;

	if (left < 3)
		return 0;
	if (p[1] == '#') {
		bool in_hex = (p[2] | 0x20) == 'x';

		at = in_hex ? 3 : 2;
		digits = number(p + at, left - at, ENTITY_MAX,
				in_hex ? 16 : 10, &cp);
		at += digits;
		if (digits == 0 || !put_code(cp, out, n))
			return 0;
		/* Browsers need no semicolon here. */
		return at < left && p[at] == ';' ? at + 1 : at;
	}
	while (at < left && at < ENTITY_MAX && ai_view_alpha(p[at]))
		at++;
	if (at >= left || p[at] != ';')
		return 0;
	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
		if (strlen(entities[i].name) == at - 1 &&
		    memcmp(entities[i].name, p + 1, at - 1) == 0 &&
		    put_code(entities[i].cp, out, n))
			return at + 1;
	return 0;
}

/* ---- backslashes ------------------------------------------------------------------ */

/* \u, with its other half if it is one of a pair. */
static size_t unescape_pair(const char *p, size_t left, uint32_t cp, char *out,
			    size_t *n)
{
	uint32_t low;

	if (cp < 0xD800 || cp >= 0xDC00)
		return put_code(cp, out, n) ? 6 : 0;
	if (left < 12 || p[6] != '\\' || p[7] != 'u' ||
	    number(p + 8, left - 8, 4, 16, &low) != 4 || low < 0xDC00 ||
	    low >= 0xE000)
		return 0;
	cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
	return put_code(cp, out, n) ? 12 : 0;
}

static size_t unescape_backslash(const char *p, size_t left, char *out,
				 size_t *n)
{
	static const struct {
		char letter;
		unsigned char digits, base;
	} kinds[] = { { 'x', 2, 16 }, { 'u', 4, 16 }, { 'U', 8, 16 } };
	uint32_t cp;
	size_t digits;

	if (left > 4 && p[1] == 'u' && p[2] == '{') {
		digits = number(p + 3, left - 3, 8, 16, &cp);
		return digits > 0 && 3 + digits < left &&
				       p[3 + digits] == '}' &&
				       put_code(cp, out, n)
			       ? digits + 4 : 0;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (left < 2 || p[1] != kinds[i].letter)
			continue;
		digits = kinds[i].digits;
		if (number(p + 2, left - 2, digits, kinds[i].base, &cp) !=
		    digits)
			return 0;
		if (digits == 4)
			return unescape_pair(p, left, cp, out, n);
		if (digits == 2) { /* a byte: part of a character, maybe */
			*out = (char)cp;
			*n = 1;
			return 4;
		}
		return put_code(cp, out, n) ? 2 + digits : 0;
	}
	digits = number(p + 1, left - 1, 3, 8, &cp);
	if (digits != 3 || cp > 0xFF)
		return 0;
	*out = (char)cp;
	*n = 1;
	return 4;
}

/* What a string within a string has: \" and what JSON knows beside it. */
static size_t unescape_quoted(const char *p, size_t left, char *out, size_t *n)
{
	static const char from[] = "\"\\/nrt", to[] = "\"\\/\n\r\t";
	const char *at = left < 2 || p[1] == '\0' ? NULL : strchr(from, p[1]);

	if (at == NULL)
		return unescape_backslash(p, left, out, n);
	*out = to[at - from];
	*n = 1;
	return 2;
}

/* ---- passages ---------------------------------------------------------------------- */

/* The first byte of a character at or behind at. */
static size_t whole(const char *p, size_t n, size_t at)
{
	for (int i = 0; i < 3 && at < n && (p[at] & 0xC0) == 0x80; i++)
		at++;
	return at;
}

static void unescape_all(struct ai_view_build *b, char lead, unescape *one)
{
	const char *p = b->of->text.p, *hit;
	size_t n = b->of->text.n, at = 0, done = 0, len, made;
	bool more = true, open = false;
	char out[4];

	while (more && at < n && (hit = memchr(p + at, lead, n - at))) {
		at = (size_t)(hit - p);
		len = one(hit, n - at, out, &made);
		if (len == 0) {
			at++;
			continue;
		}
		if (open && at - done > 2 * AROUND) {
			size_t to = whole(p, n, done + AROUND);

			more = ai_view_copy(b, done, to);
			done = to;
			open = false;
		}
		if (more && !open) {
			more = ai_view_piece(b);
			if (at - done > AROUND)
				done = whole(p, at, at - AROUND);
		}
		more = more && ai_view_copy(b, done, at) &&
		       ai_view_put(b, out, made, at, at + len);
		open = true;
		done = at += len;
	}
	if (open && more)
		ai_view_copy(b, done, n - done > AROUND
					      ? whole(p, n, done + AROUND) : n);
	ai_view_clean(b, 0);
}

void ai_view_percent(struct ai_view_build *b)
{
	unescape_all(b, '%', unescape_percent);
}

void ai_view_entity(struct ai_view_build *b)
{
	unescape_all(b, '&', unescape_entity);
}

void ai_view_escape(struct ai_view_build *b)
{
	struct ai_span text = b->of->text;
	bool quoted = memmem(text.p, text.n, "\\\"", 2) != NULL ||
		      strcmp(b->of->name, "escape") == 0;

	unescape_all(b, '\\', quoted ? unescape_quoted : unescape_backslash);
}
