/* base/proc.h, against cat, sh and programs that misbehave. */
#include "base/proc.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV("sh", "-c", script)

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What we were started with and pass on. */
static int inherited_fds(void)
{
	int n = 0;

	for (int fd = 3; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);

		n += flags >= 0 && (flags & FD_CLOEXEC) == 0;
	}
	return n;
}

static bool no_child(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static struct ai_buf out = AI_BUF_INIT(100000);
static struct ai_buf errs = AI_BUF_INIT(100);

static int capture(const char *const *argv, double timeout_s, int *status,
		   struct ai_err *err)
{
	ai_buf_clear(&out);
	ai_buf_clear(&errs);
	return ai_proc_capture(argv, -1, timeout_s, &out, &errs, status, err);
}

static void test_capture(void)
{
	struct ai_err err = { 0 };
	int status = -1, fd;

	ok(capture(SH("echo a; echo b >&2; exit 3"), 10, &status, &err) == 0,
	   "a program runs");
	ok(strcmp(ai_buf_cstr(&out), "a\n") == 0, "its stdout");
	ok(strcmp(ai_buf_cstr(&errs), "b\n") == 0, "its stderr");
	ok(status == 3, "its exit status");
	ok(capture(SH("kill -9 $$"), 10, &status, &err) == 0 && status == 137,
	   "a signal is 128 + n");
	signal(SIGCHLD, SIG_IGN);
	ok(capture(SH("exit 4"), 10, &status, &err) == 0 && status == 4,
	   "also when SIGCHLD was ignored");
	ok(capture(ARGV("cat"), 10, &status, &err) == 0 && out.len == 0,
	   "stdin is /dev/null");
	ok(capture(ARGV("printf", "%s", "$(ls) *;'\""), 10, &status, &err) ==
			   0 &&
		   strcmp(ai_buf_cstr(&out), "$(ls) *;'\"") == 0,
	   "no shell reads the arguments");
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ai_buf_clear(&out);
	ok(fd >= 0 &&
		   ai_proc_capture(ARGV("head", "-c", "5"), fd, 10, &out, NULL,
				   &status, &err) == 0 &&
		   strcmp(ai_buf_cstr(&out), "Name:") == 0,
	   "stdin from a descriptor");
	close(fd);
}

static void test_limits(void)
{
	struct ai_err err = { 0 };
	int status;
	double t;

	ok(capture(ARGV("no-such-program-x"), 10, &status, &err) < 0 &&
		   err.code == AI_E_OPEN &&
		   strcmp(err.msg, "program 'no-such-program-x' not found") ==
			   0,
	   "a missing program: %s", err.msg);
	ok(capture(ARGV("/dev/null"), 10, &status, &err) < 0 &&
		   err.code == AI_E_OPEN,
	   "not executable: %s", err.msg);
	ok(capture(SH("yes"), 10, &status, &err) < 0 &&
		   err.code == AI_E_TOO_LONG && out.len <= out.max,
	   "too much output: %s", err.msg);
	ok(capture(SH("head -c 90000 /dev/zero >&2; echo x"), 10, &status,
		   &err) == 0 &&
		   errs.len == 100 && strcmp(ai_buf_cstr(&out), "x\n") == 0,
	   "too much stderr is cut, not fatal");
	t = seconds();
	ok(capture(SH("sleep 30 & sleep 30"), .2, &status, &err) < 0 &&
		   err.code == AI_E_UNAVAILABLE,
	   "too slow: %s", err.msg);
	ok(capture(SH("exec >&- 2>&-; sleep 30"), .2, &status, &err) < 0,
	   "too slow with its output closed: %s", err.msg);
	ok(seconds() - t < 5, "and that did not take long");
	ok(no_child(), "no child is left");
}

/* The whole group dies: a grandchild that would write a file does not. */
static void test_group(void)
{
	char name[] = "/tmp/ai-proc-XXXXXX", script[128];
	struct ai_err err = { 0 };
	int status, fd = mkstemp(name);

	close(fd);
	unlink(name);
	snprintf(script, sizeof script, "(sleep 1; echo x >%s) & wait", name);
	capture(SH(script), .2, &status, &err);
	sleep(2);
	ok(access(name, F_OK) < 0, "grandchildren are stopped too");
	unlink(name);
}

static void test_leaks(void)
{
	struct ai_err err = { 0 };
	int status, before;
	char want[16];

	capture(ARGV("true"), 10, &status, &err);
	before = open_fds();
	for (int i = 0; i < 20; i++) {
		capture(ARGV("true"), 10, &status, &err);
		capture(ARGV("no-such-program-x"), 10, &status, &err);
		capture(SH("yes"), 10, &status, &err);
	}
	ok(open_fds() == before, "no descriptor leaks");
	capture(SH("ls /proc/self/fd | wc -l"), 10, &status, &err);
	/* ls has 0, 1, 2 and the folder it reads. */
	snprintf(want, sizeof want, "%d\n", 4 + inherited_fds());
	ok(strcmp(ai_buf_cstr(&out), want) == 0,
	   "the child gets none of our descriptors beyond 0 to 2");
	capture(SH("kill -PIPE $$; echo alive"), 10, &status, &err);
	ok(status == 128 + SIGPIPE, "the child has the default SIGPIPE");
}

static struct ai_buf line = AI_BUF_INIT(1 << 20);

static void test_coprocess(void)
{
	struct ai_proc p = AI_PROC_INIT;
	struct ai_err err = { 0 };
	int status = -1, good = 0;

	ok(ai_proc_stop(&p, NULL, &err) == 0, "stopping what never ran");
	ok(ai_proc_start(&p, ARGV("cat"), &err) == 0, "a co-process starts");
	for (int i = 0; i < 1000; i++) {
		char s[32];
		int n = snprintf(s, sizeof s, "line %d", i);

		good += ai_proc_send(&p, s, (size_t)n, &err) == 0 &&
			ai_proc_recv(&p, &line, &err) == 0 &&
			strcmp(ai_buf_cstr(&line), s) == 0;
	}
	ok(good == 1000, "a line in, a line out");
	ok(ai_proc_send(&p, "", 0, &err) == 0 &&
		   ai_proc_recv(&p, &line, &err) == 0 && line.len == 0,
	   "an empty line");
	ai_proc_end(&p);
	ok(ai_proc_recv(&p, &line, &err) < 0 && err.code == AI_E_UNAVAILABLE,
	   "after its end: %s", err.msg);
	ok(ai_proc_stop(&p, &status, &err) == 0 && status == 0, "it stops");
	ok(ai_proc_start(&p, ARGV("no-such-program-x"), &err) < 0 &&
		   err.code == AI_E_OPEN,
	   "a missing co-process: %s", err.msg);
	ok(ai_proc_stop(&p, &status, &err) == 0, "and stopping it");
}

/* Far more than two pipes hold goes in before anything is taken out. */
static void test_no_deadlock(void)
{
	enum { N = 40, SIZE = 100000 };
	static char text[SIZE];
	struct ai_proc p;
	struct ai_err err = { 0 };
	int sent = 0, good = 0;

	memset(text, 'x', sizeof text);
	ai_proc_start(&p, ARGV("cat"), &err);
	for (int i = 0; i < N; i++)
		sent += ai_proc_send(&p, text, sizeof text, &err) == 0;
	ok(sent == N, "sending never waits for receiving");
	for (int i = 0; i < N; i++)
		good += ai_proc_recv(&p, &line, &err) == 0 &&
			line.len == SIZE && memcmp(line.p, text, SIZE) == 0;
	ok(good == N, "all of it comes back");
	ai_proc_stop(&p, NULL, &err);
	ai_proc_start(&p, ARGV("cat"), &err);
	p.pending.max = 300000;
	for (sent = 0; sent < N; sent++)
		if (ai_proc_send(&p, text, sizeof text, &err) < 0)
			break;
	ok(sent < N && err.code == AI_E_TOO_LONG, "pending is bounded: %s",
	   err.msg);
	ai_proc_stop(&p, NULL, &err);
}

static void test_coprocess_dies(void)
{
	struct ai_proc p;
	struct ai_err err = { 0 };
	int status = -1, rc = 0;

	ai_proc_start(&p, SH("read x; echo half; exit 7"), &err);
	ai_proc_send(&p, "go", 2, &err);
	ok(ai_proc_recv(&p, &line, &err) == 0 &&
		   strcmp(ai_buf_cstr(&line), "half") == 0,
	   "what it wrote before its end arrives");
	ok(ai_proc_recv(&p, &line, &err) < 0 && strstr(err.msg, "7") != NULL,
	   "then its end is an error: %s", err.msg);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = ai_proc_send(&p, "more", 4, &err);
	ok(rc < 0 && err.code == AI_E_UNAVAILABLE,
	   "sending to it is an error, not a SIGPIPE");
	ok(ai_proc_stop(&p, &status, &err) == 0 && status == 7,
	   "its status is kept");

	ai_proc_start(&p, SH("printf 'no newline'"), &err);
	ok(ai_proc_recv(&p, &line, &err) < 0, "half a line is no line");
	ai_proc_stop(&p, NULL, &err);

	ai_proc_start(&p, SH("exec <&-; sleep 5"), &err);
	rc = 0;
	for (int i = 0; i < 100 && rc == 0; i++) {
		rc = ai_proc_send(&p, "more", 4, &err);
		usleep(5000);
	}
	ok(rc < 0, "it closed its stdin: %s", err.msg);
	ai_proc_stop(&p, NULL, &err);
}

static void test_coprocess_hangs(void)
{
	struct ai_proc p;
	struct ai_err err = { 0 };
	double t = seconds();
	int status = -1;

	ai_proc_start(&p, SH("sleep 30"), &err);
	p.timeout_s = .2;
	ok(ai_proc_recv(&p, &line, &err) < 0 && err.code == AI_E_UNAVAILABLE,
	   "no answer: %s", err.msg);
	ai_proc_stop(&p, &status, &err);
	ok(status == 137, "it was killed");

	ai_proc_start(&p, SH("trap '' TERM; while :; do sleep 1; done"), &err);
	p.timeout_s = .2;
	ok(ai_proc_stop(&p, &status, &err) == 0 && status == 137,
	   "one that does not end is killed");

	ai_proc_start(&p, ARGV("yes"), &err);
	ok(ai_proc_recv(&p, &line, &err) == 0, "one that never stops writing");
	p.timeout_s = .2;
	ok(ai_proc_stop(&p, &status, &err) == 0, "can be stopped");
	ok(seconds() - t < 10, "and none of that took long");
	ok(no_child(), "no child is left");
}

int main(void)
{
	int before;

	alarm(60);
	test_capture();
	test_limits();
	test_group();
	test_leaks();
	before = open_fds();
	test_coprocess();
	test_no_deadlock();
	test_coprocess_dies();
	test_coprocess_hangs();
	ok(open_fds() == before, "co-processes leak no descriptor");
	ai_buf_release(&out);
	ai_buf_release(&errs);
	ai_buf_release(&line);
	return done();
}
