/* run.c: what ai-chunk does with its options and operands. */
#include "chunk.h"

#include "base/names.h"
#include "text/bpe.h"

#include "convert.h"
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)1 << 30)
#define JSON_MAX ((size_t)1 << 30)
#define ID_MAX ((size_t)1 << 20)

/* Of the whole run; the threads only read it. */
static struct {
	struct chunk_how how;
	struct chunk_measure measure;
	struct ai_bpe *bpe;
	int by;
} run;

/* ---- --by ---------------------------------------------------------------- */

const char *chunk_by_name(enum chunk_by by)
{
	static const char *const names[] = {
		[CHUNK_RECURSIVE] = "recursive", [CHUNK_MARKDOWN] = "markdown",
		[CHUNK_SENTENCE] = "sentence", [CHUNK_PARAGRAPH] = "paragraph",
		[CHUNK_FIXED] = "fixed",
	};

	return names[by];
}

static bool is_markdown(const char *name)
{
	static const char *const suffixes[] = {
		".md", ".markdown", ".mdown", ".mkd",
	};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		size_t k = strlen(suffixes[i]);

		if (n > k && strcasecmp(name + n - k, suffixes[i]) == 0)
			return true;
	}
	return false;
}

enum chunk_by chunk_by_for(int by, const char *uri)
{
	if (by != CHUNK_BY_AUTO)
		return (enum chunk_by)(by - 1);
	return uri != NULL && is_markdown(uri) ? CHUNK_MARKDOWN
					       : CHUNK_RECURSIVE;
}

/* ---- the filter ---------------------------------------------------------- */

static int open_state(void **state, struct ai_err *err)
{
	struct chunk_state *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ai_err_nomem(err);
	s->by = run.by;
	s->cutter.how = run.how;
	s->cutter.keep = CHUNK_KEEP;
	chunk_doc_init(&s->doc);
	ai_buf_init(&s->text, TEXT_MAX);
	ai_buf_init(&s->made, CHUNK_CONVERT_MAX);
	ai_buf_init(&s->json, JSON_MAX);
	ai_buf_init(&s->id, ID_MAX);
	*state = s;
	return 0;
}

static void close_state(void *state)
{
	struct chunk_state *s = state;

	chunk_cutter_release(&s->cutter);
	chunk_doc_release(&s->doc);
	ai_buf_release(&s->text);
	ai_buf_release(&s->made);
	ai_buf_release(&s->json);
	ai_buf_release(&s->id);
	free(s);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	return chunk_record(state, rec, out, err);
}

static int operand(void *state, const char *path, struct ai_emit *out,
		   struct ai_err *err)
{
	return chunk_document(state, path, out, err);
}

static const struct ai_filter filter = {
	.each = each, .operand = operand, .open = open_state,
	.close = close_state,
};

/* ---- --files0-from ------------------------------------------------------- */

static int run_list(const char *path, struct ai_err *err)
{
	struct ai_names names;
	int rc = ai_names_read(&names, path, err);

	/* An empty list is no reason to read records. */
	if (rc == 0 && names.n > 0)
		rc = ai_loop_run(&filter, names.n, names.v, err);
	ai_names_release(&names);
	return rc;
}

/* ---- starting ------------------------------------------------------------ */

/* 200 of 1000, and less of less. */
#define OVERLAP_PART 5

static int set_up(const struct chunk_settings *set, struct ai_err *err)
{
	int64_t overlap = set->overlap;

	if (!set->overlap_given && overlap > set->size / OVERLAP_PART)
		overlap = set->size / OVERLAP_PART;
	if (overlap >= set->size)
		return ai_err_set(err, AI_E_USAGE, "--overlap %lld is not "
				  "smaller than --size %lld",
				  (long long)overlap, (long long)set->size);
	run.by = set->by;
	run.how.size = (size_t)set->size;
	run.how.overlap = (size_t)overlap;
	run.measure = set->unit == CHUNK_UNIT_TOKENS ? chunk_measure_tokens
						     : chunk_measure_chars;
	run.how.measure = &run.measure;
	if (set->unit != CHUNK_UNIT_TOKENS)
		return 0;
	if (ai_bpe_open(&run.bpe, set->encoding, err) < 0)
		return -1;
	run.measure.arg = run.bpe;
	return 0;
}

static int run_operands(const struct chunk_settings *set, int argc,
			char **argv, struct ai_err *err)
{
	static char stdin_name[] = "-";
	char *only_stdin[] = { stdin_name };

	if (set->files_from != NULL && argc > 0)
		return ai_err_set(err, AI_E_USAGE, "--files0-from and files "
				  "named one by one exclude each other");
	if (set->files_from != NULL)
		return run_list(set->files_from, err);
	/* One document, however long. */
	if (argc == 0 && ai_loop.plain_in && ai_loop.slurp)
		return ai_loop_run(&filter, 1, only_stdin, err);
	return ai_loop_run(&filter, argc, argv, err);
}

int chunk_run(const struct chunk_settings *set, int argc, char **argv,
	      struct ai_err *err)
{
	int rc = set_up(set, err);

	if (rc == 0)
		rc = run_operands(set, argc, argv, err);
	ai_bpe_close(run.bpe);
	return rc;
}
