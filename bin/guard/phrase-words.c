/* phrase-words.c: words as phrases are compared with them. */
#include "phrases.h"

#include "base/utf8.h"
#include "text/class.h"
#include "text/words.h"

#include <string.h>

/* The letters of Latin with accents, U+00C0 to U+017F, without them; a blank: as
 * it is. */
static const char plain[] =
	"aaaaaa ceeeeiiii nooooo ouuuuy  aaaaaa ceeeeiiii nooooo ouuuuy y"
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii  jjkk lllllll"
	"lllnnnnnnn  oooooo  rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz ";

static char without_accent(uint32_t cp)
{
	if (cp >= 0xC0 && cp < 0xC0 + sizeof plain - 1)
		return plain[cp - 0xC0];
	return ' ';
}

/* Marks that change no word. */
static bool is_mark(uint32_t cp)
{
	return (cp >= 0x300 && cp < 0x370) || cp == 0x640 ||
	       (cp >= 0x64B && cp <= 0x652);
}

static bool is_letter(uint32_t cp)
{
	enum ai_class c = ai_class_of(cp);

	return c >= AI_CLASS_UPPER && c <= AI_CLASS_NUMBER;
}

static bool stands_alone(uint32_t cp)
{
	return (cp >= 0x3040 && cp < 0x3130) || (cp >= 0x31F0 && cp < 0x3200) ||
	       (cp >= 0x3400 && cp < 0xA000) || (cp >= 0xF900 && cp < 0xFB00) ||
	       (cp >= 0xE00 && cp < 0x1000) ||
	       (cp >= 0x20000 && cp < 0x40000);
}

/* Whether a sentence ends between two words. */
static bool ends_sentence(const char *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		bool last = i + 1 >= to;

		if (p[i] == '.' || p[i] == '!' || p[i] == '?')
			if (!last && (p[i + 1] == ' ' || p[i + 1] == '\n'))
				return true;
		if (p[i] == '\n' && !last && p[i + 1] == '\n')
			return true;
		if (i + 2 < to && (memcmp(p + i, "\xE3\x80\x82", 3) == 0 ||
				   memcmp(p + i, "\xE0\xA5\xA4", 3) == 0))
			return true;
	}
	return false;
}

static void put(struct phrase_words *w, uint32_t cp)
{
	char c;

	cp = ai_lower(cp);
	c = without_accent(cp);
	if (is_mark(cp) || w->len + 5u > sizeof w->text)
		return;
	if (c != ' ')
		w->text[w->len++] = c;
	else
		w->len += (uint16_t)ai_utf8_encode(cp, w->text + w->len);
}

/* The next word's first byte at or behind at, or n. */
static size_t skip(const char *p, size_t n, size_t at)
{
	size_t len;
	uint32_t cp;

	for (; at < n; at += len > 0 ? len : 1) {
		unsigned char c = (unsigned char)p[at];

		if (c < 0x80 && ai_class_ascii[c] >= AI_CLASS_UPPER &&
		    ai_class_ascii[c] <= AI_CLASS_NUMBER)
			break;
		len = 1;
		if (c < 0x80)
			continue;
		len = ai_utf8_decode(p + at, n - at, &cp);
		if (len > 0 && is_letter(cp))
			break;
	}
	return at < n ? at : n;
}

void phrase_words_read(struct phrase_words *w, const char *p, size_t n,
		       size_t max)
{
	size_t at = 0, start, len;
	uint32_t cp;

	if (n > UINT16_MAX)
		n = UINT16_MAX;
	w->n = 0;
	w->len = 0;
	w->ended = false;
	w->at[0] = 0;
	while (w->n < max && w->len + 8u < sizeof w->text) {
		start = skip(p, n, at);
		w->ended = start == n ||
			   (w->n > 0 && ends_sentence(p, at, start));
		if (w->ended)
			return;
		w->from[w->n] = (uint16_t)start;
		w->cost[w->n] = 2;
		for (at = start; at < n; at += len) {
			unsigned char c = (unsigned char)p[at];

			if (c < 0x80) {
				if (ai_class_ascii[c] < AI_CLASS_UPPER ||
				    ai_class_ascii[c] > AI_CLASS_NUMBER)
					break;
				if (w->len + 5u <= sizeof w->text)
					w->text[w->len++] = (char)
						(c - 'A' + 0u < 26u ? c | 32 : c);
				len = 1;
				continue;
			}
			len = ai_utf8_decode(p + at, n - at, &cp);
			if (len == 0 || !is_letter(cp))
				break;
			if (stands_alone(cp)) {
				if (at == start) {
					w->cost[w->n] = 1;
					put(w, cp);
					at += len;
				}
				break;
			}
			put(w, cp);
		}
		w->to[w->n] = (uint16_t)at;
		w->text[w->len++] = ' ';
		w->at[++w->n] = w->len;
	}
}

unsigned phrase_bucket(const char *text)
{
	return ((unsigned char)text[0] * 31u + (unsigned char)text[1] * 7u) %
	       PHRASE_BUCKETS;
}
