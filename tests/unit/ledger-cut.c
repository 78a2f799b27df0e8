/*
 * Backup, restore and vacuum beside processes that go on writing, and cut off
 * at any moment.
 *
 *	ledger-cut [ROUNDS [SEED]]
 *
 * ROUNDS is how often each is killed.
 */
#include "copies.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#define WRITERS 16

/* ---- in a crowd --------------------------------------------------------------------------- */

static struct crowd {
	_Atomic long posted; /* acknowledged */
	_Atomic long lost;   /* of a ledger that was replaced */
	_Atomic int stop, wrong;
} *crowd;

static pid_t writers[WRITERS];

static void write_on(bool may_vanish)
{
	struct ai_ledger *l = open_it(path);
	struct ai_err err = { .msg = "refused" };

	while (!atomic_load(&crowd->stop)) {
		if (call(l, 9, 7, &err) == 0) {
			atomic_fetch_add(&crowd->posted, 1);
		} else if (may_vanish && err.code == AI_E_BUG) {
			atomic_fetch_add(&crowd->lost, 1);
		} else {
			printf("# writer: %s\n", err.msg);
			atomic_fetch_add(&crowd->wrong, 1);
			break;
		}
	}
	ai_ledger_close(l);
	fflush(stdout);
	_exit(0);
}

static void start_writers(int n, bool may_vanish)
{
	int i;

	memset(crowd, 0, sizeof(*crowd));
	fflush(stdout);
	for (i = 0; i < WRITERS; i++) {
		writers[i] = i < n ? fork() : -1;
		if (writers[i] == 0)
			write_on(may_vanish);
	}
	while (n > 0 && atomic_load(&crowd->posted) == 0 &&
	       atomic_load(&crowd->wrong) == 0)
		usleep(1000);
}

static void stop_writers(void)
{
	int i;

	atomic_store(&crowd->stop, 1);
	for (i = 0; i < WRITERS; i++)
		if (writers[i] > 0)
			waitpid(writers[i], NULL, 0);
}

/* A day's budget would end the calls too early. */
static struct ai_ledger *open_crowd(void)
{
	struct ai_ledger *l = open_new();
	struct ai_budget b = { "all", "", "day", -1 };
	struct ai_err err;

	ai_ledger_set_budget(l, &b, &err);
	calls(l, 30, 7);
	return l;
}

static void test_crowd_backup(void)
{
	struct ai_ledger *l = open_crowd(), *c;
	struct ai_err err = { .msg = "" };
	long before, made = 0, right = 0;
	int i;

	start_writers(WRITERS, false);
	for (i = 0; i < 20; i++) {
		before = atomic_load(&crowd->posted);
		snprintf(copy, sizeof(copy), "%s.copy%d", path, i);
		if (ai_ledger_backup(l, copy, false, &err) < 0) {
			printf("# %s\n", err.msg);
			continue;
		}
		made += is_alone(copy);
		c = open_it(copy);
		right += agrees(c) && ask(c, POSTED) >= before + 30;
		ai_ledger_close(c);
	}
	stop_writers();
	ok(made == 20 && right == 20, "20 backups beside %d writers: %ld made, "
	   "%ld in order and with all that was posted before", WRITERS, made,
	   right);
	ok(crowd->wrong == 0 && ask(l, POSTED) == 30 + crowd->posted &&
	   agrees(l), "none of %ld calls failed", (long)crowd->posted);
	ai_ledger_close(l);
}

static void test_crowd_restore(void)
{
	struct ai_ledger *l = open_crowd();
	struct ai_restored out;
	struct ai_err err = { .msg = "" };
	int i, done = 0;

	ai_ledger_backup(l, copy, false, &err);
	start_writers(WRITERS, true);
	for (i = 0; i < 10; i++) {
		long before = atomic_load(&crowd->posted);

		if (ai_ledger_restore(path, copy, true, &out, &err) == 0)
			done++;
		else
			printf("# %s\n", err.msg);
		if (!agrees(l))
			atomic_fetch_add(&crowd->wrong, 1);
		/* It goes on each time. */
		while (atomic_load(&crowd->posted) < before + WRITERS &&
		       atomic_load(&crowd->wrong) == 0)
			usleep(1000);
	}
	stop_writers();
	ai_ledger_sweep(l, &err);
	ok(done == 10 && crowd->wrong == 0 && agrees(l), "10 restores beside "
	   "%d writers: %ld calls, %ld of them were dropped under way",
	   WRITERS, (long)crowd->posted, (long)crowd->lost);
	ok(ask(l, "SELECT count(*) FROM hold") == 0 &&
	   ask(l, POSTED) >= 30, "and nothing is held");
	ai_ledger_close(l);
}

static void test_crowd_vacuum(void)
{
	struct ai_ledger *l = open_crowd();
	struct ai_err err = { .msg = "" };
	int64_t before, after;
	int i, done = 0;

	start_writers(WRITERS, false);
	for (i = 0; i < 10; i++)
		done += ai_ledger_vacuum(l, &before, &after, &err) == 0;
	stop_writers();
	ok(done == 10 && crowd->wrong == 0 &&
	   ask(l, POSTED) == 30 + crowd->posted && agrees(l),
	   "10 vacuums beside %d writers: none of %ld calls failed %s", WRITERS,
	   (long)crowd->posted, done < 10 ? err.msg : "");
	ai_ledger_close(l);
}

/* ---- killed ---------------------------------------------------------------------------------- */

enum job { BACKUP, RESTORE, VACUUM, JOBS };

static void work_on(enum job job)
{
	struct ai_ledger *l = open_it(path);
	struct ai_restored out;
	int64_t before, after;
	struct ai_err err;
	int rc;

	for (;;) {
		if (job == BACKUP)
			rc = ai_ledger_backup(l, copy, true, &err);
		else if (job == RESTORE)
			rc = ai_ledger_restore(path, copy, true, &out, &err);
		else
			rc = ai_ledger_vacuum(l, &before, &after, &err);
		if (rc < 0)
			die(&err);
	}
}

/* How long each takes by itself, so that it is killed within. */
static long duration(enum job job)
{
	struct ai_ledger *l = open_it(path);
	struct ai_restored out;
	struct timespec a, b;
	int64_t before, after;
	struct ai_err err;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (job == BACKUP)
		ai_ledger_backup(l, copy, true, &err);
	else if (job == RESTORE)
		ai_ledger_restore(path, copy, true, &out, &err);
	else
		ai_ledger_vacuum(l, &before, &after, &err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ai_ledger_close(l);
	return (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
}

/* What must be there, whichever of the two states it is. */
static bool survived(enum job job, long posted)
{
	struct ai_ledger *l = open_it(path);
	int64_t n = ask(l, POSTED);
	bool right = agrees(l);

	if (job == RESTORE)
		right = right && (n == 200 || n == posted);
	else
		right = right && n == posted;
	if (!right)
		printf("# %lld posted, not %ld\n", (long long)n, posted);
	if (job == RESTORE && n == 200)
		calls(l, 100, 7);
	ai_ledger_close(l);
	/* The last good copy stays. */
	return right && ask_file(copy, POSTED) >= 200;
}

static void test_killed(enum job job, int rounds, bool beside_others)
{
	static const char *const name[] = { "backup", "restore", "vacuum" };
	struct ai_ledger *l = open_crowd();
	struct ai_err err;
	int i, right = 0;
	pid_t pid;
	long us;

	calls(l, 170, 7);
	if (ai_ledger_backup(l, copy, false, &err) < 0)
		die(&err);
	if (job == RESTORE)
		calls(l, 100, 7);
	ai_ledger_close(l);
	us = duration(job);
	if (job == RESTORE)
		survived(job, 200);
	start_writers(beside_others ? 3 : 0, false);
	for (i = 0; i < rounds; i++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			work_on(job);
		usleep((useconds_t)below(2 * us + 5000));
		kill(pid, SIGKILL);
		if (wait_for(pid) >= 0) {
			ok(false, "the %s ended by itself", name[job]);
			break;
		}
		if (beside_others)
			right += crowd->wrong == 0;
		else
			right += survived(job, job == RESTORE ? 300 : 200);
	}
	stop_writers();
	if (beside_others)
		right += survived(job, 200 + crowd->posted) - 1;
	ok(right == rounds, "a %s of %ld us, killed %d times%s: each time the "
	   "ledger was whole", name[job], us, rounds,
	   beside_others ? " beside writers" : "");
}

int main(int argc, char **argv)
{
	int64_t rounds = number(argc, argv, 1, 12);
	int job;

	seed = (uint64_t)number(argc, argv, 2, time(NULL));
	printf("# seed %llu\n", (unsigned long long)seed);
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mkdtemp(folder) == NULL || crowd == MAP_FAILED)
		return 1;
	setenv("TZ", "UTC", 1);
	test_crowd_backup();
	test_crowd_restore();
	test_crowd_vacuum();
	for (job = 0; job < JOBS; job++)
		test_killed((enum job)job, (int)rounds, false);
	test_killed(BACKUP, (int)rounds, true);
	test_killed(VACUUM, (int)rounds, true);
	remove_folder(folder);
	return done();
}
