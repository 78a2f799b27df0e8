/*
 * step.h: the journal of a workflow's run.
 *
 * What is asked of an agent, or of a guardrail's command, is a step.  It has a
 * name that says which question of the plan it is ("write[3]#2!1": the fourth
 * item, its second round, its second attempt), so that who goes on finds it
 * again in whatever order steps were begun.
 *
 *	[N]  item of a map      #N  round of a loop, from 1
 *	!N   attempt after one that was not taken
 *	>N   handed on for the Nth time
 *	@N   message of a chat  @N? who is to say it
 *	?N   guardrail      =    what was decided: a condition, or the list of
 *			         a map, that names notes
 */
#ifndef AGENT_FLOW_STEP_H
#define AGENT_FLOW_STEP_H

#include "agent.h"
#include "flow/flow.h"

#define FLOW_STEP_NAME 200 /* bytes of a name, with its NUL */

struct flow_job;

struct flow_step {
	char *name;            /* owned */
	int64_t n;             /* in the journal, from 1 */
	enum ai_step_state state;
	char key[33];          /* what is done for it is called d-KEY */
	char *intent, *result; /* owned, JSON; NULL: none, or not needed any
				* more */
	int64_t amount;        /* nano-dollars that it has cost */
	int64_t changed;       /* ms; of one that was read */
	int64_t reserved;      /* that it may cost; 0: nothing is reserved */
	bool held;             /* ... and counted */
	size_t agent;          /* who is asked; FLOW_NONE */
	struct flow_job *job;  /* that waits for it; NULL */
	bool dirty;            /* to be written */
	bool sent;             /* its agent has it */
	bool taken;            /* its result is not needed any more */
};

struct flow_journal {
	const struct flow *flow;  /* borrowed */
	struct agent_journal run; /* the run, its lock, its time; no steps */
	struct flow_step **v;     /* owned; v[i]->n is i + 1 */
	size_t n, cap;
	size_t *table;            /* owned; by the hash of the name: index + 1 */
	size_t slots;
	size_t *dirty;            /* owned; indexes of what is to be written */
	size_t n_dirty, cap_dirty;
};

void flow_journal_release(struct flow_journal *j);
/* All steps of the run; what was begun by another run, whose steps were copied,
 * is not begun. */
int flow_journal_read(struct flow_journal *j, struct ai_err *err);
/* NULL: there is none of this name. */
struct flow_step *flow_journal_find(const struct flow_journal *j,
				    const char *name);
/* A new one, planned, with its key.  NULL: err. */
struct flow_step *flow_journal_add(struct flow_journal *j, const char *name,
				   struct ai_err *err);
/* It is done, and this is written down of it, so that who goes on hears the
 * same.  code: why it could not say any; AI_E_NONE: it has said yes, or no. */
int flow_step_end(struct flow_journal *j, struct flow_step *s, bool failed,
		  enum ai_code code, struct ai_span text, struct ai_err *err);
/* It has changed. */
int flow_journal_touch(struct flow_journal *j, struct flow_step *s,
		       struct ai_err *err);
/* Its result is not needed any more. */
void flow_journal_taken(struct flow_step *s);
/* Writes what has changed. In a replay nothing is written. */
int flow_journal_flush(struct flow_journal *j, struct ai_err *err);

#endif
