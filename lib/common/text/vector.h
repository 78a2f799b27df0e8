/*
 * vector.h: embeddings: arithmetic, the base64 form records carry, and
 * local/hash, the built-in model that needs no weights.
 */
#ifndef AI_TEXT_VECTOR_H
#define AI_TEXT_VECTOR_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define AI_VECTOR_HASH_DIM 512     /* what local/hash gives unless asked */
#define AI_VECTOR_HASH_DIM_MIN 64
#define AI_VECTOR_HASH_DIM_MAX 4096
#define AI_VECTOR_DIM_MAX 65536    /* no model goes beyond */

/*
 * The model local/hash: words, pairs of adjacent words and runs of 3 to 5
 * characters within a word, each hashed to one signed component with weight
 * 1 + ln(tf), the whole of length 1 (feature hashing: Weinberger et al.,
 * ICML 2009).  Case and punctuation do not matter; stop words weigh little.
 * Depends on the text and dim alone: the same on every machine.  A text
 * without a word gives zeros.  -1: dim out of range (AI_E_USAGE), memory.
 */
int ai_vector_hash(const char *text, size_t n, size_t dim, float *out,
		   struct ai_err *err);

/* Scales v to length 1; zeros stay zeros. */
void ai_vector_normalise(float *v, size_t dim);
/* Whether all of it is 0, as of a text that a model knows no word of. */
bool ai_vector_is_zero(const float *v, size_t dim);
/* The order of the additions is fixed: equal input, equal bits. */
float ai_vector_dot(const float *a, const float *b, size_t dim);

/* Appends the little-endian floats in base64. -1: see ai_buf_check(). */
int ai_vector_to_base64(const float *v, size_t dim, struct ai_buf *out);
/*
 * The reverse, into out[max_dim]; *dim is how many.  Padding may be missing.
 * AI_E_RECORD: not base64, not whole floats, none, too many, not finite.
 */
int ai_vector_from_base64(const char *p, size_t n, float *out, size_t max_dim,
			  size_t *dim, struct ai_err *err);

#endif
