/*
 * measure.h: what a chunk's size is counted in.
 *
 * The splitter knows no unit: it asks how far a budget reaches.  Units need not
 * add up (tokens do not), but what reach and back return costs at most the
 * budget when it stands alone, which is how it will be read.
 */
#ifndef CHUNK_MEASURE_H
#define CHUNK_MEASURE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct chunk_measure {
	/* Bytes at the start of p[0..n) that cost at most budget; ends
	 * between characters. */
	int (*reach)(const struct chunk_measure *m, const char *p, size_t n,
		     size_t budget, size_t *bytes, struct ai_err *err);
	/* The same at its end. */
	int (*back)(const struct chunk_measure *m, const char *p, size_t n,
		    size_t budget, size_t *bytes, struct ai_err *err);
	/* What p[0..n) costs. */
	int (*cost)(const struct chunk_measure *m, const char *p, size_t n,
		    size_t *units, struct ai_err *err);
	/* Whether a part never costs more than the whole. */
	bool monotone;
	const void *arg;
};

/* Code points. */
extern const struct chunk_measure chunk_measure_chars;

/* Tokens of an encoding; arg is its struct ai_bpe, which may be shared. */
extern const struct chunk_measure chunk_measure_tokens;

#endif
