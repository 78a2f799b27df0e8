/*
 * input.c: what servers ask of us.  Up to 2025-11-25 that is a request of
 * theirs in the middle of a call; since then the call's result says what it
 * still needs, and the call is sent once more with it.  Questions to the person
 * are asked one at a time, whoever asks.
 */
#include "mcp/int.h"
#include "terminal.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_S 600.0  /* so long a person may think */
#define BUSY_S 0.1   /* until we look whether the terminal is ours */
#define LINE_BYTES ((size_t)16 << 10)

struct mcp_question {
	struct mcp_question *next;
	struct mcp_server *server;
	struct mcp_call *call; /* whose result asks; NULL: a request does */
	struct ai_buf id;      /* JSON: of the request, or its key */
	struct mcp_form *form;
	int tty;
	double deadline;       /* 0: it was not asked yet */
	struct ai_buf line;    /* as far as it was typed */
};

/* ---- answers ---------------------------------------------------------------------- */

static void add_response(struct mcp_call *call, struct ai_span key,
			 const struct ai_buf *result)
{
	struct ai_buf *b = &call->responses;

	if (b->len > 0)
		ai_buf_chr(b, ',');
	ai_buf_add(b, key.p, key.n);
	ai_buf_chr(b, ':');
	ai_buf_add(b, result->p, result->len);
}

static void question_free(struct agent_mcp *m, struct mcp_question *q,
			  bool answered)
{
	struct mcp_question **at = &m->questions;

	while (*at != NULL && *at != q)
		at = &(*at)->next;
	if (*at != NULL)
		*at = q->next;
	agent_terminal_give(q->tty, answered);
	mcp_form_free(q->form);
	ai_buf_release(&q->id);
	ai_buf_release(&q->line);
	free(q);
}

bool mcp_input_waits(const struct mcp_server *s)
{
	for (const struct mcp_question *q = s->of->questions; q != NULL;
	     q = q->next)
		if (q->server == s && q->call == NULL)
			return true;
	return false;
}

/* A person has thought, in the middle of which call nobody knows. */
static void give_time(struct mcp_server *s)
{
	double now = ai_clock_s();

	for (struct mcp_call *c = s->calls; c != NULL; c = c->next)
		if (c->deadline < now + c->c->tool->timeout_s)
			c->deadline = now + c->c->tool->timeout_s;
}

/* It has its answer, whatever that is. */
static void settle(struct agent_mcp *m, struct mcp_question *q)
{
	struct ai_buf result = AI_BUF_INIT(MCP_SENT_MAX);
	struct mcp_call *call = q->call;
	struct mcp_server *s = q->server;

	mcp_form_result(q->form, &result);
	if (call == NULL) {
		mcp_send_result(s, (struct ai_span){ q->id.p, q->id.len },
				(struct ai_span){ result.p, result.len });
		if (q->tty >= 0)
			give_time(s);
	} else {
		add_response(call, (struct ai_span){ q->id.p, q->id.len },
			     &result);
		if (--call->open == 0) {
			call->again = true;
			call->deadline = ai_clock_s() + call->c->tool->timeout_s;
		}
	}
	ai_buf_release(&result);
	question_free(m, q, q->deadline > 0);
	if (call != NULL)
		mcp_server_flush(s);
}

/* From what was given instead of a person. */
static void fill(const struct agent_mcp *m, struct mcp_form *form)
{
	struct ai_value v = { 0 };
	struct ai_err err;

	if (m->answers != NULL &&
	    ai_json_check(m->answers, strlen(m->answers), &v, &err) < 0)
		v = (struct ai_value){ 0 };
	mcp_form_fill(form, v);
}

/* ---- questions --------------------------------------------------------------------- */

static struct mcp_question *question_new(struct mcp_server *s,
					 struct mcp_call *call,
					 struct ai_span id,
					 struct ai_value params)
{
	struct mcp_question **at = &s->of->questions, *q;
	size_t n = 0;

	for (; *at != NULL; at = &(*at)->next)
		n += (*at)->server == s;
	q = n < MCP_QUESTIONS_MAX ? calloc(1, sizeof *q) : NULL;
	if (q == NULL)
		return NULL;
	q->form = mcp_form_new(s->entry.name, params);
	if (q->form == NULL) {
		free(q);
		return NULL;
	}
	q->server = s;
	q->call = call;
	q->tty = AGENT_TERMINAL_BUSY;
	ai_buf_init(&q->id, MCP_SENT_MAX);
	ai_buf_init(&q->line, LINE_BYTES);
	ai_buf_add(&q->id, id.p, id.n);
	*at = q;
	return q;
}

bool mcp_input_ask(struct mcp_server *s, const struct mcp_message *m)
{
	struct mcp_question *q = question_new(s, NULL, m->id.s, m->params);

	if (q == NULL)
		return false;
	if (s->of->answers != NULL) {
		fill(s->of, q->form);
		settle(s->of, q);
	}
	return true;
}

/* ---- a call that needs more ------------------------------------------------------------ */

static bool can_give(const struct mcp_server *s, struct ai_value request)
{
	struct ai_value method = ai_json_member(request, AI_SPAN("method"));

	if (request.kind != AI_OBJECT || method.kind != AI_STRING)
		return false;
	if (ai_json_is(method, AI_SPAN("roots/list")))
		return s->entry.roots;
	return ai_json_is(method, AI_SPAN("elicitation/create")) && s->of->asks;
}

static bool give(struct mcp_call *call, struct ai_value key,
		 struct ai_value request)
{
	struct ai_value method = ai_json_member(request, AI_SPAN("method"));
	struct ai_buf roots = AI_BUF_INIT(MCP_SENT_MAX);
	struct mcp_question *q;

	if (ai_json_is(method, AI_SPAN("roots/list"))) {
		mcp_put_roots(call->server, &roots);
		add_response(call, key.s, &roots);
		ai_buf_release(&roots);
		return true;
	}
	q = question_new(call->server, call, key.s,
			 ai_json_member(request, AI_SPAN("params")));
	if (q == NULL)
		return false;
	call->open++;
	return true;
}

/* Those that need no person are answered at once. */
static void answer_all(struct mcp_call *call)
{
	struct agent_mcp *m = call->server->of;
	struct mcp_question *q, *next;

	if (m->answers == NULL)
		return;
	for (q = m->questions; q != NULL; q = next) {
		next = q->next;
		if (q->call == call) {
			fill(m, q->form);
			settle(m, q);
		}
	}
}

bool mcp_input_begin(struct mcp_call *call, struct ai_value result,
		     const char **why)
{
	struct ai_value all = ai_json_member(result, AI_SPAN("inputRequests"));
	struct ai_value state = ai_json_member(result, AI_SPAN("requestState"));
	struct ai_value key, v;
	struct ai_json_iter it;

	*why = "the server asks for more (input_required), which nobody gives "
	       "it";
	if (call->server->era != MCP_MODERN ||
	    (all.kind != AI_OBJECT && state.kind != AI_STRING) ||
	    state.s.n > MCP_STATE_MAX)
		return false;
	if (all.kind == AI_OBJECT) {
		ai_json_iter_init(&it, all);
		while (ai_json_next(&it, NULL, &v))
			if (!can_give(call->server, v))
				return false;
	}
	*why = "the server asks for more again and again";
	if (++call->rounds > MCP_ROUNDS_MAX)
		return false;
	*why = "the server asks for too much at once";
	ai_buf_clear(&call->responses);
	ai_buf_clear(&call->state);
	if (state.kind == AI_STRING)
		ai_buf_add(&call->state, state.s.p, state.s.n);
	if (all.kind == AI_OBJECT) {
		ai_json_iter_init(&it, all);
		while (ai_json_next(&it, &key, &v))
			if (!give(call, key, v))
				return false;
	}
	call->again = call->open == 0;
	answer_all(call);
	return true;
}

/* ---- the person -------------------------------------------------------------------------- */

void mcp_input_drop(struct agent_mcp *m, const struct mcp_server *s,
		    const struct mcp_call *call)
{
	struct mcp_question *q, *next;

	for (q = m->questions; q != NULL; q = next) {
		next = q->next;
		if (q->server == s && (call == NULL || q->call == call)) {
			if (q->call != NULL)
				q->call->open = 0;
			question_free(m, q, false);
		}
	}
}

static bool show(struct mcp_question *q)
{
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	bool good;

	mcp_form_put(q->form, &out);
	good = agent_terminal_say(q->tty, &out) == 0;
	ai_buf_release(&out);
	return good;
}

/* true: there is nothing more to ask. */
static bool read_line(struct mcp_question *q)
{
	struct pollfd can = { q->tty, POLLIN, 0 };
	char bytes[4096];
	struct ai_span line;
	ssize_t n;
	bool full;

	if (poll(&can, 1, 0) <= 0)
		return ai_clock_s() >= q->deadline;
	n = read(q->tty, bytes, sizeof bytes);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0)
		return true;
	ai_buf_add(&q->line, bytes, (size_t)n);
	if (q->line.bad != AI_E_NONE)
		return true;
	if (q->line.p[q->line.len - 1] != '\n')
		return false;
	line = (struct ai_span){ q->line.p, q->line.len };
	full = mcp_form_take(q->form, line);
	ai_buf_clear(&q->line);
	return full || !show(q);
}

/* Nobody is there, or has the patience. */
static void give_up(struct agent_mcp *m, struct mcp_question *q)
{
	struct ai_value none = { 0 };

	mcp_form_fill(q->form, none);
	settle(m, q);
}

void mcp_input_turn(struct agent_mcp *m)
{
	struct mcp_question *q = m->questions;

	if (q == NULL)
		return;
	if (mcp_form_is_full(q->form)) {
		settle(m, q);
		return;
	}
	if (q->tty < 0) {
		q->tty = agent_terminal_take();
		if (q->tty == AGENT_TERMINAL_BUSY)
			return;
		q->deadline = ai_clock_s() + ASK_S;
		if (q->tty == AGENT_TERMINAL_NONE || !show(q)) {
			give_up(m, q);
			return;
		}
	}
	if (!read_line(q))
		return;
	if (mcp_form_is_full(q->form))
		settle(m, q);
	else
		give_up(m, q);
}

void mcp_input_wait(const struct agent_mcp *m, struct agent_poll *p)
{
	const struct mcp_question *q = m->questions;

	if (q == NULL)
		return;
	agent_poll_add(p, q->tty, POLLIN);
	agent_poll_by(p, q->tty >= 0 ? q->deadline : ai_clock_s() + BUSY_S);
}
