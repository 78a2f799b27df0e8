/*
 * static.h: static embedding models: a row of numbers for each token, and a
 * text is the mean of its tokens' rows, of length 1.
 *
 * The layout is that of model2vec: a folder with model.safetensors (the matrix
 * "embeddings", and maybe "weights" and "mapping"), tokenizer.json and
 * config.json.  The matrix is mapped: many processes share it.
 */
#ifndef AI_MODEL_STATIC_H
#define AI_MODEL_STATIC_H

#include "base/err.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stddef.h>

struct ai_static;

/* Whether this names one: a folder, or a file *.safetensors. */
bool ai_static_is(const char *name);

/* AI_E_OPEN; AI_E_DATA: what is there cannot be used, and why. */
int ai_static_open(struct ai_static **out, const char *name,
		   struct ai_err *err);
/* NULL is fine. */
void ai_static_close(struct ai_static *m);

size_t ai_static_dim(const struct ai_static *m);

/*
 * The vector of p[0..n) into out[dim], dim at most the model's: what is beyond
 * is cut off before it gets length 1.  A text without a known token gives
 * zeros.  ids is room that is used again.  The additions have a fixed order.
 * AI_E_UTF8; AI_E_DATA: a number in the model is not finite; AI_E_MEMORY.
 * Any number of threads may do this at once, each with ids of its own.
 */
int ai_static_embed(const struct ai_static *m, const char *p, size_t n,
		    struct ai_bpe_ids *ids, float *out, size_t dim,
		    struct ai_err *err);

#endif
