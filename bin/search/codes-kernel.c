/* codes-kernel.c: which kernel runs, and the one in plain C. */
#include "codes-kernel.h"

#include "codes.h"

#include <endian.h>
#include <string.h>

const struct codes_kernel *codes_kernel_at(size_t i)
{
	static const struct codes_kernel *const all[] = {
#if defined __x86_64__
		&codes_avx512,
		&codes_avx2,
#endif
		&codes_portable,
	};

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		if (all[k]->usable() && i-- == 0)
			return all[k];
	return NULL;
}

const struct codes_kernel *codes_kernel(void)
{
	return codes_kernel_at(0);
}

const char *search_codes_kernel(void)
{
	return codes_kernel()->name;
}

/* ---- plain C ----------------------------------------------------------------- */

static bool usable(void)
{
	return true;
}

/* What the columns add for one vector. */
static uint32_t sum_of(const struct codes_query *q, const unsigned char *column)
{
	const unsigned char *wide = q->wide;
	uint32_t sum = 0;

	for (size_t c = 0; c < q->columns; c++) {
		sum += wide[*column];
		wide += 256;
		column += CODES_BLOCK;
	}
	return sum;
}

static float factor_f(const unsigned char *p)
{
	uint16_t x;

	memcpy(&x, p, sizeof(x));
	return (float)le16toh(x);
}

static float factor_g(const unsigned char *p)
{
	uint16_t x;

	memcpy(&x, p, sizeof(x));
	return (float)(int16_t)le16toh(x);
}

void codes_sum(const unsigned char *block, size_t bits, uint64_t sum[4])
{
	size_t n = CODES_BLOCK_BYTES(bits) - CODES_SUMS;
	uint64_t x;

	sum[0] = sum[1] = sum[2] = sum[3] = 0;
	for (size_t i = 0; i < n; i += 8) {
		memcpy(&x, block + i, sizeof(x));
		sum[i / 8 % 4] += le64toh(x);
	}
}

static uint64_t scan(const struct codes_query *q, const unsigned char *block,
		     float floor, float out[CODES_BLOCK], uint64_t sum[4])
{
	const unsigned char *f = block + q->columns * CODES_BLOCK;
	const unsigned char *g = f + CODES_BLOCK * 2;
	uint64_t above = 0;
	float x;

	codes_sum(block, q->columns * 8, sum);
	for (unsigned v = 0; v < CODES_BLOCK; v++) {
		x = (float)sum_of(q, block + v) * q->scale;
		x = x + q->base;
		x = x * factor_f(f + 2 * v);
		x = x + factor_g(g + 2 * v) * (1 / CODES_G_ONE);
		out[v] = x + q->shift;
		above |= (uint64_t)(out[v] > floor) << v;
	}
	return above;
}

static float dot(const float *a, const float *b, size_t dim, float *aa)
{
	float ab_lane[16] = { 0 }, aa_lane[16] = { 0 }, ab = 0, sum = 0;
	size_t i, k;

	for (i = 0; i + 16 <= dim; i += 16)
		for (k = 0; k < 16; k++) {
			ab_lane[k] += a[i + k] * b[i + k];
			aa_lane[k] += a[i + k] * a[i + k];
		}
	for (; i < dim; i++) {
		ab += a[i] * b[i];
		sum += a[i] * a[i];
	}
	*aa = codes_lanes(sum, aa_lane);
	return codes_lanes(ab, ab_lane);
}

const struct codes_kernel codes_portable = { "portable", true, usable, scan, dot };
