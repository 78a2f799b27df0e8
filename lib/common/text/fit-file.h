/*
 * fit-file.h: the file of a fitted model; for fit-save.c and fitted.c.
 *
 * All numbers are little-endian.  Behind the header:
 *
 *	uint64 sums[]              one for each block of AI_FIT_BLOCK bytes of
 *	                           what follows, the last may be shorter
 *	uint32 slots[1 << bits]    hash table over the terms: 0, or term + 1
 *	uint32 at[terms + 1]       term i is blob[at[i]] to blob[at[i + 1]]
 *	float  scales[terms][3]    what one unit of a row is worth, times what
 *	                           the term weighs: in the topics, in the words;
 *	                           and what it weighs in the hash
 *	int8   rows[terms][topics + words]
 *	uint8  blob[blob_len]
 *
 * each on a boundary of 64 bytes, filled up with zeros.  The header has the
 * BLAKE2b-128, in hex, of itself, with zeros in its place, and of the sums.
 */
#ifndef AI_TEXT_FIT_FILE_H
#define AI_TEXT_FIT_FILE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AI_FIT_MAGIC "AIFIT\r\n\032"
#define AI_FIT_VERSION 1
#define AI_FIT_MARK 0x01020304u /* another order of bytes shows */
#define AI_FIT_BLOCK 4096u
#define AI_FIT_ALIGN 64u
#define AI_FIT_SEAL 32
#define AI_FIT_SCALES 12u /* bytes of a term's scales */
/* No more terms than this; slots are at most half full. */
#define AI_FIT_TERMS_MAX (1u << 20)
/* Slots that are looked at before a term is given up, by who writes too. */
#define AI_FIT_PROBES 128
#define AI_FIT_ANALYZER 16 /* bytes of its name, with a NUL */

struct ai_fit_header {
	char magic[8];
	uint32_t version, mark;
	uint64_t file_len;
	uint64_t texts;      /* it was fitted on */
	uint32_t terms;
	uint32_t topics, words, hash; /* columns of each part */
	uint32_t slot_bits;
	uint32_t blob_len;
	uint32_t share[3];   /* of each part in the cosine, in 1/65536 */
	uint32_t zero;
	char analyzer[AI_FIT_ANALYZER];
	char seal[AI_FIT_SEAL];
	char reserved[72];
};
_Static_assert(sizeof(struct ai_fit_header) == 192, "the header's size");

/* Where the sections are, in bytes of the file. */
struct ai_fit_layout {
	uint64_t sums, slots, at, scales, rows, blob, end;
	uint64_t blocks;
};

static inline uint64_t ai_fit_align(uint64_t n)
{
	return (n + AI_FIT_ALIGN - 1) / AI_FIT_ALIGN * AI_FIT_ALIGN;
}

/* Of a header in the machine's order whose sizes are within their limits. */
static inline void ai_fit_layout(const struct ai_fit_header *h,
				 struct ai_fit_layout *l)
{
	uint64_t n, slots = (uint64_t)4 << h->slot_bits;

	/* The length of all behind the sums does not depend on them. */
	n = ai_fit_align(slots) + ai_fit_align(((uint64_t)h->terms + 1) * 4) +
	    ai_fit_align((uint64_t)h->terms * AI_FIT_SCALES) +
	    ai_fit_align((uint64_t)h->terms * (h->topics + h->words)) +
	    h->blob_len;
	l->blocks = (n + AI_FIT_BLOCK - 1) / AI_FIT_BLOCK;
	l->sums = sizeof(struct ai_fit_header);
	l->slots = ai_fit_align(l->sums + l->blocks * 8);
	l->at = l->slots + ai_fit_align(slots);
	l->scales = l->at + ai_fit_align(((uint64_t)h->terms + 1) * 4);
	l->rows = l->scales + ai_fit_align((uint64_t)h->terms * AI_FIT_SCALES);
	l->blob = l->rows + ai_fit_align((uint64_t)h->terms *
					 (h->topics + h->words));
	l->end = l->blob + h->blob_len;
}

static inline uint64_t ai_fit_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/*
 * A hash of n bytes: of a term for its slot, of a block for its sum.  It finds
 * damage; against somebody who makes files on purpose there are the bounds.
 */
static inline uint64_t ai_fit_sum(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ n, a, b;

	for (; n > 0; p += 16, n -= n < 16 ? n : 16) {
		a = b = 0;
		if (n >= 16) {
			memcpy(&a, p, 8);
			memcpy(&b, p + 8, 8);
		} else if (n > 8) {
			memcpy(&a, p, 8);
			memcpy(&b, p + 8, n - 8);
		} else {
			memcpy(&a, p, n);
		}
		h = ai_fit_fold(le64toh(a) ^ h,
				le64toh(b) ^ UINT64_C(0xd1b54a32d192ed03)) ^
		    (h << 23 | h >> 41);
	}
	return ai_fit_fold(h ^ UINT64_C(0xbf58476d1ce4e5b9),
			   UINT64_C(0x94d049bb133111eb));
}

#endif
