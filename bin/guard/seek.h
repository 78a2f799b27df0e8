/* seek.h: the matches of rules (rules.h) in a text. */
#ifndef GUARD_SEEK_H
#define GUARD_SEEK_H

#include "rules.h"
#include "text/regex.h"

#include <stdatomic.h>

#define GUARD_SEEK_RULES 512 /* of a table that is built in */

/* Expressions are compiled when a key of theirs is first seen, and stay. */
struct guard_seek_cache {
	_Atomic(struct ai_regex *) patterns[GUARD_SEEK_RULES];
};

/* The expression of a slot, which threads may share; NULL: err. */
struct ai_regex *guard_seek_regex(_Atomic(struct ai_regex *) *slot,
				  const char *pattern, struct ai_err *err);

/* A rule (its index) matched, its first group, or all of it, being from..to.
 * -1 ends the search. */
typedef int guard_seek_fn(void *arg, unsigned rule, struct ai_span match,
			  size_t from, size_t to);
/* Calls each() for the matches in the text.  -1: it did, or AI_E_MEMORY. */
int guard_seek(const struct guard_rules *r, struct guard_seek_cache *cache,
	       struct ai_span text, guard_seek_fn *each, void *arg,
	       struct ai_err *err);

#endif
