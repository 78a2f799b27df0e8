#include "search.h"

#include "text/vector.h"

#include <stdlib.h>
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

static int forget_vector(struct search_index *ix, int64_t n, float *v,
			 struct ai_err *err)
{
	size_t dim = (size_t)ix->info.dim;

	if (dim == 0)
		return 0;
	if (search_vector_of(ix, n, v, err) < 0)
		return -1;
	if (ai_vector_is_zero(v, dim))
		return 0;
	/* The average would be off by who knows what. */
	if (!search_rows_is_whole(v, dim))
		return search_rows_damaged(&ix->files.rows, n, err);
	ix->info.vectors--;
	return search_mean_add(ix, v, -1, err);
}

/* Takes row n, which st holds (SQL_BY_N), out of everything but table docs. */
static int unindex(struct search_index *ix, int64_t n, sqlite3_stmt *st,
		   float *v, struct ai_err *err)
{
	struct ai_span source = ai_db_span(st, COL_SOURCE);
	struct ai_span meta = ai_db_span(st, COL_META);

	if (forget_vector(ix, n, v, err) < 0)
		return -1;
	ix->info.documents--;
	if (search_pending_remove(ix, n, ai_db_span(st, COL_TEXT), source,
				  meta, err) < 0)
		return -1;
	return search_tags_drop(ix, n, source, meta, err);
}

int search_remove(struct search_index *ix, int64_t n, struct ai_err *err)
{
	float *v = malloc(((size_t)ix->info.dim + 1) * sizeof(*v));
	sqlite3_stmt *st;
	int rc;

	if (v == NULL)
		return ai_err_nomem(err);
	rc = search_own_awaits(ix, n) ? search_own_flush(ix, err) : 0;
	if (rc == 0)
		rc = SEARCH_BIND(ix, SQL_BY_N, err, "i", n);
	st = ix->st[SQL_BY_N];
	if (rc == 0)
		rc = ai_db_step(&ix->db, st, err);
	if (rc > 0) {
		rc = unindex(ix, n, st, v, err);
		sqlite3_reset(st);
		if (rc == 0)
			rc = SEARCH_BIND(ix, SQL_DELETE, err, "i", n);
		if (rc == 0)
			rc = run(ix, SQL_DELETE, err);
	}
	free(v);
	return rc;
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

void search_default_fusion(struct search_info *i)
{
	/* Equal ranks with a weak vector lose more than it gives.  The weights
	 * are those of make eval. */
	bool own = search_is_own(i), fitted = i->own == SEARCH_OWN_FITTED;
	bool weak = SEARCH_IS_LOCAL(i->model);

	i->rule = weak ? SEARCH_MINMAX : SEARCH_RRF;
	i->dense_weight = own ? fitted ? 0.35 : 0.3 : weak ? 0.2 : 1;
	i->sparse_weight = weak ? 1 - i->dense_weight : 1;
}

/* A first vector makes its model and its dimension the index's. */
static void adopt_model(struct search_index *ix,
			const struct search_document *d)
{
	struct search_info *i = &ix->info;

	if (d->vector == NULL || i->dim > 0)
		return;
	if (i->model[0] == '\0')
		memcpy(i->model, d->model, sizeof(i->model));
	i->dim = (int64_t)d->dim;
	search_default_fusion(i);
}

static int insert(struct search_index *ix, int64_t n,
		  const struct search_document *d, struct ai_err *err)
{
	struct ai_span text = { ai_buf_cstr(&d->text), d->text.len };
	struct ai_span hash = { (const char *)d->hash, sizeof(d->hash) };
	struct search_id id = search_document_id(d);

	if (SEARCH_BIND(ix, SQL_INSERT, err, id.number ? "ibttiibitttt" :
			"itttiibitttt", n, id.s, or_null(&d->uri),
			or_null(&d->doc), d->run, d->part, hash,
			(int64_t)(d->vector != NULL), d->source, d->chunk,
			or_null(&d->meta), text) < 0)
		return -1;
	return run(ix, SQL_INSERT, err);
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
	int64_t n;

	*changed = false;
	if (find_id(ix, search_document_id(d), &f, err) < 0)
		return -1;
	if (f.n != 0 && memcmp(f.hash, d->hash, sizeof(f.hash)) == 0)
		return f.run == d->run ? 0 : set_run(ix, f.n, d->run, err);
	*changed = true;
	if (f.n != 0 && search_remove(ix, f.n, err) < 0)
		return -1;
	if (ix->info.next >= SEARCH_ROW_MAX)
		return ai_err_set(err, AI_E_DATA, "the index '%.200s' has had "
				  "%lld documents, more than there are numbers "
				  "for: export it into a new one",
				  search.index, (long long)ix->info.next);
	adopt_model(ix, d);
	n = ix->info.next++;
	if (search_pending_add(ix, n, text, d->source, or_null(&d->meta),
			       d->vector, err) < 0 ||
	    (ix->info.own != SEARCH_OWN_NONE &&
	     search_own_fold_in(ix, n, text, err) < 0) ||
	    insert(ix, n, d, err) < 0 ||
	    search_tags_put(ix, n, d->source, or_null(&d->meta), err) < 0)
		return -1;
	ix->info.documents++;
	return 0;
}
