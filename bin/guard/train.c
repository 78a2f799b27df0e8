/* train.c: ai-guard train -o FILE ROWS...: reads the rows. */
#include "guard.h"
#include "train.h"

#include "base/msg.h"
#include "record/json.h"
#include "record/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define HELD_OUT 8 /* without --calibrate: one in so many harmless rows */

struct guard_train_settings guard_train_settings;

static void release(struct train_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].words);
	free(rows->v);
}

static int add_words(struct train_row *r, const struct ai_buf *text,
		     struct ai_err *err)
{
	struct feature_words w;
	struct feature_word x;
	size_t cap = 0;
	void *p;

	r->bytes = text->len;
	feature_words_init(&w, ai_buf_cstr(text), text->len);
	while (feature_words_next(&w, &x)) {
		if (r->n == cap) {
			cap = 2 * cap + 64;
			p = reallocarray(r->words, cap, sizeof x);
			if (p == NULL)
				return ai_err_nomem(err);
			r->words = p;
		}
		r->words[r->n++] = x;
	}
	return 0;
}

/* Which tables the row is for; -1: no such context. */
static int set_context(struct train_row *r, struct ai_value context)
{
	r->of[WEIGHTS_USER] = r->of[WEIGHTS_DOCUMENT] = true;
	if (context.kind == AI_NONE)
		return 0;
	r->of[WEIGHTS_USER] = ai_json_is(context, AI_SPAN("user"));
	r->of[WEIGHTS_DOCUMENT] = ai_json_is(context, AI_SPAN("document")) ||
				  ai_json_is(context, AI_SPAN("tool"));
	return r->of[WEIGHTS_USER] || r->of[WEIGHTS_DOCUMENT] ? 0 : -1;
}

static int add_row(struct train_rows *rows, struct ai_span line,
		   struct ai_buf *text, bool calibrate, struct ai_err *err)
{
	struct ai_value v, words, label, context;
	const struct ai_json_want want[] = {
		{ AI_SPAN("text"), &words }, { AI_SPAN("label"), &label },
		{ AI_SPAN("context"), &context },
	};
	struct train_row *r;
	int64_t attack = -1;

	if (ai_json_check(line.p, line.n, &v, err) < 0)
		return -1;
	if (v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "it is no JSON object");
	ai_json_members(v, want, 3);
	if (words.kind != AI_STRING || label.kind != AI_NUMBER ||
	    ai_json_i64(label, &attack) < 0 || attack < 0 || attack > 1)
		return ai_err_set(err, AI_E_DATA, "it needs \"text\", and "
				  "\"label\" that is 0 (harmless) or 1");
	if (rows->n == rows->cap) {
		r = reallocarray(rows->v, 2 * rows->cap + 1024, sizeof *r);
		if (r == NULL)
			return ai_err_nomem(err);
		rows->v = r;
		rows->cap = 2 * rows->cap + 1024;
	}
	r = &rows->v[rows->n];
	*r = (struct train_row){ .attack = attack == 1,
				 .calibrate = calibrate };
	if (set_context(r, context) < 0)
		return ai_err_set(err, AI_E_DATA, "its \"context\" is none of "
				  "user, document and tool");
	rows->n++;
	ai_buf_clear(text);
	if (ai_json_text(words, text) < 0)
		return ai_buf_check(text, "the text", err);
	return add_words(r, text, err);
}

static int read_rows(struct train_rows *rows, int fd, const char *path,
		     bool calibrate, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(LINE_MAX_BYTES);
	struct ai_reader reader;
	struct ai_line line;
	struct ai_err why;
	int rc;

	ai_reader_init(&reader, fd, LINE_MAX_BYTES);
	while ((rc = ai_reader_next(&reader, &line, err)) > 0) {
		if (line.text.n == 0 && !line.too_long)
			continue;
		if (line.too_long) {
			rc = ai_err_set(err, AI_E_DATA, "%s:%lu: the line is "
					"too long", path, line.number);
			break;
		}
		if (add_row(rows, line.text, &text, calibrate, &why) < 0) {
			rc = ai_err_set(err, AI_E_DATA, "%s:%lu: %s", path,
					line.number, why.msg);
			break;
		}
	}
	ai_reader_release(&reader);
	ai_buf_release(&text);
	return rc;
}

static int read_file(struct train_rows *rows, const char *path,
		     bool calibrate, struct ai_err *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
		 open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				  path);
	rc = read_rows(rows, fd, path, calibrate, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

/* Where no rows were given to measure the rates on, some are kept back. */
static void hold_out(struct train_rows *rows, enum weights_table t)
{
	size_t k = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].calibrate && rows->v[i].of[t])
			return;
	for (size_t i = 0; i < rows->n; i++)
		if (!rows->v[i].attack && rows->v[i].of[t] &&
		    k++ % HELD_OUT == 0)
			rows->v[i].calibrate = true;
}

/* Both kinds are needed, in each table. */
static int check(const struct train_rows *rows, struct ai_err *err)
{
	static const char *const names[] = { "user", "document" };

	for (int t = 0; t < WEIGHTS_TABLES; t++) {
		size_t n[2] = { 0, 0 };

		for (size_t i = 0; i < rows->n; i++)
			if (rows->v[i].of[t] && !rows->v[i].calibrate)
				n[rows->v[i].attack]++;
		if (n[0] == 0 || n[1] == 0)
			return ai_err_set(err, AI_E_DATA, "there are no %s rows "
					  "for context '%s'; both kinds are "
					  "needed", n[0] == 0 ? "harmless" :
					  "attack", names[t]);
	}
	return 0;
}

int guard_train(int argc, char **argv, struct ai_err *err)
{
	const struct ai_opt_list *calibrate = &guard_train_settings.calibrate;
	struct train_rows rows = { 0 };
	struct weights w;
	int rc = 0;

	if (guard_train_settings.out == NULL)
		return ai_err_set(err, AI_E_USAGE, "'train' needs -o FILE");
	if (argc < 1)
		return ai_err_set(err, AI_E_USAGE, "'train' needs files of "
				  "rows");
	for (int i = 0; i < argc && rc == 0; i++)
		rc = read_file(&rows, argv[i], false, err);
	for (size_t i = 0; i < calibrate->n && rc == 0; i++)
		rc = read_file(&rows, calibrate->v[i], true, err);
	for (int t = 0; t < WEIGHTS_TABLES && rc == 0; t++)
		hold_out(&rows, (enum weights_table)t);
	if (rc == 0)
		rc = check(&rows, err);
	if (rc == 0)
		rc = train_weights(&rows, &w, err);
	if (rc == 0) {
		rc = weights_write(&w, guard_train_settings.out, err);
		train_result_release(&w);
	}
	release(&rows);
	return rc;
}
