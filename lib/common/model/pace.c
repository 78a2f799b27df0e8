#include "model/pace.h"

#define ANSWERS_LEAST 32 /* for one more */
#define ANSWERS_MOST 256

bool ai_pace_enter(struct ai_pace *p, unsigned *round)
{
	if (p->width > 0 && p->inside >= p->width)
		return false;
	p->inside++;
	*round = p->round;
	return true;
}

static void halve(struct ai_pace *p)
{
	p->fast = p->inside / 2;
	if (p->width == 0 || p->fast < p->width)
		p->width = p->fast > 0 ? p->fast : 1;
	p->need = ANSWERS_LEAST;
}

/* The last step up was one too many: it is not tried again so soon. */
static void step_back(struct ai_pace *p)
{
	p->width--;
	p->fast = p->width;
	if (p->need < ANSWERS_MOST)
		p->need *= 2;
}

static void refused(struct ai_pace *p, unsigned round)
{
	size_t kept = p->inside > 1 ? p->inside - 1 : 1;

	if (round == p->round) {
		if (p->stepped && p->inside == p->width)
			step_back(p);
		else
			halve(p);
		p->round++;
		p->good = 0;
		p->stepped = false;
	}
	if (kept < p->width)
		p->width = kept;
}

static void answered(struct ai_pace *p)
{
	/* Where much fewer are under way, nothing is known about more. */
	if (p->width == 0 || p->inside * 2 < p->width)
		return;
	if (p->width >= p->fast && ++p->good < p->need)
		return;
	p->good = 0;
	p->width++;
	p->stepped = true;
}

void ai_pace_leave(struct ai_pace *p, unsigned round, enum ai_pace_end how)
{
	if (how == AI_PACE_REFUSED)
		refused(p, round);
	else if (how == AI_PACE_ANSWERED)
		answered(p);
	p->inside--;
}
