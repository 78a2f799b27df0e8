#include "search.h"

#include <string.h>

static struct ai_span or_null(const struct ai_buf *b)
{
	return (struct ai_span){ b->len > 0 ? b->p : NULL, b->len };
}

static int run(struct search_index *ix, enum search_sql sql,
	       struct ai_err *err)
{
	return ai_db_run(&ix->db, ix->st[sql], err);
}

/* Takes row n out of everything but table docs. st holds the row (SQL_BY_N):
 * FTS5 forgets a text only when shown it again. */
static int unindex(struct search_index *ix, int64_t n, sqlite3_stmt *st,
		   struct ai_err *err)
{
	int64_t tokens = sqlite3_column_int64(st, COL_TOKENS);
	bool vector = sqlite3_column_int(st, COL_VECTOR) != 0;

	if (SEARCH_BIND(ix, SQL_FTS_DELETE, err, "it", n,
			ai_db_span(st, COL_TEXT)) < 0 ||
	    run(ix, SQL_FTS_DELETE, err) < 0 ||
	    search_tags_drop(ix, n, ai_db_span(st, COL_SOURCE),
			     ai_db_span(st, COL_META), err) < 0)
		return -1;
	ix->info.documents--;
	ix->info.tokens -= tokens;
	ix->info.vectors -= vector;
	return 0;
}

static int clear_items(struct search_index *ix, int64_t n, struct ai_err *err)
{
	static const float zeros[65536];
	const uint32_t none = 0;

	if (search_blocks_put(ix, search_lengths(), n, &none, err) < 0 ||
	    search_blocks_prune(ix, search_lengths(), n, err) < 0)
		return -1;
	if (ix->info.dim == 0)
		return 0;
	if (search_blocks_put(ix, search_vectors(ix->info.dim), n, zeros,
			      err) < 0)
		return -1;
	return search_blocks_prune(ix, search_vectors(ix->info.dim), n, err);
}

int search_remove(struct search_index *ix, int64_t n, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc <= 0)
		return rc;
	rc = unindex(ix, n, st, err);
	sqlite3_reset(st);
	if (rc < 0 || SEARCH_BIND(ix, SQL_DELETE, err, "i", n) < 0 ||
	    run(ix, SQL_DELETE, err) < 0)
		return -1;
	return clear_items(ix, n, err);
}

/* A row that has an id; n 0: none. */
struct found {
	int64_t n, run;
	unsigned char hash[16];
};

static int find_id(struct search_index *ix, struct search_id id,
		   struct found *f, struct ai_err *err)
{
	sqlite3_stmt *st;
	struct ai_span h;
	int rc;

	memset(f, 0, sizeof(*f));
	if (SEARCH_BIND(ix, SQL_BY_ID, err, id.number ? "b" : "t", id.s) < 0)
		return -1;
	st = ix->st[SQL_BY_ID];
	rc = ai_db_step(&ix->db, st, err);
	if (rc <= 0)
		return rc;
	f->n = sqlite3_column_int64(st, 0);
	f->run = sqlite3_column_int64(st, 2);
	h = ai_db_span(st, 1);
	if (h.n == sizeof(f->hash))
		memcpy(f->hash, h.p, sizeof(f->hash));
	sqlite3_reset(st);
	return 0;
}

int search_remove_id(struct search_index *ix, struct search_id id, bool *found,
		     struct ai_err *err)
{
	struct found f;

	if (find_id(ix, id, &f, err) < 0)
		return -1;
	*found = f.n != 0;
	return f.n == 0 ? 0 : search_remove(ix, f.n, err);
}

/* ---- versions of a file ------------------------------------------------------ */

int search_find_stale(struct search_index *ix, struct search_version v,
		      int64_t *n, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (SEARCH_BIND(ix, SQL_STALE, err, "tti", v.uri, v.doc, v.run) < 0)
		return -1;
	st = ix->st[SQL_STALE];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		*n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

int search_remove_stale(struct search_index *ix, struct search_version v,
			struct ai_err *err)
{
	int64_t n;

	do {
		if (search_find_stale(ix, v, &n, err) < 0)
			return -1;
		if (n != 0 && search_remove(ix, n, err) < 0)
			return -1;
	} while (n != 0);
	return 0;
}

int search_count_parts(struct search_index *ix, struct search_version v,
		       int64_t of, int64_t *count, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*count = 0;
	if (SEARCH_BIND(ix, SQL_PARTS, err, "ttii", v.uri, v.doc, v.run,
			of) < 0)
		return -1;
	st = ix->st[SQL_PARTS];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		*count = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* ---- adding ------------------------------------------------------------------ */

/* A first vector makes its model and its dimension the index's. */
static void adopt_model(struct search_index *ix,
			const struct search_document *d)
{
	struct search_info *i = &ix->info;
	bool local;

	if (d->vector == NULL || i->dim > 0)
		return;
	if (i->model[0] == '\0')
		memcpy(i->model, d->model, sizeof(i->model));
	i->dim = (int64_t)d->dim;
	/* Equal ranks with a weak vector lose more than it gives. */
	local = strcmp(i->model, SEARCH_LOCAL) == 0;
	i->rule = local ? SEARCH_MINMAX : SEARCH_RRF;
	i->sparse_weight = local ? 0.8 : 1;
	i->dense_weight = local ? 0.2 : 1;
}

static int insert(struct search_index *ix, int64_t *n, int64_t tokens,
		  const struct search_document *d, struct ai_err *err)
{
	struct ai_span text = { ai_buf_cstr(&d->text), d->text.len };
	struct ai_span hash = { (const char *)d->hash, sizeof(d->hash) };
	struct search_id id = search_document_id(d);

	/* Without a row number SQLite takes the one behind the last. */
	if (SEARCH_BIND(ix, SQL_INSERT, err, id.number ? "ibttiibiitttt" :
			"itttiibiitttt", *n, id.s, or_null(&d->uri),
			or_null(&d->doc), d->run, d->part, hash, tokens,
			(int64_t)(d->vector != NULL), d->source, d->chunk,
			or_null(&d->meta), text) < 0)
		return -1;
	if (run(ix, SQL_INSERT, err) < 0)
		return -1;
	*n = sqlite3_last_insert_rowid(ix->db.h);
	if (SEARCH_BIND(ix, SQL_FTS_INSERT, err, "it", *n, text) < 0)
		return -1;
	/* FTS5 makes a copy unless SQLite knows of the NUL behind it. */
	if (text.n > 0 && memchr(text.p, '\0', text.n) == NULL &&
	    sqlite3_bind_text(ix->st[SQL_FTS_INSERT], 2, text.p, -1,
			      SQLITE_STATIC) != SQLITE_OK)
		return ai_err_nomem(err);
	return run(ix, SQL_FTS_INSERT, err);
}

static int put_items(struct search_index *ix, int64_t n, int64_t tokens,
		     const struct search_document *d, struct ai_err *err)
{
	uint32_t length = tokens > UINT32_MAX ? UINT32_MAX : (uint32_t)tokens;

	if (search_blocks_put(ix, search_lengths(), n, &length, err) < 0)
		return -1;
	if (d->vector == NULL)
		return 0;
	return search_blocks_put(ix, search_vectors(ix->info.dim), n,
				 d->vector, err);
}

/* The same as it was, but of another run. */
static int set_run(struct search_index *ix, int64_t n, int64_t run_number,
		   struct ai_err *err)
{
	if (SEARCH_BIND(ix, SQL_SET_RUN, err, "ii", run_number, n) < 0)
		return -1;
	return run(ix, SQL_SET_RUN, err);
}

int search_store(struct search_index *ix, const struct search_document *d,
		 bool *changed, struct ai_err *err)
{
	struct ai_span text = { ai_buf_cstr(&d->text), d->text.len };
	struct found f;
	int64_t n, tokens;

	*changed = false;
	if (find_id(ix, search_document_id(d), &f, err) < 0)
		return -1;
	if (f.n != 0 && memcmp(f.hash, d->hash, sizeof(f.hash)) == 0)
		return f.run == d->run ? 0 : set_run(ix, f.n, d->run, err);
	*changed = true;
	if (f.n != 0 && search_remove(ix, f.n, err) < 0)
		return -1;
	n = f.n;
	adopt_model(ix, d);
	if (search_count_terms(ix, text, &tokens, err) < 0 ||
	    insert(ix, &n, tokens, d, err) < 0 ||
	    put_items(ix, n, tokens, d, err) < 0 ||
	    search_tags_put(ix, n, d->source, or_null(&d->meta), err) < 0)
		return -1;
	ix->info.documents++;
	ix->info.tokens += tokens;
	ix->info.vectors += d->vector != NULL;
	return 0;
}
