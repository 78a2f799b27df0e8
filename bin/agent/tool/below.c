#include "tool/below.h"

#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRIES 64 /* while somebody renames folders */

/* ---- opening -------------------------------------------------------------- */

static int open_once(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* The kernel gives up where a ".." and a rename meet. */
static int open_beneath(int dir, const char *path, int flags)
{
	int fd = -1;

	errno = EAGAIN;
	for (int i = 0; i < TRIES && fd < 0 && (errno == EAGAIN ||
						errno == EINTR); i++)
		fd = open_once(dir, path, flags);
	return fd;
}

/* Models like whole paths. */
static const char *relative(const struct agent_folder *f, const char *path)
{
	size_t n = strlen(f->path);

	if (strncmp(path, f->path, n) != 0 ||
	    (path[n] != '/' && path[n] != '\0' && (n == 0 ||
						   path[n - 1] != '/')))
		return path;
	path += n;
	path += strspn(path, "/");
	return *path == '\0' ? "." : path;
}

static int cannot(const char *path, int errnum, struct ai_err *err)
{
	if (errnum == EXDEV)
		return ai_err_set(err, AI_E_OPEN, "'%.200s' leads out of the "
				  "working folder", path);
	if (errnum == ELOOP)
		return ai_err_set(err, AI_E_OPEN, "'%.200s' leads through too "
				  "many links, or to none that may be followed",
				  path);
	return ai_err_sys(err, AI_E_OPEN, errnum, "cannot open '%.200s'", path);
}

int agent_below_open(const struct agent_folder *f, const char *path, int flags,
		     struct ai_err *err)
{
	/* A FIFO must not hold us up, nor a terminal become ours. */
	int fd = open_beneath(f->fd, relative(f, path),
			      flags | O_NONBLOCK | O_NOCTTY);

	return fd >= 0 ? fd : cannot(path, errno, err);
}

/* ---- reading -------------------------------------------------------------- */

int agent_text_read(int fd, const char *path, struct ai_buf *text,
		    struct stat *st, struct ai_err *err)
{
	struct statfs fs;

	if (fstat(fd, st) < 0)
		return cannot(path, errno, err);
	if (S_ISDIR(st->st_mode))
		return ai_err_set(err, AI_E_DOCUMENT, "'%.200s' is a folder",
				  path);
	if (!S_ISREG(st->st_mode))
		return ai_err_set(err, AI_E_DOCUMENT, "'%.200s' is not a "
				  "regular file", path);
	/* Its files are of processes, ours among them. */
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		return ai_err_set(err, AI_E_DOCUMENT, "'%.200s' is not a "
				  "regular file", path);
	if ((uintmax_t)st->st_size > AGENT_FILE_MAX)
		return ai_err_set(err, AI_E_DOCUMENT, "'%.200s' has %jd bytes; "
				  "at most %zu can be read", path,
				  (intmax_t)st->st_size, AGENT_FILE_MAX);
	ai_buf_clear(text);
	text->max = AGENT_FILE_MAX;
	if (ai_buf_read(text, fd) < 0)
		return text->bad != AI_E_NONE ?
			ai_buf_check(text, "the file", err) :
			cannot(path, errno, err);
	if (memchr(ai_buf_cstr(text), '\0', text->len) == NULL &&
	    ai_utf8_valid(ai_buf_cstr(text), text->len) == text->len)
		return 0;
	return ai_err_set(err, AI_E_DOCUMENT, "'%.200s' is binary, no text in "
			  "UTF-8 (%zu bytes)", path, text->len);
}

int agent_below_read(const struct agent_folder *f, const char *path,
		     struct ai_buf *text, struct stat *st, struct ai_err *err)
{
	int fd = agent_below_open(f, path, O_RDONLY, err), rc;

	if (fd < 0)
		return -1;
	rc = agent_text_read(fd, path, text, st, err);
	close(fd);
	return rc;
}

/* ---- writing -------------------------------------------------------------- */

/* Where a file is to be: the folder, and its name there. */
struct place {
	int dir;
	char *path;       /* owned; relative */
	const char *base; /* within path */
};

static void leave(struct place *at)
{
	if (at->dir >= 0)
		close(at->dir);
	free(at->path);
}

/* The folder path[0..n), which is made if it is not there and make is true:
 * one step at a time, each looked up from the top. */
static int open_folder(const struct agent_folder *f, char *path, size_t n,
		       bool make)
{
	char end = path[n];
	int fd, up, rc;
	size_t cut;

	path[n] = '\0';
	fd = open_beneath(f->fd, n == 0 ? "." : path, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT && make && n > 0) {
		for (cut = n; cut > 0 && path[cut - 1] != '/';)
			cut--;
		path[n] = '\0';
		if (strcmp(path + cut, "..") == 0 ||
		    strcmp(path + cut, ".") == 0) {
			path[n] = end;
			errno = ENOENT;
			return -1;
		}
		up = open_folder(f, path, cut > 0 ? cut - 1 : 0, true);
		rc = up < 0 ? -1 : mkdirat(up, path + cut, 0777);
		if (rc == 0 || (up >= 0 && errno == EEXIST))
			fd = open_beneath(f->fd, path, O_PATH | O_DIRECTORY);
		rc = errno;
		if (up >= 0)
			close(up);
		errno = rc;
	}
	path[n] = end;
	return fd;
}

static int go_to(const struct agent_folder *f, const char *path, bool make,
		 struct place *at, struct ai_err *err)
{
	char *slash;
	size_t n;

	*at = (struct place){ -1, strdup(relative(f, path)), NULL };
	if (at->path == NULL)
		return ai_err_nomem(err);
	slash = strrchr(at->path, '/');
	at->base = slash == NULL ? at->path : slash + 1;
	if (at->base[0] == '\0' || strcmp(at->base, ".") == 0 ||
	    strcmp(at->base, "..") == 0) {
		leave(at);
		return ai_err_set(err, AI_E_OPEN, "'%.200s' does not name a "
				  "file", path);
	}
	if (at->path[0] == '/') {
		leave(at);
		return cannot(path, EXDEV, err);
	}
	n = slash == NULL ? 0 : (size_t)(slash - at->path);
	while (n > 0 && at->path[n - 1] == '/')
		n--;
	at->dir = open_folder(f, at->path, n, make);
	if (at->dir >= 0)
		return 0;
	cannot(path, errno, err);
	leave(at);
	return -1;
}

/* Nobody else's files begin so. */
static void temp_name(const char *key, char out[80])
{
	snprintf(out, 80, ".ai-agent-%.40s.tmp", key);
}

static int fill(int fd, struct ai_span text, const struct stat *was)
{
	struct ai_buf b = { (char *)(uintptr_t)text.p, text.n, text.n, text.n,
			    AI_E_NONE };

	if (ai_buf_write(&b, fd) < 0)
		return -1;
	if (was->st_size >= 0) {
		/* An owner that we may not give it to keeps what it was. */
		if (fchown(fd, was->st_uid, was->st_gid) < 0 && errno != EPERM)
			return -1;
		if (fchmod(fd, was->st_mode & 0777) < 0)
			return -1;
	}
	return fsync(fd);
}

static int replace(const struct place *at, struct ai_span text,
		   const char *key, const struct stat *was)
{
	char name[80];
	int fd, folder, rc, e;

	temp_name(key, name);
	unlinkat(at->dir, name, 0);
	fd = openat(at->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	rc = fill(fd, text, was);
	e = errno;
	close(fd);
	errno = e;
	if (rc == 0)
		rc = renameat(at->dir, name, at->dir, at->base);
	if (rc < 0) {
		e = errno;
		unlinkat(at->dir, name, 0);
		errno = e;
		return -1;
	}
	folder = openat(at->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		fsync(folder);
		close(folder);
	}
	return 0;
}

/* What is there may be replaced: a file, or nothing. */
static int look(const struct place *at, const char *path, struct stat *was,
		struct ai_err *err)
{
	if (fstatat(at->dir, at->base, was, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return cannot(path, errno, err);
		was->st_size = -1;
		return 0;
	}
	if (S_ISREG(was->st_mode))
		return 0;
	return ai_err_set(err, AI_E_CREATE, "'%.200s' is %s; only files are "
			  "written", path,
			  S_ISLNK(was->st_mode) ? "a link" :
			  S_ISDIR(was->st_mode) ? "a folder" :
			  "not a regular file");
}

int agent_below_write(const struct agent_folder *f, const char *path,
		      struct ai_span text, const char *key,
		      struct ai_err *err)
{
	struct stat was = { .st_size = -1 };
	struct place at;
	int rc;

	if (go_to(f, path, true, &at, err) < 0)
		return -1;
	rc = look(&at, path, &was, err);
	if (rc == 0 && replace(&at, text, key, &was) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				path);
	leave(&at);
	return rc;
}

void agent_below_look(const struct agent_folder *f, const char *path,
		      struct stat *was)
{
	struct place at;
	int rc;

	memset(was, 0, sizeof *was);
	rc = go_to(f, path, false, &at, NULL);
	if (rc == 0) {
		rc = look(&at, path, was, NULL);
		leave(&at);
	}
	if (rc < 0)
		was->st_size = -1;
}

void agent_below_clean(const struct agent_folder *f, const char *path,
		       const char *key)
{
	struct place at;
	char name[80];

	if (go_to(f, path, false, &at, NULL) < 0)
		return;
	temp_name(key, name);
	unlinkat(at.dir, name, 0);
	leave(&at);
}
