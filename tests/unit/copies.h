/*
 * copies.h: what the tests of backups share: a ledger in a folder of its own,
 * calls, and looking at a copy.
 */
#ifndef TESTS_UNIT_COPIES_H
#define TESTS_UNIT_COPIES_H

#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-ledger-backup-XXXXXX", path[100], copy[120];

static void die(const struct ai_err *err)
{
	printf("Bail out! %s\n", err->msg);
	fflush(stdout);
	_exit(9);
}

static struct ai_ledger *open_it(const char *file)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, file, &err) < 0)
		die(&err);
	return l;
}

static struct ai_ledger *open_new(void)
{
	static int n;

	snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, n++);
	snprintf(copy, sizeof(copy), "%s.copy", path);
	return open_it(path);
}

static int call(struct ai_ledger *l, int64_t worst, int64_t cost,
		struct ai_err *err)
{
	struct ai_reserve r = { .worst = worst, .max_wait_ms = INT64_MAX,
		.labels = { .tool = "ai-complete", .model = "m", .key = "k" } };
	struct ai_post p = { .amount = cost, .usage = "{}" };
	struct ai_reserved out;

	ai_ledger_id(r.id);
	memcpy(p.id, r.id, sizeof(p.id));
	if (ai_ledger_reserve(l, &r, &out, err) < 0)
		return -1;
	if (out.verdict != AI_GRANTED || cost < 0)
		return out.verdict == AI_GRANTED ? 0 : -1;
	return ai_ledger_sent(l, r.id, err) < 0 ? -1
		: ai_ledger_post(l, &p, err);
}

__attribute__((unused))
static void calls(struct ai_ledger *l, int n, int64_t cost)
{
	struct ai_err err = { .msg = "refused" };
	int i;

	for (i = 0; i < n; i++)
		if (call(l, cost + 2, cost, &err) < 0)
			die(&err);
}

static int64_t ask(struct ai_ledger *l, const char *sql)
{
	struct ai_err err;
	int64_t n;

	if (ai_db_int(&l->db, sql, &n, &err) == 0)
		return n;
	printf("# %s\n", err.msg);
	return INT64_MIN;
}

#define POSTED "SELECT count(*) FROM transfer WHERE kind=2"

static bool agrees(struct ai_ledger *l)
{
	struct ai_err err = { .msg = "" };
	int n = 0;

	if (ai_ledger_check(l, complain, &n, &err) == 0 && n == 0)
		return true;
	printf("# %s\n", err.msg);
	return false;
}

/* The copy's answer; nothing but the file itself is looked at. */
__attribute__((unused))
static int64_t ask_file(const char *file, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	char uri[200];
	int64_t n = INT64_MIN;

	snprintf(uri, sizeof(uri), "file:%s?immutable=1", file);
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
			    NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

__attribute__((unused))
static const char *beside(const char *file, const char *tail)
{
	static char name[200];

	snprintf(name, sizeof(name), "%s%s", file, tail);
	return name;
}

__attribute__((unused))
static bool is_there(const char *file, const char *tail)
{
	return access(beside(file, tail), F_OK) == 0;
}

/* Neither a log nor half a copy lies beside it. */
__attribute__((unused))
static bool is_alone(const char *file)
{
	return !is_there(file, "-wal") && !is_there(file, "-shm") &&
		!is_there(file, "-journal") && !is_there(file, ".part") &&
		!is_there(file, ".restore");
}

__attribute__((unused))
static int wait_for(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
