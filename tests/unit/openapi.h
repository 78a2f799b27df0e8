/*
 * openapi.h: JSON against OpenAI's published description of its interface.
 * The file is not part of this repository: AI_SHARED.
 */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "record/schema.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE "data/openapi/openai-openapi.json"

static struct ai_err err;
static struct ai_buf api = AI_BUF_INIT((size_t)64 << 20);

static bool read_api(void)
{
	const char *shared = getenv("AI_SHARED");
	char path[4096], piece[65536];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/" PLACE,
		 shared != NULL ? shared : "../shared");
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		ai_buf_add(&api, piece, n);
	fclose(f);
	return api.len > 0;
}

static struct ai_schema *schema_of(const char *name)
{
	struct ai_schema_doc doc = { "https://api.invalid/openapi.json",
				     { api.p, api.len } };
	struct ai_schema *schema = NULL;
	char text[256];
	int n = snprintf(text, sizeof text, "{\"$ref\":\"https://api.invalid/"
			 "openapi.json#/components/schemas/%s\"}", name);

	if (!ok(ai_schema_new_with(&schema, text, (size_t)n, &doc, 1,
				   &err) == 0, "schema %s", name)) {
		printf("# %s\n", err.msg);
		return NULL;
	}
	return schema;
}

static void is_valid(const struct ai_schema *s, const char *body,
		     const char *what)
{
	if (s != NULL &&
	    !ok(ai_schema_check(s, body, strlen(body), &err) == 0,
		"valid: %s", what))
		printf("# %s\n# %s\n", err.msg, body);
}

#endif
