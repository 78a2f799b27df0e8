/*
 * pace.h: how many calls are at a provider at once.
 *
 * As many as there are, until it says that they are too many: then half as many
 * and no more than it has kept, and from there again one more after so many
 * answers.  If that one is too many, it is taken back, and tried again after
 * twice as many.  Of calls that were under way together, one refusal halves: the
 * others say the same.
 *
 *	if (ai_pace_enter(&p, &round))
 *		... ai_pace_leave(&p, round, AI_PACE_ANSWERED);
 */
#ifndef AI_MODEL_PACE_H
#define AI_MODEL_PACE_H

#include <stdbool.h>
#include <stddef.h>

struct ai_pace {
	size_t inside;  /* calls that have entered */
	size_t width;   /* so many may; 0: any number */
	size_t fast;    /* below it, each answer makes one more */
	size_t good;    /* answers since there was one more */
	size_t need;    /* of them for one more */
	bool stepped;   /* its last change was one more */
	unsigned round; /* of refusals */
};

enum ai_pace_end {
	AI_PACE_ANSWERED,
	AI_PACE_REFUSED, /* there were too many */
	AI_PACE_OTHER,   /* it says nothing about that */
};

/* Whether one more may go; round is to be kept for its end. */
bool ai_pace_enter(struct ai_pace *p, unsigned *round);
void ai_pace_leave(struct ai_pace *p, unsigned round, enum ai_pace_end how);

#endif
