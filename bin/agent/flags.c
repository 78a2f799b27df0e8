#include "flags.h"
#include "agent.h"

#include "base/buf.h"
#include "base/start.h"
#include "base/utf8.h"

#include <string.h>
#include <unistd.h>

#define WEAK_MAX 128

static bool weak[WEAK_MAX];

void agent_flags_weaken(size_t option)
{
	if (option < WEAK_MAX)
		weak[option] = true;
}

static bool is_weak(size_t option)
{
	return option < WEAK_MAX && weak[option];
}

bool agent_flags_given(const void *to)
{
	int i = ai_opts_find_to(&ai_start_opts, to);

	return i >= 0 && ai_start_opts.source[i] == AI_SOURCE_FLAG &&
		!is_weak((size_t)i);
}

void agent_flags_replaced(const void *to)
{
	int i = ai_opts_find_to(&ai_start_opts, to);

	if (i >= 0)
		ai_start_opts.source[i] = AI_SOURCE_BUILTIN;
}

int agent_flags_each(enum ai_source least, agent_flags_fn *each, void *arg,
		     struct ai_err *err)
{
	struct ai_buf value = AI_BUF_INIT(1 << 20);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ai_start_opts.n; i++) {
		const struct ai_opt *o = ai_opts_at(&ai_start_opts, i);
		const struct ai_opt_list *list = o->to;
		size_t n = o->type == AI_OPT_LIST ? list->n : 1;

		if (ai_start_opts.source[i] < least)
			continue;
		for (size_t k = 0; rc == 0 && k < n; k++) {
			ai_buf_clear(&value);
			if (o->type == AI_OPT_LIST)
				ai_buf_str(&value, list->v[k]);
			else
				ai_opts_show(&ai_start_opts, i, &value);
			rc = ai_buf_check(&value, o->name, err) < 0 ? -1 :
				each(arg, o, ai_buf_cstr(&value), err);
		}
	}
	ai_buf_release(&value);
	return rc;
}

struct argv {
	struct agent_strings *to;
	bool (*skips)(const void *to, const char *name);
};

static int put(void *arg, const struct ai_opt *o, const char *value,
	       struct ai_err *err)
{
	const struct argv *a = arg;

	if (a->skips(o->to, o->name))
		return 0;
	return o->type == AI_OPT_FLAG
		? agent_strings_fmt(a->to, err, "--%s%s",
				    *(bool *)o->to ? "" : "no-", o->name)
		: agent_strings_fmt(a->to, err, "--%s=%s", o->name, value);
}

int agent_flags_argv(struct agent_strings *argv,
		     bool (*skips)(const void *to, const char *name),
		     struct ai_err *err)
{
	struct argv a = { argv, skips };

	return agent_flags_each(AI_SOURCE_FLAG, put, &a, err);
}

/* ---- as they are kept ------------------------------------------------------ */

/* A file by a path that holds elsewhere, too. */
static bool is_file(const struct ai_opt *o, const char *value)
{
	return (o->type == AI_OPT_FILE || o->to == &agent.tools) &&
		value[0] != '\0' && value[0] != '/' &&
		strcmp(value, "none") != 0;
}

static int put_flag(void *arg, const struct ai_opt *o, const char *value,
		    struct ai_err *err)
{
	struct ai_buf *b = arg, path = AI_BUF_INIT(1 << 20);
	char cwd[4096];

	(void)err;
	if (o->to == &agent.team || o->to == &agent.name)
		return 0; /* see put_team() in worker.c */
	if (is_file(o, value) && getcwd(cwd, sizeof(cwd)) != NULL)
		ai_buf_fmt(&path, "%s/", cwd);
	ai_buf_str(&path, value);
	ai_put_open(b, '[');
	ai_put_cstr(b, o->name);
	ai_put_cstr(b, ai_buf_cstr(&path));
	if (!agent_flags_given(o->to))
		ai_put_bool(b, true); /* it was configured */
	ai_put_close(b, ']');
	ai_buf_release(&path);
	return 0;
}

int agent_flags_put(struct ai_buf *b, struct ai_err *err)
{
	char folder[4096];
	int rc;

	ai_put_key(b, "flags");
	ai_put_open(b, '[');
	rc = agent_flags_each(AI_SOURCE_CONFIG, put_flag, b, err);
	ai_put_close(b, ']');
	if (getcwd(folder, sizeof(folder)) != NULL &&
	    ai_utf8_valid(folder, strlen(folder)) == strlen(folder)) {
		ai_put_key(b, "folder");
		ai_put_cstr(b, folder);
	}
	return rc;
}
