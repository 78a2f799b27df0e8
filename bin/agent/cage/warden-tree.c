#include "cage/warden-int.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns where it ends. */
static char *put_number(char *to, int number)
{
	char digits[16];
	size_t n = sizeof digits;

	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	memcpy(to, digits + n, sizeof digits - n);
	return to + sizeof digits - n;
}

void warden_path(char *to, pid_t pid, const char *name)
{
	memcpy(to, "/proc/", 6);
	to = put_number(to + 6, pid);
	*to = '/';
	memcpy(to + 1, name, strlen(name) + 1);
}

void warden_fd_path(char *to, pid_t pid, int fd)
{
	warden_path(to, pid, "fd/");
	*put_number(to + strlen(to), fd) = '\0';
}

/* ---- all processes ------------------------------------------------------- */

/* Of /proc/PID/stat, behind the name, which may have anything in it. */
enum { PARENT = 1, SESSION = 3, THREADS = 17, FIELDS };

/* false: it has gone. */
static bool look_at(pid_t pid, int64_t *field)
{
	char path[64], buf[512], *p;
	ssize_t n;
	int fd;

	warden_path(path, pid, "stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	p = strrchr(buf, ')');
	if (p == NULL || strlen(p) < 4)
		return false;
	p += 3; /* ") S" */
	for (int i = PARENT; i < FIELDS; i++)
		field[i] = strtoll(p, &p, 10);
	return true;
}

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

void warden_list(int dir, void (*each)(void *arg, const char *name), void *arg)
{
	_Alignas(struct entry) char buf[4096];
	long n;

	while ((n = syscall(SYS_getdents64, dir, buf, sizeof buf)) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buf + at);

			at += e->len;
			each(arg, e->name);
		}
	}
}

struct visit {
	void (*each)(void *arg, pid_t pid, int64_t *field);
	void *arg;
};

static void visit_one(void *arg, const char *name)
{
	const struct visit *v = arg;
	int64_t field[FIELDS];
	pid_t pid = (pid_t)strtol(name, NULL, 10);

	if (pid > 0 && look_at(pid, field))
		v->each(v->arg, pid, field);
}

static void each_process(void (*each)(void *arg, pid_t pid, int64_t *field),
			 void *arg)
{
	struct visit v = { each, arg };
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return;
	warden_list(proc, visit_one, &v);
	close(proc);
}

struct count {
	pid_t session;
	int64_t threads;
};

static void count_one(void *arg, pid_t pid, int64_t *field)
{
	struct count *c = arg;

	(void)pid;
	if (field[SESSION] == c->session)
		c->threads += field[THREADS] > 0 ? field[THREADS] : 1;
}

static int64_t count(pid_t session)
{
	struct count c = { session, 0 };

	each_process(count_one, &c);
	return c.threads;
}

/* Of the whole machine, as one small file says: "0.1 0.2 0.3 1/234 999"; -1. */
static int64_t all_threads(void)
{
	char buf[128], *p;
	ssize_t n;
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	p = strchr(buf, '/');
	return p == NULL ? -1 : strtoll(p + 1, NULL, 10);
}

/*
 * Ours are counted when the machine has so many more that ours may be too many,
 * and now and then, as others may have gone meanwhile.  A fork bomb is
 * seen after LOOK_MAX_MS, when it may have made a thousand; they die at once.
 */
#define LOOK_MIN_MS 5
#define LOOK_MAX_MS 20
#define LOOKS 200

void warden_crowd_open(struct warden_crowd *c, int64_t most)
{
	c->most = most;
	c->there = 1;
	c->all = all_threads();
}

bool warden_crowded(struct warden_crowd *c, int *ms)
{
	int64_t all;
	bool stop;

	*ms = -1;
	if (c->most == 0)
		return false;
	all = all_threads();
	c->ms = c->ms == 0 ? LOOK_MIN_MS
		: c->ms * 2 < LOOK_MAX_MS ? c->ms * 2 : LOOK_MAX_MS;
	if (all < 0 || c->looks++ == LOOKS ||
	    all - c->all > (c->most - c->there) / 2) {
		/* Counting a bomb that goes on would take for ever. */
		stop = all - c->all > c->most - c->there;
		if (stop)
			kill(-c->session, SIGSTOP);
		c->there = count(c->session);
		c->all = all;
		c->looks = 0;
		if (stop && c->there <= c->most)
			kill(-c->session, SIGCONT);
	}
	*ms = c->ms;
	return c->there > c->most;
}

struct session {
	pid_t session;
	void (*each)(void *arg, pid_t pid);
	void *arg;
};

static void if_in(void *arg, pid_t pid, int64_t *field)
{
	const struct session *s = arg;

	if (field[SESSION] == s->session)
		s->each(s->arg, pid);
}

void warden_session(pid_t session, void (*each)(void *arg, pid_t pid), void *arg)
{
	struct session s = { session, each, arg };

	each_process(if_in, &s);
}

/* ---- killing ------------------------------------------------------------- */

/*
 * A child of ours and, in one step that no fork() can get in between, all of
 * its group.  A group in another session than ours was made below us; and as
 * the child was not waited for, neither its number nor its group's can be
 * anybody else's by now.
 */
static void kill_child(pid_t pid, pid_t *last)
{
	pid_t group = getpgid(pid);

	if (group > 1 && group != *last && getsid(pid) != getsid(0))
		kill(-group, SIGKILL);
	*last = group; /* neighbours are of one group, mostly: once is enough */
	kill(pid, SIGKILL);
}

/* As the kernel lists our children; false: it does not. */
static bool kill_listed(void)
{
	char list[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	pid_t pid = 0, last = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, list, sizeof list)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (list[i] >= '0' && list[i] <= '9') {
				pid = pid * 10 + (list[i] - '0');
				continue;
			}
			if (pid > 0)
				kill_child(pid, &last);
			pid = 0;
		}
	close(fd);
	return true;
}

static void kill_ours(void *arg, pid_t pid, int64_t *field)
{
	if (field[PARENT] == getpid())
		kill_child(pid, arg);
}

void warden_kill(void)
{
	pid_t last = 0;

	if (!kill_listed())
		each_process(kill_ours, &last);
}
