#include "model.h"

#include <math.h>
#include <stdio.h>

struct model m;
int64_t now_ms, now_ns;
int broken;
bool tie;

void differ(const char *what, int64_t got, int64_t wanted)
{
	if (++broken <= 10)
		printf("# %s: %lld, the model says %lld\n", what,
		       (long long)got, (long long)wanted);
}

/* ---- budgets -------------------------------------------------------- */

/* The first of the month that day n after 1970-01-01 lies in, as days (after
 * Hinnant's days_from_civil). */
static int64_t month_of(int64_t day)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
				      30, 31 };
	int64_t year = 1970, first = 0;
	int month = 0, n;

	for (;;) {
		n = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		if (first + 365 + n > day)
			break;
		first += 365 + n;
		year++;
	}
	while (first + length[month] + (month == 1 && n) <= day) {
		first += length[month] + (month == 1 && n);
		month++;
	}
	return first;
}

/* What tells one period from another. */
int64_t period_of(enum period p, int64_t ms)
{
	switch (p) {
	case HOUR: return ms / 3600000 * 3600000;
	case DAY: return ms / 86400000 * 86400000;
	case MONTH: return month_of(ms / 86400000) * 86400000;
	default: return 0;
	}
}

void sum(enum scope s, int who, enum period p, int64_t start,
	 int64_t *pending, int64_t *posted)
{
	int i;

	*pending = *posted = 0;
	for (i = 0; i < m.n; i++) {
		const struct call *c = &m.call[i];

		if ((s == ALL || c->who[s] == who) &&
		    period_of(p, c->at) == start) {
			*pending += c->open ? c->worst : 0;
			*posted += c->open ? 0 : c->cost;
		}
	}
}

int64_t cap_of(const int who[SCOPES], enum scope s, enum period p)
{
	if (s == ALL)
		return m.cap[ALL][0][p];
	if (who[s] == 0)
		return -1;
	return m.cap[s][who[s]][p] >= 0 ? m.cap[s][who[s]][p]
					: m.cap[s][EACH][p];
}

bool has_room(const int who[SCOPES], enum scope s, enum period p,
	      int64_t worst)
{
	int64_t cap = cap_of(who, s, p), pending = 0, posted = 0;

	if (p != REQUEST)
		sum(s, who[s], p, period_of(p, now_ms), &pending, &posted);
	return cap < 0 || pending + posted + worst <= cap;
}

static bool all_have_room(const int who[SCOPES], int64_t worst)
{
	int s, p;

	for (s = 0; s < SCOPES; s++)
		for (p = 0; p < PERIODS; p++)
			if (!has_room(who, (enum scope)s, (enum period)p,
				      worst))
				return false;
	return true;
}

/* ---- rates ------------------------------------------------------------ */

/* The limits in force for model `of`: its own row, or the next wider one. */
static const int64_t *limits_of(int of)
{
	static const int64_t none[2];
	int i;

	for (i = 0; i < 4; i++) {
		const int64_t *limit = m.limit[i / 2][i % 2 == 0 ? of : 0];

		if (limit[0] != 0 || limit[1] != 0)
			return limit;
	}
	return none;
}

static int64_t usual(int64_t limit)
{
	return limit / 50 > 1 ? limit / 50 : 1;
}

/* ns that a unit takes beside a burst. */
static long double pace(int64_t limit, int64_t burst)
{
	int64_t rate = limit - burst;

	return (long double)WINDOW / (rate > usual(limit) ? rate
							  : usual(limit));
}

/*
 * When n units may go: not before those that came before.  A minute after the last start nothing of the minute
 * before counts any more.  Within it, they must fit into the burst beside
 * what has not drained; a burst that leaves less than the usual one for the
 * rest of its minute is alone in it.
 */
static long double when(struct bucket *b, int64_t n, int64_t limit)
{
	long double fresh = b->last + WINDOW, full, start;
	int64_t burst = b->burst, wide;
	bool alone;

	if (b->burst == 0 || fresh < now_ns)
		fresh = now_ns;
	full = b->tat > now_ns ? b->tat : now_ns;
	if (n > burst) {
		full += (n - burst) * pace(limit, n);
		burst = n;
	}
	start = full - (burst - n) * pace(limit, burst);
	if (start < now_ns)
		start = now_ns;
	if (start < b->last)
		start = b->last;
	wide = n > usual(limit) ? n : usual(limit);
	alone = fresh <= now_ns || burst + usual(limit) > limit;
	tie |= !alone && fabsl(start - fresh) < SLACK &&
		(burst != wide || full - fresh > SLACK);
	if (alone || start >= fresh) {
		b->tat = start = fresh;
		b->burst = wide;
	} else {
		b->tat = full;
		b->burst = burst;
	}
	return start;
}

void count_minutes(void)
{
	int i, j;

	for (i = 0; i < m.starts; i++) {
		const struct start *from = &m.start[i];
		int64_t units = 0;

		for (j = 0; j < m.starts; j++)
			if (m.start[j].model == from->model &&
			    m.start[j].unit == from->unit &&
			    m.start[j].at >= from->at &&
			    m.start[j].at < from->at + WINDOW) {
				units += m.start[j].units;
				/* Not comparable. */
				if (m.start[j].limit != from->limit) {
					units = 0;
					break;
				}
			}
		if (units > from->limit)
			differ(from->unit == 0 ? "requests in a minute"
					       : "tokens in a minute",
			       units, from->limit);
	}
}

/* The probe of this place is under way: its hold is there, its process may
 * live, and it has not taken too long. */
static bool has_probe(const struct place *p)
{
	const struct call *c;

	if (p->probe == 0)
		return false;
	c = &m.call[p->probe - 1];
	return c->open && c->lease > now_ns &&
		(c->owner == ALIVE || c->owner == ELSEWHERE);
}

/* Until when nobody else is let through; of a probe nobody knows it, but if it
 * fails it is not for another 30 s. */
static int64_t shut_until(const struct place *p)
{
	int64_t lease = has_probe(p) ? m.call[p->probe - 1].lease : 0,
		next = (p->held > now_ns ? p->held : now_ns) + 30 * SECOND;

	if (p->failures < 5)
		return 0;
	if (now_ns < p->opened + 30 * SECOND)
		return p->opened + 30 * SECOND;
	return lease < next ? lease : next;
}

bool may_go(const struct call *c)
{
	const struct place *p = &m.place[c->who[MODEL]];

	if (p->failures >= 5 &&
	    !(has_probe(p) && &m.call[p->probe - 1] == c))
		return false;
	return p->held <= now_ns;
}

void reset_model(int model)
{
	m.place[model].failures = 0;
	m.place[model].opened = m.place[model].held = 0;
}

static void want_rate(const struct ai_reserve *r, int model, struct wanted *w)
{
	struct place *p = &m.place[model];
	const int64_t *limit = limits_of(model);
	const int64_t units[2] = { 1, r->tokens };
	long double wait;
	int u;

	w->start = now_ns;
	w->verdict = AI_OVER_LIMIT;
	if (shut_until(p) > now_ns) {
		w->verdict = AI_BREAKER_OPEN;
		w->wait_ms = (shut_until(p) - now_ns + 999999) / 1000000;
		return;
	}
	w->probe = p->failures >= 5;
	if (p->held > now_ns)
		w->start = p->held;
	for (u = 0; u < 2; u++) {
		long double start;

		w->bucket[u] = p->bucket[u];
		if (limit[u] == 0)
			continue;
		if (units[u] > limit[u]) {
			w->too_long = true;
			return;
		}
		start = when(&w->bucket[u], units[u], limit[u]);
		w->start = start > w->start ? start : w->start;
	}
	wait = w->start - now_ns - (long double)r->max_wait_ms * 1000000;
	w->verdict = wait > 0 ? AI_OVER_LIMIT : AI_GRANTED;
	w->late = fabsl(wait) < SLACK;
	if (wait > 0)
		w->wait_ms = -1;
}

struct wanted want(const struct ai_reserve *r, const int who[SCOPES])
{
	struct wanted w = { .verdict = AI_OVER_BUDGET };

	if (all_have_room(who, r->worst))
		want_rate(r, who[MODEL], &w);
	return w;
}

void take_rate(const struct ai_reserve *r, int model, const struct wanted *w,
	       int64_t start)
{
	struct place *p = &m.place[model];
	const int64_t *limit = limits_of(model);
	const int64_t units[2] = { 1, r->tokens };
	int u;

	for (u = 0; u < 2; u++) {
		struct bucket *b = &p->bucket[u];

		if (limit[u] == 0)
			continue;
		*b = w->bucket[u];
		b->tat = (b->tat > start ? b->tat : start) +
			units[u] * pace(limit[u], b->burst);
		b->last = b->last > start ? b->last : start;
		m.start[m.starts++] = (struct start){ start, units[u],
						      limit[u], model, u };
	}
	if (!w->probe)
		return;
	p->probe = m.n + 1;
	m.call[m.n].lease = r->left_ms == 0 ? start + 600 * SECOND
		: now_ns + r->left_ms * 1000000 + 10 * SECOND;
}

/* ---- ends ----------------------------------------------------------------- */

void end_call(struct call *c, enum ledger_kind kind, int64_t cost,
	      enum ai_outcome outcome, int64_t hold_ms)
{
	struct place *p = &m.place[c->who[MODEL]];

	if (!c->open)
		return;
	c->open = false;
	c->cost = cost;
	c->kind = kind;
	c->corrections = cost > c->worst;
	if (outcome == AI_OUTCOME_SUCCESS ||
	    (outcome == AI_OUTCOME_ALIVE && p->probe == c - m.call + 1)) {
		p->failures = 0;
		p->opened = 0;
	} else if (outcome == AI_OUTCOME_FAILURE && ++p->failures >= 5) {
		p->opened = now_ns;
	}
	if (hold_ms > 0 && now_ns + hold_ms * 1000000 > p->held)
		p->held = now_ns + hold_ms * 1000000;
}

bool settle_call(struct call *c, enum ledger_kind kind, int64_t cost,
		 bool force)
{
	if (c->open && !force && (c->owner == ALIVE || c->owner == ELSEWHERE))
		return false;
	if (!c->open)
		c->corrections += c->cost != cost;
	end_call(c, kind, cost, AI_OUTCOME_NONE, 0);
	c->cost = cost;
	return true;
}

void sweep_model(void)
{
	int i;

	for (i = 0; i < m.n; i++) {
		struct call *c = &m.call[i];

		if (c->open && c->owner == REBOOTED)
			end_call(c, LEDGER_EXPIRE, c->worst, AI_OUTCOME_NONE,
				 0);
		else if (c->open && c->owner == DEAD)
			end_call(c, c->sent ? LEDGER_EXPIRE : LEDGER_VOID,
				 c->sent ? c->worst : 0, AI_OUTCOME_NONE, 0);
	}
}
