/*
 * crash-vfs.h: SQLite's files in memory, with a memory of every write, so
 * that a test can have the machine crash before any of them.
 *
 * What was written and not synced may be there after a power failure, or not,
 * or in part: whole sectors of 512 bytes.  Removing a file is certain after
 * the next sync of any, as on a file system with a journal.  One connection
 * at a time.
 */
#ifndef TESTS_STORE_CRASH_VFS_H
#define TESTS_STORE_CRASH_VFS_H

#include <stdint.h>

enum crash_kind {
	CRASH_KILL,  /* the process: all that was written is there */
	CRASH_POWER, /* nothing that was not synced is there */
	CRASH_TORN,  /* any part of it is there */
	CRASH_KINDS
};

/* Makes it SQLite's default. */
int crash_vfs_register(void);
/* No files, and nothing remembered. */
void crash_vfs_clear(void);
/* How many writes, truncations, syncs and removals there were. */
long crash_vfs_events(void);
/* The files as a crash before event `at` leaves them; what is done then is
 * not remembered.  below(n) gives a random number. */
void crash_vfs_crash(long at, enum crash_kind kind, int64_t (*below)(int64_t));
/* From event `at` on there is no space left; -1: there is. */
void crash_vfs_fill(long at);

#endif
