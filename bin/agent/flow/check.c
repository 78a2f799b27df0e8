/* check.c: what is wrong with a workflow as a whole: members that stand
 * there twice, another shape than the schema's, tasks that need each other,
 * inputs that lack what texts name. */
#include "flow/int.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_MAX ((size_t)1 << 20)
#define SAID 8 /* tasks of a cycle that are named */

/* ---- doubles ------------------------------------------------------------------- */

struct key {
	struct ai_span name;   /* decoded */
	char *own;             /* owned: it had escapes; or NULL */
	struct ai_value as;    /* as it stands there */
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n == 0 ? 0 : memcmp(x->name.p, y->name.p, n);

	if (c == 0)
		c = (x->name.n > y->name.n) - (x->name.n < y->name.n);
	return c != 0 ? c : (x->as.s.p > y->as.s.p) - (x->as.s.p < y->as.s.p);
}

static int take_key(struct flow_reader *r, struct ai_value as, struct key *key)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);

	*key = (struct key){ ai_json_inside(as), NULL, as };
	if (key->name.n == 0 ||
	    memchr(key->name.p, '\\', key->name.n) == NULL)
		return 0;
	ai_json_text(as, &b);
	ai_buf_add(&b, "", 0);
	if (ai_buf_check(&b, "a name", r->err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	key->name.n = b.len;
	key->name.p = key->own = ai_buf_take(&b);
	return 0;
}

/* The first of the second ones, as they stand in the file. */
static int refuse_double(struct flow_reader *r, const struct key *keys, size_t n)
{
	const struct key *found = NULL;

	for (size_t i = 1; i < n; i++)
		if (ai_span_eq(keys[i].name, keys[i - 1].name) &&
		    (found == NULL || keys[i].as.s.p < found->as.s.p))
			found = &keys[i];
	return found == NULL ? 0 :
		flow_refuse(r, found->as, "'%.*s' stands there twice",
			    (int)(found->name.n > 64 ? 64 : found->name.n),
			    found->name.p);
}

static int check_object(struct flow_reader *r, struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value key, inner;
	struct key *keys;
	size_t n = flow_count(v), got = 0;
	int rc = 0;

	if (n < 2)
		return 0;
	keys = calloc(n, sizeof *keys);
	if (keys == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, v);
	for (; rc == 0 && ai_json_next(&it, &key, &inner); got++)
		rc = take_key(r, key, &keys[got]);
	if (rc == 0) {
		qsort(keys, n, sizeof *keys, compare_keys);
		rc = refuse_double(r, keys, n);
	}
	for (size_t i = 0; i < got; i++)
		free(keys[i].own);
	free(keys);
	return rc;
}

static size_t down(struct flow_reader *r, struct ai_value key, size_t n)
{
	size_t was = r->place.len;
	struct ai_span name = ai_json_inside(key);

	if (key.kind == AI_NONE)
		return flow_down_n(r, n);
	ai_buf_fmt(&r->place, "%s%.*s", was > 0 ? "." : "",
		   (int)(name.n > 80 ? 80 : name.n), name.p);
	return was;
}

static int check_doubles(struct flow_reader *r, struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value key, inner;
	size_t n = 0, was;

	if (v.kind == AI_OBJECT && check_object(r, v) < 0)
		return -1;
	ai_json_iter_init(&it, v);
	for (; ai_json_next(&it, &key, &inner); n++) {
		if (inner.kind != AI_OBJECT && inner.kind != AI_ARRAY)
			continue;
		was = down(r, key, n);
		if (check_doubles(r, inner) < 0)
			return -1;
		flow_up(r, was);
	}
	return 0;
}

int flow_check_doubles(struct flow_reader *r)
{
	return check_doubles(r, r->root);
}

/* ---- shape --------------------------------------------------------------------- */

static int read_data(const char *name, struct ai_buf *b, struct ai_err *err)
{
	char *path = NULL;
	int fd, rc = 0;

	if (ai_path_data(name, &path, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ai_buf_read(b, fd) < 0)
		rc = ai_err_sys(err, AI_E_CONFIG, errno, "cannot read '%.200s'",
				path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int check_value(struct flow_reader *r, const struct ai_schema *schema,
		       struct ai_value v, struct ai_span text)
{
	struct ai_err why;

	if (ai_schema_check(schema, text.p, text.n, &why) == 0)
		return 0;
	return why.code == AI_E_MEMORY ? ai_err_nomem(r->err) :
		flow_refuse_inside(r, v, why.msg);
}

/* The file with an empty object for each task. */
static void put_frame(const struct flow_reader *r, struct ai_buf *out)
{
	struct ai_json_iter it, tasks;
	struct ai_value key, v, name, inner;

	ai_put_open(out, '{');
	ai_json_iter_init(&it, r->root);
	while (ai_json_next(&it, &key, &v)) {
		ai_put_value(out, key);
		ai_buf_chr(out, ':');
		if (!ai_json_is(key, AI_SPAN("tasks")) ||
		    v.kind != AI_OBJECT) {
			ai_buf_add(out, v.s.p, v.s.n);
			continue;
		}
		ai_buf_chr(out, '{');
		ai_json_iter_init(&tasks, v);
		while (ai_json_next(&tasks, &name, &inner)) {
			ai_put_value(out, name);
			ai_buf_chr(out, ':');
			if (inner.kind == AI_OBJECT)
				inner.s = AI_SPAN("{}");
			ai_buf_add(out, inner.s.p, inner.s.n);
		}
		ai_buf_chr(out, '}');
	}
	ai_put_close(out, '}');
}

/* Each task on its own: a schema looks at no more than so many values. */
static int check_tasks(struct flow_reader *r, const struct ai_schema *schema)
{
	struct ai_value key, v;
	struct ai_json_iter it;
	size_t was;

	ai_json_iter_init(&it, ai_json_member(r->root, AI_SPAN("tasks")));
	while (ai_json_next(&it, &key, &v)) {
		was = flow_down(r, "tasks");
		down(r, key, 0);
		if (check_value(r, schema, v, v.s) < 0)
			return -1;
		flow_up(r, was);
	}
	return 0;
}

/* That of a task is the definition of that name. */
static int task_schema(const struct ai_buf *whole, struct ai_schema **schema,
		       struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SCHEMA_MAX);
	struct ai_value v;
	int rc;

	ai_json_check(whole->p, whole->len, &v, NULL);
	ai_buf_str(&b, "{\"$ref\":\"#/$defs/task\",\"$defs\":");
	v = ai_json_member(v, AI_SPAN("$defs"));
	ai_buf_add(&b, v.s.p, v.s.n);
	ai_buf_chr(&b, '}');
	rc = ai_buf_check(&b, "the schema", err);
	if (rc == 0)
		rc = ai_schema_new_unchecked(schema, b.p, b.len, err);
	ai_buf_release(&b);
	return rc;
}

int flow_check_shape(struct flow_reader *r)
{
	struct ai_buf b = AI_BUF_INIT(SCHEMA_MAX),
		frame = AI_BUF_INIT(2 * FLOW_FILE_MAX);
	struct ai_schema *whole = NULL, *task = NULL;
	int rc = read_data("schema/flow.json", &b, r->err);

	if (rc == 0)
		rc = ai_schema_new_unchecked(&whole, b.p, b.len, r->err);
	if (rc == 0)
		rc = task_schema(&b, &task, r->err);
	if (rc == 0 && r->root.kind == AI_OBJECT) {
		put_frame(r, &frame);
		rc = ai_buf_check(&frame, "the workflow", r->err);
		if (rc == 0)
			rc = check_value(r, whole, r->root, (struct ai_span){
					 frame.p, frame.len });
	} else if (rc == 0) {
		rc = check_value(r, whole, r->root, r->root.s);
	}
	if (rc == 0)
		rc = check_tasks(r, task);
	ai_schema_free(whole);
	ai_schema_free(task);
	ai_buf_release(&b);
	ai_buf_release(&frame);
	return rc;
}

/* ---- order --------------------------------------------------------------------- */

/*
 * Tasks become ready when what they need is in order; of those that are ready
 * the first of the file is taken (a heap).  What is left needs itself.
 */
struct sorter {
	const struct flow *f;
	size_t *missing;   /* of each task: needs that are not in order yet */
	size_t *first;     /* of each: where those that need it begin in users */
	size_t *users;
	size_t *heap, n_heap;
	size_t *order, n;
};

static void push(struct sorter *s, size_t task)
{
	size_t i = s->n_heap++, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (s->heap[up] <= task)
			break;
		s->heap[i] = s->heap[up];
	}
	s->heap[i] = task;
}

static size_t pop(struct sorter *s)
{
	size_t top = s->heap[0], last = s->heap[--s->n_heap], i = 0, down;

	for (;; i = down) {
		down = 2 * i + 1;
		if (down >= s->n_heap)
			break;
		if (down + 1 < s->n_heap && s->heap[down + 1] < s->heap[down])
			down++;
		if (s->heap[down] >= last)
			break;
		s->heap[i] = s->heap[down];
	}
	s->heap[i] = last;
	return top;
}

static void find_users(struct sorter *s)
{
	const struct flow *f = s->f;
	size_t sum = 0, n;

	for (size_t i = 0; i < f->n_tasks; i++)
		for (size_t k = 0; k < f->tasks[i].n_needs; k++)
			s->first[f->tasks[i].needs[k]]++;
	for (size_t i = 0; i <= f->n_tasks; i++) {
		n = s->first[i];
		s->first[i] = sum;
		sum += n;
	}
	/* Filled from the back, so that each ends where the next begins. */
	for (size_t i = 0; i < f->n_tasks; i++) {
		s->missing[i] = f->tasks[i].n_needs;
		for (size_t k = 0; k < f->tasks[i].n_needs; k++)
			s->users[s->first[f->tasks[i].needs[k]]++] = i;
	}
	for (size_t i = f->n_tasks; i > 0; i--)
		s->first[i] = s->first[i - 1];
	s->first[0] = 0;
}

static void sort_tasks(struct sorter *s)
{
	size_t task;

	find_users(s);
	for (size_t i = 0; i < s->f->n_tasks; i++)
		if (s->missing[i] == 0)
			push(s, i);
	while (s->n_heap > 0) {
		task = pop(s);
		s->order[s->n++] = task;
		for (size_t k = s->first[task]; k < s->first[task + 1]; k++)
			if (--s->missing[s->users[k]] == 0)
				push(s, s->users[k]);
	}
}

/* From any task that is left, its needs that are left lead into a cycle. */
static int refuse_cycle(struct flow_reader *r, const struct sorter *s)
{
	const struct flow_task *t = s->f->tasks;
	struct ai_buf said = AI_BUF_INIT(4096);
	size_t at = 0, start = 0, n = 0;
	int rc;

	while (s->missing[at] == 0)
		at++;
	/* As many steps as there are tasks end within it. */
	for (size_t i = 0; i < 2 * s->f->n_tasks; i++) {
		size_t k = 0;

		while (s->missing[t[at].needs[k]] == 0)
			k++;
		if (i == s->f->n_tasks)
			start = at;
		if (i >= s->f->n_tasks) {
			n++;
			if (n <= SAID)
				ai_buf_fmt(&said, "%s'%s'", n == 1 ? "it needs " :
					   ", which needs ",
					   t[t[at].needs[k]].name);
		}
		at = t[at].needs[k];
		if (i >= s->f->n_tasks && at == start)
			break;
	}
	flow_down(r, "tasks");
	flow_down(r, t[at].name);
	rc = flow_refuse(r, r->raw[at].v, "%s%s: none of them can be the first",
			 ai_buf_cstr(&said), n > SAID ? ", and so on" : "");
	ai_buf_release(&said);
	return rc;
}

/* As they stand, one after the other. */
static int check_sequence(struct flow_reader *r)
{
	const struct flow *f = r->f;
	size_t need;

	for (size_t i = 0; i < f->n_tasks; i++)
		for (size_t k = 0; k < f->tasks[i].n_needs; k++) {
			need = f->tasks[i].needs[k];
			if (need < i)
				continue;
			flow_down(r, "tasks");
			flow_down(r, f->tasks[i].name);
			return flow_refuse(r, r->raw[i].v, "it needs '%s', which "
					   "stands behind it: with \"process\": "
					   "\"sequential\" they run as they "
					   "stand", f->tasks[need].name);
		}
	return 0;
}

int flow_sort(struct flow_reader *r)
{
	struct flow *f = r->f;
	size_t n = f->n_tasks + 1, edges = 1;
	struct sorter s = { .f = f };
	int rc = 0;

	if (f->process == FLOW_SEQUENTIAL && check_sequence(r) < 0)
		return -1;
	for (size_t i = 0; i < f->n_tasks; i++)
		edges += f->tasks[i].n_needs;
	s.missing = calloc(n, sizeof *s.missing);
	s.first = calloc(n, sizeof *s.first);
	s.users = calloc(edges, sizeof *s.users);
	s.heap = calloc(n, sizeof *s.heap);
	s.order = f->order = calloc(n, sizeof *f->order);
	if (s.missing == NULL || s.first == NULL || s.users == NULL ||
	    s.heap == NULL || s.order == NULL) {
		rc = ai_err_nomem(r->err);
	} else {
		sort_tasks(&s);
		if (s.n < f->n_tasks)
			rc = refuse_cycle(r, &s);
	}
	free(s.missing);
	free(s.first);
	free(s.users);
	free(s.heap);
	return rc;
}

/* ---- inputs -------------------------------------------------------------------- */

/* What a text names of the input is there. */
static int check_named(const struct flow *f, const struct flow_task *t,
		       const char *what, const struct flow_text *text,
		       struct ai_value input, struct ai_err *err)
{
	const struct flow_piece *p;

	for (size_t i = 0; i < text->n; i++) {
		p = &text->v[i];
		if (p->what != FLOW_INPUT ||
		    ai_json_get(input, p->path).kind != AI_NONE)
			continue;
		return ai_err_set(err, AI_E_RECORD, "input.%.80s: it is "
				  "missing; tasks.%s.%s (%.80s:%d) names it",
				  p->path, t->name, what, f->path, t->line);
	}
	return 0;
}

/* A list of the input that a task goes over is one, and not too long. */
static int check_list(const struct flow *f, const struct flow_task *t,
		      struct ai_value input, struct ai_err *err)
{
	const struct flow_piece *p = t->over.n == 0 ? NULL : &t->over.v[0];
	struct ai_value v;
	const char *dot;
	size_t n;

	if (p == NULL || p->what != FLOW_INPUT)
		return 0;
	dot = p->path[0] == '\0' ? "" : ".";
	v = ai_json_get(input, p->path);
	if (v.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD, "input%s%.80s: it is no "
				  "list; tasks.%s.map.over (%.80s:%d) goes over "
				  "it", dot, p->path, t->name, f->path,
				  t->line);
	n = flow_count(v);
	return n <= (size_t)t->map_max ? 0 :
		ai_err_set(err, AI_E_RECORD, "input%s%.80s: it has %zu "
			   "elements; tasks.%s.map (%.80s:%d) allows %lld", dot,
			   p->path, n, t->name, f->path, t->line,
			   (long long)t->map_max);
}

static int check_schema(const struct flow *f, struct ai_value input,
			struct ai_err *err)
{
	struct ai_err why;
	bool place;

	if (f->input == NULL ||
	    ai_schema_check(f->input, input.s.p, input.s.n, &why) == 0)
		return 0;
	place = strstr(why.msg, ": ") != NULL;
	return ai_err_set(err, why.code, "input%s%.300s", place ? "." : ": ",
			  why.msg);
}

int flow_check_input(const struct flow *f, struct ai_value input,
		     struct ai_err *err)
{
	if (f->n_tasks == 0)
		return ai_err_set(err, AI_E_CONFIG, "%.80s: tasks: there are "
				  "none, so there is nothing to do", f->path);
	if (check_schema(f, input, err) < 0)
		return -1;
	/* What a task does only under a condition it may name all the same, and
	 * what a schema lets be missing, too. */
	for (size_t i = 0; i < f->n_tasks; i++) {
		const struct flow_task *t = &f->tasks[i];

		if (t->when != NULL)
			continue;
		if (f->input == NULL &&
		    (check_named(f, t, "description", &t->description, input,
				 err) < 0 ||
		     check_named(f, t, "map.over", &t->over, input, err) < 0))
			return -1;
		if (check_list(f, t, input, err) < 0)
			return -1;
	}
	return 0;
}
