/*
 * postings-int.h: what is in a file of postings, for those who read and write
 * it; postings.h is what the others see.
 *
 * Numbers are of the machine's byte order, which the header tells; all
 * machines we know of are little-endian.  A row is a slot here, counted from
 * 0 in each file.
 *
 * A term's postings are blocks of 128: a full one is 128 gaps (less 1) and
 * 128 tf (less 1), both packed in as few bits as the largest needs; the last
 * one, if not full, has them as varints.  Behind the blocks of a term with
 * more than one stand an array of struct words_skip and a check of it; behind
 * the only block, which is never packed, a check of two bytes.
 *
 * Its positions are, for each posting, how many there are and their gaps, as
 * varints; behind them, if there is more than one block, an array of struct
 * words_place and a check of it, else a check of two bytes.
 *
 * Terms are sorted by their bytes.  16 make a group: a check of four bytes,
 * two varints, where the first one's postings and positions begin, and then
 * for each: how many bytes it has in common with the one before, how many
 * more, these; its impact (2 bytes); varints: df, bytes of postings, bytes of
 * positions.
 */
#ifndef SEARCH_POSTINGS_INT_H
#define SEARCH_POSTINGS_INT_H

#include "postings.h"

#include <string.h>

#define WORDS_MAGIC "aiwords"
#define WORDS_VERSION 1
#define WORDS_ORDER 0x01020304u
#define WORDS_BLOCK 128
#define WORDS_GROUP 16
#define WORDS_CHUNK 512       /* lengths that share a check */
#define WORDS_IMPACT 65535    /* an impact of 1, which none reaches */
#define WORDS_SLOTS 0x7FFFFFFFu /* at most */
#define WORDS_FIELD_GAP 100     /* positions between two fields */
#define WORDS_TF_MAX 0x7FFFFFFFu

enum words_section {
	WORDS_POSTINGS, WORDS_POSITIONS,
	WORDS_TERMS,   /* the groups */
	WORDS_KEYS,    /* the first 8 bytes of each group's first term */
	WORDS_PLACES,  /* uint32_t: where each group begins, and the last ends */
	WORDS_LENGTHS, /* dl of each slot, 2 or 4 bytes */
	WORDS_CHECKS,  /* uint32_t for each WORDS_CHUNK of them and their rows */
	WORDS_ROWS,    /* uint32_t: n of each slot; none if it is from + slot */
	WORDS_SECTIONS
};

#define WORDS_HASH 16

struct words_header {
	char magic[8];
	uint32_t version, order;
	uint64_t from, to, count;
	unsigned char hash[WORDS_HASH]; /* of the header, this as zeros */
	uint64_t bytes;
	char analyzer[16];
	uint64_t tokens, terms;
	double average;   /* dl, that impacts are of */
	uint32_t width;   /* bytes of a length */
	uint32_t zero;
	struct {
		uint64_t at, n;
		unsigned char hash[WORDS_HASH];
	} section[WORDS_SECTIONS];
	unsigned char pad[512 - 112 - 32 * WORDS_SECTIONS];
};

struct words_skip {
	uint32_t last, end; /* slot; where the block ends in the postings */
	uint32_t check;
	uint16_t impact;    /* rounded up; see words_impact() */
	unsigned char gap_bits, tf_bits; /* 0 of the last block */
};

struct words_place {
	uint32_t end, check;
};

/* ---- postings-pack.c ------------------------------------------------------- */

/* A sum of n bytes that tells flipped bits and moved words. */
uint32_t words_check(const void *p, size_t n);

/* Of a chunk of lengths, and of the rows of the same slots. */
static inline uint32_t words_chunk_check(struct ai_span lengths,
					 struct ai_span rows)
{
	return words_check(lengths.p, lengths.n) +
	       31 * words_check(rows.p, rows.n);
}

/* Bits that the largest of 128 numbers needs. */
unsigned words_bits(const uint32_t v[WORDS_BLOCK]);
/* 16 * bits bytes. */
void words_pack(const uint32_t v[WORDS_BLOCK], unsigned bits,
		unsigned char *out);
/* Gaps less 1 become slots: the first is before + 1 + gap. */
void words_unpack_slots(const unsigned char *p, unsigned bits, uint32_t before,
			uint32_t v[WORDS_BLOCK]);
/* Adds 1 to each. */
void words_unpack_tf(const unsigned char *p, unsigned bits,
		     uint32_t v[WORDS_BLOCK]);

/* At most 5 bytes, or 10; returns what is behind. */
static inline unsigned char *words_put(unsigned char *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (unsigned char)(v | 0x80);
	*p++ = (unsigned char)v;
	return p;
}

/* NULL: it does not end before end, or has more than 64 bits; p may be NULL. */
static inline const unsigned char *
words_get(const unsigned char *p, const unsigned char *end, uint64_t *v)
{
	unsigned shift = 0;

	if (p != NULL && p < end && *p < 0x80) {
		*v = *p;
		return p + 1;
	}
	for (*v = 0; p != NULL && p < end && shift < 64; shift += 7) {
		*v |= (uint64_t)(*p & 0x7F) << shift;
		if (*p++ < 0x80)
			return p;
	}
	return NULL;
}

/* ---- the score --------------------------------------------------------------- */

/* What depends on the average alone: .3 + .9 / average * dl. */
struct words_norm {
	double base, slope;
};

static inline struct words_norm words_norm(double average)
{
	const double k1 = 1.2, b = 0.75;

	return (struct words_norm){ k1 * (1 - b),
				    average > 0 ? k1 * b / average : 0 };
}

/* To multiples of 2^-30, which adding and taking 1.5 * 2^22 does. */
static inline double words_rounded(double x)
{
	const double magic = 6291456;

	return x + magic - magic;
}

/* Of 1000 clauses all together the parts stay below 2^23: they add up without
 * error in 53 bits. */
static inline double words_weight(double idf,
				  const struct search_clause *c)
{
	double count = c->weight == 0 ? c->count
				      : (double)c->weight / SEARCH_WEIGHT_ONE;

	return 2.2 * idf * (count < SEARCH_COUNT_MAX ? count
						     : SEARCH_COUNT_MAX);
}

static inline double words_part(double weight, double tf, double length,
				struct words_norm norm)
{
	return words_rounded(weight * tf /
			     (tf + (norm.base + norm.slope * length)));
}

/* From 0 to WORDS_IMPACT: what tf occurrences in this length give at most. */
static inline uint16_t words_impact(double tf, double length,
				    struct words_norm norm)
{
	double x = tf / (tf + (norm.base + norm.slope * length));
	uint32_t i = (uint32_t)(x * WORDS_IMPACT) + 1;

	return (uint16_t)(i > WORDS_IMPACT ? WORDS_IMPACT : i);
}

/* Rounded, too. */
double words_idf(int64_t rows, int64_t with);

/* ---- postings-read.c: a mapped file ------------------------------------------- */

struct search_words {
	struct search_words_info info;
	char *path;
	const unsigned char *map;
	size_t bytes;
	const struct words_header *h;
	const unsigned char *at[WORDS_SECTIONS];
	size_t n[WORDS_SECTIONS];
	size_t groups;
	unsigned char *checked; /* chunks of lengths, a bit each */
};

/* -1 and AI_E_DATA. */
int words_damaged(const struct search_words *w, const char *what,
		  struct ai_err *err);

/* A term in the dictionary. */
struct words_entry {
	uint32_t place;   /* from 0 */
	uint32_t df;
	uint16_t impact;
	uint64_t postings, positions; /* where they begin */
	uint64_t postings_n, positions_n;
};

/* A walk over the dictionary in its order. */
struct words_walk {
	const struct search_words *w;
	size_t group;              /* of the entry */
	unsigned left;             /* entries of this group to come */
	const unsigned char *p, *end;
	unsigned char term[256];
	size_t n;
	struct words_entry entry;
	uint64_t next_postings, next_positions;
};

/* Begins before the first entry of a group; 0 is the first group. */
int words_walk_begin(struct words_walk *walk, const struct search_words *w,
		     size_t group, struct ai_err *err);
/* 1: an entry; 0: the end. */
int words_walk_next(struct words_walk *walk, struct ai_err *err);
/* 1: there is such a term; 0: no.  walk then stands at the first one not
 * below it, or at the end (*end). */
int words_seek(struct words_walk *walk, const struct search_words *w,
	       struct ai_span term, bool *end, struct ai_err *err);

/* One term's postings, and the block that was decoded last. */
struct words_list {
	const struct search_words *w;
	struct words_entry entry;
	const unsigned char *data;
	const struct words_skip *skips; /* may be unaligned: words_skip_at() */
	size_t data_n;                  /* without skips */
	size_t blocks;
	size_t have;                    /* block in slots, or blocks: none */
	size_t n;                       /* postings in it */
	uint32_t slots[WORDS_BLOCK], tf[WORDS_BLOCK];
};

static inline struct words_skip words_skip_at(const struct words_list *l,
					      size_t block)
{
	struct words_skip s;

	memcpy(&s, (const unsigned char *)l->skips + block * sizeof(s),
	       sizeof(s));
	return s;
}

int words_list_open(struct words_list *l, const struct search_words *w,
		    const struct words_entry *e, struct ai_err *err);
/* Decodes a block, unless it is the one there. */
int words_list_load(struct words_list *l, size_t block, struct ai_err *err);

/* The bytes of the positions of a term. */
struct words_spots {
	const struct words_list *l;
	const unsigned char *data, *end, *places;
	size_t block;                /* that p is in, or blocks: none */
	size_t at;                   /* posting of the block p stands at */
	const unsigned char *p, *stop;
};

int words_spots_open(struct words_spots *s, const struct words_list *l,
		     struct ai_err *err);
/* The positions of posting i of a block, their varints from *p to *end; not
 * before one asked for already in the same block.  *count: how many. */
int words_spots_seek(struct words_spots *s, size_t block, size_t i,
		     const unsigned char **p, const unsigned char **end,
		     uint32_t *count, struct ai_err *err);

/* n of a slot, slot of n or -1. */
static inline int64_t words_row(const struct search_words *w, uint32_t slot)
{
	uint32_t n;

	if (w->n[WORDS_ROWS] == 0)
		return w->info.from + slot;
	memcpy(&n, w->at[WORDS_ROWS] + (size_t)slot * 4, 4);
	return n;
}
int64_t words_slot(const struct search_words *w, int64_t n);

/* dl; the chunk has been checked. */
static inline uint32_t words_length(const struct search_words *w, uint32_t slot)
{
	uint16_t two;
	uint32_t four;

	if (w->h->width == 2) {
		memcpy(&two, w->at[WORDS_LENGTHS] + (size_t)slot * 2, 2);
		return two;
	}
	memcpy(&four, w->at[WORDS_LENGTHS] + (size_t)slot * 4, 4);
	return four;
}
/* Checks the chunks of the slots [from, to), lengths and rows. */
int words_lengths_check(const struct search_words *w, uint32_t from,
			uint32_t to, struct ai_err *err);

bool words_is_dead(const struct search_dead *d, uint32_t slot);
/* Rows of a term that are dead. */
uint32_t words_dead_rows(const struct search_dead *d, uint32_t place);

/* ---- postings-list.c: a clause in one file ------------------------------------ */

/* A term as it is in the file, or a list made of several: of a prefix, of a
 * phrase. */
struct words_term {
	bool there, made;
	struct words_entry entry; /* not made */
	uint32_t *slots, *tf;     /* made; owned; slots rise */
	size_t n;
};

/* What clauses of a query are in its parts. */
struct words_found {
	struct words_term *terms; /* of part p, clause c: [p * clauses + c] */
	int64_t *df;              /* of each clause; live rows */
	int64_t rows;             /* live ones, all parts */
	double average;
};

/* only: which clauses are looked up; NULL: all. */
int words_found_init(struct words_found *f, const struct search_words_query *q,
		     const bool *only, struct ai_err *err);
void words_found_release(struct words_found *f,
			 const struct search_words_query *q);

/* ---- postings-write.c --------------------------------------------------------- */

struct words_writer;

/* rows and lengths: count of each, borrowed until the end.  average: what the
 * impacts are of. */
struct words_plan {
	const char *path, *analyzer;
	int64_t from, to;
	const uint32_t *rows, *lengths;
	size_t count;
};

struct words_writer *words_writer_new(const struct words_plan *plan,
				      struct ai_err *err);
/* A term; greater than the one before. */
int words_writer_term(struct words_writer *w, struct ai_span term,
		      struct ai_err *err);
/* A posting of it; slots rise.  spots: its positions as the file has them. */
int words_writer_add(struct words_writer *w, uint32_t slot, uint32_t tf,
		     const unsigned char *spots, size_t spots_n,
		     struct ai_err *err);
/* The rest; the file is on the disk. */
int words_writer_end(struct words_writer *w, struct ai_err *err);
/* Without an end before, the file is taken away. */
void words_writer_free(struct words_writer *w);

#endif
