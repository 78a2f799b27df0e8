/* ledger-report.c: reading what stands in the ledger. */
#include "store/ledger-int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char budgets_sql[] =
	"SELECT scope, name, period, cap, coalesce((SELECT p.name FROM person p"
	" WHERE b.scope='user' AND p.token=b.name), b.name) FROM budget b"
	" ORDER BY scope<>'all', scope, name,"
	" instr('request hour day month total', period)";

int ledger_used(struct ai_ledger *l, const char *name,
		struct ai_budget_state *b, struct ai_err *err)
{
	sqlite3_stmt *st;
	int64_t start;
	int rc;

	b->posted = b->pending = -1;
	b->resets_ms = INT64_MAX;
	if (strcmp(b->budget.period, "request") == 0 ||
	    !ledger_period(b->budget.period, l->wall_ms(), &start,
			   &b->resets_ms) ||
	    strcmp(name, "*") == 0)
		return 0;
	if (LEDGER_BIND(l, SQL_USED, err, "iiitt",
			(int64_t)(strcmp(b->budget.period, "total") == 0), start,
			b->resets_ms, ai_span_of(b->budget.scope),
			ai_span_of(name)) < 0)
		return -1;
	st = l->st[SQL_USED];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		b->pending = sqlite3_column_int64(st, 0);
		b->posted = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* As ledger-schema.c makes them. */
static void list_new(int (*each)(void *arg, const struct ai_budget_state *b),
		     void *arg)
{
	struct ai_budget_state s[] = {
		{ { "all", "", "request", LEDGER_NEW_REQUEST }, -1, -1, INT64_MAX },
		{ { "all", "", "day", LEDGER_NEW_DAY }, 0, 0, INT64_MAX },
	};
	int64_t start;

	ledger_period("day", (int64_t)time(NULL) * 1000, &start,
		      &s[1].resets_ms);
	if (each(arg, &s[0]) == 0)
		each(arg, &s[1]);
}

int ai_ledger_budgets(struct ai_ledger *l,
		      int (*each)(void *arg, const struct ai_budget_state *b),
		      void *arg, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_budget_state b;
	char name[128];
	int rc;

	if (l == NULL) {
		list_new(each, arg);
		return 0;
	}
	rc = ai_db_bind(&l->db, &st, budgets_sql, err, "");
	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		ledger_copy_column(b.budget.scope, sizeof(b.budget.scope), st,
				   0);
		ledger_copy_column(name, sizeof(name), st, 1);
		ledger_copy_column(b.budget.period, sizeof(b.budget.period),
				   st, 2);
		b.budget.cap = sqlite3_column_int64(st, 3);
		ledger_copy_column(b.budget.name, sizeof(b.budget.name), st,
				   4);
		rc = ledger_used(l, name, &b, err);
		if (rc == 0 && each(arg, &b) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

int ai_ledger_limits(struct ai_ledger *l,
		     int (*each)(void *arg, const struct ai_limit *limit),
		     void *arg, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_limit q;
	int rc = ai_db_bind(&l->db, &st, "SELECT key, model, requests, tokens"
			    " FROM rate ORDER BY key, model", err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		ledger_copy_column(q.key, sizeof(q.key), st, 0);
		ledger_copy_column(q.model, sizeof(q.model), st, 1);
		q.requests = sqlite3_column_int64(st, 2);
		q.tokens = sqlite3_column_int64(st, 3);
		if (each(arg, &q) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

static void read_hold(sqlite3_stmt *st, struct ai_hold *h)
{
	struct ai_owner o;

	ledger_copy_column(h->id, sizeof(h->id), st, 0);
	ledger_copy_column(h->tool, sizeof(h->tool), st, 1);
	ledger_copy_column(h->model, sizeof(h->model), st, 2);
	h->amount = sqlite3_column_int64(st, 3);
	h->created = sqlite3_column_int64(st, 4);
	h->sent = sqlite3_column_int(st, 5) != 0;
	h->alive = ledger_living(st, 6, &o) != 0;
	h->pid = o.pid;
}

int ai_ledger_holds(struct ai_ledger *l,
		    int (*each)(void *arg, const struct ai_hold *h), void *arg,
		    struct ai_err *err)
{
	static const char sql[] = "SELECT lower(hex(t.id)), l.tool, l.model,"
		" h.amount, t.created, h.sent, h.pid, h.start, h.space, h.boot"
		" FROM hold h CROSS JOIN transfer t ON t.seq=h.transfer"
		" CROSS JOIN label l ON l.n=t.label ORDER BY h.transfer";
	sqlite3_stmt *st = NULL;
	struct ai_hold h;
	int rc = ai_db_bind(&l->db, &st, sql, err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		read_hold(st, &h);
		if (each(arg, &h) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

int ai_ledger_unanswered(struct ai_ledger *l,
			 int (*each)(void *arg, const struct ai_hold *h),
			 void *arg, struct ai_err *err)
{
	static const char sql[] = "SELECT lower(hex(t.id)), l.tool, l.model,"
		" t.amount, t.created FROM transfer e JOIN transfer t ON"
		" t.seq=e.of JOIN label l ON l.n=t.label WHERE e.kind=4 AND"
		" NOT EXISTS (SELECT 1 FROM transfer c WHERE c.of=t.seq AND"
		" c.kind=5) ORDER BY t.seq";
	sqlite3_stmt *st = NULL;
	struct ai_hold h = { .sent = true };
	int rc = ai_db_bind(&l->db, &st, sql, err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		ledger_copy_column(h.id, sizeof(h.id), st, 0);
		ledger_copy_column(h.tool, sizeof(h.tool), st, 1);
		ledger_copy_column(h.model, sizeof(h.model), st, 2);
		h.amount = sqlite3_column_int64(st, 3);
		h.created = sqlite3_column_int64(st, 4);
		if (each(arg, &h) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

/* ---- dates ----------------------------------------------------------------------- */

/* February 31st would be taken for March 3rd. In UTC every midnight is one. */
static bool is_day(struct tm t)
{
	int day = t.tm_mday, month = t.tm_mon;

	return timegm(&t) != (time_t)-1 && t.tm_mday == day &&
		t.tm_mon == month;
}

int ai_ledger_date(const char *text, int64_t *ms, struct ai_err *err)
{
	struct tm t = { .tm_mday = 1 };
	const char *end = strptime(text, "%Y-%m-%d", &t);

	if (end == NULL || *end != '\0')
		return ai_err_set(err, AI_E_USAGE, "'%.40s' is no date like "
				  "2026-11-22", text);
	if (!is_day(t))
		return ai_err_set(err, AI_E_USAGE, "there is no day '%.40s'",
				  text);
	*ms = ledger_midnight((int64_t)t.tm_year + 1900, t.tm_mon, t.tm_mday);
	return 0;
}
