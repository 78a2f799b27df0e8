#include "tool/template.h"

#include "tool/args.h"

#include <stdlib.h>
#include <string.h>

/* The kernel's: MAX_ARG_STRLEN, with the NUL. */
#define ARGUMENT_MAX ((size_t)128 << 10)
/* Of all arguments; the kernel allows a quarter of the stack, 2 MiB. */
#define TOTAL_MAX ((size_t)1 << 20)
#define TEXT_MAX ((size_t)16 << 20)
#define ELEMENTS_MAX 1024

/* ---- reading ------------------------------------------------------------- */

struct reader {
	struct agent_template *t;
	struct ai_value properties, allow_dash;
	size_t at; /* elements read, groups' included, for messages */
	struct ai_err *err;
};

void agent_template_release(struct agent_template *t)
{
	for (size_t i = 0; i < t->n_pieces; i++) {
		free(t->pieces[i].text);
		free(t->pieces[i].name);
	}
	free(t->pieces);
	free(t->elements);
	memset(t, 0, sizeof *t);
}

static struct agent_piece *add_piece(struct reader *r)
{
	struct agent_template *t = r->t;
	struct agent_piece *more;

	more = reallocarray(t->pieces, t->n_pieces + 1, sizeof *more);
	if (more == NULL) {
		ai_err_nomem(r->err);
		return NULL;
	}
	t->pieces = more;
	memset(&more[t->n_pieces], 0, sizeof *more);
	t->elements[t->n_elements - 1].n++;
	return &more[t->n_pieces++];
}

static bool in_list(struct ai_value list, struct ai_span name)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (v.kind == AI_STRING && ai_json_is(v, name))
			return true;
	return false;
}

/* Text up to the next placeholder; two braces are one. */
static int read_text(struct reader *r, const char **p, const char *end)
{
	struct ai_buf b = AI_BUF_INIT(TEXT_MAX);
	struct agent_piece *piece;

	for (; *p < end; ++*p) {
		if (**p == '{' && (end - *p < 2 || (*p)[1] != '{'))
			break;
		*p += **p == '{';
		ai_buf_chr(&b, **p);
	}
	if (b.len == 0 && b.bad == AI_E_NONE) {
		ai_buf_release(&b);
		return 0;
	}
	piece = add_piece(r);
	if (piece != NULL && ai_buf_check(&b, "an element", r->err) == 0)
		piece->text = ai_buf_take(&b);
	ai_buf_release(&b);
	return piece != NULL && piece->text != NULL ? 0 : -1;
}

/* The name of an argument that there is. */
static int take_name(struct reader *r, struct agent_piece *piece,
		     struct ai_span name)
{
	bool known = ai_json_member(r->properties, name).kind != AI_NONE;

	piece->key = !known && piece->kind == AGENT_VALUE &&
		     ai_span_is(name, "key");
	if (!known && !piece->key)
		return ai_err_set(r->err, AI_E_CONFIG, "%zu: '{%.*s}' names none "
				  "of parameters.properties; a brace that is "
				  "meant is written '{{'", r->at,
				  (int)(name.n > 80 ? 80 : name.n), name.p);
	piece->dash = in_list(r->allow_dash, name);
	piece->name = ai_span_dup(name);
	return piece->name == NULL ? ai_err_nomem(r->err) : 0;
}

/* What stands between two braces. */
static int read_placeholder(struct reader *r, struct ai_span inner, bool alone)
{
	struct agent_piece *piece = add_piece(r);
	const char *when;

	if (piece == NULL)
		return -1;
	piece->kind = AGENT_VALUE;
	when = memchr(inner.p, '?', inner.n);
	if (when != NULL) {
		piece->kind = AGENT_WHEN;
		piece->text = ai_span_dup((struct ai_span){ when + 1,
				(size_t)(inner.p + inner.n - when - 1) });
		if (piece->text == NULL)
			return ai_err_nomem(r->err);
		inner.n = (size_t)(when - inner.p);
	} else if (inner.n > 3 && memcmp(inner.p + inner.n - 3, "...", 3) == 0) {
		piece->kind = AGENT_SPREAD;
		inner.n -= 3;
		if (!alone)
			return ai_err_set(r->err, AI_E_CONFIG, "%zu: '{%.*s...}' "
					  "must be all of its element", r->at,
					  (int)(inner.n > 80 ? 80 : inner.n),
					  inner.p);
	}
	return take_name(r, piece, inner);
}

static int read_pieces(struct reader *r, struct ai_span text)
{
	const char *p = text.p, *end = p + text.n, *close;
	bool alone;

	while (p < end) {
		if (read_text(r, &p, end) < 0)
			return -1;
		if (p == end)
			return 0;
		close = memchr(p, '}', (size_t)(end - p));
		if (close == NULL)
			return ai_err_set(r->err, AI_E_CONFIG, "%zu: '}' is "
					  "missing; a brace that is meant is "
					  "written '{{'", r->at);
		alone = p == text.p && close + 1 == end;
		if (read_placeholder(r, (struct ai_span){ p + 1,
				     (size_t)(close - p - 1) }, alone) < 0)
			return -1;
		p = close + 1;
	}
	return 0;
}

static int read_element(struct reader *r, struct ai_value v, size_t group)
{
	struct agent_template *t = r->t;
	struct agent_element *more;
	struct ai_buf text = AI_BUF_INIT(TEXT_MAX);
	int rc;

	if (t->n_elements == ELEMENTS_MAX)
		return ai_err_set(r->err, AI_E_CONFIG, "%zu: more than %d "
				  "elements", r->at, ELEMENTS_MAX);
	more = reallocarray(t->elements, t->n_elements + 1, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(r->err);
	t->elements = more;
	more[t->n_elements++] = (struct agent_element){ t->n_pieces, 0, group };
	rc = ai_json_text(v, &text);
	if (rc < 0)
		ai_buf_check(&text, "an element", r->err);
	else if (text.len > 0 && memchr(text.p, '\0', text.len) != NULL)
		rc = ai_err_set(r->err, AI_E_CONFIG, "%zu: a NUL cannot be in "
				"it", r->at);
	else
		rc = read_pieces(r, (struct ai_span){ ai_buf_cstr(&text),
						      text.len });
	ai_buf_release(&text);
	return rc;
}

static int read_group(struct reader *r, struct ai_value list)
{
	size_t group = ++r->t->groups;
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (read_element(r, v, group) < 0)
			return -1;
	return 0;
}

int agent_template_read(struct agent_template *t, struct ai_value list,
			struct ai_value parameters, struct ai_value allow_dash,
			struct ai_err *err)
{
	struct reader r = { t, ai_json_member(parameters, AI_SPAN("properties")),
			    allow_dash, 0, err };
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0;

	memset(t, 0, sizeof *t);
	if (list.kind == AI_STRING)
		rc = read_element(&r, list, 0);
	ai_json_iter_init(&it, list);
	for (; rc == 0 && list.kind == AI_ARRAY && ai_json_next(&it, NULL, &v);
	     r.at++)
		rc = v.kind == AI_ARRAY ? read_group(&r, v) :
					  read_element(&r, v, 0);
	if (rc < 0)
		agent_template_release(t);
	return rc;
}

/* ---- filling in ---------------------------------------------------------- */

struct filler {
	const struct agent_template *t;
	struct ai_value args;
	const char *key;
	bool options; /* no "--" has come: '-' begins an option */
	size_t total;
	struct ai_err *err;
};

static struct ai_value value_of(const struct filler *f,
				const struct agent_piece *piece)
{
	struct ai_value v = ai_json_member(f->args, ai_span_of(piece->name));

	if (v.kind == AI_NULL)
		v.kind = AI_NONE;
	return v;
}

static bool has_value(const struct filler *f, const struct agent_piece *piece)
{
	struct ai_value v;

	if (piece->kind == AGENT_TEXT || piece->key)
		return true;
	v = value_of(f, piece);
	if (piece->kind == AGENT_WHEN && v.kind == AI_BOOL)
		return ai_json_true(v);
	return v.kind != AI_NONE;
}

static const struct agent_piece *pieces_of(const struct filler *f,
					   const struct agent_element *e)
{
	return e->n == 0 ? NULL : f->t->pieces + e->first;
}

/* Whether an element has placeholders, and none of them a value. */
static bool is_left_out(const struct filler *f, const struct agent_element *e)
{
	const struct agent_piece *piece = pieces_of(f, e);
	bool any = false;

	for (size_t i = 0; i < e->n; i++) {
		if (piece[i].kind == AGENT_TEXT)
			continue;
		if (has_value(f, &piece[i]))
			return false;
		any = true;
	}
	return any;
}

static bool is_group_out(const struct filler *f, size_t group)
{
	for (size_t i = 0; group != 0 && i < f->t->n_elements; i++)
		if (f->t->elements[i].group == group &&
		    is_left_out(f, &f->t->elements[i]))
			return true;
	return false;
}

static void add_value(struct ai_value v, struct ai_buf *out)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, out);
	else
		agent_json_compact(v, out);
}

static void add_filled(const struct filler *f, const struct agent_piece *piece,
		       struct ai_buf *out)
{
	if (!has_value(f, piece))
		return;
	if (piece->key)
		ai_buf_str(out, f->key);
	else if (piece->text != NULL)
		ai_buf_str(out, piece->text);
	else
		add_value(value_of(f, piece), out);
}

/* from: the placeholder whose value the element begins with, or NULL. */
static int check_argument(const struct filler *f, const struct ai_buf *b,
			  const struct agent_piece *from,
			  const struct agent_piece *any)
{
	if (ai_buf_check(b, any->name, NULL) < 0 || b->len >= ARGUMENT_MAX)
		return ai_err_set(f->err, b->bad == AI_E_MEMORY ? AI_E_MEMORY :
				  AI_E_RECORD, "the argument '%.80s' is too "
				  "long: at most %zu bytes fit on a command "
				  "line", any->name, ARGUMENT_MAX - 1);
	if (memchr(b->p, '\0', b->len) != NULL)
		return ai_err_set(f->err, AI_E_RECORD, "the argument '%.80s' has "
				  "a NUL in it", any->name);
	if (from != NULL && f->options && !from->dash && b->p[0] == '-')
		return ai_err_set(f->err, AI_E_RECORD, "the argument '%.80s' "
				  "must not begin with '-': it would be taken "
				  "for an option", from->name);
	return 0;
}

static int put_argument(struct filler *f, struct ai_buf *b,
			const struct agent_piece *from,
			const struct agent_piece *any,
			struct agent_strings *out)
{
	ai_buf_add(b, "", 0);
	if (any != NULL && check_argument(f, b, from, any) < 0)
		return -1;
	if (ai_buf_check(b, "an argument of the program", f->err) < 0)
		return -1;
	f->total += b->len + 1;
	if (f->total > TOTAL_MAX)
		return ai_err_set(f->err, AI_E_RECORD, "the arguments are too "
				  "long: at most %zu bytes fit on a command "
				  "line", TOTAL_MAX);
	if (any == NULL && strcmp(b->p, "--") == 0)
		f->options = false;
	return agent_strings_take(out, b, f->err);
}

/* An element each; a value that is no array is the only one. */
static int put_spread(struct filler *f, const struct agent_piece *piece,
		      struct agent_strings *out)
{
	struct ai_value list = value_of(f, piece), v;
	struct ai_buf b = AI_BUF_INIT(ARGUMENT_MAX);
	struct ai_json_iter it;
	int rc = 0;

	if (list.kind != AI_ARRAY) {
		add_value(list, &b);
		rc = put_argument(f, &b, piece, piece, out);
		ai_buf_release(&b);
		return rc;
	}
	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v)) {
		add_value(v, &b);
		rc = put_argument(f, &b, piece, piece, out);
	}
	ai_buf_release(&b);
	return rc;
}

static int put_element(struct filler *f, const struct agent_element *e,
		       struct agent_strings *out)
{
	const struct agent_piece *piece = pieces_of(f, e), *from = NULL,
		*any = NULL;
	struct ai_buf b = AI_BUF_INIT(ARGUMENT_MAX);
	int rc;

	if (e->n == 1 && piece->kind == AGENT_SPREAD)
		return put_spread(f, piece, out);
	for (size_t i = 0; i < e->n; i++) {
		if (piece[i].kind == AGENT_VALUE && !piece[i].key) {
			if (b.len == 0)
				from = &piece[i];
			any = &piece[i];
		}
		add_filled(f, &piece[i], &b);
		if (from == &piece[i] && b.len == 0)
			from = NULL;
	}
	rc = put_argument(f, &b, from, any, out);
	ai_buf_release(&b);
	return rc;
}

int agent_template_fill(const struct agent_template *t, struct ai_value args,
			const char *key, struct agent_strings *out,
			struct ai_err *err)
{
	struct filler f = { t, args, key, true, 0, err };

	for (size_t i = 0; i < t->n_elements; i++) {
		if (is_left_out(&f, &t->elements[i]) ||
		    is_group_out(&f, t->elements[i].group))
			continue;
		if (put_element(&f, &t->elements[i], out) < 0)
			return -1;
	}
	return 0;
}

int agent_template_text(const struct agent_template *t, struct ai_value args,
			const char *key, struct ai_buf *out,
			struct ai_err *err)
{
	struct filler f = { t, args, key, false, 0, err };

	for (size_t i = 0; i < t->n_pieces; i++)
		add_filled(&f, &t->pieces[i], out);
	return ai_buf_check(out, "the program's input", err);
}
