/*
 * template.c: a text with {{field}} in it, filled in from a record.
 *
 * A template is compiled once into segments.  What is inserted is data: it is
 * never looked at for fields again.
 */
#include "complete.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct complete_segment {
	enum { LITERAL, VALUE, AS_JSON } kind;
	size_t at, n;  /* LITERAL: bytes of text; else what stands in for a
			* field that is not there */
	size_t path;   /* in paths */
	size_t line;   /* from 1 */
	bool optional;
};

/* A template being read. */
struct reader {
	struct complete_template *t;
	const char *name;
	struct ai_span all;
	struct ai_err *err;
	const char *seen; /* up to where lines were counted */
	size_t line;      /* that it stands in, from 1 */
};

void complete_template_init(struct complete_template *t)
{
	memset(t, 0, sizeof *t);
	ai_buf_init(&t->text, SIZE_MAX / 2);
	ai_buf_init(&t->paths, SIZE_MAX / 2);
}

void complete_template_release(struct complete_template *t)
{
	free(t->v);
	ai_buf_release(&t->text);
	ai_buf_release(&t->paths);
	complete_template_init(t);
}

/* ---- parsing -------------------------------------------------------------- */

/* Places come in order: no byte is counted twice. */
static size_t line_of(struct reader *r, const char *p)
{
	for (; r->seen < p; r->seen++)
		r->line += *r->seen == '\n';
	return r->line;
}

/* Columns count characters, as editors do. */
static int bad(struct reader *r, const char *p, const char *what)
{
	size_t column = 1;

	for (const char *q = p; q > r->all.p && q[-1] != '\n'; q--)
		column += (q[-1] & 0xC0) != 0x80;
	return ai_err_set(r->err, AI_E_DATA, "%.200s:%zu:%zu: %s", r->name,
			  line_of(r, p), column, what);
}

static struct complete_segment *add(struct reader *r)
{
	struct complete_template *t = r->t;
	struct complete_segment *more;

	if (t->n == t->cap) {
		more = reallocarray(t->v, t->cap * 2 + 8, sizeof *more);
		if (more == NULL) {
			ai_err_nomem(r->err);
			return NULL;
		}
		t->v = more;
		t->cap = t->cap * 2 + 8;
	}
	memset(&t->v[t->n], 0, sizeof *t->v);
	return &t->v[t->n++];
}

/* Text as it is; joined with what stands before it. */
static int add_literal(struct reader *r, const char *p, size_t n)
{
	struct complete_template *t = r->t;
	struct complete_segment *s = t->n > 0 ? &t->v[t->n - 1] : NULL;

	if (n == 0)
		return 0;
	if (s == NULL || s->kind != LITERAL) {
		s = add(r);
		if (s == NULL)
			return -1;
		s->at = t->text.len;
	}
	ai_buf_add(&t->text, p, n);
	s->n += n;
	return ai_buf_check(&t->text, r->name, r->err);
}

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* From what p points to up to a byte of stop, or to end. */
static struct ai_span until(const char *p, const char *end, const char *stop)
{
	const char *q = p;

	while (q < end && strchr(stop, *q) == NULL)
		q++;
	return (struct ai_span){ p, (size_t)(q - p) };
}

/* What stands between the braces: PATH[|json][?OTHERWISE]. */
static int add_field(struct reader *r, const char *p, const char *end)
{
	struct complete_template *t = r->t;
	struct ai_span raw = until(p, end, "|?"), path = trim(raw), how;
	struct complete_segment *s;

	if (path.n == 0)
		return bad(r, p, "the name of a member is missing in {{}}");
	if (memchr(path.p, '{', path.n) != NULL)
		return bad(r, path.p, "a name with a { in it; {{{{ is how "
			   "two braces are written");
	s = add(r);
	if (s == NULL)
		return -1;
	s->kind = VALUE;
	s->line = line_of(r, p);
	s->path = t->paths.len;
	ai_buf_add(&t->paths, path.p, path.n);
	ai_buf_chr(&t->paths, '\0');
	p = raw.p + raw.n;
	if (p < end && *p == '|') {
		how = until(p + 1, end, "?");
		if (!ai_span_is(trim(how), "json"))
			return bad(r, p, "what stands behind | is not "
				   "'json'");
		s->kind = AS_JSON;
		p = how.p + how.n;
	}
	if (p < end) {
		s->optional = true;
		s->at = t->text.len;
		s->n = (size_t)(end - p) - 1;
		ai_buf_add(&t->text, p + 1, s->n);
	}
	if (ai_buf_check(&t->paths, r->name, r->err) < 0)
		return -1;
	return ai_buf_check(&t->text, r->name, r->err);
}

/* Braces that stand together: four are two literal ones, the last two of what
 * is left open a field, one more before them is literal. */
static int take_braces(struct reader *r, const char **at, const char *end)
{
	const char *p = *at, *close;
	size_t n = 0;

	while (p + n < end && p[n] == '{')
		n++;
	for (; n >= 4; n -= 4, p += 4)
		if (add_literal(r, p, 2) < 0)
			return -1;
	if (add_literal(r, p, n & 1) < 0)
		return -1;
	p += n & 1;
	*at = p;
	if (n < 2)
		return 0;
	/* In this order: most fields end soon, a line perhaps never. */
	close = memmem(p, (size_t)(end - p), "}}", 2);
	if (close == NULL || memchr(p, '\n', (size_t)(close - p)) != NULL)
		return bad(r, p, "this {{ has no }} on its line; write {{{{ "
			   "for two braces");
	*at = close + 2;
	return add_field(r, p + 2, close);
}

static int check_text(struct reader *r)
{
	const char *nul = memchr(r->all.p, '\0', r->all.n);
	size_t valid = ai_utf8_valid(r->all.p, r->all.n);

	if (valid != r->all.n)
		return bad(r, r->all.p + valid, "the template is not UTF-8");
	if (nul != NULL)
		return bad(r, nul, "a NUL byte in the template");
	return 0;
}

int complete_template_parse(struct complete_template *t, struct ai_span text,
			    const char *name, struct ai_err *err)
{
	struct reader r = { t, name, text, err, text.p, 1 };
	const char *p = text.p, *end = p + text.n, *brace;

	if (text.n == 0)
		return ai_err_set(err, AI_E_DATA, "%.200s: the template is "
				  "empty", name);
	if (check_text(&r) < 0)
		return -1;
	while (p < end) {
		brace = memmem(p, (size_t)(end - p), "{{", 2);
		if (brace == NULL)
			return add_literal(&r, p, (size_t)(end - p));
		if (add_literal(&r, p, (size_t)(brace - p)) < 0)
			return -1;
		p = brace;
		if (take_braces(&r, &p, end) < 0)
			return -1;
	}
	return 0;
}

/* ---- filling in ------------------------------------------------------------ */

static int put_field(const struct complete_template *t,
		     const struct complete_segment *s,
		     const struct ai_rec *rec, struct ai_buf *out,
		     struct ai_err *err)
{
	const char *path = t->paths.p + s->path;
	struct ai_value v = ai_rec_get(rec, path);

	if (s->optional && (v.kind == AI_NONE || v.kind == AI_NULL))
		ai_buf_add(out, ai_buf_cstr(&t->text) + s->at, s->n);
	else if (v.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "the record has no member "
				  "'%.80s', which line %zu of the template "
				  "asks for", path, s->line);
	else if (v.kind == AI_STRING && s->kind == VALUE)
		ai_json_text(v, out);
	else
		ai_buf_add(out, v.s.p, v.s.n);
	return 0;
}

int complete_template_render(const struct complete_template *t,
			     const struct ai_rec *rec, struct ai_buf *out,
			     struct ai_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct complete_segment *s = &t->v[i];

		if (s->kind == LITERAL)
			ai_buf_add(out, t->text.p + s->at, s->n);
		else if (put_field(t, s, rec, out, err) < 0)
			return -1;
		if (out->bad != AI_E_NONE)
			break;
	}
	return ai_buf_check(out, "the prompt of the template", err);
}
