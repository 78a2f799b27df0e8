/* guard.c: whether what a task gave will do. */
#include "flow/run.h"
#include "tool/tools-file.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND_S 30.0 /* that a command may take */
#define QUOTED 2000 /* bytes of what was not taken that its maker is shown */

/* ---- the schema ---------------------------------------------------------------- */

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

/* What stands in the first fence of a text; models like to put one around
 * JSON. */
static struct ai_span in_fence(struct ai_span s)
{
	const char *from = memmem(s.p, s.n, "```", 3), *end = s.p + s.n, *to;

	if (from == NULL)
		return s;
	from = memchr(from, '\n', (size_t)(end - from));
	if (from == NULL)
		return s;
	to = memmem(from, (size_t)(end - from), "```", 3);
	return (struct ai_span){ from, (size_t)((to != NULL ? to : end) -
						from) };
}

int flow_guard_schema(const struct flow_task *t, struct flow_job *job,
		      bool *fits, struct ai_err *err)
{
	struct ai_span text = trim((struct ai_span){ ai_buf_cstr(&job->text),
						     job->text.len });
	struct ai_value v;
	struct ai_err why;

	ai_buf_clear(&job->value);
	ai_buf_clear(&job->why);
	*fits = true;
	if (t->schema == NULL) {
		ai_put_str(&job->value, ai_buf_cstr(&job->text),
			   job->text.len);
		return ai_buf_check(&job->value, "what a task gave", err);
	}
	if (ai_json_check(text.p, text.n, &v, &why) < 0) {
		text = trim(in_fence(text));
		*fits = ai_json_check(text.p, text.n, &v, &why) == 0;
	}
	if (*fits && ai_schema_check(t->schema, v.s.p, v.s.n, &why) < 0) {
		if (why.code == AI_E_MEMORY) {
			*err = why;
			return -1;
		}
		*fits = false;
	}
	if (*fits)
		ai_buf_add(&job->value, v.s.p, v.s.n);
	else
		ai_buf_fmt(&job->why, "it is not the JSON that was asked for: "
			   "%s", why.msg);
	return ai_buf_check(&job->value, "what a task gave", err);
}

void flow_guard_say_schema(const struct flow_task *t, struct ai_buf *b)
{
	if (t->schema != NULL)
		ai_buf_fmt(b, "\n\nAnswer with JSON alone, which satisfies "
			   "this JSON Schema:\n%s", t->schema_json);
}

/* ---- commands --------------------------------------------------------------------- */

/* The time that a doing of the task may take binds it, too. */
static double seconds_of(const struct flow_task *t)
{
	double s = COMMAND_S, own;
	struct ai_value v;
	struct ai_err err;

	if (t->limits != NULL &&
	    ai_json_check(t->limits, strlen(t->limits), &v, &err) == 0 &&
	    ai_json_f64(ai_json_member(v, AI_SPAN("seconds")), &own) == 0 &&
	    own < s)
		s = own > 0.001 ? own : 0.001;
	return s;
}

/* One is a tool that reads the output; its name says whose it is. */
static void put_tool(const struct flow *f, size_t task, size_t n,
		     struct ai_buf *b)
{
	const struct flow_guardrail *g = &f->tasks[task].guards[n];
	char name[64];

	snprintf(name, sizeof(name), "guardrail_%zu_%zu", task, n);
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, name);
	ai_put_key(b, "description");
	ai_put_cstr(b, "a guardrail");
	ai_put_key(b, "parameters");
	ai_buf_str(b, "{\"type\":\"object\",\"properties\":{\"output\":"
		   "{\"type\":\"string\"}},\"required\":[\"output\"]}");
	ai_put_key(b, "stdin");
	ai_put_cstr(b, "{output}");
	ai_put_key(b, "effect");
	ai_put_cstr(b, "pure");
	ai_put_key(b, "timeout_s");
	ai_put_f64(b, seconds_of(&f->tasks[task]));
	ai_put_key(b, "command");
	ai_put_open(b, '[');
	for (size_t i = 0; i < g->command.n; i++) {
		struct ai_buf arg = AI_BUF_INIT(1 << 20);

		/* Its braces mean nothing here. */
		for (const char *p = g->command.v[i]; *p != '\0'; p++) {
			if (*p == '{')
				ai_buf_chr(&arg, '{');
			ai_buf_chr(&arg, *p);
		}
		ai_put_cstr(b, ai_buf_cstr(&arg));
		ai_buf_release(&arg);
	}
	ai_put_close(b, ']');
	ai_put_close(b, '}');
}

int flow_guard_open(struct flow_work *w, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX * 4);
	struct agent_servers servers = { NULL, 0 };
	size_t n = 0;
	int rc = 0;

	ai_put_open(&b, '{');
	ai_put_key(&b, "tools");
	ai_put_open(&b, '[');
	for (size_t i = 0; i < w->flow->n_tasks; i++)
		for (size_t k = 0; k < w->flow->tasks[i].n_guards; k++)
			if (w->flow->tasks[i].guards[k].command.n > 0) {
				put_tool(w->flow, i, k, &b);
				n++;
			}
	ai_put_close(&b, ']');
	ai_put_close(&b, '}');
	rc = ai_buf_check(&b, "the guardrails", err);
	if (rc == 0 && n > 0)
		rc = agent_tools_parse(&w->tools, b.p, b.len, w->flow->path,
				       w->sandbox.workdir, &w->sandbox,
				       &servers, err);
	agent_servers_release(&servers);
	ai_buf_release(&b);
	return rc;
}

static void make_name(const struct flow_work *w, const struct flow_job *job,
		      char name[FLOW_STEP_NAME])
{
	flow_ask_name(w, job, '?', job->guard, false, name);
}

static int set_intent(const struct flow_work *w, const struct flow_job *job,
		      struct flow_step *s, struct ai_err *err)
{
	const struct flow_guardrail *g =
		&w->flow->tasks[job->task].guards[job->guard];
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "tool");
	ai_put_cstr(&b, "guardrail");
	ai_put_key(&b, "step");
	ai_put_cstr(&b, s->name);
	ai_put_key(&b, "arguments");
	ai_put_open(&b, '{');
	ai_put_key(&b, "command");
	ai_put_open(&b, '[');
	for (size_t i = 0; i < g->command.n; i++)
		ai_put_cstr(&b, g->command.v[i]);
	ai_put_close(&b, ']');
	ai_put_close(&b, '}');
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->intent, &b, err);
	ai_buf_release(&b);
	return rc;
}

static int begin_call(struct flow_work *w, struct flow_job *job,
		      struct ai_err *err)
{
	struct agent_call *c = &job->call;
	struct ai_buf args = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "guardrail_%zu_%zu", job->task,
		 job->guard);
	memset(c, 0, sizeof(*c));
	c->tool = agent_tools_find(&w->tools, ai_span_of(name));
	if (c->tool == NULL)
		return ai_err_set(err, AI_E_BUG, "there is no '%s'", name);
	ai_buf_init(&c->note, 4096);
	ai_buf_init(&c->text, AGENT_TEXT_MAX);
	c->hold = w->journal.run.hold;
	memcpy(c->key, job->step->key, sizeof(c->key));
	job->called = true;
	ai_put_open(&args, '{');
	ai_put_key(&args, "output");
	ai_put_str(&args, ai_buf_cstr(&job->text), job->text.len);
	ai_put_close(&args, '}');
	rc = ai_buf_check(&args, "what a task gave", err);
	c->args = (struct ai_span){ args.p, args.len };
	if (rc == 0)
		rc = c->tool->kind->begin(c, err);
	c->args = (struct ai_span){ NULL, 0 };
	ai_buf_release(&args);
	return rc;
}

static void end_call(struct flow_job *job)
{
	struct agent_call *c = &job->call;

	if (!job->called)
		return;
	if (c->tool->kind->release != NULL)
		c->tool->kind->release(c);
	ai_buf_release(&c->note);
	ai_buf_release(&c->text);
	job->called = false;
}

void flow_guard_stop(struct flow_job *job)
{
	if (job->called && job->call.tool->kind->stop != NULL)
		job->call.tool->kind->stop(&job->call);
	end_call(job);
}

int flow_guard_begin(struct flow_work *w, struct flow_job *job,
		     struct ai_err *err)
{
	char name[FLOW_STEP_NAME];

	make_name(w, job, name);
	job->step = flow_journal_find(&w->journal, name);
	if (job->step != NULL && job->step->state == AI_STEP_DONE)
		return 1;
	if (w->journal.run.replay || w->stop.status != 0 || w->signal != 0) {
		job->step = NULL;
		job->stands = true;
		return 0;
	}
	if (job->step == NULL)
		job->step = flow_journal_add(&w->journal, name, err);
	if (job->step == NULL || set_intent(w, job, job->step, err) < 0)
		return -1;
	job->step->state = AI_STEP_STARTED;
	job->step->job = job;
	if (flow_journal_touch(&w->journal, job->step, err) < 0)
		return -1;
	if (begin_call(w, job, err) == 0)
		return 0;
	/* It cannot be started: it would be so for each attempt. */
	end_call(job);
	return err->code == AI_E_MEMORY || err->code == AI_E_BUG ||
		err->code == AI_E_OS ||
		flow_step_end(&w->journal, job->step, true, err->code,
			      ai_span_of(err->msg), err) < 0 ? -1 : 1;
}

int flow_guard_turn(struct flow_work *w, struct flow_job *job, bool *there,
		    bool *passes, struct ai_err *err)
{
	struct flow_answer a;
	int rc = 0;

	*there = false;
	if (job->called) {
		if (!job->call.tool->kind->turn(&job->call))
			return 0;
		rc = flow_step_end(&w->journal, job->step, job->call.failed,
				job->call.broken ? AI_E_UNAVAILABLE : AI_E_NONE,
				(struct ai_span){ ai_buf_cstr(&job->call.text),
						  job->call.text.len }, err);
		end_call(job);
	}
	flow_answer_init(&a);
	if (rc == 0)
		rc = flow_ask_take(w, job, &a, there, err);
	if (rc == 0 && *there) {
		*passes = !a.failed;
		if (a.code != AI_E_NONE)
			flow_job_blame(job, &a, "nobody has judged it");
		else
			ai_buf_clear(&job->why);
		if (a.failed && a.code == AI_E_NONE)
			ai_buf_add(&job->why, a.text.p,
				   ai_utf8_floor(a.text.p, a.text.len,
						 a.text.len < QUOTED
						 ? a.text.len : QUOTED));
	}
	flow_answer_release(&a);
	return rc;
}

/* ---- judges ------------------------------------------------------------------------- */

static bool begins(struct ai_span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && strncasecmp(s.p, word, n) == 0 &&
		(s.n == n || strchr(" \t\r\n.,;:!-*", s.p[n]) != NULL);
}

bool flow_guard_judge(const struct flow_answer *a, struct ai_buf *why)
{
	struct ai_span s = trim((struct ai_span){ ai_buf_cstr(&a->text),
						  a->text.len });
	struct ai_span json = trim(in_fence(s));
	struct ai_value v, pass;
	struct ai_err err;
	bool passes;

	if (ai_json_check(json.p, json.n, &v, &err) == 0 &&
	    v.kind == AI_OBJECT) {
		pass = ai_json_member(v, AI_SPAN("pass"));
		passes = ai_json_true(pass);
	} else {
		while (s.n > 0 && strchr("*_#`\"' ", s.p[0]) != NULL) {
			s.p++;
			s.n--;
		}
		passes = begins(s, "yes") || begins(s, "ok") ||
			begins(s, "pass") || begins(s, "passes") ||
			begins(s, "passed");
	}
	ai_buf_clear(why);
	if (!passes)
		ai_buf_add(why, a->text.p, ai_utf8_floor(a->text.p, a->text.len,
			a->text.len < QUOTED ? a->text.len : QUOTED));
	return passes;
}
