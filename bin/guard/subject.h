/*
 * subject.h: the texts of a record that are looked at.
 *
 * What -p names; else all of text, prompt, query, messages, hits and what
 * batch lines have instead, and system prompts: any of them may be what a later
 * program reads.  A list holds messages (their contents, and the arguments of
 * calls), passages ({"text":...}) or strings.
 */
#ifndef GUARD_SUBJECT_H
#define GUARD_SUBJECT_H

#include "guard.h"
#include "record/rec.h"

struct guard_text {
	struct ai_value value; /* a string of the record */
	enum guard_context context;
	size_t path; /* in names */
	bool name;   /* it is that of a member, of the object at the path */
	bool label;  /* a word that is no text, though it may be a secret */
};

struct guard_texts {
	struct guard_text *v; /* owned */
	size_t n, cap;
	struct ai_buf names;  /* paths, with a NUL behind each */
	struct ai_buf path;   /* of what is being looked at */
	bool any;             /* there was a member to look at */
	enum guard_context context; /* of the first that is no system prompt */
	struct ai_value payload; /* for -r: the first that is no list's */
};

void guard_texts_init(struct guard_texts *t);
void guard_texts_release(struct guard_texts *t);
/* Finds the texts of the record, which t borrows, in the order of its bytes.
 * AI_E_RECORD: there is nothing to look at. */
int guard_texts_take(struct guard_texts *t, const struct ai_rec *rec,
		     struct ai_err *err);
/* "messages.2.content". */
const char *guard_texts_path(const struct guard_texts *t, size_t i);
/* The i-th is a name, and is not to be read: it goes out of the paths. */
void guard_texts_hide(struct guard_texts *t, size_t i);
/* Whether findings in it say no path: it is "text", or what -p names. */
bool guard_texts_is_plain(const struct guard_texts *t, size_t i);

/* Where system prompts stand, besides messages of theirs; NULL ends it. */
extern const char *const guard_prompts_at[];
/* Of a message; who has no role that is known is nobody that is known. */
enum guard_context guard_role_context(struct ai_value role);

#endif
