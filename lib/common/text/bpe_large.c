/*
 * Two ways.  Long runs of the same few bytes have few different pairs: all
 * pairs of the lowest rank are merged in one round over the text, and a few
 * rounds do.  Other texts would need many; there a heap finds the pairs one
 * by one.
 */
#include "text/bpe_large.h"

#include <stdlib.h>

#define END UINT32_MAX

/*
 * A token in the making, at the index of its first byte; a list in the order
 * of the text.  Its pair is the token it makes with the next.
 */
struct ai_bpe_node {
	uint32_t prev, next, id, pair;
};

int ai_bpe_large_init(struct ai_bpe_large *l, size_t max, struct ai_err *err)
{
	*l = (struct ai_bpe_large){ .max = max };
	l->node = reallocarray(NULL, max, sizeof *l->node);
	/* A merge takes one out and puts two in. */
	l->heap = reallocarray(NULL, max, 2 * sizeof *l->heap);
	l->key = reallocarray(NULL, max, sizeof *l->key);
	l->got.id = reallocarray(NULL, max, sizeof *l->got.id);
	l->got.end = reallocarray(NULL, max, sizeof *l->got.end);
	if (l->node != NULL && l->heap != NULL && l->key != NULL &&
	    l->got.id != NULL && l->got.end != NULL)
		return 0;
	ai_bpe_large_release(l);
	return ai_err_nomem(err);
}

void ai_bpe_large_release(struct ai_bpe_large *l)
{
	free(l->node);
	free(l->heap);
	free(l->key);
	free(l->got.id);
	free(l->got.end);
	*l = (struct ai_bpe_large){ 0 };
}

/* ---- rounds ---- */

#define ROUNDS_MAX 24

/*
 * One round: the pairs of rank least become tokens, from the left to the
 * right.  Returns the least rank of all pairs then; *fits is false if a new
 * pair had a lower rank than this round, and so should have come before
 * pairs that were already merged.  (In a published vocabulary none has.)
 */
static uint32_t merge_round(const struct ai_bpe_table *t,
			    struct ai_bpe_large *l, uint32_t least, bool *fits)
{
	uint32_t *id = l->got.id, *end = l->got.end, *key = l->key;
	uint32_t lowest = AI_BPE_NONE;
	size_t n = l->got.n, to = 0, from = 0;
	bool was_new = false;

	while (from < n) {
		bool is_new = key[from] == least;
		uint32_t left = key[from];

		id[to] = is_new ? least : id[from];
		from += is_new;
		end[to] = end[from];
		left = is_new ? AI_BPE_NONE : left;
		if (to > 0) {
			if (was_new || is_new) {
				key[to - 1] = ai_bpe_pair(t, id[to - 1],
							  id[to]);
				*fits &= key[to - 1] > least;
			}
			lowest = key[to - 1] < lowest ? key[to - 1] : lowest;
		}
		key[to++] = left;
		was_new = is_new;
		from++;
	}
	l->got.n = to;
	key[to - 1] = AI_BPE_NONE;
	return lowest;
}

/* False: it would take too long, or fits was false. */
static bool merge_rounds(const struct ai_bpe_table *t, struct ai_bpe_large *l,
			 const unsigned char *p, size_t n)
{
	uint32_t least = AI_BPE_NONE;
	bool fits = true;

	l->got.n = n;
	for (size_t i = 0; i < n; i++) {
		l->got.id[i] = le32toh(t->byte_id[p[i]]);
		l->got.end[i] = (uint32_t)i + 1;
		l->key[i] = i + 1 == n ? AI_BPE_NONE : le32toh(
			t->byte_pair[p[i] << 8 | p[i + 1]]);
		least = l->key[i] < least ? l->key[i] : least;
	}
	for (size_t i = 0; i < ROUNDS_MAX && least != AI_BPE_NONE && fits; i++)
		least = merge_round(t, l, least, &fits);
	return least == AI_BPE_NONE && fits;
}

/* ---- a heap ---- */

/* An entry is pair << 32 | index; stale when the node's pair differs. */
static void heap_push(struct ai_bpe_large *l, size_t *n, uint64_t v)
{
	uint64_t *heap = l->heap;
	size_t i = (*n)++, up;

	for (; i > 0 && v < heap[up = (i - 1) / 2]; i = up)
		heap[i] = heap[up];
	heap[i] = v;
}

static uint64_t heap_pop(struct ai_bpe_large *l, size_t *n)
{
	uint64_t *heap = l->heap, top = heap[0], v = heap[--*n];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < *n) {
		if (kid + 1 < *n && heap[kid + 1] < heap[kid])
			kid++;
		if (v <= heap[kid])
			break;
		heap[i] = heap[kid];
		i = kid;
	}
	heap[i] = v;
	return top;
}

/* Looks up what node i makes with the next one, and queues it. */
static void node_pair(const struct ai_bpe_table *t, struct ai_bpe_large *l,
		      size_t *heap_n, uint32_t i)
{
	struct ai_bpe_node *a = &l->node[i];

	a->pair = AI_BPE_NONE;
	if (a->next != END)
		a->pair = ai_bpe_pair(t, a->id, l->node[a->next].id);
	if (a->pair != AI_BPE_NONE)
		heap_push(l, heap_n, (uint64_t)a->pair << 32 | i);
}

static void node_join(const struct ai_bpe_table *t, struct ai_bpe_large *l,
		      size_t *heap_n, uint32_t i)
{
	struct ai_bpe_node *a = &l->node[i], *b = &l->node[a->next];

	a->id = a->pair;
	a->next = b->next;
	b->pair = AI_BPE_NONE;
	if (a->next != END)
		l->node[a->next].prev = i;
	node_pair(t, l, heap_n, i);
	if (a->prev != END)
		node_pair(t, l, heap_n, a->prev);
}

static void merge_heap(const struct ai_bpe_table *t, struct ai_bpe_large *l,
		       const unsigned char *p, size_t n)
{
	size_t heap_n = 0;
	uint64_t top;
	uint32_t next;

	for (uint32_t i = 0; i < n; i++) {
		l->node[i].prev = i == 0 ? END : i - 1;
		l->node[i].next = i + 1 == n ? END : i + 1;
		l->node[i].id = le32toh(t->byte_id[p[i]]);
	}
	for (uint32_t i = 0; i < n; i++)
		node_pair(t, l, &heap_n, i);
	while (heap_n > 0) {
		top = heap_pop(l, &heap_n);
		if (l->node[(uint32_t)top].pair == top >> 32)
			node_join(t, l, &heap_n, (uint32_t)top);
	}
	l->got.n = 0;
	for (uint32_t i = 0; i != END; i = next) {
		next = l->node[i].next;
		l->got.id[l->got.n] = l->node[i].id;
		l->got.end[l->got.n++] = next == END ? (uint32_t)n : next;
	}
}

void ai_bpe_large_merge(const struct ai_bpe_table *t, struct ai_bpe_large *l,
			const unsigned char *p, size_t n)
{
	if (!merge_rounds(t, l, p, n))
		merge_heap(t, l, p, n);
}
