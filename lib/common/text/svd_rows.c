/*
 * The loops over rows of floats.  A run of floats is one vector of the
 * compiler's, whichever instructions it has for it: a column's sum never
 * depends on how many columns are added up at once.
 */
#include "text/svd.h"

#include <string.h>

typedef float run_t __attribute__((vector_size(32), aligned(4), may_alias));
typedef float half_t __attribute__((vector_size(16), aligned(4), may_alias));
typedef double wide_t __attribute__((vector_size(32), aligned(8), may_alias));
#define RUN 8  /* floats of a run_t */
#define WIDE 4 /* doubles of a wide_t, floats of a half_t */
#define ROWS AI_SVD_ROWS

#define BODY static inline __attribute__((always_inline)) void

BODY axpy(float *y, float w, const float *x, size_t n)
{
	size_t i;

	for (i = 0; i < n; i += 2 * RUN) {
		*(run_t *)(y + i) += w * *(const run_t *)(x + i);
		*(run_t *)(y + i + RUN) += w * *(const run_t *)(x + i + RUN);
	}
}

BODY scatter_body(float *y, const uint32_t *at, const float *w, size_t k,
		  const float *x, size_t stride)
{
	size_t i;

	for (i = 0; i < k; i++)
		axpy(y + at[i] * stride, w[i], x, stride);
}

BODY gather_body(float *x, const uint32_t *at, const float *w, size_t k,
		 const float *y, size_t stride)
{
	size_t i;

	for (i = 0; i < k; i++)
		axpy(x, w[i], y + at[i] * stride, stride);
}

/* a and b are ROWS rows; the products are exact in double, and so is nearly
 * every sum. */
BODY gram_rows(double *g, const double *a, const double *b, size_t stride)
{
	size_t i, j, r;

	for (i = 0; i < stride; i++) {
		for (j = i / WIDE * WIDE; j < stride; j += WIDE) {
			wide_t sum = *(wide_t *)(g + i * stride + j);

#pragma GCC unroll 8
			for (r = 0; r < ROWS; r++)
				sum += a[r * stride + i] *
				       *(const wide_t *)(b + r * stride + j);
			*(wide_t *)(g + i * stride + j) = sum;
		}
	}
}

/* Rows of zeros, which add nothing, fill up the last ROWS. */
BODY widen(double *to, const float *from, size_t n, size_t stride)
{
	size_t have = (n < ROWS ? n : ROWS) * stride, i;

	for (i = 0; i < have; i += WIDE)
		*(wide_t *)(to + i) = __builtin_convertvector(
			*(const half_t *)(from + i), wide_t);
	for (; i < ROWS * stride; i++)
		to[i] = 0;
}

BODY gram_body(double *g, const float *a, const float *b, size_t n,
	       size_t stride, double *room)
{
	double *wide_a = room, *wide_b = a == b ? room : room + ROWS * stride;
	size_t i;

	for (i = 0; i < n; i += ROWS) {
		widen(wide_a, a + i * stride, n - i, stride);
		if (a != b)
			widen(wide_b, b + i * stride, n - i, stride);
		gram_rows(g, wide_a, wide_b, stride);
	}
}

BODY times_body(float *z, size_t n, size_t stride, const float *m, float *row)
{
	size_t i, j, k;

	for (i = 0; i < n; i++, z += stride) {
		for (j = 0; j < stride; j += 2 * RUN) {
			run_t a = { 0 }, b = { 0 };

			for (k = 0; k < stride; k++) {
				const float *p = m + k * stride + j;

				a += z[k] * *(const run_t *)p;
				b += z[k] * *(const run_t *)(p + RUN);
			}
			*(run_t *)(row + j) = a;
			*(run_t *)(row + j + RUN) = b;
		}
		memcpy(z, row, stride * sizeof(*z));
	}
}

#define VERSIONS(name, attribute)                                              \
	attribute static void scatter_##name(float *y, const uint32_t *at,     \
			const float *w, size_t k, const float *x, size_t s)    \
	{                                                                      \
		scatter_body(y, at, w, k, x, s);                               \
	}                                                                      \
	attribute static void gather_##name(float *x, const uint32_t *at,      \
			const float *w, size_t k, const float *y, size_t s)    \
	{                                                                      \
		gather_body(x, at, w, k, y, s);                                \
	}                                                                      \
	attribute static void gram_##name(double *g, const float *a,           \
			const float *b, size_t n, size_t s, double *room)      \
	{                                                                      \
		gram_body(g, a, b, n, s, room);                                \
	}                                                                      \
	attribute static void times_##name(float *z, size_t n, size_t s,       \
			const float *m, float *row)                            \
	{                                                                      \
		times_body(z, n, s, m, row);                                   \
	}                                                                      \
	static const struct ai_svd_rows rows_##name = {                        \
		scatter_##name, gather_##name, gram_##name, times_##name       \
	};

VERSIONS(plain, )
#ifdef __x86_64__
VERSIONS(avx2, __attribute__((target("avx2"))))
#endif

const struct ai_svd_rows *ai_svd_rows(bool plain)
{
#ifdef __x86_64__
	if (!plain && __builtin_cpu_supports("avx2"))
		return &rows_avx2;
#endif
	(void)plain;
	return &rows_plain;
}
