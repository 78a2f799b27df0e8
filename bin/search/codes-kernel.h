/*
 * codes-kernel.h: what is written once for each instruction set.
 *
 * A block has the codes and factors of 64 vectors, side by side:
 *
 *	bits / 8 columns of 64 bytes: byte v of column c has the signs of
 *		components 8c (bit 0) to 8c + 7 of vector v; 1 is positive
 *	64 uint16: f = |r|^2 / sum |r_i| * sqrt(bits) * 2^14, at most 65535
 *	64 int16: g = v.m * 32767
 *	4 uint64: checksum k is the sum of the 64-bit words before it whose
 *		number is 4i + k, and of CODES_SUM * (1 + the block's number)
 *	32 zero bytes
 *
 * The checksums are made on the way, so that a query says when a bit is not as
 * it was written; verify has better ones.
 *
 * All kernels give the same bits: sums of integers are exact, and what is done
 * in floats is done in one order, without fused multiplication.
 */
#ifndef SEARCH_CODES_KERNEL_H
#define SEARCH_CODES_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODES_BLOCK 64                     /* vectors */
#define CODES_FACTORS (CODES_BLOCK * 4)    /* bytes behind the columns */
#define CODES_SUMS 64                      /* and what goes with them */
#define CODES_BLOCK_BYTES(bits) \
	((bits) / 8 * CODES_BLOCK + CODES_FACTORS + CODES_SUMS)
#define CODES_SUM 0x9E3779B97F4A7C15u
#define CODES_F_ONE 16384.f
#define CODES_G_ONE 32767.f

/* The most that stands in a table: four sums fit a byte, and those of
 * CODES_CHUNK columns fit 16 bits. */
#define CODES_LUT_MAX 63
#define CODES_CHUNK 512

/* So many bytes before they are needed the processor is told: by itself it does
 * not go from page to page, and a scan waits for memory more than for sums. */
#define CODES_AHEAD 4096

/* A query, made for one mean. */
struct codes_query {
	/* For each column two tables of 16: what the low and the high four
	 * bits of a byte add. */
	const unsigned char *lut;
	/* For each column, for kernels that want it, what all of a byte adds:
	 * 256 bytes. */
	const unsigned char *wide;
	size_t columns;       /* a multiple of 8 */
	float scale, base;    /* score = f * (sum * scale + base) ... */
	float shift;          /* ... + g / CODES_G_ONE + shift */
};

struct codes_kernel {
	const char *name;
	bool wide; /* wants codes_query.wide */
	bool (*usable)(void);
	/* Estimates of a block's 64 vectors; bit v is set where out[v] is more
	 * than floor.  sum gets the sums of the words. */
	uint64_t (*scan)(const struct codes_query *q,
			 const unsigned char *block, float floor,
			 float out[CODES_BLOCK], uint64_t sum[4]);
	/* a.b as ai_vector_dot() has it; *aa is a.a. */
	float (*dot)(const float *a, const float *b, size_t dim, float *aa);
};

extern const struct codes_kernel codes_portable, codes_avx2, codes_avx512;

/* Those that this processor has, the fastest first; NULL behind the last. */
const struct codes_kernel *codes_kernel_at(size_t i);
/* The first of them. */
const struct codes_kernel *codes_kernel(void);

/* The sums of the words of a block, number left out. */
void codes_sum(const unsigned char *block, size_t bits, uint64_t sum[4]);

/* The end of a dot product: the sum so far, and 16 lanes. */
static inline float codes_lanes(float sum, const float lane[16])
{
	for (int k = 0; k < 16; k++)
		sum += lane[k];
	return sum;
}

#endif
