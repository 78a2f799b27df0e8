/*
 * ai-prices: bills, for tests. A line of JSON in, an amount out: whole
 * nano-dollars, or the code of the error.
 *
 *	{"model":NAME | "price":ENTRY | "text":"IN,OUT",
 *	 "tier":NAME, "shape":NAME, "usage":OBJECT}          a bill
 *	{..., "tier":NAME, "worst":{"input":N,"output":N,"searches":N,"may":N}}
 */
#include "base/buf.h"
#include "model/bill.h"
#include "model/catalog.h"
#include "model/price-history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ai_catalog *catalog;

static struct ai_value get(struct ai_value line, const char *path)
{
	return ai_json_get(line, path);
}

static struct ai_span text(struct ai_value v)
{
	if (v.kind != AI_STRING)
		return AI_SPAN("");
	return (struct ai_span){ v.s.p + 1, v.s.n - 2 };
}

static int64_t number(struct ai_value v)
{
	int64_t n = 0;

	ai_json_i64(v, &n);
	return n;
}

/* As the file of prices has it, whatever the catalog says of the name. */
static int imported(struct ai_value line, struct ai_price *p,
		    struct ai_err *err)
{
	const struct ai_history *h = ai_catalog_history(catalog);
	struct ai_span when = text(get(line, "when")),
		first = ai_history_first(h, text(get(line, "imported")));
	static struct ai_model m;

	if (first.p == NULL)
		return ai_err_set(err, AI_E_DATA, "it was not imported");
	if (ai_history_read(ai_history_at(h, first, when), when, &m, err) < 0)
		return -1;
	*p = m.price;
	return 0;
}

static int price_of(struct ai_value line, struct ai_price *p,
		    struct ai_err *err)
{
	static struct ai_model last;
	struct ai_span name = text(get(line, "model"));

	if (get(line, "imported").kind != AI_NONE)
		return imported(line, p, err);
	if (get(line, "text").kind != AI_NONE)
		return ai_price_parse(text(get(line, "text")), p, err);
	if (get(line, "price").kind != AI_NONE)
		return ai_price_read(get(line, "price"), p, err);
	if (!ai_span_is(name, last.name) &&
	    ai_catalog_find(catalog, name, NULL, &last, err) < 0)
		return -1;
	*p = last.price;
	return 0;
}

static int bill(struct ai_value line, int64_t *nano, struct ai_err *err)
{
	int tier = ai_tier_of(text(get(line, "tier")));
	struct ai_value w = get(line, "worst");
	struct ai_price p;
	struct ai_meter m;

	if (price_of(line, &p, err) < 0)
		return -1;
	if (w.kind == AI_OBJECT) {
		struct ai_ask ask = {
			number(get(w, "input")), number(get(w, "output")),
			number(get(w, "searches")), (enum ai_tier)tier,
			(unsigned)number(get(w, "may")),
		};

		return ai_bill_worst(&p, &ask, nano, err);
	}
	if (ai_meter_read((enum ai_shape)ai_shape_of(text(get(line, "shape"))),
			  get(line, "usage"), &m, err) < 0)
		return -1;
	return ai_bill(&p, &m, (enum ai_tier)tier, nano, err);
}

static void answer(const char *p, size_t n)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_value line;
	int64_t nano;

	if (ai_json_check(p, n, &line, &err) < 0 ||
	    bill(line, &nano, &err) < 0)
		printf("%s: %s\n", ai_code_name(err.code), err.msg);
	else
		printf("%" PRId64 "\n", nano);
}

int main(int argc, char **argv)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (argc != 1) {
		fputs("usage: ai-prices <LINES\n", stderr);
		return 64;
	}
	(void)argv;
	if (ai_catalog_open(&catalog, NULL, &err) < 0) {
		fprintf(stderr, "ai-prices: %s\n", err.msg);
		return 78;
	}
	while ((n = getline(&line, &size, stdin)) > 0)
		answer(line, (size_t)n);
	free(line);
	ai_catalog_free(catalog);
	return fflush(stdout) != 0;
}
