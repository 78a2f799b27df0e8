#include "text/svd.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A column of Z with less than this share of the longest one's squared length
 * is what rounding left of nothing. */
#define NOTHING 1e-11
#define SWEEPS_MAX 60

/* ---- Jacobi's rotations ------------------------------------------------- */

static void rotate_rows(double *p, double *q, size_t n, double c, double s)
{
	size_t k;
	double x, y;

	for (k = 0; k < n; k++) {
		x = p[k];
		y = q[k];
		p[k] = c * x - s * y;
		q[k] = s * x + c * y;
	}
}

static void rotate_columns(double *a, size_t n, size_t p, size_t q, double c,
			   double s)
{
	size_t k;
	double x, y;

	for (k = 0; k < n; k++, a += n) {
		x = a[p];
		y = a[q];
		a[p] = c * x - s * y;
		a[q] = s * x + c * y;
	}
}

/* One rotation makes a[p][q] zero (Golub and Van Loan, 8.5.2). */
static void rotate(double *a, double *v, size_t n, size_t p, size_t q)
{
	double t, c, s, theta;

	theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
	t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
	t = theta < 0 ? -t : t;
	c = 1 / sqrt(t * t + 1);
	s = t * c;
	rotate_rows(a + p * n, a + q * n, n, c, s);
	rotate_columns(a, n, p, q, c, s);
	rotate_rows(v + p * n, v + q * n, n, c, s);
	a[p * n + q] = a[q * n + p] = 0;
}

/* Whether anything was left to rotate. */
static bool sweep(double *a, double *v, size_t n)
{
	size_t p, q;
	double least;
	bool any = false;

	for (p = 0; p < n; p++) {
		for (q = p + 1; q < n; q++) {
			least = 1e-15 * sqrt(fabs(a[p * n + p])) *
				sqrt(fabs(a[q * n + q]));
			if (fabs(a[p * n + q]) <= least ||
			    fabs(a[p * n + q]) < 1e-280)
				continue;
			rotate(a, v, n, p, q);
			any = true;
		}
	}
	return any;
}

static void swap_rows(double *v, size_t n, size_t p, size_t q)
{
	size_t k;
	double x;

	for (k = 0; k < n; k++) {
		x = v[p * n + k];
		v[p * n + k] = v[q * n + k];
		v[q * n + k] = x;
	}
}

void ai_svd_jacobi(double *a, size_t n, double *values, double *v)
{
	size_t i, k, best;
	double x;

	memset(v, 0, n * n * sizeof(*v));
	for (i = 0; i < n; i++)
		v[i * n + i] = 1;
	for (k = 0; k < SWEEPS_MAX && sweep(a, v, n); k++)
		;
	for (i = 0; i < n; i++)
		values[i] = a[i * n + i];
	for (i = 0; i < n; i++) {
		for (best = i, k = i + 1; k < n; k++)
			if (values[k] > values[best])
				best = k;
		if (best == i)
			continue;
		x = values[i];
		values[i] = values[best];
		values[best] = x;
		swap_rows(v, n, i, best);
	}
}

/* ---- subspace iteration ------------------------------------------------- */

struct space {
	const struct ai_svd *s;
	const struct ai_svd_rows *rows;
	size_t stride;
	float *q, *z;           /* n * stride each */
	double *g, *v, *values; /* stride * stride, twice; stride */
	double *room;           /* 2 * AI_SVD_ROWS * stride */
	float *m, *row;         /* stride * stride, stride */
};

static void space_release(struct space *p)
{
	free(p->q);
	free(p->z);
	free(p->g);
	free(p->v);
	free(p->values);
	free(p->room);
	free(p->m);
	free(p->row);
}

static int space_init(struct space *p, const struct ai_svd *s,
		      struct ai_err *err)
{
	size_t c = s->rank + s->extra;

	if (c > s->n)
		c = s->n;
	c = (c + AI_SVD_RUN - 1) / AI_SVD_RUN * AI_SVD_RUN;
	*p = (struct space){ .s = s, .stride = c };
	p->rows = ai_svd_rows(false);
	p->q = calloc(s->n, c * sizeof(*p->q));
	p->z = calloc(s->n, c * sizeof(*p->z));
	p->g = calloc(c, c * sizeof(*p->g));
	p->v = calloc(c, c * sizeof(*p->v));
	p->m = calloc(c, c * sizeof(*p->m));
	p->values = calloc(c, sizeof(*p->values));
	p->row = calloc(c, sizeof(*p->row));
	p->room = calloc(c, 2 * AI_SVD_ROWS * sizeof(*p->room));
	if (p->q == NULL || p->z == NULL || p->g == NULL || p->v == NULL ||
	    p->m == NULL || p->values == NULL || p->row == NULL || p->room == NULL) {
		space_release(p);
		return ai_err_nomem(err);
	}
	return 0;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t next(uint64_t *state)
{
	uint64_t h = *state += UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* Evenly from -1 to 1. */
static void fill(const struct space *p)
{
	uint64_t state = p->s->seed;
	size_t i;

	for (i = 0; i < p->s->n * p->stride; i++)
		p->q[i] = (float)((int64_t)next(&state) >> 40) / 8388608.0f;
}

static int apply(struct space *p, struct ai_err *err)
{
	memset(p->z, 0, p->s->n * p->stride * sizeof(*p->z));
	return p->s->apply(p->s->arg, p->q, p->z, p->stride, err);
}

/* g = A'B, which is symmetric but for rounding. */
static void gram(struct space *p, const float *a, const float *b)
{
	size_t c = p->stride, i, k;

	memset(p->g, 0, c * c * sizeof(*p->g));
	p->rows->gram(p->g, a, b, p->s->n, c, p->room);
	for (i = 0; i < c; i++)
		for (k = 0; k < i; k++)
			p->g[i * c + k] = p->g[k * c + i];
}

/*
 * Q = Z E L^-1/2, where Z'Z = E L E'.  Its columns are orthonormal, and come
 * out as near to the eigenvectors, in their order, as Z has them.
 */
static void orthonormalise(struct space *p)
{
	size_t c = p->stride, i, k;
	double scale;
	float *t;

	gram(p, p->z, p->z);
	ai_svd_jacobi(p->g, c, p->values, p->v);
	for (k = 0; k < c; k++) {
		scale = p->values[k] > p->values[0] * NOTHING
			? 1 / sqrt(p->values[k]) : 0;
		for (i = 0; i < c; i++)
			p->m[i * c + k] = (float)(p->v[k * c + i] * scale);
	}
	p->rows->times(p->z, p->s->n, c, p->m, p->row);
	t = p->q;
	p->q = p->z;
	p->z = t;
}

/* Turns Q to the eigenvectors themselves. */
static void ritz(struct space *p, float *out, double *values)
{
	size_t c = p->stride, rank = p->s->rank, i, k;
	size_t have = rank < c ? rank : c;

	gram(p, p->q, p->z);
	ai_svd_jacobi(p->g, c, p->values, p->v);
	for (i = 0; i < c; i++)
		for (k = 0; k < c; k++)
			p->m[i * c + k] = (float)p->v[k * c + i];
	p->rows->times(p->q, p->s->n, c, p->m, p->row);
	for (k = 0; k < rank; k++)
		values[k] = k < c && p->values[k] > p->values[0] * 1e-6
			? p->values[k] : 0;
	memset(out, 0, p->s->n * rank * sizeof(*out));
	for (i = 0; i < p->s->n; i++)
		for (k = 0; k < have; k++)
			if (values[k] > 0)
				out[i * rank + k] = p->q[i * c + k];
}

int ai_svd_top(const struct ai_svd *s, float *out, double *values,
	       struct ai_err *err)
{
	struct space p;
	size_t round;
	int rc = 0;

	if (s->rank == 0 || s->rank > AI_SVD_RANK_MAX || s->n == 0)
		return ai_err_set(err, AI_E_BUG, "%zu singular vectors of a "
				  "matrix of %zu", s->rank, s->n);
	if (space_init(&p, s, err) < 0)
		return -1;
	fill(&p);
	for (round = 0; round <= s->rounds && rc == 0; round++) {
		rc = apply(&p, err);
		if (rc == 0)
			orthonormalise(&p);
	}
	if (rc == 0)
		rc = apply(&p, err);
	if (rc == 0)
		ritz(&p, out, values);
	space_release(&p);
	return rc;
}
