#include "base/beside.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct ai_beside {
	ai_beside_work *work;
	void *arg;
	pthread_t id;
	bool threaded;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t come, gone; /* jobs, or their end */
	struct ai_beside_job *first, **end;
	size_t bytes; /* of jobs that are not done */
	bool busy, ends, failed;
	struct ai_err err;
};

/* With the lock held, which it gives up meanwhile. */
static void do_one(struct ai_beside *b)
{
	struct ai_beside_job *job = b->first;
	size_t bytes = job->bytes;
	bool drop = b->failed || b->ends;
	struct ai_err err;
	int rc;

	b->first = job->next;
	if (b->first == NULL)
		b->end = &b->first;
	b->busy = true;
	pthread_mutex_unlock(&b->lock);
	rc = b->work(b->arg, job, drop, &err);
	pthread_mutex_lock(&b->lock);
	b->busy = false;
	b->bytes -= bytes;
	if (rc < 0 && !drop) {
		b->failed = true;
		b->err = err;
	}
	pthread_cond_broadcast(&b->gone);
}

static void *run(void *p)
{
	struct ai_beside *b = p;

	pthread_mutex_lock(&b->lock);
	while (b->first != NULL || !b->ends)
		if (b->first != NULL)
			do_one(b);
		else
			pthread_cond_wait(&b->come, &b->lock);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

struct ai_beside *ai_beside_new(ai_beside_work *work, void *arg, bool thread)
{
	struct ai_beside *b = calloc(1, sizeof *b);
	sigset_t all, old;

	if (b == NULL)
		return NULL;
	b->work = work;
	b->arg = arg;
	b->end = &b->first;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->come, NULL);
	pthread_cond_init(&b->gone, NULL);
	/* Signals are for the threads that expect them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	b->threaded = thread && pthread_create(&b->id, NULL, run, b) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return b;
}

void ai_beside_free(struct ai_beside *b)
{
	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	b->ends = true;
	pthread_cond_signal(&b->come);
	pthread_mutex_unlock(&b->lock);
	if (b->threaded)
		pthread_join(b->id, NULL);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->come);
	pthread_cond_destroy(&b->gone);
	free(b);
}

static int outcome(struct ai_beside *b, struct ai_err *err)
{
	if (b->failed)
		*err = b->err;
	return b->failed ? -1 : 0;
}

int ai_beside_give(struct ai_beside *b, struct ai_beside_job *job, size_t max,
		   struct ai_err *err)
{
	int rc;

	job->next = NULL;
	pthread_mutex_lock(&b->lock);
	*b->end = job;
	b->end = &job->next;
	b->bytes += job->bytes;
	if (!b->threaded)
		do_one(b);
	pthread_cond_signal(&b->come);
	while (b->bytes > max && (b->first != NULL || b->busy))
		pthread_cond_wait(&b->gone, &b->lock);
	rc = outcome(b, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int ai_beside_wait(struct ai_beside *b, struct ai_err *err)
{
	int rc;

	pthread_mutex_lock(&b->lock);
	while (b->first != NULL || b->busy)
		pthread_cond_wait(&b->gone, &b->lock);
	rc = outcome(b, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}
