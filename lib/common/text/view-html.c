/*
 * view-html.c: what HTML says to a program, but not to who looks at the page:
 * comments, elements that are not displayed, and texts in attributes; and what
 * Markdown says so.
 *
 * It is no parser of HTML: it goes over the text once, with the name of one
 * hidden element and its depth, and some names that a style sheet hides, as all
 * its state.
 */
#include "text/html.h"
#include "text/view-build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TAG_MAX 8192 /* bytes; a longer one is text */
#define LINK_MAX 1024 /* bytes of a link in Markdown, in its parentheses */

struct tag {
	struct ai_span name;
	bool closes, hidden;
	size_t to; /* behind its '>' */
};

struct page {
	struct ai_view_build *b;
	const char *p;
	size_t n;
	struct ai_span hidden; /* the element that hides; n: there is one */
	size_t depth;          /* of elements of that name inside */
	struct ai_hiding hiding;
	bool more;
};

static void put_piece(struct page *g, size_t from, size_t to)
{
	while (from < to && ai_view_blank(g->p[from]))
		from++;
	while (to > from && ai_view_blank(g->p[to - 1]))
		to--;
	if (g->more && from < to)
		g->more = ai_view_piece(g->b) && ai_view_copy(g->b, from, to);
}

/* ---- styles ---------------------------------------------------------------------- */

/* The rules and comments of a style sheet that begins at at; where it ends. */
static size_t read_sheet(struct page *g, size_t at)
{
	const char *close = memmem(g->p + at, g->n - at, "</", 2);
	size_t end = close != NULL ? (size_t)(close - g->p) : g->n;
	size_t from = at, open = 0;

	for (; at < end; at++) {
		const char *p = g->p + at, *to;

		if (*p == '/' && at + 1 < end && p[1] == '*') {
			to = memmem(p + 2, end - at - 2, "*/", 2);
			put_piece(g, at + 2,
				  to != NULL ? (size_t)(to - g->p) : end);
			at = from = to != NULL ? (size_t)(to - g->p) + 1 : end;
		} else if (*p == '{') {
			open = at;
		} else if (*p == '}') {
			if (open > from &&
			    ai_style_hides((struct ai_span){ g->p + open + 1,
							     at - open - 1 }))
				ai_hiding_note(&g->hiding,
					       (struct ai_span){
						       g->p + from,
						       open - from });
			from = at + 1;
		}
	}
	return end;
}

/* ---- tags -------------------------------------------------------------------------- */

static bool attribute_hides(const struct page *g, const struct ai_attribute *a)
{
	return ai_attribute_hides(&g->hiding, a) ||
	       (ai_html_is(a->name, "type") && ai_html_is(a->value, "hidden"));
}

/* Reads the tag at p[at], a '<'; false: it is none. */
static bool read_tag(struct page *g, size_t at, struct tag *t)
{
	static const char *const told[] = {
		"alt", "title", "aria-label", "aria-description",
		"placeholder", "content", "summary", "label", "value", NULL,
	};
	const char *p = g->p;
	size_t end = g->n - at > TAG_MAX ? at + TAG_MAX : g->n, i = at + 1;
	struct ai_attribute a;

	*t = (struct tag){ .closes = i < end && p[i] == '/' };
	i += t->closes;
	if (i >= end || !ai_view_alpha(p[i]))
		return false;
	t->name.p = p + i;
	i = ai_attribute_name(p, end, i);
	t->name.n = (size_t)(p + i - t->name.p);
	while (ai_attribute_next(p, end, &i, &a)) {
		size_t from = (size_t)(a.value.p - p);

		t->hidden |= attribute_hides(g, &a);
		if (ai_html_is_one_of(a.name, told) ||
		    (a.name.n > 5 && strncasecmp(a.name.p, "data-", 5) == 0))
			put_piece(g, from, from + a.value.n);
	}
	while (i < end && (ai_view_blank(p[i]) || p[i] == '/' || p[i] == '='))
		i++;
	t->to = i < end && p[i] == '>' ? i + 1 : i;
	return true;
}

static void enter_tag(struct page *g, const struct tag *t)
{
	static const char *const unseen[] = {
		"template", "noscript", "desc", "metadata", "datalist", NULL,
	};
	static const char *const empty[] = {
		"area", "base", "br", "col", "embed", "hr", "img", "input",
		"link", "meta", "source", "track", "wbr", NULL,
	};
	bool same = g->hidden.n > 0 && g->hidden.n == t->name.n &&
		    strncasecmp(g->hidden.p, t->name.p, t->name.n) == 0;

	if (same && t->closes) {
		if (g->depth-- == 0)
			g->hidden.n = 0;
	} else if (same) {
		g->depth++;
	} else if (g->hidden.n == 0 && !t->closes &&
		   (ai_html_is_one_of(t->name, unseen) ||
		    (t->hidden && !ai_html_is_one_of(t->name, empty)))) {
		g->hidden = t->name;
		g->depth = 0;
	}
}

/* The comment or CDATA at p[at], if there is one: where it ends, or at. */
static size_t read_comment(struct page *g, size_t at)
{
	static const struct {
		const char *open, *close;
	} kinds[] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i].open), to;
		const char *close;

		if (g->n - at < n || memcmp(g->p + at, kinds[i].open, n) != 0)
			continue;
		close = memmem(g->p + at + n, g->n - at - n, kinds[i].close, 3);
		to = close != NULL ? (size_t)(close - g->p) : g->n;
		put_piece(g, at + n, to);
		return close != NULL ? to + 3 : g->n;
	}
	return at;
}

void ai_view_hidden(struct ai_view_build *b)
{
	struct page g = { .b = b, .p = b->of->text.p, .n = b->of->text.n,
			  .more = true };
	size_t at = 0, done = 0;
	const char *hit;
	struct tag t;

	while (g.more && at < g.n && (hit = memchr(g.p + at, '<', g.n - at))) {
		size_t from = (size_t)(hit - g.p);

		/* Before the pieces of the tag, which stand behind it. */
		if (g.hidden.n > 0)
			put_piece(&g, done, from);
		done = from;
		at = read_comment(&g, from);
		if (at > from) {
			done = at;
		} else if (read_tag(&g, from, &t)) {
			enter_tag(&g, &t);
			done = at = t.to;
			if (!t.closes && ai_html_is(t.name, "style"))
				done = at = read_sheet(&g, at);
		} else {
			at = from + 1;
		}
	}
	if (g.hidden.n > 0)
		put_piece(&g, done, g.n);
	ai_view_clean(b, 0);
}

/* ---- Markdown ---------------------------------------------------------------------- */

/* Where the line that at is in ends, at most LINK_MAX bytes on. */
static size_t link_end(const struct page *g, size_t at)
{
	size_t left = g->n - at < LINK_MAX ? g->n - at : LINK_MAX;
	const char *line = memchr(g->p + at, '\n', left);

	return line != NULL ? (size_t)(line - g->p) : at + left;
}

/* The title in the quotes or parentheses that close before end. */
static void put_title(struct page *g, size_t at, size_t end)
{
	static const char open[] = "\"'(", close[] = "\"')";

	for (; at < end; at++) {
		const char *sign = g->p[at] != '\0' ? strchr(open, g->p[at])
						    : NULL;
		const char *to;

		if (sign == NULL || !ai_view_blank(g->p[at - 1]))
			continue;
		to = memrchr(g->p + at + 1, close[sign - open], end - at - 1);
		if (to != NULL)
			put_piece(g, at + 1, (size_t)(to - g->p));
		return;
	}
}

/* Of ![alt](url "title"), [text](url "title") and [name]: url "title": alt and
 * title.  A remark is written as [//]: # (remark). */
void ai_view_link(struct ai_view_build *b)
{
	struct page g = { .b = b, .p = b->of->text.p, .n = b->of->text.n,
			  .more = true };
	size_t at = 0, done = 0;
	const char *hit;

	while (g.more && at < g.n && (hit = memchr(g.p + at, ']', g.n - at))) {
		size_t here = (size_t)(hit - g.p), from = here, end;

		at = here + 1;
		if (at >= g.n || (g.p[at] != '(' && g.p[at] != ':'))
			continue;
		/* A name is defined at the beginning of a line. */
		while (from > done && here - from < LINK_MAX &&
		       g.p[from - 1] != '[' && g.p[from - 1] != '\n')
			from--;
		if (from > done + 1 && g.p[from - 1] == '[' &&
		    g.p[from - 2] == '!' && g.p[at] == '(')
			put_piece(&g, from, here);
		done = at;
		end = link_end(&g, at);
		if (g.p[at] == ':' &&
		    (from == 0 || g.p[from - 1] != '[' ||
		     (from > 1 && g.p[from - 2] != '\n') ||
		     strchr("\"')", g.p[end - 1]) == NULL))
			continue;
		if (g.p[at] == '(') {
			hit = memchr(g.p + at, ']', end - at);
			if (hit != NULL) /* another link: not into it */
				end = (size_t)(hit - g.p);
			hit = memrchr(g.p + at, ')', end - at);
			if (hit == NULL)
				continue;
			end = (size_t)(hit - g.p);
		}
		put_title(&g, at + 1, end);
		done = at = end;
	}
	ai_view_clean(b, 0);
}
