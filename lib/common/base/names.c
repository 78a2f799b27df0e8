#include "base/names.h"

#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES_MAX ((size_t)64 << 20)

static int read_list(struct ai_buf *b, int fd, const char *path,
		     struct ai_err *err)
{
	if (ai_buf_read(b, fd) < 0 && b->bad == AI_E_NONE)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read '%.200s'",
				  path);
	if (b->bad == AI_E_NONE && b->len > 0 && b->p[b->len - 1] != '\0')
		ai_buf_chr(b, '\0');
	return ai_buf_check(b, "the list of files", err);
}

int ai_names_read(struct ai_names *names, const char *path, struct ai_err *err)
{
	struct ai_buf *b = &names->text;
	size_t n = 0;
	int fd, rc;

	*names = (struct ai_names){ NULL, 0, AI_BUF_INIT(BYTES_MAX) };
	fd = ai_path_open(path, err);
	if (fd < 0)
		return -1;
	rc = read_list(b, fd, path, err);
	close(fd);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == '\0';
	names->v = calloc(n + 1, sizeof *names->v);
	if (names->v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < b->len; i += strlen(b->p + i) + 1)
		names->v[names->n++] = b->p + i;
	return 0;
}

void ai_names_release(struct ai_names *names)
{
	free(names->v);
	ai_buf_release(&names->text);
	*names = (struct ai_names){ NULL, 0, AI_BUF_INIT(BYTES_MAX) };
}
