#include "tokens.h"

#include "base/start.h"
#include "record/config.h"

static const struct ai_opt options[] = {
	/* In the order of ai_bpe_encoding_at(). */
	{ "encoding", 0, AI_OPT_CHOICE, &tokens_settings.encoding, "NAME",
	  "the encoding", .initial = "o200k_base",
	  .choices = "o200k_base|o200k_harmony|cl100k_base|p50k_base|"
		     "p50k_edit|r50k_base|gpt2",
	  .key = "tokens.encoding", .env = "AI_TOKENS_ENCODING" },
	{ "model", 'm', AI_OPT_TEXT, &tokens_settings.model, "MODEL",
	  "use the encoding of this model" },
	{ "encode", 0, AI_OPT_FLAG, &tokens_settings.encode, NULL,
	  "add the ids of the tokens" },
	{ "decode", 0, AI_OPT_FLAG, &tokens_settings.decode, NULL,
	  "turn ids back into text" },
	{ "truncate", 0, AI_OPT_INT, &tokens_settings.truncate, "N",
	  "cut the text down to at most N tokens", .max = 2147483647 },
	{ "exact", 0, AI_OPT_FLAG, &tokens_settings.exact, NULL,
	  "let the provider of the model count, through ai-complete" },
	{ "special", 0, AI_OPT_FLAG, &tokens_settings.special, NULL,
	  "take special tokens in the text as such" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_option_path, ai_loop_option_as, ai_loop_option_plain,
	ai_loop_options, NULL
};

const struct ai_program ai_program = {
	.name = "ai-tokens",
	.summary = "count, encode, decode and truncate tokens",
	.synopsis = "[options] [FILE...]",
	.examples =
		"  echo '{\"text\":\"Hello, world!\"}' | ai-tokens\n"
		"  ai-tokens -R -s -r --encoding cl100k_base README\n"
		"  ai-tokens --truncate 8000 -m openai/gpt-5-mini docs.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.run = tokens_run,
};
