/* ledger-check.c: does everything in the file agree? */
#include "store/ledger-int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
	struct ai_ledger *l;
	void (*each)(void *arg, const char *what);
	void *arg;
	struct ai_err *err;
};

static void tell(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void tell(struct check *c, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->each(c->arg, text);
}

/* Every row of the query is a contradiction; fmt has one %lld for the first
 * column and a %s for the second. */
static int rows(struct check *c, const char *sql, const char *what)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, sql, c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0) {
		struct ai_span s = ai_db_span(st, 1);

		tell(c, "%s %lld: %.*s", what,
		     (long long)sqlite3_column_int64(st, 0), (int)s.n,
		     s.p == NULL ? "" : s.p);
	}
	ai_db_finish(&st);
	return rc;
}

static const struct { const char *what, *sql; } questions[] = {
	{ "account",
	  "SELECT n, 'pending is '||pending||', its holds sum to '||s FROM"
	  " (SELECT a.n, a.pending, coalesce(sum(h.amount), 0) s FROM account a"
	  " LEFT JOIN entry e ON e.account=a.n"
	  " LEFT JOIN hold h ON h.transfer=e.transfer GROUP BY a.n)"
	  " WHERE pending<>s" },
	{ "account",
	  "SELECT n, 'posted is '||posted||', its transfers sum to '||s FROM"
	  " (SELECT a.n, a.posted, coalesce(sum(t.amount), 0) s FROM account a"
	  " LEFT JOIN entry e ON e.account=a.n"
	  " LEFT JOIN transfer t ON t.of=e.transfer GROUP BY a.n)"
	  " WHERE posted<>s" },
	{ "transfer",
	  "SELECT t.seq, 'it has ended and is held' FROM hold h"
	  " JOIN transfer t ON t.of=h.transfer AND t.kind IN (2, 3, 4)" },
	{ "transfer",
	  "SELECT seq, 'it has neither ended nor a hold' FROM transfer p WHERE"
	  " kind=1 AND NOT EXISTS (SELECT 1 FROM hold WHERE transfer=p.seq)"
	  " AND NOT EXISTS (SELECT 1 FROM transfer WHERE of=p.seq AND"
	  " kind IN (2, 3, 4))" },
	{ "hold",
	  "SELECT h.transfer, 'its amount is not its reservation''s' FROM hold h"
	  " LEFT JOIN transfer t ON t.seq=h.transfer WHERE"
	  " t.amount IS NOT h.amount" },
	{ "cache",
	  "SELECT 1, 'its entries have '||s||' bytes; the ledger says '||"
	  "cache_bytes FROM state, (SELECT coalesce(sum(length(value)), 0) s"
	  " FROM cache) WHERE cache_bytes<>s" },
	{ "database", "SELECT 1, integrity_check FROM pragma_integrity_check"
	  " WHERE integrity_check<>'ok'" },
};

/* The chain, from its first link to the end that the state remembers. */
static int check_chain(struct check *c)
{
	static const char sql[] = "SELECT seq, id, kind, coalesce(of, 0),"
		" amount, created, label, usage, link FROM transfer"
		" ORDER BY seq";
	unsigned char from[LEDGER_HASH] = { 0 }, link[LEDGER_HASH];
	struct ai_ledger *l = c->l;
	struct ledger_transfer t;
	sqlite3_stmt *st = NULL;
	int64_t seq = 0;
	struct ai_span s;
	int rc;

	if (ledger_state_load(l, c->err) < 0 ||
	    ai_db_bind(&l->db, &st, sql, c->err, "") < 0)
		return -1;
	while ((rc = ai_db_step(&l->db, st, c->err)) > 0) {
		if (sqlite3_column_int64(st, 0) != ++seq) {
			tell(c, "transfer %lld: it is missing", (long long)seq);
			seq = sqlite3_column_int64(st, 0);
		}
		s = ai_db_span(st, 1);
		t.id = s.n == AI_LEDGER_ID ? (const unsigned char *)s.p : NULL;
		t.kind = (enum ledger_kind)sqlite3_column_int(st, 2);
		t.of = sqlite3_column_int64(st, 3);
		t.amount = sqlite3_column_int64(st, 4);
		t.created = sqlite3_column_int64(st, 5);
		t.label = sqlite3_column_int64(st, 6);
		t.usage = (const char *)sqlite3_column_text(st, 7);
		ledger_link(l, from, seq, &t, link);
		s = ai_db_span(st, 8);
		if (s.n != LEDGER_HASH || memcmp(s.p, link, LEDGER_HASH) != 0)
			tell(c, "transfer %lld: its seal is broken: it, or one "
			     "before it, is not what was written",
			     (long long)seq);
		memcpy(from, s.n == LEDGER_HASH ? (const void *)s.p : link,
		       LEDGER_HASH);
	}
	ai_db_finish(&st);
	if (rc == 0 && (seq != l->seq ||
			memcmp(from, l->head, LEDGER_HASH) != 0))
		tell(c, "chain: it ends with transfer %lld; %lld was the last "
		     "that was written", (long long)seq, (long long)l->seq);
	return rc;
}

/* The chain of events, likewise. */
static int check_events(struct check *c)
{
	static const char sql[] = "SELECT seq, created, kind, detail, link"
		" FROM event ORDER BY seq";
	unsigned char from[LEDGER_HASH] = { 0 }, link[LEDGER_HASH];
	struct ai_ledger *l = c->l;
	sqlite3_stmt *st = NULL;
	int64_t seq = 0;
	struct ai_span s;
	int rc = ai_db_bind(&l->db, &st, sql, c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, c->err)) > 0) {
		if (sqlite3_column_int64(st, 0) != ++seq) {
			tell(c, "event %lld: it is missing", (long long)seq);
			seq = sqlite3_column_int64(st, 0);
		}
		ledger_event_link(l, from, seq, sqlite3_column_int64(st, 1),
				  (const char *)sqlite3_column_text(st, 2),
				  (const char *)sqlite3_column_text(st, 3),
				  link);
		s = ai_db_span(st, 4);
		if (s.n != LEDGER_HASH || memcmp(s.p, link, LEDGER_HASH) != 0)
			tell(c, "event %lld: its seal is broken: it, or one "
			     "before it, is not what was written",
			     (long long)seq);
		memcpy(from, s.n == LEDGER_HASH ? (const void *)s.p : link,
		       LEDGER_HASH);
	}
	ai_db_finish(&st);
	if (rc == 0 && (seq != l->event_seq ||
			memcmp(from, l->event_head, LEDGER_HASH) != 0))
		tell(c, "events: they end with %lld; %lld was the last that "
		     "was written", (long long)seq, (long long)l->event_seq);
	return rc;
}

static int check_labels(struct check *c)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, "SELECT n FROM label", c->err, "");
	int right;

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0) {
		right = ledger_label_check(c->l, sqlite3_column_int64(st, 0),
					   c->err);
		if (right < 0)
			rc = -1;
		else if (right == 0)
			tell(c, "label %lld: its seal is broken: it is not "
			     "what was written",
			     (long long)sqlite3_column_int64(st, 0));
	}
	ai_db_finish(&st);
	return rc;
}

int ledger_check(struct ai_ledger *l,
		 void (*each)(void *arg, const char *what), void *arg,
		 struct ai_err *err)
{
	struct check c = { l, each, arg, err };
	size_t i;
	int rc = check_chain(&c);

	if (rc >= 0)
		rc = check_events(&c);
	if (rc >= 0)
		rc = check_labels(&c);
	for (i = 0; rc >= 0 &&
	     i < sizeof(questions) / sizeof(questions[0]); i++)
		rc = rows(&c, questions[i].sql, questions[i].what);
	return rc;
}

int ai_ledger_check(struct ai_ledger *l,
		    void (*each)(void *arg, const char *what), void *arg,
		    struct ai_err *err)
{
	int rc;

	if (ai_db_begin(&l->db, false, err) < 0)
		return -1;
	rc = ledger_check(l, each, arg, err);
	ai_db_rollback(&l->db);
	return rc;
}
