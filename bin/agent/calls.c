/*
 * calls.c: the calls of a reply: each is decided on, written down before it
 * has an effect, done, and written down.
 *
 * Those that change nothing run side by side; all others one after the other,
 * in the order in which the model has asked for them.
 */
#include "agent.h"
#include "args.h"
#include "mcp.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/sig.h"
#include "crypt/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 8
#define SIGNAL_S 1.0 /* the longest that a signal waits */

/* A call that the model has asked for, on its way through a turn. */
struct asked {
	size_t n;               /* its step, from 1 */
	char *id;               /* owned; as the model calls it */
	struct agent_call call; /* call.tool NULL: it is refused */
	struct ai_buf args;     /* checked; owns call.args */
	bool runs;
	bool covered;           /* see agent_trust_covers() */
};

struct turn {
	struct agent_run *r;
	struct asked *v; /* owned */
	size_t n;
	size_t first;          /* the step of v[0] */
};

static struct agent_step *step_of(const struct turn *t, size_t i)
{
	return &t->r->journal.v[t->v[i].n - 1];
}

static struct ai_span text_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static void release(struct turn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct asked *a = &t->v[i];

		if (a->call.tool != NULL && a->call.tool->kind->release != NULL)
			a->call.tool->kind->release(&a->call);
		ai_buf_release(&a->call.note);
		ai_buf_release(&a->call.text);
		ai_buf_release(&a->args);
		free(a->id);
	}
	free(t->v);
}

/* ---- results -------------------------------------------------------------------- */

/* Writes a result into the step: what the model sees of it. */
static int set_result(struct turn *t, size_t i, struct ai_span seen,
		      bool failed, const char *flag, bool trusted,
		      struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_step *s = step_of(t, i);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "text");
	ai_put_str(&b, seen.p, seen.n);
	ai_put_key(&b, "failed");
	ai_put_bool(&b, failed);
	if (flag[0] != '\0') {
		ai_put_key(&b, "guard");
		ai_put_cstr(&b, flag);
	}
	if (trusted) {
		ai_put_key(&b, "trusted");
		ai_put_bool(&b, true);
	}
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->result, &b, err);
	ai_buf_release(&b);
	if (rc == 0)
		s->state = AI_STEP_DONE;
	return rc;
}

/* What we say ourselves in the place of a result. */
static int refuse(struct turn *t, size_t i, const char *text,
		  struct ai_err *err)
{
	return set_result(t, i, ai_span_of(text), true, "", true, err);
}

/* The call has ended, with a text that is all there is to know of it. */
static int take_text(struct turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	struct ai_buf seen = AI_BUF_INIT(AGENT_TEXT_MAX);
	char flag[16] = "";
	int rc = 0;

	if (c->tool->trusted)
		ai_buf_add(&seen, c->text.p, c->text.len);
	else
		rc = agent_guard_text(t->r, text_of(&c->text), &seen, flag,
				      err);
	if (rc == 0)
		rc = set_result(t, i, text_of(&seen), c->failed, flag,
				c->tool->trusted, err);
	ai_buf_release(&seen);
	return rc;
}

/* A person is to decide, or to answer. */
static int wait_for(struct turn *t, size_t i, const char *why,
		    struct ai_err *err)
{
	struct agent_step *s = step_of(t, i);

	s->state = AI_STEP_WAITING;
	free(s->said);
	s->said = NULL;
	return agent_step_add(s, "why", why, err);
}

/* What must be known of it before it begins is written down. */
static bool needs_intent(const struct agent_tool *tool)
{
	return tool->effect != AGENT_PURE && tool->effect != AGENT_IDEMPOTENT;
}

/* Whether it was done: it was begun, and nobody saw its end.  1: yes, and its
 * result is taken; 0: no. */
static int find_out(struct turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	enum agent_found found = AGENT_UNKNOWN;
	struct ai_err why;
	char text[300];

	snprintf(text, sizeof(text), AGENT_UNSEEN "nobody saw its end");
	if (c->tool->effect != AGENT_ONCE && c->tool->kind->find != NULL) {
		ai_buf_clear(&c->text);
		c->failed = false;
		if (c->tool->kind->find(c, &found, &why) < 0) {
			snprintf(text, sizeof(text), AGENT_UNSEEN
				 "whether it was done cannot be known: %.180s",
				 why.msg);
			found = AGENT_UNKNOWN;
		} else if (found == AGENT_UNKNOWN && c->text.len > 0) {
			snprintf(text, sizeof(text), AGENT_UNSEEN
				 "whether it was done cannot be known: %.180s",
				 ai_buf_cstr(&c->text));
		}
	}
	if (found == AGENT_DONE)
		return take_text(t, i, err) < 0 ? -1 : 1;
	if (found == AGENT_NOT_DONE) {
		ai_buf_clear(&c->text);
		return 0;
	}
	return wait_for(t, i, text, err) < 0 ? -1 : 1;
}

/* The call has ended, or was cut short. */
static int take_result(struct turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	struct ai_buf told = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc;

	if (c->parks)
		return wait_for(t, i, ai_buf_cstr(&c->text), err);
	if (c->pauses) {
		ai_err_set(&t->r->stop.err, AI_E_UNAVAILABLE, "%s",
			   ai_buf_cstr(&c->text));
		return 0;
	}
	if (!c->unknown || !needs_intent(c->tool))
		return take_text(t, i, err);
	ai_buf_add(&told, c->text.p, c->text.len);
	rc = find_out(t, i, err);
	if (rc == 0) {
		ai_buf_add(&c->text, told.p, told.len);
		c->failed = true;
		rc = take_text(t, i, err);
	}
	ai_buf_release(&told);
	return rc < 0 ? -1 : 0;
}

/* ---- deciding -------------------------------------------------------------------- */

static void make_key(const struct turn *t, size_t i, char key[33])
{
	struct ai_hash h;
	char n[32];

	ai_hash_init(&h);
	ai_hash_add(&h, t->r->journal.run.id, strlen(t->r->journal.run.id) + 1);
	snprintf(n, sizeof(n), "%zu", t->v[i].n);
	ai_hash_add(&h, n, strlen(n) + 1);
	ai_hash_add(&h, t->v[i].call.tool->name,
		    strlen(t->v[i].call.tool->name) + 1);
	ai_hash_add(&h, t->v[i].args.p, t->v[i].args.len);
	ai_hash_hex(&h, key);
}

/* What is asked for, as the journal has it. */
static int set_intent(struct turn *t, size_t i, struct ai_value call,
		      const char *why, bool counted, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	const struct asked *a = &t->v[i];
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "tool");
	ai_put_value(&b, ai_json_get(call, "function.name"));
	ai_put_key(&b, "arguments");
	if (a->call.tool != NULL)
		ai_put_raw(&b, a->args.p, a->args.len);
	else
		ai_put_value(&b, ai_json_get(call, "function.arguments"));
	ai_put_key(&b, "counted");
	ai_put_bool(&b, counted);
	if (why[0] != '\0') {
		ai_put_key(&b, "why");
		ai_put_cstr(&b, why);
	}
	if (a->call.tool != NULL && a->call.tool->seal[0] != '\0') {
		ai_put_key(&b, "seal");
		ai_put_cstr(&b, a->call.tool->seal);
	}
	if (a->call.note.len > 0) {
		ai_put_key(&b, "note");
		ai_put_raw(&b, a->call.note.p, a->call.note.len);
	}
	ai_put_close(&b, '}');
	rc = agent_step_set(&step_of(t, i)->intent, &b, err);
	ai_buf_release(&b);
	return rc;
}

static void say_unknown(const struct agent_run *r, const char *name,
			struct ai_buf *why)
{
	size_t i, n = 0;

	ai_buf_fmt(why, "There is no tool '%.100s'.", name);
	for (i = 0; i < r->tools->n && why->len < 1500; i++)
		if (agent_is_offered(r, &r->tools->v[i]))
			ai_buf_fmt(why, "%s%s", n++ == 0 ? " There are: "
				   : ", ", r->tools->v[i].name);
}

/* The tool and its checked arguments, or why there are none. */
static int find_tool(struct turn *t, size_t i, struct ai_value call,
		     struct ai_buf *why, struct ai_err *err)
{
	struct ai_value args = ai_json_get(call, "function.arguments");
	struct ai_buf name = AI_BUF_INIT(256), text =
		AI_BUF_INIT(AGENT_ARGS_MAX);
	struct asked *a = &t->v[i];
	int rc = 0;

	ai_json_text(ai_json_get(call, "function.name"), &name);
	a->call.tool = agent_tools_find(t->r->tools, text_of(&name));
	if (a->call.tool != NULL && !agent_is_offered(t->r, a->call.tool))
		a->call.tool = NULL;
	if (args.kind == AI_STRING)
		ai_json_text(args, &text);
	else if (args.kind != AI_NONE)
		ai_buf_add(&text, args.s.p, args.s.n);
	if (a->call.tool == NULL) {
		say_unknown(t->r, ai_buf_cstr(&name), why);
	} else if (agent_args_check(a->call.tool, text_of(&text), &a->args,
				    err) < 0) {
		rc = err->code == AI_E_MEMORY ? -1 : 0;
		ai_buf_fmt(why, "The arguments of '%s' cannot be used: %s",
			   a->call.tool->name, err->msg);
		a->call.tool = NULL;
	}
	a->call.args = text_of(&a->args);
	ai_buf_release(&name);
	ai_buf_release(&text);
	return rc;
}

/* Whether it may be called once more. */
static bool count(struct turn *t, size_t i, struct ai_buf *why)
{
	const struct agent_tool *tool = t->v[i].call.tool;
	const char *limit;

	if (agent_used_call(&t->r->used, &t->r->limits, tool->name,
			    tool->max_calls, &limit))
		return true;
	if (limit != NULL)
		t->r->over = limit;
	ai_buf_fmt(why, limit != NULL
		   ? "No tool may be called any more: the run's limit is "
		     "reached." : "'%s' may not be called any more in this "
		     "run: its limit is reached.", tool->name);
	return false;
}

/* Whether it may go on; fills the step if it may not, or must wait. */
static int permit(struct turn *t, size_t i, struct ai_buf *why,
		  struct ai_err *err)
{
	const struct agent_tool *tool = t->v[i].call.tool;
	struct agent_step *s = step_of(t, i);
	enum agent_answer answer = AGENT_YES;
	bool trusted = agent_trust_allows(t->r->trust, tool,
					  t->v[i].call.args, why);

	if (!trusted && agent.taint == AGENT_TAINT_WARN) {
		ai_msg(AI_MSG_WARN, "run %s: '%s' is called although %s",
		       t->r->journal.run.id, tool->name, ai_buf_cstr(why));
		trusted = true;
	}
	if (trusted && !agent_approve_asks(tool))
		return 0;
	if (!agent_approve_has_somebody())
		answer = AGENT_NO;
	else if (agent_approve_ask(t->r, tool, t->v[i].call.args,
				   ai_buf_cstr(why), &answer, err) < 0)
		return -1;
	if (answer == AGENT_PARK)
		s->state = AI_STEP_WAITING;
	if (answer != AGENT_NO)
		return 0;
	if (why->len > 0) {
		struct ai_buf text = AI_BUF_INIT(4096);
		int rc;

		ai_buf_fmt(&text, "This call was not allowed: %s.",
			   ai_buf_cstr(why));
		rc = refuse(t, i, ai_buf_cstr(&text), err);
		ai_buf_release(&text);
		return rc;
	}
	return refuse(t, i, "This call was not allowed by the person in "
		      "charge.", err);
}

static int decide(struct turn *t, size_t i, struct ai_value call,
		  struct ai_err *err)
{
	struct ai_buf why = AI_BUF_INIT(4096);
	struct asked *a = &t->v[i];
	struct agent_step *s = agent_journal_step(&t->r->journal, a->n,
						  AI_STEP_CALL, err);
	bool counted = false;
	int rc = s == NULL ? -1 : find_tool(t, i, call, &why, err);

	if (rc == 0 && a->call.tool != NULL) {
		make_key(t, i, s->key);
		counted = count(t, i, &why);
		if (!counted)
			rc = refuse(t, i, ai_buf_cstr(&why), err);
		else
			rc = permit(t, i, &why, err);
	} else if (rc == 0) {
		rc = refuse(t, i, ai_buf_cstr(&why), err);
	}
	if (rc == 0)
		rc = set_intent(t, i, call, ai_buf_cstr(&why), counted, err);
	ai_buf_release(&why);
	return rc;
}

/* ---- what the journal says of it ---------------------------------------------------- */

/* What a person has allowed is what was declared then, not what has its name
 * now. */
static bool is_the_same(const struct turn *t, size_t i)
{
	const char *intent = step_of(t, i)->intent;
	struct ai_value v, seal;
	struct ai_err err;

	if (ai_json_check(intent, strlen(intent), &v, &err) < 0)
		return false;
	seal = ai_json_get(v, "seal");
	return seal.kind == AI_NONE ? t->v[i].call.tool->seal[0] == '\0' :
		ai_json_is(seal, ai_span_of(t->v[i].call.tool->seal));
}

/* A person has decided. */
static int obey(struct turn *t, size_t i, struct ai_err *err)
{
	struct agent_step *s = step_of(t, i);
	const char *said = s->said == NULL ? "" : s->said;

	if (said[0] == '\0')
		return 0;
	if (strcmp(said, "no") == 0)
		return refuse(t, i, "This call was not allowed by the person "
			      "in charge.", err);
	if (strcmp(said, "done") == 0)
		return refuse(t, i, "This was done; what it gave back is not "
			      "known.", err);
	if (strncmp(said, "answer:", 7) == 0)
		return set_result(t, i, ai_span_of(said + 7), false, "", true,
				  err);
	if (!is_the_same(t, i))
		return wait_for(t, i, "the tool has been changed since it was "
				"asked for", err) < 0 ? -1 :
			agent_step_add(s, "seal", t->v[i].call.tool->seal,
				       err);
	s->state = AI_STEP_PLANNED; /* "yes", "again" */
	return 0;
}

static int recall(struct turn *t, size_t i, struct ai_value call,
		  struct ai_err *err)
{
	struct agent_step *s = step_of(t, i);
	struct asked *a = &t->v[i];
	struct ai_buf why = AI_BUF_INIT(4096);
	struct ai_value v, note;
	char key[33] = "";
	int rc = find_tool(t, i, call, &why, err);

	ai_buf_release(&why);
	if (rc < 0 || s->intent == NULL ||
	    ai_json_check(s->intent, strlen(s->intent), &v, err) < 0)
		return rc < 0 ? -1 : ai_err_set(err, AI_E_DATA, "step %zu of "
						"the run is damaged", a->n);
	if (a->call.tool != NULL && ai_json_true(ai_json_get(v, "counted"))) {
		struct ai_buf unused = AI_BUF_INIT(4096);

		count(t, i, &unused);
		ai_buf_release(&unused);
	}
	if (s->state == AI_STEP_DONE)
		return 0;
	/* The tool may have been taken away, or its schema changed. */
	if (a->call.tool == NULL)
		return refuse(t, i, "This tool is not there any more.", err);
	make_key(t, i, key);
	/* Of a fork: what was not begun is its own. */
	if (s->state != AI_STEP_STARTED)
		memcpy(s->key, key, sizeof(s->key));
	if (strcmp(key, s->key) != 0)
		return ai_err_set(err, AI_E_DATA, "step %zu of the run is not "
				  "what follows from those before it", a->n);
	note = ai_json_get(v, "note");
	if (note.kind != AI_NONE)
		ai_buf_add(&a->call.note, note.s.p, note.s.n);
	memcpy(a->call.key, s->key, sizeof(a->call.key));
	a->call.hold = t->r->journal.hold;
	if (t->r->journal.replay)
		return 0;
	if (s->state == AI_STEP_STARTED && needs_intent(a->call.tool))
		return find_out(t, i, err) < 0 ? -1 : 0;
	return s->state == AI_STEP_WAITING ? obey(t, i, err) : 0;
}

/* ---- doing ------------------------------------------------------------------------- */

static bool is_harmless(const struct agent_tool *tool)
{
	return !tool->serial && tool->effect == AGENT_PURE;
}

/* v[from..to) may run together. */
static size_t group(const struct turn *t, size_t from)
{
	size_t to = from, n = 0;

	for (; to < t->n && n < AT_ONCE; to++) {
		const struct agent_step *s = step_of(t, to);

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

static bool runs(const struct turn *t, size_t i)
{
	enum ai_step_state s = step_of(t, i)->state;

	return s == AI_STEP_PLANNED || s == AI_STEP_STARTED;
}

static int begin(struct turn *t, size_t from, size_t to, struct ai_err *err)
{
	struct ai_err why;

	for (size_t i = from; i < to; i++) {
		struct asked *a = &t->v[i];

		if (!runs(t, i))
			continue;
		a->call.hold = t->r->journal.hold;
		memcpy(a->call.key, step_of(t, i)->key, sizeof(a->call.key));
		ai_buf_clear(&a->call.text);
		if (a->call.tool->kind->begin(&a->call, &why) < 0) {
			ai_buf_clear(&a->call.text);
			ai_buf_str(&a->call.text, why.msg);
			a->call.failed = true;
			/* It may quote what a server has said last. */
			if ((agent_mcp_is(a->call.tool) ? take_text(t, i, err)
			     : refuse(t, i, why.msg, err)) < 0)
				return -1;
		} else if (a->call.tool->kind->turn == NULL) {
			if (take_result(t, i, err) < 0)
				return -1;
		} else {
			a->runs = true;
		}
	}
	return 0;
}

static void stop_all(struct turn *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (t->v[i].runs) {
			t->v[i].call.tool->kind->stop(&t->v[i].call);
			t->v[i].runs = false;
		}
}

/* Whether the run has to end now, whatever is under way. */
static bool must_stop(struct turn *t, double deadline)
{
	if (ai_clock_s() >= deadline) {
		t->r->over = agent_limit_name(AGENT_LIMIT_SECONDS);
		return true;
	}
	return ai_sig_asked() == AI_SIG_NOW;
}

/* Those that run, until they have ended. 1: they were stopped. */
static int await(struct turn *t, size_t from, size_t to, struct ai_err *err)
{
	double deadline = ai_clock_s() +
		(double)(t->r->limits.v[AGENT_LIMIT_SECONDS] -
			 agent_journal_spent_ms(&t->r->journal)) / 1e3;
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	size_t i, left = 1;
	int rc = 0;

	while (rc == 0 && left > 0) {
		left = 0;
		agent_poll_clear(&poll, SIGNAL_S);
		/* Servers that are not asked now may ask us. */
		if (t->r->mcp != NULL) {
			agent_mcp_turn(t->r->mcp);
			agent_mcp_wait(t->r->mcp, &poll);
		}
		for (i = from; rc == 0 && i < to; i++) {
			struct asked *a = &t->v[i];

			if (a->runs && a->call.tool->kind->turn(&a->call)) {
				a->runs = false;
				rc = take_result(t, i, err);
				if (rc == 0)
					rc = agent_journal_put(&t->r->journal,
						a->n, a->n, false, err);
			} else if (a->runs) {
				left++;
				a->call.tool->kind->wait(&a->call, &poll);
			}
		}
		agent_poll_add(&poll, ai_sig_fd(), POLLIN);
		agent_poll_by(&poll, deadline);
		if (rc == 0 && left > 0 && must_stop(t, deadline))
			rc = 1;
		else if (rc == 0 && left > 0)
			rc = agent_poll_wait(&poll, err);
	}
	stop_all(t, from, to);
	agent_poll_release(&poll);
	return rc;
}

/* The calls of one group: intent, effect, result. */
static int do_group(struct turn *t, size_t from, size_t to, bool *written,
		    struct ai_err *err)
{
	bool durable = false;
	int rc;

	for (size_t i = from; i < to; i++) {
		struct agent_step *s = step_of(t, i);
		struct agent_call *c = &t->v[i].call;

		if (!runs(t, i))
			continue;
		if (s->state == AI_STEP_PLANNED && c->tool->kind->prepare != NULL &&
		    t->v[i].call.note.len == 0) {
			struct ai_err why;

			if (c->tool->kind->prepare(c, &why) < 0) {
				if (refuse(t, i, why.msg, err) < 0)
					return -1;
				continue;
			}
			if (c->note.len > 0 &&
			    agent_step_note(s, &c->note, err) < 0)
				return -1;
		}
		s->state = AI_STEP_STARTED;
		durable |= needs_intent(c->tool);
	}
	/* The reply and all its calls are written with the first group. */
	if (!*written || durable) {
		size_t a = *written ? t->v[from].n : t->first - 1,
		       b = *written ? t->v[to - 1].n : t->v[t->n - 1].n;

		if (agent_journal_put(&t->r->journal, a, b, durable, err) < 0)
			return -1;
		*written = true;
	}
	if (begin(t, from, to, err) < 0)
		return -1;
	rc = await(t, from, to, err);
	return rc != 0 ? rc : agent_journal_put(&t->r->journal, t->v[from].n,
						t->v[to - 1].n, false, err);
}

static int do_all(struct turn *t, struct ai_err *err)
{
	bool written = false;
	size_t from, to;
	int rc = 0;

	for (from = 0; rc == 0 && from < t->n &&
	     t->r->stop.err.code == AI_E_NONE; from = to) {
		to = group(t, from);
		rc = do_group(t, from, to, &written, err);
	}
	return rc;
}

/* ---- what the model is told ----------------------------------------------------------- */

/* Something we say behind the last result: that turns run out, that it goes in
 * circles. */
static void put_hints(const struct turn *t, size_t times, struct ai_buf *text)
{
	const struct agent_run *r = t->r;

	if ((int64_t)times == r->limits.v[AGENT_LIMIT_REPEAT] - 1 && times > 1)
		ai_buf_fmt(text, "\n\n(You have asked for the same %zu times. "
			   "Do something else, or answer.)", times);
	if (r->used.turns + 1 == r->limits.v[AGENT_LIMIT_TURNS])
		ai_buf_str(text, "\n\n(Your next reply is the last one: answer "
			   "the task with what you have.)");
}

static int append(struct turn *t, size_t i, size_t times, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_run *r = t->r;
	const char *tool, *result = step_of(t, i)->result;
	struct ai_value v;

	if (ai_json_check(result, strlen(result), &v, err) < 0)
		return -1;
	ai_json_text(ai_json_get(v, "text"), &text);
	r->used.output += (int64_t)text.len;
	tool = t->v[i].call.tool != NULL ? t->v[i].call.tool->name : "a tool";
	if (ai_json_true(ai_json_get(v, "trusted"))) {
		if (t->v[i].covered && !ai_json_true(ai_json_get(v, "failed")))
			agent_trust_add(r->trust, text_of(&text));
	} else {
		agent_trust_taint(r->trust, tool);
	}
	if (r->journal.replay)
		ai_msg(AI_MSG_INFO, "step %zu: %s gave back %zu bytes", t->v[i].n,
		       tool, text.len);
	ai_buf_clear(&r->last_result);
	ai_buf_add(&r->last_result, text.p, text.len);
	if (i == t->n - 1)
		put_hints(t, times, &text);
	agent_run_say_result(r, t->v[i].id, text_of(&text));
	ai_buf_release(&text);
	return 0;
}

/* A tool that gives back what it was given, as a calculator does, must not make
 * the word of a text from elsewhere a trusted one; a person's answer is theirs,
 * whatever was asked. */
static bool is_covered(const struct turn *t, const struct asked *a)
{
	return a->call.tool != NULL && (a->call.tool->person ||
		agent_trust_covers(t->r->trust, a->call.tool,
				   text_of(&a->args)));
}

static int append_all(struct turn *t, size_t times, struct ai_err *err)
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

/* ---- a turn ------------------------------------------------------------------------------ */

static int take_calls(struct turn *t, struct ai_value calls,
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
		struct asked *a = &t->v[t->n];

		a->n = t->first + t->n;
		a->call.hold = -1;
		ai_buf_init(&a->args, AGENT_ARGS_MAX);
		ai_buf_init(&a->call.note, AGENT_ARGS_MAX);
		ai_buf_init(&a->call.text, AGENT_TEXT_MAX);
		ai_buf_clear(&id);
		ai_json_text(ai_json_get(v, "id"), &id);
		a->id = ai_span_dup(text_of(&id));
		if (a->id == NULL)
			rc = ai_err_nomem(err);
	}
	ai_buf_release(&id);
	return rc;
}

static int decide_all(struct turn *t, struct ai_value calls,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, calls);
	for (size_t i = 0; ai_json_next(&it, NULL, &v); i++)
		if ((t->v[i].n <= t->r->journal.n
			     ? recall(t, i, v, err)
			     : decide(t, i, v, err)) < 0)
			return -1;
	return 0;
}

static bool all_done(const struct turn *t, bool *waits)
{
	bool done = true;

	*waits = false;
	for (size_t i = 0; i < t->n; i++) {
		*waits |= step_of(t, i)->state == AI_STEP_WAITING;
		done &= step_of(t, i)->state == AI_STEP_DONE;
	}
	return done;
}

/* The run stands here. */
static int stand(struct turn *t, bool waits)
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

static int do_turn(struct turn *t, struct ai_value calls, struct ai_err *err)
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
	struct turn t = { .r = r };
	int rc = do_turn(&t, calls, err);

	release(&t);
	return rc;
}
