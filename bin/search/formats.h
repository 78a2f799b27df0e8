/*
 * formats.h: documents in the shapes of other programs.
 *
 * langchain: {"id","page_content","metadata","type":"Document"}; read also as
 * pageContent, and within the "kwargs" of a serialized object.  llamaindex:
 * {"id_","text","metadata","embedding","relationships",...}, a TextNode; read
 * also with text_resource.  What those shapes have no place for stands in
 * metadata.aiutils, and is taken back from there.
 */
#ifndef SEARCH_FORMATS_H
#define SEARCH_FORMATS_H

#include "search.h"

enum search_format {
	SEARCH_JSONL, SEARCH_NPY, SEARCH_LANGCHAIN, SEARCH_LLAMAINDEX,
};

/* ---- formats-read.c ------------------------------------------------------------- */

/* Whether records must be rewritten before search_document_read(). */
bool search_must_convert(void);
/*
 * The record as one of ours, in out; vector (or NULL) takes the place of its
 * embedding.  AI_E_RECORD: it has not that shape.
 */
int search_convert(const struct ai_rec *rec, const float *vector, size_t dim,
		   struct ai_buf *out, struct ai_err *err);

/* ---- formats-write.c ------------------------------------------------------------ */

/* A row (SQL_ALL) in --format; v is its vector, if it has one. */
int search_put_document(struct search_index *ix, sqlite3_stmt *st,
			const float *v, struct ai_buf *b, struct ai_err *err);

/* ---- npy.c: NumPy's files ---------------------------------------------------------- */

#define SEARCH_NPY_HEAD 128

/* The header of rows of dim little-endian floats. */
void search_npy_head(char head[SEARCH_NPY_HEAD], int64_t rows, int64_t dim);

/* A mapped file of '<f4', '<f8' or '<f2', of two dimensions. */
struct search_npy {
	const char *name;
	unsigned char *map;
	size_t size, from;
	int64_t rows;
	size_t dim, width; /* width: bytes of a number */
};
int search_npy_open(struct search_npy *n, const char *name, struct ai_err *err);
void search_npy_close(struct search_npy *n);
/* Row i into out[dim]; *none: it is all zeros, as of what has no vector. */
void search_npy_row(const struct search_npy *n, int64_t i, float *out,
		    bool *none);

#endif
