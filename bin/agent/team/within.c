#include "team/within.h"
#include "cage/child.h"
#include "flags.h"
#include "flow/pool.h"
#include "strlist.h"
#include "team/team.h"
#include "worker.h"

#include "base/money.h"
#include "base/path.h"
#include "base/sig.h"
#include "model/paid.h"
#include "record/rec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define HOPS_MAX 8 /* how often a task is handed on */

struct within {
	struct agent_child child;
	const struct agent_run *r;
	int hops;
	/* What one run after the other has told. */
	char by[65];
};

/* ---- its command line ------------------------------------------------------- */

/* Flags that are the outer run's own. */
static const char *const own[] = { "run", "depth", "root", "path", "as",
				   "raw-output", "jobs", "max-line",
				   "raw-input", "slurp", "exit-status",
				   "unordered", "answer", "again", "done",
				   "all", "team", "agent" };

static bool is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

static bool skips(const void *to, const char *name)
{
	return to == &agent.limits || is_own(name);
}

/* What was configured when the run began does not stand before what the file
 * says of another agent. */
static bool skips_for_agent(const void *to, const char *name)
{
	const void *const files[] = { &agent.model, &agent.index, &agent.tools,
				      &agent.with, &agent.workdir,
				      &agent.limits };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (to == files[i] && !agent_flags_given(to))
			return true;
	return is_own(name);
}

/* One as we are may what we may, and as long as we. */
static int put_limits(struct agent_strings *argv, const struct agent_run *r,
		      struct ai_err *err)
{
	char usd[AI_MONEY_TEXT];

	for (size_t i = 0; i < r->limits.n_tools; i++)
		if (agent_strings_fmt(argv, err, "--limit=calls.%s=%lld",
				      r->limits.tool[i].name,
				      (long long)r->limits.tool[i].max) < 0)
			return -1;
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		if (i != AGENT_LIMIT_SECONDS && i != AGENT_LIMIT_USD &&
		    agent_strings_fmt(argv, err, "--limit=%s=%lld",
				      agent_limit_name((enum agent_limit)i),
				      (long long)r->limits.v[i]) < 0)
			return -1;
	ai_money_text(r->limits.v[AGENT_LIMIT_USD], usd);
	return agent_strings_fmt(argv, err, "--limit=seconds=%g",
				 agent_run_left_s(r)) < 0 ||
		agent_strings_fmt(argv, err, "--limit=usd=%s", usd) < 0
		? -1 : 0;
}

/* Who: one of the workflow; NULL: we again, whoever we are. */
static int put_who(struct agent_strings *argv, const struct agent_run *r,
		   const char *who, struct ai_err *err)
{
	if (who == NULL) {
		if (agent_flags_argv(argv, skips, err) < 0 ||
		    put_limits(argv, r, err) < 0)
			return -1;
		who = agent_team() == NULL ? NULL : agent.name;
	} else if (agent_flags_argv(argv, skips_for_agent, err) < 0 ||
		   agent_strings_fmt(argv, err, "--limit=depth=%lld",
				     (long long)r->limits.v[AGENT_LIMIT_DEPTH])
			   < 0) {
		return -1;
	}
	return who != NULL &&
		((agent_is_within() || agent_team_is_kept()
		  ? agent_strings_fmt(argv, err, "--team=%s", agent.team)
		  : agent_strings_fmt(argv, err, "--team=" AGENT_TEAM_RUN
				      "%s", r->root)) < 0 ||
		 agent_strings_fmt(argv, err, "--agent=%s", who) < 0) ? -1 : 0;
}

static int put_argv(struct agent_strings *argv, const struct agent_run *r,
		    const char *who, struct ai_err *err)
{
	char *self;
	int rc;

	if (ai_path_sibling("ai-agent", &self, err) < 0)
		return -1;
	rc = agent_strings_add(argv, ai_span_of(self), err);
	free(self);
	return rc < 0 || put_who(argv, r, who, err) < 0 ||
		agent_strings_fmt(argv, err, "--root=%s", r->root) < 0 ||
		agent_strings_fmt(argv, err, "--depth=%lld",
				  (long long)agent.depth + 1) < 0 ? -1 : 0;
}

/* ---- its record -------------------------------------------------------------- */

/* Of the tools that the task leaves us those that are asked for. */
static void put_tools(const struct agent_run *r, struct ai_value asked,
		      struct ai_buf *b)
{
	struct ai_json_iter it, names;
	struct ai_value name, v;
	bool wanted;

	ai_put_open(b, '[');
	ai_json_iter_init(&it, r->offered);
	while (ai_json_next(&it, NULL, &name)) {
		struct ai_buf text = AI_BUF_INIT(4096);

		wanted = asked.kind != AI_ARRAY;
		ai_json_text(name, &text);
		if (!wanted)
			ai_json_iter_init(&names, asked);
		while (!wanted && ai_json_next(&names, NULL, &v))
			wanted = ai_json_is(v, (struct ai_span){
					    ai_buf_cstr(&text), text.len });
		if (wanted)
			ai_put_value(b, name);
		ai_buf_release(&text);
	}
	ai_put_close(b, ']');
}

/* An agent has limits of its own, and no more than we have of what counts for
 * all: money, time, tokens. */
static void put_lower(const struct agent_run *r, struct ai_buf *b)
{
	int64_t money = r->limits.v[AGENT_LIMIT_USD] - r->used.nano;
	double left = agent_run_left_s(r);
	char usd[AI_MONEY_TEXT];

	ai_money_text(money > 0 ? money : 0, usd);
	ai_put_key(b, "limits");
	ai_put_open(b, '{');
	ai_put_key(b, "usd");
	ai_put_raw(b, usd, strlen(usd));
	ai_put_key(b, "seconds");
	ai_put_f64(b, left > 0 ? left : 0);
	ai_put_key(b, "tokens");
	ai_put_i64(b, r->limits.v[AGENT_LIMIT_TOKENS]);
	ai_put_close(b, '}');
}

/*
 * What a tainted run tells another to do may be the words of a text that it has
 * read: the other is tainted from the start, and may choose the targets that we
 * may.
 */
static void put_taint(const struct agent_run *r, const char *by,
		      struct ai_buf *b)
{
	struct ai_span trusted = agent_trust_text(r->trust);

	if (by == NULL)
		return;
	ai_put_key(b, "taint");
	ai_put_open(b, '{');
	ai_put_key(b, "by");
	ai_put_cstr(b, by);
	ai_put_key(b, "trusted");
	ai_put_str(b, trusted.p, trusted.n);
	ai_put_close(b, '}');
}

struct order {
	const char *who;    /* NULL: one as we are */
	struct ai_value task, tools;
	const char *by;     /* NULL: it is nobody else's word */
};

static int put_record(const struct agent_call *c, const struct within *w,
		      const struct order *o, struct ai_buf *b,
		      struct ai_err *err)
{
	char id[AI_RUN_ID];

	if (w->hops == 0)
		snprintf(id, sizeof(id), "d-%s", c->key);
	else
		snprintf(id, sizeof(id), "d-%s-%d", c->key, w->hops);
	ai_put_open(b, '{');
	ai_put_key(b, "task");
	ai_put_value(b, o->task);
	ai_put_key(b, "run_id");
	ai_put_cstr(b, id);
	if (o->who != NULL) {
		put_lower(w->r, b);
	} else if (w->r->offered.kind == AI_ARRAY) { /* no more than we have */
		ai_put_key(b, "tools");
		put_tools(w->r, o->tools, b);
	} else if (o->tools.kind == AI_ARRAY) {
		ai_put_key(b, "tools");
		ai_put_value(b, o->tools);
	}
	put_taint(w->r, o->by, b);
	agent_limits_put_whole(&w->r->whole, b);
	agent_budget_put(w->r, b);
	ai_put_close(b, '}');
	return ai_buf_check(b, "the task", err);
}

static int start(struct agent_call *c, struct within *w,
		 const struct order *o, struct ai_err *err)
{
	struct ai_buf record = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_strings argv = { NULL, 0, 0 };
	struct agent_child_spec s = { .name = c->tool->name, .hold = c->hold,
		.max_out = AGENT_TEXT_MAX,
		.max_err = 4096, .timeout_s = 0 };
	char cwd[4096];
	int rc;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return ai_err_set(err, AI_E_OS, "the current folder is gone");
	rc = put_record(c, w, o, &record, err) < 0 ? -1 :
		put_argv(&argv, w->r, o->who, err);
	if (rc == 0) {
		s.input = (struct ai_span){ ai_buf_cstr(&record), record.len };
		s.argv = agent_strings_list(&argv);
		s.env = (const char *const *)environ;
		s.dir = cwd;
		if (agent_is_within()) {
			s.grace_ms = FLOW_POOL_GRACE_MS;
			s.linger_ms = flow_pool_linger_ms();
		}
		rc = agent_child_start(&w->child, &s, err);
	}
	agent_strings_release(&argv);
	ai_buf_release(&record);
	return rc;
}

int agent_within_begin(struct agent_call *c, const struct agent_run *r,
		       const char *who, struct ai_err *err)
{
	struct order o = { .who = who, .by = agent_trust_by(r->trust) };
	struct within *w = calloc(1, sizeof(*w));
	struct ai_value args;
	int rc;

	if (w == NULL)
		return ai_err_nomem(err);
	w->r = r;
	rc = ai_json_check(c->args.p, c->args.n, &args, err);
	if (rc == 0) {
		o.task = ai_json_get(args, "task");
		o.tools = ai_json_get(args, "tools");
		rc = start(c, w, &o, err);
	}
	if (rc < 0)
		free(w);
	else
		c->state = w;
	return rc;
}

void agent_within_wait(struct agent_call *c, struct agent_poll *p)
{
	const struct within *w = c->state;

	agent_child_wait(&w->child, p);
}

/* ---- what came of it -------------------------------------------------------- */

/* It can be gone on with: nothing that its model would have to know. */
static bool stands(const struct ai_rec *rec)
{
	struct ai_value code = ai_rec_get(rec, "error.code");

	return ai_json_is(ai_rec_get(rec, "run.status"), AI_SPAN("paused")) ||
		ai_json_is(code, AI_SPAN("unavailable")) ||
		ai_json_is(code, AI_SPAN("try_later"));
}

/* What it has cost, with all that it has begun itself. */
static void take_cost(struct agent_call *c, const struct ai_rec *rec)
{
	struct ai_value cost = ai_rec_get(rec, "run.cost_usd");
	struct ai_err err;
	int64_t nano;

	if (cost.kind == AI_NUMBER &&
	    ai_money_parse_up(cost.s, &nano, &err) == 0)
		c->spent += nano;
}

/* Whose words its answer may be. */
static void take_taint(struct agent_call *c, struct within *w,
		       const struct ai_rec *rec)
{
	struct ai_value by = ai_rec_get(rec, "run.tainted_by");
	struct ai_buf name = AI_BUF_INIT(sizeof(w->by) - 1);

	if (by.kind == AI_STRING) {
		ai_json_text(by, &name);
		snprintf(w->by, sizeof(w->by), "%s", name.len > 0
			 ? ai_buf_cstr(&name) : c->tool->name);
	}
	ai_buf_release(&name);
	c->clean = w->by[0] == '\0' &&
		ai_rec_get(rec, "run.id").kind == AI_STRING;
	memcpy(c->by, w->by, sizeof(c->by));
}

/* true: another agent goes on with the task. */
static bool follow(struct agent_call *c, struct within *w,
		   const struct ai_rec *rec)
{
	const struct flow *f = agent_team();
	struct ai_value to = ai_rec_get(rec, "run.handoff.to");
	struct ai_buf name = AI_BUF_INIT(FLOW_NAME);
	struct order o = { .task = ai_rec_get(rec, "run.handoff.task") };
	struct ai_err err;
	size_t i;
	int rc = -1;

	if (to.kind != AI_STRING || o.task.kind != AI_STRING || f == NULL)
		return false;
	ai_json_text(to, &name);
	i = flow_find_agent(f, (struct ai_span){ ai_buf_cstr(&name),
						 name.len });
	o.who = i == FLOW_NONE ? NULL : f->agents[i].name;
	o.by = w->by[0] != '\0' ? w->by : agent_trust_by(w->r->trust);
	agent_child_release(&w->child);
	memset(&w->child, 0, sizeof(w->child));
	if (o.who == NULL)
		ai_err_set(&err, AI_E_CONFIG, "there is no agent '%.80s'",
			   ai_buf_cstr(&name));
	else if (++w->hops > HOPS_MAX)
		ai_err_set(&err, AI_E_LIMIT, "the task was handed on more than "
			   "%d times", HOPS_MAX);
	else
		rc = start(c, w, &o, &err);
	if (rc < 0) {
		c->failed = true;
		ai_buf_str(&c->text, err.msg);
	}
	ai_buf_release(&name);
	return rc == 0;
}

/* What its record says. */
static void take(struct agent_call *c, const struct ai_rec *rec)
{
	struct ai_value code = ai_rec_get(rec, "error.code");

	c->parks = ai_json_is(code, AI_SPAN("parked"));
	c->pauses = stands(rec);
	c->failed = c->broken = code.kind == AI_STRING;
	if (c->parks)
		ai_buf_fmt(&c->text, "the run d-%s that it has begun waits "
			   "for a decision", c->key);
	else if (ai_rec_get(rec, "run.text").kind == AI_STRING)
		ai_json_text(ai_rec_get(rec, "run.text"), &c->text);
	if (c->failed && !c->parks) {
		ai_buf_str(&c->text, c->text.len > 0 ? "\n" : "");
		ai_json_text(ai_rec_get(rec, "error.message"), &c->text);
	}
}

bool agent_within_turn(struct agent_call *c)
{
	struct within *w = c->state;
	struct ai_buf output;
	const char *line;
	struct ai_err err;
	struct ai_rec rec;
	bool ended = true;

	if (!agent_child_turn(&w->child))
		return false;
	output = w->child.output; /* it outlives the child */
	ai_buf_init(&w->child.output, 0);
	line = ai_buf_cstr(&output);
	ai_rec_init(&rec);
	if (ai_rec_parse(&rec, (struct ai_span){ line, strcspn(line, "\n") },
			 0, &err) < 0) {
		c->failed = c->broken = true;
		c->pauses = w->child.end == AGENT_CHILD_SIGNALED;
		ai_buf_fmt(&c->text, "the run d-%s ", c->key);
		agent_child_say(&w->child, &c->text);
		ai_buf_fmt(&c->text, ": %s", ai_buf_cstr(&w->child.errors));
	} else {
		take_cost(c, &rec);
		take_taint(c, w, &rec);
		if (ai_rec_get(&rec, "run.handoff").kind == AI_OBJECT)
			ended = !follow(c, w, &rec);
		else
			take(c, &rec);
	}
	ai_rec_release(&rec);
	ai_buf_release(&output);
	return ended;
}

/* Of a workflow's agents one that has to end at once leaves those that it has
 * asked to their wardens: what they are answered is paid for (flow/pool.h). */
void agent_within_stop(struct agent_call *c)
{
	struct within *w = c->state;

	if (agent_is_within() && ai_sig_asked() == AI_SIG_NOW)
		agent_child_leave(&w->child);
	agent_child_stop(&w->child);
}

void agent_within_release(struct agent_call *c)
{
	struct within *w = c->state;

	if (w != NULL)
		agent_child_release(&w->child);
	free(w);
	c->state = NULL;
}
