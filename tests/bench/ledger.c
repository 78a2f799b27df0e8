/*
 * ledger.c: many processes at one ledger, and one that takes an answer from it.
 *
 *	ledger queue|plain PROCESSES SECONDS FILE
 *	ledger keep|cached FILE
 *
 * keep puts an answer into the ledger's cache, cached finds it there again, as
 * a program would: it opens the ledger, looks it up and closes the ledger.
 *
 * Each reserves and posts, one call after the other.  queue is the ledger as
 * it is; plain is the same work without the queue: each process begins its
 * own transaction and SQLite's busy_timeout makes it wait.  Prints calls a
 * second, the median and the 99th percentile of one step in milliseconds, the
 * same percentile by time, the longest, Jain's index of fairness, and CPU
 * microseconds a step.
 *
 * By time: of all the time that processes spent on steps, 99 % went into steps
 * not longer than this.  Where one process is served again and again and the
 * others starve, its many short steps hide their few long ones from the plain
 * percentile ("coordinated omission").
 */
#include "store/cache.h"
#include "store/ledger-int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_MAX 200000

struct share {
	volatile int go, stop;
	struct worker {
		long calls, n;
		float ms[];
	} w[];
};

static struct share *share;
static size_t stride;

static struct worker *worker(int i)
{
	return (struct worker *)(void *)((char *)share->w +
					 (size_t)i * stride);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int rc, struct ai_err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "ledger: %s\n", err->msg);
	_exit(1);
}

static void set(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

/* A number of the command line; the process ends without one. */
static double number(const char *text)
{
	double d;

	if (ai_parse_f64(ai_span_of(text), &d) == 0 && d > 0)
		return d;
	fprintf(stderr, "ledger: '%s' is no number above 0\n", text);
	exit(64);
}

static int step(struct ai_ledger *l, struct ledger_item *it, bool plain,
		struct ai_err *err)
{
	void *item = it;

	if (!plain)
		return ai_queue_do(&l->queue, it, sizeof(*it), ledger_run, l,
				   err);
	return ledger_run(l, &item, 1, err);
}

static void work(struct worker *w, const char *file, bool plain, long max)
{
	struct ledger_item it;
	struct ai_ledger *l;
	struct ai_err err;
	double from;
	int kind;

	must(ai_ledger_open(&l, file, &err), &err);
	sqlite3_busy_timeout(l->db.h, 60000);
	while (!share->go)
		usleep(1000);
	while (!share->stop) {
		unsigned char id[AI_LEDGER_ID];

		ai_ledger_id(id);
		for (kind = 0; kind < 2; kind++) {
			memset(&it, 0, sizeof(it));
			it.now_ms = l->wall_ms();
			it.now_ns = l->boot_ns();
			it.owner = l->owner;
			it.what = kind == 0 ? LEDGER_DO_RESERVE
					    : LEDGER_DO_POST;
			if (kind == 0) {
				it.in.reserve.worst = 1500;
				set(it.in.reserve.labels.tool, sizeof(it.in.reserve.labels.tool), "bench");
				set(it.in.reserve.labels.model, sizeof(it.in.reserve.labels.model), "m");
			} else {
				it.in.post.amount = 900;
			}
			memcpy(kind == 0 ? it.in.reserve.id : it.in.post.id,
			       id, sizeof(id));
			from = now();
			must(step(l, &it, plain, &err), &err);
			if (w->n < max)
				w->ms[w->n++] = (float)(now() - from);
		}
		w->calls++;
	}
	ai_ledger_close(l);
	_exit(0);
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* all is sorted. */
static double by_time(const float *all, long n, double of)
{
	double sum = 0, part = 0;
	long i;

	for (i = 0; i < n; i++)
		sum += (double)all[i];
	for (i = 0; i < n - 1 && part < of * sum; i++)
		part += (double)all[i];
	return (double)all[i];
}

static void report(int n, double seconds, long max)
{
	float *all = malloc((size_t)n * (size_t)max * sizeof(*all));
	double sum = 0, squares = 0;
	struct rusage u;
	long count = 0;
	int i;

	for (i = 0; i < n; i++) {
		struct worker *w = worker(i);

		memcpy(all + count, w->ms, (size_t)w->n * sizeof(float));
		count += w->n;
		sum += (double)w->calls;
		squares += (double)w->calls * (double)w->calls;
	}
	if (count == 0) {
		puts("nothing was done");
		exit(1);
	}
	qsort(all, (size_t)count, sizeof(*all), by_value);
	getrusage(RUSAGE_CHILDREN, &u);
	printf("%10.0f %10.3f %10.3f %10.1f %10.1f %8.3f %8.0f\n",
	       sum / seconds, (double)all[count / 2],
	       (double)all[count * 99 / 100], by_time(all, count, 0.99),
	       (double)all[count - 1], sum * sum / (n * squares),
	       ((double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6) *
		       1e6 / (2 * sum));
	free(all);
}

/* ---- the cache ------------------------------------------------------------ */

static int keep(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		struct ai_span answer, struct ai_err *err)
{
	return ai_cache_put(l, key, answer, 3600000, "", err);
}

static int cached(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		  struct ai_span answer, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	int rc = ai_cache_get(l, key, &out, err);

	if (rc == 0 || (rc > 0 && (out.len != answer.n ||
				   memcmp(out.p, answer.p, out.len) != 0)))
		rc = ai_err_set(err, AI_E_DATA, "the answer is not there");
	ai_buf_release(&out);
	return rc < 0 ? -1 : 0;
}

static int use_cache(bool put, const char *file)
{
	const struct ai_span question = AI_SPAN("why is the sky blue"),
			     answer = AI_SPAN("it scatters");
	unsigned char key[AI_CACHE_KEY];
	struct ai_ledger *l;
	struct ai_err err;

	ai_cache_key(&question, 1, key);
	must(ai_ledger_open(&l, file, &err), &err);
	must((put ? keep : cached)(l, key, answer, &err), &err);
	ai_ledger_close(l);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc == 5 ? (int)number(argv[2]) : 0, i, bad = 0, status;
	struct ai_budget no_day = { "all", "", "day", -1 };
	double seconds, from;
	struct ai_ledger *l;
	struct ai_err err;
	long max;

	if (argc == 3 && (strcmp(argv[1], "keep") == 0 ||
			  strcmp(argv[1], "cached") == 0))
		return use_cache(argv[1][0] == 'k', argv[2]);
	if (n < 1)
		return 64;
	max = STEPS_MAX / n;
	stride = sizeof(struct worker) + (size_t)max * sizeof(float);
	stride = (stride + 63) / 64 * 64;
	share = mmap(NULL, sizeof(*share) + (size_t)n * stride,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	seconds = number(argv[3]);
	must(ai_ledger_open(&l, argv[4], &err), &err);
	must(ai_ledger_set_budget(l, &no_day, &err), &err);
	set(no_day.period, sizeof(no_day.period), "total");
	no_day.cap = INT64_MAX / 2;
	must(ai_ledger_set_budget(l, &no_day, &err), &err);
	ai_ledger_close(l);
	for (i = 0; i < n; i++)
		if (fork() == 0)
			work(worker(i), argv[4], strcmp(argv[1], "plain") == 0,
			     max);
	usleep(300000 + (useconds_t)n * 10000);
	from = now();
	share->go = 1;
	usleep((useconds_t)(seconds * 1e6));
	share->stop = 1;
	seconds = (now() - from) / 1e3;
	for (i = 0; i < n; i++)
		if (wait(&status) > 0 && status != 0)
			bad = 1;
	report(n, seconds, max);
	return bad;
}
