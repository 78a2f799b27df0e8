/* agent.h: what the parts of ai-agent share. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"
#include "record/json.h"
#include "store/ledger.h"
#include "store/run.h"

#include "limit.h"
#include "tool/tool.h"

#include <stdbool.h>
#include <stdint.h>

#define AGENT_TEXT_MAX ((size_t)16 << 20) /* of all that is said in a run */

enum agent_approve { AGENT_ASK_ALWAYS, AGENT_ASK_WRITES, AGENT_ASK_NEVER,
		     AGENT_ASK_COMMAND };
enum agent_taint_rule { AGENT_TAINT_STRICT, AGENT_TAINT_WARN, AGENT_TAINT_OFF };
enum agent_mark { AGENT_MARK_DELIMIT, AGENT_MARK_DATAMARK, AGENT_MARK_ENCODE,
		  AGENT_MARK_OFF };

/* What the options set. */
struct agent_settings {
	/* The model, through ai-complete. */
	const char *model, *base_url, *api, *effort, *cache, *record, *replay;
	int64_t max_tokens;
	double temperature, timeout;
	const char *system, *system_file;
	/* Tools. */
	struct ai_opt_list tools, with, hosts;
	const char *workdir, *index;
	const char *folder; /* where a run that is gone on with was begun */
	int64_t search_k;
	/* What they may do. */
	const char *approve;
	int taint, sandbox, mark;
	int64_t landlock_abi;
	bool guard;
	/* Limits. */
	struct ai_opt_list limits;
	/* Runs. */
	bool all, done, again;
	bool mcp; /* serve: what is spoken */
	const char *answer;
	const char *team, *name; /* a workflow's file, and who of it we are */
	const char *server; /* of "mcp" */
	int64_t depth; /* of this run: 0 for one that nobody delegated */
	const char *root;
	bool delegate;
	/* Workflows. */
	bool dot, dry_run;
};
extern struct agent_settings agent;

/* ---- a run ---------------------------------------------------------------- */

/* A step as it was read, or as it was written last. */
struct agent_step {
	int64_t n;
	enum ai_step_kind kind;
	enum ai_step_state state;
	char key[33];
	char *said;             /* owned; NULL: nothing */
	char *intent, *result; /* owned, JSON; NULL: none */
	int64_t amount, created, changed;
};

struct agent_journal {
	struct ai_ledger *ledger;
	const char *ledger_path; /* as ai_ledger_open() takes it */
	struct ai_run run;
	struct agent_step *v; /* owned; v[i].n is i + 1 */
	size_t n, cap;
	size_t at;            /* steps that the loop has gone by */
	bool replay;          /* nothing is written, nothing is begun */
	int hold;             /* a descriptor with the run's lock; -1 */
	int64_t spent_ms;     /* before this process took it */
	double since;         /* ai_clock_s() when it did */
};

/* Why a run stands. */
struct agent_stop {
	enum ai_run_status status;   /* 0: it does not */
	const char *limit;           /* AI_RUN_PARTIAL: its name */
	struct ai_err err;           /* AI_E_NONE: none to be told */
};

/* Why a call waits that was begun: the beginning of the reason. */
#define AGENT_UNSEEN "it was begun, and "

struct agent_model;
struct agent_guard;
struct agent_trust;

struct agent_run {
	struct agent_journal journal;
	struct agent_tools *tools;     /* of the process */
	struct agent_mcp *mcp;         /* likewise; NULL: none */
	struct agent_limits limits;
	struct agent_limits whole; /* of all runs within the outermost one
				    * together */
	bool of_whole;             /* over, or stop.limit, is one of those */
	struct agent_used used;
	struct agent_model *model;     /* co-processes, begun when needed */
	struct agent_guard *guard;
	struct agent_trust *trust;
	struct ai_buf messages;        /* JSON, the list without its end */
	struct ai_buf text;            /* what the model has said last */
	struct ai_buf setup;           /* how it is worked on, JSON */
	struct ai_buf system;          /* what the model is told first */
	enum ai_run_status was;        /* of one that is taken: how it stood */
	struct ai_buf note;            /* and why, JSON; or empty */
	struct ai_buf last_result;     /* for a run that ends without a word */
	struct ai_buf handoff;         /* to whom it has handed its task, and
					* which, JSON; or empty */
	struct ai_value offered;       /* names of tools, or AI_NONE: all */
	struct ai_value asked_by;      /* names of agents: those that it is
					* within; or AI_NONE */
	char marker[33];
	char root[AI_RUN_ID];
	const char *over;              /* a limit that the turn under way has
					* reached; NULL */
	size_t silent;                 /* replies of no use, in a row */
	bool own;                      /* nobody else may still be writing down
					* what it was answered */
	struct agent_stop stop;
};

/* ---- run.c ------------------------------------------------------------------ */

/* From where the journal ends to the end, a limit or a decision; r->stop says
 * which.  -1: the ledger cannot be written, or memory; the run stays open. */
int agent_run_go(struct agent_run *r, struct ai_err *err);
/* What is left of its time, in seconds; negative: none. */
double agent_run_left_s(const struct agent_run *r);
/* One more message; and one that is what a call has given back. */
void agent_run_say(struct agent_run *r, const char *role, struct ai_span text);
void agent_run_say_result(struct agent_run *r, const char *id,
			  struct ai_span text);

/* ---- calls.c ---------------------------------------------------------------- */

/*
 * The calls of a reply, whose step is the journal's last one: decided on,
 * written down, done, and their results written down and appended to the
 * messages.  What waits for a decision, or for a limit that is gone, is left
 * so, and r->stop or r->over says it.
 */
int agent_calls_do(struct agent_run *r, struct ai_value calls,
		   struct ai_err *err);

/* ---- journal.c -------------------------------------------------------------- */

void agent_journal_release(struct agent_journal *j);
/* Reads all steps of the run. */
int agent_journal_read(struct agent_journal *j, const char *id,
		       struct ai_err *err);
/* Takes the run's lock, which its calls hold as long as they are alive; waits
 * until those of a process that was killed are gone. */
int agent_journal_lock(struct agent_journal *j, struct ai_err *err);
/* The step of this number, made if it is the next. NULL: out of memory. */
struct agent_step *agent_journal_step(struct agent_journal *j, size_t n,
				      enum ai_step_kind kind,
				      struct ai_err *err);
int agent_step_set(char **member, const struct ai_buf *json,
		   struct ai_err *err);
/* The intent that is there has this text, or this object as its note, too; one
 * of that name that was there before goes. */
int agent_step_add(struct agent_step *s, const char *name, const char *text,
		   struct ai_err *err);
int agent_step_note(struct agent_step *s, const struct ai_buf *note,
		    struct ai_err *err);
/* Writes steps from..to, those numbers included, and how the run stands. */
int agent_journal_put(struct agent_journal *j, size_t from, size_t to,
		      bool durable, struct ai_err *err);
/* The end of it, or where it stands; note JSON or empty. */
int agent_journal_end(struct agent_journal *j, enum ai_run_status status,
		      const struct ai_buf *note, struct ai_err *err);
int64_t agent_journal_spent_ms(const struct agent_journal *j);

/* ---- model.c ---------------------------------------------------------------- */

/* Asks the model; answer becomes its completion, as JSON.  -1: none; err is the
 * error of its record. */
int agent_model_ask(struct agent_run *r, struct ai_buf *answer,
		    struct ai_err *err);
/* Whether it can be asked again, for another run that is booked under the same
 * one. */
bool agent_model_is_idle(const struct agent_model *m);
void agent_model_free(struct agent_model *m);
/* Whether the task leaves the model this tool, and ai-guard does. */
bool agent_is_offered(const struct agent_run *r, const struct agent_tool *tool);

/* ---- guard.c ---------------------------------------------------------------- */

/* What the model is to see of a text from elsewhere: seen gets it, checked and
 * marked; flag: what ai-guard found ("flag", "redact", "block"), or "". */
int agent_guard_text(struct agent_run *r, struct ai_span text,
		     struct ai_buf *seen, char flag[16], struct ai_err *err);
/* Looks, once, at what servers say of their tools, before the model does: one
 * that has orders in it is withheld, with a warning.  What is offered taints
 * the run. */
int agent_guard_tools(struct agent_run *r, struct ai_err *err);
/* What the model must know to read marked texts, appended to a prompt. */
void agent_guard_rules(const struct agent_run *r, struct ai_buf *out);
bool agent_guard_is_idle(const struct agent_guard *g);
void agent_guard_free(struct agent_guard *g);

/* ---- trust.c ---------------------------------------------------------------- */

int agent_trust_new(struct agent_trust **t, struct ai_err *err);
void agent_trust_free(struct agent_trust *t);
/* What its words name may be the target of an effect. */
void agent_trust_add(struct agent_trust *t, struct ai_span text);
/* From now on the run is tainted: by a result of this tool. */
void agent_trust_taint(struct agent_trust *t, const char *by);
/* The same, by what a server says of this tool of it. */
void agent_trust_hear(struct agent_trust *t, const char *tool);
/* The tool that has tainted it; NULL: none. */
const char *agent_trust_by(const struct agent_trust *t);
/* All that is trusted; of t. */
struct ai_span agent_trust_text(const struct agent_trust *t);
/* Whether a trusted tool's result is as trusted as it: in a tainted run only if
 * all that it was asked with is. */
bool agent_trust_covers(const struct agent_trust *t,
			const struct agent_tool *tool, struct ai_span args);
/* Whether a call may go on without asking; else why gets the reason. */
bool agent_trust_allows(const struct agent_trust *t,
			const struct agent_tool *tool, struct ai_span args,
			struct ai_buf *why);

/* ---- approve.c --------------------------------------------------------------- */

enum agent_answer { AGENT_YES, AGENT_NO, AGENT_PARK };

/* Whether --approve asks about calls of this tool at all. */
bool agent_approve_asks(const struct agent_tool *tool);
/* Asks, but nobody under "never", which is a no; why: "the target ... was named
 * by a text from elsewhere".  The time it takes is none of the run's. */
enum agent_answer agent_approve_ask(struct agent_run *r,
				    const struct agent_tool *tool,
				    struct ai_span args, const char *why);
/* --approve is one of its words, or a command. */
int agent_approve_check(struct ai_err *err);

/* ---- delegate.c, retrieve.c: tools that are programs of ours ------------------ */

/* current: the run whose call it is, when it is called. */
int agent_delegate_add(struct agent_tools *t, struct agent_run **current,
		       int64_t fanout, struct ai_err *err);
int agent_retrieve_add(struct agent_tools *t, struct agent_run **current,
		       struct ai_err *err);

/* ---- filter.c: records as tasks -------------------------------------------------- */

int agent_filter(int argc, char **argv, struct ai_err *err);

/* ---- admin.c: what was run ------------------------------------------------------ */

int agent_history(int argc, char **argv, struct ai_err *err);
int agent_show(int argc, char **argv, struct ai_err *err);
int agent_rm(int argc, char **argv, struct ai_err *err);
int agent_list_tools(int argc, char **argv, struct ai_err *err);

/* ---- serve.c: the toolkit for others ------------------------------------------------ */

int agent_serve(int argc, char **argv, struct ai_err *err);
/* ---- mcp/people.c ----------------------------------------------------------------- */

int agent_mcp_people(int argc, char **argv, struct ai_err *err);

/* ---- again.c: runs that are gone on with ------------------------------------------ */

int agent_resume(int argc, char **argv, struct ai_err *err);
int agent_approve(int argc, char **argv, struct ai_err *err);
int agent_deny(int argc, char **argv, struct ai_err *err);
int agent_fork(int argc, char **argv, struct ai_err *err);
int agent_replay(int argc, char **argv, struct ai_err *err);

#endif
