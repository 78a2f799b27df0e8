#include "text/normal.h"

#include "base/utf8.h"
#include "text/normal-table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- what the tables say ---- */

static bool is_maybe(uint32_t cp)
{
	size_t low = 0, high = COUNT(normal_maybe), mid;

	/* Most of what is written in the far east. */
	if (cp < 0x300 || (cp >= 0x3100 && cp < 0xA66F) ||
	    (cp >= 0xAC00 && cp < 0xF900))
		return false;
	while (low < high) {
		mid = (low + high) / 2;
		if (cp > normal_maybe[mid].to)
			low = mid + 1;
		else
			high = mid;
	}
	return low < COUNT(normal_maybe) && cp >= normal_maybe[low].from;
}

static uint32_t rank_of(uint32_t cp)
{
	size_t low = 0, high = COUNT(normal_ranks), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (cp > normal_ranks[mid].to)
			low = mid + 1;
		else
			high = mid;
	}
	return low < COUNT(normal_ranks) && cp >= normal_ranks[low].from
		       ? normal_ranks[low].rank
		       : 0;
}

/* The step of a code point's decomposition, or -1. */
static int step_of(uint32_t cp)
{
	size_t low = 0, high = COUNT(normal_steps), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (cp > normal_steps[mid].cp)
			low = mid + 1;
		else
			high = mid;
	}
	return low < COUNT(normal_steps) && normal_steps[low].cp == cp
		       ? (int)low
		       : -1;
}

#define L_FROM 0x1100u
#define V_FROM 0x1161u
#define T_FROM 0x11A7u
#define S_FROM 0xAC00u
#define L_N 19u
#define V_N 21u
#define T_N 28u

/* Hangul is put together by arithmetic; 0: these two are not. */
static uint32_t compose_hangul(uint32_t a, uint32_t b)
{
	if (a - L_FROM < L_N && b - V_FROM < V_N)
		return S_FROM + ((a - L_FROM) * V_N + b - V_FROM) * T_N;
	if (a - S_FROM < L_N * V_N * T_N && (a - S_FROM) % T_N == 0 &&
	    b - T_FROM < T_N && b > T_FROM)
		return a + b - T_FROM;
	return 0;
}

static uint32_t compose(uint32_t a, uint32_t b)
{
	size_t low = 0, high = COUNT(normal_pairs), mid, i;

	while (low < high) {
		mid = (low + high) / 2;
		i = normal_pairs[mid];
		if (a > normal_steps[i].first || (a == normal_steps[i].first &&
						  b > normal_steps[i].last))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == COUNT(normal_pairs))
		return compose_hangul(a, b);
	i = normal_pairs[low];
	return normal_steps[i].first == a && normal_steps[i].last == b
		       ? normal_steps[i].cp
		       : compose_hangul(a, b);
}

/* ---- a run of characters that may change ---- */

struct mark {
	uint32_t cp, rank;
};

struct run {
	struct mark *v, *spare; /* owned; cap each */
	size_t n, cap;
};

static int run_room(struct run *r)
{
	size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
	struct mark *v;

	if (r->n < r->cap)
		return 0;
	v = reallocarray(r->v, cap, sizeof *v);
	if (v == NULL)
		return -1;
	r->v = v;
	v = reallocarray(r->spare, cap, sizeof *v);
	if (v == NULL)
		return -1;
	r->spare = v;
	r->cap = cap;
	return 0;
}

size_t ai_normal_parts(uint32_t cp, uint32_t out[AI_NORMAL_PARTS])
{
	uint32_t last[AI_NORMAL_PARTS - 1];
	size_t n = 0, count = 0;
	int i;

	if (cp - S_FROM < L_N * V_N * T_N) {
		cp -= S_FROM;
		out[0] = L_FROM + cp / (V_N * T_N);
		out[1] = V_FROM + cp % (V_N * T_N) / T_N;
		out[2] = T_FROM + cp % T_N;
		return cp % T_N == 0 ? 2 : 3;
	}
	while (n < COUNT(last) && (i = step_of(cp)) >= 0) {
		if (normal_steps[i].last != 0)
			last[n++] = normal_steps[i].last;
		cp = normal_steps[i].first;
	}
	out[count++] = cp;
	while (n > 0)
		out[count++] = last[--n];
	return count;
}

/* Adds a code point as what it is made of: at most five. */
static int run_add(struct run *r, uint32_t cp)
{
	uint32_t last[8];
	size_t n = 0;
	int i;

	while (n < COUNT(last) && (i = step_of(cp)) >= 0) {
		if (normal_steps[i].last != 0)
			last[n++] = normal_steps[i].last;
		cp = normal_steps[i].first;
	}
	for (;;) {
		if (run_room(r) < 0)
			return -1;
		r->v[r->n++] = (struct mark){ cp, rank_of(cp) };
		if (n == 0)
			return 0;
		cp = last[--n];
	}
}

/* Sorts marks that follow each other by rank, equal ones as they stand: by
 * counting, since somebody may write a million of them. */
static void sort_marks(struct mark *v, struct mark *spare, size_t n)
{
	size_t at[NORMAL_RANKS + 1] = { 0 };

	for (size_t i = 0; i < n; i++)
		at[v[i].rank + 1]++;
	for (size_t i = 1; i <= NORMAL_RANKS; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < n; i++)
		spare[at[v[i].rank]++] = v[i];
	memcpy(v, spare, n * sizeof *v);
}

static void run_sort(struct run *r)
{
	size_t from = 0, to;

	for (; from < r->n; from = to + 1) {
		for (to = from; to < r->n && r->v[to].rank != 0; to++)
			;
		if (to - from > 1)
			sort_marks(r->v + from, r->spare, to - from);
	}
}

static void run_compose(struct run *r)
{
	size_t n = 0, starter = SIZE_MAX;
	uint32_t before = 0, whole;

	for (size_t i = 0; i < r->n; i++) {
		struct mark m = r->v[i];

		whole = starter != SIZE_MAX && (before == 0 || before < m.rank)
				? compose(r->v[starter].cp, m.cp)
				: 0;
		if (whole != 0) {
			r->v[starter].cp = whole;
			continue;
		}
		if (m.rank == 0)
			starter = n;
		before = m.rank;
		r->v[n++] = m;
	}
	r->n = n;
}

static int run_give(struct run *r, struct ai_buf *out)
{
	char room[4];

	run_sort(r);
	run_compose(r);
	for (size_t i = 0; i < r->n; i++)
		ai_buf_add(out, room, ai_utf8_encode(r->v[i].cp, room));
	r->n = 0;
	return out->bad != AI_E_NONE ? -1 : 0;
}

/* ---- the text ---- */

size_t ai_normal_next(const char *p, size_t n, size_t from)
{
	const uint64_t high = 0x8080808080808080u;
	uint64_t eight;
	uint32_t cp;
	size_t len;

	while (from < n) {
		if (n - from >= 8) {
			memcpy(&eight, p + from, 8);
			if ((eight & high) == 0) {
				from += 8;
				continue;
			}
		}
		/* Two bytes that begin so are below U+0300. */
		if ((unsigned char)p[from] < 0xCC) {
			from++;
			continue;
		}
		len = ai_utf8_decode(p + from, n - from, &cp);
		if (len > 0 && is_maybe(cp))
			return from;
		from += len > 0 ? len : 1;
	}
	return n;
}

/* Where the character before at begins, if it is one; else at. */
static size_t char_before(const char *p, size_t at)
{
	for (size_t back = 1; back <= 4 && back <= at; back++)
		if (ai_utf8_len(p + at - back, back) == back)
			return at - back;
	return at;
}

/* Takes in all from at that may change what stands before it. */
static size_t gather(struct run *r, const char *p, size_t n, size_t at)
{
	uint32_t cp;
	size_t len;

	while (at < n) {
		len = ai_utf8_decode(p + at, n - at, &cp);
		if (len == 0 || !is_maybe(cp))
			break;
		if (run_add(r, cp) < 0)
			return SIZE_MAX;
		at += len;
	}
	return at;
}

static int normalise(const char *p, size_t n, struct run *r,
		     struct ai_buf *out)
{
	size_t at = 0, hit, from;
	uint32_t cp;

	while ((hit = ai_normal_next(p, n, at)) < n) {
		from = hit > at ? char_before(p, hit) : hit;
		ai_buf_add(out, p + at, from - at);
		if (from < hit) {
			ai_utf8_decode(p + from, hit - from, &cp);
			if (run_add(r, cp) < 0)
				return -1;
		}
		at = gather(r, p, n, hit);
		if (at == SIZE_MAX || run_give(r, out) < 0)
			return -1;
	}
	return ai_buf_add(out, p + at, n - at);
}

int ai_normal_nfc(const char *p, size_t n, struct ai_buf *out)
{
	struct run r = { 0 };
	int rc = normalise(p, n, &r, out);

	free(r.v);
	free(r.spare);
	if (rc < 0 && out->bad == AI_E_NONE)
		out->bad = AI_E_MEMORY;
	return rc;
}
