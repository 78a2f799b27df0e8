/*
 * codes-pick.h: the best of many, without a heap: what is above the floor is
 * gathered, and when there is twice what is wanted, the better half is kept and
 * the floor rises to its worst.
 */
#ifndef SEARCH_CODES_PICK_H
#define SEARCH_CODES_PICK_H

#include "codes.h"

struct codes_pick {
	struct search_near *v; /* owned */
	size_t n, want, room;
	size_t ready;          /* the best so many are first; see next */
	float floor;           /* nothing below it is wanted */
};

int codes_pick_init(struct codes_pick *p, size_t want, struct ai_err *err);
void codes_pick_release(struct codes_pick *p);
/* Keeps the best that are wanted; of equal scores the first n. */
void codes_pick_cut(struct codes_pick *p);
/* Puts the n best of [from, p->n) at from, in no order; the best are before
 * it already.  Nothing is added in between.  n is at most p->n - from. */
void codes_pick_next(struct codes_pick *p, size_t from, size_t n);
/* Cuts, and sorts by score, then n. */
void codes_pick_sort(struct codes_pick *p);

static inline void codes_pick_add(struct codes_pick *p, float score, int64_t n)
{
	if (p->n == p->room)
		codes_pick_cut(p);
	if (p->n < p->room)
		p->v[p->n++] = (struct search_near){ score, n };
}

#endif
