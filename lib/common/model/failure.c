/* failure.c: what it means when a provider does not answer as it should. */
#include "model/exchange.h"

#include "net/retry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define KEY_REST_S 10.0 /* a key that is limited, if nobody says how long */
#define KEY_DENIED_S 300.0
#define QUOTED_MAX 80 /* bytes of an answer that a message quotes */

/* ---- what is said ------------------------------------------------------- */

/* Takes keys out of what a provider says about them. */
static void hide_keys(const struct ai_endpoint *e, char *msg)
{
	const char *secret;

	for (size_t i = 0; (secret = ai_endpoint_secret(e, i)) != NULL; i++)
		ai_key_hide(msg, secret);
}

static bool shows_key(const struct ai_endpoint *e, const struct ai_buf *b)
{
	const char *secret;
	size_t len;

	for (size_t i = 0; (secret = ai_endpoint_secret(e, i)) != NULL; i++)
		if (ai_key_in(b->p, b->len, secret, &len) != NULL)
			return true;
	return false;
}

void ai_failure_hide(struct ai_exchange *x)
{
	struct ai_http_answer *a = &x->answer;

	hide_keys(x->e, a->content_type);
	hide_keys(x->e, a->request_id);
	hide_keys(x->e, a->error_type);
}

/* For how long its key is of no use: one that is unknown or has no credit for
 * good, one that is limited as long as it is asked to wait.  403 may be said of
 * what was asked as well as of who asks; 407 is the proxy's. */
static double key_rests(const struct ai_failure *f, long status,
			double retry_after_s)
{
	if (f->kind == AI_CALL_KEY && status != 407)
		return status == 403 ? KEY_DENIED_S : HUGE_VAL;
	if (f->kind != AI_CALL_LIMITED)
		return -1;
	if (f->final || status == 402)
		return HUGE_VAL;
	return retry_after_s >= 0 ? retry_after_s : KEY_REST_S;
}

/* An attempt that was answered by an error; status 0: that calls itself a
 * success, as gateways send it when the model behind them fails. */
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
	ai_failure_classify(status != 0 ? status : 500, why, &f);
	status = status != 0 ? status : 502;
	x->call->status = status;
	x->call->failure = f.kind;
	x->aside_s = key_rests(&f, status, a->retry_after_s);
	snprintf(x->call->param, sizeof x->call->param, "%s", why->param);
	x->more = !f.final && (a->should_retry >= 0 ? a->should_retry == 1
						    : ai_retry_status(status));
	hide_keys(e, why->message);
	hide_keys(e, x->call->param);
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

	if (shows_key(e, body)) {
		snprintf(out, QUOTED_MAX, "(not shown: a key is in it)");
		return;
	}
	ai_wire_clean((struct ai_span){ ai_buf_cstr(body), body->len }, out,
		      QUOTED_MAX);
	hide_keys(e, out);
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

int ai_failure_event(struct ai_exchange *x, struct ai_wire_error *why,
		     struct ai_err *err)
{
	return refuse(x, why->status, why, err);
}

bool ai_failure_unlikely(const struct ai_exchange *x)
{
	const struct ai_http_answer *a = &x->answer;

	return a->status >= 200 && a->status <= 299 &&
		a->error_type[0] == '\0' && a->body.len > 0 &&
		memmem(a->body.p, a->body.len, "\"error\"", 7) == NULL;
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
