/*
 * view-codes.c: text that is written as a list of numbers, one for each letter:
 * 115 97 109, or 73 61 6d, 0x73, 163 141 155, 01110011.
 *
 * Which numbers these are is found out by what comes of them: the way of reading
 * that gives most letters is taken.
 */
#include "text/view-build.h"

#include <string.h>

#define LEAST 8   /* numbers in a row */
#define GAP_MAX 4 /* bytes between two */
#define BITS 8

enum base { DECIMAL, HEX, OCTAL, BINARY, BASES };

/* A number as it stands there, and what it is in each base; 0: nothing. */
struct number {
	size_t from, to; /* to == from: there is none */
	char read[BASES];
};

/* Numbers in a row. */
struct row {
	size_t from, to;
	size_t n, letters[BASES]; /* n is 0: that base does not fit */
	bool fits[BASES];
};

static bool is_alnum(char c)
{
	return ai_view_alpha(c) || ai_view_digit(c);
}

/* Of one character of ASCII that a text has. */
static char printable(unsigned x)
{
	return (x >= ' ' && x < 0x7F) || (x >= '\t' && x <= '\r') ? (char)x : 0;
}

static char read_as(const char *p, size_t n, unsigned base)
{
	unsigned x = 0;

	for (size_t i = 0; i < n; i++) {
		int d = ai_view_nibble(p[i]);

		if (d < 0 || (unsigned)d >= base)
			return 0;
		x = x * base + (unsigned)d;
	}
	return printable(x);
}

/* The number that begins at at, where no letter or digit stands before. */
static struct number read_number(const char *p, size_t n, size_t at)
{
	struct number x = { .from = at, .to = at };
	size_t len;

	if (n - at > 2 && p[at] == '0' && (p[at + 1] | 0x20) == 'x')
		at += 2;
	while (x.to < n && x.to - x.from <= BITS && is_alnum(p[x.to]))
		x.to++;
	len = x.to - at;
	if (len == 2 || len == 3)
		x.read[DECIMAL] = at == x.from ? read_as(p + at, len, 10) : 0;
	if (len == 2)
		x.read[HEX] = read_as(p + at, len, 16);
	if (len == 3)
		x.read[OCTAL] = read_as(p + at, len, 8);
	if (len == BITS || len == BITS - 1)
		x.read[BINARY] = read_as(p + at, len, 2);
	if (len > BITS)
		x.to = x.from;
	return x;
}

/* Where the next number would begin behind one, or n. */
static size_t next_number(const char *p, size_t n, size_t at)
{
	size_t end = n - at < GAP_MAX ? n : at + GAP_MAX, i = at;

	while (i < end && p[i] != '\0' && !(p[i] & 0x80) && !is_alnum(p[i]))
		i++;
	return i > at && i < n && ai_view_digit(p[i]) ? i : n;
}

static bool add(struct row *r, const struct number *x)
{
	bool fits[BASES], any = false;

	for (int k = 0; k < BASES; k++) {
		fits[k] = x->read[k] != 0 && (r->n == 0 || r->fits[k]);
		any |= fits[k];
	}
	if (!any)
		return false;
	if (r->n++ == 0)
		r->from = x->from;
	r->to = x->to;
	for (int k = 0; k < BASES; k++) {
		r->fits[k] = fits[k];
		r->letters[k] += ai_view_alpha(x->read[k]) ||
				 x->read[k] == ' ';
	}
	return true;
}

/* How a row is read: BASES if it is no text. */
static enum base base_of(const struct row *r)
{
	int best = BASES;

	for (int k = 0; k < BASES && r->n >= LEAST; k++)
		if (r->fits[k] && 2 * r->letters[k] > r->n &&
		    (best == BASES || r->letters[k] > r->letters[best]))
			best = k;
	return (enum base)best;
}

static bool put_row(struct ai_view_build *b, const struct row *r)
{
	const char *p = b->of->text.p;
	size_t n = b->of->text.n, at = r->from;
	enum base base = base_of(r);

	if (base == BASES)
		return true;
	if (!ai_view_piece(b))
		return false;
	while (at < r->to) {
		struct number x = read_number(p, n, at);

		if (!ai_view_put(b, &x.read[base], 1, x.from, x.to))
			return false;
		at = next_number(p, n, x.to);
	}
	return true;
}

/* Bits without anything between: behind the last of a multiple of eight, or at
 * itself. */
static size_t end_of_bits(const char *p, size_t n, size_t at)
{
	size_t i = at;

	while (i < n && (p[i] == '0' || p[i] == '1'))
		i++;
	return (i - at) % BITS != 0 || (i < n && is_alnum(p[i])) ? at : i;
}

static bool put_bits(struct ai_view_build *b, size_t from, size_t to)
{
	const char *p = b->of->text.p;
	struct row r = { .n = 0 };

	for (size_t at = from; at < to; at += BITS) {
		struct number x = { at, at + BITS,
				    { [BINARY] = read_as(p + at, BITS, 2) } };

		if (!add(&r, &x))
			return true;
	}
	if (base_of(&r) == BASES)
		return true;
	if (!ai_view_piece(b))
		return false;
	for (size_t at = from; at < to; at += BITS) {
		char c = read_as(p + at, BITS, 2);

		if (!ai_view_put(b, &c, 1, at, at + BITS))
			return false;
	}
	return true;
}

/* A row that begins at at, or bits; returns where to go on. */
static size_t look_at(struct ai_view_build *b, size_t at, bool *more)
{
	const char *p = b->of->text.p;
	size_t n = b->of->text.n, next = at;
	struct row r = { .n = 0 };
	struct number x;

	if (p[at] == '0' || p[at] == '1') {
		next = end_of_bits(p, n, at);
		if (next - at >= LEAST * BITS) {
			*more = put_bits(b, at, next);
			return next;
		}
	}
	for (next = at; next < n; next = next_number(p, n, x.to)) {
		x = read_number(p, n, next);
		if (x.to == x.from || !add(&r, &x))
			break;
	}
	*more = put_row(b, &r);
	if (r.n > 0)
		return r.to;
	while (at < n && is_alnum(p[at]))
		at++;
	return at;
}

void ai_view_codes(struct ai_view_build *b)
{
	const char *p = b->of->text.p;
	size_t n = b->of->text.n, at = 0;
	bool more = true;

	while (more && (at = ai_view_next_digit(p, at, n)) < n)
		if (at > 0 && is_alnum(p[at - 1]))
			while (at < n && is_alnum(p[at]))
				at++;
		else
			at = look_at(b, at, &more);
	ai_view_clean(b, 0);
}
