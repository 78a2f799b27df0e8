/*
 * flow.h: a record on its way through ai-guard: what guard.c works with, and
 * member.c and explain.c tell of.
 */
#ifndef GUARD_FLOW_H
#define GUARD_FLOW_H

#include "events.h"
#include "guard.h"
#include "opinion.h"
#include "subject.h"
#include "told.h"

/* One worker's; cleared for each record. */
struct guard_flow {
	const struct ai_rec *rec;
	struct guard_texts texts;
	struct guard_findings found;  /* that something is done about */
	struct guard_findings passed; /* with --explain: nothing is */
	struct guard_findings near;   /* with --explain: almost found */
	struct guard_explain *explain; /* with --explain */
	enum guard_action verdict;
	struct ai_buf text, fresh, out;
	struct guard_events events;
	struct guard_opinion *opinion; /* with --opinion */
	struct guard_told told;       /* for answers */
	/* For look(): the text at hand. */
	size_t at;
	struct ai_err *err;
};

struct guard_row {
	const char *name; /* for people */
	guard_detector *look;
	enum guard_kind kind;
	bool rated;  /* it asks guard_policy_rate() */
	bool system; /* system prompts and names are looked at, too */
};
extern const struct guard_row guard_rows[];
extern const size_t guard_rows_n;
/* A detector is not asked for what nothing would be done about, nor what the
 * system prompt orders, or the name of a member. */
bool guard_row_asks(const struct guard_row *r, const struct guard_text *text);

/* ---- member.c -------------------------------------------------------------------- */

/* Appends the member's value. */
void guard_put_member(struct ai_buf *b, const struct guard_flow *g);
/* Appends what all lists of findings have of one. */
void guard_put_finding(struct ai_buf *b, const struct guard_flow *g,
		       const struct guard_finding *x);
/* Why the record is blocked, for the message of its error. */
void guard_say_blocked(const struct guard_flow *g, struct ai_err *why);

/* ---- explain.c ------------------------------------------------------------------- */

struct guard_explain *guard_explain_new(struct ai_err *err);
void guard_explain_free(struct guard_explain *x);
void guard_explain_clear(struct guard_explain *x);
/* A view of the text at hand was looked at. */
void guard_explain_view(struct guard_flow *g, const struct ai_view *v);
/* Looks for what has almost been found in the text at hand. */
int guard_explain_near(struct guard_flow *g, struct ai_err *err);
void guard_put_explain(struct ai_buf *b, const struct guard_flow *g);

#endif
