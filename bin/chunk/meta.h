/*
 * meta.h: the metadata at the top of a Markdown document, as JSON.
 *
 * It is YAML between two lines of dashes, of which this reads what is usual
 * there: "key: text", lists ("[a, b]" or lines with a dash), quotes, true,
 * false, whole numbers.  The rest of YAML comes as the text of its lines.
 */
#ifndef CHUNK_META_H
#define CHUNK_META_H

#include "base/buf.h"

#include <stddef.h>

/* Writes what p[0..n) holds, with its lines of dashes, as an object to out,
 * which it appends to; the title's text to title. */
void chunk_meta_put(struct ai_buf *out, struct ai_buf *title, const char *p,
		    size_t n);

#endif
