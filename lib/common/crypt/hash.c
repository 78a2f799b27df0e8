#include "crypt/hash.h"

void ai_hash_init(struct ai_hash *h)
{
	crypto_generichash_init(&h->state, NULL, 0, AI_HASH_BYTES);
}

void ai_hash_add(struct ai_hash *h, const void *p, size_t n)
{
	crypto_generichash_update(&h->state, p, n);
}

void ai_hash_hex(struct ai_hash *h, char out[AI_HASH_HEX])
{
	unsigned char sum[AI_HASH_BYTES];

	crypto_generichash_final(&h->state, sum, sizeof sum);
	sodium_bin2hex(out, AI_HASH_HEX, sum, sizeof sum);
}

void ai_hash_of(const void *p, size_t n, char out[AI_HASH_HEX])
{
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, p, n);
	ai_hash_hex(&h, out);
}
