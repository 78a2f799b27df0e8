/*
 * feed.h: which documents are cut: those that were named, those below the
 * folders that were named, and with --state only what has changed of them.
 *
 * Without a state each document is handed on as it is found.  With one, the
 * tree is walked first; then come the records of what is gone, then what is
 * new or other than it was, in order.  What is written depends on nothing
 * else: not on the number of threads.
 */
#ifndef CHUNK_FEED_H
#define CHUNK_FEED_H

#include "chunk.h"
#include "convert.h"
#include "known.h"

/* Opens what the settings ask for.  They stay.  encoding: what tells the file
 * of --encoding from another of its name. */
int chunk_feed_begin(const struct chunk_settings *set, struct ai_span encoding,
		     struct ai_err *err);
void chunk_feed_release(void);
/* NULL: copies are of no interest. */
struct chunk_dedup *chunk_feed_dedup(void);

/* For struct ai_filter. */
int chunk_feed(int argc, char **argv, ai_feed_take *take, void *to,
	       struct ai_err *err);
int chunk_feed_operand(struct chunk_state *s, const char *operand,
		       struct ai_emit *out, struct ai_err *err);

/* Behind the first run: what only now must be written again, since what it
 * was a copy of is gone.  *more: there is something. */
int chunk_feed_look_again(bool *more, struct ai_err *err);
int chunk_feed_again(int argc, char **argv, ai_feed_take *take, void *to,
		     struct ai_err *err);

/* Which of the passages in s->prints are copies of others. */
int chunk_copies_decide(struct chunk_state *s, const char *uri,
			struct ai_err *err);
/* The fingerprint of where is cut covers what was left out. */
void chunk_copies_print(struct chunk_state *s);

/* All was written and flushed: says what was done, and changes the state. */
int chunk_feed_end(struct ai_err *err);

/* A document as it is being read. */
struct chunk_reading {
	bool regular;
	struct chunk_stamp stamp;
};

/* fd was just opened. */
void chunk_reading_begin(struct chunk_reading *r, int fd);
/* All of it was written: it is known from now on. */
int chunk_reading_done(struct chunk_state *s, const struct chunk_reading *r,
		       const char *path, const struct chunk_converter *c,
		       struct ai_err *err);

#endif
