/*
 * The ledger crashes before a write: any process of it, or the machine.
 *
 *	ledger-crash [SEED [HISTORIES]]
 *
 * A history runs once, on files that remember every write (crash-vfs.h).
 * Each answer is compared with what is in the ledger then, and each commit's
 * pages are kept.  Then it crashes before each write, in one
 * of the ways there are, and the ledger is opened again.  It must be, page by
 * page, what one of the commits has left, and none before the last that was
 * acknowledged (and, if the machine died, durable).  What can be done with it
 * then is tried once for each commit, and at some of the other crashes: all
 * sums and seals agree, what was under way can be done again and stands once,
 * what the dead held is resolved.  Last, the same history runs on a disk that
 * fills up before one of the writes.
 *
 * Each history has a process of its own, and begins with a ledger that others
 * have left, with none, or with one of version 1.
 */
#include "crash-vfs.h"
#include "help.h"
#include "store/batch.h"
#include "store/cache.h"
#include "store/conversation.h"
#include "store/ledger-int.h"
#include "tap.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERIALIZE 3036000
#if SQLITE_VERSION_NUMBER < SERIALIZE
#define sqlite3_serialize(db, name, size, flags) NULL
#endif
#define CALLS 40
#define STEPS 40
#define COMMITS 160
#define CAP 4000
#define BASES 6
#define JOBS 2
#define FULL_DISK (LONG_MAX / 4) /* not a crash; no answer came after it */
#define FULL 32 /* one crash of so many is looked at from all sides */

static char folder[] = "/tmp/ai-ledger-crash-XXXXXX", path[80];
static struct ai_owner dead;
static int broken; /* of this process */
static int64_t this_seed;

/* Of all processes. */
static struct shared {
	_Atomic long crashes, recoveries, acknowledged, lost, histories;
	_Atomic int broken;
	_Atomic long done[24]; /* steps of each kind */
} *shared;

static void fail(const char *what, long at, int kind, int64_t detail)
{
	char text[560];

	snprintf(text, sizeof(text), "seed %lld, crash before event %ld, kind "
		 "%d: %s (%lld)", (long long)this_seed, at, kind, what,
		 (long long)detail);
	complain(&broken, text);
}

/* ---- a history --------------------------------------------------------------------- */

enum does {
	RESERVE, SENT, POST, VOID, SETTLE, ORPHAN, SWEEP, BUDGET, LIMIT,
	BREAKER, CACHE, BATCH, ANSWER, SAY, FORGET, CHECKPOINT, REOPEN,
	HIT, KINDS
};

struct call {
	unsigned char id[AI_LEDGER_ID];
	int64_t worst;
	enum does last; /* KINDS: it was refused */
};

struct step {
	enum does does;
	int call;
	int64_t amount; /* or any number */
	long from, to;  /* events before it, and before its answer */
	bool late;      /* refused: its call had been ended by a sweep, or
			 * its breaker had opened */
};

/* What a commit left, and the step that it was in. */
struct commit {
	unsigned char *pages;
	sqlite3_int64 size;
	long event; /* before which it was made */
	int step;
	bool proved;
};

static struct history {
	struct call call[CALLS];
	struct step step[STEPS];
	struct commit commit[COMMITS];
	int calls, steps, commits, checkpoint;
	long opened; /* the event before which it was acknowledged */
	bool old;    /* it began with version 1 */
	int64_t seq; /* of the last transfer that was acknowledged */
} h;

static struct ai_ledger *open_it(struct ai_err *err)
{
	struct ai_ledger *l;

	return ai_ledger_open(&l, path, err) < 0 ? NULL : l;
}

static int do_reserve(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	const struct call *c = &h.call[s->call];
	struct ai_reserve r = { .worst = c->worst, .tokens = 5 };
	struct ai_owner own = l->owner;
	struct ai_reserved out;
	int rc;

	memcpy(r.id, c->id, sizeof(r.id));
	snprintf(r.labels.tenant, 64, "t%d", c->id[0] % 3);
	snprintf(r.labels.user, 64, "u%d", c->id[1] % 2);
	snprintf(r.labels.model, 128, "m%d", c->id[2] % 2);
	set(r.labels.key, sizeof(r.labels.key), "k");
	if (s->does == ORPHAN)
		l->owner = dead;
	rc = ai_ledger_reserve(l, &r, &out, err);
	l->owner = own;
	h.call[s->call].last = rc == 0 && out.verdict > AI_AGAIN ? KINDS
								 : RESERVE;
	return rc;
}

static int do_sent(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	return ai_ledger_sent(l, h.call[s->call].id, err);
}

static int do_post(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_post p = { .amount = s->amount, .usage = "{\"input\":3}",
			     .outcome = AI_OUTCOME_SUCCESS, .facts = {
		.ended = s->amount % AI_ENDED_COUNT, .input = s->amount,
		.time_us = s->amount * 100000, .first_us = s->amount } };

	memcpy(p.id, h.call[s->call].id, sizeof(p.id));
	if (s->amount % 3 == 0)
		p.outcome = AI_OUTCOME_FAILURE;
	if (s->amount % 7 == 0)
		p.hold_ms = 1;
	if (s->amount % 11 == 0)
		p.how = AI_BOOK_WORST;
	return ai_ledger_post(l, &p, err);
}

static int do_void(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	return ai_ledger_void(l, h.call[s->call].id, err);
}

static int do_settle(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_settled out;

	return ai_ledger_settle(l, h.call[s->call].id, AI_BOOK_AMOUNT,
				s->amount, true, &out, err);
}

static int do_sweep(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	(void)s;
	return ai_ledger_sweep(l, err);
}

static int do_budget(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_budget b = { "tenant", "", "day", s->amount * 3 };

	snprintf(b.name, sizeof(b.name), "t%d", (int)(s->amount % 3));
	if (s->amount % 4 == 0)
		b.cap = -1;
	return ai_ledger_set_budget(l, &b, err);
}

static int do_limit(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_limit q = { "k", "m0", s->amount % 2 * 60000,
			      s->amount % 3 * 600000 };

	return ai_ledger_set_limit(l, &q, err);
}

static int do_breaker(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	(void)s;
	return ai_ledger_reset_breaker(l, "*", err);
}

static int do_cache(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	static const char text[9000] = "an answer";
	unsigned char key[AI_CACHE_KEY] = { (unsigned char)(s->amount % 5) };

	return ai_cache_put(l, key, (struct ai_span){
			    text, (size_t)s->amount * 29 % sizeof(text) },
			    60000, "u1", err);
}

/* The journal of a batch knows the call; it is in it, or answered there. */
static int do_batch(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	const struct call *c = &h.call[s->call];
	struct ai_batch_line line = { .ordinal = 0 };
	struct ai_batch b;

	memcpy(line.payload, c->id, sizeof(c->id));
	if (ai_batch_open(l, "b", true, &b, err) < 0)
		return -1;
	return s->does == BATCH
		? ai_batch_start(l, &b, &line, c->id, "u1", err)
		: ai_batch_answer(l, &b, &line, AI_SPAN("said"), s->amount,
				  "{\"output\":1}", err);
}

static int do_hit(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_hit hit = { .hits = 1 + s->amount % 3, .saved = s->amount };
	struct ai_ledger_op op = { .what = AI_LEDGER_HIT, .in.hit = &hit },
			    *list = &op;

	snprintf(hit.labels.model, 128, "m%d", (int)(s->amount % 2));
	snprintf(hit.labels.user, 64, "u%d", (int)(s->amount % 2));
	return ai_ledger_many(l, &list, 1, err);
}

static int do_say(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_conversation c = { s->amount % 2 == 0 ? "a" : "b", "t1",
				     "u1" };
	struct ai_message m[2] = {
		{ .role = "user", .content = AI_SPAN("\"a question\"") },
		{ .role = "assistant", .content = AI_SPAN("\"an answer\""),
		  .amount = s->amount },
	};

	return ai_conversation_add(l, &c, -1, m, 2, err);
}

static int do_forget(struct ai_ledger *l, struct step *s, struct ai_err *err)
{
	struct ai_forgotten out;

	return ai_ledger_forget(l, s->amount % 2 == 0 ? "u0" : "u1", &out,
				err) < 0 ? -1 : 0;
}

static int do_checkpoint(struct ai_ledger *l, struct step *s,
			 struct ai_err *err)
{
	static const int modes[] = { SQLITE_CHECKPOINT_PASSIVE,
				     SQLITE_CHECKPOINT_RESTART };
	int rc = sqlite3_wal_checkpoint_v2(l->db.h, NULL, modes[s->amount % 2],
					   NULL, NULL);

	return rc == SQLITE_OK ? 0 : ai_db_fail(&l->db, rc, err);
}

/* need: of the call that it is about, if any. */
static const struct {
	int (*run)(struct ai_ledger *l, struct step *s, struct ai_err *err);
	enum need { ANY, FRESH, OPEN, BEGUN, ENDED } need;
	int weight;
	bool loose; /* not durable until the next that is */
} kinds[KINDS] = {
	[RESERVE] = { do_reserve, FRESH, 24, false },
	[SENT] = { do_sent, OPEN, 16, true },
	[POST] = { do_post, OPEN, 24, false },
	[VOID] = { do_void, OPEN, 6, false },
	[SETTLE] = { do_settle, ENDED, 6, false },
	[ORPHAN] = { do_reserve, FRESH, 8, false },
	[SWEEP] = { do_sweep, ANY, 6, false },
	[BUDGET] = { do_budget, ANY, 5, false },
	[LIMIT] = { do_limit, ANY, 4, false },
	[BREAKER] = { do_breaker, ANY, 4, false },
	[CACHE] = { do_cache, ANY, 5, true },
	[BATCH] = { do_batch, OPEN, 12, true },
	[ANSWER] = { do_batch, BEGUN, 30, true },
	[SAY] = { do_say, ANY, 4, false },
	[FORGET] = { do_forget, ANY, 2, false },
	[CHECKPOINT] = { do_checkpoint, ANY, 5, false },
	[REOPEN] = { NULL, ANY, 6, false },
	[HIT] = { do_hit, ANY, 5, true },
};

/* ---- its commits -------------------------------------------------------------------- */

static unsigned char *pages_of(sqlite3 *db, sqlite3_int64 *size)
{
	return sqlite3_serialize(db, "main", size, 0);
}

static void keep(sqlite3 *db)
{
	struct commit *c = &h.commit[h.commits];

	if (h.commits == COMMITS) {
		fail("too many commits", crash_vfs_events(), 0, h.steps);
		return;
	}
	c->pages = pages_of(db, &c->size);
	c->event = crash_vfs_events();
	c->step = h.steps - 1;
	c->proved = false;
	h.commits += c->pages != NULL;
}

/* In the place of SQLite's own, which begins the checkpoints. */
static int after_commit(void *arg, sqlite3 *db, const char *name, int frames)
{
	(void)arg;
	keep(db);
	if (frames >= h.checkpoint)
		sqlite3_wal_checkpoint(db, name);
	return SQLITE_OK;
}

static void forget_history(void)
{
	int i;

	for (i = 0; i < h.commits; i++)
		sqlite3_free(h.commit[i].pages);
	h = (struct history){ .opened = LONG_MAX };
}

static int64_t ask(struct ai_ledger *l, const char *sql,
		   const unsigned char *id)
{
	sqlite3_stmt *st = NULL;
	struct ai_err err;
	int64_t n = INT64_MIN;

	if (ai_db_bind(&l->db, &st, sql, &err, id == NULL ? "" : "b",
		       LEDGER_BYTES(id, AI_LEDGER_ID)) < 0)
		complain(&broken, err.msg);
	else if (ai_db_step(&l->db, st, &err) > 0)
		n = sqlite3_column_int64(st, 0);
	ai_db_finish(&st);
	return n;
}

/* What an answer says is in the ledger then: a query, of the call, for what
 * meant() says. What a crash leaves need only be compared with that. */
#define LAST "SELECT coalesce(max(seq), 0) FROM transfer"
#define HELD " FROM transfer p JOIN hold h ON h.transfer=p.seq WHERE p.id=?"
#define BOOKED "SELECT sum(e.amount) FROM transfer p JOIN transfer e ON" \
	" e.of=p.seq WHERE p.id=?"
static const char *const answers[KINDS] = {
	[RESERVE] = "SELECT p.amount" HELD, [ORPHAN] = "SELECT h.amount" HELD,
	[SENT] = "SELECT h.sent" HELD, [POST] = BOOKED, [VOID] = BOOKED,
	[SETTLE] = BOOKED,
	[BATCH] = "SELECT count(*) FROM answer WHERE transfer=?",
	[ANSWER] = "SELECT amount FROM answer WHERE transfer=?",
};

static int64_t meant(const struct step *s)
{
	int64_t worst = h.call[s->call].worst;

	switch (s->does) {
	case RESERVE:
	case ORPHAN:
		return worst;
	case SENT:
	case BATCH:
		return 1;
	case VOID:
		return 0;
	default:
		return s->does == POST && s->amount % 11 == 0 ? worst
							      : s->amount;
	}
}

/* open: the call was, before the step. */
static void see(struct ai_ledger *l, const struct step *s, bool open)
{
	const struct call *c = &h.call[s->call];

	if (answers[s->does] == NULL || c->last == KINDS || s->late ||
	    (!open && (s->does == POST || s->does == VOID)))
		return;
	if (ask(l, answers[s->does], c->id) != meant(s))
		fail("answered, and not so", crash_vfs_events(), 9, s->does);
}

/* ---- running it ----------------------------------------------------------------------- */

static bool suits(const struct call *c, enum need need)
{
	bool open = c->last == RESERVE || c->last == SENT || c->last == BATCH
		|| c->last == ANSWER;

	return need == BEGUN ? c->last == BATCH : need == OPEN ? open
		: c->last == POST || c->last == VOID || c->last == SETTLE;
}

static int new_call(void)
{
	struct call *c = &h.call[h.calls];
	int i;

	c->worst = below(300);
	for (i = 0; i < AI_LEDGER_ID; i++)
		c->id[i] = (unsigned char)below(256);
	return h.calls++;
}

static enum does any_kind(void)
{
	int64_t at = 0;
	int i;

	for (i = 0; i < KINDS; i++)
		at += kinds[i].weight;
	at = below(at);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return (enum does)i;
}

static void choose(struct step *s)
{
	int i, tries;

	for (tries = 0; tries < 40; tries++) {
		*s = (struct step){ .does = any_kind(), .call = -1,
				    .amount = below(400) };
		if (kinds[s->does].need == ANY)
			return;
		if (kinds[s->does].need == FRESH && h.calls < CALLS)
			s->call = new_call();
		for (i = h.calls - 1; s->call < 0 && i >= 0; i--)
			if (suits(&h.call[i], kinds[s->does].need))
				s->call = i;
		if (s->call >= 0)
			return;
	}
	s->does = SWEEP;
}

static int watch(struct ai_ledger **l, struct ai_err *err)
{
	*l = open_it(err);
	if (*l == NULL)
		return -1;
	sqlite3_wal_hook((*l)->db.h, after_commit, NULL);
	return 0;
}

static int do_step(struct ai_ledger **l, struct step *s, struct ai_err *err)
{
	enum does last = h.call[s->call < 0 ? 0 : s->call].last;
	int rc;

	if (s->does == REOPEN) {
		ai_ledger_close(*l);
		return watch(l, err);
	}
	rc = kinds[s->does].run(*l, s, err);
	s->late = rc > 0 || (rc < 0 && err->code == AI_E_BUG && s->call >= 0);
	if (s->late)
		return 0;
	if (rc < 0 || s->call < 0 || kinds[s->does].need == FRESH)
		return rc;
	h.call[s->call].last = s->does == SENT && last != RESERVE ? last
		: s->does;
	return 0;
}

static int set_up(struct ai_ledger *l, struct ai_err *err)
{
	struct ai_budget total = { "all", "", "total", CAP },
			 each = { "tenant", "*", "day", CAP / 2 };

	return ai_ledger_set_budget(l, &total, err) < 0 ? -1
		: ai_ledger_set_budget(l, &each, err);
}

/* So many steps; on a full disk it ends where the first one fails. */
static int run(int n, struct ai_err *err)
{
	struct ai_ledger *l;
	struct step *s;
	bool open;

	forget_history();
	h.checkpoint = below(3) == 0 ? 20 + (int)below(60) : 1000;
	if (watch(&l, err) < 0)
		return -1;
	h.opened = crash_vfs_events();
	keep(l->db.h);
	if (n > STEPS / 2 && set_up(l, err) < 0)
		n = 0;
	while (h.steps < n) {
		s = &h.step[h.steps++];
		choose(s);
		s->from = crash_vfs_events();
		s->to = LONG_MAX / 2;
		open = s->call >= 0 && ask(l, "SELECT count(*)" HELD,
					   h.call[s->call].id) == 1;
		if (do_step(&l, s, err) < 0) {
			ai_ledger_close(l);
			return -1;
		}
		s->to = crash_vfs_events();
		h.seq = ask(l, LAST, NULL);
		if (s->call >= 0)
			see(l, s, open);
	}
	ai_ledger_close(l);
	return 0;
}

/* ---- what is left of it ---------------------------------------------------------------- */

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

#define UNANSWERED " WHERE NOT EXISTS (SELECT 1 FROM transfer t JOIN answer a" \
	" ON a.transfer=t.id WHERE t.seq=hold.transfer AND" \
	" a.amount IS NOT NULL)"
#define EXPIRED "SELECT coalesce(sum(amount), 0) FROM transfer WHERE kind=4"

/* What the dead held is spent if it was sent, else given back; what a batch
 * has the answer to costs what that says. */
static void resolve(struct ai_ledger *l, long at, int kind, bool killed)
{
	int64_t worst, before = ask(l, EXPIRED, NULL);
	struct ai_err err;
	char sql[400];

	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(amount), 0) FROM hold"
		 UNANSWERED " AND (sent OR boot<>'%s')", killed ? dead.boot
		 : "");
	worst = ask(l, sql, NULL);
	die(l, killed);
	if (ai_ledger_sweep(l, &err) < 0)
		fail(err.msg, at, kind, 0);
	if (ask(l, "SELECT count(*) FROM hold", NULL) != 0)
		fail("a hold is left", at, kind, 0);
	if (ask(l, EXPIRED, NULL) - before != worst)
		fail("expired", at, kind, worst);
}

/* The step that the crash broke off can be done again, and then stands once. */
static void again(struct ai_ledger *l, const struct step *s, long at, int kind)
{
	static const char count[] = "SELECT count(*) FROM transfer WHERE id=?";
	const struct call *c = &h.call[s->call < 0 ? 0 : s->call];
	struct step copy = *s;
	struct ai_err err;

	if ((s->does > VOID && s->does != ORPHAN) || s->late)
		return;
	if (kinds[s->does].run(l, &copy, &err) < 0 ||
	    kinds[s->does].run(l, &copy, &err) < 0)
		fail(err.msg, at, kind, s->does);
	else if (ask(l, count, c->id) != (c->last != KINDS))
		fail("not done once", at, kind, s->does);
}

/* It can be gone on with. */
static void prove(struct ai_ledger *l, long at, enum crash_kind kind)
{
	struct call kept[CALLS];
	struct ai_reserve r = { .worst = 0 };
	struct ai_reserved out;
	struct ai_err err;
	int i;

	/* Dear, and done below; here for what going on would hide. */
	if (below(4) == 0 && ai_ledger_check(l, complain, &broken, &err) < 0)
		fail(err.msg, at, kind, 0);
	memcpy(kept, h.call, sizeof(kept));
	for (i = 0; i < h.steps; i++)
		if (h.step[i].from <= at && h.step[i].to > at)
			again(l, &h.step[i], at, kind);
	memcpy(h.call, kept, sizeof(kept));
	if (below(2) == 0)
		resolve(l, at, kind, kind == CRASH_KILL);
	ai_ledger_id(r.id);
	if (ai_ledger_reserve(l, &r, &out, &err) < 0 ||
	    (out.verdict != AI_GRANTED && out.verdict != AI_OVER_BUDGET))
		fail("a new call", at, kind, 0);
	if (ai_ledger_check(l, complain, &broken, &err) < 0)
		fail(err.msg, at, kind, 0);
}

/* The commit whose pages these are; -1: none is. */
static int which(struct ai_ledger *l, long at)
{
	sqlite3_int64 size = 0;
	unsigned char *p = pages_of(l->db.h, &size);
	int i, high = 0;

	/* The one that was being made may be there. */
	while (high + 1 < h.commits && h.commit[high].event < at)
		high++;
	for (i = high; i >= 0; i--)
		if (h.commit[i].size == size && p != NULL &&
		    memcmp(h.commit[i].pages, p, (size_t)size) == 0)
			break;
	sqlite3_free(p);
	return i;
}

/* The last commit that must be there, as it was acknowledged. */
static int least(long at, bool killed)
{
	const struct step *s;
	int i, low = 0;

	for (i = 1; i < h.commits; i++) {
		s = &h.step[h.commit[i].step];
		if (h.commit[i].step >= 0 && s->to <= at &&
		    (killed || !kinds[s->does].loose))
			low = i;
	}
	return low;
}

static void verify(long at, enum crash_kind kind)
{
	struct ai_err err;
	struct ai_ledger *l = open_it(&err);
	int is, i;

	shared->recoveries++;
	if (l == NULL) {
		fail(err.msg, at, kind, 0);
		return;
	}
	if (h.opened > at) {
		if (h.old && ask(l, "SELECT count(*) FROM transfer", NULL) < 33)
			fail("what version 1 had is lost", at, kind, 0);
		/* The same few, again and again: begun anew, or as it was. */
		if (below(3) == 0)
			prove(l, at, kind);
		ai_ledger_close(l);
		return;
	}
	for (i = 0; i < h.steps; i++)
		shared->acknowledged += h.step[i].to <= at;
	is = which(l, at);
	if (is < 0 && at == FULL_DISK && ask(l, LAST, NULL) >= h.seq) {
		/* The write that failed would have changed no byte: an older
		 * log had the same page there.  So its commit stands. */
		prove(l, at, kind);
	} else if (is < least(at, kind == CRASH_KILL)) {
		shared->lost++;
		fail(is < 0 ? "it is what no commit has left" : "lost", at,
		     kind, is);
	} else if (!h.commit[is].proved || below(FULL) == 0) {
		h.commit[is].proved = true;
		prove(l, at, kind);
	}
	ai_ledger_close(l);
}

/* ---- where it begins --------------------------------------------------------------------- */

static void base_name(char out[120], int64_t i)
{
	snprintf(out, 120, "%s/base-%d", folder, (int)i);
}

static int begin_old(void)
{
	static char bytes[1 << 20];
	char from[4096];
	size_t n;
	FILE *f;

	snprintf(from, sizeof(from), "%s/tests/unit/ledger-1.db",
		 getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".");
	f = fopen(from, "rb");
	n = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
	if (f != NULL)
		fclose(f);
	crash_vfs_put(path, bytes, n);
	return n > 0 ? 0 : -1;
}

/* Of 40 histories one begins with nothing, and one with version 1. */
static int begin(int64_t own_seed)
{
	char name[120];

	crash_vfs_clear(path);
	if (own_seed % 40 == 0)
		return 0;
	if (own_seed % 40 == 20)
		return begin_old();
	base_name(name, own_seed % BASES);
	return crash_vfs_load(name, path);
}

/* In a process of its own: a ledger that has seen something. */
static void make_base(int64_t i)
{
	char name[120];
	struct ai_err err;

	seed = (uint64_t)i;
	base_name(name, i);
	crash_vfs_clear(path);
	if (run(STEPS / 2 + 1 + (int)below(STEPS / 2 - 1), &err) < 0)
		complain(&broken, err.msg);
	crash_vfs_settle();
	if (crash_vfs_save(name) < 0)
		complain(&broken, "cannot keep a ledger to begin with");
}

/* ---- all crashes of one history --------------------------------------------------------------- */

static void full_disk(int n, long events)
{
	struct ai_err err;
	long at = below(events + 1);

	crash_vfs_kill(0);
	seed = (uint64_t)this_seed;
	crash_vfs_fill(at);
	if (run(n, &err) == 0)
		return;
	if (err.code != AI_E_IO)
		fail(err.msg, at, 8, err.code);
	crash_vfs_fill(-1);
	/* The step that failed has no answer: its `to` is never. */
	verify(FULL_DISK, CRASH_KILL);
}

static void one(int64_t own_seed)
{
	enum crash_kind kind = (enum crash_kind)(own_seed / BASES %
						 CRASH_KINDS);
	struct ai_err err = { AI_E_BUG, 0, "it cannot begin" };
	int n = 3 + (int)(own_seed % 4), i;
	long events, at;

	this_seed = own_seed;
	seed = (uint64_t)own_seed;
	if (begin(own_seed) < 0 || run(n, &err) < 0) {
		fail(err.msg, 0, kind, h.steps);
		return;
	}
	h.old = own_seed % 40 == 20;
	for (i = 0; i < h.steps; i++)
		shared->done[h.step[i].does]++;
	events = crash_vfs_events();
	for (at = 0; at <= events && broken == 0; at++) {
		shared->crashes++;
		if (crash_vfs_same(at, kind))
			continue; /* the next one is this one, and knows more */
		crash_vfs_crash(at, kind, below);
		verify(at, kind);
	}
	full_disk(n, events);
	shared->histories++;
}

/* ---- each in its own process ------------------------------------------------------------------ */

static void in_child(void (*what)(int64_t), int64_t n)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		what(n);
		fflush(stdout);
		_exit(broken > 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		shared->broken++;
}

static int64_t first_seed, n_histories;

/* Every JOBS-th, in a folder of its own. */
static void job(int64_t i)
{
	int64_t n;

	snprintf(path, sizeof(path), "%s/%d", folder, (int)i);
	if (mkdir(path, 0700) < 0)
		shared->broken++;
	snprintf(path, sizeof(path), "%s/%d/l.db", folder, (int)i);
	for (n = i; n < n_histories && shared->broken == 0; n += JOBS)
		in_child(one, first_seed + n);
}

static void test_histories(void)
{
	long least = LONG_MAX;
	pid_t pid[JOBS];
	int i;

	fflush(stdout);
	for (i = 0; i < JOBS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			job(i);
			_exit(0);
		}
	}
	for (i = 0; i < JOBS; i++)
		waitpid(pid[i], NULL, 0);
	for (i = 0; i < KINDS; i++)
		least = shared->done[i] < least ? shared->done[i] : least;
	ok(shared->broken == 0 && shared->histories == n_histories &&
	   shared->lost == 0,
	   "%ld crashes, one before every write of %ld histories from seed "
	   "%lld, left %ld ledgers: %ld acknowledged, %ld lost",
	   shared->crashes, shared->histories, (long long)first_seed,
	   shared->recoveries, shared->acknowledged, shared->lost);
	ok(least > 0 || n_histories < 100, "each of %d kinds of step was taken "
	   "%ld times or more", KINDS, least);
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
	struct ai_err err;
	int i;

	if (SQLITE_VERSION_NUMBER < SERIALIZE) {
		skip("SQLite before 3.36 need not have sqlite3_serialize()");
		return done();
	}
	first_seed = number(argc, argv, 1, 1);
	n_histories = number(argc, argv, 2, slow ? 60 : 1000);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdtemp(folder) == NULL ||
	    crash_vfs_register() < 0 || make_dead(&err) < 0)
		return 1;
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/l.db", folder);
	for (i = 0; i < BASES; i++)
		in_child(make_base, i);
	ok(shared->broken == 0, "%d ledgers to begin with", BASES);
	test_histories();
	remove_folder(folder);
	return done();
}
