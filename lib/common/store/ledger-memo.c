/*
 * ledger-memo.c: what a transaction has read already, and sums that it changes.
 *
 * A transaction serves many calls, and most are of the same labels, budgets,
 * key and model.  Nobody else writes while it lasts, so what it has read once
 * holds until it changes that itself; nothing of it is kept for the next one.
 * The sums of accounts are moved here, where the next call of the transaction
 * sees them, and written once, before the commit.
 */
#include "store/ledger-int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_memo_begin(struct ai_ledger *l)
{
	struct ledger_memo *m = &l->memo;

	m->open = true;
	m->label = m->rate_label = 0;
	m->person[0] = m->healthy[0] = '\0';
	m->has_budgets = m->has_limit = false;
	m->n_accounts = m->n_rollups = 0;
}

void ledger_memo_end(struct ai_ledger *l)
{
	l->memo.open = false;
}

void ledger_memo_free(struct ai_ledger *l)
{
	free(l->memo.budget);
	l->memo.budget = NULL;
	l->memo.n_budgets = l->memo.max_budgets = 0;
}

/* ---- labels and people ------------------------------------------------------- */

int64_t ledger_memo_label(const struct ai_ledger *l, const struct ai_labels *a)
{
	const struct ledger_memo *m = &l->memo;

	return m->open && m->label != 0 &&
		memcmp(&m->labels, a, sizeof(*a)) == 0 ? m->label : 0;
}

void ledger_memo_set_label(struct ai_ledger *l, const struct ai_labels *a,
			   int64_t n)
{
	l->memo.labels = *a;
	l->memo.label = n;
}

bool ledger_memo_person(const struct ai_ledger *l, char name[64])
{
	const struct ledger_memo *m = &l->memo;

	if (!m->open || m->person[0] == '\0' || strcmp(m->person, name) != 0)
		return false;
	memcpy(name, m->token, sizeof(m->token));
	return true;
}

void ledger_memo_set_person(struct ai_ledger *l, const char *name,
			    const char token[64])
{
	snprintf(l->memo.person, sizeof(l->memo.person), "%s", name);
	memcpy(l->memo.token, token, sizeof(l->memo.token));
}

/* ---- budgets -------------------------------------------------------------------- */

static int add_budget(struct ledger_memo *m, sqlite3_stmt *st,
		      struct ai_err *err)
{
	struct ai_budget *b;

	if (m->n_budgets == m->max_budgets) {
		size_t max = 2 * m->max_budgets + 8;

		b = realloc(m->budget, max * sizeof(*b));
		if (b == NULL)
			return ai_err_nomem(err);
		m->budget = b;
		m->max_budgets = max;
	}
	b = &m->budget[m->n_budgets++];
	ledger_copy_column(b->scope, sizeof(b->scope), st, 0);
	ledger_copy_column(b->name, sizeof(b->name), st, 1);
	ledger_copy_column(b->period, sizeof(b->period), st, 2);
	b->cap = sqlite3_column_int64(st, 3);
	return 0;
}

int ledger_memo_budgets(struct ai_ledger *l, struct ai_err *err)
{
	struct ledger_memo *m = &l->memo;
	sqlite3_stmt *st;
	int rc;

	if (m->open && m->has_budgets)
		return 0;
	m->n_budgets = 0;
	if (LEDGER_BIND(l, SQL_BUDGETS, err, "") < 0)
		return -1;
	st = l->st[SQL_BUDGETS];
	while ((rc = ai_db_step(&l->db, st, err)) > 0)
		if (add_budget(m, st, err) < 0) {
			rc = -1;
			break;
		}
	sqlite3_reset(st);
	m->has_budgets = rc == 0;
	return rc;
}

/* ---- accounts ------------------------------------------------------------------- */

struct ledger_sums *ledger_memo_account(struct ai_ledger *l,
					const struct ai_budget *b, int64_t ms)
{
	struct ledger_memo *m = &l->memo;
	size_t i;

	for (i = 0; m->open && i < m->n_accounts; i++)
		if (m->account[i].read && m->account[i].start <= ms &&
		    ms < m->account[i].end &&
		    strcmp(m->account[i].of.scope, b->scope) == 0 &&
		    strcmp(m->account[i].of.name, b->name) == 0 &&
		    strcmp(m->account[i].of.period, b->period) == 0)
			return &m->account[i];
	return NULL;
}

/* That of account n, a new one if it has none; NULL: there is no room, or no
 * transaction that would write it. */
static struct ledger_sums *sums_of(struct ledger_memo *m, int64_t n)
{
	struct ledger_sums *s;
	size_t i;

	for (i = 0; m->open && i < m->n_accounts; i++)
		if (m->account[i].n == n)
			return &m->account[i];
	if (!m->open || m->n_accounts == LEDGER_MEMO_ACCOUNTS)
		return NULL;
	s = &m->account[m->n_accounts++];
	s->n = n;
	s->read = false;
	s->pending = s->posted = s->more_pending = s->more_posted = 0;
	return s;
}

void ledger_memo_set_account(struct ai_ledger *l, const struct ai_budget *b,
			     int64_t start, int64_t n,
			     struct ai_reserved *sums)
{
	struct ledger_sums *s = sums_of(&l->memo, n);

	if (s == NULL)
		return;
	/* It may have been moved before it was read. */
	sums->pending += s->more_pending;
	sums->posted += s->more_posted;
	s->of = *b;
	s->start = start;
	s->end = sums->resets_ms;
	s->pending = sums->pending;
	s->posted = sums->posted;
	s->read = true;
}

int ledger_move_sums(struct ai_ledger *l, int64_t n, int64_t pending,
		     int64_t posted, struct ai_err *err)
{
	struct ledger_sums *s = sums_of(&l->memo, n);

	if (s == NULL)
		return LEDGER_RUN(l, SQL_MOVE_SUMS, err, "iii", pending,
				  posted, n);
	s->pending += pending;
	s->posted += posted;
	s->more_pending += pending;
	s->more_posted += posted;
	return 0;
}

int ledger_memo_write(struct ai_ledger *l, struct ai_err *err)
{
	struct ledger_memo *m = &l->memo;
	size_t i;

	for (i = 0; i < m->n_accounts; i++) {
		struct ledger_sums *s = &m->account[i];

		if ((s->more_pending != 0 || s->more_posted != 0) &&
		    LEDGER_RUN(l, SQL_MOVE_SUMS, err, "iii", s->more_pending,
			       s->more_posted, s->n) < 0)
			return -1;
	}
	/* Read anew if there is a next call. */
	m->n_accounts = 0;
	m->has_budgets = false;
	return ledger_rollup_write(l, err);
}

/* ---- limits and breakers ------------------------------------------------------------ */

struct ai_limit *ledger_memo_limit(struct ai_ledger *l, const char *key,
				   const char *model)
{
	struct ledger_memo *m = &l->memo;

	return m->open && m->has_limit && strcmp(m->limit.key, key) == 0 &&
		strcmp(m->limit.model, model) == 0 ? &m->limit : NULL;
}

void ledger_memo_set_limit(struct ai_ledger *l, const struct ai_limit *limit)
{
	l->memo.limit = *limit;
	l->memo.has_limit = true;
}

bool ledger_memo_healthy(const struct ai_ledger *l, const char *name)
{
	return l->memo.open && l->memo.healthy[0] != '\0' &&
		strcmp(l->memo.healthy, name) == 0;
}

void ledger_memo_set_healthy(struct ai_ledger *l, const char *name)
{
	snprintf(l->memo.healthy, sizeof(l->memo.healthy), "%s", name);
}

void ledger_memo_forget_rates(struct ai_ledger *l)
{
	l->memo.healthy[0] = '\0';
	l->memo.has_limit = false;
}
