/*
 * tool_tokens.c: what the description of tools counts.
 *
 * Providers tell a model of its tools in a text of their own, which they do
 * not publish.  OpenAI's cookbook gives a sum that comes near: so much for
 * each tool, parameter and value, and the tokens of their names, types and
 * descriptions, the last without a full stop.  Other vendors' rules have the
 * same form (chat_tokens.c).
 */
#include "model/chat_tokens.h"

static struct ai_value member(struct ai_value v, const char *a, const char *b)
{
	struct ai_value found = ai_json_get(v, a);

	return found.kind != AI_NONE ? found : ai_json_get(v, b);
}

/* Appends a string to the text; anything else counts as nothing. */
static void put(struct ai_buf *b, struct ai_value v)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, b);
}

static void put_description(struct ai_buf *b, struct ai_value v)
{
	put(b, v);
	if (v.kind == AI_STRING && b->len > 0 && b->p[b->len - 1] == '.')
		b->len--;
}

/* "name:description", or "name:type:description". */
static int add_line(struct ai_chat_sum *c, struct ai_value name,
		    struct ai_value type, struct ai_value description,
		    struct ai_err *err)
{
	struct ai_buf *b = c->text;

	ai_buf_clear(b);
	put(b, name);
	ai_buf_chr(b, ':');
	if (type.kind != AI_NONE) {
		put(b, type);
		ai_buf_chr(b, ':');
	}
	put_description(b, description);
	if (ai_buf_check(b, "the tool", err) < 0)
		return -1;
	return ai_chat_add_bytes(c, b->p, b->len, 0, err);
}

static int add_list(struct ai_chat_sum *c, struct ai_value list,
		    struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0;

	if (list.kind != AI_ARRAY)
		return 0;
	c->tools += c->rule->list;
	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v)) {
		c->tools += c->rule->value;
		rc = v.kind == AI_STRING ? ai_chat_add_string(c, v, err)
			: ai_chat_add_bytes(c, v.s.p, v.s.n, 0, err);
	}
	return rc;
}

/* What is inside a parameter counts as its JSON: no rule says. */
static int add_inside(struct ai_chat_sum *c, struct ai_value parameter,
		      struct ai_err *err)
{
	static const char *const inside[] = { "properties", "items" };

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
		struct ai_value v = ai_json_get(parameter, inside[i]);

		if (v.kind == AI_OBJECT &&
		    ai_chat_add_bytes(c, v.s.p, v.s.n, 0, err) < 0)
			return -1;
	}
	return 0;
}

static int add_parameters(struct ai_chat_sum *c, struct ai_value properties,
			  struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value key, v, type;
	bool any = false;

	if (properties.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, properties);
	while (ai_json_next(&it, &key, &v)) {
		if (!any)
			c->tools += c->rule->parameters;
		any = true;
		c->tools += c->rule->parameter;
		type = ai_json_get(v, "type");
		if (type.kind == AI_NONE)
			type = (struct ai_value){ AI_STRING, AI_SPAN("\"\"") };
		if (add_list(c, ai_json_get(v, "enum"), err) < 0 ||
		    add_line(c, key, type, ai_json_get(v, "description"),
			     err) < 0 || add_inside(c, v, err) < 0)
			return -1;
	}
	return 0;
}

/* OpenAI's {"type":"function","function":{...}}, or the inside of it, as
 * others have it. */
static int add_tool(struct ai_chat_sum *c, struct ai_value tool,
		    struct ai_err *err)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	struct ai_value f = ai_json_get(tool, "function"), parameters;

	if (f.kind != AI_OBJECT)
		f = tool;
	parameters = member(f, "parameters", "input_schema");
	c->tools += c->rule->tool;
	if (add_line(c, ai_json_get(f, "name"), none,
		     ai_json_get(f, "description"), err) < 0)
		return -1;
	return add_parameters(c, ai_json_get(parameters, "properties"), err);
}

int ai_chat_add_tools(struct ai_chat_sum *c, struct ai_value tools,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value tool;
	size_t n = 0;

	if (tools.kind == AI_NONE || tools.kind == AI_NULL)
		return 0;
	if (tools.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD, "'tools' is no array");
	ai_json_iter_init(&it, tools);
	for (; ai_json_next(&it, NULL, &tool); n++) {
		if (tool.kind != AI_OBJECT)
			return ai_err_set(err, AI_E_RECORD,
					  "tool %zu is no object", n);
		if (add_tool(c, tool, err) < 0)
			return -1;
	}
	if (n > 0)
		c->tools += c->rule->tools;
	return 0;
}
