/* calls-int.h: a turn's calls, for those that decide on them, do them, and say
 * what came of them. */
#ifndef AGENT_CALLS_INT_H
#define AGENT_CALLS_INT_H

#include "agent.h"

/* A call that the model has asked for, on its way through a turn. */
struct agent_asked {
	size_t n;               /* its step, from 1 */
	char *id;               /* owned; as the model calls it */
	struct agent_call call; /* call.tool NULL: it is refused */
	struct ai_buf args;     /* checked; owns call.args */
	bool runs;
	bool copied;            /* it was done by a run that this is a fork of */
	bool covered;           /* see agent_trust_covers() */
};

struct agent_turn {
	struct agent_run *r;
	struct agent_asked *v; /* owned */
	size_t n;
	size_t first;          /* the step of v[0] */
};

static inline struct agent_step *agent_turn_step(const struct agent_turn *t,
						 size_t i)
{
	return &t->r->journal.v[t->v[i].n - 1];
}

static inline struct ai_span agent_text_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

/* ---- decide.c: before it is begun ------------------------------------------- */

/* What the model asks for, as the i-th of the turn: its step is made, and stands
 * as planned, as waiting, or as done, which is refused. */
int agent_decide(struct agent_turn *t, size_t i, struct ai_value call,
		 struct ai_err *err);
/* The same of a call whose step is in the journal: what is done stays so, what a
 * person has said since is done. */
int agent_recall(struct agent_turn *t, size_t i, struct ai_value call,
		 struct ai_err *err);

/* ---- breaker.c: whether it works at all --------------------------------------- */

/* 1: it has failed so often that it is not called now; why says so. */
int agent_breaker_look(struct agent_run *r, struct agent_call *c,
		       struct ai_buf *why, struct ai_err *err);
/* A call of it has ended. */
int agent_breaker_end(struct agent_run *r, const struct agent_call *c,
		      struct ai_err *err);
/* Whether a call that could not be begun for this says something of the tool. */
bool agent_breaker_counts(const struct agent_tool *tool, enum ai_code code);

/* ---- outcome.c: what came of it ---------------------------------------------- */

/* Whether what is known of it must be written down before it begins. */
bool agent_needs_intent(const struct agent_tool *tool);
/* Its result, as the model sees it: the step is done. */
int agent_outcome_set(struct agent_turn *t, size_t i, struct ai_span seen,
		      bool failed, const char *flag, bool trusted,
		      struct ai_err *err);
/* What we say ourselves in the place of a result. */
int agent_outcome_refuse(struct agent_turn *t, size_t i, const char *text,
			 struct ai_err *err);
/* The call has ended, with a text that is all there is to know of it. */
int agent_outcome_text(struct agent_turn *t, size_t i, struct ai_err *err);
/* A person is to decide, or to answer. */
int agent_outcome_wait(struct agent_turn *t, size_t i, const char *why,
		       struct ai_err *err);
/* Whether it was done: it was begun, and nobody saw its end.  1: it was, and its
 * result is taken, or a person has to say; 0: no. */
int agent_outcome_find(struct agent_turn *t, size_t i, struct ai_err *err);
/* The call has ended, or was cut short. */
int agent_outcome_take(struct agent_turn *t, size_t i, struct ai_err *err);

#endif
