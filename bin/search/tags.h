/*
 * tags.h: the values of many documents, by path and blocks of rows.
 *
 * A block says of one path which values documents n*SEARCH_TAG_ROWS to
 * (n+1)*SEARCH_TAG_ROWS-1 have there, and which of them has which: so a test
 * is made once for each value of a block, and a range costs what an equality
 * does.
 *
 *	checksum  8 bytes of what follows, little-endian
 *	values    in order of kind and bytes: kind (1 byte), length (varint),
 *	          bytes, number of rows (varint); their numbers within the block,
 *	          2 bytes each little-endian, ascending; where they are more than
 *	          64 instead a bit for each row of the block
 */
#ifndef SEARCH_TAGS_H
#define SEARCH_TAGS_H

#include "filter.h"

#define SEARCH_TAG_ROWS 1024
#define SEARCH_TAG_BITS (SEARCH_TAG_ROWS / 8)
#define SEARCH_TAG_LIST 64 /* more rows than that are bits */

/* Paths that no document has: that of every document, which has one value,
 * and that of those whose values are not all in tags. */
#define SEARCH_PATH_ALL 1
#define SEARCH_PATH_ODD 2

/* One value of a block; borrowed from it. */
struct search_tag_value {
	enum search_kind kind;
	struct ai_span value;
	const unsigned char *rows; /* count numbers, or bits */
	size_t count;
	bool bits;
};

struct search_tag_iter {
	const unsigned char *p, *end;
};
/* false: it is no block, or not what was written. */
bool search_tag_open(struct search_tag_iter *it, struct ai_span block);
/* 1: a value; 0: the end; -1: no block. */
int search_tag_next(struct search_tag_iter *it, struct search_tag_value *v);
/* The i-th row of a value that is no bits. */
static inline unsigned search_tag_row(const struct search_tag_value *v, size_t i)
{
	return v->rows[2 * i] | (unsigned)v->rows[2 * i + 1] << 8;
}
/* Its rows, set in bits. */
void search_tag_mark(const struct search_tag_value *v,
		     unsigned char bits[SEARCH_TAG_BITS]);

/* A value of a row, on its way into a block. */
struct search_tag {
	enum search_kind kind;
	unsigned row;
	struct ai_span value;
};
/* The block of these (sorted here, equal ones once); empty without any. */
void search_tag_write(struct search_tag *v, size_t n, struct ai_buf *out);

#endif
