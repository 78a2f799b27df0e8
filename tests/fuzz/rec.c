/*
 * A record: a line of edits, then the record. The edits are letters with a
 * digit, which chooses a member: d0 drops it, s0 sets it, r0 rewrites it if
 * it is a string; sn sets a new one.
 *
 * Without edits the bytes stay. With them, what is written is a record whose
 * members are those of a list that was edited the simple way; unedited ones
 * are the same bytes. A rewrite alone changes nothing but its string token.
 */
#include "record/rec.h"

#include "fuzz.h"

#include <string.h>

#define MEMBERS 64
#define FRESH "{\"k\":[1,\"\\u00e9\"]}"
#define REWRITTEN "new \"text\"\n\xE2\x82\xAC."

/* What the record must look like afterwards. */
struct model {
	struct {
		struct ai_value key, val;
		bool dropped, rewritten;
	} m[MEMBERS];
	size_t n;
	struct ai_buf names[MEMBERS]; /* of members set */
	size_t n_names;
	unsigned edits;
};

static struct ai_buf name_of(struct ai_value key)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	must(ai_json_text(key, &b) == 0);
	return b;
}

static void put(const struct ai_rec *r, struct ai_buf *out)
{
	ai_buf_init(out, 1 << 24);
	must(ai_rec_write(r, out) == 0);
	must(out->len > 0 && out->p[out->len - 1] == '\n');
	out->len--;
}

static void model_drop(struct model *m, struct ai_span name)
{
	for (size_t i = 0; i < m->n; i++)
		if (ai_json_is(m->m[i].key, name))
			m->m[i].dropped = true;
}

static bool was_set(const struct model *m, struct ai_span name)
{
	for (size_t i = 0; i < m->n_names; i++)
		if (ai_span_eq(name, (struct ai_span){
			ai_buf_cstr(&m->names[i]), m->names[i].len }))
			return true;
	return false;
}

static void do_set(struct ai_rec *r, struct model *m, const struct ai_buf *b)
{
	struct ai_span name = { ai_buf_cstr(b), b->len };
	struct ai_buf json = AI_BUF_INIT(1 << 10), *own;

	ai_buf_str(&json, FRESH);
	must(ai_rec_set(r, name.p, &json, NULL) == 0);
	ai_buf_release(&json);
	model_drop(m, name);
	if (was_set(m, name))
		return;
	own = &m->names[m->n_names++];
	ai_buf_init(own, 1 << 20);
	ai_buf_add(own, name.p, name.n);
}

/* The name as a path: dots escaped. */
static void put_path(const struct ai_buf *name, struct ai_buf *path)
{
	for (size_t i = 0; i < name->len; i++) {
		if (name->p[i] == '.')
			ai_buf_chr(path, '\\');
		ai_buf_chr(path, name->p[i]);
	}
}

static void do_rewrite(struct ai_rec *r, struct model *m, size_t i,
		       const struct ai_buf *name)
{
	struct ai_buf path = AI_BUF_INIT(1 << 21);
	struct ai_value v;

	put_path(name, &path);
	v = ai_rec_get(r, ai_buf_cstr(&path));
	/* The last of several; and a backslash before a dot has no path. */
	if (v.kind == AI_STRING && v.s.p == m->m[i].val.s.p) {
		must(ai_rec_rewrite(r, ai_buf_cstr(&path), REWRITTEN,
				    sizeof REWRITTEN - 1, NULL) == 0);
		m->m[i].rewritten = true;
	}
	ai_buf_release(&path);
}

static void edit(struct ai_rec *r, struct model *m, char op, char which)
{
	struct ai_buf fresh = AI_BUF_INIT(64), name;
	size_t i = (unsigned char)which - '0';

	if (op == 's' && which == 'n') {
		ai_buf_str(&fresh, "fresh");
		do_set(r, m, &fresh);
	}
	ai_buf_release(&fresh);
	if (i >= m->n)
		return;
	name = name_of(m->m[i].key);
	m->edits++;
	/* Names are C strings here; a long one is cut off in a path. */
	if (strlen(ai_buf_cstr(&name)) == name.len &&
	    name.len < AI_JSON_NAME) {
		struct ai_span s = { ai_buf_cstr(&name), name.len };

		if (op == 'd' && !was_set(m, s)) {
			ai_rec_drop(r, s.p);
			model_drop(m, s);
		} else if (op == 's') {
			do_set(r, m, &name);
		} else if (op == 'r') {
			do_rewrite(r, m, i, &name);
		}
	}
	ai_buf_release(&name);
}

static void same(struct ai_span a, struct ai_span b)
{
	must(ai_span_eq(a, b));
}

static void check_member(const struct model *m, size_t i,
			 const struct ai_member *got)
{
	same(m->m[i].key.s, got->key.s);
	if (m->m[i].rewritten)
		must(ai_json_is(got->val, AI_SPAN(REWRITTEN)));
	else
		same(m->m[i].val.s, got->val.s);
}

static void check_model(const struct model *m, const struct ai_rec *got)
{
	size_t k = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->m[i].dropped) {
			must(k < got->n_members);
			check_member(m, i, &got->members[k++]);
		}
	for (size_t i = 0; i < m->n_names; i++) {
		must(k < got->n_members);
		must(ai_json_is(got->members[k].key, (struct ai_span){
			ai_buf_cstr(&m->names[i]), m->names[i].len }));
		same(got->members[k++].val.s, AI_SPAN(FRESH));
	}
	must(k == got->n_members);
}

/* Only one string was rewritten: all around it stays. */
static void check_around(const struct ai_rec *r, const struct model *m,
			 const struct ai_buf *out)
{
	for (size_t i = 0; i < m->n; i++) {
		struct ai_span s = m->m[i].val.s;
		size_t before, after;

		if (!m->m[i].rewritten)
			continue;
		before = (size_t)(s.p - r->line.p);
		after = r->line.n - before - s.n;
		must(out->len >= before + after);
		same((struct ai_span){ out->p, before },
		     (struct ai_span){ r->line.p, before });
		same((struct ai_span){ out->p + out->len - after, after },
		     (struct ai_span){ s.p + s.n, after });
	}
}

static void check_edits(struct ai_rec *r, struct model *m, const char *ops,
			size_t n)
{
	struct ai_buf out;
	struct ai_rec again;

	for (size_t i = 0; i + 1 < n && m->n_names + 1 < MEMBERS; i += 2)
		edit(r, m, ops[i], ops[i + 1]);
	put(r, &out);
	ai_rec_init(&again);
	must(ai_rec_parse(&again, (struct ai_span){ out.p, out.len }, 1,
			  NULL) == 0);
	check_model(m, &again);
	if (n == 2 && m->edits == 1)
		check_around(r, m, &out);
	ai_rec_release(&again);
	ai_buf_release(&out);
}

static void check_error(struct ai_rec *r)
{
	struct ai_err why = { .code = AI_E_UTF8, .retry_after_s = -1,
			      .msg = "\xFF\"" };
	struct ai_rec again;
	struct ai_buf out;

	must(ai_rec_fail(r, "ai-x", &why, NULL) == 0);
	put(r, &out);
	ai_rec_init(&again);
	must(ai_rec_parse(&again, (struct ai_span){ out.p, out.len }, 1,
			  NULL) == 0 && ai_rec_is_error(&again));
	ai_rec_release(&again);
	ai_buf_release(&out);
}

static void run(struct ai_rec *r, const char *ops, size_t n)
{
	struct model m = { .n = 0 };
	struct ai_buf out;

	put(r, &out);
	same((struct ai_span){ out.p, out.len }, r->line);
	ai_buf_release(&out);
	for (; m.n < r->n_members; m.n++) {
		m.m[m.n].key = r->members[m.n].key;
		m.m[m.n].val = r->members[m.n].val;
	}
	check_edits(r, &m, ops, n);
	check_error(r);
	ai_rec_revert(r);
	put(r, &out);
	same((struct ai_span){ out.p, out.len }, r->line);
	ai_buf_release(&out);
	for (size_t i = 0; i < m.n_names; i++)
		ai_buf_release(&m.names[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *ops = (const char *)data, *line;
	struct ai_rec r;

	line = memchr(ops, '\n', size);
	if (line == NULL || size > 65536)
		return 0;
	line++;
	ai_rec_init(&r);
	if (ai_rec_parse(&r, (struct ai_span){
		line, size - (size_t)(line - ops) }, 1, NULL) == 0 &&
	    r.n_members <= MEMBERS)
		run(&r, ops, (size_t)(line - ops) - 1);
	ai_rec_release(&r);
	return 0;
}
