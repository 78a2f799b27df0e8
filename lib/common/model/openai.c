/*
 * openai.c: the wire format of OpenAI's /v1/chat/completions and
 * /v1/embeddings, which most other servers speak too (llama.cpp, vLLM,
 * Ollama, OpenRouter, ...).  After OpenAI's published OpenAPI description
 * (info.version 2.3.0), against which tests/unit/model-openai checks the
 * requests.  Servers differ in the answers: an error's code may be a number,
 * the error a bare string, usage may be missing, content a list of parts.
 *
 * Mistral's is the same but for the names of some members, and is given none
 * that its own SDK does not have (mistralai/client-python 05629d2).
 */
#include "model/wire.h"

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

static void put_schema(struct ai_buf *b, struct ai_span schema)
{
	if (schema.n == 0)
		return;
	ai_put_key(b, "response_format");
	ai_wire_put_type(b, "json_schema");
	ai_wire_put_in(b, "json_schema", '{');
	ai_wire_put_schema(b, schema);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* Without being asked, the last chunk of a stream does not tell the usage. */
static void put_stream(struct ai_buf *b, bool tells_usage)
{
	ai_wire_put_bool(b, "stream", true);
	if (tells_usage)
		return;
	ai_wire_put_in(b, "stream_options", '{');
	ai_wire_put_bool(b, "include_usage", true);
	ai_put_close(b, '}');
}

/* What differs in requests. */
struct dialect {
	const char *limit, *seed, *required;
	bool tells_usage; /* in a stream, without being asked */
};

static void put_tool_choice(struct ai_buf *b, struct ai_value v,
			    const char *required)
{
	if (ai_json_is(v, AI_SPAN("required")))
		ai_wire_put_cstr(b, "tool_choice", required);
	else
		ai_wire_put_value(b, "tool_choice", v);
}

static int put_dialect(const struct ai_chat_request *q,
		       const struct dialect *d, struct ai_buf *b)
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
	ai_wire_put_i64(b, limit != NULL ? limit : d->limit, q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "top_p", q->top_p);
	ai_wire_put_i64(b, d->seed, q->seed);
	ai_wire_put_texts(b, "stop", q->stop, q->n_stop);
	ai_wire_put_cstr(b, "reasoning_effort", q->effort);
	ai_wire_put_value(b, "tools", q->tools);
	put_tool_choice(b, q->tool_choice, d->required);
	put_schema(b, q->schema);
	if (q->stream)
		put_stream(b, d->tells_usage);
	ai_put_close(b, '}');
	return 0;
}

static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	static const struct dialect d = { "max_completion_tokens", "seed",
					  "required", false };

	(void)err;
	return put_dialect(q, &d, b);
}

static int put_chat_mistral(const struct ai_chat_request *q, struct ai_buf *b,
			    struct ai_err *err)
{
	static const struct dialect d = { "max_tokens", "random_seed", "any",
					  true };

	(void)err;
	return put_dialect(q, &d, b);
}

/* base64 is a quarter of the bytes of numbers; who ignores the wish answers
 * with numbers, which get_embed() takes as well. */
static void put_texts(const struct ai_embed_request *q, const char *input,
		      const char *dimensions, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, q->model);
	ai_put_key(b, input);
	ai_put_open(b, '[');
	for (size_t i = 0; i < q->n; i++)
		ai_put_str(b, q->texts[i].p, q->texts[i].n);
	ai_put_close(b, ']');
	ai_put_key(b, "encoding_format");
	ai_put_cstr(b, "base64");
	if (q->dim > 0) {
		ai_put_key(b, dimensions);
		ai_put_i64(b, (int64_t)q->dim);
	}
	ai_put_close(b, '}');
}

static void put_embed(const struct ai_embed_request *q, struct ai_buf *b)
{
	put_texts(q, "input", "dimensions", b);
}

static void put_embed_mistral(const struct ai_embed_request *q,
			      struct ai_buf *b)
{
	put_texts(q, "inputs", "output_dimension", b);
}

/* ---- chat --------------------------------------------------------------- */

static int get_call(struct ai_value v, size_t i, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call(a, i, err);

	if (call == NULL || ai_wire_call_id(v, "id", call, err) < 0 ||
	    ai_wire_signature(ai_json_get(v, AI_SIGNATURE), call, err) < 0)
		return -1;
	if (ai_json_get(v, "function").kind == AI_OBJECT)
		v = ai_json_get(v, "function");
	if (call->name[0] == '\0')
		ai_wire_copy(v, "name", call->name, sizeof call->name);
	return ai_wire_arguments(ai_json_get(v, "arguments"), call, err);
}

/* A whole list of calls, or pieces of some (then each has its index);
 * function_call is the older form. */
static int get_calls(struct ai_value message, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_value v = ai_json_get(message, "tool_calls");
	struct ai_json_iter it;
	int64_t at;

	ai_json_iter_init(&it, v);
	for (int64_t i = 0; ai_json_next(&it, NULL, &v); i++) {
		at = ai_wire_count(v, "index");
		if (get_call(v, (size_t)(at < 0 ? i : at), a, err) < 0)
			return -1;
	}
	v = ai_json_get(message, "function_call");
	return v.kind == AI_OBJECT ? get_call(v, 0, a, err) : 0;
}

/* The text, or why there is none; of a message or of a piece of one. */
static int get_said(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	if (ai_wire_refusal(ai_json_get(v, "refusal"), a, err) < 0)
		return -1;
	return ai_wire_content(ai_json_get(v, "content"), a, err);
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, choices, model, usage, message, reason;
	const struct ai_json_want top[] = {
		{ AI_SPAN("choices"), &choices }, { AI_SPAN("model"), &model },
		{ AI_SPAN("usage"), &usage },
	}, choice[] = {
		{ AI_SPAN("message"), &message },
		{ AI_SPAN("finish_reason"), &reason },
	};

	ai_chat_answer_clear(a);
	if (ai_wire_members(p, n, &v, top, sizeof top / sizeof *top, err) < 0)
		return -1;
	ai_json_members(ai_json_get(choices, "0"), choice,
			sizeof choice / sizeof *choice);
	if (message.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no choices.0.message");
	ai_wire_copy(model, "", a->model, sizeof a->model);
	ai_wire_copy(reason, "", a->finish_reason, sizeof a->finish_reason);
	ai_wire_bill(usage, a);
	if (get_calls(message, a, err) < 0 || ai_wire_calls_end(a, err) < 0)
		return -1;
	return get_said(message, a, err);
}

/* A chunk: pieces of text and of calls; the usage comes in one of its own,
 * behind the finish_reason.  "[DONE]" need not come. */
static int get_event(struct ai_span name, struct ai_span data,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_value v, delta, reason;

	(void)name;
	if (ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	if (a->model[0] == '\0')
		ai_wire_copy(v, "model", a->model, sizeof a->model);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	delta = ai_json_get(v, "choices.0.delta");
	if (delta.kind == AI_OBJECT && (get_calls(delta, a, err) < 0 ||
					get_said(delta, a, err) < 0))
		return -1;
	reason = ai_json_get(v, "choices.0.finish_reason");
	if (reason.kind != AI_STRING)
		return 0;
	ai_wire_copy(reason, "", a->finish_reason, sizeof a->finish_reason);
	return ai_wire_calls_end(a, err);
}

/* ---- errors ------------------------------------------------------------- */

/* The first of these that is a string is the message. */
static const char *const message_paths[] = {
	"error.message", "error", "message", "detail", "error.error",
	"detail.0.msg",
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
	struct ai_value v, error, message, detail;
	const struct ai_json_want top[] = {
		{ AI_SPAN("error"), &error }, { AI_SPAN("message"), &message },
		{ AI_SPAN("detail"), &detail },
	};

	memset(e, 0, sizeof *e);
	/* Every good answer is looked at: that must not take long. */
	if (ai_json_check_members(p, n, &v, top, sizeof top / sizeof *top,
				  NULL) < 0)
		return false;
	/* An error in a list of one, as some gateways send it. */
	if (v.kind == AI_ARRAY) {
		v = ai_json_get(v, "0");
		ai_json_members(v, top, sizeof top / sizeof *top);
	}
	if (error.kind == AI_NONE && message.kind == AI_NONE &&
	    detail.kind == AI_NONE)
		return false;
	for (size_t i = 0; i < sizeof message_paths / sizeof *message_paths &&
			   e->message[0] == '\0'; i++)
		ai_wire_copy(v, message_paths[i], e->message, sizeof e->message);
	ai_wire_copy(v, "error.code", e->code, sizeof e->code);
	if (e->code[0] == '\0')
		ai_wire_copy(v, "error.type", e->code, sizeof e->code);
	ai_wire_copy(v, "error.param", e->param, sizeof e->param);
	get_status(v, e);
	return error.kind == AI_OBJECT || error.kind == AI_STRING;
}

/* What both have. */
#define COMMON(most)                                                  \
	.root = "/v1", .auth = AI_AUTH_BEARER,                         \
	.framing = AI_FRAMING_SSE, .path = "/chat/completions",        \
	.get_chat = get_chat, .get_event = get_event,                  \
	.get_error = get_error,                                        \
	.models = { .path = "/models", .list = "data", .name = "id" }, \
	.embed = {                                                     \
		.path = "/embeddings", .max_tokens = (most),           \
		.list = "data",                                        \
		.vector = "embedding", .usage = "usage",               \
		.tokens = "usage.prompt_tokens",                       \
	}

/* So many tokens of vectors at once, as their guides have it. */
const struct ai_wire ai_wire_openai = {
	COMMON(300000),
	.name = "openai",
	.put_chat = put_chat,
	.put_embed = put_embed,
};

const struct ai_wire ai_wire_mistral = {
	COMMON(16000),
	.name = "mistral",
	.put_chat = put_chat_mistral,
	.put_embed = put_embed_mistral,
};
