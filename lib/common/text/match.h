/*
 * match.h: many words at once, found in one pass (Aho-Corasick).
 *
 * The tables are constant: a tool of the build writes them as C, so that a
 * program has nothing to do at its start; ai_match_new() makes the same ones
 * at run time.  Bytes stand for classes; with AI_MATCH_CASELESS a letter and
 * its capital are one.
 *
 * Most of a text begins no word.  So there is a set of all three classes that
 * a word can begin with: the automaton runs only where one of them stands,
 * and no longer than it is three bytes deep.
 */
#ifndef AI_TEXT_MATCH_H
#define AI_TEXT_MATCH_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum ai_match_flag {
	AI_MATCH_CASELESS = 1, /* of ASCII letters */
};

/* Words are 2 to this many bytes long. */
#define AI_MATCH_WORD_MAX 255
/* More states than this are refused. */
#define AI_MATCH_STATES_MAX 65535
/* Words of three classes of 6 bits each, as bits. */
#define AI_MATCH_BEGINS ((1u << 18) / 8)

struct ai_match {
	const uint8_t *class_of;  /* [256]; 0: in no word */
	const uint8_t *begins;    /* [AI_MATCH_BEGINS] */
	const uint16_t *next;     /* [states * classes] */
	/* What ends in a state: words[ends[s]] to words[ends[s + 1]]. */
	const uint16_t *ends;     /* [states + 1] */
	const uint16_t *words;
	uint32_t states, classes;
	uint32_t deep;            /* the first state that is 3 bytes deep */
	uint32_t n_words;         /* in words[] */
};

/*
 * Calls each() for every place where a word ends, in the order of the text,
 * until it returns nonzero; returns that, or 0.  end is the byte behind it.
 */
int ai_match_scan(const struct ai_match *m, struct ai_span text,
		  int (*each)(void *arg, unsigned word, size_t end), void *arg);

/*
 * Makes the tables for n words, which are not kept; the same word may come
 * twice.  -1: AI_E_DATA (a word's length, too many states), AI_E_MEMORY.
 */
int ai_match_new(struct ai_match **m, const struct ai_span *words, size_t n,
		 unsigned flags, struct ai_err *err);
void ai_match_free(struct ai_match *m);

#endif
