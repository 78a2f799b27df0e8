/*
 * regex.h: regular expressions on UTF-8, always with limits.
 *
 * PCRE2 does the matching.  Its own limits bound the backtracking from one
 * starting point and the memory, but neither the sum over all starting
 * points nor what one item scans: a*b takes n*n steps on "aaaa...", and the
 * match limit never sees them.  So a pattern that is not our own is compiled
 * with AI_REGEX_METERED: a callout before every item counts items tried and
 * bytes moved, and stops the match when a budget linear in the text is used
 * up.  It costs about a factor of two; whether a pattern exceeds its budget
 * depends on pattern and text only, never on the machine.
 *
 * A compiled expression is constant: any number of threads may match with it.
 */
#ifndef AI_TEXT_REGEX_H
#define AI_TEXT_REGEX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

enum ai_regex_flag {
	/* \d \w \b and [[:alpha:]] know all of Unicode, not just ASCII. */
	AI_REGEX_UNICODE = 1,
	AI_REGEX_CASELESS = 2,
	/* ^ and $ also match at line breaks. */
	AI_REGEX_LINES = 4,
	/* The pattern or its size is not ours: see above. */
	AI_REGEX_METERED = 8,
	/*
	 * The dialect of JSON Schema: ECMA-262 with its "u" flag, as
	 * ai_regex_from_ecma() reads it.  Not with AI_REGEX_UNICODE.
	 */
	AI_REGEX_ECMA = 16,
	/*
	 * Bytes instead of characters: any text, and only ASCII has letters.
	 * Made machine code, where there is a compiler for it: for patterns of
	 * our own that run often.  Not with AI_REGEX_METERED.
	 */
	AI_REGEX_BYTES = 32,
};

/* Longest pattern, bytes. */
#define AI_REGEX_PATTERN_MAX 65536

struct ai_regex;

/*
 * Compiles a pattern of n bytes.  -1: AI_E_DATA with what is wrong and at
 * which byte, or AI_E_MEMORY.
 */
int ai_regex_new(struct ai_regex **re, const char *pattern, size_t n,
		 unsigned flags, struct ai_err *err);
void ai_regex_free(struct ai_regex *re);
/* Capture groups in the pattern, without the whole match. */
size_t ai_regex_groups(const struct ai_regex *re);
/* The number of the group (?<name>...), or 0. */
size_t ai_regex_group(const struct ai_regex *re, const char *name);

/*
 * Looks for the first match at or behind byte from.  What stands before it
 * is seen by ^, \b and lookbehinds.  caps[0] becomes the match, caps[i] group
 * i, p NULL where a group took no part; n_caps may be 0.
 * Returns 1: found, 0: not, -1: AI_E_TOO_LONG when a limit was hit,
 * AI_E_UTF8, AI_E_MEMORY.  The text is checked to be UTF-8 when from is 0,
 * unless the expression is of bytes; whoever goes on behind a match passes the same text.
 */
int ai_regex_match(const struct ai_regex *re, struct ai_span text, size_t from,
		   struct ai_span *caps, size_t n_caps, struct ai_err *err);

/*
 * Appends the PCRE2 pattern (without UCP, newline ANYCRLF) that means what
 * the ECMA-262 pattern means: \s, \v, \uXXXX, [ in a class, long names of
 * general categories.  Syntax that ECMA-262 lacks is passed on, except what
 * steers PCRE2 itself: (*VERB) and \Q are refused.  Differences that remain:
 * a lookbehind has a fixed length; . matches U+2028 and U+2029.
 */
int ai_regex_from_ecma(const char *pattern, size_t n, struct ai_buf *out,
		       struct ai_err *err);

#endif
