/* names.h: a list of file names, each ended by NUL, as find -print0 writes
 * it. */
#ifndef AI_BASE_NAMES_H
#define AI_BASE_NAMES_H

#include "base/buf.h"
#include "base/err.h"

struct ai_names {
	char **v;  /* owned; the names are in text */
	int n;
	struct ai_buf text;
};

/* From this file; "-" is standard input.  The last name may lack its NUL.
 * -1: AI_E_OPEN, AI_E_IO, AI_E_TOO_LONG (64 MiB), AI_E_MEMORY; release it then,
 * too. */
int ai_names_read(struct ai_names *names, const char *path, struct ai_err *err);
void ai_names_release(struct ai_names *names);

#endif
