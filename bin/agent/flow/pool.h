/*
 * pool.h: who works for a workflow: for each agent that is asked anything
 * an ai-agent that lives as long as the workflow, and works on several records
 * at once.
 *
 * They stand below wardens (child.h): if we are killed, they are told to end.
 * What was asked of a model by then is waited for by their ai-completes alone,
 * which keep the answers.  The wardens have the lock of our run as long, so who
 * goes on with it finds them.
 */
#ifndef AGENT_FLOW_POOL_H
#define AGENT_FLOW_POOL_H

#include "cage/child.h"
#include "flow/flow.h"
#include "cage/pollset.h"

/* If we are killed: the time that one of them has to end, and that which what
 * was asked of a model may take. */
#define FLOW_POOL_GRACE_MS 2000
int flow_pool_linger_ms(void);

struct flow_worker {
	struct agent_child child;
	bool runs;
	size_t asked;      /* records that it has not answered */
	unsigned deaths;   /* since it has answered last */
};

struct flow_pool {
	const struct flow *flow; /* borrowed */
	const char *run;         /* whose setup has the flow, for them to read;
				  * borrowed */
	const char *root;        /* whose money they spend; borrowed */
	int hold;                /* see child.h */
	int64_t at_once;         /* records that one works on */
	int64_t depth;           /* of their runs */
	struct flow_worker *v;   /* owned; one for each agent of the flow */
	int signal;              /* that they were sent; 0: none */
	bool quiet;              /* what they say is not passed on */
};

/* What came: a line of agent's, borrowed for the call; or line.p is NULL: it
 * has died, with all that it was asked.  -1 ends the turn. */
typedef int flow_pool_fn(void *arg, size_t agent, struct ai_span line,
			 struct ai_err *err);

int flow_pool_init(struct flow_pool *p, const struct flow *f, const char *run,
		   const char *root, int64_t at_once, int64_t depth, int hold,
		   struct ai_err *err);
/* Ends all of them: first kindly, then by killing. */
void flow_pool_release(struct flow_pool *p);
/* A record for this agent, without a newline. */
int flow_pool_send(struct flow_pool *p, size_t agent, struct ai_span line,
		   struct ai_err *err);
void flow_pool_wait(const struct flow_pool *p, struct agent_poll *poll);
/* Goes on without blocking. */
int flow_pool_turn(struct flow_pool *p, flow_pool_fn *each, void *arg,
		   struct ai_err *err);
/* To all that run: SIGINT: begin nothing more, SIGTERM: end. */
void flow_pool_signal(struct flow_pool *p, int signal);

#endif
