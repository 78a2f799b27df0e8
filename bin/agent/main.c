#include "agent.h"
#include "flow/graph.h"
#include "flow/verb.h"

#include "base/start.h"
#include "model/paid.h"
#include "record/config.h"
#include "record/loop.h"

#include <limits.h>
#include <math.h>
#include <string.h>

struct agent_settings agent = { .temperature = NAN };

static const struct ai_opt options[] = {
	{ "model", 'm', AI_OPT_TEXT, &agent.model, "MODELS",
	  "the model, as ai-complete has it; with commas: one after the other",
	  .key = "agent.model", .env = "AI_MODEL" },
	{ "tools", 't', AI_OPT_LIST, &agent.tools, "FILE",
	  "tools and MCP servers that this file declares",
	  .key = "agent.tools" },
	{ "with", 0, AI_OPT_LIST, &agent.with, "NAME",
	  "a built-in tool: read_file, list_files, search_files, write_file, "
	  "patch_file, http_get, calc, ask_user; none",
	  .key = "agent.with" },
	{ "workdir", 'C', AI_OPT_FILE, &agent.workdir, "FOLDER",
	  "built-in tools work on files below it" },
	{ "allow-host", 0, AI_OPT_LIST, &agent.hosts, "HOST[:PORT]",
	  "http_get may ask it", .key = "agent.allow_host" },
	{ "index", 'i', AI_OPT_FILE, &agent.index, "FOLDER",
	  "the model may look things up in this index of ai-search" },
	{ "hits", 'k', AI_OPT_INT, &agent.search_k, "N",
	  "passages that a look-up gives", .initial = "4", .min = 1,
	  .max = 100 },
	{ "team", 0, AI_OPT_FILE, &agent.team, "FILE",
	  "be an agent of this workflow" },
	{ "agent", 0, AI_OPT_TEXT, &agent.name, "NAME",
	  "which one of --team; its manager, or the only one" },
	{ "delegate", 0, AI_OPT_FLAG, &agent.delegate, NULL,
	  "the model may give parts of the task to runs within the run" },
	{ "limit", 'l', AI_OPT_LIST, &agent.limits, "NAME=N",
	  "what a run may use: usd=1, tokens, turns=10, seconds=300, "
	  "calls=100, calls.TOOL, output, repeat=3, depth=2, fanout=8",
	  .key = "agent.limits" },
	{ "approve", 0, AI_OPT_TEXT, &agent.approve, "WHEN",
	  "which calls need a person's word: always, writes, never, or a "
	  "command that is asked", .initial = "writes",
	  .key = "agent.approve" },
	{ "taint", 0, AI_OPT_CHOICE, &agent.taint, "HOW",
	  "what a run that has read texts from elsewhere may not choose: the "
	  "targets of effects", .initial = "strict",
	  .choices = "strict|warn|off", .key = "agent.taint" },
	{ "guard", 0, AI_OPT_FLAG, &agent.guard, NULL,
	  "ai-guard looks at what tools give back", .initial = "true",
	  .key = "agent.guard" },
	{ "mark", 0, AI_OPT_CHOICE, &agent.mark, "HOW",
	  "how what tools give back is told from instructions",
	  .initial = "delimit", .choices = "delimit|datamark|encode|off",
	  .key = "agent.mark" },
	{ "sandbox", 0, AI_OPT_CHOICE, &agent.sandbox, "HOW",
	  "the cage of tools: on, require: all of it or nothing, off",
	  .initial = "on", .choices = "on|require|off",
	  .key = "agent.sandbox" },
	{ "landlock-abi", 0, AI_OPT_INT, &agent.landlock_abi, "N",
	  "use no newer Landlock than this; 0: what the kernel has",
	  .initial = "0", .min = 0, .max = 99, .env = "AI_LANDLOCK_ABI" },
	{ "system", 0, AI_OPT_TEXT, &agent.system, "TEXT",
	  "tell the model this before the task", .key = "agent.system" },
	{ "system-file", 0, AI_OPT_FILE, &agent.system_file, "FILE",
	  "the same, read from a file" },
	{ "max-tokens", 0, AI_OPT_INT, &agent.max_tokens, "N",
	  "longest reply in tokens", .min = 1, .max = 10000000,
	  .key = "agent.max_tokens" },
	{ "temperature", 0, AI_OPT_REAL, &agent.temperature, "T",
	  "how freely the model chooses, 0 to 2", .max = 2,
	  .key = "agent.temperature" },
	{ "effort", 0, AI_OPT_TEXT, &agent.effort, "LEVEL",
	  "how hard the model thinks, as ai-complete has it",
	  .key = "agent.effort" },
	{ "base-url", 0, AI_OPT_TEXT, &agent.base_url, "URL",
	  "ask this server", .key = "agent.base_url" },
	{ "api", 0, AI_OPT_TEXT, &agent.api, "NAME",
	  "what the server of --base-url speaks, as ai-complete has it" },
	{ "timeout", 0, AI_OPT_REAL, &agent.timeout, "SECONDS",
	  "longest wait for a reply of the model", .min = 0.001,
	  .max = 86400 },
	{ "cache", 0, AI_OPT_TEXT, &agent.cache, "HOW",
	  "use answers to the same request again, as ai-complete has it" },
	{ "record", 0, AI_OPT_FILE, &agent.record, "FILE",
	  "append what is sent to the model and answered to a file" },
	{ "replay", 0, AI_OPT_FILE, &agent.replay, "FILE",
	  "ask a recording instead of a model" },
	{ "depth", 0, AI_OPT_INT, &agent.depth, "N",
	  "runs that this one is within; set by delegate", .initial = "0",
	  .min = 0, .max = 100 },
	{ "root", 0, AI_OPT_TEXT, &agent.root, "RUN",
	  "the outermost of them; set by delegate" },
	{ "all", 0, AI_OPT_FLAG, &agent.all, NULL,
	  "resume: all runs that can go on" },
	{ "answer", 0, AI_OPT_TEXT, &agent.answer, "TEXT",
	  "approve: what ask_user is to give back; mcp: what servers are told "
	  "that ask, a JSON object" },
	{ "server", 0, AI_OPT_TEXT, &agent.server, "URL|COMMAND",
	  "mcp: this server, instead of those of -t" },
	{ "done", 0, AI_OPT_FLAG, &agent.done, NULL,
	  "approve: a call whose end nobody saw was done" },
	{ "again", 0, AI_OPT_FLAG, &agent.again, NULL,
	  "approve: it was not, and is to be done" },
	{ "mcp", 0, AI_OPT_FLAG, &agent.mcp, NULL,
	  "serve: speak the Model Context Protocol on standard input and "
	  "output" },
	{ "dot", 0, AI_OPT_FLAG, &agent.dot, NULL,
	  "graph: in the language of Graphviz" },
	{ "dry-run", 0, AI_OPT_FLAG, &agent.dry_run, NULL,
	  "flow, graph: what the workflow may cost, instead of it" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_paid_options, ai_loop_option_path, ai_loop_option_as,
	ai_loop_option_plain, ai_loop_options, NULL
};

static const struct ai_verb verbs[] = {
	{ "flow", "run a workflow" },
	{ "resume", "go on with a run, or with --all" },
	{ "approve", "let what a run waits for happen, and go on" },
	{ "deny", "do not let it happen, and go on" },
	{ "history", "list the runs" },
	{ "show", "show the steps of a run" },
	{ "replay", "go through a run again, without model and effects" },
	{ "fork", "begin a new run with the steps of an old one" },
	{ "rm", "forget runs" },
	{ "tools", "list the tools that a run would have" },
	{ "serve", "be an MCP server: search, models, counts, checks" },
	{ "graph", "show the plan of a workflow file, or what it may cost" },
	{ "mcp", "look at MCP servers: list, call, read, prompt" },
	{ NULL, NULL }
};

static const struct ai_opt_use uses[] = {
	{ &agent.all, "|resume|" }, { &agent.answer, "|approve|mcp|" },
	{ &agent.server, "|mcp|" },
	{ &agent.done, "|approve|" }, { &agent.again, "|approve|" },
	{ &agent.mcp, "|serve|" },
	{ &agent.team, "|run|tools|" }, { &agent.name, "|run|tools|" },
	{ &agent.dot, "|graph|" }, { &agent.dry_run, "|flow|graph|" },
	{ NULL, NULL }
};

/* As verbs has them; how many operands each takes. */
static const struct {
	int (*run)(int argc, char **argv, struct ai_err *err);
	int least, most;
} doings[] = {
	{ agent_flow, 1, INT_MAX },
	{ agent_resume, 1, 1 }, { agent_approve, 1, 1 }, { agent_deny, 1, 1 },
	{ agent_history, 0, 0 }, { agent_show, 1, 1 }, { agent_replay, 1, 1 },
	{ agent_fork, 1, 1 }, { agent_rm, 1, INT_MAX },
	{ agent_list_tools, 0, 0 }, { agent_serve, 0, 0 },
	{ agent_graph, 1, 1 }, { agent_mcp_people, 1, 3 },
};

#define VERBS (sizeof(doings) / sizeof(doings[0]))

/* VERBS: it is none. */
static size_t find_verb(const char *word)
{
	size_t i;

	for (i = 0; i < VERBS && strcmp(word, verbs[i].name) != 0; i++)
		;
	return i;
}

/* A verb behind options is a task's first word; one that has just the operands
 * of the verb was not meant so, and a model would be paid for it. */
static int check_task(int argc, char **argv, struct ai_err *err)
{
	size_t i = argc > 0 ? find_verb(argv[0]) : VERBS;

	if (i == VERBS || argc - 1 > doings[i].most ||
	    (argc - 1 < doings[i].least && !agent.all))
		return 0;
	return ai_err_set(err, AI_E_USAGE, "a verb stands before all options: "
			  "write 'ai-agent %s ...' with the options behind it, "
			  "or put the whole task in one pair of quotes, with "
			  "more than this word", argv[0]);
}

static int run(int argc, char **argv, struct ai_err *err)
{
	const struct ai_opt *opt;
	size_t i = VERBS;

	if (argc > 0 && ai_start_opts.operand_first)
		i = find_verb(argv[0]);
	else if (check_task(argc, argv, err) < 0)
		return -1;
	opt = ai_start_misplaced(uses, i < VERBS ? verbs[i].name : "run");
	if (opt != NULL)
		return ai_err_set(err, AI_E_USAGE, "--%s means nothing here; "
				  "see ai-agent --help", opt->name);
	return i < VERBS ? doings[i].run(argc - 1, argv + 1, err)
			 : agent_filter(argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-agent",
	.summary = "tool-using work that survives kill -9",
	.synopsis = "[options] [WORD...]\n"
		    "flow FILE [options] [WORD...]\n"
		    "resume RUN | --all\n"
		    "approve RUN[@STEP] [--answer TEXT | --done | --again]\n"
		    "deny RUN[@STEP]\n"
		    "history | show RUN | replay RUN | fork RUN@STEP | rm "
		    "RUN...\n"
		    "tools [options]\n"
		    "serve --mcp [options]\n"
		    "graph FILE [--dot | --dry-run]\n"
		    "mcp list [SERVER] | call TOOL [JSON] | read [SERVER] URI "
		    "| prompt NAME [JSON]",
	.examples =
		"  ai-agent -C . -r \"which of these files is the longest?\"\n"
		"  ai-agent history -r\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
