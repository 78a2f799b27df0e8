#include "store/owner.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's first bytes with a NUL behind them; their number, or -1. */
static ssize_t read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	ssize_t n;

	if (fd < 0)
		return -1;
	errno = 0;
	do
		n = read(fd, out, size - 1);
	while (n < 0 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = saved;
	if (n >= 0)
		out[n] = '\0';
	return n;
}

#define UNKNOWN (-2)

/* Field 22 of /proc/PID/stat; the name, field 2, may hold anything. -1: there
 * is no such process; a zombie has ended, too. UNKNOWN: it cannot be read, as
 * when no descriptor is left.  *state is field 3. */
static int64_t start_of(int64_t pid, char *state)
{
	char path[40], text[1024], *p;
	int field;
	int64_t start;

	*state = '\0';
	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return errno == ENOENT || errno == ESRCH ? -1 : UNKNOWN;
	p = strrchr(text, ')');
	if (p == NULL || strlen(p) < 3 || p[2] == 'Z' || p[2] == 'X')
		return -1;
	*state = p[2];
	for (field = 2; field < 22 && p != NULL; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL ||
	    ai_parse_i64((struct ai_span){ p + 1, strcspn(p + 1, " ") },
			 &start) < 0)
		return -1;
	return start;
}

static int look(struct ai_owner *o)
{
	struct stat st;
	char state;
	ssize_t n;

	n = read_file("/proc/sys/kernel/random/boot_id", o->boot,
		      sizeof(o->boot));
	if (n <= 0 || stat("/proc/self/ns/pid", &st) < 0)
		return -1;
	o->boot[strcspn(o->boot, "\n")] = '\0';
	o->space = (int64_t)st.st_ino;
	o->pid = getpid();
	o->start = start_of(o->pid, &state);
	return o->start < 0 ? -1 : 0;
}

int ai_owner_self(struct ai_owner *o, struct ai_err *err)
{
	memset(o, 0, sizeof(*o));
	return look(o) == 0 ? 0 : ai_err_set(err, AI_E_OS,
		"/proc does not tell which process this is; is it mounted?");
}

/* *state is as in start_of() where the process could be looked at. */
static enum ai_owner_state look_at(const struct ai_owner *o, char *state)
{
	static __thread struct ai_owner self;
	int64_t start;

	*state = '\0';
	if (self.pid != getpid() && look(&self) < 0) {
		self.pid = 0;
		return AI_OWNER_UNKNOWN;
	}
	if (strcmp(o->boot, self.boot) != 0)
		return AI_OWNER_REBOOTED;
	if (o->space != self.space)
		return AI_OWNER_UNKNOWN;
	start = start_of(o->pid, state);
	return start == UNKNOWN ? AI_OWNER_UNKNOWN :
		start == o->start ? AI_OWNER_ALIVE : AI_OWNER_DEAD;
}

enum ai_owner_state ai_owner_state(const struct ai_owner *o)
{
	char state;

	return look_at(o, &state);
}

bool ai_owner_stopped(const struct ai_owner *o)
{
	char state;

	/* t: by a debugger. */
	return look_at(o, &state) == AI_OWNER_ALIVE &&
		(state == 'T' || state == 't');
}
