#include "store/batch.h"

#include "store/ledger-int.h"

#include <string.h>

/* ---- whose it is ---------------------------------------------------------------- */

/* Its number, 0 if it is not there, and the living process that has it. */
static int find(struct ai_ledger *l, const char *name, int64_t *n,
		int64_t *pid, struct ai_err *err)
{
	struct ai_owner o;
	sqlite3_stmt *st;
	int rc;

	*n = *pid = 0;
	if (LEDGER_BIND(l, SQL_BATCH, err, "t", ai_span_of(name)) < 0)
		return -1;
	st = l->st[SQL_BATCH];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		*n = sqlite3_column_int64(st, 0);
		*pid = ledger_living(st, 1, &o);
		/* Our own handle, or an older one of ours. */
		if (o.pid == l->owner.pid && o.start == l->owner.start &&
		    o.space == l->owner.space)
			*pid = 0;
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

struct name {
	const char *name;
	bool force;
	int64_t n, now;
};

static int find_free(struct ai_ledger *l, struct name *b, struct ai_err *err)
{
	int64_t pid;

	if (find(l, b->name, &b->n, &pid, err) < 0)
		return -1;
	return pid == 0 || b->force ? 0 :
		ai_err_set(err, AI_E_TRY_LATER, "process %lld works on the "
			   "batch '%.100s'", (long long)pid, b->name);
}

static int own(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct ai_owner *o = &l->owner;
	struct name *b = arg;

	if (find_free(l, b, err) < 0)
		return -1;
	if (b->n != 0)
		return LEDGER_RUN(l, SQL_OWN_BATCH, err, "iiiit", b->n, o->pid,
				  o->start, o->space, ai_span_of(o->boot));
	if (LEDGER_RUN(l, SQL_ADD_BATCH, err, "tiiiit", ai_span_of(b->name),
		       b->now, o->pid, o->start, o->space,
		       ai_span_of(o->boot)) < 0)
		return -1;
	b->n = sqlite3_last_insert_rowid(l->db.h);
	return 0;
}

static int check_name(const char *name, struct ai_err *err)
{
	return name[0] != '\0' && strlen(name) < 128 ? 0 :
		ai_err_set(err, AI_E_USAGE, "the name of a batch has 1 to 127 "
			   "bytes: '%.40s'", name);
}

int ai_batch_open(struct ai_ledger *l, const char *name, bool force,
		  struct ai_batch *b, struct ai_err *err)
{
	struct name arg = { name, force, 0, l->wall_ms() };

	if (check_name(name, err) < 0 ||
	    ledger_alone(l, false, own, &arg, err) < 0)
		return -1;
	b->n = arg.n;
	return 0;
}

static int disown(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_OWN_BATCH, err, "iiiit", *(int64_t *)arg,
			  (int64_t)0, (int64_t)0, (int64_t)0, AI_SPAN(""));
}

int ai_batch_close(struct ai_ledger *l, const struct ai_batch *b,
		   struct ai_err *err)
{
	int64_t n = b->n;

	return ledger_alone(l, false, disown, &n, err);
}

static int remove_it(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct name *b = arg;

	if (find_free(l, b, err) < 0 || b->n == 0)
		return b->n == 0 ? 0 : -1;
	return LEDGER_RUN(l, SQL_REMOVE_ANSWERS, err, "i", b->n) < 0 ? -1 :
		LEDGER_RUN(l, SQL_REMOVE_BATCH, err, "i", b->n);
}

int ai_batch_remove(struct ai_ledger *l, const char *name, bool force,
		    struct ai_err *err)
{
	struct name b = { name, force, 0, 0 };

	return ledger_alone(l, true, remove_it, &b, err) < 0 ? -1 : b.n != 0;
}

/* ---- lines ---------------------------------------------------------------------- */

int ai_batch_find(struct ai_ledger *l, const struct ai_batch *b,
		  const struct ai_batch_line *line, struct ai_buf *out,
		  int64_t *amount, struct ai_err *err)
{
	struct ai_span answer;
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_LINE, err, "ibi", b->n,
			LEDGER_BYTES(line->payload, AI_BATCH_PAYLOAD),
			line->ordinal) < 0)
		return -1;
	st = l->st[SQL_LINE];
	rc = ai_db_step(&l->db, st, err);
	if (rc <= 0)
		return rc < 0 ? -1 : AI_LINE_NEW;
	answer = ai_db_span(st, 0);
	if (answer.p != NULL)
		ai_buf_add(out, answer.p, answer.n);
	*amount = sqlite3_column_type(st, 1) == SQLITE_NULL
		? -1 : sqlite3_column_int64(st, 1);
	rc = answer.p != NULL ? AI_LINE_ANSWERED
		: sqlite3_column_int(st, 2) != 0 ? AI_LINE_UNCERTAIN
						 : AI_LINE_NEW;
	sqlite3_reset(st);
	return ai_buf_check(out, "the kept answer", err) < 0 ? -1 : rc;
}

int ledger_start(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err)
{
	const struct ai_batch_step *s = it->in.step;
	char person[64];

	if (ledger_name(person, s->user, "a user's name", err) < 0 ||
	    ledger_person(l, person, err) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_START_LINE, err, "ibibt", s->batch->n,
			  LEDGER_BYTES(s->line->payload, AI_BATCH_PAYLOAD),
			  s->line->ordinal, LEDGER_BYTES(s->id, AI_LEDGER_ID),
			  ai_span_of(person));
}

int ledger_answer(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err)
{
	const struct ai_batch_step *s = it->in.step;
	sqlite3_stmt *st;

	if (s->answer.p == NULL || s->amount > AI_LEDGER_AMOUNT_MAX)
		return ledger_refuse(it, AI_E_BUG, "an answer that is none");
	if (LEDGER_BIND(l, SQL_ANSWER_LINE, err, "ibibit", s->batch->n,
			LEDGER_BYTES(s->line->payload, AI_BATCH_PAYLOAD),
			s->line->ordinal, s->answer, s->amount,
			ai_span_of(s->usage)) < 0)
		return -1;
	st = l->st[SQL_ANSWER_LINE];
	if (s->amount < 0)
		sqlite3_bind_null(st, 5);
	if (ai_db_run(&l->db, st, err) < 0)
		return -1;
	return sqlite3_changes(l->db.h) == 1 ? 0 :
		ledger_refuse(it, AI_E_BUG, "an answer to a line that was not "
			      "started");
}

/* A single step. */
static int take(struct ai_ledger *l, enum ai_ledger_what what,
		struct ai_batch_step *s, struct ai_err *err)
{
	struct ai_ledger_op op = { .what = what, .in.step = s };
	struct ai_ledger_op *ops[] = { &op };

	if (ai_ledger_many(l, ops, 1, err) < 0)
		return -1;
	if (op.err.code == AI_E_NONE)
		return 0;
	*err = op.err;
	return -1;
}

int ai_batch_start(struct ai_ledger *l, const struct ai_batch *b,
		   const struct ai_batch_line *line,
		   const unsigned char id[AI_LEDGER_ID], const char *user,
		   struct ai_err *err)
{
	struct ai_batch_step s = { .batch = b, .line = line, .id = id,
				   .user = user };

	return take(l, AI_LEDGER_START, &s, err);
}

int ai_batch_answer(struct ai_ledger *l, const struct ai_batch *b,
		    const struct ai_batch_line *line, struct ai_span text,
		    int64_t amount, const char *usage, struct ai_err *err)
{
	struct ai_batch_step s = { .batch = b, .line = line, .answer = text,
				   .amount = amount, .usage = usage };

	return take(l, AI_LEDGER_ANSWER, &s, err);
}

/* ---- all of them ------------------------------------------------------------------ */

int ai_batch_list(struct ai_ledger *l,
		  int (*each)(void *arg, const struct ai_batch_state *s),
		  void *arg, struct ai_err *err)
{
	static const char sql[] = "SELECT name, created, pid, start, space,"
		" boot, (SELECT count(*) FROM answer WHERE batch=b.n),"
		" (SELECT count(value) FROM answer WHERE batch=b.n)"
		" FROM batch b ORDER BY name";
	sqlite3_stmt *st = NULL;
	struct ai_batch_state s;
	struct ai_owner o;
	int rc = ai_db_bind(&l->db, &st, sql, err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		s.name = (const char *)sqlite3_column_text(st, 0);
		if (s.name == NULL)
			s.name = "";
		s.created = sqlite3_column_int64(st, 1);
		s.pid = ledger_living(st, 2, &o);
		s.lines = sqlite3_column_int64(st, 6);
		s.answered = sqlite3_column_int64(st, 7);
		if (each(arg, &s) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}
