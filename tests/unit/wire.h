/*
 * wire.h: what the tests of wire formats share.  A request is made from JSON
 * as a record has it; answers and streams go into one struct, chat.
 */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include "model/bill.h"
#include "model/wire.h"
#include "tap.h"

#include <math.h>
#include <string.h>

static struct ai_err err;
static struct ai_chat_answer chat;
static struct ai_chat_message wire_messages[16];

static struct ai_value wire_value(const char *json)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	if (ai_json_check(json, strlen(json), &v, &err) < 0)
		printf("# %s: %s\n", json, err.msg);
	return v;
}

/* Messages of a JSON list and nothing else asked for. */
static struct ai_chat_request wire_ask(const char *list)
{
	struct ai_chat_request q = {
		.model = "m", .messages = wire_messages,
		.max_tokens = AI_CHAT_UNSET, .temperature = NAN,
		.top_p = NAN, .seed = AI_CHAT_UNSET,
	};
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, wire_value(list));
	while (q.n_messages < 16 && ai_json_next(&it, NULL, &v))
		wire_messages[q.n_messages++] =
			(struct ai_chat_message){ .raw = v };
	return q;
}

/* What a put function writes; NULL: it failed. */
static const char *wire_body(int (*put)(const struct ai_chat_request *q,
					struct ai_buf *out,
					struct ai_err *e),
			     const struct ai_chat_request *q)
{
	static struct ai_buf b;

	ai_buf_release(&b);
	ai_buf_init(&b, 1 << 20);
	if (put(q, &b, &err) < 0 || ai_buf_check(&b, "the request", &err) < 0)
		return NULL;
	return ai_json_check(b.p, b.len, NULL, &err) < 0 ? "not JSON" : b.p;
}

static bool wire_same(const char *got, const char *want)
{
	bool same = got != NULL && strcmp(got, want) == 0;

	if (!same)
		printf("# got  %s\n# want %s\n", got == NULL ? err.msg : got,
		       want);
	return same;
}

static int wire_get(const struct ai_wire *w, const char *body)
{
	ai_chat_answer_release(&chat);
	ai_chat_answer_init(&chat, 1 << 16);
	return w->get_chat(body, strlen(body), &chat, &err);
}

/* A stream: names and data in turns, NULL ends it.  How many events it took
 * until the answer was whole; 0: it never was; -1: one failed. */
static int wire_feed(const struct ai_wire *w, const char *const *events)
{
	int rc;

	ai_chat_answer_release(&chat);
	ai_chat_answer_init(&chat, 1 << 16);
	for (int i = 0; events[i] != NULL; i += 2) {
		rc = ai_wire_get_event(w, ai_span_of(events[i]),
				  ai_span_of(events[i + 1]), &chat, &err);
		if (rc != 0)
			return rc < 0 ? rc : i / 2 + 1;
	}
	return 0;
}

static bool wire_text(const char *text, const char *finish)
{
	return strcmp(ai_buf_cstr(&chat.text), text) == 0 &&
	       strcmp(chat.finish_reason, finish) == 0;
}

static bool wire_call(size_t i, const char *id, const char *name,
		      const char *arguments)
{
	return i < chat.n_calls && strcmp(ai_buf_cstr(&chat.calls[i].id), id) == 0 &&
	       strcmp(chat.calls[i].name, name) == 0 &&
	       strcmp(ai_buf_cstr(&chat.calls[i].arguments), arguments) == 0;
}

static inline int wire_add_name(void *arg, const struct ai_listed *m,
				struct ai_err *e)
{
	(void)e;
	ai_buf_add(arg, m->name.p, m->name.n);
	if (m->context >= 0 || m->output >= 0)
		ai_buf_fmt(arg, "(%d,%d)", (int)m->context, (int)m->output);
	return ai_buf_chr(arg, ' ');
}

/* The names in a list of models, with what is told of them and a blank behind
 * each, and behind "> " the next
 * page; NULL: it failed. */
static inline const char *wire_models(const struct ai_wire *w, const char *list)
{
	static struct ai_buf names;
	struct ai_buf next = AI_BUF_INIT(100);
	int rc;

	ai_buf_release(&names);
	ai_buf_init(&names, 1000);
	rc = ai_wire_get_models(w, list, strlen(list), wire_add_name, &names,
				&next, &err);
	if (next.len > 0)
		ai_buf_fmt(&names, "> %s", next.p);
	ai_buf_release(&next);
	return rc < 0 ? NULL : ai_buf_cstr(&names);
}

/* A path with this model's name in it. */
static inline const char *wire_path(const char *path, const char *model)
{
	static struct ai_buf b;

	ai_buf_release(&b);
	ai_buf_init(&b, 1000);
	ai_wire_put_path(&b, path, model);
	return ai_buf_cstr(&b);
}

/* The bill, read as the ledger reads it. */
static bool wire_usage(enum ai_shape shape, int64_t input, int64_t read,
		       int64_t written, int64_t output)
{
	struct ai_usage u;
	struct ai_value v;
	struct ai_meter m;

	if (ai_json_check(ai_buf_cstr(&chat.bill), chat.bill.len, &v,
			  &err) < 0 || ai_meter_read(shape, v, &m, &err) < 0)
		return false;
	u = ai_usage_of(&m);
	return u.input == input && u.cached_read == read &&
	       u.cache_write == written && u.output == output;
}

/* Each answer fails with this code. */
static void wire_bad(const struct ai_wire *w, const char *const *bad)
{
	for (; *bad != NULL; bad++)
		ok(wire_get(w, *bad) < 0 && err.code == AI_E_ANSWER,
		   "bad answer %.60s: %s", *bad, err.msg);
}

struct wire_error {
	const char *body;
	bool error;
	long status;
	const char *message, *code;
};

static void wire_errors(const struct ai_wire *w, const struct wire_error *c)
{
	struct ai_wire_error e;

	for (; c->body != NULL; c++)
		ok(w->get_error(c->body, strlen(c->body), &e) == c->error &&
		   e.status == c->status && strcmp(e.code, c->code) == 0 &&
		   strcmp(e.message, c->message) == 0, "error %.70s", c->body);
}

#endif
