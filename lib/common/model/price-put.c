/* price-put.c: prices as others tell them, filled in and written. */
#include "model/price.h"

#include <string.h>

/* ---- bands --------------------------------------------------------------- */

/* Makes room for a band before at. */
static void shift(struct ai_price *p, int at)
{
	size_t n = (size_t)(p->bands - at);

	memmove(&p->above[at + 1], &p->above[at], n * sizeof *p->above);
	for (int t = 0; t < AI_TIERS; t++) {
		memmove(&p->rate[t][at + 1], &p->rate[t][at],
			n * sizeof p->rate[t][at]);
		for (int u = 0; u < AI_UNITS; u++)
			p->rate[t][at][u] = AI_NO_RATE;
	}
	p->bands++;
}

int ai_price_band(struct ai_price *p, int64_t above, bool by_results)
{
	int b = 1;

	if (above == 0)
		return 0;
	while (b < p->bands && p->above[b] < above)
		b++;
	if (p->bands > 1 && p->by_results != by_results)
		return -1;
	if (b < p->bands && p->above[b] == above)
		return b;
	if (above < 0 || p->bands == AI_BANDS)
		return -1;
	p->by_results = by_results;
	shift(p, b);
	p->above[b] = above;
	return b;
}

/* ---- writing ------------------------------------------------------------- */

static void put_rate(struct ai_buf *b, int unit, int64_t rate)
{
	char text[AI_MONEY_TEXT];

	ai_put_key(b, ai_unit_name((enum ai_unit)unit));
	if (rate == AI_NO_RATE) {
		ai_put_null(b);
		return;
	}
	if (unit < AI_UNITS_TOKENS)
		ai_rate_text_million(rate, text);
	else
		ai_rate_text(rate, text);
	ai_put_cstr(b, text);
}

static bool says_anything(const int64_t *row)
{
	for (int u = 0; u < AI_UNITS; u++)
		if (row[u] != AI_NO_RATE)
			return true;
	return false;
}

/* What is given, and what it comes to where a row must say it. */
struct both {
	const struct ai_price *given;
	struct ai_price full;
};

static void put_rates(struct ai_buf *b, const struct both *p, int tier,
		      int band)
{
	const int64_t *row = p->given->rate[tier][band];

	for (int u = 0; u < AI_UNITS; u++)
		if (u == AI_UNIT_INPUT || u == AI_UNIT_OUTPUT)
			put_rate(b, u, p->full.rate[tier][band][u]);
		else if (row[u] != AI_NO_RATE)
			put_rate(b, u, row[u]);
}

static bool has_bands(const struct ai_price *p, int tier)
{
	for (int i = 1; i < p->bands; i++)
		if (tier == AI_TIER_STANDARD ||
		    says_anything(p->rate[tier][i]))
			return true;
	return false;
}

/* The standard tier has all bands, the others those that they speak of. */
static void put_bands(struct ai_buf *b, const struct both *both, int tier)
{
	const struct ai_price *p = both->given;

	if (!has_bands(p, tier))
		return;
	ai_put_key(b, "above");
	ai_put_open(b, '[');
	for (int i = 1; i < p->bands; i++) {
		if (tier != AI_TIER_STANDARD &&
		    !says_anything(p->rate[tier][i]))
			continue;
		ai_put_open(b, '{');
		ai_put_key(b, p->by_results ? "results" : "tokens");
		ai_put_i64(b, p->above[i]);
		put_rates(b, both, tier, i);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

static void put_factor(struct ai_buf *b, const char *name, int64_t factor)
{
	char text[AI_MONEY_TEXT];

	if (factor == 0)
		return;
	ai_rate_text_million(factor * 1000, text);
	ai_put_key(b, name);
	ai_put_cstr(b, text);
}

void ai_price_put(struct ai_buf *b, const struct ai_price *given)
{
	struct both both = { given, *given };

	ai_price_complete(&both.full);
	ai_put_open(b, '{');
	put_rates(b, &both, AI_TIER_STANDARD, 0);
	put_bands(b, &both, AI_TIER_STANDARD);
	for (int t = 1; t < AI_TIERS; t++) {
		if (!says_anything(given->rate[t][0]) &&
		    !has_bands(given, t))
			continue;
		ai_put_key(b, ai_tier_name((enum ai_tier)t));
		ai_put_open(b, '{');
		put_rates(b, &both, t, 0);
		put_bands(b, &both, t);
		ai_put_close(b, '}');
	}
	put_factor(b, "us", given->us);
	put_factor(b, "eu", given->eu);
	put_factor(b, "fast", given->fast);
	ai_put_close(b, '}');
}
