/*
 * The filter of system calls: what Landlock does not hold.
 *
 * It names what is denied, for a list of what is allowed would have to know
 * what every program needs.  But for calls that are newer than this list:
 * nobody knows what they do.
 */
#include "cage/int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The last that was looked at, cachestat; from 424 on all machines have the
 * same numbers. x32's are above. */
#define LAST_KNOWN 451
#define X32_BIT 0x40000000

#define ASK (-1) /* the warden decides: see warden-ask.c */

/* Arguments that are ints have garbage in their upper half, if a program
 * wants to get by. */
#define INT 0xffffffffULL

/* When a rule is of use. */
#define ALWAYS 0
#define NO_NET 1      /* networks are denied */
#define OLD_FILES 2   /* Landlock does not hold truncation (ABI 3) */
#define OLD_SIGNALS 4 /* ... nor signals (ABI 6) */
#define NEW_SIGNALS 8 /* it does */

struct rule {
	const char *name;
	int nr;          /* for a libseccomp that is older; 0: none is */
	int error;       /* that it gets, or ASK */
	int when;
	unsigned int n;  /* of: */
	struct scmp_arg_cmp if_all[2];
};

#define BITS(arg, mask, value) { arg, SCMP_CMP_MASKED_EQ, mask, value }
#define IS(arg, value) BITS(arg, INT, value)
#define NOT_ZERO(arg) { arg, SCMP_CMP_NE, 0, 0 }

#define NO(name) { name, 0, EPERM, ALWAYS, 0, { { 0 } } }
#define NO_NEW(name, nr) { name, nr, ENOSYS, ALWAYS, 0, { { 0 } } }
#define NO_IF(name, ...) { name, 0, EPERM, ALWAYS, 1, { __VA_ARGS__ } }
#define NO_IF_BOTH(name, ...) { name, 0, EPERM, ALWAYS, 2, { __VA_ARGS__ } }

#define TMPFILE_BIT 020000000 /* O_TMPFILE without O_DIRECTORY */

static const struct rule rules[] = {
	/* Other processes. */
	NO("ptrace"), NO("process_vm_readv"), NO("process_vm_writev"),
	NO("kcmp"), NO("migrate_pages"), NO("move_pages"),
	{ "process_madvise", 440, EPERM, ALWAYS, 0, { { 0 } } },
	{ "process_mrelease", 448, EPERM, ALWAYS, 0, { { 0 } } },
	{ "pidfd_getfd", 438, EPERM, ALWAYS, 0, { { 0 } } },
	NO_IF("prlimit64", NOT_ZERO(0)),
	NO_IF("sched_setaffinity", NOT_ZERO(0)),
	NO_IF("sched_setscheduler", NOT_ZERO(0)),
	NO_IF("sched_setparam", NOT_ZERO(0)),
	NO_IF("sched_setattr", NOT_ZERO(0)),
	NO_IF("setpriority", NOT_ZERO(1)), NO_IF("setpriority", IS(0, 2)),
	NO_IF("ioprio_set", NOT_ZERO(1)), NO_IF("ioprio_set", IS(0, 3)),
	/* A signal by way of a descriptor. */
	NO_IF("fcntl", IS(1, F_SETOWN)), NO_IF("fcntl", IS(1, F_SETOWN_EX)),
	NO_IF("fcntl", IS(1, F_SETSIG)),
	NO_IF("ioctl", IS(1, 0x8901 /* FIOSETOWN */)),
	NO_IF("ioctl", IS(1, 0x8902 /* SIOCSPGRP */)),
	/* The group in which the warden kills at once. */
	NO("setsid"), NO("setpgid"),
	/* To all; then all but those to its own group. */
	{ "kill", 0, EPERM, NEW_SIGNALS, 1, { IS(0, INT) } },
	{ "kill", 0, ASK, OLD_SIGNALS, 1, { NOT_ZERO(0) } },
	{ "tkill", 0, ASK, OLD_SIGNALS, 0, { { 0 } } },
	{ "tgkill", 0, ASK, OLD_SIGNALS, 0, { { 0 } } },
	{ "rt_sigqueueinfo", 0, ASK, OLD_SIGNALS, 0, { { 0 } } },
	{ "rt_tgsigqueueinfo", 0, ASK, OLD_SIGNALS, 0, { { 0 } } },
	{ "pidfd_send_signal", 424, ENOSYS, OLD_SIGNALS, 0, { { 0 } } },

	/* More kernel than a tool needs. */
	NO_NEW("io_uring_setup", 425), NO_NEW("io_uring_enter", 426),
	NO_NEW("io_uring_register", 427),
	/* What outlives who made it, has names of the whole machine, and is
	 * counted by no limit. */
	NO("shmget"), NO("shmat"), NO("shmctl"), NO("semget"), NO("semop"),
	NO("semtimedop"), NO("semctl"), NO("msgget"), NO("msgsnd"),
	NO("msgrcv"), NO("msgctl"), NO("mq_open"), NO("mq_unlink"),
	NO("userfaultfd"), NO("bpf"), NO("perf_event_open"), NO("keyctl"),
	NO("add_key"), NO("request_key"), NO("fanotify_init"),
	NO("lookup_dcookie"), NO("modify_ldt"), NO("vm86"), NO("vm86old"),
	NO_IF("personality", { 0, SCMP_CMP_NE, INT, 0 }),
	/* Programs without a file. */
	NO_NEW("memfd_create", 0), NO_NEW("memfd_secret", 447),
	NO_NEW("execveat", 0),

	/* Namespaces and mounts. clone3 has its flags in memory, where they
	 * can change; libraries go on with clone. */
	NO("unshare"), NO("setns"), NO_NEW("clone3", 435),
	NO_IF("clone", BITS(0, CLONE_NEWNS, CLONE_NEWNS)),
	NO_IF("clone", BITS(0, CLONE_NEWCGROUP, CLONE_NEWCGROUP)),
	NO_IF("clone", BITS(0, CLONE_NEWUTS, CLONE_NEWUTS)),
	NO_IF("clone", BITS(0, CLONE_NEWIPC, CLONE_NEWIPC)),
	NO_IF("clone", BITS(0, CLONE_NEWUSER, CLONE_NEWUSER)),
	NO_IF("clone", BITS(0, CLONE_NEWPID, CLONE_NEWPID)),
	NO_IF("clone", BITS(0, CLONE_NEWNET, CLONE_NEWNET)),
	NO("mount"), NO("umount"), NO("umount2"), NO("pivot_root"),
	NO("chroot"),
	{ "open_tree", 428, EPERM, ALWAYS, 0, { { 0 } } },
	{ "move_mount", 429, EPERM, ALWAYS, 0, { { 0 } } },
	{ "fsopen", 430, EPERM, ALWAYS, 0, { { 0 } } },
	{ "fsconfig", 431, EPERM, ALWAYS, 0, { { 0 } } },
	{ "fsmount", 432, EPERM, ALWAYS, 0, { { 0 } } },
	{ "fspick", 433, EPERM, ALWAYS, 0, { { 0 } } },
	{ "mount_setattr", 442, EPERM, ALWAYS, 0, { { 0 } } },

	/* The machine. */
	NO("reboot"), NO("swapon"), NO("swapoff"), NO("kexec_load"),
	NO("kexec_file_load"), NO("init_module"), NO("finit_module"),
	NO("delete_module"), NO("acct"), NO("quotactl"),
	{ "quotactl_fd", 443, EPERM, ALWAYS, 0, { { 0 } } },
	NO("settimeofday"), NO("stime"), NO("clock_settime"),
	NO("clock_adjtime"), NO("adjtimex"), NO("sethostname"),
	NO("setdomainname"), NO("iopl"), NO("ioperm"), NO("vhangup"),
	NO("syslog"), NO("nfsservctl"), NO("uselib"),

	/* Files, past Landlock. Times, modes and owners it does not hold: the
	 * warden sees to it that they are those of a file below write. */
	NO("open_by_handle_at"), NO_NEW("openat2", 437),
	{ "chmod", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "fchmod", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "fchmodat", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "chown", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "lchown", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "fchown", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "fchownat", 0, ASK, ALWAYS, 0, { { 0 } } },
	{ "utimensat", 0, ASK, ALWAYS, 0, { { 0 } } },
	NO("utime"), NO("utimes"), NO("futimesat"),
#define NO_XATTR(name) { name, 0, EOPNOTSUPP, ALWAYS, 0, { { 0 } } }
	NO_XATTR("setxattr"), NO_XATTR("lsetxattr"), NO_XATTR("fsetxattr"),
	NO_XATTR("removexattr"), NO_XATTR("lremovexattr"),
	NO_XATTR("fremovexattr"),
	NO_IF("ioctl", IS(1, 0x40086602 /* FS_IOC_SETFLAGS */)),
	NO_IF("ioctl", IS(1, 0x40046602 /* FS_IOC32_SETFLAGS */)),
	NO_IF("ioctl", IS(1, 0x401c5820 /* FS_IOC_FSSETXATTR */)),
	NO_IF("ioctl", IS(1, 0x40087602 /* FS_IOC_SETVERSION */)),
	NO_IF("ioctl", IS(1, 0x800c6613 /* FS_IOC_SET_ENCRYPTION_POLICY */)),
	NO_IF("ioctl", IS(1, 0x40806685 /* FS_IOC_ENABLE_VERITY */)),
	{ "truncate", 0, EPERM, OLD_FILES, 0, { { 0 } } },
	{ "truncate64", 0, EPERM, OLD_FILES, 0, { { 0 } } },
#define TRUNC_BITS (O_TRUNC | O_ACCMODE)
	{ "open", 0, EPERM, OLD_FILES, 1, { BITS(1, TRUNC_BITS, O_TRUNC) } },
	{ "open", 0, EPERM, OLD_FILES, 1,
	  { BITS(1, TRUNC_BITS, TRUNC_BITS) } },
	{ "openat", 0, EPERM, OLD_FILES, 1, { BITS(2, TRUNC_BITS, O_TRUNC) } },
	{ "openat", 0, EPERM, OLD_FILES, 1,
	  { BITS(2, TRUNC_BITS, TRUNC_BITS) } },
	/* A program of root's or ours for others to run, and devices. */
#define NO_SETID(name, flags, mode, bit)                                       \
	NO_IF_BOTH(name, BITS(flags, O_CREAT, O_CREAT), BITS(mode, bit, bit)), \
	NO_IF_BOTH(name, BITS(flags, TMPFILE_BIT, TMPFILE_BIT),                \
		   BITS(mode, bit, bit))
	NO_SETID("open", 1, 2, S_ISUID), NO_SETID("open", 1, 2, S_ISGID),
	NO_SETID("openat", 2, 3, S_ISUID), NO_SETID("openat", 2, 3, S_ISGID),
	NO_IF("creat", BITS(1, S_ISUID, S_ISUID)),
	NO_IF("creat", BITS(1, S_ISGID, S_ISGID)),
	NO_IF("mknod", BITS(1, S_ISUID, S_ISUID)),
	NO_IF("mknod", BITS(1, S_ISGID, S_ISGID)),
	NO_IF("mknod", BITS(1, S_IFMT, S_IFCHR)),
	NO_IF("mknod", BITS(1, S_IFMT, S_IFBLK)),
	NO_IF("mknodat", BITS(2, S_ISUID, S_ISUID)),
	NO_IF("mknodat", BITS(2, S_ISGID, S_ISGID)),
	NO_IF("mknodat", BITS(2, S_IFMT, S_IFCHR)),
	NO_IF("mknodat", BITS(2, S_IFMT, S_IFBLK)),

	/* Terminals: input that its shell would run. */
	NO_IF("ioctl", IS(1, 0x5412 /* TIOCSTI */)),
	NO_IF("ioctl", IS(1, 0x541C /* TIOCLINUX */)),
	NO_IF("ioctl", IS(1, 0x540E /* TIOCSCTTY */)),

	/* Sockets: see also sockets(). A pair of datagram sockets can be sent
	 * from to any path; RAW is another name of it. */
	NO_IF("socketpair", BITS(1, 0xf, SOCK_DGRAM)),
	NO_IF("socketpair", BITS(1, 0xf, SOCK_RAW)),
#define NO_NETWORK(name, n, ...) { name, 0, EACCES, NO_NET, n, { __VA_ARGS__ } }
	NO_NETWORK("bind", 0, { 0 }), NO_NETWORK("listen", 0, { 0 }),
	/* It connects where Landlock does not look. */
	NO_NETWORK("sendto", 1, BITS(3, MSG_FASTOPEN, MSG_FASTOPEN)),
	NO_NETWORK("sendmsg", 1, BITS(2, MSG_FASTOPEN, MSG_FASTOPEN)),
	NO_NETWORK("sendmmsg", 1, BITS(3, MSG_FASTOPEN, MSG_FASTOPEN)),
};

/* ---- making -------------------------------------------------------------- */

static int bug(int rc, const char *name, struct ai_err *err)
{
	return rc == -ENOMEM ? ai_err_nomem(err)
		: ai_err_sys(err, AI_E_BUG, -rc, "cannot make a rule for the "
			     "system call '%s'", name);
}

static int add(scmp_filter_ctx ctx, bool asks, const struct rule *r,
	       struct ai_err *err)
{
	int nr = seccomp_syscall_resolve_name(r->name), rc;
	uint32_t action = r->error != ASK ? SCMP_ACT_ERRNO((uint32_t)r->error)
		: asks ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO(EPERM);

	if (nr == __NR_SCMP_ERROR)
		nr = r->nr;
	if (nr == 0) /* it is older than libseccomp, or none of Linux's */
		return bug(-EINVAL, r->name, err);
	rc = seccomp_rule_add_array(ctx, action, nr, r->n, r->if_all);
	/* -EDOM: this machine has no such call. */
	return rc == 0 || rc == -EDOM ? 0 : bug(rc, r->name, err);
}

static int add_all(scmp_filter_ctx ctx, bool asks, const struct rule *r,
		   size_t n, int when, struct ai_err *err)
{
	for (size_t i = 0; i < n; i++)
		if ((r[i].when & ~when) == 0 && add(ctx, asks, &r[i], err) < 0)
			return -1;
	return 0;
}

/* socket() with an argument from low to high is denied. */
static int no_socket(scmp_filter_ctx ctx, unsigned int arg, scmp_datum_t mask,
		     scmp_datum_t low, scmp_datum_t high, struct ai_err *err)
{
	for (scmp_datum_t v = low; v <= high; v++) {
		struct rule r = { "socket", 0, EACCES, ALWAYS, 1,
				  { BITS(arg, mask, v) } };

		if (add(ctx, false, &r, err) < 0)
			return -1;
	}
	return 0;
}

static int no_socket_above(scmp_filter_ctx ctx, unsigned int arg,
			   scmp_datum_t from, struct ai_err *err)
{
	struct rule r = { "socket", 0, EACCES, ALWAYS, 1,
			  { { arg, SCMP_CMP_GE, from, 0 } } };

	return add(ctx, false, &r, err);
}

/*
 * None at all; or those of TCP, whose ports Landlock holds; or with networks
 * those of IP, and of netlink, by which libraries look at interfaces.  Never
 * AF_UNIX: no Landlock holds who connects to the socket of a service.
 */
static int sockets(scmp_filter_ctx ctx, bool network, bool ports,
		   struct ai_err *err)
{
	if (!network && !ports)
		return no_socket_above(ctx, 0, 0, err);
	if (no_socket(ctx, 0, INT, 0, AF_INET - 1, err) < 0 ||
	    no_socket(ctx, 0, INT, AF_INET + 1, AF_INET6 - 1, err) < 0)
		return -1;
	if (network)
		return no_socket(ctx, 0, INT, AF_INET6 + 1, AF_NETLINK - 1,
				 err) < 0 ? -1 :
			no_socket_above(ctx, 0, AF_NETLINK + 1, err);
	/* Neither datagrams nor MPTCP and SCTP, which Landlock passes. */
	return no_socket_above(ctx, 0, AF_INET6 + 1, err) < 0 ||
		no_socket(ctx, 1, 0xf, 0, 0, err) < 0 ||
		no_socket(ctx, 1, 0xf, SOCK_STREAM + 1, 0xf, err) < 0 ||
		no_socket(ctx, 2, INT, 1, 5, err) < 0 ||
		no_socket_above(ctx, 2, 7, err) < 0 ? -1 : 0;
}

/* What libseccomp made, behind the check that a call is not too new. */
static int prefix(struct sock_filter *out, size_t bytes, struct agent_cage *cage)
{
	const struct sock_filter head[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0,
		  offsetof(struct seccomp_data, nr) },
		{ BPF_JMP | BPF_JGE | BPF_K, 2, 0, X32_BIT },
		{ BPF_JMP | BPF_JGT | BPF_K, 0, 1, LAST_KNOWN },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS },
	};
	const size_t n = sizeof head / sizeof *head;

	memmove(out + n, out, bytes);
	memcpy(out, head, sizeof head);
	cage->filter.filter = out;
	cage->filter.len = (unsigned short)(n + bytes / sizeof *out);
	return 0;
}

/* libseccomp writes what it made to a descriptor. */
static int export(scmp_filter_ctx ctx, struct agent_cage *cage,
		  struct ai_err *err)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), rc;
	struct sock_filter *out;
	off_t size;

	if (fd < 0)
		return ai_err_sys(err, AI_E_OS, errno, "cannot make a file in "
				  "memory");
	rc = seccomp_export_bpf(ctx, fd);
	size = rc < 0 ? 0 : lseek(fd, 0, SEEK_END);
	out = malloc((size_t)size + 16 * sizeof *out);
	if (rc < 0)
		bug(rc, "all", err);
	else if (out == NULL)
		rc = ai_err_nomem(err);
	else if (size <= 0 || size / (off_t)sizeof *out > BPF_MAXINSNS - 16 ||
		 pread(fd, out, (size_t)size, 0) != size)
		rc = ai_err_set(err, AI_E_BUG, "the filter of system calls is "
				"too long");
	close(fd);
	if (rc == 0)
		return prefix(out, (size_t)size, cage);
	free(out);
	return -1;
}

static int fill(scmp_filter_ctx ctx, struct agent_cage *cage, bool network,
		bool ports, struct ai_err *err)
{
	int when = (network ? 0 : NO_NET) | (cage->abi < 3 ? OLD_FILES : 0) |
		(cage->abi < 6 ? OLD_SIGNALS : NEW_SIGNALS);

	/* x32 and i386 are other architectures. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			     SCMP_ACT_KILL_PROCESS) < 0)
		return bug(-EINVAL, "all", err);
	/* A tree instead of a list; libseccomp 2.5 has it. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (add_all(ctx, cage->asks, rules, sizeof rules / sizeof *rules, when,
		    err) < 0)
		return -1;
	return sockets(ctx, network, ports, err) < 0 ? -1
		: export(ctx, cage, err);
}

int cage_seccomp_new(struct agent_cage *cage, bool network, bool ports,
		     struct ai_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (ctx == NULL)
		return ai_err_nomem(err);
	rc = fill(ctx, cage, network, ports, err);
	seccomp_release(ctx);
	return rc;
}

/* ---- the kernel ---------------------------------------------------------- */

static bool has_action(uint32_t action)
{
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool cage_seccomp_filters(void)
{
	return has_action(SECCOMP_RET_KILL_PROCESS);
}

bool cage_seccomp_asks(void)
{
	/* That an answer may be "go on" is one version newer than asking; so
	 * is pidfd_getfd() by one more, whose number is beyond what was before. */
	return has_action(SECCOMP_RET_USER_NOTIF) &&
		!(syscall(438, -1, -1, 0) < 0 && errno == ENOSYS);
}

int cage_seccomp_enter(const struct agent_cage *cage, int *ask)
{
	unsigned int flags = cage->asks ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	long rc = -1;

	/* Signals wait until the warden has answered (Linux 5.19): what it
	 * does for a program must not be done twice. */
	if (cage->asks)
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			     flags | 1U << 5, &cage->filter);
	if (rc < 0)
		rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
			     &cage->filter);
	if (rc < 0)
		return errno;
	if (cage->asks)
		*ask = (int)rc;
	return 0;
}
