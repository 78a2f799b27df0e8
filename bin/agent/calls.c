/*
 * calls.c: the calls of a reply: each is decided on (decide.c), written down
 * before it has an effect, done, and written down.
 *
 * Those that change nothing run side by side; all others one after the other,
 * in the order in which the model has asked for them.
 */
#include "calls-int.h"
#include "tool/args.h"
#include "mcp/mcp.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/sig.h"
#include "crypt/hash.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 8
#define SIGNAL_S 1.0 /* the longest that a signal waits */

static void release(struct agent_turn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct agent_asked *a = &t->v[i];

		if (a->call.tool != NULL && a->call.tool->kind->release != NULL)
			a->call.tool->kind->release(&a->call);
		ai_buf_release(&a->call.note);
		ai_buf_release(&a->call.text);
		ai_buf_release(&a->call.handoff);
		ai_buf_release(&a->args);
		free(a->id);
	}
	free(t->v);
}
/* ---- doing ------------------------------------------------------------------ */

static bool is_harmless(const struct agent_tool *tool)
{
	return !tool->serial && tool->effect == AGENT_PURE;
}

/* v[from..to) may run together. */
static size_t group(const struct agent_turn *t, size_t from)
{
	size_t to = from, n = 0;

	for (; to < t->n && n < AT_ONCE; to++) {
		const struct agent_step *s = agent_turn_step(t, to);

		if (s->state == AI_STEP_DONE || s->state == AI_STEP_WAITING)
			continue;
		if (n > 0 && !is_harmless(t->v[to].call.tool))
			break;
		n++;
		if (!is_harmless(t->v[to].call.tool))
			return to + 1;
	}
	return to;
}

static bool runs(const struct agent_turn *t, size_t i)
{
	enum ai_step_state s = agent_turn_step(t, i)->state;

	return s == AI_STEP_PLANNED || s == AI_STEP_STARTED;
}

/* 1: a signal came while one was done, of which nothing is known then. */
static int begin(struct agent_turn *t, size_t from, size_t to,
		 struct ai_err *err)
{
	struct ai_err why;

	for (size_t i = from; i < to; i++) {
		struct agent_asked *a = &t->v[i];

		if (!runs(t, i))
			continue;
		a->call.hold = t->r->journal.hold;
		memcpy(a->call.key, agent_turn_step(t, i)->key,
		       sizeof(a->call.key));
		ai_buf_clear(&a->call.text);
		if (a->call.tool->kind->begin(&a->call, &why) < 0) {
			/* No failure of the tool: whoever goes on does it. */
			if (why.code == AI_E_TRY_LATER &&
			    ai_sig_asked() == AI_SIG_NOW)
				return 1;
			ai_buf_clear(&a->call.text);
			ai_buf_str(&a->call.text, why.msg);
			a->call.failed = true;
			a->call.broken = agent_breaker_counts(a->call.tool,
							      why.code);
			if (agent_breaker_end(t->r, &a->call, err) < 0)
				return -1;
			/* It may quote what a server has said last. */
			if ((agent_mcp_is(a->call.tool)
			     ? agent_outcome_text(t, i, err)
			     : agent_outcome_refuse(t, i, why.msg, err)) < 0)
				return -1;
		} else if (a->call.tool->kind->turn == NULL) {
			if (agent_outcome_take(t, i, err) < 0)
				return -1;
		} else {
			a->runs = true;
		}
	}
	return 0;
}

static void stop_all(struct agent_turn *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (t->v[i].runs) {
			t->v[i].call.tool->kind->stop(&t->v[i].call);
			t->v[i].runs = false;
		}
}

/* Whether the run has to end now, whatever is under way.  A person who thinks
 * is no work of the run, and what they are asked can be asked again. */
static bool must_stop(struct agent_turn *t, double deadline, bool person)
{
	if (!person && ai_clock_s() >= deadline) {
		t->r->over = agent_limit_name(AGENT_LIMIT_SECONDS);
		return true;
	}
	return ai_sig_asked() == AI_SIG_NOW ||
		(person && ai_sig_asked() != AI_SIG_NO);
}

/* Those that run, until they have ended. 1: they were stopped. */
static int await(struct agent_turn *t, size_t from, size_t to,
		 struct ai_err *err)
{
	double since = ai_clock_s(), deadline = since + agent_run_left_s(t->r);
	double last = since, now, asked = 0; /* by servers, of the person */
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	bool person = false;
	size_t i, left = 1;
	int rc = 0;

	while (rc == 0 && left > 0) {
		left = 0;
		agent_poll_clear(&poll, SIGNAL_S);
		/* Servers that are not asked now may ask us. */
		if (t->r->mcp != NULL) {
			now = ai_clock_s();
			if (agent_mcp_asking(t->r->mcp)) {
				asked += now - last;
				deadline += now - last;
				t->r->journal.since += now - last;
			}
			last = now;
			agent_mcp_turn(t->r->mcp);
			agent_mcp_wait(t->r->mcp, &poll);
		}
		for (i = from; rc == 0 && i < to; i++) {
			struct agent_asked *a = &t->v[i];

			if (a->runs && a->call.tool->kind->turn(&a->call)) {
				a->runs = false;
				rc = agent_outcome_take(t, i, err);
				if (rc == 0)
					rc = agent_journal_put(&t->r->journal,
						a->n, a->n, false, err);
			} else if (a->runs) {
				left++;
				person = a->call.tool->person;
				a->call.tool->kind->wait(&a->call, &poll);
			}
		}
		agent_poll_add(&poll, ai_sig_fd(), POLLIN);
		if (!person)
			agent_poll_by(&poll, deadline);
		if (rc == 0 && left > 0 && must_stop(t, deadline, person))
			rc = 1;
		else if (rc == 0 && left > 0)
			rc = agent_poll_wait(&poll, err);
	}
	stop_all(t, from, to);
	agent_poll_release(&poll);
	if (person)
		t->r->journal.since += ai_clock_s() - since - asked;
	return rc;
}

static bool is_limited(const struct agent_run *r, const char *tool)
{
	return r->whole.v[AGENT_LIMIT_CALLS] < INT64_MAX ||
		agent_limits_tool(&r->whole, tool) >= 0;
}

/* A limit of all runs within the outermost one together: whoever has written a
 * call down first has it. */
static int look_at_whole(struct agent_turn *t, size_t i, struct ai_err *err)
{
	const struct agent_run *r = t->r;
	const char *name = t->v[i].call.tool->name;
	int64_t most = agent_limits_tool(&r->whole, name), n = 0, all = 0;
	char why[200];

	if (!is_limited(r, name) || !runs(t, i))
		return 0;
	if (most >= 0)
		n = ai_run_calls_before(r->journal.ledger, r->root,
					&r->journal.run, (int64_t)t->v[i].n,
					ai_span_of(name), err);
	if (n >= 0 && r->whole.v[AGENT_LIMIT_CALLS] < INT64_MAX)
		all = ai_run_calls_before(r->journal.ledger, r->root,
					  &r->journal.run, (int64_t)t->v[i].n,
					  (struct ai_span){ NULL, 0 }, err);
	if (n < 0 || all < 0)
		return -1;
	if (all >= r->whole.v[AGENT_LIMIT_CALLS]) {
		t->r->over = agent_limit_name(AGENT_LIMIT_CALLS);
		t->r->of_whole = true;
		name = "a tool";
	} else if (most < 0 || n < most) {
		return 0;
	}
	snprintf(why, sizeof(why), "'%s' may not be called any more in this "
		 "workflow: the limit of all its agents together is reached.",
		 name);
	return agent_outcome_refuse(t, i, why, err);
}

static int look_at_all(struct agent_turn *t, bool *written, struct ai_err *err)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++)
		any |= t->v[i].call.tool != NULL && runs(t, i) &&
			is_limited(t->r, t->v[i].call.tool->name);
	if (!any)
		return 0;
	if (agent_journal_put(&t->r->journal, t->first - 1,
			      t->v[t->n - 1].n, false, err) < 0)
		return -1;
	*written = true;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].call.tool != NULL && look_at_whole(t, i, err) < 0)
			return -1;
	return agent_journal_put(&t->r->journal, t->v[0].n,
				 t->v[t->n - 1].n, false, err);
}

/* The calls of one group: intent, effect, result. */
static int do_group(struct agent_turn *t, size_t from, size_t to, bool *written,
		    struct ai_err *err)
{
	bool durable = false, noted = false;
	int rc;

	for (size_t i = from; i < to; i++) {
		struct agent_step *s = agent_turn_step(t, i);
		struct agent_call *c = &t->v[i].call;

		if (!runs(t, i))
			continue;
		if (s->state == AI_STEP_PLANNED && c->note.len == 0 &&
		    c->tool->kind->prepare != NULL) {
			struct ai_err why;

			if (c->tool->kind->prepare(c, &why) < 0) {
				if (agent_outcome_refuse(t, i, why.msg,
							 err) < 0)
					return -1;
				continue;
			}
			if (c->note.len > 0 &&
			    agent_step_note(s, &c->note, err) < 0)
				return -1;
		}
		s->state = AI_STEP_STARTED;
		durable |= agent_needs_intent(c->tool);
		noted |= c->note.len > 0;
	}
	/* The reply and all its calls are written with the first group. */
	if (!*written || durable || noted) {
		size_t a = *written ? t->v[from].n : t->first - 1,
		       b = *written ? t->v[to - 1].n : t->v[t->n - 1].n;

		if (agent_journal_put(&t->r->journal, a, b, durable, err) < 0)
			return -1;
		*written = true;
	}
	rc = begin(t, from, to, err);
	if (rc == 0)
		rc = await(t, from, to, err);
	else if (rc > 0)
		stop_all(t, from, to);
	/* Also of one that is stopped: what has ended has. */
	return rc < 0 || agent_journal_put(&t->r->journal, t->v[from].n,
					   t->v[to - 1].n, false, err) < 0
		? -1 : rc;
}

static int do_all(struct agent_turn *t, struct ai_err *err)
{
	bool written = false;
	size_t from, to;
	int rc = look_at_all(t, &written, err);

	/* What is written down and not begun yet waits for whoever goes on. */
	for (from = 0; rc == 0 && from < t->n &&
	     t->r->stop.err.code == AI_E_NONE &&
	     !(written && ai_sig_asked() != AI_SIG_NO); from = to) {
		to = group(t, from);
		rc = do_group(t, from, to, &written, err);
	}
	return rc;
}

/* ---- what the model is told ------------------------------------------------- */

/* Something we say behind the last result: that turns run out, that it goes in
 * circles. */
static void put_hints(const struct agent_turn *t, size_t times,
		      struct ai_buf *text)
{
	const struct agent_run *r = t->r;

	if ((int64_t)times == r->limits.v[AGENT_LIMIT_REPEAT] - 1 && times > 1)
		ai_buf_fmt(text, "\n\n(You have asked for the same %zu times. "
			   "Do something else, or answer.)", times);
	if (r->used.turns + 1 == r->limits.v[AGENT_LIMIT_TURNS])
		ai_buf_str(text, "\n\n(Your next reply is the last one: answer "
			   "the task with what you have.)");
}

/* Whose words it may be. */
static void taint(struct agent_run *r, struct ai_value result,
		  const char *tool)
{
	struct ai_buf by = AI_BUF_INIT(100);

	if (ai_json_true(ai_json_get(result, "clean")))
		return;
	if (ai_json_get(result, "by").kind == AI_STRING)
		ai_json_text(ai_json_get(result, "by"), &by);
	agent_trust_taint(r->trust, by.len > 0 ? ai_buf_cstr(&by) : tool);
	ai_buf_release(&by);
}

/* A run that it has begun has spent this, unless it was begun by a run that this
 * one is a copy of. */
static void spend(struct agent_turn *t, size_t i, struct ai_value result)
{
	int64_t nano;

	if (!t->v[i].copied &&
	    ai_json_i64(ai_json_get(result, "spent"), &nano) == 0 && nano > 0)
		t->r->used.nano += nano;
}

/* A result that the run ends with: another agent's answer, or what another one
 * is to do.  The first of a turn counts. */
static void end(struct agent_run *r, struct ai_value result,
		const struct ai_buf *text)
{
	struct ai_value handoff = ai_json_get(result, "handoff");

	if (r->stop.status != 0 || !ai_json_true(ai_json_get(result, "ends")))
		return;
	r->stop.status = AI_RUN_DONE;
	if (handoff.kind == AI_OBJECT) {
		ai_buf_add(&r->handoff, handoff.s.p, handoff.s.n);
	} else {
		ai_buf_clear(&r->text);
		ai_buf_add(&r->text, text->p, text->len);
	}
}

static int append(struct agent_turn *t, size_t i, size_t times,
		  struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_run *r = t->r;
	const char *tool, *result = agent_turn_step(t, i)->result;
	struct ai_value v;

	if (ai_json_check(result, strlen(result), &v, err) < 0)
		return -1;
	ai_json_text(ai_json_get(v, "text"), &text);
	r->used.output += (int64_t)text.len;
	spend(t, i, v);
	tool = t->v[i].call.tool != NULL ? t->v[i].call.tool->name : "a tool";
	if (ai_json_true(ai_json_get(v, "trusted"))) {
		if (t->v[i].covered && !ai_json_true(ai_json_get(v, "failed")))
			agent_trust_add(r->trust, agent_text_of(&text));
	} else {
		taint(r, v, tool);
	}
	end(r, v, &text);
	if (r->journal.replay)
		ai_msg(AI_MSG_INFO, "step %zu: %s gave back %zu bytes",
		       t->v[i].n, tool, text.len);
	ai_buf_clear(&r->last_result);
	ai_buf_add(&r->last_result, text.p, text.len);
	if (i == t->n - 1)
		put_hints(t, times, &text);
	agent_run_say_result(r, t->v[i].id, agent_text_of(&text));
	ai_buf_release(&text);
	return 0;
}

/* A tool that gives back what it was given, as a calculator does, must not make
 * the word of a text from elsewhere a trusted one; a person's answer is theirs,
 * whatever was asked. */
static bool is_covered(const struct agent_turn *t, const struct agent_asked *a)
{
	return a->call.tool != NULL && (a->call.tool->person ||
		agent_trust_covers(t->r->trust, a->call.tool,
				   agent_text_of(&a->args)));
}

static int append_all(struct agent_turn *t, size_t times, struct ai_err *err)
{
	/* As it was when the model asked. */
	for (size_t i = 0; i < t->n; i++)
		t->v[i].covered = is_covered(t, &t->v[i]);
	for (size_t i = 0; i < t->n; i++)
		if (append(t, i, times, err) < 0)
			return -1;
	return 0;
}

/* What the calls ask for, whatever their ids are. */
static uint64_t hash_of(struct ai_value calls)
{
	char hex[AI_HASH_HEX];
	struct ai_json_iter it;
	struct ai_value v, f;
	struct ai_hash h;
	uint64_t n = 0;

	ai_hash_init(&h);
	ai_json_iter_init(&it, calls);
	while (ai_json_next(&it, NULL, &v)) {
		f = ai_json_get(v, "function.name");
		ai_hash_add(&h, f.s.p, f.s.n);
		f = ai_json_get(v, "function.arguments");
		ai_hash_add(&h, f.s.p, f.s.n);
		ai_hash_add(&h, "", 1);
	}
	ai_hash_hex(&h, hex);
	for (size_t i = 0; i < 8; i++)
		n = n << 8 | (unsigned char)hex[i];
	return n;
}

/* ---- a turn ----------------------------------------------------------------- */

static int take_calls(struct agent_turn *t, struct ai_value calls,
		      struct ai_err *err)
{
	struct ai_buf id = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;
	int rc = 0;

	ai_json_iter_init(&it, calls);
	while (ai_json_next(&it, NULL, &v))
		n++;
	t->v = calloc(n, sizeof(*t->v));
	if (t->v == NULL)
		return ai_err_nomem(err);
	t->first = t->r->journal.at + 1;
	ai_json_iter_init(&it, calls);
	for (; rc == 0 && ai_json_next(&it, NULL, &v); t->n++) {
		struct agent_asked *a = &t->v[t->n];

		a->n = t->first + t->n;
		a->call.hold = -1;
		ai_buf_init(&a->args, AGENT_ARGS_MAX);
		ai_buf_init(&a->call.note, AGENT_ARGS_MAX);
		ai_buf_init(&a->call.text, AGENT_TEXT_MAX);
		ai_buf_init(&a->call.handoff, AGENT_TEXT_MAX);
		ai_buf_clear(&id);
		ai_json_text(ai_json_get(v, "id"), &id);
		a->id = ai_span_dup(agent_text_of(&id));
		if (a->id == NULL)
			rc = ai_err_nomem(err);
	}
	ai_buf_release(&id);
	return rc;
}

static int decide_all(struct agent_turn *t, struct ai_value calls,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, calls);
	for (size_t i = 0; ai_json_next(&it, NULL, &v); i++)
		if ((t->v[i].n <= t->r->journal.n
			     ? agent_recall(t, i, v, err)
			     : agent_decide(t, i, v, err)) < 0)
			return -1;
	return 0;
}

static bool all_done(const struct agent_turn *t, bool *waits)
{
	bool done = true;

	*waits = false;
	for (size_t i = 0; i < t->n; i++) {
		*waits |= agent_turn_step(t, i)->state == AI_STEP_WAITING;
		done &= agent_turn_step(t, i)->state == AI_STEP_DONE;
	}
	return done;
}

/* The run stands here. */
static int stand(struct agent_turn *t, bool waits)
{
	struct agent_stop *s = &t->r->stop;

	if (t->r->over != NULL) {
		s->status = AI_RUN_PARTIAL;
		s->limit = t->r->over;
	} else {
		s->status = waits ? AI_RUN_PARKED : AI_RUN_PAUSED;
	}
	return 0;
}

static int do_turn(struct agent_turn *t, struct ai_value calls,
		   struct ai_err *err)
{
	size_t times = agent_used_turn(&t->r->used, hash_of(calls));
	bool waits;
	int rc;

	if (take_calls(t, calls, err) < 0)
		return -1;
	if (t->first > t->r->journal.n && !t->r->journal.replay &&
	    (int64_t)times >= t->r->limits.v[AGENT_LIMIT_REPEAT]) {
		t->r->over = agent_limit_name(AGENT_LIMIT_REPEAT);
		return agent_journal_put(&t->r->journal, t->first - 1,
					 t->first - 1, false, err) < 0 ? -1 :
			stand(t, false);
	}
	if (t->r->journal.replay && t->first + t->n - 1 > t->r->journal.n)
		return stand(t, false);
	if (decide_all(t, calls, err) < 0)
		return -1;
	rc = t->r->journal.replay ? 0 : do_all(t, err);
	if (rc < 0)
		return -1;
	if (!all_done(t, &waits))
		return stand(t, waits);
	t->r->journal.at += t->n;
	return append_all(t, times, err);
}

int agent_calls_do(struct agent_run *r, struct ai_value calls,
		   struct ai_err *err)
{
	struct agent_turn t = { .r = r };
	int rc = do_turn(&t, calls, err);

	release(&t);
	return rc;
}
