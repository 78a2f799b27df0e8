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

/* Places by what stands there, and whether that was asked or quoted as well. */
struct guard_told_slots {
	uint32_t *v; /* owned: twice (the place plus 1), and 1; 0: free */
	size_t n;    /* a power of two */
};

/* The instructions without anything between their letters: what every few of
 * them, the last ones before a place, are. */
struct guard_told_letters {
	struct ai_buf hashes; /* uint64_t each */
	struct guard_told_slots slots;
	uint64_t maybe[256];
	uint64_t base, weight; /* of the hash: odd, and its power */
	size_t n;             /* letters */
};

struct guard_told {
	struct ai_buf text;  /* for reading */
	struct ai_buf words; /* of the instructions, uint64_t each: hashed */
	struct ai_buf weights; /* a byte each: half words */
	size_t n;
	struct guard_told_slots runs; /* of words: where they begin */
	uint64_t maybe[256]; /* bits of the words' hashes: none, no such word */
	struct ai_buf seen;  /* for leak.c: a byte a word */
	struct guard_told_letters letters;
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

#define GUARD_TOLD_RUN 4  /* words */
#define GUARD_TOLD_SKIP 3 /* words in a row that the instructions have not */

/* The last words of a text, or of every second of these, and where they begin. */
struct guard_told_last {
	uint64_t hash[GUARD_TOLD_RUN];
	size_t from[GUARD_TOLD_RUN];
	unsigned gaps; /* bits: others were left out before the last, ... */
	size_t n;
};

/*
 * The ways to read a text: its words; these backwards; every second, from the
 * first on or from the second; every third.  Words that the instructions have
 * not are left out, up to GUARD_TOLD_SKIP in a row.
 */
enum guard_told_way {
	GUARD_TOLD_WORDS, GUARD_TOLD_BACK, GUARD_TOLD_SECOND,
	GUARD_TOLD_THIRD = GUARD_TOLD_SECOND + 2,
	GUARD_TOLD_WAYS = GUARD_TOLD_THIRD + 3
};

struct guard_told_reader {
	struct guard_told_last last[GUARD_TOLD_WAYS];
	size_t known;   /* words so far */
	size_t skipped; /* in a row, before the next */
};

struct ai_words;
uint64_t guard_told_hash(const struct guard_told *t, const struct ai_words *w);
/* A word that counts half: such scripts have a word a letter. */
unsigned guard_told_weight(const struct ai_words *w);
/* One more word, which begins at from.  false: the instructions do not have it. */
bool guard_told_read_word(const struct guard_told *t,
			  struct guard_told_reader *r, uint64_t word,
			  size_t from);
/* What a way to read has for the last word: where the instructions have its last
 * GUARD_TOLD_RUN, the index of the first of these; SIZE_MAX: they do not, it was
 * asked as well, or the word is none of this way. */
size_t guard_told_find(const struct guard_told *t,
		       const struct guard_told_reader *r,
		       enum guard_told_way way);

/* ---- letters (told-letters.c) -------------------------------------------------------- */

#define GUARD_TOLD_LETTERS 16 /* that are compared at once */
#define GUARD_TOLD_STEP 8     /* letters from one place to the next */

/* The last letters of a text. */
struct guard_told_spelled {
	uint32_t cp[GUARD_TOLD_LETTERS];
	uint64_t hash;
	size_t n;
};

void guard_told_init_letters(struct guard_told *t);
/* One more of the instructions' letters.  Errors stay in the buffer. */
void guard_told_add_letter(struct guard_told *t, struct guard_told_spelled *s,
			   uint32_t cp);
int guard_told_index_letters(struct guard_told *t, struct ai_err *err);
/* One more letter of a text: the number of the place that the instructions have
 * the last GUARD_TOLD_LETTERS at, or SIZE_MAX.  asked: they may be said from now
 * on. */
size_t guard_told_spell(struct guard_told *t, struct guard_told_spelled *s,
			uint32_t cp, bool asked);

/* Makes room for n places, all free.  AI_E_MEMORY. */
int guard_told_slots_clear(struct guard_told_slots *s, size_t n,
			   struct ai_err *err);

static inline uint64_t guard_told_mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 29;
}

#endif
