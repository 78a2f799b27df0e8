/*
 * normal.h: Unicode's normal form C, as tokenizers want it.
 *
 * The tables are those of Unicode 9 (tools/make-normal.mjs says why); what
 * was assigned later stays as it is.  Bytes that are not UTF-8 stay, too.
 */
#ifndef AI_TEXT_NORMAL_H
#define AI_TEXT_NORMAL_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* The first byte at or behind from that NFC may change, or n: nothing from
 * there on changes, for certain. */
size_t ai_normal_next(const char *p, size_t n, size_t from);

/*
 * Appends p[0..n) in normal form C to out.  Takes time in proportion to n,
 * however many marks follow each other.  -1: memory or out's limit, see
 * ai_buf_check().
 */
int ai_normal_nfc(const char *p, size_t n, struct ai_buf *out);

/* What a code point is made of (NFD, without order among marks): 1 to
 * AI_NORMAL_PARTS code points into out; how many. */
#define AI_NORMAL_PARTS 8
size_t ai_normal_parts(uint32_t cp, uint32_t out[AI_NORMAL_PARTS]);

#endif
