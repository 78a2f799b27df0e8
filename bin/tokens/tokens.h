/* tokens.h: what the parts of ai-tokens share. */
#ifndef TOKENS_H
#define TOKENS_H

#include "record/loop.h"
#include "text/bpe.h"

/* What the command line sets. */
struct tokens_settings {
	int encoding;      /* index for ai_bpe_encoding_at() */
	const char *model; /* or NULL */
	bool encode, decode, special;
	bool exact;        /* --exact: the provider counts */
	int64_t truncate;  /* negative: no */
};
extern struct tokens_settings tokens_settings;

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

/* count.c: counts, encodes or truncates the text of one record. */
int tokens_count(struct tokens_worker *w, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err);
/* The member that -p names, else "text"; or the messages to be counted,
 * AI_NONE if there is a text instead. */
const char *tokens_path(void);
struct ai_value tokens_messages(const struct ai_rec *rec);
/* Writes the record with what was made of it: with -r as a line, else as the
 * member. */
int tokens_emit(struct ai_rec *rec, struct ai_buf *made, struct ai_emit *out,
		struct ai_err *err);

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
