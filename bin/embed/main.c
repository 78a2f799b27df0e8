#include "embed.h"

#include "base/start.h"
#include "model/catalog.h"
#include "record/config.h"

#include <string.h>

static const struct ai_opt options[] = {
	{ "model", 'm', AI_OPT_TEXT, &embed_settings.model, "MODEL",
	  "the model: local/words, openai/NAME, NAME with --base-url, or a file",
	  .initial = EMBED_WORDS, .key = "embed.model",
	  .env = "AI_EMBED_MODEL" },
	{ "output", 'o', AI_OPT_FILE, &embed_fit_settings.output, "FILE",
	  "fit: where the model goes" },
	{ "dim", 0, AI_OPT_INT, &embed_settings.dim, "N",
	  "dimension of the vectors, where the model lets one choose",
	  .min = 1, .max = 65536, .key = "embed.dim" },
	{ "batch", 0, AI_OPT_INT, &embed_settings.batch, "N",
	  "most texts in one request", .initial = "256", .min = 1,
	  .max = AI_EMBED_TEXTS_MAX, .key = "embed.batch" },
	{ "input-type", 0, AI_OPT_CHOICE, &embed_settings.input, "TYPE",
	  "what the texts are, to models that make a difference of it",
	  .initial = "auto", .choices = EMBED_INPUTS,
	  .key = "embed.input_type" },
	{ "encoding", 0, AI_OPT_CHOICE, &embed_settings.encoding, "CODE",
	  "how many bits each number of a vector is written with",
	  .initial = "f32", .choices = AI_VECTOR_CODES,
	  .key = "embed.encoding" },
	{ "numbers", 0, AI_OPT_FLAG, &embed_settings.numbers, NULL,
	  "write vectors as lists of numbers, not as base64" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_client_options, ai_client_options_vectors,
	ai_client_option_cache_size, ai_catalog_options, ai_paid_options, ai_paid_option_wait,
	ai_loop_option_path, ai_loop_option_as, ai_loop_options, NULL
};

static const struct ai_verb verbs[] = {
	{ "fit", "make a model of what the records' texts have in common" },
	{ 0 }
};

static const struct ai_opt_use uses[] = {
	{ &embed_fit_settings.output, "|fit|" },
	{ 0 }
};

static int run(int argc, char **argv, struct ai_err *err)
{
	bool fit = argc > 0 && strcmp(argv[0], verbs[0].name) == 0;
	const struct ai_opt *opt = ai_start_misplaced(uses, fit ? "fit" : "");

	if (opt != NULL)
		return ai_err_set(err, AI_E_USAGE, "--%s is an option of "
				  "'ai-embed fit'", opt->name);
	return fit ? embed_fit_run(argc - 1, argv + 1, err)
		   : embed_run(argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-embed",
	.summary = "turn texts into vectors",
	.synopsis = "[options] [FILE...]\nfit -o FILE [options] [FILE...]",
	.examples =
		"  ai-chunk docs/*.md | ai-embed | ai-search add -i docs.idx\n"
		"  ai-chunk docs/*.md | ai-embed fit -o docs.emb\n"
		"  ai-embed -m openai/text-embedding-3-small -j 4 texts.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.verbs = verbs,
	.run = run,
};
