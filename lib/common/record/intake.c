/* intake.c: input becomes jobs: files, standard input, words. */
#include "record/job.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct entry *add_entry(struct loop *l, struct ai_err *err)
{
	struct job *j = ai_loop_filling(l, err);
	struct entry *more;
	size_t cap;

	if (j == NULL)
		return NULL;
	if (j->n == j->cap) {
		cap = j->cap * 2 + 16;
		more = reallocarray(j->entries, cap, sizeof *more);
		if (more == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		j->entries = more;
		j->cap = cap;
	}
	if (j->n == 0 && l->filter->linger_ms > 0)
		j->since = ai_clock_s();
	memset(&j->entries[j->n], 0, sizeof *j->entries);
	j->entries[j->n].at = j->in.len;
	return &j->entries[j->n++];
}

/* Ends an entry whose bytes were just added to job.in. */
static int close_entry(struct loop *l, struct entry *e, struct ai_err *err)
{
	const struct ai_filter *f = l->filter;
	struct job *j = l->filling;
	size_t bytes = f->many == NULL ? JOB_BYTES
		: f->batch_bytes > 0 ? f->batch_bytes : BATCH_BYTES;

	e->n = j->in.len - e->at;
	if (ai_buf_check(&j->in, "input", err) < 0)
		return -1;
	if (j->in.len >= bytes || (f->batch > 0 && j->n >= f->batch) ||
	    e->kind == ENTRY_OPERAND)
		return ai_loop_dispatch(l, err);
	return 0;
}

/* Where plain text goes: -p if it names a member, else the usual one. */
static const char *plain_member(const struct loop *l)
{
	if (ai_loop.path != NULL && *ai_loop.path != '\0' &&
	    strpbrk(ai_loop.path, ".\\") == NULL)
		return ai_loop.path;
	return l->filter->words != NULL ? l->filter->words : "text";
}

static void put_plain(struct loop *l, struct ai_buf *b, struct ai_span text,
		      const char *uri)
{
	ai_buf_chr(b, '{');
	ai_put_key(b, plain_member(l));
	ai_put_str(b, text.p, text.n);
	if (uri != NULL) {
		ai_put_key(b, "source");
		ai_put_open(b, '{');
		ai_put_key(b, "uri");
		ai_put_str(b, uri, ai_utf8_valid(uri, strlen(uri)));
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

static bool is_blank(struct ai_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr(" \t\r", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return true;
}

static int take_line(struct loop *l, struct ai_reader *r,
		     const struct ai_line *line, const char *uri,
		     struct ai_err *err)
{
	bool plain = ai_loop.plain_in;
	struct ai_span text = line->text;
	struct entry *e;
	struct ai_buf *in;

	if (!line->too_long && !plain && is_blank(text))
		return 0;
	e = add_entry(l, err);
	if (e == NULL)
		return -1;
	in = &l->filling->in;
	e->number = line->number;
	e->file = l->file;
	e->length = line->length;
	if (line->too_long) {
		e->kind = ENTRY_BAD;
		e->code = AI_E_TOO_LONG;
		memcpy(e->hash, line->hash, sizeof e->hash);
	} else if (!plain) {
		ai_buf_add(in, text.p, text.n);
	} else if (ai_utf8_valid(text.p, text.n) == text.n) {
		put_plain(l, in, text, uri);
	} else {
		e->kind = ENTRY_BAD;
		e->code = AI_E_UTF8;
		ai_buf_add(in, text.p, text.n);
	}
	/* Worked on before the next is read, a long one need not be there
	 * twice. */
	ai_reader_copied(r);
	return close_entry(l, e, err);
}

static int read_fd(struct loop *l, int fd, const char *uri, struct ai_err *err)
{
	struct ai_reader r;
	struct ai_line line;
	int more = 1, rc = 0;
	bool whole = ai_loop.plain_in && ai_loop.slurp;

	ai_loop_files++;
	l->file = uri;
	/* If it is a pipe and we may: calls of many() are long. */
	if (l->filter->many != NULL)
		fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	ai_reader_init(&r, fd, (size_t)ai_loop.max_line);
	r.before = ai_loop_settle;
	r.arg = l;
	while (rc == 0 && more > 0 && l->stop == AI_SIG_NO) {
		more = whole ? ai_reader_all(&r, &line, err)
			     : ai_reader_next(&r, &line, err);
		if (more > 0)
			rc = take_line(l, &r, &line, whole ? uri : NULL, err);
	}
	ai_reader_release(&r);
	/* Where it was stopped, there it ends. */
	return rc < 0 || (more < 0 && l->stop == AI_SIG_NO) ? -1 : 0;
}

/* A file that cannot be opened is told of and passed over, as cat does. */
static int read_file(struct loop *l, const char *path, struct ai_err *err)
{
	struct ai_err why;
	int fd, rc;

	if (strcmp(path, "-") == 0)
		return read_fd(l, STDIN_FILENO, NULL, err);
	fd = ai_path_open(path, &why);
	if (fd < 0) {
		ai_msg_err(&why);
		l->cannot_open = true;
		return 0;
	}
	rc = read_fd(l, fd, path, err);
	close(fd);
	return rc;
}

/* The operands as one payload: {"prompt":"the words"}. */
static int take_words(struct loop *l, int argc, char **argv,
		      struct ai_err *err)
{
	struct ai_buf words = AI_BUF_INIT((size_t)ai_loop.max_line);
	struct entry *e;
	int rc = -1;

	for (int i = 0; i < argc; i++) {
		if (i > 0)
			ai_buf_chr(&words, ' ');
		ai_buf_str(&words, argv[i]);
	}
	if (ai_buf_check(&words, "the command line", err) < 0)
		goto out;
	if (ai_utf8_valid(words.p, words.len) != words.len) {
		ai_err_set(err, AI_E_USAGE, "the words are not UTF-8");
		goto out;
	}
	e = add_entry(l, err);
	if (e == NULL)
		goto out;
	put_plain(l, &l->filling->in, (struct ai_span){ words.p, words.len },
		  NULL);
	rc = close_entry(l, e, err);
out:
	ai_buf_release(&words);
	return rc;
}

static int take_operand(void *loop, const char *operand, size_t n,
			struct ai_err *err)
{
	struct loop *l = loop;
	struct entry *e = add_entry(l, err);

	if (e == NULL)
		return -1;
	e->kind = ENTRY_OPERAND;
	ai_buf_add(&l->filling->in, operand, n);
	return close_entry(l, e, err);
}

int ai_intake(struct loop *l, int argc, char **argv, struct ai_err *err)
{
	int rc = 0;

	if (argc == 0)
		rc = read_fd(l, STDIN_FILENO, NULL, err);
	else if (l->filter->words != NULL)
		rc = take_words(l, argc, argv, err);
	else if (l->filter->feed != NULL)
		rc = l->filter->feed(argc, argv, take_operand, l, err);
	else
		for (int i = 0; rc == 0 && i < argc && l->stop == AI_SIG_NO;
		     i++)
			rc = l->filter->operand != NULL
				? take_operand(l, argv[i], strlen(argv[i]) + 1,
					       err)
				: read_file(l, argv[i], err);
	return rc < 0 ? -1 : ai_loop_dispatch(l, err);
}
