/* validate.h: what the files of layer 0 share. */
#ifndef GUARD_VALIDATE_H
#define GUARD_VALIDATE_H

#include "guard.h"

/* An escape sequence for terminals. */
struct guard_escape {
	size_t n;           /* bytes of it */
	double score;
	const char *reason; /* static */
};

/* escape.c: the sequence that begins at p, where ESC or one of the C1 controls
 * stands that begin one.  false: none does. */
bool guard_escape_at(const char *p, size_t n, struct guard_escape *e);

/* bidi.c: whether it has letters that are written from right to left. */
bool guard_bidi_right(const char *p, size_t n);
/*
 * The controls of direction in a paragraph, from..to of the view: what
 * overrides the order of letters, and what is opened and not closed.  right:
 * the text has such letters.
 */
int guard_bidi(const struct ai_view *v, size_t from, size_t to, bool right,
	       struct guard_findings *f, struct ai_err *err);

#endif
