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
 * A process may also stop (Ctrl-Z) with the lock.  Nobody waits for it for
 * ever: when nothing has moved for wait_ms, a call ends with AI_E_TRY_LATER
 * and says who holds the lock.  What nobody had begun with is withdrawn then,
 * and is never done.  What the one who stopped has in hand cannot be taken
 * from him: the message says that it may be done or not, which only a
 * repetition tells.
 *
 * The file holds nothing that must be kept, and may be removed when no
 * program runs.  A handle is for one thread.
 */
#ifndef AI_STORE_QUEUE_H
#define AI_STORE_QUEUE_H

#include "base/err.h"
#include "store/owner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_QUEUE_SLOTS 128
/* The most a request with its answer may take, bytes. */
#define AI_QUEUE_ITEM ((size_t)1984)

/* The longest wait for a holder of the lock that does nothing. He may be
 * waiting for SQLite's lock himself, which ends by itself after ten seconds. */
#define AI_QUEUE_WAIT_MS 12000

struct ai_queue_slot;
struct ai_queue_holder;

struct ai_queue {
	int fd;                      /* its own: the lock belongs to it */
	struct ai_queue_slot *slots; /* NULL: the file could not be mapped */
	struct ai_queue_holder *holder; /* behind them */
	int mine;                    /* -1: all slots are taken */
	int64_t wait_ms;             /* tests set their own */
	struct ai_owner self;
};

#define AI_QUEUE_INIT { .fd = -1, .mine = -1, .wait_ms = AI_QUEUE_WAIT_MS }

/* Runs n requests as one transaction. -1: none of them was done. */
typedef int ai_queue_run(void *arg, void *const *items, size_t n,
			 struct ai_err *err);

/* path is made with mode 0600 if it is not there; self is this process. */
int ai_queue_open(struct ai_queue *q, const char *path,
		  const struct ai_owner *self, struct ai_err *err);
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
/* With the lock held: what the dead left in their slots is overwritten, unless
 * it is still to be run.  The living do so themselves, as soon as they have
 * their answer. */
void ai_queue_wipe(struct ai_queue *q);

#endif
