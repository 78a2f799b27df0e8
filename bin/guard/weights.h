/*
 * weights.h: the classifier's file of weights, mapped as it is.
 *
 * All numbers are little-endian.  Behind the header stand the tables, each of
 * 2^bits signed bytes: what each feature (features.h) says for or against.  A
 * window's score is bias + step * sum * features_scale(words), less
 * features_length(bytes of the text).
 */
#ifndef GUARD_WEIGHTS_H
#define GUARD_WEIGHTS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define WEIGHTS_MAGIC "AIGUARD\032"
#define WEIGHTS_VERSION 2
#define WEIGHTS_FILE "guard/weights.bin"
#define WEIGHTS_BITS_MAX 20

/* What a user says; what stands in a document or comes from a tool. */
enum weights_table { WEIGHTS_USER, WEIGHTS_DOCUMENT, WEIGHTS_TABLES };

/* Rates of false positives whose scores the file has. */
#define WEIGHTS_POINTS 4
extern const double weights_rates[WEIGHTS_POINTS];

struct weights_header {
	char magic[8];
	uint32_t version, bits;
	struct {
		float bias, step;
		float points[WEIGHTS_POINTS]; /* falling: as the rates rise */
	} table[WEIGHTS_TABLES];
	uint64_t body_hash;
	uint64_t head_hash; /* of the header before this */
};

struct weights {
	struct weights_header head; /* in the machine's order */
	const signed char *table[WEIGHTS_TABLES];
	void *map; /* NULL: the memory is the caller's */
	size_t map_len;
};

/* Checks and sets up w, which borrows p; what is wrong with it, or NULL. */
const char *weights_read(struct weights *w, const void *p, size_t n);
/* Maps a file.  AI_E_OPEN, AI_E_DATA. */
int weights_open(struct weights *w, const char *path, struct ai_err *err);
void weights_close(struct weights *w);
/* Writes head (its hashes are made here) and the tables, all or nothing. */
int weights_write(struct weights *w, const char *path, struct ai_err *err);

/* The rate of false positives at which this score is found: between the
 * file's points, and past them, on a straight line of its logarithm. */
double weights_rate(const struct weights *w, enum weights_table t,
		    double score);
/* And back. */
double weights_score(const struct weights *w, enum weights_table t,
		     double rate);

/* ---- scoring ------------------------------------------------------------------ */

/* One window of a text. */
struct weights_window {
	double score;
	size_t from, to; /* its bytes */
};
/* Calls each() for every window, in order, until it returns nonzero: returns
 * that, or 0. */
int weights_windows(const struct weights *w, enum weights_table t,
		    const char *text, size_t n,
		    int (*each)(void *arg, const struct weights_window *x),
		    void *arg);
/* Narrows a window (or several) to those sentences and lines, of the text it is
 * in, that say most together: x->from and x->to. */
void weights_narrow(const struct weights *w, enum weights_table t,
		    const char *text, size_t n, struct weights_window *x);
/* The features of a text that say most for it, as a list for people. */
void weights_reason(const struct weights *w, enum weights_table t,
		    const char *text, size_t n, char *out, size_t size);

#endif
