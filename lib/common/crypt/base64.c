#include "crypt/base64.h"

#include <sodium.h>
#include <stdint.h>

static const char chars64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a character, and 1; 0: it has none. */
#define TEN(c, v) [c] = v, [c + 1] = v + 1, [c + 2] = v + 2, [c + 3] = v + 3, \
	[c + 4] = v + 4, [c + 5] = v + 5, [c + 6] = v + 6, [c + 7] = v + 7, \
	[c + 8] = v + 8, [c + 9] = v + 9
#define SIX(c, v) [c] = v, [c + 1] = v + 1, [c + 2] = v + 2, [c + 3] = v + 3, \
	[c + 4] = v + 4, [c + 5] = v + 5
static const unsigned char bits64[256] = {
	TEN('A', 1), TEN('K', 11), SIX('U', 21), TEN('a', 27), TEN('k', 37),
	SIX('u', 47), TEN('0', 53), ['+'] = 63, ['/'] = 64,
};

/* Whole groups of three bytes. */
static char *put_groups(char *to, const unsigned char *p, size_t n)
{
	for (; n >= 3; p += 3, n -= 3, to += 4) {
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		to[0] = chars64[v >> 18];
		to[1] = chars64[v >> 12 & 63];
		to[2] = chars64[v >> 6 & 63];
		to[3] = chars64[v & 63];
	}
	return to;
}

int ai_base64_encode(struct ai_buf *out, const void *p, size_t n)
{
	size_t chars = n > SIZE_MAX / 2 ? SIZE_MAX : (n + 2) / 3 * 4;
	const unsigned char *b = p;
	char *to;

	if (ai_buf_reserve(out, chars) < 0)
		return -1;
	to = put_groups(out->p + out->len, b, n);
	b += n / 3 * 3;
	if (n % 3 > 0) {
		to[0] = chars64[b[0] >> 2];
		to[1] = chars64[(b[0] << 4 & 63) | (n % 3 == 2 ? b[1] >> 4
							       : 0)];
		to[2] = n % 3 == 2 ? chars64[b[1] << 2 & 63] : '=';
		to[3] = '=';
		to += 4;
	}
	*to = '\0';
	out->len += chars;
	return 0;
}

size_t ai_base64_bytes(size_t n)
{
	static const size_t rest[] = { 0, 0, 1, 2 };

	return n % 4 == 1 ? SIZE_MAX : n / 4 * 3 + rest[n % 4];
}

/* Four characters, of which those that are not there count as 'A'; -1: one of
 * them has no bits. */
static int64_t group(const unsigned char *p, size_t n)
{
	uint32_t v = 0, b;

	for (size_t i = 0; i < 4; i++) {
		b = i < n ? bits64[p[i]] : 1;
		if (b == 0)
			return -1;
		v = v << 6 | (b - 1);
	}
	return v;
}

int ai_base64_decode(const char *p, size_t n, void *out)
{
	const unsigned char *c = (const unsigned char *)p;
	size_t rest = n % 4;
	unsigned char *to = out;
	int64_t v;

	if (rest == 1)
		return -1;
	for (; n >= 4; c += 4, n -= 4, to += 3) {
		v = group(c, 4);
		if (v < 0)
			return -1;
		to[0] = (unsigned char)(v >> 16);
		to[1] = (unsigned char)(v >> 8);
		to[2] = (unsigned char)v;
	}
	if (rest == 0)
		return 0;
	v = group(c, rest);
	if (v < 0 || (v & (rest == 2 ? 0xFFFF : 0xFF)) != 0)
		return -1;
	to[0] = (unsigned char)(v >> 16);
	if (rest == 3)
		to[1] = (unsigned char)(v >> 8);
	return 0;
}

int ai_base64_decode_secret(const char *p, size_t n, void *out)
{
	size_t got, want = ai_base64_bytes(n);

	if (want == SIZE_MAX ||
	    sodium_base642bin(out, want, p, n, NULL, &got, NULL,
			      sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0)
		return -1;
	return got == want ? 0 : -1;
}
