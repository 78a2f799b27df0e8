/*
 * allow.h: what is known to be harmless.
 *
 *	[CONTEXT:][KIND[/RULE]] text VALUE      the finding is this, byte for byte
 *	[CONTEXT:][KIND[/RULE]] pattern REGEX   all of the finding matches it
 *	host NAME                         may be linked to; *.NAME: those below it
 */
#ifndef GUARD_ALLOW_H
#define GUARD_ALLOW_H

#include "policy.h"

struct guard_allow_entry;

struct guard_allow {
	struct guard_allow_entry *v; /* owned; texts first, sorted, when ready */
	size_t n, cap, n_texts;
	bool ready;
};

/* Adds one entry; place and code as for guard_policy_add(). */
int guard_allow_add(struct guard_allow *a, struct ai_span entry,
		    const char *place, enum ai_code code, struct ai_err *err);
/* Adds a file of entries, a line each; "#" begins a comment line.  place and
 * code are those of the file's name. */
int guard_allow_file(struct guard_allow *a, const char *path,
		     const char *place, enum ai_code code, struct ai_err *err);
/* After the last one; before the first question. */
void guard_allow_ready(struct guard_allow *a);
void guard_allow_release(struct guard_allow *a);

/* The entry that allows the finding, for people; NULL: none.  A pattern that
 * takes too long on the finding does not allow it. */
const char *guard_allow_find(const struct guard_allow *a,
			     enum guard_context context, struct ai_span text,
			     const struct guard_finding *x);
bool guard_allow_host(const struct guard_allow *a, const char *host, size_t n);
/* Whether any host is allowed. */
bool guard_allow_hosts(const struct guard_allow *a);

#endif
