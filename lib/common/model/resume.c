#include "model/resume.h"

#include "model/exchange.h"

#include <stdlib.h>
#include <string.h>

static int no_ledger(const char *option, struct ai_err *err)
{
	return ai_err_set(err, AI_E_USAGE, "%s keeps its answers in the "
			  "ledger: it goes not with --ledger none", option);
}

int ai_resume_open(struct ai_resume *r, struct ai_payer *p, struct ai_err *err)
{
	if (ai_client.resume_by != NULL) {
		if (ai_client.resume != NULL)
			return ai_err_set(err, AI_E_USAGE, "--resume and "
					  "--resume-by: give one");
		return ai_paid_has_ledger() ? ai_payer_open(p, err)
					    : no_ledger("--resume-by", err);
	}
	if (ai_client.resume == NULL)
		return 0;
	if (!ai_paid_has_ledger())
		return no_ledger("--resume", err);
	if (ai_payer_open(p, err) < 0 ||
	    ai_batch_open(p->ledger, ai_client.resume, false, &r->batch,
			  err) < 0)
		return -1;
	/* What became of the last run's lines is known when its calls have
	 * been ended. */
	return ai_ledger_sweep(p->ledger, err);
}

void ai_resume_release(struct ai_resume *r, struct ai_payer *p)
{
	struct ai_err ignored;

	if (r->batch.n != 0)
		ai_batch_close(p->ledger, &r->batch, &ignored);
	ai_tally_release(&r->tally);
}

/* ---- batches that records name ----------------------------------------------- */

/* What became of calls of those that were killed is known when they have been
 * ended. */
static int sweep(struct ai_resume *r, struct ai_ledger *l, struct ai_err *err)
{
	if (r->swept)
		return 0;
	r->swept = true;
	return ai_ledger_sweep(l, err);
}

/* It is held as long as a request of it is under way, so that nobody else asks
 * for what is to be answered yet. */
static struct ai_named_batch *enter(struct ai_client *c, struct ai_span name,
				    struct ai_err *err)
{
	struct ai_resume *r = &c->resume;
	struct ai_named_batch *b;

	for (b = r->named; b != NULL; b = b->next)
		if (ai_span_is(name, b->name)) {
			b->users++;
			return b;
		}
	if (sweep(r, c->payer.ledger, err) < 0)
		return NULL;
	b = calloc(1, sizeof *b + name.n + 1);
	if (b == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	memcpy(b->name, name.p, name.n);
	if (ai_batch_open(c->payer.ledger, b->name, false, &b->batch,
			  err) < 0) {
		free(b);
		return NULL;
	}
	b->users = 1;
	b->next = r->named;
	r->named = b;
	return b;
}

void ai_resume_leave(struct ai_exchange *x)
{
	struct ai_named_batch **at, *b = x->named;
	struct ai_err ignored;

	x->named = NULL;
	if (b == NULL || --b->users > 0)
		return;
	for (at = &x->client->resume.named; *at != b;)
		at = &(*at)->next;
	*at = b->next;
	ai_batch_close(x->client->payer.ledger, &b->batch, &ignored);
	free(b);
}

/* ---- answers as the journal has them --------------------------------------- */

/* cost: of the attempts before the last, whose cost the journal knows.  Seconds
 * to the last bit, so that they are rounded as they were then. */
static void put_call(const struct ai_call *c, int64_t cost, struct ai_buf *b)
{
	ai_put_key(b, "call");
	ai_put_open(b, '{');
	ai_wire_put_i64(b, "attempts", c->attempts);
	ai_wire_put_f64(b, "latency_s", c->latency_s);
	if (c->ttft_s >= 0)
		ai_wire_put_f64(b, "ttft_s", c->ttft_s);
	ai_wire_put_cstr(b, "request_id", c->request_id);
	ai_wire_put_i64(b, "max_tokens", c->max_tokens);
	ai_wire_put_i64(b, "created", c->created_s);
	ai_wire_put_i64(b, "cost", cost);
	ai_put_key(b, "cached");
	ai_put_bool(b, c->cached);
	ai_put_close(b, '}');
}

static void put(const struct ai_exchange *x, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "answer");
	ai_chat_answer_put(x->chat, b);
	put_call(x->call, x->call->cost, b);
	if (x->note.n > 0) {
		ai_put_key(b, "note");
		ai_put_raw(b, x->note.p, x->note.n);
	}
	ai_put_close(b, '}');
}

static int64_t take_count(struct ai_value call, const char *path)
{
	int64_t n;

	return ai_json_i64(ai_json_get(call, path), &n) == 0 ? n : 0;
}

/* What x->kept has. */
static int take(int64_t amount, struct ai_exchange *x, struct ai_err *err)
{
	struct ai_call *c = x->call;
	struct ai_value v, call;

	if (ai_wire_object(ai_buf_cstr(&x->kept), x->kept.len, &v, err) < 0 ||
	    ai_chat_answer_take(ai_json_get(v, "answer").s, x->chat, err) < 0)
		return -1;
	call = ai_json_get(v, "call");
	c->attempts = (int)take_count(call, "attempts");
	c->latency_s = ai_wire_seconds(call, "latency_s");
	c->ttft_s = ai_wire_seconds(call, "ttft_s");
	c->max_tokens = take_count(call, "max_tokens");
	c->created_s = take_count(call, "created");
	c->cost = take_count(call, "cost") + (amount > 0 ? amount : 0);
	c->cached = ai_json_true(ai_json_get(call, "cached"));
	ai_wire_copy(call, "request_id", c->request_id, sizeof c->request_id);
	c->note = ai_json_get(v, "note").s;
	c->resumed = true;
	return 0;
}

/* ---- lines ------------------------------------------------------------------ */

/* Which line it is.  The scope counts, since two records may ask the same of
 * the same model at last, after others have failed. */
static int name_line(struct ai_exchange *x, const struct ai_chat_begin *b,
		     struct ai_err *err)
{
	const struct ai_labels *l = &x->e->tariff.labels;
	const struct ai_span parts[] = {
		b->scope, { x->url.p, x->url.len }, ai_span_of(l->tenant),
		ai_span_of(l->user), { x->body.p, x->body.len },
	};
	struct ai_batch_line *line = &x->pay.line;

	ai_cache_key(parts, sizeof parts / sizeof *parts, line->payload);
	if (*b->ordinal < 0)
		*b->ordinal = ai_tally_add(&x->client->resume.tally,
					   line->payload, err);
	line->ordinal = *b->ordinal;
	return *b->ordinal < 0 ? -1 : 0;
}

int ai_resume_find(struct ai_exchange *x, const struct ai_chat_begin *b,
		   struct ai_err *err)
{
	struct ai_client *c = x->client;
	int64_t amount = 0;
	int rc;

	x->pay.batch = NULL;
	x->note = b->note;
	if (b->batch.n > 0) {
		x->named = enter(c, b->batch, err);
		if (x->named == NULL)
			return -1;
		*b->ordinal = 0;
	}
	if (x->named == NULL && c->resume.batch.n == 0)
		return 0;
	if (name_line(x, b, err) < 0)
		return -1;
	x->pay.batch = x->named != NULL ? &x->named->batch : &c->resume.batch;
	ai_buf_clear(&x->kept);
	rc = ai_batch_find(c->payer.ledger, x->pay.batch, &x->pay.line,
			   &x->kept, &amount, err);
	if (rc == AI_LINE_ANSWERED)
		return take(amount, x, err) < 0 ? -1 : 1;
	x->call->uncertain = rc == AI_LINE_UNCERTAIN;
	if (rc == AI_LINE_UNCERTAIN && !ai_client.retry_uncertain)
		return ai_err_set(err, AI_E_UNAVAILABLE, "it was sent when the "
				  "last run ended and may have been paid for: "
				  "tell what became of it with 'ai-cost "
				  "settle', or send it again with "
				  "--retry-uncertain");
	return rc < 0 ? -1 : 0;
}

void ai_resume_keep(struct ai_exchange *x)
{
	x->pay.answer = (struct ai_span){ NULL, 0 };
	if (x->pay.batch == NULL)
		return;
	ai_buf_clear(&x->kept);
	put(x, &x->kept);
	/* What is too long for the journal is asked for again. */
	if (x->kept.bad == AI_E_NONE)
		x->pay.answer = (struct ai_span){ x->kept.p, x->kept.len };
}

int ai_resume_keep_cached(struct ai_exchange *x, struct ai_err *err)
{
	struct ai_ledger *l = x->client->payer.ledger;
	unsigned char id[AI_LEDGER_ID];

	ai_resume_keep(x);
	if (x->pay.answer.p == NULL)
		return 0;
	ai_ledger_id(id);
	return ai_batch_start(l, x->pay.batch, &x->pay.line, id,
			      x->e->tariff.labels.user, err) < 0 ? -1 :
		ai_batch_answer(l, x->pay.batch, &x->pay.line, x->pay.answer,
				0, "", err);
}
