/*
 * run.h: the journal of a run of ai-agent, so that one that was ended by
 * anything is gone on with, and nothing is done or paid for twice.
 *
 * A run is a task, how it is to be worked on, and steps: a reply of the model,
 * or a call of a tool.  A step is written before it has an effect (started)
 * and after (done, with its result); who goes on with the run has the results
 * of what is done, and knows of each call that was started and has none that
 * nobody saw its end.
 *
 * What has an effect is written durably before it begins.  A result costs no
 * sync: it is durable with the ledger's next commit, and lost with the power
 * it makes its step one that nobody saw the end of.
 *
 * A run's cap in dollars is a budget of the ledger: of the label `run` that its
 * calls carry.  It is there from its beginning to its end.
 */
#ifndef AI_STORE_RUN_H
#define AI_STORE_RUN_H

#include "base/buf.h"
#include "base/str.h"
#include "store/ledger.h"

#define AI_RUN_ID 64      /* bytes of an id, with its NUL */
#define AI_RUN_STEPS 20000 /* at most */

/* As they stand in the file: never renumbered. */
enum ai_run_status {
	AI_RUN_OPEN = 1, /* at work, or ended by a crash */
	AI_RUN_PARKED,   /* it waits for a decision */
	AI_RUN_PAUSED,   /* by a signal */
	AI_RUN_DONE,
	AI_RUN_PARTIAL,  /* ended by a limit */
	AI_RUN_FAILED,
};
/* "open", "parked", ... */
const char *ai_run_status_name(enum ai_run_status s);

enum ai_step_kind {
	AI_STEP_MODEL = 1, /* what the model has answered */
	AI_STEP_CALL,      /* of a tool */
};

enum ai_step_state {
	AI_STEP_PLANNED = 1, /* not begun */
	AI_STEP_STARTED,     /* it may have had its effect */
	AI_STEP_WAITING,     /* for a decision */
	AI_STEP_DONE,
};

/* Spans are JSON values (p NULL: none); those of one that is read are
 * borrowed. */
struct ai_step {
	int64_t n; /* from 1 */
	enum ai_step_kind kind;
	enum ai_step_state state;
	const char *key;  /* of a call: its idempotency key; "" */
	const char *said; /* what a person has decided; "" */
	struct ai_span intent, result;
	int64_t amount;   /* nano-dollars */
	int64_t created, changed; /* ms; of one that is read */
};

struct ai_run {
	int64_t n;
	char id[AI_RUN_ID];
	bool within; /* it is of another run */
};

/* One as it stands. */
struct ai_run_row {
	char id[AI_RUN_ID], root[AI_RUN_ID];
	enum ai_run_status status;
	int64_t created, changed; /* ms */
	int64_t spent_ms;         /* that was worked on it */
	int64_t cap;              /* nano-dollars; negative: none */
	int64_t pid;              /* who works on it, if he lives; or 0 */
	int64_t steps, amount;    /* amount: nano-dollars of its steps */
	struct ai_span task, setup, note; /* borrowed. note: why it stands */
};

struct ai_run_new {
	const char *id;   /* 1 to 63 of [A-Za-z0-9._-] */
	const char *root; /* whose budget it falls under; its own id, usually */
	const char *tenant, *user; /* NULL: nobody */
	struct ai_span task, setup;
	int64_t cap;      /* nano-dollars, of a root; negative: none */
};

/* Makes it, for this process alone. 1: there is one of this id.  One within
 * another costs no sync: nothing of it has an effect before its next one. */
int ai_run_new(struct ai_ledger *l, const struct ai_run_new *r,
	       struct ai_run *run, struct ai_err *err);
/* The whole id that begins like this.  AI_E_USAGE: none does, or several. */
int ai_run_find(struct ai_ledger *l, const char *prefix, char id[AI_RUN_ID],
		struct ai_err *err);
/* Takes an old one, for this process alone; cap as above; INT64_MAX: as it was.
 * AI_E_TRY_LATER: a living process works on it. AI_E_USAGE: there is none. */
int ai_run_take(struct ai_ledger *l, const char *id, int64_t cap,
		struct ai_run *run, struct ai_err *err);

/*
 * Writes steps, new ones or newer states of old ones, and with them how the
 * run stands.  With a status other than AI_RUN_OPEN the run is given back, and
 * its budget and what the model's co-process has kept for it are removed if it
 * has ended; that is durable in any case, if it is not within another: who has
 * begun it writes down what came of it, and that comes behind this.
 */
struct ai_run_change {
	enum ai_run_status status;
	int64_t spent_ms;
	struct ai_span note;
};
int ai_run_put(struct ai_ledger *l, const struct ai_run *run,
	       const struct ai_step *steps, size_t n,
	       const struct ai_run_change *change, bool durable,
	       struct ai_err *err);

/* Calls each() with the run of this id, if it is there: 1. */
int ai_run_get(struct ai_ledger *l, const char *id,
	       int (*each)(void *arg, const struct ai_run_row *r), void *arg,
	       struct ai_err *err);
/* Of all, the oldest first; what each() returns ends it unless it is 0. */
int ai_run_list(struct ai_ledger *l,
		int (*each)(void *arg, const struct ai_run_row *r), void *arg,
		struct ai_err *err);
/* Its steps in order; likewise. */
int ai_run_steps(struct ai_ledger *l, const char *id,
		 int (*each)(void *arg, const struct ai_step *s), void *arg,
		 struct ai_err *err);

/* What all runs of this root have used together: replies, their tokens. */
struct ai_run_used {
	int64_t turns, tokens;
};
int ai_run_used(struct ai_ledger *l, const char *root, struct ai_run_used *u,
		struct ai_err *err);
/* How many calls of this tool (p NULL: of any) were written down before step n of the run, by
 * all runs of this root; those that were refused by the run's own limits are
 * none (intent.counted). */
int64_t ai_run_calls_before(struct ai_ledger *l, const char *root,
			    const struct ai_run *run, int64_t n,
			    struct ai_span tool, struct ai_err *err);

/* A person decides about all steps that wait, or about one (n > 0).  How many
 * it were: 0 is an AI_E_USAGE.  The run is taken for this process, which is to
 * go on with it. */
int64_t ai_run_decide(struct ai_ledger *l, const char *id, int64_t n,
		      const char *said, struct ai_err *err);
/* A new run r that begins with the steps of an older one before step n. The
 * ledger is told. */
int ai_run_fork(struct ai_ledger *l, const struct ai_run_new *r,
		const char *from, int64_t n, struct ai_run *run,
		struct ai_err *err);
/* Forgets it, and the runs within it, unless another run's steps name them, as
 * those of a fork do: *within (may be NULL) is how many.  AI_E_TRY_LATER:
 * somebody works on one of them. AI_E_USAGE: there is none. */
int ai_run_remove(struct ai_ledger *l, const char *id, int64_t *within,
		  struct ai_err *err);

/* The batch that the model's co-process keeps its answers under. */
#define AI_RUN_BATCH "run:"

#endif
