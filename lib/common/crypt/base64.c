#include "crypt/base64.h"

#include <sodium.h>
#include <stdint.h>

int ai_base64_encode(struct ai_buf *out, const void *p, size_t n)
{
	size_t chars = n > SIZE_MAX / 2 ? SIZE_MAX : (n + 2) / 3 * 4;

	if (ai_buf_reserve(out, chars) < 0)
		return -1;
	sodium_bin2base64(out->p + out->len, chars + 1, p, n,
			  sodium_base64_VARIANT_ORIGINAL);
	out->len += chars;
	return 0;
}

size_t ai_base64_bytes(size_t n)
{
	static const size_t rest[] = { 0, 0, 1, 2 };

	return n % 4 == 1 ? SIZE_MAX : n / 4 * 3 + rest[n % 4];
}

int ai_base64_decode(const char *p, size_t n, void *out)
{
	size_t got, want = ai_base64_bytes(n);

	if (want == SIZE_MAX ||
	    sodium_base642bin(out, want, p, n, NULL, &got, NULL,
			      sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0)
		return -1;
	return got == want ? 0 : -1;
}
