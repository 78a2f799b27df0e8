/* Every number once, the first failure told, whatever the threads do. */
#include "base/threads.h"
#include "tap.h"

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
	return done();
}
