/* ledger-schema.c: the tables, and the way from each version to the next. */
#include "store/ledger-int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZEROS "00000000000000000000000000000000" \
	      "00000000000000000000000000000000"

#define TRANSFERS_STAY \
	"CREATE TRIGGER no_update BEFORE UPDATE ON transfer" \
	" BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;" \
	"CREATE TRIGGER no_delete BEFORE DELETE ON transfer" \
	" BEGIN SELECT RAISE(ABORT, 'transfers are never removed'); END;"

#define FACT(name) " ADD COLUMN " name " INTEGER NOT NULL DEFAULT 0"
#define SUM(name, column) ", " #column " INTEGER NOT NULL"

/*
 * Transfers are never changed: what happened later is a transfer of its own
 * that names the first one in `of`.  An entry says under which account a
 * reservation falls; its end and its corrections fall under the same ones.
 * A hold is a reservation that has not ended.
 *
 * The version stands in the state too, where each transaction reads it: a
 * program that has the file open while another one changes it must not go on.
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
	TRANSFERS_STAY
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
	/* 2: labels have seals; what people do has a chain; and what
	 * ai-complete keeps: answers to use again, conversations, batches.
	 * For a list of kinds SQLite made a table with each transfer. */
	"DROP INDEX one_end;"
	"CREATE UNIQUE INDEX one_end ON transfer(of)"
	" WHERE kind BETWEEN 2 AND 4;"
	"ALTER TABLE state ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE state ADD COLUMN event_seq INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE state ADD COLUMN event_head BLOB NOT NULL DEFAULT x'"
	ZEROS "';"
	"ALTER TABLE state ADD COLUMN cache_bytes INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE label ADD COLUMN seal BLOB NOT NULL DEFAULT x'';"
	"CREATE TABLE event(seq INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
	" kind TEXT NOT NULL, detail TEXT NOT NULL, link BLOB NOT NULL) STRICT;"
	"CREATE TRIGGER no_event_update BEFORE UPDATE ON event"
	" BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;"
	"CREATE TRIGGER no_event_delete BEFORE DELETE ON event"
	" BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;"
	"CREATE TABLE cache(key BLOB NOT NULL UNIQUE CHECK(length(key) = 32),"
	" value BLOB NOT NULL, created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL, person TEXT NOT NULL) STRICT;"
	"CREATE INDEX cache_by_end ON cache(expires);"
	"CREATE INDEX cache_by_age ON cache(created);"
	"CREATE INDEX cache_by_person ON cache(person) WHERE person<>'';"
	"CREATE TRIGGER cache_more AFTER INSERT ON cache BEGIN UPDATE state SET"
	" cache_bytes=cache_bytes+length(new.value); END;"
	"CREATE TRIGGER cache_less AFTER DELETE ON cache BEGIN UPDATE state SET"
	" cache_bytes=cache_bytes-length(old.value); END;"
	"CREATE TABLE conversation(n INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" tenant TEXT NOT NULL, person TEXT NOT NULL,"
	" created INTEGER NOT NULL, changed INTEGER NOT NULL,"
	" UNIQUE(person, tenant, name)) STRICT;"
	"CREATE TABLE message(conversation INTEGER NOT NULL"
	" REFERENCES conversation(n), n INTEGER NOT NULL,"
	" created INTEGER NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,"
	" amount INTEGER NOT NULL, PRIMARY KEY(conversation, n)) STRICT;"
	"CREATE TABLE batch(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" created INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" start INTEGER NOT NULL, space INTEGER NOT NULL, boot TEXT NOT NULL)"
	" STRICT;"
	"CREATE TABLE answer(batch INTEGER NOT NULL REFERENCES batch(n),"
	" payload BLOB NOT NULL CHECK(length(payload) = 32),"
	" ordinal INTEGER NOT NULL, transfer BLOB NOT NULL, value BLOB,"
	" amount INTEGER, usage TEXT, person TEXT NOT NULL,"
	" PRIMARY KEY(batch, payload, ordinal)) STRICT;"
	"CREATE INDEX answer_of ON answer(transfer);"
	"CREATE INDEX answer_by_person ON answer(person) WHERE person<>'';",
	/* 3: ends and corrections, which have no id, are not in the index of
	 * ids: that was a quarter of the pages that a call wrote. */
	"CREATE TABLE moved(seq INTEGER PRIMARY KEY, id BLOB"
	" CHECK(length(id) = 16), kind INTEGER NOT NULL,"
	" of INTEGER REFERENCES moved(seq), amount INTEGER NOT NULL,"
	" created INTEGER NOT NULL, label INTEGER REFERENCES label(n),"
	" usage TEXT NOT NULL, link BLOB NOT NULL,"
	" CHECK((kind = 1) = (of IS NULL) AND (kind = 1) = (id IS NOT NULL)))"
	" STRICT;"
	"INSERT INTO moved SELECT * FROM transfer;"
	"DROP TRIGGER no_delete;"
	"DROP TABLE transfer;"
	"ALTER TABLE moved RENAME TO transfer;"
	"CREATE UNIQUE INDEX by_id ON transfer(id) WHERE id IS NOT NULL;"
	"CREATE UNIQUE INDEX one_end ON transfer(of)"
	" WHERE kind BETWEEN 2 AND 4;"
	"CREATE INDEX corrections ON transfer(of) WHERE kind = 5;"
	"CREATE INDEX by_time ON transfer(created) WHERE kind = 1;"
	TRANSFERS_STAY,
	/* 4: an end says how it went; sums by hour and label, and by label;
	 * answers from the cache. */
	"ALTER TABLE transfer" FACT("ended") ";"
	"ALTER TABLE transfer" FACT("attempt") ";"
	"ALTER TABLE transfer" FACT("input") ";"
	"ALTER TABLE transfer" FACT("cached") ";"
	"ALTER TABLE transfer" FACT("written") ";"
	"ALTER TABLE transfer" FACT("output") ";"
	"ALTER TABLE transfer" FACT("reasoning") ";"
	"ALTER TABLE transfer" FACT("time_us") ";"
	"ALTER TABLE transfer" FACT("first_us") ";"
	"ALTER TABLE state ADD COLUMN rolled INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE rollup(hour INTEGER NOT NULL, label INTEGER NOT NULL"
	AI_ROLLUP_COLUMNS(SUM) ", PRIMARY KEY(hour, label)) STRICT,"
	" WITHOUT ROWID;"
	"CREATE TABLE total(label INTEGER PRIMARY KEY"
	AI_ROLLUP_COLUMNS(SUM) ") STRICT;"
	"CREATE TABLE hit(seq INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
	" label INTEGER NOT NULL REFERENCES label(n), hits INTEGER NOT NULL,"
	" saved INTEGER NOT NULL, seal BLOB NOT NULL) STRICT;",
	/* 5: the journal of ai-agent. */
	"CREATE TABLE run(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" root TEXT NOT NULL, tenant TEXT NOT NULL, person TEXT NOT NULL,"
	" task TEXT NOT NULL, setup TEXT NOT NULL, status INTEGER NOT NULL,"
	" note TEXT, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
	" spent_ms INTEGER NOT NULL, cap INTEGER NOT NULL,"
	" pid INTEGER NOT NULL, start INTEGER NOT NULL,"
	" space INTEGER NOT NULL, boot TEXT NOT NULL) STRICT;"
	"CREATE INDEX run_by_person ON run(person) WHERE person<>'';"
	"CREATE TABLE step(run INTEGER NOT NULL REFERENCES run(n),"
	" n INTEGER NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
	" key TEXT NOT NULL, said TEXT NOT NULL, intent TEXT, result TEXT,"
	" amount INTEGER NOT NULL, created INTEGER NOT NULL,"
	" changed INTEGER NOT NULL, PRIMARY KEY(run, n)) STRICT;",
	/* 6: notes that runs share. */
	"CREATE TABLE note(root TEXT NOT NULL, n INTEGER NOT NULL,"
	" key TEXT NOT NULL, text TEXT NOT NULL, by TEXT NOT NULL,"
	" call TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
	" PRIMARY KEY(root, n)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX note_by_key ON note(root, key) WHERE text<>'';",
	/* 7: what agents of a workflow may spend; run '' is the sum of all. */
	"CREATE TABLE share(root TEXT NOT NULL, agent TEXT NOT NULL,"
	" run TEXT NOT NULL, held INTEGER NOT NULL, spent INTEGER NOT NULL,"
	" PRIMARY KEY(root, agent, run)) STRICT, WITHOUT ROWID;",
};

/* ---- a new ledger ---------------------------------------------------------------- */

static int first_state(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	char zone[80];
	int rc;

	ledger_zone_new(getenv("TZ"), "/etc", zone, sizeof(zone));
	rc = ai_db_bind(&l->db, &st, "INSERT INTO state(one, zone, key, seq,"
			" head) VALUES(1, ?, randomblob(32), 0,"
			" zeroblob(32))", err, "t", ai_span_of(zone));
	if (rc == 0)
		rc = ai_db_run(&l->db, st, err);
	ai_db_finish(&st);
	return rc;
}

/* ---- from version to version ------------------------------------------------------- */

static int seal_labels(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (ledger_state_load(l, err) < 0 ||
	    ai_db_bind(&l->db, &st, "SELECT n FROM label", err, "") < 0)
		return -1;
	while ((rc = ai_db_step(&l->db, st, err)) > 0)
		if (ledger_label_seal(l, sqlite3_column_int64(st, 0), err) < 0)
			break;
	ai_db_finish(&st);
	return rc == 0 ? 0 : -1;
}

static int tell_version(struct ai_ledger *l, int64_t from, struct ai_err *err)
{
	char detail[80];

	snprintf(detail, sizeof(detail), "{\"from\":%d,\"to\":%d}", (int)from,
		 LEDGER_VERSION);
	return ledger_event(l, "version", detail, l->wall_ms(), err);
}

static int migrate(struct ai_ledger *l, int64_t *from, struct ai_err *err)
{
	char sql[120];
	int64_t version;

	/* Asked again with the lock held: another program may have done it. */
	if (ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	*from = version;
	if (version == LEDGER_VERSION)
		return 0;
	if (version == 0 && (ai_db_exec(&l->db, versions[0], err) < 0 ||
			     first_state(l, err) < 0))
		return -1;
	for (version += version == 0; version < LEDGER_VERSION; version++)
		if (ai_db_exec(&l->db, versions[version], err) < 0)
			return -1;
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d;"
		 "PRAGMA user_version=%d; UPDATE state SET version=%d",
		 LEDGER_APPLICATION, LEDGER_VERSION, LEDGER_VERSION);
	if (ai_db_exec(&l->db, sql, err) < 0 || seal_labels(l, err) < 0 ||
	    ledger_rollup_make(l, err) < 0)
		return -1;
	return *from == 0 ? 0 : tell_version(l, *from, err) < 0 ? -1 :
		ledger_state_save(l, err);
}

/* The queues of older versions: no program uses them any more, and names of
 * people may be left in them. */
static void remove_queues(const char *path, int64_t version)
{
	char queue[4096];

	for (; version > 0 && version < LEDGER_VERSION; version++) {
		ledger_queue_path(path, (int)version, queue, sizeof(queue));
		unlink(queue);
	}
}

int ledger_schema(struct ai_ledger *l, const char *path, struct ai_err *err)
{
	int64_t version, id;

	if (ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0 ||
	    ai_db_int(&l->db, "PRAGMA application_id", &id, err) < 0)
		return -1;
	if (version != 0 && id != LEDGER_APPLICATION)
		return ai_err_set(err, AI_E_CONFIG, "%s is a database of "
				  "something else", l->db.name);
	if (version > LEDGER_VERSION)
		return ai_err_set(err, AI_E_CONFIG, "%s has version %lld; this "
				  "program knows up to %d: install a newer one",
				  l->db.name, (long long)version,
				  LEDGER_VERSION);
	if (version < 0)
		return ai_db_damaged(&l->db, err, "its version is %lld",
				     (long long)version);
	if (version == LEDGER_VERSION)
		return 0;
	if (ai_db_begin(&l->db, true, err) < 0)
		return -1;
	if (migrate(l, &version, err) < 0) {
		ai_db_rollback(&l->db);
		return -1;
	}
	if (ai_db_commit(&l->db, err) < 0)
		return -1;
	remove_queues(path, version);
	return 0;
}
