/* tokens.h: what the parts of ai-tokens share. */
#ifndef TOKENS_H
#define TOKENS_H

#include "model/estimate.h"
#include "record/loop.h"
#include "text/bpe.h"

/* What the command line sets. */
struct tokens_settings {
	const char *encoding; /* a name, or a tokenizer's file */
	const char *model; /* -m, or NULL */
	bool encode, decode;
	int special;       /* enum tokens_special */
	bool exact;        /* --exact: the provider counts */
	int64_t truncate;  /* negative: no */
	int keep;          /* enum tokens_keep */
	const char *mark;  /* --mark: where the middle was */
	const char *fit;   /* --fit: a model, or NULL */
	int64_t reserve;   /* --reserve; negative: as ai-complete has it */
	bool total;
	int64_t top;       /* 0: all records are written */
	const char *files_from;
};
extern struct tokens_settings tokens_settings;

enum tokens_special { TOKENS_TEXT, TOKENS_ALLOW, TOKENS_REFUSE };
enum tokens_keep { TOKENS_HEAD, TOKENS_TAIL, TOKENS_MIDDLE };

#define TOKENS_TEXT_MAX ((size_t)1 << 31)
#define TOKENS_ENCODINGS 8
#define TOKENS_BATCH 64 /* records, with --exact */

/* What one thread works with; buffers live from record to record. */
struct tokens_worker {
	struct ai_bpe *bpe;                    /* the encoding asked for */
	struct ai_bpe *open[TOKENS_ENCODINGS]; /* by index, as needed */
	struct ai_bpe_ids ids;
	struct ai_buf text, json, out;
};

int tokens_run(int argc, char **argv, struct ai_err *err);

/* The encoding of this name, opened for this thread when first asked for. */
int tokens_encoding(struct tokens_worker *w, const char *name,
		    struct ai_bpe **bpe, struct ai_err *err);
/* Whether the command line named one. */
bool tokens_encoding_given(void);
unsigned tokens_flags(void);
int tokens_worker_open(void **state, struct ai_err *err);
void tokens_worker_close(void *state);

/* ---- model.c: for whom is counted ------------------------------------------- */

struct tokens_model {
	const char *name;         /* of -m or --fit; NULL: neither */
	const char *encoding;     /* that is counted in */
	const struct ai_kin *kin; /* NULL: it is the model's own */
};
extern struct tokens_model tokens_model;
/* What the command line means; AI_E_CONFIG: no such model, or its context is
 * not known. */
int tokens_model_choose(struct ai_err *err);

/* Whether so much goes into the model of --fit, with room for the answer, and
 * how much of that there is. */
bool tokens_fit(size_t tokens, int64_t *left);
void tokens_fit_put(struct ai_buf *json, size_t tokens);

/* ---- count.c: counts, encodes or truncates the text of one record ------------ */

int tokens_count(struct tokens_worker *w, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err);
/* The member that -p names, else "text"; or the messages to be counted,
 * AI_NONE if there is a text instead. */
const char *tokens_path(void);
struct ai_value tokens_messages(const struct ai_rec *rec);
/* The tokens of a text, as the command line wants them counted. */
int tokens_range(const struct tokens_worker *w, const char *p, size_t n,
		 struct ai_range *r, struct ai_err *err);

/* What a record's answer is. */
struct tokens_answer {
	struct ai_range n;
	bool exact;
	bool cut;               /* by --truncate */
	struct ai_value member; /* JSON, without "ids" */
	struct ai_buf *made;    /* what is written: with -r a line, else JSON */
};
/* Writes the record with it, or keeps it for the end. */
int tokens_emit(struct ai_rec *rec, const struct tokens_answer *a,
		struct ai_emit *out, struct ai_err *err);

/* cut.c: --truncate.  What is left of w->text is in it; *before is what all of
 * it has, *cut whether anything was cut. */
int tokens_cut(struct tokens_worker *w, struct ai_range *now,
	       struct ai_range *before, bool *cut, struct ai_err *err);

/* special.c: AI_E_RECORD names the first special token of the text, which
 * begins at byte base of something. */
int tokens_refuse_special(struct tokens_worker *w, const char *p, size_t n,
			  uint64_t base, struct ai_err *err);

/* ---- sum.c: --total and --top ------------------------------------------------- */

/* Any thread.  rec NULL: a file, of this name (NULL: standard input). */
int tokens_sum_add(const struct ai_rec *rec, const char *file,
		   const struct tokens_answer *a, struct ai_err *err);
/* At the end: what is said of all. files: how many there were. */
int tokens_sum_write(unsigned long files, bool total, struct ai_err *err);

/* ---- files.c: -R -s -r, what wc does ------------------------------------------ */

/* Whether that is asked for. */
bool tokens_files_asked(void);
/* How wide the counts of these files are written. */
void tokens_files_width(int argc, char *const *argv);
/* "  12 name"; name NULL: the number alone. */
void tokens_files_put(struct ai_buf *b, size_t count, const char *name);
/* ai_filter.operand */
int tokens_file(void *state, const char *path, struct ai_emit *out,
		struct ai_err *err);
/* The exit status that those deserve that could not be counted, or 0. */
int tokens_files_status(void);

/* exact.c: ai_filter's open, many and close with --exact.  The check comes
 * first, once. */
int tokens_exact_check(struct ai_err *err);
int tokens_exact_open(void **state, struct ai_err *err);
int tokens_exact_many(void *state, struct ai_rec *const *recs, size_t n,
		      struct ai_emit *out, struct ai_err *err);
void tokens_exact_close(void *state);

/* decode.c: the other way round. */
int tokens_decode(struct tokens_worker *w, struct ai_rec *rec,
		  struct ai_emit *out, struct ai_err *err);

#endif
