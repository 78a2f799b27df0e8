/*
 * model-rollup.c: what the sums of the ledger should be, from the model's calls.
 *
 * Each row that is read is summed up anew from all calls and answers that are
 * its own, and all rows together must have all of them.
 */
#include "model.h"
#include "help.h"

#include <string.h>

#define HOUR_MS ((int64_t)3600000)

static const int64_t bounds_ms[] = { 10, 20, 40, 80, 160, 320, 640, 1280, 2560,
				     5120, 10240, 20480, 40960, 81920 };

static const char *const name[SCOPES][3] = {
	{ "" }, { "", "a", "b" }, { "", "alice", "*not" }, { "", "m", "n" },
};

/* The hour, day or month of UTC that ms lies in. */
static int64_t begin_of(const char *by, int64_t ms)
{
	return strcmp(by, "hour") == 0 ? ms - ms % HOUR_MS
		: period_of(strcmp(by, "day") == 0 ? DAY : MONTH, ms);
}

static int bucket(int64_t us)
{
	int i = 0;

	while (i < COUNT(bounds_ms) && us > bounds_ms[i] * 1000)
		i++;
	return i;
}

static void add_call(const struct call *c, struct ai_rollup *r)
{
	const struct ai_facts *f = &c->facts;
	int64_t *v = r->v;
	int ended = (int)f->ended;

	if (c->open) {
		r->open++;
		r->pending += c->worst;
		return;
	}
	if (ended == 0 && c->kind == LEDGER_VOID)
		ended = AI_ENDED_UNSENT;
	if (ended == 0 && c->kind == LEDGER_EXPIRE)
		ended = AI_ENDED_LOST;
	v[AI_ROLLUP_CALLS]++;
	v[AI_ROLLUP_UNTOLD + ended]++;
	v[AI_ROLLUP_POSTED] += c->cost;
	v[AI_ROLLUP_CORRECTIONS] += c->corrections;
	if (c->kind == LEDGER_EXPIRE && c->corrections == 0)
		v[AI_ROLLUP_UNANSWERED]++;
	if (f->attempt >= 2)
		v[AI_ROLLUP_RETRIES]++;
	v[AI_ROLLUP_INPUT] += f->input;
	v[AI_ROLLUP_CACHED] += f->cached;
	v[AI_ROLLUP_WRITTEN] += f->written;
	v[AI_ROLLUP_OUTPUT] += f->output;
	v[AI_ROLLUP_REASONING] += f->reasoning;
	if (f->time_us != 0) {
		v[AI_ROLLUP_TIME_US] += f->time_us;
		v[AI_ROLLUP_TIME + bucket(f->time_us)]++;
	}
	if (f->first_us != 0) {
		v[AI_ROLLUP_FIRST_US] += f->first_us;
		v[AI_ROLLUP_FIRST + bucket(f->first_us)]++;
	}
}

struct question {
	struct ai_rollup_ask ask;
	int scope;           /* that it is by; -1: by time; ALL */
	struct ai_rollup all; /* that rows have told */
	long rows;
};

static bool in_range(const struct question *q, int64_t ms)
{
	int64_t hour = begin_of("hour", ms);

	return hour >= q->ask.since && hour < q->ask.until;
}

/* Whether what was reserved then, by these, belongs to the row; NULL: to any. */
static bool is_of(const struct question *q, const struct ai_rollup *r,
		  int64_t ms, const int who[SCOPES])
{
	if (!in_range(q, ms))
		return false;
	if (r == NULL)
		return true;
	if (r->labels != NULL)
		return strcmp(r->labels->tenant, name[TENANT][who[TENANT]]) ==
			0 && strcmp(r->labels->user, name[USER][who[USER]]) ==
			0 && strcmp(r->labels->model, name[MODEL][who[MODEL]])
			== 0;
	if (q->scope < 0)
		return r->start_ms == begin_of(q->ask.by, ms);
	return strcmp(r->name, name[q->scope][who[q->scope]]) == 0;
}

static struct ai_rollup expect(const struct question *q,
			       const struct ai_rollup *row)
{
	struct ai_rollup r = { .open = 0 };
	int i;

	for (i = 0; i < m.n; i++)
		if (is_of(q, row, m.call[i].at, m.call[i].who))
			add_call(&m.call[i], &r);
	for (i = 0; i < m.hits; i++)
		if (is_of(q, row, m.hit[i].at, m.hit[i].who)) {
			r.v[AI_ROLLUP_HITS] += m.hit[i].n;
			r.v[AI_ROLLUP_SAVED] += m.hit[i].saved;
		}
	return r;
}

static void compare(const struct question *q, const struct ai_rollup *got,
		    const struct ai_rollup *wanted)
{
	int n = q->ask.columns > 0 ? q->ask.columns : AI_ROLLUP_COUNT, i;
	char what[80];

	for (i = 0; i < n; i++)
		if (got->v[i] != wanted->v[i]) {
			snprintf(what, sizeof(what), "column %d by %s", i,
				 q->ask.by);
			differ(what, got->v[i], wanted->v[i]);
		}
	if (got->open != wanted->open)
		differ("open", got->open, wanted->open);
	if (got->pending != wanted->pending)
		differ("pending", got->pending, wanted->pending);
}

static int take_row(void *arg, const struct ai_rollup *r)
{
	struct question *q = arg;
	struct ai_rollup wanted = expect(q, r);
	int i;

	compare(q, r, &wanted);
	for (i = 0; i < AI_ROLLUP_COUNT; i++)
		q->all.v[i] += r->v[i];
	q->all.open += r->open;
	q->all.pending += r->pending;
	q->rows++;
	return 0;
}

void check_rollups(struct ai_ledger *l)
{
	static const struct { const char *by; int scope; } kinds[] = {
		{ "all", ALL }, { "hour", -1 }, { "day", -1 }, { "month", -1 },
		{ "tenant", TENANT }, { "user", USER }, { "model", MODEL },
		{ "labels", ALL },
	};
	int kind = (int)below(COUNT(kinds));
	struct question q = { .ask = { .by = kinds[kind].by },
			      .scope = kinds[kind].scope };
	struct ai_rollup wanted;
	struct ai_err err;

	q.ask.since = INT64_MIN;
	q.ask.until = INT64_MAX;
	if (below(2) == 0 && m.n > 0)
		q.ask.since = begin_of("hour", m.call[below(m.n)].at);
	if (below(2) == 0 && m.n > 0)
		q.ask.until = begin_of("hour", m.call[below(m.n)].at) +
			(below(2) == 0 ? 1 : 0);
	if (below(2) == 0)
		q.ask.columns = AI_ROLLUP_TIME;
	if (ai_ledger_rollups(l, &q.ask, take_row, &q, &err) < 0)
		complain(&broken, err.msg);
	wanted = expect(&q, NULL);
	compare(&q, &q.all, &wanted);
}
