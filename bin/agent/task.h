/* task.h: a record as a task, and a run as a member of it. */
#ifndef AGENT_TASK_H
#define AGENT_TASK_H

#include "agent.h"

#include "record/loop.h"
#include "record/rec.h"

/* The record's `limits`, which lower those of the run. */
int agent_task_limits(struct agent_run *r, const struct ai_rec *rec,
		      struct ai_err *err);
/* The first messages: what the model is told, and the task.  AI_E_RECORD: there
 * is none. */
int agent_task_begin(struct agent_run *r, const struct ai_rec *rec,
		     const struct ai_buf *system, struct ai_err *err);
/* Of the member `run`: what it has used. */
void agent_task_put_used(const struct agent_used *used,
			 const struct agent_journal *j, int64_t steps,
			 const char *limit, struct ai_buf *out);
/* The record with its answer, or with why it has failed. */
int agent_task_emit(struct ai_rec *rec, const struct ai_buf *text,
		    const struct ai_err *why, struct ai_emit *out,
		    struct ai_err *err);
/* The member `run`. */
void agent_task_put(const struct agent_run *r, struct ai_buf *out);

#endif
