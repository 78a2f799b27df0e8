/*
 * What the filter of system calls cannot decide, as it sees numbers only.
 *
 * A signal goes on if it stays in the session.  Modes, times and owners of
 * files we change ourselves, after a look at what file it is: if the program did
 * it, its path could be another's by then.
 *
 * fork() is not asked for: a signal that comes before the question is taken
 * makes EINTR of it, which fork() never has, and shells do not expect.
 */
#include "cage/warden-int.h"
#include "cage/int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kernel's may be longer than those we know. */
union question {
	struct seccomp_notif is;
	char room[512];
};

union answer {
	struct seccomp_notif_resp is;
	char room[512];
};

#define GO_ON (-1) /* instead of an errno, which are above 0 */

/* ---- reading from the program -------------------------------------------- */

static int peek(pid_t pid, uint64_t at, void *to, size_t n)
{
	struct iovec here = { to, n };
	struct iovec there = { (void *)(uintptr_t)at, n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n
		? 0 : EFAULT;
}

/* A path with its NUL, page by page: behind it there may be nothing. */
static int peek_path(pid_t pid, uint64_t at, char to[PATH_MAX])
{
	const size_t page = 4096;
	size_t have = 0;

	while (have < PATH_MAX) {
		size_t n = page - (at + have) % page;

		if (n > PATH_MAX - have)
			n = PATH_MAX - have;
		if (peek(pid, at + have, to + have, n) != 0)
			return EFAULT;
		if (memchr(to + have, '\0', n) != NULL)
			return 0;
		have += n;
	}
	return ENAMETOOLONG;
}

/* ---- which file ---------------------------------------------------------- */

/* A descriptor of the program's, or its working directory. */
static int open_theirs(pid_t pid, int fd)
{
	char path[64];
	int got;

	if (fd == AT_FDCWD) {
		warden_path(path, pid, "cwd");
		return open(path, O_PATH | O_CLOEXEC);
	}
	if (fd >= 0)
		warden_fd_path(path, pid, fd);
	got = fd < 0 ? -1 : open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || (got < 0 && errno == ENOENT))
		errno = EBADF;
	return got;
}

/* "/proc/self" is theirs. */
static int open_path(pid_t pid, int base, char *path, int flags)
{
	static const char self[] = "/proc/self/";
	char own[64 + PATH_MAX];

	if (strncmp(path, self, sizeof self - 1) != 0)
		return openat(base, path, O_PATH | O_CLOEXEC | flags);
	warden_path(own, pid, "");
	memcpy(own + strlen(own), path + sizeof self - 1,
	       strlen(path + sizeof self - 1) + 1);
	return open(own, O_PATH | O_CLOEXEC | flags);
}

/* What a call names: dir and path as of openat(2); no path: dir itself. */
static int open_named(pid_t pid, int dir, uint64_t at, bool empty, int flags)
{
	char path[PATH_MAX];
	int base, fd, rc;

	if (at == 0)
		return open_theirs(pid, dir);
	rc = peek_path(pid, at, path);
	if (rc != 0) {
		errno = rc;
		return -1;
	}
	if (path[0] == '\0' && empty)
		return open_theirs(pid, dir);
	base = path[0] == '/' ? AT_FDCWD : open_theirs(pid, dir);
	if (base < 0 && base != AT_FDCWD)
		return -1;
	fd = open_path(pid, base, path, flags);
	rc = errno;
	if (base >= 0)
		close(base);
	errno = rc;
	return fd;
}

/* Whether it is a file, folder or link below a folder that may be written to:
 * the path is the kernel's, without links. */
static bool is_below(const struct agent_cage *cage, const char *link,
		     const struct stat *st)
{
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof path);

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return false;
	for (size_t i = 0; cage->write[i] != NULL; i++) {
		size_t len = strlen(cage->write[i]);

		if (n > (ssize_t)len + 1 && path[len] == '/' &&
		    memcmp(path, cage->write[i], len) == 0)
			return true;
	}
	return false;
}

/* ---- modes, times, owners ------------------------------------------------ */

enum change { MODE, OWNER, TIMES };

/* A row for each call: where its arguments are; -1: it has none. */
static const struct call {
	int nr;
	enum change change;
	int dir, path, value, flags;
	int fixed; /* flags of open() */
} calls[] = {
#ifdef SYS_chmod
	{ SYS_chmod, MODE, -1, 0, 1, -1, 0 },
#endif
	{ SYS_fchmod, MODE, 0, -1, 1, -1, 0 },
	{ SYS_fchmodat, MODE, 0, 1, 2, -1, 0 },
#ifdef SYS_chown
	{ SYS_chown, OWNER, -1, 0, 1, -1, 0 },
	{ SYS_lchown, OWNER, -1, 0, 1, -1, O_NOFOLLOW },
#endif
	{ SYS_fchown, OWNER, 0, -1, 1, -1, 0 },
	{ SYS_fchownat, OWNER, 0, 1, 2, 4, 0 },
	{ SYS_utimensat, TIMES, 0, 1, 2, 3, 0 },
};

/* A program for others to run as us is nothing that a tool makes. */
static int set_mode(const char *link, const struct stat *st, uint64_t value)
{
	mode_t mode = (mode_t)value & 07777;

	if ((mode & (S_ISUID | S_ISGID)) != 0 && !S_ISDIR(st->st_mode))
		return EPERM;
	return chmod(link, mode) < 0 ? errno : 0;
}

static int set_times(const char *link, pid_t pid, uint64_t at)
{
	struct timespec times[2];

	if (at != 0 && peek(pid, at, times, sizeof times) != 0)
		return EFAULT;
	return utimensat(AT_FDCWD, link, at != 0 ? times : NULL, 0) < 0
		? errno : 0;
}

/* To give a file to whom it belongs is what programs that copy try. */
static int set_owner(const struct stat *st, uint64_t uid, uint64_t gid)
{
	return ((uid_t)uid == (uid_t)-1 || (uid_t)uid == st->st_uid) &&
		((gid_t)gid == (gid_t)-1 || (gid_t)gid == st->st_gid)
		? 0 : EPERM;
}

static int change(const struct agent_cage *cage, const struct call *c, pid_t pid,
		  const __u64 *args, int fd)
{
	char link[64];
	struct stat st;

	warden_fd_path(link, getpid(), fd);
	if (fstat(fd, &st) < 0)
		return errno;
	if (c->change == OWNER)
		return set_owner(&st, args[c->value], args[c->value + 1]);
	if (!is_below(cage, link, &st))
		return EPERM;
	return c->change == MODE ? set_mode(link, &st, args[c->value])
		: set_times(link, pid, args[c->value]);
}

static int ask_change(const struct warden_ask *a, const struct call *c,
		      const struct seccomp_notif *q)
{
	const __u64 *args = q->data.args;
	int flags = c->flags < 0 ? 0 : (int)args[c->flags], fd, rc;
	pid_t pid = (pid_t)q->pid;

	fd = open_named(pid, c->dir < 0 ? AT_FDCWD : (int)args[c->dir],
			c->path < 0 ? 0 : args[c->path],
			(flags & AT_EMPTY_PATH) != 0,
			c->fixed |
			((flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0));
	if (fd < 0)
		return errno;
	/* It still waits, so its number was its own all the time. */
	rc = ioctl(a->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &q->id) < 0 ? EPERM
		: change(a->cage, c, pid, args, fd);
	close(fd);
	return rc;
}

/* ---- signals ------------------------------------------------------------ */

/* Threads of others have their process's session. */
static int ask_signal(const struct warden_ask *a, int pid)
{
	pid_t session;

	if (pid == 0 || -pid == a->session)
		return GO_ON;
	if (pid < 0)
		return EPERM;
	session = getsid(pid);
	return session < 0 ? ESRCH : session == a->session ? GO_ON : EPERM;
}

static int decide(const struct warden_ask *a, const struct seccomp_notif *q)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].nr == q->data.nr)
			return ask_change(a, &calls[i], q);
	return ask_signal(a, (int)q->data.args[0]);
}

void warden_answer(const struct warden_ask *a)
{
	union question q;
	union answer r;
	int rc;

	memset(&q, 0, sizeof q);
	if (ioctl(a->fd, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
		return;
	memset(&r, 0, sizeof r);
	r.is.id = q.is.id;
	rc = decide(a, &q.is);
	if (rc == GO_ON)
		r.is.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		r.is.error = -rc;
	/* If it was killed meanwhile, nobody waits. */
	ioctl(a->fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}
