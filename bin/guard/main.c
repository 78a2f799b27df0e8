#include "guard.h"
#include "events.h"
#include "opinion.h"
#include "policy.h"
#include "redact.h"
#include "restore.h"
#include "shape.h"

#include "canary.h"
#include "mark.h"
#include "told.h"

#include "base/start.h"
#include "record/config.h"

#include <string.h>

static const struct ai_opt options[] = {
	{ "context", 0, AI_OPT_CHOICE, &guard_settings.context, "WHENCE",
	  "where the text comes from", .initial = "auto",
	  .choices = GUARD_CONTEXT_NAMES "|auto", .key = "guard.context",
	  .env = "AI_GUARD_CONTEXT" },
	{ "explain", 0, AI_OPT_FLAG, &guard_settings.explain, NULL,
	  "add how the verdict came about" },
	{ "output", 'o', AI_OPT_FILE, &guard_train_settings.out, "FILE",
	  "train, key: where the weights or the key go" },
	{ "exact", 0, AI_OPT_FLAG, &guard_restore_settings.exact, NULL,
	  "restore: no placeholders that the model has changed" },
	{ "calibrate", 0, AI_OPT_LIST, &guard_train_settings.calibrate, "FILE",
	  "train: rows to measure false positives on, not to learn from" },
	{ 0 }
};

/* What a text must be before anything is looked for in it. */
static const struct ai_opt shape_options[] = {
	{ "schema", 0, AI_OPT_FILE, &guard_shape_settings.schema, "FILE",
	  "records are to satisfy this JSON Schema", .key = "guard.schema" },
	{ "text-schema", 0, AI_OPT_FILE, &guard_shape_settings.text_schema,
	  "FILE", "texts are to be JSON that satisfies this JSON Schema",
	  .key = "guard.text_schema" },
	{ "max-text", 0, AI_OPT_INT, &guard_shape_settings.max_text, "BYTES",
	  "the longest text that is in order; 0: any", .initial = "0",
	  .max = (double)GUARD_TEXT_MAX, .key = "guard.max_text" },
	{ 0 }
};

static const struct ai_opt event_options[] = {
	{ "events", 0, AI_OPT_FILE, &guard_events_settings.file, "FILE",
	  "append a line for each finding to this file",
	  .key = "guard.events", .env = "AI_GUARD_EVENTS" },
	{ "audit", 0, AI_OPT_FLAG, &guard_events_settings.audit, NULL,
	  "note in the ledger what was redacted, blocked or dropped",
	  .initial = "true", .key = "guard.audit" },
	{ "ledger", 0, AI_OPT_FILE, &guard_events_settings.ledger, "FILE",
	  "the ledger; none: nowhere", .key = "ledger", .env = "AI_LEDGER" },
	{ 0 }
};

static const struct ai_opt opinion_options[] = {
	{ "opinion", 0, AI_OPT_TEXT, &guard_opinion_settings.model, "MODEL",
	  "ask this model where the classifier is not sure",
	  .key = "guard.opinion" },
	{ "opinion-band", 0, AI_OPT_TEXT, &guard_opinion_settings.band,
	  "LOW,HIGH", "between which rates it is not sure",
	  .initial = ".002,.05", .key = "guard.opinion_band" },
	{ "opinion-usd", 0, AI_OPT_TEXT, &guard_opinion_settings.usd,
	  "DOLLARS", "what a run may spend on it", .initial = "1",
	  .key = "guard.opinion_usd" },
	{ "opinion-timeout", 0, AI_OPT_REAL, &guard_opinion_settings.timeout,
	  "SECONDS", "longest wait for an opinion", .initial = "30", .min = .1,
	  .max = 3600, .key = "guard.opinion_timeout" },
	{ 0 }
};

/* What an answer is compared with. */
static const struct ai_opt answer_options[] = {
	{ "prompt", 0, AI_OPT_FILE, &guard_told_settings.prompt, "FILE",
	  "instructions that an answer should not repeat" },
	{ "leak-words", 0, AI_OPT_INT, &guard_told_settings.words, "N",
	  "words of instructions that are a leak", .initial = "8", .min = 4,
	  .max = 100000, .key = "guard.leak_words" },
	{ "canary-key", 0, AI_OPT_FILE, &guard_canary_settings.key, "FILE",
	  "the key that canaries are made with", .key = "guard.canary_key",
	  .env = "AI_GUARD_CANARY_KEY" },
	{ "session", 0, AI_OPT_TEXT, &guard_canary_settings.session, "NAME",
	  "one canary for all records, not one by id" },
	{ "repeat", 0, AI_OPT_FLAG, &guard_canary_settings.repeat, NULL,
	  "a canary that is to be repeated" },
	{ 0 }
};

static const struct ai_opt mark_options[] = {
	{ "mode", 0, AI_OPT_CHOICE, &guard_mark_settings.mode, "HOW",
	  "mark: how a text is told from instructions", .initial = "datamark",
	  .choices = GUARD_MARK_MODES, .key = "guard.mark_mode" },
	{ "marker", 0, AI_OPT_TEXT, &guard_mark_settings.marker, "TEXT",
	  "mark: the marker, instead of one that is made for this run" },
	{ "undo", 0, AI_OPT_FLAG, &guard_mark_settings.undo, NULL,
	  "mark: the text as it was" },
	{ 0 }
};

static const struct ai_verb verbs[] = {
	{ "canary", "plant a word that shows when instructions come out" },
	{ "mark", "make texts from elsewhere known as such to a model" },
	{ "restore", "put back what placeholders stand for" },
	{ "key", "make a key for maps and pseudonyms" },
	{ "train", "make the classifier's weights from rows with labels" },
	{ 0 }
};

static const struct ai_opt_use uses[] = {
	{ &guard_train_settings.out, "|train|key|" },
	{ &guard_train_settings.calibrate, "|train|" },
	{ &guard_settings.context, "|find|" },
	{ &guard_settings.explain, "|find|" },
	{ &guard_policy_settings.name, "|find|" },
	{ &guard_policy_settings.action, "|find|" },
	{ &guard_policy_settings.rate, "|find|" },
	{ &guard_policy_settings.allow, "|find|" },
	{ &guard_policy_settings.files, "|find|" },
	{ &guard_policy_settings.redact, "|find|" },
	{ &guard_redact_settings.style, "|find|" },
	{ &guard_redact_settings.keep, "|find|" },
	{ &guard_redact_settings.map, "|find|restore|" },
	{ &guard_redact_settings.key, "|find|restore|" },
	{ &guard_restore_settings.exact, "|restore|" },
	{ &guard_shape_settings.schema, "|find|" },
	{ &guard_shape_settings.text_schema, "|find|" },
	{ &guard_shape_settings.max_text, "|find|" },
	{ &guard_opinion_settings.model, "|find|" },
	{ &guard_opinion_settings.band, "|find|" },
	{ &guard_opinion_settings.usd, "|find|" },
	{ &guard_opinion_settings.timeout, "|find|" },
	{ &guard_events_settings.file, "|find|" },
	{ &guard_events_settings.audit, "|find|" },
	{ &guard_events_settings.ledger, "|find|" },
	{ &ai_loop.exit_no, "|find|" },
	{ &ai_loop.plain_out, "|find|restore|" },
	{ &guard_told_settings.prompt, "|find|" },
	{ &guard_told_settings.words, "|find|" },
	{ &guard_canary_settings.key, "|find|canary|" },
	{ &guard_canary_settings.session, "|find|canary|" },
	{ &guard_canary_settings.repeat, "|find|canary|" },
	{ &guard_mark_settings.mode, "|mark|" },
	{ &guard_mark_settings.marker, "|mark|" },
	{ &guard_mark_settings.undo, "|mark|" },
	{ &ai_loop.path, "|find|restore|canary|mark|" },
	{ &ai_loop.as, "|find|mark|" },
	{ NULL, NULL }
};

/* What each verb runs; the first is none. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct ai_err *err);
} runs[] = {
	{ "find", guard_run },
	{ "canary", guard_canary },
	{ "mark", guard_mark },
	{ "restore", guard_restore },
	{ "key", guard_key },
	{ "train", guard_train },
};

static int misplaced(const struct ai_opt *opt, const char *verb,
		     struct ai_err *err)
{
	const char *heeding = "";

	for (const struct ai_opt_use *u = uses; u->to != NULL; u++)
		if (u->to == opt->to)
			heeding = u->verbs + 1;
	if (strcmp(verb, "find") != 0)
		return ai_err_set(err, AI_E_USAGE, "--%s is no option of '%s'",
				  opt->name, verb);
	return ai_err_set(err, AI_E_USAGE, "--%s goes with '%.*s'", opt->name,
			  (int)strcspn(heeding, "|"), heeding);
}

static int run(int argc, char **argv, struct ai_err *err)
{
	const struct ai_opt *opt;
	size_t i = 0;

	if (argc > 0 && ai_start_opts.operand_first)
		for (i = sizeof runs / sizeof *runs - 1; i > 0; i--)
			if (strcmp(argv[0], runs[i].name) == 0)
				break;
	opt = ai_start_misplaced(uses, runs[i].name);
	if (opt != NULL)
		return misplaced(opt, runs[i].name, err);
	return runs[i].run(argc - (i > 0), argv + (i > 0), err);
}

static const struct ai_opt *const tables[] = {
	options, guard_policy_options, guard_redact_options, shape_options,
	event_options, opinion_options, answer_options, mark_options,
	ai_loop_option_path, ai_loop_option_as, ai_loop_option_plain,
	ai_loop_option_exit,
	ai_loop_options, NULL
};

const struct ai_program ai_program = {
	.name = "ai-guard",
	.summary = "find what should not be in a text",
	.synopsis = "[options] [FILE...]\n"
		    "canary --canary-key FILE [FILE...]\n"
		    "mark [--mode HOW] [FILE...]\n"
		    "restore --map FILE --map-key FILE [-Rr] [-p PATH] [FILE...]\n"
		    "key -o FILE\n"
		    "train -o FILE [--calibrate FILE] ROWS...",
	.examples =
		"  ai-guard questions.jsonl | ai-complete\n"
		"  ai-guard --context document -e docs.jsonl\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
