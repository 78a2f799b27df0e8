#include "model/pace.h"

#define ANSWERS 32 /* for one more */

bool ai_pace_enter(struct ai_pace *p, unsigned *round)
{
	if (p->width > 0 && p->inside >= p->width)
		return false;
	p->inside++;
	*round = p->round;
	return true;
}

static void refused(struct ai_pace *p, unsigned round)
{
	size_t kept = p->inside > 1 ? p->inside - 1 : 1;

	if (round == p->round) {
		p->round++;
		p->good = 0;
		p->fast = p->inside / 2;
		if (p->width == 0 || p->fast < p->width)
			p->width = p->fast > 0 ? p->fast : 1;
	}
	if (kept < p->width)
		p->width = kept;
}

static void answered(struct ai_pace *p)
{
	/* Where much fewer are under way, nothing is known about more. */
	if (p->width == 0 || p->inside * 2 < p->width)
		return;
	if (p->width >= p->fast && ++p->good < ANSWERS)
		return;
	p->good = 0;
	p->width++;
}

void ai_pace_leave(struct ai_pace *p, unsigned round, enum ai_pace_end how)
{
	if (how == AI_PACE_REFUSED)
		refused(p, round);
	else if (how == AI_PACE_ANSWERED)
		answered(p);
	p->inside--;
}
