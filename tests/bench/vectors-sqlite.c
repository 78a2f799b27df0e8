/*
 * vectors-sqlite.c: tests/bench/vectors.c for sqlite-vec; VEC0 names its
 * library.
 *
 *	build ROWS N DIM FILE    CPU seconds
 *	once FILE N DIM QUERIES  opens, asks once
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "sqlite-vec: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void build(sqlite3 *db, const char *rows, long n, size_t dim)
{
	size_t bytes = dim * sizeof(float);
	FILE *f = fopen(rows, "r");
	float *v = malloc(bytes);
	sqlite3_stmt *st;
	char sql[100];

	snprintf(sql, sizeof(sql), "CREATE VIRTUAL TABLE v USING vec0("
		 "e float[%zu] distance_metric=cosine)", dim);
	check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
	check(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
	check(db, sqlite3_prepare_v2(db, "INSERT INTO v(rowid, e) VALUES(?, ?)",
				     -1, &st, NULL));
	for (long i = 1; i <= n; i++) {
		if (f == NULL || v == NULL || fread(v, bytes, 1, f) != 1)
			exit(1);
		sqlite3_bind_int64(st, 1, i);
		sqlite3_bind_blob(st, 2, v, (int)bytes, SQLITE_STATIC);
		check(db, sqlite3_step(st));
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	check(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	fclose(f);
	free(v);
}

static void ask(sqlite3 *db, const char *queries, size_t dim)
{
	size_t bytes = dim * sizeof(float);
	FILE *f = fopen(queries, "r");
	float *v = malloc(bytes);
	sqlite3_stmt *st;

	if (f == NULL || v == NULL || fread(v, bytes, 1, f) != 1)
		exit(1);
	fclose(f);
	check(db, sqlite3_prepare_v2(db, "SELECT rowid FROM v WHERE e MATCH ? "
				     "AND k = 10", -1, &st, NULL));
	sqlite3_bind_blob(st, 1, v, (int)bytes, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW)
		printf("%lld\n", (long long)sqlite3_column_int64(st, 0));
	check(db, sqlite3_finalize(st));
	free(v);
}

int main(int argc, char **argv)
{
	double start = now();
	int making;
	sqlite3 *db;
	size_t dim;

	if (argc < 6 || getenv("VEC0") == NULL)
		return 64;
	making = strcmp(argv[1], "build") == 0;
	dim = strtoul(argv[4], NULL, 10);
	check(NULL, sqlite3_open(argv[making ? 5 : 2], &db));
	sqlite3_enable_load_extension(db, 1);
	check(db, sqlite3_load_extension(db, getenv("VEC0"),
					 "sqlite3_vec_init", NULL));
	if (making) {
		build(db, argv[2], strtol(argv[3], NULL, 10), dim);
		printf("%.1f\n", now() - start);
	} else {
		ask(db, argv[5], dim);
	}
	sqlite3_close(db);
	return 0;
}
