/* codes-file.h: the header of codes-N.idx. */
#ifndef SEARCH_CODES_FILE_H
#define SEARCH_CODES_FILE_H

#include "base/err.h"
#include "codes.h"
#include "crypt/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define CODES_HEAD 256 /* bytes, a multiple of 64 as all sections' offsets */
#define CODES_ALIGN 64

struct codes_section {
	uint64_t offset, bytes;
	unsigned char hash[AI_HASH_BYTES];
};

/*
 * All little-endian:
 *	0	"AIcodes1", version, byte-order mark, from, to, count, dim (each
 *		32 bits), seed (64), bits, 0
 *	48	BLAKE2b-128 of these 48 bytes
 *	64	fitted, sample, rescored, recall (float)
 *	80	mean, blocks, table: offset, bytes, BLAKE2b-128
 *	176	bytes of the file; zeros
 *	240	BLAKE2b-128 of the bytes from 64 on
 */
struct codes_head {
	uint32_t from, to, count, dim, bits, fitted, sample, rescored;
	uint64_t seed;
	float recall;
	struct codes_section mean, blocks, table; /* no table: 0 bytes */
	uint64_t bytes;
};

/* Sets where the parts lie and how long they are, from the other members.  A
 * table is there if its bytes are not 0. */
void codes_head_place(struct codes_head *h);
void codes_head_put(const struct codes_head *h, unsigned char out[CODES_HEAD]);
/* What is wrong with the header of a file of that many bytes; NULL: nothing,
 * and all sections lie in the file and have the size they must have. */
const char *codes_head_get(struct codes_head *h, const unsigned char *p,
			   uint64_t bytes);

/* BLAKE2b-128 of what was added. */
void codes_hash_end(struct ai_hash *h, unsigned char out[AI_HASH_BYTES]);

/* The row of a slot, or -1 if the file says nonsense. */
int64_t codes_row(const struct search_codes *c, int64_t slot);
/* Fills err with "PATH is damaged: its codes ..." of the block of a slot.
 * Returns -1. */
int codes_damaged(const struct search_codes *c, int64_t slot,
		  struct ai_err *err);
/* How many blocks there are. */
static inline int64_t codes_blocks(int64_t count)
{
	return (count + 63) / 64;
}

#endif
