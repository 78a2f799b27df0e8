/* mcp-send.c: what an MCP server is sent. */
#include "mcp-int.h"

#include <string.h>

static const char id_of_key[] = "aiutils/idempotencyKey";

void mcp_send(struct mcp_server *s, struct ai_buf *line)
{
	struct ai_err err;

	if (s->broken)
		return;
	ai_buf_chr(line, '\n');
	if (ai_buf_check(line, "what it is asked", &err) < 0 ||
	    agent_child_send(&s->child, line->p, line->len, &err) < 0)
		mcp_server_fail(s, "cannot be written to: %.300s", err.msg);
	else if (s->child.input.len > MCP_SENT_MAX)
		mcp_server_fail(s, "does not read what it is sent");
}

/* ---- ours -------------------------------------------------------------------- */

static void open_message(struct mcp_server *s, const char *method, int64_t id)
{
	ai_buf_clear(&s->out);
	ai_put_open(&s->out, '{');
	ai_put_key(&s->out, "jsonrpc");
	ai_put_cstr(&s->out, "2.0");
	if (id > 0) {
		ai_put_key(&s->out, "id");
		ai_put_i64(&s->out, id);
	}
	ai_put_key(&s->out, "method");
	ai_put_cstr(&s->out, method);
}

static void open_params(struct mcp_server *s)
{
	ai_put_key(&s->out, "params");
	ai_put_open(&s->out, '{');
}

/* Closes the params as well, and sends. */
static void close_message(struct mcp_server *s)
{
	ai_put_close(&s->out, '}');
	ai_put_close(&s->out, '}');
	mcp_send(s, &s->out);
}

void mcp_send_hello(struct mcp_server *s)
{
	struct ai_buf *b = &s->out;

	s->hello = ++s->next_id;
	open_message(s, "initialize", s->hello);
	open_params(s);
	ai_put_key(b, "protocolVersion");
	ai_put_cstr(b, MCP_VERSION);
	ai_put_key(b, "capabilities");
	ai_put_open(b, '{');
	if (s->entry.roots) {
		ai_put_key(b, "roots");
		ai_put_open(b, '{');
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
	ai_put_key(b, "clientInfo");
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, "ai-agent");
	ai_put_key(b, "version");
	ai_put_cstr(b, PACKAGE_VERSION);
	ai_put_close(b, '}');
	close_message(s);
}

void mcp_send_initialized(struct mcp_server *s)
{
	open_message(s, "notifications/initialized", 0);
	ai_put_close(&s->out, '}');
	mcp_send(s, &s->out);
}

void mcp_send_list(struct mcp_server *s)
{
	s->list = ++s->next_id;
	open_message(s, "tools/list", s->list);
	open_params(s);
	if (s->cursor.len > 0) {
		ai_put_key(&s->out, "cursor");
		ai_put_str(&s->out, s->cursor.p, s->cursor.len);
	}
	close_message(s);
}

/* A message is a line: blanks of JSON that end one become others. */
static void put_flat(struct ai_buf *b, struct ai_span json)
{
	size_t from = b->len;

	ai_put_raw(b, json.p, json.n);
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] == '\n' || b->p[i] == '\r')
			b->p[i] = ' ';
}

void mcp_send_call(struct mcp_server *s, struct mcp_call *call)
{
	const struct mcp_tool *tool = call->c->tool->of;
	struct ai_buf *b = &s->out;

	call->id = ++s->next_id;
	open_message(s, "tools/call", call->id);
	open_params(s);
	ai_put_key(b, "name");
	ai_put_cstr(b, tool->name);
	ai_put_key(b, "arguments");
	put_flat(b, call->c->args);
	ai_put_key(b, "_meta");
	ai_put_open(b, '{');
	ai_put_key(b, id_of_key);
	ai_put_cstr(b, call->c->key);
	ai_put_close(b, '}');
	close_message(s);
}

void mcp_send_cancel(struct mcp_server *s, int64_t id, const char *reason)
{
	open_message(s, "notifications/cancelled", 0);
	open_params(s);
	ai_put_key(&s->out, "requestId");
	ai_put_i64(&s->out, id);
	ai_put_key(&s->out, "reason");
	ai_put_cstr(&s->out, reason);
	close_message(s);
}

/* ---- answers ------------------------------------------------------------------- */

/* As a file: URI has it. */
static void put_path(struct ai_buf *b, const char *path)
{
	static const char plain[] = "/-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789";

	for (; *path != '\0'; path++) {
		if (strchr(plain, *path) != NULL)
			ai_buf_chr(b, *path);
		else
			ai_buf_fmt(b, "%%%02X", (unsigned char)*path);
	}
}

static void put_roots(const struct mcp_server *s, struct ai_buf *out)
{
	struct ai_buf uri = AI_BUF_INIT(1 << 16);

	ai_buf_str(&uri, "file://");
	put_path(&uri, s->of->sandbox->workdir);
	ai_put_key(out, "result");
	ai_put_open(out, '{');
	ai_put_key(out, "roots");
	ai_put_open(out, '[');
	ai_put_open(out, '{');
	ai_put_key(out, "uri");
	ai_put_cstr(out, ai_buf_cstr(&uri));
	ai_put_key(out, "name");
	ai_put_cstr(out, "workdir");
	ai_put_close(out, '}');
	ai_put_close(out, ']');
	ai_put_close(out, '}');
	ai_buf_release(&uri);
}

void mcp_put_answer(const struct mcp_server *s, const struct mcp_message *m,
		    struct ai_buf *out)
{
	ai_put_open(out, '{');
	ai_put_key(out, "jsonrpc");
	ai_put_cstr(out, "2.0");
	ai_put_key(out, "id");
	ai_put_value(out, m->id);
	if (ai_json_is(m->method, AI_SPAN("ping"))) {
		ai_put_key(out, "result");
		ai_put_open(out, '{');
		ai_put_close(out, '}');
	} else if (s->entry.roots &&
		   ai_json_is(m->method, AI_SPAN("roots/list"))) {
		put_roots(s, out);
	} else {
		/* Sampling and elicitation among them: a server neither asks
		 * our model nor our user. */
		ai_put_key(out, "error");
		ai_put_open(out, '{');
		ai_put_key(out, "code");
		ai_put_i64(out, -32601);
		ai_put_key(out, "message");
		ai_put_cstr(out, "Method not found");
		ai_put_close(out, '}');
	}
	ai_put_close(out, '}');
}
