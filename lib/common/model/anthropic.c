/*
 * anthropic.c: the wire format of Anthropic's /v1/messages, API version
 * 2023-06-01, which Ollama, llama.cpp and gateways speak too.  After the types
 * of its own SDK (@anthropic-ai/sdk 1.14.0; for temperature and top_p, which
 * the version 2026-10-21 dropped, those of 0.137.0).
 */
#include "model/turns.h"

#include <string.h>

/* The answer's limit has no default of the provider's. */
#define MAX_TOKENS_DEFAULT 4096

#define USAGE_MAX ((size_t)4096) /* ten times what one has */

/* ---- requests ----------------------------------------------------------- */

static void put_image(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "image");
	ai_put_key(b, "source");
	if (p->kind == AI_PART_IMAGE_URL) {
		ai_wire_put_type(b, "url");
		ai_wire_put_span(b, "url", p->text);
	} else {
		ai_wire_put_type(b, "base64");
		ai_wire_put_span(b, "media_type", p->type);
		ai_wire_put_span(b, "data", p->text);
	}
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

static int put_block(struct ai_buf *b, const struct ai_chat_request *q,
		     const struct ai_turn *t, size_t i, struct ai_err *err)
{
	const struct ai_part *p = &t->parts[i];

	(void)q;
	switch (p->kind) {
	case AI_PART_TEXT:
		ai_wire_put_type(b, "text");
		ai_wire_put_span(b, "text", p->text);
		break;
	case AI_PART_IMAGE_DATA:
	case AI_PART_IMAGE_URL:
		if (ai_part_no_detail(p, err) < 0)
			return -1;
		put_image(b, p);
		return 0;
	case AI_PART_CALL:
		ai_wire_put_type(b, "tool_use");
		ai_wire_put_span(b, "id", p->id);
		ai_wire_put_span(b, "name", p->name);
		ai_wire_put_json(b, "input", p->text);
		break;
	case AI_PART_RESULT:
		ai_wire_put_type(b, "tool_result");
		ai_wire_put_span(b, "tool_use_id", p->id);
		ai_wire_put_span(b, "content", p->text);
		break;
	}
	ai_put_close(b, '}');
	return 0;
}

static void put_system(struct ai_buf *b, struct ai_span text)
{
	ai_wire_put_span(b, "system", text);
}

static const struct ai_turns_form form = {
	.list = "messages", .assistant = "assistant", .parts = "content",
	.put = put_block, .put_system = put_system,
};

static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	ai_put_open(b, '{');
	ai_wire_put_value(b, "name", tool->name);
	ai_wire_put_value(b, "description", tool->description);
	ai_tool_put_schema(b, "input_schema", tool);
	if (ai_json_true(tool->strict))
		ai_wire_put_value(b, "strict", tool->strict);
	ai_put_close(b, '}');
}

static int put_tool_choice(struct ai_value v, struct ai_buf *b,
			   struct ai_err *err)
{
	static const char *const types[] = {
		[AI_CHOICE_AUTO] = "auto", [AI_CHOICE_NONE] = "none",
		[AI_CHOICE_ANY] = "any", [AI_CHOICE_NAMED] = "tool",
	};
	struct ai_tool_choice choice;

	if (v.kind == AI_NONE)
		return 0;
	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	ai_put_key(b, "tool_choice");
	ai_wire_put_type(b, types[choice.kind]);
	ai_wire_put_value(b, "name", choice.name);
	ai_put_close(b, '}');
	return 0;
}

static void put_output(const struct ai_chat_request *q, struct ai_buf *b)
{
	if (q->effort == NULL && q->schema.n == 0)
		return;
	ai_wire_put_in(b, "output_config", '{');
	ai_wire_put_cstr(b, "effort", q->effort);
	if (q->schema.n > 0) {
		ai_put_key(b, "format");
		ai_wire_put_type(b, "json_schema");
		ai_put_key(b, "schema");
		ai_schema_put(b, q->schema);
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

/* What is input: what counts. */
static int put_asked(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	if (ai_turns_put(q, &form, b, err) < 0 ||
	    ai_tools_put(q->tools, "tools", put_tool, b, err) < 0 ||
	    put_tool_choice(q->tool_choice, b, err) < 0)
		return -1;
	put_output(q, b);
	return 0;
}

static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	ai_wire_put_i64(b, "max_tokens", q->max_tokens == AI_CHAT_UNSET
			? MAX_TOKENS_DEFAULT : q->max_tokens);
	if (put_asked(q, b, err) < 0)
		return -1;
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "top_p", q->top_p);
	ai_wire_put_texts(b, "stop_sequences", q->stop, q->n_stop);
	if (q->stream)
		ai_wire_put_bool(b, "stream", true);
	ai_put_close(b, '}');
	return 0;
}

static int put_count(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	if (put_asked(q, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = {
	{ "end_turn", "stop" }, { "stop_sequence", "stop" },
	{ "max_tokens", "length" }, { "tool_use", "tool_calls" },
	{ "refusal", "content_filter" }, { NULL, NULL }
};

/* v: the message, or the delta of one. What there was of an answer before it
 * was refused stays its text; without any it is the explanation. */
static int get_end(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	struct ai_value reason = ai_json_get(v, "stop_reason");

	ai_wire_finish(reason, reasons, a);
	if (!ai_json_is(reason, AI_SPAN("refusal")))
		return 0;
	a->refusal = true;
	if (a->text.len > 0)
		return 0;
	return ai_wire_text(ai_json_get(v, "stop_details.explanation"), a,
			    err);
}

/* Writes the member again, unless it is null or over has another value. */
static void put_usage(struct ai_buf *b, struct ai_value key,
		      struct ai_value v, struct ai_value over)
{
	struct ai_span name = { key.s.p + 1, key.s.n - 2 };

	if (v.kind == AI_NULL || ai_json_member(over, name).kind > AI_NULL)
		return;
	ai_put_raw(b, key.s.p, key.s.n);
	ai_buf_chr(b, ':');
	ai_put_value(b, v);
}

/* Counts of a stream are cumulative, and come in two events: the last value
 * of each that is not null is what is billed. */
static void merge_usage(struct ai_value more, struct ai_chat_answer *a)
{
	struct ai_value old = { AI_NONE, { NULL, 0 } }, key, v;
	struct ai_buf b = AI_BUF_INIT(USAGE_MAX);
	struct ai_json_iter it;

	if (more.kind != AI_OBJECT)
		return;
	if (a->bill.len > 0)
		ai_json_check(a->bill.p, a->bill.len, &old, NULL);
	if (more.s.n > USAGE_MAX)
		b.bad = AI_E_TOO_LONG;
	ai_put_open(&b, '{');
	ai_json_iter_init(&it, old);
	while (old.kind == AI_OBJECT && ai_json_next(&it, &key, &v))
		put_usage(&b, key, v, more);
	ai_json_iter_init(&it, more);
	while (b.bad == AI_E_NONE && ai_json_next(&it, &key, &v))
		put_usage(&b, key, v, (struct ai_value){ AI_NONE });
	ai_put_close(&b, '}');
	/* Half a usage would be a wrong one; none at all is the worst case. */
	ai_buf_clear(&a->bill);
	if (b.bad == AI_E_NONE)
		ai_buf_add(&a->bill, b.p, b.len);
	ai_buf_release(&b);
}

/* A whole block, or what one begins with: then its input is {}, unless the
 * server has it ready. Thoughts and what the server's own tools do are no
 * part of the answer. */
static int get_block(struct ai_value v, int64_t index, bool whole,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_value type = ai_json_get(v, "type");
	struct ai_value input = ai_json_get(v, "input");
	struct ai_tool_call *call;

	if (ai_json_is(type, AI_SPAN("text")))
		return ai_wire_text(ai_json_get(v, "text"), a, err);
	if (!ai_json_is(type, AI_SPAN("tool_use")))
		return 0;
	call = ai_wire_call(v, "id", "name", index, a, err);
	if (call == NULL)
		return -1;
	if (!whole && ai_span_is(input.s, "{}"))
		return 0;
	if (ai_wire_arguments(input, call, err) < 0)
		return -1;
	return whole ? ai_wire_call_end(call, err) : 0;
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, content;
	struct ai_json_iter it;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	content = ai_json_get(v, "content");
	if (content.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no list \"content\"");
	ai_wire_copy(v, "model", a->model, sizeof a->model);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	ai_json_iter_init(&it, content);
	for (struct ai_value block; ai_json_next(&it, NULL, &block);)
		if (get_block(block, 0, true, a, err) < 0)
			return -1;
	return get_end(v, a, err);
}

/* ---- streams ------------------------------------------------------------ */

static int on_start(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	(void)err;
	ai_wire_copy(v, "message.model", a->model, sizeof a->model);
	merge_usage(ai_json_get(v, "message.usage"), a);
	return 0;
}

static int on_block(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	return get_block(ai_json_get(v, "content_block"),
			 ai_wire_count(v, "index"), false, a, err);
}

static int on_delta(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value type = ai_json_get(v, "delta.type");
	struct ai_tool_call *call;

	if (ai_json_is(type, AI_SPAN("text_delta")))
		return ai_wire_text(ai_json_get(v, "delta.text"), a, err);
	if (!ai_json_is(type, AI_SPAN("input_json_delta")))
		return 0;
	/* None: the block is a call of one of the server's own tools. */
	call = ai_chat_call_of(a, ai_wire_count(v, "index"));
	return call == NULL ? 0 : ai_wire_arguments(
		ai_json_get(v, "delta.partial_json"), call, err);
}

/* A tool without parameters is called without any piece of input. */
static int on_block_end(struct ai_value v, struct ai_chat_answer *a,
			struct ai_err *err)
{
	return ai_wire_call_end(ai_chat_call_of(a, ai_wire_count(v, "index")),
				err);
}

static int on_end(struct ai_value v, struct ai_chat_answer *a,
		  struct ai_err *err)
{
	merge_usage(ai_json_get(v, "usage"), a);
	return get_end(ai_json_get(v, "delta"), a, err);
}

static int on_stop(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	(void)v;
	(void)a;
	(void)err;
	return 1;
}

/* "ping", and what is still to come, says nothing of the answer. */
static const struct ai_wire_event events[] = {
	{ "message_start", on_start },
	{ "content_block_start", on_block },
	{ "content_block_delta", on_delta },
	{ "content_block_stop", on_block_end },
	{ "message_delta", on_end },
	{ "message_stop", on_stop },
	{ NULL, NULL }
};

/* ---- errors ------------------------------------------------------------- */

/* In a stream there is no other status than what the type stands for. */
static const struct ai_wire_status statuses[] = {
	{ "invalid_request_error", 400 }, { "authentication_error", 401 },
	{ "billing_error", 402 }, { "permission_error", 403 },
	{ "not_found_error", 404 }, { "conflict_error", 409 },
	{ "request_too_large", 413 }, { "rate_limit_error", 429 },
	{ "api_error", 500 }, { "timeout_error", 504 },
	{ "overloaded_error", 529 }, { NULL, 0 }
};

/* OpenAI's form, in which gateways answer too, and what it does not have. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	char code[sizeof e->code], type[64];
	struct ai_value v;
	long status;

	if (!ai_wire_openai.get_error(p, n, e))
		return false;
	ai_json_check(p, n, &v, NULL);
	ai_wire_copy(v, "error.details.error_code", code, sizeof code);
	if (code[0] != '\0')
		memcpy(e->code, code, sizeof code);
	ai_wire_copy(v, "error.type", type, sizeof type);
	status = ai_wire_status_of(statuses, type);
	if (status != 0)
		e->status = status;
	return true;
}

/* Each stands for itself: an endpoint may want another version. */
static const char *const headers[] = { "anthropic-version: 2023-06-01", NULL };

const struct ai_wire ai_wire_anthropic = {
	.name = "anthropic",
	.root = "/v1",
	.lacks = AI_CHAT_SEED,
	.efforts = "low, medium, high, xhigh, max",
	.schemas = AI_SCHEMA_CLOSED,
	.auth = AI_AUTH_X_API_KEY,
	.framing = AI_FRAMING_SSE,
	.headers = headers,
	.path = "/messages",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.events = events,
	.get_error = get_error,
	.count_path = "/messages/count_tokens",
	.put_count = put_count,
	.count = "input_tokens",
	/* By themselves they come in pages of 20. */
	.models = {
		.path = "/models?limit=1000", .list = "data", .name = "id",
		.next = "last_id", .more = "has_more", .page = "&after_id=",
	},
};
