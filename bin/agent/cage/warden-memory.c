/*
 * How much memory a tree has in all.
 *
 * The kernel limits each process, and nobody counts all of them together.  So
 * it is looked at how much the machine has left.  When that has become less by
 * half of what the tree may still take, and now and then, its processes are
 * counted: first what each of them has (RSS), which counts what they share once
 * for each; if that is too much, each one's part of what is shared (PSS), for
 * which the kernel walks through all of its pages.
 *
 * Field names as of proc(5): /proc/PID/status, smaps_rollup, /proc/meminfo.
 */
#include "cage/warden-int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS_MIN 20
#define MS_MAX 500
#define RATE (4LL << 30) /* bytes a second that no tree takes */
#define STEPS 16         /* it is not counted for less than this part */
#define LOOKS 20

/* ---- what the kernel says ------------------------------------------------- */

/* A file of /proc that has its figures in this much. */
struct text {
	char p[8192];
};

static bool read_text(const char *path, struct text *t)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, t->p, sizeof t->p - 1);
	close(fd);
	t->p[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Bytes behind a name, which stands at the beginning of a line but not of the
 * first; -1. A program's name can have all in it but a newline. */
static int64_t bytes_of(const struct text *t, const char *name)
{
	const char *p = strstr(t->p, name);

	return p == NULL ? -1 : strtoll(p + strlen(name), NULL, 10) * 1024;
}

/* Of two of them. */
static int64_t sum_of(const struct text *t, const char *a, const char *b)
{
	int64_t x = bytes_of(t, a), y = bytes_of(t, b);

	return x < 0 ? -1 : x + (y > 0 ? y : 0);
}

/* What the machine has left, with what it could write out; -1. */
static int64_t room(void)
{
	struct text t;

	return read_text("/proc/meminfo", &t)
		? sum_of(&t, "\nMemAvailable:", "\nSwapFree:") : -1;
}

/* ---- counting ------------------------------------------------------------- */

struct sum {
	bool exact;
	int64_t bytes;
};

static void add_one(void *arg, pid_t pid)
{
	struct sum *s = arg;
	char path[64];
	int64_t n = -1;
	struct text t;

	warden_path(path, pid, "smaps_rollup");
	if (s->exact && read_text(path, &t))
		n = sum_of(&t, "\nPss:", "\nSwapPss:");
	warden_path(path, pid, "status");
	if (n < 0 && read_text(path, &t))
		n = sum_of(&t, "\nVmRSS:", "\nVmSwap:");
	s->bytes += n > 0 ? n : 0;
}

static int64_t count(const struct warden_memory *m)
{
	struct sum s = { false, 0 };

	warden_session(m->session, add_one, &s);
	if (s.bytes <= m->most)
		return s.bytes;
	s = (struct sum){ true, 0 };
	warden_session(m->session, add_one, &s);
	return s.bytes;
}

/* ---- looking -------------------------------------------------------------- */

void warden_memory_open(struct warden_memory *m, int64_t most, pid_t session)
{
	*m = (struct warden_memory){ .most = most, .session = session,
				     .room = room() };
}

/* Between vfork() and execve() a process's memory is counted twice: once is not
 * enough. */
static bool is_over(struct warden_memory *m)
{
	m->over = m->there > m->most ? m->over + 1 : 0;
	return m->over > 1;
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Looks now; in *wait ms it is time again. */
static bool look(struct warden_memory *m, int64_t *wait)
{
	int64_t left, step, now;

	left = m->most - m->there;
	step = left / 2 > m->most / STEPS ? left / 2 : m->most / STEPS;
	now = room();
	if (now > m->room)
		m->room = now;
	if (now < 0 || m->room - now >= step || m->over > 0 ||
	    m->looks++ == LOOKS) {
		m->there = count(m);
		m->room = now;
		m->looks = 0;
		if (is_over(m))
			return true;
	}
	left = m->most - m->there - (m->room - now);
	*wait = left * 1000 / RATE;
	*wait = *wait < MS_MIN ? MS_MIN : *wait > MS_MAX ? MS_MAX : *wait;
	return false;
}

/* The warden is awake more often than that. */
bool warden_memory_full(struct warden_memory *m, int *ms)
{
	int64_t now = clock_ms(), wait = 0;

	*ms = -1;
	if (m->most == 0)
		return false;
	if (now >= m->next) {
		if (look(m, &wait))
			return true;
		m->next = now + wait;
	}
	*ms = (int)(m->next - now);
	return false;
}
