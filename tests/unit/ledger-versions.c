/*
 * A ledger of every older version, as it was kept, is brought forward: by
 * one, by many at once, by some that are killed.  Nothing in it changes but
 * its form.
 */
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 8
#define ROUNDS 20
#define TEXT(n) #n
#define TEXT_OF(n) TEXT(n)
#define LAST TEXT_OF(LEDGER_VERSION)

static char folder[] = "/tmp/ai-ledger-versions-XXXXXX", path[100];

/* A copy of the kept file of this version, as the ledger. */
static void take(int version)
{
	static char bytes[1 << 20];
	char from[4096], log[120];
	size_t n;
	FILE *f;

	snprintf(from, sizeof(from), "%s/tests/unit/ledger-%d.db",
		 getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".", version);
	f = fopen(from, "rb");
	n = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
	if (f != NULL)
		fclose(f);
	snprintf(log, sizeof(log), "%s-wal", path);
	unlink(log);
	f = fopen(path, "wb");
	if (n == 0 || f == NULL || fwrite(bytes, 1, n, f) != n) {
		printf("Bail out! cannot copy %s\n", from);
		exit(1);
	}
	fclose(f);
}

static struct ai_ledger *open_it(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) == 0)
		return l;
	printf("# %s\n", err.msg);
	return NULL;
}

/* All that was in the ledger when it was kept, as one number each; the open
 * reservations were those of a process of an earlier boot, so that of the one
 * that was not sent nobody can know it either. */
static const struct { const char *sql; int64_t is; } facts[] = {
	{ "SELECT count(*) FROM transfer", 33 },
	{ "SELECT sum(amount) FROM transfer WHERE kind=1", 12169066 },
	{ "SELECT sum(amount) FROM transfer WHERE kind=2", 4801066 },
	{ "SELECT sum(amount) FROM transfer WHERE kind=4", 5000 },
	{ "SELECT sum(amount) FROM transfer WHERE kind=5", 1500 },
	{ "SELECT count(*) FROM hold WHERE sent", 1 },
	{ "SELECT sum(amount) FROM hold", 160000 },
	{ "SELECT count(*) FROM budget", 4 },
	{ "SELECT posted FROM account WHERE scope='all'", 4807566 },
	{ "SELECT posted FROM account WHERE scope='user'", 1602518 },
	{ "SELECT count(*) FROM person WHERE name='Ada Lovelace'", 1 },
	{ "SELECT requests FROM rate WHERE model='gpt-5-mini'", 600 },
	{ "SELECT zone='Europe/Berlin' FROM state", 1 },
	{ "PRAGMA user_version", LEDGER_VERSION },
	{ "SELECT version FROM state", LEDGER_VERSION },
	/* The last step, whatever was before it. */
	{ "SELECT count(*) FROM event WHERE kind='version' AND"
	  " json_extract(detail, '$.to')=" LAST, 1 },
	{ "SELECT count(*) FROM sqlite_schema WHERE tbl_name='transfer'",
	  1 + 4 + 2 },
};

static bool is_whole(struct ai_ledger *l)
{
	struct ai_err err;
	int64_t got;
	int wrong = 0;
	size_t i;

	if (l == NULL || ai_ledger_check(l, complain, &wrong, &err) < 0)
		return false;
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (ai_db_int(&l->db, facts[i].sql, &got, &err) < 0 ||
		    got != facts[i].is) {
			printf("# %s: %lld\n", facts[i].sql, (long long)got);
			wrong++;
		}
	return wrong == 0;
}

static void test_one(int version)
{
	struct ai_ledger *l;
	struct ai_err err;
	int64_t posted;

	take(version);
	l = open_it();
	ok(is_whole(l), "version %d is brought forward whole", version);
	ok(ai_ledger_sweep(l, &err) == 0 &&
	   ai_db_int(&l->db, "SELECT posted FROM account WHERE scope='all'",
		     &posted, &err) == 0 && posted == 4807566 + 160000,
	   "what it held before the reboot is booked at its worst case");
	ai_ledger_close(l);
}

/* Whoever comes first does it; the others find it done. */
static void test_many(int version)
{
	int i, round, status, good = 0;
	struct ai_ledger *l;
	pid_t pid[MANY];
	bool whole = true;

	for (round = 0; round < ROUNDS; round++) {
		take(version);
		for (i = 0; i < MANY; i++)
			if ((pid[i] = fork()) == 0)
				_exit(is_whole(open_it()) ? 0 : 1);
		for (i = 0; i < MANY; i++) {
			waitpid(pid[i], &status, 0);
			good += status == 0;
		}
		l = open_it();
		whole = whole && is_whole(l);
		ai_ledger_close(l);
	}
	ok(good == ROUNDS * MANY && whole, "%d at once, %d times: %d found it "
	   "whole", MANY, ROUNDS, good);
}

static void test_killed(int version)
{
	struct ai_ledger *l;
	struct ai_err err;
	int64_t is;
	int round, before = 0, whole = 0;
	pid_t pid;

	for (round = 0; round < ROUNDS; round++) {
		take(version);
		pid = fork();
		if (pid == 0) {
			open_it();
			_exit(0);
		}
		usleep((useconds_t)below(3000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		l = open_it();
		whole += is_whole(l);
		before += l != NULL && ai_db_int(&l->db, "SELECT count(*) FROM"
			" event WHERE json_extract(detail, '$.to')=" LAST, &is,
			&err) == 0 && is == 1;
		ai_ledger_close(l);
	}
	ok(whole == ROUNDS && before == ROUNDS, "killed meanwhile, %d times: "
	   "whole %d times", ROUNDS, whole);
}

/* A program that has it open while a newer one brings it forward. */
static void test_left_behind(void)
{
	struct ai_ledger *l = open_it();
	struct ai_reserve r = { .worst = 1 };
	struct ai_reserved out;
	struct ai_err err;

	ai_db_exec(&l->db, "UPDATE state SET version=99", &err);
	ai_ledger_id(r.id);
	ok(ai_ledger_reserve(l, &r, &out, &err) < 0 &&
	   err.code == AI_E_CONFIG && strstr(err.msg, "start it again") != NULL,
	   "who is left behind is told: %s", err.msg);
	ai_ledger_close(l);
}

int main(int argc, char **argv)
{
	int version;

	seed = (uint64_t)number(argc, argv, 1, 1);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	for (version = 1; version < LEDGER_VERSION; version++) {
		test_one(version);
		test_many(version);
		test_killed(version);
	}
	test_left_behind();
	remove_folder(folder);
	return done();
}
