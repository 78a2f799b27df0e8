/*
 * hints.h: when a provider's limits begin anew, as its headers say.
 *
 *	x-ratelimit-reset-requests: 6m0s    OpenAI; others plain seconds
 *	anthropic-ratelimit-tokens-reset: 2026-11-22T10:00:00Z
 *
 * They are asked when a 429 comes without a Retry-After.  Headers are of
 * unknown quality: what cannot be read is as if it were not there.
 */
#ifndef AI_NET_HINTS_H
#define AI_NET_HINTS_H

#include "base/str.h"

#include <stdbool.h>

#define AI_HINTS 4 /* requests, tokens, tokens of input, of output */

struct ai_hints {
	struct ai_hint {
		double reset; /* negative: not told */
		bool dated;   /* reset is since 1970, else from now on */
		bool none;    /* nothing is left of it */
	} of[AI_HINTS];
};

/* Nothing is told. */
void ai_hints_clear(struct ai_hints *h);
/* A header; most are none of these. */
void ai_hints_take(struct ai_hints *h, struct ai_span name,
		   struct ai_span value);
/*
 * Seconds from now (since 1970) until a request may do again: the longest of
 * the limits that nothing is left of; if all say that something is left, it
 * was too little, and it is the longest of all.  Negative: nobody told.
 */
double ai_hints_wait(const struct ai_hints *h, double now);

/* A duration as Go writes it, "1m30.5s" or "12ms", or seconds, "12".
 * Negative: it is none, or none that lies ahead. */
double ai_hints_duration(struct ai_span text);
/* A date as RFC 3339 has it, in seconds since 1970. Negative: it is none. */
double ai_hints_date(struct ai_span text);

#endif
