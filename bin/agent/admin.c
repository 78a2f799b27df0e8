/* admin.c: what was run, for people and for programs. */
#include "worker.h"
#include "say.h"
#include "team/team.h"

#include "base/money.h"
#include "base/msg.h"
#include "model/paid.h"
#include "record/loop.h"
#include "record/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct out {
	struct ai_writer w;
	struct ai_buf line;
	struct ai_err *err;
	size_t rows;
};

static void out_init(struct out *o, struct ai_err *err)
{
	ai_writer_init(&o->w, STDOUT_FILENO);
	ai_buf_init(&o->line, 4 * AGENT_TEXT_MAX);
	o->err = err;
	o->rows = 0;
}

static int out_end(struct out *o, int rc)
{
	if (rc >= 0 && ai_writer_flush(&o->w, o->err) < 0)
		rc = -1;
	ai_writer_release(&o->w);
	ai_buf_release(&o->line);
	return rc < 0 ? -1 : 0;
}

static int out_line(struct out *o)
{
	int rc;

	ai_buf_chr(&o->line, '\n');
	rc = ai_buf_check(&o->line, "a line", o->err) < 0 ? -1 :
		ai_writer_add(&o->w, o->line.p, o->line.len, o->err);
	ai_buf_clear(&o->line);
	o->rows++;
	return rc;
}

enum clock { ISO, MINUTE, SECOND };

static void put_time(struct ai_buf *b, int64_t ms, enum clock how)
{
	time_t s = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	localtime_r(&s, &tm);
	if (how == ISO)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	else if (how == MINUTE)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	else
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	ai_buf_str(b, text);
}

static void put_iso(struct ai_buf *b, const char *name, int64_t ms)
{
	struct ai_buf text = AI_BUF_INIT(60);

	put_time(&text, ms, ISO);
	ai_put_key(b, name);
	ai_put_cstr(b, ai_buf_cstr(&text));
	ai_buf_release(&text);
}

static void put_usd(struct ai_buf *b, int64_t nano)
{
	char money[AI_MONEY_TEXT];

	ai_money_text(nano, money);
	ai_put_key(b, "cost_usd");
	ai_put_raw(b, money, strlen(money));
}

/* ---- history ------------------------------------------------------------------------ */

/* The task of a record: the words, or what there is. */
static void say_task(struct ai_buf *b, struct ai_span task, size_t max)
{
	static const char *const paths[] = { "task", "prompt", "text", "query" };
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_value v, t = { AI_NONE, { NULL, 0 } };
	struct ai_err err;

	if (ai_json_check(task.p, task.n, &v, &err) == 0)
		for (size_t i = 0; i < 4 && t.kind != AI_STRING; i++)
			t = ai_json_get(v, paths[i]);
	if (t.kind == AI_STRING)
		ai_json_text(t, &text);
	else
		ai_buf_add(&text, task.p, task.n);
	agent_say_text(b, (struct ai_span){ ai_buf_cstr(&text), text.len },
		       max);
	ai_buf_release(&text);
}

static const char *status_of(const struct ai_run_row *r)
{
	return r->status == AI_RUN_OPEN ? r->pid != 0 ? "running"
						      : "interrupted"
		: ai_run_status_name(r->status);
}

static int put_run(void *arg, const struct ai_run_row *r)
{
	struct out *o = arg;
	char money[AI_MONEY_TEXT];
	struct ai_buf *b = &o->line;

	if (ai_loop.plain_out) {
		if (o->rows == 0)
			ai_buf_str(b, "run                               begun"
				   "             status       steps      cost  "
				   "task\n");
		ai_money_show(r->amount, money);
		ai_buf_fmt(b, "%-32s  ", r->id);
		put_time(b, r->created, MINUTE);
		ai_buf_fmt(b, "  %-11s  %5lld  %8s  ", status_of(r),
			   (long long)r->steps, money);
		say_task(b, r->task, 60);
		return out_line(o);
	}
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_cstr(b, r->id);
	ai_put_key(b, "root");
	ai_put_cstr(b, r->root);
	ai_put_key(b, "status");
	ai_put_cstr(b, status_of(r));
	put_iso(b, "created", r->created);
	put_iso(b, "changed", r->changed);
	ai_put_key(b, "seconds");
	ai_put_f64(b, (double)r->spent_ms / 1e3);
	ai_put_key(b, "steps");
	ai_put_i64(b, r->steps);
	put_usd(b, r->amount);
	ai_put_key(b, "task");
	ai_put_raw(b, r->task.p, r->task.n);
	if (r->note.p != NULL) {
		ai_put_key(b, "note");
		ai_put_raw(b, r->note.p, r->note.n);
	}
	ai_put_close(b, '}');
	return out_line(o);
}

/* A ledger that is not there has no runs; *l is NULL then. */
static int open_read(struct ai_ledger **l, struct ai_err *err)
{
	char path[4096];

	*l = NULL;
	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_USAGE, "--ledger none: there is no "
				  "ledger to look at");
	ai_ledger_path(ai_paid.ledger, path, sizeof(path));
	return access(path, F_OK) < 0 && errno == ENOENT ? 0 :
		ai_ledger_open_read(l, ai_paid.ledger, err);
}

int agent_history(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	struct out o;
	int rc;

	(void)argv;
	if (argc > 0)
		return ai_err_set(err, AI_E_USAGE, "usage: ai-agent history");
	if (open_read(&l, err) < 0)
		return -1;
	if (l == NULL)
		return 0;
	out_init(&o, err);
	rc = ai_run_list(l, put_run, &o, err);
	ai_ledger_close(l);
	return out_end(&o, rc);
}

/* ---- show --------------------------------------------------------------------------- */

static const char *const kinds[] = { [AI_STEP_MODEL] = "model",
				     [AI_STEP_CALL] = "call" };
static const char *const states[] = {
	[AI_STEP_PLANNED] = "planned", [AI_STEP_STARTED] = "started",
	[AI_STEP_WAITING] = "waiting", [AI_STEP_DONE] = "done",
};

static void say_member(struct ai_buf *b, const char *what, struct ai_value v)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);

	if (v.kind == AI_STRING) {
		ai_json_text(v, &text);
	} else if (v.kind != AI_NONE && v.kind != AI_NULL) {
		ai_buf_add(&text, v.s.p, v.s.n);
	}
	if (text.len > 0) {
		ai_buf_fmt(b, "\n     %s", what);
		agent_say_lines(b, (struct ai_span){ text.p, text.len }, 20000,
				5);
	}
	ai_buf_release(&text);
}

/* A step for people. */
static void say_step(struct ai_buf *b, const struct ai_step *s)
{
	struct ai_value intent = { AI_NONE, { NULL, 0 } }, result = intent;
	char money[AI_MONEY_TEXT];
	struct ai_err err;

	if (s->intent.p != NULL)
		ai_json_check(s->intent.p, s->intent.n, &intent, &err);
	if (s->result.p != NULL)
		ai_json_check(s->result.p, s->result.n, &result, &err);
	ai_buf_fmt(b, "%3lld  ", (long long)s->n);
	put_time(b, s->changed, SECOND);
	ai_buf_str(b, "  ");
	if (s->kind == AI_STEP_MODEL) {
		ai_money_show(s->amount, money);
		ai_buf_fmt(b, "model  %s", money);
		say_member(b, "", ai_json_get(result, "text"));
		say_member(b, "of no use: ", ai_json_get(result, "error"));
		return;
	}
	ai_buf_str(b, "call   ");
	if (ai_json_get(intent, "tool").kind == AI_STRING) {
		struct ai_buf name = AI_BUF_INIT(4096);

		ai_json_text(ai_json_get(intent, "tool"), &name);
		agent_say_text(b, (struct ai_span){ ai_buf_cstr(&name),
						    name.len }, 100);
		ai_buf_release(&name);
	}
	if (s->state != AI_STEP_DONE)
		ai_buf_fmt(b, "  (%s)", states[s->state]);
	say_member(b, "", ai_json_get(intent, "arguments"));
	say_member(b, "why: ", ai_json_get(intent, "why"));
	say_member(b, ai_json_true(ai_json_get(result, "failed"))
		   ? "failed: " : "gave: ", ai_json_get(result, "text"));
}

static int put_step(void *arg, const struct ai_step *s)
{
	struct out *o = arg;
	struct ai_buf *b = &o->line;

	if (s->kind > AI_STEP_CALL || s->kind < AI_STEP_MODEL ||
	    s->state > AI_STEP_DONE || s->state < AI_STEP_PLANNED) {
		ai_err_set(o->err, AI_E_DATA, "step %lld is damaged in the "
			   "ledger", (long long)s->n);
		return -1;
	}
	if (ai_loop.plain_out) {
		say_step(b, s);
		return out_line(o);
	}
	ai_put_open(b, '{');
	ai_put_key(b, "step");
	ai_put_i64(b, s->n);
	ai_put_key(b, "kind");
	ai_put_cstr(b, kinds[s->kind]);
	ai_put_key(b, "state");
	ai_put_cstr(b, states[s->state]);
	put_iso(b, "created", s->created);
	put_iso(b, "changed", s->changed);
	put_usd(b, s->amount);
	if (s->key[0] != '\0') {
		ai_put_key(b, "key");
		ai_put_cstr(b, s->key);
	}
	if (s->said[0] != '\0') {
		ai_put_key(b, "said");
		ai_put_cstr(b, s->said);
	}
	if (s->intent.p != NULL) {
		ai_put_key(b, "intent");
		ai_put_raw(b, s->intent.p, s->intent.n);
	}
	if (s->result.p != NULL) {
		ai_put_key(b, "result");
		ai_put_raw(b, s->result.p, s->result.n);
	}
	ai_put_close(b, '}');
	return out_line(o);
}

static int head(void *arg, const struct ai_run_row *r)
{
	struct out *o = arg;
	char money[AI_MONEY_TEXT];

	if (!ai_loop.plain_out)
		return 0;
	ai_money_show(r->amount, money);
	ai_buf_fmt(&o->line, "run %s: %s, %lld steps, %s, %.1f s", r->id,
		   status_of(r), (long long)r->steps, money,
		   (double)r->spent_ms / 1e3);
	if (r->note.p != NULL) {
		ai_buf_str(&o->line, "\n     ");
		agent_say_text(&o->line, r->note, 1000);
	}
	ai_buf_str(&o->line, "\n     ");
	say_task(&o->line, r->task, 2000);
	return out_line(o);
}

int agent_show(int argc, char **argv, struct ai_err *err)
{
	char id[AI_RUN_ID];
	struct ai_ledger *l;
	struct out o;
	int rc;

	if (argc != 1)
		return ai_err_set(err, AI_E_USAGE, "usage: ai-agent show RUN");
	if (open_read(&l, err) < 0)
		return -1;
	if (l == NULL)
		return ai_err_set(err, AI_E_USAGE, "there is no run '%.80s': "
				  "there is no ledger yet", argv[0]);
	out_init(&o, err);
	err->code = AI_E_NONE;
	rc = ai_run_find(l, argv[0], id, err);
	if (rc == 0)
		rc = ai_run_get(l, id, head, &o, err);
	if (rc >= 0)
		rc = ai_run_steps(l, id, put_step, &o, err);
	if (rc >= 0 && err->code != AI_E_NONE)
		rc = -1;
	ai_ledger_close(l);
	return out_end(&o, rc);
}

/* ---- rm, tools ------------------------------------------------------------------------ */

static int nothing(void *arg, const struct ai_run_row *row)
{
	(void)arg;
	(void)row;
	return 0;
}

/* One that has gone with another of the operands is gone. */
static int remove_run(struct ai_ledger *l, const char *id, struct ai_err *err)
{
	int64_t within;
	int there = ai_run_get(l, id, nothing, NULL, err);

	if (there <= 0)
		return there;
	if (ai_run_remove(l, id, &within, err) < 0)
		return -1;
	if (within > 0)
		ai_msg(AI_MSG_WARN, "with '%s' went %lld runs within it", id,
		       (long long)within);
	return 0;
}

int agent_rm(int argc, char **argv, struct ai_err *err)
{
	char (*ids)[AI_RUN_ID] = calloc((size_t)argc + 1, sizeof(*ids));
	struct ai_ledger *l = NULL;
	int rc = 0;

	if (ids == NULL)
		return ai_err_nomem(err);
	if (argc == 0)
		rc = ai_err_set(err, AI_E_USAGE, "usage: ai-agent rm RUN...");
	if (rc == 0)
		rc = ai_ledger_open(&l, ai_paid.ledger, err);
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = ai_run_find(l, argv[i], ids[i], err);
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = remove_run(l, ids[i], err);
	if (l != NULL)
		ai_ledger_close(l);
	free(ids);
	return rc;
}

static int put_tool(struct out *o, const struct agent_tool *t)
{
	static const char *const effects[] = { "pure", "idempotent", "verify",
					       "transactional", "once" };
	struct ai_buf *b = &o->line;

	if (ai_loop.plain_out) {
		ai_buf_fmt(b, "%-24s  %-13s  %-7s  ", t->name,
			   effects[t->effect], t->writes ? "writes" :
			   t->sends ? "sends" : "");
		agent_say_text(b, ai_span_of(t->description), 100);
		return out_line(o);
	}
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, t->name);
	ai_put_key(b, "description");
	ai_put_cstr(b, t->description);
	ai_put_key(b, "effect");
	ai_put_cstr(b, effects[t->effect]);
	ai_put_key(b, "writes");
	ai_put_bool(b, t->writes);
	ai_put_key(b, "sends");
	ai_put_bool(b, t->sends);
	ai_put_key(b, "trusted");
	ai_put_bool(b, t->trusted);
	ai_put_key(b, "parameters");
	ai_put_raw(b, t->parameters.p, t->parameters.n);
	ai_put_close(b, '}');
	return out_line(o);
}

int agent_list_tools(int argc, char **argv, struct ai_err *err)
{
	struct agent_worker w;
	struct out o;
	int rc;

	(void)argv;
	if (argc > 0)
		return ai_err_set(err, AI_E_USAGE, "usage: ai-agent tools "
				  "[options]");
	if (agent_team_read(err) < 0)
		return -1;
	out_init(&o, err);
	rc = agent_worker_init(&w, err);
	if (rc == 0)
		rc = agent_worker_tools(&w, err);
	for (size_t i = 0; rc == 0 && i < w.tools.n; i++)
		rc = put_tool(&o, &w.tools.v[i]);
	agent_worker_release(&w);
	return out_end(&o, rc);
}
