/* codes-near.c: the nearest: candidates by codes, scores from the rows. */
#include "codes-file.h"
#include "codes-scan.h"
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64    /* candidates scored at a time, and 2 k */
#define SURE 1.8f   /* standard deviations */
#define MANY 100000 /* rows above which more candidates are kept */

struct near {
	const struct search_nearest *q;
	const struct search_filter *filter;
	int64_t start;            /* the first row */
	struct codes_pick best;   /* scores */
	struct codes_pick likely; /* estimates */
	float *spare;             /* one row */
	int64_t *rows;            /* of candidates */
	float margin;             /* estimates are hardly ever off by more */
	struct search_nears *out;
};

/* Scores row n, which must be there if it has a code; what is good enough goes
 * to the best. */
static int score_row(struct near *s, int64_t n, bool coded, struct ai_err *err)
{
	float score;

	switch (search_rows_score(s->q->rows, n, coded, s->q->query, s->spare,
				  &score)) {
	case SEARCH_ROWS_HOLE:
		return coded ? search_rows_damaged(s->q->rows, n, err) : 0;
	case SEARCH_ROWS_BAD:
		return search_rows_damaged(s->q->rows, n, err);
	default:
		break;
	}
	s->out->scored++;
	if (score >= s->best.floor)
		codes_pick_add(&s->best, score, n);
	return 0;
}

/* Scores all of the rows [from, to) that the filter lets through. */
static int scan_rows(struct near *s, int64_t from, int64_t to,
		     struct ai_err *err)
{
	int64_t n;

	if (from < 1)
		from = 1;
	if (to > s->q->rows->n)
		to = s->q->rows->n;
	for (n = codes_filter_next(s->filter, from, to); n < to;
	     n = codes_filter_next(s->filter, n + 1, to))
		if (score_row(s, n, false, err) < 0)
			return -1;
	return 0;
}

static int by_row(const void *a, const void *b)
{
	const struct search_near *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

/* Scores candidates [from, to), after asking for all their pages. */
static int score_some(struct near *s, size_t from, size_t to,
		      struct ai_err *err)
{
	struct search_near *v = s->likely.v + from;
	size_t n = to - from;
	int rc = 0;

	qsort(v, n, sizeof(*v), by_row);
	for (size_t i = 0; i < n; i++)
		s->rows[i] = v[i].n;
	search_rows_want(s->q->rows, s->rows, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (i == 0 || s->rows[i] != s->rows[i - 1])
			rc = score_row(s, s->rows[i], true, err);
	return rc;
}

/* Puts those of [from, to) that are below least last; where they begin. */
static size_t likely_end(struct codes_pick *p, size_t from, size_t to,
			 float least)
{
	struct search_near h;
	size_t i, end = from;

	for (i = from; i < to; i++) {
		if (p->v[i].score < least)
			continue;
		h = p->v[i];
		p->v[i] = p->v[end];
		p->v[end++] = h;
	}
	return end;
}

/*
 * Scores the candidates, the likeliest first, some at a time, until the next
 * one's estimate is so far below the k-th score that it would have to be wrong
 * by more than the margin.
 */
static int score_likely(struct near *s, struct ai_err *err)
{
	struct codes_pick *p = &s->likely;
	size_t done = 0, step = s->best.want * 2 + BATCH, end;
	float least = -INFINITY;

	codes_pick_cut(p);
	s->rows = malloc((p->n + 1) * sizeof(*s->rows));
	if (s->rows == NULL)
		return ai_err_nomem(err);
	while (done < p->n) {
		end = p->n - done < step ? p->n : done + step;
		codes_pick_next(p, done, end - done);
		end = likely_end(p, done, end, least);
		if (end == done)
			break;
		if (score_some(s, done, end, err) < 0)
			return -1;
		done = end;
		codes_pick_cut(&s->best);
		if (s->q->rescore == 0 && s->best.n == s->best.want)
			least = s->best.floor - s->margin;
	}
	return 0;
}

/* Segments by their codes, what lies between and behind them by the rows. */
static int scan_segments(struct near *s, struct ai_err *err)
{
	const struct search_nearest *q = s->q;
	struct codes_scan scan;
	int64_t at = s->start, seen;
	int rc = 0;

	codes_scan_init(&scan, q->query, q->dim, NULL);
	for (size_t i = 0; i < q->codes_n && rc == 0; i++) {
		const struct search_codes *c = q->codes[i];

		rc = scan_rows(s, at, c->from, err);
		if (rc < 0)
			break;
		seen = codes_scan(&scan, c, s->filter, &s->likely, err);
		if (seen < 0)
			rc = -1;
		s->out->scanned += seen;
		if (SURE * scan.spread > s->margin)
			s->margin = SURE * scan.spread;
		if (!isnan(c->recall) && c->recall < s->out->recall)
			s->out->recall = c->recall;
		at = c->to;
	}
	codes_scan_release(&scan);
	if (rc == 0)
		rc = scan_rows(s, at, q->end, err);
	return rc < 0 ? -1 : score_likely(s, err);
}

static int check_query(const struct search_nearest *q, struct ai_err *err)
{
	int64_t at = q->start > 1 ? q->start : 1;
	float aa;

	(void)codes_kernel()->dot(q->query, q->query, q->dim, &aa);
	if (q->dim != q->rows->dim || !isfinite(aa))
		return ai_err_set(err, AI_E_BUG, "the query is no vector of "
				  "the rows' dimension");
	for (size_t i = 0; i < q->codes_n; i++) {
		const struct search_codes *c = q->codes[i];

		if (c->dim != q->dim || c->from < at || c->to > q->end)
			return ai_err_set(err, AI_E_DATA, "%.200s is damaged: "
					  "it is not of these rows", c->path);
		at = c->to;
	}
	return 0;
}

/*
 * How many rows the codes may leave over to be scored, of which k are wanted.
 * The more rows there are, the more lie near the k-th.
 */
static int64_t candidates(const struct search_nearest *q, int64_t k,
			  int64_t live)
{
	int64_t n = q->rescore > INT64_MAX ? INT64_MAX : (int64_t)q->rescore;

	if (n == 0)
		n = 2 * (k > 10 ? 20 * k : 200);
	if (q->rescore == 0 && live > MANY)
		n = (int64_t)((double)n * sqrt((double)live / MANY));
	return n < k ? k : n;
}

static int find(struct near *s, struct ai_err *err)
{
	const struct search_nearest *q = s->q;
	int64_t live = codes_filter_count(s->filter, s->start, q->end);
	int64_t few = q->few_floats > 0 ? q->few_floats : SEARCH_EXACT_FLOATS;
	int64_t k = q->k < (uint64_t)live ? (int64_t)q->k : live;
	int64_t want = candidates(q, k, live);

	s->out->exact = q->exact || q->codes_n == 0 || want >= live ||
			live <= few / (int64_t)q->dim;
	s->spare = malloc(q->dim * sizeof(*s->spare));
	if (s->spare == NULL)
		return ai_err_nomem(err);
	if (codes_pick_init(&s->best, (size_t)k, err) < 0)
		return -1;
	if (k == 0)
		return 0;
	if (s->out->exact)
		return scan_rows(s, s->start, q->end, err);
	if (codes_pick_init(&s->likely, (size_t)want, err) < 0)
		return -1;
	return scan_segments(s, err);
}

int search_nearest(const struct search_nearest *q, struct search_nears *out,
		   struct ai_err *err)
{
	struct near s = { .q = q, .out = out };
	int rc;

	*out = (struct search_nears){ .recall = 1 };
	s.start = q->start > 1 ? q->start : 1;
	if (check_query(q, err) < 0)
		return -1;
	if (q->filter != NULL && q->filter->bits != NULL)
		s.filter = q->filter;
	rc = find(&s, err);
	if (rc == 0) {
		codes_pick_sort(&s.best);
		out->v = s.best.v;
		out->n = s.best.n;
		s.best.v = NULL;
	}
	codes_pick_release(&s.best);
	codes_pick_release(&s.likely);
	free(s.spare);
	free(s.rows);
	return rc;
}

void search_nears_release(struct search_nears *out)
{
	free(out->v);
	*out = (struct search_nears){ 0 };
}
