/* analyzers.h: the languages whose words an index knows. */
#ifndef SEARCH_ANALYZERS_H
#define SEARCH_ANALYZERS_H

#include "text/analyze.h"

/*
 * "english" and "none" (analyze.h), or a language of Snowball's stemmers:
 * libstemmer (Debian's libstemmer0d) is opened when one is asked for.
 * AI_E_USAGE: no such language; AI_E_CONFIG: libstemmer is not there, or does
 * not know it.  The caller's: search_analyzer_free().
 */
struct ai_analyzer *search_analyzer_new(const char *name, struct ai_err *err);
void search_analyzer_free(struct ai_analyzer *a);

/* All names, NULL at the end. */
extern const char *const search_analyzer_names[];

#endif
