/* list.c: the list of a server's tools, page by page. */
#include "mcp/int.h"

#include "base/clock.h"

#include <string.h>

void mcp_server_list(struct mcp_server *s)
{
	ai_buf_clear(&s->pages);
	ai_buf_clear(&s->cursor);
	s->n_pages = 0;
	s->listed = s->changed = false;
	s->stale = 0;
	s->deadline = ai_clock_s() + s->entry.start_timeout_s;
	mcp_send_list(s);
}

static void is_complete(struct mcp_server *s)
{
	s->list = 0;
	s->listed = true;
	if (s->state != MCP_LISTING)
		return;
	s->state = MCP_READY;
	s->known = true;
	mcp_server_flush(s);
}

static void on_error(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_buf text = AI_BUF_INIT(4096);
	int64_t code = 0;

	s->list = 0;
	ai_json_i64(ai_json_member(m->body, AI_SPAN("code")), &code);
	if (code == -32601 && s->state == MCP_LISTING) {
		is_complete(s); /* it has none */
	} else if (s->state == MCP_LISTING) {
		mcp_error_say(m->body, &text);
		mcp_secret_hide(&s->entry, &text);
		mcp_server_fail(s, "answers tools/list with %.200s",
				ai_buf_cstr(&text));
	}
	ai_buf_release(&text);
}

/* For how long the list is good, if it says so and will not tell when it has
 * changed. */
static void keep_age(struct mcp_server *s, struct ai_value result)
{
	struct ai_value ttl = ai_json_member(result, AI_SPAN("ttlMs"));
	double ms;

	if (s->era != MCP_MODERN || s->listens > 0 || ttl.kind != AI_NUMBER ||
	    ai_json_f64(ttl, &ms) < 0 || ms < 0)
		return;
	s->stale = ai_clock_s() + (ms / 1e3 > MCP_STALE_S ? ms / 1e3
							  : MCP_STALE_S);
}

static void on_page(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value tools = ai_json_member(m->body, AI_SPAN("tools"));
	struct ai_value next = ai_json_member(m->body, AI_SPAN("nextCursor"));
	struct ai_buf cursor = AI_BUF_INIT(MCP_CURSOR_MAX);
	struct ai_json_iter it;
	struct ai_value v;
	bool same;

	if (tools.kind != AI_ARRAY) {
		mcp_server_fail(s, "answers tools/list without a list");
		return;
	}
	ai_json_iter_init(&it, tools);
	while (ai_json_next(&it, NULL, &v)) {
		if (s->pages.len > 0)
			ai_buf_chr(&s->pages, ',');
		ai_buf_add(&s->pages, v.s.p, v.s.n);
	}
	keep_age(s, m->body);
	if (next.kind == AI_STRING)
		ai_json_text(next, &cursor);
	if (s->pages.bad != AI_E_NONE || cursor.bad != AI_E_NONE) {
		mcp_server_fail(s, "has a list of tools of over %zu bytes",
				MCP_LIST_MAX);
		goto done;
	}
	if (next.kind != AI_STRING || cursor.len == 0) {
		is_complete(s);
		goto done;
	}
	same = s->n_pages > 0 && cursor.len == s->cursor.len &&
		memcmp(cursor.p, s->cursor.p, cursor.len) == 0;
	ai_buf_clear(&s->cursor);
	ai_buf_add(&s->cursor, cursor.p, cursor.len);
	if (same || ++s->n_pages >= MCP_PAGES_MAX)
		mcp_server_fail(s, "has a list of tools without end");
	else
		mcp_send_list(s);
done:
	ai_buf_release(&cursor);
}

void mcp_list_on(struct mcp_server *s, const struct mcp_message *m)
{
	if (m->kind == MCP_ERROR)
		on_error(s, m);
	else
		on_page(s, m);
}
