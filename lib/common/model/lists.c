/*
 * lists.c: the answers to what is not a chat: counts, lists of models, and
 * vectors, which are numbers or floats in base64.
 */
#include "model/wire.h"

#include "text/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ai_wire_get_count(const struct ai_wire *wire, const char *p, size_t n,
		      int64_t *tokens, struct ai_err *err)
{
	struct ai_value v;

	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	*tokens = ai_wire_count(v, wire->count);
	return *tokens >= 0 ? 0 : ai_err_set(err, AI_E_ANSWER, "the answer has "
					     "no count %s", wire->count);
}

/* The list at this path of an answer. */
static int get_list(const char *p, size_t n, const char *path,
		    struct ai_value *v, struct ai_value *list,
		    struct ai_err *err)
{
	if (ai_wire_object(p, n, v, err) < 0)
		return -1;
	*list = ai_json_get(*v, path);
	return list->kind == AI_ARRAY ? 0 :
		ai_err_set(err, AI_E_ANSWER, "the answer has no list \"%s\"",
			   path);
}

/* ---- models -------------------------------------------------------------- */

/* The next page, as the address names it. */
static void get_next(const struct ai_wire *wire, struct ai_value v,
		     struct ai_buf *next)
{
	struct ai_value name;

	ai_buf_clear(next);
	if (wire->models.next == NULL ||
	    (wire->models.more != NULL &&
	     !ai_json_true(ai_json_get(v, wire->models.more))))
		return;
	name = ai_json_get(v, wire->models.next);
	if (name.kind == AI_STRING)
		ai_json_text(name, next);
}

static struct ai_span without_prefix(struct ai_span name, const char *prefix)
{
	size_t n = prefix == NULL ? 0 : strlen(prefix);

	if (n > 0 && name.n > n && memcmp(name.p, prefix, n) == 0)
		return (struct ai_span){ name.p + n, name.n - n };
	return name;
}

/* The first of these that is a count.  What lists tell beside names has many
 * names: those of Gemini, Anthropic, Mistral, OpenRouter, Groq and vLLM. */
static int64_t first_count(struct ai_value v, const char *const *names)
{
	int64_t n = -1;

	while (n < 0 && *names != NULL)
		n = ai_wire_count(v, *names++);
	return n;
}

static struct ai_listed listed(const struct ai_wire *wire, struct ai_value v,
			       struct ai_span name)
{
	static const char *const contexts[] = {
		"context_length", "context_window", "max_context_length",
		"max_model_len", "inputTokenLimit", "max_input_tokens", NULL
	}, *const outputs[] = {
		"top_provider.max_completion_tokens", "max_completion_tokens",
		"outputTokenLimit", "max_tokens", NULL
	};

	return (struct ai_listed){ without_prefix(name, wire->models.prefix),
				   first_count(v, contexts),
				   first_count(v, outputs) };
}

int ai_wire_get_models(const struct ai_wire *wire, const char *p, size_t n,
		       ai_model_each *each, void *arg, struct ai_buf *next,
		       struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(256);
	struct ai_json_iter it;
	struct ai_value v, list, name;
	struct ai_listed m;
	int rc = 0;

	if (get_list(p, n, wire->models.list, &v, &list, err) < 0)
		return -1;
	get_next(wire, v, next);
	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v)) {
		ai_buf_clear(&text);
		name = ai_json_get(v, wire->models.name);
		if (name.kind != AI_STRING || ai_json_text(name, &text) < 0)
			continue;
		m = listed(wire, v, (struct ai_span){ ai_buf_cstr(&text),
						      text.len });
		rc = each(arg, &m, err);
	}
	ai_buf_release(&text);
	return rc;
}

/* ---- vectors ------------------------------------------------------------- */

/* Makes room for n vectors once the first has told the dimension. */
static int make_room(struct ai_embed_answer *a, size_t n, size_t dim,
		     size_t asked, struct ai_err *err)
{
	if (dim == 0 || dim > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_ANSWER,
				  "a vector of dimension %zu", dim);
	/* More than that is cut by who asked: not every model can. */
	if (dim < asked)
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

/* One vector of an answer.  The first tells the dimension, which the others must
 * have, and q if it asks for one. */
static int take_vector(struct ai_value v, const struct ai_embed_request *q,
		       size_t at, struct ai_embed_answer *a,
		       struct ai_err *err)
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

/* Where the vector belongs: its index, or its place where none is told. */
static int get_place(struct ai_value item, size_t order, bool *seen, size_t n,
		     size_t *at, struct ai_err *err)
{
	struct ai_value index = ai_json_get(item, "index");
	int64_t i = (int64_t)order;

	if (index.kind != AI_NONE && ai_json_i64(index, &i) < 0)
		i = -1;
	if (i < 0 || (uint64_t)i >= n)
		return ai_err_set(err, AI_E_ANSWER,
				  "an embedding with an index outside the "
				  "%zu texts", n);
	if (seen[i])
		return ai_err_set(err, AI_E_ANSWER,
				  "two embeddings for text %zu", (size_t)i);
	seen[i] = true;
	*at = (size_t)i;
	return 0;
}

static int get_vectors(struct ai_value list, const char *vector,
		       const struct ai_embed_request *q,
		       struct ai_embed_answer *a, struct ai_err *err)
{
	bool seen[AI_EMBED_TEXTS_MAX] = { false };
	struct ai_json_iter it;
	struct ai_value item;
	size_t order = 0, at = 0;

	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &item); order++)
		if (get_place(item, order, seen, q->n, &at, err) < 0 ||
		    take_vector(ai_json_get(item, vector), q, at, a,
				   err) < 0)
			return -1;
	return order == q->n ? 0 :
		ai_err_set(err, AI_E_ANSWER, "%zu embedding%s for %zu text%s",
			   order, order == 1 ? "" : "s", q->n,
			   q->n == 1 ? "" : "s");
}

int ai_wire_get_embed(const struct ai_wire *wire, const char *p, size_t n,
		      const struct ai_embed_request *q,
		      struct ai_embed_answer *a, struct ai_err *err)
{
	struct ai_value v, list;

	*a = (struct ai_embed_answer){ NULL, 0, 0, -1 };
	if (q->n == 0 || q->n > AI_EMBED_TEXTS_MAX)
		return ai_err_set(err, AI_E_BUG, "%zu texts at once", q->n);
	if (get_list(p, n, wire->embed.list, &v, &list, err) < 0)
		return -1;
	if (get_vectors(list, wire->embed.vector, q, a, err) < 0) {
		ai_embed_answer_release(a);
		return -1;
	}
	if (wire->embed.tokens != NULL)
		a->tokens = ai_wire_count(v, wire->embed.tokens);
	return 0;
}
