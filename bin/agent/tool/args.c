#include "tool/args.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void agent_json_compact(struct ai_value v, struct ai_buf *out)
{
	const char *p = v.s.p, *end = p + v.s.n, *from;

	while (p < end) {
		while (p < end && is_blank(*p))
			p++;
		for (from = p; p < end && !is_blank(*p); p++) {
			if (*p != '"')
				continue;
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		}
		ai_buf_add(out, from, (size_t)(p - from));
	}
}

static void put_strings(struct ai_value v, struct ai_buf *out)
{
	struct ai_json_iter it;
	struct ai_value key, inner;

	if (v.kind == AI_STRING) {
		ai_json_text(v, out);
		ai_buf_chr(out, '\n');
	}
	if (v.kind != AI_ARRAY && v.kind != AI_OBJECT)
		return;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &inner)) {
		put_strings(key, out);
		put_strings(inner, out);
	}
}

void agent_json_strings(struct ai_span json, struct ai_buf *out)
{
	struct ai_value v;

	if (ai_json_check(json.p, json.n, &v, NULL) == 0)
		put_strings(v, out);
}

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Some models pack the object into a string. inner keeps what was in it. */
static int unpack(struct ai_value *v, struct ai_buf *inner, struct ai_err *err)
{
	struct ai_span text;

	if (ai_json_text(*v, inner) < 0)
		return ai_buf_check(inner, "the arguments", err);
	text = trim((struct ai_span){ ai_buf_cstr(inner), inner->len });
	if (text.n == 0) {
		v->kind = AI_NULL;
		return 0;
	}
	if (ai_json_check(text.p, text.n, v, NULL) < 0 || v->kind != AI_OBJECT)
		return ai_err_set(err, AI_E_RECORD, "the arguments are a "
				  "string, not a JSON object; send an object");
	return 0;
}

static const char *const kinds[] = {
	[AI_NONE] = "nothing", [AI_NULL] = "null", [AI_BOOL] = "a boolean",
	[AI_NUMBER] = "a number", [AI_STRING] = "a string",
	[AI_ARRAY] = "an array", [AI_OBJECT] = "an object",
};

/* The object that the arguments are; kind AI_NULL: {}. */
static int read_args(struct ai_span args, struct ai_value *v,
		     struct ai_buf *inner, struct ai_err *err)
{
	struct ai_err why;

	*v = (struct ai_value){ AI_NULL, { "", 0 } };
	if (args.n > AGENT_ARGS_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "the arguments have %zu "
				  "bytes; at most %zu are allowed", args.n,
				  AGENT_ARGS_MAX);
	args = trim(args);
	if (args.n == 0)
		return 0;
	if (ai_json_check(args.p, args.n, v, &why) < 0)
		return ai_err_set(err, AI_E_RECORD, "the arguments are not "
				  "JSON (%.250s); send one JSON object",
				  why.msg);
	if (v->kind == AI_STRING && unpack(v, inner, err) < 0)
		return -1;
	if (v->kind != AI_OBJECT && v->kind != AI_NULL)
		return ai_err_set(err, AI_E_RECORD, "the arguments are %s, not "
				  "a JSON object; send an object",
				  kinds[v->kind]);
	return 0;
}

int agent_args_check(const struct agent_tool *tool, struct ai_span args,
		     struct ai_buf *cleaned, struct ai_err *err)
{
	struct ai_buf inner = AI_BUF_INIT(AGENT_ARGS_MAX);
	struct ai_value v;
	struct ai_err why;
	int rc;

	ai_buf_clear(cleaned);
	rc = read_args(args, &v, &inner, err);
	if (rc == 0 && v.kind == AI_NULL)
		ai_buf_str(cleaned, "{}");
	else if (rc == 0)
		agent_json_compact(v, cleaned);
	ai_buf_release(&inner);
	if (rc < 0 || ai_buf_check(cleaned, "the arguments", err) < 0)
		return -1;
	if (ai_schema_check(tool->schema, cleaned->p, cleaned->len, &why) == 0)
		return 0;
	return ai_err_set(err, why.code == AI_E_MEMORY ? AI_E_MEMORY :
			  AI_E_RECORD, "wrong arguments for '%s': %.300s",
			  tool->name, why.msg);
}
