/*
 * safetensors.h: arrays of numbers in a file, as the safetensors format has
 * them: eight bytes of length, a JSON object that names each array's type,
 * shape and bytes, and the bytes.
 *
 * The file may hold anything: what is not whole, not of a shape that fits its
 * bytes, or outside the file is AI_E_DATA with what is wrong.
 */
#ifndef AI_MODEL_SAFETENSORS_H
#define AI_MODEL_SAFETENSORS_H

#include "base/err.h"
#include "base/str.h"
#include "record/json.h"

#include <stddef.h>
#include <stdint.h>

enum ai_tensor_type {
	AI_TENSOR_F16,
	AI_TENSOR_BF16,
	AI_TENSOR_F32,
	AI_TENSOR_F64,
	AI_TENSOR_I8,
	AI_TENSOR_I32,
	AI_TENSOR_I64,
	AI_TENSOR_OTHER, /* its numbers cannot be read */
};

/* One array; p borrows from the file, and need not be aligned. */
struct ai_tensor {
	enum ai_tensor_type type;
	size_t dims;      /* 0 to 2; more are refused */
	size_t shape[2];  /* what is not there is 1 */
	size_t width;     /* bytes of a number; 0 of AI_TENSOR_OTHER */
	const unsigned char *p;
	size_t n;         /* bytes */
};

struct ai_safetensors {
	struct ai_value head;
	const unsigned char *data;
	size_t n; /* bytes of data */
};

/* Looks at p[0..n), which stays the caller's: its header, and all arrays. */
int ai_safetensors_open(struct ai_safetensors *s, const void *p, size_t n,
			struct ai_err *err);
/* 1: the array of that name; 0: there is none. */
int ai_safetensors_get(const struct ai_safetensors *s, const char *name,
		       struct ai_tensor *t, struct ai_err *err);
/* "F32"; of another type "other". */
const char *ai_tensor_type_name(enum ai_tensor_type type);
/* The i-th number of the array, of whatever type. */
double ai_tensor_at(const struct ai_tensor *t, size_t i);

#endif
