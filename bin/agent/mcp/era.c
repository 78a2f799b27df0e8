/*
 * era.c: which of MCP's revisions a server speaks.  Those up to 2025-11-25
 * begin with a handshake; since 2026-07-28 every request says what it is, and
 * "server/discover" tells whether the server understands that.  It is asked
 * first; whatever is no answer of a modern server leads to the handshake.
 */
#include "mcp/int.h"

#include "base/clock.h"
#include "base/msg.h"

static const char *const versions[] = {
	"2024-11-05", "2025-03-26", "2025-06-18", MCP_VERSION,
};
#define VERSIONS (sizeof versions / sizeof *versions)

#define META "io.modelcontextprotocol/"

/* ---- what is said of us --------------------------------------------------------- */

void mcp_era_put_capabilities(const struct mcp_server *s, struct ai_buf *b)
{
	ai_put_open(b, '{');
	if (s->entry.roots) {
		ai_put_key(b, "roots");
		ai_put_open(b, '{');
		ai_put_close(b, '}');
	}
	if (s->of->asks) {
		ai_put_key(b, "elicitation");
		ai_put_open(b, '{');
		if (s->era == MCP_MODERN || s->state == MCP_PROBE) {
			ai_put_key(b, "form");
			ai_put_open(b, '{');
			ai_put_close(b, '}');
		}
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

void mcp_era_put_meta(const struct mcp_server *s, struct ai_buf *b)
{
	if (s->era == MCP_LEGACY || s->state == MCP_HELLO)
		return;
	ai_put_key(b, META "protocolVersion");
	ai_put_cstr(b, MCP_MODERN_VERSION);
	ai_put_key(b, META "clientInfo");
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, "ai-agent");
	ai_put_key(b, "version");
	ai_put_cstr(b, PACKAGE_VERSION);
	ai_put_close(b, '}');
	ai_put_key(b, META "clientCapabilities");
	mcp_era_put_capabilities(s, b);
	if (ai_msg_tells() && s->can.logging) {
		ai_put_key(b, META "logLevel");
		ai_put_cstr(b, "info");
	}
}

/* ---- the beginning ----------------------------------------------------------------- */

void mcp_era_begin(struct mcp_server *s)
{
	double most = s->entry.start_timeout_s / 2;

	if (s->era == MCP_ANY)
		s->era = s->entry.era;
	s->probe_until = 0;
	s->can = (struct mcp_capabilities){ 0 };
	if (s->entry.url != NULL && s->entry.sse) {
		/* It says first where it is to be asked. */
		s->state = MCP_HELLO;
		return;
	}
	if (s->era == MCP_LEGACY || s->skips_probe) {
		s->state = MCP_HELLO;
		mcp_send_hello(s);
		return;
	}
	s->state = MCP_PROBE;
	s->probe_until = ai_clock_s() + (most < MCP_PROBE_S ? most
							    : MCP_PROBE_S);
	mcp_send_probe(s);
}

void mcp_era_fall_back(struct mcp_server *s)
{
	s->probe_until = 0;
	if (s->state != MCP_PROBE)
		return;
	if (s->entry.era == MCP_MODERN) {
		mcp_server_fail(s, "does not speak " MCP_MODERN_VERSION);
		return;
	}
	s->state = MCP_HELLO;
	s->era = MCP_ANY;
	mcp_send_hello(s);
}

static void refuse(struct mcp_server *s, const char *what,
		   const struct mcp_message *m)
{
	struct ai_buf text = AI_BUF_INIT(4096);

	mcp_error_say(m->body, &text);
	mcp_secret_hide(&s->entry, &text);
	mcp_server_fail(s, "answers %s with %.200s", what, ai_buf_cstr(&text));
	ai_buf_release(&text);
}

/* ---- its end ------------------------------------------------------------------------- */

static bool is_true(struct ai_value of, const char *path)
{
	return ai_json_true(ai_json_get(of, path));
}

static void read_capabilities(struct mcp_server *s, struct ai_value result)
{
	struct ai_value can = ai_json_member(result, AI_SPAN("capabilities"));

	s->can = (struct mcp_capabilities){
		.tools_changed = is_true(can, "tools.listChanged"),
		.resources = ai_json_get(can, "resources").kind == AI_OBJECT,
		.resources_changed = is_true(can, "resources.listChanged"),
		.prompts = ai_json_get(can, "prompts").kind == AI_OBJECT,
		.prompts_changed = is_true(can, "prompts.listChanged"),
		.logging = ai_json_get(can, "logging").kind == AI_OBJECT,
	};
}

/* It is ready to be asked. */
static void go_on(struct mcp_server *s)
{
	if (s->known) {
		s->state = MCP_READY;
		s->changed = true;
		mcp_server_flush(s);
	} else {
		s->state = MCP_LISTING;
		mcp_server_list(s);
	}
}

/* ---- server/discover ------------------------------------------------------------------- */

static bool names(struct ai_value list, const char *version)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (list.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (v.kind == AI_STRING && ai_json_is(v, ai_span_of(version)))
			return true;
	return false;
}

static bool names_old(struct ai_value list)
{
	for (size_t i = 0; i < VERSIONS; i++)
		if (names(list, versions[i]))
			return true;
	return false;
}

static void be_modern(struct mcp_server *s, struct ai_value result)
{
	s->probe_until = 0;
	s->hello = 0; /* it was only late */
	s->era = MCP_MODERN;
	s->version = MCP_MODERN_VERSION;
	read_capabilities(s, result);
	s->state = MCP_LISTING;
	if (s->can.tools_changed || s->can.resources_changed ||
	    s->can.prompts_changed)
		mcp_send_listen(s);
	go_on(s);
}

/* A modern server that says no. true: it is one. */
static bool on_modern_error(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value list = ai_json_get(m->body, "data.supported");
	int64_t code = 0;

	ai_json_i64(ai_json_member(m->body, AI_SPAN("code")), &code);
	if (code == -32022 && names(list, MCP_MODERN_VERSION) &&
	    s->next_id - s->first_id < 3)
		mcp_send_probe(s);
	else if (code == -32022 && names_old(list))
		return false;
	else if (code == -32022 && !names(list, MCP_MODERN_VERSION))
		mcp_server_fail(s, "speaks none of the protocols that are "
				"known");
	else if (code <= -32020 && code >= -32022)
		refuse(s, "server/discover", m);
	else
		return false;
	return true;
}

void mcp_era_on_probe(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value list = ai_json_member(m->body,
					      AI_SPAN("supportedVersions"));
	bool early = s->state == MCP_PROBE;

	s->probe = 0;
	if (s->state != MCP_PROBE && s->state != MCP_HELLO)
		return;
	if (m->kind == MCP_RESULT && names(list, MCP_MODERN_VERSION))
		be_modern(s, m->body);
	else if (early && m->kind == MCP_RESULT && list.kind == AI_ARRAY &&
		 !names_old(list))
		mcp_server_fail(s, "speaks none of the protocols that are "
				"known");
	else if (early && (m->kind != MCP_ERROR || !on_modern_error(s, m)))
		mcp_era_fall_back(s);
}

/* ---- initialize --------------------------------------------------------------------------- */

static const char *known_version(struct ai_value v)
{
	for (size_t i = 0; i < VERSIONS; i++)
		if (v.kind == AI_STRING && ai_json_is(v,
						      ai_span_of(versions[i])))
			return versions[i];
	return NULL;
}

void mcp_era_on_hello(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value version;
	struct ai_span name;

	s->hello = 0;
	if (m->kind == MCP_ERROR) {
		refuse(s, "initialize", m);
		return;
	}
	version = ai_json_member(m->body, AI_SPAN("protocolVersion"));
	name = ai_json_inside(version);
	s->version = known_version(version);
	if (s->version == NULL) {
		mcp_server_fail(s, "speaks the protocol '%.*s'; known are "
				"2024-11-05, 2025-03-26, 2025-06-18, "
				MCP_VERSION " and " MCP_MODERN_VERSION,
				(int)(name.n < 40 ? name.n : 40),
				name.n > 0 ? name.p : "");
		return;
	}
	s->era = MCP_LEGACY;
	s->probe = 0;
	s->probe_until = 0;
	read_capabilities(s, m->body);
	mcp_send_initialized(s);
	if (s->entry.url != NULL)
		mcp_http_ready(s);
	if (s->can.logging && ai_msg_tells())
		mcp_send_level(s);
	go_on(s);
}
