/*
 * flow.h: a workflow: agents, and tasks that they do, as a file has them
 * (data/schema/flow.json; comments may stand in it).
 *
 * It is a plan that is complete before anything runs: who does what, after
 * what, how often at most.  What is read is checked as a whole (cycles, names,
 * schemas, bounds), so that a run never finds a mistake that could be found
 * before it was paid for.
 *
 * A text may have placeholders, "{{NAME}}" or "{{NAME.path}}": of the input, of
 * a task that is needed (which being named makes it), of the round, the item
 * or the message at hand.  A condition is a tree of tests of such texts.
 *
 *	input            the input; .path: below it
 *	TASK             what it gave; of a map the list of what each item gave
 *	notes.KEY        a shared note
 *	round, last      in a loop: its number, from 1; what the round before gave
 *	item, index      in a map: the element, its number from 0
 *	message, speaker in a chat: the last message, and whose it is
 *	messages         how many there were
 *	transcript       all of them, as text
 *	usd, tokens, seconds  what the chat has used so far; in its `until`
 *	output           in guardrails, and in the `until` of a loop: what is
 *	                 looked at
 */
#ifndef AGENT_FLOW_H
#define AGENT_FLOW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "record/json.h"
#include "record/schema.h"

#include "strlist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_NONE SIZE_MAX
#define FLOW_NAME 64          /* bytes of a name, with its NUL */
#define FLOW_TASKS_MAX 10000
#define FLOW_AGENTS_MAX 256
#define FLOW_AT_ONCE_MAX 256  /* what --jobs takes */
#define FLOW_FILE_MAX ((size_t)16 << 20)

/* ---- texts and conditions (text.c) -------------------------------------- */

enum flow_name {
	FLOW_NO_NAME, FLOW_TASK, FLOW_INPUT, FLOW_NOTES, FLOW_ROUND, FLOW_LAST,
	FLOW_ITEM, FLOW_INDEX, FLOW_MESSAGE, FLOW_SPEAKER, FLOW_MESSAGES,
	FLOW_TRANSCRIPT, FLOW_USD, FLOW_TOKENS, FLOW_SECONDS, FLOW_OUTPUT,
};

/* A piece of a text: literal, or what a name stands for. */
struct flow_piece {
	char *text;   /* owned; the literal, or NULL */
	char *name;   /* owned; "input", a task's, "item", ...; or NULL */
	enum flow_name what;
	char *path;   /* owned; below it, "a.b.0"; "": all of it */
	size_t task;  /* the task of that name; FLOW_NONE: another thing */
};

struct flow_text {
	struct flow_piece *v; /* owned */
	size_t n;
};

enum flow_test {
	FLOW_IS,       /* equal as JSON, or as text */
	FLOW_CONTAINS,
	FLOW_MATCHES,  /* a pattern, ECMA-262 */
	FLOW_LESS, FLOW_MORE,
	FLOW_EXISTS,   /* it is there, and neither null nor "" */
	FLOW_ALL, FLOW_ANY, FLOW_NOT,
};

struct flow_cond {
	enum flow_test test;
	struct flow_text value; /* what is tested */
	char *operand;          /* owned; JSON; NULL: none.  Of EXISTS false:
				 * that it is not there */
	struct ai_schema *same; /* of FLOW_IS: {"const": operand}; owned */
	struct ai_regex *regex; /* of FLOW_MATCHES; owned */
	struct flow_cond *of;   /* of ALL, ANY, NOT; owned, as an array */
	size_t n;
};

/* What names stand for while a task is done. */
struct flow_scope {
	/* The value of piece->name, whole: its path is followed here; only of
	 * FLOW_NOTES it is the note piece->path.  JSON that was checked,
	 * borrowed, valid until the text is done; AI_NONE: it has none (a task
	 * that was left out).  Called for every piece. */
	struct ai_value (*get)(void *arg, const struct flow_piece *piece);
	void *arg;
};

/* Appends the text.  A string stands as it is, anything else as JSON, and what
 * has no value as nothing. */
int flow_text_put(const struct flow_text *t, const struct flow_scope *s,
		  struct ai_buf *out, struct ai_err *err);
/* The value of a text that is one placeholder and nothing else, else AI_NONE. */
struct ai_value flow_text_value(const struct flow_text *t,
				const struct flow_scope *s);
/* Whether it holds.  -1: a pattern took too long, or memory. */
int flow_cond_holds(const struct flow_cond *c, const struct flow_scope *s,
		    bool *holds, struct ai_err *err);
/* As people read it, on one line: {{output}} contains "yes" and ...; the text
 * likewise, with its placeholders as they were written. */
void flow_cond_say(const struct flow_cond *c, struct ai_buf *out);
void flow_text_say(const struct flow_text *t, struct ai_buf *out);

/* ---- agents ------------------------------------------------------------------- */

struct flow_agent {
	int line, column;     /* where it stands in the file */
	char *name;           /* [a-zA-Z0-9_-]{1,48}: tools have it in their
			       * names */
	char *role, *goal, *instructions; /* NULL: none */
	char *model;          /* NULL: that of the command line */
	char *index;          /* a folder of ai-search; absolute; NULL */
	char *workdir;        /* absolute; NULL: that of the command line */
	struct agent_strings tools;    /* tools files; absolute */
	struct agent_strings with;     /* built-in tools */
	size_t *agents;       /* those that it may ask, as tools */
	size_t n_agents;
	size_t *handoffs;     /* those that it may hand its task to */
	size_t n_handoffs;
	char *limits;         /* JSON, as a task's member `limits`; NULL */
	int64_t budget;       /* nano-dollars of all that it does in the run;
			       * negative: none of its own */
	bool notes;           /* it may read and write the shared notes */
	bool remembers;       /* it may add to the index of the workflow */
	int64_t failures;     /* in a row, after which it is asked no more ... */
	double rest_s;        /* ... for this long */
};

/* ---- tasks -------------------------------------------------------------------- */

enum flow_kind {
	FLOW_AGENT,  /* one agent does it; it may ask others, or hand it on */
	FLOW_CHAT,   /* several talk until a condition holds */
};

/* Whether what a task gives back will do; what is not said is not asked. */
struct flow_guardrail {
	struct flow_cond *cond;       /* with "output" */
	struct agent_strings command; /* gets it on its input; what it prints
				       * is why not; n 0: none */
	size_t agent;                 /* judges it: FLOW_NONE */
	struct flow_text ask;         /* what that one is asked, besides it */
};

struct flow_chat {
	size_t *agents;       /* in the order of their turns */
	size_t n_agents;
	size_t chooser;       /* who says whose turn it is; FLOW_NONE: the order */
	int64_t max;          /* messages */
	struct flow_cond *until; /* with "message", "speaker", "messages",
				  * "usd", "tokens", "seconds"; NULL: max */
};

struct flow_task {
	char *name;
	int line;             /* where it stands in the file */
	enum flow_kind kind;
	size_t agent;         /* of FLOW_AGENT */
	struct flow_chat chat;
	struct flow_text description;
	size_t *needs;        /* tasks, said and named in texts; no doubles */
	size_t n_needs;
	struct ai_schema *schema;  /* what it gives back must satisfy; NULL */
	char *schema_json;
	struct flow_guardrail *guards;
	size_t n_guards;
	int64_t retries;      /* after a guard or the schema said no */
	struct flow_cond *when;    /* else it is left out; NULL: always */
	int64_t loop_max;     /* 0: no loop */
	struct flow_cond *until;   /* with "output", "round"; NULL: loop_max */
	struct flow_text over;     /* a list: the task is done for each item;
				    * n 0: no map */
	int64_t map_max;      /* items; more are an error */
	int64_t map_at_once;       /* items under way; 0: as the flow's at_once */
	char *limits;         /* JSON; NULL */
	bool optional;        /* the run goes on when it has failed */
};

/* ---- the whole ------------------------------------------------------------------- */

enum flow_process {
	FLOW_PARALLEL,     /* what is ready runs */
	FLOW_SEQUENTIAL,   /* one after the other, as they stand */
	FLOW_HIERARCHICAL, /* the manager does each that has no agent, and may
			    * ask all others */
};

struct flow {
	char *path;           /* of the file; for messages */
	char *name, *description; /* NULL: none */
	char *json;           /* the file without comments, as it is kept with
			       * a run; paths in it are absolute */
	enum flow_process process;
	size_t manager;       /* FLOW_NONE; if it says nothing else, its agents
			       * are all others */
	struct ai_schema *input; /* what an input must satisfy; NULL */
	char *input_json;
	struct flow_agent *agents;
	size_t n_agents;
	struct flow_task *tasks;
	size_t n_tasks;
	size_t *order;        /* the tasks, so that each comes behind its needs;
			       * else as in the file */
	struct flow_text output; /* n 0: the last task's of the file */
	char *limits;         /* JSON, of the whole run; NULL */
	int64_t at_once;      /* tasks under way; 0: as --jobs says */
	char *index;          /* the index that is shared; NULL */
};

/*
 * Reads and checks a file, and that the tools files, working folders and
 * programs that it names are there.  -1: AI_E_OPEN; AI_E_CONFIG says the file,
 * the line, the column and the place ("crew.json:12:7: tasks.write.needs.0: no task
 * is named 'fnid'; is it 'find'?").  In any case to be released.
 */
int flow_read(struct flow *f, const char *path, struct ai_err *err);
/* The same of a text, which is changed; dir is where relative paths begin. */
int flow_parse(struct flow *f, char *text, size_t n, const char *name,
	       const char *dir, struct ai_err *err);
void flow_release(struct flow *f);
/*
 * Whether it can be run with this input (JSON that was checked), before
 * anything is: it has tasks, the input satisfies its schema, or, if there is
 * none, has what texts name; and what maps go over are lists of no more than
 * they allow.  Tasks with a condition are not looked at.  AI_E_CONFIG: no tasks;
 * AI_E_RECORD: "input.topic: it is missing; tasks.find.description
 * (crew.json:12) names it".
 */
int flow_check_input(const struct flow *f, struct ai_value input,
		     struct ai_err *err);
/* Reads the tools files of all agents, so that what is wrong with one is found
 * before anything runs; no server is started.  As agent_tools_read(). */
int flow_check_tools(const struct flow *f, struct ai_err *err);
/* That, and that who is to remember things has an index for it. */
int flow_check_file(const struct flow *f, struct ai_err *err);
/* That, and all else that agents which tasks lead to need to run here: a model
 * that there is, with its key, and the index that they search.  AI_E_CONFIG,
 * AI_E_NOT_ALLOWED, AI_E_OPEN, with the line and the place. */
int flow_check_ready(const struct flow *f, struct ai_err *err);
/* The agent, the task of this name; FLOW_NONE. */
size_t flow_find_agent(const struct flow *f, struct ai_span name);
size_t flow_find_task(const struct flow *f, struct ai_span name);
/* How many questions an agent may have under way at most, if so many tasks and
 * items may be; 0: it is asked nothing. */
int64_t flow_width(const struct flow *f, size_t agent, int64_t at_once);
/* Whether there is a program of this name: along PATH, if it has no slash. */
bool flow_has_program(const char *name);
/* What an agent is told before its task: role, goal, instructions. */
void flow_agent_system(const struct flow_agent *a, struct ai_buf *out);

#endif
