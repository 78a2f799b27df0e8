/* request.c: where requests to MCP servers go, and what their headers say;
 * and the end of sessions. */
#include "mcp/http.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADDRESS_MAX 4096

/* ---- headers ------------------------------------------------------------------------ */

static bool is_modern(const struct mcp_server *s)
{
	return s->era == MCP_MODERN || s->state == MCP_PROBE;
}

/* Of the resource that is read. */
static int add_uri(const struct mcp_call *call, struct agent_strings *to,
		   struct ai_err *err)
{
	struct ai_buf uri = AI_BUF_INIT(MCP_SENT_MAX);
	struct ai_value args;
	int rc;

	if (ai_json_check(call->c->args.p, call->c->args.n, &args, err) < 0)
		return -1;
	ai_json_text(ai_json_member(args, AI_SPAN("uri")), &uri);
	rc = mcp_header_add(to, "Mcp-Name", (struct ai_span){
		ai_buf_cstr(&uri), uri.len }, err);
	ai_buf_release(&uri);
	return rc;
}

/* What of the message must stand in its headers, too. */
static int add_mirrored(const struct mcp_letter *l, struct agent_strings *to,
			struct ai_err *err)
{
	const struct mcp_tool *tool;

	if (agent_strings_fmt(to, err, "Mcp-Method: %s", l->method) < 0)
		return -1;
	if (l->call == NULL)
		return 0;
	tool = l->call->c->tool->of;
	if (tool->what == MCP_READ_RESOURCE)
		return add_uri(l->call, to, err);
	if (tool->what != MCP_TOOL && tool->what != MCP_GET_PROMPT)
		return 0;
	if (mcp_header_add(to, "Mcp-Name", ai_span_of(tool->name), err) < 0)
		return -1;
	return mcp_headers_add(&tool->headers, l->call->c->args, to, err);
}

static bool is_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return false;
	return true;
}

static int add_ours(const struct mcp_post *p, struct agent_strings *to,
		    struct ai_err *err)
{
	const struct mcp_server *s = p->s;
	const char *version = is_modern(s) ? MCP_MODERN_VERSION : s->version;

	if (agent_strings_fmt(to, err, "Accept: %s%s", p->get ? "" :
			      "application/json, ", "text/event-stream") < 0)
		return -1;
	if (!p->get && agent_strings_fmt(to, err, "Content-Type: "
					 "application/json") < 0)
		return -1;
	if (version != NULL && !s->http->old &&
	    agent_strings_fmt(to, err, "MCP-Protocol-Version: %s", version) < 0)
		return -1;
	if (s->http->session[0] != '\0' &&
	    agent_strings_fmt(to, err, "Mcp-Session-Id: %s",
			      s->http->session) < 0)
		return -1;
	if (p->get && p->sse.id[0] != '\0' && is_printable(p->sse.id))
		return agent_strings_fmt(to, err, "Last-Event-ID: %s",
					 p->sse.id);
	return 0;
}

int mcp_http_headers(const struct mcp_post *p, struct agent_strings *to,
		     struct ai_err *err)
{
	const struct mcp_entry *e = &p->s->entry;

	if (add_ours(p, to, err) < 0)
		return -1;
	if (is_modern(p->s) && !p->get && p->letter.method != NULL &&
	    add_mirrored(&p->letter, to, err) < 0)
		return -1;
	for (size_t i = 0; i < e->headers.n; i++)
		if (agent_strings_add(to, ai_span_of(e->headers.v[i]), err) < 0)
			return -1;
	return 0;
}

/* ---- the address of 2024-11-05 ---------------------------------------------------------- */

/* Bytes of "scheme://host:port". */
static size_t origin_of(const char *url)
{
	const char *host = strstr(url, "://");

	return host == NULL ? 0 : (size_t)(host - url) + 3 +
		strcspn(host + 3, "/?#");
}

/* No secret of ours goes to another host because the server says so. */
bool mcp_http_endpoint(struct mcp_server *s, struct ai_span data)
{
	const char *url = s->entry.url, *slash;
	size_t origin = origin_of(url), keep = origin;
	struct ai_buf to = AI_BUF_INIT(ADDRESS_MAX);
	struct ai_http_url parts;
	struct ai_err err;
	bool whole = memmem(data.p, data.n, "://", 3) != NULL &&
		     memchr(data.p, '/', data.n) ==
		     (char *)memmem(data.p, data.n, "://", 3) + 1;

	if (whole)
		keep = 0;
	else if (data.n == 0 || data.p[0] != '/') {
		slash = strrchr(url + origin, '/');
		keep = slash == NULL ? origin : (size_t)(slash - url) + 1;
	}
	ai_buf_add(&to, url, keep);
	if (keep == origin && data.n > 0 && data.p[0] != '/')
		ai_buf_chr(&to, '/');
	ai_buf_add(&to, data.p, data.n);
	if (to.bad != AI_E_NONE || strlen(ai_buf_cstr(&to)) != to.len ||
	    to.len < origin || strncasecmp(to.p, url, origin) != 0 ||
	    origin_of(to.p) != origin ||
	    ai_http_url_whole(to.p, &parts, &err) < 0) {
		mcp_server_fail(s, "wants to be asked at another address, '%.*s'",
				(int)(data.n < 100 ? data.n : 100), data.p);
		ai_buf_release(&to);
		return false;
	}
	free(s->http->post_url);
	s->http->post_url = ai_buf_take(&to);
	return true;
}

/* ---- the end of sessions ------------------------------------------------------------------ */

struct bye {
	struct ai_http_answer answer;
	struct ai_http_transfer *transfer;
	size_t *left;
};

static void on_bye(void *arg, int rc, struct ai_err *err)
{
	struct bye *b = arg;

	(void)rc, (void)err;
	b->transfer = NULL;
	(*b->left)--;
}

static void say_bye(struct mcp_server *s, struct bye *b)
{
	struct mcp_post p = { .s = s, .get = true };
	struct agent_strings headers = { 0 };
	struct ai_http_request q = {
		.method = "DELETE", .url = s->entry.url,
		.connect_s = MCP_BYE_S, .timeout_s = MCP_BYE_S, .arg = b,
	};
	struct ai_err err;

	if (mcp_http_headers(&p, &headers, &err) == 0) {
		q.headers = agent_strings_list(&headers);
		if (ai_http_start(s->of->http, &q, &b->answer, on_bye,
				  &b->transfer, &err) == 0)
			(*b->left)++;
	}
	agent_strings_release(&headers);
}

static void add_fd(void *arg, int fd, bool reads, bool writes)
{
	agent_poll_add(arg, fd, (short)((reads ? POLLIN : 0) |
					(writes ? POLLOUT : 0)));
}

static void wait_for(struct agent_mcp *m, const size_t *left)
{
	double until = ai_clock_s() + MCP_BYE_S;
	struct agent_poll p = { 0 };
	struct ai_err err;

	while (*left > 0 && ai_clock_s() < until) {
		agent_poll_clear(&p, until - ai_clock_s());
		ai_http_fds(m->http, add_fd, &p);
		if (ai_http_due(m->http) > 0)
			agent_poll_by(&p, ai_http_due(m->http));
		if (agent_poll_wait(&p, &err) < 0 ||
		    ai_http_turn(m->http, &err) < 0)
			break;
	}
	agent_poll_release(&p);
}

void mcp_http_bye(struct agent_mcp *m)
{
	struct bye *v = m->http != NULL ? calloc(m->n + 1, sizeof *v) : NULL;
	size_t left = 0;

	if (v == NULL)
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct mcp_server *s = m->v[i];

		ai_http_answer_init(&v[i].answer, 1 << 16);
		v[i].left = &left;
		if (s->http != NULL && s->http->session[0] != '\0' &&
		    mcp_server_runs(s))
			say_bye(s, &v[i]);
	}
	wait_for(m, &left);
	for (size_t i = 0; i < m->n; i++) {
		if (v[i].transfer != NULL)
			ai_http_cancel(m->http, v[i].transfer);
		ai_http_answer_release(&v[i].answer);
	}
	free(v);
}
