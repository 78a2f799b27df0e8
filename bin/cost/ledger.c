/* ledger.c: the ledger, the words behind a verb, and the lines that are written. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "base/utf8.h"
#include "model/paid.h"
#include "record/loop.h"
#include "record/rec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct cost_settings cost = { .requests = -1, .tokens = -1 };

int cost_operands(int argc, int n, const char *how, struct ai_err *err)
{
	return argc == n ? 0 : ai_err_set(err, AI_E_USAGE,
					  "usage: ai-cost %s", how);
}

/* Only what is not there is no ledger yet. */
static int is_there(const char *path, bool *there, struct ai_err *err)
{
	struct stat st;

	*there = path[0] == '\0' || stat(path, &st) == 0;
	if (!*there && errno != ENOENT)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot look at the "
				  "ledger '%.200s'", path);
	return 0;
}

/* A new ledger has the zone of TZ, or that of UTC if there is no such. */
static int make(struct ai_ledger **l, struct ai_err *err)
{
	char before[80] = "";
	const char *zone = getenv("TZ");

	if (zone != NULL)
		snprintf(before, sizeof(before), "%s", zone);
	if (ai_ledger_open(l, ai_paid.ledger, err) < 0)
		return -1;
	zone = getenv("TZ");
	if (before[0] != '\0' && zone != NULL && strcmp(before, zone) != 0)
		ai_msg(AI_MSG_WARN, "there is no time zone '%s' on this "
		       "machine (TZ): the days of the new ledger are those "
		       "of %s", before, zone);
	return 0;
}

/* Where the ledger is to be, and whether it is there. */
static int find(char *path, size_t size, bool *there, struct ai_err *err)
{
	if (ai_paid.ledger != NULL && strcmp(ai_paid.ledger, "none") == 0)
		return ai_err_set(err, AI_E_USAGE, "--ledger none: there is "
				  "no ledger to look at");
	ai_ledger_path(ai_paid.ledger, path, size);
	return is_there(path, there, err);
}

int cost_look(struct ai_ledger **l, struct ai_err *err)
{
	char path[4096];
	bool there;

	*l = NULL;
	if (find(path, sizeof(path), &there, err) < 0)
		return -1;
	return there ? ai_ledger_open_read(l, ai_paid.ledger, err) : 0;
}

int cost_open(struct ai_ledger **l, bool may_make, struct ai_err *err)
{
	char path[4096];
	bool there;

	*l = NULL;
	if (find(path, sizeof(path), &there, err) < 0)
		return -1;
	if (may_make)
		return there ? ai_ledger_open(l, ai_paid.ledger, err)
			     : make(l, err);
	if (there)
		return ai_ledger_open_read(l, ai_paid.ledger, err);
	ai_msg(AI_MSG_WARN, "there is no ledger '%s' yet: nothing was spent",
	       path);
	return 0;
}

#define WORDS_MAX 16

/* "budget, limit or report" */
static void name_all(const char **names, size_t n, struct ai_buf *b)
{
	size_t i;

	for (i = 0; i < n; i++)
		ai_buf_fmt(b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ",
			   names[i]);
	ai_buf_chr(b, '\0');
}

static int no_word(const char *of, const char **names, size_t n,
		   const char *word, struct ai_err *err)
{
	const char *near = word != NULL ? ai_nearest(word, names, n) : NULL;
	struct ai_buf all, what;

	ai_buf_init(&all, 4096);
	name_all(names, n, &all);
	ai_buf_init(&what, 256);
	if (of != NULL)
		ai_buf_fmt(&what, "no verb of %s", of);
	else
		ai_buf_str(&what, "neither a verb nor a file");
	if (word == NULL)
		ai_err_set(err, AI_E_USAGE, "what shall 'ai-cost %s' do? Name "
			   "one: %s", of, ai_buf_cstr(&all));
	else if (near != NULL)
		ai_err_set(err, AI_E_USAGE, "'%.60s' is %s; did you mean "
			   "'%s'?", word, ai_buf_cstr(&what), near);
	else
		ai_err_set(err, AI_E_USAGE, "'%.60s' is %s; there %s %s", word,
			   ai_buf_cstr(&what), n > 1 ? "are" : "is",
			   ai_buf_cstr(&all));
	ai_buf_release(&all);
	ai_buf_release(&what);
	return -1;
}

int cost_pick(const char *of, const struct cost_word *words, int argc,
	      char **argv, struct ai_err *err)
{
	const char *names[WORDS_MAX];
	size_t n;

	for (n = 0; words[n].name != NULL && n < WORDS_MAX; n++) {
		if (argc > 0 && strcmp(argv[0], words[n].name) == 0)
			return words[n].run(argc - 1, argv + 1, err);
		names[n] = words[n].name;
	}
	return no_word(of, names, n,
		       argc > 0 ? argv[0] : NULL, err);
}

int cost_no_operand(int argc, char **argv, struct ai_err *err)
{
	return argc == 0 ? 0 :
		ai_err_set(err, AI_E_USAGE, "no operand is expected: '%.80s'",
			   argv[0]);
}

void cost_begin(struct cost_out *o, bool table)
{
	memset(o, 0, sizeof(*o));
	ai_buf_init(&o->line, 1 << 20);
	ai_spool_init(&o->kept);
	o->table = table;
}

/* A name may have been anybody's idea: what would forge a line or drive the
 * terminal is shown as '?', and no column moves. */
static void clean(struct ai_buf *line)
{
	size_t i, len, n = 0;
	unsigned char c;

	for (i = 0; i < line->len; i += len > 0 ? len : 1) {
		len = ai_utf8_len(line->p + i, line->len - i);
		c = (unsigned char)line->p[i];
		if (len == 0 || c < 0x20 || c == 0x7f ||
		    (c == 0xC2 && (unsigned char)line->p[i + 1] < 0xA0)) {
			line->p[n++] = '?';
			continue;
		}
		memmove(line->p + n, line->p + i, len);
		n += len;
	}
	line->len = n;
}

int cost_put(struct cost_out *o)
{
	if (o->table)
		clean(&o->line);
	ai_buf_chr(&o->line, '\n');
	o->rc = ai_buf_check(&o->line, "the line", &o->err);
	if (o->rc == 0)
		o->rc = ai_spool_add(&o->kept, o->line.p, o->line.len,
				     &o->err);
	ai_buf_clear(&o->line);
	return o->rc < 0;
}

int cost_end(struct cost_out *o, int rc, struct ai_err *err)
{
	/* What was found before an error is worth something. */
	if (o->rc == 0)
		o->rc = ai_spool_write(&o->kept, STDOUT_FILENO, &o->err);
	if (rc == 0 && o->rc < 0)
		*err = o->err;
	ai_buf_release(&o->line);
	ai_spool_release(&o->kept);
	return rc < 0 || o->rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_list(cost_rows_fn *rows, const char *head, struct ai_err *err)
{
	struct ai_ledger *l;

	if (cost_open(&l, false, err) < 0)
		return -1;
	return l == NULL ? AI_EXIT_OK : cost_list_of(l, rows, head, err);
}

int cost_list_of(struct ai_ledger *l, cost_rows_fn *rows, const char *head,
		 struct ai_err *err)
{
	struct cost_out o;
	int rc;

	cost_begin(&o, ai_loop.plain_out && head != NULL);
	if (o.table && head[0] != '\0') {
		ai_buf_str(&o.line, head);
		cost_put(&o);
	}
	rc = o.rc == 0 ? rows(l, &o, err) : 0;
	ai_ledger_close(l);
	return cost_end(&o, rc, err);
}

void cost_put_usd(struct ai_buf *b, const char *key, int64_t nano)
{
	char text[AI_MONEY_TEXT];

	ai_put_key(b, key);
	ai_money_text(nano, text);
	ai_put_raw(b, text, strlen(text));
}

void cost_put_text(struct ai_buf *b, const char *key, const char *text)
{
	ai_put_key(b, key);
	ai_put_cstr(b, text);
}

void cost_put_int(struct ai_buf *b, const char *key, int64_t n)
{
	ai_put_key(b, key);
	ai_put_i64(b, n);
}

void cost_time(int64_t ms, char out[40])
{
	time_t s = (time_t)(ms / 1000);
	struct tm t;

	out[0] = '\0';
	if (localtime_r(&s, &t) != NULL)
		strftime(out, 40, "%Y-%m-%dT%H:%M:%S%z", &t);
}

void cost_put_time(struct ai_buf *b, const char *key, int64_t ms)
{
	char text[40];

	cost_time(ms, text);
	cost_put_text(b, key, text);
}
