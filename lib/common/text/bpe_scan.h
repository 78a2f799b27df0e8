/*
 * bpe_scan.h: counts the tokens of a text, many pieces at once.
 *
 * Three steps take turns, a batch of pieces each: where the pieces begin
 * (bpe_block.h), what the cache knows of them (piece_cache.h), and merging
 * what it does not know (bpe_merge.h).  The first two are written once and
 * compiled for several instruction sets; which one runs is chosen when the
 * program runs.
 */
#ifndef AI_TEXT_BPE_SCAN_H
#define AI_TEXT_BPE_SCAN_H

#include "text/bpe_merge.h"
#include "text/bpe_split.h"
#include "text/piece_cache.h"

#include <stdint.h>

/* Pieces of a batch; a block may add 64 to one that is nearly full. */
#define AI_BPE_BATCH 512
#define AI_BPE_BATCH_ROOM (AI_BPE_BATCH + 64)

/* A batch: piece i is p[pos[i]] to p[pos[i + 1]]. */
struct ai_bpe_batch {
	const unsigned char *p; /* the text from the batch's beginning on */
	size_t n;               /* its bytes */
	size_t pieces;
	uint32_t pos[AI_BPE_BATCH_ROOM + 1];
	uint16_t miss[AI_BPE_BATCH_ROOM]; /* pieces the cache did not know */
	size_t misses;
};

/*
 * One instruction set.  pieces() fills the batch from the text at p, with at
 * least one piece; only one of 2^32 bytes leaves it empty.  probe() sets miss
 * and returns how many tokens all the other pieces have.
 */
struct ai_bpe_scanner {
	const char *name;
	bool (*usable)(void);
	ai_piece_hash_fn *hash;
	void (*pieces[AI_BPE_GRAMMARS])(struct ai_bpe_batch *);
	size_t (*probe)(struct ai_bpe_batch *, const struct ai_piece_cache *);
};

extern const struct ai_bpe_scanner ai_bpe_scan_portable, ai_bpe_scan_avx2,
	ai_bpe_scan_avx512;

/* The scanners that this processor has, the fastest first; NULL behind the
 * last one. */
const struct ai_bpe_scanner *ai_bpe_scanner_at(size_t i);

/*
 * Gives the tokens of p[0..n) to the sink.  scanner NULL: the fastest.  The
 * cache is for counting; it takes no part while the sink keeps ids.
 */
int ai_bpe_scan(const struct ai_bpe_scanner *scanner,
		const struct ai_bpe_table *t, enum ai_bpe_grammar grammar,
		struct ai_piece_cache *cache, const char *p, size_t n,
		struct ai_bpe_sink *sink, struct ai_err *err);

#endif
