/*
 * price-history.h: prices by model and day, in a file of the user's.
 *
 * Lines of JSON behind a line that says what they are, sorted by the bytes of
 * the model's name and then of the day from which the price holds:
 *
 *   {"aiutils":"prices","version":1}
 *   {"model":"openai/gpt-4o","date":"2026-08-01","source":"litellm",
 *    "context":128000,"max_output":16384,"price":{"input":"2.5",...}}
 *   {"model":"openai/gpt-4o-latest","is":"openai/gpt-4o"}
 *
 * (each on one line).  "price" is as in the catalog.  Beside it may stand
 * "hours" (what holds for a part of each day), "match" (what else is meant by
 * the name, as genai-prices writes it) and "other" (what nobody understood).
 * A name is looked up by bisection in the mapped file, so that it costs nothing
 * to have many; the file can be kept in git.  It is replaced as a whole.
 */
#ifndef AI_MODEL_PRICE_HISTORY_H
#define AI_MODEL_PRICE_HISTORY_H

#include "base/err.h"
#include "base/str.h"
#include "model/catalog.h"
#include "model/price.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>

#define AI_HISTORY_HEAD "{\"aiutils\":\"prices\",\"version\":1}\n"
#define AI_HISTORY_MAX ((size_t)256 << 20)
/* The day of what held before all days that are told. */
#define AI_HISTORY_PAST "1970-01-01"

struct ai_history {
	const char *p; /* the lines, without the first; mapped */
	size_t n;
	void *map;     /* NULL: none */
	size_t map_n;
};

/* -1: AI_E_CONFIG - it cannot be read, or is of another form.  A file that is
 * not there is empty if it may be missing. */
int ai_history_open(struct ai_history *h, const char *path, bool may_miss,
		    struct ai_err *err);
/* The same from text, borrowed. */
int ai_history_open_text(struct ai_history *h, struct ai_span text,
			 struct ai_err *err);
void ai_history_close(struct ai_history *h);

/* A line without its newline; p NULL: none. */
struct ai_span ai_history_next(const struct ai_history *h,
			       struct ai_span line);
/* The line's model and day, and whose other name it is; "" if it has none. */
struct ai_span ai_history_name(struct ai_span line);
struct ai_span ai_history_date(struct ai_span line);
struct ai_span ai_history_is(struct ai_span line);
/* Below 0, 0 or above: how two lines are to be sorted. */
int ai_history_compare(struct ai_span a, struct ai_span b);
/* The first line of this name, or none. */
struct ai_span ai_history_first(const struct ai_history *h,
				struct ai_span name);

/* What a search has found: less rank is better, as in catalog.c: three a form
 * of the name (itself, the maker's bare name, another's). */
struct ai_history_hit {
	int rank;
	struct ai_span first; /* its first line */
	bool ambiguous;
	struct ai_span rival; /* then: another name it may be */
};
#define AI_RANK_SNAPSHOT 900 /* the name and a snapshot behind it */
#define AI_RANK_MATCH 950    /* a rule of the table says so */

/* The best that is below limit. */
bool ai_history_search(const struct ai_history *h, const struct ai_span *form,
		       int forms, int limit, struct ai_history_hit *hit);

/*
 * The line of a name (its first) that holds on a day ("2026-08-01", perhaps
 * "2026-08-01T16:30", UTC): the last that begins before or then; if none does,
 * the first.
 */
struct ai_span ai_history_at(const struct ai_history *h, struct ai_span first,
			     struct ai_span when);
/*
 * Reads a line into a model: name, limits and price, source and date.  Of hours
 * the dearer price stands unless when says a time.  AI_E_CONFIG naming what is
 * wrong with it.
 */
int ai_history_read(struct ai_span line, struct ai_span when,
		    struct ai_model *m, struct ai_err *err);

#endif
