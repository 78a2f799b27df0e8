/* worker.h: what works on runs, one after the other: a ledger and the tools. */
#ifndef AGENT_WORKER_H
#define AGENT_WORKER_H

#include "agent.h"
#include "cage/sandbox.h"

#include "record/rec.h"

struct agent_worker {
	struct ai_ledger *ledger;
	struct agent_sandbox sandbox;
	struct agent_tools tools;
	struct agent_mcp *mcp; /* NULL: no servers */
	/* Of the last run, for the next one; NULL. */
	struct agent_model *model;
	struct agent_guard *guard;
	struct agent_run *current; /* that is worked on; NULL */
	struct ai_buf system;  /* what --system or its file says */
	struct agent_limits limits;
	bool ready;            /* the tools are there */
};

/* The ledger and the limits; the tools come with the first run.  In any case to
 * be released. */
int agent_worker_init(struct agent_worker *w, struct ai_err *err);
/* Reads the files of tools, starts the servers. */
int agent_worker_tools(struct agent_worker *w, struct ai_err *err);
void agent_worker_release(struct agent_worker *w);

/* Whether we work for another run. */
bool agent_is_within(void);

/* A task becomes a run: new, or of that name (ai_paid.run) if there is one.
 * rec gets `run`, and an error if it did not end well: why has it then.  -1:
 * there is no run; the record is as it was. */
int agent_worker_task(struct agent_worker *w, struct ai_rec *rec,
		      struct ai_buf *text, struct ai_err *why,
		      struct ai_err *err);
/* Goes on with a run, or replays it. rec becomes the record that it began with,
 * whose line is kept in *line (owned by the caller). */
int agent_worker_resume(struct agent_worker *w, const char *id, bool replay,
			struct ai_buf *line, struct ai_rec *rec,
			struct ai_buf *text, struct ai_err *why,
			struct ai_err *err);
/* A copy of its beginning, before step n, as a new run; *id is its name. */
int agent_worker_fork(struct agent_worker *w, const char *from, int64_t n,
		      char id[AI_RUN_ID], struct ai_err *err);

/* A new run's name: what was given is the first record's; the others' have a
 * number. */
int agent_worker_name(unsigned long number, char id[AI_RUN_ID],
		      struct ai_err *err);

#endif
