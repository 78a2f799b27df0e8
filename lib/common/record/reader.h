/*
 * reader.h: lines from a descriptor, of bounded length.
 *
 * A line longer than the limit costs no memory: it is read past, and only
 * its length and BLAKE2b are kept.
 */
#ifndef AI_RECORD_READER_H
#define AI_RECORD_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "crypt/hash.h"

#include <stdbool.h>

struct ai_reader {
	int fd;
	/* Called before each read(2), which may block; -1 ends reading. */
	int (*before)(void *arg, int fd, struct ai_err *err);
	void *arg;
	struct ai_buf buf;
	size_t pos;            /* start of what was not handed out yet */
	size_t max_line;       /* bytes without the newline */
	unsigned long number;  /* of the line handed out last, from 1 */
	bool eof;
};

struct ai_line {
	struct ai_span text;   /* without newline; until the next call */
	unsigned long number;
	bool too_long;         /* then text is empty and these two count */
	size_t length;
	char hash[AI_HASH_HEX];
};

/* Reads fd, which the caller closes; before may be set afterwards. */
void ai_reader_init(struct ai_reader *r, int fd, size_t max_line);
void ai_reader_release(struct ai_reader *r);
/* 1 and a line, 0 at the end, -1 on an error. */
int ai_reader_next(struct ai_reader *r, struct ai_line *line,
		   struct ai_err *err);
/* The caller has copied the line: the memory of a long one is given back,
 * before the next call. */
void ai_reader_copied(struct ai_reader *r);
/* Everything up to the end as one "line" (for --slurp); 1, 0 or -1. */
int ai_reader_all(struct ai_reader *r, struct ai_line *line,
		  struct ai_err *err);

#endif
