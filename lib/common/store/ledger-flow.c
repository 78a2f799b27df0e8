/* ledger-flow.c: a call's way: reserved, sent, ended. */
#include "store/ledger-int.h"

#include <string.h>

static int take_found(struct ai_ledger *l, sqlite3_stmt *st,
		      struct ledger_reserved *r, struct ai_err *err)
{
	int rc = ai_db_step(&l->db, st, err);

	if (rc > 0) {
		r->seq = sqlite3_column_int64(st, 0);
		r->amount = sqlite3_column_int64(st, 1);
		r->label = sqlite3_column_int64(st, 2);
		r->open = sqlite3_column_type(st, 3) != SQLITE_NULL;
		r->sent = sqlite3_column_int(st, 3) != 0;
		r->created = sqlite3_column_int64(st, 4);
	}
	sqlite3_reset(st);
	return rc;
}

int ledger_find(struct ai_ledger *l, const unsigned char *id,
		struct ledger_reserved *r, struct ai_err *err)
{
	const size_t at = id[AI_LEDGER_ID - 1];
	int rc;

	*r = (struct ledger_reserved){ .seq = 0 };
	/* Most are ours, and found without the index. */
	if (memcmp(l->booked[at].id, id, AI_LEDGER_ID) == 0) {
		if (LEDGER_BIND(l, SQL_TRANSFER_AT, err, "ib",
				l->booked[at].seq,
				LEDGER_BYTES(id, AI_LEDGER_ID)) < 0)
			return -1;
		rc = take_found(l, l->st[SQL_TRANSFER_AT], r, err);
		if (rc != 0)
			return rc;
	}
	if (LEDGER_BIND(l, SQL_TRANSFER, err, "b",
			LEDGER_BYTES(id, AI_LEDGER_ID)) < 0)
		return -1;
	return take_found(l, l->st[SQL_TRANSFER], r, err);
}

/* ---- reserving ----------------------------------------------------------------- */

/* 0: the id was booked before. */
static int book(struct ai_ledger *l, const struct ledger_item *it,
		const struct ai_labels *labels,
		const struct ledger_accounts *a, int64_t lease,
		struct ai_err *err)
{
	struct ledger_transfer t = { .kind = LEDGER_PENDING,
				     .id = it->in.reserve.id,
				     .amount = it->in.reserve.worst,
				     .created = it->now_ms, .usage = "" };
	const struct ai_owner *o = &it->owner;
	size_t i;
	int rc;

	if (ledger_label(l, labels, &t.label, err) < 0)
		return -1;
	rc = ledger_append(l, &t, err);
	if (rc <= 0)
		return rc;
	memcpy(l->booked[t.id[AI_LEDGER_ID - 1]].id, t.id, AI_LEDGER_ID);
	l->booked[t.id[AI_LEDGER_ID - 1]].seq = l->seq;
	for (i = 0; i < a->n; i++)
		if (LEDGER_RUN(l, SQL_INSERT_ENTRY, err, "ii", l->seq,
			       a->id[i]) < 0 ||
		    ledger_move_sums(l, a->id[i], t.amount, 0, err) < 0)
			return -1;
	return LEDGER_RUN(l, SQL_INSERT_HOLD, err, "iiiiiiit", l->seq, t.amount,
			  (int64_t)it->out.sent, lease, o->pid, o->start, o->space,
			  ai_span_of(o->boot)) < 0 ? -1 : 1;
}

static void say_again(struct ledger_item *it)
{
	it->out = (struct ai_reserved){ .verdict = AI_AGAIN,
					.start_ns = it->now_ns };
}

/* What was granted before is not refused now. */
static int refused(struct ai_ledger *l, struct ledger_item *it,
		   struct ai_err *err)
{
	struct ledger_reserved r;
	int rc = ledger_find(l, it->in.reserve.id, &r, err);

	if (rc > 0) {
		it->code = AI_E_NONE;
		say_again(it);
	}
	return rc < 0 ? -1 : 0;
}

int ledger_reserve(struct ai_ledger *l, struct ledger_item *it,
		   struct ai_err *err)
{
	struct ai_labels labels = it->in.reserve.labels;
	struct ledger_accounts accounts;
	struct ledger_rate rate;
	struct ledger_reserved r;
	int rc;

	if (it->in.reserve.worst < 0 || it->in.reserve.tokens < 0)
		return ledger_refuse(it, AI_E_BUG, "a reservation of less "
				     "than nothing");
	if (it->in.reserve.worst > AI_LEDGER_AMOUNT_MAX)
		return ledger_refuse(it, AI_E_CONFIG, "a call that may cost "
				     "more than a million dollars is not "
				     "booked; is its price right?");
	/* It ran before, and who ran it died between the commit and the
	 * answer: what is written here is the answer. */
	if (it->out.verdict == AI_GRANTED && it->out.start_ns != 0) {
		rc = ledger_find(l, it->in.reserve.id, &r, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	if (ledger_person(l, labels.user, err) < 0)
		return -1;
	rc = ledger_accounts_find(l, it, &labels, &accounts, err);
	if (rc > 0)
		rc = ledger_rate_find(l, it, &rate, err);
	if (rc == 0)
		return refused(l, it, err);
	if (rc < 0)
		return -1;
	it->out = (struct ai_reserved){ .verdict = AI_GRANTED,
					.start_ns = rate.start_ns,
					.probe = rate.lease != 0,
					.limited = rate.n > 0 };
	it->out.sent = it->in.reserve.at_once &&
		rate.start_ns <= it->now_ns;
	rc = book(l, it, &labels, &accounts, rate.lease, err);
	if (rc > 0)
		return ledger_rate_take(l, it, &rate, err);
	if (rc == 0)
		say_again(it);
	return rc;
}

/* ---- ending -------------------------------------------------------------------- */

int ledger_shift(struct ai_ledger *l, int64_t seq, int64_t pending,
		 int64_t posted, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_ENTRIES, err, "i", seq) < 0)
		return -1;
	st = l->st[SQL_ENTRIES];
	while ((rc = ai_db_step(&l->db, st, err)) > 0)
		if (ledger_move_sums(l, sqlite3_column_int64(st, 0), -pending,
				     posted, err) < 0)
			break;
	sqlite3_reset(st);
	return rc == 0 ? 0 : -1;
}

int ledger_end(struct ai_ledger *l, const struct ledger_reserved *r,
	       const struct ledger_ending *ending, int64_t now_ms,
	       struct ai_err *err)
{
	struct ledger_ending e = *ending;
	struct ledger_transfer t = { .kind = e.kind, .of = r->seq,
				     .amount = e.amount, .created = now_ms,
				     .label = r->label, .usage = e.usage };
	int64_t more = 0;

	ledger_facts(&e.facts, e.kind, e.usage[0] != '\0');
	t.facts = e.facts;
	/* Beyond what was reserved it is a correction: that is how one sees
	 * that a worst case was none. */
	if (e.amount > r->amount) {
		more = e.amount - r->amount;
		t.amount = r->amount;
	}
	if (ledger_append(l, &t, err) < 0)
		return -1;
	if (more > 0) {
		t.kind = LEDGER_CORRECT;
		t.amount = more;
		t.usage = "";
		t.facts = (struct ai_facts){ 0 };
		if (ledger_append(l, &t, err) < 0)
			return -1;
	}
	if (ledger_shift(l, r->seq, r->amount, e.amount, err) < 0 ||
	    ledger_rollup_end(l, r, &e, more > 0, err) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_DELETE_HOLD, err, "i", r->seq);
}

/* It was never sent. */
static int end_unsent(struct ai_ledger *l, const struct ledger_reserved *r,
		      int64_t now_ms, struct ai_err *err)
{
	static const struct ledger_ending unsent = { .kind = LEDGER_VOID,
						     .usage = "" };

	return ledger_end(l, r, &unsent, now_ms, err);
}

static int find_or_refuse(struct ai_ledger *l, struct ledger_item *it,
			  const unsigned char *id, struct ledger_reserved *r,
			  struct ai_err *err)
{
	int rc = ledger_find(l, id, r, err);

	return rc != 0 ? rc : ledger_refuse(it, AI_E_BUG,
					    "there is no such reservation");
}

int ledger_sent(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err)
{
	struct ledger_reserved r;
	int rc = find_or_refuse(l, it, it->in.id, &r, err);

	if (rc <= 0)
		return rc;
	if (!r.open)
		return ledger_refuse(it, AI_E_BUG, "the reservation has ended");
	it->out = (struct ai_reserved){ .verdict = AI_GRANTED };
	if (r.sent)
		return 0;
	rc = ledger_rate_look(l, it, &r, err);
	return rc <= 0 ? rc : LEDGER_RUN(l, SQL_SET_SENT, err, "i", r.seq);
}

int ledger_post(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err)
{
	static const enum ledger_kind kinds[] = {
		[AI_BOOK_AMOUNT] = LEDGER_POST, [AI_BOOK_WORST] = LEDGER_EXPIRE,
		[AI_BOOK_NONE] = LEDGER_VOID,
	};
	const struct ai_post *p = &it->in.post;
	struct ledger_ending e = { .kind = kinds[p->how % 3], .usage = p->usage,
				   .amount = p->amount, .facts = p->facts };
	struct ledger_reserved r;
	int rc = find_or_refuse(l, it, p->id, &r, err);

	if (rc <= 0)
		return rc;
	if (p->amount < 0)
		return ledger_refuse(it, AI_E_BUG, "a bill below nothing");
	if (p->amount > AI_LEDGER_AMOUNT_MAX)
		return ledger_refuse(it, AI_E_CONFIG, "a bill of more than a "
				     "million dollars is not booked; is its "
				     "price right? Its worst case stays");
	if (!r.open)
		return 0; /* posted before */
	if (p->how == AI_BOOK_WORST) {
		e.amount = r.amount;
	} else if (p->how == AI_BOOK_NONE) {
		e.amount = 0;
		e.usage = "";
	}
	if (ledger_end(l, &r, &e, it->now_ms, err) < 0)
		return -1;
	return ledger_rate_end(l, it, &r, err);
}

int ledger_void(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err)
{
	struct ledger_reserved r;
	int rc = find_or_refuse(l, it, it->in.id, &r, err);

	return rc <= 0 || !r.open ? rc < 0 ? -1 : 0
				  : end_unsent(l, &r, it->now_ms, err);
}

/* ---- what dead processes left ------------------------------------------------------ */

#define SWEEP_MAX 256 /* at a time, so that others need not wait */


/* The next hold of a dead process: 1 and it, or 0. */
static int next_orphan(struct ai_ledger *l, sqlite3_stmt *st,
		       struct ledger_reserved *r, struct ai_err *err)
{
	struct ai_owner o;
	int rc;

	while ((rc = ai_db_step(&l->db, st, err)) > 0) {
		if (ledger_living(st, 3, &o) != 0)
			continue;
		r->seq = sqlite3_column_int64(st, 0);
		r->amount = sqlite3_column_int64(st, 1);
		r->label = sqlite3_column_int64(st, 7);
		r->created = sqlite3_column_int64(st, 8);
		r->open = true;
		/* Whether it was sent does not survive a power failure. */
		r->sent = sqlite3_column_int(st, 2) != 0 ||
			ai_owner_state(&o) == AI_OWNER_REBOOTED;
		return 1;
	}
	return rc;
}

/* What a dead process had an answer for is booked at what that cost. */
static int end_orphan(struct ai_ledger *l, const struct ledger_reserved *r,
		      int64_t now_ms, struct ai_err *err)
{
	char usage[640] = "";
	struct ledger_ending e = { .kind = LEDGER_EXPIRE, .usage = usage,
				   .amount = r->amount };
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_ANSWERED, err, "i", r->seq) < 0)
		return -1;
	st = l->st[SQL_ANSWERED];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		e.kind = LEDGER_POST;
		e.facts.ended = AI_ENDED_ANSWERED;
		e.amount = sqlite3_column_int64(st, 0);
		ledger_copy_column(usage, sizeof(usage), st, 1);
	}
	sqlite3_reset(st);
	if (rc < 0)
		return -1;
	return rc > 0 || r->sent ? ledger_end(l, r, &e, now_ms, err)
				 : end_unsent(l, r, now_ms, err);
}

int ledger_sweep(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err)
{
	struct ledger_reserved found[SWEEP_MAX];
	size_t n = 0, i;
	int rc = 0;

	if (LEDGER_BIND(l, SQL_HOLDS, err, "") < 0)
		return -1;
	while (n < SWEEP_MAX &&
	       (rc = next_orphan(l, l->st[SQL_HOLDS], &found[n], err)) > 0)
		n++;
	sqlite3_reset(l->st[SQL_HOLDS]);
	if (rc < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (end_orphan(l, &found[i], it->now_ms, err) < 0)
			return -1;
	it->out.pending = (int64_t)n;
	return 0;
}
