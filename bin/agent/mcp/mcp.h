/*
 * mcp.h: tools of MCP servers (Model Context Protocol), programs that speak
 * JSON-RPC over their standard input and output, or over HTTP.
 *
 * A server is started once a process, is found out about (the revisions
 * 2024-11-05 to 2026-07-28) and offers tools, which become rows of a set:
 * "server__tool"; with them come tools to list and read its resources.
 * What it says of itself is not trusted: a tool of it may do anything once and
 * taints what reads it, unless the entry of the server says otherwise.  One
 * that dies is started again when it is next called, a few times.
 *
 * An entry is written as other programs write it, and may say more; the schema
 * of tools files has all of it (data/schema/tools.json), ai-agent(1) explains it.
 * command, args, env, cwd, url and headers may name variables of our own environment,
 * "${NAME}" and "${NAME:-instead}"; nothing else of it reaches the server but
 * PATH, the locale and the zone.
 */
#ifndef AGENT_MCP_H
#define AGENT_MCP_H

#include "base/err.h"

#include "cage/pollset.h"
#include "cage/sandbox.h"
#include "tool/tool.h"
#include "tool/tools-file.h"

#include <stdbool.h>

struct agent_mcp;

/* sandbox must live as long; hold: see child.h, -1. */
int agent_mcp_new(struct agent_mcp **m, struct agent_sandbox *sandbox, int hold,
		  struct ai_err *err);
/* Kills what runs. Tools that were added are not to be called any more. */
void agent_mcp_free(struct agent_mcp *m);

/* Adds the servers of a tools file, which satisfy its schema.  AI_E_CONFIG names
 * the place: there is one of that name, a variable that is not set, a sandbox
 * that is not to be had. */
int agent_mcp_add(struct agent_mcp *m, const struct agent_servers *servers,
		  struct ai_err *err);

/* Lets servers ask the person at the terminal (elicitation).  answers: what they
 * are told instead, the members of a JSON object by the names of what is asked
 * for, and the defaults for others; NULL: nothing. Before they are started. */
int agent_mcp_asks(struct agent_mcp *m, const char *answers, struct ai_err *err);
/* Whether the person is asked something now. */
bool agent_mcp_asking(const struct agent_mcp *m);

/*
 * Starts all of them side by side and adds their tools, in the order of the
 * entries and of their lists.  A tool that cannot be used (its schema is none,
 * its name is taken) is left out with a warning.  -1: a server that is not
 * optional does not start or shake hands (AI_E_OPEN, AI_E_UNAVAILABLE with what
 * it said last), or a signal came (AI_E_UNAVAILABLE).
 */
int agent_mcp_start(struct agent_mcp *m, struct agent_tools *tools,
		    struct ai_err *err);

/* Between turns: what servers have written since is read and answered, and
 * where one says that its list has changed, the list is read anew.  Tools that
 * are new are added; what a tool was said to be stays, and calls of one that is
 * gone fail.  No call may be under way, for rows may move.  It takes no longer
 * than these seconds; a list that comes later is taken the next time. */
int agent_mcp_refresh(struct agent_mcp *m, struct agent_tools *tools,
		      double seconds, struct ai_err *err);

/* While something else is waited for: servers ask as well (ping). */
void agent_mcp_wait(struct agent_mcp *m, struct agent_poll *p);
void agent_mcp_turn(struct agent_mcp *m);

/* Whether a call that has failed, was stopped, or took too long had been sent
 * and was not answered: nobody knows what it did. */
bool agent_mcp_unknown(const struct agent_call *c);
/* Whether a tool is one of an MCP server. */
bool agent_mcp_is(const struct agent_tool *tool);

#endif
