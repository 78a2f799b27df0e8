/*
 * tape.h: what providers answered, recorded, and played again without them.
 *
 * A recording is a file of JSON lines, one an attempt, in the order in which
 * they ended: what was sent (never the key), and the answer as it came, with
 * its status and its errors.  A request is known by its path and body, so
 * that neither the address nor the key matters when it is played.  The n-th
 * of the same requests gets the n-th answer; the last one again when there are
 * no more.
 */
#ifndef AI_MODEL_TAPE_H
#define AI_MODEL_TAPE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct ai_exchange;
struct ai_tape_entry;

struct ai_tape {
	int record, play; /* descriptors; -1: not open */
	struct ai_tape_entry *v; /* of what is played, by key */
	size_t n, cap;
	struct ai_buf line;
};

/* Opens what ai_client.record and .replay name.  AI_E_OPEN, AI_E_CREATE,
 * AI_E_DATA (what is played is no recording, with the line). */
int ai_tape_open(struct ai_tape *t, struct ai_err *err);
void ai_tape_release(struct ai_tape *t); /* one that is all zero is fine, too */

/* The attempt of x is over: appends it.  rc and err: of the transfer. */
int ai_tape_add(struct ai_tape *t, const struct ai_exchange *x, int rc,
		const struct ai_err *why, struct ai_err *err);
/*
 * Fills x->answer as if a server had said it, and feeds a stream.  Returns
 * what the transfer would have.  AI_E_UNAVAILABLE also: the recording lacks the
 * request.
 */
int ai_tape_play(struct ai_tape *t, struct ai_exchange *x,
		 struct ai_err *err);

#endif
