/* tokenizer_norm.h: a tokenizer's normalisers; for tokenizer*.c only. */
#ifndef AI_TEXT_TOKENIZER_NORM_H
#define AI_TEXT_TOKENIZER_NORM_H

#include "base/buf.h"
#include "text/tokenizer_table.h"

/* Whether p[0..n) stays as it is under these n_norms steps; a hint, which
 * may be false for a text that stays. */
bool ai_tok_is_normal(const struct ai_tok_step *norms, size_t n_norms,
		      struct ai_span text);

/* Whether a text begins and ends where all of the text does. */
enum ai_tok_edge_flag { AI_TOK_BEGINS = 1, AI_TOK_ENDS = 2 };

/* Appends the normalised text to out, which must be empty.  pool holds the
 * texts of the steps, edges is of enum ai_tok_edge_flag.  -1: AI_E_MEMORY,
 * AI_E_TOO_LONG. */
int ai_tok_normalise(const struct ai_tok_step *norms, size_t n_norms,
		     const char *pool, struct ai_span text, unsigned edges,
		     struct ai_buf *out, struct ai_err *err);

/* Appends p[0..n) to out with one string for another. */
void ai_tok_replace(struct ai_span text, struct ai_span from,
		    struct ai_span to, struct ai_buf *out);

/* Appends p[0..n) as BERT has it; flags: of enum ai_tok_bert_flag.  What is
 * not UTF-8 becomes U+FFFD, which goes where controls do. */
void ai_tok_bert_normalise(struct ai_span text, unsigned flags,
			   struct ai_buf *out);

#endif
