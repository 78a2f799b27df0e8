/*
 * view.h: a text as it may be meant to be read, with the way back.
 *
 * A text can say something that its bytes do not show: in full-width letters,
 * in base64, backwards.  A view is what comes out when that is undone; each of
 * its bytes knows the bytes of the original text that it comes from.  A view
 * may have views of its own, to a depth.
 *
 * The views, each made only where it differs from what it is made of:
 *
 *	normal    all of it: compatibility forms, letters nobody sees, letters
 *	          of other scripts and signs of money inside Latin words,
 *	          stacked accents.  Where it exists, the others are made from it
 *	base64, base32, hex       what was encoded, a line a piece
 *	codes     numbers that stand for letters
 *	percent, entity, escape   the passages in which something was escaped
 *	hidden    comments, invisible elements and attributes of HTML; what
 *	          Markdown's links do not show
 *	rot13, reversed, leet, spaced   passages that are no language as they
 *	          stand, but are when that is undone
 *
 * Pieces of a view are put apart by a newline, which comes from no byte.
 */
#ifndef AI_TEXT_VIEW_H
#define AI_TEXT_VIEW_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many encodings are undone one after the other. */
#define AI_VIEW_DEPTH 2

struct ai_view {
	const char *name;         /* "text", "normal", "base64", ...; static */
	const struct ai_view *of; /* what it was made from; NULL: the text */
	int depth;                /* of the text: 0; of its normal view too */
	struct ai_span text;      /* UTF-8, or as the text is */
	/* Where in the original text each byte comes from, and one more: the
	 * end.  NULL: it is the original text.  It never falls. */
	const uint32_t *at;
	const uint32_t *end; /* where what each byte comes from ends */
	bool back;           /* it runs backwards: at never rises */
	bool better;         /* its normal view, shown next, says all of it */
	bool spaced;         /* it may have letters that are spaced */
};

/*
 * The bytes of the original text that from..to of the view come from: all of
 * what any of these bytes comes from, so that six bits of a byte are its whole
 * character of base64.
 */
void ai_view_span(const struct ai_view *v, size_t from, size_t to,
		  size_t *original_from, size_t *original_to);

/*
 * The next letters with something between any two, as the view "spaced" shows
 * them: from..to, at or behind *to, which begins as 0.  They are no words as
 * they stand.  false: there are no more.
 */
bool ai_view_next_spaced(struct ai_span text, size_t *from, size_t *to);

/*
 * Calls each() with every view of the text, the text itself first, until it
 * returns nonzero: returns that, or 0; -1: AI_E_MEMORY, or AI_E_TOO_LONG for a
 * text of 4 GiB.  A view is gone when each() returns, unless it has views of
 * its own: then it is there while these are shown (of).  All views together
 * are at most four times as long as the text, and a little: what is nested
 * deeper is cut first.  Time and memory are linear in the text.
 */
int ai_views(struct ai_span text,
	     int (*each)(void *arg, const struct ai_view *v), void *arg,
	     struct ai_err *err);

#endif
