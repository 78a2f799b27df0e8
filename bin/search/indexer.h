/*
 * indexer.h: the words of new documents, taken by a thread beside the one that
 * stores them.
 */
#ifndef SEARCH_INDEXER_H
#define SEARCH_INDEXER_H

#include "postings.h"

struct search_indexer;

/* a is borrowed until the end; boost: what a word of a title counts; beside:
 * whether by a thread of its own. */
struct search_indexer *search_indexer_new(const struct ai_analyzer *a,
					  int64_t boost, bool beside,
					  struct ai_err *err);
void search_indexer_free(struct search_indexer *x);
/* Takes the words of row n, which must be greater than any before.  Nothing is
 * borrowed.  -1: this or something before has failed; it can but be freed. */
int search_indexer_add(struct search_indexer *x, int64_t n, struct ai_span text,
		       struct ai_span source, struct ai_span meta,
		       struct ai_err *err);
/* Rows, and bytes of their texts, that are in no file yet. */
size_t search_indexer_rows(const struct search_indexer *x);
size_t search_indexer_bytes(const struct search_indexer *x);
/* Writes a file of these, the rows [from, to), as search_builder_write();
 * those that come from now on are for the next.  Done at the next wait. */
int search_indexer_write(struct search_indexer *x, const char *path,
			 int64_t from, int64_t to, struct ai_err *err);
/* Until all of that is done. */
int search_indexer_wait(struct search_indexer *x, struct ai_err *err);

#endif
