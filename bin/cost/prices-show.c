/* prices-show.c: what models cost, and since when. */
#include "prices.h"

#include "base/msg.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/loop.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rates ------------------------------------------------------------------------ */

static void rate_text(int unit, int64_t rate, char out[AI_MONEY_TEXT])
{
	if (unit < AI_UNITS_TOKENS)
		ai_rate_text_million(rate, out);
	else
		ai_rate_text(rate, out);
}

/* Whether a rate says something: not that of its kin, nor that a fee which
 * nobody asks is nothing. */
static bool tells(const struct ai_price *p, const int64_t *row, int unit)
{
	int kin = ai_unit_kin((enum ai_unit)unit);

	if (row[unit] == AI_NO_RATE)
		return false;
	if (kin >= 0)
		return row[unit] != row[kin];
	return row[unit] != 0 || (p->said & UINT64_C(1) << unit) != 0;
}

typedef void rate_fn(struct cost_out *o, const char *tier, int64_t above,
		     const char *unit, const char *rate);

static void put_member(struct cost_out *o, const char *tier, int64_t above,
		       const char *unit, const char *rate)
{
	(void)tier;
	(void)above;
	ai_put_key(&o->line, unit);
	ai_put_raw(&o->line, rate, strlen(rate));
}

static void put_row(struct cost_out *o, const char *tier, int64_t above,
		    const char *unit, const char *rate)
{
	char band[24] = "";

	if (above > 0)
		snprintf(band, sizeof band, ">%lld", (long long)above);
	ai_buf_fmt(&o->line, "  %-9s %9s  %-24s %14s", tier, band, unit, rate);
	cost_put(o);
}

static void each_rate(struct cost_out *o, const struct ai_price *p, int tier,
		      int band, rate_fn *put)
{
	const int64_t *row = p->rate[tier][band];
	char text[AI_MONEY_TEXT];

	for (int u = 0; u < AI_UNITS; u++) {
		if (!tells(p, row, u) || (u >= AI_UNITS_TOKENS && tier != 0))
			continue;
		rate_text(u, row[u], text);
		put(o, ai_tier_name((enum ai_tier)tier), p->above[band],
		    ai_unit_name((enum ai_unit)u), text);
	}
}

/* A tier that costs what the standard tier does says nothing. */
static bool differs(const struct ai_price *p, int tier)
{
	return tier == AI_TIER_STANDARD || ((p->tiers & 1u << tier) &&
		memcmp(p->rate[tier], p->rate[AI_TIER_STANDARD],
		       (size_t)p->bands * sizeof p->rate[tier][0]) != 0);
}

static void put_tiers(struct cost_out *o, const struct ai_price *p)
{
	for (int t = 0; t < AI_TIERS; t++) {
		if (!differs(p, t))
			continue;
		ai_put_key(&o->line, ai_tier_name((enum ai_tier)t));
		ai_put_open(&o->line, '[');
		for (int b = 0; b < p->bands; b++) {
			ai_put_open(&o->line, '{');
			cost_put_int(&o->line, p->by_results ? "above_results"
				     : "above_tokens", p->above[b]);
			each_rate(o, p, t, b, put_member);
			ai_put_close(&o->line, '}');
		}
		ai_put_close(&o->line, ']');
	}
}

static void put_factors(struct cost_out *o, const struct ai_price *p)
{
	static const char *const names[] = { "us", "eu", "fast" };
	const int64_t factors[] = { p->us, p->eu, p->fast };
	char text[AI_MONEY_TEXT];

	for (size_t i = 0; i < 3; i++) {
		if (factors[i] == 0)
			continue;
		ai_rate_text_million(factors[i] * 1000, text);
		if (o->table)
			put_row(o, "times", 0, names[i], text);
		else
			put_member(o, "", 0, names[i], text);
	}
}

/* ---- show --------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[AI_PRICE_UNKNOWN] = "unknown", [AI_PRICE_FREE] = "free",
	[AI_PRICE_KNOWN] = "known",
};

/* All days of a model, oldest first, as they were imported. */
static void put_history(struct cost_out *o, const struct ai_catalog *c,
			struct ai_span name)
{
	const struct ai_history *h = ai_catalog_history(c);
	struct ai_span line = ai_history_first(h, name);
	char in[AI_MONEY_TEXT], out[AI_MONEY_TEXT];
	const int64_t *row;
	struct ai_model m;

	for (; line.p != NULL && ai_span_eq(ai_history_name(line), name);
	     line = ai_history_next(h, line)) {
		if (ai_history_read(line, (struct ai_span){ "", 0 }, &m,
				    NULL) < 0 ||
		    m.price.kind == AI_PRICE_UNKNOWN)
			continue;
		row = m.price.rate[AI_TIER_STANDARD][0];
		rate_text(AI_UNIT_INPUT, row[AI_UNIT_INPUT], in);
		rate_text(AI_UNIT_OUTPUT, row[AI_UNIT_OUTPUT], out);
		if (o->table) {
			ai_buf_fmt(&o->line, "  since %s  input %s, output %s "
				   "(%s)", m.price.date, in, out,
				   m.price.source);
			cost_put(o);
			continue;
		}
		ai_put_open(&o->line, '{');
		cost_put_text(&o->line, "date", m.price.date);
		cost_put_text(&o->line, "source", m.price.source);
		put_member(o, "", 0, "input",
			   row[AI_UNIT_INPUT] < 0 ? "null" : in);
		put_member(o, "", 0, "output",
			   row[AI_UNIT_OUTPUT] < 0 ? "null" : out);
		ai_put_close(&o->line, '}');
	}
}

static void show_table(struct cost_out *o, const struct ai_catalog *c,
		       const struct ai_model *m, struct ai_span name)
{
	ai_buf_fmt(&o->line, "%s: %s, dollars a million tokens or a piece",
		   m->name, kinds[m->price.kind]);
	cost_put(o);
	ai_buf_fmt(&o->line, "  from %s, since %s", m->price.source[0] != '\0'
		   ? m->price.source : "-", m->price.date[0] != '\0'
		   ? m->price.date : "-");
	cost_put(o);
	for (int t = 0; m->price.kind == AI_PRICE_KNOWN && t < AI_TIERS; t++)
		for (int b = 0; differs(&m->price, t) && b < m->price.bands;
		     b++)
			each_rate(o, &m->price, t, b, put_row);
	put_factors(o, &m->price);
	put_history(o, c, name);
}

static void show_json(struct cost_out *o, const struct ai_catalog *c,
		      const struct ai_model *m, struct ai_span name)
{
	struct ai_buf *b = &o->line;

	ai_put_open(b, '{');
	cost_put_text(b, "model", m->name);
	cost_put_text(b, "provider", m->provider);
	cost_put_text(b, "price", kinds[m->price.kind]);
	cost_put_text(b, "source", m->price.source[0] != '\0'
		      ? m->price.source : NULL);
	cost_put_text(b, "date", m->price.date[0] != '\0' ? m->price.date
							   : NULL);
	ai_put_key(b, "rates");
	ai_put_open(b, '{');
	if (m->price.kind == AI_PRICE_KNOWN) {
		put_tiers(o, &m->price);
		put_factors(o, &m->price);
	}
	ai_put_close(b, '}');
	ai_put_key(b, "history");
	ai_put_open(b, '[');
	put_history(o, c, name);
	ai_put_close(b, ']');
	ai_put_close(b, '}');
	cost_put(o);
}

int cost_prices_show(int argc, char **argv, struct ai_err *err)
{
	struct ai_history_hit hit;
	struct ai_span typed, name;
	const struct ai_catalog *c;
	struct cost_out o;
	struct ai_model m;
	int rc;

	if (cost_operands(argc, 1, "prices show MODEL [--date DAY]", err) < 0 ||
	    (ai_paid.date != NULL &&
	     ai_catalog_check_when(ai_paid.date, err) < 0) ||
	    ai_catalog_shared(&c, err) < 0)
		return -1;
	typed = ai_span_of(argv[0]);
	cost_begin(&o, ai_loop.plain_out);
	rc = ai_catalog_find(c, typed, ai_paid.date, &m, err);
	if (rc == 0) {
		name = ai_history_search(ai_catalog_history(c), &typed, 1,
					 AI_RANK_SNAPSHOT, &hit)
			? ai_history_name(hit.first) : ai_span_of(m.name);
		(o.table ? show_table : show_json)(&o, c, &m, name);
	}
	return cost_end(&o, rc, err);
}

/* ---- list --------------------------------------------------------------------------- */

struct list {
	const struct ai_catalog *c;
	struct cost_out *o;
	const char *pattern; /* NULL: all */
	bool found;
};

/* A pattern with stars is for the whole name, with its provider or without; a
 * word for any part of it. */
static bool is_wanted(const char *name, const char *pattern)
{
	const char *bare = strchr(name, '/');

	if (pattern == NULL)
		return true;
	if (strpbrk(pattern, "*?[") == NULL)
		return strcasestr(name, pattern) != NULL;
	return fnmatch(pattern, name, FNM_CASEFOLD) == 0 ||
		(bare != NULL && fnmatch(pattern, bare + 1, FNM_CASEFOLD) == 0);
}

static void list_table(struct cost_out *o, const struct ai_model *m)
{
	const int64_t *row = m->price.rate[AI_TIER_STANDARD][0];
	char in[AI_MONEY_TEXT] = "-", out[AI_MONEY_TEXT] = "-";
	bool known = m->price.kind != AI_PRICE_UNKNOWN;

	if (known && row[AI_UNIT_INPUT] >= 0)
		ai_rate_text_million(row[AI_UNIT_INPUT], in);
	if (known && row[AI_UNIT_OUTPUT] >= 0)
		ai_rate_text_million(row[AI_UNIT_OUTPUT], out);
	ai_buf_fmt(&o->line, "%-56s %10s %10s %-10s %s", m->name, in, out,
		   m->price.date[0] != '\0' ? m->price.date : "-",
		   m->price.source);
}

static void list_json(struct cost_out *o, const struct ai_model *m)
{
	ai_put_open(&o->line, '{');
	cost_put_text(&o->line, "model", m->name);
	cost_put_text(&o->line, "price", kinds[m->price.kind]);
	if (m->price.kind == AI_PRICE_KNOWN)
		each_rate(o, &m->price, AI_TIER_STANDARD, 0, put_member);
	cost_put_text(&o->line, "source", m->price.source[0] != '\0'
		      ? m->price.source : NULL);
	cost_put_text(&o->line, "date", m->price.date[0] != '\0'
		      ? m->price.date : NULL);
	ai_put_close(&o->line, '}');
}

static int list_one(void *arg, struct ai_span span)
{
	struct list *l = arg;
	char name[AI_CATALOG_NAME];
	struct ai_model m;

	snprintf(name, sizeof name, "%.*s", span.n >= sizeof name
		 ? (int)sizeof name - 1 : (int)span.n, span.p);
	if (!is_wanted(name, l->pattern) ||
	    ai_catalog_find(l->c, span, ai_paid.date, &m, NULL) < 0)
		return 0;
	l->found = true;
	if (l->o->table)
		list_table(l->o, &m);
	else
		list_json(l->o, &m);
	return cost_put(l->o);
}

static void no_match(const struct ai_catalog *c, const char *pattern)
{
	char near[AI_CATALOG_NAME];
	bool found = ai_catalog_nearest(c, ai_span_of(pattern), near,
					sizeof near);

	ai_msg(AI_MSG_WARN, found ? "no model is like '%.100s'; did you mean "
	       "'%s'?" : "no model is like '%.100s'%s", pattern,
	       found ? near : "");
}

int cost_prices_list(int argc, char **argv, struct ai_err *err)
{
	const struct ai_catalog *c;
	struct cost_out o;
	struct list l = { .o = &o, .pattern = argc > 0 ? argv[0] : NULL };

	if (argc > 1)
		return cost_operands(argc, 1, "prices list [PATTERN]", err);
	if ((ai_paid.date != NULL &&
	     ai_catalog_check_when(ai_paid.date, err) < 0) ||
	    ai_catalog_shared(&c, err) < 0)
		return -1;
	cost_begin(&o, ai_loop.plain_out);
	if (o.table) {
		ai_buf_fmt(&o.line, "%-56s %10s %10s %-10s %s", "model",
			   "input", "output", "since", "source");
		cost_put(&o);
	}
	l.c = c;
	ai_catalog_each(c, list_one, &l);
	if (!l.found && l.pattern != NULL)
		no_match(c, l.pattern);
	return cost_end(&o, 0, err);
}
