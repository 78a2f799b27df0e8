/* embed.h: what the files of ai-embed share. */
#ifndef EMBED_H
#define EMBED_H

#include "base/opt.h"
#include "model/client.h"
#include "record/loop.h"
#include "text/vector_code.h"

#define EMBED_LOCAL "local/hash"
#define EMBED_WORDS "local/words" /* the default */

/* --input-type, in the order of its choices. */
enum embed_input {
	EMBED_AUTO, /* a query where the text is the member `query` */
	EMBED_DOCUMENT,
	EMBED_QUERY,
	EMBED_NONE, /* the model is told nothing */
};
#define EMBED_INPUTS "auto|document|query|none"

/* What the options set. */
struct embed_settings {
	const char *model; /* -m */
	int64_t dim;       /* --dim; 0: as the model has it */
	int64_t batch;     /* --batch */
	int input;         /* --input-type */
	int encoding;      /* --encoding: enum ai_vector_code */
	bool numbers;      /* --numbers */
};
extern struct embed_settings embed_settings;

/* What the verb fit has besides. */
struct embed_fit_settings {
	const char *output; /* -o */
};
extern struct embed_fit_settings embed_fit_settings;

/* Runs the program; for ai_program.run. */
int embed_run(int argc, char **argv, struct ai_err *err);

/* Appends the text of a record that is to be embedded: the member at -p,
 * else text, else query. */
int embed_text(const struct ai_rec *rec, struct ai_buf *out,
	       struct ai_err *err);
/* What the text of the record is to its model. */
enum ai_input_type embed_input_type(const struct ai_rec *rec);

/* What embed says of a vector beside its dimension. */
struct embed_made {
	const char *model;
	const char *input; /* "query"; NULL: the model was told nothing */
	size_t cut_from;   /* dimensions it had before; 0: these */
	bool cached;
};

/* Gives the record its embed and embedding, with --as both within one member
 * of that name; v[dim] must be normalised, and is rounded as --encoding has
 * it. */
int embed_set_made(struct ai_rec *rec, const struct embed_made *made, float *v,
		   size_t dim, struct ai_err *err);
/* The same of a vector of the model that is set. */
int embed_set(struct ai_rec *rec, float *v, size_t dim, struct ai_err *err);

/* remote.c: models of providers, over the network. */
int embed_remote_run(int argc, char **argv, struct ai_err *err);

/* static.c: whether this names a file or a folder with a static model; and
 * runs the program with it. */
bool embed_is_static(const char *model);
int embed_static_run(int argc, char **argv, struct ai_err *err);
/* A name of none of the models above: -1 if it is the path of something that is
 * no model, or that cannot be read. */
int embed_check_path(const char *name, struct ai_err *err);

/* fit.c: whether this is local/words or names the file of a model that was
 * fitted; runs the program with it; the verb fit, which makes one. */
bool embed_is_fitted(const char *model);
int embed_fitted_run(int argc, char **argv, struct ai_err *err);
int embed_fit_run(int argc, char **argv, struct ai_err *err);

#endif
