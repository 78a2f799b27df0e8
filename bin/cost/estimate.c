/* estimate.c: the member "cost": what it would cost to ask a model this. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "model/chat_tokens.h"
#include "model/paid.h"
#include "model/wire.h"
#include "record/loop.h"
#include "text/bpe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 31)
#define KEEP_BYTES ((size_t)1 << 20)
/* What ai-complete says about sources, beside the sources. */
#define RULES_BYTES 1024
#define RULES_TOKENS 250

#define MODEL_MAX 128

/* What a record asks of which model. */
struct wish {
	char model[MODEL_MAX];
	int64_t max_tokens; /* 0: the record does not say */
	struct ai_value payload, hits;
};

/* What comes of it. */
struct estimate {
	int64_t input, output, limit; /* tokens; expected, and at most */
	int64_t expected, worst;      /* nano-dollars */
	struct ai_room room;
	bool fits;
};

struct worker {
	struct ai_ledger *ledger; /* NULL while there is none */
	struct ai_tariff tariff;
	char model[128];          /* that the tariff is of; "": none */
	struct ai_bpe *bpe;       /* of that model */
	struct ai_buf text, body, out;
};

static void worker_close(void *state)
{
	struct worker *w = state;

	ai_ledger_close(w->ledger);
	ai_bpe_close(w->bpe);
	ai_buf_release(&w->text);
	ai_buf_release(&w->body);
	ai_buf_release(&w->out);
	free(w);
}

static int worker_open(void **state, struct ai_err *err)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&w->text, TEXT_MAX);
	ai_buf_init(&w->body, TEXT_MAX);
	ai_buf_init(&w->out, 1 << 16);
	*state = w;
	return 0;
}

/* ---- the record ----------------------------------------------------------------- */

/* Of "a, b" the one that is asked as long as it answers. */
static struct ai_span first_model(const char *names)
{
	struct ai_span name;

	names += strspn(names, " \t");
	name = (struct ai_span){ names, strcspn(names, ",") };
	while (name.n > 0 && strchr(" \t", name.p[name.n - 1]) != NULL)
		name.n--;
	return name;
}

/* Its name, copied. */
static int put_model(const char *names, char out[MODEL_MAX],
		     struct ai_err *err)
{
	struct ai_span name = first_model(names);

	if (name.n == 0)
		return ai_err_set(err, AI_E_CONFIG, "which model? Give -m "
				  "openai/NAME; 'model' in params or body is "
				  "heeded too");
	if (name.n >= MODEL_MAX)
		return ai_err_set(err, AI_E_CONFIG, "the name of a model has "
				  "at most %d bytes", MODEL_MAX - 1);
	snprintf(out, MODEL_MAX, "%.*s", (int)name.n, name.p);
	return 0;
}

/* What was given on the command line is stronger than what a record says. */
static int take_model(struct wish *q, struct ai_value params,
		      struct ai_err *err)
{
	struct ai_value v = ai_json_member(params, AI_SPAN("model"));
	struct ai_buf names = AI_BUF_INIT(4096);
	int rc;

	if (v.kind == AI_STRING && !ai_start_given(&cost.model))
		ai_json_text(v, &names);
	else
		ai_buf_str(&names, cost.model != NULL ? cost.model : "");
	rc = ai_buf_check(&names, "the model's name", err);
	if (rc == 0)
		rc = put_model(ai_buf_cstr(&names), q->model, err);
	ai_buf_release(&names);
	return rc;
}

static int take_limit(struct wish *q, struct ai_value params,
		      struct ai_err *err)
{
	static const char *const names[] = {
		"max_tokens", "max_completion_tokens",
	};
	struct ai_value v;
	size_t i;

	q->max_tokens = cost.max_tokens;
	for (i = 0; i < 2 && !ai_start_given(&cost.max_tokens); i++) {
		v = ai_json_member(params, ai_span_of(names[i]));
		if (v.kind == AI_NONE || v.kind == AI_NULL)
			continue;
		if (ai_json_i64(v, &q->max_tokens) < 0 ||
		    q->max_tokens < 1 || q->max_tokens > COST_TOKENS_MAX)
			return ai_err_set(err, AI_E_RECORD, "%s is not a "
					  "whole number in range", names[i]);
	}
	return 0;
}

static int take_payload(struct wish *q, const struct ai_rec *rec,
			struct ai_err *err)
{
	static const char *const usual[] = {
		"prompt", "query", "text", "messages", "body.messages", NULL
	};
	const char *path = ai_loop.path != NULL && *ai_loop.path != '\0'
		? ai_loop.path : ai_rec_first(rec, usual);

	if (path == NULL)
		return ai_err_set(err, AI_E_RECORD, "the record has no prompt, "
				  "query, text or messages");
	q->payload = ai_rec_get(rec, path);
	if (q->payload.kind != AI_STRING && q->payload.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD,
				  q->payload.kind == AI_NONE ?
				  "the record has no %.100s" : "%.100s is "
				  "neither a string nor a list of messages",
				  path);
	q->hits = ai_rec_get(rec, "hits");
	return 0;
}

static int take_wish(struct wish *q, const struct ai_rec *rec,
		     struct ai_err *err)
{
	struct ai_value params = ai_rec_get(rec, "params");

	if (params.kind != AI_OBJECT)
		params = ai_rec_get(rec, "body");
	return take_model(q, params, err) < 0 ||
		take_limit(q, params, err) < 0 ||
		take_payload(q, rec, err) < 0 ? -1 : 0;
}

/* ---- the model ------------------------------------------------------------------ */

/* The encoding that the catalog or the name tells; else a guess that is near
 * for most models. */
static const char *encoding_of(const struct ai_tariff *t, const char *model)
{
	const char *name = t->encoding;

	if (name[0] == '\0')
		name = ai_bpe_encoding_for_model(model);
	return name != NULL ? name : AI_BPE_DEFAULT;
}

static int find_model(struct worker *w, const char *model, struct ai_err *err)
{
	char provider[32];
	const char *encoding;

	if (strcmp(w->model, model) == 0)
		return 0;
	w->model[0] = '\0';
	snprintf(provider, sizeof(provider), "%.*s",
		 (int)strcspn(model, "/"), model);
	if (ai_tariff_init(&w->tariff, model, provider, NULL, err) < 0)
		return -1;
	encoding = encoding_of(&w->tariff, model);
	if (w->bpe == NULL || strcmp(ai_bpe_name(w->bpe), encoding) != 0) {
		ai_bpe_close(w->bpe);
		w->bpe = NULL;
		if (ai_bpe_open(&w->bpe, encoding, err) < 0)
			return -1;
	}
	snprintf(w->model, sizeof(w->model), "%s", model);
	return 0;
}

/* ---- counting ------------------------------------------------------------------- */

static int add_text(struct worker *w, struct ai_value v, int64_t *sum,
		    struct ai_err *err)
{
	size_t n;

	ai_buf_shrink(&w->text, KEEP_BYTES);
	ai_json_text(v, &w->text);
	if (ai_buf_check(&w->text, "the text", err) < 0 ||
	    ai_bpe_count(w->bpe, w->text.p, w->text.len, 0, &n, err) < 0)
		return -1;
	*sum += (int64_t)n;
	return 0;
}

static int add_hits(struct worker *w, struct ai_value hits, int64_t *sum,
		    struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value hit, text;

	if (hits.kind != AI_ARRAY)
		return 0;
	*sum += RULES_TOKENS;
	ai_json_iter_init(&it, hits);
	while (ai_json_next(&it, NULL, &hit)) {
		text = ai_json_get(hit, "text");
		if (text.kind == AI_STRING && add_text(w, text, sum, err) < 0)
			return -1;
	}
	return 0;
}

static int add_payload(struct worker *w, struct ai_value payload, int64_t *sum,
		       struct ai_err *err)
{
	/* A text goes as the one message of a chat. */
	static const int64_t around = 7;
	size_t n;

	if (payload.kind == AI_STRING) {
		*sum += around;
		return add_text(w, payload, sum, err);
	}
	if (ai_chat_tokens(w->bpe, 0, payload, &w->text, &n, err) < 0)
		return -1;
	*sum += (int64_t)n;
	return 0;
}

/* The bytes of the request that ai-complete would send, or more; the text of
 * the payload, if it is one, is in w->text. */
static int request_bytes(struct worker *w, const struct wish *q, int64_t limit,
			 size_t *bytes, struct ai_err *err)
{
	struct ai_chat_message message = {
		.role = "user",
		.text = { ai_buf_cstr(&w->text), w->text.len },
	};
	struct ai_chat_request r = {
		.model = w->model, .messages = &message,
		.n_messages = q->payload.kind == AI_STRING,
		/* A bare name goes to a --base-url, and as such servers like
		 * it. */
		.max_tokens_name = strchr(w->model, '/') == NULL ? "max_tokens"
								 : NULL,
		.max_tokens = limit, .temperature = NAN, .top_p = NAN,
		.seed = AI_CHAT_UNSET,
	};

	ai_buf_shrink(&w->body, KEEP_BYTES);
	if (ai_wire_openai.put_chat(&r, &w->body, err) < 0)
		return -1;
	*bytes = w->body.len;
	if (q->payload.kind == AI_ARRAY)
		*bytes += q->payload.s.n;
	if (q->hits.kind == AI_ARRAY)
		*bytes += q->hits.s.n + RULES_BYTES;
	return ai_buf_check(&w->body, "the request", err);
}

/* ---- what it costs -------------------------------------------------------------- */

static int find_room(struct worker *w, struct ai_room *room,
		     struct ai_err *err)
{
	*room = (struct ai_room){ INT64_MAX, INT64_MAX };
	if (!ai_tariff_booked(&w->tariff))
		return 0;
	if (w->ledger == NULL && cost_look(&w->ledger, err) < 0)
		return -1;
	return ai_ledger_room(w->ledger, &w->tariff.labels, room, err);
}

static int bill(const struct ai_tariff *t, struct estimate *e,
		const struct ai_ask *ask, struct ai_err *err)
{
	struct ai_meter meter = { .reported = -1, .tier = -1 };

	e->expected = e->worst = 0;
	if (t->price.kind == AI_PRICE_FREE)
		return 0;
	meter.n[AI_UNIT_INPUT] = e->input;
	meter.n[AI_UNIT_OUTPUT] = e->output;
	meter.n[AI_UNIT_REQUEST] = 1;
	return ai_bill(&t->price, &meter, AI_TIER_STANDARD, &e->expected,
		       err) < 0 ||
		ai_bill_worst(&t->price, ask, &e->worst, err) < 0 ? -1 : 0;
}

static int estimate(struct worker *w, const struct wish *q, struct estimate *e,
		    struct ai_err *err)
{
	struct ai_ask ask;
	int64_t limit;
	size_t bytes;

	if (find_model(w, q->model, err) < 0 ||
	    find_room(w, &e->room, err) < 0)
		return -1;
	limit = ai_tariff_output(&w->tariff, q->max_tokens);
	e->input = 0;
	if (add_payload(w, q->payload, &e->input, err) < 0 ||
	    request_bytes(w, q, limit, &bytes, err) < 0 ||
	    add_hits(w, q->hits, &e->input, err) < 0)
		return -1;
	if (ai_tariff_ask(&w->tariff, bytes, limit, ai_chat_media(q->payload),
			  &ask, err) < 0)
		return -1;
	if (q->max_tokens == 0)
		ai_tariff_shorten(&w->tariff, &ask, e->room.request);
	e->limit = ask.output;
	e->output = cost.expect < e->limit ? cost.expect : e->limit;
	if (bill(&w->tariff, e, &ask, err) < 0)
		return -1;
	e->fits = e->worst <= e->room.request && e->worst <= e->room.left;
	return 0;
}

/* ---- writing -------------------------------------------------------------------- */

static void put_price(struct ai_buf *b, const struct ai_price *p)
{
	ai_put_key(b, "price");
	ai_put_open(b, '{');
	cost_put_text(b, "source", p->source[0] != '\0' ? p->source : NULL);
	cost_put_text(b, "date", p->date[0] != '\0' ? p->date : NULL);
	ai_put_close(b, '}');
}

static void put(const struct worker *w, const struct estimate *e,
		struct ai_buf *b)
{
	ai_put_open(b, '{');
	cost_put_text(b, "model", w->tariff.labels.model);
	cost_put_int(b, "input_tokens", e->input);
	cost_put_int(b, "output_tokens", e->output);
	cost_put_int(b, "max_tokens", e->limit);
	cost_put_usd(b, "expected_usd", e->expected);
	cost_put_usd(b, "worst_usd", e->worst);
	put_price(b, &w->tariff.price);
	if (e->room.left == INT64_MAX) {
		ai_put_key(b, "left_usd");
		ai_put_null(b);
	} else {
		cost_put_usd(b, "left_usd", e->room.left);
	}
	ai_put_key(b, "fits");
	ai_put_bool(b, e->fits);
	ai_put_close(b, '}');
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct worker *w = state;
	struct wish q;
	struct estimate e;
	char dollars[AI_MONEY_TEXT];

	ai_buf_clear(&w->out);
	if (take_wish(&q, rec, err) < 0 || estimate(w, &q, &e, err) < 0)
		return -1;
	if (!e.fits)
		ai_emit_no(out);
	ai_money_text(e.expected, dollars);
	if (ai_loop.plain_out)
		return ai_emit_answer(out, rec, dollars, strlen(dollars), err);
	put(w, &e, &w->out);
	if (ai_buf_check(&w->out, "the member", err) < 0 ||
	    ai_rec_set(rec, ai_loop.as != NULL ? ai_loop.as : "cost", &w->out,
		       err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

/* A price that is not there is told before any record is read. */
static int check(struct ai_err *err)
{
	struct ai_tariff t;
	char model[MODEL_MAX];

	if (ai_paid_warning() != NULL)
		ai_msg(AI_MSG_WARN, "%s", ai_paid_warning());
	if (cost.model == NULL || *cost.model == '\0')
		return 0;
	return put_model(cost.model, model, err) < 0 ? -1 :
		ai_tariff_init(&t, model, "", NULL, err);
}

int cost_estimate(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .open = worker_open, .close = worker_close,
	};

	return check(err) < 0 ? -1 : ai_loop_run(&filter, argc, argv, err);
}
