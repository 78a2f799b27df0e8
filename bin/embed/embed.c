/* embed.c: the members ai-embed adds, and its built-in model. */
#include "embed.h"

#include "text/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_MAX ((size_t)AI_VECTOR_DIM_MAX * 20)

struct embed_settings embed_settings;

static const char *path_of(const struct ai_rec *rec)
{
	if (ai_loop.path != NULL && *ai_loop.path != '\0')
		return ai_loop.path;
	return ai_rec_get(rec, "text").kind == AI_NONE &&
		ai_rec_get(rec, "query").kind == AI_STRING ? "query" : "text";
}

int embed_text(const struct ai_rec *rec, struct ai_buf *out,
	       struct ai_err *err)
{
	return ai_rec_text(rec, path_of(rec), out, err);
}

enum ai_input_type embed_input_type(const struct ai_rec *rec)
{
	switch ((enum embed_input)embed_settings.input) {
	case EMBED_NONE:
		return AI_INPUT_ANY;
	case EMBED_QUERY:
		return AI_INPUT_QUERY;
	case EMBED_DOCUMENT:
		return AI_INPUT_DOCUMENT;
	default:
		return strcmp(path_of(rec), "query") == 0 ? AI_INPUT_QUERY
							  : AI_INPUT_DOCUMENT;
	}
}

/* The shortest decimal that reads back as the same float. */
static void put_float(struct ai_buf *b, float v)
{
	char text[32];

	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)v);
		if (strtof(text, NULL) == v)
			break;
	}
	ai_put_raw(b, text, strlen(text));
}

static void put_vector(struct ai_buf *b, const float *v, size_t dim)
{
	if (!embed_settings.numbers) {
		ai_buf_chr(b, '"');
		ai_vector_encode((enum ai_vector_code)embed_settings.encoding,
				 v, dim, b);
		ai_buf_chr(b, '"');
		return;
	}
	ai_put_open(b, '[');
	for (size_t i = 0; i < dim; i++)
		put_float(b, v[i]);
	ai_put_close(b, ']');
}

static void put_embed(struct ai_buf *b, const struct embed_made *made,
		      size_t dim)
{
	enum ai_vector_code code =
		(enum ai_vector_code)embed_settings.encoding;

	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, made->model);
	ai_put_key(b, "dim");
	ai_put_i64(b, (int64_t)dim);
	if (made->cut_from > 0) {
		ai_put_key(b, "cut_from");
		ai_put_i64(b, (int64_t)made->cut_from);
	}
	ai_put_key(b, "norm");
	if (code == AI_VECTOR_F32 || code == AI_VECTOR_F16)
		ai_put_cstr(b, "l2");
	else
		ai_put_null(b);
	if (code != AI_VECTOR_F32) {
		ai_put_key(b, "encoding");
		ai_put_cstr(b, ai_vector_code_name(code));
	}
	if (made->input != NULL) {
		ai_put_key(b, "input_type");
		ai_put_cstr(b, made->input);
	}
	ai_put_key(b, "cached");
	ai_put_bool(b, made->cached);
	ai_put_close(b, '}');
}

/* Both members in one of another name, so that neither describes a vector
 * that it does not belong to. */
static int set_as(struct ai_rec *rec, const struct embed_made *made,
		  const float *v, size_t dim, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(MEMBER_MAX);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "embed");
	put_embed(&b, made, dim);
	ai_put_key(&b, "embedding");
	put_vector(&b, v, dim);
	ai_put_close(&b, '}');
	rc = ai_buf_check(&b, "the embedding", err);
	if (rc == 0)
		rc = ai_rec_set(rec, ai_loop.as, &b, err);
	ai_buf_release(&b);
	return rc;
}

static int set(struct ai_rec *rec, const struct embed_made *made,
	       const float *v, size_t dim, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(MEMBER_MAX);
	int rc;

	put_embed(&b, made, dim);
	rc = ai_rec_set(rec, "embed", &b, err);
	ai_buf_clear(&b);
	put_vector(&b, v, dim);
	if (rc == 0)
		rc = ai_buf_check(&b, "the embedding", err);
	if (rc == 0)
		rc = ai_rec_set(rec, "embedding", &b, err);
	ai_buf_release(&b);
	return rc;
}

int embed_set_made(struct ai_rec *rec, const struct embed_made *made, float *v,
		   size_t dim, struct ai_err *err)
{
	ai_vector_round((enum ai_vector_code)embed_settings.encoding, v, dim);
	return ai_loop.as != NULL ? set_as(rec, made, v, dim, err)
				  : set(rec, made, v, dim, err);
}

int embed_set(struct ai_rec *rec, float *v, size_t dim, struct ai_err *err)
{
	const struct embed_made made = { .model = embed_settings.model };

	return embed_set_made(rec, &made, v, dim, err);
}

/* ---- local/hash --------------------------------------------------------- */

struct local {
	struct ai_buf text;
	float vector[AI_VECTOR_HASH_DIM_MAX];
};

static int local_open(void **state, struct ai_err *err)
{
	struct local *l = calloc(1, sizeof *l);

	if (l == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&l->text, (size_t)ai_loop.max_line);
	*state = l;
	return 0;
}

static void local_close(void *state)
{
	struct local *l = state;

	ai_buf_release(&l->text);
	free(l);
}

static size_t local_dim(void)
{
	return embed_settings.dim > 0 ? (size_t)embed_settings.dim
				      : AI_VECTOR_HASH_DIM;
}

static int local_each(void *state, struct ai_rec *rec, struct ai_emit *out,
		      struct ai_err *err)
{
	struct local *l = state;

	ai_buf_clear(&l->text);
	if (embed_text(rec, &l->text, err) < 0 ||
	    ai_vector_hash(ai_buf_cstr(&l->text), l->text.len, local_dim(),
			   l->vector, err) < 0 ||
	    embed_set(rec, l->vector, local_dim(), err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

static int run_local(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = local_each, .open = local_open, .close = local_close,
	};
	size_t dim = local_dim();

	if (dim < AI_VECTOR_HASH_DIM_MIN || dim > AI_VECTOR_HASH_DIM_MAX)
		return ai_err_set(err, AI_E_USAGE,
				  "--dim: " EMBED_LOCAL " has dimensions from "
				  "%d to %d", AI_VECTOR_HASH_DIM_MIN,
				  AI_VECTOR_HASH_DIM_MAX);
	return ai_loop_run(&filter, argc, argv, err);
}

/* ---- which model -------------------------------------------------------- */

int embed_run(int argc, char **argv, struct ai_err *err)
{
	const char *model = embed_settings.model;

	if (strcmp(model, EMBED_LOCAL) == 0)
		return run_local(argc, argv, err);
	if (embed_is_fitted(model))
		return embed_fitted_run(argc, argv, err);
	if (strncmp(model, "local/", 6) == 0)
		return ai_err_set(err, AI_E_CONFIG,
				  "no model '%.100s': the built-in ones are "
				  EMBED_WORDS " and " EMBED_LOCAL, model);
	if (embed_is_static(model))
		return embed_static_run(argc, argv, err);
	if (embed_check_path(model, err) < 0)
		return -1;
	return embed_remote_run(argc, argv, err);
}
