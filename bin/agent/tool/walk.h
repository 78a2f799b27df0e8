/* walk.h: what is below a folder, in the order of the names; links are told and
 * not followed. */
#ifndef AGENT_WALK_H
#define AGENT_WALK_H

#include "tool/below.h"

#include <stdint.h>

#define AGENT_WALK_DEPTH 32

enum agent_entry_kind {
	AGENT_ENTRY_FILE, AGENT_ENTRY_FOLDER, AGENT_ENTRY_LINK,
	AGENT_ENTRY_OTHER,
};

struct agent_entry {
	const char *path; /* from the folder that was asked for on */
	const char *name; /* within path */
	int dir;          /* the folder it is in: for openat(2) */
	enum agent_entry_kind kind;
	int64_t size;
};

/* A folder that is being read. */
struct agent_walk_level {
	int fd;
	char **names; /* sorted */
	size_t n, at;
	size_t prefix; /* bytes of path that are its own */
};

struct agent_walk {
	struct agent_walk_level levels[AGENT_WALK_DEPTH];
	size_t depth, max_depth;
	struct ai_buf path;
	bool down; /* the last entry is a folder to go into */
};

/* AI_E_OPEN; nothing is to be ended then. */
int agent_walk_begin(struct agent_walk *w, const struct agent_folder *f,
		     const char *path, int64_t depth, struct ai_err *err);
/* The next one; borrowed until the one after. A folder comes before what is in
 * it. What cannot be read is passed over. */
bool agent_walk_next(struct agent_walk *w, struct agent_entry *e);
void agent_walk_end(struct agent_walk *w);

#endif
