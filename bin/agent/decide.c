/* decide.c: whether a call that the model asks for may be done, and whether one
 * that was asked for before is still to be. */
#include "calls-int.h"
#include "tool/args.h"

#include "base/msg.h"
#include "crypt/hash.h"

#include <stdio.h>
#include <string.h>

static const char not_allowed[] =
	"This call was not allowed by the person in charge.";

/* ---- what the model asks for ------------------------------------------------ */

static void make_key(const struct agent_turn *t, size_t i, char key[33])
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
static int set_intent(struct agent_turn *t, size_t i, struct ai_value call,
		      const char *why, bool counted, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	const struct agent_asked *a = &t->v[i];
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
	rc = agent_step_set(&agent_turn_step(t, i)->intent, &b, err);
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
static int find_tool(struct agent_turn *t, size_t i, struct ai_value call,
		     struct ai_buf *why, struct ai_err *err)
{
	struct ai_value args = ai_json_get(call, "function.arguments");
	struct ai_buf name = AI_BUF_INIT(256), text =
		AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_asked *a = &t->v[i];
	int rc = 0;

	ai_json_text(ai_json_get(call, "function.name"), &name);
	a->call.tool = agent_tools_find(t->r->tools, agent_text_of(&name));
	if (a->call.tool != NULL && !agent_is_offered(t->r, a->call.tool))
		a->call.tool = NULL;
	if (args.kind == AI_STRING)
		ai_json_text(args, &text);
	else if (args.kind != AI_NONE)
		ai_buf_add(&text, args.s.p, args.s.n);
	if (a->call.tool == NULL) {
		say_unknown(t->r, ai_buf_cstr(&name), why);
	} else if (agent_args_check(a->call.tool, agent_text_of(&text),
				    &a->args, err) < 0) {
		rc = err->code == AI_E_MEMORY ? -1 : 0;
		ai_buf_fmt(why, "The arguments of '%s' cannot be used: %s",
			   a->call.tool->name, err->msg);
		a->call.tool = NULL;
	}
	a->call.args = agent_text_of(&a->args);
	ai_buf_release(&name);
	ai_buf_release(&text);
	return rc;
}

/* Whether it may be called once more. */
static bool count(struct agent_turn *t, size_t i, struct ai_buf *why)
{
	const struct agent_tool *tool = t->v[i].call.tool;
	struct agent_used *used = &t->r->used;
	const char *limit;

	if (tool->within && t->r->limits.v[AGENT_LIMIT_DEPTH] <= agent.depth) {
		ai_buf_fmt(why, "'%s' may not be called here: its limit is "
			   "reached. It is 'depth', of runs within runs.",
			   tool->name);
		return false;
	}
	if (tool->within &&
	    used->within >= t->r->limits.v[AGENT_LIMIT_FANOUT]) {
		ai_buf_fmt(why, "'%s' may not be called any more in this run: "
			   "its limit is reached. It is 'fanout', the runs "
			   "that it may begin.", tool->name);
		return false;
	}
	if (agent_used_call(used, &t->r->limits, tool->name, tool->max_calls,
			    &limit)) {
		used->within += tool->within;
		return true;
	}
	if (limit != NULL)
		t->r->over = limit;
	ai_buf_fmt(why, limit != NULL
		   ? "No tool may be called any more: the run's limit is "
		     "reached." : "'%s' may not be called any more in this "
		     "run: its limit is reached.", tool->name);
	return false;
}

/* Whether it may go on; fills the step if it may not, or must wait. */
static int permit(struct agent_turn *t, size_t i, struct ai_buf *why,
		  struct ai_err *err)
{
	const struct agent_tool *tool = t->v[i].call.tool;
	struct agent_step *s = agent_turn_step(t, i);
	enum agent_answer answer;
	bool trusted = agent_trust_allows(t->r->trust, tool,
					  t->v[i].call.args, why);

	if (!trusted && agent.taint == AGENT_TAINT_WARN) {
		ai_msg(AI_MSG_WARN, "run %s: '%s' is called although %s",
		       t->r->journal.run.id, tool->name, ai_buf_cstr(why));
		trusted = true;
	}
	if (trusted && !agent_approve_asks(tool))
		return 0;
	answer = agent_approve_ask(t->r, tool, t->v[i].call.args,
				   ai_buf_cstr(why));
	if (answer == AGENT_PARK)
		s->state = AI_STEP_WAITING;
	if (answer != AGENT_NO)
		return 0;
	if (why->len > 0) {
		struct ai_buf text = AI_BUF_INIT(4096);
		int rc;

		ai_buf_fmt(&text, "This call was not allowed: %s.",
			   ai_buf_cstr(why));
		rc = agent_outcome_refuse(t, i, ai_buf_cstr(&text), err);
		ai_buf_release(&text);
		return rc;
	}
	return agent_outcome_refuse(t, i, not_allowed, err);
}

int agent_decide(struct agent_turn *t, size_t i, struct ai_value call,
		 struct ai_err *err)
{
	struct ai_buf why = AI_BUF_INIT(4096);
	struct agent_asked *a = &t->v[i];
	struct agent_step *s = agent_journal_step(&t->r->journal, a->n,
						  AI_STEP_CALL, err);
	bool counted = false;
	int rc = s == NULL ? -1 : find_tool(t, i, call, &why, err);

	if (rc == 0 && a->call.tool != NULL) {
		make_key(t, i, s->key);
		rc = agent_breaker_look(t->r, &a->call, &why, err);
		counted = rc == 0 && count(t, i, &why);
		if (rc >= 0 && !counted)
			rc = agent_outcome_refuse(t, i, ai_buf_cstr(&why), err);
		else if (rc == 0)
			rc = permit(t, i, &why, err);
	} else if (rc == 0) {
		rc = agent_outcome_refuse(t, i, ai_buf_cstr(&why), err);
	}
	if (rc == 0)
		rc = set_intent(t, i, call, ai_buf_cstr(&why), counted, err);
	ai_buf_release(&why);
	return rc;
}

/* ---- what the journal says of it -------------------------------------------- */

/* What a person has allowed is what was declared then, not what has its name
 * now. */
static bool is_the_same(const struct agent_turn *t, size_t i)
{
	const char *intent = agent_turn_step(t, i)->intent;
	struct ai_value v, seal;
	struct ai_err err;

	if (ai_json_check(intent, strlen(intent), &v, &err) < 0)
		return false;
	seal = ai_json_get(v, "seal");
	return seal.kind == AI_NONE ? t->v[i].call.tool->seal[0] == '\0' :
		ai_json_is(seal, ai_span_of(t->v[i].call.tool->seal));
}

/* A person has decided. */
static int obey(struct agent_turn *t, size_t i, struct ai_err *err)
{
	struct agent_step *s = agent_turn_step(t, i);
	const char *said = s->said == NULL ? "" : s->said;

	if (said[0] == '\0')
		return 0;
	if (strcmp(said, "no") == 0)
		return agent_outcome_refuse(t, i, not_allowed, err);
	if (strcmp(said, "done") == 0)
		return agent_outcome_refuse(t, i, "This was done; what it "
					    "gave back is not known.", err);
	if (strncmp(said, "answer:", 7) == 0)
		return agent_outcome_set(t, i, ai_span_of(said + 7), false,
					 "", true, err);
	if (!is_the_same(t, i))
		return agent_outcome_wait(t, i, "the tool has been changed "
					  "since it was asked for", err) < 0 ? -1 :
			agent_step_add(s, "seal", t->v[i].call.tool->seal,
				       err);
	s->state = AI_STEP_PLANNED; /* "yes", "again" */
	return 0;
}

/*
 * It was begun.  Whether it was done is asked under the key that it had then: in
 * a fork that is the older run's, and what is done now is done under our own.
 */
static int go_on(struct agent_turn *t, size_t i, struct ai_err *err)
{
	struct agent_step *s = agent_turn_step(t, i);
	struct agent_call *c = &t->v[i].call;
	int rc = 0;

	memcpy(c->key, s->key, sizeof(c->key));
	c->hold = t->r->journal.hold;
	if (agent_needs_intent(c->tool))
		rc = agent_outcome_find(t, i, err);
	if (rc == 0)
		make_key(t, i, s->key);
	return rc < 0 ? -1 : 0;
}

int agent_recall(struct agent_turn *t, size_t i, struct ai_value call,
		 struct ai_err *err)
{
	struct agent_step *s = agent_turn_step(t, i);
	struct agent_asked *a = &t->v[i];
	struct ai_buf why = AI_BUF_INIT(4096);
	struct ai_value v, note;
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
	if (s->state == AI_STEP_DONE) {
		if (a->call.tool != NULL)
			make_key(t, i, a->call.key);
		a->copied = strcmp(a->call.key, s->key) != 0;
		return 0;
	}
	/* The tool may have been taken away, or its schema changed. */
	if (a->call.tool == NULL)
		return agent_outcome_refuse(t, i, "This tool is not there any "
					    "more.", err);
	note = ai_json_get(v, "note");
	if (note.kind != AI_NONE)
		ai_buf_add(&a->call.note, note.s.p, note.s.n);
	if (t->r->journal.replay)
		return 0;
	if (s->state == AI_STEP_STARTED)
		return go_on(t, i, err);
	make_key(t, i, s->key);
	return s->state == AI_STEP_WAITING ? obey(t, i, err) : 0;
}
