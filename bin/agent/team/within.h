/*
 * within.h: a run within the run: a call that another ai-agent does.
 *
 * The run is named after the call that has begun it, so that a run that is gone
 * on with goes on with it, too.  What it spends is booked under the outermost
 * run, whose budget is the ledger's: no depth and no width gets around it.
 */
#ifndef AGENT_WITHIN_H
#define AGENT_WITHIN_H

#include "agent.h"

/* Begins it; call c is r's.  who: an agent of our workflow; NULL: one as we
 * are.  Its task is the argument `task`; `tools`, without who, the list of
 * those that it may use. */
int agent_within_begin(struct agent_call *c, const struct agent_run *r,
		       const char *who, struct ai_err *err);
/* As those of struct agent_tool_kind.  One that hands its task on is followed:
 * c->text is what the last one says, c->by and c->clean whose words that may
 * be. */
void agent_within_wait(struct agent_call *c, struct agent_poll *p);
bool agent_within_turn(struct agent_call *c);
void agent_within_stop(struct agent_call *c);
void agent_within_release(struct agent_call *c);

#endif
