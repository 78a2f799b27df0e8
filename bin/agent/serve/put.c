/* put.c: what an MCP server of ours writes. */
#include "serve/serve.h"

#include <stdio.h>

#define TTL_MS 3600000 /* the list changes with the command line only */

static const char id_of_error[] = "aiutils/error";

void serve_put_close(struct ai_buf *b, int n)
{
	while (n-- > 0)
		ai_put_close(b, '}');
}

static void open_message(struct ai_buf *b, struct ai_span id)
{
	ai_put_open(b, '{');
	ai_put_key(b, "jsonrpc");
	ai_put_cstr(b, "2.0");
	if (id.n == 0)
		return;
	ai_put_key(b, "id");
	ai_put_raw(b, id.p, id.n);
}

/* ---- errors ------------------------------------------------------------------ */

void serve_open_error(struct ai_buf *b, struct ai_span id, int code,
		      const char *message)
{
	open_message(b, id);
	ai_put_key(b, "error");
	ai_put_open(b, '{');
	ai_put_key(b, "code");
	ai_put_i64(b, code);
	ai_put_key(b, "message");
	ai_put_cstr(b, message);
}

void serve_put_error(struct ai_buf *b, struct ai_span id, int code,
		     const char *fmt, ...)
{
	struct ai_buf text = AI_BUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	ai_buf_vfmt(&text, fmt, ap);
	va_end(ap);
	serve_open_error(b, id, code, ai_buf_cstr(&text));
	serve_put_close(b, 2);
	ai_buf_release(&text);
}

/* ---- results ----------------------------------------------------------------- */

void serve_put_info(struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, "aiutils");
	ai_put_key(b, "version");
	ai_put_cstr(b, PACKAGE_VERSION);
	ai_put_close(b, '}');
}

/* error: with what is known of a failure; NULL. */
static void put_meta(struct ai_buf *b, bool modern, const struct ai_err *error)
{
	if (!modern && error == NULL)
		return;
	ai_put_key(b, "_meta");
	ai_put_open(b, '{');
	if (modern) {
		ai_put_key(b, "io.modelcontextprotocol/serverInfo");
		serve_put_info(b);
	}
	if (error != NULL) {
		ai_put_key(b, id_of_error);
		ai_put_open(b, '{');
		ai_put_key(b, "code");
		ai_put_cstr(b, ai_code_name(error->code));
		ai_put_key(b, "retryable");
		ai_put_bool(b, ai_code_retryable(error->code));
		ai_put_key(b, "retry_after_s");
		if (error->retry_after_s > 0)
			ai_put_f64(b, error->retry_after_s);
		else
			ai_put_null(b);
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

static void open_result(struct ai_buf *b, struct ai_span id, bool modern,
			const struct ai_err *error)
{
	open_message(b, id);
	ai_put_key(b, "result");
	ai_put_open(b, '{');
	if (modern) {
		ai_put_key(b, "resultType");
		ai_put_cstr(b, "complete");
	}
	put_meta(b, modern, error);
}

void serve_open_result(struct ai_buf *b, struct ai_span id, bool modern)
{
	open_result(b, id, modern, NULL);
}

void serve_put_ttl(struct ai_buf *b)
{
	ai_put_key(b, "ttlMs");
	ai_put_i64(b, TTL_MS);
	ai_put_key(b, "cacheScope");
	ai_put_cstr(b, "private");
}

void serve_put_tools(const struct serve *s, struct ai_buf *b)
{
	ai_put_key(b, "tools");
	ai_put_open(b, '[');
	for (size_t i = 0; i < s->n_tools; i++)
		ai_put_raw(b, s->tools[i].json, strlen(s->tools[i].json));
	ai_put_close(b, ']');
}

/* ---- calls ------------------------------------------------------------------- */

static void put_content(struct ai_buf *b, struct ai_span text)
{
	ai_put_key(b, "content");
	ai_put_open(b, '[');
	ai_put_open(b, '{');
	ai_put_key(b, "type");
	ai_put_cstr(b, "text");
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	ai_put_close(b, '}');
	ai_put_close(b, ']');
}

void serve_put_called(struct ai_buf *b, const struct serve_call *c,
		      struct ai_span text, struct ai_span object)
{
	open_result(b, ai_span_of(c->id), c->modern, NULL);
	put_content(b, text);
	ai_put_key(b, "structuredContent");
	ai_put_raw(b, object.p, object.n);
	ai_put_key(b, "isError");
	ai_put_bool(b, false);
	serve_put_close(b, 2);
}

/* No object comes with it: clients check that against the schema of answers. */
void serve_put_failed(struct ai_buf *b, struct ai_span id, bool modern,
		      const struct ai_err *why)
{
	struct ai_buf text = AI_BUF_INIT(4096);

	ai_buf_fmt(&text, "%s: %s", ai_code_name(why->code), why->msg);
	if (why->retry_after_s > 0)
		ai_buf_fmt(&text, "; try again in %g s", why->retry_after_s);
	open_result(b, id, modern, why);
	put_content(b, (struct ai_span){ ai_buf_cstr(&text), text.len });
	ai_put_key(b, "isError");
	ai_put_bool(b, true);
	serve_put_close(b, 2);
	ai_buf_release(&text);
}

void serve_put_progress(struct ai_buf *b, const struct serve_call *c,
			const char *message)
{
	open_message(b, (struct ai_span){ NULL, 0 });
	ai_put_key(b, "method");
	ai_put_cstr(b, "notifications/progress");
	ai_put_key(b, "params");
	ai_put_open(b, '{');
	ai_put_key(b, "progressToken");
	ai_put_raw(b, c->token, strlen(c->token));
	ai_put_key(b, "progress");
	ai_put_i64(b, c->progress);
	ai_put_key(b, "message");
	ai_put_cstr(b, message);
	serve_put_close(b, 2);
}
