/* model.c: the model, through an ai-complete that lives as long as the run; or
 * longer, where the worker has more runs that are booked under the same one.
 *
 * It keeps its answers under the run's name (--resume-by), so that one that was
 * paid for and did not reach the journal is not paid for again. */
#include "agent.h"
#include "mcp/mcp.h"
#include "worker.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/msg.h"
#include "base/proc.h"
#include "base/sig.h"
#include "model/paid.h"
#include "record/rec.h"
#include "store/batch.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARGS 64
#define TOOLS_MAX 128 /* what ai-complete takes */
#define GRACE_S 5.0 /* ai-complete keeps its own time-outs */
#define FREE_WAIT_S 30.0
#define BATCH (AI_RUN_ID + sizeof(AI_RUN_BATCH))
#define LOOK_S 1.0 /* the longest that a signal waits */

struct agent_model {
	struct ai_proc proc;
	struct ai_buf line;
	bool busy; /* it was asked, and has not answered */
};

bool agent_model_is_idle(const struct agent_model *m)
{
	return m != NULL && m->proc.pid != 0 && !m->busy;
}

/* It is at a question, and we have to end at once: it reads the end of its
 * input, keeps the answer when that comes, and ends, without us.  Who goes on
 * with the run waits for it (wait_free()). */
static void leave(struct agent_model *m)
{
	close(m->proc.to);
	close(m->proc.from);
	ai_buf_release(&m->proc.pending);
	m->proc = (struct ai_proc)AI_PROC_INIT;
}

void agent_model_free(struct agent_model *m)
{
	if (m == NULL)
		return;
	/* Of a workflow's the warden says how long it may take: for ever if
	 * only the workflow was killed (flow/pool.c). */
	if (m->busy && m->proc.pid != 0 && m->proc.to >= 0 &&
	    agent_is_within() && ai_sig_asked() == AI_SIG_NOW)
		leave(m);
	/* What it is at is of no use any more, but it has to be booked. */
	m->proc.timeout_s = 1;
	ai_proc_stop(&m->proc, NULL, NULL);
	ai_buf_release(&m->line);
	free(m);
}

/* ---- starting ------------------------------------------------------------------- */

struct args {
	const char *v[ARGS];
	size_t n;
};

static void add(struct args *a, const char *option, const char *value)
{
	if (value == NULL || a->n + 3 > ARGS)
		return;
	a->v[a->n++] = option;
	a->v[a->n++] = value;
}

struct numbers {
	char max_tokens[24], temperature[32], timeout[32];
};

static void fill(struct args *a, struct numbers *s, const struct agent_run *r)
{
	a->n = 0;
	a->v[a->n++] = "ai-complete";
	add(a, "-m", agent.model);
	add(a, "--base-url", agent.base_url);
	add(a, "--api", agent.api);
	add(a, "--effort", agent.effort);
	add(a, "--cache", agent.cache);
	add(a, "--record", agent.record);
	add(a, "--replay", agent.replay);
	if (agent.max_tokens > 0) {
		snprintf(s->max_tokens, sizeof(s->max_tokens), "%lld",
			 (long long)agent.max_tokens);
		add(a, "--max-tokens", s->max_tokens);
	}
	if (!isnan(agent.temperature)) {
		snprintf(s->temperature, sizeof(s->temperature), "%g",
			 agent.temperature);
		add(a, "--temperature", s->temperature);
	}
	if (agent.timeout > 0) {
		snprintf(s->timeout, sizeof(s->timeout), "%g", agent.timeout);
		add(a, "--timeout", s->timeout);
	}
	add(a, "--ledger", ai_paid.ledger);
	add(a, "--price", ai_paid.price);
	add(a, "--tenant", ai_paid.tenant);
	add(a, "--user", ai_paid.user);
	add(a, "--project", ai_paid.project);
	add(a, "--experiment", ai_paid.experiment);
	add(a, "--run", r->root);
	add(a, "--resume-by", "batch");
	/* Nothing that is configured for other prompts is to change ours. */
	add(a, "--template", "");
	add(a, "--system", "");
	a->v[a->n++] = "-q";
	a->v[a->n] = NULL;
}

static void name_batch(const struct agent_run *r, char name[BATCH])
{
	snprintf(name, BATCH, AI_RUN_BATCH "%s", r->journal.run.id);
}

/* The one that a killed run has left may still be writing its answer down. */
static int wait_free(struct agent_run *r, struct ai_err *err)
{
	double until = ai_clock_s() + FREE_WAIT_S;
	const struct timespec nap = { 0, 20000000 };
	struct ai_batch b;
	char name[BATCH];

	if (r->own)
		return 0;
	r->own = true;
	name_batch(r, name);
	while (ai_batch_open(r->journal.ledger, name, false, &b, err) < 0) {
		if (err->code != AI_E_TRY_LATER || ai_clock_s() > until)
			return -1;
		nanosleep(&nap, NULL);
	}
	return ai_batch_close(r->journal.ledger, &b, err);
}

static int start(struct agent_run *r, struct ai_err *err)
{
	struct numbers numbers;
	struct args a;

	if (r->model == NULL) {
		r->model = calloc(1, sizeof(*r->model));
		if (r->model == NULL)
			return ai_err_nomem(err);
		r->model->proc = (struct ai_proc)AI_PROC_INIT;
		ai_buf_init(&r->model->line, AGENT_TEXT_MAX);
	}
	if (wait_free(r, err) < 0)
		return -1;
	if (r->model->proc.pid != 0)
		return 0;
	r->model->busy = false;
	fill(&a, &numbers, r);
	return ai_proc_sibling(&r->model->proc, a.v, err);
}

/* ---- asking ---------------------------------------------------------------------- */

bool agent_is_offered(const struct agent_run *r, const struct agent_tool *tool)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (r->offered.kind != AI_ARRAY || tool->withheld)
		return !tool->withheld;
	ai_json_iter_init(&it, r->offered);
	while (ai_json_next(&it, NULL, &v))
		if (ai_json_is(v, ai_span_of(tool->name)))
			return true;
	return false;
}

/* How many it was told of. */
static size_t put_tools(const struct agent_run *r, struct ai_buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < r->tools->n; i++) {
		const struct agent_tool *t = &r->tools->v[i];

		if (!agent_is_offered(r, t))
			continue;
		if (n++ == 0) {
			ai_put_key(b, "tools");
			ai_put_open(b, '[');
		}
		ai_put_open(b, '{');
		ai_put_key(b, "type");
		ai_put_cstr(b, "function");
		ai_put_key(b, "function");
		ai_put_open(b, '{');
		ai_put_key(b, "name");
		ai_put_cstr(b, t->name);
		ai_put_key(b, "description");
		ai_put_cstr(b, t->description);
		ai_put_key(b, "parameters");
		ai_put_raw(b, t->parameters.p, t->parameters.n);
		ai_put_close(b, '}');
		ai_put_close(b, '}');
	}
	if (n > 0)
		ai_put_close(b, ']');
	return n;
}

/* Of a run within a run the ledger knows no budget: what it may spend holds for
 * each reply before it is asked for. */
static void put_money(const struct agent_run *r, struct ai_buf *b)
{
	int64_t left = r->limits.v[AGENT_LIMIT_USD] - r->used.nano;
	char money[AI_MONEY_TEXT];

	if (!agent_is_within() || left <= 0)
		return;
	ai_money_text(left, money);
	ai_put_key(b, "max_usd");
	ai_put_raw(b, money, strlen(money));
}

static int put_request(const struct agent_run *r, struct ai_buf *b,
		       struct ai_err *err)
{
	char batch[BATCH];
	size_t n;

	name_batch(r, batch);
	ai_buf_clear(b);
	ai_put_open(b, '{');
	ai_put_key(b, "batch");
	ai_put_cstr(b, batch);
	ai_put_key(b, "messages");
	ai_put_open(b, '[');
	ai_put_raw(b, r->messages.p, r->messages.len);
	ai_put_close(b, ']');
	ai_put_key(b, "params");
	ai_put_open(b, '{');
	put_money(r, b);
	n = put_tools(r, b);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	if (n > TOOLS_MAX)
		return ai_err_set(err, AI_E_RECORD, "there are %zu tools, and a "
				  "model is told of at most %d: let the record's "
				  "'tools', or 'allow' of the MCP servers, name "
				  "those that it needs", n, TOOLS_MAX);
	return ai_buf_check(b, "what is said in the run", err);
}

static int take(struct agent_model *m, struct ai_buf *answer,
		struct ai_err *err)
{
	struct ai_value v;
	struct ai_rec rec;
	int rc = -1;

	ai_rec_init(&rec);
	if (ai_rec_parse(&rec, (struct ai_span){ m->line.p, m->line.len }, 0,
			 err) == 0) {
		v = ai_rec_get(&rec, "completion");
		if (ai_rec_is_error(&rec))
			rc = ai_rec_take_error(&rec, "the model gave no answer",
					       err);
		else if (v.kind != AI_OBJECT)
			rc = ai_err_set(err, AI_E_ANSWER, "ai-complete gave "
					"no completion");
		else
			rc = ai_buf_add(answer, v.s.p, v.s.n);
	}
	ai_rec_release(&rec);
	return rc;
}

static void set_time(struct agent_run *r)
{
	double left = agent_run_left_s(r);

	r->model->proc.timeout_s = left > 0 ? left : 0.001;
}

static bool has_answer(const struct ai_proc *p)
{
	struct pollfd fd = { .fd = p->from, .events = POLLIN };

	return p->from < 0 || p->pending.len > p->taken || poll(&fd, 1, 0) > 0;
}

/* Until the model says something, or is not to be waited for any more, which
 * who reads it finds out as well.  Servers may ask us all the while, and take
 * who does not answer for dead. */
static int await(struct agent_run *r, struct ai_err *err)
{
	double until = ai_clock_s() + r->model->proc.timeout_s;
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	int rc = 0;

	while (rc == 0 && !has_answer(&r->model->proc) &&
	       ai_sig_asked() != AI_SIG_NOW && ai_clock_s() < until) {
		agent_poll_clear(&poll, LOOK_S);
		agent_mcp_turn(r->mcp);
		agent_mcp_wait(r->mcp, &poll);
		agent_poll_add(&poll, r->model->proc.from, POLLIN);
		agent_poll_add(&poll, ai_sig_fd(), POLLIN);
		agent_poll_by(&poll, until);
		rc = agent_poll_wait(&poll, err);
	}
	agent_poll_release(&poll);
	set_time(r);
	return rc;
}

int agent_model_ask(struct agent_run *r, struct ai_buf *answer,
		    struct ai_err *err)
{
	struct agent_model *m;
	enum ai_code code;
	int status;

	if (start(r, err) < 0)
		return -1;
	m = r->model;
	if (put_request(r, &m->line, err) < 0)
		return -1;
	set_time(r);
	m->proc.pending.max = AGENT_TEXT_MAX;
	m->busy = true;
	if (ai_proc_send(&m->proc, m->line.p, m->line.len, err) < 0 ||
	    (r->mcp != NULL && await(r, err) < 0) ||
	    ai_proc_recv(&m->proc, &m->line, err) < 0) {
		if (err->code != AI_E_UNAVAILABLE)
			return -1;
		if (agent_run_left_s(r) <= 0) {
			ai_proc_stop(&m->proc, NULL, NULL);
			return ai_err_set(err, AI_E_UNAVAILABLE, "the time of "
					  "the run is over");
		}
		code = ai_proc_ended(&m->proc, &status);
		return code == AI_E_NONE ? -1 :
			ai_err_set(err, code, "ai-complete ended with status "
				   "%d; why, it has said on standard error",
				   status);
	}
	m->busy = false;
	return take(m, answer, err);
}
