/* task.h: a record as a task, and a run as a member of it. */
#ifndef AGENT_TASK_H
#define AGENT_TASK_H

#include "agent.h"

#include "record/rec.h"

/* The record's `limits`, which lower those of the run. */
int agent_task_limits(struct agent_run *r, const struct ai_rec *rec,
		      struct ai_err *err);
/* The first messages: what the model is told, and the task.  AI_E_RECORD: there
 * is none. */
int agent_task_begin(struct agent_run *r, const struct ai_rec *rec,
		     const struct ai_buf *system, struct ai_err *err);
/* The member `run`. */
void agent_task_put(const struct agent_run *r, struct ai_buf *out);

#endif
