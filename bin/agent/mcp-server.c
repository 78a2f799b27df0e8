/* mcp-server.c: a server from its start to its end, and what it writes. */
#include "mcp-int.h"

#include "base/clock.h"
#include "base/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room for the end of a line that is just too long. */
#define MCP_OUT_MAX (MCP_LINE_MAX + ((size_t)64 << 10))
#define MCP_KEEP ((size_t)64 << 10) /* bytes that buffers keep when idle */

static const char *const versions[] = {
	"2024-11-05", "2025-03-26", "2025-06-18", MCP_VERSION,
};

void mcp_server_init(struct mcp_server *s, struct agent_mcp *m)
{
	*s = (struct mcp_server){ .of = m, .why = { AI_E_NONE, -1, "" } };
	ai_buf_init(&s->pages, MCP_LIST_MAX);
	ai_buf_init(&s->cursor, MCP_CURSOR_MAX);
	ai_buf_init(&s->spare, 3 * MCP_OUT_MAX);
	ai_buf_init(&s->out, MCP_SENT_MAX);
	ai_buf_init(&s->tail, 2 * MCP_TAIL);
}

static bool is_running(const struct mcp_server *s)
{
	return s->state != MCP_DOWN && s->state != MCP_GONE;
}

void mcp_server_release(struct mcp_server *s)
{
	if (is_running(s)) {
		agent_child_stop(&s->child);
		agent_child_release(&s->child);
	}
	mcp_entry_release(&s->entry);
	ai_buf_release(&s->pages);
	ai_buf_release(&s->cursor);
	ai_buf_release(&s->spare);
	ai_buf_release(&s->out);
	ai_buf_release(&s->tail);
}

/* ---- ends ----------------------------------------------------------------------- */

void mcp_server_fail(struct mcp_server *s, const char *fmt, ...)
{
	char what[320];
	va_list ap;

	if (s->broken)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	s->broken = true;
	ai_err_set(&s->why, AI_E_UNAVAILABLE, "MCP server '%.64s' %s",
		   s->entry.name, what);
}

static void unlink_call(struct mcp_server *s, struct mcp_call *call)
{
	struct mcp_call **at = &s->calls;

	while (*at != NULL && *at != call)
		at = &(*at)->next;
	if (*at == call)
		*at = call->next;
}

/* A call is over without an answer. */
static void fail_call(struct mcp_call *call, const char *why)
{
	unlink_call(call->server, call);
	call->done = true;
	call->answered = call->id == 0;
	call->c->failed = true;
	ai_buf_clear(&call->c->text);
	ai_buf_str(&call->c->text, why);
	if (!call->answered)
		ai_buf_str(&call->c->text,
			   "; whether the call had its effect is not known");
}

/* The last lines of its stderr, for a message. */
static const char *last_words(const struct mcp_server *s)
{
	const char *p = ai_buf_cstr(&s->tail), *end = p + s->tail.len;
	const char *line = end;

	while (line > p && end - line < 200)
		line--;
	while (line > p && line < end && line[-1] != '\n')
		line++;
	return line < end ? line : p;
}

/* Appends what it said last to why it was ended. */
static void add_tail(struct mcp_server *s)
{
	size_t n = strlen(s->why.msg);
	const char *words = last_words(s);
	size_t len = strlen(words);

	while (len > 0 && strchr(" \t\r\n", words[len - 1]) != NULL)
		len--;
	if (len > 0)
		snprintf(s->why.msg + n, sizeof s->why.msg - n,
			 "; it said last: %.*s", (int)len, words);
}

/* What was said on stderr so far, but for what is too old. */
static void keep_tail(struct mcp_server *s)
{
	struct ai_buf *e = &s->child.errors;
	size_t n = e->len < MCP_TAIL ? e->len : MCP_TAIL;

	if (n == 0)
		return;
	if (s->tail.len + n > 2 * MCP_TAIL)
		ai_buf_consume(&s->tail, s->tail.len + n - 2 * MCP_TAIL);
	ai_buf_add(&s->tail, e->p + e->len - n, n);
	for (size_t i = 0; i < s->tail.len; i++)
		if (s->tail.p[i] == '\0')
			s->tail.p[i] = '?';
	ai_buf_clear(e);
}

/* Kills what is left, and says so to all that wait. */
static void end_server(struct mcp_server *s)
{
	struct mcp_call *call, *next;

	agent_child_stop(&s->child);
	keep_tail(s);
	add_tail(s);
	agent_child_release(&s->child);
	s->broken = false;
	s->hello = s->list = 0;
	s->listed = false;
	s->state = s->known && s->starts < MCP_STARTS_MAX
		? MCP_DOWN : MCP_GONE;
	for (call = s->calls; call != NULL; call = next) {
		next = call->next;
		if (call->id > 0 || s->state == MCP_GONE)
			fail_call(call, s->why.msg);
	}
	/* Those that it has not seen yet may go to its successor. */
	if (s->calls != NULL && mcp_server_start(s) < 0)
		while (s->calls != NULL)
			fail_call(s->calls, s->why.msg);
}

/* ---- start ------------------------------------------------------------------------ */

int mcp_server_start(struct mcp_server *s)
{
	struct ai_err err;
	const struct agent_child_spec spec = {
		.name = s->entry.name,
		.argv = agent_strings_list(&s->entry.argv),
		.env = agent_strings_list(&s->entry.env),
		.dir = s->entry.dir != NULL ? s->entry.dir
					    : s->of->sandbox->workdir,
		 .cage = s->entry.cage,
		.hold = s->of->hold, .talks = true,
		.max_out = MCP_OUT_MAX, .max_err = 16 * MCP_TAIL,
	};

	s->starts++;
	s->noise = s->seen = s->skipped = 0;
	s->muted = 0;
	s->broken = s->skipping = s->filled = false;
	ai_buf_clear(&s->tail);
	if (agent_child_start(&s->child, &spec, &err) < 0) {
		s->state = MCP_GONE;
		return ai_err_set(&s->why, err.code,
				  "MCP server '%.64s' cannot be started: "
				  "%.280s", s->entry.name, err.msg);
	}
	s->state = MCP_HELLO;
	s->deadline = ai_clock_s() + s->entry.start_timeout_s;
	mcp_send_hello(s);
	return 0;
}

void mcp_server_list(struct mcp_server *s)
{
	ai_buf_clear(&s->pages);
	ai_buf_clear(&s->cursor);
	s->n_pages = 0;
	s->listed = s->changed = false;
	s->deadline = ai_clock_s() + s->entry.start_timeout_s;
	mcp_send_list(s);
}

void mcp_server_flush(struct mcp_server *s)
{
	if (s->state != MCP_READY)
		return;
	for (struct mcp_call *c = s->calls; c != NULL && !s->broken;
	     c = c->next)
		if (c->id == 0)
			mcp_send_call(s, c);
}

void mcp_server_cancel(struct mcp_server *s, struct mcp_call *call,
		       const char *reason)
{
	unlink_call(s, call);
	if (call->id > 0 && s->state == MCP_READY)
		mcp_send_cancel(s, call->id, reason);
}

/* ---- answers ------------------------------------------------------------------------ */

static void refuse(struct mcp_server *s, const char *what,
		   const struct mcp_message *m)
{
	struct ai_buf text = AI_BUF_INIT(4096);

	mcp_error_say(m->body, &text);
	mcp_server_fail(s, "answers %s with %.200s", what, ai_buf_cstr(&text));
	ai_buf_release(&text);
}

static bool knows_version(struct ai_value v)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (v.kind == AI_STRING && ai_json_is(v,
						      ai_span_of(versions[i])))
			return true;
	return false;
}

static void on_hello(struct mcp_server *s, const struct mcp_message *m)
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
	if (!knows_version(version)) {
		mcp_server_fail(s, "speaks the protocol '%.*s'; known are "
				"2024-11-05, 2025-03-26, 2025-06-18 and "
				MCP_VERSION, (int)(name.n < 40 ? name.n : 40),
				name.n > 0 ? name.p : "");
		return;
	}
	mcp_send_initialized(s);
	if (s->known) {
		s->state = MCP_READY;
		s->changed = true;
		mcp_server_flush(s);
	} else {
		s->state = MCP_LISTING;
		mcp_server_list(s);
	}
}

static void list_is_complete(struct mcp_server *s)
{
	s->list = 0;
	s->listed = true;
	if (s->state != MCP_LISTING)
		return;
	s->state = MCP_READY;
	s->known = true;
	mcp_server_flush(s);
}

static void no_list(struct mcp_server *s, const struct mcp_message *m)
{
	int64_t code = 0;

	s->list = 0;
	ai_json_i64(ai_json_member(m->body, AI_SPAN("code")), &code);
	if (code == -32601 && s->state == MCP_LISTING)
		list_is_complete(s); /* it has none */
	else if (s->state == MCP_LISTING)
		refuse(s, "tools/list", m);
}

static void on_list(struct mcp_server *s, const struct mcp_message *m)
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
	if (next.kind == AI_STRING)
		ai_json_text(next, &cursor);
	if (s->pages.bad != AI_E_NONE || cursor.bad != AI_E_NONE) {
		mcp_server_fail(s, "has a list of tools of over %zu bytes",
				MCP_LIST_MAX);
		goto done;
	}
	if (next.kind != AI_STRING || cursor.len == 0) {
		list_is_complete(s);
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

static struct mcp_call *find_call(struct mcp_server *s, int64_t id)
{
	for (struct mcp_call *c = s->calls; c != NULL; c = c->next)
		if (id > 0 && c->id == id)
			return c;
	return NULL;
}

static void on_noise(struct mcp_server *s, const char *why, struct ai_span line)
{
	if (++s->noise > MCP_NOISE_MAX) {
		mcp_server_fail(s, "writes too much that is no message");
		return;
	}
	ai_msg(s->filled ? AI_MSG_INFO : AI_MSG_WARN,
	       "MCP server '%.64s' wrote what is no message (%s), skipped: "
	       "%.*s", s->entry.name, why,
	       (int)(line.n < 120 ? line.n : 120), line.p);
	s->filled = true;
}

static void on_reply(struct mcp_server *s, const struct mcp_message *m,
		     struct ai_span line)
{
	struct mcp_call *call;

	if (m->number > 0 && m->number == s->hello) {
		on_hello(s, m);
	} else if (m->number > 0 && m->number == s->list) {
		if (m->kind == MCP_ERROR)
			no_list(s, m);
		else
			on_list(s, m);
	} else if ((call = find_call(s, m->number)) != NULL) {
		unlink_call(s, call);
		mcp_result_put(call->c, m);
		call->done = call->answered = true;
	} else if (m->number <= 0 || m->number > s->next_id) {
		on_noise(s, "it answers nothing that was asked", line);
	}
	/* Else it comes late, after a cancel, or twice. */
}

static void on_notification(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value level, data;
	struct ai_span l;

	if (ai_json_is(m->method, AI_SPAN("notifications/tools/list_changed"))) {
		s->changed = true;
		return;
	}
	if (!ai_json_is(m->method, AI_SPAN("notifications/message")))
		return;
	level = ai_json_member(m->params, AI_SPAN("level"));
	data = ai_json_member(m->params, AI_SPAN("data"));
	l = level.kind == AI_STRING ? ai_json_inside(level) : AI_SPAN("log");
	ai_msg(AI_MSG_INFO, "MCP server '%.64s', %.*s: %.*s", s->entry.name,
	       (int)(l.n < 20 ? l.n : 20), l.p,
	       (int)(data.s.n < 400 ? data.s.n : 400),
	       data.s.n > 0 ? data.s.p : "");
}

/* ---- lines --------------------------------------------------------------------------- */

/* answers: what requests in it are answered with. */
static void take_message(struct mcp_server *s, struct ai_value v,
			 struct ai_buf *answers)
{
	struct mcp_message m;

	mcp_message_read(v, &m);
	switch (m.kind) {
	case MCP_NOISE:
		on_noise(s, m.why, v.s);
		break;
	case MCP_REQUEST:
		mcp_put_answer(s, &m, answers);
		break;
	case MCP_NOTIFICATION:
		on_notification(s, &m);
		break;
	default:
		on_reply(s, &m, v.s);
	}
}

static void take_value(struct mcp_server *s, struct ai_value v)
{
	struct ai_buf answers = AI_BUF_INIT(MCP_SENT_MAX);
	struct ai_json_iter it;
	struct ai_value one;

	if (v.kind != AI_ARRAY) {
		take_message(s, v, &answers);
	} else {
		/* What comes in a batch is answered in one. */
		ai_put_open(&answers, '[');
		ai_json_iter_init(&it, v);
		while (!s->broken && ai_json_next(&it, NULL, &one))
			take_message(s, one, &answers);
		if (answers.len == 1)
			ai_buf_clear(&answers);
		else
			ai_put_close(&answers, ']');
	}
	if (answers.len > 0)
		mcp_send(s, &answers);
	ai_buf_release(&answers);
}

/* ---- a line that is too long ------------------------------------------------------------ */

static void begin_skip(struct mcp_server *s)
{
	s->skipping = true;
	s->skipped = 0;
	mcp_skim_init(&s->skim);
}

/* A line of no use, for it has or does what is said in why: whose answer it was.
 * false: nobody's that waits for one. */
static bool blame(struct mcp_server *s, const char *why)
{
	int64_t id = mcp_skim_id(&s->skim);
	struct mcp_call *call = find_call(s, id);

	if (call == NULL) {
		if (id <= 0 || (id != s->hello && id != s->list))
			return false;
		mcp_server_fail(s, "answers %s with a line that %.150s",
				id == s->hello ? "initialize" : "tools/list",
				why);
		return true;
	}
	unlink_call(s, call);
	call->done = call->answered = true;
	call->c->failed = true;
	ai_buf_clear(&call->c->text);
	ai_buf_fmt(&call->c->text, "the answer %s", why);
	return true;
}

/* The end of it. */
static void end_skip(struct mcp_server *s)
{
	int64_t id = mcp_skim_id(&s->skim);
	char why[100];

	s->skipping = false;
	snprintf(why, sizeof why, "has %zu bytes, more than the %zu that one "
		 "may have", s->skipped, MCP_LINE_MAX);
	if (blame(s, why))
		return;
	if (s->skim.asks || (id > 0 && id <= s->next_id))
		on_noise(s, "it is too long", AI_SPAN("..."));
	else
		mcp_server_fail(s, "wrote a line of %zu bytes, more than the "
				"%zu that one may have", s->skipped,
				MCP_LINE_MAX);
}

/* ---- others ------------------------------------------------------------------------------ */

/* Of a line that is no JSON, or nested too deep. */
static bool is_answer(struct mcp_server *s, const char *p, size_t n,
		      const char *why)
{
	char what[160];

	if (p[0] != '{')
		return false;
	mcp_skim_init(&s->skim);
	mcp_skim_add(&s->skim, p, n);
	snprintf(what, sizeof what, "cannot be read: %.120s", why);
	return blame(s, what);
}

static void take_line(struct mcp_server *s, const char *p, size_t n)
{
	struct ai_value v;
	struct ai_err err;

	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		n--;
	if (n == 0)
		return;
	if (mcp_line_check(p, n, &s->spare, &v, &err) == 0)
		take_value(s, v);
	else if (err.code == AI_E_MEMORY)
		mcp_server_fail(s, "wrote a line for which there is no "
				"memory");
	else if (!is_answer(s, p, n, err.msg))
		on_noise(s, err.msg, (struct ai_span){ p, n });
	ai_buf_shrink(&s->spare, MCP_KEEP);
}

static void add_skip(struct mcp_server *s, const char *p, size_t n)
{
	mcp_skim_add(&s->skim, p, n);
	s->skipped += n;
	if (s->skipped > MCP_SKIP_MAX)
		mcp_server_fail(s, "wrote a line of over %zu bytes",
				MCP_SKIP_MAX);
}

static void read_lines(struct mcp_server *s)
{
	struct ai_buf *o = &s->child.output;
	size_t from = 0;
	const char *nl;

	while (!s->broken && s->seen < o->len &&
	       (nl = memchr(o->p + s->seen, '\n', o->len - s->seen)) != NULL) {
		const char *p = o->p + from;

		if (s->skipping) {
			add_skip(s, p, (size_t)(nl - p));
			end_skip(s);
		} else {
			take_line(s, p, (size_t)(nl - p));
		}
		s->seen = from = (size_t)(nl - o->p) + 1;
	}
	if (o->len - from > MCP_LINE_MAX && !s->skipping)
		begin_skip(s);
	if (s->skipping) {
		add_skip(s, o->p + from, o->len - from);
		from = o->len;
	}
	ai_buf_consume(o, from);
	s->seen = o->len;
	if (o->len == 0)
		ai_buf_shrink(o, MCP_KEEP);
	ai_buf_shrink(&s->out, MCP_KEEP);
}

/* ---- turns ---------------------------------------------------------------------------- */

void mcp_server_wait(const struct mcp_server *s, struct agent_poll *p)
{
	if (!is_running(s))
		return;
	if (s->broken)
		agent_poll_by(p, ai_clock_s());
	agent_child_wait(&s->child, p);
	if (s->hello > 0 || s->list > 0)
		agent_poll_by(p, s->deadline);
	if (s->muted > 0)
		agent_poll_by(p, s->muted + MCP_MUTED_S);
	for (const struct mcp_call *c = s->calls; c != NULL; c = c->next)
		agent_poll_by(p, c->deadline);
}

static void look_at_time(struct mcp_server *s)
{
	double now = ai_clock_s();
	struct mcp_call *c, *next;
	char why[160];

	if ((s->hello > 0 || s->list > 0) && now >= s->deadline) {
		if (s->state == MCP_READY) {
			mcp_send_cancel(s, s->list, "it took too long");
			s->list = 0;
		} else {
			mcp_server_fail(s, "did not %s within %g s",
					s->hello > 0 ? "shake hands"
						: "list its tools",
					s->entry.start_timeout_s);
		}
	}
	for (c = s->calls; c != NULL; c = next) {
		next = c->next;
		if (now < c->deadline)
			continue;
		if (c->id > 0 && s->state == MCP_READY)
			mcp_send_cancel(s, c->id, "it took too long");
		snprintf(why, sizeof why, "MCP server '%.64s' did not answer "
			 "within %g s", s->entry.name, c->c->tool->timeout_s);
		fail_call(c, why);
	}
}

static void say_end(struct mcp_server *s)
{
	struct ai_buf how = AI_BUF_INIT(256);

	agent_child_say(&s->child, &how);
	mcp_server_fail(s, "%.200s", ai_buf_cstr(&how));
	ai_buf_release(&how);
}

void mcp_server_turn(struct mcp_server *s)
{
	bool ended;

	if (!is_running(s))
		return;
	ended = agent_child_turn(&s->child);
	if (s->child.out < 0 && s->muted == 0)
		s->muted = ai_clock_s();
	keep_tail(s);
	read_lines(s);
	if (ended)
		say_end(s);
	else if (s->muted > 0 && ai_clock_s() >= s->muted + MCP_MUTED_S)
		mcp_server_fail(s, "has closed its output");
	else
		look_at_time(s);
	if (s->broken)
		end_server(s);
}
