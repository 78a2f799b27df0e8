/* failure.c: what it means when a provider does not answer as it should. */
#include "model/exchange.h"

#include "net/retry.h"

#include <stdio.h>
#include <string.h>

#define QUOTED_MAX 80 /* bytes of an answer that a message quotes */

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

/* Whether the answer that came is worth another try. */
static bool again(const struct ai_http_answer *a, long status,
		  const struct ai_wire_error *why)
{
	if (is_no_credit(why))
		return false;
	return a->should_retry >= 0 ? a->should_retry == 1
				    : ai_retry_status(status);
}

int ai_failure_event(struct ai_exchange *x, struct ai_wire_error *why,
		     struct ai_err *err)
{
	long status = why->status != 0 ? why->status : 502;

	x->call->status = status;
	snprintf(x->call->param, sizeof x->call->param, "%s", why->param);
	x->more = again(&x->answer, status, why);
	return refuse(x->e, status, why, x->answer.retry_after_s, err);
}

int ai_failure_take(struct ai_exchange *x, struct ai_err *err)
{
	const struct ai_http_answer *a = &x->answer;
	struct ai_wire_error why = { 0 };
	const struct ai_wire *wire = x->e->wire;
	bool said = wire->get_error(ai_buf_cstr(&a->body), a->body.len, &why);

	if (wire->name_error != NULL && a->error_type[0] != '\0')
		wire->name_error(ai_span_of(a->error_type), &why);

	if (a->status >= 200 && a->status <= 299) {
		if (!said)
			return 0;
		/* An error that calls itself a success, as gateways send it
		 * when the model behind them fails. */
		x->call->status = why.status != 0 ? why.status : 502;
	}
	snprintf(x->call->param, sizeof x->call->param, "%s", why.param);
	if (why.message[0] == '\0')
		quote(x, why.message);
	x->more = again(a, x->call->status, &why);
	return refuse(x->e, x->call->status, &why, a->retry_after_s, err);
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
