/*
 * rows.h: the vectors of an index, as they came: rows.f32.
 *
 * Row n, counted from 1, is dim little-endian floats of length 1 at n * dim *
 * 4.  The file is only added to, and no row is written twice.  Zeros, and what
 * lies behind the end of the file, are holes: documents without a vector.  The
 * file has no header; what is in it, index.db says.
 *
 * The reader trusts nothing: a row that is neither a hole nor of length 1 is
 * found when its score is computed (SEARCH_ROWS_BAD).
 */
#ifndef SEARCH_ROWS_H
#define SEARCH_ROWS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- reading: the file mapped --------------------------------------------- */

struct search_rows {
	const float *v;   /* the whole file; NULL if it is empty */
	size_t dim;
	int64_t n;        /* rows in the file, row 0 included */
	size_t bytes;     /* mapped */
	int fd;           /* the same, to be read; 0: not open */
	char *path;       /* owned; for messages */
};

/* A file that is not there is one without rows.  -1: AI_E_OPEN, AI_E_OS,
 * AI_E_MEMORY; AI_E_USAGE if dim is not 1 to AI_VECTOR_DIM_MAX. */
int search_rows_open(struct search_rows *r, const char *path, size_t dim,
		     struct ai_err *err);
void search_rows_close(struct search_rows *r);

/* Row n, or NULL if it is a hole.  Borrowed.  On a machine that is not
 * little-endian it is in spare, which has room for dim floats. */
const float *search_rows_at(const struct search_rows *r, int64_t n,
			    float *spare);

/* Asks for the pages of some rows at once, n ascending, so that what comes
 * from a disk comes in one batch. */
void search_rows_want(const struct search_rows *r, const int64_t *n,
		      size_t count);

/*
 * The cosine of row n and a query of length 1 (spare: see above); alone: those
 * beside it are not wanted, so that it is read rather than mapped.  Equal to
 * ai_vector_dot() in every bit.  SEARCH_ROWS_HOLE: there is no vector;
 * SEARCH_ROWS_BAD: the row is not of length 1 (within 1e-3).
 */
enum search_rows_state { SEARCH_ROWS_OK, SEARCH_ROWS_HOLE, SEARCH_ROWS_BAD };
enum search_rows_state search_rows_score(const struct search_rows *r, int64_t n,
					 bool alone, const float *query,
					 float *spare, float *score);

/* Whether a row that is not a hole is of length 1, as above. */
bool search_rows_is_whole(const float *v, size_t dim);

/* Fills err with "PATH is damaged: row N ...".  Returns -1. */
int search_rows_damaged(const struct search_rows *r, int64_t n,
			struct ai_err *err);

/* Reads rows [from, to): AI_E_DATA if one is neither a hole nor of length 1.
 * *count is how many are no holes. */
int search_rows_verify(const struct search_rows *r, int64_t from, int64_t to,
		       int64_t *count, struct ai_err *err);

/* ---- writing --------------------------------------------------------------- */

struct search_rows_writer {
	int fd;
	size_t dim;
	int64_t start;    /* row that buf begins with */
	int64_t next;     /* the first that may be added */
	unsigned char *buf;
	size_t used;      /* bytes of it */
	char *path;       /* owned */
};

/*
 * Opens the file, making it if need be, to add rows from next on (1 for a new
 * one).  What lies behind next was never committed, and is cut off.  There is
 * one writer at a time: the caller holds index.db's lock.  -1: AI_E_CREATE,
 * AI_E_MEMORY, AI_E_IO, AI_E_USAGE.
 */
int search_rows_writer_open(struct search_rows_writer *w, const char *path,
			    size_t dim, int64_t next, struct ai_err *err);
/* Row n, which lies behind all that were added; rows between are holes.  v is
 * finite and of length 1: AI_E_BUG if not. */
int search_rows_add(struct search_rows_writer *w, int64_t n, const float *v,
		    struct ai_err *err);
/* What was added is in the file, for readers to map; safe from a power cut
 * with sync.  To be called before the transaction that names the rows. */
int search_rows_flush(struct search_rows_writer *w, bool sync,
		      struct ai_err *err);
/* What was not flushed is dropped. */
void search_rows_writer_close(struct search_rows_writer *w);

#endif
