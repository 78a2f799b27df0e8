/*
 * view-decode.c: what is written in base64 or in hexadecimal digits.
 *
 * A run of such characters is judged block by block: most are words, keys or
 * pictures, and decode to no text.  Where the encoding starts inside a run is
 * tried out.
 */
#include "text/view-build.h"

#include "base/utf8.h"

#include <string.h>

#define RUN_MIN 16   /* characters */
#define BLOCK 64     /* characters judged at once; a multiple of 4 */
#define LINE_MIN 60  /* base64 goes on in the next line after one so long */
#define AT_LEAST 8   /* bytes that make a text */
#define FEW 32       /* bytes of which none may be anything else */

struct code {
	size_t (*value)(char c); /* 64 or more: no digit */
	size_t digits, bytes;    /* so many digits are so many bytes */
	bool lines;              /* may be broken into lines */
};

static size_t value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (size_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (size_t)(c - 'a') + 26;
	if (ai_view_digit(c))
		return (size_t)(c - '0') + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : 64;
}

static size_t value16(char c)
{
	int x = ai_view_nibble(c);

	return x < 0 ? 64 : (size_t)x;
}

static const struct code base64 = { value64, 4, 3, true };
static const struct code hex = { value16, 2, 1, false };

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

/* The next run of RUN_MIN digits or more at or behind *to. */
static bool next_run(const struct code *c, const char *p, size_t n,
		     size_t *from, size_t *to)
{
	size_t start = *to, at = (start + 7) & ~(size_t)7;

	for (; at + 8 <= n; at = (at + 8) & ~(size_t)7) {
		if (!may_be_run(p + at))
			continue;
		for (*from = at; *from > start && c->value(p[*from - 1]) < 64;)
			--*from;
		for (*to = at; *to < n && c->value(p[*to]) < 64;)
			++*to;
		if (*to - *from >= RUN_MIN)
			return true;
		if (*to > at)
			at = *to - 1;
	}
	return false;
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
	return ++at < n && c->value(p[at]) < 64 ? at : 0;
}

/* ---- blocks -------------------------------------------------------------------- */

/* Decodes digits of p[0..n) that make whole bytes; out[] has room for BLOCK. */
static size_t decode(const struct code *c, const char *p, size_t n,
		     unsigned char *out)
{
	size_t bits = 0, have = 0, made = 0, step = 8 * c->bytes / c->digits;

	for (size_t i = 0; i < n; i++) {
		bits = bits << step | c->value(p[i]);
		have += step;
		if (have >= 8) {
			have -= 8;
			out[made++] = (unsigned char)(bits >> have);
		}
	}
	return made;
}

static bool is_printable(unsigned char c)
{
	return (c >= ' ' && c < 0x7F) || (c >= '\t' && c <= '\r');
}

/* Whether most of it is text; in UTF-16 every other byte is 0. */
static bool is_text(const unsigned char *p, size_t n)
{
	size_t bad = 0, zeros = 0, i = 0;

	while (i < n && (bad - zeros) * 4 <= n) {
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

	for (size_t off = 0; off < c->digits; off++) {
		size_t digits = n - off < BLOCK ? n - off : BLOCK;
		size_t made;

		if (off >= n)
			break;
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
	size_t step = 8 * c->bytes / c->digits;

	if (!x->open) {
		x->before = x->b->n;
		if (!ai_view_piece(x->b))
			return false;
		x->open = true;
		x->start = x->b->n;
	}
	for (size_t i = 0; i < made; i++) {
		char byte = (char)out[i];

		if (!ai_view_put(x->b, &byte, 1, from + 8 * i / step,
				 from + (8 * (i + 1) + step - 1) / step))
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
		bool more = put_line(&x, c, from, to);

		while (more && (line = next_line(c, p, n, from, to)) > 0) {
			for (from = to = line; to < n &&
			     c->value(p[to]) < 64;)
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

void ai_view_hex(struct ai_view_build *b)
{
	decode_all(b, &hex);
}
