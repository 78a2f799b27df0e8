/*
 * job.c: a task, or one item of its map, on its way: rounds of a loop,
 * attempts of a round, hand-offs of an attempt, and what looks at the result.
 *
 * It is a machine without memory of what it did in another process: begun anew,
 * it comes by the same questions, and finds their answers in the journal.
 */
#include "flow/run.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20000 /* bytes of an answer that its maker, or a judge, is shown */

struct flow_job *flow_job_new(struct flow_work *w, size_t task, int64_t item,
			      struct ai_err *err)
{
	struct flow_job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	job->task = task;
	job->item = item;
	job->agent = FLOW_NONE;
	job->at = FLOW_AT_ROUND;
	ai_buf_init(&job->ask, AGENT_TEXT_MAX);
	ai_buf_init(&job->trusted, AGENT_TEXT_MAX);
	ai_buf_init(&job->text, AGENT_TEXT_MAX);
	ai_buf_init(&job->value, AGENT_TEXT_MAX);
	ai_buf_init(&job->last, AGENT_TEXT_MAX);
	ai_buf_init(&job->why, 4096);
	flow_talk_init(&job->talk);
	if (item >= 0)
		job->item_v = w->tasks[task].items[item].v;
	job->next = w->jobs;
	if (w->jobs != NULL)
		w->jobs->prev = job;
	w->jobs = job;
	w->n_jobs++;
	return job;
}

void flow_job_free(struct flow_work *w, struct flow_job *job)
{
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		w->jobs = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	w->n_jobs--;
	flow_guard_stop(job);
	flow_talk_release(&job->talk);
	ai_buf_release(&job->ask);
	ai_buf_release(&job->trusted);
	ai_buf_release(&job->text);
	ai_buf_release(&job->value);
	ai_buf_release(&job->last);
	ai_buf_release(&job->why);
	free(job);
}

int flow_job_fail(struct flow_job *job, const char *fmt, ...)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	va_list ap;

	va_start(ap, fmt);
	ai_buf_vfmt(&b, fmt, ap);
	va_end(ap);
	ai_buf_clear(&job->why);
	ai_buf_add(&job->why, ai_buf_cstr(&b),
		   ai_utf8_floor(ai_buf_cstr(&b), b.len,
				 b.len < 1000 ? b.len : 1000));
	ai_buf_release(&b);
	job->blame = (struct flow_blame){ AI_E_ANSWER, NULL };
	job->at = FLOW_AT_FAILED;
	return 1;
}

int flow_job_blame(struct flow_job *job, const struct flow_answer *a,
		   const char *what)
{
	flow_job_fail(job, "%s%s%s", what, what[0] == '\0' ? "" : ": ",
		      ai_buf_cstr((struct ai_buf *)(uintptr_t)&a->why));
	if (a->code != AI_E_NONE)
		job->blame = (struct flow_blame){ a->code, a->limit };
	return 1;
}

static const struct flow_task *task_of(const struct flow_work *w,
				       const struct flow_job *job)
{
	return &w->flow->tasks[job->task];
}

static void put_shown(struct ai_buf *b, const struct ai_buf *text)
{
	size_t n = text->len < SHOWN ? text->len : SHOWN;

	ai_buf_add(b, ai_buf_cstr(text), ai_utf8_floor(ai_buf_cstr(text),
						       text->len, n));
	if (n < text->len)
		ai_buf_fmt(b, "\n(%zu bytes more)", text->len - n);
}

/* ---- an attempt -------------------------------------------------------------------- */

static int begin_try(struct flow_work *w, struct flow_job *job,
		     struct ai_err *err)
{
	const struct flow_task *t = task_of(w, job);

	if (t->kind == FLOW_CHAT)
		return flow_chat_begin(w, job, err) < 0 ? -1 : 1;
	job->hop = 0;
	job->agent = t->agent;
	ai_buf_clear(&job->ask);
	ai_buf_clear(&job->trusted);
	if (flow_job_text(w, job, &t->description, &job->ask, err) < 0)
		return -1;
	if (job->attempt > 0) {
		ai_buf_str(&job->ask, "\n\nYour last answer was:\n\n");
		put_shown(&job->ask, &job->text);
		ai_buf_fmt(&job->ask, "\n\nIt was not taken: %s\nAnswer anew.",
			   ai_buf_cstr(&job->why));
	}
	flow_guard_say_schema(t, &job->ask);
	job->at = FLOW_AT_ASK;
	return 1;
}

static int ask(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	char name[FLOW_STEP_NAME];
	int rc;

	flow_ask_name(w, job, job->hop > 0 ? '>' : 0, (size_t)job->hop, false,
		      name);
	rc = flow_ask(w, job, name, err);
	if (!job->waits)
		job->at = FLOW_AT_ANSWER;
	return rc;
}

static bool may_hand_to(const struct flow_agent *from, size_t to)
{
	for (size_t i = 0; i < from->n_handoffs; i++)
		if (from->handoffs[i] == to)
			return true;
	return false;
}

/* The task goes to another agent, with what was said. */
static int hand_on(struct flow_work *w, struct flow_job *job,
		   const struct flow_answer *a)
{
	const struct flow_agent *from = &w->flow->agents[job->agent];
	size_t to = flow_find_agent(w->flow, (struct ai_span){
				    ai_buf_cstr(&a->to), a->to.len });
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);

	if (to == FLOW_NONE || !may_hand_to(from, to))
		return flow_job_fail(job, "%s hands the task to '%s', which it "
				     "may not", from->name,
				     ai_buf_cstr(&a->to));
	if (job->hop >= FLOW_HANDOFFS_MAX)
		return flow_job_fail(job, "the task was handed on more than %d "
				     "times", FLOW_HANDOFFS_MAX);
	if (a->task.len > 0) {
		ai_buf_add(&b, a->task.p, a->task.len);
		ai_buf_str(&b, "\n\n");
	}
	ai_buf_fmt(&b, "This was handed to you by %s, who was asked:\n\n",
		   from->name);
	ai_buf_add(&b, job->ask.p, job->ask.len);
	if (a->text.len > 0) {
		ai_buf_str(&b, "\n\nand has said:\n\n");
		put_shown(&b, &a->text);
	}
	ai_buf_release(&job->ask);
	job->ask = b;
	job->agent = to;
	job->hop++;
	job->at = FLOW_AT_ASK;
	return 1;
}

static int take_answer(struct flow_work *w, struct flow_job *job,
		       struct ai_err *err)
{
	struct flow_answer a;
	bool there;
	int rc;

	flow_answer_init(&a);
	rc = flow_ask_take(w, job, &a, &there, err);
	if (rc == 0 && there) {
		rc = 1;
		if (a.failed) {
			flow_job_blame(job, &a, "");
		} else if (a.to.len > 0) {
			rc = hand_on(w, job, &a);
		} else {
			ai_buf_clear(&job->text);
			ai_buf_add(&job->text, a.text.p, a.text.len);
			job->at = FLOW_AT_CHECK;
		}
	}
	flow_answer_release(&a);
	return rc;
}

/* ---- what it gave -------------------------------------------------------------------- */

/* job->why says why not. */
static int not_taken(struct flow_work *w, struct flow_job *job)
{
	const struct flow_task *t = task_of(w, job);

	if (job->attempt < t->retries) {
		job->attempt++;
		job->at = FLOW_AT_TRY;
		return 1;
	}
	struct ai_buf why = job->why;

	ai_buf_init(&job->why, why.max);
	if (job->attempt == 0)
		flow_job_fail(job, "what it gave was not taken: %s",
			      ai_buf_cstr(&why));
	else
		flow_job_fail(job, "what it gave was not taken, %lld times: %s",
			      (long long)job->attempt + 1, ai_buf_cstr(&why));
	ai_buf_release(&why);
	return 1;
}

static int check(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	bool fits;

	if (flow_guard_schema(task_of(w, job), job, &fits, err) < 0)
		return -1;
	job->guard = 0;
	job->at = FLOW_AT_GUARD;
	return fits ? 1 : not_taken(w, job);
}

static int passed(struct flow_job *job)
{
	job->guard++;
	job->at = FLOW_AT_GUARD;
	return 1;
}

static int ask_judge(struct flow_work *w, struct flow_job *job,
		     const struct flow_guardrail *g, struct ai_err *err)
{
	const struct flow_task *t = task_of(w, job);
	char name[FLOW_STEP_NAME];
	int rc;

	job->agent = g->agent;
	ai_buf_clear(&job->ask);
	ai_buf_clear(&job->trusted);
	if (flow_job_text(w, job, &g->ask, &job->ask, err) < 0)
		return -1;
	ai_buf_str(&job->ask, "\n\nThe task was:\n\n");
	if (flow_job_text(w, job, &t->description, &job->ask, err) < 0)
		return -1;
	ai_buf_str(&job->ask, "\n\nWhat was given for it:\n\n");
	put_shown(&job->ask, &job->text);
	ai_buf_str(&job->ask, "\n\nBegin your answer with yes if it will do; "
		   "else with no, and say what is to be done about it.");
	flow_ask_name(w, job, '?', job->guard, false, name);
	rc = flow_ask(w, job, name, err);
	if (!job->waits)
		job->at = FLOW_AT_JUDGED;
	return rc;
}

static int round_over(struct flow_work *w, struct flow_job *job,
		      struct ai_err *err)
{
	const struct flow_task *t = task_of(w, job);
	bool holds = false;

	job->at = FLOW_AT_DONE;
	if (t->loop_max <= 0)
		return 1;
	if (t->until != NULL &&
	    flow_job_holds(w, job, t->until, 0, 0, &holds, err) < 0)
		return -1;
	if (holds || job->at == FLOW_AT_FAILED || job->round >= t->loop_max)
		return 1;
	ai_buf_clear(&job->last);
	ai_buf_add(&job->last, job->value.p, job->value.len);
	job->at = FLOW_AT_ROUND;
	return 1;
}

static int guard(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	const struct flow_task *t = task_of(w, job);
	const struct flow_guardrail *g;
	bool holds;
	int rc;

	if (job->guard >= t->n_guards)
		return round_over(w, job, err);
	g = &t->guards[job->guard];
	if (g->command.n > 0) {
		rc = flow_guard_begin(w, job, err);
		job->at = FLOW_AT_COMMAND;
		return rc;
	}
	if (g->agent != FLOW_NONE)
		return ask_judge(w, job, g, err);
	if (flow_job_holds(w, job, g->cond, '?', job->guard, &holds, err) < 0)
		return -1;
	if (holds || job->at == FLOW_AT_FAILED)
		return holds ? passed(job) : 1;
	ai_buf_clear(&job->why);
	ai_buf_str(&job->why, "this does not hold: ");
	flow_cond_say(g->cond, &job->why);
	return not_taken(w, job);
}

static int command_turn(struct flow_work *w, struct flow_job *job,
			struct ai_err *err)
{
	bool there, passes;

	if (flow_guard_turn(w, job, &there, &passes, err) < 0)
		return -1;
	return !there ? 0 : job->at == FLOW_AT_FAILED ? 1 :
		passes ? passed(job) : not_taken(w, job);
}

static int take_verdict(struct flow_work *w, struct flow_job *job,
			struct ai_err *err)
{
	struct flow_answer a;
	bool there;
	int rc;

	flow_answer_init(&a);
	rc = flow_ask_take(w, job, &a, &there, err);
	if (rc == 0 && there)
		rc = a.failed ? flow_job_blame(job, &a, "nobody has judged it")
			: flow_guard_judge(&a, &job->why) ? passed(job)
			: not_taken(w, job);
	flow_answer_release(&a);
	return rc;
}

/* ---- the machine ---------------------------------------------------------------------- */

static int begin_round(struct flow_work *w, struct flow_job *job,
		       struct ai_err *err)
{
	(void)w;
	(void)err;
	job->round++;
	job->attempt = 0;
	ai_buf_clear(&job->why);
	job->at = FLOW_AT_TRY;
	return 1;
}

static int no_more(struct flow_work *w, struct flow_job *job,
		   struct ai_err *err)
{
	(void)w;
	(void)job;
	(void)err;
	return 0;
}

/* Each goes on as far as it can: 1: there is more to do; 0: it waits. */
static int (*const states[])(struct flow_work *w, struct flow_job *job,
			     struct ai_err *err) = {
	[FLOW_AT_ROUND] = begin_round, [FLOW_AT_TRY] = begin_try,
	[FLOW_AT_ASK] = ask, [FLOW_AT_ANSWER] = take_answer,
	[FLOW_AT_CHOOSE] = flow_chat_go, [FLOW_AT_CHOSEN] = flow_chat_go,
	[FLOW_AT_SPEAK] = flow_chat_go, [FLOW_AT_SPOKEN] = flow_chat_go,
	[FLOW_AT_CHECK] = check, [FLOW_AT_GUARD] = guard,
	[FLOW_AT_COMMAND] = command_turn, [FLOW_AT_JUDGED] = take_verdict,
	[FLOW_AT_DONE] = no_more, [FLOW_AT_FAILED] = no_more,
};

int flow_job_go(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	int rc = 1;

	while (rc > 0 && !job->stands) {
		rc = states[job->at](w, job, err);
		/* A text, or an answer, that is too long is this task's matter,
		 * and would be so later, too. */
		if (rc < 0 && err->code == AI_E_TOO_LONG) {
			rc = flow_job_fail(job, "%s", err->msg);
			job->blame.code = AI_E_TOO_LONG;
		}
	}
	return rc < 0 ? -1 : 0;
}
