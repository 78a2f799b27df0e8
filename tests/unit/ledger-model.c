/*
 * Random histories of the ledger, compared step by step with a model.
 *
 *	ledger-model [SEED [HISTORIES]]
 *
 * The model is arrays and loops, written from the manual and not from the
 * ledger: budgets are summed anew from all calls for every question, and
 * beside the bucket's own arithmetic every minute's starts are counted.
 * AI_TEST_HISTORIES is their number if it is not given; the seed is printed,
 * and a history that differs is run again by its own seed and 1.
 *
 * The ledger is the real one, but for its file: SQLite keeps it in memory,
 * and one handle serves all histories.
 */
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 64      /* of one history */
#define STEPS 10      /* at least; at times four times as many */
#define SECOND ((int64_t)1000000000)
#define MINUTE (60 * SECOND)
#define SLACK 2000    /* ns: the model divides otherwise */
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static int64_t now_ms, now_ns;
static int broken; /* differences so far */
static bool tie;   /* a start that the rounding decides */

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

/* SplitMix64 (Steele et al., 2014). */
static void differ(const char *what, int64_t got, int64_t wanted)
{
	if (++broken <= 10)
		printf("# %s: %lld, the model says %lld\n", what,
		       (long long)got, (long long)wanted);
}

static void check_err(int rc, const struct ai_err *err)
{
	if (rc < 0)
		complain(&broken, err->msg);
}

/* ---- the model: what there is ------------------------------------------------- */

enum scope { ALL, TENANT, USER, MODEL, SCOPES };
enum period { REQUEST, HOUR, DAY, MONTH, TOTAL, PERIODS };
enum owner { ALIVE, DEAD, REBOOTED, ELSEWHERE, OWNERS };

static const char *const scope_name[] = { "all", "tenant", "user", "model" };
static const char *const period_name[] = { "request", "hour", "day", "month",
					   "total" };
/* Index 0 is nobody; "all" has only that one. */
static const char *const name[SCOPES][3] = {
	{ "" }, { "", "a", "b" }, { "", "alice", "*not" }, { "", "m", "n" },
};
#define EACH 3 /* the place of "*" beside them */

struct call {
	unsigned char id[AI_LEDGER_ID];
	int who[SCOPES];
	enum owner owner;
	int64_t at, worst, cost;
	bool open, sent;
};

struct bucket {
	long double tat, last; /* ns; last 0: never */
	int64_t burst;
};

/* Of one key and model. */
struct place {
	struct bucket bucket[2]; /* requests, tokens */
	int failures;
	int64_t opened, probe, held;
};

struct start {
	int64_t at, units, limit;
	int model, unit;
};

static struct model {
	struct call call[CALLS];
	int n;
	int64_t cap[SCOPES][4][PERIODS]; /* -1: none */
	int64_t limit[2][3][2]; /* key or "*"; model, or 0 for "*"; unit */
	struct place place[3];
	struct start start[2 * CALLS];
	int starts;
} m;

/* ---- the model: budgets -------------------------------------------------------- */

/* The first of the month that day n after 1970-01-01 lies in, as days (after
 * Hinnant's days_from_civil). */
static int64_t month_of(int64_t day)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
				      30, 31 };
	int64_t year = 1970, first = 0;
	int month = 0, n;

	for (;;) {
		n = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		if (first + 365 + n > day)
			break;
		first += 365 + n;
		year++;
	}
	while (first + length[month] + (month == 1 && n) <= day) {
		first += length[month] + (month == 1 && n);
		month++;
	}
	return first;
}

/* What tells one period from another. */
static int64_t period_of(enum period p, int64_t ms)
{
	switch (p) {
	case HOUR: return ms / 3600000 * 3600000;
	case DAY: return ms / 86400000 * 86400000;
	case MONTH: return month_of(ms / 86400000) * 86400000;
	default: return 0;
	}
}

static void sum(enum scope s, int who, enum period p, int64_t start,
		int64_t *pending, int64_t *posted)
{
	int i;

	*pending = *posted = 0;
	for (i = 0; i < m.n; i++) {
		const struct call *c = &m.call[i];

		if ((s == ALL || c->who[s] == who) &&
		    period_of(p, c->at) == start) {
			*pending += c->open ? c->worst : 0;
			*posted += c->open ? 0 : c->cost;
		}
	}
}

/* The cap that holds for this call, or -1. */
static int64_t cap_of(const int who[SCOPES], enum scope s, enum period p)
{
	if (s == ALL)
		return m.cap[ALL][0][p];
	if (who[s] == 0)
		return -1;
	return m.cap[s][who[s]][p] >= 0 ? m.cap[s][who[s]][p]
					: m.cap[s][EACH][p];
}

static bool has_room(const int who[SCOPES], enum scope s, enum period p,
		     int64_t worst)
{
	int64_t cap = cap_of(who, s, p), pending = 0, posted = 0;

	if (p != REQUEST)
		sum(s, who[s], p, period_of(p, now_ms), &pending, &posted);
	return cap < 0 || pending + posted + worst <= cap;
}

static bool all_have_room(const int who[SCOPES], int64_t worst)
{
	int s, p;

	for (s = 0; s < SCOPES; s++)
		for (p = 0; p < PERIODS; p++)
			if (!has_room(who, (enum scope)s, (enum period)p,
				      worst))
				return false;
	return true;
}

/* ---- the model: rates ------------------------------------------------------------ */

/* The limits in force for model `of`: its own row, or the next wider one. */
static const int64_t *limits_of(int of)
{
	static const int64_t none[2];
	int i;

	for (i = 0; i < 4; i++) {
		const int64_t *limit = m.limit[i / 2][i % 2 == 0 ? of : 0];

		if (limit[0] != 0 || limit[1] != 0)
			return limit;
	}
	return none;
}

static int64_t usual(int64_t limit)
{
	return limit / 50 > 1 ? limit / 50 : 1;
}

/* ns that a unit takes beside a burst. */
static long double pace(int64_t limit, int64_t burst)
{
	int64_t rate = limit - burst;

	return (long double)MINUTE / (rate > usual(limit) ? rate
							  : usual(limit));
}

/*
 * When n units may go.  A minute after the last start nothing of the minute
 * before counts any more.  Within it, they must fit into the burst beside
 * what has not drained; a burst that leaves less than the usual one for the
 * rest of its minute is alone in it.
 */
static long double when(struct bucket *b, int64_t n, int64_t limit)
{
	long double fresh = b->last + MINUTE, full, start;
	int64_t burst = b->burst, wide;
	bool alone;

	if (b->last == 0 || fresh < now_ns)
		fresh = now_ns;
	full = b->tat > now_ns ? b->tat : now_ns;
	if (n > burst) {
		full += (n - burst) * pace(limit, n);
		burst = n;
	}
	start = full - (burst - n) * pace(limit, burst);
	if (start < now_ns)
		start = now_ns;
	wide = n > usual(limit) ? n : usual(limit);
	alone = fresh <= now_ns || burst + usual(limit) > limit;
	tie |= !alone && fabsl(start - fresh) < SLACK &&
		(burst != wide || full - fresh > SLACK);
	if (alone || start >= fresh) {
		b->tat = start = fresh;
		b->burst = wide;
	} else {
		b->tat = full;
		b->burst = burst;
	}
	return start;
}

static void count_minutes(void)
{
	int i, j;

	for (i = 0; i < m.starts; i++) {
		const struct start *from = &m.start[i];
		int64_t units = 0;

		for (j = 0; j < m.starts; j++)
			if (m.start[j].model == from->model &&
			    m.start[j].unit == from->unit &&
			    m.start[j].at >= from->at &&
			    m.start[j].at < from->at + MINUTE) {
				units += m.start[j].units;
				/* Not comparable. */
				if (m.start[j].limit != from->limit) {
					units = 0;
					break;
				}
			}
		if (units > from->limit)
			differ(from->unit == 0 ? "requests in a minute"
					       : "tokens in a minute",
			       units, from->limit);
	}
}

/* What is to come of a reservation; `late` that the clocks decide. */
struct wanted {
	enum ai_verdict verdict;
	bool too_long, probe, late;
	long double start;
	int64_t wait_ms; /* -1: any */
	struct bucket bucket[2];
};

static void want_rate(const struct ai_reserve *r, int model, struct wanted *w)
{
	struct place *p = &m.place[model];
	const int64_t *limit = limits_of(model);
	const int64_t units[2] = { 1, r->tokens };
	long double wait;
	int u;

	w->start = now_ns;
	w->verdict = AI_OVER_LIMIT;
	if (p->failures >= 5) {
		int64_t until = p->opened + 30 * SECOND;

		until = now_ns < until ? until : p->probe;
		if (now_ns < until) {
			w->verdict = AI_BREAKER_OPEN;
			w->wait_ms = (until - now_ns + 999999) / 1000000;
			return;
		}
		w->probe = true;
	}
	if (p->held > now_ns)
		w->start = p->held;
	for (u = 0; u < 2; u++) {
		long double start;

		w->bucket[u] = p->bucket[u];
		if (limit[u] == 0)
			continue;
		if (units[u] > limit[u]) {
			w->too_long = true;
			return;
		}
		start = when(&w->bucket[u], units[u], limit[u]);
		w->start = start > w->start ? start : w->start;
	}
	wait = w->start - now_ns - (long double)r->max_wait_ms * 1000000;
	w->verdict = wait > 0 ? AI_OVER_LIMIT : AI_GRANTED;
	w->late = fabsl(wait) < SLACK;
	if (wait > 0)
		w->wait_ms = -1;
}

static struct wanted want(const struct ai_reserve *r, const int who[SCOPES])
{
	struct wanted w = { .verdict = AI_OVER_BUDGET };

	if (all_have_room(who, r->worst))
		want_rate(r, who[MODEL], &w);
	return w;
}

static void take_rate(const struct ai_reserve *r, int model,
		      const struct wanted *w, int64_t start)
{
	struct place *p = &m.place[model];
	const int64_t *limit = limits_of(model);
	const int64_t units[2] = { 1, r->tokens };
	int u;

	for (u = 0; u < 2; u++) {
		struct bucket *b = &p->bucket[u];

		if (limit[u] == 0)
			continue;
		*b = w->bucket[u];
		b->tat = (b->tat > start ? b->tat : start) +
			units[u] * pace(limit[u], b->burst);
		b->last = b->last > start ? b->last : start;
		m.start[m.starts++] = (struct start){ start, units[u],
						      limit[u], model, u };
	}
	if (w->probe)
		p->probe = now_ns + MINUTE;
}

/* ---- the model: ends ----------------------------------------------------------------- */

static void end_call(struct call *c, int64_t cost, enum ai_outcome outcome,
		     int64_t hold_ms)
{
	struct place *p = &m.place[c->who[MODEL]];

	if (!c->open)
		return;
	c->open = false;
	c->cost = cost;
	if (outcome == AI_OUTCOME_SUCCESS) {
		p->failures = 0;
		p->opened = p->probe = 0;
	} else if (outcome == AI_OUTCOME_FAILURE) {
		p->probe = 0;
		if (++p->failures >= 5)
			p->opened = now_ns;
	}
	if (hold_ms > 0 && now_ns + hold_ms * 1000000 > p->held)
		p->held = now_ns + hold_ms * 1000000;
}

static void sweep_model(void)
{
	int i;

	for (i = 0; i < m.n; i++) {
		struct call *c = &m.call[i];

		if (c->open && c->owner == REBOOTED)
			end_call(c, c->worst, AI_OUTCOME_NONE, 0);
		else if (c->open && c->owner == DEAD)
			end_call(c, c->sent ? c->worst : 0, AI_OUTCOME_NONE,
				 0);
	}
}

/* ---- the real one -------------------------------------------------------------------- */

static struct ai_owner owners[OWNERS];

static int make_owners(struct ai_err *err)
{
	pid_t pid;
	int i;

	if (ai_owner_self(&owners[ALIVE], err) < 0)
		return -1;
	for (i = 1; i < OWNERS; i++)
		owners[i] = owners[ALIVE];
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	owners[DEAD].pid = pid;
	set(owners[REBOOTED].boot, sizeof(owners[0].boot), "another one");
	owners[ELSEWHERE].space++;
	owners[ELSEWHERE].pid = pid;
	return 0;
}

/* A reboot takes the rates along, which are no matter of this test: only the
 * hold is told another boot. */
static void disown(struct ai_ledger *l, enum owner owner)
{
	static sqlite3_stmt *st;
	static const char sql[] = "UPDATE hold SET pid=?, space=?, boot=?"
		" WHERE transfer=(SELECT max(seq) FROM transfer WHERE kind=1)";
	struct ai_err err;

	if (l == NULL) {
		ai_db_finish(&st);
		return;
	}
	if (ai_db_bind(&l->db, &st, sql, &err, "iit", owners[owner].pid,
		       owners[owner].space,
		       ai_span_of(owners[owner].boot)) < 0 ||
	    ai_db_run(&l->db, st, &err) < 0)
		check_err(-1, &err);
}

static void granted(struct ai_ledger *l, const struct ai_reserve *r,
		    const int who[SCOPES], const struct wanted *w,
		    const struct ai_reserved *out)
{
	struct call *c = &m.call[m.n];

	if (fabsl(out->start_ns - w->start) > SLACK)
		differ("start", out->start_ns - now_ns,
		       (int64_t)w->start - now_ns);
	if (out->start_ns < now_ns)
		differ("start, after now", out->start_ns, now_ns);
	if (out->probe != w->probe)
		differ("probe", out->probe, w->probe);
	*c = (struct call){ .at = now_ms, .worst = r->worst, .open = true };
	memcpy(c->who, who, sizeof(c->who));
	memcpy(c->id, r->id, sizeof(c->id));
	take_rate(r, who[MODEL], w, out->start_ns);
	m.n++;
	if (l != NULL && below(4) == 0) {
		c->owner = (enum owner)below(OWNERS);
		disown(l, c->owner);
	}
}

static int index_of(const char *const *list, int n, const char *text)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return i;
	return -1;
}

/* The budget that it names has no room, and its sums are the model's. */
static void refused_by(const struct ai_reserve *r, const int who[SCOPES],
		       const struct ai_reserved *out)
{
	int s = index_of(scope_name, SCOPES, out->scope),
	    p = index_of(period_name, PERIODS, out->period);
	int64_t pending = 0, posted = 0;

	if (s < 0 || p < 0 ||
	    has_room(who, (enum scope)s, (enum period)p, r->worst)) {
		complain(&broken, "the budget that refused has room");
		return;
	}
	if (p != REQUEST)
		sum((enum scope)s, who[s], (enum period)p,
		    period_of((enum period)p, now_ms), &pending, &posted);
	if (out->cap != cap_of(who, (enum scope)s, (enum period)p))
		differ("cap", out->cap, cap_of(who, (enum scope)s,
					       (enum period)p));
	if (out->pending != pending)
		differ("pending of what refused", out->pending, pending);
	if (out->posted != posted)
		differ("posted of what refused", out->posted, posted);
}

static void compare(struct ai_ledger *l, const struct ai_reserve *r,
		    const int who[SCOPES], struct wanted *w, int rc,
		    const struct ai_reserved *out, const struct ai_err *err)
{
	if (w->too_long || rc < 0) {
		if (!w->too_long || rc == 0 || err->code != AI_E_TOO_LONG)
			differ(rc < 0 ? err->msg : "too long", rc,
			       w->too_long ? -1 : 0);
		return;
	}
	if (out->verdict != w->verdict && !(w->late &&
	    (out->verdict == AI_GRANTED || out->verdict == AI_OVER_LIMIT)))
		differ("verdict", out->verdict, w->verdict);
	else if (out->verdict == AI_GRANTED)
		granted(l, r, who, w, out);
	else if (out->verdict == AI_OVER_BUDGET)
		refused_by(r, who, out);
	else if (out->verdict == AI_BREAKER_OPEN && out->wait_ms != w->wait_ms)
		differ("wait", out->wait_ms, w->wait_ms);
	else if (out->verdict == AI_OVER_LIMIT &&
		 fabsl(out->wait_ms * 1e6L - (w->start - now_ns)) > 1e6L + SLACK)
		differ("wait", out->wait_ms,
		       (int64_t)(w->start - now_ns) / 1000000);
}

static struct ai_reserve random_call(int who[SCOPES])
{
	struct ai_reserve r = { .worst = below(10) == 0 ? 0 : below(400),
				.tokens = below(8) == 0 ? below(1100)
							: below(60),
				.max_wait_ms = below(4) == 0 ? INT64_MAX
					: below(3) * 1000 };
	int s;

	for (s = 0; s < SCOPES; s++)
		who[s] = s == ALL ? 0 : (int)below(3);
	next_random();
	memcpy(r.id, &seed, sizeof(seed));
	set(r.labels.tenant, sizeof(r.labels.tenant), name[TENANT][who[1]]);
	set(r.labels.user, sizeof(r.labels.user), name[USER][who[2]]);
	set(r.labels.model, sizeof(r.labels.model), name[MODEL][who[3]]);
	set(r.labels.key, sizeof(r.labels.key), "k");
	return r;
}

static int64_t holds(struct ai_ledger *l)
{
	struct ai_err err;
	int64_t n = -1;

	check_err(ai_db_int(&l->db, "SELECT count(*) FROM hold", &n, &err),
		  &err);
	return n;
}

static int64_t open_calls(void)
{
	int64_t n = 0;
	int i;

	for (i = 0; i < m.n; i++)
		n += m.call[i].open;
	return n;
}

static void do_reserve(struct ai_ledger *l)
{
	int who[SCOPES];
	struct ai_reserve r = random_call(who);
	struct wanted w = want(&r, who);
	struct ai_reserved out;
	struct ai_err err = { .code = AI_E_NONE };
	int rc = ai_ledger_reserve(l, &r, &out, &err), n = m.n;
	int64_t before;

	/* What the dead hold is given back when somebody needs it; which of
	 * several budgets refuses, and whether it has holds, is not told. */
	if (w.verdict == AI_OVER_BUDGET &&
	    (rc < 0 || out.verdict != AI_OVER_BUDGET || out.pending > 0 ||
	     holds(l) < open_calls())) {
		sweep_model();
		w = want(&r, who);
	}
	compare(l, &r, who, &w, rc, &out, &err);
	if (m.n == n || below(4) != 0)
		return;
	/* The same again is the same call. */
	before = m.call[n].worst;
	r.worst += 5;
	if (ai_ledger_reserve(l, &r, &out, &err) < 0 ||
	    out.verdict != AI_AGAIN || m.call[n].worst != before)
		differ("verdict of the same id", out.verdict, AI_AGAIN);
}

/* Several that share one transaction. */
static void do_batch(struct ai_ledger *l)
{
	struct ledger_item item[4];
	void *items[4];
	int who[4][SCOPES], n = 2 + (int)below(3), i;
	struct ai_err err = { .code = AI_E_NONE };

	for (i = 0; i < n; i++) {
		item[i] = (struct ledger_item){
			.what = LEDGER_DO_RESERVE, .now_ms = now_ms,
			.now_ns = now_ns, .owner = l->owner };
		item[i].in.reserve = random_call(who[i]);
		items[i] = &item[i];
	}
	if (ledger_run(l, items, (size_t)n, &err) < 0) {
		check_err(-1, &err);
		return;
	}
	for (i = 0; i < n; i++) {
		struct wanted w = want(&item[i].in.reserve, who[i]);

		err.code = item[i].code;
		set(err.msg, sizeof(err.msg), item[i].why);
		compare(NULL, &item[i].in.reserve, who[i], &w,
			item[i].code == AI_E_NONE ? 0 : -1, &item[i].out, &err);
	}
}

static struct call *any_call(void)
{
	return m.n == 0 ? NULL : &m.call[below(m.n)];
}

static void do_end(struct ai_ledger *l)
{
	struct ai_post p = { .amount = below(500),
			     .outcome = below(2) == 0 ? AI_OUTCOME_FAILURE
				: (enum ai_outcome)below(3),
			     .hold_ms = below(20) == 0 ? below(4000) : 0,
			     .how = below(3) == 0 ? (enum ai_booking)below(3)
						  : AI_BOOK_AMOUNT };
	struct call *c = any_call();
	struct ai_err err;

	if (c == NULL)
		return;
	memcpy(p.id, c->id, sizeof(p.id));
	if (below(4) == 0) {
		check_err(ai_ledger_void(l, c->id, &err), &err);
		end_call(c, 0, AI_OUTCOME_NONE, 0);
		return;
	}
	check_err(ai_ledger_post(l, &p, &err), &err);
	end_call(c, p.how == AI_BOOK_WORST ? c->worst :
		 p.how == AI_BOOK_NONE ? 0 : p.amount, p.outcome, p.hold_ms);
}

static void do_sent(struct ai_ledger *l)
{
	struct call *c = any_call();
	struct ai_err err;
	int rc;

	if (c == NULL)
		return;
	rc = ai_ledger_sent(l, c->id, &err);
	if ((rc < 0) == c->open)
		differ("sent", rc, c->open ? 0 : -1);
	c->sent |= c->open;
}

static void do_budget(struct ai_ledger *l)
{
	struct ai_budget b = { .cap = below(4) == 0 ? -1 : below(2000) };
	int s = (int)below(SCOPES), p = (int)below(PERIODS),
	    who = s == ALL ? 0 : 1 + (int)below(3);
	struct ai_err err;

	set(b.scope, sizeof(b.scope), scope_name[s]);
	set(b.name, sizeof(b.name), who == EACH ? "*" : name[s][who]);
	set(b.period, sizeof(b.period), period_name[p]);
	check_err(ai_ledger_set_budget(l, &b, &err), &err);
	m.cap[s][who][p] = b.cap;
}

static void do_limit(struct ai_ledger *l)
{
	static const int64_t requests[] = { 0, 1, 3, 20, 600 },
			     tokens[] = { 0, 50, 1000, 100000 };
	int key = (int)below(2), model = (int)below(3);
	struct ai_limit q = { .requests = requests[below(COUNT(requests))],
			      .tokens = tokens[below(COUNT(tokens))] };
	struct ai_err err;

	set(q.key, sizeof(q.key), key == 0 ? "k" : "*");
	set(q.model, sizeof(q.model), model == 0 ? "*" : name[MODEL][model]);
	check_err(ai_ledger_set_limit(l, &q, &err), &err);
	m.limit[key][model][0] = q.requests;
	m.limit[key][model][1] = q.tokens;
}

static void do_sweep(struct ai_ledger *l)
{
	struct ai_err err;

	check_err(ai_ledger_sweep(l, &err), &err);
	sweep_model();
}

static void pass_time(struct ai_ledger *l)
{
	static const int64_t steps[] = { 1, 100, 1000, 31000, 61000, 1800000,
					 86400000 };
	int64_t ms = below(steps[below(COUNT(steps))]) + 1;

	(void)l;
	now_ns += ms * 1000000 + below(1000000);
	/* Somebody sets the clock. */
	now_ms += below(30) != 0 ? ms : below(2) == 0 ? -below(7200000)
		: below(3 * 365) * 86400000 - 365 * 86400000ll;
}

/* ---- after every step ------------------------------------------------------------------ */

static bool text_is(sqlite3_stmt *st, int column, const char *text)
{
	return ai_span_is(ai_db_span(st, column), text);
}

static int column_of(sqlite3_stmt *st, int column, const char *const *list,
		     int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (text_is(st, column, list[i]))
			return i;
	return -1;
}

static void check_accounts(struct ai_ledger *l)
{
	static const char sql[] = "SELECT scope, coalesce(p.name, a.name),"
		" period, start, pending, posted FROM account a LEFT JOIN"
		" person p ON a.scope='user' AND p.token=a.name";
	static sqlite3_stmt *st;
	struct ai_err err;
	int64_t pending, posted;
	int s, p, who, rc;

	if (l == NULL) {
		ai_db_finish(&st);
		return;
	}
	check_err(rc = ai_db_bind(&l->db, &st, sql, &err, ""), &err);
	while (rc >= 0 && (rc = ai_db_step(&l->db, st, &err)) > 0) {
		s = column_of(st, 0, scope_name, SCOPES);
		p = column_of(st, 2, period_name, PERIODS);
		who = s < 0 ? -1 : column_of(st, 1, name[s], s == ALL ? 1 : 3);
		if (s < 0 || p < 0 || who < 0) {
			complain(&broken, "an account of nobody");
			break;
		}
		sum((enum scope)s, who, (enum period)p,
		    sqlite3_column_int64(st, 3), &pending, &posted);
		if (sqlite3_column_int64(st, 4) != pending)
			differ("pending", sqlite3_column_int64(st, 4), pending);
		if (sqlite3_column_int64(st, 5) != posted)
			differ("posted", sqlite3_column_int64(st, 5), posted);
	}
	check_err(rc, &err);
	sqlite3_reset(st);
}

static void check_calls(struct ai_ledger *l)
{
	static const char sql[] = "SELECT t.id, t.amount, coalesce((SELECT"
		" sum(amount) FROM transfer WHERE of=t.seq), 0),"
		" h.transfer IS NOT NULL, coalesce(h.sent, 0) FROM transfer t"
		" LEFT JOIN hold h ON h.transfer=t.seq WHERE t.kind=1"
		" ORDER BY t.seq";
	static sqlite3_stmt *st;
	struct ai_err err;
	int i, rc;

	if (l == NULL) {
		ai_db_finish(&st);
		return;
	}
	check_err(rc = ai_db_bind(&l->db, &st, sql, &err, ""), &err);
	for (i = 0; rc >= 0 && (rc = ai_db_step(&l->db, st, &err)) > 0; i++) {
		const struct call *c = &m.call[i];
		struct ai_span id = ai_db_span(st, 0);

		if (i >= m.n || memcmp(id.p, c->id, AI_LEDGER_ID) != 0 ||
		    sqlite3_column_int64(st, 1) != c->worst ||
		    sqlite3_column_int64(st, 2) != (c->open ? 0 : c->cost) ||
		    sqlite3_column_int(st, 3) != c->open ||
		    (c->open && sqlite3_column_int(st, 4) != c->sent))
			differ("call", i, m.n);
	}
	check_err(rc, &err);
	sqlite3_reset(st);
	if (i != m.n)
		differ("calls", i, m.n);
}

/* ---- one history -------------------------------------------------------------------------- */

static const char empty[] =
	"DELETE FROM entry; DELETE FROM hold; DELETE FROM account;"
	"DELETE FROM transfer; DELETE FROM label; DELETE FROM budget;"
	"DELETE FROM breaker; DELETE FROM bucket; DELETE FROM rate;"
	"DELETE FROM person; UPDATE state SET seq=0, head=zeroblob(32)";

static long history(struct ai_ledger *l, bool whole)
{
	static void (*const todo[])(struct ai_ledger *) = {
		do_reserve, do_reserve, do_reserve, do_reserve, do_end,
		do_end, do_end, do_sent, do_budget, do_limit, do_sweep,
		do_batch, pass_time, pass_time, pass_time,
	};
	struct ai_err err;
	int64_t i, steps = (STEPS + below(STEPS)) * (below(8) == 0 ? 4 : 1),
		limits = below(3);

	m.n = m.starts = 0;
	tie = false;
	memset(m.place, 0, sizeof(m.place));
	memset(m.limit, 0, sizeof(m.limit));
	memset(m.cap, 0xFF, sizeof(m.cap));
	check_err(ai_db_exec(&l->db, empty, &err), &err);
	now_ms = 1795000000000 + below(1000000000);
	now_ns = 1000 * SECOND;
	for (i = 0; i < 3; i++)
		do_budget(l);
	for (i = 0; i < limits; i++)
		do_limit(l);
	for (i = 0; m.n < CALLS - 5 && i < steps && broken == 0 && !tie; i++) {
		todo[below(COUNT(todo))](l);
		check_accounts(l);
	}
	count_minutes();
	check_calls(l);
	if (whole && ai_ledger_check(l, complain, &broken, &err) < 0)
		check_err(-1, &err);
	return i;
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* The ledger that was just made, in memory from here on. */
static int move_to_memory(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_backup *b = NULL;
	sqlite3 *to = NULL;
	int i;

	for (i = 0; i < SQL_COUNT; i++)
		ai_db_finish(&l->st[i]);
	if (ai_db_exec(&l->db, "PRAGMA journal_mode=DELETE", err) < 0)
		return -1;
	if (sqlite3_open(":memory:", &to) == SQLITE_OK)
		b = sqlite3_backup_init(to, "main", l->db.h, "main");
	if (b == NULL || sqlite3_backup_step(b, -1) != SQLITE_DONE ||
	    sqlite3_backup_finish(b) != SQLITE_OK)
		return ai_err_set(err, AI_E_OS, "no copy in memory");
	ai_db_close(&l->db);
	l->db.h = to;
	/* One process needs no queue, and to be emptied no triggers. */
	l->queue.mine = -1;
	l->wall_ms = wall;
	l->boot_ns = boot;
	l->no_sync = true;
	return ai_db_exec(&l->db, "DROP TRIGGER no_update;"
			  "DROP TRIGGER no_delete", err);
}

static int64_t histories_wanted(void)
{
	char *n = getenv("AI_TEST_HISTORIES");

	return number(n != NULL, &n, 0,
		      getenv("AI_SANITIZED") != NULL ? 1500 : 100000);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/ai-ledger-model-XXXXXX", path[60];
	int64_t first = number(argc, argv, 1, 1),
		wanted = number(argc, argv, 2, histories_wanted());
	struct timespec from, to;
	struct ai_ledger *l;
	struct ai_err err;
	long steps = 0, histories = 0, ties = 0;
	double seconds;

	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/l.db", folder);
	if (make_owners(&err) < 0 || ai_ledger_open(&l, path, &err) < 0 ||
	    move_to_memory(l, &err) < 0) {
		printf("# %s\n", err.msg);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (; histories < wanted && broken == 0; histories++) {
		seed = (uint64_t)(first + histories);
		steps += history(l, histories % 16 == 0 || wanted == 1);
		ties += tie;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	seconds = (double)(to.tv_sec - from.tv_sec) +
		(double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("# %.0f histories a second, %ld given up at a tie\n",
	       (double)histories / seconds, ties);
	ok(broken == 0, "%ld steps in %ld histories from seed %lld agree with "
	   "the model", steps, histories, (long long)first);
	if (broken > 0)
		printf("# again: ledger-model %lld 1\n",
		       (long long)(first + histories - 1));
	disown(NULL, ALIVE);
	check_accounts(NULL);
	check_calls(NULL);
	ai_ledger_close(l);
	remove_folder(folder);
	return done();
}
