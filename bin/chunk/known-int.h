/* known-int.h: the insides that known.c and known-file.c share. */
#ifndef CHUNK_KNOWN_INT_H
#define CHUNK_KNOWN_INT_H

#include "known.h"

#include "record/spool.h"

#include <pthread.h>

#define KNOWN_VERSION 1
#define KNOWN_LINE ((size_t)1 << 30) /* bytes of a line at most */

/* What a run has noted: a line of its spool. */
struct known_note {
	size_t at, n, order;
};

struct chunk_known {
	const char *path; /* borrowed */
	bool pending;
	int lock;
	uint64_t seed;
	char sum[AI_HASH_HEX]; /* of the file; "" if there is none */
	const char *map;
	size_t mapped;
	size_t *lines;         /* where each document's begins */
	unsigned char *fates;
	size_t n;
	pthread_mutex_t mutex; /* for what follows, and fates */
	struct ai_spool spool;
	size_t spooled;
	struct known_note *notes;
	size_t n_notes, cap_notes;
	bool goes;             /* one of the old ones */
	bool begins;           /* something that the file does not say yet */
};

/* The line of document i, without its newline. */
struct ai_span known_line(const struct chunk_known *k, size_t i);
/* The name at the begin of a line, as it is written; NULL: there is none. */
struct ai_span known_name(struct ai_span line);
int known_compare(struct ai_span a, struct ai_span b);
int known_damaged(const char *path, const char *what, struct ai_err *err);

/* Maps the file, checks it and fills map, lines, sum, seed; nothing if there is
 * none. */
int known_read(struct chunk_known *k, const char *path, struct ai_err *err);
void known_unmap(struct chunk_known *k);

#endif
