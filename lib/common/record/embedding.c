#include "record/embedding.h"

#include "text/vector.h"
#include "text/vector_code.h"

#include <math.h>
#include <stdlib.h>

static int read_string(struct ai_value v, float **vec, size_t *dim,
		       struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT((size_t)AI_VECTOR_DIM_MAX * 6);
	int rc = -1;

	if (ai_json_text(v, &text) < 0) {
		ai_buf_check(&text, "an embedding", err);
		goto out;
	}
	*vec = malloc((text.len / 4 + 1) * sizeof(**vec));
	if (*vec == NULL)
		ai_err_nomem(err);
	else
		rc = ai_vector_from_base64(text.p, text.len, *vec,
					   AI_VECTOR_DIM_MAX, dim, err);
out:
	ai_buf_release(&text);
	return rc;
}

static int read_number(struct ai_value v, size_t i, float *out,
		       struct ai_err *err)
{
	double x;

	if (v.kind != AI_NUMBER || ai_json_f64(v, &x) < 0)
		return ai_err_set(err, AI_E_RECORD, "component %zu of an "
				  "embedding is not a number", i);
	*out = (float)x;
	if (!isfinite(*out))
		return ai_err_set(err, AI_E_RECORD, "component %zu of an "
				  "embedding is not finite", i);
	return 0;
}

static int read_array(struct ai_value v, float **vec, size_t *dim,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value x;
	size_t n = 0, i = 0;

	ai_json_iter_init(&it, v);
	while (n <= AI_VECTOR_DIM_MAX && ai_json_next(&it, NULL, &x))
		n++;
	if (n == 0)
		return ai_err_set(err, AI_E_RECORD, "an embedding is empty");
	if (n > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_RECORD, "an embedding has more "
				  "than %d dimensions", AI_VECTOR_DIM_MAX);
	*vec = malloc(n * sizeof(**vec));
	if (*vec == NULL)
		return ai_err_nomem(err);
	ai_json_iter_init(&it, v);
	for (; i < n && ai_json_next(&it, NULL, &x); i++)
		if (read_number(x, i, &(*vec)[i], err) < 0)
			return -1;
	*dim = n;
	return 0;
}

int ai_embedding_read(struct ai_value v, float **vec, size_t *dim,
		      struct ai_err *err)
{
	int rc;

	*vec = NULL;
	if (v.kind == AI_STRING)
		rc = read_string(v, vec, dim, err);
	else if (v.kind == AI_ARRAY)
		rc = read_array(v, vec, dim, err);
	else
		return ai_err_set(err, AI_E_RECORD, "the member 'embedding' "
				  "is neither base64 nor an array");
	if (rc == 0)
		return 0;
	free(*vec);
	*vec = NULL;
	return -1;
}

/* The encoding that embed names; -1: none that is known. */
static int code_of(struct ai_value embed)
{
	struct ai_value v = ai_json_get(embed, "encoding");
	struct ai_buf name = AI_BUF_INIT(16);
	int code = AI_VECTOR_F32;

	if (v.kind != AI_NONE && v.kind != AI_NULL) {
		code = -1;
		if (v.kind == AI_STRING && ai_json_text(v, &name) == 0)
			code = ai_vector_code_of((struct ai_span){
				ai_buf_cstr(&name), name.len });
	}
	ai_buf_release(&name);
	return code;
}

static int read_coded(struct ai_value v, enum ai_vector_code code,
		      int64_t want, float **vec, size_t *dim,
		      struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT((size_t)AI_VECTOR_DIM_MAX * 6);
	int rc = -1;

	*dim = (size_t)want;
	*vec = malloc(*dim * sizeof(**vec));
	if (*vec == NULL)
		ai_err_nomem(err);
	else if (ai_json_text(v, &text) < 0)
		ai_buf_check(&text, "an embedding", err);
	else
		rc = ai_vector_decode(code, ai_buf_cstr(&text), text.len, *vec,
				      *dim, err);
	ai_buf_release(&text);
	if (rc < 0) {
		free(*vec);
		*vec = NULL;
	}
	return rc;
}

int ai_embedding_read_as(struct ai_value v, struct ai_value embed,
			 float **vec, size_t *dim, struct ai_err *err)
{
	int code = embed.kind == AI_OBJECT && v.kind == AI_STRING
		? code_of(embed) : AI_VECTOR_F32;
	int64_t want = 0;

	*vec = NULL;
	if (code == AI_VECTOR_F32)
		return ai_embedding_read(v, vec, dim, err);
	if (code < 0)
		return ai_err_set(err, AI_E_RECORD, "an embedding of an "
				  "encoding that is not known; there are "
				  AI_VECTOR_CODES);
	if (ai_json_i64(ai_json_get(embed, "dim"), &want) < 0 || want < 1 ||
	    want > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_RECORD, "an embedding of the "
				  "encoding %s, and embed.dim is not its "
				  "dimension", ai_vector_code_name(
					  (enum ai_vector_code)code));
	return read_coded(v, (enum ai_vector_code)code, want, vec, dim, err);
}
