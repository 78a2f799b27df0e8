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
 *   4. an entry "local/" with a star behind it holds for all that begins so;
 *   5. of imported prices: the name with a snapshot behind it ("claude-opus-4"
 *      for "claude-opus-4-20250514"), then what a rule of their table says.
 *
 * Prices are also looked up in the file of those that were imported
 * (model/price-history.h).  Of what is found there, in the user's own table and
 * in the installed one the name that is nearer to what was typed wins; if they
 * are equally near, the user's own, then what is newer of the others on the day
 * that is asked about.  The model keeps the name that the tables give it, so
 * that it stays what budgets and limits know.
 */
#ifndef AI_MODEL_CATALOG_H
#define AI_MODEL_CATALOG_H

#include "base/err.h"
#include "base/opt.h"
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

/* The user's files: --catalog and --prices, NULL the usual ones, which may be
 * missing ($XDG_CONFIG_HOME/aiutils/catalog.json and $XDG_DATA_HOME/aiutils/
 * prices.jsonl); "none" without. */
struct ai_catalog_settings {
	const char *own, *prices;
};
extern struct ai_catalog_settings ai_catalog_settings;
extern const struct ai_opt ai_catalog_options[];
/* Where the prices are; the caller frees it.  NULL: there are to be none. */
int ai_catalog_prices(char **path, struct ai_err *err);

/*
 * Opens the installed table, the user's (own; NULL: as the settings say) and
 * what was imported.  -1: AI_E_CONFIG (no such table, not JSON, not of this
 * form), AI_E_MEMORY.
 */
int ai_catalog_open(struct ai_catalog **c, const char *own,
		    struct ai_err *err);
/* One for all who look models up in this process: it is opened when the first
 * one asks, and nobody frees it. */
int ai_catalog_shared(const struct ai_catalog **c, struct ai_err *err);
/* The same from text, for tests; each may be empty. Borrowed. */
int ai_catalog_open_text(struct ai_catalog **c, struct ai_span table,
			 struct ai_span own, struct ai_span prices,
			 struct ai_err *err);
void ai_catalog_free(struct ai_catalog *c); /* NULL is fine */

struct ai_history;
/* What was imported; the catalog's. */
const struct ai_history *ai_catalog_history(const struct ai_catalog *c);

/*
 * Finds a model and what it cost then ("2026-08-01" or "2026-08-01T16:30", UTC;
 * NULL: today).  -1: AI_E_CONFIG - no such model (with the nearest name if
 * one is near), an ambiguous name, or an entry that cannot be used.  A model
 * may be found and have no price (price.kind).
 */
int ai_catalog_find(const struct ai_catalog *c, struct ai_span name,
		    const char *when, struct ai_model *m, struct ai_err *err);
/* "2026-08-01" or "2026-08-01T16:30" that exists: 0; AI_E_USAGE. */
int ai_catalog_check_when(const char *when, struct ai_err *err);
#define AI_CATALOG_DAY 11
void ai_catalog_today(char day[AI_CATALOG_DAY]);

/* The name of a model that is nearest to this one, if one is near: true. */
bool ai_catalog_nearest(const struct ai_catalog *c, struct ai_span name,
			char *near, size_t size);

/* Calls each for every entry that holds, with its name (without quotes),
 * until it returns nonzero; returns that, or 0. */
int ai_catalog_each(const struct ai_catalog *c,
		    int (*each)(void *arg, struct ai_span name), void *arg);

/* Whose bare names need no provider; NULL ends it.  Whether a name is one's. */
extern const char *const ai_catalog_makers[];
bool ai_catalog_is_maker(struct ai_span name);
/* Cuts what names a snapshot off. */
bool ai_catalog_cut_snapshot(struct ai_span *s);

#endif
