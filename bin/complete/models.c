/* models.c: what the keys can see. */
#include "complete.h"

#include "base/start.h"
#include "model/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDERS_MAX 32

/* One thread's. */
struct lister {
	struct ai_client *client;
	struct ai_catalog *catalog;
	struct ai_buf name, line;
	const char *provider; /* NULL: --base-url */
	struct ai_emit *out;
};

static void close_lister(void *state)
{
	struct lister *l = state;

	ai_client_free(l->client);
	ai_catalog_free(l->catalog);
	ai_buf_release(&l->name);
	ai_buf_release(&l->line);
	free(l);
}

static int open_lister(void **state, struct ai_err *err)
{
	struct lister *l = calloc(1, sizeof *l);

	if (l == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&l->name, 1024);
	ai_buf_init(&l->line, 65536);
	l->client = ai_client_new(err);
	if (l->client == NULL ||
	    ai_catalog_open(&l->catalog, NULL, err) < 0) {
		close_lister(l);
		return -1;
	}
	*state = l;
	return 0;
}

/* ---- a model ------------------------------------------------------------- */

/* Pico-dollars a token as dollars a million of them, exactly. */
static void show_rate(int64_t rate, char out[AI_MONEY_TEXT])
{
	ai_money_text(rate * 1000, out);
}

static void put_count(struct ai_buf *b, const char *name, int64_t n)
{
	ai_put_key(b, name);
	if (n > 0)
		ai_put_i64(b, n);
	else
		ai_put_null(b);
}

/* Of a usual request; what is dearer in a long one, or cheaper in a batch, has
 * no room in a list. */
static void put_price(struct ai_buf *b, const struct ai_price *p)
{
	static const enum ai_unit units[] = {
		AI_UNIT_INPUT, AI_UNIT_CACHED, AI_UNIT_OUTPUT,
	};
	char text[AI_MONEY_TEXT];

	ai_put_key(b, "price");
	if (p->kind == AI_PRICE_UNKNOWN) {
		ai_put_null(b);
		return;
	}
	ai_put_open(b, '{');
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (p->rate[AI_TIER_STANDARD][0][units[i]] == AI_NO_RATE)
			continue;
		show_rate(p->rate[AI_TIER_STANDARD][0][units[i]], text);
		ai_wire_put_json(b, ai_unit_name(units[i]), ai_span_of(text));
	}
	if (p->source[0] != '\0')
		ai_wire_put_cstr(b, "source", p->source);
	if (p->date[0] != '\0')
		ai_wire_put_cstr(b, "date", p->date);
	ai_put_close(b, '}');
}

static void put_model(struct lister *l, const struct ai_model *m)
{
	struct ai_buf *b = &l->line;

	ai_put_open(b, '{');
	ai_wire_put_span(b, "model", (struct ai_span){
		ai_buf_cstr(&l->name), l->name.len });
	put_count(b, "context", m->context);
	put_count(b, "max_output", m->max_output);
	put_price(b, &m->price);
	ai_put_close(b, '}');
}

static void put_row(struct lister *l, const struct ai_model *m)
{
	const int64_t *rate = m->price.rate[AI_TIER_STANDARD][0];
	char name[256], in[AI_MONEY_TEXT] = "-", out[AI_MONEY_TEXT] = "-",
		context[24] = "-", longest[24] = "-";

	ai_wire_clean((struct ai_span){ ai_buf_cstr(&l->name), l->name.len },
		      name, sizeof name);
	if (m->context > 0)
		snprintf(context, sizeof context, "%" PRId64, m->context);
	if (m->max_output > 0)
		snprintf(longest, sizeof longest, "%" PRId64, m->max_output);
	if (m->price.kind != AI_PRICE_UNKNOWN &&
	    rate[AI_UNIT_INPUT] != AI_NO_RATE)
		show_rate(rate[AI_UNIT_INPUT], in);
	if (m->price.kind != AI_PRICE_UNKNOWN &&
	    rate[AI_UNIT_OUTPUT] != AI_NO_RATE)
		show_rate(rate[AI_UNIT_OUTPUT], out);
	ai_buf_fmt(&l->line, "%-48s %9s %10s %9s %9s", name, context, longest,
		   in, out);
}

/* ai_model_each: what the catalog knows of it, if anything, and what the
 * provider tells. */
static int list_model(void *arg, const struct ai_listed *listed,
		      struct ai_err *err)
{
	struct lister *l = arg;
	struct ai_model m;

	ai_buf_clear(&l->name);
	ai_buf_clear(&l->line);
	if (l->provider != NULL)
		ai_buf_fmt(&l->name, "%s/", l->provider);
	ai_buf_add(&l->name, listed->name.p, listed->name.n);
	if (ai_catalog_find(l->catalog, (struct ai_span){
		    ai_buf_cstr(&l->name), l->name.len }, NULL, &m,
			    NULL) < 0)
		m = (struct ai_model){ .context = 0 };
	if (listed->context > 0)
		m.context = listed->context;
	if (listed->output > 0)
		m.max_output = listed->output;
	if (ai_loop.plain_out)
		put_row(l, &m);
	else
		put_model(l, &m);
	if (ai_buf_check(&l->line, "the name of a model", err) < 0)
		return -1;
	return ai_emit_line(l->out, ai_buf_cstr(&l->line), l->line.len, err);
}

/* ---- providers ----------------------------------------------------------- */

/* ai_filter.operand: a provider; "" is what --base-url names. */
static int list_provider(void *state, const char *provider,
			 struct ai_emit *out, struct ai_err *err)
{
	struct lister *l = state;
	struct ai_endpoint e;
	int rc;

	l->out = out;
	l->provider = *provider == '\0' ? NULL : provider;
	rc = ai_endpoint_init_provider(&e, l->provider, err);
	if (rc == 0)
		rc = ai_client_models(l->client, &e, list_model, l, err);
	ai_endpoint_release(&e);
	return rc;
}

static bool is_provider(const char *name)
{
	const char *known;
	bool has_key;

	for (size_t i = 0; (known = ai_provider_at(i, &has_key)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

/* Those that there is a key for. */
static int find_providers(char *list[PROVIDERS_MAX], struct ai_err *err)
{
	const char *name;
	bool has_key;
	int n = 0;

	for (size_t i = 0; (name = ai_provider_at(i, &has_key)) != NULL; i++)
		if (has_key && n < PROVIDERS_MAX)
			list[n++] = (char *)(uintptr_t)name;
	return n > 0 ? n :
		ai_err_set(err, AI_E_NOT_ALLOWED, "there is no key of any "
			   "provider in the environment: set OPENAI_API_KEY, "
			   "say, or name a provider that needs none");
}

static int check_providers(int argc, char **argv, struct ai_err *err)
{
	for (int i = 0; i < argc; i++)
		if (!is_provider(argv[i]))
			return ai_err_set(err, AI_E_USAGE, "models: '%.60s' is "
					  "no provider; if these words are a "
					  "prompt, put quotes around them",
					  argv[i]);
	return argc;
}

int complete_models(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.operand = list_provider, .open = open_lister,
		.close = close_lister,
	};
	static char own[] = "";
	char *list[PROVIDERS_MAX] = { own };
	bool is_own = ai_client.base_url != NULL &&
		      *ai_client.base_url != '\0';

	if (is_own && argc > 0)
		return ai_err_set(err, AI_E_USAGE, "models: name providers, or "
				  "a server with --base-url");
	if (argc > 0)
		return check_providers(argc, argv, err) < 0 ? -1 :
			ai_loop_run(&filter, argc, argv, err);
	argc = is_own ? 1 : find_providers(list, err);
	return argc < 0 ? -1 : ai_loop_run(&filter, argc, list, err);
}
