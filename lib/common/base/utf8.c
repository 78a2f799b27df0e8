#include "base/utf8.h"

#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#define IS_CONT(c) (((unsigned char)(c) & 0xC0) == 0x80)

size_t ai_utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)p;
	uint32_t c;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if (s[0] >= 0xC2 && s[0] <= 0xDF && n >= 2 && IS_CONT(s[1])) {
		*cp = (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
		return 2;
	}
	if ((s[0] & 0xF0) == 0xE0 && n >= 3 && IS_CONT(s[1]) && IS_CONT(s[2])) {
		c = (uint32_t)(s[0] & 0x0F) << 12 |
		    (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
		if (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))
			return 0;
		*cp = c;
		return 3;
	}
	if (s[0] >= 0xF0 && s[0] <= 0xF4 && n >= 4 && IS_CONT(s[1]) &&
	    IS_CONT(s[2]) && IS_CONT(s[3])) {
		c = (uint32_t)(s[0] & 0x07) << 18 |
		    (uint32_t)(s[1] & 0x3F) << 12 |
		    (uint32_t)(s[2] & 0x3F) << 6 | (s[3] & 0x3F);
		if (c < 0x10000 || c > 0x10FFFF)
			return 0;
		*cp = c;
		return 4;
	}
	return 0;
}

size_t ai_utf8_len(const char *p, size_t n)
{
	uint32_t cp;

	return ai_utf8_decode(p, n, &cp);
}

size_t ai_utf8_encode(uint32_t cp, char *out)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

size_t ai_utf8_valid(const char *p, size_t n)
{
	size_t i = 0, len;
	uint64_t w;

	while (i < n) {
		if (n - i >= sizeof w) {
			memcpy(&w, p + i, sizeof w);
			if ((w & 0x8080808080808080u) == 0) {
				i += sizeof w;
				continue;
			}
		}
		len = ai_utf8_len(p + i, n - i);
		if (len == 0)
			return i;
		i += len;
	}
	return n;
}

size_t ai_utf8_count(const char *p, size_t n)
{
	size_t inside = 0, i = 0;

#if defined __SSE2__
	/* As signed bytes, those within a character are the least. */
	const __m128i lead = _mm_set1_epi8((char)0xC0);
	__m128i sum = _mm_setzero_si128();

	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)(p + i));
		__m128i one = _mm_and_si128(_mm_cmplt_epi8(v, lead),
					    _mm_set1_epi8(1));

		sum = _mm_add_epi64(sum, _mm_sad_epu8(one,
						      _mm_setzero_si128()));
	}
	inside = (size_t)_mm_cvtsi128_si64(sum) +
		 (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
#endif
	for (; i < n; i++)
		inside += IS_CONT(p[i]);
	return n - inside;
}

size_t ai_utf8_offset(const char *p, size_t n, size_t k)
{
	for (size_t i = 0; i < n; i++)
		if (!IS_CONT(p[i]) && k-- == 0)
			return i;
	return n;
}

size_t ai_utf8_floor(const char *p, size_t n, size_t at)
{
	if (at >= n)
		return n;
	while (at > 0 && IS_CONT(p[at]))
		at--;
	return at;
}
