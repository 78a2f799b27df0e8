/*
 * rollup.h: how calls went, summed up by hour as they end.
 *
 * Each call that ends, each correction and each answer from the cache is added
 * to a row of its hour and its labels, and to one of its labels for all times,
 * in the transaction that writes it.  So who reads the sums reads no calls, and
 * no two figures can disagree; "ai-cost ledger check" counts anew.
 *
 * A call counts in the hour in which it was reserved, as budgets have it.  The
 * hours are those of the ledger's calendar; where a day does not begin with an
 * hour, the hour is cut in two there, so that each lies in one day.
 */
#ifndef AI_STORE_ROLLUP_H
#define AI_STORE_ROLLUP_H

#include "store/ledger.h"

/* Both histograms have these: up to and including bound i, and what is above
 * all bounds.  Microseconds; those of OpenTelemetry's GenAI conventions. */
#define AI_ROLLUP_BUCKETS 15
extern const int64_t ai_rollup_bound[AI_ROLLUP_BUCKETS - 1];

/*
 * X(NAME, column): what is counted, in the order of the columns.
 *
 * calls           that have ended; each attempt is one
 * unanswered      of these: they stand at their worst case, and nobody has
 *                 corrected that
 * posted          nano-dollars, corrections included
 * hits, saved     answers from the cache; nano-dollars that they would have
 *                 cost at the price of then
 * untold ... unsent  calls by how they ended (enum ai_ended)
 * corrections     bills beyond the worst case, and settled by hand
 * retries         calls that were not the first attempt
 * input ...       tokens; cached and written are within input, reasoning is
 *                 within output
 * time, first     microseconds until the answer was whole, until its first
 *                 text; the histograms say of how many
 */
#define AI_ROLLUP_COLUMNS(X) \
	X(CALLS, calls) X(UNANSWERED, unanswered) X(POSTED, posted) \
	X(HITS, hits) X(SAVED, saved) \
	X(UNTOLD, untold) X(ANSWERED, answered) X(UNUSABLE, unusable) \
	X(REFUSED, refused) X(LIMITED, limited) X(FAILED, failed) \
	X(LOST, lost) X(LEFT, left_alone) X(UNSENT, unsent) \
	X(CORRECTIONS, corrections) X(RETRIES, retries) \
	X(INPUT, input) X(CACHED, cached) X(WRITTEN, written) \
	X(OUTPUT, output) X(REASONING, reasoning) \
	X(TIME_US, time_us) X(FIRST_US, first_us) \
	X(TIME, t0) X(TIME1, t1) X(TIME2, t2) X(TIME3, t3) X(TIME4, t4) \
	X(TIME5, t5) X(TIME6, t6) X(TIME7, t7) X(TIME8, t8) X(TIME9, t9) \
	X(TIME10, t10) X(TIME11, t11) X(TIME12, t12) X(TIME13, t13) \
	X(TIME14, t14) \
	X(FIRST, f0) X(FIRST1, f1) X(FIRST2, f2) X(FIRST3, f3) X(FIRST4, f4) \
	X(FIRST5, f5) X(FIRST6, f6) X(FIRST7, f7) X(FIRST8, f8) X(FIRST9, f9) \
	X(FIRST10, f10) X(FIRST11, f11) X(FIRST12, f12) X(FIRST13, f13) \
	X(FIRST14, f14)

enum ai_rollup_column {
#define AI_ROLLUP_NAME(name, column) AI_ROLLUP_##name,
	AI_ROLLUP_COLUMNS(AI_ROLLUP_NAME)
#undef AI_ROLLUP_NAME
	AI_ROLLUP_COUNT
};

/* The sums of one hour, model, ... */
struct ai_rollup {
	const char *name;  /* "2026-11-22", "gpt-5-mini"; "": nobody */
	int64_t start_ms;  /* of an hour, a day, a month; else INT64_MIN */
	int64_t end_ms;    /* likewise; else INT64_MAX */
	const struct ai_labels *labels; /* by "labels"; else NULL */
	int64_t open, pending; /* calls that have not ended, and nano-dollars
				* that they hold */
	int64_t v[AI_ROLLUP_COUNT];
};

struct ai_rollup_ask {
	/* "all" (one row), "hour", "day", "month", the name of a label
	 * ("model"), "arm" (of an experiment, "NAME/MODEL"), or "labels": a
	 * row for each set of labels there is, without a name. */
	const char *by;
	/* Of hours that begin from since on and before until, ms; INT64_MIN
	 * and INT64_MAX, or both 0: of all. */
	int64_t since, until;
	/* Only the first so many are summed up; AI_ROLLUP_TIME: all but the
	 * histograms, which are most of it.  0: all. */
	int columns;
};

/*
 * Rows come in the order of their times, or of the bytes of their names; all is
 * borrowed.  What each() returns ends it unless it is 0.  AI_E_USAGE: there is
 * no such report.  A group takes 8 bytes a column and 32 beside its name.
 */
int ai_ledger_rollups(struct ai_ledger *l, const struct ai_rollup_ask *ask,
		      int (*each)(void *arg, const struct ai_rollup *r),
		      void *arg, struct ai_err *err);

/* Calls that brought no answer that could be used. */
int64_t ai_rollup_failed(const struct ai_rollup *r);
/* Of a histogram, r->v + AI_ROLLUP_TIME or AI_ROLLUP_FIRST: how many it has. */
int64_t ai_rollup_counted(const int64_t *histogram);
/* The value, in microseconds, below which this part (0 to 1) of all lies,
 * between two bounds as if they lay evenly there; negative: it has none. */
double ai_rollup_quantile(const int64_t *histogram, double part);

#endif
