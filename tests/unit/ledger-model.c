/*
 * Random histories of the ledger, compared step by step with a model.
 *
 *	ledger-model [SEED [HISTORIES]]
 *
 * The model is in model.c.
 * AI_TEST_HISTORIES is their number if it is not given; the seed is printed,
 * and a history that differs is run again by its own seed and 1.
 *
 * The ledger is the real one, but for its file: SQLite keeps it in memory,
 * and one handle serves all histories.
 */
#include "help.h"
#include "model.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS 10 /* at least; at times four times as many */
#define RUSH 300 /* calls */
#define LEEWAY 5 /* that one step may make */

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

static void check_err(int rc, const struct ai_err *err)
{
	if (rc < 0)
		complain(&broken, err->msg);
}

static const char *const scope_name[] = { "all", "tenant", "user", "model" };
static const char *const period_name[] = { "request", "hour", "day", "month",
					   "total" };
/* Index 0 is nobody; "all" has only that one. */
static const char *const name[SCOPES][3] = {
	{ "" }, { "", "a", "b" }, { "", "alice", "*not" }, { "", "m", "n" },
};

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

	if (!tie && fabsl(out->start_ns - w->start) > SLACK)
		differ("start", out->start_ns - now_ns,
		       (int64_t)w->start - now_ns);
	if (out->start_ns < now_ns)
		differ("start, after now", out->start_ns, now_ns);
	if (out->probe != w->probe)
		differ("probe", out->probe, w->probe);
	if (out->sent != (r->at_once && out->start_ns <= now_ns))
		differ("sent at once", out->sent, !out->sent);
	*c = (struct call){ .at = now_ms, .worst = r->worst, .open = true,
			    .sent = out->sent };
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
	/* Behind a tie, in a batch, times are no longer the model's. */
	if (out->verdict != w->verdict && !((w->late || tie) &&
	    (out->verdict == AI_GRANTED || out->verdict == AI_OVER_LIMIT)))
		differ("verdict", out->verdict, w->verdict);
	else if (out->verdict == AI_GRANTED)
		granted(l, r, who, w, out);
	else if (out->verdict == AI_OVER_BUDGET)
		refused_by(r, who, out);
	else if (out->verdict == AI_BREAKER_OPEN && out->wait_ms != w->wait_ms)
		differ("wait", out->wait_ms, w->wait_ms);
	else if (out->verdict == AI_OVER_LIMIT && !tie &&
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
					: below(3) * 1000,
				.left_ms = below(3) == 0 ? below(900000) : 0,
				.at_once = below(3) == 0 };
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

/* The room that is told: what was granted has left no budget below zero, and
 * what a budget refused does not fit into it. */
static void check_room(struct ai_ledger *l, const struct ai_reserve *r,
		       enum ai_verdict verdict)
{
	struct ai_room room;
	struct ai_err err;

	check_err(ai_ledger_room(l, &r->labels, &room, &err), &err);
	if (verdict == AI_GRANTED &&
	    (room.left < 0 || r->worst > room.request))
		differ("room of what was granted", room.left, 0);
	if (verdict == AI_OVER_BUDGET && r->worst <= room.request &&
	    r->worst <= room.left)
		differ("room of what was refused", room.left, r->worst);
}

static bool reserve(struct ai_ledger *l, const struct ai_reserve *r,
		    const int who[SCOPES])
{
	struct wanted w = want(r, who);
	struct ai_reserved out;
	struct ai_err err = { .code = AI_E_NONE };
	int rc = ai_ledger_reserve(l, r, &out, &err), n = m.n;

	/* What the dead hold is given back when somebody needs it; which of
	 * several budgets refuses, and whether it has holds, is not told. */
	if (w.verdict == AI_OVER_BUDGET &&
	    (rc < 0 || out.verdict != AI_OVER_BUDGET || out.pending > 0 ||
	     holds(l) < open_calls())) {
		sweep_model();
		w = want(r, who);
	}
	compare(l, r, who, &w, rc, &out, &err);
	if (rc == 0)
		check_room(l, r, out.verdict);
	return m.n > n;
}

static void do_reserve(struct ai_ledger *l)
{
	int who[SCOPES], n = m.n;
	struct ai_reserve r = random_call(who);
	struct ai_reserved out;
	struct ai_err err;
	int64_t before;

	if (!reserve(l, &r, who) || below(4) != 0)
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

static const enum ledger_kind kinds[] = {
	[AI_BOOK_AMOUNT] = LEDGER_POST, [AI_BOOK_WORST] = LEDGER_EXPIRE,
	[AI_BOOK_NONE] = LEDGER_VOID,
};

/* Times just at a bound and just above it, too. */
static int64_t random_us(void)
{
	return below(2) == 0 ? below(200000000)
		: ((int64_t)10000 << below(15)) + below(3) - 1;
}

static struct ai_facts random_facts(void)
{
	struct ai_facts f = { .ended = below(AI_ENDED_COUNT) };

	if (below(3) == 0)
		return (struct ai_facts){ .ended = 0 };
	f.attempt = below(4);
	f.input = below(100000);
	f.cached = below(f.input + 1);
	f.written = below(100);
	f.output = below(5000);
	f.reasoning = below(f.output + 1);
	f.time_us = below(4) == 0 ? 0 : random_us();
	f.first_us = below(2) == 0 ? 0 : random_us();
	return f;
}

static void do_hits(struct ai_ledger *l)
{
	struct kept *k = &m.hit[m.hits];
	struct ai_hit hit[2];
	struct ai_ledger_op op[2], *list[2] = { &op[0], &op[1] };
	struct ai_err err;
	int i, n = 1 + (int)below(2);

	for (i = 0; i < n && m.hits < CALLS; i++, k++, m.hits++) {
		struct ai_reserve r = random_call(k->who);

		*k = (struct kept){ .at = now_ms, .n = 1 + below(5),
				    .saved = below(1000),
				    .who = { 0, k->who[1], k->who[2],
					     k->who[3] } };
		hit[i] = (struct ai_hit){ r.labels, k->n, k->saved };
		op[i] = (struct ai_ledger_op){ .what = AI_LEDGER_HIT,
					       .in.hit = &hit[i] };
	}
	check_err(ai_ledger_many(l, list, (size_t)i, &err), &err);
}

static void do_end(struct ai_ledger *l)
{
	struct ai_post p = { .amount = below(500),
			     .outcome = below(2) == 0 ? AI_OUTCOME_FAILURE
				: (enum ai_outcome)below(4),
			     .hold_ms = below(20) == 0 ? below(4000) : 0,
			     .how = below(3) == 0 ? (enum ai_booking)below(3)
						  : AI_BOOK_AMOUNT,
			     .facts = random_facts() };
	struct call *c = any_call();
	struct ai_err err;

	if (c == NULL)
		return;
	memcpy(p.id, c->id, sizeof(p.id));
	if (below(4) == 0) {
		check_err(ai_ledger_void(l, c->id, &err), &err);
		end_call(c, LEDGER_VOID, 0, AI_OUTCOME_NONE, 0);
		return;
	}
	check_err(ai_ledger_post(l, &p, &err), &err);
	if (c->open)
		c->facts = p.facts;
	end_call(c, kinds[p.how], p.how == AI_BOOK_WORST ? c->worst :
		 p.how == AI_BOOK_NONE ? 0 : p.amount, p.outcome, p.hold_ms);
}

static void do_sent(struct ai_ledger *l)
{
	struct call *c = any_call();
	struct ai_err err;
	int rc, wanted;

	if (c == NULL)
		return;
	wanted = !c->open ? -1 : !c->sent && !may_go(c);
	rc = ai_ledger_sent(l, c->id, &err);
	if (rc != wanted)
		differ("sent", rc, wanted);
	c->sent |= wanted == 0;
}

/* By hand; again it changes nothing, not even a row. */
static void do_settle(struct ai_ledger *l)
{
	struct call *c = any_call();
	enum ai_booking how = (enum ai_booking)below(3);
	int64_t amount = below(500), is, was, rows, again;
	bool force = below(2) == 0, open;
	struct ai_settled out = { .was = -1 };
	struct ai_err err = { .code = AI_E_NONE };
	int rc;

	if (c == NULL)
		return;
	open = c->open;
	was = open ? c->worst : c->cost;
	is = how == AI_BOOK_AMOUNT ? amount :
		how == AI_BOOK_WORST ? c->worst : 0;
	rc = ai_ledger_settle(l, c->id, how, amount, force, &out, &err);
	if (!settle_call(c, kinds[how], is, force)) {
		if (rc == 0 || err.code != AI_E_TRY_LATER)
			differ("settling what lives", rc, -1);
		return;
	}
	check_err(rc, &err);
	if (out.was != was || out.is != is || out.open != open)
		differ("settled", out.was, was);
	rows = l->seq + l->event_seq;
	check_err(ai_ledger_settle(l, c->id, how, amount, force, &out, &err),
		  &err);
	again = l->seq + l->event_seq;
	if (again != rows || out.was != is || out.is != is || out.open)
		differ("settled again", again, rows);
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

/* No event if there is nothing to reset. */
static void do_reset(struct ai_ledger *l)
{
	int model = (int)below(3), i, there = 0;
	int64_t events = l->event_seq;
	struct ai_err err;

	for (i = 0; i < 3; i++) {
		if (model != 0 && i != model)
			continue;
		there += m.place[i].failures > 0 || m.place[i].held > 0;
		reset_model(i);
	}
	check_err(ai_ledger_reset_breaker(l, model == 0 ? "*"
					  : name[MODEL][model], &err), &err);
	if (l->event_seq - events != (there > 0))
		differ("events", l->event_seq - events, there > 0);
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
	"DELETE FROM rollup; DELETE FROM total; DELETE FROM hit;"
	"DELETE FROM person; DELETE FROM event; UPDATE state SET seq=0, rolled=0,"
	" head=zeroblob(32), event_seq=0, event_head=zeroblob(32);"
	"INSERT INTO budget VALUES('all', '', 'request', 500000000),"
	" ('all', '', 'day', 100000000000)";

/* What a new ledger has. */
static void remove_budgets(struct ai_ledger *l)
{
	struct ai_budget b = { .scope = "all", .period = "request", .cap = -1 };
	struct ai_err err;

	check_err(ai_ledger_set_budget(l, &b, &err), &err);
	set(b.period, sizeof(b.period), "day");
	check_err(ai_ledger_set_budget(l, &b, &err), &err);
}

/* Many calls that wait, small ones and some that leave no room beside them:
 * what the minutes are counted for. */
static long rush(struct ai_ledger *l)
{
	static const int64_t requests[] = { 0, 0, 20, 600 };
	struct ai_limit q = { "k", "m", requests[below(4)], 1000 };
	int64_t usual = 10 + below(300), large = below(8);
	struct ai_err err;
	int i;

	check_err(ai_ledger_set_limit(l, &q, &err), &err);
	m.limit[0][1][0] = q.requests;
	m.limit[0][1][1] = q.tokens;
	for (i = 0; i < RUSH && broken == 0 && !tie; i++) {
		int who[SCOPES];
		struct ai_reserve r = random_call(who);

		who[TENANT] = who[USER] = 0;
		who[MODEL] = 1;
		r.labels.tenant[0] = r.labels.user[0] = '\0';
		set(r.labels.model, sizeof(r.labels.model), "m");
		r.max_wait_ms = INT64_MAX;
		r.tokens = below(10) < large ? 1 + below(1000) : below(usual);
		reserve(l, &r, who);
		now_ns += below(20) == 0 ? below(200 * SECOND)
			: below(SECOND / 30);
	}
	return i;
}

static long steps_of(struct ai_ledger *l)
{
	static void (*const todo[])(struct ai_ledger *) = {
		do_reserve, do_reserve, do_reserve, do_reserve, do_end,
		do_end, do_end, do_sent, do_budget, do_limit, do_sweep,
		do_batch, do_settle, do_reset, do_hits, pass_time, pass_time, pass_time,
	};
	int64_t i, steps = (STEPS + below(STEPS)) * (below(8) == 0 ? 4 : 1),
		limits = below(3);

	for (i = 0; i < 3; i++)
		do_budget(l);
	for (i = 0; i < limits; i++)
		do_limit(l);
	for (i = 0; m.n < CALLS - LEEWAY && i < steps && broken == 0 && !tie;
	     i++) {
		todo[below(COUNT(todo))](l);
		check_accounts(l);
	}
	return i;
}

static long history(struct ai_ledger *l, bool whole)
{
	struct ai_err err;
	long i;

	m.n = m.starts = m.hits = 0;
	tie = false;
	memset(m.place, 0, sizeof(m.place));
	memset(m.limit, 0, sizeof(m.limit));
	memset(m.cap, 0xFF, sizeof(m.cap));
	check_err(ai_db_exec(&l->db, empty, &err), &err);
	now_ms = 1795000000000 + below(1000000000);
	now_ns = 1000 * SECOND;
	remove_budgets(l);
	i = below(64) == 0 ? rush(l) : steps_of(l);
	count_minutes();
	check_calls(l);
	check_rollups(l);
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
	/* One process needs no queue. */
	l->queue.mine = -1;
	l->wall_ms = wall;
	l->boot_ns = boot;
	l->no_sync = true;
	/* To be emptied, it must do without its triggers. */
	return sqlite3_db_config(to, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) ==
		SQLITE_OK ? 0 : ai_err_set(err, AI_E_OS, "it has triggers");
}

static int64_t histories_wanted(void)
{
	char *n = getenv("AI_TEST_HISTORIES");

	return number(n != NULL, &n, 0,
		      getenv("AI_SANITIZED") != NULL ? 1500 : 100000);
}

/* What one process found. */
struct found {
	long steps, histories, ties;
	int64_t broken; /* the seed of a history that differs, or -1 */
};

/* Every `each`-th history from the first seed on. */
static struct found run(int64_t first, int64_t each, int64_t wanted)
{
	char folder[] = "/tmp/ai-ledger-model-XXXXXX", path[60];
	struct found f = { .broken = -1 };
	struct ai_ledger *l;
	struct ai_err err;

	if (mkdtemp(folder) == NULL)
		exit(1);
	snprintf(path, sizeof(path), "%s/l.db", folder);
	if (make_owners(&err) < 0 || ai_ledger_open(&l, path, &err) < 0 ||
	    move_to_memory(l, &err) < 0) {
		printf("# %s\n", err.msg);
		exit(1);
	}
	for (; f.histories < wanted && broken == 0; f.histories++) {
		seed = (uint64_t)(first + each * f.histories);
		f.steps += history(l, f.histories % 16 == 0 || wanted == 1);
		f.ties += tie;
	}
	if (broken > 0)
		f.broken = first + each * (f.histories - 1);
	disown(NULL, ALIVE);
	check_accounts(NULL);
	check_calls(NULL);
	ai_ledger_close(l);
	remove_folder(folder);
	return f;
}

#define PROCESSES 2

/* The histories are shared out; sums up what was found. */
static struct found run_all(int64_t first, int64_t wanted)
{
	struct found all = { .broken = -1 }, f;
	int64_t mine;
	int i, to[2];

	if (pipe(to) < 0)
		exit(1);
	fflush(stdout);
	for (i = 0; i < PROCESSES; i++) {
		mine = (wanted + PROCESSES - 1 - i) / PROCESSES;
		if (fork() != 0)
			continue;
		f = run(first + i, PROCESSES, mine);
		fflush(stdout);
		exit(write(to[1], &f, sizeof(f)) != sizeof(f));
	}
	close(to[1]);
	while (read(to[0], &f, sizeof(f)) == sizeof(f)) {
		all.steps += f.steps;
		all.histories += f.histories;
		all.ties += f.ties;
		all.broken = f.broken >= 0 ? f.broken : all.broken;
	}
	while (wait(&i) > 0)
		if (i != 0)
			all.histories = -1;
	close(to[0]);
	return all;
}

int main(int argc, char **argv)
{
	int64_t first = number(argc, argv, 1, 1),
		wanted = number(argc, argv, 2, histories_wanted());
	struct timespec from, to;
	struct found f;

	setenv("TZ", "UTC", 1);
	clock_gettime(CLOCK_MONOTONIC, &from);
	f = run_all(first, wanted);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("# %.0f histories a second, %ld given up at a tie\n",
	       (double)f.histories / ((double)(to.tv_sec - from.tv_sec) +
				      (double)(to.tv_nsec - from.tv_nsec) /
				      1e9), f.ties);
	ok(f.broken < 0 && f.histories == wanted, "%ld steps in %ld histories "
	   "from seed %lld agree with the model", f.steps, f.histories,
	   (long long)first);
	if (f.broken >= 0)
		printf("# again: ledger-model %lld 1\n", (long long)f.broken);
	return done();
}
