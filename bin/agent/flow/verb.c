/* verb.c: a workflow as a run: made for a record, taken again, ended, and
 * written into its record. */
#include "flow/verb.h"
#include "flags.h"
#include "flow/cost.h"
#include "flow/stored.h"
#include "flow/run.h"
#include "kept.h"
#include "task.h"
#include "worker.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/msg.h"
#include "base/sig.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE_USUAL 4
#define FAILURES_SHOWN 20

/* ---- its limits ------------------------------------------------------------------ */

/* Of the whole only money is limited if nobody says more: each run within it has
 * limits of its own.  What is limited goes along with each question, and every
 * run looks at all of them together before its next turn. */
static void no_limits(struct agent_limits *l)
{
	static const enum agent_limit none[] = {
		AGENT_LIMIT_TOKENS, AGENT_LIMIT_TURNS, AGENT_LIMIT_CALLS,
		AGENT_LIMIT_OUTPUT, AGENT_LIMIT_REPEAT, AGENT_LIMIT_DEPTH,
		AGENT_LIMIT_FANOUT };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		l->v[none[i]] = INT64_MAX;
	l->v[AGENT_LIMIT_SECONDS] = INT64_C(1000000000000);
}

static int set_limits(const struct flow *f, struct agent_limits *l,
		      struct ai_err *err)
{
	const struct ai_opt_list none = { NULL, 0 };
	struct agent_limits said;
	struct ai_value v;

	if (agent_limits_init(l, &none, err) < 0)
		return -1;
	no_limits(l);
	if (f->limits != NULL) {
		if (ai_json_check(f->limits, strlen(f->limits), &v, err) < 0 ||
		    agent_limits_take(&said, v, err) < 0)
			return -1;
		for (size_t i = 0; i < AGENT_LIMITS; i++)
			if (ai_json_member(v, ai_span_of(agent_limit_name(
					(enum agent_limit)i))).kind != AI_NONE)
				l->v[i] = said.v[i];
		memcpy(l->tool, said.tool, sizeof(l->tool));
		l->n_tools = said.n_tools;
	}
	return agent_flags_given(&agent.limits)
		? agent_limits_set(l, &agent.limits, err) : 0;
}

/* ---- what is kept of it ------------------------------------------------------------ */

static int put_setup(const struct flow_work *w, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, agent.model);
	ai_put_key(b, "marker");
	ai_put_cstr(b, "");
	ai_put_key(b, "system");
	ai_put_cstr(b, "");
	ai_put_key(b, "limits");
	agent_limits_put(&w->limits, b);
	ai_put_key(b, "at_once");
	ai_put_i64(b, (int64_t)w->at_once);
	flow_put_kept(w->flow, b);
	if (agent_flags_put(b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return ai_buf_check(b, "how the run is worked on", err);
}

/* ---- the work, and what it needs ------------------------------------------------------ */

static int work_init(struct flow_work *w, const struct flow *f,
		     struct ai_ledger *ledger, struct ai_err *err)
{
	memset(w, 0, sizeof(*w));
	w->flow = w->journal.flow = f;
	w->journal.run.ledger = ledger;
	w->journal.run.ledger_path = ai_paid.ledger;
	w->journal.run.hold = -1;
	agent_tools_init(&w->tools);
	ai_buf_init(&w->text, AGENT_TEXT_MAX);
	w->tasks = calloc(f->n_tasks + 1, sizeof(*w->tasks));
	w->agents = calloc(f->n_agents + 1, sizeof(*w->agents));
	if (w->tasks == NULL || w->agents == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < f->n_tasks; i++) {
		ai_buf_init(&w->tasks[i].value, AGENT_TEXT_MAX);
		ai_buf_init(&w->tasks[i].list, AGENT_TEXT_MAX);
		ai_buf_init(&w->tasks[i].why, 4096);
	}
	return 0;
}

static void work_release(struct flow_work *w)
{
	while (w->jobs != NULL)
		flow_job_free(w, w->jobs);
	for (size_t i = 0; w->tasks != NULL && i < w->flow->n_tasks; i++) {
		struct flow_doing *d = &w->tasks[i];

		for (size_t k = 0; k < d->n_items; k++)
			ai_buf_release(&d->items[k].value);
		free(d->items);
		ai_buf_release(&d->value);
		ai_buf_release(&d->list);
		ai_buf_release(&d->why);
	}
	flow_pool_release(&w->pool);
	flow_journal_release(&w->journal);
	agent_tools_release(&w->tools);
	agent_sandbox_release(&w->sandbox);
	ai_buf_release(&w->text);
	free(w->tasks);
	free(w->agents);
	free(w->users);
	free(w->users_at);
	free(w->ready);
	free(w->maps);
	free(w->outbox);
}

static int open_all(struct flow_work *w, struct ai_err *err)
{
	if (w->journal.run.replay)
		return 0;
	if (agent_sandbox_init(&w->sandbox, agent.workdir != NULL
			       ? agent.workdir : agent.folder != NULL
			       ? agent.folder : ".",
			       (enum agent_sandbox_mode)agent.sandbox, err) < 0)
		return -1;
	w->sandbox.abi_max = (int)agent.landlock_abi;
	return flow_guard_open(w, err) < 0 ? -1 :
		flow_pool_init(&w->pool, w->flow, w->journal.run.run.id,
			       w->root, (int64_t)w->at_once, agent.depth + 1,
			       w->journal.run.hold, err);
}

/* ---- how it ended --------------------------------------------------------------------- */

static void put_note(const struct flow_work *w, struct ai_buf *note)
{
	const struct agent_stop *s = &w->stop;

	if (s->limit == NULL && s->err.code == AI_E_NONE)
		return;
	ai_put_open(note, '{');
	if (s->limit != NULL) {
		ai_put_key(note, "limit");
		ai_put_cstr(note, s->limit);
	}
	if (s->err.code != AI_E_NONE) {
		ai_put_key(note, "error");
		ai_put_cstr(note, s->err.msg);
		ai_put_key(note, "code");
		ai_put_cstr(note, ai_code_name(s->err.code));
	}
	ai_put_close(note, '}');
}

/* One that is only gone through ends as it had ended. */
static void recall_stop(struct flow_work *w, const struct agent_kept *k)
{
	struct ai_buf text = AI_BUF_INIT(400), code = AI_BUF_INIT(64);
	struct agent_stop *s = &w->stop;
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	struct ai_err err;

	memset(s, 0, sizeof(*s));
	s->status = k->status == AI_RUN_OPEN ? AI_RUN_PAUSED : k->status;
	if (k->note.len > 0)
		ai_json_check(k->note.p, k->note.len, &v, &err);
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		if (ai_json_is(ai_json_get(v, "limit"), ai_span_of(
			       agent_limit_name((enum agent_limit)i))))
			s->limit = agent_limit_name((enum agent_limit)i);
	ai_json_text(ai_json_get(v, "code"), &code);
	if (ai_json_get(v, "error").kind == AI_STRING &&
	    ai_json_text(ai_json_get(v, "error"), &text) == 0)
		ai_err_set(&s->err, ai_code_from_name(ai_buf_cstr(&code),
						      code.len),
			   "%s", ai_buf_cstr(&text));
	ai_buf_release(&text);
	ai_buf_release(&code);
}

/* Why a run that has not ended well is an error record. */
static void explain(const struct flow_work *w, struct ai_err *why)
{
	const char *id = w->journal.run.run.id;

	*why = w->stop.err;
	if (w->stop.status == AI_RUN_PARTIAL && why->code != AI_E_BUDGET)
		ai_err_set(why, strcmp(w->stop.limit, "usd") == 0
			   ? AI_E_BUDGET : AI_E_LIMIT, "the workflow has "
			   "reached its limit '%s'; 'ai-agent resume --limit "
			   "%s=N %s' goes on with it", w->stop.limit,
			   w->stop.limit, id);
	else if (w->stop.status == AI_RUN_PARKED)
		ai_err_set(why, AI_E_PARKED, "the workflow waits for a "
			   "decision; 'ai-agent show %s' tells which, and "
			   "'ai-agent approve %s' or 'ai-agent deny %s' goes "
			   "on with it", id, id, id);
	else if (w->stop.status == AI_RUN_PAUSED && why->code == AI_E_NONE)
		ai_err_set(why, AI_E_TRY_LATER, "the workflow was paused; "
			   "'ai-agent resume %s' goes on with it", id);
}

/* How many tasks have come how far, and why some have not. */
static void put_tasks(const struct flow_work *w, struct ai_buf *b)
{
	static const char *const names[] = { [FLOW_DONE] = "done",
		[FLOW_SKIPPED] = "skipped", [FLOW_FAILED] = "failed" };
	int64_t n[FLOW_FAILED + 1] = { 0 };
	size_t shown = 0;

	for (size_t i = 0; i < w->flow->n_tasks; i++)
		n[w->tasks[i].state]++;
	ai_put_key(b, "tasks");
	ai_put_open(b, '{');
	for (size_t i = FLOW_DONE; i <= FLOW_FAILED; i++) {
		ai_put_key(b, names[i]);
		ai_put_i64(b, n[i]);
	}
	ai_put_key(b, "left");
	ai_put_i64(b, n[FLOW_WAITS] + n[FLOW_READY] + n[FLOW_RUNS]);
	ai_put_close(b, '}');
	if (n[FLOW_FAILED] == 0)
		return;
	ai_put_key(b, "failures");
	ai_put_open(b, '[');
	for (size_t i = 0; i < w->flow->n_tasks && shown < FAILURES_SHOWN; i++)
		if (w->tasks[i].state == FLOW_FAILED) {
			ai_put_open(b, '{');
			ai_put_key(b, "task");
			ai_put_cstr(b, w->flow->tasks[i].name);
			ai_put_key(b, "why");
			ai_put_cstr(b, ai_buf_cstr(&w->tasks[i].why));
			ai_put_close(b, '}');
			shown++;
		}
	ai_put_close(b, ']');
}

/* The questions that wait for a person, below them what they wait for. */
static void put_waiting(const struct flow_work *w, struct ai_buf *b)
{
	static const char *const members[] = { "tool", "run", "why",
					       "waiting" };
	struct ai_value v, m;
	struct ai_err err;

	ai_put_key(b, "waiting");
	ai_put_open(b, '[');
	for (size_t i = 0; i < w->journal.n; i++) {
		const struct flow_step *s = w->journal.v[i];

		if (s->state != AI_STEP_WAITING || s->intent == NULL ||
		    ai_json_check(s->intent, strlen(s->intent), &v, &err) < 0)
			continue;
		ai_put_open(b, '{');
		ai_put_key(b, "step");
		ai_put_i64(b, s->n);
		ai_put_key(b, "name");
		ai_put_cstr(b, s->name);
		for (size_t k = 0; k < 4; k++) {
			m = ai_json_get(v, members[k]);
			if (m.kind == AI_NONE)
				continue;
			ai_put_key(b, members[k]);
			ai_put_value(b, m);
		}
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

static void put_run(const struct flow_work *w, struct ai_buf *b)
{
	struct agent_used used = w->used;

	used.nano += w->standing.nano;
	used.turns += w->standing.turns;
	used.calls += w->standing.calls;
	used.input += w->standing.input;
	used.output_tokens += w->standing.output_tokens;
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_cstr(b, w->journal.run.run.id);
	ai_put_key(b, "status");
	ai_put_cstr(b, ai_run_status_name(w->stop.status));
	ai_put_key(b, "text");
	ai_put_str(b, ai_buf_cstr(&w->text), w->text.len);
	agent_task_put_used(&used, &w->journal.run,
			    (int64_t)w->journal.n, w->stop.limit, b);
	put_tasks(w, b);
	if (w->by[0] != '\0') {
		ai_put_key(b, "tainted_by");
		ai_put_cstr(b, w->by);
	}
	if (w->stop.status == AI_RUN_PARKED)
		put_waiting(w, b);
	ai_put_close(b, '}');
}

/* ---- through it ------------------------------------------------------------------------ */

/* What is asked about: the member that -p names, `input`, or the record. */
static struct ai_value input_of(const struct ai_rec *rec)
{
	struct ai_value v;

	if (ai_start_given(&ai_loop.path))
		return ai_rec_get(rec, ai_loop.path);
	v = ai_rec_get(rec, "input");
	return v.kind != AI_NONE ? v : rec->object;
}

static int finish(struct flow_work *w, const struct agent_kept *k,
		  struct ai_rec *rec, struct ai_buf *text, struct ai_err *why,
		  struct ai_err *err)
{
	struct ai_buf note = AI_BUF_INIT(1 << 16), run =
		AI_BUF_INIT(4 * AGENT_TEXT_MAX);
	int rc;

	if (w->journal.run.replay && w->stop.status != AI_RUN_DONE &&
	    k->status == AI_RUN_DONE)
		return ai_err_set(err, AI_E_DATA, "what the run '%s' has "
				  "written down does not lead to its end",
				  w->journal.run.run.id);
	if (w->journal.run.replay && w->stop.status != AI_RUN_DONE)
		recall_stop(w, k);
	put_note(w, &note);
	rc = agent_journal_end(&w->journal.run, w->stop.status, &note, err);
	if (rc == 0) {
		put_run(w, &run);
		rc = ai_buf_check(&run, "the run", err) < 0 ? -1 :
			ai_rec_set(rec, "run", &run, err);
		ai_buf_add(text, w->text.p, w->text.len);
		explain(w, why);
	}
	ai_buf_release(&note);
	ai_buf_release(&run);
	return rc;
}

/* Of one that could not go on: which it is, for who has put it right. */
static void name_run(const struct flow_work *w, struct ai_rec *rec)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct ai_err why;

	ai_put_open(&b, '{');
	ai_put_key(&b, "id");
	ai_put_cstr(&b, w->journal.run.run.id);
	ai_put_key(&b, "status");
	ai_put_cstr(&b, ai_run_status_name(AI_RUN_OPEN));
	ai_put_close(&b, '}');
	ai_rec_set(rec, "run", &b, &why);
	ai_buf_release(&b);
}

static int go(struct flow_work *w, const struct agent_kept *k, struct ai_rec *rec,
	      struct ai_buf *text, struct ai_err *why, struct ai_err *err)
{
	int rc;

	w->input = input_of(rec);
	if (w->input.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "there is no input");
	rc = flow_journal_read(&w->journal, err) < 0 ||
		open_all(w, err) < 0 || flow_work_go(w, err) < 0 ? -1 : 0;
	/* Who works for it has ended before it does. */
	flow_pool_release(&w->pool);
	if (rc == 0)
		return finish(w, k, rec, text, why, err);
	if (err->code == AI_E_IO || err->code == AI_E_BUG)
		return -1;
	name_run(w, rec);
	*why = *err;
	return 0;
}

/* A process that was killed may have left questions that are under way: what
 * they are answered is paid for, and is waited for. */
static int lock(struct agent_journal *j, struct ai_err *err)
{
	double until = ai_clock_s() +
		flow_pool_linger_ms() / 1e3;
	bool said = false;

	while (agent_journal_lock(j, err) < 0) {
		if (err->code != AI_E_TRY_LATER || ai_clock_s() > until ||
		    ai_sig_asked() != AI_SIG_NO)
			return -1;
		close(j->hold);
		j->hold = -1;
		if (!said)
			ai_msg(AI_MSG_WARN, "the run '%s' was killed while it "
			       "had asked something: it goes on when the "
			       "answer is there", j->run.id);
		said = true;
	}
	return 0;
}

static int take(struct flow_work *w, const char *id, const struct agent_kept *k,
		bool replay, struct ai_err *err)
{
	struct agent_journal *j = &w->journal.run;
	struct ai_value v;
	int64_t n;

	snprintf(j->run.id, sizeof(j->run.id), "%s", id);
	snprintf(w->root, sizeof(w->root), "%s",
		 ai_buf_cstr((struct ai_buf *)(uintptr_t)&k->root));
	j->spent_ms = k->spent_ms;
	j->replay = replay || k->status == AI_RUN_DONE ||
		k->status == AI_RUN_FAILED;
	if (ai_json_check(k->setup.p, k->setup.len, &v, err) < 0 ||
	    agent_limits_take(&w->limits, ai_json_get(v, "limits"), err) < 0 ||
	    (ai_start_given(&agent.limits) &&
	     agent_limits_set(&w->limits, &agent.limits, err) < 0))
		return -1;
	w->at_once = ai_json_i64(ai_json_get(v, "at_once"), &n) == 0 && n > 0
		? (size_t)n : AT_ONCE_USUAL;
	return j->replay ? 0 :
		ai_run_take(j->ledger, id, w->limits.v[AGENT_LIMIT_USD],
			    &j->run, err) < 0 ? -1 : lock(j, err);
}

/* 1: there is one of that name. */
static int make(struct flow_work *w, const struct ai_rec *rec, char *id,
		struct ai_err *err)
{
	struct ai_run_new n = { .tenant = ai_paid.tenant, .user = ai_paid.user,
				.task = rec->line, .id = id };
	struct ai_buf setup = AI_BUF_INIT(4 * AGENT_TEXT_MAX);
	int rc;

	if (agent_worker_name(rec->number, id, err) < 0)
		return -1;
	snprintf(w->root, sizeof(w->root), "%s",
		 agent_is_within() ? agent.root : id);
	rc = put_setup(w, &setup, err);
	n.root = w->root;
	n.setup = (struct ai_span){ setup.p, setup.len };
	n.cap = w->limits.v[AGENT_LIMIT_USD];
	if (rc == 0)
		rc = ai_run_new(w->journal.run.ledger, &n,
				&w->journal.run.run, err);
	ai_buf_release(&setup);
	return rc != 0 ? rc : agent_journal_lock(&w->journal.run, err);
}

/* What the command line names. */
static struct {
	struct flow flow;
	size_t at_once;
} plan;

static int run_kept(struct ai_ledger *l, const char *id, bool replay,
		    const struct ai_rec *begun, struct ai_buf *line,
		    struct ai_rec *rec, struct ai_buf *text, struct ai_err *why,
		    struct ai_err *err)
{
	struct flow_work w;
	struct agent_kept k;
	struct flow f;
	int rc;

	memset(&f, 0, sizeof(f));
	agent_kept_init(&k);
	rc = agent_kept_get(&k, l, id, err);
	if (rc == 0)
		rc = ai_err_set(err, AI_E_USAGE, "there is no run '%.80s'", id);
	rc = rc < 0 ? -1 : flow_of_setup((struct ai_span){ k.setup.p,
							   k.setup.len },
					 id, &f, err);
	if (rc == 0 && begun != NULL &&
	    !ai_span_eq(begun->line, (struct ai_span){ k.task.p, k.task.len }))
		rc = ai_err_set(err, AI_E_USAGE, "the run '%s' was begun with "
				"another input", id);
	if (rc == 0 && begun != NULL && strcmp(plan.flow.json, f.json) != 0)
		rc = ai_err_set(err, AI_E_USAGE, "the run '%s' was begun with "
				"another workflow than '%.80s' is: 'ai-agent "
				"resume %s' goes on with that one, another "
				"--run begins anew", id, plan.flow.path, id);
	if (rc == 0 && line != NULL) {
		ai_buf_clear(line);
		ai_buf_add(line, k.task.p, k.task.len);
		rc = ai_rec_parse(rec, (struct ai_span){ line->p, line->len },
				  0, err);
	}
	if (rc == 0) {
		rc = work_init(&w, &f, l, err) < 0 ||
			take(&w, id, &k, replay, err) < 0 ||
			go(&w, &k, rec, text, why, err) < 0 ? -1 : 0;
		work_release(&w);
	}
	flow_release(&f);
	agent_kept_release(&k);
	return rc;
}

int flow_run_kept(const char *id, bool replay, struct ai_buf *line,
		  struct ai_rec *rec, struct ai_buf *text, struct ai_err *why,
		  struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	rc = run_kept(l, id, replay, NULL, line, rec, text, why, err);
	ai_ledger_close(l);
	return rc;
}

/* ---- records ----------------------------------------------------------------------------- */

static int run_new(struct ai_ledger *l, struct ai_rec *rec,
		   struct ai_buf *text, struct ai_err *why, struct ai_err *err)
{
	char id[AI_RUN_ID];
	struct flow_work w;
	struct agent_kept k;
	int rc;

	agent_kept_init(&k);
	rc = work_init(&w, &plan.flow, l, err);
	w.at_once = plan.at_once;
	if (rc == 0)
		rc = input_of(rec).kind == AI_NONE
			? ai_err_set(err, AI_E_RECORD, "there is no input")
			: flow_check_input(&plan.flow, input_of(rec), err);
	if (rc == 0)
		rc = set_limits(&plan.flow, &w.limits, err);
	if (rc == 0)
		rc = make(&w, rec, id, err);
	if (rc == 0)
		rc = go(&w, &k, rec, text, why, err);
	work_release(&w);
	agent_kept_release(&k);
	return rc <= 0 ? rc : run_kept(l, id, false, rec, NULL, rec, text, why,
				       err);
}

static int open_ledger(void **state, struct ai_err *err)
{
	struct ai_ledger *l;

	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_CONFIG, "ai-agent keeps its runs "
				  "in the ledger: it cannot do without one");
	if (agent_approve_check(err) < 0 ||
	    ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	*state = l;
	return 0;
}

static void close_ledger(void *state)
{
	ai_ledger_close(state);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_err why = { .code = AI_E_NONE };
	int rc = 0;

	if (ai_sig_asked() != AI_SIG_NO)
		rc = ai_err_set(err, AI_E_TRY_LATER, "it was not begun: %s came "
				"before", ai_sig_name());
	if (rc == 0)
		rc = run_new(state, rec, &text, &why, err);
	if (rc == 0)
		rc = agent_task_emit(rec, &text, &why, out, err);
	ai_buf_release(&text);
	return rc;
}

int agent_flow(int argc, char **argv, struct ai_err *err)
{
	/* One record after the other; within one several tasks are under way. */
	static const struct ai_filter filter = {
		.eager = true, .signals = true, .each = each,
		.batch = 1, .words = "input",
		.open = open_ledger, .close = close_ledger,
	};
	int rc;

	if (argc < 1)
		return ai_err_set(err, AI_E_USAGE, "which workflow? usage: "
				  "ai-agent flow FILE [WORD...]");
	if (agent.dry_run)
		return flow_dry_run(argc, argv, err);
	if (flow_read(&plan.flow, argv[0], err) < 0 ||
	    flow_check_ready(&plan.flow, err) < 0) {
		flow_release(&plan.flow);
		return -1;
	}
	plan.at_once = ai_start_given(&ai_loop.jobs) ? (size_t)ai_loop.jobs
		: plan.flow.at_once > 0 ? (size_t)plan.flow.at_once
		: AT_ONCE_USUAL;
	ai_loop.jobs = 1;
	rc = ai_loop_run(&filter, argc - 1, argv + 1, err);
	flow_release(&plan.flow);
	return rc;
}
