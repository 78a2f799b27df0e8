/*
 * bpe_table.h: the mapped file of a vocabulary, for bpe*.c only.
 *
 * All numbers are little-endian.  Behind the header of 64 bytes:
 *
 *	uint32 byte_id[256]         the token of each single byte
 *	uint32 byte_pair[65536]     of each two, the first in the high half,
 *	                            or ~0: what every merge begins with
 *	uint32 slots[1 << bits]     hash table over the tokens' bytes
 *	uint64 filter[1 << (bits - 4)]  a bit for each of four parts of a pair
 *	                            slot: whether anything hashes there
 *	uint64 pairs[1 << bits]     hash table over what tokens are merged from
 *	uint32 at[n_ids + 1]        token i is blob[at[i]] to blob[at[i + 1]]
 *	uint8  blob[blob_len]
 *
 * A slot is 0 (empty) or 14 bits of the hash above the id plus 1.  Lookups
 * that find nothing, the most frequent kind while merging, so end in the
 * slots without touching the tokens.
 *
 * A pair is 0 (empty) or, from the lowest bit on, the ids of the left and the
 * right half of a token, and its own id plus 1, of 18 bits each.  They stand
 * in buckets of two; the highest bit of a bucket's first one says that it
 * was full and that the next bucket has some of its pairs.  Most pairs that a
 * text has make no token; the filter, which is small enough for a processor's
 * nearer caches, knows nine of ten of these.  One pair a token is enough: while a text is merged, what happens between the borders
 * of a token is what happens when its bytes are merged alone, so the last
 * merge always is of the same two halves.
 */
#ifndef AI_TEXT_BPE_TABLE_H
#define AI_TEXT_BPE_TABLE_H

#include "base/err.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AI_BPE_MAGIC "AIBPE\r\n\032"
#define AI_BPE_VERSION 2
#define AI_BPE_BYTE_PAIRS 65536
#define AI_BPE_ID_BITS 18
#define AI_BPE_ID_MASK ((1u << AI_BPE_ID_BITS) - 1)
#define AI_BPE_NONE UINT32_MAX
/* Longer tokens are refused, so that pairs of them fit small arrays. */
#define AI_BPE_MAX_TOKEN 128

struct ai_bpe_header {
	char magic[8];
	uint32_t version;
	uint32_t n_ids;     /* ids are below this; there may be gaps */
	uint32_t slot_bits;
	uint32_t max_len;   /* bytes of the longest token */
	uint32_t max_probe; /* slots to look at before giving up */
	uint32_t blob_len;
	uint64_t file_len;
	uint64_t body_hash; /* of all behind the header */
	uint32_t pair_bits;
	uint32_t max_pair_probe;
	uint64_t head_hash; /* of the header before this */
};

/* The table as its readers see it; pointers into the mapping. */
struct ai_bpe_table {
	const uint32_t *byte_id, *byte_pair, *slots, *at;
	const uint64_t *filter, *pairs;
	const unsigned char *blob;
	uint32_t n_ids, slot_bits, max_len, max_probe, blob_len;
	uint32_t pair_bits, max_pair_probe;
};

/* Checks the header and sets t up; what is wrong with it, or NULL. */
const char *ai_bpe_table_map(struct ai_bpe_table *t, const void *p, size_t n);

static inline uint64_t ai_bpe_load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static inline uint32_t ai_bpe_load32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

/* The two halves of a 128-bit product, folded: one multiplication a word. */
static inline uint64_t ai_bpe_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 r = a;

	r *= b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

#define AI_BPE_K0 0x9E3779B97F4A7C15u /* 2^64 / golden ratio */
#define AI_BPE_K1 0xD1B54A32D192ED03u

/* Hash of n >= 1 bytes; part of the file format. */
static inline uint64_t ai_bpe_hash(const unsigned char *p, size_t n)
{
	uint64_t a, b, h = AI_BPE_K0 * n;

	for (; n > 16; p += 16, n -= 16)
		h = ai_bpe_mix(ai_bpe_load64(p) ^ h,
			       ai_bpe_load64(p + 8) ^ AI_BPE_K1);
	if (n >= 8) {
		a = ai_bpe_load64(p);
		b = ai_bpe_load64(p + n - 8);
	} else if (n >= 4) {
		a = ai_bpe_load32(p);
		b = ai_bpe_load32(p + n - 4);
	} else {
		a = (uint64_t)p[0] | (uint64_t)p[n / 2] << 8;
		b = p[n - 1];
	}
	h = ai_bpe_mix(a ^ h, b ^ AI_BPE_K1);
	return ai_bpe_mix(h ^ AI_BPE_K0, AI_BPE_K1);
}

/* The bytes of a token, its length in *n; NULL if id is none. */
static inline const unsigned char *
ai_bpe_bytes(const struct ai_bpe_table *t, uint32_t id, size_t *n)
{
	uint32_t from, to;

	if (id >= t->n_ids)
		return NULL;
	from = le32toh(t->at[id]);
	to = le32toh(t->at[id + 1]);
	if (from >= to || to > t->blob_len)
		return NULL;
	*n = to - from;
	return t->blob + from;
}

/* The token with these bytes, or AI_BPE_NONE.  An id is a rank too. */
static inline uint32_t ai_bpe_find(const struct ai_bpe_table *t,
				   const unsigned char *p, size_t n)
{
	const unsigned char *bytes;
	uint64_t h;
	uint32_t mask, i, slot, tag;
	size_t len;

	if (n == 0 || n > t->max_len)
		return AI_BPE_NONE;
	h = ai_bpe_hash(p, n);
	mask = (1u << t->slot_bits) - 1;
	tag = (uint32_t)(h >> 50);
	i = (uint32_t)h & mask;
	for (uint32_t k = 0; k <= t->max_probe; k++, i = (i + 1) & mask) {
		slot = le32toh(t->slots[i]);
		if (slot == 0)
			break;
		if (slot >> AI_BPE_ID_BITS != tag)
			continue;
		bytes = ai_bpe_bytes(t, (slot & AI_BPE_ID_MASK) - 1, &len);
		if (bytes != NULL && len == n && memcmp(bytes, p, n) == 0)
			return (slot & AI_BPE_ID_MASK) - 1;
	}
	return AI_BPE_NONE;
}

#define AI_BPE_PAIR_BITS (2 * AI_BPE_ID_BITS)
#define AI_BPE_PAIR_MASK (((uint64_t)1 << AI_BPE_PAIR_BITS) - 1)

static inline uint64_t ai_bpe_pair_key(uint32_t left, uint32_t right)
{
	return left | (uint64_t)right << AI_BPE_ID_BITS;
}

#define AI_BPE_PAIR_MORE ((uint64_t)1 << 63)
/* No token has this id; it makes a pair with none. */
#define AI_BPE_NO_ID AI_BPE_ID_MASK

#define AI_BPE_FILTER_BITS 2 /* more than a slot's number has */
#define AI_BPE_FILTER_SHIFT (6 - AI_BPE_FILTER_BITS) /* words, not bits */

static inline uint64_t ai_bpe_pair_hash(uint64_t key)
{
	return key * AI_BPE_K0;
}

/* A hash's bucket and its bit in the filter; part of the file format. */
static inline uint32_t ai_bpe_pair_bucket(uint64_t hash, uint32_t bits)
{
	return (uint32_t)(hash >> (64 - bits)) & ~1u;
}

static inline uint32_t ai_bpe_pair_bit(uint64_t hash, uint32_t bits)
{
	return (uint32_t)(hash >> (64 - bits - AI_BPE_FILTER_BITS));
}

/* The word of the filter that tells of this pair. */
static inline const uint64_t *ai_bpe_pair_filter(const struct ai_bpe_table *t,
						 uint64_t key)
{
	return t->filter + ai_bpe_pair_bit(ai_bpe_pair_hash(key),
					   t->pair_bits) / 64;
}

/* The bucket where the pair may be; the first one of all if it is nowhere,
 * as then that one is looked at most often. */
static inline uint32_t ai_bpe_pair_where(const struct ai_bpe_table *t,
					 uint64_t key)
{
	uint64_t hash = ai_bpe_pair_hash(key);
	uint32_t bit = ai_bpe_pair_bit(hash, t->pair_bits);
	uint32_t may = (uint32_t)(le64toh(t->filter[bit / 64]) >> bit % 64) & 1;

	return ai_bpe_pair_bucket(hash, t->pair_bits) & -may;
}

/* The id plus 1 of the entry e if it is of this key, or 0. */
static inline uint32_t ai_bpe_pair_match(uint64_t e, uint64_t key)
{
	uint32_t id = (uint32_t)(e >> AI_BPE_PAIR_BITS) & AI_BPE_ID_MASK;

	return ((e ^ key) & AI_BPE_PAIR_MASK) == 0 ? id : 0;
}

/*
 * The token of the pair with this key, which may be in bucket i, or
 * AI_BPE_NONE.  Half of all pairs make none, in no order that a processor
 * could guess, so this has no branch that depends on it.
 */
static inline uint32_t ai_bpe_pair_in(const struct ai_bpe_table *t,
				      uint64_t key, uint32_t i)
{
	uint32_t mask = (1u << t->pair_bits) - 1, id;
	uint64_t e;

	for (uint32_t k = 0;; k++) {
		e = le64toh(t->pairs[i]);
		id = ai_bpe_pair_match(e, key) |
		     ai_bpe_pair_match(le64toh(t->pairs[i + 1]), key);
		if (__builtin_expect((e & AI_BPE_PAIR_MORE) == 0, 1) ||
		    id != 0 || k >= t->max_pair_probe)
			return id - 1;
		i = (i + 2) & mask;
	}
}

/* The token that these two make when they stand side by side, or
 * AI_BPE_NONE. */
static inline uint32_t ai_bpe_pair(const struct ai_bpe_table *t, uint32_t left,
				   uint32_t right)
{
	uint64_t key = ai_bpe_pair_key(left, right);

	return ai_bpe_pair_in(t, key, ai_bpe_pair_where(t, key));
}

#endif
