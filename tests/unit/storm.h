/*
 * storm.h: what the storm (ledger-storm.c) and its judge (storm-check.c) both
 * know: what a worker writes down, and which budgets there are.
 */
#ifndef TESTS_UNIT_STORM_H
#define TESTS_UNIT_STORM_H

#include "store/ledger.h"

#include <stdbool.h>
#include <stdint.h>

#define STORM_REQUEST 2000 /* the cap of one call, nano-dollars */

enum told {
	RESERVED, SENT,
	POSTED,    /* at its cost */
	LOST,      /* booked at its worst case */
	VOIDED,
	CORRECTED, /* by hand, to what it says later */
};

/*
 * What a worker appends to its own file after each answer of the ledger, and
 * before it goes on: what it was told cannot be lost with it.
 */
struct note {
	unsigned char id[AI_LEDGER_ID];
	int64_t told;
	int64_t worst, cost, later;
};

/* Tables that the test adds to the ledger and triggers fill, within the
 * transactions that they bear witness of: after which transfer an event came,
 * and whether a hold had been sent when it ended. */
extern const char storm_witness[];

struct storm_result {
	int64_t granted, ends[6]; /* by enum ledger_kind */
	int64_t acknowledged, orphans, events;
};

/* tap_ok(), which counts by itself in each file that has it. */
typedef bool storm_ok(bool cond, const char *fmt, ...);

/* Judges what is left at path, in whose folder the notes are. kills: that
 * many reservations may be there of which nobody was told. */
void storm_check(const char *path, const char *folder, int64_t kills,
		 struct storm_result *r, storm_ok *ok);

#endif
