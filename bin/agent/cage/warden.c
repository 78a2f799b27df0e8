#include "cage/warden.h"
#include "cage/warden-int.h"
#include "cage/int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where its descriptors stand; all others are closed: what we have open is
 * none of a program's business, and a pipe's end here would keep somebody else
 * waiting for its end. */
enum { IN, OUT, ERR, STARTED, DONE, ALIVE, HOLD, RULES, OWN };

/* Between two looks at a tree that is being killed. */
#define KILL_MS 50

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
	const int from[OWN] = {
		w->in, w->out, w->err, w->started, w->done, w->alive, w->hold,
		w->cage != NULL ? agent_cage_fd(w->cage) : -1,
	};
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

union room_for_fd {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int send_fd(int to, int fd)
{
	union room_for_fd room;
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(to, &m, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

/* -1: none came. */
static int receive_fd(int from)
{
	union room_for_fd room;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static int enter_cage(const struct agent_cage *cage, int ask)
{
	int fd, rc = agent_cage_enter(cage, RULES, &fd);

	return rc != 0 || fd < 0 ? rc : send_fd(ask, fd);
}

/* A session of its own, so that it has no terminal. */
static void run_program(const struct agent_warden *w, pid_t warden, int ask)
{
	sigset_t none;
	int rc;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != warden)
		_exit(127);
	if (chdir(w->dir) < 0)
		fail(errno);
	rc = w->cage == NULL ? 0 : enter_cage(w->cage, ask);
	if (rc != 0)
		fail(rc);
	close(DONE);
	close(ALIVE);
	close(HOLD);
	close(RULES);
	close_from(OWN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* execve() does not write to them; its type is older than const. */
	execve(w->path, (char *const *)(const void *)w->argv,
	       (char *const *)(const void *)w->env);
	fail(errno);
}

/* vfork(): what we are a copy of may be large, and nothing in run_program() is
 * seen here. */
static pid_t start_program(const struct agent_warden *w, int ask)
{
	pid_t self = getpid(), pid = vfork();

	if (pid == 0)
		run_program(w, self, ask);
	return pid;
}

/* ---- the tree ------------------------------------------------------------------- */

struct watch {
	pid_t program;
	int signals;
	int status;      /* of the program; SIGKILL until it is known */
	bool none_left;  /* no child lives */
	bool told;       /* who we work for has told it to end */
	bool alone;      /* who we work for is gone */
	struct warden_ask ask;
	struct warden_disk disk;
	struct warden_crowd crowd;
	struct warden_memory memory;
};

/* Reaps all but the program: as long as that is there, its group's number is
 * nobody else's. Whether it has ended. */
static bool reap_others(struct watch *s)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			return false;
		if (info.si_pid == s->program)
			return true;
		waitpid(info.si_pid, NULL, 0);
	}
}

static void reap(struct watch *s)
{
	pid_t pid;
	int ws;

	while ((pid = waitpid(-1, &ws, WNOHANG)) > 0)
		if (pid == s->program)
			s->status = ws;
	s->none_left = pid < 0 && errno == ECHILD;
}

/*
 * Until nothing is left: what loses its parent becomes our child (we are a
 * subreaper), and is killed in the next round.  What is not ours to kill (a
 * setuid program without a cage) is waited for.
 */
static void kill_all(struct watch *s)
{
	struct pollfd fd = { .fd = s->signals, .events = POLLIN };
	struct signalfd_siginfo info;

	kill(-s->program, SIGKILL);
	/* The dead first: to go through all of a bomb's again and again would
	 * take minutes. */
	for (reap(s); !s->none_left; reap(s)) {
		warden_kill();
		poll(&fd, 1, KILL_MS);
		while (read(s->signals, &info, sizeof(info)) > 0)
			;
	}
}

/* What the tree must not have too much of; *ms: when to look again. */
static enum agent_warden_why look(struct watch *s, int *ms)
{
	int waits[3];

	*ms = -1;
	if (warden_disk_full(&s->disk, &waits[0]))
		return WARDEN_DISK;
	if (warden_crowded(&s->crowd, &waits[1]))
		return WARDEN_CROWD;
	if (warden_memory_full(&s->memory, &waits[2]))
		return WARDEN_MEMORY;
	for (int i = 0; i < 3; i++)
		if (waits[i] >= 0 && (*ms < 0 || waits[i] < *ms))
			*ms = waits[i];
	return WARDEN_ENDED;
}

/* false: what came is the end. */
static bool pass_signal(struct watch *s)
{
	unsigned char byte;

	if (read(ALIVE, &byte, 1) != 1)
		return false;
	s->told |= byte == SIGTERM || byte == SIGKILL;
	kill(s->program, byte);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether a child other than the program lives. */
static bool is_survived(pid_t program)
{
	char list[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof(list));
	pid_t pid = 0;
	bool found = false;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++) {
		if (list[i] >= '0' && list[i] <= '9') {
			pid = pid * 10 + (list[i] - '0');
			continue;
		}
		/* The dead are taken away as they are come by. */
		if (pid > 0 && pid != program && waitpid(pid, NULL, WNOHANG) == 0)
			found = true;
		pid = 0;
	}
	return found;
}

/* What it has left behind has time to end by itself; the program stays unreaped,
 * see reap_others(). */
static void linger(struct watch *s, const struct agent_warden *w)
{
	struct pollfd fds[] = { { .fd = s->signals, .events = POLLIN },
				{ .fd = s->alone ? -1 : ALIVE,
				  .events = POLLIN } };
	int64_t from = now_ms();
	struct signalfd_siginfo info;

	/* It alone, if it has not ended yet, and not its group; what it has
	 * started is ours when it is dead. */
	kill(s->program, SIGKILL);
	while ((!reap_others(s) || is_survived(s->program)) && now_ms() < from +
	       (s->told ? w->grace_ms : w->linger_ms)) {
		poll(fds, 2, KILL_MS);
		while (read(s->signals, &info, sizeof(info)) > 0)
			;
		if (fds[1].revents != 0 && !pass_signal(s))
			fds[1].fd = -1;
	}
}

/* Until it has ended, or is to. */
static enum agent_warden_why watch(struct watch *s,
				   const struct agent_warden *w)
{
	struct pollfd fds[] = { { .fd = ALIVE, .events = POLLIN },
				{ .fd = s->signals, .events = POLLIN },
				{ .fd = s->ask.fd, .events = POLLIN } };
	struct signalfd_siginfo info;
	enum agent_warden_why why;
	int64_t until = 0; /* what nobody waits for any more has to end */
	int ms;

	while (!reap_others(s)) {
		why = look(s, &ms);
		if (why != WARDEN_ENDED)
			return why;
		if (until > 0 && (ms < 0 || ms > KILL_MS))
			ms = KILL_MS;
		if (poll(fds, 3, ms) < 0)
			continue;
		while (read(s->signals, &info, sizeof(info)) > 0)
			;
		if (until > 0 && now_ms() >= until)
			return WARDEN_STOPPED;
		if (fds[0].revents != 0 && !pass_signal(s)) {
			if (w->grace_ms <= 0)
				return WARDEN_STOPPED;
			s->alone = true;
			kill(s->program, SIGTERM);
			until = now_ms() + w->grace_ms;
			fds[0].fd = -1;
		}
		if ((fds[2].revents & POLLIN) != 0)
			warden_answer(&s->ask);
		else if (fds[2].revents != 0) /* nobody is left who could ask */
			fds[2].fd = -1;
	}
	return WARDEN_ENDED;
}

/* No handler of ours may run in a copy of us: it would write where we look. So
 * there are none, and all signals stay blocked: only SIGKILL ends a warden. */
static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t all;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/*
 * Where root's programs run no limit on processes holds them: a bomb is only
 * seen by who looks, and thousands of processes must not keep us from that.  It
 * is for us alone: what we start is as everybody.
 */
static void come_first(void)
{
	const struct sched_param one = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &one);
}

/* Above what is closed by its place: without a cage nothing stands at RULES,
 * and there it would be closed with it. */
static int watch_children(void)
{
	sigset_t chld;
	int low, fd;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	low = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	fd = fcntl(low, F_DUPFD_CLOEXEC, OWN);
	close(low);
	return fd;
}

static void begin(const struct agent_warden *w, struct watch *s)
{
	int ask[2] = { -1, -1 }, errnum;

	if (w->cage != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					  0, ask) < 0)
		fail(errno);
	if (w->cage != NULL)
		warden_crowd_open(&s->crowd, w->cage->processes);
	s->program = start_program(w, ask[1]);
	errnum = errno;
	if (s->program < 0)
		fail(errnum);
	s->ask.fd = -1;
	s->ask.session = s->program;
	s->ask.cage = w->cage;
	if (w->cage == NULL)
		return;
	close(ask[1]);
	s->ask.fd = receive_fd(ask[0]);
	close(ask[0]);
	warden_disk_open(&s->disk, w->cage, s->program);
	warden_memory_open(&s->memory, w->cage->memory, s->program);
	s->crowd.session = s->program;
}

void agent_warden_run(const struct agent_warden *w)
{
	struct watch s = { .status = SIGKILL };
	struct agent_warden_end end;
	ssize_t unused;

	reset_signals();
	/* A signal to our group is not for the warden: it ends last. */
	setpgid(0, 0);
	arrange(w);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* We are a copy of what has keys in its memory. */
	prctl(PR_SET_DUMPABLE, 0);
	come_first();
	s.signals = watch_children();
	begin(w, &s);
	close(IN);
	close(OUT);
	close(ERR);
	close(STARTED);
	close(RULES);
	end.why = watch(&s, w);
	if (w->grace_ms > 0 && end.why <= WARDEN_STOPPED)
		linger(&s, w);
	kill_all(&s);
	end.status = s.status;
	unused = write(DONE, &end, sizeof(end));
	(void)unused;
	_exit(0);
}
