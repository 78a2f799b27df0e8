/*
 * phrases.h: tables of phrases, which tools/mkphrases.c makes of
 * data/guard/phrases, and words as they are compared with them.
 */
#ifndef GUARD_PHRASES_H
#define GUARD_PHRASES_H

#include "guard.h"

#include "text/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHRASE_WORDS 60  /* a phrase's, with what stands between them */
#define PHRASE_BYTES 640 /* of these */
#define PHRASE_SLOTS 4
#define PHRASE_LISTS_MAX 64
#define PHRASE_RULES_MAX 32
#define PHRASE_BUCKETS 128

/*
 * Words in lower case, without accents, with a blank behind each.  Of a script
 * that puts no blanks between words each sign is one; it costs 1, a word 2.
 */
struct phrase_words {
	size_t n;
	char text[PHRASE_BYTES];
	uint16_t len;
	uint16_t at[PHRASE_WORDS + 1];   /* in text[] */
	uint16_t from[PHRASE_WORDS], to[PHRASE_WORDS]; /* what was read */
	uint8_t cost[PHRASE_WORDS];
	bool ended; /* with the sentence, or the text */
};

/* Reads up to max words of p[0..n), and no further than a sentence goes. */
void phrase_words_read(struct phrase_words *w, const char *p, size_t n,
		       size_t max);

/* One of a list: its words, as above, without the last blank. */
struct phrase_item {
	const char *text;
	uint8_t n;
	bool stem; /* its last word may go on */
};

/* Lists are by what an item begins with: items[bucket[list][b]] to
 * items[bucket[list][b + 1]]. */
unsigned phrase_bucket(const char *text);

struct phrase {
	uint8_t rule, n;
	uint8_t anchor; /* the slot that the automaton finds */
	uint8_t list[PHRASE_SLOTS];
	uint8_t between[PHRASE_SLOTS]; /* words before the slot, at most */
	double rate; /* of harmless texts that have it */
	const char *reason;
};

struct phrase_sign {
	const char *text; /* "\n...": at the beginning of a line */
	uint8_t n, rule;
	uint8_t turn;  /* a bit of those that */
	uint8_t after; /* stand in lines before this; 0: it stands alone */
	double rate;
	const char *reason;
};

struct phrases {
	const struct phrase_item *items;
	const uint16_t (*bucket)[PHRASE_BUCKETS + 1];
	const char *const *rules; /* names */
	size_t n_rules;
	const struct phrase *phrases; /* by the list of their anchor */
	const uint16_t *of_list;  /* phrases[of_list[k]] to of_list[k + 1] */
	size_t n_lists;
	int not_list, talk_list;
	const struct phrase_sign *signs;
	/* Of each key: a list, or n_lists and more: a sign; whether a word ends
	 * with it. */
	const uint16_t *key_of;
	const uint8_t *key_len, *key_whole;
	const struct ai_match *match;
};

/* What the build makes of data/guard/phrases. */
extern const struct phrases guard_phrases;

/* Notes what at most this rate of harmless texts have. */
int phrases_find(const struct ai_view *v, double rate, struct guard_findings *f,
		 struct ai_err *err);

#endif
