#include "model/paid.h"

#include "base/clock.h"
#include "crypt/hash.h"
#include "model/catalog.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ai_paid_settings ai_paid = { .max_wait_s = -1 };

const struct ai_opt ai_paid_options[] = {
	{ "ledger", 0, AI_OPT_FILE, &ai_paid.ledger, "FILE",
	  "book what it costs here; none: nowhere", .key = "ledger",
	  .env = "AI_LEDGER" },
	{ "price", 0, AI_OPT_TEXT, &ai_paid.price, "IN,OUT[,CACHED]",
	  "dollars a million tokens, or free", .key = "price",
	  .env = "AI_PRICE" },
	{ "tenant", 0, AI_OPT_TEXT, &ai_paid.tenant, "NAME",
	  "book it under this tenant", .env = "AI_TENANT" },
	{ "user", 0, AI_OPT_TEXT, &ai_paid.user, "NAME",
	  "book it under this user", .env = "AI_USER" },
	{ "project", 0, AI_OPT_TEXT, &ai_paid.project, "NAME",
	  "book it under this project", .env = "AI_PROJECT" },
	{ "experiment", 0, AI_OPT_TEXT, &ai_paid.experiment, "NAME",
	  "book it under this experiment", .env = "AI_EXPERIMENT" },
	{ "run", 0, AI_OPT_TEXT, &ai_paid.run, "NAME",
	  "book it under this run", .env = "AI_RUN" },
	{ 0 }
};

const struct ai_opt ai_paid_option_wait[] = {
	{ "max-wait", 0, AI_OPT_REAL, &ai_paid.max_wait_s, "SECONDS",
	  "longest wait for a rate limit", .max = 86400, .key = "max_wait",
	  .env = "AI_MAX_WAIT" },
	{ 0 }
};

bool ai_paid_has_ledger(void)
{
	return ai_paid.ledger == NULL || strcmp(ai_paid.ledger, "none") != 0;
}

const char *ai_paid_warning(void)
{
	return ai_paid_has_ledger() ? NULL : "no ledger: nothing is booked, "
					     "and no budget is checked";
}

const struct ai_opt ai_paid_option_media[] = {
	{ "media-tokens", 0, AI_OPT_INT, &ai_paid.media_tokens, "N",
	  "most tokens that a picture or sound makes", .min = 1, .max = 1e7,
	  .key = "media_tokens" },
	{ 0 }
};

/* ---- tariffs ------------------------------------------------------------------ */

static int copy_label(char *to, size_t size, const char *from,
		      const char *option, struct ai_err *err)
{
	if (from == NULL)
		return 0;
	if (strlen(from) >= size || from[strcspn(from, "\n\t")] != '\0')
		return ai_err_set(err, AI_E_USAGE, "--%s: at most %zu bytes, "
				  "on one line", option, size - 1);
	snprintf(to, size, "%s", from);
	return 0;
}

static int take_labels(struct ai_labels *l, struct ai_err *err)
{
	const struct ai_paid_settings *s = &ai_paid;

	if (copy_label(l->tenant, sizeof l->tenant, s->tenant, "tenant",
		       err) < 0 ||
	    copy_label(l->user, sizeof l->user, s->user, "user", err) < 0 ||
	    copy_label(l->project, sizeof l->project, s->project, "project",
		       err) < 0 ||
	    copy_label(l->experiment, sizeof l->experiment, s->experiment,
		       "experiment", err) < 0 ||
	    copy_label(l->run, sizeof l->run, s->run, "run", err) < 0)
		return -1;
	snprintf(l->tool, sizeof l->tool, "%s", program_invocation_short_name);
	return 0;
}

/* What it costs is said; what it is called is still the catalog's, so that a
 * budget of the model holds however it is written, and whoever prices it. */
static int take_typed_price(struct ai_tariff *t, const char *typed,
			    struct ai_err *err)
{
	const struct ai_catalog *catalog;
	struct ai_model m;

	if (ai_price_parse(ai_span_of(ai_paid.price), &t->price, err) < 0)
		return -1;
	if (t->price.kind == AI_PRICE_FREE)
		return 0;
	if (ai_catalog_shared(&catalog, err) < 0)
		return -1;
	if (ai_catalog_find(catalog, ai_span_of(typed), NULL, &m, NULL) == 0)
		memcpy(t->labels.model, m.name, sizeof t->labels.model);
	return 0;
}

/* The price that the user gives, else that of the catalog. */
static int take_price(struct ai_tariff *t, const char *typed,
		      struct ai_err *err)
{
	const struct ai_catalog *catalog;
	struct ai_model m;
	int rc;

	if (ai_paid.price != NULL)
		return take_typed_price(t, typed, err);
	if ((ai_paid.date != NULL &&
	     ai_catalog_check_when(ai_paid.date, err) < 0) ||
	    ai_catalog_shared(&catalog, err) < 0)
		return -1;
	rc = ai_catalog_find(catalog, ai_span_of(typed), ai_paid.date, &m,
			     err);
	if (rc == 0 && m.price.kind == AI_PRICE_UNKNOWN)
		rc = ai_err_set(err, AI_E_CONFIG, "no price is known for the "
				"model '%.100s': give --price IN,OUT in "
				"dollars a million tokens, or --price free",
				typed);
	if (rc < 0)
		return -1;
	t->price = m.price;
	t->max_output = m.max_output;
	t->context = m.context;
	memcpy(t->encoding, m.encoding, sizeof t->encoding);
	snprintf(t->labels.model, sizeof t->labels.model, "%s", m.name);
	return 0;
}

void ai_key_label(const char *key, char label[40])
{
	char hash[AI_HASH_HEX];

	ai_hash_of(key, strlen(key), hash);
	snprintf(label, 40, "%s", hash);
}

int ai_tariff_init(struct ai_tariff *t, const char *typed, const char *provider,
		   const char *key, struct ai_err *err)
{
	memset(t, 0, sizeof *t);
	if (take_labels(&t->labels, err) < 0 ||
	    take_price(t, typed, err) < 0)
		return -1;
	t->shape = ai_shape_of_provider(ai_span_of(provider));
	if (t->labels.model[0] == '\0')
		snprintf(t->labels.model, sizeof t->labels.model, "%.127s",
			 typed);
	snprintf(t->labels.provider, sizeof t->labels.provider, "%.31s",
		 provider);
	if (key != NULL)
		ai_key_label(key, t->labels.key);
	else
		snprintf(t->labels.key, sizeof t->labels.key, "%.39s",
			 provider);
	return 0;
}

bool ai_tariff_booked(const struct ai_tariff *t)
{
	return t->price.kind != AI_PRICE_FREE && !t->played &&
		ai_paid_has_ledger();
}

int64_t ai_tariff_output(const struct ai_tariff *t, int64_t asked)
{
	int64_t n = asked > 0 ? asked : AI_OUTPUT_USUAL;

	return t->max_output > 0 && n > t->max_output ? t->max_output : n;
}

int ai_tariff_ask(const struct ai_tariff *t, size_t bytes, int64_t output,
		  struct ai_media media, struct ai_ask *ask,
		  struct ai_err *err)
{
	int64_t input = (int64_t)bytes + 64;

	if (media.n > 0 && ai_paid.media_tokens > 0)
		input += ai_paid.media_tokens * (int64_t)media.n;
	else if (media.n > 0 && t->context > 0)
		input = t->context;
	else if (media.n > 0 && ai_tariff_booked(t))
		return ai_err_set(err, AI_E_CONFIG, "how many tokens a picture "
				  "makes for '%.100s' is not known: give "
				  "--media-tokens, the most of one",
				  t->labels.model);
	*ask = (struct ai_ask){ .input = input, .output = output,
				.may = AI_MAY_IMAGE_OUT |
				(media.audio ? AI_MAY_AUDIO_IN : 0) |
				(media.n > 0 ? AI_MAY_IMAGE_IN : 0) };
	return 0;
}

/* Whether the request may cost no more than cap with so much output. */
static bool costs_at_most(const struct ai_tariff *t, struct ai_ask ask,
			  int64_t output, int64_t cap)
{
	int64_t worst;

	ask.output = output;
	return ai_bill_worst(&t->price, &ask, &worst, NULL) == 0 &&
	       worst <= cap;
}

void ai_tariff_shorten(const struct ai_tariff *t, struct ai_ask *ask,
		       int64_t cap)
{
	int64_t low = AI_OUTPUT_LEAST, high = ask->output, mid;

	if (costs_at_most(t, *ask, high, cap) ||
	    !costs_at_most(t, *ask, low, cap))
		return;
	while (low + 1 < high) {
		mid = low + (high - low) / 2;
		if (costs_at_most(t, *ask, mid, cap))
			low = mid;
		else
			high = mid;
	}
	ask->output = low;
}

/* ---- reserving ------------------------------------------------------------------ */

void ai_payer_release(struct ai_payer *p)
{
	ai_ledger_close(p->ledger);
	memset(p, 0, sizeof *p);
}

void ai_paid_show_left(int64_t ms, char out[40])
{
	struct timespec now;
	int64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = ms / 1000 - now.tv_sec;
	if (s >= 172800)
		snprintf(out, 40, "%lld days", (long long)(s / 86400));
	else if (s >= 7200)
		snprintf(out, 40, "%lld hours", (long long)(s / 3600));
	else
		snprintf(out, 40, "%lld minutes", (long long)(s / 60 + 1));
}

static int over_budget(const struct ai_reserved *r, int64_t worst,
		       struct ai_err *err)
{
	char cap[AI_MONEY_TEXT], cost[AI_MONEY_TEXT], spent[AI_MONEY_TEXT],
		held[AI_MONEY_TEXT], missing[AI_MONEY_TEXT], left[40] = "";
	bool all = strcmp(r->scope, "all") == 0;

	__int128 lacks = (__int128)r->posted + r->pending + worst - r->cap;

	ai_money_show(r->cap, cap);
	ai_money_show(worst, cost);
	ai_money_show(r->posted, spent);
	ai_money_show(r->pending, held);
	ai_money_show(lacks < INT64_MAX ? (int64_t)lacks : INT64_MAX, missing);
	if (strcmp(r->period, "request") == 0)
		return ai_err_set(err, AI_E_BUDGET, "it may cost %s; the "
				  "budget of a request%s%s%s%s is %s: a "
				  "smaller --max-tokens may do, or 'ai-cost "
				  "budget set'", cost, all ? "" : " of ",
				  all ? "" : r->scope, all ? "" : " ",
				  all ? "" : r->name, cap);
	if (r->resets_ms != INT64_MAX)
		ai_paid_show_left(r->resets_ms, left);
	ai_err_set(err, AI_E_BUDGET, "it may cost %s; of the %s budget%s%s%s%s "
		   "of %s, %s are spent and %s held by calls under way, so "
		   "that %s are missing%s%s",
		   cost, r->period, all ? "" : " of ", all ? "" : r->scope,
		   all ? "" : " ", all ? "" : r->name, cap, spent, held,
		   missing, left[0] != '\0' ? "; it begins anew in " : "", left);
	if (r->resets_ms != INT64_MAX) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		err->retry_after_s = (double)(r->resets_ms / 1000 - now.tv_sec);
	}
	return -1;
}

static int refuse(const struct ai_reserved *r, const struct ai_tariff *t,
		  int64_t worst, struct ai_err *err)
{
	double wait_s = (double)r->wait_ms / 1000;

	if (r->verdict == AI_OVER_BUDGET)
		return over_budget(r, worst, err);
	if (r->verdict == AI_BREAKER_OPEN)
		ai_err_set(err, AI_E_UNAVAILABLE, "%s failed again and again; "
			   "it is tried again in %.0f s", t->labels.model,
			   ceil(wait_s));
	else
		ai_err_set(err, AI_E_TRY_LATER, "the limit of %s has a place "
			   "in %.1f s; --max-wait allows to wait that long",
			   t->labels.model, wait_s);
	err->retry_after_s = wait_s;
	return -1;
}

int ai_payer_open(struct ai_payer *p, struct ai_err *err)
{
	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_CONFIG, "--ledger none: answers "
				  "are kept in the ledger");
	return p->ledger != NULL ? 0 :
		ai_ledger_open(&p->ledger, ai_paid.ledger, err);
}

int ai_payer_shorten(struct ai_payer *p, const struct ai_tariff *t,
		     struct ai_ask *ask, struct ai_err *err)
{
	struct ai_room room;

	if (!ai_tariff_booked(t))
		return 0;
	if (ai_payer_open(p, err) < 0 ||
	    ai_ledger_room(p->ledger, &t->labels, &room, err) < 0)
		return -1;
	ai_tariff_shorten(t, ask, room.request);
	return 0;
}

/* Half of the second that limits leave for delays (store/ledger-rate.c) may
 * pass before a request is sent. */
#define LATE_NS 500000000

/* Until when it may wait; who has lost a place has waited already. */
static int64_t wait_until(const struct ai_pay *pay, int64_t now)
{
	double wait_s = ai_paid.max_wait_s;

	if (pay->payment->lost)
		return pay->payment->until_ms;
	if (wait_s < 0 || wait_s > pay->left_s)
		wait_s = pay->left_s;
	return now + (int64_t)(wait_s * 1000);
}

static int over_most(int64_t worst, int64_t most, struct ai_err *err)
{
	char cost[AI_MONEY_TEXT], left[AI_MONEY_TEXT];

	ai_money_show(worst, cost);
	ai_money_show(most, left);
	return ai_err_set(err, AI_E_BUDGET, "it may cost %s, and %s are left "
			  "to be spent: a smaller --max-tokens may do", cost,
			  left);
}

static int reserve(struct ai_pay *pay, struct ai_ledger_op *op)
{
	struct ai_reserve *r = &op->in.reserve;
	struct ai_payment *p = pay->payment;
	int64_t now = ai_boot_ns() / 1000000, until = wait_until(pay, now);

	*p = (struct ai_payment){ .until_ms = until };
	if (!ai_tariff_booked(pay->tariff))
		return 0;
	if (ai_bill_worst(&pay->tariff->price, &pay->ask, &p->worst,
			  &pay->err) < 0)
		return -1;
	if (pay->most > 0 && p->worst > pay->most)
		return over_most(p->worst, pay->most, &pay->err);
	ai_ledger_id(p->id);
	op->what = AI_LEDGER_RESERVE;
	*r = (struct ai_reserve){
		.worst = p->worst, .tokens = pay->ask.input + pay->ask.output,
		.max_wait_ms = until > now ? until - now : 0,
		.left_ms = (int64_t)(fmax(pay->left_s, 0.001) * 1000),
		.labels = pay->tariff->labels, .at_once = true,
	};
	if (pay->key != NULL)
		snprintf(r->labels.key, sizeof r->labels.key, "%s", pay->key);
	memcpy(r->id, p->id, sizeof r->id);
	return 1;
}

bool ai_payment_is_late(const struct ai_payment *p)
{
	return p->reserved && p->limited &&
		ai_boot_ns() > p->start_ns + LATE_NS;
}

/* What is missing, if it would be there when no call were under way. */
static int64_t held(const struct ai_reserved *out, int64_t worst)
{
	if (out->verdict != AI_OVER_BUDGET || out->pending == 0 ||
	    (__int128)out->posted + worst > out->cap)
		return 0;
	return out->posted + worst - out->cap + out->pending;
}

static void reserved(struct ai_pay *pay, const struct ai_reserved *out)
{
	if (out->verdict != AI_GRANTED && out->verdict != AI_AGAIN) {
		/* Limits and breakers are a key's, budgets may be. */
		pay->of_key = out->verdict != AI_OVER_BUDGET ||
			strcmp(out->scope, "key") == 0;
		pay->held = held(out, pay->payment->worst);
		pay->rc = refuse(out, pay->tariff, pay->payment->worst,
				 &pay->err);
		return;
	}
	pay->payment->reserved = true;
	pay->payment->limited = out->limited && !out->probe;
	pay->payment->sent = out->sent;
	pay->payment->start_ns = out->start_ns;
}

/* ---- settling -------------------------------------------------------------------- */

/* Short enough for a row: as it is, or else the counts that were read. */
static void keep_usage(struct ai_value usage, const struct ai_meter *m,
		       struct ai_post *post)
{
	struct ai_buf b = AI_BUF_INIT(sizeof post->usage - 1);

	if (usage.s.n < sizeof post->usage) {
		memcpy(post->usage, usage.s.p, usage.s.n);
		post->usage[usage.s.n] = '\0';
		return;
	}
	if (m != NULL) {
		ai_put_open(&b, '{');
		for (int u = 0; u < AI_UNITS; u++) {
			if (m->n[u] == 0)
				continue;
			ai_put_key(&b, ai_unit_name(u));
			ai_put_i64(&b, m->n[u]);
		}
		ai_put_close(&b, '}');
	}
	snprintf(post->usage, sizeof post->usage, "%s", ai_buf_cstr(&b));
	ai_buf_release(&b);
}

static void lose(const struct ai_payment *p, struct ai_post *post)
{
	post->how = AI_BOOK_WORST;
	post->amount = p->worst;
}

static void count_tokens(const struct ai_meter *m, struct ai_facts *f)
{
	int u;

	for (u = 0; u < AI_UNITS_IN; u++)
		f->input += m->n[u];
	for (; u < AI_UNITS_TOKENS; u++)
		f->output += m->n[u];
	f->cached = m->n[AI_UNIT_CACHED] + m->n[AI_UNIT_AUDIO_CACHED];
	f->written = m->n[AI_UNIT_WRITE_5M] + m->n[AI_UNIT_WRITE_1H];
	f->reasoning = m->n[AI_UNIT_REASONING];
}

/* What was answered costs what the provider counted; what it counted and
 * nobody can read, or no bill can be, costs the worst until somebody knows
 * better. */
static void book_answer(const struct ai_pay *pay, struct ai_post *post)
{
	const struct ai_tariff *t = pay->tariff;
	const struct ai_meter *m = pay->meter;
	struct ai_meter meter;

	if (m == NULL && pay->usage.kind == AI_OBJECT &&
	    ai_meter_read(t->shape, pay->usage, &meter, NULL) == 0)
		m = &meter;
	post->how = AI_BOOK_AMOUNT;
	if (m == NULL || ai_bill(&t->price, m, AI_TIER_STANDARD, &post->amount,
				 NULL) < 0 ||
	    post->amount > AI_LEDGER_AMOUNT_MAX)
		lose(pay->payment, post);
	if (pay->usage.kind != AI_NONE)
		keep_usage(pay->usage, m, post);
	if (m != NULL)
		count_tokens(m, &post->facts);
}

static int64_t microseconds(double s)
{
	return s > 0 ? (int64_t)(fmin(s, 1e6) * 1e6) + 1 : 0;
}

static void tell_facts(const struct ai_pay *pay, struct ai_facts *f)
{
	static const enum ai_ended ended[] = {
		[AI_END_UNSENT] = AI_ENDED_UNSENT,
		[AI_END_LOST] = AI_ENDED_LOST,
		[AI_END_LEFT] = AI_ENDED_LEFT,
		[AI_END_REFUSED] = AI_ENDED_REFUSED,
		[AI_END_LIMITED] = AI_ENDED_LIMITED,
		[AI_END_FAILED] = AI_ENDED_FAILED,
		[AI_END_ANSWERED] = AI_ENDED_ANSWERED,
	};

	f->ended = pay->unusable && pay->end == AI_END_ANSWERED
		? AI_ENDED_UNUSABLE : ended[pay->end];
	f->attempt = pay->attempt;
	f->time_us = microseconds(pay->latency_s);
	f->first_us = microseconds(pay->ttft_s);
}

/* What its end comes to; usage and outcome too. */
static void bill(const struct ai_pay *pay, struct ai_post *post)
{
	static const enum ai_outcome outcomes[] = {
		[AI_END_UNSENT] = AI_OUTCOME_FAILURE,
		[AI_END_LOST] = AI_OUTCOME_FAILURE,
		[AI_END_LEFT] = AI_OUTCOME_NONE,
		[AI_END_REFUSED] = AI_OUTCOME_ALIVE,
		[AI_END_LIMITED] = AI_OUTCOME_NONE,
		[AI_END_FAILED] = AI_OUTCOME_FAILURE,
		[AI_END_ANSWERED] = AI_OUTCOME_SUCCESS,
	};

	*post = (struct ai_post){ .outcome = outcomes[pay->end] };
	tell_facts(pay, &post->facts);
	if (pay->tariff->price.kind == AI_PRICE_FREE)
		return;
	if (pay->end == AI_END_ANSWERED)
		book_answer(pay, post);
	else if (pay->end == AI_END_LOST || pay->end == AI_END_LEFT)
		lose(pay->payment, post);
	else if (pay->end == AI_END_UNSENT)
		post->how = AI_BOOK_NONE;
}

int64_t ai_tariff_cost(const struct ai_tariff *t, const struct ai_meter *m)
{
	int64_t nano;

	return ai_bill(&t->price, m, AI_TIER_STANDARD, &nano, NULL) == 0 &&
		nano <= AI_LEDGER_AMOUNT_MAX ? nano : 0;
}

void ai_payer_hits(struct ai_payer *p, const struct ai_hit *hits, size_t n)
{
	struct ai_ledger_op *ops = calloc(n, sizeof *ops),
			    **list = calloc(n, sizeof *list);
	struct ai_err err;

	for (size_t i = 0; ops != NULL && list != NULL && i < n; i++) {
		ops[i].what = AI_LEDGER_HIT;
		ops[i].in.hit = &hits[i];
		list[i] = &ops[i];
	}
	if (ops != NULL && list != NULL && ai_payer_open(p, &err) == 0)
		ai_ledger_many(p->ledger, list, n, &err);
	free(ops);
	free(list);
}

int64_t ai_pay_cost(const struct ai_pay *pay)
{
	struct ai_post post;

	bill(pay, &post);
	return post.amount;
}

static int settle(struct ai_pay *pay, struct ai_ledger_op *op)
{
	struct ai_payment *p = pay->payment;
	struct ai_post *post = &op->in.post;

	bill(pay, post);
	pay->cost = post->amount;
	if (!p->reserved)
		return 0;
	p->reserved = false;
	memcpy(post->id, p->id, sizeof post->id);
	if (pay->retry_after_s > 0)
		post->hold_ms = (int64_t)(fmin(pay->retry_after_s, 3600) *
					  1000);
	op->what = AI_LEDGER_POST;
	return 1;
}

/* ---- steps ---------------------------------------------------------------------- */

/* One on its way: what the ledger does for it, and what its batch's journal
 * is told in the same transaction. */
struct doing {
	struct ai_pay *pay;
	struct ai_ledger_op op, line;
	struct ai_batch_step step;
	bool has_op, has_line;
};

/* 1: op is to be done; 0: there is nothing to do; -1: it fails. */
static int prepare(struct ai_pay *pay, struct ai_ledger_op *op)
{
	if (pay->what == AI_PAY_RESERVE)
		return reserve(pay, op);
	if (pay->what == AI_PAY_SETTLE)
		return settle(pay, op);
	if (!pay->payment->reserved ||
	    (pay->what == AI_PAY_SENT && pay->payment->sent))
		return 0;
	op->what = pay->what == AI_PAY_SENT ? AI_LEDGER_SENT : AI_LEDGER_VOID;
	memcpy(op->in.id, pay->payment->id, AI_LEDGER_ID);
	return 1;
}

/* A line that costs nothing has no reservation: its id names none, and it is
 * new until it is answered. */
static void prepare_line(struct doing *d)
{
	struct ai_pay *pay = d->pay;

	if (pay->batch == NULL || (pay->what != AI_PAY_RESERVE &&
	    (pay->what != AI_PAY_SETTLE || pay->answer.p == NULL)))
		return;
	d->step = (struct ai_batch_step){
		.batch = pay->batch, .line = &pay->line,
		.id = pay->payment->id, .user = pay->tariff->labels.user,
		.answer = pay->answer, .amount = pay->cost,
		.usage = d->has_op && pay->what == AI_PAY_SETTLE
			? d->op.in.post.usage : "",
	};
	d->line = (struct ai_ledger_op){
		.what = pay->what == AI_PAY_RESERVE ? AI_LEDGER_START
						    : AI_LEDGER_ANSWER,
		.in.step = &d->step,
	};
	if (!d->has_op && pay->what == AI_PAY_RESERVE)
		ai_ledger_id(pay->payment->id);
	d->has_line = true;
}

static void conclude(struct doing *d)
{
	struct ai_pay *pay = d->pay;
	const struct ai_ledger_op *op = &d->op;

	pay->rc = 0;
	if (d->has_line && d->line.err.code != AI_E_NONE) {
		pay->err = d->line.err;
		pay->rc = -1;
	}
	if (!d->has_op)
		return;
	if (op->err.code != AI_E_NONE) {
		pay->err = op->err;
		pay->rc = -1;
	} else if (pay->what == AI_PAY_RESERVE) {
		reserved(pay, &op->out);
	} else if (pay->what == AI_PAY_SENT) {
		pay->payment->lost = op->out.verdict != AI_GRANTED;
		pay->rc = pay->payment->lost;
	} else if (pay->what == AI_PAY_VOID) {
		pay->payment->reserved = false;
	}
}

/* The answer is in the journal before its bill is in the books, and the
 * reservation in the books before the journal knows it. */
static int do_all(struct ai_payer *p, struct doing *d, size_t n,
		  struct ai_err *err)
{
	struct ai_ledger_op **list = calloc(2 * n, sizeof *list);
	size_t n_steps = 0;
	int rc;

	if (list == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (d[i].has_line && d[i].line.what == AI_LEDGER_ANSWER)
			list[n_steps++] = &d[i].line;
		if (d[i].has_op)
			list[n_steps++] = &d[i].op;
		if (d[i].has_line && d[i].line.what == AI_LEDGER_START)
			list[n_steps++] = &d[i].line;
	}
	rc = ai_payer_open(p, err);
	if (rc == 0)
		rc = ai_ledger_many(p->ledger, list, n_steps, err);
	free(list);
	return rc;
}

static void fail(struct ai_pay *pay, const struct ai_err *err)
{
	pay->rc = -1;
	pay->err = *err;
}

void ai_payer_do(struct ai_payer *p, struct ai_pay *const *steps, size_t n)
{
	struct doing *d = malloc(n * sizeof *d);
	struct ai_err err;
	size_t n_steps = 0;

	for (size_t i = 0; i < n; i++) {
		struct ai_pay *pay = steps[i];

		pay->err = (struct ai_err){ AI_E_NONE, -1, "" };
		pay->of_key = false;
		pay->held = 0;
		if (d == NULL) {
			pay->rc = ai_err_nomem(&pay->err);
			continue;
		}
		/* The rest is set where it is there: it is large. */
		d[n_steps].pay = pay;
		d[n_steps].has_line = false;
		pay->rc = prepare(pay, &d[n_steps].op);
		d[n_steps].has_op = pay->rc > 0;
		if (pay->rc >= 0)
			prepare_line(&d[n_steps]);
		if (d[n_steps].has_op || d[n_steps].has_line)
			n_steps++;
	}
	if (n_steps > 0 && do_all(p, d, n_steps, &err) < 0) {
		for (size_t i = 0; i < n_steps; i++)
			fail(d[i].pay, &err);
	} else {
		for (size_t i = 0; i < n_steps; i++)
			conclude(&d[i]);
	}
	free(d);
}
