/* shape.h: what becomes of the list of a query between the fusion and the
 * answer. */
#ifndef SEARCH_SHAPE_H
#define SEARCH_SHAPE_H

#include "search.h"

/* ---- shape.c ------------------------------------------------------------------ */

/* Whether --decay, --now and --expand can be understood. */
int search_shape_check(struct ai_err *err);
/* Before the list is sorted: each score times 2^(-age/half-life), for a
 * document that has a date at the path; its share is kept in faded. */
int search_decay(struct search_list *l, struct search_index *ix,
		 struct ai_err *err);
/* A sorted list without those beyond the first --per-source ones of a source,
 * as far as needed for k. */
int search_cap_sources(struct search_list *l, struct search_index *ix,
		       size_t k, struct ai_err *err);

/* ---- expand.c ----------------------------------------------------------------- */

/* A hit with the passages around it. */
struct search_expansion {
	struct ai_buf text, source; /* of all of them; source may be empty */
	struct ai_buf about;        /* {"parts":[a,b],"ids":[...]}; empty: alone */
};
/*
 * Makes the first k hits of the list, and an expansion for each in *out (k of
 * them, zeros behind the list's end): --expand passages before and behind, or
 * the section.  Hits that an earlier one holds already are left out.
 */
int search_expand(struct search_list *l, struct search_index *ix, size_t k,
		  struct search_expansion **out, struct ai_err *err);
void search_expansions_release(struct search_expansion *v, size_t n);

#endif
