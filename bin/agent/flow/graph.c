/* graph.c: the plan of a workflow, for people and for Graphviz. */
#include "flow/graph.h"

#include "base/money.h"

#include "say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 200  /* of a text in the plan */
#define LABEL_BYTES 80  /* of one in the graph */

size_t *flow_levels(const struct flow *f)
{
	size_t *level = calloc(f->n_tasks + 1, sizeof *level);

	if (level == NULL)
		return NULL;
	for (size_t i = 0; i < f->n_tasks; i++) {
		const struct flow_task *t = &f->tasks[f->order[i]];
		size_t *own = &level[f->order[i]];

		*own = f->process == FLOW_SEQUENTIAL ? i + 1 : 1;
		for (size_t k = 0; k < t->n_needs; k++)
			if (level[t->needs[k]] >= *own)
				*own = level[t->needs[k]] + 1;
	}
	return level;
}

/* ---- what is said of a task ---------------------------------------------------- */

static void say_span(struct ai_buf *out, const struct ai_buf *text, size_t max)
{
	agent_say_text(out, (struct ai_span){ ai_buf_cstr(text), text->len },
		       max);
}

static void say_cond(struct ai_buf *out, const struct flow_cond *c, size_t max)
{
	struct ai_buf text = AI_BUF_INIT(4 * FLOW_FILE_MAX);

	flow_cond_say(c, &text);
	say_span(out, &text, max);
	ai_buf_release(&text);
}

static void say_text(struct ai_buf *out, const struct flow_text *t, size_t max)
{
	struct ai_buf text = AI_BUF_INIT(2 * FLOW_FILE_MAX);

	flow_text_say(t, &text);
	say_span(out, &text, max);
	ai_buf_release(&text);
}

static void say_agents(struct ai_buf *out, const struct flow *f,
		       const size_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ai_buf_fmt(out, "%s%s", i > 0 ? ", " : "",
			   f->agents[v[i]].name);
}

static void say_who(struct ai_buf *out, const struct flow *f,
		    const struct flow_task *t)
{
	if (t->kind != FLOW_CHAT) {
		ai_buf_str(out, f->agents[t->agent].name);
		return;
	}
	ai_buf_str(out, "chat of ");
	say_agents(out, f, t->chat.agents, t->chat.n_agents);
}

/* ---- the plan ------------------------------------------------------------------ */

static void say_line(struct ai_buf *out, const char *what, const char *text)
{
	if (text == NULL)
		return;
	ai_buf_fmt(out, "      %s", what);
	agent_say_text(out, ai_span_of(text), TEXT_BYTES);
	ai_buf_chr(out, '\n');
}

static void say_list(struct ai_buf *out, const char *what,
		     const struct agent_strings *s)
{
	if (s->n == 0)
		return;
	ai_buf_fmt(out, "      %s", what);
	for (size_t i = 0; i < s->n; i++) {
		ai_buf_str(out, i > 0 ? ", " : "");
		agent_say_text(out, ai_span_of(s->v[i]), TEXT_BYTES);
	}
	ai_buf_chr(out, '\n');
}

static void say_others(struct ai_buf *out, const struct flow *f,
		       const char *what, const size_t *v, size_t n)
{
	if (n == 0)
		return;
	ai_buf_fmt(out, "      %s", what);
	say_agents(out, f, v, n);
	ai_buf_chr(out, '\n');
}

/* Marks all that an agent may bring in. */
static void mark(const struct flow *f, size_t i, bool *used)
{
	const struct flow_agent *a;

	if (i == FLOW_NONE || used[i])
		return;
	used[i] = true;
	a = &f->agents[i];
	for (size_t k = 0; k < a->n_agents; k++)
		mark(f, a->agents[k], used);
	for (size_t k = 0; k < a->n_handoffs; k++)
		mark(f, a->handoffs[k], used);
}

/* Marks those that a task asks itself, and those that it may come to by being
 * handed on. */
static void mark_handed(const struct flow *f, size_t i, bool *asked)
{
	if (i == FLOW_NONE || asked[i])
		return;
	asked[i] = true;
	for (size_t k = 0; k < f->agents[i].n_handoffs; k++)
		mark_handed(f, f->agents[i].handoffs[k], asked);
}

static bool asks(const struct flow *f, const struct flow_task *t, size_t agent_at)
{
	bool asked[FLOW_AGENTS_MAX] = { false };

	if (t->kind == FLOW_AGENT)
		mark_handed(f, t->agent, asked);
	for (size_t k = 0; k < t->chat.n_agents; k++)
		asked[t->chat.agents[k]] = true;
	mark_handed(f, t->chat.chooser, asked);
	for (size_t k = 0; k < t->n_guards; k++)
		mark_handed(f, t->guards[k].agent, asked);
	return asked[agent_at];
}

int64_t flow_width(const struct flow *f, size_t agent_at, int64_t at_once)
{
	int64_t n = 0, own;

	for (size_t i = 0; n < at_once && i < f->n_tasks; i++) {
		const struct flow_task *t = &f->tasks[i];

		if (!asks(f, t, agent_at))
			continue;
		own = t->map_max <= 0 ? 1 : t->map_at_once <= 0 ||
			t->map_at_once > t->map_max ? t->map_max :
			t->map_at_once;
		n = f->process == FLOW_SEQUENTIAL ? (own > n ? own : n)
			: n + own;
	}
	return n < at_once ? n : at_once;
}

void flow_find_used(const struct flow *f, bool *used)
{
	for (size_t i = 0; i < f->n_tasks; i++) {
		const struct flow_task *t = &f->tasks[i];

		if (t->kind == FLOW_AGENT)
			mark(f, t->agent, used);
		for (size_t k = 0; k < t->chat.n_agents; k++)
			mark(f, t->chat.agents[k], used);
		mark(f, t->chat.chooser, used);
		for (size_t k = 0; k < t->n_guards; k++)
			mark(f, t->guards[k].agent, used);
	}
}

static void say_agent(struct ai_buf *out, const struct flow *f, size_t i,
		      bool used)
{
	const struct flow_agent *a = &f->agents[i];
	char money[AI_MONEY_TEXT];

	ai_buf_fmt(out, "  %s%s%s\n", a->name,
		   i == f->manager ? "  (manager)" : "",
		   used || f->n_tasks == 0 ? "" : "  (nothing uses it)");
	say_line(out, "role: ", a->role);
	say_line(out, "goal: ", a->goal);
	say_line(out, "model: ", a->model);
	say_list(out, "tools files: ", &a->tools);
	say_list(out, "built-in tools: ", &a->with);
	say_line(out, "searches: ", a->index);
	say_line(out, "works in: ", a->workdir);
	say_others(out, f, "asks: ", a->agents, a->n_agents);
	say_others(out, f, "hands on to: ", a->handoffs, a->n_handoffs);
	if (a->notes)
		ai_buf_str(out, "      reads and writes notes\n");
	if (a->remembers)
		ai_buf_str(out, "      adds to the shared index\n");
	say_line(out, "limits of a task: ", a->limits);
	if (a->budget >= 0) {
		ai_money_show(a->budget, money);
		ai_buf_fmt(out, "      budget: %s\n", money);
	}
}

static void say_chat(struct ai_buf *out, const struct flow *f,
		     const struct flow_chat *c)
{
	ai_buf_fmt(out, "      at most %" PRId64 " messages, ", c->max);
	if (c->chooser == FLOW_NONE)
		ai_buf_str(out, "one after the other");
	else
		ai_buf_fmt(out, "whose turn it is says %s",
			   f->agents[c->chooser].name);
	if (c->until != NULL) {
		ai_buf_str(out, ", until ");
		say_cond(out, c->until, TEXT_BYTES);
	}
	ai_buf_chr(out, '\n');
}

static void say_guard(struct ai_buf *out, const struct flow *f,
		      const struct flow_guardrail *g)
{
	ai_buf_str(out, "      must pass: ");
	if (g->cond != NULL) {
		say_cond(out, g->cond, TEXT_BYTES);
	} else if (g->command.n > 0) {
		for (size_t i = 0; i < g->command.n; i++) {
			ai_buf_str(out, i > 0 ? " " : "");
			agent_say_text(out, ai_span_of(g->command.v[i]),
				       TEXT_BYTES);
		}
	} else {
		ai_buf_fmt(out, "%s says so: ", f->agents[g->agent].name);
		say_text(out, &g->ask, TEXT_BYTES);
	}
	ai_buf_chr(out, '\n');
}

static void say_repeats(struct ai_buf *out, const struct flow_task *t)
{
	if (t->map_max > 0) {
		ai_buf_str(out, "      for each of ");
		say_text(out, &t->over, TEXT_BYTES);
		ai_buf_fmt(out, ", at most %" PRId64, t->map_max);
		if (t->map_at_once > 0)
			ai_buf_fmt(out, ", %" PRId64 " at once",
				   t->map_at_once);
		ai_buf_chr(out, '\n');
	}
	if (t->loop_max > 0) {
		ai_buf_fmt(out, "      again, at most %" PRId64 " rounds",
			   t->loop_max);
		if (t->until != NULL) {
			ai_buf_str(out, ", until ");
			say_cond(out, t->until, TEXT_BYTES);
		}
		ai_buf_chr(out, '\n');
	}
}

static void say_task(struct ai_buf *out, const struct flow *f, size_t i,
		     size_t level)
{
	const struct flow_task *t = &f->tasks[i];

	ai_buf_fmt(out, "  %zu. %s: ", level, t->name);
	say_who(out, f, t);
	ai_buf_str(out, "\n      ");
	say_text(out, &t->description, TEXT_BYTES);
	ai_buf_chr(out, '\n');
	if (t->n_needs > 0) {
		ai_buf_str(out, "      after ");
		for (size_t k = 0; k < t->n_needs; k++)
			ai_buf_fmt(out, "%s%s", k > 0 ? ", " : "",
				   f->tasks[t->needs[k]].name);
		ai_buf_chr(out, '\n');
	}
	if (t->when != NULL) {
		ai_buf_str(out, "      only if ");
		say_cond(out, t->when, TEXT_BYTES);
		ai_buf_chr(out, '\n');
	}
	say_repeats(out, t);
	if (t->kind == FLOW_CHAT)
		say_chat(out, f, &t->chat);
	say_line(out, "gives JSON: ", t->schema_json);
	for (size_t k = 0; k < t->n_guards; k++)
		say_guard(out, f, &t->guards[k]);
	if (t->n_guards > 0 || t->schema != NULL)
		ai_buf_fmt(out, "      else again, retries: %" PRId64 "\n",
			   t->retries);
	say_line(out, "limits: ", t->limits);
	if (t->optional)
		ai_buf_str(out, "      the run goes on without it\n");
}

static void say_head(struct ai_buf *out, const struct flow *f)
{
	static const char *const how[] = {
		[FLOW_PARALLEL] = "what is ready runs",
		[FLOW_SEQUENTIAL] = "one task after the other",
		[FLOW_HIERARCHICAL] = "the manager does what has no agent",
	};

	agent_say_text(out, ai_span_of(f->name != NULL ? f->name : f->path),
		       TEXT_BYTES);
	if (f->description != NULL) {
		ai_buf_str(out, ": ");
		agent_say_text(out, ai_span_of(f->description), 4 * TEXT_BYTES);
	}
	ai_buf_fmt(out, "\n%s", how[f->process]);
	if (f->at_once > 0)
		ai_buf_fmt(out, ", at most %" PRId64 " at once", f->at_once);
	ai_buf_chr(out, '\n');
	if (f->input_json != NULL) {
		ai_buf_str(out, "takes ");
		agent_say_text(out, ai_span_of(f->input_json), TEXT_BYTES);
		ai_buf_chr(out, '\n');
	}
	if (f->limits != NULL)
		ai_buf_fmt(out, "limits %s\n", f->limits);
	if (f->index != NULL) {
		ai_buf_str(out, "shares the index ");
		agent_say_text(out, ai_span_of(f->index), TEXT_BYTES);
		ai_buf_chr(out, '\n');
	}
}

/* By their levels; within one as the flow has them. */
static void say_tasks(struct ai_buf *out, const struct flow *f)
{
	size_t n = f->n_tasks, *level = flow_levels(f),
		*first = calloc(n + 2, sizeof *first),
		*sorted = calloc(n + 1, sizeof *sorted);

	if (level == NULL || first == NULL || sorted == NULL) {
		out->bad = AI_E_MEMORY;
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		first[level[i] + 1]++;
	for (size_t i = 1; i < n + 2 && n > 0; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < n; i++)
		sorted[first[level[f->order[i]]]++] = f->order[i];
	for (size_t i = 0; i < n; i++)
		say_task(out, f, sorted[i], level[sorted[i]]);
	free(level);
	free(first);
	free(sorted);
}

void flow_put_plan(const struct flow *f, struct ai_buf *out)
{
	bool used[FLOW_AGENTS_MAX] = { false };

	flow_find_used(f, used);
	say_head(out, f);
	ai_buf_str(out, "\nagents\n");
	for (size_t i = 0; i < f->n_agents; i++)
		say_agent(out, f, i, used[i]);
	if (f->n_tasks > 0)
		ai_buf_str(out, "\ntasks; those of one number wait only for "
			   "lower ones\n");
	say_tasks(out, f);
	if (f->n_tasks > 0) {
		ai_buf_str(out, "\ngives back ");
		if (f->output.n > 0)
			say_text(out, &f->output, TEXT_BYTES);
		else
			ai_buf_fmt(out, "{{%s}}",
				   f->tasks[f->n_tasks - 1].name);
		ai_buf_chr(out, '\n');
	}
}

/* ---- Graphviz ------------------------------------------------------------------ */

/* Within quotes; \n is a line break there. */
static void put_quoted(struct ai_buf *out, const struct ai_buf *text)
{
	const char *p = ai_buf_cstr(text);

	ai_buf_chr(out, '"');
	for (size_t i = 0; i < text->len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			ai_buf_chr(out, '\\');
		if (p[i] == '\n')
			ai_buf_str(out, "\\n");
		else
			ai_buf_chr(out, p[i]);
	}
	ai_buf_chr(out, '"');
}

static void put_task(struct ai_buf *out, const struct flow *f,
		     const struct flow_task *t, struct ai_buf *label)
{
	ai_buf_clear(label);
	ai_buf_fmt(label, "%s\n", t->name);
	say_who(label, f, t);
	if (t->map_max > 0) {
		ai_buf_str(label, "\nfor each of ");
		say_text(label, &t->over, LABEL_BYTES);
		ai_buf_fmt(label, ", at most %" PRId64, t->map_max);
	}
	if (t->when != NULL) {
		ai_buf_str(label, "\nonly if ");
		say_cond(label, t->when, LABEL_BYTES);
	}
	ai_buf_fmt(out, "\t\"t.%s\" [shape=%s%s, label=", t->name,
		   t->kind == FLOW_CHAT ? "ellipse" : "box",
		   t->when != NULL || t->optional ? ", style=dashed" : "");
	put_quoted(out, label);
	ai_buf_str(out, "];\n");
	for (size_t k = 0; k < t->n_needs; k++)
		ai_buf_fmt(out, "\t\"t.%s\" -> \"t.%s\";\n",
			   f->tasks[t->needs[k]].name, t->name);
	if (t->loop_max == 0)
		return;
	ai_buf_clear(label);
	ai_buf_fmt(label, "at most %" PRId64, t->loop_max);
	if (t->until != NULL) {
		ai_buf_str(label, "\nuntil ");
		say_cond(label, t->until, LABEL_BYTES);
	}
	ai_buf_fmt(out, "\t\"t.%s\" -> \"t.%s\" [label=", t->name, t->name);
	put_quoted(out, label);
	ai_buf_str(out, "];\n");
}

/* Agents that ask others or hand on to them. */
static void put_agents(struct ai_buf *out, const struct flow *f)
{
	size_t edges = 0;

	for (size_t i = 0; i < f->n_agents; i++)
		edges += f->agents[i].n_agents + f->agents[i].n_handoffs;
	if (edges == 0)
		return;
	ai_buf_str(out, "\tsubgraph cluster_agents {\n\t\tlabel=\"agents\";\n");
	for (size_t i = 0; i < f->n_agents; i++) {
		const struct flow_agent *a = &f->agents[i];

		ai_buf_fmt(out, "\t\t\"a.%s\" [shape=plaintext, "
			   "label=\"%s\"];\n", a->name, a->name);
		for (size_t k = 0; k < a->n_agents; k++)
			ai_buf_fmt(out, "\t\t\"a.%s\" -> \"a.%s\" "
				   "[style=dotted, label=\"asks\"];\n", a->name,
				   f->agents[a->agents[k]].name);
		for (size_t k = 0; k < a->n_handoffs; k++)
			ai_buf_fmt(out, "\t\t\"a.%s\" -> \"a.%s\" "
				   "[style=dotted, label=\"hands on\"];\n",
				   a->name, f->agents[a->handoffs[k]].name);
	}
	ai_buf_str(out, "\t}\n");
}

void flow_put_dot(const struct flow *f, struct ai_buf *out)
{
	struct ai_buf label = AI_BUF_INIT(65536);

	agent_say_text(&label, ai_span_of(f->name != NULL ? f->name : f->path),
		       TEXT_BYTES);
	ai_buf_str(out, "digraph ");
	put_quoted(out, &label);
	ai_buf_str(out, " {\n\trankdir=TB;\n");
	for (size_t i = 0; i < f->n_tasks; i++)
		put_task(out, f, &f->tasks[f->order[i]], &label);
	put_agents(out, f);
	ai_buf_str(out, "}\n");
	ai_buf_release(&label);
}
