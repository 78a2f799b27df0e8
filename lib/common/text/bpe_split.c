#include "text/bpe_split.h"

#include "text/class_run.h"

#include <string.h>

#define BIT(c) (1u << AI_CLASS_##c)

#define MARKS BIT(MARK)
#define LETTERS (BIT(UPPER) | BIT(LOWER) | BIT(LETTER))
#define CASELESS (BIT(LETTER) | MARKS) /* both in HEAD and in TAIL */
#define HEAD (BIT(UPPER) | CASELESS)
#define TAIL (BIT(LOWER) | CASELESS)
#define NUMBERS BIT(NUMBER)
#define BLANKS (BIT(SPACE) | BIT(NEWLINE))
/* What may stand before a word and belong to it: [^\r\n\p{L}\p{N}] */
#define PREFIX (BIT(OTHER) | MARKS | BIT(SPACE))
#define ALL SIZE_MAX

/* The end of " ?[set]+" at p[at], or 0. */
static size_t spaced(const char *p, size_t n, size_t at, unsigned set)
{
	size_t from = at + (p[at] == ' '), end = ai_class_run(p, n, from, set, ALL);

	return end > from ? end : 0;
}

/*
 * \s*[\r\n]+|\s+(?!\S)|\s+ , the first of them only with lines: a run of
 * blanks leaves its last one for what follows, unless it is the only one or
 * nothing follows.
 */
size_t ai_split_blanks(const char *p, size_t n, size_t at, bool lines)
{
	size_t end = at, last = at, line = 0, next;

	for (; ai_class_is(p, n, end, BLANKS, &next); end = next) {
		last = end;
		if (p[end] == '\r' || p[end] == '\n')
			line = next;
	}
	if (lines && line != 0)
		return line;
	return end == n || last == at ? end : last;
}

/*
 * Bytes of 's 't 'm 'd 're 've 'll at p[at], or 0.  Where case is ignored it
 * is Unicode's folding, so that the long s (U+017F) is an s too.
 */
static size_t contraction(const char *p, size_t n, size_t at, bool fold)
{
	unsigned a, b, bit = fold ? 0x20 : 0;

	if (at >= n || p[at] != '\'' || n - at < 2)
		return 0;
	a = (unsigned char)p[at + 1] | bit;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if (n - at < 3)
		return 0;
	if (fold && memcmp(p + at + 1, "\xC5\xBF", 2) == 0)
		return 3;
	b = (unsigned char)p[at + 2] | bit;
	return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') ||
			       (a == 'l' && b == 'l')
		       ? 3
		       : 0;
}

/*
 * [HEAD]*[TAIL]+ from p[at], or 0.  The head is greedy; without a tail
 * behind it, it gives back as far as its last caseless character, which is
 * a tail of one.
 */
static size_t head_tail(const char *p, size_t n, size_t at)
{
	size_t caseless = 0, end, next;

	while (ai_class_is(p, n, at, HEAD, &next)) {
		if (ai_class_is(p, n, at, CASELESS, &end))
			caseless = end;
		at = next;
	}
	end = ai_class_run(p, n, at, TAIL, ALL);
	return end > at ? end : caseless;
}

/*
 * The first alternative with and without a prefix, then the second,
 * [HEAD]+[TAIL]*, likewise.  Where the first finds nothing, no tail follows
 * the head, so that the second is the head alone.
 */
static size_t cased_word(const char *p, size_t n, size_t at)
{
	size_t from = at, end, next;

	if (ai_class_is(p, n, at, PREFIX, &next))
		from = next;
	end = head_tail(p, n, from);
	if (end == 0 && from > at)
		end = head_tail(p, n, at);
	if (end > 0)
		return end;
	end = ai_class_run(p, n, from, HEAD, ALL);
	return end > from ? end : 0;
}

static size_t word(unsigned rule, const char *p, size_t n, size_t at)
{
	unsigned letters = LETTERS | (rule & AI_SPLIT_MARKS ? MARKS : 0);
	size_t from = at, end;

	if (!(rule & AI_SPLIT_PREFIX))
		return spaced(p, n, at, letters);
	if (rule & AI_SPLIT_CASED) {
		end = cased_word(p, n, at);
		return end == 0 || !(rule & AI_SPLIT_JOINED)
			       ? end
			       : end + contraction(p, n, end, true);
	}
	if (ai_class_is(p, n, at, PREFIX, &end))
		from = end;
	end = ai_class_run(p, n, from, letters, ALL);
	if (end == from && from > at)
		end = ai_class_run(p, n, at, letters, ALL);
	return end > at && end > from ? end : 0;
}

static size_t number(unsigned rule, const char *p, size_t n, size_t at)
{
	size_t digits = rule & AI_SPLIT_DIGITS, end;

	if (rule & AI_SPLIT_BLANKED)
		return spaced(p, n, at, NUMBERS);
	end = ai_class_run(p, n, at, NUMBERS, digits == 0 ? ALL : digits);
	return end > at ? end : 0;
}

static size_t symbol(unsigned rule, const char *p, size_t n, size_t at)
{
	unsigned set = BIT(OTHER) | (rule & AI_SPLIT_MARKS ? 0 : MARKS);
	size_t end = spaced(p, n, at, set);

	if (end == 0 || !(rule & AI_SPLIT_LINES))
		return end;
	while (end < n && (p[end] == '\r' || p[end] == '\n' ||
			   ((rule & AI_SPLIT_SLASH) && p[end] == '/')))
		end++;
	return end;
}

size_t ai_split_rule_end(unsigned rule, const char *p, size_t n, size_t at)
{
	size_t end = 0;

	if (rule & AI_SPLIT_CONTRACT) {
		end = contraction(p, n, at, (rule & AI_SPLIT_FOLD) != 0);
		if (end > 0)
			return at + end;
	}
	if ((end = word(rule, p, n, at)) > 0 ||
	    (end = number(rule, p, n, at)) > 0 ||
	    (end = symbol(rule, p, n, at)) > 0)
		return end;
	end = ai_split_blanks(p, n, at, (rule & AI_SPLIT_LINES) != 0);
	return end > at ? end : at + 1;
}

/* ---- OpenAI's ---- */

size_t ai_bpe_split_r50k(const char *p, size_t n, size_t at)
{
	return ai_split_rule_end(AI_SPLIT_CONTRACT | AI_SPLIT_BLANKED, p, n,
				 at);
}

size_t ai_bpe_split_cl100k(const char *p, size_t n, size_t at)
{
	return ai_split_rule_end(AI_SPLIT_CONTRACT | AI_SPLIT_FOLD |
				 AI_SPLIT_PREFIX | AI_SPLIT_LINES |
				 AI_SPLIT_DIGITS, p, n, at);
}

size_t ai_bpe_split_o200k(const char *p, size_t n, size_t at)
{
	return ai_split_rule_end(AI_SPLIT_CASED | AI_SPLIT_JOINED |
				 AI_SPLIT_PREFIX | AI_SPLIT_LINES |
				 AI_SPLIT_SLASH | AI_SPLIT_DIGITS, p, n, at);
}

ai_bpe_split_fn *const ai_bpe_split[AI_BPE_GRAMMARS] = {
	[AI_BPE_R50K] = ai_bpe_split_r50k,
	[AI_BPE_CL100K] = ai_bpe_split_cl100k,
	[AI_BPE_O200K] = ai_bpe_split_o200k,
};
