/*
 * batch.h: the journal of a batch, so that one that was ended by anything is
 * gone on with, and no answer is paid for twice.
 *
 * A line of a batch is known by the hash of what is asked (not by its place
 * in the input, which may be edited between two runs) and by its ordinal
 * among those that ask the same.  Its way is:
 *
 *	reserve  in the ledger
 *	start    the journal knows the reservation
 *	sent     in the ledger; then the call goes out
 *	answer   what came back, and what it cost
 *	post     in the ledger
 *
 * Neither start nor answer costs a sync: they are durable with the ledger's
 * next commit, and best in one transaction with it (ai_ledger_many()).
 * Killed between answer and post, the reservation is booked at what the
 * journal says (ai_ledger_sweep()); killed between sent and answer, it is
 * booked at its worst case, and the line is AI_LINE_UNCERTAIN.
 */
#ifndef AI_STORE_BATCH_H
#define AI_STORE_BATCH_H

#include "base/buf.h"
#include "base/str.h"
#include "store/ledger.h"

#define AI_BATCH_PAYLOAD 32

struct ai_batch {
	int64_t n;
};

struct ai_batch_line {
	unsigned char payload[AI_BATCH_PAYLOAD]; /* as ai_cache_key() does */
	int64_t ordinal; /* 0 for the first that asks this, 1, ... */
};

enum ai_line_state {
	AI_LINE_NEW,       /* or what was started was refused, or not sent */
	AI_LINE_UNCERTAIN, /* it was sent, and nobody knows whether it was
			    * answered and paid for */
	AI_LINE_ANSWERED,
};

/* The batch of this name, new or old, for this process alone.
 * AI_E_TRY_LATER: another one is at it, or may be, from within a container;
 * force takes it all the same. */
int ai_batch_open(struct ai_ledger *l, const char *name, bool force,
		  struct ai_batch *b, struct ai_err *err);
/* Gives it back; what it knows stays. */
int ai_batch_close(struct ai_ledger *l, const struct ai_batch *b,
		   struct ai_err *err);
/* Forgets it. 1: it was there, 0: not. Else as above. */
int ai_batch_remove(struct ai_ledger *l, const char *name, bool force,
		    struct ai_err *err);

/* An enum ai_line_state; answered: the answer is appended to out, and *amount
 * is what it cost, or -1.  Or -1. */
int ai_batch_find(struct ai_ledger *l, const struct ai_batch *b,
		  const struct ai_batch_line *line, struct ai_buf *out,
		  int64_t *amount, struct ai_err *err);
/* id: of the reservation.  Started again, its older answer goes. */
int ai_batch_start(struct ai_ledger *l, const struct ai_batch *b,
		   const struct ai_batch_line *line,
		   const unsigned char id[AI_LEDGER_ID], const char *user,
		   struct ai_err *err);
/* amount: nano-dollars, or -1: its worst case.  AI_E_BUG: not started. */
int ai_batch_answer(struct ai_ledger *l, const struct ai_batch *b,
		    const struct ai_batch_line *line, struct ai_span answer,
		    int64_t amount, const char *usage, struct ai_err *err);

/* One of the two for ai_ledger_many(): all of it is borrowed. */
struct ai_batch_step {
	const struct ai_batch *batch;
	const struct ai_batch_line *line;
	const unsigned char *id; /* of AI_LEDGER_START, and user */
	const char *user;
	struct ai_span answer;   /* of AI_LEDGER_ANSWER, and the rest */
	int64_t amount;
	const char *usage;
};

struct ai_batch_state {
	const char *name; /* borrowed */
	int64_t created, lines, answered, pid; /* pid: of one that lives, or 0 */
};
int ai_batch_list(struct ai_ledger *l,
		  int (*each)(void *arg, const struct ai_batch_state *s),
		  void *arg, struct ai_err *err);

#endif
