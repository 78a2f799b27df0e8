/* schema-all.h: what several schemas ask for together, of one value. */
#ifndef AGENT_FLOW_SCHEMA_ALL_H
#define AGENT_FLOW_SCHEMA_ALL_H

#include "flow/int.h"

/* What "#/..." leads to; AI_NONE: that is not to be seen here. */
struct ai_value flow_schema_resolve(struct ai_value root, struct ai_value ref);
/* Whether everything satisfies it, as far as can be seen. */
bool flow_schema_is_all(struct ai_value schema);
/*
 * Whether something may satisfy all that a schema draws in at one value: itself,
 * allOf, $ref, a branch of anyOf and oneOf, then if `if` holds always.  false:
 * surely not; *at and why say why.  looks bounds the work: when it is used up, it
 * may.
 */
bool flow_schema_together(struct ai_value root, struct ai_value schema,
			  size_t *looks, struct ai_value *at,
			  const char **why);

#endif
