/* admin.c: stats and export: what is in an index. */
#include "formats.h"

#include "base/start.h"
#include "base/utf8.h"
#include "record/writer.h"

#include <errno.h>
#include <fcntl.h>
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

static void put_ranking(const struct search_info *i, struct ai_buf *b)
{
	ai_put_key(b, "ranking");
	ai_put_open(b, '{');
	ai_put_key(b, "rule");
	ai_put_cstr(b, "bm25");
	put_real(b, "k1", 1.2);
	put_real(b, "b", 0.75);
	ai_put_key(b, "analyzer");
	ai_put_cstr(b, i->analyzer);
	put_int(b, "title", i->boost);
	ai_put_close(b, '}');
}

/* The files beside index.db, and how well codes find what an exact scan
 * would. */
static void put_files(struct search_index *ix, int64_t db, struct ai_buf *b)
{
	const struct search_files *f = &ix->files;
	int64_t words = 0, codes = 0, rows = (int64_t)f->rows.bytes;
	double recall = 1;

	for (size_t i = 0; i < f->words.n; i++)
		words += search_words_info(f->words.v[i]->words)->bytes;
	for (size_t i = 0; i < f->codes.n; i++) {
		codes += (int64_t)f->codes.v[i]->codes.bytes;
		if (f->codes.v[i]->codes.recall < recall)
			recall = f->codes.v[i]->codes.recall;
	}
	ai_put_key(b, "files");
	ai_put_open(b, '{');
	put_int(b, "words", (int64_t)f->words.n);
	put_int(b, "codes", (int64_t)f->codes.n);
	ai_put_close(b, '}');
	put_int(b, "deleted", ix->info.gone);
	if (f->codes.n > 0) {
		ai_put_key(b, "recall");
		ai_put_f64(b, round(recall * 1e4) / 1e4);
	}
	ai_put_key(b, "bytes");
	ai_put_open(b, '{');
	put_int(b, "documents", db);
	put_int(b, "words", words);
	put_int(b, "codes", codes);
	put_int(b, "vectors", rows);
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
	search_put_path(b, ix->folder);
	put_int(b, "format", SEARCH_FORMAT);
	put_int(b, "documents", i->documents);
	put_int(b, "sources", files);
	put_int(b, "terms", i->tokens);
	put_real(b, "terms_a_document", i->documents == 0 ? 0 :
		 (double)i->tokens / (double)i->documents);
	put_int(b, "vectors", i->vectors);
	put_model(b, i);
	put_ranking(i, b);
	put_files(ix, pages * page_size, b);
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
	struct ai_writer rows; /* of --vectors */
	int file;              /* that, or -1 */
	int64_t written;       /* rows of it */
};

/* The file of --vectors; its header comes when its rows are known. */
static int open_vectors(struct export *x, struct ai_err *err)
{
	char head[SEARCH_NPY_HEAD] = { 0 };

	x->file = -1;
	if (search.vectors == NULL)
		return 0;
	x->file = open(search.vectors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		       0666);
	if (x->file < 0)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot create '%.200s'", search.vectors);
	ai_writer_init(&x->rows, x->file);
	return ai_writer_add(&x->rows, head, sizeof(head), err);
}

static int close_vectors(struct export *x, int rc, struct ai_err *err)
{
	char head[SEARCH_NPY_HEAD];
	struct ai_err later;

	if (x->file < 0)
		return rc;
	search_npy_head(head, x->written, x->ix->info.dim);
	if (ai_writer_flush(&x->rows, rc < 0 ? &later : err) < 0)
		rc = -1;
	else if (pwrite(x->file, head, sizeof(head), 0) !=
		 (ssize_t)sizeof(head))
		rc = ai_err_sys(rc < 0 ? &later : err, AI_E_IO, errno,
				"cannot write '%.200s'", search.vectors);
	ai_writer_release(&x->rows);
	if (close(x->file) < 0 && rc == 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				search.vectors);
	return rc;
}

/* Vectors that the index made are none of the records', which make them again,
 * but they are what --format npy asks for. */
static int find_row(struct export *x, sqlite3_stmt *st, bool *has,
		    struct ai_err *err)
{
	*has = st != NULL && sqlite3_column_int(st, COL_VECTOR) != 0;
	if (*has || st == NULL || search.format != SEARCH_NPY ||
	    x->ix->info.own == SEARCH_OWN_NONE)
		return 0;
	*has = true;
	return search_vector_of(x->ix, sqlite3_column_int64(st, COL_N),
				x->vector, err);
}

/* A row of a .npy file; zeros for none. */
static int put_row(struct export *x, sqlite3_stmt *st, struct ai_writer *w,
		   struct ai_err *err)
{
	size_t dim = (size_t)x->ix->info.dim, i, k;
	unsigned char le[4];
	uint32_t bits;
	bool has;
	int rc = find_row(x, st, &has, err);

	for (i = 0; i < dim && rc == 0; i++) {
		bits = 0;
		if (has)
			memcpy(&bits, &x->vector[i], sizeof(bits));
		for (k = 0; k < 4; k++)
			le[k] = (unsigned char)(bits >> 8 * k);
		rc = ai_writer_add(w, (char *)le, sizeof(le), err);
	}
	x->written++;
	return rc;
}

static int put_record(struct export *x, sqlite3_stmt *st, struct ai_err *err)
{
	if (search.format == SEARCH_NPY)
		return put_row(x, st, x->writer, err);
	if (search_put_document(x->ix, st, x->vector, &x->record, err) < 0)
		return -1;
	return x->file < 0 ? 0 : put_row(x, st, &x->rows, err);
}

static int export_row(struct export *x, sqlite3_stmt *st, struct ai_err *err)
{
	struct ai_buf *b = &x->record;
	struct ai_err why;

	if (!search_filter_has(x->filter, sqlite3_column_int64(st, COL_N)))
		return 0;
	ai_buf_shrink(b, (size_t)1 << 20);
	x->total++;
	if (search_check_row(x->ix, st, x->vector, &why) == 0) {
		if (put_record(x, st, err) < 0)
			return -1;
	} else if (why.code == AI_E_DATA) {
		x->damaged++;
		if (search.format == SEARCH_NPY)
			return put_row(x, NULL, x->writer, err);
		put_damaged(st, &why, b);
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
	char head[SEARCH_NPY_HEAD];
	int rc = SEARCH_BIND(ix, SQL_ALL, err, "");

	search_npy_head(head, x->filter->bits != NULL ? x->filter->count
			: ix->info.documents, ix->info.dim);
	if (rc == 0 && search.format == SEARCH_NPY)
		rc = ai_writer_add(x->writer, head, sizeof(head), err);
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
	struct export x = { .ix = ix, .filter = f, .writer = w, .file = -1 };
	int rc;

	ai_buf_init(&x.record, (size_t)1 << 31);
	x.vector = calloc((size_t)ix->info.dim + 1, sizeof(*x.vector));
	rc = x.vector == NULL ? ai_err_nomem(err) : open_vectors(&x, err);
	if (rc == 0)
		rc = export_rows(&x, err);
	rc = close_vectors(&x, rc, err);
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

	if (search.format == SEARCH_NPY && search.vectors != NULL)
		return ai_err_set(err, AI_E_USAGE, "--format npy writes the "
				  "vectors alone; with --vectors name another");
	if (no_operands(argc, argv, err) < 0 ||
	    search_filter_check(&search.where, err) < 0 ||
	    search_index_open(&ix, AI_DB_READ, err) < 0)
		return -1;
	ai_writer_init(&w, STDOUT_FILENO);
	ix.rescue = search.format != SEARCH_NPY;
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
