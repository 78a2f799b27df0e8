/* Eigenvectors: Jacobi's rotations, and subspace iteration against them. */
#include "text/ln.h"
#include "text/svd.h"
#include "tap.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define MOST 40 /* rows of the matrices here */

static uint64_t state;

static double random_one(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 4503599627370496.0 - 1;
}

/* B = A'A of a random A of so many rows, whose columns become shorter. */
static void make(double *b, size_t n, size_t rows, double decay)
{
	static double a[MOST * MOST];
	size_t i, k, r;

	for (r = 0; r < rows; r++) {
		double scale = 1;

		for (i = 0; i < n; i++, scale *= decay)
			a[r * n + i] = random_one() * scale;
	}
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			b[i * n + k] = 0;
			for (r = 0; r < rows; r++)
				b[i * n + k] += a[r * n + i] * a[r * n + k];
		}
	}
}

/* How far B v is from value * v, for row k of v. */
static double residue(const double *b, size_t n, const double *v, double value)
{
	double worst = 0, sum;
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (sum = 0, k = 0; k < n; k++)
			sum += b[i * n + k] * v[k];
		sum = fabs(sum - value * v[i]);
		worst = sum > worst ? sum : worst;
	}
	return worst;
}

static void test_jacobi(void)
{
	static double b[MOST * MOST], a[MOST * MOST], v[MOST * MOST];
	double values[MOST], worst = 0, skew = 0;
	bool falling = true;

	for (size_t n = 1; n <= MOST; n++) {
		make(b, n, n % 3 == 0 ? n / 2 + 1 : n, n % 2 ? 1 : .6);
		memcpy(a, b, n * n * sizeof *a);
		ai_svd_jacobi(a, n, values, v);
		for (size_t k = 0; k < n; k++) {
			double r = residue(b, n, v + k * n, values[k]);

			worst = r > worst ? r : worst;
			falling = falling && (k == 0 ||
					      values[k] <= values[k - 1]);
			for (size_t i = 0; i <= k; i++) {
				double dot = 0;

				for (size_t j = 0; j < n; j++)
					dot += v[k * n + j] * v[i * n + j];
				dot = fabs(dot - (i == k));
				skew = dot > skew ? dot : skew;
			}
		}
	}
	ok(worst < 1e-12, "1 to %d rows: B v = x v within %.1g", MOST, worst);
	ok(skew < 1e-13, "eigenvectors are orthonormal within %.1g", skew);
	ok(falling, "values fall");
	memset(a, 0, sizeof a);
	ai_svd_jacobi(a, 5, values, v);
	ok(values[0] == 0 && values[4] == 0 && v[0] == 1, "a matrix of zeros");
}

struct dense {
	const double *b;
	size_t n;
	bool fail;
};

static int apply(void *arg, const float *q, float *z, size_t stride,
		 struct ai_err *err)
{
	const struct dense *d = arg;

	if (d->fail)
		return ai_err_set(err, AI_E_IO, "no");
	for (size_t i = 0; i < d->n; i++)
		for (size_t j = 0; j < d->n; j++)
			for (size_t k = 0; k < stride; k++)
				z[i * stride + k] += (float)d->b[i * d->n + j] *
						     q[j * stride + k];
	return 0;
}

/* The largest difference of the projections on both subspaces. */
static double apart(const float *q, const double *v, size_t n, size_t rank,
		    size_t of)
{
	double worst = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			double p = 0;

			for (size_t k = 0; k < of; k++)
				p += (double)q[i * rank + k] * q[j * rank + k] -
				     v[k * n + i] * v[k * n + j];
			worst = fabs(p) > worst ? fabs(p) : worst;
		}
	}
	return worst;
}

/* Of rank or less, compared with Jacobi's. */
static void test_one(size_t n, size_t rows, size_t rank, double decay)
{
	static double b[MOST * MOST], a[MOST * MOST], v[MOST * MOST];
	static float q[MOST * MOST], again[MOST * MOST];
	double all[MOST], values[MOST], off = 0;
	struct dense d = { b, n, false };
	struct ai_svd s = { .n = n, .rank = rank, .extra = 6, .rounds = 8,
			    .seed = 7, .apply = apply, .arg = &d };
	size_t of = rank < rows ? rank : rows;

	make(b, n, rows, decay);
	memcpy(a, b, n * n * sizeof *a);
	ai_svd_jacobi(a, n, all, v);
	if (!ok(ai_svd_top(&s, q, values, NULL) == 0, "%zu of %zu, of rank %zu",
		rank, n, rows))
		return;
	for (size_t k = 0; k < of; k++) {
		double e = fabs(values[k] - all[k]) / all[0];

		off = e > off ? e : off;
	}
	ok(off < 1e-5, "values are within %.1g of the largest", off);
	off = apart(q, v, n, rank, of);
	ok(off < 2e-3, "the subspace is Jacobi's within %.1g", off);
	for (size_t k = of; k < rank; k++)
		for (size_t i = 0; i < n; i++)
			if (q[i * rank + k] != 0 || values[k] != 0)
				of = SIZE_MAX;
	ok(of != SIZE_MAX, "what is beyond the rank is zeros");
	ai_svd_top(&s, again, values, NULL);
	ok(memcmp(q, again, n * rank * sizeof *q) == 0, "twice the same bits");
}

static void test_edges(void)
{
	static const double zeros[MOST * MOST];
	struct dense d = { zeros, 9, false };
	struct ai_svd s = { .n = 9, .rank = 3, .extra = 2, .rounds = 2,
			    .apply = apply, .arg = &d };
	float q[9 * 3];
	double values[3];
	struct ai_err err;

	memset(q, 1, sizeof q);
	ok(ai_svd_top(&s, q, values, NULL) == 0 && values[0] == 0 &&
	   q[0] == 0 && q[26] == 0, "a matrix of zeros gives zeros");
	d.fail = true;
	ok(ai_svd_top(&s, q, values, &err) == -1 && err.code == AI_E_IO,
	   "what fails inside is told");
	s.rank = 0;
	ok(ai_svd_top(&s, q, values, &err) == -1 && err.code == AI_E_BUG,
	   "no columns are no question");
}

#define ROWS 21
#define STRIDE 32

/* The instructions of this machine against those of every machine. */
static void test_rows(void)
{
	static float x[ROWS * STRIDE], y[2][ROWS * STRIDE], m[STRIDE * STRIDE];
	static double g[2][STRIDE * STRIDE], room[2 * AI_SVD_ROWS * STRIDE];
	float w[7], row[STRIDE];
	static const uint32_t at[7] = { 3, 0, 20, 3, 11, 5, 19 };
	double worst = 0;

	for (size_t i = 0; i < ROWS * STRIDE; i++)
		x[i] = (float)random_one();
	for (size_t i = 0; i < STRIDE * STRIDE; i++)
		m[i] = (float)random_one();
	for (size_t i = 0; i < 7; i++)
		w[i] = (float)random_one();
	for (int plain = 0; plain < 2; plain++) {
		const struct ai_svd_rows *k = ai_svd_rows(plain);

		memcpy(y[plain], x, sizeof x);
		k->scatter(y[plain], at, w, 7, x + STRIDE, STRIDE);
		k->gather(y[plain], at, w, 7, x, STRIDE);
		k->times(y[plain], ROWS, STRIDE, m, row);
		k->gram(g[plain], y[plain], x, ROWS, STRIDE, room);
		k->gram(g[plain], x, x, ROWS, STRIDE, room);
	}
	ok(memcmp(y[0], y[1], sizeof y[0]) == 0 &&
	   memcmp(g[0], g[1], sizeof g[0]) == 0,
	   "the same bits with and without special instructions");
	for (size_t i = 0; i < STRIDE; i++) {
		for (size_t j = i; j < STRIDE; j++) {
			double sum = 0;

			for (size_t r = 0; r < ROWS; r++)
				sum += (double)(y[0][r * STRIDE + i] +
						x[r * STRIDE + i]) *
				       x[r * STRIDE + j];
			sum = fabs(sum - g[0][i * STRIDE + j]);
			worst = sum > worst ? sum : worst;
		}
	}
	ok(worst < 1e-4, "a Gram matrix is that of its definition (%.1g)",
	   worst);
}

static void test_ln(void)
{
	double worst = 0, x, e;

	for (int i = 0; i < 100000; i++) {
		x = ldexp(random_one() + 1.0000001, (int)(random_one() * 300));
		e = fabs(ai_ln(x) - log(x)) / (fabs(log(x)) + 1e-3);
		worst = e > worst ? e : worst;
	}
	ok(worst < 1e-13 && ai_ln(1) == 0, "logarithms: within %.1g", worst);
}

int main(void)
{
	state = UINT64_C(0x9e3779b97f4a7c15);
	printf("# seed %llu\n", (unsigned long long)state);
	test_jacobi();
	test_one(30, 30, 5, .8);
	test_one(40, 40, 12, .7);
	test_one(40, 7, 12, .9);
	test_one(16, 16, 16, .95);
	test_one(5, 5, 20, .8);
	test_one(1, 1, 1, 1);
	test_edges();
	test_rows();
	test_ln();
	return done();
}
