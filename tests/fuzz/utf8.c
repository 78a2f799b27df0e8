/* UTF-8: every function agrees with a decoder written the slow way. */
#include "base/utf8.h"
#include "fuzz.h"

#include <string.h>

/* The sequence at p by its definition: length from the first byte, then
 * continuation bytes, then the ranges. 0 if there is none. */
static size_t slow_decode(const uint8_t *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = n == 0 ? 0 : p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 :
		     p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	*cp = len == 1 ? p[0] : p[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3Fu);
	}
	if (*cp < least[len] || *cp > 0x10FFFF ||
	    (*cp >= 0xD800 && *cp <= 0xDFFF))
		return 0;
	return len;
}

static void check_sequence(const uint8_t *p, size_t n, size_t len,
			   uint32_t want)
{
	uint32_t cp = 0;
	char out[4];

	must(ai_utf8_decode((const char *)p, n, &cp) == len);
	must(ai_utf8_len((const char *)p, n) == len);
	if (len == 0)
		return;
	must(cp == want);
	must(ai_utf8_encode(cp, out) == len && memcmp(out, p, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t valid = 0, count = 0, len;
	uint32_t cp = 0;

	while (valid < size) {
		len = slow_decode(data + valid, size - valid, &cp);
		check_sequence(data + valid, size - valid, len, cp);
		if (len == 0)
			break;
		must(ai_utf8_offset(p, size, count) == valid);
		for (size_t i = 0; i < len; i++)
			must(ai_utf8_floor(p, size, valid + i) == valid);
		valid += len;
		count++;
	}
	must(ai_utf8_valid(p, size) == valid);
	must(ai_utf8_count(p, valid) == count);
	must(ai_utf8_offset(p, valid, count) == valid);
	must(ai_utf8_floor(p, size, size) == size);
	return 0;
}
