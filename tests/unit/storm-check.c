/*
 * What a storm has left, judged by the transfers alone: they are immutable and
 * numbered in the order in which they were committed, so the sums of every
 * budget can be made again as they were before each one of them.  Nothing
 * here asks the ledger which account a call fell under.
 */
#include "storm.h"

#include "store/ledger-int.h"
#include "help.h"

#include <dirent.h>
#include <string.h>

#define SUMS_MAX 200
#define BUDGETS_MAX 40
#define LABELS_MAX 1000
#define LEVELS 5

const char storm_witness[] =
	"CREATE TABLE storm_event(event INTEGER PRIMARY KEY, after INTEGER);"
	"CREATE TRIGGER storm_event AFTER INSERT ON event BEGIN INSERT INTO"
	" storm_event VALUES(new.seq, (SELECT coalesce(max(seq), 0) FROM"
	" transfer)); END;"
	"CREATE TABLE storm_end(transfer INTEGER, sent INTEGER);"
	"CREATE TRIGGER storm_end AFTER DELETE ON hold BEGIN INSERT INTO"
	" storm_end VALUES(old.transfer, old.sent); END";

/* What a call falls under, beside the cap of each request. */
static const struct { const char *scope, *period; int64_t ms; } levels[LEVELS] =
{
	{ "all", "total", 0 }, { "all", "day", 86400000 },
	{ "tenant", "day", 86400000 }, { "user", "total", 0 },
	{ "model", "hour", 3600000 },
};

/* A budget's sums in one period. */
struct sum {
	int level;
	char name[128];
	int64_t start, pending, posted, cap;
};

struct call {
	int64_t worst, total;     /* total: of all that follows it */
	int64_t posted;           /* without corrections */
	int sum[LEVELS];
	int ends, kind, sent;     /* kind of its end; sent: -1, or as held */
	bool granted, noted;
};

static struct sum sums[SUMS_MAX];
static struct ai_budget budgets[BUDGETS_MAX];
static int n_sums, n_budgets, wrong;
static struct call *calls; /* by the number of the transfer */
static int64_t n_calls;

static void fault(const char *what, int64_t transfer)
{
	char text[200];

	snprintf(text, sizeof(text), "transfer %lld: %s", (long long)transfer,
		 what);
	complain(&wrong, text);
}

static void bail(const struct ai_err *err)
{
	printf("Bail out! %s\n", err->msg);
	exit(1);
}

/* The next row of a statement that begins with the first call; false: that
 * was the last one. */
static bool row(struct ai_ledger *l, sqlite3_stmt **st, const char *sql)
{
	struct ai_err err;
	int rc = *st == NULL ? ai_db_bind(&l->db, st, sql, &err, "") : 0;

	if (rc == 0)
		rc = ai_db_step(&l->db, *st, &err);
	if (rc < 0)
		bail(&err);
	if (rc == 0)
		ai_db_finish(st);
	return rc > 0;
}

static int64_t ask(struct ai_ledger *l, const char *sql)
{
	struct ai_err err;
	int64_t n;

	if (ai_db_int(&l->db, sql, &n, &err) < 0)
		bail(&err);
	return n;
}

/* ---- caps --------------------------------------------------------------------- */

static struct ai_budget *find_budget(const char *scope, const char *name,
				     const char *period)
{
	int i;

	for (i = 0; i < n_budgets; i++)
		if (strcmp(budgets[i].scope, scope) == 0 &&
		    strcmp(budgets[i].name, name) == 0 &&
		    strcmp(budgets[i].period, period) == 0)
			return &budgets[i];
	return NULL;
}

/* In force for this sum: its own, else that of each. */
static int64_t cap_of(const struct sum *s)
{
	const char *scope = levels[s->level].scope,
		   *period = levels[s->level].period;
	const struct ai_budget *b = find_budget(scope, s->name, period);

	if (b == NULL)
		b = find_budget(scope, "*", period);
	return b == NULL ? INT64_MAX : b->cap;
}

static void take_budget(sqlite3_stmt *st)
{
	char scope[24], name[128], period[8];
	struct ai_budget *b;
	int i;

	ledger_copy_column(scope, sizeof(scope), st, 1);
	ledger_copy_column(name, sizeof(name), st, 2);
	ledger_copy_column(period, sizeof(period), st, 3);
	b = find_budget(scope, name, period);
	if (b == NULL && n_budgets < BUDGETS_MAX) {
		b = &budgets[n_budgets++];
		set(b->scope, sizeof(b->scope), scope);
		set(b->name, sizeof(b->name), name);
		set(b->period, sizeof(b->period), period);
	}
	if (b == NULL) {
		complain(&wrong, "more budgets than were set");
		return;
	}
	b->cap = sqlite3_column_int64(st, 4);
	for (i = 0; i < n_sums; i++)
		sums[i].cap = cap_of(&sums[i]);
}

/* All that were set after no more than `seq` transfers. */
static void pass_events(struct ai_ledger *l, int64_t seq)
{
	static const char sql[] = "SELECT w.after,"
		" json_extract(detail, '$.scope'),"
		" json_extract(detail, '$.name'),"
		" json_extract(detail, '$.period'), CAST(round(1e9 *"
		" json_extract(detail, '$.cap_usd')) AS INTEGER)"
		" FROM event e JOIN storm_event w ON w.event=e.seq"
		" WHERE e.kind='budget' ORDER BY e.seq";
	static sqlite3_stmt *st;
	static int64_t next; /* after which the next one comes; -1: none */

	if (st == NULL && next == 0)
		next = row(l, &st, sql) ? sqlite3_column_int64(st, 0) : -1;
	while (next >= 0 && next < seq) {
		take_budget(st);
		next = row(l, &st, sql) ? sqlite3_column_int64(st, 0) : -1;
	}
}

/* ---- sums --------------------------------------------------------------------- */

static int find_sum(int level, const char *name, int64_t created)
{
	int64_t ms = levels[level].ms,
		start = ms == 0 ? 0 : created / ms * ms; /* in UTC */
	int i;

	for (i = 0; i < n_sums; i++)
		if (sums[i].level == level && sums[i].start == start &&
		    strcmp(sums[i].name, name) == 0)
			return i;
	if (n_sums == SUMS_MAX) {
		complain(&wrong, "more periods than passed");
		return 0;
	}
	sums[n_sums] = (struct sum){ .level = level, .start = start };
	set(sums[n_sums].name, sizeof(sums[0].name), name);
	sums[n_sums].cap = cap_of(&sums[n_sums]);
	return n_sums++;
}

static struct label { char tenant[64], user[64], model[128]; }
	labels[LABELS_MAX];

static void read_labels(struct ai_ledger *l)
{
	sqlite3_stmt *st = NULL;
	int64_t n;

	while (row(l, &st, "SELECT n, tenant, user, model FROM label")) {
		n = sqlite3_column_int64(st, 0);
		if (n < 0 || n >= LABELS_MAX)
			continue;
		ledger_copy_column(labels[n].tenant, 64, st, 1);
		ledger_copy_column(labels[n].user, 64, st, 2);
		ledger_copy_column(labels[n].model, 128, st, 3);
	}
}

static void place(struct call *c, int64_t label, int64_t created)
{
	const struct label *a = &labels[label > 0 && label < LABELS_MAX ? label
								      : 0];
	const char *names[LEVELS] = { "", "", a->tenant, a->user, a->model };
	int i;

	for (i = 0; i < LEVELS; i++)
		c->sum[i] = find_sum(i, names[i], created);
}

/* ---- the transfers, one after the other ---------------------------------------------- */

/* At no time may a reservation be granted that does not fit beside all that
 * is held and booked then, whoever asks at the same time. */
static void replay_reservation(struct call *c, int64_t seq, int64_t amount)
{
	const struct ai_budget *each = find_budget("all", "", "request");
	struct sum *s;
	int i;

	c->granted = true;
	c->worst = amount;
	c->sent = -1;
	if (each == NULL || amount > each->cap)
		fault("it passes the cap of a request", seq);
	for (i = 0; i < LEVELS; i++) {
		s = &sums[c->sum[i]];
		s->pending += amount;
		if (s->pending + s->posted > s->cap)
			fault("it passes a cap", seq);
	}
}

static void replay_end(struct call *c, int64_t seq, int kind, int64_t amount)
{
	int64_t pending = kind == LEDGER_CORRECT ? 0 : c->worst;
	int i;

	if (!c->granted || (kind == LEDGER_CORRECT) != (c->ends > 0))
		fault("it ends what is not open", seq);
	c->total += amount;
	if (kind != LEDGER_CORRECT) {
		c->ends++;
		c->kind = kind;
		c->posted = amount;
		if (amount < 0 || amount > c->worst)
			fault("it is more than was held", seq);
	}
	for (i = 0; i < LEVELS; i++) {
		sums[c->sum[i]].pending -= pending;
		sums[c->sum[i]].posted += amount;
	}
}

static void replay(struct ai_ledger *l, struct storm_result *r)
{
	static const char sql[] = "SELECT seq, kind, coalesce(of, seq), amount,"
		" created, label FROM transfer ORDER BY seq";
	sqlite3_stmt *st = NULL;
	int64_t seq, of, amount;
	struct call *c;
	int kind;

	n_calls = ask(l, "SELECT coalesce(max(seq), 0) + 1 FROM transfer");
	calls = calloc((size_t)n_calls, sizeof(*calls));
	read_labels(l);
	while (calls != NULL && row(l, &st, sql)) {
		seq = sqlite3_column_int64(st, 0);
		kind = sqlite3_column_int(st, 1);
		of = sqlite3_column_int64(st, 2);
		amount = sqlite3_column_int64(st, 3);
		pass_events(l, seq);
		c = &calls[of > 0 && of <= seq ? of : 0];
		r->ends[kind > 0 && kind <= LEDGER_CORRECT ? kind : 0]++;
		if (kind != LEDGER_PENDING) {
			replay_end(c, seq, kind, amount);
			continue;
		}
		r->granted++;
		place(c, sqlite3_column_int64(st, 5),
		      sqlite3_column_int64(st, 4));
		replay_reservation(c, seq, amount);
	}
	pass_events(l, INT64_MAX);
}

/* The counters that the ledger kept are these sums. */
static int compare_accounts(struct ai_ledger *l)
{
	static const char sql[] = "SELECT scope, name, period, start, pending,"
		" posted FROM account";
	sqlite3_stmt *st = NULL;
	int i, n = 0;

	while (row(l, &st, sql)) {
		for (i = 0; i < n_sums; i++)
			if (ai_span_is(ai_db_span(st, 0),
				       levels[sums[i].level].scope) &&
			    ai_span_is(ai_db_span(st, 1), sums[i].name) &&
			    ai_span_is(ai_db_span(st, 2),
				       levels[sums[i].level].period) &&
			    sqlite3_column_int64(st, 3) == sums[i].start)
				break;
		if (i == n_sums ||
		    sqlite3_column_int64(st, 4) != sums[i].pending ||
		    sqlite3_column_int64(st, 5) != sums[i].posted)
			complain(&wrong, "an account is not the sum of its "
				 "transfers");
		n++;
	}
	return n;
}

/* ---- what the dead held -------------------------------------------------------------- */

/* As its hold was when it ended: what was not sent is void, what was is spent,
 * at its worst case if nobody knew better. */
static void judge_ends(struct ai_ledger *l)
{
	sqlite3_stmt *st = NULL;
	struct call *c;
	int64_t seq;

	while (row(l, &st, "SELECT transfer, sent FROM storm_end")) {
		seq = sqlite3_column_int64(st, 0);
		c = &calls[seq > 0 && seq < n_calls ? seq : 0];
		if (c->sent >= 0 || !c->granted)
			fault("its hold ended twice", seq);
		c->sent = sqlite3_column_int(st, 1) != 0;
	}
	for (seq = 1; seq < n_calls; seq++) {
		c = &calls[seq];
		if (!c->granted)
			continue;
		if (c->ends != 1 || c->sent < 0)
			fault("it has not one end", seq);
		else if (c->sent != (c->kind != LEDGER_VOID))
			fault(c->sent ? "it was sent, and is void"
				      : "it was not sent, and is spent", seq);
		else if (c->kind == LEDGER_EXPIRE && c->posted != c->worst)
			fault("it is not booked at its worst case", seq);
		else if (c->kind == LEDGER_VOID && c->posted != 0)
			fault("it is void and has cost something", seq);
	}
}

/* ---- what was acknowledged ------------------------------------------------------------- */

/* A note is the last of its call: what the ledger says beyond it may have been
 * done without an answer, but not what contradicts it. */
static bool as_noted(const struct call *c, const struct note *n)
{
	bool fixed = c->total == n->later;

	switch (n->told) {
	case RESERVED:
		return c->kind == LEDGER_VOID || c->kind == LEDGER_EXPIRE;
	case SENT:
		return c->kind == LEDGER_EXPIRE ||
			(c->kind == LEDGER_POST && c->total == n->cost);
	case POSTED:
		return c->kind == LEDGER_POST &&
			c->posted == (n->cost < n->worst ? n->cost : n->worst)
			&& (c->total == n->cost || fixed);
	case LOST:
		return c->kind == LEDGER_EXPIRE &&
			(c->total == n->worst || fixed);
	case CORRECTED:
		return fixed && c->kind != LEDGER_VOID;
	default:
		return c->kind == LEDGER_VOID && c->total == 0;
	}
}

static void judge_note(struct ai_ledger *l, const struct note *n,
		       struct storm_result *r)
{
	static sqlite3_stmt *st;
	struct ai_err err;
	int64_t seq = 0;
	int rc = ai_db_bind(&l->db, &st, "SELECT seq FROM transfer WHERE id=?",
			    &err, "b", LEDGER_BYTES(n == NULL ? NULL : n->id,
						    AI_LEDGER_ID));

	if (rc == 0 && (rc = ai_db_step(&l->db, st, &err)) > 0)
		seq = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc < 0)
		bail(&err);
	if (n == NULL) {
		ai_db_finish(&st);
		return;
	}
	r->acknowledged++;
	r->orphans += n->told == RESERVED || n->told == SENT;
	if (seq <= 0 || seq >= n_calls || calls[seq].worst != n->worst ||
	    !as_noted(&calls[seq], n))
		fault("it is not as it was acknowledged", seq);
	else
		calls[seq].noted = true;
}

/* The notes of a call follow each other. */
static void judge_file(struct ai_ledger *l, const char *name,
		       struct storm_result *r)
{
	struct note n, last;
	bool any = false;
	FILE *f = fopen(name, "rb");

	while (f != NULL && fread(&n, sizeof(n), 1, f) == 1) {
		if (any && memcmp(n.id, last.id, sizeof(n.id)) != 0)
			judge_note(l, &last, r);
		last = n;
		any = true;
	}
	if (any)
		judge_note(l, &last, r);
	if (f != NULL)
		fclose(f);
}

static void judge_notes(struct ai_ledger *l, const char *folder,
			struct storm_result *r)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char name[400];

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "notes-", 6) != 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
		judge_file(l, name, r);
	}
	if (d != NULL)
		closedir(d);
	judge_note(l, NULL, r);
}

/* ---- all of it ------------------------------------------------------------------------- */

/* Since the last check. */
static bool is_well(void)
{
	bool well = wrong == 0;

	wrong = 0;
	return well;
}

static void sweep(struct ai_ledger *l, storm_ok *ok)
{
	struct ai_err err;
	int64_t n = ask(l, "SELECT count(*) FROM hold"), i;

	/* 256 at a time. */
	for (i = 0; i <= n / 256; i++)
		if (ai_ledger_sweep(l, &err) < 0)
			bail(&err);
	ok(ask(l, "SELECT count(*) FROM hold") == 0,
	   "a sweep leaves none of %lld orphans", (long long)n);
}

void storm_check(const char *path, const char *folder, int64_t kills,
		 struct storm_result *r, storm_ok *ok)
{
	struct ai_ledger *l;
	struct ai_err err;
	int64_t i, unknown = 0;
	int n;

	if (ai_ledger_open(&l, path, &err) < 0)
		bail(&err);
	sweep(l, ok);
	replay(l, r);
	r->events = ask(l, "SELECT count(*) FROM event");
	ok(is_well() && r->granted > 0 && n_budgets > LEVELS,
	   "%lld reservations: none passed one of %d caps when it was granted",
	   (long long)r->granted, n_budgets);
	n = compare_accounts(l);
	ok(is_well() && n >= LEVELS, "%d counters are the sums of their "
	   "transfers", n);
	judge_ends(l);
	ok(is_well(), "unsent is void, sent is spent, each once");
	judge_notes(l, folder, r);
	for (i = 1; i < n_calls; i++)
		unknown += calls[i].granted && !calls[i].noted;
	ok(is_well() && r->acknowledged > 0 && unknown <= kills,
	   "%lld calls are as they were acknowledged; of %lld nobody was told",
	   (long long)r->acknowledged, (long long)unknown);
	if (ai_db_exec(&l->db, "DROP TRIGGER storm_event;"
		       "DROP TRIGGER storm_end; DROP TABLE storm_event;"
		       "DROP TABLE storm_end", &err) < 0)
		bail(&err);
	ok(ai_ledger_check(l, complain, &wrong, &err) == 0 && is_well(),
	   "all sums and seals agree");
	ai_ledger_close(l);
	free(calls);
}
