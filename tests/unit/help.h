/*
 * help.h: what several of these tests need: a folder of their own, numbers by
 * chance that come again with the same seed, and numbers from the command
 * line.
 */
#ifndef TESTS_UNIT_HELP_H
#define TESTS_UNIT_HELP_H

#include "base/str.h"

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed;

/* SplitMix64 (Steele, Lea, Flood 2014). */
__attribute__((unused))
static uint64_t next_random(void)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* From 0 to n - 1. */
__attribute__((unused))
static int64_t below(int64_t n)
{
	return (int64_t)(next_random() % (uint64_t)n);
}

/* The i-th argument, or other if it is not there or is no number. */
__attribute__((unused))
static int64_t number(int argc, char **argv, int i, int64_t other)
{
	int64_t n;

	return i < argc && ai_parse_i64(ai_span_of(argv[i]), &n) == 0 ? n
								      : other;
}

__attribute__((unused))
static void set(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

static int remove_one(const char *name, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

/* The folder and all in it. */
__attribute__((unused))
static void remove_folder(const char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* For ai_ledger_check(): prints what is wrong, and counts it in *arg. */
__attribute__((unused))
static void complain(void *arg, const char *what)
{
	if (++*(int *)arg <= 10)
		printf("# %s\n", what);
}

#endif
