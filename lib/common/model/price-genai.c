/* price-genai.c: genai-prices' table: what each of its keys means. */
#include "model/price-table.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- prices ---------------------------------------------------------------- */

static const struct {
	const char *name;
	enum ai_unit unit;
	int power; /* it is the price of 10^power */
} prices[] = {
	{ "input_mtok", AI_UNIT_INPUT, 6 },
	{ "output_mtok", AI_UNIT_OUTPUT, 6 },
	{ "cache_read_mtok", AI_UNIT_CACHED, 6 },
	{ "cache_write_mtok", AI_UNIT_WRITE_5M, 6 },
	{ "input_audio_mtok", AI_UNIT_AUDIO_IN, 6 },
	{ "cache_audio_read_mtok", AI_UNIT_AUDIO_CACHED, 6 },
	{ "output_audio_mtok", AI_UNIT_AUDIO_OUT, 6 },
	{ "requests_kcount", AI_UNIT_REQUEST, 3 },
};

/* Whether an object has no other members than these. */
static bool only(struct ai_value v, struct ai_span a, struct ai_span b)
{
	struct ai_json_iter it;
	struct ai_value key, val;

	ai_json_iter_init(&it, v);
	while (v.kind == AI_OBJECT && ai_json_next(&it, &key, &val))
		if (!ai_json_is(key, a) && !ai_json_is(key, b))
			return false;
	return true;
}

/* { "base": 3, "tiers": [{ "start": 200000, "price": 6 }] }: above so many
 * tokens of input all of them cost that. */
static int read_bands(struct ai_offer *o, struct ai_price *p, size_t at,
		      struct ai_value v, struct ai_err *err)
{
	struct ai_value list = ai_json_member(v, AI_SPAN("tiers")), tier;
	int64_t (*rate)[AI_UNITS] = p->rate[AI_TIER_STANDARD], above;
	struct ai_json_iter it;
	int band;

	if (!only(v, AI_SPAN("base"), AI_SPAN("tiers")))
		return 1;
	if (ai_offer_rate(o, ai_json_member(v, AI_SPAN("base")),
			  prices[at].power, &rate[0][prices[at].unit], err) < 0)
		return -1;
	if (list.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_DATA, "tiers is no list");
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &tier)) {
		if (!only(tier, AI_SPAN("start"), AI_SPAN("price")))
			return 1;
		if (ai_json_i64(ai_json_member(tier, AI_SPAN("start")),
				&above) < 0)
			return ai_err_set(err, AI_E_DATA, "start is not a "
					  "whole number");
		band = ai_price_band(p, above, false);
		if (band < 0)
			return ai_err_set(err, AI_E_DATA, "has more than %d "
					  "bands", AI_BANDS);
		if (ai_offer_rate(o, ai_json_member(tier, AI_SPAN("price")),
				  prices[at].power,
				  &rate[band][prices[at].unit], err) < 0)
			return -1;
	}
	return 0;
}

static int read_price(struct ai_offer *o, struct ai_price *p,
		      struct ai_value key, struct ai_value v,
		      struct ai_err *err)
{
	for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
		if (!ai_json_is(key, ai_span_of(prices[i].name)))
			continue;
		if (v.kind == AI_OBJECT)
			return read_bands(o, p, i, v, err);
		return ai_offer_rate(o, v, prices[i].power, &p->rate
				     [AI_TIER_STANDARD][0][prices[i].unit],
				     err);
	}
	return 1;
}

static int wrong(struct ai_value key, const struct ai_err *why,
		 struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "%.*s: %s",
			  (int)ai_utf8_floor(key.s.p + 1, key.s.n - 2, 90),
			  key.s.p + 1,
			  why->msg);
}

static int read_prices(struct ai_offer *o, struct ai_price *p,
		       struct ai_value v, struct ai_err *err)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	struct ai_err why;
	int rc;

	if (v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "prices: is no object");
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		o->keys++;
		rc = read_price(o, p, key, val, &why);
		if (rc < 0)
			return wrong(key, &why, err);
		if (rc > 0)
			ai_offer_keep(o, key, val);
	}
	return 0;
}

/* ---- days and hours ---------------------------------------------------------- */

static bool is_date(struct ai_span s)
{
	static const char form[] = "0000-00-00";

	if (s.n != strlen(form))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (form[i] == '0' ? s.p[i] < '0' || s.p[i] > '9'
				   : s.p[i] != form[i])
			return false;
	return true;
}

/* "16:30:00Z" as a minute of the day. */
static int read_minute(struct ai_value v)
{
	const char *p = ai_json_inside(v).p;
	int hour, minute;

	if (ai_json_inside(v).n != 9 || p[2] != ':' || memcmp(p + 5, ":00Z", 4) != 0)
		return -1;
	hour = (p[0] - '0') * 10 + p[1] - '0';
	minute = (p[3] - '0') * 10 + p[4] - '0';
	return hour < 0 || hour > 23 || minute < 0 || minute > 59
		? -1 : hour * 60 + minute;
}

static int read_constraint(struct ai_offer *o, struct ai_value v,
			   struct ai_err *err)
{
	struct ai_value day = ai_json_member(v, AI_SPAN("start_date"));

	if (!only(v, AI_SPAN("start_date"), AI_SPAN("start_date")) &&
	    !only(v, AI_SPAN("start_time"), AI_SPAN("end_time")))
		return ai_err_set(err, AI_E_DATA, "constraint: neither a day "
				  "nor hours of the day, in UTC");
	if (day.kind != AI_NONE) {
		struct ai_span s = ai_json_inside(day);

		if (!is_date(s))
			return ai_err_set(err, AI_E_DATA,
					  "start_date: is no date");
		memcpy(o->date, s.p, s.n);
		o->date[s.n] = '\0';
		return 0;
	}
	o->from = read_minute(ai_json_member(v, AI_SPAN("start_time")));
	o->to = read_minute(ai_json_member(v, AI_SPAN("end_time")));
	if (o->from < 0 || o->to < 0)
		return ai_err_set(err, AI_E_DATA, "constraint: neither a day "
				  "nor hours of the day, in UTC");
	return 0;
}

/* ---- a model ------------------------------------------------------------------ */

/* Whether each model's members are known; what is not is kept. */
static int read_members(struct ai_offer *o, struct ai_value model,
			struct ai_err *err)
{
	static const char *const known[] = { "id", "prices", "deprecated",
		"name", "description", "price_comments", "prices_checked",
		"collapse", "price_discrepancies" };
	struct ai_value key, val;
	struct ai_json_iter it;
	struct ai_err why;
	bool found;

	ai_json_iter_init(&it, model);
	while (ai_json_next(&it, &key, &val)) {
		o->keys++;
		found = true;
		if (ai_json_is(key, AI_SPAN("context_window"))) {
			if (ai_offer_limit(val, &o->context, &why) < 0)
				return ai_err_set(err, AI_E_DATA,
						  "context_window: %s",
						  why.msg);
		} else if (ai_json_is(key, AI_SPAN("match"))) {
			o->match = val;
		} else {
			found = false;
			for (size_t i = 0; i < sizeof known / sizeof *known;
			     i++)
				found |= ai_json_is(key,
						    ai_span_of(known[i]));
		}
		if (!found)
			ai_offer_keep(o, key, val);
	}
	return ai_buf_check(&o->other, "what is not known of it", err);
}

struct genai {
	ai_offer_fn *each;
	void *arg;
	struct ai_offer *o;
	struct ai_span provider;
	struct ai_value owner; /* the provider, until its keys were counted */
	bool first; /* of its prices: the keys of the model count once */
};

/* What nobody knows of a provider is kept with its first model. */
static void read_provider(struct ai_offer *o, struct ai_value provider)
{
	static const char *const known[] = { "id", "name", "description",
		"pricing_urls", "api_pattern", "provider_match", "model_match",
		"extractors", "fallback_model_providers", "models" };
	struct ai_value key, val;
	struct ai_json_iter it;
	bool found;

	ai_json_iter_init(&it, provider);
	while (provider.kind == AI_OBJECT && ai_json_next(&it, &key, &val)) {
		o->keys++;
		found = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			found |= ai_json_is(key, ai_span_of(known[i]));
		if (!found)
			ai_offer_keep(o, key, val);
	}
}

static int begin(struct genai *g, struct ai_value model, struct ai_err *err)
{
	struct ai_offer *o = g->o;

	ai_offer_init(o);
	if (ai_offer_name(o, g->provider, ai_json_inside(ai_json_member(
		model, AI_SPAN("id"))), err) < 0 ||
	    read_members(o, model, err) < 0)
		return -1;
	if (!g->first)
		o->keys = 0;
	else
		read_provider(o, g->owner);
	g->first = false;
	g->owner.kind = AI_NONE;
	return ai_buf_check(&o->other, "what is not known of it", err);
}

static int tell(struct genai *g, int rc, const struct ai_err *why)
{
	if (rc < 0 && g->o->name[0] == '\0')
		snprintf(g->o->name, sizeof g->o->name, "%.*s/?",
			 (int)ai_utf8_floor(g->provider.p, g->provider.n, 99),
			 g->provider.p);
	g->o->chat = g->o->given.rate[AI_TIER_STANDARD][0][AI_UNIT_OUTPUT] !=
		AI_NO_RATE;
	return g->each(g->arg, g->o, rc < 0 ? why : NULL);
}

/* A list: what holds for some hours goes with what holds for the others. */
static int read_list(struct genai *g, struct ai_value model,
		     struct ai_value list)
{
	struct ai_value one, when, first = ai_json_get(list, "0.prices");
	struct ai_json_iter it;
	struct ai_err why;
	bool dated = false, hourly = false;
	int rc = 0, told;

	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &one)) {
		when = ai_json_member(one, AI_SPAN("constraint"));
		dated |= ai_json_member(when, AI_SPAN("start_date")).kind !=
			AI_NONE;
		hourly |= ai_json_member(when, AI_SPAN("start_time")).kind !=
			AI_NONE;
	}
	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &one)) {
		when = ai_json_member(one, AI_SPAN("constraint"));
		if (hourly && when.kind == AI_NONE)
			continue;
		told = begin(g, model, &why);
		g->o->past = dated && when.kind == AI_NONE;
		if (told == 0 && when.kind != AI_NONE)
			told = read_constraint(g->o, when, &why);
		if (told == 0 && g->o->from >= 0) {
			ai_price_clear(&g->o->hours);
			told = read_prices(g->o, &g->o->hours, ai_json_member(
				one, AI_SPAN("prices")), &why);
			one.kind = AI_NONE;
		}
		if (told == 0)
			told = read_prices(g->o, &g->o->given,
				one.kind == AI_NONE ? first : ai_json_member(
					one, AI_SPAN("prices")), &why);
		rc = tell(g, told, &why);
	}
	return rc;
}

static int read_model(struct genai *g, struct ai_value model)
{
	struct ai_value v = ai_json_member(model, AI_SPAN("prices"));
	struct ai_err why;
	int rc;

	g->first = true;
	g->o->name[0] = '\0';
	if (v.kind == AI_ARRAY)
		return read_list(g, model, v);
	rc = begin(g, model, &why);
	if (rc == 0 && v.kind != AI_NONE)
		rc = read_prices(g->o, &g->o->given, v, &why);
	return tell(g, rc, &why);
}

int ai_table_genai(struct ai_value v, ai_offer_fn *each, void *arg,
		   struct ai_err *err)
{
	struct genai g = { .each = each, .arg = arg,
			   .o = calloc(1, sizeof *g.o) };
	struct ai_value provider, model, models;
	struct ai_json_iter it, in;
	int rc = 0;

	if (g.o == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&g.o->other, 1 << 16);
	ai_json_iter_init(&it, v);
	while (rc == 0 && ai_json_next(&it, NULL, &provider)) {
		g.provider = ai_json_inside(ai_json_member(provider, AI_SPAN("id")));
		models = ai_json_member(provider, AI_SPAN("models"));
		if (g.provider.n == 0 || models.kind != AI_ARRAY) {
			rc = ai_err_set(err, AI_E_DATA, "a provider has no id "
					"or no list of models");
			break;
		}
		g.owner = provider;
		ai_json_iter_init(&in, models);
		while (rc == 0 && ai_json_next(&in, NULL, &model))
			rc = read_model(&g, model);
	}
	ai_buf_release(&g.o->other);
	free(g.o);
	return rc;
}
