/* ids.h: the ids of a document's chunks, many made at once. */
#ifndef CHUNK_IDS_H
#define CHUNK_IDS_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/hash.h"

#include "cut.h"

#define CHUNK_IDS_MANY 64

struct chunk_ids {
	char hex[CHUNK_IDS_MANY][AI_HASH_HEX];
	size_t first, n;     /* those of the chunks from this number on */
	struct ai_buf heads; /* what stands before the text of each */
};

/*
 * The id of this chunk: the hash of the document's name, the place and the
 * text, so that a chunk keeps it as long as these stay, and the same text in
 * another file has another one.  NULL: err says why.  Call with the chunks of
 * a document in order; ids->n is 0 before the first.
 */
const char *chunk_id(struct chunk_ids *ids, const struct chunk_cutter *cutter,
		     const struct chunk_cut *cut, const char *name,
		     struct ai_err *err);

#endif
