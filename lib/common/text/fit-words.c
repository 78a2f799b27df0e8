/*
 * The words: left singular vectors of the positive pointwise mutual
 * information of words within WINDOW places of each other.
 *
 * A row of the matrix of counts is made by going to each place where its word
 * stands: that needs no table of pairs, and costs twice the window for a place.
 * It is done several times over: for the words' sums, for how rare a pair must
 * be so that the others fit into memory, and for the rows that are kept.
 */
#include "text/fit-int.h"
#include "text/ln.h"
#include "text/svd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 15
#define EXTRA 10
#define SEED UINT64_C(0x776f726473)
/* Pairs that are kept, 8 bytes each; with more, the rarest go. */
#define PAIRS_MAX ((size_t)16 << 20)
#define COUNTED 64 /* as often and more often is one */

struct pairs {
	const struct ai_fit *f;
	const struct ai_svd_rows *kernel;
	uint32_t *from, *places; /* of each term: n + 1; its places in seq */
	uint32_t *count;         /* with each other term, of the row at hand */
	uint32_t *near;          /* those that it counts */
	uint32_t n_near;
	double *sums;            /* of each row, and column: C is symmetric */
	double *smooth;          /* sums to the power of 3/4 */
	double total;            /* of smooth */
	uint32_t least;          /* a pair must stand so often */
	uint64_t *row;           /* of the matrix, n + 1 */
	uint32_t *at;
	float *value;
	float *middle;           /* n * stride */
};

static void pairs_release(struct pairs *p)
{
	free(p->from);
	free(p->places);
	free(p->count);
	free(p->near);
	free(p->sums);
	free(p->smooth);
	free(p->row);
	free(p->at);
	free(p->value);
	free(p->middle);
}

/* Where each term stands. */
static int find_places(struct pairs *p, struct ai_err *err)
{
	const struct ai_fit *f = p->f;
	uint32_t n = f->n, at = 0, k;

	p->from = calloc((size_t)n + 2, sizeof *p->from);
	p->places = malloc((f->seq_n + 1) * sizeof *p->places);
	p->count = calloc(n, sizeof *p->count);
	p->near = malloc(n * sizeof *p->near);
	p->sums = calloc(n, sizeof *p->sums);
	p->smooth = calloc(n, sizeof *p->smooth);
	p->row = calloc((size_t)n + 1, sizeof *p->row);
	if (p->from == NULL || p->places == NULL || p->count == NULL ||
	    p->near == NULL || p->sums == NULL || p->smooth == NULL ||
	    p->row == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < f->seq_n; i++)
		if (f->seq[i] < AI_FIT_NO_TERM)
			p->from[f->seq[i] + 1]++;
	for (k = 0; k <= n; k++) {
		at += p->from[k];
		p->from[k] = at;
	}
	/* Each from[] moves to where the next one begins, and back. */
	for (size_t i = 0; i < f->seq_n; i++)
		if (f->seq[i] < AI_FIT_NO_TERM)
			p->places[p->from[f->seq[i]]++] = (uint32_t)i;
	memmove(p->from + 1, p->from, (size_t)n * sizeof *p->from);
	p->from[0] = 0;
	return 0;
}

static inline void count_one(struct pairs *p, uint32_t term)
{
	if (term == AI_FIT_NO_TERM)
		return;
	if (p->count[term]++ == 0)
		p->near[p->n_near++] = term;
}

/* What stands near term i, into count[] and near[]. */
static void count_row(struct pairs *p, uint32_t i)
{
	const uint32_t *seq = p->f->seq;
	size_t end = p->f->seq_n, at, k;

	p->n_near = 0;
	for (uint32_t n = p->from[i]; n < p->from[i + 1]; n++) {
		at = p->places[n];
		for (k = 1; k <= WINDOW && k <= at &&
		     seq[at - k] != AI_FIT_END; k++)
			count_one(p, seq[at - k]);
		for (k = 1; k <= WINDOW && at + k < end &&
		     seq[at + k] != AI_FIT_END; k++)
			count_one(p, seq[at + k]);
	}
}

static void clear_row(struct pairs *p)
{
	for (uint32_t k = 0; k < p->n_near; k++)
		p->count[p->near[k]] = 0;
}

/* The sums, and how rare is too rare. */
static void add_up(struct pairs *p)
{
	uint64_t often[COUNTED] = { 0 }, kept = 0;
	uint32_t c;

	for (uint32_t i = 0; i < p->f->n; i++) {
		count_row(p, i);
		for (uint32_t k = 0; k < p->n_near; k++) {
			c = p->count[p->near[k]];
			p->sums[i] += c;
			often[c < COUNTED ? c : COUNTED - 1]++;
		}
		clear_row(p);
		/* x^(3/4), of operations that have one result everywhere. */
		p->smooth[i] = sqrt(p->sums[i]) * sqrt(sqrt(p->sums[i]));
		p->total += p->smooth[i];
	}
	for (c = COUNTED - 1; c > 0 && kept + often[c] <= PAIRS_MAX; c--)
		kept += often[c];
	p->least = c + 1;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* A row's values that are above zero, from place on. */
static uint64_t put_row(struct pairs *p, uint32_t i, uint64_t place)
{
	double ratio;
	uint32_t k, j;

	qsort(p->near, p->n_near, sizeof *p->near, by_number);
	for (k = 0; k < p->n_near; k++) {
		j = p->near[k];
		if (p->count[j] < p->least)
			continue;
		ratio = p->count[j] * p->total / (p->sums[i] * p->smooth[j]);
		if (ratio <= 1)
			continue;
		p->at[place] = j;
		p->value[place++] = (float)ai_ln(ratio);
	}
	return place;
}

static int make_rows(struct pairs *p, struct ai_err *err)
{
	uint64_t n = 0, place = 0;
	uint32_t i, k;

	for (i = 0; i < p->f->n; i++) {
		count_row(p, i);
		for (k = 0; k < p->n_near; k++)
			n += p->count[p->near[k]] >= p->least;
		clear_row(p);
	}
	p->at = malloc((n + 1) * sizeof *p->at);
	p->value = malloc((n + 1) * sizeof *p->value);
	if (p->at == NULL || p->value == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < p->f->n; i++) {
		count_row(p, i);
		place = put_row(p, i, place);
		clear_row(p);
		p->row[i + 1] = place;
	}
	return 0;
}

/* z = M M'q. */
static int apply(void *arg, const float *q, float *z, size_t stride,
		 struct ai_err *err)
{
	struct pairs *p = arg;
	uint32_t n = p->f->n;

	if (p->middle == NULL)
		p->middle = malloc(n * stride * sizeof *p->middle);
	if (p->middle == NULL)
		return ai_err_nomem(err);
	memset(p->middle, 0, n * stride * sizeof *p->middle);
	for (uint32_t i = 0; i < n; i++)
		p->kernel->scatter(p->middle, p->at + p->row[i],
				   p->value + p->row[i],
				   p->row[i + 1] - p->row[i], q + i * stride,
				   stride);
	for (uint32_t i = 0; i < n; i++)
		p->kernel->gather(z + i * stride, p->at + p->row[i],
				  p->value + p->row[i],
				  p->row[i + 1] - p->row[i], p->middle, stride);
	return 0;
}

static int find_vectors(struct pairs *p, float *u, double *values,
			struct ai_err *err)
{
	const struct ai_svd s = {
		.n = p->f->n, .rank = ai_fit_rank(p->f, 1), .extra = EXTRA,
		.rounds = ai_fit_rounds(p->f), .seed = SEED, .apply = apply, .arg = p,
	};

	if (find_places(p, err) < 0)
		return -1;
	add_up(p);
	if (make_rows(p, err) < 0)
		return -1;
	return ai_svd_top(&s, u, values, err);
}

/* A word's vector has length 1: how much it says is its weight's to tell. */
static void put_vectors(struct ai_fit *f, float *u)
{
	size_t n = ai_fit_rank(f, 1);

	for (uint32_t i = 0; i < f->n; i++, u += n) {
		double sum = 0;

		for (size_t k = 0; k < n; k++)
			sum += (double)u[k] * u[k];
		for (size_t k = 0; k < n && sum > 0; k++)
			u[k] = (float)(u[k] / sqrt(sum));
		ai_fit_quantise(f, i, 1, u);
	}
}

int ai_fit_words(struct ai_fit *f, struct ai_err *err)
{
	struct pairs p = { .f = f, .kernel = ai_svd_rows(false) };
	float *u = malloc(f->n * ai_fit_rank(f, 1) * sizeof *u);
	double *values = malloc(ai_fit_rank(f, 1) * sizeof *values);
	int rc = u == NULL || values == NULL
		 ? ai_err_nomem(err) : find_vectors(&p, u, values, err);

	if (rc == 0)
		put_vectors(f, u);
	pairs_release(&p);
	free(u);
	free(values);
	return rc;
}
