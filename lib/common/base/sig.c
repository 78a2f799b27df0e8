#include "base/sig.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct {
	int number;
	const char *name;
} signals[] = {
	{ SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" },
	{ SIGPIPE, "SIGPIPE" },
};
#define CAUGHT 3 /* the last is not caught */

static atomic_int asked = AI_SIG_NO, seen = AI_SIG_NO, by;
static int wake = -1;
static bool pipe_ends;

static void wake_up(void)
{
	uint64_t one = 1;
	ssize_t n = write(wake, &one, sizeof one);

	(void)n; /* it can only be set already */
}

static void ask(int sig)
{
	if (asked == AI_SIG_NOW)
		return;
	by = sig;
	asked = sig == SIGINT && asked == AI_SIG_NO ? AI_SIG_SOON
						     : AI_SIG_NOW;
	/* A system call that it was about to begin is interrupted later. */
	if (asked == AI_SIG_NOW)
		alarm(1);
	wake_up();
}

static void on_signal(int sig)
{
	int e = errno;

	ask(sig);
	errno = e;
}

static void on_alarm(int sig)
{
	(void)sig;
	for (size_t i = 0; i < CAUGHT; i++)
		signal(signals[i].number, SIG_DFL);
	alarm(1);
}

/* Without SA_RESTART: what blocks is to be interrupted. */
static int catch(int sig, void (*handler)(int), struct ai_err *err)
{
	struct sigaction sa = { .sa_handler = handler }, old;

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return 0;
	if (sigaction(sig, &sa, NULL) == 0)
		return 1;
	return ai_err_sys(err, AI_E_OS, errno, "cannot catch a signal");
}

int ai_sig_catch(struct ai_err *err)
{
	int rc;

	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake < 0)
		return ai_err_sys(err, AI_E_OS, errno,
				  "cannot make an eventfd");
	if (catch(SIGALRM, on_alarm, err) < 0)
		return -1;
	for (size_t i = 0; i < CAUGHT; i++)
		if (catch(signals[i].number, on_signal, err) < 0)
			return -1;
	rc = catch(SIGPIPE, SIG_IGN, err);
	pipe_ends = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* Emptied first and read then: a signal in between wakes once too often, and
 * none is missed. */
enum ai_sig ai_sig_asked(void)
{
	uint64_t n;
	int now;

	while ((now = asked) != seen) {
		while (read(wake, &n, sizeof n) > 0)
			;
		seen = now;
	}
	return (enum ai_sig)now;
}

int ai_sig_fd(void)
{
	return wake;
}

bool ai_sig_pipe(void)
{
	if (pipe_ends)
		ask(SIGPIPE);
	return pipe_ends;
}

const char *ai_sig_name(void)
{
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signals[i].number == by)
			return signals[i].name;
	return NULL;
}

void ai_sig_die(void)
{
	sigset_t one;
	int sig = by;

	if (sig == 0)
		return;
	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(sig);
}
