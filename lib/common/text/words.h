/* words.h: text as lower-cased words, the same on every machine. */
#ifndef AI_TEXT_WORDS_H
#define AI_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_WORD_MAX 64 /* code points; a longer run is cut into several */

/*
 * Runs of letters, digits and marks.  Ideographs, kana and other scripts
 * that put no blanks between words give one word a code point.  Bytes that
 * are not UTF-8 separate words.
 */
struct ai_words {
	const char *p, *end; /* p: where the word found last ends */
	const char *from;    /* and where it begins */
	uint32_t cp[AI_WORD_MAX]; /* the word found last, lower-cased */
	size_t n;
};

void ai_words_init(struct ai_words *w, const char *text, size_t n);
/* The next word into w->cp and w->n; false behind the last. */
bool ai_words_next(struct ai_words *w);

/* The lower case of a code point, in the scripts that have one; simple
 * mapping, without locale. */
uint32_t ai_lower(uint32_t cp);

#endif
