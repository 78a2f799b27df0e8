/* pollset.h: what calls that are under way at once wait for, together. */
#ifndef AGENT_POLLSET_H
#define AGENT_POLLSET_H

#include "base/err.h"

#include <poll.h>
#include <stddef.h>

struct agent_poll {
	struct pollfd *fds; /* owned */
	size_t n, cap;
	double until;       /* ai_clock_s(): wake up then */
	bool failed;        /* out of memory while something was added */
};

/* Forgets what was added, and will wake up in at most seconds from now. */
void agent_poll_clear(struct agent_poll *p, double seconds);
/* One more: events as of poll(2). A negative fd is nothing. */
void agent_poll_add(struct agent_poll *p, int fd, short events);
/* Wakes up at this time (ai_clock_s()) at the latest. */
void agent_poll_by(struct agent_poll *p, double when);
/* Sleeps until something may be done, or a signal came (base/sig.h).  Who
 * added what does not look at revents: its next turn tries, and is told
 * EAGAIN. */
int agent_poll_wait(struct agent_poll *p, struct ai_err *err);
void agent_poll_release(struct agent_poll *p);

#endif
