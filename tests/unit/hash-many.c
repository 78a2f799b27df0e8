/* crypt/hash.h: many hashes at once are those of libsodium, in every way. */
#include "crypt/hash.h"

#include "tap.h"

#include <string.h>

#define MOST 40
#define BYTES 4000

static uint32_t state = 1;

static uint32_t rnd(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

static bool agree(enum ai_hash_with with)
{
	static char bytes[BYTES];
	struct ai_hash_item items[MOST];
	char got[MOST][AI_HASH_HEX], want[AI_HASH_HEX];

	for (int i = 0; i < BYTES; i++)
		bytes[i] = (char)rnd(256);
	for (int round = 0; round < 300; round++) {
		size_t n = rnd(MOST + 1);

		for (size_t i = 0; i < n; i++) {
			uint32_t head = rnd(rnd(2) ? 4 : 300);
			uint32_t text = rnd(rnd(2) ? 260 : 3000);

			/* The borders of blocks, above all. */
			if (rnd(4) == 0)
				text = 128 * rnd(5) - (head < 128 ? 0 : 128);
			text = text > 3000 ? 0 : text;
			items[i] = (struct ai_hash_item){
				{ bytes + rnd(300), head },
				{ bytes + rnd(700), text },
			};
		}
		ai_hash_many(items, n, got, with);
		for (size_t i = 0; i < n; i++) {
			struct ai_hash h;

			ai_hash_init(&h);
			ai_hash_add(&h, items[i].head.p, items[i].head.n);
			ai_hash_add(&h, items[i].text.p, items[i].text.n);
			ai_hash_hex(&h, want);
			if (strcmp(got[i], want) != 0)
				return false;
		}
	}
	return true;
}

int main(void)
{
	ok(agree(AI_HASH_PORTABLE), "portable");
	ok(agree(AI_HASH_AVX2), "AVX2, or portable");
	ok(agree(AI_HASH_AVX512), "AVX-512, or portable");
	ok(agree(AI_HASH_BEST), "the best there is");
	return done();
}
