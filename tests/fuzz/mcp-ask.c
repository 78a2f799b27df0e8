/*
 * What MCP servers ask of us, as {"schema", "args", "params", "lines"}: headers
 * that a tool's schema wants hold nothing but what a header may, one each; a
 * form comes to an end, and its result is JSON with no name that was not asked
 * for; what is shown of it drives no terminal.
 * fuzz: bin/agent/mcp/headers.c bin/agent/mcp/form.c bin/agent/strlist.c bin/agent/say.c
 */
#include "mcp/int.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#define LINES 300 /* more than a form can take */

static void check_header(const char *line)
{
	size_t name = strcspn(line, ":;");

	must(strncasecmp(line, "Mcp-Param-", 10) == 0 && name > 10);
	must(line[name] == ';' ? line[name + 1] == '\0' : line[name + 1] == ' ');
	for (const char *p = line; *p != '\0'; p++)
		must(*p >= ' ' && *p <= '~');
}

static void check_headers(struct ai_value schema, struct ai_value args)
{
	struct agent_strings pairs = { 0 }, headers = { 0 };
	const char *why = NULL;
	struct ai_err err;
	int rc = mcp_headers_read(schema, &pairs, &why, &err);

	must(rc >= 0 && (rc == 0 || why != NULL) && pairs.n % 2 == 0);
	if (rc == 0 && args.kind == AI_OBJECT) {
		must(mcp_headers_add(&pairs, args.s, &headers, &err) == 0);
		must(headers.n <= pairs.n / 2);
		for (size_t i = 0; i < headers.n; i++)
			check_header(headers.v[i]);
	}
	agent_strings_release(&pairs);
	agent_strings_release(&headers);
}

static void check_result(const struct mcp_form *f, struct ai_value params)
{
	struct ai_value asked = ai_json_get(params,
					    "requestedSchema.properties");
	struct ai_buf out = AI_BUF_INIT(1 << 22);
	struct ai_json_iter it, in;
	struct ai_value v, content, key, other;

	mcp_form_result(f, &out);
	must(out.bad == AI_E_NONE &&
	     ai_json_check(out.p, out.len, &v, NULL) == 0);
	must(ai_json_member(v, AI_SPAN("action")).kind == AI_STRING);
	content = ai_json_member(v, AI_SPAN("content"));
	if (content.kind == AI_OBJECT) {
		ai_json_iter_init(&it, content);
		while (ai_json_next(&it, &key, &v)) {
			bool found = false;

			ai_json_iter_init(&in, asked);
			while (!found && ai_json_next(&in, &other, &v))
				found = other.s.n == key.s.n &&
					memcmp(other.s.p, key.s.p, key.s.n) == 0;
			must(found);
		}
	}
	ai_buf_release(&out);
}

/* Only what can be seen, and lines. */
static void check_shown(const struct ai_buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		must((unsigned char)b->p[i] >= ' ' ? b->p[i] != 127
						   : b->p[i] == '\n');
}

static void check_form(struct ai_value params, struct ai_value lines,
		       struct ai_value answers)
{
	struct mcp_form *f = mcp_form_new("s", params);
	struct ai_buf shown = AI_BUF_INIT(1 << 24), line = AI_BUF_INIT(1 << 20);
	struct ai_json_iter it = { 0 };
	struct ai_value v = { 0 };
	int n = 0;

	must(f != NULL);
	if (lines.kind == AI_ARRAY)
		ai_json_iter_init(&it, lines);
	while (!mcp_form_is_full(f)) {
		must(n++ < LINES);
		mcp_form_put(f, &shown);
		ai_buf_clear(&line);
		if (lines.kind == AI_ARRAY && ai_json_next(&it, NULL, &v) &&
		    v.kind == AI_STRING)
			ai_json_text(v, &line);
		mcp_form_take(f, (struct ai_span){ ai_buf_cstr(&line),
						   line.len });
	}
	check_shown(&shown);
	check_result(f, params);
	mcp_form_free(f);
	f = mcp_form_new("s", params);
	must(f != NULL);
	mcp_form_fill(f, answers);
	check_result(f, params);
	mcp_form_free(f);
	ai_buf_release(&shown);
	ai_buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_value v, schema, args, params, lines;
	const struct ai_json_want want[] = {
		{ AI_SPAN("schema"), &schema }, { AI_SPAN("args"), &args },
		{ AI_SPAN("params"), &params }, { AI_SPAN("lines"), &lines },
	};

	if (size > 65536 ||
	    ai_json_check((const char *)data, size, &v, NULL) < 0)
		return 0;
	if (v.kind != AI_OBJECT)
		return 0;
	ai_json_members(v, want, sizeof want / sizeof *want);
	check_headers(schema, args);
	check_form(params, lines, args);
	return 0;
}
