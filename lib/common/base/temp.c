#include "base/temp.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int ai_temp_open(int *fd, struct ai_err *err)
{
	const char *dir = getenv("TMPDIR");
	char *name;

	if (dir == NULL || *dir == '\0')
		dir = "/var/tmp";
#ifdef O_TMPFILE
	*fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*fd >= 0)
		return 0;
#endif
	*fd = -1;
	if (ai_path_join(dir, "aiutils-XXXXXX", &name, err) < 0)
		return -1;
	*fd = mkostemp(name, O_CLOEXEC);
	if (*fd < 0)
		ai_err_sys(err, AI_E_IO, errno, "cannot make a temporary file "
			   "in '%.200s' (set TMPDIR)", dir);
	else
		unlink(name);
	free(name);
	return *fd < 0 ? -1 : 0;
}

int ai_temp_write(int fd, const char *p, size_t n, struct ai_err *err)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return ai_err_sys(err, AI_E_IO, errno, "cannot write "
					  "to a temporary file (set TMPDIR)");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}
