/* run.c: the scheduler: which task is begun, what is waited for, and when
 * the whole has come to its end. */
#include "flow/run.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/sig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNAL_S 1.0 /* the longest that a signal waits */
#define TERM_S 3.0   /* for what was told to end at once */

void flow_work_stop(struct flow_work *w, enum ai_run_status status,
		    const char *limit, const struct ai_err *why)
{
	if (w->stop.status != 0)
		return;
	w->stop.status = status;
	w->stop.limit = limit;
	if (why != NULL)
		w->stop.err = *why;
}

static bool is_over(const struct flow_doing *d)
{
	return d->state >= FLOW_DONE;
}

/* ---- what is ready ---------------------------------------------------------------- */

static void make_ready(struct flow_work *w, size_t task)
{
	w->tasks[task].state = FLOW_READY;
	w->ready[w->ready_n++] = task;
}

/* The next that may be begun; FLOW_NONE: none now. */
static size_t next_ready(struct flow_work *w)
{
	const struct flow *f = w->flow;

	if (f->process != FLOW_SEQUENTIAL)
		return w->ready_from < w->ready_n ? w->ready[w->ready_from]
						  : FLOW_NONE;
	while (w->turn < f->n_tasks && is_over(&w->tasks[f->order[w->turn]]))
		w->turn++;
	return w->turn < f->n_tasks &&
		w->tasks[f->order[w->turn]].state == FLOW_READY
		? f->order[w->turn] : FLOW_NONE;
}

/* Who needs which, so that an end is told to those alone. */
static int find_users(struct flow_work *w, struct ai_err *err)
{
	const struct flow *f = w->flow;
	size_t *at = calloc(f->n_tasks + 2, sizeof(*at)), n = 0;

	w->users_at = at;
	for (size_t i = 0; at != NULL && i < f->n_tasks; i++) {
		n += f->tasks[i].n_needs;
		for (size_t k = 0; k < f->tasks[i].n_needs; k++)
			at[f->tasks[i].needs[k] + 2]++;
	}
	w->users = calloc(n + 1, sizeof(*w->users));
	w->ready = calloc(f->n_tasks + 1, sizeof(*w->ready));
	w->maps = calloc(f->n_tasks + 1, sizeof(*w->maps));
	if (at == NULL || w->users == NULL || w->ready == NULL ||
	    w->maps == NULL)
		return ai_err_nomem(err);
	for (size_t i = 2; i < f->n_tasks + 2; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < f->n_tasks; i++)
		for (size_t k = 0; k < f->tasks[i].n_needs; k++)
			w->users[at[f->tasks[i].needs[k] + 1]++] = i;
	return 0;
}

static int prepare(struct flow_work *w, struct ai_err *err)
{
	const struct flow *f = w->flow;

	if (find_users(w, err) < 0)
		return -1;
	for (size_t i = 0; i < f->n_tasks; i++) {
		struct flow_doing *d = &w->tasks[i];

		d->left = f->tasks[i].n_needs;
		d->users = w->users_at[i + 1] - w->users_at[i];
	}
	/* What the whole gives is looked at when all is over. */
	for (size_t i = 0; i < f->output.n; i++)
		if (f->output.v[i].what == FLOW_TASK)
			w->tasks[f->output.v[i].task].users++;
	if (f->output.n == 0 && f->n_tasks > 0)
		w->tasks[f->n_tasks - 1].users++;
	for (size_t i = 0; i < f->n_tasks; i++)
		if (w->tasks[f->order[i]].left == 0)
			make_ready(w, f->order[i]);
	return 0;
}

/* ---- the end of a task -------------------------------------------------------------- */

static void let_go(struct flow_doing *d)
{
	for (size_t i = 0; i < d->n_items; i++)
		ai_buf_release(&d->items[i].value);
	free(d->items);
	d->items = NULL;
	d->n_items = 0;
	ai_buf_release(&d->list);
}

static void task_over(struct flow_work *w, size_t task, enum flow_state state)
{
	const struct flow_task *t = &w->flow->tasks[task];
	struct flow_doing *d = &w->tasks[task];

	d->state = state;
	let_go(d);
	if (d->users == 0)
		ai_buf_release(&d->value);
	for (size_t i = 0; i < t->n_needs; i++) {
		struct flow_doing *of = &w->tasks[t->needs[i]];

		if (--of->users == 0)
			ai_buf_release(&of->value);
	}
	for (size_t i = w->users_at[task]; i < w->users_at[task + 1]; i++)
		if (--w->tasks[w->users[i]].left == 0)
			make_ready(w, w->users[i]);
}

static void task_failed(struct flow_work *w, size_t task, const char *why,
			struct flow_blame blame)
{
	const struct flow_task *t = &w->flow->tasks[task];
	struct flow_doing *d = &w->tasks[task];
	struct ai_err err;

	if (is_over(d))
		return;
	if (why != d->why.p) {
		ai_buf_clear(&d->why);
		ai_buf_str(&d->why, why);
	}
	if (t->optional) {
		ai_msg(AI_MSG_WARN, "the task '%s' has failed, and is left "
		       "out: %s", t->name, why);
		task_over(w, task, FLOW_FAILED);
		return;
	}
	d->state = FLOW_FAILED;
	ai_err_set(&err, blame.code, "the task '%s' has failed: %.300s",
		   t->name, why);
	flow_work_stop(w, AI_RUN_FAILED, blame.limit, &err);
}

static void take_taint(struct flow_doing *d, const char *by)
{
	if (d->by[0] == '\0')
		snprintf(d->by, sizeof(d->by), "%s", by);
}

/* Bytes that what the items give may have together, if the others are null. */
static size_t room_of(const struct flow_doing *d)
{
	return AGENT_TEXT_MAX - 2 - d->n_items * sizeof("null");
}

/* Of more than that the items behind the first that has no room are left out:
 * the same ones, in whatever order they came. */
static void cut_items(struct flow_work *w, size_t task)
{
	struct flow_doing *d = &w->tasks[task];
	size_t i, bytes = 0, room = room_of(d);

	for (i = 0; i < d->n_items; i++) {
		if (bytes + d->items[i].value.len + 1 > room)
			break;
		bytes += d->items[i].value.len + 1;
	}
	ai_msg(AI_MSG_WARN, "the task '%s': what its items give is more than "
	       "%zu bytes: items %zu to %zu are left out",
	       w->flow->tasks[task].name, room, i, d->n_items - 1);
	for (; i < d->n_items; i++)
		ai_buf_clear(&d->items[i].value);
}

static int map_over(struct flow_work *w, size_t task, struct ai_err *err)
{
	struct flow_doing *d = &w->tasks[task];

	if (d->n_items > 0 && d->good == 0) {
		struct ai_buf why = AI_BUF_INIT(4096);

		ai_buf_fmt(&why, "each of its %zu items has, such as %s",
			   d->n_items, ai_buf_cstr(&d->why));
		task_failed(w, task, ai_buf_cstr(&why), d->blame);
		ai_buf_release(&why);
		return 0;
	}
	if (d->full)
		cut_items(w, task);
	ai_put_open(&d->value, '[');
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].value.len > 0)
			ai_put_raw(&d->value, d->items[i].value.p,
				   d->items[i].value.len);
		else
			ai_put_null(&d->value);
	ai_put_close(&d->value, ']');
	if (ai_buf_check(&d->value, "what a task gave", err) < 0)
		return -1;
	task_over(w, task, FLOW_DONE);
	return 0;
}

/* What it has given may have no room beside the others': found now, and not when
 * all of them have been paid for. */
static void look_at_room(struct flow_work *w, struct flow_job *job)
{
	struct flow_doing *d = &w->tasks[job->task];

	d->bytes += job->value.len + 1;
	if (d->full || d->bytes <= room_of(d))
		return;
	d->full = true;
	d->ended += d->n_items - d->begun;
	d->begun = d->n_items;
	if (w->flow->tasks[job->task].optional)
		return;
	flow_job_fail(job, "with this one, what the items have given is more "
		      "than %zu bytes", room_of(d));
	job->blame.code = AI_E_TOO_LONG;
}

static int item_over(struct flow_work *w, struct flow_job *job,
		     struct ai_err *err)
{
	struct flow_doing *d = &w->tasks[job->task];
	struct ai_buf why = AI_BUF_INIT(4096);

	d->ended++;
	if (job->at == FLOW_AT_DONE)
		look_at_room(w, job);
	if (job->at == FLOW_AT_DONE) {
		d->good++;
		d->items[job->item].value = job->value;
		ai_buf_init(&job->value, AGENT_TEXT_MAX);
	} else {
		ai_buf_fmt(&why, "item %lld: %s", (long long)job->item,
			   ai_buf_cstr(&job->why));
		/* The first one's is told. */
		if (d->why.len == 0) {
			ai_buf_str(&d->why, ai_buf_cstr(&why));
			d->blame = job->blame;
		}
		if (!w->flow->tasks[job->task].optional)
			task_failed(w, job->task, ai_buf_cstr(&why),
				    job->blame);
		else
			ai_msg(AI_MSG_WARN, "the task '%s': %s",
			       w->flow->tasks[job->task].name,
			       ai_buf_cstr(&why));
		ai_buf_release(&why);
	}
	return d->ended < d->n_items || is_over(d) ? 0 :
		map_over(w, job->task, err);
}

static int job_over(struct flow_work *w, struct flow_job *job,
		    struct ai_err *err)
{
	struct flow_doing *d = &w->tasks[job->task];
	size_t task = job->task;
	int rc = 0;

	take_taint(d, job->by);
	if (job->item >= 0) {
		rc = item_over(w, job, err);
	} else if (job->at == FLOW_AT_DONE) {
		d->value = job->value;
		ai_buf_init(&job->value, AGENT_TEXT_MAX);
		task_over(w, task, FLOW_DONE);
	} else {
		/* What it gave, though it will not do; nobody is told it who
		 * goes on without. */
		if (job->text.len > 0 && !w->flow->tasks[task].optional)
			ai_put_str(&d->value, ai_buf_cstr(&job->text),
				   job->text.len);
		task_failed(w, task, ai_buf_cstr(&job->why), job->blame);
	}
	if (job->counted)
		w->n_standing--;
	flow_job_free(w, job);
	return rc;
}

int flow_work_step(struct flow_work *w, struct flow_job *job,
		   struct ai_err *err)
{
	if (flow_job_go(w, job, err) < 0)
		return -1;
	if (job->at >= FLOW_AT_DONE)
		return job_over(w, job, err);
	if (job->stands && !job->counted) {
		job->counted = true;
		w->n_standing++;
	}
	return 0;
}

/* ---- the beginning of a task ---------------------------------------------------------- */

/* The elements of what it is to be done for. */
static int take_items(struct flow_work *w, size_t task, struct ai_err *err)
{
	const struct flow_task *t = &w->flow->tasks[task];
	struct flow_doing *d = &w->tasks[task];
	struct ai_json_iter it;
	struct ai_value v = { AI_NONE, { NULL, 0 } }, item;
	const struct flow_blame bad_list = { AI_E_ANSWER, NULL };
	char why[100];
	size_t n = 0;

	if (d->list.len > 0 && ai_json_check(d->list.p, d->list.len, &v,
					     err) < 0)
		return -1;
	if (v.kind != AI_ARRAY) {
		task_failed(w, task, "what it is to be done for is no list",
			    bad_list);
		return 0;
	}
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &item))
		n++;
	if ((int64_t)n > t->map_max) {
		snprintf(why, sizeof(why), "there are %zu items, and it is to "
			 "be done for %lld at most", n, (long long)t->map_max);
		task_failed(w, task, why, bad_list);
		return 0;
	}
	d->items = calloc(n + 1, sizeof(*d->items));
	if (d->items == NULL)
		return ai_err_nomem(err);
	ai_json_iter_init(&it, v);
	for (; ai_json_next(&it, NULL, &item); d->n_items++) {
		d->items[d->n_items].v = item;
		ai_buf_init(&d->items[d->n_items].value, AGENT_TEXT_MAX);
	}
	d->state = FLOW_RUNS;
	if (n == 0)
		return map_over(w, task, err);
	w->maps[w->n_maps++] = task;
	return 0;
}

/* 1: it is begun as one job; 0: it is not, or as many. */
static int look_at_task(struct flow_work *w, struct flow_job *job,
			struct ai_err *err)
{
	const struct flow_task *t = &w->flow->tasks[job->task];
	struct flow_doing *d = &w->tasks[job->task];
	bool holds = true;

	if (t->when != NULL &&
	    flow_job_holds(w, job, t->when, 0, 0, &holds, err) < 0)
		return -1;
	if (job->at == FLOW_AT_FAILED) {
		task_failed(w, job->task, ai_buf_cstr(&job->why), job->blame);
		return 0;
	}
	if (!holds) {
		task_over(w, job->task, FLOW_SKIPPED);
		return 0;
	}
	if (t->over.n == 0)
		return 1;
	if (flow_job_value(w, job, &t->over, &d->list, err) < 0)
		return -1;
	take_taint(d, job->by);
	return take_items(w, job->task, err) < 0 ? -1 : 0;
}

static int begin_task(struct flow_work *w, size_t task, struct ai_err *err)
{
	struct flow_job *job = flow_job_new(w, task, -1, err);
	int rc = job == NULL ? -1 : look_at_task(w, job, err);

	w->ready_from++;
	if (rc > 0) {
		w->tasks[task].state = FLOW_RUNS;
		return flow_work_step(w, job, err);
	}
	if (job != NULL)
		flow_job_free(w, job);
	return rc;
}

/* More items of maps, as many as may be under way at once. */
static int begin_items(struct flow_work *w, size_t m, struct ai_err *err)
{
	size_t task = w->maps[m];
	const struct flow_task *t = &w->flow->tasks[task];
	struct flow_doing *d = &w->tasks[task];

	while (d->state == FLOW_RUNS && d->begun < d->n_items &&
	       w->n_jobs - w->n_standing < w->at_once && w->stop.status == 0 &&
	       (t->map_at_once <= 0 || w->journal.run.replay ||
		d->begun - d->ended < (size_t)t->map_at_once)) {
		struct flow_job *job = flow_job_new(w, task, (int64_t)d->begun,
						    err);

		if (job == NULL)
			return -1;
		d->begun++;
		snprintf(job->by, sizeof(job->by), "%s", d->by);
		if (flow_work_step(w, job, err) < 0)
			return -1;
	}
	return 0;
}

static int begin_some(struct flow_work *w, struct ai_err *err)
{
	size_t task, m = 0;

	for (m = 0; m < w->n_maps; m++)
		if (begin_items(w, m, err) < 0)
			return -1;
	for (m = 0; m < w->n_maps;)
		if (w->tasks[w->maps[m]].state != FLOW_RUNS)
			w->maps[m] = w->maps[--w->n_maps];
		else
			m++;
	while (w->stop.status == 0 && w->n_jobs - w->n_standing < w->at_once &&
	       (task = next_ready(w)) != FLOW_NONE) {
		m = w->n_maps;
		if (begin_task(w, task, err) < 0 ||
		    (w->n_maps > m && begin_items(w, m, err) < 0))
			return -1;
	}
	return 0;
}

/* ---- waiting --------------------------------------------------------------------------- */

static size_t under_way(const struct flow_work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->flow->n_agents; i++)
		n += w->agents[i].under_way;
	for (struct flow_job *job = w->jobs; job != NULL; job = job->next)
		n += job->called;
	return n;
}

/* What is written down is asked. */
static int send_all(struct flow_work *w, struct ai_err *err)
{
	struct ai_buf line = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	int rc = flow_journal_flush(&w->journal, err);

	for (size_t i = 0; rc == 0 && i < w->n_outbox; i++) {
		struct flow_step *s = w->outbox[i];

		rc = flow_ask_line(w, s, &line, err);
		if (rc == 0)
			rc = flow_pool_send(&w->pool, s->agent,
					    (struct ai_span){ line.p, line.len },
					    err);
		s->sent = true;
	}
	w->n_outbox = 0;
	ai_buf_release(&line);
	return rc;
}

static int take_line(void *arg, size_t agent_at, struct ai_span line,
		     struct ai_err *err)
{
	return line.p == NULL ? flow_ask_died(arg, agent_at, err) :
		flow_ask_answered(arg, agent_at, line, err);
}

/* Those that wait for money or their turn, and guardrails' commands. */
static int turn_jobs(struct flow_work *w, struct ai_err *err)
{
	struct flow_job *job, *next;

	for (job = w->jobs; job != NULL; job = next) {
		next = job->next;
		if ((job->waits || job->called) && !job->stands &&
		    flow_work_step(w, job, err) < 0)
			return -1;
	}
	return 0;
}

static double left_s(const struct flow_work *w)
{
	return (double)(w->limits.v[AGENT_LIMIT_SECONDS] -
			agent_journal_spent_ms(&w->journal.run)) / 1e3;
}

/* A guardrail's command has no effect but its word: who goes on begins it
 * again. */
static void stop_commands(struct flow_work *w)
{
	for (struct flow_job *job = w->jobs; job != NULL; job = job->next)
		if (job->called) {
			flow_guard_stop(job);
			job->stands = true;
		}
}

static void pass_signal(struct flow_work *w, int signal)
{
	w->signal = signal;
	w->until = ai_clock_s() + TERM_S;
	flow_pool_signal(&w->pool, signal);
	if (signal == SIGTERM)
		stop_commands(w);
}

/* A person, or the time, wants the end. */
static void look_at_signals(struct flow_work *w)
{
	enum ai_sig asked = ai_sig_asked();

	if (asked == AI_SIG_SOON && w->signal == 0) {
		flow_work_stop(w, AI_RUN_PAUSED, NULL, NULL);
		pass_signal(w, SIGINT);
	}
	if (asked == AI_SIG_NOW && w->signal != SIGTERM) {
		flow_work_stop(w, AI_RUN_PAUSED, NULL, NULL);
		pass_signal(w, SIGTERM);
	}
	if (left_s(w) <= 0 && w->signal != SIGTERM) {
		flow_work_stop(w, AI_RUN_PARTIAL,
			       agent_limit_name(AGENT_LIMIT_SECONDS), NULL);
		pass_signal(w, SIGTERM);
	}
}

static int await(struct flow_work *w, struct agent_poll *poll,
		 struct ai_err *err)
{
	agent_poll_clear(poll, w->limits.v[AGENT_LIMIT_SECONDS] < INT64_MAX / 2
			 && left_s(w) < SIGNAL_S && left_s(w) > 0
			 ? left_s(w) : SIGNAL_S);
	flow_pool_wait(&w->pool, poll);
	for (struct flow_job *job = w->jobs; job != NULL; job = job->next)
		if (job->called)
			job->call.tool->kind->wait(&job->call, poll);
	agent_poll_add(poll, ai_sig_fd(), POLLIN);
	return agent_poll_wait(poll, err);
}

static int go(struct flow_work *w, struct agent_poll *poll, struct ai_err *err)
{
	for (;;) {
		look_at_signals(w);
		if (begin_some(w, err) < 0 || send_all(w, err) < 0)
			return -1;
		if (under_way(w) == 0 ||
		    (w->signal == SIGTERM && ai_clock_s() > w->until))
			return 0;
		if (await(w, poll, err) < 0 ||
		    flow_pool_turn(&w->pool, take_line, w, err) < 0 ||
		    turn_jobs(w, err) < 0)
			return -1;
	}
}

/* ---- the end of all -------------------------------------------------------------------- */

static bool all_over(const struct flow_work *w)
{
	for (size_t i = 0; i < w->flow->n_tasks; i++)
		if (!is_over(&w->tasks[i]))
			return false;
	return true;
}

/* The value of a task, as the text of the whole. */
static int put_value(struct flow_work *w, const struct flow_doing *d,
		     struct ai_err *err)
{
	struct ai_value v;

	if (d->value.len == 0)
		return 0;
	snprintf(w->by, sizeof(w->by), "%s", d->by);
	if (ai_json_check(d->value.p, d->value.len, &v, err) < 0)
		return -1;
	if (v.kind == AI_STRING)
		ai_json_text(v, &w->text);
	else
		ai_buf_add(&w->text, v.s.p, v.s.n);
	return 0;
}

static int put_output(struct flow_work *w, struct ai_err *err)
{
	const struct flow *f = w->flow;
	struct flow_job *job;
	int rc;

	if (f->n_tasks == 0)
		return 0;
	if (f->output.n == 0)
		return put_value(w, &w->tasks[f->n_tasks - 1], err);
	job = flow_job_new(w, f->n_tasks - 1, -1, err);
	if (job == NULL)
		return -1;
	rc = flow_job_text(w, job, &f->output, &w->text, err);
	snprintf(w->by, sizeof(w->by), "%s", job->by);
	flow_job_free(w, job);
	return rc;
}

static bool is_blank(const struct ai_buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (strchr(" \t\r\n", b->p[i]) == NULL)
			return false;
	return true;
}

/* Of one that comes to no good end: what the whole gives, as far as it is there;
 * or what the last task gave that is not needed by another that is done. */
static int put_some(struct flow_work *w, struct ai_err *err)
{
	const struct flow *f = w->flow;

	if (put_output(w, err) < 0)
		return -1;
	for (size_t i = f->n_tasks; is_blank(&w->text) && i-- > 0;) {
		ai_buf_clear(&w->text);
		if (put_value(w, &w->tasks[f->order[i]], err) < 0)
			return -1;
	}
	return ai_buf_check(&w->text, "what the workflow gives", err);
}

static bool waits_for_person(const struct flow_work *w)
{
	for (struct flow_job *job = w->jobs; job != NULL; job = job->next)
		if (job->step != NULL && job->step->state == AI_STEP_WAITING)
			return true;
	return false;
}

static int end(struct flow_work *w, struct ai_err *err)
{
	if (w->stop.status == AI_RUN_PARTIAL || w->stop.status == AI_RUN_FAILED)
		return put_some(w, err);
	if (w->stop.status != 0)
		return 0;
	if (all_over(w)) {
		if (put_output(w, err) == 0 &&
		    ai_buf_check(&w->text, "what the workflow gives",
				 err) == 0) {
			flow_work_stop(w, AI_RUN_DONE, NULL, NULL);
			return 0;
		}
		ai_buf_release(&w->text);
		if (err->code != AI_E_TOO_LONG)
			return -1;
		flow_work_stop(w, AI_RUN_FAILED, NULL, err);
		return 0;
	}
	if (w->journal.run.replay) {
		flow_work_stop(w, AI_RUN_PAUSED, NULL, NULL);
		return 0;
	}
	if (!waits_for_person(w))
		return ai_err_set(err, AI_E_BUG, "the workflow stands, and "
				  "nobody knows why");
	flow_work_stop(w, AI_RUN_PARKED, NULL, NULL);
	return 0;
}

int flow_work_go(struct flow_work *w, struct ai_err *err)
{
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	int rc = prepare(w, err);

	if (w->journal.run.replay)
		w->at_once = SIZE_MAX;
	if (rc == 0)
		rc = flow_ask_recall(w, err);
	if (rc == 0)
		rc = go(w, &poll, err);
	agent_poll_release(&poll);
	if (rc == 0)
		rc = flow_journal_flush(&w->journal, err);
	return rc < 0 ? -1 : end(w, err);
}
