#include "codes-pick.h"

#include "codes-kernel.h"

#include <math.h>
#include <stdlib.h>

int codes_pick_init(struct codes_pick *p, size_t want, struct ai_err *err)
{
	*p = (struct codes_pick){ .want = want, .floor = -INFINITY };
	p->room = want == 0 ? 0 : 2 * want + CODES_BLOCK;
	p->v = calloc(p->room > 0 ? p->room : 1, sizeof(*p->v));
	return p->v == NULL ? ai_err_nomem(err) : 0;
}

void codes_pick_release(struct codes_pick *p)
{
	free(p->v);
	*p = (struct codes_pick){ 0 };
}

static bool better(const struct search_near *a, const struct search_near *b)
{
	return a->score != b->score ? a->score > b->score : a->n < b->n;
}

static void swap(struct search_near *a, struct search_near *b)
{
	struct search_near t = *a;

	*a = *b;
	*b = t;
}

/* Puts the middle of three in v[0]. */
static void choose_pivot(struct search_near *v, size_t n)
{
	struct search_near *a = &v[n / 4], *b = &v[n / 2];
	struct search_near *c = &v[n - 1 - n / 8];

	if (better(b, a))
		swap(a, b);
	if (better(c, b))
		swap(b, c);
	if (better(b, a))
		swap(a, b);
	swap(v, b);
}

/* Hoare's selection: the best k of n come first, in no order. */
static void select_best(struct search_near *v, size_t n, size_t k)
{
	while (n > k && k > 0) {
		size_t i = 0, j = n;

		choose_pivot(v, n);
		for (;;) {
			do
				i++;
			while (i < n && better(&v[i], &v[0]));
			do
				j--;
			while (better(&v[0], &v[j]));
			if (i >= j)
				break;
			swap(&v[i], &v[j]);
		}
		swap(&v[0], &v[j]);
		/* v[j] is in its place. */
		if (j >= k) {
			n = j;
		} else {
			v += j + 1;
			n -= j + 1;
			k -= j + 1;
		}
	}
}

void codes_pick_cut(struct codes_pick *p)
{
	if (p->n < p->want || p->n == 0)
		return;
	select_best(p->v, p->n, p->want);
	p->n = p->want;
	p->floor = p->v[0].score;
	for (size_t i = 1; i < p->n; i++)
		if (p->v[i].score < p->floor)
			p->floor = p->v[i].score;
}

static int compare(const void *a, const void *b)
{
	return better(a, b) ? -1 : better(b, a);
}

void codes_pick_sort(struct codes_pick *p)
{
	codes_pick_cut(p);
	qsort(p->v, p->n, sizeof(*p->v), compare);
}
