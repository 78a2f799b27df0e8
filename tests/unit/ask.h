/* ask.h: a number out of a ledger, for tests that look into it. */
#ifndef TESTS_UNIT_ASK_H
#define TESTS_UNIT_ASK_H

#include "store/ledger-int.h"

/* The first column of the first row; -1: there is none. */
static int64_t ask(struct ai_ledger *l, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;
	struct ai_err err;

	if (ai_db_bind(&l->db, &st, sql, &err, "") == 0 &&
	    ai_db_step(&l->db, st, &err) > 0)
		n = sqlite3_column_int64(st, 0);
	ai_db_finish(&st);
	return n;
}

#endif
