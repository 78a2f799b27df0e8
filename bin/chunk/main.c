/* ai-chunk: cuts documents into passages that remember where they came from */
#include "base/start.h"
#include "record/config.h"
#include "record/loop.h"

#include "chunk.h"

static struct chunk_settings set;

static const struct ai_opt options[] = {
	{ "by", 0, AI_OPT_CHOICE, &set.by, "RULE", "where to cut",
	  .initial = "auto", .choices = CHUNK_BY_CHOICES, .key = "chunk.by" },
	{ "size", 0, AI_OPT_INT, &set.size, "N", "longest chunk, in units",
	  .initial = "1000", .min = 1, .max = 1000000, .key = "chunk.size" },
	{ "overlap", 0, AI_OPT_INT, &set.overlap, "N",
	  "how much of a chunk the next may repeat", .initial = "200",
	  .max = 999999, .key = "chunk.overlap" },
	{ "unit", 0, AI_OPT_CHOICE, &set.unit, "UNIT",
	  "what sizes are counted in", .initial = "chars",
	  .choices = CHUNK_UNIT_CHOICES, .key = "chunk.unit" },
	{ "encoding", 0, AI_OPT_TEXT, &set.encoding, "NAME",
	  "the encoding that makes tokens", .initial = "o200k_base",
	  .key = "chunk.encoding" },
	{ "files0-from", 0, AI_OPT_FILE, &set.files_from, "FILE",
	  "cut the documents named in FILE, each name ended by NUL" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_options, ai_loop_option_path, NULL
};

static int run(int argc, char **argv, struct ai_err *err)
{
	int i = ai_opts_find_to(&ai_start_opts, &set.overlap);

	set.overlap_given = i >= 0 &&
		ai_start_opts.source[i] != AI_SOURCE_BUILTIN;
	return chunk_run(&set, argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-chunk",
	.summary = "cut documents into passages that remember where they came "
		   "from",
	.synopsis = "[options] [FILE...]\n[options] --files0-from FILE",
	.examples = "  ai-chunk docs/*.md | ai-embed | ai-search add -i docs.idx\n"
		    "  find . -name '*.md' -print0 | ai-chunk --files0-from -\n"
		    "  ai-chunk --by sentence --size 300 --overlap 0 < records.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.run = run,
};
