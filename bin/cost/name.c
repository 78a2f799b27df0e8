/* name.c: models, as the ledger names them. */
#include "cost.h"

#include "base/msg.h"
#include "model/catalog.h"

#include <stdio.h>
#include <string.h>

/* Nobody's own model is meant by a name that one letter separates from a known
 * one; yet it may be. */
static void doubt(const struct ai_catalog *c, const char *typed)
{
	char near[AI_CATALOG_NAME];

	if (ai_catalog_nearest(c, ai_span_of(typed), near, sizeof(near)))
		ai_msg(AI_MSG_WARN, "no model '%s' is known; did you mean "
		       "'%s'? It holds for calls to just '%s'", typed, near,
		       typed);
}

const char *cost_model_name(const char *typed, bool tell,
			    char out[COST_MODEL_MAX])
{
	const struct ai_catalog *c;
	struct ai_model m;
	bool found;

	if (*typed == '\0' || strpbrk(typed, "*,") != NULL ||
	    ai_catalog_shared(&c, NULL) < 0)
		return typed;
	found = ai_catalog_find(c, ai_span_of(typed), NULL, &m, NULL) == 0;
	if (!found && tell)
		doubt(c, typed);
	if (!found || strcmp(m.name, typed) == 0)
		return typed;
	snprintf(out, COST_MODEL_MAX, "%s", m.name);
	if (tell)
		ai_msg(AI_MSG_WARN, "'%s' is booked as '%s': it is set for "
		       "that", typed, out);
	return out;
}
