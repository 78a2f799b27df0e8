/* ledger-sql.c: every statement that a handle keeps prepared. */
#include "store/ledger-int.h"

#define VALUE(name, column) ", ?"
#define VALUES AI_ROLLUP_COLUMNS(VALUE)
#define ADD(name, column) ", " #column "=" #column "+excluded." #column
#define SUM(name, column) ", sum(" #column ")"
#define SUMS AI_ROLLUP_COLUMNS(SUM)
#define ADDED AI_ROLLUP_COLUMNS(ADD)

const char *const ledger_sql[SQL_COUNT] = {
	[SQL_STATE] = "SELECT seq, head, key, zone, event_seq, event_head,"
		      " version, rolled FROM state",
	[SQL_SET_STATE] = "UPDATE state SET seq=?, head=?, event_seq=?,"
			  " event_head=?",
	/* And whether its hold was sent: NULL if it has ended. */
	[SQL_TRANSFER] = "SELECT seq, t.amount, label, sent, created FROM"
			 " transfer t"
			 " LEFT JOIN hold h ON h.transfer=t.seq WHERE id=?",
	[SQL_TRANSFER_AT] = "SELECT seq, t.amount, label, sent, created FROM"
			    " transfer t"
			    " LEFT JOIN hold h ON h.transfer=t.seq"
			    " WHERE seq=? AND id=?",
	[SQL_INSERT_TRANSFER] = "INSERT OR IGNORE INTO transfer VALUES(?, ?, ?,"
				" ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	/* By kind, as the indexes are. */
	[SQL_BOOKED] = "SELECT coalesce((SELECT amount FROM transfer WHERE"
		       " of=?1 AND kind BETWEEN 2 AND 4), 0) + coalesce((SELECT"
		       " sum(amount) FROM transfer WHERE of=?1 AND kind=5), 0)",
	[SQL_IDS] = "SELECT id FROM transfer WHERE id BETWEEN ? AND ? LIMIT 2",
	[SQL_LABEL] = "SELECT n FROM label WHERE run=? AND tool=? AND"
		      " provider=? AND model=? AND key=? AND tenant=? AND"
		      " user=? AND project=? AND experiment=?",
	[SQL_LABEL_ROW] = "SELECT run, tool, provider, model, key, tenant,"
			  " user, project, experiment, seal FROM label"
			  " WHERE n=?",
	[SQL_SEAL_LABEL] = "UPDATE label SET seal=?2 WHERE n=?1",
	[SQL_LABEL_RATE] = "SELECT key, model FROM label WHERE n=?",
	[SQL_INSERT_LABEL] = "INSERT INTO label(run, tool, provider, model,"
			     " key, tenant, user, project, experiment)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_INSERT_EVENT] = "INSERT INTO event VALUES(?, ?, ?, ?, ?)",
	[SQL_PERSON] = "SELECT token FROM person WHERE name=?",
	[SQL_INSERT_PERSON] = "INSERT INTO person"
			      " VALUES(lower(hex(randomblob(12))), ?)",
	[SQL_BUDGETS] = "SELECT scope, name, period, cap FROM budget",
	/* From the rollups: an account is made by the first call that needs
	 * it.  ?1: of all times, of which totals have all but the last day. */
	[SQL_USED] = "SELECT (SELECT coalesce(sum(h.amount), 0) FROM hold h"
		     " CROSS JOIN transfer t ON t.seq=h.transfer"
		     " CROSS JOIN label l ON l.n=t.label WHERE"
		     " t.created>=?2 AND t.created<?3 AND " LEDGER_MATCHES "),"
		     " (SELECT coalesce(sum(r.posted), 0) FROM rollup r"
		     " CROSS JOIN label l ON l.n=r.label WHERE r.hour>="
		     "CASE WHEN ?1 THEN (SELECT rolled FROM state) ELSE ?2 END"
		     " AND r.hour<?3 AND " LEDGER_MATCHES ")"
		     " + (SELECT coalesce(sum(r.posted), 0) FROM total r"
		     " CROSS JOIN label l ON l.n=r.label WHERE ?1 AND "
		     LEDGER_MATCHES ")",
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
	[SQL_MOVE_SUMS] = "UPDATE account SET pending=pending+?1,"
			  " posted=posted+?2 WHERE n=?3",
	[SQL_ENTRIES] = "SELECT account FROM entry WHERE transfer=?",
	[SQL_INSERT_ENTRY] = "INSERT INTO entry VALUES(?, ?)",
	[SQL_INSERT_HOLD] = "INSERT INTO hold VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_HOLDER] = "SELECT h.pid, h.start, h.space, h.boot, l.tool FROM"
		       " hold h JOIN transfer t ON t.seq=h.transfer JOIN"
		       " label l ON l.n=t.label WHERE h.transfer=?",
	[SQL_SET_SENT] = "UPDATE hold SET sent=1 WHERE transfer=?",
	[SQL_DELETE_HOLD] = "DELETE FROM hold WHERE transfer=?",
	[SQL_HOLDS] = "SELECT h.transfer, h.amount, h.sent, h.pid, h.start,"
		      " h.space, h.boot, t.label, t.created FROM hold h"
		      " CROSS JOIN transfer t ON t.seq=h.transfer",
	[SQL_ROLL_UP] = "INSERT INTO rollup VALUES(?, ?" VALUES ") ON CONFLICT"
			" DO UPDATE SET label=excluded.label" ADDED,
	[SQL_ROLL_UP_ALL] = "INSERT INTO total VALUES(?" VALUES ") ON CONFLICT"
			    " DO UPDATE SET label=excluded.label" ADDED,
	[SQL_ROLL_ON] = "INSERT INTO total SELECT label" SUMS " FROM rollup"
			" WHERE hour>=? AND hour<? GROUP BY label ON CONFLICT"
			" DO UPDATE SET label=excluded.label" ADDED,
	[SQL_SET_ROLLED] = "UPDATE state SET rolled=?",
	[SQL_INSERT_HIT] = "INSERT INTO hit VALUES(?, ?, ?, ?, ?, ?)",
	/* It stands at its worst case, and nobody has corrected that. */
	[SQL_IS_LOST] = "SELECT 1 FROM transfer WHERE of=?1 AND kind=4 AND"
			" kind BETWEEN 2 AND 4 AND NOT EXISTS(SELECT 1 FROM"
			" transfer WHERE of=?1 AND kind=5)",
	/* How little they are about just this one; few rows, and no index that
	 * would be made for each question. */
	[SQL_LIMITS] = "SELECT requests, tokens, 2*(key='*')+(model='*')"
		       " FROM rate WHERE (+key=?1 OR +key='*') AND"
		       " (+model=?2 OR +model='*')",
	[SQL_SET_LIMIT] = "INSERT OR REPLACE INTO rate VALUES(?, ?, ?, ?)",
	[SQL_REMOVE_LIMIT] = "DELETE FROM rate WHERE key=? AND model=?",
	[SQL_BUCKET] = "SELECT tat, burst, last, boot FROM bucket WHERE name=?",
	[SQL_SET_BUCKET] = "INSERT OR REPLACE INTO bucket"
			   " VALUES(?, ?, ?, ?, ?)",
	/* And the hold of its probe, if there is one. */
	[SQL_BREAKER] = "SELECT failures, opened, b.probe, held, b.boot,"
			" h.probe, pid, start, space, h.boot FROM breaker b"
			" LEFT JOIN hold h ON transfer=b.probe WHERE name=?",
	[SQL_SET_BREAKER] = "INSERT OR REPLACE INTO breaker"
			    " VALUES(?, ?, ?, ?, ?, ?)",
	/* A probe that runs is still known: there is to be no second. */
	[SQL_RESET_BREAKER] = "UPDATE breaker SET failures=0, opened=0, held=0"
			      " WHERE (failures<>0 OR held<>0) AND (?1='*' OR"
			      " substr(name, instr(name, ' ')+1)=?1)",
	[SQL_CACHED] = "SELECT value FROM cache WHERE key=?1 AND created<=?2"
		       " AND expires>?2",
	[SQL_CACHE_DELETE] = "DELETE FROM cache WHERE key=?",
	[SQL_CACHE_INSERT] = "INSERT INTO cache VALUES(?, ?, ?, ?, ?)",
	[SQL_CACHE_EXPIRE] = "DELETE FROM cache WHERE expires<=?",
	[SQL_CACHE_OLDEST] = "DELETE FROM cache WHERE rowid IN (SELECT rowid"
			     " FROM cache ORDER BY created LIMIT 8)",
	[SQL_CONVERSATION] = "SELECT n, (SELECT count(*) FROM message m WHERE"
			     " m.conversation=c.n) FROM conversation c WHERE"
			     " person=? AND tenant=? AND name=?",
	[SQL_CONVERSATIONS] = "SELECT name, count(m.n), coalesce(sum(m.amount),"
			      " 0), c.created, c.changed FROM conversation c"
			      " LEFT JOIN message m ON m.conversation=c.n"
			      " WHERE person=? AND tenant=? GROUP BY c.n"
			      " ORDER BY name",
	[SQL_ADD_CONVERSATION] = "INSERT INTO conversation(name, tenant,"
				 " person, created, changed)"
				 " VALUES(?1, ?2, ?3, ?4, ?4)",
	[SQL_REMOVE_CONVERSATION] = "DELETE FROM conversation WHERE n=?",
	[SQL_SET_CHANGED] = "UPDATE conversation SET changed=? WHERE n=?",
	[SQL_ADD_MESSAGE] = "INSERT INTO message VALUES(?, ?, ?, ?, ?, ?)",
	[SQL_MESSAGES] = "SELECT created, role, content, amount FROM message"
			 " WHERE conversation=? ORDER BY n",
	[SQL_REMOVE_MESSAGES] = "DELETE FROM message WHERE conversation=?",
	[SQL_BATCH] = "SELECT n, pid, start, space, boot FROM batch"
		      " WHERE name=?",
	[SQL_ADD_BATCH] = "INSERT INTO batch(name, created, pid, start, space,"
			  " boot) VALUES(?, ?, ?, ?, ?, ?)",
	[SQL_OWN_BATCH] = "UPDATE batch SET pid=?2, start=?3, space=?4,"
			  " boot=?5 WHERE n=?1",
	[SQL_REMOVE_BATCH] = "DELETE FROM batch WHERE n=?",
	/* Nobody knows what became of a call that is open or was booked at its
	 * worst case (4), unless somebody has corrected that (5). */
	[SQL_LINE] = "SELECT a.value, a.amount, t.seq IS NOT NULL AND (EXISTS("
		     "SELECT 1 FROM hold WHERE transfer=t.seq) OR (EXISTS("
		     "SELECT 1 FROM transfer WHERE of=t.seq AND kind=4 AND kind"
		     " BETWEEN 2 AND 4) AND NOT EXISTS(SELECT 1 FROM transfer"
		     " WHERE of=t.seq AND kind=5))) FROM answer a LEFT JOIN"
		     " transfer t ON t.id=a.transfer WHERE batch=? AND"
		     " payload=? AND ordinal=?",
	[SQL_START_LINE] = "INSERT INTO answer(batch, payload, ordinal,"
			   " transfer, person) VALUES(?, ?, ?, ?, ?)"
			   " ON CONFLICT DO UPDATE SET"
			   " transfer=excluded.transfer, value=NULL,"
			   " amount=NULL, usage=NULL, person=excluded.person",
	[SQL_ANSWER_LINE] = "UPDATE answer SET value=?4, amount=?5, usage=?6"
			    " WHERE batch=?1 AND payload=?2 AND ordinal=?3",
	[SQL_ANSWERED] = "SELECT a.amount, a.usage FROM transfer t JOIN"
			 " answer a ON a.transfer=t.id WHERE t.seq=? AND"
			 " a.amount IS NOT NULL",
	[SQL_REMOVE_ANSWERS] = "DELETE FROM answer WHERE batch=?",
	[SQL_RUN] = "SELECT n, cap, status, id=root, pid, start, space, boot,"
		    " root FROM run WHERE id=?",
	[SQL_RUNS_LIKE] = "SELECT id FROM run WHERE substr(id, 1, length(?1))"
			  "=?1 ORDER BY id<>?1",
	[SQL_ADD_RUN] = "INSERT INTO run(id, root, tenant, person, task, setup,"
			" status, created, changed, cap, spent_ms, pid, start,"
			" space, boot) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
			" ?8, ?9, 0, 0, 0, 0, '')",
	[SQL_OWN_RUN] = "UPDATE run SET pid=?2, start=?3, space=?4, boot=?5"
			" WHERE n=?1",
	[SQL_SET_RUN] = "UPDATE run SET status=?2, spent_ms=?3, changed=?4,"
			" note=?5 WHERE n=?1 AND id=?6",
	[SQL_SET_CAP] = "UPDATE run SET cap=?2 WHERE n=?1",
	[SQL_REMOVE_RUN] = "DELETE FROM run WHERE n=?",
	[SQL_PUT_STEP] = "INSERT INTO step(run, n, kind, state, key, said,"
			 " intent, result, amount, created, changed) VALUES(?1,"
			 " ?2, ?3, ?4, ?5, ?6, ?7, CAST(?8 AS TEXT), ?9, ?10,"
			 " ?10) ON CONFLICT DO UPDATE SET state=excluded.state,"
			 " said=excluded.said, intent=excluded.intent,"
			 " result=excluded.result, amount=excluded.amount,"
			 " changed=excluded.changed",
	[SQL_COPY_STEPS] = "INSERT INTO step SELECT ?1, n, kind, state, key,"
			   " said, intent, result, 0, created, changed FROM"
			   " step WHERE run=?2 AND n<?3",
	[SQL_DECIDE] = "UPDATE step SET said=?2, changed=?4 WHERE run=?1 AND"
		       " state=3 AND (?3=0 OR n=?3)",
	[SQL_REMOVE_STEPS] = "DELETE FROM step WHERE run=?",
	[SQL_NOTE] = "SELECT text, by FROM note WHERE root=? AND key=? AND"
		     " text<>''",
	[SQL_NOTES] = "SELECT max(n) FROM note WHERE root=?",
	[SQL_NOTE_OF] = "SELECT n FROM note WHERE call=?",
	[SQL_ADD_NOTE] = "INSERT INTO note(root, n, key, text, by, call,"
			 " created) VALUES(?, ?, ?, ?, ?, ?, ?)",
	[SQL_EMPTY_NOTES] = "UPDATE note SET text='' WHERE root=? AND key=?"
			    " AND text<>''",
	/* Those of the steps that were copied, and of the runs that they, done,
	 * have begun. */
	[SQL_COPY_NOTES] = "WITH RECURSIVE made(n) AS (SELECT c.n FROM step s"
			   " JOIN run c ON c.id BETWEEN 'd-'||s.key AND"
			   " 'd-'||s.key||'.' WHERE s.run=?3 AND s.state=4 AND"
			   " s.key<>'' UNION SELECT c.n FROM made m JOIN step s"
			   " ON s.run=m.n AND s.key<>'' JOIN run c ON c.id"
			   " BETWEEN 'd-'||s.key AND 'd-'||s.key||'.')"
			   " INSERT INTO note SELECT ?1, o.n, o.key, o.text,"
			   " o.by, ?1||'@'||o.n, o.created FROM note o"
			   " WHERE o.root=?2 AND o.call IN (SELECT key FROM"
			   " step WHERE run=?3 OR run IN (SELECT n FROM made))",
	[SQL_REMOVE_NOTES] = "DELETE FROM note WHERE root=?",
	[SQL_SHARE] = "SELECT held, spent FROM share WHERE root=? AND agent=?"
		      " AND run=?",
	[SQL_SET_SHARE] = "INSERT INTO share VALUES(?1, ?2, ?3, ?4, ?5) ON"
			  " CONFLICT DO UPDATE SET held=?4, spent=?5",
	[SQL_SHARES_HELD] = "SELECT r.pid, r.start, r.space, r.boot FROM share"
			    " s JOIN run r ON r.id=s.run WHERE s.root=?1 AND"
			    " s.agent=?2 AND s.held>0 AND s.run<>?3",
	[SQL_REMOVE_SHARES] = "DELETE FROM share WHERE root=?",
};
