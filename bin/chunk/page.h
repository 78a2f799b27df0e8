/*
 * page.h: a page of HTML as text, with the way back.
 *
 * What a page shows becomes text: tags and comments are gone, references are
 * characters, white space is one blank or, round a block, a newline or an
 * empty line; in <pre> it stays.  Each visible byte knows the bytes of the
 * page that it comes from.  What an element hides (text/html.h), a comment
 * says or <noscript> and <template> hold is kept apart, with its place.
 *
 * It reads as browsers do where that changes the text: raw text in <script>
 * and <style>, quotes in tags, references without a semicolon.  It builds no
 * tree, so that time and memory are linear in the page, however deep it is.
 */
#ifndef CHUNK_PAGE_H
#define CHUNK_PAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "markdown.h"

#include <stddef.h>

/* text[at..] comes from the page's bytes from src on, one for one; or, len: it
 * is a reference of so many bytes. */
struct chunk_run {
	size_t at, src, len;
};

/* A link, or what is hidden: page[from..to), which stands at text[at]. */
struct chunk_aside {
	size_t at, end;  /* in the text; hidden: at == end */
	size_t from, to; /* of the page; link: of its address */
};

struct chunk_asides {
	struct chunk_aside *v;
	size_t n, cap;
};

struct chunk_page {
	struct ai_buf text;
	struct ai_buf title; /* of <title>, decoded */
	struct ai_span of;   /* the page */
	struct chunk_run *runs;
	size_t n_runs, cap_runs;
	struct chunk_md_event *events; /* headings, tables, lists, <pre> */
	size_t n_events, cap_events;
	struct chunk_asides links, hidden;
};

void chunk_page_init(struct chunk_page *g);
void chunk_page_release(struct chunk_page *g);

/* Reads p[0..n), valid UTF-8, which stays.  AI_E_DOCUMENT: it is too long;
 * AI_E_MEMORY. */
int chunk_page_read(struct chunk_page *g, const char *p, size_t n,
		    struct ai_err *err);

/* The bytes of the page that text[from..to) comes from; both ends are
 * visible. */
void chunk_page_span(const struct chunk_page *g, size_t from, size_t to,
		     size_t *page_from, size_t *page_to);

/* Appends p[0..n), a value of an attribute or a text, with its references
 * as characters and white space as single blanks. */
void chunk_page_decode(struct ai_buf *b, const char *p, size_t n);

#endif
