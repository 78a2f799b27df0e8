#include "text/class.h"

#include "base/utf8.h"
#include "text/class-table.h"

#define O AI_CLASS_OTHER
#define U AI_CLASS_UPPER
#define L AI_CLASS_LOWER
#define N AI_CLASS_NUMBER
#define S AI_CLASS_SPACE
#define E AI_CLASS_NEWLINE

/* The first 128 of the big table, for speed; tests/unit/bpe.c compares. */
const unsigned char ai_class_ascii[128] = {
	O, O, O, O, O, O, O, O, O, S, E, S, S, E, O, O,
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,
	O, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
	U, U, U, U, U, U, U, U, U, U, U, O, O, O, O, O,
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
};

const struct ai_class_table ai_class_table = {
	.index = class_index, .blocks = class_blocks,
	.block_bits = CLASS_BLOCK_BITS, .limit = CLASS_LIMIT,
	.far = CLASS_FAR, .far_end = CLASS_FAR_END,
};

enum ai_class ai_class_of(uint32_t cp)
{
	size_t at;

	if (cp >= CLASS_LIMIT)
		return cp >= CLASS_FAR && cp < CLASS_FAR_END ? AI_CLASS_MARK
							     : AI_CLASS_OTHER;
	at = class_index[cp / CLASS_BLOCK] * (size_t)CLASS_BLOCK +
	     cp % CLASS_BLOCK;
	return (enum ai_class)(class_blocks[at / 2] >> at % 2 * 4 & 0xF);
}

enum ai_class ai_class_wide(const char *p, size_t n, size_t *len)
{
	uint32_t cp;

	*len = ai_utf8_decode(p, n, &cp);
	if (*len > 0)
		return ai_class_of(cp);
	*len = 1;
	return AI_CLASS_OTHER;
}

const char *ai_class_unicode(void)
{
	return CLASS_UNICODE;
}
