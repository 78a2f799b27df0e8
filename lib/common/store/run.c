#include "store/run.h"

#include "record/json.h"
#include "store/ledger-int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	[AI_RUN_OPEN] = "open", [AI_RUN_PARKED] = "parked",
	[AI_RUN_PAUSED] = "paused", [AI_RUN_DONE] = "done",
	[AI_RUN_PARTIAL] = "partial", [AI_RUN_FAILED] = "failed",
};

const char *ai_run_status_name(enum ai_run_status s)
{
	return s >= AI_RUN_OPEN && s <= AI_RUN_FAILED ? names[s] : "unknown";
}

static bool has_ended(enum ai_run_status s)
{
	return s == AI_RUN_DONE || s == AI_RUN_PARTIAL || s == AI_RUN_FAILED;
}

static int check_id(const char *id, struct ai_err *err)
{
	size_t i;

	for (i = 0; isalnum((unsigned char)id[i]) ||
	     (id[i] != '\0' && strchr("._-", id[i]) != NULL); i++)
		;
	return i > 0 && i < AI_RUN_ID && id[i] == '\0' ? 0 :
		ai_err_set(err, AI_E_USAGE, "the id of a run is 1 to %d "
			   "letters, digits, dots, '-' and '_', not '%.80s'",
			   AI_RUN_ID - 1, id);
}

/* ---- whose it is ---------------------------------------------------------------- */

struct found {
	int64_t n, cap, pid;
	bool is_root;
	char root[AI_RUN_ID];
};

/* 1: it is there. */
static int find(struct ai_ledger *l, const char *id, struct found *f,
		struct ai_err *err)
{
	struct ai_owner o;
	sqlite3_stmt *st;
	int rc;

	*f = (struct found){ .n = 0 };
	if (LEDGER_BIND(l, SQL_RUN, err, "t", ai_span_of(id)) < 0)
		return -1;
	st = l->st[SQL_RUN];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		f->n = sqlite3_column_int64(st, 0);
		f->cap = sqlite3_column_int64(st, 1);
		f->is_root = sqlite3_column_int(st, 3) != 0;
		f->pid = ledger_living(st, 4, &o);
		ledger_copy_column(f->root, sizeof(f->root), st, 8);
		if (o.pid == l->owner.pid && o.start == l->owner.start &&
		    o.space == l->owner.space)
			f->pid = 0;
	}
	sqlite3_reset(st);
	return rc;
}

static int find_free(struct ai_ledger *l, const char *id, struct found *f,
		     struct ai_err *err)
{
	int rc = find(l, id, f, err);

	if (rc == 0)
		return ai_err_set(err, AI_E_USAGE, "there is no run '%.80s'; "
				  "ai-agent history lists them", id);
	return rc < 0 ? -1 : f->pid == 0 ? 0 :
		ai_err_set(err, AI_E_TRY_LATER, "process %lld works on the "
			   "run '%.80s'", (long long)f->pid, id);
}

static int own(struct ai_ledger *l, int64_t n, const struct ai_owner *o,
	       struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_OWN_RUN, err, "iiiit", n, o->pid, o->start,
			  o->space, ai_span_of(o->boot));
}

/* ---- its budget ------------------------------------------------------------------ */

/* cap negative: there is to be none. */
static int set_cap(struct ai_ledger *l, const char *id, int64_t cap,
		   struct ai_err *err)
{
	struct ledger_item it = { .what = LEDGER_DO_BUDGET, .uid = l->uid,
				  .now_ms = l->wall_ms(), .owner = l->owner };
	struct ai_budget *b = &it.in.budget;

	snprintf(b->scope, sizeof(b->scope), "run");
	snprintf(b->name, sizeof(b->name), "%s", id);
	snprintf(b->period, sizeof(b->period), "total");
	b->cap = cap;
	if (ledger_budget(l, &it, err) < 0)
		return -1;
	return it.code == AI_E_NONE ? 0 :
		ai_err_set(err, it.code, "%s", it.why);
}

/* ---- making and taking ------------------------------------------------------------ */

struct make {
	const struct ai_run_new *r;
	struct ai_run *run;
	const char *from; /* NULL: no fork */
	int64_t before;
	bool there;
};

static int insert(struct ai_ledger *l, struct make *m, struct ai_err *err)
{
	const struct ai_run_new *r = m->r;
	char tenant[64], person[64];
	int64_t now = l->wall_ms();

	if (ledger_name(tenant, r->tenant, "a tenant's name", err) < 0 ||
	    ledger_name(person, r->user, "a user's name", err) < 0 ||
	    ledger_person(l, person, err) < 0 ||
	    LEDGER_RUN(l, SQL_ADD_RUN, err, "ttttttiii", ai_span_of(r->id),
		       ai_span_of(r->root), ai_span_of(tenant),
		       ai_span_of(person), r->task, r->setup,
		       (int64_t)AI_RUN_OPEN, now, r->cap) < 0)
		return -1;
	m->run->n = sqlite3_last_insert_rowid(l->db.h);
	snprintf(m->run->id, sizeof(m->run->id), "%s", r->id);
	m->run->within = strcmp(r->id, r->root) != 0;
	if (own(l, m->run->n, &l->owner, err) < 0)
		return -1;
	return r->cap < 0 || strcmp(r->id, r->root) != 0 ? 0 :
		set_cap(l, r->id, r->cap, err);
}

/* The next note of the copy that has no text, behind *n, and is the last of its
 * key; what it was when it was written stands in the call that did it. */
static int next_empty(struct ai_ledger *l, const char *id, const char *root,
		      int64_t *n, struct ai_buf *text, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_span intent;
	struct ai_value v;
	int rc = ai_db_bind(&l->db, &st, "SELECT c.n, s.intent FROM note c"
			    " JOIN note o ON o.root=?2 AND o.n=c.n"
			    " JOIN step s ON s.key=o.call WHERE c.root=?1 AND"
			    " c.text='' AND c.n>?3 AND c.n=(SELECT max(n) FROM"
			    " note WHERE root=?1 AND key=c.key)"
			    " ORDER BY c.n LIMIT 1", err, "tti", ai_span_of(id),
			    ai_span_of(root), *n);

	if (rc == 0)
		rc = ai_db_step(&l->db, st, err);
	ai_buf_clear(text);
	if (rc > 0) {
		*n = sqlite3_column_int64(st, 0);
		intent = ai_db_span(st, 1);
		if (intent.p != NULL &&
		    ai_json_check(intent.p, intent.n, &v, NULL) == 0)
			ai_json_text(ai_json_get(v, "arguments.text"), text);
	}
	ai_db_finish(&st);
	return rc;
}

/* A note that was written over later has its text again. */
static int refill_notes(struct ai_ledger *l, const char *id, const char *root,
			struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20);
	sqlite3_stmt *st = NULL;
	int64_t n = 0;
	int rc;

	while ((rc = next_empty(l, id, root, &n, &text, err)) > 0) {
		if (text.len == 0)
			continue;
		rc = ai_db_bind(&l->db, &st, "UPDATE note SET text=?3 WHERE"
				" root=?1 AND n=?2", err, "tit",
				ai_span_of(id), n, (struct ai_span){
				ai_buf_cstr(&text), text.len });
		if (rc == 0)
			rc = ai_db_run(&l->db, st, err);
		if (rc < 0)
			break;
	}
	ai_db_finish(&st);
	ai_buf_release(&text);
	return rc < 0 ? -1 : 0;
}

static int make(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct make *m = arg;
	struct found f, from;
	int rc = find(l, m->r->id, &f, err);

	m->there = rc > 0;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (m->from != NULL && (rc = find(l, m->from, &from, err)) <= 0)
		return rc < 0 ? -1 : ai_err_set(err, AI_E_USAGE, "there is no "
						"run '%.80s'", m->from);
	if (insert(l, m, err) < 0)
		return -1;
	if (m->from == NULL)
		return 0;
	/* What it has written down itself before that step. */
	return LEDGER_RUN(l, SQL_COPY_STEPS, err, "iii", m->run->n, from.n,
			  m->before) < 0 ? -1 :
		LEDGER_RUN(l, SQL_COPY_NOTES, err, "tti",
			   ai_span_of(m->r->id), ai_span_of(from.root),
			   m->run->n) < 0 ? -1 :
		refill_notes(l, m->r->id, from.root, err);
}

int ai_run_new(struct ai_ledger *l, const struct ai_run_new *r,
	       struct ai_run *run, struct ai_err *err)
{
	struct make m = { .r = r, .run = run };

	if (check_id(r->id, err) < 0 || check_id(r->root, err) < 0 ||
	    ledger_alone(l, strcmp(r->id, r->root) == 0, make, &m, err) < 0)
		return -1;
	return m.there;
}

int ai_run_fork(struct ai_ledger *l, const struct ai_run_new *r,
		const char *from, int64_t n, struct ai_run *run,
		struct ai_err *err)
{
	struct make m = { .r = r, .run = run, .from = from, .before = n };

	if (check_id(r->id, err) < 0 || check_id(r->root, err) < 0 ||
	    ledger_alone(l, true, make, &m, err) < 0)
		return -1;
	return m.there ? ai_err_set(err, AI_E_USAGE, "there is a run '%.80s' "
				    "already", r->id) : 0;
}

struct take {
	const char *id;
	int64_t cap;
	struct ai_run *run;
};

static int take(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct take *t = arg;
	struct found f;
	int64_t had;

	if (find_free(l, t->id, &f, err) < 0 ||
	    own(l, f.n, &l->owner, err) < 0)
		return -1;
	t->run->n = f.n;
	snprintf(t->run->id, sizeof(t->run->id), "%s", t->id);
	t->run->within = !f.is_root;
	if (t->cap != INT64_MAX && t->cap != f.cap &&
	    LEDGER_RUN(l, SQL_SET_CAP, err, "ii", f.n, t->cap) < 0)
		return -1;
	had = f.cap;
	if (t->cap != INT64_MAX)
		f.cap = t->cap;
	return !f.is_root || (f.cap < 0 && had < 0) ? 0 :
		set_cap(l, t->id, f.cap, err);
}

int ai_run_take(struct ai_ledger *l, const char *id, int64_t cap,
		struct ai_run *run, struct ai_err *err)
{
	struct take t = { id, cap, run };

	return ledger_alone(l, false, take, &t, err);
}

int ai_run_find(struct ai_ledger *l, const char *prefix, char id[AI_RUN_ID],
		struct ai_err *err)
{
	sqlite3_stmt *st;
	bool whole = false;
	int n = 0, rc = 0;

	if (check_id(prefix, err) < 0 ||
	    LEDGER_BIND(l, SQL_RUNS_LIKE, err, "t", ai_span_of(prefix)) < 0)
		return -1;
	st = l->st[SQL_RUNS_LIKE];
	/* The one that is called just so comes first, and is meant. */
	for (; n < 2 && !whole && (rc = ai_db_step(&l->db, st, err)) > 0; n++)
		if (n == 0) {
			ledger_copy_column(id, AI_RUN_ID, st, 0);
			whole = strcmp(id, prefix) == 0;
		}
	sqlite3_reset(st);
	if (rc < 0)
		return -1;
	return n == 1 ? 0 : ai_err_set(err, AI_E_USAGE, n == 0
		? "there is no run '%.80s'; ai-agent history lists them"
		: "several runs begin with '%.80s'; ai-agent history lists "
		  "them", prefix);
}

/* ---- writing --------------------------------------------------------------------- */

struct put {
	const struct ai_run *run;
	const struct ai_step *steps;
	size_t n;
	const struct ai_run_change *change;
};

static int put_steps(struct ai_ledger *l, const struct put *p, int64_t now,
		     struct ai_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct ai_step *s = &p->steps[i];

		if (s->n < 1 || s->n > AI_RUN_STEPS)
			return ai_err_set(err, AI_E_TOO_LONG, "a run has at "
					  "most %d steps", AI_RUN_STEPS);
		if (LEDGER_RUN(l, SQL_PUT_STEP, err, "iiiitttbii", p->run->n,
			       s->n, (int64_t)s->kind, (int64_t)s->state,
			       ai_span_of(s->key), ai_span_of(s->said),
			       s->intent, s->result, s->amount, now) < 0)
			return -1;
	}
	return 0;
}

static int forget_answers(struct ai_ledger *l, const char *id,
			  struct ai_err *err)
{
	char name[AI_RUN_ID + sizeof(AI_RUN_BATCH)];
	sqlite3_stmt *st;
	int64_t n = 0;
	int rc;

	snprintf(name, sizeof(name), AI_RUN_BATCH "%s", id);
	if (LEDGER_BIND(l, SQL_BATCH, err, "t", ai_span_of(name)) < 0)
		return -1;
	st = l->st[SQL_BATCH];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0)
		n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc <= 0)
		return rc;
	return LEDGER_RUN(l, SQL_REMOVE_ANSWERS, err, "i", n) < 0 ? -1 :
		LEDGER_RUN(l, SQL_REMOVE_BATCH, err, "i", n);
}

static int end(struct ai_ledger *l, const struct put *p, struct ai_err *err)
{
	const struct ai_owner nobody = { .pid = 0 };
	struct found f;

	if (own(l, p->run->n, &nobody, err) < 0)
		return -1;
	if (!has_ended(p->change->status))
		return 0;
	if (find(l, p->run->id, &f, err) < 0 ||
	    (f.is_root && f.cap >= 0 && set_cap(l, p->run->id, -1, err) < 0))
		return -1;
	return forget_answers(l, p->run->id, err);
}

static int put(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct put *p = arg;
	const struct ai_run_change *c = p->change;
	int64_t now = l->wall_ms();

	if (LEDGER_RUN(l, SQL_SET_RUN, err, "iiiitt", p->run->n,
		       (int64_t)c->status, c->spent_ms, now, c->note,
		       ai_span_of(p->run->id)) < 0)
		return -1;
	/* Its user was forgotten, or the ledger restored. */
	if (sqlite3_changes(l->db.h) == 0)
		return ai_err_set(err, AI_E_USAGE, "the run '%.80s' is not in "
				  "the ledger any more: somebody has removed it",
				  p->run->id);
	if (put_steps(l, p, now, err) < 0)
		return -1;
	return c->status == AI_RUN_OPEN ? 0 : end(l, p, err);
}

int ai_run_put(struct ai_ledger *l, const struct ai_run *run,
	       const struct ai_step *steps, size_t n,
	       const struct ai_run_change *change, bool durable,
	       struct ai_err *err)
{
	struct put p = { run, steps, n, change };

	if (change->status != AI_RUN_OPEN && !run->within)
		durable = true;
	return ledger_alone(l, durable, put, &p, err);
}

struct decide {
	const char *id, *said;
	int64_t n, changed;
};

static int decide(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct decide *d = arg;
	struct found f;

	if (find_free(l, d->id, &f, err) < 0 ||
	    LEDGER_RUN(l, SQL_DECIDE, err, "itii", f.n, ai_span_of(d->said),
		       d->n, l->wall_ms()) < 0)
		return -1;
	d->changed = sqlite3_changes(l->db.h);
	/* Who has decided goes on with it: no other word comes in between. */
	return d->changed > 0 ? own(l, f.n, &l->owner, err) : 0;
}

int64_t ai_run_decide(struct ai_ledger *l, const char *id, int64_t n,
		      const char *said, struct ai_err *err)
{
	struct decide d = { id, said, n, 0 };

	if (ledger_alone(l, true, decide, &d, err) < 0)
		return -1;
	if (d.changed > 0)
		return d.changed;
	return n > 0 ? ai_err_set(err, AI_E_USAGE, "step %lld of the run "
				  "'%.80s' waits for no decision", (long long)n,
				  id)
		     : ai_err_set(err, AI_E_USAGE, "nothing in the run '%.80s' "
				  "waits for a decision", id);
}

static int remove_one(struct ai_ledger *l, const char *id,
		      const struct found *f, struct ai_err *err)
{
	/* One that had ended may have been taken again. */
	if (f->is_root && f->cap >= 0 && set_cap(l, id, -1, err) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_REMOVE_NOTES, err, "t", ai_span_of(id)) < 0 ||
		LEDGER_RUN(l, SQL_REMOVE_SHARES, err, "t",
			   ai_span_of(id)) < 0 ||
		LEDGER_RUN(l, SQL_REMOVE_STEPS, err, "i", f->n) < 0 ||
		LEDGER_RUN(l, SQL_REMOVE_RUN, err, "i", f->n) < 0 ? -1 :
		forget_answers(l, id, err);
}

/*
 * What goes with ?1: all that has it as its outermost run, and what is below its
 * steps, which are named after their keys ("d-KEY", "d-KEY-2" of one that was
 * handed on).  Not what another run names: a fork has its steps' keys, and what
 * those stand for has the root of the first one.  Where that is gone, who names
 * a run last takes it along.
 */
#define BELOW(of) \
	of " JOIN step s ON s.run=o.n AND s.key<>'' JOIN run c" \
	" ON c.id BETWEEN 'd-'||s.key AND 'd-'||s.key||'.'"
#define WITHIN \
	"WITH RECURSIVE mine(n) AS (SELECT n FROM run WHERE id=?1 OR root=?1" \
	" UNION SELECT c.n FROM " BELOW("mine o") " WHERE c.root=(SELECT root" \
	" FROM run WHERE id=?1) OR NOT EXISTS(SELECT 1 FROM run WHERE" \
	" id=c.root))," \
	" named(n) AS (SELECT c.n FROM " BELOW("run o") " WHERE o.n NOT IN" \
	" (SELECT n FROM mine) AND c.n IN (SELECT n FROM mine) AND c.id<>?1" \
	" UNION SELECT c.n FROM " BELOW("named o") " WHERE c.n IN (SELECT n" \
	" FROM mine) AND c.id<>?1)" \
	" SELECT id FROM run WHERE id<>?1 AND n IN (SELECT n FROM mine) AND" \
	" n NOT IN (SELECT n FROM named) ORDER BY n"

struct removal {
	const char *id;
	char (*v)[AI_RUN_ID]; /* owned: those that go with it */
	size_t n, cap;
};

static int find_within(struct ai_ledger *l, struct removal *r,
		       struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&l->db, &st, WITHIN, err, "t", ai_span_of(r->id));
	void *v;

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		if (r->n == r->cap) {
			r->cap = r->cap == 0 ? 64 : 2 * r->cap;
			v = realloc(r->v, r->cap * sizeof(*r->v));
			if (v == NULL) {
				rc = ai_err_nomem(err);
				break;
			}
			r->v = v;
		}
		ledger_copy_column(r->v[r->n++], AI_RUN_ID, st, 0);
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

static int remove_it(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct removal *r = arg;
	struct found f;

	r->n = 0;
	if (find_free(l, r->id, &f, err) < 0 || find_within(l, r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (find_free(l, r->v[i], &f, err) < 0)
			return -1;
	for (size_t i = 0; i < r->n; i++)
		if (find(l, r->v[i], &f, err) < 0 ||
		    remove_one(l, r->v[i], &f, err) < 0)
			return -1;
	return find(l, r->id, &f, err) < 0 ? -1 :
		remove_one(l, r->id, &f, err);
}

int ai_run_remove(struct ai_ledger *l, const char *id, int64_t *within,
		  struct ai_err *err)
{
	struct removal r = { .id = id };
	int rc = ledger_alone(l, true, remove_it, &r, err);

	if (within != NULL)
		*within = rc < 0 ? 0 : (int64_t)r.n;
	free(r.v);
	return rc;
}

/* 1: there is one of this person. */
static int find_of(struct ai_ledger *l, const char *token, char id[AI_RUN_ID],
		   struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&l->db, &st, "SELECT id FROM run WHERE person=?"
			    " LIMIT 1", err, "t", ai_span_of(token));

	if (rc == 0)
		rc = ai_db_step(&l->db, st, err);
	if (rc > 0)
		ledger_copy_column(id, AI_RUN_ID, st, 0);
	ai_db_finish(&st);
	return rc;
}

int ledger_forget_runs(struct ai_ledger *l, const char *token, int64_t *n,
		       struct ai_err *err)
{
	char id[AI_RUN_ID];
	struct found f;
	int rc;

	while ((rc = find_of(l, token, id, err)) > 0) {
		if (find(l, id, &f, err) < 0 || remove_one(l, id, &f, err) < 0)
			return -1;
		(*n)++;
	}
	return rc;
}

/* ---- reading --------------------------------------------------------------------- */

#define RUN_COLUMNS \
	"id, root, status, created, changed, spent_ms, cap, pid, start," \
	" space, boot, task, setup, note, (SELECT count(*) FROM step" \
	" WHERE run=r.n), (SELECT coalesce(sum(amount), 0) FROM step" \
	" WHERE run=r.n)"

static void take_row(sqlite3_stmt *st, struct ai_run_row *r)
{
	struct ai_owner o;

	ledger_copy_column(r->id, sizeof(r->id), st, 0);
	ledger_copy_column(r->root, sizeof(r->root), st, 1);
	r->status = (enum ai_run_status)sqlite3_column_int(st, 2);
	r->created = sqlite3_column_int64(st, 3);
	r->changed = sqlite3_column_int64(st, 4);
	r->spent_ms = sqlite3_column_int64(st, 5);
	r->cap = sqlite3_column_int64(st, 6);
	r->pid = ledger_living(st, 7, &o);
	r->task = ai_db_span(st, 11);
	r->setup = ai_db_span(st, 12);
	r->note = ai_db_span(st, 13);
	r->steps = sqlite3_column_int64(st, 14);
	r->amount = sqlite3_column_int64(st, 15);
}

static int read_runs(struct ai_ledger *l, const char *id,
		     int (*each)(void *arg, const struct ai_run_row *r),
		     void *arg, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_run_row r;
	int rc, n = 0;

	rc = id != NULL
		? ai_db_bind(&l->db, &st, "SELECT " RUN_COLUMNS " FROM run r"
			     " WHERE id=?", err, "t", ai_span_of(id))
		: ai_db_bind(&l->db, &st, "SELECT " RUN_COLUMNS " FROM run r"
			     " ORDER BY n", err, "");
	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		take_row(st, &r);
		n = 1;
		if (each(arg, &r) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : n;
}

int ai_run_get(struct ai_ledger *l, const char *id,
	       int (*each)(void *arg, const struct ai_run_row *r), void *arg,
	       struct ai_err *err)
{
	return read_runs(l, id, each, arg, err);
}

int ai_run_list(struct ai_ledger *l,
		int (*each)(void *arg, const struct ai_run_row *r), void *arg,
		struct ai_err *err)
{
	return read_runs(l, NULL, each, arg, err) < 0 ? -1 : 0;
}

int ai_run_steps(struct ai_ledger *l, const char *id,
		 int (*each)(void *arg, const struct ai_step *s), void *arg,
		 struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_step s;
	char key[80];
	int rc = ai_db_bind(&l->db, &st, "SELECT s.n, s.kind, s.state, s.key,"
			    " s.said, s.intent, s.result, s.amount, s.created,"
			    " s.changed FROM step s JOIN run r ON r.n=s.run"
			    " WHERE r.id=? ORDER BY s.n", err, "t",
			    ai_span_of(id));

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		s.n = sqlite3_column_int64(st, 0);
		s.kind = (enum ai_step_kind)sqlite3_column_int(st, 1);
		s.state = (enum ai_step_state)sqlite3_column_int(st, 2);
		ledger_copy_column(key, sizeof(key), st, 3);
		s.key = key;
		s.said = (const char *)sqlite3_column_text(st, 4);
		if (s.said == NULL)
			s.said = "";
		s.intent = ai_db_span(st, 5);
		s.result = ai_db_span(st, 6);
		s.amount = sqlite3_column_int64(st, 7);
		s.created = sqlite3_column_int64(st, 8);
		s.changed = sqlite3_column_int64(st, 9);
		if (each(arg, &s) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

int64_t ai_run_calls_before(struct ai_ledger *l, const char *root,
			    const struct ai_run *run, int64_t n,
			    struct ai_span tool, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_span intent;
	struct ai_value v;
	int64_t found = 0;
	/* Rows are numbered as they come. */
	int rc = ai_db_bind(&l->db, &st, "SELECT s.intent FROM run r JOIN step s"
			    " ON s.run=r.n WHERE r.root=?1 AND s.kind=2 AND"
			    " s.rowid<(SELECT rowid FROM step WHERE run=?2 AND"
			    " n=?3)", err, "tii", ai_span_of(root), run->n, n);

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		intent = ai_db_span(st, 0);
		found += intent.p != NULL &&
			ai_json_check(intent.p, intent.n, &v, NULL) == 0 &&
			ai_json_true(ai_json_member(v, AI_SPAN("counted"))) &&
			(tool.p == NULL || ai_json_is(ai_json_member(v,
				AI_SPAN("tool")), tool));
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : found;
}

static int64_t tokens_of(struct ai_value result)
{
	static const char *const paths[] = { "usage.input", "usage.output" };
	int64_t n, sum = 0;

	for (size_t i = 0; i < 2; i++)
		if (ai_json_i64(ai_json_get(result, paths[i]), &n) == 0 &&
		    n > 0 && n < INT64_C(1) << 40)
			sum += n;
	return sum;
}

int ai_run_used(struct ai_ledger *l, const char *root, struct ai_run_used *u,
		struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_span result;
	struct ai_value v;
	int rc = ai_db_bind(&l->db, &st, "SELECT s.result FROM run r JOIN step s"
			    " ON s.run=r.n WHERE r.root=? AND s.kind=1", err,
			    "t", ai_span_of(root));

	*u = (struct ai_run_used){ 0, 0 };
	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		result = ai_db_span(st, 0);
		u->turns++;
		if (result.p != NULL &&
		    ai_json_check(result.p, result.n, &v, NULL) == 0)
			u->tokens += tokens_of(v);
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}
