/*
 * responses.c: the wire format of OpenAI's /v1/responses.  After OpenAI's
 * published OpenAPI description (info.version 2.3.0), against which
 * tests/unit/model-schema checks the requests.  What is said is a list of
 * items: messages, calls of tools and their results each are one.
 */
#include "model/turns.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)
#define SYSTEM_MAX ((size_t)16 << 20)

/* ---- items -------------------------------------------------------------- */

static void put_type(struct ai_buf *b, const char *type)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "type", type);
}

/* Pictures that are data have an address here too. */
static void put_image(struct ai_buf *b, const struct ai_part *p)
{
	struct ai_buf url = AI_BUF_INIT(TEXT_MAX);

	if (p->kind == AI_PART_IMAGE_DATA) {
		ai_buf_str(&url, "data:");
		ai_buf_add(&url, p->type.p, p->type.n);
		ai_buf_str(&url, ";base64,");
	}
	ai_buf_add(&url, p->text.p, p->text.n);
	put_type(b, "input_image");
	ai_wire_put_cstr(b, "detail", "auto");
	ai_wire_put_span(b, "image_url",
			 (struct ai_span){ ai_buf_cstr(&url), url.len });
	ai_put_close(b, '}');
	if (b->bad == AI_E_NONE)
		b->bad = url.bad;
	ai_buf_release(&url);
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	put_type(b, "function_call");
	ai_wire_put_span(b, "call_id", p->id);
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_span(b, "arguments", p->text);
	ai_put_close(b, '}');
}

static void put_result(struct ai_buf *b, const struct ai_part *p)
{
	put_type(b, "function_call_output");
	ai_wire_put_span(b, "call_id", p->id);
	ai_wire_put_span(b, "output", p->text);
	ai_put_close(b, '}');
}

/* What the assistant said is one message a text: parts of the type
 * output_text belong to messages that have an id, which is not known here. */
static void put_said(struct ai_buf *b, const struct ai_part *p)
{
	put_type(b, "message");
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
	put_type(b, "input_text");
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
	put_type(b, "message");
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

static int put_messages(const struct ai_chat_request *q, struct ai_buf *b,
			struct ai_err *err)
{
	struct ai_buf system = AI_BUF_INIT(SYSTEM_MAX);
	struct ai_turns t;
	int rc = ai_turns_take(&t, q->messages, q->n_messages, err);

	if (rc == 0)
		rc = ai_turns_pair(&t, &system, err);
	if (rc == 0 && system.len > 0)
		ai_wire_put_span(b, "instructions", (struct ai_span){
			system.p, system.len });
	if (rc == 0)
		rc = put_items(b, &t, err);
	ai_buf_release(&system);
	ai_turns_release(&t);
	return rc;
}

/* ---- tools -------------------------------------------------------------- */

/* Strict is what a tool is here unless it says otherwise, and in OpenAI's
 * chat only if it says so. */
static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	put_type(b, "function");
	ai_wire_put_value(b, "name", tool->name);
	ai_wire_put_value(b, "description", tool->description);
	ai_put_key(b, "parameters");
	if (tool->parameters.kind == AI_OBJECT) {
		ai_put_value(b, tool->parameters);
	} else {
		put_type(b, "object");
		ai_wire_put_in(b, "properties", '{');
		ai_put_close(b, '}');
		ai_put_close(b, '}');
	}
	ai_put_key(b, "strict");
	ai_put_bool(b, ai_json_true(tool->strict));
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
	put_type(b, "function");
	ai_wire_put_value(b, "name", choice.name);
	ai_put_close(b, '}');
	return 0;
}

static int put_tools(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	struct ai_tool tool;
	size_t i = 0;
	int rc;

	if (q->tools.kind != AI_NONE) {
		ai_wire_put_in(b, "tools", '[');
		while ((rc = ai_tool_next(q->tools, &i, &tool, err)) > 0)
			put_tool(b, &tool);
		ai_put_close(b, ']');
		if (rc < 0)
			return -1;
	}
	return put_tool_choice(q->tool_choice, b, err);
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
	put_type(b, "json_schema");
	ai_wire_put_cstr(b, "name", "answer");
	ai_put_key(b, "schema");
	ai_put_raw(b, schema.p, schema.n);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* What is input. */
static int put_asked(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_wire_put_cstr(b, "model", q->model);
	if (put_messages(q, b, err) < 0 || put_tools(q, b, err) < 0)
		return -1;
	put_effort(b, q->effort);
	put_schema(b, q->schema);
	return 0;
}

static void put_path(const struct ai_chat_request *q, struct ai_buf *b)
{
	(void)q;
	ai_buf_str(b, "/responses");
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
	ai_put_key(b, "store");
	ai_put_bool(b, false);
	if (q->stream) {
		ai_put_key(b, "stream");
		ai_put_bool(b, true);
	}
	ai_put_close(b, '}');
	return 0;
}

static void put_count_path(const struct ai_chat_request *q, struct ai_buf *b)
{
	(void)q;
	ai_buf_str(b, "/responses/input_tokens");
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
	{ "max_output_tokens", "length" }, { NULL, NULL }
};

static int get_refusal(struct ai_value v, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	if (v.kind == AI_STRING && v.s.n > 2)
		a->refusal = true;
	return ai_wire_text(v, a, err);
}

static int get_message(struct ai_value content, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part;

	if (content.kind == AI_STRING)
		return ai_wire_text(content, a, err);
	if (content.kind != AI_ARRAY && content.kind > AI_NULL)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer's content is not text");
	ai_json_iter_init(&it, content);
	while (ai_json_next(&it, NULL, &part))
		if (ai_wire_text(ai_json_get(part, "text"), a, err) < 0 ||
		    get_refusal(ai_json_get(part, "refusal"), a, err) < 0)
			return -1;
	return 0;
}

/* A call: whole, or as it begins in a stream. */
static int get_call(struct ai_value v, int64_t index, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call_new(a, index, err);

	if (call == NULL)
		return -1;
	ai_wire_copy(v, "call_id", call->id, sizeof call->id);
	ai_wire_copy(v, "name", call->name, sizeof call->name);
	return ai_wire_arguments(ai_json_get(v, "arguments"), call, err);
}

/* Reasoning and what the server's own tools did is no part of the answer. */
static int get_item(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value type = ai_json_get(v, "type");

	if (ai_json_is(type, AI_SPAN("message")))
		return get_message(ai_json_get(v, "content"), a, err);
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
	struct ai_value status = ai_json_get(v, "status");

	ai_wire_copy(v, "model", a->model, sizeof a->model);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	if (ai_json_is(status, AI_SPAN("completed"))) {
		snprintf(a->finish_reason, sizeof a->finish_reason, "%s",
			 a->n_calls > 0 ? "tool_calls" : "stop");
		return;
	}
	ai_wire_finish(status, reasons, a);
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
	return get_refusal(ai_json_get(v, "delta"), a, err);
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
	struct ai_tool_call *call =
		ai_chat_call_of(a, ai_wire_count(v, "output_index"));

	if (call == NULL)
		return ai_err_set(err, AI_E_ANSWER, "a piece of a call that "
				  "has not begun");
	return ai_wire_arguments(ai_json_get(v, "delta"), call, err);
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
static const struct event {
	const char *name;
	int (*take)(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err);
} events[] = {
	{ "response.output_text.delta", on_text },
	{ "response.refusal.delta", on_refusal },
	{ "response.output_item.added", on_item },
	{ "response.function_call_arguments.delta", on_arguments },
	{ "response.output_item.done", on_item_end },
	{ "response.completed", on_end },
	{ "response.incomplete", on_end },
};

static int get_event(struct ai_span name, struct ai_span data,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_value v, type;

	if (ai_span_is(data, "[DONE]"))
		return 1;
	if (ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	type = ai_json_get(v, "type");
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (name.n > 0 ? ai_span_is(name, events[i].name) :
		    ai_json_is(type, ai_span_of(events[i].name)))
			return events[i].take(v, a, err);
	return 0;
}

/* ---- counting, models ---------------------------------------------------- */

static int get_count(const char *p, size_t n, int64_t *tokens,
		     struct ai_err *err)
{
	struct ai_value v;

	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	*tokens = ai_wire_count(v, "input_tokens");
	return *tokens >= 0 ? 0 : ai_err_set(err, AI_E_ANSWER, "the answer "
					     "has no count input_tokens");
}

static int get_models(const char *p, size_t n,
		      int (*each)(void *arg, struct ai_span name), void *arg,
		      struct ai_err *err)
{
	return ai_wire_models(p, n, "data", "id", each, arg, err);
}

/* ---- errors ------------------------------------------------------------- */

/* A response that failed, and what comes in a stream, have no other status
 * than what the code stands for. */
static const struct {
	const char *code;
	long status;
} statuses[] = {
	{ "server_error", 500 }, { "rate_limit_exceeded", 429 },
	{ "insufficient_quota", 429 }, { "vector_store_timeout", 504 },
	{ "invalid_prompt", 400 }, { "bio_policy", 400 },
};

static void get_status(struct ai_wire_error *e)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (e->status == 0 && strcmp(e->code, statuses[i].code) == 0)
			e->status = statuses[i].status;
}

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
	if (said)
		get_status(e);
	return said;
}

const struct ai_wire ai_wire_responses = {
	.name = "responses",
	.root = "/v1",
	.lacks = AI_CHAT_SEED | AI_CHAT_STOP,
	.auth = AI_AUTH_BEARER,
	.framing = AI_FRAMING_SSE,
	.put_path = put_path,
	.put_chat = put_chat,
	.get_chat = get_chat,
	.get_event = get_event,
	.get_error = get_error,
	.put_count_path = put_count_path,
	.put_count = put_count,
	.get_count = get_count,
	.models_path = "/models",
	.get_models = get_models,
};
