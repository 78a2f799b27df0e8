/*
 * tap.h: the whole test framework: ok() prints a line of TAP, done() the
 * plan.  `return done();` ends main().
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_n, tap_bad;

/* One test: whether cond held, under a name made like printf's. */
__attribute__((format(printf, 2, 3), unused))
static bool tap_ok(bool cond, const char *fmt, ...)
{
	va_list ap;

	tap_bad += !cond;
	printf("%sok %d - ", cond ? "" : "not ", ++tap_n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!cond)
		fflush(stdout);
	return cond;
}

/* One test that was not run, and why. */
__attribute__((format(printf, 1, 2), unused))
static void tap_skip(const char *fmt, ...)
{
	va_list ap;

	printf("ok %d # SKIP ", ++tap_n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", tap_n);
	return fflush(stdout) != 0 || tap_bad != 0;
}

#define ok(c, ...) tap_ok(!!(c), __VA_ARGS__)
#define skip(...) tap_skip(__VA_ARGS__)
#define done() tap_done()

#endif
