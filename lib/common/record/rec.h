/*
 * rec.h: a record: one line, an index of its members, and what changed.
 *
 * The line itself is never parsed into a tree and printed again: what a
 * program neither adds nor rewrites passes through byte for byte, with its
 * big integers, duplicate keys and odd spacing.
 */
#ifndef AI_RECORD_REC_H
#define AI_RECORD_REC_H

#include "base/buf.h"
#include "base/err.h"
#include "record/json.h"

struct ai_member {
	struct ai_value key, val;
	bool dropped; /* not written */
};

/* Bytes of the line that are written differently. */
struct ai_edit {
	size_t from, to;    /* byte offsets in the line */
	size_t at, n;       /* the new bytes, in ai_rec.fresh */
};

/* A new member, in ai_rec.fresh: "name":value. */
struct ai_added {
	size_t at, n, name; /* offset, length, of which the quoted name */
};

struct ai_rec {
	struct ai_span line;     /* borrowed, without the newline */
	unsigned long number;    /* of the line in its input, from 1 */
	const char *file;        /* that input; NULL: standard input. Borrowed */
	struct ai_value object;  /* AI_NONE while the line is not one */
	struct ai_member *members; /* of the object, in order */
	size_t n_members, cap_members;
	struct ai_edit *edits;   /* sorted by from, never overlapping */
	size_t n_edits, cap_edits;
	struct ai_added *added;  /* new members, in the order they are written */
	size_t n_added, cap_added;
	struct ai_buf fresh;     /* the bytes of edits and new members */
};

void ai_rec_init(struct ai_rec *r);
void ai_rec_release(struct ai_rec *r);

/* Undoes every change since ai_rec_parse(): for writing one record several
 * times, each time with other changes. */
void ai_rec_revert(struct ai_rec *r);

/* Takes the line as the record; it must stay while r is in use. */
int ai_rec_parse(struct ai_rec *r, struct ai_span line, unsigned long number,
		 struct ai_err *err);

/* The value at a path as it came in (ai_json_get). AI_NONE if none. */
struct ai_value ai_rec_get(const struct ai_rec *r, const char *path);
/* The first of these paths that there is something at; NULL if none; NULL
 * ends the list. */
const char *ai_rec_first(const struct ai_rec *r, const char *const *paths);
/* Appends the decoded string at the path; AI_E_RECORD names the path. */
int ai_rec_text(const struct ai_rec *r, const char *path, struct ai_buf *out,
		struct ai_err *err);
/* Whether an earlier program failed on it: see aiutils-records(5). */
bool ai_rec_is_error(const struct ai_rec *r);
/* Whether it stands for a document without passages: chunk.of is 0 and there
 * is no text: see aiutils-records(5). */
bool ai_rec_is_empty(const struct ai_rec *r);
/* Its "id", else its "custom_id", if that is a string or a number; else
 * AI_NONE. */
struct ai_value ai_rec_id_value(const struct ai_rec *r);

/* Adds a member, replacing every older one of that name. */
int ai_rec_set(struct ai_rec *r, const char *name, const struct ai_buf *json,
	       struct ai_err *err);
/* Cuts a member out, old or new, if it is there. */
void ai_rec_drop(struct ai_rec *r, const char *name);
/* Replaces exactly the string token at the path by this UTF-8 text. */
int ai_rec_rewrite(struct ai_rec *r, const char *path, const char *text,
		   size_t n, struct ai_err *err);
/* The same with the value that ai_rec_get() gave for the path: looking it up
 * is the dear part when one record is written many times. */
int ai_rec_rewrite_value(struct ai_rec *r, struct ai_value v, const char *text,
			 size_t n, struct ai_err *err);
/* The same with this token, quotes included. */
int ai_rec_rewrite_token(struct ai_rec *r, struct ai_value v,
			 struct ai_span token, struct ai_err *err);
/* Reverts the record and adds the error object that makes it an error
 * record. */
int ai_rec_fail(struct ai_rec *r, const char *tool, const struct ai_err *why,
		struct ai_err *err);
/* The same for the record as it was rewritten, with the members of this object
 * behind the usual ones. */
int ai_rec_fail_with(struct ai_rec *r, const char *tool,
		     const struct ai_err *why, struct ai_value members,
		     struct ai_err *err);

/* Writes the error object itself; line 0 leaves its number out. */
void ai_rec_put_error(struct ai_buf *b, const char *tool,
		      const struct ai_err *why, unsigned long line);

/* What an error record of another program of ours says, behind what could not
 * be done ("the query could not be embedded"); -1. */
int ai_rec_take_error(const struct ai_rec *r, const char *what,
		      struct ai_err *err);

/*
 * The record's id: its "id" or "custom_id" as text, else the BLAKE2b-128 of
 * the payload in hex.
 */
int ai_rec_id(const struct ai_rec *r, const char *payload, size_t n,
	      struct ai_buf *out);

/* Appends the record as one line with its newline. */
int ai_rec_write(const struct ai_rec *r, struct ai_buf *out);

#endif
