#include "base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#define NAME_MAX_LEN 63

struct ai_span ai_span_of(const char *s)
{
	return (struct ai_span){ s, strlen(s) };
}

bool ai_span_eq(struct ai_span a, struct ai_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool ai_span_is(struct ai_span a, const char *s)
{
	return ai_span_eq(a, ai_span_of(s));
}

char *ai_span_dup(struct ai_span a)
{
	char *p = malloc(a.n + 1);

	if (p == NULL)
		return NULL;
	if (a.n > 0)
		memcpy(p, a.p, a.n);
	p[a.n] = '\0';
	return p;
}

size_t ai_count_byte(const char *p, size_t n, char c)
{
	size_t k = 0, i = 0;

#if defined __SSE2__
	const __m128i zero = _mm_setzero_si128(), all = _mm_set1_epi8(c);
	__m128i sum = zero;

	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)(p + i));
		__m128i one = _mm_and_si128(_mm_cmpeq_epi8(v, all),
					    _mm_set1_epi8(1));

		sum = _mm_add_epi64(sum, _mm_sad_epu8(one, zero));
	}
	k = (size_t)_mm_cvtsi128_si64(sum) +
	    (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
#endif
	for (; i < n; i++)
		k += p[i] == c;
	return k;
}

int ai_parse_i64(struct ai_span s, int64_t *out)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	uint64_t v = 0, top = neg ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	size_t i = neg;

	if (i == s.n)
		return -1;
	for (; i < s.n; i++) {
		unsigned d = (unsigned char)s.p[i] - '0';

		if (d > 9 || v > (top - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int ai_parse_f64(struct ai_span s, double *out)
{
	char text[352], *end;
	double v;

	/* strtod also takes blanks, hex, "inf" and "nan": keep those out. */
	if (s.n == 0 || s.n >= sizeof text)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if (memchr("0123456789+-.eE", s.p[i], 15) == NULL)
			return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	pthread_once(&locale_once, make_c_locale);
	if (c_locale == (locale_t)0)
		return -1;
	errno = 0;
	v = strtod_l(text, &end, c_locale);
	if (*end != '\0' || end == text || !isfinite(v))
		return -1;
	*out = v;
	return 0;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment with three rolling rows. */
size_t ai_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t r0[NAME_MAX_LEN + 1], r1[NAME_MAX_LEN + 1], r2[NAME_MAX_LEN + 1];
	size_t *prev2 = r0, *prev = r1, *cur = r2, *t;

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		prev[j] = j;
	for (size_t i = 1; i <= n; i++) {
		cur[0] = i;
		for (size_t j = 1; j <= m; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
				      prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
		}
		t = prev2;
		prev2 = prev;
		prev = cur;
		cur = t;
	}
	return prev[m];
}

const char *ai_nearest(const char *s, const char *const *names, size_t count)
{
	size_t best = strlen(s) / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = ai_distance(s, names[i]);

		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
