/* hash.h: BLAKE2b, the one hash that names records and documents. */
#ifndef AI_CRYPT_HASH_H
#define AI_CRYPT_HASH_H

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

#endif
