/* train-fit.c: windows -> weights -> bytes, and the rates of the scores. */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPOCHS 8
#define FITS 3 /* whose mean is taken */
#define SIZE ((size_t)1 << TRAIN_BITS)
#define SEED 20260601

/* How large a step is, and how much of a weight is lost each time that it is
 * looked at.  Documents have many more windows that are easy to tell.  margin:
 * what users ask is more varied than what was measured, and found so much more
 * often. */
static const struct pace {
	float rate, decay;
	double margin;
} paces[WEIGHTS_TABLES] = { { .05f, 5e-5f, 2 }, { .4f, 2e-4f, 1 } };

/* e^x by plain arithmetic, so that it is the same everywhere; -30 <= x <= 30. */
static double exp_same(double x)
{
	double k = floor(x * 1.4426950408889634 + .5);
	double r = x - k * .6931471805599453, sum = 1;

	for (int i = 13; i > 0; i--)
		sum = 1 + sum * r / i;
	return ldexp(sum, (int)k);
}

static float sigmoid(float z)
{
	double x = fmin(fmax((double)z, -30), 30);

	return (float)(1 / (1 + exp_same(-x)));
}

static void shuffle(uint32_t *order, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = train_below(seed, i);
		uint32_t x = order[i - 1];

		order[i - 1] = order[k];
		order[k] = x;
	}
}

/* What is learned, and what AdaGrad remembers of it. */
struct fit {
	float *w, *squares, bias, bias_squares;
	const struct pace *pace;
};

static void learn(struct fit *f, const struct train_set *s,
		  const struct train_window *x, float weight)
{
	float scale = (float)features_scale(x->words), sum = 0, g;

	for (size_t i = 0; i < x->n; i++)
		sum += f->w[s->features[x->at + i]];
	g = weight * (sigmoid(f->bias + scale * sum) - (x->attack ? 1 : 0));
	f->bias_squares += g * g;
	f->bias -= f->pace->rate * .1f * g / sqrtf(f->bias_squares + 1);
	g *= scale;
	for (size_t i = 0; i < x->n; i++) {
		uint32_t k = s->features[x->at + i];

		f->squares[k] += g * g;
		f->w[k] -= f->pace->rate * g / sqrtf(f->squares[k] + 1e-4f) +
			   f->pace->decay * f->w[k];
	}
}

/* All windows, EPOCHS times.  The weights are the mean of those after the
 * later half of the rounds, in w: one round's are noisier. */
static void learn_all(struct fit *f, const struct train_set *s, uint32_t *order,
		      float *w, float *bias, uint64_t *seed)
{
	const int from = EPOCHS / 2;
	size_t attacks = 0;
	float weight[2];

	for (size_t i = 0; i < s->n; i++) {
		order[i] = (uint32_t)i;
		attacks += s->v[i].attack;
	}
	weight[1] = (float)s->n / (float)(2 * attacks + 1);
	weight[0] = (float)s->n / (float)(2 * (s->n - attacks) + 1);
	memset(w, 0, SIZE * sizeof *w);
	*bias = 0;
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		shuffle(order, s->n, seed);
		for (size_t i = 0; i < s->n; i++)
			learn(f, s, &s->v[order[i]],
			      weight[s->v[order[i]].attack]);
		for (size_t i = 0; epoch >= from && i < SIZE; i++)
			w[i] += f->w[i] / (float)(EPOCHS - from);
		if (epoch >= from)
			*bias += f->bias / (float)(EPOCHS - from);
	}
}

int train_fit(const struct train_set *s, enum weights_table t, float *w,
	      float *bias, uint64_t *seed, struct ai_err *err)
{
	struct fit f = { .pace = &paces[t] };
	uint32_t *order = calloc(s->n + 1, sizeof *order);
	bool good;

	f.w = calloc(SIZE, sizeof *f.w);
	f.squares = calloc(SIZE, sizeof *f.squares);
	good = order != NULL && f.w != NULL && f.squares != NULL;
	if (good)
		learn_all(&f, s, order, w, bias, seed);
	free(f.w);
	free(f.squares);
	free(order);
	return good ? 0 : ai_err_nomem(err);
}

/* ---- bytes -------------------------------------------------------------------- */

static void quantise(const float *w, signed char *out, float *step)
{
	float most = 1e-6f;

	for (size_t i = 0; i < SIZE; i++)
		most = fmaxf(most, fabsf(w[i]));
	*step = most / 127;
	for (size_t i = 0; i < SIZE; i++)
		out[i] = (signed char)floorf(w[i] / *step + .5f);
}

/* The best window of a row, as score.c finds it. */
static double score_row(const struct weights *w, enum weights_table t,
			const struct train_row *r)
{
	const double bias = (double)w->head.table[t].bias;
	const double step = (double)w->head.table[t].step;
	long sums[FEATURES_BLOCKS] = { 0 };
	size_t words[FEATURES_BLOCKS] = { 0 }, now = 0;
	double best = -1e9;
	uint32_t at[FEATURES_MAX];

	for (size_t i = 0; i < r->n; i++) {
		size_t k = features_of(&r->words[i],
			i > 0 ? &r->words[i - 1] : NULL,
			i > 1 ? &r->words[i - 2] : NULL, w->head.bits, at);
		long sum = 0;
		size_t n = 0;

		while (k > 0)
			sums[now % FEATURES_BLOCKS] += w->table[t][at[--k]];
		if (++words[now % FEATURES_BLOCKS] < FEATURES_BLOCK &&
		    i + 1 < r->n)
			continue;
		for (k = 0; k < FEATURES_BLOCKS && k <= now; k++) {
			sum += sums[(now - k) % FEATURES_BLOCKS];
			n += words[(now - k) % FEATURES_BLOCKS];
			if ((k & (k + 1)) == 0 || k == now)
				best = fmax(best, bias + step * (double)sum *
						  features_scale(n));
		}
		now++;
		sums[now % FEATURES_BLOCKS] = 0;
		words[now % FEATURES_BLOCKS] = 0;
	}
	return best - features_length(r->bytes);
}

static int falling(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x > y ? -1 : x < y;
}

/* The score that so many of n scores are above, v falling.  Where there are too
 * few to say, they are taken to thin out as they do among the highest tenth. */
static double above(const double *v, size_t n, double rate)
{
	double at = rate * (double)n, slope;
	size_t tail = n / 10 + 1;

	if (n == 0)
		return -log(rate);
	if (at >= 1)
		return v[(size_t)at];
	if (tail >= n)
		tail = n - 1;
	slope = fmax((v[0] - v[tail]) / log((double)tail + 1), .1);
	return v[0] - slope * log(at);
}

static int calibrate(const struct train_rows *rows, struct weights *w,
		     enum weights_table t, struct ai_err *err)
{
	double *v = calloc(rows->n + 1, sizeof *v), x, last = 1e9;
	size_t n = 0;

	if (v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].calibrate && !rows->v[i].attack &&
		    rows->v[i].of[t] && rows->v[i].n > 0)
			v[n++] = score_row(w, t, &rows->v[i]);
	qsort(v, n, sizeof *v, falling);
	for (size_t i = 0; i < WEIGHTS_POINTS; i++) {
		x = fmin(above(v, n, weights_rates[i] / paces[t].margin),
			 last - .01);
		w->head.table[t].points[i] = (float)x;
		last = x;
	}
	free(v);
	return 0;
}

/* The mean of several fits, each to other places and other trigger words, by
 * what a first fit says.  w has room for three tables. */
static int fit_often(const struct train_rows *rows, enum weights_table t,
		     float *w, float *bias, struct ai_err *err)
{
	struct train_set s = { 0 };
	uint64_t seed = SEED + t;
	float *first = w + SIZE, *more = w + 2 * SIZE, b;
	int rc;

	rc = train_set_fill(&s, rows, t, NULL, &seed, err);
	if (rc == 0)
		rc = train_fit(&s, t, first, &b, &seed, err);
	memset(w, 0, SIZE * sizeof *w);
	*bias = 0;
	for (int k = 0; k < FITS && rc == 0; k++) {
		train_set_release(&s);
		rc = train_set_fill(&s, rows, t, first, &seed, err);
		if (rc == 0)
			rc = train_set_debias(&s, rows, t, first, &seed, err);
		if (rc == 0)
			rc = train_fit(&s, t, more, &b, &seed, err);
		for (size_t i = 0; rc == 0 && i < SIZE; i++)
			w[i] += more[i] / FITS;
		*bias += b / FITS;
	}
	train_set_release(&s);
	return rc;
}

static int fit_table(const struct train_rows *rows, struct weights *out,
		     enum weights_table t, float *w, signed char *bytes,
		     struct ai_err *err)
{
	float bias;

	if (fit_often(rows, t, w, &bias, err) < 0)
		return -1;
	quantise(w, bytes, &out->head.table[t].step);
	out->head.table[t].bias = bias;
	out->table[t] = bytes;
	return calibrate(rows, out, t, err);
}

int train_weights(const struct train_rows *rows, struct weights *out,
		  struct ai_err *err)
{
	float *w = calloc(3 * SIZE, sizeof *w);
	int rc = 0;

	memset(out, 0, sizeof *out);
	out->head.bits = TRAIN_BITS;
	if (w == NULL)
		return ai_err_nomem(err);
	for (int t = 0; t < WEIGHTS_TABLES && rc == 0; t++) {
		signed char *bytes = malloc(SIZE);

		rc = bytes == NULL ? ai_err_nomem(err) :
		     fit_table(rows, out, (enum weights_table)t, w, bytes, err);
		if (rc < 0)
			free(bytes);
	}
	if (rc < 0)
		train_result_release(out);
	free(w);
	return rc;
}

void train_result_release(struct weights *w)
{
	for (int t = 0; t < WEIGHTS_TABLES; t++)
		free((void *)(uintptr_t)w->table[t]);
	memset(w, 0, sizeof *w);
}
