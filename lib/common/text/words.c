#include "text/words.h"

#include "base/utf8.h"

/*
 * Upper-case ranges with one rule each: add delta; or, where capitals and
 * small letters alternate, the odd or even one of a pair is the capital.
 * After Unicode's SimpleLowercase, without the rare exceptions.
 */
enum rule { ADD, EVEN_UP, ODD_UP };
static const struct {
	uint32_t from, to;
	enum rule rule;
	int delta;
} lowers[] = {
	{ 0x41, 0x5A, ADD, 32 },          { 0xC0, 0xD6, ADD, 32 },
	{ 0xD8, 0xDE, ADD, 32 },          { 0x100, 0x12F, EVEN_UP, 0 },
	{ 0x132, 0x137, EVEN_UP, 0 },     { 0x139, 0x148, ODD_UP, 0 },
	{ 0x14A, 0x177, EVEN_UP, 0 },     { 0x178, 0x178, ADD, -121 },
	{ 0x179, 0x17E, ODD_UP, 0 },      { 0x1CD, 0x1DC, ODD_UP, 0 },
	{ 0x1DE, 0x1EF, EVEN_UP, 0 },     { 0x1F8, 0x21F, EVEN_UP, 0 },
	{ 0x222, 0x233, EVEN_UP, 0 },     { 0x386, 0x386, ADD, 38 },
	{ 0x388, 0x38A, ADD, 37 },        { 0x38C, 0x38C, ADD, 64 },
	{ 0x38E, 0x38F, ADD, 63 },        { 0x391, 0x3A1, ADD, 32 },
	{ 0x3A3, 0x3AB, ADD, 32 },        { 0x3D8, 0x3EF, EVEN_UP, 0 },
	{ 0x400, 0x40F, ADD, 80 },        { 0x410, 0x42F, ADD, 32 },
	{ 0x460, 0x481, EVEN_UP, 0 },     { 0x48A, 0x4BF, EVEN_UP, 0 },
	{ 0x4D0, 0x52F, EVEN_UP, 0 },     { 0x531, 0x556, ADD, 48 },
	{ 0x1E00, 0x1E95, EVEN_UP, 0 },   { 0x1EA0, 0x1EFF, EVEN_UP, 0 },
	{ 0x2C80, 0x2CE3, EVEN_UP, 0 },   { 0xFF21, 0xFF3A, ADD, 32 },
	{ 0x10400, 0x10427, ADD, 40 },
};

/* Beyond ASCII everything is a letter but these: punctuation, symbols,
 * blanks, controls, private use. */
static const uint32_t gaps[][2] = {
	{ 0x80, 0xA9 },       { 0xAB, 0xB4 },       { 0xB6, 0xB9 },
	{ 0xBB, 0xBF },       { 0xD7, 0xD7 },       { 0xF7, 0xF7 },
	{ 0x37E, 0x37E },     { 0x387, 0x387 },     { 0x55A, 0x55F },
	{ 0x589, 0x58A },     { 0x5BE, 0x5BE },     { 0x5F3, 0x5F4 },
	{ 0x60C, 0x60D },     { 0x61B, 0x61F },     { 0x66A, 0x66D },
	{ 0x6D4, 0x6D4 },     { 0x964, 0x965 },     { 0xE3F, 0xE3F },
	{ 0xE4F, 0xE4F },     { 0x1680, 0x1680 },   { 0x2000, 0x206F },
	{ 0x20A0, 0x20CF },   { 0x2190, 0x2BFF },   { 0x2E00, 0x2E7F },
	{ 0x3000, 0x3004 },   { 0x3008, 0x3020 },   { 0x3030, 0x3030 },
	{ 0xE000, 0xF8FF },   { 0xFE10, 0xFE1F },   { 0xFE30, 0xFE6F },
	{ 0xFEFF, 0xFEFF },   { 0xFF00, 0xFF0F },   { 0xFF1A, 0xFF20 },
	{ 0xFF3B, 0xFF40 },   { 0xFF5B, 0xFF65 },   { 0xFFE0, 0xFFFF },
	{ 0x1F000, 0x1FAFF }, { 0xF0000, 0x10FFFF },
};

/* Scripts written without blanks between words. */
static const uint32_t singles[][2] = {
	{ 0xE00, 0xEFF },     { 0x1000, 0x109F },   { 0x1780, 0x17FF },
	{ 0x3040, 0x30FF },   { 0x31F0, 0x31FF },   { 0x3400, 0x4DBF },
	{ 0x4E00, 0x9FFF },   { 0xF900, 0xFAFF },   { 0xFF66, 0xFF9F },
	{ 0x20000, 0x3FFFF },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool within(const uint32_t (*ranges)[2], size_t n, uint32_t cp)
{
	size_t i;

	for (i = 0; i < n && cp >= ranges[i][0]; i++)
		if (cp <= ranges[i][1])
			return true;
	return false;
}

uint32_t ai_lower(uint32_t cp)
{
	size_t i;

	if (cp < 0x80)
		return cp - 'A' < 26u ? cp + 32 : cp;
	for (i = 1; i < COUNT(lowers) && cp >= lowers[i].from; i++) {
		if (cp > lowers[i].to)
			continue;
		if (lowers[i].rule == ADD)
			return (uint32_t)((int64_t)cp + lowers[i].delta);
		return cp + (cp % 2 == (lowers[i].rule == ODD_UP));
	}
	return cp;
}

static bool is_letter(uint32_t cp)
{
	if (cp < 0x80)
		return cp - '0' < 10u || (cp | 32) - 'a' < 26u;
	return !within(gaps, COUNT(gaps), cp);
}

void ai_words_init(struct ai_words *w, const char *text, size_t n)
{
	w->p = w->from = text;
	w->end = text + n;
	w->n = 0;
}

bool ai_words_next(struct ai_words *w)
{
	uint32_t cp;
	size_t len;
	bool alone;

	for (w->n = 0; w->p < w->end && w->n < AI_WORD_MAX; w->p += len) {
		len = ai_utf8_decode(w->p, (size_t)(w->end - w->p), &cp);
		if (len == 0 || !is_letter(cp)) {
			len = len == 0 ? 1 : len;
			if (w->n == 0)
				continue;
			break;
		}
		alone = cp >= 0xE00 && within(singles, COUNT(singles), cp);
		if (alone && w->n > 0)
			break;
		if (w->n == 0)
			w->from = w->p;
		w->cp[w->n++] = ai_lower(cp);
		if (alone) {
			w->p += len;
			break;
		}
	}
	return w->n > 0;
}
