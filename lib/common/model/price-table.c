/* price-table.c: what the readers of both forms of tables share. */
#include "model/price-table.h"

#include "base/utf8.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *ai_table_name(enum ai_table_form form)
{
	return form == AI_TABLE_LITELLM ? "litellm" : "genai-prices";
}

/* ---- names ---------------------------------------------------------------- */

/* How the tables call providers, and how we do; a star stands for the rest. */
static const struct {
	const char *theirs, *ours;
} providers[] = {
	{ "amazon-nova", "amazon_nova" },
	{ "aws", "bedrock" },
	{ "azure_text", "azure" },
	{ "bedrock_converse", "bedrock" },
	{ "cohere_chat", "cohere" },
	{ "fireworks_ai*", "fireworks" },
	{ "google", "gemini" },
	{ "jina_ai", "jina" },
	{ "moonshotai", "moonshot" },
	{ "text-completion-codestral", "codestral" },
	{ "text-completion-inception", "inception" },
	{ "text-completion-openai", "openai" },
	{ "together_ai", "together" },
	{ "vertex_ai-*", "vertex_ai" },
	{ "voyageai", "voyage" },
	{ "x-ai", "xai" },
	{ "zhipuai", "zai" },
};

static bool fits(const char *pattern, struct ai_span s)
{
	size_t n = strcspn(pattern, "*");

	return pattern[n] == '*' ? s.n >= n && memcmp(pattern, s.p, n) == 0
				 : ai_span_is(s, pattern);
}

static struct ai_span provider_of(struct ai_span theirs)
{
	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		if (fits(providers[i].theirs, theirs))
			return ai_span_of(providers[i].ours);
	return theirs;
}

static bool put_name(struct ai_span provider, struct ai_span model,
		     char out[AI_CATALOG_NAME])
{
	if (provider.n + 1 + model.n >= AI_CATALOG_NAME)
		return false;
	memcpy(out, provider.p, provider.n);
	out[provider.n] = '/';
	memcpy(out + provider.n + 1, model.p, model.n);
	out[provider.n + 1 + model.n] = '\0';
	return true;
}

/* Cuts the provider off what is named with it. */
static bool cut_provider(struct ai_span *name, struct ai_span *provider)
{
	const char *slash = name->n == 0 ? NULL
		: memchr(name->p, '/', name->n);

	if (slash == NULL)
		return false;
	*provider = provider_of((struct ai_span){ name->p,
						  (size_t)(slash - name->p) });
	name->n -= (size_t)(slash + 1 - name->p);
	name->p = slash + 1;
	return true;
}

int ai_table_canonical(struct ai_span typed, char out[AI_CATALOG_NAME])
{
	struct ai_span provider, rest = typed;

	if (typed.n >= AI_CATALOG_NAME)
		return -1;
	if (cut_provider(&rest, &provider))
		return put_name(provider, rest, out) ? 0 : -1;
	memcpy(out, typed.p, typed.n);
	out[typed.n] = '\0';
	return 0;
}

static bool is_plain(struct ai_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' ||
		    s.p[i] == '\\')
			return false;
	return s.n > 0;
}

int ai_offer_name(struct ai_offer *o, struct ai_span provider,
		  struct ai_span model, struct ai_err *err)
{
	struct ai_span ours = provider_of(provider), first, rest = model;

	if (!is_plain(model) || !is_plain(provider) ||
	    memchr(provider.p, '/', provider.n) != NULL)
		return ai_err_set(err, AI_E_DATA, "a model needs a provider and "
				  "a name, without blanks, quotes or letters "
				  "beyond ASCII");
	if (cut_provider(&rest, &first) && ai_span_eq(first, ours))
		model = rest;
	if (model.n == 0 || !put_name(ours, model, o->name))
		return ai_err_set(err, AI_E_DATA, "the names of a provider and "
				  "its model have less than %d bytes together",
				  AI_CATALOG_NAME);
	return 0;
}

/* ---- values --------------------------------------------------------------- */

void ai_offer_init(struct ai_offer *o)
{
	struct ai_buf other = o->other;

	memset(o, 0, offsetof(struct ai_offer, given));
	ai_price_clear(&o->given);
	memset(&o->from, 0, sizeof *o - offsetof(struct ai_offer, from));
	o->from = -1;
	o->other = other;
	ai_buf_clear(&o->other);
}

void ai_table_compact(struct ai_buf *b, struct ai_value v)
{
	const char *p = v.s.p, *end = p + v.s.n, *run = p;
	bool quoted = false;

	for (; p < end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\')
			p++;
		else if (!quoted && strchr(" \t\r\n", *p) != NULL) {
			ai_buf_add(b, run, (size_t)(p - run));
			run = p + 1;
		}
	}
	ai_buf_add(b, run, (size_t)(end - run));
}

void ai_offer_keep(struct ai_offer *o, struct ai_value key,
		   struct ai_value val)
{
	if (o->other.len > 0)
		ai_buf_chr(&o->other, ',');
	ai_buf_add(&o->other, key.s.p, key.s.n);
	ai_buf_chr(&o->other, ':');
	ai_table_compact(&o->other, val);
	o->unknown++;
}

int ai_offer_limit(struct ai_value v, int64_t *out, struct ai_err *err)
{
	struct ai_span text = ai_json_inside(v);
	int64_t n = 0;

	if (v.kind == AI_NULL || (v.kind == AI_STRING && text.n == 0))
		return 0;
	if (v.kind == AI_STRING ? ai_parse_i64(text, &n) < 0
				: ai_json_i64(v, &n) < 0)
		return ai_err_set(err, AI_E_DATA, "'%.*s' is not a whole "
				  "number",
				  (int)ai_utf8_floor(v.s.p, v.s.n, 40),
				  v.s.p);
	if (n < 0)
		return ai_err_set(err, AI_E_DATA, "is negative");
	*out = n;
	return 0;
}

int ai_offer_rate(struct ai_offer *o, struct ai_value v, int power,
		  int64_t *rate, struct ai_err *err)
{
	struct ai_span text = v.kind == AI_STRING ? ai_json_inside(v) : v.s;
	bool rounded = false;
	struct ai_err why;
	int64_t pico;

	if (v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_NUMBER && v.kind != AI_STRING)
		return ai_err_set(err, AI_E_DATA, "is not a number");
	if (ai_rate_parse_up(text, power, &pico, &rounded, &why) < 0)
		return ai_err_set(err, AI_E_DATA, "%s", why.msg);
	o->rounded += rounded;
	o->priced = true;
	if (pico > *rate)
		*rate = pico;
	return 0;
}

/* ---- what is no JSON -------------------------------------------------------- */

/* The keys on the way to a place in text that is JSON up to there. */
struct way {
	struct ai_span key[4];
	int depth;
};

static void walk_to(const char *p, const char *place, struct way *w)
{
	const char *from;

	for (w->depth = 0; p < place; p++) {
		if (*p == '{' || *p == '[') {
			w->depth++;
			if (w->depth < 4)
				w->key[w->depth].n = 0;
		} else if (*p == '}' || *p == ']') {
			w->depth--;
		}
		if (*p != '"')
			continue;
		for (from = ++p; p < place && *p != '"'; p++)
			p += *p == '\\';
		if (p + 1 < place && p[1 + strspn(p + 1, " \t\r\n")] == ':' &&
		    w->depth > 0 && w->depth < 4)
			w->key[w->depth] = (struct ai_span){
				from, (size_t)(p - from) };
	}
}

/* Line, model and key of the place where JSON ends. */
static int no_json(struct ai_span text, const char *place,
		   const struct ai_err *why, struct ai_err *err)
{
	struct way w = { .depth = 0 };
	char where[200] = "";
	int line = 1, n = 0;

	for (const char *p = text.p; p < place; p++)
		line += *p == '\n';
	walk_to(text.p, place, &w);
	for (int i = 1; i < 4 && i <= w.depth; i++)
		if (w.key[i].n > 0 && w.key[i].n < 90 && n < 100)
			n += snprintf(where + n, sizeof where - (size_t)n,
				      "%s%.*s", n > 0 ? ", " : " in ",
				      (int)w.key[i].n, w.key[i].p);
	return ai_err_set(err, AI_E_DATA, "line %d%s: %s", line, where,
			  why->msg);
}

int ai_table_read(struct ai_span text, enum ai_table_form *form,
		  ai_offer_fn *each, void *arg, struct ai_err *err)
{
	struct ai_value v;
	struct ai_err why;

	if (ai_json_check(text.p, text.n, &v, &why) < 0)
		return no_json(text, v.s.p, &why, err);
	*form = v.kind == AI_ARRAY ? AI_TABLE_GENAI : AI_TABLE_LITELLM;
	if (v.kind == AI_ARRAY)
		return ai_table_genai(v, each, arg, err);
	if (v.kind == AI_OBJECT)
		return ai_table_litellm(v, each, arg, err);
	return ai_err_set(err, AI_E_DATA, "is neither LiteLLM's table, an "
			  "object of models, nor that of genai-prices, a list "
			  "of providers");
}
