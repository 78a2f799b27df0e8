/*
 * tally.h: how often each key came.
 *
 * Keys are hashes: evenly spread, and long enough that no two things have the
 * same one.  A row takes 20 bytes, and a table is at most three quarters full.
 */
#ifndef AI_BASE_TALLY_H
#define AI_BASE_TALLY_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define AI_TALLY_KEY 16

struct ai_tally_row {
	unsigned char key[AI_TALLY_KEY];
	uint32_t n; /* 0: the row is free */
};

struct ai_tally { /* { NULL, 0, 0 } is an empty one */
	struct ai_tally_row *v;
	size_t n, cap;
};

void ai_tally_release(struct ai_tally *t);
/* Counts the key: how often it came before, or -1 with AI_E_MEMORY. */
int64_t ai_tally_add(struct ai_tally *t, const unsigned char key[AI_TALLY_KEY],
		     struct ai_err *err);

#endif
