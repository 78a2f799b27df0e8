#include "model/client.h"

#include "net/http.h"
#include "net/retry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST_MAX ((size_t)64 << 20)
#define QUOTED_MAX 80 /* bytes of an answer that a message quotes */

struct ai_client_settings ai_client;

const struct ai_opt ai_client_options[] = {
	{ "base-url", 0, AI_OPT_TEXT, &ai_client.base_url, "URL",
	  "ask this OpenAI-compatible server", .key = "base_url",
	  .env = "AI_BASE_URL" },
	{ "connect-timeout", 0, AI_OPT_REAL, &ai_client.connect_s, "SECONDS",
	  "longest wait for a connection", .initial = "5", .min = 0.01,
	  .max = 3600, .key = "http.connect_timeout",
	  .env = "AI_CONNECT_TIMEOUT" },
	{ "timeout", 0, AI_OPT_REAL, &ai_client.timeout_s, "SECONDS",
	  "longest wait for an answer, retries included", .initial = "600",
	  .min = 0.01, .max = 86400, .key = "http.timeout",
	  .env = "AI_TIMEOUT" },
	{ "retries", 0, AI_OPT_INT, &ai_client.retries, "N",
	  "how often a failed request is tried again", .initial = "3",
	  .max = 100, .key = "http.retries", .env = "AI_RETRIES" },
	{ "insecure-http", 0, AI_OPT_FLAG, &ai_client.insecure_http, NULL,
	  "allow http:// to other machines", .key = "http.insecure" },
	{ 0 }
};

struct ai_client {
	struct ai_http *http; /* NULL until the first call */
	struct ai_http_answer answer;
	struct ai_buf body;
	struct ai_payer payer;
};

struct ai_client *ai_client_new(struct ai_err *err)
{
	struct ai_client *c = calloc(1, sizeof *c);

	if (c == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	ai_http_answer_init(&c->answer, AI_HTTP_BODY_MAX);
	ai_buf_init(&c->body, REQUEST_MAX);
	return c;
}

void ai_client_free(struct ai_client *c)
{
	if (c == NULL)
		return;
	ai_payer_release(&c->payer);
	ai_http_free(c->http);
	ai_http_answer_release(&c->answer);
	ai_buf_release(&c->body);
	free(c);
}

/* ---- what a status means ------------------------------------------------ */

/* Codes of errors that no waiting cures though their status says 429. */
static const char *const no_credit[] = {
	"insufficient_quota", "billing_hard_limit_reached",
	"enforced_spend_limit_reached",
};

static bool is_no_credit(const struct ai_wire_error *why)
{
	for (size_t i = 0; i < sizeof no_credit / sizeof *no_credit; i++)
		if (strcmp(why->code, no_credit[i]) == 0)
			return true;
	return false;
}

static enum ai_code code_of(long status, const struct ai_wire_error *why)
{
	if (is_no_credit(why))
		return AI_E_NOT_ALLOWED;
	switch (status) {
	case 401:
	case 402:
	case 403:
	case 407:
		return AI_E_NOT_ALLOWED;
	case 429:
		return AI_E_TRY_LATER;
	case 408:
	case 409:
	case 425:
		return AI_E_UNAVAILABLE;
	default:
		return status >= 500 ? AI_E_UNAVAILABLE :
		       status >= 300 ? AI_E_REJECTED : AI_E_ANSWER;
	}
}

/*
 * Takes the key out of what a provider says about it: each word that holds
 * the key, or begins like it and was masked with asterisks.
 */
static void hide_key(char *msg, const char *key)
{
	size_t n = key == NULL ? 0 : strlen(key), len;

	if (n == 0)
		return;
	for (char *p = msg; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (memmem(p, len, key, n) == NULL &&
		    (memchr(p, '*', len) == NULL || n < 3 ||
		     memmem(p, len, key, 3) == NULL))
			continue;
		memset(p, '*', len < 3 ? len : 3);
		if (len > 3)
			memmove(p + 3, p + len, strlen(p + len) + 1);
		len = len < 3 ? len : 3;
	}
}

static int refuse(const struct ai_endpoint *e, long status,
		  struct ai_wire_error *why, double retry_after_s,
		  struct ai_err *err)
{
	hide_key(why->message, e->key);
	if (status >= 300 && status < 400)
		ai_err_set(err, AI_E_REJECTED,
			   "%s redirects (status %ld); redirects are not "
			   "followed: check the address", e->provider, status);
	else
		ai_err_set(err, code_of(status, why), "%s: status %ld%s%s",
			   e->provider, status,
			   why->message[0] != '\0' ? ": " : "", why->message);
	err->retry_after_s = retry_after_s;
	return -1;
}

/* How an answer begins, for a message: on one line, without the key. */
static void quote(const struct ai_client *c, const struct ai_endpoint *e,
		  char out[QUOTED_MAX])
{
	const struct ai_buf *body = &c->answer.body;

	if (e->key != NULL && body->len > 0 &&
	    memmem(body->p, body->len, e->key, strlen(e->key)) != NULL) {
		snprintf(out, QUOTED_MAX, "(not shown: the key is in it)");
		return;
	}
	ai_wire_clean((struct ai_span){ ai_buf_cstr(body), body->len }, out,
		      QUOTED_MAX);
	hide_key(out, e->key);
}

/*
 * An answer that came with a good status and is none of a model: more often
 * than not another machine sent it, such as a proxy or the log-in page of a
 * network, so the message says from where it came and what it looks like.
 */
static int not_an_answer(const struct ai_client *c,
			 const struct ai_endpoint *e, const char *path,
			 struct ai_err *err)
{
	const char *type = c->answer.content_type;
	char begin[QUOTED_MAX], why[sizeof err->msg];

	if (err->code != AI_E_ANSWER)
		return -1;
	quote(c, e, begin);
	memcpy(why, err->msg, sizeof why);
	/* The address cannot hold a password: see ai_http_url(). */
	return ai_err_set(err, AI_E_ANSWER,
			  "%.120s%s sent %s: %.110s; it begins '%s'", e->base,
			  path, type[0] != '\0' ? type : "no content type",
			  why, begin);
}

/* ---- one attempt, and all of them --------------------------------------- */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Whether the answer that came is worth another try. */
static bool again(const struct ai_http_answer *a, long status,
		  const struct ai_wire_error *why)
{
	if (is_no_credit(why))
		return false;
	return a->should_retry >= 0 ? a->should_retry == 1
				    : ai_retry_status(status);
}

/* *more: whether the failure is worth another try. */
static int attempt(struct ai_client *c, const struct ai_endpoint *e,
		   const struct ai_http_request *q, struct ai_call *call,
		   bool *more, struct ai_err *err)
{
	struct ai_http_answer *a = &c->answer;
	struct ai_wire_error why = { 0 };
	double begin = now_s();
	bool said;
	int rc;

	call->attempts++;
	rc = ai_http_send(c->http, q, a, err);
	call->latency_s = now_s() - begin;
	call->status = a->status;
	*more = a->again;
	snprintf(call->request_id, sizeof call->request_id, "%s",
		 a->request_id);
	if (rc < 0)
		return -1;
	said = e->wire->get_error(ai_buf_cstr(&a->body), a->body.len, &why);
	if (a->status >= 200 && a->status <= 299) {
		if (!said)
			return 0;
		/* An error that calls itself a success, as gateways send it
		 * when the model behind them fails. */
		call->status = why.status != 0 ? why.status : 502;
	}
	snprintf(call->param, sizeof call->param, "%s", why.param);
	if (why.message[0] == '\0')
		quote(c, e, why.message);
	*more = again(a, call->status, &why);
	return refuse(e, call->status, &why, a->retry_after_s, err);
}

/* Somebody between us and the model says that its answer never came: time-outs
 * and bad gateways, Cloudflare's (52x) among them. */
static bool is_lost(long status)
{
	return status == 408 || status == 499 || status == 502 ||
		status == 504 || (status >= 520 && status <= 527) ||
		status == 598 || status == 599;
}

/* How an attempt ended, for the ledger. */
static enum ai_end end_of(const struct ai_http_answer *a, int rc)
{
	if (rc == 0)
		return AI_END_ANSWERED;
	if (a->status == 0 || (a->status >= 200 && a->status <= 299))
		return a->sent ? AI_END_LOST : AI_END_UNSENT;
	if (is_lost(a->status))
		return AI_END_LOST;
	return a->status >= 500 ? AI_END_FAILED : AI_END_REFUSED;
}

/* Books the attempt; the ledger's own error wins over success, not over the
 * attempt's. */
static int settle(struct ai_client *c, const struct ai_endpoint *e, int rc,
		  struct ai_call *call, struct ai_err *err)
{
	struct ai_value body, usage = { AI_NONE, { NULL, 0 } };
	struct ai_err why;
	int64_t cost = 0;
	int booked;

	if (rc == 0 && ai_json_check(ai_buf_cstr(&c->answer.body),
				     c->answer.body.len, &body, NULL) == 0)
		usage = ai_json_get(body, "usage");
	booked = ai_payer_settle(&c->payer, &e->tariff, end_of(&c->answer, rc),
				 usage, c->answer.retry_after_s, &cost, &why);
	call->cost += cost;
	if (booked < 0 && rc == 0)
		*err = why;
	return booked < 0 ? -1 : rc;
}

/* Writes the request, with as long an answer as its budget allows. */
static int put_chat(struct ai_client *c, const struct ai_endpoint *e,
		    struct ai_chat_request *q, struct ai_err *err)
{
	struct ai_ask ask;

	if (ai_wire_check(e->wire, e->provider, q, err) < 0 ||
	    e->wire->put_chat(q, &c->body, err) < 0)
		return -1;
	if (!q->may_shorten || c->body.bad != AI_E_NONE)
		return 0;
	if (ai_tariff_ask(&e->tariff, c->body.len, q->max_tokens, q->media,
			  &ask, err) < 0 ||
	    ai_payer_shorten(&c->payer, &e->tariff, &ask, err) < 0)
		return -1;
	if (ask.output == q->max_tokens)
		return 0;
	q->max_tokens = ask.output;
	ai_buf_clear(&c->body);
	return e->wire->put_chat(q, &c->body, err);
}

/* The header with the key, by how the wire wants it. */
static int put_auth(const struct ai_endpoint *e, char *out, size_t size,
		    struct ai_err *err)
{
	static const char *const names[] = {
		[AI_AUTH_BEARER] = "Authorization: Bearer ",
		[AI_AUTH_X_API_KEY] = "x-api-key: ",
		[AI_AUTH_API_KEY] = "api-key: ",
		[AI_AUTH_GOOGLE] = "x-goog-api-key: ",
		[AI_AUTH_AWS] = "Authorization: Bearer ",
	};
	int n = snprintf(out, size, "%s%s", names[e->wire->auth], e->key);

	return (size_t)n < size ? 0 :
		ai_err_set(err, AI_E_NOT_ALLOWED, "the key is too long");
}

static int post(struct ai_client *c, const struct ai_endpoint *e,
		const char *path, int64_t max_output, struct ai_media media,
		struct ai_call *call, struct ai_err *err)
{
	struct ai_ask ask;
	char url[4096 + 64], auth[4096];
	const char *headers[] = { "Content-Type: application/json",
				  "Accept: application/json", auth, NULL };
	struct ai_http_request q = {
		.method = "POST", .url = url, .headers = headers,
		.body = c->body.p, .n = c->body.len,
		.connect_s = ai_client.connect_s,
	};
	struct ai_retry r;
	bool more;
	int rc;

	memset(call, 0, sizeof *call);
	call->max_tokens = max_output;
	if (ai_buf_check(&c->body, "the request", err) < 0 ||
	    ai_tariff_ask(&e->tariff, c->body.len, max_output, media, &ask,
			  err) < 0)
		return -1;
	if (c->http == NULL && (c->http = ai_http_new(err)) == NULL)
		return -1;
	snprintf(url, sizeof url, "%s%s", e->base, path);
	if (e->key == NULL)
		headers[2] = NULL;
	else if (put_auth(e, auth, sizeof auth, err) < 0)
		return -1;
	ai_retry_init(&r, (int)ai_client.retries, ai_client.timeout_s, NULL);
	do {
		if (ai_payer_reserve(&c->payer, &e->tariff, &ask,
				     ai_retry_left(&r), err) < 0)
			return -1;
		/* 0 would mean the default. */
		q.timeout_s = fmax(ai_retry_left(&r), 0.001);
		rc = settle(c, e, attempt(c, e, &q, call, &more, err), call,
			    err);
	} while (rc < 0 && more &&
		 ai_retry_wait(&r, c->answer.retry_after_s));
	return rc;
}

/* What the answer's usage comes to, for people. */
static void tell_usage(const struct ai_endpoint *e, struct ai_chat_answer *a)
{
	struct ai_value v;
	struct ai_meter m;

	if (ai_json_check(ai_buf_cstr(&a->bill), a->bill.len, &v, NULL) == 0 &&
	    ai_meter_read(e->tariff.shape, v, &m, NULL) == 0)
		a->usage = ai_usage_of(&m);
}

int ai_client_chat(struct ai_client *c, const struct ai_endpoint *e,
		   const struct ai_chat_request *q, struct ai_chat_answer *a,
		   struct ai_call *call, struct ai_err *err)
{
	struct ai_chat_request mine = *q;
	struct ai_buf path = AI_BUF_INIT(2048);
	int rc;

	ai_buf_clear(&c->body);
	e->wire->put_path(q, &path);
	rc = ai_buf_check(&path, "the address", err);
	if (rc == 0)
		rc = put_chat(c, e, &mine, err);
	if (rc == 0)
		rc = post(c, e, path.p, mine.max_tokens == AI_CHAT_UNSET
			  ? 0 : mine.max_tokens, mine.media, call, err);
	if (rc == 0 && e->wire->get_chat(ai_buf_cstr(&c->answer.body),
					 c->answer.body.len, a, err) < 0)
		rc = not_an_answer(c, e, path.p, err);
	if (rc == 0)
		tell_usage(e, a);
	ai_buf_release(&path);
	return rc;
}

int ai_client_embed(struct ai_client *c, const struct ai_endpoint *e,
		    const struct ai_embed_request *q,
		    struct ai_embed_answer *a, struct ai_call *call,
		    struct ai_err *err)
{
	static const struct ai_media none;

	*a = (struct ai_embed_answer){ NULL, 0, 0, -1 };
	ai_buf_clear(&c->body);
	e->wire->put_embed(q, &c->body);
	if (post(c, e, e->wire->embed_path, 0, none, call, err) < 0)
		return -1;
	if (e->wire->get_embed(ai_buf_cstr(&c->answer.body),
			       c->answer.body.len, q, a, err) < 0)
		return not_an_answer(c, e, e->wire->embed_path, err);
	return 0;
}
