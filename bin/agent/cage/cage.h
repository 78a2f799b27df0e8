/*
 * cage.h: what a program of a tool may do, held by the kernel.
 *
 * Landlock holds files and, from ABI 4 on, TCP ports; seccomp holds the rest:
 * sockets, ptrace, mounts, namespaces, io_uring, chmod, leaving the process
 * group; rlimits hold time, memory and sizes.  No privilege is gained in it,
 * and root's are dropped, but for those that say which files root may read.
 */
#ifndef AGENT_CAGE_H
#define AGENT_CAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What is allowed; all else is not. Paths are absolute, NULL ends a list;
 * what is not there is left out. */
struct agent_cage_spec {
	const char *const *read;  /* folders (all below) and files: read, run */
	const char *const *write; /* and also written, made and removed */
	const uint16_t *ports;    /* TCP ports it may connect to; none: no net */
	size_t n_ports;
	bool network;             /* it may do with networks what it likes */
	/* 0: as agent_cage_limits has them */
	int64_t cpu_s;            /* of each process */
	int64_t memory;           /* bytes of address space of each process, and
				   * of memory of the tree */
	int64_t file_size;        /* bytes of each file it writes */
	int64_t files;            /* open at once, of each process */
	int64_t processes;        /* and threads, in the tree */
	int64_t write_total;      /* bytes that files below write may grow by,
				   * all together */
	int abi_max;              /* as if the kernel had no newer Landlock
				   * ABI; 0: what it has (for tests, and
				   * AI_LANDLOCK_ABI) */
};

struct agent_cage;

/*
 * Prepares all that can be prepared, so that entering is a few system calls;
 * one cage serves any number of programs.  missing gets, for people, what
 * this kernel cannot hold of the spec ("TCP ports (Landlock ABI 4; here: 2)"),
 * or stays empty; what cannot be held by ports is then denied, not allowed.
 * Only AI_E_OS, AI_E_MEMORY, AI_E_BUG: never that it is too old a kernel.
 */
int agent_cage_new(struct agent_cage **cage, const struct agent_cage_spec *s,
		   struct ai_buf *missing, struct ai_err *err);
void agent_cage_free(struct agent_cage *cage);
/* The descriptor that entering needs: it may be duplicated; -1: none. */
int agent_cage_fd(const struct agent_cage *cage);
/*
 * In the child, between fork() and execve(): only system calls.  fd is what
 * agent_cage_fd() said, or its copy.  *ask becomes the descriptor by which the
 * kernel asks the warden what it cannot decide (warden.h), or -1.  0, or an
 * errno.
 */
int agent_cage_enter(const struct agent_cage *cage, int fd, int *ask);

/* What a spec's zeros mean. */
extern const struct agent_cage_spec agent_cage_limits;

#endif
