/*
 * bpe_many.h: how many tokens many pieces have.
 *
 * The tables of a vocabulary are larger than a processor's nearer caches, and
 * each step of a merge depends on what the one before found there.  So many
 * pieces are merged side by side: while one waits, the others go on.
 */
#ifndef AI_TEXT_BPE_MANY_H
#define AI_TEXT_BPE_MANY_H

#include "text/bpe_table.h"

#define AI_BPE_MANY 64
#define AI_BPE_MANY_MAX 64 /* bytes of a piece */

struct ai_bpe_piece {
	const unsigned char *p;
	uint32_t n;      /* 1 to AI_BPE_MANY_MAX */
	uint32_t tokens; /* the answer: how many it has, */
	uint64_t starts; /* at which bytes they begin, */
	uint32_t *id;    /* and which: room for n of them; or NULL */
};

/* The tokens of piece[0..n), n at most AI_BPE_MANY; only how many. */
void ai_bpe_count_many(const struct ai_bpe_table *t,
		       struct ai_bpe_piece *piece, size_t n);

/* The same with starts and ids. */
void ai_bpe_merge_many(const struct ai_bpe_table *t,
		       struct ai_bpe_piece *piece, size_t n);

#endif
