#include "cost.h"

#include "base/start.h"
#include "record/config.h"
#include "record/loop.h"

#include <string.h>

static const struct ai_opt options[] = {
	{ "ledger", 0, AI_OPT_FILE, &cost.ledger, "FILE",
	  "the ledger", .key = "ledger", .env = "AI_LEDGER" },
	{ "by", 0, AI_OPT_CHOICE, &cost.by, "WHAT",
	  "report: what the calls are summed by", .initial = "day",
	  .choices = COST_BY },
	{ "since", 0, AI_OPT_TEXT, &cost.since, "DATE",
	  "report: calls from this day on" },
	{ "until", 0, AI_OPT_TEXT, &cost.until, "DATE",
	  "report: calls before this day" },
	{ "requests", 0, AI_OPT_INT, &cost.requests, "N",
	  "limit set: requests a minute", .min = 0, .max = 1e9 },
	{ "tokens", 0, AI_OPT_INT, &cost.tokens, "N",
	  "limit set: tokens a minute", .min = 0, .max = 1e12 },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_option_plain, NULL
};

static const struct ai_verb verbs[] = {
	[COST_BUDGET] = { "budget", "list, set or remove budgets" },
	[COST_LIMIT] = { "limit", "list, set or remove rate limits" },
	[COST_RESERVATIONS] = { "reservations", "say who holds what" },
	[COST_REPORT] = { "report", "sum up what was spent" },
	[COST_CHECK] = { "check", "see whether the ledger agrees with itself" },
	{ 0 }
};

static int (*const runs[])(int, char **, struct ai_err *) = {
	[COST_BUDGET] = cost_budget, [COST_LIMIT] = cost_limit,
	[COST_RESERVATIONS] = cost_reservations, [COST_REPORT] = cost_report,
	[COST_CHECK] = cost_check,
};

#define VERBS (sizeof(runs) / sizeof(runs[0]))

static int run(int argc, char **argv, struct ai_err *err)
{
	const char *names[VERBS], *near;
	size_t i;

	if (argc == 0)
		return ai_err_set(err, AI_E_USAGE, "name a verb: budget, "
				  "limit, reservations, report or check");
	for (i = 0; i < VERBS; i++) {
		if (strcmp(argv[0], verbs[i].name) == 0)
			return runs[i](argc - 1, argv + 1, err);
		names[i] = verbs[i].name;
	}
	near = ai_nearest(argv[0], names, VERBS);
	return ai_err_set(err, AI_E_USAGE, "'%.60s' is no verb%s%s%s", argv[0],
			  near != NULL ? "; did you mean '" : "",
			  near != NULL ? near : "", near != NULL ? "'?" : "");
}

const struct ai_program ai_program = {
	.name = "ai-cost",
	.summary = "budgets, rate limits and what was spent",
	.synopsis = "budget [set SCOPE[:NAME] PERIOD DOLLARS | rm SCOPE[:NAME] PERIOD]\n"
		    "limit [set MODEL --requests N --tokens N | rm MODEL]\n"
		    "reservations\n"
		    "report [--by WHAT] [--since DATE] [--until DATE]\n"
		    "check",
	.examples =
		"  ai-cost budget set all day 20\n"
		"  ai-cost budget set 'user:*' month 50\n"
		"  ai-cost report --by model -r\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
