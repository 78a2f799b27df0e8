/*
 * metrics.c: what stands in the ledger, for Prometheus (text format 0.0.4).
 *
 * Each number of a label's values has families of its own
 * (aiutils_model_calls_total beside aiutils_calls_total), so that no sum over
 * one of them counts a call twice.  What is spent is a gauge, as corrections
 * may lower it; a counter never goes back.  That is why of many names those
 * stay that stood in the file before (-o): if one that is dearer today took
 * another's place, "other" would go back.
 */
#include "cost.h"

#include "base/utf8.h"
#include "record/loop.h"
#include "store/rollup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define METRICS_MAX ((size_t)64 << 20)

/* Names of people and of runs are many, and somebody's business. */
static const char *const usual[] = {
	"model", "provider", "tool", "tenant", "project", "experiment",
};
static const char *const asked_for[] = { "user", "run", "key" };

struct row {
	char *name; /* owned; "": nobody, NULL: the others */
	bool kept;
	int64_t v[AI_ROLLUP_COUNT];
};

struct metrics {
	struct ai_buf *b;
	struct ai_buf old;   /* what stood in the file; empty */
	const char *by;      /* "all", or a label */
	struct row *row;
	size_t n;
	int64_t open, open_nano, unanswered;
	bool nomem;
	char what[80];
};

/* ---- text ------------------------------------------------------------------------- */

/* A label's value: backslash, quote and newline behind a backslash; what is no
 * UTF-8, which Prometheus refuses, is replaced. */
static void put_value(struct ai_buf *b, const char *p)
{
	size_t n = strlen(p), i, len;

	ai_buf_chr(b, '"');
	for (i = 0; i < n; i += len > 0 ? len : 1) {
		len = ai_utf8_len(p + i, n - i);
		if (len == 0)
			ai_buf_str(b, "\xEF\xBF\xBD");
		else if (p[i] == '\n')
			ai_buf_str(b, "\\n");
		else if (p[i] == '\\' || p[i] == '"')
			ai_buf_fmt(b, "\\%c", p[i]);
		else
			ai_buf_add(b, p + i, len);
	}
	ai_buf_chr(b, '"');
}

static void head(struct ai_buf *b, const char *name, const char *type,
		 const char *help)
{
	ai_buf_fmt(b, "# HELP aiutils_%s %s\n# TYPE aiutils_%s %s\n", name,
		   help, name, type);
}

static void put_dollars(struct ai_buf *b, int64_t nano)
{
	char text[AI_MONEY_TEXT];

	ai_money_text(nano, text);
	ai_buf_fmt(b, " %s\n", text);
}

/* "calls_total", "model_calls_total" */
static const char *name_of(struct metrics *m, const char *what)
{
	bool all = strcmp(m->by, "all") == 0;

	snprintf(m->what, sizeof(m->what), "%s%s%s", all ? "" : m->by,
		 all ? "" : "_", what);
	return m->what;
}

/* aiutils_model_calls_total{model="x",outcome="answered"; without the end. */
static void put_sample(struct metrics *m, const char *what,
		       const struct row *r, const char *label,
		       const char *value)
{
	struct ai_buf *b = m->b;
	bool all = strcmp(m->by, "all") == 0;

	ai_buf_fmt(b, "aiutils_%s", name_of(m, what));
	if (all && label == NULL)
		return;
	ai_buf_chr(b, '{');
	if (!all) {
		ai_buf_fmt(b, "%s=", m->by);
		put_value(b, r->name == NULL ? "other" : r->name);
	}
	if (label != NULL)
		ai_buf_fmt(b, "%s%s=\"%s\"", all ? "" : ",", label, value);
	ai_buf_chr(b, '}');
}

/* ---- what is counted --------------------------------------------------------------- */

struct column {
	const char *value;
	int column;
};

static void put_counts(struct metrics *m, const char *what, const char *help,
		       const char *label, const struct column *c, size_t n)
{
	size_t i, k;

	head(m->b, name_of(m, what), "counter", help);
	for (i = 0; i < m->n; i++)
		for (k = 0; k < n; k++) {
			put_sample(m, what, &m->row[i], label, c[k].value);
			ai_buf_fmt(m->b, " %lld\n",
				   (long long)m->row[i].v[c[k].column]);
		}
}

static void put_money(struct metrics *m, const char *what, const char *type,
		      const char *help, int column)
{
	size_t i;

	head(m->b, name_of(m, what), type, help);
	for (i = 0; i < m->n; i++) {
		put_sample(m, what, &m->row[i], NULL, NULL);
		put_dollars(m->b, m->row[i].v[column]);
	}
}

static void put_histogram(struct metrics *m, const char *what,
			  const char *help, int first, int sum)
{
	char name[80], le[32];
	int64_t so_far;
	size_t i;
	int k;

	head(m->b, name_of(m, what), "histogram", help);
	for (i = 0; i < m->n; i++) {
		const int64_t *v = m->row[i].v;

		snprintf(name, sizeof(name), "%s_bucket", what);
		for (k = 0, so_far = 0; k < AI_ROLLUP_BUCKETS; k++) {
			so_far += v[first + k];
			if (k + 1 < AI_ROLLUP_BUCKETS)
				snprintf(le, sizeof(le), "%g",
					 (double)ai_rollup_bound[k] / 1e6);
			else
				snprintf(le, sizeof(le), "+Inf");
			put_sample(m, name, &m->row[i], "le", le);
			ai_buf_fmt(m->b, " %lld\n", (long long)so_far);
		}
		snprintf(name, sizeof(name), "%s_sum", what);
		put_sample(m, name, &m->row[i], NULL, NULL);
		ai_buf_fmt(m->b, " %lld.%06lld\n", (long long)(v[sum] / 1000000),
			   (long long)(v[sum] % 1000000));
		snprintf(name, sizeof(name), "%s_count", what);
		put_sample(m, name, &m->row[i], NULL, NULL);
		ai_buf_fmt(m->b, " %lld\n", (long long)so_far);
	}
}

static void put_families(struct metrics *m)
{
	static const struct column outcomes[] = {
		{ "answered", AI_ROLLUP_ANSWERED },
		{ "unusable", AI_ROLLUP_UNUSABLE },
		{ "refused", AI_ROLLUP_REFUSED },
		{ "limited", AI_ROLLUP_LIMITED },
		{ "failed", AI_ROLLUP_FAILED }, { "lost", AI_ROLLUP_LOST },
		{ "left", AI_ROLLUP_LEFT }, { "unsent", AI_ROLLUP_UNSENT },
		{ "untold", AI_ROLLUP_UNTOLD },
	};
	static const struct column kinds[] = {
		{ "input", AI_ROLLUP_INPUT }, { "cached", AI_ROLLUP_CACHED },
		{ "written", AI_ROLLUP_WRITTEN },
		{ "output", AI_ROLLUP_OUTPUT },
		{ "reasoning", AI_ROLLUP_REASONING },
	};
	static const struct column hits[] = { { "", AI_ROLLUP_HITS } };
	static const struct column retries[] = { { "", AI_ROLLUP_RETRIES } };
	bool timed = strcmp(m->by, "all") == 0 || strcmp(m->by, "model") == 0;

	put_counts(m, "calls_total", "Calls that have ended, by how.",
		   "outcome", outcomes, sizeof(outcomes) / sizeof(*outcomes));
	put_money(m, "spent_dollars", "gauge",
		  "What was spent, corrections included.", AI_ROLLUP_POSTED);
	put_counts(m, "tokens_total", "Tokens; cached and written are within "
		   "input, reasoning is within output.", "kind", kinds,
		   sizeof(kinds) / sizeof(*kinds));
	put_counts(m, "retries_total", "Calls that were not the first "
		   "attempt.", NULL, retries, 1);
	put_counts(m, "cache_hits_total", "Answers from the cache.", NULL,
		   hits, 1);
	put_money(m, "cache_saved_dollars_total", "counter",
		  "What answers from the cache would have cost.",
		  AI_ROLLUP_SAVED);
	if (!timed)
		return;
	put_histogram(m, "call_duration_seconds", "Until an answer was whole.",
		      AI_ROLLUP_TIME, AI_ROLLUP_TIME_US);
	put_histogram(m, "first_text_seconds", "Until the first text of an "
		      "answer.", AI_ROLLUP_FIRST, AI_ROLLUP_FIRST_US);
}

/* ---- the rows of a label ----------------------------------------------------------- */

static void clear(struct metrics *m)
{
	while (m->n > 0)
		free(m->row[--m->n].name);
	free(m->row);
	m->row = NULL;
}

/* Whether it has a line of its own in the file that is replaced. */
static bool stood_there(const struct metrics *m, const char *name)
{
	struct ai_buf key = AI_BUF_INIT(4096);
	bool there;

	if (m->old.len == 0)
		return false;
	ai_buf_fmt(&key, "aiutils_%s_calls_total{%s=", m->by, m->by);
	put_value(&key, name);
	ai_buf_chr(&key, ',');
	there = memmem(m->old.p, m->old.len, key.p, key.len) != NULL;
	ai_buf_release(&key);
	return there;
}

static int take_row(void *arg, const struct ai_rollup *r)
{
	struct metrics *m = arg;
	struct row *more = realloc(m->row, (m->n + 1) * sizeof(*more));

	if (more != NULL)
		m->row = more;
	if (more == NULL || (more[m->n].name = strdup(r->name)) == NULL) {
		m->nomem = true;
		return 1;
	}
	more += m->n++;
	memcpy(more->v, r->v, sizeof(more->v));
	more->kept = stood_there(m, r->name);
	if (strcmp(m->by, "all") == 0) {
		m->open = r->open;
		m->open_nano = r->pending;
		m->unanswered = r->v[AI_ROLLUP_UNANSWERED];
	}
	return 0;
}

static int by_spend(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->kept != y->kept)
		return x->kept ? -1 : 1;
	if (x->v[AI_ROLLUP_POSTED] != y->v[AI_ROLLUP_POSTED])
		return x->v[AI_ROLLUP_POSTED] > y->v[AI_ROLLUP_POSTED] ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* What does not have a line of its own is summed up as "other"; who is called
 * so is among them, or a family would have two. */
static void bound(struct metrics *m)
{
	size_t i, to = 0, most = (size_t)cost.top;
	struct row others = { .name = NULL };
	bool any = false;
	int k;

	if (m->n > 0)
		qsort(m->row, m->n, sizeof(*m->row), by_spend);
	for (i = 0; i < m->n; i++) {
		struct row *r = &m->row[i];

		if (to < most && strcmp(r->name, "other") != 0) {
			m->row[to++] = *r;
			continue;
		}
		for (k = 0; k < AI_ROLLUP_COUNT; k++)
			others.v[k] += r->v[k];
		free(r->name);
		any = true;
	}
	m->n = to;
	if (any)
		m->row[m->n++] = others;
}

static int put_label(struct metrics *m, struct ai_ledger *l, const char *by,
		     struct ai_err *err)
{
	const struct ai_rollup_ask ask = { .by = by };
	int rc = 0;

	m->by = by;
	if (l != NULL)
		rc = ai_ledger_rollups(l, &ask, take_row, m, err);
	if (rc == 0 && m->nomem)
		rc = ai_err_nomem(err);
	if (rc == 0 && strcmp(by, "all") != 0)
		bound(m);
	if (rc == 0 && m->n > 0)
		put_families(m);
	clear(m);
	return rc;
}

/* ---- how it stands ------------------------------------------------------------------ */

struct gauge {
	struct metrics *m;
	int part;
	int64_t rows;
};

static bool is_shown(const char *scope)
{
	size_t i, k;

	for (i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++) {
		if (strcmp(scope, asked_for[i]) != 0)
			continue;
		for (k = 0; k < cost.labels.n; k++)
			if (strcmp(cost.labels.v[k], scope) == 0)
				return true;
		return false;
	}
	return true;
}

static const char *const budget_gauges[][2] = {
	{ "budget_cap_dollars", "What may be spent." },
	{ "budget_spent_dollars", "What is spent of it." },
	{ "budget_held_dollars", "What calls under way hold of it." },
	{ "budget_left_dollars", "What is left of it." },
	{ "budget_reset_timestamp_seconds", "When it begins anew." },
};

#define BUDGET_GAUGES (sizeof(budget_gauges) / sizeof(*budget_gauges))

/* A family's samples stand together, and all are of one moment. */
struct budgets {
	struct ai_buf part[BUDGET_GAUGES];
	int64_t rows;
};

static void put_part(struct budgets *g, size_t part,
		     const struct ai_budget_state *s)
{
	const int64_t values[] = { s->budget.cap, s->posted, s->pending,
				   cost_left(s) };
	struct ai_buf *b = &g->part[part];

	ai_buf_fmt(b, "aiutils_%s{scope=", budget_gauges[part][0]);
	put_value(b, s->budget.scope);
	ai_buf_str(b, ",name=");
	put_value(b, s->budget.name);
	ai_buf_fmt(b, ",period=\"%s\"}", s->budget.period);
	if (part < sizeof(values) / sizeof(*values))
		put_dollars(b, values[part]);
	else
		ai_buf_fmt(b, " %lld\n", (long long)(s->resets_ms / 1000));
}

static int put_budget(void *arg, const struct ai_budget_state *s)
{
	struct budgets *g = arg;
	size_t part, n = BUDGET_GAUGES;

	if (!is_shown(s->budget.scope))
		return 0;
	if (++g->rows > cost.top * 4)
		return 1;
	/* That of each is no one sum, and some never begin anew. */
	if (s->posted < 0)
		n = 1;
	else if (s->resets_ms == INT64_MAX)
		n--;
	for (part = 0; part < n; part++)
		put_part(g, part, s);
	return 0;
}

static int put_budgets(struct metrics *m, struct ai_ledger *l,
		       struct ai_err *err)
{
	struct budgets g = { .rows = 0 };
	size_t i;
	int rc;

	for (i = 0; i < BUDGET_GAUGES; i++)
		ai_buf_init(&g.part[i], METRICS_MAX);
	rc = ai_ledger_budgets(l, put_budget, &g, err);
	for (i = 0; i < BUDGET_GAUGES; i++) {
		head(m->b, budget_gauges[i][0], "gauge", budget_gauges[i][1]);
		ai_buf_add(m->b, g.part[i].p, g.part[i].len);
		if (rc == 0)
			rc = ai_buf_check(&g.part[i], "the metrics", err);
		ai_buf_release(&g.part[i]);
	}
	return rc;
}

static int put_limit(void *arg, const struct ai_limit *q)
{
	struct gauge *g = arg;
	struct ai_buf *b = g->m->b;
	int64_t value = g->part == 0 ? q->requests : q->tokens;

	if (value == 0)
		return 0;
	if (++g->rows > cost.top)
		return 1;
	ai_buf_fmt(b, "aiutils_limit_%s_per_minute{model=",
		   g->part == 0 ? "requests" : "tokens");
	put_value(b, q->model);
	ai_buf_str(b, ",key=");
	put_value(b, q->key);
	ai_buf_fmt(b, "} %lld\n", (long long)value);
	return 0;
}

static int put_breaker(void *arg, const struct ai_breaker *k)
{
	struct gauge *g = arg;
	struct ai_buf *b = g->m->b;

	if (++g->rows > cost.top)
		return 1;
	ai_buf_str(b, g->part == 0 ? "aiutils_breaker_open{model="
		   : "aiutils_breaker_failures{model=");
	put_value(b, k->model);
	ai_buf_str(b, ",key=");
	put_value(b, k->key);
	ai_buf_fmt(b, "} %lld\n", g->part == 0 ? (long long)(k->is != AI_CLOSED)
		   : (long long)k->failures);
	return 0;
}

static int put_rates(struct metrics *m, struct ai_ledger *l,
		     struct ai_err *err)
{
	struct gauge g = { .m = m };

	if (l == NULL)
		return 0;
	for (g.part = 0; g.part < 2; g.part++) {
		g.rows = 0;
		head(m->b, g.part == 0 ? "limit_requests_per_minute"
		     : "limit_tokens_per_minute", "gauge", "A rate limit.");
		if (ai_ledger_limits(l, put_limit, &g, err) < 0)
			return -1;
	}
	for (g.part = 0; g.part < 2; g.part++) {
		g.rows = 0;
		head(m->b, g.part == 0 ? "breaker_open" : "breaker_failures",
		     "gauge", g.part == 0 ? "1: its provider is not asked." :
		     "Failures in a row.");
		if (ai_ledger_breakers(l, put_breaker, &g, err) < 0)
			return -1;
	}
	return 0;
}

static void put_number(struct metrics *m, const char *name, const char *help,
		       int64_t n)
{
	head(m->b, name, "gauge", help);
	ai_buf_fmt(m->b, "aiutils_%s %lld\n", name, (long long)n);
}

static int put_state(struct metrics *m, struct ai_ledger *l,
		     struct ai_err *err)
{
	struct cost_dead dead;

	if (cost_count_dead(l, &dead, err) < 0)
		return -1;
	put_number(m, "calls_under_way", "Calls that have not ended.",
		   m->open);
	head(m->b, "held_dollars", "gauge", "What they hold.");
	ai_buf_str(m->b, "aiutils_held_dollars");
	put_dollars(m->b, m->open_nano);
	put_number(m, "dead_reservations", "Those of programs that died.",
		   dead.n);
	put_number(m, "unanswered_calls", "Calls that are booked at their "
		   "worst case, as no answer came.", m->unanswered);
	put_number(m, "metrics_timestamp_seconds", "When this was written.",
		   (int64_t)time(NULL));
	return put_budgets(m, l, err) < 0 ? -1 : put_rates(m, l, err);
}

static int put_all(struct metrics *m, struct ai_ledger *l, struct ai_err *err)
{
	size_t i;

	if (put_label(m, l, "all", err) < 0 || put_state(m, l, err) < 0)
		return -1;
	for (i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (put_label(m, l, usual[i], err) < 0)
			return -1;
	for (i = 0; i < sizeof(asked_for) / sizeof(*asked_for); i++)
		if (is_shown(asked_for[i]) &&
		    put_label(m, l, asked_for[i], err) < 0)
			return -1;
	return ai_buf_check(m->b, "the metrics", err);
}

/* ---- where it goes ------------------------------------------------------------------ */

/* node_exporter, which is somebody else, reads it. */
static int write_draft(int fd, const struct ai_buf *b, const char *draft,
		       const char *path, struct ai_err *err)
{
	if (fchmod(fd, 0644) < 0 || ai_buf_write(b, fd) < 0 || fsync(fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				  path);
	if (rename(draft, path) < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot replace "
				  "'%.200s'", path);
	return 0;
}

/* All of it under another name first, so that who reads finds the old one or
 * the new one; a collector takes no name that does not end in ".prom". */
static int replace(const char *path, const struct ai_buf *b,
		   struct ai_err *err)
{
	struct ai_buf draft = AI_BUF_INIT(8192);
	int fd, rc;

	ai_buf_fmt(&draft, "%s.%ld", path, (long)getpid());
	if (ai_buf_check(&draft, "the file's name", err) < 0)
		return -1;
	fd = open(draft.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = ai_err_sys(err, AI_E_CREATE, errno, "cannot make "
				"'%.200s'", draft.p);
		ai_buf_release(&draft);
		return rc;
	}
	rc = write_draft(fd, b, draft.p, path, err);
	close(fd);
	if (rc < 0)
		unlink(draft.p);
	ai_buf_release(&draft);
	return rc;
}

static void read_old(struct metrics *m)
{
	int fd = open(cost.output, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (ai_buf_read(&m->old, fd) < 0)
		ai_buf_clear(&m->old);
	close(fd);
}

static int check_labels(struct ai_err *err)
{
	size_t i, k, n = sizeof(asked_for) / sizeof(*asked_for);

	for (i = 0; i < cost.labels.n; i++) {
		for (k = 0; k < n &&
		     strcmp(cost.labels.v[i], asked_for[k]) != 0; k++)
			;
		if (k == n)
			return ai_err_set(err, AI_E_USAGE, "--label '%.40s': "
					  "user, run and key are those that "
					  "are left out", cost.labels.v[i]);
	}
	return 0;
}

int cost_metrics(int argc, char **argv, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(METRICS_MAX);
	struct metrics m = { .b = &text, .old = AI_BUF_INIT(METRICS_MAX) };
	struct ai_ledger *l;
	int rc;

	if (cost_no_operand(argc, argv, err) < 0 || check_labels(err) < 0 ||
	    cost_look(&l, err) < 0)
		return -1;
	if (cost.output != NULL)
		read_old(&m);
	rc = put_all(&m, l, err);
	ai_ledger_close(l);
	if (rc == 0 && cost.output != NULL)
		rc = replace(cost.output, &text, err);
	else if (rc == 0 && ai_buf_write(&text, STDOUT_FILENO) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write to "
				"standard output");
	ai_buf_release(&text);
	ai_buf_release(&m.old);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
