/* result.c: the answer to a call, as a text for a model. */
#include "mcp/int.h"
#include "tool/result.h"

#include "record/schema.h"

#include <string.h>

/* Bytes that base64 of n digits stands for, about. */
static size_t decoded(struct ai_value data)
{
	size_t n = ai_json_inside(data).n;

	return n / 4 * 3;
}

static void put_member(struct ai_value of, const char *name, const char *before,
		       struct ai_buf *out)
{
	struct ai_value v = ai_json_member(of, ai_span_of(name));

	if (v.kind != AI_STRING)
		return;
	ai_buf_str(out, before);
	ai_json_text(v, out);
}

/* "[image, image/png, 812 bytes]": what cannot be shown as text. */
static void put_blob(const char *what, struct ai_value of, const char *member,
		     struct ai_buf *out)
{
	struct ai_value data = ai_json_member(of, ai_span_of(member));

	ai_buf_fmt(out, "[%s", what);
	put_member(of, "uri", " ", out);
	put_member(of, "mimeType", ", ", out);
	ai_buf_fmt(out, ", %zu bytes, not shown]", decoded(data));
}

static void put_image(struct ai_value v, struct ai_buf *out)
{
	put_blob("image", v, "data", out);
}

static void put_audio(struct ai_value v, struct ai_buf *out)
{
	put_blob("audio", v, "data", out);
}

static void put_text(struct ai_value v, struct ai_buf *out)
{
	put_member(v, "text", "", out);
}

static void put_link(struct ai_value v, struct ai_buf *out)
{
	ai_buf_str(out, "[link");
	put_member(v, "name", " ", out);
	put_member(v, "uri", ": ", out);
	put_member(v, "mimeType", ", ", out);
	put_member(v, "description", ", ", out);
	ai_buf_chr(out, ']');
}

void mcp_result_resource(struct ai_value of, bool alone, struct ai_buf *out)
{
	if (ai_json_member(of, AI_SPAN("text")).kind != AI_STRING) {
		put_blob("resource", of, "blob", out);
		return;
	}
	if (!alone) {
		ai_buf_str(out, "[resource");
		put_member(of, "uri", " ", out);
		put_member(of, "mimeType", ", ", out);
		ai_buf_str(out, "]\n");
	}
	put_member(of, "text", "", out);
}

static void put_resource(struct ai_value v, struct ai_buf *out)
{
	mcp_result_resource(ai_json_member(v, AI_SPAN("resource")), false, out);
}

static const struct {
	const char *type;
	void (*put)(struct ai_value v, struct ai_buf *out);
} parts[] = {
	{ "text", put_text },         { "image", put_image },
	{ "audio", put_audio },       { "resource", put_resource },
	{ "resource_link", put_link },
};

void mcp_result_part(struct ai_value v, struct ai_buf *out)
{
	struct ai_value type = ai_json_member(v, AI_SPAN("type"));

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (type.kind == AI_STRING &&
		    ai_json_is(type, ai_span_of(parts[i].type))) {
			parts[i].put(v, out);
			return;
		}
	ai_buf_str(out, "[a part of a kind that is not known, not shown]");
}

static void put_content(struct ai_value content, struct ai_buf *out)
{
	struct ai_json_iter it;
	struct ai_value v;
	bool first = true;

	if (content.kind != AI_ARRAY)
		return;
	ai_json_iter_init(&it, content);
	while (ai_json_next(&it, NULL, &v)) {
		if (!first)
			ai_buf_chr(out, '\n');
		first = false;
		mcp_result_part(v, out);
	}
}

static bool has_text(struct ai_value content)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (content.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, content);
	while (ai_json_next(&it, NULL, &v)) {
		struct ai_value type = ai_json_member(v, AI_SPAN("type"));

		if (type.kind == AI_STRING &&
		    ai_json_is(type, AI_SPAN("text")))
			return true;
	}
	return false;
}

/* A result that is none: one of an extension, or a task to be asked for. */
static bool is_other(struct ai_value body, struct ai_buf *out)
{
	struct ai_value type = ai_json_member(body, AI_SPAN("resultType"));

	if (type.kind == AI_STRING && !ai_json_is(type, AI_SPAN("complete"))) {
		ai_buf_str(out, "the server answers with a result of a kind "
				"that is not known, '");
		ai_json_text(type, out);
		ai_buf_chr(out, '\'');
		return true;
	}
	if (ai_json_member(body, AI_SPAN("task")).kind == AI_OBJECT) {
		ai_buf_str(out, "the server has made a task of the call, "
				"which is not understood");
		return true;
	}
	return false;
}

static bool put_result(struct ai_value body, struct ai_buf *out)
{
	struct ai_value content = ai_json_member(body, AI_SPAN("content"));
	struct ai_value data = ai_json_member(body,
					      AI_SPAN("structuredContent"));

	if (is_other(body, out))
		return false;
	put_content(content, out);
	if (!has_text(content) && data.kind != AI_NONE &&
	    data.kind != AI_NULL) {
		if (out->len > 0)
			ai_buf_chr(out, '\n');
		ai_buf_add(out, data.s.p, data.s.n);
	}
	return !ai_json_true(ai_json_member(body, AI_SPAN("isError")));
}

/* A result that is not what the tool is said to give is still what it gave;
 * whoever reads it is told. */
static void put_misfit(const struct mcp_tool *tool, struct ai_value body,
		       struct ai_buf *out)
{
	struct ai_value data = ai_json_member(body,
					      AI_SPAN("structuredContent"));
	struct ai_schema *schema = NULL;
	struct ai_err err;

	if (tool->gives == NULL || data.kind == AI_NONE ||
	    ai_schema_new(&schema, tool->gives, strlen(tool->gives), &err) < 0)
		return;
	if (ai_schema_check(schema, data.s.p, data.s.n, &err) < 0)
		ai_buf_fmt(out, "\n[this is not of the form that the tool is "
			   "said to give: %.200s]", err.msg);
	ai_schema_free(schema);
}

static void put_raw(const struct mcp_call *call, struct ai_span json)
{
	ai_buf_add(call->raw, json.p, json.n);
	mcp_secret_hide(&call->server->entry, call->raw);
}

void mcp_result_put(struct agent_call *c, const struct mcp_message *m)
{
	const struct mcp_tool *tool = c->tool->of;
	const struct mcp_call *call = c->state;
	struct ai_buf raw = AI_BUF_INIT(2 * MCP_LINE_MAX);

	ai_buf_clear(&c->text);
	if (m->kind == MCP_ERROR) {
		mcp_error_say(m->body, &raw);
		c->failed = true;
	} else if (tool->what == MCP_TOOL) {
		c->failed = !put_result(m->body, &raw);
		if (!c->failed)
			put_misfit(tool, m->body, &raw);
	} else {
		c->failed = is_other(m->body, &raw) ||
			!mcp_resources_say(tool->what, m->body, &raw);
	}
	if (call != NULL && call->raw != NULL && m->kind != MCP_ERROR)
		put_raw(call, m->body.s);
	mcp_secret_hide(&tool->server->entry, &raw);
	agent_result_text(&c->text, (struct ai_span){ ai_buf_cstr(&raw),
						      raw.len },
			  (size_t)c->tool->max_output);
	ai_buf_release(&raw);
}
