/* int.h: what the readers of a workflow file share; see flow.h. */
#ifndef AGENT_FLOW_INT_H
#define AGENT_FLOW_INT_H

#include "flow/flow.h"

/* Names of tasks, sorted, to be found in 10,000. */
struct flow_row {
	struct ai_span name; /* of the task */
	size_t at;
};

/* A path that becomes absolute in the JSON that is kept. */
struct flow_swap {
	struct ai_value was;
	char *now; /* owned */
};

/* What is known of a task before its texts are read. */
struct flow_raw {
	struct ai_value v;      /* all of it */
	struct ai_value schema; /* AI_NONE: what it gives is a text */
	bool map;
};

enum flow_path {
	FLOW_PATH_ANY,     /* it may come to be there */
	FLOW_PATH_FILE,
	FLOW_PATH_FOLDER,
	FLOW_PATH_PROGRAM,
};

struct flow_reader {
	struct flow *f;
	const char *text, *dir;
	bool look;              /* whether files are there */
	struct ai_value root;
	struct ai_value input;  /* its schema; AI_NONE */
	struct ai_buf place;    /* where the reader is: "tasks.write.needs.0" */
	struct flow_raw *raw;   /* owned; of each task */
	struct flow_row *rows;  /* owned */
	struct flow_swap *swaps;
	size_t n_swaps, cap_swaps;
	size_t *needs;          /* of the task that is read */
	size_t n_needs, cap_needs;
	size_t *seen;           /* seen[t] == task + 1: t is among its needs */
	size_t task;            /* the one that is read */
	unsigned known;         /* bits 1 << enum flow_name: in texts here */
	struct ai_err *err;
};

/* ---- read.c: places, names, members --------------------------------------- */

/* AI_E_CONFIG, with the line of v and the place; v may be AI_NONE. -1. */
__attribute__((format(printf, 3, 4)))
int flow_refuse(struct flow_reader *r, struct ai_value v, const char *fmt, ...);
/* The column of an offset, in characters, from 1. */
size_t flow_column(const char *text, size_t at);
/* One step down; gives back what flow_up() takes. */
size_t flow_down(struct flow_reader *r, const char *name);
size_t flow_down_n(struct flow_reader *r, size_t n);
void flow_up(struct flow_reader *r, size_t was);
/* Refuses what a message "PATH: what" about v says, at that place in it. */
int flow_refuse_inside(struct flow_reader *r, struct ai_value v,
		       const char *msg);

/* A string without NUL as a copy; nothing if v is AI_NONE. */
int flow_take_text(struct flow_reader *r, struct ai_value v, char **to);
/* The same, compact JSON of any value. */
int flow_take_json(struct flow_reader *r, struct ai_value v, char **to);
/* The same, a path: made absolute, and so in the JSON that is kept; there, if
 * r->look. */
int flow_take_path(struct flow_reader *r, struct ai_value v,
		   enum flow_path what, char **to);
int flow_take_strings(struct flow_reader *r, struct ai_value list,
		      struct agent_strings *to);
/* Of files. */
int flow_take_paths(struct flow_reader *r, struct ai_value list,
		    struct agent_strings *to);
/* A command: its program may be a path. */
int flow_take_command(struct flow_reader *r, struct ai_value list,
		      struct agent_strings *to);
int flow_take_limits(struct flow_reader *r, struct ai_value v, char **to);
int flow_take_schema(struct flow_reader *r, struct ai_value v,
		     struct ai_schema **schema, char **json);
/* The agent, the task that a string names. */
int flow_take_agent(struct flow_reader *r, struct ai_value v, size_t *to);
int flow_take_task(struct flow_reader *r, struct ai_value v, size_t *to);
int flow_take_agents(struct flow_reader *r, struct ai_value list, size_t **to,
		     size_t *n);
/* When all tasks have their names. */
void flow_rows_sort(struct flow_reader *r);
/* FLOW_NONE: none has that name. */
size_t flow_row_find(const struct flow_reader *r, struct ai_span name);
/* The nearest name of another task, or best, which may be NULL. */
const char *flow_row_near(const struct flow_reader *r, const char *name,
			  const char *best);
/* The task that is read needs this one. */
int flow_need(struct flow_reader *r, size_t task);
/* Members or elements. */
size_t flow_count(struct ai_value v);
/* Integers that the schema has checked; absent if v is AI_NONE. */
int64_t flow_take_i64(struct ai_value v, int64_t absent);

/* ---- text.c --------------------------------------------------------------- */

#define FLOW_BIT(name) (1u << (name))
/* In every text. */
#define FLOW_ALWAYS (FLOW_BIT(FLOW_TASK) | FLOW_BIT(FLOW_INPUT) | \
	FLOW_BIT(FLOW_NOTES))

/* A text whose names are in r->known; tasks that it names are needed. */
int flow_text_read(struct flow_reader *r, struct ai_value v,
		   struct flow_text *t);
/* Just this name. */
int flow_text_of(struct flow_reader *r, enum flow_name what,
		 struct flow_text *t);
void flow_text_release(struct flow_text *t);
/* Whether a text of "{{NAME}}" means a task or something else. */
enum flow_name flow_name_of(struct ai_span name);

/* ---- cond.c --------------------------------------------------------------- */

/* A condition; what it tests if it does not say. FLOW_NO_NAME: it has to. */
int flow_cond_read(struct flow_reader *r, struct ai_value v,
		   enum flow_name absent, struct flow_cond **c);
void flow_cond_free(struct flow_cond *c);

/* ---- task.c --------------------------------------------------------------- */

int flow_read_tasks(struct flow_reader *r, struct ai_value tasks);
void flow_task_release(struct flow_task *t);

/* ---- check.c -------------------------------------------------------------- */

/* No object has two members of one name. */
int flow_check_doubles(struct flow_reader *r);
/* It has the shape that data/schema/flow.json says. */
int flow_check_shape(struct flow_reader *r);
/* Fills f->order. */
int flow_sort(struct flow_reader *r);

/* ---- schema.c ------------------------------------------------------------- */

/* Whether there is a value that satisfies the schema, as far as can be seen
 * without trying; else where it cannot be, and why.  It was compiled. */
bool flow_schema_can(struct ai_value schema, struct ai_value *at,
		     struct ai_buf *place, const char **why);
/* Whether a value of this schema may have something at the path; else why says
 * why not. */
bool flow_schema_has(struct ai_value schema, const char *path,
		     struct ai_buf *why);
/* Whether that may be a list. */
bool flow_schema_lists(struct ai_value schema, const char *path);

#endif
