/*
 * pool.h: co-processes that do what clients of an MCP server ask for.
 *
 * A co-process is one of our programs with one command line; it does one call
 * at a time, and lives on for the next of the same command line.  So what is
 * wrong with one call, or kills its process, is nobody else's matter.
 */
#ifndef AGENT_SERVE_POOL_H
#define AGENT_SERVE_POOL_H

#include "cage/pollset.h"
#include "serve/serve.h"

#include <stdbool.h>

#define SERVE_IDLE_MAX 8 /* that live without work */

struct serve_worker;

struct serve_pool {
	struct serve *serve;
	struct serve_worker *first; /* owned; the one that worked last first */
	size_t n, busy;
	size_t jobs;             /* at once */
	int64_t cap;             /* nano-dollars of all calls; negative: none */
	bool capped;             /* the ledger knows it */
	bool ours;               /* ... under a name that nobody else has */
	char run[72];            /* that name */
};

/* What may be spent is asked of the options. -1: they are wrong. */
int serve_pool_init(struct serve_pool *p, struct serve *s, struct ai_err *err);
/* Lets what is under way be booked, for a second; kills the rest. */
void serve_pool_release(struct serve_pool *p);
/* Begins calls that wait, reads what was answered, looks at the time. */
void serve_pool_turn(struct serve_pool *p);
void serve_pool_wait(const struct serve_pool *p, struct agent_poll *poll);

#endif
