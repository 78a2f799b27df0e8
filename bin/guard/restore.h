/* restore.h: the verbs restore and key. */
#ifndef GUARD_RESTORE_H
#define GUARD_RESTORE_H

#include "guard.h"

struct guard_restore_settings {
	bool exact;
};
extern struct guard_restore_settings guard_restore_settings;

/* Puts values back into records, deltas, or (-R -r) bytes as they come. */
int guard_restore(int argc, char **argv, struct ai_err *err);
/* Makes a key in a file. */
int guard_key(int argc, char **argv, struct ai_err *err);

#endif
