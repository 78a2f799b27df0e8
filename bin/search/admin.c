/* admin.c: stats and export: what is in an index. */
#include "search.h"

#include "base/start.h"
#include "base/utf8.h"
#include "record/writer.h"
#include "text/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_operands(int argc, char **argv, struct ai_err *err)
{
	if (argc == 0)
		return 0;
	return ai_err_set(err, AI_E_USAGE, "no operand is expected: '%.200s'",
			  argv[0]);
}

int search_write(const struct ai_buf *b, struct ai_err *err)
{
	struct ai_writer w;
	int rc;

	if (ai_buf_check(b, "the record", err) < 0)
		return -1;
	ai_writer_init(&w, STDOUT_FILENO);
	rc = ai_writer_add(&w, b->p, b->len, err);
	if (rc == 0)
		rc = ai_writer_flush(&w, err);
	ai_writer_release(&w);
	return rc;
}

/* ---- stats --------------------------------------------------------------------- */

static void put_int(struct ai_buf *b, const char *key, int64_t v)
{
	ai_put_key(b, key);
	ai_put_i64(b, v);
}

static void put_real(struct ai_buf *b, const char *key, double v)
{
	ai_put_key(b, key);
	ai_put_f64(b, round(v * 100) / 100);
}

static void put_model(struct ai_buf *b, const struct search_info *i)
{
	ai_put_key(b, "model");
	ai_put_cstr(b, i->model[0] != '\0' ? i->model : NULL);
	ai_put_key(b, "dim");
	if (i->dim > 0)
		ai_put_i64(b, i->dim);
	else
		ai_put_null(b);
	/* What a hybrid query comes down to; one leg is not fused. */
	ai_put_key(b, "mode");
	ai_put_cstr(b, i->vectors > 0 ? "hybrid" : "sparse");
	if (i->vectors == 0)
		return;
	ai_put_key(b, "fusion");
	ai_put_open(b, '{');
	ai_put_key(b, "rule");
	ai_put_cstr(b, i->rule == SEARCH_RRF ? "rrf" : "minmax");
	put_real(b, "sparse", i->sparse_weight);
	put_real(b, "dense", i->dense_weight);
	ai_put_close(b, '}');
}

static int put_stats(struct search_index *ix, struct ai_buf *b,
		     struct ai_err *err)
{
	const struct search_info *i = &ix->info;
	int64_t files, pages, page_size;

	if (ai_db_int(&ix->db, "SELECT count(DISTINCT uri) FROM docs", &files,
		      err) < 0 ||
	    ai_db_int(&ix->db, "PRAGMA page_count", &pages, err) < 0 ||
	    ai_db_int(&ix->db, "PRAGMA page_size", &page_size, err) < 0)
		return -1;
	ai_put_open(b, '{');
	ai_put_key(b, "index");
	ai_put_cstr(b, ix->folder);
	put_int(b, "format", SEARCH_FORMAT);
	put_int(b, "documents", i->documents);
	put_int(b, "files", files);
	put_int(b, "terms", i->tokens);
	put_real(b, "terms_a_document", i->documents == 0 ? 0 :
		 (double)i->tokens / (double)i->documents);
	put_int(b, "vectors", i->vectors);
	put_model(b, i);
	ai_put_key(b, "ranking");
	ai_put_raw(b, "{\"rule\":\"bm25\",\"k1\":1.2,\"b\":0.75,"
		   "\"tokenizer\":\"porter unicode61\"}",
		   strlen("{\"rule\":\"bm25\",\"k1\":1.2,\"b\":0.75,"
			  "\"tokenizer\":\"porter unicode61\"}"));
	put_int(b, "bytes", pages * page_size);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
	return 0;
}

int search_stats(int argc, char **argv, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	struct search_index ix;
	int rc;

	if (no_operands(argc, argv, err) < 0 ||
	    search_index_open(&ix, AI_DB_READ, err) < 0)
		return -1;
	rc = search_index_begin(&ix, false, err);
	if (rc == 0)
		rc = put_stats(&ix, &b, err);
	if (rc == 0)
		rc = search_write(&b, err);
	ai_buf_release(&b);
	search_index_close(&ix);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

/* ---- export -------------------------------------------------------------------- */

static void put_json(struct ai_buf *b, const char *key, struct ai_span s)
{
	if (s.p == NULL || ai_json_check(s.p, s.n, NULL, NULL) < 0)
		return;
	ai_put_key(b, key);
	ai_put_raw(b, s.p, s.n);
}

static void put_vector(const struct search_info *i, const float *v,
		       struct ai_buf *b)
{
	ai_put_key(b, "embed");
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, i->model[0] != '\0' ? i->model : NULL);
	put_int(b, "dim", i->dim);
	ai_put_key(b, "norm");
	ai_put_cstr(b, "l2");
	ai_put_close(b, '}');
	ai_put_key(b, "embedding");
	ai_buf_chr(b, '"');
	ai_vector_to_base64(v, (size_t)i->dim, b);
	ai_buf_chr(b, '"');
}

static void put_document(const struct search_info *i, sqlite3_stmt *st,
			 const float *v, struct ai_buf *b)
{
	struct ai_span text = ai_db_span(st, COL_TEXT);

	ai_put_open(b, '{');
	ai_put_key(b, "id");
	search_put_id(b, search_id_at(st, COL_ID));
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	put_json(b, "source", ai_db_span(st, COL_SOURCE));
	put_json(b, "chunk", ai_db_span(st, COL_CHUNK));
	put_json(b, "meta", ai_db_span(st, COL_META));
	if (sqlite3_column_int(st, COL_VECTOR) != 0)
		put_vector(i, v, b);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

/* What stands for a document that is damaged; its id may be, too. */
static void put_damaged(sqlite3_stmt *st, const struct ai_err *why,
			struct ai_buf *b)
{
	struct search_id id = search_id_at(st, COL_ID);

	ai_put_open(b, '{');
	if (id.s.n > 0 && ai_utf8_valid(id.s.p, id.s.n) == id.s.n) {
		ai_put_key(b, "id");
		search_put_id(b, id);
	}
	ai_put_key(b, "error");
	ai_rec_put_error(b, ai_program.name, why, 0);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

struct export {
	struct search_index *ix;
	const struct search_filter *filter;
	struct ai_writer *writer;
	struct ai_buf record;
	float *vector;
	int64_t total, damaged;
};

static int export_row(struct export *x, sqlite3_stmt *st, struct ai_err *err)
{
	struct ai_buf *b = &x->record;
	struct ai_err why;

	if (!search_filter_has(x->filter, sqlite3_column_int64(st, COL_N)))
		return 0;
	ai_buf_shrink(b, (size_t)1 << 20);
	x->total++;
	if (search_check_row(x->ix, st, x->vector, &why) == 0) {
		put_document(&x->ix->info, st, x->vector, b);
	} else if (why.code == AI_E_DATA) {
		put_damaged(st, &why, b);
		x->damaged++;
	} else {
		*err = why;
		return -1;
	}
	if (ai_buf_check(b, "a record", err) < 0)
		return -1;
	return ai_writer_add(x->writer, b->p, b->len, err);
}

static int export_rows(struct export *x, struct ai_err *err)
{
	struct search_index *ix = x->ix;
	int rc = SEARCH_BIND(ix, SQL_ALL, err, "");

	while (rc == 0 && (rc = ai_db_step(&ix->db, ix->st[SQL_ALL], err)) > 0)
		rc = export_row(x, ix->st[SQL_ALL], err);
	if (rc < 0 || x->damaged == 0)
		return rc;
	return ai_db_damaged(&ix->db, err, "%lld of %lld documents are not "
			     "what was added", (long long)x->damaged,
			     (long long)x->total);
}

static int export_all(struct search_index *ix, const struct search_filter *f,
		      struct ai_writer *w, struct ai_err *err)
{
	struct export x = { .ix = ix, .filter = f, .writer = w };
	int rc;

	ai_buf_init(&x.record, (size_t)1 << 31);
	x.vector = calloc((size_t)ix->info.dim + 1, sizeof(*x.vector));
	rc = x.vector == NULL ? ai_err_nomem(err) : export_rows(&x, err);
	free(x.vector);
	ai_buf_release(&x.record);
	return rc;
}

int search_export(int argc, char **argv, struct ai_err *err)
{
	struct search_filter f = { NULL, 0, 0 };
	struct search_index ix;
	struct ai_writer w;
	struct ai_err later;
	int rc;

	if (no_operands(argc, argv, err) < 0 ||
	    search_filter_check(&search.where, err) < 0 ||
	    search_index_open(&ix, AI_DB_READ, err) < 0)
		return -1;
	ai_writer_init(&w, STDOUT_FILENO);
	rc = search_index_begin(&ix, false, err);
	if (rc == 0)
		rc = search_filter_init(&f, &ix, &search.where, err);
	if (rc == 0)
		rc = export_all(&ix, &f, &w, err);
	search_filter_release(&f);
	/* What could be read is written also when the rest is damaged. */
	if (ai_writer_flush(&w, rc < 0 ? &later : err) < 0)
		rc = -1;
	ai_writer_release(&w);
	search_index_close(&ix);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
