/* endpoint.c: from a model's name to a server, its address and its keys. */
#include "model/client.h"

#include "base/utf8.h"
#include "net/http.h"
#include "record/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AZURE "azure"
#define URL_MAX 4096

/* Providers by the first part of a model's name.  Addresses and variables are
 * those of their own tools. */
static const struct provider {
	const char *name;
	const struct ai_wire *wire;
	const char *base;      /* address if none is set; NULL: of a region */
	const char *base_env;  /* where users of its own tools set one */
	const char *max_tokens; /* for ai_chat_request; NULL: the wire's own */
	const char *token_env;  /* of a token that goes as a bearer's */
} providers[] = {
	{ "openai", &ai_wire_openai, "https://api.openai.com/v1",
	  "OPENAI_BASE_URL", NULL },
	{ "anthropic", &ai_wire_anthropic, "https://api.anthropic.com/v1",
	  "ANTHROPIC_BASE_URL", NULL,
	  "ANTHROPIC_AUTH_TOKEN" },
	{ AZURE, &ai_wire_openai, NULL, "AZURE_OPENAI_ENDPOINT",
	  NULL, "AZURE_OPENAI_AD_TOKEN" },
	{ "bedrock", &ai_wire_bedrock, NULL,
	  "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
	  NULL },
	{ "cohere", &ai_wire_cohere, "https://api.cohere.com/v2",
	  "CO_API_URL", NULL },
	{ "gemini", &ai_wire_gemini,
	  "https://generativelanguage.googleapis.com/v1beta",
	  "GOOGLE_GEMINI_BASE_URL", NULL },
	{ "mistral", &ai_wire_mistral, "https://api.mistral.ai/v1",
	  "MISTRAL_BASE_URL", NULL },
	{ "ollama", &ai_wire_ollama, "http://127.0.0.1:11434/api",
	  "OLLAMA_BASE_URL", NULL },
	{ "openrouter", &ai_wire_openai, "https://openrouter.ai/api/v1",
	  "OPENROUTER_BASE_URL", "max_tokens" },
	{ "groq", &ai_wire_openai, "https://api.groq.com/openai/v1",
	  "GROQ_BASE_URL", NULL },
	{ "deepseek", &ai_wire_openai, "https://api.deepseek.com/v1",
	  "DEEPSEEK_BASE_URL", "max_tokens" },
	{ "xai", &ai_wire_openai, "https://api.x.ai/v1", "XAI_BASE_URL",
	  NULL },
	{ "voyage", &ai_wire_voyage, "https://api.voyageai.com/v1",
	  "VOYAGE_BASE_URL", NULL },
	{ "jina", &ai_wire_jina, "https://api.jina.ai/v1", "JINA_BASE_URL",
	  NULL },
};

/* What --api may name, beside --base-url. */
static const struct ai_wire *const apis[] = {
	&ai_wire_openai, &ai_wire_anthropic, &ai_wire_bedrock, &ai_wire_cohere,
	&ai_wire_gemini, &ai_wire_mistral, &ai_wire_ollama, &ai_wire_responses,
	&ai_wire_voyage, &ai_wire_jina,
};

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

/* It stands in JSON, in addresses, in the ledger and in messages. */
static int check_name(const char *typed, size_t n, struct ai_err *err)
{
	if (n >= AI_MODEL_NAME_MAX)
		return ai_err_set(err, AI_E_CONFIG, "the name of the model "
				  "'%.40s...' is longer than %d bytes", typed,
				  AI_MODEL_NAME_MAX - 1);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)typed[i] < ' ' || typed[i] == 127)
			return ai_err_set(err, AI_E_CONFIG, "the name of a "
					  "model has no control characters in "
					  "it");
	return ai_utf8_valid(typed, n) == n ? 0 :
		ai_err_set(err, AI_E_CONFIG, "the name of the model is not "
			   "UTF-8");
}

/* ---- the configuration -------------------------------------------------- */

/* What it says of a provider, or of a --base-url by its host. */
static struct ai_value setting(const char *provider, const char *name)
{
	struct ai_buf path = AI_BUF_INIT(4 * AI_MODEL_NAME_MAX);
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	ai_buf_str(&path, "providers.");
	for (; *provider != '\0'; provider++) {
		if (*provider == '.' || *provider == '\\')
			ai_buf_chr(&path, '\\');
		ai_buf_chr(&path, *provider);
	}
	ai_buf_fmt(&path, ".%s", name);
	if (path.bad == AI_E_NONE)
		v = ai_config_get(ai_buf_cstr(&path));
	ai_buf_release(&path);
	return v;
}

/* The same as text; "" if it is not there. */
static int setting_text(const char *provider, const char *name, char *out,
			size_t size, struct ai_err *err)
{
	struct ai_value v = setting(provider, name);
	struct ai_buf b = AI_BUF_INIT(size - 1);

	if (v.kind == AI_STRING)
		ai_json_text(v, &b);
	snprintf(out, size, "%s", ai_buf_cstr(&b));
	if (ai_buf_check(&b, name, err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	ai_buf_release(&b);
	return 0;
}

/* ---- keys --------------------------------------------------------------- */

static const struct {
	const char *name;
	enum ai_auth auth;
} auths[] = {
	{ "bearer", AI_AUTH_BEARER }, { "x-api-key", AI_AUTH_X_API_KEY },
	{ "api-key", AI_AUTH_API_KEY }, { "x-goog-api-key", AI_AUTH_GOOGLE },
};

/* In which header it goes: as configured, else as the provider has it. */
static enum ai_auth auth_of(const struct ai_endpoint *e,
			    const struct provider *p)
{
	struct ai_value v = setting(e->provider, "auth");

	for (size_t i = 0; i < sizeof auths / sizeof *auths; i++)
		if (v.kind == AI_STRING &&
		    ai_json_is(v, ai_span_of(auths[i].name)))
			return auths[i].auth;
	return p != NULL && strcmp(p->name, AZURE) == 0 ? AI_AUTH_API_KEY
							: e->wire->auth;
}

/* p NULL: of the server of --base-url. */
static struct ai_keys_from keys_from(const char *name,
				     const struct provider *p,
				     enum ai_auth auth)
{
	return (struct ai_keys_from){
		.name = name, .env = ai_key_env(p != NULL ? p->name : ""),
		.token_env = p != NULL ? p->token_env : NULL, .auth = auth,
		.command = setting(name, "key_command"),
		.file = setting(name, "key_file"),
	};
}

static int take_keys(struct ai_endpoint *e, const struct ai_http_url *at,
		     const struct provider *p, struct ai_err *err)
{
	const struct ai_keys_from from = keys_from(e->provider, p,
						   auth_of(e, p));
	bool open = !at->secure && !at->loopback;

	if (ai_client.replay != NULL) /* it goes nowhere */
		return (e->ring = ai_keyring_new(NULL, err)) == NULL ? -1 : 0;
	if (from.command.kind != AI_NONE && from.file.kind != AI_NONE)
		return ai_err_set(err, AI_E_CONFIG, "providers.%.100s has a "
				  "key_file and a key_command: one of them",
				  e->provider);
	if (ai_keys_find(&e->keys, &from, err) < 0)
		return -1;
	if (e->keys == NULL && !at->loopback &&
	    !(open && ai_client.insecure_http))
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "no key for %s: set %s in the environment",
				  at->host, from.env[0]);
	if (open && !ai_client.insecure_http)
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "the key would go to %s unencrypted: use "
				  "https://, or --insecure-http in a network "
				  "you trust", at->host);
	e->ring = ai_keyring_new(e->keys, err);
	return e->ring == NULL ? -1 : 0;
}

/* ---- headers ------------------------------------------------------------ */

/* Variables that a provider's own tools send as headers. */
static const struct {
	const char *provider, *env, *name;
} env_headers[] = {
	{ "openai", "OPENAI_ORG_ID", "OpenAI-Organization" },
	{ "openai", "OPENAI_PROJECT_ID", "OpenAI-Project" },
};

static int add_env_headers(struct ai_endpoint *e, struct ai_err *err)
{
	for (size_t i = 0; i < sizeof env_headers / sizeof *env_headers; i++)
		if (strcmp(env_headers[i].provider, e->provider) == 0 &&
		    env(env_headers[i].env) != NULL &&
		    ai_headers_set(&e->headers, env_headers[i].name,
				   env(env_headers[i].env), false, err) < 0)
			return -1;
	return 0;
}

/* Keys and headers that are configured beside an address are for that one, and
 * do not go to another that a variable names. */
static int check_host(const struct ai_endpoint *e, struct ai_err *err)
{
	static const char *const bound[] = { "headers", "key_command",
					     "key_file" };
	struct ai_http_url own;
	char url[URL_MAX];

	if (setting_text(e->provider, "base_url", url, sizeof url, err) < 0)
		return -1;
	if (url[0] == '\0')
		return 0;
	if (ai_http_url(url, &own, err) < 0)
		return -1;
	if (strcmp(own.host, e->host) == 0)
		return 0;
	for (size_t i = 0; i < sizeof bound / sizeof *bound; i++)
		if (setting(e->provider, bound[i]).kind != AI_NONE)
			return ai_err_set(err, AI_E_CONFIG, "the %s of "
					  "providers.%.60s is for %.100s, and "
					  "a variable names %.100s instead: "
					  "unset it, or use a profile",
					  bound[i], e->provider, own.host,
					  e->host);
	return 0;
}

/* Anthropic's versions since this one take no sampling parameters. */
#define NO_SAMPLING_SINCE "2026-10-21"

static int take_version(struct ai_endpoint *e, struct ai_err *err)
{
	char version[64];

	if (e->wire != &ai_wire_anthropic)
		return 0;
	if (setting_text(e->provider, "version", version, sizeof version,
			 err) < 0)
		return -1;
	if (version[0] == '\0')
		return 0;
	if (strcmp(version, NO_SAMPLING_SINCE) >= 0) {
		e->own_wire = *e->wire;
		e->own_wire.lacks |= AI_CHAT_TEMPERATURE | AI_CHAT_TOP_P;
		e->wire = &e->own_wire;
	}
	return ai_headers_set(&e->headers, "anthropic-version", version, false,
			      err);
}

static int take_headers(struct ai_endpoint *e, struct ai_err *err)
{
	if (ai_headers_add(&e->headers, e->wire->headers, err) < 0 ||
	    take_version(e, err) < 0 || add_env_headers(e, err) < 0)
		return -1;
	return ai_client.replay != NULL ? 0 :
		ai_headers_configure(&e->headers,
				     setting(e->provider, "headers"), err);
}

const char *ai_endpoint_secret(const struct ai_endpoint *e, size_t i)
{
	const struct ai_key *key;
	size_t n = 0;

	for (size_t k = 0; (key = ai_keys_at(e->keys, k)) != NULL; k++) {
		if (n++ == i)
			return key->text;
		if (key->token != NULL && n++ == i)
			return key->token;
	}
	for (size_t k = 0; k < e->headers.n; k++)
		if (e->headers.v[k].secret != NULL && n++ == i)
			return e->headers.v[k].secret;
	return NULL;
}

/* ---- addresses ---------------------------------------------------------- */

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

/*
 * OLLAMA_HOST as Ollama reads it: an address, or a host and maybe a port, which
 * is 11434 unless a scheme says otherwise.  All interfaces are what a server
 * listens at; who asks it means this machine.
 */
static void put_ollama(const char *set, struct ai_buf *url)
{
	const char *sep = strstr(set, "://"), *p = sep != NULL ? sep + 3 : set;
	size_t n = strcspn(p, "/");
	const char *colon = memrchr(p, ':', n);
	struct ai_span name = { p, n }, port = AI_SPAN("");
	bool bare6 = n > 0 && p[0] != '[' && memchr(p, ':', n) != colon;

	if (colon != NULL && !bare6 &&
	    memchr(colon, ']', n - (size_t)(colon - p)) == NULL) {
		name.n = (size_t)(colon - p);
		port = (struct ai_span){ colon, n - name.n };
	}
	if (name.n == 0 || ai_span_is(name, "0.0.0.0") ||
	    ai_span_is(name, "[::]") || ai_span_is(name, "::"))
		name = AI_SPAN("127.0.0.1"), bare6 = false;
	if (port.n < 2)
		port = sep != NULL ? AI_SPAN("") : AI_SPAN(":11434");
	if (sep != NULL)
		ai_buf_add(url, set, (size_t)(p - set));
	else
		ai_buf_str(url, "http://");
	ai_buf_fmt(url, bare6 ? "[%.*s]" : "%.*s", (int)name.n, name.p);
	ai_buf_add(url, port.p, port.n);
	ai_buf_str(url, p + n);
	while (url->len > 0 && url->p[url->len - 1] == '/')
		url->p[--url->len] = '\0';
	ai_buf_str(url, "/api");
}

/* Below the resource's address: the classic paths, of a version and a
 * deployment, or those that are like OpenAI's own. */
static int put_azure(struct ai_endpoint *e, const char *resource,
		     struct ai_buf *url, struct ai_err *err)
{
	static const char *const tails[] = { "/", "/openai/v1", "/openai" };
	static const char *const versions[] = { "AZURE_OPENAI_API_VERSION",
						"OPENAI_API_VERSION" };
	struct ai_buf query = AI_BUF_INIT(sizeof e->query - 1);
	struct ai_span root = ai_span_of(resource);
	char version[64];

	if (setting_text(AZURE, "version", version, sizeof version, err) < 0)
		return -1;
	for (size_t i = 0; i < 2 && version[0] == '\0'; i++)
		if (env(versions[i]) != NULL)
			snprintf(version, sizeof version, "%s",
				 env(versions[i]));
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
		while (root.n > strlen(tails[i]) &&
		       memcmp(root.p + root.n - strlen(tails[i]), tails[i],
			      strlen(tails[i])) == 0)
			root.n -= strlen(tails[i]);
	ai_buf_add(url, root.p, root.n);
	if (version[0] == '\0') {
		ai_buf_str(url, "/openai/v1");
		return 0;
	}
	ai_wire_put_path(url, "/openai/deployments/{}", e->model);
	ai_wire_put_path(&query, "?api-version={}", version);
	snprintf(e->query, sizeof e->query, "%s", ai_buf_cstr(&query));
	ai_buf_release(&query);
	/* There is no list of models beside a deployment's paths. */
	e->own_wire = *e->wire;
	e->own_wire.models.path = NULL;
	e->wire = &e->own_wire;
	return 0;
}

/* A known provider's server: as a variable says, as is configured, where it
 * always is. */
static int at_provider(struct ai_endpoint *e, const struct provider *p,
		       struct ai_buf *url, struct ai_err *err)
{
	const char *set = env(p->base_env);
	char own[URL_MAX];

	e->wire = p->wire;
	e->max_tokens_name = p->max_tokens;
	snprintf(e->provider, sizeof e->provider, "%s", p->name);
	take_region(e, "");
	if (setting_text(p->name, "base_url", own, sizeof own, err) < 0)
		return -1;
	if (set == NULL && own[0] != '\0')
		set = own;
	if (strcmp(p->name, AZURE) == 0)
		return set != NULL ? put_azure(e, set, url, err) :
			ai_err_set(err, AI_E_CONFIG, "where is it? set "
				   "AZURE_OPENAI_ENDPOINT to "
				   "https://RESOURCE.openai.azure.com");
	if (set == NULL && p->wire == &ai_wire_ollama &&
	    env("OLLAMA_HOST") != NULL)
		put_ollama(env("OLLAMA_HOST"), url);
	else if (set == NULL && p->base == NULL)
		ai_buf_fmt(url, "https://bedrock-runtime.%s.amazonaws.com",
			   e->region);
	else
		ai_buf_str(url, set != NULL ? set : p->base);
	return 0;
}

/* The address without a slash behind; one that is a host alone gets what the
 * wire's paths stand below. */
static int take_base(struct ai_endpoint *e, struct ai_buf *url, bool bare,
		     struct ai_err *err)
{
	while (url->len > 0 && url->p[url->len - 1] == '/')
		url->p[--url->len] = '\0';
	if (bare)
		ai_buf_str(url, e->wire->root);
	if (ai_buf_check(url, "the address", err) < 0)
		return -1;
	e->base = ai_buf_take(url);
	return 0;
}

/* p NULL: the server of --base-url. */
static int take_place(struct ai_endpoint *e, const struct provider *p,
		      struct ai_buf *url, struct ai_err *err)
{
	struct ai_http_url at;

	if (p != NULL && at_provider(e, p, url, err) < 0)
		return -1;
	if (p == NULL)
		ai_buf_str(url, ai_client.base_url);
	if (ai_buf_check(url, "the address", err) < 0 ||
	    ai_http_url(ai_buf_cstr(url), &at, err) < 0)
		return -1;
	snprintf(e->host, sizeof e->host, "%s", at.host);
	if (p == NULL) {
		e->wire = apis[ai_client.api];
		e->max_tokens_name = "max_tokens";
		snprintf(e->provider, sizeof e->provider, "%.200s", at.host);
		take_region(e, at.host);
	}
	if (check_host(e, err) < 0 || take_keys(e, &at, p, err) < 0 ||
	    take_headers(e, err) < 0)
		return -1;
	return take_base(e, url, at.bare, err);
}

static int take_tariff(struct ai_endpoint *e, const char *typed, bool own,
		       bool booked, struct ai_err *err)
{
	const struct ai_key *key = ai_keys_at(e->keys, 0);

	e->tariff.price.kind = AI_PRICE_FREE;
	/* Each attempt is booked under its own key. */
	if (booked && ai_tariff_init(&e->tariff, typed, e->provider,
				     key != NULL ? key->text : NULL, err) < 0)
		return -1;
	if (own)
		e->tariff.shape = ai_shape_of_provider(
			ai_span_of(e->wire->name));
	e->tariff.played = ai_client.replay != NULL;
	return 0;
}

static int init(struct ai_endpoint *e, const char *typed, bool booked,
		struct ai_err *err)
{
	bool own = ai_client.base_url != NULL && *ai_client.base_url != '\0';
	const struct provider *p = own ? NULL : provider_of(typed);
	struct ai_buf url = AI_BUF_INIT(URL_MAX);
	int rc;

	if (!own && p == NULL)
		return no_provider(typed, err);
	if (ai_client.cert_key != NULL && ai_client.cert == NULL)
		return ai_err_set(err, AI_E_CONFIG, "--key is the key of a "
				  "certificate: give --cert");
	snprintf(e->model, sizeof e->model, "%s",
		 own ? typed : typed + strlen(p->name) + 1);
	rc = take_place(e, p, &url, err);
	ai_buf_release(&url);
	return rc < 0 ? -1 : take_tariff(e, typed, own, booked, err);
}

int ai_endpoint_init(struct ai_endpoint *e, const char *typed,
		     struct ai_err *err)
{
	size_t n = strlen(typed);

	memset(e, 0, sizeof *e);
	if (check_name(typed, n, err) < 0)
		return -1;
	if (n == 0 || typed[n - 1] == '/')
		return no_provider(typed, err);
	return init(e, typed, true, err);
}

int ai_endpoint_init_provider(struct ai_endpoint *e, const char *provider,
			      struct ai_err *err)
{
	char typed[AI_MODEL_NAME_MAX];

	memset(e, 0, sizeof *e);
	snprintf(typed, sizeof typed, "%.100s/",
		 provider != NULL ? provider : "");
	return init(e, typed, false, err);
}

const char *ai_provider_at(size_t i, bool *has_key)
{
	struct ai_keys_from from;

	if (i >= sizeof providers / sizeof *providers)
		return NULL;
	from = keys_from(providers[i].name, &providers[i],
			 providers[i].wire->auth);
	*has_key = ai_keys_named(&from);
	return providers[i].name;
}

void ai_endpoint_release(struct ai_endpoint *e)
{
	free(e->base);
	ai_keyring_free(e->ring);
	ai_headers_release(&e->headers);
	memset(e, 0, sizeof *e);
}
