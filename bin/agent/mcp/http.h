/* http.h: requests to MCP servers over HTTP, for those that make them. */
#ifndef AGENT_MCP_HTTP_H
#define AGENT_MCP_HTTP_H

#include "mcp/int.h"

#include "net/http.h"
#include "net/sse.h"

/* A request, or the stream that is gone on with instead of it. */
struct mcp_post {
	struct mcp_post *next;
	struct mcp_server *s;
	struct ai_http_transfer *transfer; /* NULL: it is not under way */
	struct ai_http_answer answer;
	struct mcp_letter letter; /* what body is */
	struct ai_buf body;
	struct ai_buf in;         /* what came, and was not looked at */
	struct ai_sse sse;
	int64_t id;      /* what it carries, or is the answer to; 0: nothing */
	bool get;        /* it only listens */
	bool ended;      /* as rc and err say */
	bool dropped;    /* nobody wants it any more */
	int rc;
	struct ai_err err;
	double again;    /* its stream goes on then; 0 */
	int tries;       /* of that, without a message in between */
};

struct mcp_http {
	char *post_url;    /* in 2024-11-05: where it is to be asked; NULL */
	char session[512]; /* its id; "" */
	bool old;          /* the transport of 2024-11-05 */
	char why[300];     /* ... is tried because of this */
	struct mcp_post *posts;
};

/* All headers of a request. */
int mcp_http_headers(const struct mcp_post *p, struct agent_strings *to,
		     struct ai_err *err);
/* Takes the address that a server of 2024-11-05 names; false: it fails. */
bool mcp_http_endpoint(struct mcp_server *s, struct ai_span data);

#endif
