/* scope.c: what a rule of a policy, or an entry of an allow list, is about. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of the name; -1. */
static int index_of(struct ai_span name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (ai_span_is(name, names[i]))
			return i;
	return -1;
}

/* What stands before the character, which is cut off with it. */
static bool cut(struct ai_span *text, char at, struct ai_span *before)
{
	const char *p = memchr(text->p, at, text->n);

	if (p == NULL)
		return false;
	*before = (struct ai_span){ text->p, (size_t)(p - text->p) };
	text->n -= before->n + 1;
	text->p = p + 1;
	return true;
}

static int unknown(struct ai_span name, const char *what,
		   const char *const *names, int n, const char *place,
		   enum ai_code code, struct ai_err *err)
{
	char buf[64];
	const char *near;

	snprintf(buf, sizeof buf, "%.*s",
		 (int)(name.n < 60 ? name.n : 60), name.p);
	near = ai_nearest(buf, names, (size_t)n);
	if (near != NULL)
		return ai_err_set(err, code, "%.200s: '%s' is no %s; did you "
				  "mean '%s'?", place, buf, what, near);
	return ai_err_set(err, code, "%.200s: '%s' is no %s", place, buf,
			  what);
}

static int unknown_rule(struct ai_span name, const char *place,
			enum ai_code code, struct ai_err *err)
{
	const char *names[1024];
	int n = 0;

	for (; n < 1024 && (names[n] = guard_rule_name((size_t)n)) != NULL;)
		n++;
	return unknown(name, "rule of a finding", names, n, place, code, err);
}

static int read_rate(struct guard_scope *s, struct ai_span rate,
		     const char *place, enum ai_code code, struct ai_err *err)
{
	double d;

	if (ai_parse_f64(rate, &d) < 0 || !(d > 0 && d <= 1))
		return ai_err_set(err, code, "%.200s: '%.*s' is no rate; it is "
				  "above 0 and at most 1, such as .01", place,
				  (int)(rate.n < 40 ? rate.n : 40), rate.p);
	/* Scores are rounded when they are made. */
	s->least = 1 - d - 1e-9;
	return 0;
}

int guard_scope_read(struct guard_scope *s, struct ai_span text,
		     const char *place, enum ai_code code, struct ai_err *err)
{
	struct ai_span context, kind;

	*s = (struct guard_scope){ .context = -1, .kind = -1 };
	if (cut(&text, ':', &context)) {
		s->context = index_of(context, guard_context_names,
				      GUARD_CONTEXTS);
		if (s->context < 0)
			return unknown(context, "context", guard_context_names,
				       GUARD_CONTEXTS, place, code, err);
	}
	kind = text;
	if (cut(&text, '@', &kind) && read_rate(s, text, place, code, err) < 0)
		return -1;
	text = kind;
	if (!cut(&text, '/', &kind))
		text = (struct ai_span){ NULL, 0 };
	if (kind.n > 0 && !ai_span_is(kind, "all")) {
		s->kind = index_of(kind, guard_kind_names, GUARD_KINDS);
		if (s->kind < 0)
			return unknown(kind, "kind of finding",
				       guard_kind_names, GUARD_KINDS, place,
				       code, err);
	}
	if (text.p == NULL)
		return 0;
	if (s->kind < 0 || text.n == 0)
		return ai_err_set(err, code, "%.200s: a rule stands behind its "
				  "kind, as in 'personal/email'", place);
	s->rule = ai_span_dup(text);
	if (s->rule == NULL)
		return ai_err_nomem(err);
	return guard_rule_is_known(s->rule) ? 0 :
		unknown_rule(text, place, code, err);
}

void guard_scope_release(struct guard_scope *s)
{
	free(s->rule);
	s->rule = NULL;
}

bool guard_scope_fits(const struct guard_scope *s, enum guard_context context,
		      const struct guard_finding *x)
{
	return (s->context < 0 || s->context == (int)context) &&
	       (s->kind < 0 || s->kind == (int)x->kind) &&
	       x->score >= s->least &&
	       (s->rule == NULL || strcmp(s->rule, x->rule) == 0);
}
