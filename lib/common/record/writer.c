#include "record/writer.h"

#include "base/sig.h"
#include "base/term.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define WRITE_SIZE ((size_t)1 << 16)

void ai_writer_init(struct ai_writer *w, int fd)
{
	memset(w, 0, sizeof *w);
	w->fd = fd;
	ai_buf_init(&w->buf, 4 * WRITE_SIZE);
}

void ai_writer_release(struct ai_writer *w)
{
	ai_buf_release(&w->buf);
}

/* The descriptor is non-blocking when the terminal or the other end made
 * it so: then wait, as a blocking write would. */
static ssize_t write_some(int fd, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	for (;;) {
		if (ai_sig_asked() == AI_SIG_NOW) {
			/* Only what is taken without waiting. */
			n = n < PIPE_BUF ? n : PIPE_BUF;
			if (poll(&pfd, 1, 0) <= 0) {
				errno = EINTR;
				return -1;
			}
		}
		done = write(fd, p, n);
		if (done >= 0)
			return done;
		if (errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (errno != EINTR)
			return -1;
	}
}

static int write_all(struct ai_writer *w, const char *p, size_t n,
		     struct ai_err *err)
{
	ssize_t done;

	if (n > 0 && w->before != NULL && w->err.code == AI_E_NONE)
		w->before(&w->err);
	if (n > 0) {
		w->line_open = p[n - 1] != '\n';
		if (w->clears)
			ai_term_clear();
	}
	while (n > 0 && w->err.code == AI_E_NONE) {
		done = write_some(w->fd, p, n);
		if (done < 0) {
			ai_err_sys(&w->err, AI_E_IO, errno,
				   "cannot write to standard output");
			w->stopped = errno == EINTR ||
				(errno == EPIPE && ai_sig_pipe());
			break;
		}
		p += done;
		n -= (size_t)done;
	}
	if (w->err.code == AI_E_NONE)
		return 0;
	if (err != NULL)
		*err = w->err;
	return -1;
}

int ai_writer_flush(struct ai_writer *w, struct ai_err *err)
{
	int rc = write_all(w, w->buf.p, w->buf.len, err);

	ai_buf_clear(&w->buf);
	return rc;
}

int ai_writer_add(struct ai_writer *w, const void *p, size_t n,
		  struct ai_err *err)
{
	if (w->buf.len + n > WRITE_SIZE && ai_writer_flush(w, err) < 0)
		return -1;
	if (n >= WRITE_SIZE)
		return write_all(w, p, n, err);
	if (ai_buf_add(&w->buf, p, n) < 0)
		return ai_buf_check(&w->buf, "output", err);
	return w->err.code == AI_E_NONE ? 0 : write_all(w, p, 0, err);
}
