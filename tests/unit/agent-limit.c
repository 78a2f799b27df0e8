/* bin/agent/limit.h: the repeat detector, against one that remembers all. */
#include "limit.h"

#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 3000
#define TRIALS 300

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

/* How often the last p stand at the end, in a row. */
static size_t times(const uint64_t *v, size_t n, size_t p)
{
	size_t t = 1;

	while ((t + 1) * p <= n &&
	       memcmp(v + n - p, v + n - (t + 1) * p, p * sizeof(*v)) == 0)
		t++;
	return t;
}

/* Long stretches of one, of two by turns, and noise. */
static void fill(uint64_t *v, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint64_t a = next() % 3, b = next() % 3;
		size_t len = next() % (next() % 4 == 0 ? 500 : 8);

		for (; len > 0 && i < n; len--, i++)
			v[i] = len % 2 == 0 ? a : b;
	}
}

static size_t most;

/* The number of the turn that differs, or 0. */
static size_t compare(const uint64_t *v, size_t n)
{
	struct agent_used u;

	memset(&u, 0, sizeof(u));
	for (size_t i = 1; i <= n; i++) {
		size_t got = agent_used_turn(&u, v[i - 1]),
		       one = times(v, i, 1),
		       two = i < 2 ? 1 : times(v, i, 2);

		if (got != (one > two ? one : two))
			return i;
		most = got > most ? got : most;
	}
	return 0;
}

int main(void)
{
	static uint64_t v[TURNS];
	size_t bad = 0;

	state = 8;
	printf("# seed %" PRIu64 "\n", state);
	for (size_t i = 0; i < TRIALS && bad == 0; i++) {
		fill(v, TURNS);
		bad = compare(v, TURNS);
	}
	ok(bad == 0, "%d turns are counted as by going through all (%zu)",
	   TRIALS * TURNS, bad);
	ok(most > 400, "%zu in a row among them", most);
	return done();
}
