/* The ledger, one thing at a time; ledger-model compares whole histories. */
#include "base/money.h"
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-ledger-test-XXXXXX";
static char path[100];
static int64_t now_ms = 1795000000000, now_ns = 1000000000000;

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

static void pass(int64_t ms)
{
	now_ms += ms;
	now_ns += ms * 1000000;
}

static struct ai_ledger *open_new(void)
{
	static int n;
	struct ai_ledger *l;
	struct ai_err err;

	snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, n++);
	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("# %s\n", err.msg);
		exit(1);
	}
	l->wall_ms = wall;
	l->boot_ns = boot;
	return l;
}

static struct ai_reserve want(int64_t worst)
{
	struct ai_reserve r = { .worst = worst, .labels = {
		.tool = "ai-complete", .provider = "openai", .model = "m",
		.key = "k" } };

	ai_ledger_id(r.id);
	return r;
}

static enum ai_verdict verdict(struct ai_ledger *l, const struct ai_reserve *r,
			       struct ai_reserved *out)
{
	struct ai_reserved mine;
	struct ai_err err;

	if (out == NULL)
		out = &mine;
	if (ai_ledger_reserve(l, r, out, &err) == 0)
		return out->verdict;
	printf("# %s\n", err.msg);
	return (enum ai_verdict)-1;
}

static int faults(struct ai_ledger *l)
{
	struct ai_err err;
	int n = 0;

	if (ai_ledger_check(l, complain, &n, &err) < 0) {
		printf("# %s\n", err.msg);
		return -1;
	}
	return n;
}

static int post(struct ai_ledger *l, const unsigned char *id, int64_t amount,
		enum ai_outcome outcome, int64_t hold_ms)
{
	struct ai_post p = { .amount = amount, .outcome = outcome,
			     .hold_ms = hold_ms, .usage = "{\"input\":3}" };
	struct ai_err err;

	memcpy(p.id, id, AI_LEDGER_ID);
	if (ai_ledger_post(l, &p, &err) == 0)
		return 0;
	printf("# %s\n", err.msg);
	return -1;
}

static void test_way(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = want(400000000), big = want(500000001);
	struct ai_reserved out;
	struct ai_err err;
	struct stat st;

	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "mode 0600");
	ok(verdict(l, &r, NULL) == AI_GRANTED, "granted");
	ok(verdict(l, &r, NULL) == AI_AGAIN, "the same id is the same call");
	ok(ai_ledger_sent(l, r.id, &err) == 0 &&
	   ai_ledger_sent(l, r.id, &err) == 0, "sent, twice");
	ok(post(l, r.id, 123, AI_OUTCOME_SUCCESS, 0) == 0 &&
	   post(l, r.id, 999, AI_OUTCOME_SUCCESS, 0) == 0, "posted, twice");
	ok(ai_ledger_sent(l, r.id, &err) < 0, "what ended is not sent");
	ok(verdict(l, &big, &out) == AI_OVER_BUDGET && out.cap == 500000000 &&
	   strcmp(out.period, "request") == 0, "$0.50 a request");
	ok(ai_ledger_void(l, want(1).id, &err) < 0 && err.code == AI_E_BUG,
	   "what was never reserved");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

static void test_budgets(void)
{
	struct ai_ledger *l = open_new();
	struct ai_budget day = { "all", "", "day", 1000 },
			 each = { "tenant", "*", "total", 300 },
			 own = { "tenant", "b", "total", 500 };
	struct ai_reserve a = want(300), b = want(300), c = want(300),
			  d = want(300), e;
	struct ai_reserved out;
	struct ai_err err;

	ok(ai_ledger_set_budget(l, &day, &err) == 0, "a budget");
	set(a.labels.tenant, sizeof(a.labels.tenant), "a");
	set(b.labels.tenant, sizeof(b.labels.tenant), "b");
	ok(verdict(l, &a, NULL) == AI_GRANTED && verdict(l, &b, NULL) ==
	   AI_GRANTED && verdict(l, &c, NULL) == AI_GRANTED, "900 of 1000");
	ok(verdict(l, &d, &out) == AI_OVER_BUDGET && out.pending == 900 &&
	   out.resets_ms > now_ms && out.resets_ms <= now_ms + 86400000,
	   "and no more, today");
	ok(post(l, c.id, 5000, AI_OUTCOME_NONE, 0) == 0, "a bill above it");
	ok(verdict(l, &d, &out) == AI_OVER_BUDGET && out.posted == 5000 &&
	   out.pending == 600, "is recorded all the same");
	pass(86400000);
	ok(verdict(l, &d, NULL) == AI_GRANTED, "another day");
	ok(ai_ledger_set_budget(l, &each, &err) == 0 &&
	   ai_ledger_set_budget(l, &own, &err) == 0, "budgets of tenants");
	e = want(1);
	set(e.labels.tenant, sizeof(e.labels.tenant), "a");
	ok(verdict(l, &e, &out) == AI_OVER_BUDGET && out.pending == 300 &&
	   strcmp(out.scope, "tenant") == 0 && strcmp(out.name, "a") == 0,
	   "what was spent before counts");
	set(e.labels.tenant, sizeof(e.labels.tenant), "b");
	e.worst = 200;
	ok(verdict(l, &e, NULL) == AI_GRANTED, "its own instead of each");
	day.cap = -1;
	ok(ai_ledger_set_budget(l, &day, &err) == 0, "removed");
	set(day.period, sizeof(day.period), "week");
	ok(ai_ledger_set_budget(l, &day, &err) < 0 && err.code == AI_E_USAGE,
	   "no such period");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

static struct ai_room room_of(struct ai_ledger *l, const char *user)
{
	struct ai_labels labels = { .tool = "t" };
	struct ai_room room = { -1, -1 };
	struct ai_err err;

	set(labels.user, sizeof(labels.user), user);
	if (ai_ledger_room(l, &labels, &room, &err) < 0)
		printf("# %s\n", err.msg);
	return room;
}

static void test_room(void)
{
	struct ai_ledger *l = open_new();
	struct ai_budget each = { "user", "*", "month", 1000 },
			 ada = { "user", "ada", "request", 30 };
	struct ai_reserve r = want(100);
	struct ai_err err;

	ok(room_of(NULL, "").left == 100 * AI_NANO_DOLLAR &&
	   room_of(NULL, "").request == AI_NANO_DOLLAR / 2 &&
	   room_of(l, "").left == 100 * AI_NANO_DOLLAR,
	   "the room of a new ledger");
	set(r.labels.user, sizeof(r.labels.user), "bob");
	ok(verdict(l, &r, NULL) == AI_GRANTED &&
	   ai_ledger_set_budget(l, &each, &err) == 0 &&
	   ai_ledger_set_budget(l, &ada, &err) == 0 &&
	   room_of(l, "bob").left == 900 && room_of(l, "eve").left == 1000 &&
	   room_of(l, "ada").request == 30 &&
	   room_of(l, "").left == 100 * AI_NANO_DOLLAR - 100,
	   "of each user: what is held counts before there is an account");
	ok(post(l, r.id, 5000, AI_OUTCOME_NONE, 0) == 0 &&
	   room_of(l, "bob").left == -4000, "more is spent than there was");
	ai_ledger_close(l);
}

static void test_users(void)
{
	struct ai_ledger *l = open_new();
	struct ai_budget alice = { "user", "alice", "total", 10 };
	struct ai_reserve r = want(11);
	struct ai_reserved out;
	struct ai_err err;
	int64_t n;

	set(r.labels.user, sizeof(r.labels.user), "alice");
	ok(ai_ledger_set_budget(l, &alice, &err) == 0 &&
	   verdict(l, &r, &out) == AI_OVER_BUDGET, "a user's budget");
	r.worst = 10;
	ok(verdict(l, &r, NULL) == AI_GRANTED, "holds");
	ok(ai_db_int(&l->db, "SELECT (SELECT count(*) FROM label WHERE"
		     " user='alice') + (SELECT count(*) FROM account WHERE"
		     " name='alice') + (SELECT count(*) FROM budget WHERE"
		     " name='alice')", &n, &err) == 0 && n == 0,
	   "the name stands in one table alone");
	ai_ledger_close(l);
}

static void test_rate(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "*", 60, 0 };
	struct ai_reserved out;
	struct ai_reserve r;
	struct ai_err err;
	int64_t start[100], worst = 0;
	int i, j, n;

	ok(ai_ledger_set_limit(l, &limit, &err) == 0, "60 a minute");
	for (i = 0; i < 100; i++) {
		r = want(0);
		r.max_wait_ms = 1000000;
		start[i] = verdict(l, &r, &out) == AI_GRANTED ? out.start_ns
							      : 0;
		pass(i % 7 == 0 ? 2000 : 0);
	}
	for (i = 0; i < 100; i++) {
		for (n = 0, j = i; j < 100; j++)
			n += start[j] >= start[i] &&
				start[j] < start[i] + 60000000000;
		worst = n > worst ? n : worst;
	}
	ok(start[99] > start[0] && worst <= 60 && worst >= 58,
	   "no minute has more: %d", (int)worst);
	r = want(0);
	ok(verdict(l, &r, &out) == AI_OVER_LIMIT && out.wait_ms > 0,
	   "not waiting is refused, with the time");
	limit = (struct ai_limit){ "k", "m", 0, 1000 };
	ok(ai_ledger_set_limit(l, &limit, &err) == 0, "1000 tokens a minute");
	pass(600000);
	r.tokens = 900;
	ok(verdict(l, &r, NULL) == AI_GRANTED, "900 of them at once");
	r = want(0);
	r.tokens = 200;
	ok(verdict(l, &r, &out) == AI_OVER_LIMIT, "then 200 wait");
	r.tokens = 1001;
	ok(ai_ledger_reserve(l, &r, &out, &err) < 0 &&
	   err.code == AI_E_TOO_LONG, "1001 never go");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

/* ---- no minute has more -------------------------------------------------------- */

#define RUNS 100
#define RUN_CALLS 300

/* Starts the calls of a run, which mixes small ones with large; some time
 * passes now and then. */
static int start_calls(struct ai_ledger *l, const char *key, int64_t *at,
		       int64_t *tokens)
{
	int64_t small = 10 + below(300), large = below(8);
	struct ai_reserved out;
	int n = 0, i;

	for (i = 0; i < RUN_CALLS; i++) {
		struct ai_reserve r = want(0);

		set(r.labels.key, sizeof(r.labels.key), key);
		r.max_wait_ms = INT64_MAX;
		r.tokens = below(10) < large ? 1 + below(1000) : below(small);
		if (verdict(l, &r, &out) != AI_GRANTED)
			return -1;
		at[n] = out.start_ns;
		tokens[n++] = r.tokens;
		now_ns += below(20) == 0 ? below(200) * 1000000000
			: below(30000000);
	}
	return n;
}

/* The fullest minute; -1: they do not start in the order of asking. */
static int64_t fullest(const int64_t *at, const int64_t *units, int n)
{
	int64_t sum = 0, most = 0;
	int i, from = 0;

	for (i = 0; i < n; i++) {
		if (i > 0 && at[i] < at[i - 1])
			return -1;
		sum += units[i];
		for (; at[from] <= at[i] - 60000000000; from++)
			sum -= units[from];
		most = sum > most ? sum : most;
	}
	return most;
}

/* What a dry run says is how long it takes: calls of much the same size. */
static void test_foretold(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "*", 0, 0 };
	struct ai_reserved out = { .start_ns = 0 };
	int64_t units, largest, told, took;
	int i, run, bad = 0;
	struct ai_err err;

	for (run = 0; run < 20; run++) {
		limit.requests = run % 2 == 0 ? 1 + below(900) : 0;
		limit.tokens = run % 2 == 0 ? 0 : 2000 + below(90000);
		ai_ledger_set_limit(l, &limit, &err);
		now_ns += 1000 * 1000000000LL; /* nothing is left of the last */
		units = largest = 0;
		for (i = 0; i < 300; i++) {
			struct ai_reserve r = want(0);

			r.max_wait_ms = INT64_MAX;
			/* The largest first, so that the burst is known. */
			r.tokens = i == 0 ? 150 : 1 + below(150);
			units += run % 2 == 0 ? 1 : r.tokens;
			largest = run % 2 == 0 ? 1 : 150;
			if (verdict(l, &r, &out) != AI_GRANTED)
				bad++;
		}
		told = ai_limit_wait(limit.requests + limit.tokens, units,
				     largest);
		took = (out.start_ns - now_ns) / 1000000;
		if (told < took - 61 || told > took + took / 50 + 61)
			printf("# told %lld ms, took %lld\n", (long long)told,
			       (long long)took), bad++;
		now_ns = out.start_ns;
	}
	ok(bad == 0, "the wait that is foretold is the one there is");
	ok(ai_limit_wait(0, 1000000, 1) == 0 &&
	   ai_limit_wait(1, INT64_MAX, INT64_MAX) == 0 &&
	   ai_limit_wait(1, INT64_MAX, 1) == INT64_MAX, "at its ends");
	ai_ledger_close(l);
}

static void test_minutes(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "m", 0, 1000 };
	int64_t at[RUN_CALLS], tokens[RUN_CALLS], one[RUN_CALLS], most = 0,
		requests = 0;
	struct ai_err err;
	int i, n, wrong = 0;

	l->no_sync = true;
	for (i = 0; i < RUN_CALLS; i++)
		one[i] = 1;
	for (i = 0; i < RUNS; i++) {
		char key[20];
		int64_t m;

		seed = (uint64_t)i;
		limit.requests = i % 2 == 0 ? 0 : 20;
		ai_ledger_set_limit(l, &limit, &err);
		snprintf(key, sizeof(key), "run%d", i);
		n = start_calls(l, key, at, tokens);
		m = fullest(at, tokens, n);
		wrong += n != RUN_CALLS || m < 0 || m > 1000;
		most = m > most ? m : most;
		m = limit.requests == 0 ? 0 : fullest(at, one, n);
		wrong += m > 20;
		requests = m > requests ? m : requests;
	}
	ok(wrong == 0 && most > 900 && requests > 15, "%d calls at random: no "
	   "minute has more than %d tokens of 1000, %d requests of 20",
	   RUNS * RUN_CALLS, (int)most, (int)requests);
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

/* ---- breakers ------------------------------------------------------------------- */

static void test_breaker(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserved out;
	struct ai_reserve r;
	int i;

	for (i = 0; i < 5; i++) {
		r = want(1);
		ok(verdict(l, &r, NULL) == AI_GRANTED &&
		   post(l, r.id, 0, AI_OUTCOME_FAILURE, 0) == 0, "failure %d",
		   i + 1);
	}
	r = want(1);
	ok(verdict(l, &r, &out) == AI_BREAKER_OPEN && out.wait_ms == 30000,
	   "open for 30 s");
	pass(30000);
	ok(verdict(l, &r, &out) == AI_GRANTED && out.probe, "one probe");
	ok(verdict(l, &(struct ai_reserve){ .worst = 1, .id = "other",
		   .labels = r.labels }, &out) == AI_BREAKER_OPEN,
	   "and no other");
	pass(599000);
	ok(verdict(l, &(struct ai_reserve){ .worst = 1, .id = "other",
		   .labels = r.labels }, &out) == AI_BREAKER_OPEN &&
	   out.wait_ms == 1000, "as long as it may run");
	pass(1000);
	r = want(1);
	ok(verdict(l, &r, &out) == AI_GRANTED && out.probe,
	   "one that hangs is not waited for for ever");
	ok(post(l, r.id, 1, AI_OUTCOME_SUCCESS, 5000) == 0, "success");
	r = want(1);
	r.max_wait_ms = 10000;
	ok(verdict(l, &r, &out) == AI_GRANTED && !out.probe &&
	   out.start_ns == now_ns + 5000000000, "closed; Retry-After holds");
	ai_ledger_close(l);
}

/* Five calls fail, the last with a Retry-After; until they may go again. */
static void break_it(struct ai_ledger *l, int64_t hold_ms)
{
	struct ai_reserve r;
	struct ai_reserved out;
	int i;

	for (i = 0; i < 5; i++) {
		r = want(1);
		r.max_wait_ms = INT64_MAX;
		verdict(l, &r, &out);
		now_ns = out.start_ns > now_ns ? out.start_ns : now_ns;
		post(l, r.id, 0, AI_OUTCOME_FAILURE, i == 4 ? hold_ms : 0);
	}
	pass(30000);
}

/* Another call's verdict; if it is granted it ends again. */
static enum ai_verdict other(struct ai_ledger *l, bool *probe)
{
	struct ai_reserve r = want(1);
	struct ai_reserved out = { .probe = false };
	struct ai_err err;
	enum ai_verdict v;

	r.max_wait_ms = INT64_MAX;
	v = verdict(l, &r, &out);
	*probe = out.probe;
	if (v == AI_GRANTED)
		ai_ledger_void(l, r.id, &err);
	return v;
}

static bool is_shut(struct ai_ledger *l)
{
	bool probe;

	return other(l, &probe) == AI_BREAKER_OPEN;
}

/* The next one is let through as a probe. */
static bool is_half_open(struct ai_ledger *l)
{
	bool probe;

	return other(l, &probe) == AI_GRANTED && probe;
}

static struct ai_reserve begin_probe(struct ai_ledger *l)
{
	struct ai_reserve r = want(1);
	struct ai_reserved out = { .probe = false };

	r.max_wait_ms = INT64_MAX;
	ok(verdict(l, &r, &out) == AI_GRANTED && out.probe, "a probe");
	return r;
}

static void test_one_probe(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "m", 60, 0 };
	struct ai_reserve r = want(1);
	struct ai_reserved out;
	struct ai_err err;
	bool shut = true;
	int i;

	ai_ledger_set_limit(l, &limit, &err);
	break_it(l, 300000);
	r.max_wait_ms = INT64_MAX;
	ok(verdict(l, &r, &out) == AI_GRANTED && out.probe &&
	   out.start_ns == now_ns + 270000000000, "a probe that has to wait");
	for (i = 0; i < 26; i++) {
		shut = shut && is_shut(l);
		pass(10000);
	}
	pass(10000);
	ok(shut && is_shut(l), "is the only one");
	ok(ai_ledger_sent(l, r.id, &err) == 0, "and is sent");
	pass(500000);
	ok(is_shut(l), "also while it runs for long");
	ok(ai_ledger_reset_breaker(l, "m", &err) == 0, "closed by hand");
	break_it(l, 0);
	ok(is_shut(l), "and open again: that one runs still");
	ok(post(l, r.id, 0, AI_OUTCOME_NONE, 0) == 0 && is_half_open(l),
	   "no answer, but it is over");
	ai_ledger_close(l);
}

/* What ends a probe, and what its end says. */
static void test_probe_ends(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r, late;
	struct ai_err err;
	int i;

	break_it(l, 0);
	r = begin_probe(l);
	ok(ai_ledger_void(l, r.id, &err) == 0 && is_half_open(l), "void");
	r = begin_probe(l);
	pass(610000);
	late = begin_probe(l);
	ok(ai_ledger_sent(l, r.id, &err) == 1 &&
	   ai_ledger_sent(l, late.id, &err) == 0,
	   "what has hung is not sent beside its successor");
	ok(post(l, r.id, 0, AI_OUTCOME_ALIVE, 0) == 0 && is_shut(l) &&
	   post(l, late.id, 0, AI_OUTCOME_ALIVE, 0) == 0 && !is_shut(l) &&
	   !is_half_open(l), "that somebody says no to the probe closes it");
	for (i = 0; i < 5; i++) {
		r = want(1);
		r.max_wait_ms = INT64_MAX;
		verdict(l, &r, NULL);
		post(l, r.id, 0, i == 3 ? AI_OUTCOME_ALIVE
					: AI_OUTCOME_FAILURE, 0);
	}
	ok(!is_shut(l), "four failures");
	r = want(1);
	r.max_wait_ms = INT64_MAX;
	verdict(l, &r, NULL);
	post(l, r.id, 0, AI_OUTCOME_FAILURE, 0);
	ok(is_shut(l), "and a fifth: a no between them is no success");
	ai_ledger_close(l);
}

/* How long a probe takes is told. */
static void test_deadline(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = want(1);
	struct ai_reserved out;

	break_it(l, 0);
	r.left_ms = 3600000;
	ok(verdict(l, &r, &out) == AI_GRANTED && out.probe, "a long probe");
	pass(3600000 + 9000);
	ok(is_shut(l), "runs until its deadline, and a little longer");
	pass(1000);
	ok(is_half_open(l), "and no longer");
	ai_ledger_close(l);
}

/* What one sees holds those that have their places already. */
static void test_last_look(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "m", 60, 0 };
	struct ai_reserve r[10], again;
	struct ai_reserved out;
	struct ai_err err;
	int i, sent = 0, held = 0, open = 0;

	ai_ledger_set_limit(l, &limit, &err);
	for (i = 0; i < 10; i++) {
		r[i] = want(1);
		r[i].max_wait_ms = INT64_MAX;
		verdict(l, &r[i], &out);
	}
	sent += ai_ledger_sent(l, r[0].id, &err) == 0;
	post(l, r[0].id, 0, AI_OUTCOME_NONE, 120000);
	sent += ai_ledger_sent(l, r[1].id, &err) == 0;
	for (i = 1; i < 10; i++) {
		pass(1000);
		held += ai_ledger_sent(l, r[i].id, &err) == 1;
	}
	ok(sent == 1 && held == 9, "a Retry-After holds %d that wait", held);
	for (i = 1; i < 9; i++)
		ai_ledger_void(l, r[i].id, &err);
	again = want(1);
	again.max_wait_ms = 100000;
	ok(verdict(l, &again, &out) == AI_OVER_LIMIT && out.wait_ms > 110000,
	   "who cannot wait so long is told");
	again.max_wait_ms = 120000;
	ok(verdict(l, &again, &out) == AI_GRANTED &&
	   out.start_ns == now_ns + 111000000000, "who can has a new place");
	pass(111000);
	ok(ai_ledger_sent(l, again.id, &err) == 0 &&
	   ai_ledger_sent(l, again.id, &err) == 0, "and goes then");
	r[0] = want(1);
	r[0].max_wait_ms = INT64_MAX;
	verdict(l, &r[0], NULL);
	break_it(l, 0);
	open += ai_ledger_sent(l, r[0].id, &err) == 1;
	open += ai_ledger_sent(l, r[9].id, &err) == 1;
	r[1] = begin_probe(l);
	open += ai_ledger_sent(l, r[0].id, &err) == 1;
	ok(open == 3, "nor does one go that waits while the breaker opens");
	ok(ai_ledger_sent(l, r[1].id, &err) == 0 &&
	   ai_ledger_sent(l, again.id, &err) == 0,
	   "but the probe, and what was sent before");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

/* What need not wait is sent with its reservation, and nothing else is. */
static void test_at_once(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "m", 60, 0 };
	struct ai_reserve r = want(1), late;
	struct ai_reserved out;
	struct ai_err err;
	int64_t sent = 0;

	ok(verdict(l, &r, &out) == AI_GRANTED && !out.sent, "not by itself");
	r = want(1);
	r.at_once = true;
	ok(verdict(l, &r, &out) == AI_GRANTED && out.sent, "at once");
	ok(ai_db_int(&l->db, "SELECT sum(sent) FROM hold", &sent, &err) == 0 &&
	   sent == 1, "and so it stands in the ledger");
	ok(verdict(l, &r, &out) == AI_AGAIN && !out.sent &&
	   ai_ledger_sent(l, r.id, &err) == 0, "to ask again changes nothing");
	post(l, r.id, 1, AI_OUTCOME_SUCCESS, 0);
	ai_ledger_set_limit(l, &limit, &err);
	late = want(1);
	late.at_once = true;
	late.max_wait_ms = INT64_MAX;
	verdict(l, &late, &out);
	late = want(1);
	late.at_once = true;
	late.max_wait_ms = INT64_MAX;
	ok(verdict(l, &late, &out) == AI_GRANTED && !out.sent &&
	   out.start_ns > now_ns, "not what must wait for its place");
	ok(ai_ledger_void(l, late.id, &err) == 0 && faults(l) == 0,
	   "all agrees");
	ai_ledger_close(l);
}

/* A child reserves, perhaps sends, and dies. */
static void die_with(const char *file, int64_t worst, bool sent)
{
	struct ai_ledger *l;
	struct ai_reserve r = want(worst);
	struct ai_err err;
	pid_t pid = fork();

	if (pid == 0) {
		if (ai_ledger_open(&l, file, &err) == 0 &&
		    verdict(l, &r, NULL) == AI_GRANTED && sent)
			ai_ledger_sent(l, r.id, &err);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void test_orphans(void)
{
	struct ai_ledger *l = open_new();
	struct ai_budget total = { "all", "", "total", 1000 };
	struct ai_reserve r = want(700);
	struct ai_reserved out;
	struct ai_err err;

	l->wall_ms = NULL;
	ai_ledger_close(l);
	ai_ledger_open(&l, path, &err);
	ok(ai_ledger_set_budget(l, &total, &err) == 0, "1000 in all");
	die_with(path, 600, false);
	ok(verdict(l, &r, NULL) == AI_GRANTED, "what was not sent comes back");
	ok(ai_ledger_void(l, r.id, &err) == 0, "void");
	die_with(path, 600, true);
	r = want(401);
	ok(verdict(l, &r, &out) == AI_OVER_BUDGET, "what was sent is spent");
	r = want(400);
	ok(verdict(l, &r, &out) == AI_GRANTED, "at its worst case");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

/* Whoever is killed while it tries is no reason to wait. */
static void test_dead_probe(void)
{
	struct ai_ledger *l = open_new(), *real;
	struct ai_err err;
	int64_t now;

	ai_ledger_open(&real, path, &err);
	now = now_ns;
	now_ns = real->boot_ns() - 31000000000;
	break_it(l, 0);
	now_ns = now;
	ai_ledger_close(l);
	l = real;
	die_with(path, 1, true);
	ok(ai_db_int(&l->db, "SELECT count(*) FROM hold WHERE probe>0 AND sent",
		     &now, &err) == 0 && now == 1 && is_half_open(l),
	   "a killed probe's place is free at once");
	ai_ledger_close(l);
}

static void test_damage(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = want(7);
	struct ai_err err;
	int i;

	for (i = 0; i < 3; i++) {
		r = want(7);
		verdict(l, &r, NULL);
	}
	ok(ai_db_exec(&l->db, "UPDATE transfer SET amount=1", &err) < 0 &&
	   ai_db_exec(&l->db, "DELETE FROM transfer", &err) < 0,
	   "transfers are never changed or removed");
	ok(ai_db_exec(&l->db, "DROP TRIGGER no_update;"
		      "UPDATE transfer SET amount=1 WHERE seq=2", &err) == 0 &&
	   faults(l) == 3, "a changed amount breaks a seal and a sum, and a "
	   "trigger is missed");
	ai_ledger_close(l);
}

/* What it answers: was -> is, or -1 and the code. */
static bool settles(struct ai_ledger *l, const unsigned char *id,
		    enum ai_booking how, int64_t amount, bool force,
		    int64_t was, int64_t is)
{
	struct ai_settled out = { .was = -1 };
	struct ai_err err = { .msg = "" };
	int rc = ai_ledger_settle(l, id, how, amount, force, &out, &err);

	if (rc == 0 && out.was == was && out.is == is)
		return true;
	printf("# %d: %lld, %lld %s\n", rc, (long long)out.was,
	       (long long)out.is, rc < 0 ? err.msg : "");
	return false;
}

static int64_t sum_of(struct ai_ledger *l, int kind)
{
	struct ai_err err;
	char sql[100];
	int64_t n = -1;

	snprintf(sql, sizeof(sql), "SELECT sum(amount) FROM transfer WHERE"
		 " kind=%d", kind);
	ai_db_int(&l->db, sql, &n, &err);
	return n;
}

static int count_hold(void *arg, const struct ai_hold *h)
{
	*(int64_t *)arg += h->amount;
	return 0;
}

static int64_t unanswered(struct ai_ledger *l)
{
	struct ai_err err;
	int64_t sum = 0;

	return ai_ledger_unanswered(l, count_hold, &sum, &err) < 0 ? -1 : sum;
}

static void test_settle(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = want(600), lost = want(50);
	struct ai_post p = { .how = AI_BOOK_WORST };
	struct ai_settled out;
	struct ai_err err;
	struct ledger_item it = { .what = LEDGER_DO_SETTLE, .now_ms = now_ms,
				  .now_ns = now_ns, .owner = l->owner,
				  .in.settle = { .amount = 30 } };
	void *items[1] = { &it };
	char pid[40];
	int64_t rows;

	verdict(l, &r, NULL);
	verdict(l, &lost, NULL);
	memcpy(p.id, lost.id, sizeof(p.id));
	ai_ledger_post(l, &p, &err);
	snprintf(pid, sizeof(pid), "process %d (ai-complete)", getpid());
	ok(ai_ledger_settle(l, r.id, AI_BOOK_AMOUNT, 5, false, &out, &err) < 0 &&
	   err.code == AI_E_TRY_LATER && strstr(err.msg, pid) != NULL,
	   "what a living process holds: %s", err.msg);
	ok(settles(l, r.id, AI_BOOK_AMOUNT, 700, true, 600, 700) &&
	   sum_of(l, 2) == 600 && sum_of(l, 5) == 100,
	   "forced, and more than its worst case: a correction");
	rows = l->seq + l->event_seq;
	ok(settles(l, r.id, AI_BOOK_AMOUNT, 700, false, 700, 700) &&
	   l->seq + l->event_seq == rows, "said again: no row");
	ok(post(l, r.id, 1, AI_OUTCOME_NONE, 0) == 0 && sum_of(l, 2) == 600,
	   "its own bill does not count then");
	ok(settles(l, r.id, AI_BOOK_NONE, 0, false, 700, 0) &&
	   sum_of(l, 5) == -600, "it was for nothing");
	ok(settles(l, r.id, AI_BOOK_WORST, 0, false, 0, 600),
	   "no, its worst case");
	ok(unanswered(l) == 50, "one had no answer");
	ok(settles(l, lost.id, AI_BOOK_AMOUNT, 20, false, 50, 20) &&
	   unanswered(l) == 0, "until somebody knows");
	ok(ai_ledger_settle(l, lost.id, AI_BOOK_AMOUNT, -1, false, &out,
			    &err) < 0 && err.code == AI_E_USAGE &&
	   ai_ledger_settle(l, lost.id, AI_BOOK_AMOUNT, INT64_MAX, false, &out,
			    &err) < 0 && err.code == AI_E_USAGE,
	   "no call costs that");
	memcpy(it.in.settle.id, lost.id, sizeof(it.in.settle.id));
	ok(ledger_run(l, items, 1, &err) == 0 &&
	   ledger_run(l, items, 1, &err) == 0 && it.code == AI_E_NONE &&
	   it.out.posted == 20 && it.out.cap == 30,
	   "run again because the first to run it died: the first's answer");
	ai_ledger_id(r.id);
	ok(ai_ledger_settle(l, r.id, AI_BOOK_NONE, 0, false, &out, &err) < 0 &&
	   err.code == AI_E_USAGE, "no such call");
	ok(faults(l) == 0, "all agrees");
	ai_ledger_close(l);
}

static int count_work(void *arg)
{
	++*(long *)arg;
	return 0;
}

static int add_up(void *arg, const struct ai_rollup *r)
{
	*(int64_t *)arg += r->v[AI_ROLLUP_CALLS] + r->v[AI_ROLLUP_POSTED];
	return 0;
}

/* No call is looked at. */
static void test_report(void)
{
	struct ai_ledger *l = open_new();
	struct ai_err err = { .msg = "" };
	const struct ai_rollup_ask ask = { .by = "model" };
	int64_t sum = 0;
	long work = 0;
	int i;

	l->no_sync = true;
	for (i = 0; i < 1000; i++) {
		struct ai_reserve r = want(2000);

		verdict(l, &r, NULL);
		post(l, r.id, 1000, AI_OUTCOME_NONE, 0);
	}
	sqlite3_progress_handler(l->db.h, 10, count_work, &work);
	ok(ai_ledger_rollups(l, &ask, add_up, &sum, &err) == 0 &&
	   sum == 1000 + 1000 * 1000, "a report of 1000 calls %s", err.msg);
	ok(work < 100, "is %ld0 steps of work", work);
	ai_ledger_close(l);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	test_way();
	test_budgets();
	test_room();
	test_users();
	test_rate();
	test_minutes();
	test_foretold();
	test_breaker();
	test_one_probe();
	test_probe_ends();
	test_deadline();
	test_last_look();
	test_at_once();
	test_orphans();
	test_dead_probe();
	test_damage();
	test_settle();
	test_report();
	remove_folder(folder);
	return done();
}
