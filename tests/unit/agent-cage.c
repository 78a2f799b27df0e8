/*
 * bin/agent/cage/cage.h: what tests/stub/escape.c tries, each as root and as nobody
 * (or as who we are), with the kernel's Landlock and as if it had ABI 2 only;
 * and without a cage, which shows what would have succeeded.
 */
#include "cage/cage.h"
#include "cage/child.h"
#include "cage/pollset.h"

#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define ATTEMPTS_MAX 200
#define OLD_ABI 2
#define SUCCEED_AT_LEAST 50 /* without a cage */

enum { OUTSIDE, CAGED, CAGED_OLD, WAYS };
enum { ESCAPED, DENIED, CANNOT, BROKEN };

static char top[64];
static char names[ATTEMPTS_MAX][40];
static size_t n_names;
static char victims_byte = 'v';
static struct {
	int attempt[WAYS][ATTEMPTS_MAX];
	char error[WAYS][ATTEMPTS_MAX][24];
} *result; /* shared with the process that has the other user */

/* ---- the playground ------------------------------------------------------ */

static const char *place(const char *name)
{
	static char path[8][256];
	static int next;

	next = (next + 1) % 8;
	snprintf(path[next], sizeof path[next], "%s/%s", top, name);
	return path[next];
}

static void put(const char *name, mode_t mode)
{
	int fd;

	remove(place(name)); /* it may be another's by now */
	fd = open(place(name), O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (fd < 0 || write(fd, "secret\n", 7) != 7 || fchmod(fd, mode) < 0)
		printf("# cannot write %s: %s\n", name, strerrorname_np(errno));
	close(fd);
}

static void copy(const char *from, const char *to, mode_t mode, uid_t owner)
{
	char buf[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof buf)) > 0)
		if (write(out, buf, (size_t)n) != n)
			printf("# cannot write %s\n", to);
	if (fchown(out, owner, (gid_t)-1) < 0 || fchmod(out, mode) < 0)
		printf("# cannot set %s\n", to);
	close(in);
	close(out);
}

static int drop(const char *path, const struct stat *st, int type,
		struct FTW *f)
{
	(void)st;
	(void)type;
	if (f->level > 0)
		remove(path);
	return 0;
}

static int drop_all(const char *path, const struct stat *st, int type,
		    struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	remove(path);
	return 0;
}

/* As it was, before each attempt. */
static void tidy(void)
{
	static const char *const gone[] = { "out/new", "out/mine", "out/dir" };

	nftw(place("in"), drop, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		remove(place(gone[i]));
	put("out/secret", 0644);
	put("out/moved", 0644);
	put("out/gone", 0644);
	put("ro/file", 0644);
	put("ro/gone", 0644);
}

static int listen_tcp(int type, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		printf("# no socket: %s\n", strerrorname_np(errno));
	if (type == SOCK_STREAM)
		listen(fd, 512);
	*port = ntohs(a.sin_port);
	return fd;
}

static int listen_unix(const char *name, bool abstract, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	size_t n = strlen(place(name));

	memcpy(a.sun_path + abstract, place(name), n);
	if (bind(fd, (struct sockaddr *)&a, (socklen_t)
		 (offsetof(struct sockaddr_un, sun_path) + abstract + n)) < 0)
		printf("# no socket: %s\n", strerrorname_np(errno));
	if (type == SOCK_STREAM)
		listen(fd, 512);
	if (!abstract)
		chmod(place(name), 0777);
	return fd;
}

/* ---- running ------------------------------------------------------------- */

static const char *reads[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache",
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/alternatives",
	"/etc/gitconfig", "/etc/ssl", "/dev/urandom", "/dev/zero",
	"/proc/cpuinfo", "/proc/meminfo", NULL, NULL, NULL,
};
static const char *writes[] = { "/dev/null", NULL, NULL };
static char variables[12][256];
static const char *environment[13];

static struct agent_cage_spec spec = {
	.read = reads, .write = writes, .file_size = 4 << 20, .processes = 64,
	.write_total = 16 << 20,
};

static struct agent_cage *make_cage(const struct agent_cage_spec *s,
				    struct ai_buf *missing)
{
	struct agent_cage *cage = NULL;
	struct ai_err err = { 0 };

	if (agent_cage_new(&cage, s, missing, &err) < 0)
		printf("# no cage: %s\n", err.msg);
	return cage;
}

static int run(const char *const *argv, const struct agent_cage *cage,
	       struct agent_child *c)
{
	struct agent_child_spec s = {
		.name = argv[0], .argv = argv, .env = environment,
		.dir = top[0] != 0 ? place("in") : "/", .cage = cage, .hold = -1,
		.max_out = 1 << 20, .max_err = 4096, .timeout_s = 60,
	};
	struct agent_poll p = { 0 };
	struct ai_err err = { 0 };

	if (agent_child_start(c, &s, &err) < 0) {
		printf("# %s\n", err.msg);
		return -1;
	}
	while (!agent_child_turn(c)) {
		agent_poll_clear(&p, 60);
		agent_child_wait(c, &p);
		if (agent_poll_wait(&p, &err) < 0)
			break;
	}
	agent_poll_release(&p);
	return 0;
}

/* Whether it is what escape says when it was denied: an errno's name or 0.
 * Else it never came to its attempt, which proves nothing. */
static bool is_errno(const char *s)
{
	return strcmp(s, "0") == 0 ||
	       (s[0] == 'E' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789")] == '\0');
}

static int attempt(const char *name, const struct agent_cage *cage,
		   char error[24])
{
	const char *argv[] = { place("bin/escape"), name, NULL };
	struct agent_child c;
	int rc = BROKEN;

	if (run(argv, cage, &c) < 0)
		return BROKEN;
	if (c.end == AGENT_CHILD_EXITED)
		/* 127: ld.so could not open it. */
		rc = c.status <= CANNOT ? c.status
			: c.status == 127 ? DENIED : BROKEN;
	else if (c.end == AGENT_CHILD_DISK || c.end == AGENT_CHILD_CROWD ||
		 c.end == AGENT_CHILD_SIGNALED)
		rc = DENIED;
	snprintf(error, 24, "%.*s", (int)strcspn(ai_buf_cstr(&c.errors), "\n"),
		 ai_buf_cstr(&c.errors));
	if (c.end == AGENT_CHILD_EXITED && c.status == 1 && !is_errno(error))
		rc = BROKEN;
	agent_child_release(&c);
	return rc;
}

static void try_all(int way, int abi)
{
	struct ai_buf missing = AI_BUF_INIT(1000);
	struct agent_cage_spec s = spec;
	struct agent_cage *cage = NULL;

	s.abi_max = abi;
	if (way != OUTSIDE && (cage = make_cage(&s, &missing)) == NULL)
		return;
	for (size_t i = 0; i < n_names; i++) {
		tidy();
		result->attempt[way][i] = attempt(names[i], cage,
						  result->error[way][i]);
	}
	agent_cage_free(cage);
	ai_buf_release(&missing);
}

/* ---- what is allowed ----------------------------------------------------- */

static const struct {
	const char *needs, *script, *prints;
} ordinary[] = {
	{ "/bin/sh", "echo a | cat; id -u >/dev/null; (exit 3); echo $?",
	  "a\n3\n" },
	{ "/bin/sh", "sleep 9 & kill $!; wait $!; echo $?", "143\n" },
	{ "/usr/bin/touch", "touch a && touch a && chmod +x a && test -x a && "
	  "cp -p a b && mkdir d && mv b d && ln d/b c && rm -r d && ls",
	  "a\nc\n" },
	{ "/usr/bin/tar", "echo x >f && tar cf t.tar f && rm f && "
	  "tar xf t.tar && cat f && install -m 755 f g && ls", "x\nf\ng\n"
	  "t.tar\n" },
	{ "/usr/bin/grep", "printf 'a\\nb\\n' >f && grep -r b . && "
	  "sed -i s/b/c/ f && cat f", "./f:b\na\nc\n" },
	{ "/usr/bin/git", "git init -q . && echo x >f && git add f && "
	  "git -c user.name=a -c user.email=b commit -qm c && echo y >g && "
	  "git status --short", "?? g\n" },
	{ "/usr/bin/python3", "/usr/bin/python3 -c 'import subprocess, "
	  "threading\nt = threading.Thread(target=lambda: print(1))\n"
	  "t.start(); t.join()\nprint(subprocess.run([\"echo\", \"2\"], "
	  "capture_output=True, text=True).stdout.strip())'", "1\n2\n" },
	{ "/usr/bin/node", "node -e 'const fs = require(\"fs\");"
	  "fs.writeFileSync(\"a\", \"1\"); fs.copyFileSync(\"a\", \"b\");"
	  "const { execFileSync } = require(\"child_process\");"
	  "console.log(execFileSync(\"cat\", [\"b\"], "
	  "{ encoding: \"utf8\" }))'", "1\n" },
	{ "/usr/bin/perl", "perl -e 'print `echo 1`; utime 1, 2, \"x\";"
	  "print -t STDIN ? 1 : 0'", "1\n0" },
};

static void try_ordinary(const char *user, int abi)
{
	struct ai_buf missing = AI_BUF_INIT(1000);
	struct agent_cage_spec s = spec;
	struct agent_cage *cage;

	s.abi_max = abi;
	cage = make_cage(&s, &missing);
	for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++) {
		const char *argv[] = { "/bin/sh", "-c", ordinary[i].script,
				       NULL };
		struct agent_child c;

		if (access(ordinary[i].needs, X_OK) < 0) {
			skip("no %s", ordinary[i].needs);
			continue;
		}
		tidy();
		if (cage == NULL || run(argv, cage, &c) < 0) {
			ok(false, "%s: it runs", ordinary[i].needs);
			continue;
		}
		if (!ok(c.end == AGENT_CHILD_EXITED && c.status == 0 &&
			strcmp(ai_buf_cstr(&c.output), ordinary[i].prints) == 0,
			"%s, ABI %d: %s works (%zu)", user, abi,
			ordinary[i].needs, i))
			printf("# %d %s # %s\n", c.status,
			       ai_buf_cstr(&c.output), ai_buf_cstr(&c.errors));
		agent_child_release(&c);
	}
	agent_cage_free(cage);
	ai_buf_release(&missing);
}

/* What a spec allows, by the same attempts. */
static void try_allowed(const char *user, int tcp, int real_abi)
{
	const uint16_t port[] = { (uint16_t)tcp }, other[] = { 1 };
	struct {
		const char *what, *attempt;
		struct agent_cage_spec s;
		int comes, abi; /* that it needs */
		bool missing;
	} rows[] = {
		{ "its port", "tcp_connect", spec, ESCAPED, 4, false },
		{ "its port, Landlock ABI 2", "tcp_connect", spec, DENIED, 0,
		  true },
		{ "another port", "tcp_connect", spec, DENIED, 4, false },
		{ "TCP Fast Open with a port", "tcp_fastopen", spec, DENIED, 4,
		  false },
		{ "MPTCP with a port", "mptcp", spec, DENIED, 4, false },
		{ "UDP with a port", "udp", spec, DENIED, 4, false },
		{ "listening with a port", "tcp_listen", spec, DENIED, 4,
		  false },
		{ "networks: TCP", "tcp_connect", spec, ESCAPED, 0, false },
		{ "networks: UDP", "udp", spec, ESCAPED, 0, false },
		{ "networks: a service's socket", "unix_path", spec, DENIED, 0,
		  false },
	};
	char error[24];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ai_buf missing = AI_BUF_INIT(1000);
		struct agent_cage *cage;

		rows[i].s.network = strncmp(rows[i].what, "networks", 8) == 0;
		rows[i].s.n_ports = rows[i].s.network ? 0 : 1;
		rows[i].s.ports = i == 2 ? other : port;
		rows[i].s.abi_max = rows[i].missing ? OLD_ABI : 0;
		if (real_abi < rows[i].abi) {
			skip("Landlock has no ports here");
			continue;
		}
		cage = make_cage(&rows[i].s, &missing);
		tidy();
		ok(attempt(rows[i].attempt, cage, error) == rows[i].comes &&
		   (missing.len > 0) == rows[i].missing, "%s: %s: %s %s", user,
		   rows[i].what, error, ai_buf_cstr(&missing));
		agent_cage_free(cage);
		ai_buf_release(&missing);
	}
}

/* ---- one user ------------------------------------------------------------ */

static pid_t start_victim(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		if (chdir(place("out")) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	return pid;
}

__attribute__((format(printf, 2, 3)))
static void set_variable(size_t i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(variables[i], sizeof variables[i], fmt, ap);
	va_end(ap);
	environment[i] = variables[i];
	environment[i + 1] = NULL;
}

static void set_environment(pid_t victim, int tcp, int udp)
{
	set_variable(0, "PATH=/usr/bin:/bin");
	set_variable(1, "HOME=%s", place("in"));
	set_variable(2, "ESC_OUT=%s", place("out"));
	set_variable(3, "ESC_RO=%s", place("ro"));
	set_variable(4, "ESC_IN=%s", place("in"));
	set_variable(5, "ESC_PID=%d", (int)victim);
	set_variable(6, "ESC_TCP=%d", tcp);
	set_variable(7, "ESC_UDP=%d", udp);
	set_variable(8, "ESC_FD=50");
	set_variable(9, "ESC_AT=%llu",
		     (unsigned long long)(uintptr_t)&victims_byte);
}

static bool become(uid_t uid)
{
	if (uid == getuid())
		return true;
	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		return false;
	return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static void say(const char *user, int way, int abi)
{
	for (size_t i = 0; i < n_names; i++) {
		int rc = result->attempt[way][i];

		ok(rc == DENIED || rc == CANNOT, "%s, ABI %d: %s: %s", user,
		   abi, names[i], rc == CANNOT ? "cannot be tried here"
		   : rc == DENIED ? result->error[way][i]
		   : rc == ESCAPED ? "ESCAPED" : "broken");
	}
}

/* The whole of it as this user, in a process of its own. Its tests go on in
 * that; its TAP numbers come back by the status. */
static void as_user(uid_t uid, const char *user, int tcp, int udp, int abi)
{
	pid_t pid, victim;
	int ws, secret;

	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		waitpid(pid, &ws, 0);
		/* It printed them. */
		tap_n = result->attempt[WAYS - 1][ATTEMPTS_MAX - 1];
		tap_bad += WIFEXITED(ws) ? WEXITSTATUS(ws) : 1;
		return;
	}
	tap_bad = 0;
	ok(become(uid), "%s", user);
	victim = start_victim();
	set_environment(victim, tcp, udp);
	tidy();
	secret = open(place("out/secret"), O_RDONLY);
	dup2(secret, 50);
	try_all(OUTSIDE, 0);
	try_all(CAGED, 0);
	try_all(CAGED_OLD, OLD_ABI);
	say(user, CAGED, abi);
	say(user, CAGED_OLD, OLD_ABI);
	spec.write_total = 0;
	spec.processes = 0;
	try_ordinary(user, 0);
	try_ordinary(user, OLD_ABI);
	try_allowed(user, tcp, abi);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	result->attempt[WAYS - 1][ATTEMPTS_MAX - 1] = tap_n;
	fflush(stdout);
	_exit(tap_bad < 100 ? tap_bad : 100);
}

/* ---- both ---------------------------------------------------------------- */

static bool read_names(const char *escape)
{
	const char *argv[] = { escape, NULL };
	struct agent_child c;
	const char *p;

	set_variable(0, "PATH=/usr/bin:/bin");
	if (run(argv, NULL, &c) < 0)
		return false;
	for (p = ai_buf_cstr(&c.output); *p != '\0' &&
	     n_names < ATTEMPTS_MAX - 1; p += strcspn(p, "\n") + 1)
		snprintf(names[n_names++], sizeof names[0], "%.*s",
			 (int)strcspn(p, "\n"), p);
	agent_child_release(&c);
	return n_names >= 40;
}

static bool prepare(const char *escape, uid_t uid)
{
	static const char *const folders[] = { "in", "out", "ro", "bin" };

	snprintf(top, sizeof top, "/tmp/agent-cage-XXXXXX");
	if (mkdtemp(top) == NULL)
		return false;
	chmod(top, 0755);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (mkdir(place(folders[i]), 0755) < 0)
			return false;
	copy(escape, place("bin/escape"), 0755, (uid_t)-1);
	copy(escape, place("out/escape"), 0755, (uid_t)-1);
	if (getuid() == 0)
		copy(escape, place("ro/setuid"), 04755, uid == 0 ? 1 : 0);
	for (size_t i = 0; i < 3; i++)
		if (chown(place(folders[i]), uid, (gid_t)-1) < 0)
			return false;
	for (size_t i = 0; reads[i] != NULL; i++)
		;
	return true;
}

static size_t try_user(const char *escape, uid_t uid, const char *user, int abi)
{
	int sockets[5], tcp, udp;
	size_t succeeded = 0;
	char bin[80], ro[80], in[80];

	if (!ok(prepare(escape, uid), "a playground for %s", user))
		return 0;
	snprintf(bin, sizeof bin, "%s/bin", top);
	snprintf(ro, sizeof ro, "%s/ro", top);
	snprintf(in, sizeof in, "%s/in", top);
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		if (reads[i] == NULL || strncmp(reads[i], "/tmp/", 5) == 0) {
			reads[i] = bin;
			reads[i + 1] = ro;
			break;
		}
	writes[1] = in;
	sockets[0] = listen_tcp(SOCK_STREAM, &tcp);
	sockets[1] = listen_tcp(SOCK_DGRAM, &udp);
	sockets[2] = listen_unix("out/socket", false, SOCK_STREAM);
	sockets[3] = listen_unix("out/abstract", true, SOCK_STREAM);
	sockets[4] = listen_unix("out/datagrams", false, SOCK_DGRAM);
	as_user(uid, user, tcp, udp, abi);
	for (size_t i = 0; i < n_names; i++) {
		if (result->attempt[OUTSIDE][i] == ESCAPED)
			succeeded++;
		else
			printf("# %s without a cage: %s: %s\n", user, names[i],
			       result->error[OUTSIDE][i]);
	}
	ok(succeeded >= SUCCEED_AT_LEAST, "%s: %zu of %zu would succeed "
	   "without a cage", user, succeeded, n_names);
	for (size_t i = 0; i < 5; i++)
		close(sockets[i]);
	reads[sizeof reads / sizeof *reads - 3] = NULL;
	nftw(top, drop_all, 8, FTW_DEPTH | FTW_PHYS);
	return succeeded;
}

int main(void)
{
	const char *dir = getenv("BUILDDIR");
	char escape[512];
	int abi = (int)syscall(444, NULL, 0, 1);

	signal(SIGPIPE, SIG_IGN);
	setenv("AI_TEST_KEY", "hidden-from-tools", 1);
	snprintf(escape, sizeof escape, "%s/tests/stub/ai-escape",
		 dir != NULL ? dir : ".");
	result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED || !ok(read_names(escape), "the attempts"))
		return done();
	if (abi < 1) {
		skip("this kernel has no Landlock");
		return done();
	}
	if (getuid() != 0) {
		try_user(escape, getuid(), "a normal user", abi);
		return done();
	}
	try_user(escape, 0, "root", abi);
	try_user(escape, NOBODY, "nobody", abi);
	return done();
}
