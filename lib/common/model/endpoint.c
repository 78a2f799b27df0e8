/* endpoint.c: from a model's name to a server, its address and its key. */
#include "model/client.h"

#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Providers by the first part of a model's name. */
static const struct provider {
	const char *name;
	const struct ai_wire *wire;
	const char *base;     /* address if none is set */
	const char *base_env; /* where users of its own tools set one */
	const char *key_env;
} providers[] = {
	{ "openai", &ai_wire_openai, "https://api.openai.com/v1",
	  "OPENAI_BASE_URL", "OPENAI_API_KEY" },
};

#define KEY_ENV "AI_API_KEY" /* of a --base-url */

static const char *env(const char *name)
{
	const char *v = getenv(name);

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

static int no_provider(const char *model, struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "no model '%.100s': give openai/NAME, or the name "
			  "with --base-url (or a model of local/, see the "
			  "manual)", model);
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

static int take_key(struct ai_endpoint *e, const struct ai_http_url *at,
		    const char *from, struct ai_err *err)
{
	bool open = !at->secure && !at->loopback;

	e->key = env(from);
	if (e->key == NULL && !at->loopback && !(open && ai_client.insecure_http))
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "no key for %s: set %s in the environment",
				  at->host, from);
	if (open && !ai_client.insecure_http)
		return ai_err_set(err, AI_E_NOT_ALLOWED,
				  "the key would go to %s unencrypted: use "
				  "https://, or --insecure-http in a network "
				  "you trust", at->host);
	return check_key(e->key, from, err);
}

/* The base address without a slash behind; "/v1" where there is no path. */
static int take_base(struct ai_endpoint *e, const char *url, bool bare,
		     struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	ai_buf_add(&b, url, n);
	if (bare)
		ai_buf_str(&b, "/v1");
	if (ai_buf_check(&b, "the address", err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	e->base = ai_buf_take(&b);
	return 0;
}

int ai_endpoint_init(struct ai_endpoint *e, const char *model,
		     struct ai_err *err)
{
	const struct provider *p = NULL;
	const char *url = ai_client.base_url, *key = KEY_ENV, *typed = model;
	struct ai_http_url at;
	int n;

	memset(e, 0, sizeof *e);
	e->wire = &ai_wire_openai;
	e->max_tokens_name = "max_tokens";
	if (url == NULL || *url == '\0') {
		p = provider_of(model);
		if (p == NULL)
			return no_provider(model, err);
		url = env(p->base_env);
		url = url != NULL ? url : p->base;
		key = p->key_env;
		e->wire = p->wire;
		e->max_tokens_name = NULL;
		model += strlen(p->name) + 1;
	}
	n = snprintf(e->model, sizeof e->model, "%s", model);
	if (n <= 0 || (size_t)n >= sizeof e->model)
		return no_provider(model, err);
	if (ai_http_url(url, &at, err) < 0)
		return -1;
	snprintf(e->provider, sizeof e->provider, "%.200s",
		 p != NULL ? p->name : at.host);
	if (take_key(e, &at, key, err) < 0 ||
	    ai_tariff_init(&e->tariff, typed, e->provider, e->key, err) < 0)
		return -1;
	return take_base(e, url, at.bare, err);
}

void ai_endpoint_release(struct ai_endpoint *e)
{
	free(e->base);
	memset(e, 0, sizeof *e);
}
