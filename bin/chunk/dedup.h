/*
 * dedup.h: passages that are near copies of others.
 *
 * A passage is the set of its shingles: three words that follow each other,
 * in lower case, whatever stands between them.  Two passages are near copies
 * if their sets have a Jaccard similarity (what they share, of what both have
 * together) of the threshold or more.  It is computed from the whole sets, not
 * estimated.
 *
 * Whom to compare with is found by MinHash: of each passage that is kept the
 * smallest hashes are looked up.  There are so many of them (a share of 1 - T
 * of all, and one) that two near copies must have one in common; only hashes
 * that more than DEDUP_COMMON passages have among theirs are left out.
 *
 * The hashes are keyed: a text that was made to pass for another in one state
 * does not in the next.
 */
#ifndef CHUNK_DEDUP_H
#define CHUNK_DEDUP_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_COMMON 1000
#define DEDUP_NOBODY SIZE_MAX /* an owner */

/* By what a passage is known to those that are copies of it. */
struct chunk_key {
	unsigned char b[AI_HASH_BYTES];
};

/* The shingles of the passages of a document; of one thread. */
struct chunk_prints {
	uint64_t seed;
	uint32_t *hashes; /* of each passage sorted, none twice */
	size_t n_hashes, cap_hashes;
	struct chunk_print {
		struct chunk_key key;
		size_t at, n; /* in hashes */
	} *v;
	size_t n, cap;
};

void chunk_prints_clear(struct chunk_prints *ps);
void chunk_prints_release(struct chunk_prints *ps);
int chunk_prints_add(struct chunk_prints *ps, const char *p, size_t n,
		     struct chunk_key key, struct ai_err *err);

/* What is found about a passage. */
struct chunk_copy {
	bool is_copy;
	double similarity;
	struct chunk_key of;
};

struct chunk_dedup;

/* threshold: above 0, at most 1. */
int chunk_dedup_new(struct chunk_dedup **d, double threshold, uint64_t seed,
		    struct ai_err *err);
void chunk_dedup_free(struct chunk_dedup *d);
uint64_t chunk_dedup_seed(const struct chunk_dedup *d);

/*
 * The passages of one document, in order: those that are copies of one that is
 * kept are told in copies[], the others are kept from now on.  owner: a number
 * of the document; passages it has already are no others.  *from: the first
 * that is kept.  Any thread.
 */
int chunk_dedup_decide(struct chunk_dedup *d, const struct chunk_prints *ps,
		       size_t owner, struct chunk_copy *copies, size_t *from,
		       struct ai_err *err);
/* They were not written, after all: those from there on are kept no more. */
void chunk_dedup_retract(struct chunk_dedup *d, size_t from);

/* Those kept from there on, as they are written into the state: appended to
 * json, an array. */
int chunk_dedup_save(struct chunk_dedup *d, size_t from, struct ai_buf *json,
		     struct ai_err *err);
/* One element of it, without quotes.  -1 without err: it is none. */
int chunk_dedup_load(struct chunk_dedup *d, size_t owner, const char *p,
		     size_t n, struct ai_err *err);
/* The key in such an element; false: there is none. */
bool chunk_dedup_key(const char *p, size_t n, struct chunk_key *key);

/* The keys of all that are kept, sorted; *keys is the caller's to free. */
int chunk_dedup_keys(const struct chunk_dedup *d, struct chunk_key **keys,
		     size_t *n, struct ai_err *err);
int chunk_key_compare(const void *a, const void *b);

/* Bytes of memory that it takes, about. */
size_t chunk_dedup_bytes(const struct chunk_dedup *d);

#endif
