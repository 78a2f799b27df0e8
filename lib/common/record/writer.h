/*
 * writer.h: standard output, written in large pieces and never silently
 * lost: a failed write is an error that stays.
 */
#ifndef AI_RECORD_WRITER_H
#define AI_RECORD_WRITER_H

#include "base/buf.h"
#include "base/err.h"

struct ai_writer {
	int fd;
	struct ai_buf buf;
	struct ai_err err; /* the first failure; code AI_E_NONE so far */
	int (*before)(struct ai_err *err); /* before each write; may be NULL */
	bool clears;       /* ai_term_clear() before each write */
	bool line_open;    /* what was written last has no newline yet */
	bool stopped;      /* it was a signal: base/sig.h */
};

void ai_writer_init(struct ai_writer *w, int fd);
void ai_writer_release(struct ai_writer *w);
/* Takes the bytes, writing when enough have come together. */
int ai_writer_add(struct ai_writer *w, const void *p, size_t n,
		  struct ai_err *err);
int ai_writer_flush(struct ai_writer *w, struct ai_err *err);

#endif
