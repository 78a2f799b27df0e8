/* vectors.c: vectors as answers have them: numbers, or floats in base64. */
#include "model/wire.h"

#include "text/vector.h"

#include <math.h>
#include <stdlib.h>

/* Makes room for n vectors once the first has told the dimension. */
static int make_room(struct ai_embed_answer *a, size_t n, size_t dim,
		     size_t asked, struct ai_err *err)
{
	if (dim == 0 || dim > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_ANSWER,
				  "a vector of dimension %zu", dim);
	if (asked > 0 && dim != asked)
		return ai_err_set(err, AI_E_ANSWER,
				  "vectors of dimension %zu, asked for %zu",
				  dim, asked);
	a->vectors = calloc(n, dim * sizeof *a->vectors);
	if (a->vectors == NULL)
		return ai_err_nomem(err);
	a->n = n;
	a->dim = dim;
	return 0;
}

static size_t array_length(struct ai_value array)
{
	struct ai_json_iter it;
	struct ai_value x;
	size_t n = 0;

	ai_json_iter_init(&it, array);
	while (ai_json_next(&it, NULL, &x))
		n++;
	return n;
}

static int take_numbers(struct ai_value v, float *out, size_t dim,
			struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value x;
	size_t i = 0;
	double d;

	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &x)) {
		if (i == dim || ai_json_f64(x, &d) < 0 || !isfinite((float)d))
			return ai_err_set(err, AI_E_ANSWER,
					  "a vector with something else in it "
					  "than %zu numbers", dim);
		out[i++] = (float)d;
	}
	return i == dim ? 0 : ai_err_set(err, AI_E_ANSWER,
					 "vectors of dimensions %zu and %zu",
					 dim, i);
}

static int take_base64(struct ai_value v, float *out, size_t dim,
		       struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)AI_VECTOR_DIM_MAX * 6);
	struct ai_err why;
	size_t got = 0;
	int rc;

	ai_json_text(v, &b);
	rc = ai_buf_check(&b, "a vector", err);
	if (rc == 0 && (ai_vector_from_base64(ai_buf_cstr(&b), b.len, out, dim,
					      &got, &why) < 0 || got != dim))
		rc = ai_err_set(err, AI_E_ANSWER,
				"a vector that is not %zu floats in base64",
				dim);
	ai_buf_release(&b);
	return rc;
}

/* How many floats these base64 characters hold: JSON never escapes them,
 * except that some writers put "\/" for "/". */
static size_t base64_dim(struct ai_value v)
{
	size_t chars = 0;

	for (size_t i = 1; i + 1 < v.s.n; i++)
		chars += v.s.p[i] != '=' && v.s.p[i] != '\\';
	return chars * 3 / 4 / sizeof(float);
}

int ai_wire_vector(struct ai_value v, const struct ai_embed_request *q,
		   size_t at, struct ai_embed_answer *a, struct ai_err *err)
{
	size_t dim;

	if (v.kind != AI_STRING && v.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER,
				  "an embedding that is neither base64 nor "
				  "a list of numbers");
	if (a->vectors == NULL) {
		dim = v.kind == AI_STRING ? base64_dim(v) : array_length(v);
		if (make_room(a, q->n, dim, q->dim, err) < 0)
			return -1;
	}
	return (v.kind == AI_STRING ? take_base64 : take_numbers)(
		v, a->vectors + at * a->dim, a->dim, err);
}
