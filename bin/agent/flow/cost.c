#include "flow/cost.h"

#include "base/money.h"
#include "base/start.h"
#include "model/chat_tokens.h"
#include "model/paid.h"
#include "record/json.h"
#include "text/bpe.h"

#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (4 * FLOW_FILE_MAX)
#define NUMBER_TOKENS 8   /* of {{index}} and its like */
#define STEPS 64          /* turns that are added up one by one */
#define MOST (INT64_MAX / 4)
#define HANDS 8           /* that a task goes through at most */
/* What is said beside the file's words, generously: how texts from elsewhere are
 * marked, why a reply would not do, and the tools that are ours. */
#define RULES_TOKENS 512
#define REFUSAL_TOKENS 2048
#define BUILTIN_TOKENS 4096

/* A model that agents name, alone or in a list. */
struct model {
	char *name;
	struct ai_tariff tariff;
	struct ai_bpe *bpe;
	const struct ai_kin *kin;
	char why[160]; /* it has no price; "": it has */
};

struct flow_desk {
	const struct flow *f;
	struct ai_value input;
	struct model *models;
	size_t n_models;
	int64_t *of_agent;     /* the most of each, nano-dollars */
	struct flow_cost *alone; /* a run of each, whatever its task, without
				  * those that it asks */
	int64_t *limit;        /* of such a run, nano-dollars */
	struct ai_buf text;    /* what is known of a task's text */
	int64_t besides;       /* tokens at most that are told with it */
	struct ai_buf messages, scratch;
	struct ai_err *err;
};

/* Products and sums of bounds stay bounds. */
static int64_t times(int64_t a, int64_t b)
{
	__int128 p = (__int128)a * b;

	return p > MOST ? MOST : (int64_t)p;
}

static int64_t plus(int64_t a, int64_t b)
{
	return a > MOST - b ? MOST : a + b;
}

/* ---- models -------------------------------------------------------------------- */

static int open_tokens(struct model *m, struct ai_err *err)
{
	const char *name = ai_bpe_encoding_for_model(m->name);

	if (name == NULL && m->tariff.encoding[0] != '\0')
		name = m->tariff.encoding;
	if (name == NULL) {
		m->kin = ai_kin_of(m->name);
		if (m->kin == NULL)
			m->kin = ai_kin_unknown();
		name = AI_BPE_DEFAULT;
	}
	return ai_bpe_open(&m->bpe, name, err);
}

static int open_model(struct flow_desk *d, struct ai_span name, struct model **out)
{
	struct model *more, *m;
	char provider[32] = "";
	struct ai_err why;

	for (size_t i = 0; i < d->n_models; i++)
		if (ai_span_is(name, d->models[i].name)) {
			*out = &d->models[i];
			return 0;
		}
	more = reallocarray(d->models, d->n_models + 1, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(d->err);
	d->models = more;
	m = &more[d->n_models];
	memset(m, 0, sizeof *m);
	m->name = ai_span_dup(name);
	if (m->name == NULL)
		return ai_err_nomem(d->err);
	d->n_models++;
	if (strchr(m->name, '/') != NULL)
		snprintf(provider, sizeof provider, "%.*s",
			 (int)strcspn(m->name, "/"), m->name);
	if (ai_tariff_init(&m->tariff, m->name, provider, NULL, &why) < 0) {
		if (why.code == AI_E_MEMORY)
			return ai_err_nomem(d->err);
		snprintf(m->why, sizeof m->why, "%.150s", why.msg);
	}
	*out = m;
	return open_tokens(m, d->err);
}

/* The next of "a, b" behind *at; false: there is none. */
static bool next_model(const char **at, struct ai_span *name)
{
	*at += strspn(*at, " \t,");
	name->p = *at;
	name->n = strcspn(*at, ",");
	*at += name->n;
	while (name->n > 0 && strchr(" \t", name->p[name->n - 1]) != NULL)
		name->n--;
	return name->n > 0;
}

static const char *models_of(const struct flow_agent *a)
{
	return a->model != NULL && !ai_start_given(&agent.model) ? a->model :
		agent.model != NULL ? agent.model : "";
}

/* Tokens of the longest reply of any of its models. */
static int longest_reply(struct flow_desk *d, size_t agent_n, int64_t *tokens)
{
	const char *at = models_of(&d->f->agents[agent_n]);
	struct ai_span name;
	struct model *m;
	int64_t n;

	*tokens = 0;
	while (next_model(&at, &name)) {
		if (open_model(d, name, &m) < 0)
			return -1;
		n = m->why[0] == '\0' ? ai_tariff_output(&m->tariff,
				agent.max_tokens) : AI_OUTPUT_USUAL;
		if (n > *tokens)
			*tokens = n;
	}
	return 0;
}

/* ---- texts --------------------------------------------------------------------- */

/* What is known before it runs. */
static struct ai_value known(void *arg, const struct flow_piece *piece)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	const struct flow_desk *d = arg;

	return piece->what == FLOW_INPUT ? d->input : none;
}

static int reply_of_task(struct flow_desk *d, const struct flow_task *t,
			 int64_t *tokens)
{
	int64_t n = 0, most = 0;

	if (t->kind == FLOW_AGENT)
		return longest_reply(d, t->agent, tokens);
	for (size_t i = 0; i < t->chat.n_agents; i++) {
		if (longest_reply(d, t->chat.agents[i], &n) < 0)
			return -1;
		if (n > most)
			most = n;
	}
	*tokens = times(most, t->chat.max);
	return 0;
}

/* How many tokens the names in a text stand for at most. */
static int most_of_names(struct flow_desk *d, const struct flow_task *t,
			 const struct flow_text *text, int64_t *most)
{
	const struct flow_task *of;
	int64_t n;

	*most = 0;
	for (size_t i = 0; i < text->n; i++) {
		const struct flow_piece *p = &text->v[i];

		n = p->text != NULL ? 0 : MOST;
		of = p->task != FLOW_NONE ? &d->f->tasks[p->task] : t;
		switch (p->what) {
		case FLOW_NO_NAME:
		case FLOW_NOTES:
			break;
		case FLOW_INPUT:
			if (d->input.kind != AI_NONE)
				n = 0; /* it is in the text */
			break;
		case FLOW_ITEM:
			if (t->over.v[0].what == FLOW_INPUT &&
			    d->input.kind != AI_NONE)
				n = (int64_t)d->input.s.n;
			else if (t->over.v[0].what == FLOW_TASK &&
				 reply_of_task(d, &d->f->tasks[
					       t->over.v[0].task], &n) < 0)
				return -1;
			break;
		case FLOW_TASK:
		case FLOW_LAST:
		case FLOW_OUTPUT:
		case FLOW_MESSAGE:
		case FLOW_TRANSCRIPT:
			if (reply_of_task(d, of, &n) < 0)
				return -1;
			if (p->what == FLOW_TASK && of->map_max > 0)
				n = times(n, of->map_max);
			break;
		default:
			n = NUMBER_TOKENS;
		}
		*most = plus(*most, n);
	}
	return 0;
}

/* ---- a run of an agent --------------------------------------------------------- */

static bool has_tools(const struct flow_agent *a)
{
	bool none = a->with.n == 1 && strcmp(a->with.v[0], "none") == 0;

	return !none || a->tools.n > 0 || a->index != NULL ||
	       a->n_agents > 0 || a->n_handoffs > 0 || a->notes ||
	       a->remembers;
}

static int lower(struct agent_limits *l, const char *json, struct ai_err *err)
{
	struct ai_value v;

	if (json == NULL)
		return 0;
	ai_json_check(json, strlen(json), &v, NULL);
	return agent_limits_lower(l, v, err);
}

/* What stands in a file holds unless a flag says something else. */
static int take_limits(struct agent_limits *l, const char *json,
		       struct ai_err *err)
{
	struct ai_value v;

	if (json == NULL)
		return agent_limits_init(l, &agent.limits, err);
	ai_json_check(json, strlen(json), &v, NULL);
	if (agent_limits_take(l, v, err) < 0)
		return -1;
	return !ai_start_given(&agent.limits) ? 0 :
		agent_limits_set(l, &agent.limits, err);
}

/* The tokens of system text and task, as far as they are known. */
static int count(struct flow_desk *d, const struct model *m,
		 const struct flow_agent *a, struct ai_range *range)
{
	static const struct ai_value none = { AI_NONE, { NULL, 0 } };
	const struct ai_chat chat = { m->bpe, 0, m->name, m->kin };
	struct ai_buf *b = &d->messages;
	struct ai_value v;

	ai_buf_clear(&d->scratch);
	flow_agent_system(a, &d->scratch);
	ai_buf_clear(b);
	ai_put_open(b, '[');
	for (size_t i = 0; i < 2; i++) {
		const struct ai_buf *text = i == 0 ? &d->scratch : &d->text;

		ai_put_open(b, '{');
		ai_put_key(b, "role");
		ai_put_cstr(b, i == 0 ? "system" : "user");
		ai_put_key(b, "content");
		ai_put_str(b, ai_buf_cstr(text), text->len);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	if (ai_buf_check(b, "a task", d->err) < 0 ||
	    ai_json_check(b->p, b->len, &v, d->err) < 0)
		return -1;
	ai_buf_clear(&d->scratch);
	return ai_chat_count(&chat, v, none, &d->scratch, range, d->err);
}

/* One call, at worst. */
static int worst(const struct model *m, int64_t input, int64_t output,
		 int64_t *nano, struct ai_err *err)
{
	const struct ai_ask ask = { .input = input, .output = output };

	return ai_bill_worst(&m->tariff.price, &ask, nano, err);
}

/* All turns of a run: what was said comes again with each. */
static int all_turns(struct flow_desk *d, const struct model *m,
		     const struct agent_limits *l, bool tools, int64_t first,
		     int64_t *nano)
{
	int64_t output = ai_tariff_output(&m->tariff, agent.max_tokens),
		turns = l->v[AGENT_LIMIT_TURNS], input = 0, tokens = 0, n = 0;
	int64_t room = m->tariff.context > 0 ? m->tariff.context :
		plus(l->v[AGENT_LIMIT_TOKENS], output);
	int64_t given = tools ? l->v[AGENT_LIMIT_OUTPUT] : 0;

	*nano = 0;
	for (int64_t k = 0; k < turns; k++) {
		input = plus(plus(first, times(k, output)), k > 0 ? given : 0);
		if (input > room)
			input = room;
		if (worst(m, input, output, &n, d->err) < 0)
			return -1;
		tokens = plus(tokens, plus(input, output));
		if (k >= STEPS) { /* none that follows costs more */
			if (worst(m, room, output, &n, d->err) < 0)
				return -1;
			*nano = plus(*nano, times(turns - k, n));
			break;
		}
		*nano = plus(*nano, n);
		if (tokens >= l->v[AGENT_LIMIT_TOKENS])
			break;
	}
	if (*nano > l->v[AGENT_LIMIT_USD])
		*nano = l->v[AGENT_LIMIT_USD];
	return 0;
}

static int least(struct flow_desk *d, const struct model *m,
		 const struct ai_range *range, int64_t *nano)
{
	struct ai_meter meter = { .reported = -1, .tier = -1 };

	meter.n[AI_UNIT_INPUT] = (int64_t)range->low;
	meter.n[AI_UNIT_OUTPUT] = 1;
	return ai_bill(&m->tariff.price, &meter, AI_TIER_STANDARD, nano,
		       d->err);
}

/* What its tools take to be told of; those of files and servers only they know.
 */
static int64_t tool_tokens(const struct flow_agent *a)
{
	return a->tools.n > 0 ? MOST : has_tools(a) ? BUILTIN_TOKENS : 0;
}

/* What an agent does itself in one run, with d->text as its task and more
 * tokens at most; limit: of that run. */
static int price_own(struct flow_desk *d, size_t agent_n, const char *task_limits,
		     int64_t more, struct flow_cost *c, int64_t *limit)
{
	const struct flow_agent *a = &d->f->agents[agent_n];
	const char *at = models_of(a);
	struct agent_limits limits;
	struct ai_range range;
	struct ai_span name;
	struct model *m;
	int64_t low, high;
	bool any = false;

	*c = (struct flow_cost){ .least = 1, .most = 1 };
	more = plus(more, plus(tool_tokens(a), RULES_TOKENS));
	if (take_limits(&limits, a->limits, d->err) < 0 ||
	    lower(&limits, task_limits, d->err) < 0)
		return -1;
	*limit = limits.v[AGENT_LIMIT_USD];
	while (next_model(&at, &name)) {
		if (open_model(d, name, &m) < 0)
			return -1;
		if (m->why[0] != '\0') {
			memcpy(c->why, m->why, sizeof c->why);
			continue;
		}
		if (count(d, m, a, &range) < 0 ||
		    least(d, m, &range, &low) < 0 ||
		    all_turns(d, m, &limits, has_tools(a),
			      plus((int64_t)range.high, more), &high) < 0)
			return -1;
		c->low = any && c->low < low ? c->low : low;
		c->high = high > c->high ? high : c->high;
		any = true;
	}
	if (!any && c->why[0] == '\0')
		snprintf(c->why, sizeof c->why, "agent '%.64s' has no model: "
			 "name one in the file or with -m", a->name);
	if (c->why[0] != '\0') {
		c->low = 0;
		c->high = -1;
	}
	return 0;
}

static int price_alone(struct flow_desk *d)
{
	for (size_t i = 0; i < d->f->n_agents; i++)
		if (price_own(d, i, NULL, MOST, &d->alone[i],
			      &d->limit[i]) < 0)
			return -1;
	return 0;
}

/* An agent, and all that it may bring in. */
static void reach(const struct flow *f, size_t i, bool *seen)
{
	const struct flow_agent *a = &f->agents[i];

	if (seen[i])
		return;
	seen[i] = true;
	for (size_t k = 0; k < a->n_agents; k++)
		reach(f, a->agents[k], seen);
	for (size_t k = 0; k < a->n_handoffs; k++)
		reach(f, a->handoffs[k], seen);
}

/* Whether one of these costs something; most: the highest limit of a run. */
static bool is_paid(const struct flow_desk *d, const bool *seen,
		    struct flow_cost *c, int64_t *most)
{
	bool paid = false;

	*most = 0;
	for (size_t i = 0; i < d->f->n_agents; i++) {
		if (!seen[i])
			continue;
		if (d->alone[i].why[0] != '\0' && c->why[0] == '\0')
			memcpy(c->why, d->alone[i].why, sizeof c->why);
		paid = paid || d->alone[i].high > 0;
		if (d->limit[i] > *most)
			*most = d->limit[i];
	}
	return paid;
}

/* One run of an agent.  What those cost that it asks falls under the limit of
 * its run; who it is handed on to has a run of his own. */
static int price_run(struct flow_desk *d, size_t agent_n, const char *task_limits,
		     int64_t more, struct flow_cost *c)
{
	const struct flow_agent *a = &d->f->agents[agent_n];
	bool asked[FLOW_AGENTS_MAX] = { false }, next[FLOW_AGENTS_MAX] = {
		false };
	int64_t limit, most;

	if (price_own(d, agent_n, task_limits, more, c, &limit) < 0)
		return -1;
	for (size_t k = 0; k < a->n_agents; k++)
		reach(d->f, a->agents[k], asked);
	for (size_t k = 0; k < a->n_handoffs; k++)
		reach(d->f, a->handoffs[k], next);
	if (is_paid(d, asked, c, &most) && limit > c->high)
		c->high = limit;
	if (is_paid(d, next, c, &most))
		c->high = plus(c->high, times(most, HANDS));
	if (a->n_handoffs > 0)
		c->most += HANDS;
	if (c->why[0] != '\0')
		c->high = -1;
	else if (c->high < c->low) /* it can't be done */
		c->high = c->low;
	return 0;
}

/* ---- a task -------------------------------------------------------------------- */

/* Adds runs to what a task costs; of this agent, so that its budget bounds
 * them; FLOW_NONE: nobody knows of whom. */
static void add_runs(struct flow_desk *d, struct flow_cost *sum,
		     const struct flow_cost *run, int64_t few, int64_t many,
		     size_t agent_n)
{
	sum->low = plus(sum->low, times(run->low, few));
	sum->least = plus(sum->least, times(run->least, few));
	sum->most = plus(sum->most, times(run->most, many));
	if (run->why[0] != '\0') {
		if (sum->why[0] == '\0')
			memcpy(sum->why, run->why, sizeof sum->why);
		sum->high = -1;
	} else if (sum->high >= 0) {
		sum->high = plus(sum->high, times(run->high, many));
	}
	if (agent_n != FLOW_NONE && run->high > 0)
		d->of_agent[agent_n] = plus(d->of_agent[agent_n],
					    times(run->high, many));
}

/* d->text becomes what is known of it; more: what is not. */
static int take_text(struct flow_desk *d, const struct flow_task *t,
		     const struct flow_text *text, int64_t *more)
{
	const struct flow_scope scope = { known, d };

	ai_buf_clear(&d->text);
	if (flow_text_put(text, &scope, &d->text, d->err) < 0 ||
	    most_of_names(d, t, text, more) < 0)
		return -1;
	*more = plus(*more, d->besides);
	return 0;
}

/* How often it is done: items by rounds. */
struct often {
	int64_t few, many;
};

static struct often how_often(const struct flow_desk *d, const struct flow_task *t)
{
	const struct flow_piece *over = t->over.n > 0 ? &t->over.v[0] : NULL;
	struct often o = { 1, 1 };
	struct ai_json_iter it;
	struct ai_value list, v;

	if (t->loop_max > 0) {
		o.many = t->loop_max;
		o.few = t->until == NULL ? t->loop_max : 1;
	}
	if (over != NULL && over->what == FLOW_INPUT &&
	    d->input.kind != AI_NONE) {
		int64_t n = 0;

		list = ai_json_get(d->input, over->path);
		ai_json_iter_init(&it, list);
		while (n < t->map_max && ai_json_next(&it, NULL, &v))
			n++;
		o.few = times(o.few, n);
		o.many = times(o.many, n);
	} else if (over != NULL) {
		o.few = 0;
		o.many = times(o.many, t->map_max);
	}
	if (t->when != NULL)
		o.few = 0;
	return o;
}

static int price_chat(struct flow_desk *d, const struct flow_task *t,
		      struct often o, struct flow_cost *sum)
{
	const struct flow_chat *c = &t->chat;
	int64_t few = c->until == NULL ? c->max : 1, reply, more, share;
	struct flow_cost run, best = { 0 };
	bool any = false;

	if (take_text(d, t, &t->description, &more) < 0 ||
	    reply_of_task(d, t, &reply) < 0)
		return -1;
	more = plus(more, reply);
	for (size_t i = 0; i < c->n_agents; i++) {
		if (price_run(d, c->agents[i], t->limits, more, &run) < 0)
			return -1;
		/* In turn each has its share; else any may say all of it. */
		share = c->chooser == FLOW_NONE ?
			(c->max - (int64_t)i + (int64_t)c->n_agents - 1) /
			(int64_t)c->n_agents : 0;
		if (c->chooser == FLOW_NONE)
			add_runs(d, sum, &run, 0, times(o.many, share),
				 c->agents[i]);
		if (!any || run.why[0] != '\0' || (best.why[0] == '\0' &&
						    run.high > best.high))
			best = (struct flow_cost){ any && best.low < run.low ?
				best.low : run.low, run.high, 1, 1, "" };
		else if (run.low < best.low)
			best.low = run.low;
		if (run.why[0] != '\0')
			memcpy(best.why, run.why, sizeof best.why);
		any = true;
	}
	add_runs(d, sum, &best, times(o.few, few), c->chooser == FLOW_NONE ?
		 0 : times(o.many, c->max), FLOW_NONE);
	if (c->chooser == FLOW_NONE)
		return 0;
	if (price_run(d, c->chooser, t->limits, more, &run) < 0)
		return -1;
	add_runs(d, sum, &run, times(o.few, few), times(o.many, c->max),
		 c->chooser);
	return 0;
}

static int price_task(struct flow_desk *d, const struct flow_task *t,
		      struct flow_cost *sum)
{
	struct often o = how_often(d, t);
	struct flow_cost run;
	int64_t more, reply;

	d->besides = 0;
	if (t->schema != NULL || t->n_guards > 0) {
		if (reply_of_task(d, t, &reply) < 0)
			return -1;
		o.many = times(o.many, t->retries + 1);
		/* An attempt is told of the one before. */
		d->besides = t->retries == 0 ? 0 :
			plus(reply, REFUSAL_TOKENS);
		if (t->schema_json != NULL) /* a token is a byte at least */
			d->besides += 2 * (int64_t)strlen(t->schema_json);
	}
	*sum = (struct flow_cost){ 0 };
	if (t->kind == FLOW_CHAT) {
		if (price_chat(d, t, o, sum) < 0)
			return -1;
	} else {
		if (take_text(d, t, &t->description, &more) < 0 ||
		    price_run(d, t->agent, t->limits, more, &run) < 0)
			return -1;
		add_runs(d, sum, &run, o.few, o.many, t->agent);
	}
	for (size_t i = 0; i < t->n_guards; i++) {
		if (t->guards[i].agent == FLOW_NONE)
			continue;
		if (take_text(d, t, &t->guards[i].ask, &more) < 0 ||
		    reply_of_task(d, t, &reply) < 0 ||
		    price_run(d, t->guards[i].agent, t->limits,
			      plus(more, reply), &run) < 0)
			return -1;
		add_runs(d, sum, &run, o.few, o.many, t->guards[i].agent);
	}
	return 0;
}

/* ---- all of it ----------------------------------------------------------------- */

/* What agents cannot cost, because their budgets bound them. */
static int64_t beyond_budgets(const struct flow_desk *d)
{
	int64_t sum = 0;

	for (size_t i = 0; i < d->f->n_agents; i++) {
		const struct flow_agent *a = &d->f->agents[i];

		/* What others do for it is none of its own. */
		if (a->budget >= 0 && a->n_agents + a->n_handoffs == 0 &&
		    d->of_agent[i] > a->budget)
			sum = plus(sum, d->of_agent[i] - a->budget);
	}
	return sum;
}

static int price_all(struct flow_desk *d, struct flow_costs *c)
{
	const struct flow *f = d->f;
	struct agent_limits limits;

	if (take_limits(&limits, f->limits, d->err) < 0)
		return -1;
	c->limit = limits.v[AGENT_LIMIT_USD];
	for (size_t i = 0; i < f->n_tasks; i++) {
		if (price_task(d, &f->tasks[i], &c->tasks[i]) < 0)
			return -1;
		add_runs(d, &c->all, &c->tasks[i], 1, 1, FLOW_NONE);
	}
	if (c->all.high < 0)
		return 0;
	c->all.high -= beyond_budgets(d);
	if (c->all.high > c->limit)
		c->all.high = c->limit;
	return 0;
}

int flow_desk_price(struct flow_desk *d, struct ai_value input,
		    struct flow_costs *c, struct ai_err *err)
{
	memset(c, 0, sizeof *c);
	d->input = input;
	d->err = err;
	memset(d->of_agent, 0, d->f->n_agents * sizeof *d->of_agent);
	c->tasks = calloc(d->f->n_tasks + 1, sizeof *c->tasks);
	return c->tasks == NULL ? ai_err_nomem(err) : price_all(d, c);
}

int flow_desk_new(struct flow_desk **desk, const struct flow *f,
		  struct ai_err *err)
{
	struct flow_desk *d = calloc(1, sizeof *d);

	*desk = d;
	if (d == NULL)
		return ai_err_nomem(err);
	d->f = f;
	d->err = err;
	ai_buf_init(&d->text, TEXT_MAX);
	ai_buf_init(&d->messages, 8 * TEXT_MAX);
	ai_buf_init(&d->scratch, 8 * TEXT_MAX);
	d->of_agent = calloc(f->n_agents + 1, sizeof *d->of_agent);
	d->alone = calloc(f->n_agents + 1, sizeof *d->alone);
	d->limit = calloc(f->n_agents + 1, sizeof *d->limit);
	if (d->of_agent == NULL || d->alone == NULL || d->limit == NULL)
		return ai_err_nomem(err);
	return price_alone(d);
}

void flow_desk_free(struct flow_desk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_models; i++) {
		free(d->models[i].name);
		ai_bpe_close(d->models[i].bpe);
	}
	free(d->models);
	free(d->of_agent);
	free(d->alone);
	free(d->limit);
	ai_buf_release(&d->text);
	ai_buf_release(&d->messages);
	ai_buf_release(&d->scratch);
	free(d);
}

void flow_costs_release(struct flow_costs *c)
{
	free(c->tasks);
	c->tasks = NULL;
}
