/*
 * resume.h: a batch that goes on where it was ended.
 *
 * Every answer is in the batch's journal (store/batch.h) before anybody sees
 * it.  A request is known by what is asked, of whom and for whom, and by its
 * ordinal among those that are the same.
 */
#ifndef AI_MODEL_RESUME_H
#define AI_MODEL_RESUME_H

#include "base/tally.h"
#include "model/client.h"
#include "store/batch.h"

struct ai_exchange;

/* A batch that requests under way are of. */
struct ai_named_batch {
	struct ai_named_batch *next;
	struct ai_batch batch;
	size_t users;
	char name[];
};

struct ai_resume {
	struct ai_batch batch; /* n 0: none */
	struct ai_tally tally; /* of requests in this run */
	struct ai_named_batch *named; /* of --resume-by */
	bool swept;
};

/* Takes up the batch of --resume, if there is one. */
int ai_resume_open(struct ai_resume *r, struct ai_payer *p,
		   struct ai_err *err);
/* Gives it back. */
void ai_resume_release(struct ai_resume *r, struct ai_payer *p);

/*
 * Looks for the answer to what x asks, whose body is ready.  1: it is there,
 * and has been taken; 0: it is to be asked, and will be in the journal.  -1:
 * AI_E_UNAVAILABLE, its answer was lost and it is not to be asked again.
 */
int ai_resume_find(struct ai_exchange *x, const struct ai_chat_begin *b,
		   struct ai_err *err);
/* It has ended: nobody else's batch is held for it any more. */
void ai_resume_leave(struct ai_exchange *x);
/* Before it is booked: the answer is to go into the journal. */
void ai_resume_keep(struct ai_exchange *x);
/* An answer that was in the cache goes there too: it may be gone from the cache
 * by the next time. */
int ai_resume_keep_cached(struct ai_exchange *x, struct ai_err *err);

#endif
