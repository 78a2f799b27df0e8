#include "record/rec.h"

#include "base/utf8.h"
#include "crypt/hash.h"

#include <stdlib.h>
#include <string.h>

void ai_rec_init(struct ai_rec *r)
{
	memset(r, 0, sizeof *r);
	ai_buf_init(&r->fresh, SIZE_MAX);
}

void ai_rec_release(struct ai_rec *r)
{
	free(r->members);
	free(r->edits);
	free(r->added);
	ai_buf_release(&r->fresh);
	ai_rec_init(r);
}

void ai_rec_revert(struct ai_rec *r)
{
	for (size_t i = 0; i < r->n_members; i++)
		r->members[i].dropped = false;
	r->n_edits = r->n_added = 0;
	ai_buf_shrink(&r->fresh, 1 << 16);
}

/* Room for one more element of any of the arrays. */
static int grow(void *array, size_t n, size_t *cap, size_t size)
{
	void *old, *more;

	if (n < *cap)
		return 0;
	memcpy(&old, array, sizeof old);
	more = reallocarray(old, *cap * 2 + 8, size);
	if (more == NULL)
		return -1;
	memcpy(array, &more, sizeof more);
	*cap = *cap * 2 + 8;
	return 0;
}

static int add_member(void *arg, struct ai_value key, struct ai_value val)
{
	struct ai_rec *r = arg;

	if (grow(&r->members, r->n_members, &r->cap_members,
		 sizeof *r->members) < 0)
		return -1;
	r->members[r->n_members++] = (struct ai_member){ key, val, false };
	return 0;
}

int ai_rec_parse(struct ai_rec *r, struct ai_span line, unsigned long number,
		 struct ai_err *err)
{
	ai_rec_revert(r);
	r->line = line;
	r->number = number;
	r->n_members = 0;
	r->object = (struct ai_value){ AI_NONE, { NULL, 0 } };
	if (ai_json_scan(line.p, line.n, &r->object, add_member, r, err) < 0)
		return -1;
	if (r->object.kind == AI_OBJECT)
		return 0;
	r->object.kind = AI_NONE;
	return ai_err_set(err, AI_E_JSON,
			  "the line is JSON but not an object in {}");
}

static const struct ai_member *member(const struct ai_rec *r,
				      struct ai_span name)
{
	for (size_t i = r->n_members; i-- > 0;)
		if (ai_json_is(r->members[i].key, name))
			return &r->members[i];
	return NULL;
}

struct ai_value ai_rec_get(const struct ai_rec *r, const char *path)
{
	char name[AI_JSON_NAME];
	const struct ai_member *m;
	struct ai_span step;

	path += ai_json_step(path, name, sizeof name, &step);
	m = member(r, step);
	if (m == NULL)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return ai_json_get(m->val, path);
}

int ai_rec_text(const struct ai_rec *r, const char *path, struct ai_buf *out,
		struct ai_err *err)
{
	struct ai_value v = ai_rec_get(r, path);

	if (v.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD,
				  "the record has no member '%.80s'", path);
	if (v.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD,
				  "the member '%.80s' is not a string", path);
	if (ai_json_text(v, out) < 0)
		return ai_buf_check(out, path, err);
	return 0;
}

bool ai_rec_is_error(const struct ai_rec *r)
{
	struct ai_value e = ai_rec_get(r, "error");

	return e.kind == AI_OBJECT &&
		ai_json_get(e, "tool").kind == AI_STRING &&
		ai_json_get(e, "code").kind == AI_STRING;
}

bool ai_rec_is_empty(const struct ai_rec *r)
{
	int64_t of;

	return ai_json_i64(ai_rec_get(r, "chunk.of"), &of) == 0 && of == 0 &&
		ai_rec_get(r, "text").s.n <= 2; /* absent or "" */
}

/* ---- changes ------------------------------------------------------------ */

static void hide_members(struct ai_rec *r, struct ai_span name)
{
	for (size_t i = 0; i < r->n_members; i++)
		if (ai_json_is(r->members[i].key, name))
			r->members[i].dropped = true;
}

/* The new member of this name, or NULL. */
static struct ai_added *find_added(const struct ai_rec *r, struct ai_span name)
{
	for (size_t i = 0; i < r->n_added; i++) {
		struct ai_added *a = &r->added[i];
		struct ai_value key = { AI_STRING,
					{ r->fresh.p + a->at, a->name } };

		if (ai_json_is(key, name))
			return a;
	}
	return NULL;
}

void ai_rec_drop(struct ai_rec *r, const char *name)
{
	struct ai_added *a = find_added(r, ai_span_of(name));

	hide_members(r, ai_span_of(name));
	if (a == NULL)
		return;
	r->n_added--;
	memmove(a, a + 1,
		(size_t)(r->added + r->n_added - a) * sizeof *a);
}

int ai_rec_set(struct ai_rec *r, const char *name, const struct ai_buf *json,
	       struct ai_err *err)
{
	struct ai_added *slot;
	size_t from = r->fresh.len;

	if (ai_buf_check(json, name, err) < 0)
		return -1;
	hide_members(r, ai_span_of(name));
	ai_put_str(&r->fresh, name, strlen(name));
	/* The writer may have put a comma before the name. */
	from += r->fresh.len > from && r->fresh.p[from] == ',';
	ai_buf_chr(&r->fresh, ':');
	ai_buf_add(&r->fresh, json->p, json->len);
	if (ai_buf_check(&r->fresh, name, err) < 0)
		return -1;
	slot = find_added(r, ai_span_of(name));
	if (slot == NULL) {
		if (grow(&r->added, r->n_added, &r->cap_added,
			 sizeof *r->added) < 0)
			return ai_err_nomem(err);
		slot = &r->added[r->n_added++];
	}
	slot->at = from;
	slot->n = r->fresh.len - from;
	slot->name = slot->n - json->len - 1;
	return 0;
}

int ai_rec_rewrite(struct ai_rec *r, const char *path, const char *text,
		   size_t n, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(r, path);

	if (v.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD,
				  "the record has no string '%.80s'", path);
	return ai_rec_rewrite_value(r, v, text, n, err);
}

/* The bytes of v become those from `at` of r->fresh on. */
static int add_edit(struct ai_rec *r, struct ai_value v, size_t at,
		    struct ai_err *err)
{
	struct ai_edit edit = { .at = at, .n = r->fresh.len - at };
	size_t i;

	edit.from = (size_t)(v.s.p - r->line.p);
	edit.to = edit.from + v.s.n;
	if (ai_buf_check(&r->fresh, "the text", err) < 0)
		return -1;
	for (i = r->n_edits; i > 0 && r->edits[i - 1].from >= edit.from; i--)
		if (r->edits[i - 1].from == edit.from) {
			r->edits[i - 1] = edit;
			return 0;
		}
	if (grow(&r->edits, r->n_edits, &r->cap_edits, sizeof *r->edits) < 0)
		return ai_err_nomem(err);
	memmove(r->edits + i + 1, r->edits + i,
		(r->n_edits - i) * sizeof *r->edits);
	r->edits[i] = edit;
	r->n_edits++;
	return 0;
}

int ai_rec_rewrite_value(struct ai_rec *r, struct ai_value v, const char *text,
			 size_t n, struct ai_err *err)
{
	size_t at = r->fresh.len;

	ai_put_str(&r->fresh, text, n);
	at += r->fresh.len > at && r->fresh.p[at] == ',';
	return add_edit(r, v, at, err);
}

int ai_rec_rewrite_token(struct ai_rec *r, struct ai_value v,
			 struct ai_span token, struct ai_err *err)
{
	size_t at = r->fresh.len;

	ai_buf_add(&r->fresh, token.p, token.n);
	return add_edit(r, v, at, err);
}

void ai_rec_put_error(struct ai_buf *b, const char *tool,
		      const struct ai_err *why, unsigned long line)
{
	size_t valid = ai_utf8_valid(why->msg, strlen(why->msg));

	ai_put_open(b, '{');
	ai_put_key(b, "tool");
	ai_put_cstr(b, tool);
	ai_put_key(b, "code");
	ai_put_cstr(b, ai_code_name(why->code));
	ai_put_key(b, "message");
	ai_put_str(b, why->msg, valid);
	ai_put_key(b, "retryable");
	ai_put_bool(b, ai_code_retryable(why->code));
	ai_put_key(b, "retry_after_s");
	if (why->retry_after_s >= 0)
		ai_put_f64(b, why->retry_after_s);
	else
		ai_put_null(b);
	if (line > 0) {
		ai_put_key(b, "line");
		ai_put_i64(b, (int64_t)line);
	}
	ai_put_close(b, '}');
}

int ai_rec_take_error(const struct ai_rec *r, const char *what,
		      struct ai_err *err)
{
	struct ai_buf code = AI_BUF_INIT(64), why = AI_BUF_INIT(300);
	double wait_s = -1;
	enum ai_code c;

	ai_json_text(ai_rec_get(r, "error.code"), &code);
	ai_json_text(ai_rec_get(r, "error.message"), &why);
	ai_json_f64(ai_rec_get(r, "error.retry_after_s"), &wait_s);
	c = ai_code_from_name(ai_buf_cstr(&code), code.len);
	ai_err_set(err, c == AI_E_NONE ? AI_E_UNAVAILABLE : c, "%s: %s", what,
		   ai_buf_cstr(&why));
	if (err != NULL)
		err->retry_after_s = wait_s;
	ai_buf_release(&code);
	ai_buf_release(&why);
	return -1;
}

static void add_members(struct ai_buf *error, struct ai_value members)
{
	struct ai_json_iter it;
	struct ai_value key, v;

	if (members.kind != AI_OBJECT || error->bad != AI_E_NONE)
		return;
	error->p[--error->len] = '\0'; /* its brace */
	ai_json_iter_init(&it, members);
	while (ai_json_next(&it, &key, &v)) {
		ai_buf_chr(error, ',');
		ai_buf_add(error, key.s.p, key.s.n);
		ai_buf_chr(error, ':');
		ai_put_value(error, v);
	}
	ai_buf_chr(error, '}');
}

int ai_rec_fail_with(struct ai_rec *r, const char *tool,
		     const struct ai_err *why, struct ai_value members,
		     struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((1 << 16) + members.s.n);
	int rc;

	ai_rec_put_error(&b, tool, why, r->number);
	add_members(&b, members);
	rc = ai_rec_set(r, "error", &b, err);
	ai_buf_release(&b);
	return rc;
}

int ai_rec_fail(struct ai_rec *r, const char *tool, const struct ai_err *why,
		struct ai_err *err)
{
	static const struct ai_value none;

	/* What was half done does not show: the record is as it came. */
	ai_rec_revert(r);
	return ai_rec_fail_with(r, tool, why, none, err);
}

const char *ai_rec_first(const struct ai_rec *r, const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (ai_rec_get(r, *paths).kind != AI_NONE)
			break;
	return *paths;
}

struct ai_value ai_rec_id_value(const struct ai_rec *r)
{
	struct ai_value v = ai_rec_get(r, "id");

	if (v.kind != AI_STRING && v.kind != AI_NUMBER)
		v = ai_rec_get(r, "custom_id");
	if (v.kind != AI_STRING && v.kind != AI_NUMBER)
		v.kind = AI_NONE;
	return v;
}

int ai_rec_id(const struct ai_rec *r, const char *payload, size_t n,
	      struct ai_buf *out)
{
	struct ai_value v = ai_rec_id_value(r);
	char hex[AI_HASH_HEX];

	if (v.kind == AI_STRING)
		return ai_json_text(v, out);
	if (v.kind == AI_NUMBER)
		return ai_buf_add(out, v.s.p, v.s.n);
	ai_hash_of(payload, n, hex);
	return ai_buf_str(out, hex);
}

/* ---- writing ------------------------------------------------------------ */

/* The bytes from..to of the line with the edits that lie in them. */
static void write_range(const struct ai_rec *r, size_t from, size_t to,
			size_t *next_edit, struct ai_buf *out)
{
	for (; *next_edit < r->n_edits; ++*next_edit) {
		const struct ai_edit *e = &r->edits[*next_edit];

		if (e->from >= to)
			break;
		if (e->from < from) /* inside a dropped member */
			continue;
		ai_buf_add(out, r->line.p + from, e->from - from);
		ai_buf_add(out, r->fresh.p + e->at, e->n);
		from = e->to;
	}
	ai_buf_add(out, r->line.p + from, to - from);
}

static size_t offset(const struct ai_rec *r, const char *p)
{
	return (size_t)(p - r->line.p);
}

static size_t member_start(const struct ai_rec *r, size_t i)
{
	return offset(r, r->members[i].key.s.p);
}

static size_t member_end(const struct ai_rec *r, size_t i)
{
	return offset(r, r->members[i].val.s.p + r->members[i].val.s.n);
}

/* Between two members there are blanks and one comma. */
static size_t comma_before(const struct ai_rec *r, size_t i)
{
	size_t end = member_end(r, i - 1);

	return end + strcspn(r->line.p + end, ",");
}

int ai_rec_write(const struct ai_rec *r, struct ai_buf *out)
{
	size_t pos = 0, edit = 0, brace;
	bool any = false;

	brace = offset(r, r->object.s.p) + r->object.s.n - 1;
	for (size_t i = 0; i < r->n_members; i++) {
		bool last = i + 1 == r->n_members;

		if (!r->members[i].dropped) {
			any = true;
			continue;
		}
		/* A member goes with the comma before it; the first one
		 * with the comma behind it. */
		write_range(r, pos, any ? comma_before(r, i)
					: member_start(r, i), &edit, out);
		pos = any || last ? member_end(r, i) : member_start(r, i + 1);
	}
	write_range(r, pos, brace, &edit, out);
	for (size_t i = 0; i < r->n_added; i++) {
		if (any || i > 0)
			ai_buf_chr(out, ',');
		ai_buf_add(out, r->fresh.p + r->added[i].at, r->added[i].n);
	}
	ai_buf_add(out, r->line.p + brace, r->line.n - brace);
	return ai_buf_chr(out, '\n');
}
