/*
 * fuzz.h: a fuzz target is LLVMFuzzerTestOneInput() in a file of its own. It
 * states properties with must(); what breaks one ends the program.
 *
 * tests/fuzz/run NAME SECONDS lets libFuzzer look for such inputs; make check
 * replays corpus/NAME (replay.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(cond)                                                             \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,       \
				__LINE__, #cond);                              \
			abort();                                               \
		}                                                              \
	} while (0)

#endif
