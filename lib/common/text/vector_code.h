/*
 * vector_code.h: embeddings in fewer bytes, as records carry them.
 *
 *	f32     4 bytes a component, little-endian
 *	f16     2 bytes, IEEE 754 half precision, rounded to the nearest
 *	int8    1 byte: the component times 127 over the largest one
 *	binary  1 bit: whether it is above 0, the first in the highest bit
 *
 * A vector's length does not matter to its cosine, so that int8 needs no scale
 * and a bit is 1 or -1.
 */
#ifndef AI_TEXT_VECTOR_CODE_H
#define AI_TEXT_VECTOR_CODE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum ai_vector_code {
	AI_VECTOR_F32,
	AI_VECTOR_F16,
	AI_VECTOR_INT8,
	AI_VECTOR_BINARY,
};
#define AI_VECTOR_CODES "f32|f16|int8|binary"

/* "int8" */
const char *ai_vector_code_name(enum ai_vector_code code);
/* The code of that name, or -1. */
int ai_vector_code_of(struct ai_span name);

uint16_t ai_to_half(float v);
float ai_from_half(uint16_t h);

/* Sets v to what its readers will have: the very numbers the code stands for
 * (of int8 whole ones up to 127, of binary 1 and -1). */
void ai_vector_round(enum ai_vector_code code, float *v, size_t dim);
/* Appends v, which was rounded so, in base64. -1: see ai_buf_check(). */
int ai_vector_encode(enum ai_vector_code code, const float *v, size_t dim,
		     struct ai_buf *out);
/*
 * The reverse, into out[dim]; dim is how many there have to be.  AI_E_RECORD:
 * not base64, not so many, not finite.
 */
int ai_vector_decode(enum ai_vector_code code, const char *p, size_t n,
		     float *out, size_t dim, struct ai_err *err);

#endif
