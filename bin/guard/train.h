/* train.h: ai-guard train: rows with labels become a file of weights. */
#ifndef GUARD_TRAIN_H
#define GUARD_TRAIN_H

#include "features.h"
#include "weights.h"

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAIN_BITS 19 /* half a MiB a table */
#define TRAIN_WINDOW (FEATURES_BLOCKS * FEATURES_BLOCK)

/* A row's words, without the text. */
struct train_row {
	struct feature_word *words; /* owned */
	size_t n, bytes;
	bool attack, calibrate;
	bool of[WEIGHTS_TABLES]; /* which tables it is for */
};

struct train_rows {
	struct train_row *v; /* owned */
	size_t n, cap;
};

/* What the weights are fitted to: windows, each a list of features. */
struct train_set {
	uint32_t *features; /* owned; of all windows, one after another */
	size_t n_features, cap_features;
	struct train_window {
		size_t at, n;
		uint32_t words;
		bool attack;
	} *v; /* owned */
	size_t n, cap;
};

/* The same on every machine. */
uint64_t train_random(uint64_t *state);
static inline size_t train_below(uint64_t *state, size_t n)
{
	return n == 0 ? 0 : (size_t)(train_random(state) % n);
}

void train_set_release(struct train_set *s);
/* One window of so many words (none: no window). */
int train_set_add(struct train_set *s, const struct feature_word *words,
		  size_t n, bool attack, struct ai_err *err);
/* The rows of a table as windows, attacks also within other texts.  Of an attack
 * that is longer than a window, that one is taken which the weights of a first
 * fit find worst; without them (NULL), its beginning. */
int train_set_fill(struct train_set *s, const struct train_rows *rows,
		   enum weights_table t, const float *first, uint64_t *seed,
		   struct ai_err *err);
/* Harmless windows with the words that a first fit holds for signs of an
 * attack, so that no word alone is one. */
int train_set_debias(struct train_set *s, const struct train_rows *rows,
		     enum weights_table t, const float *first, uint64_t *seed,
		     struct ai_err *err);
/* Logistic regression by AdaGrad; w has 1 << TRAIN_BITS weights. */
int train_fit(const struct train_set *s, enum weights_table t, float *w,
	      float *bias, uint64_t *seed, struct ai_err *err);
/* Fits all tables; *out has tables of its own: train_result_release(). */
int train_weights(const struct train_rows *rows, struct weights *out,
		  struct ai_err *err);
void train_result_release(struct weights *w);

#endif
