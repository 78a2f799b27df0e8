/* endpoint.c: from a model's name to a server, its address and its key. */
#include "model/client.h"

#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Providers by the first part of a model's name.  Addresses and variables are
 * those of their own tools. */
static const struct provider {
	const char *name;
	const struct ai_wire *wire;
	const char *base;      /* address if none is set; NULL: of a region */
	const char *base_env;  /* where users of its own tools set one */
	const char *key_env[2];
	const char *max_tokens; /* for ai_chat_request; NULL: the wire's own */
} providers[] = {
	{ "openai", &ai_wire_openai, "https://api.openai.com/v1",
	  "OPENAI_BASE_URL", { "OPENAI_API_KEY" }, NULL },
	{ "anthropic", &ai_wire_anthropic, "https://api.anthropic.com/v1",
	  "ANTHROPIC_BASE_URL", { "ANTHROPIC_API_KEY" }, NULL },
	{ "bedrock", &ai_wire_bedrock, NULL,
	  "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
	  { "AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID" }, NULL },
	{ "cohere", &ai_wire_cohere, "https://api.cohere.com/v2",
	  "CO_API_URL", { "CO_API_KEY", "COHERE_API_KEY" }, NULL },
	{ "gemini", &ai_wire_gemini,
	  "https://generativelanguage.googleapis.com/v1beta",
	  "GOOGLE_GEMINI_BASE_URL", { "GEMINI_API_KEY", "GOOGLE_API_KEY" },
	  NULL },
	{ "mistral", &ai_wire_mistral, "https://api.mistral.ai/v1",
	  "MISTRAL_BASE_URL", { "MISTRAL_API_KEY" }, NULL },
	{ "ollama", &ai_wire_ollama, "http://127.0.0.1:11434/api",
	  "OLLAMA_BASE_URL", { "OLLAMA_API_KEY" }, NULL },
	{ "openrouter", &ai_wire_openai, "https://openrouter.ai/api/v1",
	  "OPENROUTER_BASE_URL", { "OPENROUTER_API_KEY" }, "max_tokens" },
	{ "groq", &ai_wire_openai, "https://api.groq.com/openai/v1",
	  "GROQ_BASE_URL", { "GROQ_API_KEY" }, NULL },
	{ "deepseek", &ai_wire_openai, "https://api.deepseek.com/v1",
	  "DEEPSEEK_BASE_URL", { "DEEPSEEK_API_KEY" }, "max_tokens" },
	{ "xai", &ai_wire_openai, "https://api.x.ai/v1", "XAI_BASE_URL",
	  { "XAI_API_KEY" }, NULL },
};

/* What --api may name, beside --base-url. */
static const struct ai_wire *const apis[] = {
	&ai_wire_openai, &ai_wire_anthropic, &ai_wire_bedrock, &ai_wire_cohere,
	&ai_wire_gemini, &ai_wire_mistral, &ai_wire_ollama, &ai_wire_responses,
};

#define KEY_ENV "AI_API_KEY" /* of a --base-url */

static const char *env(const char *name)
{
	const char *v = name == NULL ? NULL : getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

static const struct provider *provider_of(const char *model)
{
	struct ai_span name = { model, strcspn(model, "/") };

	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		if (model[name.n] == '/' &&
		    ai_span_is(name, providers[i].name))
			return &providers[i];
	return NULL;
}

/* "openai, anthropic or cohere", for a message. */
static void name_all(struct ai_buf *b)
{
	size_t n = sizeof providers / sizeof *providers;

	for (size_t i = 0; i < n; i++)
		ai_buf_fmt(b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ",
			   providers[i].name);
}

static int no_provider(const char *model, struct ai_err *err)
{
	struct ai_buf all = AI_BUF_INIT(1024);

	name_all(&all);
	ai_err_set(err, AI_E_CONFIG, "no model '%.100s': give PROVIDER/NAME "
		   "with a provider of %s, or the name with --base-url (or a "
		   "model of local/, see the manual)", model,
		   ai_buf_cstr(&all));
	ai_buf_release(&all);
	return -1;
}

/* A header must be one line; a carriage return comes from a file made
 * elsewhere more often than from an attacker. */
static int check_key(const char *key, const char *from, struct ai_err *err)
{
	for (const char *p = key; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			return ai_err_set(err, AI_E_NOT_ALLOWED,
					  "the key in %s has a blank or "
					  "control character in it", from);
	return 0;
}

/* The key, and the variable it is from; the first is what a message names. */
static const char *find_key(const char *const names[2], const char **from)
{
	for (int i = 1; i >= 0; i--)
		if (env(names[i]) != NULL)
			*from = names[i];
	if (*from == NULL)
		*from = names[0];
	return env(*from);
}

static int take_key(struct ai_endpoint *e, const struct ai_http_url *at,
		    const char *const names[2], struct ai_err *err)
{
	bool open = !at->secure && !at->loopback;
	const char *from = NULL;

	if (ai_client.replay != NULL)
		return 0; /* it goes nowhere */
	e->key = find_key(names, &from);
	if (e->key == NULL && !at->loopback && !(open && ai_client.insecure_http))
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "no key for %s: set %s in the environment",
				  at->host, from);
	if (open && !ai_client.insecure_http)
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "the key would go to %s unencrypted: use "
				  "https://, or --insecure-http in a network "
				  "you trust", at->host);
	if (e->wire->auth == AI_AUTH_AWS && from != NULL &&
	    strcmp(from, "AWS_ACCESS_KEY_ID") == 0)
		e->secret = env("AWS_SECRET_ACCESS_KEY");
	return check_key(e->key, from, err);
}

/* The base address without a slash behind; an address alone gets what the
 * wire's paths stand below. */
static int take_base(struct ai_endpoint *e, const char *url, bool bare,
		     struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	ai_buf_add(&b, url, n);
	if (bare)
		ai_buf_str(&b, e->wire->root);
	if (ai_buf_check(&b, "the address", err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	e->base = ai_buf_take(&b);
	return 0;
}

/* Of AWS's machines: from the environment, else from the address. */
static void take_region(struct ai_endpoint *e, const char *host)
{
	const char *region = env("AWS_REGION"), *dot = strchr(host, '.');

	if (region == NULL)
		region = env("AWS_DEFAULT_REGION");
	if (region == NULL && dot != NULL &&
	    strncmp(host, "bedrock-runtime.", 16) == 0)
		snprintf(e->region, sizeof e->region, "%.*s",
			 (int)strcspn(dot + 1, "."), dot + 1);
	else
		snprintf(e->region, sizeof e->region, "%s",
			 region != NULL ? region : "us-east-1");
}

/* A known provider's server: its address, and which variables hold a key. */
static int at_provider(struct ai_endpoint *e, const char *typed, char *url,
		       size_t size, const char *const **keys,
		       struct ai_err *err)
{
	const struct provider *p = provider_of(typed);
	const char *set;

	if (p == NULL)
		return no_provider(typed, err);
	e->wire = p->wire;
	e->max_tokens_name = p->max_tokens;
	snprintf(e->provider, sizeof e->provider, "%s", p->name);
	snprintf(e->model, sizeof e->model, "%s", typed + strlen(p->name) + 1);
	take_region(e, "");
	set = env(p->base_env);
	if (set == NULL && e->wire->auth == AI_AUTH_AWS)
		snprintf(url, size, "https://bedrock-runtime.%s.amazonaws.com",
			 e->region);
	else
		snprintf(url, size, "%.4000s", set != NULL ? set : p->base);
	*keys = p->key_env;
	return 0;
}

/* A server that the user names, and what it speaks. */
static void at_base_url(struct ai_endpoint *e, const char *typed, char *url,
			size_t size)
{
	e->wire = apis[ai_client.api];
	e->max_tokens_name = "max_tokens";
	snprintf(e->model, sizeof e->model, "%s", typed);
	snprintf(url, size, "%.4000s", ai_client.base_url);
}

static int init(struct ai_endpoint *e, const char *typed, bool booked,
		struct ai_err *err)
{
	static const char *const own_key[2] = { KEY_ENV };
	const char *const *keys = own_key;
	bool own = ai_client.base_url != NULL && *ai_client.base_url != '\0';
	struct ai_http_url at;
	char url[4096];

	memset(e, 0, sizeof *e);
	if (own)
		at_base_url(e, typed, url, sizeof url);
	else if (at_provider(e, typed, url, sizeof url, &keys, err) < 0)
		return -1;
	if (ai_http_url(url, &at, err) < 0)
		return -1;
	snprintf(e->host, sizeof e->host, "%s", at.host);
	if (own) {
		snprintf(e->provider, sizeof e->provider, "%.200s", at.host);
		take_region(e, at.host);
	}
	if (take_key(e, &at, keys, err) < 0)
		return -1;
	e->tariff.price.kind = AI_PRICE_FREE;
	if (booked && ai_tariff_init(&e->tariff, typed, e->provider, e->key, err) < 0)
		return -1;
	if (own)
		e->tariff.shape = ai_shape_of_provider(
			ai_span_of(e->wire->name));
	e->tariff.played = ai_client.replay != NULL;
	return take_base(e, url, at.bare, err);
}

int ai_endpoint_init(struct ai_endpoint *e, const char *typed,
		     struct ai_err *err)
{
	size_t n = strlen(typed);

	memset(e, 0, sizeof *e);
	if (n >= sizeof e->model || n == 0 || typed[n - 1] == '/')
		return no_provider(typed, err);
	return init(e, typed, true, err);
}

int ai_endpoint_init_provider(struct ai_endpoint *e, const char *provider,
			      struct ai_err *err)
{
	char typed[AI_MODEL_NAME_MAX];

	snprintf(typed, sizeof typed, "%.100s/",
		 provider != NULL ? provider : "");
	return init(e, typed, false, err);
}

const char *ai_provider_at(size_t i, bool *has_key)
{
	const char *from = NULL;

	if (i >= sizeof providers / sizeof *providers)
		return NULL;
	*has_key = find_key(providers[i].key_env, &from) != NULL;
	return providers[i].name;
}

void ai_endpoint_release(struct ai_endpoint *e)
{
	free(e->base);
	memset(e, 0, sizeof *e);
}
