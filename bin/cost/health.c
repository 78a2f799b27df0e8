/*
 * health.c: is all well? One object for a probe, and 0 or 1.
 *
 * Each check answers by itself, so that one that cannot be made does not hide
 * the others.  A probe must not hang: who waits too long is cut short by a
 * timer, which says so.
 */
#include "cost.h"

#include "base/path.h"
#include "record/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* A clock may be set forward a little between two machines' writes. */
#define CLOCK_SLACK_MS 60000
/* No ledger was made before: a clock that says so was never set. */
#define CLOCK_LEAST_MS INT64_C(1704067200000) /* 2024 */

struct health {
	char path[4096];
	bool there;
	struct ai_ledger *l; /* NULL: there is none, or it cannot be opened */
	struct ai_err why;   /* then, if it is there */
	struct ai_buf *b;    /* the check's object, open */
	bool ok;             /* of this check */
	char said[400];      /* of it, for people */
};

static void wrong(struct health *h, const char *what)
{
	h->ok = false;
	snprintf(h->said, sizeof(h->said), "%s", what);
}

static void failed(struct health *h, const struct ai_err *err)
{
	wrong(h, err->msg);
	cost_put_text(h->b, "error", err->msg);
}

/* ---- the checks ------------------------------------------------------------------ */

/* The folder that the ledger is in, or would be made in. */
static void folder_of(const struct health *h, char out[4096])
{
	struct stat st;
	char *slash;

	snprintf(out, 4096, "%s", h->path);
	do {
		slash = strrchr(out, '/');
		if (slash == NULL) {
			snprintf(out, 4096, ".");
			return;
		}
		*(slash == out ? slash + 1 : slash) = '\0';
	} while (stat(out, &st) < 0 && slash != out);
}

static void check_ledger(struct health *h)
{
	char folder[4096];
	struct ai_err err;

	cost_put_text(h->b, "file", h->path);
	ai_put_key(h->b, "exists");
	ai_put_bool(h->b, h->there);
	if (!h->there) {
		folder_of(h, folder);
		snprintf(h->said, sizeof(h->said), "there is none yet, and "
			 "nothing was spent");
		if (access(folder, W_OK | X_OK) < 0)
			wrong(h, "there is none, and none can be made");
	} else if (h->l == NULL) {
		failed(h, &h->why);
	} else if (ai_ledger_probe(h->l, (int)(cost.timeout_s * 500),
				   &err) < 0) {
		failed(h, &err);
	} else {
		snprintf(h->said, sizeof(h->said), "can be written");
	}
}

static void check_disk(struct health *h)
{
	char folder[4096];
	struct statvfs s;
	uint64_t left;

	folder_of(h, folder);
	if (statvfs(folder, &s) < 0) {
		wrong(h, "the disk cannot be looked at");
		return;
	}
	left = (uint64_t)s.f_bavail * s.f_frsize;
	left = left > INT64_MAX ? INT64_MAX : left;
	cost_put_int(h->b, "free_bytes", (int64_t)left);
	cost_put_int(h->b, "least_bytes", cost.min_free);
	snprintf(h->said, sizeof(h->said), "%llu MB are free",
		 (unsigned long long)(left >> 20));
	h->ok = (int64_t)left >= cost.min_free;
}

static int see_breaker(void *arg, const struct ai_breaker *b)
{
	struct health *h = arg;

	if (b->is == AI_CLOSED)
		return 0;
	h->ok = false;
	snprintf(h->said, sizeof(h->said), "%s is not asked", b->model);
	ai_put_open(h->b, '{');
	cost_put_text(h->b, "model", b->model);
	cost_put_text(h->b, "state", b->is == AI_OPEN ? "open" : "half-open");
	cost_put_int(h->b, "failures", b->failures);
	cost_put_int(h->b, "wait_ms", b->wait_ms);
	ai_put_close(h->b, '}');
	return 0;
}

static void check_breakers(struct health *h)
{
	struct ai_err err;
	int rc;

	snprintf(h->said, sizeof(h->said), "none is open");
	ai_put_key(h->b, "open");
	ai_put_open(h->b, '[');
	rc = h->l == NULL ? 0 : ai_ledger_breakers(h->l, see_breaker, h, &err);
	ai_put_close(h->b, ']');
	if (rc < 0)
		failed(h, &err);
}

static int see_budget(void *arg, const struct ai_budget_state *s)
{
	struct health *h = arg;
	int64_t used = s->posted + s->pending;
	char what[160];

	if (s->posted < 0 || (used < s->budget.cap &&
			      cost_percent(used, s->budget.cap) < cost.warn))
		return 0;
	cost_name_budget(&s->budget, what, sizeof(what));
	h->ok = false;
	snprintf(h->said, sizeof(h->said), "%.100s %s: %d%% are used", what,
		 s->budget.period, cost_percent(used, s->budget.cap));
	ai_put_open(h->b, '{');
	cost_put_budget(h->b, s);
	cost_put_int(h->b, "percent", cost_percent(used, s->budget.cap));
	ai_put_close(h->b, '}');
	return 0;
}

static void check_budgets(struct health *h)
{
	struct ai_err err;
	int rc;

	snprintf(h->said, sizeof(h->said), "none is over %lld%%",
		 (long long)cost.warn);
	cost_put_int(h->b, "warn_percent", cost.warn);
	ai_put_key(h->b, "over");
	ai_put_open(h->b, '[');
	rc = h->l == NULL ? 0 : ai_ledger_budgets(h->l, see_budget, h, &err);
	ai_put_close(h->b, ']');
	if (rc < 0)
		failed(h, &err);
}

/* One that goes back makes a day's budget begin anew. */
static void check_clock(struct health *h)
{
	struct ai_err err;
	int64_t now = (int64_t)time(NULL) * 1000, newest = 0;

	cost_put_time(h->b, "now", now);
	if (h->l != NULL && ai_ledger_newest(h->l, &newest, &err) < 0) {
		failed(h, &err);
		return;
	}
	if (newest > 0)
		cost_put_time(h->b, "newest", newest);
	snprintf(h->said, sizeof(h->said), "goes on");
	if (now < CLOCK_LEAST_MS)
		wrong(h, "was never set");
	else if (newest > now + CLOCK_SLACK_MS)
		wrong(h, "was set back: the ledger is newer");
}

static int see_hold(void *arg, const struct ai_hold *hold)
{
	struct cost_dead *d = arg;

	if (hold->alive)
		return 0;
	d->n++;
	d->nano += hold->amount;
	return 0;
}

int cost_count_dead(struct ai_ledger *l, struct cost_dead *d,
		    struct ai_err *err)
{
	*d = (struct cost_dead){ 0, 0 };
	return l == NULL ? 0 : ai_ledger_holds(l, see_hold, d, err);
}

/* The next program that needs room settles them; if none comes, they stay. */
static void check_holds(struct health *h)
{
	char amount[AI_MONEY_TEXT];
	struct cost_dead dead;
	struct ai_err err;

	if (cost_count_dead(h->l, &dead, &err) < 0) {
		failed(h, &err);
		return;
	}
	cost_put_int(h->b, "dead", dead.n);
	cost_put_usd(h->b, "held_usd", dead.nano);
	cost_put_int(h->b, "most", cost.max_dead);
	ai_money_show(dead.nano, amount);
	snprintf(h->said, sizeof(h->said), "none is of a dead program");
	if (dead.n > 0)
		snprintf(h->said, sizeof(h->said), "%lld of dead programs hold "
			 "%s", (long long)dead.n, amount);
	h->ok = dead.n <= cost.max_dead;
}

static const struct check {
	const char *name;
	void (*run)(struct health *h);
} checks[] = {
	{ "ledger", check_ledger }, { "disk", check_disk },
	{ "clock", check_clock }, { "breakers", check_breakers },
	{ "budgets", check_budgets }, { "reservations", check_holds },
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* ---- which of them, and what is said ------------------------------------------- */

static bool is_wanted(const char *name)
{
	size_t i;

	for (i = 0; i < cost.checks.n; i++)
		if (strcmp(cost.checks.v[i], name) == 0)
			return true;
	return cost.checks.n == 0;
}

static int check_names(struct ai_err *err)
{
	const char *names[CHECKS], *near, *asked;
	size_t i, k;

	for (k = 0; k < CHECKS; k++)
		names[k] = checks[k].name;
	for (i = 0; i < cost.checks.n; i++) {
		asked = cost.checks.v[i];
		for (k = 0; k < CHECKS && strcmp(asked, names[k]) != 0; k++)
			;
		if (k < CHECKS)
			continue;
		near = ai_nearest(asked, names, CHECKS);
		return ai_err_set(err, AI_E_USAGE, "there is no check '%.60s'; "
				  "%s%s%s", asked,
				  near != NULL ? "did you mean '" : "there are "
				  "ledger, disk, clock, breakers, budgets and "
				  "reservations", near != NULL ? near : "",
				  near != NULL ? "'?" : "");
	}
	return 0;
}

/* A probe waits for nobody; SIGALRM finds the lock, or the disk, that hangs. */
static void too_late(int sig)
{
	static const char json[] = "{\"healthy\":false,\"error\":\"no answer "
		"within the time of --timeout\"}\n";
	static const char plain[] = "wrong  no answer within the time of "
		"--timeout\n";
	ssize_t n = ai_loop.plain_out
		? write(STDOUT_FILENO, plain, sizeof(plain) - 1)
		: write(STDOUT_FILENO, json, sizeof(json) - 1);

	(void)sig;
	_exit(n < 0 ? AI_EXIT_IO : AI_EXIT_NO);
}

static void set_timer(double s)
{
	struct itimerval t = { .it_value = { (time_t)s,
		(suseconds_t)((s - (double)(time_t)s) * 1e6) } };
	struct sigaction sa = { .sa_handler = too_late };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static void open_ledger(struct health *h)
{
	struct stat st;

	ai_ledger_path(ai_paid.ledger, h->path, sizeof(h->path));
	h->there = stat(h->path, &st) == 0;
	if (h->there &&
	    ai_ledger_open_read(&h->l, ai_paid.ledger, &h->why) < 0)
		h->l = NULL;
}

/* Whether all is well. */
static bool run_checks(struct health *h, struct cost_out *o)
{
	struct ai_buf one = AI_BUF_INIT(1 << 19);
	bool healthy = true;
	size_t i;

	h->b = &one;
	for (i = 0; i < CHECKS; i++) {
		if (!is_wanted(checks[i].name))
			continue;
		ai_buf_clear(&one);
		h->ok = true;
		h->said[0] = '\0';
		ai_put_open(&one, '{');
		checks[i].run(h);
		ai_put_key(&one, "ok");
		ai_put_bool(&one, h->ok);
		ai_put_close(&one, '}');
		healthy = healthy && h->ok;
		if (ai_loop.plain_out) {
			ai_buf_fmt(&o->line, "%-6s %-13s %s", h->ok ? "ok"
				   : "wrong", checks[i].name, h->said);
			cost_put(o);
			continue;
		}
		ai_put_key(&o->line, checks[i].name);
		ai_put_raw(&o->line, one.p, one.len);
	}
	ai_buf_release(&one);
	return healthy;
}

int cost_health(int argc, char **argv, struct ai_err *err)
{
	struct health h = { .l = NULL };
	struct cost_out o;
	bool healthy;
	int rc;

	if (cost_no_operand(argc, argv, err) < 0 || check_names(err) < 0)
		return -1;
	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_USAGE, "--ledger none: there is "
				  "no ledger to look at");
	set_timer(cost.timeout_s);
	open_ledger(&h);
	cost_begin(&o, ai_loop.plain_out);
	if (!ai_loop.plain_out) {
		ai_put_open(&o.line, '{');
		ai_put_key(&o.line, "checks");
		ai_put_open(&o.line, '{');
	}
	healthy = run_checks(&h, &o);
	if (!ai_loop.plain_out) {
		ai_put_close(&o.line, '}');
		ai_put_key(&o.line, "healthy");
		ai_put_bool(&o.line, healthy);
		ai_put_close(&o.line, '}');
		cost_put(&o);
	}
	ai_ledger_close(h.l);
	rc = cost_end(&o, 0, err);
	return rc == AI_EXIT_OK && !healthy ? AI_EXIT_NO : rc;
}
