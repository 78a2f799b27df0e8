/*
 * cohere.c: the wire format of Cohere's /v2/chat and /v2/embed.  After the
 * types of its own SDK (cohere-ai 8.1.0).  Messages, tools and calls look much
 * like OpenAI's, but are written anew: Cohere need not know all that may
 * stand in those.
 */
#include "model/turns.h"

#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* ---- messages ----------------------------------------------------------- */

static void put_role(struct ai_buf *b, const char *role)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "role", role);
}

static void put_image(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_type(b, "image_url");
	ai_wire_put_in(b, "image_url", '{');
	ai_part_put_url(b, "url", p);
	if (p->detail.n > 0)
		ai_wire_put_span(b, "detail", p->detail);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

static void put_part(struct ai_buf *b, const struct ai_part *p)
{
	if (p->kind != AI_PART_TEXT) {
		put_image(b, p);
		return;
	}
	ai_wire_put_type(b, "text");
	ai_wire_put_span(b, "text", p->text);
	ai_put_close(b, '}');
}

static bool is_call(const struct ai_part *p)
{
	return p->kind == AI_PART_CALL;
}

static size_t count_calls(const struct ai_turn *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += is_call(&t->parts[i]);
	return n;
}

static bool has_image(const struct ai_turn *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == AI_PART_IMAGE_DATA ||
		    t->parts[i].kind == AI_PART_IMAGE_URL)
			return true;
	return false;
}

/* Texts and pictures, as one text if that is all there is. */
static void put_content(struct ai_buf *b, const struct ai_turn *t)
{
	ai_put_key(b, "content");
	if (t->n == 0) {
		ai_put_cstr(b, "");
	} else if (t->n == 1 && t->parts[0].kind == AI_PART_TEXT) {
		ai_put_str(b, t->parts[0].text.p, t->parts[0].text.n);
	} else {
		ai_put_open(b, '[');
		for (size_t i = 0; i < t->n; i++)
			put_part(b, &t->parts[i]);
		ai_put_close(b, ']');
	}
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	ai_put_open(b, '{');
	ai_wire_put_span(b, "id", p->id);
	ai_wire_put_cstr(b, "type", "function");
	ai_wire_put_in(b, "function", '{');
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_span(b, "arguments", p->text);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* What a model says before its calls is called its plan. */
static void put_plan(struct ai_buf *b, const struct ai_turn *t)
{
	struct ai_buf plan = AI_BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == AI_PART_TEXT)
			ai_buf_add(&plan, t->parts[i].text.p,
				   t->parts[i].text.n);
	if (plan.len > 0)
		ai_wire_put_span(b, "tool_plan",
				 (struct ai_span){ plan.p, plan.len });
	if (b->bad == AI_E_NONE)
		b->bad = plan.bad;
	ai_buf_release(&plan);
}

static void put_assistant(struct ai_buf *b, const struct ai_turn *t)
{
	put_role(b, "assistant");
	if (count_calls(t) == 0) {
		put_content(b, t);
	} else {
		put_plan(b, t);
		ai_wire_put_in(b, "tool_calls", '[');
		for (size_t i = 0; i < t->n; i++)
			if (is_call(&t->parts[i]))
				put_call(b, &t->parts[i]);
		ai_put_close(b, ']');
	}
	ai_put_close(b, '}');
}

/* Each answer of a tool is a message of its own. */
static void put_results(struct ai_buf *b, const struct ai_turn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		put_role(b, "tool");
		ai_wire_put_span(b, "tool_call_id", t->parts[i].id);
		ai_wire_put_span(b, "content", t->parts[i].text);
		ai_put_close(b, '}');
	}
}

static int put_turn(struct ai_buf *b, const struct ai_turn *t,
		    struct ai_err *err)
{
	if (t->role == AI_ROLE_ASSISTANT) {
		if (has_image(t))
			return ai_err_set(err, AI_E_RECORD, "the assistant "
					  "cannot show pictures here");
		put_assistant(b, t);
		return 0;
	}
	if (t->role == AI_ROLE_TOOL) {
		put_results(b, t);
		return 0;
	}
	if (count_calls(t) > 0)
		return ai_err_set(err, AI_E_RECORD, "a tool call that is not "
				  "the assistant's");
	put_role(b, t->role == AI_ROLE_SYSTEM ? "system" : "user");
	put_content(b, t);
	ai_put_close(b, '}');
	return 0;
}

/* ---- requests ----------------------------------------------------------- */

static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	ai_wire_put_type(b, "function");
	ai_wire_put_in(b, "function", '{');
	ai_wire_put_value(b, "name", tool->name);
	ai_wire_put_value(b, "description", tool->description);
	ai_tool_put_schema(b, "parameters", tool);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* Without a word the model is free to choose. */
static int put_tool_choice(struct ai_value v, struct ai_buf *b,
			   struct ai_err *err)
{
	static const char *const words[] = {
		[AI_CHOICE_AUTO] = NULL, [AI_CHOICE_NONE] = "NONE",
		[AI_CHOICE_ANY] = "REQUIRED",
	};
	struct ai_tool_choice choice;

	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	if (choice.kind == AI_CHOICE_NAMED)
		return ai_err_set(err, AI_E_RECORD, "cohere cannot do "
				  "'tool_choice' with a tool's name: give "
				  "that tool alone, and \"required\"");
	ai_wire_put_cstr(b, "tool_choice", words[choice.kind]);
	return 0;
}

/* Strict are all tools or none: what one wishes, all get. */
static bool want_strict(struct ai_value tools)
{
	struct ai_tool tool;
	size_t i = 0;

	while (ai_tool_next(tools, &i, &tool, NULL) > 0)
		if (ai_json_true(tool.strict))
			return true;
	return false;
}

static int put_tools(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	if (ai_tools_put(q->tools, "tools", put_tool, b, err) < 0)
		return -1;
	if (want_strict(q->tools))
		ai_wire_put_bool(b, "strict_tools", true);
	return put_tool_choice(q->tool_choice, b, err);
}

static void put_schema(struct ai_buf *b, struct ai_span schema)
{
	if (schema.n == 0)
		return;
	ai_put_key(b, "response_format");
	ai_wire_put_type(b, "json_object");
	ai_put_key(b, "json_schema");
	ai_schema_put(b, schema);
	ai_put_close(b, '}');
}

/* "stream" must be told either way. */
static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	if (ai_turns_put_each(q, put_turn, b, err) < 0)
		return -1;
	ai_wire_put_i64(b, "max_tokens", q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "p", q->top_p);
	ai_wire_put_i64(b, "seed", q->seed);
	ai_wire_put_texts(b, "stop_sequences", q->stop, q->n_stop);
	if (put_tools(q, b, err) < 0)
		return -1;
	put_schema(b, q->schema);
	ai_wire_put_bool(b, "stream", q->stream);
	ai_put_close(b, '}');
	return 0;
}

/* input_type is required; where nobody says it, the vectors of documents are
 * the ones that serve for both, if less well. */
static void put_embed(const struct ai_embed_request *q, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	ai_wire_put_texts(b, "texts", q->texts, q->n);
	ai_wire_put_cstr(b, "input_type", q->type == AI_INPUT_QUERY
			 ? "search_query" : "search_document");
	ai_wire_put_in(b, "embedding_types", '[');
	ai_put_cstr(b, "float");
	ai_put_close(b, ']');
	if (q->dim > 0)
		ai_wire_put_i64(b, "output_dimension", (int64_t)q->dim);
	ai_put_close(b, '}');
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = {
	{ "COMPLETE", "stop" }, { "STOP_SEQUENCE", "stop" },
	{ "MAX_TOKENS", "length" }, { "TOOL_CALL", "tool_calls" },
	{ NULL, NULL }
};

/* A call: whole, or as it begins in a stream. */
static int get_call(struct ai_value v, int64_t index, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_tool_call *call = ai_wire_call(v, "id", "function.name",
						 index, a, err);

	return call == NULL ? -1 : ai_wire_arguments(
		ai_json_get(v, "function.arguments"), call, err);
}

/* content is a list of texts and thoughts, or, from servers that only speak
 * like Cohere, a string. */
static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, message, call;
	struct ai_json_iter it;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	message = ai_json_get(v, "message");
	if (message.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no message");
	ai_wire_finish(ai_json_get(v, "finish_reason"), reasons, a);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	if (ai_wire_text(ai_json_get(message, "tool_plan"), a, err) < 0 ||
	    ai_wire_content(ai_json_get(message, "content"), a, err) < 0)
		return -1;
	ai_json_iter_init(&it, ai_json_get(message, "tool_calls"));
	for (int64_t i = 0; ai_json_next(&it, NULL, &call); i++)
		if (get_call(call, i, a, err) < 0 ||
		    ai_wire_call_end(ai_chat_call_of(a, i), err) < 0)
			return -1;
	return 0;
}

/* ---- streams ------------------------------------------------------------ */

static int on_content(struct ai_value v, struct ai_chat_answer *a,
		      struct ai_err *err)
{
	return ai_wire_text(ai_json_get(v, "delta.message.content.text"), a,
			    err);
}

static int on_plan(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	return ai_wire_text(ai_json_get(v, "delta.message.tool_plan"), a, err);
}

/* In spite of its name it is one call, no list. */
static int on_call(struct ai_value v, struct ai_chat_answer *a,
		   struct ai_err *err)
{
	return get_call(ai_json_get(v, "delta.message.tool_calls"),
			ai_wire_count(v, "index"), a, err);
}

static int on_call_delta(struct ai_value v, struct ai_chat_answer *a,
			 struct ai_err *err)
{
	return ai_wire_call_add(ai_json_get(
		v, "delta.message.tool_calls.function.arguments"),
		ai_wire_count(v, "index"), a, err);
}

static int on_call_end(struct ai_value v, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	return ai_wire_call_end(ai_chat_call_of(a, ai_wire_count(v, "index")),
				err);
}

static int on_end(struct ai_value v, struct ai_chat_answer *a,
		  struct ai_err *err)
{
	(void)err;
	ai_wire_finish(ai_json_get(v, "delta.finish_reason"), reasons, a);
	ai_wire_bill(ai_json_get(v, "delta.usage"), a);
	return 1;
}

static const struct ai_wire_event events[] = {
	{ "content-start", on_content },
	{ "content-delta", on_content },
	{ "tool-plan-delta", on_plan },
	{ "tool-call-start", on_call },
	{ "tool-call-delta", on_call_delta },
	{ "tool-call-end", on_call_end },
	{ "message-end", on_end },
	{ NULL, NULL }
};

/* ---- errors ------------------------------------------------------------- */

/* An answer's message is an object, an error's is text.  A generation that
 * failed says so where it ends, with a good status.  Gateways write errors as
 * OpenAI does. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	struct ai_value v, end, message;
	bool failed;

	memset(e, 0, sizeof *e);
	if (ai_json_check(p, n, &v, NULL) < 0 || v.kind != AI_OBJECT)
		return false;
	message = ai_json_get(v, "message");
	end = ai_json_get(v, "delta");
	if (end.kind != AI_OBJECT)
		end = v;
	failed = ai_json_is(ai_json_get(end, "finish_reason"),
			    AI_SPAN("ERROR"));
	if (message.kind == AI_STRING)
		ai_wire_copy(message, "", e->message, sizeof e->message);
	else if (failed)
		ai_wire_copy(end, "error", e->message, sizeof e->message);
	if (failed && e->message[0] == '\0')
		ai_wire_clean(AI_SPAN("the generation failed"), e->message,
			      sizeof e->message);
	return failed || message.kind == AI_STRING ||
	       ai_wire_openai.get_error(p, n, e);
}

/* No models: they are listed below /v1 only, and the base ends in /v2. */
const struct ai_wire ai_wire_cohere = {
	.name = "cohere",
	.root = "/v2",
	.lacks = AI_CHAT_EFFORT,
	.auth = AI_AUTH_BEARER,
	.framing = AI_FRAMING_SSE,
	.path = "/chat",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.events = events,
	.get_error = get_error,
	.embed = {
		.path = "/embed", .max = 96, .types = true,
		.list = "embeddings.float",
		.vector = "", .usage = "meta",
		.tokens = "meta.billed_units.input_tokens",
	},
	.put_embed = put_embed,
};
