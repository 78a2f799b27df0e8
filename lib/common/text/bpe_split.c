#include "text/bpe_split.h"

#include "text/class.h"

#include <stdbool.h>

#define BIT(c) (1u << AI_CLASS_##c)

#define CASELESS (BIT(LETTER) | BIT(MARK)) /* both in HEAD and in TAIL */
#define HEAD (BIT(UPPER) | CASELESS)
#define TAIL (BIT(LOWER) | CASELESS)
#define LETTERS (BIT(UPPER) | BIT(LOWER) | BIT(LETTER))
#define NUMBERS BIT(NUMBER)
#define BLANKS (BIT(SPACE) | BIT(NEWLINE))
#define SYMBOLS (BIT(OTHER) | BIT(MARK))
/* What may stand before a word and belong to it: [^\r\n\p{L}\p{N}] */
#define PREFIX (BIT(OTHER) | BIT(MARK) | BIT(SPACE))

static bool is(enum ai_class c, unsigned set)
{
	return (set >> c & 1) != 0;
}

/* Whether what begins at p[at] is in the set; *end is where it ends. */
static bool at_one(const char *p, size_t n, size_t at, unsigned set,
		   size_t *end)
{
	size_t len;
	enum ai_class c = ai_class_at(p, n, at, &len);

	*end = at + len;
	return is(c, set);
}

/* The end of the run of characters in the set, at most max of them. */
static size_t run(const char *p, size_t n, size_t at, unsigned set, size_t max)
{
	size_t end;

	while (max-- > 0 && at_one(p, n, at, set, &end))
		at = end;
	return at;
}

#define ALL ((size_t)-1)

static bool same(char a, char lower, bool fold)
{
	return a == lower || (fold && a == (lower & ~0x20));
}

/*
 * Bytes of 's 't 'm 'd 're 've 'll at p[at], or 0.  Where case is ignored it
 * is Unicode's folding, so that the long s (U+017F) is an s too.
 */
static size_t contraction(const char *p, size_t n, size_t at, bool fold)
{
	static const char ends[][2] = {
		{ 's' }, { 't' }, { 'm' }, { 'd' },
		{ 'r', 'e' }, { 'v', 'e' }, { 'l', 'l' }, { '\xC5', '\xBF' },
	};

	if (n - at < 2 || p[at] != '\'')
		return 0;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const char *e = ends[i];

		if (e[0] < 0 && !fold)
			continue;
		if (!same(p[at + 1], e[0], fold && e[0] > 0))
			continue;
		if (e[1] == '\0')
			return 2;
		if (n - at > 2 && same(p[at + 2], e[1], fold && e[0] > 0))
			return 3;
	}
	return 0;
}

/*
 * \s+(?!\S)|\s+ : a run of blanks leaves its last one for what follows,
 * unless it is the only one or nothing follows.
 */
static size_t blanks(const char *p, size_t n, size_t at)
{
	size_t end = at, last = at, next;

	while (at_one(p, n, end, BLANKS, &next)) {
		last = end;
		end = next;
	}
	return end == n || last == at ? end : last;
}

/* \s*[\r\n]+ before that: up to the last newline of the run. */
static size_t blanks_or_lines(const char *p, size_t n, size_t at)
{
	size_t i = at, line = 0, next;

	while (at_one(p, n, i, BLANKS, &next)) {
		if (p[i] == '\r' || p[i] == '\n')
			line = next;
		i = next;
	}
	return line != 0 ? line : blanks(p, n, at);
}

/* The end of " ?[set]+" at p[at], or 0. */
static size_t spaced(const char *p, size_t n, size_t at, unsigned set)
{
	size_t from = at + (p[at] == ' '), end;

	end = run(p, n, from, set, ALL);
	return end > from ? end : 0;
}

size_t ai_bpe_split_r50k(const char *p, size_t n, size_t at)
{
	static const unsigned sets[] = { LETTERS, NUMBERS, SYMBOLS };
	size_t end = contraction(p, n, at, false);

	if (end > 0)
		return at + end;
	for (size_t i = 0; i < 3; i++) {
		end = spaced(p, n, at, sets[i]);
		if (end > 0)
			return end;
	}
	return blanks(p, n, at);
}

/* What cl100k and o200k have in common: all but the words. */
static size_t no_word(const char *p, size_t n, size_t at, bool slash)
{
	size_t end = run(p, n, at, NUMBERS, 3);

	if (end > at)
		return end;
	end = spaced(p, n, at, SYMBOLS);
	if (end == 0)
		return blanks_or_lines(p, n, at);
	while (end < n && (p[end] == '\r' || p[end] == '\n' ||
			   (slash && p[end] == '/')))
		end++;
	return end;
}

size_t ai_bpe_split_cl100k(const char *p, size_t n, size_t at)
{
	size_t end = contraction(p, n, at, true), from = at;

	if (end > 0)
		return at + end;
	if (at_one(p, n, at, PREFIX, &end))
		from = end;
	end = run(p, n, from, LETTERS, ALL);
	return end > from ? end : no_word(p, n, at, false);
}

/*
 * [HEAD]*[TAIL]+ from p[at], or 0.  The head is greedy; without a tail
 * behind it, it gives back as far as its last caseless character, which is
 * a tail of one.
 */
static size_t head_tail(const char *p, size_t n, size_t at)
{
	size_t caseless = 0, end, len;
	enum ai_class c;

	while (c = ai_class_at(p, n, at, &len), is(c, HEAD)) {
		at += len;
		if (is(c, CASELESS))
			caseless = at;
	}
	end = run(p, n, at, TAIL, ALL);
	return end > at ? end : caseless;
}

/*
 * The first alternative with and without a prefix, then the second,
 * [HEAD]+[TAIL]*, likewise.  Where the first finds nothing, no tail follows
 * the head, so that the second is the head alone.
 */
static size_t word(const char *p, size_t n, size_t at)
{
	size_t from = at, end, next;

	if (at_one(p, n, at, PREFIX, &next))
		from = next;
	end = head_tail(p, n, from);
	if (end == 0 && from > at)
		end = head_tail(p, n, at);
	if (end > 0)
		return end;
	end = run(p, n, from, HEAD, ALL);
	return end > from ? end : 0;
}

size_t ai_bpe_split_o200k(const char *p, size_t n, size_t at)
{
	size_t end = word(p, n, at);

	if (end == 0)
		return no_word(p, n, at, true);
	return end + contraction(p, n, end, true);
}

ai_bpe_split_fn *const ai_bpe_split[AI_BPE_GRAMMARS] = {
	[AI_BPE_R50K] = ai_bpe_split_r50k,
	[AI_BPE_CL100K] = ai_bpe_split_cl100k,
	[AI_BPE_O200K] = ai_bpe_split_o200k,
};
