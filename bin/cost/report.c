/* report.c: what was spent. */
#include "cost.h"

#include "base/start.h"
#include "record/loop.h"

#include <stdio.h>
#include <string.h>

/* The i-th word of COST_BY. */
static void by_name(char *out, size_t size)
{
	const char *p = COST_BY;
	int i;

	for (i = 0; i < cost.by; i++)
		p = strchr(p, '|') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(p, "|"), p);
}

struct report {
	struct cost_out out;
	char by[16];
	struct ai_spend all;
};

static void put_row(struct report *r, const struct ai_spend *s)
{
	struct ai_buf *b = &r->out.line;
	char spent[AI_MONEY_TEXT], held[AI_MONEY_TEXT];

	if (ai_loop.plain_out) {
		ai_money_show(s->posted, spent);
		ai_money_show(s->pending, held);
		ai_buf_fmt(b, "%-32s %8lld %12s %12s", s->name[0] != '\0'
			   ? s->name : "(none)", (long long)s->calls, spent,
			   held);
		return;
	}
	ai_put_open(b, '{');
	cost_put_text(b, r->by, s->name[0] != '\0' ? s->name : NULL);
	cost_put_int(b, "calls", s->calls);
	cost_put_usd(b, "spent_usd", s->posted);
	cost_put_usd(b, "held_usd", s->pending);
	if (s->lost > 0)
		cost_put_int(b, "unanswered", s->lost);
	ai_put_close(b, '}');
}

static int report_row(void *arg, const struct ai_spend *s)
{
	struct report *r = arg;

	r->all.calls += s->calls;
	r->all.posted += s->posted;
	r->all.pending += s->pending;
	put_row(r, s);
	return cost_put(&r->out);
}

static int write_report(struct ai_ledger *l, struct report *r,
			struct ai_err *err)
{
	int64_t since = 0, until = INT64_MAX;

	if ((cost.since != NULL &&
	     ai_ledger_date(cost.since, &since, err) < 0) ||
	    (cost.until != NULL && ai_ledger_date(cost.until, &until, err) < 0))
		return -1;
	if (ai_loop.plain_out) {
		ai_buf_fmt(&r->out.line, "%-32s %8s %12s %12s", r->by, "calls",
			   "spent", "held");
		cost_put(&r->out);
	}
	if (r->out.rc == 0 &&
	    ai_ledger_report(l, r->by, since, until, report_row, r, err) < 0)
		return -1;
	if (ai_loop.plain_out && r->out.rc == 0) {
		snprintf(r->all.name, sizeof(r->all.name), "all");
		put_row(r, &r->all);
		cost_put(&r->out);
	}
	return 0;
}

int cost_report(int argc, char **argv, struct ai_err *err)
{
	struct report r = { .by = "" };
	struct ai_ledger *l;
	int rc;

	if (cost_no_operand(argc, argv, err) < 0 ||
	    cost_open(&l, false, err) < 0)
		return -1;
	if (l == NULL)
		return AI_EXIT_OK;
	cost_begin(&r.out, ai_loop.plain_out);
	by_name(r.by, sizeof(r.by));
	rc = write_report(l, &r, err);
	ai_ledger_close(l);
	return cost_end(&r.out, rc, err);
}
