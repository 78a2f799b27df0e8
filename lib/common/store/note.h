/*
 * note.h: notes that all runs within one share, as long as that one is kept.
 *
 * A note has a key and a text; the last text that was written under a key
 * counts, and an empty one takes the note away.  Each writing is named by the
 * call that does it, so that one that is done again after a crash changes
 * nothing, whatever was written since.  A note says whose words it may be.
 */
#ifndef AI_STORE_NOTE_H
#define AI_STORE_NOTE_H

#include "base/buf.h"
#include "base/str.h"
#include "store/ledger.h"
#include "store/run.h"

#define AI_NOTE_KEY 200     /* bytes at most, and one at least */
#define AI_NOTE_TEXT 65536  /* likewise; none takes the note away */
#define AI_NOTES_MAX 10000  /* writings in a run */
#define AI_NOTE_BY 65       /* bytes, with the NUL */

/* Spans are borrowed. */
struct ai_note {
	struct ai_span key, text;
	const char *by;   /* whose words it may be; "": nobody else's */
	int64_t created;  /* ms; of one that is read */
};

/* Writes it, for the run root and all within it.  call: 1 to 79 bytes; one of
 * this name has been before: nothing is done.  It costs no sync.  AI_E_USAGE:
 * there is no such run; AI_E_TOO_LONG: it, or there are too many. */
int ai_note_put(struct ai_ledger *l, const char *root, const char *call,
		const struct ai_note *n, struct ai_err *err);
/* The text under this key is appended: 1; or 0: there is none. */
int ai_note_get(struct ai_ledger *l, const char *root, struct ai_span key,
		struct ai_buf *text, char by[AI_NOTE_BY], struct ai_err *err);
/* All that there are, by their keys; what each() returns ends it unless it is
 * 0. */
int ai_note_list(struct ai_ledger *l, const char *root,
		 int (*each)(void *arg, const struct ai_note *n), void *arg,
		 struct ai_err *err);

#endif
