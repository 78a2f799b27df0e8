#include "cost.h"

#include "base/start.h"
#include "model/paid.h"
#include "record/config.h"
#include "record/loop.h"

#include <string.h>
#include <unistd.h>

static const struct ai_opt options[] = {
	{ "model", 'm', AI_OPT_TEXT, &cost.model, "MODEL",
	  "the model to be asked, such as openai/gpt-5-mini",
	  .key = "complete.model", .env = "AI_MODEL" },
	{ "max-tokens", 0, AI_OPT_INT, &cost.max_tokens, "N",
	  "longest answer in tokens, usually 4096", .min = 1,
	  .max = COST_TOKENS_MAX, .key = "complete.max_tokens",
	  .env = "AI_MAX_TOKENS" },
	{ "expect", 0, AI_OPT_INT, &cost.expect, "N",
	  "tokens that an answer is expected to have", .initial = "500",
	  .max = COST_TOKENS_MAX, .key = "cost.expect" },
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
	{ "force", 0, AI_OPT_FLAG, &cost.force, NULL,
	  "settle, ledger backup and restore: do it all the same" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_paid_options, ai_paid_option_media, ai_loop_option_path,
	ai_loop_option_as, ai_loop_option_plain, ai_loop_option_exit,
	ai_loop_options, NULL
};

static const struct ai_verb verbs[] = {
	{ "budget", "list, set or remove budgets" },
	{ "limit", "list, set or remove rate limits" },
	{ "breaker", "list or close the breakers" },
	{ "reservations", "say who holds what" },
	{ "settle", "say what a call has cost" },
	{ "report", "sum up what was spent" },
	{ "ledger", "check, copy, restore or move the ledger" },
	{ "export", "write all that is kept of a user" },
	{ "forget", "remove all that is kept of a user" },
	{ 0 }
};

static bool is_verb(const char *word)
{
	const struct ai_verb *v = verbs;

	while (v->name != NULL && strcmp(v->name, word) != 0)
		v++;
	return v->name != NULL;
}

/* What is not there was meant to be a verb. */
static bool is_file(const char *word)
{
	return strcmp(word, "-") == 0 || access(word, F_OK) == 0;
}

static int run(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "budget", cost_budget }, { "limit", cost_limit },
		{ "breaker", cost_breaker },
		{ "reservations", cost_reservations },
		{ "settle", cost_settle }, { "report", cost_report },
		{ "ledger", cost_ledger }, { "export", cost_export },
		{ "forget", cost_forget }, { NULL, NULL }
	};

	if (argc > 0 && (is_verb(argv[0]) || !is_file(argv[0])))
		return cost_pick(NULL, words, argc, argv, err);
	return cost_estimate(argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-cost",
	.summary = "what it costs: estimates, budgets, limits, reports",
	.synopsis = "[options] [FILE...]\n"
		    "budget [set SCOPE[:NAME] PERIOD DOLLARS | rm SCOPE[:NAME] PERIOD]\n"
		    "limit [set MODEL --requests N --tokens N | rm MODEL]\n"
		    "breaker [reset [MODEL]]\n"
		    "reservations\n"
		    "settle [ID DOLLARS|worst|void [--force]]\n"
		    "report [--by WHAT] [--since DATE] [--until DATE]\n"
		    "ledger check | events | vacuum | export | import\n"
		    "ledger backup FILE [--force]\n"
		    "ledger restore FILE [--force]\n"
		    "export --user NAME\n"
		    "forget --user NAME",
	.examples =
		"  ai-cost -m openai/gpt-5-mini questions.jsonl\n"
		"  ai-cost budget set all day 20\n"
		"  ai-cost budget set 'user:*' month 50\n"
		"  ai-cost report --by model -r\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
