#include "store/share.h"

#include "store/ledger-int.h"

struct row {
	int64_t held, spent; /* nano-dollars */
};

/* run: "" for the sum of all. */
static int get(struct ai_ledger *l, const struct ai_share *s, const char *run,
	       struct row *r, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*r = (struct row){ 0, 0 };
	if (LEDGER_BIND(l, SQL_SHARE, err, "ttt", ai_span_of(s->root),
			ai_span_of(s->agent), ai_span_of(run)) < 0)
		return -1;
	st = l->st[SQL_SHARE];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		r->held = sqlite3_column_int64(st, 0);
		r->spent = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

static int set(struct ai_ledger *l, const struct ai_share *s, const char *run,
	       const struct row *r, struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_SET_SHARE, err, "tttii", ai_span_of(s->root),
			  ai_span_of(s->agent), ai_span_of(run), r->held,
			  r->spent);
}

/* The run's row becomes this, and the sum with it. */
static int change(struct ai_ledger *l, const struct ai_share *s,
		  const struct row *was, const struct row *is,
		  struct row *sum, struct ai_err *err)
{
	sum->held += is->held - was->held;
	sum->spent += is->spent - was->spent;
	return set(l, s, s->run, is, err) < 0 ? -1 : set(l, s, "", sum, err);
}

/* 1: a living process works on another run that has set something aside. */
static int others_live(struct ai_ledger *l, const struct ai_share *s,
		       struct ai_err *err)
{
	struct ai_owner o;
	sqlite3_stmt *st;
	bool lives = false;
	int rc;

	if (LEDGER_BIND(l, SQL_SHARES_HELD, err, "ttt", ai_span_of(s->root),
			ai_span_of(s->agent), ai_span_of(s->run)) < 0)
		return -1;
	st = l->st[SQL_SHARES_HELD];
	while (!lives && (rc = ai_db_step(&l->db, st, err)) > 0)
		lives = ledger_living(st, 0, &o) != 0;
	sqlite3_reset(st);
	return lives ? 1 : rc;
}

struct taking {
	const struct ai_share *s;
	bool patient;
	enum ai_share_verdict verdict;
	int64_t nano;
};

static int take(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct taking *t = arg;
	const struct ai_share *s = t->s;
	struct row sum, was, is;
	int64_t left;
	int rc;

	if (get(l, s, "", &sum, err) < 0 || get(l, s, s->run, &was, err) < 0)
		return -1;
	is = was;
	left = s->budget - sum.spent - (sum.held - was.held);
	/* What it has spent before counts for what it wants in all. */
	is.held = s->wanted - was.spent;
	if (left < is.held) {
		rc = t->patient ? others_live(l, s, err) : 0;
		if (rc != 0) {
			t->verdict = AI_SHARE_WAIT;
			return rc < 0 ? -1 : 0;
		}
		is.held = left;
	}
	t->verdict = is.held > 0 ? AI_SHARE_TAKEN : AI_SHARE_SPENT;
	if (is.held < 0)
		is.held = 0;
	t->nano = is.spent + is.held;
	return change(l, s, &was, &is, &sum, err);
}

int ai_share_take(struct ai_ledger *l, const struct ai_share *s, bool patient,
		  enum ai_share_verdict *verdict, int64_t *nano,
		  struct ai_err *err)
{
	struct taking t = { .s = s, .patient = patient };

	if (ledger_alone(l, false, take, &t, err) < 0)
		return -1;
	*verdict = t.verdict;
	*nano = t.nano;
	return 0;
}

struct ending {
	const struct ai_share *s;
	int64_t spent;
};

static int end(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct ending *e = arg;
	struct row sum, was, is = { 0, e->spent };

	return get(l, e->s, "", &sum, err) < 0 ||
		get(l, e->s, e->s->run, &was, err) < 0 ? -1 :
		change(l, e->s, &was, &is, &sum, err);
}

int ai_share_end(struct ai_ledger *l, const struct ai_share *s, int64_t spent,
		 struct ai_err *err)
{
	struct ending e = { s, spent };

	return ledger_alone(l, false, end, &e, err);
}
