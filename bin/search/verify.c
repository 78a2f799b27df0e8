/* verify.c: whether everything in an index agrees with everything else. */
#include "search.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

/* SQLite's own check of its pages, and FTS5's of its postings against the
 * texts. */
static int check_file(struct search_index *ix, struct ai_err *err)
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
	if (rc < 0)
		return -1;
	return ai_db_exec(&ix->db, "INSERT INTO fts(fts, rank) "
			  "VALUES('integrity-check', 1)", err);
}

struct check {
	struct search_index *ix;
	struct search_info seen;
	float *vector;
	int64_t row;
};

static int bad(struct check *c, struct ai_err *err, const char *what)
{
	return ai_db_damaged(&c->ix->db, err, "document %lld: %s",
			     (long long)c->row, what);
}

static int check_length(struct check *c, struct ai_span text, int64_t tokens,
			struct ai_err *err)
{
	int64_t count;
	uint32_t length;

	if (search_count_terms(c->ix, text, &count, err) < 0 ||
	    search_blocks_get(c->ix, search_lengths(), c->row, &length,
			      err) < 0)
		return -1;
	if (count != tokens || length != tokens)
		return bad(c, err, "its length is wrong");
	return 0;
}

/* The stored fingerprint covers the text, all JSON and the vector. */
static int check_hash(struct check *c, sqlite3_stmt *st, bool vector,
		      struct ai_err *err)
{
	struct search_document d;
	struct ai_span hash = ai_db_span(st, 8), text = ai_db_span(st, 6);
	struct ai_span meta = ai_db_span(st, 5);
	int rc = 0;

	search_document_init(&d);
	ai_buf_add(&d.text, text.p, text.n);
	if (meta.p != NULL)
		ai_buf_add(&d.meta, meta.p, meta.n);
	d.source = ai_db_span(st, 3);
	d.chunk = ai_db_span(st, 4);
	d.dim = (size_t)c->ix->info.dim;
	d.vector = vector ? c->vector : NULL;
	if (ai_buf_check(&d.text, "a text", err) < 0 ||
	    ai_buf_check(&d.meta, "metadata", err) < 0) {
		rc = -1;
	} else {
		search_document_hash(&d);
		if (hash.n != sizeof(d.hash) ||
		    memcmp(hash.p, d.hash, hash.n) != 0)
			rc = bad(c, err, "its checksum is wrong");
	}
	d.vector = NULL; /* not its own */
	search_document_release(&d);
	return rc;
}

static int check_document(struct check *c, sqlite3_stmt *st,
			  struct ai_err *err)
{
	int64_t tokens = sqlite3_column_int64(st, 1);
	bool vector = sqlite3_column_int(st, 2) != 0;

	c->row = sqlite3_column_int64(st, 7);
	if (check_length(c, ai_db_span(st, 6), tokens, err) < 0)
		return -1;
	if (vector && c->ix->info.dim == 0)
		return bad(c, err, "a vector, but the index has none");
	if (vector && search_blocks_get(c->ix, search_vectors(c->ix->info.dim),
					c->row, c->vector, err) < 0)
		return -1;
	if (check_hash(c, st, vector, err) < 0)
		return -1;
	c->seen.documents++;
	c->seen.tokens += tokens;
	c->seen.vectors += vector;
	return 0;
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
	return 0;
}

static int put_answer(const struct check *c, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "index");
	ai_put_cstr(&b, c->ix->folder);
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
	if (search_index_open(&ix, AI_DB_WRITE, err) < 0)
		return -1;
	rc = search_index_begin(&ix, true, err);
	if (rc == 0)
		rc = check_file(&ix, err);
	if (rc == 0) {
		c.vector = calloc((size_t)ix.info.dim + 1, sizeof(float));
		rc = c.vector == NULL ? ai_err_nomem(err)
				      : check_documents(&c, err);
	}
	ai_db_rollback(&ix.db);
	if (rc == 0)
		rc = put_answer(&c, err);
	free(c.vector);
	search_index_close(&ix);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
