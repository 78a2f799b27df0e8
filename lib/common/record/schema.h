/*
 * schema.h: JSON Schema, draft 2020-12.
 *
 * A schema is checked against its meta-schema and compiled once; then any
 * number of threads may check values against it.  Nothing is ever fetched:
 * a $ref leads into the schema itself, into the meta-schema, which is built
 * in, or into a document that the caller hands over.
 *
 * What is understood: the core, applicator, unevaluated, validation and
 * meta-data vocabularies, and those that a custom meta-schema names with
 * $vocabulary.  format and content* are annotations, as the draft has it by
 * default, and assert nothing.  The older names definitions and dependencies
 * work, and a $schema of drafts 6 to 2019-09 is accepted; the rules are
 * those of 2020-12 all the same.  Numbers are compared and divided exactly,
 * whatever their length.  Patterns are ECMA-262 as text/regex.h has it.
 *
 * Neither schema nor value need to be trusted: depth, steps and matching are
 * bounded, and whatever hits a bound is an error, never an answer.
 */
#ifndef AI_RECORD_SCHEMA_H
#define AI_RECORD_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct ai_schema;

/* A further document that references may name by its URI. */
struct ai_schema_doc {
	const char *uri;
	struct ai_span json;
};

/*
 * Compiles the schema json[0..n); the text is copied.  -1: AI_E_DATA names
 * the place in the schema ("properties.size.minimum: ...") and what is
 * wrong with it, AI_E_JSON and AI_E_UTF8 that it is not JSON, AI_E_TOO_LONG
 * which limit it hits, AI_E_MEMORY.
 */
int ai_schema_new(struct ai_schema **schema, const char *json, size_t n,
		  struct ai_err *err);

/*
 * The same with further documents (borrowed for the call).  Where two
 * define the same URI the schema goes first, then the earlier document.
 */
int ai_schema_new_with(struct ai_schema **schema, const char *json, size_t n,
		       const struct ai_schema_doc *docs, size_t n_docs,
		       struct ai_err *err);

/*
 * The same for a schema that comes with the toolkit and that a test compiles
 * with ai_schema_new(): what the meta-schema says of it is not asked again,
 * and no $ref to the meta-schema can be in it.  That saves a millisecond
 * when a program starts.
 */
int ai_schema_new_unchecked(struct ai_schema **schema, const char *json,
			    size_t n, struct ai_err *err);

void ai_schema_free(struct ai_schema *schema);

/*
 * Checks the value json[0..n).  0: it is valid.  -1: AI_E_RECORD if not; the
 * message names the place as people read it and what is wrong there:
 *
 *	chunk.size: 0 is less than the minimum 1
 *	chunk.siez: not a known key; did you mean 'size'?
 *
 * (no place when it is the whole value).  AI_E_JSON, AI_E_UTF8: not JSON at
 * all; AI_E_TOO_LONG: more than 262144 values, or more work than the limits
 * allow; AI_E_MEMORY.
 */
int ai_schema_check(const struct ai_schema *schema, const char *json, size_t n,
		    struct ai_err *err);
/* The same; where becomes the place in the schema that is violated, as
 * "properties.size.minimum": other than the message it has nothing of the value
 * in it.  With another error than AI_E_RECORD it means nothing. */
int ai_schema_check_where(const struct ai_schema *schema, const char *json,
			  size_t n, struct ai_buf *where, struct ai_err *err);

#endif
