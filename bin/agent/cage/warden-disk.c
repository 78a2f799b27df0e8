/*
 * How much a tree writes in all.
 *
 * Nobody counts that for us, so it is looked at how much room is left.  When
 * that has become less by what the program may still write, it is counted what
 * was changed since it began: the files below its folders, and those that are
 * open and have no name any more.  If it was others who wrote, it goes on.
 */
#include "cage/warden-int.h"
#include "cage/int.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define UNLINKED_MAX 256
#define MS_MIN 20
#define MS_MAX 1000
#define RATE (4LL << 30) /* bytes a second that no disk takes */
#define STEPS 64         /* it is not counted for less than this part */

/* ---- counting ------------------------------------------------------------ */

struct walk {
	int dir, depth;
	dev_t dev;
	int64_t since, bytes;
};

static void walk_one(void *arg, const char *name);

/* What is too deep to be counted counts as too much. */
static void walk(struct walk *w)
{
	if (w->depth > DEPTH_MAX)
		w->bytes += INT64_MAX / 4;
	else
		warden_list(w->dir, walk_one, w);
}

static void walk_one(void *arg, const char *name)
{
	struct walk *w = arg, below = *w;
	struct stat st;

	if (w->bytes >= INT64_MAX / 4 ||
	    (name[0] == '.' && (name[1] == '\0' ||
				(name[1] == '.' && name[2] == '\0'))) ||
	    fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_dev != w->dev)
		return;
	if (st.st_ctime >= w->since)
		w->bytes += (int64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode))
		return;
	below.dir = openat(w->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
			   O_CLOEXEC);
	if (below.dir < 0)
		return;
	below.depth++;
	walk(&below);
	close(below.dir);
	w->bytes = below.bytes;
}

/* Files without a name; each once, however many have it open. */
struct unlinked {
	int dir;
	size_t n;
	ino_t seen[UNLINKED_MAX];
	int64_t bytes;
};

static void open_file(void *arg, const char *name)
{
	struct unlinked *u = arg;
	struct stat st;

	if (fstatat(u->dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink > 0)
		return;
	for (size_t i = 0; i < u->n; i++)
		if (u->seen[i] == st.st_ino)
			return;
	if (u->n < UNLINKED_MAX)
		u->seen[u->n++] = st.st_ino;
	u->bytes += (int64_t)st.st_blocks * 512;
}

static void open_files(void *arg, pid_t pid)
{
	struct unlinked *u = arg;
	char path[64];

	warden_path(path, pid, "fd");
	u->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->dir < 0)
		return;
	warden_list(u->dir, open_file, u);
	close(u->dir);
}

static int64_t written(struct warden_disk *d)
{
	struct unlinked u = { .n = 0 };
	int64_t bytes = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct walk w = { .since = d->started };
		struct stat st;

		w.dir = openat(d->at[i].fd, ".", O_RDONLY | O_DIRECTORY |
			       O_CLOEXEC);
		if (w.dir < 0 || fstat(w.dir, &st) < 0)
			continue;
		w.dev = st.st_dev;
		walk(&w);
		close(w.dir);
		bytes += w.bytes < INT64_MAX / 16 ? w.bytes : INT64_MAX / 16;
	}
	warden_session(d->session, open_files, &u);
	return bytes + u.bytes;
}

/* ---- looking ------------------------------------------------------------- */

static int64_t room(int fd)
{
	struct statvfs v;

	return fstatvfs(fd, &v) < 0 ? -1
		: (int64_t)v.f_bfree * (int64_t)v.f_frsize;
}

/* What is no folder (/dev/null) has no room. */
void warden_disk_open(struct warden_disk *d, const struct agent_cage *cage,
		      pid_t session)
{
	struct timespec now;

	d->n = 0;
	d->total = d->left = cage->write_total;
	d->session = session;
	/* A file's times are those of the last tick. */
	clock_gettime(CLOCK_REALTIME, &now);
	d->started = now.tv_sec - 1;
	for (size_t i = 0; cage->write[i] != NULL && d->n < WARDEN_DISKS; i++) {
		int fd = open(cage->write[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (room(fd) < 0) {
			close(fd);
			continue;
		}
		d->at[d->n].fd = fd;
		d->at[d->n++].most = room(fd);
	}
	if (d->n == 0)
		d->total = 0;
}

/* Bytes that there are less, on the disk where most are. */
static int64_t fewer(struct warden_disk *d, bool anew)
{
	int64_t most = 0;

	for (size_t i = 0; i < d->n; i++) {
		int64_t now = room(d->at[i].fd);

		if (anew || now > d->at[i].most)
			d->at[i].most = now;
		if (d->at[i].most - now > most)
			most = d->at[i].most - now;
	}
	return most;
}

bool warden_disk_full(struct warden_disk *d, int *ms)
{
	int64_t step = d->left > d->total / STEPS ? d->left : d->total / STEPS;
	int64_t wait;

	*ms = -1;
	if (d->total == 0)
		return false;
	if (fewer(d, false) >= step) {
		d->left = d->total - written(d);
		if (d->left < 0)
			return true;
		fewer(d, true);
	}
	wait = d->left * 1000 / RATE;
	*ms = wait < MS_MIN ? MS_MIN : wait > MS_MAX ? MS_MAX : (int)wait;
	return false;
}
