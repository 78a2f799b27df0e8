/*
 * batch-openai.c: bodies of OpenAI's /v1/chat/completions and /v1/responses,
 * after its published OpenAPI description (info.version 2.3.0).
 */
#include "complete.h"

#include <stdio.h>
#include <string.h>

/* ---- chat completions ------------------------------------------------------ */

/* {"type":"text"} is what there is without one. */
static int put_format(struct complete_body *b, struct ai_value v,
		      const char *schema, const char *name)
{
	struct ai_value type = ai_json_get(v, "type");

	if (ai_json_is(type, AI_SPAN("text")))
		return 0;
	if (!ai_json_is(type, AI_SPAN("json_schema")) ||
	    ai_json_get(v, schema).kind != AI_OBJECT)
		return complete_body_wrong(b, name, "is neither text nor a "
					   "JSON schema");
	ai_wire_put_value(b->out, "schema", ai_json_get(v, schema));
	return 0;
}

static int put_response_format(struct complete_body *b, struct ai_value v)
{
	return put_format(b, v, "json_schema.schema", "response_format");
}

const struct complete_member complete_body_chat[] = {
	{ "model", .put = complete_body_model },
	{ "messages", "messages" },
	{ "max_tokens", "max_tokens" },
	{ "max_completion_tokens", "max_tokens" },
	{ "temperature", "temperature" },
	{ "top_p", "top_p" },
	{ "seed", "seed" },
	{ "stop", "stop" },
	{ "reasoning_effort", "effort" },
	{ "tools", "tools" },
	{ "tool_choice", "tool_choice" },
	{ "response_format", .put = put_response_format },
	/* What is the same without it. */
	{ "n", .fine = "1" },
	{ "stream", .fine = "false" },
	{ "stream_options", .fine = "{}" },
	{ "logprobs", .fine = "false" },
	{ "top_logprobs", .fine = "0" },
	{ "frequency_penalty", .fine = "0" },
	{ "presence_penalty", .fine = "0" },
	{ "logit_bias", .fine = "{}" },
	{ "parallel_tool_calls", .fine = "true" },
	{ "modalities", .fine = "[\"text\"]" },
	{ "service_tier", .fine = "\"auto\"|\"default\"" },
	{ "verbosity", .fine = "\"medium\"" },
	/* What is the provider's own book-keeping. */
	{ "metadata", .fine = "*" },
	{ "store", .fine = "*" },
	{ "user", .fine = "*" },
	{ "safety_identifier", .fine = "*" },
	{ "prompt_cache_key", .fine = "*" },
	{ "prompt_cache_retention", .fine = "*" },
	{ NULL }
};

/* ---- responses ------------------------------------------------------------- */

static int put_text_format(struct complete_body *b, struct ai_value v)
{
	return put_format(b, v, "schema", "format");
}

static int put_text(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "format", .put = put_text_format },
		{ "verbosity", .fine = "\"medium\"" },
		{ NULL }
	};
	struct complete_within w;

	return complete_body_put(complete_body_enter(&w, b, "text", SIZE_MAX),
				 v, members);
}

static int put_reasoning(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "effort", "effort" },
		{ NULL }
	};
	struct complete_within w;

	return complete_body_put(complete_body_enter(&w, b, "reasoning",
						     SIZE_MAX), v, members);
}

/* A function has its members in the tool itself here. */
static int put_tools(struct complete_body *b, struct ai_value v)
{
	static const struct complete_member members[] = {
		{ "type", .fine = "\"function\"" },
		{ "name", "name" },
		{ "description", "description" },
		{ "parameters", "parameters" },
		{ "strict", "strict" },
		{ NULL }
	};
	struct complete_within w;
	struct ai_json_iter it;
	struct ai_value tool;

	if (v.kind != AI_ARRAY)
		return complete_body_wrong(b, "tools", "is not a list");
	ai_wire_put_in(b->out, "tools", '[');
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &tool); i++) {
		ai_put_open(b->out, '{');
		ai_wire_put_cstr(b->out, "type", "function");
		ai_wire_put_in(b->out, "function", '{');
		if (complete_body_put(complete_body_enter(&w, b, "tools", i),
				      tool, members) < 0)
			return -1;
		ai_put_close(b->out, '}');
		ai_put_close(b->out, '}');
	}
	ai_put_close(b->out, ']');
	return 0;
}

static int put_tool_choice(struct complete_body *b, struct ai_value v)
{
	struct ai_value name = ai_json_get(v, "name");

	if (name.kind != AI_STRING) {
		ai_wire_put_value(b->out, "tool_choice", v);
		return 0;
	}
	ai_wire_put_in(b->out, "tool_choice", '{');
	ai_wire_put_cstr(b->out, "type", "function");
	ai_wire_put_in(b->out, "function", '{');
	ai_wire_put_value(b->out, "name", name);
	ai_put_close(b->out, '}');
	ai_put_close(b->out, '}');
	return 0;
}

/* ---- what it says ----------------------------------------------------------- */

static int wrong_item(struct complete_body *b, size_t i, const char *what)
{
	char name[40];

	snprintf(name, sizeof name, "input.%zu", i);
	return complete_body_wrong(b, name, what);
}

static int put_part(struct complete_body *b, size_t i, struct ai_value part)
{
	static const char *const texts[] = {
		"input_text", "output_text", "text"
	};
	struct ai_value type = ai_json_get(part, "type");
	struct ai_value url = ai_json_get(part, "image_url");
	struct ai_buf *out = b->out;

	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
		if (!ai_json_is(type, ai_span_of(texts[k])))
			continue;
		ai_put_open(out, '{');
		ai_wire_put_cstr(out, "type", "text");
		ai_wire_put_value(out, "text", ai_json_get(part, "text"));
		ai_put_close(out, '}');
		return 0;
	}
	if (ai_json_is(type, AI_SPAN("refusal"))) {
		ai_put_value(out, part);
		return 0;
	}
	if (!ai_json_is(type, AI_SPAN("input_image")) || url.kind != AI_STRING)
		return wrong_item(b, i, "has a part that is neither a text "
				  "nor a picture with an address");
	ai_put_open(out, '{');
	ai_wire_put_cstr(out, "type", "image_url");
	ai_wire_put_in(out, "image_url", '{');
	ai_wire_put_value(out, "url", url);
	ai_wire_put_value(out, "detail", ai_json_get(part, "detail"));
	ai_put_close(out, '}');
	ai_put_close(out, '}');
	return 0;
}

static int put_message(struct complete_body *b, size_t i, struct ai_value item)
{
	struct ai_value content = ai_json_get(item, "content"), part;
	struct ai_json_iter it;

	if (content.kind != AI_STRING && content.kind != AI_ARRAY)
		return wrong_item(b, i, "has no content");
	ai_put_open(b->out, '{');
	ai_wire_put_value(b->out, "role", ai_json_get(item, "role"));
	if (content.kind == AI_STRING) {
		ai_wire_put_value(b->out, "content", content);
	} else {
		ai_wire_put_in(b->out, "content", '[');
		ai_json_iter_init(&it, content);
		while (ai_json_next(&it, NULL, &part))
			if (put_part(b, i, part) < 0)
				return -1;
		ai_put_close(b->out, ']');
	}
	ai_put_close(b->out, '}');
	return 0;
}

/* Calls that were made together are one message: *open while it is being
 * written. */
static void put_call(struct complete_body *b, struct ai_value item, bool *open)
{
	if (!*open) {
		ai_put_open(b->out, '{');
		ai_wire_put_cstr(b->out, "role", "assistant");
		ai_put_key(b->out, "content");
		ai_put_null(b->out);
		ai_wire_put_in(b->out, "tool_calls", '[');
		*open = true;
	}
	ai_put_open(b->out, '{');
	ai_wire_put_value(b->out, "id", ai_json_get(item, "call_id"));
	ai_wire_put_cstr(b->out, "type", "function");
	ai_wire_put_in(b->out, "function", '{');
	ai_wire_put_value(b->out, "name", ai_json_get(item, "name"));
	ai_wire_put_value(b->out, "arguments",
			  ai_json_get(item, "arguments"));
	ai_put_close(b->out, '}');
	ai_put_close(b->out, '}');
}

static void close_calls(struct complete_body *b, bool *open)
{
	if (!*open)
		return;
	ai_put_close(b->out, ']');
	ai_put_close(b->out, '}');
	*open = false;
}

static int put_item(struct complete_body *b, size_t i, struct ai_value item,
		    bool *open)
{
	struct ai_value type = ai_json_get(item, "type");

	if (ai_json_is(type, AI_SPAN("function_call"))) {
		put_call(b, item, open);
		return 0;
	}
	close_calls(b, open);
	if (ai_json_is(type, AI_SPAN("function_call_output"))) {
		ai_put_open(b->out, '{');
		ai_wire_put_cstr(b->out, "role", "tool");
		ai_wire_put_value(b->out, "tool_call_id",
				  ai_json_get(item, "call_id"));
		ai_wire_put_value(b->out, "content",
				  ai_json_get(item, "output"));
		ai_put_close(b->out, '}');
		return 0;
	}
	if (type.kind == AI_NONE || ai_json_is(type, AI_SPAN("message")))
		return put_message(b, i, item);
	return wrong_item(b, i, "is nothing that ai-complete can ask for");
}

static int put_input(struct complete_body *b, struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value item;
	bool open = false;

	if (v.kind != AI_STRING && v.kind != AI_ARRAY)
		return complete_body_wrong(b, "input", "is neither a text nor "
					   "a list");
	ai_wire_put_in(b->out, "messages", '[');
	if (v.kind == AI_STRING) {
		ai_put_open(b->out, '{');
		ai_wire_put_cstr(b->out, "role", "user");
		ai_wire_put_value(b->out, "content", v);
		ai_put_close(b->out, '}');
	}
	ai_json_iter_init(&it, v);
	for (size_t i = 0; v.kind == AI_ARRAY && ai_json_next(&it, NULL, &item);
	     i++)
		if (put_item(b, i, item, &open) < 0)
			return -1;
	close_calls(b, &open);
	ai_put_close(b->out, ']');
	return 0;
}

const struct complete_member complete_body_responses[] = {
	{ "model", .put = complete_body_model },
	{ "input", .put = put_input },
	{ "instructions", "system" },
	{ "max_output_tokens", "max_tokens" },
	{ "temperature", "temperature" },
	{ "top_p", "top_p" },
	{ "reasoning", .put = put_reasoning },
	{ "text", .put = put_text },
	{ "tools", .put = put_tools },
	{ "tool_choice", .put = put_tool_choice },
	/* What is the same without it. */
	{ "stream", .fine = "false" },
	{ "stream_options", .fine = "{}" },
	{ "background", .fine = "false" },
	{ "include", .fine = "[]" },
	{ "top_logprobs", .fine = "0" },
	{ "parallel_tool_calls", .fine = "true" },
	{ "service_tier", .fine = "\"auto\"|\"default\"" },
	{ "truncation", .fine = "\"disabled\"" },
	/* What is the provider's own book-keeping. */
	{ "metadata", .fine = "*" },
	{ "store", .fine = "*" },
	{ "user", .fine = "*" },
	{ "safety_identifier", .fine = "*" },
	{ "prompt_cache_key", .fine = "*" },
	{ "prompt_cache_retention", .fine = "*" },
	{ NULL }
};
