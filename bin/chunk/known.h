/*
 * known.h: what earlier runs have written, in the file of --state.
 *
 * A line of JSON a document, sorted by name; before them one that says what
 * the file is, behind them one with their number and the hash of all before
 * it.  The file is replaced as a whole, by rename(2), and mapped: what is held
 * in memory is nine bytes a document, and what changes in this run stands in
 * a nameless file until then.
 *
 * Before a run writes of a document, it notes that: else nobody would know, if
 * it is killed, what its reader was told of a file that is gone, or as it was,
 * when the next one looks.
 *
 * One run at a time holds the lock, which is the kernel's: NAME.lock is left
 * over by kill -9, and stops nobody.
 */
#ifndef CHUNK_KNOWN_H
#define CHUNK_KNOWN_H

#include "base/buf.h"
#include "base/err.h"
#include "crypt/hash.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define CHUNK_HOW_HEX 17 /* digits of a hash of options, and a NUL */

/* What tells without reading that a file is the same. */
struct chunk_stamp {
	int64_t size, mtime, ctime, ino; /* times in nanoseconds */
	bool young; /* it was read so soon after it was written that a change
		     * since then may show in nothing of the above */
};

/* A document as it was written last. */
struct chunk_known_doc {
	char doc[AI_HASH_HEX];   /* of its bytes */
	char how[CHUNK_HOW_HEX]; /* of what decides where it is cut */
	struct chunk_stamp stamp;
	int64_t passages;
	bool skipped;            /* it is no text, and nothing was written */
	bool begun;              /* a run that did not end may have written
				  * another version of it, or that it is gone */
	struct ai_value kept, copies; /* dedup.h; AI_NONE if there are none */
};

struct chunk_known;

/*
 * Opens the file, or makes ready to write one if there is none; takes the
 * lock.  pending: what is written goes beside it, until chunk_known_adopt().
 * AI_E_TRY_LATER: another run has it.  AI_E_DATA: it is damaged, or newer.
 */
int chunk_known_open(struct chunk_known **known, const char *path,
		     bool pending, struct ai_err *err);
/* Also without a commit: nothing has changed then. */
void chunk_known_close(struct chunk_known *k);
/* What was left pending becomes the file. */
int chunk_known_adopt(const char *path, struct ai_err *err);

bool chunk_known_is_new(const struct chunk_known *k);
/* A number nobody can guess, the same for each run. */
uint64_t chunk_known_seed(const struct chunk_known *k);

/* ---- the documents of the earlier runs, by their number ------------------ */

size_t chunk_known_count(const struct chunk_known *k);
/* 1: *at is its number, 0: it is not known.  Any thread. */
int chunk_known_find(const struct chunk_known *k, const char *uri, size_t *at,
		     struct ai_err *err);
int chunk_known_get(const struct chunk_known *k, size_t at,
		    struct chunk_known_doc *d, struct ai_err *err);
/* Replaces uri by its name. */
int chunk_known_uri(const struct chunk_known *k, size_t at, struct ai_buf *uri,
		    struct ai_err *err);

enum chunk_known_fate {
	CHUNK_UNSEEN,
	CHUNK_STAYS, /* it is there, and as it was */
	CHUNK_CHANGES, /* it is there; what it was goes if it is noted again */
	CHUNK_GOES, /* from here on: its line goes */
	CHUNK_RENEWED, /* it was noted again */
	CHUNK_TOUCHED, /* so too, but only its stamp is another */
};
enum chunk_known_fate chunk_known_fate(const struct chunk_known *k, size_t at);
void chunk_known_set(struct chunk_known *k, size_t at,
		     enum chunk_known_fate fate);

/* ---- what this run adds -------------------------------------------------- */

/* The document as it is now.  Any thread. */
int chunk_known_note(struct chunk_known *k, const char *uri,
		     const struct chunk_known_doc *d, struct ai_err *err);
/* Something is going to be written of the document. */
int chunk_known_begin(struct chunk_known *k, const char *uri,
		      struct ai_err *err);
/* Makes the file say what is begun, before the first of it is written. */
int chunk_known_save_begun(struct chunk_known *k, struct ai_err *err);
/*
 * Writes it all.  Whoever reads standard output must have taken what was
 * written there.  AI_E_CREATE, AI_E_IO: the file is as it was.
 */
int chunk_known_commit(struct chunk_known *k, struct ai_err *err);

void chunk_stamp_of(struct chunk_stamp *s, const struct stat *st,
		    int64_t read_at);
/* Whether the file need not be read to know that it is the same. */
bool chunk_stamp_same(const struct chunk_stamp *old,
		      const struct chunk_stamp *now);
/* The time files are stamped with, in nanoseconds. */
int64_t chunk_stamp_now(void);

#endif
