/* kept.h: a run as the ledger has it: its task, how it is worked on, how it
 * stands. */
#ifndef AGENT_KEPT_H
#define AGENT_KEPT_H

#include "base/buf.h"
#include "store/run.h"

struct agent_kept {
	struct ai_buf task, setup, root, note; /* JSON, but for root, an id */
	enum ai_run_status status;
	int64_t spent_ms;
};

void agent_kept_init(struct agent_kept *k);
void agent_kept_release(struct agent_kept *k);
/* Of the run of this id. 1: it was there; 0: there is none; -1. */
int agent_kept_get(struct agent_kept *k, struct ai_ledger *l, const char *id,
		   struct ai_err *err);

#endif
