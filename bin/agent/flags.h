/* flags.h: the options that were given, for who is to have them as well: a run
 * that is gone on with, a run within the run. */
#ifndef AGENT_FLAGS_H
#define AGENT_FLAGS_H

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

/* Adds all flags to an argv but those that are skipped: for another ai-agent. */
int agent_flags_argv(struct agent_strings *argv,
		     bool (*skips)(const char *name), struct ai_err *err);

#endif
