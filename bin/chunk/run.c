/* run.c: what ai-chunk does with its options and operands. */
#include "chunk.h"

#include "base/names.h"
#include "model/tokenizer.h"
#include "text/bpe.h"

#include "feed.h"
#include "measure.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)1 << 30)
#define JSON_MAX ((size_t)1 << 30)
#define ID_MAX ((size_t)1 << 20)
#define META_MAX ((size_t)4 << 20)
#define SEPARATORS_MAX ((size_t)64 << 10) /* bytes of all of them */

/* Of the whole run; the threads only read it. */
static struct {
	struct chunk_how how;
	struct chunk_measure measure;
	struct chunk_separators separators;
	struct ai_buf separator_bytes;
	struct ai_bpe *bpe;
	int by;
	bool mark;
	bool contextual;
} run;

/* ---- --by ---------------------------------------------------------------- */

const char *chunk_by_name(enum chunk_by by)
{
	static const char *const names[] = {
		[CHUNK_RECURSIVE] = "recursive", [CHUNK_MARKDOWN] = "markdown",
		[CHUNK_SENTENCE] = "sentence", [CHUNK_PARAGRAPH] = "paragraph",
		[CHUNK_FIXED] = "fixed", [CHUNK_PROSE] = "prose",
		[CHUNK_CODE] = "code", [CHUNK_HTML] = "html",
		[CHUNK_TOKENS] = "tokens",
	};

	return names[by];
}

static bool ends_with(const char *name, const char *const *suffixes)
{
	size_t n = strlen(name);

	for (; *suffixes != NULL; suffixes++) {
		size_t k = strlen(*suffixes);

		if (n > k && strcasecmp(name + n - k, *suffixes) == 0)
			return true;
	}
	return false;
}

static enum chunk_by by_name(const char *name)
{
	static const char *const markdown[] = {
		".md", ".markdown", ".mdown", ".mkd", NULL,
	};
	static const char *const html[] = { ".html", ".htm", ".xhtml", NULL };

	return ends_with(name, markdown) ? CHUNK_MARKDOWN
		: ends_with(name, html) ? CHUNK_HTML
		: chunk_lang_of(name) != NULL ? CHUNK_CODE : CHUNK_PROSE;
}

static void choose(struct chunk_state *s, const char *uri, struct ai_span text)
{
	struct chunk_how *how = &s->cutter.how;

	how->by = s->by != CHUNK_BY_AUTO ? (enum chunk_by)(s->by - 1)
		: uri != NULL ? by_name(uri) : CHUNK_PROSE;
	if (how->by != CHUNK_CODE)
		return;
	how->lang = uri != NULL ? chunk_lang_of(uri) : NULL;
	if (how->lang == NULL)
		how->lang = chunk_lang_guess(text.p, text.n);
}

int chunk_prepare(struct chunk_state *s, const char *uri, struct ai_span *text,
		  struct ai_err *err)
{
	struct ai_span title;
	struct chunk_md md;

	ai_buf_clear(&s->meta);
	ai_buf_clear(&s->title);
	s->hidden = 0;
	choose(s, uri, *text);
	if (s->cutter.how.by == CHUNK_MARKDOWN) {
		chunk_md_init(&md, text->p, text->n);
		if (md.body > 0)
			chunk_meta_put(&s->meta, &s->title, text->p, md.body);
	} else if (s->cutter.how.by == CHUNK_HTML) {
		if (chunk_page_read(&s->page, text->p, text->n, err) < 0)
			return -1;
		s->cutter.how.page = &s->page;
		title = chunk_label(ai_buf_cstr(&s->page.title),
				    s->page.title.len);
		ai_buf_add(&s->title, title.p, title.n);
		*text = (struct ai_span){ ai_buf_cstr(&s->page.text),
					  s->page.text.len };
	}
	if (ai_buf_check(&s->title, "a title", err) < 0)
		return -1;
	return ai_buf_check(&s->meta, "the metadata", err);
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
	s->dedup = chunk_feed_dedup();
	s->mark = run.mark;
	if (s->dedup != NULL)
		s->prints.seed = chunk_dedup_seed(s->dedup);
	ai_buf_init(&s->ids.heads, META_MAX);
	ai_buf_init(&s->meta, META_MAX);
	ai_buf_init(&s->title, META_MAX);
	ai_buf_init(&s->made_context, JSON_MAX);
	chunk_page_init(&s->page);
	s->contextual = run.contextual;
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
	chunk_prints_release(&s->prints);
	free(s->copies);
	ai_buf_release(&s->ids.heads);
	ai_buf_release(&s->meta);
	ai_buf_release(&s->title);
	ai_buf_release(&s->made_context);
	chunk_page_release(&s->page);
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
	return chunk_feed_operand(state, path, out, err);
}

static const struct ai_filter filter = {
	.each = each, .operand = operand, .feed = chunk_feed,
	.open = open_state, .close = close_state,
};

/* For what must be written once more. */
static const struct ai_filter filter_again = {
	.operand = operand, .feed = chunk_feed_again, .open = open_state,
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

/* ---- --separator --------------------------------------------------------- */

/* A separator as it is typed: \\n, \\t, \\r, \\f and \\\\ stand for what they
 * do in C. */
static int put_separator(struct ai_buf *b, const char *s, struct ai_err *err)
{
	static const char from[] = "ntrf\\", to[] = "\n\t\r\f\\";
	const char *hit;

	for (; *s != '\0'; s++) {
		if (*s != '\\') {
			ai_buf_chr(b, *s);
			continue;
		}
		s++;
		hit = *s != '\0' ? strchr(from, *s) : NULL;
		if (hit == NULL)
			return ai_err_set(err, AI_E_USAGE, "--separator: "
					  "'\\%.1s' is none of \\n \\t \\r \\f "
					  "\\\\", s);
		ai_buf_chr(b, to[hit - from]);
	}
	return ai_buf_check(b, "a separator", err);
}

static int read_separators(const struct chunk_settings *set,
			   struct ai_err *err)
{
	struct chunk_separators *to = &run.separators;
	size_t ends[CHUNK_SEPARATORS_MAX], at = 0;

	if (set->separators.n > CHUNK_SEPARATORS_MAX)
		return ai_err_set(err, AI_E_USAGE,
				  "--separator may be given %d times, not %zu",
				  CHUNK_SEPARATORS_MAX, set->separators.n);
	ai_buf_init(&run.separator_bytes, SEPARATORS_MAX);
	for (; to->n < set->separators.n; to->n++) {
		if (put_separator(&run.separator_bytes,
				  set->separators.v[to->n], err) < 0)
			return -1;
		ends[to->n] = run.separator_bytes.len;
	}
	for (size_t i = 0; i < to->n; at = ends[i++])
		to->v[i] = (struct ai_span){
			ai_buf_cstr(&run.separator_bytes) + at, ends[i] - at
		};
	to->keep = set->keep_separator;
	if (to->n == 0)
		chunk_separators_usual(to);
	run.how.separators = to;
	return 0;
}

/* ---- starting ------------------------------------------------------------ */

/* 200 of 1000, and less of less. */
#define OVERLAP_PART 5

static int set_up(const struct chunk_settings *set, struct ai_err *err)
{
	int64_t overlap = set->overlap;
	bool tokens;

	if (!set->overlap_given && overlap > set->size / OVERLAP_PART)
		overlap = set->size / OVERLAP_PART;
	if (overlap >= set->size)
		return ai_err_set(err, AI_E_USAGE, "--overlap %lld is not "
				  "smaller than --size %lld",
				  (long long)overlap, (long long)set->size);
	run.by = set->by;
	run.mark = set->copies == CHUNK_COPIES_MARK;
	run.contextual = set->contextual;
	run.how.size = (size_t)set->size;
	run.how.overlap = (size_t)overlap;
	tokens = set->unit == CHUNK_UNIT_TOKENS ||
		set->by == 1 + CHUNK_TOKENS;
	run.measure = tokens ? chunk_measure_tokens : chunk_measure_chars;
	run.how.measure = &run.measure;
	if (read_separators(set, err) < 0)
		return -1;
	if (!tokens)
		return 0;
	if (ai_tokenizer_open(&run.bpe, set->encoding, err) < 0)
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
	if (argc == 0 && (set->state != NULL || set->dedup > 0))
		return ai_err_set(err, AI_E_USAGE, "%s is for documents; name "
				  "files or folders", set->state != NULL
						      ? "--state" : "--dedup");
	return ai_loop_run(&filter, argc, argv, err);
}

/* The state changes when all that is to be written was written. */
static int run_all(const struct chunk_settings *set, int argc, char **argv,
		   struct ai_err *err)
{
	static char nothing[] = "";
	char *none[] = { nothing };
	int status = run_operands(set, argc, argv, err), again;
	bool more;

	if (status < 0 || chunk_feed_look_again(&more, err) < 0)
		return -1;
	if (more) {
		again = ai_loop_run(&filter_again, 1, none, err);
		if (again < 0)
			return -1;
		if (status == AI_EXIT_OK)
			status = again;
	}
	return chunk_feed_end(err) < 0 ? -1 : status;
}

static int commit(const struct chunk_settings *set, int argc,
		  struct ai_err *err)
{
	if (set->state == NULL || argc > 0 || set->files_from != NULL)
		return ai_err_set(err, AI_E_USAGE, "--commit needs --state "
				  "FILE, and no documents");
	return chunk_known_adopt(set->state, err) < 0 ? -1 : AI_EXIT_OK;
}

int chunk_run(const struct chunk_settings *set, int argc, char **argv,
	      struct ai_err *err)
{
	struct ai_span encoding = { "", 0 };
	int rc;

	if (set->commit)
		return commit(set, argc, err);
	if (set->pending && set->state == NULL)
		return ai_err_set(err, AI_E_USAGE,
				  "--pending needs --state FILE");
	rc = set_up(set, err);
	if (rc == 0 && run.bpe != NULL)
		encoding = ai_bpe_source(run.bpe);
	if (rc == 0)
		rc = chunk_feed_begin(set, encoding, err);
	if (rc == 0)
		rc = run_all(set, argc, argv, err);
	chunk_feed_release();
	ai_bpe_close(run.bpe);
	ai_buf_release(&run.separator_bytes);
	return rc;
}
