/* ledger-import.c: a ledger from the lines that ai_ledger_export() writes. */
#include "store/ledger-int.h"

#include "record/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 24

struct import {
	int (*next)(void *arg, struct ai_span *line, struct ai_err *err);
	void *arg;
	long rows;
};

/* One row on its way into a table. */
struct row {
	const char *table;
	char name[COLUMNS_MAX][32];
	struct ai_value value[COLUMNS_MAX];
	bool bytes[COLUMNS_MAX]; /* hex, of a blob */
	size_t n;
};

static int bad(const struct import *i, struct ai_err *err, const char *what)
{
	return ai_err_set(err, AI_E_DATA, "line %ld: %s; nothing was imported",
			  i->rows, what);
}

/* ---- reading a line ----------------------------------------------------------- */

/* The value's table, if it is one that is exported. */
static const char *table_of(struct ai_value key)
{
	static const char *const tables[] = {
		"state", "label", "person", "transfer", "hold", "budget",
		"rate", "event", "conversation", "message", "hit",
		"run", "step", "note",
	};
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (ai_json_is(key, ai_span_of(tables[i])))
			return tables[i];
	return NULL;
}

/* A member becomes a column, if the table has one of this name. */
static int take_column(struct ai_ledger *l, const struct import *i,
		       struct row *r, struct ai_value key, struct ai_value val,
		       struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(sizeof(r->name[0]) - 1);
	const char *type = "";
	int rc = SQLITE_ERROR;

	if (r->n < COLUMNS_MAX && ai_json_text(key, &name) == 0 &&
	    strlen(ai_buf_cstr(&name)) == name.len) {
		snprintf(r->name[r->n], sizeof(r->name[0]), "%s",
			 ai_buf_cstr(&name));
		rc = sqlite3_table_column_metadata(l->db.h, "main", r->table,
						   r->name[r->n], &type, NULL,
						   NULL, NULL, NULL);
	}
	ai_buf_release(&name);
	/* A table without a key of its own has rowid, oid and _rowid_. */
	if (rc != SQLITE_OK || strstr(r->name[r->n], "rowid") != NULL ||
	    strcmp(r->name[r->n], "oid") == 0)
		return bad(i, err, "a member that no ledger has");
	r->value[r->n] = val;
	r->bytes[r->n] = strcmp(type, "BLOB") == 0;
	r->n++;
	return 0;
}

static int take_row(struct ai_ledger *l, const struct import *i,
		    struct ai_span line, struct row *r, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v, key, val;
	struct ai_err why;

	r->n = 0;
	if (ai_json_check(line.p, line.n, &v, &why) < 0)
		return bad(i, err, why.msg);
	if (v.kind != AI_OBJECT)
		return bad(i, err, "it is no object");
	ai_json_iter_init(&it, v);
	if (!ai_json_next(&it, &key, &val) || val.kind != AI_OBJECT ||
	    (r->table = table_of(key)) == NULL)
		return bad(i, err, "it is no row of a ledger");
	if (ai_json_next(&it, NULL, &v))
		return bad(i, err, "it is more than one row");
	ai_json_iter_init(&it, val);
	while (ai_json_next(&it, &key, &v))
		if (take_column(l, i, r, key, v, err) < 0)
			return -1;
	return 0;
}

/* ---- writing the row ---------------------------------------------------------- */

/* A string for column c of st, which SQLite copies. */
static int bind_text(sqlite3_stmt *st, int c, struct ai_value v, bool bytes)
{
	struct ai_buf text = AI_BUF_INIT((size_t)64 << 20);
	int rc = -1;

	if (ai_json_text(v, &text) < 0)
		goto out;
	if (!bytes)
		rc = sqlite3_bind_text(st, c, ai_buf_cstr(&text),
				       (int)text.len, SQLITE_TRANSIENT);
	else if (ai_unhex(ai_buf_cstr(&text), text.len, text.p) == 0)
		rc = sqlite3_bind_blob(st, c, text.p == NULL ? "" : text.p,
				       (int)text.len / 2, SQLITE_TRANSIENT);
out:
	ai_buf_release(&text);
	return rc == SQLITE_OK ? 0 : -1;
}

static int bind_value(sqlite3_stmt *st, int c, struct ai_value v, bool bytes)
{
	int64_t n;

	if (v.kind == AI_NULL)
		return sqlite3_bind_null(st, c) == SQLITE_OK ? 0 : -1;
	if (v.kind == AI_STRING)
		return bind_text(st, c, v, bytes);
	return v.kind == AI_NUMBER && !bytes && ai_json_i64(v, &n) == 0 &&
		sqlite3_bind_int64(st, c, n) == SQLITE_OK ? 0 : -1;
}

static void make_sql(const struct row *r, struct ai_buf *sql)
{
	bool state = strcmp(r->table, "state") == 0;
	size_t c;

	ai_buf_fmt(sql, state ? "UPDATE %s SET " : "INSERT INTO %s(", r->table);
	for (c = 0; c < r->n; c++)
		ai_buf_fmt(sql, state ? "%s%s=?" : "%s%s", c > 0 ? "," : "",
			   r->name[c]);
	if (!state)
		ai_buf_str(sql, ") VALUES(");
	for (c = 0; c < r->n && !state; c++)
		ai_buf_str(sql, c > 0 ? ",?" : "?");
	if (!state)
		ai_buf_chr(sql, ')');
}

static int write_row(struct ai_ledger *l, const struct import *i,
		     const struct row *r, struct ai_err *err)
{
	struct ai_buf sql = AI_BUF_INIT(1000);
	sqlite3_stmt *st = NULL;
	int rc = r->n > 0 ? SQLITE_OK : SQLITE_ERROR;
	size_t c;

	make_sql(r, &sql);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(l->db.h, ai_buf_cstr(&sql), -1, &st,
					NULL);
	for (c = 0; c < r->n && rc == SQLITE_OK; c++)
		if (bind_value(st, (int)c + 1, r->value[c], r->bytes[c]) < 0)
			rc = SQLITE_MISMATCH;
	if (rc == SQLITE_OK && sqlite3_step(st) != SQLITE_DONE)
		rc = SQLITE_ERROR;
	sqlite3_finalize(st);
	ai_buf_release(&sql);
	if (rc == SQLITE_OK)
		return 0;
	rc = sqlite3_errcode(l->db.h) & 0xFF;
	if (rc == SQLITE_FULL || rc == SQLITE_IOERR || rc == SQLITE_NOMEM)
		return ai_db_fail(&l->db, rc, err);
	return bad(i, err, "the ledger cannot have such a row, or has it "
		   "already");
}

/* ---- all of it ---------------------------------------------------------------- */

/* The first contradiction. */
static void note(void *arg, const char *what)
{
	char *first = arg;

	if (first[0] == '\0')
		snprintf(first, 300, "%s", what);
}

static int finish(struct ai_ledger *l, const struct import *i,
		  struct ai_err *err)
{
	char wrong[300] = "";

	if (i->rows == 0)
		return ai_err_set(err, AI_E_DATA, "there is nothing to import");
	if (ledger_state_load(l, err) < 0 || ledger_rollup_make(l, err) < 0 ||
	    ledger_check(l, note, wrong, err) < 0)
		return -1;
	return wrong[0] == '\0' ? 0 :
		ai_err_set(err, AI_E_DATA, "what was exported contradicts "
			   "itself: %.200s; nothing was imported", wrong);
}

static int import(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct import *i = arg;
	struct ai_span line;
	struct row *r;
	int rc = 0;

	if (l->seq != 0 || l->event_seq != 0)
		return ai_err_set(err, AI_E_USAGE, "%s is in use already; "
				  "import into a new one: --ledger FILE",
				  l->db.name);
	r = malloc(sizeof(*r));
	if (r == NULL)
		return ai_err_nomem(err);
	if (ai_db_exec(&l->db, "DELETE FROM budget", err) < 0)
		rc = -1;
	while (rc == 0 && (rc = i->next(i->arg, &line, err)) > 0) {
		i->rows++;
		rc = take_row(l, i, line, r, err);
		if (rc == 0 && (i->rows == 1) != (strcmp(r->table, "state") ==
						  0))
			rc = bad(i, err, "the state is the first line, and "
				 "only that");
		if (rc == 0)
			rc = write_row(l, i, r, err);
	}
	free(r);
	return rc < 0 ? -1 : finish(l, i, err);
}

int ai_ledger_import(struct ai_ledger *l,
		     int (*next)(void *arg, struct ai_span *line,
				 struct ai_err *err), void *arg, long *rows,
		     struct ai_err *err)
{
	struct import i = { next, arg, 0 };

	if (ledger_alone(l, true, import, &i, err) < 0)
		return -1;
	*rows = i.rows;
	return 0;
}
