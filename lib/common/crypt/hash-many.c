/*
 * hash-many.c: BLAKE2b-128 of eight messages side by side, one a lane of a
 * vector.  A lane that is done takes the next message, so that long and short
 * ones keep all lanes busy.  The compiler makes of the vectors what the
 * processor has.
 */
#include "crypt/hash.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define LANES 8
#define BLOCK 128

typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));

static const uint64_t iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
	0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const unsigned char sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

struct many {
	lanes h[8];
	uint64_t m[16][LANES] __attribute__((aligned(64)));
	uint64_t length[LANES], last[LANES]; /* t and f of the standard */
	const struct ai_hash_item *item[LANES]; /* NULL: idle */
	size_t index[LANES];
};

/* ---- one block of each lane ----------------------------------------------- */

#define TURN(x, by) ((x) >> (by) | (x) << (64 - (by)))
#define MIX(a, b, c, d, x, y) do { \
	a += b + x; \
	d ^= a; \
	d = TURN(d, 32); \
	c += d; \
	b ^= c; \
	b = TURN(b, 24); \
	a += b + y; \
	d ^= a; \
	d = TURN(d, 16); \
	c += d; \
	b ^= c; \
	b = TURN(b, 63); \
} while (0)

static inline __attribute__((always_inline)) void compress(struct many *s)
{
	const lanes *m = (const lanes *)(const void *)s->m;
	lanes v[16], t, f;

	memcpy(&t, s->length, sizeof t);
	memcpy(&f, s->last, sizeof f);
	for (int i = 0; i < 8; i++) {
		v[i] = s->h[i];
		v[i + 8] = (lanes){ 0 } + iv[i];
	}
	v[12] ^= t;
	v[14] ^= f;
	for (int r = 0; r < 12; r++) {
		const unsigned char *o = sigma[r % 10];

		MIX(v[0], v[4], v[8], v[12], m[o[0]], m[o[1]]);
		MIX(v[1], v[5], v[9], v[13], m[o[2]], m[o[3]]);
		MIX(v[2], v[6], v[10], v[14], m[o[4]], m[o[5]]);
		MIX(v[3], v[7], v[11], v[15], m[o[6]], m[o[7]]);
		MIX(v[0], v[5], v[10], v[15], m[o[8]], m[o[9]]);
		MIX(v[1], v[6], v[11], v[12], m[o[10]], m[o[11]]);
		MIX(v[2], v[7], v[8], v[13], m[o[12]], m[o[13]]);
		MIX(v[3], v[4], v[9], v[14], m[o[14]], m[o[15]]);
	}
	for (int i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

static void compress_any(struct many *s)
{
	compress(s);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void compress_avx2(struct many *s)
{
	compress(s);
}

__attribute__((target("avx512f"))) static void compress_avx512(struct many *s)
{
	compress(s);
}
#endif

typedef void compressor(struct many *s);

static compressor *best(enum ai_hash_with with)
{
#if defined(__x86_64__)
	if ((with == AI_HASH_BEST || with == AI_HASH_AVX512) &&
	    __builtin_cpu_supports("avx512f"))
		return compress_avx512;
	if ((with == AI_HASH_BEST || with == AI_HASH_AVX2) &&
	    __builtin_cpu_supports("avx2"))
		return compress_avx2;
#else
	(void)with;
#endif
	return compress_any;
}

/* ---- lanes ----------------------------------------------------------------- */

static void begin(struct many *s, int lane, const struct ai_hash_item *item,
		  size_t index)
{
	for (int i = 0; i < 8; i++)
		s->h[i][lane] = iv[i];
	/* Its length, no key, one message. */
	s->h[0][lane] ^= 0x01010000 ^ AI_HASH_BYTES;
	s->length[lane] = 0;
	s->item[lane] = item;
	s->index[lane] = index;
}

/* The next block of a lane: where it stands, or in room. */
static const char *next_block(struct many *s, int lane, char room[BLOCK])
{
	const struct ai_hash_item *x = s->item[lane];
	size_t at = s->length[lane], all = x->head.n + x->text.n, n, k = 0;

	n = all - at < BLOCK ? all - at : BLOCK;
	s->length[lane] = at + n;
	s->last[lane] = at + n == all ? ~(uint64_t)0 : 0;
	if (at >= x->head.n && n == BLOCK)
		return x->text.p + (at - x->head.n);
	memset(room, 0, BLOCK);
	if (at < x->head.n) {
		k = x->head.n - at < n ? x->head.n - at : n;
		memcpy(room, x->head.p + at, k);
	}
	if (n > k)
		memcpy(room + k, x->text.p + (at + k - x->head.n), n - k);
	return room;
}

static void load(struct many *s)
{
	char room[BLOCK];

	for (int lane = 0; lane < LANES; lane++) {
		const char *p;

		if (s->item[lane] == NULL)
			continue;
		p = next_block(s, lane, room);
		for (int i = 0; i < 16; i++) {
			uint64_t w;

			memcpy(&w, p + 8 * i, sizeof w);
			s->m[i][lane] = le64toh(w);
		}
	}
}

static void end(struct many *s, int lane, char out[AI_HASH_HEX])
{
	uint64_t sum[2] = { htole64(s->h[0][lane]), htole64(s->h[1][lane]) };

	ai_hex(sum, AI_HASH_BYTES, out);
	s->item[lane] = NULL;
}

void ai_hash_many(const struct ai_hash_item *items, size_t n,
		  char (*out)[AI_HASH_HEX], enum ai_hash_with with)
{
	compressor *go = best(with);
	struct many s;
	size_t next = 0, busy = 0;

	memset(&s, 0, sizeof s);
	for (int lane = 0; lane < LANES && next < n; lane++, next++, busy++)
		begin(&s, lane, &items[next], next);
	while (busy > 0) {
		load(&s);
		go(&s);
		for (int lane = 0; lane < LANES; lane++) {
			if (s.item[lane] == NULL || s.last[lane] == 0)
				continue;
			end(&s, lane, out[s.index[lane]]);
			if (next < n) {
				begin(&s, lane, &items[next], next);
				next++;
			} else {
				busy--;
			}
		}
	}
}
