/*
 * map-file.h: the file of a map: sealed entries, one behind the other.
 *
 * What is added is one write at the end, under a lock; what a killed program
 * has left of one is cut off by the next.  The header says how long the file
 * was when it was last synced: a shorter one has lost something.
 */
#ifndef GUARD_MAP_FILE_H
#define GUARD_MAP_FILE_H

#include "base/buf.h"
#include "crypt/box.h"

#include <stdbool.h>
#include <stdint.h>

struct map_file {
	const char *path; /* borrowed */
	int fd;
	unsigned char key[AI_BOX_KEY];
	uint64_t at;      /* all entries before it were read */
	struct ai_buf buf;
};

/* See guard_map_open(). */
int map_file_open(struct map_file *f, const char *path, const char *key,
		  bool writes, struct ai_err *err);
/* Wipes the key. */
void map_file_close(struct map_file *f);

int map_file_lock(struct map_file *f, bool alone, struct ai_err *err);
void map_file_unlock(struct map_file *f);

/* Whether the file is longer, or shorter, than what was read of it. Needs no
 * lock. */
bool map_file_has_more(const struct map_file *f);
/* Gives each entry behind f->at, opened. With the lock. */
typedef int map_file_fn(void *arg, const unsigned char *p, size_t n,
			struct ai_err *err);
int map_file_read(struct map_file *f, map_file_fn *each, void *arg,
		  struct ai_err *err);
/* Adds one, after all were read. With the lock. AI_E_IO: nothing was added. */
int map_file_add(struct map_file *f, const void *p, size_t n,
		 struct ai_err *err);
/* All bytes before at, which is at most f->at, are on the disk then. Needs no
 * lock. */
int map_file_sync(struct map_file *f, uint64_t at, struct ai_err *err);

#endif
