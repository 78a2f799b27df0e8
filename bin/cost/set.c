/* set.c: budgets and limits: what there is, and what shall be. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int copy(char *to, size_t size, const char *from, size_t n,
		const char *what, struct ai_err *err)
{
	if (n >= size)
		return ai_err_set(err, AI_E_USAGE, "%s '%.80s' is too long",
				  what, from);
	memcpy(to, from, n);
	to[n] = '\0';
	return 0;
}

/* "all", "tenant:acme", "user:*" */
static int take_scope(struct ai_budget *b, const char *text,
		      struct ai_err *err)
{
	size_t n = strcspn(text, ":");
	const char *name = text[n] == ':' ? text + n + 1 : "";

	if (copy(b->scope, sizeof(b->scope), text, n, "the scope", err) < 0 ||
	    copy(b->name, sizeof(b->name), name, strlen(name), "the name",
		 err) < 0)
		return -1;
	if (strcmp(b->scope, "all") == 0 ? name[0] != '\0' : name[0] == '\0')
		return ai_err_set(err, AI_E_USAGE, "'%.80s': a budget is of "
				  "'all', or of a label and its name: "
				  "'tenant:acme', 'user:*'", text);
	return 0;
}

/* A budget, and how it stands. */
struct wanted {
	const struct ai_budget *budget;
	struct ai_budget_state state;
	bool there;
};

static int is_wanted(void *arg, const struct ai_budget_state *s)
{
	struct wanted *w = arg;

	if (strcmp(s->budget.scope, w->budget->scope) != 0 ||
	    strcmp(s->budget.name, w->budget->name) != 0 ||
	    strcmp(s->budget.period, w->budget->period) != 0)
		return 0;
	w->state = *s;
	w->there = true;
	return 1;
}

/* What people may not have thought of when they set it. */
static void warn_of(const struct ai_budget_state *s)
{
	int64_t over = s->posted + s->pending - s->budget.cap;
	char what[160], more[AI_MONEY_TEXT], until[80] = "";

	cost_name_budget(&s->budget, what, sizeof(what));
	if (s->budget.cap == 0)
		ai_msg(AI_MSG_WARN, "%s %s: with nothing to spend, no call "
		       "that costs something goes out", what,
		       s->budget.period);
	if (s->posted < 0 || over <= 0)
		return;
	ai_money_show(over, more);
	if (s->resets_ms != INT64_MAX) {
		char text[40];

		cost_time(s->resets_ms, text);
		snprintf(until, sizeof(until), " until %s", text);
	}
	ai_msg(AI_MSG_WARN, "%s %s: %s more than that is spent or held "
	       "already: no call goes out%s", what, s->budget.period, more,
	       until[0] != '\0' ? until : " until it is raised");
}

/* The budget of a model has the name that its calls are booked under. */
static void name_as_booked(struct ai_budget *b, bool tell)
{
	char name[COST_MODEL_MAX];
	const char *booked;

	if (strcmp(b->scope, "model") != 0)
		return;
	booked = cost_model_name(b->name, tell, name);
	if (booked != b->name)
		snprintf(b->name, sizeof(b->name), "%s", booked);
}

static int change(struct ai_ledger **l, struct ai_budget *b,
		  struct ai_err *err)
{
	struct wanted w = { .budget = b };
	char what[160];

	if (b->cap < 0) {
		if (ai_ledger_budgets(*l, is_wanted, &w, err) < 0)
			return -1;
		if (!w.there) {
			name_as_booked(b, false);
			if (ai_ledger_budgets(*l, is_wanted, &w, err) < 0)
				return -1;
		}
		/* One that every new ledger has. */
		if (w.there && *l == NULL && cost_open(l, true, err) < 0)
			return -1;
		if (w.there)
			return ai_ledger_set_budget(*l, b, err);
		cost_name_budget(b, what, sizeof(what));
		ai_msg(AI_MSG_WARN, "there is no budget '%s' for '%s': nothing "
		       "was removed", what, b->period);
		return 0;
	}
	name_as_booked(b, true);
	if (ai_ledger_set_budget(*l, b, err) < 0 ||
	    ai_ledger_budgets(*l, is_wanted, &w, err) < 0)
		return -1;
	if (w.there)
		warn_of(&w.state);
	return 0;
}

static int take_budget(struct ai_budget *b, char **argv, struct ai_err *err)
{
	if (take_scope(b, argv[0], err) < 0)
		return -1;
	return copy(b->period, sizeof(b->period), argv[1], strlen(argv[1]),
		    "the period", err);
}

static int open_and_change(struct ai_budget *b, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (cost_open(&l, b->cap >= 0, err) < 0)
		return -1;
	rc = change(&l, b, err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

static int set_budget(int argc, char **argv, struct ai_err *err)
{
	struct ai_budget b;

	if (cost_operands(argc, 3, "budget set SCOPE[:NAME] PERIOD DOLLARS", err) < 0)
		return -1;
	if (take_budget(&b, argv, err) < 0 ||
	    ai_money_parse(ai_span_of(argv[2]), &b.cap, err) < 0)
		return -1;
	return open_and_change(&b, err);
}

static int remove_budget(int argc, char **argv, struct ai_err *err)
{
	struct ai_budget b = { .cap = -1 };

	if (cost_operands(argc, 2, "budget rm SCOPE[:NAME] PERIOD", err) < 0)
		return -1;
	return take_budget(&b, argv, err) < 0 ? -1 : open_and_change(&b, err);
}

int cost_budget(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "show", cost_show_budget }, { "set", set_budget },
		{ "rm", remove_budget }, { NULL, NULL }
	};

	if (argc == 0)
		return cost_show_budget(argc, argv, err);
	return cost_pick("budget", words, argc, argv, err);
}

/* ---- limits ------------------------------------------------------------------- */

static int is_limited(void *arg, const struct ai_limit *q)
{
	struct ai_limit *wanted = arg;

	if (strcmp(q->model, wanted->model) != 0 ||
	    strcmp(q->key, wanted->key) != 0)
		return 0;
	*wanted = *q;
	return 1;
}

/* The key as the ledger names it, so that nobody has to say it. */
int cost_take_key(char out[40], struct ai_err *err)
{
	const char *key = cost.key != NULL ? cost.key : "*";

	if (cost.key != NULL && cost.key_env != NULL)
		return ai_err_set(err, AI_E_USAGE, "--key and --key-env: give "
				  "one");
	if (cost.key_env != NULL) {
		key = getenv(cost.key_env);
		if (key == NULL || *key == '\0')
			return ai_err_set(err, AI_E_USAGE, "there is no key in "
					  "the environment variable '%.60s'",
					  cost.key_env);
		ai_key_label(key, out);
		return 0;
	}
	return copy(out, 40, key, strlen(key), "the key", err);
}

static int take_limited(struct ai_limit *q, const char *model,
			struct ai_err *err)
{
	*q = (struct ai_limit){ .key = "*" };
	if (*model == '\0')
		return ai_err_set(err, AI_E_USAGE, "a limit is of a model, or "
				  "of each: '*'");
	return cost_take_key(q->key, err) < 0 ? -1 :
		copy(q->model, sizeof(q->model), model, strlen(model),
		     "the model", err);
}

static int set_limit(int argc, char **argv, struct ai_err *err)
{
	char name[COST_MODEL_MAX];
	struct ai_ledger *l;
	struct ai_limit q;
	int rc;

	if (cost_operands(argc, 1, "limit set MODEL --requests N --tokens N", err) < 0)
		return -1;
	if (cost.requests <= 0 && cost.tokens <= 0)
		return ai_err_set(err, AI_E_USAGE, "limit set: give "
				  "--requests, --tokens or both");
	if (take_limited(&q, cost_model_name(argv[0], true, name), err) < 0 ||
	    cost_open(&l, true, err) < 0)
		return -1;
	q.requests = cost.requests > 0 ? cost.requests : 0;
	q.tokens = cost.tokens > 0 ? cost.tokens : 0;
	rc = ai_ledger_set_limit(l, &q, err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

static int remove_limit(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	struct ai_limit q;
	char name[COST_MODEL_MAX];
	const char *booked;
	bool there = false;
	int rc = 0;

	if (cost_operands(argc, 1, "limit rm MODEL", err) < 0)
		return -1;
	if (take_limited(&q, argv[0], err) < 0 || cost_open(&l, false, err) < 0)
		return -1;
	if (l != NULL)
		rc = ai_ledger_limits(l, is_limited, &q, err);
	there = q.requests > 0 || q.tokens > 0;
	booked = cost_model_name(argv[0], false, name);
	if (rc == 0 && l != NULL && !there && booked != argv[0]) {
		snprintf(q.model, sizeof(q.model), "%s", booked);
		rc = ai_ledger_limits(l, is_limited, &q, err);
		there = q.requests > 0 || q.tokens > 0;
	}
	q.requests = q.tokens = 0;
	if (rc == 0 && there)
		rc = ai_ledger_set_limit(l, &q, err);
	ai_ledger_close(l);
	if (rc == 0 && !there)
		ai_msg(AI_MSG_WARN, "there is no limit of '%s': nothing was "
		       "removed", argv[0]);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_limit(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "show", cost_show_limit }, { "set", set_limit },
		{ "rm", remove_limit }, { NULL, NULL }
	};

	if (argc == 0)
		return cost_show_limit(argc, argv, err);
	return cost_pick("limit", words, argc, argv, err);
}
