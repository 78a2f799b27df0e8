/*
 * html.h: the attributes of a tag of HTML, and which of them hide what the tag
 * holds, for who looks through a text for some: no parser.
 */
#ifndef AI_TEXT_HTML_H
#define AI_TEXT_HTML_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct ai_attribute {
	struct ai_span name, value; /* without quotes, as they stand there */
};

/* The attribute of p[0..end) at or behind *at, which becomes where it ends;
 * false behind the last: then *at stays. */
bool ai_attribute_next(const char *p, size_t end, size_t *at,
		       struct ai_attribute *a);
/* Where a name that begins at p[at] ends. */
size_t ai_attribute_name(const char *p, size_t end, size_t at);

/* Whether the declarations of a style hide what has it. */
bool ai_style_hides(struct ai_span style);

#define AI_HIDING_MAX 16

/* Classes and ids that a style sheet hides: ".name", "#name". */
struct ai_hiding {
	struct ai_span v[AI_HIDING_MAX];
	size_t n;
};

/* Takes in those that stand before a rule that hides. */
void ai_hiding_note(struct ai_hiding *h, struct ai_span names);
/* Whether an attribute hides: hidden, style, class, id. */
bool ai_attribute_hides(const struct ai_hiding *h,
			const struct ai_attribute *a);

/* Whether a name is this word, or one of these (NULL ends them); case does not
 * matter. */
bool ai_html_is(struct ai_span s, const char *word);
bool ai_html_is_one_of(struct ai_span s, const char *const *words);

#endif
