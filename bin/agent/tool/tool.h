/*
 * tool.h: a tool, and a call of one.
 *
 * A tool is a row: what the model is told of it, how its arguments are checked,
 * what its effect is when a call is cut short, and the functions of its kind
 * (a built-in, a program, one of an MCP server).  Calls are under way side by
 * side, in one thread: whoever waits adds its descriptors to a poll.
 */
#ifndef AGENT_TOOL_H
#define AGENT_TOOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "record/schema.h"

#include "cage/pollset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a call that was begun and whose end nobody saw. */
enum agent_effect {
	AGENT_PURE,          /* it changes nothing: do it again */
	AGENT_IDEMPOTENT,    /* doing it twice is doing it once */
	AGENT_VERIFY,        /* it can be asked whether it was done */
	AGENT_TRANSACTIONAL, /* its database has the key, or nothing was done */
	AGENT_ONCE,          /* nobody can tell: a person decides */
};

struct agent_call;

/* What became of a call that was interrupted. */
enum agent_found {
	AGENT_NOT_DONE,
	AGENT_DONE,    /* c->text is its result, as far as it can be known */
	AGENT_UNKNOWN, /* c->text says why, for a person */
};

struct agent_tool_kind {
	/* Begins a call whose arguments satisfy the schema.  -1: nothing was
	 * done, and err is told to the model. */
	int (*begin)(struct agent_call *c, struct ai_err *err);
	/* What it waits for. NULL: begin() ends it at once. */
	void (*wait)(struct agent_call *c, struct agent_poll *p);
	/* Goes on without blocking. true: it has ended, c has its result. */
	bool (*turn)(struct agent_call *c);
	/* Ends it now; when this returns no process of it is alive. It has no
	 * result then. NULL as above. */
	void (*stop)(struct agent_call *c);
	/* Whether an interrupted call was done; for AGENT_VERIFY and
	 * AGENT_TRANSACTIONAL. Blocks at most for the tool's timeout. -1: it
	 * could not be asked (err), which is AGENT_UNKNOWN. */
	int (*find)(struct agent_call *c, enum agent_found *found,
		    struct ai_err *err);
	/* Before the call is written to the journal: what find() will need
	 * (a file's hash), as a JSON object appended to c->note. NULL: nothing. */
	int (*prepare)(struct agent_call *c, struct ai_err *err);
	/* Frees c->state, after any of the above. */
	void (*release)(struct agent_call *c);
};

struct agent_tool {
	const char *name;        /* [a-zA-Z0-9_-]{1,64}; unique in a set */
	const char *description;
	struct ai_span parameters; /* the JSON Schema of its arguments */
	struct ai_schema *schema;  /* the same, compiled; owned by the set */
	const struct agent_tool_kind *kind;
	enum agent_effect effect;
	bool writes;    /* it changes or sends something: it asks under
			 * --approve writes, and taint guards its targets */
	bool sends;     /* what it is given leaves the machine: taint guards its
			 * targets, too */
	bool trusted;   /* its results do not taint */
	bool person;    /* they are what a person says */
	/* Arguments that say where an effect goes; NULL ends; writes and none
	 * named: all of them do. */
	const char *const *targets;
	bool hearsay;   /* what it is said to be is said by somebody else: the
			 * run that offers it is tainted, and ai-guard looks */
	bool looked;    /* ... has looked */
	bool withheld;  /* ... has found orders: no model sees it */
	bool serial;    /* calls of it do not run beside other calls */
	bool breaks;    /* it may fail whatever it is asked for */
	int64_t failures, rest_ms; /* after so many in a row it is left alone so
			 * long, within the outermost run; 0: as is usual, and
			 * everywhere */
	bool within;    /* it begins a run within the run */
	double timeout_s;
	int64_t max_output; /* bytes of a result; what is longer is cut and
			     * said to be */
	int64_t max_calls;  /* in a run; negative: as the run's limit */
	char seal[33];  /* a hash of how it is declared; "": it comes with the
			 * program */
	void *of;       /* its kind's own */
};

struct agent_call {
	const struct agent_tool *tool;
	struct ai_span args;  /* a JSON object */
	char key[33];         /* its idempotency key, hexadecimal */
	int hold;             /* see child.h; -1 */
	struct ai_buf note;   /* see prepare(), find() */
	struct ai_buf text;   /* its result, UTF-8, at most max_output */
	bool failed;          /* the result is an error's */
	bool unknown;         /* it was cut short: nobody knows whether it had
			       * its effect */
	bool parks;           /* text is a question that a person is to answer,
			       * and nobody is there */
	bool ailing;          /* it has failed the last time */
	bool broken;          /* the tool itself has failed, whatever it was
			       * asked for */
	bool clean;           /* the result is the word of nobody else than a
			       * model that has read nothing of anybody else:
			       * it taints nothing, and is no more trusted */
	char by[65];          /* what it taints with, if that is not the
			       * tool's name; or "" */
	int64_t spent;        /* nano-dollars, by a run that it has begun */
	bool ends;            /* the run ends with this result ... */
	struct ai_buf handoff; /* ... or with this, JSON, that another agent is
			       * to do: {"to","task"}; or empty */
	bool pauses;          /* what it has begun stands, and can be gone on
			       * with: text says why. So does the run. */
	void *state;          /* its kind's own */
};

/* ---- a set of tools (tools.c) -------------------------------------------- */

struct agent_tools {
	struct agent_tool *v; /* owned, and all that they point to */
	size_t n, cap;
	struct agent_tools_owned *owned; /* what was allocated for them */
};

void agent_tools_init(struct agent_tools *t);
void agent_tools_release(struct agent_tools *t);
/* One more; what tool points to is copied, the schema compiled.  AI_E_CONFIG:
 * there is one of that name, or the schema is wrong: where says whose. */
int agent_tools_add(struct agent_tools *t, const struct agent_tool *tool,
		    const char *where, struct ai_err *err);
/* Memory that lives as long as the set; freed by free_it. */
int agent_tools_own(struct agent_tools *t, void *p, void (*free_it)(void *),
		    struct ai_err *err);
const struct agent_tool *agent_tools_find(const struct agent_tools *t,
					  struct ai_span name);

#endif
