#include "base/proc.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/sig.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define ARGS_MAX 64 /* of a program of ours */
#define READ_SIZE ((size_t)64 << 10)
#define TIMEOUT_MAX_S 1e8 /* years; keeps the sums below finite */

/* ---- time ---------------------------------------------------------------- */

static double deadline_in(double seconds)
{
	return ai_clock_s() + (seconds < TIMEOUT_MAX_S ? seconds : TIMEOUT_MAX_S);
}

/* Milliseconds for poll(), at most an hour at once; 0: the time is up. */
static int left_ms(double deadline)
{
	double left = ceil((deadline - ai_clock_s()) * 1e3);

	if (left <= 0)
		return 0;
	return left > 3600e3 ? 3600000 : (int)left;
}

static void nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* ---- starting ------------------------------------------------------------ */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What becomes descriptor 0, 1 and 2 of the child; -1 stays as it is. */
struct fds {
	int as[3];
};

static int set_actions(posix_spawn_file_actions_t *act, const struct fds *f)
{
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++)
		if (f->as[i] >= 0)
			rc = posix_spawn_file_actions_adddup2(act, f->as[i],
							      i);
	return rc;
}

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, def;
	int rc;

	sigemptyset(&none);
	sigemptyset(&def);
	sigaddset(&def, SIGPIPE); /* ignored signals would stay ignored */
	sigaddset(&def, SIGCHLD);
	rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
						    POSIX_SPAWN_SETSIGMASK |
						    POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &def);
	return rc;
}

/* Returns 0 or an errno. */
static int spawn_with(pid_t *pid, const char *const *argv, const struct fds *f,
		      posix_spawn_file_actions_t *act, posix_spawnattr_t *attr)
{
	int rc = set_actions(act, f);

	if (rc == 0)
		rc = set_attributes(attr);
	if (rc != 0)
		return rc;
	/* posix_spawn() does not write to the strings; its type is older
	 * than const. */
	return posix_spawnp(pid, argv[0], act, attr,
			    (char *const *)(const void *)argv, environ);
}

/* Some parents leave SIGCHLD ignored; then the system throws away how our
 * children end. */
static void heed_children(void)
{
	struct sigaction sa;

	if (sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN) {
		sa.sa_handler = SIG_DFL;
		sigaction(SIGCHLD, &sa, NULL);
	}
}

static int spawn(pid_t *pid, const char *const *argv, const struct fds *f)
{
	posix_spawn_file_actions_t act;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&act);

	if (rc != 0)
		return rc;
	heed_children();
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = spawn_with(pid, argv, f, &act, &attr);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&act);
	return rc;
}

static int spawn_error(int rc, const char *name, struct ai_err *err)
{
	if (rc == ENOENT)
		return ai_err_set(err, AI_E_OPEN, "program '%s' not found",
				  name);
	if (rc == ENOMEM)
		return ai_err_nomem(err);
	if (rc == EAGAIN)
		return ai_err_sys(err, AI_E_OS, rc, "cannot start '%s'", name);
	return ai_err_sys(err, AI_E_OPEN, rc, "cannot run program '%s'", name);
}

/* A pipe whose end `ours` does not block. */
static int make_pipe(int p[2], int ours, struct ai_err *err)
{
	int flags;

	if (pipe2(p, O_CLOEXEC) < 0)
		return ai_err_sys(err, AI_E_OS, errno, "cannot make a pipe");
	flags = fcntl(p[ours], F_GETFL);
	if (flags < 0 || fcntl(p[ours], F_SETFL, flags | O_NONBLOCK) < 0) {
		close_fd(&p[0]);
		close_fd(&p[1]);
		return ai_err_sys(err, AI_E_OS, errno, "cannot set up a pipe");
	}
	return 0;
}

/* ---- ending -------------------------------------------------------------- */

static int shell_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

/* 1: it ended, 0: it runs, -1: errno. */
static int try_wait(pid_t pid, int *status, int options)
{
	int ws;
	pid_t got;

	do
		got = waitpid(pid, &ws, options);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	*status = shell_status(ws);
	return 1;
}

/*
 * Waits until the deadline, then kills the group and waits for that.  Sets
 * *killed in that case.
 */
static int wait_until(pid_t pid, double deadline, const char *name,
		      int *status, bool *killed, struct ai_err *err)
{
	int rc, ms = 1;

	*killed = false;
	while ((rc = try_wait(pid, status, WNOHANG)) == 0 &&
	       left_ms(deadline) > 0) {
		nap(ms);
		ms = ms < 20 ? ms * 2 : 20;
	}
	if (rc == 0) {
		*killed = true;
		kill(-pid, SIGKILL);
		rc = try_wait(pid, status, 0);
	}
	if (rc < 0)
		return ai_err_sys(err, AI_E_OS, errno,
				  "cannot learn how '%s' ended", name);
	return 0;
}

static int kill_group(pid_t pid)
{
	int status;

	kill(-pid, SIGKILL);
	return try_wait(pid, &status, 0);
}

/* ---- capturing ----------------------------------------------------------- */

/*
 * Reads what is there.  1: more may come, 0: end of file or the buffer is
 * full and the rest must be refused, -1: a read error.
 */
static int read_some(int fd, struct ai_buf *b, bool keep_all)
{
	char chunk[READ_SIZE];
	ssize_t n = read(fd, chunk, sizeof chunk);
	size_t room = b->max - b->len;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	if (n == 0)
		return 0;
	if (!keep_all && (size_t)n > room)
		n = (ssize_t)room;
	return ai_buf_add(b, chunk, (size_t)n) < 0 ? 0 : 1;
}

#define SIGNAL_MS 1000 /* the longest that a signal waits */

struct capture {
	const char *name;
	struct ai_buf *bufs[2]; /* stdout, stderr */
	int fds[2];             /* -1: closed */
	double deadline;
};

static int too_slow(const char *name, struct ai_err *err)
{
	return ai_err_set(err, AI_E_UNAVAILABLE,
			  "program '%s' took too long and was stopped", name);
}

static int capture_step(struct capture *c, struct ai_err *err)
{
	struct pollfd pfd[3] = { { .fd = -1 }, { .fd = -1 },
				 { ai_sig_fd(), POLLIN, 0 } };
	int rc, ms = left_ms(c->deadline);

	for (int i = 0; i < 2; i++)
		pfd[i] = (struct pollfd){ .fd = c->fds[i], .events = POLLIN };
	rc = poll(pfd, 3, ms > SIGNAL_MS ? SIGNAL_MS : ms);
	if (rc < 0 && errno != EINTR)
		return ai_err_sys(err, AI_E_OS, errno, "cannot wait for '%s'",
				  c->name);
	if (ai_sig_asked() == AI_SIG_NOW)
		return ai_err_set(err, AI_E_TRY_LATER, "%s: '%s' was not waited "
				  "for", ai_sig_name(), c->name);
	if (left_ms(c->deadline) == 0)
		return too_slow(c->name, err);
	for (int i = 0; rc > 0 && i < 2; i++) {
		int got;

		if (pfd[i].fd < 0 || pfd[i].revents == 0)
			continue;
		got = read_some(pfd[i].fd, c->bufs[i], i == 0);
		if (got < 0)
			return ai_err_sys(err, AI_E_IO, errno,
					  "cannot read from '%s'", c->name);
		if (got == 0)
			close_fd(&c->fds[i]);
	}
	return ai_buf_check(c->bufs[0], "the output of the program", err);
}

static int capture_all(struct capture *c, pid_t pid, int *status,
		       struct ai_err *err)
{
	bool killed;
	int rc = 0;

	while (rc == 0 && (c->fds[0] >= 0 || c->fds[1] >= 0))
		rc = capture_step(c, err);
	if (rc < 0) {
		kill_group(pid);
		return -1;
	}
	rc = wait_until(pid, c->deadline, c->name, status, &killed, err);
	if (rc == 0 && killed)
		return too_slow(c->name, err);
	return rc;
}

/* Opens the pipes, starts the child and closes its ends here. */
static int capture_start(struct capture *c, const char *const *argv, int in,
			 pid_t *pid, struct ai_err *err)
{
	int out[2] = { -1, -1 }, errs[2] = { -1, -1 }, null = -1, rc = 0;

	if (in < 0) {
		in = null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0)
			return ai_err_sys(err, AI_E_OS, errno,
					  "cannot open '/dev/null'");
	}
	if (make_pipe(out, 0, err) < 0 ||
	    (c->bufs[1] != NULL && make_pipe(errs, 0, err) < 0)) {
		rc = -1;
	} else {
		rc = spawn(pid, argv, &(struct fds){ { in, out[1], errs[1] } });
		if (rc != 0)
			rc = spawn_error(rc, argv[0], err);
	}
	close_fd(&null);
	close_fd(&out[1]);
	close_fd(&errs[1]);
	c->fds[0] = out[0];
	c->fds[1] = errs[0];
	return rc;
}

int ai_proc_capture(const char *const *argv, int in, double timeout_s,
		    struct ai_buf *out, struct ai_buf *errout, int *status,
		    struct ai_err *err)
{
	struct capture c = { argv[0], { out, errout }, { -1, -1 },
			     deadline_in(timeout_s) };
	pid_t pid;
	int rc = capture_start(&c, argv, in, &pid, err);

	if (rc == 0)
		rc = capture_all(&c, pid, status, err);
	close_fd(&c.fds[0]);
	close_fd(&c.fds[1]);
	return rc;
}

/* ---- the co-process ------------------------------------------------------ */

int ai_proc_start(struct ai_proc *p, const char *const *argv,
		  struct ai_err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, rc = -1;

	*p = (struct ai_proc)AI_PROC_INIT;
	p->timeout_s = AI_PROC_TIMEOUT_S;
	ai_buf_init(&p->pending, AI_PROC_PENDING_MAX);
	snprintf(p->name, sizeof p->name, "%s", argv[0]);
	if (make_pipe(in, 1, err) == 0 && make_pipe(out, 0, err) == 0) {
		rc = spawn(&p->pid, argv, &(struct fds){ { in[0], out[1], -1 } });
		if (rc != 0) {
			p->pid = 0;
			rc = spawn_error(rc, argv[0], err);
		}
	}
	close_fd(&in[0]);
	close_fd(&out[1]);
	p->to = in[1];
	p->from = out[0];
	if (rc < 0) {
		close_fd(&p->to);
		close_fd(&p->from);
	}
	return rc;
}

/*
 * write() that reports EPIPE but raises no SIGPIPE, without touching what
 * the process does about it: block it here, and eat the one we caused.
 */
static ssize_t write_quietly(int fd, const void *p, size_t n)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t pipe_set, before, pending;
	bool had;
	ssize_t got;
	int saved;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	had = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	got = write(fd, p, n);
	saved = errno;
	if (got < 0 && saved == EPIPE && !had)
		while (sigtimedwait(&pipe_set, NULL, &at_once) < 0 &&
		       errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return got;
}

/* It ended, or closed its output: says how, for a message. */
static int gone(struct ai_proc *p, struct ai_err *err)
{
	bool killed;

	if (!p->ended) {
		close_fd(&p->to);
		if (wait_until(p->pid, deadline_in(1), p->name, &p->status,
			       &killed, err) < 0)
			return -1;
		p->ended = true;
	}
	return ai_err_set(err, AI_E_UNAVAILABLE,
			  "program '%s' ended (exit status %d) and answers no "
			  "more", p->name, p->status);
}

static int kill_slow(struct ai_proc *p, struct ai_err *err)
{
	if (!p->ended) {
		kill(-p->pid, SIGKILL);
		p->ended = try_wait(p->pid, &p->status, 0) > 0;
	}
	close_fd(&p->to);
	close_fd(&p->from);
	return ai_err_set(err, AI_E_UNAVAILABLE,
			  "program '%s' did not answer within %g s and was "
			  "stopped", p->name, p->timeout_s);
}

/*
 * Drops what was handed out, once that is the larger part (moving the rest
 * for every line would be quadratic) or the room is needed.
 */
static void settle_pending(struct ai_proc *p)
{
	if (p->taken * 2 < p->pending.len &&
	    p->pending.max - p->pending.len >= READ_SIZE)
		return;
	ai_buf_consume(&p->pending, p->taken);
	p->taken = 0;
}

/* Reads into pending; its end closes p->from. */
static int fill(struct ai_proc *p, struct ai_err *err)
{
	int got;

	settle_pending(p);
	got = read_some(p->from, &p->pending, true);
	if (got < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read from '%s'",
				  p->name);
	if (got == 0)
		close_fd(&p->from);
	return ai_buf_check(&p->pending, "the program's answer", err);
}

/*
 * Waits until it takes input (want_out) or gives output, which is read.
 * *writable says whether to write.
 */
static int exchange(struct ai_proc *p, bool want_out, double deadline,
		    bool *writable, struct ai_err *err)
{
	struct pollfd pfd[2] = {
		{ .fd = p->from, .events = POLLIN },
		{ .fd = want_out ? p->to : -1, .events = POLLOUT },
	};
	int left = left_ms(deadline), rc, errnum;

	/* A signal interrupts one thread, and others have emptied what wakes. */
	rc = poll(pfd, 2, left > SIGNAL_MS ? SIGNAL_MS : left);
	errnum = errno;

	*writable = false;
	if (ai_sig_asked() == AI_SIG_NOW)
		return ai_err_set(err, AI_E_TRY_LATER, "%s: '%s' was not waited "
				  "for", ai_sig_name(), p->name);
	if (rc < 0 && errnum != EINTR)
		return ai_err_sys(err, AI_E_OS, errnum,
				  "cannot wait for '%s'", p->name);
	if (rc == 0 && left_ms(deadline) == 0)
		return kill_slow(p, err);
	if (rc <= 0)
		return 0;
	*writable = pfd[1].fd >= 0 && pfd[1].revents != 0;
	return pfd[0].fd >= 0 && pfd[0].revents != 0 ? fill(p, err) : 0;
}

/* Writes all n bytes, taking in answers while it cannot. */
static int feed(struct ai_proc *p, const char *bytes, size_t n, double deadline,
		struct ai_err *err)
{
	bool writable = true;

	while (n > 0) {
		ssize_t got = -1;

		if (p->to < 0)
			return gone(p, err);
		if (writable) {
			got = write_quietly(p->to, bytes, n);
			if (got < 0 && errno == EPIPE)
				return gone(p, err);
			if (got < 0 && errno != EAGAIN && errno != EINTR)
				return ai_err_sys(err, AI_E_IO, errno,
						  "cannot write to '%s'",
						  p->name);
		}
		if (got > 0) {
			bytes += got;
			n -= (size_t)got;
		} else if (exchange(p, true, deadline, &writable, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int ai_proc_sibling(struct ai_proc *p, const char *const *argv,
		    struct ai_err *err)
{
	const char *own[ARGS_MAX];
	size_t n = 0;
	char *program;
	int rc;

	while (argv[n] != NULL)
		n++;
	if (n >= ARGS_MAX)
		return ai_err_set(err, AI_E_BUG, "too many arguments");
	if (ai_path_sibling(argv[0], &program, err) < 0)
		return -1;
	memcpy(own, argv, (n + 1) * sizeof *own);
	own[0] = program;
	rc = ai_proc_start(p, own, err);
	free(program);
	return rc;
}

enum ai_code ai_proc_ended(struct ai_proc *p, int *status)
{
	*status = 0;
	return ai_proc_stop(p, status, NULL) < 0 ? AI_E_NONE
						 : ai_code_from_exit(*status);
}

int ai_proc_send(struct ai_proc *p, const char *line, size_t n,
		 struct ai_err *err)
{
	double deadline = deadline_in(p->timeout_s);

	if (feed(p, line, n, deadline, err) < 0)
		return -1;
	return feed(p, "\n", 1, deadline, err);
}

void ai_proc_end(struct ai_proc *p)
{
	close_fd(&p->to);
}

/* Moves one whole line out of pending; *from is where to look for its end. */
static bool take_line(struct ai_proc *p, size_t *from, struct ai_buf *line,
		      int *rc)
{
	const char *start = ai_buf_cstr(&p->pending) + p->taken;
	const char *nl = NULL;
	size_t have = p->pending.len - p->taken;

	if (have > *from)
		nl = memchr(start + *from, '\n', have - *from);
	*from = have;
	if (nl == NULL)
		return false;
	*rc = ai_buf_add(line, start, (size_t)(nl - start));
	p->taken += (size_t)(nl - start) + 1;
	return true;
}

int ai_proc_recv(struct ai_proc *p, struct ai_buf *line, struct ai_err *err)
{
	double deadline = deadline_in(p->timeout_s);
	bool unused;
	size_t from = 0;
	int rc = 0;

	ai_buf_clear(line);
	while (!take_line(p, &from, line, &rc)) {
		if (p->from < 0)
			return gone(p, err);
		if (exchange(p, false, deadline, &unused, err) < 0)
			return -1;
	}
	return rc == 0 ? 0 : ai_buf_check(line, "the program's answer", err);
}

/* Until it closes its output; what it writes is dropped. */
static void drain(struct ai_proc *p, double deadline)
{
	bool unused;

	while (p->from >= 0) {
		ai_buf_clear(&p->pending);
		p->taken = 0;
		if (exchange(p, false, deadline, &unused, NULL) < 0)
			close_fd(&p->from);
	}
}

int ai_proc_stop(struct ai_proc *p, int *status, struct ai_err *err)
{
	double deadline;
	bool killed;
	int rc = 0;

	if (p->pid != 0) {
		deadline = deadline_in(p->timeout_s);
		close_fd(&p->to);
		drain(p, deadline);
		if (!p->ended)
			rc = wait_until(p->pid, deadline, p->name, &p->status,
					&killed, err);
		if (status != NULL)
			*status = p->status;
	}
	ai_buf_release(&p->pending);
	*p = (struct ai_proc)AI_PROC_INIT;
	return rc;
}
