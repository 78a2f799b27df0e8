/* task.c: the tasks of a workflow file. */
#include "flow/int.h"

#include "record/comment.h"

#include <stdlib.h>
#include <string.h>

#define RETRIES 2

/* One task while it is read. */
struct task_reader {
	struct flow_reader *r;
	struct flow_task *t;
	struct ai_value v, agent, description, needs, schema, guardrail,
		retries, when, loop, map, chat, limits, optional;
};

static void get_members(struct task_reader *e)
{
	const struct ai_json_want want[] = {
		{ AI_SPAN("agent"), &e->agent },
		{ AI_SPAN("description"), &e->description },
		{ AI_SPAN("needs"), &e->needs },
		{ AI_SPAN("schema"), &e->schema },
		{ AI_SPAN("guardrail"), &e->guardrail },
		{ AI_SPAN("retries"), &e->retries },
		{ AI_SPAN("when"), &e->when },
		{ AI_SPAN("loop"), &e->loop },
		{ AI_SPAN("map"), &e->map },
		{ AI_SPAN("chat"), &e->chat },
		{ AI_SPAN("limits"), &e->limits },
		{ AI_SPAN("optional"), &e->optional },
	};

	ai_json_members(e->v, want, sizeof want / sizeof want[0]);
}

/* ---- guardrails ---------------------------------------------------------------- */

static void guard_release(struct flow_guardrail *g)
{
	flow_cond_free(g->cond);
	agent_strings_release(&g->command);
	flow_text_release(&g->ask);
}

static int read_command(struct flow_reader *r, struct ai_value command,
			struct flow_guardrail *g)
{
	size_t was = flow_down(r, "command");

	if (flow_take_command(r, command, &g->command) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

static int read_judge(struct flow_reader *r, struct ai_value v,
		      struct ai_value agent, struct flow_guardrail *g)
{
	struct ai_value ask = ai_json_member(v, AI_SPAN("ask"));
	size_t was = flow_down(r, "agent");

	if (flow_take_agent(r, agent, &g->agent) < 0)
		return -1;
	flow_up(r, was);
	if (ask.kind == AI_NONE)
		return flow_refuse(r, v, "'ask' is missing: what '%s' is to "
				   "judge", r->f->agents[g->agent].name);
	was = flow_down(r, "ask");
	if (flow_text_read(r, ask, &g->ask) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

static int read_guard(struct flow_reader *r, struct ai_value v,
		      struct flow_guardrail *g)
{
	struct ai_value command = ai_json_member(v, AI_SPAN("command")),
			agent = ai_json_member(v, AI_SPAN("agent"));
	struct ai_value ask = ai_json_member(v, AI_SPAN("ask"));
	size_t n = flow_count(v), own;

	g->agent = FLOW_NONE;
	own = (command.kind != AI_NONE) + (agent.kind != AI_NONE) +
	      (ask.kind != AI_NONE);
	if (own == 0)
		return flow_cond_read(r, v, FLOW_OUTPUT, &g->cond);
	if (own < n || (command.kind != AI_NONE && own > 1))
		return flow_refuse(r, v, "a guardrail is a condition, or a "
				   "'command', or an 'agent' with 'ask'; "
				   "several stand in a list");
	if (command.kind != AI_NONE)
		return read_command(r, command, g);
	if (agent.kind == AI_NONE)
		return flow_refuse(r, v, "'agent' is missing: who is asked");
	return read_judge(r, v, agent, g);
}

static int read_guards(struct task_reader *e)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = flow_count(e->guardrail), was;

	if (e->guardrail.kind == AI_OBJECT) {
		e->t->guards = calloc(1, sizeof *e->t->guards);
		if (e->t->guards == NULL)
			return ai_err_nomem(e->r->err);
		e->t->n_guards = 1;
		return read_guard(e->r, e->guardrail, &e->t->guards[0]);
	}
	e->t->guards = calloc(n, sizeof *e->t->guards);
	if (e->t->guards == NULL)
		return ai_err_nomem(e->r->err);
	ai_json_iter_init(&it, e->guardrail);
	while (ai_json_next(&it, NULL, &v)) {
		was = flow_down_n(e->r, e->t->n_guards++);
		if (read_guard(e->r, v, &e->t->guards[e->t->n_guards - 1]) < 0)
			return -1;
		flow_up(e->r, was);
	}
	return 0;
}

/* ---- loops, maps, chats -------------------------------------------------------- */

static int read_until(struct flow_reader *r, struct ai_value v, unsigned more,
		      enum flow_name absent, struct flow_cond **until)
{
	struct ai_value cond = ai_json_member(v, AI_SPAN("until"));
	size_t was = flow_down(r, "until");
	unsigned known = r->known;

	r->known |= more;
	if (flow_cond_read(r, cond, absent, until) < 0)
		return -1;
	r->known = known;
	flow_up(r, was);
	return 0;
}

static int read_loop(struct task_reader *e)
{
	e->t->loop_max = flow_take_i64(ai_json_member(e->loop, AI_SPAN("max")),
				       1);
	return read_until(e->r, e->loop, FLOW_BIT(FLOW_OUTPUT), FLOW_OUTPUT,
			  &e->t->until);
}

/* What it goes over may be a list. */
static int check_over(struct flow_reader *r, struct ai_value over,
		      const struct flow_piece *p)
{
	const struct flow_raw *raw = p->task == FLOW_NONE ? NULL :
		&r->raw[p->task];
	struct ai_value schema = p->what == FLOW_INPUT ? r->input :
		raw != NULL ? raw->schema : over;
	const char *path = p->path;

	if (p->what == FLOW_NOTES)
		return 0; /* JSON that somebody wrote down */
	if (raw != NULL && raw->map) {
		if (path[0] == '\0')
			return 0;
		path += strspn(path, "0123456789");
		path += *path == '.';
	}
	if (schema.kind == AI_NONE)
		return raw == NULL ? 0 :
			flow_refuse(r, over, "task '%s' has no schema, so what "
				    "it gives is a text and no list", p->name);
	return flow_schema_lists(schema, path) ? 0 :
		flow_refuse(r, over, "by its schema that is no list");
}

static int read_map(struct task_reader *e)
{
	struct ai_value over = ai_json_member(e->map, AI_SPAN("over"));
	struct flow_reader *r = e->r;
	size_t was = flow_down(r, "over");
	unsigned known = r->known;

	e->t->map_max = flow_take_i64(ai_json_member(e->map, AI_SPAN("max")),
				      1);
	e->t->map_at_once = flow_take_i64(ai_json_member(e->map,
						AI_SPAN("at_once")), 0);
	r->known = FLOW_ALWAYS;
	if (flow_text_read(r, over, &e->t->over) < 0)
		return -1;
	if (e->t->over.n != 1 || e->t->over.v[0].text != NULL)
		return flow_refuse(r, over, "it must be one name and nothing "
				   "else, as in \"{{input.list}}\"");
	if (check_over(r, over, &e->t->over.v[0]) < 0)
		return -1;
	r->known = known;
	flow_up(r, was);
	return 0;
}

/* "turn", or {"agent": NAME}. */
static int read_next(struct flow_reader *r, struct ai_value next,
		     struct flow_chat *chat)
{
	size_t was;

	if (next.kind != AI_OBJECT)
		return 0;
	was = flow_down(r, "next.agent");
	if (flow_take_agent(r, ai_json_member(next, AI_SPAN("agent")),
			    &chat->chooser) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

static int read_chat(struct task_reader *e)
{
	const unsigned used = FLOW_BIT(FLOW_USD) | FLOW_BIT(FLOW_TOKENS) |
			      FLOW_BIT(FLOW_SECONDS);
	struct flow_chat *chat = &e->t->chat;
	struct ai_value v = ai_json_member(e->chat, AI_SPAN("agents"));
	size_t was = flow_down(e->r, "agents");

	e->t->kind = FLOW_CHAT;
	if (flow_take_agents(e->r, v, &chat->agents, &chat->n_agents) < 0)
		return -1;
	flow_up(e->r, was);
	chat->max = flow_take_i64(ai_json_member(e->chat, AI_SPAN("max")), 1);
	if (read_next(e->r, ai_json_member(e->chat, AI_SPAN("next")), chat) < 0)
		return -1;
	return read_until(e->r, e->chat, used, FLOW_MESSAGE, &chat->until);
}

/* ---- a task -------------------------------------------------------------------- */

static int read_agent(struct task_reader *e)
{
	struct flow_reader *r = e->r;

	if (e->chat.kind != AI_NONE)
		return e->agent.kind == AI_NONE ? 0 :
			flow_refuse(r, e->agent, "'chat' has its own agents, "
				    "so 'agent' means nothing");
	if (e->agent.kind != AI_NONE)
		return flow_take_agent(r, e->agent, &e->t->agent);
	if (r->f->process != FLOW_HIERARCHICAL)
		return flow_refuse(r, e->v, "'agent' is missing: who does it; "
				   "or 'chat'");
	e->t->agent = r->f->manager;
	return 0;
}

static int read_description(struct task_reader *e)
{
	if (e->description.kind == AI_NONE)
		return flow_refuse(e->r, e->v, "'description' is missing: what "
				   "is to be done");
	return flow_text_read(e->r, e->description, &e->t->description);
}

static int read_needs(struct task_reader *e)
{
	struct flow_reader *r = e->r;
	struct ai_json_iter it;
	struct ai_value v;
	size_t task, n = 0, was;

	ai_json_iter_init(&it, e->needs);
	for (; ai_json_next(&it, NULL, &v); n++) {
		was = flow_down_n(r, n);
		if (flow_take_task(r, v, &task) < 0)
			return -1;
		if (task == r->task)
			return flow_refuse(r, v, "the task needs itself");
		if (r->seen[task] == r->task + 1)
			return flow_refuse(r, v, "'%s' stands there twice",
					   r->f->tasks[task].name);
		if (flow_need(r, task) < 0)
			return -1;
		flow_up(r, was);
	}
	return 0;
}

static int read_schema(struct task_reader *e)
{
	return flow_take_schema(e->r, e->schema, &e->t->schema,
				&e->t->schema_json);
}

static int read_limits(struct task_reader *e)
{
	return flow_take_limits(e->r, e->limits, &e->t->limits);
}

static int read_when(struct task_reader *e)
{
	unsigned known = e->r->known;

	e->r->known = FLOW_ALWAYS;
	if (flow_cond_read(e->r, e->when, FLOW_NO_NAME, &e->t->when) < 0)
		return -1;
	e->r->known = known;
	return 0;
}

/* The guardrails look at what a round, a message or an item gives. */
static int read_guardrail(struct task_reader *e)
{
	unsigned known = e->r->known;

	e->r->known |= FLOW_BIT(FLOW_OUTPUT);
	if (read_guards(e) < 0)
		return -1;
	e->r->known = known;
	return 0;
}

static unsigned known_of(const struct task_reader *e)
{
	unsigned known = FLOW_ALWAYS;

	if (e->loop.kind != AI_NONE)
		known |= FLOW_BIT(FLOW_ROUND) | FLOW_BIT(FLOW_LAST);
	if (e->map.kind != AI_NONE)
		known |= FLOW_BIT(FLOW_ITEM) | FLOW_BIT(FLOW_INDEX);
	if (e->chat.kind != AI_NONE)
		known |= FLOW_BIT(FLOW_MESSAGE) | FLOW_BIT(FLOW_SPEAKER) |
			 FLOW_BIT(FLOW_MESSAGES) | FLOW_BIT(FLOW_TRANSCRIPT);
	return known;
}

static int take_needs(struct task_reader *e)
{
	struct flow_task *t = e->t;

	t->n_needs = e->r->n_needs;
	t->needs = malloc((t->n_needs + 1) * sizeof *t->needs);
	if (t->needs == NULL)
		return ai_err_nomem(e->r->err);
	if (t->n_needs > 0)
		memcpy(t->needs, e->r->needs, t->n_needs * sizeof *t->needs);
	return 0;
}

static int read_parts(struct task_reader *e)
{
	const struct {
		const char *name;
		const struct ai_value *v;
		int (*read)(struct task_reader *e);
		bool always;
	} parts[] = {
		{ "agent", &e->agent, read_agent, true },
		{ "needs", &e->needs, read_needs, false },
		{ "description", &e->description, read_description, true },
		{ "schema", &e->schema, read_schema, false },
		{ "guardrail", &e->guardrail, read_guardrail, false },
		{ "when", &e->when, read_when, false },
		{ "loop", &e->loop, read_loop, false },
		{ "map", &e->map, read_map, false },
		{ "chat", &e->chat, read_chat, false },
		{ "limits", &e->limits, read_limits, false },
	};
	size_t was;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (parts[i].v->kind == AI_NONE && !parts[i].always)
			continue;
		was = e->r->place.len;
		if (parts[i].v->kind != AI_NONE)
			flow_down(e->r, parts[i].name);
		if (parts[i].read(e) < 0)
			return -1;
		flow_up(e->r, was);
	}
	return 0;
}

static int read_task(struct flow_reader *r, size_t n)
{
	struct task_reader e = { .r = r, .t = &r->f->tasks[n],
				 .v = r->raw[n].v };
	size_t was = flow_down(r, e.t->name);

	get_members(&e);
	r->task = n;
	r->n_needs = 0;
	r->known = known_of(&e);
	e.t->retries = flow_take_i64(e.retries, RETRIES);
	e.t->optional = e.optional.kind == AI_BOOL && ai_json_true(e.optional);
	if (read_parts(&e) < 0 || take_needs(&e) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

void flow_task_release(struct flow_task *t)
{
	free(t->name);
	free(t->chat.agents);
	flow_cond_free(t->chat.until);
	flow_text_release(&t->description);
	free(t->needs);
	ai_schema_free(t->schema);
	free(t->schema_json);
	for (size_t i = 0; i < t->n_guards; i++)
		guard_release(&t->guards[i]);
	free(t->guards);
	flow_cond_free(t->when);
	flow_cond_free(t->until);
	flow_text_release(&t->over);
	free(t->limits);
}

/* ---- all of them --------------------------------------------------------------- */

static int name_task(struct flow_reader *r, struct ai_value key,
		     struct ai_value v, int line)
{
	struct flow *f = r->f;
	struct flow_task *t = &f->tasks[f->n_tasks];
	struct flow_raw *raw = &r->raw[f->n_tasks];
	size_t was;

	t->agent = t->chat.chooser = FLOW_NONE;
	t->line = line;
	if (flow_take_text(r, key, &t->name) < 0)
		return -1;
	was = flow_down(r, t->name);
	if (flow_name_of(ai_span_of(t->name)) != FLOW_TASK)
		return flow_refuse(r, key, "{{%s}} means something else in "
				   "texts, so no task can be named so", t->name);
	flow_up(r, was);
	raw->v = v;
	raw->schema = ai_json_member(v, AI_SPAN("schema"));
	raw->map = ai_json_member(v, AI_SPAN("map")).kind != AI_NONE;
	r->rows[f->n_tasks] = (struct flow_row){ ai_span_of(t->name),
						 f->n_tasks };
	f->n_tasks++;
	return 0;
}

static int name_tasks(struct flow_reader *r, struct ai_value tasks)
{
	const char *at = r->text;
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t n = flow_count(tasks), line = 1;

	r->f->tasks = calloc(n + 1, sizeof *r->f->tasks);
	r->raw = calloc(n + 1, sizeof *r->raw);
	r->rows = calloc(n + 1, sizeof *r->rows);
	r->seen = calloc(n + 1, sizeof *r->seen);
	if (r->f->tasks == NULL || r->raw == NULL || r->rows == NULL ||
	    r->seen == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, tasks);
	while (ai_json_next(&it, &key, &v)) {
		line += ai_json_line(at, (size_t)(key.s.p - at)) - 1;
		at = key.s.p;
		if (name_task(r, key, v, (int)line) < 0)
			return -1;
	}
	flow_rows_sort(r);
	return 0;
}

int flow_read_tasks(struct flow_reader *r, struct ai_value tasks)
{
	size_t was = flow_down(r, "tasks");

	if (tasks.kind != AI_NONE && name_tasks(r, tasks) < 0)
		return -1;
	for (size_t i = 0; i < r->f->n_tasks; i++)
		if (read_task(r, i) < 0)
			return -1;
	flow_up(r, was);
	r->task = FLOW_NONE;
	return 0;
}
