/* put.h: what the tools that write tables as C share. */
#ifndef TOOLS_PUT_H
#define TOOLS_PUT_H

#include "base/buf.h"
#include "text/match.h"

#define PUT_INPUT_MAX ((size_t)1 << 20)

/* Adds a whole file to in.  AI_E_OPEN. */
int put_read(const char *path, struct ai_buf *in, struct ai_err *err);

/* To standard output: a string, or NULL, and a comma. */
void put_string(const char *s);
/* An array of so many numbers. */
void put_8(const char *name, const uint8_t *v, size_t n);
void put_16(const char *name, const uint16_t *v, size_t n);
/* "match", and what it needs. */
void put_match(const struct ai_match *m);

#endif
