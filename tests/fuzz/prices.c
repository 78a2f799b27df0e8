/*
 * Tables of prices that others made, and the file of those that were imported:
 * no bytes break them. The first byte says what the rest is: t a table, h a
 * file. What a table becomes can be read, line by line and by name; it is
 * sorted; and to import the table again changes nothing.
 * fuzz: lib/common/model/price-table.c lib/common/model/price-litellm.c
 * fuzz: lib/common/model/price-genai.c lib/common/model/price-put.c
 * fuzz: lib/common/model/price-import.c lib/common/model/price-judge.c
 * fuzz: lib/common/model/price-history.c lib/common/model/price.c
 * fuzz: lib/common/model/bill.c lib/common/model/catalog.c
 */
#include "model/bill.h"
#include "model/price-import.h"
#include "fuzz.h"

#include <string.h>

#define DAY "2026-08-01"

static struct ai_opt_list everything = { (const char *[]){ "*" }, 1 };

/* What it costs is a number, or there is a reason why not. */
static void use(const struct ai_model *m)
{
	struct ai_meter meter = { .reported = -1, .tier = -1 };
	struct ai_err err;
	int64_t nano;

	for (int u = 0; u < AI_UNITS; u++) {
		memset(meter.n, 0, sizeof meter.n);
		meter.n[u] = 1000;
		if (ai_bill(&m->price, &meter, AI_TIER_BATCH, &nano, &err) < 0)
			must(err.code == AI_E_CONFIG ||
			     err.code == AI_E_ANSWER);
		else
			must(nano >= 0);
	}
}

static void check_line(const struct ai_history *h, struct ai_span line,
		       struct ai_span last)
{
	struct ai_span name = ai_history_name(line), first;
	struct ai_history_hit hit;
	struct ai_model m;
	struct ai_err err;

	must(name.n > 0);
	must(last.n == 0 || ai_history_compare(last, line) < 0);
	first = ai_history_first(h, name);
	must(first.p != NULL && first.p <= line.p);
	if (ai_history_is(line).n > 0)
		return;
	must(ai_history_search(h, &name, 1, AI_RANK_SNAPSHOT, &hit));
	must(ai_history_at(h, first, ai_history_date(line)).p == line.p);
	must(ai_history_read(line, AI_SPAN(DAY), &m, &err) == 0);
	must(m.price.kind == AI_PRICE_KNOWN);
	use(&m);
}

static void check_all(const struct ai_history *h)
{
	struct ai_span line = { NULL, 0 }, last = { "", 0 };

	while ((line = ai_history_next(h, line)).p != NULL) {
		check_line(h, line, last);
		last = line;
	}
}

/* Imports into old; what the file becomes is in out. */
static void import(struct ai_span table, const struct ai_history *old,
		   bool again, struct ai_buf *out)
{
	const struct ai_import_counts *c;
	struct ai_import *i;
	struct ai_err err;

	must(ai_import_new(&i, DAY, &err) == 0);
	if (ai_import_read(i, table, &err) < 0) {
		must(err.code == AI_E_DATA && err.msg[0] != '\0' && !again);
		ai_import_free(i);
		return;
	}
	must(ai_import_judge(i, old, &everything, &err) == 0);
	must(ai_import_merge(i, old, out, &err) == 0);
	c = ai_import_counts(i);
	must(c->unknown <= c->keys && c->state[AI_ITEM_REFUSED] == 0);
	if (again)
		must(c->state[AI_ITEM_NEW] == 0 &&
		     c->state[AI_ITEM_CHANGED] == 0);
	ai_import_free(i);
}

static void try_table(struct ai_span table)
{
	struct ai_buf once = AI_BUF_INIT(1 << 24), twice = AI_BUF_INIT(1 << 24);
	struct ai_history none = { "", 0, NULL, 0 }, h;
	struct ai_err err;

	import(table, &none, false, &once);
	if (once.len > 0) {
		must(ai_history_open_text(&h, (struct ai_span){ once.p,
				once.len }, &err) == 0);
		check_all(&h);
		import(table, &h, true, &twice);
		must(twice.len == once.len &&
		     memcmp(twice.p, once.p, once.len) == 0);
	}
	ai_buf_release(&once);
	ai_buf_release(&twice);
}

static void try_file(struct ai_span text)
{
	static const char *const typed[] = { "gpt", "a/b", "a/gpt-latest",
					     "openai/x", "", "/" };
	struct ai_buf b = AI_BUF_INIT(1 << 24);
	struct ai_span line = { NULL, 0 };
	struct ai_history_hit hit;
	struct ai_history h;
	struct ai_model m;
	struct ai_err err;

	ai_buf_str(&b, AI_HISTORY_HEAD);
	ai_buf_add(&b, text.p, text.n);
	must(ai_history_open_text(&h, (struct ai_span){ b.p, b.len },
				  &err) == 0);
	while ((line = ai_history_next(&h, line)).p != NULL) {
		struct ai_span name = ai_history_name(line);

		if (ai_history_read(line, AI_SPAN(DAY "T12:00"), &m,
				    &err) < 0)
			must(err.code == AI_E_CONFIG);
		else
			use(&m);
		if (name.n > 0)
			ai_history_search(&h, &name, 1, 1000, &hit);
	}
	for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
		struct ai_span name = ai_span_of(typed[i]);

		if (ai_history_search(&h, &name, 1, 1000, &hit))
			must(hit.first.p != NULL);
	}
	ai_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_span rest = { (const char *)data + 1, size - 1 };

	if (size < 2 || size > 65536)
		return 0;
	if (data[0] == 't')
		try_table(rest);
	else
		try_file(rest);
	return 0;
}
