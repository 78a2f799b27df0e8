#include "search.h"

#include <stdlib.h>

static struct {
	struct search_index *ix;
	struct ai_buf acks; /* lines for after the commit */
} deleting;

static int acknowledge(struct search_id id, struct ai_err *err)
{
	struct ai_buf *acks = &deleting.acks;

	if (!search.ack)
		return 0;
	ai_put_open(acks, '{');
	ai_put_key(acks, "id");
	search_put_id(acks, id);
	ai_put_close(acks, '}');
	ai_buf_chr(acks, '\n');
	return ai_buf_check(acks, "the acknowledgements", err);
}

static int delete_id(struct search_id id, struct ai_emit *out,
		     struct ai_err *err)
{
	bool found;

	if (search_remove_id(deleting.ix, id, &found, err) < 0)
		return -1;
	if (found)
		return acknowledge(id, err);
	ai_emit_no(out);
	return 0;
}

static int delete_record(struct ai_rec *rec, struct ai_emit *out,
			 struct ai_err *err)
{
	struct ai_buf id = AI_BUF_INIT(1 << 16);
	struct ai_err why = { AI_E_NONE, -1, "" };
	enum ai_kind own = ai_rec_id_value(rec).kind;
	int rc;

	if (own == AI_NONE)
		rc = ai_err_set(&why, AI_E_RECORD, "the record has no 'id'");
	else if (ai_rec_id(rec, "", 0, &id) < 0)
		rc = ai_buf_check(&id, "an id", &why);
	else
		rc = 1;
	if (rc < 0)
		rc = ai_emit_fail(out, rec, &why, err);
	else
		rc = delete_id((struct search_id){ { ai_buf_cstr(&id), id.len },
						   own == AI_NUMBER },
			       out, err);
	ai_buf_release(&id);
	return rc;
}

static int many(void *state, struct ai_rec *const *recs, size_t n,
		struct ai_emit *out, struct ai_err *err)
{
	struct ai_buf *acks = &deleting.acks;
	int rc = 0;
	size_t i;

	(void)state;
	ai_buf_clear(acks);
	if (search_index_begin(deleting.ix, true, err) < 0)
		return -1;
	for (i = 0; i < n && rc == 0; i++)
		rc = delete_record(recs[i], out, err);
	if (rc < 0) {
		search_index_rollback(deleting.ix);
		return search_damaged(deleting.ix, err);
	}
	if (search_index_commit(deleting.ix, false, err) < 0)
		return -1;
	return acks->len == 0 ? 0 :
		ai_emit_line(out, acks->p, acks->len - 1, err);
}

static int delete_row(struct search_index *ix, int64_t n, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_ID_OF, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_ID_OF];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		rc = acknowledge(search_id_at(st, 0), err);
	sqlite3_reset(st);
	return rc < 0 ? -1 : search_remove(ix, n, err);
}

/* Removes what a filter holds; the status -e asks for. */
static int delete_where(struct search_index *ix, struct ai_err *err)
{
	struct search_filter f;
	int64_t n;
	int rc = 0;

	if (search_index_begin(ix, true, err) < 0)
		return -1;
	if (search_filter_init(&f, ix, &search.where, err) < 0) {
		search_index_rollback(ix);
		return -1;
	}
	for (n = 1; n < f.size && rc == 0; n++)
		if (search_filter_has(&f, n))
			rc = delete_row(ix, n, err);
	n = f.count;
	search_filter_release(&f);
	if (rc < 0 || search_index_commit(ix, true, err) < 0) {
		search_index_rollback(ix);
		return search_damaged(ix, err);
	}
	if (deleting.acks.len > 0 && search_write(&deleting.acks, err) < 0)
		return -1;
	return n == 0 && ai_loop.exit_no ? AI_EXIT_NO : AI_EXIT_OK;
}

int search_delete(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.batch = 16384, .many = many, .empty = true,
	};
	struct search_index ix;
	int status;

	if (search.where.n > 0 && argc > 0)
		return ai_err_set(err, AI_E_USAGE, "delete takes --where or "
				  "files of records, not both");
	if (search_filter_check(&search.where, err) < 0 ||
	    search_index_open(&ix, AI_DB_WRITE, err) < 0)
		return -1;
	deleting.ix = &ix;
	ai_buf_init(&deleting.acks, (size_t)1 << 28);
	ai_loop.jobs = 1;
	status = search.where.n > 0 ? delete_where(&ix, err)
				    : ai_loop_run(&filter, argc, argv, err);
	ai_buf_release(&deleting.acks);
	search_index_close(&ix);
	return status;
}
