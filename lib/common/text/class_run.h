/* class_run.h: runs of characters of some classes; for those who cut text. */
#ifndef AI_TEXT_CLASS_RUN_H
#define AI_TEXT_CLASS_RUN_H

#include "text/class.h"

#include <stdbool.h>

/* A set of classes is a bit for each. */

/* Whether what begins at p[at] is in the set; *end is where it ends. */
static inline bool ai_class_is(const char *p, size_t n, size_t at,
			       unsigned set, size_t *end)
{
	size_t len;
	enum ai_class c = ai_class_at(p, n, at, &len);

	*end = at + len;
	return (set >> c & 1) != 0;
}

/* The end of the run of characters in the set, at most max of them. */
static inline size_t ai_class_run(const char *p, size_t n, size_t at,
				  unsigned set, size_t max)
{
	size_t end;

	while (max-- > 0 && ai_class_is(p, n, at, set, &end))
		at = end;
	return at;
}

#endif
