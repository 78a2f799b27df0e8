/*
 * breaker.c: an agent that fails again and again is asked nothing for a while.
 *
 * Its state is nowhere but in the journal: who goes on with a workflow goes
 * through the answers in the order in which they came.
 */
#include "flow/run.h"

#include "base/clock.h"
#include "base/msg.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool flow_breaker_is_open(struct flow_account *a)
{
	if (a->open_until <= 0)
		return false;
	if (a->probe || ai_clock_s() < a->open_until)
		return true;
	a->probe = true;
	return false;
}

/* rest_s: from now. Whether it has opened. */
static bool count(const struct flow_agent *f, struct flow_account *a,
		  bool failed, double rest_s)
{
	a->probe = false;
	if (!failed) {
		a->failures = 0;
		a->open_until = 0;
		return false;
	}
	a->failures++;
	if (f->failures <= 0 || a->failures < f->failures)
		return false;
	/* Past already: one question finds out. */
	a->open_until = ai_clock_s() + rest_s;
	if (a->open_until <= 0)
		a->open_until = 1e-9;
	return true;
}

/*
 * What an answer says of its agent: 1: it has failed; 0: it is well; -1: nothing.
 * That a limit or a budget of its own ended it says nothing, and a question that
 * it was not asked, for want of money or because of this, has no error.
 */
static int verdict(const struct flow_step *s)
{
	struct ai_value v, code;
	struct ai_span name;

	if (s->state != AI_STEP_DONE || s->agent == FLOW_NONE ||
	    s->result == NULL ||
	    ai_json_check(s->result, strlen(s->result), &v, NULL) < 0)
		return -1;
	if (!ai_json_true(ai_json_member(v, AI_SPAN("failed"))))
		return 0;
	code = ai_json_member(v, AI_SPAN("code"));
	name = ai_json_inside(code);
	switch (ai_code_from_name(name.p, name.n)) {
	case AI_E_LIMIT:
	case AI_E_BUDGET:
		return -1;
	default:
		return ai_json_member(v, AI_SPAN("error")).kind == AI_NONE
			? -1 : 1;
	}
}

void flow_breaker_heed(struct flow_work *w, const struct flow_step *s)
{
	const struct flow_agent *f = &w->flow->agents[s->agent];
	struct flow_account *a = &w->agents[s->agent];
	int failed = verdict(s);

	if (failed < 0)
		a->probe = false;
	else if (count(f, a, failed, f->rest_s))
		ai_msg(AI_MSG_WARN, "the agent '%s' has failed %lld times in a "
		       "row: it is asked nothing for %g seconds", f->name,
		       (long long)a->failures, f->rest_s);
}

/* ---- from the journal ------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
	const struct flow_step *x = *(struct flow_step *const *)a,
			       *y = *(struct flow_step *const *)b;

	if (x->changed != y->changed)
		return x->changed < y->changed ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

/* A clock that was set back makes no rest longer. */
static double rest_left(const struct flow_agent *f, int64_t since_ms)
{
	struct timespec t;
	double left;

	clock_gettime(CLOCK_REALTIME, &t);
	left = f->rest_s + (double)since_ms / 1e3 -
		((double)t.tv_sec + (double)t.tv_nsec / 1e9);
	return left < f->rest_s ? left : f->rest_s;
}

int flow_breaker_recall(struct flow_work *w, struct ai_err *err)
{
	const struct flow_journal *j = &w->journal;
	struct flow_step **v;
	size_t n = 0;
	int failed;

	if (j->n == 0)
		return 0;
	v = malloc(j->n * sizeof(struct flow_step *));
	if (v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < j->n; i++)
		if (j->v[i]->agent != FLOW_NONE &&
		    w->flow->agents[j->v[i]->agent].failures > 0)
			v[n++] = j->v[i];
	qsort(v, n, sizeof(struct flow_step *), by_time);
	for (size_t i = 0; i < n; i++)
		if ((failed = verdict(v[i])) >= 0) {
			const struct flow_agent *f =
				&w->flow->agents[v[i]->agent];

			count(f, &w->agents[v[i]->agent], failed,
			      rest_left(f, v[i]->changed));
		}
	free(v);
	return 0;
}
