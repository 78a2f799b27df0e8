/*
 * The ledger's queue when a process in it stops (Ctrl-Z, SIGSTOP): nobody
 * waits for ever, what is said to be done is done, what is said not to be done
 * is not, and where nobody can know, the same request said again tells.
 *
 *	ledger-queue [SECONDS [SEED]]
 */
#include "copies.h"

#include "store/cache.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define WAIT 600 /* ms, instead of AI_QUEUE_WAIT_MS */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool says(const struct ai_err *err, const char *text)
{
	if (err->code == AI_E_TRY_LATER && strstr(err->msg, text) != NULL)
		return true;
	printf("# code %d: %s\n", err->code, err->msg);
	return false;
}

static struct ai_reserve wish(void)
{
	struct ai_reserve r = { .worst = 9, .max_wait_ms = INT64_MAX,
		.labels = { .tool = "t", .model = "m", .user = "Ada" } };

	ai_ledger_id(r.id);
	return r;
}

/* -1: an error. */
static int verdict(struct ai_ledger *l, const struct ai_reserve *r,
		   struct ai_err *err)
{
	struct ai_reserved out;

	return ai_ledger_reserve(l, r, &out, err) < 0 ? -1 : (int)out.verdict;
}

static int post(struct ai_ledger *l, const struct ai_reserve *r,
		struct ai_err *err)
{
	struct ai_post p = { .amount = 7, .usage = "{}" };

	memcpy(p.id, r->id, sizeof(p.id));
	return ai_ledger_post(l, &p, err);
}

static void await_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		ok(false, "it did not stop");
}

/* ---- who has the lock, and stops ------------------------------------------------ */

static void hold_and_stop(void)
{
	struct ai_ledger *l = open_it(path);
	struct ai_err err;

	if (ai_queue_lock(&l->queue, &err) < 0)
		die(&err);
	raise(SIGSTOP);
	/* All that waits is run with this. */
	if (ai_ledger_sweep(l, &err) < 0)
		die(&err);
	_exit(0);
}

static void test_holder(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = wish();
	unsigned char key[AI_CACHE_KEY] = { 1 };
	int64_t began, cpu, elapsed;
	struct ai_err err;
	char who[60];
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		hold_and_stop();
	await_stop(pid);
	snprintf(who, sizeof(who), "process %d (stopped)", (int)pid);
	l->queue.wait_ms = WAIT;
	cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	began = clock_ms(CLOCK_MONOTONIC);
	ok(verdict(l, &r, &err) < 0 && says(&err, who) &&
	   says(&err, "kill -CONT") && says(&err, "nothing was done"),
	   "a request ends, and says who is in its way");
	elapsed = clock_ms(CLOCK_MONOTONIC) - began;
	cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	ok(elapsed >= WAIT - 50 && elapsed < 10 * WAIT && cpu < elapsed / 5,
	   "after %lld ms, of %d, with %lld ms of work", (long long)elapsed,
	   WAIT, (long long)cpu);
	ok(ai_cache_put(l, key, AI_SPAN("yes"), 60000, "", &err) < 0 &&
	   says(&err, who), "so does what wants the lock for itself");
	kill(pid, SIGCONT);
	ok(wait_for(pid) == 0 && ask(l, "SELECT count(*) FROM transfer") == 0 &&
	   verdict(l, &r, &err) == AI_GRANTED && post(l, &r, &err) == 0 &&
	   ask(l, POSTED) == 1 && agrees(l), "it goes on, and nothing was done");
	ai_ledger_close(l);
}

/* ---- who has a request in hand, and stops ------------------------------------------ */

static bool stop_before;

static int run_and_stop(void *arg, void *const *items, size_t n,
			struct ai_err *err)
{
	int rc;

	if (stop_before)
		raise(SIGSTOP);
	rc = ledger_run(arg, items, n, err);
	if (!stop_before)
		raise(SIGSTOP);
	return rc;
}

/* Takes what others ask into his hands, and stops. */
static void lead_and_stop(int ready)
{
	struct ai_ledger *l = open_it(path);
	struct ledger_item it = { .what = LEDGER_DO_SWEEP, .owner = l->owner };
	struct ai_err err;

	if (ai_queue_lock(&l->queue, &err) < 0 || write(ready, "x", 1) != 1)
		die(&err);
	usleep(200000); /* the other one asks */
	if (ai_queue_do(&l->queue, &it, sizeof(it), run_and_stop, l, &err) < 0)
		die(&err);
	_exit(0);
}

static void test_leader(bool before, int signal, int then)
{
	const char *what = signal == SIGCONT ? "goes on" : "is killed";
	struct ai_ledger *l = open_new();
	struct ai_reserve r = wish(), other = wish();
	struct ai_err err;
	int ready[2];
	pid_t pid;
	char c;

	stop_before = before;
	l->queue.wait_ms = WAIT;
	fflush(stdout);
	if (pipe(ready) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0)
		lead_and_stop(ready[1]);
	ok(read(ready[0], &c, 1) == 1 && verdict(l, &r, &err) < 0 &&
	   says(&err, "(stopped)") && says(&err, "done or not"),
	   "stopped %s the commit: nobody can know", before ? "before"
							     : "after");
	await_stop(pid);
	ok(verdict(l, &other, &err) < 0 && says(&err, "nothing was done"),
	   "the next request is not done");
	kill(pid, signal);
	wait_for(pid);
	ok(verdict(l, &r, &err) == then && post(l, &r, &err) == 0 &&
	   ask(l, POSTED) == 1 && agrees(l),
	   "it %s: said again, it is done once", what);
	ok(verdict(l, &other, &err) == AI_GRANTED && l->queue.mine >= 0 &&
	   ask(l, "SELECT count(*) FROM transfer WHERE kind=1") == 2,
	   "it %s: the other was not", what);
	close(ready[0]);
	close(ready[1]);
	ai_ledger_close(l);
}

/* ---- at any moment ----------------------------------------------------------------- */

#define WORKERS 6
#define CALLS 4000

enum told { NOTHING, DONE, NOT_DONE, UNKNOWN };

static struct storm {
	_Atomic int stop, refused;
	struct story {
		struct ai_reserve r;
		_Atomic int reserved, posted; /* enum told */
	} story[WORKERS][CALLS];
	_Atomic long n[WORKERS];
} *storm;

static enum told told(int rc, const struct ai_err *err)
{
	return rc >= 0 ? DONE : strstr(err->msg, "nothing was done") != NULL
		? NOT_DONE : UNKNOWN;
}

static void work(int w)
{
	struct ai_ledger *l = open_it(path);
	struct ai_err err;
	long i;

	l->queue.wait_ms = 60;
	for (i = 0; i < CALLS && !atomic_load(&storm->stop); i++) {
		struct story *s = &storm->story[w][i];

		s->r = wish();
		atomic_store(&storm->n[w], i + 1);
		s->reserved = (int)told(verdict(l, &s->r, &err), &err);
		if (s->reserved == DONE)
			s->posted = (int)told(post(l, &s->r, &err), &err);
		else if (err.code != AI_E_TRY_LATER)
			die(&err);
		if (s->reserved == NOT_DONE)
			atomic_store(&storm->refused, 1);
	}
	_exit(0);
}

static void stop_and_go(pid_t *pids, int64_t seconds)
{
	int64_t end = clock_ms(CLOCK_MONOTONIC) + seconds * 1000;
	int64_t w;

	/* On a slow machine it takes longer until it comes to that. */
	while (clock_ms(CLOCK_MONOTONIC) < end ||
	       (!atomic_load(&storm->refused) &&
		clock_ms(CLOCK_MONOTONIC) < end + 30000)) {
		w = below(WORKERS);
		kill(pids[w], SIGSTOP);
		usleep((useconds_t)below(250000));
		kill(pids[w], SIGCONT);
		usleep((useconds_t)below(30000));
	}
	atomic_store(&storm->stop, 1);
}

/* Of the reservation and its end. */
static int64_t of_id(struct ai_ledger *l, const char *what,
		     const unsigned char *id)
{
	char hex[2 * AI_LEDGER_ID + 1], sql[300];

	ai_hex(id, AI_LEDGER_ID, hex);
	snprintf(sql, sizeof(sql), "SELECT %s FROM transfer p LEFT JOIN"
		 " transfer t ON t.of=p.seq AND t.kind BETWEEN 2 AND 4 WHERE"
		 " p.id=x'%s'", what, hex);
	return ask(l, sql);
}

/* Whether the ledger is as it was told. */
static bool is_true(struct ai_ledger *l, const struct story *s, long *count)
{
	bool booked = of_id(l, "count(*)", s->r.id) == 1;
	bool ended = of_id(l, "sum(t.kind=2 AND t.amount=7)", s->r.id) == 1;
	struct ai_err err;
	int again;

	count[s->reserved]++;
	count[4 + s->posted]++;
	if ((s->reserved == DONE && !booked) ||
	    (s->reserved == NOT_DONE && booked) ||
	    (s->posted == DONE && !ended) || (s->posted == NOT_DONE && ended))
		return false;
	if (s->reserved != UNKNOWN && s->posted != UNKNOWN)
		return true;
	again = verdict(l, &s->r, &err);
	return again == (booked ? AI_AGAIN : AI_GRANTED) &&
		post(l, &s->r, &err) == 0 &&
		of_id(l, "sum(t.amount)", s->r.id) == 7;
}

static void test_storm(int64_t seconds)
{
	struct ai_ledger *l = open_new();
	long count[8] = { 0 }, wrong = 0, i;
	pid_t pids[WORKERS];
	int w, ended = 0;

	fflush(stdout);
	for (w = 0; w < WORKERS; w++)
		if ((pids[w] = fork()) == 0)
			work(w);
	stop_and_go(pids, seconds);
	for (w = 0; w < WORKERS; w++)
		ended += wait_for(pids[w]) == 0;
	l->no_sync = true;
	for (w = 0; w < WORKERS; w++)
		for (i = 0; i < atomic_load(&storm->n[w]); i++)
			wrong += !is_true(l, &storm->story[w][i], count);
	ok(ended == WORKERS && wrong == 0 && agrees(l), "stopped at any moment: "
	   "of %ld reservations %ld were not made and %ld unknown, of %ld "
	   "bills %ld and %ld; %ld not as it was told",
	   count[DONE] + count[NOT_DONE] + count[UNKNOWN], count[NOT_DONE],
	   count[UNKNOWN], count[4 + DONE], count[4 + NOT_DONE],
	   count[4 + UNKNOWN], wrong);
	ok(count[NOT_DONE] > 0 && count[DONE] > 0, "it has come to that");
	ai_ledger_close(l);
}

/* ---- many, but none stopped ---------------------------------------------------------- */

static void test_crowd(void)
{
	struct ai_budget none = { "all", "", "day", -1 };
	struct ai_ledger *l = open_new();
	int i, status, right = 0;
	struct ai_err err;

	ai_ledger_set_budget(l, &none, &err);
	fflush(stdout);
	for (i = 0; i < 64; i++)
		if (fork() == 0) {
			l = open_it(path);
			l->queue.wait_ms = 3000;
			calls(l, 30, 7);
			_exit(0);
		}
	for (i = 0; i < 64; i++)
		right += wait(&status) > 0 && status == 0;
	ok(right == 64 && ask(l, POSTED) == 64 * 30 && agrees(l),
	   "64 processes: nobody's patience ends");
	ai_ledger_close(l);
}

/* The handle of a parent. 0: refused. */
static int use_as_child(struct ai_ledger *l)
{
	struct ai_reserve r = wish();
	unsigned char key[AI_CACHE_KEY] = { 1 };
	struct ai_err err;

	if (verdict(l, &r, &err) >= 0 || err.code != AI_E_BUG ||
	    strstr(err.msg, "its own") == NULL)
		return 1;
	return ai_cache_put(l, key, AI_SPAN("yes"), 60000, "", &err) < 0 &&
		err.code == AI_E_BUG ? 0 : 2;
}

static void test_fork(void)
{
	struct ai_ledger *l = open_new();
	struct ai_err err;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(use_as_child(l));
	ok(wait_for(pid) == 0, "a child is told to open its own");
	ok(call(l, 9, 7, &err) == 0 && agrees(l), "its parent goes on");
	ai_ledger_close(l);
}

/* A fork that has closed all that it got, as the warden of a tool has, and
 * lives longer. */
static void leave_fork(int told)
{
	struct ai_ledger *l = open_it(path);
	struct ai_err err;
	pid_t pid;

	if (ai_queue_lock(&l->queue, &err) < 0)
		die(&err);
	pid = fork();
	if (pid == 0) {
		for (int fd = 3; fd < 256; fd++)
			if (fd != told)
				close(fd);
		pid = getpid();
	}
	if (pid == getpid()) {
		if (write(told, &pid, sizeof(pid)) == (ssize_t)sizeof(pid))
			pause();
		_exit(0);
	}
	pause();
}

static void test_survivor(void)
{
	struct ai_ledger *l = open_new();
	struct ai_reserve r = wish();
	struct ai_err err = { 0 };
	pid_t pid, left = 0;
	int p[2];

	l->queue.wait_ms = WAIT;
	fflush(stdout);
	if (pipe(p) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0)
		leave_fork(p[1]);
	if (read(p[0], &left, sizeof(left)) != (ssize_t)sizeof(left))
		exit(1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(verdict(l, &r, &err) == AI_GRANTED && kill(left, 0) == 0,
	   "whoever is killed has no lock, whatever he has forked: %s", err.msg);
	kill(left, SIGKILL);
	close(p[0]);
	close(p[1]);
	ai_ledger_close(l);
}

int main(int argc, char **argv)
{
	int64_t seconds = number(argc, argv, 1, 5);

	seed = (uint64_t)number(argc, argv, 2, time(NULL));
	printf("# seed %llu\n", (unsigned long long)seed);
	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mkdtemp(folder) == NULL || storm == MAP_FAILED)
		return 1;
	setenv("TZ", "UTC", 1);
	test_holder();
	test_leader(true, SIGCONT, AI_AGAIN);
	test_leader(true, SIGKILL, AI_GRANTED);
	test_leader(false, SIGCONT, AI_AGAIN);
	test_leader(false, SIGKILL, AI_AGAIN);
	test_storm(seconds);
	test_crowd();
	test_fork();
	test_survivor();
	remove_folder(folder);
	return done();
}
