/*
 * db.h: SQLite behind the conventions of this library.
 *
 * A database is one file in WAL mode with synchronous=FULL: what a commit
 * returned from survives kill -9 and power loss, and readers never wait for
 * the writer.  Errors name the file as its owner calls it ("index 'x'"):
 *
 *	AI_E_TRY_LATER  another process holds the lock (after wait_ms)
 *	AI_E_DATA       damaged, or no database; the owner's advice follows
 *	AI_E_OPEN, AI_E_CREATE, AI_E_IO, AI_E_MEMORY
 */
#ifndef AI_STORE_DB_H
#define AI_STORE_DB_H

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum ai_db_mode {
	AI_DB_READ,   /* also from a folder that cannot be written, or on a
		       * full disk */
	AI_DB_WRITE,
	AI_DB_CREATE, /* made if it is not there */
};

struct ai_db {
	sqlite3 *h;
	char name[200];     /* what messages call it */
	const char *advice; /* appended to "... is damaged: ..."; may be NULL */
	bool still;         /* read as if nobody wrote to it */
	struct stat seen;   /* the file as it was then */
};

#define AI_DB_INIT { .name = "" }

/* What an owner may want. */
struct ai_db_wish {
	const char *name;   /* as above; copied */
	const char *advice; /* borrowed */
	int wait_ms;        /* the longest wait for another writer */
	int page_size;      /* of a new file, bytes; 0: 4096 */
	int cache;          /* bytes of pages that are kept in memory; 0: a few,
			     * which are there at once */
};

/* The first one opened sets up SQLite for the process. */
int ai_db_open(struct ai_db *db, const char *path, enum ai_db_mode mode,
	       const struct ai_db_wish *wish, struct ai_err *err);
/* From now on the file is read through a mapping: worth it for one that is
 * read again and again. */
int ai_db_map(struct ai_db *db, struct ai_err *err);
/* Whether what is read may be old, because the file could only be opened as one
 * that nobody writes to, and somebody has: it is to be opened anew. */
bool ai_db_is_stale(const struct ai_db *db);
/* Does nothing if it is not open; every statement must be released. */
void ai_db_close(struct ai_db *db);

/* Runs statements that return nothing. */
int ai_db_exec(struct ai_db *db, const char *sql, struct ai_err *err);
/* The first column of the first row; 0 if there is none. */
int ai_db_int(struct ai_db *db, const char *sql, int64_t *out,
	      struct ai_err *err);

/* A transaction for reading (one snapshot) or for writing (the lock is
 * taken at once). */
int ai_db_begin(struct ai_db *db, bool write, struct ai_err *err);
/* Whether the file was removed, or another one has its name now. */
bool ai_db_is_gone(struct ai_db *db);
int ai_db_commit(struct ai_db *db, struct ai_err *err);
/* Undoes it, if one is open. */
void ai_db_rollback(struct ai_db *db);

/*
 * Statements.  One is prepared at its first use and kept: *st is NULL then.
 * ai_db_bind() resets it and binds by a letter a parameter:
 *
 *	i int64_t   d double   n nothing (NULL)
 *	t struct ai_span, text   b struct ai_span, blob (both NULL if p is)
 *
 * Spans are borrowed until the next bind or reset.
 */
int ai_db_bind(struct ai_db *db, sqlite3_stmt **st, const char *sql,
	       struct ai_err *err, const char *types, ...);
/* 1: a row; 0: done (and reset); -1: error (and reset). */
int ai_db_step(struct ai_db *db, sqlite3_stmt *st, struct ai_err *err);
/* Runs a bound statement to its end. */
int ai_db_run(struct ai_db *db, sqlite3_stmt *st, struct ai_err *err);
/* Text or blob of a column; borrowed until the next step. NULL: p NULL. */
struct ai_span ai_db_span(sqlite3_stmt *st, int column);
void ai_db_finish(sqlite3_stmt **st);

/* What SQLite just refused, as an error; rc is its code. Returns -1. */
int ai_db_fail(struct ai_db *db, int rc, struct ai_err *err);
/* The same for damage the owner finds by itself. */
int ai_db_damaged(struct ai_db *db, struct ai_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
