/*
 * delegate.c: a run within a run: the tool that gives a part of the task to
 * another ai-agent.
 *
 * It is named after the call that has begun it, so that a run that is gone on
 * with goes on with it, too.  What it spends is booked under the outermost
 * run, whose budget is the ledger's: no depth and no width gets around it.
 */
#include "agent.h"
#include "child.h"
#include "flags.h"
#include "strlist.h"

#include "base/money.h"
#include "base/path.h"
#include "model/paid.h"
#include "record/rec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Flags that are the outer run's own. */
static const char *const own[] = { "run", "depth", "root", "limit", "path",
				   "as", "raw-output", "jobs", "max-line",
				   "raw-input", "slurp", "exit-status",
				   "unordered", "answer", "again", "done",
				   "all" };

static bool is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

static int put_argv(const struct agent_call *c, struct agent_strings *argv,
		    struct ai_err *err)
{
	const struct agent_run *r = *(struct agent_run *const *)c->tool->of;
	char *self, usd[AI_MONEY_TEXT];
	int rc;

	if (ai_path_sibling("ai-agent", &self, err) < 0)
		return -1;
	rc = agent_strings_add(argv, ai_span_of(self), err);
	free(self);
	if (rc < 0 || agent_flags_argv(argv, is_own, err) < 0)
		return -1;
	ai_money_text(r->limits.v[AGENT_LIMIT_USD], usd);
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
	return agent_strings_fmt(argv, err, "--limit=seconds=%g",
				 agent_run_left_s(r)) < 0 ||
		agent_strings_fmt(argv, err, "--limit=usd=%s", usd) < 0 ||
		agent_strings_fmt(argv, err, "--run=d-%s", c->key) < 0 ||
		agent_strings_fmt(argv, err, "--root=%s", r->root) < 0 ||
		agent_strings_fmt(argv, err, "--depth=%lld",
				  (long long)agent.depth + 1) < 0 ? -1 : 0;
}

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

/*
 * The record of the task.  What a tainted run tells another to do may be the
 * words of a text that it has read: the other is tainted from the start, and
 * may choose the targets that we may.
 */
static int put_task(const struct agent_call *c, struct ai_buf *b,
		    struct ai_err *err)
{
	const struct agent_run *r = *(struct agent_run *const *)c->tool->of;
	const char *by = agent_trust_by(r->trust);
	struct ai_span trusted = agent_trust_text(r->trust);
	struct ai_value v, key, val;
	struct ai_json_iter it;

	if (ai_json_check(c->args.p, c->args.n, &v, err) < 0)
		return -1;
	ai_put_open(b, '{');
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		if (ai_json_is(key, AI_SPAN("tools")) &&
		    r->offered.kind == AI_ARRAY) /* no more than we have */
			continue;
		ai_put_value(b, key);
		ai_buf_chr(b, ':');
		ai_put_value(b, val);
	}
	if (r->offered.kind == AI_ARRAY) {
		ai_put_key(b, "tools");
		put_tools(r, ai_json_get(v, "tools"), b);
	}
	if (by != NULL) {
		ai_put_key(b, "taint");
		ai_put_open(b, '{');
		ai_put_key(b, "by");
		ai_put_cstr(b, by);
		ai_put_key(b, "trusted");
		ai_put_str(b, trusted.p, trusted.n);
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
	return ai_buf_check(b, "the task", err);
}

static int begin(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf task = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_strings argv = { NULL, 0, 0 };
	struct agent_child_spec s = { .name = "delegate", .hold = c->hold,
		.max_out = AGENT_TEXT_MAX,
		.max_err = 4096, .timeout_s = 0 };
	char cwd[4096];
	int rc;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return ai_err_set(err, AI_E_OS, "the current folder is gone");
	c->state = calloc(1, sizeof(struct agent_child));
	if (c->state == NULL)
		return ai_err_nomem(err);
	rc = put_task(c, &task, err) < 0 ? -1 : put_argv(c, &argv, err);
	if (rc == 0) {
		s.input = (struct ai_span){ ai_buf_cstr(&task), task.len };
		s.argv = agent_strings_list(&argv);
		s.env = (const char *const *)environ;
		s.dir = cwd;
		rc = agent_child_start(c->state, &s, err);
	}
	agent_strings_release(&argv);
	ai_buf_release(&task);
	if (rc < 0) {
		free(c->state);
		c->state = NULL;
	}
	return rc;
}

static void await(struct agent_call *c, struct agent_poll *p)
{
	agent_child_wait(c->state, p);
}

/* It can be gone on with: nothing that its model would have to know. */
static bool stands(const struct ai_rec *rec)
{
	struct ai_value code = ai_rec_get(rec, "error.code");

	return ai_json_is(ai_rec_get(rec, "run.status"), AI_SPAN("paused")) ||
		ai_json_is(code, AI_SPAN("unavailable")) ||
		ai_json_is(code, AI_SPAN("try_later"));
}

/* What its record says. */
static void take(struct agent_call *c, struct agent_child *child)
{
	const char *line = ai_buf_cstr(&child->output);
	struct ai_value code;
	struct ai_err err;
	struct ai_rec rec;

	ai_rec_init(&rec);
	if (ai_rec_parse(&rec, (struct ai_span){ line, strcspn(line, "\n") },
			 0, &err) < 0) {
		c->failed = true;
		c->pauses = child->end == AGENT_CHILD_SIGNALED;
		ai_buf_fmt(&c->text, "the run d-%s ", c->key);
		agent_child_say(child, &c->text);
		ai_buf_fmt(&c->text, ": %s", ai_buf_cstr(&child->errors));
	} else {
		code = ai_rec_get(&rec, "error.code");
		c->parks = ai_json_is(code, AI_SPAN("parked"));
		c->pauses = stands(&rec);
		c->failed = code.kind == AI_STRING;
		if (c->parks)
			ai_buf_fmt(&c->text, "the run d-%s that it has begun "
				   "waits for a decision", c->key);
		else if (ai_rec_get(&rec, "run.text").kind == AI_STRING)
			ai_json_text(ai_rec_get(&rec, "run.text"), &c->text);
		if (c->failed && !c->parks) {
			ai_buf_str(&c->text, c->text.len > 0 ? "\n" : "");
			ai_json_text(ai_rec_get(&rec, "error.message"),
				     &c->text);
		}
	}
	ai_rec_release(&rec);
}

static bool turn(struct agent_call *c)
{
	struct agent_child *child = c->state;

	if (!agent_child_turn(child))
		return false;
	take(c, child);
	return true;
}

static void stop(struct agent_call *c)
{
	agent_child_stop(c->state);
}

static void release(struct agent_call *c)
{
	if (c->state != NULL)
		agent_child_release(c->state);
	free(c->state);
	c->state = NULL;
}

int agent_delegate_add(struct agent_tools *t, struct agent_run **current,
		       int64_t fanout, struct ai_err *err)
{
	static const struct agent_tool_kind kind = { .begin = begin,
		.wait = await, .turn = turn, .stop = stop, .release = release };
	const struct agent_tool tool = {
		.name = "delegate",
		.description = "Gives a part of the task, which must be told "
			"in full, to another agent with the same tools, and "
			"gives back its answer.",
		.parameters = AI_SPAN("{\"type\":\"object\",\"properties\":{"
			"\"task\":{\"type\":\"string\",\"minLength\":1},"
			"\"tools\":{\"type\":\"array\",\"items\":{\"type\":"
			"\"string\"},\"description\":\"names of the tools it "
			"may use; all if not given\"}},\"required\":[\"task\"],"
			"\"additionalProperties\":false}"),
		.kind = &kind, .effect = AGENT_IDEMPOTENT,
		.max_output = 1 << 20, .max_calls = fanout,
		.of = current,
	};

	return agent_tools_add(t, &tool, "--delegate", err);
}
