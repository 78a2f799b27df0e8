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

/* All pages of the snapshot that is being read. */
static int copy_pages(struct search_index *ix, sqlite3 *to, struct ai_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", ix->db.h, "main");
	int rc;

	if (b == NULL)
		return ai_err_set(err, AI_E_IO, "%s cannot be copied: %s",
				  ix->db.name, sqlite3_errmsg(to));
	rc = sqlite3_backup_step(b, -1);
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return 0;
	return ai_err_set(err, rc == SQLITE_NOMEM ? AI_E_MEMORY : AI_E_IO,
			  "%s cannot be copied to a temporary file (set "
			  "SQLITE_TMPDIR): %s", ix->db.name,
			  sqlite3_errstr(rc));
}

/*
 * FTS5's own check of its postings against the texts.  To FTS5 that is a
 * write; done to a copy without a name, it needs neither the right to write
 * nor the writer's lock.
 */
static int check_postings(struct search_index *ix, struct ai_err *err)
{
	struct ai_db copy = ix->db;
	int rc;

	copy.h = NULL;
	if (sqlite3_open("", &copy.h) != SQLITE_OK)
		rc = ai_err_nomem(err);
	else
		rc = copy_pages(ix, copy.h, err);
	if (rc == 0)
		rc = ai_db_exec(&copy, "PRAGMA journal_mode=OFF; INSERT INTO "
				"fts(fts, rank) VALUES('integrity-check', 1)",
				err);
	ai_db_close(&copy);
	return rc;
}

struct check {
	struct search_index *ix;
	struct search_info seen;
	float *vector;
	int64_t row, tags;
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

static int check_document(struct check *c, sqlite3_stmt *st,
			  struct ai_err *err)
{
	int64_t tokens = sqlite3_column_int64(st, COL_TOKENS);
	bool vector = sqlite3_column_int(st, COL_VECTOR) != 0;

	c->row = sqlite3_column_int64(st, COL_N);
	if (search_check_row(c->ix, st, c->vector, err) < 0 ||
	    check_length(c, ai_db_span(st, COL_TEXT), tokens, err) < 0 ||
	    search_tags_check(c->ix, c->row, ai_db_span(st, COL_SOURCE),
			      ai_db_span(st, COL_META), &c->tags, err) < 0)
		return -1;
	c->seen.documents++;
	c->seen.tokens += tokens;
	c->seen.vectors += vector;
	return 0;
}

/* Those that documents should have are there; are there others? */
static int check_tags(struct check *c, struct ai_err *err)
{
	struct search_index *ix = c->ix;
	int64_t n;

	if (SEARCH_BIND(ix, SQL_TAG_COUNT, err, "") < 0 ||
	    ai_db_step(&ix->db, ix->st[SQL_TAG_COUNT], err) < 0)
		return -1;
	n = sqlite3_column_int64(ix->st[SQL_TAG_COUNT], 0);
	sqlite3_reset(ix->st[SQL_TAG_COUNT]);
	return n == c->tags ? 0 :
		ai_db_damaged(&ix->db, err, "--where looks into %lld values; "
			      "the documents have %lld", (long long)n,
			      (long long)c->tags);
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
	return check_tags(c, err);
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
	if (search_index_open(&ix, AI_DB_READ, err) < 0)
		return -1;
	rc = search_index_begin(&ix, false, err);
	if (rc == 0)
		rc = check_pages(&ix, err);
	if (rc == 0)
		rc = check_postings(&ix, err);
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
