#include "cost.h"

#include "base/start.h"
#include "model/catalog.h"
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
	{ "dry-run", 0, AI_OPT_FLAG, &cost.dry_run, NULL,
	  "sum all records up; 3 if the budgets cannot hold them" },
	{ "by", 0, AI_OPT_CHOICE, &cost.by, "WHAT",
	  "report: what the calls are summed by", .initial = "day",
	  .choices = COST_BY },
	{ "since", 0, AI_OPT_TEXT, &cost.since, "TIME",
	  "report: calls from this day on: 2026-11-22, today, 7d, month" },
	{ "until", 0, AI_OPT_TEXT, &cost.until, "TIME",
	  "report: calls before this day" },
	{ "format", 0, AI_OPT_CHOICE, &cost.format, "FORM",
	  "report: how it is written", .initial = "auto",
	  .choices = COST_FORMATS },
	{ "color", 0, AI_OPT_CHOICE, &cost.color, "WHEN",
	  "report: whether a table has colors", .initial = "auto",
	  .choices = COST_COLORS },
	{ "currency", 0, AI_OPT_TEXT, &cost.currency, "CODE",
	  "report: show amounts in this currency" },
	{ "rate", 0, AI_OPT_TEXT, &cost.rate, "N",
	  "report: what a dollar is in that currency" },
	{ "key", 0, AI_OPT_TEXT, &cost.key, "KEY",
	  "limit, estimate: of this key, as report --by key names it" },
	{ "key-env", 0, AI_OPT_TEXT, &cost.key_env, "NAME",
	  "limit, estimate: of the key in this variable" },
	{ "requests", 0, AI_OPT_INT, &cost.requests, "N",
	  "limit set: requests a minute", .min = 0, .max = 1e9 },
	{ "tokens", 0, AI_OPT_INT, &cost.tokens, "N",
	  "limit set: tokens a minute", .min = 0, .max = 1e12 },
	{ "date", 0, AI_OPT_TEXT, &ai_paid.date, "DAY",
	  "at the prices of this day; prices import: they hold from it on" },
	{ "accept", 0, AI_OPT_LIST, &cost.accept, "MODEL",
	  "prices import: take this price though it looks insane" },
	{ "check", 0, AI_OPT_LIST, &cost.checks, "NAME",
	  "health: make only this check; may be given again" },
	{ "warn", 0, AI_OPT_INT, &cost.warn, "PERCENT",
	  "health: a budget used to so much is wrong",
	  .initial = "100", .min = 1, .max = 100, .key = "cost.warn" },
	{ "min-free", 0, AI_OPT_INT, &cost.min_free, "BYTES",
	  "health: least free space on the ledger's disk", .initial = "64M",
	  .max = 1e15, .key = "cost.min_free" },
	{ "max-dead", 0, AI_OPT_INT, &cost.max_dead, "N",
	  "health: most reservations of dead programs", .initial = "0",
	  .max = 1e9, .key = "cost.max_dead" },
	{ "timeout", 0, AI_OPT_REAL, &cost.timeout_s, "SECONDS",
	  "health: answer within this time", .initial = "5", .min = 0.05,
	  .max = 600 },
	{ "score", 0, AI_OPT_TEXT, &cost.score, "PATH",
	  "experiment: the member of a record that says how good it is" },
	{ "baseline", 0, AI_OPT_TEXT, &cost.baseline, "ARM",
	  "experiment: the arm that others are compared with" },
	{ "confidence", 0, AI_OPT_REAL, &cost.confidence, "PERCENT",
	  "experiment: of the intervals", .initial = "95", .min = 50,
	  .max = 99.99 },
	{ "output", 'o', AI_OPT_FILE, &cost.output, "FILE",
	  "metrics: replace this file, in one step" },
	{ "top", 0, AI_OPT_INT, &cost.top, "N",
	  "metrics: values of a label, the rest is 'other'",
	  .initial = "20", .min = 1, .max = 1000, .key = "cost.top" },
	{ "label", 0, AI_OPT_LIST, &cost.labels, "NAME",
	  "metrics: also by user, run or key; may be given again" },
	{ "force", 0, AI_OPT_FLAG, &cost.force, NULL,
	  "settle, ledger backup and restore: do it all the same" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_catalog_options, ai_paid_options, ai_paid_option_media,
	ai_loop_option_path,
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
	{ "prices", "list, show, import, check or compare prices" },
	{ "experiment", "compare the arms of an experiment" },
	{ "health", "say whether all is well" },
	{ "metrics", "write what stands in the ledger for Prometheus" },
	{ "batch", "list or remove the journals of batches" },
	{ "cache", "say how full the cache is, or empty it" },
	{ "ledger", "check, copy, restore or move the ledger" },
	{ "export", "write all that is kept of a user" },
	{ "forget", "remove all that is kept of a user" },
	{ 0 }
};

/* Without a verb it is an "estimate". */
static const struct ai_opt_use uses[] = {
	{ &cost.model, "|estimate|" }, { &cost.max_tokens, "|estimate|" },
	{ &cost.expect, "|estimate|" }, { &cost.dry_run, "|estimate|" },
	{ &ai_paid.price, "|estimate|" },
	{ &ai_paid.media_tokens, "|estimate|" },
	{ &ai_paid.user, "|estimate|export|forget|" },
	{ &ai_paid.tenant, "|estimate|" }, { &ai_paid.project, "|estimate|" },
	{ &ai_paid.experiment, "|estimate|" }, { &ai_paid.run, "|estimate|" },
	{ &ai_loop.path, "|estimate|" }, { &ai_loop.as, "|estimate|" },
	{ &ai_loop.exit_no, "|estimate|prices|" }, { &ai_loop.plain_in, "|estimate|" },
	{ &cost.by, "|report|" }, { &cost.since, "|report|" },
	{ &cost.until, "|report|" }, { &cost.format, "|report|" },
	{ &cost.color, "|report|" }, { &cost.currency, "|report|" },
	{ &cost.rate, "|report|" },
	{ &cost.requests, "|limit|" }, { &cost.tokens, "|limit|" },
	{ &ai_paid.date, "|estimate|prices|" }, { &cost.accept, "|prices|" },
	{ &cost.key, "|limit|estimate|" },
	{ &cost.key_env, "|limit|estimate|" },
	{ &cost.checks, "|health|" }, { &cost.warn, "|health|" },
	{ &cost.min_free, "|health|" }, { &cost.max_dead, "|health|" },
	{ &cost.timeout_s, "|health|" },
	{ &cost.score, "|experiment|" }, { &cost.baseline, "|experiment|" },
	{ &cost.confidence, "|experiment|" },
	{ &cost.output, "|metrics|" }, { &cost.top, "|metrics|" },
	{ &cost.labels, "|metrics|" },
	{ &cost.force, "|settle|ledger|batch|" },
	{ NULL, NULL }
};

/* What would not be heeded was meant otherwise. */
static int check_options(const char *verb, struct ai_err *err)
{
	const struct ai_opt *opt = ai_start_misplaced(uses, verb);

	if (opt == NULL)
		return 0;
	if (strcmp(verb, "estimate") == 0)
		return ai_err_set(err, AI_E_USAGE, "--%s goes with a verb; "
				  "without one, records are estimated "
				  "(see --help)", opt->name);
	return ai_err_set(err, AI_E_USAGE, "--%s is no option of '%s'",
			  opt->name, verb);
}

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
		{ "prices", cost_prices },
		{ "experiment", cost_experiment }, { "health", cost_health },
		{ "metrics", cost_metrics },
		{ "batch", cost_batch }, { "cache", cost_cache },
		{ "ledger", cost_ledger }, { "export", cost_export },
		{ "forget", cost_forget }, { NULL, NULL }
	};

	if (argc > 0 && is_verb(argv[0]) && check_options(argv[0], err) < 0)
		return -1;
	if (argc > 0 && (is_verb(argv[0]) || !is_file(argv[0])))
		return cost_pick(NULL, words, argc, argv, err);
	return check_options("estimate", err) < 0 ? -1 :
		cost_estimate(argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-cost",
	.summary = "what it costs: estimates, budgets, limits, reports",
	.synopsis = "[options] [FILE...]\n"
		    "--dry-run [options] [FILE...]\n"
		    "budget [show [SCOPE[:NAME] [PERIOD]]]\n"
		    "budget set SCOPE[:NAME] PERIOD DOLLARS\n"
		    "budget rm SCOPE[:NAME] PERIOD\n"
		    "limit [show [MODEL]]\n"
		    "limit set MODEL --requests N --tokens N [--key KEY]\n"
		    "limit rm MODEL [--key KEY]\n"
		    "breaker [show [MODEL] | reset [MODEL]]\n"
		    "reservations [show [MODEL|PROGRAM]]\n"
		    "settle [show | ID DOLLARS|worst|void [--force]]\n"
		    "experiment show NAME [--score PATH] [FILE...]\n"
		    "health [--check NAME] [--warn PERCENT]\n"
		    "report [--by WHAT] [--since TIME] [--until TIME] [--format FORM]\n"
		    "metrics [-o FILE] [--top N] [--label NAME]\n"
		    "prices list [PATTERN] | show MODEL | check [FILE]\n"
		    "prices import | diff [FILE] [--accept MODEL]\n"
		    "batch [rm NAME [--force]]\n"
		    "cache [empty]\n"
		    "ledger check | events | vacuum | export | import\n"
		    "ledger backup FILE [--force]\n"
		    "ledger restore FILE [--force]\n"
		    "export --user NAME\n"
		    "forget --user NAME",
	.examples =
		"  ai-cost -m openai/gpt-5-mini questions.jsonl\n"
		"  ai-cost --dry-run -r -m openai/gpt-5-mini questions.jsonl\n"
		"  ai-cost budget set all day 20\n"
		"  ai-cost budget set 'user:*' month 50\n"
		"  ai-cost report --by model -r\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
