/* ledger-file.c: the file, its tables, and its versions. */
#include "store/ledger-int.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define APPLICATION_ID 1634296940 /* "ailg" */
#define ADVICE "see 'ai-cost ledger check', and 'ai-cost ledger restore'"
#define WAIT_MS 10000 /* for a backup or a vacuum that holds the lock */

/*
 * Transfers are never changed: what happened later is a transfer of its own
 * that names the first one in `of`.  An entry says under which account a
 * reservation falls; its end and its corrections fall under the same ones.
 * A hold is a reservation that has not ended.
 */
static const char *const versions[LEDGER_VERSION] = {
	"CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" zone TEXT NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,"
	" head BLOB NOT NULL) STRICT;"
	"CREATE TABLE label(n INTEGER PRIMARY KEY, tool TEXT NOT NULL,"
	" provider TEXT NOT NULL, model TEXT NOT NULL, key TEXT NOT NULL,"
	" tenant TEXT NOT NULL, user TEXT NOT NULL, project TEXT NOT NULL,"
	" experiment TEXT NOT NULL, run TEXT NOT NULL, UNIQUE(run, tool,"
	" provider, model, key, tenant, user, project, experiment)) STRICT;"
	"CREATE TABLE person(token TEXT PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE transfer(seq INTEGER PRIMARY KEY, id BLOB UNIQUE"
	" CHECK(length(id) = 16), kind INTEGER NOT NULL,"
	" of INTEGER REFERENCES transfer(seq), amount INTEGER NOT NULL,"
	" created INTEGER NOT NULL, label INTEGER REFERENCES label(n),"
	" usage TEXT NOT NULL, link BLOB NOT NULL,"
	" CHECK((kind = 1) = (of IS NULL) AND (kind = 1) = (id IS NOT NULL)))"
	" STRICT;"
	"CREATE UNIQUE INDEX one_end ON transfer(of) WHERE kind IN (2, 3, 4);"
	"CREATE INDEX corrections ON transfer(of) WHERE kind = 5;"
	"CREATE INDEX by_time ON transfer(created) WHERE kind = 1;"
	"CREATE TRIGGER no_update BEFORE UPDATE ON transfer"
	" BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;"
	"CREATE TRIGGER no_delete BEFORE DELETE ON transfer"
	" BEGIN SELECT RAISE(ABORT, 'transfers are never removed'); END;"
	"CREATE TABLE budget(scope TEXT NOT NULL, name TEXT NOT NULL,"
	" period TEXT NOT NULL, cap INTEGER NOT NULL CHECK(cap >= 0),"
	" PRIMARY KEY(scope, name, period)) STRICT, WITHOUT ROWID;"
	"INSERT INTO budget VALUES('all', '', 'request', 500000000),"
	" ('all', '', 'day', 100000000000);"
	"CREATE TABLE account(n INTEGER PRIMARY KEY, scope TEXT NOT NULL,"
	" name TEXT NOT NULL, period TEXT NOT NULL, start INTEGER NOT NULL,"
	" pending INTEGER NOT NULL DEFAULT 0 CHECK(pending >= 0),"
	" posted INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE(scope, name, period, start)) STRICT;"
	"CREATE TABLE entry(transfer INTEGER, account INTEGER,"
	" PRIMARY KEY(transfer, account)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE hold(transfer INTEGER PRIMARY KEY,"
	" amount INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,"
	" probe INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" start INTEGER NOT NULL, space INTEGER NOT NULL, boot TEXT NOT NULL)"
	" STRICT;"
	"CREATE TABLE rate(key TEXT NOT NULL, model TEXT NOT NULL,"
	" requests INTEGER NOT NULL, tokens INTEGER NOT NULL,"
	" PRIMARY KEY(key, model)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE bucket(name TEXT PRIMARY KEY, tat INTEGER NOT NULL,"
	" burst INTEGER NOT NULL, last INTEGER NOT NULL, boot TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE breaker(name TEXT PRIMARY KEY,"
	" failures INTEGER NOT NULL, opened INTEGER NOT NULL,"
	" probe INTEGER NOT NULL, held INTEGER NOT NULL, boot TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;",
};

const char *const ledger_sql[SQL_COUNT] = {
	[SQL_STATE] = "SELECT seq, head, key, zone FROM state",
	[SQL_SET_STATE] = "UPDATE state SET seq=?, head=?",
	[SQL_TRANSFER] = "SELECT seq, amount, label FROM transfer WHERE id=?",
	[SQL_INSERT_TRANSFER] = "INSERT INTO transfer VALUES(?, ?, ?, ?, ?, ?,"
				" ?, ?, ?)",
	[SQL_BOOKED] = "SELECT coalesce(sum(amount), 0) FROM transfer"
		       " WHERE of=?1 AND kind IN (2, 3, 4)",
	[SQL_LABEL] = "SELECT n FROM label WHERE run=? AND tool=? AND"
		      " provider=? AND model=? AND key=? AND tenant=? AND"
		      " user=? AND project=? AND experiment=?",
	[SQL_LABEL_RATE] = "SELECT key, model FROM label WHERE n=?",
	[SQL_INSERT_LABEL] = "INSERT INTO label(run, tool, provider, model,"
			     " key, tenant, user, project, experiment)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_PERSON] = "SELECT token FROM person WHERE name=?",
	[SQL_INSERT_PERSON] = "INSERT INTO person"
			      " VALUES(lower(hex(randomblob(12))), ?)",
	[SQL_BUDGETS] = "SELECT scope, name, period, cap FROM budget",
	[SQL_HAS_BUDGET] = "SELECT 1 FROM budget WHERE scope=? AND name=? AND"
			   " period=?",
	[SQL_SET_BUDGET] = "INSERT INTO budget VALUES(?, ?, ?, ?)"
			   " ON CONFLICT DO UPDATE SET cap=excluded.cap",
	[SQL_REMOVE_BUDGET] = "DELETE FROM budget WHERE scope=? AND name=?"
			      " AND period=?",
	[SQL_ACCOUNT] = "SELECT n, pending, posted FROM account WHERE scope=?"
			" AND name=? AND period=? AND start=?",
	[SQL_DELETE_ENTRIES] = "DELETE FROM entry WHERE account IN (SELECT n"
			       " FROM account WHERE scope=?1 AND period=?3"
			       " AND ?2 IN (name, '*'))",
	[SQL_DELETE_ACCOUNTS] = "DELETE FROM account WHERE scope=?1 AND"
				" period=?3 AND ?2 IN (name, '*')",
	[SQL_INSERT_ACCOUNT] = "INSERT INTO account(scope, name, period, start)"
			       " VALUES(?, ?, ?, ?)",
	[SQL_FILL_ENTRIES] = "INSERT INTO entry SELECT t.seq, ?1"
			     " FROM transfer t JOIN label l ON t.label=l.n"
			     " WHERE t.kind=1 AND t.created>=?2 AND"
			     " t.created<?3 AND " LEDGER_MATCHES,
	[SQL_SUM_ACCOUNT] = "UPDATE account SET pending=(SELECT"
			    " coalesce(sum(h.amount), 0) FROM entry e"
			    " JOIN hold h ON h.transfer=e.transfer"
			    " WHERE e.account=?1), posted=(SELECT"
			    " coalesce(sum(t.amount), 0) FROM entry e"
			    " JOIN transfer t ON t.of=e.transfer"
			    " WHERE e.account=?1) WHERE n=?1",
	[SQL_ADD_PENDING] = "UPDATE account SET pending=pending+? WHERE n=?",
	[SQL_END_PENDING] = "UPDATE account SET pending=pending-?1,"
			    " posted=posted+?2 WHERE n IN"
			    " (SELECT account FROM entry WHERE transfer=?3)",
	[SQL_INSERT_ENTRY] = "INSERT INTO entry VALUES(?, ?)",
	[SQL_INSERT_HOLD] = "INSERT INTO hold VALUES(?, ?, 0, ?, ?, ?, ?, ?)",
	[SQL_HOLD] = "SELECT amount, sent, probe FROM hold WHERE transfer=?",
	[SQL_SET_SENT] = "UPDATE hold SET sent=1 WHERE transfer=?",
	[SQL_DELETE_HOLD] = "DELETE FROM hold WHERE transfer=?",
	[SQL_HOLDS] = "SELECT h.transfer, h.amount, h.sent, h.pid, h.start,"
		      " h.space, h.boot, t.label FROM hold h"
		      " JOIN transfer t ON t.seq=h.transfer",
	[SQL_LIMITS] = "SELECT key, model, requests, tokens FROM rate"
		       " WHERE key IN (?1, '*') AND model IN (?2, '*')"
		       " ORDER BY key='*', model='*' LIMIT 1",
	[SQL_SET_LIMIT] = "INSERT OR REPLACE INTO rate VALUES(?, ?, ?, ?)",
	[SQL_REMOVE_LIMIT] = "DELETE FROM rate WHERE key=? AND model=?",
	[SQL_BUCKET] = "SELECT tat, burst, last, boot FROM bucket WHERE name=?",
	[SQL_SET_BUCKET] = "INSERT OR REPLACE INTO bucket"
			   " VALUES(?, ?, ?, ?, ?)",
	[SQL_BREAKER] = "SELECT failures, opened, probe, held, boot"
			" FROM breaker WHERE name=?",
	[SQL_SET_BREAKER] = "INSERT OR REPLACE INTO breaker"
			    " VALUES(?, ?, ?, ?, ?, ?)",
};

/* ---- where ------------------------------------------------------------------ */

/* Locks on these are not what they are on a disk of this machine. */
static int check_disk(const char *path, struct ai_err *err)
{
	static const struct { long magic; const char *name; } network[] = {
		{ NFS_SUPER_MAGIC, "NFS" }, { SMB_SUPER_MAGIC, "SMB" },
		{ 0xFF534D42, "CIFS" }, { 0xFE534D42, "SMB2" },
		{ AFS_SUPER_MAGIC, "AFS" }, { CODA_SUPER_MAGIC, "Coda" },
		{ V9FS_MAGIC, "9P" }, { 0x00C36400, "Ceph" },
	};
	struct statfs fs;
	size_t i;

	if (statfs(path, &fs) < 0)
		return 0;
	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if ((uint32_t)fs.f_type == (uint32_t)network[i].magic)
			return ai_err_set(err, AI_E_CONFIG, "the ledger "
					  "'%.200s' lies on a network file "
					  "system (%s), where it is not safe; "
					  "name one on a local disk with "
					  "--ledger or AI_LEDGER", path,
					  network[i].name);
	return 0;
}

/* The folders above it, and the file, for this user alone. */
static int make_file(const char *path, struct ai_err *err)
{
	char dir[4096];
	size_t i;
	int fd;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return ai_err_set(err, AI_E_CONFIG,
				  "the ledger's path is too long");
	for (i = 1; dir[i] != '\0'; i++)
		if (dir[i] == '/') {
			dir[i] = '\0';
			if (mkdir(dir, 0700) < 0 && errno != EEXIST)
				return ai_err_sys(err, AI_E_CREATE, errno,
						  "cannot create '%.200s' for "
						  "the ledger", dir);
			dir[i] = '/';
		}
	/* Only a new one is opened: closing a file gives up all locks that
	 * this process has on it, those of its other handles too. */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot open the ledger '%.200s'", path);
	if (fd >= 0)
		close(fd);
	return check_disk(path, err);
}

/* ---- versions ---------------------------------------------------------------- */

static const char *usable_zone(void)
{
	const char *zone = getenv("TZ");

	return zone != NULL && zone[0] != '\0' && ledger_zone(zone, NULL) == 0
		? zone : "UTC";
}

static int first_state(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&l->db, &st, "INSERT INTO state VALUES(1, ?,"
			    " randomblob(32), 0, zeroblob(32))", err, "t",
			    ai_span_of(usable_zone()));

	if (rc == 0)
		rc = ai_db_run(&l->db, st, err);
	ai_db_finish(&st);
	return rc;
}

static int migrate(struct ai_ledger *l, struct ai_err *err)
{
	char sql[80];
	int64_t version;

	/* Asked again with the lock held: another program may have done it. */
	if (ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (version == 0 && (ai_db_exec(&l->db, versions[0], err) < 0 ||
			     first_state(l, err) < 0))
		return -1;
	for (version += version == 0; version < LEDGER_VERSION; version++)
		if (ai_db_exec(&l->db, versions[version], err) < 0)
			return -1;
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d;"
		 "PRAGMA user_version=%d", APPLICATION_ID, LEDGER_VERSION);
	return ai_db_exec(&l->db, sql, err);
}

static int check_version(struct ai_ledger *l, struct ai_err *err)
{
	int64_t version, id;

	if (ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0 ||
	    ai_db_int(&l->db, "PRAGMA application_id", &id, err) < 0)
		return -1;
	if (version != 0 && id != APPLICATION_ID)
		return ai_err_set(err, AI_E_CONFIG, "%s is a database of "
				  "something else", l->db.name);
	if (version > LEDGER_VERSION)
		return ai_err_set(err, AI_E_CONFIG, "%s has version %lld; this "
				  "program knows up to %d: install a newer one",
				  l->db.name, (long long)version,
				  LEDGER_VERSION);
	if (version == LEDGER_VERSION)
		return 0;
	if (ai_db_begin(&l->db, true, err) < 0)
		return -1;
	if (migrate(l, err) == 0)
		return ai_db_commit(&l->db, err);
	ai_db_rollback(&l->db);
	return -1;
}

/* ---- opening ------------------------------------------------------------------- */

int ledger_state_load(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_stmt *st;
	struct ai_span head, key;

	if (LEDGER_BIND(l, SQL_STATE, err, "") < 0 ||
	    ai_db_step(&l->db, l->st[SQL_STATE], err) < 0)
		return -1;
	st = l->st[SQL_STATE];
	head = ai_db_span(st, 1);
	key = ai_db_span(st, 2);
	if (head.n != LEDGER_HASH || key.n != LEDGER_HASH) {
		sqlite3_reset(st);
		return ai_db_damaged(&l->db, err, "the chain has no end");
	}
	l->seq = sqlite3_column_int64(st, 0);
	memcpy(l->head, head.p, LEDGER_HASH);
	memcpy(l->key, key.p, LEDGER_HASH);
	sqlite3_reset(st);
	return 0;
}

int ledger_state_save(struct ai_ledger *l, struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_SET_STATE, err, "ib", l->seq,
			  ((struct ai_span){ (const char *)l->head,
					     LEDGER_HASH }));
}

static int take_zone(struct ai_ledger *l, struct ai_err *err)
{
	char zone[80] = "";
	int rc;

	if (LEDGER_BIND(l, SQL_STATE, err, "") < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[SQL_STATE], err);
	if (rc > 0)
		snprintf(zone, sizeof(zone), "%.*s",
			 (int)ai_db_span(l->st[SQL_STATE], 3).n,
			 ai_db_span(l->st[SQL_STATE], 3).p);
	sqlite3_reset(l->st[SQL_STATE]);
	return rc < 0 ? -1 : ledger_zone(zone, err);
}

static int no_directory(const char *file, int *fd)
{
	(void)file;
	(void)fd;
	return SQLITE_CANTOPEN;
}

/*
 * SQLite syncs the folder with the first commit of each process, because the
 * log might just have been made.  Ours is kept: where it was there before,
 * so was its name, and one of three syncs is saved.
 */
static void skip_folder_sync(const char *path)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char log[4096];
	bool there;

	snprintf(log, sizeof(log), "%s-wal", path);
	there = access(log, F_OK) == 0;
	if (vfs != NULL && vfs->iVersion >= 3 && vfs->xSetSystemCall != NULL)
		vfs->xSetSystemCall(vfs, "openDirectory", there ?
				    (sqlite3_syscall_ptr)no_directory : NULL);
}

int ledger_file_open(struct ai_ledger *l, const char *path, struct ai_err *err)
{
	char name[200], queue[4096];
	struct ai_db_wish wish = { name, ADVICE, WAIT_MS, 4096 };
	int keep = 1;

	if (make_file(path, err) < 0)
		return -1;
	skip_folder_sync(path);
	snprintf(name, sizeof(name), "the ledger '%.180s'", path);
	if (ai_db_open(&l->db, path, AI_DB_CREATE, &wish, err) < 0)
		return -1;
	/* The last to close it would copy the log back and remove it: dear,
	 * and the next one would make it again. */
	sqlite3_file_control(l->db.h, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep);
	sqlite3_db_config(l->db.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	l->full = true;
	if (check_version(l, err) < 0 || take_zone(l, err) < 0)
		return -1;
	snprintf(queue, sizeof(queue), "%s-queue%d", path, LEDGER_VERSION);
	return ai_queue_open(&l->queue, queue, err);
}
