#include "base/clock.h"

#include <time.h>

static int64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ai_clock_ns(void)
{
	return ns_of(CLOCK_MONOTONIC);
}

double ai_clock_s(void)
{
	return (double)ai_clock_ns() / 1e9;
}

int64_t ai_boot_ns(void)
{
	return ns_of(CLOCK_BOOTTIME);
}
