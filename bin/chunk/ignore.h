/*
 * ignore.h: what gitignore(5) says is to be left alone.
 *
 * Names are those in one tree, from its root, without a slash at either end;
 * the root is the work tree's of git, or the folder that was named.  Patterns
 * stand in levels, one a file of patterns; the last pattern of the deepest
 * level that matches decides.
 */
#ifndef CHUNK_IGNORE_H
#define CHUNK_IGNORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct chunk_pattern {
	struct ai_span text;
	bool negated;  /* takes back */
	bool folders;  /* only folders */
	bool anywhere; /* it has no slash: the last part of a name is enough */
};

struct chunk_patterns {
	char *text; /* owned */
	struct chunk_pattern *v;
	size_t n;
};

/* Takes text[0..n), which was allocated, and the lines in it. */
int chunk_patterns_parse(struct chunk_patterns *ps, char *text, size_t n,
			 struct ai_err *err);
void chunk_patterns_release(struct chunk_patterns *ps);
/* The last pattern that matches a name decides: 1 yes, 0 it takes back, -1
 * none matches.  The name is seen from where the patterns stand. */
int chunk_patterns_ask(const struct chunk_patterns *ps, struct ai_span name,
		       bool folder);

struct chunk_ignore_level {
	struct chunk_patterns patterns;
	size_t base; /* bytes of a name before what the patterns see */
};

struct chunk_ignore {
	struct chunk_ignore_level *v;
	size_t n, cap;
	size_t floor; /* levels below are of another work tree */
};

void chunk_ignore_release(struct chunk_ignore *ig);

/*
 * The levels above the folder at this path: of git's work tree it lies in, if
 * any, down to its parent.  Appends the folder's own name in that tree to name,
 * with a slash behind it if it is not the root.
 */
int chunk_ignore_begin(struct chunk_ignore *ig, const char *path,
		       struct ai_buf *name, struct ai_err *err);

struct chunk_ignore_mark {
	size_t n, floor;
};

/*
 * Enters the folder fd, whose names begin with base bytes; with work_tree it is
 * the root of one.  AI_E_DOCUMENT: its patterns cannot be read, so that nobody
 * knows what is to be left alone in it.
 */
int chunk_ignore_enter(struct chunk_ignore *ig, int fd, size_t base,
		       bool work_tree, struct chunk_ignore_mark *mark,
		       struct ai_err *err);
/* And leaves it. */
void chunk_ignore_leave(struct chunk_ignore *ig,
			struct chunk_ignore_mark mark);

/* Whether this is to be left alone, if the folders above it are not. */
bool chunk_ignore_has(const struct chunk_ignore *ig, struct ai_span name,
		      bool folder);

#endif
