/*
 * view-split.c: letters that were spaced, and have no wider gap between words:
 * the words are guessed, those that leave the fewest letters over.
 */
#include "text/view-build.h"

#include "text/view-split.h"

#include <string.h>

#define WORD_MAX 16
#define UNKNOWN (-3) /* what a letter of no word costs */
#define LETTER 4     /* what one of a word is worth */
#define PART (-7)    /* and what the word costs: few long ones, not many short */
#define FREQUENT 3   /* but less if it is frequent */

static bool is_word(uint32_t hash)
{
	size_t at = hash % SPLIT_SLOTS;

	for (; split_slots[at] != 0; at = (at + 1) % SPLIT_SLOTS)
		if (split_slots[at] == hash)
			return true;
	return false;
}

static uint32_t mix(uint32_t h, char c)
{
	h = (h ^ (unsigned char)c) * 0x9E3779B1u;
	return h ^ h >> 15;
}

/* How long the word is that the best division has at each letter; 0: it is in
 * none. */
static void divide(const char *p, size_t n, unsigned char *length)
{
	int best[AI_VIEW_SPLIT + 1];

	best[n] = 0;
	for (size_t i = n; i-- > 0;) {
		uint32_t h = 17;
		uint64_t word = 0;

		best[i] = best[i + 1] + UNKNOWN;
		length[i] = 0;
		for (size_t len = 1; len <= WORD_MAX && i + len <= n; len++) {
			char c = ai_view_lower(p[i + len - 1]);
			int x = best[i + len] + LETTER * (int)len + PART;

			h = mix(h, c);
			if (len <= AI_VIEW_PACKED)
				word = word << 8 | (unsigned char)c;
			if (x + FREQUENT <= best[i] || !is_word(h))
				continue;
			if (ai_view_frequent(word, len))
				x += FREQUENT;
			if (x > best[i]) {
				best[i] = x;
				length[i] = (unsigned char)len;
			}
		}
	}
}

size_t ai_view_split(const char *p, size_t n, bool *blank)
{
	unsigned char length[AI_VIEW_SPLIT];
	size_t part = n < AI_VIEW_SPLIT ? n : AI_VIEW_SPLIT, i = 0, last = 0;

	divide(p, part, length);
	memset(blank, 0, part * sizeof *blank);
	/* The end of a part may be within a word: that is looked at again. */
	while (i < part && (part == n || i + WORD_MAX < part || i == 0)) {
		size_t len = length[i];

		last = i;
		if (len == 0) {
			i++;
			continue;
		}
		blank[i] = true;
		i += len;
		if (i < part)
			blank[i] = true;
		last = i;
	}
	return part == n ? n : last > 0 ? last : part;
}
