/*
 * Landlock, by system calls that have the same numbers everywhere, and with
 * structs of our own: what a system's headers know is what its kernel had when
 * they were made.
 */
#include "cage/int.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446
#define CREATE_VERSION 1U
#define RULE_PATH 1
#define RULE_PORT 2

struct ruleset {
	uint64_t files, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

#define EXECUTE (1ULL << 0)
#define WRITE_FILE (1ULL << 1)
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define MAKE_CHAR (1ULL << 6)
#define MAKE_BLOCK (1ULL << 11)
#define TRUNCATE (1ULL << 14)
#define IOCTL_DEV (1ULL << 15)

#define TO_READ (EXECUTE | READ_FILE | READ_DIR)
/* Rights that a file can have, too. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE)

#define CONNECT_TCP (1ULL << 1)

/* The rights that each ABI knows: of files, of TCP, to reach others. */
static const struct ruleset known[] = {
	[1] = { (1ULL << 13) - 1, 0, 0 },
	[2] = { (1ULL << 14) - 1, 0, 0 },
	[3] = { (1ULL << 15) - 1, 0, 0 },
	[4] = { (1ULL << 15) - 1, 3, 0 },
	[5] = { (1ULL << 16) - 1, 3, 0 },
	[6] = { (1ULL << 16) - 1, 3, 3 },
};
#define KNOWN ((int)(sizeof known / sizeof *known) - 1)
/* How much of the struct each knows. */
static const size_t sizes[] = {
	[1] = 8, [2] = 8, [3] = 8, [4] = 16, [5] = 16, [6] = 24,
};

int cage_landlock_abi(void)
{
	long abi = syscall(NR_CREATE_RULESET, NULL, (size_t)0, CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

/* What is not there is left out; whose folder we may not enter as well, for
 * then it may not either. */
static int add_path(int ruleset, const char *path, uint64_t rights,
		    struct ai_err *err)
{
	struct path_rule rule = { rights, -1 };
	struct stat st;
	long rc;
	int errnum;

	rule.fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0 && (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM))
		return ai_err_sys(err, AI_E_OS, errno, "cannot open '%.200s'",
				  path);
	if (rule.fd < 0)
		return 0;
	if (fstat(rule.fd, &st) < 0 || !S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	rc = syscall(NR_ADD_RULE, ruleset, RULE_PATH, &rule, 0);
	errnum = errno;
	close(rule.fd);
	/* What is no file of a file system (a pipe in /proc) cannot have one,
	 * and needs none. */
	if (rc == 0 || errnum == EBADFD)
		return 0;
	return ai_err_sys(err, AI_E_OS, errnum, "cannot let a program use "
			  "'%.200s'", path);
}

static int add_paths(int ruleset, const char *const *paths, uint64_t rights,
		     struct ai_err *err)
{
	for (; paths != NULL && *paths != NULL; paths++)
		if (add_path(ruleset, *paths, rights, err) < 0)
			return -1;
	return 0;
}

static int add_ports(int ruleset, const struct agent_cage_spec *s,
		     struct ai_err *err)
{
	for (size_t i = 0; i < s->n_ports; i++) {
		struct port_rule rule = { CONNECT_TCP, s->ports[i] };

		if (syscall(NR_ADD_RULE, ruleset, RULE_PORT, &rule, 0) < 0)
			return ai_err_sys(err, AI_E_OS, errno, "cannot let a "
					  "program use port %u", s->ports[i]);
	}
	return 0;
}

int cage_landlock_new(struct agent_cage *cage, const struct agent_cage_spec *s,
		      struct ai_err *err)
{
	int abi = cage->abi < KNOWN ? cage->abi : KNOWN;
	struct ruleset rules = known[abi];
	uint64_t to_write = rules.files & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV);

	if (s->network)
		rules.net = 0;
	cage->ruleset = (int)syscall(NR_CREATE_RULESET, &rules, sizes[abi], 0);
	if (cage->ruleset < 0)
		return ai_err_sys(err, AI_E_OS, errno,
				  "cannot make a Landlock ruleset");
	if (add_paths(cage->ruleset, s->read, TO_READ, err) < 0 ||
	    add_paths(cage->ruleset, s->write, to_write, err) < 0)
		return -1;
	return rules.net == 0 ? 0 : add_ports(cage->ruleset, s, err);
}

int cage_landlock_enter(int ruleset)
{
	return syscall(NR_RESTRICT_SELF, ruleset, 0) < 0 ? errno : 0;
}
