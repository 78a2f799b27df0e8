/*
 * escape NAME: tries to get out of the cage in one way.
 *
 * Exit status: 0 it succeeded, 1 it was denied (errno on stderr), 2 this
 * machine cannot try it.  Without arguments: the names.  What is to be
 * reached stands in the environment: ESC_OUT, a folder outside; ESC_RO, one
 * that may be read; ESC_IN, one that may be written; ESC_PID, a process;
 * ESC_TCP and ESC_UDP, ports that somebody listens at; ESC_AT, an address in
 * its memory; ESC_FD, a descriptor that was open.
 * An attempt that succeeds does no harm: it changes what the test made, or
 * says what makes no sense.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CANNOT 2

static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s != NULL ? s : "/nowhere";
}

static int number(const char *name)
{
	return (int)strtol(env(name), NULL, 10);
}

/* A path below one of the folders; a few at once. */
static const char *at(const char *folder, const char *name)
{
	static char path[8][512];
	static int next;

	next = (next + 1) % 8;
	snprintf(path[next], sizeof path[next], "%s/%s", env(folder), name);
	return path[next];
}

#define OUT(name) at("ESC_OUT", name)
#define RO(name) at("ESC_RO", name)
#define IN(name) at("ESC_IN", name)

static int by(long rc)
{
	return rc < 0 ? 1 : 0;
}

static int reads(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY);

	return fd < 0 ? 1 : by(read(fd, &c, 1) - 1);
}

/* ---- files */

static int read_file(void) { return reads(OUT("secret")); }
static int list_folder(void) { return by(open(env("ESC_OUT"), O_RDONLY)); }
static int dotdot(void) { return reads(IN("../out/secret")); }
static int write_readable(void) { return by(open(RO("file"), O_WRONLY)); }
static int create_outside(void)
{
	return by(open(OUT("new"), O_WRONLY | O_CREAT, 0600));
}
static int symlink_out(void)
{
	unlink(IN("link"));
	return symlink(OUT("secret"), IN("link")) < 0 ? CANNOT
		: reads(IN("link"));
}
static int hardlink(void)
{
	unlink(IN("hard"));
	return link(OUT("secret"), IN("hard")) < 0 ? 1 : reads(IN("hard"));
}
static int rename_out(void)
{
	int fd = open(IN("mine"), O_WRONLY | O_CREAT, 0600);

	return fd < 0 ? CANNOT : by(rename(IN("mine"), OUT("mine")));
}
static int rename_in(void) { return by(rename(OUT("moved"), IN("moved"))); }
static int remove_outside(void) { return by(unlink(OUT("gone"))); }
static int mkdir_outside(void) { return by(mkdir(OUT("dir"), 0700)); }
static int remove_readable(void) { return by(unlink(RO("gone"))); }
static int truncate_path(void) { return by(truncate(RO("file"), 0)); }
static int truncate_open(void)
{
	return by(open(RO("file"), O_RDONLY | O_TRUNC));
}
static int truncate_mode3(void)
{
	return by(open(RO("file"), O_ACCMODE | O_TRUNC));
}
static int openat2_trunc(void)
{
	uint64_t how[3] = { O_RDONLY | O_TRUNC, 0, 0 };

	return by(syscall(437, AT_FDCWD, RO("file"), how, sizeof how));
}
static int handle(void)
{
	struct {
		struct file_handle h;
		char room[128];
	} f = { .h = { .handle_bytes = 128 } };
	int id, dir = open("/", O_PATH);

	if (name_to_handle_at(AT_FDCWD, OUT("secret"), &f.h, &id, 0) < 0)
		return CANNOT;
	dir = open(env("ESC_IN"), O_RDONLY | O_DIRECTORY);
	return by(open_by_handle_at(dir, &f.h, O_RDONLY));
}
static int ld_so(void)
{
	static const char *const names[] = { "/lib64/ld-linux-x86-64.so.2",
					     "/lib/ld-linux-aarch64.so.1" };

	/* The program has a copy outside. */
	for (int i = 0; i < 2; i++)
		if (access(names[i], X_OK) == 0)
			execl(names[i], names[i], OUT("escape"), "nothing",
			      (char *)NULL);
	return 1;
}
static int exec_outside(void)
{
	execl(OUT("escape"), "escape", "nothing", (char *)NULL);
	return 1;
}
static int nothing(void) { return 0; }

/* ---- what Landlock knows nothing of */

static int chmod_path(void) { return by(chmod(RO("file"), 0666)); }
static int chmod_outside(void) { return by(chmod(OUT("secret"), 0666)); }
static int chmod_link(void)
{
	unlink(IN("clink"));
	return symlink(RO("file"), IN("clink")) < 0 ? CANNOT
		: by(chmod(IN("clink"), 0666));
}
static int chmod_dotdot(void) { return by(chmod(IN("../ro/file"), 0666)); }
static int fchmod_fd(void)
{
	int fd = open(RO("file"), O_RDONLY);

	return fd < 0 ? CANNOT : by(fchmod(fd, 0666));
}
static int fchmodat2(void)
{
	return by(syscall(452, AT_FDCWD, RO("file"), 0666, 0));
}
static int chmod_device(void)
{
	struct stat st;

	/* As it is. */
	return stat("/dev/null", &st) < 0 ? CANNOT
		: by(chmod("/dev/null", st.st_mode & 07777));
}
static int chown_other(void)
{
	return by(chown(RO("file"), geteuid() == 0 ? 1 : (uid_t)-1,
			geteuid() == 0 ? 1 : getegid() + 1));
}
static int setuid_file(void)
{
	int fd = open(IN("suid"), O_WRONLY | O_CREAT, 0700);

	return fd < 0 ? CANNOT : by(fchmod(fd, 04755));
}
static int setuid_create(void)
{
	umask(0);
	unlink(IN("suid2"));
	return by(open(IN("suid2"), O_WRONLY | O_CREAT, 04755));
}
static int times(void) { return by(utimensat(AT_FDCWD, RO("file"), NULL, 0)); }
static int times_fd(void)
{
	int fd = open(RO("file"), O_RDONLY);

	return fd < 0 ? CANNOT : by(futimens(fd, NULL));
}
static int times_old(void)
{
#ifdef SYS_utimes
	return by(syscall(SYS_utimes, RO("file"), NULL));
#else
	return CANNOT;
#endif
}
static int xattr(void)
{
	int rc = setxattr(RO("file"), "user.escape", "1", 1, 0);

	return rc == 0 ? 0 : 1;
}
static int inode_flags(void)
{
	int fd = open(RO("file"), O_RDONLY), flags = 0x80; /* no access times */

	return fd < 0 ? CANNOT : by(ioctl(fd, 0x40086602, &flags));
}
static int make_device(void)
{
	return by(mknod(IN("dev"), S_IFCHR | 0600, 0x103));
}

/* ---- /proc */

static int proc_name(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", number("ESC_PID"), name);
	return reads(path);
}
static int proc_1_environ(void) { return reads("/proc/1/environ"); }
static int proc_environ(void) { return proc_name("environ"); }
static int proc_maps(void) { return proc_name("maps"); }
static int proc_mem(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", number("ESC_PID"));
	return by(open(path, O_RDWR));
}
static int proc_root(void)
{
	char path[600];

	snprintf(path, sizeof path, "/proc/self/root%s/secret", env("ESC_OUT"));
	return reads(path);
}
static int proc_cwd(void)
{
	char path[600];

	snprintf(path, sizeof path, "/proc/%d/cwd/secret", number("ESC_PID"));
	return reads(path);
}
static int own_environ(void)
{
	extern char **environ;

	for (char **e = environ; *e != NULL; e++)
		if (strstr(*e, "hidden-from-tools") != NULL)
			return 0;
	return 1;
}
static int inherited_fd(void)
{
	char c;

	return by(pread(number("ESC_FD"), &c, 1, 0) - 1);
}

/* ---- networks */

static int try_connect(int domain, int type, int protocol, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(domain, type, protocol);

	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT
			? CANNOT : 1;
	return by(connect(fd, (struct sockaddr *)&a, sizeof a));
}
static int tcp_connect(void)
{
	return try_connect(AF_INET, SOCK_STREAM, 0, number("ESC_TCP"));
}
static int mptcp(void)
{
	return try_connect(AF_INET, SOCK_STREAM, 262, number("ESC_TCP"));
}
static int tcp_fastopen(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)number("ESC_TCP")),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? 1 : by(sendto(fd, "x", 1, MSG_FASTOPEN,
				      (struct sockaddr *)&a, sizeof a));
}
static int tcp6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port =
				  htons((uint16_t)number("ESC_TCP")) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? CANNOT : 1;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr);
	return by(connect(fd, (struct sockaddr *)&a, sizeof a));
}
static int tcp_bind(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? 1 : by(bind(fd, (struct sockaddr *)&a, sizeof a));
}
static int tcp_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? 1 : by(listen(fd, 1));
}
static int udp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)number("ESC_UDP")),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd < 0 ? 1 : by(sendto(fd, "x", 1, 0, (struct sockaddr *)&a,
				      sizeof a));
}
static int high_half(void)
{
	/* An int with garbage above it. */
	return by(syscall(SYS_socket, (1L << 32) | AF_INET, SOCK_DGRAM, 0));
}
static int raw(void) { return by(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }
static int packet(void) { return by(socket(AF_PACKET, SOCK_RAW, 0)); }
static int netlink(void)
{
	return by(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}
static int vsock(void)
{
	int fd = socket(40, SOCK_STREAM, 0);

	return fd < 0 && errno == EAFNOSUPPORT ? CANNOT : by(fd);
}
static int unix_address(struct sockaddr_un *a, const char *path, bool abstract)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path + abstract, sizeof a->sun_path - abstract, "%s",
		 path);
	return (int)(offsetof(struct sockaddr_un, sun_path) + abstract +
		     strlen(path));
}
static int unix_path(void)
{
	struct sockaddr_un a;
	int n = unix_address(&a, OUT("socket"), false);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 ? 1 : by(connect(fd, (struct sockaddr *)&a,
				       (socklen_t)n));
}
static int unix_abstract(void)
{
	struct sockaddr_un a;
	int n = unix_address(&a, OUT("abstract"), true);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 ? 1 : by(connect(fd, (struct sockaddr *)&a,
				       (socklen_t)n));
}
static int pair_to_path(int type)
{
	struct sockaddr_un a;
	int n = unix_address(&a, OUT("datagrams"), false), fd[2];

	return socketpair(AF_UNIX, type, 0, fd) < 0 ? 1
		: by(sendto(fd[0], "x", 1, 0, (struct sockaddr *)&a,
			    (socklen_t)n));
}
static int pair_datagrams(void) { return pair_to_path(SOCK_DGRAM); }
static int pair_raw(void) { return pair_to_path(SOCK_RAW); }

/* ---- other processes */

static int trace(void)
{
	pid_t pid = number("ESC_PID");

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return 1;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}
static int vm_write(bool writes)
{
	char c = 0;
	struct iovec here = { &c, 1 };
	struct iovec there = { (void *)(uintptr_t)strtoull(env("ESC_AT"), NULL,
							    10), 1 };

	return by(writes ? process_vm_writev(number("ESC_PID"), &here, 1,
					     &there, 1, 0)
		  : process_vm_readv(number("ESC_PID"), &here, 1, &there, 1, 0));
}
static int memory_read(void) { return vm_write(false); }
static int memory_write(void) { return vm_write(true); }
static int kill_victim(void) { return by(kill(number("ESC_PID"), SIGCONT)); }
static int kill_parent(void) { return by(kill(getppid(), SIGCONT)); }
static int kill_all(void) { return by(kill(-1, 0)); }
static int kill_group(void) { return by(kill(-number("ESC_PID"), SIGCONT)); }
static int tgkill_victim(void)
{
	return by(syscall(SYS_tgkill, number("ESC_PID"), number("ESC_PID"),
			  SIGCONT));
}
static int tkill_victim(void)
{
	return by(syscall(SYS_tkill, number("ESC_PID"), SIGCONT));
}
static int queue_victim(void)
{
	return by(sigqueue(number("ESC_PID"), SIGCONT, (union sigval){ 0 }));
}
static int pidfd(void) { return (int)syscall(434, number("ESC_PID"), 0); }
static int pidfd_signal(void)
{
	int fd = pidfd();

	return fd < 0 ? 1 : by(syscall(424, fd, SIGCONT, NULL, 0));
}
static int pidfd_get(void)
{
	int fd = pidfd();

	return fd < 0 ? 1 : by(syscall(438, fd, 0, 0));
}
static int signal_by_owner(void)
{
	int p[2];

	return pipe(p) < 0 ? CANNOT
		: by(fcntl(p[0], F_SETOWN, number("ESC_PID")));
}
static int limit_victim(void)
{
	struct rlimit l;

	return by(prlimit(number("ESC_PID"), RLIMIT_CORE, NULL, &l));
}
static int raise_limit(void)
{
	struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };

	return by(setrlimit(RLIMIT_CORE, &l));
}
static int affinity_victim(void)
{
	cpu_set_t all;

	if (sched_getaffinity(number("ESC_PID"), sizeof all, &all) < 0)
		return CANNOT;
	return by(sched_setaffinity(number("ESC_PID"), sizeof all, &all));
}
static int nice_victim(void)
{
	return by(setpriority(PRIO_PROCESS, (id_t)number("ESC_PID"), 1));
}
static int leave_session(void)
{
	pid_t pid = fork();
	int ws;

	if (pid == 0)
		_exit(setsid() < 0);
	return waitpid(pid, &ws, 0) == pid ? WEXITSTATUS(ws) : 1;
}
static int leave_group(void)
{
	pid_t pid = fork();
	int ws;

	if (pid == 0)
		_exit(setpgid(0, 0) < 0);
	return waitpid(pid, &ws, 0) == pid ? WEXITSTATUS(ws) : 1;
}
static int fork_many(void)
{
	enum { MANY = 200 };
	pid_t pids[MANY];
	int n = 0;

	while (n < MANY && (pids[n] = fork()) >= 0) {
		if (pids[n] == 0)
			for (;;)
				pause();
		n++;
	}
	sleep(1);
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
	return n == MANY ? 0 : 1;
}

/* Each of which forks on; whoever is left ends by an alarm. */
static int fork_bomb(void)
{
	pid_t self = getpid();
	int p[2], n = 0;
	char c;

	if (pipe(p) < 0)
		return CANNOT;
	for (int i = 0; i < 9; i++)
		fork();
	alarm(10);
	if (write(p[1], "x", 1) != 1)
		_exit(1);
	if (getpid() != self)
		for (;;)
			pause();
	while (n < 300 && read(p[0], &c, 1) == 1)
		n++;
	sleep(1);
	return n == 300 ? 0 : 1;
}

/* ---- the kernel */

static int io_uring(void)
{
	char params[120] = { 0 };
	long fd = syscall(425, 1, params);

	return by(fd);
}
static int new_user(void) { return by(unshare(CLONE_NEWUSER)); }
static int new_mounts(void) { return by(unshare(CLONE_NEWNS)); }
static int new_time(void) { return by(unshare(0x80)); }
static int clone_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return by(pid);
}
static int clone_user(void) { return clone_with(CLONE_NEWUSER); }
static int clone_net(void) { return clone_with(CLONE_NEWNET); }
static int clone3(void)
{
	uint64_t args[8] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0 };
	long pid = syscall(435, args, sizeof args);

	if (pid == 0)
		_exit(0);
	return by(pid);
}
static int join_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);

	return fd < 0 ? 1 : by(setns(fd, 0));
}
/* In a mount namespace of its own, if it gets one; else a mount that would be
 * refused for what it names. */
static int mount_tmpfs(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 1;
	return by(mount("none", env("ESC_IN"), "tmpfs", 0, NULL));
}
/* Denied, if not for what makes no sense in it. */
static int unless(long rc, int senseless)
{
	return rc < 0 && errno != senseless ? 1 : 0;
}
static int mount_senseless(void)
{
	return unless(mount("none", "/nowhere/at/all", "tmpfs", 0, NULL),
		      ENOENT);
}
static int umount_senseless(void)
{
	return unless(umount2("/nowhere/at/all", 0), ENOENT);
}
static int new_filesystem(void) { return by(syscall(430, "tmpfs", 0)); }
static int copy_tree(void)
{
	return by(syscall(428, AT_FDCWD, env("ESC_IN"), 1 | O_CLOEXEC));
}
static int move_tree(void)
{
	return unless(syscall(429, -1, "", -1, "", 0x1000), EINVAL);
}
static int change_root(void) { return by(chroot(env("ESC_IN"))); }
static int pivot(void)
{
	return unless(syscall(SYS_pivot_root, "/nowhere", "/nowhere"), ENOENT);
}
static char no_name[] = "true";
static char *no_args[] = { no_name, NULL };
static int memfd_exec(void)
{
	int fd = (int)syscall(SYS_memfd_create, "x", 0), from;
	char buf[65536];
	ssize_t n;

	from = open("/bin/true", O_RDONLY);
	if (fd < 0 || from < 0)
		return 1;
	while ((n = read(from, buf, sizeof buf)) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return CANNOT;
	fexecve(fd, no_args, no_args);
	return 1;
}
static int exec_at(void)
{
	int fd = open("/bin/true", O_RDONLY);

	syscall(SYS_execveat, fd, "", no_args, no_args, AT_EMPTY_PATH);
	return 1;
}
static int no_random(void) { return by(personality(ADDR_NO_RANDOMIZE)); }
static int fault_fd(void)
{
	return by(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* user mode only */));
}
static int bpf(void)
{
	char attr[128] = { 0 };

	/* A map of no size. */
	return unless(syscall(SYS_bpf, 0, attr, sizeof attr), EINVAL);
}
static int perf(void)
{
	struct {
		uint32_t type, size;
		uint64_t config, room[12];
	} attr = { 1, 64, 9 /* a dummy */, { 0 } };

	return unless(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0), EINVAL);
}
static int keys(void)
{
	return by(syscall(SYS_keyctl, 0, -3 /* the session's */, 1));
}
static int add_key(void)
{
	return by(syscall(SYS_add_key, "user", "escape", "x", 1, -1));
}
static int kcmp(void)
{
	return by(syscall(SYS_kcmp, number("ESC_PID"), number("ESC_PID"), 0, 0,
			  0));
}
static int swap(void)
{
	return unless(syscall(SYS_swapon, "/nowhere", 0), ENOENT);
}
static int module(void)
{
	return unless(syscall(SYS_finit_module, -1, "", 0), EBADF);
}
static int set_time(void)
{
	struct timeval no = { .tv_usec = -1 };

	return unless(syscall(SYS_settimeofday, &no, NULL), EINVAL);
}
static int host_name(void) { return unless(syscall(SYS_sethostname, "x", 4096), EINVAL); }
static int restart(void)
{
	return unless(syscall(SYS_reboot, 1, 2, 3, NULL), EINVAL);
}
static int fake_input(void)
{
	/* No terminal is there: what is denied is told otherwise. */
	return unless(ioctl(0, 0x541200000000 | 0x5412, "x"), ENOTTY);
}
static int become_root(void)
{
	return geteuid() == 0 ? by(setresuid(1, 1, 1)) : by(setuid(0));
}
static int setuid_program(void)
{
	/* A copy of ours with another's setuid bit; the test's. */
	execl(RO("setuid"), "escape", "other-user", (char *)NULL);
	return CANNOT;
}
static int other_user(void)
{
	if (geteuid() != getuid())
		return 0;
	fputs("0\n", stderr);
	return 1;
}
static int new_syscall(void)
{
	/* setxattrat: later than the list. */
	return unless(syscall(463, -1, "", 0, "", NULL, 0), EINVAL);
}

/* Both kill; in a child. */
static int foreign_call(bool x32)
{
	pid_t pid = fork();
	int ws;

	if (pid < 0)
		return 1;
	if (pid == 0) {
#ifdef __x86_64__
		long rc;

		if (x32)
			rc = syscall(0x40000000 + SYS_getpid);
		else
			__asm__ volatile("int $0x80" : "=a"(rc)
					 : "a"(20 /* getpid */) : "memory");
		_exit(rc < 0 ? 3 : 0);
#else
		_exit(3);
#endif
	}
	if (waitpid(pid, &ws, 0) != pid || WIFSIGNALED(ws))
		return 1;
	return WEXITSTATUS(ws) == 3 ? CANNOT : 0;
}
static int x32(void) { return foreign_call(true); }
static int i386(void) { return foreign_call(false); }

/* ---- disks */

static int fill(const char *name, size_t bytes)
{
	static char block[65536];
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	for (size_t n = 0; n < bytes; n += sizeof block)
		if (write(fd, block, sizeof block) != sizeof block)
			return -1;
	close(fd);
	return 0;
}
static int one_file(void)
{
	signal(SIGXFSZ, SIG_IGN);
	return by(fill(IN("large"), (size_t)8 << 20));
}
static int many_files(bool unlinked)
{
	char name[32];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "many%d", i);
		if (unlinked) {
			static char block[1 << 20];
			int fd = open(IN(name), O_RDWR | O_CREAT, 0600);

			unlink(IN(name));
			if (write(fd, block, sizeof block) != sizeof block)
				return 1;
		} else if (fill(IN(name), (size_t)1 << 20) < 0) {
			return 1;
		}
		usleep(30000);
	}
	return 0;
}
static int files(void) { return many_files(false); }
static int unlinked_files(void) { return many_files(true); }

#define ROW(f) { #f, f }
static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	ROW(read_file), ROW(list_folder), ROW(dotdot), ROW(write_readable),
	ROW(create_outside), ROW(symlink_out), ROW(hardlink), ROW(rename_out),
	ROW(rename_in), ROW(remove_outside), ROW(mkdir_outside),
	ROW(remove_readable), ROW(truncate_path), ROW(truncate_open),
	ROW(truncate_mode3), ROW(openat2_trunc), ROW(handle), ROW(ld_so),
	ROW(exec_outside), ROW(chmod_path), ROW(chmod_outside), ROW(chmod_link),
	ROW(chmod_dotdot), ROW(fchmod_fd), ROW(fchmodat2), ROW(chmod_device),
	ROW(chown_other), ROW(setuid_file), ROW(setuid_create), ROW(times),
	ROW(times_fd), ROW(times_old), ROW(xattr), ROW(inode_flags),
	ROW(make_device), ROW(proc_1_environ), ROW(proc_environ),
	ROW(proc_maps), ROW(proc_mem), ROW(proc_root), ROW(proc_cwd),
	ROW(own_environ), ROW(inherited_fd), ROW(tcp_connect), ROW(mptcp),
	ROW(tcp_fastopen), ROW(tcp6), ROW(tcp_bind), ROW(tcp_listen), ROW(udp),
	ROW(high_half), ROW(raw), ROW(packet), ROW(netlink), ROW(vsock),
	ROW(unix_path), ROW(unix_abstract), ROW(pair_datagrams), ROW(pair_raw),
	ROW(trace), ROW(memory_read), ROW(memory_write), ROW(kill_victim),
	ROW(kill_parent), ROW(kill_all), ROW(kill_group), ROW(tgkill_victim),
	ROW(tkill_victim), ROW(queue_victim), ROW(pidfd_signal), ROW(pidfd_get),
	ROW(signal_by_owner), ROW(limit_victim), ROW(raise_limit),
	ROW(affinity_victim), ROW(nice_victim), ROW(leave_session),
	ROW(leave_group), ROW(fork_many), ROW(fork_bomb), ROW(io_uring), ROW(new_user),
	ROW(new_mounts), ROW(new_time), ROW(clone_user), ROW(clone_net),
	ROW(clone3), ROW(join_namespace), ROW(mount_tmpfs),
	ROW(mount_senseless), ROW(umount_senseless), ROW(new_filesystem),
	ROW(copy_tree), ROW(move_tree), ROW(change_root), ROW(pivot),
	ROW(memfd_exec), ROW(exec_at), ROW(no_random), ROW(fault_fd), ROW(bpf),
	ROW(perf), ROW(keys), ROW(add_key), ROW(kcmp), ROW(swap), ROW(module),
	ROW(set_time), ROW(host_name), ROW(fake_input), ROW(become_root),
	ROW(setuid_program), ROW(new_syscall), ROW(x32), ROW(i386),
	ROW(one_file), ROW(files), ROW(unlinked_files), ROW(restart),
};
#define ATTEMPTS (sizeof attempts / sizeof *attempts)

int main(int argc, char **argv)
{
	int rc;

	if (argc < 2) {
		for (size_t i = 0; i < ATTEMPTS; i++)
			printf("%s\n", attempts[i].name);
		return 0;
	}
	if (strcmp(argv[1], "nothing") == 0)
		return nothing();
	if (strcmp(argv[1], "other-user") == 0)
		return other_user();
	for (size_t i = 0; i < ATTEMPTS; i++) {
		if (strcmp(argv[1], attempts[i].name) != 0)
			continue;
		errno = 0;
		rc = attempts[i].attempt();
		if (rc == 1)
			fprintf(stderr, "%s\n", strerrorname_np(errno));
		return rc;
	}
	return 64;
}
