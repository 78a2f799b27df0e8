/*
 * share.h: what an agent of a workflow may spend in all runs within one.
 *
 * Several processes ask the same agent at once, so its account is the ledger's.
 * A run sets aside what it may cost before it begins, and says what it has cost
 * when it ends; both are idempotent, by the run's id.  What a run has set aside
 * that was killed or is paused stays so: it may be gone on with.
 */
#ifndef AI_STORE_SHARE_H
#define AI_STORE_SHARE_H

#include "store/ledger.h"
#include "store/run.h"

struct ai_share {
	const char *root, *agent; /* of the runs within root those of agent */
	const char *run;          /* the id of the one that asks */
	int64_t budget;           /* nano-dollars, of all of them together */
	int64_t wanted;           /* that this run may cost at most */
};

enum ai_share_verdict {
	AI_SHARE_TAKEN,  /* *nano is set aside: what is wanted, or all that is
			  * left if nobody else has any of it */
	AI_SHARE_SPENT,  /* nothing is left */
	AI_SHARE_WAIT,   /* less than is wanted is left, and a run that a
			  * living process works on may give some back */
};

/* patient: else AI_SHARE_WAIT is never said, and what is left is taken.  It
 * costs no sync. */
int ai_share_take(struct ai_ledger *l, const struct ai_share *s, bool patient,
		  enum ai_share_verdict *verdict, int64_t *nano,
		  struct ai_err *err);
/* The run has cost this much, and gives the rest back; it may take more. */
int ai_share_end(struct ai_ledger *l, const struct ai_share *s, int64_t spent,
		 struct ai_err *err);

#endif
