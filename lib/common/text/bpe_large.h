/*
 * bpe_large.h: merging of texts of more than 64 bytes at once; for
 * bpe_merge.c.  What takes part in it is bounded there.
 */
#ifndef AI_TEXT_BPE_LARGE_H
#define AI_TEXT_BPE_LARGE_H

#include "text/bpe_table.h"

/* The tokens of a text: id[i] begins where the one before it ends. */
struct ai_bpe_tokens {
	uint32_t *id, *end;
	size_t n;
};

/* Memory for a text of so many bytes. */
struct ai_bpe_large {
	size_t max;
	struct ai_bpe_node *node;
	uint64_t *heap;
	uint32_t *key;
	struct ai_bpe_tokens got; /* the answer; its arrays are owned, too */
};

/* -1: out of memory. */
int ai_bpe_large_init(struct ai_bpe_large *l, size_t max, struct ai_err *err);
void ai_bpe_large_release(struct ai_bpe_large *l);

/* Merges p[0..n), n from 1 to max, into l->got. */
void ai_bpe_large_merge(const struct ai_bpe_table *t, struct ai_bpe_large *l,
			const unsigned char *p, size_t n);

#endif
