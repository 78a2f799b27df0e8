#include "search.h"

#include <stdlib.h>
#include <string.h>

#define TAGS_MAX 1000 /* of one document */
#define VALUE_MAX 256 /* bytes; longer values cannot be looked up */
#define KEY_MAX 256

/* Walks over scalars; key is the path to the one at hand. */
struct walk {
	struct search_index *ix;
	int64_t n;
	int (*each)(struct walk *w, struct ai_span key, struct ai_span value);
	int count;
	int64_t *labels; /* that were found, by check_one */
	struct ai_buf key, value;
	struct ai_err *err;
};

static int run(struct walk *w, enum search_sql sql, struct ai_span key,
	       struct ai_span value)
{
	struct search_index *ix = w->ix;

	if (SEARCH_BIND(ix, sql, w->err, "itt", w->n, key, value) < 0)
		return -1;
	return ai_db_run(&ix->db, ix->st[sql], w->err);
}

static int put_one(struct walk *w, struct ai_span key, struct ai_span value)
{
	struct search_index *ix = w->ix;

	if (SEARCH_BIND(ix, SQL_LABEL_INSERT, w->err, "tt", key, value) < 0 ||
	    ai_db_run(&ix->db, ix->st[SQL_LABEL_INSERT], w->err) < 0)
		return -1;
	return run(w, SQL_TAG_INSERT, key, value);
}

static int drop_one(struct walk *w, struct ai_span key, struct ai_span value)
{
	return run(w, SQL_TAG_DELETE, key, value);
}

static int check_one(struct walk *w, struct ai_span key, struct ai_span value)
{
	struct search_index *ix = w->ix;
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_TAG_HAS, w->err, "itt", w->n, key, value) < 0)
		return -1;
	st = ix->st[SQL_TAG_HAS];
	rc = ai_db_step(&ix->db, st, w->err);
	if (rc == 0)
		return ai_db_damaged(&ix->db, w->err, "document %lld: --where "
				     "does not find it by its %.*s",
				     (long long)w->n,
				     key.n > 60 ? 60 : (int)key.n, key.p);
	if (rc > 0)
		w->labels[w->count - 1] = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

static int tag_one(struct walk *w, struct ai_value v)
{
	struct ai_span key = { w->key.p, w->key.len }, value = v.s;

	if (w->count >= TAGS_MAX || w->key.len == 0 ||
	    w->key.bad != AI_E_NONE)
		return 0;
	ai_buf_clear(&w->value);
	if (v.kind == AI_STRING) {
		if (ai_json_text(v, &w->value) < 0)
			return 0;
		value = (struct ai_span){ ai_buf_cstr(&w->value),
					  w->value.len };
	}
	if (value.n > VALUE_MAX)
		return 0;
	w->count++;
	return w->each(w, key, value);
}

/* Objects add a step to the key, arrays do not: tags=["a","b"] is found by
 * tags=a.  Depth is bounded by the scanner's. */
static int walk(struct walk *w, struct ai_value v)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	size_t len = w->key.len;
	int rc = 0;

	if (v.kind == AI_NULL || v.kind == AI_NONE)
		return 0;
	if (v.kind != AI_OBJECT && v.kind != AI_ARRAY)
		return tag_one(w, v);
	ai_json_iter_init(&it, v);
	while (rc == 0 && ai_json_next(&it, &key, &val)) {
		if (v.kind == AI_OBJECT) {
			if (len > 0)
				ai_buf_chr(&w->key, '.');
			ai_json_text(key, &w->key);
		}
		rc = walk(w, val);
		w->key.bad = AI_E_NONE;
		w->key.len = len;
	}
	return rc;
}

/* Where a passage begins and ends is nothing to look for. */
static int walk_source(struct walk *w, struct ai_value source)
{
	static const char *const names[] = { "uri", "page", "heading" };
	size_t i;
	int rc = 0;

	for (i = 0; i < 3 && rc == 0; i++) {
		ai_buf_clear(&w->key);
		ai_buf_fmt(&w->key, "source.%s", names[i]);
		rc = walk(w, ai_json_member(source, ai_span_of(names[i])));
	}
	return rc;
}

static struct ai_value parse(struct ai_span s)
{
	struct ai_value v;

	if (s.p == NULL || ai_json_check(s.p, s.n, &v, NULL) < 0)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return v;
}

static int walk_all(struct walk *w, struct ai_span source, struct ai_span meta)
{
	int rc;

	ai_buf_init(&w->key, KEY_MAX);
	ai_buf_init(&w->value, VALUE_MAX);
	rc = walk(w, parse(meta));
	if (rc == 0)
		rc = walk_source(w, parse(source));
	ai_buf_release(&w->key);
	ai_buf_release(&w->value);
	return rc;
}

int search_tags_put(struct search_index *ix, int64_t n, struct ai_span source,
		    struct ai_span meta, struct ai_err *err)
{
	struct walk w = { .ix = ix, .n = n, .each = put_one, .err = err };

	return walk_all(&w, source, meta);
}

int search_tags_drop(struct search_index *ix, int64_t n, struct ai_span source,
		     struct ai_span meta, struct ai_err *err)
{
	struct walk w = { .ix = ix, .n = n, .each = drop_one, .err = err };

	return walk_all(&w, source, meta);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int search_tags_check(struct search_index *ix, int64_t n, struct ai_span source,
		      struct ai_span meta, int64_t *count, struct ai_err *err)
{
	int64_t labels[TAGS_MAX];
	struct walk w = { .ix = ix, .n = n, .each = check_one,
			  .labels = labels, .err = err };
	int i;

	if (walk_all(&w, source, meta) < 0)
		return -1;
	/* What stands there twice has one tag. */
	qsort(labels, (size_t)w.count, sizeof(*labels), compare);
	for (i = 0; i < w.count; i++)
		*count += i == 0 || labels[i] != labels[i - 1];
	return 0;
}

/* ---- --where ----------------------------------------------------------------- */

int search_filter_check(const struct ai_opt_list *where, struct ai_err *err)
{
	const char *eq;
	size_t i;

	for (i = 0; i < where->n; i++) {
		eq = strchr(where->v[i], '=');
		if (eq == NULL || eq == where->v[i])
			return ai_err_set(err, AI_E_USAGE, "--where %.100s: "
					  "write KEY=VALUE", where->v[i]);
		if (strlen(eq + 1) > VALUE_MAX)
			return ai_err_set(err, AI_E_USAGE, "--where %.100s...: "
					  "values longer than %d bytes cannot "
					  "be looked up", where->v[i],
					  VALUE_MAX);
	}
	return 0;
}

/* The documents with one tag. */
static int find(struct search_index *ix, const char *where,
		unsigned char *bits, int64_t size, struct ai_err *err)
{
	const char *eq = strchr(where, '=');
	struct ai_span key = { where, (size_t)(eq - where) };
	int64_t n;
	int rc;

	if (key.n > 5 && memcmp(key.p, "meta.", 5) == 0)
		key = (struct ai_span){ key.p + 5, key.n - 5 };
	if (SEARCH_BIND(ix, SQL_TAG_FIND, err, "tt", key,
			ai_span_of(eq + 1)) < 0)
		return -1;
	while ((rc = ai_db_step(&ix->db, ix->st[SQL_TAG_FIND], err)) > 0) {
		n = sqlite3_column_int64(ix->st[SQL_TAG_FIND], 0);
		if (n >= 0 && n < size)
			bits[n / 8] |= (unsigned char)(1 << n % 8);
	}
	return rc;
}

static int last_row(struct search_index *ix, int64_t *n, struct ai_err *err)
{
	if (SEARCH_BIND(ix, SQL_LAST, err, "") < 0 ||
	    ai_db_step(&ix->db, ix->st[SQL_LAST], err) < 0)
		return -1;
	*n = sqlite3_column_int64(ix->st[SQL_LAST], 0);
	sqlite3_reset(ix->st[SQL_LAST]);
	if (*n < 0 || *n > INT64_C(1) << 40)
		return ai_db_damaged(&ix->db, err, "row %lld", (long long)*n);
	return 0;
}

int search_filter_init(struct search_filter *f, struct search_index *ix,
		       const struct ai_opt_list *where, struct ai_err *err)
{
	unsigned char *bits;
	size_t i, bytes, k;
	int64_t last;
	int rc = 0;

	*f = (struct search_filter){ NULL, 0, 0 };
	if (where->n == 0)
		return 0;
	if (last_row(ix, &last, err) < 0)
		return -1;
	bytes = (size_t)last / 8 + 1;
	f->size = last + 1;
	f->bits = malloc(bytes);
	bits = malloc(bytes);
	if (f->bits == NULL || bits == NULL)
		rc = ai_err_nomem(err);
	else
		memset(f->bits, 0xFF, bytes);
	for (i = 0; i < where->n && rc == 0; i++) {
		memset(bits, 0, bytes);
		rc = find(ix, where->v[i], bits, f->size, err);
		for (k = 0; k < bytes; k++)
			f->bits[k] &= bits[k];
	}
	free(bits);
	for (k = 0; k < bytes && rc == 0; k++)
		f->count += __builtin_popcount(f->bits[k]);
	if (rc < 0)
		search_filter_release(f);
	return rc;
}

void search_filter_release(struct search_filter *f)
{
	free(f->bits);
	f->bits = NULL;
}

bool search_filter_has(const struct search_filter *f, int64_t n)
{
	if (f->bits == NULL)
		return true;
	return n >= 0 && n < f->size && (f->bits[n / 8] >> n % 8 & 1);
}
