/*
 * piece_cache.h: how many tokens pieces of text have, remembered.
 *
 * Text repeats its words: nearly every piece that a pre-tokenizer cuts was
 * there before.  Short pieces are in a table of 16-byte entries, in buckets
 * of one cache line, which a counting loop probes once a piece; longer ones
 * are in tables of their own.  All start small, so that a short run pays
 * little, and double up to a limit; then a new piece takes the place of an
 * older one.  What they say is exact: an entry holds all bytes of its piece.
 *
 * One thread at a time may use a cache.
 */
#ifndef AI_TEXT_PIECE_CACHE_H
#define AI_TEXT_PIECE_CACHE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- short pieces ---- */

#define AI_PIECE_MAX 15
#define AI_PIECE_WAYS 4

/*
 * A piece of 1 to 15 bytes as two little-endian words: the bytes, zeros, and
 * in the highest byte the length (so that a NUL at the end counts) above the
 * number of tokens, which is 0 in a key.  All zero: an empty entry.
 */
struct ai_piece {
	uint64_t lo, hi;
};

#define AI_PIECE_COUNT_SHIFT 56
#define AI_PIECE_COUNT_MASK ((uint64_t)0xF << AI_PIECE_COUNT_SHIFT)

/* What no piece is; finds nothing. */
#define AI_PIECE_NONE ((struct ai_piece){ 1, 0 })

/*
 * Where a key is in the table: the highest bits of its hash are the number of
 * its bucket.  Who counts has its own hash, the best for its instructions.
 */
typedef uint64_t ai_piece_hash_fn(struct ai_piece key);
ai_piece_hash_fn ai_piece_hash; /* in plain C */

/* ---- longer pieces ---- */

#define AI_PIECE_LONG_MAX 254

/* A table of entries of one size, each a length (0: empty), a count and the
 * bytes, in buckets of AI_PIECE_WAYS. */
struct ai_piece_table {
	unsigned char *entry; /* owned; NULL before there is one */
	unsigned bits;        /* of a bucket's number */
	size_t used;
};

/* ---- the cache ---- */

enum { AI_PIECE_MIDDLE, AI_PIECE_LONG, AI_PIECE_TABLES };

struct ai_piece_cache {
	ai_piece_hash_fn *hash;
	struct ai_piece *entry; /* owned; buckets of AI_PIECE_WAYS */
	unsigned shift;         /* 64 less the bits of a bucket's number */
	size_t used, grow_at;
	struct ai_piece_table table[AI_PIECE_TABLES];
	uint32_t turn;          /* which one goes next */
};

/* An empty cache without memory. */
#define AI_PIECE_CACHE_INIT { 0 }

void ai_piece_cache_release(struct ai_piece_cache *c);

/* Gives an empty cache its first memory; does nothing to another one. */
int ai_piece_cache_ready(struct ai_piece_cache *c, ai_piece_hash_fn *hash,
			 struct ai_err *err);

/* The number of tokens of p[0..n), n >= 1; 0: not known. */
unsigned ai_piece_cache_get(const struct ai_piece_cache *c,
			    const unsigned char *p, size_t n);

/*
 * The same in two steps, for many pieces at once: seek() has the memory
 * brought near, and returns the place for at().  A put between them ends it.
 */
size_t ai_piece_cache_seek(const struct ai_piece_cache *c,
			   const unsigned char *p, size_t n);
unsigned ai_piece_cache_at(const struct ai_piece_cache *c, size_t place,
			   const unsigned char *p, size_t n);

/*
 * Remembers that p[0..n) has count tokens.  Never fails: what does not fit,
 * or where memory is short, is not remembered.
 */
void ai_piece_cache_put(struct ai_piece_cache *c, const unsigned char *p,
			size_t n, unsigned count);

/* ---- for loops that probe by themselves ---- */

/* What a key keeps of 16 bytes, and what it adds, by length. */
extern const struct ai_piece ai_piece_keep[AI_PIECE_MAX + 1];
extern const struct ai_piece ai_piece_length[AI_PIECE_MAX + 1];

/* The key of the piece p[0..n), 1 <= n <= 15, where 16 bytes can be read. */
static inline struct ai_piece ai_piece_key(const unsigned char *p, size_t n)
{
	struct ai_piece k;

	memcpy(&k, p, sizeof k);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	k.lo = __builtin_bswap64(k.lo);
	k.hi = __builtin_bswap64(k.hi);
#endif
	k.lo &= ai_piece_keep[n].lo;
	k.hi = (k.hi & ai_piece_keep[n].hi) | ai_piece_length[n].hi;
	return k;
}

/* The number of tokens in a bucket's entry for key; 0: none is. */
static inline unsigned ai_piece_in_bucket(const struct ai_piece *bucket,
					  struct ai_piece key)
{
	for (size_t i = 0; i < AI_PIECE_WAYS; i++)
		if (bucket[i].lo == key.lo &&
		    ((bucket[i].hi ^ key.hi) & ~AI_PIECE_COUNT_MASK) == 0)
			return (unsigned)(bucket[i].hi >>
					  AI_PIECE_COUNT_SHIFT) & 0xF;
	return 0;
}

static inline const struct ai_piece *
ai_piece_bucket(const struct ai_piece_cache *c, uint64_t hash)
{
	return c->entry + (size_t)(hash >> c->shift) * AI_PIECE_WAYS;
}

#endif
