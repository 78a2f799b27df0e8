/* retrieve.c: the tool that looks things up in an index, through ai-search. */
#include "agent.h"
#include "tool/result.h"
#include "team/team.h"

#include "base/proc.h"
#include "record/rec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 60

struct retrieve {
	struct ai_proc proc;
	struct ai_buf line;
	struct agent_run **current; /* whose time it takes */
};

static void stop(struct retrieve *s)
{
	s->proc.timeout_s = 1;
	ai_proc_stop(&s->proc, NULL, NULL);
}

static void release(void *p)
{
	struct retrieve *s = p;

	stop(s);
	ai_buf_release(&s->line);
	free(s);
}

static int start(struct retrieve *s, struct ai_err *err)
{
	char k[24];
	const char *argv[] = { "ai-search", "-i", agent.index, "-k", k, "-q",
			       NULL };

	snprintf(k, sizeof(k), "%lld", (long long)agent.search_k);
	return s->proc.pid != 0 ? 0 : ai_proc_sibling(&s->proc, argv, err);
}

/* Where it comes from, and what it says. */
static void put_hit(struct ai_value hit, struct ai_buf *out)
{
	static const char *const names[] = { "source.uri", "meta.title" };
	struct ai_value name = ai_json_get(hit, "id");

	for (size_t i = 2; i-- > 0;)
		if (ai_json_get(hit, names[i]).kind == AI_STRING)
			name = ai_json_get(hit, names[i]);
	ai_buf_str(out, out->len > 0 ? "\n\n[" : "[");
	ai_json_text(name, out);
	ai_buf_str(out, "]\n");
	ai_json_text(ai_json_get(hit, "text"), out);
}

static int take(struct retrieve *s, struct agent_call *c, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_json_iter it;
	struct ai_value hits, hit;
	struct ai_rec rec;
	int rc;

	ai_rec_init(&rec);
	rc = ai_rec_parse(&rec, (struct ai_span){ s->line.p, s->line.len }, 0,
			  err);
	if (rc == 0 && ai_rec_is_error(&rec))
		rc = ai_rec_take_error(&rec, "nothing could be looked up",
				       err);
	hits = ai_rec_get(&rec, "hits");
	if (rc == 0 && hits.kind == AI_ARRAY) {
		ai_json_iter_init(&it, hits);
		while (ai_json_next(&it, NULL, &hit))
			put_hit(hit, &text);
	}
	if (rc == 0 && text.len == 0)
		ai_buf_str(&text, "Nothing was found.");
	if (rc == 0)
		agent_result_text(&c->text, (struct ai_span){ text.p, text.len },
				  (size_t)c->tool->max_output);
	ai_buf_release(&text);
	ai_rec_release(&rec);
	return rc;
}

static int begin(struct agent_call *c, struct ai_err *err)
{
	struct retrieve *s = c->tool->of;
	double left = agent_run_left_s(*s->current);
	struct ai_value args;

	/* Nobody has remembered anything yet. */
	if (agent_team() != NULL && access(agent.index, F_OK) < 0) {
		ai_buf_str(&c->text, "Nothing was found.");
		c->clean = true;
		return 0;
	}
	if (ai_json_check(c->args.p, c->args.n, &args, err) < 0 ||
	    start(s, err) < 0)
		return -1;
	s->proc.timeout_s = left > TIMEOUT_S ? TIMEOUT_S
		: left > 0 ? left : 0.001;
	ai_buf_clear(&s->line);
	ai_put_open(&s->line, '{');
	ai_put_key(&s->line, "query");
	ai_put_value(&s->line, ai_json_get(args, "query"));
	ai_put_close(&s->line, '}');
	if (ai_proc_send(&s->proc, s->line.p, s->line.len, err) < 0 ||
	    ai_proc_recv(&s->proc, &s->line, err) < 0) {
		/* The next call has another one. */
		stop(s);
		return -1;
	}
	return take(s, c, err);
}

int agent_retrieve_add(struct agent_tools *t, struct agent_run **current,
		       struct ai_err *err)
{
	static const struct agent_tool_kind kind = { .begin = begin };
	struct agent_tool tool = {
		.name = "search_documents",
		.description = "Looks something up in the documents that are "
			"at hand, and gives back the passages that fit best, "
			"each behind its source.",
		.parameters = AI_SPAN("{\"type\":\"object\",\"properties\":{"
			"\"query\":{\"type\":\"string\",\"description\":"
			"\"words or a question\"}},\"required\":[\"query\"],"
			"\"additionalProperties\":false}"),
		.kind = &kind, .effect = AGENT_PURE, .serial = true,
		.timeout_s = TIMEOUT_S, .max_output = 65536, .max_calls = -1,
	};
	struct retrieve *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ai_err_nomem(err);
	s->proc = (struct ai_proc)AI_PROC_INIT;
	s->current = current;
	ai_buf_init(&s->line, AGENT_TEXT_MAX);
	if (agent_tools_own(t, s, release, err) < 0) {
		release(s);
		return -1;
	}
	tool.of = s;
	return agent_tools_add(t, &tool, "--index", err);
}
