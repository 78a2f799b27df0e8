/*
 * run.h: a workflow on its way.
 *
 * The scheduler is a function of the workflow, the input and the journal: it
 * goes from the first task each time, takes what is done from the journal, and
 * asks only what is missing.  So a new run, one that was killed and one that is
 * replayed are the same way.
 *
 * A task becomes one job, or one for each item of its map.  A job is a machine
 * (job.c) that goes on until it has to wait for an answer.
 */
#ifndef AGENT_FLOW_RUN_H
#define AGENT_FLOW_RUN_H

#include "agent.h"
#include "flow/flow.h"
#include "flow/pool.h"
#include "flow/step.h"
#include "cage/sandbox.h"

#define FLOW_HANDOFFS_MAX 8 /* of one attempt */
#define FLOW_DEATHS_MAX 3   /* of an agent's process, without an answer */

/* ---- what an agent has answered ------------------------------------------------ */

struct flow_answer {
	struct ai_buf text;    /* what it says */
	bool failed;
	bool mine;             /* by a limit of its own, or for want of money */
	enum ai_code code;     /* why */
	const char *limit;     /* the one that it has reached; NULL */
	struct ai_buf why;
	char by[65];           /* who has tainted it; "": nobody */
	struct ai_buf to, task; /* handed on to this agent, with this task; or
				 * empty */
	int64_t nano, turns, calls, input, output;
	double seconds;
};

void flow_answer_init(struct flow_answer *a);
void flow_answer_release(struct flow_answer *a);

/* ---- a job ------------------------------------------------------------------------ */

/* What something has failed of. */
struct flow_blame {
	enum ai_code code;
	const char *limit; /* NULL: none */
};

enum flow_at {
	FLOW_AT_ROUND,   /* begin one */
	FLOW_AT_TRY,     /* begin an attempt */
	FLOW_AT_ASK,     /* ask, or hand on */
	FLOW_AT_ANSWER,  /* it is asked */
	FLOW_AT_CHOOSE,  /* chat: who is next */
	FLOW_AT_CHOSEN,  /* the chooser is asked */
	FLOW_AT_SPEAK,
	FLOW_AT_SPOKEN,
	FLOW_AT_CHECK,   /* is it what was wanted */
	FLOW_AT_GUARD,
	FLOW_AT_COMMAND, /* a guardrail's command runs */
	FLOW_AT_JUDGED,  /* its judge is asked */
	FLOW_AT_DONE,
	FLOW_AT_FAILED,
};

struct flow_talk {
	size_t n;               /* messages so far */
	size_t speaker;         /* agent; FLOW_NONE before the first */
	size_t next;            /* agent that was chosen */
	struct ai_buf message;  /* JSON string: the last */
	struct ai_buf transcript; /* JSON string without its quotes */
	int64_t nano, tokens;
	double seconds;
};

struct flow_job {
	struct flow_job *prev, *next; /* of all that are under way */
	size_t task;
	int64_t item;           /* of a map, from 0; -1: none */
	enum flow_at at;
	int64_t round, attempt, hop;
	size_t guard;
	size_t agent;           /* who does it now */
	struct flow_step *step; /* it waits for this one; NULL */
	bool waits;             /* for money or its turn to ask */
	bool stands;            /* until somebody goes on with the run */
	bool counted;           /* among those that stand */
	struct agent_call call; /* of a guardrail's command */
	bool called;
	struct flow_talk talk;
	struct ai_buf ask;      /* what is asked */
	struct ai_buf trusted;  /* what of it is trusted, if not all is */
	struct ai_buf text;     /* what it has given, as text */
	struct ai_buf value;    /* the same as JSON */
	struct ai_buf last;     /* what the round before gave, JSON */
	struct ai_buf why;      /* why that was not taken; why it has failed */
	struct flow_blame blame; /* the same, for programs */
	char by[65];            /* who has tainted what is asked or given */
	struct ai_value item_v; /* its item; borrowed of its task */
};

/* ---- a task ------------------------------------------------------------------------ */

enum flow_state {
	FLOW_WAITS,   /* for its needs */
	FLOW_READY,
	FLOW_RUNS,
	FLOW_DONE,
	FLOW_SKIPPED, /* its condition did not hold */
	FLOW_FAILED,
};

struct flow_item {
	struct ai_value v;      /* of the list */
	struct ai_buf value;    /* what it gave, JSON; or empty: nothing */
};

struct flow_doing {
	enum flow_state state;
	size_t left;            /* needs that are not over */
	size_t users;           /* tasks that may still look at its value */
	struct ai_buf value;    /* JSON; or empty: none */
	char by[65];            /* who has tainted it */
	struct ai_buf list;     /* of a map */
	struct flow_item *items;
	size_t n_items, begun, ended, good;
	size_t bytes;           /* of what its items have given */
	bool full;              /* that is more than a list may have: none is
				 * begun any more */
	struct ai_buf why;      /* why it has failed */
	struct flow_blame blame;
};

/* ---- an agent ---------------------------------------------------------------------- */

struct flow_account {
	int64_t spent, reserved; /* nano-dollars */
	size_t under_way;        /* questions */
	int64_t failures;        /* in a row */
	double open_until;       /* ai_clock_s(); 0: its breaker is closed */
	bool probe;              /* one question finds out */
};

/* ---- the whole --------------------------------------------------------------------- */

struct flow_work {
	const struct flow *flow;
	struct flow_journal journal;
	struct flow_pool pool;
	struct agent_limits limits;
	struct agent_used used, standing; /* standing: of questions without
					   * an end yet */
	struct flow_doing *tasks; /* owned */
	struct flow_account *agents; /* owned */
	size_t *users, *users_at; /* owned; who needs task t:
				   * users[users_at[t]..users_at[t + 1]) */
	size_t *ready;            /* owned; tasks, in the order they became so */
	size_t ready_from, ready_n;
	size_t turn;              /* of a sequential workflow: flow->order[turn]
				   * is the only one that may run */
	struct flow_job *jobs;    /* those that are under way */
	size_t n_jobs, n_standing, at_once;
	size_t *maps;             /* owned; tasks with items to be begun */
	size_t n_maps;
	struct flow_step **outbox; /* owned; begun, and to be sent */
	size_t n_outbox, cap_outbox;
	struct ai_value input;    /* borrowed */
	struct agent_sandbox sandbox; /* of guardrails' commands */
	struct agent_tools tools;
	int signal;               /* that was passed on */
	double until;             /* when what was told to end is killed */
	struct agent_stop stop;
	struct ai_buf text;       /* what the whole gives */
	char by[65];              /* who has tainted that */
	char root[AI_RUN_ID];
};

/* ---- run.c -------------------------------------------------------------------- */

/* To the end, a limit or a decision; w->stop says which. */
int flow_work_go(struct flow_work *w, struct ai_err *err);
/* The job goes as far as it comes; if that is its end, so does its task. */
int flow_work_step(struct flow_work *w, struct flow_job *job,
		   struct ai_err *err);
/* It stands for this reason, if it does not yet for another. */
void flow_work_stop(struct flow_work *w, enum ai_run_status status,
		    const char *limit, const struct ai_err *why);

/* ---- job.c -------------------------------------------------------------------- */

struct flow_job *flow_job_new(struct flow_work *w, size_t task, int64_t item,
			      struct ai_err *err);
void flow_job_free(struct flow_work *w, struct flow_job *job);
/* As far as it comes.  job->at is FLOW_AT_DONE or FLOW_AT_FAILED at its end. */
int flow_job_go(struct flow_work *w, struct flow_job *job, struct ai_err *err);
/* It has failed: for this reason. */
int flow_job_fail(struct flow_job *job, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* As this answer has: what is said of it is "WHAT: why". */
int flow_job_blame(struct flow_job *job, const struct flow_answer *a,
		   const char *what);

/* ---- step.c ------------------------------------------------------------------- */

/* The name of the job's question; kind 0: the task itself. */
void flow_ask_name(const struct flow_work *w, const struct flow_job *job,
		   char kind, size_t n, bool whose, char name[FLOW_STEP_NAME]);

/* ---- ask.c -------------------------------------------------------------------- */

/*
 * Asks job->agent what stands in job->ask, under this name.  1: the answer is
 * in the journal; 0: it has to be waited for (job->step), or for something
 * else first (job->waits).
 */
int flow_ask(struct flow_work *w, struct flow_job *job, const char *name,
	     struct ai_err *err);
/* Whether job->step has its answer, which *a gets then. */
int flow_ask_take(struct flow_work *w, struct flow_job *job,
		  struct flow_answer *a, bool *there, struct ai_err *err);
/* The line of the record that asks. */
int flow_ask_line(const struct flow_work *w, const struct flow_step *s,
		  struct ai_buf *line, struct ai_err *err);
/* What a co-process has answered: the step is done, waits, or stands. */
int flow_ask_answered(struct flow_work *w, size_t agent, struct ai_span line,
		      struct ai_err *err);
/* It has died: all that it was asked is asked again. */
int flow_ask_died(struct flow_work *w, size_t agent, struct ai_err *err);
/* What is in the journal, added up. */
int flow_ask_recall(struct flow_work *w, struct ai_err *err);

/* ---- breaker.c ---------------------------------------------------------------- */

/* Whether it is to be asked nothing now; one question after its rest finds out
 * whether it is again. */
bool flow_breaker_is_open(struct flow_account *a);
/* The step has its answer. */
void flow_breaker_heed(struct flow_work *w, const struct flow_step *s);
/* From all that it has answered. */
int flow_breaker_recall(struct flow_work *w, struct ai_err *err);

/* ---- scope.c ------------------------------------------------------------------ */

/* The text, with what its names stand for; what of it is tainted makes the job
 * so, and b gets it all, trusted what is trusted. */
int flow_job_text(struct flow_work *w, struct flow_job *job,
		  const struct flow_text *t, struct ai_buf *b,
		  struct ai_err *err);
/*
 * Whether it holds; if that cannot be told, the job has failed.  Notes change:
 * how one that looks at them was decided is a step, and who goes on takes it
 * from there.  kind and n: of its name (flow_ask_name()).
 */
int flow_job_holds(struct flow_work *w, struct flow_job *job,
		   const struct flow_cond *c, char kind, size_t n, bool *holds,
		   struct ai_err *err);
/* The value of a text that is one name; copied.  Empty: none.  That of a note is
 * a step as well. */
int flow_job_value(struct flow_work *w, struct flow_job *job,
		   const struct flow_text *t, struct ai_buf *b,
		   struct ai_err *err);
/* Whether it names this. */
bool flow_text_names(const struct flow_text *t, enum flow_name what);

/* ---- guard.c ------------------------------------------------------------------ */

/* Whether what it gave satisfies its schema: job->value becomes it as JSON;
 * else job->why says why not. */
int flow_guard_schema(const struct flow_task *t, struct flow_job *job,
		      bool *fits, struct ai_err *err);
/* What a model must be told of it. */
void flow_guard_say_schema(const struct flow_task *t, struct ai_buf *b);
/* The guardrails' commands as tools, of the whole workflow. */
int flow_guard_open(struct flow_work *w, struct ai_err *err);
/* Begins one; 1: its word is in the journal already. */
int flow_guard_begin(struct flow_work *w, struct flow_job *job,
		     struct ai_err *err);
/* Whether it has ended: *there; *passes or job->why.  One that could not say
 * anything fails the job: nobody has judged it. */
int flow_guard_turn(struct flow_work *w, struct flow_job *job, bool *there,
		    bool *passes, struct ai_err *err);
/* Ends a command that runs, whatever it would say. */
void flow_guard_stop(struct flow_job *job);
/* What a judge has said; why gets what it says if that is no. */
bool flow_guard_judge(const struct flow_answer *a, struct ai_buf *why);

/* ---- chat.c ------------------------------------------------------------------- */

int flow_chat_begin(struct flow_work *w, struct flow_job *job,
		    struct ai_err *err);
/* The machine's part that is a chat. */
int flow_chat_go(struct flow_work *w, struct flow_job *job,
		 struct ai_err *err);
void flow_talk_init(struct flow_talk *t);
void flow_talk_release(struct flow_talk *t);

#endif
