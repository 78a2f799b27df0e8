/*
 * team.h: an agent of a workflow (flow.h) as settings of ours: what the file
 * says of it stands for the options that are not given as flags, and with it
 * come the tools that reach the others: ask_NAME, hand_off_to_NAME, notes, what
 * is remembered.
 */
#ifndef AGENT_TEAM_H
#define AGENT_TEAM_H

#include "agent.h"
#include "flow/flow.h"

/* Before the name of a run that has kept a workflow, in the place of a file. */
#define AGENT_TEAM_RUN "run:"

/* Reads what --team names, if it is given, and takes the settings of --agent.
 * Once, before any worker begins. */
int agent_team_read(struct ai_err *err);
/* Whether --team names a run, not a file. */
bool agent_team_is_kept(void);
/* NULL: we are of none. */
const struct flow *agent_team(void);
const struct flow_agent *agent_team_self(void);
/* The usual limits, those of --limit, and between them the agent's. */
int agent_team_limits(struct agent_limits *l, struct ai_err *err);
/* Its tools; limits: of the worker. */
int agent_team_tools(struct agent_tools *t, struct agent_run **current,
		     const struct agent_limits *limits, struct ai_err *err);

/* ---- budget.c: what an agent may spend in all runs within one ------------------ */

/* Sets aside what the run may cost of the agent's budget, and lowers its limit
 * to that; r->stop says if there is nothing.  Waits for others of its runs. */
int agent_budget_take(struct agent_run *r, struct ai_err *err);
/* What it has cost, as it ends. */
int agent_budget_end(struct agent_run *r, struct ai_err *err);
/* The member `asked_by` of a record that a run within r gets: the agents that
 * it is within. */
void agent_budget_put(const struct agent_run *r, struct ai_buf *b);

/* ---- ask.c: other agents ------------------------------------------------------ */

/* ask_NAME, one for each that it may ask. */
int agent_ask_add(struct agent_tools *t, struct agent_run **current,
		  struct ai_err *err);
/* hand_off_to_NAME.  within: for whom the run works follows it; else we do. */
int agent_hand_off_add(struct agent_tools *t, struct agent_run **current,
		       bool within, struct ai_err *err);

/* ---- notes.c, memory.c: what agents share --------------------------------------- */

int agent_notes_add(struct agent_tools *t, struct agent_run **current,
		    struct ai_err *err);
int agent_memory_add(struct agent_tools *t, struct agent_run **current,
		     struct ai_err *err);

#endif
