/* put.c: writing JSON text; the second half of json.h. */
#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A comma, unless what was written last opens a list or awaits a value. */
static void comma(struct ai_buf *b)
{
	char last = b->len > 0 ? b->p[b->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		ai_buf_chr(b, ',');
}

void ai_put_open(struct ai_buf *b, char bracket)
{
	comma(b);
	ai_buf_chr(b, bracket);
}

void ai_put_close(struct ai_buf *b, char bracket)
{
	ai_buf_chr(b, bracket);
}

/* How each byte below 0x5D is written: 0 as it is, 'u' as \u00xx, else
 * behind a backslash. */
static const char escapes[] =
	"uuuuuuuubtnufruuuuuuuuuuuuuuuuuu"
	"\0\0\"\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\\";

static char escape_of(unsigned char c)
{
	return c < sizeof escapes ? escapes[c] : '\0';
}

static void escape(struct ai_buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char e[6] = { '\\', escape_of(c), '0', '0', hex[c >> 4],
		      hex[c & 15] };

	ai_buf_add(b, e, e[1] == 'u' ? 6 : 2);
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* The high bit of every byte of w that is 0 (and, above one, perhaps of
 * more: only whether the result is 0 counts). */
static uint64_t zero_in(uint64_t w)
{
	return (w - EACH(0x01)) & ~w & EACH(0x80);
}

/* How many bytes at p need no escape; eight at once while it lasts. */
static size_t plain_len(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; n - i >= sizeof w; i += sizeof w) {
		memcpy(&w, p + i, sizeof w);
		if (((w - EACH(0x20)) & ~w & EACH(0x80)) != 0 ||
		    zero_in(w ^ EACH('"')) != 0 ||
		    zero_in(w ^ EACH('\\')) != 0)
			break;
	}
	while (i < n && !escape_of((unsigned char)p[i]))
		i++;
	return i;
}

/* The slow way, which needs no more room than what it writes. */
static void put_runs(struct ai_buf *b, const char *p, size_t n)
{
	size_t i = 0, plain;

	while (i < n) {
		plain = i;
		i += plain_len(p + i, n - i);
		ai_buf_add(b, p + plain, i - plain);
		if (i < n)
			escape(b, (unsigned char)p[i++]);
	}
}

#ifdef __SSE2__
#define AT_ONCE 16

/* Copies what stands at p and says where in it the first byte to escape is:
 * AT_ONCE, nowhere. */
static size_t copy_some(char *to, const char *p)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i low = _mm_min_epu8(v, _mm_set1_epi8(0x1F));
	const __m128i bad = _mm_or_si128(
		_mm_cmpeq_epi8(low, v),
		_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
			     _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
	int mask = _mm_movemask_epi8(bad);

	_mm_storeu_si128((__m128i *)(void *)to, v);
	return mask == 0 ? AT_ONCE : (size_t)__builtin_ctz((unsigned)mask);
}
#else
#define AT_ONCE 8

static size_t copy_some(char *to, const char *p)
{
	memcpy(to, p, AT_ONCE);
	return plain_len(p, AT_ONCE);
}
#endif

/* Room that is there, and may be used. */
static size_t room_of(const struct ai_buf *b)
{
	size_t end = b->cap < b->max ? b->cap : b->max;

	return end > b->len && b->bad == AI_E_NONE ? end - b->len : 0;
}

void ai_put_inside(struct ai_buf *b, const char *p, size_t n)
{
	size_t i = 0, k;

	/* In a text a line ends every few words. */
	while (n - i >= AT_ONCE) {
		size_t want = n - i + 2 * AT_ONCE;

		if (room_of(b) < 2 * AT_ONCE &&
		    (b->bad != AI_E_NONE || want > b->max - b->len ||
		     ai_buf_reserve(b, want) < 0 ||
		     room_of(b) < 2 * AT_ONCE))
			break;
		k = copy_some(b->p + b->len, p + i);
		i += k;
		b->len += k;
		if (k == AT_ONCE)
			continue;
		b->p[b->len] = '\\';
		b->p[b->len + 1] = escape_of((unsigned char)p[i]);
		if (b->p[b->len + 1] == 'u')
			escape(b, (unsigned char)p[i]);
		else
			b->len += 2;
		i++;
	}
	put_runs(b, p + i, n - i);
	ai_buf_add(b, "", 0); /* the NUL behind it */
}

#ifdef __SSE2__
static unsigned bits(__m128i mask)
{
	return (unsigned)__builtin_popcount((unsigned)_mm_movemask_epi8(mask));
}

/* How much longer AT_ONCE bytes get. */
static size_t more_of(const char *p)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)),
					   v);
	/* Backspace to carriage return, but for the vertical tab. */
	const __m128i shift = _mm_sub_epi8(v, _mm_set1_epi8('\b'));
	const __m128i known = _mm_andnot_si128(
		_mm_cmpeq_epi8(v, _mm_set1_epi8('\v')),
		_mm_cmpeq_epi8(_mm_min_epu8(shift, _mm_set1_epi8(5)), shift));
	const __m128i bad = _mm_or_si128(
		low, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
				  _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));

	return bits(bad) + 4 * (bits(low) - bits(known));
}
#else
static size_t more_of(const char *p)
{
	size_t more = 0;

	for (size_t i = 0; i < AT_ONCE; i++)
		if (escape_of((unsigned char)p[i]))
			more += escape_of((unsigned char)p[i]) == 'u' ? 5 : 1;
	return more;
}
#endif

size_t ai_put_length(const char *p, size_t n)
{
	size_t i = 0, more = 0;
	char e;

	for (; n - i >= AT_ONCE; i += AT_ONCE)
		more += more_of(p + i);
	for (; i < n; i++) {
		e = escape_of((unsigned char)p[i]);
		more += e == '\0' ? 0 : e == 'u' ? 5 : 1;
	}
	return n + more;
}

static void quote(struct ai_buf *b, const char *p, size_t n)
{
	size_t i = plain_len(p, n);
	char *to;

	/* Most are names and short words. */
	if (i == n && n < b->max && ai_buf_reserve(b, n + 2) == 0) {
		to = b->p + b->len;
		to[0] = '"';
		if (n > 0)
			memcpy(to + 1, p, n);
		to[n + 1] = '"';
		to[n + 2] = '\0';
		b->len += n + 2;
		return;
	}
	ai_buf_chr(b, '"');
	ai_buf_add(b, p, i);
	ai_put_inside(b, p + i, n - i);
	ai_buf_chr(b, '"');
}

void ai_put_key_text(struct ai_buf *b, const char *name)
{
	comma(b);
	quote(b, name, strlen(name));
	ai_buf_chr(b, ':');
}

void ai_put_key_word(struct ai_buf *b, const char *name, size_t n)
{
	char *to;

	comma(b);
	if (ai_buf_reserve(b, n + 3) < 0)
		return;
	to = b->p + b->len;
	to[0] = '"';
	memcpy(to + 1, name, n);
	memcpy(to + n + 1, "\":", 3);
	b->len += n + 3;
}

void ai_put_str(struct ai_buf *b, const char *p, size_t n)
{
	comma(b);
	quote(b, p, n);
}

void ai_put_cstr(struct ai_buf *b, const char *s)
{
	if (s == NULL)
		ai_put_null(b);
	else
		ai_put_str(b, s, strlen(s));
}

void ai_put_i64(struct ai_buf *b, int64_t v)
{
	char text[20];
	size_t at = sizeof text;
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		text[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		text[--at] = '-';
	comma(b);
	ai_buf_add(b, text + at, sizeof text - at);
}

void ai_put_f64(struct ai_buf *b, double v)
{
	char text[32];

	if (!isfinite(v)) {
		ai_put_null(b);
		return;
	}
	/* 17 digits always suffice; most numbers need far fewer. */
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	comma(b);
	ai_buf_str(b, text);
}

void ai_put_bool(struct ai_buf *b, bool v)
{
	comma(b);
	ai_buf_str(b, v ? "true" : "false");
}

void ai_put_null(struct ai_buf *b)
{
	comma(b);
	ai_buf_str(b, "null");
}

void ai_put_raw(struct ai_buf *b, const char *p, size_t n)
{
	comma(b);
	ai_buf_add(b, p, n);
}

void ai_put_value(struct ai_buf *b, struct ai_value v)
{
	if (v.kind == AI_NONE)
		ai_put_null(b);
	else
		ai_put_raw(b, v.s.p, v.s.n);
}
