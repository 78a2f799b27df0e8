/*
 * tags.c: the tags of documents as they come and go.
 *
 * What a transaction adds and removes is kept until it commits, or until it
 * is much, and then goes block by block into the file: a block is written
 * once for many records.
 */
#include "tags.h"

#include "search.h"

#include <stdlib.h>
#include <string.h>

#define PENDING_MAX ((size_t)1 << 20)    /* changes */
#define PENDING_BYTES ((size_t)16 << 20)
#define BLOCK_MAX ((size_t)1 << 29)
#define PATHS_MAX 100000 /* that are remembered */

/* A value that a row gets, or (drop) the end of all it had at this path. */
struct change {
	int64_t at; /* the block's row in table tags */
	size_t from, n, order;
	unsigned short row;
	unsigned char kind;
	bool drop;
};

struct path {
	struct ai_span name; /* owned; NULL: free */
	int64_t p;
};

struct search_tags {
	struct change *v;
	size_t n, cap;
	struct ai_buf bytes; /* the values */
	struct path *paths;
	size_t n_paths, cap_paths; /* a power of two */
	/* One block at work. */
	struct search_tag *tags;
	size_t n_tags, cap_tags;
	struct ai_buf block, old;
	/* search_tags_check(): which block is gathered; how many were seen. */
	int64_t block_of, blocks;
};

static struct search_tags *tags_of(struct search_index *ix, struct ai_err *err)
{
	struct search_tags *t = ix->tags;

	if (t != NULL)
		return t;
	t = ix->tags = calloc(1, sizeof(*t));
	if (t == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	ai_buf_init(&t->bytes, (size_t)1 << 31);
	ai_buf_init(&t->block, BLOCK_MAX);
	ai_buf_init(&t->old, BLOCK_MAX);
	t->block_of = -1;
	return t;
}

/* ---- paths -------------------------------------------------------------------- */

static void forget_paths(struct search_tags *t)
{
	size_t i;

	for (i = 0; i < t->cap_paths; i++)
		free((void *)(uintptr_t)t->paths[i].name.p);
	free(t->paths);
	t->paths = NULL;
	t->n_paths = t->cap_paths = 0;
}

static size_t place_of(const struct path *v, size_t cap, struct ai_span name)
{
	uint64_t h = name.n;
	size_t i;

	for (i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) *
			UINT64_C(0x100000001B3);
	i = (size_t)(h ^ h >> 29) & (cap - 1);
	while (v[i].name.p != NULL && !ai_span_eq(v[i].name, name))
		i = (i + 1) & (cap - 1);
	return i;
}

static int grow_paths(struct search_tags *t, struct ai_err *err)
{
	size_t cap = t->cap_paths == 0 ? 64 : 2 * t->cap_paths, i;
	struct path *v = calloc(cap, sizeof(*v));

	if (v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < t->cap_paths; i++)
		if (t->paths[i].name.p != NULL)
			v[place_of(v, cap, t->paths[i].name)] = t->paths[i];
	free(t->paths);
	t->paths = v;
	t->cap_paths = cap;
	return 0;
}

/* The path's number as the file has it; *p is 0 if it has none. */
static int look_up(struct search_index *ix, struct ai_span name, int64_t *p,
		   struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*p = 0;
	if (SEARCH_BIND(ix, SQL_PATH_FIND, err, "t", name) < 0)
		return -1;
	st = ix->st[SQL_PATH_FIND];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		*p = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc > 0 && (*p <= SEARCH_PATH_ODD || *p > INT32_MAX))
		return ai_db_damaged(&ix->db, err, "a path numbered %lld",
				     (long long)*p);
	return rc < 0 ? -1 : 0;
}

static int number_path(struct search_index *ix, struct ai_span name,
		       bool make, int64_t *p, struct ai_err *err)
{
	if (look_up(ix, name, p, err) < 0)
		return -1;
	if (*p != 0 || !make)
		return 0;
	if (SEARCH_BIND(ix, SQL_PATH_INSERT, err, "t", name) < 0 ||
	    ai_db_run(&ix->db, ix->st[SQL_PATH_INSERT], err) < 0)
		return -1;
	*p = sqlite3_last_insert_rowid(ix->db.h);
	return 0;
}

/* The same, remembered. */
static int path_of(struct search_index *ix, struct ai_span name, bool make,
		   int64_t *p, struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	size_t i;

	if (t->n_paths >= PATHS_MAX)
		forget_paths(t);
	if (4 * (t->n_paths + 1) > 3 * t->cap_paths && grow_paths(t, err) < 0)
		return -1;
	i = place_of(t->paths, t->cap_paths, name);
	if (t->paths[i].name.p != NULL) {
		*p = t->paths[i].p;
		return 0;
	}
	if (number_path(ix, name, make, p, err) < 0)
		return -1;
	if (*p == 0)
		return 0;
	name.p = ai_span_dup(name);
	if (name.p == NULL)
		return ai_err_nomem(err);
	t->paths[i] = (struct path){ name, *p };
	t->n_paths++;
	return 0;
}

/* ---- what is to be changed -------------------------------------------------------- */

struct adding {
	struct search_index *ix;
	int64_t n;
	bool drop, make; /* neither: they are to be there */
};

static int add_change(struct adding *a, int64_t path, enum search_kind kind,
		      struct ai_span value, struct ai_err *err)
{
	struct search_tags *t = a->ix->tags;
	size_t cap = t->cap == 0 ? 1024 : 2 * t->cap;
	struct change *v;

	if (t->n == t->cap) {
		v = reallocarray(t->v, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n] = (struct change){
		.at = path << 32 | a->n / SEARCH_TAG_ROWS,
		.from = t->bytes.len, .n = value.n, .order = t->n,
		.row = (unsigned short)(a->n % SEARCH_TAG_ROWS),
		.kind = (unsigned char)kind, .drop = a->drop,
	};
	t->n++;
	if (value.n > 0 && ai_buf_add(&t->bytes, value.p, value.n) < 0)
		return ai_buf_check(&t->bytes, "metadata", err);
	return 0;
}

static int add_value(void *arg, struct ai_span path, enum search_kind kind,
		     struct ai_span value, struct ai_err *err)
{
	struct adding *a = arg;
	int64_t p;

	if (path_of(a->ix, path, a->make, &p, err) < 0)
		return -1;
	if (p == 0 && !a->drop)
		return ai_db_damaged(&a->ix->db, err, "document %lld: --where "
				     "does not know its %.*s", (long long)a->n,
				     path.n > 60 ? 60 : (int)path.n, path.p);
	if (a->drop)
		value.n = 0;
	return p == 0 ? 0 : add_change(a, p, kind, value, err);
}

static int add_all(struct adding *a, struct ai_span source, struct ai_span meta,
		   struct ai_err *err)
{
	static const struct ai_span none = { "", 0 };
	bool odd;

	if (a->n < 0 || a->n / SEARCH_TAG_ROWS > UINT32_MAX)
		return ai_db_damaged(&a->ix->db, err, "row %lld",
				     (long long)a->n);
	if (tags_of(a->ix, err) == NULL ||
	    search_values(source, meta, true, add_value, a, &odd, err) < 0 ||
	    add_change(a, SEARCH_PATH_ALL, SEARCH_IS_NODE, none, err) < 0)
		return -1;
	return !odd ? 0 :
		add_change(a, SEARCH_PATH_ODD, SEARCH_IS_NODE, none, err);
}

static int flush_if_much(struct search_index *ix, struct ai_err *err)
{
	return ix->tags->n < PENDING_MAX && ix->tags->bytes.len < PENDING_BYTES
		? 0 : search_tags_flush(ix, err);
}

int search_tags_put(struct search_index *ix, int64_t n, struct ai_span source,
		    struct ai_span meta, struct ai_err *err)
{
	struct adding a = { ix, n, false, true };

	return add_all(&a, source, meta, err) < 0 ? -1 : flush_if_much(ix, err);
}

int search_tags_drop(struct search_index *ix, int64_t n, struct ai_span source,
		     struct ai_span meta, struct ai_err *err)
{
	struct adding a = { ix, n, true, false };

	return add_all(&a, source, meta, err) < 0 ? -1 : flush_if_much(ix, err);
}

/* ---- into the file ------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
	const struct change *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int add_tag(struct search_tags *t, struct search_tag tag,
		   struct ai_err *err)
{
	size_t cap = t->cap_tags == 0 ? 1024 : 2 * t->cap_tags;
	struct search_tag *v;

	if (t->n_tags == t->cap_tags) {
		v = reallocarray(t->tags, cap, sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		t->tags = v;
		t->cap_tags = cap;
	}
	t->tags[t->n_tags++] = tag;
	return 0;
}

static int not_a_block(struct search_index *ix, struct ai_err *err)
{
	return ai_db_damaged(&ix->db, err, "a block of what --where looks up "
			     "is not what was written");
}

/* The tags of an old block but for those of dropped rows. */
static int take_old(struct search_index *ix, const bool *dropped,
		    struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	struct search_tag_value v;
	struct search_tag_iter it;
	unsigned char bits[SEARCH_TAG_BITS];
	unsigned row;
	int rc;

	if (t->old.len == 0)
		return 0;
	if (!search_tag_open(&it, (struct ai_span){ t->old.p, t->old.len }))
		return not_a_block(ix, err);
	while ((rc = search_tag_next(&it, &v)) > 0) {
		memset(bits, 0, sizeof(bits));
		search_tag_mark(&v, bits);
		for (row = 0; row < SEARCH_TAG_ROWS; row++)
			if ((bits[row / 8] >> row % 8 & 1) && !dropped[row] &&
			    add_tag(t, (struct search_tag){ v.kind, row,
							    v.value }, err) < 0)
				return -1;
	}
	return rc < 0 ? not_a_block(ix, err) : 0;
}

static int load_old(struct search_index *ix, int64_t at, struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	sqlite3_stmt *st;
	struct ai_span s;
	int rc;

	ai_buf_clear(&t->old);
	if (SEARCH_BIND(ix, SQL_TAGS_GET, err, "i", at) < 0)
		return -1;
	st = ix->st[SQL_TAGS_GET];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0) {
		s = ai_db_span(st, 0);
		ai_buf_add(&t->old, s.p, s.n);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : ai_buf_check(&t->old, "a block of tags", err);
}

/* The block that changes v[0..n), all of one block, make of the old one. */
static int make_block(struct search_index *ix, const struct change *v, size_t n,
		      struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	bool dropped[SEARCH_TAG_ROWS] = { false };
	size_t i, from, end;

	t->n_tags = 0;
	for (i = 0; i < n; i = end) {
		for (from = end = i; end < n && v[end].row == v[i].row; end++)
			if (v[end].drop)
				from = end;
		dropped[v[i].row] = v[from].drop;
		for (; from < end; from++)
			if (!v[from].drop &&
			    add_tag(t, (struct search_tag){
					(enum search_kind)v[from].kind,
					v[from].row,
					{ t->bytes.p == NULL ? "" :
					  t->bytes.p + v[from].from,
					  v[from].n } }, err) < 0)
				return -1;
	}
	if (take_old(ix, dropped, err) < 0)
		return -1;
	search_tag_write(t->tags, t->n_tags, &t->block);
	return ai_buf_check(&t->block, "a block of tags", err);
}

static int flush_block(struct search_index *ix, const struct change *v,
		       size_t n, struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	struct ai_span s;

	if (load_old(ix, v->at, err) < 0 || make_block(ix, v, n, err) < 0)
		return -1;
	if (t->block.len == t->old.len &&
	    (t->old.len == 0 ||
	     memcmp(t->block.p, t->old.p, t->old.len) == 0))
		return 0;
	if (t->block.len == 0)
		return SEARCH_BIND(ix, SQL_TAGS_DELETE, err, "i", v->at) < 0
			? -1 : ai_db_run(&ix->db, ix->st[SQL_TAGS_DELETE], err);
	s = (struct ai_span){ t->block.p, t->block.len };
	if (SEARCH_BIND(ix, SQL_TAGS_SET, err, "ib", v->at, s) < 0)
		return -1;
	return ai_db_run(&ix->db, ix->st[SQL_TAGS_SET], err);
}

static void empty(struct search_tags *t)
{
	t->n = 0;
	ai_buf_shrink(&t->bytes, PENDING_BYTES);
}

/* Calls each() for the changes of each block. */
static int each_block(struct search_index *ix,
		      int (*each)(struct search_index *, const struct change *,
				  size_t, struct ai_err *), struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	size_t i, end;
	int rc = 0;

	if (t->n > 0)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	for (i = 0; i < t->n && rc == 0; i = end) {
		for (end = i + 1; end < t->n && t->v[end].at == t->v[i].at;)
			end++;
		rc = each(ix, t->v + i, end - i, err);
	}
	empty(t);
	return rc;
}

int search_tags_flush(struct search_index *ix, struct ai_err *err)
{
	return ix->tags == NULL ? 0 : each_block(ix, flush_block, err);
}

void search_tags_forget(struct search_index *ix)
{
	if (ix->tags == NULL || ix->tags->n == 0)
		return;
	empty(ix->tags);
	/* Some of them may have got their numbers in vain. */
	forget_paths(ix->tags);
}

void search_tags_release(struct search_index *ix)
{
	struct search_tags *t = ix->tags;

	if (t == NULL)
		return;
	forget_paths(t);
	ai_buf_release(&t->bytes);
	ai_buf_release(&t->block);
	ai_buf_release(&t->old);
	free(t->v);
	free(t->tags);
	free(t);
	ix->tags = NULL;
}

/* ---- verify ------------------------------------------------------------------- */

static int check_block(struct search_index *ix, const struct change *v,
		       size_t n, struct ai_err *err)
{
	struct search_tags *t = ix->tags;
	long long from = (v->at & UINT32_MAX) * SEARCH_TAG_ROWS;

	ai_buf_clear(&t->old);
	if (make_block(ix, v, n, err) < 0 || load_old(ix, v->at, err) < 0)
		return -1;
	t->blocks++;
	if (t->block.len == t->old.len &&
	    memcmp(t->block.p, t->old.p, t->old.len) == 0)
		return 0;
	return ai_db_damaged(&ix->db, err, "what --where looks up of documents "
			     "%lld to %lld is not what they have", from,
			     from + SEARCH_TAG_ROWS - 1);
}

int search_tags_check(struct search_index *ix, int64_t n, struct ai_span source,
		      struct ai_span meta, struct ai_err *err)
{
	struct adding a = { ix, n, false, false };
	struct search_tags *t = tags_of(ix, err);

	if (t == NULL)
		return -1;
	if (t->block_of != n / SEARCH_TAG_ROWS) {
		if (each_block(ix, check_block, err) < 0)
			return -1;
		t->block_of = n / SEARCH_TAG_ROWS;
	}
	return add_all(&a, source, meta, err);
}

int search_tags_check_end(struct search_index *ix, struct ai_err *err)
{
	struct search_tags *t = tags_of(ix, err);
	sqlite3_stmt *st;
	int64_t n;

	if (t == NULL || each_block(ix, check_block, err) < 0 ||
	    SEARCH_BIND(ix, SQL_TAGS_COUNT, err, "") < 0)
		return -1;
	st = ix->st[SQL_TAGS_COUNT];
	if (ai_db_step(&ix->db, st, err) < 0)
		return -1;
	n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (n == t->blocks)
		return 0;
	return ai_db_damaged(&ix->db, err, "--where looks into %lld blocks; "
			     "the documents have %lld", (long long)n,
			     (long long)t->blocks);
}
