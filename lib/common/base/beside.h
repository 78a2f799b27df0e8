/*
 * beside.h: a thread that does one thing after the other, beside its owner.
 *
 * Jobs are done in the order in which they are given, so that what comes of
 * them is the same as without it.  Where no thread is to be had, or none is
 * wanted, each is done by who gives it.  All functions are for the one owner.
 */
#ifndef AI_BASE_BESIDE_H
#define AI_BASE_BESIDE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The first member of a job. */
struct ai_beside_job {
	struct ai_beside_job *next;
	size_t bytes; /* that it holds */
};

/* Does a job, and frees it in any case; drop: only that. */
typedef int ai_beside_work(void *arg, struct ai_beside_job *job, bool drop,
			   struct ai_err *err);

struct ai_beside;

/* thread: whether to have one.  NULL: out of memory. */
struct ai_beside *ai_beside_new(ai_beside_work *work, void *arg, bool thread);
/* Jobs that wait are dropped. */
void ai_beside_free(struct ai_beside *b);
/* Hands a job over, which is then no longer the owner's; waits while those
 * that are not done hold more than max bytes.  -1: a job has failed, this one
 * or one before, and all that come after it are dropped; err says how it did. */
int ai_beside_give(struct ai_beside *b, struct ai_beside_job *job, size_t max,
		   struct ai_err *err);
/* Until all are done; -1 as above.  What jobs have written may be read then. */
int ai_beside_wait(struct ai_beside *b, struct ai_err *err);

#endif
