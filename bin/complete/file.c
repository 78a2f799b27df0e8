/* file.c: whole files that options and records name. */
#include "complete.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe is fine where the user names it; it must not be waited for where a
 * record does. */
static int open_file(const struct complete_file *f, struct ai_err *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	int fd = open(f->path, f->regular ? flags | O_NONBLOCK : flags);

	if (fd < 0 || fstat(fd, &st) < 0)
		ai_err_sys(err, f->code, errno, "cannot read '%.200s'",
			   f->name);
	else if (S_ISDIR(st.st_mode))
		ai_err_sys(err, f->code, EISDIR, "cannot read '%.200s'",
			   f->name);
	else if (f->regular && !S_ISREG(st.st_mode))
		ai_err_set(err, f->code, "'%.200s' is not a regular file",
			   f->name);
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int complete_file_read(const struct complete_file *f, struct ai_buf *out,
		       struct ai_err *err)
{
	int fd = open_file(f, err);
	size_t from = out->len;
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	while (n > 0 && out->len - from <= f->max &&
	       ai_buf_reserve(out, COMPLETE_FILE_ROOM) == 0) {
		n = read(fd, out->p + out->len, COMPLETE_FILE_ROOM);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		ai_err_sys(err, f->code, errno, "cannot read '%.200s'",
			   f->name);
	close(fd);
	if (n < 0)
		return -1;
	if (out->bad == AI_E_MEMORY)
		return ai_err_nomem(err);
	if (out->len - from > f->max || out->bad != AI_E_NONE)
		return ai_err_set(err, f->code == AI_E_OPEN ? AI_E_DATA :
				  AI_E_TOO_LONG, "'%.200s' is longer than %zu "
				  "bytes", f->name, f->max);
	out->p[out->len] = '\0';
	return 0;
}
