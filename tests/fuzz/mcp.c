/*
 * Messages of MCP servers: what is read of one lies within the line; a line of
 * which only the id is looked for has the same id as when it is read whole; and
 * a result is UTF-8 that is no longer than it may be, whatever the answer is.
 * The first byte says how the line is cut.
 * fuzz: bin/agent/mcp/message.c bin/agent/mcp/result.c bin/agent/mcp/say.c bin/agent/mcp/secret.c bin/agent/strlist.c bin/agent/tool/result.c
 */
#include "mcp/int.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <string.h>

#define OUTPUT_MAX 300

static void check_result(const struct mcp_message *m, enum mcp_what what)
{
	char secret[] = "hush-hush", *secrets[] = { secret, NULL };
	struct mcp_server server = { .entry.secrets = { secrets, 1, 2 } };
	struct mcp_tool of = { .what = what, .server = &server };
	const struct agent_tool tool = { .max_output = OUTPUT_MAX, .of = &of };
	struct agent_call c = { .tool = &tool };

	ai_buf_init(&c.text, 1 << 20);
	mcp_result_put(&c, m);
	must(c.text.bad == AI_E_NONE && c.text.len <= OUTPUT_MAX);
	must(ai_utf8_valid(ai_buf_cstr(&c.text), c.text.len) == c.text.len);
	must(m->kind != MCP_ERROR || c.failed);
	ai_buf_release(&c.text);
}

static int64_t skim(const char *p, size_t n, size_t piece)
{
	struct mcp_skim s;

	mcp_skim_init(&s);
	for (size_t i = 0; i < n; i += piece)
		mcp_skim_add(&s, p + i, piece < n - i ? piece : n - i);
	return mcp_skim_id(&s);
}

static bool is_plain(struct ai_value id)
{
	for (size_t i = 0; i < id.s.n; i++)
		if (id.s.p[i] < '0' || id.s.p[i] > '9')
			return false;
	return id.s.n > 0;
}

static void check_message(struct ai_value v, size_t piece)
{
	struct mcp_message m;
	int64_t id;

	mcp_message_read(v, &m);
	must((m.kind == MCP_NOISE) == (m.why != NULL));
	if (m.kind == MCP_REQUEST)
		must(m.id.s.n > 0 && m.id.s.n <= MCP_ID_MAX);
	if (m.kind == MCP_RESULT || m.kind == MCP_ERROR) {
		must(m.body.kind == AI_OBJECT && m.number >= -1);
		for (int what = MCP_TOOL; what <= MCP_GET_PROMPT; what++)
			check_result(&m, (enum mcp_what)what);
	}
	id = skim(v.s.p, v.s.n, piece);
	/* Names with escapes are not found in passing. */
	if (memchr(v.s.p, '\\', v.s.n) != NULL)
		return;
	if (m.kind == MCP_REQUEST || m.kind == MCP_NOTIFICATION)
		must(id == -1);
	if (m.kind != MCP_RESULT && m.kind != MCP_ERROR)
		return;
	must(id == -1 || id == m.number);
	must(id == m.number || !is_plain(m.id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_buf spare = AI_BUF_INIT(1 << 20);
	struct ai_value v, one;
	struct ai_json_iter it;
	struct ai_err err;
	size_t piece;

	if (size == 0)
		return 0;
	piece = 1 + data[0] % 16;
	data++, size--;
	must(skim((const char *)data, size, piece) ==
	     skim((const char *)data, size, size + 1));
	if (mcp_line_check((const char *)data, size, &spare, &v, &err) == 0) {
		if (v.kind == AI_ARRAY) {
			must(skim(v.s.p, v.s.n, piece) == -1);
			ai_json_iter_init(&it, v);
			while (ai_json_next(&it, NULL, &one))
				check_message(one, piece);
		} else {
			check_message(v, piece);
		}
	}
	ai_buf_release(&spare);
	return 0;
}
