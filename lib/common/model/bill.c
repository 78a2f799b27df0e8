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
	rate = p->rate[t][band_of(p, input)];
	for (int u = 0; u < AI_UNITS_TOKENS; u++)
		ai_sum_add(&s, m->n[u], rate[u]);
	/* Models without a rate of their own for it do not ask more. */
	if (scale(&s, p->us, m->us && p->us != 0, err) < 0 ||
	    scale(&s, p->fast, m->fast, err) < 0)
		return -1;
	for (int u = AI_UNITS_TOKENS; u < AI_UNITS; u++)
		ai_sum_add(&s, m->n[u], rate[u]);
	return finish(&s, AI_E_ANSWER, nano, err);
}

/* Whether a request may come to use a unit at all. */
static bool may(const struct ai_ask *ask, int unit)
{
	static const unsigned needs[AI_UNITS] = {
		[AI_UNIT_WRITE_1H] = AI_MAY_WRITE_1H,
		[AI_UNIT_AUDIO_IN] = AI_MAY_AUDIO_IN,
		[AI_UNIT_AUDIO_CACHED] = AI_MAY_AUDIO_IN,
		[AI_UNIT_AUDIO_OUT] = AI_MAY_AUDIO_OUT,
	};

	return needs[unit] == 0 || (ask->may & needs[unit]) != 0;
}

/* The dearest of units from..to-1 in the bands that the input can reach. */
static int64_t dearest(const struct ai_price *p, const struct ai_ask *ask,
		       int from, int to)
{
	int64_t best = 0;

	for (int b = 0; b <= band_of(p, ask->input); b++)
		for (int u = from; u < to; u++)
			if (may(ask, u) && p->rate[ask->tier][b][u] > best)
				best = p->rate[ask->tier][b][u];
	return best;
}

int ai_bill_worst(const struct ai_price *p, const struct ai_ask *ask,
		  int64_t *nano, struct ai_err *err)
{
	const int64_t *rate;
	struct ai_sum s = { 0 };

	if (check(p, (int)ask->tier, err) < 0)
		return -1;
	*nano = 0;
	if (p->kind == AI_PRICE_FREE)
		return 0;
	rate = p->rate[ask->tier][0];
	ai_sum_add(&s, ask->input, dearest(p, ask, 0, AI_UNITS_IN));
	ai_sum_add(&s, ask->output,
		   dearest(p, ask, AI_UNITS_IN, AI_UNITS_TOKENS));
	if (scale(&s, p->us, (ask->may & AI_MAY_US) && p->us != 0, err) < 0 ||
	    scale(&s, p->fast, (ask->may & AI_MAY_FAST) && p->fast != 0,
		  err) < 0)
		return -1;
	ai_sum_add(&s, ask->searches, rate[AI_UNIT_SEARCH]);
	ai_sum_add(&s, 1, rate[AI_UNIT_REQUEST]);
	return finish(&s, AI_E_CONFIG, nano, err);
}
