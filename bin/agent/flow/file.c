/* file.c: a workflow file as a whole: its agents, and what is kept of it. */
#include "flow/int.h"

#include "base/money.h"
#include "record/comment.h"

#include "tool/args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With absolute paths. */
#define KEPT_MAX (4 * FLOW_FILE_MAX)
#define FAILURES 3
#define REST_S 60

/* ---- agents -------------------------------------------------------------------- */

static int read_budget(struct flow_reader *r, struct ai_value v,
		       struct flow_agent *a)
{
	struct ai_err why;

	a->budget = -1;
	if (v.kind == AI_NONE)
		return 0;
	if (ai_money_parse(v.s, &a->budget, &why) < 0)
		return flow_refuse(r, v, "%s", why.msg);
	return a->budget > 0 ? 0 :
		flow_refuse(r, v, "with 0 dollars it can be asked nothing");
}

static bool flag(struct ai_value agent, const char *name)
{
	struct ai_value v = ai_json_member(agent, ai_span_of(name));

	return v.kind == AI_BOOL && ai_json_true(v);
}

static void read_breaker(struct ai_value v, struct flow_agent *a)
{
	struct ai_value rest = ai_json_member(v, AI_SPAN("seconds"));

	a->failures = flow_take_i64(ai_json_member(v, AI_SPAN("failures")),
				    FAILURES);
	a->rest_s = REST_S;
	if (rest.kind == AI_NUMBER)
		ai_json_f64(rest, &a->rest_s);
}

/* Other agents that it names, when all have names. */
static int read_others(struct flow_reader *r, struct ai_value list, size_t self,
		       size_t **to, size_t *n)
{
	if (flow_take_agents(r, list, to, n) < 0)
		return -1;
	for (size_t i = 0; i < *n; i++)
		if ((*to)[i] == self) {
			flow_down_n(r, i);
			return flow_refuse(r, list, "'%s' is the agent itself",
					   r->f->agents[self].name);
		}
	return 0;
}

/* Built-in tools that there are; "none" stands alone. */
static int read_with(struct flow_reader *r, struct ai_value v,
		     struct flow_agent *a)
{
	static const char *const names[] = {
		"read_file", "list_files", "search_files", "write_file",
		"patch_file", "http_get", "calc", "ask_user", "none",
	};
	const size_t n = sizeof names / sizeof names[0];
	const char *near;
	size_t k;

	if (flow_take_strings(r, v, &a->with) < 0)
		return -1;
	for (size_t i = 0; i < a->with.n; i++) {
		for (k = 0; k < n && strcmp(names[k], a->with.v[i]) != 0; k++)
			;
		if (k + 1 == n && a->with.n > 1)
			return flow_refuse(r, v, "'none' stands alone");
		if (k < n)
			continue;
		near = ai_nearest(a->with.v[i], names, n);
		flow_down_n(r, i);
		return flow_refuse(r, v, "no built-in tool is named '%.64s'%s%s"
				   "%s", a->with.v[i], near != NULL ?
				   "; is it '" : "", near != NULL ? near : "",
				   near != NULL ? "'?" : "");
	}
	return 0;
}

static int read_part(struct flow_reader *r, struct ai_value v, const char *part,
		     size_t i)
{
	struct flow_agent *a = &r->f->agents[i];
	const struct {
		const char *name;
		char **text, **path;
		enum flow_path what;
		struct agent_strings *paths;
		size_t **others, *n;
	} parts[] = {
		{ "role", .text = &a->role },
		{ "goal", .text = &a->goal },
		{ "instructions", .text = &a->instructions },
		{ "model", .text = &a->model },
		{ "index", .path = &a->index },
		{ "workdir", .path = &a->workdir, .what = FLOW_PATH_FOLDER },
		{ "tools", .paths = &a->tools },
		{ "agents", .others = &a->agents, .n = &a->n_agents },
		{ "handoffs", .others = &a->handoffs, .n = &a->n_handoffs },
	};

	for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
		if (strcmp(parts[k].name, part) != 0)
			continue;
		if (parts[k].text != NULL)
			return flow_take_text(r, v, parts[k].text);
		if (parts[k].path != NULL)
			return flow_take_path(r, v, parts[k].what,
					      parts[k].path);
		if (parts[k].paths != NULL)
			return flow_take_paths(r, v, parts[k].paths);
		return read_others(r, v, i, parts[k].others, parts[k].n);
	}
	if (strcmp(part, "with") == 0)
		return read_with(r, v, a);
	if (strcmp(part, "limits") == 0)
		return flow_take_limits(r, v, &a->limits);
	return strcmp(part, "budget") == 0 ? read_budget(r, v, a) : 0;
}

static int read_agent(struct flow_reader *r, struct ai_value v, size_t i)
{
	struct flow_agent *a = &r->f->agents[i];
	size_t was = flow_down(r, a->name), part;
	struct ai_json_iter it;
	struct ai_value key, m;
	char *name;

	a->budget = -1;
	a->notes = flag(v, "notes");
	a->remembers = flag(v, "remembers");
	read_breaker(ai_json_member(v, AI_SPAN("breaker")), a);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &m)) {
		name = NULL;
		if (flow_take_text(r, key, &name) < 0)
			return -1;
		part = flow_down(r, name);
		if (read_part(r, m, name, i) < 0) {
			free(name);
			return -1;
		}
		free(name);
		flow_up(r, part);
	}
	flow_up(r, was);
	return 0;
}

/* First their names, for they name each other. */
static int read_agents(struct flow_reader *r)
{
	struct ai_value agents = ai_json_member(r->root, AI_SPAN("agents")),
			key, v;
	struct flow *f = r->f;
	size_t was = flow_down(r, "agents"), i = 0;
	struct ai_json_iter it;

	f->agents = calloc(FLOW_AGENTS_MAX, sizeof *f->agents);
	if (f->agents == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, agents);
	while (ai_json_next(&it, &key, &v)) {
		if (f->n_agents == FLOW_AGENTS_MAX)
			return flow_refuse(r, key, "more than %d agents",
					   FLOW_AGENTS_MAX);
		if (flow_take_text(r, key, &f->agents[f->n_agents].name) < 0)
			return -1;
		f->agents[f->n_agents].line = (int)ai_json_line(r->text,
			(size_t)(key.s.p - r->text));
		f->agents[f->n_agents].column = (int)flow_column(r->text,
			(size_t)(key.s.p - r->text));
		f->n_agents++;
	}
	ai_json_iter_init(&it, agents);
	while (ai_json_next(&it, NULL, &v))
		if (read_agent(r, v, i++) < 0)
			return -1;
	flow_up(r, was);
	return 0;
}

void flow_agent_system(const struct flow_agent *a, struct ai_buf *out)
{
	if (a->role != NULL)
		ai_buf_fmt(out, "Your role: %s\n", a->role);
	if (a->goal != NULL)
		ai_buf_fmt(out, "Your goal: %s\n", a->goal);
	if (a->instructions != NULL)
		ai_buf_fmt(out, "%s%s\n", out->len > 0 ? "\n" : "",
			   a->instructions);
}

static void agent_release(struct flow_agent *a)
{
	free(a->name);
	free(a->role);
	free(a->goal);
	free(a->instructions);
	free(a->model);
	free(a->index);
	free(a->workdir);
	agent_strings_release(&a->tools);
	agent_strings_release(&a->with);
	free(a->agents);
	free(a->handoffs);
	free(a->limits);
}

/* ---- the whole ----------------------------------------------------------------- */

void flow_release(struct flow *f)
{
	free(f->path);
	free(f->name);
	free(f->description);
	free(f->json);
	ai_schema_free(f->input);
	free(f->input_json);
	for (size_t i = 0; i < f->n_agents; i++)
		agent_release(&f->agents[i]);
	free(f->agents);
	/* One that has no name yet is not counted. */
	for (size_t i = 0; f->tasks != NULL && i <= f->n_tasks; i++)
		flow_task_release(&f->tasks[i]);
	free(f->tasks);
	free(f->order);
	flow_text_release(&f->output);
	free(f->limits);
	free(f->index);
	memset(f, 0, sizeof *f);
}

/* Who does what has no agent; if nothing is said he may ask all others. */
static int read_manager(struct flow_reader *r)
{
	struct ai_value v = ai_json_member(r->root, AI_SPAN("manager"));
	struct flow *f = r->f;
	struct flow_agent *a;
	size_t was = flow_down(r, "manager");

	if (f->process != FLOW_HIERARCHICAL && v.kind != AI_NONE)
		return flow_refuse(r, v, "it means something only with "
				   "\"process\": \"hierarchical\"");
	flow_up(r, was);
	if (f->process != FLOW_HIERARCHICAL)
		return 0;
	flow_down(r, "manager");
	if (v.kind == AI_NONE)
		return flow_refuse(r, r->root, "it is missing: with \"process\": "
				   "\"hierarchical\" an agent manages");
	if (flow_take_agent(r, v, &f->manager) < 0)
		return -1;
	a = &f->agents[f->manager];
	if (a->agents == NULL) {
		a->agents = calloc(f->n_agents, sizeof *a->agents);
		if (a->agents == NULL)
			return ai_err_nomem(r->err);
		for (size_t i = 0; i < f->n_agents; i++)
			if (i != f->manager)
				a->agents[a->n_agents++] = i;
	}
	flow_up(r, was);
	return 0;
}

static int read_head(struct flow_reader *r)
{
	struct ai_value process, at_once, index, limits;
	struct flow *f = r->f;
	size_t was;

	process = ai_json_member(r->root, AI_SPAN("process"));
	at_once = ai_json_member(r->root, AI_SPAN("at_once"));
	index = ai_json_member(r->root, AI_SPAN("index"));
	r->input = ai_json_member(r->root, AI_SPAN("input"));
	limits = ai_json_member(r->root, AI_SPAN("limits"));
	if (process.kind == AI_STRING)
		f->process = ai_json_is(process, AI_SPAN("sequential")) ?
			FLOW_SEQUENTIAL :
			ai_json_is(process, AI_SPAN("hierarchical")) ?
			FLOW_HIERARCHICAL : FLOW_PARALLEL;
	f->at_once = flow_take_i64(at_once, 0);
	was = flow_down(r, "name");
	if (flow_take_text(r, ai_json_member(r->root, AI_SPAN("name")),
			   &f->name) < 0)
		return -1;
	flow_up(r, was);
	flow_down(r, "description");
	if (flow_take_text(r, ai_json_member(r->root, AI_SPAN("description")),
			   &f->description) < 0)
		return -1;
	flow_up(r, was);
	flow_down(r, "index");
	if (flow_take_path(r, index, FLOW_PATH_ANY, &f->index) < 0)
		return -1;
	flow_up(r, was);
	flow_down(r, "limits");
	if (flow_take_limits(r, limits, &f->limits) < 0)
		return -1;
	flow_up(r, was);
	flow_down(r, "input");
	if (flow_take_schema(r, r->input, &f->input, &f->input_json) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

static int read_output(struct flow_reader *r)
{
	struct ai_value v = ai_json_member(r->root, AI_SPAN("output"));
	size_t was = flow_down(r, "output");

	r->known = FLOW_ALWAYS;
	if (v.kind != AI_NONE && flow_text_read(r, v, &r->f->output) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct flow_swap *x = a, *y = b;

	return (x->was.s.p > y->was.s.p) - (x->was.s.p < y->was.s.p);
}

/* The file as it is kept: without comments and blanks, its paths absolute. */
static int keep_json(struct flow_reader *r)
{
	struct ai_buf text = AI_BUF_INIT(KEPT_MAX), kept = AI_BUF_INIT(KEPT_MAX);
	const char *from = r->root.s.p, *end = from + r->root.s.n;
	struct ai_value v;
	int rc;

	if (r->n_swaps > 0)
		qsort(r->swaps, r->n_swaps, sizeof *r->swaps, compare);
	for (size_t i = 0; i < r->n_swaps; i++) {
		ai_buf_add(&text, from, (size_t)(r->swaps[i].was.s.p - from));
		ai_buf_chr(&text, '"');
		ai_put_inside(&text, r->swaps[i].now,
			      strlen(r->swaps[i].now));
		ai_buf_chr(&text, '"');
		from = r->swaps[i].was.s.p + r->swaps[i].was.s.n;
	}
	ai_buf_add(&text, from, (size_t)(end - from));
	rc = ai_buf_check(&text, "the workflow", r->err);
	if (rc == 0)
		rc = ai_json_check(text.p, text.len, &v, r->err);
	if (rc == 0)
		agent_json_compact(v, &kept);
	if (rc == 0)
		rc = ai_buf_check(&kept, "the workflow", r->err);
	if (rc == 0)
		r->f->json = ai_buf_take(&kept);
	ai_buf_release(&text);
	ai_buf_release(&kept);
	return rc;
}

static int read_root(struct flow_reader *r)
{
	if (flow_check_doubles(r) < 0 || flow_check_shape(r) < 0 ||
	    read_head(r) < 0 || read_agents(r) < 0 || read_manager(r) < 0)
		return -1;
	if (flow_read_tasks(r, ai_json_member(r->root, AI_SPAN("tasks"))) < 0)
		return -1;
	return read_output(r) < 0 || flow_sort(r) < 0 ? -1 : keep_json(r);
}

/* As much of it as comes before that. */
static size_t until(const char *msg, const char *part)
{
	const char *p = strstr(msg, part);

	return p == NULL ? strlen(msg) : (size_t)(p - msg);
}

static int parse(struct flow *f, char *text, size_t n, const char *name,
		 const char *dir, bool look, struct ai_err *err)
{
	struct flow_reader r = { .f = f, .text = text, .dir = dir, .err = err,
				 .place = AI_BUF_INIT(65536), .look = look,
				 .task = FLOW_NONE };
	struct ai_err why;
	int rc;

	memset(f, 0, sizeof *f);
	f->manager = FLOW_NONE;
	f->path = strdup(name);
	if (f->path == NULL)
		return ai_err_nomem(err);
	ai_json_blank_comments(text, n);
	if (ai_json_check(text, n, &r.root, &why) < 0)
		rc = flow_refuse(&r, r.root, "%.*s", (int)until(why.msg,
				 " at byte "), why.msg);
	else
		rc = read_root(&r);
	ai_buf_release(&r.place);
	free(r.raw);
	free(r.rows);
	for (size_t i = 0; i < r.n_swaps; i++)
		free(r.swaps[i].now);
	free(r.swaps);
	free(r.needs);
	free(r.seen);
	return rc;
}

int flow_parse(struct flow *f, char *text, size_t n, const char *name,
	       const char *dir, struct ai_err *err)
{
	return parse(f, text, n, name, dir, false, err);
}

int flow_read(struct flow *f, const char *path, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(FLOW_FILE_MAX);
	char *real = realpath(path, NULL), *slash;
	int fd = real == NULL ? -1 : open(real, O_RDONLY | O_CLOEXEC), rc = -1;

	memset(f, 0, sizeof *f);
	if (fd < 0) {
		ai_err_sys(err, AI_E_OPEN, errno, "cannot open the workflow "
			   "'%.200s'", path);
	} else if (ai_buf_read(&text, fd) < 0) {
		if (ai_buf_check(&text, "the workflow", err) == 0)
			ai_err_sys(err, AI_E_OPEN, errno, "cannot read the "
				   "workflow '%.200s'", path);
	} else {
		slash = strrchr(real, '/');
		slash[slash == real] = '\0';
		ai_buf_add(&text, "", 0);
		rc = parse(f, text.p, text.len, path, real, true, err);
	}
	if (fd >= 0)
		close(fd);
	free(real);
	ai_buf_release(&text);
	return rc;
}
