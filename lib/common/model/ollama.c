/*
 * ollama.c: the wire format of Ollama's own /api/chat and /api/embed.  After
 * its docs/api and api/types.go (commit fb30760).  A message is a text with
 * pictures beside it; calls have an object as their arguments and
 * need not have an id.
 */
#include "model/turns.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* ---- messages ----------------------------------------------------------- */

static bool is_text(const struct ai_part *p)
{
	return p->kind == AI_PART_TEXT && p->text.n > 0;
}

/* The texts of a turn are one, with blank lines between them, as Ollama's
 * own templates join neighbours of a role. */
static void put_text(struct ai_buf *b, const struct ai_turn *t)
{
	struct ai_buf text = AI_BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < t->n; i++) {
		if (!is_text(&t->parts[i]))
			continue;
		if (text.len > 0)
			ai_buf_str(&text, "\n\n");
		ai_buf_add(&text, t->parts[i].text.p, t->parts[i].text.n);
	}
	ai_wire_put_span(b, "content",
			 (struct ai_span){ ai_buf_cstr(&text), text.len });
	if (b->bad == AI_E_NONE)
		b->bad = text.bad;
	ai_buf_release(&text);
}

static bool has(const struct ai_turn *t, enum ai_part_kind kind)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == kind)
			return true;
	return false;
}

static void put_images(struct ai_buf *b, const struct ai_turn *t)
{
	if (!has(t, AI_PART_IMAGE_DATA))
		return;
	ai_wire_put_in(b, "images", '[');
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == AI_PART_IMAGE_DATA)
			ai_put_str(b, t->parts[i].text.p, t->parts[i].text.n);
	ai_put_close(b, ']');
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	ai_put_open(b, '{');
	if (p->id.n > 0)
		ai_wire_put_span(b, "id", p->id);
	ai_wire_put_in(b, "function", '{');
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_json(b, "arguments", p->text);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

static void put_calls(struct ai_buf *b, const struct ai_turn *t)
{
	if (!has(t, AI_PART_CALL))
		return;
	ai_wire_put_in(b, "tool_calls", '[');
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == AI_PART_CALL)
			put_call(b, &t->parts[i]);
	ai_put_close(b, ']');
}

/* Each answer of a tool is a message of its own. */
static void put_results(struct ai_buf *b, const struct ai_turn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		ai_put_open(b, '{');
		ai_wire_put_cstr(b, "role", "tool");
		ai_wire_put_span(b, "content", t->parts[i].text);
		if (t->parts[i].name.n > 0)
			ai_wire_put_span(b, "tool_name", t->parts[i].name);
		if (t->parts[i].id.n > 0)
			ai_wire_put_span(b, "tool_call_id", t->parts[i].id);
		ai_put_close(b, '}');
	}
}

static int put_turn(struct ai_buf *b, const struct ai_turn *t,
		    struct ai_err *err)
{
	static const char *const roles[] = {
		[AI_ROLE_SYSTEM] = "system", [AI_ROLE_USER] = "user",
		[AI_ROLE_ASSISTANT] = "assistant",
	};

	if (has(t, AI_PART_IMAGE_URL))
		return ai_err_set(err, AI_E_RECORD, "ollama fetches no "
				  "pictures: give the picture itself, as a "
				  "data: URL");
	for (size_t i = 0; i < t->n; i++)
		if (ai_part_no_detail(&t->parts[i], err) < 0)
			return -1;
	if (has(t, AI_PART_CALL) && t->role != AI_ROLE_ASSISTANT)
		return ai_err_set(err, AI_E_RECORD, "a tool call that is not "
				  "the assistant's");
	if (t->role == AI_ROLE_TOOL) {
		put_results(b, t);
		return 0;
	}
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "role", roles[t->role]);
	put_text(b, t);
	put_images(b, t);
	put_calls(b, t);
	ai_put_close(b, '}');
	return 0;
}

/* ---- requests ----------------------------------------------------------- */

static void put_options(const struct ai_chat_request *q, struct ai_buf *b)
{
	ai_wire_put_in(b, "options", '{');
	ai_wire_put_i64(b, "num_predict", q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "top_p", q->top_p);
	ai_wire_put_i64(b, "seed", q->seed);
	ai_wire_put_texts(b, "stop", q->stop, q->n_stop);
	ai_put_close(b, '}');
}

/* Levels are known to some models; to the others any of them is true. */
static void put_think(const char *effort, struct ai_buf *b)
{
	if (effort == NULL)
		return;
	ai_put_key(b, "think");
	if (strcmp(effort, "none") == 0)
		ai_put_bool(b, false);
	else
		ai_put_cstr(b, effort);
}

/* What it is without a word is the model's free choice, and nothing else. */
static int check_tool_choice(struct ai_value v, struct ai_err *err)
{
	struct ai_tool_choice choice;

	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	return choice.kind == AI_CHOICE_AUTO ? 0 :
		ai_err_set(err, AI_E_RECORD, "ollama cannot do 'tool_choice': "
			   "its models choose freely");
}

/* Tools have OpenAI's form.  "stream" is true where it is not told.  Without
 * truncate and shift it would leave out what does not fit into its context, the
 * beginning of the prompt above all, and not say so. */
static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	if (check_tool_choice(q->tool_choice, err) < 0 ||
	    ai_tools_no_strict(q->tools, "ollama", err) < 0)
		return -1;
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	if (ai_turns_put_each(q, put_turn, b, err) < 0)
		return -1;
	put_options(q, b);
	put_think(q->effort, b);
	ai_wire_put_value(b, "tools", q->tools);
	if (q->schema.n > 0) {
		ai_put_key(b, "format");
		ai_schema_put(b, q->schema);
	}
	ai_wire_put_bool(b, "truncate", false);
	ai_wire_put_bool(b, "shift", false);
	ai_wire_put_bool(b, "stream", q->stream);
	ai_put_close(b, '}');
	return 0;
}

/* Without truncate it would embed the beginning of a text that is too long,
 * and not say so. */
static void put_embed(const struct ai_embed_request *q, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	ai_wire_put_texts(b, "input", q->texts, q->n);
	ai_wire_put_bool(b, "truncate", false);
	if (q->dim > 0)
		ai_wire_put_i64(b, "dimensions", (int64_t)q->dim);
	ai_put_close(b, '}');
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = { { NULL, NULL } };

static int get_calls(struct ai_value list, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_tool_call *call;
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		call = ai_wire_call(v, "id", "function.name", 0, a, err);
		if (call == NULL || ai_wire_arguments(ai_json_get(v, "function.arguments"),
				      call, err) < 0 ||
		    ai_wire_call_end(call, err) < 0)
			return -1;
	}
	return 0;
}

/* A count that makes no sense is written as one that the reader of bills
 * refuses. */
static void put_count(struct ai_buf *b, struct ai_value v, const char *name)
{
	if (ai_json_get(v, name).kind > AI_NULL)
		ai_wire_put_i64(b, name, ai_wire_count(v, name));
}

/* The counts stand in the answer itself, which is too large to be kept. */
static void get_bill(struct ai_value v, struct ai_chat_answer *a)
{
	if (ai_json_get(v, "eval_count").kind <= AI_NULL &&
	    ai_json_get(v, "prompt_eval_count").kind <= AI_NULL)
		return;
	ai_buf_clear(&a->bill);
	ai_put_open(&a->bill, '{');
	put_count(&a->bill, v, "prompt_eval_count");
	put_count(&a->bill, v, "eval_count");
	ai_put_close(&a->bill, '}');
}

static void get_end(struct ai_value v, struct ai_chat_answer *a)
{
	ai_wire_finish(ai_json_get(v, "done_reason"), reasons, a);
	get_bill(v, a);
}

static int get_piece(struct ai_value v, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_value message = ai_json_get(v, "message");
	struct ai_value content = ai_json_get(message, "content");

	if (message.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no message");
	if (content.kind != AI_STRING && content.kind > AI_NULL)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer's content is not text");
	if (a->model[0] == '\0')
		ai_wire_copy(v, "model", a->model, sizeof a->model);
	if (ai_wire_text(content, a, err) < 0)
		return -1;
	return get_calls(ai_json_get(message, "tool_calls"), a, err);
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v, done;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0 || get_piece(v, a, err) < 0)
		return -1;
	done = ai_json_get(v, "done");
	if (done.kind == AI_BOOL && !ai_json_true(done))
		return ai_err_set(err, AI_E_ANSWER,
				  "only the first piece of an answer");
	get_end(v, a);
	return 0;
}

/* A line of a stream: a piece of the text or whole calls; the last one tells
 * the counts, and need not have a message. */
static int get_event(struct ai_span name, struct ai_span data,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_value v;
	bool last;

	(void)name;
	if (ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	last = ai_json_true(ai_json_get(v, "done"));
	if ((!last || ai_json_get(v, "message").kind > AI_NULL) &&
	    get_piece(v, a, err) < 0)
		return -1;
	if (last)
		get_end(v, a);
	return last;
}

/* ---- errors ------------------------------------------------------------- */

/* {"error":"text"}, in a stream too; proxies answer in OpenAI's form. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	return ai_wire_openai.get_error(p, n, e);
}

const struct ai_wire ai_wire_ollama = {
	.name = "ollama",
	.root = "/api",
	.auth = AI_AUTH_BEARER,
	.framing = AI_FRAMING_NDJSON,
	.path = "/chat",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.get_event = get_event,
	.get_error = get_error,
	.models = { .path = "/tags", .list = "models", .name = "name" },
	.embed = {
		.path = "/embed", .list = "embeddings", .vector = "",
		.usage = "", .tokens = "prompt_eval_count",
	},
	.put_embed = put_embed,
};
