/* sparse.c: the words of a query in the files of postings. */
#include "search.h"

#include <stdlib.h>

int search_sparse(struct search_index *ix, const struct search_asked *asked,
		  const struct search_filter *f, struct search_top *top,
		  struct ai_err *err)
{
	struct search_filter scope;
	const struct search_filter *in = search_scope(ix, f, &scope);
	struct search_words_query q = asked->words;
	struct search_words_hit *hits = NULL;
	size_t n = 0;

	q.k = top->cap;
	if (in != NULL) {
		q.bits = in->bits;
		q.bits_n = in->size;
	}
	if (search_words_find(&q, &hits, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		top->v[i] = (struct search_hit){
			.key = { hits[i].score, hits[i].n },
			.weight = hits[i].covered,
		};
	top->n = n; /* at most cap */
	free(hits);
	search_top_finish(top);
	return 0;
}
