/* tools.c: what servers offer, as tools; and their calls. */
#include "mcp/int.h"
#include "say.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "crypt/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define WARNINGS_MAX 10 /* of tools that are left out */

/* ---- calls -------------------------------------------------------------------- */

static int begin(struct agent_call *c, struct ai_err *err)
{
	struct mcp_tool *tool = c->tool->of;
	struct mcp_server *s = tool->server;
	struct mcp_call *call;

	if (tool->gone)
		return ai_err_set(err, AI_E_UNAVAILABLE, "MCP server '%.64s' "
				  "does not offer '%.64s' any more",
				  s->entry.name, tool->name);
	mcp_server_turn(s);
	if (s->state == MCP_GONE ||
	    (s->state == MCP_DOWN && mcp_server_start(s) < 0)) {
		*err = s->why;
		return -1;
	}
	call = calloc(1, sizeof *call);
	if (call == NULL)
		return ai_err_nomem(err);
	call->c = c;
	call->server = s;
	ai_buf_init(&call->responses, MCP_SENT_MAX);
	ai_buf_init(&call->state, MCP_STATE_MAX);
	call->deadline = ai_clock_s() + c->tool->timeout_s;
	call->next = s->calls;
	s->calls = call;
	c->state = call;
	mcp_server_flush(s);
	return 0;
}

static void wait_for(struct agent_call *c, struct agent_poll *p)
{
	const struct mcp_call *call = c->state;

	if (call->done)
		agent_poll_by(p, ai_clock_s());
	else
		mcp_server_wait(call->server, p);
}

static bool turn(struct agent_call *c)
{
	struct mcp_call *call = c->state;

	if (!call->done)
		mcp_server_turn(call->server);
	c->unknown = call->done && agent_mcp_unknown(c);
	return call->done;
}

static void stop(struct agent_call *c)
{
	struct mcp_call *call = c->state;

	if (call->done)
		return;
	mcp_server_cancel(call->server, call, "the run was stopped");
	call->done = true;
	call->answered = call->id == 0;
}

static void release(struct agent_call *c)
{
	if (c->state == NULL)
		return;
	stop(c);
	ai_buf_release(&((struct mcp_call *)c->state)->responses);
	ai_buf_release(&((struct mcp_call *)c->state)->state);
	free(c->state);
	c->state = NULL;
}

const struct agent_tool_kind mcp_tool_kind = {
	.begin = begin, .wait = wait_for, .turn = turn, .stop = stop,
	.release = release,
};

bool agent_mcp_is(const struct agent_tool *tool)
{
	return tool->kind == &mcp_tool_kind;
}

bool agent_mcp_unknown(const struct agent_call *c)
{
	const struct mcp_call *call = agent_mcp_is(c->tool) ? c->state : NULL;

	return call != NULL && call->id > 0 && !call->answered;
}

/* ---- names and descriptions ----------------------------------------------------- */

/* The name that the model sees, of letters that all providers take. Where it
 * is too long, or taken, a hash makes it another. */
static void make_name(const struct agent_tools *tools, const char *server,
		      const char *tool, char name[NAME_MAX_BYTES + 1])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char whole[1024], hash[AI_HASH_HEX];
	size_t n, keep = NAME_MAX_BYTES;

	snprintf(whole, sizeof whole, "%.200s__%.800s", server, tool);
	n = strlen(whole);
	ai_hash_of(whole, n, hash);
	for (size_t i = 0; i < n; i++)
		if (strchr(good, whole[i]) == NULL)
			whole[i] = '_';
	if (n <= keep && agent_tools_find(tools,
					  (struct ai_span){ whole, n }) == NULL) {
		memcpy(name, whole, n + 1);
		return;
	}
	keep -= 9;
	snprintf(name, NAME_MAX_BYTES + 1, "%.*s_%.8s",
		 (int)(n < keep ? n : keep), whole, hash);
}

/* In such characters a server could hide what it says to the model. */
static bool is_hidden(uint32_t c)
{
	return c != '\n' && c != '\t' && agent_say_hides(c);
}

static void put_description(struct ai_value v, struct ai_buf *out)
{
	struct ai_buf text = AI_BUF_INIT(MCP_LIST_MAX);
	uint32_t c;

	if (v.kind == AI_STRING)
		ai_json_text(v, &text);
	for (size_t i = 0, n; i < text.len && out->len < MCP_DESCRIPTION_MAX;
	     i += n) {
		n = ai_utf8_decode(text.p + i, text.len - i, &c);
		if (n == 0)
			n = 1;
		else if (!is_hidden(c))
			ai_buf_add(out, text.p + i, n);
	}
	if (out->len >= MCP_DESCRIPTION_MAX)
		ai_buf_str(out, "...");
	ai_buf_release(&text);
}

/* ---- what a tool is -------------------------------------------------------------- */

/* What the server says of the tool: believed only if the entry says so. */
static void hear_hints(struct agent_tool *t, struct ai_value hints)
{
	struct ai_value open = ai_json_member(hints, AI_SPAN("openWorldHint"));

	if (ai_json_true(ai_json_member(hints, AI_SPAN("readOnlyHint")))) {
		t->effect = AGENT_PURE;
		t->writes = false;
		t->sends = open.kind != AI_BOOL || ai_json_true(open);
	} else if (ai_json_true(ai_json_member(hints,
					       AI_SPAN("idempotentHint")))) {
		t->effect = AGENT_IDEMPOTENT;
	}
}

static void obey_rule(struct agent_tool *t, struct mcp_rule *r,
		      const struct mcp_entry *e)
{
	r->used = true;
	if (r->effect >= 0)
		t->effect = (enum agent_effect)r->effect;
	if (r->writes >= 0)
		t->writes = r->writes;
	if (r->writes == 0 && r->sends < 0)
		t->sends = e->networks;
	if (r->sends >= 0)
		t->sends = r->sends;
	if (r->trusted >= 0)
		t->trusted = r->trusted;
	if (r->serial >= 0)
		t->serial = r->serial;
	if (r->timeout_s > 0)
		t->timeout_s = r->timeout_s;
	if (r->max_output >= 0)
		t->max_output = r->max_output;
	if (r->max_calls >= 0)
		t->max_calls = r->max_calls;
	if (r->has_targets)
		t->targets = agent_strings_list(&r->targets);
}

/* ---- a list ---------------------------------------------------------------------- */

struct take {
	struct mcp_server *s;
	struct agent_tools *tools;
	struct ai_buf name, description;
	size_t n;        /* tools of it, gone ones too: those stay in the set */
	size_t left_out;
};

static void leave_out(struct take *k, const char *why)
{
	if (++k->left_out <= WARNINGS_MAX)
		ai_msg(AI_MSG_WARN, "tool '%.80s' of MCP server '%.64s' is left "
		       "out: %.300s", ai_buf_cstr(&k->name), k->s->entry.name,
		       why);
}

/* what: MCP_TOOL, or anything but that. */
static struct mcp_tool *known_tool(const struct mcp_server *s, const char *name,
				   enum mcp_what what)
{
	for (struct mcp_tool *t = s->of->tools; t != NULL; t = t->next)
		if (t->server == s && strcmp(t->name, name) == 0 &&
		    (t->what == MCP_TOOL) == (what == MCP_TOOL))
			return t;
	return NULL;
}

/* A hash of all that the list says of a tool. */
static uint64_t hash_of(struct ai_value v)
{
	char hex[AI_HASH_HEX];
	uint64_t h = 0;

	ai_hash_of(v.s.p, v.s.n, hex);
	for (int i = 0; i < 16; i++)
		h = h << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0'
						     : hex[i] - 'a' + 10);
	return h;
}

/* Whether what its schema wants as headers can be had; t gets it. */
static int read_headers(struct take *k, struct mcp_tool *t, struct ai_value v,
			struct ai_err *err)
{
	struct agent_strings pairs = { 0 };
	const char *why = NULL;
	int rc;

	if (k->s->entry.url == NULL || k->s->era != MCP_MODERN)
		return 0;
	rc = mcp_headers_read(ai_json_member(v, AI_SPAN("inputSchema")), &pairs,
			      &why, err);
	if (rc == 0 && t != NULL) {
		agent_strings_release(&t->headers);
		t->headers = pairs;
		return 0;
	}
	agent_strings_release(&pairs);
	if (rc > 0)
		leave_out(k, why);
	return rc;
}

/* One that is known stays what it was said to be, whatever is said now; only
 * what the server needs to hear follows it. */
static void see_again(struct take *k, struct mcp_tool *t, struct ai_value v)
{
	uint64_t hash = hash_of(v);
	struct ai_err err;

	t->seen = true;
	if (t->hash == hash)
		return;
	if (read_headers(k, t, v, &err) != 0)
		t->seen = false;
	t->hash = hash;
	ai_msg(AI_MSG_WARN, "MCP server '%.64s' says something else of its tool "
	       "'%.80s' than before; the model is not told",
	       t->server->entry.name, t->name);
}

struct mcp_tool *mcp_tool_new(struct mcp_server *s, const char *name,
			      enum mcp_what what, struct ai_err *err)
{
	struct mcp_tool *t = calloc(1, sizeof *t);

	if (t == NULL || (t->name = strdup(name)) == NULL) {
		free(t);
		ai_err_nomem(err);
		return NULL;
	}
	t->server = s;
	t->what = what;
	t->seen = true;
	t->next = s->of->tools;
	s->of->tools = t;
	return t;
}

/* Whether the entry wants it, and it can be called at all. */
static bool is_wanted(struct take *k, struct ai_value v,
		      struct ai_value schema)
{
	const char *name = ai_buf_cstr(&k->name);
	struct ai_value tasks = ai_json_get(v, "execution.taskSupport");
	struct ai_value type = ai_json_member(schema, AI_SPAN("type"));

	if (!mcp_entry_wants(&k->s->entry, name))
		return false;
	if (schema.kind != AI_OBJECT || type.kind != AI_STRING ||
	    !ai_json_is(type, AI_SPAN("object")))
		leave_out(k, "its inputSchema is not that of an object");
	else if (schema.s.n > MCP_SCHEMA_MAX)
		leave_out(k, "its inputSchema is too long");
	else if (tasks.kind == AI_STRING &&
		 ai_json_is(tasks, AI_SPAN("required")))
		leave_out(k, "it only runs as a task");
	else
		return true;
	return false;
}

/* Once: its name is one that a model can be told. 1: it is none. */
static int read_name(struct take *k, struct ai_value v)
{
	struct ai_value name = ai_json_member(v, AI_SPAN("name"));

	ai_buf_clear(&k->name);
	if (name.kind == AI_STRING)
		ai_json_text(name, &k->name);
	if (k->name.len > 0 && k->name.bad == AI_E_NONE &&
	    strlen(k->name.p) == k->name.len)
		return 0;
	leave_out(k, "its name is none");
	return 1;
}

void mcp_tool_row(struct mcp_server *s, struct mcp_tool *of,
		  struct agent_tool *t)
{
	const struct mcp_entry *e = &s->entry;

	*t = (struct agent_tool){
		.name = of->name, .kind = &mcp_tool_kind,
		.effect = AGENT_ONCE, .writes = true, .sends = true,
		.trusted = e->trusted, .timeout_s = e->timeout_s,
		.max_output = e->max_output, .max_calls = -1, .of = of,
	};
}

int mcp_tool_add(struct mcp_server *s, struct agent_tools *tools,
		 struct agent_tool *t, struct ai_value said, struct ai_err *err)
{
	struct mcp_entry *e = &s->entry;
	const struct mcp_tool *of = t->of;
	struct mcp_rule *rule = mcp_entry_rule(e, of->name);
	char name[NAME_MAX_BYTES + 1], where[160];
	struct ai_hash h;

	if (rule != NULL)
		obey_rule(t, rule, e);
	make_name(tools, e->name, of->name, name);
	snprintf(where, sizeof where, "%s", name);
	t->name = name;
	ai_hash_init(&h);
	ai_hash_add(&h, e->seal, sizeof e->seal);
	ai_hash_add(&h, said.s.p, said.s.n);
	ai_hash_hex(&h, t->seal);
	return agent_tools_add(tools, t, where, err);
}

/* The row of a new one. */
static int add_row(struct take *k, struct ai_value v, struct ai_value schema,
		   struct ai_err *err)
{
	const struct mcp_entry *e = &k->s->entry;
	struct ai_value text = ai_json_member(v, AI_SPAN("description"));
	struct ai_value gives = ai_json_member(v, AI_SPAN("outputSchema"));
	struct mcp_tool *of = mcp_tool_new(k->s, ai_buf_cstr(&k->name), MCP_TOOL,
					   err);
	struct agent_tool t;

	if (of == NULL)
		return -1;
	of->hash = hash_of(v);
	if (gives.kind == AI_OBJECT && gives.s.n <= MCP_SCHEMA_MAX &&
	    (of->gives = ai_span_dup(gives.s)) == NULL)
		return ai_err_nomem(err);
	if (read_headers(k, of, v, err) < 0)
		return -1;
	mcp_tool_row(k->s, of, &t);
	t.parameters = schema.s;
	if (text.kind != AI_STRING)
		text = ai_json_member(v, AI_SPAN("title"));
	ai_buf_clear(&k->description);
	put_description(text, &k->description);
	t.description = ai_buf_cstr(&k->description);
	if (e->trust_annotations)
		hear_hints(&t, ai_json_member(v, AI_SPAN("annotations")));
	t.hearsay = !e->trust_annotations && !t.trusted;
	return mcp_tool_add(k->s, k->tools, &t, v, err);
}

static int take_tool(struct take *k, struct ai_value v, struct ai_err *err)
{
	struct ai_value schema = ai_json_member(v, AI_SPAN("inputSchema"));
	struct mcp_tool *old;
	int rc;

	if (v.kind != AI_OBJECT || read_name(k, v) != 0)
		return 0;
	old = known_tool(k->s, ai_buf_cstr(&k->name), MCP_TOOL);
	if (old != NULL && old->seen) {
		leave_out(k, "there are two of that name");
		return 0;
	}
	if (old != NULL) {
		see_again(k, old, v);
		return 0;
	}
	if (!is_wanted(k, v, schema))
		return 0;
	rc = read_headers(k, NULL, v, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (++k->n > MCP_TOOLS_MAX) {
		if (k->n == MCP_TOOLS_MAX + 1)
			leave_out(k, "there are too many, also those behind it");
		return 0;
	}
	if (add_row(k, v, schema, err) == 0)
		return 0;
	if (err->code == AI_E_MEMORY)
		return -1;
	leave_out(k, err->msg);
	return 0;
}

static void warn_of_unused(struct mcp_server *s)
{
	const struct mcp_entry *e = &s->entry;

	if (s->checked)
		return;
	s->checked = true;
	for (size_t i = 0; i < e->n_rules; i++)
		if (!e->rules[i].used)
			ai_msg(AI_MSG_WARN, "MCP server '%.64s' has no tool "
			       "'%.80s', of which its entry speaks", e->name,
			       e->rules[i].name);
	for (size_t i = 0; i < e->allow.n; i++)
		if (known_tool(s, e->allow.v[i], MCP_TOOL) == NULL &&
		    known_tool(s, e->allow.v[i], MCP_READ_RESOURCE) == NULL)
			ai_msg(AI_MSG_WARN, "MCP server '%.64s' has no tool "
			       "'%.80s', which its entry allows", e->name,
			       e->allow.v[i]);
}

int mcp_tools_take(struct mcp_server *s, struct agent_tools *tools,
		   struct ai_err *err)
{
	struct take k = { .s = s, .tools = tools };
	struct ai_buf list = AI_BUF_INIT(MCP_LIST_MAX + 2);
	struct ai_json_iter it;
	struct ai_value v;
	struct mcp_tool *t;
	int rc;

	ai_buf_init(&k.name, 1 << 16);
	ai_buf_init(&k.description, MCP_DESCRIPTION_MAX + 16);
	for (t = s->of->tools; t != NULL; t = t->next)
		if (t->server == s && t->what == MCP_TOOL) {
			t->seen = false;
			k.n++;
		}
	ai_buf_chr(&list, '[');
	ai_buf_add(&list, ai_buf_cstr(&s->pages), s->pages.len);
	ai_buf_chr(&list, ']');
	rc = ai_buf_check(&list, "a list of tools", err) < 0 ? -1 :
		ai_json_check(list.p, list.len, &v, err);
	if (rc == 0) {
		ai_json_iter_init(&it, v);
		while (rc == 0 && ai_json_next(&it, NULL, &v))
			rc = take_tool(&k, v, err);
	}
	for (t = s->of->tools; rc == 0 && t != NULL; t = t->next)
		if (t->server == s)
			t->gone = !t->seen;
	if (k.left_out > WARNINGS_MAX)
		ai_msg(AI_MSG_WARN, "%zu more tools of MCP server '%.64s' are "
		       "left out", k.left_out - WARNINGS_MAX, s->entry.name);
	if (rc == 0)
		rc = mcp_resources_add(s, tools, err);
	if (rc == 0)
		warn_of_unused(s);
	ai_buf_release(&s->pages);
	s->listed = false;
	ai_buf_release(&list);
	ai_buf_release(&k.name);
	ai_buf_release(&k.description);
	return rc;
}

void mcp_tools_free(struct agent_mcp *m)
{
	struct mcp_tool *t, *next;

	for (t = m->tools; t != NULL; t = next) {
		next = t->next;
		free(t->name);
		free(t->gives);
		agent_strings_release(&t->headers);
		free(t);
	}
	m->tools = NULL;
}
