/*
 * bpe_small.h: merging of at most 64 bytes; for bpe_merge.c and bpe_many.c.
 *
 * Tokens in the making stand at the index of their first byte.  key[i] is
 * what token i makes with the next one, above its place; the least key of all
 * is found through the least of each group of eight.
 *
 * A merge is take(), which joins a pair, and look(), which finds out what the
 * new token makes with its neighbours.  That waits for memory twice, for the
 * filter and for the pairs, so who merges many texts asks for the one with
 * ask() and for the other with fetch(), and goes on with another text.
 */
#ifndef AI_TEXT_BPE_SMALL_H
#define AI_TEXT_BPE_SMALL_H

#include "text/bpe_table.h"

#define AI_BPE_SMALL 64
#define AI_BPE_GROUP 8
#define AI_BPE_PLACE_BITS 6

/* Keys from here on are of pairs that make nothing. */
#define AI_BPE_NO_KEY (AI_BPE_NONE << AI_BPE_PLACE_BITS)

struct ai_bpe_small {
	uint32_t key[AI_BPE_SMALL];
	uint32_t least[AI_BPE_SMALL / AI_BPE_GROUP];
	/* One more: behind the last token stands one that pairs with none. */
	uint32_t id[AI_BPE_SMALL + 1];
	uint8_t next[AI_BPE_SMALL + 1], prev[AI_BPE_SMALL + 1];
	unsigned n;      /* bytes */
	unsigned tokens;
	/* The token made last, and where what it makes with the one before
	 * it and the one behind it may be. */
	unsigned at;
	uint64_t key_of[2];
	uint32_t bucket[2];
};

/* 0 to 65. */
extern const uint8_t ai_bpe_small_places[AI_BPE_SMALL + 2];

static inline uint32_t ai_bpe_less(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The least of a group of eight, as in a tournament. */
static inline uint32_t ai_bpe_least_of(const uint32_t *v)
{
	return ai_bpe_less(ai_bpe_less(ai_bpe_less(v[0], v[1]),
				       ai_bpe_less(v[2], v[3])),
			   ai_bpe_less(ai_bpe_less(v[4], v[5]),
				       ai_bpe_less(v[6], v[7])));
}

static inline void ai_bpe_small_group(struct ai_bpe_small *s, unsigned i)
{
	s->least[i / AI_BPE_GROUP] = ai_bpe_least_of(
		s->key + i / AI_BPE_GROUP * AI_BPE_GROUP);
}

/* The bytes p[0..n), n from 1 to 64, as tokens of one byte each. */
static inline void ai_bpe_small_begin(const struct ai_bpe_table *t,
				      struct ai_bpe_small *s,
				      const unsigned char *p, size_t n)
{
	unsigned i;

	s->n = s->tokens = (unsigned)n;
	memcpy(s->next, ai_bpe_small_places + 1, sizeof s->next);
	memcpy(s->prev + 1, ai_bpe_small_places, sizeof s->prev - 1);
	s->prev[0] = 0;
	for (i = 0; i < n; i++)
		s->id[i] = le32toh(t->byte_id[p[i]]);
	s->id[n] = AI_BPE_NO_ID;
	for (i = 0; i + 1 < n; i++)
		s->key[i] = le32toh(t->byte_pair[p[i] << 8 | p[i + 1]])
				    << AI_BPE_PLACE_BITS | i;
	for (; i < n || i % AI_BPE_GROUP != 0; i++)
		s->key[i] = AI_BPE_NO_KEY;
	for (i = 0; i < n; i += AI_BPE_GROUP)
		ai_bpe_small_group(s, i);
	for (i /= AI_BPE_GROUP; i < AI_BPE_SMALL / AI_BPE_GROUP; i++)
		s->least[i] = AI_BPE_NO_KEY;
}

/* Joins the pair of the lowest rank; false if there is none. */
static inline bool ai_bpe_small_take(struct ai_bpe_small *s)
{
	uint32_t least = ai_bpe_least_of(s->least);
	unsigned i = least & (AI_BPE_SMALL - 1), gone, behind;

	if (least >= AI_BPE_NO_KEY)
		return false;
	gone = s->next[i];
	behind = s->next[gone];
	s->id[i] = least >> AI_BPE_PLACE_BITS;
	s->next[i] = (uint8_t)behind;
	s->prev[behind] = (uint8_t)i;
	s->key[gone] = AI_BPE_NO_KEY;
	ai_bpe_small_group(s, gone);
	s->at = i;
	s->tokens--;
	return true;
}

/* Asks for the memory that fetch() will need: the words of the filter.  The
 * first token is its own predecessor: it is looked up twice. */
static inline void ai_bpe_small_ask(const struct ai_bpe_table *t,
				    struct ai_bpe_small *s)
{
	unsigned i = s->at, before = s->prev[i];

	s->key_of[0] = ai_bpe_pair_key(s->id[before], s->id[s->next[before]]);
	s->key_of[1] = ai_bpe_pair_key(s->id[i], s->id[s->next[i]]);
	for (unsigned k = 0; k < 2; k++)
		__builtin_prefetch(ai_bpe_pair_filter(t, s->key_of[k]));
}

/* Asks for the memory that look() will need. */
static inline void ai_bpe_small_fetch(const struct ai_bpe_table *t,
				      struct ai_bpe_small *s)
{
	for (unsigned k = 0; k < 2; k++) {
		s->bucket[k] = ai_bpe_pair_where(t, s->key_of[k]);
		__builtin_prefetch(t->pairs + s->bucket[k]);
	}
}

static inline void ai_bpe_small_look(const struct ai_bpe_table *t,
				     struct ai_bpe_small *s)
{
	unsigned i = s->at, before = s->prev[i];

	s->key[before] = ai_bpe_pair_in(t, s->key_of[0], s->bucket[0])
				 << AI_BPE_PLACE_BITS | before;
	s->key[i] = ai_bpe_pair_in(t, s->key_of[1], s->bucket[1])
			    << AI_BPE_PLACE_BITS | i;
	ai_bpe_small_group(s, before);
	ai_bpe_small_group(s, i);
}

/* All of it for one text. */
static inline void ai_bpe_small_merge(const struct ai_bpe_table *t,
				      struct ai_bpe_small *s,
				      const unsigned char *p, size_t n)
{
	ai_bpe_small_begin(t, s, p, n);
	while (ai_bpe_small_take(s)) {
		ai_bpe_small_ask(t, s);
		ai_bpe_small_fetch(t, s);
		ai_bpe_small_look(t, s);
	}
}

#endif
