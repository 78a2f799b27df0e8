/*
 * The topics: right singular vectors of the matrix of texts by terms, with
 * (1 + ln tf) * weight^1.5 in it and rows of length 1.  The exponent is larger
 * than that of tf-idf, which gives words that stand everywhere too much to say.
 */
#include "text/fit-int.h"
#include "text/ln.h"
#include "text/svd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXTRA 10
#define SEED UINT64_C(0x746f70696373)

/* The texts of the sample, each its terms in ascending order. */
struct texts {
	const struct ai_svd_rows *kernel;
	uint32_t *from; /* n + 1 */
	size_t n;
	uint32_t *at;
	float *w;
};

static void texts_release(struct texts *t)
{
	free(t->from);
	free(t->at);
	free(t->w);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The terms at[from..to) as a row: each once, with its weight. */
static uint32_t weigh(const struct ai_fit *f, struct texts *t, uint32_t from,
		      uint32_t to)
{
	uint32_t n = from, i, run;
	double sum = 0;

	qsort(t->at + from, to - from, sizeof *t->at, by_number);
	for (i = from; i < to; i += run) {
		for (run = 1; i + run < to && t->at[i + run] == t->at[i]; run++)
			;
		t->at[n] = t->at[i];
		t->w[n] = (float)((1 + ai_ln(run)) *
				    ai_fit_topic_weight(f, t->at[i]));
		sum += (double)t->w[n] * t->w[n];
		n++;
	}
	for (i = from; i < n; i++)
		t->w[i] = (float)(t->w[i] / sqrt(sum));
	return n;
}

static int texts_init(struct texts *t, const struct ai_fit *f,
		      struct ai_err *err)
{
	uint32_t n = 0, from = 0;

	*t = (struct texts){ .kernel = ai_svd_rows(false) };
	t->from = malloc((f->sample_n + 1) * sizeof *t->from);
	t->at = malloc((f->seq_n + 1) * sizeof *t->at);
	t->w = malloc((f->seq_n + 1) * sizeof *t->w);
	if (t->from == NULL || t->at == NULL || t->w == NULL) {
		texts_release(t);
		return ai_err_nomem(err);
	}
	t->from[0] = 0;
	for (size_t i = 0; i < f->seq_n; i++) {
		if (f->seq[i] < AI_FIT_NO_TERM)
			t->at[n++] = f->seq[i];
		if (f->seq[i] != AI_FIT_END)
			continue;
		n = weigh(f, t, from, n);
		if (n > from)
			t->from[++t->n] = n;
		from = n;
	}
	return 0;
}

/* z = A'A q, a text after the other. */
static int apply(void *arg, const float *q, float *z, size_t stride,
		 struct ai_err *err)
{
	const struct texts *t = arg;
	float *y = malloc(stride * sizeof *y);

	if (y == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->n; i++) {
		uint32_t from = t->from[i], n = t->from[i + 1] - from;

		memset(y, 0, stride * sizeof *y);
		t->kernel->gather(y, t->at + from, t->w + from, n, q, stride);
		t->kernel->scatter(z, t->at + from, t->w + from, n, y, stride);
	}
	free(y);
	return 0;
}

int ai_fit_topics(struct ai_fit *f, struct ai_err *err)
{
	struct texts t;
	const struct ai_svd s = {
		.n = f->n, .rank = ai_fit_rank(f, 0), .extra = EXTRA,
		.rounds = ai_fit_rounds(f), .seed = SEED, .apply = apply, .arg = &t,
	};
	float *v = malloc(f->n * s.rank * sizeof *v);
	double *values = malloc(s.rank * sizeof *values);
	int rc = v == NULL || values == NULL ? ai_err_nomem(err)
					     : texts_init(&t, f, err);

	if (rc == 0) {
		rc = ai_svd_top(&s, v, values, err);
		texts_release(&t);
	}
	for (uint32_t i = 0; i < f->n && rc == 0; i++)
		ai_fit_quantise(f, i, 0, v + i * s.rank);
	free(v);
	free(values);
	return rc;
}
