/*
 * ledger-check.c: does everything in the file agree?
 *
 * First the file's form, for what is told of the rest would be about pages
 * that are not what they seem; then the chains, from which all else follows:
 * which calls an account counts, and what the budgets and limits are.
 */
#include "store/ledger-int.h"

#include "base/money.h"

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

/* A row of a query is a contradiction: a number and a text. */
static void tell_row(struct check *c, const char *what, sqlite3_stmt *st)
{
	struct ai_span s = ai_db_span(st, 1);

	tell(c, "%s %lld: %.*s", what,
	     (long long)sqlite3_column_int64(st, 0), (int)s.n,
	     s.p == NULL ? "" : s.p);
}

static int rows(struct check *c, const char *sql, const char *what)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, sql, c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0)
		tell_row(c, what, st);
	ai_db_finish(&st);
	return rc;
}

/* Text of a column: its end is its first NUL.  false: it is not, and *out is
 * "". */
static bool text_of(sqlite3_stmt *st, int column, const char **out)
{
	const char *p = (const char *)sqlite3_column_text(st, column);

	*out = p != NULL ? p : "";
	return p != NULL &&
		strlen(p) == (size_t)sqlite3_column_bytes(st, column);
}

/* ---- the file's form ----------------------------------------------------------- */

/* 1: it is that of a database; 0: it was told that it is not.  Pages that
 * name each other in a ring could be read for ever. */
static int check_pages(struct check *c)
{
	static const char sql[] = "SELECT integrity_check FROM"
		" pragma_integrity_check WHERE integrity_check<>'ok'";
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, sql, c->err, ""), n = 0;

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0) {
		struct ai_span s = ai_db_span(st, 0);

		tell(c, "database: %.*s", (int)s.n, s.p == NULL ? "" : s.p);
		n++;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : n == 0;
}

/* ---- chains ----------------------------------------------------------------------- */

static void take_facts(sqlite3_stmt *st, int c, struct ai_facts *f)
{
	int64_t *const to[AI_FACTS] = {
		&f->ended, &f->attempt, &f->input, &f->cached, &f->written,
		&f->output, &f->reasoning, &f->time_us, &f->first_us,
	};
	int i;

	for (i = 0; i < AI_FACTS; i++)
		*to[i] = sqlite3_column_int64(st, c + i);
}

/* The chain, from its first link to the end that the state remembers. */
static int check_chain(struct check *c)
{
	static const char sql[] = "SELECT seq, id, kind, coalesce(of, 0),"
		" amount, created, label, usage, link, ended, attempt, input,"
		" cached, written, output, reasoning, time_us, first_us"
		" FROM transfer ORDER BY seq";
	unsigned char from[LEDGER_HASH] = { 0 }, link[LEDGER_HASH];
	struct ai_ledger *l = c->l;
	struct ledger_transfer t;
	sqlite3_stmt *st = NULL;
	int64_t seq = 0;
	struct ai_span s;
	bool whole;
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
		whole = text_of(st, 7, &t.usage);
		take_facts(st, 9, &t.facts);
		ledger_link(l, from, seq, &t, link);
		s = ai_db_span(st, 8);
		if (!whole || s.n != LEDGER_HASH ||
		    memcmp(s.p, link, LEDGER_HASH) != 0)
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
				  ai_db_span(st, 2), ai_db_span(st, 3), link);
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

static int check_hits(struct check *c)
{
	unsigned char seal[LEDGER_HASH];
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, "SELECT seq, created, label, hits,"
			    " saved, seal FROM hit", c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0) {
		struct ai_span kept = ai_db_span(st, 5);

		ledger_hit_seal(c->l, sqlite3_column_int64(st, 0),
				sqlite3_column_int64(st, 1),
				sqlite3_column_int64(st, 2),
				sqlite3_column_int64(st, 3),
				sqlite3_column_int64(st, 4), seal);
		if (kept.n != LEDGER_HASH ||
		    memcmp(kept.p, seal, LEDGER_HASH) != 0)
			tell(c, "hit %lld: its seal is broken: it is not what "
			     "was written",
			     (long long)sqlite3_column_int64(st, 0));
	}
	ai_db_finish(&st);
	return rc;
}

/* ---- what must follow from what ----------------------------------------------- */

/* A member of an event's detail; NULL where there is none. */
#define MEMBER(name) "CASE WHEN json_valid(detail) THEN detail->>'" name "' END"

/* What label row l has where a scope looks. */
#define LABEL_OF \
	" WHEN 'tool' THEN l.tool WHEN 'provider' THEN l.provider" \
	" WHEN 'model' THEN l.model WHEN 'key' THEN l.key" \
	" WHEN 'tenant' THEN l.tenant WHEN 'user' THEN l.user" \
	" WHEN 'project' THEN l.project WHEN 'experiment' THEN l.experiment" \
	" WHEN 'run' THEN l.run END"

/* Each reads every table once, or by its key: joined the other way round,
 * every account would read all entries. */
static const struct { const char *what, *sql; } questions[] = {
	{ "account",
	  "SELECT n, 'pending is '||sum(was)||', its holds sum to '||sum(s)"
	  " FROM (SELECT n, pending was, 0 s FROM account UNION ALL"
	  " SELECT e.account, 0, h.amount FROM hold h CROSS JOIN entry e"
	  " ON e.transfer=h.transfer) GROUP BY n HAVING sum(was)<>sum(s)" },
	{ "account",
	  "SELECT n, 'posted is '||sum(was)||', its transfers sum to '||sum(s)"
	  " FROM (SELECT n, posted was, 0 s FROM account UNION ALL"
	  " SELECT e.account, 0, t.amount FROM transfer t CROSS JOIN entry e"
	  " ON e.transfer=t.of) GROUP BY n HAVING sum(was)<>sum(s)" },
	/* Whether it has all of its calls is asked below. */
	{ "account",
	  "SELECT e.account, 'it counts '||count(*)||' calls that are not its"
	  " own, '||min(e.transfer)||' the first' FROM entry e"
	  " LEFT JOIN account a ON a.n=e.account"
	  " LEFT JOIN transfer t ON t.seq=e.transfer"
	  " LEFT JOIN label l ON l.n=t.label WHERE a.n IS NULL OR"
	  " t.seq IS NULL OR (l.n IS NOT NULL AND (t.kind=1 AND a.name="
	  "CASE a.scope WHEN 'all' THEN a.name" LABEL_OF ") IS NOT TRUE)"
	  " GROUP BY e.account" },
	{ "transfer",
	  "SELECT t.seq, 'it has ended and is held' FROM hold h"
	  " JOIN transfer t ON t.of=h.transfer AND t.kind BETWEEN 2 AND 4" },
	{ "transfer",
	  "SELECT seq, 'it has neither ended nor a hold' FROM transfer p WHERE"
	  " kind=1 AND NOT EXISTS (SELECT 1 FROM hold WHERE transfer=p.seq)"
	  " AND NOT EXISTS (SELECT 1 FROM transfer WHERE of=p.seq AND"
	  " kind BETWEEN 2 AND 4)" },
	{ "transfer",
	  "SELECT seq, 'there is no kind '||kind FROM transfer WHERE"
	  " kind NOT BETWEEN 1 AND 5" },
	{ "hold",
	  "SELECT h.transfer, 'its amount is not its reservation''s' FROM hold h"
	  " LEFT JOIN transfer t ON t.seq=h.transfer WHERE"
	  " t.amount IS NOT h.amount" },
	{ "label",
	  "SELECT t.label, 'it is missing; '||count(*)||' transfers have it'"
	  " FROM transfer t LEFT JOIN label l ON l.n=t.label"
	  " WHERE l.n IS NULL GROUP BY t.label" },
	{ "label",
	  "SELECT n, 'its user is missing, and nobody forgot it' FROM label"
	  " WHERE user NOT IN ('', '*') AND user NOT IN"
	  " (SELECT token FROM person) AND user NOT IN (SELECT coalesce("
	  MEMBER("token") ", '') FROM event WHERE kind='forget')" },
	{ "conversation",
	  "SELECT n, 'its user is missing' FROM conversation WHERE"
	  " person NOT IN ('', '*') AND person NOT IN"
	  " (SELECT token FROM person)" },
	{ "conversation",
	  "SELECT m.conversation, 'it is missing; '||count(*)||' messages are"
	  " of it' FROM message m LEFT JOIN conversation c ON"
	  " c.n=m.conversation WHERE c.n IS NULL GROUP BY m.conversation" },
	{ "run",
	  "SELECT n, 'the user of '||id||' is missing' FROM run WHERE"
	  " person NOT IN ('', '*') AND person NOT IN"
	  " (SELECT token FROM person)" },
	{ "run",
	  "SELECT n, 'the status of '||id||', '||status||', is none' FROM run"
	  " WHERE status NOT BETWEEN 1 AND 6" },
	{ "run",
	  "SELECT r.n, 'a step of '||r.id||' is missing' FROM step s"
	  " JOIN run r ON r.n=s.run GROUP BY r.n"
	  " HAVING count(*)<>max(s.n) OR min(s.n)<>1" },
	/* What is not there is NULL, or no text. */
	{ "run",
	  "SELECT r.n, 'step '||s.n||' of '||r.id||' is damaged' FROM step s"
	  " JOIN run r ON r.n=s.run WHERE s.kind NOT BETWEEN 1 AND 2"
	  " OR s.state NOT BETWEEN 1 AND 4"
	  " OR (s.intent<>'' AND NOT json_valid(s.intent))"
	  " OR (s.result<>'' AND NOT json_valid(s.result))" },
	{ "run",
	  "SELECT s.run, 'it is missing; '||count(*)||' steps are of it'"
	  " FROM step s LEFT JOIN run r ON r.n=s.run WHERE r.n IS NULL"
	  " GROUP BY s.run" },
	{ "run",
	  "SELECT 0, o.root||' is missing; '||count(*)||' notes are of it'"
	  " FROM note o LEFT JOIN run r ON r.id=o.root WHERE r.id IS NULL"
	  " GROUP BY o.root" },
	{ "batch",
	  "SELECT a.batch, 'it is missing; '||count(*)||' answers are of it'"
	  " FROM answer a LEFT JOIN batch b ON b.n=a.batch"
	  " WHERE b.n IS NULL GROUP BY a.batch" },
	{ "cache",
	  "SELECT 1, 'its entries have '||s||' bytes; the ledger says '||"
	  "cache_bytes FROM state, (SELECT coalesce(sum(length(value)), 0) s"
	  " FROM cache) WHERE cache_bytes<>s" },
};

static int check_questions(struct check *c)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 &&
	     i < sizeof(questions) / sizeof(questions[0]); i++)
		rc = rows(c, questions[i].sql, questions[i].what);
	return rc;
}

/* ---- the calls of each account -------------------------------------------------- */

/* The accounts of one scope and period, which share a scan of its calls; those
 * of "all" have no label to be told apart by. */
static const char groups_sql[] =
	"SELECT scope, period, start, whole, min(n), min(created), max(created)"
	" FROM (SELECT *, CASE scope WHEN 'all' THEN name ELSE '' END whole FROM"
	" (SELECT n, scope, name, period, start, NULL created FROM account"
	" UNION ALL SELECT a.n, scope, name, period, start, t.created"
	" FROM entry e CROSS JOIN transfer t ON t.seq=e.transfer"
	" CROSS JOIN account a ON a.n=e.account))"
	" GROUP BY scope, period, start, whole";

/* As SQL_FILL_ENTRIES, for all of them; by time, or each account would read
 * all calls. */
static const char missing_sql[] =
	"SELECT a.n, count(*)||' calls of it are not counted in it, '||"
	"min(t.seq)||' the first' FROM transfer t"
	" CROSS JOIN label l ON l.n=t.label CROSS JOIN account a ON"
	" a.scope=?1 AND a.period=?2 AND a.start=?3 AND a.name=CASE ?1"
	" WHEN 'all' THEN ?5" LABEL_OF " WHERE t.kind=1 AND t.created>=?3"
	" AND t.created<?4 AND NOT EXISTS (SELECT 1 FROM entry e WHERE"
	" e.transfer=t.seq AND e.account=a.n) GROUP BY a.n";

/* Whether a period begins at start, and its end. */
static bool period_from(const char *period, int64_t start, int64_t *end)
{
	int64_t begin;

	return ledger_period(period, start, &begin, end) && begin == start;
}

static int check_group(struct check *c, sqlite3_stmt *group,
		       sqlite3_stmt **missing)
{
	int64_t start = sqlite3_column_int64(group, 2), end;
	struct ai_db *db = &c->l->db;
	const char *period;
	int rc;

	text_of(group, 1, &period);
	if (!period_from(period, start, &end)) {
		tell(c, "account %lld: it begins where no %s of the ledger's "
		     "zone does", (long long)sqlite3_column_int64(group, 4),
		     period);
		return 0;
	}
	if (sqlite3_column_type(group, 5) != SQLITE_NULL &&
	    (sqlite3_column_int64(group, 5) < start ||
	     sqlite3_column_int64(group, 6) >= end))
		tell(c, "account %lld: it, or one like it, counts calls of "
		     "another %s",
		     (long long)sqlite3_column_int64(group, 4), period);
	rc = ai_db_bind(db, missing, missing_sql, c->err, "ttiit",
			ai_db_span(group, 0), ai_db_span(group, 1), start, end,
			ai_db_span(group, 3));
	while (rc >= 0 && (rc = ai_db_step(db, *missing, c->err)) > 0)
		tell_row(c, "account", *missing);
	return rc;
}

static int check_accounts(struct check *c)
{
	sqlite3_stmt *st = NULL, *missing = NULL;
	int rc = ai_db_bind(&c->l->db, &st, groups_sql, c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0)
		rc = check_group(c, st, &missing);
	ai_db_finish(&missing);
	ai_db_finish(&st);
	return rc;
}

/* ---- beside a ledger as it should be ---------------------------------------------- */

/* A new one, in memory: its tables are those of this version. */
static struct ai_ledger *new_ledger(struct ai_err *err)
{
	struct ai_ledger *l = ledger_new(err);

	if (l == NULL)
		return NULL;
	snprintf(l->db.name, sizeof(l->db.name), "a ledger in memory");
	if (sqlite3_open(":memory:", &l->db.h) != SQLITE_OK)
		ai_db_fail(&l->db, sqlite3_errcode(l->db.h), err);
	else if (ledger_schema(l, ":memory:", err) == 0)
		return l;
	ai_ledger_close(l);
	return NULL;
}

/* A query of keys and values, by key: the ledger and the one as it should be
 * must say the same. */
struct comparison {
	const char *what, *sql, *unit; /* NULL: values are too long to tell */
};

static const struct comparison
	schema = { "", "SELECT type||' '||name, tbl_name||' '||coalesce(sql,"
		   " '') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*'"
		   " ORDER BY 1", NULL },
	budgets = { "budget of ", "SELECT scope||' '||name||' '||period, cap"
		    " FROM budget ORDER BY 1", " nano-dollars" },
	limits = { "limit of ", "SELECT key||' '||model, requests||"
		   "' requests and '||tokens||' tokens' FROM rate ORDER BY 1",
		   "" };

/* As the query sorts them. */
static int order_of(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* side is negative: only the ledger has the row; positive: it has it not. */
static void tell_difference(struct check *c, const struct comparison *q,
			    int side, sqlite3_stmt *is, sqlite3_stmt *should)
{
	struct ai_span key = ai_db_span(side > 0 ? should : is, 0),
		       a, b = { "", 0 };

	if (side != 0) {
		tell(c, "%s%.*s: %s", q->what, (int)key.n, key.p, side > 0
		     ? "it is missing" : "nothing that is written made it");
		return;
	}
	a = ai_db_span(is, 1);
	b = ai_db_span(should, 1);
	if (ai_span_eq(a, b))
		return;
	if (q->unit == NULL)
		tell(c, "%s%.*s: it is not what was made", q->what, (int)key.n,
		     key.p);
	else
		tell(c, "%s%.*s: it is %.*s%s; %.*s%s was written", q->what,
		     (int)key.n, key.p, (int)a.n, a.p, q->unit, (int)b.n, b.p,
		     q->unit);
}

static int compare(struct check *c, struct ai_ledger *other,
		   const struct comparison *q)
{
	sqlite3_stmt *is = NULL, *should = NULL;
	struct ai_db *a = &c->l->db, *b = &other->db;
	int ra = ai_db_bind(a, &is, q->sql, c->err, ""),
	    rb = ra < 0 ? -1 : ai_db_bind(b, &should, q->sql, c->err, ""),
	    side = 0;

	for (;;) {
		if (ra >= 0 && rb >= 0 && side <= 0)
			ra = ai_db_step(a, is, c->err);
		if (ra >= 0 && rb >= 0 && side >= 0)
			rb = ai_db_step(b, should, c->err);
		if (ra < 0 || rb < 0 || (ra == 0 && rb == 0))
			break;
		side = ra == 0 ? 1 : rb == 0 ? -1 :
			order_of(ai_db_span(is, 0), ai_db_span(should, 0));
		tell_difference(c, q, side, is, should);
	}
	ai_db_finish(&is);
	ai_db_finish(&should);
	return ra < 0 || rb < 0 ? -1 : 0;
}

/* ---- budgets and limits, as the events made them ---------------------------------- */

static const char events_sql[] =
	"SELECT seq, kind, " MEMBER("scope") ", " MEMBER("name") ", "
	MEMBER("period") ", CASE WHEN json_valid(detail) THEN"
	" detail->'cap_usd' END, " MEMBER("key") ", " MEMBER("model") ", "
	MEMBER("requests") ", " MEMBER("tokens") ", " MEMBER("token")
	" FROM event ORDER BY seq";

enum { SEQ, KIND, SCOPE, NAME, PERIOD, CAP, KEY, MODEL, REQUESTS, TOKENS,
       TOKEN };

static int redo_budget(struct ai_ledger *l, sqlite3_stmt *e,
		       struct ai_err *err)
{
	int64_t cap;

	return ai_money_parse(ai_db_span(e, CAP), &cap, err) < 0 ? -1 :
		LEDGER_RUN(l, SQL_SET_BUDGET, err, "ttti",
			   ai_db_span(e, SCOPE), ai_db_span(e, NAME),
			   ai_db_span(e, PERIOD), cap);
}

static int redo_removed(struct ai_ledger *l, sqlite3_stmt *e,
			struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_REMOVE_BUDGET, err, "ttt",
			  ai_db_span(e, SCOPE), ai_db_span(e, NAME),
			  ai_db_span(e, PERIOD));
}

static int redo_limit(struct ai_ledger *l, sqlite3_stmt *e, struct ai_err *err)
{
	int64_t requests = sqlite3_column_int64(e, REQUESTS),
		tokens = sqlite3_column_int64(e, TOKENS);

	if (requests == 0 && tokens == 0)
		return LEDGER_RUN(l, SQL_REMOVE_LIMIT, err, "tt",
				  ai_db_span(e, KEY), ai_db_span(e, MODEL));
	return LEDGER_RUN(l, SQL_SET_LIMIT, err, "ttii", ai_db_span(e, KEY),
			  ai_db_span(e, MODEL), requests, tokens);
}

static int redo_forget(struct ai_ledger *l, sqlite3_stmt *e,
		       struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&l->db, &st, "DELETE FROM budget WHERE"
			    " scope='user' AND name=?", err, "t",
			    ai_db_span(e, TOKEN));

	if (rc == 0)
		rc = ai_db_run(&l->db, st, err);
	ai_db_finish(&st);
	return rc;
}

/* What does not have what it must have is told. */
static int redo_event(struct check *c, struct ai_ledger *l, sqlite3_stmt *e)
{
	static const struct {
		const char *kind;
		int (*redo)(struct ai_ledger *l, sqlite3_stmt *e,
			    struct ai_err *err);
	} kinds[] = {
		{ "budget", redo_budget }, { "budget removed", redo_removed },
		{ "limit", redo_limit }, { "forget", redo_forget },
	};
	struct ai_err why;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!ai_span_is(ai_db_span(e, KIND), kinds[i].kind) ||
		    kinds[i].redo(l, e, &why) == 0)
			continue;
		if (why.code != AI_E_DATA && why.code != AI_E_USAGE) {
			*c->err = why;
			return -1;
		}
		tell(c, "event %lld: it cannot be read: %s",
		     (long long)sqlite3_column_int64(e, SEQ), why.msg);
	}
	return 0;
}

static int redo_events(struct check *c, struct ai_ledger *other)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&c->l->db, &st, events_sql, c->err, "");

	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0)
		rc = redo_event(c, other, st);
	ai_db_finish(&st);
	return rc;
}

/* The rows of a table, of so many columns, instead of those that other has. */
static int take_rows(struct check *c, struct ai_ledger *other,
		     const char *remove, const char *select,
		     enum ledger_sql insert)
{
	sqlite3_stmt *st = NULL, *to;
	int i, rc = ai_db_exec(&other->db, remove, c->err);

	if (rc == 0)
		rc = ai_db_bind(&c->l->db, &st, select, c->err, "");
	while (rc >= 0 && (rc = ai_db_step(&c->l->db, st, c->err)) > 0) {
		rc = LEDGER_BIND(other, insert, c->err, "");
		to = other->st[insert];
		for (i = 0; rc == 0 && i < sqlite3_column_count(st); i++)
			sqlite3_bind_value(to, i + 1,
					   sqlite3_column_value(st, i));
		if (rc == 0)
			rc = ai_db_run(&other->db, to, c->err);
	}
	ai_db_finish(&st);
	return rc;
}

/*
 * A ledger of version 1 had no events: what no event speaks of is taken as it
 * stands there.
 */
static int take_unspoken(struct check *c, struct ai_ledger *other)
{
	static const char first[] = "SELECT count(*) FROM event WHERE"
		" kind='version' AND " MEMBER("from") "=1";
	int64_t n;

	if (ai_db_int(&c->l->db, first, &n, c->err) < 0)
		return -1;
	return n == 0 ? 0 :
		take_rows(c, other, "DELETE FROM budget", "SELECT scope, name,"
			  " period, cap FROM budget", SQL_SET_BUDGET) < 0 ||
		take_rows(c, other, "DELETE FROM rate", "SELECT key, model,"
			  " requests, tokens FROM rate", SQL_SET_LIMIT) < 0
		? -1 : 0;
}

static int check_settings(struct check *c, struct ai_ledger *other)
{
	return take_unspoken(c, other) < 0 || redo_events(c, other) < 0 ||
		compare(c, other, &budgets) < 0 ||
		compare(c, other, &limits) < 0 ? -1 : 0;
}

/* ---- all of it ------------------------------------------------------------------ */

static int check_content(struct check *c)
{
	struct ai_ledger *other;
	int rc;

	if (check_chain(c) < 0 || check_events(c) < 0 ||
	    check_labels(c) < 0 || check_hits(c) < 0)
		return -1;
	other = new_ledger(c->err);
	if (other == NULL)
		return -1;
	rc = compare(c, other, &schema) < 0 || check_questions(c) < 0 ||
		check_accounts(c) < 0 || check_settings(c, other) < 0 ||
		ledger_rollup_check(c->l, c->each, c->arg, c->err) < 0 ? -1 : 0;
	ai_ledger_close(other);
	return rc;
}

int ledger_check(struct ai_ledger *l,
		 void (*each)(void *arg, const char *what), void *arg,
		 struct ai_err *err)
{
	struct check c = { l, each, arg, err };
	int rc = check_pages(&c);

	return rc > 0 ? check_content(&c) : rc;
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
