#include "store/note.h"

#include "store/ledger-int.h"

#include <string.h>

struct put {
	const char *root, *call;
	const struct ai_note *n;
};

static int check(const struct put *p, struct ai_err *err)
{
	const struct ai_note *n = p->n;

	if (n->key.n < 1 || n->key.n > AI_NOTE_KEY ||
	    memchr(n->key.p, '\0', n->key.n) != NULL)
		return ai_err_set(err, AI_E_TOO_LONG, "the key of a note has 1 "
				  "to %d bytes", AI_NOTE_KEY);
	if (n->text.n > AI_NOTE_TEXT)
		return ai_err_set(err, AI_E_TOO_LONG, "a note has at most %d "
				  "bytes, not %zu", AI_NOTE_TEXT, n->text.n);
	if (p->call[0] == '\0' || strlen(p->call) > 79 ||
	    strlen(n->by) >= AI_NOTE_BY)
		return ai_err_set(err, AI_E_BUG, "a note that is none");
	return 0;
}

/* A number of this statement: *v. */
static int ask(struct ai_ledger *l, enum ledger_sql s, struct ai_span name,
	       int64_t *v, struct ai_err *err)
{
	int rc;

	if (LEDGER_BIND(l, s, err, "t", name) < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[s], err);
	if (rc > 0)
		*v = sqlite3_column_int64(l->st[s], 0);
	sqlite3_reset(l->st[s]);
	return rc;
}

static int write_it(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct put *p = arg;
	struct ai_span root = ai_span_of(p->root),
		       text = p->n->text.n == 0 ? AI_SPAN("") : p->n->text;
	int64_t no = 0, run;
	int rc = ask(l, SQL_NOTE_OF, ai_span_of(p->call), &run, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = ask(l, SQL_RUN, root, &run, err);
	if (rc <= 0)
		return rc < 0 ? -1 : ai_err_set(err, AI_E_USAGE, "there is no "
						"run '%.80s'", p->root);
	if (ask(l, SQL_NOTES, root, &no, err) < 0)
		return -1;
	if (no >= AI_NOTES_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "a run has at most %d "
				  "notes", AI_NOTES_MAX);
	return LEDGER_RUN(l, SQL_EMPTY_NOTES, err, "tt", root, p->n->key) < 0 ||
		LEDGER_RUN(l, SQL_ADD_NOTE, err, "titttti", root, no + 1,
			   p->n->key, text, ai_span_of(p->n->by),
			   ai_span_of(p->call), l->wall_ms()) < 0
		? -1 : 0;
}

int ai_note_put(struct ai_ledger *l, const char *root, const char *call,
		const struct ai_note *n, struct ai_err *err)
{
	struct put p = { root, call, n };

	return check(&p, err) < 0 ? -1 : ledger_alone(l, false, write_it, &p,
						      err);
}

int ai_note_get(struct ai_ledger *l, const char *root, struct ai_span key,
		struct ai_buf *text, char by[AI_NOTE_BY], struct ai_err *err)
{
	struct ai_span value;
	sqlite3_stmt *st;
	int rc;

	by[0] = '\0';
	if (LEDGER_BIND(l, SQL_NOTE, err, "tt", ai_span_of(root), key) < 0)
		return -1;
	st = l->st[SQL_NOTE];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		value = ai_db_span(st, 0);
		ledger_copy_column(by, AI_NOTE_BY, st, 1);
		rc = value.n > 0;
		ai_buf_add(text, value.p, value.n);
	}
	sqlite3_reset(st);
	return rc > 0 && ai_buf_check(text, "the note", err) < 0 ? -1 : rc;
}

int ai_note_list(struct ai_ledger *l, const char *root,
		 int (*each)(void *arg, const struct ai_note *n), void *arg,
		 struct ai_err *err)
{
	static const char sql[] = "SELECT key, text, by, created FROM note"
		" WHERE root=? AND text<>'' ORDER BY key";
	sqlite3_stmt *st = NULL;
	struct ai_note n;
	char by[AI_NOTE_BY];
	int rc = ai_db_bind(&l->db, &st, sql, err, "t", ai_span_of(root));

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		n.key = ai_db_span(st, 0);
		n.text = ai_db_span(st, 1);
		ledger_copy_column(by, sizeof(by), st, 2);
		n.by = by;
		n.created = sqlite3_column_int64(st, 3);
		if (each(arg, &n) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}
