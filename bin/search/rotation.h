/*
 * rotation.h: an orthogonal map that spreads what lies in few components over
 * all, so that the signs of a vector say much of it.
 *
 * Signs are flipped at random and a Hadamard transform taken, some times over.
 * That is for powers of two; for other sizes two transforms overlap, and a
 * butterfly of the halves comes after them (as the fast rotation of the RaBitQ
 * library does, after Kac's walk).  It costs bits * log(bits), and is the same
 * on every machine: each component is a sum in one order.
 */
#ifndef SEARCH_ROTATION_H
#define SEARCH_ROTATION_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct rotation {
	size_t bits; /* a multiple of 64 */
	size_t part; /* the largest power of two in it */
	float *signs; /* four times part, with the scale of a transform */
};

/* The size for vectors of dim: a multiple of 64, and ROTATION_LEAST or more: a
 * code of few bits says too little.  What is beyond dim was 0. */
#define ROTATION_LEAST 384
size_t rotation_bits(size_t dim);
/* The same seed gives the same map.  -1: AI_E_MEMORY. */
int rotation_init(struct rotation *r, size_t bits, uint64_t seed,
		  struct ai_err *err);
void rotation_release(struct rotation *r);
/* Turns x, which has r->bits components. */
void rotation_apply(const struct rotation *r, float *x);

#endif
