/*
 * postings.h: BM25 over immutable, mapped files of postings.
 *
 * A file (words-N.idx, "segment") covers the rows from <= n < to that were
 * added to it; a search goes over several at once, with the statistics of all
 * of them, so that a score does not depend on how rows are spread over files,
 * nor on rows that are dead.  The score of a row is
 *
 *	sum over the clauses c of the query, rounded each to 2^-30, of
 *	count_c * ln(1 + (N - df_c + .5) / (df_c + .5)) *
 *		tf * 2.2 / (tf + (.3 + .9 / avdl * dl))
 *
 * (Robertson's BM25 with k1 1.2, b .75 and Lucene's idf, which is rounded, too).
 * Since such parts add up without error, their order does not matter.  tf and dl count a
 * word of a field as often as the field weighs.  For a prefix, tf is that of
 * all its terms together and df the rows with any; for a phrase, tf is how
 * often it occurs, whatever the field weighs, and df the rows with it.
 *
 * What is read from a file is checked before it is used.  AI_E_DATA: the file
 * is damaged; the message names it.
 */
#ifndef SEARCH_POSTINGS_H
#define SEARCH_POSTINGS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "text/analyze.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_WEIGHT_MAX 15       /* of a field */
#define SEARCH_COUNT_MAX 100       /* of a clause: so sums stay exact */
#define SEARCH_WEIGHT_ONE 1024     /* of a clause that counts once */
#define SEARCH_COVERED_ROWS 100
#define SEARCH_ROW_MAX 0xFFFFFFFEll /* rows are 0 to this */

/* ---- building -------------------------------------------------------------- */

struct search_builder;

/* A text of a document; a title has a weight of 3, say.  No phrase spans two. */
struct search_field {
	struct ai_span text;
	unsigned weight; /* 1 to SEARCH_WEIGHT_MAX */
};

/* a: borrowed until the end. */
struct search_builder *search_builder_new(const struct ai_analyzer *a,
					  struct ai_err *err);
void search_builder_free(struct search_builder *b);
/*
 * Adds row n, which must be greater than any before.  *length (may be NULL)
 * is its dl, as all of a document's length it is part of N * avdl.  AI_E_TOO_LONG:
 * more than 2^31 words.  After a failure the builder can but be freed.
 */
int search_builder_add(struct search_builder *b, int64_t n,
		       const struct search_field *fields, size_t count,
		       uint32_t *length, struct ai_err *err);
/* Rows so far, and the memory they take: write and clear before it is too
 * much; what comes out are several files, to be merged. */
size_t search_builder_rows(const struct search_builder *b);
size_t search_builder_memory(const struct search_builder *b);
/* Writes a new file of the rows [from, to), on the disk when it returns (but
 * not its name in the folder).  The builder is as it was.  AI_E_CREATE: it
 * exists or cannot be made; AI_E_IO.  A failure leaves no file. */
int search_builder_write(struct search_builder *b, const char *path,
			 int64_t from, int64_t to, struct ai_err *err);
/* No rows; keeps the memory. */
void search_builder_clear(struct search_builder *b);

/* ---- files ----------------------------------------------------------------- */

struct search_words; /* a mapped file */

struct search_words_info {
	int64_t from, to;     /* rows it is for */
	int64_t count;        /* rows in it */
	int64_t tokens;       /* the sum of their dl */
	int64_t terms;
	int64_t bytes;        /* of the file */
	char analyzer[16];
};

/* NULL: AI_E_OPEN (not there), AI_E_DATA, AI_E_MEMORY.  Reads the header
 * only. */
struct search_words *search_words_open(const char *path, struct ai_err *err);
void search_words_close(struct search_words *w);
const struct search_words_info *search_words_info(const struct search_words *w);
/* All checksums and all that must hold of the whole.  AI_E_DATA. */
int search_words_verify(const struct search_words *w, struct ai_err *err);
/* The dl of row n, or -1: not in this file. */
int64_t search_words_length(const struct search_words *w, int64_t n);

/* ---- the dead --------------------------------------------------------------- */

/*
 * Which rows of a file are dead, and how many rows of each term that makes:
 * kept beside the file as a blob.  Zeros: none is.
 */
struct search_dead {
	int64_t rows, tokens;
	uint32_t *slots;     /* sorted; owned, as what follows */
	size_t slots_n, slots_cap;
	struct search_dead_term {
		uint32_t term, rows; /* term: its place in the file */
	} *terms;            /* sorted by term */
	size_t terms_n, terms_cap;
};

/*
 * Row n dies: fields are what it was added with.  Twice is as once.  AI_E_DATA:
 * the file has no such row or not with these terms.
 */
int search_dead_add(struct search_dead *d, const struct search_words *w,
		    const struct ai_analyzer *a, int64_t n,
		    const struct search_field *fields, size_t count,
		    struct ai_err *err);
/* As bytes and back.  What is read is checked against the file. */
int search_dead_put(const struct search_dead *d, struct ai_buf *out);
int search_dead_read(struct search_dead *d, const struct search_words *w,
		     struct ai_span blob, struct ai_err *err);
void search_dead_release(struct search_dead *d);

/* A file and its dead ones; NULL: none. */
struct search_part {
	const struct search_words *words;
	const struct search_dead *dead;
};

/*
 * Writes one file in place of these, which are sorted by row, without the
 * dead; as search_builder_write().  Memory: the terms, not the postings.
 */
int search_words_merge(const struct search_part *parts, size_t count,
		       const char *path, int64_t from, int64_t to,
		       struct ai_err *err);

/* ---- searching -------------------------------------------------------------- */

enum search_clause_kind { SEARCH_CLAUSE_WORD, SEARCH_CLAUSE_PREFIX, SEARCH_CLAUSE_PHRASE };

/* A part of a query, after analysis. */
struct search_clause {
	enum search_clause_kind kind;
	bool not, must;         /* no row with it; no row without it */
	bool extra;             /* scores, but is no part of `covered` */
	int count;              /* how often it stands in the query; more than
				 * SEARCH_COUNT_MAX are as many */
	uint32_t weight;        /* in its place, in steps of
				 * 1/SEARCH_WEIGHT_ONE; 0: the count */
	struct ai_span *terms;  /* one, or those of a phrase; of a prefix the
				 * prefix, and then terms that count, too */
	uint32_t *positions;    /* of a phrase: from 0, rising, below 100 */
	size_t n;
};

struct search_words_query {
	const struct search_part *parts; /* sorted by row, no row in two */
	size_t parts_n;
	const struct search_clause *clauses;
	size_t clauses_n;                /* at most 1000 */
	const unsigned char *bits;       /* row n may be found: bit n % 8 of */
	int64_t bits_n;                  /* bits[n / 8], n < bits_n; NULL: all */
	size_t k;
	double min_score;                /* no row below it */
};

struct search_words_hit {
	double score;
	double covered;  /* the share of the clauses' idf, in as many rows or in
			  * SEARCH_COVERED_ROWS, that it matches: 0 to 1 */
	int64_t n;
};

/*
 * The k best rows into *hits (the caller's to free), best first; of equal
 * scores the row that came first, also where the list is cut.  `bits` must not
 * have the dead.  Clauses that are `not` find nothing here: see below.
 */
int search_words_find(const struct search_words_query *q,
		      struct search_words_hit **hits, size_t *hits_n,
		      struct ai_err *err);

/*
 * Takes those rows out of bits that have a clause that is `not` or lack one
 * that is `must`; so they hold for both legs.  *any: whether there was such a
 * clause, else bits is left alone.
 */
int search_words_restrict(const struct search_words_query *q,
			  unsigned char *bits, int64_t bits_n, bool *any,
			  struct ai_err *err);

/* What a clause gave row n: for --explain. */
struct search_words_share {
	int64_t df;
	double idf, tf, score; /* tf 0: not in it */
};
/* One for each clause; *length and *average: of the formula. */
int search_words_explain(const struct search_words_query *q, int64_t n,
			 struct search_words_share *shares, int64_t *length,
			 double *average, struct ai_err *err);

#endif
