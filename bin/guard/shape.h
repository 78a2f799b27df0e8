/* shape.h: whether records and texts have the shape they should. */
#ifndef GUARD_SHAPE_H
#define GUARD_SHAPE_H

#include "guard.h"

struct guard_shape_settings {
	const char *schema, *text_schema; /* files; NULL: none */
	int64_t max_text; /* bytes; 0: any number */
};
extern struct guard_shape_settings guard_shape_settings;

/* Compiles the schemas that the settings name, once, before any thread.  -1:
 * AI_E_OPEN, or AI_E_DATA names the file and the place in it. */
int guard_shape_open(struct ai_err *err);
void guard_shape_close(void);

/*
 * A text: its length (rule "size"), halves of characters ("surrogate"), and
 * the text as JSON against the schema ("text-schema").  string is its token in the
 * record, or of another kind.  -1: memory, or that a schema asked for more work
 * than is allowed: that is no answer.
 */
int guard_shape_text(struct ai_value string, struct ai_span text,
		     struct guard_findings *f, struct ai_err *err);
/* The record as it came against the schema ("schema"); no bytes of a text. */
int guard_shape_record(const struct ai_rec *rec, struct guard_findings *f,
		       struct ai_err *err);
/* The same for a record that no text is in, and so no finding: AI_E_RECORD. */
int guard_shape_empty(const struct ai_rec *rec, struct ai_err *err);

#endif
