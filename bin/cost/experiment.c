/*
 * experiment.c: how the arms of an experiment did: what the ledger says of
 * them, and what the records say that ai-complete has written.
 *
 * Of a record only sums are kept.  The ledger books models, so an arm that is a
 * chain of several has none of its own there.
 */
#include "cost.h"

#include "base/msg.h"
#include "base/path.h"
#include "interval.h"
#include "record/loop.h"
#include "record/reader.h"
#include "store/rollup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARMS_MAX 1000

struct arm {
	char name[256];
	struct ai_rollup ledger; /* only its numbers */
	int64_t records, errors;
	int64_t cost;          /* nano-dollars, of all records */
	struct cost_sample dollars, latency, score;
	int64_t yes, no;       /* scores of true, or 1; of false, or 0 */
};

static struct {
	const char *name;      /* of the experiment */
	struct arm *v;
	size_t n;
	size_t base;           /* whom the others are compared with */
	int64_t other, unscored; /* records: of no arm of it, without a score */
	unsigned long bad;     /* lines that cannot be used */
	bool files;            /* there are records */
} all;

static struct arm *arm_of(const char *name, size_t n, struct ai_err *err)
{
	struct arm *more;
	size_t i;

	for (i = 0; i < all.n; i++)
		if (strlen(all.v[i].name) == n &&
		    memcmp(all.v[i].name, name, n) == 0)
			return &all.v[i];
	if (all.n == ARMS_MAX || n >= sizeof(more->name)) {
		ai_err_set(err, AI_E_RECORD, all.n == ARMS_MAX ? "there are "
			   "more than %d arms" : "the arm's name is too long",
			   ARMS_MAX);
		return NULL;
	}
	more = realloc(all.v, (all.n + 1) * sizeof(*more));
	if (more == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	all.v = more;
	more += all.n++;
	*more = (struct arm){ .records = 0 };
	memcpy(more->name, name, n);
	return more;
}

/* ---- the ledger ------------------------------------------------------------------ */

struct look {
	struct ai_err *err;
	bool failed;
};

/* By labels, not by "EXPERIMENT/MODEL", in which either may have a slash. */
static int see_arm(void *arg, const struct ai_rollup *s)
{
	const char *model = s->labels->model;
	struct look *look = arg;
	struct arm *a;
	int i;

	if (strcmp(s->labels->experiment, all.name) != 0)
		return 0;
	a = arm_of(model, strlen(model), look->err);
	look->failed = a == NULL;
	if (a == NULL)
		return 1;
	a->ledger.open += s->open;
	a->ledger.pending += s->pending;
	for (i = 0; i < AI_ROLLUP_COUNT; i++)
		a->ledger.v[i] += s->v[i];
	return 0;
}

static int look_up(struct ai_err *err)
{
	const struct ai_rollup_ask ask = { .by = "labels" };
	struct look look = { err, false };
	struct ai_ledger *l = NULL;
	int rc;

	if (!ai_paid_has_ledger())
		return 0;
	if (cost_look(&l, err) < 0)
		return -1;
	rc = l == NULL ? 0 : ai_ledger_rollups(l, &ask, see_arm, &look, err);
	ai_ledger_close(l);
	return rc < 0 || look.failed ? -1 : 0;
}

/* ---- the records ------------------------------------------------------------------ */

/* The arm that it was in; NULL: none of this experiment's, or (err set). */
static struct arm *arm_of_record(struct ai_value experiment,
				 struct ai_err *err)
{
	struct ai_value name = ai_json_member(experiment, AI_SPAN("name")),
		arm = ai_json_member(experiment, AI_SPAN("arm"));
	struct ai_buf text = AI_BUF_INIT(1 << 16);
	struct arm *a = NULL;

	if (name.kind == AI_STRING && arm.kind == AI_STRING &&
	    ai_json_is(name, ai_span_of(all.name))) {
		ai_json_text(arm, &text);
		if (ai_buf_check(&text, "the arm's name", err) == 0)
			a = arm_of(ai_buf_cstr(&text), text.len, err);
	}
	ai_buf_release(&text);
	return a;
}

static int take_score(struct arm *a, const struct ai_rec *rec,
		      struct ai_err *err)
{
	struct ai_value v;
	double score;

	if (cost.score == NULL)
		return 0;
	v = ai_rec_get(rec, cost.score);
	if (v.kind == AI_NONE || v.kind == AI_NULL) {
		all.unscored++;
		return 0;
	}
	if (v.kind == AI_BOOL)
		score = v.s.p[0] == 't';
	else if (v.kind != AI_NUMBER || ai_json_f64(v, &score) < 0 ||
		 !isfinite(score) || fabs(score) > 1e150)
		return ai_err_set(err, AI_E_RECORD, "%.100s is neither a "
				  "number nor a boolean", cost.score);
	a->yes += score == 1;
	a->no += score == 0;
	cost_sample_add(&a->score, score);
	return 0;
}

static int take_cost(struct arm *a, struct ai_value object,
		     struct ai_err *err)
{
	struct ai_value v = ai_json_member(object, AI_SPAN("cost_usd"));
	int64_t nano = 0;

	if (v.kind != AI_NONE && v.kind != AI_NULL &&
	    (v.kind != AI_NUMBER || ai_money_parse_up(v.s, &nano, err) < 0))
		return ai_err_set(err, AI_E_RECORD, "cost_usd is no amount");
	if (__builtin_add_overflow(a->cost, nano, &a->cost))
		return ai_err_set(err, AI_E_RECORD, "cost_usd: with it the arm "
				  "costs more than can be counted");
	cost_sample_add(&a->dollars, (double)nano / AI_NANO_DOLLAR);
	return 0;
}

/* All of it is taken, or nothing. */
static int take_record(const struct ai_rec *rec, struct ai_err *err)
{
	bool error = ai_rec_is_error(rec);
	struct ai_value object = ai_rec_get(rec, error ? "error" :
					    "completion"), v;
	struct arm *a, before;
	size_t n = all.n;
	double ms;

	err->code = AI_E_NONE;
	a = object.kind != AI_OBJECT ? NULL :
		arm_of_record(ai_json_member(object, AI_SPAN("experiment")),
			      err);
	if (a == NULL) {
		all.other += err->code == AI_E_NONE;
		return err->code == AI_E_NONE ? 0 : -1;
	}
	before = *a;
	a->records++;
	a->errors += error;
	v = ai_json_member(object, AI_SPAN("latency_ms"));
	if (!error && v.kind == AI_NUMBER && ai_json_f64(v, &ms) == 0 &&
	    ms >= 0 && ms < 1e12)
		cost_sample_add(&a->latency, ms);
	if (take_cost(a, object, err) == 0 &&
	    (error || take_score(a, rec, err) == 0))
		return 0;
	*a = before;
	/* A record that is not taken makes no arm, which may be the first. */
	all.n = n;
	return -1;
}

static void tell(const char *file, unsigned long line,
		 const struct ai_err *why)
{
	all.bad++;
	ai_msg(AI_MSG_WARN, "%s: line %lu: %s", file, line, why->msg);
}

static bool is_blank(struct ai_span s)
{
	while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
		s.n--;
	return s.n == 0;
}

static int read_lines(int fd, const char *file, struct ai_err *err)
{
	struct ai_reader in;
	struct ai_rec rec;
	struct ai_line line;
	struct ai_err why;
	int rc;

	ai_reader_init(&in, fd, (size_t)ai_loop.max_line);
	ai_rec_init(&rec);
	while ((rc = ai_reader_next(&in, &line, err)) > 0) {
		if (line.too_long)
			ai_err_set(&why, AI_E_TOO_LONG, "it is too long");
		else if (is_blank(line.text))
			continue;
		if (line.too_long ||
		    ai_rec_parse(&rec, line.text, line.number, &why) < 0 ||
		    take_record(&rec, &why) < 0)
			tell(file, line.number, &why);
	}
	ai_rec_release(&rec);
	ai_reader_release(&in);
	return rc;
}

static int read_file(const char *file, struct ai_err *err)
{
	int fd, rc;

	if (strcmp(file, "-") == 0)
		return read_lines(STDIN_FILENO, "standard input", err);
	fd = ai_path_open(file, err);
	if (fd < 0)
		return -1;
	rc = read_lines(fd, file, err);
	close(fd);
	return rc;
}

static int read_all(int argc, char **argv, struct ai_err *err)
{
	int i;

	all.files = argc > 0 || cost.score != NULL;
	if (argc == 0 && cost.score != NULL) {
		if (isatty(STDIN_FILENO))
			return ai_err_set(err, AI_E_USAGE, "--score: the "
					  "records are expected in files or "
					  "on standard input");
		return read_file("-", err);
	}
	for (i = 0; i < argc; i++)
		if (read_file(argv[i], err) < 0)
			return -1;
	return 0;
}

/* ---- what is said ------------------------------------------------------------------ */

static double level(void)
{
	return cost.confidence / 100;
}

/* Scores of 0 and 1 alone are a proportion; of one arm, of all. */
static bool is_proportion(void)
{
	size_t i;

	for (i = 0; i < all.n; i++)
		if (all.v[i].yes + all.v[i].no != all.v[i].score.n)
			return false;
	return true;
}

/* {"value":...,"low":...,"high":...,"method":...}; what is not known is null. */
static void put_interval(struct ai_buf *b, const char *key, double value,
			 struct cost_interval i, const char *method)
{
	ai_put_key(b, key);
	ai_put_open(b, '{');
	ai_put_key(b, "value");
	ai_put_f64(b, value);
	ai_put_key(b, "low");
	ai_put_f64(b, i.low);
	ai_put_key(b, "high");
	ai_put_f64(b, i.high);
	cost_put_text(b, "method", method);
	ai_put_close(b, '}');
}

static double mean_of(const struct cost_sample *s)
{
	return s->n > 0 ? s->mean : NAN;
}

static void put_mean(struct ai_buf *b, const char *key,
		     const struct cost_sample *s)
{
	put_interval(b, key, mean_of(s), cost_student(s, level()), "student");
}

static void put_share(struct ai_buf *b, const char *key, int64_t k, int64_t n)
{
	put_interval(b, key, n > 0 ? (double)k / (double)n : NAN,
		     cost_wilson(k, n, level()), "wilson");
}

static void put_mean_of_both(struct ai_buf *b, const char *key,
			     const struct cost_sample *x,
			     const struct cost_sample *y)
{
	put_interval(b, key, mean_of(x) - mean_of(y),
		     cost_welch(x, y, level()), "welch");
}

static void put_share_of_both(struct ai_buf *b, const char *key, int64_t k,
			      int64_t m, int64_t j, int64_t n)
{
	put_interval(b, key, m > 0 && n > 0 ? (double)k / (double)m -
		     (double)j / (double)n : NAN,
		     cost_newcombe(k, m, j, n, level()), "newcombe");
}

/* This arm's less that of the one that it is compared with. */
static void put_difference(struct ai_buf *b, const struct arm *a,
			   const struct arm *base)
{
	ai_put_key(b, "difference");
	ai_put_open(b, '{');
	cost_put_text(b, "from", base->name);
	put_share_of_both(b, "error_rate", a->errors, a->records, base->errors,
			  base->records);
	put_mean_of_both(b, "usd_per_record", &a->dollars, &base->dollars);
	put_mean_of_both(b, "latency_ms", &a->latency, &base->latency);
	if (cost.score != NULL && is_proportion())
		put_share_of_both(b, "score", a->yes, a->score.n, base->yes,
				  base->score.n);
	else if (cost.score != NULL)
		put_mean_of_both(b, "score", &a->score, &base->score);
	ai_put_close(b, '}');
}

static void put_quantile(struct ai_buf *b, const char *key,
			 const struct ai_rollup *r, double part)
{
	double us = ai_rollup_quantile(r->v + AI_ROLLUP_TIME, part);

	ai_put_key(b, key);
	if (us < 0)
		ai_put_null(b);
	else
		ai_put_i64(b, llround(us / 1000));
}

static void put_ledger(struct ai_buf *b, const struct ai_rollup *r)
{
	ai_put_key(b, "ledger");
	if (r->v[AI_ROLLUP_CALLS] + r->open == 0) {
		ai_put_null(b);
		return;
	}
	ai_put_open(b, '{');
	cost_put_int(b, "calls", r->v[AI_ROLLUP_CALLS] + r->open);
	cost_put_int(b, "unanswered", r->v[AI_ROLLUP_UNANSWERED]);
	cost_put_int(b, "failed", ai_rollup_failed(r));
	put_quantile(b, "p50_ms", r, 0.5);
	put_quantile(b, "p95_ms", r, 0.95);
	cost_put_usd(b, "spent_usd", r->v[AI_ROLLUP_POSTED]);
	cost_put_usd(b, "held_usd", r->pending);
	ai_put_close(b, '}');
}

static int put_arm(struct cost_out *o, const struct arm *a)
{
	const struct arm *base = &all.v[all.base];
	struct ai_buf *b = &o->line;

	ai_put_open(b, '{');
	cost_put_text(b, "arm", a->name);
	put_ledger(b, &a->ledger);
	if (all.files) {
		cost_put_int(b, "records", a->records);
		cost_put_int(b, "errors", a->errors);
		cost_put_usd(b, "cost_usd", a->cost);
		put_share(b, "error_rate", a->errors, a->records);
		put_mean(b, "usd_per_record", &a->dollars);
		put_mean(b, "latency_ms", &a->latency);
	}
	if (cost.score != NULL) {
		cost_put_int(b, "scored", a->score.n);
		if (is_proportion())
			put_share(b, "score", a->yes, a->score.n);
		else
			put_mean(b, "score", &a->score);
	}
	if (all.files && a != base)
		put_difference(b, a, base);
	ai_put_close(b, '}');
	return cost_put(o);
}

/* "0.62 (0.55 to 0.68)", in columns of their own. */
static void show(char out[64], double value, struct cost_interval i)
{
	if (isnan(value))
		snprintf(out, 64, "-");
	else if (isnan(i.low))
		snprintf(out, 64, "%.4g", value);
	else
		snprintf(out, 64, "%.4g (%.4g to %.4g)", value, i.low, i.high);
}

static int show_arm(struct cost_out *o, const struct arm *a)
{
	const struct arm *base = &all.v[all.base];
	bool share = is_proportion();
	char spent[AI_MONEY_TEXT], each[AI_MONEY_TEXT], errors[64], ms[64],
		score[64], than[64] = "";
	double p = (double)a->yes / (double)a->score.n,
		q = (double)base->yes / (double)base->score.n;

	ai_money_show(all.files ? a->cost :
		      a->ledger.v[AI_ROLLUP_POSTED], spent);
	ai_money_show((int64_t)llround(a->dollars.mean * AI_NANO_DOLLAR), each);
	if (!all.files) {
		double us = ai_rollup_quantile(a->ledger.v + AI_ROLLUP_TIME,
					       0.5);

		ai_buf_fmt(&o->line, "%-28s %8lld %12s %8lld %11lld", a->name,
			   (long long)(a->ledger.v[AI_ROLLUP_CALLS] +
				       a->ledger.open), spent,
			   (long long)ai_rollup_failed(&a->ledger),
			   (long long)a->ledger.v[AI_ROLLUP_UNANSWERED]);
		if (us >= 0)
			ai_buf_fmt(&o->line, " %10.0f", us / 1000);
		return cost_put_folded(o, cost_columns());
	}
	show(errors, a->records > 0 ? (double)a->errors / (double)a->records
				    : NAN,
	     cost_wilson(a->errors, a->records, level()));
	show(ms, mean_of(&a->latency), cost_student(&a->latency, level()));
	ai_buf_fmt(&o->line, "%-28s %8lld %12s %12s  %-26s  %-26s", a->name,
		   (long long)a->records, spent, each, errors, ms);
	if (cost.score != NULL) {
		show(score, share ? p : mean_of(&a->score), share
		     ? cost_wilson(a->yes, a->score.n, level())
		     : cost_student(&a->score, level()));
		if (a != base)
			show(than, share ? p - q : mean_of(&a->score) -
			     mean_of(&base->score), share
			     ? cost_newcombe(a->yes, a->score.n, base->yes,
					     base->score.n, level())
			     : cost_welch(&a->score, &base->score, level()));
		ai_buf_fmt(&o->line, "  %-26s  %s", score, than);
	}
	return cost_put_folded(o, cost_columns());
}

static void show_head(struct cost_out *o)
{
	if (!all.files)
		ai_buf_fmt(&o->line, "%-28s %8s %12s %8s %11s %10s", "arm",
			   "calls", "spent", "failed", "unanswered",
			   "median, ms");
	else
		ai_buf_fmt(&o->line, "%-28s %8s %12s %12s  %-26s  %-26s", "arm",
			   "records", "cost", "a record", "error rate",
			   "latency, ms");
	if (cost.score != NULL)
		ai_buf_fmt(&o->line, "  %-26s  more than '%s'", "score",
			   all.v[all.base].name);
	cost_put_folded(o, cost_columns());
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct arm *)a)->name,
		      ((const struct arm *)b)->name);
}

/* The first of all, or who is named. */
static int find_base(struct ai_err *err)
{
	const char *names[ARMS_MAX], *near;
	size_t i;

	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	if (cost.baseline == NULL)
		return 0;
	for (i = 0; i < all.n; i++) {
		names[i] = all.v[i].name;
		all.base = strcmp(names[i], cost.baseline) == 0 ? i : all.base;
	}
	if (all.n > 0 && strcmp(names[all.base], cost.baseline) == 0)
		return 0;
	near = ai_nearest(cost.baseline, names, all.n);
	return ai_err_set(err, AI_E_USAGE, "--baseline: there is no arm "
			  "'%.100s'%s%.100s%s", cost.baseline,
			  near != NULL ? "; did you mean '" : "",
			  near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int write_all(struct ai_err *err)
{
	struct cost_out o;
	size_t i;

	if (all.other > 0)
		ai_msg(AI_MSG_WARN, "%lld records are of no arm of '%s'",
		       (long long)all.other, all.name);
	if (all.unscored > 0)
		ai_msg(AI_MSG_WARN, "%lld records have no %s",
		       (long long)all.unscored, cost.score);
	cost_begin(&o, ai_loop.plain_out);
	if (o.table && all.n > 0)
		show_head(&o);
	for (i = 0; i < all.n && o.rc == 0; i++)
		(o.table ? show_arm : put_arm)(&o, &all.v[i]);
	return cost_end(&o, 0, err);
}

static int show_experiment(int argc, char **argv, struct ai_err *err)
{
	int rc = -1;

	if (argc < 1)
		return cost_operands(argc, 1, "experiment show NAME "
				     "[--score PATH] [FILE...]", err);
	all.name = argv[0];
	if (look_up(err) == 0 && read_all(argc - 1, argv + 1, err) == 0 &&
	    find_base(err) == 0)
		rc = write_all(err);
	if (rc == AI_EXIT_OK && all.n == 0)
		ai_msg(AI_MSG_WARN, "nothing is known of an experiment '%s'; "
		       "'ai-cost report --by experiment' lists all", all.name);
	free(all.v);
	return rc == AI_EXIT_OK && all.bad > 0 ? AI_EXIT_RECORD : rc;
}

int cost_experiment(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "show", show_experiment }, { NULL, NULL }
	};

	return cost_pick("experiment", words, argc, argv, err);
}
