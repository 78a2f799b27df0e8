#include "cage/child.h"
#include "cage/warden.h"

#include "base/clock.h"
#include "base/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_SIZE ((size_t)64 << 10)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void init(struct agent_child *c, const struct agent_child_spec *s)
{
	memset(c, 0, sizeof(*c));
	c->in = c->out = c->err = c->done = c->alive = -1;
	c->end = AGENT_CHILD_RUNS;
	c->talks = s->talks;
	c->kind = s->grace_ms > 0;
	c->max_out = s->max_out;
	c->deadline = s->timeout_s > 0 ? ai_clock_s() + s->timeout_s : 0;
	snprintf(c->name, sizeof(c->name), "%s", s->name);
	ai_buf_init(&c->input, SIZE_MAX / 2);
	ai_buf_init(&c->output, s->max_out);
	ai_buf_init(&c->errors, s->max_err);
}

/* ---- starting ------------------------------------------------------------------- */

static const char *value_of(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env != NULL; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		access(path, X_OK) == 0;
}

/* Its path: NULL and AI_E_OPEN if there is none. */
static char *find_program(const struct agent_child_spec *s, struct ai_err *err)
{
	const char *name = s->argv[0], *p = value_of(s->env, "PATH"), *end;
	char *path = NULL;

	if (strchr(name, '/') != NULL) {
		path = strdup(name);
		if (path == NULL)
			ai_err_nomem(err);
		return path;
	}
	for (p = p != NULL ? p : "/usr/bin:/bin"; *p != '\0';
	     p = *end == '\0' ? end : end + 1) {
		end = strchrnul(p, ':');
		free(path);
		if (asprintf(&path, "%.*s/%s", (int)(end - p), p, name) < 0) {
			ai_err_nomem(err);
			return NULL;
		}
		if (end > p && is_program(path))
			return path;
	}
	free(path);
	ai_err_set(err, AI_E_OPEN, "program '%s' not found", name);
	return NULL;
}

/* Pipes with an end of ours that does not block. */
struct pipes {
	int in[2], out[2], err[2], started[2], done[2], alive[2];
};

static int make_pipe(int p[2], int ours, struct ai_err *err)
{
	if (pipe2(p, O_CLOEXEC) < 0) {
		p[0] = p[1] = -1;
		return ai_err_sys(err, AI_E_OS, errno, "cannot make a pipe");
	}
	if (ours >= 0)
		fcntl(p[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

/* All that it reads, as a file: through a pipe a program whose agent is killed
 * would read the end of what it had got so far, and take it for all. */
static int make_input(int *fd, struct ai_span input, struct ai_err *err)
{
	return ai_temp_open(fd, err) < 0 ||
		ai_temp_write(*fd, input.p, input.n, err) < 0 ? -1 :
		lseek(*fd, 0, SEEK_SET) == 0 ? 0 :
		ai_err_sys(err, AI_E_IO, errno, "cannot read what was written");
}

static int make_stdin(struct pipes *p, const struct agent_child_spec *s,
		      struct ai_err *err)
{
	if (s->talks)
		return make_pipe(p->in, 1, err);
	if (s->input.n > 0)
		return make_input(&p->in[0], s->input, err);
	p->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return p->in[0] >= 0 ? 0 :
		ai_err_sys(err, AI_E_OS, errno, "cannot open /dev/null");
}

static int make_pipes(struct pipes *p, const struct agent_child_spec *s,
		      struct ai_err *err)
{
	memset(p, -1, sizeof(*p));
	if (make_stdin(p, s, err) < 0)
		return -1;
	return make_pipe(p->out, 0, err) < 0 ||
		make_pipe(p->err, 0, err) < 0 ||
		make_pipe(p->started, -1, err) < 0 ||
		make_pipe(p->done, 0, err) < 0 ||
		make_pipe(p->alive, -1, err) < 0 ? -1 : 0;
}

static void close_pipes(struct pipes *p)
{
	int *fd = p->in;

	for (size_t i = 0; i < sizeof(*p) / sizeof(int); i++)
		close_fd(&fd[i]);
}

/* Forks with all signals blocked: a handler of ours must not run in the
 * warden. */
static pid_t fork_warden(const struct agent_child_spec *s, const char *path,
			 const struct pipes *p)
{
	const struct agent_warden w = {
		.path = path, .argv = s->argv, .env = s->env,
		.dir = s->dir != NULL ? s->dir : "/", .cage = s->cage,
		.in = p->in[0], .out = p->out[1], .err = p->err[1],
		.started = p->started[1], .done = p->done[1],
		.alive = p->alive[0], .hold = s->hold,
		.grace_ms = s->grace_ms, .linger_ms = s->linger_ms,
	};
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		agent_warden_run(&w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* 0: it runs; else the errno of what failed. */
static int await_start(int fd)
{
	int errnum = 0;
	ssize_t n;

	do
		n = read(fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(errnum) ? errnum : 0;
}

static int start(struct agent_child *c, const struct agent_child_spec *s,
		 const char *path, struct ai_err *err)
{
	struct pipes p;
	int errnum;

	if (make_pipes(&p, s, err) < 0) {
		close_pipes(&p);
		return -1;
	}
	c->warden = fork_warden(s, path, &p);
	if (c->warden < 0) {
		errnum = errno;
		c->warden = 0;
		close_pipes(&p);
		return ai_err_sys(err, AI_E_OS, errnum, "cannot start '%s'",
				  c->name);
	}
	close_fd(&p.started[1]);
	errnum = await_start(p.started[0]);
	c->in = p.in[1];
	c->out = p.out[0];
	c->err = p.err[0];
	c->done = p.done[0];
	c->alive = p.alive[1];
	p.in[1] = p.out[0] = p.err[0] = p.done[0] = p.alive[1] = -1;
	close_pipes(&p);
	return errnum == 0 ? 0 :
		ai_err_sys(err, AI_E_OPEN, errnum, "cannot run program '%s'",
			   s->argv[0]);
}

int agent_child_start(struct agent_child *c, const struct agent_child_spec *s,
		      struct ai_err *err)
{
	char *path;
	int rc;

	init(c, s);
	path = find_program(s, err);
	if (path == NULL) {
		agent_child_release(c);
		return -1;
	}
	rc = s->talks && ai_buf_add(&c->input, s->input.p, s->input.n) < 0
		? ai_err_nomem(err) : start(c, s, path, err);
	free(path);
	if (rc < 0)
		agent_child_release(c);
	return rc;
}

/* ---- going on --------------------------------------------------------------------- */

/* What its buffer still takes. */
static bool has_room(const struct agent_child *c)
{
	return c->output.len < c->max_out;
}

void agent_child_wait(const struct agent_child *c, struct agent_poll *p)
{
	if (c->end != AGENT_CHILD_RUNS)
		return;
	if (c->sent < c->input.len)
		agent_poll_add(p, c->in, POLLOUT);
	if (has_room(c) || !c->talks)
		agent_poll_add(p, c->out, POLLIN);
	agent_poll_add(p, c->err, POLLIN);
	agent_poll_add(p, c->done, POLLIN);
	if (c->deadline > 0 && !c->gone)
		agent_poll_by(p, c->deadline);
}

static void feed(struct agent_child *c)
{
	ssize_t n;

	while (c->in >= 0 && c->sent < c->input.len) {
		n = write(c->in, c->input.p + c->sent, c->input.len - c->sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* it reads no more: its own business */
			close_fd(&c->in);
			return;
		}
		c->sent += (size_t)n;
	}
	if (c->sent > 0 && c->sent == c->input.len) {
		ai_buf_shrink(&c->input, READ_SIZE);
		c->sent = 0;
	}
	if (c->finished && c->sent == c->input.len)
		close_fd(&c->in);
}

/* Reads what is there into b; 1: more may come, 0: its end, or enough for now,
 * -1: more than b takes. */
static int read_some(struct agent_child *c, int *fd, struct ai_buf *b,
		     size_t max, bool keep)
{
	char chunk[READ_SIZE];
	size_t room = max - b->len;
	ssize_t n;

	if (*fd < 0)
		return 0;
	/* What is kept reads no further than there is room; what is not reads
	 * past it. */
	n = read(*fd, chunk, keep && room > 0 && room < sizeof(chunk)
		 ? room : sizeof(chunk));
	if (n < 0 && errno == EINTR)
		return 1;
	/* Who else has the other end, when nobody of the tree is left, is none
	 * of ours. */
	if (n < 0 && errno == EAGAIN && !c->gone)
		return 0;
	if (n <= 0) {
		close_fd(fd);
		return 0;
	}
	if ((size_t)n > room) {
		ai_buf_add(b, chunk, room);
		return keep ? -1 : 1;
	}
	ai_buf_add(b, chunk, (size_t)n);
	return 1;
}

/* false: it has written too much. */
static bool drain(struct agent_child *c)
{
	int rc = 1, rounds;

	for (rounds = 0; rc > 0 && rounds < 64; rounds++) {
		if (c->talks && !has_room(c))
			break;
		rc = read_some(c, &c->out, &c->output, c->max_out, true);
	}
	if (rc < 0)
		return false;
	for (rc = 1, rounds = 0; rc > 0 && rounds < 64; rounds++)
		rc = read_some(c, &c->err, &c->errors, c->errors.max, false);
	return true;
}

static void finish(struct agent_child *c, enum agent_child_end end, int status)
{
	c->end = end;
	c->status = status;
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->err);
	close_fd(&c->done);
	close_fd(&c->alive);
	if (c->warden > 0)
		while (waitpid(c->warden, NULL, 0) < 0 && errno == EINTR)
			;
	c->warden = 0;
}

/* Whether the warden has told the end, or has died without a word. */
static void look(struct agent_child *c)
{
	struct agent_warden_end end = { WARDEN_ENDED, SIGKILL };
	ssize_t n = read(c->done, &end, sizeof(end));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->gone = true;
	close_fd(&c->done);
	if (end.why >= WARDEN_DISK) {
		c->gone_by = end.why == WARDEN_DISK ? AGENT_CHILD_DISK
			: end.why == WARDEN_CROWD ? AGENT_CHILD_CROWD
			: AGENT_CHILD_MEMORY;
		c->gone_status = 128 + SIGKILL;
	} else if (WIFEXITED(end.status)) {
		c->gone_by = AGENT_CHILD_EXITED;
		c->gone_status = WEXITSTATUS(end.status);
	} else {
		c->gone_by = AGENT_CHILD_SIGNALED;
		c->gone_status = 128 + WTERMSIG(end.status);
	}
}

bool agent_child_turn(struct agent_child *c)
{
	if (c->end != AGENT_CHILD_RUNS)
		return true;
	feed(c);
	/* First: what nobody is left to write is all that there is. */
	if (!c->gone)
		look(c);
	if (!drain(c)) {
		agent_child_stop(c);
		c->end = AGENT_CHILD_OUTPUT;
	} else if (c->gone) {
		if (c->out < 0 && c->err < 0)
			finish(c, c->gone_by, c->gone_status);
	} else if (c->deadline > 0 && ai_clock_s() >= c->deadline) {
		agent_child_stop(c);
		c->end = AGENT_CHILD_TIMEOUT;
	}
	return c->end != AGENT_CHILD_RUNS;
}

int agent_child_send(struct agent_child *c, const char *p, size_t n,
		     struct ai_err *err)
{
	if (c->in < 0)
		return ai_err_set(err, AI_E_UNAVAILABLE, "'%s' reads no more",
				  c->name);
	if (c->sent > READ_SIZE) {
		ai_buf_consume(&c->input, c->sent);
		c->sent = 0;
	}
	if (ai_buf_add(&c->input, p, n) < 0)
		return ai_err_nomem(err);
	feed(c);
	return 0;
}

void agent_child_finish(struct agent_child *c)
{
	c->finished = true;
	feed(c);
}

/* ---- ending ------------------------------------------------------------------------- */

void agent_child_signal(struct agent_child *c, int signal)
{
	unsigned char byte = (unsigned char)signal;
	ssize_t n = c->alive < 0 ? 0 : write(c->alive, &byte, 1);

	(void)n; /* it has ended meanwhile */
}

void agent_child_stop(struct agent_child *c)
{
	struct pollfd fd = { .fd = c->done, .events = POLLIN };

	if (c->end != AGENT_CHILD_RUNS || c->warden == 0)
		return;
	if (c->kind)
		agent_child_signal(c, SIGKILL);
	close_fd(&c->alive);
	while (fd.fd >= 0 && poll(&fd, 1, -1) < 0 && errno == EINTR)
		;
	finish(c, AGENT_CHILD_STOPPED, 128 + SIGKILL);
}

void agent_child_leave(struct agent_child *c)
{
	if (c->end != AGENT_CHILD_RUNS || c->warden == 0)
		return;
	c->warden = 0;
	finish(c, AGENT_CHILD_STOPPED, 128 + SIGKILL);
}

void agent_child_release(struct agent_child *c)
{
	agent_child_stop(c);
	ai_buf_release(&c->input);
	ai_buf_release(&c->output);
	ai_buf_release(&c->errors);
}

void agent_child_say(const struct agent_child *c, struct ai_buf *out)
{
	switch (c->end) {
	case AGENT_CHILD_RUNS:
		ai_buf_str(out, "runs");
		break;
	case AGENT_CHILD_EXITED:
		ai_buf_fmt(out, "exited with status %d", c->status);
		break;
	case AGENT_CHILD_SIGNALED:
		ai_buf_fmt(out, "was killed by signal %d (%s)",
			   c->status - 128, strsignal(c->status - 128));
		break;
	case AGENT_CHILD_TIMEOUT:
		ai_buf_str(out, "took too long and was stopped");
		break;
	case AGENT_CHILD_OUTPUT:
		ai_buf_fmt(out, "wrote more than %zu bytes and was stopped",
			   c->max_out);
		break;
	case AGENT_CHILD_DISK:
		ai_buf_str(out, "wrote more to files than its sandbox allows "
			   "and was stopped");
		break;
	case AGENT_CHILD_CROWD:
		ai_buf_str(out, "had more processes than its sandbox allows "
			   "and was stopped");
		break;
	case AGENT_CHILD_MEMORY:
		ai_buf_str(out, "had more memory, in all its processes, than "
			   "its sandbox allows and was stopped");
		break;
	case AGENT_CHILD_STOPPED:
		ai_buf_str(out, "was stopped");
		break;
	}
}
