#include "embed.h"

#include "base/start.h"
#include "model/catalog.h"
#include "record/config.h"

static const struct ai_opt options[] = {
	{ "model", 'm', AI_OPT_TEXT, &embed_settings.model, "MODEL",
	  "the model: local/hash, openai/NAME, NAME with --base-url, or a file",
	  .initial = EMBED_LOCAL, .key = "embed.model",
	  .env = "AI_EMBED_MODEL" },
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

const struct ai_program ai_program = {
	.name = "ai-embed",
	.summary = "turn texts into vectors",
	.synopsis = "[options] [FILE...]",
	.examples =
		"  ai-chunk docs/*.md | ai-embed | ai-search add -i docs.idx\n"
		"  ai-embed -m openai/text-embedding-3-small -j 4 texts.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.run = embed_run,
};
