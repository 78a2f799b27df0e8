#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Taken at once: less, and they would only wait for the counter. */
#define RUN 8

struct crowd {
	size_t n;
	int (*work)(void *arg, size_t thread, size_t i, struct ai_err *err);
	void *arg;
	atomic_size_t next;
	atomic_bool failed;
};

struct one {
	struct crowd *crowd;
	size_t thread;
	size_t failed; /* SIZE_MAX: nothing */
	struct ai_err err;
};

size_t ai_threads_usable(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > AI_THREADS_MAX ? AI_THREADS_MAX : (size_t)n;
}

/* What is taken is done to its end, so that of two that fail in one run of
 * numbers it is the lower one that is told, whoever is faster. */
static void *work(void *p)
{
	struct one *o = p;
	struct crowd *c = o->crowd;
	size_t i, end;

	while (o->failed == SIZE_MAX && !atomic_load(&c->failed)) {
		i = atomic_fetch_add(&c->next, RUN);
		if (i >= c->n)
			break;
		end = c->n - i < RUN ? c->n : i + RUN;
		for (; i < end && o->failed == SIZE_MAX; i++)
			if (c->work(c->arg, o->thread, i, &o->err) < 0)
				o->failed = i;
	}
	if (o->failed != SIZE_MAX)
		atomic_store(&c->failed, true);
	return NULL;
}

int ai_threads_each(size_t threads, size_t n,
		    int (*each)(void *arg, size_t thread, size_t i,
				struct ai_err *err),
		    void *arg, struct ai_err *err)
{
	struct crowd c = { .n = n, .work = each, .arg = arg };
	struct one ones[AI_THREADS_MAX];
	pthread_t ids[AI_THREADS_MAX];
	size_t most = (n + RUN - 1) / RUN, begun = 1, first = 0;
	sigset_t all, old;

	if (threads > AI_THREADS_MAX)
		threads = AI_THREADS_MAX;
	if (threads > most)
		threads = most;
	for (size_t t = 0; t == 0 || t < threads; t++)
		ones[t] = (struct one){ .crowd = &c, .thread = t,
					.failed = SIZE_MAX };
	/* Signals are for the threads that expect them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (begun < threads &&
	       pthread_create(&ids[begun], NULL, work, &ones[begun]) == 0)
		begun++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	work(&ones[0]);
	for (size_t t = 1; t < begun; t++) {
		pthread_join(ids[t], NULL);
		if (ones[t].failed < ones[first].failed)
			first = t;
	}
	if (ones[first].failed == SIZE_MAX)
		return 0;
	if (err != NULL)
		*err = ones[first].err;
	return -1;
}
