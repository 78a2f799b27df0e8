/* text.c: texts with placeholders: read, and filled in. */
#include "flow/int.h"

#include "tool/args.h"

#include <stdlib.h>
#include <string.h>

enum path { PATH_NONE, PATH_MAY, PATH_MUST };

static const struct {
	const char *name;
	enum path path;
	const char *where; /* it is known */
} names[] = {
	[FLOW_INPUT] = { "input", PATH_MAY, "everywhere" },
	[FLOW_NOTES] = { "notes", PATH_MUST, "everywhere" },
	[FLOW_ROUND] = { "round", PATH_NONE, "in tasks with a loop" },
	[FLOW_LAST] = { "last", PATH_MAY, "in tasks with a loop" },
	[FLOW_ITEM] = { "item", PATH_MAY, "in tasks with a map" },
	[FLOW_INDEX] = { "index", PATH_NONE, "in tasks with a map" },
	[FLOW_MESSAGE] = { "message", PATH_NONE, "in chats" },
	[FLOW_SPEAKER] = { "speaker", PATH_NONE, "in chats" },
	[FLOW_MESSAGES] = { "messages", PATH_NONE, "in chats" },
	[FLOW_TRANSCRIPT] = { "transcript", PATH_NONE, "in chats" },
	[FLOW_USD] = { "usd", PATH_NONE, "in the 'until' of a chat" },
	[FLOW_TOKENS] = { "tokens", PATH_NONE, "in the 'until' of a chat" },
	[FLOW_SECONDS] = { "seconds", PATH_NONE, "in the 'until' of a chat" },
	[FLOW_OUTPUT] = { "output", PATH_MAY, "in guardrails and in the "
					      "'until' of a loop" },
};

#define NAMES (sizeof names / sizeof names[0])

enum flow_name flow_name_of(struct ai_span name)
{
	for (size_t i = FLOW_INPUT; i < NAMES; i++)
		if (ai_span_is(name, names[i].name))
			return (enum flow_name)i;
	return FLOW_TASK;
}

/* ---- reading ------------------------------------------------------------------- */

void flow_text_release(struct flow_text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].text);
		free(t->v[i].name);
		free(t->v[i].path);
	}
	free(t->v);
	memset(t, 0, sizeof *t);
}

static struct flow_piece *add_piece(struct flow_reader *r, struct flow_text *t)
{
	struct flow_piece *more;

	/* Doubled where the number is a power of two. */
	if ((t->n & (t->n - 1)) == 0) {
		more = reallocarray(t->v, t->n == 0 ? 1 : 2 * t->n,
				    sizeof *more);
		if (more == NULL) {
			ai_err_nomem(r->err);
			return NULL;
		}
		t->v = more;
	}
	more = &t->v[t->n++];
	memset(more, 0, sizeof *more);
	more->task = FLOW_NONE;
	return more;
}

static int fill_piece(struct flow_reader *r, struct flow_piece *p,
		      struct ai_span name, struct ai_span path)
{
	p->name = ai_span_dup(name);
	p->path = ai_span_dup(path);
	return p->name == NULL || p->path == NULL ? ai_err_nomem(r->err) : 0;
}

int flow_text_of(struct flow_reader *r, enum flow_name what,
		 struct flow_text *t)
{
	struct flow_piece *p = add_piece(r, t);

	if (p == NULL)
		return -1;
	p->what = what;
	return fill_piece(r, p, ai_span_of(names[what].name), AI_SPAN(""));
}

/* The schema, if there is one, has something at the path. */
static int check_path(struct flow_reader *r, struct ai_value v,
		      const struct flow_piece *p, struct ai_value schema)
{
	struct ai_buf why = AI_BUF_INIT(200);
	int rc = 0;

	if (schema.kind != AI_NONE &&
	    !flow_schema_has(schema, p->path, &why))
		rc = flow_refuse(r, v, "{{%s.%.60s}}: %s", p->name, p->path,
				 ai_buf_cstr(&why));
	ai_buf_release(&why);
	return rc;
}

/* The path below the number of an item, which begins one into a map's list.
 * NULL: it is no number. */
static const char *below_item(const char *path)
{
	size_t n = strspn(path, "0123456789");

	if (n == 0 || (path[n] != '\0' && path[n] != '.'))
		return NULL;
	return path + n + (path[n] == '.');
}

/* What a task gives has a path only if its schema says so. */
static int check_output(struct flow_reader *r, struct ai_value v,
			const struct flow_piece *p, size_t task, bool map)
{
	const struct flow_raw *raw = &r->raw[task];
	struct flow_piece inner = *p;
	const char *below = p->path;

	if (map) {
		below = below_item(p->path);
		if (below == NULL)
			return flow_refuse(r, v, "{{%s.%.60s}}: '%s' is done "
					   "for each item and gives a list: a "
					   "number must come first", p->name,
					   p->path, r->f->tasks[task].name);
	}
	if (below[0] == '\0')
		return 0;
	if (raw->schema.kind == AI_NONE)
		return flow_refuse(r, v, "{{%s.%.60s}}: task '%s' has no "
				   "schema, so what it gives is a text", p->name,
				   p->path, r->f->tasks[task].name);
	inner.path = (char *)below;
	return check_path(r, v, &inner, raw->schema);
}

/* The nearest of what is known here. */
static int refuse_name(struct flow_reader *r, struct ai_value v,
		       const char *name)
{
	const char *known[NAMES], *near;
	size_t n = 0;

	for (size_t i = FLOW_INPUT; i < NAMES; i++)
		if ((r->known & FLOW_BIT(i)) != 0)
			known[n++] = names[i].name;
	near = flow_row_near(r, name, ai_nearest(name, known, n));
	return near == NULL ?
		flow_refuse(r, v, "{{%.64s}}: there is no task and nothing "
			    "else of this name", name) :
		flow_refuse(r, v, "{{%.64s}}: there is no task and nothing "
			    "else of this name; is it '%s'?", name, near);
}

static int settle_task(struct flow_reader *r, struct ai_value v,
		       struct flow_piece *p)
{
	p->what = FLOW_TASK;
	p->task = flow_row_find(r, ai_span_of(p->name));
	if (p->task == FLOW_NONE)
		return refuse_name(r, v, p->name);
	/* FLOW_NONE: a text of the flow, not of a task. */
	if (r->task == p->task)
		return flow_refuse(r, v, "{{%s}}: the task names itself; in a "
				   "loop, {{last}} is what the round before "
				   "gave", p->name);
	if (r->task != FLOW_NONE && flow_need(r, p->task) < 0)
		return -1;
	return p->path[0] == '\0' ? 0 :
		check_output(r, v, p, p->task, r->raw[p->task].map);
}

static int settle_name(struct flow_reader *r, struct ai_value v,
		       struct flow_piece *p)
{
	p->what = flow_name_of(ai_span_of(p->name));
	if (p->what == FLOW_TASK)
		return settle_task(r, v, p);
	if ((r->known & FLOW_BIT(p->what)) == 0)
		return flow_refuse(r, v, "{{%s}} is known only %s", p->name,
				   names[p->what].where);
	if (p->path[0] == '\0')
		return names[p->what].path != PATH_MUST ? 0 :
			flow_refuse(r, v, "{{%s}}: its key is missing, as in "
				    "{{%s.plan}}", p->name, p->name);
	if (names[p->what].path == PATH_NONE)
		return flow_refuse(r, v, "{{%s.%.60s}}: there is nothing below "
				   "{{%s}}", p->name, p->path, p->name);
	if (p->what == FLOW_INPUT)
		return check_path(r, v, p, r->input);
	if (p->what == FLOW_LAST || p->what == FLOW_OUTPUT)
		return check_output(r, v, p, r->task, false);
	return 0;
}

static bool is_name(struct ai_span s)
{
	if (s.n == 0 || s.n >= FLOW_NAME)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "0123456789_-", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return true;
}

/* No step of a path is empty, and what has a brace was meant otherwise. */
static bool is_path(struct ai_span s)
{
	bool empty = true;

	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] == '.' && empty) || s.p[i] == '{')
			return false;
		empty = s.p[i] == '.';
		i += s.p[i] == '\\';
	}
	return !empty;
}

/* What stands between two pairs of braces. */
static int read_name(struct flow_reader *r, struct ai_value v,
		     struct ai_span s, struct flow_text *t)
{
	struct ai_span name, path = AI_SPAN("");
	struct flow_piece *p;
	const char *dot;

	while (s.n > 0 && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	name = s;
	dot = s.n == 0 ? NULL : memchr(s.p, '.', s.n);
	if (dot != NULL) {
		name.n = (size_t)(dot - s.p);
		path = (struct ai_span){ dot + 1, s.n - name.n - 1 };
	}
	if (!is_name(name) || (dot != NULL && !is_path(path)))
		return flow_refuse(r, v, "'{{%.*s}}' is no name; two braces "
				   "that are meant are written '{{{{'",
				   (int)(s.n > 60 ? 60 : s.n), s.p);
	p = add_piece(r, t);
	return p == NULL || fill_piece(r, p, name, path) < 0 ? -1 :
		settle_name(r, v, p);
}

static int read_literal(struct flow_reader *r, struct ai_buf *b,
			struct flow_text *t)
{
	struct flow_piece *p;

	if (ai_buf_check(b, "a text", r->err) < 0)
		return -1;
	if (b->len == 0)
		return 0;
	p = add_piece(r, t);
	if (p == NULL)
		return -1;
	p->text = ai_buf_take(b);
	return 0;
}

static int read_pieces(struct flow_reader *r, struct ai_value v,
		       struct ai_span s, struct flow_text *t)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);
	const char *p = s.p, *end = s.p + s.n, *close;
	size_t run;
	int rc = 0;

	while (rc == 0 && p < end) {
		for (run = 0; p + run < end && p[run] == '{'; run++)
			;
		if (run < 2 || run == 3) { /* of three the first stands alone */
			ai_buf_chr(&b, *p++);
		} else if (run >= 4) {
			ai_buf_str(&b, "{{");
			p += 4;
		} else if ((close = memmem(p, (size_t)(end - p), "}}", 2)) ==
			   NULL) {
			rc = flow_refuse(r, v, "'}}' is missing; two braces "
					 "that are meant are written '{{{{'");
		} else {
			rc = read_literal(r, &b, t);
			if (rc == 0)
				rc = read_name(r, v, (struct ai_span){ p + 2,
					       (size_t)(close - p - 2) }, t);
			p = close + 2;
		}
	}
	if (rc == 0)
		rc = read_literal(r, &b, t);
	ai_buf_release(&b);
	return rc;
}

int flow_text_read(struct flow_reader *r, struct ai_value v,
		   struct flow_text *t)
{
	char *text = NULL;
	int rc = flow_take_text(r, v, &text);

	if (rc == 0)
		rc = read_pieces(r, v, ai_span_of(text), t);
	free(text);
	return rc;
}

/* ---- filling in ---------------------------------------------------------------- */

static struct ai_value value_of(const struct flow_piece *p,
				const struct flow_scope *s)
{
	struct ai_value v = s->get(s->arg, p);

	return p->what == FLOW_NOTES ? v : ai_json_get(v, p->path);
}

int flow_text_put(const struct flow_text *t, const struct flow_scope *s,
		  struct ai_buf *out, struct ai_err *err)
{
	struct ai_value v;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].text != NULL) {
			ai_buf_str(out, t->v[i].text);
			continue;
		}
		v = value_of(&t->v[i], s);
		if (v.kind == AI_STRING)
			ai_json_text(v, out);
		else if (v.kind != AI_NONE)
			agent_json_compact(v, out);
	}
	return ai_buf_check(out, "a text of the workflow", err);
}

struct ai_value flow_text_value(const struct flow_text *t,
				const struct flow_scope *s)
{
	if (t->n != 1 || t->v[0].text != NULL)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return value_of(&t->v[0], s);
}

/* ---- for people ---------------------------------------------------------------- */

void flow_text_say(const struct flow_text *t, struct ai_buf *out)
{
	const char *p;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].text == NULL) {
			ai_buf_fmt(out, "{{%s%s%s}}", t->v[i].name,
				   t->v[i].path[0] == '\0' ? "" : ".",
				   t->v[i].path);
			continue;
		}
		for (p = t->v[i].text; *p != '\0'; p++)
			ai_buf_str(out, p[0] == '{' && p[1] == '{' && ++p ?
				   "{{{{" : (char[]){ *p, '\0' });
	}
}
