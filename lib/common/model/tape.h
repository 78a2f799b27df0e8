/*
 * tape.h: what providers answered, recorded, and played again without them.
 *
 * A recording is a file of JSON lines, one an attempt, in the order in which
 * they ended: what was sent (never the key), and the answer as it came, with
 * its status and its errors.  A request is known by its path and body, so
 * that neither the address nor the key matters when it is played.  The n-th
 * of the same requests, in the order in which they are made, gets what the n-th
 * one got, retries included, however many were under way at once; the last
 * one again when there are no more.
 */
#ifndef AI_MODEL_TAPE_H
#define AI_MODEL_TAPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/tally.h"

#include <stdbool.h>
#include <stddef.h>

struct ai_exchange;
struct ai_tape_entry;

struct ai_tape {
	int record, play; /* descriptors; -1: not open */
	struct ai_tape_entry *v; /* of what is played, by key */
	size_t n, cap;
	struct ai_buf line;
	struct ai_tally tally;   /* of requests */
	char run[17];            /* what its lines are known by */
};

/* Opens what ai_client.record and .replay name.  AI_E_OPEN, AI_E_CREATE,
 * AI_E_DATA (what is played is no recording, with the line). */
int ai_tape_open(struct ai_tape *t, struct ai_err *err);
void ai_tape_release(struct ai_tape *t); /* one that is all zero is fine, too */

/*
 * The request of x is written, and nothing has changed it (a budget may make it
 * shorter): from now on it is known by this.  *ordinal: which of the same it is
 * (-1: the next one, which is told then); NULL is fine.  Again, it does nothing.
 */
int ai_tape_name(struct ai_tape *t, struct ai_exchange *x, int64_t *ordinal,
		 struct ai_err *err);
/* The attempt of x is over: appends it.  rc and err: of the transfer. */
int ai_tape_add(struct ai_tape *t, const struct ai_exchange *x, int rc,
		const struct ai_err *why, struct ai_err *err);
/* Its attempt was not made, since the ledger refused it: so that it will be when
 * it is played, where nothing is booked. */
int ai_tape_add_refused(struct ai_tape *t, const struct ai_exchange *x,
			const struct ai_err *why, struct ai_err *err);
/*
 * Fills x->answer as if a server had said it, and feeds a stream.  Returns
 * what the transfer would have.  AI_E_UNAVAILABLE also: the recording lacks the
 * request.
 */
int ai_tape_play(struct ai_tape *t, struct ai_exchange *x,
		 struct ai_err *err);

#endif
