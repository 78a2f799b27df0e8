/* codes-avx2.c: codes-kernel.h for processors with AVX2. */
#include "codes-kernel.h"

#if defined __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

static bool usable(void)
{
	return __builtin_cpu_supports("avx2");
}

INLINE __m256i load(const void *p)
{
	return _mm256_loadu_si256(p);
}

INLINE __m256i table(const unsigned char *p)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)p));
}

/* Sums of 32 vectors: those of the even ones and 256 times those of the odd
 * ones, and those of the odd ones alone; and of the words. */
struct sums {
	__m256i both, odd, words;
};

/* What two columns add, of 32 vectors each. */
INLINE void add(struct sums *s, const unsigned char *column,
		const __m256i lut[4])
{
	const __m256i low = _mm256_set1_epi8(15);
	__m256i a = load(column), b = load(column + CODES_BLOCK), x, y;

	x = _mm256_add_epi8(
		_mm256_shuffle_epi8(lut[0], _mm256_and_si256(a, low)),
		_mm256_shuffle_epi8(lut[1], _mm256_and_si256(
			_mm256_srli_epi16(a, 4), low)));
	y = _mm256_add_epi8(
		_mm256_shuffle_epi8(lut[2], _mm256_and_si256(b, low)),
		_mm256_shuffle_epi8(lut[3], _mm256_and_si256(
			_mm256_srli_epi16(b, 4), low)));
	x = _mm256_add_epi8(x, y);
	s->both = _mm256_add_epi16(s->both, x);
	s->odd = _mm256_add_epi16(s->odd, _mm256_srli_epi16(x, 8));
	s->words = _mm256_add_epi64(s->words, _mm256_add_epi64(a, b));
}

INLINE __m256i sum_factors(const unsigned char *f)
{
	__m256i sum = load(f);

	for (int i = 32; i < CODES_FACTORS; i += 32)
		sum = _mm256_add_epi64(sum, load(f + i));
	return sum;
}

/* Eight estimates from eight sums of 16 bits. */
INLINE unsigned finish(const struct codes_query *q, __m256i sum, const void *f,
		       const void *g, float floor, float *out)
{
	__m256 x = _mm256_cvtepi32_ps(sum);
	__m256 k = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(
		_mm_loadu_si128(f)));
	__m256 l = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(
		_mm_loadu_si128(g)));

	x = _mm256_mul_ps(x, _mm256_set1_ps(q->scale));
	x = _mm256_add_ps(x, _mm256_set1_ps(q->base));
	x = _mm256_mul_ps(x, k);
	x = _mm256_add_ps(x, _mm256_mul_ps(l,
					   _mm256_set1_ps(1 / CODES_G_ONE)));
	x = _mm256_add_ps(x, _mm256_set1_ps(q->shift));
	_mm256_storeu_ps(out, x);
	return (unsigned)_mm256_movemask_ps(
		_mm256_cmp_ps(x, _mm256_set1_ps(floor), _CMP_GT_OQ));
}

/* Adds the sums of 32 vectors in their order. */
INLINE void spread(const struct sums *s, __m256i sum[4])
{
	__m256i even = _mm256_sub_epi16(s->both, _mm256_slli_epi16(s->odd, 8));
	__m256i a = _mm256_unpacklo_epi16(even, s->odd);
	__m256i b = _mm256_unpackhi_epi16(even, s->odd);

	sum[0] = _mm256_add_epi32(sum[0], _mm256_cvtepu16_epi32(
		_mm256_castsi256_si128(a)));
	sum[1] = _mm256_add_epi32(sum[1], _mm256_cvtepu16_epi32(
		_mm256_castsi256_si128(b)));
	sum[2] = _mm256_add_epi32(sum[2], _mm256_cvtepu16_epi32(
		_mm256_extracti128_si256(a, 1)));
	sum[3] = _mm256_add_epi32(sum[3], _mm256_cvtepu16_epi32(
		_mm256_extracti128_si256(b, 1)));
}

TARGET static uint64_t scan(const struct codes_query *q,
			    const unsigned char *block, float floor,
			    float out[CODES_BLOCK], uint64_t words[4])
{
	const unsigned char *f = block + q->columns * CODES_BLOCK;
	const unsigned char *g = f + CODES_BLOCK * 2;
	__m256i sum[8], all = sum_factors(f);
	uint64_t above = 0;

	for (int i = 0; i < 8; i++)
		sum[i] = _mm256_setzero_si256();
	for (size_t c = 0, end; c < q->columns; c = end) {
		const __m256i zero = _mm256_setzero_si256();
		struct sums s = { zero, zero, zero }, t = s;

		end = q->columns - c < CODES_CHUNK ? q->columns :
						     c + CODES_CHUNK;
		for (; c < end; c += 2) {
			const unsigned char *p = q->lut + 32 * c;
			const __m256i lut[4] = { table(p), table(p + 16),
						 table(p + 32), table(p + 48) };

			const unsigned char *v = block + CODES_BLOCK * c;

			__builtin_prefetch(v + CODES_AHEAD);
			__builtin_prefetch(v + CODES_AHEAD + CODES_BLOCK);
			add(&s, v, lut);
			add(&t, v + 32, lut);
		}
		spread(&s, sum);
		spread(&t, sum + 4);
		all = _mm256_add_epi64(all, _mm256_add_epi64(s.words, t.words));
	}
	_mm256_storeu_si256((void *)words, all);
	for (unsigned i = 0; i < 8; i++)
		above |= (uint64_t)finish(q, sum[i], f + 16 * i, g + 16 * i,
					  floor, out + 8 * i) << 8 * i;
	return above;
}

TARGET static float dot(const float *a, const float *b, size_t dim, float *aa)
{
	__m256 x = _mm256_setzero_ps(), y = x, u = x, v = x, p, q;
	float lane[16], ab = 0, sum = 0;
	size_t i;

	for (i = 0; i + 16 <= dim; i += 16) {
		p = _mm256_loadu_ps(a + i);
		q = _mm256_loadu_ps(a + i + 8);
		x = _mm256_add_ps(x, _mm256_mul_ps(p, _mm256_loadu_ps(b + i)));
		y = _mm256_add_ps(y, _mm256_mul_ps(
			q, _mm256_loadu_ps(b + i + 8)));
		u = _mm256_add_ps(u, _mm256_mul_ps(p, p));
		v = _mm256_add_ps(v, _mm256_mul_ps(q, q));
	}
	for (; i < dim; i++) {
		ab += a[i] * b[i];
		sum += a[i] * a[i];
	}
	_mm256_storeu_ps(lane, u);
	_mm256_storeu_ps(lane + 8, v);
	*aa = codes_lanes(sum, lane);
	_mm256_storeu_ps(lane, x);
	_mm256_storeu_ps(lane + 8, y);
	return codes_lanes(ab, lane);
}

const struct codes_kernel codes_avx2 = { "AVX2", false, usable, scan, dot };

#endif
