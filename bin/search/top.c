/* top.c: the best of many, and the order among equals. */
#include "search.h"

#include <stdlib.h>
#include <string.h>

int search_top_init(struct search_top *t, size_t cap, struct ai_err *err)
{
	*t = (struct search_top){ NULL, 0, cap };
	t->v = calloc(cap > 0 ? cap : 1, sizeof(*t->v));
	return t->v == NULL ? ai_err_nomem(err) : 0;
}

void search_top_release(struct search_top *t)
{
	free(t->v);
	*t = (struct search_top){ NULL, 0, 0 };
}

/* Whether a stands behind b. */
static bool worse(const struct search_hit *a, const struct search_hit *b)
{
	if (a->key.score != b->key.score)
		return a->key.score < b->key.score;
	return a->key.n > b->key.n;
}

static void swap(struct search_hit *a, struct search_hit *b)
{
	struct search_hit t = *a;

	*a = *b;
	*b = t;
}

/* The heap has its worst at the root. */
static void sift_down(struct search_top *t, size_t i)
{
	size_t child;

	for (; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && worse(&t->v[child + 1], &t->v[child]))
			child++;
		if (!worse(&t->v[child], &t->v[i]))
			return;
		swap(&t->v[child], &t->v[i]);
	}
}

void search_top_push(struct search_top *t, struct search_hit h)
{
	size_t i;

	if (t->n == t->cap) {
		if (t->cap == 0 || worse(&h, &t->v[0]))
			return;
		t->v[0] = h;
		sift_down(t, 0);
		return;
	}
	t->v[t->n] = h;
	for (i = t->n++; i > 0 && worse(&t->v[i], &t->v[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&t->v[i], &t->v[(i - 1) / 2]);
}

/* ---- sorting ----------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
	const struct search_key *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->n > y->n) - (x->n < y->n);
}

/* Lists often are in order already: of one leg alone, or from the words. */
static void sort_keys(void *items, size_t n, size_t size)
{
	const char *p = items;
	size_t i;

	for (i = 1; i < n; i++)
		if (compare_keys(p + (i - 1) * size, p + i * size) > 0) {
			qsort(items, n, size, compare_keys);
			return;
		}
}

struct tied {
	struct search_id id; /* its bytes are owned */
	size_t at;
};

static int compare_ids(const void *a, const void *b)
{
	const struct search_id *x = &((const struct tied *)a)->id;
	const struct search_id *y = &((const struct tied *)b)->id;
	size_t n = x->s.n < y->s.n ? x->s.n : y->s.n;
	int order = memcmp(x->s.p, y->s.p, n);

	if (order == 0)
		order = (x->s.n > y->s.n) - (x->s.n < y->s.n);
	return order != 0 ? order : x->number - y->number;
}

static int id_of(struct search_index *ix, int64_t n, struct search_id *id,
		 struct ai_err *err)
{
	int rc;

	if (SEARCH_BIND(ix, SQL_ID_OF, err, "i", n) < 0)
		return -1;
	rc = ai_db_step(&ix->db, ix->st[SQL_ID_OF], err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		*id = search_id_at(ix->st[SQL_ID_OF], 0);
	if (id->s.p == NULL)
		id->s = AI_SPAN("");
	id->s.p = ai_span_dup(id->s);
	sqlite3_reset(ix->st[SQL_ID_OF]);
	return id->s.p == NULL ? ai_err_nomem(err) : 0;
}

/* A run of equal scores, in the order of ids: the same documents give the
 * same answer in whatever order they were added. */
static int sort_run(char *items, size_t n, size_t size,
		    struct search_index *ix, struct ai_err *err)
{
	struct tied *tied = calloc(n, sizeof(*tied));
	char *copy = malloc(n * size);
	size_t i;
	int rc = 0;

	if (tied == NULL || copy == NULL)
		rc = ai_err_nomem(err);
	for (i = 0; i < n && rc == 0; i++) {
		tied[i].at = i;
		rc = id_of(ix, ((struct search_key *)(items + i * size))->n,
			   &tied[i].id, err);
	}
	if (rc == 0) {
		qsort(tied, n, sizeof(*tied), compare_ids);
		memcpy(copy, items, n * size);
		for (i = 0; i < n; i++)
			memcpy(items + i * size, copy + tied[i].at * size,
			       size);
	}
	for (i = 0; tied != NULL && i < n; i++)
		free((void *)(uintptr_t)tied[i].id.s.p);
	free(tied);
	free(copy);
	return rc;
}

int search_sort(void *items, size_t n, size_t size, size_t first,
		struct search_index *ix, struct ai_err *err)
{
	char *p = items;
	size_t i, end;
	double score;

	sort_keys(items, n, size);
	for (i = 0; i < n && i < first; i = end) {
		score = ((struct search_key *)(p + i * size))->score;
		for (end = i + 1; end < n; end++)
			if (((struct search_key *)(p + end * size))->score !=
			    score)
				break;
		if (end - i > 1 &&
		    sort_run(p + i * size, end - i, size, ix, err) < 0)
			return -1;
	}
	return 0;
}

/*
 * Equal scores share a rank: whatever the order in which documents were added,
 * they get the same, and no id has to be looked up for it.
 */
void search_top_finish(struct search_top *t)
{
	size_t i;

	sort_keys(t->v, t->n, sizeof(*t->v));
	for (i = 0; i < t->n; i++)
		t->v[i].rank = i > 0 && t->v[i].key.score ==
						t->v[i - 1].key.score
				       ? t->v[i - 1].rank
				       : (int)i + 1;
}
