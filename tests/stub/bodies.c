/*
 * ai-bodies: writes requests to providers, for tests. A line of JSON in, the
 * body of the request out, or {"cannot":MESSAGE} if the format cannot say it.
 *
 *	{"wire":TEXT, "what":"chat|count|embed", "model":TEXT,
 *	 "messages":[...], "max_tokens":N, "temperature":N, "top_p":N,
 *	 "seed":N, "stop":[TEXT, ...], "effort":TEXT, "tools":[...],
 *	 "tool_choice":..., "schema":{...}, "stream":BOOL,
 *	 "texts":[TEXT, ...], "dim":N}
 */
#include "base/buf.h"
#include "model/wire.h"
#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 16

static const struct ai_wire *const wires[] = {
	&ai_wire_openai, &ai_wire_anthropic, &ai_wire_bedrock, &ai_wire_cohere,
	&ai_wire_gemini, &ai_wire_mistral, &ai_wire_ollama, &ai_wire_responses,
};

/* What a request points to. */
struct asked {
	struct ai_chat_message messages[MOST];
	struct ai_buf strings[MOST];
	struct ai_span texts[MOST];
	struct ai_buf model, effort;
};

static const struct ai_wire *wire_of(struct ai_value name)
{
	for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
		if (ai_json_is(name, ai_span_of(wires[i]->name)))
			return wires[i];
	abort();
}

static const char *take_text(struct ai_value v, struct ai_buf *b)
{
	ai_buf_clear(b);
	return v.kind == AI_STRING && ai_json_text(v, b) == 0
		? ai_buf_cstr(b) : NULL;
}

static size_t take_texts(struct ai_value list, struct asked *a)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_json_iter_init(&it, list);
	for (; n < MOST && ai_json_next(&it, NULL, &v); n++) {
		take_text(v, &a->strings[n]);
		a->texts[n] = (struct ai_span){ ai_buf_cstr(&a->strings[n]),
						a->strings[n].len };
	}
	return n;
}

static double real_of(struct ai_value v)
{
	double d;

	return ai_json_f64(v, &d) < 0 ? (double)NAN : d;
}

static int64_t int_of(struct ai_value v)
{
	int64_t n;

	return ai_json_i64(v, &n) < 0 ? AI_CHAT_UNSET : n;
}

static struct ai_chat_request take(struct ai_value v, struct asked *a)
{
	struct ai_chat_request q = {
		.model = take_text(ai_json_get(v, "model"), &a->model),
		.messages = a->messages,
		.max_tokens = int_of(ai_json_get(v, "max_tokens")),
		.temperature = real_of(ai_json_get(v, "temperature")),
		.top_p = real_of(ai_json_get(v, "top_p")),
		.seed = int_of(ai_json_get(v, "seed")),
		.stop = a->texts,
		.n_stop = take_texts(ai_json_get(v, "stop"), a),
		.effort = take_text(ai_json_get(v, "effort"), &a->effort),
		.tools = ai_json_get(v, "tools"),
		.tool_choice = ai_json_get(v, "tool_choice"),
		.schema = ai_json_get(v, "schema").s,
		.stream = ai_json_true(ai_json_get(v, "stream")),
	};
	struct ai_json_iter it;
	struct ai_value m;

	ai_json_iter_init(&it, ai_json_get(v, "messages"));
	while (q.n_messages < MOST && ai_json_next(&it, NULL, &m))
		a->messages[q.n_messages++] =
			(struct ai_chat_message){ .raw = m };
	return q;
}

static int put(struct ai_value v, struct asked *a, struct ai_buf *out,
	       struct ai_err *err)
{
	const struct ai_wire *w = wire_of(ai_json_get(v, "wire"));
	struct ai_value what = ai_json_get(v, "what");
	struct ai_chat_request q = take(v, a);
	struct ai_embed_request e = { .model = q.model, .texts = a->texts };

	if (ai_json_is(what, AI_SPAN("embed"))) {
		e.n = take_texts(ai_json_get(v, "texts"), a);
		e.dim = (size_t)int_of(ai_json_get(v, "dim"));
		w->put_embed(&e, out);
		return 0;
	}
	if (ai_wire_check(w, w->name, &q, err) < 0)
		return -1;
	return (ai_json_is(what, AI_SPAN("count")) ? w->put_count
						   : w->put_chat)(&q, out, err);
}

int main(void)
{
	static struct asked a;
	struct ai_buf out = AI_BUF_INIT(1 << 24);
	struct ai_err err;
	struct ai_value v;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	ai_buf_init(&a.model, 4096);
	ai_buf_init(&a.effort, 4096);
	for (size_t i = 0; i < MOST; i++)
		ai_buf_init(&a.strings[i], 1 << 20);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		ai_buf_clear(&out);
		if (ai_json_check(line, (size_t)n, &v, &err) < 0)
			abort();
		if (put(v, &a, &out, &err) < 0) {
			ai_buf_clear(&out);
			ai_put_open(&out, '{');
			ai_wire_put_cstr(&out, "cannot", err.msg);
			ai_put_close(&out, '}');
		}
		if (ai_buf_check(&out, "the body", &err) < 0)
			abort();
		puts(out.p);
	}
	free(line);
	ai_buf_release(&out);
	ai_buf_release(&a.model);
	ai_buf_release(&a.effort);
	for (size_t i = 0; i < MOST; i++)
		ai_buf_release(&a.strings[i]);
	return ferror(stdin) || fflush(stdout) != 0;
}
