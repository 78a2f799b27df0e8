#include "net/retry.h"

#include "base/clock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

static double real_now(void *arg)
{
	(void)arg;
	return ai_clock_s();
}

static void real_sleep(void *arg, double s)
{
	struct timespec t = { (time_t)s, 0 };

	(void)arg;
	t.tv_nsec = (long)((s - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static double real_chance(void *arg)
{
	uint32_t r = 0;

	(void)arg;
	if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
		return 0.5;
	return r / 4294967296.0;
}

static const struct ai_retry_clock real = {
	real_now, real_sleep, real_chance, NULL,
};

void ai_retry_init(struct ai_retry *r, int retries, double timeout_s,
		   const struct ai_retry_clock *clock)
{
	r->clock = clock != NULL ? clock : &real;
	r->left = retries;
	r->done = 0;
	r->deadline = r->clock->now(r->clock->arg) + timeout_s;
}

double ai_retry_left(const struct ai_retry *r)
{
	return r->deadline - r->clock->now(r->clock->arg);
}

static double delay(const struct ai_retry *r, double retry_after_s)
{
	double chance = r->clock->chance(r->clock->arg);
	double top = AI_RETRY_MIN_S;

	if (retry_after_s >= 0)
		return retry_after_s * (1 + 0.1 * chance);
	for (int i = 0; i <= r->done && top < AI_RETRY_MAX_S; i++)
		top *= 2;
	if (top > AI_RETRY_MAX_S)
		top = AI_RETRY_MAX_S;
	return AI_RETRY_MIN_S + chance * (top - AI_RETRY_MIN_S);
}

double ai_retry_next(struct ai_retry *r, double retry_after_s)
{
	double s;

	if (r->left <= 0)
		return -1;
	s = delay(r, retry_after_s);
	/* A try that could not even begin before the deadline is none. */
	if (s >= ai_retry_left(r))
		return -1;
	r->left--;
	r->done++;
	return s;
}

bool ai_retry_wait(struct ai_retry *r, double retry_after_s)
{
	double s = ai_retry_next(r, retry_after_s);

	if (s < 0)
		return false;
	r->clock->sleep(r->clock->arg, s);
	return true;
}

bool ai_retry_status(long status)
{
	switch (status) {
	case 408:
	case 409:
	case 425:
	case 429:
		return true;
	case 501:
	case 505:
		return false;
	default:
		return status >= 500 && status <= 599;
	}
}
