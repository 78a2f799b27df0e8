#include "tool/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_BYTES 65536
#define NAMES_MAX 200000 /* of one folder; the others are passed over */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes over fd. */
static void read_level(struct agent_walk_level *l, int fd)
{
	DIR *d = fdopendir(dup(fd));
	struct dirent *e;
	size_t cap = 0;
	char **more;

	while (d != NULL && l->n < NAMES_MAX && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (l->n == cap) {
			more = reallocarray(l->names, cap * 2 + 32,
					    sizeof *more);
			if (more == NULL)
				break;
			l->names = more;
			cap = cap * 2 + 32;
		}
		l->names[l->n] = strdup(e->d_name);
		if (l->names[l->n] == NULL)
			break;
		l->n++;
	}
	if (d != NULL)
		closedir(d);
	if (l->n > 0)
		qsort(l->names, l->n, sizeof *l->names, by_name);
	l->fd = fd;
}

static void enter(struct agent_walk *w, int fd)
{
	struct agent_walk_level *l = &w->levels[w->depth++];

	memset(l, 0, sizeof *l);
	l->prefix = w->path.len;
	read_level(l, fd);
}

static void leave(struct agent_walk *w)
{
	struct agent_walk_level *l = &w->levels[--w->depth];

	for (size_t i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
	close(l->fd);
}

int agent_walk_begin(struct agent_walk *w, const struct agent_folder *f,
		     const char *path, int64_t depth, struct ai_err *err)
{
	int fd = agent_below_open(f, path, O_RDONLY | O_DIRECTORY, err);

	if (fd < 0)
		return -1;
	memset(w, 0, sizeof *w);
	ai_buf_init(&w->path, PATH_MAX_BYTES);
	w->max_depth = depth < AGENT_WALK_DEPTH ? (size_t)depth :
						  AGENT_WALK_DEPTH;
	enter(w, fd);
	return 0;
}

/* Goes into the folder that was the last entry. */
static void go_down(struct agent_walk *w)
{
	struct agent_walk_level *l = &w->levels[w->depth - 1];
	int fd = openat(l->fd, l->names[l->at - 1], O_RDONLY | O_DIRECTORY |
			O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	w->down = false;
	if (fd < 0)
		return;
	ai_buf_chr(&w->path, '/');
	enter(w, fd);
}

static enum agent_entry_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? AGENT_ENTRY_FILE :
	       S_ISDIR(mode) ? AGENT_ENTRY_FOLDER :
	       S_ISLNK(mode) ? AGENT_ENTRY_LINK : AGENT_ENTRY_OTHER;
}

bool agent_walk_next(struct agent_walk *w, struct agent_entry *e)
{
	struct agent_walk_level *l;
	struct stat st;
	const char *name;

	if (w->down)
		go_down(w);
	while (w->depth > 0) {
		l = &w->levels[w->depth - 1];
		w->path.len = l->prefix;
		if (l->at == l->n) {
			leave(w);
			continue;
		}
		name = l->names[l->at++];
		if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    ai_buf_str(&w->path, name) < 0) {
			w->path.bad = AI_E_NONE;
			continue;
		}
		*e = (struct agent_entry){ w->path.p, w->path.p + l->prefix,
			l->fd, kind_of(st.st_mode), st.st_size };
		w->down = e->kind == AGENT_ENTRY_FOLDER &&
			  w->depth < w->max_depth;
		return true;
	}
	return false;
}

void agent_walk_end(struct agent_walk *w)
{
	while (w->depth > 0)
		leave(w);
	ai_buf_release(&w->path);
}
