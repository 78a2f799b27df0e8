/*
 * crash-vfs.h: SQLite's files in memory, with a memory of every write, so
 * that a test can have the machine crash before any of them.
 *
 * What was written and not synced may be there after a power failure, or not,
 * or in part: whole sectors of 512 bytes.  A new name, and that an old one was
 * removed, is certain only after a sync of the folder, and each name by
 * itself; that sync is SQLite's, and can be kept from it as that of its own
 * VFS can (xSetSystemCall "openDirectory").  All files are in one folder, and
 * one connection is open at a time.  Of the log (-wal) there is a real file of
 * the same size, for programs that look whether it is there.
 */
#ifndef TESTS_STORE_CRASH_VFS_H
#define TESTS_STORE_CRASH_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crash_kind {
	CRASH_KILL,  /* the process: all that was written is there */
	CRASH_POWER, /* nothing that was not synced is there */
	CRASH_TORN,  /* any part of it is there */
	CRASH_KINDS
};

/* Makes it SQLite's default. */
int crash_vfs_register(void);
/* No files, and nothing remembered: first of all. db: the path that will be
 * opened. */
void crash_vfs_clear(const char *db);
/* A file that is safely on the disk. */
void crash_vfs_put(const char *name, const void *p, size_t n);
/* How many writes, truncations, syncs, new and removed names there were. */
long crash_vfs_events(void);
/* The files as a crash before event `at` leaves them; what is done then is
 * not remembered.  Cheap if `at` is not less than the last time.  below(n)
 * gives a random number. */
void crash_vfs_crash(long at, enum crash_kind kind, int64_t (*below)(int64_t));
/* A crash before the next event leaves the very same. */
bool crash_vfs_same(long at, enum crash_kind kind);
/* Only the process dies, before event `at`, and what the next one does is
 * remembered with what it has done: what was loose is loose still. */
void crash_vfs_kill(long at);
/* From event `at` on there is no space left; -1: there is. */
void crash_vfs_fill(long at);

/* The files and the events, for another process; -1: it cannot be. */
int crash_vfs_save(const char *path);
int crash_vfs_load(const char *path, const char *db);
/* All that was done is safely on the disk, and forgotten. */
void crash_vfs_settle(void);

#endif
