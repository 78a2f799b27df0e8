/*
 * ai-pass: passes records through, by the same loop as every program.  The
 * tests use it to try the loop alone, the benchmarks to time it.
 */
#include "base/msg.h"
#include "base/sig.h"
#include "base/start.h"
#include "record/config.h"
#include "record/loop.h"

#include <poll.h>
#include <string.h>
#include <time.h>

static const char *set, *rewrite_text;
static int64_t sleep_ms, batch;
static bool tasks;

static const struct ai_opt options[] = {
	{ "set", 0, AI_OPT_TEXT, &set, "NAME=JSON", "add a member" },
	{ "rewrite", 0, AI_OPT_TEXT, &rewrite_text, "TEXT",
	  "rewrite the string at -p" },
	{ "sleep", 0, AI_OPT_INT, &sleep_ms, "MS",
	  "work that long on records with \"slow\":true",
	  .initial = "0", .max = 10000 },
	{ "batch", 0, AI_OPT_INT, &batch, "N", "take N records at once",
	  .initial = "0", .max = 1000 },
	{ "tasks", 0, AI_OPT_FLAG, &tasks, NULL,
	  "take -j records at once in one thread" },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_options, ai_loop_option_path, ai_loop_option_plain,
	ai_loop_option_exit, ai_loop_option_progress, NULL
};

static int set_member(struct ai_rec *rec, struct ai_err *err)
{
	struct ai_buf json = AI_BUF_INIT(1 << 20);
	char name[64];
	size_t n = strcspn(set, "=");
	int rc;

	if (n >= sizeof name || set[n] == '\0')
		return ai_err_set(err, AI_E_USAGE, "--set NAME=JSON");
	memcpy(name, set, n);
	name[n] = '\0';
	ai_buf_str(&json, set + n + 1);
	rc = ai_rec_set(rec, name, &json, err);
	ai_buf_release(&json);
	return rc;
}

/* What a record asks for by its members: to fail, to say no. */
static int pass(struct ai_rec *rec, struct ai_emit *out, struct ai_err *err)
{
	const char *path = ai_loop.path != NULL ? ai_loop.path : "text";

	if (ai_json_true(ai_rec_get(rec, "fail")))
		return ai_err_set(err, AI_E_TRY_LATER, "asked to fail");
	if (ai_json_true(ai_rec_get(rec, "no")))
		ai_emit_no(out);
	if (rewrite_text != NULL &&
	    ai_rec_rewrite(rec, path, rewrite_text, strlen(rewrite_text),
			   err) < 0)
		return -1;
	if (set != NULL && set_member(rec, err) < 0)
		return -1;
	return ai_emit_answer(out, rec, "passed", 6, err);
}

/* ... or to be slow. */
static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct timespec pause = { sleep_ms / 1000,
				  sleep_ms % 1000 * 1000000 };

	(void)state;
	if (ai_json_true(ai_rec_get(rec, "slow")))
		nanosleep(&pause, NULL);
	return pass(rec, out, err);
}

static int many(void *state, struct ai_rec *const *recs, size_t n,
		struct ai_emit *out, struct ai_err *err)
{
	struct ai_err why;

	for (size_t i = 0; i < n; i++)
		if (each(state, recs[i], out, &why) < 0 &&
		    ai_emit_fail(out, recs[i], &why, err) < 0)
			return -1;
	return 0;
}

/* ---- the same as tasks ------------------------------------------------------ */

static struct waiting {
	struct ai_task *task;
	int64_t due; /* ms */
	bool idle;   /* "idle":true, what stop() ends even if there is time */
} waiting[256];
static size_t n_waiting, most;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int end_task(struct ai_task *t)
{
	struct ai_err err;
	int rc = pass(ai_task_rec(t), ai_task_out(t), &err);

	ai_task_end(t, rc < 0 ? &err : NULL);
	return 0;
}

static int begin(void *state, struct ai_task *t, struct ai_err *err)
{
	struct ai_value ms = ai_rec_get(ai_task_rec(t), "ms");
	int64_t pause = 0;

	(void)state;
	if (ai_json_true(ai_rec_get(ai_task_rec(t), "refuse")))
		return ai_err_set(err, AI_E_TRY_LATER, "asked to refuse");
	if (ai_json_true(ai_rec_get(ai_task_rec(t), "slow")))
		pause = sleep_ms;
	ai_json_i64(ms, &pause);
	if (ai_json_true(ai_rec_get(ai_task_rec(t), "now")))
		return end_task(t);
	waiting[n_waiting++] = (struct waiting){
		t, now_ms() + pause,
		ai_json_true(ai_rec_get(ai_task_rec(t), "idle")),
	};
	most = n_waiting > most ? n_waiting : most;
	return 0;
}

static int turn(void *state, int fd, bool *readable, struct ai_err *err)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			       { .fd = ai_sig_fd(), .events = POLLIN } };
	int64_t now = now_ms(), next = now + 1000;
	size_t i;

	(void)state;
	(void)err;
	for (i = 0; i < n_waiting; i++)
		next = waiting[i].due < next ? waiting[i].due : next;
	poll(p, 2, next > now ? (int)(next - now) : 0);
	*readable = p[0].revents != 0;
	now = now_ms();
	for (i = n_waiting; i-- > 0;) {
		struct ai_task *t = waiting[i].task;

		if (waiting[i].due > now)
			continue;
		waiting[i] = waiting[--n_waiting];
		end_task(t);
	}
	return 0;
}

static void stop(void *state, bool now)
{
	struct ai_err err;
	size_t i;

	(void)state;
	ai_err_set(&err, AI_E_TRY_LATER, "called off");
	for (i = n_waiting; i-- > 0;) {
		struct ai_task *t = waiting[i].task;

		if (!now && !waiting[i].idle)
			continue;
		waiting[i] = waiting[--n_waiting];
		ai_task_end(t, &err);
	}
}

static int run(int argc, char **argv, struct ai_err *err)
{
	struct ai_filter f = { .each = each };
	int rc;

	if (batch > 0) {
		f.batch = (size_t)batch;
		f.many = many;
	}
	if (tasks)
		f = (struct ai_filter){ .batch = 1, .begin = begin,
					.turn = turn, .stop = stop };
	rc = ai_loop_run(&f, argc, argv, err);
	if (tasks)
		ai_msg(AI_MSG_INFO, "at most %zu at once", most);
	return rc;
}

const struct ai_program ai_program = {
	.name = "ai-pass",
	.summary = "pass records through unchanged",
	.synopsis = "[options] [FILE...]",
	.options = tables,
	.configure = ai_config_apply,
	.run = run,
};
