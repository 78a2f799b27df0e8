/*
 * limit.h: what a run may use at most, and the repeat detector.
 *
 * One table has the names: those of --limit NAME=VALUE, of the configuration,
 * of a record's `limits` and of run.limit.
 */
#ifndef AGENT_LIMIT_H
#define AGENT_LIMIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The symbol, the name, and what it is if nobody says. */
#define AGENT_LIMIT_TABLE(X) \
	X(USD, "usd", "1") /* dollars, of the run and all it delegates */ \
	X(TOKENS, "tokens", "1000000") /* tokens, in and out */ \
	X(TURNS, "turns", "10") /* replies of the model */ \
	X(SECONDS, "seconds", "300") /* time that is worked on it */ \
	X(CALLS, "calls", "100") /* calls of tools */ \
	X(OUTPUT, "output", "4000000") /* bytes that tools give back */ \
	X(REPEAT, "repeat", "3") /* turns that ask for the very same */ \
	X(DEPTH, "depth", "2") /* runs within runs */ \
	X(FANOUT, "fanout", "8") /* runs that one run delegates to */

enum agent_limit {
#define AGENT_LIMIT_ENUM(sym, name, initial) AGENT_LIMIT_##sym,
	AGENT_LIMIT_TABLE(AGENT_LIMIT_ENUM)
#undef AGENT_LIMIT_ENUM
	AGENT_LIMITS
};

#define AGENT_TOOL_LIMITS 32

struct agent_limits {
	int64_t v[AGENT_LIMITS]; /* dollars: nano; seconds: ms */
	/* calls.NAME: calls of one tool */
	struct {
		char name[65];
		int64_t max;
	} tool[AGENT_TOOL_LIMITS];
	size_t n_tools;
};

const char *agent_limit_name(enum agent_limit l);

/* The built-in ones, and what --limit or the configuration says. */
int agent_limits_init(struct agent_limits *l, const struct ai_opt_list *given,
		      struct ai_err *err);
/* What --limit says, over what there is. */
int agent_limits_set(struct agent_limits *l, const struct ai_opt_list *given,
		     struct ai_err *err);
/* A record's own: they can only be lower.  AI_E_RECORD names the member. */
int agent_limits_lower(struct agent_limits *l, struct ai_value object,
		       struct ai_err *err);
/* A file's, JSON, over what there is. */
int agent_limits_over(struct agent_limits *l, struct ai_span json,
		      struct ai_err *err);
/* As a JSON object that agent_limits_take() reads back. */
void agent_limits_put(const struct agent_limits *l, struct ai_buf *out);
int agent_limits_take(struct agent_limits *l, struct ai_value object,
		      struct ai_err *err);
/* There are none. */
void agent_limits_none(struct agent_limits *l);
/* Those that there are, as the member `whole` of a record: turns, tokens and
 * calls hold for all runs within the outermost one together, the others for
 * each of them.  None: no member. */
void agent_limits_put_whole(const struct agent_limits *l, struct ai_buf *out);
/* The one of this tool; -1: there is none. */
int64_t agent_limits_tool(const struct agent_limits *l, const char *tool);

/* ---- what was used --------------------------------------------------------- */

struct agent_used {
	int64_t nano, input, output_tokens, turns, calls, output;
	int64_t within; /* runs that were begun within the run */
	struct {
		char name[65];
		int64_t calls;
	} tool[256];
	size_t n_tools;
	/* Hashes of what the last two turns have asked for, the newest first, and
	 * how many turns in a row were as the one before, as the one before
	 * that. */
	uint64_t turn[2];
	size_t same[2], n_turns;
};

/* One more call of this tool. false: it is one too many, by this limit. */
bool agent_used_call(struct agent_used *u, const struct agent_limits *l,
		     const char *tool, int64_t of_tool, const char **limit);
/* A turn that asks for calls with this hash: how often the same, or the same
 * two by turns, were asked for in a row. */
size_t agent_used_turn(struct agent_used *u, uint64_t hash);
/* The limit that is reached before one more turn, or NULL. */
const char *agent_used_over(const struct agent_used *u,
			    const struct agent_limits *l, int64_t spent_ms);

#endif
