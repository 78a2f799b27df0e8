/* ask.c: a question to an agent: what it may cost, whether the agent is
 * asked at all, how it is written down, and what came of it. */
#include "flow/run.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/msg.h"
#include "record/rec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_REST 65536 /* of a record that asks, beside its texts */
#define USD_USUAL AI_NANO_DOLLAR /* what a run may spend if nobody says */

void flow_answer_init(struct flow_answer *a)
{
	memset(a, 0, sizeof(*a));
	ai_buf_init(&a->text, AGENT_TEXT_MAX);
	ai_buf_init(&a->why, 4096);
	ai_buf_init(&a->to, FLOW_NAME);
	ai_buf_init(&a->task, AGENT_TEXT_MAX);
}

void flow_answer_release(struct flow_answer *a)
{
	ai_buf_release(&a->text);
	ai_buf_release(&a->why);
	ai_buf_release(&a->to);
	ai_buf_release(&a->task);
}

/* ---- what it may cost ------------------------------------------------------------ */

/* "usd" of a member `limits`; -1: it has none. */
static int64_t usd_of(const char *limits)
{
	struct ai_value v, usd;
	struct ai_err err;
	int64_t nano;

	if (limits == NULL ||
	    ai_json_check(limits, strlen(limits), &v, &err) < 0)
		return -1;
	usd = ai_json_member(v, AI_SPAN("usd"));
	return usd.kind != AI_NUMBER || ai_money_parse(usd.s, &nano, &err) < 0
		? -1 : nano;
}

static void lower(int64_t *a, int64_t b)
{
	if (b >= 0 && b < *a)
		*a = b;
}

/* Whether the limits of the task hold for this question. */
static bool is_work(const struct flow_job *job)
{
	return job->at == FLOW_AT_ASK || job->at == FLOW_AT_SPEAK;
}

/* The most that one question to this agent may cost. */
static int64_t cap_of(const struct flow_work *w, const struct flow_job *job)
{
	int64_t own = usd_of(w->flow->agents[job->agent].limits),
		cap = own >= 0 ? own : USD_USUAL;

	if (is_work(job))
		lower(&cap, usd_of(w->flow->tasks[job->task].limits));
	lower(&cap, w->limits.v[AGENT_LIMIT_USD]);
	return cap;
}

/*
 * What is reserved of the agent's budget.  1: *nano of it (0: it has none);
 * 0: others that are under way have it; -1: it is spent.  A question gets what
 * it may cost, or waits for it; only the last one gets what is left.
 */
static int reserve(const struct flow_work *w, const struct flow_job *job,
		   int64_t *nano)
{
	const struct flow_account *a = &w->agents[job->agent];
	int64_t budget = w->flow->agents[job->agent].budget,
		left = budget - a->spent - a->reserved,
		cap = cap_of(w, job);

	*nano = 0;
	if (budget < 0)
		return 1;
	if (left < cap && a->reserved > 0)
		return 0;
	if (left <= 0)
		return -1;
	*nano = left < cap ? left : cap;
	return 1;
}

static void hold(struct flow_work *w, struct flow_step *s)
{
	if (!s->held && s->agent != FLOW_NONE)
		w->agents[s->agent].reserved += s->reserved;
	s->held = true;
}

static void let_go(struct flow_work *w, struct flow_step *s)
{
	if (s->held && s->agent != FLOW_NONE)
		w->agents[s->agent].reserved -= s->reserved;
	s->held = false;
}

/* ---- writing it down ----------------------------------------------------------------- */

static void put_limits(const struct flow_work *w, const struct flow_job *job,
		       int64_t reserved, struct ai_buf *b)
{
	const char *limits = w->flow->tasks[job->task].limits;
	struct ai_value v, key, val;
	struct ai_json_iter it;
	char money[AI_MONEY_TEXT];
	struct ai_err err;
	bool has = is_work(job) && limits != NULL &&
		ai_json_check(limits, strlen(limits), &v, &err) == 0;

	if (!has && reserved == 0)
		return;
	ai_put_key(b, "limits");
	ai_put_open(b, '{');
	if (has)
		ai_json_iter_init(&it, v);
	while (has && ai_json_next(&it, &key, &val)) {
		if (reserved > 0 && ai_json_is(key, AI_SPAN("usd")))
			continue;
		ai_put_value(b, key);
		ai_buf_chr(b, ':');
		ai_put_value(b, val);
	}
	if (reserved > 0) {
		ai_money_text(reserved, money);
		ai_put_key(b, "usd");
		ai_put_raw(b, money, strlen(money));
	}
	ai_put_close(b, '}');
}

static void put_run(const struct flow_step *s, struct ai_buf *b)
{
	char id[36];

	snprintf(id, sizeof(id), "d-%s", s->key);
	ai_put_cstr(b, id);
}

static int set_intent(const struct flow_work *w, const struct flow_job *job,
		      struct flow_step *s, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "tool");
	ai_put_cstr(&b, w->flow->agents[job->agent].name);
	ai_put_key(&b, "step");
	ai_put_cstr(&b, s->name);
	ai_put_key(&b, "run");
	put_run(s, &b);
	ai_put_key(&b, "arguments");
	ai_put_open(&b, '{');
	ai_put_key(&b, "task");
	ai_put_str(&b, ai_buf_cstr(&job->ask), job->ask.len);
	ai_put_close(&b, '}');
	put_limits(w, job, s->reserved, &b);
	if (job->by[0] != '\0') {
		ai_put_key(&b, "taint");
		ai_put_open(&b, '{');
		ai_put_key(&b, "by");
		ai_put_cstr(&b, job->by);
		ai_put_key(&b, "trusted");
		ai_put_str(&b, ai_buf_cstr(&job->trusted), job->trusted.len);
		ai_put_close(&b, '}');
	}
	if (s->reserved > 0) {
		ai_put_key(&b, "reserved");
		ai_put_i64(&b, s->reserved);
	}
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->intent, &b, err);
	ai_buf_release(&b);
	return rc;
}

static int read_intent(const struct flow_step *s, struct ai_value *v,
		       struct ai_err *err)
{
	return s->intent != NULL &&
		ai_json_check(s->intent, strlen(s->intent), v, err) == 0 ? 0 :
		ai_err_set(err, AI_E_DATA, "step %lld of the run is damaged in "
			   "the ledger", (long long)s->n);
}

int flow_ask_line(const struct flow_work *w, const struct flow_step *s,
		  struct ai_buf *line, struct ai_err *err)
{
	static const char *const members[] = { "limits", "taint" };
	struct ai_value v, m;

	if (read_intent(s, &v, err) < 0)
		return -1;
	ai_buf_clear(line);
	ai_put_open(line, '{');
	ai_put_key(line, "id");
	ai_put_i64(line, s->n);
	ai_put_key(line, "run_id");
	ai_put_value(line, ai_json_member(v, AI_SPAN("run")));
	ai_put_key(line, "task");
	ai_put_value(line, ai_json_get(v, "arguments.task"));
	for (size_t i = 0; i < 2; i++) {
		m = ai_json_get(v, members[i]);
		if (m.kind == AI_NONE)
			continue;
		ai_put_key(line, members[i]);
		ai_put_value(line, m);
	}
	agent_limits_put_whole(&w->limits, line);
	ai_put_close(line, '}');
	return ai_buf_check(line, "what an agent is asked", err);
}

/* ---- asking ---------------------------------------------------------------------------- */

static int push(struct flow_work *w, struct flow_step *s, struct ai_err *err)
{
	size_t cap = w->cap_outbox == 0 ? 64 : w->cap_outbox * 2;
	struct flow_step **v;

	if (w->n_outbox == w->cap_outbox) {
		v = realloc(w->outbox, cap * sizeof(struct flow_step *));
		if (v == NULL)
			return ai_err_nomem(err);
		w->outbox = v;
		w->cap_outbox = cap;
	}
	s->sent = false;
	w->outbox[w->n_outbox++] = s;
	return 0;
}

static int begin(struct flow_work *w, struct flow_job *job,
		 struct flow_step *s, struct ai_err *err)
{
	hold(w, s);
	w->agents[s->agent].under_way++;
	s->state = AI_STEP_STARTED;
	s->job = job;
	job->step = s;
	return flow_journal_touch(&w->journal, s, err) < 0 ? -1 :
		push(w, s, err);
}

/* One that is new, or that another run has begun. */
static int begin_new(struct flow_work *w, struct flow_job *job,
		     struct flow_step *s, const char *name, struct ai_err *err)
{
	const struct flow_agent *f = &w->flow->agents[job->agent];
	char why[200], money[AI_MONEY_TEXT];
	enum ai_code code = AI_E_NONE;
	int64_t nano;
	int rc = reserve(w, job, &nano);

	if (rc == 0) {
		job->waits = true;
		return 0;
	}
	if (rc < 0) {
		code = AI_E_BUDGET;
		ai_money_show(f->budget, money);
		snprintf(why, sizeof(why), "the agent '%s' has spent its "
			 "budget of %s", f->name, money);
	} else if (flow_breaker_is_open(&w->agents[job->agent])) {
		code = AI_E_UNAVAILABLE;
		snprintf(why, sizeof(why), "the agent '%s' has failed %lld "
			 "times in a row and is asked nothing for a while",
			 f->name, (long long)w->agents[job->agent].failures);
	}
	if (s == NULL)
		s = flow_journal_add(&w->journal, name, err);
	if (s == NULL)
		return -1;
	s->agent = job->agent;
	s->reserved = code == AI_E_NONE ? nano : 0;
	if (set_intent(w, job, s, err) < 0)
		return -1;
	if (code == AI_E_NONE)
		return begin(w, job, s, err);
	job->step = s;
	return flow_step_end(&w->journal, s, true, code, ai_span_of(why),
			     err) < 0 ? -1 : 1;
}

/* Nothing more is asked once a limit of the whole is reached. */
static void look_at_limits(struct flow_work *w)
{
	const char *over = agent_used_over(&w->used, &w->limits,
		agent_journal_spent_ms(&w->journal.run));

	if (over == NULL && w->used.calls >= w->limits.v[AGENT_LIMIT_CALLS])
		over = agent_limit_name(AGENT_LIMIT_CALLS);
	if (over != NULL)
		flow_work_stop(w, AI_RUN_PARTIAL, over, NULL);
}

/* Before it is written down: its agent takes no longer line. */
static int check_size(const struct flow_job *job, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX - ASK_REST);
	int rc = ai_buf_check(&job->ask, "what an agent is asked", err);

	if (rc == 0) {
		ai_put_str(&b, ai_buf_cstr(&job->ask), job->ask.len);
		if (job->by[0] != '\0')
			ai_put_str(&b, ai_buf_cstr(&job->trusted),
				   job->trusted.len);
		rc = ai_buf_check(&b, "what an agent is asked", err);
	}
	ai_buf_release(&b);
	return rc;
}

int flow_ask(struct flow_work *w, struct flow_job *job, const char *name,
	     struct ai_err *err)
{
	struct flow_step *s = flow_journal_find(&w->journal, name);

	job->waits = false;
	if (s != NULL && s->state == AI_STEP_DONE) {
		job->step = s;
		return 1;
	}
	if (!w->journal.run.replay)
		look_at_limits(w);
	if (w->journal.run.replay || w->stop.status != 0 || w->signal != 0) {
		job->stands = true;
		return 0;
	}
	if (check_size(job, err) < 0)
		return -1;
	return s == NULL || s->intent == NULL
		? begin_new(w, job, s, name, err) : begin(w, job, s, err);
}

/* ---- what came of it ------------------------------------------------------------------- */

static int64_t count(struct ai_value v, const char *path)
{
	int64_t n;

	return ai_json_i64(ai_json_get(v, path), &n) < 0 || n < 0 ? 0 : n;
}

static void take_text(struct ai_value v, struct ai_buf *b)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, b);
}

static void read_result(struct ai_value v, struct flow_answer *a)
{
	struct ai_buf name = AI_BUF_INIT(64);

	take_text(ai_json_member(v, AI_SPAN("text")), &a->text);
	take_text(ai_json_member(v, AI_SPAN("error")), &a->why);
	a->failed = ai_json_true(ai_json_member(v, AI_SPAN("failed")));
	if (a->failed && a->why.len == 0)
		ai_buf_add(&a->why, a->text.p, a->text.len);
	take_text(ai_json_member(v, AI_SPAN("code")), &name);
	a->code = ai_code_from_name(ai_buf_cstr(&name), name.len);
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		if (ai_json_is(ai_json_member(v, AI_SPAN("limit")), ai_span_of(
			       agent_limit_name((enum agent_limit)i))))
			a->limit = agent_limit_name((enum agent_limit)i);
	ai_buf_clear(&name);
	take_text(ai_json_member(v, AI_SPAN("tainted_by")), &name);
	snprintf(a->by, sizeof(a->by), "%s", ai_buf_cstr(&name));
	ai_buf_release(&name);
	take_text(ai_json_get(v, "handoff.to"), &a->to);
	take_text(ai_json_get(v, "handoff.task"), &a->task);
	a->turns = count(v, "turns");
	a->calls = count(v, "calls");
	a->input = count(v, "input");
	a->output = count(v, "output");
	if (ai_json_f64(ai_json_get(v, "seconds"), &a->seconds) < 0)
		a->seconds = 0;
}

int flow_ask_take(struct flow_work *w, struct flow_job *job,
		  struct flow_answer *a, bool *there, struct ai_err *err)
{
	struct flow_step *s = job->step;
	struct ai_value v;

	*there = s != NULL && s->state == AI_STEP_DONE;
	if (!*there)
		return 0;
	if (s->result == NULL ||
	    ai_json_check(s->result, strlen(s->result), &v, err) < 0)
		return ai_err_set(err, AI_E_DATA, "step %lld of the run is "
				  "damaged in the ledger", (long long)s->n);
	read_result(v, a);
	a->nano = s->amount;
	job->step = NULL;
	s->job = NULL;
	flow_journal_taken(s);
	if (a->by[0] != '\0' && job->by[0] == '\0')
		snprintf(job->by, sizeof(job->by), "%s", a->by);
	if (w->journal.run.replay)
		ai_msg(AI_MSG_INFO, "step %lld: %s", (long long)s->n, s->name);
	return ai_buf_check(&a->text, "an agent's answer", err);
}

static void add_used(struct flow_work *w, const struct flow_answer *a)
{
	w->used.nano += a->nano;
	w->used.turns += a->turns;
	w->used.calls += a->calls;
	w->used.input += a->input;
	w->used.output_tokens += a->output;
}

int flow_ask_recall(struct flow_work *w, struct ai_err *err)
{
	struct flow_answer a;
	struct ai_value v;
	struct ai_err bad;

	for (size_t i = 0; i < w->journal.n; i++) {
		struct flow_step *s = w->journal.v[i];

		if (s->state != AI_STEP_DONE) {
			hold(w, s);
			continue;
		}
		if (s->result == NULL ||
		    ai_json_check(s->result, strlen(s->result), &v, &bad) < 0)
			continue;
		flow_answer_init(&a);
		read_result(v, &a);
		a.nano = s->amount;
		add_used(w, &a);
		if (s->agent != FLOW_NONE)
			w->agents[s->agent].spent += s->amount;
		flow_answer_release(&a);
	}
	return flow_breaker_recall(w, err);
}

/* ---- what a co-process has answered ------------------------------------------------------ */

static void put_member(struct ai_buf *b, const char *name, struct ai_value v)
{
	if (v.kind == AI_NONE)
		return;
	ai_put_key(b, name);
	ai_put_value(b, v);
}

/* To go on with its run would help nobody: who goes on with the workflow takes
 * this from the journal. */
static void put_error(const struct flow_work *w, const struct flow_step *s,
		      const struct ai_rec *rec, struct ai_buf *b)
{
	struct ai_value limit = ai_rec_get(rec, "run.limit");
	struct ai_buf name = AI_BUF_INIT(100), text = AI_BUF_INIT(400);

	if (ai_json_is(ai_rec_get(rec, "run.status"), AI_SPAN("partial")) &&
	    limit.kind == AI_STRING && ai_json_text(limit, &name) == 0) {
		ai_buf_fmt(&text, "the agent '%s' has reached the limit '%s' "
			   "of one question",
			   w->flow->agents[s->agent].name, ai_buf_cstr(&name));
		ai_put_key(b, "error");
		ai_put_str(b, ai_buf_cstr(&text), text.len);
	} else {
		put_member(b, "error", ai_rec_get(rec, "error.message"));
	}
	ai_buf_release(&name);
	ai_buf_release(&text);
}

/* What the journal keeps of its record. */
static int set_result(const struct flow_work *w, struct flow_step *s,
		      const struct ai_rec *rec, bool failed, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	struct ai_value text = ai_rec_get(rec, "run.text");
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "text");
	if (text.kind == AI_STRING)
		ai_put_value(&b, text);
	else
		ai_put_cstr(&b, "");
	if (failed) {
		ai_put_key(&b, "failed");
		ai_put_bool(&b, true);
		put_member(&b, "code", ai_rec_get(rec, "error.code"));
		put_error(w, s, rec, &b);
	}
	put_member(&b, "limit", ai_rec_get(rec, "run.limit"));
	put_member(&b, "tainted_by", ai_rec_get(rec, "run.tainted_by"));
	put_member(&b, "handoff", ai_rec_get(rec, "run.handoff"));
	put_member(&b, "turns", ai_rec_get(rec, "run.turns"));
	put_member(&b, "calls", ai_rec_get(rec, "run.calls"));
	put_member(&b, "input", ai_rec_get(rec, "run.usage.input"));
	put_member(&b, "output", ai_rec_get(rec, "run.usage.output"));
	put_member(&b, "seconds", ai_rec_get(rec, "run.seconds"));
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->result, &b, err);
	ai_buf_release(&b);
	return rc;
}

static int64_t cost_of(const struct ai_rec *rec)
{
	struct ai_value v = ai_rec_get(rec, "run.cost_usd");
	struct ai_err err;
	int64_t nano;

	return v.kind != AI_NUMBER || ai_money_parse_up(v.s, &nano, &err) < 0
		? 0 : nano;
}

static int end_step(struct flow_work *w, struct flow_step *s,
		    const struct ai_rec *rec, bool failed, struct ai_err *err)
{
	struct flow_answer a;
	struct ai_value v;
	int rc;

	if (set_result(w, s, rec, failed, err) < 0)
		return -1;
	s->state = AI_STEP_DONE;
	s->amount = cost_of(rec);
	let_go(w, s);
	w->agents[s->agent].spent += s->amount;
	flow_breaker_heed(w, s);
	flow_answer_init(&a);
	rc = ai_json_check(s->result, strlen(s->result), &v, err);
	if (rc == 0) {
		read_result(v, &a);
		a.nano = s->amount;
		add_used(w, &a);
		rc = flow_journal_touch(&w->journal, s, err);
	}
	flow_answer_release(&a);
	return rc;
}

/* A person is to decide: about what, the intent says. */
static int park(struct flow_work *w, struct flow_step *s,
		const struct ai_rec *rec, struct ai_err *err)
{
	static const char *const members[] = { "tool", "step", "run",
		"arguments", "limits", "taint", "reserved" };
	struct ai_buf b = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	char why[100];
	struct ai_value v;
	int rc;

	if (read_intent(s, &v, err) < 0)
		return -1;
	ai_put_open(&b, '{');
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		put_member(&b, members[i], ai_json_get(v, members[i]));
	snprintf(why, sizeof(why), "the run d-%s that it has begun waits for a "
		 "decision", s->key);
	ai_put_key(&b, "why");
	ai_put_cstr(&b, why);
	put_member(&b, "waiting", ai_rec_get(rec, "run.waiting"));
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->intent, &b, err);
	ai_buf_release(&b);
	s->state = AI_STEP_WAITING;
	return rc < 0 ? -1 : flow_journal_touch(&w->journal, s, err);
}

/* Whether it was a limit of its own, not of the whole: it is the tighter one,
 * and money of the whole is left. */
static bool is_own_limit(const struct flow_work *w, const struct flow_step *s,
			 const struct ai_rec *rec)
{
	int64_t left = w->limits.v[AGENT_LIMIT_USD] - w->used.nano, own =
		USD_USUAL, given;
	struct ai_value v;
	struct ai_err err;

	if (!ai_json_is(ai_rec_get(rec, "run.limit"), AI_SPAN("usd")))
		return true;
	given = usd_of(w->flow->agents[s->agent].limits);
	if (given >= 0)
		own = given;
	if (read_intent(s, &v, &err) == 0 &&
	    ai_json_get(v, "limits.usd").kind == AI_NUMBER &&
	    ai_money_parse(ai_json_get(v, "limits.usd").s, &given, &err) == 0)
		lower(&own, given);
	return own < left;
}

/* The limit of the whole that it has stopped at; NULL: at none. */
static const char *limit_of_whole(const struct ai_rec *rec)
{
	struct ai_value limit = ai_rec_get(rec, "run.limit");

	if (!ai_json_true(ai_rec_get(rec, "run.whole")))
		return NULL;
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		if (ai_json_is(limit, ai_span_of(agent_limit_name(
				       (enum agent_limit)i))))
			return agent_limit_name((enum agent_limit)i);
	return NULL;
}

/* It is left as it is, and can be gone on with. */
static bool stands(struct flow_work *w, const struct flow_step *s,
		   const struct ai_rec *rec, enum ai_code code)
{
	struct ai_value status = ai_rec_get(rec, "run.status");
	const char *limit = limit_of_whole(rec);
	struct ai_err why;

	if (limit != NULL) {
		flow_work_stop(w, AI_RUN_PARTIAL, limit, NULL);
		return true;
	}

	if (status.kind == AI_STRING && !ai_json_is(status,
						    AI_SPAN("paused"))) {
		if (!ai_json_is(status, AI_SPAN("partial")) ||
		    is_own_limit(w, s, rec))
			return false;
		ai_rec_take_error(rec, "the workflow cannot go on", &why);
		flow_work_stop(w, AI_RUN_PARTIAL,
			       agent_limit_name(AGENT_LIMIT_USD), &why);
		return true;
	}
	/* What is wrong with the record will be so later, too. */
	if (status.kind != AI_STRING && ai_code_exit(code) == AI_EXIT_RECORD)
		return false;
	if (w->signal == 0) {
		char what[FLOW_STEP_NAME + 40];

		snprintf(what, sizeof(what), "'%s' could not go on", s->name);
		ai_rec_take_error(rec, what, &why);
		flow_work_stop(w, AI_RUN_PAUSED, NULL, &why);
	}
	return true;
}

/* What a question that stands has used so far is said, and counts when it has
 * come to its end. */
static void add_standing(struct flow_work *w, const struct ai_rec *rec)
{
	struct ai_value v = ai_rec_get(rec, "run");

	w->standing.nano += cost_of(rec);
	w->standing.turns += count(v, "turns");
	w->standing.calls += count(v, "calls");
	w->standing.input += count(v, "usage.input");
	w->standing.output_tokens += count(v, "usage.output");
}

static int take_record(struct flow_work *w, struct flow_step *s,
		       const struct ai_rec *rec, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, "error.code");
	enum ai_code code = AI_E_NONE;
	struct flow_job *job = s->job;
	struct ai_span name;

	w->agents[s->agent].under_way--;
	if (ai_rec_is_error(rec)) {
		name = ai_json_inside(v);
		code = ai_code_from_name(name.p, name.n);
		if (code == AI_E_PARKED) {
			job->stands = true;
			add_standing(w, rec);
			return park(w, s, rec, err);
		}
		if (stands(w, s, rec, code)) {
			job->stands = true;
			add_standing(w, rec);
			w->agents[s->agent].probe = false;
			return 0;
		}
	}
	return end_step(w, s, rec, ai_rec_is_error(rec), err);
}

int flow_ask_answered(struct flow_work *w, size_t agent_at,
		      struct ai_span line, struct ai_err *err)
{
	struct flow_step *s = NULL;
	struct ai_rec rec;
	int64_t n;
	int rc;

	ai_rec_init(&rec);
	rc = ai_rec_parse(&rec, line, 0, err);
	if (rc == 0 && ai_json_i64(ai_rec_get(&rec, "id"), &n) == 0 && n >= 1 &&
	    (size_t)n <= w->journal.n)
		s = w->journal.v[n - 1];
	if (rc == 0 && (s == NULL || s->agent != agent_at || s->job == NULL ||
			s->state != AI_STEP_STARTED))
		rc = ai_err_set(err, AI_E_BUG, "the agent '%s' has answered "
				"what it was not asked: %.*s",
				w->flow->agents[agent_at].name,
				(int)(line.n < 200 ? line.n : 200), line.p);
	if (rc == 0) {
		struct flow_job *job = s->job;

		rc = take_record(w, s, &rec, err);
		if (rc == 0)
			rc = flow_work_step(w, job, err);
	}
	ai_rec_release(&rec);
	return rc;
}

/* Why it will die again, if it was not just killed. */
static void explain_death(struct flow_work *w, size_t agent_at)
{
	const struct flow_worker *of = &w->pool.v[agent_at];
	enum ai_code code = of->child.end == AGENT_CHILD_EXITED
		? ai_code_from_exit(of->child.status) : AI_E_NONE;
	struct ai_buf how = AI_BUF_INIT(200);
	struct ai_err why;

	if (code == AI_E_NONE && of->deaths < FLOW_DEATHS_MAX)
		return;
	agent_child_say(&of->child, &how);
	ai_err_set(&why, code == AI_E_NONE ? AI_E_UNAVAILABLE : code,
		   "the process of the agent '%s' %s",
		   w->flow->agents[agent_at].name, ai_buf_cstr(&how));
	flow_work_stop(w, AI_RUN_PAUSED, NULL, &why);
	ai_buf_release(&how);
}

int flow_ask_died(struct flow_work *w, size_t agent_at, struct ai_err *err)
{
	if (w->signal == 0)
		explain_death(w, agent_at);
	for (struct flow_job *job = w->jobs; job != NULL; job = job->next) {
		struct flow_step *s = job->step;

		if (s == NULL || s->agent != agent_at || job->stands ||
		    s->state != AI_STEP_STARTED || !s->sent)
			continue;
		if (w->stop.status != 0 || w->signal != 0) {
			job->stands = true;
			w->agents[agent_at].under_way--;
		} else if (push(w, s, err) < 0) {
			return -1;
		}
	}
	return 0;
}
