/* phrase.c: phrases as a detector: at the rate that the policy allows. */
#include "phrases.h"
#include "policy.h"

int guard_phrase(const struct ai_view *v, enum guard_context context,
		 struct guard_findings *f, struct ai_err *err)
{
	return phrases_find(v, guard_policy_rate(context, GUARD_INJECTION), f,
			    err);
}
