/* by.h: the rules that do not cut with split.c's levels; called by it alone. */
#ifndef CHUNK_BY_H
#define CHUNK_BY_H

#include "split.h"

typedef int chunk_splitter(const char *p, size_t n, const struct chunk_how *how,
			   int (*sink)(void *arg,
				       const struct chunk_piece *piece,
				       struct ai_err *err),
			   void *arg, struct ai_err *err);

chunk_splitter chunk_split_recursive; /* by-recursive.c */
chunk_splitter chunk_split_tokens;    /* by-tokens.c */

#endif
