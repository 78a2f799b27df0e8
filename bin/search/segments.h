/*
 * segments.h: the files of an index, and how a transaction adds to them.
 *
 * Beside index.db lie immutable files: words-N.idx, the postings of a range
 * of rows, codes-N.idx, the codes of the vectors of one, model-N.emb, which
 * made the vectors where the index does that itself, and rows-N.f32, which has
 * them and is only added to.  The table `segment` of index.db names
 * those that count, so that documents and files change in one transaction.
 * A file that no row names was left by a writer that was killed, or belongs
 * to a snapshot that somebody still reads.
 */
#ifndef SEARCH_SEGMENTS_H
#define SEARCH_SEGMENTS_H

#include "codes.h"
#include "indexer.h"
#include "postings.h"
#include "rows.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_GONE_PER 65536 /* rows in a row of table gone */

/* The first two are segments. */
enum search_file_kind {
	SEARCH_FILE_WORDS, SEARCH_FILE_CODES, SEARCH_FILE_ROWS,
	SEARCH_FILE_MODEL, SEARCH_FILE_KINDS
};

struct search_segment {
	enum search_file_kind kind;
	int64_t number;            /* in its file's name */
	int64_t from, to;          /* rows [from, to) */
	struct search_words *words;
	struct search_dead dead;   /* rows of words that are gone */
	struct search_codes codes;
	bool fresh, dirty;         /* made, or its dead changed, by this writer */
};

struct search_segments {
	struct search_segment **v; /* by row */
	size_t n;
};

/* What is open; it belongs to one state of the index. */
struct search_files {
	int64_t generation;        /* 0: nothing is */
	struct search_segments words, codes;
	struct search_rows rows;
	unsigned char *live;       /* a bit a row; NULL: all rows are live */
};

/* What the transaction of a writer has not published yet. */
struct search_pending {
	struct search_indexer *indexer;
	int64_t from;               /* the first row whose words are in no file
				     * that is open; 0: none */
	struct search_segment *written; /* a file that the indexer writes */
	struct search_rows_writer rows;
	bool rows_open;
	int64_t base;               /* the first row that is new */
	struct search_gone {
		int64_t n;
		char *text;         /* of a row above from; else NULL */
		char *source, *meta;
		size_t text_n, source_n, meta_n;
	} *gone;                    /* rows that died, owned */
	size_t gone_n, gone_cap;
	int64_t *made, *old;        /* files, as number * SEARCH_FILE_KINDS +
				     * kind: removed if the transaction fails,
				     * or once it is done */
	size_t made_n, old_n;
};

struct search_index;
struct ai_span;
struct search_filter;

/* ---- segments.c: reading ---------------------------------------------------- */

/* Brings what is open in line with the transaction at hand.  AI_E_DATA: a file
 * is damaged, or not there. */
int search_files_load(struct search_index *ix, struct ai_err *err);
void search_files_release(struct search_files *f);
/* Opens the file of s, which has its kind and number. */
int search_segment_open(struct search_index *ix, struct search_segment *s,
			struct ai_err *err);
void search_segment_free(struct search_segment *s);
/* Appends; s is then the list's. */
int search_segments_put(struct search_segments *all, struct search_segment *s,
			struct ai_err *err);
/* The path of a file; the caller frees it. */
char *search_file_path(const struct search_index *ix,
		       enum search_file_kind kind, int64_t number);
/* The segment of words that has row n, or NULL. */
struct search_segment *search_words_of(const struct search_files *f, int64_t n);
/* The rows that f lets through and that are live, in *scope; NULL: all.
 * Borrowed from either. */
const struct search_filter *search_scope(const struct search_index *ix,
					 const struct search_filter *f,
					 struct search_filter *scope);

/* ---- publish.c: writing ----------------------------------------------------- */

/* Takes the words and the vector (NULL: none) of the new row n. */
int search_pending_add(struct search_index *ix, int64_t n, struct ai_span text,
		       struct ai_span source, struct ai_span meta,
		       const float *vector, struct ai_err *err);
/* The vector of a row that has none yet, behind all others that have one; zeros
 * are none. */
int search_pending_vector(struct search_index *ix, int64_t n, const float *v,
			  struct ai_err *err);
/* Row n is gone. */
int search_pending_remove(struct search_index *ix, int64_t n,
			  struct ai_span text, struct ai_span source,
			  struct ai_span meta, struct ai_err *err);
/* Row n's vector into v[dim], also of one that is pending; zeros if it has
 * none. */
int search_vector_of(struct search_index *ix, int64_t n, float *v,
		     struct ai_err *err);
/* Before the commit: everything is on the disk and named by index.db.
 * last: no more will come soon; small files are merged. */
int search_publish(struct search_index *ix, bool last, struct ai_err *err);
/* Whether the end of a writer has something to do. */
bool search_wants_tidying(const struct search_index *ix);
/* After the commit: removes what it replaced. */
void search_published(struct search_index *ix);
/* After a failure: removes what was made. */
void search_unpublish(struct search_index *ix);
void search_pending_release(struct search_index *ix);
/* With the lock: removes files that nobody will name again. */
void search_remove_orphans(struct search_index *ix);
/* Takes the number of a new file, to be removed if the transaction fails; the
 * caller frees the path. */
int search_new_file(struct search_index *ix, enum search_file_kind kind,
		    int64_t *number, char **path, struct ai_err *err);
/* The file goes once the transaction is done; number 0: there is none. */
int search_retire(struct search_index *ix, enum search_file_kind kind,
		  int64_t number, struct ai_err *err);
/* All vectors are forgotten and will be added again: another rows-N.f32. */
int search_new_rows(struct search_index *ix, struct ai_err *err);
/* Makes one file of each kind, without the dead. */
int search_compact_files(struct search_index *ix, struct ai_err *err);

#endif
