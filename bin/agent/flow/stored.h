/*
 * stored.h: the workflow of a run, as it was when the run was made.
 *
 * It stands whole in the run's setup: what is done to the file later changes
 * nothing of it, and who works for the run reads it there.
 */
#ifndef AGENT_FLOW_STORED_H
#define AGENT_FLOW_STORED_H

#include "flow/flow.h"

/* The flow of a run's setup.  AI_E_DATA, AI_E_USAGE: there is none.  In any case
 * to be released. */
int flow_of_setup(struct ai_span setup, const char *run, struct flow *f,
		  struct ai_err *err);
/* Whether it is the setup of a workflow's run. */
bool flow_is_setup(struct ai_span setup);
/* Its members, appended to a setup that is open. */
void flow_put_kept(const struct flow *f, struct ai_buf *setup);

#endif
