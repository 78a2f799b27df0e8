/* memory.c: the tool that adds to the index that a workflow's agents share,
 * through ai-search.  What is remembered is known by its call, so that one that
 * is done again adds nothing. */
#include "team/team.h"
#include "cage/child.h"
#include "strlist.h"

#include "base/path.h"

#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_S 60

extern char **environ;

static int put_record(const struct agent_call *c, struct ai_buf *b,
		      struct ai_err *err)
{
	struct agent_run *const *current = c->tool->of;
	const struct agent_run *r = *current;
	const char *by = agent_trust_by(r->trust);
	struct ai_value args, title;

	if (ai_json_check(c->args.p, c->args.n, &args, err) < 0)
		return -1;
	title = ai_json_get(args, "title");
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_cstr(b, c->key);
	ai_put_key(b, "text");
	ai_put_value(b, ai_json_get(args, "text"));
	ai_put_key(b, "meta");
	ai_put_open(b, '{');
	if (title.kind == AI_STRING) {
		ai_put_key(b, "title");
		ai_put_value(b, title);
	}
	ai_put_key(b, "agent");
	ai_put_cstr(b, agent_team_self()->name);
	ai_put_key(b, "run");
	ai_put_cstr(b, r->root);
	if (by != NULL) {
		ai_put_key(b, "tainted_by");
		ai_put_cstr(b, by);
	}
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	return ai_buf_check(b, "what is to be remembered", err);
}

static int put_argv(struct agent_strings *argv, struct ai_err *err)
{
	char *path;
	int rc;

	if (ai_path_sibling("ai-search", &path, err) < 0)
		return -1;
	rc = agent_strings_add(argv, ai_span_of(path), err) < 0 ||
		agent_strings_add(argv, AI_SPAN("add"), err) < 0 ||
		agent_strings_add(argv, AI_SPAN("--ack"), err) < 0 ||
		agent_strings_add(argv, AI_SPAN("-q"), err) < 0 ||
		agent_strings_fmt(argv, err, "--index=%s", agent.index) < 0 ||
		agent_strings_fmt(argv, err, "--wait=%d", TIMEOUT_S) < 0
		? -1 : 0;
	free(path);
	return rc;
}

static int begin(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf record = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_strings argv = { NULL, 0, 0 };
	struct agent_child_spec s = { .name = c->tool->name, .hold = c->hold,
		.max_out = 1 << 16, .max_err = 4096, .timeout_s = TIMEOUT_S };
	char cwd[4096];
	int rc;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return ai_err_set(err, AI_E_OS, "the current folder is gone");
	c->state = calloc(1, sizeof(struct agent_child));
	if (c->state == NULL)
		return ai_err_nomem(err);
	rc = put_record(c, &record, err) < 0 ? -1 : put_argv(&argv, err);
	if (rc == 0) {
		ai_buf_chr(&record, '\n');
		s.input = (struct ai_span){ ai_buf_cstr(&record), record.len };
		s.argv = agent_strings_list(&argv);
		s.env = (const char *const *)environ;
		s.dir = cwd;
		rc = agent_child_start(c->state, &s, err);
	}
	agent_strings_release(&argv);
	ai_buf_release(&record);
	if (rc < 0) {
		free(c->state);
		c->state = NULL;
	}
	return rc;
}

static void await(struct agent_call *c, struct agent_poll *p)
{
	agent_child_wait(c->state, p);
}

static bool turn(struct agent_call *c)
{
	struct agent_child *child = c->state;

	if (!agent_child_turn(child))
		return false;
	c->clean = true; /* all of it is our own word */
	c->failed = child->end != AGENT_CHILD_EXITED || child->status != 0;
	if (!c->failed) {
		ai_buf_str(&c->text, "It is remembered.");
		return true;
	}
	c->broken = true;
	ai_buf_str(&c->text, "It could not be remembered: ai-search ");
	agent_child_say(child, &c->text);
	return true;
}

static void stop(struct agent_call *c)
{
	agent_child_stop(c->state);
}

static void release(struct agent_call *c)
{
	if (c->state != NULL)
		agent_child_release(c->state);
	free(c->state);
	c->state = NULL;
}

int agent_memory_add(struct agent_tools *t, struct agent_run **current,
		     struct ai_err *err)
{
	static const struct agent_tool_kind kind = { .begin = begin,
		.wait = await, .turn = turn, .stop = stop,
		.release = release };
	const struct agent_tool tool = {
		.name = "remember",
		.description = "Keeps a text for later: search_documents finds "
			"it, in this work and in others. Say in it all that "
			"is needed to understand it.",
		.parameters = AI_SPAN("{\"type\":\"object\",\"properties\":{"
			"\"text\":{\"type\":\"string\",\"minLength\":1,"
			"\"maxLength\":100000},"
			"\"title\":{\"type\":\"string\",\"minLength\":1,"
			"\"maxLength\":200}},\"required\":[\"text\"],"
			"\"additionalProperties\":false}"),
		.kind = &kind, .effect = AGENT_IDEMPOTENT,
		.breaks = true,
		.timeout_s = TIMEOUT_S, .max_output = 4096, .max_calls = -1,
		.of = current,
	};

	return agent_tools_add(t, &tool, "--team", err);
}
