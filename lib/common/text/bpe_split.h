/*
 * bpe_split.h: how an encoding cuts text into the pieces that are merged, by
 * one rule of alternatives for the built-in ones and those from files.
 *
 * The rules are the regular expressions of tiktoken 0.14
 * (tiktoken_ext/openai_public.py), written by hand as they back-track, so
 * that a piece is found in time linear in its length and the white space
 * behind it.  Classes of characters: text/class.h.
 */
#ifndef AI_TEXT_BPE_SPLIT_H
#define AI_TEXT_BPE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* The alternatives that a pattern has; part of the format of tokenizers. */
enum ai_split_rule {
	AI_SPLIT_DIGITS = 3,     /* so many digits; 0: any */
	AI_SPLIT_CONTRACT = 4,   /* 's is a piece of its own */
	AI_SPLIT_FOLD = 8,       /* and 'S */
	AI_SPLIT_CASED = 16,     /* words as o200k_base has them */
	AI_SPLIT_JOINED = 32,    /* and 's belongs to them */
	AI_SPLIT_PREFIX = 64,    /* a symbol may belong to the word behind it */
	AI_SPLIT_MARKS = 128,    /* marks are letters */
	AI_SPLIT_LINES = 256,    /* newlines belong to symbols, and blanks */
	AI_SPLIT_SLASH = 512,    /* slashes, too */
	AI_SPLIT_BLANKED = 1024, /* a blank may belong to a number */
};

/* The end of the piece that begins at p[at], by a rule of these; at < n. */
size_t ai_split_rule_end(unsigned rule, const char *p, size_t n, size_t at);

/*
 * Where the piece of blanks that begins at p[at] ends; with lines, behind the
 * last newline of the run, if there is one.  at: no blank is there.
 */
size_t ai_split_blanks(const char *p, size_t n, size_t at, bool lines);

/* Where the piece that begins at p[at] ends; at < n. The result is > at. */
typedef size_t ai_bpe_split_fn(const char *p, size_t n, size_t at);

ai_bpe_split_fn ai_bpe_split_r50k, ai_bpe_split_cl100k, ai_bpe_split_o200k;

/* The rules; text/bpe_scan.h has them for many pieces at once. */
enum ai_bpe_grammar {
	AI_BPE_R50K,
	AI_BPE_CL100K,
	AI_BPE_O200K,
	AI_BPE_GRAMMARS
};

extern ai_bpe_split_fn *const ai_bpe_split[AI_BPE_GRAMMARS];

#endif
