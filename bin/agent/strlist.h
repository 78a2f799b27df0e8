/* strlist.h: lists of strings, ended by NULL: arguments, environments, paths. */
#ifndef AGENT_STRLIST_H
#define AGENT_STRLIST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct agent_strings {
	char **v; /* owned, and each of it; NULL until the first is added */
	size_t n, cap;
};

/* One more, copied. A NUL within it would end it: who calls looks for those. */
int agent_strings_add(struct agent_strings *s, struct ai_span text,
		      struct ai_err *err);
/* The same as printf(3) makes it. */
int agent_strings_fmt(struct agent_strings *s, struct ai_err *err,
		      const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* All of a buffer, which is emptied. */
int agent_strings_take(struct agent_strings *s, struct ai_buf *b,
		       struct ai_err *err);
/* For execve(2); never NULL. Borrowed. */
const char *const *agent_strings_list(const struct agent_strings *s);
void agent_strings_release(struct agent_strings *s);

#endif
