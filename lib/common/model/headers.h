/*
 * headers.h: what stands above a request.
 *
 * The wire's own headers, those that a variable or the configuration adds, and
 * the one with the key.  A gateway may want more than a provider does:
 *
 *	"providers": { "openai": { "headers": {
 *		"x-portkey-provider": "openai",
 *		"x-portkey-api-key": "env:PORTKEY_API_KEY" } } }
 *
 * What comes from a variable is a secret, and is hidden like a key.
 */
#ifndef AI_MODEL_HEADERS_H
#define AI_MODEL_HEADERS_H

#include "model/keys.h"

#define AI_HEADERS_MAX 40

struct ai_headers {
	struct ai_header {
		char *line;         /* "Name: value"; owned */
		const char *secret; /* what of it nobody is to see; NULL */
	} v[AI_HEADERS_MAX];
	size_t n;
};

void ai_headers_release(struct ai_headers *h);
/*
 * Adds one, or replaces that of the same name.  AI_E_CONFIG: it is no name, or
 * one that is not the user's to set; the value is empty or more than a line.
 */
int ai_headers_set(struct ai_headers *h, const char *name, const char *value,
		   bool secret, struct ai_err *err);
/* Each "Name: value" of a list that NULL ends; list may be NULL. */
int ai_headers_add(struct ai_headers *h, const char *const *list,
		   struct ai_err *err);
/* Each member of an object; a value "env:NAME" is that of the variable. */
int ai_headers_configure(struct ai_headers *h, struct ai_value object,
			 struct ai_err *err);

#define AI_HEADER_KEY (AI_KEY_BYTES + 64)
/* The header with the key. */
void ai_header_of_key(const struct ai_key *key, char out[AI_HEADER_KEY]);

#endif
