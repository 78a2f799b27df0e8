/* complete.h: what the files of ai-complete share. */
#ifndef COMPLETE_H
#define COMPLETE_H

#include "base/opt.h"
#include "model/client.h"
#include "record/loop.h"

#define COMPLETE_LOCAL "local/extract"
#define COMPLETE_TEXT_MAX ((size_t)16 << 20)
#define COMPLETE_QUOTES_MAX 8 /* sentences local/extract may quote */
#define COMPLETE_MAX_TOKENS_MAX 10000000
#define COMPLETE_SEED_MAX ((int64_t)1 << 53)
#define COMPLETE_STOPS_MAX 4
#define COMPLETE_MADE_MAX ((size_t)64 << 20) /* messages that are made */
#define COMPLETE_KEEP ((size_t)1 << 16) /* memory kept between records */

/* How hard a model thinks; each knows some of them. */
#define COMPLETE_EFFORTS "default|none|minimal|low|medium|high|xhigh|max"
#define COMPLETE_EFFORT_NAMES "none", "minimal", "low", "medium", "high", \
	"xhigh", "max"

/* What the options set. */
struct complete_settings {
	const char *model;       /* -m, with commas; NULL: none */
	const char *fallback_on; /* reasons to ask the next one, with commas */
	struct ai_opt_list routes;
	const char *conversation; /* -c; NULL: none */
	int64_t history;          /* messages of it that are sent, at most */
	struct ai_opt_list arms; /* of ai_paid.experiment */
	const char *schema;      /* --schema: a file; NULL: none */
	int64_t schema_retries;
	const char *system;      /* --system */
	const char *system_file; /* --system-file */
	int64_t max_tokens;        /* 0: not set */
	double temperature, top_p; /* NAN: not set */
	int64_t seed;              /* AI_CHAT_UNSET: not set */
	struct ai_opt_list stop;
	int effort;                /* of COMPLETE_EFFORTS */
	const char *template;      /* --template: a file; NULL: none */
	struct ai_opt_list images; /* --image: files and addresses */
	const char *image_dir;     /* where those of records may lie */
	int64_t image_max;         /* bytes */
	bool openai_batch;         /* --openai-batch: write Batch lines */
	int64_t sentences;         /* local/extract */
	double threshold;          /* local/extract */
	bool sources;              /* -r: what was cited, behind the text */
	bool stream;
	bool count;                /* --count */
};
extern struct complete_settings complete_settings;

/* Runs the program; for ai_program.run. */
int complete_run(int argc, char **argv, struct ai_err *err);

/* ---- hits.c: what a search found ---------------------------------------- */

struct complete_hit {
	size_t at, n;               /* its text, in complete_hits.text */
	struct ai_value id, source; /* of the record; AI_NONE if absent */
};

struct complete_hits {
	struct complete_hit *v;
	size_t n, cap;
	bool given;        /* the record has hits, perhaps none */
	bool confident;    /* the search did not say that nothing fits */
	struct ai_buf text;
};

void complete_hits_init(struct complete_hits *h);
void complete_hits_release(struct complete_hits *h);
/* Replaces what was there by the hits of the record, which it borrows. */
int complete_hits_take(struct complete_hits *h, const struct ai_rec *rec,
		       struct ai_err *err);
struct ai_span complete_hit_text(const struct complete_hits *h, size_t i);
/* Appends where the i-th hit (from 0) comes from, for people: "README:12-31";
 * one line without control bytes. */
void complete_hit_label(const struct complete_hits *h, size_t i,
			struct ai_buf *out);

/* ---- context.c: the hits as a model sees them --------------------------- */

/* What the model is told about the sources, appended. */
void complete_context_rules(const struct complete_hits *h, const char *tag,
			    struct ai_buf *out);
/* The numbered sources between delimiters made with the tag, appended. */
void complete_context(const struct complete_hits *h, const char *tag,
		      struct ai_buf *out);
/* A tag that no text can foresee: 16 hexadecimal digits and a NUL. */
#define COMPLETE_TAG 17
void complete_context_tag(const struct complete_hits *h, struct ai_span asked,
			  char tag[COMPLETE_TAG]);

/* ---- params.c: how a record wants its answer ----------------------------- */

/* The settings of one record: flag > params, or the body of a batch line >
 * environment > configuration. */
struct complete_params {
	const char *model;    /* perhaps several, with commas; NULL: none */
	bool has_model;       /* it is the record's */
	struct ai_span system;
	int64_t max_tokens, seed;
	int64_t max_nano; /* nano-dollars that it may cost; 0: as budgets
			   * allow */
	double temperature, top_p;
	struct ai_span stop[COMPLETE_STOPS_MAX];
	size_t n_stop;
	int effort;   /* of COMPLETE_EFFORTS */
	int cache;    /* enum ai_cache_use */
	struct ai_value tools, tool_choice; /* in OpenAI's form; AI_NONE */
	struct ai_span schema; /* that the answer is to satisfy; n 0: none */
	struct ai_value body; /* of a batch line, as batch.c makes it;
			       * AI_NONE: the record is none */
	const char *where;    /* what the line calls it: "body" */
	struct ai_buf text;   /* owns what comes from the record */
	struct ai_buf made;   /* owns the body */
};

void complete_params_init(struct complete_params *p);
void complete_params_release(struct complete_params *p);
int complete_params_take(struct complete_params *p, const struct ai_rec *rec,
			 struct ai_err *err);
/* What is the same for all records: the system prompt; once, before the first
 * of them. */
int complete_params_load(struct ai_err *err);
void complete_params_unload(void);
/* AI_E_RECORD: it asks for what a model that only quotes cannot do. */
struct complete_prompt;
int complete_params_local(const struct complete_params *p,
			  const struct complete_prompt *q, struct ai_err *err);
/* The name of p->effort; NULL: as the model has it. */
const char *complete_effort(const struct complete_params *p);

/* ---- prompt.c: what it asks ---------------------------------------------- */

/* A text, or a conversation. */
struct complete_prompt {
	struct ai_value messages; /* AI_ARRAY, or AI_NONE: text it is */
	struct ai_buf text;       /* of the last message, if it is a string */
	int64_t ordinal;          /* among the same requests of a batch; -1:
				   * not counted yet */
	struct ai_buf made;       /* owns messages that the record has not */
};

void complete_prompt_init(struct complete_prompt *q);
void complete_prompt_release(struct complete_prompt *q);
/* Lets go of memory that the next record will hardly need. */
void complete_prompt_shrink(struct complete_prompt *q);
/* --template and --image, once, before the first record. */
int complete_prompt_load(struct ai_err *err);
void complete_prompt_unload(void);
/* The number of the last message that is the user's; -1: there is none. */
long complete_last_user(struct ai_value messages);
/* p: of the same record; it must stay while the messages are in use. */
int complete_prompt_take(struct complete_prompt *q,
			 const struct complete_params *p,
			 const struct ai_rec *rec, struct ai_err *err);

/* ---- batch.c: lines made for a provider's batch --------------------------- */

/*
 * If the record is such a line, what it asks for becomes p->body: an object
 * with the members of params in our form, and "messages".  AI_E_RECORD: it is
 * one that asks for what we cannot do.
 */
int complete_batch_take(const struct ai_rec *rec, struct complete_params *p,
			struct ai_err *err);

/* A body on its way to our form. */
struct complete_body {
	const char *where;   /* what messages call it: "body" */
	struct ai_buf *out;
	struct ai_err *err;
	struct ai_value all; /* the whole of it */
	const char *provider; /* whose batch it is for */
};

/* What becomes of a member: it is copied under our name; or put() writes what
 * it says; or it is left out if it is null or one of some values, which mean
 * nothing to us: "*": any. */
struct complete_member {
	const char *name; /* NULL ends a table */
	const char *ours;
	const char *fine; /* JSON: "false|0" */
	int (*put)(struct complete_body *b, struct ai_value v);
};
int complete_body_put(struct complete_body *b, struct ai_value object,
		      const struct complete_member *table);
/* put(): the name of a model, with the provider before it. */
int complete_body_model(struct complete_body *b, struct ai_value v);
/* AI_E_RECORD: "body.NAME WHAT". Returns -1. */
int complete_body_wrong(const struct complete_body *b, const char *name,
			const char *what);

/* A part of a body: "body.NAME", "body.NAME.3"; "" is no name, and SIZE_MAX no
 * number. */
struct complete_within {
	struct complete_body b;
	char where[128];
};
struct complete_body *complete_body_enter(struct complete_within *w,
					  const struct complete_body *b,
					  const char *name, size_t i);

extern const struct complete_member complete_body_chat[],
	complete_body_responses[], complete_body_anthropic[];

/* ---- template.c: {{field}} ------------------------------------------------- */

struct complete_segment;
struct complete_template {
	struct complete_segment *v;
	size_t n, cap;
	struct ai_buf text;  /* what stands between the fields */
	struct ai_buf paths; /* each with a NUL */
};

void complete_template_init(struct complete_template *t);
void complete_template_release(struct complete_template *t);
/* AI_E_DATA: it is none; the message has name:line:column. */
int complete_template_parse(struct complete_template *t, struct ai_span text,
			    const char *name, struct ai_err *err);
/* Appends.  AI_E_RECORD: the record lacks a member. */
int complete_template_render(const struct complete_template *t,
			     const struct ai_rec *rec, struct ai_buf *out,
			     struct ai_err *err);

/* ---- images.c ---------------------------------------------------------------- */

/* --image: once, before the first record. */
int complete_images_load(struct ai_err *err);
void complete_images_unload(void);
/* Puts those of the options and of the record into the last message that is
 * the user's. */
int complete_images_take(struct complete_prompt *q, const struct ai_rec *rec,
			 struct ai_err *err);

/* ---- file.c ------------------------------------------------------------------- */

#define COMPLETE_FILE_ROOM ((size_t)1 << 16) /* that reading needs behind it */
struct complete_file {
	const char *path, *name; /* name: for messages */
	bool regular;            /* it must be */
	size_t max;              /* bytes */
	enum ai_code code;       /* if it cannot be read */
};
/* Appends all of it.  AI_E_TOO_LONG: there is more (AI_E_DATA where the code is
 * AI_E_OPEN). */
int complete_file_read(const struct complete_file *f, struct ai_buf *out,
		       struct ai_err *err);

/* ---- answers ------------------------------------------------------------ */

/* A passage quoted word by word: bytes of a hit's text. */
struct complete_quote {
	size_t hit, from, to;
};

struct complete_answer {
	struct ai_chat_answer chat; /* text, model, finish_reason, usage */
	const char *provider;       /* borrowed */
	int64_t max_tokens;         /* AI_CHAT_UNSET: none */
	int64_t tokens;             /* --count: how many there are */
	struct ai_call call;        /* attempts, latency, request_id */
	int attempts;               /* before that call, of this record */
	int64_t cost;               /* likewise, nano-dollars */
	const char *experiment, *arm; /* borrowed; arm NULL: there is none */
	struct ai_span fallback;    /* JSON, borrowed: the models that failed
				     * before, objects with commas */
	bool extractive;
	double score;               /* extractive: how much of the question the
				     * best sentence holds, 0 to 1 */
	struct complete_quote quotes[COMPLETE_QUOTES_MAX];
	size_t n_quotes;
	size_t *cited;              /* hits, from 0, in order of citation */
	size_t n_cited, cap_cited;
	int64_t invalid[32];        /* cited, but there is no such hit */
	size_t n_invalid;
	bool may_call;              /* tools were offered: calls of them are
				     * an answer without a text */
};

void complete_answer_init(struct complete_answer *a);
void complete_answer_release(struct complete_answer *a);
void complete_answer_clear(struct complete_answer *a);
/* The same, for another call of the same record: what the last one has cost is
 * remembered. */
void complete_answer_again(struct complete_answer *a);

/* cite.c: finds the [n] in the answer's text and resolves them. */
int complete_cite(struct complete_answer *a, size_t n_hits,
		  struct ai_err *err);
/* Notes that hit i is cited, once. */
int complete_cite_add(struct complete_answer *a, size_t i,
		      struct ai_err *err);

/* answer.c: the member, and what -r prints. */
void complete_answer_put(const struct complete_answer *a,
			 const struct complete_hits *h, struct ai_buf *out);
void complete_answer_plain(const struct complete_answer *a,
			   const struct complete_hits *h, bool sources,
			   struct ai_buf *out);
/* The member "experiment", if there is one. */
void complete_answer_put_experiment(const struct complete_answer *a,
				    struct ai_buf *out);
/* What -r prints behind a text that was written already, as it came. */
void complete_answer_rest(const struct complete_answer *a,
			  const struct complete_hits *h, bool sources,
			  struct ai_buf *out);

/* outbatch.c: --openai-batch: a line of a Batch's output, without its end.
 * call: how the failed call went; NULL: there was none.  rec NULL: the line is
 * no record. */
void complete_outbatch_put(const struct complete_answer *a,
			   const struct ai_rec *rec, struct ai_buf *out);
void complete_outbatch_fail(const struct ai_call *call,
			    const struct ai_rec *rec, unsigned long line,
			    const struct ai_err *why, struct ai_buf *out);

/* ---- models ------------------------------------------------------------- */

/* split.c: text as sentences that can stand alone when quoted. */
enum complete_kind {
	COMPLETE_PROSE,
	COMPLETE_ITEM, /* of a list; an option with its description */
	COMPLETE_ROW,  /* of a table */
	COMPLETE_CODE,
	COMPLETE_HEADING, /* or a question: never quoted; says what a passage
			   * is about */
};
struct complete_sentence {
	size_t hit, from, to; /* bytes of the hit's text */
	enum complete_kind kind;
	bool first, cut;      /* begins its paragraph; lacks an end or a start */
};
struct complete_sentences {
	struct complete_sentence *v;
	size_t n, cap;
};
int complete_split(struct complete_sentences *s, size_t hit,
		   struct ai_span text, struct ai_err *err);

/* extract.c: local/extract, which quotes the hits. */
int complete_extract(const struct complete_hits *h, struct ai_span question,
		     size_t sentences, double threshold,
		     struct complete_answer *a, struct ai_err *err);

/* ---- what a record asks --------------------------------------------------- */

/* schema.c: answers as JSON that must satisfy a schema. */
struct complete_schema {
	struct ai_span text;              /* n 0: none */
	const struct ai_schema *compiled; /* likewise NULL */
	struct ai_schema *own;            /* of the record; owned */
	int64_t asked;        /* answers of this model that it refused */
	struct ai_buf answer; /* the last of them, and what is wrong with it */
	struct ai_buf why;
	struct ai_buf errors; /* JSON: what was wrong with each, with commas */
};
/* --schema: once, before the first record.  AI_E_DATA: it is no schema. */
int complete_schema_load(struct ai_err *err);
void complete_schema_unload(void);
void complete_schema_init(struct complete_schema *s);
void complete_schema_release(struct complete_schema *s);
/* Forgets the record. */
void complete_schema_clear(struct complete_schema *s);
/* That of the record, which must stay, else (n 0) of --schema.  AI_E_RECORD:
 * it is no schema. */
int complete_schema_take(struct complete_schema *s, struct ai_span own,
			 struct ai_err *err);
/* Leaves the JSON of an answer, without blanks or a fence around it. */
void complete_schema_strip(struct ai_buf *text);
/* AI_E_ANSWER: the answer does not satisfy it, which is noted; *again: it may
 * be asked again. */
int complete_schema_check(struct complete_schema *s,
			  const struct ai_chat_answer *a, bool *again,
			  struct ai_err *err);
/* An answer that is none for another reason, for the error. */
void complete_schema_note(struct complete_schema *s, const struct ai_buf *text,
			  const char *why);
/* Another model is asked: it has given no answer yet. */
void complete_schema_next(struct complete_schema *s);

struct complete_history;
struct complete_request {
	struct complete_params params;
	struct complete_prompt prompt;
	struct complete_hits hits;
	struct complete_schema schema;
	const char *models; /* that it is asked of, by name, with commas */
	const char *arm;    /* of the experiment; NULL: there is none */
	const struct complete_history *history; /* what was said before */
	struct ai_buf note; /* for --resume: see kept.c */
	struct ai_buf batch; /* that the record names, with --resume-by; or
			      * empty */
	bool only_kept;     /* nobody is asked */
};

/* ---- chain.c: the models that are asked, one after the other --------------- */

#define COMPLETE_CHAIN_MAX 16

struct complete_chain {
	const char *left;              /* names that are still to come */
	char model[AI_MODEL_NAME_MAX]; /* the one that is asked now */
	size_t n;                      /* that have failed */
	struct ai_buf failed;          /* the same as objects, with commas */
	struct ai_buf said;            /* names and reasons, each with a NUL */
	struct ai_err err;             /* of all of them */
};

void complete_chain_init(struct complete_chain *c);
void complete_chain_release(struct complete_chain *c);
/* What --fallback-on says; once, before the first record. */
int complete_chain_load(struct ai_err *err);
/* AI_E_CONFIG: a name that cannot be one, or too many. */
int complete_chain_check(const char *names, struct ai_err *err);
/* Names that were checked; they must stay. */
void complete_chain_begin(struct complete_chain *c, const char *names);
/* Whether there is another; its name is in c->model then. */
bool complete_chain_next(struct complete_chain *c);
/* c->model did not answer. */
void complete_chain_failed(struct complete_chain *c, const struct ai_err *why);
/* The models that failed are those of this list, as c->failed has them. */
void complete_chain_restore(struct complete_chain *c, struct ai_value list);
/* One error for all that have failed, which are one at least. */
void complete_chain_error(const struct complete_chain *c, struct ai_err *err);

/* Why a model did not answer, or not well. */
enum complete_reason {
	COMPLETE_NO_REASON = 0,
	COMPLETE_DOWN = 1,
	COMPLETE_LIMITED = 2,
	COMPLETE_TOO_LONG = 4,
	COMPLETE_POLICY = 8,
	COMPLETE_KEY = 16,
	COMPLETE_BUDGET = 32,
	COMPLETE_SCHEMA = 64,
	COMPLETE_OTHER = 128,
};
enum complete_reason complete_reason_of(enum ai_call_failure failure,
					enum ai_code code);
/* Whether another model is asked then. */
bool complete_chain_leads_on(enum complete_reason why);

/* places.c: where models are; kept, since they are mostly the same. */
struct complete_place {
	struct complete_place *next;
	struct ai_endpoint endpoint;
	struct ai_bpe *bpe;            /* length.c: for counting; NULL */
	char model[AI_MODEL_NAME_MAX]; /* as it was typed */
	size_t users;
};
/* The model's place, to be given back; NULL: err as of ai_endpoint_init(). */
struct complete_place *complete_place_take(struct complete_place **all,
					   const char *model,
					   struct ai_err *err);
/* NULL is fine. */
void complete_place_give(struct complete_place *p);
void complete_places_release(struct complete_place **all);

/* route.c: rules that choose a model, of --route or complete.routes. */
int complete_routes_load(struct ai_err *err);
void complete_routes_unload(void);
/* Calls each() with the models of every rule until it returns nonzero. */
int complete_routes_each(int (*each)(const char *models, struct ai_err *err),
			 struct ai_err *err);
/* The models that the record is to be asked of: its arm's, or by the first rule
 * that holds, where rules count, else as its params have it; NULL: none. -1: a pattern
 * takes too long on it. */
int complete_route(const struct complete_request *q, const struct ai_rec *rec,
		   const char **models, struct ai_err *err);

/* experiment.c: --experiment with --arm: which models a record is asked of. */
int complete_experiment_load(struct ai_err *err);
void complete_experiment_unload(void);
int complete_experiment_each(int (*each)(const char *models,
					 struct ai_err *err),
			     struct ai_err *err);
/* The record's arm, which is its models; NULL: there is no experiment. */
int complete_experiment_take(const struct complete_request *q,
			     const struct ai_rec *rec, const char **arm,
			     struct ai_err *err);

/* history.c: -c: what was said before, as the ledger keeps it. */
struct complete_history {
	struct ai_ledger *ledger; /* NULL: not opened */
	bool loaded;
	int64_t known;            /* messages that are kept */
	struct ai_buf text;       /* the last of them, as JSON */
	struct complete_said *v;
	size_t n, cap;
	struct ai_buf asked;      /* of this turn, as JSON */
};
/* Whether it goes with the other options; records are asked one by one then. */
int complete_history_check(struct ai_err *err);
void complete_history_init(struct complete_history *h);
void complete_history_release(struct complete_history *h);
/* Reads what is kept, if that is not known yet. */
int complete_history_load(struct complete_history *h, struct ai_err *err);
/* How many of the last messages are sent, and the i-th of these. */
size_t complete_history_count(const struct complete_history *h);
struct ai_value complete_history_at(const struct complete_history *h,
				    size_t n, size_t i);
/* AI_E_RECORD: what is asked cannot be kept. */
int complete_history_take(const struct complete_request *q,
			  struct ai_err *err);
/* Keeps what was asked, and the answer.  AI_E_TRY_LATER: another program has
 * gone on with the conversation. */
int complete_history_keep(struct complete_history *h,
			  const struct complete_request *q,
			  const struct complete_answer *a, struct ai_err *err);

/* conversation.c: the verb "conversation"; the operands behind it. */
int complete_conversation(int argc, char **argv, struct ai_err *err);

/* length.c: whether what is asked fits into a model's context. */
struct complete_length {
	const struct ai_chat_message *v;
	size_t n;
	size_t from, to;   /* those that may be left out; out: from is the
			    * first that stays */
	int64_t output;    /* tokens of the answer; out: shortened, if it may */
	bool may_shorten;
	struct ai_media media;
	struct ai_span tools, schema; /* JSON that goes with them */
};
/* AI_E_TOO_LONG: it does not fit, whatever is left out. */
int complete_length_fit(struct complete_place *p, struct complete_length *l,
			struct ai_err *err);

/* remote.c: asks a provider; with delta, the answer streams.  done() is called
 * by a later turn of the client, if this returns 0; what is borrowed must stay
 * until then.  1: q->only_kept, and nothing is. */
int complete_remote_begin(struct ai_client *c, struct complete_place *p,
			  struct complete_request *q,
			  struct complete_answer *a, ai_client_delta *delta,
			  ai_client_done *done, void *arg, struct ai_err *err);
/* What is made of the answer then. */
int complete_remote_end(const struct ai_endpoint *e,
			const struct complete_request *q,
			struct complete_answer *a, struct ai_err *err);

/* kept.c: with --resume: what is kept with an answer, of what came before it,
 * and what becomes of that when the batch goes on. */
void complete_kept_put(const struct complete_answer *a,
		       const struct complete_chain *c, struct ai_buf *note);
void complete_kept_take(struct complete_answer *a, struct complete_chain *c);

/* local.c: the models that are built in. */
bool complete_is_local(const char *model);
int complete_local_check(const char *model, struct ai_err *err);
int complete_local_ask(const struct complete_request *q,
		       struct complete_answer *a, struct ai_err *err);

/* output.c: what is written of a record. */
#define COMPLETE_WHERE 32
/* "line 3: ", for a message; "" for words on the command line, which have no
 * line.  Returns where. */
const char *complete_where(unsigned long line, char where[COMPLETE_WHERE]);
struct complete_output {
	struct ai_task *task;
	bool streamed;      /* some of the text has been written */
	struct ai_buf text; /* of what is written next */
};
/* A piece of the answer, as soon as it is its turn. */
int complete_output_delta(struct complete_output *o, struct ai_span text,
			  struct ai_err *err);
int complete_output_answer(struct complete_output *o,
			   const struct complete_answer *a,
			   const struct complete_hits *h, struct ai_err *err);
/* Ends the record with an error, which also says what was tried. */
void complete_output_fail(struct complete_output *o,
			  const struct complete_answer *a,
			  const struct complete_chain *c,
			  const struct complete_schema *s,
			  const struct ai_err *why);

/* ---- count.c: --count ----------------------------------------------------- */

/* Before the first record: whether it goes with the other options. */
int complete_count_check(struct ai_err *err);
/* Asks for the count of a request instead of its answer. */
int complete_count_begin(struct ai_client *c, const struct ai_endpoint *e,
			 const struct ai_chat_request *asked,
			 struct complete_answer *a, ai_client_done *done,
			 void *arg, struct ai_err *err);
int complete_count_output(struct complete_output *o,
			  const struct complete_answer *a, struct ai_err *err);

/* ---- models.c: the verb "models" ------------------------------------------- */

/* The operands are providers. */
int complete_models(int argc, char **argv, struct ai_err *err);

#endif
