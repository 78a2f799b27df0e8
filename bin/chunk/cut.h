/*
 * cut.h: the chunks of a text with their numbers and places.
 */
#ifndef CHUNK_CUT_H
#define CHUNK_CUT_H

#include "base/err.h"
#include "base/str.h"
#include "crypt/hash.h"

#include "split.h"

#include <stddef.h>

/* Chunks remembered between counting and writing; with more of them the
 * text is split twice instead. */
#define CHUNK_KEEP ((size_t)1 << 18)

#define CHUNK_DEPTH 6 /* headings within headings */

/* Bytes of a heading, a title or a link's text that are told: every chunk
 * repeats them, and of a heading of a megabyte a page would make gigabytes. */
#define CHUNK_LABEL_MAX 1000

struct chunk_cut {
	const char *p;             /* the text; chunk: p[from..to) */
	size_t from, to;
	size_t at, end;            /* the same in the document: where a page
				      of HTML was read, its bytes */
	bool oversize;
	size_t number, count;      /* from 0; of how many */
	size_t copies;             /* that were left out */
	size_t line_from, line_to; /* of its first and last byte, from 1 */
	size_t page;               /* from 1; 0: the text has no form feed */
	struct ai_span heading[CHUNK_DEPTH]; /* CHUNK_MARKDOWN and _HTML */
	size_t n_headings;
};

struct chunk_cutter {
	struct chunk_how how;
	size_t keep;               /* CHUNK_KEEP; tests set less */
	bool of_text;              /* print is to cover the text as well */
	struct chunk_piece *pieces;
	size_t n_kept, cap, count;
	char print[AI_HASH_HEX];   /* of where all the chunks lie */
};

/* Hands the chunks of p[0..n) to put in order, until it returns non-zero.
 * print is known before the first of them. */
int chunk_cut(struct chunk_cutter *c, const char *p, size_t n,
	      int (*put)(void *arg, const struct chunk_cut *cut,
			 struct ai_err *err),
	      void *arg, struct ai_err *err);
void chunk_cutter_release(struct chunk_cutter *c);

/* What is told of p[0..n), whole characters. */
struct ai_span chunk_label(const char *p, size_t n);

#endif
