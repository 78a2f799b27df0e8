/*
 * loop.c: from input to output.
 *
 * The main thread reads lines into jobs; a job is a run of consecutive
 * lines (or one operand).  Jobs are worked on by this thread (-j 1) or by
 * worker threads, and written in the order in which they were read: who
 * completes the oldest job writes it and all complete ones behind it.  A job
 * whose output grows large waits until it is the oldest and then writes
 * through, so that memory stays flat however much one input line makes.
 */
#include "record/job.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/start.h"
#include "base/term.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOBS_A_THREAD 4
#define OPEN_BYTES ((size_t)1 << 24) /* input of all unwritten jobs together */

struct ai_loop_settings ai_loop;
unsigned long ai_loop_failed;
unsigned long ai_loop_files;

const struct ai_opt ai_loop_options[] = {
	{ "jobs", 'j', AI_OPT_INT, &ai_loop.jobs, "N",
	  "how many records are worked on at once", .initial = "1",
	  .min = 1, .max = 256, .key = "jobs", .env = "AI_JOBS" },
	{ "unordered", 0, AI_OPT_FLAG, &ai_loop.unordered, NULL,
	  "write each record as soon as it is done" },
	{ "raw-input", 'R', AI_OPT_FLAG, &ai_loop.plain_in, NULL,
	  "input is plain text, each line a record" },
	{ "slurp", 's', AI_OPT_FLAG, &ai_loop.slurp, NULL,
	  "with -R: each file is one record" },
	{ "max-line", 0, AI_OPT_INT, &ai_loop.max_line, "BYTES",
	  "longest line taken", .initial = "16M", .min = 1,
	  .max = 1073741824, .key = "max_line" },
	{ 0 }
};

const struct ai_opt ai_loop_option_path[] = {
	{ "path", 'p', AI_OPT_TEXT, &ai_loop.path, "PATH",
	  "the member to read, with dots inside" },
	{ 0 }
};

const struct ai_opt ai_loop_option_as[] = {
	{ "as", 0, AI_OPT_TEXT, &ai_loop.as, "NAME",
	  "the name of the member that is added" },
	{ 0 }
};

const struct ai_opt ai_loop_option_plain[] = {
	{ "raw-output", 'r', AI_OPT_FLAG, &ai_loop.plain_out, NULL,
	  "write plain text; errors go to standard error" },
	{ 0 }
};

const struct ai_opt ai_loop_option_exit[] = {
	{ "exit-status", 'e', AI_OPT_FLAG, &ai_loop.exit_no, NULL,
	  "exit 1 when the answer is no" },
	{ 0 }
};

const struct ai_opt ai_loop_option_progress[] = {
	{ "progress", 0, AI_OPT_FLAG, &ai_loop.progress, NULL,
	  "show how far it is, as on a terminal", .env = "AI_PROGRESS" },
	{ 0 }
};

/* ---- jobs come and go --------------------------------------------------- */

static struct job *job_new(struct loop *l)
{
	struct job *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	ai_buf_init(&j->in, SIZE_MAX);
	/* A record may grow, but not without bound. */
	ai_buf_init(&j->out.buf, (size_t)1 << 31);
	ai_rec_init(&j->rec);
	j->out.loop = l;
	j->out.job = j;
	return j;
}

static void job_clear(struct job *j)
{
	ai_buf_shrink(&j->in, BATCH_BYTES);
	ai_buf_shrink(&j->out.buf, SPILL_BYTES * 2);
	j->n = 0;
	j->next = NULL;
	j->stage = JOB_WAITS;
	memset(&j->tally, 0, sizeof j->tally);
}

static void job_free(struct job *j)
{
	ai_buf_release(&j->in);
	ai_buf_release(&j->out.buf);
	ai_rec_release(&j->rec);
	free(j->entries);
	free(j);
}

/* What a finished job leaves behind: its output and its share of the tally. */
static int job_finish(struct loop *l, struct job *j, struct ai_err *err)
{
	ai_tally_merge(&l->tally, &j->tally);
	if (ai_buf_check(&j->out.buf, "a record", err) < 0)
		return -1;
	if (ai_writer_add(&l->writer, j->out.buf.p, j->out.buf.len, err) < 0)
		return -1;
	return l->filter->eager && !l->turning
		? ai_writer_flush(&l->writer, err) : 0;
}

/* ---- worker threads ----------------------------------------------------- */

/* With the lock held: the first failure ends everything. */
static void set_fatal(struct loop *l, const struct ai_err *err)
{
	uint64_t one = 1;
	ssize_t n;

	if (l->fatal.code != AI_E_NONE)
		return;
	l->fatal = *err;
	pthread_cond_broadcast(&l->todo_cond);
	pthread_cond_broadcast(&l->done_cond);
	pthread_cond_broadcast(&l->room_cond);
	n = l->wake < 0 ? 0 : write(l->wake, &one, sizeof one);
	(void)n; /* it can only be set already */
}

static void unlink_job(struct loop *l, struct job *j)
{
	struct job **at = &l->order;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (l->order_end == &j->next)
		l->order_end = at;
}

/* Who waits for room waits until there is some for several jobs, or it would
 * be woken for each. */
static bool is_half_free(const struct loop *l)
{
	return l->n_open <= l->max_open / 2 &&
	       l->open_bytes <= OPEN_BYTES / 2;
}

void ai_loop_drain(struct loop *l, struct job *finished)
{
	struct ai_err err;
	struct job *j;

	while (l->fatal.code == AI_E_NONE) {
		j = ai_loop.unordered ? finished : l->order;
		if (j == NULL || j->stage != JOB_DONE)
			break;
		if (job_finish(l, j, &err) < 0)
			set_fatal(l, &err);
		unlink_job(l, j);
		l->open_bytes -= j->in.len;
		job_clear(j);
		j->next = l->spare;
		l->spare = j;
		l->n_open--;
		if (ai_loop.unordered)
			break;
	}
	/* The reader has nothing to give us: nothing else will flush. */
	if (l->waiting && !l->turning &&
	    ai_writer_flush(&l->writer, &err) < 0)
		set_fatal(l, &err);
	pthread_cond_broadcast(&l->done_cond);
	if (is_half_free(l))
		pthread_cond_broadcast(&l->room_cond);
}

/* With the lock held: the next job, or NULL when there will be none. */
static struct job *next_job(struct loop *l)
{
	while (l->fatal.code == AI_E_NONE) {
		for (struct job *j = l->order; j != NULL; j = j->next)
			if (j->stage == JOB_WAITS) {
				l->n_waiting--;
				return j;
			}
		if (l->closing)
			break;
		l->n_idle++;
		pthread_cond_wait(&l->todo_cond, &l->lock);
		l->n_idle--;
	}
	return NULL;
}

static int open_state(struct loop *l, void **state, struct ai_err *err)
{
	*state = NULL;
	return l->filter->open == NULL ? 0 : l->filter->open(state, err);
}

static void *worker(void *arg)
{
	struct loop *l = arg;
	struct ai_err err;
	struct job *j;
	void *state = NULL;
	int rc = open_state(l, &state, &err);
	bool opened = rc == 0;

	pthread_mutex_lock(&l->lock);
	l->n_idle--;
	if (rc < 0)
		set_fatal(l, &err);
	while ((j = next_job(l)) != NULL) {
		j->stage = JOB_RUNS;
		pthread_mutex_unlock(&l->lock);
		rc = ai_job_work(j, state, &err);
		pthread_mutex_lock(&l->lock);
		j->stage = JOB_DONE;
		if (rc < 0)
			set_fatal(l, &err);
		else
			ai_loop_drain(l, j);
	}
	pthread_mutex_unlock(&l->lock);
	if (opened && l->filter->close != NULL)
		l->filter->close(state);
	return NULL;
}

/* With the lock held.  What one has open costs more than the thread: each is
 * begun when there is a job that no other is there for, or will be at once. */
static int start_thread(struct loop *l)
{
	int e = pthread_create(&l->threads[l->n_threads], NULL, worker, l);

	l->n_threads += e == 0;
	l->n_idle += e == 0;
	return e;
}

static int start_threads(struct loop *l, struct ai_err *err)
{
	int e;

	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		return ai_err_sys(err, AI_E_OS, errno, "cannot make an eventfd");
	l->threads = calloc((size_t)ai_loop.jobs, sizeof *l->threads);
	if (l->threads == NULL)
		return ai_err_nomem(err);
	l->threaded = true;
	pthread_mutex_lock(&l->lock);
	e = start_thread(l);
	pthread_mutex_unlock(&l->lock);
	return e == 0 ? 0 :
		ai_err_sys(err, AI_E_OS, e, "cannot start a thread");
}

static void stop_threads(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_broadcast(&l->todo_cond);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < l->n_threads; i++)
		pthread_join(l->threads[i], NULL);
	free(l->threads);
	if (l->wake >= 0)
		close(l->wake);
}

/* ---- between the reader and the workers --------------------------------- */

size_t ai_loop_window(const struct ai_filter *f)
{
	return (size_t)ai_loop.jobs * (f->tasks > 0 ? f->tasks : 1);
}

/* Few long lines fill the window as many short ones do. */
bool ai_loop_is_full(const struct loop *l, const struct job *next)
{
	return l->n_open >= l->max_open ||
		(l->n_open > 0 && l->open_bytes + next->in.len > OPEN_BYTES);
}

void ai_loop_append(struct loop *l, struct job *j)
{
	*l->order_end = j;
	l->order_end = &j->next;
	l->n_open++;
	l->open_bytes += j->in.len;
}

int ai_loop_open_state(struct loop *l, struct ai_err *err)
{
	if (!l->have_state && open_state(l, &l->state, err) < 0)
		return -1;
	l->have_state = true;
	return 0;
}

/* Hands the job being read over to the workers, or works on it here. */
int ai_loop_dispatch(struct loop *l, struct ai_err *err)
{
	struct job *j = l->filling;
	int rc;

	if (j == NULL || j->n == 0)
		return 0;
	if (l->filter->begin != NULL)
		return ai_tasks_dispatch(l, j, err);
	if (!l->threaded) {
		if (ai_loop_open_state(l, err) < 0)
			return -1;
		rc = ai_job_work(j, l->state, err);
		if (rc == 0)
			rc = job_finish(l, j, err);
		job_clear(j);
		return rc;
	}
	l->filling = NULL;
	pthread_mutex_lock(&l->lock);
	if (ai_loop_is_full(l, j))
		while (!is_half_free(l) && l->fatal.code == AI_E_NONE)
			pthread_cond_wait(&l->room_cond, &l->lock);
	ai_loop_append(l, j);
	l->n_waiting++;
	/* If the system has no more of them, those that there are will do. */
	if (l->n_waiting > l->n_idle && l->n_threads < (size_t)ai_loop.jobs)
		start_thread(l);
	pthread_cond_signal(&l->todo_cond);
	rc = l->fatal.code == AI_E_NONE ? 0 : -1;
	if (rc < 0)
		*err = l->fatal;
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* The job to read into. */
struct job *ai_loop_filling(struct loop *l, struct ai_err *err)
{
	if (l->filling != NULL)
		return l->filling;
	pthread_mutex_lock(&l->lock);
	l->filling = l->spare;
	if (l->spare != NULL)
		l->spare = l->spare->next;
	pthread_mutex_unlock(&l->lock);
	if (l->filling == NULL)
		l->filling = job_new(l);
	else
		l->filling->next = NULL;
	if (l->filling == NULL)
		ai_err_nomem(err);
	return l->filling;
}

/* Waits until there is something to read; 1: a signal came before. */
static int await_input(struct loop *l, int fd)
{
	struct pollfd pfd[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = ai_sig_fd(), .events = POLLIN } };

	while (ai_sig_asked() == AI_SIG_NO && poll(pfd, 2, -1) < 0 &&
	       errno == EINTR)
		;
	l->stop = ai_sig_asked();
	return l->stop != AI_SIG_NO;
}

/* How long the job at hand may still wait for more, in milliseconds. */
static int patience(const struct loop *l)
{
	double ms;

	if (l->filter->linger_ms == 0 || l->filling == NULL ||
	    l->filling->n == 0)
		return 0;
	ms = l->filter->linger_ms - (ai_clock_s() - l->filling->since) * 1e3;
	return ms <= 0 ? 0 : (int)ms + 1;
}

/* 1: there is something to read meanwhile. */
static int rest(struct loop *l, int fd, struct ai_err *err)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	if (l->filter->rest == NULL || !l->have_state)
		return 0;
	/* Nobody is to wait for what is finished. */
	if (ai_writer_flush(&l->writer, err) < 0)
		return -1;
	while ((n = poll(&pfd, 1, l->filter->rest_ms)) < 0 && errno == EINTR)
		;
	return n != 0 ? 1 : l->filter->rest(l->state, err);
}

int ai_loop_settle(void *loop, int fd, struct ai_err *err)
{
	struct loop *l = loop;
	struct pollfd pfd[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = l->wake, .events = POLLIN } };
	bool threads = l->threaded;
	int rc;

	if (l->filter->signals && (l->stop = ai_sig_asked()) != AI_SIG_NO)
		return -1;
	if (poll(pfd, 1, patience(l)) != 0) /* something to read, or its end */
		return l->filter->begin != NULL && ai_tasks_stopped(l)
			? -1 : 0;
	if (ai_loop_dispatch(l, err) < 0)
		return -1;
	if (l->filter->begin != NULL)
		return ai_tasks_run(l, fd, err) < 0 ||
		       ai_tasks_stopped(l) ? -1 : 0;
	rc = rest(l, fd, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	pthread_mutex_lock(&l->lock);
	l->waiting = true;
	rc = ai_writer_flush(&l->writer, err);
	pthread_mutex_unlock(&l->lock);
	if (rc < 0 || (l->filter->signals && await_input(l, fd)))
		return -1;
	if (threads)
		while (poll(pfd, 2, -1) < 0 && errno == EINTR)
			;
	pthread_mutex_lock(&l->lock);
	l->waiting = false;
	if (l->fatal.code != AI_E_NONE) {
		*err = l->fatal;
		rc = -1;
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* ---- the end ------------------------------------------------------------ */

static void summarise(const struct loop *l)
{
	const struct tally *t = &l->tally;

	if (l->stop != AI_SIG_NO && !l->interactive &&
	    l->writer.err.code == AI_E_NONE)
		ai_msg(AI_MSG_WARN, "ended by %s: the input is done up to line "
		       "%lu", ai_sig_name(), l->last);
	if (t->bad == 0 || ai_loop.plain_out)
		return;
	if (t->first.code == AI_E_NONE)
		ai_msg(AI_MSG_WARN, "%lu of %lu records were errors already",
		       t->bad, t->bad + t->good);
	else if (t->first_line == 0)
		ai_msg(AI_MSG_WARN, "%lu of %lu records failed; the first: %s",
		       t->bad, t->bad + t->good, t->first.msg);
	else
		ai_msg(AI_MSG_WARN,
		       "%lu of %lu records failed; the first: line %lu: %s",
		       t->bad, t->bad + t->good, t->first_line, t->first.msg);
}

/* Exit statuses that speak for a whole run in which nothing succeeded. */
static bool speaks_for_all(enum ai_exit class)
{
	return class == AI_EXIT_BUDGET || class == AI_EXIT_UNAVAILABLE ||
		class == AI_EXIT_TEMPFAIL || class == AI_EXIT_NOPERM ||
		class == AI_EXIT_CONFIG;
}

static int exit_status(const struct loop *l)
{
	const struct tally *t = &l->tally;

	if (l->cannot_open)
		return AI_EXIT_OPEN;
	/* What waits for a person is not lost, whatever became of others. */
	if (t->bad > 0 && t->only == AI_EXIT_PARKED)
		return AI_EXIT_PARKED;
	if (t->bad > 0)
		return t->good == 0 && speaks_for_all(t->only)
			? (int)t->only : AI_EXIT_RECORD;
	return ai_loop.exit_no && t->no > 0 ? AI_EXIT_NO : AI_EXIT_OK;
}

static void release(struct loop *l)
{
	struct job *j, *lists[3] = { l->filling, l->order, l->spare };

	for (int i = 0; i < 3; i++)
		while ((j = lists[i]) != NULL) {
			lists[i] = j->next;
			job_free(j);
		}
	ai_writer_release(&l->writer);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->todo_cond);
	pthread_cond_destroy(&l->done_cond);
	pthread_cond_destroy(&l->room_cond);
}

/* If it is not said whether: where people look on. */
static void begin_progress(struct loop *l, bool stdin_read)
{
	const struct ai_opts *o = &ai_start_opts;
	int i = ai_opts_find_to(o, &ai_loop.progress);

	if (i < 0)
		return;
	l->progress.on = o->source[i] != AI_SOURCE_NONE
		? ai_loop.progress
		: ai_msg_is_for_people() && ai_term_is_seen();
	ai_progress_begin(&l->progress, stdin_read);
	l->writer.clears = l->progress.on && l->progress.shared;
}

/* What was kept back belongs to no job: it gets one. */
static int end_input(struct loop *l, struct ai_err *err)
{
	struct job *j = ai_loop_filling(l, err);

	if (j == NULL || l->filter->end(l->state, &j->out, err) < 0)
		return -1;
	return job_finish(l, j, err);
}

int ai_loop_run(const struct ai_filter *f, int argc, char **argv,
		struct ai_err *err)
{
	struct loop l = {
		.filter = f, .program = ai_program.name, .wake = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.todo_cond = PTHREAD_COND_INITIALIZER,
		.done_cond = PTHREAD_COND_INITIALIZER,
		.room_cond = PTHREAD_COND_INITIALIZER,
		.max_open = ai_loop_window(f) * JOBS_A_THREAD,
		.interactive = f->words != NULL && argc > 0,
	};
	int rc = 0, status;

	if (ai_loop.as != NULL && (*ai_loop.as == '\0' ||
				   strcmp(ai_loop.as, "error") == 0 ||
				   strcmp(ai_loop.as, "id") == 0 ||
				   strcmp(ai_loop.as, "custom_id") == 0))
		return ai_err_set(err, AI_E_USAGE,
				  "--as: '%s' cannot be the name of a member "
				  "that is added", ai_loop.as);
	l.order_end = &l.order;
	ai_writer_init(&l.writer, STDOUT_FILENO);
	l.writer.before = f->before_write;
	if (f->begin != NULL && !l.interactive)
		begin_progress(&l, argc == 0);
	if (f->begin != NULL || f->signals)
		rc = ai_sig_catch(err);
	if (rc == 0 && f->begin == NULL && ai_loop.jobs > 1)
		rc = start_threads(&l, err);
	if (rc == 0)
		rc = ai_intake(&l, argc, argv, err);
	if (rc == 0 && f->begin != NULL)
		rc = ai_tasks_run(&l, -1, err);
	if (rc == 0 && f->end != NULL && l.have_state)
		rc = end_input(&l, err);
	if (rc < 0) { /* the threads must not wait for a job that never comes */
		pthread_mutex_lock(&l.lock);
		set_fatal(&l, err);
		pthread_mutex_unlock(&l.lock);
	}
	stop_threads(&l);
	if (l.have_state && f->close != NULL)
		f->close(l.state);
	if (l.fatal.code != AI_E_NONE) {
		*err = l.fatal;
		rc = -1;
	}
	/* What was finished goes out even when the rest failed. */
	if (ai_writer_flush(&l.writer, rc < 0 ? NULL : err) < 0)
		rc = -1;
	ai_term_clear();
	/* Ends by the signal then (base/start.c), and quietly. */
	if (l.writer.stopped)
		rc = 0;
	else
		summarise(&l);
	status = rc < 0 ? -1 : exit_status(&l);
	ai_loop_failed = l.tally.bad;
	release(&l);
	return status;
}
