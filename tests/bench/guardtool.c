/*
 * guardtool.c: what the classifier of ai-guard is worth.
 *
 *	guardtool recall WEIGHTS ROWS...       each source's share above the
 *	                                       scores of .1, 1, 2, 5 % of all
 *	                                       harmless rows
 *	guardtool rates WEIGHTS ROWS...        harmless rows above the scores that
 *	                                       the file has for these rates
 *	guardtool hidden WEIGHTS ATTACKS DOCS [WEIGHTS...]
 *	                                       attacks within documents; of
 *	                                       four weights, the k-th was made
 *	                                       without every fourth row from the
 *	                                       k-th on (from 0), and sees these
 *	guardtool speed WEIGHTS FILE
 *
 * Rows are {"text","label","source"}.  Only numbers are printed.
 */
#include "../../bin/guard/features.h"
#include "../../bin/guard/weights.h"

#include "base/buf.h"
#include "record/json.h"
#include "text/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct row {
	char *text, source[48];
	size_t n;
	bool attack;
	double score;
};

static struct row *rows;
static size_t n_rows;
static struct weights weights, folds[4];
static size_t n_folds;

static void die(const char *what, const char *which)
{
	fprintf(stderr, "guardtool: %s '%s'\n", what, which);
	exit(65);
}

static char *text_of(struct ai_value v, size_t *n)
{
	struct ai_buf b = AI_BUF_INIT(64 << 20);

	if (v.kind != AI_STRING || ai_json_text(v, &b) < 0)
		die("no text in", "a row");
	*n = b.len;
	ai_buf_cstr(&b);
	return ai_buf_take(&b);
}

static void load(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, *source;
	size_t cap = 0, n;
	ssize_t len;

	if (f == NULL)
		die("cannot open", path);
	while ((len = getline(&line, &cap, f)) > 0) {
		struct ai_value v;
		struct ai_err err;
		struct row *r;

		if (ai_json_check(line, (size_t)len, &v, &err) < 0)
			die("bad row in", path);
		rows = reallocarray(rows, n_rows + 1, sizeof *rows);
		r = &rows[n_rows++];
		r->text = text_of(ai_json_get(v, "text"), &r->n);
		source = text_of(ai_json_get(v, "source"), &n);
		snprintf(r->source, sizeof r->source, "%.47s", source);
		free(source);
		r->attack = ai_json_get(v, "label").s.p[0] == '1';
	}
	free(line);
	fclose(f);
}

/* ---- scores -------------------------------------------------------------------- */

struct best {
	enum weights_table t;
	const struct ai_view *v;
	struct weights_window w; /* of the original text */
	bool narrow;
};

static int better(void *arg, const struct weights_window *x)
{
	struct best *b = arg;

	if (x->score > b->w.score) {
		b->w = *x;
		if (b->narrow)
			weights_narrow(&weights, b->t, b->v->text.p,
				       b->v->text.n, &b->w);
		ai_view_span(b->v, b->w.from, b->w.to, &b->w.from, &b->w.to);
	}
	return 0;
}

static int look(void *arg, const struct ai_view *v)
{
	struct best *b = arg;

	if (v->better) /* as classify.c does */
		return 0;
	b->v = v;
	return weights_windows(&weights, b->t, v->text.p, v->text.n, better, b);
}

static struct weights_window score(enum weights_table t, const char *p,
				   size_t n)
{
	struct best b = { .t = t, .w = { .score = -1e9 },
			  .narrow = t == WEIGHTS_DOCUMENT };
	struct ai_err err;

	if (ai_views((struct ai_span){ p, n }, look, &b, &err) < 0)
		die("no views:", err.msg);
	return b.w;
}

static int falling(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x > y ? -1 : x < y;
}

/* The score that so many of n scores (which this sorts) are above. */
static double above(double *v, size_t n, double rate)
{
	size_t k = (size_t)(rate * (double)n);

	if (n == 0)
		return 0;
	qsort(v, n, sizeof *v, falling);
	return v[k < n ? k : n - 1];
}

static double threshold(double rate)
{
	double *v = calloc(n_rows + 1, sizeof *v), x;
	size_t n = 0;

	for (size_t i = 0; i < n_rows; i++)
		if (!rows[i].attack)
			v[n++] = rows[i].score;
	x = above(v, n, rate);
	free(v);
	return x;
}

static double share(const char *source, bool attack, double thr, size_t *n)
{
	size_t k = 0;

	*n = 0;
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].attack == attack &&
		    (source == NULL || strcmp(rows[i].source, source) == 0)) {
			++*n;
			k += rows[i].score > thr;
		}
	return *n == 0 ? 0 : 100 * (double)k / (double)*n;
}

static bool seen_before(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(rows[k].source, rows[i].source) == 0)
			return true;
	return false;
}

static void score_all(enum weights_table t)
{
	for (size_t i = 0; i < n_rows; i++)
		rows[i].score = score(t, rows[i].text, rows[i].n).score;
}

/* What of each source is above these scores; then of all. */
static void print_shares(const double thr[WEIGHTS_POINTS], int a)
{
	size_t n;

	for (size_t i = 0; i <= n_rows; i++) {
		const char *source = i < n_rows ? rows[i].source : NULL;

		if (i < n_rows && seen_before(i))
			continue;
		share(source, a, 0, &n);
		if (n == 0)
			continue;
		printf("%-24s %-8s %5zu", source != NULL ? source : "all",
		       a ? "attacks" : "harmless", n);
		for (size_t k = 0; k < WEIGHTS_POINTS; k++)
			printf(" %5.1f", share(source, a, thr[k], &n));
		putchar('\n');
	}
}

static void recall(void)
{
	double thr[WEIGHTS_POINTS];

	score_all(WEIGHTS_USER);
	printf("%-24s %-8s %5s   .1%%    1%%    2%%    5%%\n", "set", "rows", "n");
	for (size_t k = 0; k < WEIGHTS_POINTS; k++)
		thr[k] = threshold(weights_rates[k]);
	print_shares(thr, 1);
	print_shares(thr, 0);
}

static void rates(void)
{
	double thr[WEIGHTS_POINTS];

	score_all(WEIGHTS_USER);
	for (size_t k = 0; k < WEIGHTS_POINTS; k++)
		thr[k] = weights_score(&weights, WEIGHTS_USER,
				       weights_rates[k]);
	print_shares(thr, 0);
}

/* ---- attacks in documents ------------------------------------------------------- */

static uint64_t seed = 3;

static size_t below(size_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (size_t)((seed >> 33) % n);
}

static size_t line_at(const char *p, size_t n, size_t at)
{
	while (at > 0 && at < n && p[at - 1] != '\n' && p[at - 1] != ' ')
		at--;
	return at;
}

/* How much of what two spans cover both do. */
static double overlap(size_t a, size_t a_end, size_t b, size_t b_end)
{
	size_t from = a > b ? a : b, to = a_end < b_end ? a_end : b_end;
	size_t all = (a_end > b_end ? a_end : b_end) - (a < b ? a : b);

	return to <= from ? 0 : (double)(to - from) / (double)all;
}

/* An attack in a document, and where it was found. */
struct placed {
	double score, overlap;
};

static struct placed place(const struct row *a, const struct row *d)
{
	struct ai_buf b = AI_BUF_INIT(64 << 20);
	struct weights_window w;
	struct placed x;
	size_t at = line_at(d->text, d->n, below(d->n + 1));

	ai_buf_add(&b, d->text, at);
	ai_buf_fmt(&b, "\n%s\n", a->text);
	ai_buf_add(&b, d->text + at, d->n - at);
	w = score(WEIGHTS_DOCUMENT, ai_buf_cstr(&b), b.len);
	x.score = w.score;
	x.overlap = overlap(w.from, w.to, at + 1, at + 1 + a->n);
	ai_buf_release(&b);
	return x;
}

/* The weights that have not seen row i. */
static void use_fold(size_t i)
{
	if (n_folds > 0)
		weights = folds[(i + 1) % n_folds];
}

/* The shares of clean documents and of attacks that are found at the scores
 * that each file has for 2 %. */
static void at_stated(const double *clean, size_t n_docs,
		      const struct placed *v, const size_t *row, size_t n)
{
	size_t wrong = 0, found = 0;

	for (size_t i = 0; i < n_docs; i++) {
		use_fold(i);
		wrong += clean[i] > weights_score(&weights, WEIGHTS_DOCUMENT,
						  .02);
	}
	for (size_t i = 0; i < n; i++) {
		use_fold(row[i]);
		found += v[i].score > weights_score(&weights, WEIGHTS_DOCUMENT,
						    .02);
	}
	printf("  stated 2 %%: %.1f of clean, %.1f\n",
	       100 * (double)wrong / (double)n_docs,
	       100 * (double)found / (double)n);
}


/* Attacks of at most 400 bytes, each in a document at a random place. */
static void hidden(size_t first_doc, size_t n_docs)
{
	static const double rates[] = { .01, .03, .05 };
	const size_t step = n_folds > 0 ? n_folds : 1;
	double *clean = calloc(n_docs + 1, sizeof *clean);
	struct placed *v = calloc(first_doc + 1, sizeof *v);
	size_t *row = calloc(first_doc + 1, sizeof *row), n = 0, doc;

	for (size_t i = 0; i < n_docs; i++) {
		use_fold(i);
		clean[i] = score(WEIGHTS_DOCUMENT, rows[first_doc + i].text,
				 rows[first_doc + i].n).score;
	}
	for (size_t i = 0; i < first_doc; i++) {
		if (!rows[i].attack || rows[i].n > 400)
			continue;
		use_fold(i);
		/* A document that these weights have not seen either. */
		doc = i % step + step * below((n_docs - i % step + step - 1) /
					      step);
		row[n] = i;
		v[n++] = place(&rows[i], &rows[first_doc + doc]);
	}
	printf("%zu in %zu documents:", n, n_docs);
	for (size_t k = 0; k < 3; k++) {
		double thr = above(clean, n_docs, rates[k]), overlaps = 0;
		size_t found = 0, placed = 0;

		for (size_t i = 0; i < n; i++)
			if (v[i].score > thr) {
				found++;
				placed += v[i].overlap > 0;
				overlaps += v[i].overlap;
			}
		printf("  %.0f %%: %.1f, %.1f, %.2f", 100 * rates[k],
		       100 * (double)found / (double)n,
		       100 * (double)placed / (double)n,
		       found > 0 ? overlaps / (double)found : 0);
	}
	at_stated(clean, n_docs, v, row, n);
	free(clean);
	free(row);
	free(v);
}

/* ---- speed ------------------------------------------------------------------------ */

static void speed(void)
{
	struct timespec a, b;
	size_t bytes = 0;
	double s, sum = 0;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int k = 0; k < 20; k++)
		for (size_t i = 0; i < n_rows; i++) {
			struct ai_view v = { .text = { rows[i].text,
						       rows[i].n } };
			struct best x = { .w = { .score = -1e9 } };

			look(&x, &v);
			sum += x.w.score;
			bytes += rows[i].n;
		}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	s = (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
	printf("%.0f MB/s (%.1f MB, sum %.1f)\n", (double)bytes / s / 1e6,
	       (double)bytes / 1e6, sum);
}

int main(int argc, char **argv)
{
	struct ai_err err;
	size_t first_doc = 0, n_docs = 0;
	bool is_hidden;

	if (argc < 4)
		die("see the top of guardtool.c, not", argc > 1 ? argv[1] : "");
	if (weights_open(&weights, argv[2], &err) < 0)
		die(err.msg, argv[2]);
	is_hidden = strcmp(argv[1], "hidden") == 0;
	for (int i = 3; i < argc; i++) {
		if (is_hidden && i >= 5) {
			if (i - 5 < 4 && weights_open(&folds[n_folds++],
						      argv[i], &err) < 0)
				die(err.msg, argv[i]);
			continue;
		}
		first_doc = n_rows;
		load(argv[i]);
		n_docs = n_rows - first_doc;
	}
	if (strcmp(argv[1], "recall") == 0)
		recall();
	else if (is_hidden)
		hidden(first_doc, n_docs);
	else if (strcmp(argv[1], "rates") == 0)
		rates();
	else
		speed();
	for (size_t i = 0; i < n_rows; i++)
		free(rows[i].text);
	free(rows);
	if (n_folds == 0)
		weights_close(&weights);
	for (size_t i = 0; i < n_folds; i++)
		weights_close(&folds[i]);
	return 0;
}
