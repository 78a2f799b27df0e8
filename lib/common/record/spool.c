#include "record/spool.h"

#include "base/temp.h"
#include "record/writer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 16)

void ai_spool_init(struct ai_spool *s)
{
	ai_buf_init(&s->buf, AI_SPOOL_MEMORY);
	s->fd = -1;
}

void ai_spool_release(struct ai_spool *s)
{
	ai_buf_release(&s->buf);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* What is in memory goes to the file. */
static int spill(struct ai_spool *s, struct ai_err *err)
{
	if ((s->fd < 0 && ai_temp_open(&s->fd, err) < 0) ||
	    ai_temp_write(s->fd, s->buf.p, s->buf.len, err) < 0)
		return -1;
	ai_buf_clear(&s->buf);
	return 0;
}

int ai_spool_add(struct ai_spool *s, const void *p, size_t n,
		 struct ai_err *err)
{
	if (s->buf.len + n > AI_SPOOL_MEMORY && spill(s, err) < 0)
		return -1;
	if (n > AI_SPOOL_MEMORY)
		return ai_temp_write(s->fd, p, n, err);
	ai_buf_add(&s->buf, p, n);
	return ai_buf_check(&s->buf, "what is to be kept", err);
}

/* The other end may have made it one that does not wait. */
static ssize_t read_some(int fd, char *p, size_t n)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t done;

	for (;;) {
		done = read(fd, p, n);
		if (done >= 0)
			return done;
		if (errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (errno != EINTR)
			return -1;
	}
}

int ai_spool_read(struct ai_spool *s, int fd, struct ai_err *err)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = read_some(fd, piece, sizeof(piece))) > 0)
		if (ai_spool_add(s, piece, (size_t)n, err) < 0)
			return -1;
	return n == 0 ? 0 : ai_err_sys(err, AI_E_IO, errno, "cannot read the "
				       "input");
}

static int write_file(struct ai_spool *s, struct ai_writer *w,
		      struct ai_err *err)
{
	char piece[PIECE];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(s->fd, piece, sizeof(piece), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ai_err_sys(err, AI_E_IO, errno,
					  "cannot read a temporary file");
		if (ai_writer_add(w, piece, (size_t)n, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

int ai_spool_write(struct ai_spool *s, int fd, struct ai_err *err)
{
	struct ai_writer w;
	int rc;

	ai_writer_init(&w, fd);
	rc = s->fd >= 0 ? write_file(s, &w, err) : 0;
	if (rc == 0)
		rc = ai_writer_add(&w, s->buf.p, s->buf.len, err);
	if (rc == 0)
		rc = ai_writer_flush(&w, err);
	ai_writer_release(&w);
	return rc;
}

int ai_spool_fd(struct ai_spool *s, int *fd, struct ai_err *err)
{
	if (spill(s, err) < 0)
		return -1;
	if (lseek(s->fd, 0, SEEK_SET) < 0)
		return ai_err_sys(err, AI_E_IO, errno,
				  "cannot read a temporary file");
	*fd = s->fd;
	return 0;
}
