#include "text/bpe_many.h"

#include "text/bpe_small.h"

/* Pieces that are merged side by side. */
#define LANES 8

const uint8_t ai_bpe_small_places[AI_BPE_SMALL + 2] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
	38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55,
	56, 57, 58, 59, 60, 61, 62, 63, 64, 65,
};

/* ---- which pieces are tokens themselves ---- */

/* The first slot that may be the piece's, or 0. */
static uint32_t likely_slot(const struct ai_bpe_table *t, uint64_t h)
{
	uint32_t mask = (1u << t->slot_bits) - 1, i = (uint32_t)h & mask, slot;

	for (uint32_t k = 0; k <= t->max_probe; k++, i = (i + 1) & mask) {
		slot = le32toh(t->slots[i]);
		if (slot == 0 || slot >> AI_BPE_ID_BITS == (uint32_t)(h >> 50))
			return slot & AI_BPE_ID_MASK;
	}
	return 0;
}

/*
 * ai_bpe_find() for all of them, a memory access at a time: the slots, where
 * the bytes of what stands there are, the bytes.
 */
static void find_all(const struct ai_bpe_table *t, struct ai_bpe_piece *piece,
		     size_t n)
{
	uint64_t hash[AI_BPE_MANY];
	uint32_t slot[AI_BPE_MANY], mask = (1u << t->slot_bits) - 1;

	for (size_t i = 0; i < n; i++) {
		hash[i] = ai_bpe_hash(piece[i].p, piece[i].n);
		__builtin_prefetch(t->slots + ((uint32_t)hash[i] & mask));
	}
	for (size_t i = 0; i < n; i++) {
		slot[i] = likely_slot(t, hash[i]);
		if (slot[i] - 1 < t->n_ids)
			__builtin_prefetch(t->at + slot[i] - 1);
	}
	for (size_t i = 0; i < n; i++)
		if (slot[i] - 1 < t->n_ids)
			__builtin_prefetch(t->blob +
					   le32toh(t->at[slot[i] - 1]));
	for (size_t i = 0; i < n; i++)
		piece[i].tokens = slot[i] != 0 &&
			ai_bpe_find(t, piece[i].p, piece[i].n) != AI_BPE_NONE;
}

/* ---- merging the others ---- */

struct lane {
	struct ai_bpe_small s;
	struct ai_bpe_piece *piece; /* NULL: the lane is free */
	/* What it does next; between two of them it waits for memory. */
	enum { LANE_TAKE, LANE_FETCH, LANE_LOOK } step;
};

/* Gives the lane the next piece that is no token. */
static void refill(const struct ai_bpe_table *t, struct lane *l,
		   struct ai_bpe_piece *piece, size_t n, size_t *next)
{
	while (*next < n && piece[*next].tokens != 0)
		++*next;
	l->piece = NULL;
	l->step = LANE_TAKE;
	if (*next == n)
		return;
	l->piece = &piece[(*next)++];
	ai_bpe_small_begin(t, &l->s, l->piece->p, l->piece->n);
}

static void finish(const struct lane *l)
{
	struct ai_bpe_piece *piece = l->piece;
	uint32_t k = 0;

	piece->tokens = l->s.tokens;
	piece->starts = 0;
	if (piece->id == NULL)
		return;
	for (unsigned i = 0; i < l->s.n; i = l->s.next[i]) {
		piece->id[k++] = l->s.id[i];
		piece->starts |= (uint64_t)1 << i;
	}
}

/* Merges all pieces whose tokens are 0. */
static void merge_others(const struct ai_bpe_table *t,
			 struct ai_bpe_piece *piece, size_t n)
{
	struct lane lane[LANES];
	size_t next = 0, busy;

	for (size_t i = 0; i < LANES; i++)
		refill(t, &lane[i], piece, n, &next);
	do {
		busy = 0;
		for (struct lane *l = lane; l < lane + LANES; l++) {
			if (l->piece == NULL)
				continue;
			busy++;
			if (l->step == LANE_FETCH) {
				ai_bpe_small_fetch(t, &l->s);
				l->step = LANE_LOOK;
				continue;
			}
			if (l->step == LANE_LOOK)
				ai_bpe_small_look(t, &l->s);
			if (ai_bpe_small_take(&l->s)) {
				ai_bpe_small_ask(t, &l->s);
				l->step = LANE_FETCH;
				continue;
			}
			finish(l);
			refill(t, l, piece, n, &next);
		}
	} while (busy > 0);
}

void ai_bpe_count_many(const struct ai_bpe_table *t,
		       struct ai_bpe_piece *piece, size_t n)
{
	find_all(t, piece, n);
	merge_others(t, piece, n);
}

void ai_bpe_merge_many(const struct ai_bpe_table *t,
		       struct ai_bpe_piece *piece, size_t n)
{
	for (size_t i = 0; i < n; i++)
		piece[i].tokens = 0;
	merge_others(t, piece, n);
}
