/*
 * split.h: where a text is cut.
 *
 * CHUNK_RECURSIVE cuts as by-recursive.c says and CHUNK_TOKENS as by-tokens.c
 * does.  Else a chunk is as long as the size allows and ends at the best break in its
 * second half: a paragraph's end, else a line's end that ends a sentence,
 * else a line's, a sentence's, a word's, else between two characters.
 * Blanks between chunks belong to none.  Nothing but the text around one
 * chunk is looked at for it, so that time grows with the text and memory
 * does not.
 */
#ifndef CHUNK_SPLIT_H
#define CHUNK_SPLIT_H

#include "base/err.h"
#include "base/str.h"

#include "code.h"
#include "measure.h"
#include "page.h"

#include <stdbool.h>
#include <stddef.h>

/* A longer code fence is cut like other text: its chunk would be longer
 * than what programs take as a line. */
#define CHUNK_FENCE_MAX ((size_t)1 << 20)

/* In the order of CHUNK_BY_CHOICES (chunk.h). */
enum chunk_by {
	CHUNK_RECURSIVE, /* as LangChain's RecursiveCharacterTextSplitter */
	CHUNK_MARKDOWN,  /* headings begin chunks, fences stay whole, lists
			    and tables do where they fit */
	CHUNK_SENTENCE,  /* whole sentences, as many as fit */
	CHUNK_PARAGRAPH, /* whole paragraphs, as many as fit */
	CHUNK_FIXED,     /* exactly size units, wherever that is */
	CHUNK_PROSE,     /* the best break in the second half */
	CHUNK_CODE,      /* definitions stay whole */
	CHUNK_HTML,      /* what a page shows; headings begin chunks */
	CHUNK_TOKENS,    /* exactly size tokens of the whole text */
	CHUNK_BY_N
};

#define CHUNK_SEPARATORS_MAX 32

/* Of CHUNK_RECURSIVE, the first tried first; an empty one parts characters. */
struct chunk_separators {
	struct ai_span v[CHUNK_SEPARATORS_MAX];
	size_t n;
	bool keep; /* one belongs to what it begins, else to nothing */
};

/* Empty line, newline, blank, none; leaves keep alone. */
void chunk_separators_usual(struct chunk_separators *s);

struct chunk_how {
	enum chunk_by by;
	size_t size, overlap; /* in units; overlap < size */
	const struct chunk_measure *measure;
	const struct chunk_separators *separators; /* of CHUNK_RECURSIVE */
	const struct chunk_lang *lang;             /* of CHUNK_CODE */
	const struct chunk_page *page; /* of CHUNK_HTML: p is its text */
};

/* The bytes p[from..to). */
struct chunk_piece {
	size_t from, to;
	bool oversize; /* longer than size, since it may not be cut */
};

/*
 * Hands the chunks of p[0..n), valid UTF-8, to sink in order, until it
 * returns non-zero.  Each begins and ends with something visible (save
 * CHUNK_FIXED, and a first line that keeps its indentation) and begins behind
 * the begin of the one before; every byte that is no blank is in one, but for
 * a byte order mark and the metadata of Markdown.  The
 * same text gives the same chunks.
 */
int chunk_split(const char *p, size_t n, const struct chunk_how *how,
		int (*sink)(void *arg, const struct chunk_piece *piece,
			    struct ai_err *err),
		void *arg, struct ai_err *err);

#endif
