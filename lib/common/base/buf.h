/*
 * buf.h: a growing byte buffer with a mandatory maximum.
 *
 * A failed append leaves the bytes that were there, sets the sticky flag
 * and returns -1; every later append fails too.  So a long run of appends
 * needs one check at its end: ai_buf_check().  There is always a NUL
 * behind the last byte, not counted in len, once something was appended.
 */
#ifndef AI_BASE_BUF_H
#define AI_BASE_BUF_H

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct ai_buf {
	char *p;       /* owned; NULL until the first append */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* len never exceeds this */
	enum ai_code bad; /* AI_E_NONE, AI_E_TOO_LONG or AI_E_MEMORY */
};

#define AI_BUF_INIT(maximum) { NULL, 0, 0, (maximum), AI_E_NONE }

void ai_buf_init(struct ai_buf *b, size_t max);
/* Frees the memory; the buffer may be used again. */
void ai_buf_release(struct ai_buf *b);
/* Length 0 and no failure; keeps the memory. */
void ai_buf_clear(struct ai_buf *b);
/* Gives the memory back if it holds more than keep bytes; clears. */
void ai_buf_shrink(struct ai_buf *b, size_t keep);
/* Makes room for n more bytes. */
int ai_buf_reserve(struct ai_buf *b, size_t n);
int ai_buf_add(struct ai_buf *b, const void *p, size_t n);
int ai_buf_str(struct ai_buf *b, const char *s);
static inline int ai_buf_chr(struct ai_buf *b, char c)
{
	if (b->bad != AI_E_NONE || b->len >= b->max || b->len + 2 > b->cap)
		return ai_buf_add(b, &c, 1);
	b->p[b->len++] = c;
	b->p[b->len] = '\0';
	return 0;
}
int ai_buf_fmt(struct ai_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int ai_buf_vfmt(struct ai_buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Appends all that comes from fd until its end.  -1: read(2) failed, as errno
 * says, or b->bad does. */
int ai_buf_read(struct ai_buf *b, int fd);
/* Writes all of it to fd.  -1: write(2) failed, as errno says. */
int ai_buf_write(const struct ai_buf *b, int fd);
/* Cuts the first n bytes off. */
void ai_buf_consume(struct ai_buf *b, size_t n);
/* The string; "" if nothing was ever appended. Borrowed. */
const char *ai_buf_cstr(const struct ai_buf *b);
/* Hands the memory over to the caller (free() it); empties the buffer. */
char *ai_buf_take(struct ai_buf *b);
/* 0, or -1 with "what is too long" or "out of memory" in err. */
int ai_buf_check(const struct ai_buf *b, const char *what, struct ai_err *err);

#endif
