/* Every number once, every job in its order, the first failure told, whatever
 * the threads do. */
#include "base/beside.h"
#include "base/threads.h"
#include "tap.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 5000

struct counts {
	unsigned char done[MOST];
	size_t threads, bad[3], n_bad;
	int seen[AI_THREADS_MAX];
};

static int count(void *arg, size_t thread, size_t i, struct ai_err *err)
{
	struct counts *c = arg;

	c->done[i]++;
	if (thread < c->threads)
		c->seen[thread] = 1;
	for (size_t k = 0; k < c->n_bad; k++)
		if (c->bad[k] == i)
			return ai_err_set(err, AI_E_DATA, "%zu", i);
	return 0;
}

static bool all_once(size_t threads, size_t n)
{
	struct counts *c = calloc(1, sizeof *c);
	struct ai_err err;
	bool good;

	c->threads = threads == 0 ? 1 : threads;
	good = ai_threads_each(threads, n, count, c, &err) == 0;
	for (size_t i = 0; i < MOST; i++)
		good = good && c->done[i] == (i < n);
	free(c);
	return good;
}

/* ---- beside --------------------------------------------------------------- */

struct number {
	struct ai_beside_job job;
	size_t n;
};

/* What was done, in which order; alive: jobs that were not freed. */
struct record {
	size_t done[MOST], n, dropped, bad;
	atomic_size_t alive;
};

static int note(void *arg, struct ai_beside_job *job, bool drop,
		struct ai_err *err)
{
	struct record *r = arg;
	size_t n = ((struct number *)job)->n;

	free(job);
	r->alive--;
	if (drop) {
		r->dropped++;
		return 0;
	}
	r->done[r->n++] = n;
	return n == r->bad ? ai_err_set(err, AI_E_DATA, "%zu", n) : 0;
}

static int give(struct ai_beside *b, struct record *r, size_t n, size_t max,
		struct ai_err *err)
{
	struct number *x = calloc(1, sizeof *x);

	x->n = n;
	x->job.bytes = 1 + n % 100;
	r->alive++;
	return ai_beside_give(b, &x->job, max, err);
}

/* Gives n jobs of which one may be bad; what is wrong with what comes of it. */
static const char *try_beside(size_t n, size_t bad, size_t max, bool thread)
{
	struct record *r = calloc(1, sizeof *r);
	struct ai_beside *b = ai_beside_new(note, r, thread);
	const char *wrong = NULL;
	struct ai_err err = { .msg = "" };
	bool failed = false;
	char name[24];

	r->bad = bad;
	for (size_t i = 0; i < n; i++)
		failed |= give(b, r, i, max, &err) < 0;
	failed |= ai_beside_wait(b, &err) < 0;
	if (r->alive != 0)
		wrong = "a job is not freed";
	if (failed != (bad < n) || r->n != (bad < n ? bad + 1 : n) ||
	    r->n + r->dropped != n)
		wrong = "another number of jobs was done";
	snprintf(name, sizeof name, "%zu", bad);
	if (failed && strcmp(err.msg, name) != 0)
		wrong = "another failure is told";
	for (size_t i = 0; i < r->n; i++)
		if (r->done[i] != i)
			wrong = "another order";
	/* What waits when it ends is freed, too. */
	for (size_t i = 0; i < 50; i++)
		give(b, r, i, SIZE_MAX, &err);
	ai_beside_free(b);
	if (r->alive != 0)
		wrong = "a job is left behind";
	free(r);
	return wrong;
}

static void test_beside(void)
{
	const char *wrong = NULL, *w;

	for (size_t round = 0; round < 400; round++) {
		size_t n = round * 7 % 300, bad = round % 3 == 0 ? round % 97
								 : SIZE_MAX;

		w = try_beside(n, bad, round % 5 * 150, round % 4 != 0);
		if (w != NULL)
			wrong = w;
	}
	ok(wrong == NULL, "jobs beside: each once, in order%s%s",
	   wrong != NULL ? ": " : "", wrong != NULL ? wrong : "");
}

int main(void)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 64, 1023, MOST };
	struct counts *c;
	struct ai_err err;
	size_t wrong = 0, usable = ai_threads_usable();

	ok(usable >= 1 && usable <= AI_THREADS_MAX, "%zu processors", usable);
	for (size_t threads = 0; threads <= AI_THREADS_MAX + 4; threads++)
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
			wrong += !all_once(threads, sizes[s]);
	ok(wrong == 0, "each number once, for 0 to %d threads",
	   AI_THREADS_MAX + 4);

	/* Two bad ones in one run of numbers: the lower is told.  Of two far
	 * apart it is one of them. */
	wrong = 0;
	for (int round = 0; round < 200; round++) {
		c = calloc(1, sizeof *c);
		c->threads = 4;
		c->bad[0] = 805;
		c->bad[1] = 803;
		c->n_bad = 2;
		wrong += ai_threads_each(4, MOST, count, c, &err) != -1 ||
			err.code != AI_E_DATA || strcmp(err.msg, "803") != 0 ||
			c->done[805] != 0;
		for (size_t i = 0; i < MOST; i++)
			wrong += c->done[i] > 1;
		free(c);
	}
	ok(wrong == 0, "what fails is told, and ends it");
	c = calloc(1, sizeof *c);
	c->n_bad = 1;
	ok(ai_threads_each(2, 1, count, c, NULL) == -1, "nobody need be told");
	free(c);
	test_beside();
	return done();
}
