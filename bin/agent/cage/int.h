/* int.h: what a cage is made of, for cage*.c and the warden. */
#ifndef AGENT_CAGE_INT_H
#define AGENT_CAGE_INT_H

#include "cage/cage.h"

#include <linux/filter.h>
#include <stdint.h>
#include <sys/resource.h>

#define CAGE_LIMITS_MAX 8

struct agent_cage {
	int abi;         /* Landlock's, masked; 0: none */
	int ruleset;     /* -1: none */
	struct sock_fprog filter; /* owned; len 0: none */
	bool asks;       /* the filter asks the warden */
	struct {
		int resource;
		rlim_t most;
	} limits[CAGE_LIMITS_MAX];
	size_t n_limits;
	int64_t memory, processes, write_total;
	char **write;    /* owned; the spec's, links followed; NULL ends */
};

/* ---- landlock.c */

/* What the kernel has; 0: nothing. */
int cage_landlock_abi(void);
/* Fills cage->ruleset. AI_E_OS. */
int cage_landlock_new(struct agent_cage *cage, const struct agent_cage_spec *s,
		      struct ai_err *err);
/* 0, or an errno. */
int cage_landlock_enter(int ruleset);

/* ---- seccomp.c */

/* Whether a filter can be loaded, and can ask. */
bool cage_seccomp_filters(void);
bool cage_seccomp_asks(void);
/* Fills cage->filter. ports: TCP sockets may be made, Landlock holds them. */
int cage_seccomp_new(struct agent_cage *cage, bool network, bool ports,
		     struct ai_err *err);
/* 0, or an errno. */
int cage_seccomp_enter(const struct agent_cage *cage, int *ask);

#endif
