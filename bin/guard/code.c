/*
 * code.c: code in an answer that does harm when it is run or shown: commands,
 * SQL, templates, scripts.  Between fences it is probably what was asked for,
 * and has a part of its score.
 */
#include "guard.h"

#include "fence.h"
#include "policy.h"
#include "seek.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define IN_CODE .5
#define WEAK .25 /* is told only if a policy has so high a rate */

static const struct {
	const char *rule, *reason;
} reasons[] = {
	{ "code-sql", "SQL as injections have it" },
	{ "code-shell", "a command that does harm, or hides one" },
	{ "code-template", "an expression that a template runs" },
	{ "code-script", "a script that a page would run" },
	{ "code-python", "Python that runs what it is given" },
	{ "code-php", "PHP that runs what it is given" },
	{ "code-node", "a script that runs commands" },
	{ "code-path", "a path that leads out, or to a secret" },
};

/* Matches of different rules come in any order. */
struct place {
	const struct guard_rule *rule;
	size_t from, to;
};

struct code {
	const struct ai_view *v;
	struct ai_buf places; /* struct place each */
};

static const char *reason_of(const char *rule)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i].rule, rule) == 0)
			return reasons[i].reason;
	return NULL;
}

static int on_match(void *arg, unsigned rule, struct ai_span match, size_t from,
		    size_t to)
{
	struct code *c = arg;

	(void)to;
	from = (size_t)(match.p - c->v->text.p);
	return ai_buf_add(&c->places, &(struct place){
		&guard_code_rules.rules[rule], from, from + match.n,
		}, sizeof(struct place));
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->from != y->from ? (x->from < y->from ? -1 : 1)
				  : strcmp(x->rule->name, y->rule->name);
}

/* Those between fences are told apart in the order of the text. */
static int tell(struct code *c, struct guard_findings *f,
		enum guard_context context, struct ai_err *err)
{
	struct place *p = (struct place *)(void *)c->places.p;
	size_t n = c->places.len / sizeof *p;
	/* Weak ones are told to who asks for that. */
	double least = fmin(WEAK, 1 - guard_policy_rate(context,
							GUARD_INJECTION));
	struct guard_fence fence;

	if (n > 0)
		qsort(p, n, sizeof *p, by_place);
	guard_fence_init(&fence, c->v->text);
	for (; n > 0; n--, p++) {
		bool fenced = guard_fence_at(&fence, p->from);
		double score = (fenced ? IN_CODE : 1) * p->rule->score;

		if (score >= least &&
		    guard_find(f, c->v, GUARD_INJECTION, p->rule->name, score,
			       p->from, p->to, reason_of(p->rule->name),
			       err) < 0)
			return -1;
	}
	return 0;
}

int guard_code(const struct ai_view *v, enum guard_context context,
	       struct guard_findings *f, struct ai_err *err)
{
	static struct guard_seek_cache patterns;
	struct code c = { .v = v };
	int rc;

	/* What else is decoded, nobody runs. */
	if (context != GUARD_ANSWER ||
	    (v->depth > 0 && strcmp(v->name, "entity") != 0))
		return 0;
	ai_buf_init(&c.places, GUARD_FINDINGS_MAX * sizeof(struct place));
	rc = guard_seek(&guard_code_rules, &patterns, v->text, on_match, &c,
			err);
	/* More than that many are not told. */
	if (rc < 0 && c.places.bad == AI_E_TOO_LONG)
		rc = 0;
	else if (rc < 0 && c.places.bad == AI_E_MEMORY)
		ai_err_nomem(err);
	if (rc == 0)
		rc = tell(&c, f, context, err);
	ai_buf_release(&c.places);
	return rc;
}
