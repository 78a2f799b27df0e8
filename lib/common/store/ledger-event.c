/* ledger-event.c: what people did to the ledger, each event sealed together
 * with the one before. */
#include "store/ledger-int.h"

#include "base/money.h"
#include "record/json.h"

#include <string.h>

void ledger_event_link(const struct ai_ledger *l, const unsigned char *from,
		       int64_t seq, int64_t created, struct ai_span kind,
		       struct ai_span detail, unsigned char out[LEDGER_HASH])
{
	struct ai_seal s;

	ai_seal_init(&s, l->key);
	/* No transfer's seal begins so. */
	ledger_seal_text(&s, AI_SPAN("event"));
	ai_seal_add(&s, from, LEDGER_HASH);
	ledger_seal_int(&s, seq);
	ledger_seal_int(&s, created);
	ledger_seal_text(&s, kind);
	ledger_seal_text(&s, detail);
	ai_seal_end(&s, out);
}

int ledger_event(struct ai_ledger *l, const char *kind, const char *detail,
		 int64_t now_ms, struct ai_err *err)
{
	unsigned char link[LEDGER_HASH];

	ledger_event_link(l, l->event_head, l->event_seq + 1, now_ms,
			  ai_span_of(kind), ai_span_of(detail), link);
	if (LEDGER_RUN(l, SQL_INSERT_EVENT, err, "iittb", l->event_seq + 1,
		       now_ms, ai_span_of(kind), ai_span_of(detail),
		       LEDGER_BYTES(link, LEDGER_HASH)) < 0)
		return -1;
	l->event_seq++;
	memcpy(l->event_head, link, LEDGER_HASH);
	return 0;
}

static void put_member(struct ai_buf *b, char type, va_list *ap)
{
	char money[AI_MONEY_TEXT];

	ai_put_key(b, va_arg(*ap, const char *));
	if (type == 't') {
		ai_put_cstr(b, va_arg(*ap, const char *));
	} else if (type == 'i') {
		ai_put_i64(b, va_arg(*ap, int64_t));
	} else {
		ai_money_text(va_arg(*ap, int64_t), money);
		ai_put_raw(b, money, strlen(money));
	}
}

int ledger_tell(struct ai_ledger *l, const struct ledger_who *who,
		struct ai_err *err, const char *kind, const char *types, ...)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	va_list ap;
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "uid");
	ai_put_i64(&b, who->uid);
	va_start(ap, types);
	for (; *types != '\0'; types++)
		put_member(&b, *types, &ap);
	va_end(ap);
	ai_put_close(&b, '}');
	rc = ai_buf_check(&b, "the event", err);
	if (rc == 0)
		rc = ledger_event(l, kind, ai_buf_cstr(&b), who->now_ms, err);
	ai_buf_release(&b);
	return rc;
}

/* ---- what programs do --------------------------------------------------------- */

struct notes {
	const struct ai_event *v;
	size_t n;
};

static int note(struct ai_ledger *l, const struct ai_event *e,
		struct ai_buf *b, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value object, key, v;

	if (ai_json_check(e->detail, strlen(e->detail), &object, err) < 0 ||
	    object.kind != AI_OBJECT || strcmp(e->kind, "guard") != 0)
		return ai_err_set(err, AI_E_BUG, "'%.60s' is no event of a "
				  "program", e->kind);
	ai_buf_clear(b);
	ai_put_open(b, '{');
	ai_put_key(b, "uid");
	ai_put_i64(b, l->uid);
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &v)) {
		ai_put_value(b, key);
		ai_buf_chr(b, ':');
		ai_put_value(b, v);
	}
	ai_put_close(b, '}');
	return ai_buf_check(b, "the event", err) < 0 ? -1 :
		ledger_event(l, e->kind, ai_buf_cstr(b), l->wall_ms(), err);
}

static int note_all(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct notes *notes = arg;
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	int rc = 0;

	for (size_t i = 0; i < notes->n && rc == 0; i++)
		rc = note(l, &notes->v[i], &b, err);
	ai_buf_release(&b);
	return rc;
}

int ai_ledger_note(struct ai_ledger *l, const struct ai_event *e, size_t n,
		   struct ai_err *err)
{
	struct notes notes = { e, n };

	return ledger_alone(l, true, note_all, &notes, err);
}

/* ---- reading them ------------------------------------------------------------- */

int ai_ledger_events(struct ai_ledger *l,
		     int (*each)(void *arg, const struct ai_event *e),
		     void *arg, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_event e;
	int rc = ai_db_bind(&l->db, &st, "SELECT seq, created, kind, detail"
			    " FROM event ORDER BY seq", err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		e.seq = sqlite3_column_int64(st, 0);
		e.created = sqlite3_column_int64(st, 1);
		e.kind = (const char *)sqlite3_column_text(st, 2);
		e.detail = (const char *)sqlite3_column_text(st, 3);
		if (e.kind == NULL || e.detail == NULL)
			rc = ai_db_damaged(&l->db, err, "event %lld has no "
					   "text", (long long)e.seq);
		else if (each(arg, &e) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}
