#include "complete.h"

#include "base/start.h"
#include "model/catalog.h"
#include "record/config.h"

#include <string.h>

static const struct ai_opt options[] = {
	{ "model", 'm', AI_OPT_TEXT, &complete_settings.model, "MODELS",
	  "local/extract, openai/NAME, or NAME with --base-url; with commas: "
	  "one after the other", .key = "complete.model",
	  .env = "AI_MODEL" },
	{ "fallback-on", 0, AI_OPT_TEXT, &complete_settings.fallback_on,
	  "REASONS", "why the next model is asked",
	  .initial = "down,limited,too_long", .key = "complete.fallback_on" },
	{ "route", 0, AI_OPT_LIST, &complete_settings.routes, "RULE",
	  "choose the model of a record by this rule",
	  .key = "complete.routes" },
	{ "conversation", 'c', AI_OPT_TEXT, &complete_settings.conversation,
	  "NAME", "go on with this conversation, which the ledger keeps" },
	{ "history", 0, AI_OPT_INT, &complete_settings.history, "N",
	  "with -c: how many of its last messages are sent", .initial = "100",
	  .max = 10000, .key = "complete.history" },
	{ "arm", 0, AI_OPT_LIST, &complete_settings.arms, "MODELS=WEIGHT",
	  "with --experiment: ask these on their share of the records" },
	{ "schema", 0, AI_OPT_FILE, &complete_settings.schema, "FILE",
	  "answers are to be JSON that satisfies this JSON Schema",
	  .key = "complete.schema" },
	{ "schema-retries", 0, AI_OPT_INT, &complete_settings.schema_retries,
	  "N", "how often a model is asked again for such an answer",
	  .initial = "2", .max = 10, .key = "complete.schema_retries" },
	{ "system", 0, AI_OPT_TEXT, &complete_settings.system, "TEXT",
	  "tell the model this before anything else",
	  .key = "complete.system" },
	{ "system-file", 0, AI_OPT_FILE, &complete_settings.system_file,
	  "FILE", "the same, read from a file" },
	{ "max-tokens", 0, AI_OPT_INT, &complete_settings.max_tokens, "N",
	  "longest answer in tokens, usually 4096", .min = 1,
	  .max = COMPLETE_MAX_TOKENS_MAX, .key = "complete.max_tokens",
	  .env = "AI_MAX_TOKENS" },
	{ "temperature", 0, AI_OPT_REAL, &complete_settings.temperature, "T",
	  "how freely the model chooses, 0 to 2", .max = 2,
	  .key = "complete.temperature" },
	{ "top-p", 0, AI_OPT_REAL, &complete_settings.top_p, "P",
	  "choose among the likeliest tokens of this share", .max = 1,
	  .key = "complete.top_p" },
	{ "seed", 0, AI_OPT_INT, &complete_settings.seed, "N",
	  "ask for repeatable answers",
	  .min = -(double)COMPLETE_SEED_MAX, .max = (double)COMPLETE_SEED_MAX,
	  .key = "complete.seed" },
	{ "stop", 0, AI_OPT_LIST, &complete_settings.stop, "TEXT",
	  "end the answer before this text; up to 4 times",
	  .key = "complete.stop" },
	{ "effort", 0, AI_OPT_CHOICE, &complete_settings.effort, "LEVEL",
	  "how hard the model thinks", .choices = COMPLETE_EFFORTS,
	  .initial = "default", .key = "complete.effort" },
	{ "template", 0, AI_OPT_FILE, &complete_settings.template, "FILE",
	  "ask what this makes of the record: {{member}}",
	  .key = "complete.template" },
	{ "image", 0, AI_OPT_LIST, &complete_settings.images, "FILE",
	  "show the model this picture; many times" },
	{ "image-dir", 0, AI_OPT_FILE, &complete_settings.image_dir, "DIR",
	  "records may name pictures below it, else below here",
	  .key = "complete.image_dir" },
	{ "image-max", 0, AI_OPT_INT, &complete_settings.image_max, "BYTES",
	  "the largest picture that is sent", .initial = "20M", .min = 1,
	  .max = 1 << 26, .key = "complete.image_max" },
	{ "openai-batch", 0, AI_OPT_FLAG, &complete_settings.openai_batch,
	  NULL, "write lines as the output of OpenAI's Batch has them" },
	{ "sentences", 0, AI_OPT_INT, &complete_settings.sentences, "N",
	  "local/extract: how many are quoted at most", .initial = "3",
	  .min = 1, .max = COMPLETE_QUOTES_MAX, .key = "complete.sentences" },
	{ "threshold", 0, AI_OPT_REAL, &complete_settings.threshold, "T",
	  "local/extract: below it, the documents do not say",
	  .initial = "0.4", .max = 1, .key = "complete.threshold" },
	{ "sources", 0, AI_OPT_FLAG, &complete_settings.sources, NULL,
	  "with -r: list what was cited behind the answer",
	  .initial = "true" },
	{ "stream", 0, AI_OPT_FLAG, &complete_settings.stream, NULL,
	  "write the answer as it comes", .key = "complete.stream" },
	{ "count", 0, AI_OPT_FLAG, &complete_settings.count, NULL,
	  "only ask the provider how many tokens would be asked" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_client_options, ai_client_options_cache,
	ai_client_option_cache_size,
	ai_client_options_resume, ai_catalog_options, ai_paid_options,
	ai_paid_option_wait, ai_paid_option_media, ai_loop_option_path,
	ai_loop_option_as, ai_loop_option_plain, ai_loop_option_exit,
	ai_loop_option_progress, ai_loop_options, NULL
};

static const struct ai_verb verbs[] = {
	{ "models", "list the models that the keys can see" },
	{ "conversation", "list, show or delete what -c keeps" },
	{ NULL, NULL }
};

/* Options that mean nothing to a verb. */
static const struct ai_opt_use uses[] = {
	{ &complete_settings.model, "|ask|" },
	{ &complete_settings.system, "|ask|" },
	{ &complete_settings.system_file, "|ask|" },
	{ &complete_settings.max_tokens, "|ask|" },
	{ &complete_settings.temperature, "|ask|" },
	{ &complete_settings.top_p, "|ask|" },
	{ &complete_settings.seed, "|ask|" },
	{ &complete_settings.stop, "|ask|" },
	{ &complete_settings.stream, "|ask|" },
	{ &complete_settings.fallback_on, "|ask|" },
	{ &complete_settings.routes, "|ask|" },
	{ &complete_settings.arms, "|ask|" },
	{ &complete_settings.conversation, "|ask|" },
	{ &complete_settings.history, "|ask|" },
	{ &complete_settings.schema, "|ask|" },
	{ &complete_settings.schema_retries, "|ask|" },
	{ &complete_settings.count, "|ask|" }, { &ai_client.resume, "|ask|" },
	{ &ai_client.resume_by, "|ask|" },
	{ &ai_loop.path, "|ask|" }, { &ai_loop.as, "|ask|" },
	{ &ai_loop.plain_in, "|ask|" }, { &ai_loop.slurp, "|ask|" },
	{ NULL, NULL }
};

static int run(int argc, char **argv, struct ai_err *err)
{
	/* As verbs has them. */
	static int (*const runs[])(int argc, char **argv, struct ai_err *err) = {
		complete_models, complete_conversation,
	};
	const struct ai_opt *opt;
	size_t i = 0;

	while (argc > 0 && verbs[i].name != NULL &&
	       strcmp(argv[0], verbs[i].name) != 0)
		i++;
	if (argc == 0 || verbs[i].name == NULL)
		return complete_run(argc, argv, err);
	opt = ai_start_misplaced(uses, verbs[i].name);
	return opt == NULL ? runs[i](argc - 1, argv + 1, err) :
		ai_err_set(err, AI_E_USAGE, "--%s is no option of '%s'; to "
			   "ask that, write it to standard input", opt->name,
			   verbs[i].name);
}

const struct ai_program ai_program = {
	.name = "ai-complete",
	.summary = "ask a model",
	.synopsis = "[options] [WORDS...]\n"
		    "models [PROVIDER...]\n"
		    "conversation list | show NAME | delete NAME",
	.examples =
		"  ai-search -i docs.idx \"how do I cap a batch?\" |\n"
		"    ai-complete -m local/extract -r\n"
		"  ai-complete -m openai/gpt-5-mini -r \"why is the sky blue?\"\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
