/*
 * explain.c: how a verdict came about, for --explain: what was looked at, in
 * which views, by which detectors; what was allowed or passed, by which rule;
 * and what was almost found.
 */
#include "flow.h"
#include "policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Views of a text are often the same again, in other passages. */
#define VIEWS_MAX 16

struct seen {
	const char *view[VIEWS_MAX];
	size_t n, bytes;
};

struct guard_explain {
	struct seen *v; /* one a text */
	size_t n, cap;
};

struct guard_explain *guard_explain_new(struct ai_err *err)
{
	struct guard_explain *x = calloc(1, sizeof *x);

	if (x == NULL)
		ai_err_nomem(err);
	return x;
}

void guard_explain_free(struct guard_explain *x)
{
	if (x != NULL)
		free(x->v);
	free(x);
}

void guard_explain_clear(struct guard_explain *x)
{
	x->n = 0;
}

void guard_explain_view(struct guard_flow *g, const struct ai_view *v)
{
	struct guard_explain *x = g->explain;
	struct seen *more, *s;

	/* What cannot be told for want of memory is left out. */
	while (x->n <= g->at) {
		if (x->n == x->cap) {
			more = reallocarray(x->v, 2 * x->cap + 8,
					    sizeof *more);
			if (more == NULL)
				return;
			x->v = more;
			x->cap = 2 * x->cap + 8;
		}
		memset(&x->v[x->n++], 0, sizeof *x->v);
	}
	s = &x->v[g->at];
	if (v->depth == 0 && v->of == NULL)
		s->bytes = v->text.n;
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->view[i], v->name) == 0)
			return;
	if (s->n < VIEWS_MAX)
		s->view[s->n++] = v->name;
}

/* ---- almost found ------------------------------------------------------------------ */

static int look(void *arg, const struct ai_view *v)
{
	struct guard_flow *g = arg;
	const struct guard_text *text = &g->texts.v[g->at];

	for (size_t i = 0; i < guard_rows_n; i++)
		if (guard_rows[i].rated &&
		    guard_row_asks(&guard_rows[i], text) &&
		    guard_rows[i].look(v, text->context, &g->near,
				       g->err) < 0)
			return -1;
	return 0;
}

/* What was found in the text at hand, as pieces in order. */
struct pieces {
	struct piece { size_t from, to; } *v;
	size_t n;
};

static bool is_rated(enum guard_kind kind)
{
	for (size_t i = 0; i < guard_rows_n; i++)
		if (guard_rows[i].rated && guard_rows[i].kind == kind)
			return true;
	return false;
}

static int by_from(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static void add_pieces(struct pieces *p, const struct guard_findings *f)
{
	for (size_t i = f->first; i < f->n; i++)
		if (is_rated(f->v[i].kind))
			p->v[p->n++] = (struct piece){ f->v[i].from,
						       f->v[i].to };
}

static int take_pieces(struct pieces *p, const struct guard_flow *g,
		       struct ai_err *err)
{
	size_t most = g->found.n - g->found.first + g->passed.n -
		g->passed.first, n = 0;

	*p = (struct pieces){ calloc(most + 1, sizeof *p->v), 0 };
	if (p->v == NULL)
		return ai_err_nomem(err);
	add_pieces(p, &g->found);
	add_pieces(p, &g->passed);
	qsort(p->v, p->n, sizeof *p->v, by_from);
	for (size_t i = 1; i < p->n; i++)
		if (p->v[i].from > p->v[n].to)
			p->v[++n] = p->v[i];
		else if (p->v[i].to > p->v[n].to)
			p->v[n].to = p->v[i].to;
	p->n = p->n > 0 ? n + 1 : 0;
	return 0;
}

static bool overlaps(const struct guard_finding *x, const struct pieces *p)
{
	size_t low = 0, high = p->n;

	/* The first piece that ends behind where x begins. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->v[mid].to > x->from)
			high = mid;
		else
			low = mid + 1;
	}
	return low < p->n && p->v[low].from < x->to;
}

int guard_explain_near(struct guard_flow *g, struct ai_err *err)
{
	struct guard_findings *f = &g->near;
	size_t before = f->n, n = f->n;
	struct pieces pieces;
	int rc;

	if (take_pieces(&pieces, g, err) < 0)
		return -1;
	guard_findings_begin(f, g->at);
	g->err = err;
	guard_policy_lenient(true);
	rc = ai_views((struct ai_span){ ai_buf_cstr(&g->text), g->text.len },
		      look, g, err);
	guard_policy_lenient(false);
	/* What was found is not almost found. */
	for (size_t i = before; rc == 0 && i < f->n; i++)
		if (n < GUARD_FINDINGS_SHOWN && !overlaps(&f->v[i], &pieces))
			f->v[n++] = f->v[i];
	if (rc == 0)
		guard_findings_cut(f, n);
	free(pieces.v);
	return rc;
}

/* ---- the member ---------------------------------------------------------------------- */

static void put_texts(struct ai_buf *b, const struct guard_flow *g)
{
	const struct guard_explain *x = g->explain;

	ai_put_key(b, "texts");
	ai_put_open(b, '[');
	for (size_t i = 0; i < g->texts.n && i < x->n; i++) {
		ai_put_open(b, '{');
		ai_put_key(b, "path");
		ai_put_cstr(b, guard_texts_path(&g->texts, i));
		ai_put_key(b, "context");
		ai_put_cstr(b, guard_context_names[g->texts.v[i].context]);
		ai_put_key(b, "bytes");
		ai_put_i64(b, (int64_t)x->v[i].bytes);
		ai_put_key(b, "views");
		ai_put_open(b, '[');
		for (size_t k = 0; k < x->v[i].n; k++)
			ai_put_cstr(b, x->v[i].view[k]);
		ai_put_close(b, ']');
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

/* Of each detector the contexts of this record in which it was asked. */
static void put_detectors(struct ai_buf *b, const struct guard_flow *g)
{
	bool used[GUARD_CONTEXTS] = { false };

	for (size_t i = 0; i < g->texts.n; i++)
		used[g->texts.v[i].context] = true;
	ai_put_key(b, "detectors");
	ai_put_open(b, '[');
	for (size_t i = 0; i < guard_rows_n; i++) {
		const struct guard_row *r = &guard_rows[i];

		ai_put_open(b, '{');
		ai_put_key(b, "name");
		ai_put_cstr(b, r->name);
		ai_put_key(b, "kind");
		ai_put_cstr(b, guard_kind_names[r->kind]);
		for (int c = 0; c < GUARD_CONTEXTS; c++) {
			enum guard_context context = (enum guard_context)c;

			if (!used[c])
				continue;
			ai_put_key(b, guard_context_names[c]);
			if (!guard_policy_wants(context, r->kind))
				ai_put_cstr(b, "skipped: all of it would pass");
			else if (context == GUARD_SYSTEM && !r->system)
				ai_put_cstr(b, "skipped: the prompt is yours");
			else if (r->rated)
				ai_put_f64(b, guard_policy_rate(context,
								r->kind));
			else
				ai_put_cstr(b, "asked");
		}
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

static void put_list(struct ai_buf *b, const struct guard_flow *g,
		     const char *name, const struct guard_findings *f,
		     bool near)
{
	ai_put_key(b, name);
	ai_put_open(b, '[');
	for (size_t i = 0; i < f->n && i < GUARD_FINDINGS_SHOWN; i++) {
		ai_put_open(b, '{');
		guard_put_finding(b, g, &f->v[i]);
		if (near) {
			ai_put_key(b, "rate");
			ai_put_f64(b, round((1 - f->v[i].score) * 1e4) / 1e4);
		} else {
			ai_put_key(b, "by");
			ai_put_cstr(b, f->v[i].by);
		}
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

void guard_put_explain(struct ai_buf *b, const struct guard_flow *g)
{
	ai_put_open(b, '{');
	ai_put_key(b, "policy");
	ai_put_cstr(b, guard_policy_name());
	put_texts(b, g);
	put_detectors(b, g);
	put_list(b, g, "passed", &g->passed, false);
	put_list(b, g, "near", &g->near, true);
	ai_put_close(b, '}');
}
