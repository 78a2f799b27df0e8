/* postings-pack.c: 128 numbers in few bits, and sums of bytes. */
#include "postings-int.h"

#include <math.h>

/*
 * Number i is in lane i % 4: four numbers are packed side by side, so that
 * each step below is one instruction for four of them on any machine with
 * vectors of 16 bytes.
 */
typedef uint32_t quad __attribute__((vector_size(16)));
#define QUADS (WORDS_BLOCK / 4)

/* Lanes of two: 0 to 3 are those of a, 4 to 7 of b. */
#if defined __clang__
#define LANES(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define LANES(a, b, i, j, k, l) __builtin_shuffle(a, b, (quad){ i, j, k, l })
#endif

static quad load(const void *p)
{
	quad q;

	memcpy(&q, p, sizeof(q));
	return q;
}

unsigned words_bits(const uint32_t v[WORDS_BLOCK])
{
	uint32_t all = 0;
	size_t i;

	for (i = 0; i < WORDS_BLOCK; i++)
		all |= v[i];
	return all == 0 ? 0 : 32u - (unsigned)__builtin_clz(all);
}

void words_pack(const uint32_t v[WORDS_BLOCK], unsigned bits,
		unsigned char *out)
{
	quad word = { 0, 0, 0, 0 }, q;
	unsigned used = 0;
	size_t i;

	if (bits == 0)
		return;
	for (i = 0; i < QUADS; i++) {
		q = load(v + 4 * i);
		word |= q << used;
		used += bits;
		if (used < 32)
			continue;
		memcpy(out, &word, sizeof(word));
		out += sizeof(word);
		used -= 32;
		word = used == 0 ? q ^ q : q >> (bits - used);
	}
}

/* The next four of a packed block. */
struct unpack {
	const unsigned char *p;
	quad word;
	unsigned used, bits;
	uint32_t mask;
};

static inline void unpack_begin(struct unpack *u, const unsigned char *p,
				unsigned bits)
{
	u->p = p;
	u->bits = bits;
	u->used = 0;
	u->mask = bits == 32 ? 0xFFFFFFFFu : (1u << bits) - 1;
	if (bits > 0) {
		u->word = load(p);
		u->p += sizeof(quad);
	}
}

static inline quad unpack_next(struct unpack *u, bool last)
{
	quad q = u->word >> u->used;

	u->used += u->bits;
	if (u->used >= 32) {
		u->used -= 32;
		if (!last) {
			u->word = load(u->p);
			u->p += sizeof(quad);
			if (u->used > 0)
				q |= u->word << (u->bits - u->used);
		}
	}
	return q & u->mask;
}

void words_unpack_slots(const unsigned char *p, unsigned bits, uint32_t before,
			uint32_t v[WORDS_BLOCK])
{
	const quad zero = { 0, 0, 0, 0 }, one = { 1, 1, 1, 1 };
	quad sum = zero + before, q;
	struct unpack u;
	size_t i;

	if (bits == 0) {
		for (i = 0; i < WORDS_BLOCK; i++)
			v[i] = before + 1 + (uint32_t)i;
		return;
	}
	unpack_begin(&u, p, bits);
	for (i = 0; i < QUADS; i++) {
		q = unpack_next(&u, i == QUADS - 1) + one;
		/* Sums within the four, then what was before them. */
		q += LANES(zero, q, 0, 4, 5, 6);
		q += LANES(zero, q, 0, 0, 4, 5);
		q += sum;
		memcpy(v + 4 * i, &q, sizeof(q));
		sum = LANES(q, q, 3, 3, 3, 3);
	}
}

void words_unpack_tf(const unsigned char *p, unsigned bits,
		     uint32_t v[WORDS_BLOCK])
{
	quad q;
	struct unpack u;
	size_t i;

	if (bits == 0) {
		for (i = 0; i < WORDS_BLOCK; i++)
			v[i] = 1;
		return;
	}
	unpack_begin(&u, p, bits);
	for (i = 0; i < QUADS; i++) {
		q = unpack_next(&u, i == QUADS - 1) + 1;
		memcpy(v + 4 * i, &q, sizeof(q));
	}
}

/*
 * Fletcher's two sums in four lanes: the second one counts each word as often
 * as there are words behind it, so that a moved word shows.
 */
uint32_t words_check(const void *data, size_t n)
{
	const unsigned char *p = data;
	unsigned char rest[16] = { 0 };
	quad a = { 1, 3, 5, 7 }, b = { 0, 0, 0, 0 };
	uint32_t x, y;
	size_t left;

	for (left = n; left >= 16; left -= 16, p += 16) {
		a += load(p);
		b += a;
	}
	if (left > 0) {
		memcpy(rest, p, left);
		a += load(rest);
		b += a;
	}
	x = a[0] + 3 * a[1] + 5 * a[2] + 7 * a[3];
	y = b[0] + 9 * b[1] + 11 * b[2] + 13 * b[3];
	x = (x ^ (uint32_t)n) * 0x85EBCA6Bu;
	x = (x ^ x >> 15 ^ y) * 0xC2B2AE35u;
	return x ^ x >> 16;
}

/*
 * The natural logarithm of x >= 1 by additions and multiplications alone, so
 * that it is the same on every machine: libm's differs with the processor.
 * ln m = 2 artanh((m - 1) / (m + 1)), for m of sqrt(1/2) to sqrt(2).
 */
static double natural_log(double x)
{
	double m, t, square, power, sum = 0;
	int e, i;

	m = frexp(x, &e);
	if (m < 0.70710678118654752) {
		m *= 2;
		e--;
	}
	t = (m - 1) / (m + 1);
	square = t * t;
	for (power = t, i = 1; i < 30; i += 2, power *= square)
		sum += power / i;
	return 2 * sum + e * 0.69314718055994531;
}

/* Lucene's form (BM25Similarity): never negative. */
double words_idf(int64_t rows, int64_t with)
{
	double n = (double)rows, df = (double)(with > rows ? rows : with);

	return words_rounded(natural_log(1 + (n - df + 0.5) / (df + 0.5)));
}
