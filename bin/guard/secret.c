/*
 * secret.c: keys, tokens and passwords, by rules; what matches is looked at
 * more closely.
 */
#include "guard.h"

#include "secret.h"
#include "seek.h"

#include <stdlib.h>
#include <string.h>

#define GENERIC_MAX 256 /* that wait for what the other rules say */

static struct guard_seek_cache patterns;
static _Atomic(struct ai_regex *) unless[GUARD_SEEK_RULES],
	unless_name[GUARD_SEEK_RULES];

/* A secret that is one only if no other rule knows better. */
struct waiting {
	const struct guard_rule *rule;
	size_t from, to;
	double score;
	const char *reason;
};

struct secrets {
	const struct guard_rules *r;
	const struct ai_view *v;
	struct guard_findings *f;
	struct ai_err *err;
	struct waiting waiting[GENERIC_MAX];
	size_t n_waiting;
};

/* 1: it matches, 0: not, or no pattern; -1 */
static int matches(_Atomic(struct ai_regex *) *slot, const char *pattern,
		   struct ai_span text, struct ai_err *err)
{
	struct ai_regex *re;

	if (pattern == NULL)
		return 0;
	re = guard_seek_regex(slot, pattern, err);
	return re == NULL ? -1 : ai_regex_match(re, text, 0, NULL, 0, err);
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

/* The identifier that the match begins in, and what is between it and the
 * secret. */
static struct ai_span name_of(const struct secrets *s, size_t match,
			      size_t secret)
{
	const char *p = s->v->text.p;
	size_t from = match, back = 0;

	while (from > 0 && back++ < 50 &&
	       (is_word(p[from - 1]) || p[from - 1] == '.' ||
		p[from - 1] == '-'))
		from--;
	return (struct ai_span){ p + from, secret - from };
}

static int note(struct secrets *s, const struct guard_rule *x, size_t from,
		size_t to, double score, const char *reason)
{
	if (x->check < GUARD_GENERIC || s->n_waiting == GENERIC_MAX)
		return guard_find(s->f, s->v, GUARD_SECRET, x->name, score,
				  from, to, reason, s->err);
	s->waiting[s->n_waiting++] =
		(struct waiting){ x, from, to, score, reason };
	return 0;
}

/* A rule matched at byte match, the secret being from..to. */
static int on_match(void *arg, unsigned rule, struct ai_span match, size_t from,
		    size_t to)
{
	struct secrets *s = arg;
	const struct guard_rule *x = &s->r->rules[rule];
	struct ai_span secret = { s->v->text.p + from, to - from };
	const char *reason;
	double score;
	int rc;

	if (secret.n == 0 ||
	    (x->entropy > 0 && guard_entropy(secret) <= x->entropy))
		return 0;
	score = guard_check_secret(x->check, secret, x->score, &reason);
	if (score <= 0)
		return 0;
	rc = matches(&unless[rule], x->unless, secret, s->err);
	if (rc == 0)
		rc = matches(&unless_name[rule], x->unless_name,
			     name_of(s, (size_t)(match.p - s->v->text.p),
				     from), s->err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return note(s, x, from, to, score, reason);
}

/* ---- the view ------------------------------------------------------------------------------ */

/* Whether another rule has found a secret there. */
static bool is_known(const struct secrets *s, const struct waiting *w)
{
	size_t from, to;

	ai_view_span(s->v, w->from, w->to, &from, &to);
	for (size_t i = 0; i < s->f->n; i++)
		if (s->f->v[i].kind == GUARD_SECRET && s->f->v[i].from < to &&
		    s->f->v[i].to > from)
			return true;
	return false;
}

/* Whether one of those that wait, and is surer, is there, too; of two that are as
 * sure the first. */
static bool is_told(const struct secrets *s, size_t i)
{
	const struct waiting *w = &s->waiting[i];

	for (size_t k = 0; k < s->n_waiting; k++) {
		const struct waiting *x = &s->waiting[k];

		if (x->rule != w->rule && x->from < w->to && w->from < x->to &&
		    (x->score > w->score ||
		     (x->score >= w->score && k < i)))
			return true;
	}
	return false;
}

static int note_waiting(struct secrets *s)
{
	bool skip[GENERIC_MAX];
	size_t n = s->n_waiting;

	/* First all, and then those: they are not to be known by each other. */
	for (size_t i = 0; i < n; i++)
		skip[i] = is_known(s, &s->waiting[i]) || is_told(s, i);
	for (size_t i = 0; i < n; i++)
		if (!skip[i] &&
		    guard_find(s->f, s->v, GUARD_SECRET,
			       s->waiting[i].rule->name, s->waiting[i].score,
			       s->waiting[i].from, s->waiting[i].to,
			       s->waiting[i].reason, s->err) < 0)
			return -1;
	return 0;
}

int guard_secret(const struct ai_view *v, enum guard_context context,
		 struct guard_findings *f, struct ai_err *err)
{
	struct secrets s;

	(void)context;
	s.r = &guard_secret_rules;
	s.v = v;
	s.f = f;
	s.err = err;
	s.n_waiting = 0;
	if (guard_seek(s.r, &patterns, v->text, on_match, &s, err) < 0)
		return -1;
	return note_waiting(&s);
}
