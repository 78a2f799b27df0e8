#include "store/cache.h"

#include "store/ledger-int.h"

#include <string.h>

void ai_cache_key(const struct ai_span *parts, size_t n,
		  unsigned char key[AI_CACHE_KEY])
{
	static const unsigned char none[AI_SEAL_BYTES];
	struct ai_seal s;
	size_t i;

	/* No secret: it need not be one, and another ledger may use it. */
	ai_seal_init(&s, none);
	for (i = 0; i < n; i++)
		ledger_seal_text(&s, parts[i]);
	ai_seal_end(&s, key);
}

int ai_cache_get(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		 struct ai_buf *out, struct ai_err *err)
{
	struct ai_span value;
	sqlite3_stmt *st;
	int rc;

	if (LEDGER_BIND(l, SQL_CACHED, err, "bi",
			LEDGER_BYTES(key, AI_CACHE_KEY), l->wall_ms()) < 0)
		return -1;
	st = l->st[SQL_CACHED];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		value = ai_db_span(st, 0);
		ai_buf_add(out, value.p, value.n);
		if (ai_buf_check(out, "the kept answer", err) < 0)
			rc = -1;
	}
	sqlite3_reset(st);
	return rc;
}

/* ---- keeping ------------------------------------------------------------------ */

struct put {
	const struct ai_cache_item *items;
	size_t n;
	int64_t now, ttl;
	char person[64];
};

void ai_cache_limit(struct ai_ledger *l, int64_t bytes)
{
	l->cache_limit = bytes;
}

static int make_room(struct ai_ledger *l, int64_t now, struct ai_err *err)
{
	int64_t bytes, most = l->cache_limit > 0 ? l->cache_limit
						 : AI_CACHE_BYTES;

	if (LEDGER_RUN(l, SQL_CACHE_EXPIRE, err, "i", now) < 0)
		return -1;
	for (;;) {
		if (ai_db_int(&l->db, "SELECT cache_bytes FROM state", &bytes,
			      err) < 0)
			return -1;
		if (bytes <= most)
			return 0;
		if (LEDGER_RUN(l, SQL_CACHE_OLDEST, err, "") < 0)
			return -1;
		if (sqlite3_changes(l->db.h) == 0)
			return ai_db_damaged(&l->db, err, "the cache's size "
					     "is wrong");
	}
}

static int put_one(struct ai_ledger *l, const struct put *p,
		   const struct ai_cache_item *item, struct ai_err *err)
{
	const struct ai_span key = LEDGER_BYTES(item->key, AI_CACHE_KEY);

	if (LEDGER_RUN(l, SQL_CACHE_DELETE, err, "b", key) < 0)
		return -1;
	return LEDGER_RUN(l, SQL_CACHE_INSERT, err, "bbiit", key, item->answer,
			  p->now, p->now + p->ttl, ai_span_of(p->person));
}

static int put(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct put *p = arg;

	if (ledger_person(l, p->person, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].answer.p != NULL &&
		    p->items[i].answer.n <= AI_CACHE_VALUE &&
		    put_one(l, p, &p->items[i], err) < 0)
			return -1;
	return make_room(l, p->now, err);
}

int ai_cache_put_many(struct ai_ledger *l, const struct ai_cache_item *items,
		      size_t n, int64_t ttl_ms, const char *user,
		      struct ai_err *err)
{
	struct put p = { items, n, l->wall_ms(), ttl_ms, "" };

	if (n == 0 || ttl_ms <= 0 || ttl_ms > INT64_MAX - p.now)
		return 0;
	if (ledger_name(p.person, user, "a user's name", err) < 0)
		return -1;
	return ledger_alone(l, false, put, &p, err);
}

int ai_cache_put(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		 struct ai_span answer, int64_t ttl_ms, const char *user,
		 struct ai_err *err)
{
	struct ai_cache_item item = { .answer = answer };

	memcpy(item.key, key, AI_CACHE_KEY);
	return answer.p == NULL || answer.n > AI_CACHE_VALUE ? 0 :
		ai_cache_put_many(l, &item, 1, ttl_ms, user, err);
}

/* ---- all of it ------------------------------------------------------------------ */

static int prune(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_CACHE_EXPIRE, err, "i", *(int64_t *)arg);
}

int ai_cache_prune(struct ai_ledger *l, bool all, struct ai_err *err)
{
	int64_t until = all ? INT64_MAX : l->wall_ms();

	return ledger_alone(l, true, prune, &until, err);
}

int ai_cache_size(struct ai_ledger *l, int64_t *entries, int64_t *bytes,
		  struct ai_err *err)
{
	return ai_db_int(&l->db, "SELECT count(*) FROM cache", entries,
			 err) < 0 ||
		ai_db_int(&l->db, "SELECT cache_bytes FROM state", bytes,
			  err) < 0 ? -1 : 0;
}
