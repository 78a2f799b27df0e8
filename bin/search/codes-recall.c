#include "codes-recall.h"

#include "codes-file.h"
#include "codes-scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORK 2e9 /* products that the exact scans may cost */
#define FEWEST 8
#define MOST 64

struct query {
	int64_t n;
	float *v;                /* owned */
	struct codes_pick exact; /* the ten nearest, and itself */
};

struct measure {
	const struct search_codes *codes;
	const struct search_rows *rows;
	struct query *q;
	int64_t sample;
	float *spare;
	int64_t scored;
};

static int64_t sample_size(const struct search_codes *c, int64_t wanted)
{
	double affordable = WORK / ((double)c->count * (double)c->dim);
	int64_t n = wanted;

	if (n < 0)
		n = affordable < FEWEST ? FEWEST :
		    affordable > MOST ? MOST : (int64_t)affordable;
	return n < c->count ? n : c->count;
}

/* Vectors from all over the segment. */
static int choose(struct measure *m, struct ai_err *err)
{
	size_t bytes = m->rows->dim * sizeof(float);
	const float *v;

	for (int64_t i = 0; i < m->sample; i++) {
		struct query *q = &m->q[i];

		q->n = codes_row(m->codes, i * (m->codes->count / m->sample));
		v = search_rows_at(m->rows, q->n, m->spare);
		if (v == NULL)
			return search_rows_damaged(m->rows, q->n, err);
		q->v = malloc(bytes);
		if (q->v == NULL)
			return ai_err_nomem(err);
		memcpy(q->v, v, bytes);
		if (codes_pick_init(&q->exact, CODES_RECALL_K, err) < 0)
			return -1;
	}
	return 0;
}

/* Each row once, for all queries. */
static void scan_exactly(struct measure *m)
{
	const struct codes_kernel *kernel = codes_kernel();
	const float *v;
	float score, aa;
	int64_t n;

	for (int64_t slot = 0; slot < m->codes->count; slot++) {
		n = codes_row(m->codes, slot);
		v = search_rows_at(m->rows, n, m->spare);
		for (int64_t i = 0; v != NULL && i < m->sample; i++) {
			struct query *q = &m->q[i];

			if (n == q->n)
				continue;
			score = kernel->dot(v, q->v, m->rows->dim, &aa);
			if (score >= q->exact.floor)
				codes_pick_add(&q->exact, score, n);
		}
	}
}

/* Adds what one query found and what there was to find. */
static int ask(struct measure *m, struct query *q, size_t *found, size_t *all,
	       struct ai_err *err)
{
	const struct search_codes *list[] = { m->codes };
	struct search_nearest near = {
		.query = q->v, .dim = m->rows->dim, .rows = m->rows,
		.start = m->codes->from, .end = m->codes->to,
		.codes = list, .codes_n = 1, .k = CODES_RECALL_K + 1,
		.few_floats = 1,
	};
	struct search_nears out;
	size_t hits = 0;
	float last;
	int rc;

	codes_pick_sort(&q->exact);
	if (q->exact.n == 0)
		return 0;
	last = q->exact.v[q->exact.n - 1].score;
	rc = search_nearest(&near, &out, err);
	for (size_t i = 0; i < out.n; i++)
		hits += out.v[i].n != q->n && out.v[i].score >= last;
	*found += hits < q->exact.n ? hits : q->exact.n;
	*all += q->exact.n;
	m->scored += out.scored;
	search_nears_release(&out);
	return rc;
}

static int measure(struct measure *m, double *recall, struct ai_err *err)
{
	size_t found = 0, all = 0;

	if (choose(m, err) < 0)
		return -1;
	scan_exactly(m);
	for (int64_t i = 0; i < m->sample; i++)
		if (ask(m, &m->q[i], &found, &all, err) < 0)
			return -1;
	*recall = all > 0 ? (double)found / (double)all : NAN;
	return 0;
}

int codes_recall(const char *path, const struct search_rows *rows,
		 int64_t sample, struct codes_recall *out, struct ai_err *err)
{
	struct measure m = { .rows = rows };
	struct search_codes c;
	int rc;

	*out = (struct codes_recall){ .recall = NAN };
	if (search_codes_open(&c, path, err) < 0)
		return -1;
	m.codes = &c;
	m.sample = out->sample = sample_size(&c, sample);
	m.q = calloc((size_t)m.sample + 1, sizeof(*m.q));
	m.spare = malloc(rows->dim * sizeof(*m.spare));
	rc = m.q == NULL || m.spare == NULL ? ai_err_nomem(err) :
					      measure(&m, &out->recall, err);
	if (m.sample > 0)
		out->rescored = m.scored / m.sample;
	for (int64_t i = 0; m.q != NULL && i < m.sample; i++) {
		free(m.q[i].v);
		codes_pick_release(&m.q[i].exact);
	}
	free(m.q);
	free(m.spare);
	search_codes_close(&c);
	return rc;
}
