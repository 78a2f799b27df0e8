#include "chunk.h"

#include <string.h>

/* Digits of the fingerprint: it tells apart the few ways one document was
 * ever cut, so that half of it will do. */
#define CUT_SHOWN 16

void chunk_put_chunk(struct ai_buf *b, const struct chunk_cut *cut, bool whole,
		     const char *doc, const struct chunk_cutter *cutter)
{
	ai_put_open(b, '{');
	ai_put_key(b, "doc");
	ai_put_cstr(b, doc);
	ai_put_key(b, "n");
	ai_put_i64(b, (int64_t)cut->number);
	ai_put_key(b, "of");
	ai_put_i64(b, (int64_t)cut->count);
	ai_put_key(b, "by");
	ai_put_cstr(b, chunk_by_name(cutter->how.by));
	ai_put_key(b, "cut");
	ai_put_str(b, cutter->print, CUT_SHOWN);
	if (!whole) {
		ai_put_key(b, "whole");
		ai_put_bool(b, false);
	}
	if (cut->copies > 0) {
		ai_put_key(b, "copies");
		ai_put_i64(b, (int64_t)cut->copies);
	}
	if (cut->oversize) {
		ai_put_key(b, "oversize");
		ai_put_bool(b, true);
	}
	ai_put_close(b, '}');
}

void chunk_put_range(struct ai_buf *b, const char *name, size_t from,
		     size_t to)
{
	ai_put_key(b, name);
	ai_put_open(b, '[');
	ai_put_i64(b, (int64_t)from);
	ai_put_i64(b, (int64_t)to);
	ai_put_close(b, ']');
}

void chunk_put_headings(struct ai_buf *b, const struct chunk_cut *cut)
{
	ai_put_key(b, "heading");
	ai_put_open(b, '[');
	for (size_t i = 0; i < cut->n_headings; i++)
		ai_put_str(b, cut->heading[i].p, cut->heading[i].n);
	ai_put_close(b, ']');
}

/* ---- what a page has besides ---------------------------------------------- */

static void put_decoded(struct ai_buf *b, const struct chunk_page *g,
			size_t from, size_t to)
{
	struct ai_buf text = AI_BUF_INIT(to - from + 1);

	chunk_page_decode(&text, g->of.p + from, to - from);
	ai_put_str(b, ai_buf_cstr(&text), text.len);
	if (text.bad != AI_E_NONE)
		b->bad = text.bad;
	ai_buf_release(&text);
}

/* The first link that ends behind this place: they are in order. */
static size_t first_link(const struct chunk_asides *a, size_t at)
{
	size_t lo = 0, hi = a->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (a->v[mid].end <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A long address is told where its link begins, not in all that it covers. */
static void put_link(struct ai_buf *b, const struct chunk_page *g,
		     const struct chunk_aside *x, const struct chunk_cut *cut)
{
	struct ai_span text;

	if (x->at < cut->from && x->to - x->from > CHUNK_LABEL_MAX)
		return;
	text = chunk_label(g->text.p + x->at, x->end - x->at);
	ai_put_open(b, '{');
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	ai_put_key(b, "url");
	put_decoded(b, g, x->from, x->to);
	ai_put_close(b, '}');
}

void chunk_put_page(struct ai_buf *b, const struct chunk_state *s,
		    const struct chunk_cut *cut)
{
	const struct chunk_page *g = &s->page;

	if (s->title.len > 0) {
		ai_put_key(b, "title");
		ai_put_str(b, s->title.p, s->title.len);
	}
	if (s->cutter.how.by != CHUNK_HTML)
		return;
	ai_put_key(b, "links");
	ai_put_open(b, '[');
	for (size_t i = first_link(&g->links, cut->from);
	     i < g->links.n && g->links.v[i].at < cut->to; i++)
		put_link(b, g, &g->links.v[i], cut);
	ai_put_close(b, ']');
}

bool chunk_put_hidden(struct ai_buf *b, struct chunk_state *s,
		      const struct chunk_cut *cut)
{
	const struct chunk_asides *a = &s->page.hidden;
	bool last = cut->number + 1 >= cut->count;
	size_t first = s->hidden;

	if (s->cutter.how.by != CHUNK_HTML)
		return false;
	while (s->hidden < a->n && (last || a->v[s->hidden].at <= cut->to))
		s->hidden++;
	if (first == s->hidden)
		return false;
	ai_put_open(b, '[');
	for (; first < s->hidden; first++) {
		ai_put_open(b, '{');
		ai_put_key(b, "text");
		put_decoded(b, &s->page, a->v[first].from, a->v[first].to);
		chunk_put_range(b, "bytes", a->v[first].from, a->v[first].to);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	return true;
}

bool chunk_put_contextual(struct ai_buf *b, struct chunk_state *s,
			  const struct chunk_cut *cut)
{
	struct ai_buf *text = &s->made_context;

	if (!s->contextual)
		return false;
	ai_buf_clear(text);
	if (s->title.len > 0)
		ai_buf_add(text, s->title.p, s->title.len);
	for (size_t i = 0; i < cut->n_headings; i++) {
		/* A page's first heading is its title, as a rule. */
		if (i == 0 && s->title.len == cut->heading[0].n &&
		    memcmp(s->title.p, cut->heading[0].p, s->title.len) == 0)
			continue;
		ai_buf_str(text, text->len > 0 ? " > " : "");
		ai_buf_add(text, cut->heading[i].p, cut->heading[i].n);
	}
	ai_buf_str(text, text->len > 0 ? "\n\n" : "");
	ai_buf_add(text, cut->p + cut->from, cut->to - cut->from);
	ai_put_str(b, ai_buf_cstr(text), text->len);
	if (text->bad != AI_E_NONE)
		b->bad = text->bad;
	return true;
}
