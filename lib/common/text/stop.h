/* stop.h: the words that a query drops. */
#ifndef AI_TEXT_STOP_H
#define AI_TEXT_STOP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether these n bytes, lower-cased already, are one of 292 English words
 * that say nothing about a topic.  The list: the Glasgow information
 * retrieval group's stop words as scikit-learn carries them, without about
 * thirty that do carry content ("system", "fire", "computer", "detail").
 * Documents keep these words, so that their lengths count all.
 */
bool ai_stop_word(const char *word, size_t n);

#endif
