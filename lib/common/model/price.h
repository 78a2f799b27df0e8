/*
 * price.h: what a model costs, as integers.
 *
 * A price is a table of rates: a tier of service x a band of context length
 * x a unit (struct ai_price).  It is read from a catalog entry or from what
 * a user says, and then completed, so that a bill only looks rates up:
 *
 *   What a row (a tier's band) does not say of a unit costs the dearest of
 *   - its kin in the same row: cached, cache writes and audio as input, an
 *     hour's cache write as that of 5 minutes, cached audio as audio,
 *     reasoning and spoken output as output;
 *   - what the standard tier says of it in this band or a lower one;
 *   - what the tier itself says of it in a lower band.
 *   In a row that is not there at all the kin counts only if the others say
 *   nothing.  Fees (search, request) are those of the standard tier, or 0.
 *
 * So a gap never makes a bill too small.  A priority tier that is not there
 * has no price.
 */
#ifndef AI_MODEL_PRICE_H
#define AI_MODEL_PRICE_H

#include "base/err.h"
#include "base/money.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>

enum ai_unit {
	AI_UNIT_INPUT, /* tokens, each counted under one of these */
	AI_UNIT_CACHED,
	AI_UNIT_WRITE_5M,
	AI_UNIT_WRITE_1H,
	AI_UNIT_AUDIO_IN,
	AI_UNIT_AUDIO_CACHED,
	AI_UNIT_OUTPUT,
	AI_UNIT_REASONING,
	AI_UNIT_AUDIO_OUT,
	AI_UNIT_SEARCH,  /* web searches, search units */
	AI_UNIT_REQUEST, /* the request itself */
	AI_UNITS
};
#define AI_UNITS_IN AI_UNIT_OUTPUT     /* those below are input */
#define AI_UNITS_TOKENS AI_UNIT_SEARCH /* those below are tokens */

/* As the catalog calls it: "cache_write". */
const char *ai_unit_name(enum ai_unit unit);

enum ai_tier {
	AI_TIER_STANDARD,
	AI_TIER_BATCH,
	AI_TIER_FLEX,
	AI_TIER_PRIORITY,
	AI_TIERS
};
/* The tier with this name, as providers and users write it ("default" and
 * "auto" are standard), or -1. */
int ai_tier_of(struct ai_span name);
const char *ai_tier_name(enum ai_tier tier);

enum ai_price_kind {
	AI_PRICE_UNKNOWN, /* nothing may be called at it */
	AI_PRICE_FREE,
	AI_PRICE_KNOWN,
};

#define AI_BANDS 4

struct ai_price {
	enum ai_price_kind kind;
	unsigned tiers; /* bit 1 << tier: has rates */
	int bands;      /* 1 to AI_BANDS */
	/* Band b holds where the whole input is more than above[b] tokens,
	 * the highest such b; above[0] is 0 and holds always. */
	int64_t above[AI_BANDS];
	int64_t rate[AI_TIERS][AI_BANDS][AI_UNITS]; /* pico-dollars a unit */
	/* What multiplies tokens, in thousandths; 0: the model has no such. */
	int64_t us;   /* only processed in the United States */
	int64_t fast; /* faster answers */
	char source[64]; /* "litellm", "--price"; "" if not told */
	char date[16];   /* "2026-08-01"; "" if not told */
};

/*
 * The price in a catalog entry: "free", null (unknown), or an object of
 * decimal strings as data/schema/catalog.json has it.  -1: AI_E_CONFIG
 * naming the member and what is wrong with it; nothing is ignored.
 */
int ai_price_read(struct ai_value v, struct ai_price *p, struct ai_err *err);

/*
 * What a user says after --price: "IN,OUT" or "IN,OUT,CACHED" in dollars a
 * million tokens, or "free".  -1: AI_E_USAGE.
 */
int ai_price_parse(struct ai_span text, struct ai_price *p,
		   struct ai_err *err);

#endif
