/* answer.c: what a program's record says, as the result of a call. */
#include "serve/serve.h"

#include <string.h>

/* ---- records ----------------------------------------------------------------- */

/* What an error record says. */
static int take_error(struct ai_value error, struct ai_err *err)
{
	struct ai_buf code = AI_BUF_INIT(64), text = AI_BUF_INIT(65536);
	double wait = -1;

	ai_json_text(ai_json_member(error, AI_SPAN("code")), &code);
	ai_json_text(ai_json_member(error, AI_SPAN("message")), &text);
	ai_json_f64(ai_json_member(error, AI_SPAN("retry_after_s")), &wait);
	ai_err_set(err, ai_code_from_name(ai_buf_cstr(&code), code.len), "%s",
		   ai_buf_cstr(&text));
	if (err->code == AI_E_NONE)
		err->code = AI_E_ANSWER;
	err->retry_after_s = wait;
	ai_buf_release(&code);
	ai_buf_release(&text);
	return -1;
}

/* The member that the program has added; AI_NONE: err says why not. */
static struct ai_value added(struct ai_value record, const char *name,
			     struct ai_err *err)
{
	struct ai_value none = { 0 }, v, error;

	if (record.kind != AI_OBJECT) {
		ai_err_set(err, AI_E_ANSWER, "it gave no record");
		return none;
	}
	error = ai_json_member(record, AI_SPAN("error"));
	if (error.kind == AI_OBJECT) {
		take_error(error, err);
		return none;
	}
	v = ai_json_member(record, ai_span_of(name));
	if (v.kind == AI_NONE)
		ai_err_set(err, AI_E_ANSWER, "its record has no '%s'", name);
	return v;
}

static void copy(struct ai_buf *b, const char *name, struct ai_value v)
{
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return;
	ai_put_key_text(b, name);
	ai_put_value(b, v);
}

static void copy_members(struct ai_buf *b, struct ai_value from,
			 const char *const *names)
{
	for (; *names != NULL; names++)
		copy(b, *names, ai_json_member(from, ai_span_of(*names)));
}

/* The object as it is, and as its own text. */
static int whole(struct ai_value v, struct ai_buf *text, struct ai_buf *object)
{
	if (v.kind == AI_NONE)
		return -1;
	ai_buf_add(text, v.s.p, v.s.n);
	ai_buf_add(object, v.s.p, v.s.n);
	return 0;
}

/* ---- search ------------------------------------------------------------------ */

/* Where it comes from, and what it says. */
static void put_passage(struct ai_value hit, struct ai_buf *text)
{
	struct ai_value uri = ai_json_get(hit, "source.uri"),
			id = ai_json_member(hit, AI_SPAN("id"));

	ai_buf_str(text, text->len > 0 ? "\n\n[" : "[");
	if (uri.kind == AI_STRING)
		ai_json_text(uri, text);
	else if (id.kind == AI_STRING)
		ai_json_text(id, text);
	else
		ai_buf_add(text, id.s.p, id.s.n);
	ai_buf_str(text, "]\n");
	ai_json_text(ai_json_member(hit, AI_SPAN("text")), text);
}

int serve_answer_search(struct ai_value record, struct ai_buf *text,
			struct ai_buf *object, struct ai_err *err)
{
	static const char *const members[] = { "rank", "id", "text", "score",
		"confidence", "source", "meta", NULL };
	static const char *const about[] = { "confident", "confidence", NULL };
	struct ai_value hits = added(record, "hits", err), hit, search;
	struct ai_json_iter it;

	if (hits.kind != AI_ARRAY)
		return -1;
	search = ai_json_member(record, AI_SPAN("search"));
	ai_put_open(object, '{');
	ai_put_key(object, "hits");
	ai_put_open(object, '[');
	ai_json_iter_init(&it, hits);
	while (ai_json_next(&it, NULL, &hit)) {
		put_passage(hit, text);
		ai_put_open(object, '{');
		copy_members(object, hit, members);
		ai_put_close(object, '}');
	}
	ai_put_close(object, ']');
	if (search.kind == AI_OBJECT)
		copy_members(object, search, about);
	ai_put_close(object, '}');
	if (text->len == 0)
		ai_buf_str(text, "Nothing was found.");
	return 0;
}

/* ---- complete ---------------------------------------------------------------- */

int serve_answer_complete(struct ai_value record, struct ai_buf *text,
			  struct ai_buf *object, struct ai_err *err)
{
	static const char *const members[] = { "text", "model", "provider",
		"finish_reason", "usage", "cost_usd", "cached", "citations",
		"refusal", NULL };
	struct ai_value v = added(record, "completion", err), answer;

	if (v.kind != AI_OBJECT)
		return -1;
	answer = ai_json_member(v, AI_SPAN("text"));
	if (answer.kind != AI_STRING)
		return ai_err_set(err, AI_E_ANSWER, "the model gave no text");
	ai_json_text(answer, text);
	ai_put_open(object, '{');
	copy_members(object, v, members);
	ai_put_close(object, '}');
	return 0;
}

/* ---- guard ------------------------------------------------------------------- */

int serve_answer_guard(struct ai_value record, struct ai_buf *text,
		       struct ai_buf *object, struct ai_err *err)
{
	static const char *const members[] = { "verdict", "score", "context",
					       "findings", NULL };
	struct ai_value v = { 0 };

	/* That it is to be blocked is an answer, too. */
	if (record.kind == AI_OBJECT)
		v = ai_json_get(record, "error.guard");
	if (v.kind != AI_OBJECT)
		v = added(record, "guard", err);
	if (v.kind != AI_OBJECT)
		return -1;
	ai_put_open(object, '{');
	copy_members(object, v, members);
	if (ai_json_is(ai_json_member(v, AI_SPAN("verdict")),
		       AI_SPAN("redact")))
		copy(object, "text", ai_json_member(record, AI_SPAN("text")));
	ai_put_close(object, '}');
	ai_buf_add(text, object->p, object->len);
	return 0;
}

/* ---- tokens and cost --------------------------------------------------------- */

int serve_answer_tokens(struct ai_value record, struct ai_buf *text,
			struct ai_buf *object, struct ai_err *err)
{
	return whole(added(record, "tokens", err), text, object);
}

int serve_answer_cost(struct ai_value record, struct ai_buf *text,
		      struct ai_buf *object, struct ai_err *err)
{
	return whole(added(record, "cost", err), text, object);
}
