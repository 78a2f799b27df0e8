/*
 * model.h: what the ledger should do, as arrays and loops.
 *
 * Written from the manual and not from the ledger: budgets are summed anew
 * from all calls for every question, and beside the bucket's own arithmetic
 * every minute's starts are counted.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include "store/ledger-int.h"

#define CALLS 320 /* of one history; of most 64 */
#define SECOND ((int64_t)1000000000)
#define WINDOW (61 * SECOND) /* of a rate, see ledger-rate.c */
#define SLACK 2000 /* ns: the model divides otherwise */
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum scope { ALL, TENANT, USER, MODEL, SCOPES };
enum period { REQUEST, HOUR, DAY, MONTH, TOTAL, PERIODS };
enum owner { ALIVE, DEAD, REBOOTED, ELSEWHERE, OWNERS };

#define EACH 3 /* the place of "*" beside them */

struct call {
	unsigned char id[AI_LEDGER_ID];
	int who[SCOPES];
	enum owner owner;
	int64_t at, worst, cost;
	int64_t lease; /* as a probe, ns; 0: it is none */
	bool open, sent;
	enum ledger_kind kind; /* of its end */
	int corrections;
	struct ai_facts facts;
};

/* Answers from the cache. */
struct kept {
	int who[SCOPES];
	int64_t at, n, saved;
};

struct bucket {
	long double tat, last; /* ns; last 0: never */
	int64_t burst;
};

/* Of one key and model. */
struct place {
	struct bucket bucket[2]; /* requests, tokens */
	int failures;
	int64_t opened, held;
	int probe; /* the call that was the last one, plus 1 */
};

struct start {
	int64_t at, units, limit;
	int model, unit;
};

struct model {
	struct call call[CALLS];
	int n;
	struct kept hit[CALLS];
	int hits;
	int64_t cap[SCOPES][4][PERIODS]; /* -1: none */
	int64_t limit[2][3][2]; /* key or "*"; model, or 0 for "*"; unit */
	struct place place[3];
	struct start start[2 * CALLS];
	int starts;
};

/* What is to come of a reservation; `late` that the clocks decide. */
struct wanted {
	enum ai_verdict verdict;
	bool too_long, probe, late;
	long double start;
	int64_t wait_ms; /* -1: any */
	struct bucket bucket[2];
};

extern struct model m;
extern int64_t now_ms, now_ns; /* its clocks */
extern int broken;             /* differences so far */
extern bool tie;               /* a start that the rounding decides */

void differ(const char *what, int64_t got, int64_t wanted);

/* What the calls of one period, which begins at start, hold and have cost. */
void sum(enum scope s, int who, enum period p, int64_t start,
	 int64_t *pending, int64_t *posted);
int64_t period_of(enum period p, int64_t ms);
/* The cap that holds for this call, or -1. */
int64_t cap_of(const int who[SCOPES], enum scope s, enum period p);
bool has_room(const int who[SCOPES], enum scope s, enum period p,
	      int64_t worst);

struct wanted want(const struct ai_reserve *r, const int who[SCOPES]);
/* Call m.n was granted as wanted, and starts then. */
void take_rate(const struct ai_reserve *r, int model, const struct wanted *w,
	       int64_t start);
void end_call(struct call *c, enum ledger_kind kind, int64_t cost,
	      enum ai_outcome outcome, int64_t hold_ms);
/* Whether it may still go out. */
bool may_go(const struct call *c);
/* Somebody closes the breaker of a model. */
void reset_model(int model);
/* Somebody says what it has cost; false: its process may live. */
bool settle_call(struct call *c, enum ledger_kind kind, int64_t cost,
		 bool force);
void sweep_model(void);
/* Reads the sums by something, and compares them with the calls. */
void check_rollups(struct ai_ledger *l);
/* No minute has more than its limit. */
void count_minutes(void);

#endif
