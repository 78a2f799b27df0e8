/* filter.c: --where as a bitmap over rows. */
#include "filter.h"

#include "search.h"
#include "tags.h"

#include <stdlib.h>
#include <string.h>

struct evaluation {
	struct search_index *ix;
	const struct search_where *w;
	size_t bytes;          /* of one bitmap, whole blocks */
	unsigned char **tests; /* owned; a bitmap a test */
	unsigned char *all;
};

static int parse(const struct ai_opt_list *where, struct search_where *w,
		 struct ai_err *err)
{
	size_t i;

	for (i = 0; i < where->n; i++)
		if (search_where_add(w, where->v[i], err) < 0)
			return -1;
	return 0;
}

int search_filter_check(const struct ai_opt_list *where, struct ai_err *err)
{
	struct search_where w = { NULL };
	int rc = parse(where, &w, err);

	search_where_release(&w);
	return rc;
}

/* ---- a path's blocks ---------------------------------------------------------- */

static int not_a_block(struct search_index *ix, struct ai_err *err)
{
	return ai_db_damaged(&ix->db, err, "a block of what --where looks up "
			     "is not what was written");
}

/* Sets the bits of those tests on the path of test `first` that hold. */
static int take_block(struct evaluation *e, size_t first, int64_t block,
		      struct ai_span data, struct ai_err *err)
{
	const struct search_where *w = e->w;
	struct search_tag_value v;
	struct search_tag_iter it;
	size_t i, at = (size_t)block * SEARCH_TAG_BITS;
	int rc;

	if (!search_tag_open(&it, data))
		return not_a_block(e->ix, err);
	/* Rows behind the last document are nothing to find. */
	if (block < 0 || at >= e->bytes)
		return 0;
	while ((rc = search_tag_next(&it, &v)) > 0)
		for (i = first; i < w->n_tests; i++)
			if (ai_span_eq(w->tests[i].path,
				       w->tests[first].path) &&
			    search_test_holds(&w->tests[i], v.kind, v.value))
				search_tag_mark(&v, e->tests[i] + at);
	return rc < 0 ? not_a_block(e->ix, err) : 0;
}

/* Calls each() for the blocks of a path. */
static int scan(struct search_index *ix, int64_t path,
		int (*each)(struct evaluation *e, size_t first, int64_t block,
			    struct ai_span data, struct ai_err *err),
		struct evaluation *e, size_t first, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_TAGS_SCAN, err, "ii", path << 32,
			path << 32 | UINT32_MAX) < 0)
		return -1;
	st = ix->st[SQL_TAGS_SCAN];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0) {
		if (each(e, first, sqlite3_column_int64(st, 0) & UINT32_MAX,
			 ai_db_span(st, 1), err) < 0) {
			sqlite3_reset(st);
			return -1;
		}
	}
	return rc;
}

/* All tests on one path at once, when its first one comes. */
static int take_path(struct evaluation *e, size_t first, struct ai_err *err)
{
	struct ai_span path = e->w->tests[first].path;
	struct search_index *ix = e->ix;
	sqlite3_stmt *st;
	int64_t p = 0;
	size_t i;
	int rc;

	for (i = 0; i < first; i++)
		if (ai_span_eq(e->w->tests[i].path, path))
			return 0;
	if (SEARCH_BIND(ix, SQL_PATH_FIND, err, "t", path) < 0)
		return -1;
	st = ix->st[SQL_PATH_FIND];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		p = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc <= 0)
		return rc;
	return scan(ix, p, take_block, e, first, err);
}

static int take_all(struct evaluation *e, size_t first, int64_t block,
		    struct ai_span data, struct ai_err *err)
{
	struct search_tag_value v;
	struct search_tag_iter it;
	int rc;

	(void)first;
	if (!search_tag_open(&it, data))
		return not_a_block(e->ix, err);
	while ((rc = search_tag_next(&it, &v)) > 0)
		if ((size_t)block * SEARCH_TAG_BITS < e->bytes)
			search_tag_mark(&v, e->all +
					(size_t)block * SEARCH_TAG_BITS);
	return rc < 0 ? not_a_block(e->ix, err) : 0;
}

/* ---- the tree ------------------------------------------------------------------ */

/* The bitmap of each node becomes that of a test below it, which is used up;
 * children stand before their parents. */
static void combine(struct evaluation *e, unsigned char **of)
{
	const struct search_where *w = e->w;
	size_t i, k;

	for (i = 0; i < w->n_nodes; i++) {
		const struct search_node *n = &w->nodes[i];
		const unsigned char *b;
		unsigned char *a;

		a = of[i] = n->kind == SEARCH_NODE_TEST ? e->tests[n->left]
							: of[n->left];
		if (n->kind == SEARCH_NODE_NOT) {
			for (k = 0; k < e->bytes; k++)
				a[k] = (unsigned char)(e->all[k] & ~a[k]);
		} else if (n->kind == SEARCH_NODE_AND) {
			for (b = of[n->right], k = 0; k < e->bytes; k++)
				a[k] &= b[k];
		} else if (n->kind == SEARCH_NODE_OR) {
			for (b = of[n->right], k = 0; k < e->bytes; k++)
				a[k] |= b[k];
		}
	}
}

/* ---- documents with more values than tags ----------------------------------------- */

struct looking {
	const struct search_where *w;
	bool holds[SEARCH_TESTS_MAX];
};

static int look(void *arg, struct ai_span path, enum search_kind kind,
		struct ai_span value, struct ai_err *err)
{
	struct looking *l = arg;
	size_t i;

	(void)err;
	for (i = 0; i < l->w->n_tests; i++)
		if (!l->holds[i] && ai_span_eq(l->w->tests[i].path, path))
			l->holds[i] = search_test_holds(&l->w->tests[i], kind,
							value);
	return 0;
}

static int look_into(struct evaluation *e, int64_t n, bool *holds,
		     struct ai_err *err)
{
	struct search_index *ix = e->ix;
	struct looking l = { .w = e->w };
	sqlite3_stmt *st;
	bool odd;
	int rc;

	*holds = false;
	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0) {
		rc = search_values(ai_db_span(st, COL_SOURCE),
				   ai_db_span(st, COL_META), false, look, &l,
				   &odd, err);
		*holds = search_where_holds(e->w, l.holds);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* Those in `all` are the odd ones now. */
static int look_into_odd(struct evaluation *e, unsigned char *bits,
			 struct ai_err *err)
{
	unsigned char bit;
	bool holds;
	size_t n;

	for (n = 0; n < 8 * e->bytes; n++) {
		bit = (unsigned char)(1 << n % 8);
		if (!(e->all[n / 8] & bit))
			continue;
		if (look_into(e, (int64_t)n, &holds, err) < 0)
			return -1;
		bits[n / 8] = (unsigned char)((bits[n / 8] & ~bit) |
					      (holds ? bit : 0));
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------------------ */

static int evaluate(struct evaluation *e, unsigned char **of,
		    unsigned char *out, struct ai_err *err)
{
	size_t i;

	for (i = 0; i < e->w->n_tests; i++) {
		e->tests[i] = calloc(1, e->bytes);
		if (e->tests[i] == NULL)
			return ai_err_nomem(err);
	}
	for (i = 0; i < e->w->n_tests; i++)
		if (take_path(e, i, err) < 0)
			return -1;
	if (scan(e->ix, SEARCH_PATH_ALL, take_all, e, 0, err) < 0)
		return -1;
	combine(e, of);
	memcpy(out, of[e->w->root], e->bytes);
	memset(e->all, 0, e->bytes);
	if (scan(e->ix, SEARCH_PATH_ODD, take_all, e, 0, err) < 0)
		return -1;
	return look_into_odd(e, out, err);
}

static int make(struct search_filter *f, struct evaluation *e,
		struct ai_err *err)
{
	const struct search_where *w = e->w;
	unsigned char **of = calloc(w->n_nodes + 1, sizeof(*of));
	int64_t last = e->ix->info.next - 1;
	size_t i;
	int rc = -1;

	e->tests = calloc(w->n_tests + 1, sizeof(*e->tests));
	if (of == NULL || e->tests == NULL) {
		ai_err_nomem(err);
	} else {
		f->size = last + 1;
		e->bytes = ((size_t)last / SEARCH_TAG_ROWS + 1) *
			SEARCH_TAG_BITS;
		f->bits = calloc(1, e->bytes);
		e->all = calloc(1, e->bytes);
		rc = f->bits == NULL || e->all == NULL ? ai_err_nomem(err)
			: evaluate(e, of, f->bits, err);
	}
	for (i = 0; rc == 0 && i < e->bytes; i++)
		f->count += __builtin_popcount(f->bits[i]);
	for (i = 0; e->tests != NULL && i < w->n_tests; i++)
		free(e->tests[i]);
	free(e->tests);
	free(e->all);
	free(of);
	return rc;
}

int search_filter_init(struct search_filter *f, struct search_index *ix,
		       const struct ai_opt_list *where, struct ai_err *err)
{
	struct search_where w = { NULL };
	struct evaluation e = { .ix = ix, .w = &w };
	int rc;

	*f = (struct search_filter){ NULL, 0, 0 };
	if (where->n == 0)
		return 0;
	rc = parse(where, &w, err);
	if (rc == 0)
		rc = make(f, &e, err);
	search_where_release(&w);
	if (rc < 0)
		search_filter_release(f);
	return rc;
}

void search_filter_release(struct search_filter *f)
{
	free(f->bits);
	f->bits = NULL;
}
