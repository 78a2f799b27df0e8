/*
 * canary.h: a word that nobody says by chance, planted in what a model is told.
 * If it comes out, so has what it stood in; if it was to be repeated and is
 * not, the model has listened to somebody else.
 *
 * It follows from a key and from what the record is called, so that nothing is
 * kept anywhere: four syllables of letters that are pronounced, 64 bits.
 */
#ifndef GUARD_CANARY_H
#define GUARD_CANARY_H

#include "base/err.h"
#include "record/loop.h"

#include <stdbool.h>
#include <stdint.h>

#define GUARD_CANARY_LETTERS 20

enum guard_canary_use { GUARD_CANARY_LEAK, GUARD_CANARY_REPEAT };

struct guard_canary {
	bool known; /* there is a key */
	char letters[GUARD_CANARY_LETTERS];
};

struct guard_canary_settings {
	const char *key;     /* --canary-key */
	const char *session; /* --session */
	bool repeat;         /* --repeat */
};
extern struct guard_canary_settings guard_canary_settings;

/* Reads the key, once, before any record. */
int guard_canary_load(struct ai_err *err);
void guard_canary_unload(void);
/* The canary of the session, or of the record by its id, or of the key. */
void guard_canary_make(struct guard_canary *c, enum guard_canary_use use,
		       const struct ai_rec *rec);

/* Where one of them was found, or most of it. */
struct guard_canary_hit {
	size_t from, to; /* bytes of the text */
	size_t letters;  /* that are there, in a row */
};
/*
 * The next place at or behind *at with at least half of the canary, in any case,
 * whatever stands between its letters, also backwards and in rot13; false: none.
 */
struct guard_canary_scan {
	const char *p;
	size_t n, at;
	uint64_t wanted[4 * (GUARD_CANARY_LETTERS / 2 + 1)];
	uint64_t maybe[1024 / 64]; /* the last ten bits of those, as bits */
	uint64_t window;
	size_t have, from[GUARD_CANARY_LETTERS];
	size_t next; /* place in from[] */
};
void guard_canary_scan(struct guard_canary_scan *s,
		       const struct guard_canary *c, const char *p, size_t n);
bool guard_canary_next(struct guard_canary_scan *s,
		       struct guard_canary_hit *hit);

/* The verb: records get their canary. */
int guard_canary(int argc, char **argv, struct ai_err *err);

#endif
