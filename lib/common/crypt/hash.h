/*
 * hash.h: BLAKE2b, which names records and documents, and seals the ledger;
 * SHA-256, for what others have agreed on.
 */
#ifndef AI_CRYPT_HASH_H
#define AI_CRYPT_HASH_H

#include "base/str.h"

#include <sodium.h>
#include <stddef.h>

#define AI_HASH_BYTES 16                       /* BLAKE2b-128 */
#define AI_HASH_HEX (2 * AI_HASH_BYTES + 1)    /* with the NUL */

struct ai_hash {
	crypto_generichash_state state;
};

void ai_hash_init(struct ai_hash *h);
void ai_hash_add(struct ai_hash *h, const void *p, size_t n);
/* Lower-case hex with a NUL; h is used up. */
void ai_hash_hex(struct ai_hash *h, char out[AI_HASH_HEX]);
/* All three in one. */
void ai_hash_of(const void *p, size_t n, char out[AI_HASH_HEX]);

/* A message in two parts. */
struct ai_hash_item {
	struct ai_span head, text;
};

enum ai_hash_with { AI_HASH_BEST, AI_HASH_PORTABLE, AI_HASH_AVX2, AI_HASH_AVX512 };

/*
 * The hash of each of n messages, as ai_hash_hex() gives it: in a third of the
 * time, since eight are made at once.  with: AI_HASH_BEST but in tests; what
 * the processor lacks is the portable way.
 */
void ai_hash_many(const struct ai_hash_item *items, size_t n,
		  char (*out)[AI_HASH_HEX], enum ai_hash_with with);

/* n bytes as lower-case hex with a NUL: 2n + 1 characters. */
void ai_hex(const void *p, size_t n, char *out);
/* The bytes that hex[0..n) stands for: n / 2, which have room.  -1: it is no
 * hex. */
int ai_unhex(const char *hex, size_t n, void *out);

#define AI_SEAL_BYTES 32 /* BLAKE2b-256, and its key */

struct ai_seal {
	crypto_generichash_state state;
};

/* Keyed: who has not the key cannot make one. */
void ai_seal_init(struct ai_seal *s, const unsigned char key[AI_SEAL_BYTES]);
void ai_seal_add(struct ai_seal *s, const void *p, size_t n);
/* s is used up. */
void ai_seal_end(struct ai_seal *s, unsigned char out[AI_SEAL_BYTES]);

#define AI_SHA256_BYTES 32
#define AI_SHA256_HEX (2 * AI_SHA256_BYTES + 1) /* with the NUL */

struct ai_sha256 {
	crypto_hash_sha256_state state;
};

void ai_sha256_init(struct ai_sha256 *h);
void ai_sha256_add(struct ai_sha256 *h, const void *p, size_t n);
/* h is used up, and wiped. */
void ai_sha256_end(struct ai_sha256 *h, unsigned char out[AI_SHA256_BYTES]);
/* All three in one, as lower-case hex with a NUL. */
void ai_sha256_of(const void *p, size_t n, char out[AI_SHA256_HEX]);

/* RFC 2104's HMAC with SHA-256; keys of any length.  out may be the key. */
void ai_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
		    unsigned char out[AI_SHA256_BYTES]);

/* Zeroes that no compiler takes away: for secrets that were used. */
void ai_wipe(void *p, size_t n);

/* Bytes that nobody can guess. */
void ai_random(void *p, size_t n);

#endif
