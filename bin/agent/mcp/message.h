/*
 * message.h: what an MCP server writes, line by line: messages of JSON-RPC
 * 2.0, one by one or several in an array.
 */
#ifndef AGENT_MCP_MESSAGE_H
#define AGENT_MCP_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a line; of what is longer only the id is read. */
#define MCP_LINE_MAX ((size_t)16 << 20)
/* Bytes of an id that we write back. */
#define MCP_ID_MAX 1024

enum mcp_kind {
	MCP_NOISE,        /* no message: see why */
	MCP_REQUEST,      /* the server wants an answer */
	MCP_NOTIFICATION,
	MCP_RESULT,
	MCP_ERROR,
};

struct mcp_message {
	enum mcp_kind kind;
	struct ai_value id;     /* of a request: a string or a number */
	int64_t number;         /* of a result or error: its id, if that is one
				 * of a kind that we use; else -1 */
	struct ai_value method; /* a string */
	struct ai_value params; /* AI_NONE, an object or an array */
	struct ai_value body;   /* the result, or the error: an object */
	const char *why;
};

/*
 * Checks a line, without its newline.  Bytes that are no UTF-8 become U+FFFD,
 * in spare, which then has the line.  -1: no JSON, or memory (AI_E_MEMORY); all
 * is MCP_NOISE then.
 */
int mcp_line_check(const char *p, size_t n, struct ai_buf *spare,
		   struct ai_value *v, struct ai_err *err);
/* What one message is: the line's value, or an element of it. */
void mcp_message_read(struct ai_value v, struct mcp_message *m);

/* "error -32602: what it says", with data that is a string. */
void mcp_error_say(struct ai_value error, struct ai_buf *out);

/*
 * A line that is longer than MCP_LINE_MAX, as it passes: which call it would
 * have answered.  Nothing of it is kept.
 */
struct mcp_skim {
	int depth;
	bool quoted, escaped;
	bool value;    /* at depth 1: behind a colon */
	bool is_id;    /* the member that it is in */
	bool asks;     /* it has a method: it answers nothing */
	bool no_number;
	bool key;      /* in a string that names a member at depth 1 */
	char word[24]; /* the member's name, or the id */
	size_t n;      /* of it; over its size: too long */
	int64_t id;    /* so far; -1: none */
};

void mcp_skim_init(struct mcp_skim *s);
void mcp_skim_add(struct mcp_skim *s, const char *p, size_t n);
/* The id of the call that the line answers; -1: nothing is known. */
int64_t mcp_skim_id(const struct mcp_skim *s);

#endif
