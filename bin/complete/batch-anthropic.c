/*
 * batch-anthropic.c: the params of a line of Anthropic's /v1/messages/batches,
 * after the types of its own SDK (@anthropic-ai/sdk 1.12.0; 0.137.0 for what
 * the version 2026-10-21 dropped).
 */
#include "complete.h"

#include <stdio.h>
#include <string.h>

/* ---- parts of messages -------------------------------------------------------- */

/* What blocks of each type may have; all else changes what they mean.  Hints
 * at what to keep in a cache change only the price. */
static const struct complete_member text_members[] = {
	{ "type", .fine = "*" }, { "text", .fine = "*" },
	{ "cache_control", .fine = "*" }, { "citations", .fine = "*" },
	{ NULL }
};
static const struct complete_member image_members[] = {
	{ "type", .fine = "*" }, { "source", .fine = "*" },
	{ "cache_control", .fine = "*" }, { NULL }
};
static const struct complete_member use_members[] = {
	{ "type", .fine = "*" }, { "id", .fine = "*" },
	{ "name", .fine = "*" }, { "input", .fine = "*" },
	{ "cache_control", .fine = "*" }, { NULL }
};
static const struct complete_member result_members[] = {
	{ "type", .fine = "*" }, { "tool_use_id", .fine = "*" },
	{ "content", .fine = "*" }, { "is_error", .fine = "*" },
	{ "cache_control", .fine = "*" }, { NULL }
};

enum block { TEXT, IMAGE, USE, RESULT, BLOCKS };
static const struct {
	const char *type;
	const struct complete_member *members;
} blocks[BLOCKS] = {
	[TEXT] = { "text", text_members },
	[IMAGE] = { "image", image_members },
	[USE] = { "tool_use", use_members },
	[RESULT] = { "tool_result", result_members },
};

/* Its type, or -1. */
static int block_of(struct complete_body *b, struct ai_value v)
{
	struct ai_value type = ai_json_get(v, "type");
	char name[40];

	for (int i = 0; i < BLOCKS; i++)
		if (ai_json_is(type, ai_span_of(blocks[i].type)))
			return complete_body_put(b, v, blocks[i].members) < 0
				? -1 : i;
	ai_wire_copy(type, "", name, sizeof name);
	return ai_err_set(b->err, AI_E_RECORD, "%s is a block of type '%s', "
			  "which ai-complete cannot ask with", b->where, name);
}

static int put_text(struct complete_body *b, struct ai_value v)
{
	struct ai_value text = ai_json_get(v, "text");

	if (text.kind != AI_STRING)
		return complete_body_wrong(b, "text", "is not a string");
	ai_put_open(b->out, '{');
	ai_wire_put_cstr(b->out, "type", "text");
	ai_wire_put_value(b->out, "text", text);
	ai_put_close(b->out, '}');
	return 0;
}

static int put_image(struct complete_body *b, struct ai_value v)
{
	struct ai_value source = ai_json_get(v, "source");
	struct ai_value type = ai_json_get(source, "media_type");
	struct ai_value data = ai_json_get(source, "data");
	struct ai_value url = ai_json_get(source, "url");
	struct ai_buf address = AI_BUF_INIT(COMPLETE_MADE_MAX);

	if (ai_json_is(ai_json_get(source, "type"), AI_SPAN("base64")) &&
	    type.kind == AI_STRING && data.kind == AI_STRING) {
		ai_buf_str(&address, "data:");
		ai_json_text(type, &address);
		ai_buf_str(&address, ";base64,");
		ai_json_text(data, &address);
	} else if (ai_json_is(ai_json_get(source, "type"), AI_SPAN("url")) &&
		   url.kind == AI_STRING) {
		ai_json_text(url, &address);
	} else {
		return complete_body_wrong(b, "source", "is neither base64 "
					   "nor a url");
	}
	ai_put_open(b->out, '{');
	ai_wire_put_cstr(b->out, "type", "image_url");
	ai_wire_put_in(b->out, "image_url", '{');
	ai_wire_put_span(b->out, "url", (struct ai_span){
		ai_buf_cstr(&address), address.len });
	ai_put_close(b->out, '}');
	ai_put_close(b->out, '}');
	b->out->bad = b->out->bad != AI_E_NONE ? b->out->bad : address.bad;
	ai_buf_release(&address);
	return 0;
}

static int put_use(struct complete_body *b, struct ai_value v)
{
	struct ai_value input = ai_json_get(v, "input");

	if (input.kind != AI_OBJECT)
		return complete_body_wrong(b, "input", "is not an object");
	ai_put_open(b->out, '{');
	ai_wire_put_value(b->out, "id", ai_json_get(v, "id"));
	ai_wire_put_cstr(b->out, "type", "function");
	ai_wire_put_in(b->out, "function", '{');
	ai_wire_put_value(b->out, "name", ai_json_get(v, "name"));
	ai_wire_put_span(b->out, "arguments", input.s);
	ai_put_close(b->out, '}');
	ai_put_close(b->out, '}');
	return 0;
}

/* The texts of blocks, with a gap between them. */
static int add_texts(struct complete_body *b, struct ai_value list,
		     const char *gap, struct ai_buf *text)
{
	struct ai_json_iter it;
	struct ai_value v;
	struct complete_within w;

	ai_json_iter_init(&it, list);
	for (size_t i = 0; ai_json_next(&it, NULL, &v); i++) {
		struct complete_body *in = complete_body_enter(&w, b, "", i);
		int type = block_of(in, v);

		if (type < 0)
			return -1;
		v = ai_json_get(v, "text");
		if (type != TEXT || v.kind != AI_STRING)
			return complete_body_wrong(in, "", "is not text");
		if (i > 0)
			ai_buf_str(text, gap);
		ai_json_text(v, text);
	}
	return ai_buf_check(text, b->where, b->err);
}

/* A string, or blocks of text, as a string. */
static int put_joined(struct complete_body *b, const char *name,
		      struct ai_value v, const char *before, const char *gap)
{
	struct ai_buf text = AI_BUF_INIT(COMPLETE_MADE_MAX);
	int rc = 0;

	ai_buf_str(&text, before);
	if (v.kind == AI_STRING)
		ai_json_text(v, &text);
	else if (v.kind == AI_ARRAY)
		rc = add_texts(b, v, gap, &text);
	else if (v.kind != AI_NONE)
		rc = complete_body_wrong(b, "", "is neither a string nor a "
					 "list of texts");
	if (rc == 0)
		rc = ai_buf_check(&text, b->where, b->err);
	if (rc == 0)
		ai_wire_put_span(b->out, name, (struct ai_span){
			ai_buf_cstr(&text), text.len });
	ai_buf_release(&text);
	return rc;
}

/* A message of its own; that a tool failed has no member in our form. */
static int put_result(struct complete_body *b, struct ai_value v)
{
	struct complete_within w;

	ai_put_open(b->out, '{');
	ai_wire_put_cstr(b->out, "role", "tool");
	ai_wire_put_value(b->out, "tool_call_id",
			  ai_json_get(v, "tool_use_id"));
	if (put_joined(complete_body_enter(&w, b, "content", SIZE_MAX), "content",
		       ai_json_get(v, "content"),
		       ai_json_true(ai_json_get(v, "is_error"))
		       ? "error: " : "", "") < 0)
		return -1;
	ai_put_close(b->out, '}');
	return 0;
}

/* ---- messages ----------------------------------------------------------------- */

/* Writes the blocks of these types, and counts them in n. */
static int put_blocks(struct complete_body *b, struct ai_value content,
		      unsigned types, size_t *n)
{
	static int (*const put[BLOCKS])(struct complete_body *,
					struct ai_value) = {
		[TEXT] = put_text, [IMAGE] = put_image, [USE] = put_use,
		[RESULT] = put_result,
	};
	struct ai_json_iter it;
	struct ai_value v;
	struct complete_within w;

	*n = 0;
	ai_json_iter_init(&it, content);
	for (size_t i = 0; ai_json_next(&it, NULL, &v); i++) {
		struct complete_body *in = complete_body_enter(&w, b, "", i);
		int type = block_of(in, v);

		if (type < 0)
			return -1;
		if ((types & 1u << type) == 0)
			continue;
		++*n;
		if (put[type](in, v) < 0)
			return -1;
	}
	return 0;
}

static size_t count_blocks(struct ai_value content, unsigned types)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_json_iter_init(&it, content);
	while (ai_json_next(&it, NULL, &v))
		for (int i = 0; i < BLOCKS; i++)
			n += (types & 1u << i) != 0 &&
			     ai_json_is(ai_json_get(v, "type"),
					ai_span_of(blocks[i].type));
	return n;
}

static int put_assistant(struct complete_body *b, struct ai_value content)
{
	size_t n;

	if (count_blocks(content, 1u << IMAGE | 1u << RESULT) > 0)
		return complete_body_wrong(b, "", "has what only the user can "
					   "say");
	ai_put_open(b->out, '{');
	ai_wire_put_cstr(b->out, "role", "assistant");
	if (count_blocks(content, 1u << TEXT) > 0) {
		ai_wire_put_in(b->out, "content", '[');
		if (put_blocks(b, content, 1u << TEXT, &n) < 0)
			return -1;
		ai_put_close(b->out, ']');
	} else {
		ai_put_key(b->out, "content");
		ai_put_null(b->out);
	}
	if (count_blocks(content, 1u << USE) > 0) {
		ai_wire_put_in(b->out, "tool_calls", '[');
		if (put_blocks(b, content, 1u << USE, &n) < 0)
			return -1;
		ai_put_close(b->out, ']');
	} else if (put_blocks(b, content, 0, &n) < 0) {
		return -1;
	}
	ai_put_close(b->out, '}');
	return 0;
}

/* What tools have answered goes before all else that the user says. */
static int put_user(struct complete_body *b, struct ai_value role,
		    struct ai_value content)
{
	size_t n;

	if (count_blocks(content, 1u << USE) > 0)
		return complete_body_wrong(b, "", "has a tool_use that is not "
					   "the assistant's");
	if (put_blocks(b, content, 1u << RESULT, &n) < 0)
		return -1;
	if (n > 0 && count_blocks(content, 1u << TEXT | 1u << IMAGE) == 0)
		return 0;
	ai_put_open(b->out, '{');
	ai_wire_put_value(b->out, "role", role);
	ai_wire_put_in(b->out, "content", '[');
	if (put_blocks(b, content, 1u << TEXT | 1u << IMAGE, &n) < 0)
		return -1;
	ai_put_close(b->out, ']');
	ai_put_close(b->out, '}');
	return 0;
}

static int put_message(struct complete_body *b, struct ai_value m)
{
	static const struct complete_member members[] = {
		{ "role", .fine = "\"user\"|\"assistant\"|\"system\"" },
		{ "content", .fine = "*" },
		{ NULL }
	};
	struct ai_value role = ai_json_get(m, "role");
	struct ai_value content = ai_json_get(m, "content");
	struct complete_within w;

	if (complete_body_put(b, m, members) < 0)
		return -1;
	if (role.kind != AI_STRING)
		return complete_body_wrong(b, "role", "is missing");
	if (content.kind == AI_STRING) {
		ai_put_open(b->out, '{');
		ai_wire_put_value(b->out, "role", role);
		ai_wire_put_value(b->out, "content", content);
		ai_put_close(b->out, '}');
		return 0;
	}
	if (content.kind != AI_ARRAY)
		return complete_body_wrong(b, "content", "is neither a string "
					   "nor a list");
	b = complete_body_enter(&w, b, "content", SIZE_MAX);
	return ai_json_is(role, AI_SPAN("assistant"))
		? put_assistant(b, content) : put_user(b, role, content);
}

static int put_messages(struct complete_body *b, struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value m;
	struct complete_within w;

	if (v.kind != AI_ARRAY)
		return complete_body_wrong(b, "messages", "is not a list");
	ai_wire_put_in(b->out, "messages", '[');
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &m); i++)
		if (put_message(complete_body_enter(&w, b, "messages", i), m) < 0)
			return -1;
	ai_put_close(b->out, ']');
	return 0;
}

static int put_system(struct complete_body *b, struct ai_value v)
{
	struct complete_within w;

	return put_joined(complete_body_enter(&w, b, "system", SIZE_MAX), "system", v, "",
			  "\n\n");
}

/* ---- tools, and the rest ---------------------------------------------------------- */

static int put_tools(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "type", .fine = "\"custom\"" },
		{ "name", "name" },
		{ "description", "description" },
		{ "input_schema", "parameters" },
		{ "strict", "strict" },
		{ "cache_control", .fine = "*" },
		{ NULL }
	};
	struct ai_json_iter it;
	struct ai_value tool;
	struct complete_within w;

	if (v.kind != AI_ARRAY)
		return complete_body_wrong(b, "tools", "is not a list");
	ai_wire_put_in(b->out, "tools", '[');
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &tool); i++) {
		ai_put_open(b->out, '{');
		ai_wire_put_cstr(b->out, "type", "function");
		ai_wire_put_in(b->out, "function", '{');
		if (complete_body_put(complete_body_enter(&w, b, "tools", i), tool,
				      members) < 0)
			return -1;
		ai_put_close(b->out, '}');
		ai_put_close(b->out, '}');
	}
	ai_put_close(b->out, ']');
	return 0;
}

static int put_tool_choice(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "type", .fine = "\"auto\"|\"any\"|\"none\"|\"tool\"" },
		{ "name", .fine = "*" },
		{ "disable_parallel_tool_use", .fine = "false" },
		{ NULL }
	};
	struct ai_value type = ai_json_get(v, "type");
	struct complete_within w;

	if (complete_body_put(complete_body_enter(&w, b, "tool_choice", SIZE_MAX), v,
			      members) < 0)
		return -1;
	if (ai_json_is(type, AI_SPAN("any"))) {
		ai_wire_put_cstr(b->out, "tool_choice", "required");
	} else if (ai_json_is(type, AI_SPAN("tool"))) {
		ai_wire_put_in(b->out, "tool_choice", '{');
		ai_wire_put_cstr(b->out, "type", "function");
		ai_wire_put_in(b->out, "function", '{');
		ai_wire_put_value(b->out, "name", ai_json_get(v, "name"));
		ai_put_close(b->out, '}');
		ai_put_close(b->out, '}');
	} else {
		ai_wire_put_value(b->out, "tool_choice", type);
	}
	return 0;
}

static int put_output_format(struct complete_body *b, struct ai_value v)
{
	struct ai_value schema = ai_json_get(v, "schema");

	if (!ai_json_is(ai_json_get(v, "type"), AI_SPAN("json_schema")) ||
	    schema.kind != AI_OBJECT)
		return complete_body_wrong(b, "format", "is no JSON schema");
	ai_wire_put_value(b->out, "schema", schema);
	return 0;
}

static int put_output(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "effort", "effort" },
		{ "format", .put = put_output_format },
		{ NULL }
	};
	struct complete_within w;

	return complete_body_put(complete_body_enter(&w, b, "output_config", SIZE_MAX), v,
				 members);
}

/*
 * Our form has an effort and no budget: that which the budget's share of the
 * longest answer comes nearest to.  An effort that is named is stronger, be it
 * in output_config or in --effort.
 */
static int put_thinking(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "type", .fine = "\"enabled\"|\"adaptive\"" },
		{ "budget_tokens", .fine = "*" },
		{ "display", .fine = "*" },
		{ NULL }
	};
	struct ai_value type = ai_json_get(v, "type");
	int64_t budget, max;
	const char *effort = "medium";
	struct complete_within w;

	if (ai_json_is(type, AI_SPAN("disabled")) ||
	    ai_json_get(b->all, "output_config.effort").kind == AI_STRING)
		return 0;
	if (complete_body_put(complete_body_enter(&w, b, "thinking", SIZE_MAX), v,
			      members) < 0)
		return -1;
	if (ai_json_i64(ai_json_get(v, "budget_tokens"), &budget) == 0 &&
	    ai_json_i64(ai_json_get(b->all, "max_tokens"), &max) == 0)
		effort = budget < max / 3 ? "low" :
			 budget > max / 3 * 2 ? "high" : "medium";
	ai_wire_put_cstr(b->out, "effort", effort);
	return 0;
}

const struct complete_member complete_body_anthropic[] = {
	{ "model", .put = complete_body_model },
	{ "messages", .put = put_messages },
	{ "system", .put = put_system },
	{ "max_tokens", "max_tokens" },
	{ "temperature", "temperature" },
	{ "top_p", "top_p" },
	{ "stop_sequences", "stop" },
	{ "tools", .put = put_tools },
	{ "tool_choice", .put = put_tool_choice },
	{ "thinking", .put = put_thinking },
	{ "output_config", .put = put_output },
	/* What is the same without it, or changes only the price. */
	{ "stream", .fine = "false" },
	{ "service_tier", .fine = "\"auto\"" },
	{ "speed", .fine = "\"standard\"" },
	{ "cache_control", .fine = "*" },
	/* What is the provider's own book-keeping. */
	{ "metadata", .fine = "*" },
	{ "user_profile_id", .fine = "*" },
	{ "workspace_id", .fine = "*" },
	{ NULL }
};
