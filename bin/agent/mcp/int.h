/* int.h: what the files of the MCP client share. */
#ifndef AGENT_MCP_INT_H
#define AGENT_MCP_INT_H

#include "mcp/message.h"
#include "mcp/mcp.h"
#include "cage/child.h"
#include "strlist.h"

#include "crypt/hash.h"

#define MCP_MODERN_VERSION "2026-07-28" /* without a handshake */
#define MCP_VERSION "2025-11-25" /* the newest revision with one */
#define MCP_PROBE_S 2.0     /* so long "server/discover" may go unanswered */
#define MCP_STARTS_MAX 4    /* of one server: what dies more often stays dead */
#define MCP_NOISE_MAX 1000  /* lines that are no messages, between answers */
#define MCP_SKIP_MAX ((size_t)256 << 20) /* bytes of one line */
#define MCP_SENT_MAX ((size_t)32 << 20)  /* bytes that it has not read yet */
#define MCP_MUTED_S 1.0     /* from the end of its output to its own */
#define MCP_TAIL 2048       /* bytes of its stderr that are kept */
#define MCP_PAGES_MAX 100   /* of a list */
#define MCP_LIST_MAX ((size_t)8 << 20)
#define MCP_TOOLS_MAX 1000
#define MCP_DESCRIPTION_MAX ((size_t)8192)
#define MCP_SCHEMA_MAX ((size_t)256 << 10)
#define MCP_CURSOR_MAX ((size_t)64 << 10)
#define MCP_KEEP ((size_t)64 << 10) /* bytes that buffers keep when idle */
#define MCP_STALE_S 5.0    /* a list is not asked for more often than this
			     * because it has grown old */
#define MCP_ROUNDS_MAX 10   /* of questions within a call */
#define MCP_QUESTIONS_MAX 16 /* at once, of one server */
#define MCP_STATE_MAX ((size_t)1 << 20) /* bytes of a requestState */
#define MCP_ANSWERS_MAX 64 /* to one over HTTP, that it has not taken yet */
#define MCP_END_S 1.0       /* programs have to end by themselves, and so much
			     * again behind SIGTERM */
#define MCP_BYE_S 1.0       /* for the end of sessions, all in all */

/* ---- entry.c ------------------------------------------------------------ */

/* What "tools" says of one. */
struct mcp_rule {
	char *name;
	struct agent_strings targets;
	bool has_targets, used;
	int effect, writes, sends, trusted, serial; /* -1: nothing is said */
	double timeout_s;                    /* 0 */
	int64_t max_output, max_calls;       /* -1 */
};

enum mcp_era {
	MCP_ANY,     /* not known yet */
	MCP_LEGACY,  /* a handshake: initialize */
	MCP_MODERN,  /* every request says all about itself */
};

struct mcp_entry {
	char *name;
	struct agent_strings argv, env;
	char *dir;                  /* where it begins; NULL: workdir */
	struct agent_cage *cage;    /* NULL: none */
	char *url;                  /* NULL: it is a program */
	struct agent_strings headers; /* "Name: value", of each request there */
	struct agent_strings secrets; /* that it gives the server */
	bool sse;                   /* it speaks the HTTP of 2024-11-05 */
	enum mcp_era era;           /* what it is told to speak, or MCP_ANY */
	double timeout_s, start_timeout_s;
	int64_t max_output;
	bool optional, trusted, trust_annotations, has_allow, roots;
	bool resources;             /* tools to read them are offered */
	bool networks;              /* it may use them */
	char seal[AI_HASH_HEX];     /* a hash of all that says what is run */
	struct agent_strings allow, deny;
	struct mcp_rule *rules;
	size_t n_rules;
};

/* 1: it is one that is not to be used. */
int mcp_entry_read(struct mcp_entry *e, const struct agent_server *from,
		   struct agent_sandbox *sandbox, struct ai_err *err);
void mcp_entry_release(struct mcp_entry *e);
struct mcp_rule *mcp_entry_rule(struct mcp_entry *e, const char *name);
/* Whether allow and deny leave it in. */
bool mcp_entry_wants(const struct mcp_entry *e, const char *name);

/* ---- secret.c ------------------------------------------------------------- */

/* The value of a header or a variable: one of what is to be hidden, if its name
 * says so. */
int mcp_secret_add(struct mcp_entry *e, struct ai_span name, const char *value,
		   struct ai_err *err);
/* Puts "[hidden]" where the text has one of them. */
void mcp_secret_hide(const struct mcp_entry *e, struct ai_buf *b);
/* Inits out with the beginning of the text so, for a message; for the caller to
 * release. */
void mcp_secret_quote(const struct mcp_entry *e, struct ai_span text,
		      struct ai_buf *out);

/* ---- server.c ------------------------------------------------------------ */

enum mcp_state {
	MCP_DOWN,    /* not running; it may be started */
	MCP_PROBE,   /* server/discover was sent */
	MCP_HELLO,   /* initialize was sent, or will be */
	MCP_LISTING, /* its first list is not complete */
	MCP_READY,
	MCP_GONE,    /* it will not be started any more: why says why */
};

struct mcp_call {
	struct agent_call *c;
	struct mcp_server *server;
	struct mcp_call *next;
	int64_t id;      /* 0: not sent yet */
	double deadline;
	bool done;
	bool answered;   /* or never sent: its end is known */
	/* A call that is asked something before its answer (input.c). */
	int rounds;
	size_t open;     /* questions that nobody has answered yet */
	bool again;      /* it is to be sent with what follows */
	struct ai_buf responses; /* the inside of inputResponses */
	struct ai_buf state;     /* requestState, JSON; empty: none */
	struct ai_buf *raw;      /* gets the result, JSON; NULL */
};

/* What a message that is written is, for who carries it. */
struct mcp_letter {
	const char *method;    /* NULL: an answer */
	int64_t id;            /* 0: nothing answers it */
	struct mcp_call *call; /* NULL: none */
};

struct mcp_capabilities {
	bool tools_changed, resources, resources_changed, prompts,
	     prompts_changed, logging;
};

struct mcp_http; /* http.c */

struct mcp_server {
	struct agent_mcp *of;
	struct mcp_entry entry;
	struct agent_child child; /* of a program */
	struct mcp_http *http;    /* of one that is asked over HTTP; else NULL */
	enum mcp_state state;
	enum mcp_era era;
	const char *version;  /* that is spoken; NULL: none yet */
	struct mcp_capabilities can;
	bool died;            /* it has ended by itself */
	bool broken;          /* its next turn ends it, as why says */
	bool known;           /* its tools were listed once */
	bool changed;         /* the list, it says */
	bool listed;          /* a list is complete, and was not taken yet */
	bool reads;           /* the tools for its resources were added */
	bool skips_probe;     /* it has died of one */
	bool served;          /* this start has answered a call */
	int starts;
	int64_t next_id;      /* of our requests, over all starts */
	int64_t first_id;     /* ... that this start began behind */
	int64_t probe, hello, list; /* ids of these; 0: none is under way */
	int64_t listens;      /* of subscriptions/listen; 0: none */
	double deadline;      /* of those */
	double probe_until;   /* 0: it is over */
	double stale;         /* then the list is old; 0: never */
	double muted;         /* since then it writes no more; 0: it may */
	struct mcp_call *calls;
	struct mcp_letter letter; /* what is in out */
	struct ai_buf pages;  /* the tools so far, the inside of an array */
	struct ai_buf cursor; /* of the page that was asked for */
	size_t n_pages;
	size_t seen;          /* bytes of output without a newline */
	bool skipping;
	size_t skipped;
	struct mcp_skim skim;
	size_t noise;
	bool filled;          /* a warning about noise was given */
	bool checked;         /* whether all of its entry is there */
	struct ai_buf spare, out; /* a mended line; what is sent */
	struct ai_buf tail;   /* the end of its stderr */
	struct ai_err why;    /* why it is not running */
};

struct mcp_question;

struct agent_mcp {
	struct agent_sandbox *sandbox;
	int hold;
	struct mcp_server **v; /* owned, and each of it */
	size_t n;
	struct mcp_tool *tools; /* all that were ever added */
	struct ai_http *http;   /* NULL: no server needs it */
	bool asks;              /* servers may ask the person */
	char *answers;          /* what they are answered instead; NULL */
	struct mcp_question *questions; /* the first is asked */
};

void mcp_server_init(struct mcp_server *s, struct agent_mcp *m);
void mcp_server_release(struct mcp_server *s);
bool mcp_server_runs(const struct mcp_server *s);
/* Begins to run it and to shake hands. -1: s->why says why not. */
int mcp_server_start(struct mcp_server *s);
void mcp_server_wait(const struct mcp_server *s, struct agent_poll *p);
/* Reads, answers, looks at the time. */
void mcp_server_turn(struct mcp_server *s);
/* Asks for the list from its beginning; s->listed when it is there. */
void mcp_server_list(struct mcp_server *s);
/* Sends a call that waits, if the server is ready. */
void mcp_server_flush(struct mcp_server *s);
/* Tells the server that nobody waits for it any more. */
void mcp_server_cancel(struct mcp_server *s, struct mcp_call *call,
		       const char *reason);
/* The server cannot be used: its next turn kills it, and its calls fail. What
 * is said first counts. */
void mcp_server_fail(struct mcp_server *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The call of this id that is under way; NULL: none. */
struct mcp_call *mcp_server_call(struct mcp_server *s, int64_t id);
/* It has ended without an answer. known: what it did is known, nothing. */
void mcp_call_fail(struct mcp_call *call, bool known, const char *why);
/* Whether somebody waits for an answer of this id. */
bool mcp_server_awaits(struct mcp_server *s, int64_t id);

/* What a server has written: a message, or several in an array.  by: the id of
 * the request whose answer it can only be, where its own is null; or 0. */
void mcp_take(struct mcp_server *s, struct ai_value v, int64_t by);
/* Counts, and tells, what is no message. */
void mcp_noise(struct mcp_server *s, const char *why, struct ai_span line);
/* What has this id gets no answer that could be read, but its end is known.
 * false: nobody waits for that. */
bool mcp_blame(struct mcp_server *s, int64_t id, const char *why);

/* ---- era.c: who speaks what ------------------------------------------------- */

/* The first message to a server that has just begun to run. */
void mcp_era_begin(struct mcp_server *s);
void mcp_era_on_probe(struct mcp_server *s, const struct mcp_message *m);
void mcp_era_on_hello(struct mcp_server *s, const struct mcp_message *m);
/* A probe that is not answered as a modern server would. */
void mcp_era_fall_back(struct mcp_server *s);
/* Appends the members of _meta that each request of this era has. */
void mcp_era_put_meta(const struct mcp_server *s, struct ai_buf *b);
/* "capabilities" of ours, an object. */
void mcp_era_put_capabilities(const struct mcp_server *s, struct ai_buf *b);

/* ---- list.c: its tools, page by page ------------------------------------------- */

void mcp_list_on(struct mcp_server *s, const struct mcp_message *m);

/* ---- stdio.c: lines of a program ------------------------------------------------ */

int mcp_stdio_start(struct mcp_server *s, struct ai_err *err);
void mcp_stdio_stop(struct mcp_server *s);
void mcp_stdio_wait(const struct mcp_server *s, struct agent_poll *p);
void mcp_stdio_turn(struct mcp_server *s);
void mcp_stdio_send(struct mcp_server *s, struct ai_buf *line);
/* Appends what it said last to why it was ended. */
void mcp_stdio_add_tail(struct mcp_server *s);
/* Lets all that are programs end: their input does, then they are asked to. */
void mcp_stdio_bye(struct agent_mcp *m);

/* ---- http.c: requests and streams of events --------------------------------------- */

int mcp_http_start(struct mcp_server *s, struct ai_err *err);
/* Ends all that is under way. */
void mcp_http_stop(struct mcp_server *s);
void mcp_http_wait(const struct mcp_server *s, struct agent_poll *p);
void mcp_http_turn(struct mcp_server *s);
/* Sends line, which s->letter tells of. */
void mcp_http_send(struct mcp_server *s, struct ai_buf *line);
/* The handshake is over. */
void mcp_http_ready(struct mcp_server *s);
/* Nobody waits for the answer to this any more. */
void mcp_http_drop(struct mcp_server *s, int64_t id);
/* Takes the handshake of 2024-11-05. false: that was tried. */
bool mcp_http_turn_old(struct mcp_server *s);
/* Tells the servers of all sessions that they are over. */
void mcp_http_bye(struct agent_mcp *m);

/* ---- headers.c: what of a call stands in its headers, too --------------------------- */

/* The parameters that a tool's schema names for it, as pairs: the header's
 * name, the path of the argument as a JSON array.  -1: memory. 1: they are
 * wrong, and *why says so (a literal). */
int mcp_headers_read(struct ai_value schema, struct agent_strings *pairs,
		     const char **why, struct ai_err *err);
/* "Mcp-Param-NAME: value" of those that args has. */
int mcp_headers_add(const struct agent_strings *pairs, struct ai_span args,
		    struct agent_strings *to, struct ai_err *err);
/* One of a text; what cannot stand in a header is encoded. */
int mcp_header_add(struct agent_strings *to, const char *name,
		   struct ai_span text, struct ai_err *err);

/* ---- input.c: what servers ask of us -------------------------------------------------- */

/* A server's request that takes time; copies it. false: too many. */
bool mcp_input_ask(struct mcp_server *s, const struct mcp_message *m);
/* A call whose result asks for input: begins to gather it. false: nobody gives
 * that, why says what (a literal). */
bool mcp_input_begin(struct mcp_call *call, struct ai_value result,
		     const char **why);
/* Whether a request of this server waits for the person. */
bool mcp_input_waits(const struct mcp_server *s);
/* What is asked of the person goes on. */
void mcp_input_turn(struct agent_mcp *m);
void mcp_input_wait(const struct agent_mcp *m, struct agent_poll *p);
/* Nobody waits for the answers to what a call, or all of a server, has asked. */
void mcp_input_drop(struct agent_mcp *m, const struct mcp_server *s,
		    const struct mcp_call *call);

/* ---- form.c: a question as a form ----------------------------------------------------- */

struct mcp_form;

/* What elicitation/create has in params. NULL: it is nothing that can be asked,
 * or memory. */
struct mcp_form *mcp_form_new(const char *server, struct ai_value params);
void mcp_form_free(struct mcp_form *f);
/* What the person is shown first, and then for each field. */
void mcp_form_put(struct mcp_form *f, struct ai_buf *out);
/* A line that was typed. true: the form is full, or was declined. */
bool mcp_form_take(struct mcp_form *f, struct ai_span line);
bool mcp_form_is_full(const struct mcp_form *f);
/* Fills it from a JSON object, and from the defaults. */
void mcp_form_fill(struct mcp_form *f, struct ai_value answers);
/* The result of the request, from what is known. */
void mcp_form_result(const struct mcp_form *f, struct ai_buf *out);

/* ---- send.c: what we write ------------------------------------------------- */

/* Each writes one message; what cannot be queued makes the server fail. */
void mcp_send_probe(struct mcp_server *s);
void mcp_send_hello(struct mcp_server *s);
void mcp_send_initialized(struct mcp_server *s);
void mcp_send_level(struct mcp_server *s);
void mcp_send_listen(struct mcp_server *s);
void mcp_send_list(struct mcp_server *s);
void mcp_send_call(struct mcp_server *s, struct mcp_call *call);
void mcp_send_cancel(struct mcp_server *s, int64_t id, const char *reason);
/* {"roots":[...]} */
void mcp_put_roots(const struct mcp_server *s, struct ai_buf *out);
/* Appends the answer to a request; nothing: it comes later. */
void mcp_put_answer(struct mcp_server *s, const struct mcp_message *m,
		    struct ai_buf *out);
/* The result of a request whose id is this JSON. */
void mcp_send_result(struct mcp_server *s, struct ai_span id,
		     struct ai_span result);
/* Sends an answer, or several in an array. */
void mcp_send_answers(struct mcp_server *s, struct ai_buf *line);

/* ---- tools.c ---------------------------------------------------------------- */

enum mcp_what {
	MCP_TOOL,
	MCP_LIST_RESOURCES, /* templates, too, if the arguments say so */
	MCP_READ_RESOURCE,
	MCP_LIST_PROMPTS,
	MCP_GET_PROMPT,
};

/* What a row of the set is of. */
struct mcp_tool {
	struct mcp_tool *next;
	struct mcp_server *server;
	enum mcp_what what;
	char *name;      /* as the server has it */
	uint64_t hash;   /* of what it was said to be */
	bool gone, seen;
	struct agent_strings headers; /* see mcp_headers_read() */
	char *gives;     /* its outputSchema, JSON; NULL: none */
};

extern const struct agent_tool_kind mcp_tool_kind;

/* Adds the tools of the server's complete list that are new. */
int mcp_tools_take(struct mcp_server *s, struct agent_tools *tools,
		   struct ai_err *err);
void mcp_tools_free(struct agent_mcp *m);
/* A row for it, not yet in a set: what differs is for the caller to set. */
void mcp_tool_row(struct mcp_server *s, struct mcp_tool *of,
		  struct agent_tool *t);
/* Adds it, under a name that is free. */
int mcp_tool_add(struct mcp_server *s, struct agent_tools *tools,
		 struct agent_tool *t, struct ai_value said, struct ai_err *err);
struct mcp_tool *mcp_tool_new(struct mcp_server *s, const char *name,
			      enum mcp_what what, struct ai_err *err);

/* ---- resources.c -------------------------------------------------------------- */

/* The tools to list and read what it has, if the entry wants them. */
int mcp_resources_add(struct mcp_server *s, struct agent_tools *tools,
		      struct ai_err *err);

/* ---- say.c ----------------------------------------------------------------------- */

/* What lists and reads of resources and prompts say, as a text. false: it is
 * no such result. */
bool mcp_resources_say(enum mcp_what what, struct ai_value result,
		       struct ai_buf *out);

/* ---- result.c ----------------------------------------------------------------- */

/* What the answer to a call says, as the call's result. */
void mcp_result_put(struct agent_call *c, const struct mcp_message *m);
/* A content block, or the resource in one. */
void mcp_result_part(struct ai_value part, struct ai_buf *out);
void mcp_result_resource(struct ai_value resource, bool alone,
			 struct ai_buf *out);

#endif
