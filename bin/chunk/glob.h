/*
 * glob.h: patterns of names, as git's files of ignored names have them.
 *
 * They are matched byte by byte, in time that grows at most with the length
 * of the pattern times the square of the name's: a pattern comes from the
 * tree that is read.
 */
#ifndef CHUNK_GLOB_H
#define CHUNK_GLOB_H

#include "base/str.h"

#include <stdbool.h>

/*
 * Whether the pattern is all of the name.  "*", "?" and "[...]" never stand
 * for a slash; "**" between slashes, or at an end, stands for any folders.  A
 * backslash takes the meaning from the character behind it.
 */
bool chunk_glob(struct ai_span pattern, struct ai_span name);

#endif
