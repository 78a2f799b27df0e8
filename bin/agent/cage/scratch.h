/*
 * scratch.h: the folder for temporary files of the programs of a process.
 *
 * It is locked as long as its owner lives (flock(2)), which the kernel ends with
 * him, however he ends.  So who makes one finds those of the dead, and removes
 * them.
 */
#ifndef AGENT_SCRATCH_H
#define AGENT_SCRATCH_H

#include "base/err.h"

struct agent_scratch {
	char *path; /* owned; NULL: none was made */
	int lock;   /* a descriptor of it, if there is a path */
};

/* One below TMPDIR or /tmp; those of the dead there are removed.
 * AI_E_CREATE. */
int agent_scratch_make(struct agent_scratch *s, struct ai_err *err);
/* Removes it with all that is in it. */
void agent_scratch_release(struct agent_scratch *s);

#endif
