/*
 * catalog.h: the table of known models: what they cost and what they take.
 *
 * data/catalog.json is read when somebody asks, never before; of its entries
 * only the one that is found is parsed.  A file of the user's own, of the
 * same form, may add models, replace entries (whole, by name) and remove
 * them ("NAME": null).
 *
 * How a name finds its model, the first that holds:
 *   1. it is the entry's name or one of its aliases: "openai/gpt-4o",
 *      "azure/gpt-4o";
 *   2. it has no provider and is such a name behind its last slash: "gpt-4o".
 *      The maker's own offer is meant; what only others offer must be
 *      offered by one, or is refused as ambiguous;
 *   3. the same without what names a snapshot: "-latest", "@20250929",
 *      "@default", "-v1:0" and "-v1" (Bedrock), "-2024-08-06", "-20250929".
 *      A snapshot that costs something else has an entry of its own;
 *   4. an entry "local/" with a star behind it holds for all that begins so.
 */
#ifndef AI_MODEL_CATALOG_H
#define AI_MODEL_CATALOG_H

#include "base/err.h"
#include "base/str.h"
#include "model/price.h"

#include <stdbool.h>
#include <stdint.h>

#define AI_CATALOG_NAME 128

enum ai_modality {
	AI_TEXT = 1,
	AI_IMAGE = 2,
	AI_FILE = 4,
	AI_AUDIO = 8,
	AI_VIDEO = 16,
	AI_VECTOR = 32, /* "embedding" */
};

struct ai_model {
	char name[AI_CATALOG_NAME]; /* the entry's: "openai/gpt-4o" */
	char provider[32];          /* as the name that matched has it: "azure" */
	char encoding[32];          /* for ai-tokens; "" if not known */
	int64_t context;            /* tokens, input and output; 0: not known */
	int64_t max_output;         /* tokens; 0: not known */
	unsigned takes, gives;      /* enum ai_modality; 0: not known */
	struct ai_price price;
};

struct ai_catalog;

/*
 * Opens the installed table and, unless own is NULL, the user's.  -1:
 * AI_E_CONFIG (no such table, not JSON, not of this form), AI_E_MEMORY.
 */
int ai_catalog_open(struct ai_catalog **c, const char *own,
		    struct ai_err *err);
/* The same from text, for tests; each may be empty. Borrowed. */
int ai_catalog_open_text(struct ai_catalog **c, struct ai_span table,
			 struct ai_span own, struct ai_err *err);
void ai_catalog_free(struct ai_catalog *c); /* NULL is fine */

/*
 * Finds a model.  -1: AI_E_CONFIG - no such model (with the nearest name if
 * one is near), an ambiguous name, or an entry that cannot be used.  A model
 * may be found and have no price (price.kind).
 */
int ai_catalog_find(const struct ai_catalog *c, struct ai_span name,
		    struct ai_model *m, struct ai_err *err);

/* The name of a model that is nearest to this one, if one is near: true. */
bool ai_catalog_nearest(const struct ai_catalog *c, struct ai_span name,
			char *near, size_t size);

/* Calls each for every entry that holds, with its name (without quotes),
 * until it returns nonzero; returns that, or 0. */
int ai_catalog_each(const struct ai_catalog *c,
		    int (*each)(void *arg, struct ai_span name), void *arg);

#endif
