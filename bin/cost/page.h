/* page.h: a page of HTML that is being written. */
#ifndef PAGE_H
#define PAGE_H

#include "report.h"

struct page {
	struct report *r;
	struct ai_buf *b;      /* the line that is written */
	struct ai_rollup all;  /* of the range */
	const char *unit;      /* of the series: "day" */
	int64_t cap;           /* of all, in such a unit; -1: none */
	int shown;             /* rows of a list */
};

/* Escaped; what is no text, or would turn its direction, is replaced. */
void page_text(struct page *p, const char *s);

/* All up to <body>: the style, for light and dark (page-style.c). */
extern const char report_page_head[];

#endif
