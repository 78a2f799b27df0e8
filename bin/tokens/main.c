#include "tokens.h"

#include "base/start.h"
#include "model/catalog.h"
#include "record/config.h"

static const struct ai_opt options[] = {
	{ "encoding", 0, AI_OPT_FILE, &tokens_settings.encoding, "NAME",
	  "the encoding, or a tokenizer's file", .initial = AI_BPE_DEFAULT,
	  .key = "tokens.encoding", .env = "AI_TOKENS_ENCODING" },
	{ "model", 'm', AI_OPT_TEXT, &tokens_settings.model, "MODEL",
	  "count as this model does" },
	{ "encode", 0, AI_OPT_FLAG, &tokens_settings.encode, NULL,
	  "add the ids of the tokens" },
	{ "decode", 0, AI_OPT_FLAG, &tokens_settings.decode, NULL,
	  "turn ids back into text" },
	{ "truncate", 0, AI_OPT_INT, &tokens_settings.truncate, "N",
	  "cut the text down to at most N tokens", .max = 2147483647 },
	{ "keep", 0, AI_OPT_CHOICE, &tokens_settings.keep, "PART",
	  "which part --truncate keeps", .initial = "head",
	  .choices = "head|tail|middle" },
	{ "mark", 0, AI_OPT_TEXT, &tokens_settings.mark, "TEXT",
	  "with --keep middle: what stands for what was cut ( [...])" },
	{ "fit", 0, AI_OPT_TEXT, &tokens_settings.fit, "MODEL",
	  "say whether it fits into this model's context" },
	{ "reserve", 0, AI_OPT_INT, &tokens_settings.reserve, "N",
	  "with --fit: tokens kept for the answer", .max = 2147483647 },
	{ "total", 0, AI_OPT_FLAG, &tokens_settings.total, NULL,
	  "write the sum of all at the end" },
	{ "top", 0, AI_OPT_INT, &tokens_settings.top, "N",
	  "write only the N largest, and where they stood", .min = 1,
	  .max = 10000 },
	{ "exact", 0, AI_OPT_FLAG, &tokens_settings.exact, NULL,
	  "let the provider of the model count, through ai-complete" },
	{ "special", 0, AI_OPT_CHOICE, &tokens_settings.special, "WHEN",
	  "what special tokens in a text are; allow without a value",
	  .initial = "text", .choices = "text|allow|refuse",
	  .bare = "allow" },
	{ "files0-from", 0, AI_OPT_FILE, &tokens_settings.files_from, "FILE",
	  "read the files named in FILE, each name ended by NUL" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_catalog_options, ai_loop_option_path, ai_loop_option_as,
	ai_loop_option_plain,
	ai_loop_option_exit, ai_loop_options, NULL
};

const struct ai_program ai_program = {
	.name = "ai-tokens",
	.summary = "count, encode, decode and truncate tokens",
	.synopsis = "[options] [FILE...]\n[options] --files0-from FILE",
	.examples =
		"  echo '{\"text\":\"Hello, world!\"}' | ai-tokens\n"
		"  ai-tokens -R -s -r *.md\n"
		"  ai-tokens --truncate 8000 -m openai/gpt-5-mini docs.jsonl\n"
		"  ai-tokens --fit anthropic/claude-sonnet-5 -e chat.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.run = tokens_run,
};
