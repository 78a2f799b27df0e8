/*
 * dryrun.c: --dry-run: what all of the input would cost, how long it would take
 * at the rate limits, and whether the budgets can hold it.
 *
 * Nothing is kept of a record but sums, one a model.  A budget is told by what
 * the records that fall under it may cost together; of several, the one that is
 * used up first is that of which they need the largest part.
 */
#include "cost.h"

#include "base/msg.h"
#include "record/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of models are the records' idea. */
#define MODELS_MAX 1000

typedef __int128 wide;

/* All records that ask one model. */
struct cost_sum {
	struct ai_labels labels;
	bool booked;
	int64_t records, too_dear; /* for a request's budget */
	wide input, low, high, output, limit; /* tokens */
	wide tokens;               /* that a rate limit counts */
	int64_t largest;           /* of one record */
	wide expected, worst;      /* nano-dollars */
	int64_t wait_ms;           /* at its limits */
	struct ai_limit rate;
	bool by_tokens;            /* which of both it waits for */
};

/* A budget, and what would fall under it. */
struct need {
	struct ai_budget_state state;
	wide expected, worst;
};

static struct {
	pthread_mutex_t lock; /* for the sums, while records are read */
	struct cost_sum **sum;
	size_t n;
	struct need *need;
	size_t n_need;
	struct cost_sum *now; /* whose budgets are being looked at */
	struct cost_sum all;
	const struct cost_sum *slowest; /* NULL: no limit holds any up */
	const struct need *first;       /* that is used up; NULL: no budget */
	unsigned long failed;
} run = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t narrowed(wide v)
{
	return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN
							 : (int64_t)v;
}

/* ---- the records ------------------------------------------------------------------ */

/* With the lock held. */
static struct cost_sum *sum_of(const struct ai_tariff *t, struct ai_err *err)
{
	struct cost_sum *s, **more;
	size_t i;

	for (i = 0; i < run.n; i++)
		if (strcmp(run.sum[i]->labels.model, t->labels.model) == 0 &&
		    strcmp(run.sum[i]->labels.provider,
			   t->labels.provider) == 0)
			return run.sum[i];
	if (run.n == MODELS_MAX) {
		ai_err_set(err, AI_E_RECORD, "there are more than %d models "
			   "in one run", MODELS_MAX);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	more = realloc(run.sum, (run.n + 1) * sizeof(struct cost_sum *));
	if (more != NULL)
		run.sum = more;
	if (s == NULL || more == NULL) {
		free(s);
		ai_err_nomem(err);
		return NULL;
	}
	s->labels = t->labels;
	s->booked = ai_tariff_booked(t);
	return run.sum[run.n++] = s;
}

static void add(struct cost_sum *s, const struct cost_figure *f)
{
	s->records++;
	s->too_dear += f->worst > f->model->room.request;
	s->input += f->input.count;
	s->low += f->input.low;
	s->high += f->input.high;
	s->output += f->output;
	s->limit += f->limit;
	s->tokens += f->tokens;
	s->largest = f->tokens > s->largest ? f->tokens : s->largest;
	s->expected += f->expected;
	s->worst += f->worst;
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct cost_wish q;
	struct cost_figure f;
	struct cost_model *m;

	(void)out;
	if (cost_wish_take(&q, rec, err) < 0 ||
	    cost_figure_out(state, &q, &f, err) < 0)
		return -1;
	m = f.model;
	pthread_mutex_lock(&run.lock);
	if (m->sum == NULL)
		m->sum = sum_of(&m->tariff, err);
	if (m->sum != NULL)
		add(m->sum, &f);
	pthread_mutex_unlock(&run.lock);
	return m->sum == NULL ? -1 : 0;
}

static int open_desk(void **state, struct ai_err *err)
{
	*state = cost_desk_new(err);
	return *state == NULL ? -1 : 0;
}

static void close_desk(void *state)
{
	cost_desk_free(state);
}

/* Whatever cannot be used is told on standard error, line by line; standard
 * output is for the one answer. */
static int read_all(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .open = open_desk, .close = close_desk,
	};
	bool plain = ai_loop.plain_out;
	int status;

	ai_loop.plain_out = true;
	status = ai_loop_run(&filter, argc, argv, err);
	ai_loop.plain_out = plain;
	run.failed = ai_loop_failed;
	return status;
}

/* ---- budgets ---------------------------------------------------------------------- */

static struct need *need_of(const struct ai_budget_state *b)
{
	const struct ai_budget *a = &b->budget, *k;
	struct need *more;
	size_t i;

	for (i = 0; i < run.n_need; i++) {
		k = &run.need[i].state.budget;
		if (strcmp(a->scope, k->scope) == 0 &&
		    strcmp(a->name, k->name) == 0 &&
		    strcmp(a->period, k->period) == 0)
			return &run.need[i];
	}
	more = realloc(run.need, (run.n_need + 1) * sizeof(*more));
	if (more == NULL)
		return NULL;
	run.need = more;
	more += run.n_need++;
	*more = (struct need){ .state = *b };
	return more;
}

/* arg is set if there is no memory. */
static int add_need(void *arg, const struct ai_budget_state *b)
{
	struct need *n;

	if (b->posted < 0) /* of a request: see too_dear */
		return 0;
	n = need_of(b);
	if (n == NULL) {
		*(bool *)arg = true;
		return 1;
	}
	n->expected += run.now->expected;
	n->worst += run.now->worst;
	return 0;
}

static wide left_of(const struct need *n)
{
	const struct ai_budget_state *b = &n->state;

	return (wide)b->budget.cap - b->posted - b->pending;
}

/* Of whose room they need more; what has none left is needed most. */
static bool is_tighter(const struct need *a, const struct need *b)
{
	long double x = (long double)left_of(a), y = (long double)left_of(b);

	if (a->worst == 0 || b->worst == 0)
		return a->worst > b->worst;
	if (x <= 0 || y <= 0)
		return x < y;
	return (long double)a->worst / x > (long double)b->worst / y;
}

static int find_budgets(struct ai_ledger *l, struct ai_err *err)
{
	bool nomem = false;
	size_t i;

	for (i = 0; i < run.n; i++) {
		run.now = run.sum[i];
		if (!run.now->booked)
			continue;
		if (ai_ledger_budgets_of(l, &run.now->labels, add_need, &nomem,
					 err) < 0)
			return -1;
		if (nomem)
			return ai_err_nomem(err);
	}
	for (i = 0; i < run.n_need; i++)
		if (run.first == NULL || is_tighter(&run.need[i], run.first))
			run.first = &run.need[i];
	return 0;
}

/* ---- limits ------------------------------------------------------------------------ */

static int find_wait(struct ai_ledger *l, struct cost_sum *s,
		     struct ai_err *err)
{
	int64_t tokens;

	if (!s->booked)
		return 0;
	if (ai_ledger_limit_of(l, s->labels.key, s->labels.model, &s->rate,
			       err) < 0)
		return -1;
	s->wait_ms = ai_limit_wait(s->rate.requests, s->records, 1);
	tokens = ai_limit_wait(s->rate.tokens, narrowed(s->tokens),
			       s->largest);
	if (tokens > s->wait_ms || s->rate.requests == 0) {
		s->wait_ms = tokens;
		s->by_tokens = true;
	}
	return 0;
}

static void sum_up(const struct cost_sum *s)
{
	struct cost_sum *all = &run.all;

	all->records += s->records;
	all->too_dear += s->too_dear;
	all->input += s->input;
	all->low += s->low;
	all->high += s->high;
	all->output += s->output;
	all->limit += s->limit;
	all->expected += s->expected;
	all->worst += s->worst;
	/* Each model has a limit of its own: they wait side by side. */
	if ((s->rate.requests > 0 || s->rate.tokens > 0) &&
	    (run.slowest == NULL || s->wait_ms > run.slowest->wait_ms))
		run.slowest = s;
}

static int look_up(struct ai_err *err)
{
	struct ai_ledger *l = NULL;
	int rc = 0;
	size_t i;

	if (ai_paid_has_ledger() && cost_look(&l, err) < 0)
		return -1;
	for (i = 0; i < run.n && rc == 0; i++) {
		rc = find_wait(l, run.sum[i], err);
		sum_up(run.sum[i]);
	}
	if (rc == 0)
		rc = find_budgets(l, err);
	ai_ledger_close(l);
	return rc;
}

/* ---- what is said ------------------------------------------------------------------ */

/* How much is missing; 0: it fits. */
static int64_t missing(wide needs)
{
	wide lacks = run.first == NULL ? 0 : needs - left_of(run.first);

	return needs > 0 && lacks > 0 ? narrowed(lacks) : 0;
}

static bool fits(void)
{
	return run.all.too_dear == 0 &&
		(run.first == NULL || missing(run.first->worst) == 0);
}

/* Of a record that is larger than what a minute may have, nothing helps. */
static bool never_goes(const struct cost_sum *s)
{
	return s->rate.tokens > 0 && s->largest > s->rate.tokens;
}

static void put_tokens(struct ai_buf *b, const struct cost_sum *s)
{
	cost_put_int(b, "records", s->records);
	cost_put_int(b, "input_tokens", narrowed(s->input));
	if (s->low != s->high) {
		cost_put_int(b, "input_low", narrowed(s->low));
		cost_put_int(b, "input_high", narrowed(s->high));
	}
	cost_put_int(b, "output_tokens", narrowed(s->output));
	cost_put_int(b, "max_tokens", narrowed(s->limit));
	cost_put_usd(b, "expected_usd", narrowed(s->expected));
	cost_put_usd(b, "worst_usd", narrowed(s->worst));
}

/* Minutes with two digits. */
static void put_minutes(struct ai_buf *b, const struct cost_sum *s)
{
	char text[32];
	int64_t hundredths = s == NULL ? 0 : s->wait_ms / 600 +
		(s->wait_ms % 600 > 0);

	ai_put_key(b, "minutes");
	if (s == NULL) {
		ai_put_null(b);
	} else {
		snprintf(text, sizeof(text), "%lld.%02d",
			 (long long)(hundredths / 100),
			 (int)(hundredths % 100));
		ai_put_raw(b, text, strlen(text));
	}
}

static void put_limit(struct ai_buf *b, const struct cost_sum *s)
{
	put_minutes(b, s);
	ai_put_key(b, "limit");
	if (s == NULL) {
		ai_put_null(b);
		return;
	}
	ai_put_open(b, '{');
	cost_put_text(b, "model", s->labels.model);
	cost_put_text(b, "of", s->by_tokens ? "tokens" : "requests");
	cost_put_int(b, "per_minute", s->by_tokens ? s->rate.tokens
						   : s->rate.requests);
	ai_put_close(b, '}');
}

static void put_budget(struct ai_buf *b)
{
	ai_put_key(b, "budget");
	if (run.first == NULL) {
		ai_put_null(b);
		return;
	}
	ai_put_open(b, '{');
	cost_put_budget(b, &run.first->state);
	ai_put_close(b, '}');
}

static void put_models(struct ai_buf *b)
{
	const struct cost_sum *s;
	size_t i;

	ai_put_key(b, "models");
	ai_put_open(b, '[');
	for (i = 0; i < run.n; i++) {
		s = run.sum[i];
		ai_put_open(b, '{');
		cost_put_text(b, "model", s->labels.model);
		put_tokens(b, s);
		put_minutes(b, s->rate.requests > 0 || s->rate.tokens > 0 ? s
									: NULL);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

static int write_json(struct cost_out *o)
{
	struct ai_buf *b = &o->line;
	wide worst = run.first == NULL ? 0 : run.first->worst,
	     expected = run.first == NULL ? 0 : run.first->expected;

	ai_put_open(b, '{');
	put_tokens(b, &run.all);
	cost_put_int(b, "failed", (int64_t)run.failed);
	put_limit(b, run.slowest);
	put_budget(b);
	ai_put_key(b, "fits");
	ai_put_bool(b, fits());
	cost_put_usd(b, "missing_usd", missing(worst));
	ai_put_key(b, "expected_fits");
	ai_put_bool(b, missing(expected) == 0);
	cost_put_int(b, "too_dear", run.all.too_dear);
	put_models(b);
	ai_put_close(b, '}');
	return cost_put(o);
}

/* "1,234,567" */
static void grouped(wide v, char out[48])
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%lld",
			 (long long)narrowed(v));
	int i, at = 0;

	for (i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

static void say_time(struct cost_out *o)
{
	const struct cost_sum *s = run.slowest;
	char limit[48], minutes[48];

	if (s == NULL) {
		ai_buf_str(&o->line, "time      no rate limit is set "
			   "('ai-cost limit set')");
		cost_put(o);
		return;
	}
	grouped(s->by_tokens ? s->rate.tokens : s->rate.requests, limit);
	grouped((s->wait_ms + 59999) / 60000, minutes);
	ai_buf_fmt(&o->line, "time      %s minute%s at least: %s %s a minute "
		   "of %s", s->wait_ms == 0 ? "no" : minutes,
		   s->wait_ms > 0 && s->wait_ms <= 60000 ? "" : "s", limit,
		   s->by_tokens ? "tokens" : "requests", s->labels.model);
	cost_put(o);
}

static void say_budget(struct cost_out *o)
{
	const struct ai_budget_state *b;
	char what[160], left[AI_MONEY_TEXT], cap[AI_MONEY_TEXT];

	if (run.first == NULL) {
		ai_buf_str(&o->line, "budget    none applies");
		cost_put(o);
		return;
	}
	b = &run.first->state;
	cost_name_budget(&b->budget, what, sizeof(what));
	ai_money_show(narrowed(left_of(run.first)), left);
	ai_money_show(b->budget.cap, cap);
	ai_buf_fmt(&o->line, "budget    %s %s: %s left of %s", what,
		   b->budget.period, left, cap);
	cost_say_reset(&o->line, b->resets_ms);
	cost_put(o);
}

static void say_verdict(struct cost_out *o)
{
	char lacks[AI_MONEY_TEXT], what[48];

	if (run.all.too_dear > 0) {
		grouped(run.all.too_dear, what);
		ai_buf_fmt(&o->line, "refused   %s records: each may cost more "
			   "than the budget of a request", what);
		cost_put(o);
	}
	if (run.first == NULL || missing(run.first->worst) == 0) {
		if (fits())
			ai_buf_str(&o->line, "It fits, at worst.");
		else
			ai_buf_str(&o->line, "Beside these it fits, at "
				   "worst.");
	} else {
		ai_money_show(missing(run.first->worst), lacks);
		ai_buf_fmt(&o->line, "It does not fit: at worst, %s are "
			   "missing", lacks);
		ai_money_show(missing(run.first->expected), lacks);
		if (missing(run.first->expected) == 0)
			ai_buf_str(&o->line, "; what is expected fits.");
		else
			ai_buf_fmt(&o->line, "; as expected, %s.", lacks);
	}
	cost_put(o);
}

static int write_lines(struct cost_out *o)
{
	char n[48], in[48], out[48], most[48], dollars[AI_MONEY_TEXT],
		worst[AI_MONEY_TEXT];
	const struct cost_sum *s = &run.all;

	grouped(s->records, n);
	ai_buf_fmt(&o->line, "records   %s", n);
	if (run.failed > 0)
		ai_buf_fmt(&o->line, ", and %lu that cannot be used",
			   run.failed);
	cost_put(o);
	grouped(s->input, in);
	grouped(s->output, out);
	grouped(s->limit, most);
	ai_buf_fmt(&o->line, "tokens    %s in, %s out expected, %s at most",
		   in, out, most);
	cost_put(o);
	ai_money_show(narrowed(s->expected), dollars);
	ai_money_show(narrowed(s->worst), worst);
	ai_buf_fmt(&o->line, "cost      %s expected, %s at worst", dollars,
		   worst);
	cost_put(o);
	say_time(o);
	say_budget(o);
	say_verdict(o);
	return 0;
}

static void warn(void)
{
	const struct cost_sum *s;
	size_t i;

	for (i = 0; i < run.n; i++) {
		s = run.sum[i];
		if (never_goes(s))
			ai_msg(AI_MSG_WARN, "a record for '%s' may take %lld "
			       "tokens, more than its limit of a minute: it "
			       "is refused", s->labels.model,
			       (long long)s->largest);
	}
}

static void release(void)
{
	while (run.n > 0)
		free(run.sum[--run.n]);
	free(run.sum);
	free(run.need);
}

int cost_dry_run(int argc, char **argv, struct ai_err *err)
{
	struct cost_out o;
	int status = read_all(argc, argv, err), rc = -1;

	if (status >= 0 && look_up(err) == 0) {
		warn();
		cost_begin(&o, ai_loop.plain_out);
		if (ai_loop.plain_out)
			write_lines(&o);
		else
			write_json(&o);
		rc = cost_end(&o, 0, err);
	}
	if (rc == AI_EXIT_OK)
		rc = fits() ? status : AI_EXIT_BUDGET;
	release();
	return rc;
}
