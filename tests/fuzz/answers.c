/*
 * What servers answer in each wire format: no bytes break its parser, what it
 * accepts is whole.  The first byte chooses the format; what follows is a
 * body, and also a stream: an event a line, "NAME DATA" or only data.  A body
 * that has messages is a request too, which must come out as JSON or not at
 * all.
 * fuzz: lib/common/model/anthropic.c lib/common/model/bedrock.c lib/common/model/cohere.c lib/common/model/gemini.c lib/common/model/ollama.c lib/common/model/openai.c lib/common/model/responses.c lib/common/model/turns.c lib/common/model/lists.c lib/common/model/strict.c lib/common/model/wire.c
 */
#include "base/utf8.h"
#include "model/wire.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>

/* New ones go to the end: the corpus counts from the letter "a". */
static const struct ai_wire *const wires[] = {
	&ai_wire_openai, &ai_wire_anthropic, &ai_wire_bedrock, &ai_wire_cohere,
	&ai_wire_ollama, &ai_wire_gemini, &ai_wire_responses, &ai_wire_mistral,
};
#define N_WIRES (sizeof wires / sizeof *wires)

#define TEXT_MAX 256

static bool is_utf8(const struct ai_buf *b)
{
	return ai_utf8_valid(ai_buf_cstr(b), b->len) == b->len;
}

static bool printable(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size || ai_utf8_valid(s, n) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 127)
			return false;
	return true;
}

static void check_failed(const struct ai_err *err)
{
	must(err->code == AI_E_ANSWER || err->code == AI_E_TOO_LONG);
	must(err->msg[0] != '\0');
}

static void check_answer(const struct ai_chat_answer *a)
{
	struct ai_value v;

	must(a->text.len <= TEXT_MAX && is_utf8(&a->text));
	must(printable(a->model, sizeof a->model));
	must(printable(a->finish_reason, sizeof a->finish_reason));
	must(a->n_calls <= AI_TOOL_CALLS_MAX);
	for (size_t i = 0; i < a->n_calls; i++) {
		must(a->calls[i].id.len <= TEXT_MAX);
		must(is_utf8(&a->calls[i].id));
		must(printable(a->calls[i].name, sizeof a->calls[i].name));
		must(a->calls[i].arguments.len <= TEXT_MAX);
		must(is_utf8(&a->calls[i].arguments));
		must(a->calls[i].signature.len <= TEXT_MAX);
		must(is_utf8(&a->calls[i].signature));
	}
	if (a->bill.len > 0) {
		must(ai_json_check(a->bill.p, a->bill.len, &v, NULL) == 0);
		must(v.kind == AI_OBJECT);
	}
}

static void try_chat(const struct ai_wire *w, const char *p, size_t n)
{
	struct ai_chat_answer a;
	struct ai_err err = { AI_E_NONE, -1, "" };

	ai_chat_answer_init(&a, TEXT_MAX);
	if (w->get_chat(p, n, &a, &err) == 0)
		check_answer(&a);
	else
		check_failed(&err);
	ai_chat_answer_release(&a);
}

static int event(const struct ai_wire *w, const char *p, size_t n,
		 struct ai_chat_answer *a)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	const char *blank = n > 0 && *p != '{' ? memchr(p, ' ', n) : NULL;
	struct ai_span name = { p, 0 };
	int rc;

	if (blank != NULL) {
		name.n = (size_t)(blank - p);
		n -= name.n + 1;
		p = blank + 1;
	}
	rc = ai_wire_get_event(w, name, (struct ai_span){ p, n }, a, &err);
	must(rc >= -1 && rc <= 1);
	if (rc < 0)
		check_failed(&err);
	else
		check_answer(a);
	return rc;
}

static void try_stream(const struct ai_wire *w, const char *p, size_t n)
{
	struct ai_chat_answer a;
	const char *end = p + n, *stop;

	if (w->framing == AI_FRAMING_NONE)
		return;
	ai_chat_answer_init(&a, TEXT_MAX);
	for (; p < end; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		if (event(w, p, (size_t)(stop - p), &a) != 0)
			break;
	}
	ai_chat_answer_release(&a);
}

static void try_error(const struct ai_wire *w, const char *p, size_t n)
{
	struct ai_wire_error e;

	w->get_error(p, n, &e);
	if (w->name_error != NULL)
		w->name_error((struct ai_span){ p, n < 300 ? n : 300 }, &e);
	must(printable(e.message, sizeof e.message));
	must(printable(e.code, sizeof e.code));
	must(printable(e.param, sizeof e.param));
	must(e.retry_after_s >= 0);
	must(e.status == 0 || (e.status >= 400 && e.status <= 599));
}

static int each_model(void *arg, const struct ai_listed *m,
		      struct ai_err *err)
{
	(void)arg;
	(void)err;
	must(ai_utf8_valid(m->name.p, m->name.n) == m->name.n);
	must(m->context >= -1 && m->output >= -1);
	return 0;
}

static void try_lists(const struct ai_wire *w, const char *p, size_t n)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_buf next = AI_BUF_INIT(256);
	int64_t tokens = -1;

	if (w->count_path != NULL) {
		if (ai_wire_get_count(w, p, n, &tokens, &err) == 0)
			must(tokens >= 0);
		else
			check_failed(&err);
	}
	if (w->models.path != NULL &&
	    ai_wire_get_models(w, p, n, each_model, NULL, &next, &err) < 0)
		check_failed(&err);
	must(is_utf8(&next));
	ai_buf_release(&next);
}

static void try_embed(const struct ai_wire *w, const char *p, size_t n)
{
	static const struct ai_span text[2];
	struct ai_embed_request q = { "m", text, 2, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_embed_answer a;

	if (w->embed.path == NULL)
		return;
	if (ai_wire_get_embed(w, p, n, &q, &a, &err) == 0) {
		must(a.n == 2 && a.dim > 0);
		for (size_t i = 0; i < a.n * a.dim; i++)
			must(isfinite(a.vectors[i]));
	} else {
		check_failed(&err);
		must(a.vectors == NULL);
	}
	ai_embed_answer_release(&a);
}

static void try_put(int (*put)(const struct ai_chat_request *q,
			       struct ai_buf *out, struct ai_err *err),
		    const struct ai_chat_request *q)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	struct ai_err err = { AI_E_NONE, -1, "" };

	if (put(q, &b, &err) == 0 && b.bad == AI_E_NONE)
		must(ai_json_check(b.p, b.len, NULL, NULL) == 0);
	else
		must(b.bad != AI_E_NONE || err.code == AI_E_RECORD);
	ai_buf_release(&b);
}

static void try_request(const struct ai_wire *w, const char *p, size_t n)
{
	struct ai_chat_message m[16] = { { .role = NULL } };
	struct ai_chat_request q = {
		.model = "m", .messages = m, .max_tokens = 1,
		.temperature = NAN, .top_p = NAN, .seed = AI_CHAT_UNSET,
	};
	struct ai_json_iter it;
	struct ai_value v;

	if (ai_json_check(p, n, &v, NULL) < 0 ||
	    ai_json_get(v, "messages").kind != AI_ARRAY)
		return;
	q.tools = ai_json_get(v, "tools");
	q.tool_choice = ai_json_get(v, "tool_choice");
	if (ai_json_get(v, "schema").kind == AI_OBJECT)
		q.schema = ai_json_get(v, "schema").s;
	ai_json_iter_init(&it, ai_json_get(v, "messages"));
	while (q.n_messages < 16 && ai_json_next(&it, NULL, &v))
		if (v.kind == AI_OBJECT) /* the program has seen to it */
			m[q.n_messages++].raw = v;
	try_put(w->put_chat, &q);
	if (w->put_count != NULL)
		try_put(w->put_count, &q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ai_wire *w;
	const char *p;

	if (size == 0)
		return 0;
	w = wires[(uint8_t)(data[0] - 'a') % N_WIRES];
	p = (const char *)data + 1;
	size--;
	try_chat(w, p, size);
	try_stream(w, p, size);
	try_error(w, p, size);
	try_lists(w, p, size);
	try_embed(w, p, size);
	try_request(w, p, size);
	return 0;
}
