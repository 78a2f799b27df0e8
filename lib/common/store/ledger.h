/*
 * ledger.h: what was spent, what may still be spent, and how fast.
 *
 * One SQLite file that any number of processes share.  A call to a model is
 * three steps (the two-phase transfers of TigerBeetle):
 *
 *	reserve  its worst case is booked as pending against every budget it
 *	         falls under, together with the rate limits and the breaker:
 *	         all or none, in one transaction
 *	sent     a last look whether it may go, and then its bytes may have
 *	         left; survives kill -9; together with the first where it need
 *	         not wait
 *	post     what it cost in the end; or void: it was never sent
 *
 * So a cap cannot be passed by calls at the same time, only by a provider
 * that bills more than the worst case, which is recorded all the same.  What
 * a dead process had reserved is given back if it was not sent, and booked
 * at its worst case if it was.  All steps are idempotent: they carry the id
 * that the caller chose.
 *
 * Amounts are nano-dollars (base/money.h).  Times are milliseconds since
 * 1970, but for starts of calls: nanoseconds of CLOCK_BOOTTIME, which nobody
 * sets back.  A handle is for one thread; its transactions are shared with
 * other threads and processes (store/queue.h).
 */
#ifndef AI_STORE_LEDGER_H
#define AI_STORE_LEDGER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_LEDGER_ID 16
/* What one call may cost, so that no sum overflows: a million dollars. */
#define AI_LEDGER_AMOUNT_MAX ((int64_t)1000000000000000)

struct ai_ledger;

/* Whom a call is booked under; "" is nobody. */
struct ai_labels {
	char tool[16], provider[32], model[128];
	char key[40]; /* of the provider's key: a hash, never the key */
	char tenant[64], user[64], project[64], experiment[64], run[64];
};

struct ai_reserve {
	unsigned char id[AI_LEDGER_ID];
	int64_t worst;  /* nano-dollars */
	int64_t tokens; /* the most it may take, for tokens a minute */
	int64_t max_wait_ms; /* for a rate limit */
	int64_t left_ms;     /* it is over by then; 0: not known */
	struct ai_labels labels;
	bool at_once; /* it goes out as soon as it may: if it need not wait it
		       * counts as sent, and ai_ledger_sent() need not be
		       * asked */
};

enum ai_verdict {
	AI_GRANTED,
	AI_AGAIN,       /* this id was granted before */
	AI_OVER_BUDGET,
	AI_OVER_LIMIT,  /* the wait would be longer than max_wait_ms */
	AI_BREAKER_OPEN,
};

/* What became of it, and the budget or limit that refused it. */
struct ai_reserved {
	enum ai_verdict verdict;
	bool probe;       /* the one call that tries a broken provider */
	bool limited;     /* start_ns is its place in a rate limit */
	bool sent;        /* at_once, and it need not wait */
	int64_t start_ns; /* granted: not before this, CLOCK_BOOTTIME */
	int64_t wait_ms;  /* refused by limit or breaker: try again then */
	char scope[24], name[128], period[8];
	int64_t cap, posted, pending, resets_ms;
};

/* How a call ended, for the breaker. */
enum ai_outcome {
	AI_OUTCOME_NONE,    /* says nothing about the provider */
	AI_OUTCOME_SUCCESS,
	AI_OUTCOME_FAILURE, /* no answer, or a server's error */
	AI_OUTCOME_ALIVE,   /* somebody is there, and says no to this call:
			     * enough for a probe, and nothing otherwise */
};

/* How it ended, for the reports. */
enum ai_ended {
	AI_ENDED_UNTOLD,   /* nobody said: it follows from the booking */
	AI_ENDED_ANSWERED,
	AI_ENDED_UNUSABLE, /* answered and paid for, but of no use */
	AI_ENDED_REFUSED,  /* 4xx: what was asked, or who asked */
	AI_ENDED_LIMITED,  /* too many requests */
	AI_ENDED_FAILED,   /* 5xx */
	AI_ENDED_LOST,     /* sent, and no answer came */
	AI_ENDED_LEFT,     /* the same, and nobody waited for it */
	AI_ENDED_UNSENT,
};
#define AI_ENDED_COUNT 9

/* What else is known of it; 0: nothing is.  As they stand in the file. */
struct ai_facts {
	int64_t ended;   /* enum ai_ended */
	int64_t attempt; /* 1: the first */
	int64_t input, cached, written, output, reasoning; /* tokens */
	int64_t time_us, first_us; /* until its end, until its first text */
};
#define AI_FACTS 9 /* numbers */

struct ai_post {
	unsigned char id[AI_LEDGER_ID];
	int64_t amount; /* nano-dollars, what it cost */
	enum ai_booking {
		AI_BOOK_AMOUNT,
		AI_BOOK_WORST, /* sent, and no answer came: its worst case,
				* until somebody knows better */
		AI_BOOK_NONE,  /* never sent */
	} how;
	enum ai_outcome outcome;
	int64_t hold_ms; /* no call with this key and model before this has
			  * passed (Retry-After); 0: none */
	char usage[640]; /* JSON, as it was billed; "" */
	struct ai_facts facts;
};

/* Answers from the cache, which cost nothing. */
struct ai_hit {
	struct ai_labels labels;
	int64_t hits;
	int64_t saved; /* nano-dollars that they would have cost */
};

/* The file in force: path if given, else $XDG_STATE_HOME/aiutils/ledger.db.
 * It is made, mode 0600, if it is not there. */
int ai_ledger_open(struct ai_ledger **l, const char *path, struct ai_err *err);
/* To look at one that is there: also a file, or a medium, that cannot be
 * written; then every change is refused (AI_E_CREATE). */
int ai_ledger_open_read(struct ai_ledger **l, const char *path,
			struct ai_err *err);
void ai_ledger_close(struct ai_ledger *l);

/* A new id: later ones sort behind earlier ones. */
void ai_ledger_id(unsigned char id[AI_LEDGER_ID]);

/* Refusals are verdicts, not errors. */
int ai_ledger_reserve(struct ai_ledger *l, const struct ai_reserve *r,
		      struct ai_reserved *out, struct ai_err *err);
/*
 * Before the first byte goes out.  0: it counts as sent.  1: it must not go
 * out, since while it waited its provider asked all to wait, or failed too
 * often; it has lost its place: void it, and reserve anew.  AI_E_BUG: there is
 * no such reservation, or it has ended.
 */
int ai_ledger_sent(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		   struct ai_err *err);
/* What it cost beyond its worst case is recorded as a correction. */
int ai_ledger_post(struct ai_ledger *l, const struct ai_post *p,
		   struct ai_err *err);
/* It was not sent. */
int ai_ledger_void(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		   struct ai_err *err);
/* One of the above or of batch.h, for several at once. */
struct ai_ledger_op {
	enum ai_ledger_what {
		AI_LEDGER_RESERVE, AI_LEDGER_SENT, AI_LEDGER_POST,
		AI_LEDGER_VOID, AI_LEDGER_START, AI_LEDGER_ANSWER,
		AI_LEDGER_HIT, /* survives kill -9; costs no sync */
	} what;
	union {
		struct ai_reserve reserve;
		struct ai_post post;
		unsigned char id[AI_LEDGER_ID]; /* sent, void */
		struct ai_batch_step *step;     /* start, answer: batch.h */
		const struct ai_hit *hit;       /* hit; borrowed */
	} in;
	struct ai_reserved out; /* reserve; sent: its verdict alone */
	struct ai_err err;      /* AI_E_NONE: it is done */
};
/*
 * In one transaction, so that one sync is enough for all of them, in this
 * order.  Each has a result of its own; -1: nothing was done.  The order of
 * ops may be changed.
 */
int ai_ledger_many(struct ai_ledger *l, struct ai_ledger_op **ops, size_t n,
		   struct ai_err *err);
/* Ends what dead processes left. */
int ai_ledger_sweep(struct ai_ledger *l, struct ai_err *err);

/* ---- by hand -------------------------------------------------------------- */

/* What a reservation was before somebody settled it. */
struct ai_settled {
	int64_t was; /* nano-dollars that it was booked at; open: that it held */
	int64_t is;
	bool open;
};

/* The reservation whose id begins with these hexadecimal digits.
 * AI_E_USAGE: none does, or several do. */
int ai_ledger_find_id(struct ai_ledger *l, const char *hex,
		      unsigned char id[AI_LEDGER_ID], struct ai_err *err);
/*
 * It has cost just this (amount; its worst case; nothing), whatever was
 * booked: an open one ends, one that has ended is corrected.  Said again, it
 * changes nothing.  AI_E_TRY_LATER: a living process holds it, and force is
 * not given.
 */
int ai_ledger_settle(struct ai_ledger *l, const unsigned char id[AI_LEDGER_ID],
		     enum ai_booking how, int64_t amount, bool force,
		     struct ai_settled *out, struct ai_err *err);

/* Closes the breakers of this model, "*" for all, and lifts what their
 * providers asked to wait. */
int ai_ledger_reset_breaker(struct ai_ledger *l, const char *model,
			    struct ai_err *err);

/* ---- what may be spent -------------------------------------------------- */

/*
 * A budget: scope "all", or the name of a label with a name, "*" for each
 * name there is by itself; period request, hour, day, month or total.
 */
struct ai_budget {
	char scope[24], name[128], period[8];
	int64_t cap; /* nano-dollars; negative: remove it */
};

int ai_ledger_set_budget(struct ai_ledger *l, const struct ai_budget *b,
			 struct ai_err *err);

/* A limit: for a provider's key and model, "*" for any; 0: none. */
struct ai_limit {
	char key[40], model[128];
	int64_t requests, tokens; /* a minute */
};

int ai_ledger_set_limit(struct ai_ledger *l, const struct ai_limit *limit,
			struct ai_err *err);

/* ---- what was spent (ledger-report.c) ------------------------------------- */

/* Where the ledger in force is; out gets "" if that cannot be known. */
void ai_ledger_path(const char *path, char *out, size_t size);

/* A budget and what is used of it in the period of now; -1: that of "each"
 * is not one sum. */
struct ai_budget_state {
	struct ai_budget budget;
	int64_t posted, pending, resets_ms; /* resets: INT64_MAX never */
};

/* What a call may still cost: the least of what its budgets leave. */
struct ai_room {
	int64_t request; /* nano-dollars that one call may cost; INT64_MAX:
			  * no budget says so */
	int64_t left;    /* of an hour, a day, ..., after what is spent and
			  * held; negative: more than all; INT64_MAX */
};

struct ai_hold {
	char id[2 * AI_LEDGER_ID + 1]; /* hex */
	char tool[16], model[128];
	int64_t amount, created, pid;
	bool sent, alive; /* alive: or nobody can tell */
};

/* Of a provider's key and model, if there is anything to tell of it. */
struct ai_breaker {
	char key[40], model[128];
	enum ai_breaker_is { AI_CLOSED, AI_OPEN, AI_HALF_OPEN } is;
	int64_t failures;         /* in a row */
	int64_t wait_ms, held_ms; /* until it may be tried; of Retry-After */
};

/* Each calls each() once a row; what it returns ends it unless it is 0.
 * Without a ledger (NULL): the budgets that a new one has. */
int ai_ledger_budgets(struct ai_ledger *l,
		      int (*each)(void *arg, const struct ai_budget_state *b),
		      void *arg, struct ai_err *err);
/* For a call with these labels, as it stands now. Without a ledger: as in a
 * new one. */
int ai_ledger_room(struct ai_ledger *l, const struct ai_labels *labels,
		   struct ai_room *room, struct ai_err *err);
/* Each budget that such a call falls under; one of "*" has the name that it
 * means here. */
int ai_ledger_budgets_of(struct ai_ledger *l, const struct ai_labels *labels,
			 int (*each)(void *arg,
				     const struct ai_budget_state *b),
			 void *arg, struct ai_err *err);
/* The limit that holds for calls with this key and model; 0: none.  Without a
 * ledger there is none. */
int ai_ledger_limit_of(struct ai_ledger *l, const char *key, const char *model,
		       struct ai_limit *limit, struct ai_err *err);
/* How long the last of so many requests or tokens waits, ms, if all are asked
 * for now, no call is under way, and the largest call takes so many. */
int64_t ai_limit_wait(int64_t limit, int64_t units, int64_t largest);
int ai_ledger_limits(struct ai_ledger *l,
		     int (*each)(void *arg, const struct ai_limit *limit),
		     void *arg, struct ai_err *err);
int ai_ledger_breakers(struct ai_ledger *l,
		       int (*each)(void *arg, const struct ai_breaker *b),
		       void *arg, struct ai_err *err);

/* The breaker of a tool. */
struct ai_tool_breaker {
	const char *name;    /* at most 150 bytes */
	int64_t most;        /* failures in a row; 0: as for a provider */
	int64_t rest_ms;     /* then it rests; 0: likewise */
	int64_t failures;    /* how many there were */
	int64_t wait_ms;     /* until it may be called; 0: now, and if it has
			      * rested, nobody else meanwhile */
};
/* Whether it may be called: fills the last two. */
int ai_ledger_tool(struct ai_ledger *l, struct ai_tool_breaker *b,
		   struct ai_err *err);
/* A call of it has ended; one that has succeeded need not be told if there were
 * no failures. */
int ai_ledger_tool_end(struct ai_ledger *l, const struct ai_tool_breaker *b,
		       bool failed, struct ai_err *err);
int ai_ledger_holds(struct ai_ledger *l,
		    int (*each)(void *arg, const struct ai_hold *h), void *arg,
		    struct ai_err *err);
/* Those that nobody had an answer for: booked at their worst case, and not
 * corrected. pid is 0. */
int ai_ledger_unanswered(struct ai_ledger *l,
			 int (*each)(void *arg, const struct ai_hold *h),
			 void *arg, struct ai_err *err);
/* What was spent, by day, by model, ...: store/rollup.h. */

/* A date of the ledger's calendar, "2026-11-22", as its first millisecond. */
int ai_ledger_date(const char *text, int64_t *ms, struct ai_err *err);

/* What somebody did: "budget", "limit", "settle", "forget", ...; detail is a
 * JSON object. Both are borrowed. */
struct ai_event {
	int64_t seq, created; /* ms */
	const char *kind, *detail;
};
/* Appends these to the chain, in one transaction: kind and detail, an object,
 * to which the user's number is added. Kinds of the ledger's own are refused
 * (AI_E_BUG). */
int ai_ledger_note(struct ai_ledger *l, const struct ai_event *e, size_t n,
		   struct ai_err *err);
int ai_ledger_events(struct ai_ledger *l,
		     int (*each)(void *arg, const struct ai_event *e),
		     void *arg, struct ai_err *err);

/* ---- checking ------------------------------------------------------------ */

/* Calls each() with every contradiction: sums against transfers, the chain,
 * SQLite's own check. 0, or -1 if it cannot be checked. */
int ai_ledger_check(struct ai_ledger *l,
		    void (*each)(void *arg, const char *what), void *arg,
		    struct ai_err *err);

/* ---- health (ledger-health.c) ---------------------------------------------- */

/* Whether it can be written: a row is, up to the disk, and nothing of it stays.
 * AI_E_TRY_LATER: it was locked all this time; AI_E_CREATE, AI_E_IO. */
int ai_ledger_probe(struct ai_ledger *l, int wait_ms, struct ai_err *err);
/* When the newest thing in it was written, ms; 0: there is none. */
int ai_ledger_newest(struct ai_ledger *l, int64_t *ms, struct ai_err *err);

/* ---- copies (ledger-backup.c) ---------------------------------------------- */

/* A copy in one file, while others go on; it is there whole or not at all.
 * AI_E_CREATE: `to` is there, and force is not given.  AI_E_DATA: the ledger
 * contradicts itself. */
int ai_ledger_backup(struct ai_ledger *l, const char *to, bool force,
		     struct ai_err *err);

/* What became of what was there before. */
struct ai_restored {
	/* What the copy has not: dropped. nano: spent in them. */
	int64_t transfers, nano, events;
	char aside[4096]; /* where a damaged ledger went; "" */
};

/*
 * The ledger at path (NULL: as ai_ledger_open) becomes the copy, in one
 * transaction, and programs that have it open go on with it.  The copy is
 * checked first.  Without force, a ledger is not replaced that living
 * processes hold reservations in (AI_E_TRY_LATER), or that is in order and
 * has what the copy has not (AI_E_CREATE).
 */
int ai_ledger_restore(const char *path, const char *from, bool force,
		      struct ai_restored *out, struct ai_err *err);

/* Gives unused space back. The file's size before and after, bytes. */
int ai_ledger_vacuum(struct ai_ledger *l, int64_t *before, int64_t *after,
		     struct ai_err *err);

/* ---- as text (ledger-export.c, ledger-import.c) ------------------------------ */

/* Calls each() with a line of JSON for each row; what it returns ends it
 * unless it is 0.  Nothing is left out but what is only an index or a wait:
 * the cache, batches, and the sums, which follow from the rest. */
int ai_ledger_export(struct ai_ledger *l,
		     int (*each)(void *arg, const struct ai_buf *line),
		     void *arg, struct ai_err *err);
/* The same of all that hangs on one user. AI_E_USAGE: nobody knows him. */
int ai_ledger_export_user(struct ai_ledger *l, const char *user,
			  int (*each)(void *arg, const struct ai_buf *line),
			  void *arg, struct ai_err *err);
/*
 * A new ledger becomes what was exported: all of it or nothing, and only if
 * it agrees with itself.  next() gives line after line: 1, 0 at the end, -1.
 * *rows: how many.
 */
int ai_ledger_import(struct ai_ledger *l,
		     int (*next)(void *arg, struct ai_span *line,
				 struct ai_err *err), void *arg, long *rows,
		     struct ai_err *err);

/* ---- people (ledger-person.c) --------------------------------------------------- */

struct ai_forgotten {
	int64_t budgets, conversations, messages, answers, runs;
	bool log; /* the name may be in the file's log until others are done */
	bool restoring; /* it may be in what is just being restored */
};

/* Removes the user's name, what was said and answered, and his budgets, so
 * that no byte of it is left in the ledger's files; what he has cost stays,
 * under a token that means nobody.  1: done, 0: nobody knows him. */
int ai_ledger_forget(struct ai_ledger *l, const char *user,
		     struct ai_forgotten *out, struct ai_err *err);
/* The files beside the ledger that have its name with a dot behind: what a
 * restore has put aside, copies that somebody made.  They are not touched. */
int ai_ledger_beside(struct ai_ledger *l,
		     void (*each)(void *arg, const char *file), void *arg,
		     struct ai_err *err);

#endif
