#include "model/exchange.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_MAX ((size_t)64 << 20)
#define KEEP_BYTES ((size_t)1 << 16) /* of a request that has ended */
#define GATHER_S 0.001
#define PLACES_MAX 3 /* at a rate limit, that are given back */
#define ADDRESS_MAX ((size_t)8192)
#define OVERLOADED 529 /* Anthropic's 503 */
#define TURN_MS 1000 /* who waits may have something to show */

struct ai_client *ai_client_new(struct ai_err *err)
{
	struct ai_client *c = calloc(1, sizeof *c);

	if (c == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	if (ai_tape_open(&c->tape, err) < 0 ||
	    ai_resume_open(&c->resume, &c->payer, err) < 0) {
		ai_client_free(c);
		return NULL;
	}
	return c;
}

int ai_client_open_ledger(struct ai_client *c, struct ai_err *err)
{
	return ai_payer_open(&c->payer, err);
}

/* ---- exchanges come and go ------------------------------------------------ */

struct ai_exchange *ai_exchange_new(struct ai_client *c,
				    const struct ai_endpoint *e,
				    struct ai_err *err)
{
	struct ai_exchange *x = c->spare;

	if (x != NULL) {
		c->spare = x->next;
	} else {
		x = calloc(1, sizeof *x);
		if (x == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		ai_buf_init(&x->url, ADDRESS_MAX);
		ai_buf_init(&x->body, REQUEST_MAX);
		ai_buf_init(&x->kept, AI_HTTP_BODY_MAX);
		ai_buf_init(&x->raw, AI_HTTP_BODY_MAX);
		ai_http_answer_init(&x->answer, AI_HTTP_BODY_MAX);
	}
	x->client = c;
	x->e = e;
	x->next = NULL;
	x->keep = x->told = x->streams = false;
	x->delta = NULL;
	x->places = 0;
	x->place = NULL;
	x->entered = false;
	x->key = NULL;
	x->tried = 0;
	x->aside_s = -1;
	x->other_key = false;
	x->chat = NULL;
	x->method = "POST";
	x->tariff = &e->tariff;
	x->payment = (struct ai_payment){ .reserved = false };
	x->pay.batch = NULL;
	x->named = NULL;
	x->tape_key[0] = '\0';
	ai_buf_clear(&x->url);
	ai_buf_str(&x->url, e->base);
	return x;
}

void ai_exchange_put_back(struct ai_client *c, struct ai_exchange *x)
{
	ai_stream_release(x);
	ai_place_end(x);
	ai_resume_leave(x);
	x->streams = false;
	ai_buf_shrink(&x->body, KEEP_BYTES);
	ai_buf_shrink(&x->kept, KEEP_BYTES);
	ai_buf_shrink(&x->raw, KEEP_BYTES);
	ai_buf_shrink(&x->answer.body, KEEP_BYTES);
	x->next = c->spare;
	c->spare = x;
}

static void exchange_free(struct ai_exchange *x)
{
	ai_stream_release(x);
	ai_buf_release(&x->url);
	ai_buf_release(&x->body);
	ai_buf_release(&x->kept);
	ai_buf_release(&x->raw);
	ai_http_answer_release(&x->answer);
	free(x);
}

void ai_exchange_report(struct ai_exchange *x, struct ai_call *call,
			ai_client_done *done, void *arg)
{
	*call = (struct ai_call){ .ttft_s = -1 };
	x->call = call;
	x->done = done;
	x->arg = arg;
}

int ai_exchange_prepare(struct ai_exchange *x, int64_t max_output,
			struct ai_media media, struct ai_err *err)
{
	x->call->max_tokens = max_output;
	if (ai_buf_check(&x->body, "the request", err) < 0 ||
	    ai_buf_check(&x->url, "the address", err) < 0 ||
	    ai_tape_name(&x->client->tape, x, NULL, err) < 0 ||
	    ai_tariff_ask(x->tariff, x->body.len, max_output, media, &x->ask,
			  err) < 0)
		return -1;
	ai_retry_init(&x->retry, (int)ai_client.retries, ai_client.timeout_s,
		      NULL);
	return ai_place_begin(x->client, x, err);
}

/* Behind the others: who came first is served first. */
void ai_exchange_enqueue(struct ai_client *c, struct ai_exchange *x)
{
	struct ai_exchange **at = &c->under_way;

	while (*at != NULL)
		at = &(*at)->next;
	*at = x;
	x->next = NULL;
}

/* ---- the ledger ------------------------------------------------------------ */

/* Takes these steps; how many there were. */
static size_t pay_all(struct ai_client *c, struct ai_pay **list, size_t n)
{
	if (n > 0)
		ai_payer_do(&c->payer, list, n);
	return n;
}

static size_t count_all(const struct ai_client *c)
{
	size_t n = 0;

	for (const struct ai_exchange *x = c->under_way; x; x = x->next)
		n++;
	return n;
}

static void over(struct ai_exchange *x, int rc, const struct ai_err *err)
{
	x->stage = EXCHANGE_OVER;
	x->call->failure = AI_CALL_OK; /* that is not its last attempt's */
	x->rc = rc;
	if (rc < 0)
		x->err = *err;
}

/* Its attempt has ended, and the next one may begin in the same transaction.
 * What is too much for one key may be none for the next. */
static void leave_place(struct ai_exchange *x)
{
	long status = x->call->status;

	x->client->landed++;
	ai_place_leave(x, x->rc == 0 ? AI_PACE_ANSWERED :
		       !x->other_key && (status == 429 || status == OVERLOADED)
		       ? AI_PACE_REFUSED : AI_PACE_OTHER);
}

/* After its attempt was booked: another one, or the end.  The ledger's own
 * error wins over success, not over the attempt's. */
static void settled(struct ai_exchange *x)
{
	double wait_s = -1;

	x->client->landed--;
	x->call->cost += x->pay.cost;
	if (x->rc == 0 && x->pay.rc < 0) {
		over(x, -1, &x->pay.err);
		return;
	}
	if (x->rc < 0 && x->other_key && x->pay.rc == 0 && !x->client->stopping)
		wait_s = 0;
	else if (x->rc < 0 && x->more && x->pay.rc == 0 && !x->client->stopping)
		wait_s = ai_retry_next(&x->retry, ai_keyed_wait(x));
	/* Nobody is there who needs a rest. */
	if (wait_s > 0 && x->client->tape.play >= 0)
		wait_s = 0;
	x->stage = wait_s < 0 ? EXCHANGE_OVER : EXCHANGE_RETRY;
	x->due_s = ai_clock_s() + wait_s;
}

/* It would wait for a rate limit, if the run had the time. */
static void blame_deadline(struct ai_exchange *x)
{
	struct ai_err *err = &x->pay.err;
	double wait_s = err->retry_after_s;

	if (err->code != AI_E_TRY_LATER || x->retry.deadline < ai_run_end() ||
	    (ai_paid.max_wait_s >= 0 && ai_paid.max_wait_s < wait_s))
		return;
	ai_err_set(err, AI_E_TRY_LATER, "the limit of %s has a place in %.1f "
		   "s; --deadline ends before", x->e->tariff.labels.model,
		   wait_s);
	err->retry_after_s = wait_s;
}

static void reserved(struct ai_exchange *x)
{
	struct ai_err err;

	if (x->pay.rc < 0) {
		if (x->pay.of_key && ai_keyed_other(x))
			return;
		if (ai_place_hold(x->client, x))
			return;
		ai_place_leave(x, AI_PACE_OTHER);
		blame_deadline(x);
		over(x, -1, ai_tape_add_refused(&x->client->tape, x, &x->pay.err,
						&err) < 0 ? &err : &x->pay.err);
		return;
	}
	if (x->pay.what == AI_PAY_VOID)
		return;
	x->stage = EXCHANGE_WAIT;
	x->due_s = x->payment.reserved
		? ai_clock_s() + (double)(x->payment.start_ns - ai_boot_ns()) / 1e9
		: 0;
}

/* Adds the steps of those at this stage. */
static size_t add_steps(struct ai_client *c, int stage, struct ai_pay **list,
			size_t n)
{
	for (struct ai_exchange *x = c->under_way; x != NULL; x = x->next) {
		if ((int)x->stage != stage)
			continue;
		x->pay.payment = &x->payment;
		x->pay.tariff = x->tariff;
		if (stage == EXCHANGE_RESERVE) {
			/* Again, if it has lost its place. */
			x->pay.what = x->payment.reserved ? AI_PAY_VOID
							  : AI_PAY_RESERVE;
			x->pay.ask = x->ask;
			x->pay.most = x->most;
			x->pay.left_s = ai_retry_left(&x->retry);
		}
		list[n++] = &x->pay;
	}
	return n;
}

/* What has ended is booked, and what begins is reserved of what that gives
 * back, in one transaction. */
static void book(struct ai_client *c, struct ai_pay **list)
{
	struct ai_exchange *x;
	struct ai_err err;
	size_t n;

	for (x = c->under_way; x != NULL; x = x->next)
		if (x->stage == EXCHANGE_RESERVE && ai_keyed_take(x, &err) < 0)
			over(x, -1, &err);
	n = add_steps(c, EXCHANGE_SETTLE, list, 0);
	n = add_steps(c, EXCHANGE_RESERVE, list, n);
	if (pay_all(c, list, n) == 0)
		return;
	for (x = c->under_way; x != NULL; x = x->next)
		if (x->stage == EXCHANGE_SETTLE)
			settled(x);
		else if (x->stage == EXCHANGE_RESERVE)
			reserved(x);
	ai_place_unhold(c, 0);
}

/* ---- an attempt ------------------------------------------------------------ */

/* What the answer's usage comes to, for people; and what is billed. */
static void chat_usage(struct ai_exchange *x)
{
	struct ai_chat_answer *a = x->chat;
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	if (a->bill.len == 0 ||
	    ai_json_check(a->bill.p, a->bill.len, &v, NULL) < 0)
		return;
	x->pay.usage = v;
	if (ai_meter_read(x->e->tariff.shape, v, &x->meter, NULL) < 0)
		return;
	x->pay.meter = &x->meter;
	a->usage = ai_usage_of(&x->meter);
}

/* An answer is kept before it is booked: the commit that books it makes both
 * durable.  That it cannot be kept is no reason to lose it. */
static void keep_answer(struct ai_client *c, struct ai_exchange *x)
{
	struct ai_buf b = AI_BUF_INIT(AI_CACHE_VALUE);
	struct ai_err err;

	ai_chat_answer_put(x->chat, &b);
	if (b.bad == AI_E_NONE && ai_payer_open(&c->payer, &err) == 0) {
		ai_cache_limit(c->payer.ledger, ai_client.cache_bytes);
		ai_cache_put(c->payer.ledger, x->cache_key,
			     (struct ai_span){ b.p, b.len },
			     (int64_t)(ai_client.cache_ttl_s * 1000),
			     x->e->tariff.labels.user, &err);
	}
	ai_buf_release(&b);
}

/* An answer that has streamed; one that was cut off is paid for, but nobody
 * knows how much. */
static int take_stream(struct ai_exchange *x, struct ai_err *err)
{
	if (ai_stream_end(x, err) < 0) {
		x->more = true;
		return -1;
	}
	x->pay.end = AI_END_ANSWERED;
	chat_usage(x);
	if (x->keep)
		keep_answer(x->client, x);
	ai_resume_keep(x);
	return 0;
}

/* ai_exchange.take of chats.  It is kept even if who wanted it as a stream can
 * take no more. */
static int take_chat(struct ai_exchange *x, struct ai_err *err)
{
	const struct ai_buf *body = &x->answer.body;
	int told = 0;

	if (x->e->wire->get_chat(ai_buf_cstr(body), body->len, x->chat,
				 err) < 0) {
		chat_usage(x);
		return -1;
	}
	chat_usage(x);
	if (x->streams)
		told = ai_stream_hand_on(x, 0, err);
	if (x->keep)
		keep_answer(x->client, x);
	ai_resume_keep(x);
	return told;
}

static int take_answer(struct ai_exchange *x, struct ai_err *err)
{
	struct ai_err error;
	bool likely;
	int rc;

	if (x->streams && x->answer.body.len == 0 &&
	    x->answer.status >= 200 && x->answer.status <= 299)
		return take_stream(x, err);
	likely = ai_failure_unlikely(x);
	if (!likely && ai_failure_take(x, err) < 0)
		return -1;
	rc = x->take(x, err);
	if (rc < 0 && likely && ai_failure_take(x, &error) < 0) {
		*err = error;
		return -1;
	}
	x->pay.end = AI_END_ANSWERED;
	/* It is paid for, and asking again would be no better. */
	x->more = false;
	return rc < 0 ? ai_failure_no_answer(x, err) : 0;
}

/* When it ended, and how long it took; of a recording, then. */
static void when(const struct ai_exchange *x)
{
	bool played = x->client->tape.play >= 0;

	x->call->latency_s = played ? x->played.latency_s
				    : ai_clock_s() - x->begun_s;
	x->call->created_s = played ? x->played.created_s : time(NULL);
}

/* ai_http_done: the transfer has ended. */
static void landed(void *arg, int rc, struct ai_err *err)
{
	struct ai_exchange *x = arg;
	struct ai_err unrecorded;

	x->transfer = NULL;
	x->stage = EXCHANGE_SETTLE;
	when(x);
	ai_failure_hide(x);
	x->call->status = x->answer.status;
	snprintf(x->call->request_id, sizeof x->call->request_id, "%s",
		 x->answer.request_id);
	/* What ended a stream may have said it already. */
	x->more = x->more || x->answer.again;
	x->pay.what = AI_PAY_SETTLE;
	x->pay.attempt = x->call->attempts;
	x->pay.latency_s = x->call->latency_s;
	x->pay.end = ai_failure_end(&x->answer);
	x->pay.usage = (struct ai_value){ AI_NONE, { NULL, 0 } };
	x->pay.answer = (struct ai_span){ NULL, 0 };
	x->pay.meter = NULL;
	x->rc = rc < 0 ? -1 : take_answer(x, err);
	x->pay.retry_after_s = x->answer.retry_after_s;
	if (rc < 0 &&
	    ai_run_is_over(x->answer.sent ? "the answer, which may be billed"
					  : "this was sent", err) &&
	    x->pay.end == AI_END_LOST)
		x->pay.end = AI_END_LEFT;
	x->pay.ttft_s = x->call->ttft_s;
	x->pay.unusable = x->rc < 0;
	if (x->rc < 0)
		x->err = *err;
	ai_keyed_ended(x);
	if (ai_tape_add(&x->client->tape, x, rc, &x->err, &unrecorded) < 0) {
		x->rc = -1;
		x->err = unrecorded;
		x->more = x->other_key = false;
	}
	/* Not even a byte of another answer behind this one. */
	if (x->told)
		x->more = false;
	leave_place(x);
}

/* An attempt at a recording: it has landed at once. */
static void play(struct ai_client *c, struct ai_exchange *x)
{
	struct ai_err err;
	int rc;

	x->call->attempts++;
	x->call->failure = AI_CALL_OK;
	x->begun_s = ai_clock_s();
	x->more = x->other_key = false;
	if (x->streams)
		ai_stream_begin(x);
	rc = ai_tape_play(&c->tape, x, &err);
	landed(x, rc, &err);
}

/* An attempt over the network. */
static int fly(struct ai_client *c, struct ai_exchange *x, struct ai_err *err)
{
	struct ai_head head;
	struct ai_http_request q = {
		.method = x->method, .url = x->url.p, .headers = head.line,
		.body = x->body.len > 0 ? x->body.p : NULL,
		.n = x->body.len,
		.connect_s = ai_client.connect_s,
		/* 0 would mean the default. */
		.timeout_s = fmax(ai_retry_left(&x->retry), 0.001),
		.idle_s = ai_client.idle_s,
		.cert = ai_client.cert, .cert_key = ai_client.cert_key,
		.passphrase = getenv("AI_CERT_PASSPHRASE"),
		.data = x->streams ? ai_stream_add : NULL, .arg = x,
	};
	int rc = -1;

	if (ai_keyed_head(x, &head, err) < 0)
		goto out;
	if (c->http == NULL && (c->http = ai_http_new(err)) == NULL)
		goto out;
	x->call->attempts++;
	x->call->failure = AI_CALL_OK;
	x->begun_s = ai_clock_s();
	x->more = x->other_key = false;
	x->aside_s = -1;
	if (x->streams)
		ai_stream_begin(x);
	rc = ai_http_start(c->http, &q, &x->answer, landed, &x->transfer,
			   err);
out:
	ai_signed_release(&head.signed_by);
	return rc;
}

/* Could not even begin. */
static void not_flown(struct ai_exchange *x, const struct ai_err *err)
{
	x->stage = EXCHANGE_SETTLE;
	x->more = x->other_key = false;
	x->rc = -1;
	x->err = *err;
	x->pay.what = AI_PAY_SETTLE;
	x->pay.end = AI_END_UNSENT;
	x->pay.attempt = x->call->attempts;
	x->pay.latency_s = x->pay.ttft_s = 0;
	x->pay.answer = (struct ai_span){ NULL, 0 };
	x->pay.retry_after_s = -1;
	leave_place(x);
}

/* Those whose time has come go out, all at once as the ledger sees it. */
static void launch(struct ai_client *c, struct ai_pay **list)
{
	double now = ai_clock_s();
	struct ai_exchange *x;
	struct ai_err err;
	size_t n = 0;

	for (x = c->under_way; x != NULL; x = x->next) {
		if (x->stage != EXCHANGE_WAIT || x->due_s > now)
			continue;
		/* A machine that is always late goes on all the same. */
		if (x->places < PLACES_MAX && ai_payment_is_late(&x->payment)) {
			x->places++;
			x->stage = EXCHANGE_RESERVE;
			continue;
		}
		x->pay.what = AI_PAY_SENT;
		list[n++] = &x->pay;
	}
	if (pay_all(c, list, n) == 0)
		return;
	for (x = c->under_way; x != NULL; x = x->next) {
		if (x->stage != EXCHANGE_WAIT || x->due_s > now)
			continue;
		x->stage = EXCHANGE_FLY;
		if (x->pay.rc > 0)
			x->stage = EXCHANGE_RESERVE;
		else if (x->pay.rc < 0)
			not_flown(x, &x->pay.err);
		else if (c->tape.play >= 0)
			play(c, x);
		else if (fly(c, x, &err) < 0)
			not_flown(x, &err);
	}
}

/* ---- turns ------------------------------------------------------------------- */

static void retry_due(struct ai_client *c)
{
	double now = ai_clock_s();

	for (struct ai_exchange *x = c->under_way; x != NULL; x = x->next)
		if (x->stage == EXCHANGE_RETRY && x->due_s <= now)
			ai_place_again(x);
}

static bool has_stage(const struct ai_client *c, int stage)
{
	for (const struct ai_exchange *x = c->under_way; x; x = x->next)
		if ((int)x->stage == stage)
			return true;
	return false;
}

/* All that can be done now. -1: out of memory. */
static int progress(struct ai_client *c, struct ai_err *err)
{
	struct ai_pay **list = calloc(count_all(c) + 1, sizeof *list);

	if (list == NULL)
		return ai_err_nomem(err);
	do {
		retry_due(c);
		/* Before those that have come since: what is booked now makes
		 * room for them. */
		ai_place_unhold(c, c->landed > 0 ? c->landed + 1 : 0);
		ai_place_admit(c);
		book(c, list);
		/* Handed over first: if they cannot be written, nothing more
		 * is to be sent. */
		if (has_stage(c, EXCHANGE_OVER))
			break;
		launch(c, list);
	} while (c->landed > 0 || has_stage(c, EXCHANGE_RESERVE) ||
		 c->unheld);
	free(list);
	return 0;
}

/* A refusal is an answer, and paid for, but not the one that was wanted. */
static enum ai_call_failure failure_of(const struct ai_exchange *x)
{
	const struct ai_chat_answer *a = x->chat;

	if (x->rc < 0)
		return x->call->failure != AI_CALL_OK ? x->call->failure
			: ai_failure_of(x->err.code);
	return a != NULL && (a->refusal || strcmp(a->finish_reason,
						  "content_filter") == 0)
		? AI_CALL_POLICY : AI_CALL_OK;
}

/* Hands over those that have ended; how many they were. */
static size_t hand_over(struct ai_client *c)
{
	struct ai_exchange **at = &c->under_way, *x;
	size_t n = 0;

	while ((x = *at) != NULL) {
		if (x->stage != EXCHANGE_OVER) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		n++;
		x->call->failure = failure_of(x);
		/* Another one may be begun from within: not in this place. */
		x->done(x->arg, x->rc, &x->err);
		ai_exchange_put_back(c, x);
		at = &c->under_way;
	}
	return n;
}

/* Milliseconds until the next one is due; negative: none waits. */
static int64_t until_due(const struct ai_client *c)
{
	double now = ai_clock_s(), least = HUGE_VAL;

	for (const struct ai_exchange *x = c->under_way; x; x = x->next)
		if ((x->stage == EXCHANGE_WAIT || x->stage == EXCHANGE_RETRY ||
		     x->stage == EXCHANGE_QUEUE) && x->due_s < least)
			least = x->due_s;
	return isinf(least) ? -1 : least <= now ? 0
		: (int64_t)ceil((least - now) * 1000);
}

/*
 * Where many are under way and what they cost is booked, a moment more: those
 * that end in it are booked in the same transaction, and what comes after them
 * is reserved in one.  A transaction is two thirds of what a call costs.
 */
static int gather(struct ai_client *c, struct ai_err *err)
{
	double end = ai_clock_s() + GATHER_S;
	bool readable;

	if (c->payer.ledger == NULL || c->landed == 0)
		return 0;
	while (has_stage(c, EXCHANGE_FLY) && ai_clock_s() < end)
		if (ai_http_wait(c->http, -1, 1, &readable, err) < 0)
			return -1;
	return 0;
}

/* Before anything is reserved: that there is no network is no call's fault. */
static int need_network(struct ai_client *c, struct ai_err *err)
{
	if (c->http != NULL || c->tape.play >= 0 ||
	    !has_stage(c, EXCHANGE_QUEUE))
		return 0;
	c->http = ai_http_new(err);
	return c->http == NULL ? -1 : 0;
}

int ai_client_turn(struct ai_client *c, int fd, bool *readable,
		   struct ai_err *err)
{
	int64_t ms;

	*readable = false;
	/* Before anybody has the answer. */
	ai_hits_book(c);
	if (hand_over(c) > 0)
		return 0;
	if (need_network(c, err) < 0 || progress(c, err) < 0)
		return -1;
	if (hand_over(c) > 0)
		return 0;
	if (c->http == NULL && (c->http = ai_http_new(err)) == NULL)
		return -1;
	ms = until_due(c);
	if (ms < 0 || ms > TURN_MS)
		ms = TURN_MS;
	if (ai_http_wait(c->http, fd, ms, readable, err) < 0 ||
	    gather(c, err) < 0)
		return -1;
	/* What comes in their place is reserved as they are booked. */
	if (c->payer.ledger != NULL && c->landed > 0)
		return 0;
	if (progress(c, err) < 0)
		return -1;
	hand_over(c);
	return 0;
}

size_t ai_client_landed(const struct ai_client *c)
{
	return c->landed;
}

void ai_client_free(struct ai_client *c)
{
	struct ai_exchange *x;

	if (c == NULL)
		return;
	ai_client_stop(c, true);
	ai_hits_book(c);
	while ((x = c->under_way) != NULL) {
		c->under_way = x->next;
		exchange_free(x);
	}
	while ((x = c->spare) != NULL) {
		c->spare = x->next;
		exchange_free(x);
	}
	ai_place_free(c);
	ai_http_free(c->http);
	ai_tape_release(&c->tape);
	ai_resume_release(&c->resume, &c->payer);
	ai_payer_release(&c->payer);
	free(c);
}

/* ---- requests ----------------------------------------------------------------- */

static int put_chat(struct ai_exchange *x, const struct ai_chat_request *q,
		    struct ai_err *err)
{
	const struct ai_endpoint *e = x->e;

	ai_buf_clear(&x->body);
	if (ai_wire_check(e->wire, e->provider, q, err) < 0 ||
	    e->wire->put_chat(q, &x->body, err) < 0)
		return -1;
	return ai_buf_check(&x->body, "the request", err);
}

/* Asks for as long an answer as the budget allows. */
static int shorten(struct ai_client *c, struct ai_exchange *x,
		   struct ai_chat_request *q, struct ai_err *err)
{
	const struct ai_endpoint *e = x->e;
	struct ai_ask ask;

	if (!q->may_shorten)
		return 0;
	if (ai_tariff_ask(&e->tariff, x->body.len, q->max_tokens, q->media,
			  &ask, err) < 0 ||
	    ai_payer_shorten(&c->payer, &e->tariff, &ask, err) < 0)
		return -1;
	if (q->max_nano > 0 && ai_tariff_booked(&e->tariff))
		ai_tariff_shorten(&e->tariff, &ask, q->max_nano);
	if (ask.output == q->max_tokens)
		return 0;
	q->max_tokens = ask.output;
	return put_chat(x, q, err);
}

/* Where it goes, whose it is, and what is asked: all that an answer depends
 * on, so that what is kept of one is never given to another. */
static void find_key(struct ai_exchange *x)
{
	const struct ai_labels *l = &x->e->tariff.labels;
	const struct ai_span parts[] = {
		{ x->url.p, x->url.len }, ai_span_of(l->tenant),
		ai_span_of(l->user), { x->body.p, x->body.len },
	};

	ai_cache_key(parts, sizeof parts / sizeof *parts,
		     x->cache_key);
}

/* 1: there is an answer, and it has been taken; 0: there is none. */
static int look_up(struct ai_client *c, struct ai_exchange *x,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AI_CACHE_VALUE);
	int rc = ai_payer_open(&c->payer, err);

	if (rc == 0)
		rc = ai_cache_get(c->payer.ledger, x->cache_key, &b, err);
	if (rc > 0 && ai_chat_answer_take((struct ai_span){ b.p, b.len },
					  x->chat, err) < 0)
		rc = -1;
	ai_buf_release(&b);
	if (rc > 0) {
		x->pay.meter = NULL;
		chat_usage(x);
		ai_hits_count(x);
	}
	return rc;
}

/* What an earlier run of the batch has, needs no cache. */
static int try_resume(struct ai_exchange *x, const struct ai_chat_begin *b,
		      struct ai_err *err)
{
	int rc = ai_resume_find(x, b, err);

	if (rc <= 0)
		return rc;
	chat_usage(x);
	x->stage = EXCHANGE_OVER;
	x->rc = 0;
	return 1;
}

static int try_cache(struct ai_client *c, struct ai_exchange *x,
		     enum ai_cache_use use, struct ai_err *err)
{
	int found = 0;

	if (use == AI_CACHE_OFF)
		return 0;
	find_key(x);
	if (use != AI_CACHE_WRITE)
		found = look_up(c, x, err);
	if (found < 0)
		return -1;
	if (found > 0) {
		x->stage = EXCHANGE_OVER;
		x->rc = 0;
		x->call->cached = true;
		x->call->created_s = time(NULL);
		return ai_resume_keep_cached(x, err);
	}
	if (use == AI_CACHE_ONLY)
		return ai_err_set(err, AI_E_UNAVAILABLE, "no answer to this is "
				  "kept, and --cache only asks nobody");
	x->keep = use == AI_CACHE_ON || use == AI_CACHE_WRITE;
	return 0;
}

/* A kept answer comes in one piece, to who wants pieces. */
static int tell_kept(struct ai_exchange *x, struct ai_err *err)
{
	if (x->stage != EXCHANGE_OVER || x->delta == NULL ||
	    x->chat->text.len == 0)
		return 0;
	return x->delta(x->arg, (struct ai_span){ x->chat->text.p,
						  x->chat->text.len }, err);
}

int ai_client_begin(struct ai_client *c, const struct ai_chat_begin *b,
		    struct ai_err *err)
{
	struct ai_exchange *x = ai_exchange_new(c, b->endpoint, err);
	struct ai_chat_request q = *b->request;
	int found = -1;

	if (x == NULL)
		return -1;
	x->chat = b->answer;
	x->most = q.max_nano;
	x->delta = b->delta;
	q.stream = b->delta != NULL && x->e->wire->framing != AI_FRAMING_NONE;
	x->take = take_chat;
	ai_wire_put_path(&x->url, q.stream && x->e->wire->stream_path != NULL
			 ? x->e->wire->stream_path : x->e->wire->path,
			 q.model);
	ai_buf_str(&x->url, x->e->query);
	ai_exchange_report(x, b->call, b->done, b->arg);
	/* Before a budget, which may change between two runs, has changed what
	 * is asked. */
	if (put_chat(x, &q, err) == 0)
		found = try_resume(x, b, err);
	if (found == 0 && ai_tape_name(&c->tape, x, b->ordinal, err) < 0)
		found = -1;
	if (found == 0 && b->only_kept) {
		ai_exchange_put_back(c, x);
		return 1;
	}
	if (found == 0 && (shorten(c, x, &q, err) < 0 ||
	    ai_exchange_prepare(x, q.max_tokens == AI_CHAT_UNSET
				? 0 : q.max_tokens, q.media, err) < 0 ||
	    try_cache(c, x, b->cache, err) < 0))
		found = -1;
	if (found < 0 || tell_kept(x, err) < 0) {
		b->call->failure = ai_failure_of(err->code);
		ai_exchange_put_back(c, x);
		return -1;
	}
	x->streams = q.stream;
	ai_exchange_enqueue(c, x);
	return 0;
}
