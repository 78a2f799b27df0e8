/* verb.h: a workflow as a run of the ledger. */
#ifndef AGENT_FLOW_VERB_H
#define AGENT_FLOW_VERB_H

#include "base/buf.h"
#include "base/err.h"
#include "record/rec.h"

#include <stdbool.h>

/* The verb `flow`: FILE, then words that are its input, or records do. */
int agent_flow(int argc, char **argv, struct ai_err *err);

/* Goes on with a run of a workflow, or replays it; as agent_worker_resume(). */
int flow_run_kept(const char *id, bool replay, struct ai_buf *line,
		  struct ai_rec *rec, struct ai_buf *text, struct ai_err *why,
		  struct ai_err *err);

#endif
