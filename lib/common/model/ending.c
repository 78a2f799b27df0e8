/* ending.c: calls that are called off, because the program is to end. */
#include "model/exchange.h"

#include "base/sig.h"

#define AT_ONCE 64 /* in one transaction */

/* What is at the provider's is paid for: its answer may as well be waited
 * for, if there is time. */
static bool goes_on(const struct ai_exchange *x, bool now)
{
	return x->stage == EXCHANGE_OVER ||
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
	x->pay.end = AI_END_LOST;
	x->pay.usage = (struct ai_value){ AI_NONE, { NULL, 0 } };
	x->pay.retry_after_s = -1;
	x->pay.cost = 0;
	/* If an attempt has failed already, that is why. */
	if (sent || x->call->attempts == 0)
		ai_err_set(&x->err, AI_E_TRY_LATER, "%s came before %s",
			   by != NULL ? by : "the end of the program",
			   sent ? "the answer, which may be billed"
				: "this was sent");
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
