/*
 * price-table.h: prices as public tables tell them.
 *
 * Two forms are read as they are, and told apart by their content:
 *
 *   LiteLLM's model_prices_and_context_window.json: an object, a member a
 *   model, a price a key ("input_cost_per_token_above_200k_tokens_priority");
 *   genai-prices' data.json: a list of providers with their models, prices of
 *   a million, with bands ("tiers"), days and hours from which they hold, and
 *   rules for what else is meant by the name.
 *
 * What every key means is in one table (price-table.c): a unit, for how many,
 * a tier, a band.  A key that is in none is kept, and said.
 */
#ifndef AI_MODEL_PRICE_TABLE_H
#define AI_MODEL_PRICE_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "model/catalog.h"
#include "model/price.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>

#define AI_TABLE_MAX ((size_t)64 << 20)

/* What a table says of a model from one day on. */
struct ai_offer {
	char name[AI_CATALOG_NAME]; /* as the catalog names it */
	char date[16];   /* "2026-09-01"; "" if the table tells none */
	bool past;       /* until the first date that is told */
	struct ai_price given;
	/* Where it differs by the hour: minutes of a day, UTC; from is -1 if it
	 * does not. */
	int from, to;
	struct ai_price hours;
	int64_t context, max_output; /* 0: not told */
	bool chat;       /* it answers with tokens that cost something */
	bool local;      /* it runs where it is asked */
	struct ai_value match; /* genai-prices' rules for names, or AI_NONE */
	struct ai_buf other;   /* members nobody knows, as "K":V,"K":V */
	unsigned keys;   /* members that were seen */
	unsigned unknown; /* of these, in other */
	unsigned rounded; /* prices between two pico-dollars */
	bool priced;     /* it has a price at all */
};

enum ai_table_form { AI_TABLE_LITELLM, AI_TABLE_GENAI };
const char *ai_table_name(enum ai_table_form form);

/*
 * Told of each model.  wrong is NULL, or what makes it useless: then only its
 * name is set, and the message has the key.  -1 ends the reading.
 */
typedef int ai_offer_fn(void *arg, const struct ai_offer *o,
			const struct ai_err *wrong);

/* -1: AI_E_DATA - no JSON (with line, model and key), or neither form; or what
 * each said. */
int ai_table_read(struct ai_span text, enum ai_table_form *form,
		  ai_offer_fn *each, void *arg, struct ai_err *err);

/* JSON without the blanks between its tokens. */
void ai_table_compact(struct ai_buf *b, struct ai_value v);

/* Providers go by one name: "vertex_ai-language-models" is "vertex_ai". Of a
 * model's name what stands before the slash; 0, or -1 if it is too long. */
int ai_table_canonical(struct ai_span typed, char out[AI_CATALOG_NAME]);

/* The parts of ai_table_read(), one a form. */
int ai_table_litellm(struct ai_value v, ai_offer_fn *each, void *arg,
		     struct ai_err *err);
int ai_table_genai(struct ai_value v, ai_offer_fn *each, void *arg,
		   struct ai_err *err);
void ai_offer_init(struct ai_offer *o);
void ai_offer_keep(struct ai_offer *o, struct ai_value key,
		   struct ai_value val);
/* A whole number of tokens; -1 and what is wrong. */
int ai_offer_limit(struct ai_value v, int64_t *out, struct ai_err *err);
/* Puts a price, for 10^power units, where it belongs; the dearer of two. */
int ai_offer_rate(struct ai_offer *o, struct ai_value v, int power,
		  int64_t *rate, struct ai_err *err);
int ai_offer_name(struct ai_offer *o, struct ai_span provider,
		  struct ai_span model, struct ai_err *err);

#endif
