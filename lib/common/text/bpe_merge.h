/* bpe_merge.h: the tokens of one piece of text; for bpe.c and its tests. */
#ifndef AI_TEXT_BPE_MERGE_H
#define AI_TEXT_BPE_MERGE_H

#include "text/bpe.h"
#include "text/bpe_table.h"

/* Takes tokens; keep may be NULL, and takes no more than limit of them. */
struct ai_bpe_sink {
	size_t count;
	struct ai_bpe_ids *keep;
	size_t limit;
};

int ai_bpe_sink_add(struct ai_bpe_sink *s, uint32_t id, struct ai_err *err);

/*
 * Merges p[0..n), n >= 1: again and again the neighbours whose bytes
 * together are the token of lowest rank, the leftmost of several.  Short
 * pieces in O(n^2) without a heap; long ones in O(n log n) through windows,
 * with memory that does not depend on n.
 */
int ai_bpe_merge(const struct ai_bpe_table *t, const char *p, size_t n,
		 struct ai_bpe_sink *s, struct ai_err *err);

/* Bytes of a large window; a piece longer than one may have several. */
#define AI_BPE_WINDOW 2048

#endif
