/* read.c: what every part of a workflow file is read with. */
#include "flow/int.h"
#include "place.h"

#include "record/comment.h"

#include "tool/args.h"
#include "limit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* ---- places -------------------------------------------------------------------- */

size_t flow_column(const char *text, size_t at)
{
	size_t n = 1;

	for (; at > 0 && text[at - 1] != '\n'; at--)
		n += ((unsigned char)text[at - 1] & 0xC0) != 0x80;
	return n;
}

int flow_refuse(struct flow_reader *r, struct ai_value v, const char *fmt, ...)
{
	size_t at = v.s.p == NULL ? 0 : (size_t)(v.s.p - r->text);
	const char *place = ai_buf_cstr(&r->place);
	char what[260];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (r->place.bad == AI_E_MEMORY)
		return ai_err_nomem(r->err);
	return ai_err_set(r->err, AI_E_CONFIG, "%.80s:%zu:%zu: %.120s%s%s",
			  r->f->path, ai_json_line(r->text, at),
			  flow_column(r->text, at), place,
			  place[0] == '\0' ? "" : ": ", what);
}

size_t flow_down(struct flow_reader *r, const char *name)
{
	size_t was = r->place.len;

	ai_buf_fmt(&r->place, "%s%.80s", was > 0 ? "." : "", name);
	return was;
}

size_t flow_down_n(struct flow_reader *r, size_t n)
{
	size_t was = r->place.len;

	ai_buf_fmt(&r->place, "%s%zu", was > 0 ? "." : "", n);
	return was;
}

void flow_up(struct flow_reader *r, size_t was)
{
	if (r->place.p == NULL)
		return;
	r->place.len = was;
	r->place.p[was] = '\0';
}

int flow_refuse_inside(struct flow_reader *r, struct ai_value v,
		       const char *msg)
{
	const char *cut = strstr(msg, ": ");

	if (cut == NULL)
		return flow_refuse(r, v, "%s", msg);
	ai_buf_fmt(&r->place, "%s%.*s", r->place.len > 0 ? "." : "",
		   (int)(cut - msg), msg);
	return flow_refuse(r, agent_place_of(v, msg), "%s", cut + 2);
}

/* ---- texts and paths ----------------------------------------------------------- */

int flow_take_text(struct flow_reader *r, struct ai_value v, char **to)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);
	int rc;

	if (v.kind == AI_NONE)
		return 0;
	ai_json_text(v, &b);
	ai_buf_add(&b, "", 0);
	rc = ai_buf_check(&b, "a text", r->err);
	if (rc == 0 && memchr(b.p, '\0', b.len) != NULL)
		rc = flow_refuse(r, v, "a NUL cannot be in it");
	if (rc == 0)
		*to = ai_buf_take(&b);
	ai_buf_release(&b);
	return rc;
}

int flow_take_json(struct flow_reader *r, struct ai_value v, char **to)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);
	int rc;

	agent_json_compact(v, &b);
	rc = ai_buf_check(&b, "a value", r->err);
	if (rc == 0)
		*to = ai_buf_take(&b);
	ai_buf_release(&b);
	return rc;
}

static int add_swap(struct flow_reader *r, struct ai_value was, const char *now)
{
	struct flow_swap *more;

	if (r->n_swaps == r->cap_swaps) {
		more = reallocarray(r->swaps, r->cap_swaps * 2 + 16,
				    sizeof *more);
		if (more == NULL)
			return ai_err_nomem(r->err);
		r->swaps = more;
		r->cap_swaps = r->cap_swaps * 2 + 16;
	}
	more = &r->swaps[r->n_swaps];
	*more = (struct flow_swap){ was, strdup(now) };
	if (more->now == NULL)
		return ai_err_nomem(r->err);
	r->n_swaps++;
	return 0;
}

static int look_for(struct flow_reader *r, struct ai_value v,
		    enum flow_path what, const char *path)
{
	static const int modes[] = {
		[FLOW_PATH_FILE] = R_OK, [FLOW_PATH_FOLDER] = X_OK,
		[FLOW_PATH_PROGRAM] = X_OK,
	};
	struct ai_err why;
	struct stat st;

	if (!r->look || what == FLOW_PATH_ANY)
		return 0;
	if (stat(path, &st) < 0 || access(path, modes[what]) < 0) {
		ai_err_sys(&why, AI_E_OPEN, errno, "cannot use '%.120s'",
			   path);
		return flow_refuse(r, v, "%s", why.msg);
	}
	if (S_ISDIR(st.st_mode) != (what == FLOW_PATH_FOLDER))
		return flow_refuse(r, v, "'%.120s' is %s folder", path,
				   what == FLOW_PATH_FOLDER ? "no" : "a");
	return 0;
}

/* A text that is a path as an absolute one. */
static int settle_path(struct flow_reader *r, struct ai_value v,
		       enum flow_path what, char **text)
{
	struct ai_buf path = AI_BUF_INIT(2 * PATH_BYTES);
	int rc;

	if ((*text)[0] != '/')
		ai_buf_fmt(&path, "%s%s", r->dir,
			   r->dir[strlen(r->dir) - 1] == '/' ? "" : "/");
	ai_buf_str(&path, *text);
	rc = ai_buf_check(&path, "a path", r->err);
	if (rc == 0 && path.len >= PATH_BYTES)
		rc = flow_refuse(r, v, "the path is too long");
	if (rc == 0) {
		free(*text);
		*text = ai_buf_take(&path);
		rc = look_for(r, v, what, *text);
	}
	if (rc == 0)
		rc = add_swap(r, v, *text);
	ai_buf_release(&path);
	return rc;
}

int flow_take_path(struct flow_reader *r, struct ai_value v,
		   enum flow_path what, char **to)
{
	if (v.kind == AI_NONE)
		return 0;
	return flow_take_text(r, v, to) < 0 ? -1 : settle_path(r, v, what, to);
}

static bool is_program(const char *path)
{
	struct stat st;

	return access(path, X_OK) == 0 && stat(path, &st) == 0 &&
		S_ISREG(st.st_mode);
}

bool flow_has_program(const char *name)
{
	const char *p = getenv("PATH"), *end;
	char path[PATH_BYTES];

	if (strchr(name, '/') != NULL)
		return is_program(name);
	for (p = p != NULL ? p : "/usr/bin:/bin"; *p != '\0';
	     p = *end == '\0' ? end : end + 1) {
		end = strchrnul(p, ':');
		snprintf(path, sizeof path, "%.*s/%s", (int)(end - p), p, name);
		if (end > p && is_program(path))
			return true;
	}
	return false;
}

enum take { TEXTS, PATHS, COMMAND };

static int take_element(struct flow_reader *r, struct ai_value v, bool path,
			bool program, struct agent_strings *to)
{
	char *text = NULL;
	int rc = flow_take_text(r, v, &text);

	if (rc == 0 && (path || (program && strchr(text, '/') != NULL)))
		rc = settle_path(r, v, path ? FLOW_PATH_FILE :
				 FLOW_PATH_PROGRAM, &text);
	if (rc == 0 && program && text[0] == '\0')
		rc = flow_refuse(r, v, "the program has no name");
	if (rc == 0 && program && r->look && !flow_has_program(text))
		rc = flow_refuse(r, v, "program '%.120s' not found", text);
	if (rc == 0)
		rc = agent_strings_add(to, ai_span_of(text), r->err);
	free(text);
	return rc;
}

static int take_list(struct flow_reader *r, struct ai_value list,
		     enum take how, struct agent_strings *to)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0, was;
	int rc = 0;

	if (list.kind == AI_NONE)
		return 0;
	ai_json_iter_init(&it, list);
	for (; rc == 0 && ai_json_next(&it, NULL, &v); n++) {
		was = flow_down_n(r, n);
		rc = take_element(r, v, how == PATHS, how == COMMAND && n == 0,
				  to);
		if (rc == 0)
			flow_up(r, was);
	}
	return rc;
}

int flow_take_strings(struct flow_reader *r, struct ai_value list,
		      struct agent_strings *to)
{
	return take_list(r, list, TEXTS, to);
}

int flow_take_paths(struct flow_reader *r, struct ai_value list,
		    struct agent_strings *to)
{
	return take_list(r, list, PATHS, to);
}

int flow_take_command(struct flow_reader *r, struct ai_value list,
		      struct agent_strings *to)
{
	return take_list(r, list, COMMAND, to);
}

size_t flow_count(struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value inner;
	size_t n = 0;

	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &inner))
		n++;
	return n;
}

int64_t flow_take_i64(struct ai_value v, int64_t absent)
{
	int64_t n;

	return v.kind == AI_NUMBER && ai_json_i64(v, &n) == 0 ? n : absent;
}

/* ---- limits and schemas -------------------------------------------------------- */

/* "limits." begins what it says, as a record's are called. */
int flow_take_limits(struct flow_reader *r, struct ai_value v, char **to)
{
	static const char *const none[] = { "turns", "tokens", "seconds",
					    "output" };
	struct agent_limits limits;
	struct ai_err why;
	struct ai_value m;
	double n;

	if (v.kind == AI_NONE)
		return 0;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		m = ai_json_member(v, ai_span_of(none[i]));
		if (m.kind != AI_NUMBER || ai_json_f64(m, &n) < 0 || n > 0 ||
		    n < 0)
			continue;
		flow_down(r, none[i]);
		return flow_refuse(r, m, "with 0 of it nothing can be done");
	}
	if (agent_limits_take(&limits, v, &why) < 0)
		return flow_refuse_inside(r, v, strncmp(why.msg, "limits.", 7) == 0 ?
				     why.msg + 7 : why.msg);
	return flow_take_json(r, v, to);
}

int flow_take_schema(struct flow_reader *r, struct ai_value v,
		     struct ai_schema **schema, char **json)
{
	struct ai_value at = v;
	const char *what;
	struct ai_err why;

	if (v.kind == AI_NONE)
		return 0;
	if (flow_take_json(r, v, json) < 0)
		return -1;
	if (ai_schema_new(schema, *json, strlen(*json), &why) < 0)
		return why.code == AI_E_MEMORY ? ai_err_nomem(r->err) :
			flow_refuse_inside(r, v, why.msg);
	if (!flow_schema_can(v, &at, &r->place, &what))
		return flow_refuse(r, at, "nothing satisfies it: %s", what);
	return 0;
}

/* ---- names --------------------------------------------------------------------- */

static int refuse_name(struct flow_reader *r, struct ai_value v,
		       const char *kind, const char *name, const char *near)
{
	if (near != NULL)
		return flow_refuse(r, v, "no %s is named '%.64s'; is it "
				   "'%s'?", kind, name, near);
	return flow_refuse(r, v, "no %s is named '%.64s'", kind, name);
}

size_t flow_find_agent(const struct flow *f, struct ai_span name)
{
	for (size_t i = 0; i < f->n_agents; i++)
		if (ai_span_is(name, f->agents[i].name))
			return i;
	return FLOW_NONE;
}

size_t flow_find_task(const struct flow *f, struct ai_span name)
{
	for (size_t i = 0; i < f->n_tasks; i++)
		if (ai_span_is(name, f->tasks[i].name))
			return i;
	return FLOW_NONE;
}

static const char *near_agent(const struct flow *f, const char *name)
{
	const char *names[FLOW_AGENTS_MAX];

	for (size_t i = 0; i < f->n_agents; i++)
		names[i] = f->agents[i].name;
	return ai_nearest(name, names, f->n_agents);
}

int flow_take_agent(struct flow_reader *r, struct ai_value v, size_t *to)
{
	char *name = NULL;
	int rc = 0;

	if (v.kind == AI_NONE)
		return 0;
	if (flow_take_text(r, v, &name) < 0)
		return -1;
	*to = flow_find_agent(r->f, ai_span_of(name));
	if (*to == FLOW_NONE)
		rc = refuse_name(r, v, "agent", name,
				 near_agent(r->f, name));
	free(name);
	return rc;
}

int flow_take_agents(struct flow_reader *r, struct ai_value list, size_t **to,
		     size_t *n)
{
	bool seen[FLOW_AGENTS_MAX] = { false };
	struct ai_json_iter it;
	struct ai_value v;
	size_t was;

	if (list.kind == AI_NONE)
		return 0;
	*to = calloc(flow_count(list) + 1, sizeof **to);
	if (*to == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &v); ++*n) {
		was = flow_down_n(r, *n);
		if (*n == FLOW_AGENTS_MAX)
			return flow_refuse(r, v, "more than %d", FLOW_AGENTS_MAX);
		if (flow_take_agent(r, v, &(*to)[*n]) < 0)
			return -1;
		if (seen[(*to)[*n]])
			return flow_refuse(r, v, "'%s' stands there twice",
					   r->f->agents[(*to)[*n]].name);
		seen[(*to)[*n]] = true;
		flow_up(r, was);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct flow_row *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n == 0 ? 0 : memcmp(x->name.p, y->name.p, n);

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

void flow_rows_sort(struct flow_reader *r)
{
	qsort(r->rows, r->f->n_tasks, sizeof *r->rows, compare);
}

size_t flow_row_find(const struct flow_reader *r, struct ai_span name)
{
	const struct flow_row key = { name, 0 }, *row;

	if (r->f->n_tasks == 0)
		return FLOW_NONE;
	row = bsearch(&key, r->rows, r->f->n_tasks, sizeof *row, compare);
	return row == NULL ? FLOW_NONE : row->at;
}

const char *flow_row_near(const struct flow_reader *r, const char *name,
			  const char *best)
{
	const char *two[2];

	for (size_t i = 0; i < r->f->n_tasks; i++) {
		if (i == r->task)
			continue;
		two[0] = best;
		two[1] = r->f->tasks[i].name;
		best = ai_nearest(name, best == NULL ? &two[1] : two,
				  best == NULL ? 1 : 2);
	}
	return best;
}

int flow_take_task(struct flow_reader *r, struct ai_value v, size_t *to)
{
	char *name = NULL;
	int rc = 0;

	if (flow_take_text(r, v, &name) < 0)
		return -1;
	*to = flow_row_find(r, ai_span_of(name));
	if (*to == FLOW_NONE)
		rc = refuse_name(r, v, "task", name, flow_row_near(r, name, NULL));
	free(name);
	return rc;
}

int flow_need(struct flow_reader *r, size_t task)
{
	size_t *more;

	if (r->seen[task] == r->task + 1)
		return 0;
	if (r->n_needs == r->cap_needs) {
		more = reallocarray(r->needs, r->cap_needs * 2 + 16,
				    sizeof *more);
		if (more == NULL)
			return ai_err_nomem(r->err);
		r->needs = more;
		r->cap_needs = r->cap_needs * 2 + 16;
	}
	r->seen[task] = r->task + 1;
	r->needs[r->n_needs++] = task;
	return 0;
}
