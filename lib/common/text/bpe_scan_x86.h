/*
 * bpe_scan_x86.h: what bpe_scan_avx2.c and bpe_scan_avx512.c have in common:
 * keys of pieces in vector registers, hashed by the instruction for AES.
 */
/*
 * Keys and buckets of some pieces, so that the buckets are on their way while
 * the next keys are made.
 */
#define AHEAD 64

struct probe {
	__m128i key;
	const struct ai_piece *bucket;
};

/* Two rounds: every byte of the key has its part in every byte of the hash. */
SCAN_INLINE uint64_t hash_of(__m128i key)
{
	const __m128i k = _mm_set1_epi64x((long long)0x9E3779B97F4A7C15u);

	return (uint64_t)_mm_cvtsi128_si64(
		_mm_aesenc_si128(_mm_aesenc_si128(key, k), k));
}

SCAN_TARGET static uint64_t hash(struct ai_piece key)
{
	return hash_of(_mm_set_epi64x((long long)key.hi, (long long)key.lo));
}

SCAN_INLINE __m128i load16(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* The key of p[0..n), where 16 bytes can be read. */
SCAN_INLINE __m128i key_of(const unsigned char *p, uint32_t n)
{
	if (__builtin_expect(n > AI_PIECE_MAX, 0))
		return _mm_cvtsi32_si128(1); /* AI_PIECE_NONE */
	return _mm_or_si128(_mm_and_si128(load16(p),
					  load16(&ai_piece_keep[n])),
			    load16(&ai_piece_length[n]));
}

/* The same where the text may end. */
SCAN_INLINE __m128i key_near_end(const unsigned char *p, uint32_t n)
{
	unsigned char room[16] = { 0 };

	memcpy(room, p, n <= AI_PIECE_MAX ? n : 0);
	return key_of(room, n);
}

SCAN_INLINE void prepare(struct probe *q, const struct ai_bpe_batch *s,
			 const struct ai_piece_cache *c, size_t from, size_t n)
{
	const uint32_t *pos = s->pos + from;
	bool safe = s->n - pos[n - 1] >= 16;

	for (size_t i = 0; i < n; i++) {
		uint32_t len = pos[i + 1] - pos[i];

		q[i].key = safe ? key_of(s->p + pos[i], len)
				: key_near_end(s->p + pos[i], len);
		q[i].bucket = ai_piece_bucket(c, hash_of(q[i].key));
		_mm_prefetch((const char *)q[i].bucket, _MM_HINT_T0);
	}
}
