/*
 * ai-pass: passes records through, by the same loop as every program.  The
 * tests use it to try the loop alone, the benchmarks to time it.
 */
#include "base/start.h"
#include "record/config.h"
#include "record/loop.h"

#include <string.h>
#include <time.h>

static const char *set, *rewrite_text;
static int64_t sleep_ms, batch;

static const struct ai_opt options[] = {
	{ "set", 0, AI_OPT_TEXT, &set, "NAME=JSON", "add a member" },
	{ "rewrite", 0, AI_OPT_TEXT, &rewrite_text, "TEXT",
	  "rewrite the string at -p" },
	{ "sleep", 0, AI_OPT_INT, &sleep_ms, "MS",
	  "work that long on records with \"slow\":true",
	  .initial = "0", .max = 10000 },
	{ "batch", 0, AI_OPT_INT, &batch, "N", "take N records at once",
	  .initial = "0", .max = 1000 },
	{ 0 }
};

static const struct ai_opt *const tables[] = {
	options, ai_loop_options, ai_loop_option_path, ai_loop_option_plain,
	ai_loop_option_exit, NULL
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

/* What a record asks for by its members: to be slow, to fail, to say no. */
static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	const char *path = ai_loop.path != NULL ? ai_loop.path : "text";
	struct timespec pause = { sleep_ms / 1000,
				  sleep_ms % 1000 * 1000000 };

	(void)state;
	if (ai_json_true(ai_rec_get(rec, "slow")))
		nanosleep(&pause, NULL);
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

static int run(int argc, char **argv, struct ai_err *err)
{
	struct ai_filter f = { .each = each };

	if (batch > 0) {
		f.batch = (size_t)batch;
		f.many = many;
	}
	return ai_loop_run(&f, argc, argv, err);
}

const struct ai_program ai_program = {
	.name = "ai-pass",
	.summary = "pass records through unchanged",
	.synopsis = "[options] [FILE...]",
	.options = tables,
	.configure = ai_config_apply,
	.run = run,
};
