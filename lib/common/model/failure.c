/* failure.c: what it means when a provider does not answer as it should. */
#include "model/exchange.h"

#include "net/retry.h"

#include <stdio.h>
#include <string.h>

#define QUOTED_MAX 80 /* bytes of an answer that a message quotes */

/* ---- what is said ------------------------------------------------------- */

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

/* An attempt that was answered by an error. */
static int refuse(struct ai_exchange *x, long status,
		  struct ai_wire_error *why, struct ai_err *err)
{
	struct ai_http_answer *a = &x->answer;
	const struct ai_endpoint *e = x->e;
	struct ai_failure f;

	/* Some say in the body how long to wait (Gemini); what a header says
	 * goes before it. */
	if (a->retry_after_s < 0 && why->retry_after_s > 0)
		a->retry_after_s = why->retry_after_s;
	ai_failure_classify(status, why, &f);
	x->call->status = status;
	x->call->failure = f.kind;
	snprintf(x->call->param, sizeof x->call->param, "%s", why->param);
	x->more = !f.final && (a->should_retry >= 0 ? a->should_retry == 1
						    : ai_retry_status(status));
	hide_key(why->message, e->key);
	if (status >= 300 && status < 400)
		ai_err_set(err, AI_E_REJECTED,
			   "%s redirects (status %ld); redirects are not "
			   "followed: check the address", e->provider, status);
	else
		ai_err_set(err, f.code, "%s: status %ld%s%s", e->provider,
			   status, why->message[0] != '\0' ? ": " : "",
			   why->message);
	err->retry_after_s = a->retry_after_s;
	return -1;
}

/* How an answer begins, for a message: on one line, without the key. */
static void quote(const struct ai_exchange *x, char out[QUOTED_MAX])
{
	const struct ai_endpoint *e = x->e;
	const struct ai_buf *body = &x->answer.body;

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
int ai_failure_no_answer(const struct ai_exchange *x, struct ai_err *err)
{
	const char *type = x->answer.content_type;
	char begin[QUOTED_MAX], why[sizeof err->msg];

	if (err->code != AI_E_ANSWER)
		return -1;
	quote(x, begin);
	memcpy(why, err->msg, sizeof why);
	/* The address cannot hold a password: see ai_http_url(). */
	return ai_err_set(err, AI_E_ANSWER,
			  "the answer of %.200s cannot be used: %.110s (%s; "
			  "it begins '%s')", x->url.p, why, type[0] != '\0'
			  ? type : "no content type", begin);
}

/* Without a status of its own it is the gateway's. */
int ai_failure_event(struct ai_exchange *x, struct ai_wire_error *why,
		     struct ai_err *err)
{
	return refuse(x, why->status != 0 ? why->status : 502, why, err);
}

int ai_failure_take(struct ai_exchange *x, struct ai_err *err)
{
	const struct ai_http_answer *a = &x->answer;
	struct ai_wire_error why = { 0 };
	const struct ai_wire *wire = x->e->wire;
	bool said = wire->get_error(ai_buf_cstr(&a->body), a->body.len, &why);
	bool good = a->status >= 200 && a->status <= 299;

	if (wire->name_error != NULL && a->error_type[0] != '\0')
		wire->name_error(ai_span_of(a->error_type), &why);
	if (good && !said)
		return 0;
	if (why.message[0] == '\0')
		quote(x, why.message);
	/* An error that calls itself a success, as gateways send it when the
	 * model behind them fails. */
	return good ? ai_failure_event(x, &why, err)
		    : refuse(x, a->status, &why, err);
}

/* Somebody between us and the model says that its answer never came: time-outs
 * and bad gateways, Cloudflare's (52x) among them. */
static bool is_lost(long status)
{
	return status == 408 || status == 499 || status == 502 ||
		status == 504 || (status >= 520 && status <= 527) ||
		status == 598 || status == 599;
}

enum ai_end ai_failure_end(const struct ai_http_answer *a)
{
	if (a->status == 0 || (a->status >= 200 && a->status <= 299))
		return a->sent ? AI_END_LOST : AI_END_UNSENT;
	if (is_lost(a->status))
		return AI_END_LOST;
	if (a->status == 429)
		return AI_END_LIMITED;
	return a->status >= 500 ? AI_END_FAILED : AI_END_REFUSED;
}
