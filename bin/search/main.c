#include "search.h"

#include "base/start.h"
#include "record/config.h"

static const struct ai_opt options[] = {
	{ "index", 'i', AI_OPT_FILE, &search.index, "FOLDER",
	  "the index", .key = "search.index", .env = "AI_INDEX" },
	{ "hits", 'k', AI_OPT_INT, &search.k, "N", "how many hits at most",
	  .initial = "4", .min = 1, .max = 100000, .key = "search.k" },
	{ "mode", 0, AI_OPT_CHOICE, &search.mode, "MODE",
	  "which legs are used", .initial = "hybrid",
	  .choices = "hybrid|dense|sparse", .key = "search.mode" },
	{ "fusion", 0, AI_OPT_CHOICE, &search.fusion, "RULE",
	  "how two legs become one list; auto is the index's own rule",
	  .initial = "auto", .choices = "auto|minmax|rrf",
	  .key = "search.fusion" },
	{ "weight", 0, AI_OPT_REAL, &search.weight, "SHARE",
	  "the dense leg's part in the fusion; the sparse one's is the rest",
	  .min = 0, .max = 1, .key = "search.weight" },
	{ "rrf-k", 0, AI_OPT_REAL, &search.rrf_k, "N",
	  "rrf adds 1/(N + rank)", .initial = "60", .min = 0, .max = 1e6,
	  .key = "search.rrf_k" },
	{ "feedback", 0, AI_OPT_FLAG, &search.feedback, NULL,
	  "search again, with words of the best hits",
	  .key = "search.feedback" },
	{ "phrase-bonus", 0, AI_OPT_REAL, &search.phrase_bonus, "WEIGHT",
	  "what two words side by side add, as in the query",
	  .initial = "0", .min = 0, .max = 10, .key = "search.phrase_bonus" },
	{ "smooth", 0, AI_OPT_FLAG, &search.smooth, NULL,
	  "let the nearest of the best hits have a say in a hit's score",
	  .key = "search.smooth" },
	{ "decay", 0, AI_OPT_TEXT, &search.decay, "PATH:HALFLIFE",
	  "old hits score less: by half after 30d, 12h, 1y",
	  .key = "search.decay" },
	{ "now", 0, AI_OPT_TEXT, &search.now, "TIME",
	  "the time that --decay counts from, instead of this one" },
	{ "per-source", 0, AI_OPT_INT, &search.per_source, "N",
	  "at most so many hits of one source; 0: any number", .initial = "0",
	  .min = 0, .max = 100000, .key = "search.per_source" },
	{ "expand", 0, AI_OPT_TEXT, &search.expand, "N|section",
	  "hits with N passages before and behind, or their section",
	  .key = "search.expand" },
	{ "expand-bytes", 0, AI_OPT_INT, &search.expand_bytes, "BYTES",
	  "how long the text of --expand may become", .initial = "8K",
	  .min = 1, .max = 1 << 26, .key = "search.expand_bytes" },
	{ "highlight", 0, AI_OPT_FLAG, &search.highlight, NULL,
	  "say at which bytes of a hit words of the query stand",
	  .key = "search.highlight" },
	{ "explain", 0, AI_OPT_FLAG, &search.explain, NULL,
	  "say what made the score of each hit" },
	{ "mmr", 0, AI_OPT_REAL, &search.mmr, "LAMBDA",
	  "weigh relevance (1) against diversity (0)", .initial = "1",
	  .min = 0, .max = 1 },
	{ "min-dense", 0, AI_OPT_REAL, &search.min_dense, "COSINE",
	  "least cosine of a dense hit", .initial = "0", .min = -1, .max = 1 },
	{ "min-sparse", 0, AI_OPT_REAL, &search.min_sparse, "SCORE",
	  "least BM25 score of a sparse hit", .initial = "0", .min = 0,
	  .max = 1e9 },
	{ "min-confidence", 0, AI_OPT_REAL, &search.min_confidence, "X",
	  "what a hit needs for a confident answer", .initial = "0.5",
	  .min = 0, .max = 1, .key = "search.min_confidence" },
	{ "where", 0, AI_OPT_LIST, &search.where, "EXPRESSION",
	  "only documents whose metadata is so: KEY=VALUE, <, AND, ..." },
	{ "format", 0, AI_OPT_CHOICE, &search.format, "FORMAT",
	  "add, export: the shape of the documents", .initial = "jsonl",
	  .choices = "jsonl|npy|langchain|llamaindex" },
	{ "vectors", 0, AI_OPT_FILE, &search.vectors, "FILE.npy",
	  "add, export: the vectors, beside the records" },
	{ "model", 'm', AI_OPT_TEXT, &search.model, "MODEL",
	  "add: the model of a new index" },
	{ "analyzer", 0, AI_OPT_TEXT, &search.analyzer, "LANGUAGE",
	  "add: how a new index reads words: english, none, german, ..." },
	{ "title-weight", 0, AI_OPT_INT, &search.title_weight, "N",
	  "add: what a word of a title or heading counts in a new index",
	  .initial = SEARCH_TITLE_WEIGHT, .min = 0,
	  .max = SEARCH_WEIGHT_MAX },
	{ "exact", 0, AI_OPT_FLAG, &search.exact, NULL,
	  "compare with every vector, not with codes first" },
	{ "ack", 0, AI_OPT_FLAG, &search.ack, NULL,
	  "add, delete: write each id once it is safe" },
	{ "partial", 0, AI_OPT_FLAG, &search.partial, NULL,
	  "add: the passages that come of a file are all it has" },
	{ "wait", 0, AI_OPT_REAL, &search.wait_s, "SECONDS",
	  "how long to wait for another writer", .initial = "10", .min = 0,
	  .max = 86400 },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_options, ai_loop_option_path, ai_loop_option_as,
	ai_loop_option_plain, ai_loop_option_exit, NULL
};

static const struct ai_verb verbs[] = {
	[SEARCH_QUERY] = { "query", "answer queries with hits (the default)" },
	[SEARCH_ADD] = { "add", "take records into the index" },
	[SEARCH_DELETE] = { "delete", "remove documents by id or --where" },
	[SEARCH_STATS] = { "stats", "say what is in the index" },
	[SEARCH_VERIFY] = { "verify", "check all files and their checksums" },
	[SEARCH_EXPORT] = { "export", "write the documents as records" },
	[SEARCH_COMPACT] = { "compact", "write the files anew without what is deleted" },
	{ 0 }
};

static int (*const runs[])(int, char **, struct ai_err *) = {
	[SEARCH_QUERY] = search_query, [SEARCH_ADD] = search_add,
	[SEARCH_DELETE] = search_delete, [SEARCH_STATS] = search_stats,
	[SEARCH_VERIFY] = search_verify, [SEARCH_EXPORT] = search_export,
	[SEARCH_COMPACT] = search_compact,
};

static int run(int argc, char **argv, struct ai_err *err)
{
	int verb = search_verb(verbs, &argc, &argv, err);

	return verb < 0 ? -1 : runs[verb](argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-search",
	.summary = "hybrid retrieval over one index folder",
	.synopsis = "[query] -i FOLDER [options] [WORD...]\n"
		    "add -i FOLDER [options] [FILE...]\n"
		    "delete -i FOLDER [--where EXPRESSION] [FILE...]\n"
		    "stats|verify|export|compact -i FOLDER",
	.examples =
		"  ai-chunk docs/*.md | ai-embed | ai-search add -i docs.idx\n"
		"  ai-search -i docs.idx -r how do I cap a batch\n",
	.options = tables,
	.verbs = verbs,
	.configure = ai_config_apply,
	.run = run,
};
