/*
 * below.h: files of a working folder, and of nothing else.
 *
 * The kernel holds that (openat2(2), RESOLVE_BENEATH): neither .. nor links,
 * nor what somebody renames meanwhile, lead out.  A hard link is the file
 * itself, wherever its other names are: who may make one in the folder may read
 * the file anyway, and a write makes a new file and leaves the other names the
 * old one.
 */
#ifndef AGENT_BELOW_H
#define AGENT_BELOW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Bytes that a file may have to be read. */
#define AGENT_FILE_MAX ((size_t)64 << 20)

struct agent_folder {
	int fd;
	const char *path; /* borrowed; absolute, links followed */
};

/* Opens path, which may begin with the folder's own; ENOENT and the like are
 * AI_E_OPEN with a message for a model, and so is what leads out. Returns the
 * descriptor, or -1. */
int agent_below_open(const struct agent_folder *f, const char *path, int flags,
		     struct ai_err *err);
/* Replaces text by all of a regular file.  AI_E_DOCUMENT: it is no regular
 * file, too large, or no text in UTF-8. */
int agent_below_read(const struct agent_folder *f, const char *path,
		     struct ai_buf *text, struct stat *st, struct ai_err *err);
/* The same of one that is open. */
int agent_text_read(int fd, const char *path, struct ai_buf *text,
		    struct stat *st, struct ai_err *err);

/*
 * Replaces the file, or makes it and the folders it is in: under another name
 * first, then at once.  key names that other one, so that doing it again takes
 * away what a kill left.  It keeps its mode; a link is not written through.
 */
int agent_below_write(const struct agent_folder *f, const char *path,
		      struct ai_span text, const char *key,
		      struct ai_err *err);
/* What it would replace: st_size of -1: nothing, or nothing that it may. */
void agent_below_look(const struct agent_folder *f, const char *path,
		      struct stat *was);
/* Takes away what a write that was killed left. */
void agent_below_clean(const struct agent_folder *f, const char *path,
		       const char *key);

#endif
