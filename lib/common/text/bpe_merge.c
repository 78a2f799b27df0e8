/*
 * Why windows are exact.  Call two tokens good neighbours if their bytes
 * together, merged on their own, give just these two.  Then a text merges to
 * t1 t2 ... tm if and only if its neighbours are all good:
 *
 * Merges happen in an order given by rank and place.  Take the first merge
 * over the border of some ti and ti+1 while the whole text is merged.  Until
 * then all merges lay inside the tokens, so within the bytes of these two
 * the order was what it is when they are merged on their own; there the same
 * merge would have happened, and they were not good.  So no merge passes a
 * border, and inside the borders each token comes together as it did alone.
 * The other way round, what is merged without ever passing the outer borders
 * of two neighbours is merged as these two are alone.
 *
 * So a long piece is merged window by window.  Of a window's tokens those
 * near its right end are dropped, as what follows might change them; the
 * next window begins there, and if its first token is a good neighbour to
 * the last one kept, all are right.  If not, the piece is begun again with
 * windows twice as long; one window for all is right by definition.
 */
#include "text/bpe_merge.h"

#include <stdlib.h>

#define SHORT_MAX (2 * AI_BPE_MAX_TOKEN)
/* Up to here the quadratic way is the faster one. */
#define SHORT_GOOD 96
/* Windows are dropped from here, counted from their right end. */
#define MARGIN (2 * AI_BPE_MAX_TOKEN)

int ai_bpe_sink_add(struct ai_bpe_sink *s, uint32_t id, struct ai_err *err)
{
	s->count++;
	if (s->keep == NULL || s->keep->n >= s->limit)
		return 0;
	return ai_bpe_ids_add(s->keep, id, err);
}

/* ---- short pieces ---- */

struct parts {
	size_t n;
	uint32_t from[SHORT_MAX + 1]; /* part i is from[i] to from[i + 1] */
	uint32_t id[SHORT_MAX];
	uint32_t pair[SHORT_MAX];     /* the token of parts i and i + 1 */
};

static uint32_t pair_of(const struct ai_bpe_table *t, const unsigned char *p,
			const struct parts *a, size_t i)
{
	if (i + 1 >= a->n)
		return AI_BPE_NONE;
	return ai_bpe_find(t, p + a->from[i], a->from[i + 2] - a->from[i]);
}

static void join(struct parts *a, size_t i)
{
	size_t behind = --a->n - i;

	a->id[i] = a->pair[i];
	memmove(a->from + i + 1, a->from + i + 2, behind * sizeof *a->from);
	memmove(a->id + i + 1, a->id + i + 2, (behind - 1) * sizeof *a->id);
	memmove(a->pair + i, a->pair + i + 1, behind * sizeof *a->pair);
}

static void merge_short(const struct ai_bpe_table *t, const unsigned char *p,
			size_t n, struct parts *a)
{
	size_t best;

	a->n = n;
	for (size_t i = 0; i <= n; i++)
		a->from[i] = (uint32_t)i;
	for (size_t i = 0; i < n; i++) {
		a->id[i] = le32toh(t->byte_id[p[i]]);
		a->pair[i] = pair_of(t, p, a, i);
	}
	for (;;) {
		best = 0;
		for (size_t i = 1; i < a->n; i++)
			if (a->pair[i] < a->pair[best])
				best = i;
		if (a->pair[best] == AI_BPE_NONE)
			return;
		join(a, best);
		a->pair[best] = pair_of(t, p, a, best);
		if (best > 0)
			a->pair[best - 1] = pair_of(t, p, a, best - 1);
	}
}

static bool good_neighbours(const struct ai_bpe_table *t,
			    const unsigned char *p, size_t left, size_t right)
{
	struct parts a;

	merge_short(t, p, left + right, &a);
	return a.n == 2 && a.from[1] == left;
}

/* ---- windows ---- */

/*
 * A token in the making, at the index of its first byte; a list in the order
 * of the text.  Its pair is the token it makes with the next.
 */
struct node {
	uint32_t prev, next, id, pair;
};

/* A heap entry is pair << 32 | index; stale when the node's pair differs. */
struct window {
	size_t max;         /* bytes it has room for */
	size_t n;           /* bytes in it */
	const unsigned char *p;
	struct node *node;  /* max */
	uint64_t *heap;     /* 2 * max: a merge takes one out, puts two in */
	size_t heap_n;
};

#define LIST_END UINT32_MAX

static void heap_push(struct window *w, uint64_t v)
{
	size_t i = w->heap_n++, up;

	for (; i > 0 && v < w->heap[up = (i - 1) / 2]; i = up)
		w->heap[i] = w->heap[up];
	w->heap[i] = v;
}

static uint64_t heap_pop(struct window *w)
{
	uint64_t top = w->heap[0], v = w->heap[--w->heap_n];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < w->heap_n) {
		if (kid + 1 < w->heap_n && w->heap[kid + 1] < w->heap[kid])
			kid++;
		if (v <= w->heap[kid])
			break;
		w->heap[i] = w->heap[kid];
		i = kid;
	}
	w->heap[i] = v;
	return top;
}

static size_t node_end(const struct window *w, uint32_t i)
{
	return w->node[i].next == LIST_END ? w->n : w->node[i].next;
}

/* Looks up what node i makes with the next one, and queues it. */
static void node_pair(const struct ai_bpe_table *t, struct window *w,
		      uint32_t i)
{
	struct node *a = &w->node[i];

	a->pair = AI_BPE_NONE;
	if (a->next != LIST_END)
		a->pair = ai_bpe_find(t, w->p + i, node_end(w, a->next) - i);
	if (a->pair != AI_BPE_NONE)
		heap_push(w, (uint64_t)a->pair << 32 | i);
}

static void node_join(const struct ai_bpe_table *t, struct window *w,
		      uint32_t i)
{
	struct node *a = &w->node[i], *b = &w->node[a->next];

	a->id = a->pair;
	a->next = b->next;
	b->pair = AI_BPE_NONE;
	if (a->next != LIST_END)
		w->node[a->next].prev = i;
	node_pair(t, w, i);
	if (a->prev != LIST_END)
		node_pair(t, w, a->prev);
}

static void merge_window(const struct ai_bpe_table *t, struct window *w,
			 const unsigned char *p, size_t n)
{
	uint64_t top;

	w->p = p;
	w->n = n;
	w->heap_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		w->node[i].prev = i == 0 ? LIST_END : i - 1;
		w->node[i].next = i + 1 == n ? LIST_END : i + 1;
		w->node[i].id = le32toh(t->byte_id[p[i]]);
	}
	for (uint32_t i = 0; i < n; i++)
		node_pair(t, w, i);
	while (w->heap_n > 0) {
		top = heap_pop(w);
		if (w->node[(uint32_t)top].pair == top >> 32)
			node_join(t, w, (uint32_t)top);
	}
}

/* ---- a piece through windows of one size ---- */

/*
 * Gives the tokens of the window that end at or before the limit (at least
 * one) to the sink; *last is the length of the last one.  Returns the bytes
 * they have, or 0 with err.
 */
static size_t give(const struct window *w, size_t limit, size_t *last,
		   struct ai_bpe_sink *s, struct ai_err *err)
{
	uint32_t i = 0;
	size_t end = 0;

	do {
		if (ai_bpe_sink_add(s, w->node[i].id, err) < 0)
			return 0;
		end = node_end(w, i);
		*last = end - i;
		i = w->node[i].next;
	} while (i != LIST_END && node_end(w, i) <= limit);
	return end;
}

/* 1: all went well; 0: some neighbours are not good; -1: err. */
static int through(const struct ai_bpe_table *t, struct window *w,
		   const unsigned char *p, size_t n, struct ai_bpe_sink *s,
		   struct ai_err *err)
{
	size_t at = 0, last = 0, len, took;

	while (at < n) {
		len = n - at < w->max ? n - at : w->max;
		merge_window(t, w, p + at, len);
		if (at > 0 && !good_neighbours(t, p + at - last, last,
					       node_end(w, 0)))
			return 0;
		took = give(w, at + len == n ? len : len - MARGIN, &last, s,
			    err);
		if (took == 0)
			return -1;
		at += took;
	}
	return 1;
}

static int merge_windows(const struct ai_bpe_table *t, const unsigned char *p,
			 size_t n, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct node node[AI_BPE_WINDOW];
	uint64_t heap[2 * AI_BPE_WINDOW];
	struct window w = { .max = AI_BPE_WINDOW, .node = node, .heap = heap };

	return through(t, &w, p, n, s, err);
}

static int merge_wider(const struct ai_bpe_table *t, const unsigned char *p,
		       size_t n, size_t max, struct ai_bpe_sink *s,
		       struct ai_err *err)
{
	struct window w = { .max = max };
	int rc = -1;

	w.node = calloc(max, sizeof *w.node);
	w.heap = calloc(max, 2 * sizeof *w.heap);
	if (w.node == NULL || w.heap == NULL)
		ai_err_nomem(err);
	else
		rc = through(t, &w, p, n, s, err);
	free(w.heap);
	free(w.node);
	return rc;
}

static int merge_long(const struct ai_bpe_table *t, const unsigned char *p,
		      size_t n, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct ai_bpe_sink before = *s;
	size_t kept = s->keep == NULL ? 0 : s->keep->n, max = AI_BPE_WINDOW;
	int rc = merge_windows(t, p, n, s, err);

	while (rc == 0) {
		*s = before;
		if (s->keep != NULL)
			s->keep->n = kept;
		max = n / 2 < max ? n : 2 * max;
		rc = merge_wider(t, p, n, max, s, err);
	}
	return rc < 0 ? -1 : 0;
}

int ai_bpe_merge(const struct ai_bpe_table *t, const char *text, size_t n,
		 struct ai_bpe_sink *s, struct ai_err *err)
{
	const unsigned char *p = (const unsigned char *)text;
	struct parts a;
	uint32_t whole = ai_bpe_find(t, p, n);

	/* Every token merges to itself, so a piece that is one is done. */
	if (whole != AI_BPE_NONE)
		return ai_bpe_sink_add(s, whole, err);
	if (n >= LIST_END)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "a word of %zu bytes is too long", n);
	if (n > SHORT_GOOD)
		return merge_long(t, p, n, s, err);
	merge_short(t, p, n, &a);
	for (size_t i = 0; i < a.n; i++)
		if (ai_bpe_sink_add(s, a.id[i], err) < 0)
			return -1;
	return 0;
}
