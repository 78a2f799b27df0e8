/* caged [-r|-w PATH] [-p PORT] [-a ABI] [-n] [-N TIMES] [-u] PROGRAM [ARG]...:
 * runs a program as ai-agent runs that of a tool, with the system to be read.
 * -n: with networks; -u: without a cage; -N: so often, and prints the cost. */
#include "cage/cage.h"
#include "cage/child.h"
#include "cage/pollset.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PATHS 32

static const char *reads[PATHS] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache",
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/alternatives",
	"/etc/ssl", "/etc/hosts", "/dev/urandom", "/dev/zero",
};
static const char *writes[PATHS] = { "/dev/null" };
static uint16_t ports[PATHS];
static struct agent_cage_spec spec = {
	.read = reads, .write = writes, .ports = ports,
};

static int fail(const struct ai_err *err)
{
	fprintf(stderr, "caged: %s\n", err->msg);
	return 70;
}

static void add(const char **list, const char *path)
{
	while (*list != NULL)
		list++;
	*list = path;
}

static int run(char **argv, const struct agent_cage *cage)
{
	const char *const *args = (const char *const *)(const void *)argv;
	struct agent_child_spec s = {
		.name = argv[0], .argv = args, .hold = -1, .dir = ".",
		.env = (const char *const *)(const void *)environ,
		.cage = cage, .max_out = 1 << 20, .max_err = 1 << 16,
	};
	struct agent_child c;
	struct agent_poll p = { 0 };
	struct ai_err err = { 0 };
	int status;

	if (agent_child_start(&c, &s, &err) < 0)
		return fail(&err);
	while (!agent_child_turn(&c)) {
		agent_poll_clear(&p, 60);
		agent_child_wait(&c, &p);
		if (agent_poll_wait(&p, &err) < 0)
			return fail(&err);
	}
	fwrite(ai_buf_cstr(&c.output), 1, c.output.len, stdout);
	fwrite(ai_buf_cstr(&c.errors), 1, c.errors.len, stderr);
	status = c.status;
	if (c.end != AGENT_CHILD_EXITED) {
		ai_buf_clear(&c.output);
		agent_child_say(&c, &c.output);
		fprintf(stderr, "caged: %s\n", ai_buf_cstr(&c.output));
	}
	agent_child_release(&c);
	agent_poll_release(&p);
	return status;
}

/* What it costs without any of it. */
static int plain(char **argv)
{
	pid_t pid = fork();
	int ws;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &ws, 0) == pid ? WEXITSTATUS(ws) : 70;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The middle of many, in milliseconds. */
static double middle(int64_t *ns, int n)
{
	qsort(ns, (size_t)n, sizeof *ns, by_size);
	return (double)ns[n / 2] / 1e6;
}

/* Plain, with a warden, with a cage: in turns, as the machine is not ours. */
static int bench(char **argv, const struct agent_cage *cage, int n)
{
	int64_t *t[4], at;

	for (int i = 0; i < 4; i++)
		t[i] = calloc((size_t)n, sizeof **t);
	for (int i = 0; i < n; i++) {
		struct ai_buf missing = AI_BUF_INIT(1000);
		struct agent_cage *made;

		at = ai_clock_ns();
		plain(argv);
		t[0][i] = ai_clock_ns() - at;
		at = ai_clock_ns();
		run(argv, NULL);
		t[1][i] = ai_clock_ns() - at;
		at = ai_clock_ns();
		run(argv, cage);
		t[2][i] = ai_clock_ns() - at;
		at = ai_clock_ns();
		if (agent_cage_new(&made, &spec, &missing, NULL) == 0)
			agent_cage_free(made);
		t[3][i] = ai_clock_ns() - at;
		ai_buf_release(&missing);
	}
	printf("%.3f %.3f %.3f %.3f\n", middle(t[0], n), middle(t[1], n),
	       middle(t[2], n), middle(t[3], n));
	for (int i = 0; i < 4; i++)
		free(t[i]);
	return 0;
}

int main(int argc, char **argv)
{
	struct ai_buf missing = AI_BUF_INIT(1000);
	struct agent_cage *cage = NULL;
	struct ai_err err = { 0 };
	bool caged = true;
	int c, rc, times = 0;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt(argc, argv, "+r:w:p:a:N:nu")) >= 0) {
		if (c == 'r')
			add(reads, optarg);
		else if (c == 'w')
			add(writes, optarg);
		else if (c == 'p')
			ports[spec.n_ports++] = (uint16_t)strtol(optarg, NULL, 10);
		else if (c == 'a')
			spec.abi_max = (int)strtol(optarg, NULL, 10);
		else if (c == 'N')
			times = (int)strtol(optarg, NULL, 10);
		else if (c == 'n')
			spec.network = true;
		else if (c == 'u')
			caged = false;
		else
			return 64;
	}
	if (optind >= argc)
		return 64;
	if (caged && agent_cage_new(&cage, &spec, &missing, &err) < 0)
		return fail(&err);
	if (missing.len > 0)
		fprintf(stderr, "caged: cannot hold %s\n", ai_buf_cstr(&missing));
	rc = times > 0 ? bench(argv + optind, cage, times)
		: run(argv + optind, cage);
	agent_cage_free(cage);
	ai_buf_release(&missing);
	return rc;
}
