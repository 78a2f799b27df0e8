/* ledger-health.c: whether a ledger works: asked by probes, again and again. */
#include "store/ledger-int.h"

int ai_ledger_probe(struct ai_ledger *l, int wait_ms, struct ai_err *err)
{
	int rc, code;

	if (l->fixed)
		return ai_err_set(err, AI_E_CREATE, "%s cannot be written",
				  l->db.name);
	sqlite3_busy_timeout(l->db.h, wait_ms);
	rc = ai_db_begin(&l->db, true, err);
	if (rc == 0)
		rc = ai_db_exec(&l->db, "UPDATE state SET seq=seq", err);
	/* To the log on the disk, where nobody sees it before a commit: and
	 * there is none. */
	if (rc == 0) {
		code = sqlite3_db_cacheflush(l->db.h);
		if (code != SQLITE_OK)
			rc = ai_db_fail(&l->db, code, err);
	}
	ai_db_rollback(&l->db);
	return rc;
}

int ai_ledger_newest(struct ai_ledger *l, int64_t *ms, struct ai_err *err)
{
	/* By the index of times, and by the number. */
	return ai_db_int(&l->db, "SELECT max(coalesce((SELECT max(created)"
			 " FROM transfer WHERE kind=1), 0), coalesce((SELECT"
			 " created FROM transfer ORDER BY seq DESC LIMIT 1),"
			 " 0), coalesce((SELECT created FROM event ORDER BY"
			 " seq DESC LIMIT 1), 0))", ms, err);
}
