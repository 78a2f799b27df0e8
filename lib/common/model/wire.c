#include "model/wire.h"

#include "base/utf8.h"
#include "model/bill.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BILL_MAX ((size_t)64 << 10)
#define KEEP_BYTES ((size_t)1 << 20)

/* ---- answers -------------------------------------------------------------- */

void ai_chat_answer_init(struct ai_chat_answer *a, size_t max_text)
{
	memset(a, 0, sizeof *a);
	ai_buf_init(&a->text, max_text);
	ai_buf_init(&a->bill, BILL_MAX);
	a->usage = (struct ai_usage){ -1, -1, -1, -1, -1 };
}

static void release_calls(struct ai_chat_answer *a)
{
	for (size_t i = 0; i < a->n_calls; i++) {
		ai_buf_release(&a->calls[i].id);
		ai_buf_release(&a->calls[i].arguments);
		ai_buf_release(&a->calls[i].signature);
	}
	free(a->calls);
	a->calls = NULL;
	a->n_calls = 0;
}

void ai_chat_answer_release(struct ai_chat_answer *a)
{
	release_calls(a);
	ai_buf_release(&a->text);
	ai_buf_release(&a->bill);
}

void ai_chat_answer_clear(struct ai_chat_answer *a)
{
	struct ai_buf text = a->text, bill = a->bill;

	release_calls(a);
	ai_buf_shrink(&text, KEEP_BYTES);
	ai_buf_clear(&bill);
	ai_chat_answer_init(a, text.max);
	a->text = text;
	a->bill = bill;
}

struct ai_tool_call *ai_chat_call(struct ai_chat_answer *a, size_t i,
				  struct ai_err *err)
{
	struct ai_tool_call *more;

	if (i >= AI_TOOL_CALLS_MAX) {
		ai_err_set(err, AI_E_ANSWER, "more than %d calls of tools",
			   AI_TOOL_CALLS_MAX);
		return NULL;
	}
	if (i >= a->n_calls) {
		more = reallocarray(a->calls, i + 1, sizeof *more);
		if (more == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		a->calls = more;
		for (; a->n_calls <= i; a->n_calls++) {
			memset(&more[a->n_calls], 0, sizeof *more);
			ai_buf_init(&more[a->n_calls].id, a->text.max);
			ai_buf_init(&more[a->n_calls].arguments,
				    a->text.max);
			ai_buf_init(&more[a->n_calls].signature,
				    a->text.max);
		}
	}
	return &a->calls[i];
}

struct ai_tool_call *ai_chat_call_new(struct ai_chat_answer *a, int64_t block,
				      struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call(a, a->n_calls, err);

	if (call != NULL)
		call->block = block;
	return call;
}

struct ai_tool_call *ai_chat_call_of(struct ai_chat_answer *a, int64_t block)
{
	for (size_t i = a->n_calls; i-- > 0;)
		if (a->calls[i].block == block)
			return &a->calls[i];
	return NULL;
}

void ai_embed_answer_release(struct ai_embed_answer *a)
{
	free(a->vectors);
	*a = (struct ai_embed_answer){ NULL, 0, 0, -1 };
}

/* ---- requests ------------------------------------------------------------- */

/* Whether the word is one of a list. */
static bool is_among(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; *list != '\0'; list += strspn(list, ", ")) {
		if (strcspn(list, ",") == n && memcmp(list, word, n) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

int ai_wire_check(const struct ai_wire *wire, const char *provider,
		  const struct ai_chat_request *q, struct ai_err *err)
{
	const struct {
		enum ai_chat_feature feature;
		bool asked;
		const char *name;
	} all[] = {
		{ AI_CHAT_TEMPERATURE, !isnan(q->temperature), "temperature" },
		{ AI_CHAT_TOP_P, !isnan(q->top_p), "top_p" },
		{ AI_CHAT_SEED, q->seed != AI_CHAT_UNSET, "seed" },
		{ AI_CHAT_STOP, q->n_stop > 0, "stop" },
		{ AI_CHAT_EFFORT, q->effort != NULL, "effort" },
		{ AI_CHAT_TOOLS, q->tools.kind != AI_NONE, "tools" },
		{ AI_CHAT_TOOL_CHOICE, q->tool_choice.kind != AI_NONE,
		  "tool_choice" },
		{ AI_CHAT_SCHEMA, q->schema.n > 0, "schema" },
		{ AI_CHAT_MEDIA, q->media.n > 0, "pictures" },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].asked && (wire->lacks & all[i].feature) != 0)
			return ai_err_set(err, AI_E_RECORD, "%.60s cannot do "
					  "'%s'", provider, all[i].name);
	if (q->effort != NULL && wire->efforts != NULL &&
	    !is_among(wire->efforts, q->effort))
		return ai_err_set(err, AI_E_RECORD, "%.60s has no effort "
				  "'%.40s': one of %s", provider, q->effort,
				  wire->efforts);
	return 0;
}

void ai_wire_put_i64(struct ai_buf *b, const char *name, int64_t v)
{
	if (v == AI_CHAT_UNSET)
		return;
	ai_put_key(b, name);
	ai_put_i64(b, v);
}

void ai_wire_put_f64(struct ai_buf *b, const char *name, double v)
{
	if (isnan(v))
		return;
	ai_put_key(b, name);
	ai_put_f64(b, v);
}

void ai_wire_put_texts(struct ai_buf *b, const char *name,
		       const struct ai_span *v, size_t n)
{
	if (n == 0)
		return;
	ai_put_key(b, name);
	ai_put_open(b, '[');
	for (size_t i = 0; i < n; i++)
		ai_put_str(b, v[i].p, v[i].n);
	ai_put_close(b, ']');
}

void ai_wire_put_cstr(struct ai_buf *b, const char *name, const char *v)
{
	if (v == NULL)
		return;
	ai_put_key(b, name);
	ai_put_cstr(b, v);
}

void ai_wire_put_value(struct ai_buf *b, const char *name, struct ai_value v)
{
	if (v.kind == AI_NONE)
		return;
	ai_put_key(b, name);
	ai_put_value(b, v);
}

void ai_wire_put_span(struct ai_buf *b, const char *name, struct ai_span v)
{
	ai_put_key(b, name);
	ai_put_str(b, v.p, v.n);
}

void ai_wire_put_input_type(struct ai_buf *b, const char *name,
			    enum ai_input_type type, const char *document,
			    const char *query)
{
	if (type != AI_INPUT_ANY)
		ai_wire_put_cstr(b, name, type == AI_INPUT_QUERY ? query
								 : document);
}

void ai_wire_put_in(struct ai_buf *b, const char *name, char bracket)
{
	ai_put_key(b, name);
	ai_put_open(b, bracket);
}

void ai_wire_put_bool(struct ai_buf *b, const char *name, bool v)
{
	ai_put_key(b, name);
	ai_put_bool(b, v);
}

void ai_wire_put_json(struct ai_buf *b, const char *name, struct ai_span json)
{
	ai_put_key(b, name);
	ai_put_raw(b, json.p, json.n);
}

void ai_wire_put_type(struct ai_buf *b, const char *type)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "type", type);
}

void ai_wire_put_schema(struct ai_buf *b, struct ai_span schema)
{
	ai_wire_put_cstr(b, "name", "answer");
	ai_put_key(b, "schema");
	ai_schema_put(b, schema);
	ai_wire_put_bool(b, "strict", ai_schema_is_strict(schema));
}

/* Everything but letters, digits and "-._~" as %XX. */
static void put_segment(struct ai_buf *b, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			ai_buf_chr(b, *text);
		else
			ai_buf_fmt(b, "%%%02X", (unsigned char)*text);
}

void ai_wire_put_path(struct ai_buf *b, const char *path, const char *model)
{
	const char *at = strstr(path, "{}");

	if (at == NULL) {
		ai_buf_str(b, path);
		return;
	}
	ai_buf_add(b, path, (size_t)(at - path));
	put_segment(b, model);
	ai_buf_str(b, at + 2);
}

/* ---- taking answers apart --------------------------------------------------- */

int ai_wire_members(const char *p, size_t size, struct ai_value *v,
		    const struct ai_json_want *w, size_t n,
		    struct ai_err *err)
{
	struct ai_err why;

	if (ai_json_check_members(p, size, v, w, n, &why) < 0)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer is not JSON: %.300s", why.msg);
	if (v->kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer is not a JSON object");
	return 0;
}

int ai_wire_object(const char *p, size_t n, struct ai_value *v,
		   struct ai_err *err)
{
	return ai_wire_members(p, n, v, NULL, 0, err);
}

void ai_wire_copy(struct ai_value v, const char *path, char *out, size_t size)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	struct ai_value s = ai_json_get(v, path);

	out[0] = '\0';
	if (s.kind == AI_STRING && ai_json_text(s, &b) == 0)
		ai_wire_clean((struct ai_span){ ai_buf_cstr(&b), b.len }, out,
			      size);
	ai_buf_release(&b);
}

double ai_wire_seconds(struct ai_value v, const char *path)
{
	double s;

	return ai_json_f64(ai_json_get(v, path), &s) == 0 && s < 1e9 ? s : -1;
}

int64_t ai_wire_count(struct ai_value v, const char *path)
{
	int64_t n;

	return ai_json_i64(ai_json_get(v, path), &n) == 0 && n >= 0 ? n : -1;
}

int ai_wire_arguments(struct ai_value v, struct ai_tool_call *call,
		      struct ai_err *err)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, &call->arguments);
	else if (v.kind == AI_OBJECT)
		ai_buf_add(&call->arguments, v.s.p, v.s.n);
	else if (v.kind != AI_NONE && v.kind != AI_NULL)
		return ai_err_set(err, AI_E_ANSWER, "a tool's arguments are "
				  "no object");
	return ai_buf_check(&call->arguments, "a tool's arguments", err);
}

int ai_wire_call_id(struct ai_value v, const char *path,
		    struct ai_tool_call *call, struct ai_err *err)
{
	v = ai_json_get(v, path);
	if (v.kind == AI_STRING && call->id.len == 0)
		ai_json_text(v, &call->id);
	return ai_buf_check(&call->id, "a call's id", err);
}

int ai_wire_signature(struct ai_value v, struct ai_tool_call *call,
		      struct ai_err *err)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, &call->signature);
	return ai_buf_check(&call->signature, "a call's signature", err);
}

int ai_wire_call_end(struct ai_tool_call *call, struct ai_err *err)
{
	if (call == NULL)
		return 0;
	if (call->arguments.len == 0)
		ai_buf_str(&call->arguments, "{}");
	return ai_buf_check(&call->arguments, "a tool's arguments", err);
}

int ai_wire_calls_end(struct ai_chat_answer *a, struct ai_err *err)
{
	for (size_t i = 0; i < a->n_calls; i++)
		if (ai_wire_call_end(&a->calls[i], err) < 0)
			return -1;
	return 0;
}

struct ai_tool_call *ai_wire_call(struct ai_value v, const char *id,
				  const char *name, int64_t block,
				  struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call_new(a, block, err);

	if (call == NULL || ai_wire_call_id(v, id, call, err) < 0)
		return NULL;
	if (call->id.len == 0)
		ai_buf_fmt(&call->id, "call_%zu", a->n_calls - 1);
	ai_wire_copy(v, name, call->name, sizeof call->name);
	return call;
}

int ai_wire_call_add(struct ai_value v, int64_t block,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_tool_call *call = ai_chat_call_of(a, block);

	return call != NULL ? ai_wire_arguments(v, call, err) :
		ai_err_set(err, AI_E_ANSWER, "a piece of a call that has not "
			   "begun");
}

int ai_wire_text(struct ai_value v, struct ai_chat_answer *a,
		 struct ai_err *err)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, &a->text);
	return ai_buf_check(&a->text, "the answer's text", err);
}

int ai_wire_refusal(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	if (v.kind == AI_STRING && v.s.n > 2)
		a->refusal = true;
	return ai_wire_text(v, a, err);
}

int ai_wire_content(struct ai_value v, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part;

	if (v.kind == AI_STRING)
		return ai_wire_text(v, a, err);
	if (v.kind != AI_ARRAY && v.kind > AI_NULL)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer's content is not text");
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &part))
		if (ai_wire_text(ai_json_get(part, "text"), a, err) < 0 ||
		    ai_wire_refusal(ai_json_get(part, "refusal"), a, err) < 0)
			return -1;
	return 0;
}

void ai_wire_bill(struct ai_value v, struct ai_chat_answer *a)
{
	if (v.kind != AI_OBJECT)
		return;
	ai_buf_clear(&a->bill);
	ai_buf_add(&a->bill, v.s.p, v.s.n);
}

void ai_wire_finish(struct ai_value v, const struct ai_wire_word *words,
		    struct ai_chat_answer *a)
{
	if (v.kind != AI_STRING)
		return;
	ai_wire_copy(v, "", a->finish_reason, sizeof a->finish_reason);
	for (; words->theirs != NULL; words++)
		if (ai_json_is(v, ai_span_of(words->theirs)))
			snprintf(a->finish_reason, sizeof a->finish_reason,
				 "%s", words->ours);
	if (a->n_calls > 0 && strcmp(a->finish_reason, "stop") == 0)
		snprintf(a->finish_reason, sizeof a->finish_reason,
			 "tool_calls");
}

static bool is_named(struct ai_span name, struct ai_value v, const char *want)
{
	return name.n > 0 ? ai_span_is(name, want) :
		ai_json_is(ai_json_get(v, "type"), ai_span_of(want));
}

int ai_wire_get_event(const struct ai_wire *wire, struct ai_span name,
		      struct ai_span data, struct ai_chat_answer *a,
		      struct ai_err *err)
{
	const struct ai_wire_event *e = wire->events;
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	if (ai_span_is(data, "[DONE]"))
		return 1;
	/* Only what is known need be JSON. */
	if (e != NULL && name.n == 0 &&
	    ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	while (e != NULL && e->name != NULL && !is_named(name, v, e->name))
		e++;
	if (e == NULL || e->name == NULL)
		return wire->get_event == NULL ? 0 :
			wire->get_event(name, data, a, err);
	if (name.n > 0 && ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	return e->take(v, a, err);
}

long ai_wire_status_of(const struct ai_wire_status *table, const char *word)
{
	while (table->word != NULL && strcmp(table->word, word) != 0)
		table++;
	return table->status;
}

struct ai_usage ai_usage_of(const struct ai_meter *m)
{
	struct ai_usage u = { 0, 0, 0, 0, 0 };

	for (int i = 0; i < AI_UNITS_IN; i++)
		u.input += m->n[i];
	for (int i = AI_UNITS_IN; i < AI_UNITS_TOKENS; i++)
		u.output += m->n[i];
	u.cached_read = m->n[AI_UNIT_CACHED] + m->n[AI_UNIT_AUDIO_CACHED];
	u.cache_write = m->n[AI_UNIT_WRITE_5M] + m->n[AI_UNIT_WRITE_1H];
	u.reasoning = m->n[AI_UNIT_REASONING];
	return u;
}

/* C0, DEL and, in UTF-8, C1: what could move a terminal's cursor. */
static bool is_control(const char *p, size_t len)
{
	unsigned char c = (unsigned char)p[0];

	return c <= ' ' || c == 127 ||
	       (len == 2 && c == 0xC2 && (unsigned char)p[1] < 0xA0);
}

void ai_wire_clean(struct ai_span text, char *out, size_t size)
{
	static const char dots[] = "...";
	size_t n = 0, i = 0, room = size - sizeof dots;
	bool gap = false;

	while (i < text.n) {
		size_t len = ai_utf8_len(text.p + i, text.n - i);

		if (len == 0 || is_control(text.p + i, len)) {
			gap = n > 0;
			i += len == 0 ? 1 : len;
			continue;
		}
		if (n + gap + len > room) {
			memcpy(out + n, dots, sizeof dots);
			return;
		}
		if (gap)
			out[n++] = ' ';
		gap = false;
		memcpy(out + n, text.p + i, len);
		n += len;
		i += len;
	}
	out[n] = '\0';
}
