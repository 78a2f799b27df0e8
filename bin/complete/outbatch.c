/*
 * outbatch.c: --openai-batch: answers as the output file of OpenAI's Batch
 * has them, one a line, for programs that read those.
 *
 *	{"id":..., "custom_id":..., "error":null,
 *	 "response":{"status_code":200, "request_id":..., "body":{...}}}
 */
#include "complete.h"

#include "crypt/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_ID 40 /* "batch_req_" and 24 digits, and a NUL */

/* One that is the same when the same line is asked again. */
static void make_id(const struct ai_rec *rec, unsigned long line,
		    const char *prefix, char id[LINE_ID])
{
	char hex[AI_HASH_HEX];
	struct ai_hash hash;

	ai_hash_init(&hash);
	ai_hash_add(&hash, &line, sizeof line);
	if (rec != NULL)
		ai_hash_add(&hash, rec->line.p, rec->line.n);
	ai_hash_hex(&hash, hex);
	snprintf(id, LINE_ID, "%s%.24s", prefix, hex);
}

static void put_head(struct ai_buf *b, const struct ai_rec *rec,
		     unsigned long line)
{
	struct ai_value name = { AI_NONE, { NULL, 0 } };
	char id[LINE_ID];

	make_id(rec, line, "batch_req_", id);
	if (rec != NULL)
		name = ai_rec_get(rec, "custom_id");
	if (rec != NULL && name.kind != AI_STRING && name.kind != AI_NUMBER)
		name = ai_rec_id_value(rec);
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "id", id);
	ai_put_key(b, "custom_id");
	ai_put_value(b, name);
}

static void put_response(struct ai_buf *b, long status, const char *request_id)
{
	ai_wire_put_in(b, "response", '{');
	ai_wire_put_i64(b, "status_code", status);
	ai_wire_put_cstr(b, "request_id", request_id);
	ai_wire_put_in(b, "body", '{');
}

static void put_null(struct ai_buf *b, const char *name)
{
	ai_put_key(b, name);
	ai_put_null(b);
}

/* ---- an answer ------------------------------------------------------------------- */

static void put_message(struct ai_buf *b, const struct complete_answer *a)
{
	struct ai_span text = { ai_buf_cstr(&a->chat.text),
				a->chat.text.len };

	ai_wire_put_in(b, "message", '{');
	ai_wire_put_cstr(b, "role", "assistant");
	if (a->chat.refusal || (text.n == 0 && a->chat.n_calls > 0))
		put_null(b, "content");
	else
		ai_wire_put_span(b, "content", text);
	if (a->chat.refusal)
		ai_wire_put_span(b, "refusal", text);
	else
		put_null(b, "refusal");
	if (a->chat.n_calls > 0) {
		ai_put_key(b, "tool_calls");
		ai_chat_calls_put(&a->chat, b);
	}
	ai_put_close(b, '}');
}

static void put_choice(struct ai_buf *b, const struct complete_answer *a)
{
	const char *why = a->chat.finish_reason;

	ai_wire_put_in(b, "choices", '[');
	ai_put_open(b, '{');
	ai_wire_put_i64(b, "index", 0);
	put_message(b, a);
	put_null(b, "logprobs");
	ai_wire_put_cstr(b, "finish_reason", why[0] != '\0' ? why : "stop");
	ai_put_close(b, '}');
	ai_put_close(b, ']');
}

static int64_t known(int64_t n)
{
	return n < 0 ? 0 : n;
}

static void put_usage(struct ai_buf *b, const struct ai_usage *u)
{
	if (u->input < 0 || u->output < 0)
		return;
	ai_wire_put_in(b, "usage", '{');
	ai_wire_put_i64(b, "prompt_tokens", u->input);
	ai_wire_put_i64(b, "completion_tokens", u->output);
	ai_wire_put_i64(b, "total_tokens", u->input + u->output);
	ai_wire_put_in(b, "prompt_tokens_details", '{');
	ai_wire_put_i64(b, "cached_tokens", known(u->cached_read));
	ai_put_close(b, '}');
	ai_wire_put_in(b, "completion_tokens_details", '{');
	ai_wire_put_i64(b, "reasoning_tokens", known(u->reasoning));
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

void complete_outbatch_put(const struct complete_answer *a,
			   const struct ai_rec *rec, struct ai_buf *b)
{
	char id[LINE_ID];

	make_id(rec, rec->number, "chatcmpl-", id);
	put_head(b, rec, rec->number);
	put_response(b, 200, a->call.request_id);
	ai_wire_put_cstr(b, "id", id);
	ai_wire_put_cstr(b, "object", "chat.completion");
	ai_wire_put_i64(b, "created", a->call.created_s != 0
			? a->call.created_s : (int64_t)time(NULL));
	ai_wire_put_cstr(b, "model", a->chat.model);
	put_choice(b, a);
	put_usage(b, &a->chat.usage);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	put_null(b, "error");
	ai_put_close(b, '}');
}

/* ---- a failure -------------------------------------------------------------------- */

/* What an earlier program failed on says why itself. */
static void put_why(struct ai_buf *b, const struct ai_rec *rec,
		    const struct ai_err *why)
{
	if (rec != NULL && ai_rec_is_error(rec)) {
		ai_wire_put_value(b, "code", ai_rec_get(rec, "error.code"));
		ai_put_key(b, "message");
		ai_put_value(b, ai_rec_get(rec, "error.message"));
		return;
	}
	ai_wire_put_cstr(b, "code", ai_code_name(why->code));
	ai_wire_put_cstr(b, "message", why->msg);
}

/* An answer that is no good has a status of 200 and is none to go on with. */
static void put_refused(struct ai_buf *b, const struct ai_call *call,
			const struct ai_err *why)
{
	if (call == NULL || call->status < 400) {
		put_null(b, "response");
		return;
	}
	put_response(b, call->status, call->request_id);
	ai_wire_put_in(b, "error", '{');
	ai_wire_put_cstr(b, "message", why->msg);
	ai_wire_put_cstr(b, "type", ai_code_name(why->code));
	if (call->param[0] != '\0')
		ai_wire_put_cstr(b, "param", call->param);
	else
		put_null(b, "param");
	ai_wire_put_cstr(b, "code", ai_code_name(why->code));
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

void complete_outbatch_fail(const struct ai_call *call,
			    const struct ai_rec *rec, unsigned long line,
			    const struct ai_err *why, struct ai_buf *b)
{
	put_head(b, rec, line);
	put_refused(b, call, why);
	ai_wire_put_in(b, "error", '{');
	put_why(b, rec, why);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}
