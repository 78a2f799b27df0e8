/* utf8.h: UTF-8 as RFC 3629 has it: no surrogates, nothing overlong. */
#ifndef AI_BASE_UTF8_H
#define AI_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define AI_UTF8_REPLACEMENT 0xFFFDu

/* Bytes of the valid sequence at p (1 to 4), or 0 if there is none in n. */
size_t ai_utf8_len(const char *p, size_t n);
/* Decodes one valid sequence; returns its length, or 0 as above. */
size_t ai_utf8_decode(const char *p, size_t n, uint32_t *cp);
/* Writes cp (at most 0x10FFFF) to out[4]; returns the length. */
size_t ai_utf8_encode(uint32_t cp, char *out);
/* Offset of the first invalid byte, or n if all is valid. */
size_t ai_utf8_valid(const char *p, size_t n);
/* Code points in valid UTF-8. */
size_t ai_utf8_count(const char *p, size_t n);
/* Byte offset of the k-th code point, or n if there are fewer. */
size_t ai_utf8_offset(const char *p, size_t n, size_t k);
/* The largest i <= at where no sequence of valid UTF-8 is cut. */
size_t ai_utf8_floor(const char *p, size_t n, size_t at);

#endif
