/*
 * ledger-rate.c: how fast, and whether at all: token buckets, holds and
 * breakers of a provider's key and model.
 *
 * The buckets are those of the generic cell rate algorithm (ITU-T I.371): one
 * number each, the time at which the bucket will be full again ("theoretical
 * arrival time").  A call that must wait books its place by moving that time
 * on, and sleeps: so the order is that of asking, and nobody asks twice.
 * With a limit of L a minute and a burst of B the rate is L - B, so that no
 * minute has more than L; and that by the provider's clock, which sees what
 * was delayed on its way together with what came after it.
 *
 * That holds while B changes, too, because of what is true after each start,
 * at the time t with v units not yet drained: for every s in the window before
 * (WINDOW, and rates are those of a window),
 *
 *	started in [s, t] <= v + (L - B)(t - s)
 *
 * and v <= B.  A start adds as much to both sides; a wider burst is taken when
 * v is 0, and adds as much to v as the slower rate takes away from a whole
 * window; and a window after the last start nothing is on the left.  All three
 * need starts in order: none is before the last one.
 *
 * A breaker's probe is a hold as any other, and over when that is: the breaker
 * names it, and the hold says how long it may take at most.
 */
#include "store/ledger-int.h"

#include <stdio.h>
#include <string.h>

#define SECOND ((int64_t)1000000000)
/* A minute, and a second that one request may take longer than another to
 * reach the provider: the first of many programs that start at once on a busy
 * machine are late by some tenths, those behind them are not. */
#define WINDOW (61 * SECOND)
#define FAILURES_MAX 5            /* in a row, then the breaker opens */
#define COOLDOWN (30 * SECOND)
#define PROBE_MAX (600 * SECOND) /* that a probe runs, if nobody says */
#define GRACE (10 * SECOND)      /* from a probe's deadline to its end */

/* ---- buckets ----------------------------------------------------------------- */

static int64_t clamp(__int128 ns)
{
	return ns > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ns;
}

/* The usual burst, and the lowest rate. */
static int64_t least_of(int64_t limit)
{
	return limit / 50 > 1 ? limit / 50 : 1;
}

/* How long n units take at the rate that goes with this burst, rounded up. */
static int64_t span_of(int64_t n, int64_t limit, int64_t burst)
{
	int64_t rate = limit - burst, least = least_of(limit);

	rate = rate > least ? rate : least;
	return clamp(((__int128)n * WINDOW + rate - 1) / rate);
}

static int read_bucket(struct ai_ledger *l, const struct ledger_item *it,
		       struct ledger_bucket *b, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	b->tat = b->burst = b->last = 0;
	if (LEDGER_BIND(l, SQL_BUCKET, err, "t", ai_span_of(b->name)) < 0)
		return -1;
	st = l->st[SQL_BUCKET];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0 && ai_span_is(ai_db_span(st, 3), it->owner.boot)) {
		b->tat = sqlite3_column_int64(st, 0);
		b->burst = sqlite3_column_int64(st, 1);
		b->last = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/*
 * The earliest time for n units, not before the last start; the bucket is made
 * wide enough for them.  A minute after the last start it is as good as new,
 * however long the wide one would take to fill.  A burst that leaves less than the usual one
 * for the rest of its minute has that minute for itself: any rate beside it
 * would be too much.
 */
static int64_t earliest(struct ledger_bucket *b, int64_t n, int64_t limit,
			int64_t now)
{
	int64_t usual = least_of(limit), burst = b->burst, start,
		full = b->tat > now ? b->tat : now,
		fresh = b->last + WINDOW;

	if (b->burst == 0 || fresh < now)
		fresh = now;
	if (n > burst) {
		/* What went out in this minute was counted with the smaller
		 * burst: the difference has to be waited for. */
		full += span_of(n - burst, limit, n);
		burst = n;
	}
	/* Rounded down: by less than the nanosecond that is not of a minute,
	 * its end. */
	start = full - span_of(burst - n, limit, burst);
	start = start > b->last ? start : b->last;
	if (start < fresh && fresh > now && burst <= limit - usual) {
		b->tat = full;
		b->burst = burst;
		return start;
	}
	b->tat = fresh;
	b->burst = n > usual ? n : usual;
	return fresh;
}

static int find_bucket(struct ai_ledger *l, struct ledger_item *it,
		       struct ledger_rate *r, const char *unit, int64_t n,
		       int64_t limit, struct ai_err *err)
{
	const struct ai_labels *a = &it->in.reserve.labels;
	struct ledger_bucket *b = &r->bucket[r->n];
	int64_t start;

	if (limit <= 0)
		return 1;
	if (n > limit) {
		ledger_refuse(it, AI_E_TOO_LONG, "the request may take %lld "
			      "%s; the limit is %lld a minute", (long long)n,
			      unit, (long long)limit);
		return 0;
	}
	snprintf(b->name, sizeof(b->name), "%s %s %s", unit, a->key, a->model);
	if (read_bucket(l, it, b, err) < 0)
		return -1;
	b->limit = limit;
	b->units = n;
	start = earliest(b, n, limit, it->now_ns);
	if (start > r->start_ns)
		r->start_ns = start;
	r->n++;
	return 1;
}

/* Those of a key and model; 0: none. */
static int find_limit(struct ai_ledger *l, const char *key,
		      const char *model, struct ai_limit *limit,
		      struct ai_err *err)
{
	const struct ai_limit *known = ledger_memo_limit(l, key, model);
	int64_t rank, best = 4;
	sqlite3_stmt *st;
	int rc;

	if (known != NULL) {
		*limit = *known;
		return 0;
	}
	snprintf(limit->key, sizeof(limit->key), "%s", key);
	snprintf(limit->model, sizeof(limit->model), "%s", model);
	limit->requests = limit->tokens = 0;
	if (LEDGER_BIND(l, SQL_LIMITS, err, "tt", ai_span_of(limit->key),
			ai_span_of(limit->model)) < 0)
		return -1;
	st = l->st[SQL_LIMITS];
	while ((rc = ai_db_step(&l->db, st, err)) > 0) {
		rank = sqlite3_column_int64(st, 2);
		if (rank >= best)
			continue;
		best = rank;
		limit->requests = sqlite3_column_int64(st, 0);
		limit->tokens = sqlite3_column_int64(st, 1);
	}
	if (rc == 0)
		ledger_memo_set_limit(l, limit);
	return rc;
}

int ai_ledger_limit_of(struct ai_ledger *l, const char *key, const char *model,
		       struct ai_limit *limit, struct ai_err *err)
{
	*limit = (struct ai_limit){ .requests = 0 };
	return l == NULL ? 0 : find_limit(l, key, model, limit, err);
}

int64_t ai_limit_wait(int64_t limit, int64_t units, int64_t largest)
{
	int64_t burst = least_of(limit), rate;
	__int128 ms;

	if (limit <= 0)
		return 0;
	burst = largest > burst ? largest : burst;
	if (units <= burst)
		return 0;
	rate = limit - burst > least_of(limit) ? limit - burst
					       : least_of(limit);
	ms = ((__int128)(units - burst) * (WINDOW / 1000000) + rate - 1) / rate;
	return ms > INT64_MAX ? INT64_MAX : (int64_t)ms;
}

static int find_buckets(struct ai_ledger *l, struct ledger_item *it,
			struct ledger_rate *r, struct ai_err *err)
{
	const struct ai_reserve *q = &it->in.reserve;
	struct ai_limit limit;
	int rc;

	if (find_limit(l, q->labels.key, q->labels.model, &limit, err) < 0)
		return -1;
	rc = find_bucket(l, it, r, "requests", 1, limit.requests, err);
	return rc <= 0 ? rc : find_bucket(l, it, r, "tokens", q->tokens,
					  limit.tokens, err);
}

/* ---- breakers ------------------------------------------------------------------ */

struct breaker {
	char name[LEDGER_BREAKER_NAME];
	int64_t failures; /* in a row */
	int64_t opened, held; /* ns */
	int64_t probe; /* the transfer that was the last one */
	int64_t lease; /* it runs, until then at most, ns; 0: it does not */
};

/* Of a hold's columns from c on: probe, pid, start, space, boot. */
static int64_t lease_of(sqlite3_stmt *st, int c, int64_t now)
{
	int64_t lease = sqlite3_column_int64(st, c);
	struct ai_owner o;

	return lease > now && ledger_living(st, c + 1, &o) != 0 ? lease : 0;
}

static int read_breaker(struct ai_ledger *l, const struct ledger_item *it,
			const char *key, const char *model, struct breaker *b,
			struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*b = (struct breaker){ .failures = 0 };
	snprintf(b->name, sizeof(b->name), "%s %s", key, model);
	if (ledger_memo_healthy(l, b->name))
		return 0;
	if (LEDGER_BIND(l, SQL_BREAKER, err, "t", ai_span_of(b->name)) < 0)
		return -1;
	st = l->st[SQL_BREAKER];
	rc = ai_db_step(&l->db, st, err);
	/* The times are those of one boot. */
	if (rc > 0 && ai_span_is(ai_db_span(st, 4), it->owner.boot)) {
		b->failures = sqlite3_column_int64(st, 0);
		b->opened = sqlite3_column_int64(st, 1);
		b->probe = sqlite3_column_int64(st, 2);
		b->held = sqlite3_column_int64(st, 3);
		b->lease = b->failures < FAILURES_MAX ? 0
			: lease_of(st, 5, it->now_ns);
	}
	sqlite3_reset(st);
	if (rc >= 0 && b->failures == 0 && b->opened == 0 && b->held == 0 &&
	    b->probe == 0)
		ledger_memo_set_healthy(l, b->name);
	return rc < 0 ? -1 : 0;
}

/* That of the calls with these labels. */
static int breaker_of(struct ai_ledger *l, const struct ledger_item *it,
		      int64_t label, struct breaker *b, struct ai_err *err)
{
	struct ledger_memo *m = &l->memo;
	sqlite3_stmt *st;
	int rc;

	if (m->open && m->rate_label != 0 && m->rate_label == label)
		return read_breaker(l, it, m->rate_key, m->rate_model, b, err);
	m->rate_key[0] = m->rate_model[0] = '\0';
	if (LEDGER_BIND(l, SQL_LABEL_RATE, err, "i", label) < 0)
		return -1;
	st = l->st[SQL_LABEL_RATE];
	rc = ai_db_step(&l->db, st, err);
	if (rc > 0) {
		ledger_copy_column(m->rate_key, sizeof(m->rate_key), st, 0);
		ledger_copy_column(m->rate_model, sizeof(m->rate_model), st, 1);
	}
	sqlite3_reset(st);
	m->rate_label = rc > 0 ? label : 0;
	return rc < 0 ? -1 : read_breaker(l, it, m->rate_key, m->rate_model, b,
					  err);
}

static int write_breaker(struct ai_ledger *l, const struct ledger_item *it,
			 const struct breaker *b, struct ai_err *err)
{
	ledger_memo_forget_rates(l);
	return LEDGER_RUN(l, SQL_SET_BREAKER, err, "tiiiit",
			  ai_span_of(b->name), b->failures, b->opened, b->probe,
			  b->held, ai_span_of(it->owner.boot));
}

/* Until when an open one lets nobody else through; when a probe that runs will
 * be over nobody knows, but if it fails it is not before this. */
static int64_t open_until(const struct breaker *b, int64_t now)
{
	int64_t start = b->held > now ? b->held : now;

	if (now < b->opened + COOLDOWN)
		return b->opened + COOLDOWN;
	return start + COOLDOWN < b->lease ? start + COOLDOWN : b->lease;
}

static int refuse_rate(struct ledger_item *it, enum ai_verdict verdict,
		       int64_t until)
{
	const struct ai_labels *a = &it->in.reserve.labels;

	it->out = (struct ai_reserved){ .verdict = verdict };
	it->out.wait_ms = (until - it->now_ns + 999999) / 1000000;
	snprintf(it->out.name, sizeof(it->out.name), "%s", a->model);
	return 0;
}

static int64_t lease_for(const struct ledger_item *it, int64_t start)
{
	int64_t left = it->in.reserve.left_ms;

	return left <= 0 ? start + PROBE_MAX :
		clamp(it->now_ns + (__int128)left * 1000000 + GRACE);
}

int ledger_rate_find(struct ai_ledger *l, struct ledger_item *it,
		     struct ledger_rate *r, struct ai_err *err)
{
	const struct ai_labels *a = &it->in.reserve.labels;
	struct breaker b;
	int rc;

	*r = (struct ledger_rate){ .start_ns = it->now_ns };
	if (read_breaker(l, it, a->key, a->model, &b, err) < 0)
		return -1;
	if (b.failures >= FAILURES_MAX &&
	    open_until(&b, it->now_ns) > it->now_ns)
		return refuse_rate(it, AI_BREAKER_OPEN,
				   open_until(&b, it->now_ns));
	if (b.held > r->start_ns)
		r->start_ns = b.held;
	rc = find_buckets(l, it, r, err);
	if (rc <= 0)
		return rc;
	/* In whole ms, rounded up: the longest wait may be INT64_MAX. */
	if ((r->start_ns - it->now_ns + 999999) / 1000000 >
	    it->in.reserve.max_wait_ms)
		return refuse_rate(it, AI_OVER_LIMIT, r->start_ns);
	if (b.failures >= FAILURES_MAX)
		r->lease = lease_for(it, r->start_ns);
	return 1;
}

int ledger_rate_look(struct ai_ledger *l, struct ledger_item *it,
		     const struct ledger_reserved *r, struct ai_err *err)
{
	struct breaker b;

	if (breaker_of(l, it, r->label, &b, err) < 0)
		return -1;
	if (b.failures >= FAILURES_MAX && (b.probe != r->seq || b.lease == 0))
		it->out.verdict = AI_BREAKER_OPEN;
	else if (b.held > it->now_ns)
		it->out.verdict = AI_OVER_LIMIT;
	return it->out.verdict == AI_GRANTED;
}

int ledger_rate_take(struct ai_ledger *l, struct ledger_item *it,
		     const struct ledger_rate *r, struct ai_err *err)
{
	const struct ai_labels *a = &it->in.reserve.labels;
	struct breaker b;
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct ledger_bucket *k = &r->bucket[i];
		int64_t from = k->tat > r->start_ns ? k->tat : r->start_ns;

		if (LEDGER_RUN(l, SQL_SET_BUCKET, err, "tiiit",
			       ai_span_of(k->name),
			       from + span_of(k->units, k->limit, k->burst),
			       k->burst,
			       k->last > r->start_ns ? k->last : r->start_ns,
			       ai_span_of(it->owner.boot)) < 0)
			return -1;
	}
	if (r->lease == 0)
		return 0;
	if (read_breaker(l, it, a->key, a->model, &b, err) < 0)
		return -1;
	b.probe = l->seq;
	return write_breaker(l, it, &b, err);
}

int ledger_rate_end(struct ai_ledger *l, const struct ledger_item *it,
		    const struct ledger_reserved *r, struct ai_err *err)
{
	const struct ai_post *p = &it->in.post;
	struct breaker b, was;
	int64_t held;

	if (p->outcome == AI_OUTCOME_NONE && p->hold_ms <= 0)
		return 0;
	if (breaker_of(l, it, r->label, &b, err) < 0)
		return -1;
	was = b;
	if (p->outcome == AI_OUTCOME_SUCCESS ||
	    (p->outcome == AI_OUTCOME_ALIVE && b.probe == r->seq))
		b.failures = b.opened = 0;
	else if (p->outcome == AI_OUTCOME_FAILURE &&
		 ++b.failures >= FAILURES_MAX)
		b.opened = it->now_ns;
	held = clamp(it->now_ns + (__int128)p->hold_ms * 1000000);
	if (p->hold_ms > 0 && held > b.held)
		b.held = held;
	return memcmp(&was, &b, sizeof(b)) == 0 ? 0
						: write_breaker(l, it, &b, err);
}

int ledger_limit(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err)
{
	const struct ai_limit *q = &it->in.limit;
	const struct ledger_who who = { it->uid, it->now_ms };

	ledger_memo_forget_rates(l);
	if (q->requests < 0 || q->tokens < 0)
		return ledger_refuse(it, AI_E_USAGE,
				     "a limit below nothing");
	if (ledger_tell(l, &who, err, "limit", "ttii", "key", q->key, "model",
			q->model, "requests", q->requests, "tokens",
			q->tokens) < 0)
		return -1;
	if (q->requests == 0 && q->tokens == 0)
		return LEDGER_RUN(l, SQL_REMOVE_LIMIT, err, "tt",
				  ai_span_of(q->key), ai_span_of(q->model));
	return LEDGER_RUN(l, SQL_SET_LIMIT, err, "ttii", ai_span_of(q->key),
			  ai_span_of(q->model), q->requests, q->tokens);
}

static void tell_breaker(const struct breaker *b, int64_t now,
			 struct ai_breaker *out)
{
	size_t n = strcspn(b->name, " ");
	int64_t until = b->failures < FAILURES_MAX ? 0 : open_until(b, now);

	*out = (struct ai_breaker){ .failures = b->failures };
	snprintf(out->key, sizeof(out->key), "%.*s", (int)n, b->name);
	snprintf(out->model, sizeof(out->model), "%s",
		 b->name[n] != '\0' ? b->name + n + 1 : "");
	if (b->failures >= FAILURES_MAX)
		out->is = now < b->opened + COOLDOWN ? AI_OPEN : AI_HALF_OPEN;
	out->wait_ms = until > now ? (until - now + 999999) / 1000000 : 0;
	out->held_ms = b->held > now ? (b->held - now + 999999) / 1000000 : 0;
}

int ai_ledger_breakers(struct ai_ledger *l,
		       int (*each)(void *arg, const struct ai_breaker *b),
		       void *arg, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ai_breaker out;
	struct breaker b;
	int rc = ai_db_bind(&l->db, &st, "SELECT name, failures, opened,"
			    " b.probe, held, h.probe, pid, start, space,"
			    " h.boot FROM breaker b LEFT JOIN hold h ON"
			    " transfer=b.probe WHERE b.boot=? ORDER BY name",
			    err, "t", ai_span_of(l->owner.boot));

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, err)) > 0) {
		ledger_copy_column(b.name, sizeof(b.name), st, 0);
		b.failures = sqlite3_column_int64(st, 1);
		b.opened = sqlite3_column_int64(st, 2);
		b.probe = sqlite3_column_int64(st, 3);
		b.held = sqlite3_column_int64(st, 4);
		b.lease = lease_of(st, 5, l->boot_ns());
		tell_breaker(&b, l->boot_ns(), &out);
		if ((out.failures > 0 || out.held_ms > 0) &&
		    each(arg, &out) != 0)
			break;
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

/* ---- tools ----------------------------------------------------------------------- */

#define MS ((int64_t)1000000)

struct tool {
	const struct ai_tool_breaker *of;
	bool failed;
	int64_t wait; /* ns */
};

static int64_t most_of(const struct ai_tool_breaker *t)
{
	return t->most > 0 ? t->most : FAILURES_MAX;
}

static int read_tool(struct ai_ledger *l, const struct ai_tool_breaker *t,
		     struct ledger_item *it, struct breaker *b,
		     struct ai_err *err)
{
	memset(it, 0, sizeof(*it));
	it->now_ns = l->boot_ns();
	it->owner = l->owner;
	return read_breaker(l, it, "tool", t->name, b, err);
}

static int64_t tool_wait(const struct ai_tool_breaker *t,
			 const struct breaker *b, int64_t now)
{
	int64_t until = b->opened + (t->rest_ms > 0 &&
		t->rest_ms < INT64_MAX / 4 / MS ? t->rest_ms * MS : COOLDOWN);

	return b->failures >= most_of(t) && now < until ? until - now : 0;
}

/* Who comes first after the rest tries it; the others rest on meanwhile. */
static int try_tool(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct tool *t = arg;
	struct ledger_item it;
	struct breaker b;

	if (read_tool(l, t->of, &it, &b, err) < 0)
		return -1;
	t->wait = tool_wait(t->of, &b, it.now_ns);
	if (t->wait > 0 || b.failures < most_of(t->of))
		return 0;
	b.opened = it.now_ns;
	return write_breaker(l, &it, &b, err);
}

int ai_ledger_tool(struct ai_ledger *l, struct ai_tool_breaker *of,
		   struct ai_err *err)
{
	struct tool t = { .of = of };
	struct ledger_item it;
	struct breaker b;

	if (read_tool(l, of, &it, &b, err) < 0)
		return -1;
	of->failures = b.failures;
	t.wait = tool_wait(of, &b, it.now_ns);
	if (b.failures >= most_of(of) && t.wait == 0 &&
	    ledger_alone(l, false, try_tool, &t, err) < 0)
		return -1;
	of->wait_ms = (t.wait + MS - 1) / MS;
	return 0;
}

static int end_tool(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	const struct tool *t = arg;
	struct ledger_item it;
	struct breaker b;

	if (read_tool(l, t->of, &it, &b, err) < 0)
		return -1;
	b.failures = t->failed ? b.failures + 1 : 0;
	b.opened = b.failures >= most_of(t->of) ? it.now_ns : 0;
	return write_breaker(l, &it, &b, err);
}

int ai_ledger_tool_end(struct ai_ledger *l, const struct ai_tool_breaker *of,
		       bool failed, struct ai_err *err)
{
	struct tool t = { .of = of, .failed = failed };

	return ledger_alone(l, false, end_tool, &t, err);
}
