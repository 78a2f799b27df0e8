/* show.c: how things stand: budgets, limits, who holds what. */
#include "cost.h"

#include "record/loop.h"

#include <stdio.h>
#include <string.h>

/* A table of all columns; a terminal that is narrower gets a few lines each. */
#define WIDE 116
#define NAMES_MAX 64

/* What is asked for, and what there was instead. */
static struct {
	const char *scope, *name, *period; /* NULL: any */
	const char *booked; /* what a model of that name is booked under */
	char model[COST_MODEL_MAX];
	char own[24];    /* the scope's bytes */
	bool found;
	size_t columns;
	const char *near[NAMES_MAX];
	char names[NAMES_MAX][176];
	size_t n_names;
} asked;

static void ask_model(const char *name)
{
	asked.name = name;
	asked.booked = name == NULL ? NULL :
		cost_model_name(name, false, asked.model);
}

static bool is_asked(const char *model)
{
	return asked.name == NULL || strcmp(asked.name, model) == 0 ||
		strcmp(asked.booked, model) == 0;
}

/* Of what was seen, for a suggestion. */
static void note(const char *name)
{
	size_t i = asked.n_names;

	if (i == NAMES_MAX)
		return;
	snprintf(asked.names[i], sizeof(asked.names[i]), "%s", name);
	asked.near[i] = asked.names[i];
	asked.n_names++;
}

static int check_found(const char *what, const char *name, struct ai_err *err)
{
	const char *near = ai_nearest(name, asked.near, asked.n_names);

	if (asked.found)
		return 0;
	if (near != NULL)
		return ai_err_set(err, AI_E_USAGE, "there is no %s '%.80s'; "
				  "did you mean '%.80s'?", what, name, near);
	return ai_err_set(err, AI_E_USAGE, "there is no %s '%.80s'; "
			  "'ai-cost %s' lists all", what, name, what);
}

/* ---- budgets ---------------------------------------------------------------------- */

void cost_name_budget(const struct ai_budget *b, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", b->scope, b->name[0] != '\0' ? ":" : "",
		 b->name);
}

int64_t cost_left(const struct ai_budget_state *s)
{
	__int128 left = (__int128)s->budget.cap - s->posted - s->pending;

	return left > 0 ? (int64_t)left : 0;
}

void cost_put_budget(struct ai_buf *b, const struct ai_budget_state *s)
{
	cost_put_text(b, "scope", s->budget.scope);
	if (s->budget.name[0] != '\0')
		cost_put_text(b, "name", s->budget.name);
	cost_put_text(b, "period", s->budget.period);
	cost_put_usd(b, "cap_usd", s->budget.cap);
	if (s->posted < 0)
		return;
	cost_put_usd(b, "spent_usd", s->posted);
	cost_put_usd(b, "held_usd", s->pending);
	cost_put_usd(b, "left_usd", cost_left(s));
	if (s->resets_ms != INT64_MAX)
		cost_put_time(b, "resets", s->resets_ms);
}

void cost_say_reset(struct ai_buf *b, int64_t ms)
{
	char left[40], at[40];

	if (ms == INT64_MAX)
		return;
	ai_paid_show_left(ms, left);
	cost_time(ms, at);
	ai_buf_fmt(b, ", which begins anew in %s (%s)", left, at);
}

struct shown {
	char what[160], cap[AI_MONEY_TEXT], spent[AI_MONEY_TEXT],
		held[AI_MONEY_TEXT], left[AI_MONEY_TEXT], resets[100];
	int64_t used;
};

static void show(const struct ai_budget_state *s, struct shown *t)
{
	char left[40], at[40];

	*t = (struct shown){ .used = 0 };
	cost_name_budget(&s->budget, t->what, sizeof(t->what));
	ai_money_show(s->budget.cap, t->cap);
	if (s->posted < 0)
		return;
	t->used = s->posted + s->pending;
	ai_money_show(s->posted, t->spent);
	ai_money_show(s->pending, t->held);
	ai_money_show(cost_left(s), t->left);
	if (s->resets_ms == INT64_MAX) {
		snprintf(t->resets, sizeof(t->resets), "never");
		return;
	}
	ai_paid_show_left(s->resets_ms, left);
	cost_time(s->resets_ms, at);
	snprintf(t->resets, sizeof(t->resets), "in %s (%s)", left, at);
}

static const char budget_head[] =
	"budget of                period            cap        spent"
	"         held         left  used  begins anew";

static int table_row(struct cost_out *o, const struct ai_budget_state *s,
		     const struct shown *t)
{
	struct ai_buf *b = &o->line;

	ai_buf_fmt(b, "%-24s %-8s %12s", t->what, s->budget.period, t->cap);
	if (s->posted >= 0) {
		ai_buf_fmt(b, " %12s %12s %12s %4d%%  ", t->spent, t->held,
			   t->left, cost_percent(t->used, s->budget.cap));
		if (asked.columns > 0) {
			cost_bar(b, t->used, s->budget.cap, 10);
			ai_buf_chr(b, ' ');
		}
		ai_buf_str(b, t->resets);
	}
	return cost_put(o);
}

/* Which, how much is left, and when it begins anew. */
static int stanza(struct cost_out *o, const struct ai_budget_state *s,
		  const struct shown *t)
{
	struct ai_buf *b = &o->line;
	size_t columns = asked.columns;

	if (s->posted < 0) {
		ai_buf_fmt(b, "%s %s: %s%s", t->what, s->budget.period, t->cap,
			   strcmp(s->budget.period, "request") == 0 ? ""
								    : " each");
		return cost_put_folded(o, columns);
	}
	ai_buf_fmt(b, "%s %s: %s left of %s", t->what, s->budget.period,
		   t->left, t->cap);
	if (cost_put_folded(o, columns) != 0)
		return 1;
	ai_buf_str(b, "  ");
	cost_bar(b, t->used, s->budget.cap, columns < 40 ? 10 : 20);
	ai_buf_fmt(b, " %d%%: %s spent, %s held",
		   cost_percent(t->used, s->budget.cap), t->spent, t->held);
	if (cost_put_folded(o, columns) != 0)
		return 1;
	ai_buf_fmt(b, "  begins anew %s", t->resets);
	return cost_put_folded(o, columns);
}

static int list_budget(void *arg, const struct ai_budget_state *s)
{
	struct cost_out *o = arg;
	struct shown t;
	char whole[176];

	show(s, &t);
	if (asked.period == NULL) {
		note(s->budget.scope);
		note(t.what);
	} else {
		snprintf(whole, sizeof(whole), "%s %s", t.what,
			 s->budget.period);
		note(whole);
	}
	if ((asked.scope != NULL &&
	     strcmp(asked.scope, s->budget.scope) != 0) ||
	    (asked.name != NULL && strcmp(asked.name, s->budget.name) != 0) ||
	    (asked.period != NULL &&
	     strcmp(asked.period, s->budget.period) != 0))
		return 0;
	if (o == NULL) { /* only to suggest */
		return 0;
	}
	asked.found = true;
	if (o->table && asked.columns > 0 && asked.columns < WIDE)
		return stanza(o, s, &t);
	if (o->table)
		return table_row(o, s, &t);
	ai_put_open(&o->line, '{');
	cost_put_budget(&o->line, s);
	ai_put_close(&o->line, '}');
	return cost_put(o);
}

/* The budgets of just this name: its own, or those of each. */
static int rows_of_name(struct ai_ledger *l, struct cost_out *o,
			struct ai_err *err)
{
	struct ai_labels labels = { .tool = "" };
	const struct { const char *scope; char *to; size_t size; } places[] = {
		{ "tool", labels.tool, sizeof(labels.tool) },
		{ "provider", labels.provider, sizeof(labels.provider) },
		{ "model", labels.model, sizeof(labels.model) },
		{ "key", labels.key, sizeof(labels.key) },
		{ "tenant", labels.tenant, sizeof(labels.tenant) },
		{ "user", labels.user, sizeof(labels.user) },
		{ "project", labels.project, sizeof(labels.project) },
		{ "experiment", labels.experiment, sizeof(labels.experiment) },
		{ "run", labels.run, sizeof(labels.run) },
	};
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].scope, asked.scope) == 0)
			snprintf(places[i].to, places[i].size, "%s",
				 asked.name);
	return ai_ledger_budgets_of(l, &labels, list_budget, o, err);
}

static int budget_rows(struct ai_ledger *l, struct cost_out *o,
		       struct ai_err *err)
{
	char what[200];

	if (asked.name != NULL && strcmp(asked.name, "*") != 0) {
		if (rows_of_name(l, o, err) < 0)
			return -1;
		if (!asked.found &&
		    ai_ledger_budgets(l, list_budget, NULL, err) < 0)
			return -1;
	} else if (ai_ledger_budgets(l, list_budget, o, err) < 0) {
		return -1;
	}
	if (asked.scope == NULL)
		return 0;
	snprintf(what, sizeof(what), "%s%s%s%s%s", asked.scope,
		 asked.name != NULL ? ":" : "",
		 asked.name != NULL ? asked.name : "",
		 asked.period != NULL ? " " : "",
		 asked.period != NULL ? asked.period : "");
	return check_found("budget", what, err);
}

static int check_period(const char *period, struct ai_err *err)
{
	static const char *const periods[] = {
		"request", "hour", "day", "month", "total"
	};
	const size_t n = sizeof(periods) / sizeof(periods[0]);
	const char *near;
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(period, periods[i]) == 0)
			return 0;
	near = ai_nearest(period, (const char **)periods, n);
	return ai_err_set(err, AI_E_USAGE, "'%.40s' is no period; %s%s%s",
			  period, near != NULL ? "did you mean '" : "there are "
			  "request, hour, day, month and total",
			  near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* SCOPE, SCOPE:NAME, and perhaps a period. */
int cost_show_budget(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	size_t n;

	if (argc > 2)
		return cost_operands(argc, 2, "budget show [SCOPE[:NAME] "
				     "[PERIOD]]", err);
	if (argc > 0) {
		n = strcspn(argv[0], ":");
		snprintf(asked.own, sizeof(asked.own), "%.*s", (int)n,
			 argv[0]);
		asked.scope = asked.own;
		asked.name = argv[0][n] == ':' ? argv[0] + n + 1 : NULL;
		if (asked.name != NULL && strcmp(asked.own, "model") == 0)
			asked.name = cost_model_name(asked.name, false,
						     asked.model);
		asked.period = argc > 1 ? argv[1] : NULL;
	}
	if (asked.period != NULL && check_period(asked.period, err) < 0)
		return -1;
	asked.columns = cost_columns();
	if (cost_open(&l, false, err) < 0)
		return -1;
	return cost_list_of(l, budget_rows, asked.columns > 0 &&
			    asked.columns < WIDE ? "" : budget_head, err);
}

/* ---- limits ------------------------------------------------------------------------ */

/* None at all is no limit, rather than one of nothing. */
static void show_count(int64_t n, char out[24])
{
	snprintf(out, 24, n > 0 ? "%lld" : "-", (long long)n);
}

static int list_limit(void *arg, const struct ai_limit *q)
{
	char requests[24], tokens[24];
	struct cost_out *o = arg;
	struct ai_buf *b = &o->line;

	note(q->model);
	if (!is_asked(q->model))
		return 0;
	asked.found = true;
	if (o->table && asked.columns > 0 && asked.columns < 92) {
		ai_buf_fmt(b, "%s:", q->model);
		if (q->requests > 0)
			ai_buf_fmt(b, " %lld requests", (long long)q->requests);
		if (q->tokens > 0)
			ai_buf_fmt(b, "%s %lld tokens",
				   q->requests > 0 ? " and" : "",
				   (long long)q->tokens);
		ai_buf_str(b, " a minute");
		if (strcmp(q->key, "*") != 0)
			ai_buf_fmt(b, " with key %s", q->key);
		return cost_put_folded(o, asked.columns);
	}
	if (o->table) {
		show_count(q->requests, requests);
		show_count(q->tokens, tokens);
		ai_buf_fmt(b, "%-34s %-32s %9s %11s", q->model, q->key,
			   requests, tokens);
		return cost_put(o);
	}
	ai_put_open(b, '{');
	cost_put_text(b, "model", q->model);
	if (strcmp(q->key, "*") != 0)
		cost_put_text(b, "key", q->key);
	if (q->requests > 0)
		cost_put_int(b, "requests", q->requests);
	if (q->tokens > 0)
		cost_put_int(b, "tokens", q->tokens);
	ai_put_close(b, '}');
	return cost_put(o);
}

static int limit_rows(struct ai_ledger *l, struct cost_out *o,
		      struct ai_err *err)
{
	if (ai_ledger_limits(l, list_limit, o, err) < 0)
		return -1;
	return asked.name == NULL ? 0 : check_found("limit", asked.name, err);
}

static const char limit_head[] =
	"model                              key                             "
	"  requests      tokens";

int cost_show_limit(int argc, char **argv, struct ai_err *err)
{
	if (argc > 1)
		return cost_operands(argc, 1, "limit show [MODEL]", err);
	ask_model(argc > 0 ? argv[0] : NULL);
	asked.columns = cost_columns();
	return cost_list(limit_rows, asked.columns > 0 && asked.columns < 92
			 ? "" : limit_head, err);
}

/* ---- breakers ---------------------------------------------------------------------- */

static int list_breaker(void *arg, const struct ai_breaker *b)
{
	static const char *const states[] = {
		[AI_CLOSED] = "closed", [AI_OPEN] = "open",
		[AI_HALF_OPEN] = "half-open",
	};
	struct cost_out *o = arg;

	note(b->model);
	if (!is_asked(b->model))
		return 0;
	asked.found = true;
	if (o->table) {
		ai_buf_fmt(&o->line, "%-40s %-10s %8lld %8lld %8lld", b->model,
			   states[b->is], (long long)b->failures,
			   (long long)(b->wait_ms + 999) / 1000,
			   (long long)(b->held_ms + 999) / 1000);
		return cost_put(o);
	}
	ai_put_open(&o->line, '{');
	cost_put_text(&o->line, "model", b->model);
	cost_put_text(&o->line, "key", b->key);
	cost_put_text(&o->line, "state", states[b->is]);
	cost_put_int(&o->line, "failures", b->failures);
	cost_put_int(&o->line, "wait_ms", b->wait_ms);
	cost_put_int(&o->line, "held_ms", b->held_ms);
	ai_put_close(&o->line, '}');
	return cost_put(o);
}

/* One that nothing is known of is closed: that is no mistake. */
static int breaker_rows(struct ai_ledger *l, struct cost_out *o,
			struct ai_err *err)
{
	return ai_ledger_breakers(l, list_breaker, o, err);
}

int cost_show_breaker(int argc, char **argv, struct ai_err *err)
{
	if (argc > 1)
		return cost_operands(argc, 1, "breaker show [MODEL]", err);
	ask_model(argc > 0 ? argv[0] : NULL);
	return cost_list(breaker_rows, "model                                    "
			 "state      failures   wait s   held s", err);
}

/* ---- reservations ------------------------------------------------------------------ */

static int list_hold(void *arg, const struct ai_hold *h)
{
	struct cost_out *o = arg;
	struct ai_buf *b = &o->line;
	char amount[AI_MONEY_TEXT], age[40];

	if (!is_asked(h->model) && strcmp(asked.name, h->tool) != 0)
		return 0;
	ai_money_show(h->amount, amount);
	cost_age(h->created, age);
	if (o->table && asked.columns > 0 && asked.columns < WIDE) {
		ai_buf_fmt(b, "%s held by %s, process %lld (%s), for %s%s: %s "
			   "(%s)", amount, h->tool, (long long)h->pid,
			   h->alive ? "alive" : "dead", age,
			   h->sent ? ", sent" : "", h->model, h->id);
		return cost_put_folded(o, asked.columns);
	}
	if (o->table) {
		ai_buf_fmt(b, "%10s %-12s %-8lld %-6s %-6s %-11s %-28s %s",
			   amount, h->tool, (long long)h->pid,
			   h->alive ? "alive" : "dead", h->sent ? "sent" : "",
			   age, h->model, h->id);
		return cost_put(o);
	}
	ai_put_open(b, '{');
	cost_put_text(b, "id", h->id);
	cost_put_usd(b, "held_usd", h->amount);
	cost_put_text(b, "tool", h->tool);
	cost_put_text(b, "model", h->model);
	cost_put_time(b, "since", h->created);
	cost_put_int(b, "pid", h->pid);
	ai_put_key(b, "alive");
	ai_put_bool(b, h->alive);
	ai_put_key(b, "sent");
	ai_put_bool(b, h->sent);
	ai_put_close(b, '}');
	return cost_put(o);
}

static int hold_rows(struct ai_ledger *l, struct cost_out *o,
		     struct ai_err *err)
{
	return ai_ledger_holds(l, list_hold, o, err);
}

static int show_holds(int argc, char **argv, struct ai_err *err)
{
	if (argc > 1)
		return cost_operands(argc, 1, "reservations show "
				     "[MODEL|PROGRAM]", err);
	ask_model(argc > 0 ? argv[0] : NULL);
	asked.columns = cost_columns();
	return cost_list(hold_rows, asked.columns > 0 && asked.columns < WIDE ?
			 "" : "      held program      pid      owner  state  f"
			 "or         model                        id",
			 err);
}

int cost_reservations(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "show", show_holds }, { NULL, NULL }
	};

	return argc == 0 ? show_holds(argc, argv, err)
		: cost_pick("reservations", words, argc, argv, err);
}
