/*
 * What a provider says was used, what a catalog or a user says it costs: no
 * bytes break them, and no bill passes its worst case. The first byte says
 * what the rest is: a to h a usage object in that shape, u in our own, p a
 * price of a catalog, t the text of --price, m an amount, c a catalog.
 * fuzz: lib/common/model/usage.c lib/common/model/bill.c
 * fuzz: lib/common/model/price.c lib/common/model/catalog.c
 * fuzz: lib/common/model/price-history.c lib/common/model/price-table.c
 * fuzz: lib/common/model/price-litellm.c lib/common/model/price-genai.c
 * fuzz: lib/common/model/price-put.c
 */
#include "model/bill.h"
#include "model/catalog.h"
#include "fuzz.h"

#include <string.h>

static const char rates[] =
	"{\"input\":\"2.5\",\"cached\":\"0.25\",\"cache_write_1h\":\"5\","
	"\"output\":\"10\",\"audio_input\":\"40\",\"us\":\"1.1\","
	"\"fast\":\"6\",\"search\":\"0.01\",\"above\":[{\"tokens\":200,"
	"\"input\":\"5\",\"output\":\"15\"}],\"batch\":{\"input\":\"1.25\","
	"\"output\":\"5\"}}";

static int64_t sum(const int64_t *n, int from, int to)
{
	int64_t s = 0;

	for (; from < to; from++)
		s += n[from];
	return s;
}

/* Every bill is within the worst case of what it is for. */
static void compare(const struct ai_price *p, const struct ai_meter *m)
{
	struct ai_err err;
	struct ai_ask ask = { .may = AI_MAY_ALL };
	int64_t nano = -1, worst = -1;

	ask.input = sum(m->n, 0, AI_UNITS_IN);
	ask.output = sum(m->n, AI_UNITS_IN, AI_UNITS_TOKENS);
	ask.searches = m->n[AI_UNIT_SEARCH];
	for (int t = 0; t < AI_TIERS; t++) {
		ask.tier = m->tier >= 0 ? (enum ai_tier)m->tier
					: (enum ai_tier)t;
		if (ai_bill(p, m, (enum ai_tier)t, &nano, &err) < 0) {
			must(err.code == AI_E_CONFIG ||
			     err.code == AI_E_ANSWER);
			continue;
		}
		must(nano >= 0);
		if (m->reported < 0 &&
		    ai_bill_worst(p, &ask, &worst, &err) == 0)
			must(nano <= worst);
	}
}

static void try_usage(int shape, const char *p, size_t n)
{
	static struct ai_price price;
	struct ai_value v;
	struct ai_meter m;
	struct ai_err err;

	if (price.bands == 0) {
		must(ai_json_check(rates, sizeof rates - 1, &v, &err) == 0);
		must(ai_price_read(v, &price, &err) == 0);
	}
	if (ai_json_check(p, n, &v, &err) < 0)
		return;
	if (ai_meter_read((enum ai_shape)shape, v, &m, &err) < 0) {
		must(err.code == AI_E_ANSWER && err.msg[0] != '\0');
		return;
	}
	for (int u = 0; u < AI_UNITS; u++)
		must(m.n[u] >= 0);
	must(shape == AI_SHAPE_UNITS || m.n[AI_UNIT_REQUEST] == 1);
	must(m.reported >= -1);
	if (shape != AI_SHAPE_UNITS)
		compare(&price, &m);
}

static void use(const struct ai_price *p)
{
	struct ai_meter m = { .reported = -1, .tier = -1 };
	struct ai_err err;
	int64_t nano;

	must(p->bands >= 1 && p->bands <= AI_BANDS);
	for (int t = 0; t < AI_TIERS; t++)
		for (int b = 0; b < p->bands; b++)
			for (int u = 0; u < AI_UNITS; u++)
				must(p->kind == AI_PRICE_UNKNOWN ||
				     p->rate[t][b][u] >= AI_NO_RATE);
	for (int u = 0; u < AI_UNITS; u++)
		m.n[u] = 1000 * u + 1;
	if (ai_bill(p, &m, AI_TIER_STANDARD, &nano, &err) < 0)
		must(err.code == AI_E_CONFIG || err.code == AI_E_ANSWER);
	/* The worst case knows of what a request of ours can do. */
	for (int u = AI_UNIT_SEARCH + 1; u < AI_UNITS; u++)
		m.n[u] = u == AI_UNIT_REQUEST;
	compare(p, &m);
	m.us = m.fast = true;
	compare(p, &m);
}

static void try_price(const char *p, size_t n)
{
	struct ai_price price;
	struct ai_value v;
	struct ai_err err;

	if (ai_json_check(p, n, &v, &err) < 0)
		return;
	if (ai_price_read(v, &price, &err) < 0)
		must(err.code == AI_E_CONFIG);
	else
		use(&price);
}

static void try_text(const char *p, size_t n)
{
	struct ai_price price;
	struct ai_err err;

	if (ai_price_parse((struct ai_span){ p, n }, &price, &err) < 0)
		must(err.code == AI_E_USAGE);
	else
		use(&price);
}

static void try_money(const char *p, size_t n)
{
	struct ai_span s = { p, n };
	char text[AI_MONEY_TEXT];
	int64_t nano, up = -1;
	struct ai_err err;

	if (ai_money_parse_up(s, &up, &err) < 0)
		must(ai_money_parse(s, &nano, &err) < 0);
	if (ai_money_parse(s, &nano, &err) < 0)
		return;
	must(nano >= 0 && up == nano);
	ai_money_text(nano, text);
	must(ai_money_parse(ai_span_of(text), &up, &err) == 0 && up == nano);
	ai_money_show(nano, text);
	must(text[0] == '$' && strchr(text, '.') != NULL);
	if (ai_rate_parse_million(s, &nano, &err) == 0) {
		ai_rate_text_million(nano, text);
		must(ai_rate_parse_million(ai_span_of(text), &up, &err) == 0);
		must(up == nano);
	}
}

static int find(void *arg, struct ai_span name)
{
	struct ai_catalog *c = arg;
	struct ai_model m;
	struct ai_err err;

	if (ai_catalog_find(c, name, NULL, &m, &err) < 0)
		must(err.code == AI_E_CONFIG);
	else
		use(&m.price);
	return 0;
}

static void try_catalog(const char *p, size_t n)
{
	static const char *const typed[] = { "a/b", "b", "b-latest", "", "/",
					     "a/b-v1:0", "x/y@20250101" };
	struct ai_catalog *c = NULL;
	struct ai_span text = { p, n };
	struct ai_err err;

	/* As the installed table and as the user's own. */
	if (ai_catalog_open_text(&c, text, text, AI_SPAN(""), &err) < 0) {
		must(err.code == AI_E_CONFIG && c == NULL);
		return;
	}
	for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
		find(c, ai_span_of(typed[i]));
	ai_catalog_each(c, find, c);
	ai_catalog_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p;

	if (size < 2)
		return 0;
	p = (const char *)data + 1;
	size--;
	switch (data[0]) {
	case 'p':
		try_price(p, size);
		break;
	case 't':
		try_text(p, size);
		break;
	case 'm':
		try_money(p, size);
		break;
	case 'u':
		try_usage(AI_SHAPE_UNITS, p, size);
		break;
	case 'c':
		try_catalog(p, size);
		break;
	default:
		try_usage((data[0] - 'a') & 7, p, size);
	}
	return 0;
}
