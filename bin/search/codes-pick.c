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

static int compare(const void *a, const void *b)
{
	return better(a, b) ? -1 : better(b, a);
}

/* The middle of three. */
static struct search_near pivot_of(const struct search_near *v, size_t n)
{
	const struct search_near *a = &v[n / 4], *b = &v[n / 2];
	const struct search_near *c = &v[n - 1 - n / 8];

	if (better(a, b) != better(a, c))
		return *a;
	return better(b, a) != better(b, c) ? *b : *c;
}

/* Puts those better than the pivot first; how many.  No branch depends on
 * scores: the processor could not guess it. */
static size_t divide(struct search_near *v, size_t n, struct search_near pivot)
{
	struct search_near h;
	size_t i, to = 0;

	for (i = 0; i < n; i++) {
		h = v[i];
		v[i] = v[to];
		v[to] = h;
		to += (h.score > pivot.score) |
		      ((h.score == pivot.score) & (h.n < pivot.n));
	}
	return to;
}

#define FEW 16     /* are sorted */
#define PART 8     /* times what is asked for is looked for at once */
#define ROUNDS 100 /* far more than it takes */

/* Hoare's selection: the best k of n come first, in no order. */
static void select_best(struct search_near *v, size_t n, size_t k)
{
	struct search_near pivot;
	size_t first, rounds;

	for (rounds = 0; n > FEW && n > k && rounds < ROUNDS; rounds++) {
		pivot = pivot_of(v, n);
		first = divide(v, n, pivot);
		if (first >= k) {
			n = first;
			continue;
		}
		if (first == 0) { /* the pivot is the best of them */
			while (first < n && (v[first].n != pivot.n ||
					     v[first].score != pivot.score))
				first++;
			if (first == n) /* no number */
				break;
			v[first] = v[0];
			v[0] = pivot;
			first = 1;
		}
		v += first;
		n -= first;
		k -= first;
	}
	if (n > k && k > 0)
		qsort(v, n, sizeof(*v), compare);
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

void codes_pick_next(struct codes_pick *p, size_t from, size_t n)
{
	size_t many = PART * n;

	/* From all that are left some more at once, and from these the next. */
	if (from + n > p->ready && many < p->n - from) {
		select_best(p->v + from, p->n - from, many);
		p->ready = from + many;
	} else if (from + n > p->ready) {
		p->ready = p->n;
	}
	select_best(p->v + from, p->ready - from, n);
}

void codes_pick_sort(struct codes_pick *p)
{
	codes_pick_cut(p);
	qsort(p->v, p->n, sizeof(*p->v), compare);
}
