/*
 * price.h: what a model costs, as integers.
 *
 * A price is a table of rates: a tier of service x a band of context length
 * x a unit (struct ai_price).  It is read from a catalog entry or from what
 * a user says, and then completed, so that a bill only looks rates up:
 *
 *   What a row (a tier's band) does not say of a unit costs the dearest of
 *   - its kin in the same row: cached, cache writes, audio, pictures and
 *     citations as input, an hour's cache write as that of 5 minutes, cached
 *     audio and its cache writes as audio, reasoning, spoken output, pictures
 *     and films as output; a search of some size as any search, a second of a
 *     film as any second of that film;
 *   - what the standard tier says of it in this band or a lower one;
 *   - what the tier itself says of it in a lower band.
 *   In a row that is not there at all the kin counts only if the others say
 *   nothing.  Fees are those of the standard tier; if there are none, a search
 *   and a request cost nothing, and everything else has no rate (AI_NO_RATE):
 *   a usage with such a count has no bill.
 *
 * So a gap never makes a bill too small.  A priority tier that is not there
 * has no price.
 */
#ifndef AI_MODEL_PRICE_H
#define AI_MODEL_PRICE_H

#include "base/buf.h"
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
	AI_UNIT_AUDIO_WRITE,
	AI_UNIT_IMAGE_IN,
	AI_UNIT_OUTPUT,
	AI_UNIT_REASONING,
	AI_UNIT_AUDIO_OUT,
	AI_UNIT_IMAGE_OUT,
	AI_UNIT_VIDEO_OUT,
	AI_UNIT_CITATION, /* beside input and output */
	AI_UNIT_SEARCH,   /* web searches, search units: any, or of a size */
	AI_UNIT_SEARCH_LOW,
	AI_UNIT_SEARCH_MEDIUM,
	AI_UNIT_SEARCH_HIGH,
	AI_UNIT_REQUEST,  /* the request itself */
	AI_UNIT_QUERY,    /* to a reranker or a search engine */
	AI_UNIT_RESULT,   /* of such a query: chooses a band */
	AI_UNIT_PER_IMAGE_IN, /* from here on, a piece */
	AI_UNIT_PER_IMAGE_OUT,
	AI_UNIT_PER_PIXEL_IN,
	AI_UNIT_PER_PIXEL_OUT,
	AI_UNIT_PER_CHARACTER_IN,
	AI_UNIT_PER_CHARACTER_OUT,
	AI_UNIT_PER_SECOND_IN, /* of whatever the model takes */
	AI_UNIT_PER_SECOND_OUT,
	AI_UNIT_PER_SECOND_OUT_1080P,
	AI_UNIT_PER_AUDIO_SECOND_IN,
	AI_UNIT_PER_VIDEO_SECOND_IN,
	AI_UNIT_PER_VIDEO_SECOND_IN_8S, /* cut into parts of so long */
	AI_UNIT_PER_VIDEO_SECOND_IN_15S,
	AI_UNIT_PER_VIDEO_SECOND_OUT,
	AI_UNIT_PER_PAGE,
	AI_UNIT_PER_ANNOTATED_PAGE,
	AI_UNIT_PER_CREDIT,
	AI_UNIT_PER_SESSION,           /* of a code interpreter */
	AI_UNIT_PER_COMPUTER_TOKEN_IN, /* of computer use */
	AI_UNIT_PER_COMPUTER_TOKEN_OUT,
	AI_UNIT_PER_FILE_SEARCH,
	AI_UNIT_PER_FILE_GB_DAY,
	AI_UNIT_PER_VECTOR_GB_DAY,
	AI_UNITS
};
#define AI_UNITS_IN AI_UNIT_OUTPUT     /* those below are input */
#define AI_UNITS_TOKENS AI_UNIT_SEARCH /* those below are tokens */

/* As the catalog calls it: "cache_write". */
const char *ai_unit_name(enum ai_unit unit);
/* The unit that it costs as much as if nothing is said, or -1. */
int ai_unit_kin(enum ai_unit unit);
/* The unit that the catalog calls so, or -1. */
int ai_unit_of(struct ai_span name);

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

#define AI_BANDS 10
#define AI_NO_RATE (-1)

struct ai_price {
	enum ai_price_kind kind;
	unsigned tiers; /* bit 1 << tier: has rates */
	uint64_t said;  /* bit 1 << unit: its first row speaks of it */
	int bands;      /* 1 to AI_BANDS */
	/* Band b holds where the whole input is more than above[b] tokens,
	 * the highest such b; above[0] is 0 and holds always. */
	int64_t above[AI_BANDS];
	bool by_results; /* it is results that are more, not tokens */
	/* Pico-dollars a unit, or AI_NO_RATE. */
	int64_t rate[AI_TIERS][AI_BANDS][AI_UNITS];
	/* What multiplies tokens, in thousandths; 0: the model has no such. */
	int64_t us;   /* only processed in the United States */
	int64_t eu;   /* only processed in the European Union */
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

/* Fills what p does not speak of, and other does: of two sources the one may
 * know of searches or an hour's cache what the other leaves out. */
void ai_price_fill(struct ai_price *p, const struct ai_price *other);

/* Whether all that p speaks of costs as much in was, with the same bands. */
bool ai_price_says_no_more(const struct ai_price *p,
			   const struct ai_price *was);

/* A price that says nothing, to be filled: rates as given, AI_NO_RATE else. */
void ai_price_clear(struct ai_price *p);
/* The band above so many tokens, or results; it is made if need be. -1: there
 * are AI_BANDS already, or others are counted otherwise. */
int ai_price_band(struct ai_price *p, int64_t above, bool by_results);
/* Fills the gaps, as above: it is a price then. */
void ai_price_complete(struct ai_price *p);
/* Writes what was filled, but not completed, as ai_price_read() reads it.  A
 * row that lacks input or output has what it comes to. */
void ai_price_put(struct ai_buf *b, const struct ai_price *given);

/* The rates that cost more of two prices for the same (a day's hours): what
 * is billed if nobody can say which holds. */
void ai_price_dearer(struct ai_price *p, const struct ai_price *other);

/*
 * What a user says after --price: "IN,OUT" or "IN,OUT,CACHED" in dollars a
 * million tokens, or "free".  -1: AI_E_USAGE.
 */
int ai_price_parse(struct ai_span text, struct ai_price *p,
		   struct ai_err *err);

#endif
