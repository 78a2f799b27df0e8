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

#include "text/bpe_small.h"

#include <stdlib.h>

/* The longest two neighbours. */
#define TWO_MAX (2 * AI_BPE_MAX_TOKEN)
#define END UINT32_MAX

int ai_bpe_sink_add(struct ai_bpe_sink *s, uint32_t id, struct ai_err *err)
{
	s->count++;
	if (s->keep == NULL || s->keep->n >= s->limit)
		return 0;
	return ai_bpe_ids_add(s->keep, id, err);
}

/* The tokens of a window: id[i] begins where the one before it ends. */
struct tokens {
	uint32_t *id, *end;
	size_t n;
};

/* ---- windows ---- */

static void small_window(const struct ai_bpe_table *t, const unsigned char *p,
			 size_t n, struct tokens *out)
{
	struct ai_bpe_small s;

	ai_bpe_small_merge(t, &s, p, n);
	out->n = 0;
	for (unsigned i = 0; i < n; i = s.next[i]) {
		out->id[out->n] = s.id[i];
		out->end[out->n++] = s.next[i];
	}
}

/*
 * A token in the making, at the index of its first byte; a list in the order
 * of the text.  Its pair is the token it makes with the next.
 */
struct node {
	uint32_t prev, next, id, pair;
};

/* A heap entry is pair << 32 | index; stale when the node's pair differs. */
struct large {
	size_t n;
	struct node *node;
	uint64_t *heap; /* twice as many: a merge takes one out, puts two in */
	size_t heap_n;
};

static void heap_push(struct large *w, uint64_t v)
{
	size_t i = w->heap_n++, up;

	for (; i > 0 && v < w->heap[up = (i - 1) / 2]; i = up)
		w->heap[i] = w->heap[up];
	w->heap[i] = v;
}

static uint64_t heap_pop(struct large *w)
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

/* Looks up what node i makes with the next one, and queues it. */
static void node_pair(const struct ai_bpe_table *t, struct large *w, uint32_t i)
{
	struct node *a = &w->node[i];

	a->pair = AI_BPE_NONE;
	if (a->next != END)
		a->pair = ai_bpe_pair(t, a->id, w->node[a->next].id);
	if (a->pair != AI_BPE_NONE)
		heap_push(w, (uint64_t)a->pair << 32 | i);
}

static void node_join(const struct ai_bpe_table *t, struct large *w, uint32_t i)
{
	struct node *a = &w->node[i], *b = &w->node[a->next];

	a->id = a->pair;
	a->next = b->next;
	b->pair = AI_BPE_NONE;
	if (a->next != END)
		w->node[a->next].prev = i;
	node_pair(t, w, i);
	if (a->prev != END)
		node_pair(t, w, a->prev);
}

static void large_window(const struct ai_bpe_table *t, struct large *w,
			 const unsigned char *p, size_t n, struct tokens *out)
{
	uint64_t top;

	w->heap_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		w->node[i].prev = i == 0 ? END : i - 1;
		w->node[i].next = i + 1 == n ? END : i + 1;
		w->node[i].id = le32toh(t->byte_id[p[i]]);
	}
	for (uint32_t i = 0; i < n; i++)
		node_pair(t, w, i);
	while (w->heap_n > 0) {
		top = heap_pop(w);
		if (w->node[(uint32_t)top].pair == top >> 32)
			node_join(t, w, (uint32_t)top);
	}
	out->n = 0;
	for (uint32_t i = 0; i != END; i = w->node[i].next) {
		out->id[out->n] = w->node[i].id;
		out->end[out->n++] = w->node[i].next == END ? (uint32_t)n :
			w->node[i].next;
	}
}

/* ---- a piece through windows of one size ---- */

/* How a piece goes through windows; w is NULL where they are small. */
struct passage {
	const struct ai_bpe_table *t;
	struct large *w;
	size_t max;    /* bytes of a window */
	size_t margin; /* tokens that end so near a window's end are dropped */
	struct tokens got;
};

static bool good_neighbours(const struct ai_bpe_table *t,
			    const unsigned char *p, size_t left, size_t right)
{
	uint32_t id[TWO_MAX], end[TWO_MAX];
	struct node node[TWO_MAX];
	uint64_t heap[2 * TWO_MAX];
	struct large w = { .node = node, .heap = heap };
	struct tokens got = { id, end, 0 };

	if (left + right <= AI_BPE_SMALL)
		small_window(t, p, left + right, &got);
	else
		large_window(t, &w, p, left + right, &got);
	return got.n == 2 && end[0] == left;
}

/*
 * Gives the tokens of the window that end at or before the limit (at least
 * one) to the sink; *last is the length of the last one.  Returns the bytes
 * they have, or 0 with err.
 */
static size_t give(const struct tokens *got, size_t limit, size_t *last,
		   struct ai_bpe_sink *s, struct ai_err *err)
{
	size_t i = 0, from = 0;

	do {
		if (ai_bpe_sink_add(s, got->id[i], err) < 0)
			return 0;
		*last = got->end[i] - from;
		from = got->end[i++];
	} while (i < got->n && got->end[i] <= limit);
	return from;
}

/* 1: all went well; 0: some neighbours are not good; -1: err. */
static int through(struct passage *w, const unsigned char *p, size_t n,
		   struct ai_bpe_sink *s, struct ai_err *err)
{
	size_t at = 0, last = 0, len, took;

	while (at < n) {
		len = n - at < w->max ? n - at : w->max;
		if (w->w == NULL)
			small_window(w->t, p + at, len, &w->got);
		else
			large_window(w->t, w->w, p + at, len, &w->got);
		if (at > 0 && !good_neighbours(w->t, p + at - last, last,
					       w->got.end[0]))
			return 0;
		took = give(&w->got, at + len == n ? len : len - w->margin,
			    &last, s, err);
		if (took == 0)
			return -1;
		at += took;
	}
	return 1;
}

static int small_windows(const struct ai_bpe_table *t, const unsigned char *p,
			 size_t n, struct ai_bpe_sink *s, struct ai_err *err)
{
	uint32_t id[AI_BPE_SMALL], end[AI_BPE_SMALL];
	struct passage w = {
		.t = t, .max = AI_BPE_SMALL, .margin = AI_BPE_SMALL / 4, .got = { id, end, 0 },
	};

	return through(&w, p, n, s, err);
}

static int large_windows(const struct ai_bpe_table *t, const unsigned char *p,
			 size_t n, size_t max, struct ai_bpe_sink *s,
			 struct ai_err *err)
{
	struct large l = { 0 };
	struct passage w = { .t = t, .w = &l, .max = max, .margin = TWO_MAX };
	int rc = -1;

	l.node = calloc(max, sizeof *l.node);
	l.heap = calloc(max, 2 * sizeof *l.heap);
	w.got.id = calloc(max, 2 * sizeof *w.got.id);
	if (l.node == NULL || l.heap == NULL || w.got.id == NULL) {
		ai_err_nomem(err);
	} else {
		w.got.end = w.got.id + max;
		rc = through(&w, p, n, s, err);
	}
	free(l.heap);
	free(l.node);
	free(w.got.id);
	return rc;
}

static int merge_long(const struct ai_bpe_table *t, const unsigned char *p,
		      size_t n, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct ai_bpe_sink before = *s;
	size_t kept = s->keep == NULL ? 0 : s->keep->n, max = AI_BPE_WINDOW / 2;
	int rc = small_windows(t, p, n, s, err);

	while (rc == 0) {
		*s = before;
		if (s->keep != NULL)
			s->keep->n = kept;
		max = n / 2 < max ? n : 2 * max;
		rc = large_windows(t, p, n, max, s, err);
	}
	return rc < 0 ? -1 : 0;
}

int ai_bpe_merge(const struct ai_bpe_table *t, const char *text, size_t n,
		 struct ai_bpe_sink *s, struct ai_err *err)
{
	const unsigned char *p = (const unsigned char *)text;
	struct ai_bpe_small small;
	uint32_t whole = ai_bpe_find(t, p, n);

	/* Every token merges to itself, so a piece that is one is done. */
	if (whole != AI_BPE_NONE)
		return ai_bpe_sink_add(s, whole, err);
	if (n >= END)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "a word of %zu bytes is too long", n);
	if (n > AI_BPE_SMALL)
		return merge_long(t, p, n, s, err);
	ai_bpe_small_merge(t, &small, p, n);
	for (unsigned i = 0; i < n; i = small.next[i])
		if (ai_bpe_sink_add(s, small.id[i], err) < 0)
			return -1;
	return 0;
}
