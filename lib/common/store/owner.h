/* owner.h: which process holds something, and whether it still lives. */
#ifndef AI_STORE_OWNER_H
#define AI_STORE_OWNER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A process, also after its number was given to another one. */
struct ai_owner {
	int64_t pid;
	int64_t start; /* clock ticks after boot: /proc/PID/stat, field 22 */
	int64_t space; /* the PID namespace its number belongs to */
	char boot[40]; /* the boot it ran under */
};

enum ai_owner_state {
	AI_OWNER_ALIVE,
	AI_OWNER_DEAD,
	AI_OWNER_REBOOTED, /* it ran before the last boot, or elsewhere */
	AI_OWNER_UNKNOWN,  /* in another PID namespace: nobody can tell */
};

/* This process. Asked once; AI_E_OS without /proc. */
int ai_owner_self(struct ai_owner *o, struct ai_err *err);
enum ai_owner_state ai_owner_state(const struct ai_owner *o);
/* It lives, but does nothing until somebody lets it go on (SIGCONT). */
bool ai_owner_stopped(const struct ai_owner *o);

#endif
