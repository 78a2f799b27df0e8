/* feed-int.h: the insides that feed.c, changes.c and operand.c share. */
#ifndef CHUNK_FEED_INT_H
#define CHUNK_FEED_INT_H

#include "feed.h"

#include "record/spool.h"

#include "dedup.h"
#include "walk.h"

#include <pthread.h>

/* What stands behind the name of an operand. */
enum {
	FEED_NAMED = 'n',  /* by the user: it must be readable */
	FEED_OTHER = 'o',  /* named, and no file: of no state */
	FEED_FOUND = 'f',  /* in a tree: what is no text is left alone */
	FEED_FAILED = 'e', /* and why, behind that */
	FEED_GONE = 'g',
};

struct feed_names {
	char **v;
	size_t n, cap;
};

/* Of their hashes: 34 bytes a name at most. */
struct feed_set {
	unsigned char (*v)[AI_HASH_BYTES];
	bool *used;
	size_t n, cap;
};

/* Of the whole run. */
struct feed {
	const struct chunk_settings *set;
	struct chunk_walking walking;
	struct stat output;         /* what is written to */
	int operands;
	struct chunk_known *known;  /* NULL: no --state */
	struct chunk_dedup *dedup;  /* NULL: no --dedup */
	char options[AI_HASH_HEX];  /* of all that decides where is cut */
	char suffix[32], how[CHUNK_HOW_HEX]; /* of the last one asked for */
	ai_feed_take *take;
	void *to;
	struct ai_buf operand;
	struct ai_spool waiting;    /* operands, each behind its length */
	size_t n_waiting;           /* bytes */
	struct feed_names roots;    /* folders that were named */
	struct feed_names unread;   /* what is below these was not seen */
	struct feed_names folders;  /* of files that were named */
	struct feed_set met;        /* files, if none may come twice */
	size_t *again;              /* documents to be written once more */
	size_t n_again;
	bool told_gone;             /* what is gone was handed on */
	pthread_mutex_t mutex;      /* for what follows */
	size_t n_skipped, n_same, n_read, n_gone, n_copies, n_passages;
};
extern struct feed feed;

int feed_hand(const char *path, char kind, const char *more,
	      struct ai_err *err);
int feed_hand_waiting(struct ai_err *err);
void feed_say_skipped(const char *path, const char *why);

/* feed-names.c */
int feed_add_name(struct feed_names *names, const char *name, size_t n,
		  struct ai_err *err);
void feed_release_names(struct feed_names *names);
/* These want them sorted. */
void feed_sort_names(struct feed_names *names);
bool feed_has_name(const struct feed_names *names, const char *name, size_t n);
/* Whether the path is one of the names, or lies below one. */
bool feed_is_below(const struct feed_names *names, const char *path);
/* 1: it is new, 0: it was there. */
int feed_set_add(struct feed_set *set, const char *name, struct ai_err *err);
void feed_release_set(struct feed_set *set);

/* changes.c: what has changed since the state was written. */
int feed_hash_options(struct ai_span encoding, struct ai_err *err);
void feed_how(const struct chunk_converter *c, char how[CHUNK_HOW_HEX]);
/* Whether two paths are in the same folder. */
bool feed_is_beside(const char *a, const char *b);
/* Hands the file on if it is not as it was. */
int feed_check(const char *path, const struct stat *st, char kind,
	       struct ai_err *err);
/* The document of this number is gone. */
int feed_gone(size_t at, struct ai_err *err);
int feed_find_gone(struct ai_err *err);
/* Hands on all that is gone. */
int feed_hand_gone(struct ai_err *err);
/* The passages of those that stay are there to be copied. */
int feed_load_kept(struct ai_err *err);
/* Until what was written is safe, or was read: AI_E_IO if it never will be. */
int feed_await_reader(struct ai_err *err);

#endif
