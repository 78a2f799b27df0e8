/* ask.c: the tools that reach other agents of the workflow: ask_NAME gives back
 * what it answers, hand_off_to_NAME lets it answer instead. */
#include "team/team.h"
#include "team/within.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char parameters[] = "{\"type\":\"object\",\"properties\":{"
	"\"task\":{\"type\":\"string\",\"minLength\":1}},"
	"\"required\":[\"task\"],\"additionalProperties\":false}";

struct other {
	struct agent_run **current;
	const struct flow_agent *agent;
};

static int ask(struct agent_call *c, struct ai_err *err)
{
	const struct other *o = c->tool->of;

	return agent_within_begin(c, *o->current, o->agent->name, err);
}

/* For whom we work goes on with it. */
static int hand_on(struct agent_call *c, struct ai_err *err)
{
	const struct other *o = c->tool->of;
	struct ai_value args;

	if (ai_json_check(c->args.p, c->args.n, &args, err) < 0)
		return -1;
	ai_put_open(&c->handoff, '{');
	ai_put_key(&c->handoff, "to");
	ai_put_cstr(&c->handoff, o->agent->name);
	ai_put_key(&c->handoff, "task");
	ai_put_value(&c->handoff, ai_json_get(args, "task"));
	ai_put_close(&c->handoff, '}');
	ai_buf_str(&c->text, "It was handed on.");
	c->ends = c->clean = true;
	return ai_buf_check(&c->handoff, "what is handed on", err);
}

static bool take_over(struct agent_call *c)
{
	if (!agent_within_turn(c))
		return false;
	c->ends = !c->failed && !c->parks && !c->pauses;
	return true;
}

/* ---- the rows ----------------------------------------------------------------- */

static int add_one(struct agent_tools *t, struct agent_run **current,
		   const struct flow_agent *who, struct agent_tool *tool,
		   const char *verb, const char *what, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(1 << 16);
	struct other *o = calloc(1, sizeof(*o));
	char name[FLOW_NAME + 16];
	int rc;

	if (o == NULL)
		return ai_err_nomem(err);
	*o = (struct other){ current, who };
	if (agent_tools_own(t, o, free, err) < 0)
		return -1;
	snprintf(name, sizeof(name), "%s_%s", verb, who->name);
	ai_buf_fmt(&text, "%s '%s'", what, who->name);
	if (who->role != NULL)
		ai_buf_fmt(&text, " (%s)", who->role);
	if (who->goal != NULL)
		ai_buf_fmt(&text, ", whose goal is: %s", who->goal);
	ai_buf_str(&text, ". It has seen nothing of what was said here: tell "
		   "it all that it has to know.");
	tool->name = name;
	tool->description = ai_buf_cstr(&text);
	tool->parameters = AI_SPAN(parameters);
	tool->effect = AGENT_IDEMPOTENT;
	tool->max_output = 1 << 20;
	tool->max_calls = -1;
	tool->breaks = who->failures > 0;
	tool->failures = who->failures;
	tool->rest_ms = (int64_t)(who->rest_s * 1e3);
	tool->of = o;
	rc = ai_buf_check(&text, "what is said of an agent", err) < 0 ? -1 :
		agent_tools_add(t, tool, "--team", err);
	ai_buf_release(&text);
	return rc;
}

/* The manager of a workflow may ask all of it. */
static bool may_ask(const struct flow *f, const struct flow_agent *self,
		    size_t i)
{
	if (&f->agents[i] == self)
		return false;
	if (f->process == FLOW_HIERARCHICAL && f->manager != FLOW_NONE &&
	    self == &f->agents[f->manager])
		return true;
	for (size_t k = 0; k < self->n_agents; k++)
		if (self->agents[k] == i)
			return true;
	return false;
}

int agent_ask_add(struct agent_tools *t, struct agent_run **current,
		  struct ai_err *err)
{
	static const struct agent_tool_kind kind = { .begin = ask,
		.wait = agent_within_wait, .turn = agent_within_turn,
		.stop = agent_within_stop, .release = agent_within_release };
	const struct flow *f = agent_team();

	for (size_t i = 0; i < f->n_agents; i++) {
		struct agent_tool tool = { .kind = &kind, .within = true };

		if (may_ask(f, agent_team_self(), i) &&
		    add_one(t, current, &f->agents[i], &tool, "ask",
			    "Gives a part of the task to, and gives back the "
			    "answer of, the agent", err) < 0)
			return -1;
	}
	return 0;
}

int agent_hand_off_add(struct agent_tools *t, struct agent_run **current,
		       bool within, struct ai_err *err)
{
	static const struct agent_tool_kind on = { .begin = hand_on };
	static const struct agent_tool_kind over = { .begin = ask,
		.wait = agent_within_wait, .turn = take_over,
		.stop = agent_within_stop, .release = agent_within_release };
	const struct flow *f = agent_team();
	const struct flow_agent *self = agent_team_self();

	for (size_t i = 0; i < self->n_handoffs; i++) {
		struct agent_tool tool = { .kind = within ? &on : &over,
					   .serial = true };

		if (add_one(t, current, &f->agents[self->handoffs[i]], &tool,
			    "hand_off_to", "Ends your work: the whole task "
			    "goes over to, and is answered by, the agent",
			    err) < 0)
			return -1;
	}
	return 0;
}
