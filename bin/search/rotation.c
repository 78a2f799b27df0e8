#include "rotation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 4 /* transforms */

/* Four floats; what the compiler has for them. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

size_t rotation_bits(size_t dim)
{
	return dim < ROTATION_LEAST ? ROTATION_LEAST : (dim + 63) / 64 * 64;
}

/* Steele, Lea and Flood's SplitMix64 (2014). */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

int rotation_init(struct rotation *r, size_t bits, uint64_t seed,
		  struct ai_err *err)
{
	uint64_t random = 0;
	float scale;

	*r = (struct rotation){ .bits = bits, .part = 64 };
	while (r->part * 2 <= bits)
		r->part *= 2;
	r->signs = malloc(TURNS * r->part * sizeof(*r->signs));
	if (r->signs == NULL)
		return ai_err_nomem(err);
	scale = 1 / sqrtf((float)r->part);
	for (size_t i = 0; i < TURNS * r->part; i++, random >>= 1) {
		if (i % 64 == 0)
			random = next(&seed);
		r->signs[i] = random & 1 ? scale : -scale;
	}
	return 0;
}

void rotation_release(struct rotation *r)
{
	free(r->signs);
	*r = (struct rotation){ 0 };
}

/* The first two of log2(n) steps: sums and differences of four neighbours,
 * after the flips. */
static void begin(float *x, const float *signs, size_t n)
{
	for (size_t i = 0; i < n; i += 4) {
		float a = x[i] * signs[i], b = x[i + 1] * signs[i + 1];
		float c = x[i + 2] * signs[i + 2];
		float d = x[i + 3] * signs[i + 3];
		float s = a + b, t = a - b, u = c + d, v = c - d;

		x[i] = s + u;
		x[i + 1] = t + v;
		x[i + 2] = s - u;
		x[i + 3] = t - v;
	}
}

/* Two steps at once: neighbours at a distance of h and of 2h. */
static void two_steps(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
		for (size_t k = i; k < i + h; k += 4) {
			four *a = (four *)(x + k), *b = (four *)(x + k + h);
			four *c = (four *)(x + k + 2 * h);
			four *d = (four *)(x + k + 3 * h);
			four s = *a + *b, t = *a - *b;
			four u = *c + *d, v = *c - *d;

			*a = s + u;
			*b = t + v;
			*c = s - u;
			*d = t - v;
		}
}

static void butterfly(float *x, size_t h)
{
	for (size_t k = 0; k < h; k += 4) {
		four *a = (four *)(x + k), *b = (four *)(x + k + h);
		four s = *a + *b;

		*b = *a - *b;
		*a = s;
	}
}

/* Flips signs and transforms; n is a power of two, 64 or more. */
static void transform(float *x, const float *signs, size_t n)
{
	size_t h;

	begin(x, signs, n);
	for (h = 4; h * 4 <= n; h *= 4)
		two_steps(x, n, h);
	if (h < n)
		butterfly(x, h);
}

static void mix_halves(float *x, size_t n)
{
	const float scale = 0.70710678f;

	butterfly(x, n / 2);
	for (size_t i = 0; i < n; i++)
		x[i] *= scale;
}

void rotation_apply(const struct rotation *r, float *x)
{
	size_t n = r->part;
	const float *signs = r->signs;

	for (int turn = 0; turn < TURNS; turn++, signs += n) {
		transform(turn % 2 == 0 ? x : x + (r->bits - n), signs, n);
		if (turn % 2 == 1 && r->bits != n)
			mix_halves(x, r->bits);
	}
}
