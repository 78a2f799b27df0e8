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

void ai_hex(const void *p, size_t n, char *out)
{
	sodium_bin2hex(out, 2 * n + 1, p, n);
}

int ai_unhex(const char *hex, size_t n, void *out)
{
	size_t done;

	return n % 2 != 0 || sodium_hex2bin(out, n / 2, hex, n, NULL, &done,
					    NULL) != 0 || done != n / 2
		? -1 : 0;
}

void ai_seal_init(struct ai_seal *s, const unsigned char key[AI_SEAL_BYTES])
{
	crypto_generichash_init(&s->state, key, AI_SEAL_BYTES, AI_SEAL_BYTES);
}

void ai_seal_add(struct ai_seal *s, const void *p, size_t n)
{
	crypto_generichash_update(&s->state, p, n);
}

void ai_seal_end(struct ai_seal *s, unsigned char out[AI_SEAL_BYTES])
{
	crypto_generichash_final(&s->state, out, AI_SEAL_BYTES);
}

void ai_sha256_init(struct ai_sha256 *h)
{
	crypto_hash_sha256_init(&h->state);
}

void ai_sha256_add(struct ai_sha256 *h, const void *p, size_t n)
{
	crypto_hash_sha256_update(&h->state, p, n);
}

void ai_sha256_end(struct ai_sha256 *h, unsigned char out[AI_SHA256_BYTES])
{
	crypto_hash_sha256_final(&h->state, out);
	sodium_memzero(h, sizeof *h);
}

void ai_sha256_of(const void *p, size_t n, char out[AI_SHA256_HEX])
{
	unsigned char sum[AI_SHA256_BYTES];

	crypto_hash_sha256(sum, p, n);
	sodium_bin2hex(out, AI_SHA256_HEX, sum, sizeof sum);
}

void ai_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n,
		    unsigned char out[AI_SHA256_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_n);
	crypto_auth_hmacsha256_update(&state, p, n);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

void ai_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

void ai_random(void *p, size_t n)
{
	randombytes_buf(p, n);
}
