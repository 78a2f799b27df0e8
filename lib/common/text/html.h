/*
 * html.h: the attributes of a tag of HTML, for who looks through a text for
 * some: no parser.
 */
#ifndef AI_TEXT_HTML_H
#define AI_TEXT_HTML_H

#include "base/str.h"

#include <stdbool.h>

struct ai_attribute {
	struct ai_span name, value; /* without quotes, as they stand there */
};

/* The attribute of p[0..end) at or behind *at, which becomes where it ends;
 * false behind the last: then *at stays. */
bool ai_attribute_next(const char *p, size_t end, size_t *at,
		       struct ai_attribute *a);
/* Where a name that begins at p[at] ends. */
size_t ai_attribute_name(const char *p, size_t end, size_t at);

#endif
