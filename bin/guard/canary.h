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

/* Where one of them was found, or a part of it. */
struct guard_canary_hit {
	size_t from, to; /* bytes of the text */
	size_t letters;  /* that are there */
};
typedef int guard_canary_each(void *arg, const struct guard_canary_hit *hit);
/*
 * Calls each() for every place that has the canary: half of it or more in a row,
 * in any case, whatever stands between its letters, backwards, in an alphabet
 * that is moved or mirrored, or with digits for letters; all of it with up to
 * four letters between any two; in the first or last letters of words, or the
 * first of lines; or three of its four groups near each other.  -1: each() did.
 * Linear in the text.
 */
int guard_canary_find(const struct guard_canary *c, struct ai_span text,
		      guard_canary_each *each, void *arg);

/* The verb: records get their canary. */
int guard_canary(int argc, char **argv, struct ai_err *err);

#endif
