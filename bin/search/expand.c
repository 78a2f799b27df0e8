/*
 * expand.c: a hit with the passages around it in its file.
 *
 * From the hit on one passage after the other is added, behind and before in
 * turn, as long as they follow each other, belong to it and fit.  Where they
 * overlap, the text stands once.
 */
#include "shape.h"

#include <stdlib.h>
#include <string.h>

#define OVERLAP_MIN 20 /* bytes; less may be chance */

struct passage {
	int64_t n, part;
	struct ai_buf id, text; /* id as JSON */
	int64_t bytes[2], lines[2]; /* -1: not told */
};

struct group {
	struct search_index *ix;
	struct ai_buf uri, doc, source;
	struct passage *v; /* in the order of parts */
	size_t n, cap, own; /* own: where the hit is */
	size_t size;
	int64_t reach; /* --expand N, or -1: the section */
	float *vector;
};

/* Rows that hits have already. */
struct seen {
	int64_t *v;
	size_t n, cap;
};

static bool has(const struct seen *s, int64_t n)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->v[i] == n)
			return true;
	return false;
}

static int add_seen(struct seen *s, int64_t n, struct ai_err *err)
{
	size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
	int64_t *v;

	if (s->n == s->cap) {
		v = reallocarray(s->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = n;
	return 0;
}

/* ---- passages ------------------------------------------------------------------- */

static void passage_release(struct passage *p)
{
	ai_buf_release(&p->id);
	ai_buf_release(&p->text);
}

static void group_clear(struct group *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		passage_release(&g->v[i]);
	g->n = g->own = g->size = 0;
}

static struct ai_value parse(struct ai_span s)
{
	struct ai_value v;

	if (s.p == NULL || ai_json_check(s.p, s.n, &v, NULL) < 0)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return v;
}

static void read_pair(struct ai_value source, const char *from, const char *to,
		      int64_t pair[2])
{
	if (ai_json_i64(ai_json_get(source, from), &pair[0]) < 0 ||
	    ai_json_i64(ai_json_get(source, to), &pair[1]) < 0)
		pair[0] = pair[1] = -1;
}

static int read_passage(struct passage *p, sqlite3_stmt *st, struct ai_err *err)
{
	struct ai_value source = parse(ai_db_span(st, COL_SOURCE));
	struct ai_span text = ai_db_span(st, COL_TEXT);

	ai_buf_init(&p->id, 1 << 20);
	ai_buf_init(&p->text, SEARCH_TEXT_MAX);
	p->n = sqlite3_column_int64(st, COL_N);
	p->part = sqlite3_column_int64(st, COL_PART);
	search_put_id(&p->id, search_id_at(st, COL_ID));
	ai_buf_add(&p->text, text.p == NULL ? "" : text.p, text.n);
	read_pair(source, "bytes.0", "bytes.1", p->bytes);
	read_pair(source, "lines.0", "lines.1", p->lines);
	if (ai_buf_check(&p->id, "an id", err) == 0 &&
	    ai_buf_check(&p->text, "a passage", err) == 0)
		return 0;
	passage_release(p);
	return -1;
}

static int insert(struct group *g, size_t at, sqlite3_stmt *st,
		  struct ai_err *err)
{
	size_t cap = g->cap == 0 ? 16 : 2 * g->cap;
	struct passage *v;

	if (g->n == g->cap) {
		v = reallocarray(g->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		g->v = v;
		g->cap = cap;
	}
	memmove(g->v + at + 1, g->v + at, (g->n - at) * sizeof(*g->v));
	if (read_passage(&g->v[at], st, err) < 0) {
		memmove(g->v + at, g->v + at + 1,
			(g->n - at) * sizeof(*g->v));
		return -1;
	}
	g->n++;
	g->own += at == 0 && g->n > 1;
	g->size += g->v[at].text.len;
	return 0;
}

static int begin(struct group *g, int64_t n, struct ai_err *err)
{
	struct search_index *ix = g->ix;
	struct ai_span s;
	sqlite3_stmt *st;
	int rc;

	group_clear(g);
	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc == 0)
		rc = ai_db_damaged(&ix->db, err, "document %lld is not there",
				   (long long)n);
	if (rc > 0)
		rc = search_check_row(ix, st, g->vector, err);
	if (rc == 0) {
		ai_buf_clear(&g->uri);
		ai_buf_clear(&g->doc);
		ai_buf_clear(&g->source);
		s = ai_db_span(st, COL_URI);
		ai_buf_add(&g->uri, s.p == NULL ? "" : s.p, s.n);
		s = ai_db_span(st, COL_DOC);
		ai_buf_add(&g->doc, s.p == NULL ? "" : s.p, s.n);
		s = ai_db_span(st, COL_SOURCE);
		ai_buf_add(&g->source, s.p == NULL ? "" : s.p, s.n);
		rc = ai_buf_check(&g->source, "a source", err);
	}
	if (rc == 0)
		rc = insert(g, 0, st, err);
	sqlite3_reset(st);
	return rc;
}

/* ---- growing ---------------------------------------------------------------------- */

/* Whether the row is of the section that the hit is in, or of one below. */
static bool in_section(const struct group *g, sqlite3_stmt *st)
{
	struct ai_value own = ai_json_member(
		parse((struct ai_span){ g->source.p, g->source.len }),
		AI_SPAN("heading"));
	struct ai_value other = ai_json_member(
		parse(ai_db_span(st, COL_SOURCE)), AI_SPAN("heading"));
	struct ai_json_iter a, b;
	struct ai_value x, y;

	if (own.kind != AI_ARRAY || other.kind != AI_ARRAY)
		return own.kind != AI_ARRAY && other.kind != AI_ARRAY;
	ai_json_iter_init(&a, own);
	ai_json_iter_init(&b, other);
	while (ai_json_next(&a, NULL, &x))
		if (!ai_json_next(&b, NULL, &y) || !ai_span_eq(x.s, y.s))
			return false;
	return true;
}

static bool belongs(const struct group *g, const struct seen *seen,
		    sqlite3_stmt *st, int64_t part)
{
	int64_t far = part - g->v[g->own].part;

	if (has(seen, sqlite3_column_int64(st, COL_N)) ||
	    g->size + ai_db_span(st, COL_TEXT).n > (size_t)search.expand_bytes)
		return false;
	return g->reach < 0 ? in_section(g, st)
			    : far <= g->reach && -far <= g->reach;
}

/* The passage behind the last one, or before the first; *more is false if it
 * is none of ours. */
static int grow(struct group *g, const struct seen *seen, bool behind,
		bool *more, struct ai_err *err)
{
	struct search_index *ix = g->ix;
	int64_t part = behind ? g->v[g->n - 1].part + 1 : g->v[0].part - 1;
	struct ai_span doc = { g->doc.len > 0 ? g->doc.p : NULL, g->doc.len };
	sqlite3_stmt *st;
	int rc;

	*more = false;
	if (part < 0 ||
	    SEARCH_BIND(ix, SQL_PART, err, "tti",
			(struct ai_span){ g->uri.p, g->uri.len }, doc,
			part) < 0)
		return part < 0 ? 0 : -1;
	st = ix->st[SQL_PART];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0 && belongs(g, seen, st, part)) {
		*more = true;
		rc = search_check_row(ix, st, g->vector, err);
		if (rc == 0)
			rc = insert(g, behind ? g->n : 0, st, err);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

static int grow_all(struct group *g, const struct seen *seen,
		    struct ai_err *err)
{
	bool behind = true, before = true;

	if (g->uri.len == 0 || g->v[0].part < 0)
		return 0;
	while (behind || before) {
		if (behind && grow(g, seen, true, &behind, err) < 0)
			return -1;
		if (before && grow(g, seen, false, &before, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- joining ------------------------------------------------------------------------ */

/* How many bytes at the end of a are those at the beginning of b. */
static size_t overlap(const struct ai_buf *a, const struct passage *before,
		      const struct passage *b)
{
	size_t most = a->len < b->text.len ? a->len : b->text.len, n;
	int64_t told = before->bytes[1] - b->bytes[0];

	if (b->bytes[0] >= 0 && before->bytes[1] >= 0) {
		if (told <= 0)
			return 0;
		n = (size_t)told;
		if (n <= most && memcmp(a->p + a->len - n, b->text.p, n) == 0)
			return n;
	}
	for (n = most > 4096 ? 4096 : most; n >= OVERLAP_MIN; n--)
		if (memcmp(a->p + a->len - n, b->text.p, n) == 0)
			return n;
	return 0;
}

static void join(const struct group *g, struct ai_buf *out)
{
	const struct passage *p;
	size_t i, n;

	for (i = 0; i < g->n; i++) {
		p = &g->v[i];
		n = i == 0 ? 0 : overlap(out, p - 1, p);
		/* What the chunker left out between them were blanks. */
		if (i > 0 && n == 0 &&
		    (p->bytes[0] < 0 || p->bytes[0] != p[-1].bytes[1]))
			ai_buf_str(out, out->len > 0 &&
				   out->p[out->len - 1] == '\n' ? "\n"
								: "\n\n");
		ai_buf_add(out, ai_buf_cstr(&p->text) + n, p->text.len - n);
	}
}

static void put_pair(struct ai_buf *b, const char *key, int64_t from,
		     int64_t to)
{
	ai_put_key(b, key);
	ai_put_open(b, '[');
	ai_put_i64(b, from);
	ai_put_i64(b, to);
	ai_put_close(b, ']');
}

/* The hit's own source, but from where the first begins to where the last
 * ends. */
static void put_source(const struct group *g, struct ai_buf *b)
{
	const struct passage *first = g->v, *last = g->v + g->n - 1;
	struct ai_value source =
		parse((struct ai_span){ g->source.p, g->source.len });
	struct ai_value key, val;
	struct ai_json_iter it;

	if (source.kind != AI_OBJECT)
		return;
	ai_put_open(b, '{');
	ai_json_iter_init(&it, source);
	while (ai_json_next(&it, &key, &val)) {
		if (ai_json_is(key, AI_SPAN("bytes")) && first->bytes[0] >= 0) {
			put_pair(b, "bytes", first->bytes[0], last->bytes[1]);
		} else if (ai_json_is(key, AI_SPAN("lines")) &&
			   first->lines[0] >= 0) {
			put_pair(b, "lines", first->lines[0], last->lines[1]);
		} else {
			ai_put_value(b, key);
			ai_buf_chr(b, ':');
			ai_put_value(b, val);
		}
	}
	ai_put_close(b, '}');
}

static void put_about(const struct group *g, struct ai_buf *b)
{
	size_t i;

	ai_put_open(b, '{');
	put_pair(b, "parts", g->v[0].part, g->v[g->n - 1].part);
	ai_put_key(b, "ids");
	ai_put_open(b, '[');
	for (i = 0; i < g->n; i++)
		ai_put_raw(b, g->v[i].id.p, g->v[i].id.len);
	ai_put_close(b, ']');
	ai_put_close(b, '}');
}

static int finish(struct group *g, struct seen *seen,
		  struct search_expansion *x, struct ai_err *err)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (add_seen(seen, g->v[i].n, err) < 0)
			return -1;
	ai_buf_init(&x->text, SEARCH_TEXT_MAX);
	ai_buf_init(&x->source, SEARCH_TEXT_MAX);
	ai_buf_init(&x->about, SEARCH_TEXT_MAX);
	if (g->n < 2)
		return 0;
	join(g, &x->text);
	put_source(g, &x->source);
	put_about(g, &x->about);
	return ai_buf_check(&x->text, "the passages", err) < 0 ? -1 :
		ai_buf_check(&x->about, "the passages", err);
}

/* ---- the list ------------------------------------------------------------------------ */

static int expand_all(struct group *g, struct seen *seen,
		      struct search_list *l, size_t k,
		      struct search_expansion *out, struct ai_err *err)
{
	size_t i, to = 0;

	for (i = 0; i < l->n && to < k; i++) {
		if (has(seen, l->v[i].key.n))
			continue;
		if (begin(g, l->v[i].key.n, err) < 0 ||
		    grow_all(g, seen, err) < 0 ||
		    finish(g, seen, &out[to], err) < 0)
			return -1;
		l->v[to++] = l->v[i];
	}
	l->n = to;
	return 0;
}

int search_expand(struct search_list *l, struct search_index *ix, size_t k,
		  struct search_expansion **out, struct ai_err *err)
{
	struct group g = { .ix = ix, .reach = -1 };
	struct seen seen = { NULL, 0, 0 };
	int rc = -1;

	*out = NULL;
	if (search.expand == NULL ||
	    (ai_parse_i64(ai_span_of(search.expand), &g.reach) == 0 &&
	     g.reach == 0))
		return 0;
	k = k < l->n ? k : l->n;
	ai_buf_init(&g.uri, 1 << 20);
	ai_buf_init(&g.doc, 1 << 20);
	ai_buf_init(&g.source, SEARCH_TEXT_MAX);
	g.vector = malloc(((size_t)ix->info.dim + 1) * sizeof(*g.vector));
	*out = calloc(k + 1, sizeof(**out));
	if (g.vector == NULL || *out == NULL)
		ai_err_nomem(err);
	else
		rc = expand_all(&g, &seen, l, k, *out, err);
	group_clear(&g);
	free(g.v);
	free(g.vector);
	free(seen.v);
	ai_buf_release(&g.uri);
	ai_buf_release(&g.doc);
	ai_buf_release(&g.source);
	if (rc < 0) {
		search_expansions_release(*out, k);
		*out = NULL;
	}
	return rc;
}

void search_expansions_release(struct search_expansion *v, size_t n)
{
	size_t i;

	for (i = 0; v != NULL && i < n; i++) {
		ai_buf_release(&v[i].text);
		ai_buf_release(&v[i].source);
		ai_buf_release(&v[i].about);
	}
	free(v);
}
