/* breaker.c: a tool that fails whatever it is asked for is left alone for a
 * while, by all runs of this ledger; an agent, by those of its workflow's. */
#include "calls-int.h"
#include "mcp/mcp.h"
#include "tool/program.h"

#include <stdio.h>

/* It fails by itself, not only by what it is asked for. */
static bool may_break(const struct agent_tool *tool)
{
	return tool->kind == &agent_program_kind || agent_mcp_is(tool) ||
		tool->breaks;
}

#define NAME 150

/* Tools of other declarations may have the same name. */
static struct ai_tool_breaker breaker_of(const struct agent_run *r,
					 const struct agent_tool *tool,
					 char name[NAME])
{
	if (tool->failures > 0)
		snprintf(name, NAME, "%s@%s", tool->name, r->root);
	else
		snprintf(name, NAME, "%s%s%.8s", tool->name,
			 tool->seal[0] != '\0' ? "#" : "", tool->seal);
	return (struct ai_tool_breaker){ .name = name, .most = tool->failures,
					 .rest_ms = tool->rest_ms };
}

int agent_breaker_look(struct agent_run *r, struct agent_call *c,
		       struct ai_buf *why, struct ai_err *err)
{
	struct ai_tool_breaker b;
	char name[NAME];

	if (!may_break(c->tool))
		return 0;
	b = breaker_of(r, c->tool, name);
	if (ai_ledger_tool(r->journal.ledger, &b, err) < 0)
		return -1;
	c->ailing = b.failures > 0;
	if (b.wait_ms == 0)
		return 0;
	ai_buf_fmt(why, "'%s' has failed %lld times in a row, whatever it was "
		   "asked for, and is not called for the next %lld s. Do "
		   "without it.", c->tool->name, (long long)b.failures,
		   (long long)(b.wait_ms + 999) / 1000);
	return 1;
}

int agent_breaker_end(struct agent_run *r, const struct agent_call *c,
		      struct ai_err *err)
{
	bool failed = c->broken || (c->failed && c->unknown);
	struct ai_tool_breaker b;
	char name[NAME];

	if (!may_break(c->tool) || c->parks || c->pauses ||
	    (!failed && !c->ailing))
		return 0;
	b = breaker_of(r, c->tool, name);
	return ai_ledger_tool_end(r->journal.ledger, &b, failed, err);
}

bool agent_breaker_counts(const struct agent_tool *tool, enum ai_code code)
{
	return may_break(tool) && (code == AI_E_OPEN || code == AI_E_OS ||
				   code == AI_E_UNAVAILABLE);
}
