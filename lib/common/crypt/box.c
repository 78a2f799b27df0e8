#include "crypt/box.h"

#include "crypt/hash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(AI_BOX_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
	       AI_BOX_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
	       AI_BOX_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES &&
	       AI_BOX_KEY == AI_SEAL_BYTES, "one size of keys");

void ai_box_derive(const unsigned char key[AI_BOX_KEY], const char *purpose,
		   const void *salt, size_t n, unsigned char out[AI_BOX_KEY])
{
	struct ai_seal s;

	ai_seal_init(&s, key);
	/* With its NUL, which ends it. */
	ai_seal_add(&s, purpose, strlen(purpose) + 1);
	ai_seal_add(&s, salt, n);
	ai_seal_end(&s, out);
}

static void put_place(uint64_t place, unsigned char out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(place >> (8 * i));
}

void ai_box_seal(const unsigned char key[AI_BOX_KEY], uint64_t place,
		 const void *p, size_t n, unsigned char *out)
{
	unsigned char ad[8];

	put_place(place, ad);
	ai_random(out, AI_BOX_NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + AI_BOX_NONCE, NULL, p, n, ad, sizeof ad, NULL, out, key);
}

int ai_box_open(const unsigned char key[AI_BOX_KEY], uint64_t place,
		const unsigned char *p, size_t n, void *out)
{
	unsigned char ad[8];

	if (n < AI_BOX_MORE)
		return -1;
	put_place(place, ad);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
		out, NULL, NULL, p + AI_BOX_NONCE, n - AI_BOX_NONCE, ad,
		sizeof ad, p, key) == 0 ? 0 : -1;
}

struct ai_short ai_short_of(const unsigned char key[AI_SHORT_KEY],
			    const void *p, size_t n)
{
	unsigned char sum[crypto_shorthash_siphashx24_BYTES];
	struct ai_short s;

	crypto_shorthash_siphashx24(sum, p, n, key);
	memcpy(s.v, sum, sizeof s.v);
	return s;
}

void ai_base32(const unsigned char *p, size_t chars, char *out)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < chars; i++) {
		if (have < 5) {
			bits = bits << 8 | *p++;
			have += 8;
		}
		have -= 5;
		out[i] = alphabet[bits >> have & 31];
	}
	out[chars] = '\0';
}
