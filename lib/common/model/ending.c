/* ending.c: when a run is to end: at its deadline, or because of a signal. */
#include "model/exchange.h"

#include "base/clock.h"
#include "base/sig.h"

#include <math.h>

#define AT_ONCE 64 /* in one transaction */
#define EARLY_S 0.01 /* a transfer that is to end with the run ends so early */

/* ---- the deadline ---------------------------------------------------------------- */

static double end_s = HUGE_VAL; /* of the run */

void ai_client_run_begins(void)
{
	end_s = ai_client.deadline_s > 0
		? ai_clock_s() + ai_client.deadline_s : HUGE_VAL;
}

double ai_run_end(void)
{
	return end_s;
}

void ai_run_bound(struct ai_exchange *x)
{
	x->retry.deadline = fmin(x->retry.deadline, end_s);
}

bool ai_run_is_over(const char *before, struct ai_err *err)
{
	if (ai_clock_s() < end_s - EARLY_S)
		return false;
	ai_err_set(err, AI_E_TRY_LATER, "the run's %g s were over before %s: "
		   "--deadline allows more", ai_client.deadline_s, before);
	return true;
}

/* ---- signals --------------------------------------------------------------------- */

/* What is at the provider's is paid for: its answer may as well be waited
 * for, if there is time; and what has landed is to be booked. */
static bool goes_on(const struct ai_exchange *x, bool now)
{
	return x->stage == EXCHANGE_OVER || x->stage == EXCHANGE_SETTLE ||
		(x->stage == EXCHANGE_FLY && !now);
}

static void call_off(struct ai_client *c, struct ai_exchange *x)
{
	const char *by = ai_sig_name();
	bool sent = false;

	if (x->transfer != NULL)
		sent = ai_http_cancel(c->http, x->transfer);
	x->transfer = NULL;
	x->pay.payment = &x->payment;
	x->pay.tariff = &x->e->tariff;
	x->pay.what = sent ? AI_PAY_SETTLE : AI_PAY_VOID;
	x->pay.end = AI_END_LEFT;
	x->pay.attempt = x->call->attempts;
	x->pay.latency_s = x->pay.ttft_s = 0;
	x->pay.usage = (struct ai_value){ AI_NONE, { NULL, 0 } };
	x->pay.answer = (struct ai_span){ NULL, 0 };
	x->pay.retry_after_s = -1;
	x->pay.cost = 0;
	/* If an attempt has failed already, that is why. */
	if (sent || x->call->attempts == 0)
		ai_err_set(&x->err, AI_E_TRY_LATER, "%s came before %s",
			   by != NULL ? by : "the end of the program",
			   sent ? "the answer, which may be billed"
				: "this was sent");
	/* Which is no reason to ask another model. */
	x->call->failure = AI_CALL_OTHER;
	x->rc = -1;
	x->stage = EXCHANGE_OVER;
}

static void book(struct ai_client *c, struct ai_exchange *const *xs, size_t n)
{
	struct ai_pay *list[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		list[i] = &xs[i]->pay;
	if (n > 0)
		ai_payer_do(&c->payer, list, n);
	for (size_t i = 0; i < n; i++)
		xs[i]->call->cost += xs[i]->pay.cost;
}

void ai_client_stop(struct ai_client *c, bool now)
{
	struct ai_exchange *xs[AT_ONCE], *x;
	size_t n = 0;

	c->stopping = true;
	for (x = c->under_way; x != NULL; x = x->next) {
		if (goes_on(x, now))
			continue;
		call_off(c, x);
		if (x->payment.reserved)
			xs[n++] = x;
		if (n == AT_ONCE) {
			book(c, xs, n);
			n = 0;
		}
	}
	book(c, xs, n);
}
