/* embed.h: what the files of ai-embed share. */
#ifndef EMBED_H
#define EMBED_H

#include "base/opt.h"
#include "model/client.h"
#include "record/loop.h"

#define EMBED_LOCAL "local/hash"

/* What the options set. */
struct embed_settings {
	const char *model; /* -m */
	int64_t dim;       /* --dim; 0: as the model has it */
	int64_t batch;     /* --batch */
	bool numbers;      /* --numbers */
};
extern struct embed_settings embed_settings;

/* Runs the program; for ai_program.run. */
int embed_run(int argc, char **argv, struct ai_err *err);

/* Appends the text of a record that is to be embedded: the member at -p,
 * else text, else query. */
int embed_text(const struct ai_rec *rec, struct ai_buf *out,
	       struct ai_err *err);

/* Gives the record its embed and embedding, with --as both within one member
 * of that name; v[dim] must be normalised. */
int embed_set(struct ai_rec *rec, const float *v, size_t dim,
	      struct ai_err *err);

/*
 * Remote models: ai_filter's open, many and close.  embed_remote_init() comes
 * first, once.
 */
int embed_remote_init(struct ai_err *err);
void embed_remote_release(void);
int embed_remote_open(void **state, struct ai_err *err);
void embed_remote_close(void *state);
int embed_remote_many(void *state, struct ai_rec *const *recs, size_t n,
		      struct ai_emit *out, struct ai_err *err);

#endif
