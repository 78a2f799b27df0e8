/*
 * What "ledger check" sees: edits by hand, and bytes that change by chance.
 *
 *	ledger-check [SEED [FILES]]
 *
 * AI_TEST_FILES is the number of damaged files if it is not given.
 */
#include "store/batch.h"
#include "store/cache.h"
#include "store/conversation.h"
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 20
#define SECONDS 20 /* the longest that one damaged file may take */

static char folder[] = "/tmp/ai-ledger-check-XXXXXX", path[100];
static int64_t now_ms = 1795000000000, now_ns = 1000000000000;

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

static struct ai_ledger *open_it(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	l->wall_ms = wall;
	l->boot_ns = boot;
	l->no_sync = true;
	return l;
}

/* ---- a ledger with something in every table --------------------------------------- */

static void budget(struct ai_ledger *l, const char *scope, const char *name,
		   const char *period, int64_t cap)
{
	struct ai_budget b = { .cap = cap };
	struct ai_err err;

	set(b.scope, sizeof(b.scope), scope);
	set(b.name, sizeof(b.name), name);
	set(b.period, sizeof(b.period), period);
	if (ai_ledger_set_budget(l, &b, &err) < 0)
		ok(false, "budget: %s", err.msg);
}

static void limit(struct ai_ledger *l, const char *model, int64_t requests)
{
	struct ai_limit q = { "*", "", requests, 0 };
	struct ai_err err;

	set(q.model, sizeof(q.model), model);
	if (ai_ledger_set_limit(l, &q, &err) < 0)
		ok(false, "limit: %s", err.msg);
}

/* Most have ended, each in its way. */
static void call(struct ai_ledger *l, int i)
{
	static const char *const users[] = { "Ada", "Bob", "", "Cid" };
	struct ai_reserve r = { .worst = 1000 + i, .tokens = 10, .labels = {
		.tool = "ai-complete", .provider = "p", .model = "m",
		.key = "k", .tenant = "acme", .run = "r" } };
	struct ai_post p = { .amount = i % 5 == 4 ? 2000 : 500 + i,
			     .how = (enum ai_booking)(i % 6 == 5 ? i % 3 : 0),
			     .usage = "{\"input\":7}", .facts = {
		.ended = i % 4 == 3 ? AI_ENDED_UNUSABLE : 0, .attempt = i % 3,
		.input = 7, .output = i, .time_us = i * 90000 } };
	struct ai_reserved out;
	struct ai_err err;

	set(r.labels.user, sizeof(r.labels.user), users[i % 4]);
	ai_ledger_id(r.id);
	memcpy(p.id, r.id, sizeof(p.id));
	if (ai_ledger_reserve(l, &r, &out, &err) < 0 ||
	    out.verdict != AI_GRANTED || ai_ledger_sent(l, r.id, &err) < 0 ||
	    (i % 7 != 6 && ai_ledger_post(l, &p, &err) < 0))
		ok(false, "call %d", i);
	now_ms += 600000;
	now_ns += 600000000000;
}

static void keep_more(struct ai_ledger *l)
{
	const struct ai_conversation talk = { "trip", "acme", "Ada" };
	const struct ai_message said[2] = {
		{ .role = "user", .content = AI_SPAN("\"where?\"") },
		{ .role = "assistant", .content = AI_SPAN("\"there\"") } };
	const struct ai_span part = AI_SPAN("question");
	struct ai_batch_line line = { .ordinal = 0 };
	unsigned char id[AI_LEDGER_ID] = { 1 };
	struct ai_batch b;
	struct ai_err err;

	ai_cache_key(&part, 1, line.payload);
	if (ai_conversation_add(l, &talk, 0, said, 2, &err) < 0 ||
	    ai_cache_put(l, line.payload, AI_SPAN("an answer"), 1000000, "Ada",
			 &err) < 0 ||
	    ai_batch_open(l, "night", false, &b, &err) < 0 ||
	    ai_batch_start(l, &b, &line, id, "Bob", &err) < 0 ||
	    ai_batch_answer(l, &b, &line, AI_SPAN("an answer"), 7, "{}",
			    &err) < 0 ||
	    ai_batch_close(l, &b, &err) < 0)
		ok(false, "what is kept beside: %s", err.msg);
}

static void hits(struct ai_ledger *l)
{
	struct ai_hit hit = { .labels = { .tool = "ai-complete", .provider =
		"p", .model = "m", .key = "k", .tenant = "acme", .user = "Ada",
		.run = "r" }, .hits = 3, .saved = 5 };
	struct ai_ledger_op op = { .what = AI_LEDGER_HIT, .in.hit = &hit },
			    *list = &op;
	struct ai_err err;

	if (ai_ledger_many(l, &list, 1, &err) < 0 ||
	    op.err.code != AI_E_NONE)
		ok(false, "hits: %s", err.msg);
}

static void fill(struct ai_ledger *l)
{
	struct ai_forgotten out;
	struct ai_err err;
	int i;

	limit(l, "m", 1000);
	limit(l, "n", 1000);
	limit(l, "n", 0);
	budget(l, "tenant", "*", "month", 70000000000);
	budget(l, "user", "*", "day", 50000000000);
	budget(l, "user", "Cid", "total", 60000000000);
	budget(l, "model", "m", "hour", 40000000000);
	budget(l, "project", "none such", "day", 7);
	budget(l, "all", "", "total", INT64_MAX);
	for (i = 0; i < CALLS; i++)
		call(l, i);
	hits(l);
	budget(l, "model", "m", "hour", 45000000123);
	budget(l, "model", "m", "month", 1);
	budget(l, "model", "m", "month", -1);
	budget(l, "key", "\xff\"\\\n", "day", 5);
	keep_more(l);
	if (ai_ledger_forget(l, "Cid", &out, &err) != 1)
		ok(false, "forget: %s", err.msg);
	budget(l, "user", "Cid", "day", 30000000000);
}

/* ---- files ------------------------------------------------------------------------ */

static unsigned char kept[1 << 20], bytes[1 << 20];
static size_t size; /* of the kept file */

static void read_kept(const char *from)
{
	FILE *f = fopen(from, "rb");

	size = f == NULL ? 0 : fread(kept, 1, sizeof(kept), f);
	if (f != NULL)
		fclose(f);
	if (size == 0 || size == sizeof(kept)) {
		printf("Bail out! cannot read %s\n", from);
		exit(1);
	}
}

/* n bytes as the ledger, with nothing beside it. */
static void put_file(const unsigned char *p, size_t n)
{
	static const char *const tails[] = { "-wal", "-shm" };
	char name[130];
	FILE *f = fopen(path, "wb");
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		unlink(name);
	}
	if (f == NULL || (n > 0 && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
		ok(false, "cannot write %s", path);
}

static void make_kept(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	l = open_it();
	fill(l);
	ai_db_exec(&l->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err);
	ai_ledger_close(l);
	read_kept(path);
}

/* ---- edits ---------------------------------------------------------------------- */

struct told {
	char text[4000];
	int n;
};

static void note(void *arg, const char *what)
{
	struct told *t = arg;
	size_t at = strlen(t->text);

	t->n++;
	snprintf(t->text + at, sizeof(t->text) - at, "%s\n", what);
}

/* What is told of the file as it stands; an error is told, too. */
static struct told check_file(void)
{
	struct told t = { "", 0 };
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0) {
		note(&t, err.msg);
		return t;
	}
	if (ai_ledger_check(l, note, &t, &err) < 0)
		note(&t, err.msg);
	ai_ledger_close(l);
	return t;
}

static bool edit(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	bool done;

	done = sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK;
	if (!done)
		printf("# %s: %s\n", sql, why != NULL ? why : "cannot open");
	sqlite3_free(why);
	sqlite3_close(db);
	return done;
}

#define UNGUARDED "DROP TRIGGER no_update; DROP TRIGGER no_delete;" \
	"DROP TRIGGER no_event_update; DROP TRIGGER no_event_delete;"

#define COLUMN(name, column) ", " #column
#define ROLLUP_COLUMNS AI_ROLLUP_COLUMNS(COLUMN)

static const struct { const char *sql, *told; } edits[] = {
	{ "DELETE FROM entry; UPDATE account SET posted=0, pending=0",
	  "calls of it are not counted in it" },
	{ "DELETE FROM entry WHERE account=(SELECT n FROM account WHERE"
	  " period='hour' LIMIT 1); UPDATE account SET posted=0, pending=0"
	  " WHERE n=(SELECT n FROM account WHERE period='hour' LIMIT 1)",
	  "calls of it are not counted in it, 1 the first" },
	{ "UPDATE account SET name='b' WHERE scope='tenant'",
	  "it counts 20 calls that are not its own" },
	{ "UPDATE account SET start=start+86400000 WHERE period='day'",
	  "counts calls of another day" },
	{ "UPDATE account SET start=start+1 WHERE period='hour'",
	  "it begins where no hour" },
	{ "UPDATE account SET period='week' WHERE period='month'",
	  "it begins where no week" },
	{ "DELETE FROM account", "calls that are not its own" },
	{ "DELETE FROM label", "it is missing; " },
	{ "UPDATE label SET model='cheap'", "its seal is broken" },
	{ "UPDATE budget SET cap=99999999999999",
	  "budget of model m hour: it is 99999999999999 nano-dollars; "
	  "45000000123 nano-dollars was written" },
	{ "DELETE FROM budget", "budget of all  day: it is missing" },
	{ "DELETE FROM budget WHERE name GLOB '*[^a-z]*' AND scope='key'",
	  "budget of key " },
	{ "INSERT INTO budget VALUES('model', 'x', 'day', 1)",
	  "budget of model x day: nothing that is written made it" },
	{ "INSERT INTO budget SELECT 'user', name, 'hour', 1 FROM person",
	  "hour: nothing that is written made it" },
	{ "UPDATE rate SET requests=100000", "limit of * m: it is 100000 req" },
	{ "DELETE FROM rate", "limit of * m: it is missing" },
	{ "INSERT INTO rate VALUES('*', 'n', 1, 1)", "limit of * n: nothing" },
	{ "DELETE FROM person", "its user is missing, and nobody forgot it" },
	{ "UPDATE person SET token='0' WHERE name='Ada'",
	  "conversation 1: its user is missing" },
	{ "UPDATE state SET zone='Asia/Tokyo'", "it begins where no day" },
	{ "UPDATE state SET zone='Europe/Atlantis'", "there is no time zone" },
	{ "UPDATE rollup SET posted=posted+1", "posted is " },
	{ "UPDATE rollup SET t3=t3-1 WHERE hour=(SELECT max(hour) FROM rollup)",
	  "and label 1: t3 is -1; its transfers make 0" },
	{ "DELETE FROM rollup", "and label 1: it is missing" },
	{ "INSERT INTO rollup SELECT hour+360000000000, label" ROLLUP_COLUMNS
	  " FROM rollup", "no transfers make it" },
	{ "UPDATE total SET calls=calls+1", "total of label 1: calls is " },
	{ "DELETE FROM total", "total of label 1: it is missing" },
	{ "UPDATE hit SET saved=saved+1", "hit 1: its seal is broken" },
	{ "DELETE FROM hit", "no transfers make it" },
	{ UNGUARDED "UPDATE transfer SET input=input+1 WHERE seq=2",
	  "transfer 2: its seal is broken" },
	{ UNGUARDED "UPDATE transfer SET ended=0 WHERE ended=1",
	  "its seal is broken" },
	{ "DROP TABLE message", "message" },
	{ "DROP TABLE bucket", "table bucket: it is missing" },
	{ "DROP TABLE event", "event" },
	{ "DROP INDEX one_end", "index one_end: it is missing" },
	{ "DROP INDEX by_time", "index by_time: it is missing" },
	{ "DROP TRIGGER no_update", "trigger no_update: it is missing" },
	{ "DROP TRIGGER cache_less; CREATE TRIGGER cache_less AFTER DELETE ON"
	  " cache BEGIN SELECT 1; END", "trigger cache_less: it is not what" },
	{ "CREATE TRIGGER more AFTER INSERT ON budget BEGIN UPDATE budget SET"
	  " cap=1; END", "trigger more: nothing that is written made it" },
	{ "CREATE TABLE more(x)", "table more: nothing" },
	{ "DELETE FROM conversation", "conversation 1: it is missing; 2 mess" },
	{ "DELETE FROM batch", "batch 1: it is missing; 1 answers" },
	{ UNGUARDED "UPDATE transfer SET usage=usage||char(0)||'x'",
	  "its seal is broken" },
	{ UNGUARDED "UPDATE transfer SET kind=kind+4294967296 WHERE kind=5",
	  "there is no kind 4294967301" },
	{ UNGUARDED "UPDATE event SET detail=detail||char(0)",
	  "its seal is broken" },
	{ UNGUARDED "UPDATE event SET detail=replace(detail, '40', '90')",
	  "its seal is broken" },
	{ UNGUARDED "DELETE FROM event", "events: they end with 0" },
};

/* The kept file, edited. */
static void sees(const char *sql, const char *told)
{
	struct told t = { "", 0 };

	put_file(kept, size);
	if (edit(sql))
		t = check_file();
	if (!ok(strstr(t.text, told) != NULL, "seen: %.90s", sql))
		printf("# it says: %.300s\n", t.text);
}

static void test_edits(void)
{
	struct told t;
	size_t i;

	put_file(kept, size);
	t = check_file();
	ok(t.n == 0, "as it was made it agrees: %s", t.text);
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		sees(edits[i].sql, edits[i].told);
}

/* ---- what is in order ------------------------------------------------------------- */

static void test_in_order(void)
{
	static const char *const kinds[] = { "tool", "provider", "model",
		"key", "tenant", "user", "project", "experiment", "run" };
	struct ai_ledger *l;
	struct ai_err err;
	int64_t before, after;
	struct told t;
	size_t i;

	put_file(kept, size);
	l = open_it();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		budget(l, kinds[i], "*", i % 2 ? "day" : "hour", 1000000000);
	for (i = 0; i < 40; i++) {
		call(l, (int)i);
		now_ms += i % 9 == 0 ? 86400000 : 0;
		now_ms -= i == 20 ? 3 * 86400000ll : 0;
		if (i % 8 == 0)
			budget(l, i % 16 ? "tenant" : "model", "*", "hour",
			       i % 3 ? -1 : 1000000000);
	}
	ok(ai_ledger_sweep(l, &err) == 0 &&
	   ai_ledger_vacuum(l, &before, &after, &err) == 0 &&
	   ai_db_exec(&l->db, "ANALYZE", &err) == 0, "used, and tidied up");
	ai_ledger_close(l);
	t = check_file();
	ok(t.n == 0, "budgets of all scopes that come and go: %s", t.text);
}

/* Days that begin at odd times, or twice. */
static void test_zones(void)
{
	/* Each with a moment, UTC, when its clock is set. */
	static const struct { const char *zone; int64_t s; } zones[] = {
		{ "Europe/Berlin", 1792890000 }, { "Africa/Cairo", 1776981600 },
		{ "America/Havana", 1793509200 }, { "Asia/Beirut", 1774735200 },
		{ "Atlantic/Azores", 1792890000 },
		{ "Australia/Lord_Howe", 1775314800 },
		{ "America/Sao_Paulo", 1541300400 },
		{ "Pacific/Apia", 1325239200 }, { "Asia/Kathmandu", 1795000000 },
	};
	struct ai_ledger *l;
	struct ai_err err;
	struct told t;
	size_t i;
	int n;

	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		setenv("TZ", zones[i].zone, 1);
		snprintf(path, sizeof(path), "%s/zone-%d.db", folder, (int)i);
		if (ledger_zone(zones[i].zone, &err) < 0) {
			skip("no zone %s here", zones[i].zone);
			continue;
		}
		now_ms = (zones[i].s - 30 * 3600) * 1000;
		l = open_it();
		budget(l, "tenant", "*", "hour", 1000000000);
		for (n = 0; n < 300; n++)
			call(l, n); /* ten minutes each */
		now_ms -= 23 * 3600000;
		for (n = 0; n < 10; n++)
			call(l, n);
		ai_ledger_close(l);
		t = check_file();
		ok(t.n == 0, "days of %s: %s", zones[i].zone, t.text);
	}
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
}

static int step(void *arg)
{
	++*(int64_t *)arg;
	return 0;
}

/* What a check costs, in thousands of SQLite's steps, where each of n calls
 * has an account of its own. */
static int64_t cost_of(int n)
{
	struct told t = { "", 0 };
	struct ai_ledger *l;
	int64_t steps = 0;
	struct ai_err err;
	int i;

	snprintf(path, sizeof(path), "%s/cost-%d.db", folder, n);
	l = open_it();
	budget(l, "tenant", "*", "hour", 1000000000);
	for (i = 0; i < n; i++) {
		now_ms += 3600000;
		call(l, i % 4);
	}
	sqlite3_progress_handler(l->db.h, 1000, step, &steps);
	if (ai_ledger_check(l, note, &t, &err) < 0 || t.n > 0)
		ok(false, "it does not agree: %s", t.text);
	ai_ledger_close(l);
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	return steps;
}

static void test_cost(void)
{
	int64_t one = cost_of(500), four = cost_of(2000);

	ok(four < 6 * one, "four times as many calls and accounts cost not "
	   "much more than four times as much: %lld, %lld", (long long)one,
	   (long long)four);
}

/* A ledger of version 1 had no events: what one speaks of now is known, the
 * rest is taken as it stands. */
static void test_older(void)
{
	static const struct { const char *sql, *told; } after[] = {
		{ "UPDATE budget SET cap=6000 WHERE name='new'",
		  "budget of tenant new day: it is 6000" },
		{ "DELETE FROM rate WHERE model='new'",
		  "limit of * new: it is missing" },
		{ "INSERT INTO budget VALUES('all', '', 'request', 9)",
		  "budget of all  request: nothing" },
		{ "DELETE FROM entry; UPDATE account SET posted=0, pending=0",
		  "calls of it are not counted" },
	};
	struct ai_ledger *l;
	char from[4096];
	struct ai_err err;
	struct told t;
	size_t i;

	snprintf(from, sizeof(from), "%s/tests/unit/ledger-1.db",
		 getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".");
	read_kept(from);
	put_file(kept, size);
	l = open_it();
	budget(l, "tenant", "new", "day", 5000);
	limit(l, "new", 50);
	budget(l, "all", "", "request", -1);
	ai_db_exec(&l->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err);
	ai_ledger_close(l);
	read_kept(path);
	t = check_file();
	ok(t.n == 0, "version 1, brought forward, agrees: %s", t.text);
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		sees(after[i].sql, after[i].told);
}

/* ---- bytes by chance --------------------------------------------------------------- */

/* All that a check vouches for; a damaged file that has it is not damaged. */
static const char *const vouched[] = {
	"SELECT seq, hex(head), hex(key), event_seq, hex(event_head), zone,"
	" version, cache_bytes FROM state",
	"SELECT n, tool, provider, model, key, tenant, user, project,"
	" experiment, run, hex(seal) FROM label ORDER BY n",
	"SELECT seq, hex(id), kind, of, amount, created, label, usage,"
	" hex(link) FROM transfer ORDER BY seq",
	"SELECT seq, created, kind, detail, hex(link) FROM event ORDER BY seq",
	"SELECT * FROM budget ORDER BY 1, 2, 3",
	"SELECT * FROM rate ORDER BY 1, 2",
	"SELECT * FROM account ORDER BY scope, name, period, start",
	"SELECT * FROM entry ORDER BY 1, 2",
	"SELECT transfer, amount FROM hold ORDER BY 1",
	"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2",
};

/* Into b; false: it cannot be read. */
static bool content(struct ai_buf *b)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open(path, &db), i;
	size_t q;

	for (q = 0; q < sizeof(vouched) / sizeof(vouched[0]); q++) {
		rc = rc != SQLITE_OK ? rc :
			sqlite3_prepare_v2(db, vouched[q], -1, &st, NULL);
		while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
			for (i = 0; i < sqlite3_column_count(st); i++) {
				ai_buf_add(b, sqlite3_column_blob(st, i),
					   (size_t)sqlite3_column_bytes(st, i));
				ai_buf_chr(b, '|');
			}
		if (rc == SQLITE_OK)
			rc = sqlite3_finalize(st);
	}
	sqlite3_close(db);
	return rc == SQLITE_OK;
}

static int see_event(void *arg, const struct ai_event *e)
{
	(void)arg;
	return strlen(e->kind) + strlen(e->detail) > (1 << 20);
}

static void count(void *arg, const char *what)
{
	(void)what;
	++*(int *)arg;
}

/* What is restored from it must be in order. */
static bool restores(void)
{
	struct ai_restored out;
	struct ai_ledger *l;
	char other[120];
	struct ai_err err;
	int n = 0;

	snprintf(other, sizeof(other), "%s/other.db", folder);
	if (ai_ledger_restore(other, path, true, &out, &err) < 0)
		return true;
	if (ai_ledger_open(&l, other, &err) < 0)
		return false;
	if (ai_ledger_check(l, count, &n, &err) < 0)
		n++;
	ai_ledger_close(l);
	return n == 0;
}

/* 0: it was told, or nothing is amiss; 1: it was not told; 2: and nor when it
 * was to be restored. */
static int look(const struct ai_buf *was, bool restore)
{
	struct ai_buf is = AI_BUF_INIT(4 << 20);
	struct ai_ledger *l;
	struct ai_err err;
	int n = 0, rc = 0;

	alarm(SECONDS);
	if (restore && !restores())
		return 2;
	if (ai_ledger_open(&l, path, &err) < 0)
		return 0;
	if (ai_ledger_check(l, count, &n, &err) < 0)
		n++;
	if (ai_ledger_events(l, see_event, &n, &err) < 0)
		n++;
	ai_ledger_close(l);
	if (n == 0)
		rc = !content(&is) || is.len != was->len ||
			memcmp(is.p, was->p, is.len) != 0;
	ai_buf_release(&is);
	return rc;
}

/* One byte, some, a run of them, or an end that is missing; returns the new
 * size, and tells what it did. */
static size_t damage(int64_t round, char *what, size_t room)
{
	size_t n = size, at = (size_t)below((int64_t)size);
	int64_t i, many = round % 4 == 1 ? 2 + below(30) : 1;

	memcpy(bytes, kept, size);
	if (round % 8 == 7) {
		snprintf(what, room, "cut at %zu", at);
		return at;
	}
	if (round % 8 == 3) {
		n = (size_t)below(5000);
		n = n > size - at ? size - at : n;
		memset(bytes + at, (int)below(256), n);
		snprintf(what, room, "%zu bytes from %zu on", n, at);
		return size;
	}
	for (i = 0; i < many; i++) {
		at = (size_t)below((int64_t)size);
		/* The first page is what all begins with. */
		if (below(8) == 0)
			at %= 4096;
		bytes[at] ^= (unsigned char)(1 + below(255));
	}
	snprintf(what, room, "%d bytes, the last at %zu", (int)many, at);
	return n;
}

/* Of bytes that a page does not use nothing can be told: kept[] has as few of
 * them as possible. */
static void test_bytes(int64_t files)
{
	struct ai_buf was = AI_BUF_INIT(4 << 20);
	int64_t i, bad = 0, first = (int64_t)seed;
	char what[80];
	int status;
	bool read;
	size_t n;
	pid_t pid;

	put_file(kept, size);
	read = content(&was);
	ok(read && was.len > 3000, "%zu bytes in a file of %zu", was.len, size);
	fflush(stdout);
	for (i = 0; i < files; i++) {
		n = damage(i, what, sizeof(what));
		put_file(bytes, n);
		pid = fork();
		if (pid == 0)
			_exit(look(&was, i % 4 == 0));
		waitpid(pid, &status, 0);
		if (status == 0)
			continue;
		bad++;
		printf("# file %lld, %s: %s %d\n", (long long)i, what,
		       WIFSIGNALED(status) ? "signal" : "not told, status",
		       WIFSIGNALED(status) ? WTERMSIG(status)
					   : WEXITSTATUS(status));
	}
	ai_buf_release(&was);
	ok(bad == 0, "%lld damaged files from seed %lld: no crash, no hang, "
	   "nothing unseen", (long long)files, (long long)first);
}

static int64_t files_wanted(void)
{
	char *n = getenv("AI_TEST_FILES");

	return number(n != NULL, &n, 0,
		      getenv("AI_SANITIZED") != NULL ? 200 : 600);
}

int main(int argc, char **argv)
{
	int64_t files = number(argc, argv, 2, files_wanted());

	seed = (uint64_t)number(argc, argv, 1, (int64_t)time(NULL));
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	make_kept();
	test_edits();
	test_bytes(files);
	test_in_order();
	test_zones();
	test_cost();
	test_older();
	remove_folder(folder);
	return done();
}
