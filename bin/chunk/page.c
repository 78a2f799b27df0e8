#include "page.h"

#include "text/entity.h"
#include "text/html.h"
#include "text/segment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_MAX ((size_t)256 << 20)

/* What stands between two visible characters, the strongest wins. */
enum gap { GAP_NONE, GAP_BLANK, GAP_TAB, GAP_LINE, GAP_EMPTY_LINE };

enum element {
	EL_INLINE, EL_BLOCK, EL_PARAGRAPH, EL_CELL, EL_BREAK, EL_HEADING,
	EL_WHOLE, /* table, list: a paragraph that is kept whole */
	EL_PRE, EL_LINK, EL_TITLE,
	EL_RAW,    /* its content is no text: script */
	EL_STYLE,
	EL_UNSEEN, /* noscript, template */
};

struct reader {
	struct chunk_page *g;
	const char *p;
	size_t n, at;
	enum gap gap;
	size_t pre;             /* how many <pre> are open */
	struct ai_span hidden;  /* the element that hides; n: there is one */
	size_t hidden_depth;
	struct ai_hiding hiding;
	size_t heading;         /* index of the open one's event + 1 */
	size_t whole, whole_depth; /* the same of a table or list */
	size_t link;            /* index + 1 of the open one */
	struct ai_err *err;
	bool failed;
};

struct tag {
	struct ai_span name;
	bool closes, hides;
	struct ai_span href;
	size_t to; /* behind it */
};

/* ---- elements ------------------------------------------------------------ */

static const struct {
	char name[12];
	enum element kind;
} elements[] = {
	{ "a", EL_LINK }, { "address", EL_BLOCK }, { "article", EL_BLOCK },
	{ "aside", EL_BLOCK }, { "blockquote", EL_PARAGRAPH },
	{ "body", EL_BLOCK }, { "br", EL_BREAK }, { "caption", EL_BLOCK },
	{ "dd", EL_BLOCK }, { "details", EL_BLOCK }, { "dialog", EL_BLOCK },
	{ "div", EL_BLOCK }, { "dl", EL_WHOLE }, { "dt", EL_BLOCK },
	{ "fieldset", EL_BLOCK }, { "figcaption", EL_BLOCK },
	{ "figure", EL_BLOCK }, { "footer", EL_BLOCK }, { "form", EL_BLOCK },
	{ "h1", EL_HEADING }, { "h2", EL_HEADING }, { "h3", EL_HEADING },
	{ "h4", EL_HEADING }, { "h5", EL_HEADING }, { "h6", EL_HEADING },
	{ "header", EL_BLOCK }, { "hr", EL_PARAGRAPH }, { "iframe", EL_RAW },
	{ "legend", EL_BLOCK }, { "li", EL_BLOCK }, { "main", EL_BLOCK },
	{ "nav", EL_BLOCK }, { "noembed", EL_RAW }, { "noframes", EL_RAW },
	{ "noscript", EL_UNSEEN }, { "ol", EL_WHOLE }, { "option", EL_BLOCK },
	{ "p", EL_PARAGRAPH }, { "pre", EL_PRE }, { "script", EL_RAW },
	{ "section", EL_BLOCK }, { "style", EL_STYLE },
	{ "summary", EL_BLOCK }, { "table", EL_WHOLE }, { "tbody", EL_BLOCK },
	{ "td", EL_CELL }, { "template", EL_UNSEEN }, { "tfoot", EL_BLOCK },
	{ "th", EL_CELL }, { "thead", EL_BLOCK }, { "title", EL_TITLE },
	{ "tr", EL_BLOCK }, { "ul", EL_WHOLE },
};

static bool same(struct ai_span a, struct ai_span b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool is(struct ai_span s, const char *word)
{
	return same(s, ai_span_of(word));
}

static bool is_one_of(struct ai_span s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (is(s, *words))
			return true;
	return false;
}

static enum element kind_of(struct ai_span name)
{
	size_t lo = 0, hi = sizeof elements / sizeof *elements;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const char *have = elements[mid].name;
		int order = strncasecmp(have, name.p, name.n);

		if (order == 0 && have[name.n] == '\0')
			return elements[mid].kind;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return EL_INLINE;
}

/* ---- what is kept -------------------------------------------------------- */

/* Room for one more of these; NULL: none, and the reader has failed. */
static void *grow(struct reader *r, void *v, size_t n, size_t *cap,
		  size_t size)
{
	size_t more = *cap * 2 + 32;
	void *p = v;

	if (n == *cap) {
		p = reallocarray(v, more, size);
		if (p != NULL)
			*cap = more;
		else if (!r->failed)
			ai_err_nomem(r->err);
	}
	r->failed |= p == NULL;
	return p;
}

static struct chunk_run *add_run(struct reader *r)
{
	struct chunk_page *g = r->g;
	void *v = grow(r, g->runs, g->n_runs, &g->cap_runs, sizeof *g->runs);

	if (v == NULL)
		return NULL;
	g->runs = v;
	return &g->runs[g->n_runs++];
}

static size_t add_event(struct reader *r, enum chunk_md_kind kind, int level)
{
	struct chunk_page *g = r->g;
	void *v = grow(r, g->events, g->n_events, &g->cap_events,
		       sizeof *g->events);

	if (v == NULL)
		return 0;
	g->events = v;
	g->events[g->n_events] = (struct chunk_md_event){
		.kind = kind, .from = SIZE_MAX, .level = level
	};
	return ++g->n_events;
}

static size_t add_aside(struct reader *r, struct chunk_asides *a,
			struct chunk_aside x)
{
	void *v = grow(r, a->v, a->n, &a->cap, sizeof *a->v);

	if (v == NULL)
		return 0;
	a->v = v;
	a->v[a->n] = x;
	return ++a->n;
}

static void add_hidden(struct reader *r, size_t from, size_t to)
{
	size_t at = r->g->text.len;

	from = ai_blank_skip(r->p, to, from);
	to = ai_blank_trim(r->p, from, to);
	if (from < to)
		add_aside(r, &r->g->hidden,
			  (struct chunk_aside){ at, at, from, to });
}

/* ---- text ---------------------------------------------------------------- */

static void widen(struct reader *r, enum gap gap)
{
	if (gap > r->gap)
		r->gap = gap;
}

/* What comes next is visible: what waited for it begins. */
static void begin_visible(struct reader *r)
{
	static const char *const gaps[] = { "", " ", "\t", "\n", "\n\n" };
	struct chunk_page *g = r->g;
	/* In <pre> a newline may stand there already. */
	bool line = g->text.len > 0 && g->text.p[g->text.len - 1] == '\n';

	if (g->text.len > 0)
		ai_buf_str(&g->text,
			   gaps[r->gap] + (line && r->gap >= GAP_LINE));
	r->gap = GAP_NONE;
	if (r->heading > 0 && g->events[r->heading - 1].from == SIZE_MAX)
		g->events[r->heading - 1].from = g->text.len;
	if (r->whole > 0 && g->events[r->whole - 1].from == SIZE_MAX)
		g->events[r->whole - 1].from = g->text.len;
	if (r->link > 0 && g->links.v[r->link - 1].at == SIZE_MAX)
		g->links.v[r->link - 1].at = g->text.len;
}

static void put_run(struct reader *r, const char *bytes, size_t n, size_t src,
		    size_t len)
{
	struct chunk_run *run;

	if (r->gap != GAP_NONE || r->g->text.len == 0 || r->heading > 0 ||
	    r->whole > 0 || r->link > 0)
		begin_visible(r);
	run = add_run(r);
	if (run == NULL)
		return;
	*run = (struct chunk_run){ r->g->text.len, src, len };
	ai_buf_add(&r->g->text, bytes, n);
}

static void put_reference(struct reader *r, size_t at, size_t len,
			  const char *bytes, size_t n)
{
	/* One of white space is white space. */
	if (r->pre == 0 && ai_blank_len(bytes, n) == n)
		widen(r, GAP_BLANK);
	else
		put_run(r, bytes, n, at, len);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes at p[at] up to to that are a run. */
static size_t run_len(const struct reader *r, size_t at, size_t to)
{
	size_t i = at;

	while (i < to && r->p[i] != '&' && (r->pre > 0 || !is_space(r->p[i])))
		i++;
	return i - at;
}

static void read_text(struct reader *r, size_t to)
{
	char bytes[AI_ENTITY_BYTES];
	size_t at = r->at, len, n;

	while (at < to && !r->failed) {
		if (r->pre == 0 && is_space(r->p[at])) {
			widen(r, GAP_BLANK);
			at++;
			continue;
		}
		len = r->p[at] == '&' ? ai_entity(r->p + at, to - at, bytes, &n)
				      : 0;
		if (len > 0) {
			put_reference(r, at, len, bytes, n);
		} else {
			len = 1 + run_len(r, at + 1, to);
			/* A byte order mark is no text. */
			if (at == 0 && len >= 3 &&
			    memcmp(r->p, "\xEF\xBB\xBF", 3) == 0) {
				at = 3;
				continue;
			}
			put_run(r, r->p + at, len, at, 0);
		}
		at += len;
	}
}

void chunk_page_decode(struct ai_buf *b, const char *p, size_t n)
{
	char bytes[AI_ENTITY_BYTES];
	size_t len, k, start = b->len;

	for (size_t at = 0; at < n; at += len) {
		len = p[at] == '&' ? ai_entity(p + at, n - at, bytes, &k) : 0;
		if (len > 0) {
			ai_buf_add(b, bytes, k);
		} else if (is_space(p[at])) {
			len = 1;
			if (b->len > start && b->p[b->len - 1] != ' ')
				ai_buf_chr(b, ' ');
		} else {
			len = 1;
			ai_buf_chr(b, p[at]);
		}
	}
	if (b->len > start && b->p[b->len - 1] == ' ')
		b->p[--b->len] = '\0';
}

/* ---- tags ---------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Reads the tag at p[at], a '<'; false: it is none. */
static bool read_tag(const struct reader *r, size_t at, struct tag *t)
{
	const char *p = r->p;
	size_t i = at + 1;
	struct ai_attribute a;

	*t = (struct tag){ .closes = i < r->n && p[i] == '/' };
	i += t->closes;
	if (i >= r->n || !is_letter(p[i]))
		return false;
	t->name.p = p + i;
	i = ai_attribute_name(p, r->n, i);
	t->name.n = (size_t)(p + i - t->name.p);
	while (ai_attribute_next(p, r->n, &i, &a)) {
		t->hides |= ai_attribute_hides(&r->hiding, &a);
		if (is(a.name, "href"))
			t->href = a.value;
	}
	while (i < r->n && (is_space(p[i]) || p[i] == '/' || p[i] == '='))
		i++;
	t->to = i < r->n && p[i] == '>' ? i + 1 : i;
	return true;
}

/* Where the end tag of this name begins, from at on. */
static size_t end_tag(const struct reader *r, size_t at, struct ai_span name)
{
	const char *hit;

	while (at < r->n && (hit = memmem(r->p + at, r->n - at, "</", 2))) {
		at = (size_t)(hit - r->p);
		if (r->n - at - 2 >= name.n &&
		    strncasecmp(hit + 2, name.p, name.n) == 0 &&
		    (r->n - at - 2 == name.n ||
		     !is_letter(r->p[at + 2 + name.n])))
			return at;
		at += 2;
	}
	return r->n;
}

/* The rules of a style sheet that hide something. */
static void read_sheet(struct reader *r, size_t from, size_t to)
{
	size_t open = 0;

	for (size_t at = from; at < to; at++) {
		if (r->p[at] == '{') {
			open = at;
		} else if (r->p[at] == '}') {
			if (open > from && ai_style_hides((struct ai_span){
				    r->p + open + 1, at - open - 1 }))
				ai_hiding_note(&r->hiding, (struct ai_span){
					r->p + from, open - from });
			from = at + 1;
		}
	}
}

/* ---- what is hidden ------------------------------------------------------ */

/* Whether the tag is of the element that hides, or ends it. */
static void track_hidden(struct reader *r, const struct tag *t)
{
	/* Another of these ends the one before. */
	static const char *const ended[] = {
		"p", "li", "td", "th", "tr", "dt", "dd", "option", NULL,
	};

	if (!same(t->name, r->hidden))
		return;
	if (t->closes ? r->hidden_depth-- == 0
		      : r->hidden_depth == 0 && is_one_of(t->name, ended))
		r->hidden.n = 0;
	else if (!t->closes)
		r->hidden_depth++;
}

static void begin_hidden(struct reader *r, const struct tag *t,
			 enum element kind)
{
	static const char *const empty[] = {
		"area", "base", "br", "col", "embed", "hr", "img", "input",
		"link", "meta", "source", "track", "wbr", NULL,
	};

	if (r->hidden.n > 0 || t->closes ||
	    (kind != EL_UNSEEN && !(t->hides && !is_one_of(t->name, empty))))
		return;
	r->hidden = t->name;
	r->hidden_depth = 0;
}

/* ---- what an element does ------------------------------------------------ */

static void end_event(struct reader *r, size_t *index)
{
	struct chunk_md_event *e;

	if (*index == 0)
		return;
	e = &r->g->events[*index - 1];
	e->to = r->g->text.len;
	*index = 0;
}

static void end_link(struct reader *r)
{
	if (r->link > 0)
		r->g->links.v[r->link - 1].end = r->g->text.len;
	r->link = 0;
}

static void on_heading(struct reader *r, const struct tag *t)
{
	widen(r, GAP_EMPTY_LINE);
	end_event(r, &r->heading);
	if (!t->closes)
		r->heading = add_event(r, CHUNK_MD_HEADING,
				       t->name.p[1] - '0');
}

/* Of those in each other only the outermost counts. */
static void on_whole(struct reader *r, const struct tag *t)
{
	widen(r, GAP_EMPTY_LINE);
	if (!t->closes && r->whole_depth++ == 0)
		r->whole = add_event(r, CHUNK_MD_BLOCK, 0);
	else if (t->closes && r->whole_depth > 0 && --r->whole_depth == 0)
		end_event(r, &r->whole);
}

static void on_link(struct reader *r, const struct tag *t)
{
	size_t from = (size_t)(t->href.p - r->p);

	end_link(r);
	if (!t->closes && t->href.n > 0)
		r->link = add_aside(r, &r->g->links, (struct chunk_aside){
			SIZE_MAX, 0, from, from + t->href.n });
}

static void on_pre(struct reader *r, const struct tag *t)
{
	on_whole(r, t);
	if (!t->closes)
		r->pre++;
	else if (r->pre > 0)
		r->pre--;
	/* Its first newline is not shown. */
	if (!t->closes && r->at < r->n && r->p[r->at] == '\n')
		r->at++;
}

/* Elements whose content is no HTML. */
static void on_raw(struct reader *r, const struct tag *t, enum element kind)
{
	size_t end;

	if (t->closes)
		return;
	end = end_tag(r, r->at, t->name);
	if (kind == EL_STYLE)
		read_sheet(r, r->at, end);
	else if (kind == EL_TITLE && r->g->title.len == 0)
		chunk_page_decode(&r->g->title, r->p + r->at, end - r->at);
	r->at = end;
}

static void on_tag(struct reader *r, const struct tag *t)
{
	static const enum gap gaps[] = {
		[EL_BLOCK] = GAP_LINE, [EL_PARAGRAPH] = GAP_EMPTY_LINE,
		[EL_CELL] = GAP_TAB, [EL_BREAK] = GAP_LINE,
		[EL_UNSEEN] = GAP_NONE,
	};
	enum element kind = kind_of(t->name);

	r->at = t->to;
	if (r->hidden.n > 0)
		track_hidden(r, t);
	if (r->hidden.n == 0)
		begin_hidden(r, t, kind);
	if (kind == EL_RAW || kind == EL_STYLE || kind == EL_TITLE)
		on_raw(r, t, kind);
	else if (r->hidden.n > 0)
		widen(r, GAP_BLANK);
	else if (kind == EL_HEADING)
		on_heading(r, t);
	else if (kind == EL_WHOLE)
		on_whole(r, t);
	else if (kind == EL_PRE)
		on_pre(r, t);
	else if (kind == EL_LINK)
		on_link(r, t);
	else
		widen(r, gaps[kind]);
}

/* A comment, a doctype or CDATA at at: where it ends; at: it is none. */
static size_t read_comment(struct reader *r, size_t at)
{
	bool comment = r->n - at >= 4 && memcmp(r->p + at, "<!--", 4) == 0;
	const char *close;
	size_t to;

	if (r->n - at < 2 || (r->p[at + 1] != '!' && r->p[at + 1] != '?'))
		return at;
	if (comment)
		close = memmem(r->p + at + 4, r->n - at - 4, "-->", 3);
	else
		close = memchr(r->p + at, '>', r->n - at);
	to = close != NULL ? (size_t)(close - r->p) : r->n;
	if (comment)
		add_hidden(r, at + 4, to);
	return close != NULL ? to + (comment ? 3 : 1) : r->n;
}

/* ---- the page ------------------------------------------------------------ */

/* A '<' with nothing behind it that makes it a tag. */
static bool is_text(const struct reader *r, size_t at)
{
	return at + 1 == r->n || (!is_letter(r->p[at + 1]) &&
				  strchr("/!?", r->p[at + 1]) == NULL);
}

static void read_page(struct reader *r)
{
	struct tag t;

	while (r->at < r->n && !r->failed) {
		const char *hit = memchr(r->p + r->at, '<', r->n - r->at);
		size_t from = hit != NULL ? (size_t)(hit - r->p) : r->n, to;

		while (from < r->n && is_text(r, from)) {
			hit = memchr(r->p + from + 1, '<', r->n - from - 1);
			from = hit != NULL ? (size_t)(hit - r->p) : r->n;
		}
		if (r->hidden.n > 0)
			add_hidden(r, r->at, from);
		else
			read_text(r, from);
		r->at = from;
		if (from >= r->n)
			break;
		to = read_comment(r, from);
		if (to > from) {
			r->at = to;
		} else if (read_tag(r, from, &t)) {
			on_tag(r, &t);
		} else { /* "</" before no name */
			hit = memchr(r->p + from, '>', r->n - from);
			r->at = hit != NULL ? (size_t)(hit - r->p) + 1 : r->n;
		}
	}
}

/* Headings and tables without text are none; what was never closed is. */
static void end_page(struct reader *r)
{
	struct chunk_page *g = r->g;
	const char *p = ai_buf_cstr(&g->text);
	size_t k = 0;

	end_event(r, &r->heading);
	end_event(r, &r->whole);
	end_link(r);
	for (size_t i = 0; i < g->n_events; i++) {
		struct chunk_md_event e = g->events[i];

		if (e.from == SIZE_MAX || e.to <= e.from)
			continue;
		e.title = (struct ai_span){ p + e.from, e.to - e.from };
		g->events[k++] = e;
	}
	g->n_events = k;
	k = 0;
	for (size_t i = 0; i < g->links.n; i++)
		if (g->links.v[i].at < g->links.v[i].end)
			g->links.v[k++] = g->links.v[i];
	g->links.n = k;
}

int chunk_page_read(struct chunk_page *g, const char *p, size_t n,
		    struct ai_err *err)
{
	struct reader r = { .g = g, .p = p, .n = n, .err = err };

	ai_buf_clear(&g->text);
	ai_buf_clear(&g->title);
	g->of = (struct ai_span){ p, n };
	g->n_runs = g->n_events = g->links.n = g->hidden.n = 0;
	if (n > PAGE_MAX)
		return ai_err_set(err, AI_E_DOCUMENT, "a page of HTML of %zu "
				  "MiB is too long; cut it with --by recursive",
				  n >> 20);
	read_page(&r);
	if (r.failed)
		return -1;
	end_page(&r);
	return ai_buf_check(&g->text, "the text of a page", err);
}

void chunk_page_span(const struct chunk_page *g, size_t from, size_t to,
		     size_t *page_from, size_t *page_to)
{
	size_t ends[2] = { from, to > from ? to - 1 : from }, out[2] = { 0, 0 };
	struct chunk_run run = { 0, 0, 0 };

	for (int i = 0; i < 2 && g->n_runs > 0; i++) {
		size_t lo = 0, hi = g->n_runs;

		while (hi - lo > 1) {
			size_t mid = lo + (hi - lo) / 2;

			if (g->runs[mid].at <= ends[i])
				lo = mid;
			else
				hi = mid;
		}
		run = g->runs[lo];
		out[i] = run.len > 0 ? run.src : run.src + ends[i] - run.at;
	}
	*page_from = out[0];
	*page_to = to == from ? out[0]
		: out[1] + (run.len > 0 ? run.len : 1);
}

void chunk_page_init(struct chunk_page *g)
{
	memset(g, 0, sizeof *g);
	ai_buf_init(&g->text, 2 * PAGE_MAX);
	ai_buf_init(&g->title, 1 << 20);
}

void chunk_page_release(struct chunk_page *g)
{
	ai_buf_release(&g->text);
	ai_buf_release(&g->title);
	free(g->runs);
	free(g->events);
	free(g->links.v);
	free(g->hidden.v);
	memset(g, 0, sizeof *g);
}
