/*
 * child.h: a program that works for the agent, with everything that it starts.
 *
 * Between us and the program stands a warden, a process of ours that is the
 * parent of all that the program leaves behind.  When the program is to end,
 * or has ended, or we have died (kill -9), the warden kills what is left of
 * the tree, also what double-forked, left the group or ignores SIGTERM, and
 * only when nothing is left ends itself.
 *
 * SIGPIPE is ignored in our process (base/sig.h).
 */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "cage/cage.h"
#include "cage/pollset.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct agent_child_spec {
	const char *name;              /* for messages: the tool's */
	const char *const *argv;       /* argv[0] without a slash: along PATH of
					* env */
	const char *const *env;        /* all that it gets; NULL ends it */
	const char *dir;               /* it begins here */
	const struct agent_cage *cage; /* NULL: none */
	int hold;          /* a descriptor that the warden has open as long as
			    * anything of the tree is alive; -1: none */
	struct ai_span input; /* what it reads, then end of file; copied */
	bool talks;        /* its input stays open: agent_child_send() */
	size_t max_out;    /* of output that nobody has taken yet: one that
			    * talks waits then, others are killed */
	size_t max_err;    /* of stderr: what comes later is dropped */
	double timeout_s;  /* 0: none */
	int grace_ms;          /* when we die it gets SIGTERM, and so much time
				* to end.  0: all is killed at once */
	int linger_ms;         /* what it leaves behind then, or if it has died,
				* has so much time to end by itself; grace_ms if
				* we have told it to end.  For what may not be
				* lost, such as an answer that is paid for */
};

enum agent_child_end {
	AGENT_CHILD_RUNS,
	AGENT_CHILD_EXITED,   /* status: 0 to 255 */
	AGENT_CHILD_SIGNALED, /* status: 128 + the signal */
	AGENT_CHILD_TIMEOUT,
	AGENT_CHILD_OUTPUT,   /* it wrote more than max_out */
	AGENT_CHILD_STOPPED,  /* by agent_child_stop() */
	AGENT_CHILD_DISK,     /* it wrote more to files than its cage lets it */
	AGENT_CHILD_CROWD,    /* it had more processes than that */
	AGENT_CHILD_MEMORY,   /* they had more memory in all */
};

struct agent_child {
	pid_t warden;           /* 0: not started */
	int in, out, err; /* ours; -1: closed */
	int done, alive; /* from the warden; to it, which kills all when it
			  * is closed, and takes each byte for a signal */
	struct ai_buf input, output, errors;
	size_t sent;            /* bytes of input that it has */
	size_t max_out;
	double deadline;        /* ai_clock_s(); 0: none */
	bool talks, finished, kind; /* kind: it has time to end */
	enum agent_child_end end;
	int status;
	bool gone;              /* nothing of it is alive; how it ended stands
				 * in the next two already */
	enum agent_child_end gone_by;
	int gone_status;
	char name[64];
};

/* AI_E_OPEN: "program 'x' not found", or that it cannot be run, also for what
 * fails between fork and exec; the caller's struct is released then. */
int agent_child_start(struct agent_child *c, const struct agent_child_spec *s,
		      struct ai_err *err);
/* What it waits for. */
void agent_child_wait(const struct agent_child *c, struct agent_poll *p);
/* Goes on without blocking: feeds, reads, looks at the time.  true: it has
 * ended, nothing of its tree is alive, and output and errors are all there is. */
bool agent_child_turn(struct agent_child *c);
/* For one that talks: queues bytes; end of file behind them. */
int agent_child_send(struct agent_child *c, const char *p, size_t n,
		     struct ai_err *err);
void agent_child_finish(struct agent_child *c);
/* Sends the program, and nothing else of its tree, a signal: it may end by
 * itself. */
void agent_child_signal(struct agent_child *c, int signal);
/* The whole tree is killed; returns when it is gone, which takes well under a
 * second, or grace_ms. */
void agent_child_stop(struct agent_child *c);
/* We have to end at once: it is told to end, too, and has the time of
 * grace_ms and linger_ms; its warden does the rest. */
void agent_child_leave(struct agent_child *c);
/* Stops it if it runs. */
void agent_child_release(struct agent_child *c);
/* How it ended, for a message: "exited with status 3", "was killed by signal
 * 11 (Segmentation fault)", "took too long and was stopped". */
void agent_child_say(const struct agent_child *c, struct ai_buf *out);

#endif
