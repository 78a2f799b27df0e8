/*
 * bill.h: what a call cost, or can cost at worst, in nano-dollars.
 *
 * Providers count alike things differently: what was read from a cache may
 * be inside the input count or beside it, reasoning inside the output or
 * beside it.  ai_meter_read() turns each provider's usage object into counts
 * that do not overlap; a bill is their sum at the rates of a price, rounded
 * up once.
 */
#ifndef AI_MODEL_BILL_H
#define AI_MODEL_BILL_H

#include "base/err.h"
#include "model/price.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a provider writes its usage. */
enum ai_shape {
	AI_SHAPE_OPENAI,    /* chat and responses; Azure, Mistral, DeepSeek,
			     * Groq, Together, llama.cpp, ...: cached inside
			     * the input, reasoning inside the output unless
			     * the total says otherwise; embeddings, which
			     * have no output, too */
	AI_SHAPE_REPORTED,  /* the same, and what was charged: OpenRouter
			     * (cost), Perplexity (cost.total_cost), xAI
			     * (cost_in_usd_ticks) */
	AI_SHAPE_ANTHROPIC, /* cached and cache writes beside the input */
	AI_SHAPE_GEMINI,    /* usageMetadata: cached inside, thoughts beside */
	AI_SHAPE_BEDROCK,   /* Converse: as Anthropic, other names */
	AI_SHAPE_COHERE,    /* v2 usage, or meta of embed: billed_units */
	AI_SHAPE_OLLAMA,    /* the answer itself: prompt_eval_count, ... */
	AI_SHAPE_EMBEDDING, /* OpenAI, Mistral, Jina, Voyage: input only */
	AI_SHAPE_UNITS,     /* our own: the units by their names */
};
/* The shape with this name ("openai", ...), or -1. */
int ai_shape_of(struct ai_span name);
/* The shape of a provider's answers: "azure" is OpenAI's, "openrouter" tells
 * what it charged; OpenAI's for a provider that is not known. */
enum ai_shape ai_shape_of_provider(struct ai_span provider);

/* What was used: no token is counted twice. */
struct ai_meter {
	int64_t n[AI_UNITS];
	int64_t reported; /* nano-dollars the provider says it charged; -1 */
	int tier;         /* that the usage names; -1: none */
	bool us, eu, fast; /* what multiplies the price of tokens */
};

/*
 * Reads a usage object.  -1 with AI_E_ANSWER if it lacks a count that the
 * shape must have, if a count is no whole number, negative, or if parts
 * exceed their whole.  Then nothing is known, and the caller keeps the worst
 * case.
 */
int ai_meter_read(enum ai_shape shape, struct ai_value usage,
		  struct ai_meter *m, struct ai_err *err);

/*
 * The bill.  What the provider says it charged stands; else counts at the
 * rates of the tier that the usage names, or of tier.  -1: AI_E_CONFIG (no
 * price, or none for this tier or a unit that was used), AI_E_ANSWER (more than 9 billion dollars).
 */
int ai_bill(const struct ai_price *p, const struct ai_meter *m,
	    enum ai_tier tier, int64_t *nano, struct ai_err *err);

/* What a request may make use of, beside what every request may. */
#define AI_MAY_WRITE_1H 1u  /* asks for cache writes of an hour */
#define AI_MAY_AUDIO_IN 2u
#define AI_MAY_AUDIO_OUT 4u
#define AI_MAY_US 8u        /* may be kept within the United States */
#define AI_MAY_FAST 16u
#define AI_MAY_EU 32u
#define AI_MAY_IMAGE_IN 64u
#define AI_MAY_IMAGE_OUT 128u
#define AI_MAY_VIDEO_OUT 256u
#define AI_MAY_CITE 512u
#define AI_MAY_ALL 1023u

struct ai_ask {
	int64_t input;    /* tokens at most */
	int64_t output;   /* tokens at most, reasoning included */
	int64_t searches; /* at most */
	enum ai_tier tier;
	unsigned may;
};

/*
 * No bill of a request within these bounds is higher: all input at the
 * dearest rate of input in any band it can reach (cache writes of 5 minutes
 * too: some providers make them unasked), all output at that of output, and
 * the fees.  -1: AI_E_CONFIG as above, or a bound that no money pays.
 */
int ai_bill_worst(const struct ai_price *p, const struct ai_ask *ask,
		  int64_t *nano, struct ai_err *err);

#endif
