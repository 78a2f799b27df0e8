#include "cage/pollset.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void agent_poll_clear(struct agent_poll *p, double seconds)
{
	p->n = 0;
	p->failed = false;
	p->until = ai_clock_s() + seconds;
}

void agent_poll_add(struct agent_poll *p, int fd, short events)
{
	struct pollfd *fds;

	if (fd < 0)
		return;
	if (p->n == p->cap) {
		fds = realloc(p->fds, (p->cap + 16) * sizeof(*fds));
		if (fds == NULL) {
			p->failed = true;
			return;
		}
		p->fds = fds;
		p->cap += 16;
	}
	p->fds[p->n++] = (struct pollfd){ .fd = fd, .events = events };
}

void agent_poll_by(struct agent_poll *p, double when)
{
	if (when < p->until)
		p->until = when;
}

int agent_poll_wait(struct agent_poll *p, struct ai_err *err)
{
	double left = ceil((p->until - ai_clock_s()) * 1e3);

	if (p->failed)
		return ai_err_nomem(err);
	left = left < 0 ? 0 : left > 3600e3 ? 3600e3 : left;
	if (poll(p->fds, (nfds_t)p->n, (int)left) < 0 && errno != EINTR)
		return ai_err_sys(err, AI_E_OS, errno, "cannot wait");
	return 0;
}

void agent_poll_release(struct agent_poll *p)
{
	free(p->fds);
	*p = (struct agent_poll){ NULL, 0, 0, 0, false };
}
