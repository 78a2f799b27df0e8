#include "model/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX ((size_t)8192)
#define SECRET_MIN 8

void ai_headers_release(struct ai_headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].line);
	h->n = 0;
}

/* What a request has in any case, or what a key goes into. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = {
		"accept", "accept-encoding", "api-key", "authorization",
		"connection", "content-encoding", "content-length",
		"content-type", "expect", "host", "te", "trailer",
		"transfer-encoding", "upgrade", "x-api-key", "x-goog-api-key",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static int check(const char *name, const char *value, struct ai_err *err)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

	if (*name == '\0' || name[strspn(name, token)] != '\0')
		return ai_err_set(err, AI_E_CONFIG, "'%.100s' is no name of a "
				  "header", name);
	if (is_reserved(name))
		return ai_err_set(err, AI_E_CONFIG, "the header '%.100s' is "
				  "not among those that can be set; keys have "
				  "places of their own", name);
	if (*value == '\0')
		return ai_err_set(err, AI_E_CONFIG, "the header '%.100s' has "
				  "no value", name);
	for (const char *p = value; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return ai_err_set(err, AI_E_CONFIG, "the value of the "
					  "header '%.100s' has a control "
					  "character in it", name);
	return 0;
}

/* That of this name, or a new one. NULL: there are too many. */
static struct ai_header *place(struct ai_headers *h, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < h->n; i++)
		if (strncasecmp(h->v[i].line, name, n) == 0 &&
		    h->v[i].line[n] == ':')
			return &h->v[i];
	return h->n == AI_HEADERS_MAX ? NULL : &h->v[h->n];
}

int ai_headers_set(struct ai_headers *h, const char *name, const char *value,
		   bool secret, struct ai_err *err)
{
	struct ai_header *at = place(h, name);
	struct ai_buf b = AI_BUF_INIT(VALUE_MAX);
	const char *blank;

	if (check(name, value, err) < 0)
		return -1;
	if (at == NULL)
		return ai_err_set(err, AI_E_CONFIG, "more than %d headers",
				  AI_HEADERS_MAX);
	ai_buf_fmt(&b, "%s: %s", name, value);
	if (ai_buf_check(&b, "a header", err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	if (at == &h->v[h->n])
		h->n++;
	else
		free(at->line);
	at->line = ai_buf_take(&b);
	/* Of "Bearer SECRET" the last word.  A short one ("true") is none, and
	 * would take harmless words out of messages. */
	blank = strrchr(at->line, ' ');
	at->secret = secret && strlen(blank + 1) >= SECRET_MIN ? blank + 1
							       : NULL;
	return 0;
}

int ai_headers_add(struct ai_headers *h, const char *const *list,
		   struct ai_err *err)
{
	char name[100];
	size_t n;

	for (; list != NULL && *list != NULL; list++) {
		n = strcspn(*list, ":");
		snprintf(name, sizeof name, "%.*s", (int)n, *list);
		if (ai_headers_set(h, name, *list + n + 2, false, err) < 0)
			return -1;
	}
	return 0;
}

static int configure(struct ai_headers *h, const char *name,
		     const char *value, struct ai_err *err)
{
	bool secret = strncmp(value, "env:", 4) == 0;
	const char *v = secret ? getenv(value + 4) : value;

	if (v == NULL || *v == '\0')
		return ai_err_set(err, AI_E_CONFIG, "the header '%.100s' has "
				  "the value of %.100s, which is not set", name,
				  secret ? value + 4 : "\"\"");
	return ai_headers_set(h, name, v, secret, err);
}

int ai_headers_configure(struct ai_headers *h, struct ai_value object,
			 struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(VALUE_MAX),
		value = AI_BUF_INIT(VALUE_MAX);
	struct ai_json_iter it;
	struct ai_value key, v;
	int rc = 0;

	if (object.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, object);
	while (rc == 0 && ai_json_next(&it, &key, &v)) {
		ai_buf_clear(&name);
		ai_buf_clear(&value);
		ai_json_text(key, &name);
		ai_json_text(v, &value);
		rc = ai_buf_check(&name, "the name of a header", err);
		if (rc == 0)
			rc = ai_buf_check(&value, "a header", err);
		if (rc == 0 && (strlen(ai_buf_cstr(&name)) != name.len ||
				strlen(ai_buf_cstr(&value)) != value.len))
			rc = ai_err_set(err, AI_E_CONFIG, "a header has a "
					"control character in it");
		if (rc == 0)
			rc = configure(h, ai_buf_cstr(&name),
				       ai_buf_cstr(&value), err);
	}
	ai_buf_release(&name);
	ai_buf_release(&value);
	return rc;
}

void ai_header_of_key(const struct ai_key *key, char out[AI_HEADER_KEY])
{
	static const char *const names[] = {
		[AI_AUTH_BEARER] = "Authorization: Bearer ",
		[AI_AUTH_X_API_KEY] = "x-api-key: ",
		[AI_AUTH_API_KEY] = "api-key: ",
		[AI_AUTH_GOOGLE] = "x-goog-api-key: ",
		[AI_AUTH_AWS] = "Authorization: Bearer ",
	};

	snprintf(out, AI_HEADER_KEY, "%s%s", names[key->auth], key->text);
}
