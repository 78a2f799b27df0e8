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
	int64_t truncate;  /* negative: no */
};
extern struct tokens_settings tokens_settings;

#define TOKENS_TEXT_MAX ((size_t)1 << 31)
#define TOKENS_ENCODINGS 8

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
/* decode.c: the other way round. */
int tokens_decode(struct tokens_worker *w, struct ai_rec *rec,
		  struct ai_emit *out, struct ai_err *err);

#endif
