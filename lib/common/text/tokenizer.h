/*
 * tokenizer.h: tokenizers that were read from a file, exactly as HuggingFace's
 * library has them: what is looked for before anything else (added tokens),
 * what normalises the text, what cuts it into pieces, and the model that makes
 * tokens of a piece, BPE with a list of merges or Unigram.
 *
 * text/bpe.h is what programs use; it asks this one for encodings that came
 * from a file.  model/tokenizer.h opens them.
 */
#ifndef AI_TEXT_TOKENIZER_H
#define AI_TEXT_TOKENIZER_H

#include "base/buf.h"
#include "base/err.h"
#include "text/bpe_merge.h"
#include "text/tokenizer_table.h"

struct ai_tok;

/*
 * Takes a table (ai_tok_build) over: p is unmapped by ai_tok_free() if it is
 * mapped, and freed if not; on an error, too.  AI_E_DATA: it is none, or a
 * pattern in it is not understood, with the pattern; AI_E_MEMORY.
 */
int ai_tok_new(struct ai_tok **out, void *p, size_t n, bool mapped,
	       struct ai_err *err);
/* NULL is fine. */
void ai_tok_free(struct ai_tok *k);

const struct ai_tok_header *ai_tok_head(const struct ai_tok *k);

/*
 * Gives the tokens of p[0..n) to the sink.  flags: 0 or AI_BPE_SPECIAL; added
 * tokens that are not special are found in any case.  AI_E_UTF8 where a
 * pattern of the file needs UTF-8, AI_E_TOO_LONG where one takes too long.
 */
int ai_tok_encode(const struct ai_tok *k, const char *p, size_t n,
		  unsigned flags, struct ai_bpe_sink *s, struct ai_err *err);

/* The bytes of a token, its length in *n; NULL: there is none. */
const unsigned char *ai_tok_token(const struct ai_tok *k, uint32_t id,
				  size_t *n);

/* As ai_bpe_decode(); name is for messages. */
int ai_tok_decode(const struct ai_tok *k, const char *name,
		  const uint32_t *ids, size_t n, struct ai_buf *out,
		  struct ai_err *err);

/* As ai_bpe_truncate(). */
int ai_tok_truncate(const struct ai_tok *k, const char *p, size_t n,
		    unsigned flags, size_t max, struct ai_bpe_cut *cut,
		    struct ai_err *err);

#endif
