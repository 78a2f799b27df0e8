/* stem.h: English words without their endings. */
#ifndef AI_TEXT_STEM_H
#define AI_TEXT_STEM_H

#include <stddef.h>

/*
 * Porter's stem ("An algorithm for suffix stripping", Program 14, 1980) of
 * word[0..n), lower-cased; returns its length, at most n.  As his own program
 * has it, words of one or two letters stay.  Bytes that are no letters count
 * as consonants.  Words of more than 64 bytes stay as well.
 */
size_t ai_stem_porter(char *word, size_t n);

#endif
