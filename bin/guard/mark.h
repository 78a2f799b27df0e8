/*
 * mark.h: texts that are not to be trusted, written so that a model can tell
 * them from what it was told ("spotlighting", Hines et al., 2024): between
 * delimiters that cannot be foreseen, with a mark for every blank, or encoded.
 */
#ifndef GUARD_MARK_H
#define GUARD_MARK_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

#define GUARD_MARK_MODES "delimit|datamark|encode"
enum guard_mark_mode { GUARD_MARK_DELIMIT, GUARD_MARK_DATAMARK,
		       GUARD_MARK_ENCODE };

struct guard_mark_settings {
	int mode;           /* --mode */
	const char *marker; /* --marker */
	bool undo;          /* --undo */
};
extern struct guard_mark_settings guard_mark_settings;

/*
 * Appends the text with its mark; number is that of a source, 0: it is alone.
 * Signs of chat templates and the marker itself are broken by a blank each:
 * returns how many.
 */
size_t guard_mark_put(struct ai_buf *out, enum guard_mark_mode mode,
		      const char *marker, size_t number, struct ai_span text);
/* Appends the text that was marked so, to the byte if nothing was broken in it.
 * -1: it was not; out has no more than before. */
int guard_mark_undo(struct ai_buf *out, enum guard_mark_mode mode,
		    const char *marker, struct ai_span text);

/* The verb: argv are files of records. */
int guard_mark(int argc, char **argv, struct ai_err *err);

#endif
