/*
 * task.c: records that wait for something outside: many of them at once in
 * one thread, written in the order in which they were read.
 *
 * A task is a job of one record.  It stands among the unwritten jobs, and as
 * soon as the oldest of them is done, it is written with all done ones behind
 * it (loop.c).
 */
#include "record/job.h"

#include "base/msg.h"

#include <poll.h>
#include <stddef.h>

#define TICK_MS 1000 /* for the line that shows how far it is */

static struct job *job_of(struct ai_task *t)
{
	return (struct job *)t;
}

struct ai_rec *ai_task_rec(struct ai_task *t)
{
	return &job_of(t)->rec;
}

struct ai_emit *ai_task_out(struct ai_task *t)
{
	return &job_of(t)->out;
}

int ai_task_flush(struct ai_task *t, struct ai_err *err)
{
	struct job *j = job_of(t);
	struct loop *l = j->out.loop;
	struct ai_buf *b = &j->out.buf;

	if (!ai_loop.unordered && l->order != j)
		return 0;
	if (ai_buf_check(b, "a record", err) < 0 ||
	    ai_writer_add(&l->writer, b->p, b->len, err) < 0)
		return -1;
	ai_buf_clear(b);
	return ai_writer_flush(&l->writer, err);
}

/* What failed in a way that ends the program is kept for the next turn. */
static void keep_fatal(struct loop *l, const struct ai_err *err)
{
	if (l->fatal.code == AI_E_NONE)
		l->fatal = *err;
}

void ai_task_used(struct ai_task *t, int64_t tokens, int64_t cost)
{
	struct ai_progress *p = &job_of(t)->out.loop->progress;

	p->tokens += tokens > 0 ? (uint64_t)tokens : 0;
	p->cost += cost;
}

static void finish(struct loop *l, struct job *j)
{
	l->progress.done++;
	l->progress.failed += j->out.failed;
	l->progress.bytes += j->entries[0].length + 1;
	if (!j->out.failed)
		j->tally.good++;
	j->stage = JOB_DONE;
	ai_loop_drain(l, j);
}

void ai_task_fail(struct ai_task *t, const struct ai_err *why,
		  struct ai_value members)
{
	struct job *j = job_of(t);
	struct loop *l = j->out.loop;
	struct ai_err err;

	l->n_tasks--;
	ai_rec_revert(&j->rec);
	if (ai_error_is_fatal(why))
		keep_fatal(l, why);
	else if (ai_emit_fail_with(&j->out, &j->rec, why, members, &err) < 0)
		keep_fatal(l, &err);
	finish(l, j);
}

void ai_task_end(struct ai_task *t, const struct ai_err *why)
{
	static const struct ai_value none;
	struct job *j = job_of(t);

	if (why != NULL) {
		ai_task_fail(t, why, none);
		return;
	}
	j->out.loop->n_tasks--;
	finish(j->out.loop, j);
}

bool ai_tasks_stopped(struct loop *l)
{
	enum ai_sig asked = ai_sig_asked();

	/* Who has typed a question does not want the answer any more. */
	if (asked == AI_SIG_SOON && l->interactive)
		asked = AI_SIG_NOW;
	if (asked <= l->stop)
		return l->stop != AI_SIG_NO;
	l->stop = asked;
	if (l->have_state)
		l->filter->stop(l->state, asked == AI_SIG_NOW);
	if (asked == AI_SIG_SOON && l->n_tasks > 0)
		ai_msg(AI_MSG_WARN, "%s: nothing more is begun; %zu under way "
		       "are waited for, once more ends at once",
		       ai_sig_name(), l->n_tasks);
	return true;
}

static void draw(struct loop *l)
{
	ai_progress_draw(&l->progress, l->program, l->writer.line_open);
}

/* What ends in it is written together. */
static int turn(struct loop *l, int fd, bool *readable, struct ai_err *err)
{
	int rc = 0;

	*readable = false;
	ai_tasks_stopped(l);
	draw(l);
	l->turning = true;
	if (l->fatal.code == AI_E_NONE)
		rc = l->filter->turn(l->state, fd, readable, err);
	l->turning = false;
	if (rc < 0)
		return -1;
	if (l->fatal.code == AI_E_NONE)
		return ai_writer_flush(&l->writer, err);
	*err = l->fatal;
	return -1;
}

/* One more would be more than -j. */
static bool has_enough(struct loop *l)
{
	size_t jobs = ai_loop_window(l->filter), n = l->n_tasks;

	/* One after the other, where only one may be. */
	if (n >= jobs && jobs > 1 && l->filter->ending != NULL)
		n -= l->filter->ending(l->state);
	return n >= jobs;
}

int ai_tasks_dispatch(struct loop *l, struct job *j, struct ai_err *err)
{
	bool readable;
	int rc;

	if (ai_loop_open_state(l, err) < 0)
		return -1;
	while (!ai_tasks_stopped(l) &&
	       (ai_loop_is_full(l, j) || has_enough(l)))
		if (turn(l, -1, &readable, err) < 0)
			return -1;
	if (l->stop != AI_SIG_NO)
		return 0; /* as if it had not been read */
	l->progress.begun++;
	l->last = j->entries[j->n - 1].number;
	l->filling = NULL;
	ai_loop_append(l, j);
	l->n_tasks++;
	rc = ai_job_begin(j, l->state, err);
	if (rc > 0)
		return 0;
	l->n_tasks--;
	finish(l, j);
	return rc;
}

/* Nothing is under way: until there is more to read. */
static void wait_input(struct loop *l, int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			       { .fd = ai_sig_fd(), .events = POLLIN } };

	/* If it fails, the read blocks instead. */
	while (poll(p, 2, l->progress.on ? TICK_MS : -1) == 0)
		draw(l);
}

int ai_tasks_run(struct loop *l, int fd, struct ai_err *err)
{
	bool readable = false;
	int rc = ai_writer_flush(&l->writer, err);

	/* Whatever is done from now on is written at once. */
	l->waiting = true;
	while (rc == 0 && !readable && l->n_tasks > 0 &&
	       (fd < 0 || !ai_tasks_stopped(l)))
		rc = turn(l, fd, &readable, err);
	if (rc == 0 && !readable && fd >= 0 && !ai_tasks_stopped(l))
		wait_input(l, fd);
	l->waiting = false;
	return rc;
}
