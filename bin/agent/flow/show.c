/* show.c: the verb graph, and --dry-run: what a workflow is, and what it
 * may cost, written out. */
#include "flow/cost.h"
#include "flow/graph.h"

#include "base/money.h"
#include "base/start.h"
#include "record/loop.h"
#include "record/writer.h"

#include "agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_MAX ((size_t)256 << 20)

static int write_out(const struct ai_buf *b, struct ai_err *err)
{
	struct ai_writer w;
	int rc = ai_buf_check(b, "what is written", err);

	ai_writer_init(&w, STDOUT_FILENO);
	if (rc == 0)
		rc = ai_writer_add(&w, b->p, b->len, err);
	if (rc == 0)
		rc = ai_writer_flush(&w, err);
	ai_writer_release(&w);
	return rc;
}

/* ---- for programs -------------------------------------------------------------- */

static void put_usd(struct ai_buf *b, const char *key, int64_t nano)
{
	char text[AI_MONEY_TEXT];

	ai_money_text(nano, text);
	ai_put_key(b, key);
	if (nano < 0)
		ai_put_null(b);
	else
		ai_put_raw(b, text, strlen(text));
}

static void put_cost(struct ai_buf *b, const struct flow_cost *c)
{
	ai_put_key(b, "runs");
	ai_put_open(b, '[');
	ai_put_i64(b, c->least);
	ai_put_i64(b, c->most);
	ai_put_close(b, ']');
	put_usd(b, "low_usd", c->low);
	put_usd(b, "high_usd", c->high);
	if (c->why[0] != '\0') {
		ai_put_key(b, "unknown");
		ai_put_cstr(b, c->why);
	}
}

static void put_json(struct ai_buf *b, const struct flow *f,
		     const struct flow_costs *c, int64_t inputs)
{
	ai_put_open(b, '{');
	ai_put_key(b, "flow");
	ai_put_cstr(b, f->name != NULL ? f->name : f->path);
	put_cost(b, &c->all);
	put_usd(b, "limit_usd", c->limit);
	ai_put_key(b, "inputs");
	ai_put_i64(b, inputs);
	ai_put_key(b, "tasks");
	ai_put_open(b, '[');
	for (size_t i = 0; i < f->n_tasks; i++) {
		ai_put_open(b, '{');
		ai_put_key(b, "task");
		ai_put_cstr(b, f->tasks[f->order[i]].name);
		put_cost(b, &c->tasks[f->order[i]]);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

/* ---- for people ---------------------------------------------------------------- */

static void say_cost(struct ai_buf *b, const char *what, int width,
		     const struct flow_cost *c)
{
	char low[AI_MONEY_TEXT], high[AI_MONEY_TEXT] = "?", runs[64];

	ai_money_show(c->low, low);
	if (c->high >= 0)
		ai_money_show(c->high, high);
	snprintf(runs, sizeof runs, c->least == c->most ? "%" PRId64 :
		 "%" PRId64 "-%" PRId64, c->least, c->most);
	ai_buf_fmt(b, "%-*s  %12s  %12s  %12s", width, what, runs, low, high);
	if (c->why[0] != '\0')
		ai_buf_fmt(b, "  %s", c->why);
	ai_buf_chr(b, '\n');
}

static void put_text(struct ai_buf *b, const struct flow *f,
		     const struct flow_costs *c, int64_t inputs, bool too_dear)
{
	char money[AI_MONEY_TEXT];
	int width = 6;

	for (size_t i = 0; i < f->n_tasks; i++)
		if ((int)strlen(f->tasks[i].name) > width)
			width = (int)strlen(f->tasks[i].name);
	ai_buf_fmt(b, "%-*s  %12s  %12s  %12s\n", width, "task", "runs",
		   "at least", "at most");
	for (size_t i = 0; i < f->n_tasks; i++)
		say_cost(b, f->tasks[f->order[i]].name, width,
			 &c->tasks[f->order[i]]);
	say_cost(b, "in all", width, &c->all);
	ai_money_show(c->limit, money);
	ai_buf_fmt(b, "%" PRId64 " input%s; for each the run may cost %s%s: "
		   "--limit usd=N, or limits in the file\n", inputs,
		   inputs == 1 ? "" : "s", money, too_dear ?
		   ", which is less than it takes" : "");
}

/* ---- the option ---------------------------------------------------------------- */

/* The words as the input; none: it is not known. */
static int take_words(int argc, char **argv, struct ai_buf *json,
		      struct ai_value *input, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc = 0;

	*input = (struct ai_value){ AI_NONE, { NULL, 0 } };
	for (int i = 0; i < argc; i++)
		ai_buf_fmt(&text, "%s%s", i > 0 ? " " : "", argv[i]);
	if (argc > 0) {
		ai_put_str(json, ai_buf_cstr(&text), text.len);
		rc = ai_buf_check(json, "the input", err);
		if (rc == 0)
			rc = ai_json_check(json->p, json->len, input, err);
	}
	ai_buf_release(&text);
	return rc;
}

/* What inputs come to, one after the other. */
struct sum {
	struct flow f;
	struct flow_desk *desk;
	struct flow_costs all; /* of all inputs */
	int64_t inputs;
	bool too_dear;         /* one takes more than its run may cost */
};

static void add_cost(struct flow_cost *sum, const struct flow_cost *c)
{
	sum->low += c->low;
	sum->least += c->least;
	sum->most += c->most;
	if (c->high < 0 || sum->high < 0)
		sum->high = -1;
	else
		sum->high += c->high;
	if (sum->why[0] == '\0')
		memcpy(sum->why, c->why, sizeof sum->why);
}

/* input: AI_NONE if it is not known. */
static int add_input(struct sum *s, struct ai_value input, struct ai_err *err)
{
	struct flow_costs c;
	int rc;

	if (input.kind != AI_NONE && flow_check_input(&s->f, input, err) < 0)
		return -1;
	rc = flow_desk_price(s->desk, input, &c, err);
	if (rc == 0) {
		for (size_t i = 0; i < s->f.n_tasks; i++)
			add_cost(&s->all.tasks[i], &c.tasks[i]);
		add_cost(&s->all.all, &c.all);
		s->all.limit = c.limit;
		s->inputs++;
		s->too_dear = s->too_dear || c.all.low > c.limit;
	}
	flow_costs_release(&c);
	return rc;
}

/* The input is the member that -p names, `input`, or all of the record. */
static struct sum *summing; /* of the loop, which has one thread then */

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, ai_start_given(&ai_loop.path)
				       ? ai_loop.path : "input");

	(void)state;
	(void)out;
	if (v.kind == AI_NONE && ai_start_given(&ai_loop.path))
		return ai_err_set(err, AI_E_RECORD, "the record has no %.100s",
				  ai_loop.path);
	return add_input(summing, v.kind != AI_NONE ? v : rec->object, err);
}

/* All records of standard input.  What cannot be used is told as with -r. */
static int add_records(struct sum *s, struct ai_err *err)
{
	static const struct ai_filter filter = { .each = each };
	bool plain = ai_loop.plain_out;
	int status;

	summing = s;
	ai_loop.plain_out = true;
	ai_loop.jobs = 1;
	status = ai_loop_run(&filter, 0, NULL, err);
	ai_loop.plain_out = plain;
	return status;
}

static int begin(struct sum *s, const char *path, struct ai_err *err)
{
	const struct ai_value null = { AI_NULL, AI_SPAN("null") };

	if (flow_read(&s->f, path, err) < 0 ||
	    flow_check_file(&s->f, err) < 0)
		return -1;
	if (s->f.n_tasks == 0)
		return flow_check_input(&s->f, null, err);
	s->all.tasks = calloc(s->f.n_tasks, sizeof *s->all.tasks);
	return s->all.tasks == NULL ? ai_err_nomem(err) :
		flow_desk_new(&s->desk, &s->f, err);
}

static int write_sum(const struct sum *s, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(OUT_MAX);
	int rc;

	if (ai_loop.plain_out)
		put_text(&out, &s->f, &s->all, s->inputs, s->too_dear);
	else
		put_json(&out, &s->f, &s->all, s->inputs);
	rc = write_out(&out, err);
	ai_buf_release(&out);
	return rc;
}

static int dry_run(int argc, char **argv, bool records, struct ai_err *err)
{
	struct ai_buf json = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	struct ai_value input;
	struct sum s = { .desk = NULL };
	int rc, status = 0;

	records = (argc == 1 && records) ||
		  (argc == 2 && strcmp(argv[1], "-") == 0);
	if (argc < 1)
		return ai_err_set(err, AI_E_USAGE, "usage: ai-agent graph "
				  "--dry-run FILE [WORD... | -]");
	rc = begin(&s, argv[0], err);
	if (rc == 0 && records) {
		status = add_records(&s, err);
		rc = status < 0 ? -1 : 0;
	} else if (rc == 0) {
		rc = take_words(argc - 1, argv + 1, &json, &input, err);
		if (rc == 0)
			rc = add_input(&s, input, err);
	}
	if (rc == 0)
		rc = write_sum(&s, err);
	if (rc == 0)
		rc = s.all.all.high < 0 ? AI_EXIT_CONFIG : s.too_dear ?
			AI_EXIT_BUDGET : status;
	flow_desk_free(s.desk);
	flow_costs_release(&s.all);
	flow_release(&s.f);
	ai_buf_release(&json);
	return rc;
}

int flow_dry_run(int argc, char **argv, struct ai_err *err)
{
	return dry_run(argc, argv, !isatty(STDIN_FILENO), err);
}

/* ---- the verb ------------------------------------------------------------------ */

int agent_graph(int argc, char **argv, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(OUT_MAX);
	struct flow f;
	int rc;

	if (agent.dry_run && agent.dot)
		return ai_err_set(err, AI_E_USAGE, "--dot and --dry-run at "
				  "once: what it costs is no graph");
	if (agent.dry_run)
		return dry_run(argc, argv, false, err);
	if (argc != 1)
		return ai_err_set(err, AI_E_USAGE, "usage: ai-agent graph FILE "
				  "[--dot | --dry-run]");
	rc = flow_read(&f, argv[0], err);
	if (rc == 0)
		rc = flow_check_file(&f, err);
	if (rc == 0) {
		if (agent.dot)
			flow_put_dot(&f, &out);
		else
			flow_put_plan(&f, &out);
		rc = write_out(&out, err);
	}
	flow_release(&f);
	ai_buf_release(&out);
	return rc;
}
