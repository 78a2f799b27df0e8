/*
 * bpe.h: byte-pair encodings, exactly as OpenAI's tiktoken has them.
 *
 * Text is cut into pieces by the encoding's rule (text/bpe_split.h); in each
 * piece, neighbours are merged in the order of their rank (text/bpe_merge.h).
 * The vocabulary is a file that the build prepared and that is mapped, so
 * opening costs a few page faults and processes share the memory.
 *
 * An open struct ai_bpe never changes: any number of threads may use it at
 * once.  Text may be any bytes; bytes that are not UTF-8 count as
 * punctuation and come back unchanged when decoded.
 *
 * Special tokens ("<|endoftext|>") that stand in a text are text like any
 * other unless AI_BPE_SPECIAL is given.
 */
#ifndef AI_TEXT_BPE_H
#define AI_TEXT_BPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct ai_bpe;

#define AI_BPE_SPECIAL 1u /* special tokens in the text are special */

#define AI_BPE_DEFAULT "o200k_base"

/* The name of the i-th encoding, or NULL behind the last. */
const char *ai_bpe_encoding_at(size_t i);

/*
 * The encoding of a model ("gpt-5-mini", "openai/gpt-4o", "gpt-oss-20b"), or
 * NULL if it is not known.  Names and prefixes are those that tiktoken and
 * OpenAI's documentation give.
 */
const char *ai_bpe_encoding_for_model(const char *model);

/*
 * Opens an encoding by name; its table is found with ai_path_data().
 * AI_E_CONFIG: no such encoding, or the table is not installed; AI_E_DATA:
 * the table is no table; AI_E_OPEN, AI_E_OS, AI_E_MEMORY.
 */
int ai_bpe_open(struct ai_bpe **out, const char *encoding, struct ai_err *err);

/* The same with the table in this file. */
int ai_bpe_open_file(struct ai_bpe **out, const char *encoding,
		     const char *path, struct ai_err *err);

/*
 * An encoding that was read from a file (model/tokenizer.h does it): takes tok
 * over, on an error, too; name is copied.
 */
struct ai_tok;
int ai_bpe_from_tok(struct ai_bpe **out, struct ai_tok *tok, const char *name,
		    struct ai_err *err);

/* NULL is fine. */
void ai_bpe_close(struct ai_bpe *b);

/* The hash of the file it was read from; n is 0 if it is built in. Borrowed. */
struct ai_span ai_bpe_source(const struct ai_bpe *b);

/* "o200k_base", or what a file was called; borrowed, lives as long as b. */
const char *ai_bpe_name(const struct ai_bpe *b);
/* The token that stands for what has none; UINT32_MAX: there is no such. */
uint32_t ai_bpe_unknown(const struct ai_bpe *b);
/* "bpe", "unigram" or "wordpiece". */
const char *ai_bpe_method(const struct ai_bpe *b);

/*
 * Goes through the whole table (milliseconds) and says what is wrong with
 * it: AI_E_DATA.  Opening checks only the header and the length; a table
 * damaged behind that gives wrong answers, but is never read outside.
 */
int ai_bpe_check(const struct ai_bpe *b, struct ai_err *err);

/* Token ids; grows by itself.  { 0 } is an empty one. */
struct ai_bpe_ids {
	uint32_t *v; /* owned */
	size_t n, cap;
};
void ai_bpe_ids_release(struct ai_bpe_ids *ids);
/* Appends one id. -1: out of memory. */
int ai_bpe_ids_add(struct ai_bpe_ids *ids, uint32_t id, struct ai_err *err);

/* How many tokens p[0..n) has.  flags: 0 or AI_BPE_SPECIAL. */
int ai_bpe_count(const struct ai_bpe *b, const char *p, size_t n,
		 unsigned flags, size_t *count, struct ai_err *err);

/* Appends the tokens of p[0..n) to ids. */
int ai_bpe_encode(const struct ai_bpe *b, const char *p, size_t n,
		  unsigned flags, struct ai_bpe_ids *ids, struct ai_err *err);

/*
 * Appends the bytes of the tokens to out, which need not be UTF-8 (a token
 * may end inside a character).  AI_E_RECORD names an id that is no token;
 * the limit of out: AI_E_TOO_LONG.
 */
int ai_bpe_decode(const struct ai_bpe *b, const uint32_t *ids, size_t n,
		  struct ai_buf *out, struct ai_err *err);

/* What ai_bpe_truncate() found. */
struct ai_bpe_cut {
	size_t keep;   /* bytes to keep */
	size_t tokens; /* that these bytes have; at most max */
	size_t before; /* that all of the text has */
};

/*
 * How much of p[0..n) to keep so that it has at most max tokens when it is
 * encoded again.  Never cuts a UTF-8 sequence.  If the first max tokens end
 * inside a character or would be other tokens without what followed them, it
 * keeps less; see bpe.c.
 */
int ai_bpe_truncate(const struct ai_bpe *b, const char *p, size_t n,
		    unsigned flags, size_t max, struct ai_bpe_cut *cut,
		    struct ai_err *err);

#endif
