#include "search.h"

#include <stdlib.h>

static struct search_index *opened;

static int delete_id(struct search_index *ix, struct ai_span id,
		     struct ai_emit *out, struct ai_err *err)
{
	struct ai_buf ack = AI_BUF_INIT(1 << 17);
	bool found;
	int rc = 0;

	if (search_remove_id(ix, id, &found, err) < 0)
		return -1;
	if (!found) {
		ai_emit_no(out);
		return 0;
	}
	if (search.ack) {
		ai_put_open(&ack, '{');
		ai_put_key(&ack, "id");
		ai_put_str(&ack, id.p, id.n);
		ai_put_close(&ack, '}');
		rc = ai_emit_line(out, ack.p, ack.len, err);
		ai_buf_release(&ack);
	}
	return rc;
}

static int delete_record(struct search_index *ix, struct ai_rec *rec,
			 struct ai_emit *out, struct ai_err *err)
{
	struct ai_buf id = AI_BUF_INIT(1 << 16);
	struct ai_err why = { AI_E_NONE, -1, "" };
	int rc;

	if (ai_rec_get(rec, "id").kind == AI_NONE &&
	    ai_rec_get(rec, "custom_id").kind == AI_NONE)
		rc = ai_err_set(&why, AI_E_RECORD, "the record has no 'id'");
	else if (ai_rec_id(rec, "", 0, &id) < 0)
		rc = ai_buf_check(&id, "an id", &why);
	else
		rc = 1;
	if (rc < 0)
		rc = ai_emit_fail(out, rec, &why, err);
	else
		rc = delete_id(ix, (struct ai_span){ ai_buf_cstr(&id), id.len },
			       out, err);
	ai_buf_release(&id);
	return rc;
}

/* With --ack the ids are in the output before the commit, but leave this
 * process only after it: the loop writes when many() has returned. */
static int many(void *state, struct ai_rec *const *recs, size_t n,
		struct ai_emit *out, struct ai_err *err)
{
	struct search_index *ix = opened;
	int rc = 0;
	size_t i;

	(void)state;
	if (search_index_begin(ix, true, err) < 0)
		return -1;
	for (i = 0; i < n && rc == 0; i++)
		rc = delete_record(ix, recs[i], out, err);
	if (rc == 0)
		return search_index_commit(ix, err);
	ai_db_rollback(&ix->db);
	return -1;
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
		ai_db_rollback(&ix->db);
		return -1;
	}
	for (n = 1; n < f.size && rc == 0; n++)
		if (search_filter_has(&f, n))
			rc = search_remove(ix, n, err);
	n = f.count;
	search_filter_release(&f);
	if (rc < 0 || search_index_commit(ix, err) < 0) {
		ai_db_rollback(&ix->db);
		return -1;
	}
	return n == 0 && ai_loop.exit_no ? AI_EXIT_NO : AI_EXIT_OK;
}

int search_delete(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = { .batch = 1000, .many = many };
	struct search_index ix;
	int status;

	if (search.where.n > 0 && argc > 0)
		return ai_err_set(err, AI_E_USAGE, "delete takes --where or "
				  "files of records, not both");
	if (search_filter_check(&search.where, err) < 0 ||
	    search_index_open(&ix, AI_DB_WRITE, err) < 0)
		return -1;
	opened = &ix;
	ai_loop.jobs = 1;
	status = search.where.n > 0 ? delete_where(&ix, err)
				    : ai_loop_run(&filter, argc, argv, err);
	search_index_close(&ix);
	return status;
}
