/*
 * BPE with a list of merges: of all neighbours that can be merged the pair of
 * the lowest rank is, the leftmost of several, again and again.
 *
 * A long piece goes through windows of a bounded size.  bpe_merge.c says why
 * that is exact; nothing there depends on how a pair gets its rank.
 */
#include "base/utf8.h"
#include "text/tokenizer_int.h"

/* Up to here the quadratic way is the faster one. */
#define SHORT 64
#define WINDOW_MIN 1024

/* ---- characters become tokens ---- */

struct symbols {
	const char *p;
	size_t n, at; /* at: what is not looked at yet */
	bool unknown; /* the last one is the unknown token */
	size_t count;
	uint32_t *id, *end; /* end: the byte behind it, in p */
};

static void add_symbol(struct symbols *a, uint32_t id, size_t end)
{
	a->id[a->count] = id;
	a->end[a->count++] = (uint32_t)end;
	a->unknown = false;
}

/* A character without a token; false: there is no room. */
static bool add_unknown(const struct ai_tok *k, struct symbols *a, size_t len,
			size_t max)
{
	const struct ai_tok_header *h = k->t.head;

	if (h->flags & AI_TOK_FALLBACK) {
		if (a->count + len > max)
			return false;
		for (size_t i = 0; i < len; i++)
			add_symbol(a, h->byte[(unsigned char)a->p[a->at + i]],
				   a->at + i + 1);
	} else if (h->unknown != AI_TOK_NONE) {
		if (a->unknown && (h->flags & AI_TOK_FUSE)) {
			a->end[a->count - 1] = (uint32_t)(a->at + len);
		} else if (a->count == max) {
			return false;
		} else {
			add_symbol(a, h->unknown, a->at + len);
			a->unknown = true;
		}
	}
	a->at += len;
	return true;
}

static uint32_t symbol_at(const struct ai_tok *k, const char *p, size_t n,
			  size_t *len)
{
	unsigned char c = (unsigned char)*p;

	*len = 1;
	if (k->t.head->flags & AI_TOK_BYTES)
		return k->t.head->byte[c];
	if (c < 0x80)
		return k->ascii[c];
	*len = ai_utf8_len(p, n);
	if (*len > 0)
		return ai_tok_find(&k->t, p, *len);
	*len = 1;
	return AI_TOK_NONE;
}

/* At most max symbols (4 or more) from a->at on. */
static void fill_symbols(const struct ai_tok *k, struct symbols *a, size_t max)
{
	uint32_t id;
	size_t len;

	a->count = 0;
	a->unknown = false;
	while (a->at < a->n) {
		id = symbol_at(k, a->p + a->at, a->n - a->at, &len);
		if (id == AI_TOK_NONE) {
			if (!add_unknown(k, a, len, max))
				return;
			continue;
		}
		if (a->count == max)
			return;
		a->at += len;
		add_symbol(a, id, a->at);
	}
}

/* ---- short pieces ---- */

/*
 * Parts stay where they began; those that went into another are passed over.
 * What a part makes with the next one is a key, the rank above the place: the
 * least key is the merge to do, found by looking at all of them at once.
 */
struct parts {
	int32_t key[SHORT]; /* NO_KEY: nothing */
	uint32_t made[SHORT], *id;
	uint8_t prev[SHORT], next[SHORT]; /* SHORT: none */
};

#define NO_KEY INT32_MAX

static void part_pair(const struct ai_tok *k, struct parts *a, unsigned i)
{
	uint64_t pair;

	a->key[i] = NO_KEY;
	if (a->next[i] == SHORT)
		return;
	pair = ai_tok_pair(&k->t, a->id[i], a->id[a->next[i]]);
	if (pair == AI_TOK_NO_PAIR)
		return;
	a->key[i] = (int32_t)((pair >> 32) * SHORT + i);
	a->made[i] = (uint32_t)pair;
}

static void part_join(const struct ai_tok *k, struct parts *a, unsigned i)
{
	unsigned gone = a->next[i];

	a->id[i] = a->made[i];
	a->id[gone] = AI_TOK_NONE;
	a->key[gone] = NO_KEY;
	a->next[i] = a->next[gone];
	if (a->next[i] != SHORT)
		a->prev[a->next[i]] = (uint8_t)i;
	part_pair(k, a, i);
	if (a->prev[i] != SHORT)
		part_pair(k, a, a->prev[i]);
}

/* lanes is known where this is compiled into, so that it becomes vectors. */
static inline __attribute__((always_inline)) int32_t
least_of(const int32_t *key, size_t lanes)
{
	int32_t least = NO_KEY;

	for (size_t i = 0; i < lanes; i++)
		least = key[i] < least ? key[i] : least;
	return least;
}

static int32_t least(const struct parts *a, size_t n)
{
	if (n <= SHORT / 4)
		return least_of(a->key, SHORT / 4);
	return n <= SHORT / 2 ? least_of(a->key, SHORT / 2)
			      : least_of(a->key, SHORT);
}

/* Merges id[0..n); what is left is not AI_TOK_NONE. */
static void merge_short(const struct ai_tok *k, uint32_t *id, size_t n)
{
	struct parts a = { .id = id };
	int32_t key;

	for (size_t i = 0; i < n; i++) {
		a.prev[i] = (uint8_t)(i == 0 ? SHORT : i - 1);
		a.next[i] = (uint8_t)(i + 1 == n ? SHORT : i + 1);
	}
	for (size_t i = 0; i < SHORT; i++)
		a.key[i] = NO_KEY;
	for (size_t i = 0; i < n; i++)
		part_pair(k, &a, (unsigned)i);
	while ((key = least(&a, n)) != NO_KEY)
		part_join(k, &a, (unsigned)key % SHORT);
}

/* ---- windows ---- */

struct node {
	uint32_t prev, next, id, end;
	uint64_t pair;
};

/* A heap entry: the rank and the place; stale if the node has another. */
struct entry {
	uint32_t rank, at;
	uint32_t id;
};

struct window {
	size_t max, n;
	size_t to;          /* the byte behind what it holds */
	struct node *node;
	struct entry *heap; /* 2 * max: a merge takes one out, puts two in */
	size_t heap_n;
	uint32_t *id, *end; /* the symbols it is filled with */
};

#define LIST_END UINT32_MAX

static bool before(struct entry a, struct entry b)
{
	return a.rank != b.rank ? a.rank < b.rank : a.at < b.at;
}

static void heap_push(struct window *w, struct entry e)
{
	size_t i = w->heap_n++, up;

	for (; i > 0 && before(e, w->heap[up = (i - 1) / 2]); i = up)
		w->heap[i] = w->heap[up];
	w->heap[i] = e;
}

static struct entry heap_pop(struct window *w)
{
	struct entry top = w->heap[0], e = w->heap[--w->heap_n];
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < w->heap_n) {
		if (kid + 1 < w->heap_n &&
		    before(w->heap[kid + 1], w->heap[kid]))
			kid++;
		if (!before(w->heap[kid], e))
			break;
		w->heap[i] = w->heap[kid];
		i = kid;
	}
	w->heap[i] = e;
	return top;
}

/* Looks up what node i makes with the next one, and queues it. */
static void node_pair(const struct ai_tok *k, struct window *w, uint32_t i)
{
	struct node *a = &w->node[i];

	a->pair = AI_TOK_NO_PAIR;
	if (a->next != LIST_END)
		a->pair = ai_tok_pair(&k->t, a->id, w->node[a->next].id);
	if (a->pair != AI_TOK_NO_PAIR)
		heap_push(w, (struct entry){ (uint32_t)(a->pair >> 32), i,
					     (uint32_t)a->pair });
}

static void node_join(const struct ai_tok *k, struct window *w, uint32_t i)
{
	struct node *a = &w->node[i], *b = &w->node[a->next];

	a->id = (uint32_t)a->pair;
	a->end = b->end;
	a->next = b->next;
	b->pair = AI_TOK_NO_PAIR;
	if (a->next != LIST_END)
		w->node[a->next].prev = i;
	node_pair(k, w, i);
	if (a->prev != LIST_END)
		node_pair(k, w, a->prev);
}

/* Merges what p[from..n) has, as far as there is room. */
static void merge_window(const struct ai_tok *k, struct window *w,
			 const char *p, size_t from, size_t n)
{
	struct symbols a = { .p = p, .n = n, .at = from, .id = w->id,
			     .end = w->end };
	struct entry top;

	fill_symbols(k, &a, w->max);
	w->n = a.count;
	w->to = a.at;
	w->heap_n = 0;
	for (uint32_t i = 0; i < w->n; i++)
		w->node[i] = (struct node){ i == 0 ? LIST_END : i - 1,
					    i + 1 == w->n ? LIST_END : i + 1,
					    w->id[i], w->end[i],
					    AI_TOK_NO_PAIR };
	for (uint32_t i = 0; i < w->n; i++)
		node_pair(k, w, i);
	while (w->heap_n > 0) {
		top = heap_pop(w);
		if (w->node[top.at].pair ==
		    ((uint64_t)top.rank << 32 | top.id))
			node_join(k, w, top.at);
	}
}

static size_t window_bytes(size_t max)
{
	return max * (sizeof(struct node) + 2 * sizeof(struct entry) +
		      2 * sizeof(uint32_t));
}

static void window_place(struct window *w, void *memory, size_t max)
{
	w->max = max;
	w->node = memory;
	w->heap = (struct entry *)(w->node + max);
	w->id = (uint32_t *)(w->heap + 2 * max);
	w->end = w->id + max;
}

/* ---- a piece through windows of one size ---- */

struct through {
	struct window w, check;
	const char *p;
	size_t n;
	size_t margin; /* symbols at a window's end that may yet change */
};

/* Whether p[from..to), which are two tokens with mid between, stay so when
 * they are merged on their own. */
static bool good_neighbours(struct ai_tok_run *r, struct through *t,
			    size_t from, size_t mid, size_t to)
{
	const struct window *c = &t->check;

	merge_window(r->k, &t->check, t->p, from, to);
	return c->n > 0 && c->node[0].end == mid &&
	       c->node[0].next != LIST_END &&
	       c->node[c->node[0].next].end == to;
}

/* Gives the tokens of the window to the sink, without the margin if text
 * follows; at least one.  *last is where the last one begins. */
static int give(struct ai_tok_run *r, struct through *t, bool final,
		size_t *at, size_t *last)
{
	const struct window *w = &t->w;
	size_t limit = w->n == 0 ? 0 : w->end[w->n - 1];
	uint32_t i = 0;

	if (!final && w->n > t->margin)
		limit = w->end[w->n - 1 - t->margin];
	while (i != LIST_END && w->n > 0) {
		if (ai_bpe_sink_add(r->s, w->node[i].id, r->err) < 0)
			return -1;
		*last = *at;
		*at = w->node[i].end;
		i = w->node[i].next;
		if (i != LIST_END && w->node[i].end > limit)
			break;
	}
	return 0;
}

/* 1: all went well; 0: some neighbours are not good; -1: err. */
static int through(struct ai_tok_run *r, struct through *t)
{
	size_t at = 0, last = 0;
	bool final;

	do {
		merge_window(r->k, &t->w, t->p, at, t->n);
		if (t->w.n == 0)
			return 1;
		final = t->w.to == t->n;
		if (at > 0 && !good_neighbours(r, t, last, at,
					       t->w.node[0].end))
			return 0;
		if (give(r, t, final, &at, &last) < 0)
			return -1;
	} while (!final);
	return 1;
}

static int merge_long(struct ai_tok_run *r, const char *p, size_t n)
{
	size_t longest = r->k->t.head->max_len, max = 4 * longest;
	struct ai_bpe_sink before_it = *r->s;
	size_t kept = r->s->keep == NULL ? 0 : r->s->keep->n;
	struct through t = { .p = p, .n = n, .margin = 2 * longest };
	size_t small = 2 * longest + 4;
	char *memory;
	int rc;

	for (max = max < WINDOW_MIN ? WINDOW_MIN : max;; max *= 2) {
		if (max > n)
			max = n + 4;
		memory = ai_tok_memory(r, window_bytes(max) +
						  window_bytes(small));
		if (memory == NULL)
			return -1;
		window_place(&t.w, memory, max);
		window_place(&t.check, memory + window_bytes(max), small);
		rc = through(r, &t);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		*r->s = before_it;
		if (r->s->keep != NULL)
			r->s->keep->n = kept;
	}
}

/* ---- a piece ---- */

int ai_tok_merge(struct ai_tok_run *r, const char *p, size_t n)
{
	uint32_t id[SHORT], end[SHORT];
	struct symbols a = { .p = p, .n = n, .id = id, .end = end };

	if (n > UINT32_MAX - 8)
		return ai_err_set(r->err, AI_E_TOO_LONG,
				  "a word of %zu bytes is too long", n);
	if (n > 4 * SHORT)
		return merge_long(r, p, n);
	fill_symbols(r->k, &a, SHORT);
	if (a.at < n)
		return merge_long(r, p, n);
	merge_short(r->k, id, a.count);
	for (size_t i = 0; i < a.count; i++)
		if (id[i] != AI_TOK_NONE &&
		    ai_bpe_sink_add(r->s, id[i], r->err) < 0)
			return -1;
	return 0;
}
