/*
 * run.c: the loop: the model says something, its calls are done, and so on.
 *
 * It begins at the journal's first step each time.  What is written there is
 * taken from it, and what is not is done: so a new run, one that is gone on
 * with after anything, and a replay are the same way.
 */
#include "agent.h"
#include "mcp/mcp.h"

#include "base/money.h"
#include "base/msg.h"
#include "base/sig.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define SILENT_MAX 2
#define QUOTED 2000 /* bytes of a result that a run without a word ends with */

static int stop(struct agent_run *r, enum ai_run_status status,
		const char *limit, const struct ai_err *why)
{
	r->stop.status = status;
	r->stop.limit = limit;
	if (why != NULL)
		r->stop.err = *why;
	return 0;
}

/* ---- what the model has answered ---------------------------------------------- */

static int64_t count(struct ai_value v, const char *path)
{
	int64_t n;

	return ai_json_i64(ai_json_get(v, path), &n) < 0 || n < 0 ? 0 : n;
}

/* A step that is copied from another run has cost this one nothing: what the
 * journal says holds. */
static void account(struct agent_run *r, struct ai_value v)
{
	r->used.nano += r->journal.v[r->journal.at].amount;
	r->used.input += count(v, "usage.input");
	r->used.output_tokens += count(v, "usage.output");
	r->used.turns++;
}

static int64_t cost_of(const struct ai_buf *answer)
{
	struct ai_value v, cost;
	int64_t nano = 0;
	struct ai_err err;

	if (ai_json_check(answer->p, answer->len, &v, &err) < 0)
		return 0;
	cost = ai_json_get(v, "cost_usd");
	return cost.kind != AI_NUMBER ||
		ai_money_parse_up(cost.s, &nano, &err) < 0 ? 0 : nano;
}

/* A reply that could not be used goes on as a word to the model. */
static bool is_mendable(const struct ai_err *err)
{
	return err->code == AI_E_ANSWER;
}

/* Not the run's fault: it can be gone on with. */
static bool may_pass(const struct ai_err *err)
{
	return err->code == AI_E_UNAVAILABLE || err->code == AI_E_TRY_LATER ||
		err->code == AI_E_MEMORY || err->code == AI_E_OS ||
		err->code == AI_E_NOT_ALLOWED || err->code == AI_E_CONFIG ||
		err->code == AI_E_OPEN || err->code == AI_E_IO;
}

static int refused(struct agent_run *r, const struct ai_err *why)
{
	if (why->code == AI_E_BUDGET)
		return stop(r, AI_RUN_PARTIAL,
			    agent_limit_name(AGENT_LIMIT_USD), why);
	if (ai_sig_asked() != AI_SIG_NO && may_pass(why))
		return stop(r, AI_RUN_PAUSED, NULL, NULL);
	if (agent_run_left_s(r) <= 0)
		return stop(r, AI_RUN_PARTIAL,
			    agent_limit_name(AGENT_LIMIT_SECONDS), NULL);
	return stop(r, may_pass(why) ? AI_RUN_PAUSED : AI_RUN_FAILED, NULL,
		    why);
}

static int put_error(struct agent_step *s, const struct ai_err *why,
		     struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "error");
	ai_put_cstr(&b, why->msg);
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->result, &b, err);
	ai_buf_release(&b);
	return rc;
}

/* The next reply, from the journal or the model.  1: it is there, as the step
 * at journal.at; 0: the run stands. */
static int reply(struct agent_run *r, struct ai_err *err)
{
	struct agent_journal *j = &r->journal;
	struct ai_buf answer = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_step *s;
	struct ai_err why;
	int rc;

	if (j->at < j->n) {
		if (j->v[j->at].kind == AI_STEP_MODEL &&
		    j->v[j->at].result != NULL)
			return 1;
		return ai_err_set(err, AI_E_DATA, "step %zu of the run is not "
				  "what follows from those before it", j->at + 1);
	}
	if (j->replay)
		return stop(r, AI_RUN_PAUSED, NULL, NULL);
	rc = agent_model_ask(r, &answer, &why);
	if (rc < 0 && !is_mendable(&why)) {
		ai_buf_release(&answer);
		return refused(r, &why);
	}
	s = agent_journal_step(j, j->at + 1, AI_STEP_MODEL, err);
	if (s != NULL) {
		s->state = AI_STEP_DONE;
		s->amount = rc < 0 ? 0 : cost_of(&answer);
		rc = rc < 0 ? put_error(s, &why, err)
			    : agent_step_set(&s->result, &answer, err);
	}
	ai_buf_release(&answer);
	return s == NULL || rc < 0 ? -1 : 1;
}

/* ---- messages ------------------------------------------------------------------- */

static void begin_message(struct agent_run *r, const char *role)
{
	ai_put_open(&r->messages, '{');
	ai_put_key(&r->messages, "role");
	ai_put_cstr(&r->messages, role);
}

void agent_run_say(struct agent_run *r, const char *role, struct ai_span text)
{
	begin_message(r, role);
	ai_put_key(&r->messages, "content");
	ai_put_str(&r->messages, text.p, text.n);
	ai_put_close(&r->messages, '}');
}

void agent_run_say_result(struct agent_run *r, const char *id,
			  struct ai_span text)
{
	begin_message(r, "tool");
	ai_put_key(&r->messages, "tool_call_id");
	ai_put_cstr(&r->messages, id);
	ai_put_key(&r->messages, "content");
	ai_put_str(&r->messages, text.p, text.n);
	ai_put_close(&r->messages, '}');
}

static void say_assistant(struct agent_run *r, struct ai_value text,
			  struct ai_value calls)
{
	begin_message(r, "assistant");
	ai_put_key(&r->messages, "content");
	if (text.kind == AI_STRING && text.s.n > 2)
		ai_put_value(&r->messages, text);
	else
		ai_put_null(&r->messages);
	if (calls.kind == AI_ARRAY) {
		ai_put_key(&r->messages, "tool_calls");
		ai_put_value(&r->messages, calls);
	}
	ai_put_close(&r->messages, '}');
}

/* Whether two calls have the same id, or one has none: a result could not say
 * whose it is. */
static bool are_told_apart(struct ai_value calls)
{
	struct ai_json_iter a, b;
	struct ai_value x, y;
	size_t i = 0, k;

	ai_json_iter_init(&a, calls);
	for (; ai_json_next(&a, NULL, &x); i++) {
		x = ai_json_get(x, "id");
		if (x.kind != AI_STRING || x.s.n <= 2)
			return false;
		ai_json_iter_init(&b, calls);
		for (k = 0; k < i && ai_json_next(&b, NULL, &y); k++)
			if (ai_span_eq(ai_json_get(y, "id").s, x.s))
				return false;
	}
	return true;
}

/* The same calls with ids of ours. */
static int name_calls(struct agent_run *r, struct ai_value *calls,
		      struct ai_buf *named, struct ai_err *err)
{
	struct ai_json_iter it, members;
	struct ai_value call, key, v;
	char id[64];
	size_t i = 0;

	ai_put_open(named, '[');
	ai_json_iter_init(&it, *calls);
	for (; ai_json_next(&it, NULL, &call); i++) {
		ai_put_open(named, '{');
		snprintf(id, sizeof(id), "call_%zu_%zu", r->journal.at, i);
		ai_put_key(named, "id");
		ai_put_cstr(named, id);
		ai_json_iter_init(&members, call);
		while (call.kind == AI_OBJECT &&
		       ai_json_next(&members, &key, &v))
			if (!ai_json_is(key, AI_SPAN("id"))) {
				ai_put_value(named, key);
				ai_buf_chr(named, ':');
				ai_put_value(named, v);
			}
		ai_put_close(named, '}');
	}
	ai_put_close(named, ']');
	return ai_buf_check(named, "the calls of a reply", err) < 0 ? -1 :
		ai_json_check(named->p, named->len, calls, err);
}

/* ---- a turn --------------------------------------------------------------------- */

/* A reply that is of no use: the model is told, a few times. */
static int tell(struct agent_run *r, const char *what, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct ai_err why;

	if (agent_journal_put(&r->journal, r->journal.at, r->journal.at, false,
			      err) < 0)
		return -1;
	if (++r->silent > SILENT_MAX) {
		ai_err_set(&why, AI_E_ANSWER, "%s, %zu times", what, r->silent);
		return stop(r, AI_RUN_FAILED, NULL, &why);
	}
	ai_buf_fmt(&b, "Your last reply could not be used: %s. Go on with the "
		   "task: call a tool, or answer.", what);
	/* Its turn has been, and some formats want one between two of ours. */
	agent_run_say(r, "assistant", AI_SPAN("(a reply that could not be used)"));
	agent_run_say(r, "user", (struct ai_span){ ai_buf_cstr(&b), b.len });
	ai_buf_release(&b);
	return 0;
}

static int end(struct agent_run *r, struct ai_value v, struct ai_err *err)
{
	if (agent_journal_put(&r->journal, r->journal.at, r->journal.at, false,
			      err) < 0)
		return -1;
	if (ai_json_is(ai_json_get(v, "finish_reason"), AI_SPAN("length")))
		return stop(r, AI_RUN_PARTIAL, "max_tokens", NULL);
	return stop(r, AI_RUN_DONE, NULL, NULL);
}

static int take(struct agent_run *r, struct ai_err *err)
{
	const struct agent_step *s = &r->journal.v[r->journal.at];
	struct ai_value v, text, calls, error;
	struct ai_buf what = AI_BUF_INIT(1024);
	int rc;

	if (ai_json_check(s->result, strlen(s->result), &v, err) < 0)
		return -1;
	account(r, v);
	r->journal.at++;
	if (r->journal.replay)
		ai_msg(AI_MSG_INFO, "step %zu: a reply of the model",
		       r->journal.at);
	error = ai_json_get(v, "error");
	text = ai_json_get(v, "text");
	calls = ai_json_get(v, "tool_calls");
	if (text.kind == AI_STRING && text.s.n > 2) {
		ai_buf_clear(&r->text);
		ai_json_text(text, &r->text);
	}
	if (error.kind == AI_STRING) {
		ai_json_text(error, &what);
		rc = tell(r, ai_buf_cstr(&what), err);
		ai_buf_release(&what);
		return rc;
	}
	if (calls.kind != AI_ARRAY || ai_json_get(calls, "0").kind == AI_NONE)
		return text.kind == AI_STRING && text.s.n > 2 ? end(r, v, err)
			: tell(r, "it is empty", err);
	r->silent = 0;
	ai_buf_init(&what, AGENT_TEXT_MAX);
	rc = are_told_apart(calls) ? 0 : name_calls(r, &calls, &what, err);
	if (rc == 0) {
		say_assistant(r, text, calls);
		rc = agent_calls_do(r, calls, err);
	}
	ai_buf_release(&what);
	return rc;
}

/* What all runs within the outermost one have used together: those that are under
 * way each look at it, and may go beyond it by the reply that they wait for. */
static const char *whole_over(struct agent_run *r, struct ai_err *err)
{
	const int64_t *most = r->whole.v;
	struct ai_run_used u;
	const char *over = NULL;

	if (most[AGENT_LIMIT_TURNS] == INT64_MAX &&
	    most[AGENT_LIMIT_TOKENS] == INT64_MAX)
		return NULL;
	if (ai_run_used(r->journal.ledger, r->root, &u, err) < 0) {
		stop(r, AI_RUN_PAUSED, NULL, err);
		return NULL;
	}
	if (u.turns >= most[AGENT_LIMIT_TURNS])
		over = agent_limit_name(AGENT_LIMIT_TURNS);
	else if (u.tokens >= most[AGENT_LIMIT_TOKENS])
		over = agent_limit_name(AGENT_LIMIT_TOKENS);
	r->of_whole |= over != NULL;
	return over;
}

/* The run stands for a limit or a signal. */
static bool must_stand(struct agent_run *r)
{
	const char *over = r->over != NULL ? r->over :
		agent_used_over(&r->used, &r->limits,
				agent_journal_spent_ms(&r->journal));
	struct ai_err err;

	if (over == NULL)
		over = whole_over(r, &err);
	if (over != NULL)
		stop(r, AI_RUN_PARTIAL, over, NULL);
	else if (r->stop.status == 0 && ai_sig_asked() != AI_SIG_NO)
		stop(r, AI_RUN_PAUSED, NULL, NULL);
	return r->stop.status != 0;
}

static int turn(struct agent_run *r, struct ai_err *err)
{
	const struct agent_journal *j = &r->journal;
	bool fresh = j->at == j->n && !j->replay;
	int rc;

	/* What is in the journal has been done, whatever the limits are now. */
	if (fresh && must_stand(r))
		return 0;
	if (fresh && r->mcp != NULL &&
	    (agent_mcp_refresh(r->mcp, r->tools, agent_run_left_s(r), err) < 0 ||
	     must_stand(r)))
		return r->stop.status != 0 ? 0 : -1;
	if (!j->replay && agent_guard_tools(r, err) < 0)
		return err->code == AI_E_UNAVAILABLE && must_stand(r) ? 0 : -1;
	rc = reply(r, err);
	if (rc <= 0)
		return rc;
	return take(r, err) < 0 ? -1 :
		ai_buf_check(&r->messages, "what is said in the run", err);
}

double agent_run_left_s(const struct agent_run *r)
{
	return (double)(r->limits.v[AGENT_LIMIT_SECONDS] -
			agent_journal_spent_ms(&r->journal)) / 1e3;
}

int agent_run_go(struct agent_run *r, struct ai_err *err)
{
	while (r->stop.status == 0)
		if (turn(r, err) < 0)
			return -1;
	/* A run that a limit has ended says what it has. */
	if (r->text.len == 0 && r->stop.status == AI_RUN_PARTIAL &&
	    r->last_result.len > 0)
		ai_buf_fmt(&r->text, "(no answer yet; the last result was) "
			   "%.*s", (int)ai_utf8_floor(r->last_result.p,
			   r->last_result.len, r->last_result.len < QUOTED
			   ? r->last_result.len : QUOTED), r->last_result.p);
	return ai_buf_check(&r->text, "the run's text", err);
}
