/* model/pace: how many are at a provider at once. */
#include "model/pace.h"

#include "tap.h"

#define MOST 64

/* A server that takes so many at once and refuses the others, by turns: all
 * that may go go, then all end.  Returns how many were refused. */
static size_t turn(struct ai_pace *p, size_t want, size_t takes)
{
	unsigned round[MOST];
	size_t n = 0, bad;

	while (n < want && ai_pace_enter(p, &round[n]))
		n++;
	bad = n > takes ? n - takes : 0;
	for (size_t i = 0; i < bad; i++)
		ai_pace_leave(p, round[i], AI_PACE_REFUSED);
	for (size_t i = bad; i < n; i++)
		ai_pace_leave(p, round[i], AI_PACE_ANSWERED);
	return bad;
}

static size_t width_of(struct ai_pace p)
{
	unsigned round;
	size_t n = 0;

	while (n < MOST && ai_pace_enter(&p, &round))
		n++;
	return n;
}

static void test_limits(void)
{
	for (size_t takes = 1; takes <= MOST; takes *= 2) {
		struct ai_pace p = { 0 };
		size_t refused, answered = 0, all = 0;

		refused = turn(&p, MOST, takes);
		tap_ok(refused == MOST - takes, "%zu at once: at first", takes);
		for (int i = 0; i < 2000; i++) {
			refused = turn(&p, MOST, takes);
			all += refused;
			answered += takes;
		}
		tap_ok(all * 25 <= answered, "%zu of about %zu are refused then",
		       all, answered);
		tap_ok(p.inside == 0 && width_of(p) >= takes,
		       "%zu go at once", width_of(p));
	}
}

static void test_one_round(void)
{
	struct ai_pace p = { 0 };
	unsigned round[8], late;

	for (int i = 0; i < 8; i++)
		ai_pace_enter(&p, &round[i]);
	ai_pace_leave(&p, round[0], AI_PACE_REFUSED);
	tap_ok(p.width == 4, "half as many");
	ai_pace_leave(&p, round[1], AI_PACE_REFUSED);
	tap_ok(p.width == 4, "the same refusal once more changes nothing");
	tap_ok(!ai_pace_enter(&p, &late), "those that are there count");
	for (int i = 2; i < 8; i++)
		ai_pace_leave(&p, round[i], AI_PACE_OTHER);
	tap_ok(p.width == 4 && p.inside == 0, "other ends say nothing");
	ai_pace_enter(&p, &late);
	ai_pace_leave(&p, late, AI_PACE_ANSWERED);
	tap_ok(p.width == 4, "one alone says nothing about more");
	ai_pace_enter(&p, &late);
	ai_pace_leave(&p, late, AI_PACE_REFUSED);
	tap_ok(p.width == 1, "one alone that is refused: one at a time");
}

/* All are refused for a while, as when a minute's tokens are used up. */
static void test_recovery(void)
{
	struct ai_pace p = { 0 };
	int turns = 0;

	turn(&p, MOST, 0);
	tap_ok(width_of(p) == 1, "nothing is taken: one at a time");
	while (width_of(p) < MOST / 2 && ++turns < 100)
		turn(&p, MOST, MOST);
	tap_ok(turns < 20, "half as many again after %d turns", turns);
	while (width_of(p) < MOST && ++turns < 200)
		turn(&p, MOST, MOST);
	tap_ok(width_of(p) == MOST, "all again after %d", turns);
}

int main(void)
{
	test_limits();
	test_one_round();
	test_recovery();
	return tap_done();
}
