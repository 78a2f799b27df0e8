/* mcp-int.h: what the files of the MCP client share. */
#ifndef AGENT_MCP_INT_H
#define AGENT_MCP_INT_H

#include "mcp-message.h"
#include "mcp.h"
#include "child.h"
#include "strlist.h"

#include "crypt/hash.h"

#define MCP_VERSION "2025-11-25" /* the newest revision that we speak */
#define MCP_STARTS_MAX 4    /* of one server: what dies more often stays dead */
#define MCP_NOISE_MAX 1000  /* lines that are no messages, of one start */
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

/* ---- mcp-entry.c ------------------------------------------------------------ */

/* What "tools" says of one. */
struct mcp_rule {
	char *name;
	struct agent_strings targets;
	bool has_targets, used;
	int effect, writes, sends, trusted, serial; /* -1: nothing is said */
	double timeout_s;                    /* 0 */
	int64_t max_output, max_calls;       /* -1 */
};

struct mcp_entry {
	char *name;
	struct agent_strings argv, env;
	char *dir;                  /* where it begins; NULL: workdir */
	struct agent_cage *cage;    /* NULL: none */
	double timeout_s, start_timeout_s;
	int64_t max_output;
	bool optional, trusted, trust_annotations, has_allow, roots;
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

/* ---- mcp-server.c ------------------------------------------------------------ */

enum mcp_state {
	MCP_DOWN,    /* not running; it may be started */
	MCP_HELLO,   /* initialize was sent */
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
};

struct mcp_server {
	struct agent_mcp *of;
	struct mcp_entry entry;
	struct agent_child child;
	enum mcp_state state;
	bool broken;          /* its next turn ends it, as why says */
	bool known;           /* its tools were listed once */
	bool changed;         /* the list, it says */
	bool listed;          /* a list is complete, and was not taken yet */
	int starts;
	int64_t next_id;      /* of our requests, over all starts */
	int64_t hello, list;  /* ids of these; 0: none is under way */
	double deadline;      /* of those */
	double muted;         /* since then it writes no more; 0: it may */
	struct mcp_call *calls;
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

struct agent_mcp {
	struct agent_sandbox *sandbox;
	int hold;
	struct mcp_server **v; /* owned, and each of it */
	size_t n;
	struct mcp_tool *tools; /* all that were ever added */
};

void mcp_server_init(struct mcp_server *s, struct agent_mcp *m);
void mcp_server_release(struct mcp_server *s);
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

/* ---- mcp-send.c: what we write ------------------------------------------------- */

/* Each writes one line; what cannot be queued makes the server fail. */
void mcp_send_hello(struct mcp_server *s);
void mcp_send_initialized(struct mcp_server *s);
void mcp_send_list(struct mcp_server *s);
void mcp_send_call(struct mcp_server *s, struct mcp_call *call);
void mcp_send_cancel(struct mcp_server *s, int64_t id, const char *reason);
/* Appends the answer to a request. */
void mcp_put_answer(const struct mcp_server *s, const struct mcp_message *m,
		    struct ai_buf *out);
/* Sends the line. */
void mcp_send(struct mcp_server *s, struct ai_buf *line);

/* ---- mcp-tools.c ---------------------------------------------------------------- */

/* What a row of the set is of. */
struct mcp_tool {
	struct mcp_tool *next;
	struct mcp_server *server;
	char *name;      /* as the server has it */
	uint64_t hash;   /* of what it was said to be */
	bool gone, seen;
};

extern const struct agent_tool_kind mcp_tool_kind;

/* Adds the tools of the server's complete list that are new. */
int mcp_tools_take(struct mcp_server *s, struct agent_tools *tools,
		   struct ai_err *err);
void mcp_tools_free(struct agent_mcp *m);

/* ---- mcp-result.c ----------------------------------------------------------------- */

/* What the answer to a call says, as the call's result. */
void mcp_result_put(struct agent_call *c, const struct mcp_message *m);

#endif
