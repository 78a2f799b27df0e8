/* send.c: what an MCP server is sent. */
#include "mcp/int.h"

#include "base/msg.h"

#include <string.h>

static const char id_of_key[] = "aiutils/idempotencyKey";

static void send_out(struct mcp_server *s, struct ai_buf *line)
{
	if (s->broken)
		return;
	if (s->entry.url != NULL)
		mcp_http_send(s, line);
	else
		mcp_stdio_send(s, line);
}

/* ---- ours -------------------------------------------------------------------- */

static void open_message(struct mcp_server *s, const char *method, int64_t id,
			 struct mcp_call *call)
{
	s->letter = (struct mcp_letter){ method, id, call };
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
	ai_put_key(&s->out, "params");
	ai_put_open(&s->out, '{');
}

/* Closes the params as well, and sends. */
static void close_message(struct mcp_server *s)
{
	ai_put_close(&s->out, '}');
	ai_put_close(&s->out, '}');
	send_out(s, &s->out);
}

/* What stands in every request, and what a call adds to it. */
static void put_meta(struct mcp_server *s, const struct mcp_call *call)
{
	struct ai_buf meta = AI_BUF_INIT(1 << 16);
	const struct mcp_tool *tool = call != NULL ? call->c->tool->of : NULL;

	ai_put_open(&meta, '{');
	mcp_era_put_meta(s, &meta);
	if (tool != NULL && tool->what == MCP_TOOL && call->c->key[0] != '\0') {
		ai_put_key(&meta, id_of_key);
		ai_put_cstr(&meta, call->c->key);
	}
	if (call != NULL && ai_msg_tells()) {
		ai_put_key(&meta, "progressToken");
		ai_put_i64(&meta, call->id);
	}
	ai_put_close(&meta, '}');
	if (meta.len > 2) {
		ai_put_key(&s->out, "_meta");
		ai_put_raw(&s->out, meta.p, meta.len);
	}
	ai_buf_release(&meta);
}

void mcp_send_probe(struct mcp_server *s)
{
	s->probe = ++s->next_id;
	open_message(s, "server/discover", s->probe, NULL);
	put_meta(s, NULL);
	close_message(s);
}

void mcp_send_hello(struct mcp_server *s)
{
	struct ai_buf *b = &s->out;

	s->hello = ++s->next_id;
	open_message(s, "initialize", s->hello, NULL);
	ai_put_key(b, "protocolVersion");
	ai_put_cstr(b, MCP_VERSION);
	ai_put_key(b, "capabilities");
	mcp_era_put_capabilities(s, b);
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
	open_message(s, "notifications/initialized", 0, NULL);
	close_message(s);
}

/* So that it logs at all; its answer is of no interest. */
void mcp_send_level(struct mcp_server *s)
{
	open_message(s, "logging/setLevel", ++s->next_id, NULL);
	ai_put_key(&s->out, "level");
	ai_put_cstr(&s->out, "info");
	close_message(s);
}

static void put_wish(struct ai_buf *b, const char *name, bool wish)
{
	if (!wish)
		return;
	ai_put_key_text(b, name);
	ai_put_bool(b, true);
}

void mcp_send_listen(struct mcp_server *s)
{
	struct ai_buf *b = &s->out;

	s->listens = ++s->next_id;
	open_message(s, "subscriptions/listen", s->listens, NULL);
	ai_put_key(b, "notifications");
	ai_put_open(b, '{');
	put_wish(b, "toolsListChanged", s->can.tools_changed);
	put_wish(b, "resourcesListChanged", s->can.resources_changed);
	put_wish(b, "promptsListChanged", s->can.prompts_changed);
	ai_put_close(b, '}');
	put_meta(s, NULL);
	close_message(s);
}

void mcp_send_list(struct mcp_server *s)
{
	s->list = ++s->next_id;
	open_message(s, "tools/list", s->list, NULL);
	if (s->cursor.len > 0) {
		ai_put_key(&s->out, "cursor");
		ai_put_str(&s->out, s->cursor.p, s->cursor.len);
	}
	put_meta(s, NULL);
	close_message(s);
}

/* ---- calls --------------------------------------------------------------------- */

/* A message is a line: blanks of JSON that end one become others. */
static void put_flat(struct ai_buf *b, struct ai_span json)
{
	size_t from = b->len;

	ai_put_raw(b, json.p, json.n);
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] == '\n' || b->p[i] == '\r')
			b->p[i] = ' ';
}

/* The member of the arguments that the protocol names so, too. */
static void put_given(struct mcp_call *call, const char *name)
{
	struct ai_value args, v;
	struct ai_err err;

	if (ai_json_check(call->c->args.p, call->c->args.n, &args, &err) < 0)
		return;
	v = ai_json_member(args, ai_span_of(name));
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return;
	ai_put_key_text(&call->server->out, name);
	put_flat(&call->server->out, v.s);
}

static bool asks_templates(const struct mcp_call *call)
{
	struct ai_value args;
	struct ai_err err;

	return ai_json_check(call->c->args.p, call->c->args.n, &args,
			     &err) == 0 &&
		ai_json_true(ai_json_member(args, AI_SPAN("templates")));
}

static const char *method_of(const struct mcp_call *call)
{
	const struct mcp_tool *tool = call->c->tool->of;

	switch (tool->what) {
	case MCP_LIST_RESOURCES:
		return asks_templates(call) ? "resources/templates/list"
					    : "resources/list";
	case MCP_READ_RESOURCE:
		return "resources/read";
	case MCP_LIST_PROMPTS:
		return "prompts/list";
	case MCP_GET_PROMPT:
		return "prompts/get";
	default:
		return "tools/call";
	}
}

static void put_params(struct mcp_call *call)
{
	const struct mcp_tool *tool = call->c->tool->of;
	struct ai_buf *b = &call->server->out;

	switch (tool->what) {
	case MCP_LIST_RESOURCES:
	case MCP_LIST_PROMPTS:
		put_given(call, "cursor");
		return;
	case MCP_READ_RESOURCE:
		put_given(call, "uri");
		return;
	default:
		ai_put_key(b, "name");
		ai_put_cstr(b, tool->name);
		ai_put_key(b, "arguments");
		put_flat(b, call->c->args);
	}
}

void mcp_send_call(struct mcp_server *s, struct mcp_call *call)
{
	struct ai_buf *b = &s->out;

	call->id = ++s->next_id;
	call->again = false;
	open_message(s, method_of(call), call->id, call);
	put_params(call);
	if (call->responses.len > 0) {
		ai_put_key(b, "inputResponses");
		ai_put_open(b, '{');
		put_flat(b, (struct ai_span){ call->responses.p,
					      call->responses.len });
		ai_put_close(b, '}');
	}
	if (call->state.len > 0) {
		ai_put_key(b, "requestState");
		put_flat(b, (struct ai_span){ call->state.p, call->state.len });
	}
	put_meta(s, call);
	/* Each of them is for one request. */
	ai_buf_release(&call->responses);
	ai_buf_release(&call->state);
	close_message(s);
}

void mcp_send_cancel(struct mcp_server *s, int64_t id, const char *reason)
{
	open_message(s, "notifications/cancelled", 0, NULL);
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

void mcp_put_roots(const struct mcp_server *s, struct ai_buf *out)
{
	struct ai_buf uri = AI_BUF_INIT(1 << 16);

	ai_buf_str(&uri, "file://");
	put_path(&uri, s->of->sandbox->workdir);
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

static void open_answer(struct ai_span id, struct ai_buf *out)
{
	ai_put_open(out, '{');
	ai_put_key(out, "jsonrpc");
	ai_put_cstr(out, "2.0");
	ai_put_key(out, "id");
	ai_put_raw(out, id.p, id.n);
}

void mcp_put_answer(struct mcp_server *s, const struct mcp_message *m,
		    struct ai_buf *out)
{
	/* None of this era asks, and over HTTP nothing could answer it. */
	if (s->era == MCP_MODERN && s->entry.url != NULL) {
		mcp_noise(s, "it asks, which its protocol does not have",
			  AI_SPAN("..."));
		return;
	}
	if (s->of->asks &&
	    ai_json_is(m->method, AI_SPAN("elicitation/create")) &&
	    mcp_input_ask(s, m))
		return;
	open_answer(m->id.s, out);
	if (ai_json_is(m->method, AI_SPAN("ping"))) {
		ai_put_key(out, "result");
		ai_put_open(out, '{');
		ai_put_close(out, '}');
	} else if (s->entry.roots &&
		   ai_json_is(m->method, AI_SPAN("roots/list"))) {
		ai_put_key(out, "result");
		mcp_put_roots(s, out);
	} else {
		/* Sampling among them: a server does not ask our model. */
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

void mcp_send_answers(struct mcp_server *s, struct ai_buf *line)
{
	struct ai_buf copy = AI_BUF_INIT(MCP_SENT_MAX);
	struct ai_json_iter it;
	struct ai_value all, v;
	struct ai_err err;

	s->letter = (struct mcp_letter){ NULL, 0, NULL };
	if (s->entry.url == NULL || line->len == 0 || line->p[0] != '[') {
		send_out(s, line);
		return;
	}
	/* A request over HTTP carries one message. */
	if (ai_json_check(line->p, line->len, &all, &err) < 0)
		return;
	ai_json_iter_init(&it, all);
	while (ai_json_next(&it, NULL, &v)) {
		ai_buf_clear(&copy);
		ai_buf_add(&copy, v.s.p, v.s.n);
		send_out(s, &copy);
	}
	ai_buf_release(&copy);
}

void mcp_send_result(struct mcp_server *s, struct ai_span id,
		     struct ai_span result)
{
	struct ai_buf line = AI_BUF_INIT(MCP_SENT_MAX);

	open_answer(id, &line);
	ai_put_key(&line, "result");
	put_flat(&line, result);
	ai_put_close(&line, '}');
	mcp_send_answers(s, &line);
	ai_buf_release(&line);
}
