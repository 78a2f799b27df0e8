/*
 * walk.h: the files below a folder.
 *
 * In the order of their names' bytes, as sort(1) has it in the C locale, so
 * that two walks of one tree are the same.  Only regular files are found.
 * Memory grows with the largest folder, not with the tree.
 */
#ifndef CHUNK_WALK_H
#define CHUNK_WALK_H

#include "ignore.h"

#include <stdint.h>
#include <sys/stat.h>

struct chunk_found {
	const char *path;         /* as the folder was named, and on */
	const struct stat *st;    /* of a file that is to be read, else NULL */
	const char *skipped;      /* why it is left alone, else NULL */
	const struct ai_err *why; /* what failed, else NULL: all that is below
				   * path was not seen */
};

struct chunk_walking {
	bool no_ignore; /* what .gitignore says is of no interest */
	bool hidden;    /* names with a dot before them too */
	bool follow;    /* symbolic links */
	int64_t max_file;               /* bytes */
	struct chunk_patterns include;  /* one must match; none: all do */
	struct chunk_patterns exclude;
	/* Told of each; -1 ends the walk. */
	int (*found)(void *arg, const struct chunk_found *f,
		     struct ai_err *err);
	void *arg;
};

/* Walks the folder of this name. */
int chunk_walk(const struct chunk_walking *how, const char *path,
	       struct ai_err *err);

#endif
