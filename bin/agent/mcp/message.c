/* message.c: JSON-RPC as an MCP server writes it. */
#include "mcp/message.h"

#include "base/utf8.h"

#include <string.h>

/* ---- a line ---------------------------------------------------------------- */

static void mend(const char *p, size_t n, struct ai_buf *out)
{
	ai_buf_clear(out);
	while (n > 0) {
		size_t good = ai_utf8_valid(p, n);

		ai_buf_add(out, p, good);
		p += good, n -= good;
		if (n == 0)
			break;
		ai_buf_str(out, "\357\277\275");
		p++, n--;
	}
}

int mcp_line_check(const char *p, size_t n, struct ai_buf *spare,
		   struct ai_value *v, struct ai_err *err)
{
	if (ai_utf8_valid(p, n) < n) {
		mend(p, n, spare);
		if (ai_buf_check(spare, "the line", err) < 0)
			return -1;
		p = spare->p, n = spare->len;
	}
	return ai_json_check(p, n, v, err);
}

/* ---- a message ------------------------------------------------------------- */

static int noise(struct mcp_message *m, const char *why)
{
	m->kind = MCP_NOISE;
	m->why = why;
	return -1;
}

static bool id_is_good(struct ai_value id)
{
	return (id.kind == AI_STRING || id.kind == AI_NUMBER) &&
	       id.s.n <= MCP_ID_MAX;
}

/* A request or a notification: it has a method. */
static int read_method(struct mcp_message *m)
{
	if (m->method.kind != AI_STRING)
		return noise(m, "its method is no string");
	if (m->params.kind != AI_NONE && m->params.kind != AI_OBJECT &&
	    m->params.kind != AI_ARRAY)
		return noise(m, "its params are no object");
	if (m->id.kind == AI_NONE) {
		m->kind = MCP_NOTIFICATION;
		return 0;
	}
	if (!id_is_good(m->id))
		return noise(m, "its id is neither a string nor a number");
	m->kind = MCP_REQUEST;
	return 0;
}

static int read_reply(struct mcp_message *m, struct ai_value result,
		      struct ai_value error)
{
	if (error.kind == AI_NONE && result.kind == AI_NONE)
		return noise(m, "it has no method, result or error");
	m->body = error.kind != AI_NONE ? error : result;
	if (m->body.kind != AI_OBJECT)
		return noise(m, "its result or error is no object");
	m->kind = error.kind != AI_NONE ? MCP_ERROR : MCP_RESULT;
	if (m->id.kind != AI_NUMBER || ai_json_i64(m->id, &m->number) < 0 ||
	    m->number < 0)
		m->number = -1;
	return 0;
}

void mcp_message_read(struct ai_value v, struct mcp_message *m)
{
	struct ai_value result = { 0 }, error = { 0 }, version = { 0 };
	const struct ai_json_want want[] = {
		{ AI_SPAN("jsonrpc"), &version }, { AI_SPAN("id"), &m->id },
		{ AI_SPAN("method"), &m->method },
		{ AI_SPAN("params"), &m->params },
		{ AI_SPAN("result"), &result }, { AI_SPAN("error"), &error },
	};

	*m = (struct mcp_message){ .number = -1 };
	if (v.kind != AI_OBJECT) {
		noise(m, "it is no object");
		return;
	}
	ai_json_members(v, want, sizeof want / sizeof *want);
	/* Programs that log JSON lines must not answer our calls. */
	if (version.kind != AI_STRING || !ai_json_is(version, AI_SPAN("2.0")))
		noise(m, "it is not JSON-RPC 2.0");
	else if (m->method.kind != AI_NONE)
		read_method(m);
	else
		read_reply(m, result, error);
}

void mcp_error_say(struct ai_value error, struct ai_buf *out)
{
	struct ai_value code = ai_json_member(error, AI_SPAN("code"));
	struct ai_value message = ai_json_member(error, AI_SPAN("message"));
	struct ai_value data = ai_json_member(error, AI_SPAN("data"));

	ai_buf_str(out, "error");
	if (code.kind == AI_NUMBER) {
		ai_buf_chr(out, ' ');
		ai_buf_add(out, code.s.p, code.s.n < 24 ? code.s.n : 24);
	}
	if (message.kind == AI_STRING) {
		ai_buf_str(out, ": ");
		ai_json_text(message, out);
	}
	if (data.kind == AI_STRING) {
		ai_buf_str(out, " (");
		ai_json_text(data, out);
		ai_buf_chr(out, ')');
	}
}

/* ---- a line that is too long ------------------------------------------------- */

void mcp_skim_init(struct mcp_skim *s)
{
	*s = (struct mcp_skim){ .id = -1 };
}

static bool word_is(const struct mcp_skim *s, const char *name)
{
	return s->n == strlen(name) && memcmp(s->word, name, s->n) == 0;
}

static void word_add(struct mcp_skim *s, char c)
{
	if (s->n < sizeof s->word)
		s->word[s->n] = c;
	s->n++;
}

/* Within a string. */
static void skim_string(struct mcp_skim *s, char c)
{
	if (s->escaped) {
		s->escaped = false;
	} else if (c == '\\') {
		s->escaped = true;
	} else if (c == '"') {
		s->quoted = false;
		if (!s->key)
			return;
		s->key = false;
		s->is_id = word_is(s, "id");
		s->asks = s->asks || word_is(s, "method");
		s->n = 0;
		return;
	}
	if (s->key)
		word_add(s, c);
}

/* A member at depth 1 is over. */
static void skim_member(struct mcp_skim *s)
{
	int64_t id;

	if (s->is_id && s->value)
		s->id = !s->no_number && s->n > 0 && s->n <= sizeof s->word &&
				ai_parse_i64((struct ai_span){ s->word, s->n },
					     &id) == 0 && id >= 0
			? id : -1;
	s->value = s->is_id = s->no_number = false;
	s->n = 0;
}

static void skim_mark(struct mcp_skim *s, char c)
{
	bool top = s->depth == 1;

	if (c == '"') {
		s->quoted = true;
		s->key = top && !s->value;
		s->no_number = s->no_number || (top && s->is_id);
		if (s->key)
			s->n = 0;
	} else if (c == '{' || c == '[') {
		/* In an array, no depth is that of a message. */
		s->depth += s->depth == 0 && c == '[' ? 2 : 1;
		s->no_number = s->no_number || (top && s->is_id);
	} else if (c == '}' || c == ']') {
		if (top)
			skim_member(s);
		s->depth -= s->depth > 0;
	} else if (top && c == ',') {
		skim_member(s);
	} else if (top && c == ':') {
		s->value = true;
	} else if (top && s->is_id && s->value && strchr(" \t\r\n", c) == NULL) {
		word_add(s, c);
	}
}

void mcp_skim_add(struct mcp_skim *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s->quoted)
			skim_string(s, p[i]);
		else
			skim_mark(s, p[i]);
	}
}

int64_t mcp_skim_id(const struct mcp_skim *s)
{
	return s->asks ? -1 : s->id;
}
