/* graph.h: a workflow as people see it before it runs. */
#ifndef AGENT_FLOW_GRAPH_H
#define AGENT_FLOW_GRAPH_H

#include "flow/flow.h"

/* The plan as text: agents, tasks in their order with what they wait for, and
 * what comes out. */
void flow_put_plan(const struct flow *f, struct ai_buf *out);
/* The same as a graph in the language of Graphviz. */
void flow_put_dot(const struct flow *f, struct ai_buf *out);
/* Of each task: 1 + the highest of what it needs; one after the other, if they
 * are sequential.  n_tasks numbers, to be freed; NULL: no memory. */
size_t *flow_levels(const struct flow *f);

/* Marks the agents that tasks lead to, also by asking and handing on.  used: of
 * FLOW_AGENTS_MAX. */
void flow_find_used(const struct flow *f, bool *used);

/* The verb: ai-agent graph FILE. */
int agent_graph(int argc, char **argv, struct ai_err *err);

#endif
