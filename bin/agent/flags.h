/* flags.h: the options that were given, for who is to have them as well: a run
 * that is gone on with, a run within the run. */
#ifndef AGENT_FLAGS_H
#define AGENT_FLAGS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

#include "strlist.h"

#include <stdbool.h>

/* Calls each() with each that was given by this source or a stronger one, once
 * for each value; -1 ends it. The value is borrowed. */
typedef int agent_flags_fn(void *arg, const struct ai_opt *o,
			   const char *value, struct ai_err *err);
int agent_flags_each(enum ai_source least, agent_flags_fn *each, void *arg,
		     struct ai_err *err);

/* A flag that a run had from its configuration, or the environment, when it was
 * begun: it is in force again, and no word of the person who goes on with it. */
void agent_flags_weaken(size_t option);
/* Whether the option at this place was given as a flag, now or then. */
bool agent_flags_given(const void *to);
/* Something else stands at this place: it is no flag any more. */
void agent_flags_replaced(const void *to);

/* Adds all flags to an argv but those that are skipped, by the place of their
 * value or their name: for another ai-agent. */
int agent_flags_argv(struct agent_strings *argv,
		     bool (*skips)(const void *to, const char *name),
		     struct ai_err *err);

/* Members of a run's setup: all that was given, and the folder that it was given
 * in, so that who goes on with it need not know it; by the environment and the
 * configuration, too: they may be others by then. */
int agent_flags_put(struct ai_buf *b, struct ai_err *err);

#endif
