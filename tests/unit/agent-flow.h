/* agent-flow.h: what tests of workflow files share. */
#ifndef TESTS_UNIT_AGENT_FLOW_H
#define TESTS_UNIT_AGENT_FLOW_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state; /* the seed */

__attribute__((unused))
static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

/* The schema of workflow files is where the build put it. */
__attribute__((unused))
static void find_data(void)
{
	char path[4096];

	if (getenv("BUILDDIR") == NULL)
		return;
	snprintf(path, sizeof path, "%s/share/aiutils", getenv("BUILDDIR"));
	setenv("AI_DATADIR", path, 0);
}

#endif
