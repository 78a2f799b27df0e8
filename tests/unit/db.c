/* SQLite's results as our errors, and the embedding member. */
#include "record/embedding.h"
#include "store/db.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-db-test-XXXXXX";
static char path[80];

static const struct ai_db_wish wish = { "thing 'x'", "mend it", 50, 0 };

static bool fails(struct ai_err *err, int rc, enum ai_code code,
		  const char *part)
{
	if (rc < 0 && err->code == code && strstr(err->msg, part) != NULL)
		return true;
	printf("# %d %s: %s\n", rc, ai_code_name(err->code), err->msg);
	return false;
}

static void test_statements(void)
{
	struct ai_db db = AI_DB_INIT;
	struct ai_err err;
	sqlite3_stmt *st = NULL;
	int64_t n;

	ok(ai_db_open(&db, path, AI_DB_CREATE, &wish, &err) == 0, "a new file");
	ok(ai_db_exec(&db, "CREATE TABLE t(i, d, s, b, z)", &err) == 0 &&
	   ai_db_map(&db, &err) == 0, "a table");
	ok(ai_db_bind(&db, &st, "INSERT INTO t VALUES(?, ?, ?, ?, ?)", &err,
		      "idtbn", (int64_t)7, 1.5, AI_SPAN("text"),
		      ((struct ai_span){ "a\0b", 3 })) == 0 &&
	   ai_db_run(&db, st, &err) == 0, "all types are bound");
	ai_db_finish(&st);
	ok(ai_db_bind(&db, &st, "SELECT s, b, z FROM t", &err, "") == 0 &&
	   ai_db_step(&db, st, &err) == 1 &&
	   ai_span_is(ai_db_span(st, 0), "text") &&
	   ai_db_span(st, 1).n == 3 && ai_db_span(st, 2).p == NULL,
	   "and come back");
	ok(ai_db_step(&db, st, &err) == 0, "one row");
	ai_db_finish(&st);
	ok(ai_db_int(&db, "SELECT i FROM t", &n, &err) == 0 && n == 7, "a number");
	ok(ai_db_int(&db, "SELECT i FROM t WHERE 0", &n, &err) == 0 && n == 0,
	   "no row is 0");
	ok(fails(&err, ai_db_exec(&db, "SELECT * FROM absent", &err),
		 AI_E_DATA, "thing 'x' is damaged: no such table: absent; "
		 "mend it"), "a table that is not there is damage");
	ai_db_close(&db);
}

static void test_lock(void)
{
	struct ai_db a = AI_DB_INIT, b = AI_DB_INIT;
	struct ai_err err;
	int64_t n;

	ok(ai_db_open(&a, path, AI_DB_WRITE, &wish, &err) == 0 &&
	   ai_db_open(&b, path, AI_DB_WRITE, &wish, &err) == 0,
	   "two at once");
	ok(ai_db_begin(&a, true, &err) == 0 &&
	   ai_db_exec(&a, "INSERT INTO t(i) VALUES(8)", &err) == 0,
	   "one writes");
	ok(fails(&err, ai_db_begin(&b, true, &err), AI_E_TRY_LATER,
		 "thing 'x': another program is writing"), "the other waits");
	ok(ai_db_int(&b, "SELECT count(*) FROM t", &n, &err) == 0 && n == 1,
	   "but may read");
	ok(ai_db_commit(&a, &err) == 0 &&
	   ai_db_int(&b, "SELECT count(*) FROM t", &n, &err) == 0 && n == 2,
	   "and sees it after the commit");
	ok(ai_db_begin(&b, true, &err) == 0, "and may write then");
	ai_db_rollback(&b);
	ai_db_rollback(&b);
	ai_db_close(&a);
	ai_db_close(&b);
	ai_db_close(&b);
}

static void test_bad_files(void)
{
	struct ai_db db = AI_DB_INIT;
	struct ai_err err;
	char other[100];
	FILE *f;

	snprintf(other, sizeof(other), "%s/100%%?#.db", folder);
	ok(ai_db_open(&db, other, AI_DB_CREATE, &wish, &err) == 0 &&
	   ai_db_exec(&db, "CREATE TABLE t(i)", &err) == 0 &&
	   access(other, F_OK) == 0, "a name with %%, ? and #");
	ai_db_close(&db);
	snprintf(other, sizeof(other), "%s/none/x.db", folder);
	ok(fails(&err, ai_db_open(&db, other, AI_DB_READ, &wish, &err),
		 AI_E_OPEN, "thing 'x': cannot open it"), "no such file");
	snprintf(other, sizeof(other), "%s/text", folder);
	f = fopen(other, "w");
	fputs("this is a text, not a database; it is long enough to be looked "
	      "at as one, at least a hundred bytes of it, or so.\n", f);
	fclose(f);
	ok(fails(&err, ai_db_open(&db, other, AI_DB_WRITE, &wish, &err),
		 AI_E_DATA, "thing 'x' is damaged: file is not a database; "
		 "mend it"),
	   "not a database");
	ok(db.h == NULL, "closed after a failure");
}

static bool reads(const char *json, const char *why)
{
	struct ai_value v;
	struct ai_err err = { 0 };
	float *vec;
	size_t dim = 0;
	int rc;

	ai_json_check(json, strlen(json), &v, &err);
	rc = ai_embedding_read(v, &vec, &dim, &err);
	free(vec);
	if (why == NULL && rc == 0 && dim == 2)
		return true;
	if (why != NULL && rc < 0 && vec == NULL && err.code == AI_E_RECORD &&
	    strstr(err.msg, why) != NULL)
		return true;
	printf("# %s: %d %s\n", json, rc, err.msg);
	return false;
}

static void test_embedding(void)
{
	ok(reads("[1, -2.5e0]", NULL), "numbers");
	ok(reads("\"AACAPwAAgL8=\"", NULL), "base64");
	ok(reads("\"AACAPw\\u0041AgL8=\"", NULL), "base64 with an escape");
	ok(reads("[]", "empty"), "no numbers");
	ok(reads("[1,\"2\"]", "component 1"), "a string among them");
	ok(reads("[1,1e39]", "component 1 of an embedding is not finite"),
	   "too large for a float");
	ok(reads("\"\"", "whole"), "an empty string");
	ok(reads("{}", "neither"), "an object");
	ok(reads("null", "neither"), "null");
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/x.db", folder);
	test_statements();
	test_lock();
	test_bad_files();
	test_embedding();
	if (done())
		return 1;
	execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return 1;
}
