/*
 * language.h: queries as people type them.
 *
 *	batch size      rows with any of the words, those with more first
 *	"batch size"    and only rows where they stand side by side
 *	+batch          and only rows with the word
 *	-batch -"a b"   and no row with it; NOT batch is the same
 *	batch*          any word that begins so
 *	uri:docs        a key of the metadata and its value: for the filter
 *	uri:"a b"       the same with blanks; -uri:docs: rows without
 *
 * Nothing is an error.  What does not look like one of these is words: a quote
 * that is never closed or stands inside a word, a lone sign, "--option", "-r"
 * and "-1" (a sign takes out words of two characters or more with a letter), a
 * key that the index does not know ("std::map", "12:30", "http://x").  Stop
 * words are dropped, unless there is nothing else; in quotes they count.
 */
#ifndef SEARCH_LANGUAGE_H
#define SEARCH_LANGUAGE_H

#include "postings.h"

#define SEARCH_CLAUSES_MAX 256 /* what is behind them is left out */

/* KEY:VALUE. */
struct search_pair {
	struct ai_span key, value; /* of the query's own bytes */
	bool not;
};

struct search_language {
	struct search_clause *clauses;
	size_t clauses_n;
	struct search_pair *pairs;
	size_t pairs_n;
	struct search_place {
		size_t from, to;
	} *places;           /* the bytes of the query that a clause is from */
	struct ai_span query; /* borrowed */
	char *bytes;          /* of the terms */
	struct ai_span *terms;
	uint32_t *positions;
};

/* Whether the index has such a key in its metadata. */
typedef bool search_key_fn(void *arg, struct ai_span key);

/*
 * Reads a query, which must stay as long as l.  is_key may be NULL: none is.
 * -1: memory.  Release l also after a failure.
 */
int search_language_read(struct search_language *l, const struct ai_analyzer *a,
			 struct ai_span query, search_key_fn *is_key,
			 void *arg, struct ai_err *err);
void search_language_release(struct search_language *l);
/*
 * A clause as one could have typed it alone: "batch", batch*, +batch,
 * -"batch size"; a pair likewise.  Put together with blanks they are read as
 * the same query.
 */
int search_language_clause(const struct search_language *l, size_t clause,
			   struct ai_buf *out);
int search_language_pair(const struct search_language *l, size_t pair,
			 struct ai_buf *out);

#endif
