/*
 * doc.h: documents: the bytes of a file, held still while they are cut.
 *
 * A small document is read into memory.  A large one is copied to an
 * unlinked file that is mapped: the copy can be looked at as often as needed
 * without being held in memory, and what others do to the original meanwhile
 * (cutting it short would be a SIGBUS) changes nothing.  So a document may
 * be a pipe as well.
 */
#ifndef CHUNK_DOC_H
#define CHUNK_DOC_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/hash.h"

#include <stdbool.h>
#include <stddef.h>

#define CHUNK_DOC_MEMORY ((size_t)4 << 20) /* larger ones are mapped */

struct chunk_doc {
	const char *p;
	size_t n;
	char hash[AI_HASH_HEX]; /* of the file's bytes */
	struct ai_buf buf;      /* a small one */
	size_t mapped;          /* bytes mapped at p; 0: not mapped */
};

void chunk_doc_init(struct chunk_doc *d);
void chunk_doc_release(struct chunk_doc *d);

/*
 * Opens the file of this name, "-" for standard input.  AI_E_DOCUMENT: it is
 * not there, may not be read, or is a directory.
 */
int chunk_doc_open(const char *path, int *fd, struct ai_err *err);

/*
 * Reads all of fd; with keep false only its hash is made.  d may be used for
 * one document after another.  AI_E_DOCUMENT: it cannot be read, there is no
 * room for the copy, or (with keep) it holds a NUL.  what names the document
 * in messages.
 */
int chunk_doc_read(struct chunk_doc *d, int fd, const char *what, bool keep,
		   struct ai_err *err);

/* Whether p[0..n) is text: UTF-8 without NUL. what as above. */
int chunk_doc_check(const char *p, size_t n, const char *what,
		    struct ai_err *err);

#endif
