/*
 * told.h: what the model was told, as its record says: the instructions that it
 * should keep to itself, what was asked and quoted beside them, which it may
 * repeat, and the canaries that were planted.
 */
#ifndef GUARD_TOLD_H
#define GUARD_TOLD_H

#include "base/buf.h"
#include "canary.h"
#include "subject.h"

#include <stdint.h>

#define GUARD_TOLD_MAX ((size_t)1 << 20) /* more instructions are not looked at */

struct guard_told {
	struct ai_buf text;  /* for reading */
	struct ai_buf words; /* of the instructions, uint64_t each: hashed */
	struct ai_buf weights; /* a byte each: half words */
	size_t n;
	uint32_t *slots;     /* owned: runs of words: where they begin, and 1 */
	size_t n_slots;      /* a power of two */
	uint64_t maybe[256]; /* bits of the words' hashes: none, no such word */
	struct ai_buf seen;  /* for leak.c: a byte a word */
	uint64_t seed;
	struct guard_canary leak, repeat;
	bool repeated;       /* the second was seen */
	const struct guard_texts *texts; /* of the record that is read */
};

struct guard_told_settings {
	const char *prompt; /* --prompt: instructions that no record has */
	int64_t words;      /* --leak-words */
};
extern struct guard_told_settings guard_told_settings;

/* Reads --prompt, once, before any record. */
int guard_told_load(struct ai_err *err);
void guard_told_unload(void);

void guard_told_init(struct guard_told *t);
void guard_told_release(struct guard_told *t);
/* What the record says, if any of the texts that are looked at is an answer:
 * these are not what was asked.  AI_E_MEMORY. */
int guard_told_read(struct guard_told *t, const struct ai_rec *rec,
		    const struct guard_texts *texts, struct ai_err *err);

/* ---- runs of words ----------------------------------------------------------------- */

#define GUARD_TOLD_RUN 4 /* words */

/* The last words of a text that is gone through. */
struct guard_told_last {
	uint64_t hash[GUARD_TOLD_RUN];
	size_t n; /* since one that the instructions have not */
};

struct ai_words;
uint64_t guard_told_hash(const struct guard_told *t, const struct ai_words *w);
/* A word that counts half: such scripts have a word a letter. */
unsigned guard_told_weight(const struct ai_words *w);
/* One more word.  Where the instructions have the last GUARD_TOLD_RUN, the
 * index of the first of these; SIZE_MAX: they do not. */
size_t guard_told_find(const struct guard_told *t, struct guard_told_last *l,
		       uint64_t word);

#endif
