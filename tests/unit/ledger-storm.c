/*
 * Processes that reserve, send and settle at one ledger, killed with SIGKILL
 * at any moment.
 *
 *	ledger-storm [PROCESSES [SECONDS [SEED [GRANTED]]]]
 *
 * It ends after SECONDS and GRANTED reservations.  Each call falls under five
 * budgets, which are small: they fill all the time, and who is refused raises
 * the one that refused him a little, so that most calls are granted and all
 * budgets are always about to be passed.  Workers write down what they were
 * told.  storm-check.c compares that with what is left.
 */
#include "store/ledger-int.h"
#include "help.h"
#include "storm.h"
#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define PATIENCE 900 /* seconds; then it does not get anywhere */

/* For when to end, and how much of what there was: the judge trusts none of
 * it. */
static struct storm {
	_Atomic int stop;
	_Atomic long calls, granted, settled, again, raised;
	_Atomic long refused[AI_BREAKER_OPEN + 1];
} *storm;

static char folder[] = "/tmp/ai-ledger-storm-XXXXXX", path[60];
static int64_t step; /* by which a cap is raised */
static int notes = -1;

static void die(const struct ai_err *err)
{
	printf("# %s\n", err->msg);
	fflush(stdout);
	_exit(9);
}

/* For calls that must succeed. */
static void must(int rc, const struct ai_err *err)
{
	if (rc < 0)
		die(err);
}

static void tell(struct note *n, enum told told)
{
	static const struct ai_err full = { AI_E_IO, 0, "cannot take notes" };

	n->told = told;
	if (write(notes, n, sizeof(*n)) != (ssize_t)sizeof(*n))
		die(&full);
}

/* ---- a call -------------------------------------------------------------------- */

/* Model m2 has few requests a minute, and m3 fails often. */
static void choose(struct ai_reserve *r, struct note *n)
{
	static const int models[] = { 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				      1, 1, 1, 1, 1, 1, 1, 1 };
	int64_t bill = below(10);

	*r = (struct ai_reserve){ .worst = 1 + below(STORM_REQUEST + 40),
				  .tokens = below(100), .max_wait_ms = 3 };
	ai_ledger_id(r->id);
	set(r->labels.key, sizeof(r->labels.key), "k");
	snprintf(r->labels.model, sizeof(r->labels.model), "m%d",
		 models[below(20)]);
	snprintf(r->labels.tenant, sizeof(r->labels.tenant), "t%d",
		 (int)below(3));
	snprintf(r->labels.user, sizeof(r->labels.user), "u%d", (int)below(4));
	*n = (struct note){ .worst = r->worst };
	memcpy(n->id, r->id, sizeof(n->id));
	n->cost = bill < 7 ? below(r->worst) : bill < 9 ? r->worst
		: r->worst + 1 + below(500);
	n->later = below(2 * r->worst);
}

/* What refused is raised by about half of those who were refused. Who is late
 * may lower what another one has raised further: that is allowed, too. */
static void raise_cap(struct ai_ledger *l, const struct ai_reserved *out)
{
	struct ai_budget b = { .cap = out->cap + step };
	struct ai_err err;

	if (strcmp(out->period, "request") == 0 || below(2) == 0)
		return;
	set(b.scope, sizeof(b.scope), out->scope);
	set(b.period, sizeof(b.period), out->period);
	/* That of each user stays one budget; a tenant gets his own. */
	set(b.name, sizeof(b.name), strcmp(b.scope, "user") == 0 ? "*"
	    : out->name);
	must(ai_ledger_set_budget(l, &b, &err), &err);
	atomic_fetch_add(&storm->raised, 1);
}

static bool reserve(struct ai_ledger *l, const struct ai_reserve *r)
{
	struct timespec pause = { 0, 0 };
	struct ai_reserved out;
	struct ai_err err;

	atomic_fetch_add(&storm->calls, 1);
	must(ai_ledger_reserve(l, r, &out, &err), &err);
	if (out.verdict != AI_GRANTED) {
		atomic_fetch_add(&storm->refused[out.verdict], 1);
		if (out.verdict == AI_OVER_BUDGET)
			raise_cap(l, &out);
		else if (out.verdict == AI_BREAKER_OPEN && below(20) == 0)
			must(ai_ledger_reset_breaker(l, r->labels.model, &err),
			     &err);
		return false;
	}
	atomic_fetch_add(&storm->granted, 1);
	pause.tv_nsec = out.start_ns - l->boot_ns();
	if (pause.tv_nsec > 0 && pause.tv_nsec < 1000000000)
		nanosleep(&pause, NULL);
	return true;
}

/* Asked once more, as after a lost answer: it must not count twice. */
static void reserve_again(struct ai_ledger *l, const struct ai_reserve *r)
{
	struct ai_reserved out;
	struct ai_err err;

	must(ai_ledger_reserve(l, r, &out, &err), &err);
	if (out.verdict != AI_AGAIN)
		die(&(struct ai_err){ AI_E_BUG, 0, "granted twice" });
	atomic_fetch_add(&storm->again, 1);
}

/* It ends, is ended once more, and somebody may know better later. */
static void settle(struct ai_ledger *l, const struct ai_reserve *r,
		   struct note *n)
{
	struct ai_post p = { .amount = n->cost, .usage = "{\"input\":3}",
			     .outcome = AI_OUTCOME_SUCCESS, .facts = {
		.ended = below(AI_ENDED_COUNT), .attempt = 1 + below(2),
		.input = below(1000), .output = below(100),
		.time_us = below(30000000), .first_us = below(900000) } };
	struct ai_settled settled;
	struct ai_err err;
	bool lost = below(20) == 0;

	if (lost || (r->labels.model[1] == '3' && below(3) > 0))
		p.outcome = AI_OUTCOME_FAILURE;
	memcpy(p.id, r->id, sizeof(p.id));
	p.how = lost ? AI_BOOK_WORST : AI_BOOK_AMOUNT;
	must(ai_ledger_post(l, &p, &err), &err);
	tell(n, lost ? LOST : POSTED);
	atomic_fetch_add(&storm->settled, 1);
	if (below(8) == 0) {
		p.amount += 7;
		p.how = AI_BOOK_AMOUNT;
		must(ai_ledger_post(l, &p, &err), &err);
	}
	if (below(20) == 0) {
		must(ai_ledger_settle(l, r->id, AI_BOOK_AMOUNT, n->later,
				      false, &settled, &err), &err);
		tell(n, CORRECTED);
	}
}

/* What it asked was answered before. */
static void hit(struct ai_ledger *l, const struct ai_reserve *r)
{
	struct ai_hit h = { .labels = r->labels, .hits = 1, .saved = r->worst };
	struct ai_ledger_op op = { .what = AI_LEDGER_HIT, .in.hit = &h },
			    *list = &op;
	struct ai_err err;

	must(ai_ledger_many(l, &list, 1, &err), &err);
	must(op.err.code == AI_E_NONE ? 0 : -1, &op.err);
}

static void one_call(struct ai_ledger *l)
{
	struct ai_reserve r;
	struct ai_err err;
	struct note n;
	int rc;

	choose(&r, &n);
	if (below(10) == 0) {
		hit(l, &r);
		return;
	}
	if (!reserve(l, &r))
		return;
	tell(&n, RESERVED);
	if (below(16) == 0)
		reserve_again(l, &r);
	if (below(100) == 0)
		return; /* forgotten: an orphan that was not sent */
	rc = below(10) == 0 ? 1 : ai_ledger_sent(l, r.id, &err);
	must(rc, &err);
	if (rc > 0) { /* or a breaker has opened since */
		must(ai_ledger_void(l, r.id, &err), &err);
		tell(&n, VOIDED);
		return;
	}
	tell(&n, SENT);
	if (below(100) > 0) /* else an orphan that was */
		settle(l, &r, &n);
}

/* ---- the storm ------------------------------------------------------------------ */

static pid_t begin(void)
{
	static long n;
	uint64_t own_seed = next_random();
	char name[80];
	struct ai_ledger *l;
	struct ai_err err;
	pid_t pid;

	snprintf(name, sizeof(name), "%s/notes-%ld", folder, n++);
	pid = fork();
	if (pid != 0)
		return pid;
	seed = own_seed;
	notes = open(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
	must(ai_ledger_open(&l, path, &err), &err);
	while (!atomic_load(&storm->stop))
		one_call(l);
	ai_ledger_close(l);
	_exit(0);
}

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) +
		(double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static bool is_over(const struct timespec *from, double seconds, long granted)
{
	double now = seconds_since(from);

	return now >= PATIENCE ||
		(now >= seconds && atomic_load(&storm->granted) >= granted);
}

/* Kills one after the other; returns how many. A worker that ended by itself
 * before the end has failed: then it is over. */
static long rage(int n, double seconds, long granted, int *failed)
{
	pid_t pid[PROCESSES_MAX];
	struct timespec from, pause = { 0, 0 };
	long kills = 0;
	int i, status;

	for (i = 0; i < n; i++)
		pid[i] = begin();
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (*failed == 0 && !is_over(&from, seconds, granted)) {
		pause.tv_nsec = below(30000000);
		nanosleep(&pause, NULL);
		i = (int)below(n);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
		*failed += WIFEXITED(status);
		kills += WIFSIGNALED(status);
		pid[i] = begin();
	}
	atomic_store(&storm->stop, 1);
	for (i = 0; i < n; i++) {
		waitpid(pid[i], &status, 0);
		*failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
	}
	printf("# %.1f s\n", seconds_since(&from));
	return kills;
}

static void set_up(void)
{
	const struct ai_budget budgets[] = {
		{ "all", "", "request", STORM_REQUEST },
		{ "all", "", "total", step }, { "all", "", "day", step },
		{ "tenant", "*", "day", step / 2 },
		{ "user", "*", "total", step / 2 },
		{ "model", "m0", "hour", step / 2 },
		{ "model", "m1", "hour", step / 2 },
	};
	const struct ai_limit limits[] = {
		{ "k", "*", 3000000, 300000000 }, { "k", "m2", 300, 0 },
	};
	struct ai_ledger *l;
	struct ai_err err;
	size_t i;

	must(ai_ledger_open(&l, path, &err), &err);
	must(ai_db_exec(&l->db, storm_witness, &err), &err);
	for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
		must(ai_ledger_set_budget(l, &budgets[i], &err), &err);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		must(ai_ledger_set_limit(l, &limits[i], &err), &err);
	ai_ledger_close(l);
}

/* A storm of refusals, or without any, would prove nothing. */
static void judge_storm(long kills, long wanted, const struct storm_result *r)
{
	long calls = atomic_load(&storm->calls),
		granted = atomic_load(&storm->granted),
		budget = atomic_load(&storm->refused[AI_OVER_BUDGET]),
		limit = atomic_load(&storm->refused[AI_OVER_LIMIT]),
		breaker = atomic_load(&storm->refused[AI_BREAKER_OPEN]);

	printf("# refused: %ld by budgets, %ld by limits, %ld by breakers; "
	       "%ld caps raised, %ld asked twice\n", budget, limit, breaker,
	       atomic_load(&storm->raised), atomic_load(&storm->again));
	printf("# ends: %lld posts, %lld voids, %lld expired, %lld "
	       "corrections; %lld events\n", (long long)r->ends[LEDGER_POST],
	       (long long)r->ends[LEDGER_VOID],
	       (long long)r->ends[LEDGER_EXPIRE],
	       (long long)r->ends[LEDGER_CORRECT], (long long)r->events);
	ok(granted >= wanted && granted >= calls / 2 &&
	   r->ends[LEDGER_POST] >= granted / 2,
	   "of %ld calls %ld are granted, %lld posted", calls, granted,
	   (long long)r->ends[LEDGER_POST]);
	/* On a slow machine there may be too few for the others. */
	ok(budget >= calls / 50 && atomic_load(&storm->raised) > 0 &&
	   ((limit > 0 && breaker > 0) || calls < 1000),
	   "budgets, limits and breakers refuse, the budgets 1 in %ld",
	   calls / (budget > 0 ? budget : 1));
	ok(kills > 0 && r->orphans > kills / 8, "%ld kills, %lld orphans",
	   kills, (long long)r->orphans);
}

int main(int argc, char **argv)
{
	int n = (int)number(argc, argv, 1, 8), failed = 0;
	int64_t seconds = number(argc, argv, 2, 3),
		granted = number(argc, argv, 4, 0);
	struct storm_result r = { 0 };
	long kills;

	seed = (uint64_t)number(argc, argv, 3, (int64_t)time(NULL));
	printf("# seed %lld\n", (long long)seed);
	fflush(stdout);
	setenv("TZ", "UTC", 1);
	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n < 1 || n > PROCESSES_MAX || storm == MAP_FAILED ||
	    mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/l.db", folder);
	step = (20 + 4 * n) * (int64_t)1000;
	set_up();
	kills = rage(n, (double)seconds, (long)granted, &failed);
	ok(failed == 0, "no process failed");
	storm_check(path, folder, kills, &r, tap_ok);
	judge_storm(kills, (long)granted, &r);
	remove_folder(folder);
	return done();
}
