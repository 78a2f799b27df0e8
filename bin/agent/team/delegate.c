/* delegate.c: the tool that gives a part of the task to another ai-agent, which
 * is as we are. */
#include "agent.h"
#include "team/within.h"

static int begin(struct agent_call *c, struct ai_err *err)
{
	struct agent_run *const *current = c->tool->of;

	return agent_within_begin(c, *current, NULL, err);
}

int agent_delegate_add(struct agent_tools *t, struct agent_run **current,
		       int64_t fanout, struct ai_err *err)
{
	static const struct agent_tool_kind kind = { .begin = begin,
		.wait = agent_within_wait, .turn = agent_within_turn,
		.stop = agent_within_stop, .release = agent_within_release };
	const struct agent_tool tool = {
		.name = "delegate",
		.description = "Gives a part of the task, which must be told "
			"in full, to another agent with the same tools, and "
			"gives back its answer.",
		.parameters = AI_SPAN("{\"type\":\"object\",\"properties\":{"
			"\"task\":{\"type\":\"string\",\"minLength\":1},"
			"\"tools\":{\"type\":\"array\",\"items\":{\"type\":"
			"\"string\"},\"description\":\"names of the tools it "
			"may use; all if not given\"}},\"required\":[\"task\"],"
			"\"additionalProperties\":false}"),
		.kind = &kind, .effect = AGENT_IDEMPOTENT, .within = true,
		.max_output = 1 << 20, .max_calls = fanout,
		.of = current,
	};

	return agent_tools_add(t, &tool, "--delegate", err);
}
