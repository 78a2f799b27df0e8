/* ledger-export.c: rows as lines of JSON: {"transfer":{"seq":1,...}}.
 * Numbers are what the file has: nano-dollars, milliseconds; bytes are hex. */
#include "store/ledger-int.h"

#include "base/utf8.h"
#include "record/json.h"

#include <string.h>

#define LINE_MAX_BYTES ((size_t)64 << 20)

struct ledger_rows {
	const char *name, *sql;
};

static int put_bytes(struct ai_buf *b, struct ai_span s)
{
	char hex[2 * LEDGER_HASH + 1];
	size_t n;

	ai_buf_chr(b, '"');
	for (; s.n > 0; s.p += n, s.n -= n) {
		n = s.n < LEDGER_HASH ? s.n : LEDGER_HASH;
		ai_hex(s.p, n, hex);
		ai_buf_add(b, hex, 2 * n);
	}
	return ai_buf_chr(b, '"');
}

static void put_column(struct ai_buf *b, sqlite3_stmt *st, int c)
{
	struct ai_span s = ai_db_span(st, c);

	ai_put_key(b, sqlite3_column_name(st, c));
	switch (sqlite3_column_type(st, c)) {
	case SQLITE_INTEGER:
		ai_put_i64(b, sqlite3_column_int64(st, c));
		break;
	case SQLITE_NULL:
		ai_put_null(b);
		break;
	case SQLITE_TEXT:
		if (ai_utf8_valid(s.p, s.n) == s.n) {
			ai_put_str(b, s.p, s.n);
			break;
		}
		/* fall through */
	default:
		put_bytes(b, s);
	}
}

typedef int each_line(void *arg, const struct ai_buf *line);

/* 1: each() has ended it. */
static int write_rows(struct ai_ledger *l, const struct ledger_rows *r,
		      const char *user, each_line *each, void *arg,
		      struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(LINE_MAX_BYTES);
	sqlite3_stmt *st = NULL;
	int i, rc, ended = 0;

	rc = user == NULL ? ai_db_bind(&l->db, &st, r->sql, err, "")
			  : ai_db_bind(&l->db, &st, r->sql, err, "t",
				       ai_span_of(user));
	while (rc >= 0 && !ended && (rc = ai_db_step(&l->db, st, err)) > 0) {
		ai_buf_clear(&b);
		ai_put_open(&b, '{');
		ai_put_key(&b, r->name);
		ai_put_open(&b, '{');
		for (i = 0; i < sqlite3_column_count(st); i++)
			put_column(&b, st, i);
		ai_put_close(&b, '}');
		ai_put_close(&b, '}');
		rc = ai_buf_check(&b, "the line", err);
		ended = rc == 0 && each(arg, &b) != 0;
	}
	ai_buf_release(&b);
	ai_db_finish(&st);
	return rc < 0 ? -1 : ended;
}

/* All of them as they were at one moment. */
static int write_all(struct ai_ledger *l, const struct ledger_rows *r,
		     const char *user, each_line *each, void *arg,
		     struct ai_err *err)
{
	int rc = ai_db_begin(&l->db, false, err);

	for (; rc == 0 && r->name != NULL; r++)
		rc = write_rows(l, r, user, each, arg, err);
	ai_db_rollback(&l->db);
	return rc < 0 ? -1 : 0;
}

int ai_ledger_export(struct ai_ledger *l, each_line *each, void *arg,
		     struct ai_err *err)
{
	static const struct ledger_rows all[] = {
		{ "state", "SELECT version, zone, key, seq, head, event_seq,"
			   " event_head FROM state" },
		{ "label", "SELECT * FROM label ORDER BY n" },
		{ "person", "SELECT * FROM person ORDER BY token" },
		{ "transfer", "SELECT * FROM transfer ORDER BY seq" },
		{ "hold", "SELECT * FROM hold ORDER BY transfer" },
		{ "hit", "SELECT * FROM hit ORDER BY seq" },
		{ "budget", "SELECT * FROM budget" },
		{ "rate", "SELECT * FROM rate" },
		{ "event", "SELECT * FROM event ORDER BY seq" },
		{ "conversation", "SELECT * FROM conversation ORDER BY n" },
		{ "message", "SELECT * FROM message ORDER BY conversation, n" },
		{ "run", "SELECT * FROM run ORDER BY n" },
		{ "step", "SELECT * FROM step ORDER BY run, n" },
		{ "note", "SELECT * FROM note ORDER BY root, n" },
		{ NULL, NULL }
	};

	return write_all(l, all, NULL, each, arg, err);
}

int ai_ledger_export_user(struct ai_ledger *l, const char *user,
			  each_line *each, void *arg, struct ai_err *err)
{
	static const struct ledger_rows all[] = {
		{ "user", "SELECT * FROM person WHERE token=?" },
		{ "budget", "SELECT period, cap FROM budget WHERE scope='user'"
			    " AND name=?" },
		{ "call", "SELECT t.seq, t.id, t.created, t.amount AS reserved,"
			  " l.tool, l.provider, l.model, l.key, l.tenant,"
			  " l.project, l.experiment, l.run, (SELECT sum(amount)"
			  " FROM transfer WHERE of=t.seq) AS cost, (SELECT"
			  " max(usage) FROM transfer WHERE of=t.seq) AS usage"
			  " FROM transfer t JOIN label l ON l.n=t.label WHERE"
			  " t.kind=1 AND l.user=? ORDER BY t.seq" },
		{ "message", "SELECT c.name, c.tenant, m.n, m.created, m.role,"
			     " m.content, m.amount FROM conversation c"
			     " JOIN message m ON m.conversation=c.n WHERE"
			     " c.person=? ORDER BY c.n, m.n" },
		{ "run", "SELECT id, tenant, created, changed, status, task,"
			 " setup, note FROM run WHERE person=? ORDER BY n" },
		{ "step", "SELECT r.id AS run, s.n, s.kind, s.state, s.said,"
			  " s.intent, s.result, s.amount, s.created FROM run r"
			  " JOIN step s ON s.run=r.n WHERE r.person=? ORDER BY"
			  " r.n, s.n" },
		{ "note", "SELECT o.root AS run, o.key, o.text, o.by,"
			  " o.created FROM run r JOIN note o ON o.root=r.id"
			  " WHERE r.person=? ORDER BY r.n, o.n" },
		{ "answer", "SELECT b.name AS batch, a.ordinal, a.amount,"
			    " CAST(a.value AS TEXT) AS value FROM answer a"
			    " JOIN batch b ON b.n=a.batch WHERE a.person=?" },
		{ "cached", "SELECT created, expires, CAST(value AS TEXT) AS"
			    " value FROM cache WHERE person=?" },
		{ NULL, NULL }
	};
	char token[64];
	int rc;

	if (ledger_name(token, user, "a user's name", err) < 0)
		return -1;
	rc = ledger_known_person(l, token, err);
	if (rc < 0)
		return -1;
	if (rc == 0 || token[0] == '\0')
		return ai_err_set(err, AI_E_USAGE, "the ledger knows no user "
				  "'%.80s'", user);
	return write_all(l, all, token, each, arg, err);
}
