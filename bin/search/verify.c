/* verify.c: whether everything in an index agrees with everything else. */
#include "search.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

/* SQLite's own check of its pages. */
static int check_pages(struct search_index *ix, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_span s;
	int rc;

	if (ai_db_bind(&ix->db, &st, "PRAGMA integrity_check(1)", err, "") < 0)
		return -1;
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0) {
		s = ai_db_span(st, 0);
		if (!ai_span_is(s, "ok"))
			rc = ai_db_damaged(&ix->db, err, "%.*s",
					   s.n > 100 ? 100 : (int)s.n, s.p);
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

/* The checksums of the files, and that vectors are of length 1. */
static int check_files(struct search_index *ix, struct ai_err *err)
{
	const struct search_files *f = &ix->files;
	int64_t rows = 0;

	for (size_t i = 0; i < f->words.n; i++)
		if (search_words_verify(f->words.v[i]->words, err) < 0)
			return -1;
	for (size_t i = 0; i < f->codes.n; i++)
		if (search_codes_verify(&f->codes.v[i]->codes, err) < 0)
			return -1;
	if (ix->info.rows == 0)
		return 0;
	return search_rows_verify(&f->rows, 1, ix->info.next, &rows, err);
}

struct check {
	struct search_index *ix;
	struct search_info seen;
	float *vector;
	int64_t row;
	int64_t *sum; /* of the vectors, as mean.c has it */
};

static int bad(struct check *c, struct ai_err *err, const char *what)
{
	return ai_db_damaged(&c->ix->db, err, "document %lld: %s",
			     (long long)c->row, what);
}

/* The words that a file has of a document, in all, against those that its texts
 * have. */
static int check_length(struct check *c, sqlite3_stmt *st, struct ai_err *err)
{
	const struct search_segment *s = search_words_of(&c->ix->files,
							 c->row);
	struct search_fields f;
	int64_t length = 0;
	int rc = search_fields_of(&f, c->ix->info.boost,
				  ai_db_span(st, COL_TEXT),
				  ai_db_span(st, COL_SOURCE),
				  ai_db_span(st, COL_META), err);

	if (rc == 0)
		length = search_fields_length(&f, c->ix->analyzer);
	search_fields_release(&f);
	if (rc < 0)
		return -1;
	if (s == NULL || search_words_length(s->words, c->row) != length)
		return bad(c, err, "its length is wrong");
	c->seen.tokens += length;
	return 0;
}

/* Counts it; one that the index made itself is made once more. */
static int check_vector(struct check *c, struct ai_span text,
			struct ai_err *err)
{
	size_t dim = (size_t)c->ix->info.dim;
	float *own = c->vector + dim;

	if (dim == 0)
		return 0;
	if (search_vector_of(c->ix, c->row, c->vector, err) < 0)
		return -1;
	c->seen.vectors += search_mean_sum(c->sum, c->vector, dim, 1);
	if (c->ix->info.own == SEARCH_OWN_NONE)
		return 0;
	if (search_own_embed(c->ix, text, own, err) < 0)
		return -1;
	return memcmp(own, c->vector, dim * sizeof(*own)) == 0 ? 0 :
		bad(c, err, "its vector is not what the model makes");
}

static int check_document(struct check *c, sqlite3_stmt *st,
			  struct ai_err *err)
{
	c->row = sqlite3_column_int64(st, COL_N);
	if (c->row < 1 || c->row >= c->ix->info.next)
		return bad(c, err, "no document can have this number");
	if (c->ix->files.live != NULL &&
	    !(c->ix->files.live[c->row / 8] >> c->row % 8 & 1))
		return bad(c, err, "it is taken for deleted");
	if (search_check_row(c->ix, st, c->vector, err) < 0 ||
	    check_length(c, st, err) < 0 ||
	    check_vector(c, ai_db_span(st, COL_TEXT), err) < 0 ||
	    search_tags_check(c->ix, c->row, ai_db_span(st, COL_SOURCE),
			      ai_db_span(st, COL_META), err) < 0)
		return -1;
	c->seen.documents++;
	return 0;
}

/* As many rows are in the files and not dead as there are documents. */
static int check_rows(struct check *c, struct ai_err *err)
{
	const struct search_segments *w = &c->ix->files.words;
	int64_t rows = 0, tokens = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct search_words_info *s =
			search_words_info(w->v[i]->words);

		rows += s->count - w->v[i]->dead.rows;
		tokens += s->tokens - w->v[i]->dead.tokens;
	}
	if (rows == c->seen.documents && tokens == c->seen.tokens)
		return 0;
	return ai_db_damaged(&c->ix->db, err, "its files have the words of "
			     "%lld documents, not of %lld", (long long)rows,
			     (long long)c->seen.documents);
}

static int check_documents(struct check *c, struct ai_err *err)
{
	struct search_index *ix = c->ix;
	const struct search_info *i = &ix->info;
	int rc = SEARCH_BIND(ix, SQL_ALL, err, "");

	while (rc == 0 && (rc = ai_db_step(&ix->db, ix->st[SQL_ALL], err)) > 0)
		rc = check_document(c, ix->st[SQL_ALL], err);
	if (rc < 0)
		return -1;
	if (c->seen.documents != i->documents ||
	    c->seen.tokens != i->tokens || c->seen.vectors != i->vectors)
		return ai_db_damaged(&ix->db, err, "it counts %lld documents "
				     "and holds %lld", (long long)i->documents,
				     (long long)c->seen.documents);
	if (check_rows(c, err) < 0 ||
	    search_mean_check(ix, c->sum, err) < 0)
		return -1;
	return search_tags_check_end(ix, err);
}

static int put_answer(const struct check *c, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "index");
	search_put_path(&b, c->ix->folder);
	ai_put_key(&b, "ok");
	ai_put_bool(&b, true);
	ai_put_key(&b, "documents");
	ai_put_i64(&b, c->seen.documents);
	ai_put_key(&b, "vectors");
	ai_put_i64(&b, c->seen.vectors);
	ai_put_close(&b, '}');
	ai_buf_chr(&b, '\n');
	rc = search_write(&b, err);
	ai_buf_release(&b);
	return rc;
}

int search_verify(int argc, char **argv, struct ai_err *err)
{
	struct search_index ix;
	struct check c = { .ix = &ix };
	int rc;

	if (argc > 0)
		return ai_err_set(err, AI_E_USAGE, "no operand is expected: "
				  "'%.200s'", argv[0]);
	if (search_index_open(&ix, AI_DB_READ, err) < 0)
		return -1;
	rc = search_index_begin(&ix, false, err);
	if (rc == 0)
		rc = check_pages(&ix, err);
	if (rc == 0)
		rc = check_files(&ix, err) < 0 ? search_damaged(&ix, err) : 0;
	if (rc == 0) {
		c.vector = calloc((size_t)ix.info.dim * 2 + 1, sizeof(float));
		c.sum = calloc((size_t)ix.info.dim + 1, sizeof(*c.sum));
		rc = c.vector == NULL || c.sum == NULL
			? ai_err_nomem(err) : check_documents(&c, err);
	}
	search_index_rollback(&ix);
	if (rc == 0)
		rc = put_answer(&c, err);
	free(c.vector);
	free(c.sum);
	search_index_close(&ix);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
