/*
 * markdown.h: the headings, code fences, lists and tables of a Markdown
 * document, in order; or those that another reader has found.
 *
 * A reader of lines that hands out one event at a time and keeps only the
 * fence or heading at hand, so that memory does not grow with the document.
 * It follows CommonMark where that matters for cutting: fences of backticks
 * and tildes with info strings, in lists and quotations, closed by at least
 * as many marks or by the end of the document or of the quotation; ATX
 * headings, and setext headings of one line; no headings in fences, indented
 * code or the metadata between two lines of dashes at the top.  Differences:
 * a fence in a list does not end with its item, and HTML blocks are not
 * known.
 */
#ifndef CHUNK_MARKDOWN_H
#define CHUNK_MARKDOWN_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum chunk_md_kind {
	CHUNK_MD_END, CHUNK_MD_HEADING, CHUNK_MD_FENCE,
	CHUNK_MD_BLOCK, /* a list or table; what is in it comes behind it */
};

struct chunk_md_event {
	enum chunk_md_kind kind;
	size_t from;          /* its first byte that is no blank */
	size_t to;            /* behind its last line; END: both are n */
	int level;            /* of a heading, 1 to 6 */
	struct ai_span title; /* of a heading, without its marks */
};

/* A longer list or table is not told: it would not fit anyway. */
#define CHUNK_MD_BLOCK_MAX ((size_t)1 << 20)

struct chunk_md {
	const char *p;
	size_t n;
	size_t pos;      /* start of the line to be read next */
	bool after_text; /* the line before may go on in this one */
	bool in_list;    /* indentation may belong to an item */
	size_t body;     /* behind the metadata at the top and its newline */
	size_t block_end; /* up to there a block was looked for */
	const struct chunk_md_event *list; /* they are these; or NULL */
	size_t n_list;
	struct chunk_md_event next;
};

/* p[0..n) is valid UTF-8 and stays. */
void chunk_md_init(struct chunk_md *md, const char *p, size_t n);
/* The same for events that are known: they stay. */
void chunk_md_init_list(struct chunk_md *md, size_t n,
			const struct chunk_md_event *list, size_t n_list);
/* The next event, which is md->next until the following call. */
void chunk_md_next(struct chunk_md *md);

#endif
