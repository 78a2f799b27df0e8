/*
 * redact.h: what was found is replaced: by placeholders that can be taken back,
 * by masks, by pseudonyms, or by nothing.
 */
#ifndef GUARD_REDACT_H
#define GUARD_REDACT_H

#include "guard.h"

enum guard_style {
	GUARD_PLACEHOLDER, /* <EMAIL_1>; the same value, the same number */
	GUARD_MASK,        /* ****1234 */
	GUARD_PSEUDONYM,   /* <EMAIL_k3v7...>; the same with the same key */
	GUARD_REMOVE,
};
#define GUARD_STYLE_NAMES "placeholder|mask|pseudonym|remove"

struct guard_redact_settings {
	int style;         /* enum guard_style */
	int64_t keep;      /* last characters that a mask shows */
	const char *map, *key; /* files; NULL: none */
};
extern struct guard_redact_settings guard_redact_settings;
extern const struct ai_opt guard_redact_options[];

/* One for all threads of a run. */
struct guard_redactor;

/* How a record waits for its turn: ai_emit_turn. */
typedef int guard_turn(struct ai_emit *out, struct ai_err *err);

/* By the settings; opens the map, or makes it.  turn may be NULL.  NULL:
 * AI_E_USAGE (a map or a pseudonym without a key), or what guard_map_open()
 * says. */
struct guard_redactor *guard_redactor_new(guard_turn *turn, struct ai_err *err);
/* May be NULL.  Wipes what it knew. */
void guard_redactor_free(struct guard_redactor *r);

/*
 * Appends the text to out, with the spans of all findings whose action is
 * GUARD_REDACT replaced; found must be sorted.  What overlaps is one value,
 * under the label of the longest.  To be called for every text that is written,
 * also if nothing was found: with placeholders, what looks like one in the text
 * itself is noted, so that it is never taken for one of ours, or replaced by
 * one if its number is in use.
 *
 * New numbers are given in the order of the input, also with -j: a text that
 * needs one waits for its turn, which is why it takes the emitter.  Values that had their number wait for nothing.
 *
 * Returns how many spans were replaced; -1: AI_E_TOO_LONG (found->more: some
 * would be left in the text), AI_E_IO (the map cannot be written; ends the
 * program), AI_E_DATA (the map is damaged), out's limit.
 */
long guard_redact(struct guard_redactor *r, struct ai_span text,
		  const struct guard_findings *found, struct ai_emit *emit,
		  struct ai_buf *out, struct ai_err *err);
/* The same for the string of a record whose text this is: what is appended is
 * the token, in which nothing changes but what is replaced. */
long guard_redact_string(struct guard_redactor *r, struct ai_value string,
			 struct ai_span text,
			 const struct guard_findings *found,
			 struct ai_emit *emit, struct ai_buf *out,
			 struct ai_err *err);

/* Whether the finding is to be replaced, and then which bytes of the text: whole
 * characters, so that what is left is UTF-8. */
bool guard_redact_span(struct ai_span text, const struct guard_finding *x,
		       size_t *from, size_t *to);

/*
 * Reasons of attacks quote the text: those of the list's findings that overlap
 * what is redacted, which stands in found, become empty.  Both lists are sorted; they may
 * be the same one.
 */
void guard_redact_reasons(struct guard_findings *list,
			  const struct guard_findings *found);

/* Before anything is written that was redacted: what the map was given is on
 * the disk then.  For ai_filter.before_write; r may be NULL. */
int guard_redactor_settle(void *r, struct ai_err *err);

#endif
