/* remote.c: a record becomes a request, the answer a completion. */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

struct conversation {
	struct ai_chat_message *v;
	size_t n;
	size_t from, to; /* those that were said before */
	struct ai_buf system, context, refused;
};

static size_t count(struct ai_value list)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		n++;
	return n;
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static void add(struct conversation *c, const char *role, struct ai_span text)
{
	c->v[c->n++] = (struct ai_chat_message){ .role = role, .text = text };
}

/* What a provider cannot be held to is told to the model. */
static void put_schema(struct ai_buf *system, struct ai_span schema)
{
	if (system->len > 0)
		ai_buf_str(system, "\n\n");
	ai_buf_str(system, "Answer with one JSON value that satisfies this "
		   "JSON Schema, and with nothing around it:\n");
	ai_buf_add(system, schema.p, schema.n);
}

/* What is told before anything else, and the sources. */
static int prepare(struct conversation *c, const struct ai_wire *wire,
		   const struct complete_request *asked, struct ai_err *err)
{
	const struct complete_params *p = &asked->params;
	const struct complete_hits *h = &asked->hits;
	struct ai_span schema = asked->schema.text;
	char tag[COMPLETE_TAG];

	ai_buf_add(&c->system, p->system.p, p->system.n);
	if (schema.n > 0 && !ai_wire_has_schema(wire, schema))
		put_schema(&c->system, schema);
	if (!h->given)
		return ai_buf_check(&c->system, "the system prompt", err);
	complete_context_tag(h, span_of(&asked->prompt.text), tag);
	if (c->system.len > 0)
		ai_buf_str(&c->system, "\n\n");
	complete_context_rules(h, tag, &c->system);
	complete_context(h, tag, &c->context);
	if (ai_buf_check(&c->system, "the system prompt", err) < 0)
		return -1;
	return ai_buf_check(&c->context, "the sources", err);
}

/* The messages of the record as they are.  The sources go before the last that
 * is the user's: what a tool answered must stand right behind its call. */
static void add_messages(struct conversation *c, struct ai_value list)
{
	long at = complete_last_user(list), i = 0;
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &v); i++) {
		if (i == (at < 0 ? 0 : at) && c->context.len > 0)
			add(c, "user", span_of(&c->context));
		c->v[c->n++] = (struct ai_chat_message){ .raw = v };
	}
}

/* The text of the record, behind its sources. */
static void add_text(struct conversation *c, const struct ai_buf *text)
{
	if (c->context.len == 0) {
		add(c, "user", span_of(text));
		return;
	}
	ai_buf_str(&c->context, "Question: ");
	ai_buf_add(&c->context, text->p, text->len);
	add(c, "user", span_of(&c->context));
}

/* The answer that the schema refused, and why. */
static void add_refused(struct conversation *c,
			const struct complete_schema *s)
{
	ai_buf_fmt(&c->refused, "This does not satisfy the JSON Schema: %s\n"
		   "Answer again, with one JSON value that does, and with "
		   "nothing around it.", ai_buf_cstr(&s->why));
	add(c, "assistant", span_of(&s->answer));
	add(c, "user", span_of(&c->refused));
}

static int converse(struct conversation *c, const struct ai_wire *wire,
		    const struct complete_request *asked, struct ai_err *err)
{
	const struct complete_prompt *q = &asked->prompt;
	size_t n = q->messages.kind == AI_ARRAY ? count(q->messages) : 1;
	size_t before = complete_history_count(asked->history);

	if (prepare(c, wire, asked, err) < 0)
		return -1;
	c->v = calloc(before + n + 4, sizeof *c->v);
	if (c->v == NULL)
		return ai_err_nomem(err);
	if (c->system.len > 0)
		add(c, "system", span_of(&c->system));
	c->from = c->n;
	for (size_t i = 0; i < before; i++)
		c->v[c->n++] = (struct ai_chat_message){
			.raw = complete_history_at(asked->history, before, i) };
	c->to = c->n;
	if (q->messages.kind == AI_ARRAY)
		add_messages(c, q->messages);
	else
		add_text(c, &q->text);
	if (asked->schema.asked > 0)
		add_refused(c, &asked->schema);
	return ai_buf_check(&c->context, "the prompt", err);
}

/* No answer is one that is empty, but for calls of tools that were offered. A
 * model calls others where the messages of the record speak of some. */
static int no_text(const struct ai_endpoint *e, const struct complete_answer *a,
		   struct ai_err *err)
{
	const struct ai_chat_answer *chat = &a->chat;

	if (chat->n_calls > 0 && a->may_call)
		return 0;
	if (chat->n_calls > 0)
		return ai_err_set(err, AI_E_ANSWER, "%s: the model calls the "
				  "tool '%s' and says nothing; the record "
				  "offers no tools", e->provider,
				  chat->calls[0].name);
	return ai_err_set(err, AI_E_ANSWER, "%s: the model answered without "
			  "text (finish_reason '%.40s')", e->provider,
			  chat->finish_reason);
}

/* What does not fit into the model's context is not sent: oldest turns are
 * left out, and the answer may be shorter. */
static int fit(struct complete_place *p, struct conversation *c,
	       struct ai_chat_request *q, struct ai_call *call,
	       struct ai_err *err)
{
	struct complete_length l = {
		.v = c->v, .n = c->n, .output = q->max_tokens,
		.may_shorten = q->may_shorten, .media = q->media,
		.from = c->from, .to = c->to,
		.tools = q->tools.s, .schema = q->schema,
	};

	if (complete_length_fit(p, &l, err) < 0) {
		*call = (struct ai_call){ .ttft_s = -1,
			.failure = err->code == AI_E_TOO_LONG
				? AI_CALL_TOO_LONG : AI_CALL_OTHER };
		return -1;
	}
	memmove(c->v + c->from, c->v + l.from, (c->n - l.from) * sizeof *c->v);
	c->n -= l.from - c->from;
	q->messages = c->v;
	q->n_messages = c->n;
	q->max_tokens = l.output;
	return 0;
}

int complete_remote_begin(struct ai_client *client, struct complete_place *at,
			  struct complete_request *asked,
			  struct complete_answer *a, ai_client_delta *delta,
			  ai_client_done *done, void *arg, struct ai_err *err)
{
	const struct ai_endpoint *e = &at->endpoint;
	const struct complete_params *p = &asked->params;
	struct conversation c = {
		.system = AI_BUF_INIT((size_t)64 << 20),
		.context = AI_BUF_INIT((size_t)64 << 20),
		.refused = AI_BUF_INIT(4096),
	};
	struct ai_chat_request q = {
		.model = e->model, .max_tokens_name = e->max_tokens_name,
		.max_tokens = ai_tariff_output(&e->tariff, p->max_tokens),
		.may_shorten = p->max_tokens == 0, .max_nano = p->max_nano,
		.temperature = p->temperature, .top_p = p->top_p,
		.seed = p->seed, .stop = p->stop, .n_stop = p->n_stop,
		.media = ai_chat_media(asked->prompt.messages),
		.effort = complete_effort(p), .tools = p->tools,
		.tool_choice = p->tool_choice,
	};
	const struct ai_chat_begin b = {
		.endpoint = e, .request = &q,
		.cache = (enum ai_cache_use)p->cache,
		.answer = &a->chat, .call = &a->call, .delta = delta,
		.done = done, .arg = arg, .scope = ai_span_of(asked->models),
		.ordinal = &asked->prompt.ordinal,
		.batch = span_of(&asked->batch),
		.note = span_of(&asked->note), .only_kept = asked->only_kept,
	};
	int rc;

	if (ai_wire_has_schema(e->wire, asked->schema.text))
		q.schema = asked->schema.text;
	rc = converse(&c, e->wire, asked, err);

	a->may_call = p->tools.kind != AI_NONE;
	if (rc == 0)
		rc = fit(at, &c, &q, &a->call, err);
	if (rc == 0)
		rc = complete_settings.count
			? complete_count_begin(client, e, &q, a, done, arg, err)
			: ai_client_begin(client, &b, err);
	ai_buf_release(&c.system);
	ai_buf_release(&c.context);
	ai_buf_release(&c.refused);
	free(c.v);
	return rc;
}

int complete_remote_end(const struct ai_endpoint *e,
			const struct complete_request *asked,
			struct complete_answer *a, struct ai_err *err)
{
	const struct complete_hits *h = &asked->hits;

	if (complete_settings.count)
		return 0;
	if (asked->schema.text.n > 0)
		complete_schema_strip(&a->chat.text);
	if (a->chat.text.len == 0 && no_text(e, a, err) < 0)
		return -1;
	a->provider = e->provider;
	a->max_tokens = a->call.max_tokens;
	if (a->chat.model[0] == '\0')
		ai_wire_clean(ai_span_of(e->model), a->chat.model,
			      sizeof a->chat.model);
	return h->given ? complete_cite(a, h->n, err) : 0;
}
