/*
 * http.c: a server that is asked over HTTP.  Each message of ours is a POST;
 * what it is answered with is a message, or a stream of events that ends with
 * one.  Up to 2025-11-25 there are sessions, streams that go on by a GET where
 * they broke, and one for what the server says by itself; in 2024-11-05 all
 * comes by that one.
 *
 * libcurl's callbacks only keep what came; it is looked at afterwards, in our
 * turn, from where new requests may be begun.
 */
#include "mcp/http.h"

#include "base/clock.h"
#include "base/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ERROR_MAX ((size_t)1 << 20) /* bytes of a refusal */
#define EVERMORE_S 2e6       /* our own deadlines end requests */
#define AGAIN_S 1.0          /* to a stream's next try, and twice that, ... */
#define AGAIN_MIN_S 0.1
#define AGAIN_MAX_S 30.0
#define TRIES_MAX 10         /* without a message in between */

static double wait_of(const struct mcp_post *p)
{
	double wait = AGAIN_S * (double)(1 << (p->tries < 6 ? p->tries : 6));

	return wait < AGAIN_MAX_S ? wait : AGAIN_MAX_S;
}

/* ---- one on its way ----------------------------------------------------------------- */

static void cancel(struct mcp_post *p)
{
	if (p->transfer != NULL)
		ai_http_cancel(p->s->of->http, p->transfer);
	p->transfer = NULL;
}

static void post_free(struct mcp_post *p)
{
	struct mcp_post **at = &p->s->http->posts;

	cancel(p);
	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at != NULL)
		*at = p->next;
	ai_http_answer_release(&p->answer);
	ai_buf_release(&p->body);
	ai_buf_release(&p->in);
	ai_sse_release(&p->sse);
	free(p);
}

static int on_event(void *arg, struct ai_span name, struct ai_span data,
		    struct ai_err *err);

/* NULL: no memory; the server fails. */
static struct mcp_post *post_new(struct mcp_server *s, int64_t id)
{
	struct mcp_post *p = calloc(1, sizeof *p);

	if (p == NULL) {
		mcp_server_fail(s, "cannot be asked: out of memory");
		return NULL;
	}
	p->s = s;
	p->id = id;
	ai_http_answer_init(&p->answer, ERROR_MAX);
	ai_buf_init(&p->body, MCP_SENT_MAX);
	ai_buf_init(&p->in, 2 * MCP_LINE_MAX);
	ai_sse_init(&p->sse, AI_SSE_EVENTS, MCP_LINE_MAX, on_event, p);
	p->next = s->http->posts;
	s->http->posts = p;
	return p;
}

static int on_data(void *arg, const char *bytes, size_t n, struct ai_err *err)
{
	struct mcp_post *p = arg;

	ai_buf_add(&p->in, bytes, n);
	return ai_buf_check(&p->in, "the answer", err);
}

static void on_done(void *arg, int rc, struct ai_err *err)
{
	struct mcp_post *p = arg;

	p->transfer = NULL;
	p->ended = true;
	p->rc = rc;
	p->err = *err;
}

/* Begins it, or begins it anew. */
static void begin(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	struct agent_strings headers = { 0 };
	struct ai_err err;
	struct ai_http_request q = {
		.method = p->get ? "GET" : "POST",
		.url = !p->get && s->http->post_url != NULL
			? s->http->post_url : s->entry.url,
		.body = p->get ? NULL : p->body.p, .n = p->body.len,
		.connect_s = s->entry.start_timeout_s < AI_HTTP_CONNECT_S
			? s->entry.start_timeout_s : AI_HTTP_CONNECT_S,
		.timeout_s = EVERMORE_S, .data = on_data, .arg = p,
	};

	p->ended = false;
	p->again = 0;
	ai_buf_clear(&p->in);
	if (mcp_http_headers(p, &headers, &err) < 0)
		mcp_server_fail(s, "cannot be asked: %.200s", err.msg);
	q.headers = agent_strings_list(&headers);
	if (!s->broken && ai_http_start(s->of->http, &q, &p->answer, on_done,
					&p->transfer, &err) < 0) {
		p->transfer = NULL;
		mcp_server_fail(s, "cannot be asked: %.200s", err.msg);
	}
	agent_strings_release(&headers);
}

/* The stream of what it says by itself. */
static void open_stream(struct mcp_server *s)
{
	struct mcp_post *p = post_new(s, 0);

	if (p == NULL)
		return;
	p->get = true;
	begin(p);
}

/* Each answer of ours is a request, and so a connection: who asks on and takes
 * none would have all that there are. */
static bool takes_answers(const struct mcp_server *s)
{
	size_t n = 0;

	for (const struct mcp_post *p = s->http->posts; p != NULL; p = p->next)
		n += !p->get && p->letter.method == NULL;
	return n < MCP_ANSWERS_MAX;
}

void mcp_http_send(struct mcp_server *s, struct ai_buf *line)
{
	struct mcp_post *p;
	struct ai_err err;

	if (s->letter.method == NULL && !takes_answers(s)) {
		mcp_server_fail(s, "asks on and on, and takes no answer");
		return;
	}
	p = post_new(s, s->letter.id);
	if (p == NULL)
		return;
	p->letter = s->letter;
	ai_buf_add(&p->body, line->p, line->len);
	if (ai_buf_check(&p->body, "what it is asked", &err) < 0 ||
	    line->bad != AI_E_NONE)
		mcp_server_fail(s, "cannot be written to: %.200s", err.msg);
	else
		begin(p);
	p->letter.call = NULL; /* it may go before this does */
}

void mcp_http_drop(struct mcp_server *s, int64_t id)
{
	for (struct mcp_post *p = s->http->posts; p != NULL; p = p->next)
		if (id > 0 && p->id == id) {
			cancel(p);
			p->dropped = true;
		}
}

/* ---- start and end ------------------------------------------------------------------- */

int mcp_http_start(struct mcp_server *s, struct ai_err *err)
{
	struct agent_mcp *m = s->of;

	if (m->http == NULL) {
		m->http = ai_http_new(err);
		if (m->http == NULL)
			return -1;
		ai_http_loop(m->http);
	}
	s->http = calloc(1, sizeof *s->http);
	if (s->http == NULL)
		return ai_err_nomem(err);
	if (s->entry.sse) {
		s->http->old = true;
		open_stream(s);
	}
	return 0;
}

void mcp_http_stop(struct mcp_server *s)
{
	if (s->http == NULL)
		return;
	while (s->http->posts != NULL)
		post_free(s->http->posts);
	free(s->http->post_url);
	free(s->http);
	s->http = NULL;
}

void mcp_http_ready(struct mcp_server *s)
{
	if (!s->http->old)
		open_stream(s);
}

bool mcp_http_turn_old(struct mcp_server *s)
{
	if (s->http->old || s->entry.era != MCP_ANY)
		return false;
	s->http->old = true;
	open_stream(s);
	return true;
}

/* ---- without an answer ---------------------------------------------------------------- */

/* What has this id will not be answered.  known: nothing of it was done. */
static void no_answer(struct mcp_server *s, int64_t id, bool known,
		      const char *why)
{
	struct mcp_call *call = mcp_server_call(s, id);
	char text[400];

	if (id > 0 && id == s->probe) {
		s->probe = 0;
		mcp_era_fall_back(s);
	} else if (id > 0 && id == s->listens) {
		s->listens = 0;
		s->stale = ai_clock_s() + MCP_STALE_S;
	} else if (id > 0 && id == s->list && s->state == MCP_READY) {
		s->list = 0;
	} else if (id > 0 && (id == s->hello || id == s->list)) {
		mcp_server_fail(s, "%.250s", why);
	} else if (call != NULL) {
		snprintf(text, sizeof text, "MCP server '%.64s' %.300s",
			 s->entry.name, why);
		mcp_call_fail(call, known, text);
	}
}

/* The stream of what it says by itself has broken. What it would have said of
 * its list is lost, unless it can go on behind an event. */
static void tell_break(struct mcp_post *p)
{
	struct mcp_server *s = p->s;

	if (p->sse.id[0] == '\0' && s->can.tools_changed)
		s->changed = true;
	if (p->tries == TRIES_MAX + 1)
		ai_msg(AI_MSG_INFO, "MCP server '%.64s' does not keep its "
		       "stream: it is asked for one every %g s",
		       s->entry.name, AGAIN_MAX_S);
}

/* The stream goes on a little later, behind the last event that came; if that
 * has happened too often, an answer's does not, and its own much later. */
static void go_on_later(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	double wait = wait_of(p);
	char id[AI_SSE_ID_MAX + 1];
	int64_t retry_ms = p->sse.retry_ms;

	p->tries += p->tries <= TRIES_MAX + 1;
	if (p->tries > TRIES_MAX && p->id > 0) {
		no_answer(s, p->id, false, "breaks the stream of its answer "
			  "off again and again");
		post_free(p);
		return;
	}
	if (p->id == 0)
		tell_break(p);
	if (p->tries > TRIES_MAX)
		wait = AGAIN_MAX_S;
	else if (retry_ms >= 0)
		wait = (double)retry_ms / 1e3;
	if (p->answer.status >= 300 && p->answer.retry_after_s > wait)
		wait = p->answer.retry_after_s;
	p->again = ai_clock_s() + (wait < AGAIN_MIN_S ? AGAIN_MIN_S : wait);
	p->get = true;
	p->ended = false;
	memcpy(id, p->sse.id, sizeof id);
	ai_sse_release(&p->sse);
	ai_sse_init(&p->sse, AI_SSE_EVENTS, MCP_LINE_MAX, on_event, p);
	memcpy(p->sse.id, id, sizeof id);
	p->sse.retry_ms = retry_ms;
}

/* ---- what comes ------------------------------------------------------------------------ */

static bool is_type(const struct mcp_post *p, const char *type)
{
	size_t n = strlen(type);
	const char *is = p->answer.content_type;

	return strncasecmp(is, type, n) == 0 &&
		strchr(" ;", is[n]) != NULL;
}

/* Before the first message is looked at: more of ours may follow it. */
static void learn_session(struct mcp_post *p)
{
	struct mcp_server *s = p->s;

	if (p->id == 0 || p->id != s->hello || p->answer.session[0] == '\0')
		return;
	if (strlen(p->answer.session) == sizeof p->answer.session - 1)
		mcp_server_fail(s, "has a session id that is too long");
	else
		snprintf(s->http->session, sizeof s->http->session, "%s",
			 p->answer.session);
}

/* What cannot be read, for it is no JSON: whose answer it would be.  All that
 * comes without a stream is the answer. */
static int64_t answers(const struct mcp_post *p, struct ai_span text)
{
	struct mcp_skim skim;

	if (!is_type(p, "text/event-stream"))
		return p->id;
	mcp_skim_init(&skim);
	if (text.n > 0 && text.p[0] == '{')
		mcp_skim_add(&skim, text.p, text.n);
	return mcp_skim_id(&skim);
}

static void take_text(struct mcp_post *p, struct ai_span text)
{
	struct mcp_server *s = p->s;
	struct ai_value v;
	struct ai_err err;
	char why[160];

	learn_session(p);
	if (s->broken)
		return;
	if (mcp_line_check(text.p, text.n, &s->spare, &v, &err) == 0) {
		mcp_take(s, v, p->id);
	} else if (err.code == AI_E_MEMORY) {
		mcp_server_fail(s, "wrote a message for which there is no "
				"memory");
	} else {
		snprintf(why, sizeof why, "cannot be read: %.120s", err.msg);
		if (!mcp_blame(s, answers(p, text), why))
			mcp_noise(s, err.msg, text);
	}
	ai_buf_shrink(&s->spare, MCP_KEEP);
}

static int on_event(void *arg, struct ai_span name, struct ai_span data,
		    struct ai_err *err)
{
	struct mcp_post *p = arg;
	struct mcp_server *s = p->s;

	(void)err;
	if (s->broken || p->dropped || data.n == 0)
		return 0;
	p->tries = 0;
	if (s->http->old && ai_span_is(name, "endpoint")) {
		if (mcp_http_endpoint(s, data) && s->hello == 0 &&
		    s->state == MCP_HELLO)
			mcp_send_hello(s);
	} else if (name.n == 0 || ai_span_is(name, "message")) {
		take_text(p, data);
	}
	return 0;
}

/* Of a stream, what is there of it. */
static void take_events(struct mcp_post *p)
{
	struct ai_err err;
	char why[100];

	if (p->in.len == 0 || !is_type(p, "text/event-stream"))
		return;
	if (ai_sse_add(&p->sse, p->in.p, p->in.len, &err) < 0) {
		snprintf(why, sizeof why, "has more than the %zu bytes that "
			 "it may have", MCP_LINE_MAX);
		if (!mcp_blame(p->s, p->id, why))
			mcp_server_fail(p->s, "wrote a message that %s", why);
		cancel(p);
		p->dropped = true;
	}
	ai_buf_shrink(&p->in, MCP_KEEP);
}

/* ---- how it ends -------------------------------------------------------------------------- */

/* The session is over; what was refused with that was not done. */
static void on_lost_session(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	struct mcp_call *call = mcp_server_call(s, p->id);

	s->http->session[0] = '\0';
	if (call != NULL && call->open == 0)
		call->id = 0;
	/* Sessions end, also of servers that are well: no death of one. */
	if (s->served)
		s->starts--;
	mcp_server_fail(s, "has ended the session");
}

/* Whether the body is an error of JSON-RPC, and was taken as the answer. */
static bool take_error(struct mcp_post *p)
{
	struct mcp_message m;
	struct ai_value v;
	struct ai_err err;

	if (p->id == 0 || p->answer.body.len == 0 ||
	    mcp_line_check(p->answer.body.p, p->answer.body.len, &p->s->spare,
			   &v, &err) < 0 || v.kind != AI_OBJECT)
		return false;
	/* Gateways have errors of their own. */
	mcp_message_read(v, &m);
	if (m.kind != MCP_ERROR)
		return false;
	mcp_take(p->s, v, p->id);
	return !mcp_server_awaits(p->s, p->id);
}

static bool is_busy(long status)
{
	return status == 429 || status == 503;
}

/*
 * What was refused for now is asked again when the server says so, if whoever
 * waits for it waits as long.  429 says that nothing was done, 503 as good as
 * that: not enough for what must not be done twice.
 */
static bool ask_again(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	const struct mcp_call *call = mcp_server_call(s, p->id);
	double wait = p->answer.retry_after_s, until = s->deadline;

	if (!is_busy(p->answer.status) || p->id == 0 || p->get ||
	    (call == NULL && p->id != s->hello && p->id != s->list))
		return false;
	if (p->answer.status == 503 &&
	    (wait < 0 || (call != NULL &&
			  call->c->tool->effect != AGENT_PURE &&
			  call->c->tool->effect != AGENT_IDEMPOTENT)))
		return false;
	if (wait <= 0)
		wait = wait_of(p);
	if (call != NULL)
		until = call->deadline;
	if (p->tries >= TRIES_MAX || ai_clock_s() + wait >= until)
		return false;
	p->tries++;
	p->again = ai_clock_s() + wait;
	p->ended = false;
	return true;
}

static void say_refusal(const struct mcp_post *p, char *why, size_t size)
{
	const struct ai_buf *b = &p->answer.body;
	long status = p->answer.status;
	bool wants = status == 401 || status == 403;
	struct ai_buf body;
	char when[60] = "";

	if (is_busy(status) && p->answer.retry_after_s > 0)
		snprintf(when, sizeof when, " (it wants to be asked again in "
			 "%g s)", p->answer.retry_after_s);
	mcp_secret_quote(&p->s->entry, (struct ai_span){ b->p, b->len }, &body);
	snprintf(why, size, "answers %.60s with HTTP %ld%s%s%.160s",
		 p->letter.method != NULL ? p->letter.method : p->get ? "GET"
		 : "what it had asked", status, when, wants
		 ? " (it wants other \"headers\" in its entry)"
		 : body.len > 0 ? ": " : "", wants ? "" : ai_buf_cstr(&body));
	ai_buf_release(&body);
}

static void on_refusal(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	long status = p->answer.status;
	bool hello = p->id > 0 && p->id == s->hello;
	bool probe = p->id > 0 && p->id == s->probe;
	char why[400];

	if (ask_again(p))
		return;
	say_refusal(p, why, sizeof why);
	if (status == 404 && s->http->session[0] != '\0' && !hello && !probe) {
		on_lost_session(p);
	} else if (hello && (status == 400 || status == 404 || status == 405) &&
		   mcp_http_turn_old(s)) {
		s->hello = 0;
		snprintf(s->http->why, sizeof s->http->why, "%.290s", why);
	} else if (p->get && p->id == 0 && !s->http->old &&
		   (status == 429 || status >= 500)) {
		go_on_later(p);
		return;
	} else if (p->get && p->id == 0) {
		if (s->http->old)
			mcp_server_fail(s, "%.250s", s->http->why[0] != '\0'
					? s->http->why : why);
	} else if (p->id == 0) {
		ai_msg(AI_MSG_INFO, "MCP server '%.64s' %.250s", s->entry.name,
		       why);
	} else if (probe && (status == 401 || status == 403)) {
		mcp_server_fail(s, "%.250s", why);
	} else if (!take_error(p)) {
		no_answer(s, p->id, status < 500, why);
	}
	post_free(p);
}

/* No connection, or it broke. */
static void on_break(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	char why[300];

	if (p->err.code == AI_E_TOO_LONG && p->answer.status >= 300) {
		on_refusal(p);
		return;
	}
	if (p->err.code == AI_E_TOO_LONG && p->id > 0) {
		snprintf(why, sizeof why, "has more than the %zu bytes that it "
			 "may have", MCP_LINE_MAX);
		if (mcp_blame(s, p->id, why)) {
			post_free(p);
			return;
		}
	}
	if ((p->get && p->id == 0 && !s->http->old) ||
	    (p->sse.id[0] != '\0' && s->era == MCP_LEGACY &&
	     mcp_server_awaits(s, p->id))) {
		go_on_later(p);
		return;
	}
	snprintf(why, sizeof why, "cannot be reached: %.250s", p->err.msg);
	if (p->get && s->http->old)
		mcp_server_fail(s, "%s", why);
	else if (p->id > 0 && p->id == s->probe && !p->answer.sent)
		mcp_server_fail(s, "%s", why);
	else if (p->id > 0 && mcp_server_awaits(s, p->id))
		no_answer(s, p->id, !p->answer.sent, why);
	post_free(p);
}

/* A whole answer; what it has of JSON is taken now. */
static void on_end(struct mcp_post *p)
{
	struct mcp_server *s = p->s;
	bool stream = is_type(p, "text/event-stream");
	bool json = is_type(p, "application/json");
	char why[200];

	if (json && p->in.len > MCP_LINE_MAX) {
		snprintf(why, sizeof why, "has %zu bytes, more than the %zu "
			 "that one may have", p->in.len, MCP_LINE_MAX);
		mcp_blame(s, p->id, why);
	} else if (json && p->in.len > 0) {
		take_text(p, (struct ai_span){ p->in.p, p->in.len });
	}
	if (s->broken)
		return;
	if (stream && ((p->get && p->id == 0) ||
		       (s->era == MCP_LEGACY && p->sse.id[0] != '\0' &&
			mcp_server_awaits(s, p->id)))) {
		if (s->http->old)
			mcp_server_fail(s, "has closed its stream");
		else
			go_on_later(p);
		return;
	}
	/* In 2024-11-05 the answer comes by the stream. */
	if (mcp_server_awaits(s, p->id) && !s->http->old) {
		snprintf(why, sizeof why, stream ? "has ended its stream "
			 "without the answer" : p->in.len == 0
			 ? "answers with nothing" : json
			 ? "answers something else" : "answers with '%.60s'",
			 p->answer.content_type);
		no_answer(s, p->id, false, why);
	}
	post_free(p);
}

static void begin_again(struct mcp_post *p)
{
	/* Its headers are made of the call, which may go before the answer. */
	p->letter.call = mcp_server_call(p->s, p->id);
	begin(p);
	p->letter.call = NULL;
}

static void turn_post(struct mcp_post *p)
{
	struct mcp_server *s = p->s;

	if (!p->dropped)
		take_events(p);
	if (s->broken)
		return;
	if (p->dropped)
		post_free(p);
	else if (p->again > 0 && ai_clock_s() >= p->again)
		begin_again(p);
	else if (p->ended && p->rc < 0)
		on_break(p);
	else if (p->ended && (p->answer.status < 200 || p->answer.status > 299))
		on_refusal(p);
	else if (p->ended)
		on_end(p);
}

void mcp_http_turn(struct mcp_server *s)
{
	struct mcp_post *p, *next;
	struct ai_err err;

	if (ai_http_turn(s->of->http, &err) < 0)
		mcp_server_fail(s, "cannot be waited for: %.200s", err.msg);
	for (p = s->http->posts; p != NULL && !s->broken; p = next) {
		next = p->next;
		turn_post(p);
	}
	ai_buf_shrink(&s->out, MCP_KEEP);
}

static void add_fd(void *arg, int fd, bool reads, bool writes)
{
	agent_poll_add(arg, fd, (short)((reads ? POLLIN : 0) |
					(writes ? POLLOUT : 0)));
}

void mcp_http_wait(const struct mcp_server *s, struct agent_poll *p)
{
	double due = ai_http_due(s->of->http);

	ai_http_fds(s->of->http, add_fd, p);
	if (due > 0)
		agent_poll_by(p, due);
	for (const struct mcp_post *q = s->http->posts; q != NULL; q = q->next) {
		if (q->again > 0)
			agent_poll_by(p, q->again);
		/* What came while another server was looked at. */
		else if (q->ended || q->dropped ||
			 (q->in.len > 0 && is_type(q, "text/event-stream")))
			agent_poll_by(p, ai_clock_s());
	}
}
