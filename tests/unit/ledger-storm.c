/*
 * Processes that reserve, send and post at one ledger, killed with SIGKILL at
 * any moment.
 *
 *	ledger-storm [PROCESSES [SECONDS [SEED]]]
 *
 * Each notes in shared memory what it was told.  In the end what was
 * acknowledged must be in the ledger, what the dead left must be resolved by
 * the rules (not sent: void; sent: its worst case), all sums must agree, and
 * the cap must hold.
 */
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS_MAX 400000
#define PROCESSES_MAX 64
#define CAP 500000 /* so that it is reached */

enum told { NOTHING, RESERVED, SENT, POSTED, VOIDED };

struct call {
	unsigned char id[AI_LEDGER_ID];
	_Atomic int told;
	int64_t worst, cost;
};

static struct storm {
	_Atomic long n;         /* calls */
	_Atomic long refused;
	_Atomic int stop;
	struct call call[CALLS_MAX];
} *storm;

static char folder[] = "/tmp/ai-ledger-storm-XXXXXX", path[60];

static void die(const struct ai_err *err)
{
	printf("# %s\n", err->msg);
	fflush(stdout);
	_exit(9);
}

/* ---- what is stormed ----------------------------------------------------------- */

static void one_call(struct ai_ledger *l)
{
	long at = atomic_fetch_add(&storm->n, 1);
	struct ai_reserve r = { .worst = below(2000) };
	struct ai_post p = { .usage = "" };
	struct ai_reserved out;
	struct ai_err err;
	struct call *c;

	if (at >= CALLS_MAX) {
		atomic_store(&storm->stop, 1);
		return;
	}
	c = &storm->call[at];
	ai_ledger_id(r.id);
	memcpy(c->id, r.id, sizeof(c->id));
	c->worst = r.worst;
	c->cost = p.amount = r.worst == 0 ? 0 : below(r.worst);
	if (ai_ledger_reserve(l, &r, &out, &err) < 0)
		die(&err);
	if (out.verdict == AI_OVER_BUDGET) {
		atomic_fetch_add(&storm->refused, 1);
		return;
	}
	atomic_store(&c->told, RESERVED);
	if (below(10) == 0) {
		if (ai_ledger_void(l, r.id, &err) < 0)
			die(&err);
		atomic_store(&c->told, VOIDED);
		return;
	}
	if (ai_ledger_sent(l, r.id, &err) < 0)
		die(&err);
	atomic_store(&c->told, SENT);
	memcpy(p.id, r.id, sizeof(p.id));
	if (ai_ledger_post(l, &p, &err) < 0)
		die(&err);
	atomic_store(&c->told, POSTED);
}

static pid_t begin(uint64_t own_seed)
{
	struct ai_ledger *l;
	struct ai_err err;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	seed = own_seed;
	if (ai_ledger_open(&l, path, &err) < 0)
		die(&err);
	while (!atomic_load(&storm->stop))
		one_call(l);
	ai_ledger_close(l);
	_exit(0);
}

/* Kills one after the other; returns how many. A worker that ended by itself
 * before the end has failed. */
static long rage(int n, double seconds, int *failed)
{
	pid_t pid[PROCESSES_MAX];
	struct timespec from, now, pause = { 0, 0 };
	long kills = 0;
	int i, status;

	for (i = 0; i < n; i++)
		pid[i] = begin((uint64_t)below(INT64_MAX));
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		pause.tv_nsec = below(30000000);
		nanosleep(&pause, NULL);
		i = (int)below(n);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
		*failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
		kills += WIFSIGNALED(status);
		pid[i] = begin((uint64_t)below(INT64_MAX));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - from.tv_sec) +
		 (double)(now.tv_nsec - from.tv_nsec) / 1e9 < seconds &&
		 !atomic_load(&storm->stop));
	atomic_store(&storm->stop, 1);
	for (i = 0; i < n; i++) {
		waitpid(pid[i], &status, 0);
		*failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
	}
	return kills;
}

/* ---- what is left --------------------------------------------------------------- */

/* How the call ended in the ledger: its kind and amount; 0: it is not there. */
static int ending(struct ai_ledger *l, const unsigned char *id,
		  int64_t *amount)
{
	static const char sql[] = "SELECT e.kind, e.amount FROM transfer p"
		" JOIN transfer e ON e.of=p.seq WHERE p.id=?";
	static sqlite3_stmt *st;
	struct ai_err err;
	int kind = 0;

	if (ai_db_bind(&l->db, &st, sql, &err, "b",
		       ((struct ai_span){ (const char *)id,
					  AI_LEDGER_ID })) < 0)
		die(&err);
	if (ai_db_step(&l->db, st, &err) > 0) {
		kind = sqlite3_column_int(st, 0);
		*amount = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	if (id == NULL)
		ai_db_finish(&st);
	return kind;
}

static bool as_told(const struct call *c, int kind, int64_t amount)
{
	switch (atomic_load(&c->told)) {
	case POSTED:
		return kind == LEDGER_POST && amount == c->cost;
	case VOIDED:
		return kind == LEDGER_VOID;
	case SENT: /* what came after may have been done, and not told */
		return (kind == LEDGER_EXPIRE && amount == c->worst) ||
			(kind == LEDGER_POST && amount == c->cost);
	case RESERVED:
		return kind == LEDGER_VOID ||
			(kind == LEDGER_EXPIRE && amount == c->worst);
	default:
		return true;
	}
}

static void check(struct ai_ledger *l, long kills)
{
	long n = atomic_load(&storm->n), i, posted = 0, wrong = 0;
	struct ai_err err;
	int64_t amount = 0, value;
	int faults = 0, kind;

	if (ai_ledger_sweep(l, &err) < 0 || ai_ledger_sweep(l, &err) < 0)
		die(&err);
	n = n > CALLS_MAX ? CALLS_MAX : n;
	for (i = 0; i < n; i++) {
		kind = ending(l, storm->call[i].id, &amount);
		wrong += !as_told(&storm->call[i], kind, amount);
		posted += storm->call[i].told == POSTED;
	}
	ending(l, NULL, &amount);
	ok(kills > 0 && posted > 0, "%ld kills, %ld calls, %ld posted and "
	   "acknowledged, %ld refused", kills, n, posted,
	   atomic_load(&storm->refused));
	ok(wrong == 0, "all is as it was acknowledged: %ld are not", wrong);
	if (ai_db_int(&l->db, "SELECT count(*) FROM hold", &value, &err) < 0)
		die(&err);
	ok(value == 0, "nothing of the dead is held");
	if (ai_db_int(&l->db, "SELECT pending + posted FROM account WHERE"
		      " period='total'", &value, &err) < 0)
		die(&err);
	ok(value > 0 && value <= CAP, "%lld of %d are spent", (long long)value,
	   CAP);
	ok(ai_ledger_check(l, complain, &faults, &err) == 0 && faults == 0,
	   "all sums and seals agree");
}

int main(int argc, char **argv)
{
	int n = (int)number(argc, argv, 1, 8), failed = 0;
	int64_t seconds = number(argc, argv, 2, 3);
	struct ai_budget total = { "all", "", "total", CAP },
			 none = { "all", "", "day", -1 };
	struct ai_ledger *l;
	struct ai_err err;
	long kills;

	seed = (uint64_t)number(argc, argv, 3, (int64_t)time(NULL));
	printf("# seed %lld\n", (long long)seed);
	fflush(stdout);
	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n < 1 || n > PROCESSES_MAX || storm == MAP_FAILED ||
	    mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/l.db", folder);
	if (ai_ledger_open(&l, path, &err) < 0 ||
	    ai_ledger_set_budget(l, &total, &err) < 0 ||
	    ai_ledger_set_budget(l, &none, &err) < 0)
		die(&err);
	ai_ledger_close(l);
	kills = rage(n, (double)seconds, &failed);
	ok(failed == 0, "no process failed");
	if (ai_ledger_open(&l, path, &err) < 0)
		die(&err);
	check(l, kills);
	ai_ledger_close(l);
	remove_folder(folder);
	return done();
}
