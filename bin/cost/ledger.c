/* ledger.c: the ledger, the words behind a verb, and the lines that are written. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "record/loop.h"
#include "record/rec.h"
#include "record/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct cost_settings cost = { .requests = -1, .tokens = -1 };

int cost_operands(int argc, int n, const char *how, struct ai_err *err)
{
	return argc == n ? 0 : ai_err_set(err, AI_E_USAGE,
					  "usage: ai-cost %s", how);
}

int cost_open(struct ai_ledger **l, bool make, struct ai_err *err)
{
	char path[4096];

	*l = NULL;
	if (cost.ledger != NULL && strcmp(cost.ledger, "none") == 0)
		return ai_err_set(err, AI_E_USAGE, "--ledger none: there is "
				  "no ledger to look at");
	ai_ledger_path(cost.ledger, path, sizeof(path));
	if (!make && path[0] != '\0' && access(path, F_OK) != 0 &&
	    errno == ENOENT) {
		ai_msg(AI_MSG_WARN, "there is no ledger '%s' yet: nothing was "
		       "spent", path);
		return 0;
	}
	return ai_ledger_open(l, cost.ledger, err);
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
	const char *space = of[0] != '\0' ? " " : "";
	struct ai_buf all;

	ai_buf_init(&all, 4096);
	name_all(names, n, &all);
	if (word == NULL)
		ai_err_set(err, AI_E_USAGE, "what shall 'ai-cost%s%s' do? Name "
			   "one: %s", space, of, (const char *)all.p);
	else if (near != NULL)
		ai_err_set(err, AI_E_USAGE, "'%.60s' is no verb%s%s; did you "
			   "mean '%s'?", word, of[0] != '\0' ? " of " : "", of,
			   near);
	else
		ai_err_set(err, AI_E_USAGE, "'%.60s' is no verb%s%s; there %s "
			   "%s", word, of[0] != '\0' ? " of " : "", of,
			   n > 1 ? "are" : "is", (const char *)all.p);
	ai_buf_release(&all);
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
	return no_word(of != NULL ? of : "", names, n,
		       argc > 0 ? argv[0] : NULL, err);
}

int cost_no_operand(int argc, char **argv, struct ai_err *err)
{
	return argc == 0 ? 0 :
		ai_err_set(err, AI_E_USAGE, "no operand is expected: '%.80s'",
			   argv[0]);
}

void cost_begin(struct cost_out *o)
{
	memset(o, 0, sizeof(*o));
	ai_buf_init(&o->line, 1 << 20);
}

int cost_put(struct cost_out *o)
{
	struct ai_writer w;

	ai_buf_chr(&o->line, '\n');
	o->rc = ai_buf_check(&o->line, "the line", &o->err);
	ai_writer_init(&w, STDOUT_FILENO);
	if (o->rc == 0)
		o->rc = ai_writer_add(&w, o->line.p, o->line.len, &o->err);
	if (o->rc == 0)
		o->rc = ai_writer_flush(&w, &o->err);
	ai_writer_release(&w);
	ai_buf_clear(&o->line);
	return o->rc < 0;
}

int cost_end(struct cost_out *o, struct ai_err *err)
{
	ai_buf_release(&o->line);
	if (o->rc < 0)
		*err = o->err;
	return o->rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_list(int (*rows)(struct ai_ledger *, struct cost_out *,
			  struct ai_err *), const char *head,
	      struct ai_err *err)
{
	struct ai_ledger *l;
	struct cost_out o;
	int rc;

	if (cost_open(&l, false, err) < 0)
		return -1;
	if (l == NULL)
		return AI_EXIT_OK;
	cost_begin(&o);
	if (ai_loop.plain_out && head != NULL) {
		ai_buf_str(&o.line, head);
		cost_put(&o);
	}
	rc = o.rc == 0 ? rows(l, &o, err) : 0;
	ai_ledger_close(l);
	if (rc < 0) {
		ai_buf_release(&o.line);
		return -1;
	}
	return cost_end(&o, err);
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

void cost_put_time(struct ai_buf *b, const char *key, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	char text[40] = "";
	struct tm t;

	if (localtime_r(&s, &t) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &t);
	cost_put_text(b, key, text);
}
