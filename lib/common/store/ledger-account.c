/* ledger-account.c: which budgets a call falls under, and their sums. */
#include "store/ledger-int.h"

#include <stdio.h>
#include <string.h>

/* The label that a scope means; NULL: there is no such scope. */
static const char *label_of(const struct ai_labels *l, const char *scope)
{
	const struct { const char *scope, *label; } table[] = {
		{ "all", "" }, { "tool", l->tool },
		{ "provider", l->provider }, { "model", l->model },
		{ "key", l->key }, { "tenant", l->tenant },
		{ "user", l->user }, { "project", l->project },
		{ "experiment", l->experiment }, { "run", l->run },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].scope, scope) == 0)
			return table[i].label;
	return NULL;
}

/* ---- labels ------------------------------------------------------------------ */

static int bind_labels(struct ai_ledger *l, enum ledger_sql sql,
		       const struct ai_labels *a, struct ai_err *err)
{
	return LEDGER_BIND(l, sql, err, "ttttttttt", ai_span_of(a->run),
			   ai_span_of(a->tool), ai_span_of(a->provider),
			   ai_span_of(a->model), ai_span_of(a->key),
			   ai_span_of(a->tenant), ai_span_of(a->user),
			   ai_span_of(a->project), ai_span_of(a->experiment));
}

int ledger_label(struct ai_ledger *l, const struct ai_labels *labels,
		 int64_t *n, struct ai_err *err)
{
	int rc;

	*n = ledger_memo_label(l, labels);
	if (*n != 0)
		return 0;
	if (bind_labels(l, SQL_LABEL, labels, err) < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[SQL_LABEL], err);
	if (rc > 0)
		*n = sqlite3_column_int64(l->st[SQL_LABEL], 0);
	sqlite3_reset(l->st[SQL_LABEL]);
	if (rc > 0)
		ledger_memo_set_label(l, labels, *n);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (bind_labels(l, SQL_INSERT_LABEL, labels, err) < 0 ||
	    ai_db_run(&l->db, l->st[SQL_INSERT_LABEL], err) < 0)
		return -1;
	*n = sqlite3_last_insert_rowid(l->db.h);
	return ledger_label_seal(l, *n, err);
}

/* The seal that row n should have, and whether it has it. */
static int seal_of(struct ai_ledger *l, int64_t n,
		   unsigned char out[LEDGER_HASH], bool *has,
		   struct ai_err *err)
{
	sqlite3_stmt *st;
	struct ai_span kept;
	struct ai_seal s;
	int i, rc;

	if (LEDGER_BIND(l, SQL_LABEL_ROW, err, "i", n) < 0)
		return -1;
	st = l->st[SQL_LABEL_ROW];
	rc = ai_db_step(&l->db, st, err);
	if (rc <= 0)
		return rc < 0 ? -1 : ai_db_damaged(&l->db, err, "a label is "
						   "missing");
	ai_seal_init(&s, l->key);
	ledger_seal_text(&s, AI_SPAN("label"));
	ledger_seal_int(&s, n);
	for (i = 0; i < 9; i++)
		ledger_seal_text(&s, ai_db_span(st, i));
	ai_seal_end(&s, out);
	kept = ai_db_span(st, 9);
	*has = kept.n == LEDGER_HASH && memcmp(kept.p, out, LEDGER_HASH) == 0;
	sqlite3_reset(st);
	return 0;
}

int ledger_label_seal(struct ai_ledger *l, int64_t n, struct ai_err *err)
{
	unsigned char seal[LEDGER_HASH];
	bool has;

	return seal_of(l, n, seal, &has, err) < 0 ? -1 :
		LEDGER_RUN(l, SQL_SEAL_LABEL, err, "ib", n,
			   LEDGER_BYTES(seal, LEDGER_HASH));
}

int ledger_label_check(struct ai_ledger *l, int64_t n, struct ai_err *err)
{
	unsigned char seal[LEDGER_HASH];
	bool has;

	return seal_of(l, n, seal, &has, err) < 0 ? -1 : has;
}

static int find_person(struct ai_ledger *l, char name[64], struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_PERSON, err, "t", ai_span_of(name)) < 0)
		return -1;
	st = l->st[SQL_PERSON];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0)
		snprintf(name, 64, "%.*s", (int)ai_db_span(st, 0).n,
			 ai_db_span(st, 0).p);
	sqlite3_reset(st);
	return rc;
}

/* Nobody, and everybody, need none. */
static bool is_person(const char *name)
{
	return name[0] != '\0' && strcmp(name, "*") != 0;
}

int ledger_name(char to[64], const char *name, const char *what,
		struct ai_err *err)
{
	if (name != NULL && strlen(name) >= 64)
		return ai_err_set(err, AI_E_USAGE, "%s has at most 63 bytes: "
				  "'%.40s...'", what, name);
	snprintf(to, 64, "%s", name != NULL ? name : "");
	return 0;
}

int ledger_known_person(struct ai_ledger *l, char name[64],
			struct ai_err *err)
{
	return is_person(name) ? find_person(l, name, err) : 1;
}

int ledger_person(struct ai_ledger *l, char name[64], struct ai_err *err)
{
	char own[64];
	int rc;

	if (!is_person(name) || ledger_memo_person(l, name))
		return 0;
	memcpy(own, name, sizeof(own));
	rc = find_person(l, name, err);
	if (rc == 0 && LEDGER_RUN(l, SQL_INSERT_PERSON, err, "t",
				  ai_span_of(name)) < 0)
		return -1;
	if (rc < 0 || (rc == 0 && find_person(l, name, err) < 0))
		return -1;
	ledger_memo_set_person(l, own, name);
	return 0;
}

/* ---- accounts ------------------------------------------------------------------ */

/* A budget that is new counts what was spent in its period before. */
static int make_account(struct ai_ledger *l, const struct ai_budget *b,
			int64_t start, int64_t end, int64_t *n,
			struct ai_err *err)
{
	if (LEDGER_RUN(l, SQL_INSERT_ACCOUNT, err, "ttti",
		       ai_span_of(b->scope), ai_span_of(b->name),
		       ai_span_of(b->period), start) < 0)
		return -1;
	*n = sqlite3_last_insert_rowid(l->db.h);
	if (LEDGER_RUN(l, SQL_FILL_ENTRIES, err, "iiitt", *n, start, end,
		       ai_span_of(b->scope), ai_span_of(b->name)) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_SUM_ACCOUNT, err, "i", *n);
}

/* 1: it was there; 0: not. */
static int read_account(struct ai_ledger *l, const struct ai_budget *b,
			int64_t start, int64_t *n, struct ai_reserved *sums,
			struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_ACCOUNT, err, "ttti", ai_span_of(b->scope),
			ai_span_of(b->name), ai_span_of(b->period), start) < 0)
		return -1;
	st = l->st[SQL_ACCOUNT];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		*n = sqlite3_column_int64(st, 0);
		sums->pending = sqlite3_column_int64(st, 1);
		sums->posted = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	if (rc > 0)
		ledger_memo_set_account(l, b, start, *n, sums);
	return rc;
}

/* Whether `more` fits beside what is booked; nothing can overflow here. */
static bool fits(const struct ai_reserved *r, int64_t more)
{
	__int128 sum = (__int128)r->pending + r->posted + more;

	return sum <= r->cap;
}

/* Its account in the period of now, made if it is new, and what it has used. */
static int take_account(struct ai_ledger *l, const struct ai_budget *b,
			int64_t now_ms, int64_t *n, struct ai_reserved *r,
			struct ai_err *err)
{
	const struct ledger_sums *known = ledger_memo_account(l, b, now_ms);
	int64_t start;
	int rc;

	if (known != NULL) {
		*n = known->n;
		r->pending = known->pending;
		r->posted = known->posted;
		r->resets_ms = known->end;
		return 0;
	}
	if (!ledger_period(b->period, now_ms, &start, &r->resets_ms))
		return ai_db_damaged(&l->db, err, "a budget's period is '%s'",
				     b->period);
	rc = read_account(l, b, start, n, r, err);
	if (rc == 0 && (make_account(l, b, start, r->resets_ms, n, err) < 0 ||
			read_account(l, b, start, n, r, err) < 0))
		return -1;
	return rc < 0 ? -1 : 0;
}

/* 1: it has room, and its account, if it has one, is in a; 0: it has not. */
static int try_budget(struct ai_ledger *l, struct ledger_item *it,
		      const struct ai_budget *b, struct ai_reserved *r,
		      struct ledger_accounts *a, struct ai_err *err)
{
	int64_t n = 0;

	*r = (struct ai_reserved){ .verdict = AI_OVER_BUDGET, .cap = b->cap };
	memcpy(r->scope, b->scope, sizeof(r->scope));
	memcpy(r->name, b->name, sizeof(r->name));
	memcpy(r->period, b->period, sizeof(r->period));
	if (strcmp(b->period, "request") == 0)
		return fits(r, it->in.reserve.worst);
	if (take_account(l, b, it->now_ms, &n, r, err) < 0)
		return -1;
	if (a->n == LEDGER_ACCOUNTS_MAX)
		return ledger_refuse(it, AI_E_CONFIG, "more than %d budgets "
				     "apply to one call", LEDGER_ACCOUNTS_MAX);
	a->id[a->n++] = n;
	return fits(r, it->in.reserve.worst);
}

/* 1: there is a budget for just this. */
static int has_budget(struct ai_ledger *l, const struct ai_budget *b,
		      struct ai_err *err)
{
	int rc;

	if (LEDGER_BIND(l, SQL_HAS_BUDGET, err, "ttt", ai_span_of(b->scope),
			ai_span_of(b->name), ai_span_of(b->period)) < 0)
		return -1;
	rc = ai_db_step(&l->db, l->st[SQL_HAS_BUDGET], err);
	sqlite3_reset(l->st[SQL_HAS_BUDGET]);
	return rc;
}

/* Whether b is about this call. "*" becomes the name it has there, unless
 * there is a budget for just that name. */
static int applies(struct ai_ledger *l, struct ai_budget *b,
		   const struct ai_labels *labels, struct ai_err *err)
{
	const char *label = label_of(labels, b->scope);
	int rc;

	if (label == NULL)
		return 0;
	if (strcmp(b->scope, "all") == 0)
		return 1;
	if (label[0] == '\0')
		return 0;
	if (strcmp(b->name, "*") != 0)
		return strcmp(b->name, label) == 0;
	snprintf(b->name, sizeof(b->name), "%s", label);
	rc = has_budget(l, b, err);
	return rc < 0 ? -1 : rc == 0;
}

int ledger_accounts_find(struct ai_ledger *l, struct ledger_item *it,
			 const struct ai_labels *labels,
			 struct ledger_accounts *a, struct ai_err *err)
{
	struct ai_budget b;
	struct ai_reserved r;
	int mine, room = 1;
	size_t i;

	a->n = 0;
	if (ledger_memo_budgets(l, err) < 0)
		return -1;
	for (i = 0; room > 0 && i < l->memo.n_budgets; i++) {
		b = l->memo.budget[i];
		mine = applies(l, &b, labels, err);
		if (mine != 0)
			room = mine < 0 ? -1
					: try_budget(l, it, &b, &r, a, err);
	}
	if (room == 0)
		it->out = r;
	return room;
}

/* ---- room --------------------------------------------------------------------- */

/* How b, which applies, stands in its period. */
static int state_of(struct ai_ledger *l, const struct ai_budget *b,
		    struct ai_budget_state *s, struct ai_err *err)
{
	struct ai_reserved r;
	int64_t start, n;
	int rc = 0;

	*s = (struct ai_budget_state){ *b, -1, -1, INT64_MAX };
	if (strcmp(b->period, "request") == 0)
		return 0;
	if (ledger_period(b->period, l->wall_ms(), &start, &s->resets_ms)) {
		r.resets_ms = s->resets_ms;
		rc = read_account(l, b, start, &n, &r, err);
	}
	if (rc == 0)
		return ledger_used(l, b->name, s, err);
	s->pending = r.pending;
	s->posted = r.posted;
	return rc < 0 ? -1 : 0;
}

typedef int each_budget(void *arg, const struct ai_budget_state *b);

/* Within a transaction; user: what labels->user, which is a token, stands
 * for. */
static int find_budgets(struct ai_ledger *l, const struct ai_labels *labels,
			const char *user, each_budget *each, void *arg,
			struct ai_err *err)
{
	struct ai_budget_state s;
	struct ai_budget b;
	int mine = 0;
	size_t i;

	if (ledger_memo_budgets(l, err) < 0)
		return -1;
	for (i = 0; mine >= 0 && i < l->memo.n_budgets; i++) {
		b = l->memo.budget[i];
		mine = applies(l, &b, labels, err);
		if (mine > 0)
			mine = state_of(l, &b, &s, err);
		else
			continue;
		if (strcmp(b.scope, "user") == 0)
			snprintf(s.budget.name, sizeof(s.budget.name), "%s",
				 user);
		if (mine == 0 && each(arg, &s) != 0)
			break;
	}
	return mine < 0 ? -1 : 0;
}

static int narrow(void *arg, const struct ai_budget_state *s)
{
	struct ai_room *room = arg;
	int64_t left = s->budget.cap;

	if (s->posted < 0) {
		if (left < room->request)
			room->request = left;
		return 0;
	}
	left -= s->pending + s->posted;
	if (left < room->left)
		room->left = left;
	return 0;
}

int ai_ledger_budgets_of(struct ai_ledger *l, const struct ai_labels *labels,
			 each_budget *each, void *arg, struct ai_err *err)
{
	struct ai_labels known = *labels;
	int rc;

	if (l == NULL)
		return ai_ledger_budgets(NULL, each, arg, err);
	if (ai_db_begin(&l->db, false, err) < 0)
		return -1;
	/* Whom nobody knows has spent nothing, and has no budget but that of
	 * each: his name is no token. */
	rc = ledger_known_person(l, known.user, err);
	if (rc >= 0)
		rc = find_budgets(l, &known, labels->user, each, arg, err);
	ai_db_rollback(&l->db);
	return rc < 0 ? -1 : 0;
}

int ai_ledger_room(struct ai_ledger *l, const struct ai_labels *labels,
		   struct ai_room *room, struct ai_err *err)
{
	*room = (struct ai_room){ INT64_MAX, INT64_MAX };
	return ai_ledger_budgets_of(l, labels, narrow, room, err);
}

/* While a budget is not there nothing is entered under its accounts: they go
 * with it, and are filled anew when it comes again. */
static int forget_accounts(struct ai_ledger *l, const struct ai_budget *b,
			   struct ai_err *err)
{
	if (LEDGER_RUN(l, SQL_DELETE_ENTRIES, err, "ttt", ai_span_of(b->scope),
		       ai_span_of(b->name), ai_span_of(b->period)) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_DELETE_ACCOUNTS, err, "ttt",
			  ai_span_of(b->scope), ai_span_of(b->name),
			  ai_span_of(b->period));
}

static int tell_budget(struct ai_ledger *l, const struct ledger_item *it,
		       const struct ai_budget *b, struct ai_err *err)
{
	const struct ledger_who who = { it->uid, it->now_ms };

	if (b->cap < 0)
		return ledger_tell(l, &who, err, "budget removed", "ttt",
				   "scope", b->scope, "name", b->name, "period",
				   b->period);
	return ledger_tell(l, &who, err, "budget", "tttm", "scope", b->scope,
			   "name", b->name, "period", b->period, "cap_usd",
			   b->cap);
}

int ledger_budget(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err)
{
	static const struct ai_labels none;
	struct ai_budget b = it->in.budget;
	int64_t start, end;
	int there;

	if (label_of(&none, b.scope) == NULL)
		return ledger_refuse(it, AI_E_USAGE,
				     "there is no budget of a '%s'", b.scope);
	if (strcmp(b.period, "request") != 0 &&
	    !ledger_period(b.period, it->now_ms, &start, &end))
		return ledger_refuse(it, AI_E_USAGE, "a budget is for a "
				     "request, hour, day, month or total, not "
				     "'%s'", b.period);
	/* Else it would be about nobody. */
	if (strcmp(b.scope, "model") != 0 &&
	    strlen(b.name) >= sizeof(none.user))
		return ledger_refuse(it, AI_E_USAGE, "the name of a '%s' has "
				     "at most %d bytes", b.scope,
				     (int)sizeof(none.user) - 1);
	if (strcmp(b.scope, "user") == 0 && ledger_person(l, b.name, err) < 0)
		return -1;
	if (ledger_memo_write(l, err) < 0)
		return -1;
	there = has_budget(l, &b, err);
	if (there < 0 || ((there == 0 || b.cap < 0) &&
			  forget_accounts(l, &b, err) < 0))
		return -1;
	if (tell_budget(l, it, &b, err) < 0)
		return -1;
	if (b.cap < 0)
		return LEDGER_RUN(l, SQL_REMOVE_BUDGET, err, "ttt",
				  ai_span_of(b.scope), ai_span_of(b.name),
				  ai_span_of(b.period));
	return LEDGER_RUN(l, SQL_SET_BUDGET, err, "ttti", ai_span_of(b.scope),
			  ai_span_of(b.name), ai_span_of(b.period), b.cap);
}
