/* explain.h: which words of a hit the query found, and what gave it its score. */
#ifndef SEARCH_EXPLAIN_H
#define SEARCH_EXPLAIN_H

#include "search.h"

#include "postings.h"
#include "text/analyze.h"

/* ---- marks.c: words in a text --------------------------------------------------- */

struct search_mark {
	size_t from, to; /* bytes of the text */
};
/* Where words of the clauses stand in a text: sorted, none in another; *v is
 * the caller's to free. */
int search_marks(const struct ai_analyzer *a, const struct search_clause *c,
		 size_t n, struct ai_span text, struct search_mark **v,
		 size_t *count, struct ai_err *err);

/* ---- explain.c: scores ---------------------------------------------------------- */

/* The members `highlights` and `explain` of a hit; or lines for people. */
int search_put_highlights(const struct search_index *ix,
			  const struct search_result *r, struct ai_span text,
			  struct ai_buf *b, struct ai_err *err);
int search_put_explain(struct search_index *ix, const struct search_result *r,
		       const struct search_fused *f, struct ai_buf *b,
		       struct ai_err *err);
int search_write_explain(struct search_index *ix, const struct search_result *r,
			 const struct search_fused *f, struct ai_buf *b,
			 struct ai_err *err);

#endif
