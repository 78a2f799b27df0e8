/*
 * events.h: what was found and what was done about it, for who watches: lines
 * in a file (--events), and in the ledger's chain of events what records were
 * changed or held back for.
 *
 * Neither has a word of a text, nor an id, but its hash.  What was found is told apart by a hash under a
 * key that each run makes anew: the same value has the same hash in one run,
 * and nobody can try values.
 */
#ifndef GUARD_EVENTS_H
#define GUARD_EVENTS_H

#include "guard.h"

struct guard_events_settings {
	const char *file;   /* --events; NULL: none */
	const char *ledger; /* --ledger; NULL: where it always is */
	bool audit;         /* what was done goes into the ledger */
};
extern struct guard_events_settings guard_events_settings;

/* Where something was found. */
struct guard_case {
	const struct ai_rec *rec;
	const char *path;  /* of the text */
	const char *named; /* of that, what -p names; or NULL */
	enum guard_context context;
	struct ai_span text;
	const struct guard_finding *v; /* in this text alone */
	size_t n;
};

/* One worker's. */
struct guard_events {
	struct ai_buf lines, id, path; /* being written */
	struct ai_buf details;   /* for the ledger, a line each */
	size_t n;                /* of details */
	struct ai_ledger *ledger; /* opened by the first of them */
};

/* Opens the file, before any worker.  AI_E_CREATE. */
int guard_events_start(struct ai_err *err);
/* -1: the file could not be closed: AI_E_IO. */
int guard_events_end(struct ai_err *err);

void guard_events_init(struct guard_events *e);
void guard_events_release(struct guard_events *e);

/*
 * Tells of the findings, if something is done about them: writes the lines, and keeps what is for the ledger until the flush.
 * AI_E_IO: the file cannot be written.
 */
int guard_events_note(struct guard_events *e, const struct guard_case *c,
		      struct ai_err *err);
/* What is for the ledger goes there, as one transaction.  Errors of the ledger
 * end the program: what is done must not go unnoticed. */
int guard_events_flush(struct guard_events *e, struct ai_err *err);

#endif
