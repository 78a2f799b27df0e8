/*
 * class.h: what kind of character a code point is, as far as tokenizers and
 * cutters care: the general category folded into eight classes.
 *
 * The table is that of Unicode 16 (tools/make-classes.mjs), which is also
 * what the tokenizers of OpenAI's models use; nothing here depends on the
 * locale or on the C library.
 */
#ifndef AI_TEXT_CLASS_H
#define AI_TEXT_CLASS_H

#include <stddef.h>
#include <stdint.h>

enum ai_class {
	AI_CLASS_OTHER,   /* punctuation, symbols, controls, unassigned */
	AI_CLASS_UPPER,   /* Lu, Lt */
	AI_CLASS_LOWER,   /* Ll */
	AI_CLASS_LETTER,  /* Lm, Lo: letters without case */
	AI_CLASS_MARK,    /* M */
	AI_CLASS_NUMBER,  /* N: digits, and also half and Roman eight */
	AI_CLASS_SPACE,   /* White_Space, except the two below */
	AI_CLASS_NEWLINE, /* CR and LF */
	AI_CLASS_END,     /* no code point: the end of the text */
};

/* The class of a code point; AI_CLASS_OTHER beyond 0x10FFFF. */
enum ai_class ai_class_of(uint32_t cp);

/* For ai_class_at(): the same for a byte below 0x80, and beyond ASCII. */
extern const unsigned char ai_class_ascii[128];
enum ai_class ai_class_wide(const char *p, size_t n, size_t *len);

/*
 * The class of what begins at p[at], and its length in *len: a code point,
 * or one byte of AI_CLASS_OTHER if the bytes are not UTF-8, or AI_CLASS_END
 * and 0 where at >= n.
 */
static inline enum ai_class ai_class_at(const char *p, size_t n, size_t at,
					size_t *len)
{
	if (at >= n) {
		*len = 0;
		return AI_CLASS_END;
	}
	if ((unsigned char)p[at] >= 0x80)
		return ai_class_wide(p + at, n - at, len);
	*len = 1;
	return (enum ai_class)ai_class_ascii[(unsigned char)p[at]];
}

/*
 * The table itself, for code that looks at many code points at once.  Below
 * limit, code point c is entry (index[c >> block_bits] << block_bits) + c's
 * low bits of blocks, two entries a byte, the lower four bits first.  Three
 * bytes behind index and blocks can be read, too.  Beyond limit all is
 * AI_CLASS_OTHER, except that far to far_end - 1 are marks.
 */
struct ai_class_table {
	const unsigned char *index, *blocks;
	unsigned block_bits;
	uint32_t limit, far, far_end;
};
extern const struct ai_class_table ai_class_table;

/* The version of Unicode the table was made from, "16.0.0". */
const char *ai_class_unicode(void);

#endif
