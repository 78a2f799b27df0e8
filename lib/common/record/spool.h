/*
 * spool.h: bytes that are kept until whoever wants them can be waited for: in
 * memory, and from AI_SPOOL_MEMORY on in a file without a name.
 *
 * What goes to standard output, or comes from standard input, may take as long
 * as the other end likes.  Nobody holds a lock or a transaction meanwhile.
 */
#ifndef AI_RECORD_SPOOL_H
#define AI_RECORD_SPOOL_H

#include "base/buf.h"
#include "base/err.h"

#define AI_SPOOL_MEMORY ((size_t)1 << 20)

struct ai_spool {
	struct ai_buf buf; /* what stands behind the file */
	int fd;            /* -1: all of it is in memory */
};

void ai_spool_init(struct ai_spool *s);
void ai_spool_release(struct ai_spool *s);
int ai_spool_add(struct ai_spool *s, const void *p, size_t n,
		 struct ai_err *err);
/* All that fd has, to its end. */
int ai_spool_read(struct ai_spool *s, int fd, struct ai_err *err);
/* All of it, to fd. */
int ai_spool_write(struct ai_spool *s, int fd, struct ai_err *err);
/* A descriptor that reads it from its beginning; the spool's. */
int ai_spool_fd(struct ai_spool *s, int *fd, struct ai_err *err);

#endif
