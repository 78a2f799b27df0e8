/*
 * The ledger crashes before a write: any process of it, or the machine.
 *
 *	ledger-crash [SEED [HISTORIES [POINTS]]]
 *
 * A history runs once, on files that remember every write (crash-vfs.h).
 * Then it crashes before POINTS of its writes (0: before each), in each way;
 * the ledger is opened again, and what was acknowledged must be there: every
 * post, every reservation, and, if only the process died, what was sent.  All
 * sums and seals must agree, the cap must have held at all times, what was
 * under way can be done again, and what the dead held is resolved.  Last, the
 * same history runs on a disk that fills up before one of the writes.
 */
#include "crash-vfs.h"
#include "help.h"
#include "store/ledger-int.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 40
#define STEPS 60
#define CAP 1500

static char folder[] = "/tmp/ai-ledger-crash-XXXXXX", path[60];
static int broken;
static struct ai_owner dead;
static long crashes, acknowledged, lost;

static void fail(const char *what, long at, int kind, int64_t detail)
{
	char text[560];

	snprintf(text, sizeof(text), "crash before event %ld, kind %d: %s "
		 "(%lld)", at, kind, what, (long long)detail);
	complain(&broken, text);
}

/* ---- a history --------------------------------------------------------------------- */

enum does { RESERVE, SENT, POST, VOID, REFUSED };

struct call {
	unsigned char id[AI_LEDGER_ID];
	int64_t worst, cost;
};

struct step {
	enum does does;
	int call;
	long from, to; /* events before it, and before its answer */
};

static struct history {
	struct call call[CALLS];
	struct step step[STEPS];
	int calls, steps;
	long opened; /* the event before which it was acknowledged */
} h;

static struct ai_ledger *open_it(struct ai_err *err)
{
	struct ai_ledger *l;

	return ai_ledger_open(&l, path, err) < 0 ? NULL : l;
}

static int reserve(struct ai_ledger *l, const struct call *c,
		   enum ai_verdict *verdict, struct ai_err *err)
{
	struct ai_reserve r = { .worst = c->worst };
	struct ai_reserved out;

	memcpy(r.id, c->id, sizeof(r.id));
	snprintf(r.labels.tenant, sizeof(r.labels.tenant), "t%d",
		 c->id[0] % 3);
	snprintf(r.labels.user, sizeof(r.labels.user), "u%d", c->id[1] % 2);
	if (ai_ledger_reserve(l, &r, &out, err) < 0)
		return -1;
	*verdict = out.verdict;
	return 0;
}

static int post(struct ai_ledger *l, const struct call *c, struct ai_err *err)
{
	struct ai_post p = { .amount = c->cost, .usage = "{\"input\":3}",
			     .outcome = AI_OUTCOME_SUCCESS };

	memcpy(p.id, c->id, sizeof(p.id));
	return ai_ledger_post(l, &p, err);
}

static int do_step(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct call *c = &h.call[s->call];
	enum ai_verdict verdict;

	switch (s->does) {
	case RESERVE:
	case REFUSED:
		if (reserve(l, c, &verdict, err) < 0)
			return -1;
		s->does = verdict == AI_GRANTED || verdict == AI_AGAIN
			? RESERVE : REFUSED;
		return 0;
	case SENT:
		return ai_ledger_sent(l, c->id, err);
	case POST:
		return post(l, c, err);
	default:
		return ai_ledger_void(l, c->id, err);
	}
}

/* How far each call is: -1 refused, or what was done last. */
static int state[CALLS];

static void choose(struct step *s)
{
	static const enum does next[3][3] = {
		[RESERVE] = { SENT, SENT, VOID }, [SENT] = { POST, POST, POST },
	};
	int i, tries;

	for (tries = 0; tries < 4 && h.calls > 0; tries++) {
		i = (int)below(h.calls);
		if (state[i] != RESERVE && state[i] != SENT)
			continue;
		s->does = next[state[i]][below(3)];
		s->call = i;
		return;
	}
	s->does = RESERVE;
	s->call = h.calls++;
	h.call[s->call].worst = below(300);
	h.call[s->call].cost = h.call[s->call].worst == 0 ? 0
		: below(h.call[s->call].worst);
	for (i = 0; i < AI_LEDGER_ID; i++)
		h.call[s->call].id[i] = (unsigned char)below(256);
}

static int set_up(struct ai_ledger *l, struct ai_err *err)
{
	struct ai_budget total = { "all", "", "total", CAP },
			 each = { "tenant", "*", "day", CAP / 2 };
	char sql[50];

	snprintf(sql, sizeof(sql), "PRAGMA wal_autocheckpoint=%d",
		 (int)below(60) + 5);
	return ai_ledger_set_budget(l, &total, err) < 0 ||
		ai_ledger_set_budget(l, &each, err) < 0 ? -1
		: ai_db_exec(&l->db, sql, err);
}

/* Runs it; on a full disk it ends where the first step fails. */
static int run(struct ai_err *err)
{
	struct ai_ledger *l = open_it(err);
	int i, n = 8 + (int)below(STEPS - 12);

	h = (struct history){ .opened = INT64_MAX };
	if (l == NULL || set_up(l, err) < 0) {
		ai_ledger_close(l);
		return -1;
	}
	h.opened = crash_vfs_events();
	for (i = 0; i < n && h.calls < CALLS - 1; i++) {
		struct step *s = &h.step[h.steps];

		choose(s);
		s->from = crash_vfs_events();
		s->to = INT64_MAX / 2;
		h.steps++;
		if (do_step(l, s, err) < 0) {
			ai_ledger_close(l);
			return -1;
		}
		s->to = crash_vfs_events();
		state[s->call] = (int)s->does;
		if (below(12) != 0)
			continue;
		ai_ledger_close(l);
		l = open_it(err);
		if (l == NULL)
			return -1;
	}
	ai_ledger_close(l);
	return 0;
}

/* ---- what is left of it ---------------------------------------------------------------- */

static int64_t ask(struct ai_ledger *l, const char *sql,
		   const unsigned char *id)
{
	sqlite3_stmt *st = NULL;
	struct ai_err err;
	int64_t n = INT64_MIN;
	struct ai_span s = { (const char *)id, id == NULL ? 0 : AI_LEDGER_ID };

	if (ai_db_bind(&l->db, &st, sql, &err, id == NULL ? "" : "b", s) < 0)
		complain(&broken, err.msg);
	else if (ai_db_step(&l->db, st, &err) > 0)
		n = sqlite3_column_int64(st, 0);
	ai_db_finish(&st);
	return n;
}

#define ENDING " FROM transfer p JOIN transfer e ON e.of=p.seq WHERE p.id=?"

static bool is_there(struct ai_ledger *l, const struct step *s, bool killed)
{
	const struct call *c = &h.call[s->call];

	switch (s->does) {
	case RESERVE:
		return ask(l, "SELECT amount FROM transfer WHERE id=?",
			   c->id) == c->worst;
	case SENT:
		return !killed || ask(l, "SELECT coalesce((SELECT sent FROM"
				      " hold WHERE transfer=p.seq), 1) FROM"
				      " transfer p WHERE id=?", c->id) == 1;
	case POST:
		return ask(l, "SELECT e.kind*1000000+e.amount" ENDING,
			   c->id) == LEDGER_POST * 1000000 + c->cost;
	case VOID:
		return ask(l, "SELECT e.kind" ENDING, c->id) == LEDGER_VOID;
	default:
		return true;
	}
}

/* All transfers in their order: what is booked never passes the cap. */
static bool cap_held(struct ai_ledger *l)
{
	static const char sql[] = "SELECT max(s) FROM (SELECT sum(CASE WHEN"
		" kind=1 THEN amount ELSE amount-(SELECT amount FROM transfer p"
		" WHERE p.seq=t.of) END) OVER (ORDER BY seq) s FROM transfer t)";

	return ask(l, sql, NULL) <= CAP;
}

/* Who ran the history is this process: now it died, or all of that boot. */
static void die(struct ai_ledger *l, bool killed)
{
	struct ai_err err;
	char sql[80];

	snprintf(sql, sizeof(sql), killed ? "UPDATE hold SET pid=%lld"
		 : "UPDATE hold SET boot='the last one'", (long long)dead.pid);
	if (ai_db_exec(&l->db, sql, &err) < 0)
		complain(&broken, err.msg);
}

/* What the dead held is spent if it was sent, else given back. */
static void resolve(struct ai_ledger *l, long at, int kind, bool killed)
{
	int64_t open = ask(l, "SELECT count(*) FROM hold", NULL), expired,
		worst = ask(l, "SELECT coalesce(sum(amount), 0) FROM hold"
			    " WHERE sent", NULL),
		all = ask(l, "SELECT coalesce(sum(amount), 0) FROM hold", NULL),
		before = ask(l, "SELECT coalesce(sum(amount), 0) FROM transfer"
			     " WHERE kind=4", NULL);
	struct ai_err err;

	die(l, killed);
	if (ai_ledger_sweep(l, &err) < 0)
		fail(err.msg, at, kind, 0);
	expired = ask(l, "SELECT coalesce(sum(amount), 0) FROM transfer WHERE"
		      " kind=4", NULL) - before;
	if (open > 0 && ask(l, "SELECT count(*) FROM hold", NULL) != 0)
		fail("a hold is left", at, kind, open);
	if (expired != (killed ? worst : all))
		fail("expired", at, kind, expired);
}

/* The step that the crash broke off can be done again, and then stands once. */
static void again(struct ai_ledger *l, struct step *s, long at, int kind)
{
	static const char count[] = "SELECT count(*) FROM transfer WHERE id=?";
	const struct call *c = &h.call[s->call];
	struct step copy = *s;
	struct ai_err err;

	if (do_step(l, &copy, &err) < 0 || do_step(l, &copy, &err) < 0)
		fail(err.msg, at, kind, s->does);
	else if (copy.does != REFUSED && ask(l, count, c->id) != 1)
		fail("done twice", at, kind, s->does);
	else if (copy.does == POST && !is_there(l, &copy, true))
		fail("posted otherwise", at, kind, s->call);
}

static void verify(long at, enum crash_kind kind, bool redo)
{
	bool killed = kind == CRASH_KILL;
	struct ai_err err;
	struct ai_ledger *l = open_it(&err);
	struct ai_reserve r = { .worst = 0 };
	struct ai_reserved out;
	int i;

	if (l == NULL) {
		fail(err.msg, at, kind, 0);
		return;
	}
	if (ai_ledger_check(l, complain, &broken, &err) < 0)
		fail(err.msg, at, kind, 0);
	for (i = 0; i < h.steps; i++) {
		if (h.step[i].to <= at) {
			acknowledged++;
			if (!is_there(l, &h.step[i], killed)) {
				lost++;
				fail("lost", at, kind, h.step[i].does);
			}
		} else if (redo && h.step[i].from <= at && h.opened <= at) {
			again(l, &h.step[i], at, kind);
		}
	}
	if (h.opened <= at && ask(l, "SELECT cap FROM budget WHERE scope='all'"
				  " AND period='total'", NULL) != CAP)
		fail("a budget is lost", at, kind, 0);
	if (!redo)
		resolve(l, at, kind, killed);
	if (h.opened <= at && !cap_held(l))
		fail("the cap", at, kind, 0);
	ai_ledger_id(r.id);
	if (ai_ledger_reserve(l, &r, &out, &err) < 0 ||
	    out.verdict != AI_GRANTED)
		fail("a new call", at, kind, 0);
	if (ai_ledger_check(l, complain, &broken, &err) < 0)
		fail(err.msg, at, kind, 0);
	ai_ledger_close(l);
}

static void crash(long at, enum crash_kind kind)
{
	crashes++;
	crash_vfs_crash(at, kind, below);
	verify(at, kind, below(2) == 0);
}

static void full_disk(uint64_t own_seed, long events)
{
	struct ai_err err;
	long at;

	at = below(events);
	crash_vfs_clear();
	crash_vfs_fill(at);
	seed = own_seed;
	if (run(&err) == 0)
		return;
	if (err.code != AI_E_IO)
		fail(err.msg, at, 8, err.code);
	crash_vfs_fill(-1);
	/* The step that failed has no answer: its `to` is never. */
	verify(INT64_MAX / 4, CRASH_KILL, true);
}

static void one(uint64_t own_seed, long points)
{
	enum crash_kind kind = (enum crash_kind)(own_seed % CRASH_KINDS);
	struct ai_err err;
	long events, at;

	crash_vfs_clear();
	seed = own_seed;
	if (run(&err) < 0) {
		complain(&broken, err.msg);
		return;
	}
	events = crash_vfs_events();
	for (at = 0; points == 0 && at <= events && broken == 0; at++)
		crash(at, kind);
	for (at = 0; at < points && broken == 0; at++)
		crash(below(events + 1), kind);
	full_disk(own_seed, events);
}

/* ---- all of them ------------------------------------------------------------------------ */

static int make_dead(struct ai_err *err)
{
	pid_t pid;

	if (ai_owner_self(&dead, err) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	dead.pid = pid;
	return 0;
}

int main(int argc, char **argv)
{
	bool slow = getenv("AI_SANITIZED") != NULL;
	int64_t first = number(argc, argv, 1, 1),
		wanted = number(argc, argv, 2, slow ? 60 : 1000),
		points = number(argc, argv, 3, 1), n;
	struct ai_err err;

	if (mkdtemp(folder) == NULL || crash_vfs_register() < 0)
		return 1;
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/l.db", folder);
	if (make_dead(&err) < 0) {
		printf("# %s\n", err.msg);
		return 1;
	}
	for (n = 0; n < wanted && broken == 0; n++)
		one((uint64_t)(first + n), points);
	ok(broken == 0, "%ld crashes in %lld histories from seed %lld: %ld "
	   "acknowledged, %ld lost", crashes, (long long)n, (long long)first,
	   acknowledged, lost);
	if (broken > 0)
		printf("# again: ledger-crash %lld 1 %lld\n",
		       (long long)(first + n - 1), (long long)points);
	crash_vfs_clear();
	remove_folder(folder);
	return done();
}
