/* ledger.c: a handle, and its requests on their way through the queue. */
#include "store/ledger-int.h"

#include "base/clock.h"
#include "crypt/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one transaction for all that wait ------------------------------------- */

int ledger_refuse(struct ledger_item *it, enum ai_code code, const char *fmt,
		  ...)
{
	va_list ap;

	it->code = code;
	va_start(ap, fmt);
	vsnprintf(it->why, sizeof(it->why), fmt, ap);
	va_end(ap);
	return 0;
}

void ledger_copy_column(char *to, size_t size, sqlite3_stmt *st, int column)
{
	struct ai_span s = ai_db_span(st, column);
	size_t n = s.p == NULL ? 0 : strnlen(s.p, s.n);

	n = n < size ? n : size - 1;
	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

int64_t ledger_living(sqlite3_stmt *st, int c, struct ai_owner *o)
{
	enum ai_owner_state state;

	memset(o, 0, sizeof(*o));
	o->pid = sqlite3_column_int64(st, c);
	o->start = sqlite3_column_int64(st, c + 1);
	o->space = sqlite3_column_int64(st, c + 2);
	ledger_copy_column(o->boot, sizeof(o->boot), st, c + 3);
	state = ai_owner_state(o);
	return state == AI_OWNER_ALIVE || state == AI_OWNER_UNKNOWN ? o->pid
								    : 0;
}

static int apply(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err)
{
	static int (*const steps[])(struct ai_ledger *, struct ledger_item *,
				    struct ai_err *) = {
		[LEDGER_DO_RESERVE] = ledger_reserve,
		[LEDGER_DO_SENT] = ledger_sent,
		[LEDGER_DO_POST] = ledger_post,
		[LEDGER_DO_VOID] = ledger_void,
		[LEDGER_DO_SWEEP] = ledger_sweep,
		[LEDGER_DO_BUDGET] = ledger_budget,
		[LEDGER_DO_LIMIT] = ledger_limit,
		[LEDGER_DO_SETTLE] = ledger_settle,
		[LEDGER_DO_RESET] = ledger_reset,
		[LEDGER_DO_START] = ledger_start,
		[LEDGER_DO_ANSWER] = ledger_answer,
		[LEDGER_DO_HIT] = ledger_hit,
	};

	it->code = AI_E_NONE;
	/* The queue's file outlives a power failure, and may be damaged. */
	if (strncmp(it->owner.boot, l->owner.boot, sizeof(l->owner.boot)) != 0)
		return ledger_refuse(it, AI_E_TRY_LATER,
				     "a request from before the last boot");
	if ((unsigned)it->what >= sizeof(steps) / sizeof(steps[0]))
		return ledger_refuse(it, AI_E_BUG, "an unknown request");
	return steps[it->what](l, it, err);
}

/* A commit that is not durable survives kill -9, but not a power failure,
 * until one that is. */
static int transact(struct ai_ledger *l, bool durable, ledger_step *step,
		    void *arg, struct ai_err *err)
{
	int64_t seq, event;

	if (durable != l->full &&
	    ai_db_exec(&l->db, durable ? "PRAGMA synchronous=FULL"
				       : "PRAGMA synchronous=NORMAL", err) < 0)
		return -1;
	l->full = durable;
	if (ai_db_begin(&l->db, true, err) < 0)
		return -1;
	ledger_memo_begin(l);
	/* Nobody would ever see what is written there. */
	if (ai_db_is_gone(&l->db)) {
		ai_err_set(err, AI_E_IO, "%s was removed or replaced while it "
			   "was in use: what is under way is booked nowhere",
			   l->db.name);
		goto fail;
	}
	if (ledger_state_load(l, err) < 0)
		goto fail;
	seq = l->seq;
	event = l->event_seq;
	if (step(l, arg, err) < 0 || ledger_memo_write(l, err) < 0)
		goto fail;
	ledger_memo_end(l);
	if ((l->seq != seq || l->event_seq != event) &&
	    ledger_state_save(l, err) < 0)
		goto fail;
	return ai_db_commit(&l->db, err);
fail:
	ledger_memo_end(l);
	ai_db_rollback(&l->db);
	return -1;
}

/* Whether this handle may be used to change something. */
static int check_handle(const struct ai_ledger *l, struct ai_err *err)
{
	if (l->pid != getpid())
		return ai_err_set(err, AI_E_BUG, "%s was opened by process "
				  "%lld and is used by its child %lld, which "
				  "must open its own", l->db.name,
				  (long long)l->pid, (long long)getpid());
	return !l->fixed ? 0 :
		ai_err_set(err, AI_E_CREATE, "%s: it cannot be written",
			   l->db.name);
}

int ledger_alone(struct ai_ledger *l, bool durable, ledger_step *step,
		 void *arg, struct ai_err *err)
{
	int rc;

	if (check_handle(l, err) < 0 || ai_queue_lock(&l->queue, err) < 0)
		return -1;
	rc = transact(l, durable && !l->no_sync, step, arg, err);
	ai_queue_unlock(&l->queue);
	return rc;
}

struct all {
	void *const *items;
	size_t n;
};

static int apply_all(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct all *all = arg;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (apply(l, all->items[i], err) < 0)
			return -1;
	return 0;
}

/* "sent" need not be durable: after a power failure everything counts as sent.
 * What a journal knows is durable with the reservation, or its end.  An answer
 * from the cache cost nothing: that it is forgotten then does no harm. */
static bool must_sync(const struct ledger_item *it)
{
	return it->what != LEDGER_DO_SENT && it->what != LEDGER_DO_START &&
		it->what != LEDGER_DO_ANSWER && it->what != LEDGER_DO_HIT;
}

int ledger_run(void *arg, void *const *items, size_t n, struct ai_err *err)
{
	struct ai_ledger *l = arg;
	struct all all = { items, n };
	bool durable = false;
	size_t i;

	for (i = 0; i < n && !durable && !l->no_sync; i++)
		durable = must_sync(items[i]);
	return transact(l, durable, apply_all, &all, err);
}

static int ask(struct ai_ledger *l, struct ledger_item *it, struct ai_err *err)
{
	it->now_ms = l->wall_ms();
	it->now_ns = l->boot_ns();
	it->uid = l->uid;
	it->owner = l->owner;
	if (check_handle(l, err) < 0 ||
	    ai_queue_do(&l->queue, it, sizeof(*it), ledger_run, l, err) < 0)
		return -1;
	return it->code == AI_E_NONE ? 0
				     : ai_err_set(err, it->code, "%s", it->why);
}

int ledger_together(struct ai_ledger *l, void *const *items, size_t n,
		    struct ai_err *err)
{
	int rc;

	if (check_handle(l, err) < 0 || ai_queue_lock(&l->queue, err) < 0)
		return -1;
	rc = ledger_run(l, items, n, err);
	ai_queue_unlock(&l->queue);
	return rc;
}

int ledger_swept(struct ai_ledger *l, int64_t *n, struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_SWEEP };

	if (ask(l, &it, err) < 0)
		return -1;
	*n = it.out.pending;
	return 0;
}

/* ---- the handle ------------------------------------------------------------------ */

static int own_path(char *out, size_t size, struct ai_err *err)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (xdg != NULL && xdg[0] == '/')
		snprintf(out, size, "%s/aiutils/ledger.db", xdg);
	else if (home != NULL && home[0] == '/')
		snprintf(out, size, "%s/.local/state/aiutils/ledger.db", home);
	else
		return ai_err_set(err, AI_E_CONFIG, "neither XDG_STATE_HOME "
				  "nor HOME is set; name a ledger with "
				  "--ledger");
	return 0;
}

void ai_ledger_path(const char *path, char *out, size_t size)
{
	struct ai_err err;

	out[0] = '\0';
	if (path != NULL)
		snprintf(out, size, "%s", path);
	else
		own_path(out, size, &err);
}

struct ai_ledger *ledger_new(struct ai_err *err)
{
	struct ai_ledger *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	l->queue = (struct ai_queue)AI_QUEUE_INIT;
	l->uid = getuid();
	l->pid = getpid();
	l->wall_ms = wall_ms;
	l->boot_ns = ai_boot_ns;
	return l;
}

typedef int open_file(struct ai_ledger *l, const char *path, struct ai_err *err);

static int open_with(open_file *file, struct ai_ledger **out, const char *path,
		     struct ai_err *err)
{
	struct ai_ledger *l = ledger_new(err);
	char own[4096];

	*out = NULL;
	if (l == NULL)
		return -1;
	if ((path != NULL && path[0] == '\0' &&
	     ai_err_set(err, AI_E_USAGE, "the ledger has no name: --ledger FILE "
			"or AI_LEDGER, or neither for your own") < 0) ||
	    (path == NULL && own_path(own, sizeof(own), err) < 0) ||
	    ai_owner_self(&l->owner, err) < 0 ||
	    file(l, path != NULL ? path : own, err) < 0) {
		ai_ledger_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

int ai_ledger_open(struct ai_ledger **out, const char *path, struct ai_err *err)
{
	return open_with(ledger_file_open, out, path, err);
}

int ai_ledger_open_read(struct ai_ledger **out, const char *path,
			struct ai_err *err)
{
	return open_with(ledger_file_read, out, path, err);
}

void ai_ledger_close(struct ai_ledger *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < SQL_COUNT; i++)
		ai_db_finish(&l->st[i]);
	ai_db_close(&l->db);
	ai_queue_close(&l->queue);
	ledger_memo_free(l);
	free(l);
}

/*
 * Time first, so that an index grows at its end; those of one millisecond are
 * counted from a random number on, for the same reason.  A child does not go on
 * where its parent was.
 */
void ai_ledger_id(unsigned char id[AI_LEDGER_ID])
{
	static __thread unsigned char last[AI_LEDGER_ID];
	static __thread pid_t pid;
	unsigned char ms[6];
	uint64_t now = (uint64_t)wall_ms();
	int i;

	for (i = 0; i < 6; i++)
		ms[i] = (unsigned char)(now >> (40 - 8 * i));
	if (pid != getpid() || memcmp(ms, last, sizeof(ms)) != 0) {
		pid = getpid();
		memcpy(last, ms, sizeof(ms));
		ai_random(last + 6, AI_LEDGER_ID - 6);
	} else {
		for (i = AI_LEDGER_ID - 1; i >= 6 && ++last[i] == 0;)
			i--;
	}
	memcpy(id, last, AI_LEDGER_ID);
}

/* ---- requests ----------------------------------------------------------------- */

int ai_ledger_reserve(struct ai_ledger *l, const struct ai_reserve *r,
		      struct ai_reserved *out, struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_RESERVE, .in.reserve = *r };
	int rc = ask(l, &it, err);

	/* What dead processes hold may be just what is missing. */
	while (rc == 0 && it.out.verdict == AI_OVER_BUDGET &&
	       it.out.pending > 0) {
		struct ledger_item sweep = { .what = LEDGER_DO_SWEEP };

		rc = ask(l, &sweep, err);
		if (rc < 0 || sweep.out.pending == 0)
			break;
		rc = ask(l, &it, err);
	}
	if (rc == 0)
		*out = it.out;
	return rc;
}

static int ask_id(struct ai_ledger *l, enum ledger_what what,
		  const unsigned char id[AI_LEDGER_ID], struct ai_err *err)
{
	struct ledger_item it = { .what = what };

	memcpy(it.in.id, id, AI_LEDGER_ID);
	return ask(l, &it, err);
}

int ai_ledger_sent(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		   struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_SENT };

	memcpy(it.in.id, id, AI_LEDGER_ID);
	return ask(l, &it, err) < 0 ? -1 : it.out.verdict != AI_GRANTED;
}

int ai_ledger_void(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		   struct ai_err *err)
{
	return ask_id(l, LEDGER_DO_VOID, id, err);
}

int ai_ledger_post(struct ai_ledger *l, const struct ai_post *p,
		   struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_POST, .in.post = *p };

	return ask(l, &it, err);
}

int ai_ledger_sweep(struct ai_ledger *l, struct ai_err *err)
{
	int64_t n;

	return ledger_swept(l, &n, err);
}

int ai_ledger_set_budget(struct ai_ledger *l, const struct ai_budget *b,
			 struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_BUDGET, .in.budget = *b };

	return ask(l, &it, err);
}

int ai_ledger_set_limit(struct ai_ledger *l, const struct ai_limit *limit,
			struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_LIMIT, .in.limit = *limit };

	return ask(l, &it, err);
}

int ai_ledger_settle(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		     enum ai_booking how, int64_t amount, bool force,
		     struct ai_settled *out, struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_SETTLE, .in.settle = {
		.how = how, .amount = amount, .force = force } };

	memcpy(it.in.settle.id, id, AI_LEDGER_ID);
	if (ask(l, &it, err) < 0)
		return -1;
	out->was = it.out.posted;
	out->is = it.out.cap;
	out->open = it.out.pending != 0;
	return 0;
}

int ai_ledger_reset_breaker(struct ai_ledger *l, const char *model,
			    struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_RESET };

	snprintf(it.in.model, sizeof(it.in.model), "%s", model);
	return ask(l, &it, err);
}
