/* cost.h: what the files of ai-cost share. */
#ifndef COST_H
#define COST_H

#include "base/buf.h"
#include "base/money.h"
#include "base/opt.h"
#include "model/chat_tokens.h"
#include "model/paid.h"
#include "record/rec.h"
#include "record/spool.h"
#include "store/ledger.h"
#include "text/bpe.h"

/* What the options set, beside ai_paid. */
struct cost_settings {
	int by;
	const char *since, *until;
	int format, color;         /* of a report: enums below */
	const char *currency, *rate; /* that it is shown in; NULL: dollars */
	int64_t requests, tokens; /* of a limit; -1: not given */
	const char *key, *key_env; /* that a limit is of; NULL: any */
	bool force;
	const char *model;        /* to be asked; NULL: the records say it */
	int64_t max_tokens;       /* 0: not given */
	int64_t expect;           /* tokens that an answer is expected to have */
	struct ai_opt_list accept; /* models whose insane prices are taken */
	bool dry_run;
	struct ai_opt_list checks; /* of health */
	int64_t warn;              /* percent */
	int64_t min_free;          /* bytes */
	int64_t max_dead;          /* reservations */
	double timeout_s;
	const char *score, *baseline; /* of an experiment; NULL */
	double confidence;         /* percent */
	const char *output;        /* of metrics; NULL: standard output */
	int64_t top;               /* values of a label */
	struct ai_opt_list labels; /* beside the usual ones */
};
extern struct cost_settings cost;

#define COST_TOKENS_MAX 10000000

/* In the order of the options' words. */
enum { COST_AUTO, COST_TABLE, COST_JSON, COST_CSV, COST_HTML };
#define COST_FORMATS "auto|table|json|csv|html"
enum { COST_COLOR_AUTO, COST_COLOR_ALWAYS, COST_COLOR_NEVER };
#define COST_COLORS "auto|always|never"

/* The names of cost.by, as the options have them. */
#define COST_BY "hour|day|month|model|tool|provider|tenant|user|project|experiment|arm|run|key"

/* ---- ledger.c ------------------------------------------------------------------- */

/* What a word does: an exit status, or -1. */
typedef int cost_verb_fn(int argc, char **argv, struct ai_err *err);
/* A word, and what it does. */
struct cost_word {
	const char *name; /* NULL ends the table */
	cost_verb_fn *run;
};
/* Runs the word that argv[0] is; of is what stands before it ("ledger"), or
 * NULL. */
int cost_pick(const char *of, const struct cost_word *words, int argc,
	      char **argv, struct ai_err *err);
/* For the verbs that have no operands. */
int cost_no_operand(int argc, char **argv, struct ai_err *err);
/* AI_E_USAGE unless there are n operands; how: "settle ID DOLLARS". */
int cost_operands(int argc, int n, const char *how, struct ai_err *err);

/* Opens the ledger to look at it; *l is NULL if there is none. */
int cost_look(struct ai_ledger **l, struct ai_err *err);
/* Opens the ledger; with may_make it is made if need be.  Without, one that
 * can only be read will do; and if there is none, *l is NULL, and people are
 * told. */
int cost_open(struct ai_ledger **l, bool may_make, struct ai_err *err);

/* Lines are kept until the ledger is closed (cost_end()): as long as somebody
 * reads it, its log grows, and standard output may wait for a person. */
struct cost_out {
	struct ai_buf line;
	struct ai_spool kept;
	bool table; /* for people: names in it are cleaned */
	struct ai_err err;
	int rc;
};
void cost_begin(struct cost_out *o, bool table);
/* Adds o->line with a newline and empties it. 0, or 1 to end a list. */
int cost_put(struct cost_out *o);
/* Writes all of it; rc is 0, or -1 if err is set already. An exit status, or
 * -1. */
int cost_end(struct cost_out *o, int rc, struct ai_err *err);

/* Opens the ledger and has rows() write it; head (NULL: none) is the first
 * line of a table.  An exit status, or -1. */
typedef int cost_rows_fn(struct ai_ledger *l, struct cost_out *o,
			 struct ai_err *err);
int cost_list(cost_rows_fn *rows, const char *head, struct ai_err *err);
/* The same with one that is open, and is closed. */
int cost_list_of(struct ai_ledger *l, cost_rows_fn *rows, const char *head,
		 struct ai_err *err);

/* For ai_ledger_export(): writes the line. */
int cost_put_line(void *arg, const struct ai_buf *line);

/* A member in dollars, exact; null below 0 when it may be. */
void cost_put_usd(struct ai_buf *b, const char *key, int64_t nano);
void cost_put_text(struct ai_buf *b, const char *key, const char *text);
void cost_put_int(struct ai_buf *b, const char *key, int64_t n);
/* "2026-11-22T10:00:00+0100", of the ledger's time zone. */
void cost_time(int64_t ms, char out[40]);
void cost_put_time(struct ai_buf *b, const char *key, int64_t ms);

/* ---- wish.c: what a record asks of which model --------------------------------- */

#define COST_MODEL_MAX 128

struct cost_wish {
	const char *model; /* borrowed: own_model, or the command line's */
	char own_model[COST_MODEL_MAX];
	int64_t max_tokens; /* 0: nobody says */
	struct ai_value payload, hits; /* a text, or messages; what was found */
	struct ai_value params;        /* an object that is sent with it, or not */
};
/* Once, before the first record: the model of the command line, "" if there is
 * none; NULL with err. */
const char *cost_wish_begin(struct ai_err *err);
int cost_wish_take(struct cost_wish *q, const struct ai_rec *rec,
		   struct ai_err *err);

/* ---- figure.c: what that comes to ----------------------------------------------- */

struct cost_sum; /* dryrun.c */

/* All that is the same for each record of a model. */
struct cost_model {
	char name[COST_MODEL_MAX]; /* as it was typed; "": a free place */
	struct ai_tariff tariff;
	struct ai_bpe *bpe;        /* the desk's */
	const struct ai_kin *kin;  /* NULL: bpe is the model's own */
	struct ai_range frame;     /* around a text */
	struct ai_room room;       /* as it was at room_ns */
	int64_t room_ns;           /* 0: not known */
	size_t request_bytes;      /* beside the text, of such; 0: not known */
	bool request_chat;
	int64_t request_limit;
	struct ai_buf head, price; /* of the member: what is always the same */
	struct cost_sum *sum;      /* borrowed */
};

#define COST_MODELS 16
#define COST_ENCODINGS 8

/* What one thread works with. */
struct cost_desk {
	struct ai_ledger *ledger; /* NULL while there is none */
	struct ai_bpe *bpe[COST_ENCODINGS]; /* by index, as needed */
	struct cost_model model[COST_MODELS], *last;
	size_t next;
	struct ai_buf text, body, out;
};
struct cost_desk *cost_desk_new(struct ai_err *err); /* NULL with err */
void cost_desk_free(struct cost_desk *d);

struct cost_figure {
	struct cost_model *model; /* the desk's, until the next one */
	struct ai_range input;    /* tokens */
	int64_t output, limit;    /* tokens: expected, and at most */
	int64_t tokens;           /* that a rate limit counts */
	int64_t expected, worst;  /* nano-dollars */
	bool fits;
};
int cost_figure_out(struct cost_desk *d, const struct cost_wish *q,
		    struct cost_figure *f, struct ai_err *err);

/* ---- estimate.c: the filter --------------------------------------------------- */

/* Adds "cost" to records; an exit status, or -1. */
int cost_estimate(int argc, char **argv, struct ai_err *err);

/* ---- dryrun.c: --dry-run ------------------------------------------------------- */

/* Sums all records up; an exit status, or -1. */
int cost_dry_run(int argc, char **argv, struct ai_err *err);

/* ---- table.c: for people ---------------------------------------------------------- */

/* Of the terminal that standard output is; 0: it is none. */
size_t cost_columns(void);
/* Whole percents, up to 999; 100 of nothing. */
int cost_percent(int64_t part, int64_t whole);
/* "[####......]" */
void cost_bar(struct ai_buf *b, int64_t part, int64_t whole, int cells);
/* How long ago that is, in words: "3 hours". ms since 1970. */
void cost_age(int64_t ms, char out[40]);
/* cost_put() in lines of so many columns; 0: one line. */
int cost_put_folded(struct cost_out *o, size_t columns);

/* ---- show.c: how things stand ------------------------------------------------------ */

/* "tenant:acme" */
/* What a budget leaves; 0 if more is spent than it has. */
int64_t cost_left(const struct ai_budget_state *s);
/* The reservations of dead programs. */
struct cost_dead {
	int64_t n, nano;
};
int cost_count_dead(struct ai_ledger *l, struct cost_dead *d,
		    struct ai_err *err);
void cost_name_budget(const struct ai_budget *b, char *out, size_t size);
/* Its members; what is spent, held and left only where that is one sum. */
void cost_put_budget(struct ai_buf *b, const struct ai_budget_state *s);
/* ", which begins anew in 3 hours (2026-11-30T00:00:00+0100)"; nothing for one
 * that never does. */
void cost_say_reset(struct ai_buf *b, int64_t ms);
cost_verb_fn cost_show_budget, cost_show_limit, cost_show_breaker;

/* ---- name.c ---------------------------------------------------------------------- */

/* What calls to a model are booked under, which its budgets and limits must be
 * named after: of "gpt-4o" openai/gpt-4o. Typed itself if no other is known.
 * tell: people hear when it is another, or looks mistyped. */
const char *cost_model_name(const char *typed, bool tell,
			    char out[COST_MODEL_MAX]);

/* ---- set.c --------------------------------------------------------------------------- */

/* What --key or --key-env name, as the ledger does; "*": neither is given. */
int cost_take_key(char out[40], struct ai_err *err);

/* ---- the verbs ------------------------------------------------------------------ */

cost_verb_fn cost_budget, cost_limit;                    /* set.c */
cost_verb_fn cost_reservations;                          /* show.c */
cost_verb_fn cost_health;                                /* health.c */
cost_verb_fn cost_metrics;                               /* metrics.c */
cost_verb_fn cost_settle, cost_breaker;                  /* settle.c */
cost_verb_fn cost_experiment;                            /* experiment.c */
cost_verb_fn cost_report;                                /* report.c */
cost_verb_fn cost_ledger;                                /* admin.c */
cost_verb_fn cost_batch, cost_cache;                     /* kept.c */
cost_verb_fn cost_prices;                                /* prices.c */
cost_verb_fn cost_export, cost_forget;                   /* person.c */

#endif
