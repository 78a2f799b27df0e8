/*
 * search.h: what the parts of ai-search share.
 *
 * An index is a folder with one SQLite file in it.  A document's row number
 * is its place everywhere: in FTS5's postings, in the blocks of lengths and
 * of vectors, in the tags that --where looks up.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/proc.h"
#include "record/loop.h"
#include "record/rec.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_FORMAT 2          /* of the file, in its user_version */
#define SEARCH_LOCAL "local/hash"
#define SEARCH_DEPTH 1000        /* candidates a leg hands to the fusion */
#define SEARCH_TEXT_MAX ((size_t)1 << 30)
#define SEARCH_TERMS_MAX 256     /* distinct terms of one query */

enum search_mode { SEARCH_HYBRID, SEARCH_DENSE, SEARCH_SPARSE };
enum search_rule { SEARCH_AUTO, SEARCH_MINMAX, SEARCH_RRF };

/* What the options set (main.c). */
struct search_settings {
	const char *index, *model;
	int64_t k;
	int mode, fusion;
	double mmr; /* 1: relevance alone */
	double min_dense, min_sparse, min_confidence;
	struct ai_opt_list where;
	bool ack, partial;
	double wait_s;
};
extern struct search_settings search;

/* ---- verb.c: what is to be done ------------------------------------------ */

enum search_verb {
	SEARCH_QUERY, SEARCH_ADD, SEARCH_DELETE, SEARCH_STATS, SEARCH_VERIFY,
	SEARCH_EXPORT,
};

/*
 * Takes the verb off the operands; SEARCH_QUERY without one.  AI_E_USAGE: a
 * mistyped verb, or an option was given that is nothing to this verb.
 */
int search_verb(const struct ai_verb *verbs, int *argc, char ***argv,
		struct ai_err *err);

/* ---- index.c: the folder and its file ------------------------------------ */

/* The one row of table info. */
struct search_info {
	int64_t documents, vectors, tokens;
	char model[200];   /* "": none named */
	int64_t dim;       /* 0: no vectors yet */
	enum search_rule rule;
	double sparse_weight, dense_weight;
};

/* The statements that are kept; their text stands in index.c. */
enum search_sql {
	SQL_INFO, SQL_SET_INFO,
	SQL_BY_ID, SQL_BY_N, SQL_INSERT, SQL_SET_RUN, SQL_DELETE, SQL_ANY_IN,
	SQL_ALL, SQL_STALE, SQL_PARTS, SQL_ID_OF, SQL_TEXT_OF,
	SQL_FTS_INSERT, SQL_FTS_DELETE,
	SQL_LABEL_INSERT, SQL_TAG_INSERT, SQL_TAG_DELETE, SQL_TAG_FIND, SQL_LAST,
	SQL_OCCURRENCES,
	SQL_LENGTHS, SQL_VECTORS,
	SQL_TAG_HAS, SQL_TAG_COUNT,
	SQL_COUNT
};

/* What SQL_BY_N and SQL_ALL give. */
enum search_column {
	COL_ID, COL_TOKENS, COL_VECTOR, COL_SOURCE, COL_CHUNK, COL_META,
	COL_TEXT, COL_N, COL_HASH, COL_URI, COL_DOC, COL_PART,
};

struct search_tokenizer; /* terms.c */

struct search_index {
	struct ai_db db;
	char *folder;
	struct search_info info;
	sqlite3_stmt *st[SQL_COUNT];
	struct search_tokenizer *tokenizer;
	struct ai_proc embedder; /* ai-embed, once a query needed it */
	unsigned long queries;   /* answered so far */
};

extern const char *const search_sql[SQL_COUNT];

/* ai_db_bind() on a kept statement. */
#define SEARCH_BIND(ix, sql, err, ...)                                         \
	ai_db_bind(&(ix)->db, &(ix)->st[sql], search_sql[sql], err, __VA_ARGS__)

/* Opens the index of the settings; AI_DB_CREATE makes it if need be. */
int search_index_open(struct search_index *ix, enum ai_db_mode mode,
		      struct ai_err *err);
void search_index_close(struct search_index *ix);
/* A transaction with a fresh info; a reader sees one state until its end. */
int search_index_begin(struct search_index *ix, bool write,
		       struct ai_err *err);
/* Writes info back and commits; what went wrong is rolled back. */
int search_index_commit(struct search_index *ix, struct ai_err *err);

/* ---- terms.c: FTS5's tokenizer ------------------------------------------- */

/* The words of a query after stemming; how often each stands in it. */
struct search_term {
	char *text;
	size_t n;
	int count;
};
struct search_terms {
	struct search_term *v;
	size_t n;
};

int search_tokenizer_open(struct search_index *ix, struct ai_err *err);
void search_tokenizer_close(struct search_index *ix);
/* How many terms FTS5 will index for this text. */
int search_count_terms(struct search_index *ix, struct ai_span text,
		       int64_t *count, struct ai_err *err);
/* The distinct terms of a query without its stop words; all of them if it
 * has nothing else.  Release them also after a failure. */
int search_terms_of(struct search_index *ix, struct ai_span query,
		    struct search_terms *terms, struct ai_err *err);
void search_terms_release(struct search_terms *terms);

/* ---- blocks.c: fixed-size items in rows of many -------------------------- */

struct search_blocks {
	const char *table;
	size_t item; /* bytes */
	int64_t per; /* items in a block */
};

struct search_blocks search_lengths(void);
struct search_blocks search_vectors(int64_t dim);
/* Writes item n, making its block if need be. */
int search_blocks_put(struct search_index *ix, struct search_blocks b,
		      int64_t n, const void *item, struct ai_err *err);
/* Reads item n; zeros if its block is not there. */
int search_blocks_get(struct search_index *ix, struct search_blocks b,
		      int64_t n, void *item, struct ai_err *err);
/* Forgets the block that n lies in, once no document is left in it. */
int search_blocks_prune(struct search_index *ix, struct search_blocks b,
			int64_t n, struct ai_err *err);

/*
 * An id as the record has it.  5 and "5" are two: a number is kept as the
 * blob of its digits, which equals no text.
 */
struct search_id {
	struct ai_span s;
	bool number;
};

/* As JSON; the column of a statement or of a record. */
void search_put_id(struct ai_buf *b, struct search_id id);
struct search_id search_id_at(sqlite3_stmt *st, int column);

/* ---- document.c: what is kept of a record -------------------------------- */

struct search_document {
	struct ai_buf id, text;
	bool id_number;
	struct ai_buf uri, doc; /* the file, its version; may be empty */
	struct ai_buf meta;               /* an object, or empty */
	struct ai_span source, chunk;     /* JSON of the record; p may be NULL */
	int64_t of, part;                 /* chunk.of and .n; -1 */
	bool exact;                       /* doc says where it was cut */
	int64_t run;                      /* of its version; set by who adds */
	bool empty;                       /* a file without passages: no text */
	float *vector;                    /* of length 1, or NULL */
	size_t dim;
	char model[200];
	unsigned char hash[16];           /* of all of it */
};

void search_document_init(struct search_document *d);
void search_document_release(struct search_document *d);
/* Reads a record; embeds it if the index does that itself. */
int search_document_read(struct search_document *d, const struct ai_rec *rec,
			 const struct search_info *info, struct ai_err *err);
/* A record's `embedding`, scaled to length 1, and the model it names; *vec is
 * NULL if it has none, else the caller's.  AI_E_DATA: not the index's model
 * or dimension; the message names both. */
int search_read_embedding(const struct ai_rec *rec,
			  const struct search_info *info, char model[200],
			  float **vec, size_t *dim, struct ai_err *err);
int search_check_model(const struct search_info *info, const char *model,
		       size_t dim, struct ai_err *err);
/* The same by local/hash. */
int search_embed_locally(struct ai_span text, const struct search_info *info,
			 float **vec, size_t *dim, struct ai_err *err);
/* The fingerprint: equal if and only if nothing changed. */
void search_document_hash(struct search_document *d);
/* Whether a row (SQL_BY_N, SQL_ALL) still has the fingerprint that it was
 * stored with; v (room for one vector) gets its vector.  AI_E_DATA: not. */
int search_check_row(struct search_index *ix, sqlite3_stmt *st, float *v,
		     struct ai_err *err);
struct search_id search_document_id(const struct search_document *d);
/* The payload's member, -p or "text". */
const char *search_path(void);
/* Whether a member belongs to the toolkit and so is no metadata. */
bool search_is_member(struct ai_value key);

/* ---- store.c: putting documents in and taking them out ------------------- */

/* Adds or replaces; *changed is false if it was there just so. */
int search_store(struct search_index *ix, const struct search_document *d,
		 bool *changed, struct ai_err *err);
int search_remove(struct search_index *ix, int64_t n, struct ai_err *err);
/* Removes the document with this id; *found says whether there was one. */
int search_remove_id(struct search_index *ix, struct search_id id, bool *found,
		     struct ai_err *err);

/*
 * Which version of a file its passages belong to: that of these bytes, cut so
 * (doc).  Where doc does not say all (a chunker that tells not where it cut, or
 * passages left out on purpose), run is the number of the run that brought
 * them, which makes those that did not come again another version; else 0.
 */
struct search_version {
	struct ai_span uri, doc;
	int64_t run;
};
/* Whether there are passages of another version of this file; the row of one
 * of them, or 0. */
int search_find_stale(struct search_index *ix, struct search_version v,
		      int64_t *n, struct ai_err *err);
/* Removes them all. */
int search_remove_stale(struct search_index *ix, struct search_version v,
			struct ai_err *err);
/* How many different ones of the passages 0 to of-1 are there. */
int search_count_parts(struct search_index *ix, struct search_version v,
		       int64_t of, int64_t *count, struct ai_err *err);

/* ---- replace.c: files that came in another version ------------------------- */

#define SEARCH_BUCKETS 1024

/* Those whose old passages are still there; begins as zeros. */
struct search_replacements {
	struct search_replacement *v[SEARCH_BUCKETS];
};
/* Before and after a record is stored.  Of two versions of a file in one
 * input the later stays: the earlier one's turn to replace others is before
 * its first record. */
int search_replace_before(struct search_replacements *all,
			  struct search_index *ix,
			  const struct search_document *d, struct ai_err *err);
int search_replace_after(struct search_replacements *all,
			 struct search_index *ix,
			 const struct search_document *d, struct ai_err *err);
/* Before each commit: those that are complete lose their old passages. */
int search_replace_ready(struct search_replacements *all,
			 struct search_index *ix, struct ai_err *err);
bool search_replace_any(const struct search_replacements *all);
/* At the end of the input: also those that need not be complete.  The others
 * keep both versions; messages name them. */
int search_replace_end(struct search_replacements *all,
		       struct search_index *ix, int64_t *incomplete,
		       struct ai_err *err);
void search_replace_release(struct search_replacements *all);

/* ---- tags.c: metadata that --where can find ------------------------------- */

/* The tags of a document's source and metadata, made or removed. */
int search_tags_put(struct search_index *ix, int64_t n, struct ai_span source,
		    struct ai_span meta, struct ai_err *err);
int search_tags_drop(struct search_index *ix, int64_t n, struct ai_span source,
		     struct ai_span meta, struct ai_err *err);

/* Whether a document has all its tags; their number is added to *count. */
int search_tags_check(struct search_index *ix, int64_t n, struct ai_span source,
		      struct ai_span meta, int64_t *count, struct ai_err *err);

/* The documents that all of --where hold for. */
struct search_filter {
	unsigned char *bits; /* NULL: all */
	int64_t size;        /* rows that bits covers */
	int64_t count;
};
/* Whether each is KEY=VALUE, which search_filter_init() relies on. */
int search_filter_check(const struct ai_opt_list *where, struct ai_err *err);
int search_filter_init(struct search_filter *f, struct search_index *ix,
		       const struct ai_opt_list *where, struct ai_err *err);
void search_filter_release(struct search_filter *f);
bool search_filter_has(const struct search_filter *f, int64_t n);

/* ---- legs: sparse.c, dense.c, top.c --------------------------------------- */

/* The first member of whatever is sorted. */
struct search_key {
	double score; /* the higher the better */
	int64_t n;    /* the row */
};

struct search_hit {
	struct search_key key;
	double weight;    /* the leg's part in the confidence, 0 to 1 */
	int rank;         /* from 1 */
};

/* The best of a leg: a heap while it is filled, then sorted. */
struct search_top {
	struct search_hit *v;
	size_t n, cap;
};
int search_top_init(struct search_top *t, size_t cap, struct ai_err *err);
void search_top_release(struct search_top *t);
void search_top_push(struct search_top *t, struct search_hit h);
/* Sorts n items of that size, which begin with a search_key: best first,
 * equal ones by their documents' ids. */
int search_sort(void *items, size_t n, size_t size, struct search_index *ix,
		struct ai_err *err);
/* Sorts and ranks. */
int search_top_finish(struct search_top *t, struct search_index *ix,
		      struct ai_err *err);

/* Lucene's BM25: idf of a term, and what tf occurrences of it in a document
 * of that length add, idf left out. */
double search_idf(int64_t documents, int64_t with_term);
double search_bm25(double tf, double length, double average);

int search_sparse(struct search_index *ix, struct ai_span query,
		  const struct search_filter *f, struct search_top *top,
		  struct ai_err *err);
int search_dense(struct search_index *ix, const float *query,
		 const struct search_filter *f, struct search_top *top,
		 struct ai_err *err);

/* ---- fuse.c, mmr.c: one list out of two ----------------------------------- */

struct search_fused {
	struct search_key key;
	double confidence;
	const struct search_hit *dense, *sparse; /* NULL: not in that leg */
};
struct search_list {
	struct search_fused *v;
	size_t n;
};

/*
 * The documents of both legs by their fused scores, not sorted yet; hits are
 * borrowed.  With one leg its scores stay as they are.
 */
int search_fuse(const struct search_top *dense, const struct search_top *sparse,
		enum search_mode mode, enum search_rule rule,
		const struct search_info *info, struct search_list *out,
		struct ai_err *err);
void search_list_release(struct search_list *l);
/* Puts the k best first, by relevance and by difference from those before:
 * maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998). */
int search_mmr(struct search_list *l, struct search_index *ix, size_t k,
	       double lambda, struct ai_err *err);

/* ---- hits.c: what comes out ----------------------------------------------- */

struct search_result {
	enum search_mode mode;
	enum search_rule rule;
	bool confident;
	const struct search_fused *v;
	size_t n;
};
int search_emit(struct search_index *ix, struct ai_rec *rec,
		const struct search_result *r, struct ai_emit *out,
		struct ai_err *err);

/* One record on standard output. */
int search_write(const struct ai_buf *b, struct ai_err *err);

/* ---- the verbs ------------------------------------------------------------ */

int search_add(int argc, char **argv, struct ai_err *err);
int search_query(int argc, char **argv, struct ai_err *err);
int search_delete(int argc, char **argv, struct ai_err *err);
int search_stats(int argc, char **argv, struct ai_err *err);
int search_verify(int argc, char **argv, struct ai_err *err);
int search_export(int argc, char **argv, struct ai_err *err);

#endif
