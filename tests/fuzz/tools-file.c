/*
 * Tools files: what is refused is refused as such; what is taken makes tools
 * whose schemas take or refuse arguments, and whose commands take those.
 * fuzz: bin/agent/tool/args.c bin/agent/cage/cage.c bin/agent/cage/landlock.c bin/agent/cage/seccomp.c bin/agent/cage/child.c bin/agent/cage/pollset.c bin/agent/tool/program.c bin/agent/tool/result.c bin/agent/cage/sandbox.c bin/agent/strlist.c bin/agent/tool/template.c bin/agent/tool/tools.c bin/agent/tool/tools-file.c bin/agent/cage/warden.c bin/agent/cage/warden-ask.c bin/agent/cage/warden-disk.c bin/agent/cage/warden-tree.c lib/common/store/db.c
 * links: sqlite3 libseccomp
 */
#include "tool/args.h"
#include "tool/program.h"
#include "tool/tools-file.h"
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

/* The schema of tools files is where the build put it, or in the sources; the
 * fuzzer runs elsewhere. */
static void find_schema(void)
{
	static const char *const tries[] = { "data", "../../../data",
					     "../../../../data" };
	const char *top = getenv("SRCDIR");
	char path[4096];

	if (top != NULL) {
		snprintf(path, sizeof path, "%s/data", top);
		setenv("AI_DATADIR", path, 0);
	}
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		snprintf(path, sizeof path, "%s/schema/tools.json", tries[i]);
		if (access(path, R_OK) == 0)
			setenv("AI_DATADIR", tries[i], 0);
	}
}

static void check_tool(const struct agent_tool *t)
{
	static const char args[] = "{\"a\":\"x\",\"b\":[1,\"y\"],\"c\":true}";
	const struct agent_program *p = t->of;
	struct ai_buf b = AI_BUF_INIT(AGENT_ARGS_MAX);
	struct agent_strings out = { 0 };
	struct ai_value v;
	struct ai_err err;

	must(t->name[0] != '\0' && t->schema != NULL && t->max_output > 0);
	must(t->effect != AGENT_PURE || !t->writes);
	must(p->file != NULL && p->command.n_elements > 0);
	if (agent_args_check(t, AI_SPAN(args), &b, &err) < 0)
		must(err.code == AI_E_RECORD);
	ai_json_check(args, sizeof args - 1, &v, NULL);
	if (agent_template_fill(&p->command, v, "key", &out, &err) < 0)
		must(err.code == AI_E_RECORD);
	else
		must(out.n > 0 && strcmp(out.v[0], p->file) == 0);
	agent_strings_release(&out);
	ai_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agent_sandbox sandbox;
	struct agent_servers servers = { 0 };
	struct agent_tools tools;
	struct ai_err err = { 0 };
	char *text;

	if (sandbox.workdir == NULL) {
		find_schema();
		must(agent_sandbox_init(&sandbox, "/", AGENT_SANDBOX_ON,
					&err) == 0);
	}
	text = malloc(size + 1);
	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	agent_tools_init(&tools);
	if (agent_tools_parse(&tools, text, size, "f", "/", &sandbox, &servers,
			      &err) < 0)
		must(err.code == AI_E_CONFIG && strncmp(err.msg, "f:", 2) == 0);
	for (size_t i = 0; i < tools.n; i++)
		check_tool(&tools.v[i]);
	agent_servers_release(&servers);
	agent_tools_release(&tools);
	free(text);
	return 0;
}
