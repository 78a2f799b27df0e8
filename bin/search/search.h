/*
 * search.h: what the parts of ai-search share.
 *
 * An index is a folder: an SQLite file with the documents and, beside it,
 * files of postings, codes and vectors (segments.h).  A document's row number
 * is its place everywhere: in the postings, the codes and the vectors, in the
 * tags that --where looks up.  Rows count up from 1 and none is used twice.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "analyzers.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/threads.h"
#include "filter.h"
#include "language.h"
#include "record/loop.h"
#include "record/rec.h"
#include "segments.h"
#include "store/db.h"
#include "text/fit.h"
#include "texts.h"

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_FORMAT 4          /* of the file, in its user_version */
#define SEARCH_LOCAL "local/hash"
#define SEARCH_OWN "local/own"   /* a model of the index itself: own.c */
#define SEARCH_NONE "none"       /* no vectors */
#define SEARCH_WORDS_FILE "words.emb" /* local/words, in the data folder */
/* Models that come along are weak: words weigh more, and a text without a word
 * is zeros. */
#define SEARCH_IS_LOCAL(model) (strncmp((model), "local/", 6) == 0)
#define SEARCH_DEPTH 1000        /* candidates a leg hands to the fusion */
#define SEARCH_CODES_DEPTH 200   /* the dense leg, where codes pick them */
#define SEARCH_CODES_RESCORE 5    /* rows scored for each of those */
#define SEARCH_TITLE_WEIGHT "3"
#define SEARCH_TEXT_MAX ((size_t)1 << 30)

enum search_mode { SEARCH_HYBRID, SEARCH_DENSE, SEARCH_SPARSE };
enum search_rule { SEARCH_AUTO, SEARCH_MINMAX, SEARCH_RRF };

/* What the options set (main.c). */
struct search_settings {
	const char *index, *model, *analyzer;
	int64_t title_weight;
	int64_t k;
	int mode, fusion;
	double mmr; /* 1: relevance alone */
	double min_dense, min_sparse, min_confidence;
	double weight; /* the dense leg's share; -1: the index's own */
	double rrf_k;
	int64_t per_source; /* 0: any number */
	const char *expand, *decay, *now; /* shape.h; NULL: not */
	int64_t expand_bytes;
	bool highlight, explain, smooth, feedback;
	double phrase_bonus;
	int format;          /* formats.h */
	const char *vectors; /* a .npy file, or NULL */
	struct ai_opt_list where;
	bool ack, partial, exact;
	double wait_s;
};
extern struct search_settings search;

/* ---- verb.c: what is to be done ------------------------------------------ */

enum search_verb {
	SEARCH_QUERY, SEARCH_ADD, SEARCH_DELETE, SEARCH_STATS, SEARCH_VERIFY,
	SEARCH_EXPORT, SEARCH_COMPACT,
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
	int64_t next;       /* the row that the next document gets */
	int64_t gone;       /* rows below next that no document has */
	int64_t generation; /* one more with each change */
	int64_t files;      /* the number of the next file */
	int64_t rows;       /* the number of rows-N.f32; 0: none yet */
	int64_t boost;      /* what a word of a title or heading counts */
	char analyzer[16];  /* analyze.h */
	int64_t own;        /* of SEARCH_OWN: enum search_own_state */
	int64_t fit;        /* the number of model-N.emb; 0: none */
	int64_t fitted;     /* documents when it was fitted */
};

/* What makes the vectors of SEARCH_OWN. */
enum search_own_state {
	SEARCH_OWN_NONE,   /* nothing yet */
	SEARCH_OWN_WORDS,  /* local/words */
	SEARCH_OWN_FITTED,
};
struct search_own {
	struct ai_fitted *model; /* NULL: not open yet */
	int64_t fit;             /* its number */
	size_t threads;          /* -j, or as many as there are processors */
	struct ai_fitted_work work[AI_THREADS_MAX];
	struct search_texts texts; /* that were added, without a vector yet */
};

/* The statements that are kept; their text stands in index.c. */
enum search_sql {
	SQL_INFO, SQL_SET_INFO,
	SQL_BY_ID, SQL_BY_N, SQL_INSERT, SQL_SET_RUN, SQL_DELETE,
	SQL_ALL, SQL_STALE, SQL_PARTS, SQL_PART, SQL_ID_OF, SQL_TEXT_OF,
	SQL_TEXTS, SQL_PATH_FIND, SQL_PATH_INSERT,
	SQL_TAGS_GET, SQL_TAGS_SET, SQL_TAGS_DELETE, SQL_TAGS_SCAN,
	SQL_TAGS_COUNT,
	SQL_SEGMENTS, SQL_SEGMENT_PUT, SQL_SEGMENT_DROP,
	SQL_GONE_ALL, SQL_GONE_GET, SQL_GONE_PUT, SQL_MEAN, SQL_MEAN_PUT,
	SQL_COUNT
};

/* What SQL_BY_N and SQL_ALL give. */
enum search_column {
	COL_ID, COL_VECTOR, COL_SOURCE, COL_CHUNK, COL_META,
	COL_TEXT, COL_N, COL_HASH, COL_URI, COL_DOC, COL_PART,
};

struct search_index {
	struct ai_db db;
	char *folder;
	struct search_info info;
	sqlite3_stmt *st[SQL_COUNT];
	struct search_files files;
	struct search_pending pending;
	bool writing;            /* the transaction does */
	bool swept;              /* orphans were removed */
	bool untidy;             /* small files are left to be merged */
	bool rescue;             /* of the files, only vectors are needed, and
				  * as many of them as there are */
	struct ai_analyzer *analyzer; /* that of info */
	struct search_own own;
	int64_t *sum;            /* of all vectors (mean.c); dim, owned */
	struct search_tags *tags; /* of tags.c; what is not in the file yet */
	struct ai_proc embedder; /* ai-embed, once a query needed it */
	unsigned long queries;   /* answered so far */
	double recall;           /* of the last dense leg, as measured */
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
/* Publishes what is pending (last: nothing more will come soon), writes info
 * back and commits; what went wrong is rolled back. */
int search_index_commit(struct search_index *ix, bool last,
			struct ai_err *err);
/* Whether another process waits for a transaction of its own. */
bool search_index_is_wanted(const struct search_index *ix);
/* After a failure: if err says that a file of the index is damaged, it also
 * says what to do.  Returns -1. */
int search_damaged(struct search_index *ix, struct ai_err *err);
/* A path as a JSON string; what is no UTF-8 as U+FFFD. */
void search_put_path(struct ai_buf *b, const char *path);
/* Opens the analyzer that info names. */
int search_index_analyzer(struct search_index *ix, struct ai_err *err);
/* Undoes the transaction, if one is open. */
void search_index_rollback(struct search_index *ix);

/* ---- fields.c: the texts of a document that are searched ------------------ */

struct search_fields {
	struct search_field v[3];
	size_t n;
	struct ai_buf title, heading;
};

/* The text, and what meta.title and source.heading say, which count boost
 * times.  Spans are borrowed.  Begins as zeros; release it also after a
 * failure. */
int search_fields_of(struct search_fields *f, int64_t boost,
		     struct ai_span text, struct ai_span source,
		     struct ai_span meta, struct ai_err *err);
void search_fields_release(struct search_fields *f);
/* How many words that is, as the postings count them (dl). */
int64_t search_fields_length(const struct search_fields *f,
			     const struct ai_analyzer *a);

/* ---- own.c: vectors that the index makes itself ------------------------------ */

bool search_is_own(const struct search_info *info);
void search_own_init(struct search_own *o);
void search_own_release(struct search_own *o);
/* The model; it is opened when it is needed. */
void search_own_forget(struct search_own *o);
/* Opens the model that was fitted, if there is one: a writer may remove it at
 * any time. */
int search_own_open(struct search_index *ix, struct ai_err *err);
/* A text's vector into v[dim]; zeros if the model knows no word of it.  The
 * index's own state must not be SEARCH_OWN_NONE. */
int search_own_embed(struct search_index *ix, struct ai_span text, float *v,
		     struct ai_err *err);
/* A new document's vector is to be made, of its text: before the transaction
 * ends, or with flush() before anything asks for it. */
int search_own_fold_in(struct search_index *ix, int64_t n, struct ai_span text,
		       struct ai_err *err);
int search_own_flush(struct search_index *ix, struct ai_err *err);
/* Whether document n may be one of those whose vectors are still to be made. */
bool search_own_awaits(const struct search_index *ix, int64_t n);
/* Whether there is a model to be fitted; last: the writer ends. */
bool search_own_is_due(const struct search_index *ix, bool last);
/* Fits it and makes all vectors anew, within the transaction. */
int search_own_fit(struct search_index *ix, struct ai_err *err);
/* Rule and weights that suit the index's model. */
void search_default_fusion(struct search_info *info);

/* ---- mean.c: the average of all vectors ------------------------------------- */

/*
 * The sum of all vectors in steps of 2^-36, so that it does not depend on
 * their order; kept in the index.  sign 1: v came, -1: it goes.
 */
int search_mean_add(struct search_index *ix, const float *v, int sign,
		    struct ai_err *err);
/* The average cosine of a query and the documents. */
int search_mean_cosine(struct search_index *ix, const float *query, double *out,
		       struct ai_err *err);
int search_mean_save(struct search_index *ix, struct ai_err *err);
/* The same for a sum of the caller's; whether v is not all zeros. */
bool search_mean_sum(int64_t *sum, const float *v, size_t dim, int sign);
/* Whether sum is the one that the index keeps.  AI_E_DATA: not. */
int search_mean_check(struct search_index *ix, const int64_t *sum,
		      struct ai_err *err);
/* At the begin of a transaction: it is read again when it is asked for. */
void search_mean_forget(struct search_index *ix);
/* Of no vectors, of the index's dimension. */
int search_mean_clear(struct search_index *ix, struct ai_err *err);

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

/* ---- tags.c, filter.c: metadata that --where can find --------------------- */

/* The tags of a document's source and metadata, made or removed: in the file
 * after search_tags_flush(), which each commit needs. */
int search_tags_put(struct search_index *ix, int64_t n, struct ai_span source,
		    struct ai_span meta, struct ai_err *err);
int search_tags_drop(struct search_index *ix, int64_t n, struct ai_span source,
		     struct ai_span meta, struct ai_err *err);
int search_tags_flush(struct search_index *ix, struct ai_err *err);
/* What was put and dropped since is not done. */
void search_tags_forget(struct search_index *ix);
void search_tags_release(struct search_index *ix);

/* Whether documents, which come in the order of their rows, have their tags;
 * and at the end, whether there are others. */
int search_tags_check(struct search_index *ix, int64_t n, struct ai_span source,
		      struct ai_span meta, struct ai_err *err);
int search_tags_check_end(struct search_index *ix, struct ai_err *err);

/* The documents that all of --where hold for. */
struct search_filter {
	unsigned char *bits; /* NULL: all */
	int64_t size;        /* rows that bits covers */
	int64_t count;
};
/* Whether each is an expression (filter.h). */
int search_filter_check(const struct ai_opt_list *where, struct ai_err *err);
int search_filter_init(struct search_filter *f, struct search_index *ix,
		       const struct ai_opt_list *where, struct ai_err *err);
void search_filter_release(struct search_filter *f);
static inline bool search_filter_has(const struct search_filter *f, int64_t n)
{
	if (f->bits == NULL)
		return true;
	return n >= 0 && n < f->size && (f->bits[n / 8] >> n % 8 & 1);
}

/* ---- asked.c: what a query asks for ------------------------------------------- */

/* Clauses that were not typed, behind those that there were. */
struct search_more {
	struct ai_terms terms;         /* the bytes of spans */
	struct search_clause *clauses; /* owned, as what follows */
	size_t n;
	struct ai_span *spans;
	uint32_t *positions;
};

struct search_asked {
	struct search_language language;
	struct search_more pairs, feedback; /* empty without the options */
	struct search_part *parts;
	struct search_words_query words; /* without bits and k */
	struct ai_buf text;              /* what is to be embedded */
};
/* query must stay; release it also after a failure. */
int search_asked_read(struct search_asked *a, struct search_index *ix,
		      struct ai_span query, struct ai_err *err);
void search_asked_release(struct search_asked *a);
/* Copies q's clauses, with room for more, of so many terms each. */
int search_more_init(struct search_more *m, const struct search_words_query *q,
		     size_t more, size_t each, struct ai_err *err);
void search_more_release(struct search_more *m);
/* pairs.c: words side by side as phrases of that weight. */
int search_pairs(struct search_asked *a, const struct ai_analyzer *analyzer,
		 double bonus, struct ai_err *err);
/* --where, the pairs KEY:VALUE, and words that must or must not be there. */
int search_asked_filter(const struct search_asked *a, struct search_index *ix,
			struct search_filter *f, struct ai_err *err);

/* ---- legs: sparse.c, dense.c, top.c --------------------------------------- */

/* The first member of whatever is sorted. */
struct search_key {
	double score; /* the higher the better */
	int64_t n;    /* the row */
};

struct search_hit {
	struct search_key key;
	double weight;    /* the leg's part in the confidence, 0 to 1 */
	int rank;         /* from 1; of equal scores that of the first */
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
 * equal ones by their documents' ids if one of them is among the first. */
int search_sort(void *items, size_t n, size_t size, size_t first,
		struct search_index *ix, struct ai_err *err);
/* Sorts and ranks. */
void search_top_finish(struct search_top *t);

int search_sparse(struct search_index *ix, const struct search_asked *asked,
		  const struct search_filter *f, struct search_top *top,
		  struct ai_err *err);
int search_dense(struct search_index *ix, const float *query,
		 const struct search_filter *f, struct search_top *top,
		 struct ai_err *err);

/* ---- fuse.c, smooth.c, mmr.c: one list out of two ----------------------------------- */

struct search_fused {
	struct search_key key;
	double confidence;
	double from_sparse, from_dense; /* the parts of the score */
	double smoothed; /* what --smooth added to them */
	double faded; /* what --decay left of the score, 1 or less */
	const struct search_hit *dense, *sparse; /* NULL: not in that leg */
};
/* From 0 to 1 (confidence.c), of what the two legs say of a hit; 0 for a leg
 * that did not find it. */
double search_confidence(enum search_mode mode, double covered, double near);

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
#define SEARCH_POOL 100 /* the best, which are compared with each other */

/* The vectors of the first n: the index's own, or where all documents have
 * none, those of local/hash.  The caller's; NULL: err. */
float *search_pool_vectors(struct search_index *ix,
			   const struct search_list *l, size_t n, size_t *dim,
			   struct ai_err *err);
#define SEARCH_FEEDBACK 5 /* hits whose words join the query */

/* feedback.c: adds words of the first of a sorted list to a, once. */
int search_feedback(struct search_asked *a, struct search_index *ix,
		    const struct search_list *l, struct ai_err *err);
/* Scores of the pool of a sorted list, which is not sorted then. */
int search_smooth(struct search_list *l, struct search_index *ix,
		  struct ai_err *err);
/* Puts the k best first, by relevance and by difference from those before:
 * maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998). */
int search_mmr(struct search_list *l, struct search_index *ix, size_t k,
	       double lambda, struct ai_err *err);

/* ---- hits.c: what comes out ----------------------------------------------- */

struct search_result {
	enum search_mode mode;
	enum search_rule rule;
	bool confident;
	double confidence; /* the largest of the hits' */
	const struct search_fused *v;
	size_t n;
	const struct search_asked *asked;
	const struct search_expansion *expanded; /* of each hit; or NULL */
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
int search_compact(int argc, char **argv, struct ai_err *err);

#endif
