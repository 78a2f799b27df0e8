/* codes-avx512.c: codes-kernel.h for processors with AVX-512 BW. */
#include "codes-kernel.h"

#if defined __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,avx512f,avx512bw")))
#define INLINE TARGET static inline __attribute__((always_inline))

static bool usable(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw");
}

INLINE __m512i table(const unsigned char *p)
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)p));
}

/* What a column adds, 64 bytes. */
INLINE __m512i look_up(const unsigned char *lut, __m512i a)
{
	const __m512i low = _mm512_set1_epi8(15);

	return _mm512_add_epi8(
		_mm512_shuffle_epi8(table(lut), _mm512_and_si512(a, low)),
		_mm512_shuffle_epi8(table(lut + 16), _mm512_and_si512(
			_mm512_srli_epi16(a, 4), low)));
}

INLINE __m512i sum_factors(const unsigned char *f)
{
	__m512i sum = _mm512_loadu_si512(f);

	for (int i = 64; i < CODES_FACTORS; i += 64)
		sum = _mm512_add_epi64(sum, _mm512_loadu_si512(f + i));
	return sum;
}

/* Adds sums in the order of the vectors; see codes-avx2.c. */
INLINE void spread(__m512i both, __m512i odd, __m512i sum[4])
{
	const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
	const __m512i last = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
	__m512i even = _mm512_sub_epi16(both, _mm512_slli_epi16(odd, 8));
	__m512i a = _mm512_unpacklo_epi16(even, odd);
	__m512i b = _mm512_unpackhi_epi16(even, odd);
	__m512i x = _mm512_permutex2var_epi64(a, first, b);
	__m512i y = _mm512_permutex2var_epi64(a, last, b);

	sum[0] = _mm512_add_epi32(sum[0], _mm512_cvtepu16_epi32(
		_mm512_castsi512_si256(x)));
	sum[1] = _mm512_add_epi32(sum[1], _mm512_cvtepu16_epi32(
		_mm512_extracti64x4_epi64(x, 1)));
	sum[2] = _mm512_add_epi32(sum[2], _mm512_cvtepu16_epi32(
		_mm512_castsi512_si256(y)));
	sum[3] = _mm512_add_epi32(sum[3], _mm512_cvtepu16_epi32(
		_mm512_extracti64x4_epi64(y, 1)));
}

/* Sixteen estimates. */
INLINE uint64_t finish(const struct codes_query *q, __m512i sum, const void *f,
		       const void *g, float floor, float *out)
{
	__m512 x = _mm512_cvtepi32_ps(sum);
	__m512 k = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(
		_mm256_loadu_si256(f)));
	__m512 l = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(
		_mm256_loadu_si256(g)));

	x = _mm512_mul_ps(x, _mm512_set1_ps(q->scale));
	x = _mm512_add_ps(x, _mm512_set1_ps(q->base));
	x = _mm512_mul_ps(x, k);
	x = _mm512_add_ps(x, _mm512_mul_ps(l,
					   _mm512_set1_ps(1 / CODES_G_ONE)));
	x = _mm512_add_ps(x, _mm512_set1_ps(q->shift));
	_mm512_storeu_ps(out, x);
	return _mm512_cmp_ps_mask(x, _mm512_set1_ps(floor), _CMP_GT_OQ);
}

TARGET static uint64_t scan(const struct codes_query *q,
			    const unsigned char *block, float floor,
			    float out[CODES_BLOCK], uint64_t words[4])
{
	const unsigned char *f = block + q->columns * CODES_BLOCK;
	const unsigned char *g = f + CODES_BLOCK * 2;
	__m512i sum[4], all = sum_factors(f);
	uint64_t above = 0;

	for (int i = 0; i < 4; i++)
		sum[i] = _mm512_setzero_si512();
	for (size_t c = 0, end; c < q->columns; c = end) {
		__m512i both = _mm512_setzero_si512(), odd = both, x, a, b;

		end = q->columns - c < CODES_CHUNK ? q->columns :
						     c + CODES_CHUNK;
		for (; c < end; c += 2) {
			const unsigned char *lut = q->lut + 32 * c;
			const unsigned char *p = block + CODES_BLOCK * c;

			__builtin_prefetch(p + CODES_AHEAD);
			__builtin_prefetch(p + CODES_AHEAD + CODES_BLOCK);
			a = _mm512_loadu_si512(p);
			b = _mm512_loadu_si512(p + CODES_BLOCK);
			all = _mm512_add_epi64(all, _mm512_add_epi64(a, b));
			x = _mm512_add_epi8(look_up(lut, a),
					    look_up(lut + 32, b));
			both = _mm512_add_epi16(both, x);
			odd = _mm512_add_epi16(odd, _mm512_srli_epi16(x, 8));
		}
		spread(both, odd, sum);
	}
	_mm256_storeu_si256((void *)words, _mm256_add_epi64(
		_mm512_castsi512_si256(all),
		_mm512_extracti64x4_epi64(all, 1)));
	for (unsigned i = 0; i < 4; i++)
		above |= finish(q, sum[i], f + 32 * i, g + 32 * i, floor,
				out + 16 * i) << 16 * i;
	return above;
}

TARGET static float dot(const float *a, const float *b, size_t dim, float *aa)
{
	__m512 x = _mm512_setzero_ps(), y = x, p;
	float lane[16], ab = 0, sum = 0;
	size_t i;

	for (i = 0; i + 16 <= dim; i += 16) {
		p = _mm512_loadu_ps(a + i);
		x = _mm512_add_ps(x, _mm512_mul_ps(p, _mm512_loadu_ps(b + i)));
		y = _mm512_add_ps(y, _mm512_mul_ps(p, p));
	}
	for (; i < dim; i++) {
		ab += a[i] * b[i];
		sum += a[i] * a[i];
	}
	_mm512_storeu_ps(lane, y);
	*aa = codes_lanes(sum, lane);
	_mm512_storeu_ps(lane, x);
	return codes_lanes(ab, lane);
}

const struct codes_kernel codes_avx512 = { "AVX-512", false, usable, scan, dot };

#endif
