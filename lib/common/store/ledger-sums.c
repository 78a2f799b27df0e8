/*
 * ledger-sums.c: reading the sums by hour and label.
 *
 * By time, rows are summed up as they come.  By label, the labels are read in
 * the order of what they are grouped by, so that each has the number of a group,
 * and each row is added to its group.
 */
#include "store/ledger-int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int each_rollup(void *arg, const struct ai_rollup *r);

/* ---- histograms ---------------------------------------------------------------- */

int64_t ai_rollup_failed(const struct ai_rollup *r)
{
	const int64_t *v = r->v;

	return v[AI_ROLLUP_UNUSABLE] + v[AI_ROLLUP_REFUSED] +
	       v[AI_ROLLUP_LIMITED] + v[AI_ROLLUP_FAILED] +
	       v[AI_ROLLUP_LOST] + v[AI_ROLLUP_LEFT];
}

int64_t ai_rollup_counted(const int64_t *histogram)
{
	int64_t n = 0;
	int i;

	for (i = 0; i < AI_ROLLUP_BUCKETS; i++)
		n += histogram[i];
	return n;
}

double ai_rollup_quantile(const int64_t *histogram, double part)
{
	double want = part * (double)ai_rollup_counted(histogram), below = 0,
	       from = 0;
	int i;

	if (want <= 0 && ai_rollup_counted(histogram) == 0)
		return -1;
	for (i = 0; i < AI_ROLLUP_BUCKETS - 1; i++) {
		double to = (double)ai_rollup_bound[i], n = (double)histogram[i];

		if (n > 0 && below + n >= want)
			return from + (to - from) * (want - below) / n;
		below += n;
		from = to;
	}
	/* Above all bounds: nobody knows how far. */
	return from;
}

/* ---- what is asked for ---------------------------------------------------------- */

#define SQL_MAX ((size_t)1 << 14)

struct ask {
	struct ai_ledger *l;
	int64_t since, until;
	int n; /* columns */
	each_rollup *each;
	void *arg;
};

/* The first column, and those that are asked for, or their sums. */
static void put_columns(struct ai_buf *b, const struct ask *a,
			const char *first, bool sums)
{
	int i;

	ai_buf_fmt(b, "SELECT %s", first);
	for (i = 0; i < a->n; i++) {
		ai_buf_str(b, ", ");
		ai_buf_fmt(b, sums ? "sum(%s)" : "%s", ledger_column[i]);
	}
}

/* The prepared query; its parameters are since and until, if it has any. */
static int ask_for(const struct ask *a, sqlite3_stmt **st, struct ai_buf *b,
		   struct ai_err *err)
{
	int rc = ai_buf_check(b, "a query", err);

	if (rc == 0)
		rc = ai_db_bind(&a->l->db, st, ai_buf_cstr(b), err, "");
	ai_buf_release(b);
	if (rc == 0) {
		sqlite3_bind_int64(*st, 1, a->since);
		sqlite3_bind_int64(*st, 2, a->until);
	}
	return rc;
}

/* ---- by time ------------------------------------------------------------------- */

/* The sums of rows, as they come in the order of their hours. */
struct times {
	const char *period; /* "hour", "day" or "month" */
	struct ai_rollup r;
	char name[40];
	bool any;
	const struct ask *ask;
};

/* "2026-11-22T10:00:00+0100", or the beginning of it. */
static void name_time(struct times *t)
{
	time_t s = (time_t)(t->r.start_ms / 1000);
	struct tm tm;
	size_t n = strcmp(t->period, "month") == 0 ? 7
		: strcmp(t->period, "day") == 0 ? 10 : sizeof(t->name) - 1;

	t->name[0] = '\0';
	if (localtime_r(&s, &tm) != NULL)
		strftime(t->name, sizeof(t->name), "%Y-%m-%dT%H:%M:%S%z", &tm);
	t->name[strnlen(t->name, n)] = '\0';
	t->r.name = t->name;
}

/* 1: each() has ended it. */
static int end_time(struct times *t)
{
	int rc = t->any && t->ask->each(t->ask->arg, &t->r) != 0;

	t->any = false;
	return rc;
}

static int begin_time(struct times *t, int64_t hour)
{
	int rc = end_time(t);

	memset(&t->r, 0, sizeof(t->r));
	t->r.start_ms = INT64_MIN;
	t->r.end_ms = INT64_MAX;
	if (strcmp(t->period, "hour") == 0)
		ledger_hour(hour, &t->r.start_ms, &t->r.end_ms);
	else if (!ledger_period(t->period, hour, &t->r.start_ms, &t->r.end_ms))
		t->r.start_ms = hour;
	name_time(t);
	t->any = true;
	return rc;
}

/* What is held, sorted by the hour in which it was reserved. */
struct held {
	int64_t hour, label, amount;
};

struct holds {
	struct held *v;
	size_t n, max;
};

static int by_hour(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return (x->hour > y->hour) - (x->hour < y->hour);
}

static int add_hold(struct holds *h, struct held one, struct ai_err *err)
{
	if (h->n == h->max) {
		size_t max = 2 * h->max + 64;
		struct held *v = realloc(h->v, max * sizeof(*v));

		if (v == NULL)
			return ai_err_nomem(err);
		h->v = v;
		h->max = max;
	}
	h->v[h->n++] = one;
	return 0;
}

/* Of the hours in the range.  Holds are few: those of what is under way. */
static int read_holds(const struct ask *a, struct holds *h,
		      struct ai_err *err)
{
	static const char sql[] = "SELECT t.created, t.label, h.amount FROM"
		" hold h CROSS JOIN transfer t ON t.seq=h.transfer";
	sqlite3_stmt *st = NULL;
	int64_t start = 0, end = 0;
	int rc = ai_db_bind(&a->l->db, &st, sql, err, "");

	while (rc >= 0 && (rc = ai_db_step(&a->l->db, st, err)) > 0) {
		int64_t ms = sqlite3_column_int64(st, 0);

		if (ms < start || ms >= end)
			ledger_hour(ms, &start, &end);
		if (start >= a->since && start < a->until)
			rc = add_hold(h, (struct held){ start,
				      sqlite3_column_int64(st, 1),
				      sqlite3_column_int64(st, 2) }, err);
	}
	ai_db_finish(&st);
	if (rc == 0 && h->n > 0)
		qsort(h->v, h->n, sizeof(*h->v), by_hour);
	return rc;
}

/* Makes the period of this hour the one that is summed up. */
static int turn_to(struct times *t, int64_t hour)
{
	return t->any && hour >= t->r.start_ms && hour < t->r.end_ms ? 0
		: begin_time(t, hour);
}

/* Holds of hours up to and including this one. */
static int add_holds(struct times *t, const struct holds *h, size_t *at,
		     int64_t hour)
{
	int ended = 0;

	for (; !ended && *at < h->n && h->v[*at].hour <= hour; ++*at) {
		ended = turn_to(t, h->v[*at].hour);
		t->r.open++;
		t->r.pending += h->v[*at].amount;
	}
	return ended;
}

static int sum_times(const struct ask *a, struct times *t,
		     const struct holds *h, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SQL_MAX);
	sqlite3_stmt *st = NULL;
	int c, rc, ended = 0;
	size_t at = 0;

	put_columns(&b, a, "hour", true);
	ai_buf_str(&b, " FROM rollup WHERE hour>=?1 AND hour<?2 GROUP BY hour"
		   " ORDER BY hour");
	rc = ask_for(a, &st, &b, err);
	while (rc >= 0 && !ended && (rc = ai_db_step(&a->l->db, st, err)) > 0) {
		int64_t hour = sqlite3_column_int64(st, 0);

		ended = add_holds(t, h, &at, hour - 1);
		if (!ended)
			ended = turn_to(t, hour);
		for (c = 0; c < a->n; c++)
			t->r.v[c] += sqlite3_column_int64(st, 1 + c);
	}
	ai_db_finish(&st);
	if (rc < 0)
		return -1;
	if (!ended && add_holds(t, h, &at, INT64_MAX) == 0)
		end_time(t);
	return 0;
}

static int by_time(const struct ask *a, const char *period, struct ai_err *err)
{
	struct times t = { .period = period, .ask = a };
	struct holds h = { .n = 0 };
	int rc = read_holds(a, &h, err);

	if (rc == 0)
		rc = sum_times(a, &t, &h, err);
	free(h.v);
	return rc;
}

/* ---- by label ------------------------------------------------------------------ */

/* The expression that labels are grouped by; NULL: there is no such. */
static const char *group_of(const char *by)
{
	static const struct { const char *by, *sql; } groups[] = {
		{ "tool", "l.tool" }, { "provider", "l.provider" },
		{ "model", "l.model" }, { "tenant", "l.tenant" },
		{ "user", "coalesce((SELECT p.name FROM person p WHERE"
			  " p.token=l.user), l.user)" },
		{ "project", "l.project" }, { "experiment", "l.experiment" },
		{ "arm", "CASE l.experiment WHEN '' THEN '' ELSE l.experiment"
			 " || '/' || l.model END" },
		{ "run", "l.run" }, { "key", "l.key" },
		{ "labels", "l.n" }, { "all", "''" },
	};
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(groups[i].by, by) == 0)
			return groups[i].sql;
	return NULL;
}

struct groups {
	bool labels;       /* each label is a group */
	size_t n;
	int64_t *sums;     /* of group i from i * stride on: ENTRIES, open,
			    * pending, and the columns */
	size_t stride;
	uint32_t *of;      /* the group of label i; n: it has none */
	int64_t max;       /* the last label */
	size_t *name_at;   /* in names */
	struct ai_buf names;
};

enum { ENTRIES, OPEN, HELD, COLUMNS };

#define NAMES_MAX ((size_t)1 << 30)

static void groups_free(struct groups *g)
{
	free(g->sums);
	free(g->of);
	free(g->name_at);
	ai_buf_release(&g->names);
}

/* Labels are numbered from 1 on without a gap. */
static int groups_init(const struct ask *a, struct groups *g,
		       struct ai_err *err)
{
	int64_t count;

	ai_buf_init(&g->names, NAMES_MAX);
	g->stride = COLUMNS + (size_t)a->n;
	if (ai_db_int(&a->l->db, "SELECT max(n) FROM label", &g->max,
		      err) < 0 ||
	    ai_db_int(&a->l->db, "SELECT count(*) FROM label", &count,
		      err) < 0)
		return -1;
	if (g->max < 0 || g->max > 2 * count + 1000 || count > UINT32_MAX / 2)
		return ai_db_damaged(&a->l->db, err, "label %lld is one of "
				     "%lld", (long long)g->max,
				     (long long)count);
	g->of = malloc(((size_t)g->max + 1) * sizeof(*g->of));
	g->name_at = malloc(((size_t)count + 1) * sizeof(*g->name_at));
	if (g->of == NULL || g->name_at == NULL)
		return ai_err_nomem(err);
	memset(g->of, 0xFF, ((size_t)g->max + 1) * sizeof(*g->of));
	return 0;
}

static bool is_same(const struct groups *g, struct ai_span name)
{
	size_t at = g->n > 0 ? g->name_at[g->n - 1] : 0;

	return g->n > 0 && !g->labels && g->names.len - 1 - at == name.n &&
		memcmp(g->names.p + at, name.p == NULL ? "" : name.p,
		       name.n) == 0;
}

static int find_groups(const struct ask *a, const char *group,
		       struct groups *g, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SQL_MAX);
	sqlite3_stmt *st = NULL;
	int rc;

	ai_buf_fmt(&b, "SELECT l.n, CAST(%s AS BLOB) AS g FROM label l"
		   " ORDER BY g", group);
	rc = ask_for(a, &st, &b, err);
	while (rc >= 0 && (rc = ai_db_step(&a->l->db, st, err)) > 0) {
		struct ai_span name = ai_db_span(st, 1);
		int64_t n = sqlite3_column_int64(st, 0);

		if (n < 1 || n > g->max) {
			rc = ai_db_damaged(&a->l->db, err, "it has a label "
					   "%lld", (long long)n);
			break;
		}
		if (!is_same(g, name)) {
			g->name_at[g->n++] = g->names.len;
			ai_buf_add(&g->names, name.p, name.n);
			ai_buf_chr(&g->names, '\0');
		}
		g->of[n] = (uint32_t)(g->n - 1);
	}
	ai_db_finish(&st);
	if (rc == 0)
		rc = ai_buf_check(&g->names, "the names", err);
	if (rc == 0) {
		g->sums = calloc(g->n * g->stride + 1, sizeof(*g->sums));
		rc = g->sums == NULL ? ai_err_nomem(err) : 0;
	}
	return rc;
}

/* Where the sums of this label stand; NULL: it is missing. */
static int64_t *sums_of(const struct ask *a, const struct groups *g,
			int64_t label, struct ai_err *err)
{
	if (label < 1 || label > g->max || g->of[label] >= g->n) {
		ai_db_damaged(&a->l->db, err, "label %lld is missing",
			      (long long)label);
		return NULL;
	}
	return g->sums + (size_t)g->of[label] * g->stride;
}

static int add_rows(const struct ask *a, struct groups *g, const char *from,
		    struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SQL_MAX);
	sqlite3_stmt *st = NULL;
	int64_t *to;
	int c, rc;

	put_columns(&b, a, "label", false);
	ai_buf_str(&b, from);
	rc = ask_for(a, &st, &b, err);
	while (rc >= 0 && (rc = ai_db_step(&a->l->db, st, err)) > 0) {
		to = sums_of(a, g, sqlite3_column_int64(st, 0), err);
		if (to == NULL) {
			rc = -1;
			break;
		}
		to[ENTRIES]++;
		for (c = 0; c < a->n; c++)
			to[COLUMNS + c] += sqlite3_column_int64(st, 1 + c);
	}
	ai_db_finish(&st);
	return rc;
}

static int add_held(const struct ask *a, struct groups *g, struct ai_err *err)
{
	struct holds h = { .n = 0 };
	int rc = read_holds(a, &h, err);
	int64_t *to;
	size_t i;

	for (i = 0; i < h.n && rc == 0; i++) {
		to = sums_of(a, g, h.v[i].label, err);
		if (to == NULL) {
			rc = -1;
			break;
		}
		to[ENTRIES]++;
		to[OPEN]++;
		to[HELD] += h.v[i].amount;
	}
	free(h.v);
	return rc;
}

/* Of all times there are sums already, but for the last day. */
static int add_all(const struct ask *a, struct groups *g, struct ai_err *err)
{
	if (a->since > INT64_MIN || a->until < INT64_MAX)
		return add_rows(a, g, " FROM rollup WHERE hour>=?1 AND"
				" hour<?2", err);
	if (add_rows(a, g, " FROM total", err) < 0)
		return -1;
	return add_rows(a, g, " FROM rollup WHERE hour>=(SELECT rolled FROM"
			" state)", err);
}

static int read_labels(const struct ask *a, const char *number,
		       struct ai_labels *to, struct ai_err *err)
{
	static const char sql[] = "SELECT tool, provider, model, key, tenant,"
		" coalesce((SELECT p.name FROM person p WHERE p.token=l.user),"
		" l.user), project, experiment, run FROM label l WHERE n=?";
	const struct { char *p; size_t size; } fields[] = {
		{ to->tool, sizeof(to->tool) },
		{ to->provider, sizeof(to->provider) },
		{ to->model, sizeof(to->model) }, { to->key, sizeof(to->key) },
		{ to->tenant, sizeof(to->tenant) },
		{ to->user, sizeof(to->user) },
		{ to->project, sizeof(to->project) },
		{ to->experiment, sizeof(to->experiment) },
		{ to->run, sizeof(to->run) },
	};
	sqlite3_stmt *st = NULL;
	int64_t n = 0;
	int i, rc;

	for (; *number >= '0' && *number <= '9'; number++)
		n = n * 10 + (*number - '0');
	rc = ai_db_bind(&a->l->db, &st, sql, err, "i", n);
	if (rc == 0)
		rc = ai_db_step(&a->l->db, st, err);
	for (i = 0; rc > 0 && i < 9; i++)
		ledger_copy_column(fields[i].p, fields[i].size, st, i);
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

static int tell_group(const struct ask *a, const struct groups *g, size_t i,
		      bool *ended, struct ai_err *err)
{
	const int64_t *sums = g->sums + i * g->stride;
	struct ai_rollup r = { .name = ai_buf_cstr(&g->names) + g->name_at[i],
			       .start_ms = INT64_MIN, .end_ms = INT64_MAX,
			       .open = sums[OPEN], .pending = sums[HELD] };
	struct ai_labels labels;

	memcpy(r.v, sums + COLUMNS, (size_t)a->n * sizeof(r.v[0]));
	if (g->labels) {
		if (read_labels(a, r.name, &labels, err) < 0)
			return -1;
		r.name = "";
		r.labels = &labels;
	}
	*ended = a->each(a->arg, &r) != 0;
	return 0;
}

static int by_label(const struct ask *a, const char *by, struct ai_err *err)
{
	struct groups g = { .labels = strcmp(by, "labels") == 0 };
	const char *group = group_of(by);
	bool ended = false;
	size_t i;
	int rc;

	if (group == NULL)
		return ai_err_set(err, AI_E_USAGE, "there is no report by "
				  "'%.40s'", by);
	rc = groups_init(a, &g, err);
	if (rc == 0)
		rc = find_groups(a, group, &g, err);
	if (rc == 0)
		rc = add_all(a, &g, err);
	if (rc == 0)
		rc = add_held(a, &g, err);
	for (i = 0; rc == 0 && !ended && i < g.n; i++)
		if (g.sums[i * g.stride + ENTRIES] > 0)
			rc = tell_group(a, &g, i, &ended, err);
	groups_free(&g);
	return rc;
}

/* ---- both ------------------------------------------------------------------------ */

int ai_ledger_rollups(struct ai_ledger *l, const struct ai_rollup_ask *ask,
		      each_rollup *each, void *arg, struct ai_err *err)
{
	const bool all = ask->since == 0 && ask->until == 0;
	const struct ask a = {
		.l = l, .each = each, .arg = arg,
		.since = all ? INT64_MIN : ask->since,
		.until = all ? INT64_MAX : ask->until,
		.n = ask->columns > 0 && ask->columns < AI_ROLLUP_COUNT
			? ask->columns : AI_ROLLUP_COUNT,
	};
	const char *by = ask->by;
	int rc;

	/* All of it as it was at one moment. */
	if (ai_db_begin(&l->db, false, err) < 0)
		return -1;
	rc = strcmp(by, "hour") == 0 || strcmp(by, "day") == 0 ||
		strcmp(by, "month") == 0 ? by_time(&a, by, err)
					 : by_label(&a, by, err);
	ai_db_rollback(&l->db);
	return rc;
}
