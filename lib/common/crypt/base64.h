/*
 * base64.h: RFC 4648 section 4.  By tables, since most of it is vectors; a key
 * goes through libsodium, whose time tells nothing of what it is.
 */
#ifndef AI_CRYPT_BASE64_H
#define AI_CRYPT_BASE64_H

#include "base/buf.h"

#include <stddef.h>

/* Appends p[0..n) encoded and padded. -1: see ai_buf_check(). */
int ai_base64_encode(struct ai_buf *out, const void *p, size_t n);

/* How many bytes n characters without padding hold; SIZE_MAX: none do. */
size_t ai_base64_bytes(size_t n);
/*
 * Decodes p[0..n), given without padding, into out, which has room for
 * ai_base64_bytes(n).  -1: other characters, or bits left over.
 */
int ai_base64_decode(const char *p, size_t n, void *out);
int ai_base64_decode_secret(const char *p, size_t n, void *out);

#endif
