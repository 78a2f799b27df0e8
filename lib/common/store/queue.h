/*
 * queue.h: many processes, one transaction (flat combining: Hendler et al.,
 * SPAA 2010).
 *
 * Each handle writes its request into a slot of a mapped file.  Whoever gets
 * the file's lock runs every request that waits in one transaction, writes
 * the answers back and wakes their owners; the others sleep.  So the cost of
 * a commit is shared by all that want one, nobody starves, and there is no
 * server to start or to lose.
 *
 * A process may die at any moment.  The lock is the kernel's and goes with
 * it; what it left half done is done again by the next: so a request must be
 * idempotent, and running it may write nothing but its own answer.
 *
 * The file holds nothing that must be kept, and may be removed when no
 * program runs.  A handle is for one thread.
 */
#ifndef AI_STORE_QUEUE_H
#define AI_STORE_QUEUE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_QUEUE_SLOTS 128
/* The most a request with its answer may take, bytes. */
#define AI_QUEUE_ITEM ((size_t)1984)

struct ai_queue_slot;

struct ai_queue {
	int fd;                      /* its own: the lock belongs to it */
	struct ai_queue_slot *slots; /* NULL: the file could not be mapped */
	int mine;                    /* -1: all slots are taken */
};

#define AI_QUEUE_INIT { -1, NULL, -1 }

/* Runs n requests as one transaction. -1: none of them was done. */
typedef int ai_queue_run(void *arg, void *const *items, size_t n,
			 struct ai_err *err);

/* path is made with mode 0600 if it is not there. */
int ai_queue_open(struct ai_queue *q, const char *path, struct ai_err *err);
void ai_queue_close(struct ai_queue *q);
/*
 * Has the request item[0..size) run, by this process or another, and returns
 * when it is done, with the answer in place.  size <= AI_QUEUE_ITEM, the same
 * in every process.
 */
int ai_queue_do(struct ai_queue *q, void *item, size_t size, ai_queue_run *run,
		void *arg, struct ai_err *err);

/* Holds the lock: no transaction of others runs until it is given back. */
int ai_queue_lock(struct ai_queue *q, struct ai_err *err);
void ai_queue_unlock(struct ai_queue *q);
/* Whether other handles have it open; or whether nobody can tell. */
bool ai_queue_shared(struct ai_queue *q);
/* With the lock held: what the dead left in their slots is overwritten.  The
 * living do so themselves, as soon as they have their answer. */
void ai_queue_wipe(struct ai_queue *q);

#endif
