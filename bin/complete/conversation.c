/* conversation.c: the verb "conversation": what is kept, shown and deleted. */
#include "complete.h"

#include "base/start.h"
#include "record/spool.h"
#include "store/conversation.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Lines wait until the ledger is closed: standard output may wait for a
 * person, and the ledger's log would grow as long. */
struct lines {
	struct ai_spool kept;
	struct ai_buf line;
	struct ai_err *err;
	bool failed;
};

static struct ai_conversation named(const char *name)
{
	return (struct ai_conversation){ name, ai_paid.tenant, ai_paid.user };
}

static int put_line(struct lines *l)
{
	ai_buf_chr(&l->line, '\n');
	l->failed = ai_buf_check(&l->line, "a line", l->err) < 0 ||
		ai_spool_add(&l->kept, l->line.p, l->line.len, l->err) < 0;
	ai_buf_clear(&l->line);
	return l->failed;
}

static void put_cost(struct ai_buf *b, int64_t nano)
{
	char cost[AI_MONEY_TEXT];

	ai_money_text(nano, cost);
	ai_put_key(b, "cost_usd");
	ai_put_raw(b, cost, strlen(cost));
}

static void put_time(struct ai_buf *b, const char *key, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	char text[40] = "";
	struct tm t;

	if (localtime_r(&s, &t) != NULL)
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &t);
	ai_put_key(b, key);
	ai_put_cstr(b, text);
}

static int list_one(void *arg, const struct ai_conversation_state *c)
{
	struct lines *l = arg;
	struct ai_buf *b = &l->line;

	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "name", c->name);
	ai_wire_put_i64(b, "messages", c->messages);
	put_cost(b, c->amount);
	put_time(b, "created", c->created);
	put_time(b, "changed", c->changed);
	ai_put_close(b, '}');
	return put_line(l);
}

static int show_one(void *arg, const struct ai_message *m)
{
	struct lines *l = arg;
	struct ai_buf *b = &l->line;

	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "role", m->role);
	ai_put_key(b, "content");
	ai_put_raw(b, m->content.p, m->content.n);
	put_time(b, "created", m->created);
	if (m->amount > 0)
		put_cost(b, m->amount);
	ai_put_close(b, '}');
	return put_line(l);
}

/* ---- the verbs ----------------------------------------------------------------- */

static int list(struct ai_ledger *ledger, const char *name, struct lines *l)
{
	(void)name;
	return ai_conversation_list(ledger, ai_paid.tenant, ai_paid.user,
				    list_one, l, l->err);
}

static int none(const char *name, struct ai_err *err)
{
	return ai_err_set(err, AI_E_USAGE, "no conversation '%.80s'%s", name,
			  ai_paid.user != NULL || ai_paid.tenant != NULL
			  ? " of this user and tenant" : "");
}

static int show(struct ai_ledger *ledger, const char *name, struct lines *l)
{
	const struct ai_conversation c = named(name);
	int64_t n = ai_conversation_read(ledger, &c, show_one, l, l->err);

	return n < 0 ? -1 : n == 0 ? none(name, l->err) : 0;
}

static int delete(struct ai_ledger *ledger, const char *name, struct lines *l)
{
	const struct ai_conversation c = named(name);
	int there = ai_conversation_remove(ledger, &c, l->err);

	return there < 0 ? -1 : there == 0 ? none(name, l->err) : 0;
}

static const struct word {
	const char *name;
	int operands;
	bool changes;
	int (*run)(struct ai_ledger *ledger, const char *name,
		   struct lines *l);
} words[] = {
	{ "list", 0, false, list }, { "show", 1, false, show },
	{ "delete", 1, true, delete },
};

/* What is not there yet has no conversations, and is not made for them. */
static int open_ledger(const struct word *w, struct ai_ledger **l,
		       struct ai_err *err)
{
	char path[4096];

	*l = NULL;
	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_USAGE, "--ledger none: there are "
				  "no conversations");
	ai_ledger_path(ai_paid.ledger, path, sizeof path);
	if (access(path, F_OK) != 0)
		return 0;
	return w->changes ? ai_ledger_open(l, ai_paid.ledger, err)
			  : ai_ledger_open_read(l, ai_paid.ledger, err);
}

static int run(const struct word *w, const char *name, struct ai_err *err)
{
	struct lines l = { .line = AI_BUF_INIT((size_t)256 << 20), .err = err };
	struct ai_ledger *ledger;
	int rc;

	if (open_ledger(w, &ledger, err) < 0)
		return -1;
	ai_spool_init(&l.kept);
	rc = ledger != NULL ? w->run(ledger, name, &l) :
		w->operands > 0 ? none(name, err) : 0;
	ai_ledger_close(ledger);
	if (rc == 0 && !l.failed)
		rc = ai_spool_write(&l.kept, STDOUT_FILENO, err);
	ai_spool_release(&l.kept);
	ai_buf_release(&l.line);
	return rc < 0 || l.failed ? -1 : AI_EXIT_OK;
}

int complete_conversation(int argc, char **argv, struct ai_err *err)
{
	const struct word *end = words + sizeof words / sizeof *words;

	for (const struct word *w = words; w < end; w++)
		if (argc > 0 && strcmp(argv[0], w->name) == 0 &&
		    argc == 1 + w->operands)
			return run(w, argc > 1 ? argv[1] : NULL, err);
	return ai_err_set(err, AI_E_USAGE, "usage: ai-complete conversation "
			  "list | show NAME | delete NAME; to ask words that "
			  "begin so, put quotes around all of them");
}
