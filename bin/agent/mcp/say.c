/* say.c: what lists, resources and prompts of MCP servers say, as text. */
#include "mcp/int.h"

static void put_member(struct ai_value of, const char *name, const char *before,
		       const char *behind, struct ai_buf *out)
{
	struct ai_value v = ai_json_member(of, ai_span_of(name));

	if (v.kind != AI_STRING)
		return;
	ai_buf_str(out, before);
	ai_json_text(v, out);
	ai_buf_str(out, behind);
}

static void put_resource(struct ai_value v, struct ai_buf *out)
{
	put_member(v, "uri", "", "", out);
	put_member(v, "uriTemplate", "", "", out);
	put_member(v, "name", "  ", "", out);
	put_member(v, "mimeType", " (", ")", out);
	put_member(v, "description", ": ", "", out);
	ai_buf_chr(out, '\n');
}

static void put_prompt(struct ai_value v, struct ai_buf *out)
{
	struct ai_value args = ai_json_member(v, AI_SPAN("arguments")), one;
	struct ai_json_iter it;
	bool first = true;

	put_member(v, "name", "", "", out);
	ai_buf_chr(out, '(');
	if (args.kind == AI_ARRAY) {
		ai_json_iter_init(&it, args);
		while (ai_json_next(&it, NULL, &one)) {
			bool needed = ai_json_true(ai_json_member(one,
							AI_SPAN("required")));

			ai_buf_str(out, first ? "" : ", ");
			first = false;
			put_member(one, "name", needed ? "" : "[",
				   needed ? "" : "]", out);
		}
	}
	ai_buf_chr(out, ')');
	put_member(v, "description", ": ", "", out);
	ai_buf_chr(out, '\n');
}

static bool put_list(struct ai_value result, const char *name,
		     void (*put)(struct ai_value v, struct ai_buf *out),
		     struct ai_buf *out)
{
	struct ai_value list = ai_json_member(result, ai_span_of(name)), v;
	struct ai_json_iter it;

	if (list.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		put(v, out);
	put_member(result, "nextCursor", "there is more, with the cursor '",
		   "'\n", out);
	return true;
}

static bool put_contents(struct ai_value result, struct ai_buf *out)
{
	struct ai_value list = ai_json_member(result, AI_SPAN("contents")), v;
	struct ai_json_iter it;
	size_t n = 0, i = 0;

	if (list.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		n++;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		if (i++ > 0)
			ai_buf_chr(out, '\n');
		mcp_result_resource(v, n == 1, out);
	}
	return true;
}

static void put_message(struct ai_value v, struct ai_buf *out)
{
	put_member(v, "role", "", ": ", out);
	mcp_result_part(ai_json_member(v, AI_SPAN("content")), out);
	ai_buf_chr(out, '\n');
}

bool mcp_resources_say(enum mcp_what what, struct ai_value result,
		       struct ai_buf *out)
{
	bool good;

	switch (what) {
	case MCP_LIST_RESOURCES:
		good = put_list(result, "resources", put_resource, out) ||
			put_list(result, "resourceTemplates", put_resource, out);
		break;
	case MCP_LIST_PROMPTS:
		good = put_list(result, "prompts", put_prompt, out);
		break;
	case MCP_GET_PROMPT:
		good = put_list(result, "messages", put_message, out);
		break;
	default:
		good = put_contents(result, out);
	}
	if (!good)
		ai_buf_str(out, "the server answers without what was asked for");
	else if (out->len > 0 && out->p[out->len - 1] == '\n')
		out->len--;
	return good;
}
