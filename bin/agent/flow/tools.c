/* tools.c: the tools files that a workflow names, before it runs. */
#include "flow/flow.h"

#include "cage/sandbox.h"
#include "tool/tools-file.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether an agent before this one has the same files. */
static bool was_checked(const struct flow *f, size_t n)
{
	const struct flow_agent *a = &f->agents[n], *b;
	size_t k;

	for (size_t i = 0; i < n; i++) {
		b = &f->agents[i];
		if (b->tools.n != a->tools.n ||
		    !same_text(a->workdir, b->workdir))
			continue;
		for (k = 0; k < a->tools.n; k++)
			if (strcmp(a->tools.v[k], b->tools.v[k]) != 0)
				break;
		if (k == a->tools.n)
			return true;
	}
	return false;
}

/* One that is started as a program, and has to be.  What names variables, or
 * begins in a folder of its own, is looked for when it is started. */
static int check_server(const struct agent_server *s, struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(4096);
	struct ai_value v, command;
	const char *p;
	bool there;

	if (ai_json_check(s->spec, strlen(s->spec), &v, err) < 0)
		return -1;
	command = ai_json_member(v, AI_SPAN("command"));
	if (command.kind != AI_STRING ||
	    ai_json_true(ai_json_member(v, AI_SPAN("optional"))) ||
	    ai_json_true(ai_json_member(v, AI_SPAN("disabled"))) ||
	    ai_json_get(v, "env.PATH").kind != AI_NONE)
		return 0;
	ai_json_text(command, &name);
	p = ai_buf_cstr(&name);
	there = strchr(p, '$') != NULL ||
		(p[0] != '/' && strchr(p, '/') != NULL) || flow_has_program(p);
	if (!there)
		ai_err_set(err, AI_E_CONFIG, "%.200s.command: program '%.120s' "
			   "not found", s->where, p);
	ai_buf_release(&name);
	return there ? 0 : -1;
}

static int check_agent(const struct flow_agent *a, struct ai_err *err)
{
	struct agent_sandbox sandbox = { 0 };
	struct agent_servers servers;
	struct agent_tools tools;
	int rc;

	rc = agent_sandbox_init(&sandbox, a->workdir != NULL ? a->workdir : ".",
				AGENT_SANDBOX_ON, err);
	agent_tools_init(&tools);
	for (size_t i = 0; rc == 0 && i < a->tools.n; i++) {
		memset(&servers, 0, sizeof servers);
		rc = agent_tools_read(&tools, a->tools.v[i], &sandbox,
				      &servers, err);
		for (size_t k = 0; rc == 0 && k < servers.n; k++)
			rc = check_server(&servers.v[k], err);
		agent_servers_release(&servers);
	}
	agent_tools_release(&tools);
	agent_sandbox_release(&sandbox);
	return rc;
}

int flow_check_tools(const struct flow *f, struct ai_err *err)
{
	for (size_t i = 0; i < f->n_agents; i++)
		if (f->agents[i].tools.n > 0 && !was_checked(f, i) &&
		    check_agent(&f->agents[i], err) < 0)
			return -1;
	return 0;
}
