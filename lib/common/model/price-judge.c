/* price-judge.c: which prices cannot be meant. */
#include "model/price-import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody has asked more: pico-dollars a token ($1000 a million), and a piece. */
#define TOKEN_MOST INT64_C(1000000000)
#define PIECE_MOST (100 * AI_PICO_DOLLAR)
/* So many times dearer or cheaper is a slip of the point, not a price. */
#define FAR 100

/* ---- the same model elsewhere --------------------------------------------- */

struct other {
	struct ai_span bare;
	const struct ai_item *item;
};

static struct ai_span bare_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	struct ai_span s = ai_span_of(slash != NULL ? slash + 1 : name);

	while (ai_catalog_cut_snapshot(&s))
		;
	return s;
}

static int compare_text(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = memcmp(a.p, b.p, n);

	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

/* By name, then by price, so that the middle is the median. */
static int by_name(const void *a, const void *b)
{
	const struct other *x = a, *y = b;
	int c = compare_text(x->bare, y->bare);

	return c != 0 ? c : x->item->input < y->item->input ? -1
		: x->item->input > y->item->input;
}

/* What the others ask for it, as the median; 0: too few to tell. */
static int64_t median(const struct other *o, size_t n, const struct ai_item *i)
{
	struct other key = { bare_of(i->name), NULL };
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (compare_text(o[mid].bare, key.bare) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (high < n && compare_text(o[high].bare, key.bare) == 0)
		high++;
	return high - low < 3 ? 0 : o[low + (high - low) / 2].item->input;
}

/* ---- rules ------------------------------------------------------------------ */

static bool far_from(int64_t a, int64_t b)
{
	return a > 0 && b > 0 && (a / FAR >= b || b / FAR >= a);
}

static void show(int64_t rate, char out[AI_MONEY_TEXT])
{
	ai_rate_text_million(rate, out);
}

static int say(struct ai_item *i, const char *what, int64_t is,
	       const char *other, int64_t was)
{
	char a[AI_MONEY_TEXT], b[AI_MONEY_TEXT];

	show(is, a);
	show(was, b);
	snprintf(i->why, sizeof i->why, "%s costs $%s a million%s%s%s", what,
		 a, other, was >= 0 ? b : "", was >= 0 ? " a million" : "");
	return 1;
}

/* ":free", "/free", "-Free" at the end of a name. */
static bool is_named_free(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strchr(":/-", name[n - 5]) != NULL &&
		strcasecmp(name + n - 4, "free") == 0;
}

/* Whether a price cannot be meant. */
static int insane(struct ai_item *i, int64_t elsewhere)
{
	if (i->input > TOKEN_MOST)
		return say(i, "input", i->input, ", more than anybody asks", -1);
	if (i->output > 2 * TOKEN_MOST)
		return say(i, "output", i->output, ", more than anybody asks",
			   -1);
	if (i->fee > PIECE_MOST) {
		snprintf(i->why, sizeof i->why, "a piece costs over $100");
		return 1;
	}
	if (far_from(i->input, i->old_input))
		return say(i, "input", i->input, "; before it was $",
			   i->old_input);
	if (far_from(i->output, i->old_output))
		return say(i, "output", i->output, "; before it was $",
			   i->old_output);
	if (far_from(i->input, elsewhere))
		return say(i, "input", i->input, "; elsewhere it is $",
			   elsewhere);
	if (i->chat && i->output > 0 && i->output < i->input / 10)
		return say(i, "output", i->output, ", less than a tenth of "
			   "input at $", i->input);
	if (i->chat && !i->local && i->input == 0 && i->output == 0 &&
	    !is_named_free(i->name) && i->fee == 0) {
		snprintf(i->why, sizeof i->why, "it is said to cost nothing: "
			 "if it is free, accept it");
		return 1;
	}
	return 0;
}

/* What is worth a look. */
static int strange(struct ai_item *i)
{
	if (i->cached > i->input && i->input > 0)
		return say(i, "cached input", i->cached, ", more than input at "
			   "$", i->input);
	if (i->band_input < i->input && i->band_input >= 0)
		return say(i, "long input", i->band_input, ", less than short "
			   "at $", i->input);
	if (i->batch_input > i->input || i->batch_output > i->output)
		return say(i, "batch input", i->batch_input, "; a batch is "
			   "dearer than $", i->input);
	if (i->chat && i->input > 0 && i->output == 0)
		return say(i, "output", 0, ", and input $", i->input);
	if (i->max_output > 0 && i->context > 0 &&
	    i->max_output > 2 * i->context) {
		snprintf(i->why, sizeof i->why, "an answer of %" PRId64
			 " tokens is said to fit into %" PRId64,
			 i->max_output, i->context);
		return 1;
	}
	return 0;
}

static bool counts(const struct ai_item *i)
{
	return i->state <= AI_ITEM_SAME;
}

int ai_items_judge(struct ai_item *items, size_t n, struct ai_err *err)
{
	struct other *o = calloc(n + 1, sizeof *o);
	size_t m = 0;

	if (o == NULL)
		return ai_err_nomem(err);
	for (size_t k = 0; k < n; k++)
		if (counts(&items[k]) && items[k].input > 0)
			o[m++] = (struct other){ bare_of(items[k].name),
						 &items[k] };
	qsort(o, m, sizeof *o, by_name);
	for (size_t k = 0; k < n; k++) {
		if (!counts(&items[k]))
			continue;
		if (insane(&items[k], median(o, m, &items[k])))
			items[k].state = AI_ITEM_REFUSED;
		else
			items[k].odd = strange(&items[k]);
	}
	free(o);
	return 0;
}
