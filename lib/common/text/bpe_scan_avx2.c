/* bpe_scan_avx2.c: bpe_scan.h for processors with AVX2 and BMI2. */
#include "text/bpe_scan.h"

#if defined __x86_64__

#include <immintrin.h>

#define SCAN_TARGET \
	__attribute__((target("avx2,aes,bmi,bmi2,lzcnt,popcnt")))
#include "text/bpe_scan_body.h"
#include "text/bpe_scan_x86.h"

/* The bytes of ASCII characters by class, each 0 or 0xFF. */
struct kinds {
	__m256i upper, lower, number, space, blank, newline;
	__m256i apostrophe, slash;
};

/* Whether bytes lie in from to from + n - 1; n at most 128. */
SCAN_INLINE __m256i within(__m256i v, char from, char n)
{
	__m256i off = _mm256_sub_epi8(v, _mm256_set1_epi8(from));

	return _mm256_cmpeq_epi8(
		_mm256_min_epu8(off, _mm256_set1_epi8((char)(n - 1))), off);
}

SCAN_INLINE __m256i equal(__m256i v, char c)
{
	return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}

SCAN_INLINE void classify(struct kinds *k, __m256i v)
{
	k->upper = within(v, 'A', 26);
	k->lower = within(v, 'a', 26);
	k->number = within(v, '0', 10);
	k->space = equal(v, ' ');
	k->newline = _mm256_or_si256(equal(v, '\n'), equal(v, '\r'));
	k->blank = _mm256_andnot_si256(k->newline, within(v, '\t', 5));
	k->apostrophe = equal(v, '\'');
	k->slash = equal(v, '/');
}

SCAN_INLINE void scan_load(struct ai_bpe_block *b, const unsigned char *p,
			   size_t n)
{
	unsigned char copy[64] = { 0 };
	const unsigned char *from = p;
	struct kinds x, y;
	__m256i u, v;
	uint64_t wide, keep;

	b->p = p;
	b->letter = b->mark = 0;
	b->heads = ~(uint64_t)0;
	b->final = n <= 64;
	b->len = b->final ? (unsigned)n : 64;
	if (n < 64) {
		memcpy(copy, p, n);
		from = copy;
	}
	u = _mm256_loadu_si256((const __m256i *)(const void *)from);
	v = _mm256_loadu_si256((const __m256i *)(const void *)(from + 32));
	classify(&x, u);
	classify(&y, v);
#define MASK(a, b) ((uint32_t)_mm256_movemask_epi8(a) |                      \
		    (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32)
	wide = MASK(u, v);
	if (wide != 0) {
		b->len = (unsigned)__builtin_ctzll(wide);
		b->final = false;
	}
	keep = BELOW(b->len);
	b->upper = MASK(x.upper, y.upper) & keep;
	b->lower = MASK(x.lower, y.lower) & keep;
	b->number = MASK(x.number, y.number) & keep;
	b->space = MASK(x.space, y.space) & keep;
	b->blank = MASK(x.blank, y.blank) & keep;
	b->newline = MASK(x.newline, y.newline) & keep;
	b->apostrophe = MASK(x.apostrophe, y.apostrophe) & keep;
	b->slashes = MASK(x.slash, y.slash) & keep;
#undef MASK
	b->other = keep & ~(b->upper | b->lower | b->number | b->space |
			    b->blank | b->newline);
}

/* Eight at a time: there are seldom more than three times as many. */
SCAN_INLINE size_t scan_emit(uint32_t *pos, uint32_t base,
			     const struct ai_bpe_block *b, uint64_t starts)
{
	unsigned n = (unsigned)__builtin_popcountll(starts);

	(void)b;
	for (unsigned i = 0; i < n; i += 8)
		for (unsigned k = i; k < i + 8; k++) {
			pos[k] = base + (uint32_t)_tzcnt_u64(starts);
			starts = _blsr_u64(starts);
		}
	return n;
}

/* The number of tokens in the bucket's entry for key; 0: none is. */
SCAN_INLINE uint64_t probe_one(const struct probe *q)
{
	const __m256i same = _mm256_set_epi64x(
		(long long)~AI_PIECE_COUNT_MASK, -1,
		(long long)~AI_PIECE_COUNT_MASK, -1);
	const __m256i *e = (const __m256i *)(const void *)q->bucket;
	__m256i k = _mm256_broadcastsi128_si256(q->key);
	__m256i zero = _mm256_setzero_si256();
	__m256i x = _mm256_cmpeq_epi64(zero, _mm256_and_si256(same,
		_mm256_xor_si256(_mm256_load_si256(e), k)));
	__m256i y = _mm256_cmpeq_epi64(zero, _mm256_and_si256(same,
		_mm256_xor_si256(_mm256_load_si256(e + 1), k)));
	unsigned hit = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(x)) |
		       (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(y))
			       << 4;

	hit &= hit >> 1 & 0x55;
	if (hit == 0)
		return 0;
	return q->bucket[__builtin_ctz(hit) / 2].hi >>
	       AI_PIECE_COUNT_SHIFT & 0xF;
}

SCAN_TARGET static size_t probe(struct ai_bpe_batch *s,
				const struct ai_piece_cache *c)
{
	struct probe q[AHEAD];
	size_t sum = 0;

	s->misses = 0;
	for (size_t from = 0; from < s->pieces; from += AHEAD) {
		size_t n = s->pieces - from;

		n = n < AHEAD ? n : AHEAD;
		prepare(q, s, c, from, n);
		for (size_t i = 0; i < n; i++) {
			uint64_t count = probe_one(&q[i]);

			sum += count;
			s->miss[s->misses] = (uint16_t)(from + i);
			s->misses += count == 0;
		}
	}
	return sum;
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("aes") &&
	       __builtin_cpu_supports("bmi2");
}

const struct ai_bpe_scanner ai_bpe_scan_avx2 = {
	"AVX2", usable, hash,
	{ scan_pieces_r50k, scan_pieces_cl100k, scan_pieces_o200k }, probe,
};

#endif
