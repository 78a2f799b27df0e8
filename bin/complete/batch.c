/*
 * batch.c: lines that were made for a provider's batch.
 *
 *	{"custom_id":..., "method":"POST", "url":"/v1/...", "body":{...}}
 *	{"custom_id":..., "params":{"model":..., "messages":[...], ...}}
 *
 * Each is turned into an object with the members of our own params and
 * OpenAI's messages.  Every member of a body is in a table here or is an
 * error: nothing that would change the answer is dropped.
 */
#include "complete.h"

#include <stdio.h>
#include <string.h>

int complete_body_wrong(const struct complete_body *b, const char *name,
			const char *what)
{
	return ai_err_set(b->err, AI_E_RECORD, "%.150s%s%.80s %s", b->where,
			  *name != '\0' ? "." : "", name, what);
}

struct complete_body *complete_body_enter(struct complete_within *w,
					  const struct complete_body *b,
					  const char *name, size_t i)
{
	char number[24] = "";

	if (i != SIZE_MAX)
		snprintf(number, sizeof number, ".%zu", i);
	w->b = *b;
	w->b.where = w->where;
	snprintf(w->where, sizeof w->where, "%.80s%s%.20s%s", b->where,
		 *name != '\0' ? "." : "", name, number);
	return &w->b;
}

static bool same(struct ai_value v, struct ai_span text)
{
	double a, b;

	if (v.kind == AI_NUMBER && ai_json_f64(v, &a) == 0 &&
	    ai_parse_f64(text, &b) == 0)
		return a == b;
	return ai_span_eq(v.s, text);
}

/* Whether the value is one of "a|b|c". */
static bool is_fine(struct ai_value v, const char *fine)
{
	for (;;) {
		struct ai_span one = { fine, strcspn(fine, "|") };

		if (ai_span_is(one, "*") || same(v, one))
			return true;
		if (fine[one.n] == '\0')
			return false;
		fine += one.n + 1;
	}
}

static const struct complete_member *find(const struct complete_member *table,
					  struct ai_value key)
{
	for (; table->name != NULL; table++)
		if (ai_json_is(key, ai_span_of(table->name)))
			return table;
	return NULL;
}

static int put_member(struct complete_body *b,
		      const struct complete_member *m, struct ai_value v)
{
	if (m->put != NULL)
		return m->put(b, v);
	if (m->ours != NULL) {
		ai_wire_put_value(b->out, m->ours, v);
		return 0;
	}
	if (is_fine(v, m->fine))
		return 0;
	return complete_body_wrong(b, m->name, "is set to what ai-complete "
				   "cannot ask for");
}

int complete_body_put(struct complete_body *b, struct ai_value object,
		      const struct complete_member *table)
{
	const struct complete_member *m;
	struct ai_json_iter it;
	struct ai_value key, v;
	char name[64];

	if (object.kind != AI_OBJECT)
		return complete_body_wrong(b, "", "is not an object");
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &v)) {
		if (v.kind == AI_NULL)
			continue;
		m = find(table, key);
		if (m == NULL) {
			ai_wire_copy(key, "", name, sizeof name);
			return complete_body_wrong(b, name, "is nothing that "
						   "ai-complete can ask for");
		}
		if (put_member(b, m, v) < 0)
			return -1;
	}
	return 0;
}

/* ---- which it is ---------------------------------------------------------- */

static const struct form {
	const char *url; /* behind "/v1" */
	const struct complete_member *table;
	const char *provider;
} forms[] = {
	{ "/chat/completions", complete_body_chat, "openai" },
	{ "/responses", complete_body_responses, "openai" },
};
static const struct form anthropic = {
	NULL, complete_body_anthropic, "anthropic"
};

static const struct form *form_of(const struct ai_rec *rec, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, "url");
	const char *url;
	char text[128];

	ai_wire_copy(v, "", text, sizeof text);
	url = strncmp(text, "/v1/", 4) == 0 ? text + 3 : text;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (strcmp(url, forms[i].url) == 0)
			return &forms[i];
	if (strcmp(url, "/embeddings") == 0)
		ai_err_set(err, AI_E_RECORD, "a batch line for '%s' is one "
			   "for ai-embed", text);
	else if (v.kind != AI_STRING)
		ai_err_set(err, AI_E_RECORD, "the record has a body as a "
			   "batch line has, and no url");
	else
		ai_err_set(err, AI_E_RECORD, "a batch line's url '%s' is "
			   "neither /v1/chat/completions nor /v1/responses",
			   text);
	return NULL;
}

/*
 * A record that says what it asks is no batch line, whatever else is in it.
 * Returns the body's name, or NULL.
 */
static const char *body_of(const struct ai_rec *rec)
{
	static const char *const usual[] = {
		"prompt", "query", "text", "messages", NULL
	};

	if (complete_settings.template != NULL ||
	    (ai_loop.path != NULL && *ai_loop.path != '\0') ||
	    ai_rec_first(rec, usual) != NULL)
		return NULL;
	if (ai_rec_get(rec, "body").kind != AI_NONE)
		return "body";
	return ai_rec_get(rec, "params.messages").kind != AI_NONE ? "params" :
	       NULL;
}

/* ---- all of it ------------------------------------------------------------- */

/* In a batch the provider is who was sent the file. */
int complete_body_model(struct complete_body *b, struct ai_value v)
{
	struct ai_buf name = AI_BUF_INIT(COMPLETE_MADE_MAX);
	bool own = ai_client.base_url != NULL && *ai_client.base_url != '\0';

	if (v.kind != AI_STRING)
		return complete_body_wrong(b, "model", "is not a string");
	if (memchr(v.s.p, ',', v.s.n) != NULL)
		return complete_body_wrong(b, "model", "is not one model");
	if (!own && memchr(v.s.p, '/', v.s.n) == NULL)
		ai_buf_fmt(&name, "%s/", b->provider);
	ai_json_text(v, &name);
	ai_wire_put_span(b->out, "model", (struct ai_span){
		ai_buf_cstr(&name), name.len });
	ai_buf_release(&name);
	return 0;
}

int complete_batch_take(const struct ai_rec *rec, struct complete_params *p,
			struct ai_err *err)
{
	const char *where = body_of(rec);
	struct complete_body b = { .where = where, .out = &p->made,
				   .err = err };
	const struct form *form = &anthropic;
	struct ai_value method = ai_rec_get(rec, "method");

	p->body = (struct ai_value){ AI_NONE, { NULL, 0 } };
	p->where = where;
	if (where == NULL)
		return 0;
	b.all = ai_rec_get(rec, where);
	if (strcmp(where, "body") == 0 && (form = form_of(rec, err)) == NULL)
		return -1;
	if (form != &anthropic && method.kind != AI_NONE &&
	    !ai_json_is(method, AI_SPAN("POST")))
		return ai_err_set(err, AI_E_RECORD, "a batch line's method is "
				  "not POST");
	b.provider = form->provider;
	ai_put_open(b.out, '{');
	if (complete_body_put(&b, b.all, form->table) < 0)
		return -1;
	ai_put_close(b.out, '}');
	if (ai_buf_check(b.out, "the batch line", err) < 0)
		return -1;
	if (ai_json_check(p->made.p, p->made.len, &p->body, NULL) < 0)
		return ai_err_set(err, AI_E_BUG, "%s became no JSON", where);
	if (ai_json_get(p->body, "messages").kind != AI_ARRAY)
		return complete_body_wrong(&b, "messages", "is not a list");
	return 0;
}
