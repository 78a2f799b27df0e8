/* args.h: the arguments that a model gives a tool, before the tool sees them. */
#ifndef AGENT_ARGS_H
#define AGENT_ARGS_H

#include "base/buf.h"
#include "record/json.h"

#include "tool/tool.h"

/* Bytes that arguments may have. */
#define AGENT_ARGS_MAX ((size_t)4 << 20)

/*
 * Replaces cleaned by the arguments, one JSON object without blanks between
 * its parts, if they satisfy the tool's schema.  Nothing, null and the empty
 * string are {}; an object that was packed into a string is taken out.  -1:
 * AI_E_RECORD, and AI_E_TOO_LONG, say what the model is to mend; AI_E_MEMORY.
 */
int agent_args_check(const struct agent_tool *tool, struct ai_span args,
		     struct ai_buf *cleaned, struct ai_err *err);

/* The same value without blanks. */
void agent_json_compact(struct ai_value v, struct ai_buf *out);

/* All strings of a value, names too, a line each. */
void agent_json_strings(struct ai_span json, struct ai_buf *out);

#endif
