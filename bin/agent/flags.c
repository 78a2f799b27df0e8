#include "flags.h"

#include "base/buf.h"
#include "base/start.h"

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
	bool (*skips)(const char *name);
};

static int put(void *arg, const struct ai_opt *o, const char *value,
	       struct ai_err *err)
{
	const struct argv *a = arg;

	if (a->skips(o->name))
		return 0;
	return o->type == AI_OPT_FLAG
		? agent_strings_fmt(a->to, err, "--%s%s",
				    *(bool *)o->to ? "" : "no-", o->name)
		: agent_strings_fmt(a->to, err, "--%s=%s", o->name, value);
}

int agent_flags_argv(struct agent_strings *argv,
		     bool (*skips)(const char *name), struct ai_err *err)
{
	struct argv a = { argv, skips };

	return agent_flags_each(AI_SOURCE_FLAG, put, &a, err);
}
