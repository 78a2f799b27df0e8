/*
 * box.h: keys made from a key, and bytes sealed with one, by XChaCha20-Poly1305:
 * who has not the key can neither read nor change them.
 */
#ifndef AI_CRYPT_BOX_H
#define AI_CRYPT_BOX_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define AI_BOX_KEY 32
#define AI_BOX_NONCE 24
#define AI_BOX_TAG 16
#define AI_BOX_MORE (AI_BOX_NONCE + AI_BOX_TAG) /* what sealing adds */

/* The key for one purpose, "aiutils map 1", and for this salt (may be NULL). */
void ai_box_derive(const unsigned char key[AI_BOX_KEY], const char *purpose,
		   const void *salt, size_t n,
		   unsigned char out[AI_BOX_KEY]);

/* Seals p[0..n), bound to this place, which must be known to open it: out has
 * room for n + AI_BOX_MORE. */
void ai_box_seal(const unsigned char key[AI_BOX_KEY], uint64_t place,
		 const void *p, size_t n, unsigned char *out);
/* The n - AI_BOX_MORE bytes that were sealed, to out.  -1: not with this key,
 * not at this place, or changed since. */
int ai_box_open(const unsigned char key[AI_BOX_KEY], uint64_t place,
		const unsigned char *p, size_t n, void *out);

/* A short name for bytes, that nobody can aim at without the key. */
struct ai_short {
	uint64_t v[2];
};
#define AI_SHORT_KEY 16
struct ai_short ai_short_of(const unsigned char key[AI_SHORT_KEY],
			    const void *p, size_t n);

/* n bytes in lower-case base32 (RFC 4648) without padding, 5 bits a
 * character, as many as are given, with a NUL. */
void ai_base32(const unsigned char *p, size_t chars, char *out);

#endif
