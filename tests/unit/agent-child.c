/*
 * bin/agent/cage/child.h: programs that will not die, and those that misbehave.
 * AI_CHILD_TRIALS trees of each kind (20) are killed in each of three ways.
 */
#include "cage/child.h"

#include "base/clock.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV("sh", "-c", script)

static const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };

static struct agent_child_spec spec_of(const char *const *argv)
{
	return (struct agent_child_spec){
		.name = "x", .argv = argv, .env = environment, .dir = "/tmp",
		.hold = -1, .max_out = 100000, .max_err = 100, .timeout_s = 60,
	};
}

/* One turn, when there is something to be done. */
static bool step(struct agent_child *c)
{
	struct agent_poll p = { 0 };
	bool over;

	agent_poll_clear(&p, 60);
	agent_child_wait(c, &p);
	agent_poll_wait(&p, NULL);
	over = agent_child_turn(c);
	agent_poll_release(&p);
	return over;
}

static int run(struct agent_child *c, const struct agent_child_spec *s,
	       struct ai_err *err)
{
	if (agent_child_start(c, s, err) < 0)
		return -1;
	while (!step(c))
		;
	return 0;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- how programs end ---------------------------------------------------- */

static void test_ends(void)
{
	static const struct {
		const char *script, *input, *out, *err;
		enum agent_child_end end;
		int status;
		const char *says;
	} rows[] = {
		{ "echo a; echo b >&2; exit 3", "", "a\n", "b\n",
		  AGENT_CHILD_EXITED, 3, "exited with status 3" },
		{ "cat", "abc", "abc", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "cat", "", "", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "kill -SEGV $$", "", "", "", AGENT_CHILD_SIGNALED, 139,
		  "was killed by signal 11 (Segmentation fault)" },
		{ "echo only >&2", "", "", "only\n", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "true", "", "", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "exec <&-; echo x", "abc", "x\n", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "yes", "", NULL, "", AGENT_CHILD_OUTPUT, 137,
		  "wrote more than 100000 bytes and was stopped" },
		/* What it leaves behind, with our pipe, is no reason to wait. */
		{ "sleep 60 & echo x", "", "x\n", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		/* No signal is ignored or blocked; but 32 and 33 are the C
		 * library's, and stay as we got them. */
		{ "grep -Ec '^Sig(Blk|Ign):.*0{7}$' /proc/self/status", "",
		  "2\n", "", AGENT_CHILD_EXITED, 0, "exited with status 0" },
		/* 3 is the folder that is listed. */
		{ "echo /proc/self/fd/*", "",
		  "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 "
		  "/proc/self/fd/3\n", "", AGENT_CHILD_EXITED, 0,
		  "exited with status 0" },
		{ "pwd; umask; env | grep -v PWD", "",
		  "/tmp\n0027\nPATH=/usr/bin:/bin\n", "",
		  AGENT_CHILD_EXITED, 0, "exited with status 0" },
		/* No terminal. */
		{ "exec 2>/dev/null; true </dev/tty || echo none", "", "none\n",
		  "", AGENT_CHILD_EXITED, 0, "exited with status 0" },
	};
	mode_t before = umask(027);
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent_child_spec s = spec_of(SH(rows[i].script));
		struct ai_buf says = AI_BUF_INIT(1000);
		struct agent_child c;
		struct ai_err err = { 0 };

		s.input = ai_span_of(rows[i].input);
		if (run(&c, &s, &err) < 0) {
			ok(false, "%s: %s", rows[i].script, err.msg);
			continue;
		}
		agent_child_say(&c, &says);
		if (!ok(c.end == rows[i].end && c.status == rows[i].status &&
			(rows[i].out == NULL ||
			 strcmp(ai_buf_cstr(&c.output), rows[i].out) == 0) &&
			strcmp(ai_buf_cstr(&c.errors), rows[i].err) == 0 &&
			strcmp(ai_buf_cstr(&says), rows[i].says) == 0, "%s",
			rows[i].script))
			printf("# %d %d '%s' '%s' '%s'\n", c.end, c.status,
			       ai_buf_cstr(&c.output), ai_buf_cstr(&c.errors),
			       ai_buf_cstr(&says));
		agent_child_release(&c);
		ai_buf_release(&says);
	}
	close(leak);
	umask(before);
}

static void test_not_started(void)
{
	static const struct {
		const char *program, *dir, *says;
	} rows[] = {
		{ "no-such-program", "/tmp",
		  "program 'no-such-program' not found" },
		{ "/no/such/program", "/tmp", "cannot run program "
		  "'/no/such/program': No such file or directory" },
		{ "/etc/passwd", "/tmp", "cannot run program '/etc/passwd': "
		  "Permission denied" },
		{ "/tmp", "/tmp", "cannot run program '/tmp': Permission "
		  "denied" },
		{ "true", "/no/such/folder", "cannot run program 'true': No "
		  "such file or directory" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent_child_spec s = spec_of(ARGV(rows[i].program));
		struct agent_child c;
		struct ai_err err = { 0 };

		s.dir = rows[i].dir;
		ok(agent_child_start(&c, &s, &err) < 0 &&
		   err.code == AI_E_OPEN && strcmp(err.msg, rows[i].says) == 0,
		   "%s", err.msg);
	}
	ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
	   "nothing is left of them");
}

/* ---- a lot ---------------------------------------------------------------- */

static long peak_kb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void test_gigabyte(void)
{
	struct agent_child_spec s = spec_of(SH("head -c 1G /dev/zero"));
	struct agent_child c;
	struct ai_err err = { 0 };
	long before = peak_kb();
	size_t bytes = 0;
	bool over;

	s.talks = true; /* it waits until somebody takes it */
	s.max_out = 1 << 20;
	if (!ok(agent_child_start(&c, &s, &err) == 0, "a gigabyte"))
		return;
	do {
		over = step(&c);
		bytes += c.output.len;
		ai_buf_consume(&c.output, c.output.len);
	} while (!over);
	ok(bytes == (size_t)1 << 30 && c.status == 0, "%zu bytes have come",
	   bytes);
	if (getenv("AI_SANITIZED") != NULL)
		skip("memory means nothing under a sanitizer");
	else
		ok(peak_kb() - before < 8192, "in flat memory (%ld kB more)",
		   peak_kb() - before);
	agent_child_release(&c);
	s = spec_of(SH("head -c 1G /dev/zero >&2; echo x"));
	ok(run(&c, &s, &err) == 0 && c.errors.len == 100 && c.status == 0 &&
	   strcmp(ai_buf_cstr(&c.output), "x\n") == 0,
	   "a gigabyte of errors: the first are kept");
	agent_child_release(&c);
}

static void test_talk(void)
{
	struct agent_child_spec s = spec_of(ARGV("cat"));
	struct agent_child c;
	struct ai_err err = { 0 };
	char line[5000];
	size_t sent = 0, got = 0;
	bool same = true;

	s.talks = true;
	s.max_out = 4096;
	memset(line, 'x', sizeof line);
	if (!ok(agent_child_start(&c, &s, &err) == 0, "one that talks"))
		return;
	for (int i = 0; i < 200; i++) {
		same = agent_child_send(&c, line, sizeof line, &err) == 0 &&
			same;
		sent += sizeof line;
		while (sent - got > 50000) {
			step(&c);
			got += c.output.len;
			same = same && c.output.len <= 4096;
			ai_buf_consume(&c.output, c.output.len);
		}
	}
	agent_child_finish(&c);
	for (bool over = false; !over;) {
		over = step(&c);
		got += c.output.len;
		ai_buf_consume(&c.output, c.output.len);
	}
	ok(same && got == sent && c.end == AGENT_CHILD_EXITED, "all came back");
	agent_child_release(&c);
	s = spec_of(SH("printf aaaaaaaaaa"));
	s.talks = true;
	s.max_out = 4;
	agent_child_start(&c, &s, &err);
	got = 0;
	for (bool over = false; !over;) {
		over = step(&c);
		got += c.output.len;
		ai_buf_consume(&c.output, c.output.len);
	}
	ok(got == 10, "what it wrote before its end is not lost");
	agent_child_release(&c);
	s = spec_of(SH("exec <&-; sleep 60"));
	s.talks = true;
	agent_child_start(&c, &s, &err);
	while (agent_child_send(&c, line, sizeof line, &err) == 0)
		poll(NULL, 0, 1);
	ok(err.code == AI_E_UNAVAILABLE, "%s", err.msg);
	agent_child_release(&c);
}

/* ---- trees that will not die --------------------------------------------- */

static const char *const trees[] = {
	/* Ignores SIGTERM, with grandchildren that do. */
	"trap '' TERM INT HUP; sleep 600 & (sleep 600 & sleep 600) & "
	"echo ready; while :; do sleep 600; done",
	/* Double-forked, in sessions of their own. */
	"trap '' TERM; (setsid sh -c 'trap \"\" TERM; setsid sleep 600 & "
	"sleep 600' &) ; (setsid setsid sleep 600 &); echo ready; sleep 600",
	/* Fills its pipes. */
	"trap '' TERM; (setsid yes >&2 &); echo ready; setsid sh -c 'exec "
	"yes' >&2",
	/* Forks on, each in a session of its own, its parent gone. */
	"echo ready; f() { setsid sh -c \"$1\" \"$1\" & }; "
	"f 'i=0; while [ $i -lt 40 ]; do (setsid sleep 600 &); i=$((i+1)); "
	"done; sleep 600'; f 'sleep 600'; sleep 600",
};
#define TREES (sizeof trees / sizeof *trees)

enum way { STOP, TIMEOUT, KILLED, WAYS };
static const char *const way_names[WAYS] = {
	"agent_child_stop()", "its time is up", "who started it is killed",
};

static bool start_tree(struct agent_child *c, size_t i, int hold, enum way way)
{
	struct agent_child_spec s = spec_of(SH(trees[i % TREES]));
	struct ai_err err = { 0 };

	s.hold = hold;
	s.timeout_s = way == TIMEOUT ? 0.1 : 60;
	s.talks = true; /* so that its output blocks it */
	s.max_out = 1000;
	if (agent_child_start(c, &s, &err) < 0)
		return false;
	while (c->output.len == 0 && !step(c))
		;
	return c->output.len > 0 || way == TIMEOUT;
}

/* As who started it: until it is killed. */
static void be_killed(size_t i, int hold, int ready)
{
	struct agent_child c;

	if (start_tree(&c, i, hold, KILLED) && write(ready, "r", 1) == 1)
		for (;;)
			pause();
	_exit(1);
}

/* Whether the other end is closed within a second. */
static bool ends_within_a_second(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, 1000) == 1 && read(fd, &c, 1) == 0;
}

/* hold is open in the warden as long as anything of the tree is alive. */
static bool trial(size_t i, enum way way)
{
	struct agent_child c;
	int hold[2], ready[2];
	double began;
	bool dead;
	pid_t pid;
	char r;

	if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return false;
	if (way == KILLED) {
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			be_killed(i, hold[1], ready[1]);
		close(ready[1]);
		close(hold[1]);
		dead = read(ready[0], &r, 1) == 1;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else {
		close(ready[1]);
		dead = start_tree(&c, i, hold[1], way);
		close(hold[1]);
		began = ai_clock_s();
		if (way == STOP)
			agent_child_stop(&c);
		else
			while (!step(&c))
				ai_buf_consume(&c.output, c.output.len);
		dead = dead && ai_clock_s() - began < 1.1 &&
			c.end == (way == STOP ? AGENT_CHILD_STOPPED
				  : AGENT_CHILD_TIMEOUT);
		agent_child_release(&c);
	}
	dead = ends_within_a_second(hold[0]) && dead;
	close(hold[0]);
	close(ready[0]);
	return dead;
}

/* Processes whose command line is that of the trees' sleepers. */
static int sleepers(void)
{
	struct agent_child_spec s = spec_of(SH("grep -lsz '^600$' "
		"/proc/[0-9]*/cmdline | wc -l"));
	struct agent_child c;
	struct ai_err err;
	int n = -1;

	if (run(&c, &s, &err) == 0)
		n = (int)strtol(ai_buf_cstr(&c.output), NULL, 10);
	agent_child_release(&c);
	return n;
}

static void test_trees(int trials)
{
	int before = sleepers();

	for (enum way way = 0; way < WAYS; way++) {
		int dead = 0;

		for (int i = 0; i < trials; i++)
			dead += trial((size_t)i, way);
		ok(dead == trials, "%d of %d trees are dead within a second: "
		   "%s", dead, trials, way_names[way]);
	}
	ok(sleepers() <= before, "and nothing is left of them");
}

/* ---- memory of all together ---------------------------------------------- */

#define MIB ((int64_t)1 << 20)

/* tail(1) keeps a line that does not end; 8 of them, in a tree. */
#define TAILS(bytes, s) "for i in 1 2 3 4 5 6 7 8; do (sh -c 'head -c " bytes \
	" /dev/zero; sleep " s "') | tail >/dev/null & done; wait"

static void test_memory(void)
{
	static const char *const read[] = { "/usr", "/bin", "/lib", "/lib64",
		"/etc/ld.so.cache", "/dev/zero", NULL },
		*const write[] = { "/dev/null", NULL };
	static const struct {
		const char *name, *script;
		enum agent_child_end end;
	} rows[] = {
		{ "a quarter of it in each of 8 children", TAILS("64M", "60"),
		  AGENT_CHILD_MEMORY },
		{ "a sixteenth of it in each", TAILS("16M", "1.5"),
		  AGENT_CHILD_EXITED },
		/* Each of them has all of it, and all have it once. */
		{ "what 8 children share", "x=$(head -c 40M /dev/zero | "
		  "tr '\\0' x); for i in 1 2 3 4 5 6 7 8; do (sleep 1.5; :) & "
		  "done; wait", AGENT_CHILD_EXITED },
	};
	const struct agent_cage_spec spec = { .read = read, .write = write,
					      .memory = 256 * MIB };
	struct ai_buf missing = AI_BUF_INIT(1000);
	struct agent_cage *cage;
	struct agent_child c;
	struct ai_err err;

	if (agent_cage_new(&cage, &spec, &missing, &err) < 0) {
		ok(false, "a cage: %s", err.msg);
		return;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct agent_child_spec s = spec_of(SH(rows[i].script));
		struct ai_buf says = AI_BUF_INIT(1000);

		s.cage = cage;
		s.dir = "/usr";
		if (run(&c, &s, &err) < 0) {
			ok(false, "%s: %s", rows[i].name, err.msg);
			continue;
		}
		agent_child_say(&c, &says);
		if (!ok(c.end == rows[i].end && (c.status == 0 ||
			c.end == AGENT_CHILD_MEMORY), "%s: it %s",
			rows[i].name, ai_buf_cstr(&says)))
			printf("# %d: %s\n", c.status,
			       ai_buf_cstr(&c.errors));
		ai_buf_release(&says);
		agent_child_release(&c);
	}
	agent_cage_free(cage);
	ai_buf_release(&missing);
}

int main(void)
{
	const char *trials = getenv("AI_CHILD_TRIALS");
	int before = open_fds();

	signal(SIGPIPE, SIG_IGN);
	test_ends();
	test_not_started();
	test_talk();
	test_gigabyte();
	test_memory();
	test_trees(trials != NULL ? (int)strtol(trials, NULL, 10) : 20);
	ok(open_fds() == before, "no descriptor is left open");
	return done();
}
