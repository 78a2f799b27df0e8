/*
 * figure.c: what it comes to: the tokens of a wish, and what they cost.
 *
 * What is the same for all records of a model is worked out when its name
 * first comes: its tariff, its encoding, what a request has beside the text.
 */
#include "cost.h"

#include "base/clock.h"
#include "base/start.h"
#include "model/keys.h"
#include "model/wire.h"
#include "record/loop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 31)
#define KEEP_BYTES ((size_t)1 << 20)
/* What ai-complete says about sources, beside the sources. */
#define RULES_BYTES 1024
#define RULES_TOKENS 250
/* What the budgets leave is read again when it is so old: for each record that
 * would take longer than all the rest. */
#define ROOM_NS 20000000

struct cost_desk *cost_desk_new(struct ai_err *err)
{
	struct cost_desk *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	ai_buf_init(&d->text, TEXT_MAX);
	ai_buf_init(&d->body, TEXT_MAX);
	ai_buf_init(&d->out, 1 << 16);
	return d;
}

void cost_desk_free(struct cost_desk *d)
{
	size_t i;

	ai_ledger_close(d->ledger);
	for (i = 0; i < COST_ENCODINGS; i++)
		ai_bpe_close(d->bpe[i]);
	for (i = 0; i < COST_MODELS; i++) {
		ai_buf_release(&d->model[i].head);
		ai_buf_release(&d->model[i].price);
	}
	ai_buf_release(&d->text);
	ai_buf_release(&d->body);
	ai_buf_release(&d->out);
	free(d);
}

/* ---- the model ------------------------------------------------------------------ */

static int open_encoding(struct cost_desk *d, const char *name,
			 struct ai_bpe **bpe, struct ai_err *err)
{
	size_t i = 0;

	while (i + 1 < COST_ENCODINGS && ai_bpe_encoding_at(i) != NULL &&
	       strcmp(ai_bpe_encoding_at(i), name) != 0)
		i++;
	if (d->bpe[i] == NULL && ai_bpe_open(&d->bpe[i], name, err) < 0)
		return -1;
	*bpe = d->bpe[i];
	return 0;
}

/* As ai-tokens -m has it: the encoding that the name or the catalog tells; else
 * an estimate, as wide as what is known of the vendor's. */
static int take_encoding(struct cost_desk *d, struct cost_model *m,
			 struct ai_err *err)
{
	const char *name = ai_bpe_encoding_for_model(m->name);

	m->kin = NULL;
	if (name == NULL && m->tariff.encoding[0] != '\0')
		name = m->tariff.encoding;
	if (name == NULL) {
		m->kin = ai_kin_of(m->name);
		if (m->kin == NULL)
			m->kin = ai_kin_unknown();
		name = AI_BPE_DEFAULT;
	}
	return open_encoding(d, name, &m->bpe, err);
}

/* What the one message that a text goes as has around it. */
static int take_frame(struct cost_desk *d, struct cost_model *m,
		      struct ai_err *err)
{
	static const struct ai_value empty = { AI_ARRAY,
		AI_SPAN("[{\"role\":\"user\",\"content\":\"\"}]") };
	static const struct ai_value none = { AI_NONE, { NULL, 0 } };
	const struct ai_chat chat = { m->bpe, 0, m->name, m->kin };

	return ai_chat_count(&chat, empty, none, &d->text, &m->frame, err);
}

/* What of the member is the same for each record. */
static int put_fixed(struct cost_model *m, struct ai_err *err)
{
	const struct ai_price *p = &m->tariff.price;
	struct ai_buf *b = &m->head;

	ai_buf_release(b);
	ai_buf_init(b, 4096);
	ai_put_open(b, '{');
	cost_put_text(b, "model", m->tariff.labels.model);
	ai_put_key(b, "input_tokens");
	if (ai_buf_check(b, "the model's name", err) < 0)
		return -1;
	b = &m->price;
	ai_buf_release(b);
	ai_buf_init(b, 4096);
	ai_buf_str(b, ",\"price\":{");
	cost_put_text(b, "source", p->source[0] != '\0' ? p->source : NULL);
	cost_put_text(b, "date", p->date[0] != '\0' ? p->date : NULL);
	ai_put_close(b, '}');
	return ai_buf_check(b, "the price", err);
}

/* The one in the environment that ai-complete takes; NULL: none is there. */
static const char *usual_key(const char *provider)
{
	const char *const *name = ai_key_env(provider), *key = NULL;
	int i;

	for (i = 0; i < 2 && name[i] != NULL && key == NULL; i++) {
		key = getenv(name[i]);
		if (key != NULL && *key == '\0')
			key = NULL;
	}
	return key;
}

/* Budgets and limits are those of the call that ai-complete would make. */
static int take_labels(struct cost_model *m, const char *provider,
		       struct ai_err *err)
{
	struct ai_labels *l = &m->tariff.labels;
	const char *key = usual_key(provider);
	char given[40];

	if (cost_take_key(given, err) < 0)
		return -1;
	if (strcmp(given, "*") != 0)
		memcpy(l->key, given, sizeof(l->key));
	else if (key != NULL)
		ai_key_label(key, l->key);
	snprintf(l->tool, sizeof(l->tool), "ai-complete");
	return 0;
}

static int set_up(struct cost_desk *d, struct cost_model *m, const char *name,
		  struct ai_err *err)
{
	char provider[32] = "";

	snprintf(m->name, sizeof(m->name), "%s", name);
	if (strchr(name, '/') != NULL)
		snprintf(provider, sizeof(provider), "%.*s",
			 (int)strcspn(name, "/"), name);
	m->room_ns = 0;
	m->request_bytes = 0;
	m->sum = NULL;
	return ai_tariff_init(&m->tariff, name, provider, NULL, err) < 0 ||
		take_labels(m, provider, err) < 0 ||
		take_encoding(d, m, err) < 0 || take_frame(d, m, err) < 0 ||
		put_fixed(m, err) < 0 ? -1 : 0;
}

/* The oldest gives way. */
static int find_model(struct cost_desk *d, const char *name,
		      struct cost_model **out, struct ai_err *err)
{
	struct cost_model *m;
	size_t i;

	if (d->last != NULL && strcmp(d->last->name, name) == 0) {
		*out = d->last;
		return 0;
	}
	for (i = 0; i < COST_MODELS; i++) {
		m = &d->model[i];
		if (strcmp(m->name, name) == 0) {
			*out = d->last = m;
			return 0;
		}
	}
	m = &d->model[d->next++ % COST_MODELS];
	d->last = NULL;
	if (set_up(d, m, name, err) < 0) {
		m->name[0] = '\0';
		return -1;
	}
	*out = d->last = m;
	return 0;
}

/* ---- counting ------------------------------------------------------------------- */

static void add(struct ai_range *sum, const struct ai_range *r)
{
	sum->low += r->low;
	sum->count += r->count;
	sum->high += r->high;
}

static int add_text(struct cost_desk *d, const struct cost_model *m,
		    struct ai_value v, struct ai_range *sum,
		    struct ai_err *err)
{
	struct ai_estimate e = { { 0 } };
	struct ai_range r;
	int rc;

	ai_buf_shrink(&d->text, KEEP_BYTES);
	ai_json_text(v, &d->text);
	if (ai_buf_check(&d->text, "the text", err) < 0)
		return -1;
	rc = m->kin == NULL
		? ai_bpe_count(m->bpe, d->text.p, d->text.len, 0, &e.tokens[0],
			       err)
		: ai_estimate_add(&e, m->bpe, d->text.p, d->text.len, 0, err);
	r = ai_estimate_of(&e, m->kin);
	add(sum, &r);
	return rc;
}

static int add_hits(struct cost_desk *d, const struct cost_model *m,
		    struct ai_value hits, struct ai_range *sum,
		    struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value hit, text;

	if (hits.kind != AI_ARRAY)
		return 0;
	ai_range_add(sum, RULES_TOKENS);
	ai_json_iter_init(&it, hits);
	while (ai_json_next(&it, NULL, &hit)) {
		text = ai_json_get(hit, "text");
		if (text.kind == AI_STRING &&
		    add_text(d, m, text, sum, err) < 0)
			return -1;
	}
	return 0;
}

/* A text goes as the one message of a chat, and is in d->text then. */
static int add_payload(struct cost_desk *d, const struct cost_model *m,
		       const struct cost_wish *q, struct ai_range *sum,
		       struct ai_err *err)
{
	const struct ai_chat chat = { m->bpe, 0, m->name, m->kin };
	struct ai_value tools = { AI_NONE, { NULL, 0 } };

	if (q->payload.kind == AI_STRING) {
		*sum = m->frame;
		return add_text(d, m, q->payload, sum, err);
	}
	if (q->params.kind == AI_OBJECT)
		tools = ai_json_member(q->params, AI_SPAN("tools"));
	return ai_chat_count(&chat, q->payload, tools, &d->text, sum, err);
}

/* ---- the request ---------------------------------------------------------------- */

/* That of a text of nothing, or of no messages. */
static int write_request(struct cost_desk *d, struct cost_model *m, bool chat,
			 int64_t limit, struct ai_err *err)
{
	struct ai_chat_message message = {
		.role = "user", .text = AI_SPAN(""),
	};
	struct ai_chat_request r = {
		.model = m->name, .messages = &message,
		.n_messages = !chat,
		/* A bare name goes to a --base-url, and as such servers like
		 * it. */
		.max_tokens_name = strchr(m->name, '/') == NULL ? "max_tokens"
								: NULL,
		.max_tokens = limit, .temperature = NAN, .top_p = NAN,
		.seed = AI_CHAT_UNSET,
	};

	ai_buf_shrink(&d->body, KEEP_BYTES);
	if (ai_wire_openai.put_chat(&r, &d->body, err) < 0 ||
	    ai_buf_check(&d->body, "the request", err) < 0)
		return -1;
	m->request_bytes = d->body.len;
	m->request_chat = chat;
	m->request_limit = limit;
	return 0;
}

/* Tools, a schema, and whatever else is sent with it; not what is counted
 * elsewhere. */
static size_t params_bytes(struct ai_value params)
{
	static const struct ai_span counted[] = {
		{ "model", 5 }, { "messages", 8 }, { "max_tokens", 10 },
		{ "max_completion_tokens", 21 },
	};
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t sum = 0, i;

	if (params.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, params);
	while (ai_json_next(&it, &key, &v)) {
		for (i = 0; i < 4 && !ai_json_is(key, counted[i]); i++)
			;
		if (i == 4)
			sum += key.s.n + v.s.n + 2;
	}
	return sum;
}

/* The bytes of the request that ai-complete would send, or more; the text of
 * the payload, if it is one, is in d->text. */
static int request_bytes(struct cost_desk *d, struct cost_model *m,
			 const struct cost_wish *q, int64_t limit,
			 size_t *bytes, struct ai_err *err)
{
	bool chat = q->payload.kind == AI_ARRAY;

	if ((m->request_bytes == 0 || m->request_chat != chat ||
	     m->request_limit != limit) &&
	    write_request(d, m, chat, limit, err) < 0)
		return -1;
	*bytes = m->request_bytes;
	/* An escape is longer than what it stands for: without one, the text
	 * is written as it is. */
	if (chat)
		*bytes += q->payload.s.n;
	else if (d->text.len + 2 == q->payload.s.n)
		*bytes += d->text.len;
	else
		*bytes += ai_put_length(ai_buf_cstr(&d->text), d->text.len);
	if (q->hits.kind == AI_ARRAY)
		*bytes += q->hits.s.n + RULES_BYTES;
	*bytes += params_bytes(q->params);
	return 0;
}

/* ---- what it costs -------------------------------------------------------------- */

static int find_room(struct cost_desk *d, struct cost_model *m,
		     struct ai_err *err)
{
	int64_t now = ai_clock_ns();

	if (m->room_ns != 0 && now - m->room_ns < ROOM_NS)
		return 0;
	m->room_ns = now;
	m->room = (struct ai_room){ INT64_MAX, INT64_MAX };
	if (!ai_tariff_booked(&m->tariff))
		return 0;
	if (d->ledger == NULL && cost_look(&d->ledger, err) < 0)
		return -1;
	return ai_ledger_room(d->ledger, &m->tariff.labels, &m->room, err);
}

static int bill(const struct ai_tariff *t, struct cost_figure *f,
		const struct ai_ask *ask, struct ai_err *err)
{
	struct ai_meter meter = { .reported = -1, .tier = -1 };

	f->expected = f->worst = 0;
	if (t->price.kind == AI_PRICE_FREE)
		return 0;
	meter.n[AI_UNIT_INPUT] = (int64_t)f->input.count;
	meter.n[AI_UNIT_OUTPUT] = f->output;
	meter.n[AI_UNIT_REQUEST] = 1;
	return ai_bill(&t->price, &meter, AI_TIER_STANDARD, &f->expected,
		       err) < 0 ||
		ai_bill_worst(&t->price, ask, &f->worst, err) < 0 ? -1 : 0;
}

int cost_figure_out(struct cost_desk *d, const struct cost_wish *q,
		    struct cost_figure *f, struct ai_err *err)
{
	struct cost_model *m;
	struct ai_ask ask;
	int64_t limit;
	size_t bytes;

	if (find_model(d, q->model, &m, err) < 0 || find_room(d, m, err) < 0)
		return -1;
	f->model = m;
	limit = ai_tariff_output(&m->tariff, q->max_tokens);
	if (add_payload(d, m, q, &f->input, err) < 0 ||
	    request_bytes(d, m, q, limit, &bytes, err) < 0 ||
	    add_hits(d, m, q->hits, &f->input, err) < 0 ||
	    ai_tariff_ask(&m->tariff, bytes, limit, ai_chat_media(q->payload),
			  &ask, err) < 0)
		return -1;
	if (q->max_tokens == 0)
		ai_tariff_shorten(&m->tariff, &ask, m->room.request);
	f->limit = ask.output;
	f->tokens = ask.input + ask.output;
	f->output = cost.expect < f->limit ? cost.expect : f->limit;
	if (bill(&m->tariff, f, &ask, err) < 0)
		return -1;
	f->fits = f->worst <= m->room.request && f->worst <= m->room.left;
	return 0;
}
