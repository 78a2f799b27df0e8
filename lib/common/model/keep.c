/* keep.c: answers as JSON, to be kept and used again. */
#include "model/wire.h"

#include <stdio.h>
#include <string.h>

static void put_text(struct ai_buf *b, const char *key, const char *text)
{
	if (text[0] == '\0')
		return;
	ai_put_key(b, key);
	ai_put_cstr(b, text);
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

void ai_chat_call_put(const struct ai_chat_answer *a, size_t i,
		      struct ai_buf *b)
{
	const struct ai_tool_call *call = &a->calls[i];
	char id[32];

	snprintf(id, sizeof id, "call_%zu", i);
	ai_put_open(b, '{');
	ai_wire_put_span(b, "id", call->id.len > 0 ? span_of(&call->id)
						   : ai_span_of(id));
	ai_wire_put_cstr(b, "type", "function");
	ai_wire_put_in(b, "function", '{');
	ai_wire_put_cstr(b, "name", call->name);
	ai_wire_put_span(b, "arguments", span_of(&call->arguments));
	ai_put_close(b, '}');
	if (call->signature.len > 0) {
		ai_wire_put_in(b, "extra_content", '{');
		ai_wire_put_in(b, "google", '{');
		ai_wire_put_span(b, "thought_signature",
				 span_of(&call->signature));
		ai_put_close(b, '}');
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

void ai_chat_calls_put(const struct ai_chat_answer *a, struct ai_buf *b)
{
	ai_put_open(b, '[');
	for (size_t i = 0; i < a->n_calls; i++)
		ai_chat_call_put(a, i, b);
	ai_put_close(b, ']');
}

void ai_chat_answer_put(const struct ai_chat_answer *a, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "text");
	ai_put_str(b, ai_buf_cstr(&a->text), a->text.len);
	put_text(b, "model", a->model);
	put_text(b, "finish_reason", a->finish_reason);
	if (a->refusal) {
		ai_put_key(b, "refusal");
		ai_put_bool(b, true);
	}
	if (a->n_calls > 0) {
		ai_put_key(b, "calls");
		ai_chat_calls_put(a, b);
	}
	if (a->bill.len > 0) {
		ai_put_key(b, "bill");
		ai_put_raw(b, a->bill.p, a->bill.len);
	}
	ai_put_close(b, '}');
}

static int take_call(struct ai_value v, size_t i, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call(a, i, err);

	if (call == NULL || ai_wire_call_id(v, "id", call, err) < 0)
		return -1;
	ai_wire_copy(v, "function.name", call->name, sizeof call->name);
	return ai_wire_arguments(ai_json_get(v, "function.arguments"), call,
				 err) < 0 ? -1
		: ai_wire_signature(ai_json_get(v, AI_SIGNATURE), call, err);
}

int ai_chat_answer_take(struct ai_span kept, struct ai_chat_answer *a,
			struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v, part;
	size_t i = 0;

	ai_chat_answer_clear(a);
	if (ai_wire_object(kept.p, kept.n, &v, err) < 0)
		return -1;
	part = ai_json_get(v, "text");
	if (part.kind == AI_STRING)
		ai_json_text(part, &a->text);
	ai_wire_copy(v, "model", a->model, sizeof a->model);
	ai_wire_copy(v, "finish_reason", a->finish_reason,
		     sizeof a->finish_reason);
	a->refusal = ai_json_true(ai_json_get(v, "refusal"));
	part = ai_json_get(v, "bill");
	if (part.kind == AI_OBJECT)
		ai_buf_add(&a->bill, part.s.p, part.s.n);
	ai_json_iter_init(&it, ai_json_get(v, "calls"));
	for (; ai_json_next(&it, NULL, &part); i++)
		if (take_call(part, i, a, err) < 0)
			return -1;
	return ai_buf_check(&a->text, "the kept answer", err);
}
