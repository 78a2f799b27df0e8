/*
 * bedrock.c: the wire format of Amazon Bedrock's Converse.  After the service
 * model of its own SDKs (botocore's bedrock-runtime 2023-09-30, service-2.json
 * of commit 0e6e240).  The events of a stream are named in the headers of
 * their frames, as is the type of an error: see name_error().
 */
#include "model/turns.h"

#include <string.h>

#define SCHEMA_MAX ((size_t)16 << 20)

/* ---- requests ----------------------------------------------------------- */

/* Each block is an object of one member, which says what it is. */
static void put_only(struct ai_buf *b, const char *name, struct ai_span text)
{
	ai_put_open(b, '{');
	ai_wire_put_span(b, name, text);
	ai_put_close(b, '}');
}

static void put_in(struct ai_buf *b, const char *name)
{
	ai_put_open(b, '{');
	ai_wire_put_in(b, name, '{');
}

static void put_out(struct ai_buf *b)
{
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* A format is a media type's second half, but for the one that is often
 * called by its file's name. */
static int put_image(struct ai_buf *b, const struct ai_part *p,
		     struct ai_err *err)
{
	struct ai_span type = p->type;

	if (p->kind == AI_PART_IMAGE_URL)
		return ai_err_set(err, AI_E_RECORD, "bedrock takes pictures "
				  "as data, not by their address");
	if (ai_part_no_detail(p, err) < 0)
		return -1;
	if (type.n <= 6 || memcmp(type.p, "image/", 6) != 0)
		return ai_err_set(err, AI_E_RECORD, "a picture of the type "
				  "'%.*s'", (int)(type.n < 40 ? type.n : 40),
				  type.p);
	type = (struct ai_span){ type.p + 6, type.n - 6 };
	put_in(b, "image");
	ai_wire_put_span(b, "format", ai_span_is(type, "jpg")
			 ? AI_SPAN("jpeg") : type);
	ai_put_key(b, "source");
	put_only(b, "bytes", p->text);
	put_out(b);
	return 0;
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	put_in(b, "toolUse");
	ai_wire_put_span(b, "toolUseId", p->id);
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_json(b, "input", p->text);
	put_out(b);
}

/* A text of no bytes is refused, a list without blocks is not. */
static void put_result(struct ai_buf *b, const struct ai_part *p)
{
	put_in(b, "toolResult");
	ai_wire_put_span(b, "toolUseId", p->id);
	ai_wire_put_in(b, "content", '[');
	if (p->text.n > 0)
		put_only(b, "text", p->text);
	ai_put_close(b, ']');
	put_out(b);
}

static int put_block(struct ai_buf *b, const struct ai_chat_request *q,
		     const struct ai_turn *t, size_t i, struct ai_err *err)
{
	const struct ai_part *p = &t->parts[i];

	(void)q;
	switch (p->kind) {
	case AI_PART_TEXT:
		put_only(b, "text", p->text);
		return 0;
	case AI_PART_CALL:
		put_call(b, p);
		return 0;
	case AI_PART_RESULT:
		put_result(b, p);
		return 0;
	default:
		return put_image(b, p, err);
	}
}

static void put_system(struct ai_buf *b, struct ai_span text)
{
	ai_wire_put_in(b, "system", '[');
	put_only(b, "text", text);
	ai_put_close(b, ']');
}

static const struct ai_turns_form form = {
	.list = "messages", .assistant = "assistant", .parts = "content",
	.put = put_block, .put_system = put_system,
};

static void put_limits(const struct ai_chat_request *q, struct ai_buf *b)
{
	ai_wire_put_in(b, "inferenceConfig", '{');
	ai_wire_put_i64(b, "maxTokens", q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "topP", q->top_p);
	ai_wire_put_texts(b, "stopSequences", q->stop, q->n_stop);
	ai_put_close(b, '}');
}

static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	put_in(b, "toolSpec");
	ai_wire_put_value(b, "name", tool->name);
	if (tool->description.s.n > 2) /* none of no bytes is taken */
		ai_wire_put_value(b, "description", tool->description);
	ai_wire_put_in(b, "inputSchema", '{');
	ai_tool_put_schema(b, "json", tool);
	ai_put_close(b, '}');
	if (ai_json_true(tool->strict))
		ai_wire_put_value(b, "strict", tool->strict);
	put_out(b);
}

static int put_tool_choice(struct ai_value v, struct ai_buf *b,
			   struct ai_err *err)
{
	static const char *const kinds[] = {
		[AI_CHOICE_AUTO] = "auto", [AI_CHOICE_ANY] = "any",
		[AI_CHOICE_NAMED] = "tool",
	};
	struct ai_tool_choice choice;

	if (v.kind == AI_NONE)
		return 0;
	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	if (choice.kind == AI_CHOICE_NONE)
		return ai_err_set(err, AI_E_RECORD, "bedrock cannot do "
				  "'tool_choice' none: leave the tools out");
	ai_put_key(b, "toolChoice");
	put_in(b, kinds[choice.kind]);
	ai_wire_put_value(b, "name", choice.name);
	put_out(b);
	return 0;
}

static int put_tools(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	if (q->tools.kind == AI_NONE)
		return 0;
	ai_wire_put_in(b, "toolConfig", '{');
	if (ai_tools_put(q->tools, "tools", put_tool, b, err) < 0 ||
	    put_tool_choice(q->tool_choice, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* The schema is text here, not an object. */
static void put_schema(struct ai_buf *b, struct ai_span schema)
{
	struct ai_buf text = AI_BUF_INIT(SCHEMA_MAX);

	ai_schema_put(&text, schema);
	ai_wire_put_in(b, "textFormat", '{');
	ai_wire_put_cstr(b, "type", "json_schema");
	ai_wire_put_in(b, "structure", '{');
	ai_wire_put_in(b, "jsonSchema", '{');
	ai_wire_put_span(b, "schema", (struct ai_span){ ai_buf_cstr(&text),
							text.len });
	ai_wire_put_cstr(b, "name", "answer");
	ai_put_close(b, '}');
	put_out(b);
	if (b->bad == AI_E_NONE)
		b->bad = text.bad;
	ai_buf_release(&text);
}

static void put_output(const struct ai_chat_request *q, struct ai_buf *b)
{
	if (q->effort == NULL && q->schema.n == 0)
		return;
	ai_wire_put_in(b, "outputConfig", '{');
	if (q->schema.n > 0)
		put_schema(b, q->schema);
	ai_wire_put_cstr(b, "effort", q->effort);
	ai_put_close(b, '}');
}

static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	if (ai_turns_put(q, &form, b, err) < 0)
		return -1;
	put_limits(q, b);
	if (put_tools(q, b, err) < 0)
		return -1;
	put_output(q, b);
	ai_put_close(b, '}');
	return 0;
}

static int put_count(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	put_in(b, "input");
	ai_wire_put_in(b, "converse", '{');
	if (ai_turns_put(q, &form, b, err) < 0 || put_tools(q, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	put_out(b);
	return 0;
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = {
	{ "end_turn", "stop" }, { "stop_sequence", "stop" },
	{ "max_tokens", "length" }, { "tool_use", "tool_calls" },
	{ "content_filtered", "content_filter" },
	{ "guardrail_intervened", "content_filter" }, { NULL, NULL }
};

/* What a guardrail says instead of the model is the text. */
static void get_end(struct ai_value v, struct ai_chat_answer *a)
{
	struct ai_value reason = ai_json_get(v, "stopReason");

	ai_wire_finish(reason, reasons, a);
	if (ai_json_is(reason, AI_SPAN("guardrail_intervened")))
		a->refusal = true;
}

/* A call: whole, or as it begins in a stream.  NULL in *call: it is of one of
 * the server's own tools. */
static int get_call(struct ai_value v, int64_t index, struct ai_chat_answer *a,
		    struct ai_tool_call **call, struct ai_err *err)
{
	*call = NULL;
	if (v.kind != AI_OBJECT ||
	    ai_json_is(ai_json_get(v, "type"), AI_SPAN("server_tool_use")))
		return 0;
	*call = ai_wire_call(v, "toolUseId", "name", index, a, err);
	return *call == NULL ? -1 : 0;
}

static int get_block(struct ai_value v, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_value use = ai_json_get(v, "toolUse");
	struct ai_tool_call *call;

	if (ai_wire_text(ai_json_get(v, "text"), a, err) < 0 ||
	    get_call(use, 0, a, &call, err) < 0)
		return -1;
	if (call != NULL &&
	    ai_wire_arguments(ai_json_get(use, "input"), call, err) < 0)
		return -1;
	return ai_wire_call_end(call, err);
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, content;
	struct ai_json_iter it;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	content = ai_json_get(v, "output.message.content");
	if (content.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_ANSWER, "the answer has no list "
				  "output.message.content");
	get_end(v, a);
	ai_wire_bill(ai_json_get(v, "usage"), a);
	ai_json_iter_init(&it, content);
	for (struct ai_value block; ai_json_next(&it, NULL, &block);)
		if (get_block(block, a, err) < 0)
			return -1;
	return 0;
}

/* ---- streams ------------------------------------------------------------ */

static int on_block(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_tool_call *call;

	return get_call(ai_json_get(v, "start.toolUse"),
			ai_wire_count(v, "contentBlockIndex"), a, &call, err);
}

static int on_delta(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value input = ai_json_get(v, "delta.toolUse.input");
	struct ai_tool_call *call;

	if (ai_wire_text(ai_json_get(v, "delta.text"), a, err) < 0)
		return -1;
	call = input.kind == AI_NONE ? NULL : ai_chat_call_of(
		a, ai_wire_count(v, "contentBlockIndex"));
	return call == NULL ? 0 : ai_wire_arguments(input, call, err);
}

static int on_block_end(struct ai_value v, struct ai_chat_answer *a,
			struct ai_err *err)
{
	return ai_wire_call_end(ai_chat_call_of(
		a, ai_wire_count(v, "contentBlockIndex")), err);
}

/* The answer is whole with its end and its bill; these come in this order. */
static bool is_whole(const struct ai_chat_answer *a)
{
	return a->finish_reason[0] != '\0' && a->bill.len > 0;
}

static int on_end(struct ai_value v, struct ai_chat_answer *a,
		  struct ai_err *err)
{
	(void)err;
	get_end(v, a);
	return is_whole(a);
}

static int on_metadata(struct ai_value v, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	(void)err;
	ai_wire_bill(ai_json_get(v, "usage"), a);
	return is_whole(a);
}

static const struct ai_wire_event events[] = {
	{ "contentBlockStart", on_block },
	{ "contentBlockDelta", on_delta },
	{ "contentBlockStop", on_block_end },
	{ "messageStop", on_end },
	{ "metadata", on_metadata },
	{ NULL, NULL }
};

static bool is_exception(struct ai_span name)
{
	const char *end = "Exception";
	size_t n = strlen(end);

	return name.n > n && memcmp(name.p + name.n - n, end, n) == 0;
}

static int get_event(struct ai_span name, struct ai_span data,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	char why[256];

	(void)data;
	(void)a;
	if (!is_exception(name))
		return 0;
	/* One without a message, else get_error() had found it. */
	ai_wire_clean(name, why, sizeof why);
	return ai_err_set(err, AI_E_ANSWER, "the stream ends with %s", why);
}

/* ---- errors ------------------------------------------------------------- */

/* Compared without regard to the first letter's case: an event's name has a
 * small one. */
static const struct ai_wire_status statuses[] = {
	{ "AccessDeniedException", 403 },
	{ "InternalServerException", 500 },
	{ "ModelErrorException", 424 },
	{ "ModelNotReadyException", 429 },
	{ "ModelStreamErrorException", 424 },
	{ "ModelTimeoutException", 408 },
	{ "ResourceNotFoundException", 404 },
	{ "ServiceQuotaExceededException", 400 },
	{ "ServiceUnavailableException", 503 },
	{ "ThrottlingException", 429 },
	{ "ValidationException", 400 },
	{ NULL, 0 }
};

/* "com.amazon.coral.service#ThrottlingException:http://...": what stands
 * between is the name. */
static void name_error(struct ai_span name, struct ai_wire_error *e)
{
	char text[256];
	const char *p;

	ai_wire_clean(name, text, sizeof text);
	text[strcspn(text, ":")] = '\0';
	p = strrchr(text, '#');
	p = p == NULL ? text : p + 1;
	if (*p == '\0')
		return;
	ai_wire_clean(ai_span_of(p), e->code, sizeof e->code);
	if (e->code[0] >= 'a' && e->code[0] <= 'z')
		e->code[0] = (char)(e->code[0] - 'a' + 'A');
	if (e->status == 0)
		e->status = ai_wire_status_of(statuses, e->code);
}

/* No answer and no event has these names at its top; who checks the
 * signature writes a large letter, a gateway as OpenAI does. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	struct ai_value v, type;
	char name[256];

	memset(e, 0, sizeof *e);
	if (ai_json_check(p, n, &v, NULL) < 0 || v.kind != AI_OBJECT)
		return false;
	ai_wire_copy(v, "message", e->message, sizeof e->message);
	if (e->message[0] == '\0')
		ai_wire_copy(v, "Message", e->message, sizeof e->message);
	type = ai_json_get(v, "__type");
	ai_wire_copy(type, "", name, sizeof name);
	name_error(ai_span_of(name), e);
	return e->message[0] != '\0' || type.kind == AI_STRING ||
	       ai_wire_openai.get_error(p, n, e);
}

const struct ai_wire ai_wire_bedrock = {
	.name = "bedrock",
	.root = "",
	.lacks = AI_CHAT_SEED,
	.efforts = "low, medium, high, xhigh, max",
	.schemas = AI_SCHEMA_CLOSED,
	.auth = AI_AUTH_AWS,
	.framing = AI_FRAMING_AWS,
	.path = "/model/{}/converse",
	.stream_path = "/model/{}/converse-stream",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.events = events,
	.get_event = get_event,
	.get_error = get_error,
	.name_error = name_error,
	.count_path = "/model/{}/count-tokens",
	.put_count = put_count,
	.count = "inputTokens",
};
