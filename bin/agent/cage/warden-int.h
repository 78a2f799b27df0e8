/* warden-int.h: the parts of the warden.  All of it runs after a fork(), and so
 * makes system calls only. */
#ifndef AGENT_WARDEN_INT_H
#define AGENT_WARDEN_INT_H

#include "cage/cage.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- warden-tree.c */

/* "/proc/PID/name" and "/proc/PID/fd/FD", in at least 64 bytes. */
void warden_path(char *to, pid_t pid, const char *name);
void warden_fd_path(char *to, pid_t pid, int fd);
/* Each name in a folder, "." and ".." as well. */
void warden_list(int dir, void (*each)(void *arg, const char *name), void *arg);
/* Kills all children of ours with all that are in their groups. */
void warden_kill(void);
/* The program's processes and threads, of which nothing leaves its session. */
struct warden_crowd {
	int64_t most;  /* 0: they are not counted */
	pid_t session;
	int64_t there; /* when they were counted last */
	int64_t all;   /* threads of the machine then */
	int ms, looks; /* since then */
};

/* Before it starts: what a bomb has done is not to be counted first. */
void warden_crowd_open(struct warden_crowd *c, int64_t most);
/* Whether there are more than may be; *ms: when to look again. */
bool warden_crowded(struct warden_crowd *c, int *ms);
/* Each process in one. */
void warden_session(pid_t session, void (*each)(void *arg, pid_t pid),
		    void *arg);

/* ---- warden-ask.c */

struct warden_ask {
	int fd;          /* -1: nobody asks */
	pid_t session;   /* of the program, which nothing in the cage leaves */
	const struct agent_cage *cage;
};

/* Takes one question and answers it. */
void warden_answer(const struct warden_ask *a);

/* ---- warden-disk.c */

#define WARDEN_DISKS 8

struct warden_disk {
	int64_t total;   /* 0: nothing is watched */
	int64_t started; /* CLOCK_REALTIME, s */
	pid_t session;
	size_t n;
	struct {
		int fd;         /* a folder that may be written to */
		int64_t most;   /* bytes free since the last look, at most */
	} at[WARDEN_DISKS];
	int64_t left;    /* of total, when it was counted last */
};

void warden_disk_open(struct warden_disk *d, const struct agent_cage *cage,
		      pid_t session);
/* Whether more was written than may be; *ms: when to look again. */
bool warden_disk_full(struct warden_disk *d, int *ms);

/* ---- warden-memory.c */

struct warden_memory {
	int64_t most;    /* 0: nothing is watched */
	pid_t session;
	int64_t there;   /* when it was counted last */
	int64_t room;    /* that the machine had since then, at most */
	int looks;       /* since then */
	int64_t next;    /* ms of CLOCK_MONOTONIC: when to look again */
	int over;        /* counts in a row that were too much */
};

void warden_memory_open(struct warden_memory *m, int64_t most, pid_t session);
/* Whether the tree has more than it may; *ms: when to look again. */
bool warden_memory_full(struct warden_memory *m, int *ms);

#endif
