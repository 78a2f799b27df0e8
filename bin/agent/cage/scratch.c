#include "cage/scratch.h"

#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "ai-agent-"
#define RANDOM "XXXXXX"
#define TRIES 100

/* ---- removing ------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	/* What cannot be removed stays; the rest goes. */
	remove(path);
	return 0;
}

/* FTW_PHYS: what a program left as a link is removed, not followed. */
static void remove_all(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A folder of ours that nobody else may look into, opened and locked; -1 and
 * EWOULDBLOCK: somebody has it; ENOENT: it is gone. */
static int lock_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), e;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 0777) != 0700)
		e = EPERM;
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		e = errno;
	else if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		e = ENOENT; /* somebody else took it for one of the dead */
	else
		return fd;
	close(fd);
	errno = e;
	return -1;
}

static void remove_dead(const char *below)
{
	DIR *dir = opendir(below);
	struct dirent *e;
	char *path;
	int fd;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, NAME, strlen(NAME)) != 0 ||
		    strlen(e->d_name) != strlen(NAME RANDOM) ||
		    ai_path_join(below, e->d_name, &path, NULL) < 0)
			continue;
		fd = lock_folder(path);
		if (fd >= 0) {
			remove_all(path);
			close(fd);
		}
		free(path);
	}
	closedir(dir);
}

/* ---- making -------------------------------------------------------------- */

/* 1: another try. */
static int try(struct agent_scratch *s, const char *below, struct ai_err *err)
{
	char *path;
	int fd;

	if (ai_path_join(below, NAME RANDOM, &path, err) < 0)
		return -1;
	if (mkdtemp(path) == NULL) {
		ai_err_sys(err, AI_E_CREATE, errno, "cannot make a folder below "
			   "'%.200s'", below);
		free(path);
		return -1;
	}
	fd = lock_folder(path);
	if (fd < 0 && (errno == EWOULDBLOCK || errno == ENOENT)) {
		free(path);
		return 1;
	}
	/* Where nothing can be locked, nothing is taken for dead. */
	*s = (struct agent_scratch){ path, fd };
	return 0;
}

int agent_scratch_make(struct agent_scratch *s, struct ai_err *err)
{
	const char *below = getenv("TMPDIR");
	int rc = 1;

	if (below == NULL || below[0] != '/')
		below = "/tmp";
	remove_dead(below);
	for (int i = 0; rc > 0 && i < TRIES; i++)
		rc = try(s, below, err);
	return rc <= 0 ? rc : ai_err_set(err, AI_E_CREATE, "cannot keep a "
					 "folder below '%.200s'", below);
}

void agent_scratch_release(struct agent_scratch *s)
{
	if (s->path == NULL)
		return;
	remove_all(s->path);
	if (s->lock >= 0)
		close(s->lock);
	free(s->path);
	*s = (struct agent_scratch){ NULL, -1 };
}
