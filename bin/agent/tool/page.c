#include "tool/page.h"

#include "text/entity.h"
#include "text/html.h"

#include <string.h>
#include <strings.h>

/* A walk through the text; no tree is made of it. */
struct page {
	const char *p, *end;
	struct ai_buf *out;
	bool blank;          /* a blank is due before the next letter */
	int lines;           /* line ends that are due */
	struct ai_span href; /* of the link that is open */
};

/* What is in these is no text. */
static const char *const silent[] = { "script", "style", "template", "svg",
				      "noscript", "iframe", NULL };
/* These begin a line, and the others go on in it. */
static const char *const blocks[] = {
	"address", "article", "aside", "blockquote", "br", "dd", "details",
	"div", "dl", "dt", "fieldset", "figcaption", "figure", "footer",
	"form", "header", "hr", "li", "main", "nav", "ol", "option",
	"section", "summary", "table", "tr", "ul", "title", NULL
};
/* These have an empty line around them. */
static const char *const apart[] = { "p", "h1", "h2", "h3", "h4", "h5", "h6",
				     "pre", NULL };

static void due(struct page *g)
{
	if (g->out->len > 0 && g->lines > 0)
		ai_buf_add(g->out, "\n\n", g->lines > 1 ? 2 : 1);
	else if (g->out->len > 0 && g->blank)
		ai_buf_chr(g->out, ' ');
	g->lines = 0;
	g->blank = false;
}

static void put_letter(struct page *g)
{
	char text[AI_ENTITY_BYTES];
	size_t n, len;

	if (strchr(" \t\r\n\f", *g->p) != NULL && *g->p != '\0') {
		g->blank = true;
		g->p++;
		return;
	}
	due(g);
	n = *g->p == '&' ? ai_entity(g->p, (size_t)(g->end - g->p), text,
				     &len) : 0;
	if (n > 0)
		ai_buf_add(g->out, text, len);
	else
		ai_buf_chr(g->out, *g->p);
	g->p += n > 0 ? n : 1;
}

/* Behind "needle" from p on, or the end. */
static const char *behind(const char *p, const char *end, const char *needle)
{
	size_t n = strlen(needle);
	const char *at = memmem(p, (size_t)(end - p), needle, n);

	return at == NULL ? end : at + n;
}

/* Behind the end tag of an element whose content is no text. */
static void pass_over(struct page *g, struct ai_span name)
{
	while (g->p < g->end) {
		g->p = behind(g->p, g->end, "</");
		if ((size_t)(g->end - g->p) >= name.n &&
		    strncasecmp(g->p, name.p, name.n) == 0) {
			g->p = behind(g->p, g->end, ">");
			return;
		}
	}
}

static struct ai_span href_of(const char *p, size_t n)
{
	struct ai_attribute a;
	size_t at = 0;

	while (ai_attribute_next(p, n, &at, &a))
		if (ai_html_is(a.name, "href"))
			return a.value;
	return (struct ai_span){ NULL, 0 };
}

static void end_link(struct page *g)
{
	struct ai_span s = g->href;
	size_t n, len;
	char text[AI_ENTITY_BYTES];

	if (s.n == 0 || s.p[0] == '#')
		return;
	ai_buf_str(g->out, " <");
	for (; s.n > 0; s.p += n, s.n -= n) {
		n = s.p[0] == '&' ? ai_entity(s.p, s.n, text, &len) : 0;
		if (n > 0)
			ai_buf_add(g->out, text, len);
		else
			ai_buf_chr(g->out, s.p[0]);
		n = n > 0 ? n : 1;
	}
	ai_buf_chr(g->out, '>');
	g->blank = true;
}

/* Where a tag ends: quoted values may have a '>' in them. */
static const char *tag_end(const char *p, const char *end)
{
	char quote = '\0';

	for (; p < end; p++) {
		if (quote != '\0')
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '>')
			return p;
	}
	return end;
}

static void tag(struct page *g)
{
	bool closes = g->p + 1 < g->end && g->p[1] == '/';
	const char *from = g->p + 1 + closes, *to;
	struct ai_span name;

	to = tag_end(from, g->end);
	name = (struct ai_span){ from, ai_attribute_name(from,
						(size_t)(to - from), 0) };
	g->p = to < g->end ? to + 1 : to;
	if (ai_html_is_one_of(name, apart))
		g->lines = 2;
	else if (ai_html_is_one_of(name, blocks))
		g->lines = g->lines > 1 ? 2 : 1;
	else if (ai_html_is(name, "td") || ai_html_is(name, "th"))
		g->blank = true;
	if (ai_html_is(name, "a")) {
		if (closes)
			end_link(g);
		g->href = closes ? (struct ai_span){ NULL, 0 } :
			href_of(from + name.n, (size_t)(to - from) - name.n);
	}
	if (!closes && ai_html_is_one_of(name, silent))
		pass_over(g, name);
}

static bool begins_tag(const char *p, const char *end)
{
	return end - p > 1 && p[0] == '<' && (p[1] == '/' || p[1] == '!' ||
		p[1] == '?' || (p[1] >= 'a' && p[1] <= 'z') ||
		(p[1] >= 'A' && p[1] <= 'Z'));
}

void agent_page_text(struct ai_span html, struct ai_buf *out)
{
	struct page g = { html.p, html.p + html.n, out, false, 0,
			  { NULL, 0 } };

	while (g.p < g.end && out->bad == AI_E_NONE) {
		if (!begins_tag(g.p, g.end))
			put_letter(&g);
		else if (g.end - g.p >= 4 && memcmp(g.p, "<!--", 4) == 0)
			g.p = behind(g.p + 4, g.end, "-->");
		else if (g.p[1] == '!' || g.p[1] == '?')
			g.p = behind(g.p, g.end, ">");
		else
			tag(&g);
	}
}
