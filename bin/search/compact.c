/* compact.c: an index without what was deleted, in as few files as can be. */
#include "search.h"

#include <stdlib.h>

/* As many free pages as others: not worth writing all anew for less. */
static int shrink(struct search_index *ix, struct ai_err *err)
{
	int64_t pages, unused;

	if (ai_db_int(&ix->db, "PRAGMA page_count", &pages, err) < 0 ||
	    ai_db_int(&ix->db, "PRAGMA freelist_count", &unused, err) < 0)
		return -1;
	return unused * 10 < pages ? 0 : ai_db_exec(&ix->db, "VACUUM", err);
}

int search_compact(int argc, char **argv, struct ai_err *err)
{
	struct search_index ix;
	int rc;

	if (argc > 0)
		return ai_err_set(err, AI_E_USAGE, "no operand is expected: "
				  "'%.200s'", argv[0]);
	if (search_index_open(&ix, AI_DB_WRITE, err) < 0)
		return -1;
	rc = search_index_begin(&ix, true, err);
	if (rc == 0) {
		rc = search_compact_files(&ix, err);
		if (rc < 0) {
			search_index_rollback(&ix);
			search_damaged(&ix, err);
		} else {
			rc = search_index_commit(&ix, true, err);
		}
	}
	if (rc == 0)
		rc = shrink(&ix, err);
	search_index_close(&ix);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
