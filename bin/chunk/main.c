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
	{ "encoding", 0, AI_OPT_FILE, &set.encoding, "NAME",
	  "the encoding that makes tokens, or a tokenizer's file", .initial = "o200k_base",
	  .key = "chunk.encoding" },
	{ "separator", 0, AI_OPT_LIST, &set.separators, "TEXT",
	  "with --by recursive: where to cut, the first tried first",
	  .key = "chunk.separator" },
	{ "keep-separator", 0, AI_OPT_FLAG, &set.keep_separator, NULL,
	  "what stands between two chunks begins the second",
	  .initial = "true", .key = "chunk.keep_separator" },
	{ "contextual", 0, AI_OPT_FLAG, &set.contextual, NULL,
	  "add the text under its title and headings, to be embedded",
	  .key = "chunk.contextual" },
	{ "files0-from", 0, AI_OPT_FILE, &set.files_from, "FILE",
	  "cut the documents named in FILE, each name ended by NUL" },
	{ 0 }
};

static const struct ai_opt options_trees[] = {
	{ "ignore", 0, AI_OPT_FLAG, &set.ignore, NULL,
	  "heed .gitignore below folders", .initial = "true",
	  .key = "chunk.ignore" },
	{ "hidden", 0, AI_OPT_FLAG, &set.hidden, NULL,
	  "below folders also names that begin with a dot",
	  .key = "chunk.hidden" },
	{ "follow", 0, AI_OPT_FLAG, &set.follow, NULL,
	  "follow symbolic links below folders", .key = "chunk.follow" },
	{ "max-file", 0, AI_OPT_INT, &set.max_file, "BYTES",
	  "largest file taken from a folder", .initial = "16M", .min = 1,
	  .max = 1e15, .key = "chunk.max_file" },
	{ "include", 0, AI_OPT_LIST, &set.include, "PATTERN",
	  "of folders only files that match; may be repeated" },
	{ "exclude", 0, AI_OPT_LIST, &set.exclude, "PATTERN",
	  "of folders nothing that matches; may be repeated" },
	{ 0 }
};

static const struct ai_opt options_state[] = {
	{ "state", 0, AI_OPT_FILE, &set.state, "FILE",
	  "write only what has changed since FILE was written" },
	{ "pending", 0, AI_OPT_FLAG, &set.pending, NULL,
	  "leave FILE as it is until --commit" },
	{ "commit", 0, AI_OPT_FLAG, &set.commit, NULL,
	  "what was left pending is done: change FILE" },
	{ "dedup", 0, AI_OPT_REAL, &set.dedup, "T",
	  "find passages that share T of their words with another (0: off)",
	  .initial = "0", .min = 0, .max = 1, .key = "chunk.dedup" },
	{ "copies", 0, AI_OPT_CHOICE, &set.copies, "WHAT",
	  "with --dedup: leave them out, or mark them", .initial = "drop",
	  .choices = CHUNK_COPIES_CHOICES, .key = "chunk.copies" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, options_trees, options_state, ai_loop_options, ai_loop_option_path, NULL
};

static int run(int argc, char **argv, struct ai_err *err)
{
	int i = ai_opts_find_to(&ai_start_opts, &set.overlap);

	set.cutting = options;
	set.overlap_given = i >= 0 &&
		ai_start_opts.source[i] != AI_SOURCE_BUILTIN;
	return chunk_run(&set, argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-chunk",
	.summary = "cut documents into passages that remember where they came "
		   "from",
	.synopsis = "[options] [FILE|FOLDER...]\n[options] --files0-from FILE\n"
		    "--state FILE --commit",
	.examples = "  ai-chunk docs | ai-embed | ai-search add -i docs.idx\n"
		    "  ai-chunk --state docs.state docs | ai-embed | ai-search add -i docs.idx\n"
		    "  find . -name '*.md' -print0 | ai-chunk --files0-from -\n"
		    "  ai-chunk --by sentence --size 300 --overlap 0 < records.jsonl\n",
	.options = tables,
	.configure = ai_config_apply,
	.run = run,
};
