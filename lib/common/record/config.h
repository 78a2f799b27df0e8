/*
 * config.h: the configuration file, $XDG_CONFIG_HOME/aiutils/config.json or
 * --config FILE: JSON with // and slash-star comments, checked against
 * data/schema/config.json, with profiles chosen by AI_PROFILE or --profile.
 */
#ifndef AI_RECORD_CONFIG_H
#define AI_RECORD_CONFIG_H

#include "base/opt.h"
#include "record/json.h"

/* For ai_program.configure: fills every option that has a key. */
int ai_config_apply(struct ai_opts *o, struct ai_err *err);

/*
 * The value at a path, the profile's before the file's own; AI_NONE if
 * there is none or no file.  For what is no option: "converters", ...
 */
struct ai_value ai_config_get(const char *path);
/* All of the file; AI_NONE if there is none. */
struct ai_value ai_config_root(void);

#endif
