/*
 * Random histories of the ledger, compared step by step with a model.
 *
 *	ledger-model [SEED [STEPS]]
 *
 * The model is arrays and loops, written from the manual and not from the
 * ledger: budgets are summed anew from all calls for every question, the
 * token bucket keeps the starts of the last minute.  AI_TEST_STEPS is the
 * number of steps if it is not given; the seed is printed.
 */
#include "store/ledger-int.h"
#include "tap.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALLS 120     /* of one history */
#define NAMES 3

static uint64_t seed;
static int64_t now_ms, now_ns;

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

/* SplitMix64 (Steele et al., 2014). */
static uint64_t next_random(void)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static int64_t below(int64_t n)
{
	return (int64_t)(next_random() % (uint64_t)n);
}

static void set(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

/* ---- the model ---------------------------------------------------------------- */

static const char *const names[NAMES] = { "", "a", "b" };
static const char *const periods[] = { "request", "hour", "day", "total" };

struct call {
	unsigned char id[AI_LEDGER_ID];
	int tenant;      /* of names */
	int64_t at, worst, cost;
	bool ended;
};

struct model {
	struct call call[CALLS];
	int n;
	int64_t cap[NAMES + 1][4]; /* all, each (*), a, b; -1: none */
	int failures;
	int64_t opened, probe, held;
	bool half; /* the call of this index is the probe */
};

/* Whole hours and days of UTC. */
static int64_t period_start(int period, int64_t ms)
{
	static const int64_t length[] = { 1, 3600000, 86400000, INT64_MAX };

	return period == 3 ? 0 : ms / length[period] * length[period];
}

/* What calls of this tenant (-1: all) hold and cost in the period of now. */
static int64_t used(const struct model *m, int tenant, int period)
{
	int64_t sum = 0, start = period_start(period, now_ms);
	int i;

	for (i = 0; i < m->n; i++) {
		const struct call *c = &m->call[i];

		if ((tenant < 0 || c->tenant == tenant) &&
		    period_start(period, c->at) == start)
			sum += c->ended ? c->cost : c->worst;
	}
	return sum;
}

static bool has_room(const struct model *m, int tenant, int64_t worst)
{
	int p;

	for (p = 0; p < 4; p++) {
		int64_t all = m->cap[0][p], own = -1;

		if (tenant > 0)
			own = m->cap[1 + tenant][p] >= 0 ? m->cap[1 + tenant][p]
							 : m->cap[1][p];
		if (all >= 0 && (p == 0 ? 0 : used(m, -1, p)) + worst > all)
			return false;
		if (own >= 0 && (p == 0 ? 0 : used(m, tenant, p)) + worst > own)
			return false;
	}
	return true;
}

static enum ai_verdict expected(const struct model *m, int tenant,
				int64_t worst, int64_t max_wait_ms,
				int64_t *start, bool *probe)
{
	*start = now_ns;
	*probe = false;
	if (!has_room(m, tenant, worst))
		return AI_OVER_BUDGET;
	if (m->failures >= 5) {
		if (now_ns < m->opened + 30000000000 || now_ns < m->probe)
			return AI_BREAKER_OPEN;
		*probe = true;
	}
	if (m->held > now_ns)
		*start = m->held;
	return *start - now_ns > max_wait_ms * 1000000 ? AI_OVER_LIMIT
						       : AI_GRANTED;
}

/* ---- one history ----------------------------------------------------------------- */

static int broken; /* differences so far */

static void differ(const char *what, int64_t got, int64_t wanted)
{
	if (++broken <= 10)
		printf("# %s: %lld, the model says %lld\n", what,
		       (long long)got, (long long)wanted);
}

static void check_err(int rc, const struct ai_err *err)
{
	if (rc < 0 && ++broken <= 10)
		printf("# %s\n", err->msg);
}

static void do_budget(struct ai_ledger *l, struct model *m)
{
	struct ai_budget b = { .cap = below(5) == 0 ? -1 : below(3000) };
	int who = (int)below(NAMES + 1), period = (int)below(4);
	struct ai_err err;

	set(b.scope, sizeof(b.scope), who == 0 ? "all" : "tenant");
	set(b.name, sizeof(b.name), who == 0 ? "" : who == 1 ? "*"
							    : names[who - 1]);
	set(b.period, sizeof(b.period), periods[period]);
	check_err(ai_ledger_set_budget(l, &b, &err), &err);
	m->cap[who][period] = b.cap;
}

static void do_reserve(struct ai_ledger *l, struct model *m)
{
	struct ai_reserve r = { .worst = below(400),
				.max_wait_ms = below(3) * 1000 };
	struct call *c = &m->call[m->n];
	int tenant = (int)below(NAMES);
	enum ai_verdict want;
	struct ai_reserved out;
	struct ai_err err;
	int64_t start;
	bool probe;

	next_random();
	memcpy(r.id, &seed, sizeof(seed));
	set(r.labels.tenant, sizeof(r.labels.tenant), names[tenant]);
	set(r.labels.key, sizeof(r.labels.key), "k");
	want = expected(m, tenant, r.worst, r.max_wait_ms, &start, &probe);
	if (ai_ledger_reserve(l, &r, &out, &err) < 0) {
		check_err(-1, &err);
		return;
	}
	if (out.verdict != want)
		differ("verdict", out.verdict, want);
	if (out.verdict != AI_GRANTED)
		return;
	if (out.start_ns != start)
		differ("start", out.start_ns, start);
	if (out.probe != probe)
		differ("probe", out.probe, probe);
	if (probe)
		m->probe = now_ns + 60000000000;
	*c = (struct call){ .tenant = tenant, .at = now_ms, .worst = r.worst };
	memcpy(c->id, r.id, sizeof(c->id));
	m->n++;
	/* The same again is the same call. */
	if (below(4) == 0 && (ai_ledger_reserve(l, &r, &out, &err) < 0 ||
			      out.verdict != AI_AGAIN))
		differ("verdict of the same id", out.verdict, AI_AGAIN);
}

static void end_in_model(struct model *m, struct call *c, int64_t cost,
			 enum ai_outcome outcome, int64_t hold_ms)
{
	if (c->ended)
		return;
	c->ended = true;
	c->cost = cost;
	if (outcome == AI_OUTCOME_SUCCESS) {
		m->failures = 0;
		m->opened = m->probe = 0;
	} else if (outcome == AI_OUTCOME_FAILURE) {
		m->probe = 0;
		if (++m->failures >= 5)
			m->opened = now_ns;
	}
	if (hold_ms > 0 && now_ns + hold_ms * 1000000 > m->held)
		m->held = now_ns + hold_ms * 1000000;
}

static void do_end(struct ai_ledger *l, struct model *m)
{
	struct ai_post p = { .amount = below(500),
			     .outcome = (enum ai_outcome)below(3),
			     .hold_ms = below(20) == 0 ? below(4000) : 0 };
	struct call *c;
	struct ai_err err;

	if (m->n == 0)
		return;
	c = &m->call[below(m->n)];
	memcpy(p.id, c->id, sizeof(p.id));
	if (below(4) == 0) {
		check_err(ai_ledger_void(l, c->id, &err), &err);
		end_in_model(m, c, 0, AI_OUTCOME_NONE, 0);
		return;
	}
	p.how = (enum ai_booking)below(3);
	check_err(ai_ledger_post(l, &p, &err), &err);
	end_in_model(m, c, p.how == AI_BOOK_WORST ? c->worst :
		     p.how == AI_BOOK_NONE ? 0 : p.amount, p.outcome,
		     p.hold_ms);
}

static void do_sent(struct ai_ledger *l, struct model *m)
{
	struct call *c;
	struct ai_err err;
	int rc;

	if (m->n == 0)
		return;
	c = &m->call[below(m->n)];
	rc = ai_ledger_sent(l, c->id, &err);
	if ((rc < 0) != c->ended)
		differ("sent", rc, c->ended ? -1 : 0);
}

static void pass_time(void)
{
	static const int64_t steps[] = { 1, 100, 1000, 31000, 61000, 1800000,
					 86400000 };
	int64_t ms = below(steps[below(7)]) + 1;

	now_ns += ms * 1000000;
	/* Somebody sets the clock. */
	now_ms += below(30) == 0 ? -below(7200000) : ms;
}

static void complain(void *arg, const char *what)
{
	(void)arg;
	if (++broken <= 10)
		printf("# %s\n", what);
}

static const char empty[] =
	"DROP TRIGGER no_delete; DELETE FROM entry; DELETE FROM hold;"
	"DELETE FROM account; DELETE FROM transfer; DELETE FROM label;"
	"DELETE FROM budget; DELETE FROM breaker; DELETE FROM bucket;"
	"UPDATE state SET seq=0, head=zeroblob(32);"
	"CREATE TRIGGER no_delete BEFORE DELETE ON transfer"
	" BEGIN SELECT RAISE(ABORT, 'no'); END;";

static long history(struct ai_ledger *l)
{
	struct model m = { .n = 0 };
	struct ai_err err;
	long steps = 0;
	int i;

	for (i = 0; i < (NAMES + 1) * 4; i++)
		m.cap[i / 4][i % 4] = -1;
	check_err(ai_db_exec(&l->db, empty, &err), &err);
	now_ms = 1795000000000 + below(1000000000);
	now_ns = 1000000000000;
	while (m.n < CALLS && steps < 400 && broken == 0) {
		switch (below(8)) {
		case 0: do_budget(l, &m); break;
		case 1: case 2: case 3: do_reserve(l, &m); break;
		case 4: case 5: do_end(l, &m); break;
		case 6: do_sent(l, &m); break;
		default: pass_time();
		}
		steps++;
	}
	if (ai_ledger_check(l, complain, NULL, &err) < 0)
		check_err(-1, &err);
	return steps;
}

/* ---- all of them -------------------------------------------------------------------- */

static int remove_one(const char *name, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int64_t number(const char *text, int64_t other)
{
	int64_t n;

	return text != NULL && ai_parse_i64(ai_span_of(text), &n) == 0 ? n
								       : other;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/ai-ledger-model-XXXXXX", path[60];
	int64_t first = number(argc > 1 ? argv[1] : NULL, (int64_t)time(NULL)),
		wanted = number(argc > 2 ? argv[2] : getenv("AI_TEST_STEPS"),
				60000);
	struct ai_ledger *l;
	struct ai_err err;
	long steps = 0, histories = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/l.db", folder);
	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("# %s\n", err.msg);
		return 1;
	}
	l->wall_ms = wall;
	l->boot_ns = boot;
	/* Nothing here has to survive. */
	l->no_sync = true;
	for (; steps < wanted && broken == 0; histories++) {
		seed = (uint64_t)(first + histories);
		steps += history(l);
	}
	ok(broken == 0, "%ld steps in %ld histories from seed %lld agree with "
	   "the model", steps, histories, (long long)first);
	if (broken > 0)
		printf("# again: ledger-model %lld 1\n",
		       (long long)(first + histories - 1));
	ai_ledger_close(l);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
