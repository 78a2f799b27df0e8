/* model/catalog: the installed table holds together, and names find their
 * models by the documented rules. */
#include "base/buf.h"
#include "model/catalog.h"
#include "model/price-history.h"
#include "record/schema.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ai_err err;

static bool slurp(const char *name, struct ai_buf *b)
{
	const char *dir = getenv("SRCDIR");
	struct ai_buf path = AI_BUF_INIT(4096);
	char part[4096];
	size_t n;
	FILE *f;

	ai_buf_fmt(&path, "%s/data/%s", dir != NULL ? dir : ".", name);
	f = fopen(ai_buf_cstr(&path), "rb");
	ai_buf_release(&path);
	if (f == NULL)
		return false;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		ai_buf_add(b, part, n);
	fclose(f);
	return b->len > 0;
}

static void test_schema(const struct ai_buf *table)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20);
	struct ai_schema *schema = NULL;
	static const char wrong[] = "{\"version\":1,\"models\":{\"a/b\":{"
		"\"price\":{\"input\":\"1\",\"ouput\":\"2\"},"
		"\"source\":\"x\",\"date\":\"2026-01-01\"}}}";

	if (!ok(slurp("schema/catalog.json", &text), "the schema is there"))
		return;
	if (!ok(ai_schema_new(&schema, text.p, text.len, &err) == 0,
		"the schema is one: %s", err.msg))
		return;
	err.msg[0] = '\0';
	ok(ai_schema_check(schema, table->p, table->len, &err) == 0,
	   "the catalog follows it: %s", err.msg);
	ok(ai_schema_check(schema, wrong, sizeof wrong - 1, &err) < 0,
	   "a wrong one does not: %s", err.msg);
	ai_schema_free(schema);
	ai_buf_release(&text);
}

/* Every entry can be used, and by no name of another. */
struct all {
	const struct ai_catalog *c;
	unsigned n, bad, priced;
};

static int sane(const struct ai_model *m)
{
	const int64_t *r = m->price.rate[0][0];

	if (m->price.kind != AI_PRICE_KNOWN)
		return m->price.kind == AI_PRICE_FREE;
	/* Cached input costs less than other input, an hour's cache more
	 * than one of 5 minutes, and no token costs a tenth of a cent. */
	return r[AI_UNIT_CACHED] <= r[AI_UNIT_INPUT] &&
		r[AI_UNIT_WRITE_1H] >= r[AI_UNIT_WRITE_5M] &&
		r[AI_UNIT_WRITE_5M] >= r[AI_UNIT_INPUT] &&
		r[AI_UNIT_INPUT] > 0 && r[AI_UNIT_INPUT] < 1000000000 &&
		r[AI_UNIT_OUTPUT] < 1000000000 &&
		(r[AI_UNIT_OUTPUT] > 0) == !(m->gives & AI_VECTOR) &&
		m->price.source[0] != '\0' && m->price.date[0] != '\0' &&
		m->max_output <= (m->context == 0 ? INT64_MAX : m->context);
}

static int check_entry(void *arg, struct ai_span name)
{
	struct all *a = arg;
	struct ai_model m;

	a->n++;
	err.msg[0] = '\0';
	if (ai_catalog_find(a->c, name, NULL, &m, &err) < 0 || !sane(&m) ||
	    !ai_span_is(name, m.name)) {
		printf("# %.*s: %s\n", (int)name.n, name.p, err.msg);
		a->bad++;
	}
	a->priced += m.price.kind == AI_PRICE_KNOWN;
	return 0;
}

/* An alias that two entries have, or that is one's name, finds another. */
static void test_aliases(const struct ai_catalog *c, struct ai_span table)
{
	struct ai_value key, entry, alias, whole;
	struct ai_json_iter it, al;
	struct ai_model m;
	unsigned n = 0, bad = 0;

	ai_json_check(table.p, table.n, &whole, &err);
	ai_json_iter_init(&it, ai_json_get(whole, "models"));
	while (ai_json_next(&it, &key, &entry)) {
		ai_json_iter_init(&al, ai_json_get(entry, "aliases"));
		for (; ai_json_next(&al, NULL, &alias); n++) {
			struct ai_span a = { alias.s.p + 1, alias.s.n - 2 };

			if (ai_catalog_find(c, a, NULL, &m, &err) == 0 &&
			    ai_json_is(key, ai_span_of(m.name)))
				continue;
			printf("# %.*s\n", (int)a.n, a.p);
			bad++;
		}
	}
	ok(n > 50 && bad == 0, "%u aliases find their own entry, %u do not",
	   n - bad, bad);
}

static void finds(const struct ai_catalog *c, const char *typed,
		  const char *name, const char *provider)
{
	struct ai_model m;

	err.msg[0] = '\0';
	if (ai_catalog_find(c, ai_span_of(typed), NULL, &m, &err) < 0)
		memset(&m, 0, sizeof m);
	ok(strcmp(m.name, name) == 0 && strcmp(m.provider, provider) == 0,
	   "%s is %s of %s (%s of %s)%s", typed, name, provider, m.name,
	   m.provider, err.msg);
}

static void misses(const struct ai_catalog *c, const char *typed,
		   const char *why)
{
	struct ai_model m;

	err.msg[0] = '\0';
	ok(ai_catalog_find(c, ai_span_of(typed), NULL, &m, &err) < 0 &&
	   err.code == AI_E_CONFIG && strstr(err.msg, why) != NULL,
	   "%s: %s", typed, err.msg);
}

static void test_names(const struct ai_catalog *c)
{
	finds(c, "gpt-4o", "openai/gpt-4o", "openai");
	finds(c, "openai/gpt-4o", "openai/gpt-4o", "openai");
	finds(c, "openai/gpt-4o-2024-08-06", "openai/gpt-4o", "openai");
	finds(c, "openai/gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13",
	      "openai");
	finds(c, "gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13", "openai");
	finds(c, "azure/gpt-4o", "openai/gpt-4o", "azure");
	finds(c, "gpt-4o-mini", "openai/gpt-4o-mini", "openai");
	finds(c, "azure/gpt-4o-mini-2024-07-18", "azure/gpt-4o-mini", "azure");
	finds(c, "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5",
	      "anthropic");
	finds(c, "vertex_ai/claude-sonnet-4-5@20250929",
	      "anthropic/claude-sonnet-4-5", "vertex_ai");
	finds(c, "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
	      "bedrock/us.anthropic.claude-haiku-4-5", "bedrock");
	finds(c, "bedrock/global.anthropic.claude-opus-4-6-v1",
	      "anthropic/claude-opus-4-6", "bedrock");
	finds(c, "bedrock/amazon.nova-pro-v1:0", "bedrock/us.amazon.nova-pro",
	      "bedrock");
	finds(c, "mistral-large-latest", "mistral/mistral-large-2512",
	      "mistral");
	finds(c, "gemini-2.5-pro", "gemini/gemini-2.5-pro", "gemini");
	finds(c, "groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b",
	      "groq");
	finds(c, "local/extract", "local/extract", "local");
	finds(c, "ollama/llama3.2:3b", "ollama/llama3.2:3b", "ollama");
	finds(c, "text-embedding-3-small", "openai/text-embedding-3-small",
	      "openai");
	/* Snapshots of four digits: only those that are known. */
	finds(c, "gpt-4-0613", "openai/gpt-4", "openai");
	finds(c, "openai/gpt-4-0314", "openai/gpt-4", "openai");
	finds(c, "gpt-4-1106-preview", "openai/gpt-4-turbo", "openai");
	finds(c, "gpt-4-0125-preview", "openai/gpt-4-turbo", "openai");
	finds(c, "gpt-3.5-turbo-0125", "openai/gpt-3.5-turbo", "openai");
	finds(c, "gpt-3.5-turbo-1106", "openai/gpt-3.5-turbo-1106", "openai");
	misses(c, "gpt-3.5-turbo-0613", "did you mean");
	misses(c, "mistral-large-2411", "did you mean");
	finds(c, "gemini-2.0-flash", "gemini/gemini-2.0-flash", "gemini");
	finds(c, "gemini-2.0-flash-001", "gemini/gemini-2.0-flash", "gemini");
	misses(c, "gpt-oss-120b", "several");
	misses(c, "gtp-4o", "did you mean 'gpt-4o'?");
	misses(c, "openai/gpt-5-mni", "did you mean 'openai/gpt-5-mini'?");
	misses(c, "nothing-like-it-at-all", "--price");
	misses(c, "ft:gpt-4o-2024-08-06:org::id", "--price");
	misses(c, "", "--price");
	misses(c, "/", "--price");
	misses(c, "-latest", "");
	misses(c, "local/", "");
	misses(c, "openai/gpt-4o-2024-8-6", "");
	misses(c, "a-name-of-more-than-a-hundred-and-twenty-seven-bytes-which-"
	       "nobody-needs-and-which-fits-nowhere-so-that-it-is-refused-by-"
	       "the-table-of-models", "--price");
}

static void test_facts(const struct ai_catalog *c)
{
	struct ai_model m;

	ok(ai_catalog_find(c, ai_span_of("gpt-4o"), NULL, &m, &err) == 0 &&
	   strcmp(m.encoding, "o200k_base") == 0 && m.context == 128000 &&
	   m.max_output == 16384 && (m.takes & AI_IMAGE) &&
	   m.gives == AI_TEXT, "gpt-4o: encoding, limits, modalities");
	ok(m.price.rate[AI_TIER_STANDARD][0][AI_UNIT_INPUT] == 2500000 &&
	   m.price.rate[AI_TIER_STANDARD][0][AI_UNIT_CACHED] == 1250000 &&
	   m.price.rate[AI_TIER_BATCH][0][AI_UNIT_OUTPUT] == 5000000 &&
	   m.price.rate[AI_TIER_PRIORITY][0][AI_UNIT_OUTPUT] == 17000000 &&
	   m.price.bands == 1, "gpt-4o: prices");
	ok(ai_catalog_find(c, ai_span_of("claude-sonnet-4-5"), NULL, &m, &err) == 0 &&
	   m.price.bands == 2 && m.price.above[1] == 200000 &&
	   m.price.rate[0][1][AI_UNIT_INPUT] == 6000000 &&
	   m.price.rate[0][0][AI_UNIT_WRITE_1H] == 6000000 &&
	   m.price.rate[AI_TIER_BATCH][1][AI_UNIT_OUTPUT] == 11250000 &&
	   !(m.price.tiers & 1 << AI_TIER_PRIORITY) && m.price.us == 0,
	   "claude-sonnet-4-5: bands, cache writes, batches");
	ok(ai_catalog_find(c, ai_span_of("claude-opus-5"), NULL, &m, &err) == 0 &&
	   m.price.us == 1100 && m.price.fast == 2000,
	   "claude-opus-5: what multiplies its price");
	ok(ai_catalog_find(c, ai_span_of("local/extract"), NULL, &m, &err) == 0 &&
	   m.price.kind == AI_PRICE_FREE, "local/ is free, and says so");
}

/* Where the public tables disagree the dearer price stands, and a note says
 * what each of them has. */
static void test_notes(const struct ai_catalog *c, struct ai_span table)
{
	static const struct {
		const char *name, *note;
		int64_t input, output; /* pico-dollars a token */
	} notes[] = {
		{ "openai/gpt-5.6-luna", "input 0.2, cached 0.02, cache_write "
		  "0.25, output 1.2, with tiers for batch, flex, priority",
		  1000000, 6000000 },
		{ "openai/gpt-5.6-terra", "without the tiers", 2500000,
		  15000000 },
		{ "xai/grok-4.20", "input 1.25, output 2.5", 2000000, 6000000 },
		{ "deepseek/deepseek-chat", "output 0.42", 280000, 1100000 },
		{ "deepseek/deepseek-reasoner", "output 0.42", 550000,
		  2190000 },
		{ "fireworks/gpt-oss-120b", "cached 0.015", 150000, 600000 },
		{ "anthropic/claude-sonnet-5", "since 2026-09-01", 3000000,
		  15000000 },
		{ "gemini/gemini-2.0-flash", "2026-06-01", 100000, 400000 },
	};
	struct ai_value whole, models, note;
	struct ai_model m;
	size_t i;

	ai_json_check(table.p, table.n, &whole, &err);
	models = ai_json_get(whole, "models");
	for (i = 0; i < sizeof notes / sizeof *notes; i++) {
		note = ai_json_member(ai_json_member(models,
			ai_span_of(notes[i].name)), AI_SPAN("note"));
		ok(note.kind == AI_STRING && memmem(note.s.p, note.s.n,
			notes[i].note, strlen(notes[i].note)) != NULL &&
		   ai_catalog_find(c, ai_span_of(notes[i].name), NULL, &m,
				   &err) == 0 &&
		   m.price.rate[0][0][AI_UNIT_INPUT] == notes[i].input &&
		   m.price.rate[0][0][AI_UNIT_OUTPUT] == notes[i].output,
		   "%s: %.*s", notes[i].name, (int)note.s.n, note.s.p);
	}
}

#define HEAD "{\"version\":1,\"models\":{"
#define META ",\"source\":\"me\",\"date\":\"2026-01-01\"}"

static void test_own(struct ai_span table)
{
	static const char own[] = HEAD
		"\"openai/gpt-4o\":{\"price\":{\"input\":\"7\",\"output\":\"8\"}"
		META ",\"my/model\":{\"aliases\":[\"my/alias\"],\"price\":"
		"{\"input\":\"1\",\"output\":\"2\"}" META
		",\"openai/gpt-4\":null,\"my/later\":{\"price\":null" META "}}";
	struct ai_catalog *c = NULL;
	struct ai_model m;

	if (!ok(ai_catalog_open_text(&c, table, AI_SPAN(own), AI_SPAN(""), &err) == 0,
		"a table of the user's own"))
		return;
	finds(c, "my/alias", "my/model", "my");
	finds(c, "model", "my/model", "my");
	ok(ai_catalog_find(c, ai_span_of("azure/gpt-4o"), NULL, &m, &err) == 0 &&
	   m.price.rate[0][0][0] == 7000000,
	   "it replaces an entry, by any name of it");
	misses(c, "openai/gpt-4", "no price is known");
	ok(ai_catalog_find(c, ai_span_of("my/later"), NULL, &m, &err) == 0 &&
	   m.price.kind == AI_PRICE_UNKNOWN, "null is no price");
	ai_catalog_free(c);
}

#define LINE(name, day, in) "{\"model\":\"" name "\",\"date\":\"" day \
	"\",\"source\":\"t\",\"price\":{\"input\":\"" in \
	"\",\"output\":\"9\"}}\n"

static void costs(const struct ai_catalog *c, const char *typed,
		  const char *when, const char *name, int64_t input)
{
	struct ai_model m;

	err.msg[0] = '\0';
	if (ai_catalog_find(c, ai_span_of(typed), when, &m, &err) < 0)
		memset(&m, 0, sizeof m);
	ok(strcmp(m.name, name) == 0 && m.price.rate[0][0][0] == input,
	   "%s on %s is %s at %lld (%s at %lld) %s", typed, when, name,
	   (long long)input, m.name, (long long)m.price.rate[0][0][0],
	   err.msg);
}

/* What was imported, beside what is installed. */
static void test_imported(struct ai_span table)
{
	static const char prices[] = AI_HISTORY_HEAD
		LINE("acme/gpt-4o-2099-01-01", "2026-08-01", "66")
		LINE("acme/new-2026-05-01", "2026-08-01", "7")
		LINE("acme/new-2026-06-01", "2026-08-01", "8")
		LINE("acme/other", "2026-08-01", "1")
		LINE("azure/gpt-4o", "2026-09-01", "3")
		LINE("bedrock/x.y-v1:0", "2026-08-01", "4")
		LINE("one/same", "2026-08-01", "1")
		LINE("openai/gpt-4o", "1999-01-01", "90")
		LINE("openai/gpt-4o", "2026-09-01", "4")
		LINE("openai/gpt-4o", "2026-10-01", "5")
		"{\"model\":\"openai/nick\",\"is\":\"openai/gpt-4o\"}\n"
		LINE("two/same", "2026-08-01", "2");
	struct ai_catalog *c = NULL;

	if (!ok(ai_catalog_open_text(&c, table, AI_SPAN(""), AI_SPAN(prices),
				     &err) == 0, "imported prices: %s",
		err.msg))
		return;
	costs(c, "gpt-4o", "2026-08-15", "openai/gpt-4o", 2500000);
	costs(c, "gpt-4o", "2026-07-15", "openai/gpt-4o", 90000000);
	costs(c, "gpt-4o", "2026-09-30", "openai/gpt-4o", 4000000);
	costs(c, "openai/gpt-4o-2024-08-06", "2026-10-01", "openai/gpt-4o",
	      5000000);
	costs(c, "gpt-4o-2099-01-01", "2026-10-01", "openai/gpt-4o", 5000000);
	costs(c, "acme/gpt-4o-2099-01-01", "2026-10-01",
	      "acme/gpt-4o-2099-01-01", 66000000);
	costs(c, "azure/gpt-4o", "2026-10-01", "openai/gpt-4o", 3000000);
	costs(c, "openai/nick", "2026-10-01", "openai/gpt-4o", 5000000);
	costs(c, "nick", "2026-09-01", "openai/gpt-4o", 4000000);
	costs(c, "other", "2026-10-01", "acme/other", 1000000);
	costs(c, "acme/other@20260801", "2026-10-01", "acme/other", 1000000);
	costs(c, "acme/other:free", "2026-10-01", "acme/other", 1000000);
	costs(c, "acme/new", "2026-10-01", "acme/new-2026-06-01", 8000000);
	costs(c, "bedrock_converse/x.y", "2026-10-01", "bedrock/x.y-v1:0",
	      4000000);
	misses(c, "same", "several");
	misses(c, "acme/othr", "did you mean 'acme/other'?");
	ai_catalog_free(c);
	ok(ai_catalog_open_text(&c, table, AI_SPAN(""), AI_SPAN("{}"),
				&err) < 0, "no such file: %s", err.msg);
}

static void test_broken(void)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "{", "byte" },
		{ "[]", "no object 'models'" },
		{ "{\"models\":{}}", "'version'" },
		{ "{\"version\":2,\"models\":{}}", "'version'" },
		{ HEAD "}}", "no price" },
		{ HEAD "\"a/b\":7}}", "no object" },
		{ HEAD "\"a/b\":{\"price\":7}}}", "a price is" },
		{ HEAD "\"a/b\":{\"price\":{}}}}", "needs both" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\"}}}}", "both" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":1,\"output\":\"1\"}}}}",
		  "in quotes" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"-1\",\"output\":\"1\"}}}}",
		  "input: '-1' is negative" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\",\"output\":\"x\"}}}}",
		  "output: 'x' is not a number" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\",\"output\":\"1\","
		  "\"cahced\":\"1\"}}}}", "cahced: no such price" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\",\"output\":\"1\","
		  "\"above\":[{\"tokens\":1.5,\"input\":\"1\","
		  "\"output\":\"1\"}]}}}}", "whole number" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\",\"output\":\"1\","
		  "\"batch\":{\"input\":\"1\",\"output\":\"1\",\"above\":["
		  "{\"tokens\":9,\"input\":\"1\",\"output\":\"1\"}]}}}}}",
		  "the same in all tiers" },
		{ HEAD "\"a/b\":{\"price\":{\"input\":\"1\",\"output\":\"1\","
		  "\"batch\":{\"input\":\"1\",\"output\":\"1\","
		  "\"search\":\"1\"}}}}}", "fees" },
		{ HEAD "\"a/b\":{\"context\":-1,\"price\":\"free\"}}}",
		  "context" },
	};
	struct ai_catalog *c;
	struct ai_model m;
	int rc;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		err.msg[0] = '\0';
		c = NULL;
		rc = ai_catalog_open_text(&c, ai_span_of(t[i].text),
					  AI_SPAN(""), AI_SPAN(""), &err);
		if (rc == 0)
			rc = ai_catalog_find(c, ai_span_of("a/b"), NULL, &m, &err);
		ok(rc < 0 && err.code == AI_E_CONFIG &&
		   strstr(err.msg, t[i].why) != NULL, "broken: %s", err.msg);
		ai_catalog_free(c);
	}
}

int main(void)
{
	struct ai_buf table = AI_BUF_INIT(1 << 20);
	struct ai_catalog *c = NULL;
	struct all a = { 0 };
	struct ai_span text;

	if (!ok(slurp("catalog.json", &table), "the catalog is there"))
		return done();
	text = (struct ai_span){ table.p, table.len };
	test_schema(&table);
	if (!ok(ai_catalog_open_text(&c, text, AI_SPAN(""), AI_SPAN(""), &err) == 0,
		"the catalog opens"))
		return done();
	a.c = c;
	ai_catalog_each(c, check_entry, &a);
	ok(a.bad == 0 && a.n > 100 && a.priced > 100,
	   "%u entries, %u with prices, %u of them bad", a.n, a.priced, a.bad);
	test_aliases(c, text);
	test_names(c);
	test_facts(c);
	test_notes(c, text);
	ai_catalog_free(c);
	c = NULL;
	if (getenv("BUILDDIR") != NULL) {
		struct ai_buf dir = AI_BUF_INIT(4096);

		ai_buf_fmt(&dir, "%s/share/aiutils", getenv("BUILDDIR"));
		setenv("AI_DATADIR", ai_buf_cstr(&dir), 1);
		ai_buf_release(&dir);
	}
	ok(ai_catalog_open(&c, NULL, &err) == 0, "it is found uninstalled");
	ai_catalog_free(c);
	ok(ai_catalog_open(&c, "/nonexistent/catalog.json", &err) < 0 &&
	   strstr(err.msg, "/nonexistent/catalog.json") != NULL, "%s", err.msg);
	test_own(text);
	test_imported(text);
	test_broken();
	ai_buf_release(&table);
	return done();
}
