/*
 * The ledger among what should not be: clocks that jump, files that are
 * damaged, copied, full or not ours, a queue full of rubbish, and numbers and
 * names as large as they come.  Each is a clear error or no matter at all,
 * and what was acknowledged before is there afterwards.
 */
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define YEAR (365 * 86400000ll)
#define NOBODY 65534

static char folder[] = "/tmp/ai-ledger-bad-XXXXXX", path[100];
static int64_t now_ms = 1795000000000, now_ns = 1000000000000;

static int64_t wall(void) { return now_ms; }
static int64_t boot(void) { return now_ns; }

static void new_path(void)
{
	static int n;

	snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, n++);
}

static struct ai_ledger *open_old(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("# %s\n", err.msg);
		exit(1);
	}
	l->wall_ms = wall;
	l->boot_ns = boot;
	return l;
}

static struct ai_ledger *open_new(void)
{
	new_path();
	return open_old();
}

static struct ai_reserve want(int64_t worst)
{
	struct ai_reserve r = { .worst = worst, .labels = {
		.tool = "ai-complete", .model = "m", .key = "k" } };

	ai_ledger_id(r.id);
	return r;
}

/* -1: an error, which is in err. */
static int verdict(struct ai_ledger *l, const struct ai_reserve *r,
		   struct ai_reserved *out, struct ai_err *err)
{
	struct ai_reserved mine;

	if (out == NULL)
		out = &mine;
	return ai_ledger_reserve(l, r, out, err) < 0 ? -1 : (int)out->verdict;
}

static bool goes(struct ai_ledger *l, int64_t worst)
{
	struct ai_reserve r = want(worst);
	struct ai_err err;

	return verdict(l, &r, NULL, &err) == AI_GRANTED;
}

static int post(struct ai_ledger *l, const unsigned char *id, int64_t amount,
		struct ai_err *err)
{
	struct ai_post p = { .amount = amount };

	memcpy(p.id, id, AI_LEDGER_ID);
	return ai_ledger_post(l, &p, err);
}

static void set_cap(struct ai_ledger *l, const char *scope, const char *name,
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

/* What a new ledger is made with stands in the way of large sums. */
static void no_caps(struct ai_ledger *l)
{
	set_cap(l, "all", "", "request", -1);
	set_cap(l, "all", "", "day", -1);
}

static int64_t ask(struct ai_ledger *l, const char *sql)
{
	struct ai_err err;
	int64_t n;

	if (ai_db_int(&l->db, sql, &n, &err) == 0)
		return n;
	printf("# %s\n", err.msg);
	return INT64_MIN;
}

static void finish(struct ai_ledger *l, const char *what)
{
	struct ai_err err;
	int n = 0;

	ok(ai_ledger_check(l, complain, &n, &err) == 0 && n == 0,
	   "%s: all agrees", what);
	ai_ledger_close(l);
}

static bool says(const struct ai_err *err, enum ai_code code, const char *text)
{
	if (err->code == code && strstr(err->msg, text) != NULL)
		return true;
	printf("# code %d: %s\n", err->code, err->msg);
	return false;
}

/* ---- time ----------------------------------------------------------------------- */

static void test_clock(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "*", 2, 0 };
	struct ai_err err;

	set_cap(l, "all", "", "day", 100);
	set_cap(l, "all", "", "total", 250);
	ok(goes(l, 100) && !goes(l, 1), "a day's budget is used");
	now_ms -= YEAR;
	ok(goes(l, 100) && !goes(l, 1), "a year back there is another day");
	now_ms += 2 * YEAR;
	ok(!goes(l, 51) && goes(l, 50), "in all it is one sum all the time");
	now_ms -= YEAR;
	ok(!goes(l, 1), "and the first day is as it was");
	set_cap(l, "all", "", "total", -1);
	set_cap(l, "all", "", "day", -1);
	ok(ai_ledger_set_limit(l, &limit, &err) == 0 && goes(l, 1),
	   "a rate's first");
	now_ms -= YEAR;
	ok(!goes(l, 1), "a rate has a clock that nobody sets");
	now_ms += YEAR;
	now_ns += 61000000000;
	ok(goes(l, 1), "which goes on");
	finish(l, "clock");
}

static void test_summer_time(void)
{
	int64_t start, end, next;
	struct ai_err err;

	if (ledger_zone("Europe/Berlin", &err) < 0) {
		skip("no time zones here");
		return;
	}
	/* 2026-03-29 and 2026-10-25, 12:00 UTC. */
	ok(ledger_period("day", 1774785600000, &start, &end) &&
	   end - start == 23 * 3600000, "a day of 23 hours");
	ok(ledger_period("day", 1792929600000, &start, &end) &&
	   end - start == 25 * 3600000 &&
	   ledger_period("day", end, &next, &end) && next > start &&
	   next - start == 25 * 3600000, "a day of 25, and the next");
	/* 02:30 before and after the clock is set back. */
	ok(ledger_period("hour", 1792888200000, &start, &end) &&
	   ledger_period("hour", 1792891800000, &next, &end) &&
	   next == start + 3600000, "an hour that comes twice is two hours");
	ledger_zone("UTC", &err);
}

/* ---- budgets, names, numbers --------------------------------------------------------- */

static void test_lowered(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = want(600);
	struct ai_reserved out;
	struct ai_err err;

	set_cap(l, "all", "", "total", 1000);
	ok(verdict(l, &r, NULL, &err) == AI_GRANTED && goes(l, 300),
	   "900 of 1000");
	set_cap(l, "all", "", "total", 500);
	ok(post(l, r.id, 550, &err) == 0, "what was granted can be posted");
	r = want(0);
	ok(verdict(l, &r, &out, &err) == AI_OVER_BUDGET && out.cap == 500 &&
	   out.posted == 550 && out.pending == 300, "nothing more goes");
	set_cap(l, "all", "", "total", 0);
	ok(!goes(l, 1), "a budget of nothing");
	set_cap(l, "all", "", "total", 851);
	ok(goes(l, 1) && !goes(l, 1), "raised: what was left");
	finish(l, "lowered");
}

static void test_names(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve a = want(60), b;
	struct ai_reserved out;
	struct ai_err err;

	memset(&a.labels, 'x', sizeof(a.labels));
	a.labels.tool[15] = a.labels.provider[31] = a.labels.model[127] =
		a.labels.key[39] = a.labels.tenant[63] = a.labels.user[63] =
		a.labels.project[63] = a.labels.experiment[63] =
		a.labels.run[63] = '\0';
	b = a;
	b.labels.model[126] = 'y';
	ai_ledger_id(b.id);
	ok(verdict(l, &a, NULL, &err) == AI_GRANTED, "names of full length");
	set_cap(l, "model", "*", "total", 100);
	ok(verdict(l, &b, NULL, &err) == AI_GRANTED,
	   "models that differ in the last letter are two");
	ai_ledger_id(a.id);
	ok(verdict(l, &a, &out, &err) == AI_OVER_BUDGET && out.pending == 60 &&
	   strcmp(out.name, a.labels.model) == 0,
	   "what was spent under the whole name counts");
	set_cap(l, "model", a.labels.model, "total", 120);
	ok(verdict(l, &a, NULL, &err) == AI_GRANTED,
	   "a budget for a name of full length");
	set_cap(l, "user", a.labels.user, "total", 180);
	ai_ledger_id(b.id);
	b.worst = 1;
	ok(verdict(l, &b, &out, &err) == AI_OVER_BUDGET && out.pending == 180,
	   "a user's too");
	finish(l, "names");
}

static const char *const scopes[] = { "all", "tool", "provider", "model",
	"key", "tenant", "user", "project", "experiment", "run" };
static const char *const periods[] = { "hour", "day", "month", "total" };

/* Forty can be made by set_budget; the others only by hand. */
static void test_many_budgets(void)
{
	struct ai_ledger *l = open_new();
	struct ledger_item item[3];
	void *items[3] = { &item[0], &item[1], &item[2] };
	struct ai_reserve r = want(1);
	struct ai_err err;
	int i, j;

	for (i = 0; i < 10; i++)
		for (j = 0; j < 4; j++)
			set_cap(l, scopes[i], i == 0 ? "" : "*", periods[j],
				1000000);
	memset(&r.labels, 'x', sizeof(r.labels));
	r.labels.tool[15] = r.labels.provider[31] = r.labels.model[127] =
		r.labels.key[39] = r.labels.tenant[63] = r.labels.user[63] =
		r.labels.project[63] = r.labels.experiment[63] =
		r.labels.run[63] = '\0';
	ok(verdict(l, &r, NULL, &err) == AI_GRANTED &&
	   ask(l, "SELECT count(*) FROM entry") == 40, "40 budgets at once");
	ai_db_exec(&l->db, "WITH n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n"
		   " WHERE i<25) INSERT INTO budget SELECT 'all', 'b'||i,"
		   " 'total', 1000 FROM n", &err);
	for (i = 0; i < 3; i++) {
		item[i] = (struct ledger_item){
			.what = LEDGER_DO_RESERVE, .now_ms = now_ms,
			.now_ns = now_ns, .owner = l->owner,
			.in.reserve = i == 1 ? r : want(1) };
		ai_ledger_id(item[i].in.reserve.id);
	}
	ok(ledger_run(l, items, 3, &err) == 0 && item[0].code == AI_E_NONE &&
	   item[2].code == AI_E_NONE, "65 at once fail for one");
	ok(item[1].code == AI_E_CONFIG, "and not for who shares its "
	   "transaction");
	ai_db_exec(&l->db, "DELETE FROM budget WHERE name GLOB 'b*'", &err);
	finish(l, "many budgets");
}

/* Several calls in one transaction, one of them with this amount. */
static void one_of_three(struct ai_ledger *l, int64_t worst, int64_t tokens,
			 const char *what)
{
	struct ledger_item item[3];
	void *items[3] = { &item[0], &item[1], &item[2] };
	struct ai_err err = { .code = AI_E_NONE };
	int i;

	for (i = 0; i < 3; i++) {
		item[i] = (struct ledger_item){
			.what = LEDGER_DO_RESERVE, .now_ms = now_ms,
			.now_ns = now_ns, .owner = l->owner,
			.in.reserve = want(i == 1 ? worst : 1) };
		item[i].in.reserve.tokens = i == 1 ? tokens : 1;
	}
	if (ledger_run(l, items, 3, &err) < 0)
		printf("# %s\n", err.msg);
	else
		err.code = AI_E_NONE;
	ok(err.code == AI_E_NONE && item[0].code == AI_E_NONE &&
	   item[0].out.verdict == AI_GRANTED && item[2].code == AI_E_NONE &&
	   item[2].out.verdict == AI_GRANTED, "%s: the others go on", what);
}

/* Bills beyond what sums can hold, in one transaction with others. */
static void huge_bills(struct ai_ledger *l)
{
	struct ledger_item item[4];
	void *items[4];
	struct ai_reserve r[3];
	struct ai_err err = { .code = AI_E_NONE };
	int i, booked = 0;

	for (i = 0; i < 3; i++) {
		r[i] = want(1);
		verdict(l, &r[i], NULL, &err);
	}
	for (i = 0; i < 4; i++) {
		items[i] = &item[i];
		item[i] = (struct ledger_item){
			.what = i < 3 ? LEDGER_DO_POST : LEDGER_DO_VOID,
			.now_ms = now_ms, .now_ns = now_ns,
			.owner = l->owner };
		if (i < 3)
			memcpy(item[i].in.post.id, r[i].id, AI_LEDGER_ID);
		if (i < 3)
			item[i].in.post.amount = INT64_MAX;
	}
	r[0] = want(1);
	verdict(l, &r[0], NULL, &err);
	memcpy(item[3].in.id, r[0].id, AI_LEDGER_ID);
	err.code = AI_E_NONE;
	ok(ledger_run(l, items, 4, &err) == 0 && item[3].code == AI_E_NONE,
	   "bills of INT64_MAX: the others go on");
	if (err.code != AI_E_NONE)
		printf("# %s\n", err.msg);
	for (i = 0; i < 3 && err.code == AI_E_NONE; i++)
		booked += item[i].code == AI_E_NONE;
	printf("# %d booked: %s\n", booked, item[2].why);
}

static void test_numbers(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit wide = { "*", "*", INT64_MAX, INT64_MAX },
			negative = { "*", "*", -1, 0 };
	struct ai_reserve r = want(-1);
	struct ai_post p = { .hold_ms = INT64_MAX, .amount = 1,
			     .outcome = AI_OUTCOME_FAILURE };
	struct ai_err err;
	int i;

	ok(verdict(l, &r, NULL, &err) < 0 && err.code == AI_E_BUG,
	   "less than nothing");
	ok(ai_ledger_set_limit(l, &negative, &err) < 0 &&
	   err.code == AI_E_USAGE, "a limit below nothing");
	no_caps(l);
	set_cap(l, "all", "", "total", INT64_MAX);
	set_cap(l, "model", "*", "day", INT64_MAX);
	for (i = 0; i < 3; i++)
		one_of_three(l, INT64_MAX, 1, "INT64_MAX");
	ok(ai_ledger_set_limit(l, &wide, &err) == 0, "a limit of INT64_MAX");
	one_of_three(l, 1, INT64_MAX, "INT64_MAX tokens");
	huge_bills(l);
	r = want(1);
	ok(verdict(l, &r, NULL, &err) >= 0, "after them others can ask");
	set_cap(l, "all", "", "month", INT64_MAX);
	r = want(1);
	ok(verdict(l, &r, NULL, &err) >= 0, "and a new budget can be summed");
	set_cap(l, "all", "", "month", -1);
	set_cap(l, "all", "", "total", -1);
	set_cap(l, "model", "*", "day", -1);
	set_cap(l, "model", "*", "month", -1);
	r = want(1);
	ok(verdict(l, &r, NULL, &err) == AI_GRANTED, "without budgets too");
	memcpy(p.id, r.id, sizeof(p.id));
	ok(ai_ledger_post(l, &p, &err) == 0, "Retry-After: for ever");
	r = want(1);
	r.max_wait_ms = 86400000;
	ok(verdict(l, &r, NULL, &err) == AI_OVER_LIMIT, "is waited for");
	finish(l, "numbers");
}

/* ---- files ------------------------------------------------------------------------------ */

static void test_copied(void)
{
	struct ai_ledger *l = open_new();
	struct ai_limit limit = { "*", "*", 1, 0 };
	struct ai_reserve r;
	struct ai_reserved out;
	struct ai_err err;

	set_cap(l, "all", "", "total", 1000);
	set(l->owner.boot, sizeof(l->owner.boot), "the machine it came from");
	ok(ai_ledger_set_limit(l, &limit, &err) == 0 && goes(l, 600),
	   "held on another machine");
	ai_ledger_close(l);
	l = open_old();
	r = want(401);
	ok(verdict(l, &r, &out, &err) == AI_OVER_BUDGET && out.posted == 600 &&
	   out.pending == 0, "counts as sent here");
	ok(goes(l, 400), "its rates are not those of this machine");
	finish(l, "copied");
}

/* Calls until one fails; returns how many were posted and acknowledged. */
static long until_full(struct ai_ledger *l, struct ai_err *err)
{
	long n;

	for (n = 0; n < 100000; n++) {
		struct ai_reserve r = want(3);
		struct ai_post p = { .amount = 2 };

		memset(p.usage, ' ', sizeof(p.usage) - 1);
		memcpy(p.id, r.id, sizeof(p.id));
		if (verdict(l, &r, NULL, err) != AI_GRANTED ||
		    ai_ledger_sent(l, r.id, err) < 0 ||
		    ai_ledger_post(l, &p, err) < 0)
			return n;
	}
	return -1;
}

static int wait_for(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("# signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The rest of a full disk's test: what was acknowledged is there, and with
 * room again it goes on. */
static void after_full(struct ai_ledger *l, long n, const struct ai_err *why,
		       const char *what)
{
	ok(n > 10 && says(why, AI_E_IO, "ledger.db"), "%s: %ld calls, then an "
	   "error: %s", what, n, why->msg);
	ok(ask(l, "SELECT count(*) FROM transfer WHERE kind=2") == n,
	   "%s: what was acknowledged is there", what);
}

static void test_too_large(void)
{
	struct ai_ledger *l;
	struct rlimit limit;
	struct ai_err err;
	long n;

	getrlimit(RLIMIT_FSIZE, &limit);
	fflush(stdout);
	l = open_new();
	no_caps(l);
	signal(SIGXFSZ, SIG_IGN);
	limit.rlim_cur = 1500000;
	setrlimit(RLIMIT_FSIZE, &limit);
	n = until_full(l, &err);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	after_full(l, n, &err, "no larger file");
	ok(goes(l, 1), "no larger file: it goes on when it may");
	finish(l, "no larger file");
}

/* In a process of its own, whose mount nobody else sees. 77: not allowed. */
static int on_small_disk(void)
{
	struct ai_ledger *l;
	struct ai_err err;
	char file[160];
	long n, bad = tap_bad;
	int fd;

	mkdir(path, 0700);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", path, "tmpfs", 0, "size=1500k,mode=0700") < 0)
		return 77;
	snprintf(file, sizeof(file), "%s/filler", path);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || ftruncate(fd, 0) < 0 ||
	    posix_fallocate(fd, 0, 300000) != 0)
		return 1;
	close(fd);
	snprintf(path + strlen(path), sizeof(path) - strlen(path),
		 "/ledger.db");
	l = open_old();
	no_caps(l);
	n = until_full(l, &err);
	after_full(l, n, &err, "a full disk");
	unlink(file);
	ok(goes(l, 1), "a full disk: it goes on when there is room");
	finish(l, "a full disk");
	fflush(stdout);
	return tap_bad != bad;
}

static void test_full_disk(void)
{
	int i, status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/disk", folder);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(on_small_disk());
	status = wait_for(pid);
	if (status == 77) {
		skip("no small disk can be mounted here");
		return;
	}
	/* The child has printed these. */
	for (i = 0; i < 4; i++)
		tap_n++;
	ok(status == 0, "a full disk");
}

/* As a user who may not write there. 0: err is as it should be. */
static int refused_as_nobody(enum ai_code code, const char *text)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return 77;
	if (ai_ledger_open(&l, path, &err) == 0)
		return 1;
	return says(&err, code, text) ? 0 : 2;
}

static void try_as_nobody(const char *what, enum ai_code code,
			  const char *text)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int rc = refused_as_nobody(code, text);

		fflush(stdout);
		_exit(rc);
	}
	ok(wait_for(pid) == 0, "%s", what);
}

static void test_read_only(void)
{
	char dir[100];
	int i;

	ai_ledger_close(open_new());
	set(dir, sizeof(dir), path);
	*strrchr(dir, '/') = '\0';
	chmod(folder, 0755);
	chmod(dir, 0777);
	for (i = 0; i < 2; i++) {
		static const char *const tail[] = { "-wal", "-queue1" };
		char file[130];

		snprintf(file, sizeof(file), "%s%s", path, tail[i]);
		chmod(file, 0666);
	}
	chmod(path, 0444);
	try_as_nobody("a file that is read-only", AI_E_CREATE,
		      "Permission denied");
	chmod(path, 0666);
	chmod(dir, 0555);
	try_as_nobody("a folder that is read-only", AI_E_CREATE,
		      "cannot write to the folder");
	chmod(dir, getuid() == 0 ? 0700 : 0);
	try_as_nobody("a folder that is not ours", AI_E_CREATE,
		      "Permission denied");
	chmod(dir, 0700);
	chmod(folder, 0555);
	snprintf(path, sizeof(path), "%.80sx/ledger.db", dir);
	try_as_nobody("a folder that cannot be made", AI_E_CREATE,
		      "cannot create");
	chmod(folder, 0700);
}

/* A ledger with something in it, closed; all of it in the file. */
static void make_file(void)
{
	struct ai_ledger *l = open_new();
	struct ai_err err;
	int i;

	for (i = 0; i < 300; i++)
		goes(l, 5);
	ai_db_exec(&l->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err);
	ai_ledger_close(l);
}

static void write_at(const char *file, long at, const void *p, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, p, n, at) != (ssize_t)n)
		ok(false, "cannot write to %s", file);
	close(fd);
}

/* What opening, checking or reserving says of a file that is damaged. */
static bool is_found(struct ai_err *err)
{
	struct ai_ledger *l;
	struct ai_reserve r = want(1);
	int n = 0;
	bool found;

	*err = (struct ai_err){ .code = AI_E_NONE };
	if (ai_ledger_open(&l, path, err) < 0)
		return true;
	found = ai_ledger_check(l, complain, &n, err) < 0 || n > 0 ||
		verdict(l, &r, NULL, err) < 0;
	ai_ledger_close(l);
	return found;
}

static void test_damaged(void)
{
	unsigned char rubbish[4096];
	struct ai_ledger *l;
	struct ai_err err;
	struct stat st;
	long at;
	int missed = 0, pages = 0;

	memset(rubbish, 0xA5, sizeof(rubbish));
	make_file();
	write_at(path, 0, rubbish, 100);
	ok(is_found(&err) && says(&err, AI_E_DATA, "damaged") &&
	   strstr(err.msg, "ai-cost ledger") != NULL,
	   "no database: told, with what to do");
	make_file();
	stat(path, &st);
	for (at = 0; at < st.st_size; at += 4096, pages++) {
		make_file();
		write_at(path, at, rubbish, sizeof(rubbish));
		if (is_found(&err) &&
		    (err.code == AI_E_NONE || err.code == AI_E_DATA))
			continue;
		missed++;
		printf("# page %ld: code %d: %s\n", at / 4096, err.code,
		       err.msg);
	}
	ok(pages > 10 && missed == 0, "each of %d pages overwritten: found",
	   pages);
	make_file();
	if (truncate(path, st.st_size / 2) < 0)
		missed++;
	ok(is_found(&err), "half of it is missing");
	make_file();
	if (truncate(path, 0) < 0)
		missed++;
	err = (struct ai_err){ .code = AI_E_NONE };
	ok(ai_ledger_open(&l, path, &err) == 0 || err.code != AI_E_NONE,
	   "an empty file is a new ledger, or told");
	ai_ledger_close(l);
}

static void test_versions(void)
{
	struct ai_ledger *l = open_new();
	struct ai_err err;

	ai_db_exec(&l->db, "PRAGMA user_version=99", &err);
	ai_ledger_close(l);
	ok(ai_ledger_open(&l, path, &err) < 0 &&
	   says(&err, AI_E_CONFIG, "install a newer one"), "a newer version");
	l = open_new();
	ai_db_exec(&l->db, "PRAGMA application_id=7", &err);
	ai_ledger_close(l);
	ok(ai_ledger_open(&l, path, &err) < 0 &&
	   says(&err, AI_E_CONFIG, "something else"), "another program's");
	l = open_new();
	ai_db_exec(&l->db, "PRAGMA application_id=0; PRAGMA user_version=0;"
		   "DROP TABLE state", &err);
	ai_ledger_close(l);
	ok(ai_ledger_open(&l, path, &err) < 0 && err.code != AI_E_BUG,
	   "a database without a name: %s", err.msg);
	l = open_new();
	ai_db_exec(&l->db, "UPDATE state SET zone='Europe/Atlantis'", &err);
	ai_ledger_close(l);
	ok(ai_ledger_open(&l, path, &err) < 0 &&
	   says(&err, AI_E_CONFIG, "Europe/Atlantis"), "no such time zone");
	setenv("TZ", "UTC", 1);
}

/* ---- the queue --------------------------------------------------------------------------- */

static void queue_path(char *out, size_t size)
{
	ledger_queue_path(path, LEDGER_VERSION, out, size);
}

static void test_queue(void)
{
	static unsigned char rubbish[320000];
	struct ai_ledger *l;
	struct ai_err err;
	char file[160];
	size_t i;
	int value;

	for (value = 0; value < 6; value++) {
		ai_ledger_close(open_new());
		queue_path(file, sizeof(file));
		for (i = 0; i < sizeof(rubbish); i++)
			rubbish[i] = value < 5 ? 0 : (unsigned char)(i * i * 31);
		/* Each slot waits, runs, is done or left; its request is
		 * letters. */
		for (i = 0; value < 5 && i < sizeof(rubbish); i++)
			rubbish[i] = i % 4 == 0 ? (unsigned char)value : 0;
		write_at(file, 0, rubbish, sizeof(rubbish));
		l = open_old();
		ok(goes(l, 7) && ask(l, "SELECT count(*) FROM transfer") == 1,
		   "a queue of rubbish %d: one call is one call", value);
		finish(l, "rubbish");
	}
	ai_ledger_close(open_new());
	queue_path(file, sizeof(file));
	if (truncate(file, 5000) < 0)
		unlink(file);
	l = open_old();
	ok(goes(l, 7), "a queue that was cut");
	ai_ledger_close(l);
	unlink(file);
	mkdir(file, 0700);
	ok(ai_ledger_open(&l, path, &err) < 0 &&
	   says(&err, AI_E_CREATE, "-queue"), "a folder in its place");
	rmdir(file);
	if (symlink("/dev/null", file) < 0)
		ok(false, "symlink");
	ok(ai_ledger_open(&l, path, &err) < 0 &&
	   says(&err, AI_E_CREATE, "-queue"), "a link in its place");
}

/* What a request before a power failure left in the file must not run now:
 * who asked is gone, and nothing would be sent. */
static void test_stale_request(void)
{
	struct ai_ledger *l = open_new();
	struct ledger_item item = { .what = LEDGER_DO_RESERVE, .now_ms = now_ms,
				    .now_ns = now_ns, .owner = l->owner,
				    .in.reserve = want(600) };
	void *items[1] = { &item };
	struct ai_err err;

	set(item.owner.boot, sizeof(item.owner.boot), "an earlier boot");
	ok(ledger_run(l, items, 1, &err) == 0 && item.code != AI_E_NONE &&
	   ask(l, "SELECT count(*) FROM transfer") == 0,
	   "a request from before the boot is not run");
	finish(l, "stale");
}

/* ---- what the process lacks ----------------------------------------------------------- */

/* 0: with no descriptor left, nobody is taken for dead. */
static int without_descriptors(pid_t parent)
{
	struct ai_owner o;
	struct ai_err err;
	struct rlimit limit = { 0, 0 };

	if (ai_owner_self(&o, &err) < 0 ||
	    ai_owner_state(&o) != AI_OWNER_ALIVE)
		return 1;
	(void)parent;
	setrlimit(RLIMIT_NOFILE, &limit);
	return ai_owner_state(&o) == AI_OWNER_UNKNOWN ? 0 : 2;
}

static void test_descriptors(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(without_descriptors(getppid()));
	ok(wait_for(pid) == 0, "no descriptor left: nobody is taken for dead");
}

/* 0: the parent has SQLite's shared lock on the file. */
static int is_locked(pid_t parent)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = 0x40000002, .l_len = 510 };
	int fd = open(path, O_RDWR);

	if (fd < 0 || fcntl(fd, F_GETLK, &f) < 0)
		return 2;
	return f.l_type == F_RDLCK && f.l_pid == parent ? 0 : 1;
}

static void test_two_handles(void)
{
	struct ai_ledger *a = open_new(), *b = NULL;
	struct ai_err err;
	pid_t pid;

	ok(goes(a, 1) && ai_ledger_open(&b, path, &err) == 0,
	   "two handles in one process");
	pid = fork();
	if (pid == 0)
		_exit(is_locked(getppid()));
	ok(wait_for(pid) == 0, "the first keeps its lock of the file");
	ai_ledger_close(b);
	finish(a, "two handles");
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	test_clock();
	test_lowered();
	test_names();
	test_many_budgets();
	test_numbers();
	test_copied();
	test_too_large();
	test_full_disk();
	test_read_only();
	test_damaged();
	test_versions();
	test_queue();
	test_stale_request();
	test_descriptors();
	test_two_handles();
	test_summer_time();
	remove_folder(folder);
	return done();
}
