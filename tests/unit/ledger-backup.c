/*
 * Copies of the ledger: made, put back, refused; and what becomes of a ledger
 * that is damaged.
 */
#include "copies.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static bool says(int rc, const struct ai_err *err, enum ai_code code,
		 const char *text)
{
	if (rc < 0 && err->code == code && strstr(err->msg, text) != NULL)
		return true;
	printf("# rc %d, code %d: %s\n", rc, rc < 0 ? err->code : 0,
	       rc < 0 ? err->msg : "");
	return false;
}

static void write_at(const char *file, long at, const void *p, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, p, n, at) != (ssize_t)n)
		ok(false, "cannot write to %s", file);
	close(fd);
}

/* ---- making one ------------------------------------------------------------------- */

static void test_backup(void)
{
	struct ai_ledger *l = open_new(), *again;
	unsigned char head[20] = { 0 };
	struct ai_err err;
	struct stat st;
	int fd;

	calls(l, 50, 7);
	call(l, 5, -1, &err);
	umask(0);
	ok(ai_ledger_backup(l, copy, false, &err) == 0, "a backup");
	umask(022);
	ok(stat(copy, &st) == 0 && (st.st_mode & 07777) == 0600 &&
	   st.st_nlink == 1, "for its owner alone");
	ok(is_alone(copy), "one file, and nothing beside it");
	fd = open(copy, O_RDONLY);
	ok(pread(fd, head, 20, 0) == 20 && head[18] == 1 && head[19] == 1,
	   "which needs no log");
	close(fd);
	ok(ask_file(copy, POSTED) == 50 &&
	   ask_file(copy, "SELECT count(*) FROM hold") == 1,
	   "all of it is there");
	calls(l, 3, 7);
	again = open_it(copy);
	ok(agrees(again) && ask(again, POSTED) == 50 && ask(l, POSTED) == 53,
	   "it is a ledger of its own, in order");
	ai_ledger_close(again);
	ai_ledger_close(l);
}

#define TEXT(n) #n
#define TEXT_OF(n) TEXT(n)

static void test_backup_refused(void)
{
	struct ai_ledger *l = open_new();
	static const char *const tails[] = { "", "-wal", "-shm",
					     "-queue" TEXT_OF(LEDGER_VERSION) };
	struct ai_err err;
	struct stat a, b;
	size_t i;

	calls(l, 3, 7);
	ok(says(ai_ledger_backup(l, "-", false, &err), &err, AI_E_USAGE,
		"file"), "no pipe");
	for (i = 0; i < 4; i++)
		ok(says(ai_ledger_backup(l, beside(path, tails[i]), true, &err),
			&err, AI_E_USAGE, "the ledger itself"),
		   "not onto itself: ledger.db%s", tails[i]);
	ok(says(ai_ledger_backup(l, folder, true, &err), &err, AI_E_CREATE,
		"not a file"), "no folder");
	ok(says(ai_ledger_backup(l, "/dev/null", true, &err), &err, AI_E_CREATE,
		"not a file"), "no device");
	ok(says(ai_ledger_backup(l, beside(folder, "/no/b"), false, &err), &err,
		AI_E_CREATE, "/no/b"), "a folder that is not there");
	ok(ai_ledger_backup(l, copy, false, &err) == 0 && stat(copy, &a) == 0,
	   "the first");
	calls(l, 2, 7);
	ok(says(ai_ledger_backup(l, copy, false, &err), &err, AI_E_CREATE,
		"--force") && stat(copy, &b) == 0 && a.st_ino == b.st_ino,
	   "a file that is there stays");
	ok(ai_ledger_backup(l, copy, true, &err) == 0 &&
	   ask_file(copy, POSTED) == 5, "unless it may be replaced");
	ai_ledger_close(open_it(copy));
	ok(says(ai_ledger_backup(l, copy, true, &err), &err, AI_E_CREATE,
		"database of its own"), "not onto one that somebody uses");
	snprintf(copy, sizeof(copy), "%s.other", path);
	ok(ai_ledger_backup(l, copy, false, &err) == 0 && stat(copy, &a) == 0,
	   "another");
	ai_db_exec(&l->db, "DROP TRIGGER no_update; UPDATE transfer SET"
		   " amount=1 WHERE seq=2", &err);
	ok(says(ai_ledger_backup(l, copy, true, &err), &err, AI_E_DATA,
		"contradicts itself") && stat(copy, &b) == 0 &&
	   a.st_ino == b.st_ino && is_alone(copy),
	   "what contradicts itself does not replace a good one");
	ai_ledger_close(l);
}

/* A draft of one who was killed is used again; of one who lives, not. */
static void test_draft(void)
{
	struct ai_ledger *l = open_new();
	static char rubbish[100000];
	struct ai_err err;
	int fd;

	calls(l, 3, 7);
	memset(rubbish, 0xA5, sizeof(rubbish));
	write_at(beside(copy, ".part"), 0, rubbish, sizeof(rubbish));
	ok(ai_ledger_backup(l, copy, false, &err) == 0 && is_alone(copy) &&
	   ask_file(copy, POSTED) == 3, "half a copy of a dead one");
	write_at(beside(copy, ".part"), 0, rubbish, sizeof(rubbish));
	fd = open(beside(copy, ".part"), O_RDWR);
	ok(flock(fd, LOCK_EX) == 0 &&
	   says(ai_ledger_backup(l, copy, true, &err), &err, AI_E_TRY_LATER,
		"another program"), "one that is being made");
	close(fd);
	unlink(beside(copy, ".part"));
	ai_ledger_close(l);
}

static void test_no_room(void)
{
	struct ai_ledger *l = open_new();
	struct rlimit limit;
	struct ai_err err;
	int rc;

	calls(l, 300, 7);
	ai_db_exec(&l->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 40000;
	setrlimit(RLIMIT_FSIZE, &limit);
	rc = ai_ledger_backup(l, copy, false, &err);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ok(says(rc, &err, AI_E_IO, "the backup '"), "no room: %s", err.msg);
	ok(!is_there(copy, "") && is_alone(copy), "and nothing is left over");
	calls(l, 1, 7);
	ok(agrees(l), "the ledger goes on");
	ai_ledger_close(l);
}

/* On a disk of its own, which only this process sees. 77: not allowed. */
static int on_small_disk(void)
{
	struct ai_ledger *l = open_it(path);
	struct ai_err err;
	char disk[120], to[140];
	int rc;

	calls(l, 600, 7);
	snprintf(disk, sizeof(disk), "%s/disk", folder);
	snprintf(to, sizeof(to), "%s/b.db", disk);
	mkdir(disk, 0700);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", disk, "tmpfs", 0, "size=64k,mode=0700") < 0)
		return 77;
	rc = ai_ledger_backup(l, to, false, &err);
	printf("# %s\n", rc < 0 ? err.msg : "made");
	fflush(stdout);
	return says(rc, &err, AI_E_IO, "no space left") &&
		!is_there(to, "") && is_alone(to) ? 0 : 1;
}

static void test_full_disk(void)
{
	pid_t pid;
	int rc;

	ai_ledger_close(open_new());
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(on_small_disk());
	rc = wait_for(pid);
	if (rc == 77)
		skip("no small disk can be mounted here");
	else
		ok(rc == 0, "a full disk: told, and nothing is left over");
}

/* ---- putting one back ---------------------------------------------------------------- */

static void edit(const char *file, const char *sql)
{
	sqlite3 *db;

	sqlite3_open(file, &db);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		ok(false, "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void test_restore(void)
{
	struct ai_ledger *l = open_new(), *other;
	struct ai_limit limit = { "*", "*", 100, 0 };
	struct ai_restored out;
	struct ai_err err;
	int64_t tat;

	ai_ledger_set_limit(l, &limit, &err);
	calls(l, 5, 7);
	other = open_it(path);
	ok(ai_ledger_backup(l, copy, false, &err) == 0, "a backup of five");
	ok(ai_ledger_restore(path, copy, false, &out, &err) == 0 &&
	   out.transfers == 0 && out.events == 0 && out.aside[0] == '\0',
	   "put back at once it drops nothing");
	ok(ai_ledger_restore(path, copy, false, &out, &err) == 0,
	   "and once more");
	calls(l, 3, 1000);
	limit.requests = 200;
	ai_ledger_set_limit(l, &limit, &err);
	ok(says(ai_ledger_restore(path, copy, false, &out, &err), &err,
		AI_E_CREATE, "6 transfers") && out.transfers == 6 &&
	   out.nano == 3000 && out.events == 1 && ask(l, POSTED) == 8,
	   "what it would drop is told, and it drops nothing: %s", err.msg);
	ok(strstr(err.msg, "$0.000003 spent") != NULL &&
	   strstr(err.msg, "1 changes by hand") != NULL &&
	   strstr(err.msg, "--force") != NULL, "in dollars, with the way out");
	tat = ask(l, "SELECT sum(tat) FROM bucket");
	ok(ai_ledger_restore(path, copy, true, &out, &err) == 0 &&
	   out.transfers == 6 && out.nano == 3000, "forced, it drops them");
	ok(ask(l, POSTED) == 5 && ask(other, POSTED) == 5 && agrees(other) &&
	   ask(other, "SELECT requests FROM rate") == 100,
	   "who had it open sees the copy");
	calls(l, 1, 7);
	calls(other, 1, 7);
	ok(ask(l, POSTED) == 7 && agrees(l), "and goes on with it");
	ok(tat > 0 && ask(l, "SELECT sum(tat) FROM bucket") >= tat,
	   "what was used of a rate limit stays used");
	ok(ask(l, "SELECT count(*) FROM event WHERE kind='restore' AND"
	       " detail->>'transfers_dropped'=6 AND"
	       " detail->>'spent_dropped_usd'=0.000003") == 1,
	   "the ledger tells of it");
	ok(!is_there(path, ".restore") && is_alone(copy),
	   "nothing is left beside them");
	ai_ledger_close(other);
	ai_ledger_close(l);
}

static void test_other_ledger(void)
{
	struct ai_ledger *l = open_new();
	struct ai_restored out;
	struct ai_err err;
	char first[120];

	calls(l, 4, 7);
	ok(ai_ledger_backup(l, copy, false, &err) == 0, "one of four");
	set(first, sizeof(first), copy);
	ai_ledger_close(l);
	l = open_new();
	calls(l, 2, 7);
	ok(says(ai_ledger_restore(path, first, false, &out, &err), &err,
		AI_E_CREATE, "4 transfers"), "another ledger's: all is dropped");
	ok(ai_ledger_restore(path, first, true, &out, &err) == 0 &&
	   ask(l, POSTED) == 4 && agrees(l), "if it is forced");
	ai_ledger_close(l);
	snprintf(path, sizeof(path), "%s/new/one/ledger.db", folder);
	ok(ai_ledger_restore(path, first, false, &out, &err) == 0,
	   "a ledger that is not there is made");
	l = open_it(path);
	ok(ask(l, POSTED) == 4 && agrees(l), "of the copy");
	ai_ledger_close(l);
}

/* A day is that of the ledger as it is now. */
static void test_zone(void)
{
	struct ai_ledger *l = open_new();
	struct ai_restored out;
	struct ai_err err;

	ai_ledger_backup(l, copy, false, &err);
	edit(copy, "UPDATE state SET zone='Asia/Tokyo'");
	calls(l, 1, 7);
	ok(ai_ledger_restore(path, copy, true, &out, &err) == 0,
	   "a ledger of Tokyo");
	setenv("TZ", "UTC", 1);
	calls(l, 1, 7);
	ok(ask(l, "SELECT count(*) FROM account WHERE period='day' AND"
	       " start % 86400000 = 54000000") == 1,
	   "who had it open uses Tokyo's days");
	ai_ledger_close(l);
	setenv("TZ", "UTC", 1);
}

static void test_living(void)
{
	struct ai_ledger *l = open_new();
	struct ai_restored out;
	struct ai_err err;
	char self[40];

	ai_ledger_backup(l, copy, false, &err);
	call(l, 5, -1, &err);
	snprintf(self, sizeof(self), "ai-complete (process %d)", getpid());
	ok(says(ai_ledger_restore(path, copy, false, &out, &err), &err,
		AI_E_TRY_LATER, self), "calls under way: %s", err.msg);
	ok(ask(l, "SELECT count(*) FROM hold") == 1, "they stay");
	ok(ai_ledger_restore(path, copy, true, &out, &err) == 0 &&
	   ask(l, "SELECT count(*) FROM hold") == 0, "unless it is forced");
	ai_ledger_close(l);
}

static void refused(struct ai_ledger *l, const char *file, enum ai_code code,
		    const char *text, const char *what)
{
	struct ai_restored out;
	struct ai_err err;
	int rc = ai_ledger_restore(path, file, true, &out, &err);

	ok(says(rc, &err, code, text) && ask(l, POSTED) == 9 &&
	   !is_there(path, ".restore"), "%s: %s", what, err.msg);
}

static void test_restore_refused(void)
{
	static const char *const edits[] = { "PRAGMA user_version=99",
		"PRAGMA application_id=7", "DROP TRIGGER no_update; UPDATE"
		" transfer SET amount=1 WHERE seq=2", "UPDATE account SET"
		" posted=posted-1", "PRAGMA user_version=0",
		"DELETE FROM state" };
	static const struct { enum ai_code code; const char *text; } is[] = {
		{ AI_E_CONFIG, "newer" }, { AI_E_DATA, "no ledger" },
		{ AI_E_DATA, "seal is broken" }, { AI_E_DATA, "posted is" },
		{ AI_E_DATA, "no ledger" }, { AI_E_DATA, "chain has no end" } };
	struct ai_ledger *l = open_new();
	unsigned char rubbish[4096];
	char bad[130];
	struct ai_err err;
	struct stat st;
	long at;
	size_t i;

	calls(l, 9, 7);
	snprintf(bad, sizeof(bad), "%s.bad", path);
	refused(l, bad, AI_E_OPEN, ".bad", "no such file");
	refused(l, path, AI_E_USAGE, "itself", "the ledger");
	refused(l, beside(path, "-wal"), AI_E_USAGE, "itself", "its log");
	write_at(bad, 0, "this is a text, and no database at all", 38);
	refused(l, bad, AI_E_DATA, "not a database", "a text");
	unlink(bad);
	write_at(bad, 0, "", 0);
	refused(l, bad, AI_E_DATA, "no ledger", "an empty file");
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		unlink(bad);
		ai_ledger_backup(l, bad, false, &err);
		edit(bad, edits[i]);
		refused(l, bad, is[i].code, is[i].text, edits[i]);
	}
	memset(rubbish, 0xA5, sizeof(rubbish));
	stat(bad, &st);
	for (at = 4096; at < st.st_size; at += st.st_size / 20 / 4096 * 4096 +
	     4096) {
		unlink(bad);
		ai_ledger_backup(l, bad, false, &err);
		write_at(bad, at, rubbish, sizeof(rubbish));
		refused(l, bad, AI_E_DATA, "", "a page that is damaged");
	}
	unlink(bad);
	ai_ledger_backup(l, bad, false, &err);
	if (truncate(bad, st.st_size / 2) == 0)
		refused(l, bad, AI_E_DATA, "", "half a copy");
	ok(agrees(l), "the ledger is as it was");
	ai_ledger_close(l);
}

static void test_older(void)
{
	struct ai_ledger *l = open_new();
	struct ai_restored out;
	char from[4096];
	struct ai_err err;
	struct stat a, b;

	snprintf(from, sizeof(from), "%s/tests/unit/ledger-1.db",
		 getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".");
	stat(from, &a);
	ok(ai_ledger_restore(path, from, false, &out, &err) == 0 &&
	   ask(l, "SELECT count(*) FROM transfer") == 33 &&
	   ask(l, "PRAGMA user_version") == LEDGER_VERSION && agrees(l),
	   "an older version is brought forward");
	stat(from, &b);
	ok(a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
	   a.st_mtim.tv_nsec == b.st_mtim.tv_nsec, "and stays as it is");
	ai_ledger_close(l);
}

/* ---- a damaged ledger ------------------------------------------------------------------ */

static bool same_bytes(const char *a, const char *b)
{
	static char one[1 << 20], two[1 << 20];
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	size_t n = f != NULL ? fread(one, 1, sizeof(one), f) : 0,
	       m = g != NULL ? fread(two, 1, sizeof(two), g) : 0;

	if (f != NULL)
		fclose(f);
	if (g != NULL)
		fclose(g);
	return n > 0 && n == m && memcmp(one, two, n) == 0;
}

static void test_damaged(void)
{
	struct ai_ledger *l = open_new(), *other;
	struct ai_restored out;
	unsigned char rubbish[100];
	char kept[130];
	struct ai_err err;

	calls(l, 6, 7);
	ai_ledger_backup(l, copy, false, &err);
	memset(rubbish, 0xA5, sizeof(rubbish));
	other = open_it(path);
	ai_ledger_close(l);
	write_at(path, 0, rubbish, sizeof(rubbish));
	/* A log of frames would heal the header. */
	ok(truncate(beside(path, "-wal"), 0) == 0, "the log is cut");
	snprintf(kept, sizeof(kept), "%s.kept", path);
	if (link(path, kept) < 0)
		ok(false, "link");
	ok(says(ai_ledger_restore(path, copy, false, &out, &err), &err,
		AI_E_TRY_LATER, "have it open"), "damaged, and in use");
	ai_ledger_close(other);
	ok(ai_ledger_restore(path, copy, false, &out, &err) == 0 &&
	   strstr(out.aside, ".damaged-2") != NULL &&
	   same_bytes(out.aside, kept), "damaged: put aside, and replaced");
	ok(is_there(out.aside, "-wal") && !is_there(path, ".restore"),
	   "its log went with it");
	l = open_it(path);
	ok(ask(l, POSTED) == 6 && agrees(l) &&
	   ask(l, "SELECT count(*) FROM event WHERE kind='restore'") == 1,
	   "the copy took its place");
	ai_ledger_close(l);
}

static void test_contradiction(void)
{
	struct ai_ledger *l = open_new();
	struct ai_restored out;
	struct ai_err err;

	calls(l, 6, 7);
	ai_ledger_backup(l, copy, false, &err);
	calls(l, 2, 7);
	ai_db_exec(&l->db, "DROP TRIGGER no_update; UPDATE transfer SET"
		   " amount=1 WHERE seq=2", &err);
	ok(ai_ledger_restore(path, copy, false, &out, &err) == 0 &&
	   ask(l, POSTED) == 6 && agrees(l), "a contradiction: replaced");
	ok(ask_file(out.aside, POSTED) == 8, "what it was is kept");
	ai_ledger_close(l);
}

/* ---- space ------------------------------------------------------------------------------- */

static void test_vacuum(void)
{
	struct ai_ledger *l = open_new();
	int64_t before = 0, after = 0;
	struct ai_err err;
	struct stat st;

	calls(l, 20, 7);
	ai_db_exec(&l->db, "CREATE TABLE large(x); INSERT INTO large"
		   " VALUES(randomblob(3000000)); DROP TABLE large", &err);
	ok(ai_ledger_vacuum(l, &before, &after, &err) == 0, "a vacuum");
	ok(before > 3000000 && after > 0 && after < 300000,
	   "%lld bytes become %lld", (long long)before, (long long)after);
	ok(stat(path, &st) == 0 && st.st_size == after &&
	   stat(beside(path, "-wal"), &st) == 0 && st.st_size == 0,
	   "the log is empty");
	ok(ask(l, POSTED) == 20 && agrees(l), "nothing is lost");
	ai_ledger_close(l);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("TZ", "UTC", 1);
	test_backup();
	test_backup_refused();
	test_draft();
	test_no_room();
	test_full_disk();
	test_restore();
	test_other_ledger();
	test_zone();
	test_living();
	test_restore_refused();
	test_older();
	test_damaged();
	test_contradiction();
	test_vacuum();
	remove_folder(folder);
	return done();
}
