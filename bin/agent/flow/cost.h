/*
 * cost.h: what a workflow may cost, before it runs.
 *
 * At least: each task is done once, in one reply of one token, rounds and chats
 * end as soon as they may, lists are empty, and what has a condition is left
 * out.  At most: every bound is reached - turns, rounds, items, messages,
 * retries - with replies as long as they may be, but no more than the limits in
 * dollars allow.  Prices are those of the catalog, as ai-cost has them.
 */
#ifndef AGENT_FLOW_COST_H
#define AGENT_FLOW_COST_H

#include "flow/flow.h"

/* Of a task, or of all. */
struct flow_cost {
	int64_t low, high;   /* nano-dollars; high negative: not known */
	int64_t least, most; /* runs of agents, judges included; without those
			      * of agents that are asked by others */
	char why[160];       /* why it is not known; "": it is */
};

struct flow_costs {
	struct flow_cost *tasks; /* owned; as in the flow */
	struct flow_cost all;
	int64_t limit;           /* of the whole run, nano-dollars */
};

/* Where a workflow is priced for many inputs: what models cost is looked up
 * once. */
struct flow_desk;
int flow_desk_new(struct flow_desk **d, const struct flow *f,
		  struct ai_err *err);
void flow_desk_free(struct flow_desk *d); /* NULL is fine */
/* input: AI_NONE if it is not known.  That a price is not known is no error.
 * In any case to be released. */
int flow_desk_price(struct flow_desk *d, struct ai_value input,
		    struct flow_costs *c, struct ai_err *err);
void flow_costs_release(struct flow_costs *c);

/* --dry-run: FILE [WORD... | -]; without words, and with -, the records of
 * standard input, or if that is a terminal an input that is not known.  An exit
 * status, or -1. */
int flow_dry_run(int argc, char **argv, struct ai_err *err);

#endif
