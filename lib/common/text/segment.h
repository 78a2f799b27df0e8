/*
 * segment.h: where text may be broken: words, sentences, lines, paragraphs.
 *
 * All of it is local: a look a few characters back and forth, no state and
 * no table of the whole text, so that the answer for one place costs the same
 * in a line as in a gigabyte.  The text is valid UTF-8 (in other bytes the
 * answers are odd, but nothing is read outside p[0..n)).
 *
 * A break is a place between two units: the blanks before it belong to
 * neither.  So it is always the first byte of something visible.
 *
 * The rules are our own, made for prose in Western and East Asian languages,
 * for Markdown and for source code.  Terms follow Unicode's UAX #29.
 */
#ifndef AI_TEXT_SEGMENT_H
#define AI_TEXT_SEGMENT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* What kinds of unit end at a place; a paragraph's end is all of them. */
enum ai_break {
	AI_BREAK_WORD = 1,
	AI_BREAK_SENTENCE = 2,
	AI_BREAK_LINE = 4,
	AI_BREAK_PARAGRAPH = 8, /* behind an empty line or a form feed */
};
#define AI_BREAK_ALL 15u

/*
 * Blanks: Unicode's White_Space without the no-break ones.  Bytes of the
 * blank at p, of the one that ends at p + at (before), or 0.
 */
size_t ai_blank_len(const char *p, size_t n);
size_t ai_blank_before(const char *p, size_t at);
/* The first byte at or behind at that begins no blank; n if there is none. */
size_t ai_blank_skip(const char *p, size_t n, size_t at);
/* The end of the last character before at that is no blank; at least from. */
size_t ai_blank_trim(const char *p, size_t from, size_t at);

/*
 * The kinds of unit that end at this place, as bits, or 0 if it is inside a
 * word or a blank.  Both ends of the text are breaks of all kinds.
 */
unsigned ai_break_at(const char *p, size_t n, size_t at);

/* Those of these kinds alone: leaving sentences out saves most of the work. */
unsigned ai_break_in(const char *p, size_t n, size_t at, unsigned kinds);

/* The first place behind at where one of these kinds ends; n at the latest. */
size_t ai_break_next(const char *p, size_t n, size_t at, unsigned kinds);

/*
 * Whether a user sees the characters on both sides as one: a base with its
 * accents, CR LF, the parts of an emoji.  An approximation of extended
 * grapheme clusters, without Hangul jamo, Indic conjuncts and flags.
 */
bool ai_break_splits_char(const char *p, size_t n, size_t at);

/*
 * The next unit of a kind, without blanks around it; *at is where to look
 * and moves on.  False when only blanks are left.
 *
 *	size_t at = 0;
 *	while (ai_segment_next(p, n, &at, AI_BREAK_SENTENCE, &s))
 */
bool ai_segment_next(const char *p, size_t n, size_t *at, enum ai_break kind,
		     struct ai_span *unit);

#endif
