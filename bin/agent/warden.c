#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where its descriptors stand; all others are closed: what we have open is
 * none of a program's business, and a pipe's end here would keep somebody else
 * waiting for its end. */
enum { IN, OUT, ERR, STARTED, DONE, ALIVE, HOLD, OWN };

static void close_from(int fd)
{
	if (syscall(SYS_close_range, (unsigned)fd, ~0U, 0) == 0)
		return;
	for (int i = fd; i < 65536; i++)
		close(i);
}

/* The descriptors in the order above. */
static void arrange(const struct agent_warden *w)
{
	const int from[OWN] = { w->in, w->out, w->err, w->started, w->done,
				w->alive, w->hold };
	int high[OWN], i;

	/* First out of the way, so that none is overwritten. */
	for (i = 0; i < OWN; i++)
		high[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD, OWN);
	for (i = 0; i < OWN; i++) {
		if (high[i] < 0)
			close(i);
		else
			dup2(high[i], i);
	}
	close_from(OWN);
	fcntl(STARTED, F_SETFD, FD_CLOEXEC);
}

/* ---- the program ---------------------------------------------------------------- */

static void fail(int errnum)
{
	ssize_t unused = write(STARTED, &errnum, sizeof(errnum));

	(void)unused;
	_exit(127);
}

static void run_program(const struct agent_warden *w, pid_t warden)
{
	sigset_t none;
	int rc, i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != warden)
		_exit(127);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(DONE);
	close(ALIVE);
	close(HOLD);
	close_from(OWN);
	if (chdir(w->dir) < 0)
		fail(errno);
	rc = w->cage == NULL ? 0 : agent_cage_enter(w->cage);
	if (rc != 0)
		fail(rc);
	/* execve() does not write to them; its type is older than const. */
	execve(w->path, (char *const *)(const void *)w->argv,
	       (char *const *)(const void *)w->env);
	fail(errno);
}

/* ---- the tree ------------------------------------------------------------------- */

/* Kills all that have this process as their parent, as the kernel lists them;
 * false: it does not. */
static bool kill_listed(void)
{
	char list[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	long pid = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, list, sizeof(list))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (list[i] >= '0' && list[i] <= '9') {
				pid = pid * 10 + (list[i] - '0');
			} else if (pid > 0) {
				kill((pid_t)pid, SIGKILL);
				pid = 0;
			}
		}
	close(fd);
	return true;
}

/*
 * Until nothing is left: what loses its parent becomes our child (we are a
 * subreaper), and is killed in the next round.  Those in the program's group
 * are killed at once, so that none of them can fork meanwhile.
 */
static void kill_all(pid_t program, int *status)
{
	pid_t pid;
	int ws;

	kill(-program, SIGKILL);
	for (;;) {
		if (!kill_listed())
			kill(-program, SIGKILL);
		do
			pid = waitpid(-1, &ws, 0);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			return;
		if (pid == program)
			*status = ws;
	}
}

/* Whether the program has ended; others are reaped. */
static bool reap(pid_t program, int *status)
{
	pid_t pid;
	int ws;

	while ((pid = waitpid(-1, &ws, WNOHANG)) > 0)
		if (pid == program) {
			*status = ws;
			return true;
		}
	return false;
}

static int watch(pid_t program, int signals)
{
	struct pollfd fds[] = { { .fd = ALIVE, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	int status = SIGKILL;

	while (!reap(program, &status)) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents != 0 && read(signals, &info, sizeof(info)) < 0)
			continue;
		if (fds[0].revents != 0)
			break;
	}
	kill_all(program, &status);
	return status;
}

void agent_warden_run(const struct agent_warden *w)
{
	pid_t self = getpid(), program;
	int signals, status, i;
	sigset_t chld;
	ssize_t unused;

	/* A signal to our group is not for the warden: it ends last. */
	setpgid(0, 0);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&chld);
	sigprocmask(SIG_SETMASK, &chld, NULL);
	arrange(w);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	signals = signalfd(-1, &chld, SFD_CLOEXEC);
	program = fork();
	if (program == 0)
		run_program(w, self);
	if (program < 0) {
		status = errno;
		unused = write(STARTED, &status, sizeof(status));
		_exit(1);
	}
	setpgid(program, program);
	close(IN);
	close(OUT);
	close(ERR);
	close(STARTED);
	status = watch(program, signals);
	unused = write(DONE, &status, sizeof(status));
	(void)unused;
	_exit(0);
}
