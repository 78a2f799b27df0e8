/* path.h: where things are. Every returned string is the caller's to free. */
#ifndef AI_BASE_PATH_H
#define AI_BASE_PATH_H

#include "base/err.h"

/*
 * The installed data file of this name: in AI_DATADIR, else in
 * ../share/aiutils beside the running binary, else in the pkgdatadir that
 * was configured.  Fails with AI_E_CONFIG naming the places.
 */
int ai_path_data(const char *name, char **path, struct ai_err *err);

/* The program of this name beside the running binary, else just the name
 * (for a search along PATH). */
int ai_path_sibling(const char *program, char **path, struct ai_err *err);

/* dir/name */
int ai_path_join(const char *dir, const char *name, char **path,
		 struct ai_err *err);

/* What a command line names, to be read; "-" is a copy of standard input. -1
 * and AI_E_OPEN if it cannot be opened or is a folder; else the caller
 * closes it. */
int ai_path_open(const char *path, struct ai_err *err);

/* $XDG_CONFIG_HOME/aiutils/name, else ~/.config/aiutils/name; AI_E_CONFIG
 * when neither variable is set. */
int ai_path_config(const char *name, char **path, struct ai_err *err);

/* The same with $XDG_CACHE_HOME and ~/.cache. */
int ai_path_cache(const char *name, char **path, struct ai_err *err);

/* The same with $XDG_DATA_HOME and ~/.local/share. */
int ai_path_home(const char *name, char **path, struct ai_err *err);

#endif
