/*
 * features.h: what the classifier counts; for classify.c and train.c, which
 * must agree to the bit.
 *
 * The words are those of text/words.h.  Each word stands for itself, for its
 * pair with the word before, for the fours of letters in it, and so on: at most
 * FEATURES_MAX numbers a word, which are places in a table of 2^bits weights.
 */
#ifndef GUARD_FEATURES_H
#define GUARD_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEATURES_GRAMS 6 /* fours of letters of a word that count */
#define FEATURES_WORDS 9 /* of whole words */
#define FEATURES_MAX (FEATURES_WORDS + FEATURES_GRAMS)
#define FEATURES_BLOCK 8 /* words: a window moves by one block */
#define FEATURES_BLOCKS 4 /* of a window; or half as many, and so on */
#define FEATURES_STEM 4  /* letters: what inflection seldom changes */

struct feature_word {
	uint64_t hash, stem; /* of the whole word, of its first letters */
	size_t from, to;     /* its bytes */
	uint32_t before;     /* the signs between it and the word before; 0:
			      * blanks at most */
	bool first;          /* a sentence or a line begins with it */
	bool mute;           /* a letter or a number of its own: letters that
			      * were put apart, escapes; it has no features */
	unsigned char n_grams;
	uint64_t grams[FEATURES_GRAMS];
};

struct feature_words {
	const char *text;
	size_t n, at;
	uint32_t before;
	bool first;
};

void feature_words_init(struct feature_words *w, const char *text, size_t n);
/* The next word; false behind the last. */
bool feature_words_next(struct feature_words *w, struct feature_word *x);

/* A position's features: of x and the two words before it (NULL: none), those
 * of x alone first, then those with b.  Returns how many; each is below
 * 2^bits. */
size_t features_of(const struct feature_word *x, const struct feature_word *b,
		   const struct feature_word *a, unsigned bits,
		   uint32_t out[FEATURES_MAX]);
/* What a sum over so many words is multiplied by. */
double features_scale(size_t words);
/* What the best window of a text of so many bytes must have more than that of a
 * short one, to be as rare: it is the best of more. */
double features_length(size_t bytes);

#endif
