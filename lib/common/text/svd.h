/*
 * svd.h: the first singular vectors of a matrix too large to be written down.
 *
 * Subspace iteration from a random start with a fixed seed (Halko, Martinsson
 * and Tropp, SIAM Review 53, 2011, algorithm 4.4), with a Rayleigh-Ritz step
 * at the end.  The matrix is known by what it does to vectors.  Each sum has
 * one order of its additions, whichever instructions there are, so the same
 * matrix gives the same bits on every machine.
 */
#ifndef AI_TEXT_SVD_H
#define AI_TEXT_SVD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns are padded to whole runs of this many floats. */
#define AI_SVD_RUN 16
#define AI_SVD_RANK_MAX 1024
#define AI_SVD_ROWS 8 /* that a Gram matrix takes at once */

struct ai_svd {
	size_t n;      /* rows and columns of the matrix */
	size_t rank;   /* columns that are wanted, to AI_SVD_RANK_MAX */
	size_t extra;  /* and that many to find them better */
	size_t rounds; /* power iterations */
	uint64_t seed;
	/*
	 * z = B q, for the symmetric B without negative eigenvalues whose
	 * eigenvectors are sought (A'A, AA'); q and z are n rows of stride
	 * floats, z is zeros before.  -1 ends it.
	 */
	int (*apply)(void *arg, const float *q, float *z, size_t stride,
		     struct ai_err *err);
	void *arg;
};

/*
 * The eigenvectors of the largest eigenvalues into out[n * rank], a row of
 * rank floats for each row of B: columns of length 1, in descending order of
 * values[rank].  Where B has no more, columns and values are 0.
 * AI_E_MEMORY, or what apply() says.
 */
int ai_svd_top(const struct ai_svd *s, float *out, double *values,
	       struct ai_err *err);

/*
 * The eigenvalues of the symmetric a[n * n], in descending order, and the
 * eigenvectors as rows of v[n * n] (Jacobi's rotations, cyclic).  Destroys a.
 */
void ai_svd_jacobi(double *a, size_t n, double *values, double *v);

/* What works on rows, in the fastest way that there is. */
struct ai_svd_rows {
	/* y[at[i]] += w[i] * x, for each i < k. */
	void (*scatter)(float *y, const uint32_t *at, const float *w, size_t k,
			const float *x, size_t stride);
	/* x += w[i] * y[at[i]]. */
	void (*gather)(float *x, const uint32_t *at, const float *w, size_t k,
		       const float *y, size_t stride);
	/* g[stride * stride] += a'b over n rows, its upper half only; needs
	 * room[2 * AI_SVD_ROWS * stride]. */
	void (*gram)(double *g, const float *a, const float *b, size_t n,
		     size_t stride, double *room);
	/* z = z m over n rows, m[stride * stride]; row[stride] is needed. */
	void (*times)(float *z, size_t n, size_t stride, const float *m,
		      float *row);
};
/* plain: those without special instructions, for tests. */
const struct ai_svd_rows *ai_svd_rows(bool plain);

#endif
