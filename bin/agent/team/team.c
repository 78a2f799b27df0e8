#include "team/team.h"
#include "flags.h"
#include "worker.h"

#include "model/paid.h"

#include <stdlib.h>
#include <string.h>

/* They live as long as the program. */
static struct flow flow;
static const struct flow_agent *self;

const struct flow *agent_team(void)
{
	return self == NULL ? NULL : &flow;
}

const struct flow_agent *agent_team_self(void)
{
	return self;
}

/* ---- reading -------------------------------------------------------------- */

static int find_self(struct ai_err *err)
{
	const char *names[FLOW_AGENTS_MAX], *near;
	size_t i = FLOW_NONE, n = flow.n_agents;

	if (agent.name != NULL)
		i = flow_find_agent(&flow, ai_span_of(agent.name));
	else if (flow.manager != FLOW_NONE)
		i = flow.manager;
	else if (n == 1)
		i = 0;
	if (i != FLOW_NONE) {
		self = &flow.agents[i];
		agent.name = self->name;
		return 0;
	}
	for (i = 0; i < n && i < FLOW_AGENTS_MAX; i++)
		names[i] = flow.agents[i].name;
	if (agent.name == NULL)
		return ai_err_set(err, AI_E_USAGE, "--team '%.200s' has %zu "
				  "agents: --agent says which one",
				  flow.path, n);
	near = ai_nearest(agent.name, names, i);
	return ai_err_set(err, AI_E_USAGE, "'%.200s' has no agent '%.80s'"
			  "%s%s%s", flow.path, agent.name, near == NULL ? "" :
			  "; did you mean '", near == NULL ? "" : near,
			  near == NULL ? "" : "'?");
}

/* ---- settings ---------------------------------------------------------------- */

static void take_text(const char **to, const char *value)
{
	if (value == NULL || agent_flags_given(to))
		return;
	*to = value;
	agent_flags_replaced(to);
}

/* The list is the options', who free it; what it points to stays the file's. */
static int take_list(struct ai_opt_list *to, const struct agent_strings *s,
		     struct ai_err *err)
{
	const char **v;

	if (s->n == 0 || agent_flags_given(to))
		return 0;
	v = calloc(s->n, sizeof(*v));
	if (v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < s->n; i++)
		v[i] = s->v[i];
	free(to->v);
	to->v = v;
	to->n = s->n;
	agent_flags_replaced(to);
	return 0;
}

static int take_settings(struct ai_err *err)
{
	take_text(&agent.model, self->model);
	take_text(&agent.workdir, self->workdir);
	take_text(&agent.index, self->index != NULL ? self->index
						     : flow.index);
	return take_list(&agent.tools, &self->tools, err) < 0 ||
		take_list(&agent.with, &self->with, err) < 0 ? -1 : 0;
}

static int keep_setup(void *arg, const struct ai_run_row *row)
{
	ai_buf_add(arg, row->setup.p, row->setup.n);
	return 0;
}

/* As the run of this name has kept it, with all paths whole. */
static int read_kept(const char *run, struct ai_err *err)
{
	struct ai_buf setup = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	struct ai_value v, json = { AI_NONE, { NULL, 0 } };
	struct ai_ledger *l;
	char *text = NULL;
	int rc = -1;

	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	if (ai_run_get(l, run, keep_setup, &setup, err) >= 0)
		rc = 0;
	ai_ledger_close(l);
	if (rc == 0 && ai_json_check(setup.p, setup.len, &v, err) == 0)
		json = ai_json_get(v, "flow");
	if (rc == 0 && json.kind != AI_OBJECT)
		rc = ai_err_set(err, AI_E_OPEN, "there is no run '%.80s' with "
				"a workflow in the ledger", run);
	if (rc == 0)
		text = ai_span_dup(json.s);
	if (rc == 0)
		rc = text == NULL ? ai_err_nomem(err) :
			flow_parse(&flow, text, json.s.n, "the run's workflow",
				   "/", err);
	free(text);
	ai_buf_release(&setup);
	return rc;
}

bool agent_team_is_kept(void)
{
	return strncmp(agent.team, AGENT_TEAM_RUN,
		       strlen(AGENT_TEAM_RUN)) == 0;
}

int agent_team_read(struct ai_err *err)
{
	int rc;

	if (agent.team == NULL)
		return agent.name == NULL ? 0 :
			ai_err_set(err, AI_E_USAGE, "--agent '%.80s' is an "
				   "agent of which workflow? --team names it",
				   agent.name);
	rc = agent_team_is_kept()
		? read_kept(agent.team + strlen(AGENT_TEAM_RUN), err)
		: flow_read(&flow, agent.team, err);
	return rc < 0 || find_self(err) < 0 ? -1 : take_settings(err);
}

int agent_team_limits(struct agent_limits *l, struct ai_err *err)
{
	const struct ai_opt_list none = { NULL, 0 };
	bool given = agent_flags_given(&agent.limits);
	int rc;

	if (self == NULL)
		return agent_limits_init(l, &agent.limits, err);
	rc = agent_limits_init(l, given ? &none : &agent.limits, err);
	if (rc == 0 && self->limits != NULL)
		rc = agent_limits_over(l, ai_span_of(self->limits), err);
	if (rc == 0 && given)
		rc = agent_limits_set(l, &agent.limits, err);
	if (rc == 0 && self->budget >= 0 &&
	    self->budget < l->v[AGENT_LIMIT_USD])
		l->v[AGENT_LIMIT_USD] = self->budget;
	return rc;
}

int agent_team_tools(struct agent_tools *t, struct agent_run **current,
		     const struct agent_limits *limits, struct ai_err *err)
{
	bool deeper = limits->v[AGENT_LIMIT_DEPTH] > agent.depth,
	     within = agent_is_within();

	if (self == NULL)
		return 0;
	if (self->notes && agent_notes_add(t, current, err) < 0)
		return -1;
	if (self->remembers && agent.index != NULL &&
	    agent_memory_add(t, current, err) < 0)
		return -1;
	if (deeper && agent_ask_add(t, current, err) < 0)
		return -1;
	return (deeper || within) &&
		agent_hand_off_add(t, current, within, err) < 0 ? -1 : 0;
}
