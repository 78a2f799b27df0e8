/* agent.h: a call of a tool from its beginning to its end, for tests. */
#ifndef TESTS_UNIT_AGENT_H
#define TESTS_UNIT_AGENT_H

#include "tool/args.h"
#include "tool/tool.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef"

/* What became of the last one. */
static struct agent_call call;
static struct ai_buf call_args = AI_BUF_INIT(AGENT_ARGS_MAX);
static struct ai_err call_err;

__attribute__((unused))
static const char *text(void)
{
	return ai_buf_cstr(&call.text);
}

static void call_init(const struct agent_tool *tool)
{
	struct ai_buf t = call.text;
	struct ai_buf n = call.note;

	memset(&call, 0, sizeof call);
	call.text = t;
	call.note = n;
	ai_buf_clear(&call.text);
	ai_buf_clear(&call.note);
	call.text.max = (size_t)32 << 20;
	call.note.max = 65536;
	call.tool = tool;
	call.hold = -1;
	memcpy(call.key, KEY, sizeof call.key);
	memset(&call_err, 0, sizeof call_err);
}

/* 0 as the loop would: arguments checked, prepared, begun, ended; -1 with what
 * the model is told in call.text. */
__attribute__((unused))
static int run_tool(const struct agent_tools *t, const char *name,
		    const char *args)
{
	const struct agent_tool *tool = agent_tools_find(t, ai_span_of(name));
	struct agent_poll poll = { 0 };
	int rc;

	call_init(tool);
	if (tool == NULL) {
		snprintf(call_err.msg, sizeof call_err.msg, "no tool %s", name);
		return -1;
	}
	rc = agent_args_check(tool, ai_span_of(args), &call_args, &call_err);
	call.args = (struct ai_span){ ai_buf_cstr(&call_args), call_args.len };
	if (rc == 0 && tool->kind->prepare != NULL)
		rc = tool->kind->prepare(&call, &call_err);
	if (rc == 0)
		rc = tool->kind->begin(&call, &call_err);
	while (rc == 0 && tool->kind->turn != NULL &&
	       !tool->kind->turn(&call)) {
		agent_poll_clear(&poll, 1);
		tool->kind->wait(&call, &poll);
		rc = agent_poll_wait(&poll, &call_err);
	}
	if (tool->kind->release != NULL)
		tool->kind->release(&call);
	agent_poll_release(&poll);
	return rc;
}

/* Asks whether an interrupted call was done; note: what was prepared. */
__attribute__((unused))
static int find_call(const struct agent_tools *t, const char *name,
		     const char *args, const char *note,
		     enum agent_found *found)
{
	const struct agent_tool *tool = agent_tools_find(t, ai_span_of(name));
	int rc;

	call_init(tool);
	rc = agent_args_check(tool, ai_span_of(args), &call_args, &call_err);
	call.args = (struct ai_span){ ai_buf_cstr(&call_args), call_args.len };
	ai_buf_str(&call.note, note);
	if (rc == 0)
		rc = tool->kind->find(&call, found, &call_err);
	if (tool->kind->release != NULL)
		tool->kind->release(&call);
	return rc;
}

__attribute__((unused))
static void call_release(void)
{
	ai_buf_release(&call.text);
	ai_buf_release(&call.note);
	ai_buf_release(&call_args);
}

#endif
