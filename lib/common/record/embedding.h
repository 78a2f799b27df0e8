/* embedding.h: the `embedding` member: base64 or an array of numbers. */
#ifndef AI_RECORD_EMBEDDING_H
#define AI_RECORD_EMBEDDING_H

#include "base/err.h"
#include "record/json.h"

#include <stddef.h>

/*
 * Reads base64 of little-endian floats (a string) or an array of numbers
 * into *vec, which the caller frees.  AI_E_RECORD: it is neither, empty, too
 * long, or a component is not finite as a float.
 */
int ai_embedding_read(struct ai_value v, float **vec, size_t *dim,
		      struct ai_err *err);

/*
 * The same with what `embed` says of it (AI_NONE: nothing): its encoding, f32
 * if there is none, and the dimension, which the others need.  An array is
 * numbers in any encoding.
 */
int ai_embedding_read_as(struct ai_value v, struct ai_value embed,
			 float **vec, size_t *dim, struct ai_err *err);

#endif
