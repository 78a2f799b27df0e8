/*
 * shim.c: a library to preload that makes one call fail.
 *
 *	AI_TEST_FAULT=write:3:ENOSPC   the third write fails so
 *	AI_TEST_FAULT=write:3+:ENOSPC  that one and all after it
 *	AI_TEST_FAULT=write:3:short    the third write takes one byte only
 *	AI_TEST_FAULT=write:3:KILL     SIGKILL comes before the third write
 *	AI_TEST_FAULT=write:3:KILLRUN  and for the outermost ai-agent above, with
 *	                               the other programs of ours below it
 *	AI_TEST_FAULT=write:3:KILLTREE and for all that lives below that one
 *	AI_TEST_COUNT=FILE             at the end, how many there were of each
 *	AI_TEST_PROGRAM=ai-x           no other program is meddled with
 *
 * Calls count from where main() begins, so that what the libraries do while
 * they are loaded is left alone, until it returns.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call {
	C_READ, C_WRITE, C_OPEN, C_MALLOC, C_FSYNC, C_MMAP, C_THREAD, C_COUNT
};

static const char *const call_names[C_COUNT] = {
	"read", "write", "open", "malloc", "fsync", "mmap", "thread",
};

/* No errors have these numbers. */
enum { KILL = 9999, KILL_RUN, KILL_TREE };

static const struct {
	const char *name;
	int value;
} errors[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "ENOMEM", ENOMEM },
	{ "EMFILE", EMFILE }, { "EACCES", EACCES }, { "EINTR", EINTR },
	{ "EAGAIN", EAGAIN }, { "EROFS", EROFS }, { "short", 0 },
	{ "KILL", KILL }, { "KILLRUN", KILL_RUN }, { "KILLTREE", KILL_TREE },
};

static struct {
	enum call call;
	unsigned long nth;
	bool onwards;
	int error; /* 0: a short read or write */
} fault = { C_COUNT, 0, false, 0 };

static atomic_bool active;
static atomic_ulong counts[C_COUNT];

/* AI_TEST_FAULT=call:nth[+]:error. What cannot be read ends the program, lest
 * a test pass because nothing failed. */
static void read_fault(const char *text)
{
	char call[16], error[16], plus[2] = "";
	unsigned long nth;

	if (sscanf(text, "%15[a-z]:%lu:%15[a-zA-Z]", call, &nth, error) != 3 &&
	    sscanf(text, "%15[a-z]:%lu%1[+]:%15[a-zA-Z]", call, &nth, plus,
		   error) != 4)
		_exit(99);
	fault.nth = nth;
	fault.onwards = plus[0] != '\0';
	fault.error = -1;
	for (int i = 0; i < C_COUNT; i++)
		if (strcmp(call, call_names[i]) == 0)
			fault.call = (enum call)i;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(error, errors[i].name) == 0)
			fault.error = errors[i].value;
	if (fault.call == C_COUNT || fault.error < 0)
		_exit(99);
}

/* ---- killing more than this process --------------------------------------- */

/* What /proc says of a process, without a call that is counted. */
static bool read_proc(pid_t pid, const char *file, char *to, size_t size)
{
	char path[64];
	long fd, n;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	n = fd < 0 ? -1 : syscall(SYS_read, fd, to, size - 1);
	syscall(SYS_close, fd);
	to[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

static bool is_called(pid_t pid, const char *name)
{
	char comm[32];

	return read_proc(pid, "comm", comm, sizeof comm) &&
		strncmp(comm, name, strlen(name)) == 0;
}

static pid_t parent_of(pid_t pid)
{
	char stat[512];
	int parent = 0;

	if (read_proc(pid, "stat", stat, sizeof stat))
		sscanf(strrchr(stat, ')') + 1, " %*c %d", &parent);
	return parent;
}

static void each_child(pid_t pid, void (*each)(pid_t child))
{
	char list[4096], file[48], *p = list;
	int child, n;

	snprintf(file, sizeof file, "task/%d/children", (int)pid);
	if (read_proc(pid, file, list, sizeof list))
		for (; sscanf(p, "%d%n", &child, &n) == 1; p += n)
			each(child);
}

static void stop_tree(pid_t pid)
{
	if (pid != getpid())
		kill(pid, SIGSTOP);
	each_child(pid, stop_tree);
}

static bool is_above(pid_t pid, pid_t of)
{
	while (of > 1 && of != pid)
		of = parent_of(of);
	return of == pid;
}

/* Those above us come last, the highest first: a warden takes us with it. */
static void kill_beside(pid_t pid)
{
	each_child(pid, kill_beside);
	if (!is_above(pid, getpid()))
		kill(pid, SIGKILL);
}

static void kill_above(pid_t pid)
{
	pid_t up = parent_of(pid);

	if (up > 1 && is_called(up, "ai-agent"))
		kill_above(up);
	if (pid != getpid())
		kill(pid, SIGKILL);
}

static void kill_ours(pid_t pid)
{
	if (pid != getpid() && is_called(pid, "ai-") &&
	    !is_called(pid, "ai-agent"))
		kill(pid, SIGKILL);
}

static void kill_more(void)
{
	pid_t root = getpid(), up;

	while ((up = parent_of(root)) > 1 && is_called(up, "ai-agent"))
		root = up;
	if (fault.error == KILL_TREE) {
		/* More than once: what forks while it is stopped is seen in the
		 * next round, so that none of them gets away. */
		for (int i = 0; i < 3; i++)
			stop_tree(root);
		kill_beside(root);
		kill_above(getpid());
	} else {
		if (root != getpid())
			kill(root, SIGSTOP);
		each_child(root, kill_ours);
		if (root != getpid())
			kill(root, SIGKILL);
	}
}

/* Counts a call; whether this is the one to fail. */
static bool fails(enum call call)
{
	unsigned long n;

	if (!active)
		return false;
	n = atomic_fetch_add(&counts[call], 1) + 1;
	if (call != fault.call || n < fault.nth)
		return false;
	if (n > fault.nth && !fault.onwards)
		return false;
	if (fault.error > KILL)
		kill_more();
	if (fault.error >= KILL)
		kill(getpid(), SIGKILL);
	errno = fault.error;
	return true;
}

static void write_counts(void)
{
	const char *path = getenv("AI_TEST_COUNT");
	FILE *f;

	if (path == NULL || (f = fopen(path, "w")) == NULL)
		return;
	for (int i = 0; i < C_COUNT; i++)
		fprintf(f, "%s %lu\n", call_names[i], counts[i]);
	fclose(f);
}

/* ---- around main() ------------------------------------------------------- */

static int (*real_main)(int, char **, char **);

static int main_between(int argc, char **argv, char **envp)
{
	const char *only = getenv("AI_TEST_PROGRAM");
	const char *what = getenv("AI_TEST_FAULT");
	bool mine = only == NULL ||
		    strcmp(only, program_invocation_short_name) == 0;
	int status;

	if (mine && what != NULL)
		read_fault(what);
	active = mine;
	status = real_main(argc, argv, envp);
	active = false;
	if (mine)
		write_counts();
	return status;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	__typeof__(&__libc_start_main) next = (__typeof__(
		&__libc_start_main))dlsym(RTLD_NEXT, "__libc_start_main");

	real_main = main;
	return next(main_between, argc, argv, init, fini, rtld_fini, stack_end);
}

/* ---- the calls ------------------------------------------------------------ */

/* What a failing call returns: the error, or one byte's worth of the call. */
#define FAIL_OR_SHORT(call, n)                                                 \
	do {                                                                   \
		if (fails(call)) {                                             \
			if (fault.error != 0)                                  \
				return -1;                                     \
			n = n > 1 ? 1 : n;                                     \
		}                                                              \
	} while (0)

ssize_t write(int fd, const void *p, size_t n)
{
	/* Messages are spared: a test wants to see them. */
	if (fd == 2)
		return syscall(SYS_write, fd, p, n);
	FAIL_OR_SHORT(C_WRITE, n);
	return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	FAIL_OR_SHORT(C_WRITE, n);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	if (fails(C_WRITE) && fault.error != 0)
		return -1;
	return syscall(SYS_writev, fd, v, count);
}

ssize_t read(int fd, void *p, size_t n)
{
	FAIL_OR_SHORT(C_READ, n);
	return syscall(SYS_read, fd, p, n);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
	FAIL_OR_SHORT(C_READ, n);
	return syscall(SYS_pread64, fd, p, n, at);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	return pread64(fd, p, n, at);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	if (fails(C_OPEN))
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define OPEN_BODY(dir)                                                         \
	va_list ap;                                                            \
	mode_t mode = 0;                                                       \
	va_start(ap, flags);                                                   \
	if (flags & (O_CREAT | __O_TMPFILE))                                   \
		mode = va_arg(ap, mode_t);                                     \
	va_end(ap);                                                            \
	return open_at(dir, path, flags, mode)

int open(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
	OPEN_BODY(AT_FDCWD);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(dir);
}

/* What fortified callers call instead. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t size);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

ssize_t __read_chk(int fd, void *p, size_t n, size_t size)
{
	if (n > size)
		abort();
	return read(fd, p, n);
}

ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t size)
{
	if (n > size)
		abort();
	return pread64(fd, p, n, at);
}

int __open_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0);
}

int __openat_2(int dir, const char *path, int flags)
{
	return open_at(dir, path, flags, 0);
}

int __openat64_2(int dir, const char *path, int flags)
{
	return open_at(dir, path, flags, 0);
}

int fsync(int fd)
{
	return fails(C_FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails(C_FSYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset)
{
	if (fails(C_MMAP))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	return mmap64(at, n, prot, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*run)(void *), void *arg)
{
	static __typeof__(&pthread_create) next;

	if (next == NULL)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "pthread_create");
	return fails(C_THREAD) ? fault.error : next(thread, attr, run, arg);
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	return fails(C_MALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(C_MALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(C_MALLOC) ? NULL : __libc_realloc(p, n);
}
