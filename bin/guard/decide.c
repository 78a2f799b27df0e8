/* decide.c: what the rules of a policy say about what is found. */
#include "policy.h"

#include "allow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 1000
/* What --explain still calls nearly found. */
#define LENIENT .2
/* Without a policy: detectors may be asked for themselves. */
#define BALANCED .02

struct rule {
	struct guard_scope scope;
	bool is_rate;
	enum guard_action action;
	double rate;
	char *by; /* owned */
};

static struct {
	struct rule *v;
	size_t n, cap;
	struct guard_allow allow;
	/* What detectors ask often. */
	double rate[GUARD_CONTEXTS][GUARD_KINDS];
	bool wants[GUARD_CONTEXTS][GUARD_KINDS];
} policy;

static _Thread_local bool lenient;

/* ---- reading rules --------------------------------------------------------------- */

static int action_of(struct ai_span name)
{
	for (int i = 0; i < GUARD_ACTIONS; i++)
		if (ai_span_is(name, guard_action_names[i]))
			return i;
	return -1;
}

/* What stands behind the "=": an action or a rate. */
static int read_value(struct rule *r, struct ai_span value, const char *place,
		      enum ai_code code, struct ai_err *err)
{
	int action = action_of(value);

	if (action >= 0) {
		r->action = (enum guard_action)action;
		return 0;
	}
	if (ai_parse_f64(value, &r->rate) == 0 && r->rate > 0 && r->rate <= 1 &&
	    r->scope.rule == NULL && r->scope.least <= 0) {
		r->is_rate = true;
		return 0;
	}
	return ai_err_set(err, code, "%.200s: '%.*s' is neither flag, redact, "
			  "block, drop or pass, nor the rate of a kind (above "
			  "0, at most 1)", place,
			  (int)(value.n < 40 ? value.n : 40), value.p);
}

int guard_policy_add(const char *text, const char *place, enum ai_code code,
		     struct ai_err *err)
{
	const char *equals = strrchr(text, '=');
	struct ai_span scope = { text, 0 }, value = ai_span_of(text);
	struct rule *more, *r;

	if (policy.n == RULES_MAX)
		return ai_err_set(err, code, "%.200s: more than %d rules",
				  place, RULES_MAX);
	if (policy.n == policy.cap) {
		more = reallocarray(policy.v, 2 * policy.cap + 16,
				    sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		policy.v = more;
		policy.cap = 2 * policy.cap + 16;
	}
	if (equals != NULL) {
		scope.n = (size_t)(equals - text);
		value = ai_span_of(equals + 1);
	}
	/* What is read in part is to be released, too. */
	r = &policy.v[policy.n++];
	memset(r, 0, sizeof *r);
	if (guard_scope_read(&r->scope, scope, place, code, err) < 0 ||
	    read_value(r, value, place, code, err) < 0)
		return -1;
	if (equals == NULL && !r->is_rate)
		return ai_err_set(err, code, "%.200s: '%.40s' of what? write "
				  "'all=%.40s', or a kind", place, text, text);
	return asprintf(&r->by, "%s: %s", place, text) < 0 ? ai_err_nomem(err)
							   : 0;
}

/* ---- the policy ------------------------------------------------------------------- */

struct guard_allow *guard_policy_allow(void)
{
	return &policy.allow;
}

static bool is_about(const struct guard_scope *s, int context, int kind)
{
	return (s->context < 0 || s->context == context) &&
	       (s->kind < 0 || s->kind == kind);
}

/* What all the rules say together. */
static void sum_up(int context, int kind)
{
	double *rate = &policy.rate[context][kind];
	bool *wants = &policy.wants[context][kind];

	for (size_t i = 0; i < policy.n; i++) {
		const struct rule *r = &policy.v[i];

		if (!is_about(&r->scope, context, kind))
			continue;
		if (r->is_rate)
			*rate = r->rate;
		else if (r->action != GUARD_PASS)
			*wants = true;
		else if (r->scope.rule == NULL && r->scope.least <= 0)
			*wants = false;
	}
}

void guard_policy_ready(void)
{
	guard_allow_ready(&policy.allow);
	for (int c = 0; c < GUARD_CONTEXTS; c++)
		for (int k = 0; k < GUARD_KINDS; k++)
			sum_up(c, k);
}

void guard_policy_unload(void)
{
	for (size_t i = 0; i < policy.n; i++) {
		guard_scope_release(&policy.v[i].scope);
		free(policy.v[i].by);
	}
	free(policy.v);
	guard_allow_release(&policy.allow);
	memset(&policy, 0, sizeof policy);
}

/* ---- asking ------------------------------------------------------------------------------ */

void guard_policy_lenient(bool on)
{
	lenient = on;
}

double guard_policy_rate(enum guard_context context, enum guard_kind kind)
{
	double rate = policy.n > 0 ? policy.rate[context][kind] : BALANCED;

	return lenient && rate < LENIENT ? LENIENT : rate;
}

bool guard_policy_wants(enum guard_context context, enum guard_kind kind)
{
	return policy.wants[context][kind];
}

/* Whether any rule has this action, or one from it on to the other. */
static bool acts(enum guard_action from, enum guard_action to)
{
	for (size_t i = 0; i < policy.n; i++)
		if (!policy.v[i].is_rate && policy.v[i].action >= from &&
		    policy.v[i].action <= to)
			return true;
	return false;
}

bool guard_policy_redacts(void)
{
	return acts(GUARD_REDACT, GUARD_BLOCK);
}

bool guard_policy_withholds(void)
{
	return acts(GUARD_REDACT, GUARD_DROP);
}

bool guard_policy_host(const char *host, size_t n)
{
	return guard_allow_host(&policy.allow, host, n);
}

bool guard_policy_hosts(void)
{
	return guard_allow_hosts(&policy.allow);
}

void guard_policy_decide(enum guard_context context, struct ai_span text,
			 struct guard_finding *x, const char **by)
{
	const char *allowed;

	x->action = GUARD_PASS;
	if (by != NULL)
		*by = NULL;
	for (size_t i = policy.n; i-- > 0;) {
		const struct rule *r = &policy.v[i];

		if (r->is_rate || !guard_scope_fits(&r->scope, context, x))
			continue;
		x->action = r->action;
		if (by != NULL)
			*by = r->by;
		break;
	}
	if (x->action == GUARD_PASS)
		return;
	allowed = guard_allow_find(&policy.allow, context, text, x);
	if (allowed != NULL) {
		x->action = GUARD_PASS;
		if (by != NULL)
			*by = allowed;
	}
}
