/* budget.c: the budget of an agent, which holds for all that it does in a run,
 * by whomever it is asked: its account is in the ledger (store/share.h). */
#include "team/team.h"
#include "worker.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/sig.h"
#include "store/share.h"

#include <string.h>
#include <time.h>

#define NAP_MS 20    /* the first time that it is waited; each is longer */
#define NAP_MAX_MS 200

/* Marks whoever asking this one may lead to. */
static void mark(const struct flow *f, size_t i, bool *seen)
{
	const struct flow_agent *a = &f->agents[i];
	const struct {
		const size_t *v;
		size_t n;
	} lists[] = { { a->agents, a->n_agents },
		      { a->handoffs, a->n_handoffs } };

	for (size_t k = 0; k < 2; k++)
		for (size_t j = 0; j < lists[k].n; j++)
			if (!seen[lists[k].v[j]]) {
				seen[lists[k].v[j]] = true;
				mark(f, lists[k].v[j], seen);
			}
}

/* Who may come to be asked by those that it asks itself does not wait for its
 * other runs: one of them may be waiting for it. */
static bool is_patient(void)
{
	bool seen[FLOW_AGENTS_MAX] = { false };
	const struct flow *f = agent_team();
	size_t self = (size_t)(agent_team_self() - f->agents);

	mark(f, self, seen);
	return !seen[self];
}

/* What a run of its own has begun falls under what that one has set aside. */
static bool has_account(const struct agent_run *r)
{
	const struct flow_agent *self = agent_team_self();
	struct ai_json_iter it;
	struct ai_value v;

	if (self == NULL || self->budget < 0 || !agent_is_within() ||
	    r->journal.replay)
		return false;
	if (r->asked_by.kind != AI_ARRAY)
		return true;
	ai_json_iter_init(&it, r->asked_by);
	while (ai_json_next(&it, NULL, &v))
		if (ai_json_is(v, ai_span_of(self->name)))
			return false;
	return true;
}

static struct ai_share share_of(const struct agent_run *r)
{
	return (struct ai_share){ .root = r->root,
		.agent = agent_team_self()->name, .run = r->journal.run.id,
		.budget = agent_team_self()->budget,
		.wanted = r->limits.v[AGENT_LIMIT_USD] };
}

static void stop(struct agent_run *r, enum ai_run_status status,
		 enum agent_limit limit)
{
	r->stop.status = status;
	if (status == AI_RUN_PARTIAL)
		r->stop.limit = agent_limit_name(limit);
}

static void refuse(struct agent_run *r)
{
	const struct flow_agent *self = agent_team_self();
	char money[AI_MONEY_TEXT];

	ai_money_show(self->budget, money);
	stop(r, AI_RUN_PARTIAL, AGENT_LIMIT_USD);
	ai_err_set(&r->stop.err, AI_E_BUDGET, "the agent '%s' has spent its "
		   "budget of %s", self->name, money);
}

int agent_budget_take(struct agent_run *r, struct ai_err *err)
{
	struct timespec nap = { 0, 0 };
	enum ai_share_verdict verdict;
	int64_t nano, ms = NAP_MS;
	struct ai_share s;
	bool patient;

	if (!has_account(r))
		return 0;
	s = share_of(r);
	for (patient = is_patient();; ms = ms < NAP_MAX_MS ? 2 * ms : ms) {
		if (ai_share_take(r->journal.ledger, &s, patient, &verdict,
				  &nano, err) < 0)
			return -1;
		if (verdict == AI_SHARE_TAKEN)
			r->limits.v[AGENT_LIMIT_USD] = nano;
		else if (verdict == AI_SHARE_SPENT)
			refuse(r);
		else if (ai_sig_asked() != AI_SIG_NO)
			stop(r, AI_RUN_PAUSED, AGENT_LIMITS);
		else if (agent_run_left_s(r) <= 0)
			stop(r, AI_RUN_PARTIAL, AGENT_LIMIT_SECONDS);
		else
			nap.tv_nsec = (long)ms * 1000000;
		if (verdict != AI_SHARE_WAIT || r->stop.status != 0)
			return 0;
		nanosleep(&nap, NULL);
	}
}

int agent_budget_end(struct agent_run *r, struct ai_err *err)
{
	struct ai_share s;

	/* What can be gone on with keeps what it has set aside. */
	if (!has_account(r) || r->stop.status == AI_RUN_PARKED ||
	    r->stop.status == AI_RUN_PAUSED)
		return 0;
	s = share_of(r);
	return ai_share_end(r->journal.ledger, &s, r->used.nano, err);
}

void agent_budget_put(const struct agent_run *r, struct ai_buf *b)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (agent_team_self() == NULL)
		return;
	ai_put_key(b, "asked_by");
	ai_put_open(b, '[');
	ai_json_iter_init(&it, r->asked_by);
	while (r->asked_by.kind == AI_ARRAY && ai_json_next(&it, NULL, &v))
		ai_put_value(b, v);
	ai_put_cstr(b, agent_team_self()->name);
	ai_put_close(b, ']');
}
