/*
 * wire.h: what a program asks of a model, and how a provider writes it.
 *
 * A wire format is one const struct ai_wire in a file of its own: it turns
 * requests into JSON and answers back.  It sees no network, no key and no
 * clock; model/client.h brings those together.  OpenAI's form of messages,
 * tools and calls is the one that records have; model/turns.h takes it apart
 * for the others.
 */
#ifndef AI_MODEL_WIRE_H
#define AI_MODEL_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/chat_tokens.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_CHAT_UNSET INT64_MIN /* no limit, no seed */
#define AI_EMBED_TEXTS_MAX 2048

/* One message: either a role and a text, or an object as the record has it. */
struct ai_chat_message {
	const char *role; /* "system", "user"; NULL: raw */
	struct ai_span text;
	struct ai_value raw;
};

struct ai_chat_request {
	const char *model;
	const struct ai_chat_message *messages;
	size_t n_messages;
	int64_t max_tokens;       /* AI_CHAT_UNSET: not sent */
	bool may_shorten;         /* max_tokens is nobody's wish: the budget of
				   * a request may lower it */
	int64_t max_nano;         /* nano-dollars that it may cost at most; 0:
				   * as budgets allow */
	const char *max_tokens_name; /* NULL: as the provider's own server has
				      * it; older servers want "max_tokens" */
	struct ai_media media;     /* what is in the raw messages */
	double temperature, top_p; /* NAN: not sent */
	int64_t seed;              /* AI_CHAT_UNSET: not sent */
	const struct ai_span *stop;
	size_t n_stop;
	const char *effort;           /* of reasoning: "low", ...; NULL */
	struct ai_value tools;        /* a list in OpenAI's form; AI_NONE */
	struct ai_value tool_choice;  /* likewise */
	struct ai_span schema;        /* that the answer's text must satisfy:
				       * JSON; n 0: none */
	bool stream;
};

/*
 * Tokens; -1 where the provider told nothing.  input counts all of the
 * input: cached_read and cache_write are parts of it, as reasoning is a part
 * of output.
 */
struct ai_usage {
	int64_t input, cached_read, cache_write, output, reasoning;
};

/* A tool that the model calls. */
struct ai_tool_call {
	struct ai_buf id;        /* as it was told, for it goes back; some
				  * gateways put thousands of bytes there */
	char name[128];          /* "" if not told */
	struct ai_buf arguments; /* a JSON object, as text; while it streams a
				  * part of one */
	struct ai_buf signature; /* of the thoughts that led to it, which some
				  * models want back with it; empty: none */
	int64_t block;           /* the number that pieces of it come under,
				  * in formats that number what they stream */
};
#define AI_TOOL_CALLS_MAX 128
/* Where a call has it in OpenAI's form, as Google imitates that. */
#define AI_SIGNATURE "extra_content.google.thought_signature"

struct ai_chat_answer {
	struct ai_buf text;
	char model[128];        /* as the provider names it; "" if it does not */
	char finish_reason[32]; /* OpenAI's words: "stop", "length",
				 * "tool_calls", "content_filter", or the
				 * provider's own; "" if not told */
	bool refusal;           /* text says why the model would not answer */
	struct ai_tool_call *calls; /* owned */
	size_t n_calls;
	struct ai_buf bill;     /* what the provider counted, as JSON for
				 * ai_meter_read(); empty: nothing */
	struct ai_usage usage;  /* the same for people; see ai_usage_of() */
};

void ai_chat_answer_init(struct ai_chat_answer *a, size_t max_text);
void ai_chat_answer_release(struct ai_chat_answer *a);
/* As new, but keeps the memory of the text. */
void ai_chat_answer_clear(struct ai_chat_answer *a);
/* The i-th call, made if there is none yet.  NULL: AI_E_ANSWER, there are too
 * many; AI_E_MEMORY. */
struct ai_tool_call *ai_chat_call(struct ai_chat_answer *a, size_t i,
				  struct ai_err *err);
/* One more call, of this block. */
struct ai_tool_call *ai_chat_call_new(struct ai_chat_answer *a, int64_t block,
				      struct ai_err *err);
/* The call of this block; the newest of several; NULL: there is none. */
struct ai_tool_call *ai_chat_call_of(struct ai_chat_answer *a, int64_t block);

/* The i-th call in OpenAI's form, as a message has it; and all as a list.  An id
 * that was not told is made: who gives none has calls answered in order.  A
 * signature stands where OpenAI's imitators have it (extra_content.google). */
void ai_chat_call_put(const struct ai_chat_answer *a, size_t i,
		      struct ai_buf *out);
void ai_chat_calls_put(const struct ai_chat_answer *a, struct ai_buf *out);
/* An answer as JSON, whole, and the same again (keep.c). */
void ai_chat_answer_put(const struct ai_chat_answer *a, struct ai_buf *out);
int ai_chat_answer_take(struct ai_span kept, struct ai_chat_answer *a,
			struct ai_err *err);

/* What a text is to its index, to models that make a difference of it. */
enum ai_input_type { AI_INPUT_ANY, AI_INPUT_DOCUMENT, AI_INPUT_QUERY };

struct ai_embed_request {
	const char *model;
	const struct ai_span *texts; /* UTF-8, none empty */
	size_t n;                    /* 1 to AI_EMBED_TEXTS_MAX */
	size_t dim;                  /* 0: as the model has it */
	enum ai_input_type type;
};

struct ai_embed_answer {
	float *vectors; /* n rows of dim, in the order of the texts; owned */
	size_t n, dim;  /* dim: at least what was asked for */
	int64_t tokens; /* of the whole request; -1: not told */
};

void ai_embed_answer_release(struct ai_embed_answer *a);

/* What the body of a failed request says. */
struct ai_wire_error {
	long status;       /* that the body names, or 0 */
	char message[256]; /* one line; "" if there is none */
	char code[64];     /* "insufficient_quota", ...; "" */
	char param[64];    /* the member of the request it is about; "" */
	double retry_after_s; /* that the body asks for; 0: nothing */
};

/* What a chat request may ask for beside messages: bits of ai_wire.lacks. */
enum ai_chat_feature {
	AI_CHAT_TEMPERATURE = 1,
	AI_CHAT_TOP_P = 2,
	AI_CHAT_SEED = 4,
	AI_CHAT_STOP = 8,
	AI_CHAT_EFFORT = 16,
	AI_CHAT_TOOLS = 32,
	AI_CHAT_TOOL_CHOICE = 64,
	AI_CHAT_SCHEMA = 128,
	AI_CHAT_MEDIA = 256,
};

/* Where the key stands in a request. */
enum ai_auth {
	AI_AUTH_BEARER,    /* Authorization: Bearer KEY */
	AI_AUTH_X_API_KEY, /* x-api-key: KEY (Anthropic) */
	AI_AUTH_API_KEY,   /* api-key: KEY (Azure) */
	AI_AUTH_GOOGLE,    /* x-goog-api-key: KEY */
	AI_AUTH_AWS,       /* signed (net/sign.h), or a bearer's */
};

/* How a streamed answer is cut into events. */
enum ai_framing {
	AI_FRAMING_NONE, /* it cannot stream */
	AI_FRAMING_SSE,
	AI_FRAMING_NDJSON,
	AI_FRAMING_AWS,  /* application/vnd.amazon.eventstream */
};

/* An event with a name; a table ends with {NULL}. */
struct ai_wire_event {
	const char *name;
	int (*take)(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err);
};

/* Which schemas an answer can be held to. */
enum ai_schema_form {
	AI_SCHEMA_ANY,
	AI_SCHEMA_CLOSED, /* ai_schema_is_closed() */
};

/*
 * Paths are what stands behind the base address: "/messages".  "{}" in one is
 * the model's name.
 */
struct ai_wire {
	const char *name;       /* "openai" */
	const char *root;       /* below which its paths stand: "/v1" */
	unsigned lacks;         /* enum ai_chat_feature: what it cannot do */
	const char *efforts;    /* those it knows: "low, high"; NULL: any */
	enum ai_schema_form schemas;
	enum ai_auth auth;
	enum ai_framing framing;
	const char *const *headers; /* beside those of all; NULL: none */

	const char *path;
	const char *stream_path; /* NULL: the same */
	/* The request, appended to out, which the caller checks.  -1:
	 * AI_E_RECORD, the messages cannot be said in this format. */
	int (*put_chat)(const struct ai_chat_request *q, struct ai_buf *out,
			struct ai_err *err);
	/*
	 * Answers, from bytes of unknown quality: 0, or -1 with AI_E_ANSWER
	 * (or AI_E_MEMORY, AI_E_TOO_LONG), the message saying what is wrong.
	 */
	int (*get_chat)(const char *p, size_t n, struct ai_chat_answer *a,
			struct ai_err *err);
	/* For ai_wire_get_event(): events by their names (NULL: they have
	 * none), and what takes those that are not among these (NULL: they
	 * say nothing of the answer). */
	const struct ai_wire_event *events;
	int (*get_event)(struct ai_span name, struct ai_span data,
			 struct ai_chat_answer *a, struct ai_err *err);
	/* Whether the body (or an event's data) is an error's; if so, what it
	 * says. */
	bool (*get_error)(const char *p, size_t n, struct ai_wire_error *e);
	/* What an error is called beside its body: in a header
	 * ("x-amzn-errortype"), or as an event's name.  Fills code, and the
	 * status if it has none.  NULL: it is called nothing. */
	void (*name_error)(struct ai_span name, struct ai_wire_error *e);

	/* How many tokens the request has, asked of the provider. */
	const char *count_path; /* NULL: it does not tell */
	int (*put_count)(const struct ai_chat_request *q, struct ai_buf *out,
			 struct ai_err *err);
	const char *count;      /* where the answer has the number */

	/* The models that a key may use. */
	struct {
		const char *path;   /* NULL: they cannot be listed */
		const char *list;   /* where the answer has them: "data" */
		const char *name;   /* of one, in there: "id" */
		const char *prefix; /* that is no part of it; NULL: none */
		const char *next;   /* where the name of the next page stands;
				     * NULL: there is one page */
		const char *more;   /* true if there is one; NULL: next tells */
		const char *page;   /* what asks for it: "&after_id=" */
	} models;

	struct {
		const char *path;   /* NULL: it makes no vectors */
		size_t max;         /* texts at once; 0: AI_EMBED_TEXTS_MAX */
		size_t max_tokens;  /* in all of them; 0: not known */
		bool types;         /* it is told the ai_input_type */
		const char *list;   /* where the answer has them: "data" */
		const char *vector; /* of one, in there: "embedding" */
		const char *usage;  /* where it has what is billed */
		const char *tokens; /* and where, in all, the tokens; NULL:
				     * it does not tell */
	} embed;
	void (*put_embed)(const struct ai_embed_request *q,
			  struct ai_buf *out);
};

/* AI_E_RECORD: the request asks for what this provider cannot do. */
int ai_wire_check(const struct ai_wire *wire, const char *provider,
		  const struct ai_chat_request *q, struct ai_err *err);
/* Whether it can hold an answer to this schema; if not, ask without it. */
bool ai_wire_has_schema(const struct ai_wire *wire, struct ai_span schema);

/*
 * One event of a streamed answer adds to a what it brings.  It has its name
 * from the framing (else it is "") or from its own "type".  1: the answer is
 * whole, or the event is "[DONE]"; 0: there is more to come; -1 as of
 * get_chat().  An error that comes in a stream is found by get_error() before.
 */
int ai_wire_get_event(const struct ai_wire *wire, struct ai_span name,
		      struct ai_span data, struct ai_chat_answer *a,
		      struct ai_err *err);

/* The answers to what is not a chat; errors as of get_chat(). */
int ai_wire_get_count(const struct ai_wire *wire, const char *p, size_t n,
		      int64_t *tokens, struct ai_err *err);
/* Hands on the models until each() returns -1.  next becomes what
 * ai_wire.models.page wants: "" if this was the last page. */
struct ai_listed {
	struct ai_span name;
	int64_t context, output; /* most tokens; -1: not told */
};
typedef int ai_model_each(void *arg, const struct ai_listed *m,
			  struct ai_err *err);
int ai_wire_get_models(const struct ai_wire *wire, const char *p, size_t n,
		       ai_model_each *each, void *arg, struct ai_buf *next,
		       struct ai_err *err);
int ai_wire_get_embed(const struct ai_wire *wire, const char *p, size_t n,
		      const struct ai_embed_request *q,
		      struct ai_embed_answer *a, struct ai_err *err);

extern const struct ai_wire ai_wire_openai;
extern const struct ai_wire ai_wire_anthropic;
extern const struct ai_wire ai_wire_bedrock;
extern const struct ai_wire ai_wire_cohere;
extern const struct ai_wire ai_wire_ollama;
extern const struct ai_wire ai_wire_gemini;
extern const struct ai_wire ai_wire_responses;
extern const struct ai_wire ai_wire_mistral; /* in openai.c */
extern const struct ai_wire ai_wire_voyage;  /* vectors only: vectors.c */
extern const struct ai_wire ai_wire_jina;    /* likewise */

/* ---- what several formats need ------------------------------------------- */

/*
 * Copies text for a message: control bytes and runs of blanks become one
 * blank, what does not fit is cut at a character with "..." behind it.
 */
void ai_wire_clean(struct ai_span text, char *out, size_t size);
/* The decoded string at the path, cleaned; "" if there is none. */
void ai_wire_copy(struct ai_value v, const char *path, char *out, size_t size);
/* The body as an object.  -1: AI_E_ANSWER, it is none. */
int ai_wire_object(const char *p, size_t n, struct ai_value *v,
		   struct ai_err *err);
/* And some members of it: ai_json_members(). */
int ai_wire_members(const char *p, size_t size, struct ai_value *v,
		    const struct ai_json_want *w, size_t n,
		    struct ai_err *err);
/* Seconds that make sense, or -1. */
double ai_wire_seconds(struct ai_value v, const char *path);
/* A count that makes sense, or -1. */
int64_t ai_wire_count(struct ai_value v, const char *path);
/* Members that are written if they are set. */
void ai_wire_put_i64(struct ai_buf *b, const char *name, int64_t v);
void ai_wire_put_f64(struct ai_buf *b, const char *name, double v);
void ai_wire_put_texts(struct ai_buf *b, const char *name,
		       const struct ai_span *v, size_t n);
void ai_wire_put_cstr(struct ai_buf *b, const char *name, const char *v);
void ai_wire_put_value(struct ai_buf *b, const char *name, struct ai_value v);
/* A member that is written in any case. */
void ai_wire_put_span(struct ai_buf *b, const char *name, struct ai_span v);
void ai_wire_put_bool(struct ai_buf *b, const char *name, bool v);
/* A member that is JSON already. */
void ai_wire_put_json(struct ai_buf *b, const char *name,
		      struct ai_span json);
/* One of two words, as the type has it; neither: nothing. */
void ai_wire_put_input_type(struct ai_buf *b, const char *name,
			    enum ai_input_type type, const char *document,
			    const char *query);
/* What opens a member that is an object or a list. */
void ai_wire_put_in(struct ai_buf *b, const char *name, char bracket);
/* Opens an object whose first member is its type. */
void ai_wire_put_type(struct ai_buf *b, const char *type);
/* One with the name of the schema, the schema, and whether OpenAI's models
 * are to keep to it strictly, which only some schemas allow. */
void ai_wire_put_schema(struct ai_buf *b, struct ai_span schema);
/* A path with the model's name in it, as one segment of it. */
void ai_wire_put_path(struct ai_buf *b, const char *path, const char *model);

/*
 * Whether a schema (JSON) says of every object that it has no other members
 * than those named (Anthropic wants that), and whether it is of the subset
 * that OpenAI calls strict: closed, all members required, nothing but plain
 * keywords.  What is not known to be in the subset is not.
 */
bool ai_schema_is_closed(struct ai_span schema);
bool ai_schema_is_strict(struct ai_span schema);
/* Writes it without its "$schema", which says nothing of answers and is in no
 * subset. */
void ai_schema_put(struct ai_buf *b, struct ai_span schema);

/* The usage for people out of what is billed (a->bill). */
struct ai_meter;
struct ai_usage ai_usage_of(const struct ai_meter *m);
/* Appends the arguments of a call that came as a JSON value: an object, or
 * text that holds one. */
int ai_wire_arguments(struct ai_value v, struct ai_tool_call *call,
		      struct ai_err *err);
/* The id of a call, if there is one at this path and none has been told. */
int ai_wire_call_id(struct ai_value v, const char *path,
		    struct ai_tool_call *call, struct ai_err *err);
/* The signature of a call, or a piece of it. */
int ai_wire_signature(struct ai_value v, struct ai_tool_call *call,
		      struct ai_err *err);
/* The arguments are all there: none at all are {}.  call NULL: nothing. */
int ai_wire_call_end(struct ai_tool_call *call, struct ai_err *err);
/* The same of all calls, once the answer has ended. */
int ai_wire_calls_end(struct ai_chat_answer *a, struct ai_err *err);
/* One more call of this block, with its id and name at these paths.  An id that
 * is missing is made: a result must name its call. */
struct ai_tool_call *ai_wire_call(struct ai_value v, const char *id,
				  const char *name, int64_t block,
				  struct ai_chat_answer *a,
				  struct ai_err *err);
/* Appends to the arguments of the call of this block.  None has begun:
 * AI_E_ANSWER. */
int ai_wire_call_add(struct ai_value v, int64_t block,
		     struct ai_chat_answer *a, struct ai_err *err);
/* Appends a string to the answer's text; what is no string is no text. */
int ai_wire_text(struct ai_value v, struct ai_chat_answer *a,
		 struct ai_err *err);
/* The same of a refusal, which makes the answer one unless it is empty. */
int ai_wire_refusal(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err);
/* A message's content: a string, null, or a list of parts of which the texts
 * and refusals count. */
int ai_wire_content(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err);
/* Keeps a usage object as what is billed; anything else is not kept. */
void ai_wire_bill(struct ai_value v, struct ai_chat_answer *a);
/* Why the answer ended, in OpenAI's words by a table that {NULL} ends; a word
 * that is not in it stays as it is.  One that calls tools does not "stop". */
struct ai_wire_word {
	const char *theirs, *ours;
};
void ai_wire_finish(struct ai_value v, const struct ai_wire_word *words,
		    struct ai_chat_answer *a);
/* The status that a word stands for, by a table that {NULL} ends; 0: none. */
struct ai_wire_status {
	const char *word;
	long status;
};
long ai_wire_status_of(const struct ai_wire_status *table, const char *word);
#endif
