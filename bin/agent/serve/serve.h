/*
 * serve.h: the toolkit as an MCP server over standard input and output.
 *
 * Both eras of the protocol are spoken on the same pipe.  A request whose
 * params._meta names its protocol version (2026-07-28) is answered by itself;
 * "initialize" begins a session of the revisions before that, and requests that
 * name no version belong to it.
 *
 *	session.c  lines in, answers out: it knows of no process
 *	era.c      what a request must have, and what it may ask
 *	put.c      how answers are written
 *	tools.c    the table of tools; ask.c and answer.c make
 *	                 a record of a call and a result of a record
 *	pool.c     co-processes that do the calls
 *	serve.c          the loop, and the verb
 *
 * Whoever writes to us need not be friendly: a line has a length, what waits has
 * a number and a size, and who does not read what he asked for is not read
 * either.
 */
#ifndef AGENT_SERVE_H
#define AGENT_SERVE_H

#include "mcp/message.h"
#include "strlist.h"

#include "base/buf.h"
#include "base/err.h"
#include "record/json.h"
#include "record/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVE_MODERN "2026-07-28"  /* each request by itself */
#define SERVE_LEGACY "2025-11-25"  /* the newest with a handshake */
#define SERVE_BATCHES "2025-03-26" /* the only one with arrays of messages */

#define SERVE_CALLS_MAX 1024               /* that wait or are under way */
#define SERVE_ARGS_MAX ((size_t)64 << 20)  /* bytes of their arguments */
#define SERVE_OUT_MAX ((size_t)8 << 20)    /* unread: we read no more */
#define SERVE_ANSWER_MAX ((size_t)256 << 20)
#define SERVE_BATCH_MAX 1000               /* messages of an array */
#define SERVE_TOKEN_MAX 1024               /* bytes of a progress token */
#define SERVE_TICK_S 1.0                   /* between two of progress */

/* ---- tools ------------------------------------------------------------------- */

struct serve;
struct serve_call;

/* What is offered; a row of the table in tools.c. */
struct serve_kind {
	const char *name, *title, *description;
	const char *program;      /* of ours, that does it */
	const char *doing;        /* for progress: "searching" */
	const char *output;       /* the schema of what it gives back */
	bool reads;               /* it changes nothing and spends nothing */
	bool waits;               /* for others, elsewhere */
	double timeout_s;
	/* Whether the options leave something to do. */
	bool (*offered)(const struct serve *s);
	/* The members of its "properties", and the names that are required. */
	void (*input)(const struct serve *s, struct ai_buf *properties,
		      struct ai_buf *required);
	/* The command line and the record of a call whose arguments satisfy the
	 * schema.  -1: they say what cannot be done, as err does. */
	int (*ask)(const struct serve *s, struct ai_value args,
		   struct agent_strings *argv, struct ai_buf *record,
		   struct ai_err *err);
	/* What the record that comes back says: as text, and as an object that
	 * satisfies output.  -1: no answer is in it. */
	int (*answer)(struct ai_value record, struct ai_buf *text,
		      struct ai_buf *object, struct ai_err *err);
};
extern const struct serve_kind serve_kinds[];
#define SERVE_KINDS 5

struct serve_tool {
	const struct serve_kind *kind;
	struct ai_schema *schema; /* of its arguments; owned */
	char *json;               /* the same as it is listed; owned */
};

/* ---- calls ------------------------------------------------------------------- */

/* Messages that came in one array, and are answered in one. */
struct serve_batch {
	struct ai_buf answers; /* the inside of the array */
	size_t open;           /* that are not answered yet */
};

struct serve_call {
	struct serve_call *next;
	const struct serve_tool *tool;
	char *id;              /* JSON, as it came; owned */
	char *token;           /* of progress, likewise; NULL: none */
	struct serve_batch *batch; /* NULL: none; counted */
	struct agent_strings argv; /* how it is done */
	struct ai_buf record;
	size_t size;           /* of the record, as it was queued */
	bool modern;
	bool dropped;          /* nobody waits for its answer any more */
	bool begun;
	int64_t progress;      /* told last */
	double since, tick;    /* ai_clock_s(): begun; next progress */
};

/* ---- the session ------------------------------------------------------------- */

/* What the options say, for tools. */
struct serve_index {
	char *name, *path; /* owned */
};

struct serve {
	struct serve_tool tools[SERVE_KINDS];
	size_t n_tools;
	struct serve_index *indexes; /* owned */
	size_t n_indexes;
	const char *model;    /* NULL: none */
	char *first_model;    /* of several; owned; NULL */
	bool counts;          /* how that one counts is known */
	const char *run;      /* that calls are booked under; NULL: none */
	struct ai_buf system; /* what models are told first */
	/* The client. */
	char version[16];     /* of its session; "": none was begun */
	bool batches;         /* that revision has them */
	struct ai_buf in;     /* what is no whole line yet */
	size_t seen;          /* of it, without a newline */
	bool skipping;        /* a line that is too long */
	struct mcp_skim skim;
	struct ai_buf spare, line; /* a mended line; what is being written */
	struct ai_buf out;    /* lines that he has not read */
	struct serve_call *waiting, **last; /* in the order they came */
	struct serve_call *under_way;
	size_t n_calls, bytes; /* of both, and of their records */
	bool failed;          /* out of memory: nothing more can be said */
};

/* ---- session.c --------------------------------------------------------- */

/* Tools are made of the options; -1: their configuration, memory. */
int serve_init(struct serve *s, struct ai_err *err);
void serve_release(struct serve *s);
/* Takes bytes that the client wrote. What is asked for is answered into out, or
 * waits. */
void serve_take(struct serve *s, const char *p, size_t n);
/* No more will come: a last line without its newline counts. */
void serve_end(struct serve *s);
/* Whether more may be read. */
bool serve_has_room(const struct serve *s);
/* The next call that waits is begun: taken, and to be given back by the next.
 * NULL: none waits. */
struct serve_call *serve_next(struct serve *s);
/* It has ended: as err says, or with this record. It is freed. */
void serve_done(struct serve *s, struct serve_call *c, struct ai_span record,
		const struct ai_err *why);
/* Tells how far calls are whose clients want to know. */
void serve_tick(struct serve *s, double now);
/* When the next of that is due; INFINITY: never. */
double serve_next_tick(const struct serve *s);
/* The client waits for this request no longer. */
void serve_cancel(struct serve *s, struct ai_value id);

/* ---- era.c ------------------------------------------------------------- */

/* Of which era a request is. */
enum serve_era {
	SERVE_NONE,     /* it was refused, and answered */
	SERVE_BY_ITSELF,
	SERVE_SESSION,
};
/* Whether a request may be asked as it is; if not, the error is appended to
 * answer. */
enum serve_era serve_era_of(const struct serve *s, const struct mcp_message *m,
			    struct ai_buf *answer);
/* The answers to initialize, which begins a session, and server/discover. */
void serve_put_hello(struct serve *s, const struct mcp_message *m,
		     struct ai_buf *b);
void serve_put_discover(const struct serve *s, const struct mcp_message *m,
			struct ai_buf *b);

/* ---- put.c ------------------------------------------------------------- */

/* JSON-RPC's and MCP's errors. */
#define SERVE_E_PARSE (-32700)
#define SERVE_E_REQUEST (-32600)
#define SERVE_E_METHOD (-32601)
#define SERVE_E_PARAMS (-32602)
#define SERVE_E_INTERNAL (-32603)
#define SERVE_E_VERSION (-32022)

/* All append one message without its newline. id: JSON, n 0: there is none. */
void serve_put_error(struct ai_buf *b, struct ai_span id, int code,
		     const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same up to its data, which follows; then serve_put_close(b, 2). */
void serve_open_error(struct ai_buf *b, struct ai_span id, int code,
		      const char *message);
/* {"jsonrpc":"2.0","id":ID,"result":{; modern: with what each such result has.
 * Then the result's members and serve_put_close(b, 2). */
void serve_open_result(struct ai_buf *b, struct ai_span id, bool modern);
/* How long a list may be kept; only the newer era has that. */
void serve_put_ttl(struct ai_buf *b);
void serve_put_info(struct ai_buf *b); /* name and version of ours */
void serve_put_close(struct ai_buf *b, int n);
void serve_put_tools(const struct serve *s, struct ai_buf *b);
/* What became of a call: a text, and perhaps an object. */
void serve_put_called(struct ai_buf *b, const struct serve_call *c,
		      struct ai_span text, struct ai_span object);
/* It failed: that is a result as well, which a model can read. */
void serve_put_failed(struct ai_buf *b, struct ai_span id, bool modern,
		      const struct ai_err *why);
void serve_put_progress(struct ai_buf *b, const struct serve_call *c,
			const char *message);

/* ---- tools.c, ask.c, answer.c ------------------------------ */

int serve_tools_init(struct serve *s, struct ai_err *err);
void serve_tools_release(struct serve *s);
const struct serve_tool *serve_find_tool(const struct serve *s,
					 struct ai_value name);

#define SERVE_ASK(name) \
	int serve_ask_##name(const struct serve *s, struct ai_value args, \
			     struct agent_strings *argv, \
			     struct ai_buf *record, struct ai_err *err); \
	int serve_answer_##name(struct ai_value record, struct ai_buf *text, \
				struct ai_buf *object, struct ai_err *err)
SERVE_ASK(search);
SERVE_ASK(complete);
SERVE_ASK(guard);
SERVE_ASK(tokens);
SERVE_ASK(cost);
#undef SERVE_ASK

#endif
