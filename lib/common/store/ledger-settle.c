/* ledger-settle.c: what somebody knows better than the ledger. */
#include "store/ledger-int.h"

#include <string.h>

/* ---- an id as it is typed -------------------------------------------------------- */

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f'
		? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The first and the last id that begin so. */
static int bounds(const char *hex, unsigned char from[AI_LEDGER_ID],
		  unsigned char to[AI_LEDGER_ID])
{
	size_t n = strlen(hex), i;

	memset(from, 0x00, AI_LEDGER_ID);
	memset(to, 0xFF, AI_LEDGER_ID);
	if (n == 0 || n > 2 * (size_t)AI_LEDGER_ID)
		return -1;
	for (i = 0; i < n; i++) {
		int v = nibble(hex[i]), shift = i % 2 == 0 ? 4 : 0;

		if (v < 0)
			return -1;
		from[i / 2] |= (unsigned char)(v << shift);
		to[i / 2] &= (unsigned char)(v << shift | 0xF << (4 - shift));
	}
	return 0;
}

int ai_ledger_find_id(struct ai_ledger *l, const char *hex,
		      unsigned char id[AI_LEDGER_ID], struct ai_err *err)
{
	unsigned char from[AI_LEDGER_ID], to[AI_LEDGER_ID];
	int n = 0, rc;

	if (bounds(hex, from, to) < 0)
		return ai_err_set(err, AI_E_USAGE, "'%.40s' is no id: it is up "
				  "to 32 hexadecimal digits, as 'ai-cost "
				  "reservations' writes them", hex);
	if (LEDGER_BIND(l, SQL_IDS, err, "bb",
			LEDGER_BYTES(from, AI_LEDGER_ID),
			LEDGER_BYTES(to, AI_LEDGER_ID)) < 0)
		return -1;
	while ((rc = ai_db_step(&l->db, l->st[SQL_IDS], err)) > 0) {
		struct ai_span found = ai_db_span(l->st[SQL_IDS], 0);

		if (found.n != AI_LEDGER_ID)
			return ai_db_damaged(&l->db, err, "an id has %zu bytes",
					     found.n);
		memcpy(id, found.p, AI_LEDGER_ID);
		n++;
	}
	if (rc < 0 || n == 1)
		return rc;
	return ai_err_set(err, AI_E_USAGE, n == 0 ?
			  "no call has an id that begins with '%s'" :
			  "several calls have an id that begins with '%s': "
			  "give more of it", hex);
}

/* ---- settling --------------------------------------------------------------------- */

/* Refuses it if its process lives, or may live: 1; else 0. */
static int is_held(struct ai_ledger *l, struct ledger_item *it, int64_t seq,
		   struct ai_err *err)
{
	char tool[16] = "";
	struct ai_owner o;
	int64_t pid = 0;
	int rc;

	if (LEDGER_BIND(l, SQL_HOLDER, err, "i", seq) < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[SQL_HOLDER], err);
	if (rc > 0) {
		pid = ledger_living(l->st[SQL_HOLDER], 0, &o);
		ledger_copy_column(tool, sizeof(tool), l->st[SQL_HOLDER], 4);
	}
	sqlite3_reset(l->st[SQL_HOLDER]);
	if (rc < 0 || pid == 0)
		return rc < 0 ? -1 : 0;
	ledger_refuse(it, AI_E_TRY_LATER, "process %lld (%s), which may still "
		      "live, holds it, and will settle it; --force does so now",
		      (long long)pid, tool);
	return 1;
}

static int booked(struct ai_ledger *l, int64_t seq, int64_t *amount,
		  struct ai_err *err)
{
	int rc;

	if (LEDGER_BIND(l, SQL_BOOKED, err, "i", seq) < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[SQL_BOOKED], err);
	*amount = rc > 0 ? sqlite3_column_int64(l->st[SQL_BOOKED], 0) : 0;
	sqlite3_reset(l->st[SQL_BOOKED]);
	return rc < 0 ? -1 : 0;
}

static int correct(struct ai_ledger *l, const struct ledger_reserved *r,
		   int64_t delta, int64_t now_ms, struct ai_err *err)
{
	struct ledger_transfer t = { .kind = LEDGER_CORRECT, .of = r->seq,
				     .amount = delta, .created = now_ms,
				     .label = r->label, .usage = "" };

	int lost;

	/* Before the correction is there. */
	if (LEDGER_BIND(l, SQL_IS_LOST, err, "i", r->seq) < 0)
		return -1;
	lost = ai_db_step(&l->db, l->st[SQL_IS_LOST], err);
	sqlite3_reset(l->st[SQL_IS_LOST]);
	return lost < 0 || ledger_append(l, &t, err) < 0 ||
		ledger_rollup_correct(l, r, delta, lost > 0, err) < 0 ? -1 :
		ledger_shift(l, r->seq, 0, delta, err);
}

/* Its end, if it is open; else what is missing in what is booked. */
static int book(struct ai_ledger *l, const struct ledger_settle *s,
		const struct ledger_reserved *r, int64_t was, int64_t is,
		int64_t now_ms, struct ai_err *err)
{
	static const enum ledger_kind kinds[] = {
		[AI_BOOK_AMOUNT] = LEDGER_POST, [AI_BOOK_WORST] = LEDGER_EXPIRE,
		[AI_BOOK_NONE] = LEDGER_VOID,
	};

	const struct ledger_ending e = { .kind = kinds[s->how], .amount = is,
					 .usage = "" };

	return r->open ? ledger_end(l, r, &e, now_ms, err)
		       : correct(l, r, is - was, now_ms, err);
}

int ledger_settle(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err)
{
	const struct ledger_who who = { it->uid, it->now_ms };
	const struct ledger_settle *s = &it->in.settle;
	char hex[2 * AI_LEDGER_ID + 1];
	struct ledger_reserved r;
	int64_t was, is;
	int rc = ledger_find(l, s->id, &r, err);

	if (rc <= 0)
		return rc < 0 ? -1 : ledger_refuse(it, AI_E_USAGE,
						   "there is no such call");
	if (s->amount < 0 || s->amount > AI_LEDGER_AMOUNT_MAX ||
	    (unsigned)s->how > AI_BOOK_NONE)
		return ledger_refuse(it, AI_E_USAGE, "a call costs between "
				     "nothing and a million dollars");
	rc = r.open && !s->force ? is_held(l, it, r.seq, err) : 0;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	is = s->how == AI_BOOK_AMOUNT ? s->amount :
		s->how == AI_BOOK_WORST ? r.amount : 0;
	if (booked(l, r.seq, &was, err) < 0)
		return -1;
	if (!r.open && was == is) {
		/* Unless it ran before, and who ran it died between the
		 * commit and the answer: then that is the answer. */
		if (!it->out.probe)
			it->out.posted = it->out.cap = is;
		return 0;
	}
	it->out = (struct ai_reserved){ .probe = true, .cap = is,
					.posted = r.open ? r.amount : was,
					.pending = r.open };
	ai_hex(s->id, AI_LEDGER_ID, hex);
	return book(l, s, &r, was, is, it->now_ms, err) < 0 ? -1 :
		ledger_tell(l, &who, err, "settle", "tmm", "id", hex,
			    r.open ? "held_usd" : "was_usd", it->out.posted,
			    "is_usd", is);
}

/* ---- breakers ---------------------------------------------------------------------- */

int ledger_reset(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err)
{
	const struct ledger_who who = { it->uid, it->now_ms };

	ledger_memo_forget_rates(l);
	if (LEDGER_RUN(l, SQL_RESET_BREAKER, err, "t",
		       ai_span_of(it->in.model)) < 0)
		return -1;
	return sqlite3_changes(l->db.h) == 0 ? 0 :
		ledger_tell(l, &who, err, "breaker reset", "t", "model",
			    it->in.model);
}
