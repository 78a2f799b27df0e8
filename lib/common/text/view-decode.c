/*
 * view-decode.c: what is written in base64, in base32, or in hexadecimal digits.
 *
 * A run of such characters is judged block by block: most are words, keys or
 * pictures, and decode to no text.  Where the encoding starts inside a run is
 * tried out.
 */
#include "text/view-build.h"

#include "base/utf8.h"

#include <string.h>

#define RUN_MIN 16   /* characters, at least */
#define BLOCK 64     /* characters judged at once; a multiple of 8 */
#define PROBE 24     /* of these, before the others */
#define LINE_MIN 60  /* base64 goes on in the next line after one so long */
#define AT_LEAST 8   /* bytes that make a text */
#define FEW 32       /* bytes of which none may be anything else */

/* One more than what a character stands for; 0: it is no digit. */
typedef const unsigned char digit_values[256];

struct code {
	const unsigned char *value; /* digit_values */
	size_t digits;    /* so many make whole bytes */
	size_t bits;      /* of a digit */
	size_t least;     /* digits in a row */
	bool lines;       /* may be broken into lines */
	bool one_case;    /* letters are all capitals, or none is */
};

static digit_values digits64 = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
	43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['-'] = 63, ['/'] = 64, ['_'] = 64,
};

static digit_values digits32 = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['2'] = 27, 28, 29, 30, 31, 32,
};

static digit_values digits16 = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['A'] = 11, 12, 13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16,
};

/* A word of sixteen letters may be text in base32 by chance. */
static const struct code base64 = { digits64, 4, 6, RUN_MIN, true, false };
static const struct code base32 = { digits32, 8, 5, 24, false, true };
static const struct code hex = { digits16, 2, 4, RUN_MIN, false, false };

static bool is_digit(const struct code *c, char x)
{
	return c->value[(unsigned char)x] != 0;
}

/* ---- runs ---------------------------------------------------------------------- */

/* Whether eight bytes may all be digits: none is a blank or beyond ASCII. A
 * run of 15 has eight of them at a place that is a multiple of eight. */
static bool may_be_run(const char *p)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t x;

	memcpy(&x, p, 8);
	return (((x - ones * '+') | x) & high) == 0;
}

/* The next run of enough digits at or behind *to. */
static bool next_run(const struct code *c, const char *p, size_t n,
		     size_t *from, size_t *to)
{
	size_t start = *to, at = (start + 7) & ~(size_t)7;

	for (; at + 8 <= n; at = (at + 8) & ~(size_t)7) {
		if (!may_be_run(p + at))
			continue;
		for (*from = at; *from > start && is_digit(c, p[*from - 1]);)
			--*from;
		for (*to = at; *to < n && is_digit(c, p[*to]);)
			++*to;
		if (*to - *from >= c->least)
			return true;
		if (*to > at)
			at = *to - 1;
	}
	return false;
}

static bool is_one_case(const char *p, size_t from, size_t to)
{
	bool small = false, large = false;

	for (size_t i = from; i < to && !(small && large); i++) {
		small |= p[i] >= 'a';
		large |= p[i] >= 'A' && p[i] <= 'Z';
	}
	return !(small && large);
}

/* Whether there is a run that can be of this code: one of every RUN_MIN bytes is
 * in each. */
static bool has_run(const struct code *c, const char *p, size_t n)
{
	size_t from, to = 0;

	for (size_t at = 0; at < n; at += RUN_MIN) {
		if (at < to || !is_digit(c, p[at]))
			continue;
		for (from = at; from > to && is_digit(c, p[from - 1]);)
			from--;
		for (to = at; to < n && is_digit(c, p[to]);)
			to++;
		if (to - from >= c->least &&
		    (!c->one_case || is_one_case(p, from, to)))
			return true;
	}
	return false;
}

unsigned ai_view_runs(const char *p, size_t n)
{
	const unsigned all = AI_VIEW_RUN64 | AI_VIEW_RUN32 | AI_VIEW_RUN16;
	size_t from, to = 0;
	unsigned marks = 0;

	/* The digits of the others are among those of base64. */
	while (marks != all && next_run(&base64, p, n, &from, &to)) {
		marks |= AI_VIEW_RUN64;
		if (!(marks & AI_VIEW_RUN32) &&
		    has_run(&base32, p + from, to - from))
			marks |= AI_VIEW_RUN32;
		if (!(marks & AI_VIEW_RUN16) &&
		    has_run(&hex, p + from, to - from))
			marks |= AI_VIEW_RUN16;
	}
	return marks;
}

/* Where the run goes on in the next line, or 0. */
static size_t next_line(const struct code *c, const char *p, size_t n,
			size_t from, size_t to)
{
	size_t at = to;

	if (!c->lines || (to - from) % 4 != 0 || to - from < LINE_MIN)
		return 0;
	if (at < n && p[at] == '\r')
		at++;
	if (at >= n || p[at] != '\n')
		return 0;
	return ++at < n && is_digit(c, p[at]) ? at : 0;
}

/* ---- blocks -------------------------------------------------------------------- */

/* So many digits, of so many bits each, make whole bytes. */
static inline __attribute__((always_inline)) size_t
decode_by(const unsigned char *value, size_t digits, size_t bits,
	  const char *p, size_t n, unsigned char *out)
{
	size_t made = 0;

	for (size_t from = 0; from < n; from += digits) {
		size_t all = n - from < digits ? n - from : digits;
		size_t left = all * bits;
		uint64_t x = 0;

		for (size_t i = 0; i < all; i++)
			x = x << bits |
			    (value[(unsigned char)p[from + i]] - 1u);
		for (; left >= 8; left -= 8)
			out[made++] = (unsigned char)(x >> (left - 8));
	}
	return made;
}

/* Decodes digits of p[0..n) that make whole bytes; out[] has room for BLOCK.
 * Three times as fast where the numbers are constants. */
static size_t decode(const struct code *c, const char *p, size_t n,
		     unsigned char *out)
{
	if (c == &base64)
		return decode_by(digits64, 4, 6, p, n, out);
	if (c == &base32)
		return decode_by(digits32, 8, 5, p, n, out);
	return decode_by(digits16, 2, 4, p, n, out);
}

static bool is_printable(unsigned char c)
{
	return (c >= ' ' && c < 0x7F) || (c >= '\t' && c <= '\r');
}

/* What a byte is in UTF-8: a letter of ASCII, a byte that follows, the first of
 * two, three, four; what no text has; and a NUL, which UTF-16 has. */
enum { PLAIN, AFTER, TWO, THREE, FOUR, NEVER, NUL, BYTES };
#define NEVER8 NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER
#define AFTER8 AFTER, AFTER, AFTER, AFTER, AFTER, AFTER, AFTER, AFTER
#define TWO8 TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO
#define THREE8 THREE, THREE, THREE, THREE, THREE, THREE, THREE, THREE
static const unsigned char kind_of[256] = {
	NUL, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER,
	NEVER, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, NEVER, NEVER, NEVER8, NEVER8,
	[0x7F] = NEVER,
	[0x80] = AFTER8, AFTER8, AFTER8, AFTER8, AFTER8, AFTER8, AFTER8, AFTER8,
	[0xC0] = NEVER, NEVER, TWO, TWO, TWO, TWO, TWO, TWO, TWO8, TWO8, TWO8,
	[0xE0] = THREE8, THREE8,
	[0xF0] = FOUR, FOUR, FOUR, FOUR, FOUR, NEVER, NEVER, NEVER, NEVER8,
};

/* By how many more bytes may follow: how many may then, and 4 where the byte has
 * no place. */
static const unsigned char follow[4][BYTES] = {
	{ 0, 4, 1, 2, 3, 4, 4 }, { 0, 0, 1, 2, 3, 4, 4 },
	{ 0, 1, 1, 2, 3, 4, 4 }, { 0, 2, 1, 2, 3, 4, 4 },
};

#define LANES 4

/*
 * Which of the next LANES offsets are not worth a closer look, as bits: in the
 * first PROBE digits more than most bytes are clearly none of a text, never more
 * than is_text() would count.  Side by side and without branches, as nobody
 * could foresee them.
 */
static unsigned hopeless(const struct code *c, const char *p, size_t most)
{
	unsigned char out[LANES][BLOCK];
	size_t bad[LANES] = { 0 }, at[LANES], n = 0;
	unsigned found = 0;

	for (size_t k = 0; k < LANES; k++) {
		n = decode(c, p + k, PROBE, out[k]);
		at[k] = 3; /* it may begin inside a character */
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < LANES; k++) {
			size_t kind = kind_of[out[k][i]];

			at[k] = follow[at[k] & 3][kind];
			bad[k] += at[k] >> 2 & ~((kind == NUL) & i);
		}
	for (size_t k = 0; k < LANES; k++)
		found |= (unsigned)(bad[k] > most) << k;
	return found;
}

/* Whether most of it is text; in UTF-16 every other byte is 0. */
static bool is_text(const unsigned char *p, size_t n)
{
	size_t bad = 0, zeros = 0, i = 0;

	while (i < n && (bad - zeros) * 8 <= n) {
		size_t len = p[i] < 0x80 ? 1
			     : ai_utf8_len((const char *)p + i, n - i);
		/* What is cut at an end of the block counts as good. */
		bool cut = len == 0 && ((i < 3 && (p[i] & 0xC0) == 0x80) ||
					(i + 3 >= n && p[i] >= 0xC2));

		if (p[i] == 0 && i % 2 == 1)
			zeros++;
		if (len == 0 ? !cut : len == 1 && !is_printable(p[i]))
			bad++;
		i += len > 0 ? len : 1;
	}
	/* Of few bytes, one in thousands is text by chance even so. */
	if (i < n || (n < FEW && bad > 0 && zeros * 10 < n * 4))
		return false;
	return zeros * 10 >= n * 4 ? (bad - zeros) * 8 <= n : bad * 8 <= n;
}

/* The offset from which the block at p decodes to text, or SIZE_MAX. */
static size_t offset_of(const struct code *c, const char *p, size_t n)
{
	unsigned char out[BLOCK];
	unsigned skip = 0;

	for (size_t off = 0; off < c->digits && off < n; off++) {
		size_t digits = n - off < BLOCK ? n - off : BLOCK, made;

		skip = off % LANES != 0 ? skip >> 1
		       : n - off < PROBE + LANES
			       ? 0 : hopeless(c, p + off, digits * c->bits / 64);
		if (skip & 1)
			continue;
		made = decode(c, p + off, digits, out);
		if (made >= 4 && is_text(out, made))
			return off;
	}
	return SIZE_MAX;
}

/* ---- pieces -------------------------------------------------------------------- */

/* A piece: blocks of text one after the other. */
struct piece {
	struct ai_view_build *b;
	size_t start;  /* in b->n, behind the newline */
	size_t before; /* in b->n */
	bool open;
};

/* Ends the piece; one that is too short was an accident. */
static void end_piece(struct piece *x)
{
	struct ai_view_build *b = x->b;
	size_t zeros = 0, to = x->start;

	if (!x->open)
		return;
	x->open = false;
	for (size_t i = x->start; i < b->n; i++)
		zeros += b->p[i] == '\0';
	/* UTF-16: without its zeros. */
	for (size_t i = x->start; i < b->n; i++) {
		if (zeros * 10 >= (b->n - x->start) * 4 && b->p[i] == '\0')
			continue;
		b->p[to] = b->p[i];
		b->at[to] = b->at[i];
		b->end[to++] = b->end[i];
	}
	b->n = to;
	if (b->n - x->start < AT_LEAST)
		b->n = x->before;
	else
		ai_view_clean(b, x->start);
}

/* Puts the n digits at from; each byte comes from those that it has bits of. */
static bool put_block(struct piece *x, const struct code *c, size_t from,
		      size_t n)
{
	unsigned char out[BLOCK];
	size_t made = decode(c, x->b->of->text.p + from, n, out);

	if (!x->open) {
		x->before = x->b->n;
		if (!ai_view_piece(x->b))
			return false;
		x->open = true;
		x->start = x->b->n;
	}
	for (size_t i = 0; i < made; i++) {
		char byte = (char)out[i];

		if (!ai_view_put(x->b, &byte, 1, from + 8 * i / c->bits,
				 from + (8 * (i + 1) + c->bits - 1) / c->bits))
			return false;
	}
	return true;
}

/* A line of a run. */
static bool put_line(struct piece *x, const struct code *c, size_t from,
		     size_t to)
{
	const char *p = x->b->of->text.p;

	while (from < to) {
		/* A short rest belongs to the block before it. */
		size_t off = x->open && to - from < RUN_MIN
				     ? 0 : offset_of(c, p + from, to - from);
		size_t n;

		if (off != 0)
			end_piece(x);
		if (off == SIZE_MAX) {
			from += to - from < BLOCK ? to - from : BLOCK;
			continue;
		}
		from += off;
		n = to - from < BLOCK ? to - from : BLOCK;
		if (!put_block(x, c, from, n))
			return false;
		from += n;
	}
	return true;
}

static void decode_all(struct ai_view_build *b, const struct code *c)
{
	const char *p = b->of->text.p;
	size_t n = b->of->text.n, from, to = 0, line;
	struct piece x = { .b = b };

	while (next_run(c, p, n, &from, &to)) {
		bool more = !c->one_case || is_one_case(p, from, to)
				    ? put_line(&x, c, from, to) : true;

		while (more && (line = next_line(c, p, n, from, to)) > 0) {
			for (from = to = line; to < n && is_digit(c, p[to]);)
				to++;
			more = put_line(&x, c, from, to);
		}
		end_piece(&x);
		if (!more)
			break;
	}
}

void ai_view_base64(struct ai_view_build *b)
{
	decode_all(b, &base64);
}

void ai_view_base32(struct ai_view_build *b)
{
	decode_all(b, &base32);
}

void ai_view_hex(struct ai_view_build *b)
{
	decode_all(b, &hex);
}
