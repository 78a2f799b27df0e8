/*
 * template.h: how the arguments of a call become those of a program, without
 * a shell: an element of the template is one argument of the program, whatever
 * is in it.
 *
 *	text {name} text    the argument's value: a string as it is, the
 *	                    others as JSON
 *	{name?text}         the text, if the argument is there and not false
 *	{name...}           alone in its element: an array, an element each
 *	{{                  a brace
 *
 * An element none of whose placeholders has a value is left out, and so is a
 * group, a list within the list, as soon as one of its is left out.  null is
 * no value.  {key} is the call's idempotency key, unless the tool has an
 * argument of that name.
 */
#ifndef AGENT_TEMPLATE_H
#define AGENT_TEMPLATE_H

#include "record/json.h"

#include "strlist.h"

#include <stdbool.h>

struct agent_piece {
	enum { AGENT_TEXT, AGENT_VALUE, AGENT_SPREAD, AGENT_WHEN } kind;
	char *text; /* owned; what is inserted, for TEXT and WHEN */
	char *name; /* owned; of the argument, for all but TEXT */
	bool key;   /* VALUE: of the idempotency key */
	bool dash;  /* its value may begin an element with '-' */
};

struct agent_element {
	size_t first, n; /* pieces */
	size_t group;    /* elements of the same group are neighbours; 0: of
			  * none */
};

struct agent_template {
	struct agent_piece *pieces;
	size_t n_pieces;
	struct agent_element *elements;
	size_t n_elements;
	size_t groups;
};

/*
 * Reads a list of elements and groups, or one string, from JSON that was
 * checked.  parameters is the tool's schema, whose properties are the names
 * there are; allow_dash a list of names, or nothing.  -1: AI_E_CONFIG, which
 * says which element, or AI_E_MEMORY; *t is released then.
 */
int agent_template_read(struct agent_template *t, struct ai_value list,
			struct ai_value parameters, struct ai_value allow_dash,
			struct ai_err *err);
void agent_template_release(struct agent_template *t);

/*
 * Appends the program's arguments.  args satisfies the schema.  -1:
 * AI_E_RECORD says what the model is to mend: a NUL in a value, a value that
 * would be taken for an option, one too long for a command line.
 */
int agent_template_fill(const struct agent_template *t, struct ai_value args,
			const char *key, struct agent_strings *out,
			struct ai_err *err);
/* The text of one string, for a program's input: nothing is refused in it. */
int agent_template_text(const struct agent_template *t, struct ai_value args,
			const char *key, struct ai_buf *out,
			struct ai_err *err);

#endif
