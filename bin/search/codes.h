/*
 * codes.h: the dense leg: vectors as one bit a dimension, scanned whole, and
 * the best of them scored again from rows.f32.
 *
 * A segment, codes-N.idx, has codes of the rows [from, to) and never changes.
 * A vector v becomes r = R(v - m): m is the mean of the segment, R a rotation
 * that spreads what is in few dimensions over all.  Its code is the signs of
 * r; beside it lie |r|^2 / sum |r_i|, which makes sum sign(r_i) q_i an unbiased
 * estimate of r.q, and v.m (RaBitQ: Gao and Long, SIGMOD 2024).  The query is
 * rotated, too, but not cut down to signs: its part in each four dimensions is
 * a table of 16 bytes that a shuffle looks up for 32 or 64 vectors at once
 * (Andre, Kermarrec and Le Scouarnec, ICMR 2017).
 *
 * An estimate picks candidates and is never a score: scores are cosines,
 * computed from the rows, the same on every machine and by every kernel.
 *
 * With 384 dimensions a vector has 53 bytes here; a file is 320 bytes and its
 * mean more, and 4 bytes a vector, which only candidates are looked up in, if
 * not all rows have a code.
 */
#ifndef SEARCH_CODES_H
#define SEARCH_CODES_H

#include "base/err.h"
#include "rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search_filter; /* search.h: a bitmap over n; NULL, or bits NULL: all */

/* Up to this many floats are scanned exactly rather than by codes. */
#define SEARCH_EXACT_FLOATS ((int64_t)20000000)
/* Fewer rows than this need no segment. */
#define SEARCH_CODES_MIN 4096

/* ---- an open segment -------------------------------------------------------- */

struct search_codes {
	int64_t from, to;  /* rows */
	int64_t count;     /* of them with a code */
	size_t dim;
	size_t bits;       /* of a code: 384, or dim rounded up to 64 */
	uint64_t seed;     /* of the rotation */
	uint64_t bytes;    /* of the file */
	double recall;     /* @10, measured when it was built; NAN: not */
	int64_t sample;    /* vectors that it was measured with */
	int64_t rescored;  /* candidates that each of them scored, on average */
	int64_t fitted;    /* vectors that its mean is of */

	char *path;        /* owned; for messages */
	const unsigned char *map;
	const float *mean;            /* dim, owned */
	const unsigned char *blocks;  /* in the map */
	const unsigned char *rows;    /* slot -> n - from, or NULL */
};

/* Maps the file and checks its header, sizes and mean.  -1: AI_E_OPEN if it is
 * not there; AI_E_DATA "PATH is damaged: ..."; AI_E_OS, AI_E_MEMORY. */
int search_codes_open(struct search_codes *c, const char *path,
		      struct ai_err *err);
void search_codes_close(struct search_codes *c);
/* Reads all of it and compares the checksums; AI_E_DATA if one differs. */
int search_codes_verify(const struct search_codes *c, struct ai_err *err);

/* ---- making one ------------------------------------------------------------- */

struct search_codes_plan {
	const struct search_rows *rows;
	int64_t from, to;                 /* which of them */
	const struct search_filter *live; /* NULL: all that are no holes */
	/*
	 * Segments that this one takes the place of, ascending, or none.  Where
	 * they agree on a mean, and it is of a quarter of these vectors or
	 * more, their codes are copied; else all is made anew from the rows.
	 */
	const struct search_codes *const *parts;
	size_t parts_n;
	/* The mean to begin with; NULL: that of the rows.  A writer that gives
	 * its segments the same can merge them by copying. */
	const struct search_codes *like;
	/* Vectors to measure the recall with; 0: none; -1: as many as cost
	 * about a tenth of the whole. */
	int64_t sample;
};

/*
 * Makes the file at path, which must not be there yet, and syncs it (not its
 * folder).  Memory is bounded: about 1 MB, some vectors, a bit a row.  Equal rows give equal bytes.  A
 * file that was begun is removed after a failure.  -1: AI_E_CREATE, AI_E_IO,
 * AI_E_MEMORY; AI_E_DATA: a row is damaged; AI_E_USAGE: no live row at all, or
 * more than 2^31.
 */
int search_codes_build(const char *path, const struct search_codes_plan *plan,
		       struct ai_err *err);

/* ---- asking ----------------------------------------------------------------- */

struct search_near {
	float score;  /* the cosine */
	int64_t n;    /* the row */
};

/* Rows found, best first, equal ones by n. */
struct search_nears {
	struct search_near *v; /* owned */
	size_t n;
	bool exact;            /* every live row was scored */
	int64_t scanned;       /* codes looked at */
	int64_t scored;        /* rows looked at */
	double recall;         /* the least of the segments'; 1 if exact */
};

struct search_nearest {
	const float *query;          /* dim, of length 1 */
	size_t dim;
	const struct search_rows *rows;
	int64_t start, end;          /* of the rows; start 0: from 1 on */
	const struct search_codes *const *codes; /* ascending, apart */
	size_t codes_n;
	const struct search_filter *filter; /* what is alive and asked for */
	size_t k;                    /* how many are wanted */
	/* Candidates that are scored.  0: as many as it takes until the next
	 * ones are too far off by their estimates, at most max(400, 40 k), and
	 * that times sqrt(n / 100000) above 100,000 rows. */
	size_t rescore;
	bool exact;                  /* scan the rows, whatever it costs */
	int64_t few_floats;          /* 0: SEARCH_EXACT_FLOATS */
};

/*
 * The k nearest, or fewer if there are no more.  Rows in no segment are
 * scanned exactly, and so is everything when there is little of it (that the
 * filter lets through).  Of rows with the same score at the cut the first n are
 * taken.
 *
 * *out is the caller's to release, also after a failure.  -1: AI_E_DATA (a row
 * or a code that was looked at is not as it was written), AI_E_MEMORY.
 */
int search_nearest(const struct search_nearest *q, struct search_nears *out,
		   struct ai_err *err);
void search_nears_release(struct search_nears *out);

/* What kernels scan with here: "AVX-512", "AVX2" or "portable". */
const char *search_codes_kernel(void);

#endif
