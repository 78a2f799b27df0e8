/* server.c: a server from its start to its end, whoever carries what it
 * writes. */
#include "mcp/int.h"

#include "base/clock.h"
#include "base/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void mcp_server_init(struct mcp_server *s, struct agent_mcp *m)
{
	*s = (struct mcp_server){ .of = m, .why = { AI_E_NONE, -1, "" } };
	ai_buf_init(&s->pages, MCP_LIST_MAX);
	ai_buf_init(&s->cursor, MCP_CURSOR_MAX);
	ai_buf_init(&s->spare, 4 * MCP_LINE_MAX);
	ai_buf_init(&s->out, MCP_SENT_MAX);
	ai_buf_init(&s->tail, 2 * MCP_TAIL);
}

bool mcp_server_runs(const struct mcp_server *s)
{
	return s->state != MCP_DOWN && s->state != MCP_GONE;
}

/* Ends what carries it. */
static void stop(struct mcp_server *s)
{
	if (s->entry.url != NULL)
		mcp_http_stop(s);
	else
		mcp_stdio_stop(s);
}

void mcp_server_release(struct mcp_server *s)
{
	mcp_input_drop(s->of, s, NULL);
	if (mcp_server_runs(s))
		stop(s);
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
	if (*at != NULL)
		*at = call->next;
	mcp_input_drop(s->of, s, call);
}

void mcp_call_fail(struct mcp_call *call, bool known, const char *why)
{
	unlink_call(call->server, call);
	call->done = true;
	call->answered = known || call->id == 0;
	call->c->failed = true;
	ai_buf_clear(&call->c->text);
	ai_buf_str(&call->c->text, why);
	if (!call->answered)
		ai_buf_str(&call->c->text,
			   "; whether the call had its effect is not known");
}

/* Kills what is left, and says so to all that wait. */
static void end_server(struct mcp_server *s)
{
	struct mcp_call *call, *next;

	/* Some of the older ones die of a question that they do not know. */
	bool again = s->died && s->state == MCP_PROBE && !s->skips_probe &&
		     s->entry.era != MCP_MODERN;

	stop(s);
	if (s->entry.url == NULL)
		mcp_stdio_add_tail(s);
	mcp_input_drop(s->of, s, NULL);
	s->broken = false;
	s->probe = s->hello = s->list = s->listens = 0;
	s->listed = false;
	s->skips_probe = s->skips_probe || again;
	s->state = (s->known || again) && s->starts < MCP_STARTS_MAX
		? MCP_DOWN : MCP_GONE;
	for (call = s->calls; call != NULL; call = next) {
		next = call->next;
		if (call->id > 0 || s->state == MCP_GONE)
			mcp_call_fail(call, false, s->why.msg);
	}
	/* Those that it has not seen yet may go to its successor. */
	if ((s->calls != NULL || again) && mcp_server_start(s) < 0)
		while (s->calls != NULL)
			mcp_call_fail(s->calls, true, s->why.msg);
}

/* ---- start ------------------------------------------------------------------------ */

int mcp_server_start(struct mcp_server *s)
{
	struct ai_err err;

	s->starts++;
	s->noise = 0;
	s->died = s->broken = s->filled = s->served = false;
	s->first_id = s->next_id;
	s->version = NULL;
	if ((s->entry.url != NULL ? mcp_http_start(s, &err)
				  : mcp_stdio_start(s, &err)) < 0) {
		s->state = MCP_GONE;
		return ai_err_set(&s->why, err.code,
				  "MCP server '%.64s' cannot be started: "
				  "%.280s", s->entry.name, err.msg);
	}
	s->deadline = ai_clock_s() + s->entry.start_timeout_s;
	mcp_era_begin(s);
	return 0;
}

void mcp_server_flush(struct mcp_server *s)
{
	if (s->state != MCP_READY)
		return;
	for (struct mcp_call *c = s->calls; c != NULL && !s->broken;
	     c = c->next)
		if (c->id == 0 || c->again)
			mcp_send_call(s, c);
}

/* What was sent is not waited for any more. */
static void forget(struct mcp_server *s, int64_t id, const char *reason)
{
	if (s->state != MCP_READY || s->broken)
		return;
	/* Over HTTP the end of the stream is what says it; before 2026-07-28 it
	 * said nothing. */
	if (s->entry.url == NULL || s->era == MCP_LEGACY)
		mcp_send_cancel(s, id, reason);
	if (s->entry.url != NULL)
		mcp_http_drop(s, id);
}

void mcp_server_cancel(struct mcp_server *s, struct mcp_call *call,
		       const char *reason)
{
	bool waits = mcp_server_awaits(s, call->id);

	unlink_call(s, call);
	if (waits)
		forget(s, call->id, reason);
	/* What it asks in the middle of a call is of no more use, either. */
	if (s->calls == NULL)
		mcp_input_drop(s->of, s, NULL);
}

/* ---- answers ------------------------------------------------------------------------ */

struct mcp_call *mcp_server_call(struct mcp_server *s, int64_t id)
{
	for (struct mcp_call *c = s->calls; c != NULL; c = c->next)
		if (id > 0 && c->id == id)
			return c;
	return NULL;
}

bool mcp_server_awaits(struct mcp_server *s, int64_t id)
{
	struct mcp_call *c = mcp_server_call(s, id);

	return id > 0 && (id == s->probe || id == s->hello || id == s->list ||
			  id == s->listens ||
			  (c != NULL && c->open == 0 && !c->again));
}

void mcp_noise(struct mcp_server *s, const char *why, struct ai_span line)
{
	struct ai_buf text;

	if (++s->noise > MCP_NOISE_MAX) {
		mcp_server_fail(s, "writes too much that is no message");
		return;
	}
	mcp_secret_quote(&s->entry, line, &text);
	ai_msg(s->filled ? AI_MSG_INFO : AI_MSG_WARN,
	       "MCP server '%.64s' wrote what is no message (%s), skipped: "
	       "%.120s", s->entry.name, why, ai_buf_cstr(&text));
	ai_buf_release(&text);
	s->filled = true;
}

bool mcp_blame(struct mcp_server *s, int64_t id, const char *why)
{
	struct mcp_call *call = mcp_server_call(s, id);
	char text[200];

	if (call == NULL) {
		if (id <= 0 || (id != s->hello && id != s->list &&
				id != s->probe))
			return false;
		mcp_server_fail(s, "answers %s with a line that %.150s",
				id == s->hello ? "initialize" :
				id == s->list ? "tools/list" :
				"server/discover", why);
		return true;
	}
	snprintf(text, sizeof text, "the answer %.160s", why);
	mcp_call_fail(call, true, text);
	return true;
}

/* A call's. */
static void on_answer(struct mcp_call *call, const struct mcp_message *m)
{
	struct ai_value type = ai_json_member(m->body, AI_SPAN("resultType"));
	struct mcp_server *s = call->server;
	int64_t code = 0;
	const char *why;

	if (call->open > 0 || call->again)
		return; /* one that was answered already, and asked for more */
	if (m->kind == MCP_RESULT && type.kind == AI_STRING &&
	    ai_json_is(type, AI_SPAN("input_required"))) {
		if (mcp_input_begin(call, m->body, &why))
			mcp_server_flush(s);
		else
			mcp_call_fail(call, true, why);
		return;
	}
	/* What its headers should have said may have changed. */
	if (m->kind == MCP_ERROR &&
	    ai_json_i64(ai_json_member(m->body, AI_SPAN("code")), &code) == 0 &&
	    code == -32020)
		s->changed = true;
	unlink_call(s, call);
	mcp_result_put(call->c, m);
	call->done = call->answered = true;
	/* Some print a line or two for each call. */
	s->served = true;
	s->noise = 0;
}

static void on_reply(struct mcp_server *s, const struct mcp_message *m,
		     struct ai_span line)
{
	struct mcp_call *call;

	if (m->number > 0 && m->number == s->probe) {
		mcp_era_on_probe(s, m);
	} else if (m->number > 0 && m->number == s->hello) {
		mcp_era_on_hello(s, m);
	} else if (m->number > 0 && m->number == s->list) {
		mcp_list_on(s, m);
	} else if (m->number > 0 && m->number == s->listens) {
		s->listens = 0;
	} else if ((call = mcp_server_call(s, m->number)) != NULL) {
		on_answer(call, m);
	} else if (m->number <= 0 || m->number > s->next_id) {
		mcp_noise(s, "it answers nothing that was asked", line);
	}
	/* Else it comes late, after a cancel, or twice. */
}

/* ---- what it says by itself ----------------------------------------------------------- */

static void on_log(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value level = ai_json_member(m->params, AI_SPAN("level"));
	struct ai_value data = ai_json_member(m->params, AI_SPAN("data"));
	struct ai_span l = level.kind == AI_STRING ? ai_json_inside(level)
						   : AI_SPAN("log");
	struct ai_buf text;

	mcp_secret_quote(&s->entry, data.s, &text);
	ai_msg(AI_MSG_INFO, "MCP server '%.64s', %.*s: %.400s", s->entry.name,
	       (int)(l.n < 20 ? l.n : 20), l.p, ai_buf_cstr(&text));
	ai_buf_release(&text);
}

/* Of a call that is under way; some tell of one that was cancelled. */
static void on_progress(struct mcp_server *s, const struct mcp_message *m)
{
	struct ai_value token = ai_json_member(m->params,
					       AI_SPAN("progressToken"));
	struct ai_value done = ai_json_member(m->params, AI_SPAN("progress"));
	struct ai_value of = ai_json_member(m->params, AI_SPAN("total"));
	struct ai_value text = ai_json_member(m->params, AI_SPAN("message"));
	struct ai_span say = ai_json_inside(text);
	struct mcp_call *call;
	int64_t id = 0;

	if (!ai_msg_tells() || token.kind != AI_NUMBER ||
	    done.kind != AI_NUMBER || ai_json_i64(token, &id) < 0 ||
	    (call = mcp_server_call(s, id)) == NULL)
		return;
	ai_msg(AI_MSG_INFO, "%.64s: %.*s%s%.*s%s%.*s", call->c->tool->name,
	       (int)(done.s.n < 24 ? done.s.n : 24), done.s.p,
	       of.kind == AI_NUMBER ? " of " : "",
	       (int)(of.kind == AI_NUMBER ? of.s.n < 24 ? of.s.n : 24 : 0),
	       of.kind == AI_NUMBER ? of.s.p : "", say.n > 0 ? ", " : "",
	       (int)(say.n < 200 ? say.n : 200), say.n > 0 ? say.p : "");
}

/* What is read when it is wanted needs no more than a word. */
static void on_others_changed(struct mcp_server *s, const char *what)
{
	ai_msg(AI_MSG_INFO, "MCP server '%.64s' has other %s than before",
	       s->entry.name, what);
}

static void on_notification(struct mcp_server *s, const struct mcp_message *m)
{
	if (ai_json_is(m->method, AI_SPAN("notifications/tools/list_changed")))
		s->changed = true;
	else if (ai_json_is(m->method,
			    AI_SPAN("notifications/resources/list_changed")))
		on_others_changed(s, "resources");
	else if (ai_json_is(m->method,
			    AI_SPAN("notifications/prompts/list_changed")))
		on_others_changed(s, "prompts");
	else if (ai_json_is(m->method, AI_SPAN("notifications/progress")))
		on_progress(s, m);
	else if (ai_json_is(m->method, AI_SPAN("notifications/message")))
		on_log(s, m);
}

/* answers: what requests in it are answered with. */
static void take_message(struct mcp_server *s, struct ai_value v, int64_t by,
			 struct ai_buf *answers)
{
	struct mcp_message m;

	mcp_message_read(v, &m);
	switch (m.kind) {
	case MCP_NOISE:
		mcp_noise(s, m.why, v.s);
		break;
	case MCP_REQUEST:
		mcp_put_answer(s, &m, answers);
		break;
	case MCP_NOTIFICATION:
		on_notification(s, &m);
		break;
	default:
		if (m.kind == MCP_ERROR && by > 0 &&
		    (m.id.kind == AI_NULL || m.id.kind == AI_NONE))
			m.number = by;
		on_reply(s, &m, v.s);
	}
}

void mcp_take(struct mcp_server *s, struct ai_value v, int64_t by)
{
	struct ai_buf answers = AI_BUF_INIT(MCP_SENT_MAX);
	struct ai_json_iter it;
	struct ai_value one;

	if (v.kind != AI_ARRAY) {
		take_message(s, v, by, &answers);
	} else {
		/* What comes in a batch is answered in one. */
		ai_put_open(&answers, '[');
		ai_json_iter_init(&it, v);
		while (!s->broken && ai_json_next(&it, NULL, &one))
			take_message(s, one, by, &answers);
		if (answers.len == 1)
			ai_buf_clear(&answers);
		else
			ai_put_close(&answers, ']');
	}
	if (answers.len > 0)
		mcp_send_answers(s, &answers);
	ai_buf_release(&answers);
}

/* ---- turns ---------------------------------------------------------------------------- */

/* A person who thinks is none of the server's time. */
static double deadline_of(const struct mcp_call *c)
{
	return c->open > 0 || mcp_input_waits(c->server) ? 0 : c->deadline;
}

void mcp_server_wait(const struct mcp_server *s, struct agent_poll *p)
{
	if (!mcp_server_runs(s))
		return;
	if (s->broken)
		agent_poll_by(p, ai_clock_s());
	if (s->entry.url != NULL)
		mcp_http_wait(s, p);
	else
		mcp_stdio_wait(s, p);
	if (s->probe > 0 || s->hello > 0 || s->list > 0)
		agent_poll_by(p, s->deadline);
	if (s->probe_until > 0)
		agent_poll_by(p, s->probe_until);
	for (const struct mcp_call *c = s->calls; c != NULL; c = c->next)
		if (deadline_of(c) > 0)
			agent_poll_by(p, c->deadline);
	mcp_input_wait(s->of, p);
}

static void late_start(struct mcp_server *s)
{
	if (s->state == MCP_READY) {
		forget(s, s->list, "it took too long");
		s->list = 0;
	} else {
		mcp_server_fail(s, "did not %s within %g s",
				s->state == MCP_LISTING ? "list its tools"
					: "shake hands",
				s->entry.start_timeout_s);
	}
}

static void look_at_time(struct mcp_server *s)
{
	double now = ai_clock_s();
	struct mcp_call *c, *next;
	char why[160];

	if (s->state < MCP_READY && now >= s->deadline)
		late_start(s);
	else if (s->list > 0 && now >= s->deadline)
		late_start(s);
	else if (s->probe_until > 0 && now >= s->probe_until)
		mcp_era_fall_back(s);
	for (c = s->calls; c != NULL; c = next) {
		next = c->next;
		if (deadline_of(c) <= 0 || now < c->deadline)
			continue;
		if (c->id > 0)
			forget(s, c->id, "it took too long");
		snprintf(why, sizeof why, "MCP server '%.64s' did not answer "
			 "within %g s", s->entry.name, c->c->tool->timeout_s);
		mcp_call_fail(c, false, why);
	}
}

void mcp_server_turn(struct mcp_server *s)
{
	if (!mcp_server_runs(s))
		return;
	if (s->entry.url != NULL)
		mcp_http_turn(s);
	else
		mcp_stdio_turn(s);
	mcp_input_turn(s->of);
	if (!s->broken)
		look_at_time(s);
	if (s->broken)
		end_server(s);
}
