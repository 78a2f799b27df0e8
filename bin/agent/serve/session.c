/* session.c: what a client writes, line by line, and what becomes of it.
 *
 * Nothing here starts or waits for a process: a call that is asked for waits in
 * a list until somebody takes it, and is answered when he gives it back. */
#include "serve/serve.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "record/rec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP ((size_t)1 << 20) /* bytes of a buffer that is empty */

static const struct ai_span no_id = { NULL, 0 };

int serve_init(struct serve *s, struct ai_err *err)
{
	ai_buf_init(&s->in, MCP_LINE_MAX + (1 << 20));
	ai_buf_init(&s->spare, 4 * MCP_LINE_MAX);
	ai_buf_init(&s->line, SERVE_ANSWER_MAX);
	ai_buf_init(&s->out, 2 * SERVE_ANSWER_MAX);
	s->last = &s->waiting;
	return serve_tools_init(s, err);
}

/* ---- answers ----------------------------------------------------------------- */

/* What was written to s->line goes out, or to the answers of its array. */
static void emit(struct serve *s, struct serve_batch *batch)
{
	struct ai_buf *to = batch != NULL ? &batch->answers : &s->out;

	if (batch != NULL && to->len > 0)
		ai_buf_chr(to, ',');
	ai_buf_add(to, s->line.p, s->line.len);
	if (batch == NULL)
		ai_buf_chr(to, '\n');
	s->failed = s->failed || s->line.bad != AI_E_NONE ||
		to->bad != AI_E_NONE;
	ai_buf_shrink(&s->line, KEEP);
}

/* One of its messages needs no answer any more. */
static void leave_batch(struct serve *s, struct serve_batch *batch)
{
	if (batch == NULL || --batch->open > 0)
		return;
	if (batch->answers.len > 0) {
		ai_buf_chr(&s->line, '[');
		ai_buf_add(&s->line, batch->answers.p, batch->answers.len);
		ai_buf_chr(&s->line, ']');
		emit(s, NULL);
	}
	ai_buf_release(&batch->answers);
	free(batch);
}

static void refuse(struct serve *s, struct serve_batch *batch,
		   struct ai_span id, int code, const char *why)
{
	serve_put_error(&s->line, id, code, "%s", why);
	emit(s, batch);
}

/* ---- calls ------------------------------------------------------------------- */

static void free_call(struct serve *s, struct serve_call *c)
{
	s->n_calls--;
	s->bytes -= c->size;
	leave_batch(s, c->batch);
	agent_strings_release(&c->argv);
	ai_buf_release(&c->record);
	free(c->id);
	free(c->token);
	free(c);
}

static bool same_id(struct ai_value id, const char *json)
{
	struct ai_buf text = AI_BUF_INIT(6 * MCP_ID_MAX);
	struct ai_value v;
	bool same;

	if (ai_json_check(json, strlen(json), &v, NULL) < 0 ||
	    v.kind != id.kind)
		return false;
	if (id.kind != AI_STRING)
		return ai_span_eq(id.s, v.s);
	ai_json_text(id, &text);
	same = text.bad == AI_E_NONE &&
		ai_json_is(v, (struct ai_span){ ai_buf_cstr(&text), text.len });
	ai_buf_release(&text);
	return same;
}

static bool is_under_way(const struct serve *s, struct ai_value id)
{
	const struct serve_call *c;

	for (c = s->waiting; c != NULL; c = c->next)
		if (same_id(id, c->id))
			return true;
	for (c = s->under_way; c != NULL; c = c->next)
		if (!c->dropped && same_id(id, c->id))
			return true;
	return false;
}

void serve_cancel(struct serve *s, struct ai_value id)
{
	struct serve_call **at = &s->waiting, *c;

	if (id.kind != AI_STRING && id.kind != AI_NUMBER)
		return;
	while ((c = *at) != NULL && !same_id(id, c->id))
		at = &c->next;
	if (c != NULL) {
		*at = c->next;
		if (c->next == NULL)
			s->last = at;
		free_call(s, c);
		return;
	}
	for (c = s->under_way; c != NULL; c = c->next)
		if (same_id(id, c->id))
			c->dropped = true;
}

/* A string or a whole number, not too long. */
static char *take_token(struct ai_value params)
{
	struct ai_value meta = ai_json_member(params, AI_SPAN("_meta")), v;

	if (meta.kind != AI_OBJECT)
		return NULL;
	v = ai_json_member(meta, AI_SPAN("progressToken"));
	return (v.kind == AI_STRING || v.kind == AI_NUMBER) &&
		v.s.n <= SERVE_TOKEN_MAX ? ai_span_dup(v.s) : NULL;
}

static void queue(struct serve *s, struct serve_call *c)
{
	*s->last = c;
	s->last = &c->next;
	if (c->batch != NULL)
		c->batch->open++;
	s->n_calls++;
	c->size = c->record.len;
	s->bytes += c->size;
	c->tick = ai_clock_s() + SERVE_TICK_S;
}

/* A call that can be done waits for its turn; else err says why not, to the
 * model. */
static int make_call(struct serve *s, const struct serve_tool *tool,
		     struct ai_value args, struct serve_call *c,
		     struct ai_err *err)
{
	if (ai_schema_check(tool->schema, args.s.p, args.s.n, err) < 0)
		return -1;
	c->tool = tool;
	return tool->kind->ask(s, args, &c->argv, &c->record, err) < 0 ? -1 :
		ai_buf_check(&c->record, "the call", err);
}

static void call_tool(struct serve *s, const struct mcp_message *m, bool modern,
		      const struct serve_tool *tool, struct ai_value args,
		      struct serve_batch *batch)
{
	struct serve_call *c = calloc(1, sizeof(*c));
	struct ai_err err = { .code = AI_E_NONE, .retry_after_s = -1 };

	if (c == NULL || (c->id = ai_span_dup(m->id.s)) == NULL) {
		s->failed = true;
		free(c);
		return;
	}
	ai_buf_init(&c->record, 2 * MCP_LINE_MAX);
	c->modern = modern;
	if (make_call(s, tool, args, c, &err) < 0) {
		serve_put_failed(&s->line, m->id.s, modern, &err);
		emit(s, batch);
		agent_strings_release(&c->argv);
		ai_buf_release(&c->record);
		free(c->id);
		free(c);
		return;
	}
	c->token = take_token(m->params);
	c->batch = batch;
	queue(s, c);
}

static void refuse_tool(struct serve *s, struct serve_batch *batch,
			struct ai_span id, struct ai_value name)
{
	struct ai_buf text = AI_BUF_INIT(MCP_LINE_MAX);

	ai_buf_str(&text, "Unknown tool: ");
	ai_json_text(name, &text);
	serve_put_error(&s->line, id, SERVE_E_PARAMS, "%.*s", (int)
			ai_utf8_floor(ai_buf_cstr(&text), text.len,
				      text.len < 150 ? text.len : 150),
			ai_buf_cstr(&text));
	emit(s, batch);
	ai_buf_release(&text);
}

/* ---- requests ---------------------------------------------------------------- */

static void on_call(struct serve *s, const struct mcp_message *m, bool modern,
		    struct serve_batch *batch)
{
	static const struct ai_value none = { AI_OBJECT, { "{}", 2 } };
	struct ai_value name = { 0 }, args = { 0 };
	const struct serve_tool *tool;

	if (m->params.kind == AI_OBJECT) {
		name = ai_json_member(m->params, AI_SPAN("name"));
		args = ai_json_member(m->params, AI_SPAN("arguments"));
	}
	tool = name.kind == AI_STRING ? serve_find_tool(s, name) : NULL;
	if (name.kind != AI_STRING)
		refuse(s, batch, m->id.s, SERVE_E_PARAMS, "Invalid params: "
		       "'name' is missing or no string");
	else if (tool == NULL)
		refuse_tool(s, batch, m->id.s, name);
	else if (args.kind != AI_NONE && args.kind != AI_OBJECT)
		refuse(s, batch, m->id.s, SERVE_E_PARAMS, "Invalid params: "
		       "'arguments' is no object");
	else if (is_under_way(s, m->id))
		refuse(s, batch, m->id.s, SERVE_E_REQUEST, "Invalid Request: "
		       "its id is that of a request that is under way");
	else
		call_tool(s, m, modern, tool,
			  args.kind == AI_NONE ? none : args, batch);
}

static void on_list(struct serve *s, const struct mcp_message *m, bool modern,
		    struct serve_batch *batch)
{
	if (m->params.kind == AI_OBJECT &&
	    ai_json_member(m->params, AI_SPAN("cursor")).kind != AI_NONE) {
		refuse(s, batch, m->id.s, SERVE_E_PARAMS, "Invalid params: "
		       "the list has one page, and no cursor was given out");
		return;
	}
	serve_open_result(&s->line, m->id.s, modern);
	serve_put_tools(s, &s->line);
	if (modern)
		serve_put_ttl(&s->line);
	serve_put_close(&s->line, 2);
	emit(s, batch);
}

static void on_ping(struct serve *s, const struct mcp_message *m, bool modern,
		    struct serve_batch *batch)
{
	serve_open_result(&s->line, m->id.s, modern);
	serve_put_close(&s->line, 2);
	emit(s, batch);
}

static void on_hello(struct serve *s, const struct mcp_message *m, bool modern,
		     struct serve_batch *batch)
{
	(void)modern;
	serve_put_hello(s, m, &s->line);
	emit(s, batch);
}

static void on_discover(struct serve *s, const struct mcp_message *m,
			bool modern, struct serve_batch *batch)
{
	(void)modern;
	serve_put_discover(s, m, &s->line);
	emit(s, batch);
}

/* What there is to ask for, and in which era. */
static const struct {
	const char *name;
	bool session, by_itself;
	void (*on)(struct serve *s, const struct mcp_message *m, bool modern,
		   struct serve_batch *batch);
} methods[] = {
	{ "tools/call", true, true, on_call },
	{ "tools/list", true, true, on_list },
	{ "ping", true, false, on_ping },
	{ "initialize", true, false, on_hello },
	{ "server/discover", false, true, on_discover },
};

static void on_request(struct serve *s, const struct mcp_message *m,
		       struct serve_batch *batch)
{
	enum serve_era era = serve_era_of(s, m, &s->line);

	if (era == SERVE_NONE) {
		emit(s, batch);
		return;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (ai_json_is(m->method, ai_span_of(methods[i].name)) &&
		    (era == SERVE_BY_ITSELF ? methods[i].by_itself
					    : methods[i].session)) {
			methods[i].on(s, m, era == SERVE_BY_ITSELF, batch);
			return;
		}
	refuse(s, batch, m->id.s, SERVE_E_METHOD, "Method not found");
}

static void on_notification(struct serve *s, const struct mcp_message *m)
{
	if (m->params.kind == AI_OBJECT &&
	    ai_json_is(m->method, AI_SPAN("notifications/cancelled")))
		serve_cancel(s, ai_json_member(m->params,
					       AI_SPAN("requestId")));
}

static void take_message(struct serve *s, struct ai_value v,
			 struct serve_batch *batch)
{
	struct mcp_message m;
	bool has_id;

	mcp_message_read(v, &m);
	switch (m.kind) {
	case MCP_NOISE:
		has_id = (m.id.kind == AI_STRING || m.id.kind == AI_NUMBER) &&
			m.id.s.n <= MCP_ID_MAX;
		serve_put_error(&s->line, has_id ? m.id.s : no_id,
				SERVE_E_REQUEST, "Invalid Request: %s", m.why);
		emit(s, batch);
		break;
	case MCP_REQUEST:
		on_request(s, &m, batch);
		break;
	case MCP_NOTIFICATION:
		on_notification(s, &m);
		break;
	default:
		/* An answer: we have asked nothing. */
		ai_msg(AI_MSG_INFO, "the client answers what was not asked");
	}
}

/* ---- lines ------------------------------------------------------------------- */

static size_t count(struct ai_value list, size_t most)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_json_iter_init(&it, list);
	while (n <= most && ai_json_next(&it, NULL, &v))
		n++;
	return n;
}

static void take_batch(struct serve *s, struct ai_value list)
{
	size_t n = count(list, SERVE_BATCH_MAX);
	struct serve_batch *batch;
	struct ai_json_iter it;
	struct ai_value v;

	if (!s->batches || n == 0 || n > SERVE_BATCH_MAX) {
		refuse(s, NULL, no_id, SERVE_E_REQUEST, !s->batches
		       ? "Invalid Request: arrays of messages are not part of "
		       "this revision of the protocol" : n == 0
		       ? "Invalid Request: the array is empty"
		       : "Invalid Request: the array has too many messages");
		return;
	}
	batch = calloc(1, sizeof(*batch));
	if (batch == NULL) {
		s->failed = true;
		return;
	}
	ai_buf_init(&batch->answers, SERVE_ANSWER_MAX - 2);
	batch->open = 1; /* until all of it is read */
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		take_message(s, v, batch);
	leave_batch(s, batch);
}

/* A line that cannot be read may have an id all the same. */
static void refuse_line(struct serve *s, int code, const char *why)
{
	char id[24] = "";

	if (s->skim.id >= 0)
		snprintf(id, sizeof(id), "%lld", (long long)s->skim.id);
	serve_put_error(&s->line, ai_span_of(id), code, "%s: %s",
			code == SERVE_E_PARSE ? "Parse error"
			: "Invalid Request", why);
	emit(s, NULL);
}

static void take_line(struct serve *s, const char *p, size_t n)
{
	struct ai_value v;
	struct ai_err err;

	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		n--;
	if (n == 0)
		return;
	if (mcp_line_check(p, n, &s->spare, &v, &err) < 0) {
		mcp_skim_init(&s->skim);
		mcp_skim_add(&s->skim, p, n);
		refuse_line(s, SERVE_E_PARSE, err.msg);
	} else if (v.kind == AI_ARRAY) {
		take_batch(s, v);
	} else {
		take_message(s, v, NULL);
	}
	ai_buf_shrink(&s->spare, KEEP);
}

static void end_skip(struct serve *s)
{
	s->skipping = false;
	refuse_line(s, SERVE_E_REQUEST, "the line is longer than 16 MiB");
}

void serve_take(struct serve *s, const char *p, size_t n)
{
	size_t from = 0;
	const char *nl;

	ai_buf_add(&s->in, p, n);
	s->failed = s->failed || s->in.bad != AI_E_NONE;
	while (!s->failed && s->seen < s->in.len &&
	       (nl = memchr(s->in.p + s->seen, '\n', s->in.len - s->seen)) !=
		       NULL) {
		if (s->skipping) {
			mcp_skim_add(&s->skim, s->in.p + from,
				     (size_t)(nl - s->in.p) - from);
			end_skip(s);
		} else {
			take_line(s, s->in.p + from,
				  (size_t)(nl - s->in.p) - from);
		}
		s->seen = from = (size_t)(nl - s->in.p) + 1;
	}
	if (s->in.len - from > MCP_LINE_MAX && !s->skipping) {
		s->skipping = true;
		mcp_skim_init(&s->skim);
	}
	if (s->skipping) {
		mcp_skim_add(&s->skim, s->in.p + from, s->in.len - from);
		from = s->in.len;
	}
	ai_buf_consume(&s->in, from);
	s->seen = s->in.len;
	if (s->in.len == 0)
		ai_buf_shrink(&s->in, KEEP);
}

void serve_end(struct serve *s)
{
	if (s->skipping || s->in.len > 0)
		serve_take(s, "\n", 1);
}

bool serve_has_room(const struct serve *s)
{
	return s->n_calls < SERVE_CALLS_MAX && s->bytes < SERVE_ARGS_MAX &&
		s->out.len < SERVE_OUT_MAX;
}

/* ---- from and to who does the calls ------------------------------------------ */

static void tell_progress(struct serve *s, struct serve_call *c, double now)
{
	char what[100];

	c->tick = now + SERVE_TICK_S;
	/* Who reads nothing is told no more. */
	if (c->token == NULL || c->dropped || s->out.len >= SERVE_OUT_MAX)
		return;
	c->progress++;
	if (!c->begun)
		snprintf(what, sizeof(what), "waiting for other calls");
	else
		snprintf(what, sizeof(what), "%s: %.0f s", c->tool->kind->doing,
			 now - c->since);
	serve_put_progress(&s->line, c, what);
	emit(s, NULL);
}

struct serve_call *serve_next(struct serve *s)
{
	struct serve_call *c = s->waiting;

	if (c == NULL)
		return NULL;
	s->waiting = c->next;
	if (c->next == NULL)
		s->last = &s->waiting;
	c->next = s->under_way;
	s->under_way = c;
	c->begun = true;
	c->since = ai_clock_s();
	tell_progress(s, c, c->since);
	return c;
}

/* What became of it; -1: err. */
static int put_result(struct serve *s, const struct serve_call *c,
		      struct ai_span record, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(SERVE_ANSWER_MAX),
		      object = AI_BUF_INIT(SERVE_ANSWER_MAX);
	struct ai_value v;
	int rc;

	rc = ai_json_check(record.p, record.n, &v, err) < 0 ||
		c->tool->kind->answer(v, &text, &object, err) < 0 ||
		ai_buf_check(&text, "the answer", err) < 0 ||
		ai_buf_check(&object, "the answer", err) < 0 ? -1 : 0;
	if (rc == 0) {
		serve_put_called(&s->line, c, (struct ai_span){
				 ai_buf_cstr(&text), text.len },
				 (struct ai_span){ object.p, object.len });
		rc = ai_buf_check(&s->line, "the answer", err);
	}
	ai_buf_release(&text);
	ai_buf_release(&object);
	return rc;
}

static void put_answer(struct serve *s, const struct serve_call *c,
		       struct ai_span record, const struct ai_err *why)
{
	struct ai_err err = { .code = AI_E_NONE, .retry_after_s = -1 };

	if (why == NULL && put_result(s, c, record, &err) == 0)
		return;
	ai_buf_clear(&s->line);
	serve_put_failed(&s->line, ai_span_of(c->id), c->modern,
			 why != NULL ? why : &err);
}

void serve_done(struct serve *s, struct serve_call *c, struct ai_span record,
		const struct ai_err *why)
{
	struct serve_call **at = &s->under_way;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (!c->dropped) {
		put_answer(s, c, record, why);
		emit(s, c->batch);
	}
	free_call(s, c);
}

void serve_tick(struct serve *s, double now)
{
	struct serve_call *lists[] = { s->waiting, s->under_way };

	for (size_t i = 0; i < 2; i++)
		for (struct serve_call *c = lists[i]; c != NULL; c = c->next)
			if (now >= c->tick)
				tell_progress(s, c, now);
}

double serve_next_tick(const struct serve *s)
{
	const struct serve_call *lists[] = { s->waiting, s->under_way };
	double when = INFINITY;

	for (size_t i = 0; i < 2; i++)
		for (const struct serve_call *c = lists[i]; c != NULL;
		     c = c->next)
			if (c->token != NULL && !c->dropped && c->tick < when)
				when = c->tick;
	return when;
}

void serve_release(struct serve *s)
{
	struct serve_call *c;

	while ((c = s->waiting) != NULL) {
		s->waiting = c->next;
		free_call(s, c);
	}
	while ((c = s->under_way) != NULL) {
		s->under_way = c->next;
		free_call(s, c);
	}
	serve_tools_release(s);
	ai_buf_release(&s->in);
	ai_buf_release(&s->spare);
	ai_buf_release(&s->line);
	ai_buf_release(&s->out);
}
