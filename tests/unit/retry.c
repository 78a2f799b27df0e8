/* net/retry: delays, Retry-After and the deadline, on a clock of our own. */
#include "net/retry.h"

#include "tap.h"

#include <math.h>
#include <stddef.h>

static double now_s, slept_s, chance;
static int sleeps;

static double fake_now(void *arg)
{
	(void)arg;
	return now_s;
}

static void fake_sleep(void *arg, double s)
{
	(void)arg;
	now_s += s;
	slept_s = s;
	sleeps++;
}

static double fake_chance(void *arg)
{
	(void)arg;
	return chance;
}

static const struct ai_retry_clock fake = {
	fake_now, fake_sleep, fake_chance, NULL,
};

static void begin(struct ai_retry *r, int retries, double timeout_s)
{
	now_s = 1000;
	slept_s = 0;
	sleeps = 0;
	ai_retry_init(r, retries, timeout_s, &fake);
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static void test_backoff(void)
{
	static const double top[] = { 2, 4, 8, 16, 32, 60, 60 };
	struct ai_retry r;

	begin(&r, 7, 1e6);
	chance = 0;
	for (int i = 0; i < 7; i++)
		ok(ai_retry_wait(&r, -1) && near(slept_s, 1),
		   "retry %d waits 1 s at least", i);
	ok(!ai_retry_wait(&r, -1) && sleeps == 7, "and then no more");
	begin(&r, 7, 1e6);
	chance = 1;
	for (int i = 0; i < 7; i++)
		ok(ai_retry_wait(&r, -1) && near(slept_s, top[i]),
		   "retry %d waits %g s at most", i, top[i]);
}

static void test_retry_after(void)
{
	struct ai_retry r;

	begin(&r, 3, 600);
	chance = 0;
	ok(ai_retry_wait(&r, 107) && near(slept_s, 107),
	   "107 s asked for, 107 s slept");
	chance = 1;
	ok(ai_retry_wait(&r, 100) && near(slept_s, 110),
	   "jitter adds a tenth at most");
	ok(ai_retry_wait(&r, 0) && near(slept_s, 0), "0 means at once");
	begin(&r, 3, 600);
	chance = 0;
	ok(!ai_retry_wait(&r, 601) && sleeps == 0,
	   "beyond the deadline: no sleep, no retry");
}

static void test_deadline(void)
{
	struct ai_retry r;

	begin(&r, 100, 10);
	chance = 1;
	while (ai_retry_wait(&r, -1))
		;
	ok(now_s < 1010 && sleeps == 2, "2 + 4 s, and 8 s more do not fit");
	ok(near(ai_retry_left(&r), 4), "4 s are left");
	begin(&r, 0, 10);
	ok(!ai_retry_wait(&r, 0) && sleeps == 0, "0 retries are none");
}

static void test_status(void)
{
	static const long yes[] = { 408, 409, 425, 429, 500, 502, 503, 504, 529 };
	static const long no[] = { 200, 301, 400, 401, 402, 403, 404, 413, 422,
				   501, 505, 600, 0 };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ok(ai_retry_status(yes[i]), "%ld is tried again", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ok(!ai_retry_status(no[i]), "%ld is not", no[i]);
}

static void test_real_clock(void)
{
	struct ai_retry r;

	ai_retry_init(&r, 1, 5, NULL);
	ok(ai_retry_left(&r) > 4 && ai_retry_left(&r) <= 5, "the real clock");
	ok(ai_retry_wait(&r, 0.02) && ai_retry_left(&r) < 4.99,
	   "really sleeps");
}

int main(void)
{
	test_backoff();
	test_retry_after();
	test_deadline();
	test_status();
	test_real_clock();
	return done();
}
