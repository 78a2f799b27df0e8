#include "store/conversation.h"

#include "record/json.h"
#include "store/ledger-int.h"

#include <stdio.h>
#include <string.h>

/* Whose it is, as the file has it: the user by a token. */
struct place {
	char name[128], tenant[64], person[64];
};

static int place_of(struct place *p, const struct ai_conversation *c,
		    struct ai_err *err)
{
	if (c->name == NULL || c->name[0] == '\0')
		return ai_err_set(err, AI_E_USAGE,
				  "a conversation needs a name");
	if (strlen(c->name) >= sizeof(p->name))
		return ai_err_set(err, AI_E_USAGE, "the name of a conversation "
				  "has at most %zu bytes: '%.40s...'",
				  sizeof(p->name) - 1, c->name);
	snprintf(p->name, sizeof(p->name), "%s", c->name);
	return ledger_name(p->tenant, c->tenant, "a tenant's name", err) < 0 ||
		ledger_name(p->person, c->user, "a user's name", err) < 0 ? -1
									  : 0;
}

/* 1: its number and how many messages it has; 0: it is not there. */
static int find(struct ai_ledger *l, const struct place *p, int64_t *n,
		int64_t *messages, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*messages = 0;
	if (LEDGER_BIND(l, SQL_CONVERSATION, err, "ttt", ai_span_of(p->person),
			ai_span_of(p->tenant), ai_span_of(p->name)) < 0)
		return -1;
	st = l->st[SQL_CONVERSATION];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		*n = sqlite3_column_int64(st, 0);
		*messages = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return rc;
}

/* ---- adding ------------------------------------------------------------------- */

struct add {
	struct place place;
	int64_t known, now;
	const struct ai_message *m;
	size_t n;
};

static int insert(struct ai_ledger *l, const struct add *a, int64_t c,
		  int64_t at, struct ai_err *err)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (LEDGER_RUN(l, SQL_ADD_MESSAGE, err, "iiitti", c,
			       at + (int64_t)i, a->now,
			       ai_span_of(a->m[i].role), a->m[i].content,
			       a->m[i].amount) < 0)
			return -1;
	return LEDGER_RUN(l, SQL_SET_CHANGED, err, "ii", a->now, c);
}

static int add(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct add *a = arg;
	int64_t c = 0, messages;
	int rc;

	if (ledger_person(l, a->place.person, err) < 0)
		return -1;
	rc = find(l, &a->place, &c, &messages, err);
	if (rc < 0)
		return -1;
	if (a->known >= 0 && a->known != messages)
		return ai_err_set(err, AI_E_TRY_LATER, "the conversation "
				  "'%.100s' has %lld messages and no longer "
				  "%lld: another program has added to it",
				  a->place.name, (long long)messages,
				  (long long)a->known);
	if (messages + (int64_t)a->n > AI_CONVERSATION_MESSAGES)
		return ai_err_set(err, AI_E_TOO_LONG, "the conversation "
				  "'%.100s' would have more than %d messages; "
				  "begin a new one", a->place.name,
				  AI_CONVERSATION_MESSAGES);
	if (rc == 0) {
		if (LEDGER_RUN(l, SQL_ADD_CONVERSATION, err, "ttti",
			       ai_span_of(a->place.name),
			       ai_span_of(a->place.tenant),
			       ai_span_of(a->place.person), a->now) < 0)
			return -1;
		c = sqlite3_last_insert_rowid(l->db.h);
	}
	return insert(l, a, c, messages, err);
}

int ai_conversation_add(struct ai_ledger *l, const struct ai_conversation *c,
			int64_t known, const struct ai_message *m, size_t n,
			struct ai_err *err)
{
	struct add a = { .known = known, .now = l->wall_ms(), .m = m, .n = n };
	size_t i;

	if (place_of(&a.place, c, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (m[i].role == NULL || m[i].role[0] == '\0' ||
		    m[i].amount < 0 ||
		    ai_json_check(m[i].content.p, m[i].content.n, NULL,
				  NULL) < 0)
			return ai_err_set(err, AI_E_BUG, "a message without "
					  "role or content");
	/* Not lost by a power failure either: it is somebody's. */
	return ledger_alone(l, true, add, &a, err);
}

/* ---- reading -------------------------------------------------------------------- */

/* The same for one that only reads: no token is made. 0: unknown user. */
static int known_place(struct ai_ledger *l, struct place *p,
		       const struct ai_conversation *c, struct ai_err *err)
{
	return place_of(p, c, err) < 0 ? -1 :
		ledger_known_person(l, p->person, err);
}

int64_t ai_conversation_read(struct ai_ledger *l,
			     const struct ai_conversation *c,
			     int (*each)(void *arg, const struct ai_message *m),
			     void *arg, struct ai_err *err)
{
	int64_t n, messages, read = 0;
	struct ai_message m;
	struct place p;
	sqlite3_stmt *st;
	int rc = known_place(l, &p, c, err);

	if (rc > 0)
		rc = find(l, &p, &n, &messages, err);
	if (rc <= 0)
		return rc;
	if (LEDGER_BIND(l, SQL_MESSAGES, err, "i", n) < 0)
		return -1;
	st = l->st[SQL_MESSAGES];
	while ((rc = ai_db_step(&l->db, st, err)) > 0) {
		m.created = sqlite3_column_int64(st, 0);
		m.role = (const char *)sqlite3_column_text(st, 1);
		if (m.role == NULL)
			m.role = "";
		m.content = ai_db_span(st, 2);
		m.amount = sqlite3_column_int64(st, 3);
		read++;
		if (each(arg, &m) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : read;
}

int ai_conversation_list(struct ai_ledger *l, const char *tenant,
			 const char *user,
			 int (*each)(void *arg,
				     const struct ai_conversation_state *c),
			 void *arg, struct ai_err *err)
{
	const struct ai_conversation any = { "*", tenant, user };
	struct ai_conversation_state c;
	struct place p;
	sqlite3_stmt *st;
	int rc = known_place(l, &p, &any, err);

	if (rc <= 0)
		return rc;
	if (LEDGER_BIND(l, SQL_CONVERSATIONS, err, "tt", ai_span_of(p.person),
			ai_span_of(p.tenant)) < 0)
		return -1;
	st = l->st[SQL_CONVERSATIONS];
	while ((rc = ai_db_step(&l->db, st, err)) > 0) {
		c.name = (const char *)sqlite3_column_text(st, 0);
		if (c.name == NULL)
			c.name = "";
		c.messages = sqlite3_column_int64(st, 1);
		c.amount = sqlite3_column_int64(st, 2);
		c.created = sqlite3_column_int64(st, 3);
		c.changed = sqlite3_column_int64(st, 4);
		if (each(arg, &c) != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

static int remove_one(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	int64_t n = *(int64_t *)arg;

	return LEDGER_RUN(l, SQL_REMOVE_MESSAGES, err, "i", n) < 0 ? -1 :
		LEDGER_RUN(l, SQL_REMOVE_CONVERSATION, err, "i", n);
}

int ai_conversation_remove(struct ai_ledger *l,
			   const struct ai_conversation *c,
			   struct ai_err *err)
{
	int64_t n, messages;
	struct place p;
	int rc = known_place(l, &p, c, err);

	if (rc > 0)
		rc = find(l, &p, &n, &messages, err);
	if (rc > 0 && ledger_alone(l, true, remove_one, &n, err) < 0)
		return -1;
	return rc;
}
