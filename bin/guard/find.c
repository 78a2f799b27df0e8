/* find.c: what was found in a text. */
#include "guard.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const guard_kind_names[GUARD_KINDS] = {
	[GUARD_INVALID] = "invalid", [GUARD_INJECTION] = "injection",
	[GUARD_SECRET] = "secret", [GUARD_PERSONAL] = "personal",
	[GUARD_LEAK] = "leak", [GUARD_EXFILTRATION] = "exfiltration",
};

const char *const guard_context_names[GUARD_CONTEXTS] = {
	[GUARD_USER] = "user", [GUARD_DOCUMENT] = "document",
	[GUARD_TOOL] = "tool", [GUARD_ANSWER] = "answer",
	[GUARD_SYSTEM] = "system",
};

const char *const guard_action_names[GUARD_ACTIONS] = {
	[GUARD_PASS] = "pass", [GUARD_FLAG] = "flag",
	[GUARD_REDACT] = "redact", [GUARD_BLOCK] = "block",
	[GUARD_DROP] = "drop",
};

/* ---- what is there already -------------------------------------------------------- */

#define FEW 16 /* are simply gone through */
#define BLOCK ((size_t)1 << 16)
#define BLOCKS 128 /* of reasons; later ones are left out */
#define RECENT 64
#define KEEP 4096 /* findings, between records */

struct guard_index {
	uint32_t *set; /* places in v, plus one; 0: free */
	size_t size;   /* a power of two */
	/* Reasons, which are often the same again. */
	char *block[BLOCKS];
	size_t blocks, used; /* of the last block */
	const char *recent[RECENT];
};

static void clear_index(struct guard_index *x, bool keep)
{
	while (x->blocks > (keep ? 1 : 0))
		free(x->block[--x->blocks]);
	x->used = 0;
	memset(x->recent, 0, sizeof x->recent);
	free(x->set);
	x->set = NULL;
	x->size = 0;
}

void guard_findings_release(struct guard_findings *f)
{
	if (f->index != NULL)
		clear_index(f->index, false);
	free(f->index);
	free(f->v);
	memset(f, 0, sizeof *f);
}

void guard_findings_clear(struct guard_findings *f)
{
	if (f->cap > KEEP) {
		guard_findings_release(f);
		return;
	}
	if (f->n > 0 && f->index != NULL)
		clear_index(f->index, true);
	f->n = f->more = f->text = f->first = 0;
}

static void drop_set(struct guard_findings *f)
{
	if (f->index == NULL)
		return;
	free(f->index->set);
	f->index->set = NULL;
	f->index->size = 0;
}

void guard_findings_begin(struct guard_findings *f, size_t text)
{
	drop_set(f);
	f->text = text;
	f->first = f->n;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 32;
}

static uint64_t hash_of(const struct guard_finding *x)
{
	uint64_t h = mix(mix(mix(x->kind, x->text), x->from), x->to);

	for (const char *p = x->rule; *p != '\0'; p++)
		h = mix(h, (unsigned char)*p);
	return h;
}

static bool same(const struct guard_finding *a, const struct guard_finding *b)
{
	return a->from == b->from && a->to == b->to && a->kind == b->kind &&
	       a->text == b->text &&
	       (a->rule == b->rule || strcmp(a->rule, b->rule) == 0);
}

/* Where it is in the set, or would be. */
static uint32_t *slot_of(const struct guard_findings *f,
			 const struct guard_finding *x)
{
	const struct guard_index *s = f->index;
	size_t i = (size_t)hash_of(x) & (s->size - 1);

	while (s->set[i] != 0 && !same(&f->v[s->set[i] - 1], x))
		i = (i + 1) & (s->size - 1);
	return &s->set[i];
}

static int grow_set(struct guard_findings *f, struct ai_err *err)
{
	struct guard_index *s = f->index;
	size_t size = s->size == 0 ? 8 * FEW : 2 * s->size;
	uint32_t *set = calloc(size, sizeof *set);

	if (set == NULL)
		return ai_err_nomem(err);
	free(s->set);
	s->set = set;
	s->size = size;
	for (size_t i = f->first; i < f->n; i++)
		*slot_of(f, &f->v[i]) = (uint32_t)i + 1;
	return 0;
}

/* 1: it is there; 0: it is not, and *slot is for it (NULL: none is needed). */
static int is_there(struct guard_findings *f, const struct guard_finding *x,
		    uint32_t **slot, struct ai_err *err)
{
	*slot = NULL;
	if (f->n - f->first < FEW) {
		for (size_t i = f->first; i < f->n; i++)
			if (same(&f->v[i], x))
				return 1;
		return 0;
	}
	while (2 * (f->n - f->first + 1) > f->index->size)
		if (grow_set(f, err) < 0)
			return -1;
	*slot = slot_of(f, x);
	return **slot != 0;
}

/* ---- reasons -------------------------------------------------------------------------- */

/* A copy that lives as long as the findings; "" if there are too many. */
static const char *keep_reason(struct guard_index *s, const char *reason)
{
	size_t n = ai_utf8_valid(reason, strnlen(reason, GUARD_REASON - 1));
	const char **recent;
	uint64_t h = n;
	char *p;

	for (size_t i = 0; i < n; i++)
		h = mix(h, (unsigned char)reason[i]);
	recent = &s->recent[h % RECENT];
	if (*recent != NULL && strlen(*recent) == n &&
	    memcmp(*recent, reason, n) == 0)
		return *recent;
	if (s->blocks == 0 || s->used + n + 1 > BLOCK) {
		p = s->blocks < BLOCKS ? malloc(BLOCK) : NULL;
		if (p == NULL)
			return "";
		s->block[s->blocks++] = p;
		s->used = 0;
	}
	p = s->block[s->blocks - 1] + s->used;
	memcpy(p, reason, n);
	p[n] = '\0';
	s->used += n + 1;
	return *recent = p;
}

/* ---- noting --------------------------------------------------------------------------- */

static int add(struct guard_findings *f, struct guard_finding *x,
	       const char *reason, struct ai_err *err)
{
	struct guard_finding *more;
	uint32_t *slot;
	int rc;

	if (f->n == GUARD_FINDINGS_MAX) {
		f->more++;
		return 0;
	}
	if (f->index == NULL &&
	    (f->index = calloc(1, sizeof *f->index)) == NULL)
		return ai_err_nomem(err);
	rc = is_there(f, x, &slot, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (f->n == f->cap) {
		more = reallocarray(f->v, 2 * f->cap + 8, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		f->v = more;
		f->cap = 2 * f->cap + 8;
	}
	x->why = keep_reason(f->index, reason);
	f->v[f->n++] = *x;
	if (slot != NULL)
		*slot = (uint32_t)f->n;
	return 0;
}

int guard_find(struct guard_findings *f, const struct ai_view *v,
	       enum guard_kind kind, const char *rule, double score,
	       size_t from, size_t to, const char *reason, struct ai_err *err)
{
	struct guard_finding x = { .kind = kind, .rule = rule, .score = score,
				   .view = v->name, .action = GUARD_FLAG,
				   .text = f->text };

	ai_view_span(v, from, to, &x.from, &x.to);
	return add(f, &x, reason != NULL ? reason : "", err);
}

int guard_findings_copy(struct guard_findings *f, const struct guard_finding *x,
			struct ai_err *err)
{
	struct guard_finding copy = *x;

	return add(f, &copy, x->why, err);
}

void guard_findings_say(struct guard_findings *f, size_t i, const char *reason)
{
	f->v[i].why = keep_reason(f->index, reason);
}

void guard_findings_cut(struct guard_findings *f, size_t n)
{
	/* What is in the set has moved: it is made anew when it is needed. */
	if (n < f->n)
		drop_set(f);
	f->n = n;
}

/* ---- order ---------------------------------------------------------------------------- */

static int compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int by_rule(const void *a, const void *b)
{
	const struct guard_finding *x = a, *y = b;
	int c = compare(x->text, y->text);

	if (c == 0)
		c = (int)x->kind - (int)y->kind;
	if (c == 0 && x->rule != y->rule)
		c = strcmp(x->rule, y->rule);
	if (c == 0)
		c = compare(x->from, y->from);
	return c != 0 ? c : compare(y->to, x->to);
}

static int by_place(const void *a, const void *b)
{
	const struct guard_finding *x = a, *y = b;
	int c = compare(x->text, y->text);

	if (c == 0)
		c = compare(x->from, y->from);
	if (c == 0)
		c = compare(x->to, y->to);
	if (c == 0)
		c = (int)x->kind - (int)y->kind;
	return c != 0 ? c : strcmp(x->rule, y->rule);
}

/* Whether y, which begins behind x, is what x is, seen otherwise.  What has no
 * bytes is about the whole, and itself. */
static bool is_again(const struct guard_finding *x,
		     const struct guard_finding *y)
{
	return y->from < x->to && y->from < y->to && y->text == x->text && y->kind == x->kind &&
	       x->view != y->view && strcmp(x->view, y->view) != 0 &&
	       strcmp(x->rule, y->rule) == 0;
}

static void merge(struct guard_finding *x, const struct guard_finding *y)
{
	if (y->to > x->to)
		x->to = y->to;
	if (y->action > x->action) {
		x->action = y->action;
		x->by = y->by;
	}
	if (y->score > x->score) {
		x->score = y->score;
		x->view = y->view;
		x->why = y->why;
	}
}

void guard_findings_sort(struct guard_findings *f)
{
	size_t n = 0;

	if (f->n < 2)
		return;
	qsort(f->v, f->n, sizeof *f->v, by_rule);
	for (size_t i = 1; i < f->n; i++)
		if (is_again(&f->v[n], &f->v[i]))
			merge(&f->v[n], &f->v[i]);
		else
			f->v[++n] = f->v[i];
	f->n = n + 1;
	qsort(f->v, f->n, sizeof *f->v, by_place);
}
