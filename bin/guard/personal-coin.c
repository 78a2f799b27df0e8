/* personal-coin.c: addresses of coins prove themselves. */
#include "personal-check.h"

#include "crypt/hash.h"

#include <string.h>

/* ---- Bitcoin ------------------------------------------------------------------- */

/* A number of 25 bytes in base 58: a kind, a hash, and the first four bytes of
 * the hash of the hash of these. */
bool personal_btc_base58(const char *s, size_t n)
{
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
				       "abcdefghijkmnopqrstuvwxyz";
	unsigned char raw[25] = { 0 }, sum[AI_SHA256_BYTES];
	struct ai_sha256 h;

	if (n < 26 || n > 35)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] == '\0' ? NULL : strchr(alphabet, s[i]);
		unsigned carry;

		if (at == NULL)
			return false;
		carry = (unsigned)(at - alphabet);
		for (size_t k = sizeof raw; k-- > 0; carry >>= 8) {
			carry += 58u * raw[k];
			raw[k] = (unsigned char)carry;
		}
		if (carry != 0)
			return false;
	}
	ai_sha256_init(&h);
	ai_sha256_add(&h, raw, 21);
	ai_sha256_end(&h, sum);
	ai_sha256_init(&h);
	ai_sha256_add(&h, sum, sizeof sum);
	ai_sha256_end(&h, sum);
	return (raw[0] == 0 || raw[0] == 5) && memcmp(sum, raw + 21, 4) == 0;
}

static uint32_t polymod(uint32_t sum, unsigned v)
{
	static const uint32_t g[] = { 0x3B6A57B2, 0x26508E6D, 0x1EA119FA,
				      0x3D4233DD, 0x2A1462B3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1FFFFFF) << 5 ^ v;
	for (int i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= g[i];
	return sum;
}

/* BIP 173 and, for versions above 0, BIP 350. */
bool personal_btc_bech32(const char *s, size_t n)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	uint32_t sum = 1, version = 0;
	bool small = false, large = false;

	if (n < 14 || n > 90 || ((s[0] | 32) != 'b' && (s[0] | 32) != 't') ||
	    s[2] != '1')
		return false;
	for (size_t i = 0; i < n; i++) {
		small |= s[i] >= 'a' && s[i] <= 'z';
		large |= s[i] >= 'A' && s[i] <= 'Z';
	}
	if ((small && large) ||
	    ((s[0] | 32) == 'b' ? (s[1] | 32) != 'c' : (s[1] | 32) != 'b'))
		return false;
	sum = polymod(polymod(sum, 3), 3);
	sum = polymod(sum, 0);
	sum = polymod(polymod(sum, (unsigned)(s[0] & 31)),
		      (unsigned)(s[1] & 31));
	for (size_t i = 3; i < n; i++) {
		char c = s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i];
		const char *at = c == '\0' ? NULL : strchr(alphabet, c);

		if (at == NULL)
			return false;
		if (i == 3)
			version = (uint32_t)(at - alphabet);
		sum = polymod(sum, (unsigned)(at - alphabet));
	}
	return version <= 16 && sum == (version == 0 ? 1 : 0x2BC830A3);
}

/* ---- Ethereum --------------------------------------------------------------------- */

static uint64_t turn(uint64_t x, unsigned by)
{
	return by == 0 ? x : x << by | x >> (64 - by);
}

/* The permutation of Keccak: FIPS 202, 3.2. */
static void keccak_f(uint64_t a[25])
{
	unsigned char lfsr = 1;

	for (int round = 0; round < 24; round++) {
		uint64_t c[5], t;
		size_t x = 1, y = 0;

		for (size_t i = 0; i < 5; i++)
			c[i] = a[i] ^ a[i + 5] ^ a[i + 10] ^ a[i + 15] ^
			       a[i + 20];
		for (size_t i = 0; i < 25; i++)
			a[i] ^= c[(i + 4) % 5] ^ turn(c[(i + 1) % 5], 1);
		t = a[1];
		for (unsigned i = 0; i < 24; i++) {
			size_t to = (2 * x + 3 * y) % 5;
			uint64_t keep;

			x = y;
			y = to;
			keep = a[x + 5 * y];
			a[x + 5 * y] = turn(t, (i + 1) * (i + 2) / 2 % 64);
			t = keep;
		}
		for (size_t row = 0; row < 25; row += 5) {
			memcpy(c, a + row, sizeof c);
			for (size_t i = 0; i < 5; i++)
				a[row + i] = c[i] ^
					(~c[(i + 1) % 5] & c[(i + 2) % 5]);
		}
		for (unsigned i = 0; i < 7; i++) {
			if (lfsr & 1)
				a[0] ^= (uint64_t)1 << ((1u << i) - 1);
			lfsr = (unsigned char)(lfsr << 1 ^
					       (lfsr & 0x80 ? 0x71 : 0));
		}
	}
}

void personal_keccak256(const void *p, size_t n, uint8_t out[32])
{
	enum { RATE = 136 };
	const unsigned char *s = p;
	uint64_t a[25] = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		a[at / 8] ^= (uint64_t)s[i] << 8 * (at % 8);
		if (++at == RATE) {
			keccak_f(a);
			at = 0;
		}
	}
	a[at / 8] ^= (uint64_t)1 << 8 * (at % 8);
	a[RATE / 8 - 1] ^= (uint64_t)1 << 63;
	keccak_f(a);
	for (size_t i = 0; i < 32; i++)
		out[i] = (uint8_t)(a[i / 8] >> 8 * (i % 8));
}

/* Letters are capitals where the hash of the small ones has a high digit. */
bool personal_eth(const char *s, size_t n, bool *checked)
{
	char low[40];
	uint8_t sum[32];
	bool small = false, large = false;

	*checked = false;
	if (n != 42 || s[0] != '0' || s[1] != 'x')
		return false;
	for (size_t i = 0; i < 40; i++) {
		char c = s[i + 2];

		small |= c >= 'a' && c <= 'f';
		large |= c >= 'A' && c <= 'F';
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
		      (c >= 'A' && c <= 'F')))
			return false;
		low[i] = c >= 'A' && c <= 'F' ? c | 32 : c;
	}
	if (!small || !large)
		return true;
	personal_keccak256(low, sizeof low, sum);
	for (size_t i = 0; i < 40; i++) {
		unsigned digit = sum[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;

		if (low[i] >= 'a' && (digit >= 8) != (s[i + 2] != low[i]))
			return false;
	}
	*checked = true;
	return true;
}
