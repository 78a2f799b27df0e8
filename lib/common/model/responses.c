/*
 * responses.c: the wire format of OpenAI's /v1/responses.  After OpenAI's
 * published OpenAPI description (info.version 2.3.0), against which
 * tests/unit/model-schema checks the requests.  What is said is a list of
 * items: messages, calls of tools and their results each are one.
 */
#include "model/turns.h"

#include <stdio.h>
#include <string.h>

/* ---- items -------------------------------------------------------------- */

static void put_image(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "input_image");
	ai_wire_put_span(b, "detail", p->detail.n > 0 ? p->detail
						      : AI_SPAN("auto"));
	ai_part_put_url(b, "image_url", p);
	ai_put_close(b, '}');
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "function_call");
	ai_wire_put_span(b, "call_id", p->id);
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_span(b, "arguments", p->text);
	ai_put_close(b, '}');
}

static void put_result(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "function_call_output");
	ai_wire_put_span(b, "call_id", p->id);
	ai_wire_put_span(b, "output", p->text);
	ai_put_close(b, '}');
}

/* What the assistant said is one message a text: parts of the type
 * output_text belong to messages that have an id, which is not known here. */
static void put_said(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "message");
	ai_wire_put_cstr(b, "role", "assistant");
	ai_wire_put_span(b, "content", p->text);
	ai_put_close(b, '}');
}

static int put_assistant(struct ai_buf *b, const struct ai_turn *t,
			 struct ai_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct ai_part *p = &t->parts[i];

		if (p->kind == AI_PART_TEXT)
			put_said(b, p);
		else if (p->kind == AI_PART_CALL)
			put_call(b, p);
		else
			return ai_err_set(err, AI_E_RECORD, "the assistant "
					  "cannot show pictures here");
	}
	return 0;
}

static void put_input(struct ai_buf *b, const struct ai_part *p)
{
	if (p->kind != AI_PART_TEXT) {
		put_image(b, p);
		return;
	}
	ai_wire_put_type(b, "input_text");
	ai_wire_put_span(b, "text", p->text);
	ai_put_close(b, '}');
}

/* Results, which stand first, are items of their own. */
static void put_user(struct ai_buf *b, const struct ai_turn *t)
{
	size_t i = 0;

	for (; i < t->n && t->parts[i].kind == AI_PART_RESULT; i++)
		put_result(b, &t->parts[i]);
	if (i == t->n)
		return;
	ai_wire_put_type(b, "message");
	ai_wire_put_cstr(b, "role", "user");
	ai_wire_put_in(b, "content", '[');
	for (; i < t->n; i++)
		put_input(b, &t->parts[i]);
	ai_put_close(b, ']');
	ai_put_close(b, '}');
}

/* Calls and results find each other by their ids alone. */
static int check_ids(const struct ai_turns *t, struct ai_err *err)
{
	for (size_t i = 0; i < t->n_parts; i++) {
		const struct ai_part *p = &t->parts[i];

		if ((p->kind == AI_PART_CALL || p->kind == AI_PART_RESULT) &&
		    p->id.n == 0)
			return ai_err_set(err, AI_E_RECORD, "a tool's call or "
					  "answer that has no id");
	}
	return 0;
}

static int put_items(struct ai_buf *b, const struct ai_turns *t,
		     struct ai_err *err)
{
	if (check_ids(t, err) < 0)
		return -1;
	ai_wire_put_in(b, "input", '[');
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].role == AI_ROLE_USER)
			put_user(b, &t->v[i]);
		else if (put_assistant(b, &t->v[i], err) < 0)
			return -1;
	}
	ai_put_close(b, ']');
	return 0;
}

static void put_system(struct ai_buf *b, struct ai_span text)
{
	ai_wire_put_span(b, "instructions", text);
}

static const struct ai_turns_form form = {
	.put_all = put_items, .put_system = put_system,
};

/* ---- tools -------------------------------------------------------------- */

/* Strict is what a tool is here unless it says otherwise, and in OpenAI's
 * chat only if it says so. */
static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	ai_wire_put_type(b, "function");
	ai_wire_put_value(b, "name", tool->name);
	ai_wire_put_value(b, "description", tool->description);
	ai_tool_put_schema(b, "parameters", tool);
	ai_wire_put_bool(b, "strict", ai_json_true(tool->strict));
	ai_put_close(b, '}');
}

static int put_tool_choice(struct ai_value v, struct ai_buf *b,
			   struct ai_err *err)
{
	struct ai_tool_choice choice;

	if (v.kind == AI_NONE)
		return 0;
	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	ai_put_key(b, "tool_choice");
	if (choice.kind != AI_CHOICE_NAMED) {
		ai_put_value(b, v);
		return 0;
	}
	ai_wire_put_type(b, "function");
	ai_wire_put_value(b, "name", choice.name);
	ai_put_close(b, '}');
	return 0;
}

/* ---- requests ----------------------------------------------------------- */

static void put_effort(struct ai_buf *b, const char *effort)
{
	if (effort == NULL)
		return;
	ai_wire_put_in(b, "reasoning", '{');
	ai_wire_put_cstr(b, "effort", effort);
	ai_put_close(b, '}');
}

static void put_schema(struct ai_buf *b, struct ai_span schema)
{
	if (schema.n == 0)
		return;
	ai_wire_put_in(b, "text", '{');
	ai_put_key(b, "format");
	ai_wire_put_type(b, "json_schema");
	ai_wire_put_schema(b, schema);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* What is input. */
static int put_asked(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_wire_put_cstr(b, "model", q->model);
	if (ai_turns_put(q, &form, b, err) < 0 ||
	    ai_tools_put(q->tools, "tools", put_tool, b, err) < 0 ||
	    put_tool_choice(q->tool_choice, b, err) < 0)
		return -1;
	put_effort(b, q->effort);
	put_schema(b, q->schema);
	return 0;
}

/* Unless told not to, OpenAI keeps what is said. */
static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	if (put_asked(q, b, err) < 0)
		return -1;
	ai_wire_put_i64(b, "max_output_tokens", q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "top_p", q->top_p);
	ai_wire_put_bool(b, "store", false);
	if (q->stream)
		ai_wire_put_bool(b, "stream", true);
	ai_put_close(b, '}');
	return 0;
}

static int put_count(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_put_open(b, '{');
	if (put_asked(q, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = {
	{ "completed", "stop" }, { "max_output_tokens", "length" },
	{ NULL, NULL }
};

/* A call: whole, or as it begins in a stream. */
static int get_call(struct ai_value v, int64_t index, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_tool_call *call = ai_wire_call(v, "call_id", "name", index,
						 a, err);

	return call == NULL ? -1 : ai_wire_arguments(ai_json_get(v, "arguments"), call, err);
}

/* Reasoning and what the server's own tools did is no part of the answer. */
static int get_item(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value type = ai_json_get(v, "type");

	if (ai_json_is(type, AI_SPAN("message")))
		return ai_wire_content(ai_json_get(v, "content"), a, err);
	if (!ai_json_is(type, AI_SPAN("function_call")))
		return 0;
	if (get_call(v, -1, a, err) < 0)
		return -1;
	return ai_wire_call_end(ai_chat_call_of(a, -1), err);
}

static int get_output(struct ai_value list, struct ai_chat_answer *a,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (get_item(v, a, err) < 0)
			return -1;
	return 0;
}

/* The response itself, once it has ended. */
static void get_end(struct ai_value v, struct ai_chat_answer *a)
{
	ai_wire_copy(v, "model", a->model, sizeof a->model);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	ai_wire_finish(ai_json_get(v, "status"), reasons, a);
	ai_wire_finish(ai_json_get(v, "incomplete_details.reason"), reasons,
		       a);
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, output;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	output = ai_json_get(v, "output");
	if (output.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no list \"output\"");
	if (get_output(output, a, err) < 0)
		return -1;
	get_end(v, a);
	return 0;
}

/* ---- streams ------------------------------------------------------------ */

static int on_text(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	return ai_wire_text(ai_json_get(v, "delta"), a, err);
}

static int on_refusal(struct ai_value v, struct ai_chat_answer *a,
		      struct ai_err *err)
{
	return ai_wire_refusal(ai_json_get(v, "delta"), a, err);
}

static bool is_call(struct ai_value item)
{
	return ai_json_is(ai_json_get(item, "type"),
			  AI_SPAN("function_call"));
}

static int on_item(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	struct ai_value item = ai_json_get(v, "item");

	return !is_call(item) ? 0 :
		get_call(item, ai_wire_count(v, "output_index"), a, err);
}

static int on_arguments(struct ai_value v, struct ai_chat_answer *a,
			struct ai_err *err)
{
	return ai_wire_call_add(ai_json_get(v, "delta"),
				ai_wire_count(v, "output_index"), a, err);
}

/* The item again, whole: some servers send a call's arguments only here. */
static int on_item_end(struct ai_value v, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	int64_t index = ai_wire_count(v, "output_index");
	struct ai_value item = ai_json_get(v, "item");
	struct ai_tool_call *call;

	if (!is_call(item))
		return 0;
	call = ai_chat_call_of(a, index);
	if (call == NULL) {
		if (get_call(item, index, a, err) < 0)
			return -1;
		call = ai_chat_call_of(a, index);
	} else if (call->arguments.len == 0 &&
		   ai_wire_arguments(ai_json_get(item, "arguments"), call,
				     err) < 0) {
		return -1;
	}
	return ai_wire_call_end(call, err);
}

/* The whole response: its output is news only where no piece of it came. */
static int on_end(struct ai_value v, struct ai_chat_answer *a,
		  struct ai_err *err)
{
	struct ai_value response = ai_json_get(v, "response");

	if (response.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the end of a stream without a response");
	if (a->text.len == 0 && a->n_calls == 0 &&
	    get_output(ai_json_get(response, "output"), a, err) < 0)
		return -1;
	get_end(response, a);
	return 1;
}

/* What is not in the table repeats what these said, or tells of progress. */
static const struct ai_wire_event events[] = {
	{ "response.output_text.delta", on_text },
	{ "response.refusal.delta", on_refusal },
	{ "response.output_item.added", on_item },
	{ "response.function_call_arguments.delta", on_arguments },
	{ "response.output_item.done", on_item_end },
	{ "response.completed", on_end },
	{ "response.incomplete", on_end },
	{ NULL, NULL }
};

/* ---- errors ------------------------------------------------------------- */

/* A response that failed, and what comes in a stream, have no other status
 * than what the code stands for. */
static const struct ai_wire_status statuses[] = {
	{ "server_error", 500 }, { "rate_limit_exceeded", 429 },
	{ "insufficient_quota", 429 }, { "vector_store_timeout", 504 },
	{ "invalid_prompt", 400 }, { "bio_policy", 400 },
	{ NULL, 0 }
};

static void take_error(struct ai_value error, struct ai_wire_error *e)
{
	ai_wire_copy(error, "message", e->message, sizeof e->message);
	ai_wire_copy(error, "code", e->code, sizeof e->code);
	ai_wire_copy(error, "param", e->param, sizeof e->param);
}

/* OpenAI's error stands in the body, in a response that failed (alone, or in
 * the event that says so), or is the event itself. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	struct ai_value v, error;
	bool said = ai_wire_openai.get_error(p, n, e);

	if (!said && ai_json_check(p, n, &v, NULL) == 0 &&
	    v.kind == AI_OBJECT) {
		error = ai_json_get(v, "response.error");
		if (ai_json_is(ai_json_get(v, "type"), AI_SPAN("error")))
			error = v;
		said = error.kind == AI_OBJECT;
		if (said)
			take_error(error, e);
	}
	if (said && e->status == 0)
		e->status = ai_wire_status_of(statuses, e->code);
	return said;
}

const struct ai_wire ai_wire_responses = {
	.name = "responses",
	.root = "/v1",
	.lacks = AI_CHAT_SEED | AI_CHAT_STOP,
	.auth = AI_AUTH_BEARER,
	.framing = AI_FRAMING_SSE,
	.path = "/responses",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.events = events,
	.get_error = get_error,
	.count_path = "/responses/input_tokens",
	.put_count = put_count,
	.count = "input_tokens",
	.models = { .path = "/models", .list = "data", .name = "id" },
};
