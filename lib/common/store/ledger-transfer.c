/* ledger-transfer.c: transfers, each sealed together with the one before. */
#include "store/ledger-int.h"

#include "crypt/hash.h"

#include <endian.h>
#include <string.h>

_Static_assert(LEDGER_HASH == AI_SEAL_BYTES, "one size");

void ledger_seal_int(struct ai_seal *s, int64_t v)
{
	uint64_t le = htole64((uint64_t)v);

	ai_seal_add(s, &le, sizeof(le));
}

void ledger_seal_text(struct ai_seal *s, struct ai_span text)
{
	ledger_seal_int(s, (int64_t)text.n);
	ai_seal_add(s, text.p, text.n);
}

static void list_facts(const struct ai_facts *f, int64_t out[AI_FACTS])
{
	const int64_t list[AI_FACTS] = {
		f->ended, f->attempt, f->input, f->cached, f->written,
		f->output, f->reasoning, f->time_us, f->first_us,
	};

	memcpy(out, list, sizeof(list));
}

static bool has_facts(const struct ai_facts *f)
{
	int64_t list[AI_FACTS], any = 0;
	int i;

	list_facts(f, list);
	for (i = 0; i < AI_FACTS; i++)
		any |= list[i];
	return any != 0;
}

static void seal_facts(struct ai_seal *s, const struct ai_facts *f)
{
	int64_t list[AI_FACTS];
	int i;

	list_facts(f, list);
	for (i = 0; i < AI_FACTS; i++)
		ledger_seal_int(s, list[i]);
}

void ledger_link(const struct ai_ledger *l, const unsigned char *from,
		 int64_t seq, const struct ledger_transfer *t,
		 unsigned char out[LEDGER_HASH])
{
	struct ai_seal s;

	ai_seal_init(&s, l->key);
	ai_seal_add(&s, from, LEDGER_HASH);
	ledger_seal_int(&s, seq);
	ledger_seal_int(&s, t->kind);
	ledger_seal_int(&s, t->of);
	ledger_seal_int(&s, t->amount);
	ledger_seal_int(&s, t->created);
	ledger_seal_int(&s, t->label);
	if (t->id != NULL)
		ai_seal_add(&s, t->id, AI_LEDGER_ID);
	ai_seal_add(&s, t->usage, strlen(t->usage));
	/* Older transfers have none.  The number of bytes has a NUL, which no
	 * usage has. */
	if (has_facts(&t->facts)) {
		ledger_seal_text(&s, AI_SPAN("facts"));
		seal_facts(&s, &t->facts);
	}
	ai_seal_end(&s, out);
}

int ledger_append(struct ai_ledger *l, const struct ledger_transfer *t,
		  struct ai_err *err)
{
	unsigned char link[LEDGER_HASH];
	int64_t facts[AI_FACTS];
	sqlite3_stmt *st;
	int i;

	ledger_link(l, l->head, l->seq + 1, t, link);
	if (LEDGER_BIND(l, SQL_INSERT_TRANSFER, err, "ibiiiiitb", l->seq + 1,
			LEDGER_BYTES(t->id, AI_LEDGER_ID), (int64_t)t->kind,
			t->of,
			t->amount, t->created, t->label, ai_span_of(t->usage),
			LEDGER_BYTES(link, LEDGER_HASH)) < 0)
		return -1;
	st = l->st[SQL_INSERT_TRANSFER];
	if (t->of == 0)
		sqlite3_bind_null(st, 4);
	list_facts(&t->facts, facts);
	for (i = 0; i < AI_FACTS; i++)
		sqlite3_bind_int64(st, 10 + i, facts[i]);
	if (ai_db_run(&l->db, st, err) < 0)
		return -1;
	if (sqlite3_changes(l->db.h) == 0)
		return t->kind == LEDGER_PENDING ? 0 :
			ai_db_damaged(&l->db, err, "reservation %lld ends "
				      "twice", (long long)t->of);
	l->seq++;
	memcpy(l->head, link, LEDGER_HASH);
	return 1;
}
