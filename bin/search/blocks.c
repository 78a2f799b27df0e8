/*
 * blocks.c: lengths and vectors lie side by side in blobs, so that a scan
 * reads long runs; one item is read and written in place.
 */
#include "search.h"

#include <stdio.h>
#include <string.h>

#define VECTOR_BLOCK ((int64_t)1 << 15) /* bytes, about */
#define LENGTHS_PER 1024

struct search_blocks search_lengths(void)
{
	return (struct search_blocks){ "lengths", sizeof(uint32_t),
				       LENGTHS_PER };
}

struct search_blocks search_vectors(int64_t dim)
{
	size_t item = (size_t)dim * sizeof(float);
	int64_t per = VECTOR_BLOCK / (int64_t)item;

	return (struct search_blocks){ "vectors", item, per < 1 ? 1 : per };
}

/* Opens the block of n; 1 if it is there, 0 if not. */
static int open_block(struct search_index *ix, struct search_blocks b,
		      int64_t n, bool write, sqlite3_blob **blob,
		      struct ai_err *err)
{
	int rc = sqlite3_blob_open(ix->db.h, "main", b.table, "data",
				   n / b.per, write, blob);
	int want = (int)((size_t)b.per * b.item);

	if (rc == SQLITE_OK && sqlite3_blob_bytes(*blob) == want)
		return 1;
	if (rc == SQLITE_OK) {
		sqlite3_blob_close(*blob);
		return ai_db_damaged(&ix->db, err, "block %lld of %s has the "
				     "wrong size", (long long)(n / b.per),
				     b.table);
	}
	sqlite3_blob_close(*blob);
	*blob = NULL;
	/* SQLITE_ERROR is "no such rowid"; there is no other way to ask. */
	return rc == SQLITE_ERROR ? 0 : ai_db_fail(&ix->db, rc, err);
}

static int make_block(struct search_index *ix, struct search_blocks b,
		      int64_t n, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	char sql[80];
	int rc = -1;

	snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES(?, zeroblob(?))",
		 b.table);
	if (ai_db_bind(&ix->db, &st, sql, err, "ii", n / b.per,
		       b.per * (int64_t)b.item) == 0)
		rc = ai_db_run(&ix->db, st, err);
	ai_db_finish(&st);
	return rc;
}

int search_blocks_put(struct search_index *ix, struct search_blocks b,
		      int64_t n, const void *item, struct ai_err *err)
{
	sqlite3_blob *blob = NULL;
	int there = open_block(ix, b, n, true, &blob, err), rc;

	if (there == 0 && make_block(ix, b, n, err) < 0)
		return -1;
	if (there == 0)
		there = open_block(ix, b, n, true, &blob, err);
	if (there <= 0)
		return there < 0 ? -1 : ai_db_damaged(&ix->db, err,
						      "a block of %s is gone",
						      b.table);
	rc = sqlite3_blob_write(blob, item, (int)b.item,
				(int)((size_t)(n % b.per) * b.item));
	if (rc != SQLITE_OK)
		ai_db_fail(&ix->db, rc, err);
	sqlite3_blob_close(blob);
	return rc == SQLITE_OK ? 0 : -1;
}

int search_blocks_get(struct search_index *ix, struct search_blocks b,
		      int64_t n, void *item, struct ai_err *err)
{
	sqlite3_blob *blob = NULL;
	int there = open_block(ix, b, n, false, &blob, err), rc;

	memset(item, 0, b.item);
	if (there <= 0)
		return there;
	rc = sqlite3_blob_read(blob, item, (int)b.item,
			       (int)((size_t)(n % b.per) * b.item));
	if (rc != SQLITE_OK)
		ai_db_fail(&ix->db, rc, err);
	sqlite3_blob_close(blob);
	return rc == SQLITE_OK ? 0 : -1;
}

int search_blocks_prune(struct search_index *ix, struct search_blocks b,
			int64_t n, struct ai_err *err)
{
	int64_t first = n / b.per * b.per;
	sqlite3_stmt *st = NULL;
	char sql[80];
	int rc;

	if (SEARCH_BIND(ix, SQL_ANY_IN, err, "ii", first, first + b.per) < 0)
		return -1;
	rc = ai_db_step(&ix->db, ix->st[SQL_ANY_IN], err);
	sqlite3_reset(ix->st[SQL_ANY_IN]);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE block=?", b.table);
	rc = ai_db_bind(&ix->db, &st, sql, err, "i", n / b.per);
	if (rc == 0)
		rc = ai_db_run(&ix->db, st, err);
	ai_db_finish(&st);
	return rc;
}
