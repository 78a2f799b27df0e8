#include "model/bill.h"

static int no_price(struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "no price is known: give --price IN,OUT in dollars "
			  "a million tokens, or --price free");
}

static int check(const struct ai_price *p, int tier, struct ai_err *err)
{
	if (p->kind == AI_PRICE_UNKNOWN)
		return no_price(err);
	if (tier < 0 || tier >= AI_TIERS || !(p->tiers & 1u << tier))
		return ai_err_set(err, AI_E_CONFIG,
				  "no price is known for the tier %s",
				  tier >= 0 && tier < AI_TIERS
				  ? ai_tier_name((enum ai_tier)tier) : "asked");
	return 0;
}

/* The band that so many tokens of input fall into. */
static int band_of(const struct ai_price *p, int64_t input)
{
	int b = p->bands - 1;

	while (b > 0 && input <= p->above[b])
		b--;
	return b;
}

/* Counts are at most 10^12 each when they come from ai_meter_read(), but
 * others may make a meter too. */
static int input_of(const struct ai_meter *m, int64_t *input)
{
	*input = 0;
	for (int u = 0; u < AI_UNITS_IN; u++)
		if (m->n[u] < 0 ||
		    __builtin_add_overflow(*input, m->n[u], input))
			return -1;
	return 0;
}

static int scale(struct ai_sum *s, int64_t factor, bool applies,
		 struct ai_err *err)
{
	if (!applies)
		return 0;
	if (factor == 0)
		return ai_err_set(err, AI_E_CONFIG, "no price is known for "
				  "what made the answer faster");
	ai_sum_scale(s, factor);
	return 0;
}

static int finish(const struct ai_sum *s, enum ai_code code, int64_t *nano,
		  struct ai_err *err)
{
	if (ai_sum_nano(s, nano) < 0)
		return ai_err_set(err, code, "so many tokens cost more than "
				  "9 billion dollars");
	return 0;
}

/* Where the band is looked up: what the price counts by. */
static int64_t level_of(const struct ai_price *p, const struct ai_meter *m,
			int64_t input)
{
	return p->by_results ? m->n[AI_UNIT_RESULT] : input;
}

static int add(struct ai_sum *s, const struct ai_meter *m,
	       const int64_t *rate, int from, int to, struct ai_err *err)
{
	for (int u = from; u < to; u++) {
		if (m->n[u] == 0)
			continue;
		if (rate[u] == AI_NO_RATE)
			return ai_err_set(err, AI_E_CONFIG, "no price of the "
					  "model is known for '%s'",
					  ai_unit_name((enum ai_unit)u));
		ai_sum_add(s, m->n[u], rate[u]);
	}
	return 0;
}

int ai_bill(const struct ai_price *p, const struct ai_meter *m,
	    enum ai_tier tier, int64_t *nano, struct ai_err *err)
{
	int t = m->tier >= 0 ? m->tier : (int)tier;
	struct ai_sum s = { 0 };
	const int64_t *rate;
	int64_t input;

	if (m->reported >= 0) {
		*nano = m->reported;
		return 0;
	}
	if (check(p, t, err) < 0)
		return -1;
	*nano = 0;
	if (p->kind == AI_PRICE_FREE)
		return 0;
	if (input_of(m, &input) < 0)
		return ai_err_set(err, AI_E_ANSWER, "the usage's input is "
				  "absurd");
	rate = p->rate[t][band_of(p, level_of(p, m, input))];
	/* Models without a rate of their own for it do not ask more. */
	if (add(&s, m, rate, 0, AI_UNITS_TOKENS, err) < 0 ||
	    scale(&s, p->us, m->us && p->us != 0, err) < 0 ||
	    scale(&s, p->eu, m->eu && p->eu != 0, err) < 0 ||
	    scale(&s, p->fast, m->fast, err) < 0 ||
	    add(&s, m, rate, AI_UNITS_TOKENS, AI_UNITS, err) < 0)
		return -1;
	return finish(&s, AI_E_ANSWER, nano, err);
}

/* Whether a request may come to use a unit at all. */
static bool may(const struct ai_ask *ask, int unit)
{
	static const unsigned needs[AI_UNITS] = {
		[AI_UNIT_WRITE_1H] = AI_MAY_WRITE_1H,
		[AI_UNIT_AUDIO_IN] = AI_MAY_AUDIO_IN,
		[AI_UNIT_AUDIO_CACHED] = AI_MAY_AUDIO_IN,
		[AI_UNIT_AUDIO_WRITE] = AI_MAY_AUDIO_IN,
		[AI_UNIT_IMAGE_IN] = AI_MAY_IMAGE_IN,
		[AI_UNIT_AUDIO_OUT] = AI_MAY_AUDIO_OUT,
		[AI_UNIT_IMAGE_OUT] = AI_MAY_IMAGE_OUT,
		[AI_UNIT_VIDEO_OUT] = AI_MAY_VIDEO_OUT,
		[AI_UNIT_CITATION] = AI_MAY_CITE,
	};

	return needs[unit] == 0 || (ask->may & needs[unit]) != 0;
}

/* How far up the bands a request can come: of results nobody knows. */
static int last_band(const struct ai_price *p, const struct ai_ask *ask)
{
	return p->by_results ? p->bands - 1 : band_of(p, ask->input);
}

/* n times the dearest of units from..to-1 in the bands that the request can
 * reach. */
static int add_dearest(struct ai_sum *s, const struct ai_price *p,
		       const struct ai_ask *ask, int64_t n, int from, int to,
		       struct ai_err *err)
{
	int64_t best = AI_NO_RATE;

	for (int b = 0; b <= last_band(p, ask); b++)
		for (int u = from; u < to; u++)
			if (may(ask, u) && p->rate[ask->tier][b][u] > best)
				best = p->rate[ask->tier][b][u];
	if (n == 0)
		return 0;
	if (best == AI_NO_RATE)
		return ai_err_set(err, AI_E_CONFIG, "no price of the model is "
				  "known for '%s'",
				  ai_unit_name((enum ai_unit)from));
	ai_sum_add(s, n, best);
	return 0;
}

int ai_bill_worst(const struct ai_price *p, const struct ai_ask *ask,
		  int64_t *nano, struct ai_err *err)
{
	struct ai_sum s = { 0 };

	if (check(p, (int)ask->tier, err) < 0)
		return -1;
	*nano = 0;
	if (p->kind == AI_PRICE_FREE)
		return 0;
	if (add_dearest(&s, p, ask, ask->input, 0, AI_UNITS_IN, err) < 0 ||
	    add_dearest(&s, p, ask, ask->output, AI_UNITS_IN, AI_UNITS_TOKENS,
			err) < 0 ||
	    scale(&s, p->us, (ask->may & AI_MAY_US) && p->us != 0, err) < 0 ||
	    scale(&s, p->eu, (ask->may & AI_MAY_EU) && p->eu != 0, err) < 0 ||
	    scale(&s, p->fast, (ask->may & AI_MAY_FAST) && p->fast != 0,
		  err) < 0 ||
	    add_dearest(&s, p, ask, ask->searches, AI_UNIT_SEARCH,
			AI_UNIT_REQUEST, err) < 0 ||
	    add_dearest(&s, p, ask, 1, AI_UNIT_REQUEST, AI_UNIT_QUERY,
			err) < 0)
		return -1;
	return finish(&s, AI_E_CONFIG, nano, err);
}
