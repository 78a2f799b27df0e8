/* net/hints: durations and dates in headers, and which of them counts. */
#include "net/hints.h"

#include "tap.h"

#include <math.h>
#include <string.h>

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		double s;
	} t[] = {
		{ "1s", 1 }, { "12ms", 0.012 }, { "6m0s", 360 },
		{ "1m30.5s", 90.5 }, { "1h2m3s", 3723 }, { "250us", 25e-5 },
		{ "250\xC2\xB5s", 25e-5 }, { "7ns", 7e-9 }, { "8.64s", 8.64 },
		{ "23h59m59.999s", 86399.999 }, { "20", 20 }, { "0.5", 0.5 },
		/* None, or none that lies ahead. */
		{ "", -1 }, { "0", -1 }, { "-1", -1 }, { "0s", -1 },
		{ "-5s", -1 }, { "s", -1 }, { "5", 5 }, { "5 s", -1 },
		{ "5d", -1 }, { "5m3", -1 }, { "1..5s", -1 }, { "nan", -1 },
		{ "inf", -1 }, { "1e400", -1 }, { "1e30", -1 },
		{ "99999999999999h", -1 }, { "5s\n", -1 }, { "m5s", -1 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(near(ai_hints_duration(ai_span_of(t[i].text)), t[i].s),
		   "the duration '%s'", t[i].text);
}

static void test_dates(void)
{
	static const struct {
		const char *text;
		double s;
	} t[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-22T10:00:00Z", 1795341600 },
		{ "2026-11-22T12:00:00+02:00", 1795341600 },
		{ "2026-11-22T04:30:00-05:30", 1795341600 },
		{ "2026-11-22T10:00:00.25Z", 1795341600.25 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "", -1 }, { "2026-11-22", -1 }, { "10:00:00Z", -1 },
		{ "2026-11-22T10:00:00", -1 }, { "2026-11-22 10:00:00Z", -1 },
		{ "2026-13-22T10:00:00Z", -1 }, { "2026-00-22T10:00:00Z", -1 },
		{ "2026-11-32T10:00:00Z", -1 }, { "2026-11-22T24:00:00Z", -1 },
		{ "2026-11-22T10:60:00Z", -1 }, { "1969-12-31T23:59:58Z", -1 },
		{ "2026-11-22T10:00:00.Zx", -1 }, { "2026-11-22T10:00:00+2", -1 },
		{ "2026-11-22T10:00:00+aa:00", -1 }, { "20261-1-22T10:00:00Z", -1 },
		{ "Sun, 22 Nov 2026 10:00:00 GMT", -1 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(near(ai_hints_date(ai_span_of(t[i].text)), t[i].s),
		   "the date '%s'", t[i].text);
}

static void take(struct ai_hints *h, const char *name, const char *value)
{
	ai_hints_take(h, ai_span_of(name), ai_span_of(value));
}

static void test_wait(void)
{
	struct ai_hints h;

	ai_hints_clear(&h);
	ok(ai_hints_wait(&h, 1000) < 0, "nothing is told");
	take(&h, "X-RateLimit-Reset-Requests", "8.5s");
	take(&h, "x-ratelimit-reset-tokens", "2s");
	ok(near(ai_hints_wait(&h, 1000), 8.5), "the longest");
	take(&h, "x-ratelimit-remaining-requests", "99");
	take(&h, "x-ratelimit-remaining-tokens", "0");
	ok(near(ai_hints_wait(&h, 1000), 2), "that of what is used up");
	take(&h, "x-ratelimit-reset-tokens", "soon");
	ok(near(ai_hints_wait(&h, 1000), 8.5), "what cannot be read is not there");
	ai_hints_clear(&h);
	take(&h, "anthropic-ratelimit-input-tokens-reset",
	     "2026-11-22T10:00:30Z");
	take(&h, "anthropic-ratelimit-output-tokens-reset",
	     "2026-11-22T10:00:07Z");
	take(&h, "anthropic-ratelimit-output-tokens-remaining", "0");
	ok(near(ai_hints_wait(&h, 1795341600), 7), "dates");
	take(&h, "anthropic-ratelimit-output-tokens-reset",
	     "2026-11-22T09:00:07Z");
	ok(near(ai_hints_wait(&h, 1795341600), 30), "one that has passed");
	ai_hints_clear(&h);
	take(&h, "x-ratelimit-reset-requests", "-1");
	take(&h, "x-ratelimit-reset-tokens", "0");
	take(&h, "x-ratelimit-reset", "5");
	ok(ai_hints_wait(&h, 1000) < 0, "-1, 0, and a header nobody knows");
}

int main(void)
{
	test_durations();
	test_dates();
	test_wait();
	return done();
}
