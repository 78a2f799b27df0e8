/*
 * bpe_split.h: how an encoding cuts text into the pieces that are merged.
 *
 * The rules are the regular expressions of tiktoken 0.14
 * (tiktoken_ext/openai_public.py), written by hand as they back-track, so
 * that a piece is found in time linear in its length and the white space
 * behind it.  Classes of characters: text/class.h.
 */
#ifndef AI_TEXT_BPE_SPLIT_H
#define AI_TEXT_BPE_SPLIT_H

#include <stddef.h>

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
