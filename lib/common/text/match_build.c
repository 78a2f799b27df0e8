/* match_build.c: makes the tables of match.h. */
#include "text/match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a match made at run time owns. */
struct built {
	struct ai_match m; /* first: it is what the caller has */
	uint8_t class_of[256];
	uint8_t begins[AI_MATCH_BEGINS];
	uint16_t *next, *ends, *words;
};

/* A state while the tables are made. */
struct node {
	uint16_t fail, depth;
	uint32_t first; /* word + 1 that ends here; the others: chain[] */
};

struct maker {
	struct built *b;
	struct node *node;
	uint32_t *chain;   /* [n]: the next word that ends in the same state */
	uint16_t *order;   /* breadth first */
	uint16_t *number;  /* of a node in that order */
	uint32_t n_nodes;
	unsigned classes;
	const struct ai_span *words;
	size_t n;
	bool caseless;
};

static unsigned char fold(const struct maker *k, unsigned char c)
{
	return k->caseless && c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static int classes_of(struct maker *k, size_t *total, struct ai_err *err)
{
	uint8_t *class_of = k->b->class_of;

	k->classes = 1;
	*total = 1;
	for (size_t i = 0; i < k->n; i++) {
		const struct ai_span *w = &k->words[i];

		if (w->n < 2 || w->n > AI_MATCH_WORD_MAX)
			return ai_err_set(err, AI_E_DATA,
					  "a word of %zu bytes; 2 to %d are possible",
					  w->n, AI_MATCH_WORD_MAX);
		*total += w->n;
		for (size_t j = 0; j < w->n; j++) {
			unsigned char c = fold(k, (unsigned char)w->p[j]);

			if (class_of[c] == 0 && k->classes < 256)
				class_of[c] = (uint8_t)k->classes++;
			else if (class_of[c] == 0)
				return ai_err_set(err, AI_E_DATA,
						  "words of all 256 bytes");
		}
	}
	for (int c = 'A'; k->caseless && c <= 'Z'; c++)
		class_of[c] = class_of[c | 0x20];
	if (*total > AI_MATCH_STATES_MAX)
		return ai_err_set(err, AI_E_DATA, "too many words");
	return 0;
}

/* Sets the three classes that a word begins with; one of two bytes goes on
 * with anything. */
static void note_begin(struct maker *k, struct ai_span w)
{
	uint8_t *begins = k->b->begins;
	unsigned c[3] = { 0 };

	for (size_t i = 0; i < 3 && i < w.n; i++)
		c[i] = k->b->class_of[(unsigned char)w.p[i]] & 63u;
	for (unsigned last = 0; last < 64; last++) {
		uint32_t three;

		if (w.n > 2 && last != c[2])
			continue;
		three = c[0] << 12 | c[1] << 6 | last;
		begins[three >> 3] |= (uint8_t)(1 << (three & 7));
	}
}

/* The tree of all words. */
static void grow(struct maker *k)
{
	k->n_nodes = 1;
	for (size_t i = 0; i < k->n; i++) {
		uint32_t at = 0;

		for (size_t j = 0; j < k->words[i].n; j++) {
			unsigned c = k->b->class_of[
				(unsigned char)k->words[i].p[j]];
			uint16_t *next = &k->b->next[at * k->classes + c];

			if (*next == 0) {
				k->node[k->n_nodes].depth =
					(uint16_t)(j + 1);
				*next = (uint16_t)k->n_nodes++;
			}
			at = *next;
		}
		k->chain[i] = k->node[at].first;
		k->node[at].first = (uint32_t)i + 1;
		note_begin(k, k->words[i]);
	}
}

/* Where to go on when a word breaks off; the order is breadth first, so a
 * shorter one is complete before it is asked for. */
static void link_up(struct maker *k)
{
	uint32_t head = 0, tail = 1;
	uint16_t *next = k->b->next;

	k->order[0] = 0;
	for (; head < tail; head++) {
		uint32_t at = k->order[head];

		for (unsigned c = 0; c < k->classes; c++) {
			uint16_t to = next[at * k->classes + c];
			uint16_t other = at == 0 ? 0 :
				next[k->node[at].fail * k->classes + c];

			if (to == 0 || k->node[to].depth !=
					       k->node[at].depth + 1) {
				next[at * k->classes + c] = other;
				continue;
			}
			k->node[to].fail = other;
			k->order[tail++] = to;
		}
	}
}

/* The words that end in each state; counts only if out is NULL. */
static uint32_t list_ends(struct maker *k, uint16_t *ends, uint16_t *out)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < k->n_nodes; i++) {
		if (ends != NULL)
			ends[i] = (uint16_t)total;
		for (uint32_t at = k->order[i]; at != 0;
		     at = k->node[at].fail)
			for (uint32_t w = k->node[at].first; w != 0;
			     w = k->chain[w - 1]) {
				if (out != NULL)
					out[total] = (uint16_t)(w - 1);
				total++;
			}
	}
	if (ends != NULL)
		ends[k->n_nodes] = (uint16_t)total;
	return total;
}

/* Renumbers the states breadth first. */
static int finish(struct maker *k, struct ai_err *err)
{
	struct built *b = k->b;
	uint32_t n = k->n_nodes, total = list_ends(k, NULL, NULL);
	uint16_t *next = calloc((size_t)n * k->classes, sizeof *next);

	if (total > UINT16_MAX) {
		free(next);
		return ai_err_set(err, AI_E_DATA, "too many words");
	}
	b->ends = calloc(n + 1, sizeof *b->ends);
	b->words = calloc(total + 1, sizeof *b->words);
	if (next == NULL || b->ends == NULL || b->words == NULL) {
		free(next);
		return ai_err_nomem(err);
	}
	list_ends(k, b->ends, b->words);
	for (uint32_t i = 0; i < n; i++)
		k->number[k->order[i]] = (uint16_t)i;
	for (uint32_t i = 0; i < n; i++)
		for (unsigned c = 0; c < k->classes; c++)
			next[i * k->classes + c] = k->number[
				b->next[k->order[i] * k->classes + c]];
	free(b->next);
	b->next = next;
	b->m = (struct ai_match){
		.class_of = b->class_of, .begins = b->begins, .next = next,
		.ends = b->ends, .words = b->words, .states = n,
		.classes = k->classes, .n_words = total, .deep = n,
	};
	for (uint32_t i = n; i-- > 0 && k->node[k->order[i]].depth >= 3;)
		b->m.deep = i;
	return 0;
}

static int make(struct maker *k, struct ai_err *err)
{
	size_t total;

	if (k->n > UINT16_MAX)
		return ai_err_set(err, AI_E_DATA, "too many words");
	if (classes_of(k, &total, err) < 0)
		return -1;
	k->b->next = calloc(total * k->classes, sizeof *k->b->next);
	k->node = calloc(total, sizeof *k->node);
	k->chain = calloc(k->n + 1, sizeof *k->chain);
	k->order = calloc(total, sizeof *k->order);
	k->number = calloc(total, sizeof *k->number);
	if (k->b->next == NULL || k->node == NULL || k->chain == NULL ||
	    k->order == NULL || k->number == NULL)
		return ai_err_nomem(err);
	grow(k);
	link_up(k);
	return finish(k, err);
}

int ai_match_new(struct ai_match **m, const struct ai_span *words, size_t n,
		 unsigned flags, struct ai_err *err)
{
	struct maker k = { .words = words, .n = n,
			   .caseless = (flags & AI_MATCH_CASELESS) != 0 };
	int rc;

	*m = NULL;
	k.b = calloc(1, sizeof *k.b);
	if (k.b == NULL)
		return ai_err_nomem(err);
	rc = make(&k, err);
	free(k.node);
	free(k.chain);
	free(k.order);
	free(k.number);
	if (rc < 0)
		ai_match_free(&k.b->m);
	else
		*m = &k.b->m;
	return rc;
}

void ai_match_free(struct ai_match *m)
{
	struct built *b = (struct built *)m;

	if (b == NULL)
		return;
	free(b->next);
	free(b->ends);
	free(b->words);
	free(b);
}
