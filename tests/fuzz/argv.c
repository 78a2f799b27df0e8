/*
 * Templates of command lines: the first line is a template, the second the
 * arguments, whose names are all that there are.  An argument of the program
 * begins with '-' only where the template says so; text without placeholders
 * stays what it is.
 * fuzz: bin/agent/tool/args.c bin/agent/strlist.c bin/agent/tool/template.c
 */
#include "tool/template.h"
#include "fuzz.h"

#include <string.h>

/* Whether an element of the template may begin with '-'. */
static bool may_begin(const struct agent_template *t)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		if (t->pieces[i].kind != AGENT_VALUE &&
		    t->pieces[i].kind != AGENT_SPREAD &&
		    t->pieces[i].text[0] == '-')
			return true;
	return false;
}

static bool is_plain(const struct agent_template *t)
{
	for (size_t i = 0; i < t->n_pieces; i++)
		if (t->pieces[i].kind != AGENT_TEXT)
			return false;
	return true;
}

static void check_fill(const struct agent_template *t, struct ai_value args)
{
	struct agent_strings out = { 0 };
	struct ai_buf text = AI_BUF_INIT((size_t)1 << 20);
	struct ai_err err;
	int rc = agent_template_fill(t, args, "key", &out, &err);

	must(rc == 0 || err.code == AI_E_RECORD || err.code == AI_E_TOO_LONG);
	if (rc == 0 && is_plain(t))
		must(out.n == t->n_elements);
	for (size_t i = 0; i < out.n && !may_begin(t); i++)
		must(out.v[i][0] != '-');
	rc = agent_template_text(t, args, "key", &text, &err);
	must(rc == 0 || err.code == AI_E_TOO_LONG);
	ai_buf_release(&text);
	agent_strings_release(&out);
}

/* A schema with the names of the arguments. */
static void check(struct ai_value list, struct ai_value args)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	struct ai_value schema, none = { AI_NONE, { NULL, 0 } };
	struct agent_template t;
	struct ai_err err;

	ai_buf_str(&b, "{\"properties\":");
	ai_buf_add(&b, args.s.p, args.s.n);
	ai_buf_chr(&b, '}');
	if (ai_json_check(ai_buf_cstr(&b), b.len, &schema, NULL) == 0) {
		if (agent_template_read(&t, list, schema, none, &err) < 0)
			must(err.code == AI_E_CONFIG);
		else
			check_fill(&t, args);
		agent_template_release(&t);
	}
	ai_buf_release(&b);
}

/* What data/schema/tools.json allows. */
static bool is_template(struct ai_value list)
{
	struct ai_json_iter it, in;
	struct ai_value v, w;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		if (v.kind != AI_STRING && v.kind != AI_ARRAY)
			return false;
		ai_json_iter_init(&in, v);
		while (v.kind == AI_ARRAY && ai_json_next(&in, NULL, &w))
			if (w.kind != AI_STRING)
				return false;
	}
	return list.kind == AI_ARRAY || list.kind == AI_STRING;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *end = size == 0 ? NULL : memchr(p, '\n', size);
	struct ai_value list, args;

	if (end == NULL ||
	    ai_json_check(p, (size_t)(end - p), &list, NULL) < 0 ||
	    ai_json_check(end + 1, size - (size_t)(end + 1 - p), &args,
			  NULL) < 0)
		return 0;
	if (is_template(list) && args.kind == AI_OBJECT)
		check(list, args);
	return 0;
}
