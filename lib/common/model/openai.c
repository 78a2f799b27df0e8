/*
 * openai.c: the wire format of OpenAI's /v1/chat/completions and
 * /v1/embeddings, which most other servers speak too (llama.cpp, vLLM,
 * Ollama, OpenRouter, ...).  After OpenAI's published OpenAPI description
 * (info.version 2.3.0), against which tests/unit/model-openai checks the
 * requests.  Servers differ in the answers: an error's code may be a number,
 * the error a bare string, usage may be missing, content a list of parts.
 */
#include "model/wire.h"

#include "text/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests ----------------------------------------------------------- */

static void put_message(struct ai_buf *b, const struct ai_chat_message *m)
{
	if (m->role == NULL) {
		ai_put_value(b, m->raw);
		return;
	}
	ai_put_open(b, '{');
	ai_put_key(b, "role");
	ai_put_cstr(b, m->role);
	ai_put_key(b, "content");
	ai_put_str(b, m->text.p, m->text.n);
	ai_put_close(b, '}');
}

static void put_i64(struct ai_buf *b, const char *name, int64_t v)
{
	if (v == AI_CHAT_UNSET)
		return;
	ai_put_key(b, name);
	ai_put_i64(b, v);
}

static void put_f64(struct ai_buf *b, const char *name, double v)
{
	if (isnan(v))
		return;
	ai_put_key(b, name);
	ai_put_f64(b, v);
}

static void put_chat(const struct ai_chat_request *q, struct ai_buf *b)
{
	const char *limit = q->max_tokens_name;

	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, q->model);
	ai_put_key(b, "messages");
	ai_put_open(b, '[');
	for (size_t i = 0; i < q->n_messages; i++)
		put_message(b, &q->messages[i]);
	ai_put_close(b, ']');
	put_i64(b, limit != NULL ? limit : "max_completion_tokens",
		q->max_tokens);
	put_f64(b, "temperature", q->temperature);
	put_f64(b, "top_p", q->top_p);
	put_i64(b, "seed", q->seed);
	if (q->n_stop > 0) {
		ai_put_key(b, "stop");
		ai_put_open(b, '[');
		for (size_t i = 0; i < q->n_stop; i++)
			ai_put_str(b, q->stop[i].p, q->stop[i].n);
		ai_put_close(b, ']');
	}
	ai_put_close(b, '}');
}

/* base64 is a quarter of the bytes of numbers; who ignores the wish answers
 * with numbers, which get_embed() takes as well. */
static void put_embed(const struct ai_embed_request *q, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, q->model);
	ai_put_key(b, "input");
	ai_put_open(b, '[');
	for (size_t i = 0; i < q->n; i++)
		ai_put_str(b, q->texts[i].p, q->texts[i].n);
	ai_put_close(b, ']');
	ai_put_key(b, "encoding_format");
	ai_put_cstr(b, "base64");
	if (q->dim > 0) {
		ai_put_key(b, "dimensions");
		ai_put_i64(b, (int64_t)q->dim);
	}
	ai_put_close(b, '}');
}

/* ---- answers: what both share ------------------------------------------- */

static int parse(const char *p, size_t n, struct ai_value *v,
		 struct ai_err *err)
{
	struct ai_err why;

	if (ai_json_check(p, n, v, &why) < 0)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer is not JSON: %.300s", why.msg);
	if (v->kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer is not a JSON object");
	return 0;
}

/* The decoded string at the path, cleaned, or "". */
static void copy_text(struct ai_value v, const char *path, char *out,
		      size_t size)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	struct ai_value s = ai_json_get(v, path);

	out[0] = '\0';
	if (s.kind == AI_STRING && ai_json_text(s, &b) == 0)
		ai_wire_clean((struct ai_span){ ai_buf_cstr(&b), b.len }, out,
			      size);
	ai_buf_release(&b);
}

/* A count that makes sense, or -1. */
static int64_t count(struct ai_value v, const char *path)
{
	int64_t n;

	return ai_json_i64(ai_json_get(v, path), &n) == 0 && n >= 0 ? n : -1;
}

/* ---- chat --------------------------------------------------------------- */

/* content: a string, null, or a list of parts of which the texts count. */
static int get_content(struct ai_value v, struct ai_buf *text,
		       struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part;

	if (v.kind == AI_STRING) {
		ai_json_text(v, text);
	} else if (v.kind == AI_ARRAY) {
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &part)) {
			part = ai_json_get(part, "text");
			if (part.kind == AI_STRING)
				ai_json_text(part, text);
		}
	} else if (v.kind != AI_NULL && v.kind != AI_NONE) {
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer's content is not text");
	}
	return ai_buf_check(text, "the answer's text", err);
}

static void get_usage(struct ai_value v, struct ai_usage *u)
{
	u->input = count(v, "usage.prompt_tokens");
	u->output = count(v, "usage.completion_tokens");
	u->cached_read = count(v, "usage.prompt_tokens_details.cached_tokens");
	u->cache_write =
		count(v, "usage.prompt_tokens_details.cache_write_tokens");
	u->reasoning =
		count(v, "usage.completion_tokens_details.reasoning_tokens");
	/* Who tells of tokens at all and not of these has none of them. */
	if (u->input >= 0 && u->cached_read < 0)
		u->cached_read = 0;
	if (u->input >= 0 && u->cache_write < 0)
		u->cache_write = 0;
	if (u->output >= 0 && u->reasoning < 0)
		u->reasoning = 0;
}

/* function_call is the older form. */
static void get_tool(struct ai_value message, struct ai_chat_answer *a)
{
	copy_text(message, "tool_calls.0.function.name", a->tool,
		  sizeof a->tool);
	if (a->tool[0] == '\0')
		copy_text(message, "function_call.name", a->tool,
			  sizeof a->tool);
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, message, refusal;

	ai_buf_clear(&a->text);
	if (parse(p, n, &v, err) < 0)
		return -1;
	message = ai_json_get(v, "choices.0.message");
	if (message.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no choices.0.message");
	copy_text(v, "model", a->model, sizeof a->model);
	copy_text(v, "choices.0.finish_reason", a->finish_reason,
		  sizeof a->finish_reason);
	get_usage(v, &a->usage);
	refusal = ai_json_get(message, "refusal");
	a->refusal = refusal.kind == AI_STRING && refusal.s.n > 2;
	get_tool(message, a);
	return get_content(a->refusal ? refusal :
			   ai_json_get(message, "content"), &a->text, err);
}

/* ---- embeddings --------------------------------------------------------- */

/* Makes room for n vectors once the first has told the dimension. */
static int embed_shape(struct ai_embed_answer *a, size_t n, size_t dim,
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

static int vector_numbers(struct ai_value v, float *out, size_t dim,
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

static int vector_base64(struct ai_value v, float *out, size_t dim,
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

static int get_vector(struct ai_value v, const struct ai_embed_request *q,
		      size_t at, struct ai_embed_answer *a, struct ai_err *err)
{
	size_t dim;

	if (v.kind != AI_STRING && v.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER,
				  "an embedding that is neither base64 nor "
				  "a list of numbers");
	if (a->vectors == NULL) {
		dim = v.kind == AI_STRING ? base64_dim(v) : array_length(v);
		if (embed_shape(a, q->n, dim, q->dim, err) < 0)
			return -1;
	}
	return (v.kind == AI_STRING ? vector_base64 : vector_numbers)(
		v, a->vectors + at * a->dim, a->dim, err);
}

/* Where the element belongs: its index, or its place where none is told. */
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

static int get_vectors(struct ai_value data, const struct ai_embed_request *q,
		       struct ai_embed_answer *a, struct ai_err *err)
{
	bool seen[AI_EMBED_TEXTS_MAX] = { false };
	struct ai_json_iter it;
	struct ai_value item;
	size_t order = 0, at = 0;

	ai_json_iter_init(&it, data);
	for (; ai_json_next(&it, NULL, &item); order++) {
		if (get_place(item, order, seen, q->n, &at, err) < 0 ||
		    get_vector(ai_json_get(item, "embedding"), q, at, a,
			       err) < 0)
			return -1;
	}
	return order == q->n ? 0 :
		ai_err_set(err, AI_E_ANSWER, "%zu embeddings for %zu texts",
			   order, q->n);
}

static int get_embed(const char *p, size_t n, const struct ai_embed_request *q,
		     struct ai_embed_answer *a, struct ai_err *err)
{
	struct ai_value v, data;

	*a = (struct ai_embed_answer){ NULL, 0, 0, -1 };
	if (q->n == 0 || q->n > AI_EMBED_TEXTS_MAX)
		return ai_err_set(err, AI_E_BUG, "%zu texts at once", q->n);
	if (parse(p, n, &v, err) < 0)
		return -1;
	data = ai_json_get(v, "data");
	if (data.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no list \"data\"");
	if (get_vectors(data, q, a, err) < 0) {
		ai_embed_answer_release(a);
		return -1;
	}
	a->tokens = count(v, "usage.prompt_tokens");
	return 0;
}

/* ---- errors ------------------------------------------------------------- */

/* The first of these that is a string is the message. */
static const char *const message_paths[] = {
	"error.message", "error", "message", "detail", "error.error",
};

static void get_status(struct ai_value v, struct ai_wire_error *e)
{
	int64_t n;

	if (ai_json_i64(ai_json_get(v, "error.code"), &n) == 0 && n >= 400 &&
	    n <= 599)
		e->status = (long)n;
}

static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	struct ai_value v, error;

	memset(e, 0, sizeof *e);
	if (ai_json_check(p, n, &v, NULL) < 0)
		return false;
	/* An error in a list of one, as some gateways send it. */
	if (v.kind == AI_ARRAY)
		v = ai_json_get(v, "0");
	if (v.kind != AI_OBJECT)
		return false;
	for (size_t i = 0; i < sizeof message_paths / sizeof *message_paths &&
			   e->message[0] == '\0'; i++)
		copy_text(v, message_paths[i], e->message, sizeof e->message);
	copy_text(v, "error.code", e->code, sizeof e->code);
	if (e->code[0] == '\0')
		copy_text(v, "error.type", e->code, sizeof e->code);
	copy_text(v, "error.param", e->param, sizeof e->param);
	get_status(v, e);
	error = ai_json_get(v, "error");
	return error.kind == AI_OBJECT || error.kind == AI_STRING;
}

const struct ai_wire ai_wire_openai = {
	.name = "openai",
	.chat_path = "/chat/completions",
	.embed_path = "/embeddings",
	.auth = "Authorization: Bearer ",
	.put_chat = put_chat,
	.put_embed = put_embed,
	.get_chat = get_chat,
	.get_embed = get_embed,
	.get_error = get_error,
};
