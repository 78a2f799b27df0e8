/* warden.h: the process between us and a program: see child.h. */
#ifndef AGENT_WARDEN_H
#define AGENT_WARDEN_H

#include "cage/cage.h"

struct agent_warden {
	const char *path;        /* what is run */
	const char *const *argv, *const *env;
	const char *dir;
	const struct agent_cage *cage;
	int in, out, err;  /* that the program gets */
	int started;       /* gets the errno of what failed, or is closed when
			    * the program runs */
	int done;          /* gets an agent_warden_end once nothing is alive */
	int alive;         /* all are killed when it is closed; a byte is a
			    * signal for the program */
	int hold;          /* kept open; -1 */
	int grace_ms, linger_ms; /* see child.h */
};

enum agent_warden_why {
	WARDEN_ENDED,   /* by itself */
	WARDEN_STOPPED, /* alive was closed */
	WARDEN_DISK,    /* it wrote more than its cage lets it */
	WARDEN_CROWD,   /* it had more processes */
	WARDEN_MEMORY,  /* they had more memory */
};

struct agent_warden_end {
	enum agent_warden_why why;
	int status; /* as of waitpid() */
};

/* In the child of a fork(), perhaps of a process with threads: only system
 * calls. */
void agent_warden_run(const struct agent_warden *w)
	__attribute__((noreturn));

#endif
